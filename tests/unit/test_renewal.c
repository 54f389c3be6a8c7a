#include "tests/test.h"

#include "models/renewal.h"

#include "tests/golden/renewal.h"

static const struct life_fit wear = {.distribution = LIFE_WEIBULL, .first = 2.5, .scale = 1000};
static const struct life_fit lognormal = {
    .distribution = LIFE_LOGNORMAL, .first = 0.5, .scale = 600};

/* Renewals of an Erlang law of two steps: t / 2 - 1 / 4 + exp(-2 t) / 4; exponential: t. */
static void test_renewal_function_closed_forms(void **state)
{
    const struct life_fit erlang = {.distribution = LIFE_GAMMA, .first = 2, .scale = 1};
    const struct life_fit even = {.distribution = LIFE_EXPONENTIAL, .first = 1, .scale = 1};
    double m[401];
    renewal_function(&erlang, 0.01, 400, m);
    for (int i = 0; i <= 400; i += 50) {
        const double t = 0.01 * i;
        assert_close(m[i], t / 2 - 0.25 + exp(-2 * t) / 4, 2e-5);
    }
    renewal_function(&even, 0.01, 400, m);
    assert_close(m[400], 4, 1e-4);
}

static void test_renewal_function_as_r(void **state)
{
    double m[501];
    renewal_function(&wear, 4, 500, m);
    assert_rel(m[100], rn_weibull[0], 1e-4);
    assert_rel(m[250], rn_weibull[1], 1e-4);
    assert_rel(m[500], rn_weibull[2], 1e-4);
    renewal_function(&lognormal, 3, 500, m);
    assert_rel(m[100], rn_lognormal[0], 1e-3);
    assert_rel(m[250], rn_lognormal[1], 1e-4);
    assert_rel(m[500], rn_lognormal[2], 1e-4);
}

static void test_renewal_block_replacement_as_r(void **state)
{
    const struct age_replacement a = renewal_block_replacement(&wear, 1, 5);
    assert_true(a.has_optimum);
    assert_rel(a.interval, rn_block_weibull[0], 1e-3);
    assert_rel(a.cost_rate, rn_block_weibull[1], 1e-5);
    const struct age_replacement b = renewal_block_replacement(&lognormal, 1, 8);
    assert_rel(b.interval, rn_block_lognormal[0], 1e-3);
    assert_rel(b.cost_rate, rn_block_lognormal[1], 1e-5);
    /* By age is never dearer than by blocks. */
    assert_true(life_age_replacement(&wear, 1, 5).cost_rate < a.cost_rate);
    const struct life_fit even = {.distribution = LIFE_WEIBULL, .first = 1, .scale = 1000};
    assert_false(renewal_block_replacement(&even, 1, 5).has_optimum);
    assert_false(renewal_block_replacement(&wear, 5, 1).has_optimum);
}

/* The golden age replacements, for every shape of the table, and their cost rate. */
static void test_renewal_age_replacement_golden(void **state)
{
    static const double want[][2] = {{1.2, 1593.2121}, {1.5, 675.49199}, {2, 510.65522},
                                     {2.5, 493.04696}, {3, 502.60958},   {4, 538.40212}};
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        const struct life_fit f = {
            .distribution = LIFE_WEIBULL, .first = want[i][0], .scale = 1000};
        const struct age_replacement r = life_age_replacement(&f, 1, 5);
        assert_rel(r.interval, want[i][1], 1e-7);
        assert_rel(renewal_age_cost_rate(&f, r.interval, 1, 5), r.cost_rate, 1e-10);
        assert_true(renewal_age_cost_rate(&f, 1.01 * r.interval, 1, 5) > r.cost_rate);
        assert_true(renewal_age_cost_rate(&f, 0.99 * r.interval, 1, 5) > r.cost_rate);
    }
    const struct age_replacement golden = life_age_replacement(&wear, 1, 5);
    assert_rel(golden.cost_rate, 0.0034620427, 1e-7);
    assert_rel(golden.saving_frac, 0.38565, 1e-4);
    for (double shape = 0.4; shape <= 1; shape += 0.2)
        assert_false(life_age_replacement(&(struct life_fit){.first = shape, .scale = 1000}, 1, 5)
                         .has_optimum);
}

static void test_renewal_inspection(void **state)
{
    struct inspection_plan plan;
    struct ft_err err;
    struct inspection_problem p = {.pf = 90, .detection = 0.7, .wanted = 0.95};
    assert_ok(renewal_inspection(&p, &plan, &err), err);
    assert_int_equal(plan.n_looks, 3); /* 1 - 0.3^3 = 0.973 */
    assert_rel(plan.interval, 22.5, 1e-12);
    assert_rel(plan.found, 0.973, 1e-12);
    assert_false(plan.has_best);
    p.cost_look = 10;
    p.cost_planned = 500;
    p.cost_failure = 5000;
    p.failure_rate = 1.0 / 1000;
    assert_ok(renewal_inspection(&p, &plan, &err), err);
    assert_true(plan.has_best);
    assert_rel(plan.run_cost_rate, 5.0, 1e-12);
    /* A scan of intervals finds nothing cheaper. */
    for (double t = 1; t < 200; t += 0.37) {
        const double rate = 10 / t + 0.001 * (5000 - 4500 * renewal_found(t, 90, 0.7));
        assert_true(rate >= plan.best_cost_rate - 1e-9);
    }
    p.cost_look = 1e6;
    assert_ok(renewal_inspection(&p, &plan, &err), err);
    assert_false(plan.has_best);
    p.cost_planned = 6000;
    assert_int_equal(renewal_inspection(&p, &plan, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "swapped"));
    p.detection = 0;
    assert_int_equal(renewal_inspection(&p, &plan, &err), FT_INVALID);
}

static void test_renewal_found_limits(void **state)
{
    assert_rel(renewal_found(180, 90, 1), 0.5, 1e-12); /* every second P-F interval sees a look */
    assert_rel(renewal_found(45, 90, 0.7), 1 - 0.09, 1e-12);
    assert_close(renewal_found(1e9, 90, 1), 0, 1e-6);
}

static void test_renewal_spares(void **state)
{
    /* ppois(0:5, 1.7) in R: 0.1826835 0.4932455 0.7572232 0.9068106 0.9703852 0.9920007 */
    assert_close(renewal_met(1.7, 3), 0.9068106, 1e-7);
    assert_int_equal(renewal_spares(1.7, 0.95), 4);
    assert_int_equal(renewal_spares(1.7, 0.99), 5);
    assert_int_equal(renewal_spares(0, 0.99), 0);
    assert_int_equal(renewal_spares(0.005, 0.99), 0);
    const size_t many = renewal_spares(1000, 0.95);
    assert_true(renewal_met(1000, many) >= 0.95 && renewal_met(1000, many - 1) < 0.95);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_renewal_function_closed_forms),
        cmocka_unit_test(test_renewal_function_as_r),
        cmocka_unit_test(test_renewal_block_replacement_as_r),
        cmocka_unit_test(test_renewal_age_replacement_golden),
        cmocka_unit_test(test_renewal_inspection),
        cmocka_unit_test(test_renewal_found_limits),
        cmocka_unit_test(test_renewal_spares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
