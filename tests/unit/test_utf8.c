#include "tests/test.h"

#include "app/base/utf8.h"

/* Unicode 15, table 3-7: the first and last of each row are valid, their neighbours are not. */
static void test_utf8_length_at_the_limits(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } valid[] = {
        {"\x7f", 1},
        {"\xc2\x80", 2},
        {"\xdf\xbf", 2},
        {"\xe0\xa0\x80", 3},
        {"\xec\xbf\xbf", 3},
        {"\xed\x80\x80", 3},
        {"\xed\x9f\xbf", 3},
        {"\xee\x80\x80", 3},
        {"\xef\xbf\xbf", 3},
        {"\xf0\x90\x80\x80", 4},
        {"\xf3\xbf\xbf\xbf", 4},
        {"\xf4\x8f\xbf\xbf", 4},
    };
    static const char *const wrong[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xc3\x28",
        "\xe2\x28\xa1",
        "\xe2\x82\x28",
        "\xf0\x9f\x28\x80",
        "\xf0\x9f\x98\x28",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
        const unsigned char *p = (const unsigned char *)valid[i].bytes;
        assert_int_equal(utf8_length(p, valid[i].n), valid[i].n);
        for (size_t left = 1; left < valid[i].n; left++)
            assert_int_equal(utf8_length(p, left), 0); /* cut */
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(utf8_length((const unsigned char *)wrong[i], strlen(wrong[i])), 0);
}

static void test_utf8_is_valid_counts_characters(void **state)
{
    size_t n = 99;
    (void)state;
    assert_true(utf8_is_valid("", 0, &n));
    assert_int_equal(n, 0);
    assert_true(utf8_is_valid("K\xc3\xbchler \xf0\x9f\x94\xa7", 12, &n));
    assert_int_equal(n, 8);
    assert_false(utf8_is_valid("ab\xfc"
                               "c",
                               4, &n)); /* Latin-1 */
    assert_int_equal(n, 2);
    assert_false(utf8_is_valid("\xe2\x82\xac", 2, NULL));
}

static void test_utf8_clean_keeps_what_is_valid(void **state)
{
    char latin[] = "K\xfchler \xc3\xa4 \xe2\x82";
    char fine[] = "\xe2\x82\xac 5";
    (void)state;
    utf8_clean(latin);
    assert_string_equal(latin, "K?hler \xc3\xa4 ??");
    utf8_clean(fine);
    assert_string_equal(fine, "\xe2\x82\xac 5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_length_at_the_limits),
        cmocka_unit_test(test_utf8_is_valid_counts_characters),
        cmocka_unit_test(test_utf8_clean_keeps_what_is_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
