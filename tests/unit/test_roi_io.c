#include "tests/test.h"

#include "app/base/json.h"
#include "app/roi_io.h"

#include <stdlib.h>

static enum ft_status take(const char *text, struct roi_request *r, struct ft_err *err)
{
    cJSON *json;
    enum ft_status st = json_parse(text, strlen(text), &json, err);
    if (st == FT_OK)
        st = roi_request_from_json(json, r, err);
    cJSON_Delete(json);
    return st;
}

static void test_roi_example_json_is_accepted(void **state)
{
    struct roi_request r;
    struct ft_err err;
    cJSON *example = roi_example_json();
    assert_ok(roi_request_from_json(example, &r, &err), err);
    assert_int_equal(cJSON_GetArraySize(json_get(example, "inputs")), ROI_N_FIELDS);
    cJSON *again = roi_request_to_json(&r);
    assert_true(cJSON_Compare(example, again, true));
    cJSON_Delete(example);
    cJSON_Delete(again);
}

static void test_roi_request_from_json_refuses(void **state)
{
    static const struct {
        const char *text, *pointer;
    } bad[] = {
        {"{\"inputs\":{\"asets\":1}}", "/inputs/asets: unknown field"},
        {"{\"inputs\":{\"assets\":-1}}", "/inputs/assets: -1 is out of range"},
        {"{\"inputs\":{\"assets\":\"4\"}}", "/inputs/assets: expected a number"},
        {"{\"inputs\":{\"recall\":{\"value\":1.5}}}", "/inputs/recall/value: 1.5"},
        {"{\"inputs\":{\"recall\":{\"value\":0.5,\"low\":0.6}}}", "/inputs/recall: expected low"},
        {"{\"inputs\":{\"recall\":{\"valu\":0.5}}}", "/inputs/recall/valu: unknown field"},
        {"{\"inputs\":{\"recall\":{\"value\":0.5,\"origin\":\"x\"}}}", "/inputs/recall/origin"},
        {"{\"inputs\":{},\"horizon\":5}", "/horizon: unknown field"},
        {"{\"inputs\":{},\"years\":0}", "/years"},
        {"{\"inputs\":{},\"ramp\":[0.3,2]}", "/ramp/1"},
        {"{\"inputs\":{},\"currency\":\"euro\"}", "/currency"},
        {"{}", "/inputs: missing"},
        {"[]", "/: expected an object"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct roi_request r;
        struct ft_err err;
        assert_int_equal(take(bad[i].text, &r, &err), FT_INVALID);
        if (strstr(err.msg, bad[i].pointer) == NULL)
            fail_msg("%s: got \"%s\"", bad[i].text, err.msg);
    }
}

static double number(const cJSON *o, const char *key)
{
    const cJSON *item = json_get(o, key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static void test_roi_answer_json_golden(void **state)
{
    static const char text[] =
        "{\"inputs\":{\"assets\":40,\"failures_per_asset_year\":0.6,\"hours_unplanned\":6,"
        "\"hours_planned\":1.5,\"cost_per_hour\":4000,\"mitigated_share\":0,"
        "\"repair_unplanned\":9000,\"repair_planned\":3500,\"life_lost_share\":0,"
        "\"predictable_share\":0.6,\"recall\":0.525,\"acted_share\":0.9,"
        "\"false_alarms_per_year\":48,\"inspection_cost\":450,\"pm_events_per_year\":36,"
        "\"pm_cost\":500,\"pm_drop_share\":1,\"setup_sensors\":120000,\"setup_install\":0,"
        "\"setup_training\":0,\"running_support\":60000,\"running_upkeep\":0,"
        "\"running_admin\":0,\"discount_rate\":0.1}}";
    struct roi_request r;
    struct ft_err err;
    cJSON *o;
    assert_ok(take(text, &r, &err), err);
    assert_ok(roi_answer_json(&r, &o, &err), err);
    assert_close(number(o, "npv"), 119736.48, 0.005);
    assert_close(number(o, "irr"), 0.33553, 0.000005);
    assert_close(number(o, "payback_years"), 2.707, 0.0005);
    assert_close(number(o, "bcr"), 1.34462, 0.000005);
    assert_close(number(o, "roi_frac"), 0.52573, 0.000005);
    assert_close(number(o, "p_star"), 0.018789, 0.0000005);
    assert_int_equal(cJSON_GetArraySize(json_get(o, "flows")), 6);
    assert_true(cJSON_IsNull(json_get(o, "irr_note")));
    const cJSON *even = json_get(o, "break_even")->child->next;
    assert_string_equal(json_get(even, "input")->valuestring, "recall");
    assert_true(number(even, "value") < 0.525);
    cJSON_Delete(o);
}

static void test_roi_answer_json_never_pays(void **state)
{
    struct roi_request r;
    struct ft_err err;
    cJSON *o;
    assert_ok(take("{\"inputs\":{\"failures_per_asset_year\":0}}", &r, &err), err);
    assert_ok(roi_answer_json(&r, &o, &err), err);
    assert_true(cJSON_IsNull(json_get(o, "irr")));
    assert_true(cJSON_IsNull(json_get(o, "payback_years")));
    assert_true(cJSON_IsString(json_get(o, "irr_note")));
    assert_close(number(o, "p_npv_positive"), 0, 1e-12);
    cJSON_Delete(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roi_example_json_is_accepted),
        cmocka_unit_test(test_roi_request_from_json_refuses),
        cmocka_unit_test(test_roi_answer_json_golden),
        cmocka_unit_test(test_roi_answer_json_never_pays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
