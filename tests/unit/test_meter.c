#include "tests/test.h"

#include "app/base/rng.h"
#include "app/meter.h"

#include <math.h>

static void test_meter_step(void **state)
{
    assert_close(meter_step(10, 12.5, NAN), 2.5, 0);
    assert_close(meter_step(99998, 3, 100000), 5, 0);         /* rolls over */
    assert_close(meter_step(99998, 3, NAN), 3, 0);            /* a new counter that began at 0 */
    assert_close(meter_step(40000, 3, 100000), 3, 0);         /* not from the upper half */
    assert_close(meter_step(99998, 60000, 100000), 60000, 0); /* nor to the lower one */
    assert_close(meter_step(1000, 999, NAN), 0, 0);           /* a correction */
    assert_close(meter_step(150000, 3, 100000), 3, 0);        /* never was a five-digit counter */
}

static void test_meter_unroll(void **state)
{
    const double value[] = {99990, 99998, 3, 10, 9.5, 12};
    double total[6];
    meter_unroll(value, 6, 100000, total);
    const double want[] = {99990, 99998, 100003, 100010, 100010, 100012.5};
    for (int i = 0; i < 6; i++)
        assert_close(total[i], want[i], 1e-9);
    meter_unroll(value, 0, NAN, total);
}

/* A counter that never falls stays as it is, bit for bit; one of few digits gives back the use of
 * the long one, wherever it rolls over. */
static void test_meter_unroll_properties(void **state)
{
    enum { N = 400 };
    double true_value[N];
    double shown[N];
    double got[N];
    for (uint64_t seed = 1; seed <= 50; seed++) {
        const double digits = 1000;
        double v = floor(rng_uniform(seed, 1, 0) * digits);
        for (uint64_t i = 0; i < N; i++) {
            true_value[i] = v;
            shown[i] = fmod(v, digits);
            v += floor(rng_uniform(seed, 2, i) * 300) / 8;
        }
        meter_unroll(true_value, N, NAN, got);
        assert_memory_equal(got, true_value, sizeof(got));
        meter_unroll(shown, N, digits, got);
        for (int i = 0; i < N; i++)
            assert_close(got[i] - got[0], true_value[i] - true_value[0], 1e-6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meter_step),
        cmocka_unit_test(test_meter_unroll),
        cmocka_unit_test(test_meter_unroll_properties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
