#include "app/kpi_report.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/snapshot.h"
#include "app/work_order_json.h"
#include "db/event_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everything of one period. */
struct period {
    struct db *db;
    int64_t from_ms, to_ms;
    struct snapshot s;
    struct event_list failures;
    struct work_order_list orders; /* all */
};

/* n digits at p as a number; -1 when one is none. */
static int digits(const char *p, int n)
{
    int v = 0;
    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return -1;
        v = 10 * v + (p[i] - '0');
    }
    return v;
}

enum ft_status kpi_period_parse(const char *text, int64_t now_ms, int64_t *from_ms, int64_t *to_ms,
                                struct ft_err *err)
{
    int64_t dur_ms;
    const size_t len = strlen(text);
    const int year = len >= 4 ? digits(text, 4) : -1;
    int first = 0; /* month that the period begins with */
    int months = 0;
    if (year > 0 && len == 4) {
        first = 1;
        months = 12;
    } else if (year > 0 && len == 7 && strncmp(text + 4, "-Q", 2) == 0 && text[6] >= '1' &&
               text[6] <= '4') {
        first = 3 * (text[6] - '1') + 1;
        months = 3;
    } else if (year > 0 && len == 7 && text[4] == '-') {
        first = digits(text + 5, 2);
        months = first >= 1 && first <= 12 ? 1 : 0;
    }
    if (months > 0) {
        *from_ms = clock_from_local(year, first, 1, 0, 0, 0);
        *to_ms = clock_from_local(year, first + months, 1, 0, 0, 0);
        return FT_OK;
    }
    if (clock_parse_duration(text, &dur_ms, NULL) != FT_OK || dur_ms < MS_PER_DAY)
        return ft_fail(err, FT_INVALID,
                       "period '%.40s': expected now, 90d, 2026, 2026-Q3 or 2026-10", text);
    *from_ms = now_ms - dur_ms;
    *to_ms = now_ms;
    return FT_OK;
}

static void period_free(struct period *p)
{
    event_list_free(&p->failures);
    work_order_list_free(&p->orders);
    snapshot_free(&p->s);
}

static enum ft_status period_load(struct db *db, const char *text, struct period *p,
                                  struct ft_err *err)
{
    static const struct work_order_filter all = {0};
    p->db = db;
    enum ft_status st = snapshot_load(db, 0, &p->s, err);
    if (st == FT_OK)
        st = kpi_period_parse(text, p->s.site.now_ms, &p->from_ms, &p->to_ms, err);
    const struct event_filter f = {
        .from_ms = p->from_ms, .to_ms = p->to_ms, .kinds = 1U << EVENT_FAILURE};
    if (st == FT_OK)
        st = event_list(db, &f, &p->failures, err);
    return st == FT_OK ? work_order_list(db, &all, &p->orders, err) : st;
}

static bool in_period(const struct period *p, int64_t ts_ms)
{
    return ts_ms != DB_NO_TIME && ts_ms >= p->from_ms && ts_ms < p->to_ms;
}

static bool is_preventive(const struct work_order *w)
{
    return strcmp(w->kind, "preventive") == 0 || strcmp(w->kind, "inspection") == 0;
}

static bool is_finished(const struct work_order *w)
{
    return strcmp(w->status, "done") == 0 || strcmp(w->status, "closed") == 0;
}

/* Hours that all assets were in service within the part of the period that has passed. */
static double service_hours(const struct period *p, size_t *n_assets)
{
    const int64_t end_ms = p->to_ms < p->s.site.now_ms ? p->to_ms : p->s.site.now_ms;
    double sum = 0;
    *n_assets = 0;
    for (size_t i = 0; i < p->s.catalog.assets.n; i++) {
        const struct asset *a = &p->s.catalog.assets.items[i];
        const int64_t begin = a->commissioned_ms != DB_NO_TIME && a->commissioned_ms > p->from_ms
                                  ? a->commissioned_ms
                                  : p->from_ms;
        const int64_t end =
            a->retired_ms != DB_NO_TIME && a->retired_ms < end_ms ? a->retired_ms : end_ms;
        if (end <= begin || a->is_held_out)
            continue;
        (*n_assets)++;
        sum += (double)(end - begin) / (double)MS_PER_HOUR;
    }
    return sum;
}

/* --- figures ---------------------------------------------------------------------------------- */

static void add_figure(cJSON *items, const char *key, double value, const char *unit, size_t n,
                       const char *formula, const char *note)
{
    cJSON *o = json_add_object(items, NULL);
    json_add_string(o, "key", key);
    json_add_number(o, "value", value);
    json_add_string(o, "unit", unit);
    json_add_int(o, "n", (int64_t)n);
    json_add_string(o, "formula", formula);
    json_add_string(o, "note", note);
}

struct downtime {
    double unplanned_h, planned_h;
    size_t n_known;
};

static struct downtime sum_downtime(const struct period *p)
{
    struct downtime d = {0};
    for (size_t i = 0; i < p->failures.n; i++)
        if (p->failures.items[i].downtime_ms != DB_NO_TIME) {
            d.unplanned_h += (double)p->failures.items[i].downtime_ms / (double)MS_PER_HOUR;
            d.n_known++;
        }
    for (size_t i = 0; i < p->orders.n; i++) {
        const struct work_order *w = &p->orders.items[i];
        const bool is_planned = is_preventive(w) || strcmp(w->kind, "predictive") == 0;
        if (is_planned && is_finished(w) && in_period(p, w->ended_ms) && w->downtime_h > 0)
            d.planned_h += w->downtime_h;
    }
    return d;
}

static void add_reliability(const struct period *p, cJSON *items)
{
    size_t n_assets;
    char note[160] = "";
    const double hours = service_hours(p, &n_assets);
    const struct downtime d = sum_downtime(p);
    const size_t n = p->failures.n;
    if (d.n_known < n)
        snprintf(note, sizeof(note), "%zu of %zu failures have no downtime; they count as none.",
                 n - d.n_known, n);
    add_figure(items, "failures", (double)n, "1", n, "failure events in the period", NULL);
    add_figure(items, "mtbf", n > 0 ? (hours - d.unplanned_h) / (double)n : NAN, "h", n,
               "(hours in service - hours stopped by failures) / failures", note);
    add_figure(items, "mttr", d.n_known > 0 ? d.unplanned_h / (double)d.n_known : NAN, "h",
               d.n_known, "hours stopped by failures / failures with a known stop", NULL);
    add_figure(items, "availability", hours > 0 ? 1 - (d.unplanned_h + d.planned_h) / hours : NAN,
               "share", n_assets,
               "1 - (hours stopped by failures + hours stopped by planned work) / hours in service",
               note);
}

/* Preventive work that was due in the period: done by the end of its window? */
static void add_compliance(const struct period *p, cJSON *items)
{
    size_t n_due = 0;
    size_t n_in_time = 0;
    const int64_t end_ms = p->to_ms < p->s.site.now_ms ? p->to_ms : p->s.site.now_ms;
    for (size_t i = 0; i < p->orders.n; i++) {
        const struct work_order *w = &p->orders.items[i];
        const int64_t latest = w->latest_ms != DB_NO_TIME ? w->latest_ms : w->due_ms;
        if (!is_preventive(w) || strcmp(w->status, "cancelled") == 0 ||
            strcmp(w->status, "rejected") == 0 || latest == DB_NO_TIME || latest < p->from_ms ||
            latest >= end_ms)
            continue;
        n_due++;
        n_in_time += is_finished(w) && w->ended_ms != DB_NO_TIME &&
                     w->ended_ms < clock_local_add_days(clock_local_midnight(latest), 1);
    }
    add_figure(
        items, "pm_compliance", n_due > 0 ? (double)n_in_time / (double)n_due : NAN, "share", n_due,
        "preventive work done by the end of its window / preventive work whose window ended", NULL);
}

static void add_work(const struct period *p, cJSON *items)
{
    double open_h = 0;
    double weekly_h = 0;
    double planned_h = 0;
    double all_h = 0;
    size_t n_open = 0;
    size_t n_done = 0;
    for (size_t i = 0; i < p->orders.n; i++) {
        const struct work_order *w = &p->orders.items[i];
        if (work_order_is_open(w->status) && strcmp(w->status, "draft") != 0) {
            open_h += w->duration_h;
            n_open++;
        }
        if (!is_finished(w) || !in_period(p, w->ended_ms))
            continue;
        const double h = w->labour_h >= 0 ? w->labour_h : w->duration_h;
        n_done++;
        all_h += h;
        planned_h += is_preventive(w) || strcmp(w->kind, "predictive") == 0 ? h : 0;
    }
    for (size_t c = 0; c < p->s.crews.n; c++) {
        const struct crew *k = &p->s.crews.items[c];
        for (int d = 0; d < 7; d++)
            weekly_h += (k->weekdays >> d & 1) != 0 ? k->hours_per_day : 0;
    }
    add_figure(items, "backlog", weekly_h > 0 ? open_h / weekly_h : NAN, "weeks", n_open,
               "hours of approved open work / crew hours of a week", NULL);
    add_figure(items, "planned_share", all_h > 0 ? planned_h / all_h : NAN, "share", n_done,
               "hours of preventive, inspection and predictive work / hours of all work done",
               NULL);
}

/* What a failure cost: its own figure, else C_F of the part. */
static double failure_cost(const struct period *p, const struct event *e, bool *is_estimate)
{
    const struct asset *a = catalog_asset(&p->s.catalog, e->asset_id);
    *is_estimate = e->cost_minor == DB_NO_MONEY;
    if (!*is_estimate)
        return (double)e->cost_minor;
    if (a == NULL)
        return 0;
    return (double)economics_costs(&p->s.economics, &p->s.catalog, a, e->component_id)
        .failure_minor;
}

static void add_cost(const struct period *p, cJSON *items)
{
    size_t n_assets;
    size_t n_estimated = 0;
    double sum = 0;
    char note[160];
    service_hours(p, &n_assets);
    for (size_t i = 0; i < p->failures.n; i++) {
        bool is_estimate;
        sum += failure_cost(p, &p->failures.items[i], &is_estimate);
        n_estimated += is_estimate;
    }
    for (size_t i = 0; i < p->orders.n; i++) {
        const struct work_order *w = &p->orders.items[i];
        const bool is_planned = is_preventive(w) || strcmp(w->kind, "predictive") == 0;
        if (is_planned && is_finished(w) && in_period(p, w->ended_ms) &&
            w->actual_cost_minor != DB_NO_MONEY)
            sum += (double)w->actual_cost_minor;
    }
    snprintf(note, sizeof(note), "%zu of %zu failures at their estimated cost.", n_estimated,
             p->failures.n);
    add_figure(items, "cost_per_asset",
               n_assets > 0 ? money_to_major(llround(sum / (double)n_assets), p->s.site.currency)
                            : NAN,
               p->s.site.currency, n_assets,
               "(cost of failures + booked cost of planned work) / assets in service", note);
}

static cJSON *open_answer(const struct period *p)
{
    cJSON *o = cJSON_CreateObject();
    cJSON *span = json_add_object(o, "period");
    json_add_instant(span, "from", p->from_ms);
    json_add_instant(span, "to", p->to_ms);
    json_add_string(o, "currency", p->s.site.currency);
    return o;
}

enum ft_status kpi_report_json(struct db *db, const char *period, cJSON **out, struct ft_err *err)
{
    struct period p = {0};
    *out = NULL;
    const enum ft_status st = period_load(db, period, &p, err);
    if (st == FT_OK) {
        *out = open_answer(&p);
        cJSON *items = json_add_array(*out, "items");
        add_reliability(&p, items);
        add_compliance(&p, items);
        add_work(&p, items);
        add_cost(&p, items);
    }
    period_free(&p);
    return st;
}

/* --- bad actors ------------------------------------------------------------------------------- */

struct actor {
    const struct asset *asset;
    double n, downtime_h, cost;
    double key;
    bool is_estimate;
};

static int compare_actors(const void *x, const void *y)
{
    const struct actor *a = x;
    const struct actor *b = y;
    if (a->key != b->key)
        return a->key < b->key ? 1 : -1;
    return (a->asset->id > b->asset->id) - (a->asset->id < b->asset->id);
}

static size_t fill_actors(const struct period *p, const char *sort, struct actor *list)
{
    size_t n = 0;
    for (size_t i = 0; i < p->s.catalog.assets.n; i++) {
        struct actor x = {.asset = &p->s.catalog.assets.items[i]};
        for (size_t k = 0; k < p->failures.n; k++) {
            const struct event *e = &p->failures.items[k];
            bool is_estimate;
            if (e->asset_id != x.asset->id)
                continue;
            x.n++;
            x.cost += failure_cost(p, e, &is_estimate);
            x.is_estimate = x.is_estimate || is_estimate;
            if (e->downtime_ms != DB_NO_TIME)
                x.downtime_h += (double)e->downtime_ms / (double)MS_PER_HOUR;
        }
        x.key = strcmp(sort, "failures") == 0   ? x.n
                : strcmp(sort, "downtime") == 0 ? x.downtime_h
                                                : x.cost;
        if (x.n > 0)
            list[n++] = x;
    }
    qsort(list, n, sizeof(*list), compare_actors);
    return n;
}

enum ft_status kpi_bad_actors_json(struct db *db, const char *period, const char *sort,
                                   size_t limit, cJSON **out, struct ft_err *err)
{
    struct period p = {0};
    struct actor *list = NULL;
    double total = 0;
    double cumulated = 0;
    *out = NULL;
    if (strcmp(sort, "cost") != 0 && strcmp(sort, "failures") != 0 && strcmp(sort, "downtime") != 0)
        return ft_fail(err, FT_INVALID, "sort: expected cost, failures or downtime");
    enum ft_status st = period_load(db, period, &p, err);
    if (st == FT_OK && (list = calloc(p.s.catalog.assets.n + 1, sizeof(*list))) == NULL)
        st = ft_fail(err, FT_NOMEM, "kpi: no memory");
    if (st == FT_OK) {
        const size_t n = fill_actors(&p, sort, list);
        *out = open_answer(&p);
        json_add_int(*out, "total", (int64_t)n);
        cJSON *items = json_add_array(*out, "items");
        for (size_t i = 0; i < n; i++)
            total += list[i].key;
        for (size_t i = 0; i < n && i < limit; i++) {
            const struct actor *x = &list[i];
            const struct asset_class *k = catalog_class(&p.s.catalog, x->asset->class_id);
            cJSON *o = json_add_object(items, NULL);
            cumulated += x->key;
            json_add_string(o, "asset", x->asset->key);
            json_add_string(o, "name", x->asset->name);
            json_add_string(o, "class", k != NULL ? k->name : NULL);
            json_add_number(o, "failures", x->n);
            json_add_number(o, "downtime_h", x->downtime_h);
            json_add_money(o, "cost", llround(x->cost), p.s.site.currency);
            json_add_bool(o, "cost_estimated", x->is_estimate);
            json_add_number(o, "share", total > 0 ? x->key / total : NAN);
            json_add_number(o, "cumulated", total > 0 ? cumulated / total : NAN);
        }
    }
    free(list);
    period_free(&p);
    return st;
}
