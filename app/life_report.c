#include "app/life_report.h"

#include "models/goodness.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void warn(struct life_report *r, const char *fmt, ...)
{
    const size_t max = sizeof(r->warnings) / sizeof(r->warnings[0]);
    if (r->n_warnings == max)
        return;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(r->warnings[r->n_warnings++], sizeof(r->warnings[0]), fmt, ap);
    va_end(ap);
}

/* A law that gives ages below 0 more than this is not offered as the best. */
static const double MAX_MASS_BELOW_ZERO = 0.01;

static double goodness_of(const struct life_report *r, const struct life_fit *f)
{
    const struct life_steps *s = &r->steps;
    return goodness_anderson_darling(f, f->n, s->time, s->survival, s->n);
}

static enum ft_status fit_best(struct life_report *r, const struct life_data *data,
                               struct ft_err *err)
{
    int best = -1, second = -1;
    for (int k = 0; k < N_LIFE_DISTRIBUTIONS; k++) {
        struct life_candidate *c = &r->candidates[k];
        c->error = (struct ft_err){.code = FT_OK};
        c->error.code = life_fit((enum life_distribution)k, data, &c->fit, &c->error);
        c->goodness = goodness_of(r, &c->fit);
        r->n_candidates++;
        if (c->error.code != FT_OK || life_mass_below_zero(&c->fit) > MAX_MASS_BELOW_ZERO)
            continue;
        if (best < 0 || c->fit.aic < r->candidates[best].fit.aic) {
            second = best;
            best = k;
        } else if (second < 0 || c->fit.aic < r->candidates[second].fit.aic) {
            second = k;
        }
    }
    if (best < 0) {
        const struct ft_err *why = &r->candidates[0].error;
        return ft_fail(err, why->code, "%s", why->msg);
    }
    r->fit = r->candidates[best].fit;
    if (second >= 0 && r->candidates[second].fit.aic < r->fit.aic + 2)
        warn(r, "the data cannot tell %s from %s (AIC %.2f and %.2f)", life_name(best),
             life_name(second), r->fit.aic, r->candidates[second].fit.aic);
    return FT_OK;
}

static enum ft_status fit_weibayes(struct life_report *r, const struct life_data *data,
                                   double shape, struct ft_err *err)
{
    const enum ft_status st = life_fit_fixed_shape(data, shape, &r->fit, err);
    if (st != FT_OK)
        return st;
    warn(r, "Weibayes: the shape %g was given, not estimated", shape);
    if (!(r->fit.n_failures > 0))
        warn(r, "no failure: the scale is a cautious lower bound, as if half a unit had failed");
    return FT_OK;
}

/* Covariance of the logs from draws, for the limits of ages. */
static void set_covariance(struct life_report *r)
{
    enum { DRAWS = 2000 };
    double sum[2] = {0, 0}, square[3] = {0, 0, 0}, shape = 0, scale = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        shape_posterior_draw(&r->posterior, 1, i, &shape, &scale);
        const double a = log(shape / r->fit.first), b = log(scale / r->fit.scale);
        sum[0] += a;
        sum[1] += b;
        square[0] += a * a;
        square[1] += a * b;
        square[2] += b * b;
    }
    r->fit.cov[0][0] = (square[0] - sum[0] * sum[0] / DRAWS) / (DRAWS - 1);
    r->fit.cov[0][1] = r->fit.cov[1][0] = (square[1] - sum[0] * sum[1] / DRAWS) / (DRAWS - 1);
    r->fit.cov[1][1] = (square[2] - sum[1] * sum[1] / DRAWS) / (DRAWS - 1);
}

static enum ft_status fit_posterior(struct life_report *r, const struct life_data *data,
                                    const struct shape_prior *prior, struct ft_err *err)
{
    struct life_totals totals;
    enum ft_status st = shape_posterior_fit(data, prior, r->confidence, &r->posterior, err);
    if (st == FT_OK)
        st = life_data_totals(data, &totals, err);
    if (st != FT_OK)
        return st;
    r->has_posterior = true;
    r->fit = (struct life_fit){.distribution = LIFE_WEIBULL,
                               .first = r->posterior.shape,
                               .scale = r->posterior.scale,
                               .aic = NAN,
                               .bic = NAN,
                               .n = totals.n,
                               .n_failures = totals.r,
                               .n_parameters = 2};
    r->fit.log_likelihood = life_log_likelihood(&r->fit, data);
    set_covariance(r);
    warn(r,
         "the shape rests on a prior too (median %g, log sd %g); the probability that the "
         "hazard rises is %.1f %%",
         prior->median, prior->log_sd, 100 * r->posterior.rises);
    return FT_OK;
}

static void fit_mixture(struct life_report *r, const struct life_data *data)
{
    r->mixture_error = (struct ft_err){.code = FT_OK};
    r->mixture_error.code = mixture_fit(data, r->confidence, &r->mixture, &r->mixture_error);
    r->has_mixture = r->mixture_error.code == FT_OK;
    if (!r->has_mixture)
        warn(r, "no mixture: %.200s", r->mixture_error.msg);
    else if (r->mixture.bic >= r->mixture.single_bic)
        warn(r,
             "one Weibull explains the data as well (BIC %.2f, mixture %.2f): no second "
             "population is proven",
             r->mixture.single_bic, r->mixture.bic);
}

static enum ft_status fit_law(struct life_report *r, const struct life_data *data,
                              const struct life_request *q, struct ft_err *err)
{
    enum ft_status st;
    if (q->shape > 0)
        st = fit_weibayes(r, data, q->shape, err);
    else if (q->prior.median > 0)
        st = fit_posterior(r, data, &q->prior, err);
    else if (q->is_best)
        st = fit_best(r, data, err);
    else
        st = life_fit(q->distribution, data, &r->fit, err);
    if (st != FT_OK)
        return st;
    r->has_profile = r->fit.n_failures > 0 && !r->has_posterior;
    if (r->has_profile)
        st = life_profile_limits(&r->fit, data, r->confidence, r->profile_first, r->profile_scale,
                                 err);
    if (st == FT_OK && r->fit.distribution == LIFE_WEIBULL3)
        st = life_threshold_limits(&r->fit, data, r->confidence, r->threshold, err);
    if (st != FT_OK)
        return st;
    life_limits(&r->fit, r->confidence, r->first, r->scale);
    if (r->has_posterior) {
        memcpy(r->first, r->posterior.shape_limits, sizeof(r->first));
        memcpy(r->scale, r->posterior.scale_limits, sizeof(r->scale));
    }
    if (q->has_mixture)
        fit_mixture(r, data);
    r->mean = life_mean(&r->fit);
    r->b10 = life_quantile(&r->fit, 0.1);
    r->median = life_quantile(&r->fit, 0.5);
    life_quantile_limits(&r->fit, 0.1, r->confidence, r->b10_limits);
    life_quantile_limits(&r->fit, 0.5, r->confidence, r->median_limits);
    r->goodness = goodness_of(r, &r->fit);
    return FT_OK;
}

static void decide(struct life_report *r, const struct life_request *q)
{
    const bool rises = life_hazard_rises(&r->fit);
    r->has_costs = q->has_costs;
    r->replacement = (struct age_replacement){.cost_rate = NAN, .saving_frac = NAN};
    r->run_to_failure_rate = NAN;
    if (q->has_costs) {
        r->replacement = life_age_replacement(&r->fit, q->cost_planned, q->cost_failure);
        r->run_to_failure_rate = r->replacement.has_optimum
                                     ? r->replacement.cost_rate / (1 - r->replacement.saving_frac)
                                     : r->replacement.cost_rate;
    }
    r->verdict = LIFE_RUN_TO_FAILURE;
    if (!rises) {
        r->reason = "the hazard does not rise with age, so a new part is no safer than an old one";
    } else if (!q->has_costs) {
        r->verdict = LIFE_UNDECIDED;
        r->reason = "the hazard rises with age; what a planned replacement and a failure cost "
                    "decides whether to replace early";
    } else if (q->cost_planned >= q->cost_failure) {
        r->reason = "planned work costs no less than a failure, so replacing early cannot pay";
    } else if (!r->replacement.has_optimum) {
        r->reason = "the hazard rises too little for these costs";
    } else {
        r->verdict = LIFE_REPLACE_AT;
        r->reason = "the hazard rises with age and planned work is cheaper than a failure";
    }
}

static void add_warnings(struct life_report *r, const struct life_table *t,
                         const struct life_request *q)
{
    double last = 0;
    for (size_t i = 0; i < t->n; i++)
        last =
            fmax(last, t->count[i] > 0 ? fmax(t->time[i], t->upper != NULL ? t->upper[i] : 0) : 0);
    if (t->event_column[0] == '\0' && t->upper == NULL && t->mode.of == NULL)
        warn(r, "no column tells failed from censored: every row counts as a failure");
    if (r->fit.n_failures < 5 && r->fit.n_failures > 0)
        warn(r, "only %.15g %s: the limits are wide and rest on the chosen distribution",
             r->fit.n_failures, r->fit.n_failures > 1 ? "failures" : "failure");
    if (r->has_profile && r->fit.first > 1 && r->profile_first[0] <= 1)
        warn(r, "wear-out is not proven: the limits of the shape (%.3g to %.3g) include 1",
             r->profile_first[0], r->profile_first[1]);
    if (r->has_profile && r->fit.distribution == LIFE_WEIBULL3 &&
        (r->profile_first[0] == 0 || r->profile_scale[0] == 0 || isinf(r->profile_scale[1])))
        warn(r, "with a threshold the likelihood has no bound for shapes below 1: limits of 0 or "
                "infinity are limits that these data do not set");
    if (r->verdict == LIFE_REPLACE_AT && r->replacement.interval > last)
        warn(r, "the replacement age %.6g lies beyond the greatest age seen, %.6g",
             r->replacement.interval, last);
    if (life_mass_below_zero(&r->fit) > MAX_MASS_BELOW_ZERO)
        warn(r, "this distribution puts %.1f %% of the units below age 0",
             100 * life_mass_below_zero(&r->fit));
    if (q->has_costs && q->cost_planned >= q->cost_failure)
        warn(r, "the planned cost %.6g is not below the failure cost %.6g; are the two swapped?",
             q->cost_planned, q->cost_failure);
}

/* The curve that needs no distribution, and its steps. */
static enum ft_status make_curve(struct life_report *r, const struct life_data *d,
                                 struct ft_err *err)
{
    struct life_totals totals;
    enum ft_status st = life_data_totals(d, &totals, err);
    if (st != FT_OK)
        return st;
    if (totals.n_intervals == 0)
        st = kaplan_meier(d->time, d->failed, d->entry, d->weight, d->n, r->confidence, &r->curve,
                          &r->n_curve, err);
    else if (d->entry == NULL)
        st = turnbull(d, &r->turnbull, &r->n_turnbull, &r->turnbull_result, err);
    else
        warn(r, "no curve without a distribution: intervals and left truncation together");
    if (st != FT_OK)
        return st;
    const size_t n = r->n_curve + r->n_turnbull;
    r->steps.time = calloc(n + 1, sizeof(double));
    r->steps.survival = calloc(n + 1, sizeof(double));
    if (r->steps.time == NULL || r->steps.survival == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a curve of %zu steps", n);
    for (size_t i = 0; i < n; i++) {
        const double t = i < r->n_curve ? r->curve[i].time : r->turnbull[i].upper;
        if (isinf(t))
            continue; /* what outlived every end */
        r->steps.time[r->steps.n] = t;
        r->steps.survival[r->steps.n++] =
            i < r->n_curve ? r->curve[i].survival : r->turnbull[i].survival;
    }
    if (r->n_turnbull > 0 && !r->turnbull_result.is_converged)
        warn(r, "the Turnbull curve did not converge in %zu steps", r->turnbull_result.n_steps);
    return FT_OK;
}

/* Below this share of samples as far from their curve the data speak against the law. */
static const double DOUBT_P = 0.05;

enum ft_status life_report_test(struct life_report *r, const struct life_data *data,
                                const struct life_request *request, struct pool *pool,
                                struct ft_err *err)
{
    if (r->has_posterior) {
        r->test.why_not = "the shape rests on a prior too";
        return FT_OK;
    }
    const enum ft_status st = goodness_bootstrap(&r->fit, data, r->goodness, request->n_draws,
                                                 request->seed, pool, &r->test, err);
    if (st == FT_OK && r->test.p < DOUBT_P)
        warn(r,
             "the data speak against a %s life (p = %.2g): try --distribution best, --mode-col or "
             "mixture",
             life_name(r->fit.distribution), r->test.p);
    return st;
}

void life_report_test_words(const struct life_report *r, char out[LIFE_GOODNESS_WORDS])
{
    const struct goodness_p *t = &r->test;
    if (t->why_not != NULL)
        (void)snprintf(out, LIFE_GOODNESS_WORDS, "No p-value of the fit: %s.", t->why_not);
    else
        (void)snprintf(out, LIFE_GOODNESS_WORDS,
                       "Of %zu samples simulated from this fit, %.2g %% lie as far from their own "
                       "curve (p = %.2g): the data %s it%s.",
                       t->n_fitted, 100 * t->p, t->p,
                       t->p < DOUBT_P ? "speak against" : "do not speak against",
                       r->fit.n_failures < 10 ? ", but few failures see only a gross misfit" : "");
}

enum ft_status life_report_make(const struct life_table *table, const struct life_request *request,
                                struct life_report *out, struct ft_err *err)
{
    const struct life_data data = life_table_data(table);
    *out = (struct life_report){.confidence = request->confidence,
                                .test = {.p = NAN, .why_not = "no samples were asked for"}};
    enum ft_status st = FT_OK;
    if (!(request->confidence > 0 && request->confidence < 1))
        st = ft_fail(err, FT_INVALID, "confidence %g, expected inside (0, 1)", request->confidence);
    if (st == FT_OK)
        st = make_curve(out, &data, err);
    if (st == FT_OK)
        st = fit_law(out, &data, request, err);
    if (st != FT_OK) {
        life_report_free(out);
        return st;
    }
    decide(out, request);
    add_warnings(out, table, request);
    return FT_OK;
}

void life_report_free(struct life_report *r)
{
    free(r->curve);
    free(r->turnbull);
    free(r->steps.time);
    free(r->steps.survival);
    *r = (struct life_report){0};
}
