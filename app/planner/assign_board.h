/* Private to the files assign*.c: the board of days and crews while a plan is being made. */
#ifndef APP_PLANNER_ASSIGN_BOARD_H
#define APP_PLANNER_ASSIGN_BOARD_H

#include "app/planner/assign.h"

#define ASSIGN_EPS 1e-7   /* money */
#define ASSIGN_EPS_H 1e-9 /* hours */

/* A start that a job may have. */
struct cell {
    double cost; /* without set-up that it shares */
    int16_t day, crew;
};

struct board {
    const struct assign_job *jobs;
    size_t n_jobs;
    const struct assign_crew *crews;
    size_t n_crews;
    int n_days;
    struct assign_place *place; /* [n_jobs], of the caller */
    double *used;               /* [n_crews * n_days] */
    size_t *asset;              /* [n_jobs] index of the job's asset */
    double *setup;              /* [n_assets] */
    unsigned *count;            /* [n_assets * n_days] jobs of the asset that start on the day */
    size_t *n_of_asset;         /* [n_assets] */
    size_t n_assets;
    unsigned char *able; /* [n_jobs * n_crews] */
    struct cell *cells;  /* of all jobs, each job's by rising cost */
    size_t *first_cell;  /* [n_jobs + 1] */
    long budget;         /* cells that may still be looked at */
};

/* Fills *b (jobs, crews, days and place are set) from an empty board. board_free() also after a
 * failure. */
enum ft_status board_new(struct board *b, struct ft_err *err);
/* Lists the starts of every job; needed by the search and the bound. */
enum ft_status board_list_cells(struct board *b, struct ft_err *err);
void board_free(struct board *b);

/* Does the job fit when it starts on the day? It takes whole days of the crew until the rest fits
 * into one. is_empty: on a board without other work. */
bool board_fits(const struct board *b, size_t j, int day, size_t crew, bool is_empty);
/* Puts the job (day -1: leaves it), or takes it off. */
void board_put(struct board *b, size_t j, struct assign_place p);
void board_take_out(struct board *b, size_t j);
/* Cost of a day for a job, without set-up shared with others. */
double board_day_cost(const struct board *b, size_t j, int day, int crew);
/* Cost of the job where it would stand, with the board as it is without it. */
double board_cost_at(const struct board *b, size_t j, struct assign_place p);
/* Cheapest place of a job that is not on the board; leaving it is one of them. */
struct assign_place board_find_best(struct board *b, size_t j, double *cost);
/* Cheapest cost of a job alone on an empty board. */
double board_cost_alone(const struct board *b, size_t j);

/* assign_search.c: takes some jobs out and puts them back better, again and again, until the
 * budget is spent. The same input gives the same plan. Returns how many times it got better. */
size_t search_improve(struct board *b);

/* assign_bound.c: no plan costs less. cost is that of a plan at hand. */
double bound_of(const struct board *b, double cost);

#endif
