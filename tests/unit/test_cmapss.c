#include "tests/test.h"

#include "app/ingest/cmapss.h"

static void test_cmapss_parse_line_real_row(void **state)
{
    static const char line[] =
        "1 2 0.0019 -0.0003 100.0 518.67 642.15 1591.82 1403.14 14.62 21.61 553.75 2388.04 9044.07 "
        "1.30 47.49 522.28 2388.07 8131.49 8.4318 0.03 392 2388 100.00 39.00 23.4236  ";
    struct cmapss_row row;
    struct ft_err err;
    assert_ok(cmapss_parse_line(line, sizeof(line) - 1, &row, &err), err);
    assert_int_equal(row.engine, 1);
    assert_int_equal(row.cycle, 2);
    assert_close(row.values[0], 0.0019, 0);
    assert_close(row.values[23], 23.4236, 0);
    assert_string_equal(cmapss_names[0], "altitude");
    assert_string_equal(cmapss_names[4], "T24");
    assert_string_equal(cmapss_names[23], "W32");
}

static void test_cmapss_parse_line_refuses(void **state)
{
    static const struct {
        const char *line, *word;
    } bad[] = {{"1 2 3", "3 fields, expected 26"},
               {"x 1 1 1", "field 1"},
               {"0 1 1 1", "field 1"},
               {"1 1.5 1 1", "field 2"},
               {"1 1 1 abc", "field 4 'abc'"},
               {"1 1 1 nan", "field 4"},
               {"1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "27 fields"},
               {"", "0 fields"}};
    struct cmapss_row row;
    struct ft_err err;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(cmapss_parse_line(bad[i].line, strlen(bad[i].line), &row, &err),
                         FT_INVALID);
        if (strstr(err.msg, bad[i].word) == NULL)
            fail_msg("'%s': '%s' lacks '%s'", bad[i].line, err.msg, bad[i].word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cmapss_parse_line_real_row),
        cmocka_unit_test(test_cmapss_parse_line_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
