/* The health index of a class: readings -> residuals (app/health_expect.h) -> T2, Q and alarms
 * without labels (models/anomaly.h), per asset and tick. Needs no failure and no trained model, so
 * it speaks from the second week of readings on. Recorded failures, replacements and repairs only
 * start an asset's own baseline again. */
#ifndef APP_HEALTH_INDEX_H
#define APP_HEALTH_INDEX_H

#include "app/base/status.h"
#include "app/history.h"
#include "models/anomaly.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

struct health_index {
    const struct history *h; /* must outlive this */
    int64_t start_ms, tick_ms;
    size_t n_ticks;
    size_t n_sensors;
    size_t sensor[ANOMALY_MAX_SENSORS]; /* into h->sensors */
    struct anomaly *found;              /* units are h->assets, ticks and sensors as above; owned */
};

/* One false alarm of an asset in a year: what the alarm lines are set for. */
#define HEALTH_FALSE_PER_YEAR 1.0
#define HEALTH_MS_PER_YEAR (365.25 * 86400000.0)

/* From the begin of the first tick to the end of the last. FT_TOO_FEW: no readings. */
enum ft_status health_index_span(const struct history *h, int64_t *start_ms, int64_t *end_ms,
                                 struct ft_err *err);

/* Scales and lines are learned from readings before fit_until_ms (DB_NO_TIME = all). FT_TOO_FEW:
 * fewer than two weeks of ticks, or no sensor. Allocates O(assets * ticks * sensors). */
enum ft_status health_index_find(const struct history *h, int64_t fit_until_ms,
                                 struct health_index *out, struct ft_err *err);
void health_index_clear(struct health_index *x);

const struct anomaly_point *health_index_points(const struct health_index *x, size_t asset);

/* Newest tick of an asset with a value; SIZE_MAX = none. */
size_t health_index_newest(const struct health_index *x, size_t asset);

/* "bearing_temp_degc is 3.1 noise widths above its own baseline" at a tick, into out; the lead is
 * named by how it stands against its own baseline, or against its class while it has none. */
void health_index_text(const struct health_index *x, size_t asset, size_t tick, char *out,
                       size_t size);

/* {"asset","class","tick_s","method":"anomaly","as_of","health","score","alarm":{…}|null,"sensor",
 * "text","items":[{"at","health","t2","q","sensor","alarm"}]} with the newest limit ticks. NULL
 * when memory is gone. */
cJSON *health_index_json(const struct health_index *x, size_t asset, size_t limit);

/* The answer while there is too little data: "method" "none", why in "text", no items. */
cJSON *health_index_silent_json(const char *key, const char *class_name, const char *why);

struct asset;
struct db;

/* The same from the database; the class is loaded for it. Too little data is an answer too, the
 * silent one. err must not be NULL. */
enum ft_status health_index_asset_json(struct db *db, const struct asset *asset, size_t limit,
                                       cJSON **out, struct ft_err *err);

#endif
