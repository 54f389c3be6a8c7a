#include "tests/plan_fixture.h"

#include "app/base/json.h"
#include "app/planner/planner.h"
#include "app/schedule_report.h"

static void make_plan(struct fixture *x)
{
    struct ft_err err;
    struct planner_summary s;
    struct forecast f = fixture_forecast(x, x->pump[0], x->bearing, 0.5, "gbdt");
    fixture_forecasts(x, &f, 1, FIXTURE_NOW);
    assert_ok(planner_run(x->db, NULL, &s, &err), err);
}

static void test_schedule_json_has_all_parts(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    cJSON *o;
    make_plan(x);
    const struct schedule_query q = {0};
    assert_ok(schedule_json(x->db, &q, &o, &err), err);
    assert_int_equal(cJSON_GetArraySize(json_get(o, "items")), 5); /* a bearing, four seals */
    const cJSON *first = json_get(o, "items")->child;
    assert_string_equal(json_get(first, "title")->valuestring, "Replace bearing on P-1");
    assert_string_equal(json_get(first, "due")->valuestring, "2026-11-06T00:00:00+00:00");
    assert_string_equal(json_get(first, "crew")->valuestring, "Mech A");
    assert_true(cJSON_IsNull(json_get(first, "moves")));
    assert_non_null(strstr(json_get(json_get(o, "answer"), "lead")->valuestring,
                           "One job by forecast, the first on Fri 6 Nov"));
    assert_int_equal(cJSON_GetArraySize(json_get(o, "stops")), 1);
    assert_int_equal(cJSON_GetArraySize(json_get(o, "crews")), 2);
    const cJSON *day = json_get(json_get(o, "crews")->child->next, "days")->child;
    for (int i = 0; i < 4; i++)
        day = day->next;
    assert_string_equal(json_get(day, "date")->valuestring, "2026-11-06");
    assert_close(json_get(day, "hours_used")->valuedouble, 4, 1e-9);
    assert_int_equal(cJSON_GetArraySize(json_get(o, "changes")), 1);
    assert_true(json_get(json_get(o, "summary"), "risk_left")->valuedouble <
                json_get(json_get(o, "summary"), "risk_total")->valuedouble);
    cJSON_Delete(o);
}

static void test_schedule_ics_cancelled_and_sequence(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    struct planner_summary s;
    struct buf b;
    make_plan(x);
    struct forecast f = fixture_forecast(x, x->pump[0], x->bearing, 0.01, "gbdt");
    fixture_forecasts(x, &f, 1, FIXTURE_NOW);
    assert_ok(planner_run(x->db, NULL, &s, &err), err);
    assert_int_equal(s.n_cancelled, 1);
    const struct schedule_query q = {0};
    buf_init(&b, 1 << 20);
    assert_ok(schedule_ics(x->db, &q, &b, &err), err);
    const char *event = strstr(b.data, "STATUS:CANCELLED");
    assert_non_null(event);
    const char *sequence = strstr(b.data, "SEQUENCE:1\r\n");
    assert_non_null(sequence);
    buf_free(&b);
}

static void test_schedule_json_refuses(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    cJSON *o;
    struct schedule_query q = {.kind = "corrective"};
    assert_int_equal(schedule_json(x->db, &q, &o, &err), FT_INVALID);
    q = (struct schedule_query){.from_ms = FIXTURE_NOW, .to_ms = FIXTURE_NOW - MS_PER_DAY};
    assert_int_equal(schedule_json(x->db, &q, &o, &err), FT_INVALID);
    q = (struct schedule_query){.from_ms = FIXTURE_NOW, .to_ms = FIXTURE_NOW + 3000 * MS_PER_DAY};
    assert_int_equal(schedule_json(x->db, &q, &o, &err), FT_INVALID);
}

static void test_schedule_csv_currency_without_minor_units(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    struct buf b;
    assert_ok(db_setting_set(x->db, "currency", "JPY", &err), err);
    make_plan(x);
    const struct schedule_query q = {.kind = "predictive"};
    buf_init(&b, 1 << 20);
    assert_ok(schedule_csv(x->db, &q, &b, &err), err);
    assert_non_null(strstr(b.data, ",JPY,"));
    /* key,...,Mech A,risk,cost,waiting,JPY: yen have no hundredths. */
    const char *money = strchr(strstr(b.data, "Mech A,") + strlen("Mech A,"), ',');
    const char *end = strstr(b.data, ",JPY,");
    assert_non_null(money);
    assert_true(money < end && end - money > 4);
    assert_null(memchr(money, '.', (size_t)(end - money)));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_schedule_json_has_all_parts, fixture_open,
                                        fixture_close),
        cmocka_unit_test_setup_teardown(test_schedule_ics_cancelled_and_sequence, fixture_open,
                                        fixture_close),
        cmocka_unit_test_setup_teardown(test_schedule_json_refuses, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_schedule_csv_currency_without_minor_units,
                                        fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
