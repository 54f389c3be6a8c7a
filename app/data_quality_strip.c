#include "app/data_quality_strip.h"

#include "app/base/clock.h"
#include "app/base/instants.h"
#include "app/base/json.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 40, WHOLE_PCT = 90 };

void quality_strip_days(int64_t now_ms, int64_t out[QUALITY_STRIP_DAYS + 1])
{
    const int64_t today_ms = clock_local_midnight(now_ms);
    for (int d = 0; d < QUALITY_STRIP_DAYS; d++)
        out[d] = clock_local_add_days(today_ms, d + 1 - QUALITY_STRIP_DAYS);
    out[QUALITY_STRIP_DAYS] = now_ms > today_ms ? now_ms : today_ms + 1;
}

/* What two spans share. */
static int64_t overlap(int64_t a_from, int64_t a_to, int64_t b_from, int64_t b_to)
{
    const int64_t from = a_from > b_from ? a_from : b_from;
    const int64_t to = a_to < b_to ? a_to : b_to;
    return to > from ? to - from : 0;
}

static void take_gap(int64_t from_ms, int64_t to_ms, const int64_t days[QUALITY_STRIP_DAYS + 1],
                     int64_t gone_ms[QUALITY_STRIP_DAYS])
{
    for (int d = 0; d < QUALITY_STRIP_DAYS; d++)
        gone_ms[d] += overlap(from_ms, to_ms, days[d], days[d + 1]);
}

void quality_strip_fill(const int64_t *ts_ms, size_t n, int64_t interval_ms,
                        const int64_t days[QUALITY_STRIP_DAYS + 1],
                        uint8_t present[QUALITY_STRIP_DAYS])
{
    int64_t gone_ms[QUALITY_STRIP_DAYS] = {0};
    int64_t limit_ms = interval_ms > 0 ? interval_ms * QUALITY_GAP_INTERVALS : MS_PER_DAY;
    limit_ms = limit_ms > MS_PER_HOUR ? limit_ms : MS_PER_HOUR;
    memset(present, 0, QUALITY_STRIP_DAYS);
    if (n == 0)
        return;
    const size_t begin = instants_before(ts_ms, n, days[0]);
    for (size_t i = begin > 0 ? begin : 1; i < n; i++)
        if (ts_ms[i] - ts_ms[i - 1] > limit_ms)
            take_gap(ts_ms[i - 1], ts_ms[i], days, gone_ms);
    if (days[QUALITY_STRIP_DAYS] - ts_ms[n - 1] > limit_ms)
        take_gap(ts_ms[n - 1], days[QUALITY_STRIP_DAYS], days, gone_ms);
    for (int d = 0; d < QUALITY_STRIP_DAYS; d++) {
        const int64_t seen_ms = overlap(ts_ms[0], INT64_MAX, days[d], days[d + 1]);
        present[d] =
            seen_ms > 0 ? (uint8_t)(100 * (seen_ms - gone_ms[d]) / seen_ms) : QUALITY_STRIP_UNKNOWN;
    }
}

/* --- JSON ------------------------------------------------------------------------------------- */

struct row {
    const struct quality_sensor *s;
    int absent;     /* sum of the per cents that are missing */
    int stuck_from; /* days; -1 = none */
    int stuck_to;
};

static int compare_rows(const void *x, const void *y)
{
    const struct row *a = x;
    const struct row *b = y;
    const int weight_a = a->absent + (a->stuck_from < 0 ? 0 : 100 * (a->stuck_to - a->stuck_from));
    const int weight_b = b->absent + (b->stuck_from < 0 ? 0 : 100 * (b->stuck_to - b->stuck_from));
    if (weight_a != weight_b)
        return weight_a < weight_b ? 1 : -1;
    if (a->s->asset != b->s->asset)
        return a->s->asset < b->s->asset ? -1 : 1;
    return strcmp(a->s->name, b->s->name);
}

/* The days that the longest stuck or flat stretch touches. */
static void find_stuck(const struct quality_sensor *s, const int64_t days[QUALITY_STRIP_DAYS + 1],
                       struct row *r)
{
    const struct sensor_quality *q = &s->q;
    const unsigned stuck = 1U << QUALITY_STUCK, flat = 1U << QUALITY_FLAT;
    r->stuck_from = r->stuck_to = -1;
    if ((s->issues & (stuck | flat)) == 0)
        return;
    const bool is_stuck = (s->issues & stuck) != 0;
    const int64_t from_ms = is_stuck ? q->stuck_from_ms : q->flat_from_ms;
    const int64_t to_ms = is_stuck ? q->stuck_to_ms : q->flat_to_ms;
    for (int d = 0; d < QUALITY_STRIP_DAYS; d++) {
        if (overlap(from_ms, to_ms, days[d], days[d + 1]) == 0)
            continue;
        if (r->stuck_from < 0)
            r->stuck_from = d;
        r->stuck_to = d;
    }
}

static bool make_row(const struct quality_sensor *s, const int64_t days[QUALITY_STRIP_DAYS + 1],
                     struct row *r)
{
    bool is_whole = true;
    *r = (struct row){.s = s};
    for (int d = 0; d < QUALITY_STRIP_DAYS; d++) {
        if (s->present[d] == QUALITY_STRIP_UNKNOWN)
            continue;
        r->absent += 100 - s->present[d];
        is_whole = is_whole && s->present[d] >= WHOLE_PCT;
    }
    find_stuck(s, days, r);
    return !is_whole || r->stuck_from >= 0;
}

static void add_row(const struct quality_class *c, const struct row *r, cJSON *list)
{
    cJSON *o = json_add_object(list, NULL);
    json_add_string(o, "asset", c->assets[r->s->asset].key);
    json_add_string(o, "sensor", r->s->name);
    cJSON *present = json_add_array(o, "present");
    for (int d = 0; d < QUALITY_STRIP_DAYS; d++) {
        if (r->s->present[d] == QUALITY_STRIP_UNKNOWN)
            json_add_null(present, NULL);
        else
            json_add_int(present, NULL, r->s->present[d]);
    }
    if (r->stuck_from < 0) {
        json_add_null(o, "stuck");
        return;
    }
    cJSON *stuck = json_add_array(o, "stuck");
    json_add_int(stuck, NULL, r->stuck_from);
    json_add_int(stuck, NULL, r->stuck_to);
}

cJSON *quality_strip_json(const struct quality_class *c, const int64_t days[QUALITY_STRIP_DAYS + 1])
{
    char date[CLOCK_TEXT_SIZE];
    size_t n = 0, n_all = 0;
    struct row *rows = calloc(c->n_sensors + 1, sizeof(*rows));
    cJSON *o = cJSON_CreateObject();
    if (rows == NULL || o == NULL) {
        free(rows);
        cJSON_Delete(o);
        return NULL;
    }
    for (size_t i = 0; i < c->n_sensors; i++) {
        const struct quality_sensor *s = &c->sensors[i];
        if (s->is_setting || c->assets[s->asset].is_over)
            continue;
        n_all++;
        n += make_row(s, days, &rows[n]);
    }
    qsort(rows, n, sizeof(*rows), compare_rows);
    clock_format_local_date(days[0], date);
    json_add_string(o, "from", date);
    json_add_int(o, "days", QUALITY_STRIP_DAYS);
    cJSON *list = json_add_array(o, "sensors");
    for (size_t i = 0; i < n && i < MAX_ROWS; i++)
        add_row(c, &rows[i], list);
    json_add_int(o, "n_whole", (int64_t)(n_all - n));
    json_add_int(o, "n_more", n > MAX_ROWS ? (int64_t)(n - MAX_ROWS) : 0);
    free(rows);
    return o;
}
