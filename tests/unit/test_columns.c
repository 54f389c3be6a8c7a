#include "tests/test.h"

#include "app/ingest/columns.h"
#include "app/ingest/csv.h"
#include "app/ingest/names.h"

/* Columns of a header line. */
static enum ft_status header(const char *line, struct columns *out, struct ft_err *err)
{
    struct csv_record r;
    size_t used = 0;
    csv_record_init(&r);
    enum ft_status st = csv_split(line, line + strlen(line), true, ',', &r, &used, err);
    if (st == FT_OK)
        st = columns_from_header(&r, "f.csv", out, err);
    csv_record_free(&r);
    return st;
}

static void test_columns_guess_each_role(void **state)
{
    static const struct {
        const char *line;
        enum column_role role;
        int want;
    } cases[] = {{"datetime,machineID,volt", COLUMN_ASSET, 1},
                 {"datetime,machineID,volt", COLUMN_TIME, 0},
                 {"x,Asset ID,unit", COLUMN_ASSET, 1},
                 {"x,unit,y", COLUMN_ASSET, 1},
                 {"tag,unit,y", COLUMN_ASSET, 0},
                 {"Time Stamp,x", COLUMN_TIME, 0},
                 {"x,DATE", COLUMN_TIME, 1},
                 {"x,y", COLUMN_TIME, COLUMN_NONE},
                 {"unit number,time in cycles", COLUMN_CYCLE, 1},
                 {"a,errorID", COLUMN_CODE, 1},
                 {"a,comp", COLUMN_COMPONENT, 1},
                 {"a,signal,val", COLUMN_SENSOR, 1},
                 {"a,signal,val", COLUMN_VALUE, 2}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct columns c;
        struct ft_err err;
        assert_ok(header(cases[i].line, &c, &err), err);
        if (columns_guess(&c, cases[i].role, NULL) != cases[i].want)
            fail_msg("%s, role %d", cases[i].line, (int)cases[i].role);
        columns_free(&c);
    }
}

static void test_columns_pick_by_name_or_error(void **state)
{
    struct columns c;
    struct ft_err err;
    int column = 5;
    assert_ok(header("Machine Name, t ,x", &c, &err), err);
    assert_ok(columns_pick(&c, COLUMN_ASSET, "machine_name", "f.csv", NULL, &column, &err), err);
    assert_int_equal(column, 0);
    assert_int_equal(columns_find(&c, "t"), 1);
    assert_int_equal(columns_pick(&c, COLUMN_TIME, "nope", "f.csv", NULL, &column, &err),
                     FT_INVALID);
    assert_non_null(strstr(err.msg, "Machine Name, t, x"));
    const bool taken[] = {true, false, false};
    assert_int_equal(columns_guess(&c, COLUMN_ASSET, taken), COLUMN_NONE);
    columns_free(&c);
}

static void test_columns_from_header_refuses(void **state)
{
    struct columns c;
    struct ft_err err;
    assert_int_equal(header("a,b,a", &c, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "line 1, column 3"));
    assert_int_equal(header("a,\xff", &c, &err), FT_INVALID);
    assert_ok(header("a,,", &c, &err), err); /* columns without a name may repeat */
    assert_int_equal(c.n, 3);
    columns_free(&c);
}

static void test_columns_list_is_cut(void **state)
{
    struct columns c;
    struct ft_err err;
    char small[16];
    assert_ok(header("alpha,beta,gamma,delta", &c, &err), err);
    assert_string_equal(columns_list(&c, small, sizeof(small)), "alpha, ...");
    columns_free(&c);
}

static void test_names_intern_numbers_in_order(void **state)
{
    struct names s;
    uint32_t number = 0;
    char text[32];
    names_init(&s);
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 5000; i++) {
            const int n = snprintf(text, sizeof(text), "name-%u", i);
            assert_true(names_intern(&s, text, (size_t)n, &number));
            assert_int_equal(number, i);
        }
    assert_int_equal(s.n, 5000);
    size_t len = 0;
    assert_string_equal(names_get(&s, 4321, &len), "name-4321");
    assert_int_equal(len, 9);
    assert_true(names_intern(&s, "", 0, &number));
    assert_true(names_intern(&s, "a\0b", 3, &number));
    assert_int_equal(number, 5001);
    names_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_guess_each_role),
        cmocka_unit_test(test_columns_pick_by_name_or_error),
        cmocka_unit_test(test_columns_from_header_refuses),
        cmocka_unit_test(test_columns_list_is_cut),
        cmocka_unit_test(test_names_intern_numbers_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
