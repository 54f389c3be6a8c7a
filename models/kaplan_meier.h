/* Survival without a distribution: the Kaplan-Meier estimate with Greenwood's variance, and the
 * Nelson-Aalen cumulative hazard (Kalbfleisch and Prentice 2002, chapter 1), for right-censored and
 * left-truncated times. */
#ifndef MODELS_KAPLAN_MEIER_H
#define MODELS_KAPLAN_MEIER_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* One distinct failure time. */
struct kaplan_meier_point {
    double time;
    double n_risk;            /* weight of the units with entry < time <= their own time */
    double n_failures;        /* weight of the failures at time */
    double survival;          /* just after time */
    double std_error;         /* of survival, Greenwood */
    double lower, upper;      /* limits of survival by the log(-log) transform; NaN at survival 0 */
    double cumulative_hazard; /* Nelson-Aalen */
};

/* time > 0; failed[i]; entry (0 <= entry < time, NULL = all 0); weight NULL = all 1; confidence is
 * two-sided, inside (0, 1). *points (caller frees) holds *n_points rising times; with no failure
 * *n_points is 0 and *points NULL. FT_INVALID names the unit; FT_NOMEM. O(n log n). */
enum ft_status kaplan_meier(const double *time, const bool *failed, const double *entry,
                            const double *weight, size_t n, double confidence,
                            struct kaplan_meier_point **points, size_t *n_points,
                            struct ft_err *err);

/* Survival at t: the last point at or before it, 1 before the first. */
double kaplan_meier_survival(const struct kaplan_meier_point *points, size_t n_points, double t);

#endif
