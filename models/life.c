/* Fitting. Weibull without intervals has a search of its own in one dimension (weibull.c); the
 * exponential and a given shape are searches along a line; the rest by Newton in the coordinates of
 * life_search.h. */
#include "models/life.h"

#include "models/life_search.h"
#include "models/life_threshold.h"
#include "models/optim.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {[LIFE_WEIBULL] = "weibull",
                                    [LIFE_LOGNORMAL] = "lognormal",
                                    [LIFE_LOGLOGISTIC] = "loglogistic",
                                    [LIFE_EXPONENTIAL] = "exponential",
                                    [LIFE_GAMMA] = "gamma",
                                    [LIFE_GUMBEL] = "gumbel",
                                    [LIFE_WEIBULL3] = "weibull3"};

const char *life_name(enum life_distribution distribution)
{
    return names[distribution];
}

enum ft_status life_parse(const char *name, enum life_distribution *out, struct ft_err *err)
{
    for (int i = 0; i <= LIFE_WEIBULL3; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (enum life_distribution)i;
            return FT_OK;
        }
    return ft_fail(err, FT_NOT_FOUND,
                   "distribution '%.40s' is not known; expected weibull, lognormal, loglogistic, "
                   "exponential, gamma, gumbel or weibull3",
                   name);
}

const char *life_first_name(enum life_distribution distribution)
{
    return distribution == LIFE_GUMBEL ? "location" : "shape";
}

static enum ft_status no_peak(const struct life_search *s, struct ft_err *err)
{
    return ft_fail(err, FT_TOO_FEW,
                   "%s: the likelihood of %.15g failures among %.15g units has no peak; the data "
                   "cannot carry two parameters",
                   names[s->distribution], s->totals.r, s->totals.n);
}

/* Inverse of a 2 x 2 matrix given by its Cholesky factor. */
static void invert_factor(const double l[4], double v[2][2])
{
    const double a = 1 / l[0], c = 1 / l[3], b = -l[2] * a * c;
    v[0][0] = a * a + b * b;
    v[0][1] = v[1][0] = b * c;
    v[1][1] = c * c;
}

static enum ft_status fit_two(struct life_search *s, struct life_fit *f, struct ft_err *err)
{
    const bool is_gamma = s->distribution == LIFE_GAMMA;
    double u[2], factor[4], v[2][2];
    struct optim_result result;
    life_search_start(s, u);
    const struct optim_problem problem = {.n = 2,
                                          .evaluate = life_search_value,
                                          .ctx = s,
                                          .scale = s->totals.n,
                                          .pivot_tolerance = is_gamma ? 0 : 1e-13,
                                          .is_convex = !is_gamma && s->d->entry == NULL};
    const enum ft_status st = optim_newton(&problem, u, factor, &result, err);
    if (st == FT_NOMEM)
        return st;
    if (st != FT_OK || result.runs_away)
        return no_peak(s, err);
    invert_factor(factor, v);
    life_search_set(s, u, v, f);
    f->log_likelihood = -result.value - s->constant;
    return FT_OK;
}

/* Only the scale, the shape of a Weibull given (1 = exponential). */
static enum ft_status fit_scale(const struct life_search *s, double shape, struct life_fit *f,
                                struct ft_err *err)
{
    double origin[2], direction[2];
    const double start = s->totals.exposure / fmax(s->totals.r, 0.5);
    double t = life_search_line(s, 0, shape, start, origin, direction);
    if (s->totals.n_rows_failed > 0) {
        f->log_likelihood = -life_search_minimise_line(s, origin, direction, &t) - s->constant;
        const double u[2] = {origin[0] + t * direction[0], origin[1] + t * direction[1]};
        double gradient[2] = {0, 0}, hessian[4] = {0, 0, 0, 0};
        struct life_search at = *s;
        (void)life_search_value(&at, u, gradient, hessian);
        if (!(hessian[0] > 0) || !isfinite(f->log_likelihood))
            return no_peak(s, err);
        f->first = shape;
        f->scale = exp(u[0] / u[1] + s->centre);
        f->cov[1][1] = 1 / (hessian[0] * shape * shape);
    }
    return FT_OK;
}

static enum ft_status fit_weibull(const struct life_data *d, struct life_fit *f, struct ft_err *err)
{
    struct weibull w;
    const enum ft_status st = weibull_fit(d->time, d->failed, d->entry, d->weight, d->n, &w, err);
    if (st != FT_OK)
        return st;
    f->first = w.shape;
    f->scale = w.scale;
    f->log_likelihood = w.log_likelihood;
    memcpy(f->cov, w.cov, sizeof(f->cov));
    return FT_OK;
}

static void fit_exponential(const struct life_totals *t, struct life_fit *f)
{
    f->first = 1;
    f->scale = t->exposure / t->r;
    f->cov[1][1] = 1 / t->r;
    f->log_likelihood = -t->r * (log(f->scale) + 1);
}

static void finish(const struct life_totals *t, size_t n_parameters, struct life_fit *f)
{
    f->n = t->n;
    f->n_failures = t->r;
    f->n_parameters = n_parameters;
    f->aic = 2 * (double)n_parameters - 2 * f->log_likelihood;
    f->bic = log(t->n) * (double)n_parameters - 2 * f->log_likelihood;
}

static enum ft_status check_failures(const struct life_search *s, struct ft_err *err)
{
    if (s->totals.n_rows_failed == 0)
        return ft_fail(err, FT_TOO_FEW,
                       "no failure among %.15g units: no distribution can be "
                       "fitted, but a given Weibull shape gives a bound (Weibayes)",
                       s->totals.n);
    if (s->distribution != LIFE_EXPONENTIAL && s->totals.n_rows_failed == 1 && s->totals.r < 2)
        return ft_fail(err, FT_TOO_FEW,
                       "one failure among %.15g units cannot give two parameters; give a Weibull "
                       "shape (Weibayes) or use the exponential",
                       s->totals.n);
    if (s->distribution != LIFE_EXPONENTIAL && s->totals.last_begin < s->totals.first_end)
        return ft_fail(err, FT_TOO_FEW,
                       "all failures may have come at one age, between %g and %g: nothing fixes a "
                       "spread; give a Weibull shape (Weibayes) or use the exponential",
                       s->totals.last_begin, s->totals.first_end);
    return FT_OK;
}

enum ft_status life_fit(enum life_distribution distribution, const struct life_data *data,
                        struct life_fit *out, struct ft_err *err)
{
    struct life_search s;
    *out = (struct life_fit){.distribution = distribution};
    enum ft_status st = life_search_init(&s, distribution, data, err);
    if (st == FT_OK)
        st = check_failures(&s, err);
    if (st != FT_OK)
        return st;
    if (distribution == LIFE_WEIBULL3)
        st = life_threshold_fit(data, out, err);
    else if (distribution == LIFE_WEIBULL && s.totals.n_intervals == 0)
        st = fit_weibull(data, out, err);
    else if (distribution == LIFE_EXPONENTIAL && s.totals.n_intervals == 0)
        fit_exponential(&s.totals, out);
    else if (distribution == LIFE_EXPONENTIAL)
        st = fit_scale(&s, 1, out, err);
    else
        st = fit_two(&s, out, err);
    finish(&s.totals,
           distribution == LIFE_EXPONENTIAL ? 1
           : distribution == LIFE_WEIBULL3  ? 3
                                            : 2,
           out);
    return st;
}

enum ft_status life_fit_fixed_shape(const struct life_data *d, double shape, struct life_fit *out,
                                    struct ft_err *err)
{
    struct life_search s;
    *out = (struct life_fit){.distribution = LIFE_WEIBULL, .first = shape, .is_shape_fixed = true};
    if (!(shape >= 1e-3 && shape <= 1e5))
        return ft_fail(err, FT_INVALID, "shape %g, expected 0.001 to 100000", shape);
    enum ft_status st = life_search_init(&s, LIFE_WEIBULL, d, err);
    if (st != FT_OK)
        return st;
    if (s.totals.n_intervals > 0) {
        st = fit_scale(&s, shape, out, err);
    } else {
        struct weibull w;
        st = weibull_fit_fixed_shape(d->time, d->failed, d->entry, d->weight, d->n, shape, &w, err);
        out->scale = w.scale;
        out->cov[1][1] = w.cov[1][1];
        out->log_likelihood = w.log_likelihood;
    }
    finish(&s.totals, 1, out);
    return st;
}

double life_log_likelihood(const struct life_fit *f, const struct life_data *data)
{
    struct life_search s;
    double u[2];
    if (f->distribution == LIFE_WEIBULL3)
        return life_threshold_log_likelihood(f, data);
    if (life_search_init(&s, f->distribution, data, NULL) != FT_OK)
        return -INFINITY;
    life_search_at(&s, f->first, f->scale, u);
    return -life_search_value(&s, u, NULL, NULL) - s.constant;
}
