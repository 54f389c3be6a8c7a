#include "tests/plan_fixture.h"

#include "app/base/json.h"
#include "app/plan_json.h"
#include "app/planner/planner.h"
#include "db/reading_store.h"

static cJSON *parsed(const char *text)
{
    cJSON *json = NULL;
    struct ft_err err;
    assert_ok(json_parse(text, strlen(text), &json, &err), err);
    return json;
}

static enum ft_status read_plan(struct fixture *x, const char *text, bool is_new, struct plan *p,
                                struct ft_err *err)
{
    cJSON *json = parsed(text);
    const enum ft_status st = plan_from_json(x->db, json, is_new, FIXTURE_NOW, p, err);
    cJSON_Delete(json);
    return st;
}

static void put(struct fixture *x, const char *text)
{
    struct ft_err err;
    struct plan p = {0};
    int64_t id;
    assert_ok(read_plan(x, text, true, &p, &err), err);
    assert_ok(plan_put(x->db, &p, &id, &err), err);
    plan_clear(&p);
}

static void test_plan_json_round_trip(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    struct plan p = {0};
    struct plan back = {0};
    struct catalog cat;
    int64_t id;
    assert_ok(
        read_plan(x,
                  "{\"key\":\"PM-9\",\"name\":\"Yearly\",\"asset\":\"P-1\",\"component\":"
                  "\"seal\",\"action\":\"service\",\"rrule\":\"FREQ=YEARLY;BYMONTH=6\","
                  "\"meter\":\"run_hours\",\"meter_interval\":4000,\"season\":\"11-01/02-28\","
                  "\"covers\":[\"PM-7\",\"PM-8\"],\"duration_h\":6,\"cost\":12.5,\"skill\":"
                  "\"mech\",\"checklist\":[\"Lock\",\"Open\"],\"parts\":[{\"part\":\"6205\","
                  "\"quantity\":2}],\"floating\":false}",
                  true, &p, &err),
        err);
    assert_close((double)p.interval_ms / (double)MS_PER_DAY, 365.25, 0.1);
    assert_ok(plan_put(x->db, &p, &id, &err), err);
    assert_ok(plan_find(x->db, "PM-9", &back, &err), err);
    assert_ok(catalog_load(x->db, &cat, &err), err);
    cJSON *o = plan_to_json(&back, &cat, "EUR");
    assert_string_equal(json_get(o, "season")->valuestring, "11-01/02-28");
    assert_string_equal(json_get(o, "every")->valuestring,
                        "every year in Jun or every 4,000 run hours");
    assert_int_equal(cJSON_GetArraySize(json_get(o, "covers")), 2);
    assert_int_equal(cJSON_GetArraySize(json_get(o, "checklist")), 2);
    assert_close(json_get(json_get(o, "parts")->child, "quantity")->valuedouble, 2, 0);
    assert_close(json_get(o, "cost")->valuedouble, 12.5, 0);
    cJSON_Delete(o);
    /* A patch changes what it names; null clears; an interval takes the place of the rule. */
    assert_ok(
        read_plan(x, "{\"interval_s\":864000,\"season\":null,\"covers\":null}", false, &back, &err),
        err);
    assert_null(back.rrule);
    assert_null(back.covers);
    assert_int_equal(back.season_from, 0);
    assert_int_equal(back.interval_ms, 10 * MS_PER_DAY);
    assert_string_equal(back.meter, "run_hours");
    catalog_free(&cat);
    plan_clear(&p);
    plan_clear(&back);
}

static void test_plan_json_refuses(void **state)
{
    static const struct {
        const char *json, *says;
    } bad[] = {
        {"{\"name\":\"x\",\"interval_s\":86400}", "/asset"},
        {"{\"name\":\"x\",\"asset\":\"P-1\",\"class\":\"pump\",\"interval_s\":86400}", "/asset"},
        {"{\"name\":\"x\",\"asset\":\"P-77\",\"interval_s\":86400}", "/asset"},
        {"{\"name\":\"x\",\"class\":\"pump\",\"component\":\"wing\",\"interval_s\":9}",
         "/component"},
        {"{\"name\":\"x\",\"class\":\"pump\"}", "/interval_s"},
        {"{\"class\":\"pump\",\"interval_s\":86400}", "/name"},
        {"{\"name\":\"x\",\"class\":\"pump\",\"rrule\":\"FREQ=SECONDLY\"}", "/rrule"},
        {"{\"name\":\"x\",\"class\":\"pump\",\"meter\":\"h\"}", "/meter_interval"},
        {"{\"name\":\"x\",\"class\":\"pump\",\"interval_s\":9,\"season\":\"13-01/02-01\"}",
         "/season"},
        {"{\"name\":\"x\",\"class\":\"pump\",\"interval_s\":9,\"parts\":[{\"quantity\":1}]}",
         "/parts"},
        {"{\"name\":\"x\",\"class\":\"pump\",\"interval_s\":9,\"checklist\":[1]}", "/checklist"},
        {"{\"name\":\"x\",\"class\":\"pump\",\"interval_s\":9,\"action\":\"paint\"}", "/action"},
        {"{\"name\":\"x\",\"class\":\"pump\",\"interval_s\":9,\"colour\":1}", "colour"}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct plan p = {0};
        struct ft_err err = {0};
        assert_int_equal(read_plan(*state, bad[i].json, true, &p, &err), FT_INVALID);
        if (strstr(err.msg, bad[i].says) == NULL)
            fail_msg("%s: %s", bad[i].json, err.msg);
        plan_clear(&p);
    }
}

static size_t count_drafts(struct fixture *x, const char *key)
{
    struct ft_err err;
    struct plan p = {0};
    struct work_order_list l;
    size_t n = 0;
    const struct work_order_filter f = {.status = "draft"};
    assert_ok(plan_find(x->db, key, &p, &err), err);
    assert_ok(work_order_list(x->db, &f, &l, &err), err);
    for (size_t i = 0; i < l.n; i++)
        n += l.items[i].plan_id == p.id;
    work_order_list_free(&l);
    plan_clear(&p);
    return n;
}

/* The quarterly swallows the monthly that falls next to it. */
static void test_plan_nested(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    struct planner_summary sum;
    put(x, "{\"key\":\"PM-M\",\"name\":\"Monthly\",\"asset\":\"P-1\",\"rrule\":\"FREQ=MONTHLY;"
           "BYMONTHDAY=10\",\"floating\":false,\"action\":\"inspection\"}");
    assert_ok(planner_run(x->db, NULL, &sum, &err), err);
    assert_int_equal(count_drafts(x, "PM-M"), 3); /* 10 November, December, January */
    put(x,
        "{\"key\":\"PM-Q\",\"name\":\"Large\",\"asset\":\"P-1\",\"rrule\":\"FREQ=YEARLY;BYMONTH=12;"
        "BYMONTHDAY=12\",\"floating\":false,\"action\":\"inspection\",\"covers\":[\"PM-M\"],"
        "\"checklist\":[\"Lock\",\"Open\"]}");
    assert_ok(planner_run(x->db, NULL, &sum, &err), err);
    assert_int_equal(count_drafts(x, "PM-M"), 2);
    assert_int_equal(count_drafts(x, "PM-Q"), 1);
    assert_int_equal(sum.n_cancelled, 1);
    assert_ok(planner_run(x->db, NULL, &sum, &err), err); /* and stays so */
    assert_int_equal(sum.n_cancelled + sum.n_new, 0);
    struct work_order_list l; /* steps and parts go along */
    const struct work_order_filter f = {.asset_id = x->pump[0], .status = "draft"};
    assert_ok(work_order_list(x->db, &f, &l, &err), err);
    size_t n_steps = 0;
    for (size_t i = 0; i < l.n; i++)
        n_steps += l.items[i].checklist != NULL &&
                   strcmp(l.items[i].checklist, "[\"Lock\",\"Open\"]") == 0;
    assert_int_equal(n_steps, 1);
    work_order_list_free(&l);
}

/* A meter that runs 24 h a day: 500 h after the last service. */
static void test_plan_by_meter(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    struct planner_summary sum;
    struct reading_counts counts = {0};
    int64_t sensor;
    int64_t ts[40];
    double value[40];
    assert_ok(sensor_ensure(x->db, x->pump[0], "run_hours", &sensor, &err), err);
    for (int i = 0; i < 40; i++) {
        ts[i] = FIXTURE_NOW - (39 - i) * MS_PER_DAY;
        value[i] = 5000 + 24 * i;
    }
    assert_ok(db_begin(x->db, &err), err);
    assert_ok(reading_put(x->db, sensor, ts, value, 40, &counts, &err), err);
    assert_ok(db_commit(x->db, &err), err);
    fixture_event(x, x->pump[0], x->seal, EVENT_INSPECTION, 10); /* 240 h ago */
    put(x,
        "{\"key\":\"PM-H\",\"name\":\"Look\",\"asset\":\"P-1\",\"component\":\"seal\",\"action\":"
        "\"inspection\",\"meter\":\"run_hours\",\"meter_interval\":500}");
    assert_ok(planner_run(x->db, NULL, &sum, &err), err);
    struct work_order_list l;
    const struct work_order_filter f = {.kind = "inspection"};
    assert_ok(work_order_list(x->db, &f, &l, &err), err);
    assert_true(l.n >= 3);
    /* 260 h are left: 10 days from 2 November. */
    char date[CLOCK_TEXT_SIZE];
    clock_format_local_date(l.items[0].due_ms, date);
    assert_string_equal(date, "2026-11-12");
    assert_non_null(strstr(l.items[0].reason, "every 500 run hours"));
    work_order_list_free(&l);
}

static void test_calendar_and_crew_json(void **state)
{
    struct fixture *x = *state;
    struct ft_err err = {0};
    struct crew_list crews;
    struct calendar_entry e;
    struct crew k = {0};
    assert_ok(crew_list(x->db, &crews, &err), err);
    cJSON *json = parsed("{\"kind\":\"crew_away\",\"start\":\"2026-12-24\",\"end\":\"2026-12-27\","
                         "\"crew\":\"Mech A\",\"rrule\":\"FREQ=YEARLY\"}");
    assert_ok(calendar_from_json(json, &crews, &e, &err), err);
    cJSON *back = calendar_to_json(&e, &crews);
    assert_string_equal(json_get(back, "crew")->valuestring, "Mech A");
    assert_string_equal(json_get(back, "start")->valuestring, "2026-12-24T00:00:00Z");
    calendar_entry_clear(&e);
    cJSON_Delete(back);
    cJSON_ReplaceItemInObject(json, "crew", cJSON_CreateString("Nobody"));
    assert_int_equal(calendar_from_json(json, &crews, &e, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "/crew"));
    calendar_entry_clear(&e);
    cJSON_Delete(json);
    json = parsed("{\"name\":\"Night\",\"hours_per_day\":10,\"weekdays\":[\"Sat\",\"Sun\"],"
                  "\"rate_per_h\":55.5}");
    assert_ok(crew_from_json(json, "EUR", &k, &err), err);
    assert_int_equal(k.weekdays, 65);
    assert_int_equal(k.rate_minor_per_h, 5550);
    crew_clear(&k);
    cJSON_Delete(json);
    crew_list_free(&crews);
}

#define plant_test(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        plant_test(test_plan_json_round_trip),
        plant_test(test_plan_json_refuses),
        plant_test(test_plan_nested),
        plant_test(test_plan_by_meter),
        plant_test(test_calendar_and_crew_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
