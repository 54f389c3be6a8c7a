#include "tests/plan_fixture.h"

#include "app/base/json.h"
#include "app/work_order_json.h"

static enum ft_status take(struct fixture *x, const char *text, bool is_new, struct work_order *w,
                           struct ft_err *err)
{
    cJSON *json;
    assert_ok(json_parse(text, strlen(text), &json, err), *err);
    const enum ft_status st = work_order_from_json(x->db, json, is_new, w, err);
    cJSON_Delete(json);
    return st;
}

static void test_work_order_may_change_paths(void **state)
{
    assert_true(work_order_may_change("draft", "approved"));
    assert_true(work_order_may_change("approved", "closed"));
    assert_true(work_order_may_change("done", "closed"));
    assert_true(work_order_may_change("closed", "closed"));
    assert_false(work_order_may_change("closed", "draft"));
    assert_false(work_order_may_change("draft", "done"));
    assert_false(work_order_may_change("draft", "sch"));
    assert_false(work_order_may_change("draft", "gone"));
    assert_false(work_order_may_change("gone", "draft"));
    assert_false(work_order_may_change("cancelled", "in_progress"));
    assert_true(work_order_is_open("on_hold"));
    assert_false(work_order_is_open("done"));
    assert_false(work_order_is_open("Draft"));
    assert_true(work_order_is_kind("emergency"));
    assert_false(work_order_is_kind("repair"));
}

static void test_work_order_from_json_round_trip(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    struct work_order w;
    cJSON *o;
    int64_t id;
    assert_ok(take(x,
                   "{\"title\":\"Align coupling\",\"asset\":\"P-2\",\"component\":\"bearing\","
                   "\"crew\":\"Mech A\",\"due\":\"2026-11-20T06:00:00Z\",\"duration_h\":2.5,"
                   "\"expected_cost\":1234.5,\"priority\":2,\"external_key\":\"MX-1\"}",
                   true, &w, &err),
              err);
    assert_string_equal(w.kind, "corrective");
    assert_string_equal(w.status, "draft");
    w.created_ms = w.updated_ms = FIXTURE_NOW;
    assert_ok(work_order_insert(x->db, &w, &id, &err), err);
    work_order_clear(&w);
    assert_ok(work_order_find(x->db, "ext:MX-1", &w, &err), err);
    assert_ok(work_order_to_json(x->db, &w, &o, &err), err);
    assert_string_equal(json_get(o, "asset")->valuestring, "P-2");
    assert_string_equal(json_get(o, "component")->valuestring, "bearing");
    assert_string_equal(json_get(o, "crew")->valuestring, "Mech A");
    assert_string_equal(json_get(o, "due")->valuestring, "2026-11-20T06:00:00Z");
    assert_close(json_get(o, "expected_cost")->valuedouble, 1234.5, 1e-9);
    assert_true(cJSON_IsNull(json_get(o, "plan")));
    assert_int_equal(cJSON_GetArraySize(o), 40);
    cJSON_Delete(o);
    /* A merge patch: null clears, what is absent stays. */
    assert_ok(take(x, "{\"crew\":null,\"due\":null,\"status\":\"approved\",\"pinned\":true}", false,
                   &w, &err),
              err);
    assert_int_equal(w.crew_id, 0);
    assert_int_equal(w.due_ms, DB_NO_TIME);
    assert_string_equal(w.status, "approved");
    assert_string_equal(w.title, "Align coupling");
    assert_true(w.is_pinned);
    assert_int_equal(take(x, "{\"status\":\"rejected\"}", false, &w, &err), FT_OK);
    assert_int_equal(take(x, "{\"status\":\"draft\"}", false, &w, &err), FT_CONFLICT);
    work_order_clear(&w);
}

static void test_work_order_from_json_refuses(void **state)
{
    struct fixture *x = *state;
    static const struct {
        const char *text, *pointer;
    } bad[] = {
        {"{\"asset\":\"P-1\"}", "/title"},
        {"{\"title\":\"x\"}", "/asset"},
        {"{\"title\":\"x\",\"asset\":\"P-9\"}", "/asset"},
        {"{\"title\":\"\",\"asset\":\"P-1\"}", "/title"},
        {"{\"title\":\"x\",\"asset\":\"P-1\",\"version\":3}", "/version: unknown field"},
        {"{\"title\":\"x\",\"asset\":\"P-1\",\"kind\":\"fun\"}", "/kind"},
        {"{\"title\":\"x\",\"asset\":\"P-1\",\"status\":\"open\"}", "/status"},
        {"{\"title\":\"x\",\"asset\":\"P-1\",\"component\":\"wing\"}", "/component"},
        {"{\"title\":\"x\",\"asset\":\"P-1\",\"crew\":\"nobody\"}", "/crew"},
        {"{\"title\":\"x\",\"asset\":\"P-1\",\"priority\":9}", "/priority"},
        {"{\"title\":\"x\",\"asset\":\"P-1\",\"duration_h\":-1}", "/duration_h"},
        {"{\"title\":\"x\",\"asset\":\"P-1\",\"due\":\"soon\"}", "/due"},
        {"{\"title\":\"x\",\"asset\":\"P-1\",\"earliest\":\"2026-02-02\",\"latest\":"
         "\"2026-01-01\"}",
         "/latest"},
        {"[]", "/: expected an object"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct work_order w;
        struct ft_err err;
        assert_int_equal(take(x, bad[i].text, true, &w, &err), FT_INVALID);
        if (strstr(err.msg, bad[i].pointer) == NULL)
            fail_msg("%s: got \"%s\"", bad[i].text, err.msg);
    }
}

/* Close-out: what was booked and found stays with the work order, and the event is written. */
static void test_work_order_close_books(void **state)
{
    struct fixture *x = *state;
    struct work_order w;
    struct work_order back;
    struct ft_err err;
    int64_t id;
    assert_ok(take(x,
                   "{\"title\":\"Look\",\"asset\":\"P-2\",\"assignee\":\"M. Weiss\",\"checklist\":"
                   "[\"Lock\"],\"parts\":[{\"part\":\"6205\",\"quantity\":2}]}",
                   true, &w, &err),
              err);
    assert_ok(work_order_insert(x->db, &w, &id, &err), err);
    work_order_clear(&w);
    assert_ok(work_order_find(x->db, "WO-00001", &w, &err), err);
    assert_string_equal(w.assignee, "M. Weiss");
    assert_true(isnan(w.labour_h));
    const struct work_order_outcome o = {.outcome = "other_fault",
                                         .component_name = "seal",
                                         .code = "leak",
                                         .cause_code = "age",
                                         .remedy_code = "replaced",
                                         .labour_h = 2.5,
                                         .ended_ms = FIXTURE_NOW,
                                         .downtime_ms = 3 * MS_PER_HOUR,
                                         .cost_minor = 12345};
    assert_ok(work_order_close(x->db, &w, &o, FIXTURE_NOW, &id, &err), err);
    assert_ok(work_order_find(x->db, "WO-00001", &back, &err), err);
    assert_string_equal(back.status, "closed");
    assert_string_equal(back.failure_code, "leak");
    assert_string_equal(back.cause_code, "age");
    assert_string_equal(back.remedy_code, "replaced");
    assert_close(back.labour_h, 2.5, 0);
    assert_close(back.downtime_h, 3, 1e-12);
    assert_int_equal(back.actual_cost_minor, 12345);
    assert_int_equal(back.component_id, x->seal);
    cJSON *json = NULL;
    assert_ok(work_order_to_json(x->db, &back, &json, &err), err);
    assert_close(json_get(json, "cost")->valuedouble, 123.45, 1e-9);
    assert_string_equal(json_get(json, "checklist")->child->valuestring, "Lock");
    cJSON_Delete(json);
    struct event e;
    assert_ok(event_get(x->db, id, &e, &err), err);
    assert_int_equal(e.kind, EVENT_REPLACEMENT);
    assert_int_equal(e.component_id, x->seal);
    event_clear(&e);
    work_order_clear(&w);
    work_order_clear(&back);
}

static void test_work_order_copy_shares_nothing(void **state)
{
    struct work_order w;
    struct work_order copy;
    struct ft_err err;
    work_order_init(&w);
    w.title = fx("a");
    w.parts = fx("[]");
    assert_ok(work_order_copy(&w, &copy, &err), err);
    assert_string_equal(copy.title, "a");
    assert_string_equal(copy.parts, "[]");
    assert_true(copy.title != w.title && copy.parts != w.parts);
    assert_null(copy.note);
    work_order_clear(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_work_order_may_change_paths),
        cmocka_unit_test(test_work_order_copy_shares_nothing),
        cmocka_unit_test_setup_teardown(test_work_order_close_books, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_work_order_from_json_round_trip, fixture_open,
                                        fixture_close),
        cmocka_unit_test_setup_teardown(test_work_order_from_json_refuses, fixture_open,
                                        fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
