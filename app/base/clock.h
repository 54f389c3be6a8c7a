/* Instants, durations and the site's time zone. Instants are int64_t Unix milliseconds UTC inside
 * the program and RFC 3339 at its edges. The zone is the process's own (libc's database): it is set
 * once in main before threads start. */
#ifndef APP_BASE_CLOCK_H
#define APP_BASE_CLOCK_H

#include "app/base/status.h"

#include <stddef.h>
#include <stdint.h>

#define CLOCK_TEXT_SIZE 40
#define MS_PER_SECOND INT64_C(1000)
#define MS_PER_MINUTE INT64_C(60000)
#define MS_PER_HOUR INT64_C(3600000)
#define MS_PER_DAY INT64_C(86400000)

/* Wall clock now. FETTLE_NOW (RFC 3339) in the environment freezes it, for tests and screenshots.
 */
int64_t clock_now_ms(void);

/* Monotonic seconds for measuring durations; the zero point has no meaning. */
double clock_mono_s(void);

/* Sets the process's time zone by its IANA name ("Europe/Berlin", "UTC"). Not thread-safe: call it
 * in main. FT_INVALID when the system has no such zone. */
enum ft_status clock_set_zone(const char *name, struct ft_err *err);

/* "2026-11-21T06:42:00Z"; milliseconds are shown only when they are not zero. */
void clock_format_utc(int64_t ts_ms, char out[CLOCK_TEXT_SIZE]);
/* "2026-11-21" in the site's zone. */
void clock_format_local_date(int64_t ts_ms, char out[CLOCK_TEXT_SIZE]);
/* "2026-11-21 06:42" in the site's zone. */
void clock_format_local(int64_t ts_ms, char out[CLOCK_TEXT_SIZE]);

/* Reads an instant: RFC 3339 / ISO 8601 ("2026-11-21", "2026-11-21T06:42:00.5+01:00", a blank for
 * the T, seconds optional), taken in the site's zone when it carries no offset; or a Unix epoch in
 * s, ms, us or ns, told apart by its size. len bytes, no NUL needed. FT_INVALID says what was
 * expected. A local time that a clock change skips is moved forward; one that occurs twice is the
 * first of the two. */
enum ft_status clock_parse(const char *text, size_t len, int64_t *ts_ms, struct ft_err *err);

/* Reads a duration with its unit: "90s", "15m", "24h", "30d", "2w", "500ms"; > 0. */
enum ft_status clock_parse_duration(const char *text, int64_t *dur_ms, struct ft_err *err);

/* Local midnight at or before the instant, and local midnight some days later (DST-safe). */
int64_t clock_local_midnight(int64_t ts_ms);
int64_t clock_local_add_days(int64_t midnight_ms, int n_days);

/* Broken-down local time of an instant. */
struct clock_local {
    int year, month, day; /* month 1..12 */
    int hour, minute, second;
    int weekday;  /* 0 = Sunday */
    int iso_week; /* 1..53 */
    int offset_s; /* seconds east of UTC */
};
struct clock_local clock_to_local(int64_t ts_ms);
/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, and back; days in a month.
 */
int64_t clock_days_from_civil(int y, int m, int d);
void clock_civil_from_days(int64_t day, int *y, int *m, int *d);
int clock_days_in_month(int y, int m);
/* The local date of an instant as such a day, and the local midnight that begins a day. */
int64_t clock_local_day(int64_t ts_ms);
int64_t clock_day_midnight(int64_t day);

int64_t clock_from_local(int year, int month, int day, int hour, int minute, int second);

#endif
