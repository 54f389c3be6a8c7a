/* Times in files: clock_parse() behind a cache of days, because a file repeats its days and asking
 * the time zone is slow. Also day-first dates with points (21.11.2026 06:42) and cycle numbers. */
#ifndef APP_INGEST_WHEN_H
#define APP_INGEST_WHEN_H

#include "app/base/status.h"

#include <stddef.h>
#include <stdint.h>

enum { WHEN_N_DAYS = 512 };

/* One per thread; a plain value, zero-initialised but for cycle_ms. */
struct when {
    int64_t cycle_ms; /* > 0: the text is a whole cycle number; instant = number * cycle_ms */
    struct {
        int32_t date; /* year * 512 + month * 32 + day; 0 = empty */
        int32_t zone; /* 1 UTC, 2 the site's zone, 3 the site's zone and its clock changes */
        int64_t midnight_ms;
    } days[WHEN_N_DAYS];
};

/* The same answer as clock_parse() for what that reads. FT_INVALID says what was expected; err may
 * be NULL. */
enum ft_status when_parse(struct when *w, const char *text, size_t len, int64_t *ts_ms,
                          struct ft_err *err);

#endif
