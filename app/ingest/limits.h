/* What names and instants from outside must satisfy before they reach the database. */
#ifndef APP_INGEST_LIMITS_H
#define APP_INGEST_LIMITS_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INGEST_NAME_MAX 200 /* characters of an asset key, sensor, component or class name */

/* A name is 1..INGEST_NAME_MAX characters of UTF-8 without control characters, and does not begin
 * or end with a blank. FT_INVALID says what is wrong; what ("asset", "sensor") begins the text. */
enum ft_status ingest_check_name(const char *what, const char *name, size_t len,
                                 struct ft_err *err);

/* Instants are taken from the year 1 to the year 9999. */
bool ingest_is_instant(int64_t ts_ms);

/* What a door for live readings lets through; the same at every door. */
struct ingest_limits {
    bool may_create;       /* unknown assets and sensors are made, else refused */
    int64_t max_future_ms; /* readings further ahead of the clock are refused */
    int64_t max_sensors;   /* none is made beyond so many */
};

/* NULL when the instant is fine, else why not; limits NULL: any year will do. */
const char *ingest_check_instant(const struct ingest_limits *limits, int64_t ts_ms, int64_t now_ms);

#endif
