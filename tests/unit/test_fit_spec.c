#include "tests/test.h"

#include "app/fit_spec.h"

static struct ft_err err;

static enum ft_status grid_of(const char *text, struct fit_specs *out)
{
    const struct model_spec base = model_spec_default(MODEL_GBDT, TASK_CLASSIFY);
    cJSON *json;
    assert_ok(json_parse(text, strlen(text), &json, &err), err);
    const enum ft_status st = fit_specs_from_json(json, &base, 7, out, &err);
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

static void test_fit_specs_weights_and_stopping(void **state)
{
    struct fit_specs s;
    assert_ok(grid_of("[{\"class_weight\":\"balanced\",\"early_stopping\":20,\"alpha\":2},"
                      "{\"model\":\"logistic\",\"class_weight\":3,\"l1_share\":0.25}]",
                      &s),
              err);
    assert_close(s.items[0].positive_weight, 0, 0);
    assert_int_equal(s.items[0].patience, 20);
    assert_close(s.items[0].alpha, 2, 0);
    assert_close(s.items[1].positive_weight, 3, 0);
    assert_close(s.items[1].l1_share, 0.25, 0);
    for (size_t i = 0; i < 2; i++) { /* and back */
        struct model_spec again, base = model_spec_default(MODEL_GBDT, TASK_CLASSIFY);
        cJSON *json = fit_spec_to_json(&s.items[i]);
        assert_ok(fit_spec_from_json(json, &base, &again, &err), err);
        assert_close(again.positive_weight, s.items[i].positive_weight, 0);
        assert_close(again.alpha, s.items[i].alpha, 0);
        assert_close(again.l1_share, s.items[i].l1_share, 0);
        assert_int_equal(again.patience, s.items[i].patience);
        cJSON_Delete(json);
    }
    fit_specs_free(&s);
    assert_int_equal(grid_of("{\"class_weight\":\"much\"}", &s), FT_INVALID);
    fit_specs_free(&s);
    assert_int_equal(grid_of("{\"class_weight\":0}", &s), FT_INVALID);
    fit_specs_free(&s);
}

static void test_fit_specs_random(void **state)
{
    static const char *const text = "{\"random\":200,\"trees\":{\"from\":2,\"to\":4},"
                                    "\"rate\":{\"from\":0.01,\"to\":0.1,\"log\":true},"
                                    "\"leaves\":[7,31],\"lambda\":2}";
    struct fit_specs a, b;
    size_t n_trees[5] = {0}, n_small = 0;
    assert_ok(grid_of(text, &a), err);
    assert_ok(grid_of(text, &b), err);
    assert_int_equal(a.n, 200);
    assert_memory_equal(a.items, b.items, a.n * sizeof(*a.items));
    for (size_t i = 0; i < a.n; i++) {
        assert_in_range(a.items[i].n_trees, 2, 4);
        n_trees[a.items[i].n_trees]++;
        assert_true(a.items[i].rate >= 0.01 && a.items[i].rate <= 0.1);
        n_small += a.items[i].rate < 0.0316227766;
        assert_true(a.items[i].max_leaves == 7 || a.items[i].max_leaves == 31);
        assert_close(a.items[i].lambda, 2, 0);
    }
    for (size_t t = 2; t <= 4; t++)
        assert_in_range(n_trees[t], 45, 90);
    assert_in_range(n_small, 80, 120); /* half of them below the geometric mean */
    fit_specs_free(&a);
    fit_specs_free(&b);
}

static void test_fit_spec_complexity_order(void **state)
{
    struct model_spec small = model_spec_default(MODEL_GBDT, TASK_CLASSIFY), deep = small;
    struct model_spec line = model_spec_default(MODEL_LOGISTIC, TASK_CLASSIFY), stiff = line;
    small.max_depth = 2;
    stiff.lambda = 10;
    assert_true(fit_spec_complexity(&small) < fit_spec_complexity(&deep));
    assert_true(fit_spec_complexity(&line) < fit_spec_complexity(&small));
    assert_true(fit_spec_complexity(&stiff) < fit_spec_complexity(&line));
}

static void test_fit_specs_refuses(void **state)
{
    static const char *const bad[][2] = {
        {"{\"random\":0,\"trees\":[1]}", "random"},
        {"{\"random\":2000,\"trees\":[1]}", "random"},
        {"{\"random\":3,\"trees\":{\"from\":9,\"to\":2}}", "rising"},
        {"{\"random\":3,\"rate\":{\"from\":0,\"to\":2,\"log\":true}}", "above 0"},
        {"{\"random\":3,\"rate\":{\"to\":2}}", "from"},
        {"{\"random\":3,\"rate\":[]}", "empty"},
        {"{\"objective\":\"hinge\"}", "hinge"},
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
        cmocka_unit_test(test_fit_specs_weights_and_stopping),
        cmocka_unit_test(test_fit_specs_random),
        cmocka_unit_test(test_fit_spec_complexity_order),
        cmocka_unit_test(test_fit_specs_refuses),
        cmocka_unit_test(test_fit_spec_to_json_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
