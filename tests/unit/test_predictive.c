#include "tests/test.h"

#include "app/base/clock.h"
#include "app/planner/predictive.h"

#define NOW INT64_C(1790000000000)

/* Constant hazard h per day up to day rise, then ten times as high. */
static struct forecast forecast_of(double h, int rise)
{
    struct forecast f = {.as_of_ms = NOW};
    double cumulative = 0;
    for (int i = 0; i < 20; i++) {
        const int day = 5 * (i + 1);
        cumulative += 5 * (day <= rise ? h : 10 * h);
        f.horizon_ms[i] = day * MS_PER_DAY;
        f.p[i] = 1 - exp(-cumulative);
        f.n_horizons++;
    }
    return f;
}

static struct predictive_input input_of(const struct forecast *f)
{
    return (struct predictive_input){.forecast = f,
                                     .now_ms = NOW,
                                     .cost_failure = 30000,
                                     .cost_planned = 6000,
                                     .inspection_cost = 450,
                                     .life_rate = 40,
                                     .p_age_only = NAN,
                                     .risk_limit = 0.10,
                                     .n_days = 90};
}

static void test_predictive_window_at_the_crossing(void **state)
{
    /* The hazard is worth less than a day of life (0.001 x 24,000 = 24 < 40) until day 20 and more
     * afterwards (240): the best day is day 20. */
    const struct forecast f = forecast_of(0.001, 20);
    const struct predictive_input in = input_of(&f);
    struct predictive_window w;
    predictive_window(&in, &w);
    assert_int_equal(w.best, 20);
    assert_true(w.pays);
    assert_true(w.earliest <= w.best && w.best <= w.latest);
    assert_close(w.risk_by_best, 1 - exp(-0.02), 1e-9);
    /* risk <= 10 %: 0.02 + 0.01 (d - 20) <= 0.10536. */
    assert_int_equal(w.latest, 28);
    /* One more day: 0.01 of hazard x 24,000 less 40, while alive. */
    assert_rel(w.waiting_per_day, exp(-0.02) * ((1 - exp(-0.01)) * 24000 - 40), 1e-9);
    for (int d = 0; d < w.n_days; d++)
        assert_true(w.cost[d] >= w.cost_best - 1e-9 || d > w.latest);
}

static void test_predictive_window_healthy_does_not_pay(void **state)
{
    const struct forecast f = forecast_of(0.001, 1000);
    const struct predictive_input in = input_of(&f);
    struct predictive_window w;
    predictive_window(&in, &w);
    assert_false(w.pays);
    assert_close(w.waiting_per_day, 0, 1e-12);
    const struct forecast none = {0};
    struct predictive_input empty = input_of(&none);
    predictive_window(&empty, &w);
    assert_false(w.pays);
}

static void test_predictive_window_threshold_and_hysteresis(void **state)
{
    const struct forecast f = forecast_of(0.001, 20);
    struct predictive_input in = input_of(&f);
    struct predictive_window w;
    predictive_window(&in, &w);
    /* (40 x 30 + 450) / 24,000 = 6.875 %; the chance within 30 days is 11.3 %. */
    assert_close(w.p_open, 0.06875, 1e-9);
    in.p_age_only = 0.14; /* age alone says more than the sensors do */
    predictive_window(&in, &w);
    assert_false(w.pays);
    in.is_open = true; /* 11.3 % is above 0.7 x 14 % */
    predictive_window(&in, &w);
    assert_true(w.pays);
    in.p_age_only = 0.18;
    predictive_window(&in, &w);
    assert_false(w.pays);
}

static void test_predictive_window_waits_for_spare_stop_and_workday(void **state)
{
    const struct forecast f = forecast_of(0.01, 1000); /* at once, if it were possible */
    struct predictive_input in = input_of(&f);
    struct predictive_window w;
    double planned[90];
    bool workday[90];
    predictive_window(&in, &w);
    assert_int_equal(w.best, 0);
    in.lead_days = 4;
    predictive_window(&in, &w);
    assert_int_equal(w.best, 4);
    assert_true(w.earliest >= 4);
    for (int d = 0; d < 90; d++) {
        planned[d] = d == 6 ? 2000 : 6000; /* a stop on day 6 saves 4,000 */
        workday[d] = d % 7 != 4 && d % 7 != 5;
    }
    in.planned_on = planned;
    predictive_window(&in, &w);
    assert_int_equal(w.best, 6);
    in.planned_on = NULL;
    in.is_workday = workday;
    predictive_window(&in, &w);
    assert_int_equal(w.best, 6); /* days 4 and 5 are a weekend */
    in.lead_days = 500;          /* beyond the horizon */
    predictive_window(&in, &w);
    assert_true(w.best <= 89);
}

static void test_predictive_window_counts_from_now(void **state)
{
    /* The forecast is ten days old: what it said for days 10 to 20 is now. */
    const struct forecast f = forecast_of(0.001, 20);
    struct predictive_input in = input_of(&f);
    struct predictive_window w;
    in.now_ms = NOW + 10 * MS_PER_DAY;
    predictive_window(&in, &w);
    assert_int_equal(w.best, 10);
    assert_close(w.risk[10], 1 - exp(-0.01), 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predictive_window_at_the_crossing),
        cmocka_unit_test(test_predictive_window_healthy_does_not_pay),
        cmocka_unit_test(test_predictive_window_threshold_and_hysteresis),
        cmocka_unit_test(test_predictive_window_waits_for_spare_stop_and_workday),
        cmocka_unit_test(test_predictive_window_counts_from_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
