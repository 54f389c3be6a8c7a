#include "tests/test.h"

#include "models/goodness.h"
#include "models/kaplan_meier.h"
#include "models/life.h"

#include "tests/golden/life_interval.h"

#include <stdlib.h>

enum { N = sizeof(w3_time) / sizeof(w3_time[0]) };
static double time_of[N];
static bool failed[N];
static const struct life_data data = {time_of, failed, NULL, NULL, N, NULL};

static void watch_until(double end)
{
    for (size_t i = 0; i < N; i++) {
        time_of[i] = fmin(w3_time[i], end);
        failed[i] = w3_time[i] <= end;
    }
}

static void expect_fit(const double want[4], const double limits_want[2],
                       const double profile_want[4])
{
    struct life_fit f;
    struct ft_err err;
    double limits[2], shape[2], scale[2];
    assert_ok(life_fit(LIFE_WEIBULL3, &data, &f, &err), err);
    assert_rel(f.first, want[0], 1e-5);
    assert_rel(f.scale, want[1], 1e-5);
    assert_rel(f.threshold, want[2], 1e-5);
    assert_rel(f.log_likelihood, want[3], 1e-9);
    assert_int_equal(f.n_parameters, 3);
    assert_rel(life_log_likelihood(&f, &data), f.log_likelihood, 1e-9);
    assert_ok(life_threshold_limits(&f, &data, 0.9, limits, &err), err);
    assert_rel(limits[0], limits_want[0], 1e-5);
    if (!isnan(limits_want[1]))
        assert_rel(limits[1], limits_want[1], 1e-5);
    assert_ok(life_profile_limits(&f, &data, 0.9, shape, scale, &err), err);
    for (int side = 0; side < 2; side++) {
        assert_rel(shape[side], profile_want[side], 1e-5);
        assert_rel(scale[side], profile_want[2 + side], 1e-5);
    }
    assert_true(f.cov[0][0] > 0 && f.cov[1][1] > 0);
    assert_close(life_survival(&f, f.threshold / 2), 1, 0);
    assert_close(life_hazard(&f, f.threshold / 2), 0, 0);
    assert_rel(life_survival(&f, life_quantile(&f, 0.3)), 0.7, 1e-12);
    assert_rel(life_lived_to(&f, 1e6), life_mean(&f), 1e-9);
}

static void test_life_threshold_fit_as_r(void **state)
{
    watch_until(INFINITY);
    expect_fit(w3_fit, w3_limits, w3_profile);
    watch_until(700);
    expect_fit(w3_fit_700, w3_limits_700, w3_profile_700);
}

/* Exponential lives from 0: no threshold above 0 is better, or the data carry none. */
static void test_life_threshold_fit_needs_a_peak(void **state)
{
    static const double falling[] = {1, 1.1, 1.3, 1.9, 3.5, 7, 15, 40, 90};
    static const bool all[] = {true, true, true, true, true, true, true, true, true};
    const struct life_data early = {falling, all, NULL, NULL, 9, NULL};
    struct life_fit f;
    struct ft_err err;
    assert_int_equal(life_fit(LIFE_WEIBULL3, &early, &f, &err), FT_TOO_FEW);
    assert_non_null(strstr(err.msg, "threshold"));
}

/* The ball bearings of Lieblein and Zelen at 95 %: shapes down to 1 fit, and below 1 the likelihood
 * has no bound, so nothing limits the shape, nor the scale, from below. */
static void test_life_profile_limits_threshold_not_reached(void **state)
{
    static const double lives[] = {17.88, 28.92, 33,     41.52,  42.12,  45.6,   48.4,  51.84,
                                   51.96, 54.12, 55.56,  67.8,   68.64,  68.64,  68.88, 84.12,
                                   93.12, 98.64, 105.12, 105.84, 127.92, 128.04, 173.4};
    enum { N_LIVES = sizeof(lives) / sizeof(lives[0]) };
    bool all[N_LIVES];
    struct life_fit f;
    double shape[2], scale[2];
    struct ft_err err;
    for (size_t i = 0; i < N_LIVES; i++)
        all[i] = true;
    const struct life_data d = {lives, all, NULL, NULL, N_LIVES, NULL};
    assert_ok(life_fit(LIFE_WEIBULL3, &d, &f, &err), err);
    assert_ok(life_profile_limits(&f, &d, 0.95, shape, scale, &err), err);
    assert_true(shape[0] == 0 && scale[0] == 0);
    assert_true(shape[1] > f.first && shape[1] < 4 && scale[1] > f.scale && scale[1] < 150);
    assert_ok(life_profile_limits(&f, &d, 0.2, shape, scale, &err), err); /* near the peak */
    assert_true(shape[0] > 1 && shape[0] < f.first && scale[0] > 0 && scale[0] < f.scale);
    assert_int_equal(life_profile_limits(&f, &d, 1, shape, scale, &err), FT_INVALID);
}

static void test_goodness_anderson_darling(void **state)
{
    const struct life_fit f = {.distribution = LIFE_WEIBULL, .first = 1.7, .scale = 800};
    static const double want[] = {0, 0};
    for (int censored = 0; censored < 2; censored++) {
        struct kaplan_meier_point *k = NULL;
        double time[N], survival[N];
        size_t n = 0;
        struct ft_err err;
        watch_until(censored ? 700 : INFINITY);
        assert_ok(kaplan_meier(time_of, failed, NULL, NULL, N, 0.9, &k, &n, &err), err);
        for (size_t i = 0; i < n; i++) {
            time[i] = k[i].time;
            survival[i] = k[i].survival;
        }
        assert_rel(goodness_anderson_darling(&f, N, time, survival, n),
                   censored ? ad_700[0] : ad_complete[0], 1e-7);
        free(k);
    }
    assert_true(isnan(goodness_anderson_darling(&f, N, want, want, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life_threshold_fit_as_r),
        cmocka_unit_test(test_life_threshold_fit_needs_a_peak),
        cmocka_unit_test(test_life_profile_limits_threshold_not_reached),
        cmocka_unit_test(test_goodness_anderson_darling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
