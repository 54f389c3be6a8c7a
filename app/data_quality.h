/* What the data can carry: counts, spans, failures by component, and sensors that say nothing (no
 * data, constant, stuck, gaps). */
#ifndef APP_DATA_QUALITY_H
#define APP_DATA_QUALITY_H

#include "app/base/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

/* A value that repeats for at least this long and this often is a stuck sensor. */
#define QUALITY_STUCK_MS (INT64_C(24) * 3600000)
#define QUALITY_STUCK_N 24
/* A sensor that knows only so many values (a switch, a coarse scale) is never called stuck. */
#define QUALITY_FEW_LEVELS 3
/* A gap is longer than this many usual intervals (the median one), and than an hour. */
#define QUALITY_GAP_INTERVALS 10

/* So many failures with telemetry are a first basis for a model; fewer make forecasts rough. */
#define QUALITY_ENOUGH_FAILURES 10

/* How one sensor's readings look. Instants sorted. */
struct sensor_quality {
    size_t n;
    int64_t first_ms, last_ms;
    bool is_constant; /* one value from the first reading to the last */
    int64_t stuck_from_ms,
        stuck_to_ms; /* longest run of one value over the limits; both 0 = none */
    double stuck_value;
    size_t n_gaps;
    int64_t longest_gap_ms, gap_from_ms;
    int64_t interval_ms; /* median distance of two readings; 0 when there are fewer than 2 */
};
/* FT_NOMEM. */
enum ft_status sensor_quality_of(const int64_t *ts_ms, const double *value, size_t n,
                                 struct sensor_quality *out, struct ft_err *err);

/* {"classes":[{"class","assets","sensors","readings","first","last","events":{kind: n},
 * "failures":{component: n},"findings":[{"kind","asset","sensor","from","to","text"}],
 * "summary":[sentence, ...],"readiness":[sentence, ...],"label_audit":{"failures",
 * "failures_without_telemetry","failures_without_component"}}],"quarantined":n}. Sensors that never
 * change on any asset are one finding, its asset is "all". is_stopped may be NULL. The caller frees
 * *out. */
enum ft_status data_quality_report(struct db *db, bool (*is_stopped)(void), cJSON **out,
                                   struct ft_err *err);

#endif
