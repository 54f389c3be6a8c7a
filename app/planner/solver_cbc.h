/* The optional exact solver behind the planner's own heuristic: COIN-OR CBC, the only file that
 * includes it. Built in when pkg-config finds it (Makefile switch WITH_CBC); without it every call
 * answers that nothing was tried, and the heuristic's plan stands. */
#ifndef APP_PLANNER_SOLVER_CBC_H
#define APP_PLANNER_SOLVER_CBC_H

#include "app/planner/assign.h"

#include <stdbool.h>

struct solver_result {
    bool is_tried;    /* the solver is built in and the problem fits */
    bool is_proven;   /* place is an optimum */
    bool is_improved; /* place was changed */
    double cost;      /* of place; only when tried */
    double bound;     /* no plan costs less; only when tried */
    size_t n_columns; /* of the model */
    double seconds;
};

/* Is the solver part of this program? */
bool solver_is_built_in(void);

/* Proves that place (a whole plan by assign_solve()) costs least, or finds a cheaper one. Stops
 * after max_seconds with what it has. max_columns keeps problems out that it could not hold in that
 * time (0 = no limit). Not deterministic when the time runs out; the proven optimum's cost is. */
enum ft_status solver_improve(const struct assign_job *jobs, size_t n_jobs,
                              const struct assign_crew *crews, size_t n_crews, int n_days,
                              double max_seconds, size_t max_columns, struct assign_place *place,
                              struct solver_result *out, struct ft_err *err);

#endif
