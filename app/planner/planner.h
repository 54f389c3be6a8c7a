/* The plan: forecasts and preventive rules become work orders on days, under crew hours and money.
 * Drafts are made, moved and cancelled here; work that a person approved keeps its place. */
#ifndef APP_PLANNER_PLANNER_H
#define APP_PLANNER_PLANNER_H

#include "app/base/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

#define PLANNER_HORIZON_DAYS 90

struct planner_options {
    int64_t now_ms; /* 0 = the site's now (app/site.h) */
};

struct planner_summary {
    size_t n_predictive, n_preventive, n_other; /* open work orders in the plan */
    size_t n_new, n_changed, n_cancelled;       /* drafts written by this run */
    size_t n_placed, n_not_placed;
    int64_t expected_cost_minor, bound_minor; /* of the placed plan; the bound ignores crew hours */
    double gap_frac;                          /* (expected - bound) / bound */
    int64_t risk_left_minor, risk_total_minor; /* 30 days: with the plan, and without any work */
    double hours, hours_available;
    double seconds;
    size_t n_notices; /* webhook messages stored */
};

/* Computes the plan and writes it in one transaction, with the webhook messages of predictive work
 * orders and a row in table run (kind "plan") whose report schedule_json() shows. db is the writer.
 * Running it twice on the same data changes nothing the second time. */
enum ft_status planner_run(struct db *db, const struct planner_options *options,
                           struct planner_summary *out, struct ft_err *err);

/* What if: the plan with changed crews, costs, limits or stops beside the present one, without
 * saving anything; db may be a reader. changes is an object with any of
 *   "crews":[{"name","hours_per_day","weekdays","skills"}]  changed, or new ones
 *   "remove_crews":["Mech A"], "calendar":[calendar entries], "risk_limit":0..1,
 *   "downtime_factor":x, "repair_factor":x (of failure costs), "inspection_cost":money
 * In both plans work is proposed wherever it pays, cases raised or not. Answer: {"base":summary,
 * "changed":summary,"difference":{"expected_cost","risk_left","hours","placed","predictive"},
 * "moves":[{"title","asset","from","to","crew_from","crew_to"}]}; the caller frees it. FT_INVALID
 * names the JSON pointer. */
enum ft_status planner_what_if(struct db *db, const cJSON *changes, int64_t now_ms, cJSON **out,
                               struct ft_err *err);

/* What moving one work order to a day costs: {"work_order","from","to","cost_from","cost_to",
 * "difference","risk_from","risk_to","feasible","why"}. crew NULL = any that can. FT_NOT_FOUND
 * when the work order is not in the plan. */
enum ft_status planner_price_move(struct db *db, const char *key, int64_t day_ms, const char *crew,
                                  int64_t now_ms, cJSON **out, struct ft_err *err);

#endif
