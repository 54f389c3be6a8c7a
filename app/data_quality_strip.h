/* Sensor by day: which part of each of the last days a sensor told of. A day is missing where the
 * sensor was silent for longer than a gap (app/data_quality_series.h), so a sensor that speaks
 * seldom by nature is not called absent. */
#ifndef APP_DATA_QUALITY_STRIP_H
#define APP_DATA_QUALITY_STRIP_H

#include "app/data_quality_class.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

/* Begin of each of the last days in the site's zone, the newest that of now_ms; [n] is now_ms. */
void quality_strip_days(int64_t now_ms, int64_t out[QUALITY_STRIP_DAYS + 1]);

/* Per cent of each day that is not in a gap, QUALITY_STRIP_UNKNOWN before the first reading, 0
 * without any. Instants rising; interval_ms is their median distance, 0 = unknown. */
void quality_strip_fill(const int64_t *ts_ms, size_t n, int64_t interval_ms,
                        const int64_t days[QUALITY_STRIP_DAYS + 1],
                        uint8_t present[QUALITY_STRIP_DAYS]);

/* {"from":date,"days","sensors":[{"asset","sensor","present":[per cent|null],"stuck":[first day,
 * last day]|null}],"n_whole","n_more"}: sensors with a day below 90 % or a stuck or flat stretch in
 * these days, the most absent first, at most 40; n_whole have none. Assets at their end are left
 * out. */
cJSON *quality_strip_json(const struct quality_class *c,
                          const int64_t days[QUALITY_STRIP_DAYS + 1]);

#endif
