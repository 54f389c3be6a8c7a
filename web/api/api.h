/* What the handlers of the API share. A handler reads a parsed request, works on call->db and fills
 * call->reply; the dispatcher looks after roles, transactions, parameters, kept answers, errors. */
#ifndef WEB_API_API_H
#define WEB_API_API_H

#include "app/base/status.h"
#include "app/ingest/limits.h"
#include "app/token.h"
#include "web/http/router.h"
#include "web/http/server.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct db;
struct writer;
struct assets;
struct disk_guard;
struct arrivals;
struct live;
struct metrics;
struct mqtt;

/* The last quality report over all classes; see api_quality.c. */
struct quality_cache {
    pthread_mutex_t lock; /* the three below */
    cJSON *report;
    int64_t version, made_ms;
    atomic_flag is_busy; /* one is being made */
};
enum ft_status quality_cache_init(struct quality_cache *q, struct ft_err *err);
void quality_cache_free(struct quality_cache *q);

/* The server as its handlers see it; made in cmd_serve.c, lives until the server has stopped. */
struct api {
    const struct config *config;
    const char *db_path;
    struct writer *writer;
    struct live *live;
    struct arrivals *arrivals;   /* counts for every door */
    struct ingest_limits limits; /* of every door for readings */
    struct mqtt *_Atomic mqtt;   /* NULL: none */
    struct disk_guard *disk;
    struct assets *assets;
    struct metrics *metrics;
    struct quality_cache quality;
    struct server *_Atomic server; /* NULL until it runs; set while requests come in already */
    char *openapi;                 /* text of /openapi.json */
    size_t openapi_len;
    double start_s;                    /* monotonic */
    atomic_llong n_readings, n_events; /* taken in since the start */
    /* Night work; hooks so that the API needs no thread of its own. NULL = not available. */
    enum ft_status (*start_retrain)(void *night, int64_t *run_id, struct ft_err *err);
    void *night;
    void (*wake_outbox)(void *outbox); /* a message was stored */
    void *outbox;
};

struct api_call {
    struct api *api;
    const struct http_request *rq;
    struct http_reply *reply;
    const struct route_match *match;
    const struct route *route;
    struct db *db; /* read: snapshot of the worker's reader; write: the writer, in a transaction */
    cJSON *json;   /* parsed body of a ROUTE_JSON route */
    const char *body; /* of a ROUTE_RAW route, decompressed; NUL-terminated */
    size_t body_len;
    char *inflated; /* owned: body when it came compressed */
    enum token_role role;
    int64_t key_id;  /* 0 = no key */
    char actor[160]; /* name of the key, for the audit */
    int64_t now_ms;
    int64_t n_readings, n_events; /* taken in by this call; counted once they are committed */
    int http_status;     /* status of a failure when it is not reply_status_of(); 0 = that */
    const char *problem; /* its type when it is not the usual one; NULL */
};

enum route_flags {
    ROUTE_WRITE = 1,         /* runs on the writer in one transaction */
    ROUTE_JSON = 2,          /* body is JSON; parsed before the handler */
    ROUTE_IDEMPOTENT = 4,    /* honours Idempotency-Key */
    ROUTE_INGEST = 8,        /* ingest keys may call it too */
    ROUTE_INLINE = 16,       /* never waits, no database: answered on the event thread */
    ROUTE_CSV = 32,          /* a list: CSV by Accept */
    ROUTE_PUBLIC = 64,       /* no key needed from anywhere */
    ROUTE_RAW = 128,         /* body of several media types; the handler reads it */
    ROUTE_NO_SNAPSHOT = 256, /* the handler opens its own transactions */
    ROUTE_INFLUX = 1024,     /* failures also say "error", as InfluxDB clients read it */
    ROUTE_GROUP = 512,       /* the handler prepares alone and writes by api_group() */
};

struct route {
    struct route_key key; /* method and pattern */
    enum token_role role;
    unsigned flags;
    size_t max_body;
    enum ft_status (*handler)(struct api_call *c, struct ft_err *err);
    const char *id;       /* operationId */
    const char *doc;      /* one line */
    const char *params;   /* names of query parameters, blanks between; see api_params */
    const char *in, *out; /* schema names; NULL = none */
    int ok_status;        /* status of success */
};
extern const struct route api_routes[];
extern const size_t api_routes_count;

/* A query parameter means the same in every route. */
enum param_type { PARAM_TEXT, PARAM_INT, PARAM_INSTANT, PARAM_DURATION, PARAM_FLAG };
struct api_param {
    const char *name;
    enum param_type type;
    int64_t min, max; /* PARAM_INT */
    const char *doc;
};
extern const struct api_param api_params[];
extern const size_t api_params_count;

extern const struct server_ops api_server_ops; /* ctx is struct api */

/* Text of /openapi.json (caller frees). */
enum ft_status api_openapi(char **out, size_t *len, struct ft_err *err);
cJSON *api_schemas(void); /* components/schemas; NULL when memory is gone */
bool api_has_schema(const char *name);

/* --- for handlers
 * ---------------------------------------------------------------------------------
 */

/* Checked parameters; fallback when absent. The dispatcher has refused wrong ones. */
const char *api_text(const struct api_call *c, const char *name);
int64_t api_int(const struct api_call *c, const char *name, int64_t fallback);
int64_t api_instant(const struct api_call *c, const char *name, int64_t fallback);
int64_t api_duration(const struct api_call *c, const char *name, int64_t fallback);

/* The writing part of a ROUTE_GROUP handler: fn(c, state, err) with c->db the writer, in a
 * transaction that other calls may share. Kept answers are looked after: fn fills the reply, or is
 * not called when the reply stands already. n_points is the size of the work. */
enum ft_status api_group(struct api_call *c, size_t n_points,
                         enum ft_status (*fn)(struct api_call *c, void *state, struct ft_err *err),
                         void *state, struct ft_err *err);

/* Answers 200 (or the route's status) with the tree and frees it. */
enum ft_status api_reply(struct api_call *c, cJSON *value, struct ft_err *err);

/* {"items":[…],"next_cursor":null|"…"}, as CSV when the client prefers it; frees items. next NULL:
 * no further page; else the Link header is set too. */
enum ft_status api_reply_list(struct api_call *c, cJSON *items, const char *next,
                              struct ft_err *err);

/* Sets the Link header to the next page. */
void api_add_link(struct api_call *c, const char *next);

/* Null for DB_NO_TIME, DB_NO_MONEY and id 0. */
void api_add_instant(cJSON *to, const char *key, int64_t ts_ms);
void api_add_money(cJSON *to, const char *key, int64_t minor, const char *currency);
void api_add_id(cJSON *to, const char *key, int64_t id);
/* JSON text from the database as a tree; null when it is no JSON. */
void api_add_json(cJSON *to, const char *key, const char *text);

/* Cursors are opaque to clients: a number with a check, as text. */
void api_cursor_make(int64_t position, char out[40]);
/* Parameter "cursor" of the request; 0 when absent; FT_INVALID when it is not one of ours. */
enum ft_status api_cursor(struct api_call *c, int64_t *position, struct ft_err *err);

/* Fails with another HTTP status and problem type than the ft_status would give. */
enum ft_status api_fail(struct api_call *c, int http_status, const char *problem,
                        struct ft_err *err, enum ft_status code, const char *text);

/* If-Match against an ETag: FT_OK, or 428 / 412. */
enum ft_status api_if_match(struct api_call *c, const char *etag, struct ft_err *err);

/* An audit row in the caller's transaction; detail may be NULL. */
enum ft_status api_audit(struct api_call *c, const char *action, const char *subject,
                         const cJSON *detail, struct ft_err *err);

#endif
