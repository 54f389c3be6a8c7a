/* From a request to its handler: route, key, role, parameters, body, transaction, kept answer. Runs
 * on the server's threads; a worker's state is its own read-only connection. */
#include "web/api/api.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/log.h"
#include "app/config.h"
#include "app/disk_guard.h"
#include "app/writer.h"
#include "db/db.h"
#include "db/integration_store.h"
#include "web/api/handlers.h"
#include "web/http/assets.h"
#include "web/http/auth.h"
#include "web/http/gunzip.h"
#include "web/http/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define METRIC_ASSET (-1)
#define IDEMPOTENCY_KEY_MAX 200
#define NEEDS_KEY "this call needs an API key: Authorization: Bearer fettle_..."
#define DISK_FULL "the disk is nearly full: readings are taken again when there is room"
#define INFLATED_MAX ((size_t)32 << 20) /* twice what a plain body may have */

static bool is_get(const struct http_request *rq)
{
    return strcmp(rq->method, "GET") == 0 || strcmp(rq->method, "HEAD") == 0;
}

/* On the event thread, header only: no database here. */
static bool begin(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    const struct http_request *rq = &x->request;
    const enum route_verdict verdict =
        route_find(&api_routes[0].key, sizeof(api_routes[0]), api_routes_count, rq->method,
                   &rq->uri, &x->route, x->reply.allow, sizeof(x->reply.allow));
    if (verdict == ROUTE_NO_METHOD) {
        reply_problem(&x->reply, 405, "method-not-allowed", "this address does not take the method",
                      rq->id);
        return false;
    }
    if (verdict == ROUTE_NO_PATH) {
        if (assets_has(api->assets, &rq->uri) && is_get(rq)) {
            x->is_inline = true;
            return true;
        }
        reply_problem(&x->reply, 404, "not-found", "there is nothing at this address", rq->id);
        return false;
    }
    x->reply.allow[0] = '\0';
    const struct route *route = &api_routes[x->route.row];
    x->metric = (int)x->route.row;
    x->max_body = route->max_body;
    x->is_inline = (route->flags & ROUTE_INLINE) != 0;
    x->is_ingest = (route->flags & ROUTE_INGEST) != 0 && route->max_body > 0;
    /* A body is not read for a caller who brings no key where one is needed. */
    if (route->max_body > 0 && route->role > ROLE_VIEWER && !auth_has_token(rq)) {
        reply_problem(&x->reply, 401, "key-needed", NEEDS_KEY, rq->id);
        if ((route->flags & ROUTE_INFLUX) != 0)
            api_influx_error(&x->reply, 401, NEEDS_KEY);
        return false;
    }
    if (x->is_ingest && disk_guard_is_full(api->disk)) {
        reply_problem(&x->reply, 507, "disk-full",
                      "the disk is nearly full: readings are taken again when there is room",
                      rq->id);
        x->reply.retry_after_s = 10;
        return false;
    }
    return true;
}

/* --- parameters
 * -----------------------------------------------------------------------------------
 */

static const struct api_param *find_param(const char *name)
{
    for (size_t i = 0; i < api_params_count; i++)
        if (strcmp(api_params[i].name, name) == 0)
            return &api_params[i];
    return NULL;
}

static bool is_listed(const char *params, const char *name)
{
    const size_t n = strlen(name);
    for (const char *p = params != NULL ? params : ""; *p != '\0';) {
        const size_t len = strcspn(p, " ");
        if (len == n && strncmp(p, name, n) == 0)
            return true;
        p += len + (p[len] == ' ');
    }
    return false;
}

static enum ft_status check_param(const struct api_param *p, const char *value, struct ft_err *err)
{
    int64_t ms = 0;
    char *end = NULL;
    switch (p->type) {
    case PARAM_INT: {
        const long long v = strtoll(value, &end, 10);
        if (end == value || *end != '\0' || v < p->min || v > p->max)
            return ft_fail(err, FT_INVALID,
                           "parameter %s: expected a whole number from %lld to %lld", p->name,
                           (long long)p->min, (long long)p->max);
        return FT_OK;
    }
    case PARAM_INSTANT:
        if (clock_parse(value, strlen(value), &ms, NULL) != FT_OK)
            return ft_fail(err, FT_INVALID,
                           "parameter %s: expected a time such as 2026-11-21T06:42:00Z", p->name);
        return FT_OK;
    case PARAM_DURATION:
        if (clock_parse_duration(value, &ms, NULL) != FT_OK)
            return ft_fail(err, FT_INVALID, "parameter %s: expected a duration such as 30d",
                           p->name);
        return FT_OK;
    default:
        return FT_OK;
    }
}

static enum ft_status check_params(const struct api_call *c, struct ft_err *err)
{
    for (size_t i = 0; i < c->rq->uri.n_query; i++) {
        const char *name = c->rq->uri.query[i].name;
        const struct api_param *p = find_param(name);
        if (p == NULL || !is_listed(c->route->params, name))
            return ft_fail(err, FT_INVALID, "parameter %.60s is not known here; known: %s", name,
                           c->route->params != NULL ? c->route->params : "none");
        const enum ft_status st = check_param(p, c->rq->uri.query[i].value, err);
        if (st != FT_OK)
            return st;
    }
    return FT_OK;
}

const char *api_text(const struct api_call *c, const char *name)
{
    const char *v = uri_query(&c->rq->uri, name);
    return v != NULL && v[0] != '\0' ? v : NULL;
}

int64_t api_int(const struct api_call *c, const char *name, int64_t fallback)
{
    const char *v = api_text(c, name);
    return v != NULL ? strtoll(v, NULL, 10) : fallback;
}

int64_t api_instant(const struct api_call *c, const char *name, int64_t fallback)
{
    const char *v = api_text(c, name);
    int64_t ms = fallback;
    if (v != NULL)
        (void)clock_parse(v, strlen(v), &ms, NULL);
    return ms;
}

int64_t api_duration(const struct api_call *c, const char *name, int64_t fallback)
{
    const char *v = api_text(c, name);
    int64_t ms = fallback;
    if (v != NULL)
        (void)clock_parse_duration(v, &ms, NULL);
    return ms;
}

/* --- running a handler
 * ----------------------------------------------------------------------------
 */

static enum ft_status refuse_unknown_type(struct api_call *c, struct ft_err *err)
{
    const char *type = http_header(c->rq, "Content-Type");
    if (type == NULL || strncmp(type, "application/json", 16) == 0 ||
        strncmp(type, "application/merge-patch+json", 28) == 0)
        return FT_OK;
    return api_fail(c, 415, "media-type", err, FT_INVALID,
                    "Content-Type: expected application/json");
}

static enum ft_status parse_body(struct api_call *c, struct ft_err *err)
{
    if ((c->route->flags & ROUTE_JSON) == 0)
        return FT_OK;
    enum ft_status st = refuse_unknown_type(c, err);
    if (st == FT_OK)
        st = json_parse(c->rq->body, c->rq->body_len, &c->json, err);
    if (st != FT_OK)
        return st;
    /* From here on the text is JSON, so what is wrong is its meaning. */
    c->http_status = 0;
    return FT_OK;
}

/* Answers from the kept one when this key was used before; *is_done then. */
static enum ft_status replay(struct api_call *c, const char *key, const char *route,
                             const char *body_hash, bool *is_done, struct ft_err *err)
{
    char kept_route[300];
    struct kept_answer kept = {0};
    enum ft_status st = idempotency_find(c->db, c->key_id, key, c->now_ms, kept_route,
                                         sizeof(kept_route), &kept, err);
    *is_done = false;
    if (st == FT_NOT_FOUND)
        return FT_OK;
    if (st != FT_OK)
        return st;
    if (strcmp(kept_route, route) != 0 || strcmp(kept.body_hash, body_hash) != 0) {
        st = api_fail(c, 422, "idempotency-key-reused", err, FT_CONFLICT,
                      "Idempotency-Key: it was used before for another request");
    } else {
        struct http_reply *r = c->reply;
        reply_text(r, kept.status, "application/json", kept.response);
        snprintf(r->location, sizeof(r->location), "%s",
                 kept.location != NULL ? kept.location : "");
        snprintf(r->etag, sizeof(r->etag), "%s", kept.etag != NULL ? kept.etag : "");
        r->is_replayed = true;
        *is_done = true;
    }
    kept_answer_clear(&kept);
    return st;
}

static enum ft_status keep(const struct api_call *c, const char *key, const char *route,
                           char *body_hash, struct ft_err *err)
{
    struct http_reply *r = c->reply;
    const struct kept_answer a = {.body_hash = body_hash,
                                  .status = r->status,
                                  .location = r->location[0] != '\0' ? r->location : NULL,
                                  .etag = r->etag[0] != '\0' ? r->etag : NULL,
                                  .response = r->body.data != NULL ? r->body.data : (char[]){""}};
    return idempotency_keep(c->db, c->key_id, key, route, &a, c->now_ms, err);
}

static enum ft_status check_key_text(struct api_call *c, const char *key, struct ft_err *err)
{
    const size_t n = strlen(key);
    if (n == 0 || n > IDEMPOTENCY_KEY_MAX)
        return api_fail(c, 400, "invalid", err, FT_INVALID,
                        "Idempotency-Key: expected 1 to 200 characters");
    return FT_OK;
}

/* What an Idempotency-Key is compared by. */
struct once {
    struct api_call *call;
    const char *key; /* NULL = the request has none */
    char route[300];
    char body_hash[TOKEN_HASH_SIZE];
};

static void once_init(struct once *o, struct api_call *c)
{
    o->call = c;
    o->key =
        (c->route->flags & ROUTE_IDEMPOTENT) != 0 ? http_header(c->rq, "Idempotency-Key") : NULL;
    snprintf(o->route, sizeof(o->route), "%s %s %s", c->route->key.method, c->route->key.pattern,
             c->match->n_params > 0 ? c->match->params[0] : "");
    if (o->key != NULL)
        token_sha256(c->rq->body, c->rq->body_len, o->body_hash);
}

static enum ft_status keep_once(struct db *db, void *ctx, struct ft_err *err)
{
    struct once *o = ctx;
    o->call->db = db;
    return keep(o->call, o->key, o->route, o->body_hash, err);
}

/* Kept answer, or the handler. Its answer is kept in the same transaction when there is one on the
 * writer, else (work that was only started) in one of its own. */
static enum ft_status run_once(struct once *o, struct ft_err *err)
{
    struct api_call *c = o->call;
    bool is_done = false;
    if (o->key == NULL)
        return c->route->handler(c, err);
    enum ft_status st = check_key_text(c, o->key, err);
    if (st == FT_OK)
        st = replay(c, o->key, o->route, o->body_hash, &is_done, err);
    if (st != FT_OK || is_done)
        return st;
    st = c->route->handler(c, err);
    if (st != FT_OK && st != FT_PARTIAL)
        return st;
    const enum ft_status kept =
        (c->route->flags & ROUTE_WRITE) != 0
            ? keep_once(c->db, o, err)
            : writer_call(c->api->writer, WRITER_WAIT_MS, keep_once, o, err);
    return kept != FT_OK ? kept : st;
}

static enum ft_status run_write(struct db *db, void *ctx, struct ft_err *err)
{
    struct once *o = ctx;
    o->call->db = db;
    return run_once(o, err);
}

struct group {
    struct once once;
    enum ft_status (*fn)(struct api_call *c, void *state, struct ft_err *err);
    void *state;
};

static enum ft_status run_group(struct db *db, void *ctx, struct ft_err *err)
{
    struct group *g = ctx;
    struct once *o = &g->once;
    bool is_done = false;
    enum ft_status st = FT_OK;
    o->call->db = db;
    if (o->key != NULL)
        st = check_key_text(o->call, o->key, err);
    if (st == FT_OK && o->key != NULL)
        st = replay(o->call, o->key, o->route, o->body_hash, &is_done, err);
    if (st != FT_OK || is_done)
        return st;
    st = g->fn(o->call, g->state, err);
    if ((st != FT_OK && st != FT_PARTIAL) || o->key == NULL)
        return st;
    const enum ft_status kept = keep(o->call, o->key, o->route, o->body_hash, err);
    return kept != FT_OK ? kept : st;
}

enum ft_status api_group(struct api_call *c, size_t n_points,
                         enum ft_status (*fn)(struct api_call *c, void *state, struct ft_err *err),
                         void *state, struct ft_err *err)
{
    struct group g = {.fn = fn, .state = state};
    struct db *reader = c->db;
    once_init(&g.once, c);
    const enum ft_status st =
        writer_group(c->api->writer, WRITER_WAIT_MS, n_points, run_group, &g, err);
    c->db = reader;
    return st;
}

/* The body of a ROUTE_RAW route as its handler reads it. */
static enum ft_status read_raw(struct api_call *c, struct ft_err *err)
{
    c->body = c->rq->body;
    c->body_len = c->rq->body_len;
    const char *coding = http_header(c->rq, "Content-Encoding");
    if ((c->route->flags & ROUTE_RAW) == 0 || coding == NULL || strcasecmp(coding, "identity") == 0)
        return FT_OK;
    if (strcasecmp(coding, "gzip") != 0)
        return api_fail(c, 415, "content-encoding", err, FT_INVALID,
                        "Content-Encoding: expected gzip");
    const enum ft_status st =
        gunzip(c->rq->body, c->rq->body_len, INFLATED_MAX, &c->inflated, &c->body_len, err);
    c->body = c->inflated;
    return st;
}

static enum ft_status run_read(struct api_call *c, struct ft_err *err)
{
    if (c->db == NULL)
        return c->route->handler(c, err);
    if ((c->route->flags & ROUTE_NO_SNAPSHOT) != 0) {
        struct once o;
        once_init(&o, c);
        return run_once(&o, err);
    }
    enum ft_status st = db_begin(c->db, err);
    if (st != FT_OK)
        return st;
    st = c->route->handler(c, err);
    db_rollback(c->db); /* a reader has nothing to commit */
    return st;
}

struct touch {
    int64_t key_id, now_ms;
};

static enum ft_status touch_key(struct db *db, void *ctx, struct ft_err *err)
{
    const struct touch *t = ctx;
    return api_key_touch(db, t->key_id, t->now_ms, err);
}

static enum ft_status authorise(struct api_call *c, struct ft_err *err)
{
    struct auth who;
    const enum auth_verdict verdict =
        auth_check(c->db, c->rq, c->api->config->anonymous_read, c->now_ms, &who);
    if ((c->route->flags & ROUTE_PUBLIC) == 0) {
        if (verdict == AUTH_BAD)
            return api_fail(c, 401, "key-not-valid", err, FT_REFUSED, "this API key is not valid");
        if (!auth_may(who.role, c->route->role, (c->route->flags & ROUTE_INGEST) != 0)) {
            if (verdict == AUTH_NONE)
                return api_fail(c, 401, "key-needed", err, FT_REFUSED, NEEDS_KEY);
            c->http_status = 403;
            c->problem = "role-needed";
            return ft_fail(err, FT_REFUSED, "this call needs the role %s; the key has %s",
                           token_role_name(c->route->role), token_role_name(who.role));
        }
    }
    c->role = who.role;
    c->key_id = who.key_id;
    snprintf(c->actor, sizeof(c->actor), "%s", who.name);
    if (verdict == AUTH_OK && who.is_stale) {
        struct touch t = {who.key_id, c->now_ms};
        (void)writer_call(c->api->writer, 0, touch_key, &t, NULL); /* next time, when it is busy */
    }
    return FT_OK;
}

static enum ft_status run(struct api_call *c, struct ft_err *err)
{
    enum ft_status st = c->db != NULL ? authorise(c, err) : FT_OK;
    if (st == FT_OK)
        st = check_params(c, err);
    if (st == FT_OK)
        st = parse_body(c, err);
    if (st == FT_OK)
        st = read_raw(c, err);
    if (st != FT_OK)
        return st;
    if ((c->route->flags & ROUTE_GROUP) != 0) {
        st = c->route->handler(c, err);
    } else if ((c->route->flags & ROUTE_WRITE) != 0) {
        struct once o;
        once_init(&o, c);
        st = writer_call(c->api->writer, WRITER_WAIT_MS, run_write, &o, err);
    } else {
        st = run_read(c, err);
    }
    /* The text was JSON but its meaning is wrong: 422, as the reader of a form would want it. */
    if (st == FT_INVALID && c->json != NULL && c->http_status == 0)
        c->http_status = 422;
    if (st == FT_OK || st == FT_PARTIAL) {
        atomic_fetch_add(&c->api->n_readings, c->n_readings);
        atomic_fetch_add(&c->api->n_events, c->n_events);
        if ((c->route->flags & ROUTE_WRITE) != 0 && c->api->wake_outbox != NULL)
            c->api->wake_outbox(c->api->outbox);
    }
    return st;
}

static void handle(void *ctx, void *worker, struct http_exchange *x)
{
    struct api *api = ctx;
    if (x->metric == METRIC_ASSET) {
        if (!assets_serve(api->assets, &x->request, &x->reply))
            reply_problem(&x->reply, 404, "not-found", "there is no such file", x->request.id);
        return;
    }
    struct api_call c = {.api = api,
                         .rq = &x->request,
                         .reply = &x->reply,
                         .match = &x->route,
                         .route = &api_routes[x->route.row],
                         .db = worker,
                         .now_ms = clock_now_ms()};
    struct ft_err err = {FT_INTERNAL, "no reason was given"};
    const enum ft_status st = run(&c, &err);
    if (st != FT_OK && st != FT_PARTIAL) {
        err.code = st;
        if (st == FT_INTERNAL || st == FT_IO || st == FT_NOMEM)
            log_error("request %s: %s %s: %s", x->request.id, x->request.method,
                      c.route->key.pattern, err.msg);
        x->reply.location[0] = '\0';
        reply_error(&x->reply, c.http_status, &err, x->request.id);
        if (c.problem != NULL)
            reply_problem(&x->reply, x->reply.status, c.problem, err.msg, x->request.id);
        if ((c.route->flags & ROUTE_INFLUX) != 0)
            api_influx_error(&x->reply, x->reply.status, err.msg);
    }
    cJSON_Delete(c.json);
    free(c.inflated);
}

static void done(void *ctx, const struct http_exchange *x, bool is_complete)
{
    struct api *api = ctx;
    const double seconds = clock_mono_s() - x->start_s;
    metrics_count(api->metrics, x->metric, x->reply.status, seconds);
    log_debug("%s %s %d %.1f ms%s", x->request.method,
              x->metric >= 0 ? api_routes[x->metric].key.pattern : "-", x->reply.status,
              seconds * 1e3, is_complete ? "" : " (client left)");
}

static enum ft_status worker_new(void *ctx, void **worker, struct ft_err *err)
{
    const struct api *api = ctx;
    struct db *db = NULL;
    const enum ft_status st = db_open_reader(api->db_path, &db, err);
    *worker = db;
    return st;
}

static void worker_free(void *ctx, void *worker)
{
    (void)ctx;
    db_close(worker);
}

const struct server_ops api_server_ops = {begin, handle, done, worker_new, worker_free};
