#include "tests/test.h"

#include "app/dictionary.h"

static void test_dictionary_add_numbers_in_order(void **state)
{
    enum { N = 20000 };
    struct dictionary *d = dictionary_new();
    char text[32];
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < N; i++) {
            const int len = snprintf(text, sizeof(text), "asset %zu", i * 7919 % N);
            assert_int_equal(dictionary_add(d, text, (size_t)len), i);
        }
    assert_int_equal(dictionary_count(d), N);
    assert_string_equal(dictionary_text(d, 1), "asset 7919");
    dictionary_free(d);
}

/* A text that begins like another is another text; the length counts, not a NUL. */
static void test_dictionary_find_prefixes(void **state)
{
    struct dictionary *d = dictionary_new();
    assert_int_equal(dictionary_add(d, "pump", 4), 0);
    assert_int_equal(dictionary_find(d, "pumpkin", 7), DICTIONARY_NONE);
    assert_int_equal(dictionary_find(d, "pumpkin", 4), 0);
    assert_int_equal(dictionary_find(d, "pum", 3), DICTIONARY_NONE);
    assert_int_equal(dictionary_add(d, "", 0), 1);
    assert_int_equal(dictionary_find(d, "", 0), 1);
    dictionary_free(d);
    dictionary_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dictionary_add_numbers_in_order),
        cmocka_unit_test(test_dictionary_find_prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
