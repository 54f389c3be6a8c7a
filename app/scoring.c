/* Forecasts. Assets are scored in parallel; each writes only its own items. */
#include "app/scoring.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/cold_start.h"
#include "app/dataset.h"
#include "app/hazard_curve.h"
#include "app/ledger.h"
#include "app/reasons.h"
#include "app/scorer.h"
#include "db/db.h"
#include "db/prediction_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Grid of horizons in days, or in cycles of a class that counts cycles. */
static const int grid[] = {1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 365};
enum { N_GRID = sizeof(grid) / sizeof(grid[0]) };
/* Horizon at which the reasons of a remaining life add up, in units. */
enum { RUL_REASON_UNITS = 30 };
static const double limits_z = 1.2815515655446004; /* 80 % limits */

struct score_run {
    const struct history *h;
    const struct scorer *s;
    struct age_model *ages; /* [n_components + 1]; the last is the asset as a whole */
    bool *has_age;
    struct health_index health; /* when no failure is recorded; found NULL = none */
    struct scoring_item *items; /* [n_assets][n_components + 1] */
    enum ft_status *status;     /* [n_assets] */
    struct ft_err *errors;
};

/* One asset while it is scored. */
struct score_asset {
    const struct score_run *r;
    size_t asset;
    int64_t as_of_ms;
    float **rows; /* [n_groups] feature row of each group */
    double *wide, *contributions;
    size_t n_sensors, n_stale;
    double data_frac;
};

/* --- limits --- */

static double logit(double p)
{
    p = fmin(1 - 1e-9, fmax(1e-9, p));
    return log(p / (1 - p));
}

static double expit(double x)
{
    return 1 / (1 + exp(-x));
}

/* Half width on the log-odds scale from how often forecasts near p came true out of fold. Rows of
 * one asset overlap when the horizon is longer than the step, so they count as fewer. */
static double count_width(const struct scorer_model *m, double p)
{
    const cJSON *bin;
    const cJSON *best = NULL;
    double distance = INFINITY;
    cJSON_ArrayForEach (bin, m->counts) {
        double at = NAN;
        (void)json_number(bin, "p", false, &at, NULL);
        if (fabs(logit(at) - logit(p)) < distance) {
            distance = fabs(logit(at) - logit(p));
            best = bin;
        }
    }
    double n = 0;
    double failed = 0;
    if (best == NULL)
        return NAN;
    (void)json_number(best, "n", false, &n, NULL);
    (void)json_number(best, "failed", false, &failed, NULL);
    const double overlap = fmax(1, (double)m->horizon_ms / (double)MS_PER_DAY);
    n /= overlap;
    failed /= overlap;
    return limits_z * sqrt(1 / (failed + 0.5) + 1 / (fmax(0, n - failed) + 0.5));
}

/* The scale of a Weibull from few failures is known to about 1 / sqrt(failures). */
static double age_width(const struct age_model *a)
{
    return limits_z / sqrt((double)a->n_failures + 0.5);
}

static void fill_horizons(struct forecast *f, const struct hazard_curve *c, double unit_ms,
                          int64_t own_ms, double width)
{
    double last = 0;
    bool is_own_in = own_ms <= 0;
    f->n_horizons = 0;
    for (size_t i = 0; i < N_GRID || !is_own_in;) {
        int64_t t = i < N_GRID ? (int64_t)(grid[i] * unit_ms) : INT64_MAX;
        if (!is_own_in && own_ms <= t) {
            i += own_ms == t;
            t = own_ms;
            is_own_in = true;
        } else {
            i++;
        }
        const size_t k = f->n_horizons++;
        const double p = fmax(last, hazard_curve_probability(c, t));
        f->horizon_ms[k] = t;
        f->p[k] = last = p;
        f->p_low[k] = isfinite(width) ? expit(logit(p) - width) : NAN;
        f->p_high[k] = isfinite(width) ? expit(logit(p) + width) : NAN;
    }
}

static void fill_rul(struct forecast *f, const struct hazard_curve *c)
{
    f->rul_coverage = 0.8;
    f->rul_low = hazard_curve_quantile_ms(c, 0.1);
    f->rul_median = hazard_curve_quantile_ms(c, 0.5);
    f->rul_high = hazard_curve_quantile_ms(c, 0.9);
    if (!isfinite(f->rul_median))
        f->rul_median = NAN;
    if (!isfinite(f->rul_low))
        f->rul_low = NAN;
}

/* --- data --- */

/* Share of the expected readings of the newest middle window that came, over the asset's sensors,
 * and how many sensors are silent. */
static void look_at_data(struct score_asset *a, const struct feature_set *fs)
{
    const struct history *h = a->r->h;
    const struct history_asset *as = &h->assets[a->asset];
    const int64_t step = h->step_ms > 0 ? h->step_ms : MS_PER_HOUR;
    const int64_t window =
        fs != NULL ? fs->window_ms[fs->n_windows / 2] : (h->cycle_ms > 0 ? 20 : 72) * step;
    const int64_t fresh = window / 3 > 3 * step ? window / 3 : 3 * step;
    double sum = 0;
    a->n_sensors = a->n_stale = 0;
    for (size_t s = 0; s < h->n_sensors; s++) {
        const struct readings *r = &as->series[s];
        size_t n = 0;
        size_t k = r->n;
        if (r->n == 0)
            continue;
        /* A young sensor cannot have more than its own age holds. */
        const int64_t life = a->as_of_ms - r->ts_ms[0] + step;
        const double expected = (double)(life < window ? life : window) / (double)step;
        int64_t last = r->ts_ms[0];
        for (; k > 0 && r->ts_ms[k - 1] > a->as_of_ms - window; k--)
            n += isfinite(r->value[k - 1]) && r->ts_ms[k - 1] <= a->as_of_ms;
        for (k = r->n; k > 0; k--)
            if (r->ts_ms[k - 1] <= a->as_of_ms && isfinite(r->value[k - 1])) {
                last = r->ts_ms[k - 1];
                break;
            }
        a->n_sensors++;
        a->n_stale += a->as_of_ms - last > fresh;
        sum += expected > 0 ? fmin(1, (double)n / expected) : 0;
    }
    a->data_frac = a->n_sensors > 0 ? sum / (double)a->n_sensors : 1;
}

/* --- one forecast --- */

static void start_forecast(const struct score_asset *a, size_t component, struct forecast *f)
{
    const struct history *h = a->r->h;
    *f = (struct forecast){.asset_id = h->assets[a->asset].id,
                           .component_id =
                               component != HISTORY_NO_INDEX ? h->components[component].id : 0,
                           .as_of_ms = a->as_of_ms,
                           .rul_median = NAN,
                           .rul_low = NAN,
                           .rul_high = NAN,
                           .n_sensors = a->n_sensors,
                           .n_sensors_stale = a->n_stale,
                           .data_frac = a->data_frac};
}

static const struct age_model *age_of(const struct score_run *r, size_t component)
{
    const size_t i = component != HISTORY_NO_INDEX ? component : r->h->n_components;
    return r->has_age[i] ? &r->ages[i] : NULL;
}

static int64_t age_ms_of(const struct score_asset *a, size_t component)
{
    const int64_t since =
        history_renewal_ms(a->r->h, &a->r->h->assets[a->asset], component, a->as_of_ms);
    return since != DB_NO_TIME ? a->as_of_ms - since : DB_NO_TIME;
}

/* Age alone, or nothing when no failure was ever recorded. */
static void score_by_age(const struct score_asset *a, size_t component, struct scoring_item *item)
{
    const struct age_model *age = age_of(a->r, component);
    struct forecast *f = &item->f;
    const char *what =
        component != HISTORY_NO_INDEX ? a->r->h->components[component].name : "this class";
    if (age == NULL || age->n_failures == 0) {
        (void)snprintf(f->spoke, sizeof(f->spoke),
                       "no forecast: no failure of %.60s is recorded yet", what);
        return;
    }
    const int64_t age_ms = age_ms_of(a, component);
    const struct hazard_curve c = hazard_curve_age(age, age_ms);
    const double unit_ms = dataset_unit_ms(a->r->h);
    (void)snprintf(f->model_kind, sizeof(f->model_kind), "weibull_age");
    if (age_ms == DB_NO_TIME)
        (void)snprintf(f->spoke, sizeof(f->spoke),
                       "age only: %zu failures of %.50s, mean rate, for its age is unknown",
                       age->n_failures, what);
    else
        (void)snprintf(f->spoke, sizeof(f->spoke),
                       "age only: Weibull of %zu failures of %.50s, shape %.2f; no champion",
                       age->n_failures, what, age->life.shape);
    fill_horizons(f, &c, unit_ms, 0, age_width(age));
    fill_rul(f, &c);
    item->ledger_horizon_ms = (int64_t)(30 * unit_ms);
    item->ledger_p = hazard_curve_probability(&c, item->ledger_horizon_ms);
    /* The points start from a part of mean age; the difference is what its own age adds. */
    f->base_points = -expm1(-age->rate * 30);
    struct forecast_reason *reason = &f->reasons[f->n_reasons++];
    reason->points = item->ledger_p - f->base_points;
    (void)snprintf(reason->feature, sizeof(reason->feature), "age");
    if (age_ms == DB_NO_TIME)
        (void)snprintf(reason->text, sizeof(reason->text), "age unknown");
    else
        (void)snprintf(reason->text, sizeof(reason->text), "%.0f %s since renewal",
                       (double)age_ms / unit_ms, a->r->h->cycle_ms > 0 ? "cycles" : "days");
}

static double failure_p_of_raw(const void *ctx, double raw)
{
    return model_final_of_raw(ctx, raw);
}

struct rul_reason {
    const struct scorer_model *m;
    const struct age_model *age;
    int64_t age_ms;
};

static double rul_p_of_raw(const void *ctx, double raw)
{
    const struct rul_reason *r = ctx;
    const struct hazard_curve c = hazard_curve_rul(
        r->age, r->age_ms, r->m->residuals, scorer_final(r->m, raw), r->m->cap, r->m->unit_ms);
    return hazard_curve_probability(&c, (int64_t)(RUL_REASON_UNITS * r->m->unit_ms));
}

static enum ft_status score_by_model(const struct score_asset *a, const struct scorer_model *m,
                                     struct scoring_item *item, struct ft_err *err)
{
    struct forecast *f = &item->f;
    const struct age_model *age = age_of(a->r, m->component);
    const int64_t age_ms = age_ms_of(a, m->component);
    const float *row = a->rows[m->fs_group];
    const double raw = scorer_raw(m, row, a->wide);
    const double final = scorer_final(m, raw);
    const struct rul_reason ctx = {.m = m, .age = age, .age_ms = age_ms};
    struct hazard_curve c;
    f->model_id = m->id;
    (void)snprintf(f->model_kind, sizeof(f->model_kind), "%s", m->kind);
    enum ft_status st = model_contributions(m->model, a->wide, a->contributions, err);
    if (st != FT_OK)
        return st;
    if (m->is_rul) {
        double lower = 0;
        double upper = 0;
        c = hazard_curve_rul(age, age_ms, m->residuals, final, m->cap, m->unit_ms);
        item->ledger_horizon_ms = (int64_t)(RUL_REASON_UNITS * m->unit_ms);
        fill_horizons(f, &c, dataset_unit_ms(a->r->h), 0, NAN);
        conformal_interval(model_conformal(m->model), final, &lower, &upper);
        f->rul_coverage = m->coverage;
        f->rul_median = final * m->unit_ms;
        f->rul_low = fmax(0, lower) * m->unit_ms;
        f->rul_high = upper >= m->cap ? INFINITY : fmax(0, upper) * m->unit_ms;
        (void)snprintf(f->spoke, sizeof(f->spoke),
                       "%s champion (model %lld), remaining life up to %.0f", m->kind,
                       (long long)m->id, m->cap);
        st = reasons_fill(m->fs, a->r->h, a->asset, row, a->contributions, rul_p_of_raw, &ctx, f,
                          err);
    } else {
        char w[32];
        c = hazard_curve_failure(age, age_ms, m->horizon_ms, final);
        item->ledger_horizon_ms = m->horizon_ms;
        fill_horizons(f, &c, dataset_unit_ms(a->r->h), m->horizon_ms, count_width(m, final));
        fill_rul(f, &c);
        features_duration_text(m->fs, m->horizon_ms, w, sizeof(w));
        (void)snprintf(f->spoke, sizeof(f->spoke),
                       "%s champion (model %lld), horizon %s, age beyond it", m->kind,
                       (long long)m->id, w);
        st = reasons_fill(m->fs, a->r->h, a->asset, row, a->contributions, failure_p_of_raw,
                          m->model, f, err);
    }
    item->ledger_p = hazard_curve_probability(&c, item->ledger_horizon_ms);
    return st;
}

/* --- the asset as a whole --- */

/* A limit of a part at any instant: its log-odds distance from p at the part's nearest horizon. */
static double limit_at(const struct forecast *f, int64_t t, bool is_low)
{
    const double p = forecast_probability(f, t);
    size_t k = 0;
    while (k + 1 < f->n_horizons && f->horizon_ms[k] < t)
        k++;
    const double limit = is_low ? f->p_low[k] : f->p_high[k];
    return isfinite(limit) ? expit(logit(p) + logit(limit) - logit(f->p[k])) : p;
}

/* Components compete: the asset survives when all of them do. */
static void join_components(const struct score_asset *a, struct scoring_item *items)
{
    const struct history *h = a->r->h;
    struct forecast *f = &items[0].f;
    const struct forecast **parts = calloc(h->n_components + 1, sizeof(const struct forecast *));
    const char **names = calloc(h->n_components + 1, sizeof(const char *));
    size_t n = 0;
    size_t n_models = 0;
    for (size_t c = 0; c < h->n_components && parts != NULL && names != NULL; c++)
        if (items[c + 1].f.n_horizons > 0) {
            parts[n] = &items[c + 1].f;
            names[n++] = h->components[c].name;
            n_models += items[c + 1].f.model_id != 0;
            if (items[c + 1].ledger_horizon_ms > items[0].ledger_horizon_ms)
                items[0].ledger_horizon_ms = items[c + 1].ledger_horizon_ms;
        }
    if (n == 0)
        goto out;
    /* The grid of the first part; the parts may have horizons of their own in between. */
    f->n_horizons = parts[0]->n_horizons;
    for (size_t k = 0; k < f->n_horizons; k++) {
        double healthy = 1, low = 1, high = 1;
        f->horizon_ms[k] = parts[0]->horizon_ms[k];
        for (size_t i = 0; i < n; i++) {
            healthy *= 1 - forecast_probability(parts[i], f->horizon_ms[k]);
            low *= 1 - limit_at(parts[i], f->horizon_ms[k], true);
            high *= 1 - limit_at(parts[i], f->horizon_ms[k], false);
        }
        f->p[k] = 1 - healthy;
        /* Limits of the parts rarely meet at once; these are wide, and said to be limits. */
        f->p_low[k] = fmin(f->p[k], 1 - low);
        f->p_high[k] = fmax(f->p[k], 1 - high);
    }
    items[0].ledger_p = 1;
    for (size_t i = 0; i < n; i++)
        items[0].ledger_p *= 1 - forecast_probability(parts[i], items[0].ledger_horizon_ms);
    items[0].ledger_p = 1 - items[0].ledger_p;
    reasons_join(parts, names, n, items[0].ledger_p, f);
    (void)snprintf(f->model_kind, sizeof(f->model_kind), "components");
    (void)snprintf(f->spoke, sizeof(f->spoke),
                   "%zu parts together, %zu by a champion, %zu by age alone", n, n_models,
                   n - n_models);
out:
    free(parts);
    free(names);
}

/* Quantiles of the remaining life from the asset's own curve, by its forecast function. */
static void rul_from_grid(struct forecast *f)
{
    static const double q[] = {0.1, 0.5, 0.9};
    double out[3];
    for (size_t i = 0; i < 3 && f->n_horizons > 0; i++) {
        double low = 0;
        double high = (double)f->horizon_ms[f->n_horizons - 1];
        while (forecast_probability(f, (int64_t)high) < q[i] && high < 1e13)
            high *= 2;
        out[i] = INFINITY;
        if (high >= 1e13)
            continue;
        for (size_t k = 0; k < 50; k++) {
            const double mid = 0.5 * (low + high);
            if (forecast_probability(f, (int64_t)mid) < q[i])
                low = mid;
            else
                high = mid;
        }
        out[i] = high;
    }
    if (f->n_horizons == 0)
        return;
    f->rul_low = isfinite(out[0]) ? out[0] : NAN;
    f->rul_median = isfinite(out[1]) ? out[1] : NAN;
    f->rul_high = out[2];
    f->rul_coverage = 0.8;
}

static enum ft_status score_parts(struct score_asset *a, struct scoring_item *items,
                                  struct ft_err *err)
{
    const struct scorer *s = a->r->s;
    const struct history *h = a->r->h;
    enum ft_status st = FT_OK;
    bool has_part_model = false;
    for (size_t c = 0; c < h->n_components && st == FT_OK; c++) {
        const struct scorer_model *m = scorer_model_for(s, false, c);
        start_forecast(a, c, &items[c + 1].f);
        has_part_model = has_part_model || m != NULL;
        if (m != NULL)
            st = score_by_model(a, m, &items[c + 1], err);
        else
            score_by_age(a, c, &items[c + 1]);
    }
    if (st != FT_OK)
        return st;
    const struct scorer_model *rul = scorer_model_for(s, true, HISTORY_NO_INDEX);
    const struct scorer_model *whole = scorer_model_for(s, false, HISTORY_NO_INDEX);
    start_forecast(a, HISTORY_NO_INDEX, &items[0].f);
    if (rul != NULL)
        return score_by_model(a, rul, &items[0], err);
    if (whole != NULL && !has_part_model)
        return score_by_model(a, whole, &items[0], err);
    join_components(a, items);
    if (items[0].f.n_horizons == 0)
        score_by_age(a, HISTORY_NO_INDEX, &items[0]);
    else
        rul_from_grid(&items[0].f);
    return FT_OK;
}

/* --- the map --- */

static int64_t newest_instant(const struct score_run *r, const struct history_asset *as)
{
    const bool is_rul = scorer_model_for(r->s, true, HISTORY_NO_INDEX) != NULL;
    /* Units of a run-to-failure class have clocks of their own; a plant has one. */
    return is_rul || as->is_held_out ? as->last_ms : r->h->end_ms;
}

/* Says of every answer which method spoke. */
static void name_methods(const struct score_asset *a, struct scoring_item *items)
{
    const struct history *h = a->r->h;
    const bool is_rul = scorer_model_for(a->r->s, true, HISTORY_NO_INDEX) != NULL;
    for (size_t i = 0; i <= h->n_components; i++) {
        const size_t component = i > 0 ? i - 1 : HISTORY_NO_INDEX;
        cold_start_fill(h, component, age_of(a->r, component), is_rul && i == 0, &items[i].f);
    }
    if (a->r->health.found != NULL)
        cold_start_watch(&a->r->health, a->asset, &items[0].f);
}

static enum ft_status score_asset_rows(struct score_asset *a, struct scoring_item *items,
                                       struct ft_err *err)
{
    const struct scorer *s = a->r->s;
    size_t widest = 0;
    enum ft_status st = FT_OK;
    a->rows = calloc(s->n_groups + 1, sizeof(float *));
    for (size_t g = 0; g < s->n_groups; g++)
        widest = s->group[g]->fs->n > widest ? s->group[g]->fs->n : widest;
    a->wide = calloc(widest + 1, sizeof(*a->wide));
    a->contributions = calloc(widest + 1, sizeof(*a->contributions));
    if (a->rows == NULL || a->wide == NULL || a->contributions == NULL)
        st = ft_fail(err, FT_NOMEM, "scoring: no memory");
    for (size_t g = 0; g < s->n_groups && st == FT_OK; g++) {
        const struct feature_set *fs = s->group[g]->fs;
        a->rows[g] = calloc(fs->n + 1, sizeof(float));
        if (a->rows[g] == NULL)
            st = ft_fail(err, FT_NOMEM, "scoring: no memory");
        else
            st = features_compute(fs, a->r->h, a->asset, &a->as_of_ms, 1, a->rows[g], err);
    }
    if (st == FT_OK) {
        look_at_data(a, s->n_groups > 0 ? s->group[0]->fs : NULL);
        st = score_parts(a, items, err);
    }
    if (st == FT_OK)
        name_methods(a, items);
    for (size_t g = 0; a->rows != NULL && g < s->n_groups; g++)
        free(a->rows[g]);
    free(a->rows);
    free(a->wide);
    free(a->contributions);
    return st;
}

/* In service at the end of the data: not retired, not failed for good. */
static bool is_in_service(const struct history_asset *as, int64_t at_ms)
{
    return as->first_ms != DB_NO_TIME && !as->is_ended &&
           (as->retired_ms == DB_NO_TIME || as->retired_ms > at_ms);
}

static void score_job(void *ctx, size_t asset)
{
    struct score_run *r = ctx;
    const struct history_asset *as = &r->h->assets[asset];
    struct scoring_item *items = r->items + asset * (r->h->n_components + 1);
    struct score_asset a = {.r = r, .asset = asset};
    if (!is_in_service(as, r->h->end_ms))
        return;
    a.as_of_ms = newest_instant(r, as);
    r->status[asset] = score_asset_rows(&a, items, &r->errors[asset]);
}

static void fit_ages(struct score_run *r)
{
    const struct history *h = r->h;
    for (size_t c = 0; c <= h->n_components; c++)
        r->has_age[c] = age_model_fit(h, c < h->n_components ? c : HISTORY_NO_INDEX, NULL,
                                      DB_NO_TIME, &r->ages[c], NULL) == FT_OK;
}

/* Where no failure of anything is recorded the health index is all there is; too little data for it
 * is no fault, nothing speaks then. */
static enum ft_status find_health(struct score_run *r, struct ft_err *err)
{
    const struct age_model *whole = age_of(r, HISTORY_NO_INDEX);
    if (r->s->n_models > 0 || (whole != NULL && whole->n_failures > 0))
        return FT_OK;
    const enum ft_status st = health_index_find(r->h, DB_NO_TIME, &r->health, err);
    return st == FT_NOMEM ? st : FT_OK;
}

static enum ft_status run_scoring(struct score_run *r, struct pool *pool, struct scoring *out,
                                  struct ft_err *err)
{
    const size_t per_asset = r->h->n_components + 1;
    enum ft_status st = FT_OK;
    r->ages = calloc(per_asset, sizeof(*r->ages));
    r->has_age = calloc(per_asset, sizeof(*r->has_age));
    r->items = calloc(r->h->n_assets * per_asset, sizeof(*r->items));
    r->status = calloc(r->h->n_assets, sizeof(*r->status));
    r->errors = calloc(r->h->n_assets, sizeof(*r->errors));
    if (r->ages == NULL || r->has_age == NULL || r->items == NULL || r->status == NULL ||
        r->errors == NULL)
        st = ft_fail(err, FT_NOMEM, "scoring: no memory");
    if (st == FT_OK) {
        fit_ages(r);
        st = find_health(r, err);
    }
    if (st == FT_OK) {
        pool_run(pool, r->h->n_assets, score_job, r);
        for (size_t a = 0; a < r->h->n_assets && st == FT_OK; a++)
            if (r->status[a] != FT_OK)
                st = ft_fail(err, r->status[a], "%s", r->errors[a].msg);
    }
    if (st == FT_OK) {
        /* Assets that were not scored left their items empty. */
        for (size_t i = 0; i < r->h->n_assets * per_asset; i++)
            if (r->items[i].f.asset_id != 0)
                r->items[out->n++] = r->items[i];
        out->items = r->items;
        r->items = NULL;
    }
    health_index_clear(&r->health);
    free(r->ages);
    free(r->has_age);
    free(r->items);
    free(r->status);
    free(r->errors);
    return st;
}

enum ft_status scoring_class(struct db *db, const char *class_name, int64_t at_ms,
                             struct pool *pool, struct scoring *out, struct ft_err *err)
{
    struct history *h = NULL;
    struct scorer *s = NULL;
    *out = (struct scoring){0};
    enum ft_status st = history_load(db, class_name, at_ms, &h, err);
    if (st == FT_OK)
        st = scorer_load(db, h, &s, err);
    if (st == FT_OK) {
        struct score_run r = {.h = h, .s = s};
        out->class_id = h->class_id;
        st = run_scoring(&r, pool, out, err);
    }
    scorer_free(s);
    history_free(h);
    if (st != FT_OK)
        scoring_clear(out);
    return st;
}

void scoring_clear(struct scoring *s)
{
    free(s->items);
    *s = (struct scoring){0};
}

/* --- writing --- */

enum ft_status scoring_write(struct db *writer, const struct scoring *s, int64_t now_ms,
                             struct ft_err *err)
{
    struct forecast_row *rows = calloc(s->n + 1, sizeof(*rows));
    enum ft_status st = rows == NULL ? ft_fail(err, FT_NOMEM, "scoring: no memory") : FT_OK;
    for (size_t i = 0; i < s->n && st == FT_OK; i++) {
        const struct forecast *f = &s->items[i].f;
        cJSON *json = forecast_to_json(f);
        rows[i] = (struct forecast_row){.asset_id = f->asset_id,
                                        .component_id = f->component_id,
                                        .as_of_ms = f->as_of_ms,
                                        .scored_ms = now_ms,
                                        .model_id = f->model_id,
                                        .body = json != NULL ? json_print(json, false) : NULL};
        cJSON_Delete(json);
        if (rows[i].body == NULL)
            st = ft_fail(err, FT_NOMEM, "scoring: no memory");
    }
    if (st == FT_OK)
        st = forecast_replace(writer, s->class_id, rows, s->n, now_ms, err);
    if (st == FT_OK)
        st = ledger_record(writer, s, err);
    for (size_t i = 0; rows != NULL && i < s->n; i++)
        free(rows[i].body);
    free(rows);
    return st;
}

static enum ft_status score_and_write(struct db *writer, const char *class_name, struct pool *pool,
                                      int64_t now_ms, size_t *n_forecasts, struct ft_err *err)
{
    struct scoring s;
    enum ft_status st = scoring_class(writer, class_name, DB_NO_TIME, pool, &s, err);
    if (st == FT_TOO_FEW)
        return FT_OK;
    if (st != FT_OK)
        return st;
    st = db_begin(writer, err);
    if (st == FT_OK) {
        st = scoring_write(writer, &s, now_ms, err);
        if (st == FT_OK)
            st = db_commit(writer, err);
        else
            db_rollback(writer);
    }
    if (st == FT_OK && n_forecasts != NULL)
        *n_forecasts += s.n;
    scoring_clear(&s);
    return st;
}

enum ft_status scoring_all(struct db *writer, struct pool *pool, int64_t now_ms,
                           size_t *n_forecasts, struct ft_err *err)
{
    struct asset_class_list classes = {0};
    size_t n_settled = 0;
    if (n_forecasts != NULL)
        *n_forecasts = 0;
    enum ft_status st = class_list(writer, &classes, err);
    for (size_t i = 0; i < classes.n && st == FT_OK; i++)
        st = score_and_write(writer, classes.items[i].name, pool, now_ms, n_forecasts, err);
    asset_class_list_free(&classes);
    if (st == FT_OK)
        st = ledger_settle(writer, now_ms, &n_settled, err);
    return st;
}
