/* Readings of one asset side by side. A row holds what was known at its instant and nothing later:
 * the newest reading of each sensor, or the mean of those since the row before when the settings do
 * not matter. */
#include "app/features_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A value older than this many typical steps is missing. */
enum { STALE_STEPS = 3, TICK_PARTS = 4, TICKS_PER_HALF_LIFE = 5 };

int64_t features_tick_ms(const struct feature_set *fs)
{
    const int64_t tick = fs->half_life_ms[0] / TICKS_PER_HALF_LIFE;
    return tick > 0 ? tick : 1;
}

const struct readings *features_series(const struct feature_set *fs, const struct history *h,
                                       const struct history_asset *a, size_t sensor)
{
    static const struct readings none = {0};
    for (size_t i = 0; i < h->n_sensors; i++)
        if (strcmp(h->sensors[i].name, fs->sensors[sensor].name) == 0)
            return &a->series[i];
    return &none;
}

void features_frame_clear(struct feature_frame *f)
{
    free(f->ts_ms);
    free(f->x);
    free(f->regime);
    *f = (struct feature_frame){0};
}

struct column {
    const struct readings *r;
    size_t next;
    double sum, last;
    size_t n; /* readings since the last row */
    int64_t last_ms;
};

struct merge {
    const struct feature_set *fs;
    struct column *columns; /* [n_health_sensors] */
    struct column settings[FEATURES_MAX_SETTINGS];
    int64_t stale_ms;
};

/* Takes all readings at or before ts. */
static void take(struct column *c, int64_t ts_ms)
{
    for (; c->next < c->r->n && c->r->ts_ms[c->next] <= ts_ms; c->next++) {
        const double v = c->r->value[c->next];
        if (!isfinite(v))
            continue;
        c->sum += v;
        c->n++;
        c->last = v;
        c->last_ms = c->r->ts_ms[c->next];
    }
}

static bool next_instant(const struct merge *m, int64_t until_ms, int64_t *ts_ms)
{
    int64_t first = INT64_MAX;
    for (size_t j = 0; j < m->fs->n_health_sensors; j++) {
        const struct column *c = &m->columns[j];
        if (c->next < c->r->n && c->r->ts_ms[c->next] < first)
            first = c->r->ts_ms[c->next];
    }
    *ts_ms = first;
    return first != INT64_MAX && (until_ms == DB_NO_TIME || first <= until_ms);
}

static void put_row(struct merge *m, int64_t ts_ms, struct feature_frame *out)
{
    const struct feature_set *fs = m->fs;
    const size_t p = fs->n_health_sensors;
    double settings[FEATURES_MAX_SETTINGS];
    for (size_t j = 0; j < fs->n_settings; j++)
        settings[j] = m->settings[j].last;
    out->ts_ms[out->n] = ts_ms;
    out->regime[out->n] = fs->n_regimes > 1 ? features_regime(fs, settings) : 0;
    for (size_t j = 0; j < p; j++) {
        struct column *c = &m->columns[j];
        double v = NAN;
        if (c->n > 0)
            v = fs->n_regimes > 1 ? c->last : c->sum / (double)c->n;
        else if (isfinite(c->last) && ts_ms - c->last_ms <= m->stale_ms)
            v = c->last;
        out->x[out->n * p + j] = v;
        c->sum = 0;
        c->n = 0;
    }
    out->n++;
}

enum ft_status features_frame_build(const struct feature_set *fs, const struct history *h,
                                    size_t asset, int64_t until_ms, struct feature_frame *out,
                                    struct ft_err *err)
{
    const struct history_asset *a = &h->assets[asset];
    const size_t p = fs->n_health_sensors;
    const int64_t tick = features_tick_ms(fs);
    const int64_t step = fs->step_ms > 0 ? fs->step_ms : tick;
    const int64_t gap = step / 2 > tick / TICK_PARTS ? step / 2 : tick / TICK_PARTS;
    struct merge m = {.fs = fs, .stale_ms = STALE_STEPS * step};
    size_t cap = 0;
    *out = (struct feature_frame){0};
    m.columns = calloc(p + 1, sizeof(*m.columns));
    if (m.columns == NULL)
        return ft_fail(err, FT_NOMEM, "features: no memory for asset %s", a->key);
    for (size_t j = 0; j < p; j++) {
        m.columns[j] =
            (struct column){.r = features_series(fs, h, a, fs->health_sensor[j]), .last = NAN};
        cap += m.columns[j].r->n;
    }
    for (size_t j = 0; j < fs->n_settings; j++)
        m.settings[j] =
            (struct column){.r = features_series(fs, h, a, fs->setting[j]), .last = NAN};
    /* No more rows than fit into the span of the data at the least gap. */
    if (cap > 0) {
        int64_t first = INT64_MAX;
        int64_t last = INT64_MIN;
        for (size_t j = 0; j < p; j++)
            if (m.columns[j].r->n > 0) {
                const struct readings *r = m.columns[j].r;
                first = r->ts_ms[0] < first ? r->ts_ms[0] : first;
                last = r->ts_ms[r->n - 1] > last ? r->ts_ms[r->n - 1] : last;
            }
        const double fits = (double)(last - first) / (double)(gap > 0 ? gap : 1) + 2;
        cap = fits < (double)cap ? (size_t)fits : cap;
    }
    out->ts_ms = calloc(cap + 1, sizeof(*out->ts_ms));
    out->regime = calloc(cap + 1, sizeof(*out->regime));
    out->x = calloc((cap + 1) * p + 1, sizeof(*out->x));
    if (out->ts_ms == NULL || out->regime == NULL || out->x == NULL) {
        free(m.columns);
        features_frame_clear(out);
        return ft_fail(err, FT_NOMEM, "features: no memory for asset %s", a->key);
    }
    int64_t ts;
    while (out->n < cap && next_instant(&m, until_ms, &ts)) {
        for (size_t j = 0; j < p; j++)
            take(&m.columns[j], ts);
        for (size_t j = 0; j < fs->n_settings; j++)
            take(&m.settings[j], ts);
        if (out->n == 0 || ts - out->ts_ms[out->n - 1] >= gap)
            put_row(&m, ts, out);
    }
    free(m.columns);
    return FT_OK;
}
