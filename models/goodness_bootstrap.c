#include "models/goodness_bootstrap.h"

#include "app/base/pool.h"
#include "app/base/rng.h"
#include "models/goodness.h"
#include "models/kaplan_meier.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum {
    STREAM = 0x474f,
    MIN_DRAWS = 99,
    MAX_WORK = 8000000,  /* units times samples: a few seconds on one core */
    THRESHOLD_COST = 40, /* a threshold is searched for by about so many fits */
};

/* One row per unit, and what the samples have in common. */
struct sampler {
    const struct life_fit *fit;
    size_t n;
    double *time, *entry; /* entry [n], all 0 without left truncation */
    bool *failed, *censored;
    bool is_late;
    double step;                     /* of rounding; 0 = none */
    struct kaplan_meier_point *ends; /* of the ages of censoring */
    size_t n_ends;
    uint64_t seed;
    double *distance; /* [draws]; NaN = could not be measured */
    bool *is_short;   /* [draws]; memory ran out */
};

static bool are_multiples(const struct life_data *d, double step)
{
    for (size_t i = 0; i < d->n; i++) {
        const double k = d->time[i] / step;
        if (fabs(k - round(k)) > 1e-6)
            return false;
    }
    return true;
}

/* The greatest power of ten from 1e-6 to 1e6 times which every age is whole; 0 = none. */
static double find_step(const struct life_data *d)
{
    for (int k = 6; k >= -6; k--) {
        const double step = pow(10, k);
        if (are_multiples(d, step))
            return step;
    }
    return 0;
}

static bool has_whole_weights(const struct life_data *d)
{
    for (size_t i = 0; i < d->n; i++)
        if (life_data_weight(d, i) != floor(life_data_weight(d, i)))
            return false;
    return true;
}

static enum ft_status sampler_init(struct sampler *s, const struct life_data *d, size_t n,
                                   size_t n_draws, struct ft_err *err)
{
    s->time = calloc(n, sizeof(*s->time));
    s->entry = calloc(n, sizeof(*s->entry));
    s->failed = calloc(n, sizeof(*s->failed));
    s->censored = calloc(n, sizeof(*s->censored));
    s->distance = calloc(n_draws, sizeof(*s->distance));
    s->is_short = calloc(n_draws, sizeof(*s->is_short));
    if (s->time == NULL || s->entry == NULL || s->failed == NULL || s->censored == NULL ||
        s->distance == NULL || s->is_short == NULL)
        return ft_fail(err, FT_NOMEM, "goodness: no memory for %zu units", n);
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = (size_t)life_data_weight(d, i); k > 0 && s->n < n; k--) {
            s->time[s->n] = d->time[i];
            s->entry[s->n] = life_data_entry(d, i);
            s->is_late = s->is_late || s->entry[s->n] > 0;
            s->failed[s->n] = d->failed[i];
            s->censored[s->n++] = !d->failed[i];
        }
    s->step = find_step(d);
    return FT_OK;
}

/* When units stopped being watched: Kaplan and Meier's estimate with the parts changed over. */
static enum ft_status find_ends(struct sampler *s, struct ft_err *err)
{
    struct kaplan_meier_point *ends = NULL;
    size_t n_ends = 0;
    const enum ft_status st = kaplan_meier(s->time, s->censored, s->is_late ? s->entry : NULL, NULL,
                                           s->n, 0.5, &ends, &n_ends, err);
    s->ends = ends;
    s->n_ends = n_ends;
    return st;
}

static void sampler_free(struct sampler *s)
{
    free(s->time);
    free(s->entry);
    free(s->failed);
    free(s->censored);
    free(s->ends);
    free(s->distance);
    free(s->is_short);
}

/* An age of failure after the unit's entry. */
static double draw_life(const struct sampler *s, uint64_t stream, size_t i)
{
    const double u = rng_uniform(s->seed, stream, 2 * i) + 0x1.0p-54; /* inside (0, 1) */
    const double entry = s->entry[i];
    const double exact = life_quantile(s->fit, 1 - u * life_survival(s->fit, entry));
    const double rounded = s->step > 0 ? round(exact / s->step) * s->step : exact;
    return rounded > entry ? rounded : exact > entry ? exact : entry * (1 + 1e-12) + DBL_MIN;
}

/* The age at which the unit would have been censored. */
static double draw_end(const struct sampler *s, uint64_t stream, size_t i)
{
    if (!s->failed[i])
        return s->time[i];
    const double level = kaplan_meier_survival(s->ends, s->n_ends, s->time[i]) *
                         rng_uniform(s->seed, stream, 2 * i + 1);
    size_t low = 0, high = s->n_ends; /* the first point that has fallen to the level */
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (s->ends[middle].survival > level)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->n_ends ? s->ends[low].time : INFINITY;
}

/* Fits the sample and measures it against its own curve. */
static enum ft_status measure(const struct sampler *s, const struct life_data *d, double *out)
{
    struct life_fit f;
    struct kaplan_meier_point *curve = NULL;
    size_t n = 0;
    enum ft_status st = s->fit->is_shape_fixed ? life_fit_fixed_shape(d, s->fit->first, &f, NULL)
                                               : life_fit(s->fit->distribution, d, &f, NULL);
    if (st == FT_OK)
        st = kaplan_meier(d->time, d->failed, d->entry, NULL, d->n, 0.5, &curve, &n, NULL);
    if (st != FT_OK)
        return st;
    double *time = calloc(n + 1, sizeof(*time));
    double *survival = calloc(n + 1, sizeof(*survival));
    if (time != NULL && survival != NULL) {
        for (size_t i = 0; i < n; i++) {
            time[i] = curve[i].time;
            survival[i] = curve[i].survival;
        }
        *out = goodness_anderson_darling(&f, (double)d->n, time, survival, n);
    } else {
        st = FT_NOMEM;
    }
    free(time);
    free(survival);
    free(curve);
    return st;
}

static void draw_sample(void *ctx, size_t draw)
{
    struct sampler *s = ctx;
    const uint64_t stream = STREAM + ((uint64_t)draw << 16);
    double *time = calloc(s->n + 1, sizeof(*time));
    bool *failed = calloc(s->n + 1, sizeof(*failed));
    s->distance[draw] = NAN;
    s->is_short[draw] = time == NULL || failed == NULL;
    if (!s->is_short[draw]) {
        for (size_t i = 0; i < s->n; i++) {
            const double life = draw_life(s, stream, i), end = draw_end(s, stream, i);
            failed[i] = life <= end;
            time[i] = failed[i] ? life : end;
        }
        const struct life_data d = {
            .time = time, .failed = failed, .entry = s->is_late ? s->entry : NULL, .n = s->n};
        s->is_short[draw] = measure(s, &d, &s->distance[draw]) == FT_NOMEM;
    }
    free(time);
    free(failed);
}

/* How many of the draws asked for are worth their time; 0 = too many units. */
static size_t affordable(const struct life_fit *f, double n, size_t n_draws)
{
    const double cost = f->distribution == LIFE_WEIBULL3 ? THRESHOLD_COST : 1;
    const double most = floor(MAX_WORK / (n * cost));
    if (most < MIN_DRAWS)
        return 0;
    return most < (double)n_draws ? (size_t)most : n_draws;
}

static const char *find_obstacle(const struct life_data *d, const struct life_totals *totals,
                                 double distance, size_t n_draws)
{
    if (n_draws == 0)
        return "no samples were asked for";
    if (totals->n_rows_failed == 0)
        return "nothing has failed";
    if (totals->n_intervals > 0)
        return "some failures are known only to lie in an interval";
    if (!has_whole_weights(d))
        return "some rows count as parts of a unit";
    return isfinite(distance) ? NULL : "there is no curve to compare with";
}

static enum ft_status run(struct sampler *s, double distance, struct pool *pool,
                          struct goodness_p *out, struct ft_err *err)
{
    size_t n_far = 0;
    if (pool != NULL)
        pool_run(pool, out->n_draws, draw_sample, s);
    else
        for (size_t i = 0; i < out->n_draws; i++)
            draw_sample(s, i);
    for (size_t i = 0; i < out->n_draws; i++) {
        if (s->is_short[i])
            return ft_fail(err, FT_NOMEM, "goodness: no memory for a sample of %zu units", s->n);
        out->n_fitted += isfinite(s->distance[i]);
        n_far += s->distance[i] >= distance;
    }
    if (2 * out->n_fitted < out->n_draws)
        out->why_not = "most of the simulated samples could not be fitted";
    else
        out->p = (double)(1 + n_far) / (double)(1 + out->n_fitted);
    return FT_OK;
}

enum ft_status goodness_bootstrap(const struct life_fit *f, const struct life_data *data,
                                  double distance, size_t n_draws, uint64_t seed, struct pool *pool,
                                  struct goodness_p *out, struct ft_err *err)
{
    struct life_totals totals;
    *out = (struct goodness_p){.p = NAN};
    enum ft_status st = life_data_totals(data, &totals, err);
    if (st != FT_OK)
        return st;
    out->why_not = find_obstacle(data, &totals, distance, n_draws);
    if (out->why_not != NULL)
        return FT_OK;
    out->n_draws = affordable(f, totals.n, n_draws);
    if (out->n_draws == 0) {
        out->why_not = "there are too many units to simulate";
        return FT_OK;
    }
    struct sampler s = {.fit = f, .seed = seed};
    st = sampler_init(&s, data, (size_t)totals.n, out->n_draws, err);
    if (st == FT_OK)
        st = find_ends(&s, err);
    if (st == FT_OK)
        st = run(&s, distance, pool, out, err);
    sampler_free(&s);
    return st;
}
