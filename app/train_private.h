/* Inside of a training run: shared by the train_*.c files. */
#ifndef APP_TRAIN_PRIVATE_H
#define APP_TRAIN_PRIVATE_H

#include "app/age_model.h"
#include "app/dataset.h"
#include "app/features.h"
#include "app/history.h"
#include "app/train_job.h"

enum { TRAIN_MAX_CANDIDATES = 4 };

/* A kind of model on a view of the sensors. */
struct train_candidate {
    enum model_kind kind;
    enum feature_view view;
    const char *name; /* "gbdt", "gbdt_health", ... */
};

/* Features of all rows in one view. */
struct train_view {
    struct feature_set *fs[TRAIN_MAX_FOLDS + 1]; /* [k] is the refit's; folds may share it */
    float *x[TRAIN_MAX_FOLDS + 1];
    bool is_shared; /* all folds use fs[k], x[k]: nothing in it was fitted */
};
enum { TRAIN_N_VIEWS = 2 };

/* One fit: a candidate of a component on all folds but one (fold k = on everything). */
struct train_cell {
    struct model *model; /* kept only for the refit */
    enum ft_status status;
    struct ft_err err;
    double seconds;
    double test_score; /* of the fold: PR-AUC or RMSE; NaN = none */
};

struct train_run {
    const struct train_options *o;
    struct history *h;
    struct pool *pool;
    bool (*is_interrupted)(void);
    train_progress progress;
    void *progress_ctx;
    size_t n_jobs, n_jobs_done; /* done under lock of __atomic */

    size_t *components; /* [n_components] HISTORY_NO_INDEX = the asset as a whole */
    size_t n_components;
    struct train_candidate candidates[TRAIN_MAX_CANDIDATES];
    size_t n_candidates;

    bool *is_training; /* [n_assets] */
    struct dataset d;
    double cap_units;
    double *y;            /* [n_components][d.n]; NaN = censored */
    double *weight;       /* [d.n] rul only, else NULL */
    size_t k;             /* folds */
    bool is_time_folds;   /* forward in time: too few assets for folds by asset */
    size_t *asset_fold;   /* [n_assets] */
    int64_t *block_start; /* [k + 2] time folds only: block b is [b, b + 1) */
    int64_t embargo_ms;
    struct train_view views[TRAIN_N_VIEWS]; /* by enum feature_view */

    struct age_model *ages;   /* [n_components][k + 1] */
    bool *has_age;            /* [n_components][k + 1] */
    double *base;             /* [n_components][d.n] out-of-fold answer of age alone */
    struct train_cell *cells; /* [n_components][n_candidates][k + 1] */
    double *oof;              /* [n_components][n_candidates][d.n] raw; NaN = not predicted */
    double *base_fold_score;  /* [n_components][k] */
    double parallel_s, total_s;
    double busy_s;
};

static inline struct train_cell *train_cell_at(const struct train_run *r, size_t c, size_t m,
                                               size_t f)
{
    return &r->cells[(c * r->n_candidates + m) * (r->k + 1) + f];
}
static inline double *train_oof_at(const struct train_run *r, size_t c, size_t m)
{
    return r->oof + (c * r->n_candidates + m) * r->d.n;
}

/* Feature set and matrix of candidate m in fold f (k = the refit). */
static inline const struct feature_set *train_features_of(const struct train_run *r, size_t m,
                                                          size_t f)
{
    const struct train_view *v = &r->views[r->candidates[m].view];
    return v->fs[v->is_shared ? r->k : f];
}
static inline const float *train_matrix_of(const struct train_run *r, size_t m, size_t f)
{
    const struct train_view *v = &r->views[r->candidates[m].view];
    return v->x[v->is_shared ? r->k : f];
}

/* Fold in which a row is tested; SIZE_MAX = in none. */
size_t train_fold_of(const struct train_run *r, size_t row);

/* Settings of a fit, its seed included. */
struct model_spec train_spec_of(const struct train_run *r, size_t c, size_t m, size_t f);

/* The rows on which candidate and baseline both answered out of fold. */
struct train_judged {
    size_t n;
    double *raw, *y, *base, *w; /* w: rul only, else all 1 */
    double *p;                  /* final answer: cross-fitted probability, or clipped life */
    size_t *asset;
    double base_pr_auc; /* of age alone as fitted, before calibrate_baseline() */
};

enum { TRAIN_CONFORMAL_BINS = 8 };

/* What else the out-of-fold answers j->p of a remaining life say, into cv (train_rul.c): the mean
 * PHM08 score of a forecast ("phm08_mean"), "coverage" of the interval and "failure_soon". Interval
 * and odds are fitted on four fifths of the assets and judged on the rest. */
enum ft_status train_rul_metrics(const struct train_judged *j, double cap_units, double coverage,
                                 cJSON *cv, struct ft_err *err);

/* FT_REFUSED names a sensor or attribute that knows the future (train_leaks.c, leak_guard.h). */
enum ft_status train_check_leaks(const struct train_run *r, struct ft_err *err);

/* Metrics, calibration, verdicts: fills result->models and report["components"]. */
enum ft_status train_judge(struct train_run *r, struct train_result *result, struct ft_err *err);

#endif
