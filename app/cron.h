/* Cron expressions in the site's time zone: "minute hour day-of-month month day-of-week", each
 * field a star, a number, a range, a step or a list of those; names JAN..DEC and SUN..SAT, 7 is
 * Sunday; day-of-month and day-of-week are joined by "or" when both are limited (as in cron).
 *
 * Clock changes: an instant that the spring change skips fires at the first instant after the gap;
 * one that occurs twice in autumn fires once, at its first occurrence. */
#ifndef APP_CRON_H
#define APP_CRON_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct cron {
    uint64_t minutes;  /* bit 0..59 */
    uint32_t hours;    /* bit 0..23 */
    uint32_t days;     /* bit 1..31 */
    uint32_t months;   /* bit 1..12 */
    uint32_t weekdays; /* bit 0..6, 0 = Sunday */
    bool is_any_day, is_any_weekday;
};

/* Reads an expression; FT_INVALID names the field and what was expected. */
enum ft_status cron_parse(const char *text, struct cron *out, struct ft_err *err);

/* First due instant after after_ms; INT64_MAX when there is none within eight years (30 February).
 */
int64_t cron_next(const struct cron *c, int64_t after_ms);

/* Last due instant at or before at_ms; INT64_MIN when there is none within eight years. */
int64_t cron_previous(const struct cron *c, int64_t at_ms);

/* The missed-night rule: true when the newest due instant at or before now, plus the grace, has
 * passed and the last run (INT64_MIN = never) began before that due instant. */
bool cron_is_missed(const struct cron *c, int64_t last_run_ms, int64_t now_ms, int64_t grace_ms);

#endif
