#include "tests/plan_fixture.h"

#include "app/base/json.h"
#include "app/fleet.h"
#include "app/planner/planner.h"

static double number(const cJSON *o, const char *key)
{
    const cJSON *item = json_get(o, key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static const char *text(const cJSON *o, const char *key)
{
    const cJSON *item = json_get(o, key);
    return cJSON_IsString(item) ? item->valuestring : "(none)";
}

static void four_pumps(struct fixture *x, double first, int64_t now_ms)
{
    struct forecast f[FIXTURE_PUMPS];
    for (size_t i = 0; i < FIXTURE_PUMPS; i++) {
        f[i] = fixture_forecast(x, x->pump[i], x->bearing, i == 0 ? first : 0.01, "gbdt");
        f[i].as_of_ms = now_ms;
    }
    f[3].data_frac = 0.4;
    fixture_forecasts(x, f, FIXTURE_PUMPS, now_ms);
}

static void test_fleet_json_ranks_and_says(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    struct planner_summary s;
    cJSON *o;
    four_pumps(x, 0.5, FIXTURE_NOW);
    assert_ok(planner_run(x->db, NULL, &s, &err), err);
    const struct fleet_query q = {0};
    assert_ok(fleet_json(x->db, &q, &o, &err), err);
    const cJSON *items = json_get(o, "items");
    assert_int_equal(cJSON_GetArraySize(items), 4);
    const cJSON *first = items->child;
    assert_string_equal(text(first, "key"), "P-1");
    assert_string_equal(text(first, "component"), "bearing");
    assert_string_equal(text(first, "state"), "act"); /* over the limit within the freeze */
    assert_non_null(strstr(text(first, "state_rule"), "risk limit of 10 %"));
    assert_close(number(json_get(first, "money_at_risk"), "value"), 0.5 * 24000, 0.01);
    assert_true(number(json_get(first, "money_at_risk"), "low") < 0.5 * 24000);
    assert_close(number(json_get(first, "p"), "value"), 0.5, 1e-6);
    assert_string_equal(text(json_get(first, "next_work"), "kind"), "predictive");
    assert_string_equal(text(json_get(first, "next_work"), "date"), "2026-11-06");
    assert_true(cJSON_IsNull(json_get(json_get(first, "rul"), "high_s")));
    /* 12,000 of 12,720: one asset holds 94 %. */
    assert_non_null(
        strstr(text(json_get(o, "answer"), "lead"), "One asset holds 94 % of the money at risk"));
    assert_string_equal(text(items->child->next->next->next, "state"), "no_data");
    cJSON_Delete(o);
}

static void test_fleet_json_filters_and_pages(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    cJSON *o;
    four_pumps(x, 0.5, FIXTURE_NOW);
    struct fleet_query q = {.area = "Mill 2/Refining", .sort = "key"};
    assert_ok(fleet_json(x->db, &q, &o, &err), err);
    assert_int_equal(number(o, "total"), 2);
    cJSON_Delete(o);
    q = (struct fleet_query){.q = "p-3"};
    assert_ok(fleet_json(x->db, &q, &o, &err), err);
    assert_int_equal(number(o, "total"), 1);
    cJSON_Delete(o);
    q = (struct fleet_query){.sort = "-key", .limit = 3};
    assert_ok(fleet_json(x->db, &q, &o, &err), err);
    assert_string_equal(text(json_get(o, "items")->child, "key"), "P-4");
    assert_int_equal(number(json_get(o, "tail"), "count"), 1);
    char cursor[32];
    snprintf(cursor, sizeof(cursor), "%s", text(o, "next_cursor"));
    cJSON_Delete(o);
    q.cursor = cursor;
    assert_ok(fleet_json(x->db, &q, &o, &err), err);
    assert_string_equal(text(json_get(o, "items")->child, "key"), "P-1");
    assert_true(cJSON_IsNull(json_get(o, "next_cursor")));
    cJSON_Delete(o);
    q = (struct fleet_query){.sort = "price"};
    assert_int_equal(fleet_json(x->db, &q, &o, &err), FT_INVALID);
    q = (struct fleet_query){.cursor = "3"};
    assert_int_equal(fleet_json(x->db, &q, &o, &err), FT_INVALID);
    q = (struct fleet_query){.state = "act,bad"};
    assert_int_equal(fleet_json(x->db, &q, &o, &err), FT_INVALID);
}

static void test_fleet_kpi_json_sums_and_changes(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    struct planner_summary s;
    cJSON *o;
    four_pumps(x, 0.2, FIXTURE_NOW - MS_PER_DAY);
    four_pumps(x, 0.5, FIXTURE_NOW);
    assert_ok(planner_run(x->db, NULL, &s, &err), err);
    assert_ok(fleet_kpi_json(x->db, 0, &o, &err), err);
    const cJSON *risk = json_get(o, "money_at_risk");
    assert_close(number(risk, "value"), (0.5 + 0.03) * 24000, 0.05);
    assert_close(number(risk, "change"), 0.3 * 24000, 0.05);
    assert_int_equal(number(json_get(o, "cases"), "act"), 1);
    assert_int_equal(number(json_get(o, "cases"), "undecided"), 1);
    assert_int_equal(number(json_get(o, "data"), "complete"), 3);
    assert_true(number(json_get(o, "crew_load"), "hours_planned") > 3);
    assert_int_equal(number(json_get(o, "crew_load"), "hours_available"), 2 * 8 * 20);
    const cJSON *areas = json_get(o, "areas");
    assert_int_equal(cJSON_GetArraySize(areas), 3);
    assert_string_equal(text(areas->child, "area"), "Mill 2");
    assert_close(number(areas->child, "money_at_risk"), number(risk, "value"), 0.02);
    const cJSON *change = json_get(o, "changes")->child;
    assert_string_equal(text(change, "asset"), "P-1");
    assert_non_null(strstr(text(change, "text"), "Chance of failure 50 %, was 20 %"));
    cJSON_Delete(o);
}

static void test_fleet_json_empty(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    struct db *db;
    cJSON *o;
    char path[128];
    snprintf(path, sizeof(path), "%s/empty.db", x->folder);
    assert_ok(db_open_writer(path, true, &db, &err), err);
    const struct fleet_query q = {0};
    assert_ok(fleet_json(db, &q, &o, &err), err);
    assert_string_equal(text(json_get(o, "answer"), "lead"), "There are no assets yet.");
    cJSON_Delete(o);
    assert_ok(fleet_kpi_json(db, 0, &o, &err), err);
    assert_true(cJSON_IsNull(json_get(json_get(o, "money_at_risk"), "value")));
    cJSON_Delete(o);
    db_close(db);
    unlink(path);
    snprintf(path, sizeof(path), "%s/empty.db.lock", x->folder);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fleet_json_ranks_and_says, fixture_open,
                                        fixture_close),
        cmocka_unit_test_setup_teardown(test_fleet_json_filters_and_pages, fixture_open,
                                        fixture_close),
        cmocka_unit_test_setup_teardown(test_fleet_kpi_json_sums_and_changes, fixture_open,
                                        fixture_close),
        cmocka_unit_test_setup_teardown(test_fleet_json_empty, fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
