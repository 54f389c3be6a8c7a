#include "app/data_quality_labels.h"

#include "app/base/clock.h"
#include "app/base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A repair this long after a failure is taken to belong to it. */
#define REPAIR_WITHIN_MS (30 * MS_PER_DAY)
#define BEFORE_FAILURE_MS MS_PER_DAY
#define BEFORE_ALARM_MS (6 * MS_PER_HOUR)

/* "Nobody knows": no component, or one with such a name. */
static bool is_other(const char *component)
{
    static const char *const words[] = {"other", "misc", "unknown", "n/a", "none", ""};
    for (size_t i = 0; component != NULL && i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasecmp(component, words[i]) == 0)
            return true;
    return component == NULL;
}

static const struct label_span *span_of(const struct label_input *in, int64_t asset_id)
{
    size_t low = 0; /* by asset_id */
    size_t high = in->n_spans;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (in->spans[middle].asset_id < asset_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < in->n_spans && in->spans[low].asset_id == asset_id ? &in->spans[low] : NULL;
}

/* Had the asset telemetry when it failed? A last reading up to a day before counts. */
static bool has_telemetry(const struct label_span *s, int64_t ts_ms)
{
    return s != NULL && s->first_ms != DB_NO_TIME && ts_ms >= s->first_ms &&
           ts_ms <= s->last_ms + MS_PER_DAY;
}

static bool is_work(const struct event *e)
{
    return e->kind == EVENT_REPLACEMENT || e->kind == EVENT_REPAIR;
}

/* May an event of one part concern the other? 0 is the asset as a whole. */
static bool is_same_part(int64_t a, int64_t b)
{
    return a == 0 || b == 0 || a == b;
}

/* Is there an event of the mask's kinds about the part in (from_ms, to_ms]? at is the place of an
 * event of the asset near it. */
static bool has_event(const struct label_input *in, size_t at, int64_t component_id, unsigned kinds,
                      int64_t from_ms, int64_t to_ms)
{
    const int64_t asset_id = in->events[at].asset_id;
    size_t i = at;
    while (i > 0 && in->events[i - 1].ts_ms > from_ms)
        i--;
    for (; i < in->n_events && in->events[i].ts_ms <= to_ms; i++) {
        const struct event *e = &in->events[i];
        if (i != at && e->asset_id == asset_id && (kinds >> e->kind & 1U) != 0 &&
            e->ts_ms > from_ms && is_same_part(e->component_id, component_id))
            return true;
    }
    return false;
}

static size_t component_index(const struct label_input *in, int64_t id)
{
    size_t k = 0;
    while (k < in->n_components && in->components[k].id != id)
        k++;
    return k;
}

static void audit_failure(const struct label_input *in, size_t at, struct label_audit *out)
{
    const struct event *e = &in->events[at];
    const struct label_span *span = span_of(in, e->asset_id);
    const size_t k = component_index(in, e->component_id);
    const unsigned work = 1U << EVENT_REPLACEMENT | 1U << EVENT_REPAIR;
    const bool is_seen = has_telemetry(span, e->ts_ms);
    out->n_failures++;
    out->failures[k]++;
    out->n_with_telemetry += is_seen;
    if (k < in->n_components)
        out->with[k] += is_seen;
    out->n_other += is_other(k < in->n_components ? in->components[k].name : NULL);
    const bool runs_on = is_seen && span->last_ms > e->ts_ms + MS_PER_DAY;
    out->n_running_on += runs_on && !(e->downtime_ms > 0) &&
                         !has_event(in, at, e->component_id, work, e->ts_ms - MS_PER_HOUR,
                                    e->ts_ms + REPAIR_WITHIN_MS);
    out->n_repeated +=
        e->component_id != 0 && has_event(in, at, e->component_id, 1U << EVENT_FAILURE,
                                          e->ts_ms - MS_PER_DAY, e->ts_ms - 1);
}

static void audit_work(const struct label_input *in, size_t at, struct label_audit *out)
{
    const struct event *e = &in->events[at];
    const unsigned failure = 1U << EVENT_FAILURE;
    const unsigned alarm = 1U << EVENT_ALARM;
    out->n_work_before_failure +=
        has_event(in, at, e->component_id, failure, e->ts_ms, e->ts_ms + BEFORE_FAILURE_MS) &&
        !has_event(in, at, e->component_id, failure, e->ts_ms - BEFORE_FAILURE_MS, e->ts_ms);
    out->n_work_before_alarm +=
        has_event(in, at, e->component_id, alarm, e->ts_ms, e->ts_ms + BEFORE_ALARM_MS) &&
        !has_event(in, at, e->component_id, alarm, e->ts_ms - MS_PER_DAY, e->ts_ms);
}

/* What chance gives, when failures, alarms and work know nothing of each other. */
static void expect_by_chance(const struct label_input *in, struct label_audit *out)
{
    int64_t n_work = 0;
    int64_t n_alarms = 0;
    double pairs = 0; /* sum over parts of work times failures */
    double *work = calloc(in->n_components + 1, sizeof(*work));
    if (work == NULL || in->n_events < 2 || in->n_spans == 0) {
        free(work);
        return;
    }
    for (size_t i = 0; i < in->n_events; i++) {
        const struct event *e = &in->events[i];
        n_alarms += e->kind == EVENT_ALARM;
        n_work += is_work(e);
        if (is_work(e))
            work[component_index(in, e->component_id)]++;
    }
    for (size_t k = 0; k <= in->n_components; k++)
        pairs += k < in->n_components ? work[k] * (double)out->failures[k]
                                      : work[k] * (double)out->n_failures;
    const double exposure_ms =
        fmax(1, (double)(in->events[in->n_events - 1].ts_ms - in->events[0].ts_ms)) *
        (double)in->n_spans;
    const double alarms_a_day = (double)n_alarms / exposure_ms * (double)MS_PER_DAY;
    out->expected_before_failure = pairs / exposure_ms * (double)BEFORE_FAILURE_MS;
    out->expected_before_alarm = (double)n_work * (double)n_alarms / exposure_ms *
                                 (double)BEFORE_ALARM_MS * exp(-alarms_a_day);
    free(work);
}

static int compare_int64(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* How many failures stand at the commonest minute of the day. */
static int64_t count_same_time(const struct label_input *in, int64_t *minute)
{
    size_t n = 0;
    int64_t best = 0;
    for (size_t i = 0; i < in->n_events; i++)
        if (in->events[i].kind == EVENT_FAILURE)
            minute[n++] =
                (in->events[i].ts_ms % MS_PER_DAY + MS_PER_DAY) % MS_PER_DAY / MS_PER_MINUTE;
    qsort(minute, n, sizeof(*minute), compare_int64);
    for (size_t begin = 0; begin < n;) {
        size_t end = begin + 1;
        while (end < n && minute[end] == minute[begin])
            end++;
        best = (int64_t)(end - begin) > best ? (int64_t)(end - begin) : best;
        begin = end;
    }
    return best;
}

static void audit_orders(const struct label_input *in, struct label_audit *out)
{
    for (size_t i = 0; i < in->n_orders; i++) {
        const struct work_order *w = &in->orders[i];
        if (w->ended_ms == DB_NO_TIME || span_of(in, w->asset_id) == NULL)
            continue;
        out->n_closed++;
        out->n_closed_other += is_other(w->failure_code);
        out->n_closed_bare += is_other(w->failure_code) && is_other(w->outcome) &&
                              (w->note == NULL || strlen(w->note) < 8);
    }
}

enum ft_status label_audit_make(const struct label_input *in, struct label_audit *out,
                                struct ft_err *err)
{
    int64_t *minute = calloc(in->n_events + 1, sizeof(*minute));
    *out = (struct label_audit){.first_ms = DB_NO_TIME,
                                .last_ms = DB_NO_TIME,
                                .n_components = in->n_components,
                                .counts_cycles = in->counts_cycles};
    out->with = calloc(in->n_components + 1, sizeof(*out->with));
    out->failures = calloc(in->n_components + 1, sizeof(*out->failures));
    if (out->with == NULL || out->failures == NULL || minute == NULL) {
        free(minute);
        label_audit_clear(out);
        return ft_fail(err, FT_NOMEM, "no memory for the audit of %zu events", in->n_events);
    }
    for (size_t i = 0; i < in->n_spans; i++) {
        const struct label_span *s = &in->spans[i];
        if (s->first_ms == DB_NO_TIME)
            continue;
        if (out->first_ms == DB_NO_TIME || s->first_ms < out->first_ms)
            out->first_ms = s->first_ms;
        if (out->last_ms == DB_NO_TIME || s->last_ms > out->last_ms)
            out->last_ms = s->last_ms;
    }
    for (size_t i = 0; i < in->n_events; i++) {
        if (in->events[i].kind == EVENT_FAILURE)
            audit_failure(in, i, out);
        else if (is_work(&in->events[i]))
            audit_work(in, i, out);
    }
    expect_by_chance(in, out);
    out->n_same_time = count_same_time(in, minute);
    audit_orders(in, out);
    free(minute);
    return FT_OK;
}

void label_audit_clear(struct label_audit *a)
{
    free(a->with);
    free(a->failures);
    *a = (struct label_audit){0};
}

/* --- words ------------------------------------------------------------------------------------ */

static double share(int64_t n, int64_t of)
{
    return of > 0 ? (double)n / (double)of : NAN;
}

/* Far more than chance gives: three standard deviations of a Poisson count over twice of it. */
static bool is_excess(int64_t n, double expected)
{
    return n >= 3 && (double)n > 2 * expected + 3 * sqrt(expected);
}

static void add_sentences(const struct label_audit *a, cJSON *to)
{
    const long long n = (long long)a->n_failures;
    if (a->n_running_on > 0)
        json_add_format(
            to, NULL,
            "%lld of %lld failures have neither a stop nor work recorded, and telemetry "
            "goes on: were they failures?",
            (long long)a->n_running_on, n);
    if (a->n_repeated > 0)
        json_add_format(to, NULL,
                        "%lld failures repeat one of the same part within a day: one failure, "
                        "entered twice?",
                        (long long)a->n_repeated);
    if (is_excess(a->n_work_before_failure, a->expected_before_failure))
        json_add_format(to, NULL,
                        "%lld times work was logged in the day before the failure it should follow "
                        "(%.1f by chance): the times are not to be trusted to a day.",
                        (long long)a->n_work_before_failure, a->expected_before_failure);
    if (is_excess(a->n_work_before_alarm, a->expected_before_alarm))
        json_add_format(
            to, NULL,
            "%lld times work was logged in the hours before the alarm (%.1f by chance): "
            "the clocks of alarms and work differ.",
            (long long)a->n_work_before_alarm, a->expected_before_alarm);
    if (a->n_components > 0 && a->n_other * 5 > a->n_failures)
        json_add_format(to, NULL,
                        "%lld of %lld failures name no part: say which, models learn by part.",
                        (long long)a->n_other, n);
    if (!a->counts_cycles && a->n_failures >= 10 && a->n_same_time * 10 >= a->n_failures * 9)
        json_add_format(
            to, NULL,
            "%lld of %lld failures stand at the same time of the day: they are dates, and "
            "a horizon below a day cannot be judged.",
            (long long)a->n_same_time, n);
    if (a->n_closed > 0 && a->n_closed_bare * 5 > a->n_closed)
        json_add_format(to, NULL,
                        "%lld of %lld closed work orders say nothing about what was found.",
                        (long long)a->n_closed_bare, (long long)a->n_closed);
}

void label_audit_add_json(const struct label_audit *a, cJSON *to)
{
    cJSON *o = json_add_object(to, "label_audit");
    json_add_int(o, "failures", a->n_failures);
    json_add_int(o, "failures_without_telemetry", a->n_failures - a->n_with_telemetry);
    json_add_int(o, "failures_without_component", a->n_other);
    json_add_number(o, "other_frac", share(a->n_other, a->n_failures));
    json_add_int(o, "failures_running_on", a->n_running_on);
    json_add_int(o, "failures_repeated", a->n_repeated);
    json_add_int(o, "work_before_failure", a->n_work_before_failure);
    json_add_number(o, "work_before_failure_by_chance", a->expected_before_failure);
    json_add_int(o, "work_before_alarm", a->n_work_before_alarm);
    json_add_number(o, "work_before_alarm_by_chance", a->expected_before_alarm);
    json_add_number(o, "same_time_of_day_frac", share(a->n_same_time, a->n_failures));
    json_add_int(o, "work_orders_closed", a->n_closed);
    json_add_int(o, "work_orders_without_code", a->n_closed_other);
    json_add_int(o, "work_orders_without_words", a->n_closed_bare);
    add_sentences(a, json_add_array(o, "sentences"));
}

/* When the missing failures are there if they go on as in the record; DB_NO_TIME = unknown. */
static int64_t ready_about(const struct label_audit *a, int64_t n_with, int64_t n_missing)
{
    const double record_ms = (double)(a->last_ms - a->first_ms);
    if (n_missing <= 0 || n_with == 0 || a->first_ms == DB_NO_TIME || record_ms <= 0)
        return DB_NO_TIME;
    const double wait_ms = record_ms * (double)n_missing / (double)n_with;
    return wait_ms < 3650.0 * (double)MS_PER_DAY ? a->last_ms + (int64_t)wait_ms : DB_NO_TIME;
}

static void add_model(const struct label_audit *a, const char *name, int64_t n, int64_t n_with,
                      cJSON *to)
{
    const int64_t n_missing =
        n_with < QUALITY_ENOUGH_FAILURES ? QUALITY_ENOUGH_FAILURES - n_with : 0;
    const int64_t ready_ms = ready_about(a, n_with, n_missing);
    cJSON *o = json_add_object(to, NULL);
    json_add_string(o, "component", name);
    json_add_int(o, "failures", n);
    json_add_int(o, "failures_with_telemetry", n_with);
    json_add_string(o, "level", n_missing == 0 ? "sensors" : n > 0 ? "age_only" : "none");
    json_add_int(o, "missing", n_missing);
    if (ready_ms != DB_NO_TIME)
        json_add_instant(o, "ready_about", ready_ms);
    else
        json_add_null(o, "ready_about");
}

/* The part that comes next: most failures with telemetry, but not enough. */
static size_t next_part(const struct label_audit *a)
{
    size_t best = SIZE_MAX;
    for (size_t k = 0; k < a->n_components; k++)
        if (a->with[k] < QUALITY_ENOUGH_FAILURES && a->failures[k] > 0 &&
            (best == SIZE_MAX || a->with[k] > a->with[best]))
            best = k;
    return best;
}

static void add_verdict(const struct label_audit *a, const struct component *components, cJSON *to)
{
    char next[200] = "";
    char date[CLOCK_TEXT_SIZE] = "";
    const size_t k = next_part(a);
    if (k != SIZE_MAX) {
        const int64_t missing = QUALITY_ENOUGH_FAILURES - a->with[k];
        const int64_t ready_ms = ready_about(a, a->with[k], missing);
        if (ready_ms != DB_NO_TIME)
            clock_format_utc(ready_ms, date);
        snprintf(next, sizeof(next), "; %.80s model possible after about %lld more%s%.10s",
                 components[k].name, (long long)missing,
                 ready_ms != DB_NO_TIME ? ", at the present rate about " : "", date);
    }
    char text[400];
    if (a->n_failures == 0)
        snprintf(text, sizeof(text),
                 "No failure recorded: preventive rules and watch on unusual "
                 "readings only.");
    else if (a->first_ms == DB_NO_TIME)
        snprintf(text, sizeof(text), "%lld failure%s and no telemetry: age-only model%s.",
                 (long long)a->n_failures, a->n_failures == 1 ? "" : "s", next);
    else
        snprintf(text, sizeof(text), "%lld failure%s with telemetry: %s%s.",
                 (long long)a->n_with_telemetry, a->n_with_telemetry == 1 ? "" : "s",
                 a->n_with_telemetry >= QUALITY_ENOUGH_FAILURES ? "a sensor model can be tried"
                                                                : "age-only model",
                 next);
    json_add_string(to, "verdict", text);
}

void label_audit_add_readiness(const struct label_audit *a, const struct component *components,
                               cJSON *to)
{
    add_verdict(a, components, to);
    cJSON *sentences = json_add_array(to, "readiness");
    cJSON *models = json_add_array(to, "models");
    if (a->n_failures == 0)
        return;
    add_model(a, NULL, a->n_failures, a->n_with_telemetry, models);
    json_add_format(
        sentences, NULL, "%lld of %lld failures happened while the asset had telemetry: %s.",
        (long long)a->n_with_telemetry, (long long)a->n_failures,
        a->n_with_telemetry >= QUALITY_ENOUGH_FAILURES ? "a model of all failures can be tried"
                                                       : "an age-only model is what they carry");
    for (size_t k = 0; k < a->n_components; k++) {
        const int64_t left = QUALITY_ENOUGH_FAILURES - a->with[k];
        add_model(a, components[k].name, a->failures[k], a->with[k], models);
        if (left > 0)
            json_add_format(sentences, NULL,
                            "%s: %lld failures with telemetry; a model of its own is possible "
                            "after about %lld more.",
                            components[k].name, (long long)a->with[k], (long long)left);
        else
            json_add_format(sentences, NULL,
                            "%s: %lld failures with telemetry: a model of its own can be tried.",
                            components[k].name, (long long)a->with[k]);
    }
}
