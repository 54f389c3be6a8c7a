#include "tests/test.h"

#include "app/base/clock.h"
#include "app/base/rng.h"

#include <stdlib.h>

static void zone(const char *name)
{
    struct ft_err err;
    assert_ok(clock_set_zone(name, &err), err);
}

static int64_t parse(const char *text)
{
    struct ft_err err;
    int64_t ts_ms = 0;
    assert_ok(clock_parse(text, strlen(text), &ts_ms, &err), err);
    return ts_ms;
}

static void expect_utc(const char *text, const char *want)
{
    char got[CLOCK_TEXT_SIZE];
    clock_format_utc(parse(text), got);
    assert_string_equal(got, want);
}

static void test_clock_parse_iso(void **state)
{
    zone("UTC");
    expect_utc("2026-11-21", "2026-11-21T00:00:00Z");
    expect_utc("2026-11-21T06:42:00Z", "2026-11-21T06:42:00Z");
    expect_utc("2026-11-21 06:42", "2026-11-21T06:42:00Z");
    expect_utc("2026/11/21 06:42:10", "2026-11-21T06:42:10Z");
    expect_utc("2026-11-21t06:42:00.5+01:00", "2026-11-21T05:42:00.500Z");
    expect_utc("2026-11-21T06:42:00,1239z", "2026-11-21T06:42:00.123Z");
    expect_utc("2026-11-21T06:42:00-0530", "2026-11-21T12:12:00Z");
    expect_utc("2026-11-21 06:42:00 +02", "2026-11-21T04:42:00Z");
    expect_utc("  2026-11-21  ", "2026-11-21T00:00:00Z");
    expect_utc("2026-11-21T24:00:00Z", "2026-11-22T00:00:00Z");
    expect_utc("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z");
    expect_utc("2024-02-29", "2024-02-29T00:00:00Z");
    expect_utc("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z");
    expect_utc("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z");
}

static void test_clock_parse_epoch_by_size(void **state)
{
    assert_int_equal(parse("1420092000"), INT64_C(1420092000000));
    assert_int_equal(parse("1420092000.25"), INT64_C(1420092000250));
    assert_int_equal(parse("1420092000123"), INT64_C(1420092000123));
    assert_int_equal(parse("1420092000123456"), INT64_C(1420092000123));
    assert_int_equal(parse("1420092000123456789"), INT64_C(1420092000123));
    assert_int_equal(parse("-86400"), INT64_C(-86400000));
    assert_int_equal(parse("0"), 0);
}

static void test_clock_parse_refuses(void **state)
{
    static const char *const bad[] = {"",
                                      "x",
                                      "2026-13-01",
                                      "2026-02-30",
                                      "2025-02-29",
                                      "2026-11-21T25:00",
                                      "2026-11-21T06:60",
                                      "2026-11-21T06:42:61",
                                      "2026-11-21T06",
                                      "2026-11-21T06:42:00.",
                                      "2026-11-21T06:42+5",
                                      "2026-11-21T06:42+01:",
                                      "2026-11-21T06:42+25:00",
                                      "2026-11/21",
                                      "2026-1-1",
                                      "20261121T06:42",
                                      "2026-11-21T24:00:00.5",
                                      "2026-11-21T24:01",
                                      "12345678901234567890",
                                      "1e5",
                                      "--5",
                                      "1.2.3",
                                      "2026-11-21Z06:42",
                                      "2026-11-21T06:42:00 x"};
    int64_t ts_ms = 5;
    struct ft_err err;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (clock_parse(bad[i], strlen(bad[i]), &ts_ms, &err) != FT_INVALID)
            fail_msg("'%s' was taken for a time", bad[i]);
    assert_non_null(strstr(err.msg, "expected"));
}

static void test_clock_from_local_clock_changes(void **state)
{
    zone("Europe/Berlin");
    assert_int_equal(parse("2026-01-15 12:00"), parse("2026-01-15T11:00:00Z"));
    assert_int_equal(parse("2026-07-15 12:00"), parse("2026-07-15T10:00:00Z"));
    /* 02:00 to 03:00 does not exist on 29 March, and occurs twice on 25 October 2026. */
    assert_int_equal(parse("2026-03-29 02:30"), parse("2026-03-29T01:30:00Z"));
    assert_int_equal(parse("2026-03-29 03:00"), parse("2026-03-29T01:00:00Z"));
    /* mktime() would answer by what it was asked before. */
    parse("2026-01-15 12:00");
    assert_int_equal(parse("2026-10-25 02:30"), parse("2026-10-25T00:30:00Z"));
    parse("2026-07-15 12:00");
    assert_int_equal(parse("2026-10-25 02:30"), parse("2026-10-25T00:30:00Z"));
    assert_int_equal(parse("2026-10-25 03:00"), parse("2026-10-25T02:00:00Z"));
    zone("UTC");
}

static void test_clock_local_add_days_over_clock_changes(void **state)
{
    zone("Europe/Berlin");
    const int64_t saturday = clock_local_midnight(parse("2026-03-28 15:00"));
    assert_int_equal(saturday, parse("2026-03-27T23:00:00Z"));
    assert_int_equal(clock_local_add_days(saturday, 2) - saturday, 47 * MS_PER_HOUR);
    assert_int_equal(clock_local_add_days(saturday, 365), parse("2027-03-28 00:00"));
    assert_int_equal(clock_local_add_days(saturday, -28), parse("2026-02-28 00:00"));
    zone("UTC");
}

static void test_clock_to_local_fields(void **state)
{
    zone("Europe/Berlin");
    const struct clock_local t = clock_to_local(parse("2026-12-31T23:30:05Z"));
    assert_int_equal(t.year, 2027);
    assert_int_equal(t.month, 1);
    assert_int_equal(t.day, 1);
    assert_int_equal(t.hour, 0);
    assert_int_equal(t.minute, 30);
    assert_int_equal(t.second, 5);
    assert_int_equal(t.weekday, 5);
    assert_int_equal(t.iso_week, 53);
    assert_int_equal(t.offset_s, 3600);
    char text[CLOCK_TEXT_SIZE];
    clock_format_local(parse("2026-12-31T23:30:05Z"), text);
    assert_string_equal(text, "2027-01-01 00:30");
    clock_format_local_date(parse("2026-12-31T23:30:05Z"), text);
    assert_string_equal(text, "2027-01-01");
    zone("UTC");
}

/* Local fields go back to the instant, but for the hour that occurs twice. */
static void test_clock_from_local_round_trip(void **state)
{
    static const char *const zones[] = {"UTC", "America/New_York", "Australia/Lord_Howe",
                                        "Asia/Kathmandu", "Pacific/Apia"};
    for (size_t z = 0; z < sizeof(zones) / sizeof(zones[0]); z++) {
        zone(zones[z]);
        for (uint64_t i = 0; i < 20000; i++) {
            const int64_t ts_ms = 1000 * (int64_t)rng_below(z, 1, i, UINT64_C(4000000000));
            const struct clock_local t = clock_to_local(ts_ms);
            const int64_t back =
                clock_from_local(t.year, t.month, t.day, t.hour, t.minute, t.second);
            const struct clock_local again = clock_to_local(back);
            assert_true(back <= ts_ms);
            assert_int_equal(again.day, t.day);
            assert_int_equal(again.hour, t.hour);
            assert_int_equal(again.minute, t.minute);
        }
    }
    zone("UTC");
}

static void test_clock_parse_duration_units(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"500ms", 500},           {"90s", 90000},         {"15m", 900000},
                {"15min", 900000},        {"24h", MS_PER_DAY},    {"1.5h", 5400000},
                {"30d", 30 * MS_PER_DAY}, {"2w", 14 * MS_PER_DAY}};
    static const char *const bad[] = {"",   "h",  "5",     "-5h", "5 h",
                                      "0s", "5y", "1e30d", "nan", "0x5h x"};
    struct ft_err err;
    int64_t ms = 0;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_ok(clock_parse_duration(good[i].text, &ms, &err), err);
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(clock_parse_duration(bad[i], &ms, &err), FT_INVALID);
}

static void test_clock_set_zone_refuses_unknown(void **state)
{
    struct ft_err err;
    assert_int_equal(clock_set_zone("Mars/Olympus", &err), FT_INVALID);
    assert_int_equal(clock_set_zone("../../etc/passwd", &err), FT_INVALID);
    assert_int_equal(clock_set_zone("/etc/passwd", &err), FT_INVALID);
    assert_int_equal(clock_set_zone("", &err), FT_INVALID);
}

static void test_clock_now_ms_can_be_frozen(void **state)
{
    setenv("FETTLE_NOW", "2026-11-21T06:42:00Z", 1);
    assert_int_equal(clock_now_ms(), parse("2026-11-21T06:42:00Z"));
    unsetenv("FETTLE_NOW");
    assert_true(clock_now_ms() > parse("2020-01-01"));
    const double a = clock_mono_s();
    assert_true(clock_mono_s() >= a);
}

static void test_clock_format_utc_out_of_range(void **state)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format_utc(INT64_MAX, text);
    assert_string_equal(text, "9223372036854775807");
    clock_format_utc(INT64_MIN, text);
    assert_string_equal(text, "-9223372036854775808");
    clock_format_utc(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_parse_iso),
        cmocka_unit_test(test_clock_parse_epoch_by_size),
        cmocka_unit_test(test_clock_parse_refuses),
        cmocka_unit_test(test_clock_from_local_clock_changes),
        cmocka_unit_test(test_clock_local_add_days_over_clock_changes),
        cmocka_unit_test(test_clock_to_local_fields),
        cmocka_unit_test(test_clock_from_local_round_trip),
        cmocka_unit_test(test_clock_parse_duration_units),
        cmocka_unit_test(test_clock_set_zone_refuses_unknown),
        cmocka_unit_test(test_clock_now_ms_can_be_frozen),
        cmocka_unit_test(test_clock_format_utc_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
