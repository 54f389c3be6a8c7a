/* Preventive plans: when each asset is due, and which plans do not pay. Days are the site's: a rule
 * of 30 days stays on local midnights through clock changes. */
#ifndef APP_PLANNER_PREVENTIVE_H
#define APP_PLANNER_PREVENTIVE_H

#include "app/economics.h"
#include "app/lives.h"
#include "db/work_order_store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Due dates in [now, until): local midnights, ascending, at most max; returns how many. last_ms is
 * the last completion (DB_NO_TIME = unknown). Floating plans count from it (in the rhythm of the
 * anchor when it is unknown); fixed ones keep the rhythm of the anchor, and a due date that was
 * done within its tolerance, or less than half an interval early, does not come again. Work that is
 * overdue is due today, once. */
size_t preventive_due(const struct plan *p, int64_t last_ms, int64_t now_ms, int64_t until_ms,
                      int64_t *due, size_t max);

/* What the records say about a plan. */
struct preventive_evidence {
    const struct life *life;    /* of the part; NULL = none */
    double cost_planned;        /* C_P of one job, minor units */
    double cost_failure;        /* C_F, minor units */
    size_t n_assets;            /* that the plan covers */
    size_t n_looks, n_findings; /* inspections done, and those that found something */
};

enum preventive_advice { PREVENTIVE_KEEP, PREVENTIVE_STOP, PREVENTIVE_LONGER, PREVENTIVE_SHORTER };

struct preventive_verdict {
    enum preventive_advice advice;
    double best_interval_d; /* NaN = none (run to failure, or unknown) */
    double saving_per_year; /* minor units, >= 0 */
    char why[240];
};

/* A replacement pays when its cost rate is near the least one; an inspection when it finds
 * something. Without enough records the plan is kept, and why says so. */
void preventive_judge(const struct plan *p, const struct preventive_evidence *e,
                      struct preventive_verdict *out);

#endif
