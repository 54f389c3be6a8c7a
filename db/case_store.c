#include "db/case_store.h"

#include "db/asset_store.h"
#include "db/statement.h"

#include <stdlib.h>
#include <string.h>

static void read_case(struct statement *s, void *row)
{
    struct risk_case *c = row;
    c->id = column_int(s, 0);
    c->asset_id = column_int(s, 1);
    c->component_id = column_int(s, 2);
    c->state = column_text(s, 3);
    c->opened_ms = column_int(s, 4);
    c->closed_ms = column_int_or(s, 5, DB_NO_TIME);
    c->until_ms = column_int_or(s, 6, DB_NO_TIME);
    c->p_window = column_real(s, 7);
    c->saving_minor = column_int_or(s, 8, DB_NO_MONEY);
    c->reason = column_text(s, 9);
    c->verdict = column_text(s, 10);
    c->note = column_text(s, 11);
    c->version = column_int(s, 12);
    c->updated_ms = column_int(s, 13);
}

void case_clear(struct risk_case *c)
{
    free(c->state);
    free(c->reason);
    free(c->verdict);
    free(c->note);
    *c = (struct risk_case){0};
}

static void clear_case(void *row)
{
    case_clear(row);
}

bool case_is_open(const struct risk_case *c)
{
    return strcmp(c->state, "open") == 0 || strcmp(c->state, "approved") == 0 ||
           strcmp(c->state, "deferred") == 0;
}

enum ft_status case_insert(struct db *db, const struct risk_case *c, int64_t *id,
                           struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_case_insert, err);
    bind_int(&s, ":asset_id", c->asset_id);
    bind_int_or_null(&s, ":component_id", c->component_id, 0);
    bind_int(&s, ":opened_ms", c->opened_ms);
    bind_real(&s, ":p_window", c->p_window);
    bind_int_or_null(&s, ":saving_minor", c->saving_minor, DB_NO_MONEY);
    const enum ft_status st = statement_run(&s);
    *id = st == FT_OK ? s.last_id : 0;
    return st;
}

enum ft_status case_update(struct db *db, const struct risk_case *c, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_case_update, err);
    bind_int(&s, ":id", c->id);
    bind_int(&s, ":version", c->version);
    bind_text(&s, ":state", c->state);
    bind_int_or_null(&s, ":closed_ms", c->closed_ms, DB_NO_TIME);
    bind_int_or_null(&s, ":until_ms", c->until_ms, DB_NO_TIME);
    bind_text(&s, ":reason", c->reason);
    bind_text(&s, ":verdict", c->verdict);
    bind_text(&s, ":note", c->note);
    bind_int(&s, ":updated_ms", c->updated_ms);
    const enum ft_status st = statement_run(&s);
    if (st == FT_OK && s.n_changes == 0)
        return ft_fail(err, FT_CONFLICT, "case %lld was changed meanwhile", (long long)c->id);
    return st;
}

enum ft_status case_get(struct db *db, int64_t id, struct risk_case *out, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_case_by_id, err);
    bind_int(&s, ":id", id);
    const enum ft_status st = statement_one(&s, sizeof(*out), read_case, clear_case, out);
    return st == FT_NOT_FOUND ? ft_fail(err, st, "there is no case %lld", (long long)id) : st;
}

enum ft_status case_list(struct db *db, const struct case_filter *f, struct risk_case_list *out,
                         struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_case_list, err);
    bind_int(&s, ":asset_id", f->asset_id);
    bind_text(&s, ":state", f->state);
    bind_int(&s, ":since_ms", f->since_ms);
    const enum ft_status st = statement_list(&s, sizeof(*out->items), read_case, clear_case, &a);
    *out = (struct risk_case_list){a.items, a.n};
    return st;
}

void case_list_free(struct risk_case_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_case);
    *l = (struct risk_case_list){0};
}
