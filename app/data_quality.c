#include "app/data_quality.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/event_store.h"
#include "db/import_store.h"
#include "db/reading_store.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ALL_ASSETS "all"
enum { MAX_FINDINGS = 200 }; /* of a class, in the report; the sentences count all */

static int compare_int64(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool is_same_value(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* Has the sensor more than a few levels? One that has not rests at one of them without being stuck.
 */
static bool has_levels(const double *value, size_t n)
{
    double level[QUALITY_FEW_LEVELS];
    size_t n_levels = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < n_levels && !is_same_value(level[k], value[i]))
            k++;
        if (k < n_levels)
            continue;
        if (n_levels == QUALITY_FEW_LEVELS)
            return true;
        level[n_levels++] = value[i];
    }
    return false;
}

static void find_stuck(const int64_t *ts_ms, const double *value, size_t n,
                       struct sensor_quality *out)
{
    size_t begin = 0;
    for (size_t i = 1; i <= n; i++) {
        if (i < n && is_same_value(value[i], value[begin]))
            continue;
        const int64_t span_ms = ts_ms[i - 1] - ts_ms[begin];
        if (i - begin >= QUALITY_STUCK_N && span_ms >= QUALITY_STUCK_MS &&
            span_ms > out->stuck_to_ms - out->stuck_from_ms) {
            out->stuck_from_ms = ts_ms[begin];
            out->stuck_to_ms = ts_ms[i - 1];
            out->stuck_value = value[begin];
        }
        if (begin == 0 && i == n)
            out->is_constant = true;
        begin = i;
    }
    if (!out->is_constant && !has_levels(value, n))
        out->stuck_from_ms = out->stuck_to_ms = 0;
}

enum ft_status sensor_quality_of(const int64_t *ts_ms, const double *value, size_t n,
                                 struct sensor_quality *out, struct ft_err *err)
{
    *out = (struct sensor_quality){.n = n};
    if (n == 0)
        return FT_OK;
    out->first_ms = ts_ms[0];
    out->last_ms = ts_ms[n - 1];
    find_stuck(ts_ms, value, n, out);
    if (n < 3)
        return FT_OK;
    int64_t *steps = calloc(n - 1, sizeof(*steps));
    if (steps == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu readings", n);
    for (size_t i = 1; i < n; i++)
        steps[i - 1] = ts_ms[i] - ts_ms[i - 1];
    qsort(steps, n - 1, sizeof(*steps), compare_int64);
    out->interval_ms = steps[(n - 1) / 2];
    free(steps);
    int64_t limit_ms = out->interval_ms * QUALITY_GAP_INTERVALS;
    limit_ms = limit_ms > MS_PER_HOUR ? limit_ms : MS_PER_HOUR;
    for (size_t i = 1; i < n; i++) {
        const int64_t step_ms = ts_ms[i] - ts_ms[i - 1];
        if (step_ms <= limit_ms)
            continue;
        out->n_gaps++;
        if (step_ms > out->longest_gap_ms) {
            out->longest_gap_ms = step_ms;
            out->gap_from_ms = ts_ms[i - 1];
        }
    }
    return FT_OK;
}

/* "3.5 days", "7.0 hours" */
static const char *span_text(int64_t ms, char *out, size_t size)
{
    if (ms >= 2 * MS_PER_DAY)
        snprintf(out, size, "%.1f days", (double)ms / MS_PER_DAY);
    else
        snprintf(out, size, "%.1f hours", (double)ms / MS_PER_HOUR);
    return out;
}

/* A sensor name that never changes on some assets: told once, not once for each asset. */
struct constant_sensor {
    char *name;        /* owned */
    char *asset;       /* the first one; owned */
    double value;      /* on the first one */
    bool is_one_value; /* on all of them */
    int64_t first_ms, last_ms;
    size_t n;
};

/* Where the telemetry of an asset lies. */
struct asset_span {
    int64_t asset_id, first_ms, last_ms; /* DB_NO_TIME = none */
};

/* Sums over one class. */
struct class_quality {
    struct constant_sensor *constants; /* [n_constants], owned */
    size_t n_constants;
    struct asset_span *spans; /* [n_spans], owned */
    size_t n_spans;
    bool is_out_of_memory;
    int64_t n_sensors, n_readings;
    int64_t first_ms, last_ms;
    int64_t n_empty, n_constant, n_stuck, n_gappy;
    size_t n_findings;
    cJSON *findings;
};

static void add_finding(struct class_quality *q, const char *kind, const char *asset,
                        const char *sensor, int64_t from_ms, int64_t to_ms, const char *text)
{
    const bool is_first = strcmp(asset, ALL_ASSETS) == 0; /* it says the most */
    if (++q->n_findings > MAX_FINDINGS && !is_first)
        return;
    cJSON *f = cJSON_CreateObject();
    json_add_string(f, "kind", kind);
    json_add_string(f, "asset", asset);
    json_add_string(f, "sensor", sensor);
    if (to_ms > from_ms) {
        json_add_instant(f, "from", from_ms);
        json_add_instant(f, "to", to_ms);
    }
    json_add_string(f, "text", text);
    if (!is_first || !cJSON_InsertItemInArray(q->findings, 0, f))
        cJSON_AddItemToArray(q->findings, f);
}

static void note_constant(struct class_quality *q, const char *asset, const char *name,
                          const struct sensor_quality *sq)
{
    struct constant_sensor *c = NULL;
    for (size_t i = 0; i < q->n_constants && c == NULL; i++)
        if (strcmp(q->constants[i].name, name) == 0)
            c = &q->constants[i];
    if (c != NULL) {
        c->n++;
        c->is_one_value = c->is_one_value && is_same_value(c->value, sq->stuck_value);
        c->first_ms = sq->first_ms < c->first_ms ? sq->first_ms : c->first_ms;
        c->last_ms = sq->last_ms > c->last_ms ? sq->last_ms : c->last_ms;
        return;
    }
    struct constant_sensor *grown =
        reallocarray(q->constants, q->n_constants + 1, sizeof(*q->constants));
    if (grown != NULL)
        q->constants = grown;
    struct constant_sensor row = {.name = strdup(name),
                                  .asset = strdup(asset),
                                  .value = sq->stuck_value,
                                  .is_one_value = true,
                                  .first_ms = sq->first_ms,
                                  .last_ms = sq->last_ms,
                                  .n = 1};
    if (grown == NULL || row.name == NULL || row.asset == NULL) {
        free(row.name);
        free(row.asset);
        q->is_out_of_memory = true;
        return;
    }
    q->constants[q->n_constants++] = row;
}

/* One finding for all sensor names that never change on any asset, one for each other name. */
static void add_constants(struct class_quality *q, size_t n_assets)
{
    char text[400];
    char names[300] = "";
    size_t n_everywhere = 0;
    size_t at = 0;
    int64_t first_ms = INT64_MAX;
    int64_t last_ms = INT64_MIN;
    for (size_t i = 0; i < q->n_constants; i++) {
        const struct constant_sensor *c = &q->constants[i];
        if (c->n == n_assets && n_assets > 1) {
            const int n = snprintf(names + at, sizeof(names) - at, "%s%.60s",
                                   n_everywhere > 0 ? ", " : "", c->name);
            at = at + (size_t)n < sizeof(names) - 1 ? at + (size_t)n : sizeof(names) - 1;
            first_ms = c->first_ms < first_ms ? c->first_ms : first_ms;
            last_ms = c->last_ms > last_ms ? c->last_ms : last_ms;
            n_everywhere++;
        } else if (c->n > 1) {
            snprintf(text, sizeof(text), "%s: never changes on %zu of %zu assets, the first is %s",
                     c->name, c->n, n_assets, c->asset);
            add_finding(q, "constant", c->asset, c->name, c->first_ms, c->last_ms, text);
        } else {
            snprintf(text, sizeof(text), "%s %s: always %.6g", c->asset, c->name, c->value);
            add_finding(q, "constant", c->asset, c->name, c->first_ms, c->last_ms, text);
        }
    }
    if (n_everywhere > 0) {
        snprintf(text, sizeof(text), "%zu sensor%s never change%s on any of %zu assets: %s",
                 n_everywhere, n_everywhere == 1 ? "" : "s", n_everywhere == 1 ? "s" : "", n_assets,
                 names);
        add_finding(q, "constant", ALL_ASSETS, names, first_ms, last_ms, text);
    }
}

static void class_quality_free(struct class_quality *q)
{
    for (size_t i = 0; i < q->n_constants; i++) {
        free(q->constants[i].name);
        free(q->constants[i].asset);
    }
    free(q->constants);
    free(q->spans);
}

static void judge_sensor(struct class_quality *q, const struct asset *a, const struct sensor *s,
                         const struct sensor_quality *sq)
{
    char text[400];
    char span[40];
    q->n_sensors++;
    q->n_readings += (int64_t)sq->n;
    if (sq->n == 0) {
        q->n_empty++;
        snprintf(text, sizeof(text), "%s %s: no data at all", a->key, s->name);
        add_finding(q, "no_data", a->key, s->name, 0, 0, text);
        return;
    }
    if (q->first_ms == DB_NO_TIME || sq->first_ms < q->first_ms)
        q->first_ms = sq->first_ms;
    if (q->last_ms == DB_NO_TIME || sq->last_ms > q->last_ms)
        q->last_ms = sq->last_ms;
    if (s->role == SENSOR_ROLE_SENSOR && sq->is_constant && sq->n >= QUALITY_STUCK_N) {
        q->n_constant++;
        note_constant(q, a->key, s->name, sq);
    } else if (s->role == SENSOR_ROLE_SENSOR && sq->stuck_to_ms > sq->stuck_from_ms) {
        q->n_stuck++;
        snprintf(text, sizeof(text), "%s %s: stuck at %.6g for %s", a->key, s->name,
                 sq->stuck_value,
                 span_text(sq->stuck_to_ms - sq->stuck_from_ms, span, sizeof(span)));
        add_finding(q, "stuck", a->key, s->name, sq->stuck_from_ms, sq->stuck_to_ms, text);
    }
    if (sq->n_gaps > 0) {
        q->n_gappy++;
        snprintf(text, sizeof(text), "%s %s: %zu gap%s, the longest %s", a->key, s->name,
                 sq->n_gaps, sq->n_gaps == 1 ? "" : "s",
                 span_text(sq->longest_gap_ms, span, sizeof(span)));
        add_finding(q, "gap", a->key, s->name, sq->gap_from_ms,
                    sq->gap_from_ms + sq->longest_gap_ms, text);
    }
}

static enum ft_status judge_asset(struct db *db, const struct asset *a, struct class_quality *q,
                                  struct ft_err *err)
{
    struct sensor_list sensors = {0};
    struct asset_span *span = &q->spans[q->n_spans++];
    enum ft_status st = sensor_list(db, a->id, &sensors, err);
    *span = (struct asset_span){a->id, DB_NO_TIME, DB_NO_TIME};
    for (size_t i = 0; i < sensors.n && st == FT_OK; i++) {
        struct readings r = {0};
        struct sensor_quality sq;
        st = reading_scan(db, sensors.items[i].id, INT64_MIN, INT64_MAX, &r, err);
        if (st == FT_OK)
            st = sensor_quality_of(r.ts_ms, r.value, r.n, &sq, err);
        if (st == FT_OK)
            judge_sensor(q, a, &sensors.items[i], &sq);
        if (st == FT_OK && sq.n > 0) {
            if (span->first_ms == DB_NO_TIME || sq.first_ms < span->first_ms)
                span->first_ms = sq.first_ms;
            if (span->last_ms == DB_NO_TIME || sq.last_ms > span->last_ms)
                span->last_ms = sq.last_ms;
        }
        readings_free(&r);
    }
    sensor_list_free(&sensors);
    return st;
}

__attribute__((format(printf, 2, 3))) static void add_sentence(cJSON *to, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    json_add_string(to, NULL, text);
}

/* Had the asset telemetry when it failed? A last reading up to a day before counts. */
static bool has_telemetry(const struct class_quality *q, const struct event *e)
{
    for (size_t i = 0; i < q->n_spans; i++)
        if (q->spans[i].asset_id == e->asset_id)
            return q->spans[i].first_ms != DB_NO_TIME && e->ts_ms >= q->spans[i].first_ms &&
                   e->ts_ms <= q->spans[i].last_ms + MS_PER_DAY;
    return false;
}

/* "Nobody knows": a failure without a component, or of one with such a name. */
static bool is_other(const char *component)
{
    static const char *const words[] = {"other", "misc", "unknown", "n/a", "none"};
    for (size_t i = 0; component != NULL && i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasecmp(component, words[i]) == 0)
            return true;
    return component == NULL;
}

/* What the labels are worth, and what can be learnt of each component. */
static void add_readiness(cJSON *out, int64_t n_all, int64_t n_with, int64_t n_other,
                          const struct component_list *components, const int64_t *with)
{
    cJSON *audit = json_add_object(out, "label_audit");
    cJSON *to = json_add_array(out, "readiness");
    json_add_int(audit, "failures", n_all);
    json_add_int(audit, "failures_without_telemetry", n_all - n_with);
    json_add_int(audit, "failures_without_component", n_other);
    if (n_all == 0)
        return;
    add_sentence(to, "%lld of %lld failures happened while the asset had telemetry: %s.",
                 (long long)n_with, (long long)n_all,
                 n_with >= QUALITY_ENOUGH_FAILURES ? "a model of all failures can be tried"
                                                   : "an age-only model is what they carry");
    for (size_t k = 0; k < components->n; k++) {
        const int64_t left = QUALITY_ENOUGH_FAILURES - with[k];
        if (left > 0)
            add_sentence(to,
                         "%s: %lld failures with telemetry; a model of its own is possible "
                         "after about %lld more.",
                         components->items[k].name, (long long)with[k], (long long)left);
        else
            add_sentence(to, "%s: %lld failures with telemetry: a model of its own can be tried.",
                         components->items[k].name, (long long)with[k]);
    }
    if (components->n > 0 && n_other * 5 > n_all)
        add_sentence(to,
                     "%lld of %lld failures name no component: say which, models learn by part.",
                     (long long)n_other, (long long)n_all);
}

/* Counts events by kind and failures by component into the class's JSON. */
static enum ft_status count_events(struct db *db, int64_t class_id, const struct class_quality *q,
                                   cJSON *out, int64_t *n_failures, struct ft_err *err)
{
    const struct event_filter filter = {.class_id = class_id};
    struct event_list events = {0};
    struct component_list components = {0};
    int64_t by_kind[EVENT_KIND_COUNT] = {0};
    enum ft_status st = event_list(db, &filter, &events, err);
    if (st == FT_OK)
        st = component_list(db, class_id, &components, err);
    int64_t *failures =
        calloc(components.n + 1, sizeof(*failures));         /* last: the asset as a whole */
    int64_t *with = calloc(components.n + 1, sizeof(*with)); /* telemetry */
    int64_t n_with = 0;
    int64_t n_other = 0;
    if (st == FT_OK && (failures == NULL || with == NULL))
        st = ft_fail(err, FT_NOMEM, "no memory for %zu components", components.n);
    for (size_t i = 0; i < events.n && st == FT_OK; i++) {
        const struct event *e = &events.items[i];
        size_t k = 0;
        by_kind[e->kind]++;
        while (k < components.n && components.items[k].id != e->component_id)
            k++;
        if (e->kind != EVENT_FAILURE)
            continue;
        const bool is_seen = has_telemetry(q, e);
        failures[k]++;
        with[k] += is_seen;
        n_with += is_seen;
        n_other += is_other(k < components.n ? components.items[k].name : NULL);
    }
    cJSON *kinds = json_add_object(out, "events");
    cJSON *parts = json_add_object(out, "failures");
    for (int k = 0; k < EVENT_KIND_COUNT && st == FT_OK; k++)
        json_add_int(kinds, event_kind_name((enum event_kind)k), by_kind[k]);
    for (size_t k = 0; k <= components.n && st == FT_OK; k++)
        if (k < components.n || failures[k] > 0)
            json_add_int(parts, k < components.n ? components.items[k].name : "(whole asset)",
                         failures[k]);
    *n_failures = by_kind[EVENT_FAILURE];
    if (st == FT_OK)
        add_readiness(out, *n_failures, n_with, n_other, &components, with);
    free(failures);
    free(with);
    event_list_free(&events);
    component_list_free(&components);
    return st;
}

static void add_summary(cJSON *out, const struct class_quality *q, size_t n_assets,
                        int64_t n_failures)
{
    cJSON *to = json_add_array(out, "summary");
    if (q->n_readings == 0)
        add_sentence(to, "There are no readings: import telemetry before training.");
    if (n_failures == 0)
        add_sentence(to,
                     "No failure is known: a failure model needs some, a life model all of them.");
    else if (n_failures < QUALITY_ENOUGH_FAILURES)
        add_sentence(to, "Only %lld failure%s known: forecasts will be rough.",
                     (long long)n_failures, n_failures == 1 ? " is" : "s are");
    if (q->n_empty > 0)
        add_sentence(to, "%lld of %lld sensors have no data.", (long long)q->n_empty,
                     (long long)q->n_sensors);
    if (q->n_constant > 0)
        add_sentence(to, "%lld of %lld sensors never change: they carry no information.",
                     (long long)q->n_constant, (long long)q->n_sensors);
    if (q->n_stuck > 0)
        add_sentence(to, "%lld of %lld sensors were stuck at one value for a day or longer.",
                     (long long)q->n_stuck, (long long)q->n_sensors);
    if (q->n_gappy > 0)
        add_sentence(to, "%lld of %lld sensors have gaps.", (long long)q->n_gappy,
                     (long long)q->n_sensors);
    if (q->n_findings == 0 && n_assets > 0 && q->n_readings > 0)
        add_sentence(to, "All sensors deliver without gaps.");
}

static enum ft_status report_class(struct db *db, const struct asset_class *c,
                                   bool (*is_stopped)(void), cJSON *out, struct ft_err *err)
{
    struct asset_list assets = {0};
    struct class_quality q = {
        .first_ms = DB_NO_TIME, .last_ms = DB_NO_TIME, .findings = cJSON_CreateArray()};
    int64_t n_failures = 0;
    enum ft_status st = asset_list(db, c->id, &assets, err);
    q.spans = calloc(assets.n + 1, sizeof(*q.spans));
    if (st == FT_OK && q.spans == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for %zu assets", assets.n);
    for (size_t i = 0; i < assets.n && st == FT_OK; i++) {
        st = judge_asset(db, &assets.items[i], &q, err);
        if (st == FT_OK && is_stopped != NULL && is_stopped())
            st = ft_fail(err, FT_INTERRUPTED, "interrupted");
    }
    if (st == FT_OK && q.is_out_of_memory)
        st = ft_fail(err, FT_NOMEM, "no memory for the report");
    add_constants(&q, assets.n);
    json_add_string(out, "class", c->name);
    json_add_int(out, "assets", (int64_t)assets.n);
    json_add_int(out, "sensors", q.n_sensors);
    json_add_int(out, "readings", q.n_readings);
    if (q.first_ms != DB_NO_TIME) {
        json_add_instant(out, "first", q.first_ms);
        json_add_instant(out, "last", q.last_ms);
    } else {
        json_add_null(out, "first");
        json_add_null(out, "last");
    }
    if (st == FT_OK)
        st = count_events(db, c->id, &q, out, &n_failures, err);
    json_add_int(out, "n_findings", (int64_t)q.n_findings);
    if (q.findings == NULL || !cJSON_AddItemToObject(out, "findings", q.findings))
        cJSON_Delete(q.findings);
    add_summary(out, &q, assets.n, n_failures);
    asset_list_free(&assets);
    class_quality_free(&q);
    return st;
}

enum ft_status data_quality_report(struct db *db, bool (*is_stopped)(void), cJSON **out,
                                   struct ft_err *err)
{
    struct asset_class_list classes = {0};
    struct quarantine_list bad = {0};
    cJSON *report = cJSON_CreateObject();
    cJSON *list = json_add_array(report, "classes");
    enum ft_status st = class_list(db, &classes, err);
    *out = NULL;
    for (size_t i = 0; i < classes.n && st == FT_OK; i++) {
        cJSON *c = cJSON_CreateObject();
        st = report_class(db, &classes.items[i], is_stopped, c, err);
        if (list == NULL || !cJSON_AddItemToArray(list, c))
            cJSON_Delete(c);
    }
    if (st == FT_OK)
        st = quarantine_list(db, 0, 0, &bad, err);
    json_add_int(report, "quarantined", (int64_t)bad.n);
    if (st == FT_OK && (report == NULL || list == NULL))
        st = ft_fail(err, FT_NOMEM, "no memory for the report");
    quarantine_list_free(&bad);
    asset_class_list_free(&classes);
    if (st != FT_OK) {
        cJSON_Delete(report);
        return st;
    }
    *out = report;
    return FT_OK;
}
