/* Health channels of a feature set: what is fitted, and the numbers of a row. Each channel is
 * streamed once; a row costs O(log readings) for its windows, whatever they hold. */
#include "app/base/json.h"
#include "app/features_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    N_MEANS = 4,
    N_WINDOWS = 5, /* the last is all time */
    N_BASES = 4,
    N_FRACTIONS = 11,
    N_LAGS = 4,
    N_DRIFTS = 2,
    N_NAMED = 3,             /* sensors in a channel's name */
    MAX_FITTED_CHANNELS = 2, /* more did not pay in any fold of C-MAPSS: docs/accuracy.md */
    SHARE_TICKS = 20         /* look back of the sensors' shares */
};
/* All in ticks. */
static const int half_lives[N_MEANS] = {5, 10, 20, 40};
static const int windows[N_WINDOWS] = {20, 40, 80, 160, 0};
static const int bases[N_BASES] = {5, 15, 30, 50};
static const int lags[N_LAGS] = {10, 20, 40, 80};
static const double drifts[N_DRIFTS] = {0.5, 0.7};
enum {
    SLOW_MEAN = 1 /* the fading mean that is compared with levels */,
    DRIFT_BASE = 1,
    Q_MEAN = 2
};
static const double slope_prior = 300; /* ticks^2: a short record shows no slope */
static const double least_slope = 1e-4;
static const double far_ticks = 300;
/* Sensors with fewer readings than this share of the busiest one stay out of the channels. */
static const double min_presence = 0.3;
static const size_t max_values = 8000000; /* in a fit: more assets than that are thinned */

/* --- channels by number --- */

bool features_health_channel(const struct feature_set *fs, size_t index, size_t *model,
                             size_t *channel)
{
    for (size_t i = 0; i < fs->n_health; i++) {
        if (index < fs->health[i]->n_channels) {
            *model = i;
            *channel = index;
            return true;
        }
        index -= fs->health[i]->n_channels;
    }
    return false;
}

/* --- names --- */

/* The sensors that weigh most in a channel, "T50, Ps30, phi". */
static void name_channel(const struct feature_set *fs, size_t model, size_t channel, char *out,
                         size_t size)
{
    const struct health *h = fs->health[model];
    const size_t p = h->n_sensors;
    bool is_named[HEALTH_MAX_SENSORS] = {false};
    size_t at = (size_t)snprintf(out, size, "health %zu of %zu (", channel + 1, h->n_channels);
    for (size_t i = 0; i < N_NAMED && i < p; i++) {
        size_t best = SIZE_MAX;
        double greatest = -1;
        for (size_t j = 0; j < p; j++) {
            double sum = 0;
            for (size_t r = 0; r < h->n_regimes; r++)
                sum += fabs(h->score[(r * h->n_channels + channel) * p + j]);
            if (!is_named[j] && sum > greatest) {
                greatest = sum;
                best = j;
            }
        }
        is_named[best] = true;
        if (at < size)
            at += (size_t)snprintf(out + at, size - at, "%s%.40s", i > 0 ? ", " : "",
                                   fs->sensors[fs->health_sensor[best]].name);
    }
    if (at < size)
        (void)snprintf(out + at, size - at, ")");
}

static void ticks_text(const struct feature_set *fs, int ticks, char *out, size_t size)
{
    features_duration_text(fs, ticks * features_tick_ms(fs), out, size);
}

static void name_one(struct feature_names *n, size_t index, const char *channel, bool has_levels)
{
    const struct feature_set *fs = n->fs;
    char w[32];
    for (size_t i = 0; i < N_MEANS; i++) {
        ticks_text(fs, half_lives[i], w, sizeof(w));
        features_add_column(n, FEATURE_HEALTH, index, "%s: fading mean, half-life %s", channel, w);
    }
    for (size_t i = 0; i < N_WINDOWS; i++) {
        if (windows[i] > 0)
            ticks_text(fs, windows[i], w, sizeof(w));
        else
            (void)snprintf(w, sizeof(w), "all time");
        features_add_column(n, FEATURE_HEALTH, index, "%s: level of the line over %s", channel, w);
        features_add_column(n, FEATURE_HEALTH, index, "%s: slope over %s", channel, w);
        if (has_levels)
            features_add_column(n, FEATURE_HEALTH, index,
                                "%s: time to failure level by the line over %s", channel, w);
    }
    for (size_t i = 0; i < N_BASES; i++) {
        ticks_text(fs, bases[i], w, sizeof(w));
        features_add_column(n, FEATURE_HEALTH, index, "%s: change from its first %s", channel, w);
    }
    for (size_t i = 0; i < N_FRACTIONS && has_levels; i++)
        features_add_column(n, FEATURE_HEALTH, index,
                            "%s: time since below %zu %% of failure level", channel, 10 * i);
    features_add_column(n, FEATURE_HEALTH, index, "%s: highest short fading mean so far", channel);
    features_add_column(n, FEATURE_HEALTH, index, "%s: highest fading mean so far", channel);
    for (size_t i = 0; i < N_LAGS; i++) {
        ticks_text(fs, lags[i], w, sizeof(w));
        features_add_column(n, FEATURE_HEALTH, index, "%s: fading mean %s ago", channel, w);
    }
    for (size_t i = 0; i < N_DRIFTS; i++)
        features_add_column(n, FEATURE_HEALTH, index,
                            "%s: time since the drift was %.0f %% of today's", channel,
                            100 * drifts[i]);
}

void features_health_name(struct feature_names *n)
{
    const struct feature_set *fs = n->fs;
    size_t index = 0;
    char text[200];
    for (size_t m = 0; m < fs->n_health; m++) {
        const size_t first = index;
        for (size_t c = 0; c < fs->health[m]->n_channels; c++) {
            name_channel(fs, m, c, text, sizeof(text));
            name_one(n, index++, text, fs->health[m]->has_levels);
        }
        features_add_column(n, FEATURE_HEALTH, first, "health of %zu: distance from the start",
                            fs->health[m]->n_channels);
        if (fs->health[m]->n_channels > 1)
            features_add_column(n, FEATURE_HEALTH, first, "health of %zu: direction of the way",
                                fs->health[m]->n_channels);
    }
    if (fs->n_health > 0)
        features_add_column(n, FEATURE_HEALTH, index, "health: deviation that no channel explains");
}

/* --- fit --- */

struct lives {
    struct health_rows rows;
    double *x, *t;
    size_t *regime, *begin;
    bool *failed;
    size_t n, cap, unit_cap;
};

static void lives_clear(struct lives *l)
{
    free(l->x);
    free(l->t);
    free(l->regime);
    free(l->begin);
    free(l->failed);
}

static enum ft_status no_memory(struct ft_err *err)
{
    return ft_fail(err, FT_NOMEM, "features: no memory for health channels");
}

/* p with room for n items of the given size; p itself and *is_good false when memory is gone. */
static void *with_room(void *p, size_t n, size_t size, bool *is_good)
{
    void *grown = reallocarray(p, n, size);
    if (grown != NULL)
        return grown;
    *is_good = false;
    return p;
}

static bool lives_reserve(struct lives *l, size_t n_more, size_t p)
{
    bool is_good = true;
    if (l->x == NULL || l->n + n_more > l->cap) {
        const size_t cap = (l->n + n_more) * 2;
        l->x = with_room(l->x, cap * p, sizeof(*l->x), &is_good);
        l->t = with_room(l->t, cap, sizeof(*l->t), &is_good);
        l->regime = with_room(l->regime, cap, sizeof(*l->regime), &is_good);
        l->cap = is_good ? cap : l->cap;
    }
    if (l->begin == NULL || l->rows.n_units + n_more + 2 > l->unit_cap) {
        const size_t cap = (l->rows.n_units + n_more + 2) * 2;
        l->begin = with_room(l->begin, cap, sizeof(*l->begin), &is_good);
        l->failed = with_room(l->failed, cap, sizeof(*l->failed), &is_good);
        l->unit_cap = is_good ? cap : l->unit_cap;
    }
    return is_good;
}

/* Instant of the first failure at or after ts; INT64_MAX = none. */
static int64_t next_failure(const struct history_asset *a, int64_t ts_ms)
{
    for (size_t i = 0; i < a->n_events; i++)
        if (a->events[i].kind == EVENT_FAILURE && a->events[i].ts_ms >= ts_ms)
            return a->events[i].ts_ms;
    return INT64_MAX;
}

/* Cuts the asset's rows into lives: from new, or from a failure, to the next failure. */
static void add_lives(struct lives *l, const struct feature_set *fs, const struct history_asset *a,
                      const struct feature_frame *f)
{
    const size_t p = fs->n_health_sensors;
    const double tick = (double)features_tick_ms(fs);
    int64_t ends = INT64_MIN;
    for (size_t i = 0; i < f->n; i++) {
        if (i == 0 || f->ts_ms[i] > ends) {
            ends = next_failure(a, f->ts_ms[i]);
            l->begin[l->rows.n_units] = l->n;
            /* A failure long after the last reading says nothing about that reading. */
            l->failed[l->rows.n_units] = ends != INT64_MAX;
            l->rows.n_units++;
        }
        memcpy(l->x + l->n * p, f->x + i * p, p * sizeof(*l->x));
        l->t[l->n] = (double)(f->ts_ms[i] - f->ts_ms[0]) / tick;
        l->regime[l->n] = f->regime[i];
        l->n++;
        l->begin[l->rows.n_units] = l->n;
    }
}

/* Sensors that are read often enough to stand side by side. */
static enum ft_status choose_sensors(const struct history *h, const bool *is_training,
                                     struct feature_set *fs, struct ft_err *err)
{
    size_t *count = calloc(fs->n_sensors + 1, sizeof(*count));
    size_t most = 0;
    fs->health_sensor = calloc(fs->n_sensors + 1, sizeof(*fs->health_sensor));
    if (count == NULL || fs->health_sensor == NULL) {
        free(count);
        return no_memory(err);
    }
    for (size_t s = 0; s < fs->n_sensors; s++) {
        for (size_t a = 0; a < h->n_assets && fs->sensors[s].role == SENSOR_ROLE_SENSOR; a++)
            if (is_training[a])
                count[s] += features_series(fs, h, &h->assets[a], s)->n;
        most = count[s] > most ? count[s] : most;
    }
    fs->n_health_sensors = 0;
    for (size_t s = 0; s < fs->n_sensors; s++)
        if (count[s] > 0 && (double)count[s] >= min_presence * (double)most &&
            fs->n_health_sensors < HEALTH_MAX_SENSORS)
            fs->health_sensor[fs->n_health_sensors++] = s;
    free(count);
    if (fs->n_health_sensors < 2)
        return ft_fail(err, FT_TOO_FEW, "class %s: health channels need two sensors or more",
                       h->class_name);
    return FT_OK;
}

static enum ft_status gather_lives(const struct history *h, const bool *is_training,
                                   const struct feature_set *fs, struct lives *l,
                                   struct ft_err *err)
{
    const size_t p = fs->n_health_sensors;
    size_t total = 0;
    for (size_t a = 0; a < h->n_assets; a++)
        if (is_training[a])
            total += features_series(fs, h, &h->assets[a], fs->health_sensor[0])->n;
    const size_t every = total * p / max_values + 1;
    size_t seen = 0;
    enum ft_status st = FT_OK;
    for (size_t a = 0; a < h->n_assets && st == FT_OK; a++) {
        struct feature_frame f;
        if (!is_training[a] || seen++ % every != 0)
            continue;
        st = features_frame_build(fs, h, a, DB_NO_TIME, &f, err);
        if (st != FT_OK)
            break;
        if (!lives_reserve(l, f.n + 1, p))
            st = no_memory(err);
        else
            add_lives(l, fs, &h->assets[a], &f);
        features_frame_clear(&f);
    }
    l->rows.x = l->x;
    l->rows.regime = l->regime;
    l->rows.t = l->t;
    l->rows.begin = l->begin;
    l->rows.failed = l->failed;
    l->rows.n_sensors = p;
    l->rows.n_regimes = fs->n_regimes;
    return st;
}

enum ft_status features_health_fit(const struct history *h, const bool *is_training,
                                   struct feature_set *fs, struct ft_err *err)
{
    struct lives l = {0};
    enum ft_status st = choose_sensors(h, is_training, fs, err);
    if (st == FT_OK)
        st = gather_lives(h, is_training, fs, &l, err);
    /* Two channels must leave at least two sensors over to be told from noise; fewer sensors carry
     * one. */
    const size_t n_channels =
        fs->n_health_sensors >= MAX_FITTED_CHANNELS + 2 ? MAX_FITTED_CHANNELS : 1;
    if (st == FT_OK)
        st = health_fit(&l.rows, n_channels, &fs->health[0], err);
    fs->n_health = st == FT_OK;
    lives_clear(&l);
    return st;
}

/* --- channels of an asset --- */

void features_health_rows_clear(struct feature_health_rows *rows)
{
    free(rows->ts_ms);
    free(rows->channel);
    free(rows->precision);
    free(rows->q);
    *rows = (struct feature_health_rows){0};
}

static enum ft_status score_frame(const struct health *m, const struct feature_frame *f,
                                  struct feature_health_rows *out, struct ft_err *err)
{
    const size_t k = m->n_channels;
    struct health_work *w = calloc(1, sizeof(*w));
    *out = (struct feature_health_rows){.n_channels = k,
                                        .ts_ms = calloc(f->n + 1, sizeof(*out->ts_ms)),
                                        .channel = calloc(f->n * k + 1, sizeof(double)),
                                        .precision = calloc(f->n * k + 1, sizeof(double)),
                                        .q = calloc(f->n + 1, sizeof(double))};
    if (w == NULL || out->ts_ms == NULL || out->channel == NULL || out->precision == NULL ||
        out->q == NULL) {
        free(w);
        features_health_rows_clear(out);
        return no_memory(err);
    }
    for (size_t i = 0; i < f->n; i++) {
        struct health_point point;
        if (!health_score(m, f->x + i * m->n_sensors, f->regime[i], w, &point)) {
            out->n_new_regime += f->regime[i] == HEALTH_NO_REGIME;
            continue;
        }
        out->ts_ms[out->n] = f->ts_ms[i];
        memcpy(out->channel + out->n * k, point.channel, k * sizeof(double));
        memcpy(out->precision + out->n * k, point.precision, k * sizeof(double));
        out->q[out->n] = point.q;
        out->n++;
    }
    free(w);
    return FT_OK;
}

enum ft_status features_health_rows(const struct feature_set *fs, const struct history *h,
                                    size_t asset, size_t model, int64_t until_ms,
                                    struct feature_health_rows *out, struct ft_err *err)
{
    struct feature_frame f;
    *out = (struct feature_health_rows){0};
    if (model >= fs->n_health)
        return ft_fail(err, FT_INVALID, "features: no health model %zu", model);
    enum ft_status st = features_frame_build(fs, h, asset, until_ms, &f, err);
    if (st != FT_OK)
        return st;
    st = score_frame(fs->health[model], &f, out, err);
    features_frame_clear(&f);
    return st;
}

/* --- numbers --- */

struct stream {
    const struct feature_set *fs;
    const struct feature_health_rows *rows;
    const int64_t *as_of;
    size_t n_rows;
    float *out;
    double tick_ms, tick_units;
    double *t;     /* [rows->n] ticks since the first */
    double *decay; /* [rows->n] gap to the row before, ticks */
    double *sums;  /* [5][rows->n + 1] prefix sums: weight, w x, w t, w t t, w t x */
    double *slow;  /* [n_channels][rows->n] the slow fading mean */
    double *most;  /* [rows->n] highest drift so far */
    size_t n_base[N_BASES];
};

static void put(const struct stream *s, size_t row, size_t column, double v)
{
    s->out[row * s->fs->n + column] = (float)v;
}

static double *sums_of(const struct stream *s, size_t which)
{
    return s->sums + which * (s->rows->n + 1);
}

/* Running state of a channel. */
struct running {
    size_t to;
    double sum[N_MEANS], mass[N_MEANS];
    double highest[2]; /* of the short and the slow fading mean */
    int64_t last_below[N_FRACTIONS];
};

static double fading(const struct running *r, size_t i)
{
    return r->mass[i] > 0 ? r->sum[i] / r->mass[i] : NAN;
}

/* Weighted mean of the first rows of base i, as far as they were seen by row count to. */
static double base_mean(const struct stream *s, size_t i, size_t to)
{
    const size_t n = s->n_base[i] < to ? s->n_base[i] : to;
    return sums_of(s, 1)[n] / sums_of(s, 0)[n];
}

static void push(const struct stream *s, const struct health *m, size_t c, struct running *r)
{
    const size_t i = r->to++;
    const size_t k = s->rows->n_channels;
    const double x = s->rows->channel[i * k + c];
    const double w = s->rows->precision[i * k + c];
    const double t = s->t[i];
    const double add[5] = {w, w * x, w * t, w * t * t, w * t * x};
    for (size_t j = 0; j < 5; j++)
        sums_of(s, j)[i + 1] = sums_of(s, j)[i] + add[j];
    for (size_t j = 0; j < N_MEANS; j++) {
        const double keep = exp2(-s->decay[i] / half_lives[j]);
        r->sum[j] = r->sum[j] * keep + w * x;
        r->mass[j] = r->mass[j] * keep + w;
    }
    const double slow = fading(r, SLOW_MEAN);
    s->slow[c * s->rows->n + i] = slow;
    r->highest[0] = i == 0 ? fading(r, 0) : fmax(r->highest[0], fading(r, 0));
    r->highest[1] = i == 0 ? slow : fmax(r->highest[1], slow);
    const double drift = slow - base_mean(s, DRIFT_BASE, i + 1);
    s->most[i] = i == 0 ? fmax(0, drift) : fmax(s->most[i - 1], drift);
    const double way = m->has_levels ? (slow - m->start[c]) / (m->level[c] - m->start[c]) : 0;
    for (size_t f = 0; f < N_FRACTIONS && m->has_levels; f++)
        if (i == 0 || way < (double)f / (N_FRACTIONS - 1))
            r->last_below[f] = s->rows->ts_ms[i];
}

/* First of the n rows later than ts. */
static size_t first_after(const struct stream *s, size_t n, int64_t ts_ms)
{
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (s->rows->ts_ms[mid] <= ts_ms)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* First of the n rows at which the drift had reached v. */
static size_t first_drift(const struct stream *s, size_t n, double v)
{
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (s->most[mid] < v)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Weighted line through rows [from, to): its value at the last row and its slope per tick, shrunk
 * towards flat when the rows span little time. */
static void line(const struct stream *s, size_t from, size_t to, double *level, double *slope)
{
    double d[5];
    for (size_t j = 0; j < 5; j++)
        d[j] = sums_of(s, j)[to] - sums_of(s, j)[from];
    const double mean_t = d[2] / d[0];
    const double var = fmax(0, d[3] - d[2] * mean_t);
    const double cov = d[4] - d[1] * mean_t;
    const double mean_weight = sums_of(s, 0)[to] / (double)to;
    *slope = cov / (var + slope_prior * mean_weight);
    *level = d[1] / d[0] + *slope * (s->t[to - 1] - mean_t);
}

static size_t put_lines(const struct stream *s, const struct health *m, size_t c, size_t row,
                        size_t to, size_t col)
{
    for (size_t i = 0; i < N_WINDOWS; i++) {
        const int64_t length = windows[i] * features_tick_ms(s->fs);
        const size_t from = windows[i] > 0 ? first_after(s, to, s->as_of[row] - length) : 0;
        double level = NAN;
        double slope = NAN;
        double left = NAN;
        if (to > from) {
            line(s, from, to, &level, &slope);
            const double by = fabs(slope) < least_slope ? least_slope : slope;
            left = fmax(-far_ticks, fmin(far_ticks, (m->level[c] - level) / by));
        }
        put(s, row, col++, level);
        put(s, row, col++, slope / s->tick_units);
        if (m->has_levels)
            put(s, row, col++, left * s->tick_units);
    }
    return col;
}

static size_t put_channel_row(const struct stream *s, const struct health *m, size_t c,
                              const struct running *r, size_t row, size_t col)
{
    const size_t to = r->to;
    const double *slow = s->slow + c * s->rows->n;
    for (size_t i = 0; i < N_MEANS; i++)
        put(s, row, col++, fading(r, i));
    col = put_lines(s, m, c, row, to, col);
    for (size_t i = 0; i < N_BASES; i++)
        put(s, row, col++, to > 0 ? slow[to - 1] - base_mean(s, i, to) : NAN);
    for (size_t i = 0; i < N_FRACTIONS && m->has_levels; i++)
        put(s, row, col++,
            to > 0 ? (double)(s->as_of[row] - r->last_below[i]) / s->tick_ms * s->tick_units : NAN);
    for (size_t i = 0; i < 2; i++)
        put(s, row, col++, to > 0 ? r->highest[i] : NAN);
    for (size_t i = 0; i < N_LAGS; i++) {
        const size_t at = first_after(s, to, s->as_of[row] - lags[i] * features_tick_ms(s->fs));
        put(s, row, col++, at > 0 ? slow[at - 1] : NAN);
    }
    for (size_t i = 0; i < N_DRIFTS; i++) {
        double since = NAN;
        if (to > 0) {
            const size_t at = first_drift(s, to, drifts[i] * s->most[to - 1]);
            since = (double)(s->as_of[row] - s->rows->ts_ms[at]) / s->tick_ms * s->tick_units;
        }
        put(s, row, col++, since);
    }
    return col;
}

static size_t put_channel(const struct stream *s, const struct health *m, size_t c, size_t col)
{
    struct running r = {0};
    size_t next = col;
    for (size_t row = 0; row < s->n_rows; row++) {
        while (r.to < s->rows->n && s->rows->ts_ms[r.to] <= s->as_of[row])
            push(s, m, c, &r);
        next = put_channel_row(s, m, c, &r, row, col);
    }
    return next;
}

/* Distance and direction of all channels together from where units begin. */
static size_t put_way(const struct stream *s, const struct health *m, size_t col)
{
    for (size_t row = 0; row < s->n_rows; row++) {
        const size_t to = first_after(s, s->rows->n, s->as_of[row]);
        double sum = 0;
        double d[2] = {0, 0};
        for (size_t c = 0; c < m->n_channels && to > 0; c++) {
            const double v = s->slow[c * s->rows->n + to - 1] - m->start[c];
            sum += v * v;
            if (c < 2)
                d[c] = v;
        }
        put(s, row, col, to > 0 ? sqrt(sum) : NAN);
        if (m->n_channels > 1)
            put(s, row, col + 1, to > 0 ? atan2(d[1], d[0]) : NAN);
    }
    return col + (m->n_channels > 1 ? 2 : 1);
}

/* Fading mean of what the channels leave over. */
static size_t put_left_over(const struct stream *s, size_t col)
{
    double sum = 0;
    double mass = 0;
    size_t to = 0;
    for (size_t row = 0; row < s->n_rows; row++) {
        for (; to < s->rows->n && s->rows->ts_ms[to] <= s->as_of[row]; to++) {
            const double keep = exp2(-s->decay[to] / half_lives[Q_MEAN]);
            sum = sum * keep + s->rows->q[to];
            mass = mass * keep + 1;
        }
        put(s, row, col, mass > 0 ? sum / mass : NAN);
    }
    return col + 1;
}

static bool stream_open(struct stream *s)
{
    const size_t n = s->rows->n;
    s->t = calloc(n + 1, sizeof(double));
    s->decay = calloc(n + 1, sizeof(double));
    s->sums = calloc(5 * (n + 1), sizeof(double));
    s->slow = calloc(s->rows->n_channels * n + 1, sizeof(double));
    s->most = calloc(n + 1, sizeof(double));
    if (s->t == NULL || s->decay == NULL || s->sums == NULL || s->slow == NULL || s->most == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        s->t[i] = (double)(s->rows->ts_ms[i] - s->rows->ts_ms[0]) / s->tick_ms;
        s->decay[i] = i > 0 ? s->t[i] - s->t[i - 1] : 0;
        for (size_t b = 0; b < N_BASES; b++)
            if (s->t[i] < bases[b] - 1e-9)
                s->n_base[b] = i + 1;
    }
    return true;
}

static void stream_close(struct stream *s)
{
    free(s->t);
    free(s->decay);
    free(s->sums);
    free(s->slow);
    free(s->most);
}

enum ft_status features_health_compute(const struct feature_set *fs, const struct history *h,
                                       size_t asset, const int64_t *as_of_ms, size_t n_rows,
                                       float *out, size_t first, size_t *n, struct ft_err *err)
{
    struct feature_frame f;
    size_t col = first;
    enum ft_status st = features_frame_build(fs, h, asset, as_of_ms[n_rows - 1], &f, err);
    if (st != FT_OK)
        return st;
    for (size_t m = 0; m < fs->n_health && st == FT_OK; m++) {
        struct feature_health_rows rows;
        st = score_frame(fs->health[m], &f, &rows, err);
        if (st != FT_OK)
            break;
        struct stream s = {.fs = fs,
                           .rows = &rows,
                           .as_of = as_of_ms,
                           .n_rows = n_rows,
                           .out = out,
                           .tick_ms = (double)features_tick_ms(fs)};
        s.tick_units = s.tick_ms / (double)fs->unit_ms;
        if (stream_open(&s)) {
            for (size_t c = 0; c < fs->health[m]->n_channels; c++)
                col = put_channel(&s, fs->health[m], c, col);
            col = put_way(&s, fs->health[m], col);
            if (m + 1 == fs->n_health)
                col = put_left_over(&s, col);
        } else {
            st = no_memory(err);
        }
        stream_close(&s);
        features_health_rows_clear(&rows);
    }
    features_frame_clear(&f);
    *n = col - first;
    return st;
}

/* --- for words --- */

size_t features_health_n_channels(const struct feature_set *fs)
{
    size_t n = 0;
    for (size_t m = 0; m < fs->n_health; m++)
        n += fs->health[m]->n_channels;
    return n;
}

/* Parts of one channel by sensor, from the sensors' mean deviations from a unit without wear. */
static void share_channel(const struct health *m, size_t regime, size_t c, const double *deviation,
                          double *share)
{
    const size_t p = m->n_sensors;
    double total = 0;
    for (size_t j = 0; j < p; j++) {
        const double d = isfinite(deviation[j]) ? deviation[j] : 0;
        share[j] = fabs(m->score[(regime * m->n_channels + c) * p + j] * d);
        total += share[j];
    }
    for (size_t j = 0; j < p; j++)
        share[j] = total > 0 ? share[j] / total : 1.0 / (double)p;
}

enum ft_status features_health_shares(const struct feature_set *fs, const struct history *h,
                                      size_t asset, int64_t as_of_ms, double *z, double *share,
                                      struct ft_err *err)
{
    const size_t p = fs->n_health_sensors;
    const int64_t from_ms = as_of_ms - SHARE_TICKS * features_tick_ms(fs);
    struct feature_frame f;
    size_t regime = 0;
    size_t channel = 0;
    enum ft_status st = features_frame_build(fs, h, asset, as_of_ms, &f, err);
    if (st != FT_OK)
        return st;
    for (size_t i = 0; i < f.n; i++)
        regime = f.regime[i] != HEALTH_NO_REGIME ? f.regime[i] : regime;
    for (size_t m = 0; m < fs->n_health; m++) {
        const struct health *model = fs->health[m];
        double deviation[HEALTH_MAX_SENSORS] = {0};
        for (size_t j = 0; j < p; j++) {
            double sum = 0;
            double moved = 0;
            size_t n = 0;
            for (size_t i = f.n; i > 0 && f.ts_ms[i - 1] > from_ms; i--) {
                const size_t r = f.regime[i - 1];
                if (r == HEALTH_NO_REGIME || !isfinite(f.x[(i - 1) * p + j]))
                    continue;
                const double v = health_z(model, r, j, f.x[(i - 1) * p + j]);
                sum += v;
                moved += v - model->offset[r * p + j];
                n++;
            }
            z[j] = n > 0 ? sum / (double)n : NAN;
            deviation[j] = n > 0 ? moved / (double)n : NAN;
        }
        for (size_t c = 0; c < model->n_channels; c++)
            share_channel(model, regime, c, deviation, share + p * channel++);
    }
    features_frame_clear(&f);
    return FT_OK;
}

/* --- JSON --- */

void features_health_to_json(cJSON *json, const struct feature_set *fs)
{
    json_add_string(json, "view", fs->view == FEATURE_VIEW_HEALTH ? "health" : "sensors");
    if (fs->view != FEATURE_VIEW_HEALTH)
        return;
    cJSON *o = json_add_object(json, "health");
    cJSON *list = json_add_array(o, "sensors");
    for (size_t i = 0; i < fs->n_health_sensors; i++)
        json_add_int(list, NULL, (int64_t)fs->health_sensor[i]);
    list = json_add_array(o, "models");
    for (size_t i = 0; i < fs->n_health; i++) {
        const struct health *m = fs->health[i];
        const size_t rp = m->n_regimes * m->n_sensors;
        cJSON *item = json_add_object(list, NULL);
        json_add_int(item, "channels", (int64_t)m->n_channels);
        features_put_numbers(item, "mean", m->mean, rp);
        features_put_numbers(item, "spread", m->spread, rp);
        features_put_numbers(item, "offset", m->offset, rp);
        features_put_numbers(item, "loading", m->loading, rp * m->n_channels);
        features_put_numbers(item, "noise", m->noise, rp * m->n_sensors);
        features_put_numbers(item, "scale", m->scale, m->n_channels);
        if (m->has_levels) {
            features_put_numbers(item, "start", m->start, m->n_channels);
            features_put_numbers(item, "level", m->level, m->n_channels);
        }
    }
}

/* One list of numbers into an array of the model that has its room already. */
static enum ft_status get_into(const cJSON *o, const char *key, double *to, size_t n,
                               struct ft_err *err)
{
    double *v = NULL;
    const enum ft_status st = features_get_numbers(o, key, n, &v, NULL, err);
    if (st == FT_OK)
        memcpy(to, v, n * sizeof(*to));
    free(v);
    return st;
}

static enum ft_status get_model(const cJSON *o, struct feature_set *fs, struct ft_err *err)
{
    int64_t k = 0;
    struct health *m = NULL;
    enum ft_status st = json_int(o, "channels", true, 1, HEALTH_MAX_CHANNELS, &k, err);
    if (st == FT_OK && fs->n_health == FEATURE_MAX_HEALTH)
        st = ft_fail(err, FT_INVALID, "features: more than %d health models", FEATURE_MAX_HEALTH);
    if (st == FT_OK)
        st = health_new(fs->n_health_sensors, fs->n_regimes, (size_t)k, &m, err);
    if (st != FT_OK)
        return st;
    fs->health[fs->n_health++] = m;
    const size_t rp = m->n_regimes * m->n_sensors;
    st = get_into(o, "mean", m->mean, rp, err);
    if (st == FT_OK)
        st = get_into(o, "spread", m->spread, rp, err);
    if (st == FT_OK)
        st = get_into(o, "offset", m->offset, rp, err);
    if (st == FT_OK)
        st = get_into(o, "loading", m->loading, rp * m->n_channels, err);
    if (st == FT_OK)
        st = get_into(o, "noise", m->noise, rp * m->n_sensors, err);
    if (st == FT_OK)
        st = get_into(o, "scale", m->scale, m->n_channels, err);
    m->has_levels = json_get(o, "level") != NULL;
    if (st == FT_OK && m->has_levels)
        st = get_into(o, "start", m->start, m->n_channels, err);
    if (st == FT_OK && m->has_levels)
        st = get_into(o, "level", m->level, m->n_channels, err);
    return st == FT_OK ? health_prepare(m, err) : st;
}

enum ft_status features_health_from_json(const cJSON *json, struct feature_set *fs,
                                         struct ft_err *err)
{
    const cJSON *o = json_get(json, "health");
    const cJSON *list = NULL;
    const cJSON *item;
    double *sensors = NULL;
    fs->view = o != NULL ? FEATURE_VIEW_HEALTH : FEATURE_VIEW_SENSORS;
    if (o == NULL)
        return FT_OK;
    enum ft_status st =
        features_get_numbers(o, "sensors", SIZE_MAX, &sensors, &fs->n_health_sensors, err);
    if (st == FT_OK && fs->n_health_sensors > HEALTH_MAX_SENSORS)
        st = ft_fail(err, FT_INVALID, "features: %zu sensors of health channels",
                     fs->n_health_sensors);
    if (st == FT_OK) {
        fs->health_sensor = calloc(fs->n_health_sensors + 1, sizeof(*fs->health_sensor));
        if (fs->health_sensor == NULL)
            st = no_memory(err);
    }
    for (size_t i = 0; i < fs->n_health_sensors && st == FT_OK; i++) {
        if (!(sensors[i] >= 0 && sensors[i] < (double)fs->n_sensors))
            st = ft_fail(err, FT_INVALID, "features: health sensor out of range");
        else
            fs->health_sensor[i] = (size_t)sensors[i];
    }
    free(sensors);
    if (st == FT_OK)
        st = json_array(o, "models", true, &list, err);
    if (st != FT_OK)
        return st;
    cJSON_ArrayForEach (item, list) {
        if (st == FT_OK)
            st = get_model(item, fs, err);
    }
    return st;
}
