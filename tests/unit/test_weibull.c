#include "tests/test.h"

#include "models/weibull.h"

#include "app/base/rng.h"
#include "tests/golden/weibull.h"

#include <stdlib.h>

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
enum { N = N_OF(golden_time) };

static void expect_fit(const struct weibull *w, const struct golden_fit *g)
{
    assert_rel(w->shape, g->shape, 1e-6);
    assert_rel(w->scale, g->scale, 1e-6);
    assert_rel(w->log_likelihood, g->log_likelihood, 1e-8);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            assert_rel(w->cov[i][j], g->cov[i][j], 1e-5);
}

static void test_weibull_fit_as_survreg(void **state)
{
    struct weibull w;
    struct ft_err err;
    assert_ok(weibull_fit(golden_time, golden_failed, NULL, NULL, N, &w, &err), err);
    expect_fit(&w, &golden_plain);
    assert_int_equal(w.n, N);
    assert_ok(weibull_fit(golden_time, golden_failed, NULL, golden_weight, N, &w, &err), err);
    expect_fit(&w, &golden_weighted);
}

static void test_weibull_fit_truncated_as_optim(void **state)
{
    struct weibull w;
    struct ft_err err;
    assert_ok(weibull_fit(golden_time, golden_failed, golden_entry, golden_weight, N, &w, &err),
              err);
    expect_fit(&w, &golden_truncated);
}

static void test_weibull_fit_extreme_units(void **state)
{
    bool failed[40];
    struct weibull w;
    struct ft_err err;
    for (size_t i = 0; i < 40; i++)
        failed[i] = true;
    assert_ok(weibull_fit(golden_big, failed, NULL, NULL, 40, &w, &err), err);
    expect_fit(&w, &golden_big_fit);
    assert_ok(weibull_fit(golden_small, failed, NULL, NULL, 40, &w, &err), err);
    expect_fit(&w, &golden_small_fit);
}

/* A unit of time is a choice: times * c gives scale * c, the same shape and covariance. */
static void test_weibull_fit_scales(void **state)
{
    for (double c = 1e-9; c < 1e10; c *= 1e6) {
        double time[N];
        struct weibull w;
        struct ft_err err;
        for (size_t i = 0; i < N; i++)
            time[i] = golden_time[i] * c;
        assert_ok(weibull_fit(time, golden_failed, NULL, NULL, N, &w, &err), err);
        assert_rel(w.shape, golden_plain.shape, 1e-6);
        assert_rel(w.scale, golden_plain.scale * c, 1e-6);
    }
}

/* With truth known, the Wald limits of 95 % should hold it about 95 times in 100. */
static void test_weibull_fit_recovers_truth(void **state)
{
    enum { RUNS = 200, UNITS = 150 };
    static double time[UNITS], entry[UNITS];
    static bool failed[UNITS];
    int held_shape = 0, held_scale = 0;
    const struct weibull truth = {.shape = 1.8, .scale = 500};
    for (uint64_t run = 0; run < RUNS; run++) {
        for (size_t i = 0, draw = 0; i < UNITS; draw++) {
            const double life = weibull_quantile(&truth, rng_uniform(9, run, 3 * draw));
            const double first = 200 * rng_uniform(9, run, 3 * draw + 1);
            const double last = first + 600 * rng_uniform(9, run, 3 * draw + 2);
            if (life <= first || last <= first)
                continue; /* never seen: left-truncated */
            entry[i] = first;
            time[i] = fmin(life, last);
            failed[i++] = life <= last;
        }
        struct weibull w;
        struct ft_err err;
        assert_ok(weibull_fit(time, failed, entry, NULL, UNITS, &w, &err), err);
        double shape[2], scale[2];
        weibull_limits(&w, 0.95, shape, scale);
        held_shape += shape[0] <= 1.8 && 1.8 <= shape[1];
        held_scale += scale[0] <= 500 && 500 <= scale[1];
    }
    assert_in_range(held_shape, 180, 199);
    assert_in_range(held_scale, 180, 199);
}

static void test_weibull_fit_refuses(void **state)
{
    const double time[] = {5, 7, 9, 9};
    struct weibull w;
    struct ft_err err;
    const bool none[] = {false, false, false, false}, one[] = {true, false, false, false};
    const bool last[] = {false, false, true, true}, all[] = {true, true, true, true};
    assert_int_equal(weibull_fit(time, none, NULL, NULL, 4, &w, &err), FT_TOO_FEW);
    assert_non_null(strstr(err.msg, "no failure"));
    assert_int_equal(weibull_fit(time, one, NULL, NULL, 4, &w, &err), FT_TOO_FEW);
    assert_non_null(strstr(err.msg, "Weibayes"));
    assert_int_equal(weibull_fit(time, last, NULL, NULL, 4, &w, &err), FT_TOO_FEW);
    assert_non_null(strstr(err.msg, "greatest time 9"));
    assert_int_equal(weibull_fit(time, all, NULL, NULL, 0, &w, &err), FT_TOO_FEW);
    assert_int_equal(weibull_fit((double[]){1, 0}, all, NULL, NULL, 2, &w, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "unit 2"));
    assert_int_equal(weibull_fit((double[]){1, NAN}, all, NULL, NULL, 2, &w, &err), FT_INVALID);
    assert_int_equal(weibull_fit(time, all, (double[]){0, 7, 0, 0}, NULL, 4, &w, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "entry 7"));
    assert_int_equal(weibull_fit(time, all, NULL, (double[]){1, -1, 0, 0}, 4, &w, &err),
                     FT_INVALID);
}

/* Failures soon after entry and long survival behind: the hazard falls faster than any shape
 * above 0 allows, so the truncated likelihood rises towards shape 0. */
static void test_weibull_fit_truncated_without_peak(void **state)
{
    const double time[] = {1.1, 1.2, 2000, 2000}, entry[] = {1, 1, 1, 1};
    const bool failed[] = {true, true, false, false};
    struct weibull w;
    struct ft_err err;
    assert_int_equal(weibull_fit(time, failed, entry, NULL, 4, &w, &err), FT_TOO_FEW);
    assert_non_null(strstr(err.msg, "shape goes to 0"));
}

static void test_weibull_fixed_shape_is_closed_form(void **state)
{
    const double time[] = {100, 200, 300}, entry[] = {0, 50, 0};
    const bool one[] = {false, true, false}, none[] = {false, false, false};
    struct weibull w;
    struct ft_err err;
    assert_ok(weibull_fit_fixed_shape(time, one, entry, NULL, 3, 2, &w, &err), err);
    assert_rel(w.scale, sqrt(1e4 + 4e4 - 2500 + 9e4), 1e-14);
    assert_rel(w.cov[1][1], 0.25, 1e-14);
    assert_true(w.is_shape_fixed);
    assert_ok(weibull_fit_fixed_shape(time, none, NULL, NULL, 3, 2, &w, &err), err);
    assert_rel(w.scale, sqrt(14e4 / 0.5), 1e-14);
    assert_int_equal(weibull_fit_fixed_shape(time, one, NULL, NULL, 3, 0, &w, &err), FT_INVALID);
}

static void test_weibull_functions_agree(void **state)
{
    const struct weibull w = {.shape = 2.5, .scale = 1000};
    assert_rel(weibull_mean(&w), 887.2638175030753, 1e-12);
    assert_rel(weibull_survival(&w, weibull_quantile(&w, 0.1)), 0.9, 1e-14);
    const double p = weibull_failure_probability(&w, 700, 50);
    assert_rel(1 - p, weibull_survival(&w, 750) / weibull_survival(&w, 700), 1e-13);
    assert_rel(weibull_remaining_quantile(&w, 700, p), 50.0, 1e-12);
    assert_rel(weibull_remaining_quantile(&w, 0, 0.5), weibull_quantile(&w, 0.5), 1e-14);
    assert_close(weibull_failure_probability(&w, 700, 0), 0, 0);
    /* A tiny step far out keeps its digits: h(t) dt. */
    assert_rel(weibull_failure_probability(&w, 2000, 1e-9), weibull_hazard(&w, 2000) * 1e-9, 1e-9);
    const double h = 1e-3;
    assert_rel(weibull_hazard(&w, 400),
               (log(weibull_survival(&w, 400 - h)) - log(weibull_survival(&w, 400 + h))) / (2 * h),
               1e-8);
}

static void test_weibull_age_replacement_golden(void **state)
{
    /* shape, T*, saving in per cent; scale 1000, planned 1, failure 5. */
    static const double golden[][3] = {{1.2, 1593.2121, 0.881}, {1.5, 675.49199, 10.966},
                                       {2, 510.65522, 27.591},  {2.5, 493.04696, 38.565},
                                       {3, 502.60958, 45.860},  {4, 538.40212, 54.732}};
    for (size_t i = 0; i < N_OF(golden); i++) {
        const struct weibull w = {.shape = golden[i][0], .scale = 1000};
        const struct age_replacement r = weibull_age_replacement(&w, 1, 5);
        assert_true(r.has_optimum);
        assert_rel(r.interval, golden[i][1], 2e-8);
        assert_close(100 * r.saving_frac, golden[i][2], 5e-4);
        /* First-order condition: at the optimum the rate is (C_F - C_P) h(T*). */
        assert_rel(r.cost_rate, 4 * weibull_hazard(&w, r.interval), 1e-9);
    }
    const struct weibull w = {.shape = 2.5, .scale = 1000};
    assert_rel(weibull_age_replacement(&w, 1, 5).cost_rate, 0.0034620427, 1.5e-8);
}

static void test_weibull_age_replacement_never_pays(void **state)
{
    const struct weibull falling = {.shape = 0.8, .scale = 1000}, flat = {.shape = 1, .scale = 10};
    const struct weibull rising = {.shape = 3, .scale = 1000};
    struct age_replacement r = weibull_age_replacement(&falling, 1, 5);
    assert_false(r.has_optimum);
    assert_rel(r.cost_rate, 5 / weibull_mean(&falling), 1e-14);
    assert_close(r.saving_frac, 0, 0);
    assert_false(weibull_age_replacement(&flat, 1, 5).has_optimum);
    assert_false(weibull_age_replacement(&rising, 5, 5).has_optimum);
    assert_false(weibull_age_replacement(&rising, 6, 5).has_optimum);
    assert_false(weibull_age_replacement(&rising, 0, 5).has_optimum);
    const struct weibull barely = {.shape = 1.0001, .scale = 1000};
    r = weibull_age_replacement(&barely, 1, 5);
    assert_false(r.has_optimum);
    /* Steep wear-out and a very dear failure still give a finite, sane optimum. */
    const struct weibull steep = {.shape = 50, .scale = 1e-6};
    r = weibull_age_replacement(&steep, 1, 1e6);
    assert_true(r.has_optimum && r.interval > 0 && r.interval < 1e-6);
}

static void test_weibull_minimal_repair_golden(void **state)
{
    const struct weibull w = {.shape = 2.5, .scale = 1000};
    assert_rel(weibull_minimal_repair(&w, 5, 1).interval, 1618.6446, 5e-8);
    assert_rel(weibull_minimal_repair(&w, 1, 5).interval, 446.6584, 5e-7);
    const struct weibull flat = {.shape = 1, .scale = 1000};
    assert_false(weibull_minimal_repair(&flat, 5, 1).has_optimum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weibull_fit_as_survreg),
        cmocka_unit_test(test_weibull_fit_truncated_as_optim),
        cmocka_unit_test(test_weibull_fit_extreme_units),
        cmocka_unit_test(test_weibull_fit_scales),
        cmocka_unit_test(test_weibull_fit_recovers_truth),
        cmocka_unit_test(test_weibull_fit_refuses),
        cmocka_unit_test(test_weibull_fit_truncated_without_peak),
        cmocka_unit_test(test_weibull_fixed_shape_is_closed_form),
        cmocka_unit_test(test_weibull_functions_agree),
        cmocka_unit_test(test_weibull_age_replacement_golden),
        cmocka_unit_test(test_weibull_age_replacement_never_pays),
        cmocka_unit_test(test_weibull_minimal_repair_golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
