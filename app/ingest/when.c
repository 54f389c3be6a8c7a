#include "app/ingest/when.h"

#include "app/base/clock.h"
#include "app/ingest/limits.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { ZONE_UTC = 1, ZONE_SITE = 2, ZONE_CHANGES = 3 };

/* Two digits at p, or a number over 99. */
static inline unsigned two(const char *p)
{
    const unsigned a = (unsigned)(unsigned char)p[0] - '0';
    const unsigned b = (unsigned)(unsigned char)p[1] - '0';
    return a > 9 || b > 9 ? 1000 : a * 10 + b;
}

/* Midnight that begins the date at text[0..10), from the cache or from clock_parse(). false: not a
 * date, or a day on which the clock changes, so that midnight alone does not tell the instant. */
static bool find_midnight(struct when *w, const char *text, bool is_utc, int64_t *midnight_ms)
{
    const unsigned year = two(text) * 100 + two(text + 2);
    const unsigned month = two(text + 5);
    const unsigned day = two(text + 8);
    if (year > 9999 || month > 12 || day > 31 || text[4] != '-' || text[7] != '-')
        return false;
    const int32_t date = (int32_t)(year * 512 + month * 32 + day);
    const size_t at = ((size_t)date * 2 + is_utc) % WHEN_N_DAYS;
    if (w->days[at].date != date || (w->days[at].zone == ZONE_UTC) != is_utc) {
        char from[32];
        char to[32];
        int64_t end_ms = 0;
        int64_t start_ms = 0;
        snprintf(from, sizeof(from), "%.10s 00:00:00%s", text, is_utc ? "Z" : "");
        snprintf(to, sizeof(to), "%.10s 23:59:59%s", text, is_utc ? "Z" : "");
        if (clock_parse(from, strlen(from), &start_ms, NULL) != FT_OK ||
            clock_parse(to, strlen(to), &end_ms, NULL) != FT_OK)
            return false;
        w->days[at].date = date;
        w->days[at].midnight_ms = start_ms;
        w->days[at].zone = is_utc                                            ? ZONE_UTC
                           : end_ms - start_ms == MS_PER_DAY - MS_PER_SECOND ? ZONE_SITE
                                                                             : ZONE_CHANGES;
    }
    *midnight_ms = w->days[at].midnight_ms;
    return w->days[at].zone != ZONE_CHANGES;
}

/* "2026-11-21T06:42:00", with or without seconds and "Z"; everything else is left to clock_parse().
 */
static bool parse_fast(struct when *w, const char *text, size_t len, int64_t *ts_ms)
{
    const bool is_utc = text[len - 1] == 'Z';
    const size_t body = len - is_utc;
    if ((body != 19 && body != 16) || (text[10] != 'T' && text[10] != ' ') || text[13] != ':')
        return false;
    const unsigned hour = two(text + 11);
    const unsigned minute = two(text + 14);
    const unsigned second = body == 19 ? two(text + 17) : 0;
    int64_t midnight_ms = 0;
    if (hour > 23 || minute > 59 || second > 59 || (body == 19 && text[16] != ':') ||
        !find_midnight(w, text, is_utc, &midnight_ms))
        return false;
    *ts_ms = midnight_ms + (int64_t)(hour * 3600 + minute * 60 + second) * 1000;
    return true;
}

/* "21.11.2026 06:42" -> "2026-11-21 06:42". */
static bool day_first(const char *text, size_t len, char out[40])
{
    if (len < 10 || len > 30 || text[2] != '.' || text[5] != '.' || two(text) > 31 ||
        two(text + 3) > 12 || two(text + 6) > 99 || two(text + 8) > 99)
        return false;
    snprintf(out, 40, "%.4s-%.2s-%.2s%.*s", text + 6, text + 3, text, (int)(len - 10), text + 10);
    return true;
}

static enum ft_status parse_cycle(const struct when *w, const char *text, size_t len,
                                  int64_t *ts_ms, struct ft_err *err)
{
    int64_t v = 0;
    size_t i = 0;
    /* "12.0" is how some tools write the whole number 12. */
    while (len > 2 && text[len - 1] == '0' && memchr(text, '.', len) != NULL &&
           text[len - 2] == '.')
        len -= 2;
    for (; i < len && text[i] >= '0' && text[i] <= '9' && v < INT64_C(1000000000000); i++)
        v = v * 10 + (text[i] - '0');
    if (i == 0 || i < len || __builtin_mul_overflow(v, w->cycle_ms, &v) || !ingest_is_instant(v))
        return ft_fail(err, FT_INVALID,
                       "'%.*s' is not a cycle number: expected a whole number from 0 up",
                       (int)(len < 60 ? len : 60), text);
    *ts_ms = v;
    return FT_OK;
}

enum ft_status when_parse(struct when *w, const char *text, size_t len, int64_t *ts_ms,
                          struct ft_err *err)
{
    char turned[40];
    while (len > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        len--;
    }
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    if (len == 0)
        return ft_fail(err, FT_INVALID, "the time is empty");
    if (w->cycle_ms > 0)
        return parse_cycle(w, text, len, ts_ms, err);
    if (parse_fast(w, text, len, ts_ms))
        return FT_OK;
    if (day_first(text, len, turned) && clock_parse(turned, strlen(turned), ts_ms, NULL) == FT_OK)
        return FT_OK;
    const enum ft_status st = clock_parse(text, len, ts_ms, err);
    if (st == FT_OK && !ingest_is_instant(*ts_ms))
        return ft_fail(err, FT_INVALID, "'%.*s' is outside the years 1 to 9999",
                       (int)(len < 60 ? len : 60), text);
    return st;
}
