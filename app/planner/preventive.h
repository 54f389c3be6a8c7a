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

/* How an asset's meter stands, for plans that count one. */
struct preventive_usage {
    double since_last; /* units since the last completion; NaN = unknown */
    double total;      /* the meter now; NaN = no reading */
    double per_day;    /* recent use, units a day; 0 or NaN = stands still, or unknown */
};

/* Recent use from a meter's readings by the rule of app/meter.h (rollover NaN = unknown). *per_day
 * NaN below two readings or a day. */
void preventive_read_usage(const int64_t *ts_ms, const double *value, size_t n, double rollover,
                           int64_t last_ms, struct preventive_usage *out);

/* Is the local day inside the plan's season? Always true without one; a season may run over the
 * new year. */
bool preventive_in_season(const struct plan *p, int64_t day);

/* Due dates in [now, until): local midnights, ascending, at most max; returns how many. last_ms is
 * the last completion (DB_NO_TIME = unknown). Floating plans count from it (in the rhythm of the
 * anchor when it is unknown); fixed ones keep the rhythm of the anchor, and a due date that was
 * done within its tolerance, or less than half an interval early, does not come again. Work that is
 * overdue is due today, once. A plan with a recurrence rule takes its days; one with a meter counts
 * from the last completion and is due when the forecast of its use (NULL = none) reaches the
 * interval or the calendar does, whichever comes first. Out of season nothing is due: a floating
 * plan waits for the season to begin, a fixed one leaves the date out. */
size_t preventive_due(const struct plan *p, int64_t last_ms, const struct preventive_usage *usage,
                      int64_t now_ms, int64_t until_ms, int64_t *due, size_t max);

/* "every 90 d", "every month on 1st Mon", "every 90 d or every 500 of run_hours". Returns out. */
enum { PREVENTIVE_WORDS = 240 };
const char *preventive_describe(const struct plan *p, char *out, size_t size);

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
