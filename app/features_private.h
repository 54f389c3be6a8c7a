/* Inside of feature sets: shared by the features_*.c files only. */
#ifndef APP_FEATURES_PRIVATE_H
#define APP_FEATURES_PRIVATE_H

#include "app/features.h"

enum { FEATURES_MAX_SETTINGS = 8 };

/* Columns while they are named. */
struct feature_names {
    struct feature_set *fs;
    size_t cap;
    bool is_full; /* memory is gone */
};
__attribute__((format(printf, 4, 5))) void features_add_column(struct feature_names *n,
                                                               enum feature_source source,
                                                               size_t index, const char *fmt, ...);

/* Sensors of one asset side by side: a row at every instant at which something was read (not
 * closer than a quarter of a tick), holding what was known at that instant. */
struct feature_frame {
    size_t n;
    int64_t *ts_ms; /* [n] rising */
    double *x;      /* [n][fs->n_health_sensors]; NaN = missing or stale */
    size_t *regime; /* [n]; HEALTH_NO_REGIME */
};
enum ft_status features_frame_build(const struct feature_set *fs, const struct history *h,
                                    size_t asset, int64_t until_ms, struct feature_frame *out,
                                    struct ft_err *err);
void features_frame_clear(struct feature_frame *f);

/* The unit of windows of health channels: a reading of slow data, 2.4 hours of hourly data. */
int64_t features_tick_ms(const struct feature_set *fs);

/* Series of a sensor of the set in a history, matched by name; an empty one when it is not there.
 */
const struct readings *features_series(const struct feature_set *fs, const struct history *h,
                                       const struct history_asset *a, size_t sensor);

enum ft_status features_health_fit(const struct history *h, const bool *is_training,
                                   struct feature_set *fs, struct ft_err *err);
void features_health_name(struct feature_names *n);
/* Fills the columns from first on; returns how many through *n. */
enum ft_status features_health_compute(const struct feature_set *fs, const struct history *h,
                                       size_t asset, const int64_t *as_of_ms, size_t n_rows,
                                       float *out, size_t first, size_t *n, struct ft_err *err);

/* Exactly want numbers (SIZE_MAX = any number) of a JSON list; *out is allocated. */
enum ft_status features_get_numbers(const cJSON *o, const char *key, size_t want, double **out,
                                    size_t *n, struct ft_err *err);
void features_put_numbers(cJSON *to, const char *key, const double *v, size_t n);
void features_health_to_json(cJSON *json, const struct feature_set *fs);
enum ft_status features_health_from_json(const cJSON *json, struct feature_set *fs,
                                         struct ft_err *err);

#endif
