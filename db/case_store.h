/* Cases: open concerns about one asset and part, and what became of them. */
#ifndef DB_CASE_STORE_H
#define DB_CASE_STORE_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

struct risk_case {
    int64_t id, asset_id, component_id;     /* component_id 0 = the asset as a whole */
    char *state;                            /* open, approved, deferred, rejected, closed */
    int64_t opened_ms, closed_ms, until_ms; /* DB_NO_TIME = none */
    double p_window;
    int64_t saving_minor; /* DB_NO_MONEY = unknown */
    char *reason, *verdict, *note;
    int64_t version, updated_ms;
};
struct risk_case_list {
    struct risk_case *items;
    size_t n;
};

/* Raises a case with state open; FT_CONFLICT when one is open for the part. */
enum ft_status case_insert(struct db *db, const struct risk_case *c, int64_t *id,
                           struct ft_err *err);
/* Writes state, closed, until, reason, verdict and note when the version is still c->version (else
 * FT_CONFLICT) and adds one to it. */
enum ft_status case_update(struct db *db, const struct risk_case *c, struct ft_err *err);
enum ft_status case_get(struct db *db, int64_t id, struct risk_case *out, struct ft_err *err);

struct case_filter {
    int64_t asset_id;  /* 0 = all */
    const char *state; /* comma-separated; NULL = all */
    int64_t
        since_ms; /* not 0: those that are not ended, were raised since, or still cool down then */
};
enum ft_status case_list(struct db *db, const struct case_filter *f, struct risk_case_list *out,
                         struct ft_err *err); /* by id */
void case_clear(struct risk_case *c);
void case_list_free(struct risk_case_list *l);

/* open, approved or deferred */
bool case_is_open(const struct risk_case *c);

#endif
