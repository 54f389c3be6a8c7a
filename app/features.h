/* Features: one asset's history seen from an instant -> one row of numbers. The same code computes
 * them for training and for scoring, and no number in a row depends on anything after its instant
 * (tests/unit/test_features.c changes the future at random and compares bits).
 *
 * A feature set is the list of definitions plus everything fitted: operating regimes, failure
 * levels, categories. It is stored with the model as JSON. Parts: features.c (definition, names,
 * JSON), features_fit.c (what is learned from training assets), features_compute.c (the numbers),
 * features_health.c (health channels: fit, numbers), features_frame.c (readings side by side).
 *
 * Rows are float: trees bin them and linear models standardise them, so 24 bits are enough, and
 * training needs half the memory. */
#ifndef APP_FEATURES_H
#define APP_FEATURES_H

#include "app/base/status.h"
#include "app/history.h"
#include "models/health.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FEATURE_MAX_WINDOWS = 4,
    FEATURE_MAX_MEANS = 4,
    FEATURE_N_FRACTIONS = 10, /* of the way to the failure level */
    FEATURE_MAX_HEALTH = 3,   /* health models in a set; one is fitted now, older files hold more */
    FEATURE_MAX_CATEGORIES = 12
};

enum feature_source {
    FEATURE_SENSOR,
    FEATURE_SETTING,
    FEATURE_METER,
    FEATURE_ALARM,
    FEATURE_COMPONENT,
    FEATURE_AGE,
    FEATURE_EVENT, /* failures, repairs, inspections of the asset */
    FEATURE_ATTRIBUTE,
    FEATURE_HEALTH /* index: channel number over all health models; their number = the asset's q */
};

/* Which description of the sensors a set holds; everything else (alarms, ages, ...) is in both. */
enum feature_view {
    FEATURE_VIEW_SENSORS, /* windows of every sensor */
    FEATURE_VIEW_HEALTH   /* the health channels that they share (models/health.h) */
};

struct feature_info {
    char *name; /* "vibration_mm_s: mean 24 h" */
    enum feature_source source;
    size_t index; /* into sensors, codes, components, attributes or channels of the set */
};

struct feature_sensor {
    char *name;
    enum sensor_role role;
    /* Way from healthy to failed, in the unit of the (normalised) value; run-to-failure sets only.
     */
    bool has_levels;
    double start_level, failure_level;
    double noise;       /* standard deviation of reading-to-reading noise */
    double *mean, *std; /* [n_regimes], owned; NULL without regimes */
};

struct feature_component {
    char *name;
    bool has_renewals; /* renewed in service: its age is unknown before the first record */
};

struct feature_attribute {
    char *name;
    bool is_number;
    char *categories[FEATURE_MAX_CATEGORIES]; /* one column each; empty when is_number */
    size_t n_categories;
};

struct feature_set {
    int64_t unit_ms; /* one day, or one cycle: the unit of ages and slopes */
    bool is_cycles;
    int64_t step_ms; /* typical time between readings; 0 = none */
    bool has_age;
    int64_t event_start_ms; /* events are recorded from here; DB_NO_TIME = none */
    size_t n_windows, n_means;
    int64_t window_ms[FEATURE_MAX_WINDOWS];  /* rising */
    int64_t half_life_ms[FEATURE_MAX_MEANS]; /* rising */
    int64_t baseline_ms;                     /* length of the early baseline */
    struct feature_sensor *sensors;
    size_t n_sensors;
    struct feature_component *components;
    size_t n_components;
    char **codes;
    size_t n_codes;
    struct feature_attribute *attributes;
    size_t n_attributes;
    /* Operating regimes: centres of the settings, each scaled to [0, 1] by its range. */
    size_t n_regimes; /* 1 = no normalisation */
    size_t n_settings;
    size_t *setting;       /* [n_settings] index into sensors */
    double *setting_min;   /* [n_settings] */
    double *setting_range; /* [n_settings], > 0 */
    double *centres;       /* [n_regimes][n_settings] */
    double regime_reach;   /* scaled distance from a centre beyond which a regime is new */
    /* Health channels, FEATURE_VIEW_HEALTH only: one model of the sensors (files of earlier
     * versions hold several, with 2, 3 and 4 channels). */
    enum feature_view view;
    struct health *health[FEATURE_MAX_HEALTH];
    size_t n_health;
    size_t *health_sensor; /* [n_health_sensors] index into sensors */
    size_t n_health_sensors;
    struct feature_info *infos; /* [n], the columns */
    size_t n;
};

struct feature_options {
    bool is_rul;        /* adds failure levels and the time since they were approached */
    int64_t horizon_ms; /* chooses the long window; 0 for rul */
    enum feature_view view;
};

/* Fits on the assets with is_training[i] (NULL = all that are not held out). FT_TOO_FEW when there
 * is nothing to see at all, or the sensors are too few for health channels; FT_NOMEM. */
enum ft_status features_fit(const struct history *h, const bool *is_training,
                            const struct feature_options *o, struct feature_set **out,
                            struct ft_err *err);
void features_free(struct feature_set *fs);

/* True when something in the set was learned from the values (regimes, levels, sensors that never
 * change), so that folds must fit their own. */
bool features_are_fitted(const struct feature_set *fs);

/* Longest look back of a window, for the embargo between folds in time. */
int64_t features_longest_ms(const struct feature_set *fs);

/* Computes n_rows rows of one asset at the instants as_of_ms (rising) into out, row i at
 * out + i * fs->n; missing is NaN. Sensors, codes and components are matched by name, so a history
 * that was loaded later, with more of them, works too. FT_NOMEM only. Thread-safe. */
enum ft_status features_compute(const struct feature_set *fs, const struct history *h, size_t asset,
                                const int64_t *as_of_ms, size_t n_rows, float *out,
                                struct ft_err *err);

/* How one sensor of one asset stands at an instant, for words: its mean over the middle window, its
 * own baseline, and its slope. NaN where unknown. Raw units, nothing normalised. */
struct feature_standing {
    double now, baseline, spread; /* spread of the baseline, standard deviation */
    double slope_per_unit;        /* over the long window */
};
struct feature_standing features_standing(const struct feature_set *fs, const struct history *h,
                                          size_t asset, size_t history_sensor, int64_t as_of_ms);

/* Regime of the settings at an instant (values in the order of fs->setting); SIZE_MAX when one is
 * missing or they are far from every regime of the training data: a new regime. */
size_t features_regime(const struct feature_set *fs, const double *settings);

/* The health channels of one asset, reading by reading, for charts: its health index. Row i of
 * channel is fs->health[model]'s channels at ts_ms[i]; fraction is the way from the start (0) to
 * the failure level (1) of the channel that is furthest, smoothed; NaN without levels. */
struct feature_health_rows {
    size_t n, n_channels;
    int64_t *ts_ms;              /* [n] */
    double *channel, *precision; /* [n][n_channels] */
    double *q;                   /* [n] as in models/health.h */
    size_t n_new_regime;         /* rows left out because the regime is new */
};
enum ft_status features_health_rows(const struct feature_set *fs, const struct history *h,
                                    size_t asset, size_t model, int64_t until_ms,
                                    struct feature_health_rows *out, struct ft_err *err);
void features_health_rows_clear(struct feature_health_rows *rows);

/* Model and channel inside it of a channel number; false when it is the number of q. */
bool features_health_channel(const struct feature_set *fs, size_t index, size_t *model,
                             size_t *channel);

/* How the sensors stand behind the channels at an instant, for words: z[n_health_sensors] the mean
 * standardised value (for its regime) over the last 20 ticks, NaN = no readings;
 * share[channels][n_health_sensors] >= 0 which part of each channel's deviation rests on which
 * sensor (rows sum to 1), channels counted over all health models. */
enum ft_status features_health_shares(const struct feature_set *fs, const struct history *h,
                                      size_t asset, int64_t as_of_ms, double *z, double *share,
                                      struct ft_err *err);
size_t features_health_n_channels(const struct feature_set *fs);

/* "24 h", "30 d", "20 cycles" into out. */
void features_duration_text(const struct feature_set *fs, int64_t dur_ms, char *out, size_t size);

cJSON *features_to_json(const struct feature_set *fs); /* NULL when memory is gone */
enum ft_status features_from_json(const cJSON *json, struct feature_set **out, struct ft_err *err);

/* Builds infos from the definition; used by fit and from_json. */
enum ft_status features_name_columns(struct feature_set *fs, struct ft_err *err);

#endif
