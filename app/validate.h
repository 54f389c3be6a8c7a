/* Cross-validation of candidates on one pool: every (candidate, fold) is one job, a job may use
 * idle workers inside, and everything is reduced in a fixed order, so results do not depend on the
 * number of threads.
 *
 * What a candidate is stays with the caller: validate_fit_fn fits on some rows and predicts others.
 * For plain tables it is validate_fit_model() over a list of model_spec; a trainer with steps of
 * its own inside the fold (scalers, feature banks, several models) brings its own function. */
#ifndef APP_VALIDATE_H
#define APP_VALIDATE_H

#include "app/base/pool.h"
#include "app/base/status.h"
#include "app/folds.h"
#include "models/model.h"

#include <stdbool.h>
#include <stddef.h>

enum validate_metric {
    VALIDATE_PR_AUC, /* raw are log-odds; higher is better */
    VALIDATE_ROC_AUC,
    VALIDATE_LOG_LOSS, /* of sigmoid(raw); lower is better, as are the next three */
    VALIDATE_BRIER,
    VALIDATE_RMSE,
    VALIDATE_MAE,
    VALIDATE_CONCORDANCE /* raw is a risk; higher is better */
};
const char *validate_metric_name(enum validate_metric metric); /* pr_auc, auc, logloss, ... */
int validate_metric_by_name(const char *name);                 /* -1: none */
bool validate_is_higher_better(enum validate_metric metric);
bool validate_metric_suits(enum validate_metric metric, enum model_task task);
/* pr_auc, rmse, concordance. */
enum validate_metric validate_default_metric(enum model_task task);

/* Fits candidate on the rows of fold->train and writes raw predictions of fold->test to
 * raw[fold->n_test]. Called from pool jobs: must only write to its own memory and raw. */
typedef enum ft_status (*validate_fit_fn)(void *ctx, size_t candidate, const struct fold *fold,
                                          struct pool *pool, double *raw, struct ft_err *err);

struct validate_plan {
    const struct folds *folds;
    size_t n_rows, n_candidates;
    validate_fit_fn fit;
    void *ctx;

    /* Truth of all rows, as in model_rows; metrics are weighted when weight is given. */
    const double *y;
    const bool *failed;
    const double *weight;
    enum validate_metric metric;

    /* Successive halving over folds: all candidates see fold 1; the better half of them (at least
     * one) goes on to fold 2, the better half of those to folds 3 and 4, and so on. */
    bool is_halving;
    size_t n_at_once; /* most jobs at the same time, for memory; 0 = as many as there are threads */

    bool (*is_stopped)(void);                       /* may be NULL; asked before each job */
    void (*on_done)(void *ctx, size_t n_jobs_done); /* may be NULL; from any thread */
    void *on_done_ctx;
};

struct validate_result {
    enum ft_status status; /* not FT_OK: the candidate failed in some fold and is out */
    char reason[256];
    size_t n_folds;      /* folds it saw; fewer than there are: it was dropped by halving */
    double *raw;         /* [n_rows] out of fold; NaN where a row is never held out */
    double *fold_metric; /* [folds->n]; NaN where undefined (one class only) or not seen */
    double mean, std;    /* over the folds where it is defined; std with n - 1 */
    double seconds;      /* of all its jobs, summed */
    size_t n_trees;      /* validate_note_trees(): mean over the folds it saw; else 0 */
};

/* Fills results[n_candidates] (caller's array; validate_results_free() in any case). FT_OK even
 * when some candidates failed, but not all: then their first reason. FT_INTERRUPTED, FT_NOMEM. */
enum ft_status validate_run(const struct validate_plan *plan, struct pool *pool,
                            struct validate_result *results, struct ft_err *err);
/* Metric of predictions raw[fold->n_test] of the held-out rows, NaN where it is undefined; uses
 * only truth and metric of the plan. FT_NOMEM. */
enum ft_status validate_fold_metric(const struct validate_plan *plan, const struct fold *fold,
                                    const double *raw, double *out, struct ft_err *err);

/* Jobs that validate_run() will do. */
size_t validate_n_jobs(const struct validate_plan *plan);
void validate_results_free(struct validate_result *results, size_t n);

/* The candidate with the best mean, the first of equals, among those that saw the most folds; those
 * without a mean lose. */
size_t validate_best(const struct validate_result *results, size_t n, enum validate_metric metric);
/* Is the candidate's mean within one standard error (std / sqrt(folds)) of that of best? */
bool validate_is_within_error(const struct validate_result *results, size_t candidate, size_t best,
                              enum validate_metric metric);

/* validate_fit_fn over models: ctx is a struct validate_models. */
struct validate_models {
    struct model_rows rows; /* all rows of the table */
    const struct model_spec *specs;
    const struct folds *folds;        /* those of the plan */
    const struct validate_bins *bins; /* NULL = each fit makes its own */
    const struct folds *stop;         /* of validate_stop_make(); NULL = no candidate stops early */
    size_t *n_trees;     /* [candidates * folds], receives trees of each fit; or NULL */
    struct model **kept; /* [candidates * folds], receives the models; or NULL */
};
enum ft_status validate_fit_model(void *ctx, size_t candidate, const struct fold *fold,
                                  struct pool *pool, double *raw, struct ft_err *err);
/* Fills n_trees of the results from models->n_trees. */
void validate_note_trees(const struct validate_models *models, size_t n_candidates,
                         struct validate_result *results);

/* Parts each fold's training rows into rows to grow trees on (train) and a tenth to stop early on
 * (test): whole groups, or without them rows with the ones spread evenly, or without groups but
 * with times the latest rows. No held-out row is in either part. FT_TOO_FEW: a fold trains on fewer
 * than two groups or ten rows. The caller ends *out with folds_free(). */
enum ft_status validate_stop_make(const struct folds *folds, const size_t *group,
                                  const double *time, const double *y01, uint64_t seed,
                                  struct folds *out, struct ft_err *err);

/* Codes of the trees among the candidates, per fold and number of bins, made of each fold's
 * training rows alone (those that grow trees); n_at_once as in the plan. models must outlive it.
 * FT_NOMEM. */
struct validate_bins;
enum ft_status validate_bins_make(const struct validate_models *models, size_t n_specs,
                                  size_t n_at_once, struct pool *pool, struct validate_bins **out,
                                  struct ft_err *err);
void validate_bins_free(struct validate_bins *bins); /* NULL is fine */

/* A copy of some rows of a table. */
struct validate_subset {
    double *x, *y, *entry, *weight;
    float *x32; /* instead of x where the table holds floats */
    bool *failed;
    struct model_rows rows;
};
/* Floats stay floats unless is_wide: then they become doubles, for models that need those.
 * FT_NOMEM; validate_subset_free() in any case. */
enum ft_status validate_subset_make(const struct model_rows *all, const uint32_t *row, size_t n,
                                    bool is_wide, struct validate_subset *out, struct ft_err *err);
void validate_subset_free(struct validate_subset *s);

/* Predictions of some rows: values of a regression, raw ones otherwise. */
enum ft_status validate_predict_rows(const struct model *m, const struct matrix *x,
                                     const uint32_t *row, size_t n, double *out,
                                     struct ft_err *err);

/* Fits on some rows only (copies them). */
enum ft_status validate_fit_rows(const struct model_spec *spec, const struct model_rows *rows,
                                 const uint32_t *row, size_t n, struct pool *pool,
                                 struct model **out, struct ft_err *err);

/* Gives a final model what follows from its out-of-fold predictions: a map of the kind (classify)
 * or a conformal band of the stated coverage (regress; group as in conformal_fit()). Rows with a
 * NaN in raw are left out. FT_OK with nothing attached when there are too few rows for it. */
enum ft_status validate_attach(struct model *m, const double *raw, const struct model_rows *rows,
                               const size_t *group, enum calibration_kind kind, double coverage,
                               struct ft_err *err);

#endif
