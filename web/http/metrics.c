#include "web/http/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { N_CLASSES = 5, N_BOUNDS = 12 };
static const double bounds_s[N_BOUNDS] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                          0.1,   0.25,   0.5,   1.0,  2.5,   10.0};

struct row {
    atomic_llong by_class[N_CLASSES]; /* 1xx .. 5xx */
};

struct metrics {
    size_t n_rows;
    atomic_llong buckets[N_BOUNDS + 1];
    atomic_llong total_us;
    struct row rows[]; /* the last one: no route */
};

enum ft_status metrics_new(size_t n_rows, struct metrics **out, struct ft_err *err)
{
    *out = calloc(1, sizeof(**out) + (n_rows + 1) * sizeof(struct row));
    if (*out == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for the metrics");
    (*out)->n_rows = n_rows;
    return FT_OK;
}

void metrics_free(struct metrics *m)
{
    free(m);
}

void metrics_count(struct metrics *m, int row, int status, double seconds)
{
    const size_t i = row >= 0 && (size_t)row < m->n_rows ? (size_t)row : m->n_rows;
    const int class_ = status >= 100 && status < 600 ? status / 100 - 1 : N_CLASSES - 1;
    atomic_fetch_add_explicit(&m->rows[i].by_class[class_], 1, memory_order_relaxed);
    size_t b = 0;
    while (b < N_BOUNDS && seconds > bounds_s[b])
        b++;
    atomic_fetch_add_explicit(&m->buckets[b], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&m->total_us, (long long)(seconds * 1e6), memory_order_relaxed);
}

void metrics_print(struct metrics *m, const char *(*method)(size_t row),
                   const char *(*pattern)(size_t row), struct buf *out)
{
    buf_puts(out, "# HELP fettle_http_requests_total Requests answered.\n"
                  "# TYPE fettle_http_requests_total counter\n");
    for (size_t i = 0; i <= m->n_rows; i++) {
        for (int c = 0; c < N_CLASSES; c++) {
            const long long n = atomic_load(&m->rows[i].by_class[c]);
            if (n == 0)
                continue;
            buf_printf(out,
                       "fettle_http_requests_total{method=\"%s\",route=\"%s\",status=\"%dxx\"} "
                       "%lld\n",
                       i < m->n_rows ? method(i) : "", i < m->n_rows ? pattern(i) : "other", c + 1,
                       n);
        }
    }
    buf_puts(out, "# HELP fettle_http_request_duration_seconds Time from request line to reply.\n"
                  "# TYPE fettle_http_request_duration_seconds histogram\n");
    long long n = 0;
    for (size_t b = 0; b < N_BOUNDS; b++) {
        n += atomic_load(&m->buckets[b]);
        buf_printf(out, "fettle_http_request_duration_seconds_bucket{le=\"%g\"} %lld\n",
                   bounds_s[b], n);
    }
    n += atomic_load(&m->buckets[N_BOUNDS]);
    buf_printf(out,
               "fettle_http_request_duration_seconds_bucket{le=\"+Inf\"} %lld\n"
               "fettle_http_request_duration_seconds_sum %g\n"
               "fettle_http_request_duration_seconds_count %lld\n",
               n, (double)atomic_load(&m->total_us) / 1e6, n);
}
