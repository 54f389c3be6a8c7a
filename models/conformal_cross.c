#include "models/conformal_cross.h"

#include "models/metrics.h"
#include "models/text_io.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FOLDS = 10000 };
static const size_t MAX_ROWS = (size_t)1 << 29;

struct conformal_cross {
    size_t n_folds, n;
    size_t *first;    /* [n_folds + 1] */
    double *residual; /* [n] sizes, fold by fold, rising inside a fold */
    size_t rank;      /* of the upper end among prediction + residual, from 1 */
    double coverage;
};

static int by_value(const void *a, const void *b)
{
    const double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static enum ft_status check_rows(const double *prediction, const double *truth, const size_t *fold,
                                 size_t n, size_t n_folds, double coverage, struct ft_err *err)
{
    if (!(coverage > 0 && coverage < 1))
        return ft_fail(err, FT_INVALID, "cross-conformal: coverage %g, expected inside (0, 1)",
                       coverage);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(prediction[i]) || !isfinite(truth[i] - prediction[i]) || fold[i] >= n_folds)
            return ft_fail(err, FT_INVALID,
                           "cross-conformal, row %zu: a value is not finite or fold %zu is not "
                           "below %zu",
                           i + 1, fold[i], n_folds);
    return FT_OK;
}

/* Residuals by fold: counted, placed, sorted. */
static void place_residuals(struct conformal_cross *c, const double *prediction,
                            const double *truth, const size_t *fold)
{
    for (size_t i = 0; i < c->n; i++)
        c->first[fold[i] + 1]++;
    for (size_t f = 0; f < c->n_folds; f++)
        c->first[f + 1] += c->first[f];
    for (size_t i = 0; i < c->n; i++) /* first[f] runs to the end of its fold */
        c->residual[c->first[fold[i]]++] = fabs(truth[i] - prediction[i]);
    for (size_t f = c->n_folds; f > 0; f--)
        c->first[f] = c->first[f - 1];
    c->first[0] = 0;
    for (size_t f = 0; f < c->n_folds; f++)
        qsort(c->residual + c->first[f], c->first[f + 1] - c->first[f], sizeof(double), by_value);
}

enum ft_status conformal_cross_fit(const double *prediction, const double *truth,
                                   const size_t *fold, size_t n, size_t n_folds, double coverage,
                                   struct conformal_cross **out, struct ft_err *err)
{
    *out = NULL;
    const enum ft_status st = check_rows(prediction, truth, fold, n, n_folds, coverage, err);
    if (st != FT_OK)
        return st;
    const double rank = ceil(coverage * ((double)n + 1) - 1e-9);
    if (n == 0 || rank > (double)n)
        return ft_fail(err, FT_TOO_FEW,
                       "cross-conformal: %zu rows are too few for a coverage of %g", n, coverage);
    struct conformal_cross *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ft_fail(err, FT_NOMEM, "cross-conformal: no memory");
    *c = (struct conformal_cross){
        .n_folds = n_folds, .n = n, .rank = (size_t)rank, .coverage = coverage};
    c->first = calloc(n_folds + 1, sizeof(*c->first));
    c->residual = calloc(n, sizeof(*c->residual));
    if (c->first == NULL || c->residual == NULL) {
        conformal_cross_free(c);
        return ft_fail(err, FT_NOMEM, "cross-conformal: no memory for %zu rows", n);
    }
    place_residuals(c, prediction, truth, fold);
    *out = c;
    return FT_OK;
}

/* Integers in the order of the doubles, and back. */
static uint64_t key_of(double v)
{
    union {
        double d;
        uint64_t u;
    } bits = {.d = v + 0.0};
    return bits.u >> 63 != 0 ? ~bits.u : bits.u | UINT64_C(1) << 63;
}

static double of_key(uint64_t key)
{
    union {
        uint64_t u;
        double d;
    } bits = {.u = key >> 63 != 0 ? key ^ UINT64_C(1) << 63 : ~key};
    return bits.d;
}

/* How many of centre[fold] + residual are <= limit. */
static size_t count_to(const struct conformal_cross *c, const double *centre, double sign,
                       double limit)
{
    size_t count = 0;
    for (size_t f = 0; f < c->n_folds; f++) {
        size_t low = c->first[f], high = c->first[f + 1];
        while (low < high) {
            const size_t middle = low + (high - low) / 2;
            if (sign * centre[f] + c->residual[middle] <= limit)
                low = middle + 1;
            else
                high = middle;
        }
        count += low - c->first[f];
    }
    return count;
}

/* The rank-th smallest of sign * centre + residual, by bisection over the doubles. */
static double end_of(const struct conformal_cross *c, const double *centre, double sign)
{
    uint64_t low = key_of(-INFINITY), high = key_of(INFINITY);
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (count_to(c, centre, sign, of_key(middle)) >= c->rank)
            high = middle;
        else
            low = middle + 1;
    }
    return of_key(low);
}

/* The floor((1 - coverage) (n + 1))-th smallest of centre - residual is minus the rank-th smallest
 * of residual - centre. */
void conformal_cross_interval(const struct conformal_cross *c, const double *fold_prediction,
                              double *lower, double *upper)
{
    *upper = end_of(c, fold_prediction, 1);
    *lower = -end_of(c, fold_prediction, -1);
}

size_t conformal_cross_n_folds(const struct conformal_cross *c)
{
    return c->n_folds;
}

double conformal_cross_coverage(const struct conformal_cross *c)
{
    return c->coverage;
}

void conformal_cross_write(const struct conformal_cross *c, struct buf *out)
{
    text_put_size(out, "conformal_cross", 1);
    text_put_number(out, "coverage", c->coverage);
    text_put_size(out, "folds", c->n_folds);
    text_put_size(out, "rank", c->rank);
    for (size_t f = 0; f < c->n_folds; f++) {
        text_put_size(out, "rows", c->first[f + 1] - c->first[f]);
        text_put_array(out, "residuals", c->residual + c->first[f], c->first[f + 1] - c->first[f]);
    }
}

/* One fold's residuals, which must be sizes in rising order. */
static enum ft_status read_fold(struct text_reader *r, struct conformal_cross *c, size_t f,
                                struct ft_err *err)
{
    size_t n = 0;
    double *values = NULL;
    enum ft_status st = text_get_size(r, "rows", MAX_ROWS, &n, err);
    if (st == FT_OK)
        st = text_get_array(r, "residuals", n, 0, &values, err);
    if (st != FT_OK)
        return st;
    for (size_t i = 0; i < n && st == FT_OK; i++)
        if (values[i] < (i > 0 ? values[i - 1] : 0))
            st = ft_fail(err, FT_INVALID, "cross-conformal: residuals of fold %zu do not rise", f);
    double *grown = st == FT_OK ? reallocarray(c->residual, c->n + n + 1, sizeof(*grown)) : NULL;
    if (grown != NULL) {
        memcpy(grown + c->n, values, n * sizeof(*grown));
        c->residual = grown;
        c->n += n;
        c->first[f + 1] = c->n;
    } else if (st == FT_OK) {
        st = ft_fail(err, FT_NOMEM, "cross-conformal: no memory");
    }
    free(values);
    return st;
}

static enum ft_status read_cross(struct text_reader *r, struct conformal_cross *c,
                                 struct ft_err *err)
{
    size_t version = 0;
    enum ft_status st = text_get_size(r, "conformal_cross", 1, &version, err);
    if (st == FT_OK)
        st = text_get_number(r, "coverage", 0, &c->coverage, err);
    if (st == FT_OK)
        st = text_get_size(r, "folds", MAX_FOLDS, &c->n_folds, err);
    if (st == FT_OK)
        st = text_get_size(r, "rank", MAX_ROWS, &c->rank, err);
    if (st != FT_OK)
        return st;
    c->first = calloc(c->n_folds + 1, sizeof(*c->first));
    if (c->first == NULL)
        return ft_fail(err, FT_NOMEM, "cross-conformal: no memory");
    for (size_t f = 0; f < c->n_folds && st == FT_OK; f++)
        st = read_fold(r, c, f, err);
    if (st == FT_OK)
        st = text_get_end(r, err);
    if (st == FT_OK && (version != 1 || c->rank == 0 || c->rank > c->n || !(c->coverage > 0) ||
                        !(c->coverage < 1)))
        st = ft_fail(err, FT_INVALID, "cross-conformal: version, coverage or rank is out of range");
    return st;
}

enum ft_status conformal_cross_read(const char *text, size_t len, struct conformal_cross **out,
                                    struct ft_err *err)
{
    struct text_reader r;
    *out = NULL;
    struct conformal_cross *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ft_fail(err, FT_NOMEM, "cross-conformal: no memory");
    text_reader_init(&r, text, len, "cross-conformal");
    const enum ft_status st = read_cross(&r, c, err);
    if (st != FT_OK) {
        conformal_cross_free(c);
        return st;
    }
    *out = c;
    return FT_OK;
}

void conformal_cross_free(struct conformal_cross *c)
{
    if (c == NULL)
        return;
    free(c->first);
    free(c->residual);
    free(c);
}

struct coverage coverage_observed(const double *lower, const double *upper, const double *truth,
                                  const double *weight, size_t n)
{
    struct coverage c = {NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    double total = 0, square = 0, below = 0, above = 0, width = 0;
    for (size_t i = 0; i < n; i++) {
        const double w = weight != NULL ? weight[i] : 1;
        if (!(w > 0))
            continue;
        total += w;
        square += w * w;
        below += truth[i] < lower[i] ? w : 0;
        above += truth[i] > upper[i] ? w : 0;
        width += w * (upper[i] - lower[i]);
    }
    if (!(total > 0))
        return c;
    c = (struct coverage){.observed = (total - below - above) / total,
                          .below = below / total,
                          .above = above / total,
                          .mean_width = width / total,
                          .n = total * total / square};
    metric_share_limits(c.observed, c.n, &c.lower, &c.upper);
    return c;
}
