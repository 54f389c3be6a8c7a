/* How good the champions of a class are on what they have not seen: held-out units at their last
 * reading (rul), or rows after the instant up to which they were trained (failure). The baseline
 * beside every figure is age alone on the same rows. */
#ifndef APP_EVALUATE_H
#define APP_EVALUATE_H

#include "app/base/pool.h"
#include "app/base/status.h"

#include <cjson/cJSON.h>
#include <stdint.h>

struct db;

struct evaluate_options {
    const char *class_name;
    const char *target; /* "rul", "failure"; NULL = rul when the class has such a champion */
    int64_t from_ms;    /* failure: DB_NO_TIME = the newest training end of the champions */
    int64_t to_ms;      /* DB_NO_TIME = all data */
};

/* JSON of DESIGN section 7; the caller ends it with cJSON_Delete(). FT_NOT_FOUND: no champion;
 * FT_CONFLICT: a champion has seen data after from_ms; FT_TOO_FEW: nothing to evaluate on. */
enum ft_status evaluate_class(struct db *db, const struct evaluate_options *o, struct pool *pool,
                              cJSON **out, struct ft_err *err);

#endif
