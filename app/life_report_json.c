/* The life report as JSON. */
#include "app/life_report.h"

#include <math.h>

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
    if (f->distribution == LIFE_WEIBULL3)
        json_add_number(to, "threshold", f->threshold);
    json_add_number(to, "aic", f->aic);
    json_add_number(to, "bic", f->bic);
    json_add_number(to, "log_likelihood", f->log_likelihood);
}

static void add_limits(cJSON *out, const struct life_report *r)
{
    cJSON *ci = json_add_object(out, "ci");
    const bool is_estimated = r->fit.distribution != LIFE_EXPONENTIAL && !r->fit.is_shape_fixed;
    json_add_number(ci, "confidence", r->confidence);
    json_add_string(ci, "method", r->has_posterior ? "posterior" : "wald");
    if (is_estimated)
        add_pair(ci, life_first_name(r->fit.distribution), r->first);
    add_pair(ci, "scale", r->scale);
    if (r->has_profile) {
        cJSON *profile = json_add_object(ci, "profile");
        if (is_estimated)
            add_pair(profile, life_first_name(r->fit.distribution), r->profile_first);
        add_pair(profile, "scale", r->profile_scale);
        if (r->fit.distribution == LIFE_WEIBULL3)
            add_pair(profile, "threshold", r->threshold);
    }
    add_pair(ci, "b10", r->b10_limits);
    add_pair(ci, "median", r->median_limits);
}

/* The distance is comparable between fits of the same data; p says whether the law holds at all. */
static void add_goodness(cJSON *out, const struct life_report *r)
{
    char words[LIFE_GOODNESS_WORDS];
    cJSON *g = json_add_object(out, "goodness");
    json_add_string(g, "measure", "anderson_darling");
    json_add_string(g, "against", r->n_turnbull > 0 ? "turnbull" : "kaplan_meier");
    json_add_number(g, "distance", r->goodness);
    json_add_number(g, "p_value", r->test.p);
    json_add_string(g, "method", "parametric_bootstrap");
    json_add_int(g, "samples", (int64_t)r->test.n_fitted);
    json_add_string(g, "why_not", r->test.why_not);
    life_report_test_words(r, words);
    json_add_string(g, "words", words);
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

static void add_mixture(cJSON *out, const struct life_report *r)
{
    const struct mixture *m = &r->mixture;
    if (!r->has_mixture)
        return;
    cJSON *o = json_add_object(out, "mixture");
    json_add_number(o, "log_likelihood", m->log_likelihood);
    json_add_number(o, "aic", m->aic);
    json_add_number(o, "bic", m->bic);
    json_add_number(o, "single_bic", m->single_bic);
    cJSON *list = json_add_array(o, "populations");
    for (int k = 0; k < 2; k++) {
        cJSON *p = json_add_object(list, NULL);
        const double share[2] = {k == 0 ? m->share_limits[0] : 1 - m->share_limits[1],
                                 k == 0 ? m->share_limits[1] : 1 - m->share_limits[0]};
        json_add_number(p, "share", k == 0 ? m->share : 1 - m->share);
        add_pair(p, "share_ci", share);
        json_add_number(p, "shape", m->shape[k]);
        add_pair(p, "shape_ci", m->shape_limits[k]);
        json_add_number(p, "scale", m->scale[k]);
        add_pair(p, "scale_ci", m->scale_limits[k]);
    }
}

static void add_turnbull(cJSON *out, const struct life_report *r)
{
    cJSON *curve = json_add_array(out, "turnbull");
    for (size_t i = 0; i < r->n_turnbull; i++) {
        const struct turnbull_point *p = &r->turnbull[i];
        cJSON *o = json_add_object(curve, NULL);
        json_add_number(o, "lower", p->lower);
        json_add_number(o, "upper", p->upper); /* null: outlived every end */
        json_add_number(o, "probability", p->probability);
        json_add_number(o, "survival", p->survival);
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
            json_add_number(o, "anderson_darling", c->goodness);
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
    const char *const used[][2] = {{"time", table->time_column},   {"event", table->event_column},
                                   {"entry", table->entry_column}, {"count", table->count_column},
                                   {"upper", table->upper_column}, {"mode", table->mode_column},
                                   {"asset", table->asset_column}};
    for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
        json_add_string(columns, used[i][0], used[i][1][0] != '\0' ? used[i][1] : NULL);
    add_parameters(out, &r->fit);
    json_add_bool(out, "shape_given", r->fit.is_shape_fixed);
    add_limits(out, r);
    json_add_number(out, "mean", r->mean);
    json_add_number(out, "b10", r->b10);
    json_add_number(out, "median", r->median);
    if (r->has_posterior)
        json_add_number(out, "rises_probability", r->posterior.rises);
    add_goodness(out, r);
    add_mixture(out, r);
    add_verdict(out, r);
    cJSON *warnings = json_add_array(out, "warnings");
    for (size_t i = 0; i < r->n_warnings; i++)
        json_add_string(warnings, NULL, r->warnings[i]);
    add_curve(out, r);
    add_turnbull(out, r);
    add_candidates(out, r);
}
