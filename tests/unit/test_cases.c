#include "tests/plan_fixture.h"

#include "app/base/json.h"
#include "app/cases.h"
#include "app/planner/planner.h"
#include "app/schedule_diff.h"

static void forecasts(struct fixture *x, const double p[FIXTURE_PUMPS])
{
    struct forecast f[FIXTURE_PUMPS];
    for (size_t i = 0; i < FIXTURE_PUMPS; i++)
        f[i] = fixture_forecast(x, x->pump[i], x->bearing, p[i], "gbdt");
    fixture_forecasts(x, f, FIXTURE_PUMPS, FIXTURE_NOW);
}

static struct planner_summary plan(struct fixture *x, int days_later)
{
    struct planner_summary out;
    struct ft_err err;
    const struct planner_options o = {.now_ms = FIXTURE_NOW + days_later * MS_PER_DAY};
    assert_ok(planner_run(x->db, &o, &out, &err), err);
    return out;
}

static struct risk_case_list cases(struct fixture *x, const char *state)
{
    struct risk_case_list l;
    struct ft_err err;
    const struct case_filter f = {.state = state};
    assert_ok(case_list(x->db, &f, &l, &err), err);
    return l;
}

static size_t n_cases(struct fixture *x, const char *state)
{
    struct risk_case_list l = cases(x, state);
    const size_t n = l.n;
    case_list_free(&l);
    return n;
}

static size_t n_orders(struct fixture *x, const char *status)
{
    struct work_order_list l;
    struct ft_err err;
    const struct work_order_filter f = {.kind = "predictive", .status = status};
    assert_ok(work_order_list(x->db, &f, &l, &err), err);
    const size_t n = l.n;
    work_order_list_free(&l);
    return n;
}

static void decide(struct fixture *x, struct case_decision d, enum ft_status want)
{
    struct snapshot s;
    struct ft_err err = {0};
    struct risk_case_list l = cases(x, "open,approved,deferred");
    assert_ok(snapshot_load(x->db, FIXTURE_NOW, &s, &err), err);
    assert_int_equal(l.n, 1);
    assert_int_equal(cases_decide(x->db, &s, &l.items[0], &d, &err), want);
    case_list_free(&l);
    snapshot_free(&s);
}

/* One case for a part, however often the night runs; it stays while the chance is near its level,
 * and after its end none is raised until the part has cooled down. */
static void test_cases_hysteresis_and_cooldown(void **state)
{
    struct fixture *x = *state;
    forecasts(x, (const double[]){0.5, 0.01, 0.01, 0.01});
    plan(x, 0);
    plan(x, 0);
    assert_int_equal(n_cases(x, NULL), 1);
    assert_int_equal(n_orders(x, "draft"), 1);
    /* Just under the level at which one is raised, above 0.7 of it. */
    struct snapshot s;
    struct snapshot_case k;
    struct ft_err err;
    assert_ok(snapshot_load(x->db, FIXTURE_NOW, &s, &err), err);
    snapshot_case(&s, &s.forecasts[0].f, &k);
    const double level = k.window.p_open;
    snapshot_free(&s);
    forecasts(x, (const double[]){0.85 * level, 0.01, 0.85 * level, 0.01});
    plan(x, 0);
    assert_int_equal(n_cases(x, "open"), 1);
    assert_int_equal(n_cases(x, NULL), 1); /* none for pump 3, which had none */
    forecasts(x, (const double[]){0.01, 0.01, 0.01, 0.01});
    plan(x, 0);
    assert_int_equal(n_cases(x, "closed"), 1);
    assert_int_equal(n_orders(x, "draft"), 0);
    forecasts(x, (const double[]){0.5, 0.01, 0.01, 0.01});
    plan(x, 3);
    assert_int_equal(n_cases(x, "open"), 0); /* cools down */
    plan(x, 15);
    assert_int_equal(n_cases(x, "open"), 1);
}

static void test_cases_decide(void **state)
{
    struct fixture *x = *state;
    forecasts(x, (const double[]){0.5, 0.01, 0.01, 0.01});
    plan(x, 0);
    decide(x, (struct case_decision){.action = CASE_DEFER, .until_ms = FIXTURE_NOW - 1},
           FT_INVALID);
    decide(x,
           (struct case_decision){.action = CASE_DEFER, .until_ms = FIXTURE_NOW + 2 * MS_PER_DAY},
           FT_OK);
    plan(x, 1);
    assert_int_equal(n_orders(x, "draft"), 0);
    assert_int_equal(n_cases(x, "deferred"), 1);
    plan(x, 2);
    assert_int_equal(n_cases(x, "open"), 1);
    assert_int_equal(n_orders(x, "draft"), 1);
    decide(x, (struct case_decision){.action = CASE_REJECT, .reason = "bored"}, FT_INVALID);
    decide(x, (struct case_decision){.action = CASE_APPROVE}, FT_OK);
    assert_int_equal(n_orders(x, "approved"), 1);
    decide(x, (struct case_decision){.action = CASE_REJECT, .reason = "known"}, FT_CONFLICT);
    plan(x, 2);
    assert_int_equal(n_cases(x, "approved"), 1);
    assert_int_equal(n_orders(x, "approved,scheduled"), 1);
}

static void test_cases_reject_keeps_quiet(void **state)
{
    struct fixture *x = *state;
    forecasts(x, (const double[]){0.5, 0.01, 0.01, 0.01});
    plan(x, 0);
    decide(x, (struct case_decision){.action = CASE_REJECT, .reason = "known"}, FT_OK);
    assert_int_equal(n_orders(x, "rejected"), 1);
    plan(x, 1);
    assert_int_equal(n_orders(x, "draft"), 0);
    assert_int_equal(n_cases(x, "open"), 0);
    /* Approved before the planner has drafted anything: a work order is made. */
    plan(x, 15);
    assert_int_equal(n_cases(x, "open"), 1);
}

/* Every decision can be taken back: an approved order is a draft again, a rejected case stands
 * again; work that is on its way is not called back. */
static void test_cases_reopen(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    struct snapshot s;
    forecasts(x, (const double[]){0.5, 0.01, 0.01, 0.01});
    plan(x, 0);
    decide(x, (struct case_decision){.action = CASE_REOPEN}, FT_OK); /* open already */
    decide(x, (struct case_decision){.action = CASE_APPROVE}, FT_OK);
    assert_int_equal(n_orders(x, "approved"), 1);
    decide(x, (struct case_decision){.action = CASE_REOPEN}, FT_OK);
    assert_int_equal(n_orders(x, "draft"), 1);
    assert_int_equal(n_cases(x, "open"), 1);
    decide(x, (struct case_decision){.action = CASE_REJECT, .reason = "wrong_data"}, FT_OK);
    struct risk_case_list l = cases(x, "rejected");
    assert_ok(snapshot_load(x->db, FIXTURE_NOW, &s, &err), err);
    assert_int_equal(l.n, 1);
    assert_true(cases_may_reopen(&s, &l.items[0]));
    const struct case_decision back = {.action = CASE_REOPEN};
    assert_ok(cases_decide(x->db, &s, &l.items[0], &back, &err), err);
    snapshot_free(&s);
    case_list_free(&l);
    assert_int_equal(n_cases(x, "open"), 1);
    /* Approved without a draft: a new order is made, and once it is sent nothing is taken back. */
    decide(x, (struct case_decision){.action = CASE_APPROVE}, FT_OK);
    struct work_order_list orders;
    const struct work_order_filter f = {.status = "approved"};
    assert_ok(work_order_list(x->db, &f, &orders, &err), err);
    assert_int_equal(orders.n, 1);
    free(orders.items[0].status);
    orders.items[0].status = strdup("sent");
    assert_ok(work_order_update(x->db, &orders.items[0], &err), err);
    work_order_list_free(&orders);
    decide(x, (struct case_decision){.action = CASE_REOPEN}, FT_CONFLICT);
    assert_int_equal(n_cases(x, "approved"), 1);
}

/* Two slots a week: the dearest two get them, and the third says what it would have been worth. */
static void test_cases_budget(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    struct snapshot s;
    struct case_budget b;
    assert_ok(db_setting_set(x->db, "alarm_budget_per_week", "2", &err), err);
    forecasts(x, (const double[]){0.2, 0.5, 0.4, 0.01});
    plan(x, 0);
    struct risk_case_list l = cases(x, "open");
    assert_int_equal(l.n, 2);
    assert_int_equal(l.items[0].asset_id, x->pump[1]);
    assert_int_equal(l.items[1].asset_id, x->pump[2]);
    assert_true(l.items[0].saving_minor > l.items[1].saving_minor);
    assert_ok(snapshot_load(x->db, FIXTURE_NOW, &s, &err), err);
    assert_ok(cases_budget(x->db, &s, &b, &err), err);
    assert_int_equal(b.per_week, 2);
    assert_int_equal(b.n_used, 2);
    assert_int_equal(b.n_waiting, 1);
    assert_int_equal(b.threshold_minor, l.items[1].saving_minor);
    assert_true(b.next_minor > 0 && b.next_minor < b.threshold_minor);
    char words[CASES_BUDGET_WORDS];
    cases_budget_words(&b, "EUR", words);
    assert_non_null(strstr(words, "2 of 2 cases"));
    assert_non_null(strstr(words, "1 would pay beside them: the next slot would have been worth "));
    cases_budget_words(&(struct case_budget){.per_week = 3, .n_used = 1, .next_minor = DB_NO_MONEY},
                       "EUR", words);
    assert_string_equal(words, "1 of 3 cases of the last 7 days are used; none waits.");
    cases_budget_words(&(struct case_budget){.n_used = 4}, "EUR", words);
    assert_non_null(strstr(words, "No alarm budget"));
    cJSON *waiting = cases_waiting_json(&s, &l.items[0]);
    const cJSON *days = json_get(waiting, "items");
    assert_int_equal(cJSON_GetArraySize(days), 90);
    double before = -1;
    const cJSON *day;
    cJSON_ArrayForEach (day, days) { /* the chance only grows; no day is cheaper than the best */
        assert_true(json_get(day, "risk")->valuedouble >= before);
        before = json_get(day, "risk")->valuedouble;
    }
    cJSON_Delete(waiting);
    cJSON *one = cases_to_json(&s, &l.items[0]);
    assert_string_equal(json_get(one, "asset")->valuestring, "P-2");
    /* The spare takes two days. */
    assert_true(strcmp(json_get(one, "order_spare_by")->valuestring,
                       json_get(one, "latest")->valuestring) < 0);
    cJSON_Delete(one);
    case_list_free(&l);
    snapshot_free(&s);
    plan(x, 8); /* a new week, new slots */
    assert_int_equal(n_cases(x, "open"), 3);
}

static double number(const cJSON *o, const char *a, const char *b)
{
    const cJSON *v = json_get(json_get(o, a), b);
    assert_non_null(v);
    return v->valuedouble;
}

static cJSON *what_if(struct fixture *x, const char *text)
{
    cJSON *changes = NULL;
    cJSON *out = NULL;
    struct ft_err err;
    assert_ok(json_parse(text, strlen(text), &changes, &err), err);
    assert_ok(planner_what_if(x->db, changes, FIXTURE_NOW, &out, &err), err);
    cJSON_Delete(changes);
    return out;
}

static void test_planner_what_if(void **state)
{
    struct fixture *x = *state;
    struct ft_err err = {0};
    forecasts(x, (const double[]){0.5, 0.5, 0.01, 0.01});
    const int64_t version = db_data_version(x->db);
    cJSON *same = what_if(x, "{}");
    assert_close(number(same, "difference", "expected_cost"), 0, 0);
    assert_int_equal(cJSON_GetArraySize(json_get(same, "moves")), 0);
    cJSON_Delete(same);
    /* Nobody can do it: everything stays at risk. */
    cJSON *none = what_if(x, "{\"remove_crews\":[\"Mech A\"]}");
    assert_true(number(none, "difference", "placed") < 0);
    assert_true(number(none, "difference", "risk_left") > 0);
    assert_true(number(none, "difference", "expected_cost") > 0);
    assert_true(cJSON_GetArraySize(json_get(none, "moves")) >= 2);
    cJSON_Delete(none);
    cJSON *dear = what_if(x, "{\"downtime_factor\":3,\"risk_limit\":0.02}");
    assert_true(number(dear, "difference", "risk_total") > 0);
    cJSON_Delete(dear);
    cJSON *more = what_if(x, "{\"crews\":[{\"name\":\"Sunday\",\"weekdays\":[\"Sun\"],\"skills\":"
                             "\"mech\"}]}");
    assert_true(number(more, "difference", "hours_available") > 0);
    assert_true(number(more, "difference", "expected_cost") <= 1);
    cJSON_Delete(more);
    assert_int_equal(db_data_version(x->db), version); /* nothing was kept */
    cJSON *bad = NULL;
    cJSON *out = NULL;
    assert_ok(json_parse("{\"risk_limit\":2}", 16, &bad, &err), err);
    assert_int_equal(planner_what_if(x->db, bad, FIXTURE_NOW, &out, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "/risk_limit"));
    cJSON_Delete(bad);
}

static void test_planner_price_move_and_diff(void **state)
{
    struct fixture *x = *state;
    struct ft_err err = {0};
    struct work_order_list l;
    cJSON *out = NULL;
    forecasts(x, (const double[]){0.5, 0.01, 0.01, 0.01});
    plan(x, 0);
    const struct work_order_filter f = {.kind = "predictive"};
    assert_ok(work_order_list(x->db, &f, &l, &err), err);
    const int64_t day_ms = clock_from_local(2026, 11, 16, 0, 0, 0);
    assert_ok(planner_price_move(x->db, l.items[0].key, day_ms, NULL, FIXTURE_NOW, &out, &err),
              err);
    assert_true(json_get(out, "difference")->valuedouble > 0);
    assert_true(json_get(out, "risk_to")->valuedouble > json_get(out, "risk_from")->valuedouble);
    assert_true(cJSON_IsTrue(json_get(out, "feasible")));
    cJSON_Delete(out);
    const int64_t sunday_ms = clock_from_local(2026, 11, 15, 0, 0, 0);
    assert_ok(planner_price_move(x->db, l.items[0].key, sunday_ms, NULL, FIXTURE_NOW, &out, &err),
              err);
    assert_true(cJSON_IsFalse(json_get(out, "feasible")));
    cJSON_Delete(out);
    assert_int_equal(planner_price_move(x->db, "WO-none", day_ms, NULL, FIXTURE_NOW, &out, &err),
                     FT_NOT_FOUND);
    work_order_list_free(&l);
    const int64_t now_ms = FIXTURE_NOW;
    assert_ok(schedule_diff_json(x->db, now_ms - MS_PER_DAY, now_ms + MS_PER_DAY, &out, &err), err);
    assert_int_equal(json_get(out, "runs")->valuedouble, 1);
    assert_string_equal(json_get(json_get(out, "items")->child, "change")->valuestring, "added");
    assert_true(cJSON_IsNull(json_get(out, "before")));
    assert_true(cJSON_IsObject(json_get(out, "after")));
    cJSON_Delete(out);
    assert_int_equal(schedule_diff_json(x->db, now_ms, now_ms, &out, &err), FT_INVALID);
}

#define plant_test(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        plant_test(test_cases_hysteresis_and_cooldown),
        plant_test(test_cases_decide),
        plant_test(test_cases_reject_keeps_quiet),
        plant_test(test_cases_reopen),
        plant_test(test_cases_budget),
        plant_test(test_planner_what_if),
        plant_test(test_planner_price_move_and_diff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
