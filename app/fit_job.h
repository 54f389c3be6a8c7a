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
#include "models/conformal_survival.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIT_CALIBRATION_BEST 1000 /* the map with the least log loss across folds */
/* none, platt, isotonic, beta, best; -1 = not known. */
int fit_calibration_by_name(const char *name);
const char *fit_calibration_name(int calibration);

struct fit_request {
    const char *path;
    const char *label, *group, *time, *event, *drop, *category; /* as in table_request */
    /* Where the files lie now, if not where the names above say: the table, then for .npy label,
     * event, group and time, those that are given. The model records the names above without their
     * folders. */
    const char *const *moved;
    size_t n_moved;
    int task;          /* enum model_task, -1 = by the label: an event column makes it survival, two
                          distinct values classify, anything else regress */
    int metric;        /* enum validate_metric, -1 = that of the task */
    const char *model; /* a kind, or auto = trees and the linear model of the task; NULL = auto of
                          the grid's base: gbdt, for survival cox */
    struct model_spec base; /* kind and task are filled in here */
    const cJSON *grid;      /* candidates (fit_spec.h); NULL = base alone */
    const char *monotone;   /* "+wear,-margin": columns with which the answer must not fall (+) or
                               rise (-); NULL = none */
    const char *trusted;    /* columns that the leak guard lets pass, by commas; NULL = none */
    bool no_search;         /* leave out the search for products and ratios of columns */
    size_t n_folds;         /* 0 = no cross-validation: no calibration, no interval */
    double coverage;        /* stated for intervals of a regression or of lives */
    bool is_cross;          /* a regression's interval by CV+ instead of split conformal */
    int calibration;        /* enum calibration_kind of a classification, or FIT_CALIBRATION_BEST */
    bool is_importance;     /* permutation importance of each column, out of fold */
    size_t n_bootstrap;     /* repeats for the intervals of metrics, as in measure_options */
    uint64_t seed;
    /* Folds: by time and group when both are there (folds_by_time()), by group, else of single
     * rows. */
    const char *embargo; /* with time: a duration for instants, else a number; NULL = 0 */
    bool is_halving;     /* successive halving over the folds (validate.h) */
    bool is_one_se;      /* the least flexible candidate within one standard error of the best */
    bool is_nested;      /* also an estimate in which each fold's choice is made without it */
    size_t memory_bytes; /* never more than this; 0 = no limit */

    bool (*is_stopped)(void);                                      /* may be NULL */
    void (*on_start)(void *ctx, const char *stage, size_t n_jobs); /* may be NULL */
    void (*on_done)(void *ctx, size_t n_jobs_done);                /* may be NULL */
    void *progress_ctx;
};

struct fit_outcome {
    struct table table;
    enum model_task task;
    enum validate_metric metric;
    bool *is_category; /* [x.n_cols] columns of at least three texts; NULL = there are none */
    int8_t *monotone;  /* [x.n_cols] of --monotone; NULL = not asked for */
    struct fit_specs specs;
    struct model_spec chosen;        /* what the final model was fitted with */
    struct validate_result *results; /* [specs.n]; NULL without cross-validation */
    size_t n_folds, best;
    uint8_t *fold_of;      /* [n_rows] fold that holds the row out, from 1; 0 = none; or NULL */
    double *nested_metric; /* [n_folds] of the nested estimate; NULL = not asked for */
    size_t *nested_choice; /* [n_folds] candidate chosen without the fold */
    cJSON *study;          /* "oof", "calibration", "interval", "importance" of the answer */
    enum calibration_kind calibration; /* of the final model */
    struct survival_band band;         /* of lives, as ranks in a row's own curve */
    bool has_band;                     /* false: too few failures for one */
    double longest;                    /* time seen in training */
    struct conformal_cross *cross;     /* CV+ until the final model has it */
    struct model **cross_models;       /* [n_folds] */
    size_t memory_bytes;               /* planned, from above */
    struct model *model;
    char *bytes; /* the model file */
    size_t n_bytes;
    char sha256[HASH_HEX_SIZE];
    double read_s, cv_s, fit_s, seconds;
    double cores_used, efficiency; /* processor seconds per second; the same per thread */
    double serial_share;           /* by Amdahl's law; NaN with one thread */
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
