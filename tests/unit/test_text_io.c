#include "tests/test.h"

#include "models/text_io.h"

#include <stdlib.h>

static const char *const words[] = {"red", "green"};

static void test_text_io_round_trip(void **state)
{
    const double values[] = {0.1, -1e-310, 0, 1e308, NAN};
    struct buf b;
    struct text_reader r;
    struct ft_err err;
    size_t index = 9, n = 0;
    double one = 0, *array = NULL;
    buf_init(&b, 4096);
    text_put_word(&b, "colour", "green");
    text_put_size(&b, "n", 5);
    text_put_number(&b, "x", -0.3);
    text_put_array(&b, "v", values, 5);
    text_put_array(&b, "none", values, 0);
    assert_ok(buf_status(&b, &err), err);
    text_reader_init(&r, b.data, b.len, "test");
    assert_ok(text_get_word(&r, "colour", words, 2, &index, &err), err);
    assert_int_equal(index, 1);
    assert_ok(text_get_size(&r, "n", 10, &n, &err), err);
    assert_int_equal(n, 5);
    assert_ok(text_get_number(&r, "x", 0, &one, &err), err);
    assert_close(one, -0.3, 0);
    assert_ok(text_get_array(&r, "v", 5, 1, &array, &err), err);
    for (size_t i = 0; i < 4; i++)
        assert_close(array[i], values[i], 0);
    assert_true(isnan(array[4]));
    free(array);
    assert_int_equal(text_get_end(&r, &err), FT_INVALID);
    assert_ok(text_get_array(&r, "none", 0, 0, &array, &err), err);
    free(array);
    assert_ok(text_get_end(&r, &err), err);
    buf_free(&b);
}

static enum ft_status read_size(const char *text, struct ft_err *err)
{
    struct text_reader r;
    size_t n = 0;
    text_reader_init(&r, text, strlen(text), "test");
    return text_get_size(&r, "n", 99, &n, err);
}

static void test_text_get_size_is_strict(void **state)
{
    static const char *const bad[] = {"",
                                      "n",
                                      "n 5",
                                      "n  5\n",
                                      "n 05\n",
                                      "n +5\n",
                                      "n -1\n",
                                      "n 100\n",
                                      "n 5 \n",
                                      "m 5\n",
                                      "n\n",
                                      "n \n",
                                      "nn 5\n",
                                      "n 5x\n",
                                      "n 1e1\n",
                                      " n 5\n",
                                      "n 99999999999999999999999\n"};
    struct ft_err err;
    assert_ok(read_size("n 5\n", &err), err);
    assert_ok(read_size("n 0\n", &err), err);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(read_size(bad[i], &err), FT_INVALID);
        assert_non_null(strstr(err.msg, "line 1"));
    }
}

static enum ft_status read_array(const char *text, size_t n, int may_be_nan, struct ft_err *err)
{
    struct text_reader r;
    double *v = NULL;
    text_reader_init(&r, text, strlen(text), "test");
    const enum ft_status st = text_get_array(&r, "v", n, may_be_nan, &v, err);
    assert_true((st == FT_OK) == (v != NULL));
    free(v);
    return st;
}

static void test_text_get_array_is_strict(void **state)
{
    static const char *const bad[] = {"v 2 0x1p+0\n",          "v 2 0x1p+0 0x1p+0 0x1p+0\n",
                                      "v 2 0x1p+0  0x1p+0\n",  "v 3 0x1p+0 0x1p+0\n",
                                      "v 2 1.5 2.5\n",         "v 2 0x1p+0 inf\n",
                                      "v 2 0x1p+0 nan\n",      "v 2 0x1p+0 0x1p+9999\n",
                                      "v 2 0x1p+0 0x1p+0 \n",  "v 2 0x1p+0 0xp\n",
                                      "v 2 0x1p+0 0x1pp\n",    "v 2 0x1p+0 +0x1p+0\n",
                                      "v 2 0x1p+0 0x1p+0x0\n", "v 2\n",
                                      "v 2 0x1p+0 0x1p+0"};
    struct ft_err err;
    assert_ok(read_array("v 2 0x1p+0 -0x1.8p-3\n", 2, 0, &err), err);
    assert_ok(read_array("v 2 0x1p+0 nan\n", 2, 1, &err), err);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (read_array(bad[i], 2, 0, &err) != FT_INVALID)
            fail_msg("taken: %s", bad[i]);
    /* A stated length beyond the text takes no memory. */
    assert_int_equal(read_array("v 1000000000000 0x1p+0\n", 1000000000000, 0, &err), FT_INVALID);
}

static void test_text_get_word_is_whole(void **state)
{
    struct text_reader r;
    struct ft_err err;
    size_t index = 7;
    text_reader_init(&r, "c gree\n", 7, "test");
    assert_int_equal(text_get_word(&r, "c", words, 2, &index, &err), FT_INVALID);
    text_reader_init(&r, "c greens\n", 9, "test");
    assert_int_equal(text_get_word(&r, "c", words, 2, &index, &err), FT_INVALID);
    assert_int_equal(index, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_io_round_trip),
        cmocka_unit_test(test_text_get_size_is_strict),
        cmocka_unit_test(test_text_get_array_is_strict),
        cmocka_unit_test(test_text_get_word_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
