/* The one answer of every model: a forecast for an asset, or for one component of it. */
#ifndef APP_FORECAST_H
#define APP_FORECAST_H

#include "app/base/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORECAST_MAX_HORIZONS 24
#define FORECAST_MAX_REASONS 8
#define FORECAST_NO_TIME INT64_MIN

/* One reason: a share of the probability at the model's horizon, in words. */
struct forecast_reason {
    char text[160];   /* "Vibration 2.7 times its own baseline, rising for 25 days" */
    char feature[96]; /* name of the leading feature */
    char sensor[64];  /* sensor it rests on, "" = none (age, alarms) */
    double points;    /* probability points added (signed); the reasons and the base sum to p */
};

struct forecast {
    int64_t asset_id, component_id; /* component_id 0 = the asset as a whole */
    int64_t as_of_ms;               /* newest data that was used */
    int64_t model_id;               /* 0 = no model */
    char model_kind[24];            /* "gbdt", "weibull_age", ... "" = none */
    char spoke[160];                /* which model spoke and why, in words */
    /* The same for programs: sensors, remaining_life, weibull, constant_rate, components, anomaly,
     * none; "" in forecasts of older versions. Then the next better method that more recorded
     * failures allow ("" = none), how many are missing, and when they will be there at the rate of
     * the record (FORECAST_NO_TIME = unknown). */
    char method[16];
    char next_method[16];
    size_t next_missing;
    int64_t next_ms;

    /* P(failure by as_of + horizon), non-decreasing, calibrated; 80 % limits where known (NaN). */
    size_t n_horizons; /* 0 = no forecast: data missing; spoke says why */
    int64_t horizon_ms[FORECAST_MAX_HORIZONS];
    double p[FORECAST_MAX_HORIZONS];
    double p_low[FORECAST_MAX_HORIZONS], p_high[FORECAST_MAX_HORIZONS];

    /* Remaining life: median and the limits of the interval of stated coverage, ms; NaN = unknown,
     * rul_high may be infinity (open end). */
    double rul_median, rul_low, rul_high;
    double rul_coverage; /* 0.8 or 0.9 */

    double base_points; /* class mean probability that the reasons start from */
    size_t n_reasons;
    struct forecast_reason reasons[FORECAST_MAX_REASONS]; /* greatest |points| first */

    size_t n_sensors, n_sensors_stale; /* sensors used, and those without fresh data */
    double data_frac;                  /* share of expected readings present, newest window */
};

/* P(failure within dur_ms), monotone interpolation of log-survival between horizons; 0 at 0; beyond
 * the last horizon the last interval's hazard goes on. 0 <= p <= 1. NaN without a forecast. */
double forecast_probability(const struct forecast *f, int64_t dur_ms);

/* Adds "method" and "next" ({"method","failures_missing","about"} or null). */
void forecast_add_method(const struct forecast *f, cJSON *to);

/* JSON of the forecast body; the caller frees with cJSON_Delete(). NULL when memory is gone. */
cJSON *forecast_to_json(const struct forecast *f);
enum ft_status forecast_from_json(const cJSON *json, struct forecast *out, struct ft_err *err);

#endif
