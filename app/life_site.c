#include "app/life_site.h"

#include "app/base/clock.h"
#include "app/base/money.h"
#include "app/life_decide.h"
#include "app/planner/jobs.h"
#include "app/snapshot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAYS_PER_YEAR 365.25

/* Fewer own failures than this borrow from like parts; fewer other parts than that lend nothing. */
enum { MIN_FAILURES = 5, MIN_LENDERS = 3 };

/* Shapes of all parts but one as a prior: mean of the logs and their spread between parts
 * (DerSimonian and Laird 1986), never narrower than 0.2. */
static bool borrow(const struct lives *lives, const struct life *except, struct shape_prior *out)
{
    double w_sum = 0, wy = 0, wyy = 0, ww = 0;
    size_t n = 0;
    for (size_t i = 0; i < lives->n; i++) {
        const struct life *l = &lives->items[i];
        if (l == except || !l->has_fit || l->component_id == 0 || l->n_failures < MIN_FAILURES)
            continue;
        const double y = log(l->fit.shape), w = 1 / l->fit.cov[0][0];
        n++;
        w_sum += w;
        wy += w * y;
        wyy += w * y * y;
        ww += w * w;
    }
    if (n < MIN_LENDERS)
        return false;
    const double mean = wy / w_sum, q = wyy - mean * wy, c = w_sum - ww / w_sum;
    const double between = c > 0 ? fmax(0, (q - (double)(n - 1)) / c) : 0;
    *out = (struct shape_prior){exp(mean), fmin(fmax(sqrt(between + 1 / w_sum), 0.2), 3)};
    return true;
}

struct site_walk {
    const struct snapshot *s;
    const struct life_site_query *q;
    struct pool *pool;
    cJSON *components;
};

static void add_pair(cJSON *to, const char *key, const double pair[2])
{
    cJSON *a = json_add_array(to, key);
    json_add_number(a, NULL, pair[0]);
    json_add_number(a, NULL, pair[1]);
}

static void add_fit(cJSON *o, const struct life_report *r)
{
    json_add_number(o, "shape", r->fit.first);
    add_pair(o, "shape_ci", r->has_profile ? r->profile_first : r->first);
    json_add_number(o, "scale_d", r->fit.scale);
    add_pair(o, "scale_ci_d", r->has_profile ? r->profile_scale : r->scale);
}

/* "replace_at", "run_to_failure", or "unsettled" when the draws disagree. */
static void add_decision(cJSON *o, const struct life_report *r, const struct life_decisions *d)
{
    const struct life_rule *rule = &d->age;
    const bool pays = rule->best.has_optimum;
    const bool is_settled = pays ? rule->pays_frac >= 0.9 : rule->pays_frac <= 0.5;
    json_add_number(o, "best_interval_d", pays ? rule->best.interval : NAN);
    add_pair(o, "best_interval_ci_d", rule->interval);
    json_add_number(o, "saving_frac", rule->best.saving_frac);
    add_pair(o, "saving_frac_ci", rule->saving);
    json_add_number(o, "pays_frac", rule->pays_frac);
    if (d->has_spares)
        json_add_int(o, "spares", (int64_t)d->spares);
    else
        json_add_null(o, "spares");
    json_add_string(o, "verdict",
                    !is_settled ? "unsettled"
                    : pays      ? "replace_at"
                                : "run_to_failure");
    json_add_string(o, "reason", d->n_words > 0 ? d->words[0] : r->reason);
}

static void add_no_decision(cJSON *o, const char *why)
{
    static const char *const empty[] = {"best_interval_d", "best_interval_ci_d", "saving_frac",
                                        "saving_frac_ci",  "pays_frac",          "spares",
                                        "verdict"};
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
        json_add_null(o, empty[i]);
    json_add_string(o, "reason", why);
}

struct life_request life_site_request(const struct snapshot *s, const struct life_site_query *query,
                                      const struct life *l, const struct job_costs *costs,
                                      size_t n_assets)
{
    struct life_request q = {.distribution = LIFE_WEIBULL,
                             .confidence = query->confidence,
                             .has_costs = costs->planned_minor > 0 && costs->failure_minor > 0,
                             .cost_planned = (double)costs->planned_minor,
                             .cost_failure = (double)costs->failure_minor,
                             .n_draws = query->n_draws,
                             .seed = query->seed};
    const struct component *c = catalog_component(&s->catalog, l->component_id);
    if (c != NULL && c->spare_lead_ms > 0) {
        q.units = (double)n_assets;
        q.lead_time = (double)c->spare_lead_ms / (double)MS_PER_DAY;
        q.service_level = 0.95;
    }
    if (l->n_failures < MIN_FAILURES && !borrow(&s->lives, l, &q.prior))
        q.prior.median = 0;
    return q;
}

static enum ft_status add_analysis(const struct site_walk *w, const struct life *l,
                                   const struct life_request *q, cJSON *o, struct ft_err *err)
{
    struct life_report r;
    struct life_decisions d;
    struct ft_err why;
    double *ones = calloc(l->n + 1, sizeof(*ones));
    if (ones == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu lives", l->n);
    for (size_t i = 0; i < l->n; i++)
        ones[i] = 1;
    const struct life_table table = {
        .n = l->n, .time = l->time, .entry = l->entry, .failed = l->failed, .count = ones};
    const struct life_data data = life_table_data(&table);
    enum ft_status st = life_report_make(&table, q, &r, &why);
    if (st == FT_OK) {
        st = life_decide(&r, &data, q, w->pool, &d, &why);
        if (st == FT_OK) {
            add_fit(o, &r);
            add_decision(o, &r, &d);
        }
        life_report_free(&r);
    }
    free(ones);
    if (st == FT_NOMEM)
        return ft_fail(err, st, "%s", why.msg);
    if (st != FT_OK)
        add_no_decision(o, why.msg);
    return FT_OK;
}

static enum ft_status add_part(struct site_walk *w, const struct life *l, struct ft_err *err)
{
    const struct snapshot *s = w->s;
    const struct asset *one = NULL;
    size_t n_assets = 0;
    for (size_t i = 0; i < s->catalog.assets.n; i++) {
        const struct asset *a = &s->catalog.assets.items[i];
        if (a->class_id != l->class_id || a->is_held_out || a->retired_ms != DB_NO_TIME)
            continue;
        one = one != NULL ? one : a;
        n_assets++;
    }
    if (one == NULL)
        return FT_OK;
    const struct job_costs costs =
        economics_costs(&s->economics, &s->catalog, one, l->component_id);
    const struct life_request q = life_site_request(s, w->q, l, &costs, n_assets);
    cJSON *o = json_add_object(w->components, NULL);
    json_add_string(o, "class", catalog_class(&s->catalog, l->class_id)->name);
    json_add_string(o, "component",
                    l->component_id != 0 ? catalog_component_name(&s->catalog, l->component_id)
                                         : NULL);
    json_add_int(o, "assets", (int64_t)n_assets);
    json_add_int(o, "failures", (int64_t)l->n_failures);
    json_add_int(o, "censored", (int64_t)l->n_censored);
    json_add_money(o, "cost_planned", costs.planned_minor, s->site.currency);
    json_add_money(o, "cost_failure", costs.failure_minor, s->site.currency);
    json_add_bool(o, "costs_are_defaults", costs.has_default);
    if (q.prior.median > 0) {
        cJSON *prior = json_add_object(o, "prior");
        json_add_number(prior, "median", q.prior.median);
        json_add_number(prior, "log_sd", q.prior.log_sd);
    } else {
        json_add_null(o, "prior");
    }
    return add_analysis(w, l, &q, o, err);
}

static bool has_components(const struct lives *lives, int64_t class_id)
{
    for (size_t i = 0; i < lives->n; i++)
        if (lives->items[i].class_id == class_id && lives->items[i].component_id != 0)
            return true;
    return false;
}

/* Hours of work a year that go when the plan stops, or when it comes at its best interval. */
static double hours_back(const struct job_plan *p)
{
    const double now = (double)p->plan->interval_ms / (double)MS_PER_DAY;
    const double jobs =
        1 / now - (p->verdict.advice == PREVENTIVE_LONGER ? 1 / p->verdict.best_interval_d : 0);
    return fmax(0, jobs) * DAYS_PER_YEAR * (double)p->n_assets * p->plan->duration_h;
}

static enum ft_status add_stop(struct db *db, const struct snapshot *s, cJSON *out,
                               struct ft_err *err)
{
    struct jobs jobs;
    double money = 0, hours = 0;
    cJSON *stop = json_add_array(out, "stop");
    const enum ft_status st = jobs_judge_plans(db, s, &jobs, err);
    if (st == FT_OK)
        qsort(jobs.plans, jobs.n_plans, sizeof(*jobs.plans), jobs_compare_plans);
    for (size_t i = 0; i < jobs.n_plans && st == FT_OK; i++) {
        const struct job_plan *p = &jobs.plans[i];
        const bool is_stop = p->verdict.advice == PREVENTIVE_STOP;
        if ((!is_stop && p->verdict.advice != PREVENTIVE_LONGER) || p->plan->interval_ms <= 0)
            continue;
        cJSON *o = json_add_object(stop, NULL);
        const double back = hours_back(p);
        json_add_string(o, "key", p->plan->key);
        json_add_string(o, "plan", p->plan->name);
        json_add_string(o, "advice", is_stop ? "stop" : "less_often");
        json_add_number(o, "every_s", (double)p->plan->interval_ms / 1000);
        json_add_number(o, "best_s", p->verdict.best_interval_d * 86400);
        json_add_int(o, "assets", (int64_t)p->n_assets);
        json_add_string(o, "why", p->verdict.why);
        json_add_number(o, "saving_per_year",
                        money_to_major(llround(p->verdict.saving_per_year), s->site.currency));
        json_add_number(o, "hours_per_year", back);
        money += p->verdict.saving_per_year;
        hours += back;
    }
    json_add_number(out, "saving_per_year", money_to_major(llround(money), s->site.currency));
    json_add_number(out, "hours_per_year", hours);
    jobs_free(&jobs);
    return st;
}

enum ft_status life_site_json(struct db *db, const struct life_site_query *query, struct pool *pool,
                              cJSON **out, struct ft_err *err)
{
    struct snapshot s;
    *out = NULL;
    enum ft_status st = snapshot_load(db, 0, &s, err);
    cJSON *body = cJSON_CreateObject();
    if (st == FT_OK && body == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for the lives of the site");
    if (st == FT_OK) {
        struct site_walk w = {&s, query, pool, NULL};
        json_add_instant(body, "as_of", s.site.now_ms);
        json_add_string(body, "currency", s.site.currency);
        json_add_number(body, "confidence", query->confidence);
        w.components = json_add_array(body, "components");
        for (size_t i = 0; i < s.lives.n && st == FT_OK; i++)
            if (s.lives.items[i].component_id != 0 ||
                !has_components(&s.lives, s.lives.items[i].class_id))
                st = add_part(&w, &s.lives.items[i], err);
        if (st == FT_OK)
            st = add_stop(db, &s, body, err);
    }
    snapshot_free(&s);
    if (st != FT_OK) {
        cJSON_Delete(body);
        return st;
    }
    *out = body;
    return FT_OK;
}
