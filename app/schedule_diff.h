/* What changed in the plan between two instants, from the reports of its runs: each change with its
 * reason and the money it saves or costs. */
#ifndef APP_SCHEDULE_DIFF_H
#define APP_SCHEDULE_DIFF_H

#include "app/base/status.h"

#include <cjson/cJSON.h>
#include <stdint.h>

struct db;

/* {"from","to","runs","before":summary|null,"after":summary|null,"effect","currency",
 * "items":[{"at","change","title","from","to","why","effect"}]}: runs that began in [from_ms,
 * to_ms). before is the summary of the last run before from. The caller frees *out. */
enum ft_status schedule_diff_json(struct db *db, int64_t from_ms, int64_t to_ms, cJSON **out,
                                  struct ft_err *err);

#endif
