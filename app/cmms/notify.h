/* Tells subscribers about a work order: the message is stored in the caller's transaction, the
 * sender (webhooks) takes it from there. */
#ifndef APP_CMMS_NOTIFY_H
#define APP_CMMS_NOTIFY_H

#include "app/base/status.h"
#include "db/work_order_store.h"

#include <stddef.h>
#include <stdint.h>

enum notify_kind { NOTIFY_PROPOSED, NOTIFY_CHANGED, NOTIFY_CANCELLED };

/* "work_order.proposed", "work_order.changed", "work_order.cancelled" */
const char *notify_event_type(enum notify_kind kind);

/* Stores {"type","timestamp","data":{work order}} for every webhook that wants it. The message id
 * follows from key, version and type, so the same change is never told twice under two ids.
 * *n_stored may be NULL. */
enum ft_status notify_work_order(struct db *db, enum notify_kind kind, const struct work_order *w,
                                 int64_t now_ms, size_t *n_stored, struct ft_err *err);

#endif
