#include "app/health_index.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/health_expect.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Below it a sentence says nothing unusual, above it which sensor. */
static const double calm_score = 0.5;

void health_index_clear(struct health_index *x)
{
    anomaly_free(x->found);
    *x = (struct health_index){0};
}

static enum ft_status no_memory(struct ft_err *err)
{
    return ft_fail(err, FT_NOMEM, "health index: no memory");
}

/* Ticks from the first to the newest reading of the class. */
static enum ft_status find_span(const struct history *h, struct health_index *x, struct ft_err *err)
{
    int64_t first = INT64_MAX;
    int64_t last = INT64_MIN;
    for (size_t a = 0; a < h->n_assets; a++)
        for (size_t j = 0; j < h->n_sensors; j++) {
            const struct readings *r = &h->assets[a].series[j];
            if (r->n == 0)
                continue;
            first = r->ts_ms[0] < first ? r->ts_ms[0] : first;
            last = r->ts_ms[r->n - 1] > last ? r->ts_ms[r->n - 1] : last;
        }
    if (first > last)
        return ft_fail(err, FT_TOO_FEW, "health index: class %s has no readings", h->class_name);
    x->tick_ms = health_tick_ms(h);
    x->start_ms = first - ((first % x->tick_ms) + x->tick_ms) % x->tick_ms;
    x->n_ticks = (size_t)((last - x->start_ms) / x->tick_ms) + 1;
    return FT_OK;
}

enum ft_status health_index_span(const struct history *h, int64_t *start_ms, int64_t *end_ms,
                                 struct ft_err *err)
{
    struct health_index x = {0};
    const enum ft_status st = find_span(h, &x, err);
    *start_ms = x.start_ms;
    *end_ms = x.start_ms + (int64_t)x.n_ticks * x.tick_ms;
    return st;
}

static void mark_renewals(const struct health_index *x, bool *renewed)
{
    for (size_t a = 0; a < x->h->n_assets; a++) {
        const struct history_asset *as = &x->h->assets[a];
        for (size_t i = 0; i < as->n_events; i++) {
            const struct history_event *e = &as->events[i];
            const bool renews =
                e->kind == EVENT_FAILURE || e->kind == EVENT_REPLACEMENT || e->kind == EVENT_REPAIR;
            const int64_t t = e->ts_ms - x->start_ms;
            if (renews && t >= 0 && (size_t)(t / x->tick_ms) < x->n_ticks)
                renewed[a * x->n_ticks + (size_t)(t / x->tick_ms)] = true;
        }
    }
}

static enum ft_status fill(const struct health_expect *e, size_t n_fit, struct health_index *x,
                           struct ft_err *err)
{
    const struct history *h = x->h;
    const size_t *sensor;
    x->n_sensors = health_expect_sensors(e, &sensor);
    memcpy(x->sensor, sensor, x->n_sensors * sizeof(*sensor));
    const size_t rows = h->n_assets * x->n_ticks;
    double *ticks = calloc(rows * x->n_sensors + 1, sizeof(*ticks));
    bool *renewed = calloc(rows + 1, sizeof(*renewed));
    enum ft_status st = ticks == NULL || renewed == NULL ? no_memory(err) : FT_OK;
    for (size_t a = 0; a < h->n_assets && st == FT_OK; a++)
        st = health_expect_ticks(e, a, x->start_ms, x->n_ticks,
                                 ticks + a * x->n_ticks * x->n_sensors, err);
    if (st == FT_OK) {
        mark_renewals(x, renewed);
        const struct anomaly_input in = {.x = ticks,
                                         .renewed = renewed,
                                         .n_units = h->n_assets,
                                         .n_ticks = x->n_ticks,
                                         .n_sensors = x->n_sensors,
                                         .n_fit = n_fit,
                                         .share_ticks = h->cycle_ms == 0,
                                         .false_per_tick = HEALTH_FALSE_PER_YEAR *
                                                           (double)x->tick_ms / HEALTH_MS_PER_YEAR};
        st = anomaly_find(&in, &x->found, err);
    }
    free(ticks);
    free(renewed);
    return st;
}

enum ft_status health_index_find(const struct history *h, int64_t fit_until_ms,
                                 struct health_index *out, struct ft_err *err)
{
    struct health_expect *e = NULL;
    *out = (struct health_index){.h = h};
    enum ft_status st = find_span(h, out, err);
    if (st != FT_OK)
        return st;
    size_t n_fit = out->n_ticks;
    if (fit_until_ms != DB_NO_TIME) {
        const int64_t n = (fit_until_ms - out->start_ms) / out->tick_ms;
        n_fit = n < 0 ? 0 : (size_t)n < n_fit ? (size_t)n : n_fit;
    }
    st = health_expect_fit(h, fit_until_ms, &e, err);
    if (st == FT_OK)
        st = fill(e, n_fit, out, err);
    health_expect_free(e);
    if (st != FT_OK)
        health_index_clear(out);
    return st;
}

const struct anomaly_point *health_index_points(const struct health_index *x, size_t asset)
{
    return x->found->points + asset * x->n_ticks;
}

size_t health_index_newest(const struct health_index *x, size_t asset)
{
    const struct anomaly_point *p = health_index_points(x, asset);
    for (size_t t = x->n_ticks; t > 0; t--)
        if (isfinite(p[t - 1].health))
            return t - 1;
    return SIZE_MAX;
}

static const char *lead_name(const struct health_index *x, const struct anomaly_point *p)
{
    return p->lead == ANOMALY_NO_SENSOR ? NULL : x->h->sensors[x->sensor[p->lead]].name;
}

void health_index_text(const struct health_index *x, size_t asset, size_t tick, char *out,
                       size_t size)
{
    const struct anomaly_point *p = &health_index_points(x, asset)[tick];
    const char *name = lead_name(x, p);
    if (name == NULL) {
        snprintf(out, size, "no readings");
        return;
    }
    const double d = x->found->deviation[(asset * x->n_ticks + tick) * x->n_sensors + p->lead];
    if (fmax(p->t2, p->q) < calm_score && p->is_alarm)
        snprintf(out, size, "back to normal; the alarm closes after a calm week");
    else if (fmax(p->t2, p->q) < calm_score)
        snprintf(out, size, "as normal; %s is furthest from it", name);
    else if (p->is_class)
        snprintf(out, size, "%s is unusual for its class at the same settings", name);
    else
        snprintf(out, size, "%s is %.1f noise widths %s its own baseline at the same settings",
                 name, fabs(d), d < 0 ? "below" : "above");
}

/* Begin of the alarm that stands at a tick. */
static size_t alarm_begin(const struct anomaly_point *p, size_t tick)
{
    while (tick > 0 && !p[tick].is_start)
        tick--;
    return tick;
}

/* End of a tick, or the newest reading while the tick is not over. */
static int64_t tick_end_ms(const struct health_index *x, size_t asset, size_t tick)
{
    const int64_t end_ms = x->start_ms + (int64_t)(tick + 1) * x->tick_ms;
    const int64_t last_ms = x->h->assets[asset].last_reading_ms;
    return last_ms != DB_NO_TIME && last_ms < end_ms ? last_ms : end_ms;
}

/* Enough digits for a chart. */
static void put_rounded(cJSON *o, const char *key, double v, double per_unit)
{
    json_add_number(o, key, round(v * per_unit) / per_unit);
}

static void put_items(const struct health_index *x, size_t asset, size_t limit, cJSON *o)
{
    const struct anomaly_point *p = health_index_points(x, asset);
    cJSON *items = json_add_array(o, "items");
    for (size_t t = x->n_ticks > limit ? x->n_ticks - limit : 0; t < x->n_ticks; t++) {
        if (!isfinite(p[t].health))
            continue;
        cJSON *item = json_add_object(items, NULL);
        json_add_instant(item, "at", tick_end_ms(x, asset, t));
        put_rounded(item, "health", p[t].health, 10);
        put_rounded(item, "t2", p[t].t2, 1000);
        put_rounded(item, "q", p[t].q, 1000);
        json_add_string(item, "sensor", lead_name(x, &p[t]));
        json_add_bool(item, "alarm", p[t].is_alarm);
    }
}

cJSON *health_index_json(const struct health_index *x, size_t asset, size_t limit)
{
    cJSON *o = cJSON_CreateObject();
    const struct anomaly_point *p = health_index_points(x, asset);
    const size_t newest = health_index_newest(x, asset);
    json_add_string(o, "asset", x->h->assets[asset].key);
    json_add_string(o, "class", x->h->class_name);
    json_add_string(o, "method", "anomaly");
    json_add_number(o, "tick_s", (double)x->tick_ms / 1000);
    json_add_number(o, "false_alarHEALTH_MS_PER_YEAR", HEALTH_FALSE_PER_YEAR);
    if (newest == SIZE_MAX) {
        json_add_string(o, "text", "no readings");
    } else {
        char text[160];
        health_index_text(x, asset, newest, text, sizeof(text));
        json_add_instant(o, "as_of", tick_end_ms(x, asset, newest));
        put_rounded(o, "health", p[newest].health, 10);
        put_rounded(o, "score", fmax(p[newest].t2, p[newest].q), 1000);
        json_add_string(o, "sensor", lead_name(x, &p[newest]));
        json_add_string(o, "text", text);
        json_add_bool(o, "alarm", p[newest].is_alarm);
        if (p[newest].is_alarm)
            json_add_instant(o, "alarm_since", tick_end_ms(x, asset, alarm_begin(p, newest)));
    }
    put_items(x, asset, limit, o);
    return o;
}

static enum ft_status class_name_of(struct db *db, int64_t class_id, char *out, size_t size,
                                    struct ft_err *err)
{
    struct asset_class_list list = {0};
    const enum ft_status st = class_list(db, &list, err);
    out[0] = '\0';
    for (size_t i = 0; i < list.n && st == FT_OK; i++)
        if (list.items[i].id == class_id)
            snprintf(out, size, "%s", list.items[i].name);
    asset_class_list_free(&list);
    return st;
}

cJSON *health_index_silent_json(const char *key, const char *class_name, const char *why)
{
    cJSON *o = cJSON_CreateObject();
    json_add_string(o, "asset", key);
    json_add_string(o, "class", class_name);
    json_add_string(o, "method", "none");
    json_add_string(o, "text", why);
    (void)json_add_array(o, "items");
    return o;
}

enum ft_status health_index_asset_json(struct db *db, const struct asset *asset, size_t limit,
                                       cJSON **out, struct ft_err *err)
{
    char name[256];
    struct history *h = NULL;
    struct health_index x = {0};
    *out = NULL;
    enum ft_status st = class_name_of(db, asset->class_id, name, sizeof(name), err);
    if (st == FT_OK)
        st = history_load(db, name, DB_NO_TIME, &h, err);
    if (st == FT_OK)
        st = health_index_find(h, DB_NO_TIME, &x, err);
    for (size_t a = 0; st == FT_OK && a < h->n_assets; a++)
        if (h->assets[a].id == asset->id)
            *out = health_index_json(&x, a, limit);
    if (st == FT_TOO_FEW) {
        *out = health_index_silent_json(asset->key, name, err->msg);
        st = FT_OK;
    }
    if (st == FT_OK && *out == NULL)
        st = ft_fail(err, FT_NOMEM, "health index: no memory");
    health_index_clear(&x);
    history_free(h);
    return st;
}
