/* Recurrent events of repairable units: how many a unit has had by an age (mean cumulative
 * function), whether they come more and more often (Laplace and chi-squared trend tests), and the
 * power law of Crow (AMSAA) for improvement or wear-out. */
#ifndef MODELS_RECURRENT_H
#define MODELS_RECURRENT_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct recurrent_unit {
    double begin, end;    /* observed from, exclusive, to */
    bool ends_with_event; /* failure truncated: the observation stopped because of its last event */
    size_t first, n;      /* its events: times[first .. first + n) */
};

struct recurrent {
    struct recurrent_unit *units; /* [n_units] */
    double *times;                /* [n_events], rising within a unit */
    size_t n_units, n_events;
};

/* Rows of unit[i] < n_units at time[i]: an event, or the end of its observation; entry[i] (NULL =
 * all 0) is where the observation of the unit began (the least of its rows counts), count[i] (NULL
 * = all 1) the number of events of a row. A unit without an end is observed to its last event.
 * FT_INVALID: an event after the end, or nothing observed; FT_NOMEM. recurrent_free() ends *out. */
enum ft_status recurrent_make(const double *time, const bool *is_event, const size_t *unit,
                              const double *entry, const double *count, size_t n, size_t n_units,
                              struct recurrent *out, struct ft_err *err);
void recurrent_free(struct recurrent *r);

/* Mean cumulative number of events per unit just after an age at which there were some. */
struct mcf_point {
    double time;
    double n_risk, n_events;
    double mean;
    double std_error; /* of Nelson (1995) as in Meeker and Escobar 1998, equation 16.2: robust, no
                         Poisson assumption */
    double lower, upper; /* on the log scale */
};

/* *points (caller frees). FT_TOO_FEW: no event; FT_INVALID: confidence; FT_NOMEM. O(ages x units).
 */
enum ft_status recurrent_mcf(const struct recurrent *r, double confidence,
                             struct mcf_point **points, size_t *n_points, struct ft_err *err);

/* Is there a trend? Standard normal (Laplace; above 0: events crowd towards the end) and, when all
 * units are observed from age 0, chi-squared (MIL-HDBK-189: small = deteriorating, large =
 * improving) under a constant rate. The last event of a unit that ends with it counts as its end.
 */
struct trend_test {
    size_t n_events;               /* that the tests use */
    double laplace, laplace_p;     /* two-sided */
    double chi_squared;            /* NaN when a unit begins after 0 or an event is at 0 */
    double degrees, chi_squared_p; /* two-sided */
};
/* FT_TOO_FEW: fewer than 2 usable events. */
enum ft_status recurrent_trend(const struct recurrent *r, struct trend_test *out,
                               struct ft_err *err);

/* Crow-AMSAA: expected events of a unit by age t are (t / scale)^shape; shape below 1: they become
 * rarer (growth), above 1: more frequent. */
struct power_law {
    double shape, scale;
    double cov[2][2]; /* of (log shape, log scale) */
    double log_likelihood;
    double n_events;
    double unbiased_shape; /* NaN where no exact law is known */
    bool has_exact; /* limits by chi-squared: all from 0 to one end, or one unit to its event */
    double degrees; /* of the chi-squared law of 2 n shape / estimate */
};
/* Maximum likelihood. FT_TOO_FEW: fewer than 2 events, or all at the end. */
enum ft_status power_law_fit(const struct recurrent *r, struct power_law *out, struct ft_err *err);
/* Exact where it is known, else Wald on the log scale. */
void power_law_limits(const struct power_law *p, double confidence, double shape[2],
                      double scale[2]);
/* Events per unit of time at an age, and expected events between two ages, of one unit. */
double power_law_rate(const struct power_law *p, double t);
double power_law_expected(const struct power_law *p, double from, double upto);

#endif
