#include "tests/history_fixture.h"
#include "tests/test.h"

#include "app/cold_start.h"

enum { ASSETS = 6, DAYS = 60 };

/* The first n failures of component 0 stay in the record, on asset after asset. */
static struct history *record(size_t n)
{
    struct history *h = fixture_history(ASSETS, DAYS, 5);
    for (size_t a = 0; a < ASSETS; a++) {
        h->assets[a].n_events = a < n ? 1 : 0;
        h->assets[a].events[0] = (struct history_event){.ts_ms = (int64_t)(10 + a) * MS_PER_DAY,
                                                        .kind = EVENT_FAILURE,
                                                        .component = 0,
                                                        .code = HISTORY_NO_INDEX};
    }
    history_derive(h);
    return h;
}

static void test_cold_start_fill_age(void **state)
{
    static const struct {
        size_t n, missing;
        const char *method, *next;
    } cases[] = {{0, 1, "none", "constant_rate"},
                 {2, 1, "constant_rate", "weibull"},
                 {3, 7, "weibull", "sensors"}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct history *h = record(cases[i].n);
        const struct age_model age = {.n_failures = cases[i].n, .is_shape_fixed = cases[i].n < 3};
        struct forecast f = {.n_horizons = cases[i].n > 0};
        cold_start_fill(h, 0, &age, false, &f);
        assert_string_equal(f.method, cases[i].method);
        assert_string_equal(f.next_method, cases[i].next);
        assert_int_equal(f.next_missing, cases[i].missing);
        assert_int_equal(f.next_ms == FORECAST_NO_TIME, cases[i].n == 0);
        assert_true(f.next_ms == FORECAST_NO_TIME || f.next_ms > h->end_ms);
        history_free(h);
    }
}

static void test_cold_start_fill_models(void **state)
{
    (void)state;
    struct history *h = record(2);
    struct forecast f = {.model_id = 7, .n_horizons = 1};
    cold_start_fill(h, 0, NULL, false, &f);
    assert_string_equal(f.method, "sensors");
    assert_string_equal(f.next_method, "");
    cold_start_fill(h, HISTORY_NO_INDEX, NULL, true, &f);
    assert_string_equal(f.method, "remaining_life");
    f = (struct forecast){.n_horizons = 1, .model_kind = "components"};
    cold_start_fill(h, HISTORY_NO_INDEX, NULL, false, &f);
    assert_string_equal(f.method, "components");
    history_free(h);
}

static void test_cold_start_watch(void **state)
{
    struct ft_err err = {0};
    struct health_index x;
    (void)state;
    struct history *h = record(0);
    struct forecast f = {.method = "none"};
    cold_start_watch(NULL, 0, &f);
    assert_string_equal(f.method, "none");
    assert_ok(health_index_find(h, DB_NO_TIME, &x, &err), err);
    cold_start_watch(&x, 0, &f);
    assert_string_equal(f.method, "anomaly");
    assert_non_null(strstr(f.spoke, "health "));
    f = (struct forecast){.n_horizons = 1, .method = "weibull"};
    cold_start_watch(&x, 0, &f); /* a forecast is better than a watch */
    assert_string_equal(f.method, "weibull");
    health_index_clear(&x);
    history_free(h);
}

static void test_cold_start_about_ms(void **state)
{
    (void)state;
    /* 5 failures in 100 days: 5 more take another 100. */
    assert_int_equal(cold_start_about_ms(0, 100 * MS_PER_DAY, 5, 5), 200 * MS_PER_DAY);
    assert_true(cold_start_about_ms(0, 100 * MS_PER_DAY, 0, 5) == FORECAST_NO_TIME);
    assert_true(cold_start_about_ms(DB_NO_TIME, MS_PER_DAY, 5, 5) == FORECAST_NO_TIME);
    assert_true(cold_start_about_ms(0, 1000 * MS_PER_DAY, 1, 9) == FORECAST_NO_TIME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cold_start_fill_age),
        cmocka_unit_test(test_cold_start_fill_models),
        cmocka_unit_test(test_cold_start_watch),
        cmocka_unit_test(test_cold_start_about_ms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
