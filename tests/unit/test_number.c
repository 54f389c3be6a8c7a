#include "tests/test.h"

#include "app/base/rng.h"
#include "app/ingest/number.h"

#include <stdlib.h>

/* Bit for bit what strtod() says. */
static void expect_as_strtod(const char *text)
{
    double got = NAN;
    const double want = strtod(text, NULL);
    if (!number_parse(text, strlen(text), '.', &got))
        fail_msg("'%s' was refused", text);
    if (memcmp(&got, &want, sizeof(got)) != 0)
        fail_msg("'%s': got %.17g, want %.17g", text, got, want);
    char roomy[16 + 64] = "0.1,-2e3,4.4,9,9";
    const size_t len = strlen(text);
    assert_true(len < 64);
    memcpy(roomy + 16, text, len);
    assert_true(number_parse_roomy(roomy + 16, len, '.', &got));
    assert_memory_equal(&got, &want, sizeof(got));
}

static void test_number_parse_cases(void **state)
{
    static const char *const good[] = {"0",
                                       "-0",
                                       "-0.0",
                                       "+1",
                                       "1.",
                                       ".5",
                                       "-.5e-3",
                                       "1e22",
                                       "1e23",
                                       "1e-22",
                                       "1e-23",
                                       "1E5",
                                       "9007199254740992",
                                       "9007199254740993",
                                       "9007199254740991e22",
                                       "123456789012345678901234567890",
                                       "0.000000000000000000000000000000000001",
                                       "4.9e-324",
                                       "2.2250738585072011e-308",
                                       "1.7976931348623157e308",
                                       "0e999",
                                       "176.217853015625",
                                       "39.271645279141914",
                                       "00012.50",
                                       "1e-400",
                                       "0.1",
                                       "8.4195"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        expect_as_strtod(good[i]);
}

static void test_number_parse_refuses(void **state)
{
    static const char *const bad[] = {"",
                                      " ",
                                      ".",
                                      "-",
                                      "e5",
                                      "1e",
                                      "1e+",
                                      "1,5",
                                      "1.2.3",
                                      "abc",
                                      "12abc",
                                      "inf",
                                      "nan",
                                      "0x10",
                                      "1 2",
                                      "--1",
                                      "1e999",
                                      "1_000",
                                      "-.",
                                      "..",
                                      "1..2",
                                      ".1.",
                                      "12345678.1234.5",
                                      "1234567/",
                                      ":234567",
                                      "12345:789",
                                      ("\xc2\xa0" /* no-break space */
                                       "1")};
    double v = 7;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(number_parse(bad[i], strlen(bad[i]), '.', &v));
    assert_close(v, 7, 0);
    assert_false(number_parse("1.5", 3, ',', &v));
    assert_false(number_parse("1.234,5", 7, ',', &v));
}

static void test_number_parse_decimal_comma_and_blanks(void **state)
{
    double v = 0;
    assert_true(number_parse("1,5", 3, ',', &v));
    assert_close(v, 1.5, 0);
    assert_true(number_parse("-12345678901234567890,25", 24, ',', &v));
    assert_close(v, -12345678901234567890.25, 0);
    assert_true(number_parse(" \t-2.5 ", 7, '.', &v));
    assert_close(v, -2.5, 0);
    assert_true(number_parse("123456", 3, '.', &v)); /* reads no further than len */
    assert_close(v, 123, 0);
}

static void test_number_parse_random_decimals(void **state)
{
    for (uint64_t i = 0; i < 200000; i++) {
        char text[64];
        const int n_digits = 1 + (int)rng_below(3, 0, i, 20);
        const int point = (int)rng_below(3, 1, i, (uint64_t)n_digits + 1);
        size_t at = 0;
        if (rng_below(3, 2, i, 2) == 0)
            text[at++] = '-';
        for (int k = 0; k < n_digits; k++) {
            if (k == point)
                text[at++] = '.';
            text[at++] = (char)('0' + rng_below(4, i, (uint64_t)k, 10));
        }
        if (i % 3 == 0)
            at += (size_t)snprintf(text + at, 12, "e%d", (int)rng_below(3, 3, i, 620) - 310);
        text[at] = '\0';
        if (isfinite(strtod(text, NULL)))
            expect_as_strtod(text);
    }
}

/* Half way between two doubles, one off it, and whole words with any power of ten. */
static void test_number_parse_half_way(void **state)
{
    char text[64];
    for (uint64_t i = 0; i < 200000; i++) {
        const uint64_t odd = (UINT64_C(1) << 53 | rng_u64(6, 0, i) >> 11) | 1; /* 54 bits */
        const uint64_t half = odd << rng_below(6, 1, i, 10);
        for (int off = -1; off <= 1; off++) {
            snprintf(text, sizeof(text), "%llu", (unsigned long long)half + (uint64_t)off);
            expect_as_strtod(text);
        }
        snprintf(text, sizeof(text), "%llue%d",
                 (unsigned long long)(rng_u64(6, 2, i) >> rng_below(6, 3, i, 60)),
                 (int)rng_below(6, 4, i, 140) - 70);
        expect_as_strtod(text);
        /* 54-bit numbers over small powers of two and five are exact decimals as well. */
        snprintf(text, sizeof(text), "%.5f", (double)(odd >> 30) / 32 + 0x1p-6);
        expect_as_strtod(text);
    }
}

/* Any double, printed, reads back with the same bits. */
static void test_number_format_round_trip(void **state)
{
    for (uint64_t i = 0; i < 200000; i++) {
        const uint64_t bits = rng_u64(5, 0, i);
        char text[NUMBER_TEXT_SIZE];
        double v;
        double back;
        memcpy(&v, &bits, sizeof(v));
        if (!isfinite(v))
            continue;
        const size_t n = number_format(v, text);
        assert_true(number_parse(text, n, '.', &back));
        assert_memory_equal(&v, &back, sizeof(v));
    }
    char text[NUMBER_TEXT_SIZE];
    number_format(0.1, text);
    assert_string_equal(text, "0.1");
    number_format(176.217853015625, text);
    assert_string_equal(text, "176.217853015625");
    number_format(1500, text);
    assert_string_equal(text, "1500");
    assert_int_equal(number_format(NAN, text), 0);
}

static void test_number_is_missing_words(void **state)
{
    static const char *const yes[] = {"",    " ",    "NA",   "n/a",  "NaN",
                                      "nan", "NULL", "None", " na ", "nil"};
    static const char *const no[] = {"0", "n", "nano", "nab", "-", "1"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        assert_true(number_is_missing(yes[i], strlen(yes[i])));
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        assert_false(number_is_missing(no[i], strlen(no[i])));
}

/* The roomy way reads what the other one reads, and refuses what it refuses. */
static void test_number_parse_roomy_as_number_parse(void **state)
{
    static const char letters[] = "0123456789.,-+eE x";
    for (uint64_t i = 0; i < 400000; i++) {
        char room[48] = "9.9,9-9.99e99.99";
        char *text = room + 16;
        const size_t len = 1 + (size_t)rng_below(5, i, 0, 20);
        const bool is_tame = rng_below(5, i, 1, 4) != 0;
        for (size_t k = 0; k < len; k++)
            text[k] = letters[rng_below(5, i, 2 + k, is_tame ? 11 : sizeof(letters) - 1)];
        for (int m = 0; m < 2; m++) {
            double a = 7;
            double b = 7;
            const char mark = m == 0 ? '.' : ',';
            const bool want = number_parse(text, len, mark, &a);
            assert_int_equal(number_parse_roomy(text, len, mark, &b), want);
            if (want)
                assert_memory_equal(&a, &b, sizeof(a));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number_parse_roomy_as_number_parse),
        cmocka_unit_test(test_number_parse_cases),
        cmocka_unit_test(test_number_parse_refuses),
        cmocka_unit_test(test_number_parse_decimal_comma_and_blanks),
        cmocka_unit_test(test_number_parse_random_decimals),
        cmocka_unit_test(test_number_parse_half_way),
        cmocka_unit_test(test_number_format_round_trip),
        cmocka_unit_test(test_number_is_missing_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
