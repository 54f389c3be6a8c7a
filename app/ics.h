/* iCalendar (RFC 5545) text: escaped, folded at 75 octets, CRLF. */
#ifndef APP_ICS_H
#define APP_ICS_H

#include "app/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum ics_status { ICS_TENTATIVE, ICS_CONFIRMED, ICS_CANCELLED };

struct ics_event {
    const char *uid;  /* stable over changes */
    int64_t sequence; /* grows with each change, from 0 */
    int64_t stamp_ms; /* of the last change */
    int64_t start_ms;
    int64_t end_ms;  /* > start_ms; of an all-day event any instant of its last day */
    bool is_all_day; /* the days of start and end in the site's zone; else written in UTC */
    const char *summary;
    const char *description, *location, *category; /* NULL = none */
    enum ics_status status;
};

/* Opens a calendar with a name that calendar programs show. */
void ics_begin(struct buf *out, const char *name, const char *zone);
void ics_put(struct buf *out, const struct ics_event *e);
void ics_end(struct buf *out);

/* Writes "NAME:value" folded and ended; value is escaped as TEXT. */
void ics_text_line(struct buf *out, const char *name, const char *value);

#endif
