#include "db/model_store.h"

#include "app/base/clock.h"
#include "db/connection.h"
#include "db/db.h"
#include "db/statement.h"

#include <stdlib.h>
#include <string.h>

static void read_model(struct statement *s, void *row)
{
    struct model_row *m = row;
    m->id = column_int(s, 0);
    m->class_id = column_int(s, 1);
    m->target = column_text(s, 2);
    m->component_id = column_int(s, 3);
    m->horizon_ms = column_int(s, 4);
    m->kind = column_text(s, 5);
    m->state = column_text(s, 6);
    m->reason = column_text(s, 7);
    m->created_ms = column_int(s, 8);
    m->until_ms = column_int(s, 9);
    m->run_id = column_int(s, 10);
    m->seed = column_int(s, 11);
    m->build = column_text(s, 12);
    m->fingerprint = column_text(s, 13);
    m->params = column_text(s, 14);
    m->features = column_text(s, 15);
    m->metrics = column_text(s, 16);
    m->sha256 = column_text(s, 17);
    if (sqlite3_column_type(s->stmt, 18) != SQLITE_NULL)
        m->body = column_bytes(s, 18, &m->body_len);
}

void model_clear(struct model_row *m)
{
    free(m->target);
    free(m->kind);
    free(m->state);
    free(m->reason);
    free(m->build);
    free(m->fingerprint);
    free(m->params);
    free(m->features);
    free(m->metrics);
    free(m->sha256);
    free(m->body);
    *m = (struct model_row){0};
}

static void clear_model(void *row)
{
    model_clear(row);
}

static enum ft_status retire_champion(struct db *db, int64_t id, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_model_retire_champion, err);
    bind_int(&s, ":id", id);
    return statement_run(&s);
}

static enum ft_status set_state(struct db *db, int64_t id, const char *state, const char *reason,
                                struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_model_set_state, err);
    bind_int(&s, ":id", id);
    bind_text(&s, ":state", state);
    bind_text(&s, ":reason", reason);
    const enum ft_status st = statement_run(&s);
    if (st == FT_OK && s.n_changes == 0)
        return ft_fail(err, FT_NOT_FOUND, "there is no model with id %lld", (long long)id);
    return st;
}

/* The old champion makes room first: the unique index allows one at a time. */
static enum ft_status put_state(struct db *db, int64_t id, const char *state, const char *reason,
                                struct ft_err *err)
{
    enum ft_status st = FT_OK;
    if (strcmp(state, "champion") == 0)
        st = retire_champion(db, id, err);
    return st == FT_OK ? set_state(db, id, state, reason, err) : st;
}

/* Inserts as a candidate, for the reason of the old champion needs the new number. */
static enum ft_status insert_candidate(struct db *db, const struct model_row *m, int64_t *id,
                                       struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_model_insert, err);
    bind_int(&s, ":class_id", m->class_id);
    bind_text(&s, ":target", m->target);
    bind_int_or_null(&s, ":component_id", m->component_id, 0);
    bind_int(&s, ":horizon_ms", m->horizon_ms);
    bind_text(&s, ":kind", m->kind);
    bind_text(&s, ":state", "candidate");
    bind_text(&s, ":reason", m->reason != NULL ? m->reason : "");
    bind_int(&s, ":created_ms", m->created_ms != 0 ? m->created_ms : clock_now_ms());
    bind_int(&s, ":until_ms", m->until_ms);
    bind_int_or_null(&s, ":run_id", m->run_id, 0);
    bind_int(&s, ":seed", m->seed);
    bind_text(&s, ":build", m->build);
    bind_text(&s, ":fingerprint", m->fingerprint);
    bind_text(&s, ":params", m->params);
    bind_text(&s, ":features", m->features);
    bind_text(&s, ":metrics", m->metrics);
    bind_text(&s, ":sha256", m->sha256);
    bind_blob(&s, ":body", m->body, m->body_len);
    const enum ft_status st = statement_run(&s);
    *id = st == FT_OK ? s.last_id : 0;
    return st;
}

enum ft_status model_insert(struct db *db, const struct model_row *m, int64_t *id,
                            struct ft_err *err)
{
    *id = 0;
    if (m->state == NULL)
        return ft_fail(err, FT_INVALID, "model: the state is missing");
    enum ft_status st = unit_begin(db, err);
    if (st != FT_OK)
        return st;
    st = insert_candidate(db, m, id, err);
    if (st == FT_OK && strcmp(m->state, "candidate") != 0)
        st = put_state(db, *id, m->state, m->reason != NULL ? m->reason : "", err);
    st = unit_end(db, st, err);
    if (st != FT_OK)
        *id = 0;
    return st;
}

enum ft_status model_set_state(struct db *db, int64_t id, const char *state, const char *reason,
                               struct ft_err *err)
{
    enum ft_status st = unit_begin(db, err);
    if (st != FT_OK)
        return st;
    st = put_state(db, id, state, reason, err);
    return unit_end(db, st, err);
}

enum ft_status model_prune(struct db *db, int64_t class_id, int64_t keep, struct ft_err *err)
{
    enum ft_status st = unit_begin(db, err);
    if (st != FT_OK)
        return st;
    struct statement s = statement_begin(db, QUERY_model_prune, err);
    bind_int(&s, ":class_id", class_id);
    bind_int(&s, ":keep", keep);
    return unit_end(db, statement_run(&s), err);
}

enum ft_status model_get(struct db *db, int64_t id, struct model_row *out, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_model_get, err);
    bind_int(&s, ":id", id);
    const enum ft_status st = statement_one(&s, sizeof(*out), read_model, clear_model, out);
    return st == FT_NOT_FOUND ? ft_fail(err, st, "there is no model with id %lld", (long long)id)
                              : st;
}

enum ft_status model_champion(struct db *db, int64_t class_id, const char *target,
                              int64_t component_id, int64_t horizon_ms, struct model_row *out,
                              struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_model_champion, err);
    bind_int(&s, ":class_id", class_id);
    bind_text(&s, ":target", target);
    bind_int(&s, ":component_id", component_id);
    bind_int(&s, ":horizon_ms", horizon_ms);
    const enum ft_status st = statement_one(&s, sizeof(*out), read_model, clear_model, out);
    return st == FT_NOT_FOUND
               ? ft_fail(err, st, "class %lld has no champion for target %s yet: train one",
                         (long long)class_id, target)
               : st;
}

enum ft_status model_list(struct db *db, int64_t class_id, const char *target, const char *state,
                          struct model_list *out, struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_model_list, err);
    bind_int(&s, ":class_id", class_id);
    bind_text(&s, ":target", target);
    bind_text(&s, ":state", state);
    const enum ft_status st = statement_list(&s, sizeof(*out->items), read_model, clear_model, &a);
    *out = (struct model_list){a.items, a.n};
    return st;
}

void model_list_free(struct model_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_model);
    *l = (struct model_list){0};
}
