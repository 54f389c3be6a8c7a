/* Parsed records into the database: what the import commands, the HTTP API and MQTT share. One call
 * is one transaction with an answer for each item; a bad item does not stop the others. */
#ifndef APP_INGEST_INGEST_H
#define APP_INGEST_INGEST_H

#include "app/base/status.h"
#include "app/ingest/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arrivals;
struct db;

struct ingest_reading {
    const char *asset, *sensor; /* key and name; NUL-terminated UTF-8 */
    int64_t ts_ms;
    double value; /* finite */
};

struct ingest_event {
    const char *asset;
    const char *kind;         /* failure, replacement, repair, inspection, alarm */
    const char *component;    /* NULL or "" = the asset as a whole */
    const char *code;         /* NULL = none */
    const char *note;         /* NULL = none */
    const char *external_key; /* NULL = none */
    const char *part;         /* serial number of the part put in; NULL or "" = unknown */
    int64_t ts_ms;
    double downtime_h;  /* NaN = unknown */
    int64_t cost_minor; /* DB_NO_MONEY = unknown */
};

struct ingest_result {
    enum ft_status status; /* FT_OK, else why the item was not taken */
    bool is_new;           /* false: it stood there already (or, a reading: was overwritten) */
    char reason[160];      /* in words when status is not FT_OK */
    int64_t id;            /* row of the event; sensor of the reading */
};

struct ingest_policy {
    /* Unknown assets are made in this class (which is made too); NULL: an unknown asset is
     * FT_NOT_FOUND. A known asset keeps its class. Sensors and components are made as needed. */
    const char *class_name;
    const char *source; /* stands in events: file name, API key name */
    /* NULL: a person's file, no limits. Where may_create is false an unknown asset or sensor is
     * FT_NOT_FOUND whatever class_name says. */
    const struct ingest_limits *limits;
    int64_t now_ms;            /* the clock that limits are about */
    struct arrivals *arrivals; /* counts how readings come in; NULL = nobody does */
};

/* Finds a sensor of an asset, or makes it within the limits (NULL = none). FT_NOT_FOUND: unknown
 * and none may be made; FT_REFUSED: there are too many. *n_sensors is the number of all sensors
 * when it is known, -1 when it is not yet; kept up to date. */
enum ft_status ingest_sensor(struct db *db, const struct ingest_limits *limits, int64_t asset_id,
                             const char *name, int64_t *n_sensors, int64_t *id, struct ft_err *err);

/* FT_OK: done, look at results[n]. FT_PARTIAL: done, at least one item was not taken. Anything
 * else: nothing was written. When (asset, sensor, instant) occurs twice, the later item wins. */
enum ft_status ingest_readings(struct db *db, const struct ingest_policy *policy,
                               const struct ingest_reading *items, size_t n,
                               struct ingest_result *results, struct ft_err *err);
enum ft_status ingest_events(struct db *db, const struct ingest_policy *policy,
                             const struct ingest_event *items, size_t n,
                             struct ingest_result *results, struct ft_err *err);

#endif
