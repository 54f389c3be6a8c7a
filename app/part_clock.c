/* The events are walked by time with two small tables: slots (asset, component) and parts. Both are
 * found by bisection in lists that are sorted beforehand, so a walk is O(n log n). */
#include "app/part_clock.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY SIZE_MAX

struct slot {
    int64_t asset_id, component_id;
    size_t part;      /* in it; NOBODY = one without a serial number */
    int64_t since_ms; /* from here the part's clock runs in the slot */
};

struct part {
    const char *serial; /* borrowed */
    size_t slot;        /* where it is; NOBODY = on the shelf */
    int64_t age_ms;     /* when it came into the slot, or went on the shelf */
};

struct clock {
    struct slot *slots;
    size_t n_slots;
    struct part *parts;
    size_t n_parts;
};

static int compare_slots(const void *a, const void *b)
{
    const struct slot *x = a;
    const struct slot *y = b;
    if (x->asset_id != y->asset_id)
        return x->asset_id < y->asset_id ? -1 : 1;
    return (x->component_id > y->component_id) - (x->component_id < y->component_id);
}

static int compare_parts(const void *a, const void *b)
{
    return strcmp(((const struct part *)a)->serial, ((const struct part *)b)->serial);
}

static bool has_part(const struct event *e)
{
    return e->kind == EVENT_REPLACEMENT && e->part != NULL && e->part[0] != '\0';
}

/* Keeps the first of equal neighbours; returns how many are left. */
static size_t unique(void *items, size_t n, size_t size, int (*compare)(const void *, const void *))
{
    char *p = items;
    size_t kept = n > 0;
    qsort(items, n, size, compare);
    for (size_t i = 1; i < n; i++)
        if (compare(p + (kept - 1) * size, p + i * size) != 0)
            memmove(p + kept++ * size, p + i * size, size);
    return kept;
}

static enum ft_status clock_init(struct clock *c, const struct event *events, size_t n,
                                 struct ft_err *err)
{
    c->slots = calloc(n + 1, sizeof(*c->slots));
    c->parts = calloc(n + 1, sizeof(*c->parts));
    if (c->slots == NULL || c->parts == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for the parts of %zu events", n);
    for (size_t i = 0; i < n; i++) {
        const struct event *e = &events[i];
        if (!has_part(e))
            continue;
        c->slots[c->n_slots++] = (struct slot){e->asset_id, e->component_id, NOBODY, 0};
        c->parts[c->n_parts++] = (struct part){e->part, NOBODY, 0};
    }
    c->n_slots = unique(c->slots, c->n_slots, sizeof(*c->slots), compare_slots);
    c->n_parts = unique(c->parts, c->n_parts, sizeof(*c->parts), compare_parts);
    return FT_OK;
}

/* The part of the slot is taken out; it keeps its age. */
static void take_out(struct clock *c, struct slot *s, int64_t ts_ms)
{
    if (s->part == NOBODY)
        return;
    struct part *p = &c->parts[s->part];
    p->age_ms += ts_ms - s->since_ms;
    p->slot = NOBODY;
    s->part = NOBODY;
}

/* Returns the age that the part brings along. */
static int64_t put_in(struct clock *c, struct slot *s, const struct event *e)
{
    const struct part key = {.serial = e->part};
    struct part *p = bsearch(&key, c->parts, c->n_parts, sizeof(*p), compare_parts);
    take_out(c, s, e->ts_ms);
    if (p->slot != NOBODY)
        take_out(c, &c->slots[p->slot], e->ts_ms);
    s->part = (size_t)(p - c->parts);
    s->since_ms = e->ts_ms;
    p->slot = (size_t)(s - c->slots);
    return p->age_ms;
}

static int64_t apply(struct clock *c, const struct event *e)
{
    const struct slot key = {.asset_id = e->asset_id, .component_id = e->component_id};
    struct slot *s = bsearch(&key, c->slots, c->n_slots, sizeof(*s), compare_slots);
    if (s == NULL)
        return 0;
    if (has_part(e))
        return put_in(c, s, e);
    if (e->kind == EVENT_REPLACEMENT) {
        take_out(c, s, e->ts_ms);
    } else if (s->part != NOBODY) { /* repaired: as good as new */
        c->parts[s->part].age_ms = 0;
        s->since_ms = e->ts_ms;
    }
    return 0;
}

static int compare_order(const void *a, const void *b)
{
    const struct event *x = *(const struct event *const *)a;
    const struct event *y = *(const struct event *const *)b;
    if (x->ts_ms != y->ts_ms)
        return x->ts_ms < y->ts_ms ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1; /* a failure comes before its replacement */
    return (x->id > y->id) - (x->id < y->id);
}

enum ft_status part_clock_carried(const struct event *events, size_t n, int64_t *carried_ms,
                                  struct ft_err *err)
{
    struct clock c = {0};
    size_t n_order = 0;
    bool has_any = false;
    memset(carried_ms, 0, n * sizeof(*carried_ms));
    for (size_t i = 0; i < n && !has_any; i++)
        has_any = has_part(&events[i]);
    if (!has_any)
        return FT_OK;
    const struct event **order = calloc(n, sizeof(const struct event *));
    enum ft_status st = order == NULL ? ft_fail(err, FT_NOMEM, "no memory for %zu events", n)
                                      : clock_init(&c, events, n, err);
    for (size_t i = 0; i < n && st == FT_OK; i++)
        if (events[i].kind == EVENT_FAILURE || events[i].kind == EVENT_REPLACEMENT)
            order[n_order++] = &events[i];
    if (st == FT_OK) {
        qsort((void *)order, n_order, sizeof(const struct event *), compare_order);
        for (size_t i = 0; i < n_order; i++)
            carried_ms[order[i] - events] = apply(&c, order[i]);
    }
    free((void *)order);
    free(c.slots);
    free(c.parts);
    return st;
}
