/* Puts jobs on days and crews: greedy by what waiting costs, then bounded local improvement. Pure
 * and deterministic: the same jobs give the same plan, whatever the speed of the machine.
 *
 * Money is in any one unit (minor units here). Objective: sum of the day costs of the placed jobs,
 * plus the cost of leaving the others, plus what moves cost, minus one set-up for each further job
 * on the same asset and day. */
#ifndef APP_PLANNER_ASSIGN_H
#define APP_PLANNER_ASSIGN_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct assign_job {
    double hours;            /* crew hours; above a crew's day it runs over following days */
    int64_t asset_id;        /* set-up is shared by jobs of one asset on one day */
    const char *skill;       /* NULL or "" = any crew */
    int first_day, last_day; /* may start on these days, inclusive */
    const double *cost;      /* [n_days] cost when it starts on day d; INFINITY = not allowed */
    double cost_left;        /* when it is not placed */
    double setup;            /* saved when it shares a stop; >= 0 */
    int old_day;             /* -1 = not in the last plan */
    int old_crew;            /* index, -1 = none */
    double move_cost;        /* of leaving old_day */
    bool is_fixed;           /* stays at old_day and old_crew whatever it takes */
};

struct assign_crew {
    const char *skills;  /* comma-separated; "" = any */
    const double *hours; /* [n_days] hours on each day; 0 = does not work */
};

struct assign_place {
    int day, crew; /* -1 = not placed */
};

struct assign_result {
    double cost;  /* objective of the plan */
    double bound; /* no plan costs less */
    size_t n_placed;
    size_t n_moves; /* improving changes made after the greedy start */
    double *used;   /* [n_crews * n_days] hours used, crew-major; owned, free with free() */
};

#define ASSIGN_MAX_DAYS 400
/* Another crew on the same day costs this share of a move. */
#define ASSIGN_CREW_SHARE 0.25

/* place[n_jobs] receives the plan. A fixed job is placed even when the day is full. FT_INVALID:
 * n_days out of range or a fixed job off the board; FT_NOMEM. */
enum ft_status assign_solve(const struct assign_job *jobs, size_t n_jobs,
                            const struct assign_crew *crews, size_t n_crews, int n_days,
                            struct assign_place *place, struct assign_result *out,
                            struct ft_err *err);

/* Objective of a whole plan, wherever it comes from. FT_CONFLICT names the first job that breaks a
 * rule: outside its days, a forbidden day, without the skill, over a crew's hours (pinned jobs may
 * be), not at its pinned place. */
enum ft_status assign_price(const struct assign_job *jobs, size_t n_jobs,
                            const struct assign_crew *crews, size_t n_crews, int n_days,
                            const struct assign_place *place, double *cost, struct ft_err *err);

/* The same with hours and counts: fills *out but for bound and n_moves; free out->used. */
enum ft_status assign_recount(const struct assign_job *jobs, size_t n_jobs,
                              const struct assign_crew *crews, size_t n_crews, int n_days,
                              const struct assign_place *place, struct assign_result *out,
                              struct ft_err *err);

/* Does the comma-separated list hold the skill? "" and NULL skills fit every crew, and a crew with
 * an empty list can do everything. */
bool assign_has_skill(const char *skills, const char *skill);

#endif
