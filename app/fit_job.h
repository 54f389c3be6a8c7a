/* `fettle fit` without its command line: a table, candidates, cross-validation, one final model.
 * The same request on the same data gives the same bytes, whatever the pool; `fettle replay` rests
 * on that. */
#ifndef APP_FIT_JOB_H
#define APP_FIT_JOB_H

#include "app/base/hash.h"
#include "app/base/json.h"
#include "app/base/pool.h"
#include "app/base/status.h"
#include "app/fit_spec.h"
#include "app/table.h"
#include "app/validate.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fit_request {
    const char *path;
    const char *label, *group, *event, *drop, *category; /* as in table_request */
    /* Where the files lie now, if not where the names above say: the table, then for .npy label,
     * event and group, those that are given. The names above are what the model records. */
    const char *const *moved;
    size_t n_moved;
    int task;          /* enum model_task, -1 = by the label: an event column makes it survival, two
                          distinct values classify, anything else regress */
    int metric;        /* enum validate_metric, -1 = that of the task */
    const char *model; /* a kind, or auto = trees and the linear model of the task; NULL = auto of
                          the grid's base: gbdt, for survival cox */
    struct model_spec base; /* kind and task are filled in here */
    const cJSON *grid;      /* candidates (fit_spec.h); NULL = base alone */
    size_t n_folds;         /* 0 = no cross-validation: no calibration, no interval */
    double coverage;        /* stated for intervals of a regression */
    uint64_t seed;

    bool (*is_stopped)(void);                       /* may be NULL */
    void (*on_start)(void *ctx, size_t n_jobs);     /* may be NULL: before cross-validation */
    void (*on_done)(void *ctx, size_t n_jobs_done); /* may be NULL */
    void *progress_ctx;
};

struct fit_outcome {
    struct table table;
    enum model_task task;
    enum validate_metric metric;
    struct fit_specs specs;
    struct validate_result *results; /* [specs.n]; NULL without cross-validation */
    size_t n_folds, best;
    struct model *model;
    char *bytes; /* the model file */
    size_t n_bytes;
    char sha256[HASH_HEX_SIZE];
    double read_s, cv_s, fit_s;
};

/* FT_OK, or the reason; fit_outcome_free() in any case. */
enum ft_status fit_job_run(const struct fit_request *request, struct pool *pool,
                           struct fit_outcome *out, struct ft_err *err);
void fit_outcome_free(struct fit_outcome *o);

/* {"folds","metric","mean","std","per_fold":[...]} of one candidate. */
cJSON *fit_outcome_cv(const struct fit_outcome *o, size_t candidate);

/* Brings a label to 0/1: its two values (low, high) become 0 and 1. FT_INVALID when y has others.
 */
enum ft_status fit_binary_label(double *y, size_t n, double low, double high, struct ft_err *err);

#endif
