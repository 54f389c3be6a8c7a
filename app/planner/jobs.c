#include "app/planner/jobs.h"

#include "app/base/clock.h"
#include "app/base/money.h"
#include "app/cases.h"
#include "app/words.h"
#include "app/work_order_json.h"
#include "db/event_store.h"
#include "db/reading_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Moving a draft costs this share of the job, so that plans do not jump for pennies. */
#define MOVE_SHARE 0.03
/* Inside the freeze a move costs this much more. */
#define FREEZE_FACTOR 5.0
/* Preventive work off its due date: this share of its cost per tolerance length. */
#define OFF_DUE_SHARE 0.15
/* Late beyond the tolerance costs the whole job again per tolerance length. */
#define LATE_SHARE 1.0
/* Share of the planned stop that a second job at the same stop saves. */
#define SETUP_SHARE 0.5
/* Preventive work within this part of its interval after a predictive job is covered by it. */
#define COVERED_SHARE 0.75
/* How the reason of every work order made by a rule begins. */
#define RULE_REASON "Due every"
enum { LATE_DAYS = 14, MAX_DUES = 100, METER_DAYS = 60 };

static enum ft_status job_add(struct jobs *j, int n_days, struct job **out, struct ft_err *err)
{
    if (j->n == j->cap) {
        const size_t cap = j->cap == 0 ? 128 : 2 * j->cap;
        struct job *items = realloc(j->items, cap * sizeof(*items));
        if (items == NULL)
            return ft_fail(err, FT_NOMEM, "plan: no memory for %zu jobs", cap);
        j->items = items;
        j->cap = cap;
    }
    struct job *x = &j->items[j->n];
    memset(x, 0, sizeof(*x));
    x->cost = calloc((size_t)n_days, sizeof(*x->cost));
    if (x->cost == NULL)
        return ft_fail(err, FT_NOMEM, "plan: no memory for a job");
    j->n++;
    x->risk_by_due = NAN;
    x->expected_cost_minor = x->waiting_minor_per_day = DB_NO_MONEY;
    x->due_ms = x->earliest_ms = x->latest_ms = DB_NO_TIME;
    x->old_day = x->old_crew = -1;
    x->priority = 3;
    x->last_day = n_days - 1;
    *out = x;
    return FT_OK;
}

static enum ft_status cancel_add(struct jobs *j, const struct work_order *w, const char *why,
                                 struct ft_err *err)
{
    if (j->n_cancels == j->cap_cancels) {
        const size_t cap = j->cap_cancels == 0 ? 32 : 2 * j->cap_cancels;
        struct job_cancel *items = realloc(j->cancels, cap * sizeof(*items));
        if (items == NULL)
            return ft_fail(err, FT_NOMEM, "plan: no memory for %zu cancellations", cap);
        j->cancels = items;
        j->cap_cancels = cap;
    }
    struct job_cancel *c = &j->cancels[j->n_cancels++];
    c->order = w;
    snprintf(c->why, sizeof(c->why), "%s", why);
    return FT_OK;
}

void jobs_free(struct jobs *j)
{
    for (size_t i = 0; i < j->n; i++)
        free(j->items[i].cost);
    free(j->items);
    free(j->cancels);
    free(j->plans);
    memset(j, 0, sizeof(*j));
}

/* A draft that the planner made and nobody has pinned: it may be moved and cancelled. */
static bool is_draft(const struct work_order *w)
{
    const bool is_ours = (strcmp(w->kind, "predictive") == 0 && w->model_id != 0) ||
                         w->plan_id != 0 ||
                         (w->reason != NULL && strncmp(w->reason, RULE_REASON, 9) == 0);
    return strcmp(w->status, "draft") == 0 && !w->is_pinned && is_ours;
}

/* Where the work order stands on the board of days and crews. */
static void find_old_place(const struct snapshot *s, const struct work_order *w, struct job *x)
{
    const int day = w->scheduled_ms != DB_NO_TIME ? days_index(&s->days, w->scheduled_ms) : -1;
    x->old_day = day >= 0 && day < s->days.n ? day : -1;
    x->old_crew = -1;
    for (size_t c = 0; c < s->crews.n; c++)
        if (s->crews.items[c].id == w->crew_id)
            x->old_crew = (int)c;
}

/* Days on which nothing may be done at the asset cost infinity. */
static void close_blackouts(const struct snapshot *s, const struct asset *a, struct job *x)
{
    for (int d = 0; d < s->days.n; d++)
        if (days_has(&s->days, d, CALENDAR_BLACKOUT, a->area))
            x->cost[d] = INFINITY;
}

/* The job begins when its spare is here; never, when that lies behind the plan. */
static void wait_for_spare(const struct snapshot *s, int spare_day, struct job *x)
{
    x->spare_day = spare_day;
    if (x->first_day < spare_day)
        x->first_day = spare_day < s->days.n ? spare_day : s->days.n - 1;
    for (int d = 0; spare_day >= s->days.n && !x->is_fixed && d < s->days.n; d++)
        x->cost[d] = INFINITY;
}

static void set_move_cost(const struct snapshot *s, struct job *x, double job_cost)
{
    x->move_cost = MOVE_SHARE * job_cost;
    if (x->old_day >= 0 && s->days.start_ms[x->old_day] - s->site.now_ms < s->site.freeze_ms)
        x->move_cost *= FREEZE_FACTOR;
}

static int first_free_day(const struct snapshot *s)
{
    return clock_to_local(s->site.now_ms).hour >= 12 ? 1 : 0; /* today's crews are at work */
}

/* --- work that a person has taken up -------------------------------------------------------- */

/* The day on which the spare of a predictive work order is here. Who has begun has it. */
static int spare_day_of(const struct snapshot *s, const struct work_order *w)
{
    return strcmp(w->kind, "predictive") == 0 && strcmp(w->status, "in_progress") != 0
               ? snapshot_spare_day(s, w->component_id, w)
               : 0;
}

/* Taken up work keeps its day, but for one: a day from before the approval, on which the spare is
 * not here yet. Pinned and scheduled work stands where a person wants it. Work without a crew goes
 * to the first one, so that its hours count. */
static void fix_place(const struct work_order *w, int spare_day, struct job *x)
{
    const bool is_early =
        strcmp(w->status, "approved") == 0 && !w->is_pinned && x->old_day < spare_day;
    x->is_fixed = x->old_day >= 0 && !is_early;
    if (x->is_fixed && x->old_crew < 0)
        x->old_crew = 0;
}

static enum ft_status add_order(const struct snapshot *s, const struct work_order *w,
                                struct jobs *j, struct ft_err *err)
{
    struct job *x;
    const struct asset *a = catalog_asset(&s->catalog, w->asset_id);
    enum ft_status st = job_add(j, s->days.n, &x, err);
    if (st != FT_OK || a == NULL)
        return st;
    x->source = JOB_ORDER;
    x->order = w;
    x->asset_id = w->asset_id;
    x->component_id = w->component_id;
    x->plan_id = w->plan_id;
    x->model_id = w->model_id;
    x->kind = w->kind;
    x->hours = w->duration_h;
    x->due_ms = w->due_ms;
    snprintf(x->title, sizeof(x->title), "%s", w->title);
    const struct component *c = catalog_component(&s->catalog, w->component_id);
    snprintf(x->skill, sizeof(x->skill), "%s", c != NULL && c->skill != NULL ? c->skill : "");
    find_old_place(s, w, x);
    const int spare_day = spare_day_of(s, w);
    fix_place(w, spare_day, x);
    /* Not placed yet: as soon as possible, or on its due date when it has one. */
    const int due = w->due_ms != DB_NO_TIME ? days_index(&s->days, w->due_ms) : 0;
    const double per_day = w->waiting_minor_per_day != DB_NO_MONEY && w->waiting_minor_per_day > 0
                               ? (double)w->waiting_minor_per_day
                               : (double)money_from_major(100.0 / w->priority, s->site.currency);
    for (int d = 0; d < s->days.n; d++)
        x->cost[d] = per_day * abs(d - (due > 0 ? due : 0));
    close_blackouts(s, a, x);
    if (x->is_fixed)
        x->cost[x->old_day] = 0; /* it stands there by a person's will */
    x->first_day = first_free_day(s);
    if (w->earliest_ms != DB_NO_TIME && days_index(&s->days, w->earliest_ms) > x->first_day)
        x->first_day = days_index(&s->days, w->earliest_ms);
    x->cost_left = per_day * 2 * s->days.n;
    if (x->first_day >= s->days.n)
        x->first_day = s->days.n - 1;
    wait_for_spare(s, spare_day, x);
    x->best_cost = 0;
    return FT_OK;
}

/* --- predictive ------------------------------------------------------------------------------- */

static void predictive_reason(const struct snapshot *s, const struct forecast *f,
                              const struct snapshot_case *k, struct job *x)
{
    char p[WORDS_SIZE];
    char age[WORDS_SIZE];
    char money[WORDS_SIZE];
    char saving[WORDS_SIZE];
    char date[WORDS_SIZE];
    const char *currency = s->site.currency;
    snprintf(x->reason, sizeof(x->reason), "%s chance of failure in %d days",
             words_percent(k->window.p_window, p), PREDICTIVE_WINDOW_DAYS);
    if (!isnan(k->p_age_only))
        snprintf(x->reason + strlen(x->reason), sizeof(x->reason) - strlen(x->reason),
                 " (by age alone %s)", words_percent(k->p_age_only, age));
    snprintf(x->reason + strlen(x->reason), sizeof(x->reason) - strlen(x->reason), ".");
    if (f->n_reasons > 0 && f->reasons[0].points > 0)
        snprintf(x->reason + strlen(x->reason), sizeof(x->reason) - strlen(x->reason), " %s.",
                 f->reasons[0].text);
    snprintf(x->reason + strlen(x->reason), sizeof(x->reason) - strlen(x->reason),
             " Best on %s: saves %s against leaving it.",
             words_date(s->days.start_ms[k->window.best], s->site.now_ms, date),
             words_money(llround(k->window.saving), currency, saving));
    if (k->window.waiting_per_day >= 1)
        snprintf(x->reason + strlen(x->reason), sizeof(x->reason) - strlen(x->reason),
                 " Each day later costs %s.",
                 words_money(llround(k->window.waiting_per_day), currency, money));
}

static int urgency(const struct snapshot *s, const struct snapshot_case *k)
{
    if (k->window.latest * MS_PER_DAY < s->site.freeze_ms)
        return 1;
    return k->window.best * MS_PER_DAY < s->site.horizon_ms ? 2 : 3;
}

static enum ft_status add_predictive(const struct snapshot *s, const struct forecast *f,
                                     const struct snapshot_case *k, struct jobs *j,
                                     struct ft_err *err)
{
    struct job *x;
    enum ft_status st = job_add(j, s->days.n, &x, err);
    if (st != FT_OK)
        return st;
    const struct component *c = catalog_component(&s->catalog, f->component_id);
    const struct predictive_window *w = &k->window;
    x->source = JOB_PREDICTIVE;
    x->order = k->order;
    x->asset_id = f->asset_id;
    x->component_id = f->component_id;
    x->model_id = f->model_id;
    x->kind = "predictive";
    x->priority = urgency(s, k);
    x->hours = k->costs.planned_h > 0 ? k->costs.planned_h : 1;
    snprintf(x->title, sizeof(x->title), "%s %s on %s",
             c != NULL ? "Replace" : "Inspect and repair", c != NULL ? c->name : "machine",
             k->asset->key);
    snprintf(x->skill, sizeof(x->skill), "%s", c != NULL && c->skill != NULL ? c->skill : "");
    predictive_reason(s, f, k, x);
    x->due_ms = s->days.start_ms[w->best];
    x->earliest_ms = s->days.start_ms[w->earliest];
    x->latest_ms = s->days.start_ms[w->latest];
    x->risk_by_due = w->risk_by_best;
    x->expected_cost_minor = llround(w->cost_best);
    x->waiting_minor_per_day = llround(w->waiting_per_day);
    x->cost_failure = (double)k->costs.failure_minor;
    x->cost_planned = (double)k->costs.planned_minor;
    x->p_30d = w->p_window;
    /* Beyond the risk limit each point of risk counts a second time. */
    for (int d = 0; d < s->days.n; d++)
        x->cost[d] = w->cost[d] +
                     (x->cost_failure - x->cost_planned) * fmax(0, w->risk[d] - s->site.risk_limit);
    x->cost_left = fmax(w->cost_left, x->cost[s->days.n - 1]) +
                   (x->cost_failure - x->cost_planned) * w->risk[s->days.n - 1];
    x->best_cost = w->cost_best;
    close_blackouts(s, k->asset, x);
    x->first_day = w->best < w->earliest ? w->best : w->earliest;
    if (x->first_day < first_free_day(s))
        x->first_day = first_free_day(s);
    wait_for_spare(s, k->spare_day, x);
    x->setup = SETUP_SHARE * (double)k->costs.planned_stop_minor;
    if (x->order != NULL)
        find_old_place(s, x->order, x);
    set_move_cost(s, x, x->cost_planned);
    return FT_OK;
}

/* Does a person hold this case already, or is it pinned? Then its work order stays as it is. */
static bool is_taken(const struct work_order *w)
{
    return w != NULL && !(strcmp(w->kind, "predictive") == 0 && is_draft(w));
}

static enum ft_status build_predictive(const struct snapshot *s, struct jobs *j, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t a = 0; a < s->catalog.assets.n && st == FT_OK; a++) {
        size_t n;
        const struct asset *asset = &s->catalog.assets.items[a];
        const struct snapshot_forecast *all = snapshot_of_asset(s, asset->id, &n);
        if (asset->is_held_out || asset->retired_ms != DB_NO_TIME)
            continue;
        for (size_t i = 0; i < n && st == FT_OK; i++) {
            struct snapshot_case k;
            const struct forecast *f = &all[i].f;
            if (!snapshot_decides(all, n, i))
                continue;
            snapshot_case(s, f, &k);
            /* By age alone is a matter of the preventive rules. */
            if (k.asset == NULL || is_taken(k.order) || !k.window.pays ||
                strcmp(f->model_kind, "weibull_age") == 0 ||
                !cases_allow(s, f->asset_id, f->component_id))
                continue;
            st = add_predictive(s, f, &k, j, err);
        }
    }
    return st;
}

/* --- preventive ------------------------------------------------------------------------------- */

static const struct job *predictive_of(const struct jobs *j, int64_t asset_id, int64_t component_id)
{
    for (size_t i = 0; i < j->n; i++) {
        const struct job *x = &j->items[i];
        if (x->asset_id == asset_id && x->component_id == component_id && component_id != 0 &&
            strcmp(x->kind, "predictive") == 0)
            return x;
    }
    return NULL;
}

/* Work orders of one rule at one asset, found by the nearest due date. taken marks used ones. */
static const struct work_order *match_order(const struct snapshot *s, const struct plan *p,
                                            int64_t asset_id, int64_t due_ms, bool *taken)
{
    size_t best = SIZE_MAX;
    int64_t best_gap = p->interval_ms / 2 > MS_PER_DAY ? p->interval_ms / 2 : MS_PER_DAY;
    for (size_t i = 0; i < s->open.n; i++) {
        const struct work_order *w = &s->open.items[i];
        if (taken[i] || w->asset_id != asset_id || w->plan_id != p->id ||
            strcmp(w->kind, "predictive") == 0 || w->due_ms == DB_NO_TIME ||
            (p->id == 0 &&
             (strcmp(w->kind, "preventive") != 0 || w->component_id != p->component_id)))
            continue;
        const int64_t gap = w->due_ms > due_ms ? w->due_ms - due_ms : due_ms - w->due_ms;
        if (gap < best_gap) {
            best_gap = gap;
            best = i;
        }
    }
    if (best == SIZE_MAX)
        return NULL;
    taken[best] = true;
    return &s->open.items[best];
}

static double job_cost_of(const struct snapshot *s, const struct plan *p, const struct asset *a)
{
    const struct job_costs k = economics_costs(&s->economics, &s->catalog, a, p->component_id);
    if (strcmp(p->action, "replacement") == 0 && p->component_id != 0)
        return (double)k.planned_minor;
    return (double)p->cost_minor + p->duration_h * (double)s->economics.labour_minor_per_h;
}

static void preventive_costs(const struct snapshot *s, const struct plan *p, const struct asset *a,
                             int due, struct job *x)
{
    const struct job_costs k = economics_costs(&s->economics, &s->catalog, a, p->component_id);
    const bool stops = strcmp(p->action, "replacement") == 0;
    const double cost = job_cost_of(s, p, a);
    const double tolerance_d = fmax(1, (double)p->tolerance_ms / (double)MS_PER_DAY);
    for (int d = 0; d < s->days.n; d++) {
        const double off = abs(d - due);
        const double over = fmax(0, off - tolerance_d);
        x->cost[d] =
            cost * (1 + OFF_DUE_SHARE * off / tolerance_d + LATE_SHARE * over / tolerance_d);
        if (stops && days_has(&s->days, d, CALENDAR_STOP, a->area))
            x->cost[d] -= fmin(cost, (double)k.planned_stop_minor);
    }
    close_blackouts(s, a, x);
    x->first_day =
        due - (int)tolerance_d > first_free_day(s) ? due - (int)tolerance_d : first_free_day(s);
    x->last_day = due + (int)tolerance_d + LATE_DAYS;
    if (x->last_day > s->days.n - 1)
        x->last_day = s->days.n - 1;
    if (x->first_day > x->last_day)
        x->first_day = x->last_day;
    x->cost_left = cost * (3 + LATE_SHARE * LATE_DAYS / tolerance_d);
    x->best_cost = cost;
    x->setup = stops ? SETUP_SHARE * (double)k.planned_stop_minor : 0;
}

static enum ft_status add_preventive(const struct snapshot *s, const struct plan *p,
                                     const struct asset *a, int64_t due_ms, const char *why,
                                     const struct work_order *order, struct jobs *j,
                                     struct ft_err *err)
{
    struct job *x;
    char every[PREVENTIVE_WORDS];
    const int due = days_index(&s->days, due_ms);
    enum ft_status st = job_add(j, s->days.n, &x, err);
    if (st != FT_OK)
        return st;
    x->source = JOB_PREVENTIVE;
    x->order = order;
    x->asset_id = a->id;
    x->component_id = p->component_id;
    x->plan_id = p->id;
    x->kind = strcmp(p->action, "inspection") == 0 ? "inspection" : "preventive";
    x->hours = p->duration_h;
    snprintf(x->title, sizeof(x->title), "%s, %s", p->name, a->key);
    snprintf(x->skill, sizeof(x->skill), "%s", p->skill != NULL ? p->skill : "");
    snprintf(x->reason, sizeof(x->reason), "Due %s%s%s",
             preventive_describe(p, every, sizeof(every)), p->id != 0 ? " by plan " : "",
             p->id != 0 ? p->key : "");
    snprintf(x->reason + strlen(x->reason), sizeof(x->reason) - strlen(x->reason), ". %s", why);
    x->due_ms = due_ms;
    x->earliest_ms = clock_local_midnight(due_ms - p->tolerance_ms);
    x->latest_ms = clock_local_midnight(due_ms + p->tolerance_ms);
    x->priority = 4;
    preventive_costs(s, p, a, due, x);
    x->expected_cost_minor = llround(x->best_cost);
    if (order != NULL)
        find_old_place(s, order, x);
    set_move_cost(s, x, x->best_cost);
    return FT_OK;
}

/* Last time the rule's work was done at the asset: an event of its kind or a closed work order. */
static int64_t last_done(const struct snapshot *s, const struct event_list *events,
                         const struct work_order_list *closed, const struct plan *p,
                         const struct asset *a)
{
    int64_t last = DB_NO_TIME;
    const bool renews = strcmp(p->action, "replacement") == 0;
    if (renews)
        last = lives_renewed_ms(&s->lives, a->id, p->component_id);
    for (size_t i = 0; i < events->n && !renews; i++) {
        const struct event *e = &events->items[i];
        const bool is_look = e->kind == EVENT_INSPECTION || e->kind == EVENT_REPAIR;
        if (e->asset_id == a->id && is_look && e->component_id == p->component_id &&
            e->ts_ms <= s->site.now_ms && (last == DB_NO_TIME || e->ts_ms > last))
            last = e->ts_ms;
    }
    for (size_t i = 0; i < closed->n && p->id != 0; i++) {
        const struct work_order *w = &closed->items[i];
        if (w->asset_id == a->id && w->plan_id == p->id && w->ended_ms != DB_NO_TIME &&
            (last == DB_NO_TIME || w->ended_ms > last))
            last = w->ended_ms;
    }
    return last;
}

/* Does the list of keys hold the key? */
static bool has_key(const char *list, const char *key)
{
    return list != NULL && key != NULL && key[0] != '\0' && assign_has_skill(list, key);
}

static bool plan_covers(const struct plan *p, const struct asset *a)
{
    const bool in_service = !a->is_held_out && a->retired_ms == DB_NO_TIME;
    return in_service && (p->asset_id != 0 ? p->asset_id == a->id : p->class_id == a->class_id);
}

/* When the work of the rule was last done at the asset, by itself or inside a larger one. */
static int64_t last_done_or_covered(const struct snapshot *s, const struct event_list *events,
                                    const struct work_order_list *closed, const struct plan *p,
                                    const struct asset *a)
{
    int64_t last = last_done(s, events, closed, p, a);
    for (size_t i = 0; i < s->plans.n; i++) {
        const struct plan *larger = &s->plans.items[i];
        if (!has_key(larger->covers, p->key) || !plan_covers(larger, a) || larger == p)
            continue;
        const int64_t then = last_done(s, events, closed, larger, a);
        if (then != DB_NO_TIME && (last == DB_NO_TIME || then > last))
            last = then;
    }
    return last;
}

/* How the asset's meter stands; nothing is known without the sensor. */
static enum ft_status load_usage(struct db *db, const struct snapshot *s, const struct plan *p,
                                 const struct asset *a, int64_t last_ms,
                                 struct preventive_usage *out, struct ft_err *err)
{
    struct sensor_list sensors = {0};
    struct readings r = {0};
    double rollover = NAN;
    *out = (struct preventive_usage){NAN, NAN, NAN};
    if (p->meter == NULL)
        return FT_OK;
    enum ft_status st = sensor_list(db, a->id, &sensors, err);
    for (size_t i = 0; i < sensors.n && st == FT_OK; i++) {
        if (strcmp(sensors.items[i].name, p->meter) != 0)
            continue;
        rollover = sensors.items[i].rollover;
        int64_t from_ms = s->site.now_ms - METER_DAYS * MS_PER_DAY;
        if (last_ms != DB_NO_TIME && last_ms - MS_PER_DAY < from_ms)
            from_ms = last_ms - MS_PER_DAY;
        st = reading_scan(db, sensors.items[i].id, from_ms, s->site.now_ms + 1, &r, err);
        break;
    }
    if (st == FT_OK)
        preventive_read_usage(r.ts_ms, r.value, r.n, rollover, last_ms, out);
    readings_free(&r);
    sensor_list_free(&sensors);
    return st;
}

struct preventive_build {
    struct db *db;
    const struct snapshot *s;
    struct jobs *j;
    const struct event_list *events;
    const struct work_order_list *closed;
    bool *taken; /* [s->open.n] */
};

static enum ft_status rule_dues(const struct preventive_build *b, const struct plan *p,
                                const struct asset *a, int64_t *due, size_t *n, struct ft_err *err)
{
    const struct snapshot *s = b->s;
    struct preventive_usage usage;
    const int64_t last = last_done_or_covered(s, b->events, b->closed, p, a);
    *n = 0;
    const enum ft_status st = load_usage(b->db, s, p, a, last, &usage, err);
    if (st == FT_OK)
        *n = preventive_due(p, last, &usage, s->site.now_ms, s->days.start_ms[s->days.n], due,
                            MAX_DUES);
    return st;
}

/* Why a due date of the rule falls away because a larger plan's work at the asset includes it (the
 * yearly swallows the monthly); "" when none does. */
static enum ft_status find_larger(const struct preventive_build *b, const struct plan *p,
                                  const struct asset *a, int64_t due_ms, char *why, size_t size,
                                  struct ft_err *err)
{
    const struct snapshot *s = b->s;
    int64_t due[MAX_DUES];
    char date[WORDS_SIZE];
    enum ft_status st = FT_OK;
    const int64_t near_ms =
        p->tolerance_ms > p->interval_ms / 2 ? p->tolerance_ms : p->interval_ms / 2;
    why[0] = '\0';
    for (size_t i = 0; i < s->plans.n && st == FT_OK && why[0] == '\0'; i++) {
        const struct plan *larger = &s->plans.items[i];
        size_t n = 0;
        if (larger == p || !larger->is_active || !has_key(larger->covers, p->key) ||
            !plan_covers(larger, a))
            continue;
        st = rule_dues(b, larger, a, due, &n, err);
        for (size_t k = 0; k < n; k++)
            if (llabs(due[k] - due_ms) <= near_ms)
                snprintf(why, size, "Included in %s of %s (plan %s).", larger->name,
                         words_date(due[k], s->site.now_ms, date), larger->key);
    }
    return st;
}

/* All due dates of one rule at one asset. */
static enum ft_status build_rule(struct preventive_build *b, const struct plan *p,
                                 const struct asset *a, const char *why, struct ft_err *err)
{
    const struct snapshot *s = b->s;
    int64_t due[MAX_DUES];
    size_t n;
    enum ft_status st = rule_dues(b, p, a, due, &n, err);
    const struct job *predictive = predictive_of(b->j, a->id, p->component_id);
    const int64_t predictive_ms = predictive != NULL ? predictive->due_ms : DB_NO_TIME;
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        char swallowed[200];
        const struct work_order *order = match_order(s, p, a->id, due[i], b->taken);
        if (order != NULL && !is_draft(order))
            continue; /* a person has it: it is a job already */
        st = find_larger(b, p, a, due[i], swallowed, sizeof(swallowed), err);
        if (st != FT_OK)
            return st;
        if (swallowed[0] != '\0') {
            if (order != NULL)
                st = cancel_add(b->j, order, swallowed, err);
            continue;
        }
        if (predictive_ms != DB_NO_TIME && due[i] >= predictive_ms - p->tolerance_ms - MS_PER_DAY &&
            due[i] < predictive_ms + (int64_t)(COVERED_SHARE * (double)p->interval_ms)) {
            char text[200];
            char date[WORDS_SIZE];
            snprintf(text, sizeof(text), "Covered by the %s job of %s.",
                     catalog_component_name(&s->catalog, p->component_id),
                     words_date(predictive_ms, s->site.now_ms, date));
            if (order != NULL)
                st = cancel_add(b->j, order, text, err);
            continue;
        }
        st = add_preventive(s, p, a, due[i], why, order, b->j, err);
    }
    return st;
}

static enum ft_status count_looks(const struct event_list *events,
                                  const struct work_order_list *closed, const struct snapshot *s,
                                  const struct plan *p, struct preventive_evidence *e)
{
    for (size_t i = 0; i < closed->n; i++)
        if (closed->items[i].plan_id == p->id && closed->items[i].outcome != NULL) {
            e->n_looks++;
            e->n_findings += strcmp(closed->items[i].outcome, "nothing_found") != 0;
        }
    if (e->n_looks > 0 || p->component_id == 0)
        return FT_OK;
    /* Without close-outs: an inspection that a replacement or failure follows within 30 days found
     * something. */
    for (size_t i = 0; i < events->n; i++) {
        const struct event *x = &events->items[i];
        const struct asset *a = catalog_asset(&s->catalog, x->asset_id);
        if (x->kind != EVENT_INSPECTION || x->component_id != p->component_id || a == NULL ||
            (p->asset_id != 0 ? p->asset_id != a->id : p->class_id != a->class_id))
            continue;
        e->n_looks++;
        for (size_t k = i; k < events->n && events->items[k].ts_ms - x->ts_ms <= 30 * MS_PER_DAY;
             k++)
            if (events->items[k].asset_id == x->asset_id &&
                events->items[k].component_id == x->component_id &&
                (events->items[k].kind == EVENT_FAILURE ||
                 events->items[k].kind == EVENT_REPLACEMENT)) {
                e->n_findings++;
                break;
            }
    }
    return FT_OK;
}

static enum ft_status judge_plans(const struct snapshot *s, const struct event_list *events,
                                  const struct work_order_list *closed, struct jobs *out,
                                  struct ft_err *err)
{
    enum ft_status st = FT_OK;
    out->plans = calloc(s->plans.n + 1, sizeof(*out->plans));
    if (out->plans == NULL)
        return ft_fail(err, FT_NOMEM, "plan: no memory for %zu plans", s->plans.n);
    out->n_plans = s->plans.n;
    for (size_t i = 0; i < s->plans.n && st == FT_OK; i++) {
        const struct plan *p = &s->plans.items[i];
        struct preventive_evidence e = {0};
        const struct asset *one = NULL;
        for (size_t k = 0; k < s->catalog.assets.n; k++)
            if (plan_covers(p, &s->catalog.assets.items[k])) {
                one = &s->catalog.assets.items[k];
                e.n_assets++;
            }
        out->plans[i] = (struct job_plan){.plan = p, .n_assets = e.n_assets};
        if (one == NULL)
            continue;
        const struct job_costs k =
            economics_costs(&s->economics, &s->catalog, one, p->component_id);
        e.life = lives_find(&s->lives, one->class_id, p->component_id);
        e.cost_planned = job_cost_of(s, p, one);
        e.cost_failure = (double)k.failure_minor;
        st = count_looks(events, closed, s, p, &e);
        preventive_judge(p, &e, &out->plans[i].verdict);
    }
    return st;
}

/* Does a model that reads sensors speak for the part? Where there is no forecast of the part, the
 * asset's own counts. */
static bool has_sensor_model(const struct snapshot *s, int64_t asset_id, int64_t component_id)
{
    size_t n;
    const struct forecast *own = NULL;
    const struct snapshot_forecast *all = snapshot_of_asset(s, asset_id, &n);
    for (size_t i = 0; i < n; i++)
        if (all[i].f.component_id == component_id ||
            (all[i].f.component_id == 0 && snapshot_decides(all, n, i)))
            own = &all[i].f;
    return own != NULL && own->n_horizons > 0 && strcmp(own->model_kind, "weibull_age") != 0;
}

/* Replaces nothing by rule, but the records of a part show a best age: the rule that they make.
 * Only where no sensor model watches the part. */
static enum ft_status build_age_rules(struct preventive_build *b, struct ft_err *err)
{
    const struct snapshot *s = b->s;
    enum ft_status st = FT_OK;
    for (size_t k = 0; k < s->catalog.components.n; k++) {
        const struct component *c = &s->catalog.components.items[k];
        const struct life *life = lives_find(&s->lives, c->class_id, c->id);
        bool has_plan = false;
        for (size_t i = 0; i < s->plans.n; i++)
            has_plan |= s->plans.items[i].component_id == c->id &&
                        strcmp(s->plans.items[i].action, "replacement") == 0;
        if (has_plan || life == NULL || !life->has_fit || life->n_failures < 5)
            continue;
        for (size_t i = 0; i < s->catalog.assets.n && st == FT_OK; i++) {
            const struct asset *a = &s->catalog.assets.items[i];
            const bool is_watched = has_sensor_model(s, a->id, c->id);
            if (a->class_id != c->class_id || a->is_held_out || a->retired_ms != DB_NO_TIME ||
                is_watched || lives_renewed_ms(&s->lives, a->id, c->id) == DB_NO_TIME)
                continue;
            const struct job_costs costs = economics_costs(&s->economics, &s->catalog, a, c->id);
            const struct age_replacement best = weibull_age_replacement(
                &life->fit, (double)costs.planned_minor, (double)costs.failure_minor);
            if (!best.has_optimum || best.saving_frac < 0.03 || best.interval < 1)
                continue;
            char name[120];
            char action[] = "replacement";
            snprintf(name, sizeof(name), "Replace %s by age", c->name);
            const struct plan p = {.name = name,
                                   .class_id = c->class_id,
                                   .component_id = c->id,
                                   .action = action,
                                   .interval_ms = (int64_t)best.interval * MS_PER_DAY,
                                   .tolerance_ms = 7 * MS_PER_DAY,
                                   .anchor_ms = s->site.now_ms,
                                   .is_floating = true,
                                   .duration_h = costs.planned_h > 0 ? costs.planned_h : 1,
                                   .skill = c->skill,
                                   .is_active = true};
            char why[160];
            snprintf(why, sizeof(why),
                     "Best age from %zu failures (Weibull shape %.1f): saves %.0f %% against "
                     "running to failure.",
                     life->n_failures, life->fit.shape, 100 * best.saving_frac);
            st = build_rule(b, &p, a, why, err);
        }
    }
    return st;
}

static enum ft_status build_preventive(struct preventive_build *b, struct ft_err *err)
{
    const struct snapshot *s = b->s;
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < s->plans.n && st == FT_OK; i++)
        for (size_t k = 0; k < s->catalog.assets.n && st == FT_OK; k++)
            if (plan_covers(&s->plans.items[i], &s->catalog.assets.items[k]))
                st = build_rule(b, &s->plans.items[i], &s->catalog.assets.items[k],
                                b->j->plans[i].verdict.why, err);
    return st == FT_OK ? build_age_rules(b, err) : st;
}

/* --- all -------------------------------------------------------------------------------------- */

/* Drafts that no job stands for any more. */
static enum ft_status cancel_rest(const struct snapshot *s, struct jobs *j, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < s->open.n && st == FT_OK; i++) {
        const struct work_order *w = &s->open.items[i];
        bool has_job = false;
        for (size_t k = 0; k < j->n; k++)
            has_job |= j->items[k].order == w;
        for (size_t k = 0; k < j->n_cancels; k++)
            has_job |= j->cancels[k].order == w;
        if (!is_draft(w) || has_job)
            continue;
        st = cancel_add(j, w,
                        strcmp(w->kind, "predictive") == 0
                            ? "The chance of failure fell below the level at which work pays."
                            : "No longer due: done meanwhile, or the plan changed.",
                        err);
    }
    return st;
}

static enum ft_status load_history(struct db *db, struct event_list *events,
                                   struct work_order_list *closed, struct ft_err *err)
{
    const struct event_filter looks = {.kinds = 1U << EVENT_INSPECTION | 1U << EVENT_REPAIR |
                                                1U << EVENT_REPLACEMENT | 1U << EVENT_FAILURE};
    static const struct work_order_filter done = {.status = "done,closed"};
    enum ft_status st = event_list(db, &looks, events, err);
    if (st == FT_OK)
        st = work_order_list(db, &done, closed, err);
    return st;
}

int jobs_compare_plans(const void *x, const void *y)
{
    const struct job_plan *a = x;
    const struct job_plan *b = y;
    if (a->verdict.saving_per_year != b->verdict.saving_per_year)
        return a->verdict.saving_per_year < b->verdict.saving_per_year ? 1 : -1;
    return (a->plan->id > b->plan->id) - (a->plan->id < b->plan->id);
}

enum ft_status jobs_judge_plans(struct db *db, const struct snapshot *s, struct jobs *out,
                                struct ft_err *err)
{
    struct event_list events = {0};
    struct work_order_list closed = {0};
    memset(out, 0, sizeof(*out));
    enum ft_status st = load_history(db, &events, &closed, err);
    if (st == FT_OK)
        st = judge_plans(s, &events, &closed, out, err);
    event_list_free(&events);
    work_order_list_free(&closed);
    return st;
}

enum ft_status jobs_build(struct db *db, const struct snapshot *s, struct jobs *out,
                          struct ft_err *err)
{
    struct event_list events = {0};
    struct work_order_list closed = {0};
    struct preventive_build b = {.db = db, .s = s, .j = out, .events = &events, .closed = &closed};
    memset(out, 0, sizeof(*out));
    enum ft_status st = load_history(db, &events, &closed, err);
    b.taken = calloc(s->open.n + 1, sizeof(*b.taken));
    if (st == FT_OK && b.taken == NULL)
        st = ft_fail(err, FT_NOMEM, "plan: no memory");
    for (size_t i = 0; i < s->open.n && st == FT_OK; i++)
        if (!is_draft(&s->open.items[i])) /* taken up, pinned, or made by a person */
            st = add_order(s, &s->open.items[i], out, err);
    if (st == FT_OK)
        st = build_predictive(s, out, err);
    if (st == FT_OK)
        st = judge_plans(s, &events, &closed, out, err);
    if (st == FT_OK)
        st = build_preventive(&b, err);
    if (st == FT_OK)
        st = cancel_rest(s, out, err);
    free(b.taken);
    event_list_free(&events);
    work_order_list_free(&closed);
    return st;
}
