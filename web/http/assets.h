/* The dashboard's files: embedded in the program, compressed once at start, or read from a folder
 * while editing (--web-root). */
#ifndef WEB_HTTP_ASSETS_H
#define WEB_HTTP_ASSETS_H

#include "app/base/status.h"
#include "web/http/server.h"

#include <stdbool.h>

struct assets;

/* web_root NULL: the embedded files. */
enum ft_status assets_new(const char *web_root, struct assets **out, struct ft_err *err);
void assets_free(struct assets *a);

/* Answers GET and HEAD of "/", "/static/<file>", "/favicon.ico" and every page of the dashboard
 * (which all are index.html: the page reads the address itself). False: not one of these. Never
 * touches the database; quick enough for an event thread. */
bool assets_serve(struct assets *a, const struct http_request *rq, struct http_reply *reply);

/* Is it an address that assets_serve() answers? */
bool assets_has(const struct assets *a, const struct uri *uri);

#endif
