#include "tests/db_fixture.h"

#include "db/scenario_store.h"

static struct scenario make(const char *key, const char *result)
{
    return (struct scenario){.key = (char *)(uintptr_t)key,
                             .changes = (char *)"{}",
                             .result = (char *)(uintptr_t)result,
                             .actor = (char *)"ada",
                             .computed_ms = 5000};
}

static void test_scenario_put_find_delete(void **state)
{
    struct db_fixture *f = *state;
    struct scenario x = make("second crew", "{\"a\":1}");
    struct scenario got = {0};
    struct scenario_list l = {0};
    assert_ok(scenario_put(f->db, &x, &f->err), f->err);
    x.result = (char *)"{\"a\":2}"; /* the same name: in its place */
    assert_ok(scenario_put(f->db, &x, &f->err), f->err);
    x = make("a cheaper one", "{}");
    assert_ok(scenario_put(f->db, &x, &f->err), f->err);
    assert_ok(scenario_list(f->db, &l, &f->err), f->err);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.items[0].key, "a cheaper one");
    scenario_list_free(&l);
    assert_ok(scenario_find(f->db, "second crew", &got, &f->err), f->err);
    assert_string_equal(got.result, "{\"a\":2}");
    assert_string_equal(got.actor, "ada");
    assert_int_equal(got.computed_ms, 5000);
    scenario_clear(&got);
    assert_ok(scenario_delete(f->db, "second crew", &f->err), f->err);
    assert_int_equal(scenario_delete(f->db, "second crew", &f->err), FT_NOT_FOUND);
    assert_int_equal(scenario_find(f->db, "second crew", &got, &f->err), FT_NOT_FOUND);
    assert_non_null(strstr(f->err.msg, "second crew"));
}

static void test_scenario_put_refuses(void **state)
{
    struct db_fixture *f = *state;
    char key[120];
    memset(key, 'x', 101);
    key[101] = '\0';
    struct scenario x = make(key, "{}");
    assert_int_equal(scenario_put(f->db, &x, &f->err), FT_INVALID);
    x.key = (char *)"";
    assert_int_equal(scenario_put(f->db, &x, &f->err), FT_INVALID);
    assert_ok(db_begin(f->db, &f->err), f->err);
    for (int i = 0; i < SCENARIO_MAX; i++) {
        snprintf(key, sizeof(key), "n%d", i);
        x.key = key;
        assert_ok(scenario_put(f->db, &x, &f->err), f->err);
    }
    assert_ok(db_commit(f->db, &f->err), f->err);
    assert_ok(scenario_put(f->db, &x, &f->err), f->err); /* an old one may change */
    x.key = (char *)"one more";
    assert_int_equal(scenario_put(f->db, &x, &f->err), FT_CONFLICT);
    assert_non_null(strstr(f->err.msg, "200"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(test_scenario_put_find_delete),
        db_test(test_scenario_put_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
