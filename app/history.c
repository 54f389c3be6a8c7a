/* Loads one class's facts and derives when each asset was watched. */
#include "app/history.h"

#include "app/base/clock.h"
#include "app/part_clock.h"
#include "db/db.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Beyond this many alarm codes the rarest share one, so that a chatty controller does not make a
 * thousand columns. */
#define MAX_CODES 30
#define OTHER_CODE "other alarms"

static int compare_events(const void *pa, const void *pb)
{
    const struct history_event *a = pa;
    const struct history_event *b = pb;
    if (a->ts_ms != b->ts_ms)
        return a->ts_ms < b->ts_ms ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

bool history_is_failure(const struct history_event *e, size_t component)
{
    return e->kind == EVENT_FAILURE && (component == HISTORY_NO_INDEX || e->component == component);
}

bool history_is_replacement(const struct history_event *e, size_t component)
{
    /* A replacement of the whole asset renews every component. */
    return e->kind == EVENT_REPLACEMENT &&
           (e->component == component || e->component == HISTORY_NO_INDEX);
}

int64_t history_origin_ms(const struct history_asset *a)
{
    return a->commissioned_ms != DB_NO_TIME ? a->commissioned_ms : a->first_ms;
}

int64_t history_renewal_ms(const struct history *h, const struct history_asset *a, size_t component,
                           int64_t at_ms)
{
    int64_t newest = DB_NO_TIME;
    for (size_t i = 0; i < a->n_events && a->events[i].ts_ms <= at_ms; i++) {
        const struct history_event *e = &a->events[i];
        if (history_is_failure(e, component) || history_is_replacement(e, component))
            newest = e->ts_ms - e->carried_ms;
    }
    if (newest != DB_NO_TIME)
        return newest;
    const bool is_renewed = component != HISTORY_NO_INDEX && h->components[component].has_renewals;
    if (is_renewed && (a->commissioned_ms == DB_NO_TIME || a->commissioned_ms < h->event_start_ms))
        return DB_NO_TIME;
    const int64_t origin = history_origin_ms(a);
    return origin != DB_NO_TIME && origin <= at_ms ? origin : DB_NO_TIME;
}

size_t history_component(const struct history *h, const char *name)
{
    for (size_t i = 0; i < h->n_components; i++)
        if (strcmp(h->components[i].name, name) == 0)
            return i;
    return HISTORY_NO_INDEX;
}

static int compare_ms(const void *pa, const void *pb)
{
    const int64_t a = *(const int64_t *)pa;
    const int64_t b = *(const int64_t *)pb;
    return a < b ? -1 : a > b;
}

/* Median spacing over the first readings of every series. */
static int64_t typical_step(const struct history *h)
{
    enum { PER_SERIES = 50 };
    const size_t cap = h->n_assets * h->n_sensors * PER_SERIES;
    int64_t *gaps = cap > 0 ? malloc(cap * sizeof(*gaps)) : NULL;
    size_t n = 0;
    if (gaps == NULL)
        return 0;
    for (size_t i = 0; i < h->n_assets; i++)
        for (size_t s = 0; s < h->n_sensors; s++) {
            const struct readings *r = &h->assets[i].series[s];
            for (size_t k = 1; k < r->n && k <= PER_SERIES; k++)
                gaps[n++] = r->ts_ms[k] - r->ts_ms[k - 1];
        }
    int64_t step = 0;
    if (n > 0) {
        qsort(gaps, n, sizeof(*gaps), compare_ms);
        step = gaps[n / 2];
    }
    free(gaps);
    return step;
}

static void widen(int64_t *first, int64_t *last, int64_t ts_ms)
{
    if (*first == DB_NO_TIME || ts_ms < *first)
        *first = ts_ms;
    if (*last == DB_NO_TIME || ts_ms > *last)
        *last = ts_ms;
}

static void derive_asset(struct history *h, struct history_asset *a)
{
    int64_t ignored = DB_NO_TIME;
    int64_t watched = DB_NO_TIME;
    a->first_ms = a->last_ms = a->last_reading_ms = DB_NO_TIME;
    a->is_ended = false;
    for (size_t s = 0; s < h->n_sensors; s++) {
        const struct readings *r = &a->series[s];
        if (r->n == 0)
            continue;
        widen(&a->first_ms, &a->last_ms, r->ts_ms[0]);
        widen(&a->first_ms, &a->last_ms, r->ts_ms[r->n - 1]);
        widen(&ignored, &a->last_reading_ms, r->ts_ms[r->n - 1]);
        widen(&watched, &ignored, r->ts_ms[0]);
    }
    for (size_t i = 0; i < a->n_events; i++) {
        const struct history_event *e = &a->events[i];
        widen(&a->first_ms, &a->last_ms, e->ts_ms);
        widen(&h->event_start_ms, &ignored, e->ts_ms);
        if (e->kind == EVENT_FAILURE || e->kind == EVENT_ALARM)
            widen(&watched, &ignored, e->ts_ms);
        if (e->kind == EVENT_FAILURE && e->component != HISTORY_NO_INDEX && !a->is_held_out)
            h->components[e->component].n_failures++;
    }
    if (watched != DB_NO_TIME)
        widen(&h->observe_start_ms, &ignored, watched);
    if (a->last_ms != DB_NO_TIME)
        widen(&ignored, &h->end_ms, a->last_ms);
}

/* A component is renewed in service when some asset goes on after its replacement or failure. */
static void derive_renewals(struct history *h)
{
    for (size_t i = 0; i < h->n_assets; i++) {
        const struct history_asset *a = &h->assets[i];
        for (size_t k = 0; k < a->n_events; k++) {
            const struct history_event *e = &a->events[k];
            if (e->component != HISTORY_NO_INDEX && e->ts_ms < a->last_ms &&
                (e->kind == EVENT_FAILURE || e->kind == EVENT_REPLACEMENT))
                h->components[e->component].has_renewals = true;
        }
    }
}

/* Marks the assets that ran to failure: their last fact is a failure, readings go up to it and not
 * on. Where the class's data ends at the same time that says nothing about one asset, unless
 * running to failure is what most assets of the class do. */
static void derive_ends(struct history *h)
{
    const int64_t near_ms = 2 * h->step_ms;
    size_t n_near = 0;
    size_t n_open = 0;
    for (size_t i = 0; i < h->n_assets; i++) {
        struct history_asset *a = &h->assets[i];
        if (a->n_events == 0 || a->last_reading_ms == DB_NO_TIME)
            continue;
        const struct history_event *last = &a->events[a->n_events - 1];
        a->is_ended = last->kind == EVENT_FAILURE && last->ts_ms >= a->last_reading_ms &&
                      last->ts_ms - a->last_reading_ms <= near_ms;
        if (!a->is_held_out) {
            n_near += a->is_ended;
            n_open += !a->is_ended;
        }
    }
    for (size_t i = 0; i < h->n_assets && n_near <= n_open; i++)
        if (h->assets[i].last_ms >= h->end_ms - near_ms)
            h->assets[i].is_ended = false;
}

void history_derive(struct history *h)
{
    h->observe_start_ms = h->event_start_ms = h->end_ms = DB_NO_TIME;
    for (size_t c = 0; c < h->n_components; c++) {
        h->components[c].n_failures = 0;
        h->components[c].has_renewals = false;
    }
    for (size_t i = 0; i < h->n_assets; i++)
        derive_asset(h, &h->assets[i]);
    if (h->observe_start_ms != DB_NO_TIME &&
        (h->event_start_ms == DB_NO_TIME || h->observe_start_ms < h->event_start_ms))
        h->event_start_ms = h->observe_start_ms;
    derive_renewals(h);
    h->step_ms = h->cycle_ms > 0 ? h->cycle_ms : typical_step(h);
    derive_ends(h);
}

/* --- loading --- */

static char *copy_text(const char *text)
{
    return strdup(text != NULL ? text : "");
}

static size_t find_text(char *const *texts, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(texts[i], text) == 0)
            return i;
    return HISTORY_NO_INDEX;
}

static enum ft_status no_memory(const struct history *h, struct ft_err *err)
{
    return ft_fail(err, FT_NOMEM, "history: no memory for class %s",
                   h->class_name != NULL ? h->class_name : "?");
}

static enum ft_status load_components(struct db *db, struct history *h, struct ft_err *err)
{
    struct component_list list = {0};
    enum ft_status st = component_list(db, h->class_id, &list, err);
    if (st != FT_OK)
        return st;
    h->components = calloc(list.n + 1, sizeof(*h->components));
    for (size_t i = 0; i < list.n && h->components != NULL; i++) {
        h->components[i].id = list.items[i].id;
        h->components[i].name = copy_text(list.items[i].name);
        if (h->components[i].name == NULL)
            st = no_memory(h, err);
        h->n_components++;
    }
    if (h->components == NULL)
        st = no_memory(h, err);
    component_list_free(&list);
    return st;
}

static enum ft_status load_assets(struct db *db, struct history *h, struct ft_err *err)
{
    struct asset_list list = {0};
    enum ft_status st = asset_list(db, h->class_id, &list, err);
    if (st != FT_OK)
        return st;
    if (list.n == 0) {
        asset_list_free(&list);
        return ft_fail(err, FT_TOO_FEW, "class %s has no asset", h->class_name);
    }
    h->assets = calloc(list.n, sizeof(*h->assets));
    h->attribute_store = calloc(list.n, sizeof(*h->attribute_store));
    if (h->assets == NULL || h->attribute_store == NULL)
        st = no_memory(h, err);
    for (size_t i = 0; i < list.n && st == FT_OK; i++) {
        struct history_asset *a = &h->assets[i];
        a->id = list.items[i].id;
        a->key = copy_text(list.items[i].key);
        a->is_held_out = list.items[i].is_held_out;
        a->true_rul_ms = list.items[i].true_rul_ms;
        a->commissioned_ms = list.items[i].commissioned_ms;
        a->retired_ms = list.items[i].retired_ms;
        h->n_assets++;
        if (a->key == NULL)
            st = no_memory(h, err);
    }
    asset_list_free(&list);
    return st;
}

static enum ft_status add_text(char ***texts, size_t *n, const char *text, size_t *index)
{
    *index = find_text(*texts, *n, text);
    if (*index != HISTORY_NO_INDEX)
        return FT_OK;
    char **grown = realloc(*texts, (*n + 1) * sizeof(*grown));
    char *copy = copy_text(text);
    if (grown == NULL || copy == NULL) {
        *texts = grown != NULL ? grown : *texts;
        free(copy);
        return FT_NOMEM;
    }
    *texts = grown;
    grown[*n] = copy;
    *index = (*n)++;
    return FT_OK;
}

static enum ft_status load_attributes(struct db *db, struct history *h, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    size_t index;
    for (size_t i = 0; i < h->n_assets && st == FT_OK; i++) {
        st = asset_attribute_list(db, h->assets[i].id, &h->attribute_store[i], err);
        for (size_t k = 0; k < h->attribute_store[i].n && st == FT_OK; k++)
            st = add_text(&h->attribute_names, &h->n_attributes,
                          h->attribute_store[i].items[k].name, &index);
    }
    for (size_t i = 0; i < h->n_assets && st == FT_OK; i++) {
        h->assets[i].attributes = calloc(h->n_attributes + 1, sizeof(char *));
        if (h->assets[i].attributes == NULL)
            return no_memory(h, err);
        for (size_t k = 0; k < h->attribute_store[i].n; k++) {
            const struct attribute *at = &h->attribute_store[i].items[k];
            index = find_text(h->attribute_names, h->n_attributes, at->name);
            if (index != HISTORY_NO_INDEX)
                h->assets[i].attributes[index] = at->value;
        }
    }
    return st;
}

/* Sensor names of the class in alphabetical order. */
static int compare_sensors(const void *pa, const void *pb)
{
    return strcmp(((const struct history_sensor *)pa)->name,
                  ((const struct history_sensor *)pb)->name);
}

static size_t find_sensor(const struct history *h, const char *name)
{
    for (size_t i = 0; i < h->n_sensors; i++)
        if (strcmp(h->sensors[i].name, name) == 0)
            return i;
    return HISTORY_NO_INDEX;
}

static enum ft_status note_sensor(struct history *h, const struct sensor *s, struct ft_err *err)
{
    if (find_sensor(h, s->name) != HISTORY_NO_INDEX)
        return FT_OK;
    struct history_sensor *grown = realloc(h->sensors, (h->n_sensors + 1) * sizeof(*grown));
    if (grown == NULL)
        return no_memory(h, err);
    h->sensors = grown;
    grown[h->n_sensors] = (struct history_sensor){.name = copy_text(s->name),
                                                  .unit = s->unit != NULL ? strdup(s->unit) : NULL,
                                                  .role = s->role,
                                                  .rollover = s->rollover};
    if (grown[h->n_sensors].name == NULL)
        return no_memory(h, err);
    h->n_sensors++;
    return FT_OK;
}

static enum ft_status load_readings(struct db *db, struct history *h, int64_t until_ms,
                                    struct ft_err *err)
{
    const int64_t to_ms = until_ms == DB_NO_TIME ? INT64_MAX : until_ms + 1;
    struct sensor_list *lists = calloc(h->n_assets, sizeof(*lists));
    enum ft_status st = lists == NULL ? no_memory(h, err) : FT_OK;
    for (size_t i = 0; i < h->n_assets && st == FT_OK; i++) {
        st = sensor_list(db, h->assets[i].id, &lists[i], err);
        for (size_t k = 0; k < lists[i].n && st == FT_OK; k++)
            st = note_sensor(h, &lists[i].items[k], err);
    }
    if (st == FT_OK && h->n_sensors > 0)
        qsort(h->sensors, h->n_sensors, sizeof(*h->sensors), compare_sensors);
    for (size_t i = 0; i < h->n_assets && st == FT_OK; i++) {
        h->assets[i].series = calloc(h->n_sensors + 1, sizeof(struct readings));
        if (h->assets[i].series == NULL)
            st = no_memory(h, err);
        for (size_t k = 0; k < lists[i].n && st == FT_OK; k++) {
            const size_t s = find_sensor(h, lists[i].items[k].name);
            st = reading_scan(db, lists[i].items[k].id, INT64_MIN, to_ms, &h->assets[i].series[s],
                              err);
        }
    }
    for (size_t i = 0; lists != NULL && i < h->n_assets; i++)
        sensor_list_free(&lists[i]);
    free(lists);
    return st;
}

struct code_count {
    const char *code;
    size_t n;
};

static int compare_codes(const void *pa, const void *pb)
{
    const struct code_count *a = pa;
    const struct code_count *b = pb;
    if (a->n != b->n)
        return a->n > b->n ? -1 : 1;
    return strcmp(a->code, b->code);
}

static const char *alarm_code(const struct event *e)
{
    return e->code != NULL && e->code[0] != '\0' ? e->code : "alarm";
}

/* The codes of the class, most frequent first; the rarest share OTHER_CODE. */
static enum ft_status load_codes(struct history *h, const struct event_list *events,
                                 struct ft_err *err)
{
    struct code_count *counts = calloc(events->n + 1, sizeof(*counts));
    size_t n = 0;
    if (counts == NULL)
        return no_memory(h, err);
    for (size_t i = 0; i < events->n; i++) {
        if (events->items[i].kind != EVENT_ALARM)
            continue;
        size_t k = 0;
        while (k < n && strcmp(counts[k].code, alarm_code(&events->items[i])) != 0)
            k++;
        if (k == n)
            counts[n++].code = alarm_code(&events->items[i]);
        counts[k].n++;
    }
    if (n > 0)
        qsort(counts, n, sizeof(*counts), compare_codes);
    enum ft_status st = FT_OK;
    size_t index;
    for (size_t k = 0; k < n && k < MAX_CODES && st == FT_OK; k++)
        st = add_text(&h->codes, &h->n_codes, counts[k].code, &index);
    if (n > MAX_CODES && st == FT_OK)
        st = add_text(&h->codes, &h->n_codes, OTHER_CODE, &index);
    free(counts);
    return st == FT_OK ? FT_OK : no_memory(h, err);
}

static int compare_asset_ids(const void *pa, const void *pb)
{
    const struct history_asset *const *a = pa;
    const struct history_asset *const *b = pb;
    return (*a)->id < (*b)->id ? -1 : (*a)->id > (*b)->id;
}

static struct history_asset *find_asset(struct history_asset **by_id, size_t n, int64_t id)
{
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (by_id[mid]->id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n && by_id[low]->id == id ? by_id[low] : NULL;
}

static struct history_event convert_event(const struct history *h, const struct event *e,
                                          int64_t carried_ms)
{
    struct history_event out = {.id = e->id,
                                .ts_ms = e->ts_ms,
                                .kind = e->kind,
                                .component = HISTORY_NO_INDEX,
                                .code = HISTORY_NO_INDEX,
                                .carried_ms = carried_ms};
    for (size_t c = 0; c < h->n_components && e->component_id != 0; c++)
        if (h->components[c].id == e->component_id)
            out.component = c;
    if (e->kind == EVENT_ALARM) {
        out.code = find_text(h->codes, h->n_codes, alarm_code(e));
        if (out.code == HISTORY_NO_INDEX)
            out.code = find_text(h->codes, h->n_codes, OTHER_CODE);
    }
    return out;
}

static enum ft_status spread_events(struct history *h, const struct event_list *events,
                                    const int64_t *carried_ms, struct ft_err *err)
{
    struct history_asset **by_id = calloc(h->n_assets, sizeof(struct history_asset *));
    if (by_id == NULL)
        return no_memory(h, err);
    for (size_t i = 0; i < h->n_assets; i++)
        by_id[i] = &h->assets[i];
    qsort(by_id, h->n_assets, sizeof(struct history_asset *), compare_asset_ids);
    enum ft_status st = FT_OK;
    for (size_t pass = 0; pass < 2 && st == FT_OK; pass++) {
        for (size_t i = 0; i < events->n; i++) {
            struct history_asset *a = find_asset(by_id, h->n_assets, events->items[i].asset_id);
            if (a == NULL)
                continue;
            if (pass == 1)
                a->events[a->n_events] = convert_event(h, &events->items[i], carried_ms[i]);
            a->n_events++;
        }
        for (size_t i = 0; i < h->n_assets && pass == 0; i++) {
            struct history_asset *a = &h->assets[i];
            a->events = calloc(a->n_events + 1, sizeof(*a->events));
            a->n_events = 0;
            if (a->events == NULL)
                st = no_memory(h, err);
        }
    }
    for (size_t i = 0; i < h->n_assets && st == FT_OK; i++)
        qsort(h->assets[i].events, h->assets[i].n_events, sizeof(struct history_event),
              compare_events);
    free(by_id);
    return st;
}

static int compare_event_ids(const void *pa, const void *pb)
{
    const struct event *a = pa;
    const struct event *b = pb;
    return (a->id > b->id) - (a->id < b->id);
}

/* Ages that parts bring along to the class's events. Parts may come from assets of other classes,
 * so where there are serial numbers at all, every failure and replacement is looked at. */
static enum ft_status load_carried(struct db *db, const struct history *h,
                                   const struct event_list *events, int64_t to_ms, int64_t *carried,
                                   struct ft_err *err)
{
    const struct event_filter filter = {.kinds = 1U << EVENT_FAILURE | 1U << EVENT_REPLACEMENT,
                                        .from_ms = INT64_MIN,
                                        .to_ms = to_ms};
    struct event_list all = {0};
    bool has_parts = false;
    for (size_t i = 0; i < events->n && !has_parts; i++)
        has_parts = events->items[i].part != NULL;
    if (!has_parts)
        return FT_OK;
    enum ft_status st = event_list(db, &filter, &all, err);
    int64_t *age = calloc(all.n + 1, sizeof(*age));
    if (st == FT_OK && age == NULL)
        st = no_memory(h, err);
    if (st == FT_OK && all.n > 0) {
        qsort(all.items, all.n, sizeof(*all.items), compare_event_ids);
        st = part_clock_carried(all.items, all.n, age, err);
    }
    for (size_t i = 0; i < events->n && st == FT_OK && all.n > 0; i++) {
        const struct event *at =
            bsearch(&events->items[i], all.items, all.n, sizeof(*at), compare_event_ids);
        carried[i] = at != NULL ? age[at - all.items] : 0;
    }
    free(age);
    event_list_free(&all);
    return st;
}

static enum ft_status load_events(struct db *db, struct history *h, int64_t until_ms,
                                  struct ft_err *err)
{
    const struct event_filter filter = {.class_id = h->class_id,
                                        .from_ms = INT64_MIN,
                                        .to_ms = until_ms == DB_NO_TIME ? 0 : until_ms + 1};
    struct event_list events = {0};
    enum ft_status st = event_list(db, &filter, &events, err);
    if (st == FT_OK)
        st = load_codes(h, &events, err);
    int64_t *carried = calloc(events.n + 1, sizeof(*carried));
    if (st == FT_OK && carried == NULL)
        st = no_memory(h, err);
    if (st == FT_OK)
        st = load_carried(db, h, &events, filter.to_ms, carried, err);
    if (st == FT_OK)
        st = spread_events(h, &events, carried, err);
    free(carried);
    event_list_free(&events);
    return st;
}

enum ft_status history_load(struct db *db, const char *class_name, int64_t until_ms,
                            struct history **out, struct ft_err *err)
{
    struct asset_class cls = {0};
    *out = NULL;
    enum ft_status st = db_begin(db, err);
    if (st != FT_OK)
        return st;
    struct history *h = calloc(1, sizeof(*h));
    if (h == NULL) {
        st = ft_fail(err, FT_NOMEM, "history: no memory");
        goto out;
    }
    st = class_find(db, class_name, &cls, err);
    if (st != FT_OK)
        goto out;
    h->class_id = cls.id;
    h->cycle_ms = cls.cycle_ms > 0 ? cls.cycle_ms : 0;
    h->class_name = copy_text(cls.name);
    if (h->class_name == NULL)
        st = no_memory(h, err);
    if (st == FT_OK)
        st = load_components(db, h, err);
    if (st == FT_OK)
        st = load_assets(db, h, err);
    if (st == FT_OK)
        st = load_attributes(db, h, err);
    if (st == FT_OK)
        st = load_readings(db, h, until_ms, err);
    if (st == FT_OK)
        st = load_events(db, h, until_ms, err);
    if (st != FT_OK)
        goto out;
    history_derive(h);
    *out = h;
    h = NULL;
out:
    (void)db_commit(db, NULL); /* only read: gives the snapshot back */
    asset_class_clear(&cls);
    history_free(h);
    return st;
}

static void free_texts(char **texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(texts[i]);
    free(texts);
}

void history_free(struct history *h)
{
    if (h == NULL)
        return;
    for (size_t i = 0; i < h->n_assets; i++) {
        struct history_asset *a = &h->assets[i];
        for (size_t s = 0; s < h->n_sensors && a->series != NULL; s++)
            readings_free(&a->series[s]);
        free(a->series);
        free(a->events);
        free(a->attributes);
        free(a->key);
        if (h->attribute_store != NULL)
            attribute_list_free(&h->attribute_store[i]);
    }
    for (size_t s = 0; s < h->n_sensors; s++) {
        free(h->sensors[s].name);
        free(h->sensors[s].unit);
    }
    for (size_t c = 0; c < h->n_components; c++)
        free(h->components[c].name);
    free_texts(h->codes, h->n_codes);
    free_texts(h->attribute_names, h->n_attributes);
    free(h->assets);
    free(h->attribute_store);
    free(h->sensors);
    free(h->components);
    free(h->class_name);
    free(h);
}
