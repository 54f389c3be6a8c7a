#include "app/life_recurrent.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A trend is told below this two-sided probability of chance. */
static const double SIGNIFICANT = 0.05;

static bool has_trend(const struct life_recurrent *r)
{
    return r->trend_error.code == FT_OK && r->trend.laplace_p < SIGNIFICANT;
}

static void fit_all(struct life_recurrent *r)
{
    r->trend_error.code = recurrent_trend(&r->data, &r->trend, &r->trend_error);
    r->power_error.code = power_law_fit(&r->data, &r->power, &r->power_error);
    if (r->power_error.code == FT_OK) {
        double last = 0;
        for (size_t u = 0; u < r->data.n_units; u++)
            last = fmax(last, r->data.units[u].end);
        power_law_limits(&r->power, r->confidence, r->shape, r->scale);
        r->rate_now = power_law_rate(&r->power, last);
    }
    r->best_repair = -1;
    for (int k = 0; k < 2; k++) {
        r->repair_error[k].code =
            kijima_fit(&r->data, k + 1, r->confidence, &r->repair[k], &r->repair_error[k]);
        if (r->repair_error[k].code == FT_OK &&
            (r->best_repair < 0 ||
             r->repair[k].log_likelihood > r->repair[r->best_repair].log_likelihood))
            r->best_repair = k;
    }
}

static void decide(struct life_recurrent *r, const struct life_request *q)
{
    r->renewal = (struct age_replacement){.cost_rate = NAN, .saving_frac = NAN};
    r->has_costs = q->cost_renewal > 0 && q->cost_repair > 0;
    if (r->has_costs && r->power_error.code == FT_OK) {
        const struct weibull w = {.shape = r->power.shape, .scale = r->power.scale};
        r->renewal = weibull_minimal_repair(&w, q->cost_renewal, q->cost_repair);
    }
    if (r->trend_error.code != FT_OK)
        (void)snprintf(r->verdict, sizeof(r->verdict), "too few events to judge a trend");
    else if (!has_trend(r))
        (void)snprintf(r->verdict, sizeof(r->verdict),
                       "no trend is proven (Laplace %.2f, p %.2g): a constant rate of %.4g per "
                       "asset and unit of time explains the events",
                       r->trend.laplace, r->trend.laplace_p,
                       (double)r->data.n_events / r->exposure);
    else
        (void)snprintf(r->verdict, sizeof(r->verdict),
                       "the assets %s: events come %s often with age (Laplace %.2f, p %.2g)",
                       r->trend.laplace > 0 ? "deteriorate" : "improve",
                       r->trend.laplace > 0 ? "more" : "less", r->trend.laplace,
                       r->trend.laplace_p);
}

enum ft_status life_recurrent_make(const struct life_table *t, const struct life_request *request,
                                   struct life_recurrent *out, struct ft_err *err)
{
    *out = (struct life_recurrent){.confidence = request->confidence, .best_repair = -1};
    enum ft_status st = recurrent_make(t->time, t->failed, t->asset.of, t->entry, t->count, t->n,
                                       t->asset.n, &out->data, err);
    if (st == FT_OK)
        st = recurrent_mcf(&out->data, request->confidence, &out->mcf, &out->n_mcf, err);
    if (st != FT_OK) {
        life_recurrent_free(out);
        return st;
    }
    for (size_t u = 0; u < out->data.n_units; u++)
        out->exposure += out->data.units[u].end - out->data.units[u].begin;
    fit_all(out);
    decide(out, request);
    return FT_OK;
}

static void add_pair(cJSON *to, const char *key, const double pair[2])
{
    cJSON *a = json_add_array(to, key);
    json_add_number(a, NULL, pair[0]);
    json_add_number(a, NULL, pair[1]);
}

void life_recurrent_mcf_json(const struct mcf_point *points, size_t n, cJSON *list)
{
    for (size_t i = 0; i < n; i++) {
        const struct mcf_point *p = &points[i];
        cJSON *o = json_add_object(list, NULL);
        json_add_number(o, "time", p->time);
        json_add_number(o, "n_risk", p->n_risk);
        json_add_number(o, "n_events", p->n_events);
        json_add_number(o, "mean", p->mean);
        json_add_number(o, "std_error", p->std_error);
        json_add_number(o, "lower", p->lower);
        json_add_number(o, "upper", p->upper);
    }
}

static void add_trend(cJSON *out, const struct life_recurrent *r)
{
    cJSON *o = json_add_object(out, "trend");
    json_add_string(o, "error", r->trend_error.code == FT_OK ? NULL : r->trend_error.msg);
    if (r->trend_error.code != FT_OK)
        return;
    json_add_number(o, "laplace", r->trend.laplace);
    json_add_number(o, "laplace_p", r->trend.laplace_p);
    json_add_number(o, "chi_squared", r->trend.chi_squared);
    json_add_number(o, "degrees", isnan(r->trend.chi_squared) ? NAN : r->trend.degrees);
    json_add_number(o, "chi_squared_p", r->trend.chi_squared_p);
    json_add_string(o, "verdict",
                    !has_trend(r)          ? "none"
                    : r->trend.laplace > 0 ? "deteriorating"
                                           : "improving");
}

static void add_power(cJSON *out, const struct life_recurrent *r)
{
    cJSON *o = json_add_object(out, "power_law");
    json_add_string(o, "error", r->power_error.code == FT_OK ? NULL : r->power_error.msg);
    if (r->power_error.code != FT_OK)
        return;
    json_add_number(o, "shape", r->power.shape);
    json_add_number(o, "scale", r->power.scale);
    json_add_number(o, "unbiased_shape", r->power.unbiased_shape);
    cJSON *ci = json_add_object(o, "ci");
    json_add_number(ci, "confidence", r->confidence);
    json_add_string(ci, "method", r->power.has_exact ? "chi_squared" : "wald");
    add_pair(ci, "shape", r->shape);
    add_pair(ci, "scale", r->scale);
    json_add_number(o, "log_likelihood", r->power.log_likelihood);
    json_add_number(o, "rate_at_end", r->rate_now);
    json_add_number(o, "mtbf_at_end", 1 / r->rate_now);
}

static void add_repair(cJSON *out, const struct life_recurrent *r)
{
    cJSON *list = json_add_array(out, "imperfect_repair");
    for (int k = 0; k < 2; k++) {
        const struct kijima *m = &r->repair[k];
        cJSON *o = json_add_object(list, NULL);
        json_add_string(o, "model", k == 0 ? "kijima_1" : "kijima_2");
        json_add_string(o, "error",
                        r->repair_error[k].code == FT_OK ? NULL : r->repair_error[k].msg);
        if (r->repair_error[k].code != FT_OK)
            continue;
        json_add_number(o, "q", m->q);
        add_pair(o, "q_ci", m->q_limits);
        json_add_number(o, "shape", m->shape);
        json_add_number(o, "scale", m->scale);
        json_add_number(o, "log_likelihood", m->log_likelihood);
        json_add_number(o, "log_likelihood_as_new", m->log_likelihood_new);
        json_add_number(o, "log_likelihood_as_old", m->log_likelihood_old);
    }
}

void life_recurrent_json(const struct life_recurrent *r, const struct life_table *table, cJSON *out)
{
    cJSON *columns = json_add_object(out, "columns");
    json_add_string(columns, "asset", table->asset_column);
    json_add_string(columns, "time", table->time_column);
    json_add_string(columns, "event", table->event_column);
    json_add_int(out, "assets", (int64_t)r->data.n_units);
    json_add_int(out, "events", (int64_t)r->data.n_events);
    json_add_number(out, "exposure", r->exposure);
    json_add_number(out, "confidence", r->confidence);
    json_add_string(out, "reason", r->verdict);
    add_trend(out, r);
    add_power(out, r);
    add_repair(out, r);
    if (r->has_costs) {
        cJSON *o = json_add_object(out, "minimal_repair");
        json_add_number(o, "interval", r->renewal.has_optimum ? r->renewal.interval : NAN);
        json_add_number(o, "cost_rate", r->renewal.has_optimum ? r->renewal.cost_rate : NAN);
    }
    life_recurrent_mcf_json(r->mcf, r->n_mcf, json_add_array(out, "mcf"));
}

void life_recurrent_free(struct life_recurrent *r)
{
    recurrent_free(&r->data);
    free(r->mcf);
    *r = (struct life_recurrent){0};
}
