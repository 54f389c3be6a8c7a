#include "app/cases.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/inbox.h"
#include "app/words.h"
#include "app/work_order_json.h"
#include "db/asset_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A part for which acting pays and no case stands. */
struct candidate {
    const struct forecast *f;
    double saving, p_window;
};

static const struct risk_case *find_open(const struct snapshot *s, int64_t asset_id,
                                         int64_t component_id)
{
    for (size_t i = 0; i < s->cases.n; i++) {
        const struct risk_case *c = &s->cases.items[i];
        if (c->asset_id == asset_id && c->component_id == component_id && case_is_open(c))
            return c;
    }
    return NULL;
}

/* Has a case of the part ended so lately that none is raised again? */
static bool cools_down(const struct snapshot *s, int64_t asset_id, int64_t component_id)
{
    for (size_t i = 0; i < s->cases.n; i++) {
        const struct risk_case *c = &s->cases.items[i];
        if (c->asset_id == asset_id && c->component_id == component_id && !case_is_open(c) &&
            c->until_ms != DB_NO_TIME && c->until_ms > s->site.now_ms)
            return true;
    }
    return false;
}

bool cases_allow(const struct snapshot *s, int64_t asset_id, int64_t component_id)
{
    const struct risk_case *c = find_open(s, asset_id, component_id);
    if (c == NULL)
        return s->is_trial && !cools_down(s, asset_id, component_id);
    return strcmp(c->state, "deferred") != 0;
}

static const struct forecast *find_forecast(const struct snapshot *s, const struct risk_case *c)
{
    size_t n;
    const struct snapshot_forecast *all = snapshot_of_asset(s, c->asset_id, &n);
    for (size_t i = 0; i < n; i++)
        if (all[i].f.component_id == c->component_id && snapshot_decides(all, n, i))
            return &all[i].f;
    return NULL;
}

bool cases_find(const struct snapshot *s, const struct risk_case *c, struct snapshot_case *out,
                const struct forecast **f)
{
    const struct forecast *found = find_forecast(s, c);
    if (found != NULL)
        snapshot_case(s, found, out);
    if (f != NULL)
        *f = found;
    return found != NULL && out->asset != NULL;
}

static int compare_candidates(const void *x, const void *y)
{
    const struct candidate *a = x;
    const struct candidate *b = y;
    if (a->saving != b->saving)
        return a->saving < b->saving ? 1 : -1;
    if (a->f->asset_id != b->f->asset_id)
        return a->f->asset_id < b->f->asset_id ? -1 : 1;
    return (a->f->component_id > b->f->component_id) - (a->f->component_id < b->f->component_id);
}

/* Candidates by what acting is worth, the dearest first; *list is owned by the caller. */
static enum ft_status find_candidates(const struct snapshot *s, struct candidate **list, size_t *n,
                                      struct ft_err *err)
{
    *n = 0;
    *list = calloc(s->n_forecasts + 1, sizeof(**list));
    if (*list == NULL)
        return ft_fail(err, FT_NOMEM, "cases: no memory");
    for (size_t i = 0; i < s->n_forecasts; i++) {
        struct snapshot_case k;
        size_t n_of_asset;
        const struct forecast *f = &s->forecasts[i].f;
        const struct asset *a = catalog_asset(&s->catalog, f->asset_id);
        const struct snapshot_forecast *all = snapshot_of_asset(s, f->asset_id, &n_of_asset);
        if (a == NULL || a->is_held_out || a->retired_ms != DB_NO_TIME ||
            !snapshot_decides(all, n_of_asset, (size_t)(&s->forecasts[i] - all)) ||
            strcmp(f->model_kind, "weibull_age") == 0 ||
            find_open(s, f->asset_id, f->component_id) != NULL ||
            cools_down(s, f->asset_id, f->component_id))
            continue;
        snapshot_case(s, f, &k);
        if (k.asset != NULL && k.window.pays)
            (*list)[(*n)++] = (struct candidate){f, k.window.saving, k.window.p_window};
    }
    qsort(*list, *n, sizeof(**list), compare_candidates);
    return FT_OK;
}

/* Fills the budget before anything is raised. */
static void count_budget(struct db *db, const struct snapshot *s, struct case_budget *out)
{
    *out = (struct case_budget){.threshold_minor = DB_NO_MONEY, .next_minor = DB_NO_MONEY};
    out->per_week = (int)site_setting_number(db, "alarm_budget_per_week", 0, 100000, CASES_BUDGET);
    for (size_t i = 0; i < s->cases.n; i++) {
        const struct risk_case *c = &s->cases.items[i];
        if (c->opened_ms <= s->site.now_ms - CASES_WEEK_MS)
            continue;
        out->n_used++;
        if (c->saving_minor != DB_NO_MONEY &&
            (out->threshold_minor == DB_NO_MONEY || c->saving_minor < out->threshold_minor))
            out->threshold_minor = c->saving_minor;
    }
}

static size_t free_slots(const struct case_budget *b)
{
    if (b->per_week == 0)
        return SIZE_MAX;
    return b->n_used < (size_t)b->per_week ? (size_t)b->per_week - b->n_used : 0;
}

/* What is left over when the slots are gone. */
static void close_budget(struct case_budget *b, const struct candidate *list, size_t n,
                         size_t n_raised)
{
    b->n_waiting = n - n_raised;
    if (n_raised < n)
        b->next_minor = llround(list[n_raised].saving);
    else
        b->threshold_minor = DB_NO_MONEY;
}

enum ft_status cases_budget(struct db *db, const struct snapshot *s, struct case_budget *out,
                            struct ft_err *err)
{
    struct candidate *list = NULL;
    size_t n;
    count_budget(db, s, out);
    const enum ft_status st = find_candidates(s, &list, &n, err);
    if (st == FT_OK)
        close_budget(out, list, n, free_slots(out) < n ? free_slots(out) : n);
    free(list);
    return st;
}

void cases_budget_words(const struct case_budget *b, const char *currency,
                        char out[CASES_BUDGET_WORDS])
{
    char worth[WORDS_SIZE];
    if (b->per_week == 0)
        (void)snprintf(out, CASES_BUDGET_WORDS,
                       "No alarm budget: every case that pays is raised, %zu in the last 7 days.",
                       b->n_used);
    else if (b->next_minor == DB_NO_MONEY)
        (void)snprintf(out, CASES_BUDGET_WORDS,
                       "%zu of %d cases of the last 7 days are used; none waits.", b->n_used,
                       b->per_week);
    else
        (void)snprintf(out, CASES_BUDGET_WORDS,
                       "%zu of %d cases of the last 7 days are used and %zu would pay beside them: "
                       "the next slot would have been worth %s.",
                       b->n_used, b->per_week, b->n_waiting,
                       words_money(b->next_minor, currency, worth));
}

static enum ft_status set_text(char **to, const char *text, struct ft_err *err)
{
    char *copy = text != NULL ? strdup(text) : NULL;
    if (text != NULL && copy == NULL)
        return ft_fail(err, FT_NOMEM, "cases: no memory");
    free(*to);
    *to = copy;
    return FT_OK;
}

/* Writes the state and renews *c. */
static enum ft_status put_state(struct db *db, struct risk_case *c, const char *state,
                                const char *reason, int64_t now_ms, struct ft_err *err)
{
    enum ft_status st = set_text(&c->state, state, err);
    if (st == FT_OK && reason != NULL)
        st = set_text(&c->reason, reason, err);
    c->updated_ms = now_ms;
    c->closed_ms = case_is_open(c) ? DB_NO_TIME : now_ms;
    if (st == FT_OK)
        st = case_update(db, c, err);
    if (st == FT_OK)
        c->version++;
    return st;
}

static int64_t cooldown_ms(struct db *db)
{
    return (int64_t)(site_setting_number(db, "case_cooldown_days", 0, 3650, CASES_COOLDOWN_DAYS) *
                     (double)MS_PER_DAY);
}

/* Ends or brings back the cases that stand. */
static enum ft_status review_open(struct db *db, struct snapshot *s, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < s->cases.n && st == FT_OK; i++) {
        struct risk_case *c = &s->cases.items[i];
        struct snapshot_case k = {0};
        if (!case_is_open(c))
            continue;
        const struct forecast *f = find_forecast(s, c);
        if (f != NULL)
            snapshot_case(s, f, &k);
        const bool is_approved = strcmp(c->state, "approved") == 0;
        const bool has_order = snapshot_open_order(s, c->asset_id, c->component_id) != NULL;
        if (is_approved ? !has_order : f == NULL || k.asset == NULL || !k.window.pays) {
            c->until_ms = s->site.now_ms + cooldown_ms(db);
            st = put_state(db, c, "closed",
                           is_approved ? "Its work order is closed."
                                       : "The chance of failure fell below the level at which work "
                                         "pays.",
                           s->site.now_ms, err);
        } else if (strcmp(c->state, "deferred") == 0 && c->until_ms <= s->site.now_ms) {
            c->until_ms = DB_NO_TIME;
            st = put_state(db, c, "open", "The date that it was deferred to has come.",
                           s->site.now_ms, err);
        }
    }
    return st;
}

enum ft_status cases_update(struct db *db, struct snapshot *s, struct case_budget *budget,
                            struct ft_err *err)
{
    struct case_budget unused;
    struct candidate *list = NULL;
    size_t n = 0;
    size_t n_raised = 0;
    if (budget == NULL)
        budget = &unused;
    enum ft_status st = review_open(db, s, err);
    count_budget(db, s, budget);
    if (st == FT_OK)
        st = find_candidates(s, &list, &n, err);
    const size_t slots = free_slots(budget);
    for (; n_raised < n && n_raised < slots && st == FT_OK; n_raised++) {
        int64_t id;
        const struct candidate *x = &list[n_raised];
        const struct risk_case c = {.asset_id = x->f->asset_id,
                                    .component_id = x->f->component_id,
                                    .opened_ms = s->site.now_ms,
                                    .p_window = x->p_window,
                                    .saving_minor = llround(x->saving)};
        st = case_insert(db, &c, &id, err);
        budget->n_used += st == FT_OK;
        if (budget->threshold_minor == DB_NO_MONEY || c.saving_minor < budget->threshold_minor)
            budget->threshold_minor = c.saving_minor;
    }
    if (st == FT_OK) {
        close_budget(budget, list, n, n_raised);
        case_list_free(&s->cases);
        st = snapshot_read_cases(db, s, err);
    }
    free(list);
    return st;
}

/* --- decisions -------------------------------------------------------------------------------- */

static const char *const reject_reasons[] = {"not_worth_it", "known", "wrong_data", "done_already",
                                             "other"};

static bool is_reject_reason(const char *reason)
{
    for (size_t i = 0; i < sizeof(reject_reasons) / sizeof(reject_reasons[0]); i++)
        if (reason != NULL && strcmp(reason, reject_reasons[i]) == 0)
            return true;
    return false;
}

/* Gives the case's work order of status `from` another one; nothing when there is none such. */
static enum ft_status move_order(struct db *db, const struct snapshot *s, const struct risk_case *c,
                                 const char *from, const char *status, struct ft_err *err)
{
    const struct work_order *draft = snapshot_open_order(s, c->asset_id, c->component_id);
    struct work_order w;
    if (draft == NULL || strcmp(draft->status, from) != 0)
        return FT_OK;
    enum ft_status st = work_order_find(db, draft->key, &w, err);
    if (st != FT_OK)
        return st;
    st = set_text(&w.status, status, err);
    w.updated_ms = s->site.now_ms;
    if (strcmp(status, "approved") == 0)
        w.approved_ms = s->site.now_ms;
    if (st == FT_OK)
        st = work_order_update(db, &w, err);
    work_order_clear(&w);
    return st;
}

/* A case approved before the planner has drafted anything: the work order that stands for it. */
static enum ft_status make_order(struct db *db, const struct snapshot *s, const struct risk_case *c,
                                 struct ft_err *err)
{
    struct work_order w;
    struct snapshot_case k = {0};
    char title[200];
    int64_t id;
    const struct forecast *f = find_forecast(s, c);
    const struct component *part = catalog_component(&s->catalog, c->component_id);
    if (snapshot_open_order(s, c->asset_id, c->component_id) != NULL)
        return FT_OK;
    if (f != NULL)
        snapshot_case(s, f, &k);
    if (k.asset == NULL)
        return ft_fail(err, FT_CONFLICT, "case %lld has no forecast any more", (long long)c->id);
    work_order_init(&w);
    snprintf(title, sizeof(title), "%s %.80s on %.80s", part != NULL ? "Replace" : "Inspect",
             part != NULL ? part->name : "machine", k.asset->key);
    enum ft_status st = set_text(&w.title, title, err);
    if (st == FT_OK)
        st = set_text(&w.kind, "predictive", err);
    if (st == FT_OK)
        st = set_text(&w.status, "approved", err);
    w.asset_id = c->asset_id;
    w.component_id = c->component_id;
    w.model_id = f->model_id;
    w.duration_h = k.costs.planned_h > 0 ? k.costs.planned_h : 1;
    w.due_ms = s->days.start_ms[k.window.best];
    w.earliest_ms = s->days.start_ms[k.window.earliest];
    w.latest_ms = s->days.start_ms[k.window.latest];
    w.risk_by_due = k.window.risk_by_best;
    w.expected_cost_minor = llround(k.window.cost_best);
    w.waiting_minor_per_day = llround(k.window.waiting_per_day);
    w.created_ms = w.updated_ms = w.approved_ms = s->site.now_ms;
    if (st == FT_OK)
        st = work_order_insert(db, &w, &id, err);
    work_order_clear(&w);
    return st;
}

bool cases_may_reopen(const struct snapshot *s, const struct risk_case *c)
{
    const struct work_order *order = snapshot_open_order(s, c->asset_id, c->component_id);
    if (strcmp(c->state, "deferred") == 0)
        return true;
    if (strcmp(c->state, "approved") == 0)
        return order == NULL || strcmp(order->status, "approved") == 0;
    return strcmp(c->state, "rejected") == 0 && c->until_ms != DB_NO_TIME &&
           c->until_ms > s->site.now_ms && find_open(s, c->asset_id, c->component_id) == NULL;
}

/* Takes a decision back. */
static enum ft_status reopen(struct db *db, const struct snapshot *s, struct risk_case *c,
                             const char *reason, struct ft_err *err)
{
    if (strcmp(c->state, "open") == 0)
        return FT_OK;
    if (!cases_may_reopen(s, c))
        return ft_fail(err, FT_CONFLICT, "case %lld is %s: this cannot be taken back any more",
                       (long long)c->id, c->state);
    enum ft_status st = FT_OK;
    if (strcmp(c->state, "approved") == 0)
        st = move_order(db, s, c, "approved", "draft", err);
    c->until_ms = DB_NO_TIME;
    return st == FT_OK ? put_state(db, c, "open", reason, s->site.now_ms, err) : st;
}

enum ft_status cases_decide(struct db *db, const struct snapshot *s, struct risk_case *c,
                            const struct case_decision *d, struct ft_err *err)
{
    const int64_t now_ms = s->site.now_ms;
    if (d->action == CASE_REOPEN)
        return reopen(db, s, c, d->reason, err);
    if (!case_is_open(c))
        return ft_fail(err, FT_CONFLICT, "case %lld is %s already", (long long)c->id, c->state);
    if (strcmp(c->state, "approved") == 0 && d->action != CASE_APPROVE)
        return ft_fail(err, FT_CONFLICT, "case %lld is approved: change its work order instead",
                       (long long)c->id);
    enum ft_status st = FT_OK;
    switch (d->action) {
    case CASE_APPROVE:
        c->until_ms = DB_NO_TIME;
        st = make_order(db, s, c, err);
        if (st == FT_OK)
            st = move_order(db, s, c, "draft", "approved", err);
        return st == FT_OK ? put_state(db, c, "approved", d->reason, now_ms, err) : st;
    case CASE_DEFER:
        if (d->until_ms <= now_ms)
            return ft_fail(err, FT_INVALID, "/until: expected an instant in the future");
        c->until_ms = d->until_ms;
        st = move_order(db, s, c, "draft", "cancelled", err);
        return st == FT_OK ? put_state(db, c, "deferred", d->reason, now_ms, err) : st;
    case CASE_REJECT:
    default:
        if (!is_reject_reason(d->reason))
            return ft_fail(err, FT_INVALID,
                           "/reason: expected not_worth_it, known, wrong_data, done_already or "
                           "other");
        c->until_ms = now_ms + cooldown_ms(db);
        st = move_order(db, s, c, "draft", "rejected", err);
        return st == FT_OK ? put_state(db, c, "rejected", d->reason, now_ms, err) : st;
    }
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void add_time(cJSON *o, const char *key, int64_t ts_ms)
{
    if (ts_ms == DB_NO_TIME)
        json_add_null(o, key);
    else
        json_add_instant(o, key, ts_ms);
}

static void add_date(cJSON *o, const char *key, int64_t ts_ms)
{
    char date[CLOCK_TEXT_SIZE];
    clock_format_local_date(ts_ms, date);
    json_add_string(o, key, date);
}

int64_t cases_decide_by_ms(const struct snapshot *s, const struct snapshot_case *k)
{
    const struct component *part = catalog_component(&s->catalog, k->component_id);
    const int64_t by =
        s->days.start_ms[k->window.latest] - (part != NULL ? part->spare_lead_ms : 0);
    return by < s->days.start_ms[0] ? s->days.start_ms[0] : by;
}

/* Days of the window, and until when the spare must be ordered and the decision be made. */
static void add_window(cJSON *o, const struct snapshot *s, const struct snapshot_case *k)
{
    const struct predictive_window *w = &k->window;
    const struct component *part = catalog_component(&s->catalog, k->component_id);
    const int64_t lead_ms = part != NULL ? part->spare_lead_ms : 0;
    const int64_t order_by = cases_decide_by_ms(s, k);
    add_date(o, "best", s->days.start_ms[w->best]);
    add_date(o, "earliest", s->days.start_ms[w->earliest]);
    add_date(o, "latest", s->days.start_ms[w->latest]);
    add_date(o, "decide_by", order_by);
    json_add_string(o, "spare", part != NULL ? part->spare : NULL);
    json_add_number(o, "spare_lead_s", (double)lead_ms / 1000);
    if (lead_ms > 0)
        add_date(o, "order_spare_by", order_by);
    else
        json_add_null(o, "order_spare_by");
    json_add_number(o, "p_window", w->p_window);
    json_add_number(o, "p_threshold", w->p_open);
    json_add_number(o, "p_age_only", k->p_age_only);
    json_add_number(o, "risk_by_best", w->risk_by_best);
    json_add_money(o, "cost_best", llround(w->cost_best), s->site.currency);
    json_add_money(o, "cost_left", llround(w->cost_left), s->site.currency);
    json_add_money(o, "saving", llround(w->saving), s->site.currency);
    json_add_money(o, "waiting_per_day", llround(w->waiting_per_day), s->site.currency);
}

cJSON *cases_to_json(const struct snapshot *s, const struct risk_case *c)
{
    struct snapshot_case k = {0};
    const struct forecast *f;
    const bool has_forecast = cases_find(s, c, &k, &f);
    const struct asset *a = catalog_asset(&s->catalog, c->asset_id);
    const struct component *part = catalog_component(&s->catalog, c->component_id);
    const struct work_order *order = snapshot_open_order(s, c->asset_id, c->component_id);
    cJSON *o = cJSON_CreateObject();
    json_add_int(o, "id", c->id);
    json_add_string(o, "asset", a != NULL ? a->key : NULL);
    json_add_string(o, "component", part != NULL ? part->name : NULL);
    json_add_string(o, "state", c->state);
    json_add_instant(o, "opened", c->opened_ms);
    add_time(o, "closed", c->closed_ms);
    add_time(o, "until", c->until_ms);
    json_add_string(o, "reason", c->reason);
    json_add_string(o, "verdict", c->verdict);
    json_add_string(o, "note", c->note);
    json_add_string(o, "work_order", order != NULL ? order->key : NULL);
    json_add_string(o, "currency", s->site.currency);
    json_add_int(o, "version", c->version);
    json_add_instant(o, "updated", c->updated_ms);
    json_add_bool(o, "may_reopen", cases_may_reopen(s, c));
    cJSON *reasons = json_add_array(o, "reasons");
    if (has_forecast && case_is_open(c)) {
        add_window(o, s, &k);
        inbox_add_case(s, &k, f, o);
        for (size_t i = 0; i < f->n_reasons; i++)
            if (f->reasons[i].points > 0)
                json_add_string(reasons, NULL, f->reasons[i].text);
    } else {
        json_add_number(o, "p_window", c->p_window);
        if (c->saving_minor != DB_NO_MONEY)
            json_add_money(o, "saving", c->saving_minor, s->site.currency);
    }
    return o;
}

cJSON *cases_waiting_json(const struct snapshot *s, const struct risk_case *c)
{
    struct snapshot_case k = {0};
    const struct forecast *f = find_forecast(s, c);
    cJSON *o = cJSON_CreateObject();
    json_add_int(o, "case", c->id);
    json_add_string(o, "currency", s->site.currency);
    cJSON *items = json_add_array(o, "items");
    if (f == NULL)
        return o;
    snapshot_case(s, f, &k);
    add_window(o, s, &k);
    for (int d = 0; d < k.window.n_days && d < s->days.n; d++) {
        cJSON *day = json_add_object(items, NULL);
        add_date(day, "date", s->days.start_ms[d]);
        json_add_money(day, "cost", llround(k.window.cost[d]), s->site.currency);
        json_add_money(day, "waiting", llround(k.window.cost[d] - k.window.cost_best),
                       s->site.currency);
        json_add_number(day, "risk", k.window.risk[d]);
        json_add_bool(day, "workday", days_works(&s->days, d));
        json_add_bool(day, "stop",
                      days_has(&s->days, d, CALENDAR_STOP, k.asset != NULL ? k.asset->area : NULL));
    }
    return o;
}
