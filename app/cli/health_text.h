/* fettle predict --health: the health index of every asset, or one asset's by tick. */
#ifndef APP_CLI_HEALTH_TEXT_H
#define APP_CLI_HEALTH_TEXT_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct db;

struct health_text_options {
    const char *class_name, *asset; /* NULL = all */
    int64_t at_ms;                  /* nothing later is seen; DB_NO_TIME = all data */
    bool as_json;
};

/* Prints. FT_NOT_FOUND: no such class or asset. Classes that have too little data say so (in JSON
 * each of their assets) and are passed over, unless the class was asked for in words. */
enum ft_status health_text_print(struct db *db, const struct health_text_options *o,
                                 struct ft_err *err);

#endif
