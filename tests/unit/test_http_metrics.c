#include "tests/test.h"

#include "web/http/metrics.h"

#include <pthread.h>

static const char *method(size_t row)
{
    return row == 0 ? "GET" : "POST";
}

static const char *pattern(size_t row)
{
    return row == 0 ? "/api/v1/assets/{key}" : "/api/v1/readings";
}

static void assert_has(const struct buf *text, const char *line)
{
    if (strstr(text->data, line) == NULL)
        fail_msg("'%s' is missing in:\n%s", line, text->data);
}

static void test_metrics_print_counts_and_latency(void **state)
{
    struct metrics *m;
    struct ft_err err;
    struct buf out;
    (void)state;
    assert_ok(metrics_new(2, &m, &err), err);
    metrics_count(m, 0, 200, 0.0005);
    metrics_count(m, 0, 204, 0.001); /* a bucket's upper end belongs to it */
    metrics_count(m, 0, 404, 0.0011);
    metrics_count(m, 1, 503, 20);
    metrics_count(m, -1, 404, 0.2); /* no route: static files, unknown paths */
    metrics_count(m, 7, 999, 0.2);  /* neither a row nor a status: counted all the same */
    buf_init(&out, 1 << 16);
    metrics_print(m, method, pattern, &out);
    buf_puts(&out, "");
    assert_has(&out, "total{method=\"GET\",route=\"/api/v1/assets/{key}\",status=\"2xx\"} 2\n");
    assert_has(&out, "total{method=\"GET\",route=\"/api/v1/assets/{key}\",status=\"4xx\"} 1\n");
    assert_has(&out, "total{method=\"POST\",route=\"/api/v1/readings\",status=\"5xx\"} 1\n");
    assert_has(&out, "route=\"other\",status=\"4xx\"} 1\n");
    assert_has(&out, "route=\"other\",status=\"5xx\"} 1\n");
    assert_null(strstr(out.data, "status=\"3xx\"")); /* what never happened has no line */
    assert_has(&out, "bucket{le=\"0.001\"} 2\n");
    assert_has(&out, "bucket{le=\"0.0025\"} 3\n");
    assert_has(&out, "bucket{le=\"10\"} 5\n");
    assert_has(&out, "bucket{le=\"+Inf\"} 6\n");
    assert_has(&out, "seconds_count 6\n");
    buf_free(&out);
    metrics_free(m);
}

enum { N_THREADS = 4, N_EACH = 2000 };

static void *count_many(void *arg)
{
    for (int i = 0; i < N_EACH; i++)
        metrics_count(arg, 1, 201, 0.002);
    return NULL;
}

static void test_metrics_count_from_many_threads(void **state)
{
    pthread_t threads[N_THREADS];
    struct metrics *m;
    struct ft_err err;
    struct buf out;
    char want[64];
    (void)state;
    assert_ok(metrics_new(2, &m, &err), err);
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, m), 0);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    buf_init(&out, 1 << 16);
    metrics_print(m, method, pattern, &out);
    buf_puts(&out, "");
    snprintf(want, sizeof(want), "status=\"2xx\"} %d\n", N_THREADS * N_EACH);
    assert_has(&out, want);
    buf_free(&out);
    metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics_print_counts_and_latency),
        cmocka_unit_test(test_metrics_count_from_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
