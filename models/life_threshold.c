#include "models/life_threshold.h"

#include "models/life_search.h"
#include "models/optim.h"
#include "models/special.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Ages above a threshold, in arrays of our own. */
struct shifted {
    const struct life_data *from;
    double least; /* failure age, or end of an interval */
    double *time, *entry, *weight, *upper;
    struct life_data data;
};

static enum ft_status shifted_init(struct shifted *s, const struct life_data *d, struct ft_err *err)
{
    *s = (struct shifted){.from = d, .least = INFINITY};
    double *all = calloc(d->n + 1, 4 * sizeof(*all));
    if (all == NULL)
        return ft_fail(err, FT_NOMEM, "weibull3: no memory for %zu units", d->n);
    s->time = all;
    s->entry = all + d->n;
    s->weight = all + 2 * d->n;
    s->upper = all + 3 * d->n;
    bool is_late = false, has_interval = false;
    for (size_t i = 0; i < d->n; i++) {
        const bool is_interval = life_data_is_interval(d, i);
        is_late = is_late || life_data_entry(d, i) > 0;
        has_interval = has_interval || is_interval;
        if (d->failed[i] && life_data_weight(d, i) > 0)
            s->least = fmin(s->least, is_interval ? d->upper[i] : d->time[i]);
    }
    s->data = (struct life_data){.time = s->time,
                                 .failed = d->failed,
                                 .entry = is_late ? s->entry : NULL,
                                 .weight = s->weight,
                                 .n = d->n,
                                 .upper = has_interval ? s->upper : NULL};
    return FT_OK;
}

static void shifted_free(struct shifted *s)
{
    free(s->time); /* one block */
}

/* A unit seen alive below the threshold says nothing: weight 0. */
static void shift_to(struct shifted *s, double threshold)
{
    const struct life_data *d = s->from;
    for (size_t i = 0; i < d->n; i++) {
        const double t = d->time[i] - threshold;
        const bool is_interval = life_data_is_interval(d, i);
        s->weight[i] = life_data_weight(d, i);
        s->entry[i] = fmax(life_data_entry(d, i) - threshold, 0);
        s->upper[i] = is_interval ? d->upper[i] - threshold : 0;
        s->time[i] = is_interval ? fmax(t, 0) : t;
        if (!is_interval && !(t > 0)) {
            s->time[i] = 1;
            s->weight[i] = 0;
            s->entry[i] = 0;
        }
    }
}

/* Log-likelihood at the best shape and scale for a threshold; -INFINITY when there are none. */
static double profile_at(struct shifted *s, double threshold, struct life_fit *out)
{
    shift_to(s, threshold);
    return life_fit(LIFE_WEIBULL, &s->data, out, NULL) == FT_OK ? out->log_likelihood : -INFINITY;
}

/* The k-th of N_GRID thresholds: dense towards the least failure age. */
enum { N_GRID = 20 };
static double grid_at(const struct shifted *s, int k)
{
    return s->least * -expm1(-9.0 * k / N_GRID);
}

static double profile_value(void *ctx, double threshold)
{
    struct life_fit f;
    return profile_at(ctx, threshold, &f);
}

/* The log-likelihood at (log shape, log scale, threshold) moved by d from the fit. */
static double value_near(struct shifted *s, const struct life_fit *f, const double d[3])
{
    const struct life_fit at = {
        .distribution = LIFE_WEIBULL, .first = f->first * exp(d[0]), .scale = f->scale * exp(d[1])};
    shift_to(s, f->threshold + d[2]);
    return life_log_likelihood(&at, &s->data);
}

/* Covariance of log shape and log scale, the threshold free too: from second differences. A
 * threshold at its bound 0 counts as given. */
static void set_covariance(struct shifted *s, struct life_fit *f)
{
    const double step[3] = {1e-3, 1e-3, 1e-3 * fmin(s->least - f->threshold, f->threshold)};
    double h[3][3];
    if (!(f->threshold > 0))
        return; /* as the two-parameter fit gave it */
    for (int i = 0; i < 3; i++)
        for (int j = 0; j <= i; j++) {
            double sum = 0;
            for (int k = 0; k < 4; k++) {
                double d[3] = {0, 0, 0};
                d[i] += k < 2 ? step[i] : -step[i];
                d[j] += k % 2 == 0 ? step[j] : -step[j];
                sum += (k == 0 || k == 3 ? 1 : -1) * value_near(s, f, d);
            }
            h[i][j] = h[j][i] = -sum / (4 * step[i] * step[j]);
        }
    /* Schur complement of the threshold. */
    const double a = h[0][0] - h[0][2] * h[0][2] / h[2][2];
    const double b = h[0][1] - h[0][2] * h[1][2] / h[2][2];
    const double c = h[1][1] - h[1][2] * h[1][2] / h[2][2];
    const double det = a * c - b * b;
    if (!(h[2][2] > 0) || !(a > 0) || !(det > 0))
        return;
    f->cov[0][0] = c / det;
    f->cov[0][1] = f->cov[1][0] = -b / det;
    f->cov[1][1] = a / det;
}

/* The threshold at which value(s or what holds it, threshold) has its highest peak inside; -1: it
 * only rises towards the least failure age. *peak receives the value there. */
static double find_peak(const struct shifted *s, double (*value_at)(void *, double), void *ctx,
                        double *peak)
{
    int best = -1;
    double value[N_GRID];
    for (int k = 0; k < N_GRID; k++)
        value[k] = value_at(ctx, grid_at(s, k));
    for (int k = 0; k + 1 < N_GRID; k++)
        if ((k == 0 || value[k] >= value[k - 1]) && value[k] >= value[k + 1] &&
            (best < 0 || value[k] > value[best]))
            best = k;
    *peak = best < 0 ? INFINITY : value[best];
    if (best < 0 || !isfinite(value[best]))
        return -1;
    const double at = optim_maximum(value_at, ctx, best > 0 ? grid_at(s, best - 1) : 0,
                                    grid_at(s, best + 1), 1e-9 * s->least, peak);
    if (best > 0 || value[0] < *peak)
        return at;
    *peak = value[0];
    return 0;
}

static enum ft_status search(struct shifted *s, struct life_fit *out, struct ft_err *err)
{
    struct life_fit f;
    double peak;
    const double threshold = find_peak(s, profile_value, s, &peak);
    if (threshold < 0)
        return ft_fail(err, FT_TOO_FEW,
                       "weibull3: the likelihood keeps rising as the threshold goes to the least "
                       "failure age %g; the data cannot carry a threshold",
                       s->least);
    if (!isfinite(profile_at(s, threshold, &f)))
        return ft_fail(err, FT_INTERNAL, "weibull3: no convergence at threshold %g", threshold);
    *out = f;
    out->distribution = LIFE_WEIBULL3;
    out->threshold = threshold;
    set_covariance(s, out);
    return FT_OK;
}

enum ft_status life_threshold_fit(const struct life_data *data, struct life_fit *out,
                                  struct ft_err *err)
{
    struct shifted s;
    enum ft_status st = shifted_init(&s, data, err);
    if (st == FT_OK)
        st = search(&s, out, err);
    shifted_free(&s);
    return st;
}

double life_threshold_log_likelihood(const struct life_fit *f, const struct life_data *data)
{
    static const double here[3] = {0, 0, 0};
    struct shifted s;
    double value = -INFINITY;
    if (shifted_init(&s, data, NULL) == FT_OK && f->threshold < s.least)
        value = value_near(&s, f, here);
    shifted_free(&s);
    return value;
}

struct life_threshold_profile {
    struct shifted s;
    const struct life_fit *f;
    int held;
    double value;
};

struct life_threshold_profile *life_threshold_profile_new(const struct life_data *data)
{
    struct life_threshold_profile *p = calloc(1, sizeof(*p));
    if (p != NULL && shifted_init(&p->s, data, NULL) != FT_OK) {
        free(p);
        p = NULL;
    }
    return p;
}

void life_threshold_profile_free(struct life_threshold_profile *p)
{
    if (p != NULL)
        shifted_free(&p->s);
    free(p);
}

/* The log-likelihood at a threshold, one parameter held, the other at its best. */
static double held_value(void *ctx, double threshold)
{
    struct life_threshold_profile *p = ctx;
    struct life_search search;
    double origin[2], direction[2];
    shift_to(&p->s, threshold);
    if (life_search_init(&search, LIFE_WEIBULL, &p->s.data, NULL) != FT_OK)
        return -INFINITY;
    const double scale = fmax(p->f->scale + p->f->threshold - threshold, 1e-3 * p->f->scale);
    double t = life_search_line(&search, p->held, p->held == 0 ? p->value : p->f->first,
                                p->held == 1 ? p->value : scale, origin, direction);
    const double value = life_search_minimise_line(&search, origin, direction, &t);
    return isnan(value) ? -INFINITY : -(value + search.constant);
}

double life_threshold_profile_value(struct life_threshold_profile *p, const struct life_fit *f,
                                    int held, double value)
{
    double peak;
    p->f = f;
    p->held = held;
    p->value = value;
    (void)find_peak(&p->s, held_value, p, &peak);
    return peak;
}

/* From an inside threshold towards bound: where the profile has fallen to floor, or the bound. */
static double fall_to(struct shifted *s, double inside, double bound, double floor)
{
    struct life_fit f;
    double outside = bound;
    if (profile_at(s, bound, &f) > floor)
        return bound;
    for (int i = 0; i < 50; i++) {
        const double middle = inside + (outside - inside) / 2;
        *(profile_at(s, middle, &f) > floor ? &inside : &outside) = middle;
    }
    return inside;
}

enum ft_status life_threshold_limits(const struct life_fit *f, const struct life_data *data,
                                     double confidence, double limits[2], struct ft_err *err)
{
    struct shifted s;
    if (f->distribution != LIFE_WEIBULL3 || !(confidence > 0 && confidence < 1))
        return ft_fail(err, FT_INVALID,
                       "limits of a threshold need weibull3 and a confidence inside (0, 1)");
    const enum ft_status st = shifted_init(&s, data, err);
    if (st == FT_OK) {
        const double z = special_normal_quantile(0.5 + confidence / 2);
        const double floor = f->log_likelihood - 0.5 * z * z;
        const double top = s.least * (1 - 1e-9);
        /* Above, walk in steps: past a dip the likelihood may rise without bound. */
        double inside = f->threshold, outside = inside;
        struct life_fit at;
        for (int k = 1; k <= 64 && outside < top; k++) {
            outside = f->threshold + (top - f->threshold) * k / 64;
            if (!(profile_at(&s, outside, &at) > floor))
                break;
            inside = outside;
        }
        limits[0] = f->threshold > 0 ? fall_to(&s, f->threshold, 0, floor) : 0;
        limits[1] = fall_to(&s, inside, outside, floor);
    }
    shifted_free(&s);
    return st;
}
