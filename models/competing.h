/* Competing failure modes: the share of units that has failed by a mode, the other modes taking
 * their toll meanwhile (Aalen and Johansen 1978), with the variance of the delta method (Marubini
 * and Valsecchi 1995, section 10.2). For right-censored and left-truncated lives. */
#ifndef MODELS_COMPETING_H
#define MODELS_COMPETING_H

#include "models/life_data.h"

/* One age at which a unit failed by the mode. */
struct incidence_point {
    double time;
    double n_risk, n_failures; /* by this mode */
    double incidence;          /* share failed by this mode, just after */
    double std_error;
    double lower, upper; /* log(-log) limits */
};

/* mode[i] of a failed row is compared with wanted; *points (caller frees) rise in time. FT_INVALID:
 * intervals, bad data or confidence; FT_NOMEM. No failure by the mode: *n_points is 0. */
enum ft_status competing_incidence(const struct life_data *data, const size_t *mode, size_t wanted,
                                   double confidence, struct incidence_point **points,
                                   size_t *n_points, struct ft_err *err);

#endif
