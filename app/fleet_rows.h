/* One row per asset, computed from a snapshot: state, money at risk, forecast, next work. The fleet
 * page, the asset page, the key figures and the terminal summary all start from it. */
#ifndef APP_FLEET_ROWS_H
#define APP_FLEET_ROWS_H

#include "app/base/status.h"
#include "app/snapshot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fleet_state { FLEET_ACT, FLEET_SOON, FLEET_WATCH, FLEET_NORMAL, FLEET_NO_DATA, FLEET_STATES };

const char *fleet_state_name(enum fleet_state state); /* act, soon, watch, normal, no_data */

struct fleet_row {
    const struct asset *asset;
    const char *class_name;
    enum fleet_state state;
    char state_rule[240];
    double risk, risk_low, risk_high;                            /* minor units; NaN = unknown */
    double p, p_low, p_high;                                     /* within the window */
    double rul_median_ms, rul_low_ms, rul_high_ms, rul_coverage; /* NaN, infinity */
    char why[160];                                               /* in one clause */
    double waiting_per_day;                                      /* minor units */
    int64_t component_id;          /* that decides the state, then carries most risk; 0 = asset */
    const struct forecast *lead;   /* its forecast; NULL = none */
    bool has_case;                 /* work pays, or is open */
    const struct work_order *next; /* earliest open work; NULL = none */
    double data_frac;
    size_t n_sensors, n_stale;
};

/* State of one component or asset whose case is k (see the rule in the texts it makes). */
enum fleet_state fleet_state_of(const struct snapshot *s, const struct snapshot_case *k,
                                const struct forecast *f, char rule[240]);

/* Rows of every asset in service, in the order of the catalog; calloc'ed. */
enum ft_status fleet_rows_build(const struct snapshot *s, int64_t window_ms, struct fleet_row **out,
                                size_t *n, struct ft_err *err);

/* The row of one asset, whether in service or not. */
void fleet_row_build(const struct snapshot *s, const struct asset *a, int64_t window_ms,
                     struct fleet_row *out);

#endif
