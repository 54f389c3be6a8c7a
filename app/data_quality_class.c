#include "app/data_quality_class.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "db/asset_store.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_ASSETS "all"

static const char *const kind_names[QUALITY_KINDS] = {
    "no_data", "stale",        "stuck",         "flat",         "constant",
    "gap",     "out_of_range", "spike",         "not_a_number", "unit",
    "double",  "out_of_order", "counter_falls", "standstill",   "drift"};

const char *quality_kind_name(enum quality_kind kind)
{
    return kind_names[kind];
}

bool quality_is_fault(enum quality_kind kind)
{
    return kind < QUALITY_STANDSTILL;
}

const char *quality_span_text(int64_t ms, char *out, size_t size)
{
    if (ms >= 2 * MS_PER_DAY)
        snprintf(out, size, "%.1f days", (double)ms / MS_PER_DAY);
    else if (ms >= 2 * MS_PER_HOUR)
        snprintf(out, size, "%.1f hours", (double)ms / MS_PER_HOUR);
    else
        snprintf(out, size, "%.0f min", (double)ms / MS_PER_MINUTE);
    return out;
}

/* --- findings --------------------------------------------------------------------------------- */

struct place {
    size_t asset; /* SIZE_MAX = all */
    const char *sensor;
    int64_t from_ms, to_ms;
};

__attribute__((format(printf, 4, 5))) static void
add_finding(struct quality_class *c, enum quality_kind kind, struct place at, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (++c->n_all > QUALITY_MAX_FINDINGS && at.asset != SIZE_MAX) /* "all" says the most */
        return;
    struct quality_finding *more =
        reallocarray(c->findings, c->n_findings + 1, sizeof(*c->findings));
    if (more != NULL)
        c->findings = more;
    const struct quality_finding f = {kind,       at.asset, strdup(at.sensor),
                                      at.from_ms, at.to_ms, strdup(text)};
    if (more == NULL || f.sensor == NULL || f.text == NULL) {
        free(f.sensor);
        free(f.text);
        c->is_out_of_memory = true;
        return;
    }
    c->findings[c->n_findings++] = f;
}

static struct place place_of(const struct quality_sensor *s, int64_t from_ms, int64_t to_ms)
{
    return (struct place){s->asset, s->name, from_ms, to_ms};
}

static const char *key_of(const struct quality_class *c, const struct quality_sensor *s)
{
    return c->assets[s->asset].key;
}

/* The sensor has the issue, whether or not a finding says so alone. */
static void mark(struct quality_class *c, struct quality_sensor *s, enum quality_kind kind)
{
    c->n_by_kind[kind] += (s->issues >> kind & 1U) == 0;
    s->issues |= 1U << kind;
}

static bool has_issue(const struct quality_sensor *s, enum quality_kind kind)
{
    return s->issues >> kind & 1U;
}

/* --- of one sensor ---------------------------------------------------------------------------- */

static void judge_times(struct quality_class *c, struct quality_sensor *s)
{
    const struct sensor_quality *q = &s->q;
    const struct quality_arrivals *a = &s->arrivals;
    const char *key = key_of(c, s);
    char span[40];
    if (q->n_gaps > 0) {
        mark(c, s, QUALITY_GAP);
        add_finding(c, QUALITY_GAP, place_of(s, q->gap_from_ms, q->gap_from_ms + q->longest_gap_ms),
                    "%s %s: %zu gap%s, the longest %s", key, s->name, q->n_gaps,
                    q->n_gaps == 1 ? "" : "s",
                    quality_span_text(q->longest_gap_ms, span, sizeof(span)));
    }
    if ((double)q->n_double > QUALITY_LATE_SHARE * (double)q->n) {
        mark(c, s, QUALITY_DOUBLE);
        add_finding(c, QUALITY_DOUBLE, place_of(s, q->first_ms, q->last_ms),
                    "%s %s: %zu readings stand twice, a moment apart", key, s->name, q->n_double);
    }
    const double n = (double)a->n;
    if (a->n >= 100 && (double)a->n_late > QUALITY_LATE_SHARE * n) {
        mark(c, s, QUALITY_LATE);
        add_finding(c, QUALITY_LATE, place_of(s, q->first_ms, q->last_ms),
                    "%s %s: %.1f %% of %lld readings came out of order", key, s->name,
                    100 * (double)a->n_late / n, (long long)a->n);
    }
    if (a->n >= 100 && (double)(a->n_repeated + a->n_changed) > QUALITY_LATE_SHARE * n) {
        mark(c, s, QUALITY_DOUBLE);
        add_finding(c, QUALITY_DOUBLE, place_of(s, q->first_ms, q->last_ms),
                    "%s %s: %.1f %% of %lld readings came again, %lld of them with another value",
                    key, s->name, 100 * (double)(a->n_repeated + a->n_changed) / n, (long long)a->n,
                    (long long)a->n_changed);
    }
}

static void judge_values(struct quality_class *c, struct quality_sensor *s)
{
    const struct sensor_quality *q = &s->q;
    const char *key = key_of(c, s);
    if (q->n_not_number > 0) {
        mark(c, s, QUALITY_NOT_NUMBER);
        add_finding(c, QUALITY_NOT_NUMBER, place_of(s, q->first_ms, q->last_ms),
                    "%s %s: %zu readings are no finite number", key, s->name, q->n_not_number);
    }
    if (q->n_out_of_range > 0) {
        mark(c, s, QUALITY_RANGE);
        add_finding(c, QUALITY_RANGE, place_of(s, q->out_from_ms, q->out_to_ms),
                    "%s %s: %zu reading%s cannot be, the worst %.6g", key, s->name,
                    q->n_out_of_range, q->n_out_of_range == 1 ? "" : "s", q->out_value);
    }
    if (q->n_falls > 0 && s->is_counter && !(s->rollover > 0)) {
        mark(c, s, QUALITY_FALLS);
        add_finding(c, QUALITY_FALLS, place_of(s, q->first_ms, q->last_ms),
                    "%s %s: the counter falls %zu time%s; say at which value it rolls over, or it "
                    "counts as a new one",
                    key, s->name, q->n_falls, q->n_falls == 1 ? "" : "s");
    }
    if (s->is_setting || s->is_counter || q->n_spikes < QUALITY_SPIKE_N)
        return;
    mark(c, s, QUALITY_SPIKE);
    add_finding(c, QUALITY_SPIKE, place_of(s, q->spike_ms, q->spike_ms),
                "%s %s: %zu spikes of one reading, the farthest %.6g", key, s->name, q->n_spikes,
                q->spike_value);
}

/* --- standing still --------------------------------------------------------------------------- */

static bool is_watched(const struct quality_sensor *s)
{
    return !s->is_setting && !s->is_counter && s->q.n >= QUALITY_STUCK_N && !s->q.is_constant;
}

/* The stretch in which the sensor says nothing; false = none. */
static bool rest_of(const struct quality_sensor *s, int64_t *from_ms, int64_t *to_ms)
{
    const bool is_stuck = s->q.stuck_to_ms > s->q.stuck_from_ms;
    *from_ms = is_stuck ? s->q.stuck_from_ms : s->q.flat_from_ms;
    *to_ms = is_stuck ? s->q.stuck_to_ms : s->q.flat_to_ms;
    return is_watched(s) && *to_ms > *from_ms;
}

/* Do at least half of the asset's other sensors rest in the same stretch? Then the machine stood,
 * or its gateway repeated itself; no single sensor is to blame. */
static bool rests_with_others(const struct quality_class *c, const struct quality_sensor *s)
{
    int64_t from_ms;
    int64_t to_ms;
    int64_t from;
    int64_t to;
    size_t n = 0;
    size_t n_resting = 0;
    rest_of(s, &from_ms, &to_ms);
    for (size_t i = 0; i < c->n_sensors; i++) {
        const struct quality_sensor *o = &c->sensors[i];
        if (o->asset != s->asset || o == s || !is_watched(o))
            continue;
        n++;
        if (!rest_of(o, &from, &to))
            continue;
        const int64_t shared = (to < to_ms ? to : to_ms) - (from > from_ms ? from : from_ms);
        n_resting += shared * 2 > to_ms - from_ms;
    }
    return n > 0 && n_resting * 2 >= n;
}

static void judge_rest(struct quality_class *c, struct quality_sensor *s, bool *is_told)
{
    int64_t from_ms;
    int64_t to_ms;
    char span[40];
    if (!rest_of(s, &from_ms, &to_ms))
        return;
    const char *key = key_of(c, s);
    quality_span_text(to_ms - from_ms, span, sizeof(span));
    if (rests_with_others(c, s)) {
        s->issues |= 1U << QUALITY_STANDSTILL;
        if (is_told[s->asset])
            return;
        is_told[s->asset] = true;
        c->n_by_kind[QUALITY_STANDSTILL]++;
        add_finding(c, QUALITY_STANDSTILL, (struct place){s->asset, "", from_ms, to_ms},
                    "%s: %s and other sensors say the same for %s: it stood, or its gateway did",
                    key, s->name, span);
    } else if (s->q.stuck_to_ms > s->q.stuck_from_ms) {
        mark(c, s, QUALITY_STUCK);
        add_finding(c, QUALITY_STUCK, place_of(s, from_ms, to_ms), "%s %s: stuck at %.6g for %s",
                    key, s->name, s->q.stuck_value, span);
    } else {
        mark(c, s, QUALITY_FLAT);
        add_finding(c, QUALITY_FLAT, place_of(s, from_ms, to_ms),
                    "%s %s: a flat line at %.6g for %s, far quieter than its usual noise", key,
                    s->name, s->q.flat_value, span);
    }
}

/* --- sensors of one name ---------------------------------------------------------------------- */

/* The sensors of one name over the class, by asset. */
struct twins {
    const char *name;
    struct quality_sensor *const *at;
    size_t n;
};

static int compare_double(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts v. */
static double median(double *v, size_t n)
{
    qsort(v, n, sizeof(*v), compare_double);
    return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void judge_constant(struct quality_class *c, const struct twins *t, struct place *everywhere,
                           char *names, size_t size, size_t *n_everywhere)
{
    struct quality_sensor *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        struct quality_sensor *s = t->at[i];
        if (s->is_setting || s->is_counter || !s->q.is_constant || s->q.n < QUALITY_STUCK_N)
            continue;
        mark(c, s, QUALITY_CONSTANT);
        first = first == NULL ? s : first;
        n++;
    }
    if (n == 0)
        return;
    if (n == c->n_assets && n > 1) {
        const size_t at = strlen(names);
        snprintf(names + at, size - at, "%s%.60s", *n_everywhere > 0 ? ", " : "", t->name);
        if (*n_everywhere == 0 || first->q.first_ms < everywhere->from_ms)
            everywhere->from_ms = first->q.first_ms;
        if (*n_everywhere == 0 || first->q.last_ms > everywhere->to_ms)
            everywhere->to_ms = first->q.last_ms;
        (*n_everywhere)++;
    } else if (n > 1) {
        add_finding(c, QUALITY_CONSTANT, place_of(first, first->q.first_ms, first->q.last_ms),
                    "%s: never changes on %zu of %zu assets, the first is %s", t->name, n,
                    c->n_assets, key_of(c, first));
    } else {
        add_finding(c, QUALITY_CONSTANT, place_of(first, first->q.first_ms, first->q.last_ms),
                    "%s %s: always %.6g", key_of(c, first), t->name, first->q.all.median);
    }
}

/* y = factor * x + offset between units of one quantity. */
static const struct conversion {
    const char *words;
    double factor, offset;
} conversions[] = {{"degrees Celsius and Fahrenheit", 1.8, 32},
                   {"degrees Celsius and kelvin", 1, 273.15},
                   {"bar and psi", 14.50377, 0},
                   {"kPa and psi", 6.894757, 0},
                   {"inches and millimetres", 25.4, 0},
                   {"feet and metres", 3.28084, 0},
                   {"g and m/s2", 9.80665, 0},
                   {"m3/h and US gallons a minute", 4.402868, 0},
                   {"kW and hp", 1.341022, 0},
                   {"a unit and its hundredth (bar and kPa, share and percent)", 100, 0},
                   {"a unit and its thousandth", 1000, 0},
                   {"MPa and bar", 10, 0}};

static bool is_near(double a, double b, double part)
{
    return fabs(a - b) <= part * fabs(b);
}

/* Words of the conversion that takes level a to level b, or back; NULL = none. */
static const char *conversion_between(const struct series_level *a, const struct series_level *b)
{
    for (size_t i = 0; i < sizeof(conversions) / sizeof(conversions[0]); i++) {
        const struct conversion *v = &conversions[i];
        if (is_near(v->factor * a->median + v->offset, b->median, 0.1) &&
            is_near(v->factor * a->spread, b->spread, 0.35))
            return v->words;
        if (is_near(v->factor * b->median + v->offset, a->median, 0.1) &&
            is_near(v->factor * b->spread, a->spread, 0.35))
            return v->words;
    }
    return NULL;
}

/* Units that differ by name, and levels that differ as units do. */
static void judge_units(struct quality_class *c, const struct twins *t, double *room)
{
    const struct quality_sensor *named = NULL;
    double *spreads = room + t->n;
    double *away = spreads + t->n;
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        struct quality_sensor *s = t->at[i];
        if (named != NULL && s->unit != NULL && strcmp(named->unit, s->unit) != 0) {
            mark(c, s, QUALITY_UNIT);
            add_finding(c, QUALITY_UNIT, place_of(s, 0, 0), "%s %s: unit %s, but %s on %s",
                        key_of(c, s), s->name, s->unit, named->unit, key_of(c, named));
        }
        named = named == NULL && s->unit != NULL ? s : named;
        if (s->q.all.n == 0 || s->is_counter)
            continue;
        room[n] = s->q.all.median;
        spreads[n++] = s->q.all.spread;
    }
    if (n < 4)
        return;
    struct series_level usual = {n, median(room, n), median(spreads, n)};
    for (size_t k = 0; k < n; k++)
        away[k] = fabs(room[k] - usual.median);
    const double apart = median(away, n) * 1.4826;
    for (size_t i = 0; i < t->n; i++) {
        struct quality_sensor *s = t->at[i];
        if (s->q.all.n == 0 || s->is_counter || !(usual.spread > 0) ||
            fabs(s->q.all.median - usual.median) < 8 * fmax(apart, usual.spread / 4))
            continue;
        const char *words = conversion_between(&usual, &s->q.all);
        if (words == NULL)
            continue;
        mark(c, s, QUALITY_UNIT);
        add_finding(c, QUALITY_UNIT, place_of(s, s->q.first_ms, s->q.last_ms),
                    "%s %s: about %.4g where its twins say %.4g, as %s differ", key_of(c, s),
                    s->name, s->q.all.median, usual.median, words);
    }
}

/* Moved since its first days by so many spreads more than its twins did. */
#define DRIFT_LIMIT 4.0

static void judge_drift(struct quality_class *c, const struct twins *t, double *room)
{
    double *away = room + t->n;
    size_t n = 0;
    char span[40];
    for (size_t i = 0; i < t->n; i++) {
        const double d = sensor_quality_drift(&t->at[i]->q);
        if (!isnan(d))
            room[n++] = d;
    }
    if (n == 0)
        return;
    /* Of few twins, a common way cannot be told. */
    const double common = n >= 4 ? median(room, n) : 0;
    for (size_t k = 0; k < n; k++)
        away[k] = fabs(room[k] - common);
    const double apart = n >= 4 ? median(away, n) * 1.4826 : 0;
    for (size_t i = 0; i < t->n; i++) {
        struct quality_sensor *s = t->at[i];
        const double d = sensor_quality_drift(&s->q);
        if (isnan(d) || s->is_setting || s->is_counter || has_issue(s, QUALITY_STUCK) ||
            fabs(d - common) < fmax(DRIFT_LIMIT, 5 * apart))
            continue;
        const char *words = conversion_between(&s->q.early, &s->q.late);
        mark(c, s, words != NULL ? QUALITY_UNIT : QUALITY_DRIFT);
        if (words != NULL)
            add_finding(c, QUALITY_UNIT, place_of(s, s->q.first_ms, s->q.last_ms),
                        "%s %s: was about %.4g, is about %.4g now, as %s differ", key_of(c, s),
                        s->name, s->q.early.median, s->q.late.median, words);
        else
            add_finding(c, QUALITY_DRIFT, place_of(s, s->q.first_ms, s->q.last_ms),
                        "%s %s: moved from %.4g to %.4g over %s, %.1f of its spreads: wear, or a "
                        "drifting probe",
                        key_of(c, s), s->name, s->q.early.median, s->q.late.median,
                        quality_span_text(s->q.last_ms - s->q.first_ms, span, sizeof(span)), d);
    }
}

/* By name, then place, which is by asset. */
static int compare_places(const void *a, const void *b)
{
    const struct quality_sensor *x = *(struct quality_sensor *const *)a;
    const struct quality_sensor *y = *(struct quality_sensor *const *)b;
    const int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x > y) - (x < y);
}

static void judge_twins(struct quality_class *c, struct quality_sensor *const *order, double *room)
{
    struct place everywhere = {.asset = SIZE_MAX};
    char names[300] = "";
    size_t n_everywhere = 0;
    for (size_t begin = 0; begin < c->n_sensors;) {
        struct twins t = {.name = order[begin]->name, .at = order + begin};
        while (begin + t.n < c->n_sensors && strcmp(order[begin + t.n]->name, t.name) == 0)
            t.n++;
        judge_constant(c, &t, &everywhere, names, sizeof(names), &n_everywhere);
        judge_units(c, &t, room);
        judge_drift(c, &t, room);
        begin += t.n;
    }
    if (n_everywhere == 0)
        return;
    everywhere.sensor = names;
    add_finding(c, QUALITY_CONSTANT, everywhere,
                "%zu sensor%s never change%s on any of %zu assets: %s", n_everywhere,
                n_everywhere == 1 ? "" : "s", n_everywhere == 1 ? "s" : "", c->n_assets, names);
}

/* --- silence ---------------------------------------------------------------------------------- */

static bool is_silent(const struct quality_class *c, const struct quality_sensor *s)
{
    if (s->q.n == 0 || c->assets[s->asset].is_over)
        return false;
    const int64_t wait_ms = s->q.interval_ms * QUALITY_GAP_INTERVALS;
    return c->last_ms - s->q.last_ms > (wait_ms > MS_PER_HOUR ? wait_ms : MS_PER_HOUR);
}

/* An asset whose sensors are all silent is one finding. */
static void judge_silence(struct quality_class *c, size_t begin, size_t end)
{
    char span[40];
    size_t n = 0;
    size_t n_silent = 0;
    int64_t last_ms = INT64_MIN;
    for (size_t i = begin; i < end; i++) {
        const struct quality_sensor *s = &c->sensors[i];
        n += s->q.n > 0;
        n_silent += is_silent(c, s);
        if (s->q.n > 0 && s->q.last_ms > last_ms)
            last_ms = s->q.last_ms;
    }
    for (size_t i = begin; i < end; i++) {
        struct quality_sensor *s = &c->sensors[i];
        if (!is_silent(c, s))
            continue;
        mark(c, s, QUALITY_STALE);
        if (n_silent < n || n == 1)
            add_finding(c, QUALITY_STALE, place_of(s, s->q.last_ms, c->last_ms),
                        "%s %s: silent for %s", key_of(c, s), s->name,
                        quality_span_text(c->last_ms - s->q.last_ms, span, sizeof(span)));
    }
    if (n > 1 && n_silent == n)
        add_finding(c, QUALITY_STALE,
                    (struct place){c->sensors[begin].asset, "", last_ms, c->last_ms},
                    "%s: all %zu sensors silent for %s", c->assets[c->sensors[begin].asset].key, n,
                    quality_span_text(c->last_ms - last_ms, span, sizeof(span)));
}

/* --- all -------------------------------------------------------------------------------------- */

static void judge_sensor(struct quality_class *c, struct quality_sensor *s, bool *is_told)
{
    if (s->q.n == 0) {
        mark(c, s, QUALITY_NO_DATA);
        add_finding(c, QUALITY_NO_DATA, place_of(s, 0, 0), "%s %s: no data at all", key_of(c, s),
                    s->name);
        return;
    }
    judge_times(c, s);
    judge_values(c, s);
    judge_rest(c, s, is_told);
}

void quality_class_judge(struct quality_class *c)
{
    struct quality_sensor **order = calloc(c->n_sensors + 1, sizeof(struct quality_sensor *));
    double *room = calloc(3 * c->n_sensors + 1, sizeof(*room));
    bool *is_told = calloc(c->n_assets + 1, sizeof(*is_told));
    if (order == NULL || room == NULL || is_told == NULL) {
        c->is_out_of_memory = true;
        goto out;
    }
    for (size_t i = 0; i < c->n_sensors; i++) {
        judge_sensor(c, &c->sensors[i], is_told);
        order[i] = &c->sensors[i];
    }
    for (size_t begin = 0; begin < c->n_sensors;) {
        size_t end = begin + 1;
        while (end < c->n_sensors && c->sensors[end].asset == c->sensors[begin].asset)
            end++;
        judge_silence(c, begin, end);
        begin = end;
    }
    qsort((void *)order, c->n_sensors, sizeof(struct quality_sensor *), compare_places);
    judge_twins(c, order, room);
out:
    free((void *)order);
    free(room);
    free(is_told);
}

void quality_class_free(struct quality_class *c)
{
    for (size_t i = 0; i < c->n_sensors; i++) {
        free(c->sensors[i].name);
        free(c->sensors[i].unit);
    }
    for (size_t i = 0; i < c->n_findings; i++) {
        free(c->findings[i].sensor);
        free(c->findings[i].text);
    }
    free(c->sensors);
    free(c->assets);
    free(c->findings);
    *c = (struct quality_class){0};
}

static void add_json(const struct quality_class *c, const struct quality_finding *f, cJSON *to)
{
    cJSON *o = json_add_object(to, NULL);
    json_add_string(o, "kind", kind_names[f->kind]);
    json_add_string(o, "severity", quality_is_fault(f->kind) ? "fault" : "watch");
    json_add_string(o, "asset", f->asset == SIZE_MAX ? ALL_ASSETS : c->assets[f->asset].key);
    json_add_string(o, "sensor", f->sensor);
    if (f->to_ms > f->from_ms) {
        json_add_instant(o, "from", f->from_ms);
        json_add_instant(o, "to", f->to_ms);
    }
    json_add_string(o, "text", f->text);
}

cJSON *quality_findings_json(const struct quality_class *c)
{
    cJSON *list = cJSON_CreateArray();
    for (int pass = 0; pass < 3; pass++) { /* what holds everywhere, faults, the rest */
        for (size_t i = 0; i < c->n_findings; i++) {
            const struct quality_finding *f = &c->findings[i];
            const int its = f->asset == SIZE_MAX ? 0 : quality_is_fault(f->kind) ? 1 : 2;
            if (its == pass)
                add_json(c, f, list);
        }
    }
    return list;
}

static double share(int64_t n, int64_t of)
{
    return of > 0 ? (double)n / (double)of : NAN;
}

cJSON *quality_sensor_json(const struct quality_class *c, const struct quality_sensor *s)
{
    const struct sensor_quality *q = &s->q;
    const int64_t record_ms = q->last_ms - q->first_ms;
    cJSON *o = cJSON_CreateObject();
    json_add_string(o, "asset", key_of(c, s));
    json_add_string(o, "sensor", s->name);
    json_add_string(o, "role", s->is_setting ? "setting" : s->is_counter ? "meter" : "sensor");
    json_add_int(o, "readings", (int64_t)q->n);
    json_add_number(o, "interval_s", q->n >= 3 ? (double)q->interval_ms / 1000 : NAN);
    json_add_int(o, "gaps", (int64_t)q->n_gaps);
    json_add_number(o, "missing_frac", share(q->missing_ms, record_ms));
    json_add_int(o, "double", (int64_t)q->n_double);
    json_add_number(o, "repeated_frac",
                    share(s->arrivals.n_repeated + s->arrivals.n_changed, s->arrivals.n));
    json_add_number(o, "late_frac", share(s->arrivals.n_late, s->arrivals.n));
    json_add_int(o, "out_of_range", (int64_t)q->n_out_of_range);
    json_add_int(o, "not_a_number", (int64_t)q->n_not_number);
    json_add_int(o, "spikes", (int64_t)q->n_spikes);
    json_add_number(o, "stuck_s", (double)(q->stuck_to_ms - q->stuck_from_ms) / 1000);
    json_add_number(o, "flat_s", (double)(q->flat_to_ms - q->flat_from_ms) / 1000);
    json_add_number(o, "drift", sensor_quality_drift(q));
    if (q->n > 0) {
        json_add_instant(o, "first", q->first_ms);
        json_add_instant(o, "last", q->last_ms);
    } else {
        json_add_null(o, "first");
        json_add_null(o, "last");
    }
    json_add_bool(o, "stale", has_issue(s, QUALITY_STALE));
    cJSON *issues = json_add_array(o, "issues");
    for (int k = 0; k < QUALITY_KINDS; k++)
        if (has_issue(s, (enum quality_kind)k))
            json_add_string(issues, NULL, kind_names[k]);
    return o;
}
