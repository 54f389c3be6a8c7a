/* Tables longer than a slab: the same rows for any number of threads, line ends inside quotes,
 * texts in the order seen, the line of an error. Also the property that cutting changes nothing. */
#include "tests/test.h"

#include "app/base/buf.h"
#include "app/base/file.h"
#include "app/base/rng.h"
#include "app/table.h"

#include <stdlib.h>
#include <unistd.h>

enum { ROWS = 200000 };

static struct ft_err err;
static char path[64];

/* Number, text (every fifth quoted, some with line ends, new ones now and then), label, unit; blank
 * lines, rows without label. bad_row gets a text for its number. */
static void put_row(struct buf *b, size_t i, size_t bad_row)
{
    if (i == bad_row)
        buf_puts(b, "oops,");
    else
        buf_printf(b, "%.17g,", rng_normal(1, 0, i));
    if (i % 5 == 0)
        buf_printf(b, "\"t%d\n\"\"%s\"", (int)rng_below(1, 1, i, i < ROWS / 2 ? 20 : 40),
                   i % 15 == 0 ? "1,2\n3,4,5\n\n" : "");
    else
        buf_printf(b, "t%d", (int)rng_below(1, 1, i, 7));
    buf_printf(
        b, ",%s,u%d,some filler to make the line longer than it has to be for its three values%s\n",
        i % 97 == 0  ? ""
        : i % 2 == 0 ? "1"
                     : "0",
        (int)(i / 1000), i % 50 == 0 ? "\r\n\n" : "");
}

static enum ft_status read_rows(size_t bad_row, size_t n_threads, struct table *t)
{
    struct pool *pool = NULL;
    struct buf b;
    buf_init(&b, (size_t)1 << 28);
    buf_puts(&b, "x,kind,y,unit,filler\n");
    for (size_t i = 0; i < ROWS; i++)
        put_row(&b, i, bad_row);
    assert_ok(buf_status(&b, &err), err);
    assert_true(b.len > (size_t)16 << 20);
    snprintf(path, sizeof(path), "/tmp/fettle-table-rows-%ld.csv", (long)getpid());
    assert_ok(file_write(path, b.data, b.len, &err), err);
    buf_free(&b);
    assert_ok(pool_new(n_threads, &pool, &err), err);
    const struct table_request q = {
        .label = "y", .group = "unit", .drop = "filler", .category = "kind", .pool = pool};
    const enum ft_status st = table_read(path, &q, t, &err);
    unlink(path);
    pool_free(pool);
    return st;
}

static void test_table_rows_read_values(void **state)
{
    struct table t;
    assert_ok(read_rows(SIZE_MAX, 3, &t), err);
    size_t row = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (i % 97 == 0)
            continue;
        const double x = rng_normal(1, 0, i);
        const double *got = matrix_row(&t.x, row);
        assert_memory_equal(&got[0], &x, sizeof(x));
        char want[32];
        if (i % 5 == 0)
            snprintf(want, sizeof(want), "t%d\n\"%s",
                     (int)rng_below(1, 1, i, i < ROWS / 2 ? 20 : 40),
                     i % 15 == 0 ? "1,2\n3,4,5\n\n" : "");
        else
            snprintf(want, sizeof(want), "t%d", (int)rng_below(1, 1, i, 7));
        assert_string_equal(t.schema.features[1].levels[(size_t)got[1]], want);
        assert_true(t.y[row] == (i % 2 == 0));
        assert_int_equal(t.group[row], i / 1000);
        row++;
    }
    assert_int_equal(t.x.n_rows, row);
    assert_int_equal(t.n_groups, ROWS / 1000);
    table_free(&t);
}

static void test_table_rows_read_same_for_any_threads(void **state)
{
    struct table one, many;
    assert_ok(read_rows(SIZE_MAX, 1, &one), err);
    assert_ok(read_rows(SIZE_MAX, 7, &many), err);
    const size_t n = one.x.n_rows;
    assert_int_equal(many.x.n_rows, n);
    assert_int_equal(many.schema.features[1].n_levels, one.schema.features[1].n_levels);
    assert_memory_equal(many.values, one.values, n * 2 * sizeof(double));
    assert_memory_equal(many.y, one.y, n * sizeof(double));
    assert_memory_equal(many.group, one.group, n * sizeof(size_t));
    table_free(&one);
    table_free(&many);
}

static void test_table_rows_read_error_line(void **state)
{
    static const size_t bad[] = {3, 65000, ROWS - 1};
    for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
        struct table t;
        char want[64];
        size_t line = 2;
        for (size_t i = 0; i < bad[k]; i++)
            line += 1 + (i % 5 == 0) + 3 * (i % 15 == 0) + 2 * (i % 50 == 0);
        assert_int_equal(read_rows(bad[k], 2, &t), FT_INVALID);
        snprintf(want, sizeof(want), "line %zu, column 'x' (1): 'oops'", line);
        if (strstr(err.msg, want) == NULL)
            fail_msg("'%s' lacks '%s'", err.msg, want);
        table_free(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_rows_read_values),
        cmocka_unit_test(test_table_rows_read_same_for_any_threads),
        cmocka_unit_test(test_table_rows_read_error_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
