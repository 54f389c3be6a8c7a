/* Walks local days, so clock changes are the zone database's matter (app/base/clock.h). */
#include "app/cron.h"

#include "app/base/clock.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { MAX_DAYS = 8 * 366 };

struct cron_field {
    const char *name;
    int min, max;
    const char *const *words; /* names of values from min on; NULL = none */
};

static const char *const month_words[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL",
                                          "AUG", "SEP", "OCT", "NOV", "DEC", NULL};
static const char *const day_words[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", NULL};
static const struct cron_field fields[] = {{"minute", 0, 59, NULL},
                                           {"hour", 0, 23, NULL},
                                           {"day of month", 1, 31, NULL},
                                           {"month", 1, 12, month_words},
                                           {"day of week", 0, 7, day_words}};
enum { N_FIELDS = sizeof(fields) / sizeof(fields[0]) };

/* A number or a name at *p; -1 when there is none. */
static int take_value(const char **p, const struct cron_field *f)
{
    int v = 0;
    if (isdigit((unsigned char)**p)) {
        for (; isdigit((unsigned char)**p) && v < 1000; (*p)++)
            v = v * 10 + (**p - '0');
        return v;
    }
    for (int i = 0; f->words != NULL && f->words[i] != NULL; i++) {
        size_t k = 0;
        while (k < 3 && toupper((unsigned char)(*p)[k]) == f->words[i][k])
            k++;
        if (k == 3) {
            *p += 3;
            return f->min + i;
        }
    }
    return -1;
}

/* One item of a list: star, value or range, with an optional step. */
static bool take_item(const char **p, const struct cron_field *f, uint64_t *bits)
{
    int from = f->min;
    int to = f->max;
    int step = 1;
    bool is_open = true; /* star or range: a step makes sense */
    if (**p == '*') {
        (*p)++;
    } else {
        from = to = take_value(p, f);
        is_open = false;
        if (**p == '-') {
            (*p)++;
            to = take_value(p, f);
            is_open = true;
        }
    }
    if (from < 0 || from < f->min || to > f->max || from > to)
        return false;
    if (**p == '/') {
        (*p)++;
        if (!isdigit((unsigned char)**p))
            return false;
        step = take_value(p, f);
        if (step < 1 || step > f->max)
            return false;
        if (!is_open)
            to = f->max; /* "5/15" starts at 5 */
    }
    for (int v = from; v <= to; v += step)
        *bits |= UINT64_C(1) << v;
    return true;
}

static bool take_field(const char **p, const struct cron_field *f, uint64_t *bits)
{
    *bits = 0;
    if (!take_item(p, f, bits))
        return false;
    while (**p == ',') {
        (*p)++;
        if (!take_item(p, f, bits))
            return false;
    }
    return **p == '\0' || isblank((unsigned char)**p);
}

enum ft_status cron_parse(const char *text, struct cron *out, struct ft_err *err)
{
    uint64_t bits[N_FIELDS];
    bool is_star[N_FIELDS];
    const char *p = text;
    for (size_t i = 0; i < N_FIELDS; i++) {
        while (isblank((unsigned char)*p))
            p++;
        is_star[i] = p[0] == '*' && (p[1] == '\0' || isblank((unsigned char)p[1]));
        if (!take_field(&p, &fields[i], &bits[i]))
            return ft_fail(err, FT_INVALID,
                           "cron expression \"%.80s\": %s, expected *, a number %d-%d, a range, a "
                           "step or a list",
                           text, fields[i].name, fields[i].min, fields[i].max);
    }
    while (isblank((unsigned char)*p))
        p++;
    if (*p != '\0')
        return ft_fail(err, FT_INVALID, "cron expression \"%.80s\": more than five fields", text);
    *out = (struct cron){.minutes = bits[0],
                         .hours = (uint32_t)bits[1],
                         .days = (uint32_t)bits[2],
                         .months = (uint32_t)bits[3],
                         .weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7f),
                         .is_any_day = is_star[2],
                         .is_any_weekday = is_star[4]};
    return FT_OK;
}

static bool is_due_day(const struct cron *c, const struct clock_local *t)
{
    const bool day = c->days >> t->day & 1U;
    const bool weekday = c->weekdays >> t->weekday & 1U;
    if (!(c->months >> t->month & 1U))
        return false;
    if (c->is_any_day || c->is_any_weekday)
        return day && weekday; /* the unlimited one is true every day */
    return day || weekday;
}

/* Instant of a local time; a time that the clock change skips becomes the first instant after the
 * gap. clock_from_local() moves it on by the length of the gap, so the gap's end is the clock time
 * moved back by what lies beyond it. */
static int64_t due_instant(const struct clock_local *day, int hour, int minute)
{
    const int64_t ts = clock_from_local(day->year, day->month, day->day, hour, minute, 0);
    const struct clock_local got = clock_to_local(ts);
    if (got.hour == hour && got.minute == minute)
        return ts;
    const int64_t moved_ms =
        ((int64_t)(got.hour - hour) * 60 + (got.minute - minute)) * MS_PER_MINUTE;
    int64_t low = ts - moved_ms; /* before the change */
    int64_t high = ts;           /* after it */
    const int before = clock_to_local(low).offset_s;
    if (moved_ms <= 0 || before == got.offset_s)
        return ts;
    while (high - low > MS_PER_MINUTE) {
        const int64_t mid = low + (high - low) / 2 / MS_PER_MINUTE * MS_PER_MINUTE;
        if (clock_to_local(mid).offset_s == before)
            low = mid;
        else
            high = mid;
    }
    return high;
}

/* The first due instant of a local day in (after, before), or the last one when want_last;
 * INT64_MAX (INT64_MIN) when there is none. */
static int64_t due_in_day(const struct cron *c, const struct clock_local *day, int64_t after_ms,
                          int64_t before_ms, bool want_last)
{
    int64_t best = want_last ? INT64_MIN : INT64_MAX;
    for (int hour = 0; hour < 24; hour++) {
        if (!(c->hours >> hour & 1U))
            continue;
        for (int minute = 0; minute < 60; minute++) {
            if (!(c->minutes >> minute & 1U))
                continue;
            const int64_t ts = due_instant(day, hour, minute);
            if (ts <= after_ms || ts >= before_ms)
                continue;
            if (want_last ? ts > best : ts < best)
                best = ts;
        }
    }
    return best;
}

int64_t cron_next(const struct cron *c, int64_t after_ms)
{
    int64_t midnight = clock_local_midnight(after_ms);
    for (int i = 0; i < MAX_DAYS; i++) {
        const struct clock_local day = clock_to_local(midnight);
        if (is_due_day(c, &day)) {
            const int64_t due = due_in_day(c, &day, after_ms, INT64_MAX, false);
            if (due != INT64_MAX)
                return due;
        }
        midnight = clock_local_add_days(midnight, 1);
    }
    return INT64_MAX;
}

int64_t cron_previous(const struct cron *c, int64_t at_ms)
{
    int64_t midnight = clock_local_midnight(at_ms);
    for (int i = 0; i < MAX_DAYS; i++) {
        const struct clock_local day = clock_to_local(midnight);
        if (is_due_day(c, &day)) {
            const int64_t due = due_in_day(c, &day, INT64_MIN, at_ms + 1, true);
            if (due != INT64_MIN)
                return due;
        }
        midnight = clock_local_add_days(midnight, -1);
    }
    return INT64_MIN;
}

bool cron_is_missed(const struct cron *c, int64_t last_run_ms, int64_t now_ms, int64_t grace_ms)
{
    const int64_t due = cron_previous(c, now_ms);
    return due != INT64_MIN && now_ms - due > grace_ms && last_run_ms < due;
}
