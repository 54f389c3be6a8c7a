/* Work orders at the edges: canonical JSON, the state machine, and closing with an outcome that
 * becomes the event which the next training learns from. */
#ifndef APP_WORK_ORDER_JSON_H
#define APP_WORK_ORDER_JSON_H

#include "app/base/status.h"
#include "db/work_order_store.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

struct db;

/* {"id","key","external_key","title","note","kind","status","priority","asset","component","plan",
 * "model","crew","due","earliest","latest","scheduled","started","ended","duration_h",
 * "risk_by_due","expected_cost","waiting_per_day","currency","reason","outcome","pinned","assignee",
 * "labour_h","downtime_h","cost","failure_code","cause_code","remedy_code","checklist","parts",
 * "version","created","updated","approved"}: names for other rows, instants RFC 3339 UTC, money in
 * major units, absent = null. The caller frees *out. */
enum ft_status work_order_to_json(struct db *db, const struct work_order *w, cJSON **out,
                                  struct ft_err *err);

/* Puts the members of a JSON object into *w (strings it replaces are freed). Allowed: title, note,
 * kind, status, priority, asset, component, crew, due, earliest, latest, scheduled, started,
 * ended, duration_h, expected_cost, reason, pinned, external_key, assignee, labour_h, downtime_h,
 * cost, failure_code, cause_code, remedy_code, checklist, parts. is_new: title and asset are
 * required, kind defaults to corrective, status to draft, *w is filled from zero. Otherwise it is a
 * merge patch (RFC 7396: null clears); asset and kind cannot change, and a status must be
 * reachable (FT_CONFLICT). Codes must be of the lists (codes.h). FT_INVALID names the JSON pointer.
 * Unknown members are refused. */
enum ft_status work_order_from_json(struct db *db, const cJSON *json, bool is_new,
                                    struct work_order *w, struct ft_err *err);

/* Sets the members that are neither text nor 0 to "none"; strings NULL. */
void work_order_init(struct work_order *w);

/* A copy with its own strings; end it with work_order_clear(), also after a failure. */
enum ft_status work_order_copy(const struct work_order *from, struct work_order *to,
                               struct ft_err *err);

bool work_order_is_status(const char *status);
bool work_order_is_kind(const char *kind);
/* May a work order go from one status to the other? The same status is always fine. */
bool work_order_may_change(const char *from, const char *to);
/* draft, approved, sent, scheduled, in_progress or on_hold */
bool work_order_is_open(const char *status);

/* Close-out. outcome: confirmed (the foreseen fault, found before it failed), other_fault,
 * nothing_found, had_failed. Writes the event (confirmed or other_fault: replacement of the
 * component, had_failed: failure, nothing_found: inspection), sets the status closed, ended and
 * outcome, updates *w and the row. component_name NULL = the work order's own; code NULL = none.
 * FT_CONFLICT when it is not open or done. */
struct work_order_outcome {
    const char *outcome;
    const char *component_name;
    const char *code;
    const char *note;
    int64_t ended_ms;                     /* DB_NO_TIME = now */
    int64_t downtime_ms;                  /* DB_NO_TIME = unknown */
    int64_t cost_minor;                   /* DB_NO_MONEY = unknown */
    const char *cause_code, *remedy_code; /* NULL = none */
    double labour_h;                      /* NaN = unknown */
};
enum ft_status work_order_close(struct db *db, struct work_order *w,
                                const struct work_order_outcome *o, int64_t now_ms,
                                int64_t *event_id, struct ft_err *err);

#endif
