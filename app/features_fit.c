/* What a feature set learns from the training assets: windows from the data's own rhythm, operating
 * regimes of the settings, and the level at which a run-to-failure sensor stands when units fail.
 * Nothing of an asset outside the mask is looked at, but for the names of sensors, codes and
 * attributes. */
#include "app/base/clock.h"
#include "app/base/rng.h"
#include "app/features_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_POINTS = 20000,       /* settings looked at for regimes */
    MAX_DISCRETE = 12,        /* regimes that are found as separate points */
    N_CONTINUOUS = 6,         /* regimes when the settings spread evenly */
    MIN_REGIME_READINGS = 50, /* a regime with fewer uses the pooled statistics */
    LLOYD_ROUNDS = 30,
    LEVEL_READINGS = 8, /* last readings of a failed unit that make its failure level */
    MIN_LEVEL_UNITS = 3
};
/* Points nearer than this share of the range belong to one regime. */
static const double same_regime_frac = 0.05;
/* Regimes are kept when they explain at least this share of the variance of some sensor. */
static const double min_explained_frac = 0.1;
/* Settings further from every centre than this many times the furthest of the training data, and
 * than this share of the range, are a new regime. */
static const double new_regime_factor = 2, new_regime_frac = 0.1;

struct fit {
    const struct history *h;
    const bool *is_training; /* [n_assets], never NULL here */
    struct feature_set *fs;
    size_t *sensor; /* [fs->n_sensors] index into the history's sensors */
};

static enum ft_status no_memory(struct ft_err *err)
{
    return ft_fail(err, FT_NOMEM, "features: no memory to fit");
}

/* --- windows --- */

static void choose_windows(struct feature_set *fs, const struct history *h,
                           const struct feature_options *o)
{
    const bool is_coarse = h->step_ms > 6 * MS_PER_HOUR;
    fs->is_cycles = h->cycle_ms > 0;
    fs->unit_ms = fs->is_cycles ? h->cycle_ms : MS_PER_DAY;
    fs->step_ms = h->step_ms;
    if (fs->is_cycles || is_coarse) {
        static const int steps[] = {5, 20, 80, 160};
        static const int half_lives[] = {5, 10, 20, 40};
        fs->n_windows = o->is_rul ? 4 : 3;
        fs->n_means = o->is_rul ? 4 : 3;
        for (size_t k = 0; k < fs->n_windows; k++)
            fs->window_ms[k] = steps[k] * h->step_ms;
        for (size_t k = 0; k < fs->n_means; k++)
            fs->half_life_ms[k] = half_lives[k] * h->step_ms;
        fs->baseline_ms = 20 * h->step_ms;
        return;
    }
    static const int hours[] = {24, 72, 168, 720};
    static const int half_hours[] = {12, 72, 240};
    fs->n_windows = o->is_rul || o->horizon_ms > 7 * MS_PER_DAY ? 4 : 3;
    fs->n_means = 3;
    for (size_t k = 0; k < fs->n_windows; k++)
        fs->window_ms[k] = hours[k] * MS_PER_HOUR;
    for (size_t k = 0; k < fs->n_means; k++)
        fs->half_life_ms[k] = half_hours[k] * MS_PER_HOUR;
    fs->baseline_ms = 168 * MS_PER_HOUR;
}

/* --- lists --- */

/* True when the sensor takes at least two different values in training; a constant is no feature.
 */
static bool sensor_varies(const struct fit *f, size_t history_sensor)
{
    double first = NAN;
    for (size_t a = 0; a < f->h->n_assets; a++) {
        const struct readings *r = &f->h->assets[a].series[history_sensor];
        for (size_t k = 0; f->is_training[a] && k < r->n; k++) {
            if (!isfinite(r->value[k]))
                continue;
            if (isnan(first))
                first = r->value[k];
            else if (r->value[k] != first)
                return true;
        }
    }
    return false;
}

static enum ft_status list_sensors(struct fit *f, struct ft_err *err)
{
    const struct history *h = f->h;
    f->fs->sensors = calloc(h->n_sensors + 1, sizeof(*f->fs->sensors));
    f->sensor = calloc(h->n_sensors + 1, sizeof(*f->sensor));
    if (f->fs->sensors == NULL || f->sensor == NULL)
        return no_memory(err);
    for (size_t s = 0; s < h->n_sensors; s++) {
        if (!sensor_varies(f, s))
            continue;
        struct feature_sensor *out = &f->fs->sensors[f->fs->n_sensors];
        out->name = strdup(h->sensors[s].name);
        out->role = h->sensors[s].role;
        if (out->name == NULL)
            return no_memory(err);
        f->sensor[f->fs->n_sensors++] = s;
    }
    return FT_OK;
}

static bool is_number(const char *text)
{
    char *end;
    const double v = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(v);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A number column, up to FEATURE_MAX_CATEGORIES texts, or nothing (free text, or all the same). */
static enum ft_status list_attribute(struct fit *f, size_t index, struct ft_err *err)
{
    const struct history *h = f->h;
    const char *texts[FEATURE_MAX_CATEGORIES + 1];
    size_t n = 0;
    bool all_numbers = true;
    for (size_t a = 0; a < h->n_assets && n <= FEATURE_MAX_CATEGORIES; a++) {
        const char *value = h->assets[a].attributes[index];
        if (value == NULL || value[0] == '\0' || !f->is_training[a])
            continue;
        size_t k = 0;
        while (k < n && strcmp(texts[k], value) != 0)
            k++;
        if (k == n)
            texts[n++] = value;
        all_numbers = all_numbers && is_number(value);
    }
    for (size_t a = 0; a < h->n_assets && all_numbers; a++) {
        const char *value = h->assets[a].attributes[index];
        if (value != NULL && value[0] != '\0' && f->is_training[a])
            all_numbers = is_number(value);
    }
    if (n < 2 || (!all_numbers && n > FEATURE_MAX_CATEGORIES))
        return FT_OK;
    struct feature_attribute *out = &f->fs->attributes[f->fs->n_attributes];
    out->name = strdup(h->attribute_names[index]);
    if (out->name == NULL)
        return no_memory(err);
    f->fs->n_attributes++;
    out->is_number = all_numbers;
    if (all_numbers)
        return FT_OK;
    qsort(texts, n, sizeof(texts[0]), compare_texts);
    for (size_t k = 0; k < n; k++) {
        out->categories[k] = strdup(texts[k]);
        if (out->categories[k] == NULL)
            return no_memory(err);
        out->n_categories++;
    }
    return FT_OK;
}

static enum ft_status list_rest(struct fit *f, struct ft_err *err)
{
    const struct history *h = f->h;
    struct feature_set *fs = f->fs;
    fs->components = calloc(h->n_components + 1, sizeof(*fs->components));
    fs->codes = calloc(h->n_codes + 1, sizeof(*fs->codes));
    fs->attributes = calloc(h->n_attributes + 1, sizeof(*fs->attributes));
    if (fs->components == NULL || fs->codes == NULL || fs->attributes == NULL)
        return no_memory(err);
    for (size_t c = 0; c < h->n_components; c++) {
        fs->components[c].name = strdup(h->components[c].name);
        fs->components[c].has_renewals = h->components[c].has_renewals;
        if (fs->components[c].name == NULL)
            return no_memory(err);
        fs->n_components++;
    }
    for (size_t c = 0; c < h->n_codes; c++) {
        fs->codes[c] = strdup(h->codes[c]);
        if (fs->codes[c] == NULL)
            return no_memory(err);
        fs->n_codes++;
    }
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < h->n_attributes && st == FT_OK; i++)
        st = list_attribute(f, i, err);
    fs->event_start_ms = h->event_start_ms;
    /* Without a commissioning date the age would be the calendar; it is real for units that start
     * new and run to failure. */
    size_t n_dated = 0;
    for (size_t a = 0; a < h->n_assets; a++)
        n_dated += h->assets[a].commissioned_ms != DB_NO_TIME || h->assets[a].is_ended;
    fs->has_age = n_dated * 2 > h->n_assets;
    return st;
}

/* --- regimes --- */

/* Newest value of a series at or before ts, walking *k forward. */
static double value_at(const struct readings *r, size_t *k, int64_t ts_ms)
{
    while (*k < r->n && r->ts_ms[*k] <= ts_ms)
        (*k)++;
    return *k > 0 ? r->value[*k - 1] : NAN;
}

struct points {
    double *v; /* [n][n_settings] */
    size_t n, n_settings;
};

static size_t count_settings_readings(const struct fit *f)
{
    size_t n = 0;
    const size_t first = f->sensor[f->fs->setting[0]];
    for (size_t a = 0; a < f->h->n_assets; a++)
        if (f->is_training[a])
            n += f->h->assets[a].series[first].n;
    return n;
}

/* Settings of training assets at every n-th instant, so that at most MAX_POINTS remain. */
static enum ft_status gather_points(const struct fit *f, struct points *p, struct ft_err *err)
{
    const struct feature_set *fs = f->fs;
    const size_t every = count_settings_readings(f) / MAX_POINTS + 1;
    p->n = 0;
    p->n_settings = fs->n_settings;
    p->v = calloc((size_t)MAX_POINTS * fs->n_settings + f->h->n_assets * fs->n_settings,
                  sizeof(*p->v));
    if (p->v == NULL)
        return no_memory(err);
    for (size_t a = 0; a < f->h->n_assets; a++) {
        const struct history_asset *as = &f->h->assets[a];
        const struct readings *lead = &as->series[f->sensor[fs->setting[0]]];
        size_t at[FEATURES_MAX_SETTINGS] = {0};
        for (size_t k = 0; f->is_training[a] && k < lead->n; k += every) {
            double *row = p->v + p->n * fs->n_settings;
            bool is_whole = true;
            for (size_t j = 0; j < fs->n_settings; j++) {
                const struct readings *r = &as->series[f->sensor[fs->setting[j]]];
                row[j] = value_at(r, &at[j], lead->ts_ms[k]);
                is_whole = is_whole && isfinite(row[j]);
            }
            if (is_whole && p->n < MAX_POINTS)
                p->n++;
        }
    }
    return FT_OK;
}

static void scale_points(struct feature_set *fs, struct points *p)
{
    for (size_t j = 0; j < p->n_settings; j++) {
        double low = INFINITY;
        double high = -INFINITY;
        for (size_t i = 0; i < p->n; i++) {
            low = fmin(low, p->v[i * p->n_settings + j]);
            high = fmax(high, p->v[i * p->n_settings + j]);
        }
        fs->setting_min[j] = low;
        fs->setting_range[j] = high > low ? high - low : 1;
        for (size_t i = 0; i < p->n; i++)
            p->v[i * p->n_settings + j] =
                (p->v[i * p->n_settings + j] - low) / fs->setting_range[j];
    }
}

static double distance2(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++)
        sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
}

static size_t nearest_centre(const double *centres, size_t n_centres, size_t n, const double *x)
{
    size_t best = 0;
    double best_d = INFINITY;
    for (size_t r = 0; r < n_centres; r++) {
        const double d = distance2(centres + r * n, x, n);
        if (d < best_d) {
            best_d = d;
            best = r;
        }
    }
    return best;
}

/* Farthest-point start: settings that take few values are found exactly; a range that is filled
 * evenly never gets near, and is cut into N_CONTINUOUS parts. Returns the number of centres. */
static size_t start_centres(const struct points *p, double *centres, double *nearest)
{
    const size_t d = p->n_settings;
    size_t n = 1;
    memcpy(centres, p->v, d * sizeof(double));
    for (size_t i = 0; i < p->n; i++)
        nearest[i] = INFINITY;
    while (n <= MAX_DISCRETE) {
        size_t far = 0;
        for (size_t i = 0; i < p->n; i++) {
            nearest[i] = fmin(nearest[i], distance2(centres + (n - 1) * d, p->v + i * d, d));
            if (nearest[i] > nearest[far])
                far = i;
        }
        if (nearest[far] < same_regime_frac * same_regime_frac)
            return n;
        if (n == MAX_DISCRETE)
            break;
        memcpy(centres + n * d, p->v + far * d, d * sizeof(double));
        n++;
    }
    return N_CONTINUOUS;
}

/* Lloyd's algorithm; sums in row order, so the same on every machine. */
static enum ft_status move_centres(const struct points *p, double *centres, size_t n_centres,
                                   struct ft_err *err)
{
    const size_t d = p->n_settings;
    double *sums = calloc(n_centres * (d + 1), sizeof(*sums));
    if (sums == NULL)
        return no_memory(err);
    for (size_t round = 0; round < LLOYD_ROUNDS; round++) {
        bool has_moved = false;
        memset(sums, 0, n_centres * (d + 1) * sizeof(*sums));
        for (size_t i = 0; i < p->n; i++) {
            double *sum = sums + nearest_centre(centres, n_centres, d, p->v + i * d) * (d + 1);
            for (size_t j = 0; j < d; j++)
                sum[j] += p->v[i * d + j];
            sum[d] += 1;
        }
        for (size_t r = 0; r < n_centres; r++)
            for (size_t j = 0; j < d && sums[r * (d + 1) + d] > 0; j++) {
                const double moved = sums[r * (d + 1) + j] / sums[r * (d + 1) + d];
                has_moved = has_moved || fabs(moved - centres[r * d + j]) > 1e-9;
                centres[r * d + j] = moved;
            }
        if (!has_moved)
            break;
    }
    free(sums);
    return FT_OK;
}

size_t features_regime(const struct feature_set *fs, const double *settings)
{
    double scaled[FEATURES_MAX_SETTINGS];
    for (size_t j = 0; j < fs->n_settings; j++) {
        if (!isfinite(settings[j]))
            return SIZE_MAX;
        scaled[j] = (settings[j] - fs->setting_min[j]) / fs->setting_range[j];
    }
    const size_t r = nearest_centre(fs->centres, fs->n_regimes, fs->n_settings, scaled);
    const double d2 = distance2(fs->centres + r * fs->n_settings, scaled, fs->n_settings);
    return sqrt(d2) <= fs->regime_reach ? r : SIZE_MAX;
}

static void fit_reach(struct feature_set *fs, const struct points *p)
{
    double furthest = 0;
    for (size_t i = 0; i < p->n; i++) {
        const double *x = p->v + i * p->n_settings;
        const size_t r = nearest_centre(fs->centres, fs->n_regimes, p->n_settings, x);
        furthest = fmax(furthest, distance2(fs->centres + r * p->n_settings, x, p->n_settings));
    }
    fs->regime_reach = fmax(new_regime_frac, new_regime_factor * sqrt(furthest));
}

/* Sums of one sensor over the regimes; regime n_regimes is the pool of all. */
static void sum_by_regime(const struct fit *f, size_t sensor, double *sums, double *explained)
{
    const struct feature_set *fs = f->fs;
    const size_t n = fs->n_regimes;
    double shift = NAN; /* keeps squares small */
    memset(sums, 0, 3 * (n + 1) * sizeof(*sums));
    for (size_t a = 0; a < f->h->n_assets; a++) {
        const struct history_asset *as = &f->h->assets[a];
        const struct readings *r = &as->series[f->sensor[sensor]];
        size_t at[FEATURES_MAX_SETTINGS] = {0};
        for (size_t k = 0; f->is_training[a] && k < r->n; k++) {
            double settings[FEATURES_MAX_SETTINGS];
            if (!isfinite(r->value[k]))
                continue;
            for (size_t j = 0; j < fs->n_settings; j++)
                settings[j] = value_at(&as->series[f->sensor[fs->setting[j]]], &at[j], r->ts_ms[k]);
            const size_t regime = features_regime(fs, settings);
            if (isnan(shift))
                shift = r->value[k];
            const double v = r->value[k] - shift;
            for (size_t pass = 0; pass < 2; pass++) {
                const size_t to = pass == 0 ? n : regime;
                if (to == SIZE_MAX)
                    continue;
                sums[3 * to] += 1;
                sums[3 * to + 1] += v;
                sums[3 * to + 2] += v * v;
            }
        }
    }
    double within = 0;
    double known = 0;
    for (size_t i = 0; i <= n; i++) {
        const double count = sums[3 * i];
        const double mean = count > 0 ? sums[3 * i + 1] / count : 0;
        const double var = count > 0 ? fmax(0, sums[3 * i + 2] / count - mean * mean) : 0;
        if (i < n) {
            within += var * count;
            known += count;
        } else if (known > 0 && var > 0) {
            *explained = fmax(*explained, 1 - within / known / var);
        }
        sums[3 * i + 1] = mean + (isnan(shift) ? 0 : shift);
        sums[3 * i + 2] = sqrt(var);
    }
}

static enum ft_status fit_regime_statistics(struct fit *f, double *explained, struct ft_err *err)
{
    struct feature_set *fs = f->fs;
    double *sums = calloc(3 * (fs->n_regimes + 1), sizeof(*sums));
    enum ft_status st = sums == NULL ? no_memory(err) : FT_OK;
    *explained = 0;
    for (size_t i = 0; i < fs->n_sensors && st == FT_OK; i++) {
        struct feature_sensor *s = &fs->sensors[i];
        if (s->role != SENSOR_ROLE_SENSOR)
            continue;
        s->mean = calloc(fs->n_regimes, sizeof(*s->mean));
        s->std = calloc(fs->n_regimes, sizeof(*s->std));
        if (s->mean == NULL || s->std == NULL) {
            st = no_memory(err);
            break;
        }
        sum_by_regime(f, i, sums, explained);
        const double *pool = sums + 3 * fs->n_regimes;
        for (size_t r = 0; r < fs->n_regimes; r++) {
            const double *from = sums[3 * r] >= MIN_REGIME_READINGS ? sums + 3 * r : pool;
            s->mean[r] = from[1];
            /* A sensor that stands still in a regime says nothing there: z = 0 for its value. */
            s->std[r] = from[2] > 1e-9 * (1 + fabs(from[1])) ? from[2] : 1;
        }
    }
    free(sums);
    return st;
}

static void drop_regimes(struct feature_set *fs)
{
    for (size_t i = 0; i < fs->n_sensors; i++) {
        free(fs->sensors[i].mean);
        free(fs->sensors[i].std);
        fs->sensors[i].mean = fs->sensors[i].std = NULL;
    }
    fs->n_regimes = 1;
    fs->n_settings = 0;
}

static enum ft_status fit_regimes(struct fit *f, struct ft_err *err)
{
    struct feature_set *fs = f->fs;
    struct points p = {0};
    double *nearest = NULL;
    double explained = 0;
    fs->n_regimes = 1;
    fs->setting = calloc(FEATURES_MAX_SETTINGS, sizeof(*fs->setting));
    fs->setting_min = calloc(FEATURES_MAX_SETTINGS, sizeof(*fs->setting_min));
    fs->setting_range = calloc(FEATURES_MAX_SETTINGS, sizeof(*fs->setting_range));
    if (fs->setting == NULL || fs->setting_min == NULL || fs->setting_range == NULL)
        return no_memory(err);
    for (size_t i = 0; i < fs->n_sensors && fs->n_settings < FEATURES_MAX_SETTINGS; i++)
        if (fs->sensors[i].role == SENSOR_ROLE_SETTING)
            fs->setting[fs->n_settings++] = i;
    if (fs->n_settings == 0)
        return FT_OK;
    enum ft_status st = gather_points(f, &p, err);
    if (st != FT_OK || p.n < (size_t)4 * MIN_REGIME_READINGS) {
        fs->n_settings = 0;
        goto out;
    }
    scale_points(fs, &p);
    nearest = calloc(p.n, sizeof(*nearest));
    fs->centres = calloc((MAX_DISCRETE + 1) * fs->n_settings, sizeof(*fs->centres));
    if (nearest == NULL || fs->centres == NULL) {
        st = no_memory(err);
        goto out;
    }
    fs->n_regimes = start_centres(&p, fs->centres, nearest);
    st = move_centres(&p, fs->centres, fs->n_regimes, err);
    fit_reach(fs, &p);
    if (st == FT_OK && fs->n_regimes > 1)
        st = fit_regime_statistics(f, &explained, err);
    if (st == FT_OK && explained < min_explained_frac)
        drop_regimes(fs);
out:
    free(nearest);
    free(p.v);
    return st;
}

/* --- levels of run-to-failure units --- */

static int compare_doubles(const void *pa, const void *pb)
{
    const double a = *(const double *)pa;
    const double b = *(const double *)pb;
    return a < b ? -1 : a > b;
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof(*v), compare_doubles);
    return n % 2 == 1 ? v[n / 2] : 0.5 * (v[n / 2 - 1] + v[n / 2]);
}

struct unit_levels {
    double start, end, noise;
};

/* Mean of the first and last readings of a unit and the noise between neighbours, in the unit of
 * the normalised value. False when there are too few readings. */
static bool unit_levels(const struct fit *f, size_t sensor, const struct history_asset *as,
                        struct unit_levels *out)
{
    const struct feature_set *fs = f->fs;
    const struct feature_sensor *s = &fs->sensors[sensor];
    const struct readings *r = &as->series[f->sensor[sensor]];
    const size_t n_start = 2 * LEVEL_READINGS;
    size_t at[FEATURES_MAX_SETTINGS] = {0};
    double start = 0;
    double end = 0;
    double squares = 0;
    double before = 0;
    if (r->n < 4 * (size_t)LEVEL_READINGS)
        return false;
    for (size_t k = 0; k < r->n; k++) {
        double v = r->value[k];
        if (s->mean != NULL) {
            double settings[FEATURES_MAX_SETTINGS];
            for (size_t j = 0; j < fs->n_settings; j++)
                settings[j] = value_at(&as->series[f->sensor[fs->setting[j]]], &at[j], r->ts_ms[k]);
            const size_t regime = features_regime(fs, settings);
            if (regime == SIZE_MAX)
                return false;
            v = (v - s->mean[regime]) / s->std[regime];
        }
        if (!isfinite(v))
            return false;
        if (k < n_start)
            start += v / (double)n_start;
        if (k + LEVEL_READINGS >= r->n)
            end += v / LEVEL_READINGS;
        if (k > 0)
            squares += (v - before) * (v - before);
        before = v;
    }
    *out = (struct unit_levels){start, end, sqrt(squares / 2 / (double)(r->n - 1))};
    return true;
}

/* Level of a sensor when units fail, kept when it stands clear of the start by its noise. */
static enum ft_status fit_levels(struct fit *f, struct ft_err *err)
{
    const struct history *h = f->h;
    double *v = calloc(3 * h->n_assets, sizeof(*v));
    if (v == NULL)
        return no_memory(err);
    for (size_t i = 0; i < f->fs->n_sensors; i++) {
        struct feature_sensor *s = &f->fs->sensors[i];
        size_t n = 0;
        for (size_t a = 0; s->role == SENSOR_ROLE_SENSOR && a < h->n_assets; a++) {
            struct unit_levels u;
            if (!f->is_training[a] || !h->assets[a].is_ended ||
                !unit_levels(f, i, &h->assets[a], &u))
                continue;
            v[n] = u.start;
            v[h->n_assets + n] = u.end;
            v[2 * h->n_assets + n] = u.noise;
            n++;
        }
        if (n < MIN_LEVEL_UNITS)
            continue;
        s->start_level = median(v, n);
        s->failure_level = median(v + h->n_assets, n);
        s->noise = median(v + 2 * h->n_assets, n);
        s->has_levels = fabs(s->failure_level - s->start_level) > 0.5 * s->noise &&
                        s->failure_level != s->start_level;
    }
    free(v);
    return FT_OK;
}

enum ft_status features_fit(const struct history *h, const bool *is_training,
                            const struct feature_options *o, struct feature_set **out,
                            struct ft_err *err)
{
    *out = NULL;
    bool *mask = calloc(h->n_assets + 1, sizeof(*mask));
    struct feature_set *fs = calloc(1, sizeof(*fs));
    struct fit f = {.h = h, .is_training = mask, .fs = fs};
    enum ft_status st = mask == NULL || fs == NULL ? no_memory(err) : FT_OK;
    if (st != FT_OK)
        goto out;
    for (size_t a = 0; a < h->n_assets; a++)
        mask[a] = is_training != NULL ? is_training[a] : !h->assets[a].is_held_out;
    fs->view = o->view;
    choose_windows(fs, h, o);
    st = list_sensors(&f, err);
    if (st == FT_OK)
        st = list_rest(&f, err);
    if (st == FT_OK)
        st = fit_regimes(&f, err);
    if (st == FT_OK && o->view == FEATURE_VIEW_HEALTH)
        st = features_health_fit(h, mask, fs, err);
    else if (st == FT_OK && o->is_rul)
        st = fit_levels(&f, err);
    if (st == FT_OK)
        st = features_name_columns(fs, err);
    if (st != FT_OK)
        goto out;
    *out = fs;
    fs = NULL;
out:
    features_free(fs);
    free(f.sensor);
    free(mask);
    return st;
}
