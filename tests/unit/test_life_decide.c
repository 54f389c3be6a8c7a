/* Decisions with their limits, and the answer as JSON: shape, threads, refusals. */
#include "tests/test.h"

#include "app/base/pool.h"
#include "app/base/rng.h"
#include "app/life_input.h"
#include "models/life_bootstrap.h"

#include <stdlib.h>

enum { N = 40 };

/* Weibull lives of shape 2.5 and scale 1000, some still running. */
static cJSON *make_body(void)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *time = json_add_array(body, "time"), *failed = json_add_array(body, "failed");
    const struct weibull w = {.shape = 2.5, .scale = 1000};
    for (uint64_t i = 0; i < N; i++) {
        const double life = weibull_quantile(&w, rng_uniform(4, 1, i));
        const double end = 400 + 900 * rng_uniform(4, 2, i);
        json_add_number(time, NULL, fmin(life, end));
        json_add_bool(failed, NULL, life <= end);
    }
    json_add_number(body, "cost_planned", 1);
    json_add_number(body, "cost_failure", 5);
    json_add_int(body, "bootstrap", 60);
    return body;
}

static char *answer_of(const cJSON *body, size_t n_threads)
{
    struct life_table table;
    struct life_request q;
    struct life_answer a;
    struct pool *pool = NULL;
    struct ft_err err;
    cJSON *out = cJSON_CreateObject();
    assert_ok(pool_new(n_threads, &pool, &err), err);
    assert_ok(life_input_from_json(body, &table, &q, &err), err);
    assert_ok(life_answer_make(&table, &q, pool, &a, &err), err);
    assert_ok(life_answer_json(&a, &table, &q, out, &err), err);
    char *text = json_print(out, false);
    cJSON_Delete(out);
    life_answer_free(&a);
    life_table_free(&table);
    pool_free(pool);
    return text;
}

static void test_life_decide_same_for_any_threads(void **state)
{
    cJSON *body = make_body();
    char *one = answer_of(body, 1), *four = answer_of(body, 4);
    assert_string_equal(one, four);
    free(one);
    free(four);
    cJSON_Delete(body);
}

static void test_life_decide_limits_hold_the_answer(void **state)
{
    cJSON *body = make_body();
    struct ft_err err;
    cJSON *spares = json_add_object(body, "spares"), *look = json_add_object(body, "inspection");
    json_add_number(spares, "units", 30);
    json_add_number(spares, "lead_time", 90);
    json_add_number(look, "pf", 100);
    json_add_number(look, "detection", 0.8);
    json_add_number(look, "cost", 0.01);
    json_add_number(body, "cost_renewal", 5);
    json_add_number(body, "cost_repair", 1);
    json_add_bool(body, "plot", true);
    struct life_table table;
    struct life_request q;
    struct life_answer a;
    assert_ok(life_input_from_json(body, &table, &q, &err), err);
    assert_ok(life_answer_make(&table, &q, NULL, &a, &err), err);
    const struct life_decisions *d = &a.decisions;
    assert_int_equal(d->n_fitted, 60);
    assert_true(d->age.interval[0] < d->age.best.interval &&
                d->age.best.interval < d->age.interval[1]);
    assert_true(d->block.saving[0] < d->block.best.saving_frac &&
                d->block.best.saving_frac < d->block.saving[1]);
    assert_true(d->age.best.cost_rate < d->block.best.cost_rate);
    assert_true(d->minimal.best.has_optimum);
    assert_true(d->spares_limits[0] <= (double)d->spares &&
                (double)d->spares <= d->spares_limits[1]);
    assert_true(d->met >= 0.95);
    assert_true(d->has_inspection && d->inspection.has_best);
    assert_int_equal(d->n_words, 6);
    char *text = answer_of(body, 2);
    assert_non_null(strstr(text, "\"contour\":{"));
    assert_non_null(strstr(text, "\"failed_frac\""));
    free(text);
    life_answer_free(&a);
    life_table_free(&table);
    cJSON_Delete(body);
}

/* Swapped costs are told, never swapped back. */
static void test_life_decide_swapped_costs(void **state)
{
    cJSON *body = make_body();
    cJSON_ReplaceItemInObjectCaseSensitive(body, "cost_planned", cJSON_CreateNumber(9));
    char *text = answer_of(body, 1);
    assert_non_null(strstr(text, "swapped"));
    assert_non_null(strstr(text, "\"verdict\":\"run_to_failure\""));
    assert_non_null(strstr(text, "does not pay"));
    free(text);
    cJSON_Delete(body);
}

static void test_life_input_refuses(void **state)
{
    static const char *const bad[][2] = {
        {"{}", "time"},
        {"{\"time\":[]}", "rows"},
        {"{\"time\":[1,-2]}", "unit 2"},
        {"{\"time\":[1,2],\"failed\":[true]}", "failed"},
        {"{\"time\":[1,2],\"failed\":[1,7]}", "failed/1"},
        {"{\"time\":[1,\"x\"]}", "time/1"},
        {"{\"time\":[1,2],\"count\":[1,0.5]}", "count/1"},
        {"{\"time\":[1,2],\"colour\":1}", "colour"},
        {"{\"time\":[1,2],\"distribution\":\"normal\"}", "weibull"},
        {"{\"time\":[1,2],\"cost_planned\":1}", "go together"},
        {"{\"time\":[1,2],\"cost_planned\":0,\"cost_failure\":1}", "above 0"},
        {"{\"time\":[1,2],\"cost_renewal\":1}", "go together"},
        {"{\"time\":[1,2],\"confidence\":1}", "confidence"},
        {"{\"time\":[1,2],\"bootstrap\":100000}", "bootstrap"},
        {"{\"time\":[1,2],\"shape\":2,\"distribution\":\"gamma\"}", "weibull"},
        {"{\"time\":[1,2],\"shape\":2,\"prior\":{\"median\":2}}", "exclude"},
        {"{\"time\":[1,2],\"inspection\":{\"pf\":-1}}", "pf"},
        {"{\"time\":[1,2],\"spares\":{\"units\":1}}", "lead_time"},
        {"{\"time\":[1,2],\"mode\":[\"a\",7]}", "mode/1"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct life_table table;
        struct life_request q;
        struct ft_err err;
        cJSON *body = NULL;
        assert_ok(json_parse(bad[i][0], strlen(bad[i][0]), &body, &err), err);
        assert_int_equal(life_input_from_json(body, &table, &q, &err), FT_INVALID);
        if (strstr(err.msg, bad[i][1]) == NULL)
            fail_msg("%s: %s lacks %s", bad[i][0], err.msg, bad[i][1]);
        assert_null(table.time);
        cJSON_Delete(body);
    }
}

static void test_life_answer_modes_and_recurrent(void **state)
{
    static const char modes[] =
        "{\"time\":[3,4,5,6,7,8,9,10,10,10],\"failed\":[1,1,1,1,1,1,1,0,0,0],"
        "\"mode\":[\"a\",\"b\",\"a\",\"a\",\"b\",\"a\",\"a\",null,null,null]}";
    static const char events[] = "{\"time\":[5,9,20,7,20,15,20],\"failed\":[1,1,0,1,0,1,0],"
                                 "\"asset\":[\"x\",\"x\",\"x\",\"y\",\"y\",\"z\",\"z\"]}";
    struct ft_err err;
    cJSON *body = NULL;
    assert_ok(json_parse(modes, strlen(modes), &body, &err), err);
    char *text = answer_of(body, 1);
    assert_non_null(strstr(text, "\"modes\":[{\"mode\":\"a\",\"failures\":5"));
    free(text);
    cJSON_Delete(body);
    assert_ok(json_parse(events, strlen(events), &body, &err), err);
    text = answer_of(body, 1);
    assert_non_null(strstr(text, "\"assets\":3,\"events\":4,\"exposure\":60"));
    assert_non_null(strstr(text, "\"mcf\":[{\"time\":5"));
    assert_non_null(strstr(text, "kijima_2"));
    free(text);
    cJSON_Delete(body);
}

/* Modes of failures found in intervals: those of the others are censored where they began. */
static void test_life_modes_with_intervals(void **state)
{
    static const char modes[] = "{\"time\":[0,10,20,10,30,0,20],\"upper\":[10,20,30,20,0,10,30],"
                                "\"failed\":[1,1,1,1,0,1,1],"
                                "\"mode\":[\"a\",\"b\",\"a\",\"a\",null,\"b\",\"b\"]}";
    struct ft_err err;
    cJSON *body = NULL;
    assert_ok(json_parse(modes, strlen(modes), &body, &err), err);
    char *text = answer_of(body, 1);
    assert_non_null(strstr(text, "\"turnbull\":[{"));
    assert_non_null(strstr(text, "\"mode\":\"b\",\"failures\":3,\"incidence\":[],\"fit\":{"));
    free(text);
    cJSON_Delete(body);
}

static void test_life_bootstrap(void **state)
{
    static const double sorted[] = {1, 2, 3, 4, 5};
    static const double time[] = {1, 2, 3}, count[] = {1, 0, 400};
    static const bool failed[] = {true, true, false};
    const struct life_data data = {time, failed, NULL, count, 3, NULL};
    double limits[2], a[3], b[3], sum = 0;
    life_bootstrap_limits(sorted, 5, 0.5, limits);
    assert_close(limits[0], 2, 1e-12);
    assert_close(limits[1], 4, 1e-12);
    life_bootstrap_limits(sorted, 0, 0.5, limits);
    assert_true(isnan(limits[0]));
    for (uint64_t k = 0; k < 500; k++) {
        life_bootstrap_weights(&data, 1, k, a);
        life_bootstrap_weights(&data, 1, k, b);
        assert_memory_equal(a, b, sizeof(a));
        assert_true(a[0] > 0 && a[1] == 0);
        sum += a[2] / 500;
    }
    assert_close(sum, 400, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life_decide_same_for_any_threads),
        cmocka_unit_test(test_life_decide_limits_hold_the_answer),
        cmocka_unit_test(test_life_decide_swapped_costs),
        cmocka_unit_test(test_life_input_refuses),
        cmocka_unit_test(test_life_answer_modes_and_recurrent),
        cmocka_unit_test(test_life_modes_with_intervals),
        cmocka_unit_test(test_life_bootstrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
