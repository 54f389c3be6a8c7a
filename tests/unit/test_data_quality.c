#include "tests/test.h"

#include "app/base/clock.h"
#include "app/base/rng.h"
#include "app/data_quality.h"
#include "app/data_quality_class.h"
#include "app/data_quality_labels.h"
#include "app/data_quality_strip.h"
#include "app/demo/plant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 200 };

static void fill(int64_t *ts_ms, double *value)
{
    for (int i = 0; i < N; i++) {
        ts_ms[i] = i * MS_PER_HOUR;
        value[i] = i % 9;
    }
}

static struct sensor_quality judge(const int64_t *ts_ms, const double *value, size_t n)
{
    struct sensor_quality q;
    struct ft_err err;
    assert_ok(sensor_quality_of(ts_ms, value, n, NULL, &q, &err), err);
    return q;
}

static void test_sensor_quality_of_healthy(void **state)
{
    int64_t ts_ms[N];
    double value[N];
    fill(ts_ms, value);
    const struct sensor_quality q = judge(ts_ms, value, N);
    assert_int_equal(q.n_gaps, 0);
    assert_int_equal(q.stuck_to_ms, 0);
    assert_false(q.is_constant);
    assert_int_equal(q.interval_ms, MS_PER_HOUR);
    assert_int_equal(q.last_ms, (N - 1) * MS_PER_HOUR);
}

static void test_sensor_quality_of_stuck_and_constant(void **state)
{
    int64_t ts_ms[N];
    double value[N];
    fill(ts_ms, value);
    for (int i = 50; i < 74; i++) /* 24 readings, but 23 hours: not yet a day */
        value[i] = 100;
    assert_int_equal(judge(ts_ms, value, N).stuck_to_ms, 0);
    value[74] = 100;
    struct sensor_quality q = judge(ts_ms, value, N);
    assert_int_equal(q.stuck_from_ms, 50 * MS_PER_HOUR);
    assert_int_equal(q.stuck_to_ms, 74 * MS_PER_HOUR);
    assert_close(q.stuck_value, 100, 0);
    assert_false(q.is_constant);
    for (int i = 0; i < N; i++)
        value[i] = NAN;
    q = judge(ts_ms, value, N);
    assert_true(q.is_constant);
}

static void test_sensor_quality_of_gaps(void **state)
{
    int64_t ts_ms[N];
    double value[N];
    fill(ts_ms, value);
    for (int i = 100; i < N; i++)
        ts_ms[i] += 9 * MS_PER_HOUR; /* ten intervals: just not a gap */
    assert_int_equal(judge(ts_ms, value, N).n_gaps, 0);
    for (int i = 100; i < N; i++)
        ts_ms[i] += MS_PER_HOUR;
    const struct sensor_quality q = judge(ts_ms, value, N);
    assert_int_equal(q.n_gaps, 1);
    assert_int_equal(q.gap_from_ms, 99 * MS_PER_HOUR);
    assert_int_equal(q.longest_gap_ms, 11 * MS_PER_HOUR);
}

static void test_sensor_quality_of_few(void **state)
{
    const int64_t ts_ms[] = {5, 9};
    const double value[] = {1, 2};
    assert_int_equal(judge(ts_ms, value, 0).n, 0);
    assert_true(judge(ts_ms, value, 1).is_constant);
    assert_int_equal(judge(ts_ms, value, 2).n_gaps, 0);
}

/* A coarse scale that rests at a level is not stuck. */
static void test_sensor_quality_of_few_levels(void **state)
{
    static int64_t ts_ms[N];
    static double value[N];
    for (size_t i = 0; i < N; i++) {
        ts_ms[i] = (int64_t)i * MS_PER_HOUR;
        value[i] = i < N / 2 ? 21.60 : 21.61;
    }
    const struct sensor_quality q = judge(ts_ms, value, N);
    assert_false(q.is_constant);
    assert_int_equal(q.stuck_to_ms, 0);
}

/* --- one series ------------------------------------------------------------------------------- */

enum { LONG = 3000 };

/* Hourly normal noise of standard deviation 1 about 50. */
static void fill_noise(uint64_t seed, int64_t *ts_ms, double *value)
{
    for (uint64_t i = 0; i < LONG; i++) {
        ts_ms[i] = (int64_t)i * MS_PER_HOUR;
        value[i] = 50 + rng_normal(seed, 7, i);
    }
}

/* Nothing is found in plain noise, whatever the seed. */
static void test_sensor_quality_of_noise_is_clean(void **state)
{
    static int64_t ts_ms[LONG];
    static double value[LONG];
    for (uint64_t seed = 1; seed <= 60; seed++) {
        fill_noise(seed, ts_ms, value);
        const struct sensor_quality q = judge(ts_ms, value, LONG);
        assert_true(q.n_gaps == 0 && q.n_spikes == 0 && q.n_double == 0 && q.n_out_of_range == 0);
        assert_true(q.stuck_to_ms == 0 && q.flat_to_ms == 0 && q.n_not_number == 0);
        assert_true(fabs(sensor_quality_drift(&q)) < 1);
        assert_close(q.noise, 1, 0.15);
        assert_close(q.all.median, 50, 0.15);
        assert_close(q.all.spread, 1, 0.15);
    }
}

static void test_sensor_quality_of_spikes(void **state)
{
    static int64_t ts_ms[LONG];
    static double value[LONG];
    fill_noise(3, ts_ms, value);
    for (size_t i = 500; i < LONG; i += 600)
        value[i] = i == 1700 ? -40 : 120;
    value[10] = value[11] = 120; /* two in a row are no spike */
    const struct sensor_quality q = judge(ts_ms, value, LONG);
    assert_int_equal(q.n_spikes, 5);
    assert_close(q.spike_value, -40, 0);
    assert_int_equal(q.spike_ms, 1700 * MS_PER_HOUR);
}

static void test_sensor_quality_of_flat_line(void **state)
{
    static int64_t ts_ms[LONG];
    static double value[LONG];
    fill_noise(4, ts_ms, value);
    for (size_t i = 1000; i <= 1048; i++)
        value[i] = 50 + 0.001 * (double)(i % 7);
    const struct sensor_quality q = judge(ts_ms, value, LONG);
    assert_int_equal(q.stuck_to_ms, 0);
    assert_int_equal(q.flat_from_ms, 1000 * MS_PER_HOUR);
    assert_int_equal(q.flat_to_ms, 1048 * MS_PER_HOUR);
}

static void test_sensor_quality_of_values_that_cannot_be(void **state)
{
    static int64_t ts_ms[LONG];
    static double value[LONG];
    const struct series_rules limits = {.low = 40, .high = 60};
    const struct series_rules celsius = {.low = NAN, .high = NAN, .unit = "Cel"};
    struct sensor_quality q;
    struct ft_err err;
    fill_noise(5, ts_ms, value);
    value[7] = NAN;
    value[8] = INFINITY;
    value[9] = -9999; /* a logger's "no value" */
    value[12] = -300; /* below absolute zero */
    value[20] = 61;
    q = judge(ts_ms, value, LONG);
    assert_int_equal(q.n_not_number, 2);
    assert_int_equal(q.n_out_of_range, 1);
    assert_ok(sensor_quality_of(ts_ms, value, LONG, &celsius, &q, &err), err);
    assert_int_equal(q.n_out_of_range, 2);
    assert_close(q.out_value, -9999, 0);
    assert_ok(sensor_quality_of(ts_ms, value, LONG, &limits, &q, &err), err);
    assert_int_equal(q.n_out_of_range, 3);
    assert_int_equal(q.out_from_ms, 9 * MS_PER_HOUR);
    assert_int_equal(q.out_to_ms, 20 * MS_PER_HOUR);
}

static void test_sensor_quality_of_doubles_and_missing(void **state)
{
    static int64_t ts_ms[LONG];
    static double value[LONG];
    fill_noise(6, ts_ms, value);
    for (size_t i = 101; i < 1000; i += 10) {
        ts_ms[i] = ts_ms[i - 1] + 40;
        value[i] = value[i - 1];
    }
    for (size_t i = 2000; i < LONG; i++)
        ts_ms[i] += 50 * MS_PER_HOUR;
    const struct sensor_quality q = judge(ts_ms, value, LONG);
    assert_int_equal(q.n_double, 90);
    assert_int_equal(q.n_gaps, 1);
    assert_int_equal(q.missing_ms, 50 * MS_PER_HOUR);
}

static void test_sensor_quality_of_drift_and_counter(void **state)
{
    static int64_t ts_ms[LONG];
    static double value[LONG];
    const struct series_rules counter = {.low = NAN, .high = NAN, .is_counter = true};
    struct sensor_quality q;
    struct ft_err err;
    fill_noise(8, ts_ms, value);
    for (size_t i = LONG / 2; i < LONG; i++)
        value[i] += 7;
    q = judge(ts_ms, value, LONG);
    assert_close(sensor_quality_drift(&q), 7, 0.8);
    for (size_t i = 0; i < LONG; i++)
        value[i] = (double)(i % 1000);
    assert_ok(sensor_quality_of(ts_ms, value, LONG, &counter, &q, &err), err);
    assert_int_equal(q.n_falls, 2);
    assert_true(isnan(sensor_quality_drift(&q)));
}

/* A machine off for a weekend rests at 0; one at 0 for ten days is stuck. */
static void test_sensor_quality_of_rest(void **state)
{
    static int64_t ts_ms[LONG];
    static double value[LONG];
    fill_noise(9, ts_ms, value);
    for (size_t i = 0; i < LONG; i++)
        if (i % 168 < 60)
            value[i] = 0;
    assert_int_equal(judge(ts_ms, value, LONG).stuck_to_ms, 0);
    for (size_t i = 1000; i < 1240; i++)
        value[i] = 0;
    assert_true(judge(ts_ms, value, LONG).stuck_to_ms > 0);
}

/* --- a class ---------------------------------------------------------------------------------- */

enum { N_TWINS = 6 };

static void class_begin(struct quality_class *c, size_t n_assets, size_t n_sensors)
{
    static const char *const keys[] = {"A", "B", "C", "D", "E", "F"};
    *c = (struct quality_class){.n_assets = n_assets, .first_ms = 0};
    c->assets = calloc(n_assets, sizeof(*c->assets));
    c->sensors = calloc(n_sensors, sizeof(*c->sensors));
    for (size_t i = 0; i < n_assets && i < N_TWINS; i++)
        c->assets[i] = (struct quality_asset){keys[i], false, 0, 0};
}

static struct quality_sensor *class_add(struct quality_class *c, size_t asset, const char *name,
                                        const int64_t *ts_ms, const double *value, size_t n)
{
    struct quality_sensor *s = &c->sensors[c->n_sensors++];
    s->asset = asset;
    s->name = strdup(name);
    s->rollover = NAN;
    s->q = judge(ts_ms, value, n);
    c->n_readings += (int64_t)n;
    if (s->q.last_ms > c->last_ms)
        c->last_ms = s->q.last_ms;
    return s;
}

static bool has(const struct quality_class *c, size_t i, enum quality_kind kind)
{
    return c->sensors[i].issues >> kind & 1U;
}

/* Six twins: one in Fahrenheit, one that goes silent, one that drifts while all rise in summer. */
static void test_quality_class_judge_twins(void **state)
{
    static int64_t ts_ms[LONG];
    static double value[LONG];
    struct quality_class c;
    class_begin(&c, N_TWINS, N_TWINS);
    for (size_t a = 0; a < N_TWINS; a++) {
        fill_noise(20 + a, ts_ms, value);
        for (size_t i = 0; i < LONG; i++) {
            value[i] += 3.0 * (double)i / LONG;
            if (a == 4)
                value[i] += 9.0 * (double)i / LONG;
            if (a == 1)
                value[i] = 1.8 * value[i] + 32;
        }
        class_add(&c, a, "temp", ts_ms, value, a == 2 ? LONG - 200 : LONG);
    }
    quality_class_judge(&c);
    for (size_t a = 0; a < N_TWINS; a++) {
        assert_int_equal(has(&c, a, QUALITY_UNIT), a == 1);
        assert_int_equal(has(&c, a, QUALITY_STALE), a == 2);
        assert_int_equal(has(&c, a, QUALITY_DRIFT), a == 4);
    }
    assert_int_equal(c.n_all, 3);
    assert_non_null(strstr(c.findings[1].text, "Fahrenheit"));
    quality_class_free(&c);
}

/* Two sensors that freeze together: the machine or its gateway; one alone is stuck. */
static void test_quality_class_judge_standstill(void **state)
{
    static int64_t ts_ms[LONG];
    static double value[LONG];
    struct quality_class c;
    class_begin(&c, 2, 4);
    for (size_t k = 0; k < 4; k++) {
        fill_noise(40 + k, ts_ms, value);
        for (size_t i = 800; i < 900 && k != 3; i++)
            value[i] = value[800];
        class_add(&c, k / 2, k % 2 == 0 ? "a" : "b", ts_ms, value, LONG);
    }
    quality_class_judge(&c);
    assert_true(has(&c, 0, QUALITY_STANDSTILL) && has(&c, 1, QUALITY_STANDSTILL));
    assert_false(has(&c, 0, QUALITY_STUCK));
    assert_true(has(&c, 2, QUALITY_STUCK));
    assert_int_equal(c.n_by_kind[QUALITY_STANDSTILL], 1);
    assert_int_equal(c.n_all, 2);
    quality_class_free(&c);
}

/* Late and repeated readings by the live doors. */
static void test_quality_class_judge_arrivals(void **state)
{
    static int64_t ts_ms[LONG];
    static double value[LONG];
    struct quality_class c;
    fill_noise(50, ts_ms, value);
    class_begin(&c, 1, 3);
    class_add(&c, 0, "a", ts_ms, value, LONG)->arrivals = (struct quality_arrivals){1000, 5, 5, 5};
    class_add(&c, 0, "b", ts_ms, value, LONG)->arrivals = (struct quality_arrivals){1000, 5, 9, 0};
    class_add(&c, 0, "c", ts_ms, value, LONG)->arrivals = (struct quality_arrivals){1000, 0, 0, 20};
    quality_class_judge(&c);
    assert_int_equal(c.sensors[0].issues, 0);
    assert_int_equal(c.sensors[1].issues, 1U << QUALITY_DOUBLE);
    assert_int_equal(c.sensors[2].issues, 1U << QUALITY_LATE);
    quality_class_free(&c);
}

/* --- the demo plant, whose faults are known --------------------------------------------------- */

/* Number of stretches without values. */
static size_t count_holes(const struct demo_asset *a, size_t sensor)
{
    size_t n = 0;
    for (size_t i = 1; i < a->n_steps; i++)
        n += isnan(a->values[sensor][i]) && !isnan(a->values[sensor][i - 1]);
    return n;
}

static void add_demo_sensor(struct quality_class *c, size_t asset, const struct demo_asset *a,
                            size_t sensor)
{
    int64_t *ts_ms = calloc(a->n_steps, sizeof(*ts_ms));
    double *value = calloc(a->n_steps, sizeof(*value));
    size_t n = 0;
    for (size_t i = 0; i < a->n_steps; i++)
        if (!isnan(a->values[sensor][i])) {
            ts_ms[n] = a->start_ms + (int64_t)i * a->step_ms;
            value[n++] = a->values[sensor][i];
        }
    class_add(c, asset, a->cls->sensors[sensor].name, ts_ms, value, n)->is_setting =
        a->cls->sensors[sensor].is_setting;
    free(ts_ms);
    free(value);
}

/* Every stuck sensor and every gap of the demo plant is found, and no clean sensor is accused. */
static void test_quality_finds_what_the_demo_plant_broke(void **state)
{
    struct demo_options o = demo_options_default(1767225600000);
    struct demo_asset a[60];
    const char *class_name = NULL;
    size_t n_stuck = 0;
    size_t n_holes = 0;
    struct ft_err err;
    for (size_t i = 0; i < o.n_assets; i++)
        assert_ok(demo_asset_simulate(&o, i, NULL, &a[i], &err), err);
    for (size_t begin = 0; begin < o.n_assets;) {
        struct quality_class c;
        size_t end = begin;
        class_name = a[begin].cls->name;
        while (end < o.n_assets && strcmp(a[end].cls->name, class_name) == 0)
            end++;
        class_begin(&c, end - begin, (end - begin) * DEMO_MAX_SENSORS);
        for (size_t i = begin; i < end; i++) {
            c.assets[i - begin] = (struct quality_asset){.key = a[i].key};
            for (size_t j = 0; j < a[i].cls->n_sensors; j++)
                add_demo_sensor(&c, i - begin, &a[i], j);
        }
        quality_class_judge(&c);
        for (size_t k = 0; k < c.n_sensors; k++) {
            const size_t n_sensors = a[begin].cls->n_sensors;
            const size_t i = begin + k / n_sensors;
            const size_t j = k % n_sensors;
            const bool is_stuck = i % 15 == 7 && j == n_sensors - 1;
            const size_t holes = count_holes(&a[i], j);
            const unsigned faults = c.sensors[k].issues & ~(1U << QUALITY_DRIFT);
            assert_int_equal(faults, (is_stuck ? 1U << QUALITY_STUCK : 0) |
                                         (holes > 0 ? 1U << QUALITY_GAP : 0));
            assert_int_equal(c.sensors[k].q.n_gaps, holes);
            n_stuck += is_stuck;
            n_holes += holes;
        }
        quality_class_free(&c);
        begin = end;
    }
    for (size_t i = 0; i < o.n_assets; i++)
        demo_asset_clear(&a[i]);
    assert_int_equal(n_stuck, 4);
    assert_true(n_holes > 40);
}

/* Hourly readings with a hole of two days and a half, silent for the last day: what is missing is
 * missing, and what lies before the first reading is unknown, not absent. */
static void test_quality_strip_fill(void **state)
{
    enum { HOURS = 40 * 24 };
    int64_t ts[HOURS], days[QUALITY_STRIP_DAYS + 1];
    uint8_t present[QUALITY_STRIP_DAYS];
    const int64_t now_ms = 1000 * MS_PER_DAY; /* a midnight: the newest day has no length yet */
    size_t n = 0;
    quality_strip_days(now_ms - 1, days);
    assert_true(days[QUALITY_STRIP_DAYS] == now_ms - 1);
    assert_true(days[0] == 940 * MS_PER_DAY);
    for (int64_t t = 960 * MS_PER_DAY; t < 999 * MS_PER_DAY; t += MS_PER_HOUR)
        if (t <= 970 * MS_PER_DAY || t >= 972 * MS_PER_DAY + 12 * MS_PER_HOUR)
            ts[n++] = t;
    quality_strip_fill(ts, n, MS_PER_HOUR, days, present);
    assert_int_equal(present[19], QUALITY_STRIP_UNKNOWN);
    assert_int_equal(present[20], 100);
    assert_int_equal(present[29], 100);
    assert_int_equal(present[30], 0);
    assert_int_equal(present[31], 0);
    assert_int_equal(present[32], 50);
    assert_int_equal(present[33], 100);
    assert_int_equal(present[58], 95); /* its last hour belongs to the silence */
    assert_int_equal(present[59], 0);
    /* One that speaks once a day by nature is whole. */
    for (n = 0; n < 40; n++)
        ts[n] = (960 + (int64_t)n) * MS_PER_DAY;
    quality_strip_fill(ts, n, MS_PER_DAY, days, present);
    for (int d = 20; d < QUALITY_STRIP_DAYS; d++)
        assert_int_equal(present[d], 100);
    quality_strip_fill(ts, 0, 0, days, present);
    assert_int_equal(present[59], 0);
}

static void test_quality_strip_json(void **state)
{
    struct quality_asset assets[] = {{.key = "P-1"}, {.key = "P-2", .is_over = true}};
    char names[3][8] = {"flow", "temp", "load"};
    struct quality_sensor sensors[4] = {{.asset = 0, .name = names[0]},
                                        {.asset = 0, .name = names[1]},
                                        {.asset = 0, .name = names[2]},
                                        {.asset = 1, .name = names[0]}};
    struct quality_class c = {.assets = assets, .n_assets = 2, .sensors = sensors, .n_sensors = 4};
    int64_t days[QUALITY_STRIP_DAYS + 1];
    quality_strip_days(1000 * MS_PER_DAY + MS_PER_HOUR, days);
    for (int i = 0; i < 3; i++)
        memset(sensors[i].present, 100, QUALITY_STRIP_DAYS);
    sensors[1].present[5] = 10;
    sensors[1].present[0] = QUALITY_STRIP_UNKNOWN;
    sensors[2].issues = 1U << QUALITY_STUCK;
    sensors[2].q.stuck_from_ms = days[50];
    sensors[2].q.stuck_to_ms = days[QUALITY_STRIP_DAYS];
    cJSON *o = quality_strip_json(&c, days);
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(o, "n_whole")->valueint, 1);
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(o, "from")->valuestring, "1972-07-30");
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(o, "sensors");
    assert_int_equal(cJSON_GetArraySize(rows), 2);
    const cJSON *first = rows->child, *second = first->next;
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(first, "sensor")->valuestring, "load");
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(first, "stuck")->child->valueint, 50);
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(first, "stuck")->child->next->valueint, 59);
    assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(second, "stuck")));
    const cJSON *present = cJSON_GetObjectItemCaseSensitive(second, "present");
    assert_int_equal(cJSON_GetArraySize(present), QUALITY_STRIP_DAYS);
    assert_true(cJSON_IsNull(present->child));
    assert_int_equal(cJSON_GetArrayItem(present, 5)->valueint, 10);
    cJSON_Delete(o);
}

/* --- labels ----------------------------------------------------------------------------------- */

#define DAY MS_PER_DAY

static struct event event_at(int64_t asset, int64_t component, enum event_kind kind, int64_t ts_ms)
{
    return (struct event){.asset_id = asset,
                          .component_id = component,
                          .kind = kind,
                          .ts_ms = ts_ms,
                          .downtime_ms = DB_NO_TIME};
}

static void test_label_audit_make(void **state)
{
    struct event e[] = {event_at(1, 1, EVENT_FAILURE, 10 * DAY),
                        event_at(1, 1, EVENT_REPLACEMENT, 10 * DAY + 7200000),
                        event_at(2, 1, EVENT_FAILURE, 20 * DAY), /* no work, no stop, runs on */
                        event_at(3, 2, EVENT_FAILURE, 30 * DAY), /* no telemetry */
                        event_at(1, 0, EVENT_FAILURE, 40 * DAY),
                        event_at(1, 1, EVENT_FAILURE, 90 * DAY), /* the end of asset 1 */
                        event_at(2, 1, EVENT_FAILURE, 91 * DAY)};
    e[4].downtime_ms = 3600000;
    char bearing[] = "bearing";
    char other[] = "other";
    const struct component parts[] = {{.id = 1, .name = bearing}, {.id = 2, .name = other}};
    const struct label_span spans[] = {
        {1, 0, 90 * DAY}, {2, 0, 100 * DAY}, {3, DB_NO_TIME, DB_NO_TIME}};
    char code[] = "worn";
    const struct work_order orders[] = {{.asset_id = 1, .ended_ms = DAY, .failure_code = code},
                                        {.asset_id = 1, .ended_ms = 2 * DAY},
                                        {.asset_id = 1, .ended_ms = DB_NO_TIME},
                                        {.asset_id = 9, .ended_ms = DAY}};
    const struct label_input in = {.events = e,
                                   .n_events = sizeof(e) / sizeof(e[0]),
                                   .components = parts,
                                   .n_components = 2,
                                   .spans = spans,
                                   .n_spans = 3,
                                   .orders = orders,
                                   .n_orders = 4};
    struct label_audit a;
    struct ft_err err;
    assert_ok(label_audit_make(&in, &a, &err), err);
    assert_int_equal(a.n_failures, 6);
    assert_int_equal(a.n_with_telemetry, 5);
    assert_int_equal(a.n_other, 2);
    assert_int_equal(a.n_running_on, 2);
    assert_int_equal(a.with[0], 4);
    assert_int_equal(a.failures[2], 1);
    assert_int_equal(a.n_closed, 2);
    assert_int_equal(a.n_closed_other, 1);
    assert_int_equal(a.n_closed_bare, 1);
    assert_int_equal(a.n_same_time, 6);
    cJSON *o = cJSON_CreateObject();
    label_audit_add_readiness(&a, parts, o);
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(o, "verdict")->valuestring,
                        "5 failures with telemetry: age-only model; bearing model possible after "
                        "about 6 more, at the present rate about 1970-09-08.");
    cJSON_Delete(o);
    label_audit_clear(&a);
}

/* Work logged hours before the failure it answers is told from chance. */
static void test_label_audit_make_work_before_failure(void **state)
{
    enum { N_JOBS = 12 };
    struct event e[2 * N_JOBS];
    struct ft_err err;
    struct label_audit a;
    char part[] = "belt";
    const struct component parts[] = {{.id = 1, .name = part}};
    const struct label_span span = {1, 0, 1000 * DAY};
    struct label_input in = {.events = e,
                             .n_events = 2 * N_JOBS,
                             .components = parts,
                             .n_components = 1,
                             .spans = &span,
                             .n_spans = 1};
    for (int late = 0; late < 2; late++) {
        for (int64_t i = 0; i < N_JOBS; i++) {
            const int64_t at_ms = (50 * i + 10) * DAY + i * 3000000;
            e[2 * i] = event_at(1, 1, late ? EVENT_REPLACEMENT : EVENT_FAILURE, at_ms);
            e[2 * i + 1] =
                event_at(1, 1, late ? EVENT_FAILURE : EVENT_REPLACEMENT, at_ms + 5 * MS_PER_HOUR);
            e[2 * i].downtime_ms = e[2 * i + 1].downtime_ms = MS_PER_HOUR;
        }
        assert_ok(label_audit_make(&in, &a, &err), err);
        assert_int_equal(a.n_work_before_failure, late ? N_JOBS : 0);
        assert_true(a.expected_before_failure < 1);
        cJSON *o = cJSON_CreateObject();
        label_audit_add_json(&a, o);
        const cJSON *audit = cJSON_GetObjectItemCaseSensitive(o, "label_audit");
        assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(audit, "sentences")),
                         late);
        cJSON_Delete(o);
        label_audit_clear(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sensor_quality_of_healthy),
        cmocka_unit_test(test_sensor_quality_of_stuck_and_constant),
        cmocka_unit_test(test_sensor_quality_of_few_levels),
        cmocka_unit_test(test_sensor_quality_of_gaps),
        cmocka_unit_test(test_sensor_quality_of_few),
        cmocka_unit_test(test_sensor_quality_of_noise_is_clean),
        cmocka_unit_test(test_sensor_quality_of_spikes),
        cmocka_unit_test(test_sensor_quality_of_flat_line),
        cmocka_unit_test(test_sensor_quality_of_values_that_cannot_be),
        cmocka_unit_test(test_sensor_quality_of_doubles_and_missing),
        cmocka_unit_test(test_sensor_quality_of_drift_and_counter),
        cmocka_unit_test(test_sensor_quality_of_rest),
        cmocka_unit_test(test_quality_class_judge_twins),
        cmocka_unit_test(test_quality_class_judge_standstill),
        cmocka_unit_test(test_quality_class_judge_arrivals),
        cmocka_unit_test(test_quality_finds_what_the_demo_plant_broke),
        cmocka_unit_test(test_quality_strip_fill),
        cmocka_unit_test(test_quality_strip_json),
        cmocka_unit_test(test_label_audit_make),
        cmocka_unit_test(test_label_audit_make_work_before_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
