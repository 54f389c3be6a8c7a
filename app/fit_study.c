#include "app/fit_study.h"

#include "app/fit_private.h"
#include "app/measure.h"
#include "models/conformal_survival.h"
#include "models/gbdt/gbdt.h"
#include "models/importance.h"
#include "models/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CONFORMAL_BINS = 5, SHUFFLES = 10 };

static const char *const calibration_names[] = {[CALIBRATION_NONE] = "none",
                                                [CALIBRATION_PLATT] = "platt",
                                                [CALIBRATION_ISOTONIC] = "isotonic",
                                                [CALIBRATION_BETA] = "beta"};
enum { N_CALIBRATIONS = 4 };

int fit_calibration_by_name(const char *name)
{
    for (int i = 0; i < N_CALIBRATIONS; i++)
        if (strcmp(calibration_names[i], name) == 0)
            return i;
    return strcmp(name, "best") == 0 ? FIT_CALIBRATION_BEST : -1;
}

const char *fit_calibration_name(int calibration)
{
    return calibration == FIT_CALIBRATION_BEST ? "best" : calibration_names[calibration];
}

/* The rows that some fold held out, side by side. */
struct study {
    const struct fit_request *q;
    struct fit_outcome *o;
    const struct folds *folds;
    struct model **kept;
    struct pool *pool;
    size_t n;
    size_t *row, *group, *fold; /* group: of the row, or the row itself */
    double *raw, *y, *p;
    bool *failed;
    double *scratch; /* [3 * n] */
    double times[MEASURE_N_TIMES];
    size_t n_times;
    double *curve; /* [n][n_times] */
};

static enum ft_status study_start(struct study *s, struct ft_err *err)
{
    const struct table *t = &s->o->table;
    const size_t n = t->x.n_rows;
    const double *raw = s->o->results[s->o->best].raw;
    s->row = calloc(n, 3 * sizeof(*s->row));
    s->raw = calloc(n, 6 * sizeof(*s->raw));
    s->failed = calloc(n, sizeof(*s->failed));
    if (s->row == NULL || s->raw == NULL || s->failed == NULL)
        return ft_fail(err, FT_NOMEM, "metrics: no memory for %zu rows", n);
    s->group = s->row + n;
    s->fold = s->row + 2 * n;
    s->y = s->raw + n;
    s->p = s->raw + 2 * n;
    s->scratch = s->raw + 3 * n;
    for (size_t i = 0; i < n; i++) {
        if (isnan(raw[i]) || s->o->fold_of[i] == 0)
            continue;
        s->row[s->n] = i;
        s->group[s->n] = t->group != NULL ? t->group[i] : i;
        s->fold[s->n] = (size_t)s->o->fold_of[i] - 1;
        s->raw[s->n] = s->p[s->n] = raw[i];
        s->failed[s->n] = t->failed != NULL && t->failed[i];
        s->y[s->n++] = t->y[i];
    }
    return FT_OK;
}

static void study_end(struct study *s)
{
    free(s->row);
    free(s->raw);
    free(s->failed);
    free(s->curve);
}

/* Moves the rows outside fold f together: values of a and b into out_a and out_b, groups into
 * out_group. */
static size_t rows_without(const struct study *s, size_t f, const double *a, double *out_a,
                           double *out_b, size_t *out_group)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->fold[i] == f)
            continue;
        out_a[n] = a[i];
        out_b[n] = s->y[i];
        if (out_group != NULL)
            out_group[n] = s->group[i];
        n++;
    }
    return n;
}

/* --- calibration ------------------------------------------------------------------------------ */

static double sigmoid(double v)
{
    return 1 / (1 + exp(-v));
}

/* Probabilities p[n]: each fold by the map of the others. Too few rows for a map: without one. */
static enum ft_status calibrate_across(const struct study *s, enum calibration_kind kind, double *p,
                                       struct ft_err *err)
{
    for (size_t i = 0; i < s->n; i++)
        p[i] = sigmoid(s->raw[i]);
    for (size_t f = 0; f < s->folds->n && kind != CALIBRATION_NONE; f++) {
        struct calibration *c = NULL;
        double *raw = s->scratch + s->n, *y = s->scratch + 2 * s->n;
        const size_t n = rows_without(s, f, s->raw, raw, y, NULL);
        const enum ft_status st = calibration_fit(kind, raw, y, NULL, n, &c, err);
        if (st == FT_TOO_FEW)
            continue;
        if (st != FT_OK)
            return st;
        for (size_t i = 0; i < s->n; i++)
            if (s->fold[i] == f)
                p[i] = calibration_apply(c, s->raw[i]);
        calibration_free(c);
    }
    return FT_OK;
}

/* The map that was asked for, or that with the least log loss. */
static enum ft_status study_calibration(struct study *s, struct ft_err *err)
{
    const int asked = s->q->calibration;
    double best = INFINITY;
    cJSON *out = json_add_object(s->o->study, "calibration");
    cJSON *tried = json_add_array(out, "tried");
    for (int kind = 0; kind < N_CALIBRATIONS; kind++) {
        double *p = s->scratch;
        if (asked != FIT_CALIBRATION_BEST && kind != asked && kind != CALIBRATION_NONE)
            continue;
        const enum ft_status st = calibrate_across(s, (enum calibration_kind)kind, p, err);
        if (st != FT_OK)
            return st;
        const double loss = metric_log_loss(p, s->y, NULL, s->n);
        cJSON *row = json_add_object(tried, NULL);
        json_add_string(row, "kind", calibration_names[kind]);
        json_add_number(row, "logloss", loss);
        json_add_number(row, "brier", metric_brier(p, s->y, NULL, s->n));
        json_add_number(row, "calibration_error", metric_calibration_error(p, s->y, s->n, 10));
        if (asked == FIT_CALIBRATION_BEST ? loss < best : kind == asked) {
            best = loss;
            s->o->calibration = (enum calibration_kind)kind;
            memcpy(s->p, p, s->n * sizeof(*p));
        }
    }
    json_add_string(out, "kind", calibration_names[s->o->calibration]);
    return FT_OK;
}

/* --- intervals of a regression ---------------------------------------------------------------- */

static void add_coverage(cJSON *to, const struct coverage *c)
{
    json_add_number(to, "observed", c->observed);
    json_add_number(to, "observed_lower", c->lower);
    json_add_number(to, "observed_upper", c->upper);
    json_add_number(to, "below", c->below);
    json_add_number(to, "above", c->above);
    json_add_number(to, "mean_width", c->mean_width);
}

/* Split-conformal bands of the other folds on each fold. */
static enum ft_status study_band(struct study *s, cJSON *out, struct ft_err *err)
{
    const bool has_groups = s->o->table.group != NULL;
    double *lower = s->scratch, *upper = s->p;
    double *a = s->scratch + s->n, *b = s->scratch + 2 * s->n;
    size_t *group = calloc(s->n + 1, sizeof(*group));
    enum ft_status st =
        group != NULL ? FT_OK : ft_fail(err, FT_NOMEM, "intervals: no memory for %zu rows", s->n);
    for (size_t f = 0; f < s->folds->n && st == FT_OK; f++) {
        struct conformal *c = NULL;
        const size_t n = rows_without(s, f, s->raw, a, b, group);
        st = conformal_fit(a, b, has_groups ? group : NULL, n, CONFORMAL_BINS, s->q->coverage, &c,
                           err);
        for (size_t i = 0; i < s->n && st == FT_OK; i++)
            if (s->fold[i] == f)
                conformal_interval(c, s->raw[i], &lower[i], &upper[i]);
        conformal_free(c);
    }
    free(group);
    if (st == FT_OK) {
        const struct coverage c = coverage_observed(lower, upper, s->y, NULL, s->n);
        add_coverage(out, &c);
    }
    return st == FT_TOO_FEW ? FT_OK : st;
}

static enum ft_status study_cross(struct study *s, struct ft_err *err)
{
    const size_t k = s->folds->n;
    const enum ft_status st =
        conformal_cross_fit(s->raw, s->y, s->fold, s->n, k, s->q->coverage, &s->o->cross, err);
    if (st != FT_OK)
        return st;
    s->o->cross_models = calloc(k, sizeof(struct model *));
    if (s->o->cross_models == NULL)
        return ft_fail(err, FT_NOMEM, "intervals: no memory");
    for (size_t f = 0; f < k; f++) {
        s->o->cross_models[f] = s->kept[f];
        s->kept[f] = NULL;
    }
    return FT_OK;
}

static enum ft_status study_intervals(struct study *s, struct ft_err *err)
{
    cJSON *out = json_add_object(s->o->study, "interval");
    json_add_string(out, "kind", s->q->is_cross ? "cv+" : "split");
    json_add_number(out, "stated", s->q->coverage);
    if (s->q->is_cross)
        return study_cross(s, err);
    const enum ft_status st = study_band(s, out, err);
    for (size_t i = 0; i < s->n; i++) /* it held limits */
        s->p[i] = s->raw[i];
    return st;
}

/* --- lives ------------------------------------------------------------------------------------ */

static void curve_of_row(void *ctx, size_t begin, size_t end)
{
    const struct study *s = ctx;
    const struct matrix *x = &s->o->table.x;
    double *wide = calloc(x->n_cols, sizeof(*wide));
    for (size_t i = begin; i < end; i++) {
        const struct model *m = s->kept[s->fold[i]];
        const double *row = wide != NULL ? matrix_row_wide(x, s->row[i], wide) : NULL;
        for (size_t k = 0; k < s->n_times; k++)
            s->curve[i * s->n_times + k] =
                row != NULL ? model_failure_probability(m, row, 0, s->times[k]) : NAN;
        s->p[i] = row != NULL ? model_failure_probability(m, row, 0, s->y[i]) : NAN;
    }
    free(wide);
}

/* Bands of the rank that a life has in its own curve, and their coverage across folds. */
static enum ft_status study_lives(struct study *s, struct ft_err *err)
{
    const bool has_groups = s->o->table.group != NULL;
    struct censoring *c = NULL;
    double *weight = s->scratch, *lower = s->scratch + s->n, *upper = s->scratch + 2 * s->n;
    cJSON *out = json_add_object(s->o->study, "interval");
    json_add_string(out, "kind", "survival");
    json_add_number(out, "stated", s->q->coverage);
    enum ft_status st = censoring_fit(s->y, s->failed, s->n, &c, err);
    if (st == FT_OK)
        st = conformal_survival_fit(s->p, s->y, s->failed, has_groups ? s->group : NULL, s->n, c,
                                    s->q->coverage, &s->o->band, err);
    s->o->has_band = st == FT_OK;
    if (st == FT_OK) {
        /* Three numbers of all rows: one fold moves them little, so they are judged in place. */
        censoring_weights(c, s->y, s->failed, s->n, weight);
        for (size_t i = 0; i < s->n; i++) {
            lower[i] = s->o->band.lower;
            upper[i] = s->o->band.upper;
            s->o->longest = fmax(s->o->longest, s->y[i]);
        }
        const struct coverage got = coverage_observed(lower, upper, s->p, weight, s->n);
        json_add_number(out, "observed", got.observed);
        json_add_number(out, "observed_lower", got.lower);
        json_add_number(out, "observed_upper", got.upper);
        json_add_number(out, "lower_rank", s->o->band.lower);
        json_add_number(out, "upper_rank", s->o->band.upper);
        json_add_number(out, "floor_rank", s->o->band.floor);
    }
    censoring_free(c);
    return st == FT_TOO_FEW ? FT_OK : st;
}

static enum ft_status study_curves(struct study *s, struct ft_err *err)
{
    enum { BLOCK_ROWS = 256 };
    double times[MEASURE_N_TIMES] = {0};
    s->n_times = measure_times(s->y, s->failed, s->n, times);
    memcpy(s->times, times, sizeof(times));
    s->curve = calloc(s->n * s->n_times + 1, sizeof(*s->curve));
    if (s->curve == NULL)
        return ft_fail(err, FT_NOMEM, "metrics: no memory for %zu rows", s->n);
    pool_run_blocks(s->pool, s->n, BLOCK_ROWS, curve_of_row, s);
    const enum ft_status st = study_lives(s, err);
    for (size_t i = 0; i < s->n; i++) /* it held ranks */
        s->p[i] = s->raw[i];
    return st;
}

/* --- permutation importance ------------------------------------------------------------------- */

struct fold_metric {
    struct validate_plan plan;
    const struct fold *fold;
};

static void predict_fold(const void *model, const struct matrix *x, double *out)
{
    if (model_task_of(model) == TASK_REGRESS)
        model_predict(model, x, out);
    else
        model_predict_raw(model, x, out);
}

static double metric_of_fold(const void *ctx, const double *prediction)
{
    const struct fold_metric *m = ctx;
    double value = NAN;
    (void)validate_fold_metric(&m->plan, m->fold, prediction, &value, NULL);
    return value;
}

/* Adds one fold's changes to sum[n_cols] and squares[n_cols], weighted by its rows. */
static enum ft_status shuffle_fold(const struct study *s, size_t f, double *change, double *sum,
                                   double *squares, double *weight, struct ft_err *err)
{
    const struct fold *fold = &s->folds->fold[f];
    const struct model_rows all = fit_rows_of(&s->o->table);
    const size_t n_folds = s->folds->n;
    const struct fold_metric metric = {
        .plan = {.y = all.y, .failed = all.failed, .metric = s->o->metric}, .fold = fold};
    struct validate_subset rows = {0};
    double base = NAN;
    enum ft_status st = validate_subset_make(&all, fold->test, fold->n_test, false, &rows, err);
    const struct importance_problem problem = {.x = &rows.rows.x,
                                               .predict = predict_fold,
                                               .model = s->kept[f],
                                               .metric = metric_of_fold,
                                               .metric_ctx = &metric,
                                               .n_repeats = (SHUFFLES + n_folds - 1) / n_folds,
                                               .seed = s->q->seed + f};
    if (st == FT_OK)
        st = importance_by_permutation(&problem, s->pool, &base, change, NULL, err);
    validate_subset_free(&rows);
    if (st != FT_OK || isnan(base))
        return st;
    const double sign = validate_is_higher_better(s->o->metric) ? -1 : 1;
    const double w = (double)fold->n_test;
    *weight += w;
    for (size_t j = 0; j < s->o->table.x.n_cols; j++) {
        sum[j] += w * sign * change[j];
        squares[j] += w * change[j] * change[j];
    }
    return FT_OK;
}

struct ranked {
    double mean, std;
    size_t column;
};

static int by_mean(const void *a, const void *b)
{
    const struct ranked *p = a, *q = b;
    if (p->mean != q->mean)
        return p->mean > q->mean ? -1 : 1;
    return p->column < q->column ? -1 : 1;
}

static enum ft_status study_importance(struct study *s, struct ft_err *err)
{
    const struct table *t = &s->o->table;
    const size_t n_cols = t->x.n_cols;
    double *sum = calloc(n_cols, 3 * sizeof(*sum));
    struct ranked *ranked = calloc(n_cols, sizeof(*ranked));
    double weight = 0;
    enum ft_status st =
        sum != NULL && ranked != NULL ? FT_OK : ft_fail(err, FT_NOMEM, "importance: no memory");
    for (size_t f = 0; f < s->folds->n && st == FT_OK; f++)
        st = shuffle_fold(s, f, sum + 2 * n_cols, sum, sum + n_cols, &weight, err);
    if (st == FT_OK && weight > 0) {
        for (size_t j = 0; j < n_cols; j++) {
            const double mean = sum[j] / weight;
            ranked[j] =
                (struct ranked){mean, sqrt(fmax(0, sum[n_cols + j] / weight - mean * mean)), j};
        }
        qsort(ranked, n_cols, sizeof(*ranked), by_mean);
        cJSON *list = json_add_array(s->o->study, "importance");
        for (size_t j = 0; j < n_cols; j++) {
            cJSON *row = json_add_object(list, NULL);
            json_add_string(row, "column", t->schema.features[ranked[j].column].name);
            json_add_number(row, "mean", ranked[j].mean);
            json_add_number(row, "std", ranked[j].std);
        }
    }
    free(sum);
    free(ranked);
    return st;
}

/* --- all of it -------------------------------------------------------------------------------- */

bool fit_study_keeps(const struct fit_request *q, enum model_task task)
{
    return task == TASK_SURVIVAL || q->is_importance || (q->is_cross && task == TASK_REGRESS);
}

static enum ft_status study_measure(struct study *s, struct ft_err *err)
{
    const struct model_spec *spec = &s->o->specs.items[s->o->best];
    const struct measure_rows rows = {.task = s->o->task,
                                      .n = s->n,
                                      .p = s->p,
                                      .y = s->y,
                                      .failed = s->o->table.failed != NULL ? s->failed : NULL,
                                      .group = s->group,
                                      .quantile =
                                          spec->objective == GBDT_QUANTILE ? spec->quantile : NAN,
                                      .times = s->times,
                                      .curve = s->curve,
                                      .n_times = s->n_times};
    const struct measure_options options = {
        .n_repeats = s->q->n_bootstrap, .level = 0.95, .seed = s->q->seed};
    cJSON *oof = json_add_object(s->o->study, "oof");
    json_add_int(oof, "rows", (int64_t)s->n);
    return measure(&rows, &options, s->pool, oof, err);
}

enum ft_status fit_study(const struct fit_request *q, struct fit_outcome *o,
                         const struct folds *folds, struct model **kept, struct pool *pool,
                         struct ft_err *err)
{
    struct study s = {.q = q, .o = o, .folds = folds, .kept = kept, .pool = pool};
    o->study = cJSON_CreateObject();
    enum ft_status st = study_start(&s, err);
    if (st == FT_OK && o->task == TASK_CLASSIFY)
        st = study_calibration(&s, err);
    if (st == FT_OK && o->task == TASK_SURVIVAL)
        st = study_curves(&s, err);
    if (st == FT_OK && q->is_importance)
        st = study_importance(&s, err);
    if (st == FT_OK && o->task == TASK_REGRESS)
        st = study_intervals(&s, err);
    if (st == FT_OK)
        st = study_measure(&s, err);
    study_end(&s);
    return st;
}

/* --- what the final model gets ---------------------------------------------------------------- */

static enum ft_status attach_band(struct fit_outcome *o, struct ft_err *err)
{
    cJSON *band = cJSON_CreateObject();
    json_add_number(band, "coverage", o->band.coverage);
    json_add_number(band, "lower", o->band.lower);
    json_add_number(band, "upper", o->band.upper);
    json_add_number(band, "floor", o->band.floor);
    json_add_number(band, "longest", o->longest);
    char *text = json_print(band, false);
    const enum ft_status st = text != NULL ? model_set_text(o->model, "survival_band", text, err)
                                           : ft_fail(err, FT_NOMEM, "interval: no memory");
    cJSON_free(text);
    cJSON_Delete(band);
    return st;
}

enum ft_status fit_study_attach(const struct fit_request *q, struct fit_outcome *o,
                                struct ft_err *err)
{
    const struct model_rows rows = fit_rows_of(&o->table);
    if (o->results == NULL)
        return FT_OK;
    if (o->has_band)
        return attach_band(o, err);
    if (o->cross != NULL) {
        model_set_cross(o->model, o->cross, o->cross_models, o->n_folds);
        o->cross = NULL;
        o->cross_models = NULL;
        return FT_OK;
    }
    return validate_attach(o->model, o->results[o->best].raw, &rows, o->table.group, o->calibration,
                           q->coverage, err);
}
