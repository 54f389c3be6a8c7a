#include "tests/test.h"

#include "models/life.h"

#include "app/base/rng.h"
#include "tests/golden/life.h"

#include <stdlib.h>

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
enum { N = N_OF(golden_time) };

static const struct life_data plain = {golden_time, golden_failed, NULL, golden_weight, N, NULL};
static const struct life_data late = {golden_time, golden_failed, golden_entry, golden_weight,
                                      N,           NULL};

/* want: first, scale, log-likelihood, covariance 00, 01, 11. */
static void expect_fit(enum life_distribution distribution, const struct life_data *data,
                       const double *want)
{
    struct life_fit f;
    struct ft_err err;
    assert_ok(life_fit(distribution, data, &f, &err), err);
    assert_rel(f.first, want[0], 1e-6);
    assert_rel(f.scale, want[1], 1e-6);
    assert_rel(f.log_likelihood, want[2], 1e-8);
    assert_rel(f.aic, 4 - 2 * want[2], 1e-8);
    assert_rel(f.cov[0][0], want[3], 1e-5);
    assert_close(f.cov[0][1], want[4], 1e-5 * sqrt(want[3] * want[5]));
    assert_rel(f.cov[1][1], want[5], 1e-5);
}

static void test_life_fit_as_r(void **state)
{
    expect_fit(LIFE_WEIBULL, &plain, golden_weibull);
    expect_fit(LIFE_LOGNORMAL, &plain, golden_lognormal);
    expect_fit(LIFE_LOGLOGISTIC, &plain, golden_loglogistic);
    expect_fit(LIFE_GAMMA, &plain, golden_gamma);
    expect_fit(LIFE_GUMBEL, &plain, golden_gumbel);
}

static void test_life_fit_truncated_as_r(void **state)
{
    expect_fit(LIFE_WEIBULL, &late, golden_weibull_late);
    expect_fit(LIFE_LOGNORMAL, &late, golden_lognormal_late);
    expect_fit(LIFE_LOGLOGISTIC, &late, golden_loglogistic_late);
    expect_fit(LIFE_GAMMA, &late, golden_gamma_late);
    expect_fit(LIFE_GUMBEL, &late, golden_gumbel_late);
}

static void test_life_fit_exponential(void **state)
{
    struct life_fit f;
    struct ft_err err;
    assert_ok(life_fit(LIFE_EXPONENTIAL, &plain, &f, &err), err);
    assert_rel(f.scale, golden_exponential[0], 1e-9);
    assert_rel(f.log_likelihood, golden_exponential[1], 1e-10);
    assert_rel(f.cov[1][1], golden_exponential[2], 1e-10);
    assert_rel(f.aic, 2 - 2 * golden_exponential[1], 1e-10);
    double n = 0;
    for (size_t i = 0; i < N; i++)
        n += golden_weight[i];
    assert_close(f.n, n, 0);
}

/* Times in any unit give the same answer in that unit. */
static void test_life_fit_scales(void **state)
{
    static double time[N];
    const struct life_data data = {time, golden_failed, NULL, golden_weight, N, NULL};
    struct life_fit a, b;
    struct ft_err err;
    for (double c = 1e-9; c < 1e8; c *= 1e7)
        for (int k = 0; k < N_LIFE_DISTRIBUTIONS; k++) {
            for (size_t i = 0; i < N; i++)
                time[i] = golden_time[i] * c;
            assert_ok(life_fit((enum life_distribution)k, &plain, &a, &err), err);
            assert_ok(life_fit((enum life_distribution)k, &data, &b, &err), err);
            assert_rel(b.first, a.first * (k == LIFE_GUMBEL ? c : 1), 1e-6);
            assert_rel(b.scale, a.scale * c, 1e-6);
            assert_close(b.aic - a.aic, 2 * a.n_failures * log(c), 1e-5);
        }
}

/* Data drawn from each law: the fit finds its parameters within four standard errors. */
static void test_life_fit_recovers_truth(void **state)
{
    enum { UNITS = 2000 };
    static double time[UNITS], entry[UNITS];
    static bool failed[UNITS];
    const struct life_data data = {time, failed, entry, NULL, UNITS, NULL};
    struct ft_err err;
    for (int k = 0; k < N_LIFE_DISTRIBUTIONS; k++) {
        struct life_fit truth = {
            .distribution = (enum life_distribution)k, .first = 2.5, .scale = 70};
        if (k == LIFE_LOGNORMAL)
            truth.first = 0.6;
        if (k == LIFE_EXPONENTIAL)
            truth.first = 1;
        if (k == LIFE_GUMBEL)
            truth.first = 500;
        const double end = life_quantile(&truth, 0.8);
        size_t n = 0;
        for (uint64_t i = 0; n < UNITS; i++) {
            const double life = life_quantile(&truth, rng_uniform(k, 1, i));
            entry[n] = rng_uniform(k, 2, i) < 0.3 ? life_quantile(&truth, 0.4) : 0;
            if (life <= entry[n])
                continue;
            time[n] = fmin(life, end);
            failed[n++] = life <= end;
        }
        struct life_fit f;
        assert_ok(life_fit((enum life_distribution)k, &data, &f, &err), err);
        const double first_error = sqrt(f.cov[0][0]), scale_error = sqrt(f.cov[1][1]);
        if (k == LIFE_GUMBEL)
            assert_close(f.first, truth.first, 4 * first_error);
        else
            assert_close(log(f.first), log(truth.first), 4 * first_error);
        assert_close(log(f.scale), log(truth.scale), 4 * scale_error);
    }
}

static void test_life_fit_refuses(void **state)
{
    const double time[] = {5, 7, 9}, bad[] = {5, -7, 9};
    const bool none[3] = {false}, one[3] = {true}, last[] = {false, true, true};
    struct life_fit f;
    struct ft_err err;
    for (int k = 0; k < N_LIFE_DISTRIBUTIONS; k++) {
        const enum life_distribution d = (enum life_distribution)k;
        assert_int_equal(
            life_fit(d, &(struct life_data){time, none, NULL, NULL, 3, NULL}, &f, &err),
            FT_TOO_FEW);
        assert_non_null(strstr(err.msg, "no failure"));
        assert_int_equal(life_fit(d, &(struct life_data){time, one, NULL, NULL, 3, NULL}, &f, &err),
                         d == LIFE_EXPONENTIAL ? FT_OK : FT_TOO_FEW);
        assert_int_equal(life_fit(d, &(struct life_data){bad, last, NULL, NULL, 3, NULL}, &f, &err),
                         FT_INVALID);
        assert_non_null(strstr(err.msg, "unit 2"));
        assert_int_equal(
            life_fit(d, &(struct life_data){time, none, NULL, NULL, 0, NULL}, &f, &err),
            FT_TOO_FEW);
    }
    /* All failures at one and the last age: every law but the exponential runs away. */
    const double tied[] = {5, 9, 9};
    for (int k = 0; k < N_LIFE_DISTRIBUTIONS; k++)
        assert_int_equal(life_fit((enum life_distribution)k,
                                  &(struct life_data){tied, last, NULL, NULL, 3, NULL}, &f, &err),
                         k == LIFE_EXPONENTIAL ? FT_OK : FT_TOO_FEW);
}

static void test_life_names(void **state)
{
    enum life_distribution d;
    struct ft_err err;
    for (int k = 0; k < N_LIFE_DISTRIBUTIONS; k++) {
        assert_ok(life_parse(life_name((enum life_distribution)k), &d, &err), err);
        assert_int_equal(d, k);
    }
    assert_int_equal(life_parse("normal", &d, &err), FT_NOT_FOUND);
    assert_non_null(strstr(err.msg, "gumbel"));
    assert_string_equal(life_first_name(LIFE_GUMBEL), "location");
}

static void test_life_limits_are_wald(void **state)
{
    const struct life_fit f = {
        .distribution = LIFE_GUMBEL, .first = -3, .scale = 2, .cov = {{0.25, 0}, {0, 0.01}}};
    double first[2], scale[2];
    life_limits(&f, 0.95, first, scale);
    assert_close(first[0], -3 - 1.959963984540054 * 0.5, 1e-12);
    assert_close(scale[1], 2 * exp(0.1959963984540054), 1e-12);
}

static void test_life_profile_limits_as_r(void **state)
{
    struct life_fit f;
    struct ft_err err;
    double first[2], scale[2];
    assert_ok(life_fit(LIFE_WEIBULL, &plain, &f, &err), err);
    assert_ok(life_profile_limits(&f, &plain, 0.9, first, scale, &err), err);
    for (int side = 0; side < 2; side++) {
        assert_rel(first[side], golden_profile_shape[side], 1e-6);
        assert_rel(scale[side], golden_profile_scale[side], 1e-6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life_fit_as_r),
        cmocka_unit_test(test_life_fit_truncated_as_r),
        cmocka_unit_test(test_life_fit_exponential),
        cmocka_unit_test(test_life_fit_scales),
        cmocka_unit_test(test_life_fit_recovers_truth),
        cmocka_unit_test(test_life_fit_refuses),
        cmocka_unit_test(test_life_names),
        cmocka_unit_test(test_life_limits_are_wald),
        cmocka_unit_test(test_life_profile_limits_as_r),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
