/* The scale has a closed form given the shape, also under left truncation:
 *   scale^shape = A(shape) / r,  A = sum w (time^shape - entry^shape),  r = sum of w over failures,
 * so the fit is a search in one dimension, on the profile likelihood in log shape (Meeker and
 * Escobar 1998, section 8.4). Newton steps are halved until the likelihood rises. */
#include "models/weibull.h"

#include "models/special.h"

#include <float.h>
#include <math.h>

enum { MAX_STEPS = 200 };

struct weibull_data {
    const double *time;
    const bool *failed;
    const double *entry, *weight;
    size_t n;
};

static double weight_of(const struct weibull_data *d, size_t i)
{
    return d->weight != NULL ? d->weight[i] : 1.0;
}

static double entry_of(const struct weibull_data *d, size_t i)
{
    return d->entry != NULL ? d->entry[i] : 0.0;
}

/* What the search needs to know of the data, collected while it is checked. */
struct summary {
    size_t n, n_failures;
    double r;                   /* weight of the failures */
    double log_max;             /* log of the greatest time */
    double sum_log_failure;     /* sum of w * log(time / greatest time) over failures */
    double log_first, log_last; /* of the failure times */
    double sum_w, mean_log, var_log;
};

static enum ft_status check_unit(const struct weibull_data *d, size_t i, struct ft_err *err)
{
    const double t = d->time[i], e = entry_of(d, i), w = weight_of(d, i);
    if (!(t > 0) || !isfinite(t))
        return ft_fail(err, FT_INVALID, "unit %zu: time %g, expected a number above 0", i + 1, t);
    if (!(e >= 0) || !(e < t))
        return ft_fail(err, FT_INVALID, "unit %zu: entry %g, expected 0 <= entry < time %g", i + 1,
                       e, t);
    if (!(w >= 0) || !isfinite(w))
        return ft_fail(err, FT_INVALID, "unit %zu: weight %g, expected >= 0", i + 1, w);
    return FT_OK;
}

static enum ft_status summarise(const struct weibull_data *d, struct summary *s, struct ft_err *err)
{
    *s = (struct summary){.log_max = -INFINITY, .log_first = INFINITY, .log_last = -INFINITY};
    for (size_t i = 0; i < d->n; i++) {
        const enum ft_status st = check_unit(d, i, err);
        if (st != FT_OK)
            return st;
        const double w = weight_of(d, i);
        if (w <= 0)
            continue;
        s->n++;
        s->log_max = fmax(s->log_max, log(d->time[i]));
        if (d->failed[i]) {
            s->n_failures++;
            s->r += w;
            s->log_first = fmin(s->log_first, log(d->time[i]));
            s->log_last = fmax(s->log_last, log(d->time[i]));
        }
    }
    if (s->n == 0)
        return ft_fail(err, FT_TOO_FEW, "life data: no units");
    for (size_t i = 0; i < d->n; i++) {
        const double w = weight_of(d, i);
        if (w > 0 && d->failed[i])
            s->sum_log_failure += w * (log(d->time[i]) - s->log_max);
    }
    if (s->r > 0)
        s->mean_log = s->sum_log_failure / s->r;
    for (size_t i = 0; i < d->n; i++) {
        const double w = weight_of(d, i);
        const double u = log(d->time[i]) - s->log_max - s->mean_log;
        if (w > 0 && d->failed[i])
            s->var_log += w * u * u / s->r;
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

static struct exposure exposure_at(const struct weibull_data *d, const struct summary *s,
                                   double shape)
{
    struct exposure x = {0, 0, 0};
    for (size_t i = 0; i < d->n; i++) {
        const double w = weight_of(d, i);
        if (w <= 0)
            continue;
        add_power(&x, w, shape, log(d->time[i]) - s->log_max);
        if (entry_of(d, i) > 0)
            add_power(&x, -w, shape, log(entry_of(d, i)) - s->log_max);
    }
    return x;
}

/* Profile log-likelihood at log shape a, up to a constant, and its derivatives. */
struct profile {
    double value, d1, d2;
};

static struct profile profile_at(const struct weibull_data *d, const struct summary *s, double a)
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

static enum ft_status find_log_shape(const struct weibull_data *d, const struct summary *s,
                                     double *a, struct ft_err *err)
{
    const double lowest = log(1e-3), highest = log(1e5);
    /* The standard deviation of the log of a Weibull time is pi / (sqrt(6) shape). */
    const double spread = sqrt(s->var_log);
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
static double likelihood(const struct weibull_data *d, double log_shape, double log_scale,
                         double information[2][2])
{
    const double shape = exp(log_shape);
    double sum = 0, aa = 0, ab = 0, bb = 0;
    for (size_t i = 0; i < d->n; i++) {
        const double w = weight_of(d, i);
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
        if (entry_of(d, i) > 0) {
            const double ye = shape * (log(entry_of(d, i)) - log_scale);
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

static double log_scale_at(const struct weibull_data *d, const struct summary *s, double shape,
                           double r)
{
    return s->log_max + log(exposure_at(d, s, shape).a / r) / shape;
}

enum ft_status weibull_fit(const double *time, const bool *failed, const double *entry,
                           const double *weight, size_t n, struct weibull *out, struct ft_err *err)
{
    const struct weibull_data d = {time, failed, entry, weight, n};
    struct summary s;
    *out = (struct weibull){0};
    enum ft_status st = summarise(&d, &s, err);
    if (st != FT_OK)
        return st;
    if (s.n_failures == 0)
        return ft_fail(err, FT_TOO_FEW, "no failure among %zu units: a shape cannot be estimated",
                       s.n);
    if (s.n_failures == 1 && s.r < 2)
        return ft_fail(err, FT_TOO_FEW,
                       "one failure among %zu units cannot give a shape and a scale; give the "
                       "shape (Weibayes)",
                       s.n);
    if (entry == NULL && s.log_first >= s.log_max)
        return ft_fail(err, FT_TOO_FEW,
                       "every failure is at the greatest time %g: the shape would be infinite; "
                       "give the shape (Weibayes)",
                       exp(s.log_max));
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
        .n = s.n,
        .n_failures = s.n_failures,
    };
    return FT_OK;
}

enum ft_status weibull_fit_fixed_shape(const double *time, const bool *failed, const double *entry,
                                       const double *weight, size_t n, double shape,
                                       struct weibull *out, struct ft_err *err)
{
    const struct weibull_data d = {time, failed, entry, weight, n};
    struct summary s;
    *out = (struct weibull){0};
    if (!(shape >= 1e-3 && shape <= 1e5))
        return ft_fail(err, FT_INVALID, "shape %g, expected 0.001 to 100000", shape);
    const enum ft_status st = summarise(&d, &s, err);
    if (st != FT_OK)
        return st;
    const double r = s.n_failures > 0 ? s.r : 0.5;
    const double log_scale = log_scale_at(&d, &s, shape, r);
    double info[2][2];
    *out = (struct weibull){
        .shape = shape,
        .scale = exp(log_scale),
        .cov = {{0, 0}, {0, 1 / (r * shape * shape)}},
        .log_likelihood = likelihood(&d, log(shape), log_scale, info),
        .n = s.n,
        .n_failures = s.n_failures,
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

struct profile_search {
    const struct weibull_data *d;
    const struct summary *s;
    double log_shape, log_scale; /* of the fit */
};

/* Likelihood at a log scale, maximised over log shape from *a, which moves to the best. */
static double best_at_scale(const struct weibull_data *d, double log_scale, double *a)
{
    double info[2][2];
    double value = likelihood(d, *a, log_scale, info);
    for (int step = 0; step < 100; step++) {
        const double h = 1e-5;
        double unused[2][2];
        const double slope =
            (likelihood(d, *a + h, log_scale, unused) - likelihood(d, *a - h, log_scale, unused)) /
            (2 * h);
        double move = info[0][0] > 0 ? slope / info[0][0] : copysign(0.5, slope);
        move = fmin(fmax(move, -1), 1);
        double next = likelihood(d, *a + move, log_scale, unused);
        for (int half = 0; half < 40 && !(next >= value); half++) {
            move /= 2;
            next = likelihood(d, *a + move, log_scale, unused);
        }
        if (!(next >= value) || fabs(move) < 1e-9)
            break;
        *a += move;
        value = likelihood(d, *a, log_scale, info);
    }
    return value;
}

/* Profile log-likelihood of one parameter at log value x. */
static double profile_value(const struct profile_search *p, bool of_shape, double x)
{
    double info[2][2], a = p->log_shape;
    if (!of_shape)
        return best_at_scale(p->d, x, &a);
    return likelihood(p->d, x, log_scale_at(p->d, p->s, exp(x), p->s->r), info);
}

/* The log value on one side of the fit where the profile has fallen to floor; +-INFINITY if never
 * within 30 (a factor of 1e13). */
static double find_limit(const struct profile_search *p, bool of_shape, double step, double floor)
{
    double inside = of_shape ? p->log_shape : p->log_scale;
    double outside = inside + step;
    while (profile_value(p, of_shape, outside) > floor) {
        inside = outside;
        step *= 1.5;
        outside += step;
        if (fabs(step) > 30)
            return copysign(INFINITY, step);
    }
    for (int i = 0; i < 60 && fabs(outside - inside) > 1e-10; i++) {
        const double middle = inside + (outside - inside) / 2;
        *(profile_value(p, of_shape, middle) > floor ? &inside : &outside) = middle;
    }
    return inside + (outside - inside) / 2;
}

enum ft_status weibull_profile_limits(const struct weibull *w, const double *time,
                                      const bool *failed, const double *entry, const double *weight,
                                      size_t n, double confidence, double shape[2], double scale[2],
                                      struct ft_err *err)
{
    const struct weibull_data d = {time, failed, entry, weight, n};
    struct summary s;
    if (w->is_shape_fixed || !(confidence > 0 && confidence < 1))
        return ft_fail(err, FT_INVALID,
                       "profile limits need a fitted shape and a confidence "
                       "inside (0, 1)");
    const enum ft_status st = summarise(&d, &s, err);
    if (st != FT_OK)
        return st;
    const struct profile_search p = {&d, &s, log(w->shape), log(w->scale)};
    const double z = special_normal_quantile(0.5 + confidence / 2);
    const double floor = w->log_likelihood - 0.5 * z * z; /* chi-squared with one degree = z^2 */
    for (int side = 0; side < 2; side++) {
        const double sign = side == 0 ? -1 : 1;
        shape[side] = exp(find_limit(&p, true, sign * z * sqrt(w->cov[0][0]), floor));
        scale[side] = exp(find_limit(&p, false, sign * z * sqrt(w->cov[1][1]), floor));
    }
    return FT_OK;
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
