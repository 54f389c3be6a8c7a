/* Preventive plans and calendar entries at the edges: their JSON, which the API, the import of
 * tables and the optimiser share. */
#ifndef APP_PLAN_JSON_H
#define APP_PLAN_JSON_H

#include "app/base/status.h"
#include "app/catalog.h"
#include "db/work_order_store.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

struct db;

/* {"key","name","class","asset","component","action","interval_s","rrule","every","meter",
 * "meter_interval","meter_only","season","tolerance_s","anchor","floating","covers":[],
 * "duration_h","cost","skill","checklist":[],"parts":[{"part","quantity"}],"active","version",
 * "updated"}; every is the rhythm in words. The caller frees it; NULL: no memory. */
cJSON *plan_to_json(const struct plan *p, const struct catalog *c, const char *currency);

/* Puts the members of a JSON object into *p (strings it replaces are freed). is_new: name and one
 * of class and asset are needed, and one of interval_s, rrule and meter; *p is filled from zero,
 * action defaults to service, floating to true, duration_h to 1, anchor to now_ms, tolerance to a
 * tenth of the interval. Otherwise a merge patch (null clears); key, class and asset cannot change.
 * season is "11-01/02-28". FT_INVALID names the JSON pointer. */
enum ft_status plan_from_json(struct db *db, const cJSON *json, bool is_new, int64_t now_ms,
                              struct plan *p, struct ft_err *err);

/* The next free "PM-0001"; FT_INTERNAL when there are too many. */
enum ft_status plan_next_key(struct db *db, char out[32], struct ft_err *err);

/* {"id","kind","start","end","crew","area","note","rrule"}. */
cJSON *calendar_to_json(const struct calendar_entry *e, const struct crew_list *crews);
/* A whole entry from JSON, without id: kind, start and end are needed. Strings are owned by *e; end
 * it with calendar_entry_clear(). */
enum ft_status calendar_from_json(const cJSON *json, const struct crew_list *crews,
                                  struct calendar_entry *e, struct ft_err *err);
void calendar_entry_clear(struct calendar_entry *e);

/* {"name","skills","hours_per_day","weekdays":["Mon",...],"rate_per_h"} */
cJSON *crew_to_json(const struct crew *k, const char *currency);
/* A merge patch onto *k (name is needed when it has none; weekdays default to Monday to Friday). */
enum ft_status crew_from_json(const cJSON *json, const char *currency, struct crew *k,
                              struct ft_err *err);
void crew_clear(struct crew *k);

#endif
