#include "app/base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t clock_now_ms(void)
{
    const char *frozen = getenv("FETTLE_NOW");
    int64_t ts_ms;
    if (frozen != NULL && clock_parse(frozen, strlen(frozen), &ts_ms, NULL) == FT_OK)
        return ts_ms;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

double clock_mono_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

enum ft_status clock_set_zone(const char *name, struct ft_err *err)
{
    char path[256];
    if (strstr(name, "..") != NULL || name[0] == '/' || name[0] == '\0')
        return ft_fail(err, FT_INVALID, "time zone '%s': expected a name such as Europe/Berlin",
                       name);
    snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
    if (strcmp(name, "UTC") != 0 && access(path, R_OK) != 0)
        return ft_fail(err, FT_INVALID,
                       "time zone '%s' is unknown here: expected a name such as Europe/Berlin "
                       "(is the package tzdata installed?)",
                       name);
    if (setenv("TZ", name, 1) != 0)
        return ft_fail(err, FT_NOMEM, "no memory for the time zone");
    tzset();
    return FT_OK;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

void clock_format_utc(int64_t ts_ms, char out[CLOCK_TEXT_SIZE])
{
    const time_t s = (time_t)floor_div(ts_ms, 1000);
    const int ms = (int)((ts_ms % 1000 + 1000) % 1000);
    struct tm tm;
    if (gmtime_r(&s, &tm) == NULL || tm.tm_year > 9999 - 1900 || tm.tm_year < -1900) {
        snprintf(out, CLOCK_TEXT_SIZE, "%lld", (long long)ts_ms);
        return;
    }
    const int n = snprintf(out, CLOCK_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d",
                           (tm.tm_year + 1900) % 10000, (tm.tm_mon + 1) % 100, tm.tm_mday % 100,
                           tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
    if (ms != 0)
        snprintf(out + n, CLOCK_TEXT_SIZE - (size_t)n, ".%03dZ", ms);
    else
        snprintf(out + n, CLOCK_TEXT_SIZE - (size_t)n, "Z");
}

static void format_local(int64_t ts_ms, const char *fmt, char *out)
{
    const time_t s = (time_t)floor_div(ts_ms, 1000);
    struct tm tm;
    if (localtime_r(&s, &tm) == NULL || strftime(out, CLOCK_TEXT_SIZE, fmt, &tm) == 0)
        snprintf(out, CLOCK_TEXT_SIZE, "%lld", (long long)ts_ms);
}

void clock_format_local_date(int64_t ts_ms, char out[CLOCK_TEXT_SIZE])
{
    format_local(ts_ms, "%Y-%m-%d", out);
}

void clock_format_local(int64_t ts_ms, char out[CLOCK_TEXT_SIZE])
{
    format_local(ts_ms, "%Y-%m-%d %H:%M", out);
}

struct clock_local clock_to_local(int64_t ts_ms)
{
    const time_t s = (time_t)floor_div(ts_ms, 1000);
    struct tm tm;
    char week[8];
    localtime_r(&s, &tm);
    strftime(week, sizeof(week), "%V", &tm);
    return (struct clock_local){.year = tm.tm_year + 1900,
                                .month = tm.tm_mon + 1,
                                .day = tm.tm_mday,
                                .hour = tm.tm_hour,
                                .minute = tm.tm_min,
                                .second = tm.tm_sec,
                                .weekday = tm.tm_wday,
                                .iso_week = (int)strtol(week, NULL, 10),
                                .offset_s = (int)tm.tm_gmtoff};
}

/* Days since 1970-01-01 of a proleptic Gregorian date (Hinnant, "chrono-compatible low-level date
 * algorithms"): March-based years make the leap day the last one. */
int64_t clock_days_from_civil(int y, int m, int d)
{
    y -= m <= 2;
    const int64_t era = (y >= 0 ? y : y - 399) / 400;
    const int64_t yoe = y - era * 400;
    const int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    const int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

void clock_civil_from_days(int64_t day, int *y, int *m, int *d)
{
    const int64_t z = day + 719468;
    const int64_t era = floor_div(z, 146097);
    const int64_t doe = z - era * 146097;
    const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const int64_t mp = (5 * doy + 2) / 153;
    *d = (int)(doy - (153 * mp + 2) / 5 + 1);
    *m = (int)(mp < 10 ? mp + 3 : mp - 9);
    *y = (int)(yoe + era * 400 + (*m <= 2));
}

int64_t clock_local_day(int64_t ts_ms)
{
    const struct clock_local t = clock_to_local(ts_ms);
    return clock_days_from_civil(t.year, t.month, t.day);
}

int64_t clock_day_midnight(int64_t day)
{
    int y;
    int m;
    int d;
    clock_civil_from_days(day, &y, &m, &d);
    return clock_from_local(y, m, d, 0, 0, 0);
}

/* Seconds that local time is ahead of UTC at an instant. */
static int64_t offset_at(int64_t utc_s)
{
    const time_t t = (time_t)utc_s;
    struct tm tm;
    return localtime_r(&t, &tm) != NULL ? tm.tm_gmtoff : 0;
}

/* mktime() is not used: for a local time that occurs twice its answer depends on the calls before.
 * The offsets a day earlier and a day later are the only candidates, for clock changes are further
 * apart than that. */
int64_t clock_from_local(int year, int month, int day, int hour, int minute, int second)
{
    const int64_t months = (int64_t)year * 12 + month - 1;
    const int64_t y = floor_div(months, 12);
    const int64_t local_s = clock_days_from_civil((int)y, (int)(months - y * 12) + 1, day) * 86400 +
                            (int64_t)hour * 3600 + (int64_t)minute * 60 + second;
    const int64_t before_s = local_s - offset_at(local_s - 86400);
    const int64_t after_s = local_s - offset_at(local_s + 86400);
    if (before_s == after_s || before_s + offset_at(before_s) == local_s)
        return before_s * 1000; /* no change near, or the first of two */
    if (after_s + offset_at(after_s) == local_s)
        return after_s * 1000;
    return before_s * 1000; /* skipped: as if the clock had not changed yet, which moves it on */
}

int64_t clock_local_midnight(int64_t ts_ms)
{
    const struct clock_local t = clock_to_local(ts_ms);
    return clock_from_local(t.year, t.month, t.day, 0, 0, 0);
}

int64_t clock_local_add_days(int64_t midnight_ms, int n_days)
{
    const struct clock_local t = clock_to_local(midnight_ms);
    return clock_from_local(t.year, t.month, t.day + n_days, 0, 0, 0);
}

struct cursor {
    const char *p, *end;
};

/* Reads exactly n digits; -1 when there are fewer. */
static int take_digits(struct cursor *c, int n)
{
    int v = 0;
    for (int i = 0; i < n; i++, c->p++) {
        if (c->p >= c->end || *c->p < '0' || *c->p > '9')
            return -1;
        v = v * 10 + (*c->p - '0');
    }
    return v;
}

static int take_char(struct cursor *c, char want)
{
    if (c->p < c->end && *c->p == want) {
        c->p++;
        return 1;
    }
    return 0;
}

/* ".123456" after the seconds -> milliseconds; further digits are cut. -1 when no digit follows. */
static int take_fraction_ms(struct cursor *c)
{
    if (!take_char(c, '.') && !take_char(c, ','))
        return 0;
    int ms = 0;
    int n = 0;
    for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++, n++)
        if (n < 3)
            ms = ms * 10 + (*c->p - '0');
    if (n == 0)
        return -1;
    for (; n < 3; n++)
        ms *= 10;
    return ms;
}

/* "Z", "+01:00", "-0530"; 1 when an offset was read, 0 when there is none, -1 when it is wrong. */
static int take_offset(struct cursor *c, int *offset_s)
{
    if (take_char(c, 'Z') || take_char(c, 'z')) {
        *offset_s = 0;
        return 1;
    }
    const int sign = take_char(c, '+') ? 1 : take_char(c, '-') ? -1 : 0;
    if (sign == 0)
        return 0;
    const int h = take_digits(c, 2);
    const int has_colon = take_char(c, ':');
    const int m = has_colon || c->p < c->end ? take_digits(c, 2) : 0;
    if (h < 0 || h > 23 || m < 0 || m > 59)
        return -1;
    *offset_s = sign * (h * 3600 + m * 60);
    return 1;
}

int clock_days_in_month(int y, int m)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[m - 1] + (m == 2 && (y % 4 == 0 && (y % 100 != 0 || y % 400 == 0)));
}

/* Reads the ISO form; 0 when the text is not one. */
static int parse_iso(struct cursor c, int64_t *ts_ms)
{
    const int y = take_digits(&c, 4);
    const char mark = c.p < c.end && *c.p == '/' ? '/' : '-';
    const int dashed = take_char(&c, mark);
    const int mo = take_digits(&c, 2);
    if (dashed && !take_char(&c, mark))
        return 0;
    const int d = take_digits(&c, 2);
    int h = 0;
    int mi = 0;
    int s = 0;
    int ms = 0;
    int offset_s = 0;
    int has_offset = 0;
    if (!dashed || y < 0 || mo < 1 || mo > 12 || d < 1 || d > clock_days_in_month(y, mo))
        return 0;
    if (c.p < c.end) {
        if (!take_char(&c, 'T') && !take_char(&c, 't') && !take_char(&c, ' '))
            return 0;
        h = take_digits(&c, 2);
        if (!take_char(&c, ':'))
            return 0;
        mi = take_digits(&c, 2);
        if (take_char(&c, ':')) {
            s = take_digits(&c, 2);
            ms = take_fraction_ms(&c);
        }
        take_char(&c, ' ');
        has_offset = take_offset(&c, &offset_s);
    }
    const int is_end_of_day = h == 24 && mi == 0 && s == 0 && ms == 0;
    if (c.p != c.end || has_offset < 0 || (h > 23 && !is_end_of_day) || h < 0 || mi < 0 ||
        mi > 59 || s < 0 || s > 60 || ms < 0)
        return 0;
    if (has_offset)
        *ts_ms =
            (clock_days_from_civil(y, mo, d) * 86400 + h * 3600 + mi * 60 + s - offset_s) * 1000 +
            ms;
    else
        *ts_ms = clock_from_local(y, mo, d, h, mi, s) + ms;
    return 1;
}

/* Reads a Unix epoch; seconds may carry a fraction. Sizes: s below 1e11, ms below 1e14, us below
 * 1e17, then ns, which covers the years 1973 to 5138 without overlap. */
static int parse_epoch(struct cursor c, int64_t *ts_ms)
{
    const int negative = take_char(&c, '-');
    int64_t v = 0;
    int n = 0;
    for (; c.p < c.end && isdigit((unsigned char)*c.p); c.p++, n++) {
        if (n >= 18 && v > (INT64_MAX - 9) / 10)
            return 0;
        v = v * 10 + (*c.p - '0');
    }
    const int ms = take_fraction_ms(&c);
    if (n == 0 || c.p != c.end || ms < 0)
        return 0;
    if (v < INT64_C(100000000000))
        v = v * 1000 + ms;
    else if (v < INT64_C(100000000000000))
        v += 0;
    else if (v < INT64_C(100000000000000000))
        v /= 1000;
    else
        v /= 1000000;
    *ts_ms = negative ? -v : v;
    return 1;
}

enum ft_status clock_parse(const char *text, size_t len, int64_t *ts_ms, struct ft_err *err)
{
    struct cursor c = {text, text + len};
    while (c.p < c.end && isspace((unsigned char)*c.p))
        c.p++;
    while (c.end > c.p && isspace((unsigned char)c.end[-1]))
        c.end--;
    if (parse_iso(c, ts_ms) || parse_epoch(c, ts_ms))
        return FT_OK;
    return ft_fail(
        err, FT_INVALID,
        "'%.*s' is not a time: expected 2026-11-21T06:42:00Z, 2026-11-21 06:42 or a Unix "
        "epoch",
        (int)(len < 60 ? len : 60), text);
}

enum ft_status clock_parse_duration(const char *text, int64_t *dur_ms, struct ft_err *err)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {
        {"ms", 1},          {"s", MS_PER_SECOND}, {"m", MS_PER_MINUTE}, {"min", MS_PER_MINUTE},
        {"h", MS_PER_HOUR}, {"d", MS_PER_DAY},    {"w", 7 * MS_PER_DAY}};
    char *unit = NULL;
    const double v = isdigit((unsigned char)text[0]) ? strtod(text, &unit) : 0;
    for (size_t i = 0; unit != NULL && i < sizeof(units) / sizeof(units[0]); i++) {
        const double ms = v * (double)units[i].ms;
        if (strcmp(unit, units[i].unit) == 0 && ms >= 1 && ms < 1e15) {
            *dur_ms = (int64_t)ms;
            return FT_OK;
        }
    }
    return ft_fail(err, FT_INVALID,
                   "'%.60s' is not a duration: expected a number and a unit such as 24h or 30d",
                   text);
}
