/* Old readings in coarser form. Three tiers, each sensor by itself:
 *     readings as they came
 *     after a while thinned to at most three a minute: the least, the greatest and the last
 *     in the end hours alone: table reading_hour, one ordinary row for each hour
 * Hours are derived from the readings as long as these are there in full, and facts after that:
 * what lies before reading_tier.frozen_ms is never computed again. */
#ifndef DB_READING_TIER_H
#define DB_READING_TIER_H

#include "app/base/status.h"

#include <stdint.h>

struct db;

/* Instants before which readings are thinned and dropped; INT64_MIN: none are. Both are rounded
 * down to whole hours. */
struct reading_tiers {
    int64_t thin_before_ms, drop_before_ms;
};

struct reading_tier_counts {
    int64_t n_hours;              /* rows written */
    int64_t n_thinned, n_dropped; /* readings taken away */
};

/* Brings the hours of a sensor up to its sealed readings, then thins and drops, in one transaction
 * or inside the caller's. The hour of the newest sealed reading is not complete and waits. A sensor
 * with fewer than four readings an hour gets no hours until its readings are dropped: it is as
 * coarse as they are. Readings that come later for an hour that was thinned or dropped stand as
 * readings until the next call and are in no hour. Adds to *counts. */
enum ft_status reading_tier_apply(struct db *db, int64_t sensor_id,
                                  const struct reading_tiers *tiers,
                                  struct reading_tier_counts *counts, struct ft_err *err);

/* The sensor with the next id after after_id; FT_NOT_FOUND when there is none. */
enum ft_status reading_tier_next(struct db *db, int64_t after_id, int64_t *sensor_id,
                                 struct ft_err *err);

/* Drops all hours that can be computed again. */
enum ft_status reading_tier_forget(struct db *db, struct ft_err *err);

/* For the store: a block of the sensor begins there, or readings with from_ms <= instant < to_ms
 * were deleted; hours from there on are computed again. */
enum ft_status reading_tier_touch(struct db *db, int64_t sensor_id, int64_t from_ms,
                                  struct ft_err *err);
enum ft_status reading_tier_deleted(struct db *db, int64_t sensor_id, int64_t from_ms,
                                    int64_t to_ms, struct ft_err *err);

#endif
