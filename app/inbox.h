/* What the inbox adds to the cases: its answer line, and of each case what a planner reads before
 * deciding, in sentences composed here so that every page and the terminal say the same. */
#ifndef APP_INBOX_H
#define APP_INBOX_H

#include "app/cases.h"

/* What to do about one case and when, and what it costs to leave it. */
struct inbox_decision {
    char lead[240], rest[480];
};
void inbox_decision(const struct snapshot *s, const struct snapshot_case *k,
                    struct inbox_decision *out);

/* First production stop in the asset's area after the best day; -1 = none. */
int inbox_next_stop(const struct snapshot *s, const struct snapshot_case *k);

/* Adds to the object of a case that has not ended: "name", "class", "area", "asset_state",
 * "asset_state_rule", "work", "decision":{"lead","rest"}, "lands", "crew", "duration_h",
 * "risk_limit". */
void inbox_add_case(const struct snapshot *s, const struct snapshot_case *k,
                    const struct forecast *f, cJSON *o);

/* Adds "answer":{"lead","rest"}: how many cases wait for a decision, how many of them cannot wait
 * past the coming Friday, what waiting costs, and the alarm budget; with nothing to decide, why. */
void inbox_add_answer(const struct snapshot *s, const struct case_budget *budget, cJSON *body);

#endif
