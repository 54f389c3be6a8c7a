#include "app/roi_mc.h"

#include "app/base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const double roi_percents[7] = {5, 10, 25, 50, 75, 90, 95};
const double roi_cash_percents[5] = {10, 25, 50, 75, 90};

#define Z90 1.2815515655446004 /* standard normal quantile of 0.9 */

/* Half-widths (left, right of the mode) of the triangle whose 10 % and 90 % points lie dl below and
 * dr above its mode. From F(low) = (L - dl)^2 / ((L + R) L) = 0.1 and the mirror image; the
 * fixed-point map is a contraction (sqrt grows slower than its argument). */
static void triangle_ends(double dl, double dr, double *left, double *right)
{
    double l = dl;
    double r = dr;
    for (int i = 0; i < 200; i++) {
        const double w = l + r;
        const double next_l = dl > 0 ? dl + sqrt(0.1 * w * l) : 0;
        const double next_r = dr > 0 ? dr + sqrt(0.1 * w * r) : 0;
        const double step = fabs(next_l - l) + fabs(next_r - r);
        l = next_l;
        r = next_r;
        if (step <= 1e-14 * (l + r))
            break;
    }
    *left = l;
    *right = r;
}

static double draw_triangular(const struct roi_input *in, double u)
{
    double l;
    double r;
    triangle_ends(in->value - in->low, in->high - in->value, &l, &r);
    const double w = l + r;
    if (w <= 0)
        return in->value;
    if (u < l / w)
        return in->value - l + sqrt(u * w * l);
    return in->value + r - sqrt((1 - u) * w * r);
}

double roi_draw(const struct roi_input *in, double min, double max, uint64_t seed, uint64_t stream,
                uint64_t i)
{
    double x = in->value;
    switch (in->dist) {
    case ROI_TRIANGULAR:
        x = draw_triangular(in, rng_uniform(seed, stream, i));
        break;
    case ROI_LOGNORMAL:
        x = exp(0.5 * (log(in->low) + log(in->high)) +
                (log(in->high) - log(in->low)) / (2 * Z90) * rng_normal(seed, stream, i));
        break;
    case ROI_GAMMA:
        x = rng_gamma(seed, stream, i, in->a) / in->b;
        break;
    case ROI_BETA:
        x = rng_beta(seed, stream, i, in->a, in->b);
        break;
    default:
        break;
    }
    return fmin(max, fmax(min, x));
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Percentile of sorted values, linear between order statistics (Hyndman and Fan type 7). */
static double percentile(const double *sorted, size_t n, double percent)
{
    const double at = percent / 100 * (double)(n - 1);
    const size_t i = (size_t)at;
    if (i + 1 >= n || sorted[i] == sorted[i + 1])
        return sorted[i];
    return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

struct ranked {
    double value;
    size_t index;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;
    const int by_value = (x->value > y->value) - (x->value < y->value);
    return by_value != 0 ? by_value : (x->index > y->index) - (x->index < y->index);
}

/* Ranks 0..n-1 into rank[n]; ties share their mean rank. order[n] is scratch. */
static void rank_values(const double *x, size_t n, struct ranked *order, double *rank)
{
    for (size_t i = 0; i < n; i++)
        order[i] = (struct ranked){x[i], i};
    qsort(order, n, sizeof(*order), compare_ranked);
    for (size_t i = 0; i < n;) {
        size_t j = i;
        while (j < n && order[j].value == order[i].value)
            j++;
        for (size_t k = i; k < j; k++)
            rank[order[k].index] = 0.5 * (double)(i + j - 1);
        i = j;
    }
}

static double correlation(const double *x, const double *y, size_t n)
{
    double mx = 0;
    double my = 0;
    double xy = 0;
    double xx = 0;
    double yy = 0;
    for (size_t i = 0; i < n; i++) {
        mx += x[i] / (double)n;
        my += y[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        xy += (x[i] - mx) * (y[i] - my);
        xx += (x[i] - mx) * (x[i] - mx);
        yy += (y[i] - my) * (y[i] - my);
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

/* Scratch of one run: one block of doubles with views into it. */
struct work {
    double *block;
    double *draws[ROI_N_FIELDS]; /* NULL for fixed inputs */
    double *npv, *payback, *rank_npv, *rank, *sorted;
    double *cash[ROI_MAX_YEARS + 1];
    struct ranked *order;
};

static enum ft_status work_new(const struct roi_input *in, size_t n_years, size_t n, struct work *w,
                               struct ft_err *err)
{
    size_t n_columns = 5 + n_years + 1;
    memset(w, 0, sizeof(*w));
    for (size_t f = 0; f < ROI_N_FIELDS; f++)
        n_columns += in[f].dist != ROI_FIXED;
    w->block = calloc(n * n_columns, sizeof(double));
    w->order = calloc(n, sizeof(*w->order));
    if (w->block == NULL || w->order == NULL)
        return ft_fail(err, FT_NOMEM, "roi: no memory for %zu draws", n);
    double *p = w->block;
    double **const views[] = {&w->npv, &w->payback, &w->rank_npv, &w->rank, &w->sorted};
    for (size_t i = 0; i < 5; i++, p += n)
        *views[i] = p;
    for (size_t t = 0; t <= n_years; t++, p += n)
        w->cash[t] = p;
    for (size_t f = 0; f < ROI_N_FIELDS; f++)
        if (in[f].dist != ROI_FIXED) {
            w->draws[f] = p;
            p += n;
        }
    return FT_OK;
}

static void sorted_percentiles(const double *x, size_t n, double *scratch, const double *percents,
                               size_t n_percents, double *out)
{
    memcpy(scratch, x, n * sizeof(*x));
    qsort(scratch, n, sizeof(*scratch), compare_doubles);
    for (size_t i = 0; i < n_percents; i++)
        out[i] = percentile(scratch, n, percents[i]);
}

enum ft_status roi_mc_run(const struct roi_case *c, const struct roi_input in[ROI_N_FIELDS],
                          const double min[ROI_N_FIELDS], const double max[ROI_N_FIELDS],
                          size_t n_draws, uint64_t seed, struct roi_mc *out, struct ft_err *err)
{
    struct work w;
    memset(out, 0, sizeof(*out));
    if (n_draws == 0)
        return ft_fail(err, FT_INVALID, "/draws: expected at least 1");
    enum ft_status st = work_new(in, c->n_years, n_draws, &w, err);
    if (st != FT_OK)
        goto out;
    size_t n_positive = 0;
    for (size_t i = 0; i < n_draws; i++) {
        struct roi_case x = *c;
        struct roi_result r;
        for (size_t f = 0; f < ROI_N_FIELDS; f++)
            if (w.draws[f] != NULL)
                x.v[f] = w.draws[f][i] = roi_draw(&in[f], min[f], max[f], seed, f, i);
        roi_compute_flows(&x, &r);
        w.npv[i] = r.npv;
        w.payback[i] = isnan(r.payback_years) ? INFINITY : r.payback_years;
        n_positive += r.npv > 0;
        for (size_t t = 0; t <= c->n_years; t++)
            w.cash[t][i] = r.years[t].cumulative;
    }
    out->n_draws = n_draws;
    out->p_npv_positive = (double)n_positive / (double)n_draws;
    sorted_percentiles(w.npv, n_draws, w.sorted, roi_percents, 7, out->npv);
    sorted_percentiles(w.payback, n_draws, w.sorted, roi_percents, 7, out->payback);
    for (size_t t = 0; t <= c->n_years; t++)
        sorted_percentiles(w.cash[t], n_draws, w.sorted, roi_cash_percents, 5, out->cash[t]);
    rank_values(w.npv, n_draws, w.order, w.rank_npv);
    for (size_t f = 0; f < ROI_N_FIELDS; f++) {
        out->spearman[f] = NAN;
        if (w.draws[f] == NULL)
            continue;
        rank_values(w.draws[f], n_draws, w.order, w.rank);
        out->spearman[f] = correlation(w.rank, w.rank_npv, n_draws);
    }
out:
    free(w.block);
    free(w.order);
    return st;
}
