/* Fitting. Lognormal, loglogistic and gumbel are location-scale laws of y = log t or t, searched in
 * (location / scale, 1 / scale), where the likelihood is concave without truncation (Burridge
 * 1981); gamma in (log shape, log scale) with numerical derivatives; the others have their own
 * ways. */
#include "models/life.h"

#include "models/optim.h"
#include "models/special.h"
#include "models/standard_law.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const names[N_LIFE_DISTRIBUTIONS] = {[LIFE_WEIBULL] = "weibull",
                                                        [LIFE_LOGNORMAL] = "lognormal",
                                                        [LIFE_LOGLOGISTIC] = "loglogistic",
                                                        [LIFE_EXPONENTIAL] = "exponential",
                                                        [LIFE_GAMMA] = "gamma",
                                                        [LIFE_GUMBEL] = "gumbel"};

const char *life_name(enum life_distribution distribution)
{
    return names[distribution];
}

enum ft_status life_parse(const char *name, enum life_distribution *out, struct ft_err *err)
{
    for (int i = 0; i < N_LIFE_DISTRIBUTIONS; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (enum life_distribution)i;
            return FT_OK;
        }
    return ft_fail(err, FT_NOT_FOUND,
                   "distribution '%.40s' is not known; expected weibull, lognormal, loglogistic, "
                   "exponential, gamma or gumbel",
                   name);
}

const char *life_first_name(enum life_distribution distribution)
{
    return distribution == LIFE_GUMBEL ? "location" : "shape";
}

struct totals {
    double n, r;           /* weight of all units and of the failures */
    size_t n_rows_failed;  /* rows of the failures */
    double exposure;       /* sum of weight * (time - entry) */
    double mean, mean_log; /* of the failure times */
    double sd, sd_log;
    double sum_log; /* sum of weight * log time over the failures */
};

static double weight_of(const struct life_data *d, size_t i)
{
    return d->weight != NULL ? d->weight[i] : 1;
}

static double entry_of(const struct life_data *d, size_t i)
{
    return d->entry != NULL ? d->entry[i] : 0;
}

static enum ft_status check_unit(const struct life_data *d, size_t i, struct ft_err *err)
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

static enum ft_status sum_up(const struct life_data *d, struct totals *s, struct ft_err *err)
{
    *s = (struct totals){0};
    for (size_t i = 0; i < d->n; i++) {
        const enum ft_status st = check_unit(d, i, err);
        if (st != FT_OK)
            return st;
        const double w = weight_of(d, i);
        s->n += w;
        s->exposure += w * (d->time[i] - entry_of(d, i));
        if (w > 0 && d->failed[i]) {
            s->r += w;
            s->n_rows_failed++;
            s->mean += w * d->time[i];
            s->sum_log += w * log(d->time[i]);
        }
    }
    if (s->n_rows_failed == 0)
        return ft_fail(err, FT_TOO_FEW,
                       "no failure among %.15g units: no distribution can be "
                       "fitted, but a given Weibull shape gives a bound (Weibayes)",
                       s->n);
    s->mean /= s->r;
    s->mean_log = s->sum_log / s->r;
    for (size_t i = 0; i < d->n; i++)
        if (d->failed[i]) {
            const double u = d->time[i] - s->mean, v = log(d->time[i]) - s->mean_log;
            s->sd += weight_of(d, i) * u * u / s->r;
            s->sd_log += weight_of(d, i) * v * v / s->r;
        }
    s->sd = sqrt(s->sd);
    s->sd_log = sqrt(s->sd_log);
    return FT_OK;
}

static enum ft_status no_peak(enum life_distribution distribution, const struct totals *s,
                              struct ft_err *err)
{
    return ft_fail(err, FT_TOO_FEW,
                   "%s: the likelihood of %.15g failures among %.15g units has no peak; the data "
                   "cannot carry two parameters",
                   names[distribution], s->r, s->n);
}

/* y of a time: its log about the mean log, or its share of the mean. */
struct location_scale {
    const struct life_data *d;
    enum standard_law law;
    bool is_log;
    double centre; /* mean log, or mean time */
};

static double position(const struct location_scale *p, double t)
{
    return p->is_log ? log(t) - p->centre : t / p->centre;
}

/* One term: weight * value of a log function with these slopes at z = u[1] y - u[0]. */
static void add_term(double weight, const double slope[2], double y, double *gradient,
                     double *hessian)
{
    gradient[0] += weight * slope[0];
    gradient[1] -= weight * slope[0] * y;
    hessian[0] -= weight * slope[1];
    hessian[2] += weight * slope[1] * y;
    hessian[3] -= weight * slope[1] * y * y;
}

/* Minus the log-likelihood of y at u = (location / scale, 1 / scale), for optim_newton(). */
static double location_scale_value(void *ctx, const double *u, double *gradient, double *hessian)
{
    const struct location_scale *p = ctx;
    const struct life_data *d = p->d;
    double sum = 0, slope[2];
    if (!(u[1] > 0))
        return INFINITY;
    for (size_t i = 0; i < d->n; i++) {
        const double w = weight_of(d, i), y = position(p, d->time[i]);
        const double z = u[1] * y - u[0];
        if (d->failed[i]) {
            sum -= w * (log(u[1]) + law_log_density(p->law, z, slope));
            if (gradient != NULL) {
                gradient[1] -= w / u[1];
                hessian[3] += w / (u[1] * u[1]);
            }
        } else {
            sum -= w * law_log_survival(p->law, z, slope);
        }
        if (gradient != NULL)
            add_term(w, slope, y, gradient, hessian);
        if (entry_of(d, i) > 0) {
            const double ye = position(p, d->entry[i]);
            sum += w * law_log_survival(p->law, u[1] * ye - u[0], slope);
            if (gradient != NULL)
                add_term(-w, slope, ye, gradient, hessian);
        }
    }
    return isnan(sum) ? INFINITY : sum;
}

/* Inverse of a 2 x 2 matrix given by its Cholesky factor. */
static void invert_factor(const double l[4], double v[2][2])
{
    const double a = 1 / l[0], c = 1 / l[3], b = -l[2] * a * c;
    v[0][0] = a * a + b * b;
    v[0][1] = v[1][0] = b * c;
    v[1][1] = c * c;
}

/* From u and its covariance to the parameters and theirs. */
static void set_location_scale(struct life_fit *f, const struct location_scale *p,
                               const double u[2], double v[2][2])
{
    const double m = u[0] / u[1], sigma = 1 / u[1], aa = sigma * sigma;
    const double var_m = aa * (v[0][0] - 2 * m * v[0][1] + m * m * v[1][1]);
    const double cov = -aa * (v[0][1] - m * v[1][1]); /* of location and log sigma */
    const double var_l = aa * v[1][1];
    if (!p->is_log) {
        f->first = m * p->centre;
        f->scale = sigma * p->centre;
        f->cov[0][0] = var_m * p->centre * p->centre;
        f->cov[0][1] = f->cov[1][0] = cov * p->centre;
        f->cov[1][1] = var_l;
        return;
    }
    const bool is_shape = p->law == LAW_LOGISTIC; /* first = 1 / sigma, else sigma */
    f->first = is_shape ? u[1] : sigma;
    f->scale = exp(m + p->centre);
    f->cov[0][0] = var_l;
    f->cov[0][1] = f->cov[1][0] = is_shape ? -cov : cov;
    f->cov[1][1] = var_m;
}

static enum ft_status fit_location_scale(struct life_fit *f, const struct life_data *d,
                                         const struct totals *s, struct ft_err *err)
{
    const bool is_log = f->distribution != LIFE_GUMBEL;
    struct location_scale p = {.d = d, .is_log = is_log, .centre = is_log ? s->mean_log : s->mean};
    p.law = f->distribution == LIFE_LOGNORMAL     ? LAW_NORMAL
            : f->distribution == LIFE_LOGLOGISTIC ? LAW_LOGISTIC
                                                  : LAW_EXTREME;
    const double spread = fmax(is_log ? s->sd_log : s->sd / s->mean, 1e-6);
    double u[2] = {is_log ? 0 : 1 / spread, 1 / spread}, factor[4], v[2][2];
    struct optim_result result;
    const struct optim_problem problem = {.n = 2,
                                          .evaluate = location_scale_value,
                                          .ctx = &p,
                                          .scale = s->n,
                                          .pivot_tolerance = 1e-13,
                                          .is_convex = d->entry == NULL};
    const enum ft_status st = optim_newton(&problem, u, factor, &result, err);
    if (st == FT_NOMEM)
        return st;
    if (st != FT_OK || result.runs_away)
        return no_peak(f->distribution, s, err);
    invert_factor(factor, v);
    set_location_scale(f, &p, u, v);
    f->log_likelihood = -result.value - (is_log ? s->sum_log : s->r * log(s->mean));
    return FT_OK;
}

/* Gamma, times as shares of the mean failure time. */
struct gamma_problem {
    const struct life_data *d;
    double centre;
};

static double gamma_value(const struct gamma_problem *p, double log_shape, double log_scale)
{
    const struct life_data *d = p->d;
    const double shape = exp(log_shape), norm = lgamma(shape) + shape * log_scale;
    double sum = 0;
    for (size_t i = 0; i < d->n; i++) {
        const double w = weight_of(d, i), t = d->time[i] / p->centre;
        const double x = t * exp(-log_scale);
        sum -= w * (d->failed[i] ? (shape - 1) * log(t) - x - norm : special_log_gamma_q(shape, x));
        if (entry_of(d, i) > 0)
            sum += w * special_log_gamma_q(shape, d->entry[i] / p->centre * exp(-log_scale));
    }
    return isnan(sum) ? INFINITY : sum;
}

/* For optim_newton(): derivatives by differences of fourth order. */
static double gamma_evaluate(void *ctx, const double *at, double *gradient, double *hessian)
{
    const struct gamma_problem *p = ctx;
    if (fabs(at[0]) > 20 || fabs(at[1]) > 40)
        return INFINITY;
    const double value = gamma_value(p, at[0], at[1]);
    if (gradient == NULL)
        return value;
    const double h = 2e-3;
    double second[2];
    for (int j = 0; j < 2; j++) {
        double v[5];
        for (int k = -2; k <= 2; k++)
            v[k + 2] =
                k == 0 ? value
                       : gamma_value(p, at[0] + (j == 0 ? k * h : 0), at[1] + (j == 1 ? k * h : 0));
        gradient[j] = (v[0] - 8 * v[1] + 8 * v[3] - v[4]) / (12 * h);
        second[j] = (-v[0] + 16 * v[1] - 30 * v[2] + 16 * v[3] - v[4]) / (12 * h * h);
    }
    double mixed[2];
    for (int k = 1; k <= 2; k++) {
        const double s = k * h;
        mixed[k - 1] =
            (gamma_value(p, at[0] + s, at[1] + s) - gamma_value(p, at[0] + s, at[1] - s) -
             gamma_value(p, at[0] - s, at[1] + s) + gamma_value(p, at[0] - s, at[1] - s)) /
            (4 * s * s);
    }
    hessian[0] = second[0];
    hessian[2] = (4 * mixed[0] - mixed[1]) / 3;
    hessian[3] = second[1];
    return value;
}

static enum ft_status fit_gamma(struct life_fit *f, const struct life_data *d,
                                const struct totals *s, struct ft_err *err)
{
    struct gamma_problem p = {d, s->mean};
    struct optim_result result;
    const double cv = fmax(s->sd / s->mean, 1e-3);
    const double log_shape = fmin(fmax(-2 * log(cv), -3), 8);
    double at[2] = {log_shape, log(fmax(s->exposure / s->r, s->mean) / s->mean) - log_shape};
    double factor[4];
    const struct optim_problem problem = {
        .n = 2, .evaluate = gamma_evaluate, .ctx = &p, .scale = s->n, .is_convex = false};
    const enum ft_status st = optim_newton(&problem, at, factor, &result, err);
    if (st == FT_NOMEM)
        return st;
    if (st != FT_OK || result.runs_away)
        return no_peak(f->distribution, s, err);
    f->first = exp(at[0]);
    f->scale = exp(at[1]) * p.centre;
    invert_factor(factor, f->cov);
    f->log_likelihood = -result.value - s->r * log(p.centre);
    return FT_OK;
}

static void fit_exponential(struct life_fit *f, const struct totals *s)
{
    f->first = 1;
    f->scale = s->exposure / s->r;
    f->cov[1][1] = 1 / s->r;
    f->log_likelihood = -s->r * (log(f->scale) + 1);
    f->n_parameters = 1;
}

struct life_fit life_from_weibull(const struct weibull *w, const struct life_data *data)
{
    struct life_fit f = {.distribution = LIFE_WEIBULL,
                         .first = w->shape,
                         .scale = w->scale,
                         .log_likelihood = w->log_likelihood,
                         .n_parameters = w->is_shape_fixed ? 1 : 2};
    memcpy(f.cov, w->cov, sizeof(f.cov));
    for (size_t i = 0; i < data->n; i++) {
        f.n += weight_of(data, i);
        f.n_failures += data->failed[i] ? weight_of(data, i) : 0;
    }
    f.aic = 2 * (double)f.n_parameters - 2 * f.log_likelihood;
    return f;
}

static enum ft_status fit_weibull(struct life_fit *f, const struct life_data *d, struct ft_err *err)
{
    struct weibull w;
    const enum ft_status st = weibull_fit(d->time, d->failed, d->entry, d->weight, d->n, &w, err);
    if (st == FT_OK)
        *f = life_from_weibull(&w, d);
    return st;
}

enum ft_status life_fit(enum life_distribution distribution, const struct life_data *data,
                        struct life_fit *out, struct ft_err *err)
{
    struct totals s;
    *out = (struct life_fit){.distribution = distribution, .n_parameters = 2};
    enum ft_status st = sum_up(data, &s, err);
    if (st != FT_OK)
        return st;
    if (distribution != LIFE_EXPONENTIAL && s.n_rows_failed == 1 && s.r < 2)
        return ft_fail(err, FT_TOO_FEW,
                       "one failure among %.15g units cannot give two parameters; give a Weibull "
                       "shape (Weibayes) or use the exponential",
                       s.n);
    out->n = s.n;
    out->n_failures = s.r;
    switch (distribution) {
    case LIFE_WEIBULL:
        st = fit_weibull(out, data, err);
        break;
    case LIFE_EXPONENTIAL:
        fit_exponential(out, &s);
        break;
    case LIFE_GAMMA:
        st = fit_gamma(out, data, &s, err);
        break;
    default:
        st = fit_location_scale(out, data, &s, err);
    }
    out->aic = 2 * (double)out->n_parameters - 2 * out->log_likelihood;
    return st;
}

void life_limits(const struct life_fit *f, double confidence, double first[2], double scale[2])
{
    const double z = special_normal_quantile(0.5 + confidence / 2);
    const double by_scale = exp(z * sqrt(f->cov[1][1])), half = z * sqrt(f->cov[0][0]);
    const bool is_location = f->distribution == LIFE_GUMBEL;
    first[0] = is_location ? f->first - half : f->first * exp(-half);
    first[1] = is_location ? f->first + half : f->first * exp(half);
    scale[0] = f->scale / by_scale;
    scale[1] = f->scale * by_scale;
}
