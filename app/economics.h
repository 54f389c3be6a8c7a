/* What a failure, a planned job and a false alarm cost, per asset and component. Figures come from
 * the asset, its component, its class, then the site's settings, then named defaults that are
 * marked as such. */
#ifndef APP_ECONOMICS_H
#define APP_ECONOMICS_H

#include "app/base/status.h"
#include "app/catalog.h"

#include <stdbool.h>
#include <stdint.h>

struct db;

/* Our own assumptions, in major units of the currency and hours; settings of the same name in
 * table setting replace them. */
#define ECONOMICS_DOWNTIME_PER_H 1000.0  /* default_downtime_per_h */
#define ECONOMICS_UNPLANNED_H 6.0        /* default_unplanned_h */
#define ECONOMICS_PLANNED_H 1.5          /* default_planned_h */
#define ECONOMICS_UNPLANNED_REPAIR 6000. /* default_unplanned_repair */
#define ECONOMICS_PLANNED_REPAIR 3000.0  /* default_planned_repair */
#define ECONOMICS_FALSE_ALARM 450.0      /* default_false_alarm */
#define ECONOMICS_LABOUR_PER_H 60.0      /* default_labour_per_h */

struct economics {
    char currency[4];
    int64_t downtime_minor_per_h;
    double unplanned_h, planned_h;
    int64_t unplanned_repair_minor, planned_repair_minor, false_alarm_minor;
    int64_t labour_minor_per_h;
    bool is_set; /* at least one of them comes from the settings */
};

/* The site's own defaults. */
void economics_load(struct db *db, const char *currency, struct economics *out);

struct job_costs {
    int64_t failure_minor;      /* C_F = unplanned_h x downtime + unplanned repair */
    int64_t planned_minor;      /* C_P = planned_h x downtime + planned repair */
    int64_t planned_stop_minor; /* share of C_P that a production stop saves (its downtime) */
    int64_t false_alarm_minor;  /* C_i */
    int64_t downtime_minor_per_h;
    double unplanned_h, planned_h;
    bool has_default; /* some figure is a default of the program or the site */
};

/* component_id 0: the mean over the components of the asset's class, or the defaults. */
struct job_costs economics_costs(const struct economics *e, const struct catalog *c,
                                 const struct asset *a, int64_t component_id);

/* p x (C_F - C_P), never below 0; 0 for NaN. */
int64_t economics_at_risk(const struct job_costs *k, double p);

#endif
