/* Anomaly without labels: how far each unit stands from what is normal for itself and for its
 * sisters, tick by tick (a tick is a day of hourly readings, or a cycle), and when that is an
 * alarm. No failure is ever looked at; recorded renewals only start a unit's own baseline again.
 *
 * 1. What all units share (season, weather, a change of product) is taken away: each tick's median
 *    over the sisters of the way from their first level.
 * 2. Each unit has a baseline of its own: the mean of its first N_BASELINE ticks after the record
 *    begins or a part is renewed, shrunk towards the class by the spread between units and never
 *    further than MAX_SPREADS of it from the class, then frozen, so slow wear is not learnt as
 *    normal and a unit that starts worn is not taken for healthy.
 * 3. The deviations from the own baseline and from the class are smoothed and split by principal
 *    components into T2 (inside the usual directions) and Q (what they do not explain); Jackson
 *    and Mudholkar 1979. Correlations and scales come from the calm half of the rows.
 * 4. The alarm line of each of the four statistics is that of a scaled chi-square (Box 1954)
 * through the first quartile and the median of its rows: the upper tail, in which wear hides, is
 * not used. It is set for a budget of false alarms, times a margin for what the body of a
 *    distribution does not show.
 * Everything at a tick rests on ticks up to it, but for what is learned from [0, n_fit). */
#ifndef MODELS_ANOMALY_H
#define MODELS_ANOMALY_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { ANOMALY_MAX_SENSORS = 64, ANOMALY_MIN_TICKS = 14, ANOMALY_MIN_SISTERS = 5 };
#define ANOMALY_NO_SENSOR SIZE_MAX

struct anomaly_input {
    const double *x;     /* [n_units][n_ticks][n_sensors], NaN = missing; units of noise are best */
    const bool *renewed; /* [n_units][n_ticks] a part was renewed at this tick */
    size_t n_units, n_ticks, n_sensors;
    size_t n_fit;          /* <= n_ticks: scales and alarm lines come from the ticks before */
    bool share_ticks;      /* tick t is the same instant for all units: step 1 is done */
    double false_per_tick; /* budget of false alarms of one unit, 0..1 exclusive */
};

/* One unit at one tick. Everything is NaN (and lead ANOMALY_NO_SENSOR) without readings. */
struct anomaly_point {
    double t2, q;  /* the greater of own and class, in alarm lines: 1 = on the line */
    double health; /* 100 = as normal, 85 on the line, 0 at a hundred lines: anomaly_health() */
    size_t lead;   /* the sensor that adds most */
    bool is_class; /* it leads by its way from the class, not from the unit's own baseline */
    bool is_alarm; /* stays until calm for a week of ticks, or renewed and calm */
    bool is_start; /* the alarm begins here */
};

struct anomaly {
    size_t n_units, n_ticks, n_sensors;
    struct anomaly_point *points; /* [n_units][n_ticks], owned */
    double
        *deviation; /* [n_units][n_ticks][n_sensors] smoothed, from the own baseline, in x units */
};

/* FT_TOO_FEW: n_fit < ANOMALY_MIN_TICKS, or too few rows in which a sensor speaks; FT_INVALID: a
 * size or the budget out of range; FT_NOMEM. Allocates O(units * ticks * sensors). With fewer than
 * ANOMALY_MIN_SISTERS units there are no sisters: step 1, the shrinking and the class are left out.
 * The caller ends *out with anomaly_free(). */
enum ft_status anomaly_find(const struct anomaly_input *in, struct anomaly **out,
                            struct ft_err *err);
void anomaly_free(struct anomaly *a); /* NULL is fine */

/* 100 (1 - log(1 + score) / log(101)), not below 0; score in alarm lines. */
double anomaly_health(double score);

/* The value that a scaled chi-square with this first quartile and median exceeds with probability
 * tail; NaN when 0 < quartile < median does not hold. */
double anomaly_line(double quartile, double median, double tail);

#endif
