#include "app/planner/days.h"

#include "app/base/clock.h"
#include "app/planner/rrule.h"

#include <stdlib.h>
#include <string.h>

bool days_area_within(const char *area, const char *outer)
{
    if (outer == NULL || outer[0] == '\0')
        return true;
    if (area == NULL)
        return false;
    const size_t n = strlen(outer);
    return strncmp(area, outer, n) == 0 && (area[n] == '\0' || area[n] == '/');
}

/* Half of the day or more inside the entry. */
static bool covers(const struct days *d, int day, const struct calendar_entry *e)
{
    const int64_t begin = e->start_ms > d->start_ms[day] ? e->start_ms : d->start_ms[day];
    const int64_t end = e->end_ms < d->start_ms[day + 1] ? e->end_ms : d->start_ms[day + 1];
    return 2 * (end - begin) >= d->start_ms[day + 1] - d->start_ms[day];
}

bool days_has(const struct days *d, int day, enum calendar_kind kind, const char *area)
{
    for (size_t i = 0; i < d->calendar->n; i++) {
        const struct calendar_entry *e = &d->calendar->items[i];
        if (e->kind == kind && days_area_within(area, e->area) && covers(d, day, e))
            return true;
    }
    return false;
}

bool days_crew_away(const struct days *d, int day, int64_t crew_id)
{
    for (size_t i = 0; i < d->calendar->n; i++) {
        const struct calendar_entry *e = &d->calendar->items[i];
        if (e->kind == CALENDAR_CREW_AWAY && e->crew_id == crew_id && covers(d, day, e))
            return true;
    }
    return false;
}

enum { MAX_REPEATS = 4 * DAYS_MAX };

/* The same local time of day, some days later. */
static int64_t shift_days(int64_t ts_ms, int64_t n_days)
{
    const struct clock_local t = clock_to_local(ts_ms);
    return clock_from_local(t.year, t.month, t.day + (int)n_days, t.hour, t.minute, t.second);
}

/* Appends a copy of the entry moved by n_days. */
static bool add_repeat(struct calendar_list *to, const struct calendar_entry *e, int64_t n_days)
{
    struct calendar_entry *items = realloc(to->items, (to->n + 1) * sizeof(*items));
    if (items == NULL)
        return false;
    to->items = items;
    struct calendar_entry *x = &items[to->n];
    *x = *e;
    x->start_ms = shift_days(e->start_ms, n_days);
    x->end_ms = shift_days(e->end_ms, n_days);
    x->rrule = NULL;
    x->area = e->area != NULL ? strdup(e->area) : NULL;
    x->note = e->note != NULL ? strdup(e->note) : NULL;
    to->n++;
    return (e->area == NULL || x->area != NULL) && (e->note == NULL || x->note != NULL);
}

static enum ft_status repeat_entry(struct calendar_list *to, size_t i, int64_t from_ms,
                                   int64_t to_ms, struct ft_err *err)
{
    int64_t days[MAX_REPEATS];
    struct rrule r;
    const struct calendar_entry e = to->items[i]; /* the array moves while it grows */
    if (rrule_parse(e.rrule, &r, err) != FT_OK) {
        ft_err_prefix(err, "calendar entry %lld", (long long)e.id);
        return FT_INVALID;
    }
    const int64_t start = clock_local_day(e.start_ms);
    const int64_t length = clock_local_day(e.end_ms) - start + 1;
    const size_t n = rrule_days(&r, start, clock_local_day(from_ms) - length,
                                clock_local_day(to_ms) + 1, days, MAX_REPEATS);
    for (size_t k = 0; k < n; k++)
        if (!add_repeat(to, &e, days[k] - start))
            return ft_fail(err, FT_NOMEM, "calendar: no memory for a repetition");
    return FT_OK;
}

enum ft_status days_repeat(struct calendar_list *calendar, int64_t from_ms, int64_t to_ms,
                           struct ft_err *err)
{
    enum ft_status st = FT_OK;
    const size_t n = calendar->n;
    for (size_t i = 0; i < n && st == FT_OK; i++)
        if (calendar->items[i].rrule != NULL)
            st = repeat_entry(calendar, i, from_ms, to_ms, err);
    size_t kept = 0;
    for (size_t i = 0; i < calendar->n; i++) { /* the rule itself stands for nothing any more */
        struct calendar_entry *e = &calendar->items[i];
        if (e->rrule == NULL) {
            calendar->items[kept++] = *e;
            continue;
        }
        free(e->area);
        free(e->note);
        free(e->rrule);
    }
    calendar->n = kept;
    return st;
}

static bool is_holiday(const struct days *d, int day)
{
    for (size_t i = 0; i < d->calendar->n; i++)
        if (d->calendar->items[i].kind == CALENDAR_HOLIDAY &&
            covers(d, day, &d->calendar->items[i]))
            return true;
    return false;
}

bool days_works(const struct days *d, int day)
{
    for (size_t c = 0; c < d->n_crews; c++)
        if (d->hours[c * (size_t)d->n + (size_t)day] > 0)
            return true;
    return false;
}

enum ft_status days_init(struct days *d, int64_t from_ms, int n, const struct crew_list *crews,
                         const struct calendar_list *calendar, struct ft_err *err)
{
    memset(d, 0, sizeof(*d));
    d->n = n < 1 ? 1 : n > DAYS_MAX ? DAYS_MAX : n;
    d->crews = crews->items;
    d->n_crews = crews->n;
    d->calendar = calendar;
    const int64_t first = clock_local_midnight(from_ms);
    for (int i = 0; i <= d->n; i++)
        d->start_ms[i] = clock_local_add_days(first, i);
    d->hours = calloc(d->n_crews * (size_t)d->n + 1, sizeof(*d->hours));
    if (d->hours == NULL)
        return ft_fail(err, FT_NOMEM, "plan: no memory for %d days", d->n);
    for (int i = 0; i < d->n; i++) {
        const int weekday = clock_to_local(d->start_ms[i]).weekday;
        if (is_holiday(d, i))
            continue;
        for (size_t c = 0; c < d->n_crews; c++)
            if ((d->crews[c].weekdays >> weekday & 1) != 0 && !days_crew_away(d, i, d->crews[c].id))
                d->hours[c * (size_t)d->n + (size_t)i] = d->crews[c].hours_per_day;
    }
    return FT_OK;
}

void days_free(struct days *d)
{
    free(d->hours);
    d->hours = NULL;
}

int days_index(const struct days *d, int64_t ts_ms)
{
    int lo = -1;
    int hi = d->n;
    while (hi - lo > 1) {
        const int mid = lo + (hi - lo) / 2;
        if (d->start_ms[mid] <= ts_ms)
            lo = mid;
        else
            hi = mid;
    }
    return lo == d->n - 1 && ts_ms >= d->start_ms[d->n] ? d->n : lo;
}
