/* Rows of the fit are whole ticks, every so many of them, so that neighbours stay neighbours and
 * the memory stays bounded. */
#include "app/health_expect.h"

#include "app/base/clock.h"
#include "app/base/instants.h"
#include "app/features.h"
#include "models/anomaly.h"
#include "models/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS_PER_TICK = 24,
    MAX_FIT_ROWS = 200000,
    MAX_SETTINGS = 8,
    MIN_REGIME_ROWS = 50,
    STUCK_ROWS = 12,
    STALE_ROWS = 3 /* a setting holds for so long */
};
static const double max_residual = 60;   /* standard deviations; beyond it the size says no more */
static const double trim = 4;            /* standard deviations, for the second fit of a line */
static const double ridge = 1e-6;        /* of the variance of a setting */
static const double stopped_frac = 0.01; /* of the greatest value of a setting */

struct health_expect {
    const struct history *h;
    struct feature_set *fs; /* regimes */
    int64_t tick_ms, row_ms;
    size_t sensor[ANOMALY_MAX_SENSORS], n_sensors;
    size_t setting[MAX_SETTINGS], n_settings; /* into h->sensors */
    size_t order[MAX_SETTINGS];               /* of the regimes' settings among ours */
    double greatest[MAX_SETTINGS], least[MAX_SETTINGS];
    /* [n_regimes][n_sensors]: offset, noise (0 = unknown), slopes[n_settings] */
    double *offset, *noise, *slope;
};

/* Rows of one asset, or of all in a fit. */
struct rows {
    size_t n, cap;
    double *x, *s;  /* [cap][n_sensors], [cap][n_settings] */
    size_t *regime; /* [cap]; SIZE_MAX = stopped, or no known regime */
    size_t *asset;  /* [cap] */
    int64_t *row;   /* [cap] number of the grid row */
};

static enum ft_status no_memory(struct ft_err *err)
{
    return ft_fail(err, FT_NOMEM, "health index: no memory");
}

void health_expect_free(struct health_expect *e)
{
    if (e == NULL)
        return;
    features_free(e->fs);
    free(e->offset);
    free(e->noise);
    free(e->slope);
    free(e);
}

int64_t health_tick_ms(const struct history *h)
{
    if (h->cycle_ms > 0)
        return h->cycle_ms;
    return h->step_ms > 6 * MS_PER_HOUR ? h->step_ms : MS_PER_DAY;
}

size_t health_expect_sensors(const struct health_expect *e, const size_t **sensor)
{
    *sensor = e->sensor;
    return e->n_sensors;
}

/* --- rows --- */

static void rows_clear(struct rows *r)
{
    free(r->x);
    free(r->s);
    free(r->regime);
    free(r->asset);
    free(r->row);
    *r = (struct rows){0};
}

static enum ft_status rows_open(const struct health_expect *e, size_t cap, struct rows *r,
                                struct ft_err *err)
{
    *r = (struct rows){.cap = cap};
    r->x = calloc(cap * e->n_sensors + 1, sizeof(*r->x));
    r->s = calloc(cap * e->n_settings + 1, sizeof(*r->s));
    r->regime = calloc(cap + 1, sizeof(*r->regime));
    r->asset = calloc(cap + 1, sizeof(*r->asset));
    r->row = calloc(cap + 1, sizeof(*r->row));
    if (r->x != NULL && r->s != NULL && r->regime != NULL && r->asset != NULL && r->row != NULL)
        return FT_OK;
    rows_clear(r);
    return no_memory(err);
}

/* The newest finite value in each grid row from row first on; out has a stride. */
static void spread_series(const struct health_expect *e, const struct readings *r, int64_t start_ms,
                          size_t n, double *out, size_t stride)
{
    size_t k = instants_before(r->ts_ms, r->n, start_ms);
    for (size_t i = 0; i < n; i++) {
        const int64_t end_ms = start_ms + (int64_t)(i + 1) * e->row_ms;
        out[i * stride] = NAN;
        for (; k < r->n && r->ts_ms[k] < end_ms; k++)
            if (isfinite(r->value[k]))
                out[i * stride] = r->value[k];
    }
}

static void hold_setting(double *s, size_t n, size_t stride)
{
    size_t age = 0;
    for (size_t i = 1; i < n; i++) {
        age = isfinite(s[i * stride]) ? 0 : age + 1;
        if (age > 0 && age <= STALE_ROWS)
            s[i * stride] = s[(i - 1) * stride];
    }
}

static bool settings_moved(const struct health_expect *e, const double *s, size_t from, size_t to)
{
    for (size_t k = 0; k < e->n_settings; k++)
        if (s[from * e->n_settings + k] != s[to * e->n_settings + k])
            return true;
    return e->n_settings == 0;
}

/* Values of one sensor that stand still for STUCK_ROWS rows or more while the settings move. */
static void drop_stuck(const struct health_expect *e, struct rows *r, size_t first, size_t j)
{
    const size_t p = e->n_sensors;
    for (size_t i = first; i < r->n;) {
        size_t end = i + 1;
        bool moved = false;
        while (end < r->n && r->x[end * p + j] == r->x[i * p + j]) {
            moved = moved || settings_moved(e, r->s, i, end);
            end++;
        }
        for (size_t k = i; k < end && moved && end - i >= STUCK_ROWS; k++)
            r->x[k * p + j] = NAN;
        i = end;
    }
}

static size_t regime_of(const struct health_expect *e, const double *s)
{
    bool is_stopped = e->n_settings > 0;
    double ordered[MAX_SETTINGS] = {0};
    for (size_t k = 0; k < e->n_settings; k++) {
        if (!isfinite(s[k]))
            return SIZE_MAX;
        is_stopped = is_stopped && e->least[k] >= 0 && e->greatest[k] > 0 &&
                     s[k] <= stopped_frac * e->greatest[k];
    }
    if (is_stopped)
        return SIZE_MAX;
    for (size_t k = 0; k < e->fs->n_settings; k++)
        ordered[k] = s[e->order[k]];
    return e->fs->n_regimes > 1 ? features_regime(e->fs, ordered) : 0;
}

/* Adds n grid rows of an asset. */
static void add_rows(const struct health_expect *e, const struct history *h, size_t asset,
                     int64_t start_ms, size_t n, struct rows *r)
{
    const struct readings *series = h->assets[asset].series;
    const size_t first = r->n;
    for (size_t j = 0; j < e->n_sensors; j++)
        spread_series(e, &series[e->sensor[j]], start_ms, n, r->x + first * e->n_sensors + j,
                      e->n_sensors);
    for (size_t k = 0; k < e->n_settings; k++) {
        double *s = r->s + first * e->n_settings + k;
        spread_series(e, &series[e->setting[k]], start_ms, n, s, e->n_settings);
        hold_setting(s, n, e->n_settings);
    }
    r->n += n;
    for (size_t j = 0; j < e->n_sensors; j++)
        drop_stuck(e, r, first, j);
    for (size_t i = first; i < r->n; i++) {
        r->regime[i] = regime_of(e, r->s + i * e->n_settings);
        r->asset[i] = asset;
        r->row[i] = start_ms / e->row_ms + (int64_t)(i - first);
    }
}

/* --- the past alone --- */

/* A history that ends before an instant; it owns the lists but not what they point to. */
static void view_clear(struct history *v)
{
    for (size_t a = 0; v->assets != NULL && a < v->n_assets; a++)
        free(v->assets[a].series);
    free(v->assets);
}

static enum ft_status view_open(const struct history *h, int64_t until_ms, struct history *v,
                                struct ft_err *err)
{
    *v = *h;
    v->assets = calloc(h->n_assets + 1, sizeof(*v->assets));
    if (v->assets == NULL)
        return no_memory(err);
    for (size_t a = 0; a < h->n_assets; a++) {
        struct history_asset *as = &v->assets[a];
        *as = h->assets[a];
        as->series = calloc(h->n_sensors + 1, sizeof(*as->series));
        if (as->series == NULL) {
            view_clear(v);
            return no_memory(err);
        }
        as->last_reading_ms = DB_NO_TIME;
        for (size_t i = 0; i < h->n_sensors; i++) {
            struct readings *r = &as->series[i];
            *r = h->assets[a].series[i];
            r->n = until_ms == DB_NO_TIME ? r->n : instants_before(r->ts_ms, r->n, until_ms);
            if (r->n > 0 && r->ts_ms[r->n - 1] > as->last_reading_ms)
                as->last_reading_ms = r->ts_ms[r->n - 1];
        }
        while (until_ms != DB_NO_TIME && as->n_events > 0 &&
               as->events[as->n_events - 1].ts_ms >= until_ms)
            as->n_events--;
    }
    return FT_OK;
}

/* --- fit --- */

static int compare_doubles(const void *pa, const void *pb)
{
    const double a = *(const double *)pa;
    const double b = *(const double *)pb;
    return (a > b) - (a < b);
}

static double median(double *v, size_t n)
{
    if (n == 0)
        return NAN;
    qsort(v, n, sizeof(*v), compare_doubles);
    return n % 2 == 1 ? v[n / 2] : 0.5 * (v[n / 2 - 1] + v[n / 2]);
}

struct line_fit {
    const struct health_expect *e;
    const struct rows *rows;
    size_t regime, j;
    double *residual; /* [rows] NaN = not in this fit */
    double *scratch;  /* [rows] */
    double *middle;   /* [assets] */
};

static double value_of(const struct line_fit *f, size_t i)
{
    return f->rows->regime[i] == f->regime ? f->rows->x[i * f->e->n_sensors + f->j] : NAN;
}

/* Least squares of the sensor on the settings, both less their means over the asset's rows; rows
 * with a residual beyond limit are left out. Rows of an asset lie side by side. */
static void fit_slope(const struct line_fit *f, double limit, double *slope)
{
    const size_t k = f->e->n_settings;
    double xx[MAX_SETTINGS * MAX_SETTINGS] = {0};
    double xy[MAX_SETTINGS] = {0};
    for (size_t i = 0; i < f->rows->n;) {
        size_t end = i;
        double mean[MAX_SETTINGS + 1] = {0};
        double n = 0;
        for (; end < f->rows->n && f->rows->asset[end] == f->rows->asset[i]; end++) {
            const double y = value_of(f, end);
            if (!isfinite(y) || fabs(f->residual[end]) > limit)
                continue;
            n++;
            for (size_t a = 0; a < k; a++)
                mean[a] += (f->rows->s[end * k + a] - mean[a]) / n;
            mean[k] += (y - mean[k]) / n;
        }
        for (; i < end; i++) {
            const double y = value_of(f, i) - mean[k];
            if (!isfinite(y) || fabs(f->residual[i]) > limit)
                continue;
            for (size_t a = 0; a < k; a++) {
                const double sa = f->rows->s[i * k + a] - mean[a];
                xy[a] += sa * y;
                for (size_t b = 0; b <= a; b++)
                    xx[a * k + b] += sa * (f->rows->s[i * k + b] - mean[b]);
            }
        }
    }
    for (size_t a = 0; a < k; a++)
        xx[a * k + a] += xx[a * k + a] > 0 ? ridge * xx[a * k + a] : 1;
    memset(slope, 0, k * sizeof(*slope));
    if (k > 0 && linalg_cholesky(xx, k, 1e-12, NULL, NULL) == FT_OK) {
        linalg_cholesky_solve(xx, k, xy);
        memcpy(slope, xy, k * sizeof(*slope));
    }
}

/* Residuals from a line, less the class's offset (median over assets of their medians), which is
 * returned; *spread gets their robust size inside assets. */
static double fit_offset(const struct line_fit *f, const double *slope, double *spread)
{
    const size_t k = f->e->n_settings;
    size_t n_assets = 0;
    size_t n_all = 0;
    for (size_t i = 0; i < f->rows->n; i++) {
        f->residual[i] = value_of(f, i);
        for (size_t a = 0; a < k; a++)
            f->residual[i] -= slope[a] * f->rows->s[i * k + a];
    }
    for (size_t i = 0; i < f->rows->n;) {
        size_t end = i;
        size_t n = 0;
        for (; end < f->rows->n && f->rows->asset[end] == f->rows->asset[i]; end++)
            if (isfinite(f->residual[end]))
                f->scratch[n++] = f->residual[end];
        const double m = median(f->scratch, n);
        if (n > 0)
            f->middle[n_assets++] = m;
        for (; i < end; i++)
            f->residual[i] -= m;
    }
    for (size_t i = 0; i < f->rows->n; i++)
        if (isfinite(f->residual[i]))
            f->scratch[n_all++] = fabs(f->residual[i]);
    *spread = 1.4826 * median(f->scratch, n_all);
    return median(f->middle, n_assets);
}

/* Noise from one row to the next of the same regime. */
static double fit_noise(const struct line_fit *f)
{
    const struct rows *r = f->rows;
    size_t n = 0;
    for (size_t i = 1; i < r->n; i++) {
        const double d = f->residual[i] - f->residual[i - 1];
        if (isfinite(d) && r->asset[i] == r->asset[i - 1] && r->row[i] == r->row[i - 1] + 1)
            f->scratch[n++] = fabs(d);
    }
    return n >= MIN_REGIME_ROWS / 2 ? 1.4826 * median(f->scratch, n) / sqrt(2) : 0;
}

static void fit_line(struct health_expect *e, struct line_fit *f)
{
    const size_t at = f->regime * e->n_sensors + f->j;
    double *slope = e->slope + at * e->n_settings;
    double spread = 0;
    size_t n = 0;
    for (size_t i = 0; i < f->rows->n; i++) {
        f->residual[i] = 0;
        n += isfinite(value_of(f, i)) ? 1 : 0;
    }
    if (n < MIN_REGIME_ROWS)
        return;
    fit_slope(f, INFINITY, slope);
    (void)fit_offset(f, slope, &spread);
    if (spread > 0) {
        fit_slope(f, trim * spread, slope);
        e->offset[at] = fit_offset(f, slope, &spread);
    } else {
        e->offset[at] = fit_offset(f, slope, &spread);
    }
    e->noise[at] = fit_noise(f);
    if (!(e->noise[at] > 0)) /* a coarse resolution: half of the neighbours are equal */
        e->noise[at] = spread > 0 ? spread : 0;
}

static void list_sensors(struct health_expect *e)
{
    const struct history *h = e->h;
    for (size_t i = 0; i < h->n_sensors; i++) {
        if (h->sensors[i].role == SENSOR_ROLE_SETTING && e->n_settings < MAX_SETTINGS)
            e->setting[e->n_settings++] = i;
        else if (h->sensors[i].role == SENSOR_ROLE_SENSOR && e->n_sensors < ANOMALY_MAX_SENSORS)
            e->sensor[e->n_sensors++] = i;
    }
}

/* Settings that the regimes know are found among ours by name; ours that never change leave. */
static void match_settings(struct health_expect *e, const struct history *past)
{
    size_t n = 0;
    for (size_t k = 0; k < e->n_settings; k++) {
        double low = INFINITY;
        double high = -INFINITY;
        for (size_t a = 0; a < past->n_assets; a++) {
            const struct readings *r = &past->assets[a].series[e->setting[k]];
            for (size_t i = 0; i < r->n; i++) {
                low = fmin(low, r->value[i]);
                high = fmax(high, r->value[i]);
            }
        }
        if (!(high > low))
            continue;
        e->least[n] = low;
        e->greatest[n] = high;
        e->setting[n++] = e->setting[k];
    }
    e->n_settings = n;
    for (size_t i = 0; i < e->fs->n_settings; i++) {
        const char *name = e->fs->sensors[e->fs->setting[i]].name;
        size_t k = 0;
        while (k < n && strcmp(e->h->sensors[e->setting[k]].name, name) != 0)
            k++;
        if (k == n) { /* more settings than we hold: no regimes */
            e->fs->n_regimes = 1;
            e->fs->n_settings = 0;
            return;
        }
        e->order[i] = k;
    }
}

/* Whole ticks of all assets of the past, every so many. */
static enum ft_status gather(const struct health_expect *e, const struct history *h, struct rows *r,
                             struct ft_err *err)
{
    const size_t per_tick = (size_t)(e->tick_ms / e->row_ms);
    int64_t n_ticks = 0;
    for (size_t a = 0; a < h->n_assets; a++)
        if (h->assets[a].last_reading_ms != DB_NO_TIME)
            n_ticks += (h->assets[a].last_reading_ms - h->assets[a].first_ms) / e->tick_ms + 1;
    const int64_t every = n_ticks * (int64_t)per_tick / MAX_FIT_ROWS + 1;
    enum ft_status st =
        rows_open(e, ((size_t)(n_ticks / every) + h->n_assets + 1) * per_tick, r, err);
    for (size_t a = 0; a < h->n_assets && st == FT_OK; a++) {
        const struct history_asset *as = &h->assets[a];
        if (as->last_reading_ms == DB_NO_TIME)
            continue;
        const int64_t last = as->last_reading_ms;
        const int64_t step = every * e->tick_ms;
        for (int64_t t = as->first_ms - as->first_ms % e->tick_ms; t <= last; t += step)
            if (r->n + per_tick <= r->cap)
                add_rows(e, h, a, t, per_tick, r);
    }
    return st;
}

static enum ft_status fit_lines(struct health_expect *e, const struct rows *r, struct ft_err *err)
{
    struct line_fit f = {.e = e, .rows = r};
    f.residual = calloc(r->n + 1, sizeof(*f.residual));
    f.scratch = calloc(r->n + 1, sizeof(*f.scratch));
    f.middle = calloc(e->h->n_assets + 1, sizeof(*f.middle));
    const bool is_good = f.residual != NULL && f.scratch != NULL && f.middle != NULL;
    for (f.regime = 0; is_good && f.regime < e->fs->n_regimes; f.regime++)
        for (f.j = 0; f.j < e->n_sensors; f.j++)
            fit_line(e, &f);
    free(f.residual);
    free(f.scratch);
    free(f.middle);
    return is_good ? FT_OK : no_memory(err);
}

static enum ft_status fit(struct health_expect *e, const struct history *past, struct ft_err *err)
{
    const struct feature_options o = {.view = FEATURE_VIEW_SENSORS};
    struct rows r = {0};
    list_sensors(e);
    if (e->n_sensors == 0)
        return ft_fail(err, FT_TOO_FEW, "health index: class %s has no sensor beside settings",
                       e->h->class_name);
    enum ft_status st = features_fit(past, NULL, &o, &e->fs, err);
    if (st != FT_OK)
        return st;
    match_settings(e, past);
    const size_t rp = e->fs->n_regimes * e->n_sensors;
    e->offset = calloc(rp, sizeof(*e->offset));
    e->noise = calloc(rp, sizeof(*e->noise));
    e->slope = calloc(rp * e->n_settings + 1, sizeof(*e->slope));
    if (e->offset == NULL || e->noise == NULL || e->slope == NULL)
        return no_memory(err);
    st = gather(e, past, &r, err);
    if (st == FT_OK)
        st = fit_lines(e, &r, err);
    rows_clear(&r);
    return st;
}

enum ft_status health_expect_fit(const struct history *h, int64_t until_ms,
                                 struct health_expect **out, struct ft_err *err)
{
    *out = NULL;
    if (h->step_ms <= 0)
        return ft_fail(err, FT_TOO_FEW, "health index: class %s has no readings", h->class_name);
    struct health_expect *e = calloc(1, sizeof(*e));
    if (e == NULL)
        return no_memory(err);
    e->h = h;
    e->tick_ms = health_tick_ms(h);
    int64_t n = e->tick_ms / h->step_ms;
    n = n < 1 ? 1 : n > ROWS_PER_TICK ? ROWS_PER_TICK : n;
    while (e->tick_ms % n != 0)
        n--;
    e->row_ms = e->tick_ms / n;
    struct history past;
    enum ft_status st = view_open(h, until_ms, &past, err);
    if (st == FT_OK) {
        st = fit(e, &past, err);
        view_clear(&past);
    }
    if (st == FT_OK)
        *out = e;
    else
        health_expect_free(e);
    return st;
}

/* --- ticks --- */

static double residual(const struct health_expect *e, const struct rows *r, size_t i, size_t j)
{
    if (r->regime[i] == SIZE_MAX)
        return NAN;
    const size_t at = r->regime[i] * e->n_sensors + j;
    double v = r->x[i * e->n_sensors + j] - e->offset[at];
    for (size_t k = 0; k < e->n_settings; k++)
        v -= e->slope[at * e->n_settings + k] * r->s[i * e->n_settings + k];
    v = e->noise[at] > 0 ? v / e->noise[at] : NAN;
    return isfinite(v) ? fmax(-max_residual, fmin(max_residual, v)) : NAN;
}

enum ft_status health_expect_ticks(const struct health_expect *e, size_t asset, int64_t start_ms,
                                   size_t n_ticks, double *out, struct ft_err *err)
{
    const size_t per_tick = (size_t)(e->tick_ms / e->row_ms);
    const size_t least = per_tick / 10 + 1;
    struct rows r;
    double v[ROWS_PER_TICK + 1];
    const enum ft_status st = rows_open(e, n_ticks * per_tick, &r, err);
    if (st != FT_OK)
        return st;
    add_rows(e, e->h, asset, start_ms, n_ticks * per_tick, &r);
    for (size_t t = 0; t < n_ticks; t++)
        for (size_t j = 0; j < e->n_sensors; j++) {
            size_t n = 0;
            for (size_t i = t * per_tick; i < (t + 1) * per_tick; i++) {
                const double d = residual(e, &r, i, j);
                if (isfinite(d))
                    v[n++] = d;
            }
            out[t * e->n_sensors + j] = n >= least ? median(v, n) : NAN;
        }
    rows_clear(&r);
    return FT_OK;
}
