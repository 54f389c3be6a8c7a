#include "tests/test.h"

#include "app/base/clock.h"
#include "app/data_quality.h"

enum { N = 200 };

static void fill(int64_t *ts_ms, double *value)
{
    for (int i = 0; i < N; i++) {
        ts_ms[i] = i * MS_PER_HOUR;
        value[i] = i % 9;
    }
}

static struct sensor_quality judge(const int64_t *ts_ms, const double *value, size_t n)
{
    struct sensor_quality q;
    struct ft_err err;
    assert_ok(sensor_quality_of(ts_ms, value, n, &q, &err), err);
    return q;
}

static void test_sensor_quality_of_healthy(void **state)
{
    int64_t ts_ms[N];
    double value[N];
    fill(ts_ms, value);
    const struct sensor_quality q = judge(ts_ms, value, N);
    assert_int_equal(q.n_gaps, 0);
    assert_int_equal(q.stuck_to_ms, 0);
    assert_false(q.is_constant);
    assert_int_equal(q.interval_ms, MS_PER_HOUR);
    assert_int_equal(q.last_ms, (N - 1) * MS_PER_HOUR);
}

static void test_sensor_quality_of_stuck_and_constant(void **state)
{
    int64_t ts_ms[N];
    double value[N];
    fill(ts_ms, value);
    for (int i = 50; i < 74; i++) /* 24 readings, but 23 hours: not yet a day */
        value[i] = 100;
    assert_int_equal(judge(ts_ms, value, N).stuck_to_ms, 0);
    value[74] = 100;
    struct sensor_quality q = judge(ts_ms, value, N);
    assert_int_equal(q.stuck_from_ms, 50 * MS_PER_HOUR);
    assert_int_equal(q.stuck_to_ms, 74 * MS_PER_HOUR);
    assert_close(q.stuck_value, 100, 0);
    assert_false(q.is_constant);
    for (int i = 0; i < N; i++)
        value[i] = NAN;
    q = judge(ts_ms, value, N);
    assert_true(q.is_constant);
}

static void test_sensor_quality_of_gaps(void **state)
{
    int64_t ts_ms[N];
    double value[N];
    fill(ts_ms, value);
    for (int i = 100; i < N; i++)
        ts_ms[i] += 9 * MS_PER_HOUR; /* ten intervals: just not a gap */
    assert_int_equal(judge(ts_ms, value, N).n_gaps, 0);
    for (int i = 100; i < N; i++)
        ts_ms[i] += MS_PER_HOUR;
    const struct sensor_quality q = judge(ts_ms, value, N);
    assert_int_equal(q.n_gaps, 1);
    assert_int_equal(q.gap_from_ms, 99 * MS_PER_HOUR);
    assert_int_equal(q.longest_gap_ms, 11 * MS_PER_HOUR);
}

static void test_sensor_quality_of_few(void **state)
{
    const int64_t ts_ms[] = {5, 9};
    const double value[] = {1, 2};
    assert_int_equal(judge(ts_ms, value, 0).n, 0);
    assert_true(judge(ts_ms, value, 1).is_constant);
    assert_int_equal(judge(ts_ms, value, 2).n_gaps, 0);
}

/* A coarse scale that rests at a level is not stuck. */
static void test_sensor_quality_of_few_levels(void **state)
{
    static int64_t ts_ms[N];
    static double value[N];
    for (size_t i = 0; i < N; i++) {
        ts_ms[i] = (int64_t)i * MS_PER_HOUR;
        value[i] = i < N / 2 ? 21.60 : 21.61;
    }
    const struct sensor_quality q = judge(ts_ms, value, N);
    assert_false(q.is_constant);
    assert_int_equal(q.stuck_to_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sensor_quality_of_healthy),
        cmocka_unit_test(test_sensor_quality_of_stuck_and_constant),
        cmocka_unit_test(test_sensor_quality_of_few_levels),
        cmocka_unit_test(test_sensor_quality_of_gaps),
        cmocka_unit_test(test_sensor_quality_of_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
