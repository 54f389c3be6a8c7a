/* The age-only model: how long a component lives, from events alone. It is the baseline that every
 * other model must beat, and it speaks when none does. */
#ifndef APP_AGE_MODEL_H
#define APP_AGE_MODEL_H

#include "app/base/status.h"
#include "app/history.h"
#include "models/weibull.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct age_model {
    struct weibull life; /* in days, or cycles of a class that counts cycles */
    double unit_ms;      /* the unit of life */
    double rate;         /* failures per unit of time in all: for parts of unknown age */
    size_t n_failures;   /* 0: life is the bound of half a failure */
    bool is_shape_fixed; /* too few failures: constant hazard */
};

/* Lives of a component (HISTORY_NO_INDEX = the asset, renewed by any failure) as a life table: from
 * renewal to failure, or censored by a preventive replacement or the end of data; left-truncated
 * where failures are recorded only from later on. Pieces of unknown age are left out (but counted
 * in rate). Facts after until_ms (DB_NO_TIME = no limit) are not seen. is_training NULL = all that
 * are not held out. FT_TOO_FEW: no life at all. */
enum ft_status age_model_fit(const struct history *h, size_t component, const bool *is_training,
                             int64_t until_ms, struct age_model *out, struct ft_err *err);

/* P(fails within dur | alive at age), both in ms; age_ms DB_NO_TIME = unknown. */
double age_model_probability(const struct age_model *m, int64_t age_ms, int64_t dur_ms);

/* Cumulative hazard over (age, age + dur]: -log of the survival. */
double age_model_hazard(const struct age_model *m, int64_t age_ms, int64_t dur_ms);

/* Remaining life in ms that is not exceeded with probability p. */
double age_model_remaining_ms(const struct age_model *m, int64_t age_ms, double p);

/* Expected min(remaining life, cap) in the model's unit: the best answer of age alone in squared
 * error. */
double age_model_expected(const struct age_model *m, int64_t age_ms, double cap_units);

#endif
