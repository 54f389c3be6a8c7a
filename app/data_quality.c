#include "app/data_quality.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/data_quality_strip.h"
#include "app/site.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/event_store.h"
#include "db/import_store.h"
#include "db/reading_store.h"
#include "db/work_order_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SENSOR_ROWS = 5000 };

/* --- reading a class -------------------------------------------------------------------------- */

static enum ft_status judge_series(struct db *db, const struct sensor *s, const int64_t *days,
                                   struct quality_sensor *out, struct ft_err *err)
{
    const struct series_rules rules = {.low = s->low,
                                       .high = s->high,
                                       .unit = s->unit,
                                       .is_counter = s->role == SENSOR_ROLE_METER};
    struct readings r = {0};
    struct sensor_arrival a = {0};
    enum ft_status st = reading_scan(db, s->id, INT64_MIN, INT64_MAX, &r, err);
    if (st == FT_OK)
        st = sensor_quality_of(r.ts_ms, r.value, r.n, &rules, &out->q, err);
    if (st == FT_OK)
        quality_strip_fill(r.ts_ms, r.n, out->q.interval_ms, days, out->present);
    if (st == FT_OK)
        st = sensor_arrival_get(db, s->id, &a, err);
    readings_free(&r);
    out->arrivals = (struct quality_arrivals){a.n, a.n_repeated, a.n_changed, a.n_late};
    out->is_setting = s->role == SENSOR_ROLE_SETTING;
    out->is_counter = s->role == SENSOR_ROLE_METER;
    out->rollover = s->rollover;
    return st;
}

static void widen(int64_t *first_ms, int64_t *last_ms, const struct sensor_quality *q)
{
    if (q->n == 0)
        return;
    if (*first_ms == DB_NO_TIME || q->first_ms < *first_ms)
        *first_ms = q->first_ms;
    if (*last_ms == DB_NO_TIME || q->last_ms > *last_ms)
        *last_ms = q->last_ms;
}

static enum ft_status load_asset(struct db *db, const struct asset *a, size_t index,
                                 const int64_t *days, struct quality_class *c, struct ft_err *err)
{
    struct sensor_list list = {0};
    struct quality_asset *asset = &c->assets[index];
    *asset = (struct quality_asset){a->key, a->retired_ms != DB_NO_TIME || a->is_held_out,
                                    DB_NO_TIME, DB_NO_TIME};
    enum ft_status st = sensor_list(db, a->id, &list, err);
    struct quality_sensor *more =
        st == FT_OK ? reallocarray(c->sensors, c->n_sensors + list.n + 1, sizeof(*more)) : NULL;
    if (st == FT_OK && more == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for %zu sensors", c->n_sensors + list.n);
    if (more != NULL)
        c->sensors = more;
    for (size_t i = 0; i < list.n && st == FT_OK; i++) {
        struct quality_sensor *s = &c->sensors[c->n_sensors++];
        *s = (struct quality_sensor){.asset = index};
        s->name = list.items[i].name; /* taken over */
        s->unit = list.items[i].unit;
        list.items[i].name = list.items[i].unit = NULL;
        struct sensor named = list.items[i];
        named.name = s->name;
        named.unit = s->unit;
        st = judge_series(db, &named, days, s, err);
        c->n_readings += (int64_t)s->q.n;
        widen(&asset->first_ms, &asset->last_ms, &s->q);
        widen(&c->first_ms, &c->last_ms, &s->q);
    }
    sensor_list_free(&list);
    return st;
}

/* An asset and its place in the list. */
struct asset_place {
    int64_t asset_id;
    size_t i;
};

static int compare_places(const void *a, const void *b)
{
    const struct asset_place *x = a;
    const struct asset_place *y = b;
    return (x->asset_id > y->asset_id) - (x->asset_id < y->asset_id);
}

/* Assets by id; owned, NULL when memory is gone. */
static struct asset_place *places_of(const struct asset_list *assets)
{
    struct asset_place *p = calloc(assets->n + 1, sizeof(*p));
    for (size_t i = 0; i < assets->n && p != NULL; i++)
        p[i] = (struct asset_place){assets->items[i].id, i};
    if (p != NULL)
        qsort(p, assets->n, sizeof(*p), compare_places);
    return p;
}

/* An asset whose last fact is a failure has run to its end: it is not silent, it is gone. */
static void mark_ended(struct quality_class *c, const struct asset_place *places,
                       const struct event_list *events)
{
    const unsigned kinds = 1U << EVENT_FAILURE | 1U << EVENT_REPLACEMENT | 1U << EVENT_REPAIR;
    int64_t *failed_ms = calloc(c->n_assets + 1, sizeof(*failed_ms));
    if (failed_ms == NULL) {
        c->is_out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < c->n_assets; i++)
        failed_ms[i] = DB_NO_TIME;
    for (size_t e = 0; e < events->n; e++) {
        const struct event *v = &events->items[e];
        const struct asset_place key = {.asset_id = v->asset_id};
        const struct asset_place *at =
            (kinds >> v->kind & 1U) != 0
                ? bsearch(&key, places, c->n_assets, sizeof(key), compare_places)
                : NULL;
        if (at != NULL)
            failed_ms[at->i] = v->kind == EVENT_FAILURE ? v->ts_ms : DB_NO_TIME;
    }
    for (size_t i = 0; i < c->n_assets; i++) {
        struct quality_asset *a = &c->assets[i];
        a->is_over = a->is_over || (failed_ms[i] != DB_NO_TIME && a->last_ms != DB_NO_TIME &&
                                    a->last_ms <= failed_ms[i]);
    }
    free(failed_ms);
}

static enum ft_status load_class(struct db *db, const struct asset_list *assets,
                                 const struct asset_place *places, const struct event_list *events,
                                 const struct quality_options *options, const int64_t *days,
                                 struct quality_class *c, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    *c = (struct quality_class){.first_ms = DB_NO_TIME, .last_ms = DB_NO_TIME};
    c->assets = calloc(assets->n + 1, sizeof(*c->assets));
    if (c->assets == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu assets", assets->n);
    for (size_t i = 0; i < assets->n && st == FT_OK; i++) {
        c->n_assets = i + 1;
        st = load_asset(db, &assets->items[i], i, days, c, err);
        if (st == FT_OK && options->is_stopped != NULL && options->is_stopped())
            st = ft_fail(err, FT_INTERRUPTED, "interrupted");
    }
    if (st != FT_OK)
        return st;
    mark_ended(c, places, events);
    quality_class_judge(c);
    return c->is_out_of_memory ? ft_fail(err, FT_NOMEM, "no memory for the report") : FT_OK;
}

/* --- labels ----------------------------------------------------------------------------------- */

static void add_counts(const struct event_list *events, const struct component_list *components,
                       const struct label_audit *a, cJSON *out)
{
    int64_t by_kind[EVENT_KIND_COUNT] = {0};
    for (size_t i = 0; i < events->n; i++)
        by_kind[events->items[i].kind]++;
    cJSON *kinds = json_add_object(out, "events");
    for (int k = 0; k < EVENT_KIND_COUNT; k++)
        json_add_int(kinds, event_kind_name((enum event_kind)k), by_kind[k]);
    cJSON *parts = json_add_object(out, "failures");
    for (size_t k = 0; k <= components->n; k++)
        if (k < components->n || a->failures[k] > 0)
            json_add_int(parts, k < components->n ? components->items[k].name : "(whole asset)",
                         a->failures[k]);
}

static enum ft_status audit_labels(struct db *db, const struct asset_class *k,
                                   const struct asset_place *places,
                                   const struct event_list *events, const struct quality_class *c,
                                   cJSON *out, int64_t *n_failures, struct ft_err *err)
{
    struct component_list components = {0};
    struct work_order_list orders = {0};
    struct label_audit audit = {0};
    struct label_span *spans = calloc(c->n_assets + 1, sizeof(*spans));
    enum ft_status st = spans == NULL
                            ? ft_fail(err, FT_NOMEM, "no memory for %zu assets", c->n_assets)
                            : component_list(db, k->id, &components, err);
    if (st == FT_OK)
        st =
            work_order_list(db, &(struct work_order_filter){.status = "done,closed"}, &orders, err);
    for (size_t i = 0; i < c->n_assets && st == FT_OK; i++)
        spans[i] = (struct label_span){places[i].asset_id, c->assets[places[i].i].first_ms,
                                       c->assets[places[i].i].last_ms};
    if (st == FT_OK) {
        const struct label_input in = {.events = events->items,
                                       .n_events = events->n,
                                       .components = components.items,
                                       .n_components = components.n,
                                       .spans = spans,
                                       .n_spans = c->n_assets,
                                       .orders = orders.items,
                                       .n_orders = orders.n,
                                       .counts_cycles = k->cycle_ms > 0};
        st = label_audit_make(&in, &audit, err);
    }
    if (st == FT_OK) {
        add_counts(events, &components, &audit, out);
        label_audit_add_readiness(&audit, components.items, out);
        label_audit_add_json(&audit, out);
        *n_failures = audit.n_failures;
    }
    label_audit_clear(&audit);
    free(spans);
    work_order_list_free(&orders);
    component_list_free(&components);
    return st;
}

/* --- words ------------------------------------------------------------------------------------ */

static void add_summary(cJSON *out, const struct quality_class *c, int64_t n_failures)
{
    static const struct {
        enum quality_kind kind;
        const char *words;
    } told[] = {{QUALITY_NO_DATA, "have no data"},
                {QUALITY_STALE, "are silent while others go on"},
                {QUALITY_CONSTANT, "never change: they carry no information"},
                {QUALITY_STUCK, "were stuck at one value for a day or longer"},
                {QUALITY_FLAT, "drew a flat line for a day or longer"},
                {QUALITY_GAP, "have gaps"},
                {QUALITY_RANGE, "say values that cannot be"},
                {QUALITY_SPIKE, "have spikes"},
                {QUALITY_NOT_NUMBER, "have readings that are no number"},
                {QUALITY_UNIT, "seem to be in another unit than their twins"},
                {QUALITY_DOUBLE, "deliver readings twice"},
                {QUALITY_LATE, "deliver out of order"},
                {QUALITY_FALLS, "count up and fall, with no value said at which they roll over"},
                {QUALITY_DRIFT, "moved away from their first days: wear, or a drifting probe"}};
    cJSON *to = json_add_array(out, "summary");
    if (c->n_readings == 0)
        json_add_format(to, NULL, "There are no readings: import telemetry before training.");
    if (n_failures == 0)
        json_add_format(
            to, NULL, "No failure is known: a failure model needs some, a life model all of them.");
    else if (n_failures < QUALITY_ENOUGH_FAILURES)
        json_add_format(to, NULL, "Only %lld failure%s known: forecasts will be rough.",
                        (long long)n_failures, n_failures == 1 ? " is" : "s are");
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
        if (c->n_by_kind[told[i].kind] > 0)
            json_add_format(to, NULL, "%lld of %zu sensors %s.",
                            (long long)c->n_by_kind[told[i].kind], c->n_sensors, told[i].words);
    if (c->n_all == 0 && c->n_assets > 0 && c->n_readings > 0)
        json_add_format(to, NULL, "All sensors deliver without gaps.");
}

static void add_class(const struct quality_class *c, bool has_sensors, int64_t n_failures,
                      cJSON *out)
{
    json_add_int(out, "assets", (int64_t)c->n_assets);
    json_add_int(out, "sensors", (int64_t)c->n_sensors);
    json_add_int(out, "readings", c->n_readings);
    if (c->first_ms != DB_NO_TIME) {
        json_add_instant(out, "first", c->first_ms);
        json_add_instant(out, "last", c->last_ms);
    } else {
        json_add_null(out, "first");
        json_add_null(out, "last");
    }
    cJSON *issues = json_add_object(out, "issues");
    for (int k = 0; k < QUALITY_KINDS; k++)
        if (c->n_by_kind[k] > 0)
            json_add_int(issues, quality_kind_name((enum quality_kind)k), c->n_by_kind[k]);
    json_add_int(out, "n_findings", (int64_t)c->n_all);
    cJSON *findings = quality_findings_json(c);
    if (findings == NULL || !cJSON_AddItemToObject(out, "findings", findings))
        cJSON_Delete(findings);
    add_summary(out, c, n_failures);
    cJSON *rows = has_sensors ? json_add_array(out, "sensor_list") : NULL;
    for (size_t i = 0; i < c->n_sensors && i < MAX_SENSOR_ROWS && rows != NULL; i++) {
        cJSON *row = quality_sensor_json(c, &c->sensors[i]);
        if (row == NULL || !cJSON_AddItemToArray(rows, row))
            cJSON_Delete(row);
    }
}

static enum ft_status report_class(struct db *db, const struct asset_class *k,
                                   const struct quality_options *options, const int64_t *days,
                                   cJSON *out, struct ft_err *err)
{
    const struct event_filter filter = {.class_id = k->id};
    struct asset_list assets = {0};
    struct event_list events = {0};
    struct quality_class c = {0};
    int64_t n_failures = 0;
    json_add_string(out, "class", k->name);
    enum ft_status st = asset_list(db, k->id, &assets, err);
    if (st == FT_OK)
        st = event_list(db, &filter, &events, err);
    struct asset_place *places = st == FT_OK ? places_of(&assets) : NULL;
    if (st == FT_OK && places == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for %zu assets", assets.n);
    if (st == FT_OK)
        st = load_class(db, &assets, places, &events, options, days, &c, err);
    if (st == FT_OK)
        st = audit_labels(db, k, places, &events, &c, out, &n_failures, err);
    if (st == FT_OK)
        add_class(&c, options->has_sensors, n_failures, out);
    cJSON *strip = st == FT_OK ? quality_strip_json(&c, days) : NULL;
    if (strip != NULL && !cJSON_AddItemToObject(out, "strip", strip))
        cJSON_Delete(strip);
    free(places);
    quality_class_free(&c);
    event_list_free(&events);
    asset_list_free(&assets);
    return st;
}

static enum ft_status add_intake(struct db *db, cJSON *report, struct ft_err *err)
{
    struct quarantine_list bad = {0};
    const enum ft_status st = quarantine_list(db, 0, 0, &bad, err);
    json_add_int(report, "quarantined", (int64_t)bad.n);
    quarantine_list_free(&bad);
    return st;
}

enum ft_status data_quality_report(struct db *db, const struct quality_options *options,
                                   cJSON **out, struct ft_err *err)
{
    struct asset_class_list classes = {0};
    cJSON *report = cJSON_CreateObject();
    cJSON *list = json_add_array(report, "classes");
    bool is_found = options->class_name == NULL;
    struct site site;
    int64_t days[QUALITY_STRIP_DAYS + 1];
    enum ft_status st = site_load(db, &site, err);
    *out = NULL;
    quality_strip_days(st == FT_OK ? site.now_ms : 0, days);
    if (st == FT_OK)
        st = class_list(db, &classes, err);
    for (size_t i = 0; i < classes.n && st == FT_OK; i++) {
        if (options->class_name != NULL && strcmp(options->class_name, classes.items[i].name) != 0)
            continue;
        cJSON *c = cJSON_CreateObject();
        is_found = true;
        st = report_class(db, &classes.items[i], options, days, c, err);
        if (list == NULL || !cJSON_AddItemToArray(list, c))
            cJSON_Delete(c);
    }
    if (st == FT_OK && !is_found)
        st = ft_fail(err, FT_NOT_FOUND, "there is no class '%.100s'", options->class_name);
    if (st == FT_OK)
        st = add_intake(db, report, err);
    if (st == FT_OK && (report == NULL || list == NULL))
        st = ft_fail(err, FT_NOMEM, "no memory for the report");
    asset_class_list_free(&classes);
    if (st != FT_OK) {
        cJSON_Delete(report);
        return st;
    }
    *out = report;
    return FT_OK;
}
