#include "app/fleet_rows.h"

#include "app/base/clock.h"
#include "app/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A chance this many times what age alone says is worth watching. */
#define WATCH_FACTOR 2.0
/* Below this chance in 30 days nothing is watched, however many times the age-only level. */
#define WATCH_MIN_P 0.02

const char *fleet_state_name(enum fleet_state state)
{
    static const char *const names[] = {"act", "soon", "watch", "normal", "no_data"};
    return names[state];
}

static double level_by_age(const struct snapshot_case *k, const struct forecast *f)
{
    return isnan(k->p_age_only) ? f->base_points : k->p_age_only;
}

enum fleet_state fleet_state_of(const struct snapshot *s, const struct snapshot_case *k,
                                const struct forecast *f, char rule[240])
{
    enum { SIZE = 240 };
    char date[WORDS_SIZE];
    char money[WORDS_SIZE];
    char limit[WORDS_SIZE];
    const struct predictive_window *w = &k->window;
    const bool is_open = k->order != NULL && strcmp(k->order->kind, "predictive") == 0;
    const bool by_age = strcmp(f->model_kind, "weibull_age") == 0;
    const bool has_case = (w->pays && !by_age) || is_open;
    const int freeze_d = (int)(s->site.freeze_ms / MS_PER_DAY);
    const int horizon_d = (int)(s->site.horizon_ms / MS_PER_DAY);
    if (f->n_horizons == 0 || f->data_frac < s->site.min_data_frac) {
        snprintf(rule, SIZE, "No data: %.0f %% of the expected readings, needs %.0f %%.",
                 100 * f->data_frac, 100 * s->site.min_data_frac);
        return FLEET_NO_DATA;
    }
    /* The latest safe date is that of the risk alone: a spare that comes later makes it no safer.
     */
    const double p_freeze = forecast_probability(f, s->site.freeze_ms);
    if (has_case && (w->latest < freeze_d || p_freeze > s->site.risk_limit)) {
        snprintf(rule, SIZE,
                 "Act: the chance passes the risk limit of %.0f %% within the freeze of %d d (%s "
                 "by then).",
                 100 * s->site.risk_limit, freeze_d, words_percent(p_freeze, date));
        return FLEET_ACT;
    }
    if (has_case && w->waiting_per_day > (double)s->site.waiting_limit_minor) {
        snprintf(rule, SIZE, "Act: waiting costs %s a day, the site's limit is %s.",
                 words_money(llround(w->waiting_per_day), s->site.currency, money),
                 words_money(s->site.waiting_limit_minor, s->site.currency, limit));
        return FLEET_ACT;
    }
    if (has_case && w->earliest < horizon_d) {
        snprintf(rule, SIZE, "Soon: a due window opens on %s, within the planning horizon of %d d.",
                 words_date(s->days.start_ms[w->earliest], s->site.now_ms, date), horizon_d);
        return FLEET_SOON;
    }
    if (by_age && w->pays && w->earliest < horizon_d) {
        snprintf(rule, SIZE, "Soon: by age alone its replacement pays from %s on.",
                 words_date(s->days.start_ms[w->earliest], s->site.now_ms, date));
        return FLEET_SOON;
    }
    const double level = level_by_age(k, f);
    if (!by_age && w->p_window >= WATCH_MIN_P && w->p_window > WATCH_FACTOR * level) {
        snprintf(rule, SIZE,
                 "Watch: the chance in 30 d is over %.0f times the level by age alone; no work "
                 "pays yet.",
                 WATCH_FACTOR);
        return FLEET_WATCH;
    }
    snprintf(rule, SIZE, "Normal: no work pays, and the chance is near the level by age alone.");
    return FLEET_NORMAL;
}

static int64_t order_day(const struct work_order *w)
{
    if (w->scheduled_ms != DB_NO_TIME)
        return w->scheduled_ms;
    return w->due_ms != DB_NO_TIME ? w->due_ms : INT64_MAX;
}

static const struct work_order *next_order(const struct snapshot *s, int64_t asset_id)
{
    const struct work_order *next = NULL;
    for (size_t i = 0; i < s->open.n; i++) {
        const struct work_order *w = &s->open.items[i];
        if (w->asset_id == asset_id && (next == NULL || order_day(w) < order_day(next)))
            next = w;
    }
    return next;
}

/* Why, in one clause: the leading reason, or what the age says. */
static void fill_why(const struct snapshot *s, struct fleet_row *r)
{
    char age[WORDS_SIZE];
    const struct forecast *f = r->lead;
    if (f == NULL || f->n_horizons == 0) {
        snprintf(r->why, sizeof(r->why), "%s",
                 f != NULL && f->spoke[0] != '\0' ? f->spoke : "No forecast yet");
        return;
    }
    if (f->n_reasons > 0 && f->reasons[0].points > 0.001 &&
        strcmp(f->model_kind, "weibull_age") != 0) {
        snprintf(r->why, sizeof(r->why), "%s", f->reasons[0].text);
        return;
    }
    const int64_t renewed_ms = lives_renewed_ms(&s->lives, r->asset->id, f->component_id);
    if (renewed_ms != DB_NO_TIME)
        snprintf(r->why, sizeof(r->why), "By age: %s %s old",
                 catalog_component_name(&s->catalog, f->component_id),
                 words_duration((double)(s->site.now_ms - renewed_ms), age));
    else
        snprintf(r->why, sizeof(r->why), "Within its own baseline");
}

static void fill_row(const struct snapshot *s, int64_t window_ms, struct fleet_row *r)
{
    size_t n;
    double most = -1;
    enum fleet_state lead_state = FLEET_STATES;
    bool lead_by_age = false;
    const struct snapshot_forecast *all = snapshot_of_asset(s, r->asset->id, &n);
    r->state = FLEET_NO_DATA;
    snprintf(r->state_rule, sizeof(r->state_rule), "No data: there is no forecast.");
    r->p = snapshot_probability(s, r->asset->id, window_ms, &r->p_low, &r->p_high);
    r->rul_median_ms = r->rul_low_ms = r->rul_high_ms = r->rul_coverage = NAN;
    r->risk = r->risk_low = r->risk_high = isnan(r->p) ? NAN : 0;
    r->data_frac = NAN;
    for (size_t i = 0; i < n; i++) {
        struct snapshot_case k;
        char rule[240];
        double low;
        double high;
        const struct forecast *f = &all[i].f;
        if (r->lead == NULL)
            r->lead = f; /* one that says why there is no forecast */
        if (isnan(r->data_frac) || f->data_frac < r->data_frac)
            r->data_frac = f->data_frac;
        if (f->n_sensors > r->n_sensors)
            r->n_sensors = f->n_sensors;
        if (f->n_sensors_stale > r->n_stale)
            r->n_stale = f->n_sensors_stale;
        if (!snapshot_decides(all, n, i))
            continue;
        snapshot_case(s, f, &k);
        const double p = snapshot_forecast_p(s, f, window_ms, &low, &high);
        const double risk = (double)economics_at_risk(&k.costs, p);
        r->risk += risk;
        r->risk_low += isnan(low) ? risk : (double)economics_at_risk(&k.costs, low);
        r->risk_high += isnan(high) ? risk : (double)economics_at_risk(&k.costs, high);
        if (k.window.waiting_per_day > r->waiting_per_day)
            r->waiting_per_day = k.window.waiting_per_day;
        /* The part that decides the state leads; among equals one that sensors speak for, then the
         * one with most at risk. */
        const enum fleet_state state = fleet_state_of(s, &k, f, rule);
        const bool by_age = strcmp(f->model_kind, "weibull_age") == 0;
        const bool is_firmer = state == lead_state && lead_by_age && !by_age;
        const bool is_dearer = state == lead_state && lead_by_age == by_age && risk > most;
        if (state < lead_state || is_firmer || is_dearer) {
            most = risk;
            lead_state = state;
            lead_by_age = by_age;
            r->lead = f;
            r->component_id = f->component_id;
            r->rul_median_ms = f->rul_median;
            r->rul_low_ms = f->rul_low;
            r->rul_high_ms = f->rul_high;
            r->rul_coverage = f->rul_coverage;
        }
        r->has_case |= state == FLEET_ACT || state == FLEET_SOON;
        if (state < r->state) {
            r->state = state;
            memcpy(r->state_rule, rule, sizeof(rule));
        }
    }
    fill_why(s, r);
    r->next = next_order(s, r->asset->id);
}

void fleet_row_build(const struct snapshot *s, const struct asset *a, int64_t window_ms,
                     struct fleet_row *out)
{
    const struct asset_class *c = catalog_class(&s->catalog, a->class_id);
    memset(out, 0, sizeof(*out));
    out->asset = a;
    out->class_name = c != NULL ? c->name : "";
    fill_row(s, window_ms, out);
}

enum ft_status fleet_rows_build(const struct snapshot *s, int64_t window_ms, struct fleet_row **out,
                                size_t *n, struct ft_err *err)
{
    *n = 0;
    *out = calloc(s->catalog.assets.n + 1, sizeof(**out));
    if (*out == NULL)
        return ft_fail(err, FT_NOMEM, "fleet: no memory for %zu assets", s->catalog.assets.n);
    for (size_t i = 0; i < s->catalog.assets.n; i++) {
        const struct asset *a = &s->catalog.assets.items[i];
        if (a->retired_ms != DB_NO_TIME && a->retired_ms <= s->site.now_ms)
            continue;
        fleet_row_build(s, a, window_ms, &(*out)[(*n)++]);
    }
    return FT_OK;
}
