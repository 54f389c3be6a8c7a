/* The asset page: one asset with its decision, forecast, parts, costs by date, sensors, work and
 * past cases; and its timeline. */
#ifndef APP_ASSET_PAGE_H
#define APP_ASSET_PAGE_H

#include "app/base/status.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

struct db;

/* GET /api/v1/assets/{key}. FT_NOT_FOUND when there is no such asset. The caller frees *out. */
enum ft_status asset_page_json(struct db *db, const char *key, cJSON **out, struct ft_err *err);

/* GET /api/v1/assets/{key}/timeline: events, work orders and model changes in [from_ms, to_ms),
 * oldest first, at most 2,000; to_ms 0 = no end. */
enum ft_status asset_timeline_json(struct db *db, const char *key, int64_t from_ms, int64_t to_ms,
                                   cJSON **out, struct ft_err *err);

#endif
