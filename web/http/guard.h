/* First look at a request: refuses what a correct client never sends and what two programs on the
 * way could read differently (request smuggling). Pure functions; the answer to a refusal is always
 * 400 and the end of the connection. */
#ifndef WEB_HTTP_GUARD_H
#define WEB_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#define GUARD_MAX_URI 8192
#define GUARD_MAX_HEADERS 64

struct http_header {
    const char *name, *value; /* not NUL-terminated for the guard: the lengths count */
    size_t name_len, value_len;
};

struct guard_input {
    const char *method;
    const char *uri; /* raw request target */
    size_t uri_len;
    bool is_http_1_1;
    const struct http_header *headers;
    size_t n_headers; /* may exceed GUARD_MAX_HEADERS: then headers holds only the first ones */
};

/* NULL when the request may go on, else the reason in plain words (static storage). */
const char *guard_check(const struct guard_input *in);

/* Case-insensitive comparison of a header name of len bytes with an ASCII name. */
bool guard_is_name(const char *name, size_t len, const char *wanted);

#endif
