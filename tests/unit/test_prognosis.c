#include "tests/test.h"

#include "app/prognosis.h"

/* Two units of life 100 watched at every tenth of it; one forecast is right, one is late by 30 % of
 * what is left until half of the life. */
static void test_prognosis_lives_by_hand(void **state)
{
    enum { N = 20 };
    size_t unit[N];
    double age[N], truth[N], prediction[N];
    for (size_t i = 0; i < N; i++) {
        unit[i] = i / 10;
        age[i] = 10.0 * (double)(i % 10);
        truth[i] = 100 - age[i];
        prediction[i] = truth[i] * (i >= 10 && age[i] < 50 ? 1.3 : 1);
    }
    const struct prognosis_rows rows = {unit, age, truth, prediction, N, 1000};
    const struct prognosis p = prognosis_lives(&rows);
    assert_int_equal(p.n_units, 2);
    assert_int_equal(p.n_lambda[0], 2);
    assert_close(p.alpha_lambda[0], 0.5, 0); /* at 30, the first row from a quarter on */
    assert_close(p.alpha_lambda[1], 1, 0);
    assert_close(p.relative_accuracy, 0.5 * (1 + (5 * 0.7 + 5) / 10), 1e-12);
    /* The band is 0.2 of the cap: here everything stays inside it. */
    assert_close(p.horizon, 100, 0);
    const struct prognosis_rows narrow = {unit, age, truth, prediction, N, 80};
    /* Of the second unit only 0.3 * 80 and more are outside 16: truths above 53. */
    assert_close(prognosis_lives(&narrow).horizon, 0.5 * (80 + 50), 0);
    const struct prognosis_rows none = {unit, age, truth, prediction, 0, 80};
    assert_true(isnan(prognosis_lives(&none).horizon));
}

enum { DAY = 86400000 };

static void test_prognosis_alarms_by_hand(void **state)
{
    /* One unit: a false run of two rows, silence, then a true run; another: one false row. */
    const size_t unit[] = {0, 0, 0, 0, 0, 1, 1};
    const int64_t as_of[] = {0, DAY, 2 * DAY, 3 * DAY, 4 * DAY, 0, DAY};
    const double p[] = {0.6, 0.7, 0.1, 0.8, 0.9, 0.2, 0.5};
    const int64_t failure[] = {INT64_MIN,        INT64_MIN, INT64_MIN, 6 * (int64_t)DAY,
                               6 * (int64_t)DAY, INT64_MIN, INT64_MIN};
    const struct alarm_rows rows = {unit, as_of, p, failure, 7, 2};
    const struct alarm_answer all = prognosis_alarms_at(&rows, 0.5);
    assert_close(all.alarm_rate, 1.5, 0);
    assert_close(all.false_alarm_rate, 1, 0);
    assert_int_equal(all.n_failures, 1);
    assert_int_equal(all.n_announced, 1);
    assert_close(all.lead_time_s, 3 * 86400, 0);
    const struct alarm_answer quiet = prognosis_alarms(&rows, 0);
    assert_close(quiet.threshold, 0.8, 0);
    assert_close(quiet.false_alarm_rate, 0, 0);
    assert_close(quiet.recall, 1, 0);
    assert_close(prognosis_alarms(&rows, 0.5).threshold, 0.6, 0);
    const struct alarm_rows none = {unit, as_of, p, failure, 0, 2};
    assert_true(isnan(prognosis_alarms(&none, 1).threshold));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prognosis_lives_by_hand),
        cmocka_unit_test(test_prognosis_alarms_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
