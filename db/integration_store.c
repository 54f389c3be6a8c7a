#include "db/integration_store.h"

#include "app/base/clock.h"
#include "db/asset_store.h"
#include "db/connection.h"
#include "db/db.h"
#include "db/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- API keys ------------------------------------------------------------------------------- */

static void read_key(struct statement *s, void *row)
{
    struct api_key *k = row;
    k->id = column_int(s, 0);
    k->public_id = column_text(s, 1);
    k->name = column_text(s, 2);
    k->role = column_text(s, 3);
    k->hash = column_text(s, 4);
    k->created_ms = column_int(s, 5);
    k->expires_ms = column_int_or(s, 6, DB_NO_TIME);
    k->revoked_ms = column_int_or(s, 7, DB_NO_TIME);
    k->used_ms = column_int_or(s, 8, DB_NO_TIME);
}

void api_key_clear(struct api_key *k)
{
    free(k->public_id);
    free(k->name);
    free(k->role);
    free(k->hash);
    *k = (struct api_key){0};
}

static void clear_key(void *row)
{
    api_key_clear(row);
}

enum ft_status api_key_insert(struct db *db, const struct api_key *k, int64_t *id,
                              struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_api_key_insert, err);
    bind_text(&s, ":public_id", k->public_id);
    bind_text(&s, ":name", k->name);
    bind_text(&s, ":role", k->role);
    bind_text(&s, ":hash", k->hash);
    bind_int(&s, ":created_ms", k->created_ms);
    bind_int_or_null(&s, ":expires_ms", k->expires_ms, DB_NO_TIME);
    const enum ft_status st = statement_run(&s);
    *id = st == FT_OK ? s.last_id : 0;
    return st;
}

static enum ft_status no_such_key(const char *public_id, struct ft_err *err)
{
    return ft_fail(err, FT_NOT_FOUND, "there is no API key '%.100s'", public_id);
}

enum ft_status api_key_find(struct db *db, const char *public_id, struct api_key *out,
                            struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_api_key_find, err);
    bind_text(&s, ":public_id", public_id);
    const enum ft_status st = statement_one(&s, sizeof(*out), read_key, clear_key, out);
    return st == FT_NOT_FOUND ? no_such_key(public_id, err) : st;
}

enum ft_status api_key_revoke(struct db *db, const char *public_id, int64_t now_ms,
                              struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_api_key_revoke, err);
    bind_text(&s, ":public_id", public_id);
    bind_int(&s, ":now_ms", now_ms);
    const enum ft_status st = statement_run(&s);
    return st == FT_OK && s.n_changes == 0 ? no_such_key(public_id, err) : st;
}

enum ft_status api_key_touch(struct db *db, int64_t id, int64_t now_ms, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_api_key_touch, err);
    bind_int(&s, ":id", id);
    bind_int(&s, ":minute_ms", now_ms - now_ms % MS_PER_MINUTE);
    return statement_run(&s);
}

enum ft_status api_key_list(struct db *db, struct api_key_list *out, struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_api_key_list, err);
    const enum ft_status st = statement_list(&s, sizeof(*out->items), read_key, clear_key, &a);
    *out = (struct api_key_list){a.items, a.n};
    return st;
}

void api_key_list_free(struct api_key_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_key);
    *l = (struct api_key_list){0};
}

/* --- kept answers --------------------------------------------------------------------------- */

/* With its route, which the caller of idempotency_find() wants apart. */
struct kept_row {
    char *route;
    struct kept_answer answer;
};

static void read_kept(struct statement *s, void *row)
{
    struct kept_row *k = row;
    k->route = column_text(s, 0);
    k->answer.body_hash = column_text(s, 1);
    k->answer.status = (int)column_int(s, 2);
    k->answer.location = column_text(s, 3);
    k->answer.etag = column_text(s, 4);
    k->answer.response = column_text(s, 5);
}

void kept_answer_clear(struct kept_answer *a)
{
    free(a->body_hash);
    free(a->location);
    free(a->etag);
    free(a->response);
    *a = (struct kept_answer){0};
}

static void clear_kept(void *row)
{
    struct kept_row *k = row;
    free(k->route);
    kept_answer_clear(&k->answer);
}

enum ft_status idempotency_find(struct db *db, int64_t api_key_id, const char *key, int64_t now_ms,
                                char *route, size_t route_size, struct kept_answer *out,
                                struct ft_err *err)
{
    struct kept_row row;
    struct statement s = statement_begin(db, QUERY_idempotency_find, err);
    *out = (struct kept_answer){0};
    bind_int(&s, ":api_key_id", api_key_id);
    bind_text(&s, ":key", key);
    bind_int(&s, ":oldest_ms", now_ms - MS_PER_DAY);
    const enum ft_status st = statement_one(&s, sizeof(row), read_kept, clear_kept, &row);
    if (st == FT_NOT_FOUND)
        return ft_fail(err, st, "no answer is kept for this Idempotency-Key");
    if (st != FT_OK)
        return st;
    snprintf(route, route_size, "%s", row.route);
    *out = row.answer;
    free(row.route);
    return FT_OK;
}

static enum ft_status insert_kept(struct db *db, int64_t api_key_id, const char *key,
                                  const char *route, const struct kept_answer *a, int64_t now_ms,
                                  struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_idempotency_insert, err);
    bind_int(&s, ":api_key_id", api_key_id);
    bind_text(&s, ":key", key);
    bind_text(&s, ":route", route);
    bind_text(&s, ":body_hash", a->body_hash);
    bind_int(&s, ":status", a->status);
    bind_text(&s, ":location", a->location);
    bind_text(&s, ":etag", a->etag);
    bind_text(&s, ":response", a->response != NULL ? a->response : "");
    bind_int(&s, ":now_ms", now_ms);
    return statement_run(&s);
}

enum ft_status idempotency_keep(struct db *db, int64_t api_key_id, const char *key,
                                const char *route, const struct kept_answer *a, int64_t now_ms,
                                struct ft_err *err)
{
    enum ft_status st = unit_begin(db, err);
    if (st != FT_OK)
        return st;
    struct statement purge = statement_begin(db, QUERY_idempotency_purge, err);
    bind_int(&purge, ":oldest_ms", now_ms - MS_PER_DAY);
    st = statement_run(&purge);
    if (st == FT_OK)
        st = insert_kept(db, api_key_id, key, route, a, now_ms, err);
    return unit_end(db, st, err);
}

/* --- webhooks ------------------------------------------------------------------------------- */

static void read_webhook(struct statement *s, void *row)
{
    struct webhook *w = row;
    w->id = column_int(s, 0);
    w->url = column_text(s, 1);
    w->secret = column_text(s, 2);
    w->events = column_text(s, 3);
    w->is_active = column_int(s, 4) != 0;
}

static void clear_webhook(void *row)
{
    struct webhook *w = row;
    free(w->url);
    free(w->secret);
    free(w->events);
}

enum ft_status webhook_insert(struct db *db, const struct webhook *w, int64_t *id,
                              struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_webhook_insert, err);
    bind_text(&s, ":url", w->url);
    bind_text(&s, ":secret", w->secret);
    bind_text(&s, ":events", w->events);
    bind_int(&s, ":is_active", w->is_active);
    bind_int(&s, ":now_ms", clock_now_ms());
    const enum ft_status st = statement_run(&s);
    *id = st == FT_OK ? s.last_id : 0;
    return st;
}

enum ft_status webhook_delete(struct db *db, int64_t id, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_webhook_delete, err);
    bind_int(&s, ":id", id);
    const enum ft_status st = statement_run(&s);
    if (st == FT_OK && s.n_changes == 0)
        return ft_fail(err, FT_NOT_FOUND, "there is no webhook with id %lld", (long long)id);
    return st;
}

enum ft_status webhook_list(struct db *db, struct webhook_list *out, struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_webhook_list, err);
    const enum ft_status st =
        statement_list(&s, sizeof(*out->items), read_webhook, clear_webhook, &a);
    *out = (struct webhook_list){a.items, a.n};
    return st;
}

void webhook_list_free(struct webhook_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_webhook);
    *l = (struct webhook_list){0};
}

/* --- outbox --------------------------------------------------------------------------------- */

static void read_delivery(struct statement *s, void *row)
{
    struct delivery *d = row;
    d->id = column_int(s, 0);
    d->webhook_id = column_int(s, 1);
    d->url = column_text(s, 2);
    d->secret = column_text(s, 3);
    d->message_id = column_text(s, 4);
    d->event_type = column_text(s, 5);
    d->body = column_text(s, 6);
    d->state = column_text(s, 7);
    d->n_tries = column_int(s, 8);
    d->next_try_ms = column_int(s, 9);
    d->last_status = column_int(s, 10);
    d->last_error = column_text(s, 11);
    d->created_ms = column_int(s, 12);
}

static void clear_delivery(void *row)
{
    struct delivery *d = row;
    free(d->url);
    free(d->secret);
    free(d->message_id);
    free(d->event_type);
    free(d->body);
    free(d->state);
    free(d->last_error);
}

enum ft_status delivery_enqueue(struct db *db, const char *event_type, const char *message_id,
                                const char *body, int64_t now_ms, size_t *n_stored,
                                struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_delivery_enqueue, err);
    bind_text(&s, ":event_type", event_type);
    bind_text(&s, ":message_id", message_id);
    bind_text(&s, ":body", body);
    bind_int(&s, ":now_ms", now_ms);
    const enum ft_status st = statement_run(&s);
    if (n_stored != NULL)
        *n_stored = st == FT_OK ? (size_t)s.n_changes : 0;
    return st;
}

enum ft_status delivery_due(struct db *db, int64_t now_ms, size_t limit, struct delivery_list *out,
                            struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_delivery_due, err);
    bind_int(&s, ":now_ms", now_ms);
    bind_limit(&s, ":limit", limit);
    const enum ft_status st =
        statement_list(&s, sizeof(*out->items), read_delivery, clear_delivery, &a);
    *out = (struct delivery_list){a.items, a.n};
    return st;
}

enum ft_status delivery_result(struct db *db, int64_t id, const char *state, int64_t next_try_ms,
                               int64_t http_status, const char *error, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_delivery_result, err);
    bind_int(&s, ":id", id);
    bind_text(&s, ":state", state);
    bind_int(&s, ":next_try_ms", next_try_ms);
    bind_int_or_null(&s, ":http_status", http_status, 0);
    bind_text(&s, ":error", error);
    const enum ft_status st = statement_run(&s);
    if (st == FT_OK && s.n_changes == 0)
        return ft_fail(err, FT_NOT_FOUND, "there is no delivery with id %lld", (long long)id);
    return st;
}

enum ft_status delivery_list(struct db *db, size_t limit, struct delivery_list *out,
                             struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_delivery_list, err);
    bind_limit(&s, ":limit", limit);
    const enum ft_status st =
        statement_list(&s, sizeof(*out->items), read_delivery, clear_delivery, &a);
    *out = (struct delivery_list){a.items, a.n};
    return st;
}

void delivery_list_free(struct delivery_list *l)
{
    row_array_free(l->items, l->n, sizeof(*l->items), clear_delivery);
    *l = (struct delivery_list){0};
}

/* --- audit ---------------------------------------------------------------------------------- */

enum ft_status audit_put(struct db *db, int64_t ts_ms, const char *actor, const char *action,
                         const char *subject, const char *detail, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_audit_put, err);
    bind_int(&s, ":ts_ms", ts_ms);
    bind_text(&s, ":actor", actor);
    bind_text(&s, ":action", action);
    bind_text(&s, ":subject", subject);
    bind_text(&s, ":detail", detail);
    return statement_run(&s);
}
