/* From a forecast and its costs to a due window. Pure: no database, no clock.
 *
 * Days count from now. The expected cost of doing the work on day d is
 *   cost(d) = C_P(d) S(d) + C_F F(d) + g * (life still in the part over the horizon),
 * S and F conditional on being alive now. g, the part's long-run cost per day, is what a day of its
 * life is worth; its least value is where the hazard times (C_F - C_P) crosses g, which is the
 * instant of least expected cost rate (Barlow and Proschan 1965; Makis and Jardine 1992). */
#ifndef APP_PLANNER_PREDICTIVE_H
#define APP_PLANNER_PREDICTIVE_H

#include "app/forecast.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PREDICTIVE_MAX_DAYS 400
#define PREDICTIVE_WINDOW_DAYS 30 /* the chance of failure that decides is over this many days */
/* An open case stays open until the chance falls below this share of the opening threshold. */
#define PREDICTIVE_HYSTERESIS 0.7

struct predictive_input {
    const struct forecast *forecast;
    int64_t now_ms;
    double cost_failure, cost_planned; /* C_F, C_P, minor units */
    const double *planned_on;          /* [n_days] C_P on each day; NULL = cost_planned */
    const bool *is_workday;            /* [n_days] may work be done then? NULL = every day */
    double inspection_cost;            /* C_i, price of a false alarm, minor units */
    double life_rate;                  /* g, minor units per day; >= 0 */
    double p_age_only;                 /* chance in the window by age alone; NaN = unknown */
    double risk_limit;                 /* 0..1 */
    int n_days;                        /* horizon, 2..PREDICTIVE_MAX_DAYS */
    int lead_days;                     /* the spare is not here before this day */
    bool is_open;                      /* a case is open: hysteresis */
};

struct predictive_window {
    bool pays;
    int best, earliest, latest; /* days from now */
    double p_window;            /* chance of failure within the window */
    double p_open;              /* from which work pays */
    double saving;              /* against leaving it, minor units */
    double waiting_per_day;     /* one more day after the best one, >= 0, minor units */
    double risk_by_best;
    double cost_best, cost_left; /* expected; left = not within the horizon */
    int n_days;
    double cost[PREDICTIVE_MAX_DAYS]; /* expected cost of each day */
    double risk[PREDICTIVE_MAX_DAYS]; /* chance of failure before each day */
};

/* Fills *out; pays is false without a forecast. */
void predictive_window(const struct predictive_input *in, struct predictive_window *out);

#endif
