/* Lives of the fixture's plant: parts, borrowed shapes, plans that could stop; the same bytes with
 * any number of threads. */
#include "tests/plan_fixture.h"

#include "app/base/pool.h"
#include "app/life_site.h"

static cJSON *site_of(const struct fixture *x, size_t n_threads)
{
    const struct life_site_query q = {.confidence = 0.9, .n_draws = 40, .seed = 1};
    struct pool *pool = NULL;
    cJSON *out = NULL;
    struct ft_err err;
    assert_ok(pool_new(n_threads, &pool, &err), err);
    assert_ok(life_site_json(x->db, &q, pool, &out, &err), err);
    pool_free(pool);
    return out;
}

static void test_life_site_json(void **state)
{
    const struct fixture *x = *state;
    cJSON *one = site_of(x, 1), *three = site_of(x, 3);
    char *a = json_print(one, false), *b = json_print(three, false);
    assert_string_equal(a, b);
    const cJSON *parts = json_get(one, "components"), *part = NULL;
    assert_int_equal(cJSON_GetArraySize(parts), 2); /* the parts, not the asset beside them */
    cJSON_ArrayForEach (part, parts) {
        const char *name = json_get(part, "component")->valuestring;
        assert_true(cJSON_IsString(json_get(part, "reason")));
        if (strcmp(name, "bearing") == 0) {
            assert_true(json_get(part, "shape")->valuedouble > 1);
            assert_string_equal(json_get(part, "verdict")->valuestring, "replace_at");
            assert_true(cJSON_IsNull(json_get(part, "prior")));
        } else {
            assert_true(cJSON_IsNull(json_get(part, "prior"))); /* nobody to borrow from */
        }
    }
    const cJSON *stop = NULL;
    double hours = 0;
    cJSON_ArrayForEach (stop, json_get(one, "stop"))
        hours += json_get(stop, "hours_per_year")->valuedouble;
    assert_close(json_get(one, "hours_per_year")->valuedouble, hours, 1e-9);
    free(a);
    free(b);
    cJSON_Delete(one);
    cJSON_Delete(three);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_life_site_json, fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
