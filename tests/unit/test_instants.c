#include "tests/test.h"

#include "app/base/instants.h"

static void test_instants_before_counts(void **state)
{
    static const int64_t ts_ms[] = {-5, 0, 7, 8, 100};
    (void)state;
    for (size_t n = 0; n <= 5; n++)
        for (int64_t at_ms = -7; at_ms < 103; at_ms++) {
            size_t want = 0;
            for (size_t i = 0; i < n; i++)
                want += ts_ms[i] < at_ms;
            assert_int_equal(instants_before(ts_ms, n, at_ms), want);
        }
    assert_int_equal(instants_before(ts_ms, 5, INT64_MIN), 0);
    assert_int_equal(instants_before(ts_ms, 5, INT64_MAX), 5);
    assert_int_equal(instants_before(NULL, 0, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_instants_before_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
