#include "db/event_store.h"

#include "app/base/clock.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/statement.h"

#include <stdlib.h>
#include <string.h>

static const char *const kind_names[EVENT_KIND_COUNT] = {
    [EVENT_FAILURE] = "failure", [EVENT_REPLACEMENT] = "replacement",
    [EVENT_REPAIR] = "repair",   [EVENT_INSPECTION] = "inspection",
    [EVENT_ALARM] = "alarm",
};

const char *event_kind_name(enum event_kind kind)
{
    return (unsigned)kind < EVENT_KIND_COUNT ? kind_names[kind] : "?";
}

enum ft_status event_kind_parse(const char *word, enum event_kind *out, struct ft_err *err)
{
    for (int i = 0; i < EVENT_KIND_COUNT; i++) {
        if (strcmp(word, kind_names[i]) == 0) {
            *out = (enum event_kind)i;
            return FT_OK;
        }
    }
    return ft_fail(err, FT_INVALID,
                   "'%.60s' is not a kind of event: expected failure, replacement, repair, "
                   "inspection or alarm",
                   word);
}

static void read_event(struct statement *s, void *row)
{
    struct event *e = row;
    e->id = column_int(s, 0);
    e->asset_id = column_int(s, 1);
    e->component_id = column_int(s, 2);
    char *kind = column_text(s, 3);
    if (kind != NULL) /* the schema's CHECK knows the same words */
        event_kind_parse(kind, &e->kind, NULL);
    free(kind);
    e->ts_ms = column_int(s, 4);
    e->code = column_text(s, 5);
    e->note = column_text(s, 6);
    e->downtime_ms = column_int_or(s, 7, DB_NO_TIME);
    e->cost_minor = column_int_or(s, 8, DB_NO_MONEY);
    e->source = column_text(s, 9);
    e->external_key = column_text(s, 10);
    e->part = column_text(s, 11);
}

void event_clear(struct event *e)
{
    free(e->code);
    free(e->note);
    free(e->source);
    free(e->external_key);
    free(e->part);
    *e = (struct event){0};
}

static void clear_event(void *row)
{
    event_clear(row);
}

/* Looks for the external key: *id is 0 when it is new, FT_CONFLICT when another event has it. */
static enum ft_status find_by_key(struct db *db, const struct event *e, int64_t *id,
                                  struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_event_of_key, err);
    bind_text(&s, ":external_key", e->external_key);
    if (statement_row(&s)) {
        char *kind = column_text(&s, 3);
        char *code = column_text(&s, 5);
        *id = column_int(&s, 0);
        const bool is_same = kind != NULL && code != NULL && column_int(&s, 1) == e->asset_id &&
                             column_int(&s, 2) == e->component_id &&
                             column_int(&s, 4) == e->ts_ms &&
                             strcmp(kind, event_kind_name(e->kind)) == 0 &&
                             strcmp(code, e->code != NULL ? e->code : "") == 0;
        if (!is_same)
            statement_fail(&s, ft_fail(err, FT_CONFLICT,
                                       "the external key '%.100s' stands on a different event",
                                       e->external_key));
        free(kind);
        free(code);
    }
    return statement_end(&s);
}

static enum ft_status find_by_identity(struct db *db, const struct event *e, int64_t *id,
                                       struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_event_of_identity, err);
    bind_int(&s, ":asset_id", e->asset_id);
    bind_int(&s, ":component_id", e->component_id);
    bind_text(&s, ":kind", event_kind_name(e->kind));
    bind_int(&s, ":ts_ms", e->ts_ms);
    bind_text(&s, ":code", e->code != NULL ? e->code : "");
    if (statement_row(&s))
        *id = column_int(&s, 0);
    return statement_end(&s);
}

static enum ft_status insert(struct db *db, const struct event *e, int64_t *id, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_event_insert, err);
    bind_int(&s, ":asset_id", e->asset_id);
    bind_int_or_null(&s, ":component_id", e->component_id, 0);
    bind_text(&s, ":kind", event_kind_name(e->kind));
    bind_int(&s, ":ts_ms", e->ts_ms);
    bind_text(&s, ":code", e->code != NULL ? e->code : "");
    bind_text(&s, ":note", e->note);
    bind_int_or_null(&s, ":downtime_ms", e->downtime_ms, DB_NO_TIME);
    bind_int_or_null(&s, ":cost_minor", e->cost_minor, DB_NO_MONEY);
    bind_text(&s, ":source", e->source != NULL ? e->source : "");
    bind_text(&s, ":external_key", e->external_key);
    bind_text(&s, ":part", e->part);
    bind_int(&s, ":now_ms", clock_now_ms());
    const enum ft_status st = statement_run(&s);
    if (st == FT_OK)
        *id = s.last_id;
    else if (st == FT_INVALID)
        ft_err_prefix(err, "%s event of asset %lld, component %lld", event_kind_name(e->kind),
                      (long long)e->asset_id, (long long)e->component_id);
    return st;
}

enum ft_status event_put(struct db *db, const struct event *e, int64_t *id, bool *is_new,
                         struct ft_err *err)
{
    enum ft_status st = FT_OK;
    *id = 0;
    *is_new = false;
    if (e->external_key != NULL)
        st = find_by_key(db, e, id, err);
    if (st == FT_OK && *id == 0)
        st = find_by_identity(db, e, id, err);
    if (st == FT_OK && *id == 0) {
        st = insert(db, e, id, err);
        *is_new = st == FT_OK;
    }
    if (st != FT_OK)
        *id = 0;
    return st;
}

enum ft_status event_list(struct db *db, const struct event_filter *f, struct event_list *out,
                          struct ft_err *err)
{
    const enum query_id id =
        f->asset_id != 0
            ? (f->is_newest_first ? QUERY_event_list_of_asset_newest : QUERY_event_list_of_asset)
            : (f->is_newest_first ? QUERY_event_list_newest : QUERY_event_list);
    struct row_array a;
    struct statement s = statement_begin(db, id, err);
    if (f->asset_id != 0)
        bind_int(&s, ":asset_id", f->asset_id);
    bind_int(&s, ":class_id", f->class_id);
    bind_int(&s, ":from_ms", f->from_ms != 0 ? f->from_ms : INT64_MIN);
    bind_int(&s, ":to_ms", f->to_ms != 0 ? f->to_ms : INT64_MAX);
    bind_int(&s, ":kinds", f->kinds != 0 ? f->kinds : (1u << EVENT_KIND_COUNT) - 1);
    bind_int(&s, ":after_id", f->after_id);
    bind_limit(&s, ":limit", f->limit);
    const enum ft_status st = statement_list(&s, sizeof(*out->items), read_event, clear_event, &a);
    *out = (struct event_list){a.items, a.n};
    return st;
}

enum ft_status event_get(struct db *db, int64_t id, struct event *out, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_event_get, err);
    bind_int(&s, ":id", id);
    const enum ft_status st = statement_one(&s, sizeof(*out), read_event, clear_event, out);
    return st == FT_NOT_FOUND ? ft_fail(err, st, "there is no event with id %lld", (long long)id)
                              : st;
}

void event_list_free(struct event_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_event);
    *l = (struct event_list){0};
}
