/* The stored plan as JSON, CSV or an iCalendar feed: work orders that stand in [from, to), the
 * load of each crew, stops, what changed and why, what could not be placed, what does not pay. */
#ifndef APP_SCHEDULE_REPORT_H
#define APP_SCHEDULE_REPORT_H

#include "app/base/buf.h"
#include "app/base/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

struct db;

struct schedule_query {
    int64_t from_ms, to_ms; /* 0 = today's midnight, and 28 days after from_ms */
    const char *kind;       /* NULL or "all"; predictive; preventive (also inspection plans) */
};

/* FT_INVALID: unknown kind, or to_ms <= from_ms. The caller frees *out. */
enum ft_status schedule_json(struct db *db, const struct schedule_query *q, cJSON **out,
                             struct ft_err *err);
enum ft_status schedule_csv(struct db *db, const struct schedule_query *q, struct buf *out,
                            struct ft_err *err);
/* text/calendar (RFC 5545). Cancelled work of the last 30 days goes out with STATUS:CANCELLED, so
 * calendars that subscribed take it down. */
enum ft_status schedule_ics(struct db *db, const struct schedule_query *q, struct buf *out,
                            struct ft_err *err);

/* Is there a plan in this database yet (a finished planner run)? */
enum ft_status schedule_exists(struct db *db, bool *exists, struct ft_err *err);

#endif
