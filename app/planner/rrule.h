/* Recurrence rules: the part of RFC 5545 section 3.3.10 that maintenance needs, on whole days.
 * FREQ=DAILY|WEEKLY|MONTHLY|YEARLY with INTERVAL, COUNT or UNTIL, BYMONTH, BYMONTHDAY, BYDAY (with
 * a number in monthly and yearly rules) and WKST. Parts that name hours, week numbers, days of the
 * year or positions in the set are refused by name. Pure: days are counted from 1970-01-01 and have
 * no zone; app/base/clock.h turns them into local midnights. */
#ifndef APP_PLANNER_RRULE_H
#define APP_PLANNER_RRULE_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rrule_freq { RRULE_DAILY, RRULE_WEEKLY, RRULE_MONTHLY, RRULE_YEARLY };
enum { RRULE_MAX_BY = 62, RRULE_MAX_INTERVAL = 1000, RRULE_MAX_COUNT = 100000 };

struct rrule {
    enum rrule_freq freq;
    int interval;                /* 1..RRULE_MAX_INTERVAL */
    int count;                   /* 0 = without end */
    int64_t until_day;           /* last day that may occur; INT64_MAX = without end */
    unsigned months;             /* bit 1 January ... bit 12 December; 0 = all */
    int monthdays[RRULE_MAX_BY]; /* 1..31, -31..-1 from the end */
    size_t n_monthdays;
    struct {
        int weekday; /* 0 Sunday ... 6 Saturday */
        int nth;     /* 0 = each; 1..53, -53..-1 from the end, of the month or the year */
    } days[RRULE_MAX_BY];
    size_t n_days;
    int week_start; /* 0 Sunday ... 6; Monday when not given */
};

/* Reads "FREQ=MONTHLY;BYDAY=1MO", with or without "RRULE:" before it. A time of day in UNTIL is
 * left out. FT_INVALID names the part and what was expected. */
enum ft_status rrule_parse(const char *text, struct rrule *out, struct ft_err *err);

/* Days of the rule that begins on start, within [from, until), ascending, at most max of them;
 * returns how many. As in the RFC, start itself is counted only when it fits the rule, and a day
 * that a month does not have is left out. */
size_t rrule_days(const struct rrule *r, int64_t start, int64_t from, int64_t until, int64_t *out,
                  size_t max);

/* The next day after day that floats from it, as "two months after the last time": parts that are
 * not given come from day, and a day that a month does not have is its last. INT64_MAX = none
 * within 100 years. COUNT means nothing here. */
int64_t rrule_next_floating(const struct rrule *r, int64_t day);

/* About how many days lie between two: for tolerances and costs. */
double rrule_nominal_days(const struct rrule *r);

/* "every 2 weeks on Mon, Thu", for people. Returns out. */
const char *rrule_describe(const struct rrule *r, char *out, size_t size);

#endif
