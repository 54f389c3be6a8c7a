#include "tests/history_fixture.h"
#include "tests/test.h"

#include "app/health_expect.h"
#include "models/anomaly.h"

enum { ASSETS = 6, DAYS = 60 };

/* Index of a sensor of the fixture among the sensors that are looked at. */
static size_t place_of(const struct health_expect *e, size_t sensor)
{
    const size_t *list;
    const size_t n = health_expect_sensors(e, &list);
    for (size_t i = 0; i < n; i++)
        if (list[i] == sensor)
            return i;
    return SIZE_MAX;
}

static struct health_expect *fit(const struct history *h, int64_t until_ms)
{
    struct ft_err err = {0};
    struct health_expect *e;
    assert_ok(health_expect_fit(h, until_ms, &e, &err), err);
    return e;
}

static void ticks_of(const struct health_expect *e, size_t asset, double *out)
{
    struct ft_err err = {0};
    assert_ok(health_expect_ticks(e, asset, 0, DAYS, out, &err), err);
}

/* 0.3 of the load is explained: what is left is noise of about 1.25 / sqrt(24) a day. */
static void test_health_expect_ticks_noise(void **state)
{
    double ticks[DAYS * 2];
    (void)state;
    struct history *h = fixture_history(ASSETS, DAYS, 5);
    assert_int_equal(health_tick_ms(h), MS_PER_DAY);
    struct health_expect *e = fit(h, DB_NO_TIME);
    assert_int_equal(place_of(e, 0), SIZE_MAX); /* the setting */
    for (size_t a = 0; a < ASSETS; a++) {
        double squares = 0;
        ticks_of(e, a, ticks);
        for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++)
            squares += ticks[i] * ticks[i];
        const double sd = sqrt(squares / (DAYS * 2));
        assert_true(sd > 0.15 && sd < 0.4);
    }
    health_expect_free(e);
    history_free(h);
}

static void test_health_expect_ticks_shift(void **state)
{
    double ticks[DAYS * 2];
    (void)state;
    struct history *h = fixture_history(ASSETS, DAYS, 5);
    struct readings *r = &h->assets[2].series[1];
    for (size_t k = 0; k < r->n; k++)
        r->value[k] += r->ts_ms[k] >= 50 * MS_PER_DAY ? 5 : 0;
    struct health_expect *e = fit(h, 50 * MS_PER_DAY);
    const size_t j = place_of(e, 1);
    ticks_of(e, 2, ticks);
    assert_true(fabs(ticks[(size_t)49 * 2 + j]) < 1.2);
    assert_true(fabs(ticks[(size_t)55 * 2 + j] - 5) < 1.2);
    assert_true(fabs(ticks[(size_t)55 * 2 + (1 - j)]) < 1.2);
    health_expect_free(e);
    history_free(h);
}

/* A stuck sensor is missing, a stopped machine too. */
static void test_health_expect_ticks_missing(void **state)
{
    double ticks[DAYS * 2];
    (void)state;
    struct history *h = fixture_history(ASSETS, DAYS, 5);
    struct readings *r = &h->assets[1].series[2];
    for (size_t k = 0; k < r->n; k++)
        r->value[k] = r->ts_ms[k] >= 20 * MS_PER_DAY ? 31.5 : r->value[k];
    r = &h->assets[3].series[0];
    for (size_t k = 0; k < r->n; k++)
        r->value[k] = r->ts_ms[k] >= 30 * MS_PER_DAY ? 0 : r->value[k];
    struct health_expect *e = fit(h, DB_NO_TIME);
    const size_t j = place_of(e, 2);
    ticks_of(e, 1, ticks);
    assert_true(isfinite(ticks[(size_t)10 * 2 + j]));
    assert_true(isnan(ticks[(size_t)40 * 2 + j]));
    assert_true(isfinite(ticks[(size_t)40 * 2 + (1 - j)]));
    ticks_of(e, 3, ticks);
    assert_true(isfinite(ticks[(size_t)10 * 2]));
    assert_true(isnan(ticks[(size_t)40 * 2]));
    health_expect_free(e);
    history_free(h);
}

static void test_health_expect_fit_sees_no_future(void **state)
{
    double before[DAYS * 2];
    double after[DAYS * 2];
    (void)state;
    struct history *h = fixture_history(ASSETS, DAYS, 6);
    struct health_expect *e = fit(h, 40 * MS_PER_DAY);
    ticks_of(e, 0, before);
    health_expect_free(e);
    for (size_t a = 0; a < ASSETS; a++)
        for (size_t s = 0; s < 3; s++)
            for (size_t k = 0; k < h->assets[a].series[s].n; k++)
                if (h->assets[a].series[s].ts_ms[k] >= 40 * MS_PER_DAY)
                    h->assets[a].series[s].value[k] = 7 * rng_normal(8, a, k);
    e = fit(h, 40 * MS_PER_DAY);
    ticks_of(e, 0, after);
    for (size_t i = 0; i < (size_t)39 * 2; i++) /* the last day before shares no row with it */
        assert_true(before[i] == after[i]);
    health_expect_free(e);
    history_free(h);
}

static void test_health_expect_fit_refuses(void **state)
{
    struct ft_err err = {0};
    struct health_expect *e;
    (void)state;
    struct history *h = fixture_history(ASSETS, DAYS, 5);
    h->sensors[1].role = h->sensors[2].role = SENSOR_ROLE_METER;
    assert_int_equal(health_expect_fit(h, DB_NO_TIME, &e, &err), FT_TOO_FEW);
    assert_null(e);
    h->step_ms = 0;
    assert_int_equal(health_expect_fit(h, DB_NO_TIME, &e, &err), FT_TOO_FEW);
    health_expect_free(NULL);
    history_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health_expect_ticks_noise),
        cmocka_unit_test(test_health_expect_ticks_shift),
        cmocka_unit_test(test_health_expect_ticks_missing),
        cmocka_unit_test(test_health_expect_fit_sees_no_future),
        cmocka_unit_test(test_health_expect_fit_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
