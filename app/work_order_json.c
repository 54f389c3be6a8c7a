#include "app/work_order_json.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/codes.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/event_store.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"predictive", "preventive", "inspection", "corrective",
                                    "emergency"};

/* What may follow each status. A CMMS often reports only the end ("closed"), so every open status
 * may go straight to done or closed. */
static const struct {
    const char *status;
    bool is_open;
    const char *next;
} states[] = {
    {"draft", true, "approved,sent,scheduled,in_progress,on_hold,rejected,cancelled"},
    {"approved", true, "draft,sent,scheduled,in_progress,on_hold,done,closed,cancelled,rejected"},
    {"sent", true, "approved,scheduled,in_progress,on_hold,done,closed,cancelled,rejected"},
    {"scheduled", true, "approved,in_progress,on_hold,done,closed,cancelled"},
    {"in_progress", true, "on_hold,scheduled,done,closed,cancelled"},
    {"on_hold", true, "approved,scheduled,in_progress,done,closed,cancelled"},
    {"done", false, "in_progress,closed"},
    {"closed", false, ""},
    {"cancelled", false, ""},
    {"rejected", false, ""},
};
enum { N_STATES = sizeof(states) / sizeof(states[0]), N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static size_t find_state(const char *status)
{
    size_t i = 0;
    while (i < N_STATES && strcmp(states[i].status, status) != 0)
        i++;
    return i;
}

bool work_order_is_status(const char *status)
{
    return find_state(status) < N_STATES;
}

bool work_order_is_kind(const char *kind)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (strcmp(kinds[i], kind) == 0)
            return true;
    return false;
}

bool work_order_may_change(const char *from, const char *to)
{
    const size_t i = find_state(from);
    if (i == N_STATES || find_state(to) == N_STATES)
        return false;
    if (strcmp(from, to) == 0)
        return true;
    const size_t len = strlen(to);
    for (const char *p = states[i].next; *p != '\0';) {
        const size_t n = strcspn(p, ",");
        if (n == len && strncmp(p, to, n) == 0)
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}

bool work_order_is_open(const char *status)
{
    const size_t i = find_state(status);
    return i < N_STATES && states[i].is_open;
}

void work_order_init(struct work_order *w)
{
    memset(w, 0, sizeof(*w));
    w->priority = 3;
    w->duration_h = 1;
    w->risk_by_due = NAN;
    w->due_ms = w->earliest_ms = w->latest_ms = DB_NO_TIME;
    w->scheduled_ms = w->started_ms = w->ended_ms = w->approved_ms = DB_NO_TIME;
    w->expected_cost_minor = w->waiting_minor_per_day = w->actual_cost_minor = DB_NO_MONEY;
    w->labour_h = w->downtime_h = NAN;
}

/* --- names of other rows -------------------------------------------------------------------- */

/* Adds under key the name that one list of rows gives for an id; null for none. The three lists
 * (components, crews, plans) differ in type only. */
#define ADD_NAME_OF(o, key, list, field, wanted)                                                   \
    do {                                                                                           \
        const char *name_ = NULL;                                                                  \
        for (size_t i_ = 0; i_ < (list).n; i_++)                                                   \
            if ((list).items[i_].id == (wanted))                                                   \
                name_ = (list).items[i_].field;                                                    \
        json_add_string((o), (key), name_);                                                        \
    } while (0)

static enum ft_status add_names(struct db *db, cJSON *o, const struct work_order *w,
                                const struct asset *a, struct ft_err *err)
{
    struct component_list parts = {0};
    struct plan_list plans = {0};
    struct crew_list crews = {0};
    enum ft_status st = FT_OK;
    if (w->component_id != 0)
        st = component_list(db, a->class_id, &parts, err);
    if (st == FT_OK && w->plan_id != 0)
        st = plan_list(db, &plans, err);
    if (st == FT_OK && w->crew_id != 0)
        st = crew_list(db, &crews, err);
    ADD_NAME_OF(o, "component", parts, name, w->component_id);
    ADD_NAME_OF(o, "plan", plans, key, w->plan_id);
    if (w->model_id != 0)
        json_add_int(o, "model", w->model_id);
    else
        json_add_null(o, "model");
    ADD_NAME_OF(o, "crew", crews, name, w->crew_id);
    component_list_free(&parts);
    plan_list_free(&plans);
    crew_list_free(&crews);
    return st;
}

static void add_time(cJSON *o, const char *key, int64_t ts_ms)
{
    if (ts_ms == DB_NO_TIME)
        json_add_null(o, key);
    else
        json_add_instant(o, key, ts_ms);
}

static void add_money(cJSON *o, const char *key, int64_t minor, const char *currency)
{
    if (minor == DB_NO_MONEY)
        json_add_null(o, key);
    else
        json_add_money(o, key, minor, currency);
}

/* JSON text of the database as a list; empty when there is none. */
static void add_list(cJSON *o, const char *key, const char *text)
{
    cJSON *list = NULL;
    if (text == NULL || json_parse(text, strlen(text), &list, NULL) != FT_OK)
        list = cJSON_CreateArray();
    if (!cJSON_AddItemToObject(o, key, list))
        cJSON_Delete(list);
}

static void add_plain(cJSON *o, const struct work_order *w, const char *currency)
{
    add_time(o, "due", w->due_ms);
    add_time(o, "earliest", w->earliest_ms);
    add_time(o, "latest", w->latest_ms);
    add_time(o, "scheduled", w->scheduled_ms);
    add_time(o, "started", w->started_ms);
    add_time(o, "ended", w->ended_ms);
    json_add_number(o, "duration_h", w->duration_h);
    json_add_number(o, "risk_by_due", w->risk_by_due);
    add_money(o, "expected_cost", w->expected_cost_minor, currency);
    add_money(o, "waiting_per_day", w->waiting_minor_per_day, currency);
    json_add_string(o, "currency", currency);
    json_add_string(o, "reason", w->reason);
    json_add_string(o, "outcome", w->outcome);
    json_add_bool(o, "pinned", w->is_pinned);
    json_add_string(o, "assignee", w->assignee);
    json_add_number(o, "labour_h", w->labour_h);
    json_add_number(o, "downtime_h", w->downtime_h);
    add_money(o, "cost", w->actual_cost_minor, currency);
    json_add_string(o, "failure_code", w->failure_code);
    json_add_string(o, "cause_code", w->cause_code);
    json_add_string(o, "remedy_code", w->remedy_code);
    add_list(o, "checklist", w->checklist);
    add_list(o, "parts", w->parts);
    json_add_int(o, "version", w->version);
    json_add_instant(o, "created", w->created_ms);
    json_add_instant(o, "updated", w->updated_ms);
    add_time(o, "approved", w->approved_ms);
}

enum ft_status work_order_to_json(struct db *db, const struct work_order *w, cJSON **out,
                                  struct ft_err *err)
{
    char currency[4];
    struct asset a = {0};
    *out = NULL;
    db_setting_get(db, "currency", "EUR", currency, sizeof(currency));
    enum ft_status st = asset_get(db, w->asset_id, &a, err);
    if (st != FT_OK)
        return st;
    cJSON *o = cJSON_CreateObject();
    if (o == NULL) {
        asset_clear(&a);
        return ft_fail(err, FT_NOMEM, "work order: no memory");
    }
    json_add_int(o, "id", w->id);
    json_add_string(o, "key", w->key);
    json_add_string(o, "external_key", w->external_key);
    json_add_string(o, "title", w->title);
    json_add_string(o, "note", w->note);
    json_add_string(o, "kind", w->kind);
    json_add_string(o, "status", w->status);
    json_add_int(o, "priority", w->priority);
    json_add_string(o, "asset", a.key);
    st = add_names(db, o, w, &a, err);
    add_plain(o, w, currency);
    asset_clear(&a);
    if (st != FT_OK) {
        cJSON_Delete(o);
        return st;
    }
    *out = o;
    return FT_OK;
}

/* --- from JSON -------------------------------------------------------------------------------- */

/* Replaces an owned string; value NULL clears it. */
static enum ft_status put_text(char **to, const char *value, struct ft_err *err)
{
    char *copy = NULL;
    if (value != NULL && (copy = strdup(value)) == NULL)
        return ft_fail(err, FT_NOMEM, "work order: no memory for a text");
    free(*to);
    *to = copy;
    return FT_OK;
}

static enum ft_status take_text(const cJSON *json, const char *key, bool may_clear, size_t max,
                                char **to, struct ft_err *err)
{
    const cJSON *item = json_get(json, key);
    if (item == NULL)
        return FT_OK;
    if (cJSON_IsNull(item) && may_clear)
        return put_text(to, NULL, err);
    if (!cJSON_IsString(item) || (!may_clear && item->valuestring[0] == '\0'))
        return ft_fail(err, FT_INVALID, "/%s: expected a text", key);
    if (strlen(item->valuestring) > max)
        return ft_fail(err, FT_INVALID, "/%s: longer than %zu bytes", key, max);
    return put_text(to, item->valuestring, err);
}

static enum ft_status take_time(const cJSON *json, const char *key, int64_t *to, struct ft_err *err)
{
    const cJSON *item = json_get(json, key);
    if (item != NULL && cJSON_IsNull(item))
        *to = DB_NO_TIME;
    return json_instant(json, key, false, to, err);
}

static enum ft_status take_numbers(const cJSON *json, const char *currency, struct work_order *w,
                                   struct ft_err *err)
{
    int64_t priority = w->priority;
    double duration_h = w->duration_h;
    double cost = NAN;
    enum ft_status st = json_int(json, "priority", false, 1, 5, &priority, err);
    if (st == FT_OK)
        st = json_number(json, "duration_h", false, &duration_h, err);
    if (st == FT_OK && (duration_h < 0 || duration_h > 10000))
        st = ft_fail(err, FT_INVALID, "/duration_h: expected hours from 0 to 10000");
    if (st == FT_OK)
        st = json_number(json, "expected_cost", false, &cost, err);
    if (st == FT_OK && !isnan(cost) && (cost < 0 || cost > 1e15))
        st = ft_fail(err, FT_INVALID, "/expected_cost: expected a sum of 0 or more");
    if (st == FT_OK)
        st = json_bool(json, "pinned", false, &w->is_pinned, err);
    if (st != FT_OK)
        return st;
    const cJSON *item = json_get(json, "expected_cost");
    if (item != NULL)
        w->expected_cost_minor = isnan(cost) ? DB_NO_MONEY : money_from_major(cost, currency);
    w->priority = (int)priority;
    w->duration_h = duration_h;
    return FT_OK;
}

/* Hours of 0 to 100,000; null clears. */
static enum ft_status take_hours(const cJSON *json, const char *key, double *to, struct ft_err *err)
{
    const cJSON *item = json_get(json, key);
    if (item != NULL && cJSON_IsNull(item))
        *to = NAN;
    const enum ft_status st = json_number(json, key, false, to, err);
    if (st == FT_OK && (*to < 0 || *to > 100000))
        return ft_fail(err, FT_INVALID, "/%s: expected hours from 0 to 100000", key);
    return st;
}

/* A list kept as text; null clears. */
static enum ft_status take_list(const cJSON *json, const char *key, char **to, struct ft_err *err)
{
    const cJSON *item = json_get(json, key);
    if (item == NULL)
        return FT_OK;
    if (cJSON_IsNull(item) || (cJSON_IsArray(item) && cJSON_GetArraySize(item) == 0))
        return put_text(to, NULL, err);
    if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) > 200)
        return ft_fail(err, FT_INVALID, "/%s: expected a list of at most 200", key);
    char *text = json_print(item, false);
    if (text == NULL)
        return ft_fail(err, FT_NOMEM, "work order: no memory for a list");
    free(*to);
    *to = text;
    return FT_OK;
}

/* Who does it, what was booked, codes, steps and parts. */
static enum ft_status take_booked(const cJSON *json, const char *currency, struct work_order *w,
                                  struct ft_err *err)
{
    double cost = NAN;
    enum ft_status st = take_text(json, "assignee", true, 200, &w->assignee, err);
    if (st == FT_OK)
        st = take_text(json, "failure_code", true, 60, &w->failure_code, err);
    if (st == FT_OK)
        st = take_text(json, "cause_code", true, 60, &w->cause_code, err);
    if (st == FT_OK)
        st = take_text(json, "remedy_code", true, 60, &w->remedy_code, err);
    if (st == FT_OK)
        st = take_hours(json, "labour_h", &w->labour_h, err);
    if (st == FT_OK)
        st = take_hours(json, "downtime_h", &w->downtime_h, err);
    if (st == FT_OK)
        st = take_list(json, "checklist", &w->checklist, err);
    if (st == FT_OK)
        st = take_list(json, "parts", &w->parts, err);
    if (st == FT_OK)
        st = json_number(json, "cost", false, &cost, err);
    if (st == FT_OK && (cost < 0 || cost > 1e15))
        st = ft_fail(err, FT_INVALID, "/cost: expected a sum of 0 or more");
    if (st == FT_OK && json_get(json, "cost") != NULL)
        w->actual_cost_minor = isnan(cost) ? DB_NO_MONEY : money_from_major(cost, currency);
    return st;
}

/* Codes that are given must be known ones; what stood there before is not asked about. */
static enum ft_status check_codes(struct db *db, const cJSON *json, struct ft_err *err)
{
    static const char *const kinds_of[] = {"failure", "cause", "remedy"};
    enum ft_status st = FT_OK;
    for (int i = 0; i < 3 && st == FT_OK; i++) {
        char member[16];
        const char *code = NULL;
        snprintf(member, sizeof(member), "%s_code", kinds_of[i]);
        st = json_string(json, member, false, &code, err);
        if (st == FT_OK)
            st = codes_check(db, kinds_of[i], member, code, err);
    }
    return st;
}

static enum ft_status take_times(const cJSON *json, struct work_order *w, struct ft_err *err)
{
    enum ft_status st = take_time(json, "due", &w->due_ms, err);
    if (st == FT_OK)
        st = take_time(json, "earliest", &w->earliest_ms, err);
    if (st == FT_OK)
        st = take_time(json, "latest", &w->latest_ms, err);
    if (st == FT_OK)
        st = take_time(json, "scheduled", &w->scheduled_ms, err);
    if (st == FT_OK)
        st = take_time(json, "started", &w->started_ms, err);
    if (st == FT_OK)
        st = take_time(json, "ended", &w->ended_ms, err);
    if (st == FT_OK && w->earliest_ms != DB_NO_TIME && w->latest_ms != DB_NO_TIME &&
        w->earliest_ms > w->latest_ms)
        st = ft_fail(err, FT_INVALID, "/latest: lies before earliest");
    if (st == FT_OK && w->started_ms != DB_NO_TIME && w->ended_ms != DB_NO_TIME &&
        w->started_ms > w->ended_ms)
        st = ft_fail(err, FT_INVALID, "/ended: lies before started");
    return st;
}

static enum ft_status take_component(struct db *db, const cJSON *json, const struct asset *a,
                                     struct work_order *w, struct ft_err *err)
{
    const char *name = NULL;
    const cJSON *item = json_get(json, "component");
    if (item == NULL)
        return FT_OK;
    w->component_id = 0;
    enum ft_status st = json_string(json, "component", false, &name, err);
    if (st != FT_OK || name == NULL)
        return st;
    struct component_list l = {0};
    st = component_list(db, a->class_id, &l, err);
    for (size_t i = 0; i < l.n; i++)
        if (strcmp(l.items[i].name, name) == 0)
            w->component_id = l.items[i].id;
    component_list_free(&l);
    if (st == FT_OK && w->component_id == 0)
        st = ft_fail(err, FT_INVALID, "/component: the class of %.80s has no component \"%.80s\"",
                     a->key, name);
    return st;
}

static enum ft_status take_crew(struct db *db, const cJSON *json, struct work_order *w,
                                struct ft_err *err)
{
    const char *name = NULL;
    if (json_get(json, "crew") == NULL)
        return FT_OK;
    w->crew_id = 0;
    enum ft_status st = json_string(json, "crew", false, &name, err);
    if (st != FT_OK || name == NULL)
        return st;
    struct crew_list l = {0};
    st = crew_list(db, &l, err);
    for (size_t i = 0; i < l.n; i++)
        if (strcmp(l.items[i].name, name) == 0)
            w->crew_id = l.items[i].id;
    crew_list_free(&l);
    if (st == FT_OK && w->crew_id == 0)
        st = ft_fail(err, FT_INVALID, "/crew: there is no crew \"%.80s\"", name);
    return st;
}

static enum ft_status take_status(const cJSON *json, bool is_new, struct work_order *w,
                                  struct ft_err *err)
{
    const char *status = NULL;
    enum ft_status st = json_string(json, "status", false, &status, err);
    if (st != FT_OK || status == NULL)
        return st;
    if (!work_order_is_status(status))
        return ft_fail(err, FT_INVALID,
                       "/status: expected draft, approved, sent, scheduled, in_progress, on_hold, "
                       "done, closed, cancelled or rejected");
    if (!is_new && !work_order_may_change(w->status, status))
        return ft_fail(err, FT_CONFLICT, "/status: %s cannot become %s", w->status, status);
    return put_text(&w->status, status, err);
}

/* The members that only a new work order may set: asset and kind. A patch may repeat them. */
static enum ft_status take_identity(struct db *db, const cJSON *json, bool is_new,
                                    struct work_order *w, struct asset *a, struct ft_err *err)
{
    const char *key = NULL;
    const char *kind = is_new ? "corrective" : NULL;
    enum ft_status st = json_string(json, "asset", is_new, &key, err);
    if (st == FT_OK)
        st = json_string(json, "kind", false, &kind, err);
    if (st == FT_OK && kind != NULL && !work_order_is_kind(kind))
        st = ft_fail(err, FT_INVALID,
                     "/kind: expected predictive, preventive, inspection, corrective or emergency");
    if (st == FT_OK)
        st = is_new ? asset_find(db, key, a, err) : asset_get(db, w->asset_id, a, err);
    if (st == FT_NOT_FOUND && is_new)
        return ft_fail(err, FT_INVALID, "/asset: there is no asset \"%.100s\"", key);
    if (st != FT_OK)
        return st;
    if (is_new) {
        w->asset_id = a->id;
        return put_text(&w->kind, kind, err);
    }
    if (key != NULL && strcmp(key, a->key) != 0)
        return ft_fail(err, FT_INVALID, "/asset: cannot change after the work order was made");
    if (kind != NULL && strcmp(kind, w->kind) != 0)
        return ft_fail(err, FT_INVALID, "/kind: cannot change after the work order was made");
    return FT_OK;
}

enum ft_status work_order_from_json(struct db *db, const cJSON *json, bool is_new,
                                    struct work_order *w, struct ft_err *err)
{
    static const char *const allowed[] = {
        "title",        "note",        "kind",       "status",        "priority", "asset",
        "component",    "crew",        "due",        "earliest",      "latest",   "scheduled",
        "started",      "ended",       "duration_h", "expected_cost", "reason",   "pinned",
        "external_key", "assignee",    "labour_h",   "downtime_h",    "cost",     "failure_code",
        "cause_code",   "remedy_code", "checklist",  "parts",         NULL};
    struct asset a = {0};
    char currency[4];

    if (!cJSON_IsObject(json))
        return ft_fail(err, FT_INVALID, "/: expected an object");
    if (is_new)
        work_order_init(w);
    db_setting_get(db, "currency", "EUR", currency, sizeof(currency));
    enum ft_status st = json_only_keys(json, allowed, err);
    if (st == FT_OK)
        st = take_identity(db, json, is_new, w, &a, err);
    if (st == FT_OK && is_new && json_get(json, "title") == NULL)
        st = ft_fail(err, FT_INVALID, "/title: missing, expected a text");
    if (st == FT_OK)
        st = take_text(json, "title", false, 200, &w->title, err);
    if (st == FT_OK)
        st = take_text(json, "note", true, 10000, &w->note, err);
    if (st == FT_OK)
        st = take_text(json, "reason", true, 2000, &w->reason, err);
    if (st == FT_OK)
        st = take_text(json, "external_key", true, 200, &w->external_key, err);
    if (st == FT_OK)
        st = take_booked(json, currency, w, err);
    if (st == FT_OK)
        st = check_codes(db, json, err);
    if (st == FT_OK && is_new)
        st = put_text(&w->status, "draft", err);
    if (st == FT_OK)
        st = take_status(json, is_new, w, err);
    if (st == FT_OK)
        st = take_component(db, json, &a, w, err);
    if (st == FT_OK)
        st = take_crew(db, json, w, err);
    if (st == FT_OK)
        st = take_times(json, w, err);
    if (st == FT_OK)
        st = take_numbers(json, currency, w, err);
    asset_clear(&a);
    if (st != FT_OK && is_new) {
        work_order_clear(w);
        work_order_init(w);
    }
    return st;
}

/* --- closing ---------------------------------------------------------------------------------- */

/* Is the work order of a preventive plan that renews the part? Then the part is new afterwards even
 * when nothing was wrong with it. */
static enum ft_status renews_part(struct db *db, int64_t plan_id, bool *renews, struct ft_err *err)
{
    struct plan_list l = {0};
    *renews = false;
    if (plan_id == 0)
        return FT_OK;
    const enum ft_status st = plan_list(db, &l, err);
    for (size_t i = 0; i < l.n; i++)
        if (l.items[i].id == plan_id)
            *renews = strcmp(l.items[i].action, "replacement") == 0;
    plan_list_free(&l);
    return st;
}

static enum ft_status outcome_event_kind(struct db *db, const struct work_order *w,
                                         const char *outcome, enum event_kind *kind,
                                         struct ft_err *err)
{
    bool renews;
    const enum ft_status st = renews_part(db, w->plan_id, &renews, err);
    if (st != FT_OK)
        return st;
    if (strcmp(outcome, "had_failed") == 0)
        *kind = EVENT_FAILURE;
    else if (strcmp(outcome, "confirmed") == 0 || strcmp(outcome, "other_fault") == 0)
        *kind = EVENT_REPLACEMENT;
    else if (strcmp(outcome, "nothing_found") == 0)
        *kind = renews ? EVENT_REPLACEMENT : EVENT_INSPECTION;
    else
        return ft_fail(err, FT_INVALID,
                       "/outcome: expected confirmed, other_fault, nothing_found or had_failed");
    return FT_OK;
}

static enum ft_status outcome_component(struct db *db, const struct work_order *w,
                                        const struct work_order_outcome *o, int64_t *id,
                                        struct ft_err *err)
{
    struct asset a = {0};
    struct component_list l = {0};
    *id = w->component_id;
    if (o->component_name == NULL && strcmp(o->outcome, "other_fault") == 0)
        return ft_fail(err, FT_INVALID, "/component: missing, expected the part with the fault");
    if (o->component_name == NULL)
        return FT_OK;
    enum ft_status st = asset_get(db, w->asset_id, &a, err);
    if (st == FT_OK)
        st = component_list(db, a.class_id, &l, err);
    *id = 0;
    for (size_t i = 0; i < l.n; i++)
        if (strcmp(l.items[i].name, o->component_name) == 0)
            *id = l.items[i].id;
    if (st == FT_OK && *id == 0)
        st = ft_fail(err, FT_INVALID, "/component: the class of %.80s has no component \"%.80s\"",
                     a.key, o->component_name);
    component_list_free(&l);
    asset_clear(&a);
    return st;
}

/* What the close-out says stays with the work order too. */
static enum ft_status book_outcome(struct work_order *w, const struct work_order_outcome *o,
                                   int64_t component_id, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    if (o->code != NULL)
        st = put_text(&w->failure_code, o->code, err);
    if (st == FT_OK && o->cause_code != NULL)
        st = put_text(&w->cause_code, o->cause_code, err);
    if (st == FT_OK && o->remedy_code != NULL)
        st = put_text(&w->remedy_code, o->remedy_code, err);
    if (w->component_id == 0)
        w->component_id = component_id;
    if (o->labour_h >= 0)
        w->labour_h = o->labour_h;
    if (o->downtime_ms != DB_NO_TIME)
        w->downtime_h = (double)o->downtime_ms / (double)MS_PER_HOUR;
    if (o->cost_minor != DB_NO_MONEY)
        w->actual_cost_minor = o->cost_minor;
    return st;
}

enum ft_status work_order_close(struct db *db, struct work_order *w,
                                const struct work_order_outcome *o, int64_t now_ms,
                                int64_t *event_id, struct ft_err *err)
{
    char external_key[80];
    char no_code[1] = "";
    bool is_new;
    enum event_kind kind = EVENT_INSPECTION;
    int64_t component_id = 0;
    int64_t id = 0;

    if (!work_order_is_open(w->status) && strcmp(w->status, "done") != 0)
        return ft_fail(err, FT_CONFLICT, "%s is %s already", w->key, w->status);
    enum ft_status st = outcome_event_kind(db, w, o->outcome, &kind, err);
    if (st == FT_OK)
        st = codes_check(db, "failure", "code", o->code, err);
    if (st == FT_OK)
        st = codes_check(db, "cause", "cause_code", o->cause_code, err);
    if (st == FT_OK)
        st = codes_check(db, "remedy", "remedy_code", o->remedy_code, err);
    if (st == FT_OK)
        st = outcome_component(db, w, o, &component_id, err);
    if (st != FT_OK)
        return st;
    const int64_t ended_ms = o->ended_ms != DB_NO_TIME ? o->ended_ms : now_ms;
    snprintf(external_key, sizeof(external_key), "outcome:%.60s", w->key);
    const struct event e = {.asset_id = w->asset_id,
                            .component_id = component_id,
                            .kind = kind,
                            .ts_ms = ended_ms,
                            .code = o->code != NULL ? (char *)(uintptr_t)o->code : no_code,
                            .note = (char *)(uintptr_t)o->note,
                            .downtime_ms = o->downtime_ms,
                            .cost_minor = o->cost_minor,
                            .source = w->key,
                            .external_key = external_key};
    if ((st = db_begin(db, err)) != FT_OK)
        return st;
    st = event_put(db, &e, &id, &is_new, err);
    if (st == FT_OK)
        st = put_text(&w->status, "closed", err);
    if (st == FT_OK)
        st = put_text(&w->outcome, o->outcome, err);
    if (st == FT_OK)
        st = book_outcome(w, o, component_id, err);
    if (st == FT_OK) {
        w->ended_ms = ended_ms;
        w->updated_ms = now_ms;
        st = work_order_update(db, w, err);
    }
    if (st != FT_OK) {
        db_rollback(db);
        return st;
    }
    if (event_id != NULL)
        *event_id = id;
    return db_commit(db, err);
}

static enum ft_status copy_text(char **to, const char *text, struct ft_err *err)
{
    *to = NULL;
    return text != NULL ? put_text(to, text, err) : FT_OK;
}

enum ft_status work_order_copy(const struct work_order *from, struct work_order *to,
                               struct ft_err *err)
{
    static const size_t texts[] = {
        offsetof(struct work_order, key),        offsetof(struct work_order, external_key),
        offsetof(struct work_order, title),      offsetof(struct work_order, note),
        offsetof(struct work_order, kind),       offsetof(struct work_order, status),
        offsetof(struct work_order, reason),     offsetof(struct work_order, outcome),
        offsetof(struct work_order, assignee),   offsetof(struct work_order, failure_code),
        offsetof(struct work_order, cause_code), offsetof(struct work_order, remedy_code),
        offsetof(struct work_order, checklist),  offsetof(struct work_order, parts)};
    enum { N_TEXTS = sizeof(texts) / sizeof(texts[0]) };
    enum ft_status st = FT_OK;
    *to = *from;
    for (size_t i = 0; i < N_TEXTS; i++) /* nothing is shared, also after a failure */
        *(char **)((char *)to + texts[i]) = NULL;
    for (size_t i = 0; i < N_TEXTS && st == FT_OK; i++)
        st = copy_text((char **)((char *)to + texts[i]),
                       *(char *const *)((const char *)from + texts[i]), err);
    return st;
}
