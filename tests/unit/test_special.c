#include "tests/test.h"

#include "models/special.h"
#include "tests/golden/special.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

static void test_special_normal_tails(void **state)
{
    for (size_t i = 0; i < N_OF(golden_normal); i++) {
        const double *g = golden_normal[i];
        assert_close(special_normal_log_cdf(g[0]), g[1], 1e-10 + 1e-13 * fabs(g[1]));
        assert_close(special_normal_log_survival(g[0]), g[2], 1e-10 + 1e-13 * fabs(g[2]));
        assert_close(special_normal_cdf(g[0]), exp(g[1]), 1e-12 * exp(g[1]));
    }
}

static void test_special_normal_quantile(void **state)
{
    for (size_t i = 0; i < N_OF(golden_quantile); i++)
        assert_close(special_normal_quantile(golden_quantile[i][0]), golden_quantile[i][1],
                     1e-14 * (1 + fabs(golden_quantile[i][1])));
    assert_true(special_normal_quantile(0) == -INFINITY);
    assert_true(special_normal_quantile(1) == INFINITY);
    assert_true(isnan(special_normal_quantile(1.1)));
    assert_true(isnan(special_normal_quantile(NAN)));
}

static void test_special_normal_hazard_far_out(void **state)
{
    assert_rel(special_normal_hazard(0), 0.797884560802865, 1e-14);
    assert_rel(special_normal_hazard(100), 100.00999800099926, 1e-12);
    assert_true(special_normal_hazard(-50) >= 0);
}

static void test_special_gamma_golden(void **state)
{
    for (size_t i = 0; i < N_OF(golden_gamma); i++) {
        const double *g = golden_gamma[i];
        assert_close(special_log_gamma_p(g[0], g[1]), g[2], 3e-16 + 2e-12 * fabs(g[2]));
        assert_close(special_log_gamma_q(g[0], g[1]), g[3], 3e-16 + 2e-12 * fabs(g[3]));
        assert_close(special_gamma_p(g[0], g[1]) + special_gamma_q(g[0], g[1]), 1, 1e-13);
    }
    assert_true(isnan(special_gamma_p(-1, 1)));
    assert_close(special_gamma_p(2, 0), 0, 0);
    assert_close(special_gamma_q(2, INFINITY), 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_special_normal_tails),
        cmocka_unit_test(test_special_normal_quantile),
        cmocka_unit_test(test_special_normal_hazard_far_out),
        cmocka_unit_test(test_special_gamma_golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
