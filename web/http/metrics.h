/* Counters of requests by route and status class, and a histogram of latency, as Prometheus text.
 * Labels are bounded: the route's pattern, never the path. Lock-free; any thread. */
#ifndef WEB_HTTP_METRICS_H
#define WEB_HTTP_METRICS_H

#include "app/base/buf.h"
#include "app/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct metrics;

/* n_rows routes. FT_NOMEM. */
enum ft_status metrics_new(size_t n_rows, struct metrics **out, struct ft_err *err);
void metrics_free(struct metrics *m);

/* row -1: no route (static files, 404, refused). */
void metrics_count(struct metrics *m, int row, int status, double seconds);

/* Appends fettle_http_requests_total and fettle_http_request_duration_seconds; label(ctx, row)
 * names a row as "GET /api/v1/assets/{key}". */
void metrics_print(struct metrics *m, const char *(*method)(size_t row),
                   const char *(*pattern)(size_t row), struct buf *out);

#endif
