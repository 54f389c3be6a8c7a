/* The band of calibrate.h. Rows of one unit are not exchangeable with each other but units are, so
 * inside a bin every unit weighs one, spread over its rows there, and the finite-sample correction
 * counts units: the residual taken is the smallest with weight below it >= (units + 1) q (Dunn,
 * Wasserman and Ramdas 2022, pooled distribution functions). */
#include "models/calibrate.h"

#include "models/text_io.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MIN_BIN_ROWS = 30, MAX_BINS = 10000 };

struct conformal {
    double coverage;
    size_t n_bins;
    double *edge;          /* [n_bins - 1], rising: bin b ends before edge[b] */
    double *lower, *upper; /* [n_bins], residual = truth - prediction */
};

struct row {
    double prediction, residual, weight;
    size_t group, i;
};

static int by_prediction(const void *a, const void *b)
{
    const struct row *p = a;
    const struct row *q = b;
    if (p->prediction != q->prediction)
        return p->prediction < q->prediction ? -1 : 1;
    return p->i < q->i ? -1 : 1;
}

static int by_group(const void *a, const void *b)
{
    const struct row *p = a;
    const struct row *q = b;
    if (p->group != q->group)
        return p->group < q->group ? -1 : 1;
    return p->i < q->i ? -1 : 1;
}

static int by_residual(const void *a, const void *b)
{
    const struct row *p = a;
    const struct row *q = b;
    if (p->residual != q->residual)
        return p->residual < q->residual ? -1 : 1;
    return p->i < q->i ? -1 : 1;
}

/* Where bin b of n_bins begins: at the quantile, moved up past equal predictions. */
static size_t bin_begin(const struct row *rows, size_t n, size_t n_bins, size_t b)
{
    size_t at = b * n / n_bins;
    while (at > 0 && at < n && rows[at].prediction == rows[at - 1].prediction)
        at++;
    return at;
}

/* Gives each unit of rows[n] weight one; returns the number of units. Leaves rows by group. */
static size_t weigh_units(struct row *rows, size_t n, bool has_group)
{
    if (!has_group)
        return n;
    size_t n_units = 0;
    qsort(rows, n, sizeof(*rows), by_group);
    for (size_t i = 0, end = 0; i < n; i = end, n_units++) {
        while (end < n && rows[end].group == rows[i].group)
            end++;
        for (size_t k = i; k < end; k++)
            rows[k].weight = 1 / (double)(end - i);
    }
    return n_units;
}

/* Signed residual quantiles of one bin; false when there are too few units for the coverage. */
static bool bin_band(struct row *rows, size_t n, bool has_group, double coverage, double *lower,
                     double *upper)
{
    const size_t n_units = weigh_units(rows, n, has_group);
    const double slack = 1e-9; /* sums of 1 / rows may miss a whole number by rounding */
    const double need = ((double)n_units + 1) * (1 + coverage) / 2 - slack;
    if (need > (double)n_units)
        return false;
    qsort(rows, n, sizeof(*rows), by_residual);
    double sum = 0;
    size_t k = 0;
    for (; k < n && sum < need; k++)
        sum += rows[k].weight;
    *upper = rows[k - 1].residual;
    sum = 0;
    for (k = n; k > 0 && sum < need; k--)
        sum += rows[k - 1].weight;
    *lower = rows[k].residual;
    return true;
}

/* All bins at n_bins; FT_TOO_FEW when one is too small. Leaves rows sorted by prediction. */
static enum ft_status fit_bins(struct conformal *c, struct row *rows, size_t n, bool has_group,
                               size_t n_bins, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    c->n_bins = n_bins;
    for (size_t b = 0; b < n_bins && st == FT_OK; b++) {
        const size_t begin = bin_begin(rows, n, n_bins, b);
        const size_t end = b + 1 == n_bins ? n : bin_begin(rows, n, n_bins, b + 1);
        if (end <= begin || (n_bins > 1 && end - begin < MIN_BIN_ROWS)) {
            st = FT_TOO_FEW;
            break;
        }
        if (b > 0) {
            const double below = rows[begin - 1].prediction, above = rows[begin].prediction;
            const double middle = below + (above - below) / 2;
            c->edge[b - 1] = middle > below ? middle : above;
        }
        /* The bin is sorted away and back; the row before it was read above. */
        if (!bin_band(rows + begin, end - begin, has_group, c->coverage, &c->lower[b],
                      &c->upper[b]))
            st = FT_TOO_FEW;
        qsort(rows + begin, end - begin, sizeof(*rows), by_prediction);
    }
    if (st != FT_OK)
        return ft_fail(err, st,
                       "conformal band: %zu rows have too few units for a coverage of %g (needs "
                       "%.0f)",
                       n, c->coverage, ceil((1 + c->coverage) / (1 - c->coverage) - 1e-9));
    return FT_OK;
}

static enum ft_status check_rows(const double *prediction, const double *truth, size_t n,
                                 size_t n_bins, double coverage, struct ft_err *err)
{
    if (!(coverage > 0 && coverage < 1))
        return ft_fail(err, FT_INVALID, "conformal band: coverage %g, expected inside (0, 1)",
                       coverage);
    if (n_bins == 0 || n_bins > MAX_BINS)
        return ft_fail(err, FT_INVALID, "conformal band: %zu bins, expected 1 to %d", n_bins,
                       MAX_BINS);
    if (n == 0)
        return ft_fail(err, FT_TOO_FEW, "conformal band: no rows");
    for (size_t i = 0; i < n; i++)
        if (!isfinite(prediction[i]) || !isfinite(truth[i] - prediction[i]))
            return ft_fail(err, FT_INVALID,
                           "conformal band, row %zu: prediction or truth is not finite", i + 1);
    return FT_OK;
}

enum ft_status conformal_fit(const double *prediction, const double *truth, const size_t *group,
                             size_t n, size_t n_bins, double coverage, struct conformal **out,
                             struct ft_err *err)
{
    *out = NULL;
    enum ft_status st = check_rows(prediction, truth, n, n_bins, coverage, err);
    if (st != FT_OK)
        return st;
    struct conformal *c = calloc(1, sizeof(*c));
    struct row *rows = calloc(n, sizeof(*rows));
    if (c != NULL) {
        c->edge = calloc(n_bins, sizeof(double));
        c->lower = calloc(n_bins, sizeof(double));
        c->upper = calloc(n_bins, sizeof(double));
    }
    if (c == NULL || rows == NULL || c->edge == NULL || c->lower == NULL || c->upper == NULL) {
        st = ft_fail(err, FT_NOMEM, "conformal band: no memory for %zu rows", n);
        goto out;
    }
    c->coverage = coverage;
    for (size_t i = 0; i < n; i++)
        rows[i] = (struct row){prediction[i], truth[i] - prediction[i], 1,
                               group != NULL ? group[i] : i, i};
    qsort(rows, n, sizeof(*rows), by_prediction);
    const size_t most = n / MIN_BIN_ROWS > 0 ? n / MIN_BIN_ROWS : 1;
    for (size_t bins = n_bins < most ? n_bins : most; bins > 0; bins--) {
        st = fit_bins(c, rows, n, group != NULL, bins, err);
        if (st == FT_OK)
            break;
    }
    if (st == FT_OK) {
        *out = c;
        c = NULL;
    }
out:
    conformal_free(c);
    free(rows);
    return st;
}

void conformal_interval(const struct conformal *c, double prediction, double *lower, double *upper)
{
    size_t b = 0;
    while (b + 1 < c->n_bins && prediction >= c->edge[b])
        b++;
    *lower = prediction + c->lower[b];
    *upper = prediction + c->upper[b];
}

double conformal_coverage(const struct conformal *c)
{
    return c->coverage;
}

void conformal_write(const struct conformal *c, struct buf *out)
{
    text_put_size(out, "conformal", c->n_bins);
    text_put_number(out, "coverage", c->coverage);
    text_put_array(out, "edge", c->edge, c->n_bins - 1);
    text_put_array(out, "lower", c->lower, c->n_bins);
    text_put_array(out, "upper", c->upper, c->n_bins);
}

static enum ft_status check_band(const struct conformal *c, struct ft_err *err)
{
    if (!(c->coverage > 0 && c->coverage < 1))
        return ft_fail(err, FT_INVALID, "conformal band: coverage %g, expected inside (0, 1)",
                       c->coverage);
    for (size_t b = 0; b < c->n_bins; b++)
        if (!(c->lower[b] <= c->upper[b]) ||
            (b > 0 && b + 1 < c->n_bins && !(c->edge[b] > c->edge[b - 1])))
            return ft_fail(err, FT_INVALID,
                           "conformal band, bin %zu: expected rising edges and lower <= upper",
                           b + 1);
    return FT_OK;
}

enum ft_status conformal_read(const char *text, size_t len, struct conformal **out,
                              struct ft_err *err)
{
    struct text_reader r;
    *out = NULL;
    struct conformal *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a conformal band");
    text_reader_init(&r, text, len, "conformal band");
    enum ft_status st = text_get_size(&r, "conformal", MAX_BINS, &c->n_bins, err);
    if (st == FT_OK && c->n_bins == 0)
        st = ft_fail(err, FT_INVALID, "conformal band: no bins");
    if (st == FT_OK)
        st = text_get_number(&r, "coverage", 0, &c->coverage, err);
    if (st == FT_OK)
        st = text_get_array(&r, "edge", c->n_bins - 1, 0, &c->edge, err);
    if (st == FT_OK)
        st = text_get_array(&r, "lower", c->n_bins, 0, &c->lower, err);
    if (st == FT_OK)
        st = text_get_array(&r, "upper", c->n_bins, 0, &c->upper, err);
    if (st == FT_OK)
        st = text_get_end(&r, err);
    if (st == FT_OK)
        st = check_band(c, err);
    if (st != FT_OK) {
        conformal_free(c);
        return st;
    }
    *out = c;
    return FT_OK;
}

void conformal_free(struct conformal *c)
{
    if (c == NULL)
        return;
    free(c->edge);
    free(c->lower);
    free(c->upper);
    free(c);
}
