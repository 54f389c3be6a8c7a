#include "tests/test.h"

#include "app/base/hash.h"
#include "app/base/json.h"
#include "app/train_job.h"

/* A result with one model, as JSON; the caller ends it. */
static cJSON *sample(void)
{
    char hex[HASH_HEX_SIZE];
    static char body[] = "model file";
    hash_sha256(body, strlen(body), hex);
    struct train_model m = {.component_id = 3,
                            .kind = "gbdt",
                            .is_champion = true,
                            .beats_baseline = true,
                            .score = 0.25,
                            .score_se = NAN,
                            .reason = (char *)"better by a fifth",
                            .params = (char *)"{}",
                            .features = (char *)"{}",
                            .metrics = (char *)"{}",
                            .fingerprint = (char *)"f",
                            .sha256 = hex,
                            .body = body};
    cJSON *report = cJSON_CreateObject();
    json_add_string(report, "class", "pump");
    const struct train_result r = {.class_id = 7,
                                   .class_name = (char *)"pump",
                                   .target = (char *)"failure",
                                   .horizon_ms = 86400000,
                                   .until_ms = INT64_C(1790000000000),
                                   .seed = 11,
                                   .models = &m,
                                   .n_models = 1,
                                   .report = report};
    cJSON *json = train_result_to_json(&r);
    cJSON_Delete(report);
    assert_non_null(json);
    return json;
}

static void test_train_result_from_json_round_trip(void **state)
{
    struct ft_err err = {0};
    struct train_result *r;
    (void)state;
    cJSON *json = sample();
    assert_ok(train_result_from_json(json, &r, &err), err);
    assert_int_equal(r->class_id, 7);
    assert_string_equal(r->target, "failure");
    assert_int_equal(r->until_ms, INT64_C(1790000000000));
    assert_int_equal(r->seed, 11);
    assert_int_equal(r->n_models, 1);
    assert_string_equal(r->models[0].kind, "gbdt");
    assert_true(r->models[0].is_champion);
    assert_close(r->models[0].score, 0.25, 0);
    assert_true(isnan(r->models[0].score_se));
    assert_int_equal(r->models[0].body_len, strlen("model file"));
    assert_string_equal(json_get(r->report, "class")->valuestring, "pump");
    train_result_free(r);
    train_result_free(NULL);
    cJSON_Delete(json);
}

static void refuse(cJSON *json)
{
    struct ft_err err = {0};
    struct train_result *r;
    assert_int_equal(train_result_from_json(json, &r, &err), FT_INVALID);
    assert_null(r);
    cJSON_Delete(json);
}

static void test_train_result_from_json_refuses(void **state)
{
    static const char *const needed[] = {"class_id", "class",  "target", "horizon_ms",
                                         "until_ms", "models", "report", "seed"};
    static const char *const of_model[] = {"kind", "score", "body", "sha256", "is_champion"};
    (void)state;
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        cJSON *json = sample();
        cJSON_DeleteItemFromObjectCaseSensitive(json, needed[i]);
        refuse(json);
    }
    for (size_t i = 0; i < sizeof(of_model) / sizeof(of_model[0]); i++) {
        cJSON *json = sample();
        cJSON *m = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, "models"), 0);
        cJSON_DeleteItemFromObjectCaseSensitive(m, of_model[i]);
        refuse(json);
    }
    /* A kind that does not fit, and a file that is not the one of the hash. */
    cJSON *json = sample();
    cJSON *m = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, "models"), 0);
    cJSON_ReplaceItemInObjectCaseSensitive(m, "kind",
                                           cJSON_CreateString("a kind with a very long name"));
    refuse(json);
    json = sample();
    m = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, "models"), 0);
    cJSON_ReplaceItemInObjectCaseSensitive(m, "body", cJSON_CreateString("another file"));
    refuse(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train_result_from_json_round_trip),
        cmocka_unit_test(test_train_result_from_json_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
