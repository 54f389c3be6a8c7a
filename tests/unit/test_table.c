/* Tables: kinds of columns, roles, texts, errors with their place; .npy beside them. */
#include "tests/test.h"

#include "app/base/file.h"
#include "app/table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static struct ft_err err;
static char path[64];

static void put(const char *name, const void *data, size_t len)
{
    snprintf(path, sizeof(path), "/tmp/fettle-table-%ld-%s", (long)getpid(), name);
    assert_ok(file_write(path, data, len, &err), err);
}

static enum ft_status read_text(const char *text, const struct table_request *q, struct table *t)
{
    put("t.csv", text, strlen(text));
    const enum ft_status st = table_read(path, q, t, &err);
    unlink(path);
    return st;
}

static double cell(const struct table *t, size_t i, size_t j)
{
    double wide[16] = {0};
    return matrix_row_wide(&t->x, i, wide)[j];
}

static void test_table_read_kinds(void **state)
{
    const struct table_request q = {.label = "fail", .group = "unit", .drop = "junk,more"};
    struct table t;
    assert_ok(read_text("unit,temp,type,junk,more,fail\n"
                        "A,1.5,L,x,1,0\nB,,M,x,1,1\n\"A\",-2e1,L,x,1,0\nC,NA,,x,1,0\n",
                        &q, &t),
              err);
    assert_int_equal(t.x.n_rows, 4);
    assert_int_equal(t.x.n_cols, 2);
    assert_string_equal(t.schema.features[0].name, "temp");
    assert_string_equal(t.schema.features[1].name, "type");
    assert_null(t.schema.features[0].levels);
    assert_int_equal(t.schema.features[1].n_levels, 2);
    assert_string_equal(t.schema.features[1].levels[0], "L"); /* twice */
    assert_close(cell(&t, 0, 0), 1.5, 0);
    assert_true(isnan(cell(&t, 1, 0)) && isnan(cell(&t, 3, 0)) && isnan(cell(&t, 3, 1)));
    assert_close(cell(&t, 2, 0), -20, 0);
    assert_close(cell(&t, 1, 1), 1, 0);
    assert_close(t.y[1], 1, 0);
    const size_t group[] = {0, 1, 0, 2};
    assert_memory_equal(t.group, group, sizeof(group));
    assert_int_equal(t.n_groups, 3);
    assert_null(t.failed);
    table_free(&t);
}

static void test_table_read_text_label_and_event(void **state)
{
    const struct table_request q = {.label = "state"};
    struct table t;
    assert_ok(read_text("a,state\n1,ok\n2,broken\n3,ok\n4,\n", &q, &t), err);
    assert_int_equal(t.x.n_rows, 3);
    assert_non_null(strstr(t.notes.data, "1 rows without a label"));
    assert_string_equal(t.schema.label.levels[1], "broken"); /* the rarer */
    assert_close(t.y[0], 0, 0);
    assert_close(t.y[1], 1, 0);
    table_free(&t);
    const struct table_request survival = {.label = "hours", .event = "failed"};
    assert_ok(read_text("a,hours,failed\n1,10,yes\n2,20,0\n3,30,TRUE\n", &survival, &t), err);
    assert_true(t.failed[0] && !t.failed[1] && t.failed[2]);
    table_free(&t);
    assert_int_equal(read_text("a,hours,failed\n1,10,maybe\n", &survival, &t), FT_INVALID);
    assert_non_null(strstr(err.msg, "line 2, column 'failed' (3): 'maybe'"));
    table_free(&t);
}

static void test_table_read_decimal_comma(void **state)
{
    const struct table_request q = {.label = "y"};
    struct table t;
    assert_ok(read_text("a;b;y\n1,5;2;0\n-3,25;4;1\n", &q, &t), err);
    assert_close(cell(&t, 0, 0), 1.5, 0);
    assert_close(cell(&t, 1, 0), -3.25, 0);
    table_free(&t);
}

static void test_table_read_identifiers_left_out(void **state)
{
    const struct table_request q = {.label = "y"};
    const struct table_request kept = {.label = "y", .category = "id"};
    struct table t;
    char text[2000] = "id,a,y\n";
    for (size_t i = 0, at = strlen(text); i < 40; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "M%zu,%zu,%zu\n", i, i % 7, i % 2);
    assert_ok(read_text(text, &q, &t), err);
    assert_int_equal(t.x.n_cols, 1);
    assert_non_null(strstr(t.notes.data, "'id' was left out"));
    assert_close(cell(&t, 9, 0), 2, 0);
    table_free(&t);
    assert_ok(read_text(text, &kept, &t), err);
    assert_int_equal(t.x.n_cols, 2);
    assert_int_equal(t.schema.features[0].n_levels, 40);
    table_free(&t);
}

static void test_table_read_errors_name_the_place(void **state)
{
    static const struct {
        const char *text, *expected;
    } bad[] = {
        {"a,y\n1,0\n2,1\nx7,1\n4,0\n", "line 4, column 'a' (1): 'x7' is not a number"},
        {"a,y\n1,0\n2\n", "line 3: 1 fields, the header has 2"},
        {"a,y\n1,0\n\"2,1\n", "line 3"},
        {"a,y\n", "no rows"},
        {"column2,,y\n1,2,0\n", "line 1: column 'column2' occurs twice"},
        {"a,a,y\n1,2,3\n", "line 1: column 'a' occurs twice"},
        {"a,b\n1,2\n", "no column 'y'"},
        {"y\n1\n2\n", "no column is left"},
        {"a,y\n1,\n2,\n", "no rows with a label"},
    };
    const struct table_request q = {.label = "y"};
    const struct table_request drops = {.label = "y", .drop = "b"};
    struct table t;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_not_equal(read_text(bad[i].text, &q, &t), FT_OK);
        if (strstr(err.msg, bad[i].expected) == NULL)
            fail_msg("'%s' lacks '%s'", err.msg, bad[i].expected);
        table_free(&t);
    }
    assert_int_equal(read_text("a,y\n1,0\n", &drops, &t), FT_INVALID);
    assert_non_null(strstr(err.msg, "--drop"));
    table_free(&t);
    assert_int_equal(table_read("/tmp/fettle-no-such.csv", &q, &t, &err), FT_NOT_FOUND);
    table_free(&t);
}

static void test_table_read_by_schema(void **state)
{
    const struct table_request q = {.label = "y"};
    struct table t, s;
    struct table_schema schema;
    assert_ok(read_text("a,kind,y\n1,u,no\n2,v,yes\n3,u,no\n", &q, &t), err);
    cJSON *features = table_schema_features(&t.schema), *rest = table_schema_rest(&t.schema);
    char *names = json_print(features, false), *others = json_print(rest, false);
    assert_string_equal(names, "[\"a\",\"kind\"]");
    assert_ok(table_schema_parse(names, others, &schema, &err), err);
    const struct table_request again = {.schema = &schema};
    /* Other order, a further column, an unknown text, a missing label. */
    assert_ok(read_text("more,kind,y,a\nx,v,yes,7\ny,w,,8\nz,u,no,\n", &again, &s), err);
    assert_int_equal(s.x.n_rows, 3);
    assert_close(cell(&s, 0, 0), 7, 0);
    assert_close(cell(&s, 0, 1), 1, 0);
    assert_true(isnan(cell(&s, 1, 1)) && isnan(s.y[1]) && isnan(cell(&s, 2, 0)));
    assert_close(s.y[0], 1, 0);
    assert_close(cell(&s, 2, 1), 0, 0);
    table_free(&s);
    assert_ok(read_text("a,kind\n1,u\n", &again, &s), err); /* no label: fine */
    assert_null(s.y);
    table_free(&s);
    assert_int_equal(read_text("a\n1\n", &again, &s), FT_INVALID);
    assert_non_null(strstr(err.msg, "'kind', which the model needs"));
    table_free(&s);
    cJSON_free(names);
    cJSON_free(others);
    cJSON_Delete(features);
    cJSON_Delete(rest);
    table_schema_free(&schema);
    table_free(&t);
}

static void test_table_schema_parse_refuses(void **state)
{
    static const char *const bad[][2] = {
        {"{}", "{\"levels\":{},\"label_levels\":{}}"},
        {"[1]", "{\"levels\":{},\"label_levels\":{}}"},
        {"[\"a\"]", "{}"},
        {"[\"a\"]", "{\"levels\":{\"a\":[1]},\"label_levels\":{}}"},
        {"[\"a\"", "{\"levels\":{},\"label_levels\":{}}"},
        {"[\"a\",\"b\",\"a\"]", "{\"levels\":{},\"label_levels\":{}}"},
    };
    struct table_schema s;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(table_schema_parse(bad[i][0], bad[i][1], &s, &err), FT_INVALID);
        table_schema_free(&s);
    }
}

/* --- NumPy ------------------------------------------------------------------------------------ */

static void put_npy(const char *name, const char *dict, const void *data, size_t len)
{
    char file[1024] = "\x93NUMPY\x01";
    const size_t header_len = 118; /* the data begins at byte 128 */
    memset(file + 10, ' ', header_len);
    memcpy(file + 10, dict, strlen(dict));
    file[7] = '\0';
    file[8] = (char)header_len;
    file[9] = '\0';
    file[10 + header_len - 1] = '\n';
    memcpy(file + 10 + header_len, data, len);
    put(name, file, 10 + header_len + len);
}

static void test_table_read_npy(void **state)
{
    const double f8[] = {1, 2, 3, 4, 5, NAN};
    const float f4[] = {1.5F, 2, 3, 4, 5, 6};
    const int64_t y[] = {0, 1, 1};
    const int32_t group[] = {70, 30, 70};
    char x_path[64], y_path[64], g_path[64];
    struct table t;
    put_npy("y.npy", "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }", y, sizeof(y));
    memcpy(y_path, path, sizeof(path));
    put_npy("g.npy", "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 1), }", group,
            sizeof(group));
    memcpy(g_path, path, sizeof(path));
    const struct table_request q = {.label = y_path, .group = g_path};
    for (int wide = 0; wide < 2; wide++) {
        put_npy("x.npy",
                wide ? "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }"
                     : "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }",
                wide ? (const void *)f8 : f4, wide ? sizeof(f8) : sizeof(f4));
        memcpy(x_path, path, sizeof(path));
        assert_ok(table_read(x_path, &q, &t, &err), err);
        assert_int_equal(t.x.n_rows, 3);
        assert_int_equal(t.x.n_cols, 2);
        assert_close(cell(&t, 0, 0), wide ? 1 : 1.5, 0);
        assert_true(wide ? isnan(cell(&t, 2, 1)) : cell(&t, 2, 1) == 6);
        assert_close(t.y[2], 1, 0);
        assert_int_equal(t.n_groups, 2);
        assert_int_equal(t.group[0], 1);
        assert_int_equal(t.group[1], 0);
        assert_string_equal(t.schema.features[1].name, "c1");
        table_free(&t);
    }
    const struct table_request no_npy = {.label = "/tmp/y.csv"};
    assert_int_equal(table_read(x_path, &no_npy, &t, &err), FT_INVALID);
    table_free(&t);
    const struct table_request drops = {.label = y_path, .drop = "c1"};
    assert_int_equal(table_read(x_path, &drops, &t, &err), FT_INVALID);
    table_free(&t);
    unlink(x_path);
    unlink(y_path);
    unlink(g_path);
}

static void test_npy_parse_refuses(void **state)
{
    static const char *const bad[] = {
        "{'descr': '>f8', 'fortran_order': False, 'shape': (1, 1), }",
        "{'descr': '<f8', 'fortran_order': True, 'shape': (1, 1), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 1), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 1), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (), }",
        "{'descr': '<f8', 'fortran_order': False}",
        "{'descr': '<c8', 'fortran_order': False, 'shape': (1, 1), }",
        "nothing",
    };
    const double one = 1;
    struct npy a;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        put_npy("bad.npy", bad[i], &one, sizeof(one));
        assert_int_equal(npy_open(path, &a, &err), FT_INVALID);
        npy_close(&a);
    }
    put("bad.npy", "\x93NUMPY\x01", 8);
    assert_int_equal(npy_open(path, &a, &err), FT_INVALID);
    unlink(path);
    assert_int_equal(npy_open(path, &a, &err), FT_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_read_kinds),
        cmocka_unit_test(test_table_read_text_label_and_event),
        cmocka_unit_test(test_table_read_decimal_comma),
        cmocka_unit_test(test_table_read_identifiers_left_out),
        cmocka_unit_test(test_table_read_errors_name_the_place),
        cmocka_unit_test(test_table_read_by_schema),
        cmocka_unit_test(test_table_schema_parse_refuses),
        cmocka_unit_test(test_table_read_npy),
        cmocka_unit_test(test_npy_parse_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
