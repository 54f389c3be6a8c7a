#include "app/life_report.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

static enum ft_status fit_best(struct life_report *r, const struct life_data *data,
                               struct ft_err *err)
{
    int best = -1, second = -1;
    for (int k = 0; k < N_LIFE_DISTRIBUTIONS; k++) {
        struct life_candidate *c = &r->candidates[k];
        c->error = (struct ft_err){.code = FT_OK};
        c->error.code = life_fit((enum life_distribution)k, data, &c->fit, &c->error);
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
    struct weibull w;
    const enum ft_status st = weibull_fit_fixed_shape(data->time, data->failed, data->entry,
                                                      data->weight, data->n, shape, &w, err);
    if (st != FT_OK)
        return st;
    r->fit = life_from_weibull(&w, data);
    r->is_shape_fixed = true;
    warn(r, "Weibayes: the shape %g was given, not estimated", shape);
    if (!(r->fit.n_failures > 0))
        warn(r, "no failure: the scale is a cautious lower bound, as if half a unit had failed");
    return FT_OK;
}

static enum ft_status fit_weibull(struct life_report *r, const struct life_data *d,
                                  struct ft_err *err)
{
    struct weibull w;
    enum ft_status st = weibull_fit(d->time, d->failed, d->entry, d->weight, d->n, &w, err);
    if (st != FT_OK)
        return st;
    r->has_profile = true;
    return weibull_profile_limits(&w, d->time, d->failed, d->entry, d->weight, d->n, r->confidence,
                                  r->profile_first, r->profile_scale, err);
}

static enum ft_status fit_law(struct life_report *r, const struct life_data *data,
                              const struct life_request *q, struct ft_err *err)
{
    enum ft_status st;
    if (q->shape > 0)
        st = fit_weibayes(r, data, q->shape, err);
    else if (q->is_best)
        st = fit_best(r, data, err);
    else
        st = life_fit(q->distribution, data, &r->fit, err);
    if (st == FT_OK && r->fit.distribution == LIFE_WEIBULL && !r->is_shape_fixed)
        st = fit_weibull(r, data, err);
    if (st != FT_OK)
        return st;
    life_limits(&r->fit, r->confidence, r->first, r->scale);
    r->mean = life_mean(&r->fit);
    r->b10 = life_quantile(&r->fit, 0.1);
    r->median = life_quantile(&r->fit, 0.5);
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
        last = fmax(last, t->count[i] > 0 ? t->time[i] : 0);
    if (t->event_column[0] == '\0')
        warn(r, "no column tells failed from censored: every row counts as a failure");
    if (r->fit.n_failures < 5 && r->fit.n_failures > 0)
        warn(r, "only %.15g %s: the limits are wide and rest on the chosen distribution",
             r->fit.n_failures, r->fit.n_failures > 1 ? "failures" : "failure");
    if (r->has_profile && r->fit.first > 1 && r->profile_first[0] <= 1)
        warn(r, "wear-out is not proven: the limits of the shape (%.3g to %.3g) include 1",
             r->profile_first[0], r->profile_first[1]);
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

enum ft_status life_report_make(const struct life_table *table, const struct life_request *request,
                                struct life_report *out, struct ft_err *err)
{
    const struct life_data data = {table->time, table->failed, table->entry, table->count,
                                   table->n};
    *out = (struct life_report){.confidence = request->confidence};
    enum ft_status st =
        kaplan_meier(table->time, table->failed, table->entry, table->count, table->n,
                     request->confidence, &out->curve, &out->n_curve, err);
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
    r->curve = NULL;
    r->n_curve = 0;
}

static void add_pair(cJSON *to, const char *key, const double pair[2])
{
    cJSON *a = json_add_array(to, key);
    json_add_number(a, NULL, pair[0]);
    json_add_number(a, NULL, pair[1]);
}

/* "shape" stays in the answer for every law; gumbel has a location instead. */
static void add_parameters(cJSON *to, const struct life_fit *f)
{
    json_add_string(to, "distribution", life_name(f->distribution));
    if (f->distribution == LIFE_GUMBEL) {
        json_add_null(to, "shape");
        json_add_number(to, "location", f->first);
    } else {
        json_add_number(to, "shape", f->first);
    }
    json_add_number(to, "scale", f->scale);
    json_add_number(to, "aic", f->aic);
    json_add_number(to, "log_likelihood", f->log_likelihood);
}

static void add_limits(cJSON *out, const struct life_report *r)
{
    cJSON *ci = json_add_object(out, "ci");
    const bool is_estimated = r->fit.distribution != LIFE_EXPONENTIAL && !r->is_shape_fixed;
    json_add_number(ci, "confidence", r->confidence);
    json_add_string(ci, "method", "wald");
    if (is_estimated)
        add_pair(ci, life_first_name(r->fit.distribution), r->first);
    add_pair(ci, "scale", r->scale);
    if (r->has_profile) {
        cJSON *profile = json_add_object(ci, "profile");
        add_pair(profile, "shape", r->profile_first);
        add_pair(profile, "scale", r->profile_scale);
    }
}

static void add_curve(cJSON *out, const struct life_report *r)
{
    cJSON *curve = json_add_array(out, "kaplan_meier");
    for (size_t i = 0; i < r->n_curve; i++) {
        const struct kaplan_meier_point *p = &r->curve[i];
        cJSON *o = json_add_object(curve, NULL);
        json_add_number(o, "time", p->time);
        json_add_number(o, "n_risk", p->n_risk);
        json_add_number(o, "n_failures", p->n_failures);
        json_add_number(o, "survival", p->survival);
        json_add_number(o, "std_error", p->std_error);
        json_add_number(o, "lower", p->lower);
        json_add_number(o, "upper", p->upper);
        json_add_number(o, "cumulative_hazard", p->cumulative_hazard);
    }
}

static void add_candidates(cJSON *out, const struct life_report *r)
{
    cJSON *list = json_add_array(out, "candidates");
    for (size_t i = 0; i < r->n_candidates; i++) {
        const struct life_candidate *c = &r->candidates[i];
        cJSON *o = json_add_object(list, NULL);
        if (c->error.code == FT_OK) {
            add_parameters(o, &c->fit);
        } else {
            json_add_string(o, "distribution", life_name((enum life_distribution)i));
            json_add_string(o, "error", c->error.msg);
        }
    }
}

static void add_verdict(cJSON *out, const struct life_report *r)
{
    static const char *const words[] = {[LIFE_UNDECIDED] = NULL,
                                        [LIFE_REPLACE_AT] = "replace_at",
                                        [LIFE_RUN_TO_FAILURE] = "run_to_failure"};
    const bool pays = r->verdict == LIFE_REPLACE_AT;
    json_add_number(out, "optimal_interval", pays ? r->replacement.interval : NAN);
    json_add_number(out, "cost_rate", r->replacement.cost_rate);
    json_add_number(out, "saving_frac", r->replacement.saving_frac);
    json_add_number(out, "run_to_failure_cost_rate", r->run_to_failure_rate);
    json_add_string(out, "verdict", words[r->verdict]);
    json_add_string(out, "reason", r->reason);
}

void life_report_json(const struct life_report *r, const struct life_table *table, cJSON *out)
{
    json_add_number(out, "n", r->fit.n);
    json_add_number(out, "failures", r->fit.n_failures);
    json_add_number(out, "censored", r->fit.n - r->fit.n_failures);
    cJSON *columns = json_add_object(out, "columns");
    const char *const used[][2] = {{"time", table->time_column},
                                   {"event", table->event_column},
                                   {"entry", table->entry_column},
                                   {"count", table->count_column}};
    for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
        json_add_string(columns, used[i][0], used[i][1][0] != '\0' ? used[i][1] : NULL);
    add_parameters(out, &r->fit);
    json_add_bool(out, "shape_given", r->is_shape_fixed);
    add_limits(out, r);
    json_add_number(out, "mean", r->mean);
    json_add_number(out, "b10", r->b10);
    json_add_number(out, "median", r->median);
    add_verdict(out, r);
    cJSON *warnings = json_add_array(out, "warnings");
    for (size_t i = 0; i < r->n_warnings; i++)
        json_add_string(warnings, NULL, r->warnings[i]);
    add_curve(out, r);
    add_candidates(out, r);
}
