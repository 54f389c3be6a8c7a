/* Forecasts (derived, newest per asset and component) and the ledger (predictions written before
 * their outcome, never changed but for the outcome). */
#ifndef DB_PREDICTION_STORE_H
#define DB_PREDICTION_STORE_H

#include "app/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct db;

struct forecast_row {
    int64_t asset_id, component_id; /* component_id 0 = the asset as a whole */
    int64_t as_of_ms, scored_ms;
    int64_t model_id; /* 0 = no model could speak */
    char *body;       /* JSON, app/forecast.h */
};
struct forecast_row_list {
    struct forecast_row *items;
    size_t n;
};

/* Replaces every forecast of the class by these, inside the caller's transaction; the old ones
 * become forecast_previous when they are of an earlier local day than now_ms. */
enum ft_status forecast_replace(struct db *db, int64_t class_id, const struct forecast_row *rows,
                                size_t n, int64_t now_ms, struct ft_err *err);
/* class_id 0 and asset_id 0 = all; ordered by asset, component. */
enum ft_status forecast_list(struct db *db, int64_t class_id, int64_t asset_id,
                             struct forecast_row_list *out, struct ft_err *err);
enum ft_status forecast_previous_list(struct db *db, struct forecast_row_list *out,
                                      struct ft_err *err);
void forecast_row_list_free(struct forecast_row_list *l);

struct ledger_row {
    int64_t id;
    int64_t asset_id, component_id, model_id;
    int64_t as_of_ms, horizon_ms;
    double p;
    char *outcome; /* NULL = not due yet; failed, survived, censored */
    int64_t event_id, decided_ms;
};
struct ledger_list {
    struct ledger_row *items;
    size_t n;
};
/* Adds a prediction; one that stands there already (same asset, component, as-of, horizon) stays.
 */
enum ft_status ledger_put(struct db *db, const struct ledger_row *row, struct ft_err *err);
/* Writes the outcome of every row that is due at now_ms: "failed" when a failure of the asset (of
 * the component when given) lies in (as_of, as_of + horizon]; "censored" when the part was replaced
 * first or the data ended before; else "survived". A row is due when as_of + horizon <= now_ms. A
 * replacement of the whole asset replaces its parts too; one at the instant of the failure comes
 * after it. Data have ended when the asset was retired or its newest reading (without sensors: the
 * newest reading or event of the store) is older than the end of the horizon by more than
 * LEDGER_SLACK_FRAC of the horizon. */
#define LEDGER_SLACK_FRAC 0.05
enum ft_status ledger_settle(struct db *db, int64_t now_ms, size_t *n_settled, struct ft_err *err);
enum ft_status ledger_list(struct db *db, int64_t asset_id, size_t limit, struct ledger_list *out,
                           struct ft_err *err); /* newest first */
void ledger_list_free(struct ledger_list *l);

#endif
