#include "app/roi_site.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/planner/jobs.h"
#include "app/snapshot.h"
#include "db/event_store.h"
#include "db/model_store.h"
#include "db/prediction_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAYS_PER_YEAR 365.25
#define Z90 1.2815515655446004
/* A mean of fewer values than this says too little; the table or the default stands then. */
enum { MIN_VALUES = 5, MIN_LEDGER = 10 };

struct mean {
    double sum, sum2;
    size_t n;
};

static void mean_add(struct mean *m, double x)
{
    m->sum += x;
    m->sum2 += x * x;
    m->n++;
}

static double mean_of(const struct mean *m)
{
    return m->n > 0 ? m->sum / (double)m->n : NAN;
}

/* 10 % and 90 % limits of a mean by its standard error. */
static double mean_margin(const struct mean *m)
{
    const double mean = mean_of(m);
    const double variance = fmax(0, m->sum2 / (double)m->n - mean * mean);
    return m->n > 1 ? Z90 * sqrt(variance / (double)(m->n - 1)) : 0.3 * mean;
}

struct site_facts {
    struct db *db;
    struct snapshot s;
    struct event_list events; /* failures and replacements */
    size_t n_assets, n_failures;
    double exposure_y;
    struct mean failure_h, failure_cost, planned_h, planned_cost; /* from events */
    /* From the cost tables, over the failures that happened. */
    struct mean table_failure_h, table_failure_cost, table_planned_h, table_planned_cost;
    struct mean downtime_per_h, inspection;
    bool has_default_cost;
};

static double to_major(const struct site_facts *f, int64_t minor)
{
    return money_to_major(minor, f->s.site.currency);
}

/* A replacement within a day of the same part's failure repairs it: it is not planned work. */
static bool is_repair(const struct event_list *l, size_t i)
{
    for (size_t k = i; k-- > 0 && l->items[i].ts_ms - l->items[k].ts_ms <= MS_PER_DAY;)
        if (l->items[k].kind == EVENT_FAILURE && l->items[k].asset_id == l->items[i].asset_id &&
            l->items[k].component_id == l->items[i].component_id)
            return true;
    return false;
}

static void take_event(struct site_facts *f, size_t i)
{
    const struct event *e = &f->events.items[i];
    const struct asset *a = catalog_asset(&f->s.catalog, e->asset_id);
    const bool is_failure = e->kind == EVENT_FAILURE;
    if (a == NULL || a->is_held_out || (!is_failure && is_repair(&f->events, i)))
        return;
    if (e->downtime_ms != DB_NO_TIME)
        mean_add(is_failure ? &f->failure_h : &f->planned_h,
                 (double)e->downtime_ms / (double)MS_PER_HOUR);
    if (e->cost_minor != DB_NO_MONEY)
        mean_add(is_failure ? &f->failure_cost : &f->planned_cost, to_major(f, e->cost_minor));
    if (!is_failure)
        return;
    const struct job_costs k = economics_costs(&f->s.economics, &f->s.catalog, a, e->component_id);
    f->n_failures++;
    mean_add(&f->table_failure_h, k.unplanned_h);
    mean_add(&f->table_planned_h, k.planned_h);
    mean_add(&f->table_failure_cost,
             to_major(f, k.failure_minor) - k.unplanned_h * to_major(f, k.downtime_minor_per_h));
    mean_add(&f->table_planned_cost, to_major(f, k.planned_minor - k.planned_stop_minor));
    mean_add(&f->downtime_per_h, to_major(f, k.downtime_minor_per_h));
    mean_add(&f->inspection, to_major(f, k.false_alarm_minor));
    f->has_default_cost |= k.has_default;
}

static enum ft_status facts_load(struct db *db, struct site_facts *f, struct ft_err *err)
{
    static const struct event_filter filter = {.kinds =
                                                   1U << EVENT_FAILURE | 1U << EVENT_REPLACEMENT};
    f->db = db;
    enum ft_status st = snapshot_load(db, 0, &f->s, err);
    if (st == FT_OK)
        st = event_list(db, &filter, &f->events, err);
    for (size_t i = 0; i < f->events.n && st == FT_OK; i++)
        take_event(f, i);
    for (size_t i = 0; i < f->s.catalog.assets.n; i++) {
        const struct asset *a = &f->s.catalog.assets.items[i];
        f->n_assets += !a->is_held_out && a->retired_ms == DB_NO_TIME;
    }
    for (size_t i = 0; i < f->s.lives.n; i++)
        if (f->s.lives.items[i].component_id == 0)
            f->exposure_y += f->s.lives.items[i].exposure_d / DAYS_PER_YEAR;
    return st;
}

/* --- counted ---------------------------------------------------------------------------------- */

/* Quantile of Gamma(shape, 1) at the normal deviate z (Wilson and Hilferty 1931). */
static double gamma_quantile(double shape, double z)
{
    const double c = 1 - 1 / (9 * shape) + z / (3 * sqrt(shape));
    return shape * fmax(0, c * c * c);
}

static void set_rate(const struct site_facts *f, struct roi_request *r)
{
    char source[200];
    snprintf(source, sizeof(source), "asset list");
    roi_request_set(r, ROI_ASSETS, (double)f->n_assets, (double)f->n_assets, (double)f->n_assets,
                    ROI_HISTORY, source);
    if (f->exposure_y < 0.1 || f->n_assets == 0)
        return;
    const double shape = (double)f->n_failures + 0.5; /* Jeffreys prior of a rate */
    snprintf(source, sizeof(source), "%zu failures in %.1f asset-years", f->n_failures,
             f->exposure_y);
    const double value = (double)f->n_failures / f->exposure_y;
    roi_request_set(r, ROI_FAILURE_RATE, value,
                    fmin(value, gamma_quantile(shape, -Z90) / f->exposure_y),
                    fmax(value, gamma_quantile(shape, Z90) / f->exposure_y), ROI_HISTORY, source);
    struct roi_input *in = &r->in[ROI_FAILURE_RATE];
    in->dist = ROI_GAMMA;
    in->a = shape;
    in->b = f->exposure_y;
}

/* Events when there are enough, else the cost tables, else the default stays. */
static void set_mean(struct roi_request *r, enum roi_field field, const struct mean *events,
                     const struct mean *table, bool has_default, const char *what)
{
    char source[200];
    if (events != NULL && events->n >= MIN_VALUES) {
        const double margin = mean_margin(events);
        snprintf(source, sizeof(source), "mean of %zu %s", events->n, what);
        roi_request_set(r, field, mean_of(events), fmax(0, mean_of(events) - margin),
                        mean_of(events) + margin, ROI_HISTORY, source);
    } else if (table->n > 0 && !has_default) {
        snprintf(source, sizeof(source), "cost tables, over %zu failures", table->n);
        roi_request_set(r, field, mean_of(table), 0.8 * mean_of(table), 1.25 * mean_of(table),
                        ROI_TYPED, source);
    }
}

static void set_costs(const struct site_facts *f, struct roi_request *r)
{
    const bool d = f->has_default_cost;
    set_mean(r, ROI_HOURS_UNPLANNED, &f->failure_h, &f->table_failure_h, d,
             "failures with their stop recorded");
    set_mean(r, ROI_HOURS_PLANNED, &f->planned_h, &f->table_planned_h, d,
             "planned replacements with their stop recorded");
    set_mean(r, ROI_REPAIR_UNPLANNED, &f->failure_cost, &f->table_failure_cost, d,
             "failures with their cost recorded");
    set_mean(r, ROI_REPAIR_PLANNED, &f->planned_cost, &f->table_planned_cost, d,
             "planned replacements with their cost recorded");
    set_mean(r, ROI_COST_PER_HOUR, NULL, &f->downtime_per_h, d, "");
    set_mean(r, ROI_INSPECTION_COST, NULL, &f->inspection, d, "");
    if (!d && f->table_failure_h.n > 0) /* the tables give the whole cost of a stop */
        roi_request_set(r, ROI_MITIGATED_SHARE, 0, 0, 0.3, ROI_TYPED,
                        "0: the cost tables count the stop as lost");
}

/* --- models ----------------------------------------------------------------------------------- */

/* Failures of the part among those counted. */
static size_t failures_of(const struct site_facts *f, int64_t class_id, int64_t component_id)
{
    const struct life *life = lives_find(&f->s.lives, class_id, component_id);
    return life != NULL ? life->n_failures : 0;
}

static double metric(const cJSON *metrics, const char *key)
{
    double v = NAN;
    const cJSON *cv = json_get(metrics, "cv");
    if (cv != NULL)
        (void)json_number(cv, key, false, &v, NULL);
    return v;
}

/* Share of failures in parts whose sensor model beats age alone, and how those models do out of
 * fold, weighted by failures. */
static enum ft_status set_models(const struct site_facts *f, struct roi_request *r,
                                 struct ft_err *err)
{
    struct model_list models = {0};
    double seen = 0;
    double recall = 0;
    double precision = 0;
    double weight = 0;
    size_t n_models = 0;
    const enum ft_status st = model_list(f->db, 0, "failure", "champion", &models, err);
    for (size_t i = 0; i < models.n && st == FT_OK; i++) {
        const struct model_row *m = &models.items[i];
        const double n = (double)failures_of(f, m->class_id, m->component_id);
        cJSON *json = NULL;
        if (strcmp(m->kind, "weibull_age") == 0 || m->component_id == 0 || m->metrics == NULL)
            continue;
        n_models++;
        seen += n;
        if (json_parse(m->metrics, strlen(m->metrics), &json, NULL) == FT_OK &&
            !isnan(metric(json, "recall")) && !isnan(metric(json, "precision"))) {
            recall += n * metric(json, "recall");
            precision += n * metric(json, "precision");
            weight += n;
        }
        cJSON_Delete(json);
    }
    model_list_free(&models);
    if (st != FT_OK || n_models == 0 || f->n_failures == 0)
        return st;
    char source[200];
    const double total = (double)f->n_failures;
    const double share = fmin(1, seen / total);
    const double margin = Z90 * sqrt(fmax(0.01, share * (1 - share)) / total);
    snprintf(source, sizeof(source),
             "%.0f of %zu failures are in parts where one of %zu sensor models beats age alone",
             seen, f->n_failures, n_models);
    roi_request_set(r, ROI_PREDICTABLE, share, fmax(0, share - margin), fmin(1, share + margin),
                    ROI_MODEL, source);
    if (weight < 1)
        return st;
    recall /= weight;
    precision /= weight;
    snprintf(source, sizeof(source), "out of fold at the best threshold, %zu models, %.0f failures",
             n_models, weight);
    roi_request_set(r, ROI_RECALL, recall, fmax(0, recall - 0.15), fmin(1, recall + 0.1), ROI_MODEL,
                    source);
    const double caught = r->in[ROI_ASSETS].value * r->in[ROI_FAILURE_RATE].value * share * recall;
    const double alarms = precision > 0.02 ? caught * (1 - precision) / precision : caught * 50;
    snprintf(source, sizeof(source),
             "caught failures x (1 - precision) / precision, %.0f %% "
             "precision out of fold",
             100 * precision);
    roi_request_set(r, ROI_FALSE_ALARMS, alarms, 0.5 * alarms, 2 * alarms, ROI_MODEL, source);
    return st;
}

/* What the ledger proved goes before what the folds promised. */
static enum ft_status set_ledger(const struct site_facts *f, struct roi_request *r,
                                 struct ft_err *err)
{
    struct ledger_list l = {0};
    size_t n_failed = 0;
    size_t n_seen = 0;
    const enum ft_status st = ledger_list(f->db, 0, 100000, &l, err);
    for (size_t i = 0; i < l.n; i++) {
        const struct ledger_row *row = &l.items[i];
        const struct asset *a = catalog_asset(&f->s.catalog, row->asset_id);
        if (row->outcome == NULL || strcmp(row->outcome, "failed") != 0 || a == NULL ||
            row->component_id == 0)
            continue;
        const struct job_costs k =
            economics_costs(&f->s.economics, &f->s.catalog, a, row->component_id);
        const double gain = (double)(k.failure_minor - k.planned_minor);
        const double opens = gain > 0 ? (double)k.false_alarm_minor / gain : 1;
        n_failed++;
        n_seen += row->p > opens && row->p > 0.2;
    }
    ledger_list_free(&l);
    if (st != FT_OK || n_failed < MIN_LEDGER)
        return st;
    char source[200];
    const double value = (double)n_seen / (double)n_failed;
    const double margin = Z90 * sqrt(fmax(0.01, value * (1 - value)) / (double)n_failed);
    snprintf(source, sizeof(source), "ledger: %zu of %zu predictions before a failure said so",
             n_seen, n_failed);
    roi_request_set(r, ROI_RECALL, value, fmax(0, value - margin), fmin(1, value + margin),
                    ROI_HISTORY, source);
    return st;
}

/* --- preventive ------------------------------------------------------------------------------- */

static enum ft_status set_preventive(const struct site_facts *f, struct roi_request *r,
                                     struct ft_err *err)
{
    struct jobs jobs;
    double events = 0;
    double money = 0;
    double saving = 0;
    const enum ft_status st = jobs_judge_plans(f->db, &f->s, &jobs, err);
    for (size_t i = 0; i < jobs.n_plans && st == FT_OK; i++) {
        const struct job_plan *p = &jobs.plans[i];
        if (!p->plan->is_active || p->plan->interval_ms <= 0)
            continue;
        const double n =
            (double)p->n_assets * DAYS_PER_YEAR * (double)MS_PER_DAY / (double)p->plan->interval_ms;
        events += n;
        money += n * (to_major(f, p->plan->cost_minor) +
                      p->plan->duration_h * to_major(f, f->s.economics.labour_minor_per_h));
        if (p->verdict.advice == PREVENTIVE_STOP)
            saving += to_major(f, llround(p->verdict.saving_per_year));
    }
    jobs_free(&jobs);
    if (st != FT_OK || !(events > 0))
        return st;
    const double share = money > 0 ? fmin(1, saving / money) : 0;
    roi_request_set(r, ROI_PM_EVENTS, events, events, events, ROI_HISTORY,
                    "preventive plans x assets x their interval");
    roi_request_set(r, ROI_PM_COST, money / events, 0.8 * money / events, 1.25 * money / events,
                    ROI_HISTORY, "material of the plans and crew hours");
    roi_request_set(r, ROI_PM_DROP_SHARE, share, 0.5 * share, fmin(1, 1.1 * share), ROI_HISTORY,
                    "plans whose records show that they do not pay");
    return st;
}

enum ft_status roi_site_request(struct db *db, struct roi_request *out, struct ft_err *err)
{
    struct site_facts *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return ft_fail(err, FT_NOMEM, "roi: no memory");
    enum ft_status st = facts_load(db, f, err);
    if (st == FT_OK) {
        roi_request_defaults(out, f->s.site.currency);
        snprintf(out->name, sizeof(out->name), "%.100s", f->s.site.name);
        set_rate(f, out);
        set_costs(f, out);
        st = set_models(f, out, err);
    }
    if (st == FT_OK)
        st = set_ledger(f, out, err);
    if (st == FT_OK)
        st = set_preventive(f, out, err);
    event_list_free(&f->events);
    snapshot_free(&f->s);
    free(f);
    return st;
}
