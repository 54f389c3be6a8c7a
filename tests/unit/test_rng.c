#include "tests/test.h"

#include "app/base/rng.h"

enum { N = 200000 };

/* First output of SplitMix64 for the seed 0, as published with the algorithm. */
static void test_rng_mix_known_value(void **state)
{
    assert_true(rng_mix(0) == UINT64_C(0xe220a8397b1dcdaf));
}

static void test_rng_u64_depends_on_every_key(void **state)
{
    const uint64_t base = rng_u64(1, 2, 3);
    assert_true(rng_u64(1, 2, 3) == base);
    assert_true(rng_u64(2, 2, 3) != base);
    assert_true(rng_u64(1, 3, 3) != base);
    assert_true(rng_u64(1, 2, 4) != base);
}

static void test_rng_uniform_moments(void **state)
{
    double sum = 0;
    double sum2 = 0;
    for (uint64_t i = 0; i < N; i++) {
        const double u = rng_uniform(7, 1, i);
        assert_true(u >= 0 && u < 1);
        sum += u;
        sum2 += u * u;
    }
    assert_close(sum / N, 0.5, 0.003);
    assert_close(sum2 / N, 1.0 / 3, 0.003);
}

static void test_rng_below_covers_range(void **state)
{
    size_t counts[7] = {0};
    for (uint64_t i = 0; i < 70000; i++)
        counts[rng_below(3, 4, i, 7)]++;
    for (size_t k = 0; k < 7; k++)
        assert_close((double)counts[k], 10000, 500);
    assert_int_equal(rng_below(3, 4, 5, 1), 0);
}

static void test_rng_normal_moments(void **state)
{
    double sum = 0;
    double sum2 = 0;
    double sum4 = 0;
    for (uint64_t i = 0; i < N; i++) {
        const double z = rng_normal(11, 5, i);
        assert_true(isfinite(z));
        sum += z;
        sum2 += z * z;
        sum4 += z * z * z * z;
    }
    assert_close(sum / N, 0, 0.01);
    assert_close(sum2 / N, 1, 0.02);
    assert_close(sum4 / N, 3, 0.15);
}

static void test_rng_gamma_moments(void **state)
{
    static const double shapes[] = {0.3, 1, 2.5, 20};
    for (size_t k = 0; k < 4; k++) {
        double sum = 0;
        double sum2 = 0;
        for (uint64_t i = 0; i < N / 4; i++) {
            const double g = rng_gamma(13, k, i, shapes[k]);
            assert_true(g >= 0);
            sum += g;
            sum2 += g * g;
        }
        const double mean = sum / (N / 4);
        assert_rel(mean, shapes[k], 0.03);
        assert_rel(sum2 / (N / 4) - mean * mean, shapes[k], 0.06);
    }
}

static void test_rng_beta_moments(void **state)
{
    double sum = 0;
    double sum2 = 0;
    for (uint64_t i = 0; i < N / 4; i++) {
        const double b = rng_beta(17, 0, i, 2, 6);
        assert_true(b > 0 && b < 1);
        sum += b;
        sum2 += b * b;
    }
    const double mean = sum / (N / 4);
    assert_rel(mean, 0.25, 0.01);
    assert_rel(sum2 / (N / 4) - mean * mean, 2.0 * 6 / (8 * 8 * 9), 0.04);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rng_mix_known_value),
        cmocka_unit_test(test_rng_u64_depends_on_every_key),
        cmocka_unit_test(test_rng_uniform_moments),
        cmocka_unit_test(test_rng_below_covers_range),
        cmocka_unit_test(test_rng_normal_moments),
        cmocka_unit_test(test_rng_gamma_moments),
        cmocka_unit_test(test_rng_beta_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
