/* Threads: MHD's event threads call on_uri, on_request, on_completed for their own connections;
 * workers take exchanges from the queue. An exchange belongs to the event thread, to the queue, or
 * to one worker, never to two: MHD_suspend_connection() hands it over, MHD_resume_connection()
 * gives it back. */
#include "web/http/server.h"

#include "app/base/clock.h"
#include "app/base/log.h"
#include "web/http/reaper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum phase { PHASE_NEW, PHASE_BODY, PHASE_WORK, PHASE_READY, PHASE_SENT };

/* How many bytes of a refused body are read and thrown away, so that a client that does not look
 * before it has sent everything still gets its answer instead of a reset connection. */
#define DISCARD_MAX ((size_t)4 << 20)
#define MIN_BYTES_PER_S 1024.0
#define BODY_GRACE_S 10.0
#define REPLY_GRACE_S 30.0
#define GZIP_MIN_BYTES 1024

struct exchange {
    struct http_exchange x; /* first: the public part */
    struct server *server;
    struct MHD_Connection *connection;
    struct exchange *next; /* in the queue */
    enum phase phase;
    struct buf body;
    size_t n_held; /* bytes of the server's body memory that this one has */
    size_t n_discarded;
    bool is_refused; /* the reply stands already; what comes of the body is thrown away */
    size_t uri_len;
    char uri[GUARD_MAX_URI + 2]; /* raw; one byte more shows that it was too long */
};

struct server {
    struct MHD_Daemon *daemon;
    struct server_ops ops;
    void *ctx;
    struct server_options options;
    struct reaper *reaper;
    int listen_fd;
    int port;
    bool is_tls;

    pthread_mutex_t lock; /* everything below */
    pthread_cond_t has_work, has_ended;
    struct line {
        struct exchange *first, *last;
        size_t n;
    } lines[2]; /* ordinary, ingest */
    size_t n_ingest_running;
    size_t n_active;
    size_t body_bytes;
    bool is_draining, is_stopping;
    int64_t n_guard_refused, n_full_refused;
    pthread_t *workers;
    size_t n_workers, n_ready;
    struct ft_err worker_err;
};

const char *http_header(const struct http_request *rq, const char *name)
{
    for (size_t i = 0; i < rq->n_headers; i++)
        if (guard_is_name(rq->headers[i].name, rq->headers[i].name_len, name))
            return rq->headers[i].value;
    return NULL;
}

/* --- replies
 * --------------------------------------------------------------------------------------
 */

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0' &&
        MHD_add_response_header(response, name, value) != MHD_YES)
        log_warn("header %s was left out: %.100s", name, value);
}

static void add_headers(const struct exchange *e, struct MHD_Response *response)
{
    static const char *const fixed[][2] = {
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
         "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
        {"Vary", "Accept, Accept-Encoding, Authorization"}};
    const struct http_reply *r = &e->x.reply;
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        add_header(response, fixed[i][0], fixed[i][1]);
    add_header(response, "Content-Type", r->content_type);
    add_header(response, "ETag", r->etag);
    add_header(response, "Cache-Control",
               r->cache_control != NULL ? r->cache_control
               : r->status >= 400       ? "no-store"
                                        : "no-cache");
    add_header(response, "Location", r->location);
    add_header(response, "Link", r->link);
    add_header(response, "Allow", r->allow);
    add_header(response, "X-Request-Id", e->x.request.id);
    if (r->extra[0] != NULL)
        add_header(response, r->extra[0], r->extra[1]);
    if (r->disposition[0] != '\0') {
        char value[260];
        snprintf(value, sizeof(value), "attachment; filename=\"%s\"", r->disposition);
        add_header(response, "Content-Disposition", value);
    }
    if (r->retry_after_s > 0) {
        char seconds[16];
        snprintf(seconds, sizeof(seconds), "%d", r->retry_after_s);
        add_header(response, "Retry-After", seconds);
    }
    if (r->status == 401)
        add_header(response, "WWW-Authenticate", "Bearer realm=\"fettle\"");
    if (r->is_replayed)
        add_header(response, "Idempotent-Replayed", "true");
    if (r->is_gzip)
        add_header(response, "Content-Encoding", "gzip");
    if (e->server->is_tls)
        add_header(response, "Strict-Transport-Security", "max-age=31536000");
}

static bool is_text_type(const char *type)
{
    return type != NULL && (strncmp(type, "text/", 5) == 0 || strstr(type, "json") != NULL ||
                            strstr(type, "javascript") != NULL || strstr(type, "svg") != NULL);
}

/* Conditional GET and compression; on the worker, for they cost time. */
static void finish_reply(struct exchange *e)
{
    struct http_reply *r = &e->x.reply;
    const struct http_request *rq = &e->x.request;
    if (r->status == 0)
        reply_problem(r, 500, "internal", "the request was not answered", rq->id);
    if (buf_status(&r->body, NULL) != FT_OK)
        reply_problem(r, 503, "no-memory", "the answer is too large or memory is short", rq->id);
    const bool is_get = strcmp(rq->method, "GET") == 0 || strcmp(rq->method, "HEAD") == 0;
    if (is_get && r->status == 200) {
        if (r->etag[0] == '\0' && r->fixed == NULL && r->cache_control == NULL)
            reply_hash_etag(r->body.data != NULL ? r->body.data : "", r->body.len, r->etag);
        const char *known = http_header(rq, "If-None-Match");
        if (known != NULL && r->etag[0] != '\0' && reply_etag_matches(known, r->etag, true)) {
            buf_free(&r->body);
            r->fixed = NULL;
            r->fixed_len = 0;
            r->is_gzip = false;
            r->status = 304;
            return;
        }
    }
    if (r->fixed == NULL && !r->is_gzip && r->body.len >= GZIP_MIN_BYTES &&
        is_text_type(r->content_type) && reply_accepts_gzip(http_header(rq, "Accept-Encoding"))) {
        struct buf packed;
        buf_init(&packed, REPLY_MAX_BODY);
        if (reply_gzip(r->body.data, r->body.len, &packed, NULL) == FT_OK) {
            buf_free(&r->body);
            r->body = packed;
            r->is_gzip = true;
        } else {
            buf_free(&packed);
        }
    }
}

static enum MHD_Result send_reply(struct exchange *e)
{
    struct http_reply *r = &e->x.reply;
    struct MHD_Response *response = NULL;
    size_t len = 0;
    if (r->fixed != NULL) {
        len = r->fixed_len;
        response = MHD_create_response_from_buffer(len, (void *)(uintptr_t)r->fixed,
                                                   MHD_RESPMEM_PERSISTENT);
    } else {
        char *data = buf_take(&r->body, &len);
        response = data != NULL && len > 0
                       ? MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE)
                       : MHD_create_response_from_buffer(0, (void *)(uintptr_t) "",
                                                         MHD_RESPMEM_PERSISTENT);
        if (response == NULL || len == 0)
            free(data);
    }
    if (response == NULL)
        return MHD_NO;
    add_headers(e, response);
    pthread_mutex_lock(&e->server->lock);
    const bool is_draining = e->server->is_draining;
    pthread_mutex_unlock(&e->server->lock);
    if (r->is_last || is_draining)
        add_header(response, "Connection", "close");
    e->phase = PHASE_SENT;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(e->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info != NULL)
        reaper_phase(e->server->reaper, info->socket_context, REAPER_REPLY, len);
    const enum MHD_Result result = MHD_queue_response(e->connection, (unsigned)r->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct exchange *e, int status, const char *type, const char *detail)
{
    reply_problem(&e->x.reply, status, type, detail, e->x.request.id);
    e->x.reply.is_last = true;
    return send_reply(e);
}

/* --- requests
 * -------------------------------------------------------------------------------------
 */

static struct reaper_slot *slot_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

/* MHD calls this with the raw target as soon as the request line is read. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct server *s = cls;
    struct exchange *e = calloc(1, sizeof(*e));
    if (e == NULL)
        return NULL;
    e->server = s;
    e->connection = connection;
    e->x.start_s = clock_mono_s();
    e->x.metric = -1;
    e->x.request.body = "";
    reply_init(&e->x.reply);
    buf_init(&e->body, 0);
    e->uri_len = strnlen(uri, sizeof(e->uri) - 1);
    memcpy(e->uri, uri, e->uri_len);
    unsigned char random[8];
    randombytes_buf(random, sizeof(random));
    sodium_bin2hex(e->x.request.id, sizeof(e->x.request.id), random, sizeof(random));
    reaper_phase(s->reaper, slot_of(connection), REAPER_HEADER, 0);
    pthread_mutex_lock(&s->lock);
    s->n_active++;
    pthread_mutex_unlock(&s->lock);
    return e;
}

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    (void)kind;
    struct http_request *rq = cls;
    if (rq->n_headers < GUARD_MAX_HEADERS)
        rq->headers[rq->n_headers] = (struct http_header){name, value != NULL ? value : "",
                                                          name_len, value != NULL ? value_len : 0};
    rq->n_headers++; /* one too many is seen by the guard */
    return MHD_YES;
}

static void take_peer(struct exchange *e)
{
    struct http_request *rq = &e->x.request;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(e->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info == NULL || info->client_addr == NULL)
        return;
    if (info->client_addr->sa_family == AF_INET) {
        struct sockaddr_in a;
        memcpy(&a, info->client_addr, sizeof(a));
        inet_ntop(AF_INET, &a.sin_addr, rq->peer, sizeof(rq->peer));
        rq->is_loopback = ntohl(a.sin_addr.s_addr) >> 24 == 127;
    } else if (info->client_addr->sa_family == AF_INET6) {
        struct sockaddr_in6 a;
        memcpy(&a, info->client_addr, sizeof(a));
        inet_ntop(AF_INET6, &a.sin6_addr, rq->peer, sizeof(rq->peer));
        rq->is_loopback = IN6_IS_ADDR_LOOPBACK(&a.sin6_addr);
    }
}

static void too_large(struct exchange *e)
{
    const bool takes_none = e->x.max_body == 0;
    reply_problem(&e->x.reply, takes_none ? 400 : 413, "body-too-large",
                  takes_none ? "this call takes no body"
                             : "the body is larger than this call takes",
                  e->x.request.id);
    e->is_refused = true;
}

/* Takes n bytes of the body memory for this exchange; false when it is used up. A body always fits
 * when it is the only one. */
static bool hold_body(struct exchange *e, size_t n)
{
    struct server *s = e->server;
    pthread_mutex_lock(&s->lock);
    const bool has_room =
        s->body_bytes == e->n_held || s->body_bytes + n <= s->options.max_body_bytes;
    if (has_room) {
        s->body_bytes += n;
        e->n_held += n;
    } else {
        s->n_full_refused++;
    }
    pthread_mutex_unlock(&s->lock);
    return has_room;
}

static void no_room(struct exchange *e)
{
    reply_problem(&e->x.reply, 503, "busy", "too much is being sent at once; send it again",
                  e->x.request.id);
    e->x.reply.retry_after_s = 1;
    e->is_refused = true;
}

/* The header is complete: guard, address, route. */
static enum MHD_Result on_header(struct exchange *e, const char *method, const char *version)
{
    struct server *s = e->server;
    struct http_request *rq = &e->x.request;
    rq->method = method;
    take_peer(e);
    MHD_get_connection_values_n(e->connection, MHD_HEADER_KIND, take_header, rq);
    const size_t n_headers = rq->n_headers;
    if (rq->n_headers > GUARD_MAX_HEADERS)
        rq->n_headers = GUARD_MAX_HEADERS;
    const struct guard_input in = {.method = method,
                                   .uri = e->uri,
                                   .uri_len = e->uri_len,
                                   .is_http_1_1 = strcmp(version, "HTTP/1.1") == 0,
                                   .headers = rq->headers,
                                   .n_headers = n_headers};
    const char *reason = guard_check(&in);
    struct ft_err err;
    if (reason == NULL && uri_parse(e->uri, e->uri_len, &rq->uri, &err) != FT_OK)
        reason = err.msg;
    if (reason != NULL) {
        pthread_mutex_lock(&s->lock);
        s->n_guard_refused++;
        pthread_mutex_unlock(&s->lock);
        return refuse(e, 400, "malformed-request", reason);
    }
    pthread_mutex_lock(&s->lock);
    const bool is_draining = s->is_draining;
    pthread_mutex_unlock(&s->lock);
    if (is_draining)
        return refuse(e, 503, "stopping", "the server is stopping");
    const char *length_text = http_header(rq, "Content-Length");
    const unsigned long long length = length_text != NULL ? strtoull(length_text, NULL, 10) : 0;
    if (!s->ops.begin(s->ctx, &e->x)) {
        finish_reply(e);
        e->is_refused = true;
    } else if (length > e->x.max_body) {
        too_large(e);
    } else if (length > 0 && !hold_body(e, (size_t)length)) {
        no_room(e);
    }
    if (e->is_refused && length > e->x.max_body + DISCARD_MAX) {
        e->x.reply.is_last = true;
        return send_reply(e);
    }
    buf_init(&e->body, e->x.max_body);
    e->phase = PHASE_BODY;
    reaper_phase(s->reaper, slot_of(e->connection), REAPER_BODY, 0);
    return MHD_YES;
}

static enum MHD_Result on_body(struct exchange *e, const char *data, size_t *len)
{
    reaper_progress(e->server->reaper, slot_of(e->connection), *len);
    if (!e->is_refused && e->body.len + *len > e->x.max_body)
        too_large(e);
    /* A chunked body says its length only as it comes. */
    if (!e->is_refused && e->body.len + *len > e->n_held &&
        !hold_body(e, e->body.len + *len - e->n_held))
        no_room(e);
    if (e->is_refused) {
        buf_free(&e->body);
        e->n_discarded += *len;
        if (e->n_discarded > e->x.max_body + DISCARD_MAX)
            return MHD_NO;
    } else {
        buf_put(&e->body, data, *len);
    }
    *len = 0;
    return MHD_YES;
}

/* Hands a complete request to the workers; false when its line is full. */
static bool enqueue(struct server *s, struct exchange *e)
{
    pthread_mutex_lock(&s->lock);
    struct line *line = &s->lines[e->x.is_ingest];
    const size_t max = e->x.is_ingest ? s->options.max_ingest_queue : s->options.max_queue;
    const bool has_room = line->n < max && !s->is_stopping;
    if (has_room) {
        e->phase = PHASE_WORK;
        e->next = NULL;
        MHD_suspend_connection(e->connection);
        if (line->last != NULL)
            line->last->next = e;
        else
            line->first = e;
        line->last = e;
        line->n++;
        pthread_cond_signal(&s->has_work);
    } else {
        s->n_full_refused++;
    }
    pthread_mutex_unlock(&s->lock);
    return has_room;
}

static enum MHD_Result on_complete_request(struct exchange *e)
{
    struct server *s = e->server;
    if (e->is_refused)
        return send_reply(e);
    if (buf_status(&e->body, NULL) != FT_OK)
        return refuse(e, 503, "no-memory", "memory is short");
    e->x.request.body = e->body.data != NULL ? e->body.data : "";
    e->x.request.body_len = e->body.len;
    reaper_phase(s->reaper, slot_of(e->connection), REAPER_WORK, 0);
    if (e->x.is_inline) {
        s->ops.handle(s->ctx, NULL, &e->x);
        finish_reply(e);
        return send_reply(e);
    }
    if (!enqueue(s, e)) {
        reply_problem(&e->x.reply, 503, "busy", "too many requests are waiting", e->x.request.id);
        e->x.reply.retry_after_s = 1;
        return send_reply(e);
    }
    return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **con_cls)
{
    (void)cls;
    (void)connection;
    (void)url;
    struct exchange *e = *con_cls;
    if (e == NULL) /* no memory at on_uri */
        return MHD_NO;
    switch (e->phase) {
    case PHASE_NEW:
        return on_header(e, method, version);
    case PHASE_BODY:
        return *len > 0 ? on_body(e, data, len) : on_complete_request(e);
    case PHASE_READY:
        return send_reply(e);
    case PHASE_SENT: /* bytes of a body that was refused */
        *len = 0;
        return MHD_YES;
    default:
        return MHD_YES;
    }
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode code)
{
    struct server *s = cls;
    struct exchange *e = *con_cls;
    *con_cls = NULL;
    if (e == NULL)
        return;
    if (e->x.request.method != NULL)
        s->ops.done(s->ctx, &e->x, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    reaper_phase(s->reaper, slot_of(connection), REAPER_IDLE, 0);
    reply_free(&e->x.reply);
    buf_free(&e->body);
    const size_t n_held = e->n_held;
    free(e);
    pthread_mutex_lock(&s->lock);
    s->body_bytes -= n_held;
    s->n_active--;
    pthread_cond_signal(&s->has_ended);
    pthread_mutex_unlock(&s->lock);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct server *s = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *socket_context = info != NULL ? reaper_add(s->reaper, info->connect_fd) : NULL;
    } else {
        reaper_remove(s->reaper, *socket_context);
        *socket_context = NULL;
    }
}

/* The target stays as it came: the router decodes it. */
static size_t no_unescape(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void on_log(void *cls, const char *fmt, va_list ap)
{
    (void)cls;
    char text[400];
    vsnprintf(text, sizeof(text), fmt, ap);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http library: %s", text);
}

/* --- workers
 * --------------------------------------------------------------------------------------
 */

static struct exchange *pop(struct line *line)
{
    struct exchange *e = line->first;
    line->first = e->next;
    if (line->first == NULL)
        line->last = NULL;
    line->n--;
    return e;
}

/* Ordinary requests first; two workers of three or more never take the other sort. When the server
 * stops, all that waits is still answered. */
static struct exchange *next_exchange(struct server *s)
{
    const size_t n = s->options.n_workers;
    const size_t max_ingest = n > 2 ? n - 2 : 1;
    struct exchange *e = NULL;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        if (s->lines[0].n > 0)
            e = pop(&s->lines[0]);
        else if (s->lines[1].n > 0 && (s->n_ingest_running < max_ingest || s->is_stopping))
            e = pop(&s->lines[1]);
        if (e != NULL || s->is_stopping)
            break;
        pthread_cond_wait(&s->has_work, &s->lock);
    }
    if (e != NULL)
        s->n_ingest_running += e->x.is_ingest;
    pthread_mutex_unlock(&s->lock);
    return e;
}

static void end_ingest(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    s->n_ingest_running--;
    if (s->lines[1].n > 0)
        pthread_cond_signal(&s->has_work);
    pthread_mutex_unlock(&s->lock);
}

static void *worker_main(void *arg)
{
    struct server *s = arg;
    void *worker = NULL;
    struct ft_err err = {FT_OK, ""};
    const enum ft_status st = s->ops.worker_new(s->ctx, &worker, &err);
    pthread_mutex_lock(&s->lock);
    s->n_ready++;
    if (st != FT_OK)
        s->worker_err = err;
    pthread_cond_signal(&s->has_ended);
    pthread_mutex_unlock(&s->lock);
    if (st != FT_OK)
        return NULL;
    for (struct exchange *e = next_exchange(s); e != NULL; e = next_exchange(s)) {
        const bool is_ingest = e->x.is_ingest;
        s->ops.handle(s->ctx, worker, &e->x);
        finish_reply(e);
        e->phase = PHASE_READY;
        MHD_resume_connection(e->connection); /* from here on e may be gone */
        if (is_ingest)
            end_ingest(s);
    }
    s->ops.worker_free(s->ctx, worker);
    return NULL;
}

static enum ft_status start_workers(struct server *s, struct ft_err *err)
{
    s->workers = calloc(s->options.n_workers, sizeof(*s->workers));
    if (s->workers == NULL)
        return ft_fail(err, FT_NOMEM, "server: no memory for %u workers", s->options.n_workers);
    for (; s->n_workers < s->options.n_workers; s->n_workers++)
        if (pthread_create(&s->workers[s->n_workers], NULL, worker_main, s) != 0)
            return ft_fail(err, FT_IO, "server: no thread for worker %zu", s->n_workers);
    pthread_mutex_lock(&s->lock);
    while (s->n_ready < s->n_workers)
        pthread_cond_wait(&s->has_ended, &s->lock);
    const struct ft_err first = s->worker_err;
    pthread_mutex_unlock(&s->lock);
    return first.code != FT_OK ? ft_fail(err, first.code, "%s", first.msg) : FT_OK;
}

static void stop_workers(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    s->is_stopping = true;
    pthread_cond_broadcast(&s->has_work);
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < s->n_workers; i++)
        pthread_join(s->workers[i], NULL);
    free(s->workers);
    s->workers = NULL;
    s->n_workers = 0;
}

/* --- start and stop
 * -------------------------------------------------------------------------------
 */

/* One try to bind; -1 with errno. */
static int bind_port(const struct addrinfo *a, int port, int *bound)
{
    struct sockaddr_storage addr;
    memcpy(&addr, a->ai_addr, a->ai_addrlen);
    if (a->ai_family == AF_INET6)
        ((struct sockaddr_in6 *)&addr)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)&addr)->sin_port = htons((uint16_t)port);
    const int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    const int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    socklen_t len = sizeof(addr);
    if (bind(fd, (struct sockaddr *)&addr, a->ai_addrlen) != 0 || listen(fd, 512) != 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &len) != 0) {
        const int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    *bound = ntohs(a->ai_family == AF_INET6 ? ((struct sockaddr_in6 *)&addr)->sin6_port
                                            : ((struct sockaddr_in *)&addr)->sin_port);
    return fd;
}

static enum ft_status open_socket(struct server *s, struct ft_err *err)
{
    const struct server_options *o = &s->options;
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *a = NULL;
    if (getaddrinfo(o->host, NULL, &hints, &a) != 0)
        return ft_fail(err, FT_INVALID, "listen: %.60s is not an IP address", o->host);
    const int last = o->use_next_port && o->port != 0 ? o->port + 50 : o->port;
    for (int port = o->port; port <= last && port <= 65535 && s->listen_fd < 0; port++) {
        s->listen_fd = bind_port(a, port, &s->port);
        if (s->listen_fd < 0 && errno != EADDRINUSE)
            break;
    }
    const int reason = errno;
    freeaddrinfo(a);
    if (s->listen_fd >= 0)
        return FT_OK;
    if (reason == EADDRINUSE)
        return ft_fail(
            err, FT_BUSY,
            "listen on %.60s:%d: the port is taken; --listen chooses another, --next-port "
            "looks for a free one",
            o->host, o->port);
    return ft_fail(err, FT_IO, "listen on %.60s:%d: %s", o->host, o->port, strerror(reason));
}

static enum ft_status start_daemon(struct server *s, struct ft_err *err)
{
    const struct server_options *o = &s->options;
    struct MHD_OptionItem extra[4] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    if (o->tls_cert != NULL) {
        flags |= MHD_USE_TLS;
        extra[0] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)o->tls_cert};
        extra[1] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)o->tls_key};
        extra[2] = (struct MHD_OptionItem){
            MHD_OPTION_HTTPS_PRIORITIES, 0,
            (void *)(uintptr_t) "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:"
                                "+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-RSA"};
        extra[3] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
        s->is_tls = true;
    }
    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, s->listen_fd, MHD_OPTION_THREAD_POOL_SIZE, o->n_event_threads,
        MHD_OPTION_CONNECTION_LIMIT, o->max_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        o->max_connections_per_address, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)o->idle_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)32768, MHD_OPTION_STRICT_FOR_CLIENT, 0,
        MHD_OPTION_URI_LOG_CALLBACK, on_uri, s, MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
        s, MHD_OPTION_ARRAY, extra, MHD_OPTION_END);
    if (s->daemon == NULL)
        return ft_fail(err, s->is_tls ? FT_INVALID : FT_IO,
                       s->is_tls
                           ? "server: TLS does not start; are tls_cert and tls_key a PEM pair?"
                           : "server: the HTTP library does not start");
    return FT_OK;
}

enum ft_status server_start(const struct server_options *options, const struct server_ops *ops,
                            void *ctx, struct server **out, struct ft_err *err)
{
    *out = NULL;
    struct server *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return ft_fail(err, FT_NOMEM, "server: no memory");
    s->options = *options;
    s->ops = *ops;
    s->ctx = ctx;
    s->listen_fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->has_work, NULL);
    pthread_cond_init(&s->has_ended, NULL);
    const struct reaper_limits limits = {.header_s = options->header_s,
                                         .idle_s = options->idle_s,
                                         .body_grace_s = BODY_GRACE_S,
                                         .reply_grace_s = REPLY_GRACE_S,
                                         .bytes_per_s = MIN_BYTES_PER_S};
    enum ft_status st = open_socket(s, err);
    if (st == FT_OK)
        st = reaper_new(&limits, &s->reaper, err);
    if (st == FT_OK)
        st = start_workers(s, err);
    if (st == FT_OK)
        st = start_daemon(s, err);
    if (st != FT_OK) {
        server_stop(s, 0);
        return st;
    }
    *out = s;
    return FT_OK;
}

int server_port(const struct server *s)
{
    return s->port;
}

void server_stats(struct server *s, struct server_stats *out)
{
    pthread_mutex_lock(&s->lock);
    out->n_queued = s->lines[0].n + s->lines[1].n;
    out->n_ingest_queued = s->lines[1].n;
    out->n_active = s->n_active;
    out->body_bytes = s->body_bytes;
    out->n_guard_refused = s->n_guard_refused;
    out->n_full_refused = s->n_full_refused;
    pthread_mutex_unlock(&s->lock);
    out->n_open = reaper_n_open(s->reaper);
    out->n_slow_ended = reaper_n_ended(s->reaper);
}

/* Waits until no exchange runs, at most grace_s. */
static void drain(struct server *s, double grace_s)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)grace_s;
    pthread_mutex_lock(&s->lock);
    s->is_draining = true;
    while (s->n_active > 0 && pthread_cond_timedwait(&s->has_ended, &s->lock, &until) == 0)
        continue;
    if (s->n_active > 0)
        log_warn("stop: %zu requests did not end in time", s->n_active);
    pthread_mutex_unlock(&s->lock);
}

void server_stop(struct server *s, double grace_s)
{
    if (s == NULL)
        return;
    if (s->daemon != NULL) {
        /* New clients are refused from here on; the daemon's thread may still name the socket, so
         * it is closed after the daemon. */
        const int fd = MHD_quiesce_daemon(s->daemon);
        if (fd >= 0) {
            s->listen_fd = fd;
            (void)shutdown(fd, SHUT_RDWR);
        }
        drain(s, grace_s);
    }
    /* Workers first: they end what is queued and resume every connection, as MHD wants. */
    stop_workers(s);
    if (s->daemon != NULL)
        MHD_stop_daemon(s->daemon);
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    reaper_free(s->reaper);
    pthread_cond_destroy(&s->has_work);
    pthread_cond_destroy(&s->has_ended);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
