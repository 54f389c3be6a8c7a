#include "tests/db_fixture.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/demo/demo.h"
#include "app/health_index.h"
#include "app/health_judge.h"

static double number(const cJSON *o, const char *key)
{
    double v = NAN;
    (void)json_number(o, key, false, &v, NULL);
    return v;
}

/* The demo plant's bearings and seals show; its motors do not. */
static void test_health_judge_demo(void **state)
{
    struct db_fixture *f = *state;
    struct demo_options o = demo_options_default(INT64_C(1767225600000));
    struct demo_counts counts;
    struct pool *pool = NULL;
    cJSON *json = NULL;
    o.n_assets = 30;
    o.n_days = 300;
    o.step_ms = 4 * MS_PER_HOUR;
    assert_ok(pool_new(1, &pool, &f->err), f->err);
    assert_ok(demo_write(f->db, &o, pool, NULL, NULL, NULL, &counts, &f->err), f->err);
    pool_free(pool);
    struct health_judge_options judge = {"pump", DB_NO_TIME, DB_NO_TIME};
    assert_ok(health_judge(f->db, &judge, &json, &f->err), f->err);
    assert_true(number(json, "failures") > 3);
    assert_true(number(json, "named_share") > 0.5);
    assert_true(number(json, "unfollowed_per_asset_year") <= HEALTH_FALSE_PER_YEAR);
    assert_true(number(json, "alarms") ==
                number(json, "followed") + number(json, "open") + number(json, "unfollowed"));
    assert_true(number(json, "lead_s") == 3.0 * 86400);
    double failures = 0;
    const cJSON *item;
    cJSON_ArrayForEach (item, json_get(json, "components")) {
        failures += number(item, "failures");
        assert_true(number(item, "named") <= number(item, "failures"));
    }
    assert_true(failures == number(json, "failures"));
    cJSON_Delete(json);
    judge.class_name = "none";
    assert_int_equal(health_judge(f->db, &judge, &json, &f->err), FT_NOT_FOUND);
    assert_null(json);
    judge.class_name = "pump";
    judge.from_ms = o.end_ms - 298 * MS_PER_DAY;
    assert_int_equal(health_judge(f->db, &judge, &json, &f->err), FT_TOO_FEW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_health_judge_demo, db_fixture_open, db_fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
