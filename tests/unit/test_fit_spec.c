#include "tests/test.h"

#include "app/fit_spec.h"

static struct ft_err err;

static enum ft_status grid_of(const char *text, struct fit_specs *out)
{
    const struct model_spec base = model_spec_default(MODEL_GBDT, TASK_CLASSIFY);
    cJSON *json;
    assert_ok(json_parse(text, strlen(text), &json, &err), err);
    const enum ft_status st = fit_specs_from_json(json, &base, out, &err);
    cJSON_Delete(json);
    return st;
}

static void test_fit_specs_full_grid(void **state)
{
    struct fit_specs s;
    assert_ok(grid_of("{\"trees\":[100,200],\"rate\":0.05,\"leaves\":[7,15,31]}", &s), err);
    assert_int_equal(s.n, 6);
    const size_t trees[] = {100, 100, 100, 200, 200, 200}, leaves[] = {7, 15, 31, 7, 15, 31};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(s.items[i].n_trees, trees[i]);
        assert_int_equal(s.items[i].max_leaves, leaves[i]);
        assert_close(s.items[i].rate, 0.05, 0);
        assert_int_equal(s.items[i].n_bins, 255);
    }
    fit_specs_free(&s);
}

static void test_fit_specs_list(void **state)
{
    struct fit_specs s;
    assert_ok(grid_of("[{\"trees\":10},{\"model\":\"logistic\",\"lambda\":3}]", &s), err);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.items[0].kind, MODEL_GBDT);
    assert_int_equal(s.items[1].kind, MODEL_LOGISTIC);
    assert_close(s.items[1].lambda, 3, 0);
    fit_specs_free(&s);
}

static void test_fit_specs_refuses(void **state)
{
    static const char *const bad[][2] = {
        {"[]", "no candidates"},
        {"3", "expected an array"},
        {"[{\"tree\":3}]", "tree"},
        {"[{\"trees\":\"3\"}]", "trees"},
        {"[{\"trees\":-1}]", "trees"},
        {"[{\"model\":\"svm\"}]", "svm"},
        {"[{\"distribution\":\"gamma\"}]", "gamma"},
        {"{\"trees\":[]}", "empty"},
        {"[5]", "object"},
    };
    struct fit_specs s;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(grid_of(bad[i][0], &s), FT_INVALID);
        if (strstr(err.msg, bad[i][1]) == NULL)
            fail_msg("'%s' lacks '%s'", err.msg, bad[i][1]);
        fit_specs_free(&s);
    }
}

static void test_fit_spec_to_json_round_trip(void **state)
{
    const struct model_spec base = model_spec_default(MODEL_GBDT, TASK_CLASSIFY);
    struct model_spec spec = base, back;
    spec.rate = 0.07;
    spec.max_depth = 5;
    spec.row_sample = 0.6;
    cJSON *json = fit_spec_to_json(&spec);
    assert_ok(fit_spec_from_json(json, &base, &back, &err), err);
    cJSON *again = fit_spec_to_json(&back);
    assert_true(cJSON_Compare(json, again, 1));
    assert_close(back.rate, 0.07, 0);
    assert_int_equal(back.max_depth, 5);
    cJSON_Delete(again);
    cJSON_Delete(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fit_specs_full_grid),
        cmocka_unit_test(test_fit_specs_list),
        cmocka_unit_test(test_fit_specs_refuses),
        cmocka_unit_test(test_fit_spec_to_json_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
