#include "db/work_order_store.h"

#include "app/base/clock.h"
#include "db/asset_store.h"
#include "db/connection.h"
#include "db/db.h"
#include "db/statement.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs an upsert that returns the row's id. */
static enum ft_status run_returning(struct statement *s, int64_t *id)
{
    *id = 0;
    while (statement_row(s))
        *id = column_int(s, 0);
    return statement_end(s);
}

/* --- crews ---------------------------------------------------------------------------------- */

static void read_crew(struct statement *s, void *row)
{
    struct crew *c = row;
    c->id = column_int(s, 0);
    c->name = column_text(s, 1);
    c->skills = column_text(s, 2);
    c->hours_per_day = column_real(s, 3);
    c->weekdays = (int)column_int(s, 4);
    c->rate_minor_per_h = column_int_or(s, 5, DB_NO_MONEY);
}

static void clear_crew(void *row)
{
    struct crew *c = row;
    free(c->name);
    free(c->skills);
}

enum ft_status crew_put(struct db *db, const struct crew *c, int64_t *id, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_crew_put, err);
    bind_text(&s, ":name", c->name);
    bind_text(&s, ":skills", c->skills != NULL ? c->skills : "");
    bind_real(&s, ":hours_per_day", c->hours_per_day);
    bind_int(&s, ":weekdays", c->weekdays);
    bind_int_or_null(&s, ":rate_minor_per_h", c->rate_minor_per_h, DB_NO_MONEY);
    return run_returning(&s, id);
}

enum ft_status crew_list(struct db *db, struct crew_list *out, struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_crew_list, err);
    const enum ft_status st = statement_list(&s, sizeof(*out->items), read_crew, clear_crew, &a);
    *out = (struct crew_list){a.items, a.n};
    return st;
}

void crew_list_free(struct crew_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_crew);
    *l = (struct crew_list){0};
}

/* --- calendar ------------------------------------------------------------------------------- */

static const char *const calendar_names[] = {[CALENDAR_BLACKOUT] = "blackout",
                                             [CALENDAR_STOP] = "stop",
                                             [CALENDAR_CREW_AWAY] = "crew_away",
                                             [CALENDAR_HOLIDAY] = "holiday"};

const char *calendar_kind_name(enum calendar_kind kind)
{
    return kind < CALENDAR_KINDS ? calendar_names[kind] : "?";
}

static void read_entry(struct statement *s, void *row)
{
    struct calendar_entry *e = row;
    e->id = column_int(s, 0);
    const char *kind = (const char *)sqlite3_column_text(s->stmt, 1);
    for (int i = 0; kind != NULL && i < CALENDAR_KINDS; i++)
        if (strcmp(kind, calendar_names[i]) == 0)
            e->kind = (enum calendar_kind)i;
    e->start_ms = column_int(s, 2);
    e->end_ms = column_int(s, 3);
    e->crew_id = column_int(s, 4);
    e->area = column_text(s, 5);
    e->note = column_text(s, 6);
    e->rrule = column_text(s, 7);
}

static void clear_entry(void *row)
{
    struct calendar_entry *e = row;
    free(e->area);
    free(e->note);
    free(e->rrule);
}

enum ft_status calendar_put(struct db *db, const struct calendar_entry *e, int64_t *id,
                            struct ft_err *err)
{
    struct statement s =
        statement_begin(db, e->id == 0 ? QUERY_calendar_insert : QUERY_calendar_update, err);
    if (e->id != 0)
        bind_int(&s, ":id", e->id);
    bind_text(&s, ":kind", calendar_kind_name(e->kind));
    bind_int(&s, ":start_ms", e->start_ms);
    bind_int(&s, ":end_ms", e->end_ms);
    bind_int_or_null(&s, ":crew_id", e->crew_id, 0);
    bind_text(&s, ":area", e->area);
    bind_text(&s, ":note", e->note);
    bind_text(&s, ":rrule", e->rrule);
    const enum ft_status st = statement_run(&s);
    *id = st != FT_OK || s.n_changes == 0 ? 0 : e->id != 0 ? e->id : s.last_id;
    if (st == FT_OK && s.n_changes == 0)
        return ft_fail(err, FT_NOT_FOUND, "there is no calendar entry with id %lld",
                       (long long)e->id);
    return st;
}

enum ft_status calendar_delete(struct db *db, int64_t id, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_calendar_delete, err);
    bind_int(&s, ":id", id);
    const enum ft_status st = statement_run(&s);
    if (st == FT_OK && s.n_changes == 0)
        return ft_fail(err, FT_NOT_FOUND, "there is no calendar entry with id %lld", (long long)id);
    return st;
}

enum ft_status calendar_list(struct db *db, int64_t from_ms, int64_t to_ms,
                             struct calendar_list *out, struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_calendar_list, err);
    bind_int(&s, ":from_ms", from_ms);
    bind_int(&s, ":to_ms", to_ms);
    const enum ft_status st = statement_list(&s, sizeof(*out->items), read_entry, clear_entry, &a);
    *out = (struct calendar_list){a.items, a.n};
    return st;
}

void calendar_list_free(struct calendar_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_entry);
    *l = (struct calendar_list){0};
}

/* --- plans ---------------------------------------------------------------------------------- */

static void read_plan(struct statement *s, void *row)
{
    struct plan *p = row;
    p->id = column_int(s, 0);
    p->key = column_text(s, 1);
    p->name = column_text(s, 2);
    p->class_id = column_int(s, 3);
    p->asset_id = column_int(s, 4);
    p->component_id = column_int(s, 5);
    p->action = column_text(s, 6);
    p->interval_ms = column_int(s, 7);
    p->tolerance_ms = column_int(s, 8);
    p->anchor_ms = column_int(s, 9);
    p->is_floating = column_int(s, 10) != 0;
    p->duration_h = column_real(s, 11);
    p->cost_minor = column_int(s, 12);
    p->skill = column_text(s, 13);
    p->is_active = column_int(s, 14) != 0;
    p->rrule = column_text(s, 15);
    p->meter = column_text(s, 16);
    p->meter_interval = column_real(s, 17);
    p->meter_only = column_int(s, 18) != 0;
    p->season_from = (int)column_int_or(s, 19, 0);
    p->season_to = (int)column_int_or(s, 20, 0);
    p->covers = column_text(s, 21);
    p->checklist = column_text(s, 22);
    p->parts = column_text(s, 23);
    p->version = column_int(s, 24);
    p->updated_ms = column_int(s, 25);
}

void plan_clear(struct plan *p)
{
    free(p->key);
    free(p->name);
    free(p->action);
    free(p->skill);
    free(p->rrule);
    free(p->meter);
    free(p->covers);
    free(p->checklist);
    free(p->parts);
    *p = (struct plan){0};
}

static void clear_plan(void *row)
{
    plan_clear(row);
}

enum ft_status plan_put(struct db *db, const struct plan *p, int64_t *id, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_plan_put, err);
    bind_text(&s, ":key", p->key);
    bind_text(&s, ":name", p->name);
    bind_int_or_null(&s, ":class_id", p->class_id, 0);
    bind_int_or_null(&s, ":asset_id", p->asset_id, 0);
    bind_int_or_null(&s, ":component_id", p->component_id, 0);
    bind_text(&s, ":action", p->action);
    bind_int(&s, ":interval_ms", p->interval_ms);
    bind_int(&s, ":tolerance_ms", p->tolerance_ms);
    bind_int(&s, ":anchor_ms", p->anchor_ms);
    bind_int(&s, ":is_floating", p->is_floating);
    bind_real(&s, ":duration_h", p->duration_h);
    bind_int(&s, ":cost_minor", p->cost_minor);
    bind_text(&s, ":skill", p->skill);
    bind_int(&s, ":is_active", p->is_active);
    bind_text(&s, ":rrule", p->rrule);
    bind_text(&s, ":meter", p->meter);
    bind_real(&s, ":meter_interval", p->meter != NULL ? p->meter_interval : NAN);
    bind_int(&s, ":meter_only", p->meter_only);
    bind_int_or_null(&s, ":season_from", p->season_from, 0);
    bind_int_or_null(&s, ":season_to", p->season_to, 0);
    bind_text(&s, ":covers", p->covers);
    bind_text(&s, ":checklist", p->checklist);
    bind_text(&s, ":parts", p->parts);
    bind_int(&s, ":updated_ms", p->updated_ms != 0 ? p->updated_ms : clock_now_ms());
    return run_returning(&s, id);
}

enum ft_status plan_find(struct db *db, const char *key, struct plan *out, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_plan_by_key, err);
    bind_text(&s, ":key", key);
    const enum ft_status st = statement_one(&s, sizeof(*out), read_plan, clear_plan, out);
    return st == FT_NOT_FOUND ? ft_fail(err, st, "there is no plan '%s'", key) : st;
}

enum ft_status plan_list(struct db *db, struct plan_list *out, struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_plan_list, err);
    const enum ft_status st = statement_list(&s, sizeof(*out->items), read_plan, clear_plan, &a);
    *out = (struct plan_list){a.items, a.n};
    return st;
}

void plan_list_free(struct plan_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_plan);
    *l = (struct plan_list){0};
}

/* --- work orders ---------------------------------------------------------------------------- */

static void read_work_order(struct statement *s, void *row)
{
    struct work_order *w = row;
    w->id = column_int(s, 0);
    w->key = column_text(s, 1);
    w->external_key = column_text(s, 2);
    w->title = column_text(s, 3);
    w->note = column_text(s, 4);
    w->kind = column_text(s, 5);
    w->status = column_text(s, 6);
    w->priority = (int)column_int(s, 7);
    w->asset_id = column_int(s, 8);
    w->component_id = column_int(s, 9);
    w->plan_id = column_int(s, 10);
    w->model_id = column_int(s, 11);
    w->crew_id = column_int(s, 12);
    w->due_ms = column_int_or(s, 13, DB_NO_TIME);
    w->earliest_ms = column_int_or(s, 14, DB_NO_TIME);
    w->latest_ms = column_int_or(s, 15, DB_NO_TIME);
    w->scheduled_ms = column_int_or(s, 16, DB_NO_TIME);
    w->started_ms = column_int_or(s, 17, DB_NO_TIME);
    w->ended_ms = column_int_or(s, 18, DB_NO_TIME);
    w->duration_h = column_real(s, 19);
    w->risk_by_due = column_real(s, 20);
    w->expected_cost_minor = column_int_or(s, 21, DB_NO_MONEY);
    w->waiting_minor_per_day = column_int_or(s, 22, DB_NO_MONEY);
    w->reason = column_text(s, 23);
    w->outcome = column_text(s, 24);
    w->is_pinned = column_int(s, 25) != 0;
    w->version = column_int(s, 26);
    w->created_ms = column_int(s, 27);
    w->updated_ms = column_int(s, 28);
    w->assignee = column_text(s, 29);
    w->labour_h = column_real(s, 30);
    w->downtime_h = column_real(s, 31);
    w->actual_cost_minor = column_int_or(s, 32, DB_NO_MONEY);
    w->failure_code = column_text(s, 33);
    w->cause_code = column_text(s, 34);
    w->remedy_code = column_text(s, 35);
    w->checklist = column_text(s, 36);
    w->parts = column_text(s, 37);
    w->approved_ms = column_int_or(s, 38, DB_NO_TIME);
}

void work_order_clear(struct work_order *w)
{
    free(w->key);
    free(w->external_key);
    free(w->title);
    free(w->note);
    free(w->kind);
    free(w->status);
    free(w->reason);
    free(w->outcome);
    free(w->assignee);
    free(w->failure_code);
    free(w->cause_code);
    free(w->remedy_code);
    free(w->checklist);
    free(w->parts);
    *w = (struct work_order){0};
}

static void clear_work_order(void *row)
{
    work_order_clear(row);
}

static void bind_work_order(struct statement *s, const struct work_order *w)
{
    bind_text(s, ":external_key", w->external_key);
    bind_text(s, ":title", w->title);
    bind_text(s, ":note", w->note);
    bind_text(s, ":kind", w->kind);
    bind_text(s, ":status", w->status);
    bind_int(s, ":priority", w->priority != 0 ? w->priority : 3);
    bind_int(s, ":asset_id", w->asset_id);
    bind_int_or_null(s, ":component_id", w->component_id, 0);
    bind_int_or_null(s, ":plan_id", w->plan_id, 0);
    bind_int_or_null(s, ":model_id", w->model_id, 0);
    bind_int_or_null(s, ":crew_id", w->crew_id, 0);
    bind_int_or_null(s, ":due_ms", w->due_ms, DB_NO_TIME);
    bind_int_or_null(s, ":earliest_ms", w->earliest_ms, DB_NO_TIME);
    bind_int_or_null(s, ":latest_ms", w->latest_ms, DB_NO_TIME);
    bind_int_or_null(s, ":scheduled_ms", w->scheduled_ms, DB_NO_TIME);
    bind_int_or_null(s, ":started_ms", w->started_ms, DB_NO_TIME);
    bind_int_or_null(s, ":ended_ms", w->ended_ms, DB_NO_TIME);
    bind_real(s, ":duration_h", w->duration_h);
    bind_real(s, ":risk_by_due", w->risk_by_due);
    bind_int_or_null(s, ":expected_cost_minor", w->expected_cost_minor, DB_NO_MONEY);
    bind_int_or_null(s, ":waiting_minor_per_day", w->waiting_minor_per_day, DB_NO_MONEY);
    bind_text(s, ":reason", w->reason);
    bind_text(s, ":outcome", w->outcome);
    bind_int(s, ":is_pinned", w->is_pinned);
    bind_text(s, ":assignee", w->assignee);
    bind_real(s, ":labour_h", w->labour_h);
    bind_real(s, ":downtime_h", w->downtime_h);
    bind_int_or_null(s, ":actual_cost_minor", w->actual_cost_minor, DB_NO_MONEY);
    bind_text(s, ":failure_code", w->failure_code);
    bind_text(s, ":cause_code", w->cause_code);
    bind_text(s, ":remedy_code", w->remedy_code);
    bind_text(s, ":checklist", w->checklist);
    bind_text(s, ":parts", w->parts);
    bind_int_or_null(s, ":approved_ms", w->approved_ms, DB_NO_TIME);
}

/* The next free "WO-00001": the number of the next row, or a later one when somebody else gave
 * that key by hand. */
static enum ft_status next_key(struct db *db, char *out, size_t size, struct ft_err *err)
{
    struct statement next = statement_begin(db, QUERY_work_order_next_id, err);
    int64_t n = statement_row(&next) ? column_int(&next, 0) : 0;
    enum ft_status st = statement_end(&next);
    for (bool is_taken = true; st == FT_OK && is_taken; n++) {
        snprintf(out, size, "WO-%05lld", (long long)n);
        struct statement s = statement_begin(db, QUERY_work_order_has_key, err);
        bind_text(&s, ":key", out);
        is_taken = statement_row(&s);
        st = statement_end(&s);
    }
    return st;
}

/* Puts words to what the schema refused. */
static void explain(enum ft_status st, const struct work_order *w, struct ft_err *err)
{
    if (st == FT_CONFLICT || st == FT_INVALID)
        ft_err_prefix(err, "work order %s%s%s", w->key != NULL ? w->key : "(new)",
                      w->external_key != NULL ? ", external key " : "",
                      w->external_key != NULL ? w->external_key : "");
}

static enum ft_status insert_work_order(struct db *db, const struct work_order *w, int64_t *id,
                                        struct ft_err *err)
{
    char key[32] = "";
    if (w->key == NULL) {
        const enum ft_status st = next_key(db, key, sizeof(key), err);
        if (st != FT_OK)
            return st;
    }
    const int64_t now_ms = clock_now_ms();
    struct statement s = statement_begin(db, QUERY_work_order_insert, err);
    bind_text(&s, ":key", w->key != NULL ? w->key : key);
    bind_work_order(&s, w);
    bind_int(&s, ":now_ms", now_ms);
    bind_int(&s, ":created_ms", w->created_ms != 0 ? w->created_ms : now_ms);
    bind_int(&s, ":updated_ms", w->updated_ms != 0 ? w->updated_ms : now_ms);
    const enum ft_status st = statement_run(&s);
    explain(st, w, err);
    *id = st == FT_OK ? s.last_id : 0;
    return st;
}

enum ft_status work_order_insert(struct db *db, const struct work_order *w, int64_t *id,
                                 struct ft_err *err)
{
    *id = 0;
    enum ft_status st = unit_begin(db, err); /* the free key must still be free at the insert */
    if (st != FT_OK)
        return st;
    st = insert_work_order(db, w, id, err);
    return unit_end(db, st, err);
}

static enum ft_status explain_no_update(struct db *db, const struct work_order *w,
                                        struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_work_order_version, err);
    bind_int(&s, ":id", w->id);
    const int64_t version = statement_row(&s) ? column_int(&s, 0) : 0;
    const enum ft_status st = statement_end(&s);
    if (st != FT_OK)
        return st;
    if (version == 0)
        return ft_fail(err, FT_NOT_FOUND, "there is no work order with id %lld", (long long)w->id);
    return ft_fail(err, FT_CONFLICT,
                   "work order %s was changed meanwhile: it has version %lld, not %lld", w->key,
                   (long long)version, (long long)w->version);
}

enum ft_status work_order_update(struct db *db, const struct work_order *w, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_work_order_update, err);
    bind_int(&s, ":id", w->id);
    bind_int(&s, ":version", w->version);
    bind_text(&s, ":key", w->key);
    bind_work_order(&s, w);
    bind_int(&s, ":updated_ms", clock_now_ms());
    const enum ft_status st = statement_run(&s);
    explain(st, w, err);
    return st == FT_OK && s.n_changes == 0 ? explain_no_update(db, w, err) : st;
}

enum ft_status work_order_find(struct db *db, const char *key, struct work_order *out,
                               struct ft_err *err)
{
    const bool is_external = strncmp(key, "ext:", 4) == 0;
    struct statement s = statement_begin(
        db, is_external ? QUERY_work_order_by_external_key : QUERY_work_order_by_key, err);
    bind_text(&s, ":key", is_external ? key + 4 : key);
    const enum ft_status st =
        statement_one(&s, sizeof(*out), read_work_order, clear_work_order, out);
    return st == FT_NOT_FOUND ? ft_fail(err, st, "there is no work order '%s'", key) : st;
}

enum ft_status work_order_list(struct db *db, const struct work_order_filter *f,
                               struct work_order_list *out, struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_work_order_list, err);
    bind_int(&s, ":after_id", f->after_id);
    bind_int(&s, ":asset_id", f->asset_id);
    bind_text(&s, ":status", f->status);
    bind_text(&s, ":kind", f->kind);
    bind_int(&s, ":changed_since_ms", f->changed_since_ms);
    bind_limit(&s, ":limit", f->limit);
    const enum ft_status st =
        statement_list(&s, sizeof(*out->items), read_work_order, clear_work_order, &a);
    *out = (struct work_order_list){a.items, a.n};
    return st;
}

void work_order_list_free(struct work_order_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_work_order);
    *l = (struct work_order_list){0};
}

/* --- codes ---------------------------------------------------------------------------------- */

static void read_code(struct statement *s, void *row)
{
    struct code *c = row;
    c->kind = column_text(s, 0);
    c->code = column_text(s, 1);
    c->name = column_text(s, 2);
}

static void clear_code(void *row)
{
    struct code *c = row;
    free(c->kind);
    free(c->code);
    free(c->name);
}

enum ft_status code_put(struct db *db, const struct code *c, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_code_put, err);
    bind_text(&s, ":kind", c->kind);
    bind_text(&s, ":code", c->code);
    bind_text(&s, ":name", c->name);
    return statement_run(&s);
}

enum ft_status code_list(struct db *db, const char *kind, struct code_list *out, struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_code_list, err);
    bind_text(&s, ":kind", kind);
    const enum ft_status st = statement_list(&s, sizeof(*out->items), read_code, clear_code, &a);
    *out = (struct code_list){a.items, a.n};
    return st;
}

void code_list_free(struct code_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_code);
    *l = (struct code_list){0};
}
