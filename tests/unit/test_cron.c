#include "tests/test.h"

#include "app/base/clock.h"
#include "app/cron.h"

static int64_t at(const char *text)
{
    int64_t ts;
    struct ft_err err;
    assert_ok(clock_parse(text, strlen(text), &ts, &err), err);
    return ts;
}

static struct cron parse(const char *text)
{
    struct cron c;
    struct ft_err err;
    assert_ok(cron_parse(text, &c, &err), err);
    return c;
}

static int set_zone(void **state)
{
    struct ft_err err;
    return clock_set_zone("Europe/Berlin", &err) == FT_OK ? 0 : -1;
}

static void assert_next(const char *expression, const char *after, const char *want)
{
    const struct cron c = parse(expression);
    char got[CLOCK_TEXT_SIZE];
    clock_format_utc(cron_next(&c, at(after)), got);
    assert_string_equal(got, want);
}

static void test_cron_parse_refuses(void **state)
{
    static const char *const bad[] = {
        "",           "30 2 * *",     "60 2 * * *",   "30 24 * * *", "30 2 0 * *",  "30 2 * 13 *",
        "30 2 * * 8", "30 2 * * * *", "30 2 * * MOM", "5-2 * * * *", "*/0 * * * *", "1,,2 * * * *",
        "a 2 * * *",  "30;2 * * * *", "-1 2 * * *"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct cron c;
        struct ft_err err;
        if (cron_parse(bad[i], &c, &err) != FT_INVALID)
            fail_msg("took \"%s\"", bad[i]);
    }
}

static void test_cron_next_plain(void **state)
{
    assert_next("30 2 * * *", "2026-01-10T00:00:00Z", "2026-01-10T01:30:00Z");
    assert_next("30 2 * * *", "2026-01-10T01:30:00Z", "2026-01-11T01:30:00Z"); /* strictly after */
    assert_next("*/20 6-7 * * *", "2026-07-01T04:25:00Z", "2026-07-01T04:40:00Z");
    assert_next("0 3 * * SUN", "2026-11-21T10:00:00Z", "2026-11-22T02:00:00Z");
    assert_next("0 3 * * 7", "2026-11-21T10:00:00Z", "2026-11-22T02:00:00Z");
    assert_next("0 0 1 jan *", "2026-11-21T10:00:00Z", "2026-12-31T23:00:00Z");
    assert_next("0 12 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T11:00:00Z");
    /* Both days limited: either counts, as in cron. */
    assert_next("0 3 13 * FRI", "2026-11-21T10:00:00Z", "2026-11-27T02:00:00Z");
    assert_next("0 3 13 * FRI", "2026-12-12T10:00:00Z", "2026-12-13T02:00:00Z");
}

static void test_cron_next_never(void **state)
{
    const struct cron c = parse("0 0 30 2 *");
    assert_true(cron_next(&c, at("2026-01-01T00:00:00Z")) == INT64_MAX);
    assert_true(cron_previous(&c, at("2026-01-01T00:00:00Z")) == INT64_MIN);
}

/* 29 March 2026, 02:00 -> 03:00: 02:30 does not exist and fires once, at 03:00. */
static void test_cron_next_spring(void **state)
{
    assert_next("30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z");
    assert_next("30 2 * * *", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z");
    assert_next("0 * * * *", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z");
    assert_next("0 * * * *", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z");
}

/* 25 October 2026, 03:00 -> 02:00: 02:30 occurs twice and fires once, the first time. */
static void test_cron_next_autumn(void **state)
{
    assert_next("30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z");
    assert_next("30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
}

/* Every firing of ten years is one a day, whatever the clock does. */
static void test_cron_next_fires_once_a_day(void **state)
{
    const struct cron c = parse("30 2 * * *");
    int64_t t = at("2020-01-01T00:00:00Z");
    for (size_t i = 0; i < 3650; i++) {
        const int64_t next = cron_next(&c, t);
        assert_true(next - t >= 22 * MS_PER_HOUR || i == 0);
        assert_true(next - t <= 26 * MS_PER_HOUR);
        assert_true(cron_previous(&c, next) == next);
        assert_true(i == 0 || cron_previous(&c, next - 1) == t);
        t = next;
    }
}

static void test_cron_is_missed(void **state)
{
    const struct cron c = parse("30 2 * * *");
    const int64_t grace = 10 * MS_PER_MINUTE;
    const int64_t due = at("2026-01-10T01:30:00Z");
    assert_true(cron_is_missed(&c, INT64_MIN, due + MS_PER_HOUR, grace));
    assert_true(cron_is_missed(&c, due - MS_PER_DAY, due + MS_PER_HOUR, grace));
    assert_false(cron_is_missed(&c, due + 1000, due + MS_PER_HOUR, grace));
    assert_false(cron_is_missed(&c, due - MS_PER_DAY, due + grace, grace)); /* it may start yet */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cron_parse_refuses),
        cmocka_unit_test(test_cron_next_plain),
        cmocka_unit_test(test_cron_next_never),
        cmocka_unit_test(test_cron_next_spring),
        cmocka_unit_test(test_cron_next_autumn),
        cmocka_unit_test(test_cron_next_fires_once_a_day),
        cmocka_unit_test(test_cron_is_missed),
    };
    return cmocka_run_group_tests(tests, set_zone, NULL);
}
