/* Request targets and routes: percent-decoding, query parameters, and the match of method and path
 * against a table of rows such as {"GET", "/api/v1/assets/{key}"}. */
#ifndef WEB_HTTP_ROUTER_H
#define WEB_HTTP_ROUTER_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>

#define URI_MAX 8192
#define URI_MAX_SEGMENTS 12
#define URI_MAX_QUERY 32

/* A parsed target. All pointers point into storage. */
struct uri {
    size_t n_segments;
    const char *segments[URI_MAX_SEGMENTS]; /* decoded, without slashes between */
    size_t n_query;
    struct {
        const char *name, *value; /* decoded; value is "" when there is no = */
    } query[URI_MAX_QUERY];
    char storage[URI_MAX + 1];
};

/* Splits and decodes. FT_INVALID: not a path, bad %xx, a decoded control byte, text that is not
 * UTF-8, too many segments or parameters, or a parameter that occurs twice. */
enum ft_status uri_parse(const char *raw, size_t len, struct uri *out, struct ft_err *err);

/* Value of a query parameter, or NULL. */
const char *uri_query(const struct uri *uri, const char *name);

struct route_key {
    const char *method;  /* NULL ends a table */
    const char *pattern; /* "/a/{name}/b"; literals win over names at the same place */
};

#define ROUTE_MAX_PARAMS 3
struct route_match {
    size_t row;
    size_t n_params;
    const char *params[ROUTE_MAX_PARAMS]; /* decoded, in order; never empty */
};

enum route_verdict { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD };

/* Finds the row; the table's rows are stride bytes apart and begin with a struct route_key. HEAD is
 * served by a GET row. ROUTE_NO_METHOD writes the methods that the path has into allow, as in
 * "GET, HEAD, PATCH". */
enum route_verdict route_find(const struct route_key *table, size_t stride, size_t n_rows,
                              const char *method, const struct uri *uri, struct route_match *out,
                              char *allow, size_t allow_size);

#endif
