#include "tests/plan_fixture.h"

#include "app/base/json.h"
#include "app/inbox.h"
#include "app/planner/planner.h"

static void plan_with(struct fixture *x, const double p[FIXTURE_PUMPS])
{
    struct planner_summary out;
    struct ft_err err;
    struct forecast f[FIXTURE_PUMPS];
    const struct planner_options o = {.now_ms = FIXTURE_NOW};
    for (size_t i = 0; i < FIXTURE_PUMPS; i++)
        f[i] = fixture_forecast(x, x->pump[i], x->bearing, p[i], "gbdt");
    fixture_forecasts(x, f, FIXTURE_PUMPS, FIXTURE_NOW);
    assert_ok(planner_run(x->db, &o, &out, &err), err);
}

static const char *said(const cJSON *body, const char *object, const char *key)
{
    const cJSON *v = json_get(json_get(body, object), key);
    return cJSON_IsString(v) ? v->valuestring : "(none)";
}

static cJSON *answer(struct fixture *x)
{
    struct snapshot s;
    struct case_budget b;
    struct ft_err err;
    cJSON *body = cJSON_CreateObject();
    assert_ok(snapshot_load(x->db, FIXTURE_NOW, &s, &err), err);
    assert_ok(cases_budget(x->db, &s, &b, &err), err);
    inbox_add_answer(&s, &b, body);
    snapshot_free(&s);
    return body;
}

/* Monday 2 November: the coming Friday is the 6th. */
static void test_inbox_add_answer_counts_and_prices(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    assert_ok(db_setting_set(x->db, "alarm_budget_per_week", "2", &err), err);
    plan_with(x, (const double[]){0.5, 0.4, 0.3, 0.01});
    cJSON *a = answer(x);
    assert_string_equal(said(a, "answer", "lead"), "2 to decide; 2 cannot wait past Fri 6 Nov.");
    assert_non_null(strstr(said(a, "answer", "rest"), "Waiting costs EUR "));
    assert_non_null(strstr(said(a, "answer", "rest"), "2 of this week's 2 alarms used."));
    assert_non_null(strstr(said(a, "answer", "rest"), "1 more waits for a slot"));
    cJSON_Delete(a);
}

static void test_inbox_add_answer_says_why_it_is_empty(void **state)
{
    struct fixture *x = *state;
    cJSON *a = answer(x);
    assert_string_equal(said(a, "answer", "lead"), "Nothing to decide.");
    assert_non_null(strstr(said(a, "answer", "rest"), "no forecasts yet"));
    cJSON_Delete(a);
    plan_with(x, (const double[]){0.01, 0.01, 0.01, 0.01});
    a = answer(x);
    assert_non_null(strstr(said(a, "answer", "rest"), "high enough for work to pay"));
    assert_non_null(strstr(said(a, "answer", "rest"), "0 raised in the last seven days"));
    cJSON_Delete(a);
}

static void test_inbox_add_case_says_where_it_lands(void **state)
{
    struct fixture *x = *state;
    struct snapshot s;
    struct ft_err err;
    plan_with(x, (const double[]){0.5, 0.01, 0.01, 0.01});
    assert_ok(snapshot_load(x->db, FIXTURE_NOW, &s, &err), err);
    assert_int_equal(s.cases.n, 1);
    cJSON *o = cases_to_json(&s, &s.cases.items[0]);
    assert_string_equal(json_get(o, "work")->valuestring, "Replace bearing");
    assert_string_equal(json_get(o, "asset_state")->valuestring, "act");
    assert_string_equal(said(o, "decision", "lead"), "Replace the bearing on Fri 6 Nov.");
    assert_non_null(strstr(json_get(o, "lands")->valuestring, " stands on Fri 6 Nov, Mech"));
    assert_true(cJSON_IsFalse(json_get(o, "may_reopen")));
    assert_true(json_get(o, "risk_limit")->valuedouble > 0);
    cJSON_Delete(o);
    struct snapshot_case k = {0};
    assert_true(cases_find(&s, &s.cases.items[0], &k, NULL));
    const struct work_order *order = k.order;
    k.order = NULL; /* approved before the plan has run */
    o = cJSON_CreateObject();
    inbox_add_case(&s, &k, &s.forecasts[0].f, o);
    assert_non_null(strstr(json_get(o, "lands")->valuestring, "No work order yet; the best day"));
    cJSON_Delete(o);
    assert_non_null(order);
    snapshot_free(&s);
}

#define plant_test(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        plant_test(test_inbox_add_answer_counts_and_prices),
        plant_test(test_inbox_add_answer_says_why_it_is_empty),
        plant_test(test_inbox_add_case_says_where_it_lands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
