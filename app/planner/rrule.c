/* Each period of the rule (day, week, month, year) is walked day by day and every day is asked
 * whether it fits: at most 366 questions for a year, no table to go wrong. */
#include "app/planner/rrule.h"

#include "app/base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const weekday_codes[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
#define DAYS_100_YEARS 36525
#define DAYS_PER_MONTH 30.436875
#define DAYS_PER_YEAR 365.2425

/* --- parsing ---------------------------------------------------------------------------------- */

struct part {
    const char *name, *value;
    size_t name_len, value_len;
};

static bool is_named(const struct part *p, const char *name)
{
    return strlen(name) == p->name_len && strncmp(p->name, name, p->name_len) == 0;
}

static enum ft_status refuse(const struct part *p, const char *expected, struct ft_err *err)
{
    return ft_fail(err, FT_INVALID, "RRULE %.*s=%.*s: expected %s", (int)p->name_len, p->name,
                   (int)(p->value_len < 40 ? p->value_len : 40), p->value, expected);
}

/* A whole number of at most five digits at *at, moved behind it; false when there is none. */
static bool take_int(const char **at, const char *end, int *out)
{
    const char *p = *at;
    const int sign = p < end && *p == '-' ? -1 : 1;
    int v = 0;
    int n = 0;
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (; p < end && *p >= '0' && *p <= '9' && n < 6; p++, n++)
        v = 10 * v + (*p - '0');
    if (n == 0 || n > 6 || (p < end && *p >= '0' && *p <= '9'))
        return false;
    *out = sign * v;
    *at = p;
    return true;
}

static enum ft_status parse_one_int(const struct part *p, int min, int max, int *out,
                                    struct ft_err *err)
{
    char expected[60];
    const char *at = p->value;
    const char *end = p->value + p->value_len;
    if (take_int(&at, end, out) && at == end && *out >= min && *out <= max)
        return FT_OK;
    snprintf(expected, sizeof(expected), "a whole number from %d to %d", min, max);
    return refuse(p, expected, err);
}

static int find_weekday(const char *p, const char *end)
{
    if (end - p >= 2)
        for (int i = 0; i < 7; i++)
            if (strncmp(p, weekday_codes[i], 2) == 0)
                return i;
    return -1;
}

static enum ft_status parse_freq(const struct part *p, struct rrule *r, struct ft_err *err)
{
    static const char *const names[] = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
    for (int i = 0; i < 4; i++)
        if (strlen(names[i]) == p->value_len && strncmp(p->value, names[i], p->value_len) == 0) {
            r->freq = (enum rrule_freq)i;
            return FT_OK;
        }
    return refuse(p, "DAILY, WEEKLY, MONTHLY or YEARLY", err);
}

static enum ft_status parse_until(const struct part *p, struct rrule *r, struct ft_err *err)
{
    int digits = 0;
    while ((size_t)digits < p->value_len && p->value[digits] >= '0' && p->value[digits] <= '9')
        digits++;
    const bool has_time = p->value_len > 8 && p->value[8] == 'T';
    if (digits != 8 || !(p->value_len == 8 || (has_time && p->value_len <= 16)))
        return refuse(p, "a date such as 20301231", err);
    char text[9];
    snprintf(text, sizeof(text), "%.8s", p->value);
    const long v = strtol(text, NULL, 10);
    const int y = (int)(v / 10000);
    const int m = (int)(v / 100 % 100);
    const int d = (int)(v % 100);
    if (y < 1 || m < 1 || m > 12 || d < 1 || d > clock_days_in_month(y, m))
        return refuse(p, "a date such as 20301231", err);
    r->until_day = clock_days_from_civil(y, m, d);
    return FT_OK;
}

static enum ft_status parse_ints(const struct part *p, int max, bool may_be_negative, int *out,
                                 size_t *n, struct ft_err *err)
{
    const char *at = p->value;
    const char *end = p->value + p->value_len;
    for (*n = 0; *n < RRULE_MAX_BY;) {
        int v;
        if (!take_int(&at, end, &v) || v == 0 || v > max || v < (may_be_negative ? -max : 1))
            break;
        out[(*n)++] = v;
        if (at == end)
            return FT_OK;
        if (*at++ != ',')
            break;
    }
    return refuse(p, may_be_negative ? "days from 1 to 31 or -31 to -1" : "months from 1 to 12",
                  err);
}

static enum ft_status parse_months(const struct part *p, struct rrule *r, struct ft_err *err)
{
    int months[RRULE_MAX_BY];
    size_t n;
    const enum ft_status st = parse_ints(p, 12, false, months, &n, err);
    for (size_t i = 0; st == FT_OK && i < n; i++)
        r->months |= 1U << months[i];
    return st;
}

static enum ft_status parse_days(const struct part *p, struct rrule *r, struct ft_err *err)
{
    const char *at = p->value;
    const char *end = p->value + p->value_len;
    while (r->n_days < RRULE_MAX_BY) {
        int nth = 0;
        if (at < end && *at != '\0' && strchr("+-0123456789", *at) != NULL &&
            (!take_int(&at, end, &nth) || nth == 0 || nth > 53 || nth < -53))
            break;
        const int weekday = find_weekday(at, end);
        if (weekday < 0)
            break;
        r->days[r->n_days].weekday = weekday;
        r->days[r->n_days++].nth = nth;
        at += 2;
        if (at == end)
            return FT_OK;
        if (*at++ != ',')
            break;
    }
    return refuse(p, "weekdays such as MO,WE or 1MO or -1FR", err);
}

static enum ft_status parse_part(const struct part *p, struct rrule *r, struct ft_err *err)
{
    if (is_named(p, "FREQ"))
        return parse_freq(p, r, err);
    if (is_named(p, "INTERVAL"))
        return parse_one_int(p, 1, RRULE_MAX_INTERVAL, &r->interval, err);
    if (is_named(p, "COUNT"))
        return parse_one_int(p, 1, RRULE_MAX_COUNT, &r->count, err);
    if (is_named(p, "UNTIL"))
        return parse_until(p, r, err);
    if (is_named(p, "BYMONTH"))
        return parse_months(p, r, err);
    if (is_named(p, "BYMONTHDAY"))
        return parse_ints(p, 31, true, r->monthdays, &r->n_monthdays, err);
    if (is_named(p, "BYDAY"))
        return parse_days(p, r, err);
    if (is_named(p, "WKST")) {
        r->week_start = p->value_len == 2 ? find_weekday(p->value, p->value + 2) : -1;
        return r->week_start >= 0 ? FT_OK : refuse(p, "a weekday such as MO", err);
    }
    return ft_fail(err, FT_INVALID,
                   "RRULE part %.*s is not supported: expected FREQ, INTERVAL, COUNT, UNTIL, "
                   "BYMONTH, BYMONTHDAY, BYDAY or WKST",
                   (int)(p->name_len < 30 ? p->name_len : 30), p->name);
}

/* What the RFC forbids between parts. */
static enum ft_status check_parts(const struct rrule *r, struct ft_err *err)
{
    bool has_nth = false;
    for (size_t i = 0; i < r->n_days; i++)
        has_nth = has_nth || r->days[i].nth != 0;
    if (r->count > 0 && r->until_day != INT64_MAX)
        return ft_fail(err, FT_INVALID, "RRULE: COUNT and UNTIL exclude each other");
    if (has_nth && r->freq < RRULE_MONTHLY)
        return ft_fail(err, FT_INVALID,
                       "RRULE BYDAY: a number before the weekday needs a monthly or yearly rule");
    if (r->n_monthdays > 0 && r->freq == RRULE_WEEKLY)
        return ft_fail(err, FT_INVALID, "RRULE BYMONTHDAY: not in a weekly rule");
    return FT_OK;
}

enum ft_status rrule_parse(const char *text, struct rrule *out, struct ft_err *err)
{
    unsigned seen = 0;
    static const char *const names[] = {"FREQ",    "INTERVAL",   "COUNT", "UNTIL",
                                        "BYMONTH", "BYMONTHDAY", "BYDAY", "WKST"};
    *out = (struct rrule){.interval = 1, .until_day = INT64_MAX, .week_start = 1};
    if (strncmp(text, "RRULE:", 6) == 0)
        text += 6;
    for (const char *p = text; *p != '\0';) {
        const size_t len = strcspn(p, ";");
        const char *equals = memchr(p, '=', len);
        if (equals == NULL)
            return ft_fail(err, FT_INVALID,
                           "RRULE '%.60s': expected NAME=value parts with ; between", text);
        const struct part part = {p, equals + 1, (size_t)(equals - p),
                                  len - (size_t)(equals - p) - 1};
        for (unsigned i = 0; i < 8; i++)
            if (is_named(&part, names[i])) {
                if ((seen & 1U << i) != 0)
                    return ft_fail(err, FT_INVALID, "RRULE %s: given twice", names[i]);
                seen |= 1U << i;
            }
        const enum ft_status st = parse_part(&part, out, err);
        if (st != FT_OK)
            return st;
        p += len;
        if (*p == ';' && *++p == '\0')
            return ft_fail(err, FT_INVALID, "RRULE '%.60s': ends with ;", text);
    }
    if ((seen & 1U) == 0)
        return ft_fail(err, FT_INVALID,
                       "RRULE '%.60s': expected FREQ=DAILY, WEEKLY, MONTHLY or YEARLY", text);
    return check_parts(out, err);
}

/* --- occurrences ------------------------------------------------------------------------------ */

/* A rule with what the start day adds to it (RFC 5545: parts not given come from DTSTART). */
struct pattern {
    struct rrule r;
    int64_t start;
    int start_year, start_month; /* of the first period */
};

/* 1970-01-01 was a Thursday. */
static int weekday_of(int64_t day)
{
    return (int)(((day + 4) % 7 + 7) % 7);
}

static struct pattern pattern_of(const struct rrule *r, int64_t start)
{
    struct pattern p = {.r = *r, .start = start};
    int d;
    clock_civil_from_days(start, &p.start_year, &p.start_month, &d);
    const bool has_day = r->n_days > 0 || r->n_monthdays > 0;
    if (!has_day && r->freq == RRULE_WEEKLY) {
        p.r.days[0].weekday = weekday_of(start);
        p.r.days[0].nth = 0;
        p.r.n_days = 1;
    }
    if (!has_day && r->freq >= RRULE_MONTHLY) {
        p.r.monthdays[0] = d;
        p.r.n_monthdays = 1;
    }
    if (!has_day && r->freq == RRULE_YEARLY && r->months == 0)
        p.r.months = 1U << p.start_month;
    return p;
}

/* First and behind-the-last day of the k-th period. */
static void period_of(const struct pattern *p, int64_t k, int64_t *begin, int64_t *end)
{
    const int64_t n = k * p->r.interval;
    if (p->r.freq == RRULE_DAILY) {
        *begin = p->start + n;
        *end = *begin + 1;
    } else if (p->r.freq == RRULE_WEEKLY) {
        const int back = (weekday_of(p->start) - p->r.week_start + 7) % 7;
        *begin = p->start - back + 7 * n;
        *end = *begin + 7;
    } else {
        const int64_t months = p->r.freq == RRULE_YEARLY
                                   ? 12 * (p->start_year + n)
                                   : 12 * (int64_t)p->start_year + p->start_month - 1 + n;
        const int64_t after = months + (p->r.freq == RRULE_YEARLY ? 12 : 1);
        *begin = clock_days_from_civil((int)(months / 12), (int)(months % 12) + 1, 1);
        *end = clock_days_from_civil((int)(after / 12), (int)(after % 12) + 1, 1);
    }
}

/* Is the day the nth of its weekday in its month, or in its year for a yearly rule without months?
 */
static bool is_nth(const struct rrule *r, int64_t day, int nth, int y, int m, int d)
{
    int64_t first = day - d + 1;
    int64_t last = first + clock_days_in_month(y, m) - 1;
    if (r->freq == RRULE_YEARLY && r->months == 0) {
        first = clock_days_from_civil(y, 1, 1);
        last = clock_days_from_civil(y, 12, 31);
    }
    return nth > 0 ? (day - first) / 7 + 1 == nth : (last - day) / 7 + 1 == -nth;
}

static bool fits(const struct rrule *r, int64_t day)
{
    int y;
    int m;
    int d;
    clock_civil_from_days(day, &y, &m, &d);
    if (r->months != 0 && (r->months & 1U << m) == 0)
        return false;
    bool is_fit = r->n_monthdays == 0;
    for (size_t i = 0; i < r->n_monthdays && !is_fit; i++) {
        const int want = r->monthdays[i];
        is_fit = want > 0 ? d == want : d == clock_days_in_month(y, m) + 1 + want;
    }
    if (!is_fit || r->n_days == 0)
        return is_fit;
    const int weekday = weekday_of(day);
    for (size_t i = 0; i < r->n_days; i++)
        if (r->days[i].weekday == weekday &&
            (r->days[i].nth == 0 || is_nth(r, day, r->days[i].nth, y, m, d)))
            return true;
    return false;
}

/* The last period that surely begins at or before the day: where to begin when nothing is counted.
 */
static int64_t first_period(const struct pattern *p, int64_t from)
{
    static const int most_days[] = {1, 7, 31, 366};
    if (p->r.count > 0 || from <= p->start)
        return 0;
    const int64_t k = (from - p->start) / ((int64_t)most_days[p->r.freq] * p->r.interval) - 1;
    return k > 0 ? k : 0;
}

size_t rrule_days(const struct rrule *r, int64_t start, int64_t from, int64_t until, int64_t *out,
                  size_t max)
{
    const struct pattern p = pattern_of(r, start);
    const int64_t stop = r->until_day < until - 1 ? r->until_day + 1 : until;
    size_t n = 0;
    int n_seen = 0;
    for (int64_t k = first_period(&p, from);; k++) {
        int64_t begin;
        int64_t end;
        period_of(&p, k, &begin, &end);
        if (begin >= stop)
            return n;
        for (int64_t day = begin > start ? begin : start; day < end && day < stop; day++) {
            if (!fits(&p.r, day))
                continue;
            if (n == max || (r->count > 0 && ++n_seen > r->count))
                return n;
            if (day >= from)
                out[n++] = day;
        }
    }
}

int64_t rrule_next_floating(const struct rrule *r, int64_t day)
{
    int64_t next;
    struct rrule endless = *r;
    const bool has_day = r->n_days > 0 || r->n_monthdays > 0 || r->months != 0;
    endless.count = 0;
    if (has_day || r->freq < RRULE_MONTHLY)
        return rrule_days(&endless, day, day + 1, day + DAYS_100_YEARS, &next, 1) == 1 ? next
                                                                                       : INT64_MAX;
    int y;
    int m;
    int d;
    clock_civil_from_days(day, &y, &m, &d);
    const int64_t months =
        12 * (int64_t)y + m - 1 + (int64_t)r->interval * (r->freq == RRULE_YEARLY ? 12 : 1);
    y = (int)(months / 12);
    m = (int)(months % 12) + 1;
    const int most = clock_days_in_month(y, m);
    next = clock_days_from_civil(y, m, d < most ? d : most);
    return next <= r->until_day ? next : INT64_MAX;
}

double rrule_nominal_days(const struct rrule *r)
{
    enum { SOME = 64 };
    static const double period[] = {1, 7, DAYS_PER_MONTH, DAYS_PER_YEAR};
    int64_t days[SOME];
    struct rrule endless = *r;
    endless.count = 0;
    endless.until_day = INT64_MAX;
    const size_t n = rrule_days(&endless, 0, 0, DAYS_100_YEARS, days, SOME);
    return n > 1 ? (double)(days[n - 1] - days[0]) / (double)(n - 1)
                 : period[r->freq] * r->interval;
}

/* --- words ------------------------------------------------------------------------------------ */

__attribute__((format(printf, 3, 4))) static void append(char *out, size_t size, const char *fmt,
                                                         ...)
{
    const size_t at = strlen(out);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(out + at, size - at, fmt, ap);
    va_end(ap);
}

static const char *ordinal_end(int n)
{
    if (n % 100 >= 11 && n % 100 <= 13)
        return "th";
    return n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
}

static void append_nth(char *out, size_t size, int nth)
{
    if (nth == -1)
        append(out, size, "last");
    else if (nth < 0)
        append(out, size, "%d%s last", -nth, ordinal_end(-nth));
    else if (nth > 0)
        append(out, size, "%d%s", nth, ordinal_end(nth));
}

const char *rrule_describe(const struct rrule *r, char *out, size_t size)
{
    static const char *const units[] = {"day", "week", "month", "year"};
    static const char *const weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    out[0] = '\0';
    if (r->interval == 1)
        append(out, size, "every %s", units[r->freq]);
    else
        append(out, size, "every %d %ss", r->interval, units[r->freq]);
    for (size_t i = 0; i < r->n_days; i++) {
        append(out, size, i == 0 ? " on " : ", ");
        append_nth(out, size, r->days[i].nth);
        append(out, size, "%s%s", r->days[i].nth != 0 ? " " : "", weekdays[r->days[i].weekday]);
    }
    for (size_t i = 0; i < r->n_monthdays; i++) {
        append(out, size, i == 0 ? " on the " : ", ");
        append_nth(out, size, r->monthdays[i]);
        if (r->monthdays[i] < 0)
            append(out, size, " day");
    }
    bool is_first = true;
    for (int m = 1; m <= 12; m++)
        if ((r->months & 1U << m) != 0) {
            append(out, size, "%s%s", is_first ? " in " : ", ", months[m - 1]);
            is_first = false;
        }
    return out;
}
