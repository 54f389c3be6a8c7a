#include "models/gbdt/survival.h"

#include "models/gbdt/forest.h"
#include "models/gbdt/objective.h"
#include "models/standard_law.h"
#include "models/text_io.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INTERVALS = 255, MAX_TIMES = 100000000 };

struct survival_trees {
    size_t n_cols; /* of the caller's rows */
    struct gbdt *forest;
    size_t n_times;
    double *time;        /* Cox: [n_times] failure times; hazard: ends of the intervals; rising */
    double *cumulative;  /* Cox: [n_times] baseline hazard up to the time */
    double shift, scale; /* AFT: log time = score + shift + scale * error */
};

static bool is_hazard(const struct survival_trees *m)
{
    return m->forest->objective == GBDT_LOGISTIC;
}

static enum standard_law law_of(enum gbdt_objective objective)
{
    return objective == GBDT_AFT_WEIBULL     ? LAW_EXTREME
           : objective == GBDT_AFT_LOGNORMAL ? LAW_NORMAL
                                             : LAW_LOGISTIC;
}

/* --- the long table of the discrete-time hazard ----------------------------------------------- */

static bool has_failed(const struct gbdt_labels *l, size_t i)
{
    return l->failed == NULL || l->failed[i];
}

static enum ft_status check_labels(const struct gbdt_labels *l, size_t n, size_t *n_failures,
                                   struct ft_err *err)
{
    *n_failures = 0;
    for (size_t i = 0; i < n; i++) {
        const double entry = l->entry != NULL ? l->entry[i] : 0;
        if (!(l->y[i] > 0) || !isfinite(l->y[i]))
            return ft_fail(err, FT_INVALID, "row %zu: time %g, expected a number above 0", i,
                           l->y[i]);
        if (!(entry >= 0 && entry < l->y[i]))
            return ft_fail(err, FT_INVALID, "row %zu: entry %g, expected 0 <= entry < time %g", i,
                           entry, l->y[i]);
        *n_failures += has_failed(l, i);
    }
    if (*n_failures == 0)
        return ft_fail(err, FT_TOO_FEW, "trees: no failures among %zu rows", n);
    return FT_OK;
}

static int by_value(const void *a, const void *b)
{
    const double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* Ends of the intervals: quantiles of the failure times, the last one the greatest. */
static enum ft_status make_intervals(struct survival_trees *m, const struct gbdt_labels *l,
                                     size_t n, size_t n_intervals, struct ft_err *err)
{
    size_t n_failures = 0, k = 0;
    const enum ft_status st = check_labels(l, n, &n_failures, err);
    if (st != FT_OK)
        return st;
    double *failure = calloc(n_failures, sizeof(*failure));
    m->time = calloc(n_intervals, sizeof(*m->time));
    if (failure == NULL || m->time == NULL) {
        free(failure);
        return ft_fail(err, FT_NOMEM, "trees: no memory for %zu failures", n_failures);
    }
    for (size_t i = 0; i < n; i++)
        if (has_failed(l, i))
            failure[k++] = l->y[i];
    qsort(failure, n_failures, sizeof(*failure), by_value);
    for (size_t b = 1; b <= n_intervals; b++) {
        const double end = failure[(b * n_failures + n_intervals - 1) / n_intervals - 1];
        if (m->n_times == 0 || end > m->time[m->n_times - 1])
            m->time[m->n_times++] = end;
    }
    free(failure);
    return FT_OK;
}

struct long_table {
    double *x, *y, *weight; /* x[n][n_cols + 1] */
    size_t n;
};

/* The interval rows of row i; only counted when table->x is NULL. */
static void add_intervals(const struct survival_trees *m, const struct matrix *x,
                          const struct gbdt_labels *l, size_t i, struct long_table *table)
{
    const double entry = l->entry != NULL ? l->entry[i] : 0, end = l->y[i];
    for (size_t k = 0; k < m->n_times; k++) {
        const double from = k > 0 ? m->time[k - 1] : 0, to = m->time[k];
        const double watched = fmin(end, to) - fmax(entry, from);
        if (!(watched > 0))
            continue;
        if (table->x != NULL) {
            const bool failed = has_failed(l, i) && end <= to;
            double *row = table->x + table->n * (m->n_cols + 1);
            memcpy(row, matrix_row(x, i), m->n_cols * sizeof(*row));
            row[m->n_cols] = (double)k;
            table->y[table->n] = failed;
            table->weight[table->n] =
                (l->weight != NULL ? l->weight[i] : 1) * (failed ? 1 : watched / (to - from));
        }
        table->n++;
    }
}

static enum ft_status fit_hazard(struct survival_trees *m, const struct matrix *x,
                                 const struct gbdt_labels *labels, const struct gbdt_params *params,
                                 size_t n_intervals, struct pool *pool, struct ft_err *err)
{
    struct long_table table = {0};
    enum ft_status st = make_intervals(m, labels, x->n_rows, n_intervals, err);
    if (st != FT_OK)
        return st;
    for (size_t i = 0; i < x->n_rows; i++)
        add_intervals(m, x, labels, i, &table);
    const size_t n = table.n, width = m->n_cols + 1;
    table.n = 0;
    table.x = calloc(n, width * sizeof(double));
    table.y = calloc(n, sizeof(double));
    table.weight = calloc(n, sizeof(double));
    if (table.x == NULL || table.y == NULL || table.weight == NULL) {
        st = ft_fail(err, FT_NOMEM, "trees: no memory for %zu rows and intervals", n);
    } else {
        const struct matrix view = {.data = table.x, .n_rows = n, .n_cols = width, .stride = width};
        for (size_t i = 0; i < x->n_rows; i++)
            add_intervals(m, x, labels, i, &table);
        st = gbdt_fit(&view, table.y, table.weight, params, pool, &m->forest, err);
    }
    free(table.x);
    free(table.y);
    free(table.weight);
    return st;
}

/* --- fit -------------------------------------------------------------------------------------- */

static enum ft_status learn_times(struct survival_trees *m, const struct targets *t,
                                  const double *score, struct pool *pool, struct ft_err *err)
{
    if (t->objective != GBDT_COX)
        return objective_aft_refit(t, score, &m->shift, &m->scale, err);
    m->n_times = objective_cox_n_times(t);
    m->time = calloc(m->n_times, sizeof(*m->time));
    m->cumulative = calloc(m->n_times, sizeof(*m->cumulative));
    if (m->time == NULL || m->cumulative == NULL)
        return ft_fail(err, FT_NOMEM, "trees: no memory for %zu times", m->n_times);
    objective_cox_baseline(t, score, m->time, m->cumulative, pool);
    return FT_OK;
}

static enum ft_status learn_baseline(struct survival_trees *m, const struct matrix *x,
                                     const struct gbdt_labels *labels, struct pool *pool,
                                     struct ft_err *err)
{
    struct targets t = {.objective = m->forest->objective,
                        .labels = *labels,
                        .n_rows = x->n_rows,
                        .parameter = m->forest->parameter};
    double base, *score = calloc(x->n_rows, sizeof(*score));
    enum ft_status st = score == NULL
                            ? ft_fail(err, FT_NOMEM, "trees: no memory for %zu rows", x->n_rows)
                            : objective_start(&t, &base, err);
    if (st == FT_OK) {
        gbdt_predict(m->forest, x, score);
        st = learn_times(m, &t, score, pool, err);
    }
    objective_end(&t);
    free(score);
    return st;
}

enum ft_status survival_trees_fit(const struct matrix *x, const struct gbdt_labels *labels,
                                  const struct gbdt_params *params, size_t n_intervals,
                                  struct pool *pool, struct survival_trees **out,
                                  struct ft_err *err)
{
    enum ft_status st;
    *out = NULL;
    if (params->objective != GBDT_LOGISTIC && params->objective < GBDT_COX)
        return ft_fail(err, FT_INVALID, "trees: objective %s is not one of lives",
                       gbdt_objective_name(params->objective));
    if (params->objective == GBDT_LOGISTIC && (n_intervals == 0 || n_intervals > MAX_INTERVALS))
        return ft_fail(err, FT_INVALID, "trees: %zu intervals, expected 1 to %d", n_intervals,
                       MAX_INTERVALS);
    struct survival_trees *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return ft_fail(err, FT_NOMEM, "trees: no memory");
    m->n_cols = x->n_cols;
    if (params->objective == GBDT_LOGISTIC) {
        st = fit_hazard(m, x, labels, params, n_intervals, pool, err);
    } else {
        st = gbdt_fit_labels(x, labels, params, pool, &m->forest, err);
        if (st == FT_OK)
            st = learn_baseline(m, x, labels, pool, err);
    }
    if (st == FT_OK) {
        *out = m;
        m = NULL;
    }
    survival_trees_free(m);
    return st;
}

/* --- prediction ------------------------------------------------------------------------------- */

static double score_of(const struct survival_trees *m, const double *row)
{
    double score;
    const struct matrix one = {.data = row, .n_rows = 1, .n_cols = m->n_cols, .stride = m->n_cols};
    gbdt_predict(m->forest, &one, &score);
    return score;
}

/* Log-odds of the row in each interval, out[n_times]; without memory NaN. */
static void interval_scores(const struct survival_trees *m, const double *row, double *out)
{
    const size_t width = m->n_cols + 1;
    double *rows = calloc(m->n_times, width * sizeof(*rows));
    for (size_t k = 0; k < m->n_times; k++) {
        out[k] = NAN;
        if (rows == NULL)
            continue;
        memcpy(rows + k * width, row, m->n_cols * sizeof(*rows));
        rows[k * width + m->n_cols] = (double)k;
    }
    const struct matrix view = {
        .data = rows, .n_rows = m->n_times, .n_cols = width, .stride = width};
    if (rows != NULL)
        gbdt_predict(m->forest, &view, out);
    free(rows);
}

/* Of a row with score 0. */
static double log_median(const struct survival_trees *m)
{
    return m->shift + m->scale * law_quantile(law_of(m->forest->objective), 0.5);
}

void survival_trees_predict(const struct survival_trees *m, const struct matrix *x, double *out)
{
    if (!is_hazard(m)) {
        const bool is_aft = m->forest->objective != GBDT_COX;
        gbdt_predict(m->forest, x, out);
        for (size_t i = 0; is_aft && i < x->n_rows; i++)
            out[i] = -(out[i] + log_median(m));
        return;
    }
    for (size_t i = 0; i < x->n_rows; i++) {
        double score[MAX_INTERVALS], sum = 0;
        interval_scores(m, matrix_row(x, i), score);
        for (size_t k = 0; k < m->n_times; k++)
            sum += score[k];
        out[i] = sum / (double)m->n_times;
    }
}

static double baseline_at(const struct survival_trees *m, double t)
{
    size_t low = 0, high = m->n_times;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (m->time[middle] <= t)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? m->cumulative[low - 1] : 0;
}

/* -log of the share that outlives from..to by the interval hazards, each spread evenly. */
static double hazard_between(const struct survival_trees *m, const double *row, double from,
                             double to)
{
    double score[MAX_INTERVALS], sum = 0;
    interval_scores(m, row, score);
    for (size_t k = 0; k < m->n_times; k++) {
        const double begin = k > 0 ? m->time[k - 1] : 0, end = m->time[k];
        const double last = k + 1 == m->n_times ? INFINITY : end;
        const double passed = fmin(to, last) - fmax(from, begin);
        if (passed > 0) /* -log(1 - p) = log(1 + exp(score)) */
            sum += passed / (end - begin) *
                   (score[k] > 0 ? score[k] + log1p(exp(-score[k])) : log1p(exp(score[k])));
    }
    return sum;
}

double survival_trees_probability(const struct survival_trees *m, const double *row, double age,
                                  double t)
{
    const double from = fmax(age, 0), to = from + t;
    if (!(t > 0))
        return 0;
    if (is_hazard(m))
        return -expm1(-hazard_between(m, row, from, to));
    const double score = score_of(m, row);
    if (m->forest->objective == GBDT_COX) {
        const double step = baseline_at(m, to) - baseline_at(m, from);
        return step > 0 ? -expm1(-step * exp(score)) : 0;
    }
    const enum standard_law law = law_of(m->forest->objective);
    const double at = score + m->shift;
    const double low = from > 0 ? (log(from) - at) / m->scale : -INFINITY;
    return -expm1(law_log_survival(law, (log(to) - at) / m->scale, NULL) -
                  law_log_survival(law, low, NULL));
}

/* Mean over the intervals; the interval's own contribution joins the base. */
static enum ft_status hazard_contributions(const struct survival_trees *m, const double *row,
                                           double *out, struct ft_err *err)
{
    const size_t width = m->n_cols + 1;
    double *at = calloc(2 * width + 1, sizeof(*at));
    enum ft_status st = FT_OK;
    if (at == NULL)
        return ft_fail(err, FT_NOMEM, "contributions: no memory for %zu columns", m->n_cols);
    double *part = at + width; /* [width + 1] */
    memcpy(at, row, m->n_cols * sizeof(*at));
    memset(out, 0, width * sizeof(*out));
    for (size_t k = 0; k < m->n_times && st == FT_OK; k++) {
        at[m->n_cols] = (double)k;
        st = gbdt_contributions(m->forest, at, part, err);
        part[m->n_cols] += part[width];
        for (size_t j = 0; j < width; j++)
            out[j] += part[j] / (double)m->n_times;
    }
    free(at);
    return st;
}

enum ft_status survival_trees_contributions(const struct survival_trees *m, const double *row,
                                            double *out, struct ft_err *err)
{
    if (is_hazard(m))
        return hazard_contributions(m, row, out, err);
    const enum ft_status st = gbdt_contributions(m->forest, row, out, err);
    if (st != FT_OK || m->forest->objective == GBDT_COX)
        return st;
    out[m->n_cols] = out[m->n_cols] + log_median(m);
    for (size_t j = 0; j <= m->n_cols; j++)
        out[j] = -out[j];
    return FT_OK;
}

size_t survival_trees_n_cols(const struct survival_trees *m)
{
    return m->n_cols;
}

const struct gbdt *survival_trees_forest(const struct survival_trees *m)
{
    return m->forest;
}

/* --- text ------------------------------------------------------------------------------------- */

void survival_trees_write(const struct survival_trees *m, struct buf *out)
{
    text_put_size(out, "survival_trees", 1);
    text_put_size(out, "columns", m->n_cols);
    text_put_number(out, "shift", m->shift);
    text_put_number(out, "scale", m->scale);
    text_put_size(out, "n_times", m->n_times);
    text_put_array(out, "time", m->time, m->n_times);
    text_put_array(out, "cumulative", m->cumulative, m->cumulative != NULL ? m->n_times : 0);
    gbdt_write(m->forest, out);
}

static enum ft_status read_times(struct survival_trees *m, struct text_reader *r,
                                 struct ft_err *err)
{
    size_t version = 0;
    enum ft_status st = text_get_size(r, "survival_trees", 1, &version, err);
    if (st == FT_OK)
        st = text_get_size(r, "columns", FOREST_MAX_COLS, &m->n_cols, err);
    if (st == FT_OK)
        st = text_get_number(r, "shift", 0, &m->shift, err);
    if (st == FT_OK)
        st = text_get_number(r, "scale", 0, &m->scale, err);
    if (st == FT_OK)
        st = text_get_size(r, "n_times", MAX_TIMES, &m->n_times, err);
    if (st == FT_OK)
        st = text_get_array(r, "time", m->n_times, 0, &m->time, err);
    if (st == FT_OK && version != 1)
        st = ft_fail(err, FT_INVALID, "%s: version %zu, expected 1", r->what, version);
    for (size_t k = 0; st == FT_OK && k < m->n_times; k++)
        if (!(m->time[k] > (k > 0 ? m->time[k - 1] : 0)))
            st = ft_fail(err, FT_INVALID, "%s: time %zu does not rise", r->what, k + 1);
    return st;
}

static enum ft_status read_cumulative(struct survival_trees *m, struct text_reader *r, bool is_cox,
                                      struct ft_err *err)
{
    enum ft_status st =
        text_get_array(r, "cumulative", is_cox ? m->n_times : 0, 0, &m->cumulative, err);
    for (size_t k = 0; st == FT_OK && is_cox && k < m->n_times; k++)
        if (!(m->cumulative[k] >= (k > 0 ? m->cumulative[k - 1] : 0)))
            st = ft_fail(err, FT_INVALID, "%s: the baseline hazard falls at time %zu", r->what,
                         k + 1);
    if (!is_cox) {
        free(m->cumulative);
        m->cumulative = NULL;
    }
    return st;
}

/* Do trees and times belong together? */
static enum ft_status check_forest(const struct survival_trees *m, bool is_cox, struct ft_err *err)
{
    const enum gbdt_objective objective = m->forest->objective;
    const size_t most = is_hazard(m) ? MAX_INTERVALS : objective == GBDT_COX ? MAX_TIMES : 0;
    if ((objective != GBDT_LOGISTIC && objective < GBDT_COX) || is_cox != (objective == GBDT_COX) ||
        m->forest->n_cols != m->n_cols + is_hazard(m) || m->n_times > most ||
        (is_hazard(m) && m->n_times == 0) || (objective > GBDT_COX && !(m->scale > 0)))
        return ft_fail(err, FT_INVALID,
                       "survival trees: objective, columns, times and scale do not fit");
    return FT_OK;
}

enum ft_status survival_trees_read(const char *text, size_t len, struct survival_trees **out,
                                   struct ft_err *err)
{
    struct text_reader r;
    *out = NULL;
    struct survival_trees *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return ft_fail(err, FT_NOMEM, "survival trees: no memory");
    text_reader_init(&r, text, len, "survival trees");
    enum ft_status st = read_times(m, &r, err);
    const char none[] = "cumulative 0\n";
    const size_t n_left = st == FT_OK ? (size_t)(r.end - r.at) : 0;
    const bool is_cox = n_left < sizeof(none) || memcmp(r.at, none, sizeof(none) - 1) != 0;
    if (st == FT_OK)
        st = read_cumulative(m, &r, is_cox, err);
    if (st == FT_OK)
        st = gbdt_read(r.at, (size_t)(r.end - r.at), &m->forest, err);
    if (st == FT_OK)
        st = check_forest(m, is_cox, err);
    if (st != FT_OK) {
        survival_trees_free(m);
        return st;
    }
    *out = m;
    return FT_OK;
}

void survival_trees_free(struct survival_trees *m)
{
    if (m == NULL)
        return;
    gbdt_free(m->forest);
    free(m->time);
    free(m->cumulative);
    free(m);
}
