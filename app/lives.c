#include "app/lives.h"

#include "app/base/clock.h"
#include "app/part_clock.h"
#include "db/event_store.h"
#include "db/reading_store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A replacement this soon after a failure is the repair of that failure. */
#define REPAIR_MS MS_PER_DAY
/* Shorter lives are recording artefacts (two entries for one job). */
#define MIN_LIFE_D (1.0 / 24)
/* A shape from fewer failures than this is noise. */
enum { MIN_FAILURES = 3 };

struct sample {
    double *time, *entry;
    bool *failed;
    struct life_origin *origin;
    size_t n, cap;
};

static enum ft_status sample_add(struct sample *s, double time_d, double entry_d, bool failed,
                                 struct life_origin origin, struct ft_err *err)
{
    if (s->n == s->cap) {
        const size_t cap = s->cap == 0 ? 64 : 2 * s->cap;
        double *time = realloc(s->time, cap * sizeof(*time));
        if (time != NULL)
            s->time = time;
        bool *flags = realloc(s->failed, cap * sizeof(*flags));
        if (flags != NULL)
            s->failed = flags;
        double *entry = realloc(s->entry, cap * sizeof(*entry));
        if (entry != NULL)
            s->entry = entry;
        struct life_origin *whose = realloc(s->origin, cap * sizeof(*whose));
        if (whose != NULL)
            s->origin = whose;
        if (time == NULL || flags == NULL || entry == NULL || whose == NULL)
            return ft_fail(err, FT_NOMEM, "lives: no memory for %zu lives", cap);
        s->cap = cap;
    }
    s->time[s->n] = time_d;
    s->entry[s->n] = entry_d;
    s->origin[s->n] = origin;
    s->failed[s->n++] = failed;
    return FT_OK;
}

/* First recorded fact of each class: events, and the first sensor of each asset. */
static enum ft_status observation_start(struct db *db, const struct catalog *c,
                                        const struct event_list *events, int64_t class_id,
                                        int64_t *start_ms, struct ft_err *err)
{
    *start_ms = INT64_MAX;
    for (size_t i = 0; i < events->n; i++) {
        const struct asset *a = catalog_asset(c, events->items[i].asset_id);
        if (a != NULL && a->class_id == class_id && events->items[i].ts_ms < *start_ms)
            *start_ms = events->items[i].ts_ms;
    }
    for (size_t i = 0; i < c->assets.n; i++) {
        struct sensor_list sensors = {0};
        struct reading_span span = {0};
        if (c->assets.items[i].class_id != class_id)
            continue;
        enum ft_status st = sensor_list(db, c->assets.items[i].id, &sensors, err);
        if (st == FT_OK && sensors.n > 0)
            st = reading_span(db, sensors.items[0].id, &span, err);
        sensor_list_free(&sensors);
        if (st != FT_OK)
            return st;
        if (span.n > 0 && span.first_ms < *start_ms)
            *start_ms = span.first_ms;
    }
    return FT_OK;
}

static double days_between(int64_t from_ms, int64_t to_ms)
{
    return (double)(to_ms - from_ms) / (double)MS_PER_DAY;
}

/* What the walk over one asset's events needs. */
struct walk {
    const struct event_list *events; /* by time */
    const int64_t *carried_ms;       /* [events->n] age that a part brings along */
    int64_t observe_start_ms, now_ms;
    int64_t component_id;
};

static bool renews(const struct event *e, int64_t component_id)
{
    if (e->kind == EVENT_FAILURE)
        return component_id == 0 || e->component_id == component_id;
    return e->component_id == 0 || e->component_id == component_id;
}

/* Walks the events of one asset: adds its lives to the sample, finds the last renewal. */
static enum ft_status walk_asset(const struct walk *w, const struct asset *a, struct sample *s,
                                 struct life *life, int64_t *renewed_ms, struct ft_err *err)
{
    int64_t start_ms = DB_NO_TIME; /* of the present life; DB_NO_TIME = age unknown */
    double entry_d = 0;            /* age at which the part came under our eyes */
    int64_t failed_ms = DB_NO_TIME;
    enum ft_status st = FT_OK;
    if (a->commissioned_ms != DB_NO_TIME && a->commissioned_ms >= w->observe_start_ms)
        start_ms = a->commissioned_ms;
    for (size_t i = 0; i < w->events->n && st == FT_OK; i++) {
        const struct event *e = &w->events->items[i];
        if (e->asset_id != a->id || e->ts_ms > w->now_ms || !renews(e, w->component_id))
            continue;
        const bool is_failure = e->kind == EVENT_FAILURE;
        life->n_failures += is_failure && !a->is_held_out;
        const bool is_repair =
            !is_failure && failed_ms != DB_NO_TIME && e->ts_ms - failed_ms <= REPAIR_MS;
        if (start_ms != DB_NO_TIME && !is_repair && !a->is_held_out &&
            days_between(start_ms, e->ts_ms) - entry_d >= MIN_LIFE_D)
            st = sample_add(s, days_between(start_ms, e->ts_ms), entry_d, is_failure,
                            (struct life_origin){a->id, e->ts_ms}, err);
        start_ms = e->ts_ms - w->carried_ms[i];
        entry_d = days_between(start_ms, e->ts_ms);
        if (is_failure)
            failed_ms = e->ts_ms;
    }
    const int64_t end_ms =
        a->retired_ms != DB_NO_TIME && a->retired_ms < w->now_ms ? a->retired_ms : w->now_ms;
    if (st == FT_OK && start_ms != DB_NO_TIME && !a->is_held_out &&
        days_between(start_ms, end_ms) - entry_d >= MIN_LIFE_D) {
        st = sample_add(s, days_between(start_ms, end_ms), entry_d, false,
                        (struct life_origin){a->id, end_ms}, err);
        life->n_censored++;
    }
    if (!a->is_held_out && w->observe_start_ms < end_ms) {
        const int64_t from_ms =
            a->commissioned_ms != DB_NO_TIME && a->commissioned_ms > w->observe_start_ms
                ? a->commissioned_ms
                : w->observe_start_ms;
        life->exposure_d += fmax(0, days_between(from_ms, end_ms));
    }
    *renewed_ms = start_ms;
    return st;
}

static enum ft_status fill_life(struct walk *w, const struct catalog *c, struct life *life,
                                struct lives *out, struct ft_err *err)
{
    struct sample s = {0};
    enum ft_status st = FT_OK;
    w->component_id = life->component_id;
    for (size_t i = 0; i < c->assets.n && st == FT_OK; i++) {
        const struct asset *a = &c->assets.items[i];
        int64_t renewed_ms = DB_NO_TIME;
        if (a->class_id != life->class_id)
            continue;
        st = walk_asset(w, a, &s, life, &renewed_ms, err);
        if (st == FT_OK && renewed_ms != DB_NO_TIME)
            out->renewals[out->n_renewals++] =
                (struct renewal){a->id, life->component_id, renewed_ms};
    }
    size_t n_failed = 0;
    for (size_t i = 0; i < s.n; i++)
        n_failed += s.failed[i];
    bool has_entry = false;
    for (size_t i = 0; i < s.n; i++)
        has_entry = has_entry || s.entry[i] > 0;
    life->n_censored = s.n - n_failed;
    /* A fit that the data cannot carry is no error here: there is simply none. */
    if (st == FT_OK && n_failed >= MIN_FAILURES)
        life->has_fit = weibull_fit(s.time, s.failed, has_entry ? s.entry : NULL, NULL, s.n,
                                    &life->fit, NULL) == FT_OK;
    life->time = s.time;
    life->entry = has_entry ? s.entry : NULL;
    if (!has_entry)
        free(s.entry);
    life->failed = s.failed;
    life->origin = s.origin;
    life->n = s.n;
    return st;
}

static int compare_renewals(const void *x, const void *y)
{
    const struct renewal *a = x;
    const struct renewal *b = y;
    if (a->asset_id != b->asset_id)
        return a->asset_id < b->asset_id ? -1 : 1;
    return (a->component_id > b->component_id) - (a->component_id < b->component_id);
}

enum ft_status lives_load(struct db *db, const struct catalog *c, int64_t now_ms, struct lives *out,
                          struct ft_err *err)
{
    const struct event_filter filter = {.kinds = 1U << EVENT_FAILURE | 1U << EVENT_REPLACEMENT};
    struct event_list events = {0};
    memset(out, 0, sizeof(*out));
    size_t n_pairs = 0; /* asset and component */
    for (size_t i = 0; i < c->assets.n; i++) {
        n_pairs++;
        for (size_t k = 0; k < c->components.n; k++)
            n_pairs += c->components.items[k].class_id == c->assets.items[i].class_id;
    }
    out->items = calloc(c->classes.n + c->components.n + 1, sizeof(*out->items));
    out->renewals = calloc(n_pairs + 1, sizeof(*out->renewals));
    if (out->items == NULL || out->renewals == NULL)
        return ft_fail(err, FT_NOMEM, "lives: no memory for %zu parts", n_pairs);
    enum ft_status st = event_list(db, &filter, &events, err);
    int64_t *carried_ms = calloc(events.n + 1, sizeof(*carried_ms));
    if (st == FT_OK && carried_ms == NULL)
        st = ft_fail(err, FT_NOMEM, "lives: no memory for %zu events", events.n);
    if (st == FT_OK)
        st = part_clock_carried(events.items, events.n, carried_ms, err);
    for (size_t i = 0; i < c->classes.n && st == FT_OK; i++) {
        const int64_t class_id = c->classes.items[i].id;
        struct walk w = {.events = &events, .carried_ms = carried_ms, .now_ms = now_ms};
        st = observation_start(db, c, &events, class_id, &w.observe_start_ms, err);
        for (size_t k = 0; k <= c->components.n && st == FT_OK; k++) {
            if (k > 0 && c->components.items[k - 1].class_id != class_id)
                continue;
            struct life *life = &out->items[out->n++];
            life->class_id = class_id;
            life->component_id = k > 0 ? c->components.items[k - 1].id : 0;
            st = fill_life(&w, c, life, out, err);
        }
    }
    free(carried_ms);
    event_list_free(&events);
    if (out->n_renewals > 1)
        qsort(out->renewals, out->n_renewals, sizeof(*out->renewals), compare_renewals);
    return st;
}

void lives_free(struct lives *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->items[i].time);
        free(l->items[i].entry);
        free(l->items[i].failed);
        free(l->items[i].origin);
    }
    free(l->items);
    free(l->renewals);
    memset(l, 0, sizeof(*l));
}

const struct life *lives_find(const struct lives *l, int64_t class_id, int64_t component_id)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->items[i].class_id == class_id && l->items[i].component_id == component_id)
            return &l->items[i];
    return NULL;
}

int64_t lives_renewed_ms(const struct lives *l, int64_t asset_id, int64_t component_id)
{
    const struct renewal key = {asset_id, component_id, 0};
    const struct renewal *r =
        l->n_renewals > 0 ? bsearch(&key, l->renewals, l->n_renewals, sizeof(key), compare_renewals)
                          : NULL;
    return r != NULL ? r->ts_ms : DB_NO_TIME;
}

double life_cost_rate(const struct life *life, double cost_planned, double cost_failure)
{
    if (life == NULL)
        return 0;
    if (life->has_fit)
        return weibull_age_replacement(&life->fit, cost_planned, cost_failure).cost_rate;
    if (!(life->exposure_d > 0))
        return 0;
    return cost_failure * fmax(0.5, (double)life->n_failures) / life->exposure_d;
}

double life_cost_rate_at(const struct weibull *w, double interval_d, double cost_planned,
                         double cost_failure)
{
    enum { STEPS = 512 }; /* even */
    const double h = interval_d / STEPS;
    double sum = 1 + weibull_survival(w, interval_d);
    for (int i = 1; i < STEPS; i++)
        sum += (i % 2 != 0 ? 4 : 2) * weibull_survival(w, h * i);
    const double s = weibull_survival(w, interval_d);
    return (cost_planned * s + cost_failure * (1 - s)) / (sum * h / 3);
}
