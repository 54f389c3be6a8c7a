#include "tests/test.h"

#include "app/base/buf.h"

#include <stdlib.h>

static void test_buf_put_grows_and_ends_in_nul(void **state)
{
    struct buf b;
    buf_init(&b, 100000);
    for (int i = 0; i < 5000; i++)
        buf_printf(&b, "%04d,", i);
    assert_int_equal(b.len, 25000);
    assert_int_equal(b.data[b.len], '\0');
    assert_memory_equal(b.data + 24995, "4999,", 5);
    assert_int_equal(buf_status(&b, NULL), FT_OK);
    buf_free(&b);
    assert_int_equal(b.len, 0);
}

static void test_buf_put_stops_at_ceiling(void **state)
{
    struct buf b;
    struct ft_err err;
    buf_init(&b, 10);
    buf_puts(&b, "0123456789");
    assert_int_equal(buf_status(&b, &err), FT_OK);
    buf_putc(&b, 'x');
    assert_int_equal(buf_status(&b, &err), FT_INVALID);
    assert_int_equal(b.len, 10);
    buf_free(&b);
    buf_puts(&b, "again");
    assert_int_equal(buf_status(&b, &err), FT_OK);
    buf_free(&b);
    buf_init(&b, 3);
    buf_printf(&b, "%d", 1234);
    assert_int_equal(buf_status(&b, &err), FT_INVALID);
    buf_free(&b);
}

static void test_buf_put_with_nul_bytes(void **state)
{
    struct buf b;
    buf_init(&b, 100);
    buf_put(&b, "a\0b", 3);
    buf_put(&b, "", 0);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "a\0b", 4);
    buf_free(&b);
}

static void expect_csv(const char *text, const char *want)
{
    struct buf b;
    buf_init(&b, 1000);
    buf_put_csv(&b, text);
    assert_string_equal(b.data != NULL ? b.data : "", want);
    buf_free(&b);
}

static void test_buf_put_csv_quotes_and_defuses(void **state)
{
    expect_csv("", "");
    expect_csv("plain", "plain");
    expect_csv("a,b", "\"a,b\"");
    expect_csv("a;b", "\"a;b\"");
    expect_csv("say \"hi\"", "\"say \"\"hi\"\"\"");
    expect_csv("two\nlines", "\"two\nlines\"");
    expect_csv("=1+1", "\"'=1+1\"");
    expect_csv("@cmd", "\"'@cmd\"");
    expect_csv("+49 123", "\"'+49 123\"");
    expect_csv("-", "\"'-\"");
    expect_csv("-12.5", "-12.5");
    expect_csv("+3e4", "+3e4");
}

static void test_buf_take_gives_the_bytes(void **state)
{
    struct buf b;
    size_t len = 7;
    buf_init(&b, 100);
    char *empty = buf_take(&b, &len);
    assert_string_equal(empty, "");
    assert_int_equal(len, 0);
    buf_puts(&b, "text");
    char *text = buf_take(&b, NULL);
    assert_string_equal(text, "text");
    assert_null(b.data);
    free(empty);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf_put_grows_and_ends_in_nul),
        cmocka_unit_test(test_buf_put_stops_at_ceiling),
        cmocka_unit_test(test_buf_put_with_nul_bytes),
        cmocka_unit_test(test_buf_put_csv_quotes_and_defuses),
        cmocka_unit_test(test_buf_take_gives_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
