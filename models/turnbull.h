/* Survival without a distribution from interval-censored lives: the maximum likelihood estimate of
 * Turnbull (1976), which puts probability only into the innermost intervals, where a begin is next
 * to an end. */
#ifndef MODELS_TURNBULL_H
#define MODELS_TURNBULL_H

#include "models/life_data.h"

/* One innermost interval: failures between lower and upper (equal for failures at a known age;
 * upper INFINITY for what outlived every end). */
struct turnbull_point {
    double lower, upper;
    double probability; /* > 0 */
    double survival;    /* from upper on */
};

struct turnbull_result {
    size_t n_steps;
    bool is_converged; /* the conditions of an optimum hold to 1e-6 */
};

/* Self-consistency (EM) steps to the optimum. *points (caller frees) holds *n_points in order.
 * FT_INVALID: bad data, or left truncation, which this estimate does not take; FT_NOMEM. O(units)
 * a step, at most 50,000 steps and 2e8 units times steps: is_converged tells. */
enum ft_status turnbull(const struct life_data *data, struct turnbull_point **points,
                        size_t *n_points, struct turnbull_result *result, struct ft_err *err);

#endif
