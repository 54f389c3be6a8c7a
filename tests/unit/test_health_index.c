#include "tests/history_fixture.h"
#include "tests/test.h"

#include "app/base/json.h"
#include "app/health_index.h"

enum { ASSETS = 6, DAYS = 80, SICK = 4 };

/* Only gaps and noise; then asset SICK gets hot from day 50 on. */
static struct history *plant(bool is_sick)
{
    struct history *h = fixture_history(ASSETS, DAYS, 5);
    for (size_t a = 0; a < ASSETS; a++)
        h->assets[a].n_events = 0;
    struct readings *r = &h->assets[SICK].series[1];
    for (size_t k = 0; k < r->n && is_sick; k++)
        if (r->ts_ms[k] >= 50 * MS_PER_DAY)
            r->value[k] += 0.3 * (double)(r->ts_ms[k] - 50 * MS_PER_DAY) / (double)MS_PER_DAY;
    return h;
}

static void test_health_index_find(void **state)
{
    struct ft_err err = {0};
    struct health_index x;
    (void)state;
    struct history *h = plant(true);
    assert_ok(health_index_find(h, 40 * MS_PER_DAY, &x, &err), err);
    assert_int_equal(x.n_ticks, DAYS);
    for (size_t a = 0; a < ASSETS; a++) {
        const size_t t = health_index_newest(&x, a);
        assert_int_equal(t, DAYS - 1);
        assert_int_equal(health_index_points(&x, a)[t].is_alarm, a == SICK);
    }
    const struct anomaly_point *p = &health_index_points(&x, SICK)[DAYS - 1];
    assert_string_equal(h->sensors[x.sensor[p->lead]].name, "temperature");
    char text[160];
    health_index_text(&x, SICK, DAYS - 1, text, sizeof(text));
    assert_non_null(strstr(text, "temperature is "));
    health_index_text(&x, 0, DAYS - 1, text, sizeof(text));
    assert_non_null(strstr(text, "as normal"));
    health_index_clear(&x);
    history_free(h);
}

static void test_health_index_find_renewal(void **state)
{
    struct ft_err err = {0};
    struct health_index x;
    (void)state;
    struct history *h = plant(false);
    h->assets[1].events[0] = (struct history_event){.ts_ms = 30 * MS_PER_DAY + 5 * MS_PER_HOUR,
                                                    .kind = EVENT_REPLACEMENT,
                                                    .component = 0,
                                                    .code = HISTORY_NO_INDEX};
    h->assets[1].n_events = 1;
    assert_ok(health_index_find(h, DB_NO_TIME, &x, &err), err);
    assert_true(isnan(health_index_points(&x, 1)[30].health));
    assert_true(isfinite(health_index_points(&x, 1)[31].health));
    assert_true(isfinite(health_index_points(&x, 2)[30].health));
    health_index_clear(&x);
    history_free(h);
}

static void test_health_index_json(void **state)
{
    struct ft_err err = {0};
    struct health_index x;
    (void)state;
    struct history *h = plant(true);
    assert_ok(health_index_find(h, 40 * MS_PER_DAY, &x, &err), err);
    cJSON *o = health_index_json(&x, SICK, 20);
    assert_non_null(o);
    const cJSON *items = json_get(o, "items");
    assert_int_equal(cJSON_GetArraySize(items), 20);
    assert_string_equal(json_get(o, "method")->valuestring, "anomaly");
    assert_string_equal(json_get(o, "sensor")->valuestring, "temperature");
    assert_true(cJSON_IsTrue(json_get(o, "alarm")));
    assert_non_null(json_get(o, "alarm_since"));
    const cJSON *last = cJSON_GetArrayItem(items, 19);
    assert_true(json_get(last, "health")->valuedouble < 85);
    assert_string_equal(json_get(last, "at")->valuestring, json_get(o, "as_of")->valuestring);
    cJSON_Delete(o);
    o = health_index_json(&x, 0, 0);
    assert_int_equal(cJSON_GetArraySize(json_get(o, "items")), 0);
    assert_true(cJSON_IsFalse(json_get(o, "alarm")));
    assert_null(json_get(o, "alarm_since"));
    cJSON_Delete(o);
    health_index_clear(&x);
    history_free(h);
}

static void test_health_index_find_refuses(void **state)
{
    struct ft_err err = {0};
    struct health_index x;
    int64_t start_ms = -1;
    int64_t end_ms = -1;
    (void)state;
    struct history *h = fixture_history(3, 10, 5);
    assert_int_equal(health_index_find(h, DB_NO_TIME, &x, &err), FT_TOO_FEW);
    assert_null(x.found);
    assert_ok(health_index_span(h, &start_ms, &end_ms, &err), err);
    assert_int_equal(start_ms, 0);
    assert_int_equal(end_ms, 10 * MS_PER_DAY);
    for (size_t a = 0; a < 3; a++)
        for (size_t s = 0; s < 3; s++)
            h->assets[a].series[s].n = 0;
    assert_int_equal(health_index_span(h, &start_ms, &end_ms, &err), FT_TOO_FEW);
    assert_int_equal(health_index_find(h, DB_NO_TIME, &x, &err), FT_TOO_FEW);
    history_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health_index_find),
        cmocka_unit_test(test_health_index_find_renewal),
        cmocka_unit_test(test_health_index_json),
        cmocka_unit_test(test_health_index_find_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
