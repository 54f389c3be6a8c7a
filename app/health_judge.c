#include "app/health_judge.h"

#include "app/base/json.h"
#include "app/health_index.h"

#include <math.h>
#include <stdlib.h>

enum { LEAD_TICKS = 3, FOLLOW_TICKS = 60 };

struct count {
    size_t n_failures, n_named;
};

struct verdict {
    const struct health_index *x;
    int64_t from_ms, end_ms;
    struct count *parts; /* [n_components + 1], the last for failures without a component */
    size_t n_alarms, n_followed, n_open;
    double asset_years;
};

static void judge_failures(struct verdict *v, size_t asset)
{
    const struct health_index *x = v->x;
    const struct history_asset *as = &x->h->assets[asset];
    const struct anomaly_point *p = health_index_points(x, asset);
    for (size_t i = 0; i < as->n_events; i++) {
        const struct history_event *e = &as->events[i];
        const int64_t tick = (e->ts_ms - x->start_ms) / x->tick_ms - LEAD_TICKS - 1;
        if (e->kind != EVENT_FAILURE || e->ts_ms < v->from_ms + LEAD_TICKS * x->tick_ms ||
            e->ts_ms >= v->end_ms || tick < 0)
            continue;
        struct count *c =
            &v->parts[e->component != HISTORY_NO_INDEX ? e->component : x->h->n_components];
        c->n_failures++;
        c->n_named += p[tick].is_alarm;
    }
}

static bool is_followed(const struct health_index *x, size_t asset, int64_t from_ms, int64_t to_ms)
{
    const struct history_asset *as = &x->h->assets[asset];
    for (size_t i = 0; i < as->n_events; i++) {
        const struct history_event *e = &as->events[i];
        const bool is_work =
            e->kind == EVENT_FAILURE || e->kind == EVENT_REPLACEMENT || e->kind == EVENT_REPAIR;
        if (is_work && e->ts_ms >= from_ms && e->ts_ms < to_ms)
            return true;
    }
    return false;
}

static void judge_alarms(struct verdict *v, size_t asset)
{
    const struct health_index *x = v->x;
    const struct anomaly_point *p = health_index_points(x, asset);
    const size_t newest = health_index_newest(x, asset);
    for (size_t t = 0; newest != SIZE_MAX && t <= newest; t++) {
        const int64_t at_ms = x->start_ms + (int64_t)(t + 1) * x->tick_ms;
        const int64_t to_ms = at_ms + FOLLOW_TICKS * x->tick_ms;
        if (!p[t].is_start || at_ms <= v->from_ms)
            continue;
        v->n_alarms++;
        if (is_followed(x, asset, at_ms - x->tick_ms, to_ms))
            v->n_followed++;
        else if (to_ms > v->end_ms)
            v->n_open++;
    }
    if (newest == SIZE_MAX)
        return;
    const double seen_ms = (double)(x->start_ms + (int64_t)(newest + 1) * x->tick_ms - v->from_ms);
    v->asset_years += fmax(0, seen_ms) / HEALTH_MS_PER_YEAR;
}

static double share(size_t n, double of)
{
    return of > 0 ? (double)n / of : NAN;
}

static void put_parts(const struct verdict *v, struct count *all, cJSON *o)
{
    const struct history *h = v->x->h;
    cJSON *list = json_add_array(o, "components");
    for (size_t c = 0; c <= h->n_components; c++) {
        all->n_failures += v->parts[c].n_failures;
        all->n_named += v->parts[c].n_named;
        if (v->parts[c].n_failures == 0)
            continue;
        cJSON *item = json_add_object(list, NULL);
        json_add_string(item, "component", c < h->n_components ? h->components[c].name : NULL);
        json_add_int(item, "failures", (int64_t)v->parts[c].n_failures);
        json_add_int(item, "named", (int64_t)v->parts[c].n_named);
    }
}

static cJSON *verdict_json(const struct verdict *v)
{
    const struct health_index *x = v->x;
    struct count all = {0};
    cJSON *o = cJSON_CreateObject();
    json_add_string(o, "class", x->h->class_name);
    json_add_string(o, "target", "anomaly");
    json_add_instant(o, "from", v->from_ms);
    json_add_instant(o, "to", v->end_ms);
    json_add_string(o, "unit", x->h->cycle_ms > 0 ? "cycles" : "d");
    json_add_number(o, "lead_s", LEAD_TICKS * (double)x->tick_ms / 1000);
    json_add_number(o, "follow_s", FOLLOW_TICKS * (double)x->tick_ms / 1000);
    json_add_number(o, "asset_years", v->asset_years);
    put_parts(v, &all, o);
    json_add_int(o, "failures", (int64_t)all.n_failures);
    json_add_int(o, "named", (int64_t)all.n_named);
    json_add_number(o, "named_share", share(all.n_named, (double)all.n_failures));
    json_add_int(o, "alarms", (int64_t)v->n_alarms);
    json_add_int(o, "followed", (int64_t)v->n_followed);
    json_add_int(o, "open", (int64_t)v->n_open);
    const size_t n_unfollowed = v->n_alarms - v->n_followed - v->n_open;
    json_add_int(o, "unfollowed", (int64_t)n_unfollowed);
    json_add_number(o, "unfollowed_per_asset_year", share(n_unfollowed, v->asset_years));
    json_add_number(o, "false_alarms_budget", HEALTH_FALSE_PER_YEAR);
    return o;
}

static enum ft_status judge(const struct health_index *x, int64_t from_ms, cJSON **out,
                            struct ft_err *err)
{
    struct verdict v = {
        .x = x, .from_ms = from_ms, .end_ms = x->start_ms + (int64_t)x->n_ticks * x->tick_ms};
    v.parts = calloc(x->h->n_components + 1, sizeof(*v.parts));
    if (v.parts == NULL)
        return ft_fail(err, FT_NOMEM, "evaluate: no memory");
    for (size_t a = 0; a < x->h->n_assets; a++) {
        judge_failures(&v, a);
        judge_alarms(&v, a);
    }
    *out = verdict_json(&v);
    free(v.parts);
    return *out != NULL ? FT_OK : ft_fail(err, FT_NOMEM, "evaluate: no memory");
}

enum ft_status health_judge(struct db *db, const struct health_judge_options *o, cJSON **out,
                            struct ft_err *err)
{
    struct history *h = NULL;
    struct health_index x = {0};
    int64_t start_ms = 0;
    int64_t end_ms = 0;
    int64_t from_ms = o->from_ms;
    *out = NULL;
    enum ft_status st = history_load(db, o->class_name, o->to_ms, &h, err);
    if (st == FT_OK)
        st = health_index_span(h, &start_ms, &end_ms, err);
    if (st == FT_OK && from_ms == DB_NO_TIME)
        from_ms = start_ms + (end_ms - start_ms) / 3;
    if (st == FT_OK)
        st = health_index_find(h, from_ms, &x, err);
    if (st == FT_OK)
        st = judge(&x, from_ms, out, err);
    health_index_clear(&x);
    history_free(h);
    return st;
}
