#include "app/validate.h"

#include "app/base/clock.h"
#include "models/metrics.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- metrics ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    bool is_higher_better;
    enum model_task task;
} metrics[] = {
    [VALIDATE_PR_AUC] = {"pr_auc", true, TASK_CLASSIFY},
    [VALIDATE_ROC_AUC] = {"auc", true, TASK_CLASSIFY},
    [VALIDATE_LOG_LOSS] = {"logloss", false, TASK_CLASSIFY},
    [VALIDATE_BRIER] = {"brier", false, TASK_CLASSIFY},
    [VALIDATE_RMSE] = {"rmse", false, TASK_REGRESS},
    [VALIDATE_MAE] = {"mae", false, TASK_REGRESS},
    [VALIDATE_CONCORDANCE] = {"concordance", true, TASK_SURVIVAL},
};
enum { N_METRICS = sizeof(metrics) / sizeof(metrics[0]) };

const char *validate_metric_name(enum validate_metric metric)
{
    return metrics[metric].name;
}

int validate_metric_by_name(const char *name)
{
    for (int i = 0; i < N_METRICS; i++)
        if (strcmp(metrics[i].name, name) == 0)
            return i;
    return -1;
}

bool validate_is_higher_better(enum validate_metric metric)
{
    return metrics[metric].is_higher_better;
}

bool validate_metric_suits(enum validate_metric metric, enum model_task task)
{
    return metrics[metric].task == task;
}

enum validate_metric validate_default_metric(enum model_task task)
{
    return task == TASK_CLASSIFY  ? VALIDATE_PR_AUC
           : task == TASK_REGRESS ? VALIDATE_RMSE
                                  : VALIDATE_CONCORDANCE;
}

/* Truth and raw predictions of the rows of one fold, side by side. */
struct picked {
    double *raw, *y, *weight; /* weight NULL = all 1 */
    bool *failed;
    size_t n;
};

static double metric_of(enum validate_metric metric, struct picked *p)
{
    if (metric == VALIDATE_LOG_LOSS || metric == VALIDATE_BRIER)
        for (size_t i = 0; i < p->n; i++)
            p->raw[i] = 1 / (1 + exp(-p->raw[i]));
    switch (metric) {
    case VALIDATE_PR_AUC:
        return metric_pr_auc(p->raw, p->y, p->weight, p->n);
    case VALIDATE_ROC_AUC:
        return metric_roc_auc(p->raw, p->y, p->weight, p->n);
    case VALIDATE_LOG_LOSS:
        return metric_log_loss(p->raw, p->y, p->weight, p->n);
    case VALIDATE_BRIER:
        return metric_brier(p->raw, p->y, p->weight, p->n);
    case VALIDATE_RMSE:
        return metric_rmse(p->raw, p->y, p->weight, p->n);
    case VALIDATE_MAE:
        return metric_mae(p->raw, p->y, p->weight, p->n);
    case VALIDATE_CONCORDANCE:
        return metric_concordance(p->raw, p->y, p->failed, p->n);
    }
    return NAN;
}

static enum ft_status score_fold(const struct validate_plan *plan, const struct fold *fold,
                                 const double *raw, double *out, struct ft_err *err)
{
    const size_t n = fold->n_test;
    struct picked p = {.raw = calloc(n, sizeof(double)),
                       .y = calloc(n, sizeof(double)),
                       .weight = plan->weight != NULL ? calloc(n, sizeof(double)) : NULL,
                       .failed = calloc(n, sizeof(bool)),
                       .n = n};
    enum ft_status st = FT_OK;
    if (p.raw == NULL || p.y == NULL || p.failed == NULL ||
        (plan->weight != NULL && p.weight == NULL)) {
        st = ft_fail(err, FT_NOMEM, "validation: no memory for %zu rows", n);
    } else {
        for (size_t i = 0; i < n; i++) {
            p.raw[i] = raw[i];
            p.y[i] = plan->y[fold->test[i]];
            p.failed[i] = plan->failed != NULL && plan->failed[fold->test[i]];
            if (p.weight != NULL)
                p.weight[i] = plan->weight[fold->test[i]];
        }
        *out = metric_of(plan->metric, &p);
    }
    free(p.raw);
    free(p.y);
    free(p.weight);
    free(p.failed);
    return st;
}

/* --- jobs ------------------------------------------------------------------------------------- */

struct job {
    enum ft_status status;
    struct ft_err err;
    double seconds, metric;
};

struct run {
    const struct validate_plan *plan;
    struct pool *pool;
    struct validate_result *results;
    struct job *jobs; /* [n_candidates * folds] */
    atomic_size_t n_done;
};

/* Jobs go fold by fold within a candidate; each writes the places of its own held-out rows. */
static void run_job(void *ctx, size_t i)
{
    struct run *run = ctx;
    const struct validate_plan *plan = run->plan;
    const size_t candidate = i / plan->folds->n;
    const struct fold *fold = &plan->folds->fold[i % plan->folds->n];
    struct job *job = &run->jobs[i];
    const double start_s = clock_mono_s();
    job->metric = NAN;
    if (plan->is_stopped != NULL && plan->is_stopped()) {
        job->status = ft_fail(&job->err, FT_INTERRUPTED, "stopped");
        return;
    }
    double *raw = calloc(fold->n_test, sizeof(*raw));
    if (raw == NULL)
        job->status = ft_fail(&job->err, FT_NOMEM, "validation: no memory");
    else
        job->status = plan->fit(plan->ctx, candidate, fold, run->pool, raw, &job->err);
    if (job->status == FT_OK)
        job->status = score_fold(plan, fold, raw, &job->metric, &job->err);
    for (size_t k = 0; job->status == FT_OK && k < fold->n_test; k++)
        run->results[candidate].raw[fold->test[k]] = raw[k];
    free(raw);
    job->seconds = clock_mono_s() - start_s;
    const size_t n_done = atomic_fetch_add(&run->n_done, 1) + 1;
    if (plan->on_done != NULL)
        plan->on_done(plan->on_done_ctx, n_done);
}

static void reduce(const struct run *run, size_t candidate)
{
    const size_t n_folds = run->plan->folds->n;
    struct validate_result *r = &run->results[candidate];
    double sum = 0, squares = 0;
    size_t n = 0;
    for (size_t f = 0; f < n_folds; f++) {
        const struct job *job = &run->jobs[candidate * n_folds + f];
        r->seconds += job->seconds;
        r->fold_metric[f] = job->metric;
        if (job->status != FT_OK && r->status == FT_OK) {
            r->status = job->status;
            snprintf(r->reason, sizeof(r->reason), "fold %zu: %.200s", f + 1, job->err.msg);
        }
        if (!isnan(job->metric)) {
            sum += job->metric;
            n++;
        }
    }
    r->mean = n > 0 ? sum / (double)n : NAN;
    for (size_t f = 0; f < n_folds; f++)
        if (!isnan(r->fold_metric[f]))
            squares += (r->fold_metric[f] - r->mean) * (r->fold_metric[f] - r->mean);
    r->std = n > 1 ? sqrt(squares / (double)(n - 1)) : NAN;
}

static enum ft_status prepare_results(const struct validate_plan *plan,
                                      struct validate_result *results, struct ft_err *err)
{
    for (size_t c = 0; c < plan->n_candidates; c++)
        results[c] = (struct validate_result){.mean = NAN, .std = NAN};
    for (size_t c = 0; c < plan->n_candidates; c++) {
        results[c].raw = calloc(plan->n_rows, sizeof(double));
        results[c].fold_metric = calloc(plan->folds->n, sizeof(double));
        if (results[c].raw == NULL || results[c].fold_metric == NULL)
            return ft_fail(err, FT_NOMEM, "validation: no memory for %zu rows", plan->n_rows);
        for (size_t i = 0; i < plan->n_rows; i++)
            results[c].raw[i] = NAN;
    }
    return FT_OK;
}

/* What the whole run says: stopped or out of memory beats all; else one candidate must be well. */
static enum ft_status verdict(const struct run *run, struct ft_err *err)
{
    const size_t n = run->plan->n_candidates;
    bool is_any_well = false;
    for (size_t c = 0; c < n; c++) {
        const struct validate_result *r = &run->results[c];
        if (r->status == FT_INTERRUPTED || r->status == FT_NOMEM)
            return ft_fail(err, r->status, "%s", r->reason);
        is_any_well |= r->status == FT_OK;
    }
    if (!is_any_well && n > 0)
        return ft_fail(err, run->results[0].status, "%s", run->results[0].reason);
    return FT_OK;
}

enum ft_status validate_run(const struct validate_plan *plan, struct pool *pool,
                            struct validate_result *results, struct ft_err *err)
{
    const size_t n_jobs = plan->n_candidates * plan->folds->n;
    struct run run = {.plan = plan, .pool = pool, .results = results};
    enum ft_status st = prepare_results(plan, results, err);
    if (st != FT_OK)
        return st;
    run.jobs = calloc(n_jobs > 0 ? n_jobs : 1, sizeof(*run.jobs));
    if (run.jobs == NULL)
        return ft_fail(err, FT_NOMEM, "validation: no memory for %zu jobs", n_jobs);
    pool_run(pool, n_jobs, run_job, &run);
    for (size_t c = 0; c < plan->n_candidates; c++)
        reduce(&run, c);
    st = verdict(&run, err);
    free(run.jobs);
    return st;
}

void validate_results_free(struct validate_result *results, size_t n)
{
    for (size_t c = 0; c < n; c++) {
        free(results[c].raw);
        free(results[c].fold_metric);
        results[c] = (struct validate_result){0};
    }
}

size_t validate_best(const struct validate_result *results, size_t n, enum validate_metric metric)
{
    size_t best = 0;
    double best_value = NAN;
    for (size_t c = 0; c < n; c++) {
        if (results[c].status != FT_OK || isnan(results[c].mean))
            continue;
        const double value = validate_is_higher_better(metric) ? results[c].mean : -results[c].mean;
        if (isnan(best_value) || value > best_value) {
            best_value = value;
            best = c;
        }
    }
    return best;
}

/* --- plain models ----------------------------------------------------------------------------- */

/* A copy of some rows of a table. */
struct subset {
    double *x, *y, *entry, *weight;
    bool *failed;
    struct model_rows rows;
};

static void subset_free(struct subset *s)
{
    free(s->x);
    free(s->y);
    free(s->entry);
    free(s->weight);
    free(s->failed);
}

static enum ft_status subset_make(const struct model_rows *all, const uint32_t *row, size_t n,
                                  struct subset *s, struct ft_err *err)
{
    const size_t n_cols = all->x.n_cols;
    s->x = calloc(n, n_cols * sizeof(double));
    s->y = all->y != NULL ? calloc(n, sizeof(double)) : NULL;
    s->entry = all->entry != NULL ? calloc(n, sizeof(double)) : NULL;
    s->weight = all->weight != NULL ? calloc(n, sizeof(double)) : NULL;
    s->failed = all->failed != NULL ? calloc(n, sizeof(bool)) : NULL;
    if (s->x == NULL || (all->y != NULL && s->y == NULL) ||
        (all->entry != NULL && s->entry == NULL) || (all->weight != NULL && s->weight == NULL) ||
        (all->failed != NULL && s->failed == NULL))
        return ft_fail(err, FT_NOMEM, "no memory for %zu rows x %zu columns", n, n_cols);
    for (size_t i = 0; i < n; i++) {
        memcpy(s->x + i * n_cols, matrix_row(&all->x, row[i]), n_cols * sizeof(double));
        if (s->y != NULL)
            s->y[i] = all->y[row[i]];
        if (s->entry != NULL)
            s->entry[i] = all->entry[row[i]];
        if (s->weight != NULL)
            s->weight[i] = all->weight[row[i]];
        if (s->failed != NULL)
            s->failed[i] = all->failed[row[i]];
    }
    s->rows = (struct model_rows){.x = {s->x, n, n_cols, n_cols},
                                  .y = s->y,
                                  .failed = s->failed,
                                  .entry = s->entry,
                                  .weight = s->weight};
    return FT_OK;
}

enum ft_status validate_fit_rows(const struct model_spec *spec, const struct model_rows *rows,
                                 const uint32_t *row, size_t n, struct pool *pool,
                                 struct model **out, struct ft_err *err)
{
    struct subset s = {0};
    *out = NULL;
    enum ft_status st = subset_make(rows, row, n, &s, err);
    if (st == FT_OK)
        st = model_fit(spec, &s.rows, pool, out, err);
    subset_free(&s);
    return st;
}

enum ft_status validate_fit_model(void *ctx, size_t candidate, const struct fold *fold,
                                  struct pool *pool, double *raw, struct ft_err *err)
{
    const struct validate_models *v = ctx;
    const struct model_rows x_only = {.x = v->rows.x};
    struct subset test = {0};
    struct model *m = NULL;
    enum ft_status st = validate_fit_rows(&v->specs[candidate], &v->rows, fold->train,
                                          fold->n_train, pool, &m, err);
    if (st == FT_OK)
        st = subset_make(&x_only, fold->test, fold->n_test, &test, err);
    if (st == FT_OK)
        model_predict_raw(m, &test.rows.x, raw);
    subset_free(&test);
    model_free(m);
    return st;
}

/* --- what follows from out-of-fold predictions -------------------------------------------------
 */

enum { CONFORMAL_BINS = 5 };

static enum ft_status attach_known(struct model *m, const double *raw, const double *y,
                                   const double *weight, const size_t *group, size_t n,
                                   double coverage, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    if (model_task_of(m) == TASK_CLASSIFY) {
        struct calibration *c = NULL;
        st = calibration_fit(CALIBRATION_PLATT, raw, y, weight, n, &c, err);
        if (st == FT_OK)
            model_set_calibration(m, c);
    } else if (model_task_of(m) == TASK_REGRESS) {
        struct conformal *c = NULL;
        st = conformal_fit(raw, y, group, n, CONFORMAL_BINS, coverage, &c, err);
        if (st == FT_OK)
            model_set_conformal(m, c);
    }
    return st == FT_TOO_FEW ? FT_OK : st;
}

enum ft_status validate_attach(struct model *m, const double *raw, const struct model_rows *rows,
                               const size_t *group, double coverage, struct ft_err *err)
{
    const size_t n_rows = rows->x.n_rows;
    double *known = calloc(n_rows, 3 * sizeof(*known));
    size_t *units = calloc(n_rows, sizeof(*units));
    size_t n = 0;
    enum ft_status st = FT_OK;
    if (known == NULL || units == NULL) {
        st = ft_fail(err, FT_NOMEM, "calibration: no memory for %zu rows", n_rows);
    } else {
        double *y = known + n_rows, *weight = known + 2 * n_rows;
        for (size_t i = 0; i < n_rows; i++) {
            if (isnan(raw[i]))
                continue;
            known[n] = raw[i];
            y[n] = rows->y[i];
            weight[n] = rows->weight != NULL ? rows->weight[i] : 1;
            units[n++] = group != NULL ? group[i] : i;
        }
        st = attach_known(m, known, y, rows->weight != NULL ? weight : NULL,
                          group != NULL ? units : NULL, n, coverage, err);
    }
    free(known);
    free(units);
    return st;
}
