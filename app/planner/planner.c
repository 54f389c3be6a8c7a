#include "app/planner/planner.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/cases.h"
#include "app/cmms/notify.h"
#include "app/planner/jobs.h"
#include "app/planner/planner_private.h"
#include "app/planner/solver_cbc.h"
#include "app/words.h"
#include "app/work_order_json.h"
#include "db/db.h"
#include "db/run_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A draft is written again, and its subscribers told, only when something a planner would notice
 * changed: the day, the crew, the window, the chance by more than this, the cost by more than
 * that share. */
#define RISK_STEP 0.01
#define COST_STEP 0.05

/* The exact solver gets problems up to so many starts, and a plan of its own must be cheaper by
 * this share: a plan does not jump for pennies. */
#define SOLVER_COLUMNS 20000
#define SOLVER_MIN_GAIN 0.001
#define SOLVER_SECONDS 1.0 /* setting plan_solver_seconds; 0 = off */

/* Lets the exact solver prove the plan or find a cheaper one, when it is built in. */
static enum ft_status ask_solver(struct run *r, const struct assign_job *jobs,
                                 const struct assign_crew *crews, struct ft_err *err)
{
    const size_t n = r->jobs.n;
    const double seconds =
        site_setting_number(r->db, "plan_solver_seconds", 0, 600, SOLVER_SECONDS);
    struct assign_place *place = calloc(n + 1, sizeof(*place));
    struct assign_result better = {0};
    if (place == NULL)
        return ft_fail(err, FT_NOMEM, "plan: no memory for %zu jobs", n);
    memcpy(place, r->place, n * sizeof(*place));
    enum ft_status st = FT_OK;
    if (seconds > 0)
        st = solver_improve(jobs, n, crews, r->s.crews.n, r->s.days.n, seconds, SOLVER_COLUMNS,
                            place, &r->solver, err);
    if (st == FT_OK && r->solver.is_tried && r->solver.bound > r->result.bound)
        r->result.bound = fmin(r->solver.bound, r->result.cost);
    if (st == FT_OK && r->solver.is_improved &&
        r->result.cost - r->solver.cost > SOLVER_MIN_GAIN * fabs(r->result.cost)) {
        st = assign_recount(jobs, n, crews, r->s.crews.n, r->s.days.n, place, &better, err);
        if (st == FT_OK) {
            better.bound = r->result.bound;
            better.n_moves = r->result.n_moves;
            free(r->result.used);
            r->result = better;
            memcpy(r->place, place, n * sizeof(*place));
        }
    }
    free(place);
    return st;
}

enum ft_status planner_place(struct run *r, struct ft_err *err)
{
    const size_t n = r->jobs.n;
    struct assign_job *jobs = calloc(n + 1, sizeof(*jobs));
    struct assign_crew *crews = calloc(r->s.crews.n + 1, sizeof(*crews));
    r->place = calloc(n + 1, sizeof(*r->place));
    enum ft_status st = FT_OK;
    if (jobs == NULL || crews == NULL || r->place == NULL) {
        st = ft_fail(err, FT_NOMEM, "plan: no memory for %zu jobs", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        const struct job *x = &r->jobs.items[i];
        jobs[i] = (struct assign_job){.hours = x->hours,
                                      .asset_id = x->asset_id,
                                      .skill = x->skill,
                                      .first_day = x->first_day,
                                      .last_day = x->last_day,
                                      .cost = x->cost,
                                      .cost_left = x->cost_left,
                                      .setup = x->setup,
                                      .old_day = x->old_day,
                                      .old_crew = x->old_crew,
                                      .move_cost = x->move_cost,
                                      .is_fixed = x->is_fixed};
    }
    for (size_t c = 0; c < r->s.crews.n; c++)
        crews[c] = (struct assign_crew){r->s.crews.items[c].skills,
                                        r->s.days.hours + c * (size_t)r->s.days.n};
    st = assign_solve(jobs, n, crews, r->s.crews.n, r->s.days.n, r->place, &r->result, err);
    if (st == FT_OK)
        st = ask_solver(r, jobs, crews, err);
out:
    free(jobs);
    free(crews);
    return st;
}

/* --- writing ---------------------------------------------------------------------------------- */

static enum ft_status set_text(char **to, const char *text, struct ft_err *err)
{
    char *copy = strdup(text);
    if (copy == NULL)
        return ft_fail(err, FT_NOMEM, "plan: no memory for a text");
    free(*to);
    *to = copy;
    return FT_OK;
}

static enum ft_status fill_order(const struct run *r, size_t i, struct work_order *w,
                                 struct ft_err *err)
{
    const struct job *x = &r->jobs.items[i];
    const struct assign_place p = r->place[i];
    w->asset_id = x->asset_id;
    w->component_id = x->component_id;
    w->plan_id = x->plan_id;
    w->model_id = x->model_id;
    w->priority = x->priority;
    w->due_ms = x->due_ms;
    w->earliest_ms = x->earliest_ms;
    w->latest_ms = x->latest_ms;
    w->duration_h = x->hours;
    w->risk_by_due = x->risk_by_due;
    w->expected_cost_minor = x->expected_cost_minor;
    w->waiting_minor_per_day = x->waiting_minor_per_day;
    w->scheduled_ms = p.day >= 0 ? r->s.days.start_ms[p.day] : DB_NO_TIME;
    w->crew_id = p.crew >= 0 ? r->s.crews.items[p.crew].id : 0;
    enum ft_status st = set_text(&w->title, x->title, err);
    if (st == FT_OK)
        st = set_text(&w->reason, x->reason, err);
    if (st == FT_OK)
        st = set_text(&w->kind, x->kind, err);
    return st;
}

static bool is_near(double a, double b, double step)
{
    return (isnan(a) && isnan(b)) || fabs(a - b) <= step;
}

/* Would a planner notice the difference? */
static bool is_changed(const struct work_order *a, const struct work_order *b)
{
    return a->scheduled_ms != b->scheduled_ms || a->crew_id != b->crew_id ||
           a->due_ms != b->due_ms || a->earliest_ms != b->earliest_ms ||
           a->latest_ms != b->latest_ms || a->priority != b->priority ||
           strcmp(a->title, b->title) != 0 || !is_near(a->duration_h, b->duration_h, 0.01) ||
           !is_near(a->risk_by_due, b->risk_by_due, RISK_STEP) ||
           !is_near((double)a->expected_cost_minor, (double)b->expected_cost_minor,
                    COST_STEP * fabs((double)a->expected_cost_minor));
}

static enum ft_status tell(struct run *r, enum notify_kind kind, const struct work_order *w,
                           struct ft_err *err)
{
    size_t n = 0;
    if (strcmp(w->kind, "predictive") != 0)
        return FT_OK;
    const enum ft_status st = notify_work_order(r->db, kind, w, r->s.site.now_ms, &n, err);
    r->out->n_notices += n;
    return st;
}

static void add_day(cJSON *o, const char *key, int64_t ts_ms)
{
    char date[CLOCK_TEXT_SIZE];
    if (ts_ms == DB_NO_TIME) {
        json_add_null(o, key);
        return;
    }
    clock_format_local_date(ts_ms, date);
    json_add_string(o, key, date);
}

/* effect: money that the change saves (negative) or costs, minor units; NaN = unknown. */
static void add_change(struct run *r, const char *change, const char *title, int64_t from_ms,
                       int64_t to_ms, const char *why, double effect)
{
    cJSON *o = json_add_object(r->changes, NULL);
    json_add_string(o, "change", change);
    json_add_string(o, "title", title);
    add_day(o, "from", from_ms);
    add_day(o, "to", to_ms);
    json_add_string(o, "why", why);
    json_add_number(o, "effect",
                    isnan(effect) ? NAN : money_to_major(llround(effect), r->s.site.currency));
}

/* Why a placed draft is not on its best day, or where it went. */
static void move_reason(const struct run *r, size_t i, const struct work_order *old, char *why,
                        size_t size)
{
    const struct job *x = &r->jobs.items[i];
    const struct assign_place p = r->place[i];
    const struct asset *a = catalog_asset(&r->s.catalog, x->asset_id);
    if (p.day < 0)
        snprintf(why, size, "No crew has room in its window.");
    else if (days_has(&r->s.days, p.day, CALENDAR_STOP, a != NULL ? a->area : NULL))
        snprintf(why, size, "Fits a production stop.");
    else if (old->due_ms != x->due_ms)
        snprintf(why, size, "Its best day moved with the forecast.");
    else
        snprintf(why, size, "Room for work that waits dearer.");
}

static enum ft_status update_draft(struct run *r, size_t i, struct ft_err *err)
{
    const struct job *x = &r->jobs.items[i];
    struct work_order w;
    char why[120];
    enum ft_status st = work_order_copy(x->order, &w, err);
    if (st == FT_OK)
        st = fill_order(r, i, &w, err);
    if (st != FT_OK || !is_changed(x->order, &w)) {
        work_order_clear(&w);
        return st;
    }
    w.updated_ms = r->s.site.now_ms;
    st = work_order_update(r->db, &w, err);
    if (st == FT_OK) {
        w.version = x->order->version + 1;
        r->out->n_changed++;
        st = tell(r, NOTIFY_CHANGED, &w, err);
    }
    if (st == FT_OK && w.scheduled_ms != x->order->scheduled_ms) {
        const int old_day = x->old_day;
        const double effect = r->place[i].day >= 0 && old_day >= 0
                                  ? x->cost[r->place[i].day] - x->cost[old_day]
                                  : NAN;
        const bool is_later =
            x->order->scheduled_ms != DB_NO_TIME &&
            (w.scheduled_ms == DB_NO_TIME || w.scheduled_ms > x->order->scheduled_ms);
        move_reason(r, i, x->order, why, sizeof(why));
        add_change(r, is_later && strcmp(x->kind, "predictive") != 0 ? "deferred" : "moved",
                   w.title, x->order->scheduled_ms, w.scheduled_ms, why, effect);
    }
    work_order_clear(&w);
    return st;
}

/* What the plan gives along: steps and parts. */
static enum ft_status carry_over(const struct run *r, const struct job *x, struct work_order *w,
                                 struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < r->s.plans.n && x->plan_id != 0; i++) {
        const struct plan *p = &r->s.plans.items[i];
        if (p->id != x->plan_id)
            continue;
        if (p->checklist != NULL)
            st = set_text(&w->checklist, p->checklist, err);
        if (st == FT_OK && p->parts != NULL)
            st = set_text(&w->parts, p->parts, err);
    }
    return st;
}

static enum ft_status insert_draft(struct run *r, size_t i, struct ft_err *err)
{
    const struct job *x = &r->jobs.items[i];
    struct work_order w;
    int64_t id;
    struct work_order stored = {0};
    work_order_init(&w);
    w.created_ms = w.updated_ms = r->s.site.now_ms;
    enum ft_status st = set_text(&w.status, "draft", err);
    if (st == FT_OK)
        st = carry_over(r, x, &w, err);
    if (st == FT_OK)
        st = fill_order(r, i, &w, err);
    if (st == FT_OK)
        st = work_order_insert(r->db, &w, &id, err);
    if (st == FT_OK) {
        r->out->n_new++;
        const bool is_predictive = x->source == JOB_PREDICTIVE;
        if (is_predictive) {
            /* The store gave it its key: read it back by id. */
            const struct work_order_filter one = {.after_id = id - 1, .limit = 1};
            struct work_order_list l = {0};
            st = work_order_list(r->db, &one, &l, err);
            if (st == FT_OK && l.n == 1 && l.items[0].id == id)
                st = tell(r, NOTIFY_PROPOSED, &l.items[0], err);
            work_order_list_free(&l);
            char why[200];
            char p[WORDS_SIZE];
            snprintf(why, sizeof(why), "New case: %s chance of failure in 30 days.",
                     words_percent(x->p_30d, p));
            add_change(r, "added", w.title, DB_NO_TIME, w.scheduled_ms, why,
                       x->best_cost - x->cost_left);
        }
    }
    work_order_clear(&stored);
    work_order_clear(&w);
    return st;
}

/* Approved work without a day gets one; nothing else of it changes. */
static enum ft_status schedule_order(struct run *r, size_t i, struct ft_err *err)
{
    const struct job *x = &r->jobs.items[i];
    struct work_order w;
    if (x->is_fixed || r->place[i].day < 0)
        return FT_OK;
    const int64_t day_ms = r->s.days.start_ms[r->place[i].day];
    const bool waits =
        strcmp(x->order->status, "approved") == 0 || strcmp(x->order->status, "sent") == 0 ||
        strcmp(x->order->status, "draft") == 0 || strcmp(x->order->status, "scheduled") == 0;
    if (!waits || x->order->scheduled_ms == day_ms)
        return FT_OK;
    enum ft_status st = work_order_copy(x->order, &w, err);
    if (st == FT_OK) {
        w.scheduled_ms = day_ms;
        w.crew_id = r->s.crews.items[r->place[i].crew].id;
        w.updated_ms = r->s.site.now_ms;
        st = work_order_update(r->db, &w, err);
    }
    if (st == FT_OK) {
        w.version = x->order->version + 1;
        r->out->n_changed++;
        st = tell(r, NOTIFY_CHANGED, &w, err);
        const bool is_early = x->old_day >= 0 && x->old_day < x->spare_day;
        add_change(r, "moved", w.title, x->order->scheduled_ms, w.scheduled_ms,
                   is_early ? "Its spare, on its way since the approval, is not here before."
                            : "It had no day that can still be kept.",
                   NAN);
    }
    work_order_clear(&w);
    return st;
}

static enum ft_status cancel_draft(struct run *r, const struct job_cancel *c, struct ft_err *err)
{
    struct work_order w;
    enum ft_status st = work_order_copy(c->order, &w, err);
    if (st == FT_OK)
        st = set_text(&w.status, "cancelled", err);
    if (st == FT_OK)
        st = set_text(&w.reason, c->why, err);
    if (st == FT_OK) {
        w.updated_ms = r->s.site.now_ms;
        st = work_order_update(r->db, &w, err);
    }
    if (st == FT_OK) {
        w.version = c->order->version + 1;
        r->out->n_cancelled++;
        st = tell(r, NOTIFY_CANCELLED, &w, err);
        add_change(r, "cancelled", w.title, w.scheduled_ms, DB_NO_TIME, c->why,
                   w.expected_cost_minor != DB_NO_MONEY ? -(double)w.expected_cost_minor : NAN);
    }
    work_order_clear(&w);
    return st;
}

static enum ft_status write_plan(struct run *r, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < r->jobs.n_cancels && st == FT_OK; i++)
        st = cancel_draft(r, &r->jobs.cancels[i], err);
    for (size_t i = 0; i < r->jobs.n && st == FT_OK; i++) {
        const struct job *x = &r->jobs.items[i];
        if (x->source == JOB_ORDER)
            st = schedule_order(r, i, err);
        else if (x->order != NULL)
            st = update_draft(r, i, err);
        else
            st = insert_draft(r, i, err);
    }
    return st;
}

/* --- report ----------------------------------------------------------------------------------- */

/* Money at risk over 30 days: all of it, and what is left when the plan is carried out: a part with
 * placed predictive work is at risk only until then. */
static void sum_risk(struct run *r)
{
    double total = 0;
    double left = 0;
    for (size_t i = 0; i < r->s.n_forecasts; i++) {
        const struct forecast *f = &r->s.forecasts[i].f;
        size_t n;
        const struct snapshot_forecast *all = snapshot_of_asset(&r->s, f->asset_id, &n);
        const struct asset *a = catalog_asset(&r->s.catalog, f->asset_id);
        if (a == NULL || !snapshot_decides(all, n, (size_t)(&r->s.forecasts[i] - all)) ||
            a->is_held_out)
            continue;
        const struct job_costs k =
            economics_costs(&r->s.economics, &r->s.catalog, a, f->component_id);
        double days = PREDICTIVE_WINDOW_DAYS;
        for (size_t j = 0; j < r->jobs.n; j++) {
            const struct job *x = &r->jobs.items[j];
            if (x->asset_id == f->asset_id && x->component_id == f->component_id &&
                r->place[j].day >= 0 && r->place[j].day < days &&
                strcmp(x->kind, "inspection") != 0)
                days = r->place[j].day;
        }
        const double p =
            snapshot_forecast_p(&r->s, f, PREDICTIVE_WINDOW_DAYS * MS_PER_DAY, NULL, NULL);
        const double p_until =
            days > 0
                ? snapshot_forecast_p(&r->s, f, (int64_t)(days * (double)MS_PER_DAY), NULL, NULL)
                : 0;
        total += (double)economics_at_risk(&k, p);
        left += (double)economics_at_risk(&k, p_until);
    }
    r->out->risk_total_minor = llround(total);
    r->out->risk_left_minor = llround(left);
}

static void list_not_placed(struct run *r)
{
    for (size_t i = 0; i < r->jobs.n; i++) {
        const struct job *x = &r->jobs.items[i];
        if (r->place[i].day >= 0)
            continue;
        const struct asset *a = catalog_asset(&r->s.catalog, x->asset_id);
        bool has_crew = false;
        bool has_day = false;
        for (size_t c = 0; c < r->s.crews.n; c++)
            has_crew |= assign_has_skill(r->s.crews.items[c].skills, x->skill);
        for (int d = x->first_day; d <= x->last_day; d++)
            has_day |= isfinite(x->cost[d]);
        char why[160];
        if (!has_crew)
            snprintf(why, sizeof(why), "No crew has the skill \"%s\".", x->skill);
        else if (x->spare_day >= r->s.days.n)
            snprintf(why, sizeof(why), "Its spare is not here within %d days.", r->s.days.n);
        else if (!has_day)
            snprintf(why, sizeof(why), "Every day of its window is blacked out.");
        else
            snprintf(why, sizeof(why), "No crew has %.3g h free in its window.", x->hours);
        cJSON *o = json_add_object(r->not_placed, NULL);
        json_add_string(o, "key", x->order != NULL ? x->order->key : NULL);
        json_add_string(o, "asset", a != NULL ? a->key : NULL);
        json_add_string(o, "title", x->title);
        json_add_string(o, "why", why);
    }
}

void planner_sum(struct run *r)
{
    struct planner_summary *o = r->out;
    for (size_t i = 0; i < r->jobs.n; i++) {
        const struct job *x = &r->jobs.items[i];
        const bool is_predictive = strcmp(x->kind, "predictive") == 0;
        const bool is_rule = x->source == JOB_PREVENTIVE || x->plan_id != 0;
        o->n_predictive += is_predictive;
        o->n_preventive += !is_predictive && is_rule;
        o->n_other += !is_predictive && !is_rule;
    }
    o->n_placed = r->result.n_placed;
    o->n_not_placed = r->jobs.n - r->result.n_placed;
    o->expected_cost_minor = llround(r->result.cost);
    o->bound_minor = llround(r->result.bound);
    o->gap_frac = r->result.bound > 0 ? (r->result.cost - r->result.bound) / r->result.bound : 0;
    for (size_t i = 0; i < r->s.crews.n * (size_t)r->s.days.n; i++) {
        o->hours += r->result.used[i];
        o->hours_available += r->s.days.hours[i];
    }
    sum_risk(r);
}

void planner_add_summary(cJSON *s, const struct run *r)
{
    const struct planner_summary *p = r->out;
    const char *currency = r->s.site.currency;
    json_add_money(s, "expected_cost", p->expected_cost_minor, currency);
    json_add_money(s, "bound", p->bound_minor, currency);
    json_add_number(s, "gap_frac", p->gap_frac);
    cJSON *solver = json_add_object(s, "solver");
    json_add_bool(solver, "built_in", solver_is_built_in());
    json_add_bool(solver, "tried", r->solver.is_tried);
    json_add_bool(solver, "proven", r->solver.is_proven);
    json_add_bool(solver, "improved", r->solver.is_improved);
    json_add_number(s, "seconds", p->seconds);
    json_add_int(s, "days", (int64_t)r->s.days.n);
    json_add_int(s, "placed", (int64_t)p->n_placed);
    json_add_int(s, "predictive", (int64_t)p->n_predictive);
    json_add_int(s, "preventive", (int64_t)p->n_preventive);
    json_add_int(s, "other", (int64_t)p->n_other);
    json_add_number(s, "hours", p->hours);
    json_add_number(s, "hours_available", p->hours_available);
    json_add_money(s, "risk_left", p->risk_left_minor, currency);
    json_add_money(s, "risk_total", p->risk_total_minor, currency);
    json_add_int(s, "not_placed", (int64_t)p->n_not_placed);
    json_add_int(s, "new", (int64_t)p->n_new);
    json_add_int(s, "changed", (int64_t)p->n_changed);
    json_add_int(s, "cancelled", (int64_t)p->n_cancelled);
}

/* The report of the run, which schedule_json() reads back. */
static enum ft_status write_report(struct run *r, int64_t run_id, struct ft_err *err)
{
    cJSON *o = cJSON_CreateObject();
    char budget[CASES_BUDGET_WORDS];
    cJSON *summary = json_add_object(o, "summary");
    planner_add_summary(summary, r);
    cases_budget_words(&r->budget, r->s.site.currency, budget);
    json_add_string(summary, "alarm_budget", r->budget.per_week > 0 ? budget : NULL);
    json_add_instant(o, "planned_at", r->s.site.now_ms);
    cJSON_AddItemToObject(o, "not_placed", r->not_placed);
    cJSON_AddItemToObject(o, "changes", r->changes);
    r->not_placed = r->changes = NULL; /* owned by the report now */
    char *text = json_print(o, false);
    cJSON_Delete(o);
    if (text == NULL)
        return ft_fail(err, FT_NOMEM, "plan: no memory for the report");
    const enum ft_status st = run_finish(r->db, run_id, "done", text, err);
    free(text);
    return st;
}

static enum ft_status plan_inside(struct run *r, const struct planner_options *options,
                                  struct ft_err *err)
{
    int64_t run_id;
    const double start_s = clock_mono_s();
    enum ft_status st = run_start(r->db, "plan", &run_id, err);
    if (st == FT_OK)
        st = snapshot_load(r->db, options != NULL ? options->now_ms : 0, &r->s, err);
    if (st == FT_OK)
        st = cases_update(r->db, &r->s, NULL, err);
    if (st == FT_OK)
        st = jobs_build(r->db, &r->s, &r->jobs, err);
    if (st == FT_OK)
        st = planner_place(r, err);
    if (st == FT_OK)
        st = write_plan(r, err);
    if (st != FT_OK)
        return st;
    list_not_placed(r);
    planner_sum(r);
    r->out->seconds = clock_mono_s() - start_s;
    return write_report(r, run_id, err);
}

enum ft_status planner_run(struct db *db, const struct planner_options *options,
                           struct planner_summary *out, struct ft_err *err)
{
    struct planner_summary unused = {0};
    struct run r = {.db = db, .out = out != NULL ? out : &unused};
    memset(r.out, 0, sizeof(*r.out));
    r.changes = cJSON_CreateArray();
    r.not_placed = cJSON_CreateArray();
    enum ft_status st = db_begin(db, err);
    if (st == FT_OK) {
        st = r.changes != NULL && r.not_placed != NULL ? plan_inside(&r, options, err)
                                                       : ft_fail(err, FT_NOMEM, "plan: no memory");
        if (st == FT_OK)
            st = db_commit(db, err);
        else
            db_rollback(db);
    }
    cJSON_Delete(r.changes);
    cJSON_Delete(r.not_placed);
    free(r.place);
    free(r.result.used);
    jobs_free(&r.jobs);
    snapshot_free(&r.s);
    return st;
}
