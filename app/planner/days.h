/* The days of a plan: local midnights from a first day on, what the calendar says about each, and
 * the hours each crew has. Day-based, so an hour more or less at a clock change does not matter. */
#ifndef APP_PLANNER_DAYS_H
#define APP_PLANNER_DAYS_H

#include "app/base/status.h"
#include "db/work_order_store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DAYS_MAX 400

/* Puts each repetition of the entries with a rule into the list that touches [from_ms, to_ms), in
 * place of the entry. They keep their local time of day and their length in days through clock
 * changes. FT_INVALID names an entry whose rule cannot be read; FT_NOMEM. */
enum ft_status days_repeat(struct calendar_list *calendar, int64_t from_ms, int64_t to_ms,
                           struct ft_err *err);

struct days {
    int n;
    int64_t start_ms[DAYS_MAX + 1]; /* local midnights; [n] is the end */
    const struct crew *crews;       /* borrowed, [n_crews] */
    size_t n_crews;
    const struct calendar_list *calendar; /* borrowed */
    double *hours; /* [n_crews * n], crew-major: weekdays less holidays and away days; owned */
};

/* n days from the local midnight of from_ms. crews and calendar stay the caller's. FT_NOMEM. */
enum ft_status days_init(struct days *d, int64_t from_ms, int n, const struct crew_list *crews,
                         const struct calendar_list *calendar, struct ft_err *err);
void days_free(struct days *d);

/* Index of the day that holds the instant; -1 before, n at or after the end. */
int days_index(const struct days *d, int64_t ts_ms);

/* Is the day inside an entry of the kind that touches the area (NULL area = only site-wide)? */
bool days_has(const struct days *d, int day, enum calendar_kind kind, const char *area);
/* Does any crew work on the day? */
bool days_works(const struct days *d, int day);
/* Does a crew miss the day? */
bool days_crew_away(const struct days *d, int day, int64_t crew_id);

/* Is area the same as outer or below it ("Mill 2/PM 2" below "Mill 2")? outer NULL holds all. */
bool days_area_within(const char *area, const char *outer);

#endif
