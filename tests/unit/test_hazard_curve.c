#include "tests/test.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/hazard_curve.h"
#include "db/asset_store.h"

#define DAY_MS ((double)MS_PER_DAY)

/* Shape 2, scale 100 d: the cumulative hazard is (t / 100)^2. */
static struct age_model wearing(void)
{
    return (struct age_model){.life = {.shape = 2, .scale = 100, .n = 10, .n_failures = 10},
                              .unit_ms = DAY_MS,
                              .rate = 0.01,
                              .n_failures = 10};
}

static double chance(const struct hazard_curve *c, double days)
{
    return hazard_curve_probability(c, (int64_t)(days * DAY_MS));
}

static void test_hazard_curve_age_is_the_conditional_weibull(void **state)
{
    const struct age_model age = wearing();
    const struct hazard_curve c = hazard_curve_age(&age, 50 * MS_PER_DAY);
    (void)state;
    assert_close(chance(&c, 0), 0, 0);
    assert_close(chance(&c, 30), 1 - exp(-(0.64 - 0.25)), 1e-9);
    /* The median: (50 + t)^2 = 50^2 + 100^2 log 2. */
    assert_rel(hazard_curve_quantile_ms(&c, 0.5), (sqrt(2500 + 1e4 * log(2)) - 50) * DAY_MS, 1e-6);
}

/* The model's p stands at its horizon, age's shape leads there, and far away age's hazard goes on.
 */
static void test_hazard_curve_failure_meets_its_horizon(void **state)
{
    const struct age_model age = wearing();
    const double p = 0.3;
    const struct hazard_curve c = hazard_curve_failure(&age, 50 * MS_PER_DAY, 10 * MS_PER_DAY, p);
    const double r = -log(1 - p) / (0.36 - 0.25);
    (void)state;
    assert_close(chance(&c, 10), p, 1e-12);
    assert_close(chance(&c, 4), 1 - exp(-r * (0.54 * 0.54 - 0.25)), 1e-9);
    double before = 0;
    for (int day = 1; day < 400; day++) {
        const double now = chance(&c, day);
        assert_true(now >= before && now <= 1);
        before = now;
    }
    /* Past nine horizons the factor is gone: what is added is age's own hazard. */
    const double added = log1p(-chance(&c, 100)) - log1p(-chance(&c, 110));
    assert_close(added, 1.6 * 1.6 - 1.5 * 1.5, 1e-3);
}

static void test_hazard_curve_failure_without_age(void **state)
{
    const struct hazard_curve c = hazard_curve_failure(NULL, DB_NO_TIME, 10 * MS_PER_DAY, 0.2);
    (void)state;
    assert_close(chance(&c, 10), 0.2, 1e-12);
    assert_close(chance(&c, 20), 1 - 0.8 * 0.8, 1e-12); /* a constant hazard */
    assert_rel(hazard_curve_quantile_ms(&c, 0.2), 10 * DAY_MS, 1e-6);
    const struct hazard_curve none = hazard_curve_age(NULL, DB_NO_TIME);
    assert_close(chance(&none, 1000), 0, 0);
    assert_true(isinf(hazard_curve_quantile_ms(&none, 0.5)));
    /* Certain and impossible stay finite. */
    const struct hazard_curve sure = hazard_curve_failure(NULL, DB_NO_TIME, MS_PER_DAY, 1);
    assert_true(chance(&sure, 1) > 0.999 && chance(&sure, 1) <= 1);
}

/* Residuals of two bins: a prediction below 50 cycles uses the first row. */
static void test_hazard_curve_rul_reads_the_residuals(void **state)
{
    static const char text[] = "{\"edges\":[50],\"levels\":[0.1,0.5,0.9],"
                               "\"residuals\":[[-10,0,10],[-30,0,60]]}";
    struct ft_err err;
    cJSON *table = NULL;
    (void)state;
    assert_ok(json_parse(text, strlen(text), &table, &err), err);
    const struct hazard_curve near = hazard_curve_rul(NULL, DB_NO_TIME, table, 40, 125, DAY_MS);
    assert_close(chance(&near, 30), 0.1, 1e-9);
    assert_close(chance(&near, 40), 0.5, 1e-9);
    assert_close(chance(&near, 45), 0.7, 1e-9); /* straight between quantiles */
    assert_close(chance(&near, 50), 0.9, 1e-9);
    assert_true(chance(&near, 200) > 0.99);
    assert_rel(hazard_curve_quantile_ms(&near, 0.5), 40 * DAY_MS, 1e-6);
    /* From the cap on the truth is "or more": the mass there is left to age, here none. */
    const struct hazard_curve far = hazard_curve_rul(NULL, DB_NO_TIME, table, 100, 125, DAY_MS);
    assert_close(chance(&far, 70), 0.1, 1e-9);
    assert_close(chance(&far, 100), 0.5, 1e-9);
    assert_close(chance(&far, 1000), 0.5, 1e-9);
    assert_true(isinf(hazard_curve_quantile_ms(&far, 0.9)));
    cJSON_Delete(table);
    /* A table that cannot be used leaves no levels. */
    assert_ok(json_parse("{}", 2, &table, &err), err);
    assert_int_equal(hazard_curve_rul(NULL, DB_NO_TIME, table, 1, 125, DAY_MS).n_levels, 0);
    cJSON_Delete(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hazard_curve_age_is_the_conditional_weibull),
        cmocka_unit_test(test_hazard_curve_failure_meets_its_horizon),
        cmocka_unit_test(test_hazard_curve_failure_without_age),
        cmocka_unit_test(test_hazard_curve_rul_reads_the_residuals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
