/* Definition of a feature set: columns and their names, JSON. The order of the columns is fixed by
 * features_name_columns(); features_compute.c fills them in the same order. */
#include "app/features.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/features_private.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEATURES_VERSION = 1, MAX_LIST = 20000, MAX_NUMBERS = 1 << 18 };

void features_free(struct feature_set *fs)
{
    if (fs == NULL)
        return;
    for (size_t i = 0; i < fs->n_sensors; i++) {
        free(fs->sensors[i].name);
        free(fs->sensors[i].mean);
        free(fs->sensors[i].std);
    }
    for (size_t i = 0; i < fs->n_components; i++)
        free(fs->components[i].name);
    for (size_t i = 0; i < fs->n_codes; i++)
        free(fs->codes[i]);
    for (size_t i = 0; i < fs->n_attributes; i++) {
        free(fs->attributes[i].name);
        for (size_t k = 0; k < fs->attributes[i].n_categories; k++)
            free(fs->attributes[i].categories[k]);
    }
    for (size_t i = 0; i < fs->n; i++)
        free(fs->infos[i].name);
    free(fs->sensors);
    free(fs->components);
    free(fs->codes);
    free(fs->attributes);
    free(fs->setting);
    free(fs->setting_min);
    free(fs->setting_range);
    free(fs->centres);
    for (size_t i = 0; i < fs->n_health; i++)
        health_free(fs->health[i]);
    free(fs->health_sensor);
    free(fs->infos);
    free(fs);
}

bool features_are_fitted(const struct feature_set *fs)
{
    if (fs->n_regimes > 1 || fs->n_health > 0)
        return true;
    for (size_t i = 0; i < fs->n_sensors; i++)
        if (fs->sensors[i].has_levels)
            return true;
    return false;
}

int64_t features_longest_ms(const struct feature_set *fs)
{
    return fs->n_windows > 0 ? fs->window_ms[fs->n_windows - 1] : 0;
}

void features_duration_text(const struct feature_set *fs, int64_t dur_ms, char *out, size_t size)
{
    if (fs->is_cycles)
        (void)snprintf(out, size, "%.0f cycles", (double)dur_ms / (double)fs->unit_ms);
    else if (dur_ms < MS_PER_HOUR)
        (void)snprintf(out, size, "%.0f min", (double)dur_ms / (double)MS_PER_MINUTE);
    else if (dur_ms <= 7 * MS_PER_DAY)
        (void)snprintf(out, size, "%.0f h", (double)dur_ms / (double)MS_PER_HOUR);
    else
        (void)snprintf(out, size, "%.0f d", (double)dur_ms / (double)MS_PER_DAY);
}

/* --- columns --- */

void features_add_column(struct feature_names *n, enum feature_source source, size_t index,
                         const char *fmt, ...)
{
    struct feature_set *fs = n->fs;
    char text[320];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (fs->n == n->cap) {
        const size_t cap = n->cap == 0 ? 64 : n->cap * 2;
        struct feature_info *grown = realloc(fs->infos, cap * sizeof(*grown));
        if (grown == NULL) {
            n->is_full = true;
            return;
        }
        fs->infos = grown;
        n->cap = cap;
    }
    char *name = strdup(text);
    if (name == NULL) {
        n->is_full = true;
        return;
    }
    fs->infos[fs->n++] = (struct feature_info){.name = name, .source = source, .index = index};
}

static void name_sensor(struct feature_names *n, size_t i)
{
    const struct feature_set *fs = n->fs;
    const struct feature_sensor *s = &fs->sensors[i];
    const char *regime = s->mean != NULL ? " for its regime" : "";
    char w[32];
    features_add_column(n, FEATURE_SENSOR, i, "%.150s%s: last", s->name, regime);
    for (size_t k = 0; k < fs->n_windows; k++) {
        static const char *const parts[] = {"mean", "spread", "lowest", "highest", "slope"};
        features_duration_text(fs, fs->window_ms[k], w, sizeof(w));
        for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++)
            features_add_column(n, FEATURE_SENSOR, i, "%.150s%s: %s %s", s->name, regime, parts[p],
                                w);
    }
    for (size_t k = 0; k < fs->n_means; k++) {
        features_duration_text(fs, fs->half_life_ms[k], w, sizeof(w));
        features_add_column(n, FEATURE_SENSOR, i, "%.150s%s: fading mean, half-life %s", s->name,
                            regime, w);
    }
    features_add_column(n, FEATURE_SENSOR, i, "%.150s%s: change from its own baseline", s->name,
                        regime);
    features_add_column(n, FEATURE_SENSOR, i, "%.150s%s: change since the last replacement",
                        s->name, regime);
    features_add_column(n, FEATURE_SENSOR, i, "%.150s%s: highest fading mean so far", s->name,
                        regime);
    features_add_column(n, FEATURE_SENSOR, i, "%.150s%s: lowest fading mean so far", s->name,
                        regime);
    features_add_column(n, FEATURE_SENSOR, i, "%.150s%s: slope since the beginning", s->name,
                        regime);
    if (!s->has_levels)
        return;
    features_add_column(n, FEATURE_SENSOR, i, "%.150s%s: time to failure level at present slope",
                        s->name, regime);
    for (size_t k = 0; k < FEATURE_N_FRACTIONS; k++)
        features_add_column(n, FEATURE_SENSOR, i,
                            "%.150s%s: time since below %zu %% of failure level", s->name, regime,
                            10 * (k + 1));
}

static void name_setting(struct feature_names *n, size_t i)
{
    const struct feature_set *fs = n->fs;
    char w[32];
    features_add_column(n, FEATURE_SETTING, i, "%.150s: last", fs->sensors[i].name);
    for (size_t k = 0; k < fs->n_windows; k++) {
        features_duration_text(fs, fs->window_ms[k], w, sizeof(w));
        features_add_column(n, FEATURE_SETTING, i, "%.150s: mean %s", fs->sensors[i].name, w);
    }
}

static void name_meter(struct feature_names *n, size_t i)
{
    const struct feature_set *fs = n->fs;
    char w[32];
    features_add_column(n, FEATURE_METER, i, "%.150s: last", fs->sensors[i].name);
    for (size_t k = 0; k < fs->n_windows; k++) {
        features_duration_text(fs, fs->window_ms[k], w, sizeof(w));
        features_add_column(n, FEATURE_METER, i, "%.150s: rate %s", fs->sensors[i].name, w);
    }
    features_add_column(n, FEATURE_METER, i, "%.150s: since the last replacement",
                        fs->sensors[i].name);
}

static void name_alarms(struct feature_names *n)
{
    const struct feature_set *fs = n->fs;
    const char *unit = fs->is_cycles ? "cycles" : "days";
    char w[32];
    if (fs->n_codes == 0)
        return;
    for (size_t c = 0; c <= fs->n_codes; c++) {
        const char *code = c < fs->n_codes ? fs->codes[c] : "all alarms";
        for (size_t k = 0; k < fs->n_windows; k++) {
            features_duration_text(fs, fs->window_ms[k], w, sizeof(w));
            features_add_column(n, FEATURE_ALARM, c, "%.150s: number in %s", code, w);
        }
        features_add_column(n, FEATURE_ALARM, c, "%.150s: %s since the last", code, unit);
    }
}

enum ft_status features_name_columns(struct feature_set *fs, struct ft_err *err)
{
    struct feature_names n = {.fs = fs};
    const char *unit = fs->is_cycles ? "cycles" : "days";
    for (size_t i = 0; i < fs->n_sensors; i++) {
        if (fs->sensors[i].role == SENSOR_ROLE_METER)
            name_meter(&n, i);
        else if (fs->view == FEATURE_VIEW_HEALTH)
            continue;
        else if (fs->sensors[i].role == SENSOR_ROLE_SENSOR)
            name_sensor(&n, i);
        else
            name_setting(&n, i);
    }
    features_health_name(&n);
    name_alarms(&n);
    for (size_t i = 0; i < fs->n_components; i++)
        features_add_column(&n, FEATURE_COMPONENT, i, "%.150s: %s since renewed",
                            fs->components[i].name, unit);
    features_add_column(&n, FEATURE_EVENT, 0, "%s since the last failure", unit);
    features_add_column(&n, FEATURE_EVENT, 1, "%s since the last repair", unit);
    features_add_column(&n, FEATURE_EVENT, 2, "%s since the last inspection", unit);
    if (fs->has_age)
        features_add_column(&n, FEATURE_AGE, 0, "age in %s", unit);
    for (size_t i = 0; i < fs->n_attributes; i++) {
        const struct feature_attribute *a = &fs->attributes[i];
        if (a->is_number)
            features_add_column(&n, FEATURE_ATTRIBUTE, i, "%.150s", a->name);
        for (size_t k = 0; k < a->n_categories; k++)
            features_add_column(&n, FEATURE_ATTRIBUTE, i, "%.120s is %.120s", a->name,
                                a->categories[k]);
    }
    if (n.is_full)
        return ft_fail(err, FT_NOMEM, "features: no memory for column names");
    return FT_OK;
}

/* --- JSON --- */

void features_put_numbers(cJSON *to, const char *key, const double *v, size_t n)
{
    cJSON *list = json_add_array(to, key);
    for (size_t i = 0; i < n; i++)
        json_add_number(list, NULL, v[i]);
}

static void put_instants(cJSON *to, const char *key, const int64_t *v, size_t n)
{
    cJSON *list = json_add_array(to, key);
    for (size_t i = 0; i < n; i++)
        json_add_int(list, NULL, v[i]);
}

static const char *const role_names[] = {"sensor", "setting", "meter"};

static void put_sensors(cJSON *json, const struct feature_set *fs)
{
    cJSON *list = json_add_array(json, "sensors");
    for (size_t i = 0; i < fs->n_sensors; i++) {
        const struct feature_sensor *s = &fs->sensors[i];
        cJSON *o = json_add_object(list, NULL);
        json_add_string(o, "name", s->name);
        json_add_string(o, "role", role_names[s->role]);
        if (s->has_levels) {
            json_add_number(o, "start_level", s->start_level);
            json_add_number(o, "failure_level", s->failure_level);
            json_add_number(o, "noise", s->noise);
        }
        if (s->mean != NULL) {
            features_put_numbers(o, "mean", s->mean, fs->n_regimes);
            features_put_numbers(o, "std", s->std, fs->n_regimes);
        }
    }
}

static void put_lists(cJSON *json, const struct feature_set *fs)
{
    cJSON *list = json_add_array(json, "components");
    for (size_t i = 0; i < fs->n_components; i++) {
        cJSON *o = json_add_object(list, NULL);
        json_add_string(o, "name", fs->components[i].name);
        json_add_bool(o, "has_renewals", fs->components[i].has_renewals);
    }
    list = json_add_array(json, "codes");
    for (size_t i = 0; i < fs->n_codes; i++)
        json_add_string(list, NULL, fs->codes[i]);
    list = json_add_array(json, "attributes");
    for (size_t i = 0; i < fs->n_attributes; i++) {
        const struct feature_attribute *a = &fs->attributes[i];
        cJSON *o = json_add_object(list, NULL);
        json_add_string(o, "name", a->name);
        json_add_bool(o, "is_number", a->is_number);
        cJSON *categories = json_add_array(o, "categories");
        for (size_t k = 0; k < a->n_categories; k++)
            json_add_string(categories, NULL, a->categories[k]);
    }
}

cJSON *features_to_json(const struct feature_set *fs)
{
    cJSON *json = cJSON_CreateObject();
    if (json == NULL)
        return NULL;
    json_add_int(json, "version", FEATURES_VERSION);
    json_add_int(json, "unit_ms", fs->unit_ms);
    json_add_bool(json, "is_cycles", fs->is_cycles);
    json_add_int(json, "step_ms", fs->step_ms);
    json_add_bool(json, "has_age", fs->has_age);
    if (fs->event_start_ms != DB_NO_TIME)
        json_add_int(json, "event_start_ms", fs->event_start_ms);
    json_add_int(json, "baseline_ms", fs->baseline_ms);
    put_instants(json, "window_ms", fs->window_ms, fs->n_windows);
    put_instants(json, "half_life_ms", fs->half_life_ms, fs->n_means);
    put_sensors(json, fs);
    put_lists(json, fs);
    if (fs->n_regimes > 1) {
        cJSON *r = json_add_object(json, "regimes");
        json_add_int(r, "n", (int64_t)fs->n_regimes);
        cJSON *settings = json_add_array(r, "settings");
        for (size_t i = 0; i < fs->n_settings; i++)
            json_add_int(settings, NULL, (int64_t)fs->setting[i]);
        features_put_numbers(r, "min", fs->setting_min, fs->n_settings);
        features_put_numbers(r, "range", fs->setting_range, fs->n_settings);
        features_put_numbers(r, "centres", fs->centres, fs->n_regimes * fs->n_settings);
        if (isfinite(fs->regime_reach)) /* infinite: a file from before it was kept */
            json_add_number(r, "reach", fs->regime_reach);
    }
    features_health_to_json(json, fs);
    cJSON *names = json_add_array(json, "names");
    for (size_t i = 0; i < fs->n; i++)
        json_add_string(names, NULL, fs->infos[i].name);
    return json;
}

/* Reads exactly want numbers (SIZE_MAX = any number up to MAX_NUMBERS); *out is allocated. */
enum ft_status features_get_numbers(const cJSON *o, const char *key, size_t want, double **out,
                                    size_t *n, struct ft_err *err)
{
    const cJSON *list;
    enum ft_status st = json_array(o, key, true, &list, err);
    if (st != FT_OK)
        return st;
    const size_t size = (size_t)cJSON_GetArraySize(list);
    if (size > MAX_NUMBERS || (want != SIZE_MAX && size != want))
        return ft_fail(err, FT_INVALID, "features: \"%s\" has %zu numbers", key, size);
    double *v = calloc(size + 1, sizeof(*v));
    if (v == NULL)
        return ft_fail(err, FT_NOMEM, "features: no memory");
    size_t i = 0;
    const cJSON *item;
    cJSON_ArrayForEach (item, list) {
        if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble)) {
            free(v);
            return ft_fail(err, FT_INVALID, "features: \"%s\" holds something not a number", key);
        }
        v[i++] = item->valuedouble;
    }
    free(*out);
    *out = v;
    if (n != NULL)
        *n = size;
    return FT_OK;
}

static enum ft_status get_durations(const cJSON *o, const char *key, size_t max, int64_t *out,
                                    size_t *n, struct ft_err *err)
{
    double *v = NULL;
    size_t size = 0;
    enum ft_status st = features_get_numbers(o, key, SIZE_MAX, &v, &size, err);
    if (st == FT_OK && size > max)
        st = ft_fail(err, FT_INVALID, "features: \"%s\" has %zu entries, at most %zu", key, size,
                     max);
    for (size_t i = 0; i < size && st == FT_OK; i++) {
        if (!(v[i] >= 1 && v[i] < 0x1p53) || (i > 0 && v[i] <= v[i - 1]))
            st = ft_fail(err, FT_INVALID, "features: \"%s\" must rise and be positive", key);
        else
            out[i] = (int64_t)v[i];
    }
    if (st == FT_OK)
        *n = size;
    free(v);
    return st;
}

static enum ft_status get_name(const cJSON *o, char **out, struct ft_err *err)
{
    const char *text = NULL;
    enum ft_status st = json_string(o, "name", true, &text, err);
    if (st != FT_OK)
        return st;
    *out = strdup(text);
    return *out != NULL ? FT_OK : ft_fail(err, FT_NOMEM, "features: no memory");
}

/* Array of objects under key with room for n+1 items of the given size in *items. */
static enum ft_status get_list(const cJSON *json, const char *key, size_t size, void **items,
                               const cJSON **list, struct ft_err *err)
{
    enum ft_status st = json_array(json, key, true, list, err);
    if (st != FT_OK)
        return st;
    const size_t n = (size_t)cJSON_GetArraySize(*list);
    if (n > MAX_LIST)
        return ft_fail(err, FT_INVALID, "features: \"%s\" has %zu entries", key, n);
    *items = calloc(n + 1, size);
    return *items != NULL ? FT_OK : ft_fail(err, FT_NOMEM, "features: no memory");
}

static enum ft_status get_sensor(const cJSON *o, struct feature_set *fs, struct ft_err *err)
{
    struct feature_sensor *s = &fs->sensors[fs->n_sensors];
    const char *role = NULL;
    enum ft_status st = get_name(o, &s->name, err);
    if (st != FT_OK)
        return st;
    fs->n_sensors++;
    st = json_string(o, "role", true, &role, err);
    if (st != FT_OK)
        return st;
    size_t r = 0;
    while (r < 3 && strcmp(role_names[r], role) != 0)
        r++;
    if (r == 3)
        return ft_fail(err, FT_INVALID, "features: sensor role \"%.40s\"", role);
    s->role = (enum sensor_role)r;
    if (json_get(o, "failure_level") != NULL) {
        s->has_levels = true;
        st = json_number(o, "start_level", true, &s->start_level, err);
        if (st == FT_OK)
            st = json_number(o, "failure_level", true, &s->failure_level, err);
        if (st == FT_OK)
            st = json_number(o, "noise", true, &s->noise, err);
        if (st == FT_OK && s->start_level == s->failure_level)
            st = ft_fail(err, FT_INVALID, "features: sensor %.80s has equal levels", s->name);
    }
    if (st == FT_OK && json_get(o, "mean") != NULL) {
        st = features_get_numbers(o, "mean", fs->n_regimes, &s->mean, NULL, err);
        if (st == FT_OK)
            st = features_get_numbers(o, "std", fs->n_regimes, &s->std, NULL, err);
        for (size_t i = 0; i < fs->n_regimes && st == FT_OK; i++)
            if (!(s->std[i] > 0))
                st = ft_fail(err, FT_INVALID, "features: sensor %.80s has no spread", s->name);
    }
    return st;
}

static enum ft_status get_regimes(const cJSON *json, struct feature_set *fs, struct ft_err *err)
{
    const cJSON *r = json_get(json, "regimes");
    int64_t n = 1;
    double *settings = NULL;
    fs->n_regimes = 1;
    if (r == NULL)
        return FT_OK;
    enum ft_status st = json_int(r, "n", true, 2, 64, &n, err);
    if (st == FT_OK)
        st = features_get_numbers(r, "settings", SIZE_MAX, &settings, &fs->n_settings, err);
    if (st == FT_OK && fs->n_settings == 0)
        st = ft_fail(err, FT_INVALID, "features: regimes without settings");
    if (st == FT_OK)
        st = features_get_numbers(r, "min", fs->n_settings, &fs->setting_min, NULL, err);
    if (st == FT_OK)
        st = features_get_numbers(r, "range", fs->n_settings, &fs->setting_range, NULL, err);
    if (st == FT_OK)
        st =
            features_get_numbers(r, "centres", fs->n_settings * (size_t)n, &fs->centres, NULL, err);
    fs->regime_reach = INFINITY; /* a file from before it was kept */
    if (st == FT_OK && json_get(r, "reach") != NULL)
        st = json_number(r, "reach", true, &fs->regime_reach, err);
    if (st == FT_OK && !(fs->regime_reach > 0))
        st = ft_fail(err, FT_INVALID, "features: the reach of a regime must be positive");
    if (st == FT_OK) {
        fs->n_regimes = (size_t)n;
        fs->setting = calloc(fs->n_settings, sizeof(*fs->setting));
        if (fs->setting == NULL)
            st = ft_fail(err, FT_NOMEM, "features: no memory");
    }
    for (size_t i = 0; i < fs->n_settings && st == FT_OK; i++) {
        if (!(settings[i] >= 0 && settings[i] < MAX_LIST) || !(fs->setting_range[i] > 0))
            st = ft_fail(err, FT_INVALID, "features: bad setting in regimes");
        else
            fs->setting[i] = (size_t)settings[i];
    }
    free(settings);
    return st;
}

static enum ft_status get_attribute(const cJSON *o, struct feature_set *fs, struct ft_err *err)
{
    struct feature_attribute *a = &fs->attributes[fs->n_attributes];
    const cJSON *categories;
    enum ft_status st = get_name(o, &a->name, err);
    if (st != FT_OK)
        return st;
    fs->n_attributes++;
    st = json_bool(o, "is_number", true, &a->is_number, err);
    if (st == FT_OK)
        st = json_array(o, "categories", true, &categories, err);
    if (st != FT_OK)
        return st;
    const cJSON *item;
    cJSON_ArrayForEach (item, categories) {
        if (!cJSON_IsString(item) || a->n_categories == FEATURE_MAX_CATEGORIES)
            return ft_fail(err, FT_INVALID, "features: bad categories of %.80s", a->name);
        a->categories[a->n_categories] = strdup(item->valuestring);
        if (a->categories[a->n_categories] == NULL)
            return ft_fail(err, FT_NOMEM, "features: no memory");
        a->n_categories++;
    }
    return FT_OK;
}

static enum ft_status get_lists(const cJSON *json, struct feature_set *fs, struct ft_err *err)
{
    const cJSON *list;
    const cJSON *item;
    enum ft_status st =
        get_list(json, "sensors", sizeof(*fs->sensors), (void **)&fs->sensors, &list, err);
    if (st != FT_OK)
        return st;
    cJSON_ArrayForEach (item, list) {
        if (st == FT_OK)
            st = get_sensor(item, fs, err);
    }
    if (st == FT_OK)
        st = get_list(json, "components", sizeof(*fs->components), (void **)&fs->components, &list,
                      err);
    if (st != FT_OK)
        return st;
    cJSON_ArrayForEach (item, list) {
        struct feature_component *c = &fs->components[fs->n_components];
        if (st == FT_OK)
            st = get_name(item, &c->name, err);
        if (st != FT_OK)
            return st;
        fs->n_components++;
        st = json_bool(item, "has_renewals", true, &c->has_renewals, err);
    }
    if (st == FT_OK)
        st = get_list(json, "codes", sizeof(*fs->codes), (void **)&fs->codes, &list, err);
    if (st != FT_OK)
        return st;
    cJSON_ArrayForEach (item, list) {
        fs->codes[fs->n_codes] = cJSON_IsString(item) ? strdup(item->valuestring) : NULL;
        if (fs->codes[fs->n_codes] == NULL)
            return ft_fail(err, FT_INVALID, "features: codes must be texts");
        fs->n_codes++;
    }
    st =
        get_list(json, "attributes", sizeof(*fs->attributes), (void **)&fs->attributes, &list, err);
    if (st != FT_OK)
        return st;
    cJSON_ArrayForEach (item, list) {
        if (st == FT_OK)
            st = get_attribute(item, fs, err);
    }
    return st;
}

static enum ft_status get_all(const cJSON *json, struct feature_set *fs, struct ft_err *err)
{
    const int64_t max = INT64_C(1) << 53;
    int64_t version = 0;
    enum ft_status st = json_int(json, "version", true, 1, FEATURES_VERSION, &version, err);
    if (st == FT_OK)
        st = json_int(json, "unit_ms", true, 1, max, &fs->unit_ms, err);
    if (st == FT_OK)
        st = json_bool(json, "is_cycles", true, &fs->is_cycles, err);
    if (st == FT_OK)
        st = json_int(json, "step_ms", true, 0, max, &fs->step_ms, err);
    if (st == FT_OK)
        st = json_bool(json, "has_age", true, &fs->has_age, err);
    fs->event_start_ms = DB_NO_TIME;
    if (st == FT_OK)
        st = json_int(json, "event_start_ms", false, -max, max, &fs->event_start_ms, err);
    if (st == FT_OK)
        st = json_int(json, "baseline_ms", true, 1, max, &fs->baseline_ms, err);
    if (st == FT_OK)
        st = get_durations(json, "window_ms", FEATURE_MAX_WINDOWS, fs->window_ms, &fs->n_windows,
                           err);
    if (st == FT_OK)
        st = get_durations(json, "half_life_ms", FEATURE_MAX_MEANS, fs->half_life_ms, &fs->n_means,
                           err);
    if (st == FT_OK && (fs->n_windows == 0 || fs->n_means == 0))
        st = ft_fail(err, FT_INVALID, "features: no window");
    if (st == FT_OK)
        st = get_regimes(json, fs, err);
    if (st == FT_OK)
        st = get_lists(json, fs, err);
    for (size_t i = 0; i < fs->n_settings && st == FT_OK; i++)
        if (fs->setting[i] >= fs->n_sensors)
            st = ft_fail(err, FT_INVALID, "features: regime setting out of range");
    if (st == FT_OK)
        st = features_health_from_json(json, fs, err);
    return st;
}

enum ft_status features_from_json(const cJSON *json, struct feature_set **out, struct ft_err *err)
{
    *out = NULL;
    struct feature_set *fs = calloc(1, sizeof(*fs));
    if (fs == NULL)
        return ft_fail(err, FT_NOMEM, "features: no memory");
    enum ft_status st = get_all(json, fs, err);
    if (st == FT_OK)
        st = features_name_columns(fs, err);
    if (st != FT_OK) {
        features_free(fs);
        return st;
    }
    *out = fs;
    return FT_OK;
}
