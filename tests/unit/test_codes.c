#include "tests/db_fixture.h"

#include "app/codes.h"
#include "db/work_order_store.h"

static void test_codes_check_known_and_unknown(void **state)
{
    struct db_fixture *f = *state;
    const struct code own = {(char *)"failure", (char *)"B1", (char *)"Bearing, inner ring"};
    assert_ok(codes_check(f->db, "failure", "code", NULL, &f->err), f->err);
    assert_ok(codes_check(f->db, "failure", "code", "", &f->err), f->err);
    assert_ok(codes_check(f->db, "failure", "code", "leak", &f->err), f->err);
    assert_int_equal(codes_check(f->db, "failure", "code", "B1", &f->err), FT_INVALID);
    assert_string_equal(f->err.msg,
                        "/code: \"B1\" is no failure code: broken, hot, leak, no_start, "
                        "no_stop, noise, other, signal, stuck, unstable, vibration, "
                        "weak, worn");
    assert_int_equal(codes_check(f->db, "remedy", "remedy_code", "leak", &f->err), FT_INVALID);
    assert_non_null(strstr(f->err.msg, "/remedy_code"));
    assert_ok(code_put(f->db, &own, &f->err), f->err);
    assert_ok(codes_check(f->db, "failure", "code", "B1", &f->err), f->err);
}

/* A list of hundreds is cut. */
static void test_codes_check_long_list(void **state)
{
    struct db_fixture *f = *state;
    for (int i = 0; i < 200; i++) {
        char code[20];
        snprintf(code, sizeof(code), "own_code_%d", i);
        const struct code c = {(char *)"cause", code, (char *)"x"};
        assert_ok(code_put(f->db, &c, &f->err), f->err);
    }
    assert_int_equal(codes_check(f->db, "cause", "cause_code", "nothing", &f->err), FT_INVALID);
    assert_non_null(strstr(f->err.msg, ", ..."));
    assert_true(strlen(f->err.msg) < 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(test_codes_check_known_and_unknown),
        db_test(test_codes_check_long_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
