#include "tests/test.h"

static void test_ft_fail_writes_code_and_text(void **state)
{
    struct ft_err err;
    assert_int_equal(ft_fail(&err, FT_INVALID, "row %d: %s", 7, "bad"), FT_INVALID);
    assert_int_equal(err.code, FT_INVALID);
    assert_string_equal(err.msg, "row 7: bad");
    assert_int_equal(ft_fail(NULL, FT_IO, "no place for the text"), FT_IO);
}

static void test_ft_fail_cuts_long_text(void **state)
{
    char text[2 * sizeof(((struct ft_err *)0)->msg)];
    struct ft_err err;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    ft_fail(&err, FT_IO, "%s", text);
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

static void test_ft_err_prefix_keeps_code(void **state)
{
    struct ft_err err;
    ft_fail(&err, FT_NOT_FOUND, "sensor 'x'");
    assert_int_equal(ft_err_prefix(&err, "asset %d", 42), FT_NOT_FOUND);
    assert_string_equal(err.msg, "asset 42: sensor 'x'");
    assert_int_equal(ft_err_prefix(NULL, "nothing"), FT_INTERNAL);
}

static void test_ft_err_prefix_cuts_the_old_text(void **state)
{
    struct ft_err err;
    char text[sizeof(err.msg)];
    memset(text, 'y', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    ft_fail(&err, FT_IO, "%s", text);
    ft_err_prefix(&err, "context");
    assert_memory_equal(err.msg, "context: yyy", 12);
    assert_true(strlen(err.msg) < sizeof(err.msg));
}

static void test_ft_status_names_and_exit_codes(void **state)
{
    static const struct {
        enum ft_status code;
        const char *name;
        int exit_code;
    } want[] = {{FT_OK, "ok", 0},
                {FT_INVALID, "invalid", 4},
                {FT_NOT_FOUND, "not_found", 3},
                {FT_CONFLICT, "conflict", 5},
                {FT_REFUSED, "refused", 5},
                {FT_TOO_FEW, "too_few", 4},
                {FT_PARTIAL, "partial", 6},
                {FT_BUSY, "busy", 7},
                {FT_INTERRUPTED, "interrupted", 130},
                {FT_NOMEM, "no_memory", 1},
                {FT_IO, "io", 1},
                {FT_INTERNAL, "internal", 1}};
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        assert_string_equal(ft_status_name(want[i].code), want[i].name);
        assert_int_equal(ft_status_exit_code(want[i].code), want[i].exit_code);
    }
    assert_string_equal(ft_status_name((enum ft_status)99), "unknown");
    assert_int_equal(ft_status_exit_code((enum ft_status)99), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ft_fail_writes_code_and_text),
        cmocka_unit_test(test_ft_fail_cuts_long_text),
        cmocka_unit_test(test_ft_err_prefix_keeps_code),
        cmocka_unit_test(test_ft_err_prefix_cuts_the_old_text),
        cmocka_unit_test(test_ft_status_names_and_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
