/* The scale has a closed form given the shape, also under left truncation:
 *   scale^shape = A(shape) / r,  A = sum w (time^shape - entry^shape),  r = sum of w over failures,
 * so the fit is a search in one dimension, on the profile likelihood in log shape (Meeker and
 * Escobar 1998, section 8.4). Newton steps are halved until the likelihood rises. */
#include "models/weibull.h"

#include "models/life_data.h"
#include "models/special.h"

#include <math.h>

enum { MAX_STEPS = 200 };

/* What the search needs to know of the data beside the totals. */
struct summary {
    struct life_totals totals;
    double r;               /* weight of the failures */
    double log_max;         /* log of the greatest time */
    double sum_log_failure; /* sum of w * log(time / greatest time) over failures */
};

static enum ft_status summarise(const struct life_data *d, struct summary *s, struct ft_err *err)
{
    *s = (struct summary){0};
    const enum ft_status st = life_data_totals(d, &s->totals, err);
    if (st != FT_OK)
        return st;
    s->r = s->totals.r;
    s->log_max = log(s->totals.greatest);
    for (size_t i = 0; i < d->n; i++) {
        const double w = life_data_weight(d, i);
        if (w > 0 && d->failed[i])
            s->sum_log_failure += w * (log(d->time[i]) - s->log_max);
    }
    return FT_OK;
}

/* A and its first two derivatives in log shape, with times over the greatest time (so that no
 * power overflows). */
struct exposure {
    double a, d1, d2;
};

static void add_power(struct exposure *x, double w, double shape, double log_t)
{
    const double y = shape * log_t;
    const double p = w * exp(y);
    x->a += p;
    x->d1 += p * y;
    x->d2 += p * y * (1 + y);
}

static struct exposure exposure_at(const struct life_data *d, const struct summary *s, double shape)
{
    struct exposure x = {0, 0, 0};
    for (size_t i = 0; i < d->n; i++) {
        const double w = life_data_weight(d, i);
        if (w <= 0)
            continue;
        add_power(&x, w, shape, log(d->time[i]) - s->log_max);
        if (life_data_entry(d, i) > 0)
            add_power(&x, -w, shape, log(life_data_entry(d, i)) - s->log_max);
    }
    return x;
}

/* Profile log-likelihood at log shape a, up to a constant, and its derivatives. */
struct profile {
    double value, d1, d2;
};

static struct profile profile_at(const struct life_data *d, const struct summary *s, double a)
{
    const double shape = exp(a);
    const struct exposure x = exposure_at(d, s, shape);
    const double ratio = x.d1 / x.a;
    return (struct profile){
        .value = s->r * (a - log(x.a)) + shape * s->sum_log_failure,
        .d1 = s->r * (1 - ratio) + shape * s->sum_log_failure,
        .d2 = s->r * (ratio * ratio - x.d2 / x.a) + shape * s->sum_log_failure,
    };
}

static enum ft_status find_log_shape(const struct life_data *d, const struct summary *s, double *a,
                                     struct ft_err *err)
{
    const double lowest = log(1e-3), highest = log(1e5);
    /* The standard deviation of the log of a Weibull time is pi / (sqrt(6) shape). */
    const double spread = s->totals.sd_log;
    double at = spread > 0 ? log(1.2825 / spread) : 0;
    at = fmin(fmax(at, lowest + 1), highest - 1);
    struct profile p = profile_at(d, s, at);
    for (int step = 0; step < MAX_STEPS; step++) {
        if (fabs(p.d1) <= 1e-12 * s->r * (1 + fabs(exp(at) * s->sum_log_failure / s->r))) {
            *a = at;
            return FT_OK;
        }
        double move = p.d2 < 0 ? -p.d1 / p.d2 : copysign(0.5, p.d1);
        move = fmin(fmax(move, -1), 1);
        struct profile next = profile_at(d, s, at + move);
        for (int half = 0; half < 60 && !(next.value >= p.value - 1e-13 * fabs(p.value)); half++) {
            move /= 2;
            next = profile_at(d, s, at + move);
        }
        if (fabs(move) < 1e-15 * (1 + fabs(at))) {
            *a = at; /* as near as doubles come */
            return FT_OK;
        }
        at += move;
        p = next;
        if (at < lowest || at > highest)
            return ft_fail(err, FT_TOO_FEW,
                           "Weibull: the likelihood keeps rising as the shape goes to %s; the data "
                           "cannot fix the shape, give one (Weibayes)",
                           at < lowest ? "0" : "infinity");
    }
    return ft_fail(err, FT_INTERNAL, "Weibull: no convergence in %d steps at shape %g", MAX_STEPS,
                   exp(at));
}

/* Log-likelihood and negative second derivatives in (log shape, log scale). */
static double likelihood(const struct life_data *d, double log_shape, double log_scale,
                         double information[2][2])
{
    const double shape = exp(log_shape);
    double sum = 0, aa = 0, ab = 0, bb = 0;
    for (size_t i = 0; i < d->n; i++) {
        const double w = life_data_weight(d, i);
        if (w <= 0)
            continue;
        const double log_t = log(d->time[i]);
        const double y = shape * (log_t - log_scale);
        const double z = exp(y);
        const double failed = d->failed[i] ? 1 : 0;
        sum += w * (failed * (log_shape + y - log_t) - z);
        aa -= w * (failed * y - z * y * (y + 1));
        ab -= w * shape * (z * (y + 1) - failed);
        bb += w * shape * shape * z;
        if (life_data_entry(d, i) > 0) {
            const double ye = shape * (log(life_data_entry(d, i)) - log_scale);
            const double ze = exp(ye);
            sum += w * ze;
            aa -= w * ze * ye * (ye + 1);
            ab += w * shape * ze * (ye + 1);
            bb -= w * shape * shape * ze;
        }
    }
    information[0][0] = aa;
    information[0][1] = information[1][0] = ab;
    information[1][1] = bb;
    return sum;
}

static double log_scale_at(const struct life_data *d, const struct summary *s, double shape,
                           double r)
{
    return s->log_max + log(exposure_at(d, s, shape).a / r) / shape;
}

enum ft_status weibull_fit(const double *time, const bool *failed, const double *entry,
                           const double *weight, size_t n, struct weibull *out, struct ft_err *err)
{
    const struct life_data d = {time, failed, entry, weight, n, NULL};
    struct summary s;
    *out = (struct weibull){0};
    enum ft_status st = summarise(&d, &s, err);
    if (st != FT_OK)
        return st;
    if (s.totals.n_rows_failed == 0)
        return ft_fail(err, FT_TOO_FEW, "no failure among %zu units: a shape cannot be estimated",
                       s.totals.n_rows);
    if (s.totals.n_rows_failed == 1 && s.r < 2)
        return ft_fail(err, FT_TOO_FEW,
                       "one failure among %zu units cannot give a shape and a scale; give the "
                       "shape (Weibayes)",
                       s.totals.n_rows);
    if (entry == NULL && s.totals.first >= s.totals.greatest)
        return ft_fail(err, FT_TOO_FEW,
                       "every failure is at the greatest time %g: the shape would be infinite; "
                       "give the shape (Weibayes)",
                       s.totals.greatest);
    double log_shape = 0;
    st = find_log_shape(&d, &s, &log_shape, err);
    if (st != FT_OK)
        return st;
    double info[2][2];
    const double log_scale = log_scale_at(&d, &s, exp(log_shape), s.r);
    const double log_likelihood = likelihood(&d, log_shape, log_scale, info);
    const double det = info[0][0] * info[1][1] - info[0][1] * info[0][1];
    if (!(info[0][0] > 0) || !(det > 0) || !isfinite(log_scale))
        return ft_fail(err, FT_INTERNAL, "Weibull: the likelihood has no peak at shape %g",
                       exp(log_shape));
    *out = (struct weibull){
        .shape = exp(log_shape),
        .scale = exp(log_scale),
        .cov = {{info[1][1] / det, -info[0][1] / det}, {-info[0][1] / det, info[0][0] / det}},
        .log_likelihood = log_likelihood,
        .n = s.totals.n_rows,
        .n_failures = s.totals.n_rows_failed,
    };
    return FT_OK;
}

enum ft_status weibull_fit_fixed_shape(const double *time, const bool *failed, const double *entry,
                                       const double *weight, size_t n, double shape,
                                       struct weibull *out, struct ft_err *err)
{
    const struct life_data d = {time, failed, entry, weight, n, NULL};
    struct summary s;
    *out = (struct weibull){0};
    if (!(shape >= 1e-3 && shape <= 1e5))
        return ft_fail(err, FT_INVALID, "shape %g, expected 0.001 to 100000", shape);
    const enum ft_status st = summarise(&d, &s, err);
    if (st != FT_OK)
        return st;
    const double r = s.totals.n_rows_failed > 0 ? s.r : 0.5;
    const double log_scale = log_scale_at(&d, &s, shape, r);
    double info[2][2];
    *out = (struct weibull){
        .shape = shape,
        .scale = exp(log_scale),
        .cov = {{0, 0}, {0, 1 / (r * shape * shape)}},
        .log_likelihood = likelihood(&d, log(shape), log_scale, info),
        .n = s.totals.n_rows,
        .n_failures = s.totals.n_rows_failed,
        .is_shape_fixed = true,
    };
    return FT_OK;
}

/* Cumulative hazard. */
static double cumulative(const struct weibull *w, double t)
{
    return t > 0 ? exp(w->shape * log(t / w->scale)) : 0;
}

double weibull_survival(const struct weibull *w, double t)
{
    return exp(-cumulative(w, t));
}

double weibull_hazard(const struct weibull *w, double t)
{
    return t >= 0 ? w->shape / w->scale * pow(t / w->scale, w->shape - 1) : 0;
}

double weibull_mean(const struct weibull *w)
{
    return w->scale * tgamma(1 + 1 / w->shape);
}

double weibull_quantile(const struct weibull *w, double p)
{
    return w->scale * pow(-log1p(-p), 1 / w->shape);
}

double weibull_failure_probability(const struct weibull *w, double age, double t)
{
    if (!(t > 0))
        return 0;
    const double before = cumulative(w, age);
    if (!(before > 0))
        return -expm1(-cumulative(w, fmax(age, 0) + t));
    /* H(age + t) - H(age) without cancellation. */
    return -expm1(-before * expm1(w->shape * log1p(t / age)));
}

double weibull_remaining_quantile(const struct weibull *w, double age, double p)
{
    const double more = -log1p(-p);
    const double before = cumulative(w, age);
    if (!(before > 0))
        return weibull_quantile(w, p) - fmax(age, 0);
    return age * expm1(log1p(more / before) / w->shape);
}

void weibull_limits(const struct weibull *w, double confidence, double shape[2], double scale[2])
{
    const double z = special_normal_quantile(0.5 + confidence / 2);
    const double by_shape = exp(z * sqrt(w->cov[0][0])), by_scale = exp(z * sqrt(w->cov[1][1]));
    shape[0] = w->shape / by_shape;
    shape[1] = w->shape * by_shape;
    scale[0] = w->scale / by_scale;
    scale[1] = w->scale * by_scale;
}

/* Mean time lived up to T: int_0^T S = mean * P(1 / shape, (T / scale)^shape). */
static double lived_to(const struct weibull *w, double t)
{
    return weibull_mean(w) * special_gamma_p(1 / w->shape, cumulative(w, t));
}

/* Left side of the first-order condition: h(T) int_0^T S - F(T), rising from 0 when shape > 1. */
static double condition(const struct weibull *w, double t)
{
    return weibull_hazard(w, t) * lived_to(w, t) + expm1(-cumulative(w, t));
}

struct age_replacement weibull_age_replacement(const struct weibull *w, double cost_planned,
                                               double cost_failure)
{
    struct age_replacement r = {.cost_rate = cost_failure / weibull_mean(w)};
    if (!(w->shape > 1) || !(cost_planned > 0) || !(cost_planned < cost_failure))
        return r;
    const double target = cost_planned / (cost_failure - cost_planned);
    double low = 0, high = w->scale;
    while (condition(w, high) < target) {
        low = high;
        high *= 2;
        if (cumulative(w, high) > 700)
            return r; /* nobody lives to such an age: the same as run to failure */
    }
    for (int i = 0; i < 200 && high - low > 1e-15 * high; i++) {
        const double middle = low + (high - low) / 2;
        *(condition(w, middle) < target ? &low : &high) = middle;
    }
    r.has_optimum = true;
    r.interval = low + (high - low) / 2;
    const double alive = weibull_survival(w, r.interval);
    r.cost_rate = (cost_planned * alive + cost_failure * (1 - alive)) / lived_to(w, r.interval);
    r.saving_frac = 1 - r.cost_rate * weibull_mean(w) / cost_failure;
    return r;
}

struct age_replacement weibull_minimal_repair(const struct weibull *w, double cost_renewal,
                                              double cost_repair)
{
    struct age_replacement r = {.cost_rate = NAN, .saving_frac = NAN};
    if (!(w->shape > 1) || !(cost_renewal > 0) || !(cost_repair > 0))
        return r;
    r.has_optimum = true;
    r.interval = w->scale * pow(cost_renewal / (cost_repair * (w->shape - 1)), 1 / w->shape);
    r.cost_rate = (cost_renewal + cost_repair * cumulative(w, r.interval)) / r.interval;
    return r;
}
