#include "tests/test.h"

#include "web/http/gunzip.h"
#include "web/http/reply.h"

#include <stdlib.h>
#include <string.h>

static struct ft_err err;

/* gzip of n bytes c, appended to out. */
static void pack(char c, size_t n, struct buf *out)
{
    char *text = malloc(n + 1);
    struct buf one;
    memset(text, c, n);
    buf_init(&one, 1 << 20);
    assert_ok(reply_gzip(text, n, &one, &err), err);
    buf_put(out, one.data, one.len);
    buf_free(&one);
    free(text);
}

static void test_gunzip_round_trip(void **state)
{
    (void)state;
    char *out = NULL;
    size_t len = 0;
    struct buf b;
    buf_init(&b, 1 << 20);
    pack('a', 60000, &b);
    assert_ok(gunzip(b.data, b.len, 1 << 20, &out, &len, &err), err);
    assert_int_equal(len, 60000);
    assert_int_equal(strspn(out, "a"), 60000);
    free(out);
    pack('b', 5, &b); /* a second member */
    assert_ok(gunzip(b.data, b.len, 1 << 20, &out, &len, &err), err);
    assert_int_equal(len, 60005);
    assert_string_equal(out + 59999, "abbbbb");
    free(out);
    buf_free(&b);
}

static void test_gunzip_refuses(void **state)
{
    (void)state;
    char *out = NULL;
    size_t len = 0;
    struct buf b;
    buf_init(&b, 1 << 20);
    pack('a', 1000, &b);
    assert_int_equal(gunzip("", 0, 100, &out, &len, &err), FT_INVALID);
    assert_int_equal(gunzip("plain text", 10, 100, &out, &len, &err), FT_INVALID);
    assert_int_equal(gunzip(b.data, b.len - 1, 10000, &out, &len, &err), FT_INVALID);
    assert_int_equal(gunzip(b.data, b.len, 999, &out, &len, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "larger than 999"));
    assert_ok(gunzip(b.data, b.len, 1000, &out, &len, &err), err);
    free(out);
    b.data[b.len - 8] ^= 1; /* its check sum */
    assert_int_equal(gunzip(b.data, b.len, 10000, &out, &len, &err), FT_INVALID);
    assert_null(out);
    buf_free(&b);
    buf_init(&b, 1 << 20);
    pack('a', 1 << 20, &b); /* 1000 times its size */
    assert_int_equal(gunzip(b.data, b.len, (size_t)1 << 24, &out, &len, &err), FT_INVALID);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gunzip_round_trip),
        cmocka_unit_test(test_gunzip_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
