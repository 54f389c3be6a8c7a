#include "tests/test.h"

#include "app/base/clock.h"
#include "app/planner/days.h"
#include "app/words.h"
#include "db/asset_store.h"

#include <stdlib.h>

#define DAY_MS MS_PER_DAY

static char *text(const char *s)
{
    return (char *)(uintptr_t)s;
}

static void test_days_init_over_dst(void **state)
{
    struct ft_err err;
    struct days d;
    struct crew crew = {.id = 5, .name = text("A"), .hours_per_day = 8, .weekdays = 62};
    const struct crew_list crews = {&crew, 1};
    /* Berlin: clocks go back on Sunday 25 October 2026. */
    struct calendar_entry entries[] = {{.kind = CALENDAR_CREW_AWAY,
                                        .start_ms = clock_from_local(2026, 10, 27, 0, 0, 0),
                                        .end_ms = clock_from_local(2026, 10, 28, 0, 0, 0),
                                        .crew_id = 5},
                                       {.kind = CALENDAR_STOP,
                                        .start_ms = clock_from_local(2026, 10, 26, 6, 0, 0),
                                        .end_ms = clock_from_local(2026, 10, 26, 22, 0, 0),
                                        .area = text("Mill 2/PM 2")}};
    const struct calendar_list calendar = {entries, 2};
    assert_ok(days_init(&d, clock_from_local(2026, 10, 23, 15, 0, 0), 7, &crews, &calendar, &err),
              err);
    for (int i = 0; i <= 7; i++) {
        const struct clock_local t = clock_to_local(d.start_ms[i]);
        assert_int_equal(t.day, 23 + i);
        assert_int_equal(t.hour, 0);
    }
    assert_int_equal(d.start_ms[3] - d.start_ms[2], 25 * MS_PER_HOUR);
    const double want[7] = {8, 0, 0, 8, 0, 8, 8}; /* Friday, weekend, Monday, away, ... */
    for (int i = 0; i < 7; i++) {
        assert_close(d.hours[i], want[i], 0);
        assert_int_equal(days_works(&d, i), want[i] > 0);
    }
    assert_int_equal(days_index(&d, clock_from_local(2026, 10, 25, 23, 59, 0)), 2);
    assert_int_equal(days_index(&d, d.start_ms[0] - 1), -1);
    assert_int_equal(days_index(&d, d.start_ms[7]), 7);
    assert_true(days_has(&d, 3, CALENDAR_STOP, "Mill 2/PM 2/Press"));
    assert_false(days_has(&d, 3, CALENDAR_STOP, "Mill 2/PM 20"));
    assert_false(days_has(&d, 3, CALENDAR_STOP, NULL));
    assert_false(days_has(&d, 4, CALENDAR_STOP, "Mill 2/PM 2"));
    days_free(&d);
}

static char *copy_of(const char *s)
{
    char *copy = strdup(s);
    assert_non_null(copy);
    return copy;
}

/* A weekly stop from 06:00 to 18:00 keeps its local hours over the clock change; Christmas comes
 * every year to 2040 and nobody works. */
static void test_days_repeat(void **state)
{
    struct ft_err err;
    struct days d;
    struct crew crew = {.id = 5, .name = text("A"), .hours_per_day = 8, .weekdays = 127};
    const struct crew_list crews = {&crew, 1};
    struct calendar_list calendar = {calloc(2, sizeof(*calendar.items)), 2};
    assert_non_null(calendar.items);
    calendar.items[0] = (struct calendar_entry){.kind = CALENDAR_STOP,
                                                .start_ms = clock_from_local(2026, 10, 19, 6, 0, 0),
                                                .end_ms = clock_from_local(2026, 10, 19, 18, 0, 0),
                                                .area = copy_of("Mill 2"),
                                                .rrule = copy_of("FREQ=WEEKLY")};
    calendar.items[1] = (struct calendar_entry){.kind = CALENDAR_HOLIDAY,
                                                .start_ms = clock_from_local(2020, 12, 25, 0, 0, 0),
                                                .end_ms = clock_from_local(2020, 12, 27, 0, 0, 0),
                                                .rrule = copy_of("FREQ=YEARLY")};
    assert_ok(days_repeat(&calendar, clock_from_local(2026, 10, 1, 0, 0, 0),
                          clock_from_local(2041, 1, 1, 0, 0, 0), &err),
              err);
    assert_int_equal(clock_to_local(calendar.items[1].start_ms).hour, 6);
    assert_int_equal(calendar.items[1].start_ms - calendar.items[0].start_ms,
                     7 * DAY_MS + MS_PER_HOUR);
    for (int year = 2026; year <= 2040; year++) {
        assert_ok(
            days_init(&d, clock_from_local(year, 12, 24, 9, 0, 0), 4, &crews, &calendar, &err),
            err);
        assert_close(d.hours[0], 8, 0);
        assert_close(d.hours[1], 0, 0);
        assert_close(d.hours[2], 0, 0);
        assert_close(d.hours[3], 8, 0);
        days_free(&d);
    }
    calendar_list_free(&calendar);
}

static void test_days_repeat_bad_rule(void **state)
{
    struct ft_err err;
    struct calendar_list calendar = {calloc(1, sizeof(*calendar.items)), 1};
    assert_non_null(calendar.items);
    calendar.items[0] =
        (struct calendar_entry){.id = 7, .end_ms = DAY_MS, .rrule = copy_of("FREQ=NEVER")};
    assert_int_equal(days_repeat(&calendar, 0, DAY_MS, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "calendar entry 7"));
    calendar_list_free(&calendar);
}

static void test_words_say_dates_and_money(void **state)
{
    char out[WORDS_SIZE];
    const int64_t now = clock_from_local(2026, 11, 23, 6, 42, 0);
    assert_string_equal(words_date(clock_from_local(2026, 12, 4, 0, 0, 0), now, out), "Fri 4 Dec");
    assert_string_equal(words_date(clock_from_local(2028, 2, 29, 0, 0, 0), now, out),
                        "Tue 29 Feb 2028");
    assert_string_equal(words_percent(0.314, out), "31 %");
    assert_string_equal(words_percent(0.004, out), "<1 %");
    assert_string_equal(words_percent(0.996, out), ">99 %");
    assert_string_equal(words_percent(NAN, out), "unknown");
    assert_string_equal(words_money(4821234, "EUR", out), "EUR 48,200");
    assert_string_equal(words_money(48212, "JPY", out), "JPY 48,200");
    assert_string_equal(words_money(45000, "EUR", out), "EUR 450");
    assert_string_equal(words_count(3, out), "Three");
    assert_string_equal(words_count(0, out), "No");
    assert_string_equal(words_count(201, out), "201");
    assert_string_equal(words_duration(25.0 * (double)MS_PER_DAY, out), "25 d");
    assert_string_equal(words_duration(1241.0 * (double)MS_PER_DAY, out), "3.4 y");
}

int main(void)
{
    struct ft_err err;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days_init_over_dst),
        cmocka_unit_test(test_days_repeat),
        cmocka_unit_test(test_days_repeat_bad_rule),
        cmocka_unit_test(test_words_say_dates_and_money),
    };
    if (clock_set_zone("Europe/Berlin", &err) != FT_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
