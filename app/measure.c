#include "app/measure.h"

#include "models/bootstrap.h"
#include "models/metrics.h"
#include "models/metrics_survival.h"

#include <math.h>
#include <stdlib.h>

enum { MIN_FAILURES = 10, N_BINS = 10 };

typedef double (*row_metric)(const double *a, const double *b, const double *weight, size_t n);

struct named_metric {
    const char *name;
    row_metric metric;
};

static const struct named_metric of_classes[] = {{"auc", metric_roc_auc},
                                                 {"pr_auc", metric_pr_auc},
                                                 {"logloss", metric_log_loss},
                                                 {"brier", metric_brier}};
static const struct named_metric of_values[] = {{"rmse", metric_rmse}, {"mae", metric_mae}};

/* --- intervals -------------------------------------------------------------------------------- */

struct intervals {
    const struct measure_rows *rows;
    struct measure_options options;
    struct pool *pool;
    cJSON *to; /* "intervals"; NULL = not wanted */
};

static enum ft_status add_interval(struct intervals *in, const char *name,
                                   double (*metric)(const void *ctx, const size_t *row, size_t n),
                                   const void *ctx, struct ft_err *err)
{
    struct bootstrap_result r;
    const struct bootstrap_problem problem = {.n_rows = in->rows->n,
                                              .group = in->rows->group,
                                              .metric = metric,
                                              .ctx = ctx,
                                              .n_repeats = in->options.n_repeats,
                                              .level = in->options.level,
                                              .seed = in->options.seed};
    if (in->to == NULL)
        return FT_OK;
    const enum ft_status st = bootstrap(&problem, in->pool, &r, err);
    if (st != FT_OK)
        return st;
    cJSON *limits = json_add_array(in->to, name);
    json_add_number(limits, NULL, r.lower);
    json_add_number(limits, NULL, r.upper);
    if (json_get(in->to, "groups") == NULL)
        json_add_int(in->to, "groups", (int64_t)r.n_groups);
    return FT_OK;
}

static enum ft_status add_metrics(const struct named_metric *list, size_t n_list,
                                  const struct measure_rows *rows, struct intervals *in,
                                  cJSON *metrics, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t k = 0; k < n_list && st == FT_OK; k++) {
        const struct bootstrap_rows ctx = {list[k].metric, rows->p, rows->y, NULL};
        json_add_number(metrics, list[k].name, list[k].metric(rows->p, rows->y, NULL, rows->n));
        st = add_interval(in, list[k].name, bootstrap_row_metric, &ctx, err);
    }
    return st;
}

/* --- classes ---------------------------------------------------------------------------------- */

static void add_calibration(const struct measure_rows *rows, cJSON *to)
{
    struct calibration_bin bins[N_BINS];
    const struct brier_parts b = metric_brier_parts(rows->p, rows->y, NULL, rows->n, N_BINS);
    cJSON *parts = json_add_object(to, "brier_parts");
    json_add_number(parts, "reliability", b.reliability);
    json_add_number(parts, "resolution", b.resolution);
    json_add_number(parts, "uncertainty", b.uncertainty);
    json_add_number(parts, "within", b.within);
    const size_t n = metric_calibration_table(rows->p, rows->y, NULL, rows->n, N_BINS, true, bins);
    cJSON *table = json_add_array(to, "calibration_table");
    for (size_t k = 0; k < n; k++) {
        cJSON *row = json_add_object(table, NULL);
        json_add_int(row, "rows", (int64_t)bins[k].n_rows);
        json_add_number(row, "predicted", bins[k].mean_p);
        json_add_number(row, "observed", bins[k].rate);
        json_add_number(row, "lower", bins[k].lower);
        json_add_number(row, "upper", bins[k].upper);
    }
}

/* --- lives ------------------------------------------------------------------------------------ */

/* Rows of a resample, side by side. */
struct lives {
    double *p, *y, *curve;
    bool *failed;
};

static void lives_free(struct lives *l)
{
    free(l->p);
    free(l->y);
    free(l->curve);
    free(l->failed);
}

static bool lives_pick(const struct measure_rows *rows, const size_t *row, size_t n,
                       struct lives *l)
{
    const size_t n_times = rows->n_times;
    *l = (struct lives){.p = calloc(n, sizeof(double)),
                        .y = calloc(n, sizeof(double)),
                        .curve = calloc(n * n_times + 1, sizeof(double)),
                        .failed = calloc(n, sizeof(bool))};
    if (l->p == NULL || l->y == NULL || l->curve == NULL || l->failed == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        l->p[i] = rows->p[row[i]];
        l->y[i] = rows->y[row[i]];
        l->failed[i] = rows->failed[row[i]];
        for (size_t k = 0; k < n_times; k++)
            l->curve[i * n_times + k] = rows->curve[row[i] * n_times + k];
    }
    return true;
}

enum life_metric { LIFE_CONCORDANCE, LIFE_CONCORDANCE_UNO, LIFE_BRIER, N_LIFE_METRICS };
static const char *const life_names[] = {"concordance", "concordance_uno", "brier_integrated"};

static double life_value(enum life_metric which, const double *p, const double *y,
                         const bool *failed, const double *curve, size_t n,
                         const struct measure_rows *rows)
{
    struct censoring *c = NULL;
    double value = NAN;
    if (which == LIFE_CONCORDANCE)
        return metric_concordance(p, y, failed, n);
    if (censoring_fit(y, failed, n, &c, NULL) != FT_OK)
        return NAN;
    if (which == LIFE_CONCORDANCE_UNO)
        value = metric_concordance_uno(
            p, y, failed, n, c, rows->n_times > 0 ? rows->times[rows->n_times - 1] : INFINITY);
    else
        value = metric_brier_integrated(curve, y, failed, n, c, rows->times, rows->n_times);
    censoring_free(c);
    return value;
}

struct life_ctx {
    const struct measure_rows *rows;
    enum life_metric which;
};

static double resampled_life(const void *ctx, const size_t *row, size_t n)
{
    const struct life_ctx *c = ctx;
    struct lives l;
    const double value = lives_pick(c->rows, row, n, &l)
                             ? life_value(c->which, l.p, l.y, l.failed, l.curve, n, c->rows)
                             : NAN;
    lives_free(&l);
    return value;
}

/* AUC and Brier score at each instant. */
static enum ft_status add_over_time(const struct measure_rows *rows, cJSON *to, struct ft_err *err)
{
    struct censoring *c = NULL;
    double *p = calloc(rows->n, sizeof(*p));
    enum ft_status st =
        p != NULL ? FT_OK : ft_fail(err, FT_NOMEM, "metrics: no memory for %zu rows", rows->n);
    if (st == FT_OK)
        st = censoring_fit(rows->y, rows->failed, rows->n, &c, err);
    cJSON *over = json_add_object(to, "over_time");
    cJSON *times = json_add_array(over, "times");
    cJSON *auc = json_add_array(over, "auc"), *brier = json_add_array(over, "brier");
    for (size_t k = 0; k < rows->n_times && st == FT_OK; k++) {
        const double t = rows->times[k];
        for (size_t i = 0; i < rows->n; i++)
            p[i] = rows->curve[i * rows->n_times + k];
        json_add_number(times, NULL, t);
        json_add_number(auc, NULL, metric_auc_at(p, rows->y, rows->failed, rows->n, c, t));
        json_add_number(brier, NULL, metric_brier_at(p, rows->y, rows->failed, rows->n, c, t));
    }
    censoring_free(c);
    free(p);
    return st;
}

static enum ft_status add_lives(const struct measure_rows *rows, struct intervals *in,
                                cJSON *metrics, cJSON *to, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < rows->n; i++)
        if (!(rows->y[i] > 0) || !isfinite(rows->y[i]))
            return ft_fail(err, FT_INVALID, "metrics, row %zu: time %g, expected above 0", i + 1,
                           rows->y[i]);
    for (int k = 0; k < N_LIFE_METRICS && st == FT_OK; k++) {
        const struct life_ctx ctx = {rows, (enum life_metric)k};
        if (k == LIFE_BRIER && rows->n_times == 0)
            continue;
        json_add_number(
            metrics, life_names[k],
            life_value(ctx.which, rows->p, rows->y, rows->failed, rows->curve, rows->n, rows));
        st = add_interval(in, life_names[k], resampled_life, &ctx, err);
    }
    return st == FT_OK && rows->n_times > 0 ? add_over_time(rows, to, err) : st;
}

static int by_value(const void *a, const void *b)
{
    const double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

size_t measure_times(const double *y, const bool *failed, size_t n, double *times)
{
    double *seen = calloc(n + 1, sizeof(*seen));
    size_t m = 0;
    for (size_t i = 0; seen != NULL && i < n; i++)
        if (failed[i])
            seen[m++] = y[i];
    if (m < MIN_FAILURES) {
        free(seen);
        return 0;
    }
    qsort(seen, m, sizeof(*seen), by_value);
    const double first = seen[m / 10], last = seen[m - 1 - m / 10];
    free(seen);
    for (size_t k = 0; k < MEASURE_N_TIMES; k++)
        times[k] = first + (last - first) * (double)k / (MEASURE_N_TIMES - 1);
    return last > first ? MEASURE_N_TIMES : 0;
}

/* --- all of it -------------------------------------------------------------------------------- */

/* Pinball loss of a resample. */
static double resampled_pinball(const void *ctx, const size_t *row, size_t n)
{
    const struct measure_rows *rows = ctx;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += metric_pinball(&rows->p[row[i]], &rows->y[row[i]], NULL, 1, rows->quantile);
    return sum / (double)n;
}

static enum ft_status add_values(const struct measure_rows *rows, struct intervals *in,
                                 cJSON *metrics, struct ft_err *err)
{
    const enum ft_status st = add_metrics(of_values, 2, rows, in, metrics, err);
    if (st != FT_OK || isnan(rows->quantile))
        return st;
    json_add_number(metrics, "pinball",
                    metric_pinball(rows->p, rows->y, NULL, rows->n, rows->quantile));
    return add_interval(in, "pinball", resampled_pinball, rows, err);
}

enum ft_status measure(const struct measure_rows *rows, const struct measure_options *options,
                       struct pool *pool, cJSON *to, struct ft_err *err)
{
    struct intervals in = {.rows = rows, .options = *options, .pool = pool};
    cJSON *metrics = json_add_object(to, "metrics");
    if (options->n_repeats == MEASURE_AUTO)
        in.options.n_repeats = rows->n > MEASURE_MANY_ROWS ? 0 : MEASURE_REPEATS;
    if (rows->n == 0)
        return FT_OK;
    if (in.options.n_repeats > 0) {
        in.to = json_add_object(to, "intervals");
        json_add_number(in.to, "level", in.options.level);
        json_add_int(in.to, "repeats", (int64_t)in.options.n_repeats);
    }
    if (rows->task == TASK_SURVIVAL)
        return rows->failed != NULL ? add_lives(rows, &in, metrics, to, err) : FT_OK;
    if (rows->task == TASK_REGRESS)
        return add_values(rows, &in, metrics, err);
    const enum ft_status st = add_metrics(of_classes, 4, rows, &in, metrics, err);
    if (st == FT_OK)
        add_calibration(rows, to);
    return st;
}
