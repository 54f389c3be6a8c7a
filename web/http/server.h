/* The HTTP server on libmicrohttpd. A few event threads read requests (guard, limits) and a pool of
 * workers answers them, so a slow handler never holds up another connection: the connection is
 * suspended while its request waits in a bounded queue. */
#ifndef WEB_HTTP_SERVER_H
#define WEB_HTTP_SERVER_H

#include "app/base/status.h"
#include "web/http/guard.h"
#include "web/http/reply.h"
#include "web/http/router.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_request {
    const char *method;
    struct uri uri;
    size_t n_headers;
    struct http_header headers[GUARD_MAX_HEADERS]; /* NUL-terminated strings */
    const char *body;                              /* NUL-terminated; "" when there is none */
    size_t body_len;
    char id[17];   /* hex, for logs and problem bodies */
    char peer[64]; /* address of the client, without port */
    bool is_loopback;
};

/* First header of that name, or NULL. */
const char *http_header(const struct http_request *rq, const char *name);

struct http_exchange {
    struct http_request request;
    struct http_reply reply;
    /* Set by begin(): */
    size_t max_body;          /* in bytes */
    bool is_inline;           /* answer on the event thread: for what never waits */
    bool is_ingest;           /* brings readings: waits in a line of its own */
    struct route_match route; /* for the handler */
    int metric;               /* row of the metrics */
    double start_s;           /* monotonic */
};

struct server_ops {
    /* The header is here and sound. Fills reply and returns false to refuse before the body. */
    bool (*begin)(void *ctx, struct http_exchange *x);
    /* The whole request is here; fills reply. worker is NULL for an inline exchange. */
    void (*handle)(void *ctx, void *worker, struct http_exchange *x);
    /* The reply was sent (or the client is gone). */
    void (*done)(void *ctx, const struct http_exchange *x, bool is_complete);
    /* State of one worker thread, made and freed on that thread. FT_OK or the server will not
     * start. */
    enum ft_status (*worker_new)(void *ctx, void **worker, struct ft_err *err);
    void (*worker_free)(void *ctx, void *worker);
};

struct server_options {
    const char *host;               /* "127.0.0.1", "::1", "0.0.0.0" */
    int port;                       /* 0 = any free one */
    bool use_next_port;             /* try up to 50 ports further when it is taken */
    const char *tls_cert, *tls_key; /* PEM texts; NULL = plain HTTP */
    unsigned n_event_threads, n_workers;
    unsigned max_connections, max_connections_per_address;
    unsigned max_queue; /* requests waiting for a worker; more are answered 503 */
    /* Requests that bring readings have a line of their own and leave two workers (of three or
     * more) to the others, so that reading goes on while the disk is slow. */
    unsigned max_ingest_queue;
    size_t max_body_bytes; /* bodies held at once; a request beyond is answered 503 */
    double header_s, idle_s;
};

struct server;

/* Listens and serves. FT_BUSY: the port is taken; FT_INVALID: bad address or certificate. */
enum ft_status server_start(const struct server_options *options, const struct server_ops *ops,
                            void *ctx, struct server **out, struct ft_err *err);
int server_port(const struct server *s);

struct server_stats {
    size_t n_open, n_queued, n_active;
    size_t n_ingest_queued;
    size_t body_bytes; /* held now */
    int64_t n_slow_ended, n_guard_refused;
    int64_t n_full_refused; /* answered 503 because a line or the memory was full */
};
void server_stats(struct server *s, struct server_stats *out);

/* Stops accepting, lets running exchanges end for up to grace_s, then closes everything and frees.
 * NULL is fine. */
void server_stop(struct server *s, double grace_s);

#endif
