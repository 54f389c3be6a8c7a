/* Jobs of the plan: open work orders, what forecasts ask for, what preventive rules ask for, each
 * matched with the work order that stands for it already. Used by planner.c only. */
#ifndef APP_PLANNER_JOBS_H
#define APP_PLANNER_JOBS_H

#include "app/planner/assign.h"
#include "app/planner/preventive.h"
#include "app/snapshot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum job_source { JOB_ORDER, JOB_PREDICTIVE, JOB_PREVENTIVE };

struct job {
    enum job_source source;
    const struct work_order *order; /* that stands for it; NULL = a new one */
    int64_t asset_id, component_id, plan_id, model_id;
    char title[200];
    char reason[600];
    const char *kind;
    int priority;
    int64_t due_ms, earliest_ms, latest_ms;
    double hours;
    char skill[64]; /* "" = any */
    double risk_by_due;
    int64_t expected_cost_minor, waiting_minor_per_day;
    double best_cost; /* at its own best day */
    double *cost;     /* [n_days], owned by the job */
    double cost_left, setup, move_cost;
    int first_day, last_day, old_day, old_crew;
    int spare_day; /* predictive: the spare is not here before; the end of the plan = not in it */
    bool is_fixed;
    double cost_failure, cost_planned; /* predictive: minor units */
    double p_30d;
};

/* A draft whose reason has gone. */
struct job_cancel {
    const struct work_order *order;
    char why[200];
};

/* A plan and what the records say about it. */
struct job_plan {
    const struct plan *plan; /* NULL: the age rule of a component without a plan */
    size_t n_assets;
    struct preventive_verdict verdict;
};

struct jobs {
    struct job *items;
    size_t n, cap;
    struct job_cancel *cancels;
    size_t n_cancels, cap_cancels;
    struct job_plan *plans; /* [plans.n] of the snapshot */
    size_t n_plans;
};

/* Builds all jobs of the snapshot. The caller ends *out with jobs_free(), also after a failure. */
enum ft_status jobs_build(struct db *db, const struct snapshot *s, struct jobs *out,
                          struct ft_err *err);
void jobs_free(struct jobs *j);

/* Verdicts over all plans ([s->plans.n], calloc), for lists of work that does not pay. */
enum ft_status jobs_judge_plans(struct db *db, const struct snapshot *s, struct jobs *out,
                                struct ft_err *err);

/* qsort(): plans by what their verdict saves, the most first. */
int jobs_compare_plans(const void *x, const void *y);

#endif
