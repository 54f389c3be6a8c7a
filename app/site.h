/* What the whole site shares: name, zone, currency, limits, and which instant "now" is. Settings
 * live in table setting; each has a default here. */
#ifndef APP_SITE_H
#define APP_SITE_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

/* Newest readings older than this mean the database holds past data (a study, an archive): the
 * site's now is then the newest reading, so that windows and due dates mean something. */
#define SITE_STALE_MS (INT64_C(7) * 86400000)

struct site {
    char name[128];
    char zone[64];    /* setting time_zone, default UTC */
    char currency[4]; /* setting currency, default EUR */
    int64_t now_ms;   /* wall clock (or FETTLE_NOW), or the newest reading of past data */
    bool is_past_data;
    int64_t last_reading_ms; /* DB_NO_TIME = none */

    double risk_limit;           /* highest chance of failure before planned work, 0..1 */
    int64_t freeze_ms;           /* nearest part of the plan that does not change by itself */
    int64_t horizon_ms;          /* "soon": due windows that open within it */
    int64_t waiting_limit_minor; /* waiting that costs more than this a day is "act" */
    double min_data_frac;        /* below it an asset has no data */
};

/* Reads the settings and finds now. Never fails for a missing setting. */
enum ft_status site_load(struct db *db, struct site *out, struct ft_err *err);

/* Puts the process into the site's zone (clock_set_zone); for commands, before threads start. */
enum ft_status site_use_zone(struct db *db, struct ft_err *err);

/* Site settings by key, as a number in [min, max]; fallback when absent or out of range. */
double site_setting_number(struct db *db, const char *key, double min, double max, double fallback);

#endif
