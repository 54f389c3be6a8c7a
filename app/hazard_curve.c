/* Failure model: inside its horizon the hazard keeps the shape that age gives it (conditional
 * Weibull) and is scaled so that the probability at the horizon is the model's. Beyond it the
 * factor returns to 1 with e-fold equal to the horizon: h(t) = h_age(t) * (1 + (r - 1) * exp(-(t -
 * H) / H)),  r = Lambda_model(H) / Lambda_age(H). With r > 0 the hazard is positive, so the
 * probability rises with t.
 *
 * Rul model: P(life <= t) is read from the odds fitted out of fold (app/rul_odds.h), or, where
 * there were too few rows for them, from the residuals around the prediction; from the cap on,
 * where the target says only "or more", the hazard of age goes on. */
#include "app/hazard_curve.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/rul_odds.h"

#include <math.h>

enum { STEPS = 48 };
static const double max_life_ms = 100.0 * 365.25 * 86400000.0;

static double age_hazard(const struct hazard_curve *c, double dur_ms)
{
    if (c->age == NULL)
        return 0;
    return age_model_hazard(c->age, c->age_ms, (int64_t)dur_ms);
}

struct hazard_curve hazard_curve_age(const struct age_model *age, int64_t age_ms)
{
    return (struct hazard_curve){.age = age, .age_ms = age_ms};
}

struct hazard_curve hazard_curve_failure(const struct age_model *age, int64_t age_ms,
                                         int64_t horizon_ms, double p)
{
    return (struct hazard_curve){.age = age,
                                 .age_ms = age_ms,
                                 .horizon_ms = horizon_ms,
                                 .near_hazard = -log1p(-fmin(1 - 1e-9, fmax(1e-9, p)))};
}

static double failure_hazard(const struct hazard_curve *c, double t)
{
    const double near = (double)c->horizon_ms;
    const double age_near = age_hazard(c, near);
    /* Age knows nothing (no failure of this part recorded): the model's mean hazard goes on. */
    if (!(age_near > 1e-12))
        return c->near_hazard * t / near;
    const double r = c->near_hazard / age_near;
    if (t <= near)
        return r * age_hazard(c, t);
    double sum = c->near_hazard + age_hazard(c, t) - age_near;
    const double end = fmin(t, near * 9); /* exp(-8) is nothing */
    for (size_t i = 0; i < STEPS; i++) {
        const double a = near + (end - near) * (double)i / STEPS;
        const double b = near + (end - near) * ((double)i + 1) / STEPS;
        sum +=
            (r - 1) * exp(-(0.5 * (a + b) - near) / near) * (age_hazard(c, b) - age_hazard(c, a));
    }
    return fmax(sum, c->near_hazard);
}

/* Levels from the odds at each t; all that is left lies at the cap, "or more". */
static bool levels_from_odds(struct hazard_curve *c, const cJSON *odds, double prediction,
                             double unit_ms)
{
    double t[RUL_ODDS_MAX], level[RUL_ODDS_MAX];
    const size_t n = rul_odds_levels(odds, prediction, t, level);
    for (size_t k = 0; k < n; k++) {
        c->level[k] = level[k];
        c->life_ms[k] = fmin(c->cap_ms, t[k] * unit_ms);
    }
    if (n == 0)
        return false;
    c->level[n] = 1;
    c->life_ms[n] = c->cap_ms;
    c->n_levels = n + 1;
    return true;
}

struct hazard_curve hazard_curve_rul(const struct age_model *age, int64_t age_ms,
                                     const cJSON *table, double prediction, double cap,
                                     double unit_ms)
{
    struct hazard_curve c = {.age = age, .age_ms = age_ms, .cap_ms = cap * unit_ms};
    if (levels_from_odds(&c, json_get(table, "odds"), prediction, unit_ms))
        return c;
    const cJSON *edges = cJSON_GetObjectItemCaseSensitive(table, "edges");
    const cJSON *levels = cJSON_GetObjectItemCaseSensitive(table, "levels");
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(table, "residuals");
    int bin = 0;
    const cJSON *edge;
    cJSON_ArrayForEach (edge, edges) {
        if (prediction >= edge->valuedouble)
            bin++;
    }
    const cJSON *row = cJSON_GetArrayItem(rows, bin);
    const cJSON *level = levels != NULL ? levels->child : NULL;
    const cJSON *residual = row != NULL ? row->child : NULL;
    double last = 0;
    for (; level != NULL && residual != NULL && c.n_levels < CURVE_MAX_LEVELS;
         level = level->next, residual = residual->next) {
        const double life = fmin(cap, fmax(0, prediction + residual->valuedouble)) * unit_ms;
        last = fmax(last, life);
        c.level[c.n_levels] = level->valuedouble;
        c.life_ms[c.n_levels++] = last;
    }
    return c;
}

/* P(life <= t) from the quantiles: straight between them, from 0 at life 0. */
static double rul_probability(const struct hazard_curve *c, double t)
{
    double p0 = 0;
    double t0 = 0;
    for (size_t i = 0; i < c->n_levels; i++) {
        /* At the cap the truth is "or more": this mass is not there. */
        if (c->life_ms[i] >= c->cap_ms)
            break;
        if (t < c->life_ms[i])
            return p0 + (c->level[i] - p0) * (t - t0) / (c->life_ms[i] - t0);
        p0 = c->level[i];
        t0 = c->life_ms[i];
    }
    const bool is_open = c->n_levels > 0 && c->life_ms[c->n_levels - 1] >= c->cap_ms;
    if (is_open) {
        const double later = t > c->cap_ms ? age_hazard(c, t) - age_hazard(c, c->cap_ms) : 0;
        /* Between the last quantile and the cap the probability holds; then age goes on. */
        return 1 - (1 - p0) * exp(-later);
    }
    /* Past the last residual: the rest fails within as much again as the last step. */
    const double last_step = fmax(c->life_ms[c->n_levels - 1] * 0.1, 1);
    return 1 - (1 - p0) * exp(-(t - t0) / last_step);
}

double hazard_curve_probability(const struct hazard_curve *c, int64_t dur_ms)
{
    const double t = (double)dur_ms;
    if (dur_ms <= 0)
        return 0;
    if (c->n_levels > 0)
        return fmin(1, fmax(0, rul_probability(c, t)));
    if (c->horizon_ms > 0)
        return -expm1(-failure_hazard(c, t));
    return -expm1(-age_hazard(c, t));
}

double hazard_curve_quantile_ms(const struct hazard_curve *c, double q)
{
    double low = 0;
    double high = (double)MS_PER_HOUR;
    while (high < max_life_ms && hazard_curve_probability(c, (int64_t)high) < q) {
        low = high;
        high *= 2;
    }
    if (high >= max_life_ms)
        return INFINITY;
    for (size_t i = 0; i < 50; i++) {
        const double mid = 0.5 * (low + high);
        if (hazard_curve_probability(c, (int64_t)mid) < q)
            low = mid;
        else
            high = mid;
    }
    return high;
}
