#include "tests/test.h"

#include "app/base/money.h"

static void test_money_digits_by_currency(void **state)
{
    assert_int_equal(money_digits("EUR"), 2);
    assert_int_equal(money_digits("JPY"), 0);
    assert_int_equal(money_digits("KWD"), 3);
    assert_int_equal(money_digits("QQQ"), 2);
    assert_int_equal(money_digits(""), 2);
    assert_int_equal(money_digits("P C"), 2); /* part of the list, but no currency */
}

static void test_money_from_major_rounds_and_saturates(void **state)
{
    assert_int_equal(money_from_major(12.34, "EUR"), 1234);
    assert_int_equal(money_from_major(0.005, "EUR"), 1);
    assert_int_equal(money_from_major(-0.005, "EUR"), -1);
    assert_int_equal(money_from_major(12.6, "JPY"), 13);
    assert_int_equal(money_from_major(1.2345, "KWD"), 1235);
    assert_int_equal(money_from_major(NAN, "EUR"), 0);
    assert_int_equal(money_from_major(INFINITY, "EUR"), INT64_MAX);
    assert_int_equal(money_from_major(-1e300, "EUR"), INT64_MIN);
    assert_close(money_to_major(1234, "EUR"), 12.34, 1e-12);
    assert_close(money_to_major(1234, "JPY"), 1234, 0);
}

static void expect(int64_t minor, const char *currency, const char *want)
{
    char text[64];
    assert_string_equal(money_format(minor, currency, text, sizeof(text)), want);
}

static void test_money_format_groups(void **state)
{
    expect(4820000, "EUR", "EUR 48,200");
    expect(0, "EUR", "EUR 0");
    expect(99999, "EUR", "EUR 1,000");
    expect(-123456789, "USD", "USD -1,234,568");
    expect(123, "JPY", "JPY 123");
    expect(-30, "EUR", "EUR 0");
    expect(INT64_MAX, "JPY", "JPY 9,223,372,036,854,775,808");
    char small[8];
    money_format(4820000, "EUR", small, sizeof(small));
    assert_string_equal(small, "EUR 48,");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_money_digits_by_currency),
        cmocka_unit_test(test_money_from_major_rounds_and_saturates),
        cmocka_unit_test(test_money_format_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
