#include "tests/test.h"

#include "models/life.h"
#include "models/special.h"

#include "tests/golden/life_interval.h"

enum { N = sizeof(iv_lower) / sizeof(iv_lower[0]) };
static const struct life_data data = {iv_lower, iv_failed, NULL, iv_weight, N, iv_upper};

static void expect_profile(enum life_distribution distribution, const double want[4])
{
    struct life_fit f;
    struct ft_err err;
    double first[2], scale[2];
    assert_ok(life_fit(distribution, &data, &f, &err), err);
    assert_ok(life_profile_limits(&f, &data, 0.95, first, scale, &err), err);
    for (int side = 0; side < 2; side++) {
        assert_rel(first[side], want[side], 1e-6);
        assert_rel(scale[side], want[2 + side], 1e-6);
    }
}

static void test_life_profile_limits_as_r(void **state)
{
    expect_profile(LIFE_LOGNORMAL, iv_profile_lognormal);
    expect_profile(LIFE_GAMMA, iv_profile_gamma);
}

/* Every kind of limit holds the estimate, and a higher confidence is wider. */
static void test_life_limits_contain_the_estimate(void **state)
{
    struct ft_err err;
    for (int k = 0; k < N_LIFE_DISTRIBUTIONS; k++) {
        struct life_fit f;
        double first[2][2], scale[2][2], age[2];
        assert_ok(life_fit((enum life_distribution)k, &data, &f, &err), err);
        for (int wide = 0; wide < 2; wide++) {
            assert_ok(
                life_profile_limits(&f, &data, wide ? 0.99 : 0.8, first[wide], scale[wide], &err),
                err);
            assert_true(first[wide][0] <= f.first && f.first <= first[wide][1]);
            assert_true(scale[wide][0] < f.scale && f.scale < scale[wide][1]);
        }
        assert_true(scale[1][0] < scale[0][0] && scale[1][1] > scale[0][1]);
        for (double p = 0.01; p < 1; p += 0.14) {
            life_quantile_limits(&f, p, 0.9, age);
            assert_true(age[0] < life_quantile(&f, p) && life_quantile(&f, p) < age[1]);
        }
    }
}

/* The median of a lognormal is its scale, so their limits are the same. */
static void test_life_quantile_limits_of_the_median(void **state)
{
    struct life_fit f;
    struct ft_err err;
    double first[2], scale[2], median[2];
    assert_ok(life_fit(LIFE_LOGNORMAL, &data, &f, &err), err);
    life_limits(&f, 0.9, first, scale);
    life_quantile_limits(&f, 0.5, 0.9, median);
    assert_rel(median[0], scale[0], 1e-9);
    assert_rel(median[1], scale[1], 1e-9);
}

/* On the contour the log-likelihood is the greatest less half a chi-squared quantile. */
static void test_life_contour_is_level(void **state)
{
    enum { POINTS = 24 };
    double points[POINTS][2];
    struct ft_err err;
    for (int k = 0; k < N_LIFE_DISTRIBUTIONS; k++) {
        struct life_fit f;
        assert_ok(life_fit((enum life_distribution)k, &data, &f, &err), err);
        if (k == LIFE_EXPONENTIAL) {
            assert_int_equal(life_contour(&f, &data, 0.9, POINTS, points, &err), FT_INVALID);
            continue;
        }
        assert_ok(life_contour(&f, &data, 0.9, POINTS, points, &err), err);
        for (int i = 0; i < POINTS; i++) {
            struct life_fit at = f;
            at.first = points[i][0];
            at.scale = points[i][1];
            assert_close(f.log_likelihood - life_log_likelihood(&at, &data), -log(0.1), 1e-6);
        }
    }
}

/* A likelihood that never falls far enough has no limit on that side. */
static void test_life_profile_limits_without_end(void **state)
{
    const double time[] = {5, 5.0001, 30};
    const bool failed[] = {true, true, false};
    const struct life_data few = {time, failed, NULL, NULL, 3, NULL};
    struct life_fit f;
    struct ft_err err;
    double first[2], scale[2];
    assert_ok(life_fit(LIFE_WEIBULL, &few, &f, &err), err);
    assert_ok(life_profile_limits(&f, &few, 0.999, first, scale, &err), err);
    assert_true(first[0] < f.first && f.first < first[1]);
    assert_true(scale[0] < f.scale && f.scale < scale[1]);
    assert_int_equal(life_profile_limits(&f, &few, 1, first, scale, &err), FT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life_profile_limits_as_r),
        cmocka_unit_test(test_life_limits_contain_the_estimate),
        cmocka_unit_test(test_life_quantile_limits_of_the_median),
        cmocka_unit_test(test_life_contour_is_level),
        cmocka_unit_test(test_life_profile_limits_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
