/* What measure() adds: the metrics of metrics.h by name, intervals by group, curves of lives. */
#include "tests/test.h"

#include "app/base/rng.h"
#include "app/measure.h"
#include "models/metrics.h"

#include <stdlib.h>

enum { N = 600 };

static struct ft_err err;

static double number_of(const cJSON *object, const char *key)
{
    double v = NAN;
    assert_non_null(object);
    assert_ok(json_number(object, key, true, &v, &err), err);
    return v;
}

static cJSON *measured(const struct measure_rows *rows, size_t n_repeats)
{
    struct pool *pool;
    cJSON *out = cJSON_CreateObject();
    const struct measure_options options = {.n_repeats = n_repeats, .level = 0.9, .seed = 3};
    assert_ok(pool_new(2, &pool, &err), err);
    assert_ok(measure(rows, &options, pool, out, &err), err);
    pool_free(pool);
    return out;
}

static void test_measure_classes(void **state)
{
    double p[N], y[N];
    size_t group[N];
    for (size_t i = 0; i < N; i++) {
        p[i] = rng_uniform(1, 0, i);
        y[i] = rng_uniform(1, 1, i) < p[i];
        group[i] = i / 6;
    }
    struct measure_rows rows = {
        .task = TASK_CLASSIFY, .n = N, .p = p, .y = y, .group = group, .quantile = NAN};
    cJSON *out = measured(&rows, 100);
    const cJSON *metrics = json_get(out, "metrics"), *intervals = json_get(out, "intervals");
    assert_close(number_of(metrics, "auc"), metric_roc_auc(p, y, NULL, N), 0);
    assert_close(number_of(metrics, "brier"), metric_brier(p, y, NULL, N), 0);
    assert_close(number_of(intervals, "groups"), 100, 0);
    const cJSON *limits = json_get(intervals, "auc");
    assert_true(cJSON_GetArrayItem(limits, 0)->valuedouble < number_of(metrics, "auc"));
    assert_true(cJSON_GetArrayItem(limits, 1)->valuedouble > number_of(metrics, "auc"));
    assert_int_equal(cJSON_GetArraySize(json_get(out, "calibration_table")), 10);
    cJSON_Delete(out);
    out = measured(&rows, 0);
    assert_null(json_get(out, "intervals"));
    cJSON_Delete(out);
    rows.n = 0; /* no row has a label */
    out = measured(&rows, MEASURE_AUTO);
    assert_int_equal(cJSON_GetArraySize(json_get(out, "metrics")), 0);
    cJSON_Delete(out);
}

static void test_measure_values(void **state)
{
    double p[N], y[N];
    for (size_t i = 0; i < N; i++) {
        p[i] = rng_normal(1, 0, i);
        y[i] = p[i] + rng_normal(1, 1, i);
    }
    struct measure_rows rows = {.task = TASK_REGRESS, .n = N, .p = p, .y = y, .quantile = 0.3};
    cJSON *out = measured(&rows, MEASURE_AUTO);
    const cJSON *metrics = json_get(out, "metrics");
    assert_close(number_of(metrics, "rmse"), metric_rmse(p, y, NULL, N), 0);
    assert_close(number_of(metrics, "pinball"), metric_pinball(p, y, NULL, N, 0.3), 0);
    assert_non_null(json_get(json_get(out, "intervals"), "pinball"));
    assert_close(number_of(json_get(out, "intervals"), "repeats"), MEASURE_REPEATS, 0);
    cJSON_Delete(out);
}

static void test_measure_lives(void **state)
{
    static double curve[N * MEASURE_N_TIMES];
    double p[N], y[N], times[MEASURE_N_TIMES];
    bool failed[N];
    for (size_t i = 0; i < N; i++) {
        const double rate = exp(rng_normal(1, 0, i)), end = 1 + 3 * rng_uniform(1, 2, i);
        const double life = -log(1 - rng_uniform(1, 1, i)) / rate;
        p[i] = log(rate);
        y[i] = fmin(life, end) + 1e-9;
        failed[i] = life <= end;
    }
    struct measure_rows rows = {
        .task = TASK_SURVIVAL, .n = N, .p = p, .y = y, .failed = failed, .quantile = NAN};
    rows.times = times;
    rows.curve = curve;
    rows.n_times = measure_times(y, failed, N, times);
    assert_int_equal(rows.n_times, MEASURE_N_TIMES);
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < MEASURE_N_TIMES; k++)
            curve[i * MEASURE_N_TIMES + k] = 1 - exp(-times[k] * exp(p[i]));
    cJSON *out = measured(&rows, 20);
    const cJSON *metrics = json_get(out, "metrics");
    assert_close(number_of(metrics, "concordance"), metric_concordance(p, y, failed, N), 0);
    assert_true(number_of(metrics, "brier_integrated") < 0.2); /* 0.25 knows nothing */
    assert_int_equal(cJSON_GetArraySize(json_get(json_get(out, "over_time"), "auc")),
                     MEASURE_N_TIMES);
    cJSON_Delete(out);
    for (size_t i = 9; i < N; i++) /* nine failures are too few to choose instants by */
        failed[i] = false;
    for (size_t i = 0; i < 9; i++)
        failed[i] = true;
    assert_int_equal(measure_times(y, failed, N, times), 0);
    y[0] = 0;
    out = cJSON_CreateObject();
    const struct measure_options options = {.n_repeats = 0, .level = 0.9};
    assert_int_equal(measure(&rows, &options, NULL, out, &err), FT_INVALID);
    cJSON_Delete(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_measure_classes),
        cmocka_unit_test(test_measure_values),
        cmocka_unit_test(test_measure_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
