/* Life data: the ages that life distributions are fitted to. A row is one unit, or weight[i] alike
 * units. It failed at an age, failed between two ages, or was still running when last seen; it may
 * have come under observation only at an age of its own (left truncation). */
#ifndef MODELS_LIFE_DATA_H
#define MODELS_LIFE_DATA_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct life_data {
    const double *time; /* age at failure, or when last seen alive */
    const bool *failed;
    const double *entry;  /* left truncation, NULL = all 0 */
    const double *weight; /* number of units of a row, NULL = all 1 */
    size_t n;
    /* Interval censoring: where upper[i] > 0 the unit failed after time[i] (0 = any age before:
     * left-censored) and by upper[i]; 0 = it failed, or was seen alive, at time[i]. NULL = all 0.
     * INFINITY is not allowed: that is a unit still running. */
    const double *upper;
};

static inline double life_data_weight(const struct life_data *d, size_t i)
{
    return d->weight != NULL ? d->weight[i] : 1;
}

static inline double life_data_entry(const struct life_data *d, size_t i)
{
    return d->entry != NULL ? d->entry[i] : 0;
}

static inline bool life_data_is_interval(const struct life_data *d, size_t i)
{
    return d->upper != NULL && d->upper[i] > 0;
}

/* What a search for a fit wants to know. Weights of 0 count for nothing. */
struct life_totals {
    size_t n_rows, n_rows_failed; /* of weight above 0 */
    size_t n_intervals;           /* rows that failed in an interval */
    double n, r;                  /* weight of all units and of the failures */
    double r_exact;               /* weight of the failures at a known age */
    double exposure;              /* sum of weight * (time - entry), interval: its middle */
    double mean, mean_log;        /* of the failure ages, an interval at its middle */
    double sd, sd_log;            /* ... the width of the intervals included */
    double sum_log;               /* sum of weight * log age over failures at a known age */
    double sum;                   /* sum of weight * age over failures at a known age */
    double first, last;           /* least and greatest failure age; INFINITY, 0 without failure */
    double greatest;              /* of all ages */
    /* Greatest age that somebody outlived or failed at, least age by which somebody had failed:
     * when the second is above the first, all may have failed at one age. */
    double last_begin, first_end;
};

/* Checks every row: time > 0 (>= 0 of an interval), 0 <= entry < time (<= time of an interval,
 * which must end after it), weight >= 0, all finite. FT_INVALID names the unit; FT_TOO_FEW: no
 * unit. */
enum ft_status life_data_totals(const struct life_data *d, struct life_totals *out,
                                struct ft_err *err);
/* One row of them, for callers that walk the rows in an order of their own. */
enum ft_status life_data_check(const struct life_data *d, size_t i, struct ft_err *err);

#endif
