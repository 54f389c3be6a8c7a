/* P(failure by t) for every t from what a model knows: one probability at its own horizon
 * (failure models), or a remaining life with the distribution of its error (rul models). Far away
 * both go back to what age alone says, for a sign of today tells little about next year. */
#ifndef APP_HAZARD_CURVE_H
#define APP_HAZARD_CURVE_H

#include "app/age_model.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CURVE_MAX_LEVELS = 64 };

struct hazard_curve {
    const struct age_model *age; /* NULL = none: constant hazard */
    int64_t age_ms;              /* DB_NO_TIME = unknown */
    /* Failure model: p at horizon_ms (horizon_ms 0 = age alone). */
    int64_t horizon_ms;
    double near_hazard; /* -log(1 - p) at the horizon */
    /* Rul model: quantiles of the remaining life, rising; cap_ms: values there mean "or more". */
    size_t n_levels;
    double level[CURVE_MAX_LEVELS], life_ms[CURVE_MAX_LEVELS];
    double cap_ms;
};

/* Age alone. */
struct hazard_curve hazard_curve_age(const struct age_model *age, int64_t age_ms);
/* A failure model's p within horizon_ms. */
struct hazard_curve hazard_curve_failure(const struct age_model *age, int64_t age_ms,
                                         int64_t horizon_ms, double p);
/* A rul model's prediction in units with the model's table of residuals (train_judge.c: "edges",
 * "levels", "residuals", "odds"); n_levels 0 when the table is not usable. */
struct hazard_curve hazard_curve_rul(const struct age_model *age, int64_t age_ms,
                                     const cJSON *table, double prediction, double cap,
                                     double unit_ms);

double hazard_curve_probability(const struct hazard_curve *c, int64_t dur_ms);

/* Duration in ms not exceeded with probability q; INFINITY beyond 100 years. */
double hazard_curve_quantile_ms(const struct hazard_curve *c, double q);

#endif
