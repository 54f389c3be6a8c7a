#include "models/shape_prior.h"

#include "models/special.h"

#include "app/base/rng.h"

#include <math.h>

/* The grid covers this many standard deviations of the prior on each side. */
static const double WIDTH = 5;

/* log of sum w (time^shape - entry^shape), without overflow. */
static double log_exposure(const struct life_data *d, double log_max, double shape)
{
    double sum = 0;
    for (size_t i = 0; i < d->n; i++) {
        const double w = life_data_weight(d, i), e = life_data_entry(d, i);
        if (w <= 0)
            continue;
        sum += w * exp(shape * (log(d->time[i]) - log_max));
        if (e > 0)
            sum -= w * exp(shape * (log(e) - log_max));
    }
    return sum > 0 ? log(sum) + shape * log_max : -INFINITY;
}

/* P(scale <= x): theta = scale^-shape is gamma(failures, exposure). */
static double scale_cdf(const struct shape_posterior *p, double log_x)
{
    double sum = 0;
    for (int k = 0; k < SHAPE_GRID; k++)
        if (p->weight[k] > 1e-14)
            sum += p->weight[k] *
                   special_gamma_q(p->failures, exp(p->log_exposure[k] - p->grid[k] * log_x));
    return sum;
}

static double scale_quantile(const struct shape_posterior *p, double log_start, double q)
{
    double low = log_start - 1, high = log_start + 1;
    for (int i = 0; i < 60 && scale_cdf(p, low) > q; i++)
        low -= 1 + i;
    for (int i = 0; i < 60 && scale_cdf(p, high) < q; i++)
        high += 1 + i;
    for (int i = 0; i < 60 && high - low > 1e-9; i++) {
        const double middle = low + (high - low) / 2;
        *(scale_cdf(p, middle) < q ? &low : &high) = middle;
    }
    return exp(low + (high - low) / 2);
}

/* Quantile of the shape, linear in the log between the middles of the grid's cells. */
static double shape_quantile(const struct shape_posterior *p, double q)
{
    const double step = log(p->grid[1] / p->grid[0]);
    double sum = 0;
    for (int k = 0; k < SHAPE_GRID; k++) {
        if (sum + p->weight[k] >= q)
            return p->grid[k] * exp(step * ((q - sum) / p->weight[k] - 0.5));
        sum += p->weight[k];
    }
    return p->grid[SHAPE_GRID - 1];
}

static void fill_grid(const struct life_data *d, const struct life_totals *t,
                      const struct shape_prior *prior, struct shape_posterior *p)
{
    const double log_max = log(t->greatest);
    double top = -INFINITY, sum = 0;
    for (int k = 0; k < SHAPE_GRID; k++) {
        const double z = WIDTH * (2.0 * k / (SHAPE_GRID - 1) - 1);
        const double b = prior->median * exp(z * prior->log_sd);
        p->grid[k] = b;
        p->log_exposure[k] = log_exposure(d, log_max, b);
        p->weight[k] =
            (t->r - 1) * log(b) + b * t->sum_log - t->r * p->log_exposure[k] - 0.5 * z * z;
        top = fmax(top, p->weight[k]);
    }
    for (int k = 0; k < SHAPE_GRID; k++) {
        p->weight[k] = exp(p->weight[k] - top);
        sum += p->weight[k];
    }
    for (int k = 0; k < SHAPE_GRID; k++)
        p->weight[k] /= sum;
}

enum ft_status shape_posterior_fit(const struct life_data *data, const struct shape_prior *prior,
                                   double confidence, struct shape_posterior *out,
                                   struct ft_err *err)
{
    struct life_totals t;
    *out = (struct shape_posterior){0};
    if (!(prior->median >= 0.01 && prior->median <= 100) ||
        !(prior->log_sd >= 0.001 && prior->log_sd <= 3) || !(confidence > 0 && confidence < 1))
        return ft_fail(err, FT_INVALID,
                       "prior of the shape: median %g, standard deviation of the log %g, expected "
                       "0.01 to 100 and 0.001 to 3; confidence %g inside (0, 1)",
                       prior->median, prior->log_sd, confidence);
    const enum ft_status st = life_data_totals(data, &t, err);
    if (st != FT_OK)
        return st;
    if (t.n_intervals > 0)
        return ft_fail(err, FT_INVALID, "a prior of the shape needs known ages at failure");
    if (t.n_rows_failed == 0)
        return ft_fail(err, FT_TOO_FEW,
                       "no failure among %.15g units: a prior of the shape leaves the scale open; "
                       "a given shape gives a bound (Weibayes)",
                       t.n);
    out->failures = t.r;
    fill_grid(data, &t, prior, out);
    for (int k = 0; k < SHAPE_GRID; k++)
        out->rises += out->grid[k] > 1 ? out->weight[k] : 0;
    out->shape = shape_quantile(out, 0.5);
    int middle = 0;
    while (middle + 1 < SHAPE_GRID && out->grid[middle] < out->shape)
        middle++;
    const double start = (out->log_exposure[middle] - log(t.r)) / out->grid[middle];
    out->scale = scale_quantile(out, start, 0.5);
    for (int side = 0; side < 2; side++) {
        const double q = side == 0 ? (1 - confidence) / 2 : (1 + confidence) / 2;
        out->shape_limits[side] = shape_quantile(out, q);
        out->scale_limits[side] = scale_quantile(out, start, q);
    }
    return FT_OK;
}

void shape_posterior_draw(const struct shape_posterior *p, uint64_t seed, uint64_t counter,
                          double *shape, double *scale)
{
    *shape = shape_quantile(p, rng_uniform(seed, 0x51, counter));
    int k = 0;
    while (k + 1 < SHAPE_GRID && p->grid[k + 1] < *shape)
        k++;
    const double share =
        k + 1 < SHAPE_GRID ? log(*shape / p->grid[k]) / log(p->grid[k + 1] / p->grid[k]) : 0;
    const double log_a =
        k + 1 < SHAPE_GRID
            ? p->log_exposure[k] + fmax(share, 0) * (p->log_exposure[k + 1] - p->log_exposure[k])
            : p->log_exposure[k];
    const double theta = rng_gamma(seed, 0x52, counter, p->failures);
    *scale = exp((log_a - log(theta)) / *shape);
}
