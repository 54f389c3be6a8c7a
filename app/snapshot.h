/* Everything that planning and the pages decide from, read once: site, catalog, costs, lives,
 * forecasts, plans, crews, calendar, open work. One snapshot gives one consistent answer. */
#ifndef APP_SNAPSHOT_H
#define APP_SNAPSHOT_H

#include "app/base/status.h"
#include "app/catalog.h"
#include "app/economics.h"
#include "app/forecast.h"
#include "app/lives.h"
#include "app/planner/days.h"
#include "app/planner/predictive.h"
#include "app/site.h"
#include "db/case_store.h"
#include "db/work_order_store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

#define SNAPSHOT_DAYS 90

struct snapshot_forecast {
    struct forecast f;
    int64_t scored_ms;
};

struct snapshot {
    struct site site;
    struct catalog catalog;
    struct economics economics;
    struct lives lives;
    struct snapshot_forecast *forecasts; /* by asset, component */
    size_t n_forecasts;
    struct plan_list plans;
    struct crew_list crews; /* one crew "any" of id 0 when the site has none */
    struct calendar_list calendar;
    struct work_order_list open; /* open work orders, by id */
    struct risk_case_list cases; /* open ones, and those that end a budget's week or cool down */
    bool is_trial;    /* a what-if: work is proposed also where no case has been raised yet */
    struct days days; /* SNAPSHOT_DAYS days from today */
};

/* Reads all of it. The process must already run in the site's zone (clock_set_zone). now_ms 0 = the
 * site's now. The caller ends *out with snapshot_free(), also after a failure. */
enum ft_status snapshot_load(struct db *db, int64_t now_ms, struct snapshot *out,
                             struct ft_err *err);
void snapshot_free(struct snapshot *s);

/* Reads s->cases again, after they were written; the old list is freed by the caller. */
enum ft_status snapshot_read_cases(struct db *db, struct snapshot *s, struct ft_err *err);

/* Forecasts of one asset: *n of them from the returned one on (NULL when none). */
const struct snapshot_forecast *snapshot_of_asset(const struct snapshot *s, int64_t asset_id,
                                                  size_t *n);

/* Those that decide: the components' when there are any with an answer, else the asset's own. */
bool snapshot_decides(const struct snapshot_forecast *all, size_t n, size_t i);

/* P(failure of the whole asset within dur_ms from the site's now): the asset's own forecast, else
 * composed of its components as if independent. low and high: its 80 % limits, NaN when unknown;
 * each may be NULL. NaN without a forecast. */
double snapshot_probability(const struct snapshot *s, int64_t asset_id, int64_t dur_ms, double *low,
                            double *high);

/* The case of one forecast: costs and due window. */
struct snapshot_case {
    const struct asset *asset;
    int64_t component_id;
    struct job_costs costs;
    double life_rate;               /* minor units per day */
    double p_age_only;              /* in 30 days; NaN = unknown */
    const struct work_order *order; /* the open work order of the same asset and component */
    int spare_day;                  /* see snapshot_spare_day() */
    struct predictive_window window;
};
void snapshot_case(const struct snapshot *s, const struct forecast *f, struct snapshot_case *out);

/* The first day on which the component's spare is here: its lead time in days, each begun one
 * whole, after the day on which the work was approved; after today when it was not, or w is NULL. 0
 * = today, also without a lead time; SNAPSHOT_DAYS = not within the plan. */
int snapshot_spare_day(const struct snapshot *s, int64_t component_id, const struct work_order *w);

/* Open predictive or corrective work on the asset and component (0 = asset); NULL when none. */
const struct work_order *snapshot_open_order(const struct snapshot *s, int64_t asset_id,
                                             int64_t component_id);

/* P within dur_ms from now and its limits, of one forecast. */
double snapshot_forecast_p(const struct snapshot *s, const struct forecast *f, int64_t dur_ms,
                           double *low, double *high);

#endif
