#include "tests/test.h"

#include "app/age_model.h"
#include "app/dataset.h"
#include "tests/history_fixture.h"

#define DAY MS_PER_DAY

/* One asset, 30 days, with the given events. */
static struct history *one_asset(const struct history_event *events, size_t n)
{
    struct history *h = fixture_history(1, 30, 2);
    memcpy(h->assets[0].events, events, n * sizeof(*events));
    h->assets[0].n_events = n;
    history_derive(h);
    return h;
}

static double label_at(const struct history *h, int64_t as_of, int64_t horizon, int64_t until,
                       int64_t *lead)
{
    struct dataset_row row = {.asset = 0, .as_of_ms = as_of};
    const struct dataset d = {.rows = &row, .n = 1};
    double y = -1;
    dataset_failure_labels(h, &d, 0, horizon, until, &y, lead);
    return y;
}

static void test_dataset_failure_labels(void **state)
{
    const struct history_event events[] = {
        {1, 5 * DAY, EVENT_REPLACEMENT, 0, SIZE_MAX}, /* preventive */
        {2, 10 * DAY, EVENT_FAILURE, 0, SIZE_MAX},
        {3, 10 * DAY, EVENT_REPLACEMENT, 0, SIZE_MAX},
        {4, 15 * DAY, EVENT_FAILURE, 1, SIZE_MAX}, /* of the other part */
        {5, 20 * DAY, EVENT_REPLACEMENT, 0, SIZE_MAX}};
    struct history *h = one_asset(events, 5);
    int64_t lead;
    /* Failure in (t, t + H], strictly after t. */
    assert_close(label_at(h, 9 * DAY, DAY, DB_NO_TIME, &lead), 1, 0);
    assert_true(lead == DAY);
    assert_close(label_at(h, 10 * DAY, DAY, DB_NO_TIME, &lead), 0, 0);
    assert_true(lead == DB_NO_TIME);
    assert_close(label_at(h, 8 * DAY, DAY, DB_NO_TIME, NULL), 0, 0);
    assert_close(label_at(h, 8 * DAY, 2 * DAY, DB_NO_TIME, NULL), 1, 0);
    /* A preventive replacement censors; one at the instant of the failure is its repair. */
    assert_true(isnan(label_at(h, 4 * DAY, 2 * DAY, DB_NO_TIME, NULL)));
    assert_true(isnan(label_at(h, 4 * DAY, 8 * DAY, DB_NO_TIME, NULL)));
    assert_true(isnan(label_at(h, 19 * DAY, 3 * DAY, DB_NO_TIME, NULL)));
    /* Events of other parts do not matter. */
    assert_close(label_at(h, 14 * DAY, 2 * DAY, DB_NO_TIME, NULL), 0, 0);
    /* The end of the data, or --until, leaves the outcome open. */
    assert_true(isnan(label_at(h, 29 * DAY, 2 * DAY, DB_NO_TIME, NULL)));
    assert_true(isnan(label_at(h, 9 * DAY, 2 * DAY, 10 * DAY + 1, NULL)));
    assert_close(label_at(h, 9 * DAY, DAY, 10 * DAY, NULL), 1, 0);
    history_free(h);
}

static void test_dataset_failure_rows_end_at_until(void **state)
{
    struct history *h = fixture_history(3, 30, 4);
    const bool include[] = {true, false, true};
    struct dataset d;
    struct ft_err err;
    assert_ok(dataset_failure_rows(h, include, DAY, 3 * DAY, 12 * DAY, &d, &err), err);
    assert_int_equal(d.n, 2 * 9);
    for (size_t i = 0; i < d.n; i++) {
        assert_true(d.rows[i].asset != 1);
        assert_true(d.rows[i].as_of_ms >= 3 * DAY && d.rows[i].as_of_ms < 12 * DAY);
        assert_true(i == 0 || d.rows[i].asset > d.rows[i - 1].asset ||
                    d.rows[i].as_of_ms == d.rows[i - 1].as_of_ms + DAY);
    }
    dataset_clear(&d);
    history_free(h);
}

static void test_dataset_rul_rows(void **state)
{
    struct history *h = fixture_history(5, 20, 8);
    struct dataset d;
    double *y;
    double *weight;
    struct ft_err err;
    /* Assets 0..3 fail at their last reading; 4 goes on. */
    for (size_t a = 0; a < 5; a++) {
        struct history_asset *as = &h->assets[a];
        const int64_t end = (int64_t)(10 + 2 * a) * DAY;
        for (size_t s = 0; s < 3; s++)
            while (as->series[s].n > 0 && as->series[s].ts_ms[as->series[s].n - 1] > end)
                as->series[s].n--;
        as->n_events = a < 4;
        as->events[0] = (struct history_event){1, end, EVENT_FAILURE, SIZE_MAX, SIZE_MAX};
    }
    history_derive(h);
    const bool include[] = {true, true, true, false, true};
    assert_ok(dataset_rul_rows(h, include, 5, 24, &d, &y, &weight, &err), err);
    double sums[5] = {0};
    for (size_t i = 0; i < d.n; i++) {
        assert_true(d.rows[i].asset < 3);
        const double left = (double)(h->assets[d.rows[i].asset].last_ms - d.rows[i].as_of_ms);
        assert_close(y[i], fmin(5, left / (double)DAY), 1e-9);
        assert_true(left > 0); /* the instant of the failure is no forecast */
        sums[d.rows[i].asset] += weight[i];
    }
    for (size_t a = 0; a < 3; a++)
        assert_close(sums[a], 1, 1e-9);
    dataset_clear(&d);
    free(y);
    free(weight);
    const bool two[] = {true, true, false, false, true};
    assert_int_equal(dataset_rul_rows(h, two, 5, 3, &d, &y, &weight, &err), FT_TOO_FEW);
    history_free(h);
}

/* Exponential lives seen through censoring: the fitted mean comes back. */
static void test_age_model_fit(void **state)
{
    enum { N = 300 };
    struct history *h = fixture_history(N, 1, 5);
    struct age_model m;
    struct ft_err err;
    for (size_t a = 0; a < N; a++) {
        struct history_asset *as = &h->assets[a];
        const double life_d = -40 * log(1 - rng_uniform(11, 1, a));
        as->commissioned_ms = 0;
        as->retired_ms = life_d < 60 ? (int64_t)(life_d * (double)DAY) : DB_NO_TIME;
        as->n_events = 1;
        /* Watched for 60 days: an alarm says so where no failure came. */
        as->events[0] = (struct history_event){
            (int64_t)a + 1, life_d < 60 ? (int64_t)(life_d * (double)DAY) : 60 * DAY,
            life_d < 60 ? EVENT_FAILURE : EVENT_ALARM, life_d < 60 ? 0 : SIZE_MAX,
            life_d < 60 ? SIZE_MAX : 0};
    }
    history_derive(h);
    assert_ok(age_model_fit(h, 0, NULL, DB_NO_TIME, &m, &err), err);
    assert_true(m.n_failures > 200 && m.n_failures < N);
    assert_close(m.life.shape, 1, 0.2);
    assert_close(age_model_probability(&m, 10 * DAY, 40 * DAY), 1 - exp(-1), 0.08);
    /* Unknown age: the mean rate. */
    assert_close(age_model_probability(&m, DB_NO_TIME, DAY), 1 - exp(-m.rate), 1e-9);
    assert_close(age_model_expected(&m, 0, 1e4), 40, 6);
    history_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dataset_failure_labels),
        cmocka_unit_test(test_dataset_failure_rows_end_at_until),
        cmocka_unit_test(test_dataset_rul_rows),
        cmocka_unit_test(test_age_model_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
