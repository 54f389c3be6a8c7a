/* What a handler answers: status, body, headers. Problem bodies follow RFC 9457. The server adds
 * the security headers, the request id, ETag handling and compression. */
#ifndef WEB_HTTP_REPLY_H
#define WEB_HTTP_REPLY_H

#include "app/base/buf.h"
#include "app/base/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define REPLY_MAX_BODY ((size_t)256 << 20)

struct http_reply {
    int status; /* 0 = nothing answered yet */
    const char *content_type;
    struct buf body;            /* owned */
    const unsigned char *fixed; /* a body that outlives the server instead of body; NULL = none */
    size_t fixed_len;
    char etag[80];             /* with its quotes; "" = none */
    const char *cache_control; /* NULL = "no-store" for errors, "no-cache" else */
    char location[512];        /* "" = none */
    char link[2600];           /* Link header; "" = none */
    char disposition[200];     /* file name for a download; "" = none */
    char allow[80];            /* "" = none */
    const char *extra[2];      /* name and value of one more header; NULL = none */
    int retry_after_s;         /* 0 = none */
    bool is_gzip;              /* the body is compressed already */
    bool is_last;              /* end the connection after it */
    bool is_replayed;          /* an answer kept for an Idempotency-Key */
};

void reply_init(struct http_reply *r);
void reply_free(struct http_reply *r);

/* JSON of value in one line; value stays the caller's. */
enum ft_status reply_json(struct http_reply *r, int status, const cJSON *value, struct ft_err *err);
/* Copies text. */
void reply_text(struct http_reply *r, int status, const char *content_type, const char *text);

/* HTTP status of an ft_status: the one place that maps them. */
int reply_status_of(enum ft_status st);

/* Problem body. type is a stable short word ("not-found"): its URI is "/problems/<type>". detail
 * may begin with a JSON pointer ("/items/3/value: ..."), which then appears in errors[]. Replaces
 * whatever the reply held. request_id may be NULL. */
void reply_problem(struct http_reply *r, int status, const char *type, const char *detail,
                   const char *request_id);
/* The same for a failed call; http_status 0 = reply_status_of(err->code). */
void reply_error(struct http_reply *r, int http_status, const struct ft_err *err,
                 const char *request_id);

/* Makes CSV of a list body: one line of names (keys of the first item that are not objects or
 * arrays, nested objects flattened with "_"), then a line an item. */
enum ft_status reply_csv(struct http_reply *r, const cJSON *items, struct ft_err *err);

/* Strong ETag from bytes: the first 128 bits of their BLAKE2b. */
void reply_hash_etag(const void *data, size_t len, char out[80]);

/* Does an If-None-Match or If-Match header value name this tag? "*" fits all; is_weak ignores W/.
 */
bool reply_etag_matches(const char *header, const char *etag, bool is_weak);

/* Does an Accept header prefer this media type ("text/csv") over JSON? NULL header: no. */
bool reply_accepts(const char *accept, const char *type);
/* Does Accept-Encoding allow gzip (not with q=0)? */
bool reply_accepts_gzip(const char *accept_encoding);

/* Compresses into out (gzip container). FT_NOMEM; FT_INTERNAL. */
enum ft_status reply_gzip(const void *data, size_t len, struct buf *out, struct ft_err *err);

#endif
