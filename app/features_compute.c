/* The numbers. Each sensor is streamed once: window sums come from prefix sums, extremes from
 * monotone queues, fading means from one update a reading, so a row costs O(windows), whatever the
 * window holds. All state at a row depends on readings at or before its instant only. */
#include "app/features_private.h"

#include "app/meter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Time to failure level is cut off here, in units: far is far. */
static const double far_units = 500;
/* z-values beyond this are errors of the sensor or of the regime. */
static const double max_z = 6;

struct work {
    const struct feature_set *fs;
    const struct history *h;
    const struct history_asset *a;
    const int64_t *as_of;
    size_t n_rows;
    float *out;
    int64_t *renewal; /* [n_rows] last renewal of anything; DB_NO_TIME = none */
    /* Points of the present sensor, missing values left out. */
    int64_t *t;
    double *v;
    size_t n, cap;
    /* Prefix sums [n + 1]: value - shift, its square, time, its square, product. */
    double *s1, *s2, *t1, *t2, *tv;
    double shift;
    size_t *queue_low, *queue_high; /* [FEATURE_MAX_WINDOWS][cap] monotone queues */
};

static void put(struct work *w, size_t row, size_t column, double value)
{
    w->out[row * w->fs->n + column] = (float)value;
}

static double units(const struct work *w, int64_t dur_ms)
{
    return (double)dur_ms / (double)w->fs->unit_ms;
}

/* --- one sensor --- */

static void load_points(struct work *w, size_t sensor)
{
    const struct feature_set *fs = w->fs;
    const struct feature_sensor *s = &fs->sensors[sensor];
    const struct readings *r = features_series(w->fs, w->h, w->a, sensor);
    const struct readings *settings[FEATURES_MAX_SETTINGS];
    size_t at[FEATURES_MAX_SETTINGS] = {0};
    const int64_t end = w->as_of[w->n_rows - 1];
    for (size_t j = 0; j < fs->n_settings && s->mean != NULL; j++)
        settings[j] = features_series(fs, w->h, w->a, fs->setting[j]);
    w->n = 0;
    for (size_t k = 0; k < r->n && r->ts_ms[k] <= end; k++) {
        double v = r->value[k];
        if (s->mean != NULL && isfinite(v)) {
            double x[FEATURES_MAX_SETTINGS];
            for (size_t j = 0; j < fs->n_settings; j++) {
                const struct readings *q = settings[j];
                while (at[j] < q->n && q->ts_ms[at[j]] <= r->ts_ms[k])
                    at[j]++;
                x[j] = at[j] > 0 ? q->value[at[j] - 1] : NAN;
            }
            const size_t regime = features_regime(fs, x);
            v = regime == SIZE_MAX ? NAN : (v - s->mean[regime]) / s->std[regime];
            v = fmax(-max_z, fmin(max_z, v)) + 0 * v; /* keeps NaN */
        }
        if (!isfinite(v))
            continue;
        w->t[w->n] = r->ts_ms[k];
        w->v[w->n++] = v;
    }
}

static void sum_points(struct work *w)
{
    w->shift = w->n > 0 ? w->v[0] : 0;
    w->s1[0] = w->s2[0] = w->t1[0] = w->t2[0] = w->tv[0] = 0;
    for (size_t k = 0; k < w->n; k++) {
        const double x = w->v[k] - w->shift;
        const double t = units(w, w->t[k] - w->t[0]);
        w->s1[k + 1] = w->s1[k] + x;
        w->s2[k + 1] = w->s2[k] + x * x;
        w->t1[k + 1] = w->t1[k] + t;
        w->t2[k + 1] = w->t2[k] + t * t;
        w->tv[k + 1] = w->tv[k] + t * x;
    }
}

/* Statistics of points [from, to). */
static double range_mean(const struct work *w, size_t from, size_t to)
{
    return to > from ? w->shift + (w->s1[to] - w->s1[from]) / (double)(to - from) : NAN;
}

static double range_spread(const struct work *w, size_t from, size_t to)
{
    const double n = (double)(to - from);
    if (to < from + 2)
        return NAN;
    const double mean = (w->s1[to] - w->s1[from]) / n;
    const double var = (w->s2[to] - w->s2[from]) / n - mean * mean;
    /* Below the rounding of the prefix sums the values were equal. */
    return var > 1e-14 * w->s2[to] ? sqrt(var) : 0;
}

static double range_slope(const struct work *w, size_t from, size_t to)
{
    const double n = (double)(to - from);
    if (to < from + 3)
        return NAN;
    const double t = w->t1[to] - w->t1[from];
    const double tt = n * (w->t2[to] - w->t2[from]) - t * t;
    if (!(tt > 1e-12 * n * w->t2[to]))
        return NAN;
    return (n * (w->tv[to] - w->tv[from]) - t * (w->s1[to] - w->s1[from])) / tt;
}

/* First point after the instant, by bisection. */
static size_t first_after(const struct work *w, int64_t ts_ms)
{
    size_t low = 0;
    size_t high = w->n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (w->t[mid] <= ts_ms)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Running state of a sensor between rows. */
struct stream {
    size_t to;                        /* points at or before the row's instant */
    size_t from[FEATURE_MAX_WINDOWS]; /* first point inside each window */
    size_t low_head[FEATURE_MAX_WINDOWS], low_tail[FEATURE_MAX_WINDOWS];
    size_t high_head[FEATURE_MAX_WINDOWS], high_tail[FEATURE_MAX_WINDOWS];
    double fading[FEATURE_MAX_MEANS];
    double highest, lowest;                  /* of the second fading mean */
    int64_t last_below[FEATURE_N_FRACTIONS]; /* instant the second fading mean was below */
    int64_t decay_dt;                        /* gap that decay[] was computed for */
    double decay[FEATURE_MAX_MEANS];
};

/* The fading mean whose course is compared with the failure level. */
static size_t slow_mean(const struct feature_set *fs)
{
    return fs->n_means > 1 ? 1 : 0;
}

static void fade(const struct work *w, struct stream *st, size_t k)
{
    const struct feature_set *fs = w->fs;
    if (k == 0) {
        for (size_t m = 0; m < fs->n_means; m++)
            st->fading[m] = w->v[0];
        return;
    }
    const int64_t dt = w->t[k] - w->t[k - 1];
    if (dt != st->decay_dt) {
        for (size_t m = 0; m < fs->n_means; m++)
            st->decay[m] = exp2(-(double)dt / (double)fs->half_life_ms[m]);
        st->decay_dt = dt;
    }
    for (size_t m = 0; m < fs->n_means; m++)
        st->fading[m] = w->v[k] + (st->fading[m] - w->v[k]) * st->decay[m];
}

static void push_extremes(struct work *w, struct stream *st, size_t k)
{
    for (size_t i = 0; i < w->fs->n_windows; i++) {
        size_t *low = w->queue_low + i * w->cap;
        size_t *high = w->queue_high + i * w->cap;
        if (w->t[k] <= w->as_of[0] - w->fs->window_ms[i])
            continue; /* in no row's window: rows rise, so the first one's begins first */
        while (st->low_tail[i] > st->low_head[i] && w->v[low[st->low_tail[i] - 1]] >= w->v[k])
            st->low_tail[i]--;
        low[st->low_tail[i]++] = k;
        while (st->high_tail[i] > st->high_head[i] && w->v[high[st->high_tail[i] - 1]] <= w->v[k])
            st->high_tail[i]--;
        high[st->high_tail[i]++] = k;
    }
}

static void push_point(struct work *w, struct stream *st, const struct feature_sensor *s, size_t k)
{
    fade(w, st, k);
    push_extremes(w, st, k);
    const double slow = st->fading[slow_mean(w->fs)];
    st->highest = k == 0 ? slow : fmax(st->highest, slow);
    st->lowest = k == 0 ? slow : fmin(st->lowest, slow);
    if (!s->has_levels)
        return;
    const double way = (slow - s->start_level) / (s->failure_level - s->start_level);
    for (size_t f = 0; f < FEATURE_N_FRACTIONS; f++)
        if (k == 0 || way < (double)(f + 1) / FEATURE_N_FRACTIONS)
            st->last_below[f] = w->t[k];
}

static void advance(struct work *w, struct stream *st, const struct feature_sensor *s, int64_t at)
{
    while (st->to < w->n && w->t[st->to] <= at)
        push_point(w, st, s, st->to++);
    for (size_t i = 0; i < w->fs->n_windows; i++) {
        const int64_t start = at - w->fs->window_ms[i];
        size_t *low = w->queue_low + i * w->cap;
        size_t *high = w->queue_high + i * w->cap;
        while (st->from[i] < st->to && w->t[st->from[i]] <= start)
            st->from[i]++;
        while (st->low_head[i] < st->low_tail[i] && low[st->low_head[i]] < st->from[i])
            st->low_head[i]++;
        while (st->high_head[i] < st->high_tail[i] && high[st->high_head[i]] < st->from[i])
            st->high_head[i]++;
    }
}

/* Change against the mean over baseline_ms after an instant, as far as it was seen by now. */
static double change_since(const struct work *w, const struct stream *st, int64_t since_ms,
                           double now)
{
    const size_t from = first_after(w, since_ms);
    size_t to = first_after(w, since_ms + w->fs->baseline_ms);
    if (to > st->to)
        to = st->to;
    return to >= from + 3 ? now - range_mean(w, from, to) : NAN;
}

static size_t put_levels(struct work *w, const struct stream *st, const struct feature_sensor *s,
                         size_t row, size_t col, double now, double slope)
{
    double left = NAN;
    if (isfinite(now) && isfinite(slope)) {
        const double ahead = s->failure_level - now;
        left = ahead * slope > 0 ? fmin(far_units, ahead / slope) : far_units;
        if ((s->failure_level - s->start_level) * ahead <= 0)
            left = 0; /* it is past the level already */
    }
    put(w, row, col++, left);
    for (size_t f = 0; f < FEATURE_N_FRACTIONS; f++)
        put(w, row, col++, st->to > 0 ? units(w, w->as_of[row] - st->last_below[f]) : NAN);
    return col;
}

static size_t put_sensor_row(struct work *w, const struct stream *st,
                             const struct feature_sensor *s, size_t row, size_t col)
{
    const struct feature_set *fs = w->fs;
    const size_t middle = fs->n_windows / 2;
    double middle_mean = NAN;
    double long_slope = NAN;
    put(w, row, col++, st->to > 0 ? w->v[st->to - 1] : NAN);
    for (size_t i = 0; i < fs->n_windows; i++) {
        const size_t from = st->from[i];
        const double mean = range_mean(w, from, st->to);
        const double slope = range_slope(w, from, st->to);
        const bool has_any = st->to > from;
        if (i == middle)
            middle_mean = mean;
        if (i >= middle && isfinite(slope))
            long_slope = slope;
        put(w, row, col++, mean);
        put(w, row, col++, range_spread(w, from, st->to));
        put(w, row, col++, has_any ? w->v[w->queue_low[i * w->cap + st->low_head[i]]] : NAN);
        put(w, row, col++, has_any ? w->v[w->queue_high[i * w->cap + st->high_head[i]]] : NAN);
        put(w, row, col++, slope);
    }
    for (size_t m = 0; m < fs->n_means; m++)
        put(w, row, col++, st->to > 0 ? st->fading[m] : NAN);
    put(w, row, col++, w->n > 0 ? change_since(w, st, w->t[0] - 1, middle_mean) : NAN);
    put(w, row, col++,
        w->renewal[row] != DB_NO_TIME ? change_since(w, st, w->renewal[row], middle_mean) : NAN);
    put(w, row, col++, st->to > 0 ? st->highest : NAN);
    put(w, row, col++, st->to > 0 ? st->lowest : NAN);
    put(w, row, col++, range_slope(w, 0, st->to));
    if (s->has_levels)
        col = put_levels(w, st, s, row, col, middle_mean, long_slope);
    return col;
}

static size_t put_sensor(struct work *w, size_t sensor, size_t col)
{
    const struct feature_sensor *s = &w->fs->sensors[sensor];
    struct stream st = {.decay_dt = -1};
    size_t next = col;
    load_points(w, sensor);
    sum_points(w);
    for (size_t row = 0; row < w->n_rows; row++) {
        advance(w, &st, s, w->as_of[row]);
        next = put_sensor_row(w, &st, s, row, col);
    }
    return next;
}

static size_t put_setting(struct work *w, size_t sensor, size_t col)
{
    load_points(w, sensor);
    sum_points(w);
    for (size_t row = 0; row < w->n_rows; row++) {
        const size_t to = first_after(w, w->as_of[row]);
        put(w, row, col, to > 0 ? w->v[to - 1] : NAN);
        for (size_t i = 0; i < w->fs->n_windows; i++)
            put(w, row, col + 1 + i,
                range_mean(w, first_after(w, w->as_of[row] - w->fs->window_ms[i]), to));
    }
    return col + 1 + w->fs->n_windows;
}

/* Newest value at or before an instant; NaN when there is none. */
static double newest(const struct work *w, int64_t ts_ms)
{
    const size_t to = first_after(w, ts_ms);
    return to > 0 ? w->v[to - 1] : NAN;
}

static double meter_rollover(const struct work *w, size_t sensor)
{
    for (size_t i = 0; i < w->h->n_sensors; i++)
        if (strcmp(w->h->sensors[i].name, w->fs->sensors[sensor].name) == 0)
            return w->h->sensors[i].rollover;
    return NAN;
}

static size_t put_meter(struct work *w, size_t sensor, size_t col)
{
    const size_t n_windows = w->fs->n_windows;
    load_points(w, sensor);
    meter_unroll(w->v, w->n, meter_rollover(w, sensor), w->v);
    for (size_t row = 0; row < w->n_rows; row++) {
        const double now = newest(w, w->as_of[row]);
        put(w, row, col, now);
        for (size_t i = 0; i < n_windows; i++)
            put(w, row, col + 1 + i,
                (now - newest(w, w->as_of[row] - w->fs->window_ms[i])) /
                    units(w, w->fs->window_ms[i]));
        put(w, row, col + 1 + n_windows,
            w->renewal[row] != DB_NO_TIME ? now - newest(w, w->renewal[row]) : NAN);
    }
    return col + 2 + n_windows;
}

/* --- events --- */

/* Number of alarms in each window and time since the last; code n_codes stands for all. Alarms are
 * the present sensor's "points". */
static size_t put_alarm(struct work *w, size_t code, size_t col)
{
    const struct feature_set *fs = w->fs;
    w->n = 0;
    for (size_t i = 0; i < w->a->n_events; i++) {
        const struct history_event *e = &w->a->events[i];
        if (e->kind != EVENT_ALARM || e->code == HISTORY_NO_INDEX)
            continue;
        if (code < fs->n_codes && strcmp(w->h->codes[e->code], fs->codes[code]) != 0)
            continue;
        w->t[w->n++] = e->ts_ms;
    }
    for (size_t row = 0; row < w->n_rows; row++) {
        const size_t to = first_after(w, w->as_of[row]);
        for (size_t i = 0; i < fs->n_windows; i++)
            put(w, row, col + i, (double)(to - first_after(w, w->as_of[row] - fs->window_ms[i])));
        put(w, row, col + fs->n_windows, to > 0 ? units(w, w->as_of[row] - w->t[to - 1]) : NAN);
    }
    return col + fs->n_windows + 1;
}

typedef bool (*event_test)(const struct work *w, const struct history_event *e, size_t index);

static bool is_renewal_of(const struct work *w, const struct history_event *e, size_t index)
{
    return history_is_failure(e, index) || history_is_replacement(e, index);
}

static bool is_any_renewal(const struct work *w, const struct history_event *e, size_t index)
{
    return e->kind == EVENT_FAILURE || e->kind == EVENT_REPLACEMENT;
}

static bool is_kind(const struct work *w, const struct history_event *e, size_t kind)
{
    return (size_t)e->kind == kind;
}

/* Time since the last event that passes the test; origin (DB_NO_TIME = none) counts as one. */
static void put_since(struct work *w, event_test test, size_t index, int64_t origin, size_t col)
{
    size_t next = 0;
    int64_t last = DB_NO_TIME;
    for (size_t row = 0; row < w->n_rows; row++) {
        while (next < w->a->n_events && w->a->events[next].ts_ms <= w->as_of[row]) {
            if (test(w, &w->a->events[next], index)) /* age follows the part, recency does not */
                last = w->a->events[next].ts_ms -
                       (test == is_renewal_of ? w->a->events[next].carried_ms : 0);
            next++;
        }
        int64_t since = last;
        if (since == DB_NO_TIME && origin != DB_NO_TIME && origin <= w->as_of[row])
            since = origin;
        put(w, row, col, since != DB_NO_TIME ? units(w, w->as_of[row] - since) : NAN);
    }
}

static void note_renewals(struct work *w)
{
    size_t next = 0;
    int64_t last = DB_NO_TIME;
    for (size_t row = 0; row < w->n_rows; row++) {
        for (; next < w->a->n_events && w->a->events[next].ts_ms <= w->as_of[row]; next++)
            if (is_any_renewal(w, &w->a->events[next], 0))
                last = w->a->events[next].ts_ms;
        w->renewal[row] = last;
    }
}

static size_t put_components(struct work *w, size_t col)
{
    const struct feature_set *fs = w->fs;
    const int64_t commissioned = w->a->commissioned_ms;
    for (size_t c = 0; c < fs->n_components; c++) {
        const size_t index = history_component(w->h, fs->components[c].name);
        int64_t origin = history_origin_ms(w->a);
        if (fs->components[c].has_renewals &&
            (commissioned == DB_NO_TIME || commissioned < fs->event_start_ms))
            origin = DB_NO_TIME; /* as history_renewal_ms() explains */
        if (index == HISTORY_NO_INDEX)
            origin = DB_NO_TIME;
        put_since(w, is_renewal_of, index == HISTORY_NO_INDEX ? SIZE_MAX - 1 : index, origin,
                  col++);
    }
    return col;
}

/* --- attributes --- */

static size_t put_attribute(struct work *w, size_t index, size_t col)
{
    const struct feature_attribute *at = &w->fs->attributes[index];
    const char *value = NULL;
    for (size_t i = 0; i < w->h->n_attributes; i++)
        if (strcmp(w->h->attribute_names[i], at->name) == 0)
            value = w->a->attributes[i];
    const bool is_known = value != NULL && value[0] != '\0';
    double number = NAN;
    if (at->is_number && is_known) {
        char *end;
        number = strtod(value, &end);
        if (*end != '\0' || !isfinite(number))
            number = NAN;
    }
    for (size_t row = 0; row < w->n_rows; row++) {
        if (at->is_number)
            put(w, row, col, number);
        for (size_t k = 0; k < at->n_categories; k++)
            put(w, row, col + k, is_known ? (strcmp(value, at->categories[k]) == 0 ? 1 : 0) : NAN);
    }
    return col + (at->is_number ? 1 : 0) + at->n_categories;
}

/* --- all --- */

static enum ft_status put_all(struct work *w, struct ft_err *err)
{
    const struct feature_set *fs = w->fs;
    size_t col = 0;
    note_renewals(w);
    for (size_t i = 0; i < fs->n_sensors; i++) {
        if (fs->sensors[i].role == SENSOR_ROLE_METER)
            col = put_meter(w, i, col);
        else if (fs->view == FEATURE_VIEW_HEALTH)
            continue;
        else if (fs->sensors[i].role == SENSOR_ROLE_SENSOR)
            col = put_sensor(w, i, col);
        else
            col = put_setting(w, i, col);
    }
    if (fs->n_health > 0) {
        size_t n = 0;
        const enum ft_status st = features_health_compute(
            fs, w->h, (size_t)(w->a - w->h->assets), w->as_of, w->n_rows, w->out, col, &n, err);
        if (st != FT_OK)
            return st;
        col += n;
    }
    for (size_t c = 0; fs->n_codes > 0 && c <= fs->n_codes; c++)
        col = put_alarm(w, c, col);
    col = put_components(w, col);
    put_since(w, is_kind, EVENT_FAILURE, DB_NO_TIME, col++);
    put_since(w, is_kind, EVENT_REPAIR, DB_NO_TIME, col++);
    put_since(w, is_kind, EVENT_INSPECTION, DB_NO_TIME, col++);
    if (fs->has_age) {
        const int64_t origin = history_origin_ms(w->a);
        for (size_t row = 0; row < w->n_rows; row++)
            put(w, row, col,
                origin != DB_NO_TIME && origin <= w->as_of[row] ? units(w, w->as_of[row] - origin)
                                                                : NAN);
        col++;
    }
    for (size_t i = 0; i < fs->n_attributes; i++)
        col = put_attribute(w, i, col);
    return FT_OK;
}

static bool work_alloc(struct work *w)
{
    size_t cap = w->a->n_events + 1;
    for (size_t s = 0; s < w->h->n_sensors; s++)
        if (w->a->series[s].n >= cap)
            cap = w->a->series[s].n + 1;
    w->cap = cap;
    w->renewal = calloc(w->n_rows, sizeof(*w->renewal));
    w->t = calloc(cap, sizeof(*w->t));
    w->v = calloc(cap, sizeof(*w->v));
    w->s1 = calloc(5 * (cap + 1), sizeof(*w->s1));
    w->queue_low = calloc(cap * 2 * FEATURE_MAX_WINDOWS, sizeof(*w->queue_low));
    if (w->renewal == NULL || w->t == NULL || w->v == NULL || w->s1 == NULL || w->queue_low == NULL)
        return false;
    w->s2 = w->s1 + (cap + 1);
    w->t1 = w->s2 + (cap + 1);
    w->t2 = w->t1 + (cap + 1);
    w->tv = w->t2 + (cap + 1);
    w->queue_high = w->queue_low + cap * FEATURE_MAX_WINDOWS;
    return true;
}

static void work_free(struct work *w)
{
    free(w->renewal);
    free(w->t);
    free(w->v);
    free(w->s1);
    free(w->queue_low);
}

enum ft_status features_compute(const struct feature_set *fs, const struct history *h, size_t asset,
                                const int64_t *as_of_ms, size_t n_rows, float *out,
                                struct ft_err *err)
{
    struct work w = {
        .fs = fs, .h = h, .a = &h->assets[asset], .as_of = as_of_ms, .n_rows = n_rows, .out = out};
    enum ft_status st = FT_OK;
    if (n_rows == 0)
        return FT_OK;
    if (work_alloc(&w))
        st = put_all(&w, err);
    else
        st = ft_fail(err, FT_NOMEM, "features: no memory for asset %s", w.a->key);
    work_free(&w);
    return st;
}

/* --- for words --- */

struct feature_standing features_standing(const struct feature_set *fs, const struct history *h,
                                          size_t asset, size_t sensor, int64_t as_of_ms)
{
    const struct readings *r = &h->assets[asset].series[sensor];
    struct feature_standing out = {NAN, NAN, NAN, NAN};
    const int64_t now_from = as_of_ms - fs->window_ms[fs->n_windows / 2];
    const int64_t slope_from = as_of_ms - fs->window_ms[fs->n_windows - 1];
    double now = 0, n_now = 0, base = 0, base2 = 0, n_base = 0;
    double st = 0, sv = 0, stt = 0, stv = 0, n_slope = 0;
    for (size_t k = 0; k < r->n && r->ts_ms[k] <= as_of_ms; k++) {
        const double v = r->value[k];
        if (!isfinite(v))
            continue;
        if (r->ts_ms[k] > now_from) {
            now += v;
            n_now++;
        }
        if (r->ts_ms[k] <= r->ts_ms[0] + fs->baseline_ms) {
            base += v;
            base2 += v * v;
            n_base++;
        }
        if (r->ts_ms[k] > slope_from) {
            const double t = (double)(r->ts_ms[k] - as_of_ms) / (double)fs->unit_ms;
            st += t;
            sv += v;
            stt += t * t;
            stv += t * v;
            n_slope++;
        }
    }
    if (n_now > 0)
        out.now = now / n_now;
    if (n_base >= 3) {
        out.baseline = base / n_base;
        out.spread = sqrt(fmax(0, base2 / n_base - out.baseline * out.baseline));
    }
    if (n_slope >= 3 && n_slope * stt > st * st)
        out.slope_per_unit = (n_slope * stv - st * sv) / (n_slope * stt - st * st);
    return out;
}
