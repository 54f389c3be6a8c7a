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

#endif
