/* Quantiles come from at most SAMPLE readings at equal steps: of a million readings their error is
 * below half a percent of rank, and every run takes the same ones. */
#include "app/data_quality_series.h"

#include "app/base/clock.h"
#include "app/base/instants.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE = 20000 };
#define MAD_TO_SIGMA 1.4826 /* Rousseeuw & Croux 1993 */

static int compare_int64(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int compare_double(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool is_same_value(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* Room for the sample of one series. */
struct scratch {
    double *value;    /* [SAMPLE] */
    int64_t *step_ms; /* [SAMPLE] */
};

/* Finite values of v[0, n) at equal steps, sorted; returns how many. */
static size_t sample_sorted(const double *v, size_t n, double *out)
{
    const size_t step = n / SAMPLE + 1;
    size_t k = 0;
    for (size_t i = 0; i < n; i += step)
        if (isfinite(v[i]))
            out[k++] = v[i];
    qsort(out, k, sizeof(*out), compare_double);
    return k;
}

static double quantile(const double *sorted, size_t n, double p)
{
    return sorted[(size_t)(p * (double)(n - 1) + 0.5)];
}

static struct series_level level_of(const double *v, size_t n, double *room)
{
    const size_t k = sample_sorted(v, n, room);
    struct series_level l = {k, NAN, NAN};
    if (k > 0) {
        l.median = quantile(room, k, 0.5);
        l.spread = (quantile(room, k, 0.84) - quantile(room, k, 0.16)) / 2;
    }
    return l;
}

/* --- stuck and flat --------------------------------------------------------------------------- */

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

static bool is_long_run(const int64_t *ts_ms, size_t begin, size_t end)
{
    return end - begin >= QUALITY_STUCK_N && ts_ms[end - 1] - ts_ms[begin] >= QUALITY_STUCK_MS;
}

/* The ends of the range and how often the sensor is there. */
struct ends {
    double least, greatest;
    size_t n_least, n_greatest;
};

static struct ends ends_of(const double *value, size_t n)
{
    struct ends e = {INFINITY, -INFINITY, 0, 0};
    for (size_t i = 0; i < n; i++) {
        e.n_least = value[i] < e.least ? 1 : e.n_least + (value[i] == e.least);
        e.n_greatest = value[i] > e.greatest ? 1 : e.n_greatest + (value[i] == e.greatest);
        e.least = fmin(e.least, value[i]);
        e.greatest = fmax(e.greatest, value[i]);
    }
    return e;
}

static bool is_rest(const struct ends *e, double v, size_t n_run, int64_t span_ms)
{
    const size_t n_there = v == e->least ? e->n_least : v == e->greatest ? e->n_greatest : 0;
    return span_ms < QUALITY_REST_MS && n_there >= n_run + QUALITY_REST_N;
}

static void find_stuck(const int64_t *ts_ms, const double *value, size_t n,
                       struct sensor_quality *out)
{
    const struct ends ends = ends_of(value, n);
    size_t begin = 0;
    for (size_t i = 1; i <= n; i++) {
        if (i < n && is_same_value(value[i], value[begin]))
            continue;
        const int64_t span_ms = ts_ms[i - 1] - ts_ms[begin];
        if (is_long_run(ts_ms, begin, i) && span_ms > out->stuck_to_ms - out->stuck_from_ms &&
            !is_rest(&ends, value[begin], i - begin, span_ms)) {
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

/* Longest stretch that moves, but by less than a part of the noise. */
static void find_flat(const int64_t *ts_ms, const double *value, size_t n,
                      struct sensor_quality *out)
{
    const double room = QUALITY_FLAT_PART * out->noise;
    size_t begin = 0;
    double low = INFINITY;
    double high = -INFINITY;
    if (!(room > 0))
        return;
    for (size_t i = 0; i <= n; i++) {
        const double v = i < n ? value[i] : NAN;
        if (fmax(high, v) - fmin(low, v) <= room && !isnan(v)) {
            low = fmin(low, v);
            high = fmax(high, v);
            continue;
        }
        if (high > low && is_long_run(ts_ms, begin, i) &&
            ts_ms[i - 1] - ts_ms[begin] > out->flat_to_ms - out->flat_from_ms) {
            out->flat_from_ms = ts_ms[begin];
            out->flat_to_ms = ts_ms[i - 1];
            out->flat_value = value[begin];
        }
        begin = i;
        low = high = v;
        if (isnan(v)) {
            low = INFINITY;
            high = -INFINITY;
        }
    }
}

/* --- time ------------------------------------------------------------------------------------- */

static void find_gaps(const int64_t *ts_ms, const double *value, size_t n, int64_t *steps,
                      struct sensor_quality *out)
{
    const size_t stride = (n - 1) / SAMPLE + 1;
    size_t k = 0;
    for (size_t i = 1; i < n; i += stride)
        steps[k++] = ts_ms[i] - ts_ms[i - 1];
    qsort(steps, k, sizeof(*steps), compare_int64);
    out->interval_ms = steps[k / 2];
    int64_t limit_ms = out->interval_ms * QUALITY_GAP_INTERVALS;
    limit_ms = limit_ms > MS_PER_HOUR ? limit_ms : MS_PER_HOUR;
    for (size_t i = 1; i < n; i++) {
        const int64_t step_ms = ts_ms[i] - ts_ms[i - 1];
        if (step_ms * 10 <= out->interval_ms && is_same_value(value[i], value[i - 1]))
            out->n_double++;
        if (step_ms <= limit_ms)
            continue;
        out->n_gaps++;
        out->missing_ms += step_ms - out->interval_ms;
        if (step_ms > out->longest_gap_ms) {
            out->longest_gap_ms = step_ms;
            out->gap_from_ms = ts_ms[i - 1];
        }
    }
}

static void find_drift(const int64_t *ts_ms, const double *value, size_t n, double *room,
                       struct sensor_quality *out)
{
    const int64_t record_ms = out->last_ms - out->first_ms;
    int64_t part_ms = (int64_t)(QUALITY_DRIFT_PART * (double)record_ms);
    part_ms = part_ms > QUALITY_DRIFT_MS ? part_ms : QUALITY_DRIFT_MS;
    if (record_ms < 4 * part_ms)
        return;
    const size_t n_early = instants_before(ts_ms, n, out->first_ms + part_ms);
    const size_t late = instants_before(ts_ms, n, out->last_ms - part_ms);
    out->early = level_of(value, n_early, room);
    out->late = level_of(value + late, n - late, room);
    if (out->early.n < QUALITY_DRIFT_N || out->late.n < QUALITY_DRIFT_N)
        out->early.n = out->late.n = 0;
}

double sensor_quality_drift(const struct sensor_quality *q)
{
    if (q->early.n == 0 || !(q->early.spread > 0))
        return NAN;
    return (q->late.median - q->early.median) / q->early.spread;
}

/* --- values ----------------------------------------------------------------------------------- */

/* Below it nothing can be; -INFINITY = no such limit. UCUM codes. */
static double least_possible(const char *unit)
{
    static const struct {
        const char *unit;
        double least;
    } limits[] = {{"K", 0},  {"Cel", -273.15}, {"degC", -273.15}, {"[degF]", -459.67},
                  {"Hz", 0}, {"rpm", 0},       {"{rpm}", 0},      {"mm/s", 0}};
    for (size_t i = 0; unit != NULL && i < sizeof(limits) / sizeof(limits[0]); i++)
        if (strcmp(limits[i].unit, unit) == 0)
            return limits[i].least;
    return -INFINITY;
}

/* What loggers write when they have nothing to say. */
static bool is_no_value_code(double v)
{
    static const double codes[] = {-999, -9999, -99999, 9999, 99999, 32767, -32768, 65535};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (v == codes[i])
            return true;
    return fabs(v) >= 1e30;
}

static void note_out(struct sensor_quality *out, int64_t ts_ms, double v)
{
    if (out->n_out_of_range == 0)
        out->out_from_ms = ts_ms;
    if (out->n_out_of_range == 0 ||
        fabs(v - out->all.median) > fabs(out->out_value - out->all.median))
        out->out_value = v;
    out->out_to_ms = ts_ms;
    out->n_out_of_range++;
}

/* Declared limits, the unit's own, and codes for "no value" far from everything else. */
static void find_out_of_range(const int64_t *ts_ms, const double *value, size_t n,
                              const struct series_rules *rules, struct sensor_quality *out)
{
    const double declared = rules != NULL && !isnan(rules->low) ? rules->low : -INFINITY;
    const double low = fmax(declared, rules != NULL ? least_possible(rules->unit) : -INFINITY);
    const double high = rules != NULL && !isnan(rules->high) ? rules->high : INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(value[i]))
            out->n_not_number++;
        else if (value[i] < low || value[i] > high ||
                 (is_no_value_code(value[i]) &&
                  fabs(value[i] - out->all.median) > 20 * out->all.spread))
            note_out(out, ts_ms[i], value[i]);
    }
}

/* Standard deviation of the noise: of the differences from reading to reading, over root two. */
static double noise_of(const double *v, size_t n, double *room)
{
    const size_t step = n / SAMPLE + 1;
    size_t k = 0;
    for (size_t i = 1; i < n; i += step)
        if (isfinite(v[i]) && isfinite(v[i - 1]))
            room[k++] = fabs(v[i] - v[i - 1]);
    if (k == 0)
        return NAN;
    qsort(room, k, sizeof(*room), compare_double);
    return quantile(room, k, 0.5) * MAD_TO_SIGMA / sqrt(2);
}

static bool is_spike(const int64_t *ts_ms, const double *v, size_t i, int64_t reach_ms,
                     double least)
{
    const double before = v[i] - v[i - 1];
    const double after = v[i] - v[i + 1];
    const double height = fmin(fabs(before), fabs(after));
    return before * after > 0 && height > least && fabs(v[i + 1] - v[i - 1]) < height / 2 &&
           ts_ms[i + 1] - ts_ms[i - 1] <= reach_ms;
}

static void find_spikes(const int64_t *ts_ms, const double *value, size_t n, double *room,
                        struct sensor_quality *out)
{
    const size_t k = sample_sorted(value, n, room);
    if (k < 100 || !(out->noise > 0))
        return;
    const double q01 = quantile(room, k, 0.01);
    const double q99 = quantile(room, k, 0.99);
    const double low = q01 - (q99 - q01);
    const double high = q99 + (q99 - q01);
    double farthest = 0;
    for (size_t i = 1; i + 1 < n; i++) {
        if (!(value[i] < low || value[i] > high) ||
            !is_spike(ts_ms, value, i, 6 * out->interval_ms, QUALITY_SPIKE_NOISE * out->noise))
            continue;
        out->n_spikes++;
        if (fabs(value[i] - out->all.median) <= farthest)
            continue;
        farthest = fabs(value[i] - out->all.median);
        out->spike_value = value[i];
        out->spike_ms = ts_ms[i];
    }
}

static void judge_level(const int64_t *ts_ms, const double *value, size_t n,
                        const struct series_rules *rules, struct scratch *s,
                        struct sensor_quality *out)
{
    out->all = level_of(value, n, s->value);
    find_out_of_range(ts_ms, value, n, rules, out);
    if (rules != NULL && rules->is_counter) {
        for (size_t i = 1; i < n; i++)
            out->n_falls += value[i] < value[i - 1];
        return;
    }
    find_stuck(ts_ms, value, n, out);
    if (n < 3)
        return;
    out->noise = noise_of(value, n, s->value);
    find_flat(ts_ms, value, n, out);
    find_spikes(ts_ms, value, n, s->value, out);
    find_drift(ts_ms, value, n, s->value, out);
}

enum ft_status sensor_quality_of(const int64_t *ts_ms, const double *value, size_t n,
                                 const struct series_rules *rules, struct sensor_quality *out,
                                 struct ft_err *err)
{
    *out = (struct sensor_quality){.n = n, .noise = NAN};
    if (n == 0)
        return FT_OK;
    const size_t n_sample = n < SAMPLE ? n : SAMPLE;
    struct scratch s = {calloc(n_sample, sizeof(*s.value)), calloc(n_sample, sizeof(*s.step_ms))};
    enum ft_status st = FT_OK;
    if (s.value == NULL || s.step_ms == NULL) {
        st = ft_fail(err, FT_NOMEM, "no memory for %zu readings", n);
        goto out;
    }
    out->first_ms = ts_ms[0];
    out->last_ms = ts_ms[n - 1];
    if (n >= 3)
        find_gaps(ts_ms, value, n, s.step_ms, out);
    judge_level(ts_ms, value, n, rules, &s, out);
out:
    free(s.value);
    free(s.step_ms);
    return st;
}
