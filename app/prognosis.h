/* How useful forecasts are over time, beside how near they are at one instant: metrics of prognosis
 * (Saxena, Celaya, Saha, Saha and Goebel, "Metrics for Offline Evaluation of Prognostic
 * Performance", 2010) for remaining lives, alarms at a bearable rate for failures. Arrays in,
 * numbers out. */
#ifndef APP_PROGNOSIS_H
#define APP_PROGNOSIS_H

#include <stddef.h>
#include <stdint.h>

enum { PROGNOSIS_N_LAMBDAS = 3 };
extern const double prognosis_lambdas[PROGNOSIS_N_LAMBDAS]; /* 0.25, 0.5, 0.75 of a life */
#define PROGNOSIS_ALPHA 0.2

/* Forecasts of remaining life along the lives of units: rows by unit, then age. */
struct prognosis_rows {
    const size_t *unit;       /* [n] */
    const double *age;        /* [n] since the unit began, rising inside a unit */
    const double *truth;      /* [n] remaining life, not capped */
    const double *prediction; /* [n] at most cap */
    size_t n;
    double cap; /* truths beyond it count as it: the model never answers more */
};

struct prognosis {
    /* Share of units whose forecast at lambda of the life lies within alpha of the (capped) truth;
     * units that were not watched then are left out: n_lambda. NaN when none was. */
    double alpha_lambda[PROGNOSIS_N_LAMBDAS];
    size_t n_lambda[PROGNOSIS_N_LAMBDAS];
    /* Median over units of the remaining life from which on every forecast stays within alpha of
     * the cap from the (capped) truth; a unit whose last forecast does not counts as 0. */
    double horizon;
    /* Mean over units of the mean of 1 - |error| / truth over the rows with a truth in (0, cap];
     * 1 is perfect, below 0 worse than saying 0. NaN when there is none. */
    double relative_accuracy;
    size_t n_units;
};
/* All NaN and 0 when memory is gone. */
struct prognosis prognosis_lives(const struct prognosis_rows *rows);

/* Probabilities of failure over time: rows by unit, then instant. */
struct alarm_rows {
    const size_t *unit;
    const int64_t *as_of_ms;
    const double *p;
    const int64_t *failure_ms; /* [n] of the failure inside the horizon; INT64_MIN = none */
    size_t n;
    double unit_months; /* watched, all units together */
};

struct alarm_answer {
    double threshold;        /* the least at which false alarms stay within the rate */
    double false_alarm_rate; /* false alarms per unit and month at it */
    double alarm_rate;       /* all alarms */
    double recall;           /* share of failures announced */
    double lead_time_s;      /* median over announced failures, NaN = none */
    size_t n_failures, n_announced;
};
/* An alarm is a run of rows of a unit with p >= threshold; it is false when no row of the run has a
 * failure ahead. max_rate: false alarms per unit and month. NaN threshold when memory is gone or
 * there are no rows. */
struct alarm_answer prognosis_alarms(const struct alarm_rows *rows, double max_rate);
/* The same figures at a given threshold. */
struct alarm_answer prognosis_alarms_at(const struct alarm_rows *rows, double threshold);

#endif
