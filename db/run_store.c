#include "db/run_store.h"

#include "app/base/clock.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/statement.h"

#include <stdlib.h>

static void read_run(struct statement *s, void *row)
{
    struct run_row *r = row;
    r->id = column_int(s, 0);
    r->kind = column_text(s, 1);
    r->state = column_text(s, 2);
    r->started_ms = column_int(s, 3);
    r->ended_ms = column_int_or(s, 4, DB_NO_TIME);
    r->stage = column_text(s, 5);
    r->done = column_int(s, 6);
    r->total = column_int(s, 7);
    r->report = column_text(s, 8);
}

void run_clear(struct run_row *r)
{
    free(r->kind);
    free(r->state);
    free(r->stage);
    free(r->report);
    *r = (struct run_row){0};
}

static void clear_run(void *row)
{
    run_clear(row);
}

static enum ft_status no_such_run(int64_t id, struct ft_err *err)
{
    return ft_fail(err, FT_NOT_FOUND, "there is no run with id %lld", (long long)id);
}

enum ft_status run_start(struct db *db, const char *kind, int64_t *id, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_run_start, err);
    bind_text(&s, ":kind", kind);
    bind_int(&s, ":now_ms", clock_now_ms());
    const enum ft_status st = statement_run(&s);
    *id = st == FT_OK ? s.last_id : 0;
    return st;
}

enum ft_status run_progress(struct db *db, int64_t id, const char *stage, int64_t done,
                            int64_t total, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_run_progress, err);
    bind_int(&s, ":id", id);
    bind_text(&s, ":stage", stage);
    bind_int(&s, ":done", done);
    bind_int(&s, ":total", total);
    const enum ft_status st = statement_run(&s);
    return st == FT_OK && s.n_changes == 0 ? no_such_run(id, err) : st;
}

enum ft_status run_finish(struct db *db, int64_t id, const char *state, const char *report,
                          struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_run_finish, err);
    bind_int(&s, ":id", id);
    bind_text(&s, ":state", state);
    bind_text(&s, ":report", report);
    bind_int(&s, ":now_ms", clock_now_ms());
    const enum ft_status st = statement_run(&s);
    return st == FT_OK && s.n_changes == 0 ? no_such_run(id, err) : st;
}

enum ft_status run_mark_interrupted(struct db *db, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_run_mark_interrupted, err);
    bind_int(&s, ":now_ms", clock_now_ms());
    return statement_run(&s);
}

enum ft_status run_get(struct db *db, int64_t id, struct run_row *out, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_run_get, err);
    bind_int(&s, ":id", id);
    const enum ft_status st = statement_one(&s, sizeof(*out), read_run, clear_run, out);
    return st == FT_NOT_FOUND ? no_such_run(id, err) : st;
}

enum ft_status run_list(struct db *db, const char *kind, size_t limit, struct run_list *out,
                        struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_run_list, err);
    bind_text(&s, ":kind", kind);
    bind_limit(&s, ":limit", limit);
    const enum ft_status st = statement_list(&s, sizeof(*out->items), read_run, clear_run, &a);
    *out = (struct run_list){a.items, a.n};
    return st;
}

void run_list_free(struct run_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_run);
    *l = (struct run_list){0};
}

static enum ft_status name_holder(struct db *db, const char *name, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    struct statement s = statement_begin(db, QUERY_lease_get, err);
    bind_text(&s, ":name", name);
    if (statement_row(&s)) {
        char until[CLOCK_TEXT_SIZE];
        clock_format_utc(column_int(&s, 1), until);
        st = ft_fail(err, FT_BUSY, "%s is held by %s until %s", name,
                     (const char *)sqlite3_column_text(s.stmt, 0), until);
    }
    const enum ft_status ended = statement_end(&s);
    return st != FT_OK ? st : ended;
}

enum ft_status lease_take(struct db *db, const char *name, const char *holder, int64_t now_ms,
                          int64_t expires_ms, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_lease_take, err);
    bind_text(&s, ":name", name);
    bind_text(&s, ":holder", holder);
    bind_int(&s, ":now_ms", now_ms);
    bind_int(&s, ":expires_ms", expires_ms);
    const enum ft_status st = statement_run(&s);
    return st == FT_OK && s.n_changes == 0 ? name_holder(db, name, err) : st;
}

enum ft_status lease_release(struct db *db, const char *name, const char *holder,
                             struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_lease_release, err);
    bind_text(&s, ":name", name);
    bind_text(&s, ":holder", holder);
    const enum ft_status st = statement_run(&s);
    if (st == FT_OK && s.n_changes == 0)
        return ft_fail(err, FT_CONFLICT, "%s is not held by %s", name, holder);
    return st;
}
