#include "app/ics.h"

#include "app/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MAX_OCTETS = 75 };

/* One content line under construction: counts octets and folds before the 76th, never inside a
 * UTF-8 sequence. */
struct line {
    struct buf *out;
    size_t octets;
};

/* Length of the UTF-8 sequence that starts with byte c; a stray byte counts alone. */
static size_t sequence_length(unsigned char c)
{
    return c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
}

static void line_put(struct line *l, const char *text, size_t n)
{
    if (l->octets + n > MAX_OCTETS) {
        buf_puts(l->out, "\r\n ");
        l->octets = 1;
    }
    buf_put(l->out, text, n);
    l->octets += n;
}

static void line_puts(struct line *l, const char *text)
{
    const size_t len = strlen(text);
    for (size_t i = 0; i < len;) {
        size_t n = sequence_length((unsigned char)text[i]);
        if (n > len - i)
            n = 1;
        line_put(l, text + i, n);
        i += n;
    }
}

/* TEXT of RFC 5545 section 3.3.11: backslash, semicolon, comma and line ends are escaped; other
 * control bytes cannot be carried and become blanks. */
static void line_puts_escaped(struct line *l, const char *text)
{
    for (const char *p = text; *p != '\0';) {
        const unsigned char c = (unsigned char)*p;
        if (c == '\r' && p[1] == '\n') {
            p++;
            continue;
        }
        if (c == '\n' || c == '\r') {
            line_put(l, "\\n", 2);
            p++;
        } else if (c == '\\' || c == ';' || c == ',') {
            const char pair[2] = {'\\', (char)c};
            line_put(l, pair, 2);
            p++;
        } else if (c < 0x20 || c == 0x7f) {
            line_put(l, " ", 1);
            p++;
        } else {
            size_t n = sequence_length(c);
            if (n > strlen(p))
                n = 1;
            line_put(l, p, n);
            p += n;
        }
    }
}

void ics_text_line(struct buf *out, const char *name, const char *value)
{
    struct line l = {out, 0};
    line_puts(&l, name);
    line_puts(&l, ":");
    line_puts_escaped(&l, value);
    buf_puts(out, "\r\n");
}

static void format_utc(int64_t ts_ms, char out[24])
{
    const time_t s = (time_t)(ts_ms / 1000 - (ts_ms % 1000 < 0));
    struct tm tm;
    if (gmtime_r(&s, &tm) == NULL || strftime(out, 24, "%Y%m%dT%H%M%SZ", &tm) == 0)
        snprintf(out, 24, "19700101T000000Z");
}

static void put_date(struct buf *out, const char *name, int64_t ts_ms)
{
    const struct clock_local t = clock_to_local(ts_ms);
    buf_printf(out, "%s;VALUE=DATE:%04d%02d%02d\r\n", name, t.year, t.month, t.day);
}

void ics_begin(struct buf *out, const char *name, const char *zone)
{
    buf_puts(out, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Fettle//Fettle//EN\r\n"
                  "CALSCALE:GREGORIAN\r\nMETHOD:PUBLISH\r\n");
    ics_text_line(out, "X-WR-CALNAME", name);
    ics_text_line(out, "NAME", name); /* RFC 7986 */
    ics_text_line(out, "X-WR-TIMEZONE", zone);
}

void ics_put(struct buf *out, const struct ics_event *e)
{
    static const char *const states[] = {"TENTATIVE", "CONFIRMED", "CANCELLED"};
    char text[24];
    buf_puts(out, "BEGIN:VEVENT\r\n");
    ics_text_line(out, "UID", e->uid);
    format_utc(e->stamp_ms, text);
    buf_printf(out, "DTSTAMP:%s\r\nLAST-MODIFIED:%s\r\nSEQUENCE:%lld\r\n", text, text,
               (long long)e->sequence);
    if (e->is_all_day) {
        /* DTEND is the day after the last one. */
        put_date(out, "DTSTART", e->start_ms);
        put_date(out, "DTEND", clock_local_add_days(clock_local_midnight(e->end_ms), 1));
    } else {
        format_utc(e->start_ms, text);
        buf_printf(out, "DTSTART:%s\r\n", text);
        format_utc(e->end_ms, text);
        buf_printf(out, "DTEND:%s\r\n", text);
    }
    ics_text_line(out, "SUMMARY", e->summary);
    if (e->description != NULL)
        ics_text_line(out, "DESCRIPTION", e->description);
    if (e->location != NULL)
        ics_text_line(out, "LOCATION", e->location);
    if (e->category != NULL)
        ics_text_line(out, "CATEGORIES", e->category);
    buf_printf(out, "STATUS:%s\r\nTRANSP:TRANSPARENT\r\nEND:VEVENT\r\n", states[e->status]);
}

void ics_end(struct buf *out)
{
    buf_puts(out, "END:VCALENDAR\r\n");
}
