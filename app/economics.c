#include "app/economics.h"

#include "app/base/money.h"
#include "app/site.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int64_t money_setting(struct db *db, const char *key, double fallback, struct economics *e)
{
    const double v = site_setting_number(db, key, 0, 1e12, -1);
    e->is_set |= v >= 0;
    return money_from_major(v >= 0 ? v : fallback, e->currency);
}

static double hours_setting(struct db *db, const char *key, double fallback, struct economics *e)
{
    const double v = site_setting_number(db, key, 0, 1e5, -1);
    e->is_set |= v >= 0;
    return v >= 0 ? v : fallback;
}

void economics_load(struct db *db, const char *currency, struct economics *out)
{
    memset(out, 0, sizeof(*out));
    snprintf(out->currency, sizeof(out->currency), "%.3s", currency);
    out->downtime_minor_per_h =
        money_setting(db, "default_downtime_per_h", ECONOMICS_DOWNTIME_PER_H, out);
    out->unplanned_h = hours_setting(db, "default_unplanned_h", ECONOMICS_UNPLANNED_H, out);
    out->planned_h = hours_setting(db, "default_planned_h", ECONOMICS_PLANNED_H, out);
    out->unplanned_repair_minor =
        money_setting(db, "default_unplanned_repair", ECONOMICS_UNPLANNED_REPAIR, out);
    out->planned_repair_minor =
        money_setting(db, "default_planned_repair", ECONOMICS_PLANNED_REPAIR, out);
    out->false_alarm_minor = money_setting(db, "default_false_alarm", ECONOMICS_FALSE_ALARM, out);
    out->labour_minor_per_h =
        money_setting(db, "default_labour_per_h", ECONOMICS_LABOUR_PER_H, out);
}

static int64_t money_or(int64_t own, int64_t fallback, bool *is_default)
{
    *is_default |= own == DB_NO_MONEY;
    return own != DB_NO_MONEY ? own : fallback;
}

static double hours_or(double own, double fallback, bool *is_default)
{
    *is_default |= isnan(own);
    return isnan(own) ? fallback : own;
}

/* Costs with the figures of one component; x NULL = defaults only. */
static struct job_costs costs_of(const struct economics *e, const struct asset_class *cl,
                                 const struct asset *a, const struct component *x)
{
    struct job_costs k = {0};
    int64_t per_h = a->downtime_minor_per_h;
    if (per_h == DB_NO_MONEY && cl != NULL)
        per_h = cl->downtime_minor_per_h;
    k.downtime_minor_per_h = money_or(per_h, e->downtime_minor_per_h, &k.has_default);
    k.unplanned_h = hours_or(x != NULL ? x->unplanned_h : NAN, e->unplanned_h, &k.has_default);
    k.planned_h = hours_or(x != NULL ? x->planned_h : NAN, e->planned_h, &k.has_default);
    const int64_t unplanned = money_or(x != NULL ? x->unplanned_repair_minor : DB_NO_MONEY,
                                       e->unplanned_repair_minor, &k.has_default);
    const int64_t planned = money_or(x != NULL ? x->planned_repair_minor : DB_NO_MONEY,
                                     e->planned_repair_minor, &k.has_default);
    bool ignored = false;
    k.false_alarm_minor =
        money_or(cl != NULL ? cl->false_alarm_minor : DB_NO_MONEY, e->false_alarm_minor, &ignored);
    k.planned_stop_minor = llround(k.planned_h * (double)k.downtime_minor_per_h);
    k.failure_minor = llround(k.unplanned_h * (double)k.downtime_minor_per_h) + unplanned;
    k.planned_minor = k.planned_stop_minor + planned;
    return k;
}

struct job_costs economics_costs(const struct economics *e, const struct catalog *c,
                                 const struct asset *a, int64_t component_id)
{
    const struct asset_class *cl = catalog_class(c, a->class_id);
    const struct component *x = catalog_component(c, component_id);
    if (x != NULL)
        return costs_of(e, cl, a, x);
    struct job_costs sum = {0};
    int64_t n = 0;
    for (size_t i = 0; i < c->components.n; i++) {
        if (c->components.items[i].class_id != a->class_id)
            continue;
        const struct job_costs k = costs_of(e, cl, a, &c->components.items[i]);
        sum.failure_minor += k.failure_minor;
        sum.planned_minor += k.planned_minor;
        sum.planned_stop_minor += k.planned_stop_minor;
        sum.unplanned_h += k.unplanned_h;
        sum.planned_h += k.planned_h;
        sum.has_default |= k.has_default;
        sum.false_alarm_minor = k.false_alarm_minor;
        sum.downtime_minor_per_h = k.downtime_minor_per_h;
        n++;
    }
    if (n == 0)
        return costs_of(e, cl, a, NULL);
    sum.failure_minor /= n;
    sum.planned_minor /= n;
    sum.planned_stop_minor /= n;
    sum.unplanned_h /= (double)n;
    sum.planned_h /= (double)n;
    return sum;
}

int64_t economics_at_risk(const struct job_costs *k, double p)
{
    const int64_t gain = k->failure_minor - k->planned_minor;
    return p > 0 && gain > 0 ? llround(p * (double)gain) : 0;
}
