#include "tests/test.h"

#include "app/base/clock.h"
#include "app/planner/rrule.h"

#include "tests/golden/rrule.h"

#include <stdlib.h>

enum { MAX_DAYS = 8000 };

static int64_t day(int y, int m, int d)
{
    return clock_days_from_civil(y, m, d);
}

static struct rrule rule(const char *text)
{
    struct rrule r;
    struct ft_err err;
    assert_ok(rrule_parse(text, &r, &err), err);
    return r;
}

/* The same occurrences as python3-dateutil, up to the end of 2040. */
static void test_rrule_days_golden(void **state)
{
    static int64_t days[MAX_DAYS];
    for (size_t i = 0; i < sizeof(rrule_golden) / sizeof(rrule_golden[0]); i++) {
        const struct rrule r = rule(rrule_golden[i].rule);
        const size_t n = rrule_days(&r, rrule_golden[i].start, rrule_golden[i].start,
                                    rrule_golden[i].until, days, MAX_DAYS);
        uint64_t sum = UINT64_C(1469598103934665603);
        for (size_t k = 0; k < n; k++) {
            if (k < 4 && days[k] != rrule_golden[i].days[k])
                fail_msg("%s: day %zu is %lld, want %lld", rrule_golden[i].rule, k,
                         (long long)days[k], (long long)rrule_golden[i].days[k]);
            sum = (sum ^ (uint64_t)days[k]) * UINT64_C(1099511628211);
        }
        if (n != rrule_golden[i].n || sum != rrule_golden[i].sum)
            fail_msg("%s: %zu days, want %zu", rrule_golden[i].rule, n, rrule_golden[i].n);
    }
}

/* A window asked for later holds the same days as one from the start. */
static void test_rrule_days_windows_agree(void **state)
{
    static int64_t all[MAX_DAYS];
    static int64_t some[MAX_DAYS];
    for (size_t i = 0; i < sizeof(rrule_golden) / sizeof(rrule_golden[0]); i++) {
        const struct rrule r = rule(rrule_golden[i].rule);
        const int64_t start = rrule_golden[i].start;
        const size_t n = rrule_days(&r, start, start, day(2036, 1, 1), all, MAX_DAYS);
        const int64_t from = day(2033, 2, 28) + (int64_t)i;
        const size_t m = rrule_days(&r, start, from, day(2036, 1, 1), some, MAX_DAYS);
        size_t skip = 0;
        while (skip < n && all[skip] < from)
            skip++;
        assert_int_equal(m, n - skip);
        assert_memory_equal(some, all + skip, m * sizeof(*some));
    }
}

static void test_rrule_next_floating_month_ends(void **state)
{
    const struct rrule monthly = rule("FREQ=MONTHLY");
    assert_int_equal(rrule_next_floating(&monthly, day(2026, 1, 31)), day(2026, 2, 28));
    assert_int_equal(rrule_next_floating(&monthly, day(2028, 1, 31)), day(2028, 2, 29));
    assert_int_equal(rrule_next_floating(&monthly, day(2026, 12, 15)), day(2027, 1, 15));
    const struct rrule yearly = rule("FREQ=YEARLY");
    assert_int_equal(rrule_next_floating(&yearly, day(2024, 2, 29)), day(2025, 2, 28));
    const struct rrule tuesday = rule("FREQ=MONTHLY;BYDAY=2TU");
    assert_int_equal(rrule_next_floating(&tuesday, day(2026, 11, 10)), day(2026, 12, 8));
    const struct rrule weeks = rule("FREQ=WEEKLY;INTERVAL=2");
    assert_int_equal(rrule_next_floating(&weeks, day(2026, 11, 10)), day(2026, 11, 24));
    const struct rrule never = rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30");
    assert_true(rrule_next_floating(&never, day(2026, 1, 1)) == INT64_MAX);
}

static void test_rrule_nominal_days(void **state)
{
    const struct rrule weeks = rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH");
    assert_close(rrule_nominal_days(&weeks), 7, 0.2);
    const struct rrule months = rule("FREQ=MONTHLY;INTERVAL=3");
    assert_close(rrule_nominal_days(&months), 91.3, 0.1);
    const struct rrule once = rule("FREQ=YEARLY;INTERVAL=300");
    assert_close(rrule_nominal_days(&once), 300 * 365.2425, 1);
}

static void test_rrule_describe(void **state)
{
    static const struct {
        const char *rule, *words;
    } cases[] = {
        {"FREQ=MONTHLY;BYDAY=1MO", "every month on 1st Mon"},
        {"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", "every 2 weeks on Mon, Thu"},
        {"FREQ=MONTHLY;BYMONTHDAY=-1", "every month on the last day"},
        {"RRULE:FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU", "every year on last Sun in Mar, Oct"},
        {"FREQ=MONTHLY;INTERVAL=6;BYMONTHDAY=12,23", "every 6 months on the 12th, 23rd"}};
    char words[120];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct rrule r = rule(cases[i].rule);
        assert_string_equal(rrule_describe(&r, words, sizeof(words)), cases[i].words);
    }
}

static void test_rrule_parse_refuses(void **state)
{
    static const struct {
        const char *rule, *says;
    } bad[] = {{"", "FREQ"},
               {"FREQ=HOURLY", "DAILY"},
               {"INTERVAL=2", "FREQ"},
               {"FREQ=DAILY;INTERVAL=0", "INTERVAL"},
               {"FREQ=DAILY;INTERVAL=99999999", "INTERVAL"},
               {"FREQ=DAILY;COUNT=2;UNTIL=20300101", "exclude"},
               {"FREQ=DAILY;UNTIL=20300230", "UNTIL"},
               {"FREQ=WEEKLY;BYDAY=1MO", "BYDAY"},
               {"FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY"},
               {"FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY"},
               {"FREQ=MONTHLY;BYDAY=XX", "BYDAY"},
               {"FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS"},
               {"FREQ=DAILY;FREQ=DAILY", "twice"},
               {"FREQ=DAILY;", "ends"},
               {"FREQ", "NAME=value"}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct rrule r;
        struct ft_err err = {0};
        assert_int_equal(rrule_parse(bad[i].rule, &r, &err), FT_INVALID);
        if (strstr(err.msg, bad[i].says) == NULL)
            fail_msg("%s: %s", bad[i].rule, err.msg);
    }
}

/* Local midnights of the days stay midnights through both clock changes. */
static void test_rrule_days_over_dst(void **state)
{
    struct ft_err err;
    int64_t days[40];
    assert_ok(clock_set_zone("Europe/Berlin", &err), err);
    const struct rrule r = rule("FREQ=DAILY;COUNT=40");
    const int64_t starts[] = {day(2026, 3, 10), day(2026, 10, 5), day(2039, 3, 10)};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(rrule_days(&r, starts[i], starts[i], starts[i] + 99, days, 40), 40);
        for (size_t k = 0; k < 40; k++) {
            const int64_t ms = clock_day_midnight(days[k]);
            assert_int_equal(clock_to_local(ms).hour, 0);
            assert_int_equal(clock_local_day(ms), days[k]);
        }
    }
    assert_int_equal(clock_day_midnight(day(2026, 3, 30)) - clock_day_midnight(day(2026, 3, 29)),
                     23 * MS_PER_HOUR);
    assert_int_equal(clock_day_midnight(day(2026, 10, 26)) - clock_day_midnight(day(2026, 10, 25)),
                     25 * MS_PER_HOUR);
    assert_ok(clock_set_zone("UTC", &err), err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rrule_days_golden),
        cmocka_unit_test(test_rrule_days_windows_agree),
        cmocka_unit_test(test_rrule_next_floating_month_ends),
        cmocka_unit_test(test_rrule_nominal_days),
        cmocka_unit_test(test_rrule_describe),
        cmocka_unit_test(test_rrule_parse_refuses),
        cmocka_unit_test(test_rrule_days_over_dst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
