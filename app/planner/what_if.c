/* Trial plans: the same snapshot twice, once as it is and once changed; nothing is written. */
#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/plan_json.h"
#include "app/planner/planner_private.h"
#include "db/db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void run_free(struct run *r)
{
    free(r->place);
    free(r->result.used);
    jobs_free(&r->jobs);
    snapshot_free(&r->s);
}

/* Loads and places a trial plan; change (NULL = none) edits the snapshot before. */
static enum ft_status run_trial(struct run *r, const cJSON *changes, int64_t now_ms,
                                enum ft_status (*change)(struct run *r, const cJSON *changes,
                                                         struct ft_err *err),
                                struct ft_err *err)
{
    enum ft_status st = snapshot_load(r->db, now_ms, &r->s, err);
    r->s.is_trial = true;
    if (st == FT_OK && change != NULL)
        st = change(r, changes, err);
    if (st == FT_OK)
        st = jobs_build(r->db, &r->s, &r->jobs, err);
    if (st == FT_OK)
        st = planner_place(r, err);
    if (st == FT_OK)
        planner_sum(r);
    return st;
}

/* --- changes ---------------------------------------------------------------------------------- */

static enum ft_status change_crews(struct run *r, const cJSON *changes, struct ft_err *err)
{
    const cJSON *list = NULL;
    const cJSON *one;
    enum ft_status st = json_array(changes, "crews", false, &list, err);
    cJSON_ArrayForEach (one, list) {
        const char *name = NULL;
        struct crew_list *l = &r->s.crews;
        struct crew *k = NULL;
        if (st == FT_OK)
            st = json_string(one, "name", true, &name, err);
        if (st != FT_OK)
            break;
        for (size_t i = 0; i < l->n; i++)
            if (strcmp(l->items[i].name, name) == 0)
                k = &l->items[i];
        if (k == NULL) { /* a new one; its number is no row of the database */
            struct crew *items = realloc(l->items, (l->n + 1) * sizeof(*items));
            if (items == NULL)
                return ft_fail(err, FT_NOMEM, "scenario: no memory");
            l->items = items;
            k = &items[l->n++];
            *k = (struct crew){0};
        }
        st = crew_from_json(one, r->s.site.currency, k, err);
        if (k->id == 0)
            k->id = -(int64_t)l->n;
    }
    if (st != FT_OK)
        ft_err_prefix(err, "/crews");
    return st;
}

static enum ft_status remove_crews(struct run *r, const cJSON *changes, struct ft_err *err)
{
    const cJSON *list = NULL;
    const cJSON *one;
    const enum ft_status st = json_array(changes, "remove_crews", false, &list, err);
    cJSON_ArrayForEach (one, list) {
        struct crew *found = NULL;
        for (size_t i = 0; i < r->s.crews.n && cJSON_IsString(one); i++)
            if (strcmp(r->s.crews.items[i].name, one->valuestring) == 0)
                found = &r->s.crews.items[i];
        if (found == NULL)
            return ft_fail(err, FT_INVALID, "/remove_crews: there is no crew of that name");
        found->hours_per_day = 0; /* stays as a place that open work may have had */
    }
    return st;
}

static enum ft_status add_entries(struct run *r, const cJSON *changes, struct ft_err *err)
{
    const cJSON *list = NULL;
    const cJSON *one;
    enum ft_status st = json_array(changes, "calendar", false, &list, err);
    struct calendar_list *l = &r->s.calendar;
    cJSON_ArrayForEach (one, list) {
        struct calendar_entry e = {0};
        if (st == FT_OK)
            st = calendar_from_json(one, &r->s.crews, &e, err);
        struct calendar_entry *items =
            st == FT_OK ? realloc(l->items, (l->n + 1) * sizeof(*items)) : NULL;
        if (items == NULL) {
            if (st == FT_OK)
                st = ft_fail(err, FT_NOMEM, "scenario: no memory");
            else
                ft_err_prefix(err, "/calendar");
            calendar_entry_clear(&e);
            return st;
        }
        l->items = items;
        items[l->n++] = e;
    }
    return st == FT_OK ? days_repeat(l, r->s.days.start_ms[0], r->s.days.start_ms[r->s.days.n], err)
                       : st;
}

/* A factor of 0.01 to 100; 1 when absent. */
static enum ft_status read_factor(const cJSON *changes, const char *key, double *out,
                                  struct ft_err *err)
{
    *out = 1;
    const enum ft_status st = json_number(changes, key, false, out, err);
    if (st == FT_OK && !(*out >= 0.01 && *out <= 100))
        return ft_fail(err, FT_INVALID, "/%s: expected a factor from 0.01 to 100", key);
    return st;
}

static int64_t times(int64_t minor, double factor)
{
    return minor == DB_NO_MONEY ? minor : llround((double)minor * factor);
}

static enum ft_status change_money(struct run *r, const cJSON *changes, struct ft_err *err)
{
    double downtime;
    double repair;
    double inspection = NAN;
    struct economics *e = &r->s.economics;
    enum ft_status st = read_factor(changes, "downtime_factor", &downtime, err);
    if (st == FT_OK)
        st = read_factor(changes, "repair_factor", &repair, err);
    if (st == FT_OK)
        st = json_number(changes, "inspection_cost", false, &inspection, err);
    if (st == FT_OK)
        st = json_number(changes, "risk_limit", false, &r->s.site.risk_limit, err);
    if (st == FT_OK && !(r->s.site.risk_limit > 0 && r->s.site.risk_limit <= 1))
        st = ft_fail(err, FT_INVALID, "/risk_limit: expected a share above 0, at most 1");
    if (st == FT_OK && (inspection < 0 || inspection > 1e12))
        st = ft_fail(err, FT_INVALID, "/inspection_cost: expected a sum of 0 or more");
    if (st != FT_OK)
        return st;
    e->downtime_minor_per_h = times(e->downtime_minor_per_h, downtime);
    e->unplanned_repair_minor = times(e->unplanned_repair_minor, repair);
    for (size_t i = 0; i < r->s.catalog.classes.n; i++) {
        struct asset_class *k = &r->s.catalog.classes.items[i];
        k->downtime_minor_per_h = times(k->downtime_minor_per_h, downtime);
        if (!isnan(inspection))
            k->false_alarm_minor = money_from_major(inspection, r->s.site.currency);
    }
    for (size_t i = 0; i < r->s.catalog.assets.n; i++) {
        struct asset *a = &r->s.catalog.assets.items[i];
        a->downtime_minor_per_h = times(a->downtime_minor_per_h, downtime);
    }
    for (size_t i = 0; i < r->s.catalog.components.n; i++) {
        struct component *k = &r->s.catalog.components.items[i];
        k->unplanned_repair_minor = times(k->unplanned_repair_minor, repair);
    }
    if (!isnan(inspection))
        e->false_alarm_minor = money_from_major(inspection, r->s.site.currency);
    return FT_OK;
}

static enum ft_status change_snapshot(struct run *r, const cJSON *changes, struct ft_err *err)
{
    static const char *const known[] = {
        "crews",         "remove_crews",    "calendar", "risk_limit", "downtime_factor",
        "repair_factor", "inspection_cost", "name",     NULL};
    enum ft_status st = json_only_keys(changes, known, err);
    if (st == FT_OK)
        st = change_crews(r, changes, err);
    if (st == FT_OK)
        st = remove_crews(r, changes, err);
    if (st == FT_OK)
        st = add_entries(r, changes, err);
    if (st == FT_OK)
        st = change_money(r, changes, err);
    if (st != FT_OK)
        return st;
    days_free(&r->s.days);
    return days_init(&r->s.days, r->s.site.now_ms, SNAPSHOT_DAYS, &r->s.crews, &r->s.calendar, err);
}

/* --- difference ------------------------------------------------------------------------------- */

static void add_day(cJSON *o, const char *key, const struct run *r, int day)
{
    char date[CLOCK_TEXT_SIZE];
    if (day < 0) {
        json_add_null(o, key);
        return;
    }
    clock_format_local_date(r->s.days.start_ms[day], date);
    json_add_string(o, key, date);
}

static void add_move(cJSON *moves, const struct run *a, size_t i, const struct run *b, size_t k)
{
    const struct run *any = i < a->jobs.n ? a : b;
    const struct job *x = any == a ? &a->jobs.items[i] : &b->jobs.items[k];
    const struct assign_place none = {-1, -1};
    const struct assign_place from = i < a->jobs.n ? a->place[i] : none;
    const struct assign_place to = k < b->jobs.n ? b->place[k] : none;
    const struct asset *asset = catalog_asset(&any->s.catalog, x->asset_id);
    if (from.day == to.day && from.crew == to.crew)
        return;
    cJSON *o = json_add_object(moves, NULL);
    json_add_string(o, "title", x->title);
    json_add_string(o, "kind", x->kind);
    json_add_string(o, "asset", asset != NULL ? asset->key : NULL);
    json_add_string(o, "work_order", x->order != NULL ? x->order->key : NULL);
    add_day(o, "from", a, from.day);
    add_day(o, "to", b, to.day);
    json_add_string(o, "crew_from", from.crew >= 0 ? a->s.crews.items[from.crew].name : NULL);
    json_add_string(o, "crew_to", to.crew >= 0 ? b->s.crews.items[to.crew].name : NULL);
}

static bool is_same_job(const struct job *a, const struct job *b)
{
    return a->asset_id == b->asset_id && a->component_id == b->component_id &&
           a->plan_id == b->plan_id && a->source == b->source && strcmp(a->kind, b->kind) == 0 &&
           strcmp(a->title, b->title) == 0 &&
           (a->source == JOB_PREDICTIVE || a->due_ms == b->due_ms);
}

static enum ft_status add_moves(cJSON *out, const struct run *a, const struct run *b,
                                struct ft_err *err)
{
    cJSON *moves = json_add_array(out, "moves");
    bool *seen = calloc(b->jobs.n + 1, sizeof(*seen));
    if (seen == NULL)
        return ft_fail(err, FT_NOMEM, "scenario: no memory");
    for (size_t i = 0; i < a->jobs.n; i++) {
        size_t k = 0;
        while (k < b->jobs.n && (seen[k] || !is_same_job(&a->jobs.items[i], &b->jobs.items[k])))
            k++;
        if (k < b->jobs.n)
            seen[k] = true;
        add_move(moves, a, i, b, k);
    }
    for (size_t k = 0; k < b->jobs.n; k++)
        if (!seen[k])
            add_move(moves, a, a->jobs.n, b, k);
    free(seen);
    return FT_OK;
}

static void add_difference(cJSON *out, const struct run *a, const struct run *b)
{
    const char *currency = a->s.site.currency;
    cJSON *o = json_add_object(out, "difference");
    json_add_money(o, "expected_cost", b->out->expected_cost_minor - a->out->expected_cost_minor,
                   currency);
    json_add_money(o, "risk_left", b->out->risk_left_minor - a->out->risk_left_minor, currency);
    json_add_money(o, "risk_total", b->out->risk_total_minor - a->out->risk_total_minor, currency);
    json_add_number(o, "hours", b->out->hours - a->out->hours);
    json_add_number(o, "hours_available", b->out->hours_available - a->out->hours_available);
    json_add_number(o, "placed", (double)b->out->n_placed - (double)a->out->n_placed);
    json_add_number(o, "not_placed", (double)b->out->n_not_placed - (double)a->out->n_not_placed);
    json_add_number(o, "predictive", (double)b->out->n_predictive - (double)a->out->n_predictive);
}

enum ft_status planner_what_if(struct db *db, const cJSON *changes, int64_t now_ms, cJSON **out,
                               struct ft_err *err)
{
    struct planner_summary sums[2] = {{0}};
    struct run base = {.db = db, .out = &sums[0]};
    struct run changed = {.db = db, .out = &sums[1]};
    *out = NULL;
    enum ft_status st = run_trial(&base, NULL, now_ms, NULL, err);
    if (st == FT_OK)
        st = run_trial(&changed, changes, now_ms, change_snapshot, err);
    if (st == FT_OK) {
        *out = cJSON_CreateObject();
        json_add_string(*out, "currency", base.s.site.currency);
        planner_add_summary(json_add_object(*out, "base"), &base);
        planner_add_summary(json_add_object(*out, "changed"), &changed);
        add_difference(*out, &base, &changed);
        st = add_moves(*out, &base, &changed, err);
    }
    if (st != FT_OK) {
        cJSON_Delete(*out);
        *out = NULL;
    }
    run_free(&base);
    run_free(&changed);
    return st;
}

/* --- one move --------------------------------------------------------------------------------- */

/* Why the job cannot go there on the board of the others; NULL = it can. */
static const char *find_obstacle(const struct run *r, size_t i, int day, const char *crew)
{
    const struct job *x = &r->jobs.items[i];
    bool has_skill = false;
    if (day < 0 || day >= r->s.days.n)
        return "The day lies outside the plan.";
    if (day < x->first_day)
        return "The day has passed, or the spare is not here by then.";
    if (!isfinite(x->cost[day]))
        return "The day is blacked out.";
    for (size_t c = 0; c < r->s.crews.n; c++) {
        const size_t cell = c * (size_t)r->s.days.n + (size_t)day;
        const bool is_here = r->place[i].day == day && r->place[i].crew == (int)c;
        const double used = r->result.used[cell] - (is_here ? x->hours : 0);
        if ((crew != NULL && strcmp(crew, r->s.crews.items[c].name) != 0) ||
            !assign_has_skill(r->s.crews.items[c].skills, x->skill))
            continue;
        has_skill = true;
        if (r->s.days.hours[cell] > 0 &&
            used + fmin(x->hours, r->s.days.hours[cell]) <= r->s.days.hours[cell] + 1e-9)
            return NULL;
    }
    return has_skill ? "No crew has the hours that day." : "No such crew has the skill.";
}

static void add_price(cJSON *o, const struct run *r, size_t i, int day)
{
    const struct job *x = &r->jobs.items[i];
    const char *currency = r->s.site.currency;
    const int now = r->place[i].day;
    const bool is_known = day >= 0 && day < r->s.days.n && isfinite(x->cost[day]);
    const double from = now >= 0 ? x->cost[now] : x->cost_left;
    add_day(o, "from", r, now);
    json_add_money(o, "cost_from", llround(from), currency);
    if (is_known) {
        add_day(o, "to", r, day);
        json_add_money(o, "cost_to", llround(x->cost[day]), currency);
        json_add_money(o, "difference", llround(x->cost[day] - from), currency);
    } else {
        json_add_null(o, "to");
        json_add_null(o, "cost_to");
        json_add_null(o, "difference");
    }
    size_t n;
    const struct snapshot_forecast *all = snapshot_of_asset(&r->s, x->asset_id, &n);
    double risk[2] = {NAN, NAN};
    for (size_t k = 0; k < n; k++) {
        if (all[k].f.component_id != x->component_id || all[k].f.n_horizons == 0)
            continue;
        risk[0] =
            snapshot_forecast_p(&r->s, &all[k].f, (now > 0 ? now : 0) * MS_PER_DAY, NULL, NULL);
        risk[1] =
            snapshot_forecast_p(&r->s, &all[k].f, (day > 0 ? day : 0) * MS_PER_DAY, NULL, NULL);
    }
    json_add_number(o, "risk_from", risk[0]);
    json_add_number(o, "risk_to", risk[1]);
}

enum ft_status planner_price_move(struct db *db, const char *key, int64_t day_ms, const char *crew,
                                  int64_t now_ms, cJSON **out, struct ft_err *err)
{
    struct planner_summary sum = {0};
    struct run r = {.db = db, .out = &sum};
    size_t i = 0;
    *out = NULL;
    enum ft_status st = run_trial(&r, NULL, now_ms, NULL, err);
    while (st == FT_OK && i < r.jobs.n &&
           (r.jobs.items[i].order == NULL || strcmp(r.jobs.items[i].order->key, key) != 0))
        i++;
    if (st == FT_OK && i == r.jobs.n)
        st = ft_fail(err, FT_NOT_FOUND, "work order '%.60s' is not in the plan", key);
    if (st == FT_OK) {
        const int day = days_index(&r.s.days, day_ms);
        const char *obstacle = find_obstacle(&r, i, day, crew);
        *out = cJSON_CreateObject();
        json_add_string(*out, "work_order", key);
        json_add_string(*out, "currency", r.s.site.currency);
        add_price(*out, &r, i, day);
        json_add_bool(*out, "feasible", obstacle == NULL);
        json_add_string(*out, "why", obstacle);
    }
    run_free(&r);
    return st;
}
