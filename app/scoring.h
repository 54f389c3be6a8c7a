/* Champions + newest features -> one forecast per asset and component, and one for each asset as a
 * whole. Where no champion speaks, the age-only model does; where no failure was ever recorded, the
 * forecast is empty and says so. */
#ifndef APP_SCORING_H
#define APP_SCORING_H

#include "app/base/pool.h"
#include "app/base/status.h"
#include "app/forecast.h"

#include <stddef.h>
#include <stdint.h>

struct db;

struct scoring_item {
    struct forecast f;
    int64_t ledger_horizon_ms; /* horizon of the ledger's row; 0 = none */
    double ledger_p;
};

struct scoring {
    int64_t class_id;
    struct scoring_item *items; /* by asset, the asset as a whole first, then its components */
    size_t n;
};

/* Scores every asset of a class that is in service, as of at_ms (nothing later is read), or with
 * all data (DB_NO_TIME). FT_NOT_FOUND: no such class; FT_TOO_FEW: it has no asset. The caller ends
 * *out with scoring_clear(). */
enum ft_status scoring_class(struct db *db, const char *class_name, int64_t at_ms,
                             struct pool *pool, struct scoring *out, struct ft_err *err);
void scoring_clear(struct scoring *s);

/* Replaces the class's forecasts and adds to the ledger (one row per asset, component and local
 * day), inside the caller's transaction. */
enum ft_status scoring_write(struct db *writer, const struct scoring *s, int64_t now_ms,
                             struct ft_err *err);

/* Scores and writes every class, each in its own transaction; then settles the ledger. Classes
 * without assets are passed over. n_forecasts may be NULL. */
enum ft_status scoring_all(struct db *writer, struct pool *pool, int64_t now_ms,
                           size_t *n_forecasts, struct ft_err *err);

#endif
