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

/* Sums over one class. */
struct class_quality {
    int64_t n_sensors, n_readings;
    int64_t first_ms, last_ms;
    int64_t n_empty, n_constant, n_stuck, n_gappy;
    size_t n_findings;
    cJSON *findings;
};

static void add_finding(struct class_quality *q, const char *kind, const char *asset,
                        const char *sensor, int64_t from_ms, int64_t to_ms, const char *text)
{
    if (++q->n_findings > MAX_FINDINGS)
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
    cJSON_AddItemToArray(q->findings, f);
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
        snprintf(text, sizeof(text), "%s %s: always %.6g", a->key, s->name, sq->stuck_value);
        add_finding(q, "constant", a->key, s->name, sq->first_ms, sq->last_ms, text);
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
    enum ft_status st = sensor_list(db, a->id, &sensors, err);
    for (size_t i = 0; i < sensors.n && st == FT_OK; i++) {
        struct readings r = {0};
        struct sensor_quality sq;
        st = reading_scan(db, sensors.items[i].id, INT64_MIN, INT64_MAX, &r, err);
        if (st == FT_OK)
            st = sensor_quality_of(r.ts_ms, r.value, r.n, &sq, err);
        if (st == FT_OK)
            judge_sensor(q, a, &sensors.items[i], &sq);
        readings_free(&r);
    }
    sensor_list_free(&sensors);
    return st;
}

/* Counts events by kind and failures by component into the class's JSON. */
static enum ft_status count_events(struct db *db, int64_t class_id, cJSON *out, int64_t *n_failures,
                                   struct ft_err *err)
{
    const struct event_filter filter = {.class_id = class_id};
    struct event_list events = {0};
    struct component_list components = {0};
    int64_t by_kind[EVENT_KIND_COUNT] = {0};
    enum ft_status st = event_list(db, &filter, &events, err);
    if (st == FT_OK)
        st = component_list(db, class_id, &components, err);
    int64_t *failures =
        calloc(components.n + 1, sizeof(*failures)); /* last: the asset as a whole */
    if (st == FT_OK && failures == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for %zu components", components.n);
    for (size_t i = 0; i < events.n && st == FT_OK; i++) {
        const struct event *e = &events.items[i];
        size_t k = 0;
        by_kind[e->kind]++;
        while (k < components.n && components.items[k].id != e->component_id)
            k++;
        failures[k] += e->kind == EVENT_FAILURE;
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
    free(failures);
    event_list_free(&events);
    component_list_free(&components);
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

static void add_summary(cJSON *out, const struct class_quality *q, size_t n_assets,
                        int64_t n_failures)
{
    cJSON *to = json_add_array(out, "summary");
    if (q->n_readings == 0)
        add_sentence(to, "There are no readings: import telemetry before training.");
    if (n_failures == 0)
        add_sentence(to,
                     "No failure is known: a failure model needs some, a life model all of them.");
    else if (n_failures < 10)
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
    for (size_t i = 0; i < assets.n && st == FT_OK; i++) {
        st = judge_asset(db, &assets.items[i], &q, err);
        if (st == FT_OK && is_stopped != NULL && is_stopped())
            st = ft_fail(err, FT_INTERRUPTED, "interrupted");
    }
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
        st = count_events(db, c->id, out, &n_failures, err);
    json_add_int(out, "n_findings", (int64_t)q.n_findings);
    if (q.findings == NULL || !cJSON_AddItemToObject(out, "findings", q.findings))
        cJSON_Delete(q.findings);
    add_summary(out, &q, assets.n, n_failures);
    asset_list_free(&assets);
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
