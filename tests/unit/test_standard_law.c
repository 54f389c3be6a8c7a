#include "tests/test.h"

#include "models/standard_law.h"

/* Slopes against central differences, quantiles against the survival function. */
static void test_law_slopes_and_quantiles(void **state)
{
    for (int k = LAW_EXTREME; k <= LAW_LOGISTIC; k++) {
        const enum standard_law law = (enum standard_law)k;
        for (double z = -6; z <= 3; z += 0.37) {
            double f[2], s[2];
            const double h = 1e-4;
            law_log_density(law, z, f);
            law_log_survival(law, z, s);
            const double f0 = law_log_density(law, z, NULL), s0 = law_log_survival(law, z, NULL);
            const double f1 = law_log_density(law, z + h, NULL);
            const double f2 = law_log_density(law, z - h, NULL);
            const double s1 = law_log_survival(law, z + h, NULL);
            const double s2 = law_log_survival(law, z - h, NULL);
            assert_close(f[0], (f1 - f2) / (2 * h), 1e-5 * (1 + fabs(f[0])));
            assert_close(s[0], (s1 - s2) / (2 * h), 1e-5 * (1 + fabs(s[0])));
            assert_close(f[1], (f1 - 2 * f0 + f2) / (h * h), 1e-5 * (1 + fabs(f[1])));
            assert_close(s[1], (s1 - 2 * s0 + s2) / (h * h), 1e-5 * (1 + fabs(s[1])));
            /* The hazard is density / survival, and minus the slope of log S. */
            assert_rel(exp(f0 - s0), -s[0], 1e-10);
        }
        for (double p = 0.01; p < 1; p += 0.07)
            assert_close(law_log_survival(law, law_quantile(law, p), NULL), log1p(-p), 1e-12);
    }
}

/* Interval against the difference of survivals, slopes against central differences. */
static void test_law_interval(void **state)
{
    const double h = 1e-4;
    for (int k = LAW_EXTREME; k <= LAW_LOGISTIC; k++) {
        const enum standard_law law = (enum standard_law)k;
        for (double low = -4; low < 2; low += 0.53) {
            double d[5];
            const double high = low + 0.9;
            const double at = law_log_interval(law, low, high, d);
            assert_rel(exp(at),
                       exp(law_log_survival(law, low, NULL)) -
                           exp(law_log_survival(law, high, NULL)),
                       1e-12);
#define AT(a, b) law_log_interval(law, low + (a)*h, high + (b)*h, NULL)
            assert_close(d[0], (AT(1, 0) - AT(-1, 0)) / (2 * h), 1e-5);
            assert_close(d[1], (AT(0, 1) - AT(0, -1)) / (2 * h), 1e-5);
            assert_close(d[2], (AT(1, 0) - 2 * at + AT(-1, 0)) / (h * h), 1e-5);
            assert_close(d[3], (AT(1, 1) - AT(1, -1) - AT(-1, 1) + AT(-1, -1)) / (4 * h * h), 1e-5);
            assert_close(d[4], (AT(0, 1) - 2 * at + AT(0, -1)) / (h * h), 1e-5);
#undef AT
            double s[2];
            assert_rel(law_log_interval(law, low, INFINITY, d), law_log_survival(law, low, s),
                       1e-15);
            assert_close(d[0], s[0], 1e-14 * (1 + fabs(s[0])));
            assert_close(d[2], s[1], 1e-12 * (1 + fabs(s[1]) + s[0] * s[0]));
            assert_close(d[1], 0, 0);
            assert_close(d[4], 0, 0);
            assert_rel(exp(law_log_interval(law, -INFINITY, high, d)),
                       -expm1(law_log_survival(law, high, NULL)), 1e-12);
        }
    }
}

static void test_law_far_tails_are_finite(void **state)
{
    for (int k = LAW_EXTREME; k <= LAW_LOGISTIC; k++) {
        double slope[2];
        assert_close(law_log_survival((enum standard_law)k, -INFINITY, slope), 0, 0);
        assert_close(slope[0], 0, 0);
        assert_true(isfinite(law_log_survival((enum standard_law)k, 100, slope)));
        assert_true(isfinite(slope[0]) && isfinite(slope[1]));
        assert_true(isfinite(law_log_density((enum standard_law)k, -700, slope)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_law_slopes_and_quantiles),
        cmocka_unit_test(test_law_interval),
        cmocka_unit_test(test_law_far_tails_are_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
