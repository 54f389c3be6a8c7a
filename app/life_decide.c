#include "app/life_decide.h"

#include "app/base/pool.h"
#include "app/life_words.h"
#include "models/life_bootstrap.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* What one law says to every question. */
struct answers {
    bool is_fitted;
    struct age_replacement age, block, minimal;
    double failures; /* of one unit per unit of time under the rule in force */
    double best_look;
};

struct ask {
    const struct life_report *r;
    const struct life_data *data;
    const struct life_request *q;
    double rule_age; /* replacement age in force for the demand of spares; INFINITY = none */
    struct answers *draws;
};

/* Failures of one unit per unit of time when it is replaced at an age. */
static double failure_rate(const struct life_fit *f, double age)
{
    const double mean = life_mean(f);
    if (isinf(age))
        return 1 / mean;
    const double alive = life_survival(f, age);
    return (1 - alive) / life_lived_to(f, age);
}

static struct inspection_problem inspection_of(const struct life_request *q,
                                               const struct life_fit *f)
{
    struct inspection_problem p = q->inspection;
    if (p.cost_look > 0) {
        p.cost_planned = q->cost_planned;
        p.cost_failure = q->cost_failure;
        p.failure_rate = failure_rate(f, INFINITY);
    }
    return p;
}

static struct age_replacement minimal_of(const struct life_fit *f, const struct life_request *q)
{
    const struct weibull w = {.shape = f->first, .scale = f->scale};
    return weibull_minimal_repair(&w, q->cost_renewal, q->cost_repair);
}

static struct answers answer(const struct ask *a, const struct life_fit *f)
{
    const struct life_request *q = a->q;
    struct answers out = {.is_fitted = true, .best_look = NAN};
    if (q->has_costs) {
        out.age = life_age_replacement(f, q->cost_planned, q->cost_failure);
        out.block = renewal_block_replacement(f, q->cost_planned, q->cost_failure);
    }
    if (q->cost_renewal > 0 && f->distribution == LIFE_WEIBULL)
        out.minimal = minimal_of(f, q);
    if (q->units > 0)
        out.failures = failure_rate(f, a->rule_age);
    if (q->inspection.pf > 0 && q->inspection.cost_look > 0) {
        const struct inspection_problem p = inspection_of(q, f);
        struct inspection_plan plan;
        if (renewal_inspection(&p, &plan, NULL) == FT_OK && plan.has_best)
            out.best_look = plan.best_interval;
    }
    return out;
}

/* Draw number i; its place in draws is its own, so threads do not matter. */
static void draw(void *ctx, size_t i)
{
    struct ask *a = ctx;
    struct life_fit f = a->r->fit;
    if (a->r->has_posterior) {
        shape_posterior_draw(&a->r->posterior, a->q->seed, i, &f.first, &f.scale);
    } else {
        double *weight = calloc(a->data->n, sizeof(*weight));
        const bool is_fitted = weight != NULL && life_bootstrap_fit(&a->r->fit, a->data, a->q->seed,
                                                                    i, weight, &f, NULL) == FT_OK;
        free(weight);
        if (!is_fitted)
            return;
    }
    a->draws[i] = answer(a, &f);
}

static int compare(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* Limits of the finite values among n; they are sorted in place. */
static void limits_of(double *values, size_t n, double confidence, double limits[2])
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(values[i]))
            values[k++] = values[i];
    qsort(values, k, sizeof(*values), compare);
    life_bootstrap_limits(values, k, confidence, limits);
}

enum rule_kind { RULE_AGE, RULE_BLOCK, RULE_MINIMAL };

static const struct age_replacement *rule_of(const struct answers *a, enum rule_kind kind)
{
    return kind == RULE_AGE ? &a->age : kind == RULE_BLOCK ? &a->block : &a->minimal;
}

/* Where a rule does not pay its interval has no value, its rate and saving have. */
static void sum_up(const struct ask *a, enum rule_kind kind, double *values,
                   const struct life_decisions *d, struct life_rule *rule)
{
    size_t n_pays = 0;
    rule->is_asked = true;
    for (int what = 0; what < 3; what++) {
        size_t n = 0;
        for (size_t i = 0; i < d->n_draws; i++) {
            const struct age_replacement *r = rule_of(&a->draws[i], kind);
            if (!a->draws[i].is_fitted)
                continue;
            n_pays += what == 0 && r->has_optimum;
            values[n++] = what == 0   ? (r->has_optimum ? r->interval : NAN)
                          : what == 1 ? r->cost_rate
                                      : r->saving_frac;
        }
        limits_of(values, n, d->confidence,
                  what == 0   ? rule->interval
                  : what == 1 ? rule->cost_rate
                              : rule->saving);
    }
    rule->pays_frac = d->n_fitted > 0 ? (double)n_pays / (double)d->n_fitted : NAN;
}

static enum ft_status check(const struct life_request *q, struct ft_err *err)
{
    if (q->units > 0 && (!(q->lead_time > 0) || !(q->service_level > 0 && q->service_level < 1)))
        return ft_fail(err, FT_INVALID,
                       "spares need a lead time above 0 (%g) and a service level inside (0, 1) "
                       "(%g)",
                       q->lead_time, q->service_level);
    if (q->inspection.cost_look > 0 && !q->has_costs)
        return ft_fail(err, FT_INVALID,
                       "the cost of a look needs the planned and the failure cost beside it");
    return FT_OK;
}

static enum ft_status decide_inspection(const struct ask *a, double *values,
                                        struct life_decisions *d, struct ft_err *err)
{
    const struct inspection_problem p = inspection_of(a->q, &a->r->fit);
    const enum ft_status st = renewal_inspection(&p, &d->inspection, err);
    d->has_inspection = st == FT_OK;
    size_t n = 0;
    for (size_t i = 0; i < d->n_draws; i++)
        if (a->draws[i].is_fitted)
            values[n++] = a->draws[i].best_look;
    limits_of(values, n, d->confidence, d->best_look);
    return st;
}

static void decide_spares(const struct ask *a, const struct answers *best, double *values,
                          struct life_decisions *d)
{
    const double parts = a->q->units * a->q->lead_time;
    size_t n = 0;
    d->has_spares = true;
    d->demand = fmin(best->failures * parts, 1e6);
    d->spares = renewal_spares(d->demand, a->q->service_level);
    d->met = renewal_met(d->demand, d->spares);
    for (size_t i = 0; i < d->n_draws; i++)
        if (a->draws[i].is_fitted)
            values[n++] = (double)renewal_spares(fmin(a->draws[i].failures * parts, 1e6),
                                                 a->q->service_level);
    limits_of(values, n, d->confidence, d->spares_limits);
    d->spares_limits[0] = floor(d->spares_limits[0]);
    d->spares_limits[1] = ceil(d->spares_limits[1]);
}

__attribute__((format(printf, 2, 3))) static void say(struct life_decisions *d, const char *fmt,
                                                      ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(d->words[d->n_words++], sizeof(d->words[0]), fmt, ap);
    va_end(ap);
}

/* " (430 to 580)", nothing without draws. */
static const char *range(const double limits[2], char out[100])
{
    char low[40], high[40];
    out[0] = '\0';
    if (isfinite(limits[0]))
        (void)snprintf(out, 100, " (%s to %s)", life_number(limits[0], low),
                       life_number(limits[1], high));
    return out;
}

static void say_replacement(struct life_decisions *d, const char *how, const struct life_rule *r)
{
    char at[40], interval[100], saving[80] = "", share[80] = "";
    if (d->n_fitted > 0)
        (void)snprintf(share, sizeof(share), "; it pays in %.0f %% of %zu draws",
                       100 * r->pays_frac, d->n_fitted);
    if (isfinite(r->saving[0]))
        (void)snprintf(saving, sizeof(saving), " (%.1f to %.1f)", 100 * r->saving[0],
                       100 * r->saving[1]);
    if (!r->best.has_optimum) {
        say(d, "%s: does not pay against running to failure%s.", how, share);
        return;
    }
    say(d, "%s: every %s%s, %.1f %%%s cheaper than running to failure%s%s.", how,
        life_number(r->best.interval, at), range(r->interval, interval), 100 * r->best.saving_frac,
        saving, share, r->pays_frac < 0.9 ? ", so the data do not settle it" : "");
}

static void say_minimal(struct life_decisions *d, const struct life_request *q)
{
    char at[40], text[100];
    if (!d->minimal.best.has_optimum) {
        say(d, "No renewal date: the hazard does not rise, so repairs do not come more often.");
        return;
    }
    say(d,
        "Renew every %s%s when each failure before is only repaired (renewal %.6g, repair %.6g)%s.",
        life_number(d->minimal.best.interval, at), range(d->minimal.interval, text),
        q->cost_renewal, q->cost_repair,
        q->cost_renewal < q->cost_repair
            ? "; a renewal is cheaper than a repair here: are the two swapped?"
            : "");
}

static void say_inspection(struct life_decisions *d, const struct life_request *q)
{
    char at[40], text[100], cost[40], run[40];
    const struct inspection_plan *p = &d->inspection;
    say(d, "Look every %s: %zu looks in the P-F interval find it with probability %.4g.",
        life_number(p->interval, at), p->n_looks, p->found);
    if (!(q->inspection.cost_look > 0))
        return;
    if (!p->has_best) {
        say(d, "By cost, looking does not pay.");
        return;
    }
    say(d,
        "By cost, look every %s%s: finds %.1f %%, costs %s per unit of time against %s without "
        "looking.",
        life_number(p->best_interval, at), range(d->best_look, text), 100 * p->best_found,
        life_number(p->best_cost_rate, cost), life_number(p->run_cost_rate, run));
}

static void say_all(struct life_decisions *d, const struct life_request *q)
{
    char text[100];
    if (d->age.is_asked)
        say_replacement(d, "By age", &d->age);
    if (d->block.is_asked)
        say_replacement(d, "By fixed dates (block)", &d->block);
    if (d->minimal.is_asked)
        say_minimal(d, q);
    if (d->has_inspection)
        say_inspection(d, q);
    if (d->has_spares)
        say(d,
            "Hold %zu spares%s: %.4g failures are expected in the lead time, the stock meets "
            "them with probability %.4g (planned replacements are ordered ahead).",
            d->spares, range(d->spares_limits, text), d->demand, d->met);
}

static enum ft_status decide_all(struct ask *a, struct life_decisions *d, double *values,
                                 struct ft_err *err)
{
    const struct life_request *q = a->q;
    const struct answers best = answer(a, &a->r->fit);
    for (size_t i = 0; i < d->n_draws; i++)
        d->n_fitted += a->draws[i].is_fitted;
    if (q->has_costs) {
        d->age.best = best.age;
        d->block.best = best.block;
        sum_up(a, RULE_AGE, values, d, &d->age);
        sum_up(a, RULE_BLOCK, values, d, &d->block);
    }
    if (q->cost_renewal > 0 && a->r->fit.distribution == LIFE_WEIBULL) {
        d->minimal.best = best.minimal;
        sum_up(a, RULE_MINIMAL, values, d, &d->minimal);
    }
    if (q->units > 0)
        decide_spares(a, &best, values, d);
    if (q->inspection.pf > 0) {
        const enum ft_status st = decide_inspection(a, values, d, err);
        if (st != FT_OK)
            return st;
    }
    say_all(d, q);
    return FT_OK;
}

enum ft_status life_decide(const struct life_report *r, const struct life_data *data,
                           const struct life_request *q, struct pool *pool,
                           struct life_decisions *out, struct ft_err *err)
{
    struct ask a = {.r = r, .data = data, .q = q, .rule_age = INFINITY};
    *out = (struct life_decisions){.n_draws = q->n_draws, .confidence = r->confidence};
    enum ft_status st = check(q, err);
    if (st != FT_OK)
        return st;
    if (r->fit.n_failures == 0 && !r->has_posterior)
        out->n_draws = 0; /* a bound has no uncertainty of its own */
    if (r->verdict == LIFE_REPLACE_AT)
        a.rule_age = r->replacement.interval;
    a.draws = calloc(out->n_draws + 1, sizeof(*a.draws));
    double *values = calloc(out->n_draws + 1, sizeof(*values));
    if (a.draws == NULL || values == NULL) {
        st = ft_fail(err, FT_NOMEM, "no memory for %zu draws", out->n_draws);
        goto out;
    }
    if (pool != NULL)
        pool_run(pool, out->n_draws, draw, &a);
    else
        for (size_t i = 0; i < out->n_draws; i++)
            draw(&a, i);
    st = decide_all(&a, out, values, err);
out:
    free(a.draws);
    free(values);
    return st;
}

static void add_pair(cJSON *to, const char *key, const double pair[2])
{
    cJSON *a = json_add_array(to, key);
    json_add_number(a, NULL, pair[0]);
    json_add_number(a, NULL, pair[1]);
}

static void add_rule(cJSON *to, const char *key, const struct life_rule *r)
{
    if (!r->is_asked)
        return;
    cJSON *o = json_add_object(to, key);
    json_add_number(o, "interval", r->best.has_optimum ? r->best.interval : NAN);
    add_pair(o, "interval_ci", r->interval);
    json_add_number(o, "cost_rate", r->best.cost_rate);
    add_pair(o, "cost_rate_ci", r->cost_rate);
    json_add_number(o, "saving_frac", r->best.saving_frac);
    add_pair(o, "saving_frac_ci", r->saving);
    json_add_number(o, "pays_frac", r->pays_frac);
}

static void add_inspection(cJSON *to, const struct life_decisions *d)
{
    const struct inspection_plan *p = &d->inspection;
    cJSON *o = json_add_object(to, "inspection");
    json_add_int(o, "looks", (int64_t)p->n_looks);
    json_add_number(o, "interval", p->interval);
    json_add_number(o, "found_probability", p->found);
    json_add_number(o, "best_interval", p->has_best ? p->best_interval : NAN);
    add_pair(o, "best_interval_ci", d->best_look);
    json_add_number(o, "best_found_probability", p->has_best ? p->best_found : NAN);
    json_add_number(o, "best_cost_rate", p->best_cost_rate);
    json_add_number(o, "run_to_failure_cost_rate", p->run_cost_rate);
}

void life_decisions_json(const struct life_decisions *d, cJSON *out)
{
    cJSON *o = json_add_object(out, "decisions");
    json_add_int(o, "draws", (int64_t)d->n_draws);
    json_add_int(o, "draws_fitted", (int64_t)d->n_fitted);
    json_add_number(o, "confidence", d->confidence);
    add_rule(o, "age", &d->age);
    add_rule(o, "block", &d->block);
    add_rule(o, "minimal_repair", &d->minimal);
    if (d->has_inspection)
        add_inspection(o, d);
    if (d->has_spares) {
        cJSON *s = json_add_object(o, "spares");
        json_add_int(s, "stock", (int64_t)d->spares);
        add_pair(s, "stock_ci", d->spares_limits);
        json_add_number(s, "expected_failures", d->demand);
        json_add_number(s, "met_probability", d->met);
    }
    cJSON *words = json_add_array(o, "words");
    for (size_t i = 0; i < d->n_words; i++)
        json_add_string(words, NULL, d->words[i]);
}
