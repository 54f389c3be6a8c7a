/* Private to planner.c and what_if.c: one planner run. */
#ifndef APP_PLANNER_PLANNER_PRIVATE_H
#define APP_PLANNER_PLANNER_PRIVATE_H

#include "app/cases.h"
#include "app/planner/jobs.h"
#include "app/planner/planner.h"
#include "app/planner/solver_cbc.h"

#include <cjson/cJSON.h>

struct run {
    struct db *db;
    struct snapshot s;
    struct jobs jobs;
    struct assign_place *place; /* [jobs.n] */
    struct assign_result result;
    struct solver_result solver;
    struct planner_summary *out;
    struct case_budget budget; /* as the run left it */
    cJSON *changes, *not_placed;
};

/* Puts the jobs on the days of the snapshot. */
enum ft_status planner_place(struct run *r, struct ft_err *err);
/* Fills *r->out from a placed plan, and shows it as members of an object. */
void planner_sum(struct run *r);
void planner_add_summary(cJSON *to, const struct run *r);

#endif
