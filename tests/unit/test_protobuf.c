/* The wire format, against the examples of its specification. */
#include "tests/test.h"

#include "models/interchange/protobuf.h"

static struct ft_err err;

static void expect(struct buf *b, const char *bytes, size_t len)
{
    assert_ok(buf_status(b, &err), err);
    assert_int_equal(b->len, len);
    assert_memory_equal(b->data, bytes, len);
    buf_free(b);
}

static void test_protobuf_put_int(void **state)
{
    struct buf b;
    buf_init(&b, 1000);
    protobuf_put_int(&b, 1, 150);
    expect(&b, "\x08\x96\x01", 3);
    protobuf_put_int(&b, 16, 0);
    expect(&b, "\x80\x01\x00", 3);
    protobuf_put_int(&b, 1, -2);
    expect(&b, "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
}

static void test_protobuf_put_bytes_and_message(void **state)
{
    struct buf b, inner;
    buf_init(&b, 1000);
    buf_init(&inner, 1000);
    protobuf_put_text(&b, 2, "testing");
    expect(&b, "\x12\x07testing", 9);
    protobuf_put_int(&inner, 1, 150);
    protobuf_put_message(&b, 3, &inner);
    expect(&b, "\x1a\x03\x08\x96\x01", 5);
    assert_int_equal(inner.len, 0);
    protobuf_put_message(&b, 3, &inner); /* empty */
    expect(&b, "\x1a\x00", 2);
}

static void test_protobuf_put_packed(void **state)
{
    static const int64_t ints[] = {3, 270, 86942};
    static const float floats[] = {1.5F, -2};
    struct buf b;
    buf_init(&b, 1000);
    protobuf_put_ints(&b, 6, ints, 3);
    expect(&b, "\x32\x06\x03\x8e\x02\x9e\xa7\x05", 8);
    protobuf_put_floats(&b, 1, floats, 2);
    expect(&b, "\x0a\x08\x00\x00\xc0\x3f\x00\x00\x00\xc0", 10);
    protobuf_put_float(&b, 1, 1.5F);
    expect(&b, "\x0d\x00\x00\xc0\x3f", 5);
}

static void test_protobuf_put_message_remembers_failure(void **state)
{
    struct buf b, inner;
    buf_init(&b, 1000);
    buf_init(&inner, 3);
    protobuf_put_text(&inner, 1, "longer than three");
    protobuf_put_message(&b, 1, &inner);
    assert_int_equal(buf_status(&b, &err), FT_INVALID);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_protobuf_put_int),
        cmocka_unit_test(test_protobuf_put_bytes_and_message),
        cmocka_unit_test(test_protobuf_put_packed),
        cmocka_unit_test(test_protobuf_put_message_remembers_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
