#include "app/planner/days.h"

#include "app/base/clock.h"

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
    for (size_t c = 0; c < d->n_crews; c++)
        for (int i = 0; i < d->n; i++) {
            const int weekday = clock_to_local(d->start_ms[i]).weekday;
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
