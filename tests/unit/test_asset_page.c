#include "tests/plan_fixture.h"

#include "app/asset_page.h"
#include "app/base/json.h"
#include "app/planner/planner.h"
#include "db/reading_store.h"

static const char *text(const cJSON *o, const char *key)
{
    const cJSON *item = json_get(o, key);
    return cJSON_IsString(item) ? item->valuestring : "(none)";
}

static double number(const cJSON *o, const char *key)
{
    const cJSON *item = json_get(o, key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static void add_vibration(struct fixture *x)
{
    enum { N = 2000 };
    struct ft_err err;
    struct reading_counts counts = {0};
    int64_t id;
    int64_t ts[N];
    double value[N];
    for (int i = 0; i < N; i++) {
        ts[i] = FIXTURE_NOW - (N - i) * MS_PER_HOUR;
        value[i] = 2 + 0.2 * sin(i);
    }
    assert_ok(sensor_ensure(x->db, x->pump[0], "vibration", &id, &err), err);
    assert_ok(db_begin(x->db, &err), err);
    assert_ok(reading_put(x->db, id, ts, value, N, &counts, &err), err);
    assert_ok(db_commit(x->db, &err), err);
}

static void test_asset_page_json_of_a_sick_pump(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    struct planner_summary s;
    cJSON *o;
    struct forecast f[2];
    add_vibration(x);
    f[0] = fixture_forecast(x, x->pump[0], x->bearing, 0.5, "gbdt");
    f[1] = fixture_forecast(x, x->pump[0], x->seal, 0.02, "weibull_age");
    fixture_forecasts(x, f, 2, FIXTURE_NOW);
    assert_ok(planner_run(x->db, NULL, &s, &err), err);
    assert_ok(asset_page_json(x->db, "P-1", &o, &err), err);
    assert_string_equal(text(o, "state"), "act");
    assert_string_equal(text(json_get(o, "decision"), "lead"), "Replace the bearing on Fri 6 Nov.");
    assert_non_null(strstr(text(json_get(o, "decision"), "rest"),
                           "50 % chance of failure in 30 days. Expected cost EUR"));
    const cJSON *costs = json_get(o, "cost_by_date");
    assert_int_equal(cJSON_GetArraySize(json_get(costs, "points")), 90);
    assert_string_equal(text(json_get(costs, "best"), "date"), "2026-11-06");
    assert_true(cJSON_IsNull(json_get(costs, "next")));
    assert_close(number(json_get(o, "window"), "risk_limit"), 0.1, 1e-12);
    assert_string_equal(text(json_get(o, "window"), "best"), "2026-11-06");
    const cJSON *parts = json_get(o, "components");
    assert_int_equal(cJSON_GetArraySize(parts), 2);
    assert_string_equal(text(parts->child, "name"), "bearing");
    assert_close(number(parts->child, "age_s"), 100 * 86400.0, 1);
    assert_string_equal(text(json_get(parts->child, "last_event"), "kind"), "failure");
    const cJSON *sensor = json_get(o, "sensors")->child;
    assert_string_equal(text(sensor, "name"), "vibration");
    assert_true(number(json_get(sensor, "baseline"), "low") > 1.8);
    assert_true(number(json_get(sensor, "baseline"), "high") < 2.2);
    assert_int_equal(number(sensor, "telling"), 1);
    assert_true(cJSON_GetArraySize(json_get(o, "work")) >= 1);
    assert_int_equal(cJSON_GetArraySize(json_get(o, "similar")), 0);
    cJSON_Delete(o);
    assert_int_equal(asset_page_json(x->db, "P-9", &o, &err), FT_NOT_FOUND);
}

static void test_asset_page_json_similar_cases_show_misses(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    cJSON *o;
    struct forecast f = fixture_forecast(x, x->pump[0], x->bearing, 0.5, "gbdt");
    fixture_forecasts(x, &f, 1, FIXTURE_NOW);
    /* The failures of P-2 (120 days ago) and P-3 (140 days ago) were foreseen and missed. */
    for (int i = 1; i < 3; i++) {
        const struct ledger_row row = {.asset_id = x->pump[i],
                                       .component_id = x->bearing,
                                       .model_id = x->model,
                                       .as_of_ms = FIXTURE_NOW - (100 + 20 * i + 10) * MS_PER_DAY,
                                       .horizon_ms = 30 * MS_PER_DAY,
                                       .p = i == 1 ? 0.6 : 0.01};
        assert_ok(ledger_put(x->db, &row, &err), err);
    }
    assert_ok(asset_page_json(x->db, "P-1", &o, &err), err);
    const cJSON *similar = json_get(o, "similar");
    assert_int_equal(cJSON_GetArraySize(similar), 2);
    assert_string_equal(text(similar->child, "asset"), "P-2");
    assert_string_equal(text(similar->child, "verdict"), "right");
    assert_string_equal(text(similar->child->next, "verdict"), "missed");
    cJSON_Delete(o);
}

static void test_asset_page_json_without_forecast(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    cJSON *o;
    assert_ok(asset_page_json(x->db, "P-4", &o, &err), err);
    assert_string_equal(text(o, "state"), "no_data");
    assert_string_equal(text(json_get(o, "decision"), "lead"), "No forecast.");
    assert_true(cJSON_IsNull(json_get(o, "cost_by_date")));
    assert_true(cJSON_IsNull(json_get(o, "window")));
    cJSON_Delete(o);
}

static void test_asset_timeline_json_in_order(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    cJSON *o;
    assert_ok(asset_timeline_json(x->db, "P-1", 0, 0, &o, &err), err);
    const cJSON *items = json_get(o, "items");
    assert_int_equal(cJSON_GetArraySize(items), 5); /* four events, one model */
    assert_string_equal(text(items->child, "kind"), "replacement");
    const char *last = "";
    const cJSON *i;
    cJSON_ArrayForEach (i, items) {
        assert_true(strcmp(last, text(i, "at")) <= 0);
        last = text(i, "at");
    }
    cJSON_Delete(o);
    assert_ok(asset_timeline_json(x->db, "P-1", FIXTURE_NOW - 200 * MS_PER_DAY,
                                  FIXTURE_NOW - 120 * MS_PER_DAY, &o, &err),
              err);
    assert_int_equal(cJSON_GetArraySize(json_get(o, "items")), 1);
    cJSON_Delete(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_asset_page_json_of_a_sick_pump, fixture_open,
                                        fixture_close),
        cmocka_unit_test_setup_teardown(test_asset_page_json_similar_cases_show_misses,
                                        fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_asset_page_json_without_forecast, fixture_open,
                                        fixture_close),
        cmocka_unit_test_setup_teardown(test_asset_timeline_json_in_order, fixture_open,
                                        fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
