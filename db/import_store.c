#include "db/import_store.h"

#include "app/base/clock.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/statement.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_RAW = 4000 }; /* bytes of a bad row that are kept */

static void read_import(struct statement *s, void *row)
{
    struct import_row *r = row;
    r->id = column_int(s, 0);
    r->file = column_text(s, 1);
    r->kind = column_text(s, 2);
    r->started_ms = column_int(s, 3);
    r->ended_ms = column_int_or(s, 4, DB_NO_TIME);
    r->n_rows = column_int(s, 5);
    r->n_new = column_int(s, 6);
    r->n_unchanged = column_int(s, 7);
    r->n_bad = column_int(s, 8);
}

static void clear_import(void *row)
{
    struct import_row *r = row;
    free(r->file);
    free(r->kind);
}

static void read_quarantine(struct statement *s, void *row)
{
    struct quarantine_row *r = row;
    r->id = column_int(s, 0);
    r->import_id = column_int(s, 1);
    r->file = column_text(s, 2);
    r->line = column_int(s, 3);
    r->column_name = column_text(s, 4);
    r->reason = column_text(s, 5);
    r->raw = column_text(s, 6);
    r->created_ms = column_int(s, 7);
}

static void clear_quarantine(void *row)
{
    struct quarantine_row *r = row;
    free(r->file);
    free(r->column_name);
    free(r->reason);
    free(r->raw);
}

enum ft_status import_start(struct db *db, const char *file, const char *kind, int64_t *id,
                            struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_import_start, err);
    bind_text(&s, ":file", file);
    bind_text(&s, ":kind", kind);
    bind_int(&s, ":now_ms", clock_now_ms());
    const enum ft_status st = statement_run(&s);
    *id = st == FT_OK ? s.last_id : 0;
    return st;
}

enum ft_status import_finish(struct db *db, const struct import_row *row, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_import_finish, err);
    bind_int(&s, ":id", row->id);
    bind_int_or_null(&s, ":ended_ms", row->ended_ms, DB_NO_TIME);
    bind_int(&s, ":n_rows", row->n_rows);
    bind_int(&s, ":n_new", row->n_new);
    bind_int(&s, ":n_unchanged", row->n_unchanged);
    bind_int(&s, ":n_bad", row->n_bad);
    const enum ft_status st = statement_run(&s);
    if (st == FT_OK && s.n_changes == 0)
        return ft_fail(err, FT_NOT_FOUND, "there is no import with id %lld", (long long)row->id);
    return st;
}

/* At most MAX_RAW bytes, cut between two UTF-8 characters. Caller frees; NULL: no memory. */
static char *cut_raw(const char *raw)
{
    size_t n = strnlen(raw, MAX_RAW + 1);
    if (n > MAX_RAW) {
        n = MAX_RAW;
        while (n > 0 && ((unsigned char)raw[n] & 0xc0) == 0x80)
            n--;
    }
    return strndup(raw, n);
}

enum ft_status quarantine_put(struct db *db, const struct quarantine_row *row, struct ft_err *err)
{
    char *raw = cut_raw(row->raw != NULL ? row->raw : "");
    if (raw == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a quarantined row");
    struct statement s = statement_begin(db, QUERY_quarantine_put, err);
    bind_int_or_null(&s, ":import_id", row->import_id, 0);
    bind_text(&s, ":file", row->file);
    bind_int(&s, ":line", row->line);
    bind_text(&s, ":column_name", row->column_name);
    bind_text(&s, ":reason", row->reason);
    bind_text(&s, ":raw", raw);
    bind_int(&s, ":now_ms", row->created_ms != 0 ? row->created_ms : clock_now_ms());
    const enum ft_status st = statement_run(&s);
    free(raw);
    return st;
}

enum ft_status import_list(struct db *db, size_t limit, struct import_list *out, struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_import_list, err);
    bind_limit(&s, ":limit", limit);
    const enum ft_status st =
        statement_list(&s, sizeof(*out->items), read_import, clear_import, &a);
    *out = (struct import_list){a.items, a.n};
    return st;
}

enum ft_status quarantine_list(struct db *db, int64_t import_id, size_t limit,
                               struct quarantine_list *out, struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_quarantine_list, err);
    bind_int(&s, ":import_id", import_id);
    bind_limit(&s, ":limit", limit);
    const enum ft_status st =
        statement_list(&s, sizeof(*out->items), read_quarantine, clear_quarantine, &a);
    *out = (struct quarantine_list){a.items, a.n};
    return st;
}

void import_list_free(struct import_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_import);
    *l = (struct import_list){0};
}

void quarantine_list_free(struct quarantine_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_quarantine);
    *l = (struct quarantine_list){0};
}
