#include "app/site.h"

#include "app/base/clock.h"
#include "app/base/money.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/reading_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Defaults of the limits; a site changes them in table setting. */
#define DEFAULT_RISK_LIMIT 0.10      /* setting risk_limit */
#define DEFAULT_FREEZE_DAYS 7.0      /* setting freeze_days */
#define DEFAULT_HORIZON_DAYS 28.0    /* setting planning_days */
#define DEFAULT_WAITING_LIMIT 1000.0 /* setting waiting_limit_per_day, major units */
#define DEFAULT_MIN_DATA_FRAC 0.7    /* setting min_data_frac */

double site_setting_number(struct db *db, const char *key, double min, double max, double fallback)
{
    char text[64];
    char *end = NULL;
    db_setting_get(db, key, "", text, sizeof(text));
    const double v = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(v) || v < min || v > max)
        return fallback;
    return v;
}

enum ft_status site_load(struct db *db, struct site *out, struct ft_err *err)
{
    memset(out, 0, sizeof(*out));
    db_setting_get(db, "site_name", "", out->name, sizeof(out->name));
    db_setting_get(db, "time_zone", "UTC", out->zone, sizeof(out->zone));
    db_setting_get(db, "currency", "EUR", out->currency, sizeof(out->currency));
    out->risk_limit = site_setting_number(db, "risk_limit", 0.001, 0.999, DEFAULT_RISK_LIMIT);
    out->freeze_ms = (int64_t)(site_setting_number(db, "freeze_days", 0, 90, DEFAULT_FREEZE_DAYS) *
                               (double)MS_PER_DAY);
    out->horizon_ms =
        (int64_t)(site_setting_number(db, "planning_days", 1, 365, DEFAULT_HORIZON_DAYS) *
                  (double)MS_PER_DAY);
    out->waiting_limit_minor = money_from_major(
        site_setting_number(db, "waiting_limit_per_day", 0, 1e12, DEFAULT_WAITING_LIMIT),
        out->currency);
    out->min_data_frac = site_setting_number(db, "min_data_frac", 0, 1, DEFAULT_MIN_DATA_FRAC);
    out->now_ms = clock_now_ms();
    out->last_reading_ms = DB_NO_TIME;
    const enum ft_status st = reading_newest(db, &out->last_reading_ms, err);
    if (st == FT_NOT_FOUND) {
        out->last_reading_ms = DB_NO_TIME;
        return FT_OK;
    }
    if (st != FT_OK)
        return st;
    const char *frozen = getenv("FETTLE_NOW");
    if ((frozen == NULL || frozen[0] == '\0') &&
        out->now_ms - out->last_reading_ms > SITE_STALE_MS) {
        out->now_ms = out->last_reading_ms;
        out->is_past_data = true;
    }
    return FT_OK;
}

enum ft_status site_use_zone(struct db *db, struct ft_err *err)
{
    struct site site;
    const enum ft_status st = site_load(db, &site, err);
    return st == FT_OK ? clock_set_zone(site.zone, err) : st;
}
