#include "tests/test.h"

#include "app/base/clock.h"
#include "app/planner/preventive.h"

#define DAY MS_PER_DAY

static int64_t berlin(int y, int m, int d, int h)
{
    return clock_from_local(y, m, d, h, 0, 0);
}

static struct plan plan_of(int days, bool floating)
{
    return (struct plan){.action = (char *)(uintptr_t) "replacement",
                         .interval_ms = days * DAY,
                         .tolerance_ms = 3 * DAY,
                         .anchor_ms = berlin(2026, 1, 1, 6),
                         .is_floating = floating,
                         .is_active = true};
}

static void test_preventive_due_floating_keeps_midnight_over_dst(void **state)
{
    int64_t due[8];
    const struct plan p = plan_of(30, true);
    /* Done on 1 October at 15:00; clocks change on 25 October. */
    const size_t n = preventive_due(&p, berlin(2026, 10, 1, 15), NULL, berlin(2026, 10, 20, 8),
                                    berlin(2027, 1, 1, 0), due, 8);
    assert_int_equal(n, 3);
    assert_int_equal(due[0], berlin(2026, 10, 31, 0));
    assert_int_equal(due[1], berlin(2026, 11, 30, 0));
    assert_int_equal(due[2], berlin(2026, 12, 30, 0));
}

static void test_preventive_due_overdue_once(void **state)
{
    int64_t due[8];
    const struct plan floating = plan_of(30, true);
    size_t n = preventive_due(&floating, berlin(2026, 3, 1, 9), NULL, berlin(2026, 6, 10, 8),
                              berlin(2026, 8, 1, 0), due, 8);
    assert_int_equal(n, 2);
    assert_int_equal(due[0], berlin(2026, 6, 10, 0));
    assert_int_equal(due[1], berlin(2026, 7, 10, 0));
    const struct plan fixed = plan_of(30, false);
    /* The rhythm goes on from the anchor: 31 May is overdue, then 30 June and 30 July. */
    n = preventive_due(&fixed, berlin(2026, 5, 1, 9), NULL, berlin(2026, 6, 10, 8),
                       berlin(2026, 8, 1, 0), due, 8);
    assert_int_equal(n, 3);
    assert_int_equal(due[0], berlin(2026, 6, 10, 0));
    assert_int_equal(due[1], berlin(2026, 6, 30, 0));
    assert_int_equal(due[2], berlin(2026, 7, 30, 0));
}

static void test_preventive_due_fixed_done_early_counts(void **state)
{
    int64_t due[8];
    const struct plan p = plan_of(30, false);
    /* Due 30 June; done on 20 June, ten days early: the next one is 30 July. */
    const size_t n = preventive_due(&p, berlin(2026, 6, 20, 9), NULL, berlin(2026, 6, 21, 8),
                                    berlin(2026, 8, 15, 0), due, 8);
    assert_int_equal(n, 1);
    assert_int_equal(due[0], berlin(2026, 7, 30, 0));
}

static void test_preventive_due_leap_day_and_stopped(void **state)
{
    int64_t due[8];
    struct plan p = plan_of(1, true);
    size_t n = preventive_due(&p, berlin(2028, 2, 27, 9), NULL, berlin(2028, 2, 28, 8),
                              berlin(2028, 3, 2, 0), due, 8);
    assert_int_equal(n, 3);
    assert_int_equal(due[1], berlin(2028, 2, 29, 0));
    assert_int_equal(due[2], berlin(2028, 3, 1, 0));
    p.is_active = false;
    assert_int_equal(
        preventive_due(&p, DB_NO_TIME, NULL, berlin(2028, 2, 28, 8), berlin(2028, 3, 2, 0), due, 8),
        0);
}

static struct plan ruled(const char *rule, bool floating)
{
    struct plan p = plan_of(30, floating);
    p.rrule = (char *)(uintptr_t)rule;
    return p;
}

static void test_preventive_due_by_rule(void **state)
{
    int64_t due[40];
    /* First Monday of each month, through both clock changes, with the last one done. */
    const struct plan fixed = ruled("FREQ=MONTHLY;BYDAY=1MO", false);
    size_t n = preventive_due(&fixed, berlin(2026, 3, 2, 9), NULL, berlin(2026, 3, 10, 8),
                              berlin(2027, 1, 1, 0), due, 40);
    assert_int_equal(n, 9);
    assert_int_equal(due[0], berlin(2026, 4, 6, 0));
    assert_int_equal(due[7], berlin(2026, 11, 2, 0));
    assert_int_equal(due[8], berlin(2026, 12, 7, 0));
    /* Floating from the last of January: month ends are kept short, not left out. */
    const struct plan floating = ruled("FREQ=MONTHLY", true);
    n = preventive_due(&floating, berlin(2028, 1, 31, 15), NULL, berlin(2028, 2, 1, 8),
                       berlin(2028, 5, 1, 0), due, 40);
    assert_int_equal(n, 3);
    assert_int_equal(due[0], berlin(2028, 2, 29, 0));
    assert_int_equal(due[1], berlin(2028, 3, 29, 0));
    assert_int_equal(due[2], berlin(2028, 4, 29, 0));
    /* The rule ends. */
    const struct plan ends = ruled("FREQ=YEARLY;COUNT=2", false);
    n = preventive_due(&ends, berlin(2026, 1, 1, 9), NULL, berlin(2026, 3, 1, 8),
                       berlin(2040, 1, 1, 0), due, 40);
    assert_int_equal(n, 1);
    assert_int_equal(due[0], berlin(2027, 1, 1, 0));
}

/* Every local midnight from 2026 to 2040 on which a daily rule is due is there, once. */
static void test_preventive_due_daily_to_2040(void **state)
{
    static int64_t due[6000];
    const struct plan p = ruled("FREQ=DAILY", false);
    const size_t n = preventive_due(&p, DB_NO_TIME, NULL, berlin(2026, 1, 1, 8),
                                    berlin(2041, 1, 1, 0), due, 6000);
    assert_int_equal(n, 15 * 365 + 4);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(due[i], clock_local_midnight(due[i]));
        assert_int_equal(clock_local_day(due[i]), clock_days_from_civil(2026, 1, 1) + (int64_t)i);
    }
}

static void test_preventive_due_by_meter(void **state)
{
    int64_t due[8];
    struct plan p = plan_of(90, true);
    p.meter = (char *)(uintptr_t) "run_hours";
    p.meter_interval = 500;
    /* 20 h a day, 300 h since the last time: 200 h are left, 10 days. */
    const struct preventive_usage use = {.since_last = 300, .total = 9300, .per_day = 20};
    size_t n = preventive_due(&p, berlin(2026, 5, 20, 9), &use, berlin(2026, 6, 4, 8),
                              berlin(2026, 8, 1, 0), due, 8);
    assert_int_equal(n, 2);
    assert_int_equal(due[0], berlin(2026, 6, 14, 0));
    assert_int_equal(due[1], berlin(2026, 7, 9, 0)); /* 500 h later */
    /* Little use: the calendar comes first. */
    const struct preventive_usage slow = {.since_last = 10, .total = 9300, .per_day = 1};
    n = preventive_due(&p, berlin(2026, 5, 20, 9), &slow, berlin(2026, 6, 4, 8),
                       berlin(2026, 9, 1, 0), due, 8);
    assert_int_equal(n, 1);
    assert_int_equal(due[0], berlin(2026, 8, 18, 0));
    /* The meter alone, standing still: never. */
    p.meter_only = true;
    const struct preventive_usage still = {.since_last = 10, .total = 9300, .per_day = 0};
    assert_int_equal(preventive_due(&p, berlin(2026, 5, 20, 9), &still, berlin(2026, 6, 4, 8),
                                    berlin(2036, 9, 1, 0), due, 8),
                     0);
    /* Nobody knows the last time: the next multiple of 500 is 9,500, ten days away. */
    const struct preventive_usage unknown = {.since_last = NAN, .total = 9300, .per_day = 20};
    n = preventive_due(&p, DB_NO_TIME, &unknown, berlin(2026, 6, 4, 8), berlin(2026, 6, 30, 0), due,
                       8);
    assert_int_equal(n, 1);
    assert_int_equal(due[0], berlin(2026, 6, 14, 0));
}

static void test_preventive_read_usage_with_reset(void **state)
{
    int64_t ts[41];
    double value[41];
    struct preventive_usage u;
    for (int i = 0; i <= 40; i++) { /* 24 h a day, a new counter after day 30 */
        ts[i] = i * DAY;
        value[i] = i <= 30 ? 1000 + 24 * i : 24 * (i - 30);
    }
    preventive_read_usage(ts, value, 41, NAN, 25 * DAY, &u);
    assert_close(u.per_day, 24, 1e-9);
    assert_close(u.since_last, 15 * 24, 1e-9);
    assert_close(u.total, 240, 0);
    preventive_read_usage(ts, value, 41, NAN, -DAY, &u);
    assert_true(isnan(u.since_last));
    preventive_read_usage(ts, value, 1, NAN, 0, &u);
    assert_true(isnan(u.per_day));
    preventive_read_usage(NULL, NULL, 0, NAN, 0, &u);
    assert_true(isnan(u.total));
}

static void test_preventive_due_season(void **state)
{
    int64_t due[8];
    struct plan fixed = ruled("FREQ=MONTHLY;BYMONTHDAY=1", false);
    fixed.season_from = 1101;
    fixed.season_to = 228; /* over the new year */
    size_t n = preventive_due(&fixed, DB_NO_TIME, NULL, berlin(2026, 7, 10, 8),
                              berlin(2027, 6, 1, 0), due, 8);
    assert_int_equal(n, 4);
    assert_int_equal(due[0], berlin(2026, 11, 1, 0));
    assert_int_equal(due[3], berlin(2027, 2, 1, 0));
    struct plan floating = plan_of(60, true);
    floating.season_from = 1101;
    floating.season_to = 228;
    n = preventive_due(&floating, berlin(2026, 2, 1, 9), NULL, berlin(2026, 7, 10, 8),
                       berlin(2027, 3, 1, 0), due, 8);
    assert_int_equal(n, 2);
    assert_int_equal(due[0], berlin(2026, 11, 1, 0)); /* overdue, waits for the season */
    assert_int_equal(due[1], berlin(2026, 12, 31, 0));
}

static struct life life_of(double shape, double scale_d)
{
    return (struct life){.n_failures = 12,
                         .has_fit = true,
                         .exposure_d = 20000,
                         .fit = {.shape = shape,
                                 .scale = scale_d,
                                 .cov = {{0.04, 0}, {0, 0.01}},
                                 .n = 40,
                                 .n_failures = 12}};
}

static void test_preventive_judge_replacement(void **state)
{
    struct preventive_verdict v;
    const struct life flat = life_of(1.0, 500);
    const struct life steep = life_of(3.0, 500);
    struct preventive_evidence e = {
        .life = &flat, .cost_planned = 1000, .cost_failure = 5000, .n_assets = 10};
    struct plan p = plan_of(180, true);
    preventive_judge(&p, &e, &v);
    assert_int_equal(v.advice, PREVENTIVE_STOP);
    assert_non_null(strstr(v.why, "does not rise"));
    /* Exponential: g(T) = C_P S / (scale F) + C_F / scale, so stopping saves the first part. */
    const double f = 1 - exp(-180.0 / 500);
    assert_rel(v.saving_per_year, 1000 * (1 - f) / (500 * f) * 365.25 * 10, 1e-6);
    e.life = &steep;
    preventive_judge(&p, &e, &v); /* T* = 0.5026 x 500 = 251 d: 180 d is near enough */
    assert_int_equal(v.advice, PREVENTIVE_KEEP);
    assert_close(v.best_interval_d, 251.3, 0.1);
    p = plan_of(60, true);
    preventive_judge(&p, &e, &v);
    assert_int_equal(v.advice, PREVENTIVE_LONGER);
    assert_true(v.saving_per_year > 0);
    p = plan_of(600, true);
    preventive_judge(&p, &e, &v);
    assert_int_equal(v.advice, PREVENTIVE_SHORTER);
    e.life = NULL;
    preventive_judge(&p, &e, &v);
    assert_int_equal(v.advice, PREVENTIVE_KEEP);
}

static void test_preventive_judge_inspection(void **state)
{
    struct preventive_verdict v;
    struct plan p = plan_of(14, true);
    p.action = (char *)(uintptr_t) "inspection";
    struct preventive_evidence e = {.cost_planned = 100, .n_assets = 4, .n_looks = 31};
    preventive_judge(&p, &e, &v);
    assert_int_equal(v.advice, PREVENTIVE_STOP);
    assert_string_equal(v.why, "0 of 31 found anything.");
    assert_rel(v.saving_per_year, 100 * 4 * 365.25 / 14, 1e-9);
    e.n_findings = 1;
    preventive_judge(&p, &e, &v);
    assert_int_equal(v.advice, PREVENTIVE_KEEP);
    e = (struct preventive_evidence){.cost_planned = 100, .n_assets = 4, .n_looks = 9};
    preventive_judge(&p, &e, &v);
    assert_int_equal(v.advice, PREVENTIVE_KEEP);
}

static void test_preventive_describe_meters(void **state)
{
    static const struct {
        const char *meter;
        double interval;
        const char *want;
    } rows[] = {{"hours", 500, "every 500 hours"},
                {"run_hours", 4000, "every 4,000 run hours"},
                {"Starts", 1000, "every 1,000 Starts"},
                {"press_strokes", 2500000, "every 2,500,000 press strokes"},
                {"counter_2", 4000, "every 4,000 on counter_2"},
                {"parts_x", 10, "every 10 on parts_x"},
                {"km", 0.5, "every 0.5 km"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[PREVENTIVE_WORDS];
        const struct plan p = {.meter = (char *)(uintptr_t)rows[i].meter,
                               .meter_interval = rows[i].interval,
                               .meter_only = true};
        assert_string_equal(preventive_describe(&p, out, sizeof(out)), rows[i].want);
    }
}

int main(void)
{
    struct ft_err err;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_preventive_due_floating_keeps_midnight_over_dst),
        cmocka_unit_test(test_preventive_due_overdue_once),
        cmocka_unit_test(test_preventive_due_fixed_done_early_counts),
        cmocka_unit_test(test_preventive_due_leap_day_and_stopped),
        cmocka_unit_test(test_preventive_due_by_rule),
        cmocka_unit_test(test_preventive_due_daily_to_2040),
        cmocka_unit_test(test_preventive_due_by_meter),
        cmocka_unit_test(test_preventive_read_usage_with_reset),
        cmocka_unit_test(test_preventive_due_season),
        cmocka_unit_test(test_preventive_judge_replacement),
        cmocka_unit_test(test_preventive_judge_inspection),
        cmocka_unit_test(test_preventive_describe_meters),
    };
    if (clock_set_zone("Europe/Berlin", &err) != FT_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
