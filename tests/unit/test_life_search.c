/* Fits with every kind of censoring against R, and the gradient at the optimum. */
#include "tests/test.h"

#include "models/life_search.h"

#include "tests/golden/life_interval.h"

enum { N = sizeof(iv_lower) / sizeof(iv_lower[0]) };

static const struct life_data plain = {iv_lower, iv_failed, NULL, iv_weight, N, iv_upper};
static const struct life_data late = {iv_lower, iv_failed, iv_entry, iv_weight, N, iv_upper};

static void expect_fit(enum life_distribution distribution, const struct life_data *data,
                       const double *want)
{
    struct life_fit f;
    struct ft_err err;
    assert_ok(life_fit(distribution, data, &f, &err), err);
    assert_rel(f.first, want[0], 1e-6);
    assert_rel(f.scale, want[1], 1e-6);
    assert_rel(f.log_likelihood, want[2], 1e-9);
    assert_rel(f.cov[0][0], want[3], 1e-4);
    assert_close(f.cov[0][1], want[4], 1e-4 * sqrt(want[3] * want[5]));
    assert_rel(f.cov[1][1], want[5], 1e-4);
    assert_rel(life_log_likelihood(&f, data), f.log_likelihood, 1e-12);
}

static void test_life_fit_intervals_as_r(void **state)
{
    expect_fit(LIFE_WEIBULL, &plain, iv_weibull);
    expect_fit(LIFE_LOGNORMAL, &plain, iv_lognormal);
    expect_fit(LIFE_LOGLOGISTIC, &plain, iv_loglogistic);
    expect_fit(LIFE_GAMMA, &plain, iv_gamma);
    expect_fit(LIFE_GUMBEL, &plain, iv_gumbel);
}

static void test_life_fit_truncated_intervals_as_r(void **state)
{
    expect_fit(LIFE_WEIBULL, &late, iv_weibull_late);
    expect_fit(LIFE_LOGNORMAL, &late, iv_lognormal_late);
    expect_fit(LIFE_LOGLOGISTIC, &late, iv_loglogistic_late);
    expect_fit(LIFE_GAMMA, &late, iv_gamma_late);
    expect_fit(LIFE_GUMBEL, &late, iv_gumbel_late);
}

static void test_life_fit_one_parameter_intervals_as_r(void **state)
{
    struct life_fit f;
    struct ft_err err;
    assert_ok(life_fit(LIFE_EXPONENTIAL, &plain, &f, &err), err);
    assert_rel(f.scale, iv_exponential[0], 1e-7);
    assert_rel(f.log_likelihood, iv_exponential[1], 1e-9);
    assert_rel(f.cov[1][1], iv_exponential[2], 1e-6);
    assert_int_equal(f.n_parameters, 1);
    assert_ok(life_fit_fixed_shape(&plain, 2, &f, &err), err);
    assert_rel(f.scale, iv_shape2[0], 1e-7);
    assert_rel(f.log_likelihood, iv_shape2[1], 1e-9);
    assert_rel(f.cov[1][1], iv_shape2[2], 1e-6);
    assert_true(f.is_shape_fixed);
}

/* Value and slopes at any point agree with differences; the slope is 0 at the fit. */
static void test_life_search_gradient(void **state)
{
    static const struct life_data *const sets[] = {&plain, &late};
    struct ft_err err;
    for (int k = 0; k < 2 * N_LIFE_DISTRIBUTIONS; k++) {
        struct life_search s;
        struct life_fit f;
        const enum life_distribution d = (enum life_distribution)(k / 2);
        assert_ok(life_search_init(&s, d, sets[k % 2], &err), err);
        assert_ok(life_fit(d, sets[k % 2], &f, &err), err);
        for (int moved = 0; moved < 2; moved++) {
            double u[2], gradient[2] = {0, 0}, hessian[4] = {0, 0, 0, 0};
            life_search_at(&s, f.first, f.scale, u);
            u[0] += 0.1 * moved;
            u[1] *= 1 - 0.1 * moved;
            (void)life_search_value(&s, u, gradient, hessian);
            for (int j = 0; j < 2; j++) {
                const double h = 1e-4;
                double up[2] = {u[0], u[1]}, down[2] = {u[0], u[1]};
                double at_up[2] = {0, 0}, at_down[2] = {0, 0}, unused[4] = {0, 0, 0, 0};
                up[j] += h;
                down[j] -= h;
                const double slope = (life_search_value(&s, up, at_up, unused) -
                                      life_search_value(&s, down, at_down, unused)) /
                                     (2 * h);
                assert_close(gradient[j], slope, 1e-5 * (1 + fabs(slope)));
                if (j == 0)
                    assert_close(hessian[0], (at_up[0] - at_down[0]) / (2 * h),
                                 1e-4 * (1 + fabs(hessian[0])));
                assert_close(j == 0 ? hessian[2] : hessian[3], (at_up[1] - at_down[1]) / (2 * h),
                             1e-4 * (1 + fabs(hessian[3])));
            }
            if (moved == 0 && d != LIFE_EXPONENTIAL)
                assert_close(hypot(gradient[0], gradient[1]), 0, 1e-4);
        }
    }
}

/* Along its line a held parameter keeps its value, and the line ends at the same optimum. */
static void test_life_search_line(void **state)
{
    struct ft_err err;
    for (int k = 0; k < N_LIFE_DISTRIBUTIONS; k++)
        for (int held = 0; k != LIFE_EXPONENTIAL && held < 2; held++) {
            struct life_search s;
            struct life_fit f, at = {0};
            double origin[2], direction[2], none[2][2] = {{0}};
            assert_ok(life_search_init(&s, (enum life_distribution)k, &plain, &err), err);
            assert_ok(life_fit((enum life_distribution)k, &plain, &f, &err), err);
            double t = life_search_line(&s, held, f.first, f.scale, origin, direction);
            t *= 1.1;
            const double least = life_search_minimise_line(&s, origin, direction, &t);
            assert_rel(-least - s.constant, f.log_likelihood, 1e-10);
            const double u[2] = {origin[0] + t * direction[0], origin[1] + t * direction[1]};
            life_search_set(&s, u, none, &at);
            assert_rel(at.first, f.first, 1e-5);
            assert_rel(at.scale, f.scale, 1e-5);
            const double far[2] = {u[0] + direction[0] * 0.2, u[1] + direction[1] * 0.2};
            life_search_set(&s, far, none, &at);
            assert_rel(held == 0 ? at.first : at.scale, held == 0 ? f.first : f.scale, 1e-12);
        }
}

static void test_life_fit_intervals_in_any_unit(void **state)
{
    static double lower[N], upper[N];
    const struct life_data data = {lower, iv_failed, NULL, iv_weight, N, upper};
    struct life_fit a, b;
    struct ft_err err;
    for (int k = 0; k < N_LIFE_DISTRIBUTIONS; k++) {
        for (size_t i = 0; i < N; i++) {
            lower[i] = 1e-4 * iv_lower[i];
            upper[i] = 1e-4 * iv_upper[i];
        }
        assert_ok(life_fit((enum life_distribution)k, &plain, &a, &err), err);
        assert_ok(life_fit((enum life_distribution)k, &data, &b, &err), err);
        assert_rel(b.first, a.first * (k == LIFE_GUMBEL ? 1e-4 : 1), 1e-6);
        assert_rel(b.scale, a.scale * 1e-4, 1e-6);
    }
}

/* All found failed in one interval: nothing fixes a spread. */
static void test_life_fit_one_interval_is_refused(void **state)
{
    const double lower[] = {10, 10, 10}, upper[] = {20, 20, 20};
    const bool failed[] = {true, true, true};
    const struct life_data data = {lower, failed, NULL, NULL, 3, upper};
    struct life_fit f;
    struct ft_err err;
    for (int k = 0; k < N_LIFE_DISTRIBUTIONS; k++)
        if (k != LIFE_EXPONENTIAL)
            assert_int_equal(life_fit((enum life_distribution)k, &data, &f, &err), FT_TOO_FEW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life_fit_intervals_as_r),
        cmocka_unit_test(test_life_fit_truncated_intervals_as_r),
        cmocka_unit_test(test_life_fit_one_parameter_intervals_as_r),
        cmocka_unit_test(test_life_search_gradient),
        cmocka_unit_test(test_life_search_line),
        cmocka_unit_test(test_life_fit_intervals_in_any_unit),
        cmocka_unit_test(test_life_fit_one_interval_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
