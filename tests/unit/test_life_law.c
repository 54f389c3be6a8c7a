#include "tests/test.h"

#include "models/life.h"

#include "tests/golden/life.h"

static const struct life_fit laws[N_LIFE_DISTRIBUTIONS] = {
    {.distribution = LIFE_WEIBULL, .first = 2.5, .scale = 1000},
    {.distribution = LIFE_LOGNORMAL, .first = 0.5, .scale = 600},
    {.distribution = LIFE_LOGLOGISTIC, .first = 4, .scale = 700},
    {.distribution = LIFE_EXPONENTIAL, .first = 1, .scale = 300},
    {.distribution = LIFE_GAMMA, .first = 3, .scale = 200},
    {.distribution = LIFE_GUMBEL, .first = 900, .scale = 150},
};

static void test_life_functions_agree(void **state)
{
    for (int k = 0; k < N_LIFE_DISTRIBUTIONS; k++) {
        const struct life_fit *f = &laws[k];
        for (double p = 0.01; p < 1; p += 0.049) {
            const double t = life_quantile(f, p), h = 1e-4 * t;
            assert_rel(life_survival(f, t), 1 - p, 1e-12);
            /* The hazard is minus the slope of log S. */
            assert_rel(life_hazard(f, t),
                       (life_log_survival(f, t - h) - life_log_survival(f, t + h)) / (2 * h), 1e-5);
        }
        const double far = life_quantile(f, 0.999999999);
        if (k != LIFE_GUMBEL) /* whose mean counts ages below 0 */
            assert_rel(life_lived_to(f, far), life_mean(f), 1e-6);
    }
}

static void test_life_lived_to_closed_forms(void **state)
{
    const struct life_fit *e = &laws[LIFE_EXPONENTIAL];
    for (double t = 1e-3; t < 1e6; t *= 7)
        assert_rel(life_lived_to(e, t), -300 * expm1(-t / 300), 1e-11);
    /* Weibull of shape 1 / 2, which is steep at 0: int_0^T exp(-sqrt(t)) = 2 - 2 e^-s (1 + s). */
    const struct life_fit half = {.distribution = LIFE_WEIBULL, .first = 0.5, .scale = 1};
    for (double t = 1e-3; t < 1e3; t *= 7)
        assert_rel(life_lived_to(&half, t), 2 - 2 * exp(-sqrt(t)) * (1 + sqrt(t)), 1e-7);
}

static void test_life_age_replacement_weibull_both_ways(void **state)
{
    for (double shape = 1.1; shape < 60; shape *= 1.7) {
        const struct life_fit f = {.distribution = LIFE_WEIBULL, .first = shape, .scale = 1e4};
        const struct weibull w = {.shape = shape, .scale = 1e4};
        const struct age_replacement a = life_age_replacement(&f, 1, 9);
        const struct age_replacement b = weibull_age_replacement(&w, 1, 9);
        assert_int_equal(a.has_optimum, b.has_optimum);
        assert_rel(a.cost_rate, b.cost_rate, 1e-9);
        if (a.has_optimum)
            assert_rel(a.interval, b.interval, 1e-8);
    }
}

static void expect_replacement(enum life_distribution k, const double *want)
{
    const struct life_fit *f = &laws[k];
    const struct age_replacement r = life_age_replacement(f, 1, 8);
    assert_true(r.has_optimum);
    assert_rel(r.interval, want[0], 1e-7);
    assert_rel(r.cost_rate, want[1], 1e-9);
    assert_rel(r.saving_frac, want[2], 1e-6);
    assert_rel(life_lived_to(f, r.interval) / life_survival(f, 0), want[4], 1e-7);
}

static void test_life_age_replacement_as_r(void **state)
{
    expect_replacement(LIFE_GAMMA, golden_replace_gamma);
    expect_replacement(LIFE_LOGNORMAL, golden_replace_lognormal);
    expect_replacement(LIFE_LOGLOGISTIC, golden_replace_loglogistic);
    expect_replacement(LIFE_GUMBEL, golden_replace_gumbel);
}

static void test_life_age_replacement_never_pays(void **state)
{
    struct age_replacement r = life_age_replacement(&laws[LIFE_EXPONENTIAL], 1, 8);
    assert_false(r.has_optimum);
    assert_rel(r.cost_rate, 8.0 / 300, 1e-14);
    for (int k = 0; k < N_LIFE_DISTRIBUTIONS; k++) {
        assert_false(life_age_replacement(&laws[k], 8, 8).has_optimum);
        assert_false(life_age_replacement(&laws[k], 8, 1).has_optimum);
    }
    /* Hazards that fall, or rise too little and too short. */
    const struct life_fit never[] = {
        {.distribution = LIFE_LOGLOGISTIC, .first = 0.9, .scale = 700},
        {.distribution = LIFE_LOGLOGISTIC, .first = 1.2, .scale = 700},
        {.distribution = LIFE_LOGNORMAL, .first = 1.5, .scale = 700},
        {.distribution = LIFE_GAMMA, .first = 0.9, .scale = 700},
        {.distribution = LIFE_GAMMA, .first = 1.05, .scale = 700},
        {.distribution = LIFE_WEIBULL, .first = 0.8, .scale = 700},
    };
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        assert_false(life_age_replacement(&never[i], 1, 2).has_optimum);
    assert_false(life_hazard_rises(&never[0]));
    assert_true(life_hazard_rises(&never[1]));
    assert_false(life_hazard_rises(&never[3]));
    assert_false(life_hazard_rises(&laws[LIFE_EXPONENTIAL]));
}

/* The answer is the least rate on a grid around it, for every law that has one. */
static void test_life_age_replacement_is_least(void **state)
{
    for (int k = 0; k < N_LIFE_DISTRIBUTIONS; k++) {
        const struct life_fit *f = &laws[k];
        const struct age_replacement r = life_age_replacement(f, 1, 20);
        for (double t = 20; t < 2000 && r.has_optimum; t += 20) {
            const double alive = life_survival(f, t) / life_survival(f, 0);
            const double lived = life_lived_to(f, t) / life_survival(f, 0);
            assert_true((alive + 20 * (1 - alive)) / lived >= r.cost_rate * (1 - 1e-12));
        }
        assert_true(r.has_optimum == (k != LIFE_EXPONENTIAL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life_functions_agree),
        cmocka_unit_test(test_life_lived_to_closed_forms),
        cmocka_unit_test(test_life_age_replacement_weibull_both_ways),
        cmocka_unit_test(test_life_age_replacement_as_r),
        cmocka_unit_test(test_life_age_replacement_never_pays),
        cmocka_unit_test(test_life_age_replacement_is_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
