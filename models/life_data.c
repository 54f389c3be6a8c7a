#include "models/life_data.h"

#include <math.h>

static enum ft_status check_interval(const struct life_data *d, size_t i, struct ft_err *err)
{
    const double t = d->time[i], e = life_data_entry(d, i), up = d->upper[i];
    if (!(t >= 0) || !(up > t) || !isfinite(up))
        return ft_fail(err, FT_INVALID, "unit %zu: interval %g to %g, expected 0 <= begin < end",
                       i + 1, t, up);
    if (!d->failed[i])
        return ft_fail(err, FT_INVALID, "unit %zu: an interval %g to %g and no failure", i + 1, t,
                       up);
    if (!(e >= 0) || !(e <= t))
        return ft_fail(err, FT_INVALID,
                       "unit %zu: entry %g, expected 0 <= entry <= begin %g of the interval", i + 1,
                       e, t);
    return FT_OK;
}

enum ft_status life_data_check(const struct life_data *d, size_t i, struct ft_err *err)
{
    const double t = d->time[i], e = life_data_entry(d, i), w = life_data_weight(d, i);
    if (!(w >= 0) || !isfinite(w))
        return ft_fail(err, FT_INVALID, "unit %zu: weight %g, expected >= 0", i + 1, w);
    if (d->upper != NULL && d->upper[i] != 0)
        return check_interval(d, i, err);
    if (!(t > 0) || !isfinite(t))
        return ft_fail(err, FT_INVALID, "unit %zu: time %g, expected a number above 0", i + 1, t);
    if (!(e >= 0) || !(e < t))
        return ft_fail(err, FT_INVALID, "unit %zu: entry %g, expected 0 <= entry < time %g", i + 1,
                       e, t);
    return FT_OK;
}

/* The age a failure counts with in the moments, and half the width of its interval. */
static double failure_age(const struct life_data *d, size_t i, double *half)
{
    *half = life_data_is_interval(d, i) ? (d->upper[i] - d->time[i]) / 2 : 0;
    return d->time[i] + *half;
}

static void add_failure(const struct life_data *d, size_t i, struct life_totals *s)
{
    const double w = life_data_weight(d, i);
    double half = 0;
    const double t = failure_age(d, i, &half);
    s->r += w;
    s->n_rows_failed++;
    s->mean += w * t;
    s->mean_log += w * log(t);
    s->first = fmin(s->first, t);
    s->last = fmax(s->last, t);
    if (half > 0) {
        s->n_intervals++;
    } else {
        s->r_exact += w;
        s->sum += w * t;
        s->sum_log += w * log(t);
    }
}

/* A uniform law over the interval has a variance of half^2 / 3. */
static void add_spread(const struct life_data *d, size_t i, struct life_totals *s)
{
    double half = 0;
    const double t = failure_age(d, i, &half);
    const double u = t - s->mean, v = log(t) - s->mean_log, w = life_data_weight(d, i) / s->r;
    s->sd += w * (u * u + half * half / 3);
    s->sd_log += w * (v * v + half * half / (3 * t * t));
}

enum ft_status life_data_totals(const struct life_data *d, struct life_totals *s,
                                struct ft_err *err)
{
    *s = (struct life_totals){.first = INFINITY, .first_end = INFINITY};
    for (size_t i = 0; i < d->n; i++) {
        const enum ft_status st = life_data_check(d, i, err);
        if (st != FT_OK)
            return st;
        const double w = life_data_weight(d, i);
        if (w <= 0)
            continue;
        double half = 0;
        const double t = failure_age(d, i, &half);
        s->n_rows++;
        s->n += w;
        s->exposure += w * (t - life_data_entry(d, i));
        s->greatest = fmax(s->greatest, t + half);
        s->last_begin = fmax(s->last_begin, t - half);
        if (d->failed[i])
            s->first_end = fmin(s->first_end, t + half);
        if (d->failed[i])
            add_failure(d, i, s);
    }
    if (s->n_rows == 0)
        return ft_fail(err, FT_TOO_FEW, "life data: no units");
    if (s->n_rows_failed == 0)
        return FT_OK;
    s->mean /= s->r;
    s->mean_log /= s->r;
    for (size_t i = 0; i < d->n; i++)
        if (d->failed[i] && life_data_weight(d, i) > 0)
            add_spread(d, i, s);
    s->sd = sqrt(s->sd);
    s->sd_log = sqrt(s->sd_log);
    return FT_OK;
}
