/* API keys, kept answers for Idempotency-Key, webhooks and their outbox, audit. */
#ifndef DB_INTEGRATION_STORE_H
#define DB_INTEGRATION_STORE_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

struct api_key {
    int64_t id;
    char *public_id, *name, *role;
    char *hash;                                          /* SHA-256 of the secret, hex */
    int64_t created_ms, expires_ms, revoked_ms, used_ms; /* DB_NO_TIME = none */
};
struct api_key_list {
    struct api_key *items;
    size_t n;
};
enum ft_status api_key_insert(struct db *db, const struct api_key *k, int64_t *id,
                              struct ft_err *err);
enum ft_status api_key_find(struct db *db, const char *public_id, struct api_key *out,
                            struct ft_err *err);
enum ft_status api_key_revoke(struct db *db, const char *public_id, int64_t now_ms,
                              struct ft_err *err);
enum ft_status api_key_touch(struct db *db, int64_t id, int64_t now_ms, struct ft_err *err);
enum ft_status api_key_list(struct db *db, struct api_key_list *out, struct ft_err *err);
void api_key_clear(struct api_key *k);
void api_key_list_free(struct api_key_list *l);

struct kept_answer {
    char *body_hash; /* SHA-256 of the request body, hex */
    int status;
    char *location, *etag; /* NULL = none */
    char *response;
};
/* FT_NOT_FOUND when there is none younger than 24 h. */
enum ft_status idempotency_find(struct db *db, int64_t api_key_id, const char *key, int64_t now_ms,
                                char *route, size_t route_size, struct kept_answer *out,
                                struct ft_err *err);
enum ft_status idempotency_keep(struct db *db, int64_t api_key_id, const char *key,
                                const char *route, const struct kept_answer *a, int64_t now_ms,
                                struct ft_err *err);
void kept_answer_clear(struct kept_answer *a);

struct webhook {
    int64_t id;
    char *url, *secret, *events;
    bool is_active;
};
struct webhook_list {
    struct webhook *items;
    size_t n;
};
enum ft_status webhook_insert(struct db *db, const struct webhook *w, int64_t *id,
                              struct ft_err *err);
enum ft_status webhook_delete(struct db *db, int64_t id, struct ft_err *err);
enum ft_status webhook_list(struct db *db, struct webhook_list *out, struct ft_err *err);
void webhook_list_free(struct webhook_list *l);

struct delivery {
    int64_t id, webhook_id;
    char *url, *secret; /* of the webhook */
    char *message_id, *event_type, *body, *state;
    int64_t n_tries, next_try_ms;
    int64_t last_status; /* 0 = no answer */
    char *last_error;    /* NULL = none */
    int64_t created_ms;
};
struct delivery_list {
    struct delivery *items;
    size_t n;
};
/* Stores one delivery for each active webhook that wants event_type, in the caller's transaction.
 */
enum ft_status delivery_enqueue(struct db *db, const char *event_type, const char *message_id,
                                const char *body, int64_t now_ms, size_t *n_stored,
                                struct ft_err *err);
enum ft_status delivery_due(struct db *db, int64_t now_ms, size_t limit, struct delivery_list *out,
                            struct ft_err *err);
/* state: waiting (with next_try_ms), delivered or dead. */
enum ft_status delivery_result(struct db *db, int64_t id, const char *state, int64_t next_try_ms,
                               int64_t http_status, const char *error, struct ft_err *err);
enum ft_status delivery_list(struct db *db, size_t limit, struct delivery_list *out,
                             struct ft_err *err); /* newest first */
void delivery_list_free(struct delivery_list *l);

enum ft_status audit_put(struct db *db, int64_t ts_ms, const char *actor, const char *action,
                         const char *subject, const char *detail, struct ft_err *err);

#endif
