/* How one sensor's readings look: gaps, doubles, values that cannot be, stuck and flat stretches,
 * spikes, and how far its level has moved since its first days. Pure arithmetic on arrays; what
 * only a look at the other sensors can tell stands in app/data_quality_class.h. */
#ifndef APP_DATA_QUALITY_SERIES_H
#define APP_DATA_QUALITY_SERIES_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A value that repeats for at least this long and this often is a stuck sensor; one that moves by
 * less than a part of its usual noise for as long is a flat line. */
#define QUALITY_STUCK_MS (INT64_C(24) * 3600000)
#define QUALITY_STUCK_N 24
#define QUALITY_FLAT_PART 0.05
/* Resting is not being stuck: a run at the least or greatest value of the record that is shorter
 * than this, when the sensor comes to that value at other times too (a machine off for a weekend).
 */
#define QUALITY_REST_MS (INT64_C(7) * 86400000)
#define QUALITY_REST_N 20
/* A sensor that knows only so many values (a switch, a coarse scale) is never called stuck. */
#define QUALITY_FEW_LEVELS 3
/* A gap is longer than this many usual intervals (the median one), and than an hour. */
#define QUALITY_GAP_INTERVALS 10
/* A spike is one reading that stands off both its neighbours, on the same side, by more than so
 * many standard deviations of the usual noise, and beyond where 98 % of the readings lie by more
 * than that range. Fewer than so many in a record are not worth a word. */
#define QUALITY_SPIKE_NOISE 12
#define QUALITY_SPIKE_N 3
/* The early baseline and the newest stretch that is compared with it: this part of the record, at
 * least so long, with at least so many readings. */
#define QUALITY_DRIFT_PART 0.1
#define QUALITY_DRIFT_MS (INT64_C(3) * 86400000)
#define QUALITY_DRIFT_N 20

struct series_rules {
    double low, high; /* values that can be; NaN = no limit */
    const char *unit; /* UCUM; says what cannot be (below absolute zero); NULL = unknown */
    bool is_counter;  /* counts up: no level, no noise; falls are counted instead */
};

/* Level and spread of a stretch: median and half the distance of the 16 % and 84 % quantiles, which
 * is the standard deviation of a normal distribution. */
struct series_level {
    size_t n;
    double median, spread;
};

struct sensor_quality {
    size_t n;
    int64_t first_ms, last_ms;
    bool is_constant; /* one value from the first reading to the last */
    int64_t stuck_from_ms,
        stuck_to_ms; /* longest run of one value over the limits; both 0 = none */
    double stuck_value;
    int64_t flat_from_ms, flat_to_ms; /* longest flat line; both 0 = none */
    double flat_value;
    size_t n_gaps;
    int64_t longest_gap_ms, gap_from_ms;
    int64_t missing_ms;  /* in all gaps */
    int64_t interval_ms; /* median distance of two readings; 0 when there are fewer than 3 */
    size_t n_double;     /* same value again within a tenth of the interval: sent twice */
    size_t n_not_number; /* NaN and infinite */
    size_t n_out_of_range;
    double out_value; /* the worst of them */
    int64_t out_from_ms, out_to_ms;
    size_t n_spikes;
    double spike_value; /* the farthest */
    int64_t spike_ms;
    size_t n_falls;                  /* counters only */
    double noise;                    /* standard deviation from reading to reading; NaN = unknown */
    struct series_level all;         /* n = 0: unknown */
    struct series_level early, late; /* n = 0: the record is too short */
};

/* Instants rising, n of both; rules NULL = none. FT_NOMEM. Allocates O(n). */
enum ft_status sensor_quality_of(const int64_t *ts_ms, const double *value, size_t n,
                                 const struct series_rules *rules, struct sensor_quality *out,
                                 struct ft_err *err);

/* Newest level minus early baseline in spreads of the baseline; NaN = unknown. */
double sensor_quality_drift(const struct sensor_quality *q);

#endif
