/* How one asset is simulated: first the lives of its parts from before the first reading to the end
 * (failures and preventive replacements in order of time), then load and stops hour by hour, then
 * the sensors from load, season, the wear that shows and noise, at last gaps and a stuck sensor.
 * Random numbers are keyed by (seed, asset and purpose, counter). */
#include "app/demo/plant.h"

#include "app/base/clock.h"
#include "app/base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Purposes of random streams; the asset index stands above them. */
enum stream { S_ASSET, S_LIFE, S_LOAD, S_NOISE, S_GAP, S_ALARM, S_STOP, S_DRIFT };

static uint64_t stream_of(size_t index, enum stream purpose, size_t part)
{
    return ((uint64_t)index << 16) | ((uint64_t)purpose << 8) | (uint64_t)part;
}

struct demo_options demo_options_default(int64_t now_ms)
{
    return (struct demo_options){.seed = 1,
                                 .n_assets = 60,
                                 .n_days = 365,
                                 .step_ms = MS_PER_HOUR,
                                 .end_ms = now_ms - now_ms % MS_PER_HOUR};
}

enum ft_status demo_options_check(const struct demo_options *o, struct ft_err *err)
{
    if (o->n_assets < 4 || o->n_assets > 5000)
        return ft_fail(err, FT_INVALID, "demo: %zu assets, expected 4 to 5000", o->n_assets);
    if (o->n_days < 30 || o->n_days > 3650)
        return ft_fail(err, FT_INVALID, "demo: %zu days, expected 30 to 3650", o->n_days);
    if (o->step_ms < 10 * MS_PER_MINUTE || o->step_ms > MS_PER_DAY)
        return ft_fail(err, FT_INVALID, "demo: step of %lld ms, expected 10m to 1d",
                       (long long)o->step_ms);
    return FT_OK;
}

struct lives {
    struct demo_life *items;
    size_t n, cap;
};

static enum ft_status lives_add(struct lives *l, const struct demo_life *life, struct ft_err *err)
{
    if (l->n == l->cap) {
        const size_t cap = l->cap == 0 ? 16 : l->cap * 2;
        struct demo_life *grown = realloc(l->items, cap * sizeof(*grown));
        if (grown == NULL)
            return ft_fail(err, FT_NOMEM, "demo: no memory for %zu lives", cap);
        l->items = grown;
        l->cap = cap;
    }
    l->items[l->n++] = *life;
    return FT_OK;
}

static enum ft_status add_event(struct demo_asset *a, const struct demo_event *e,
                                struct ft_err *err)
{
    if (a->n_events == a->events_cap) {
        const size_t cap = a->events_cap == 0 ? 64 : a->events_cap * 2;
        struct demo_event *grown = realloc(a->events, cap * sizeof(*grown));
        if (grown == NULL)
            return ft_fail(err, FT_NOMEM, "demo: no memory for %zu events", cap);
        a->events = grown;
        a->events_cap = cap;
    }
    a->events[a->n_events++] = *e;
    return FT_OK;
}

/* Draws life number k of a part installed at installed_ms. */
static struct demo_life draw_life(const struct demo_options *o, size_t index, size_t part,
                                  const struct demo_component *c, uint64_t k, int64_t installed_ms)
{
    const uint64_t s = stream_of(index, S_LIFE, part);
    const double u = 1.0 - rng_uniform(o->seed, s, 8 * k);
    const double days = c->scale_d * pow(-log(u), 1.0 / c->shape);
    return (struct demo_life){
        .installed_ms = installed_ms,
        .fails_ms = installed_ms + (int64_t)(fmax(days, 2.0) * (double)MS_PER_DAY),
        .onset = 0.72 + 0.18 * rng_uniform(o->seed, s, 8 * k + 1),
        .is_silent = c->mode != DEMO_WEAR || rng_uniform(o->seed, s, 8 * k + 2) < 0.12};
}

/* Instants snap to the reading grid, so that an event and the readings around it agree. */
static int64_t snap(const struct demo_asset *a, int64_t ts_ms)
{
    return ts_ms - (ts_ms - a->start_ms) % a->step_ms;
}

/* When the part of a life is replaced before it fails: the plant's rule, or what was decided. */
static int64_t planned_after(const struct demo_asset *a, size_t part, int64_t installed_ms,
                             double jitter, const struct demo_decisions *d)
{
    const double interval_d = a->cls->components[part].interval_d;
    if (interval_d > 0) { /* crews come some days early or late */
        const int64_t interval_ms = (int64_t)(interval_d * (double)MS_PER_DAY);
        const int64_t by_rule = snap(a, installed_ms + interval_ms +
                                            (int64_t)((jitter - 0.5) * 10 * (double)MS_PER_DAY));
        if (d == NULL || by_rule < d->from_ms)
            return by_rule;
    }
    for (size_t i = 0; d != NULL && i < d->n; i++)
        if (d->work[i].component == (int)part && d->work[i].ts_ms > installed_ms)
            return snap(a, d->work[i].ts_ms);
    return INT64_MAX;
}

/* Lives of one part until the end: a failure renews it, and so does the plant's preventive rule,
 * which replaces by calendar whatever the age. Events are written from the first install on. */
static enum ft_status simulate_part(const struct demo_options *o, size_t index, size_t part,
                                    const struct demo_decisions *decisions, struct demo_asset *a,
                                    struct lives *lives, struct ft_err *err)
{
    const struct demo_component *c = &a->cls->components[part];
    const uint64_t s = stream_of(index, S_ASSET, part);
    const int64_t interval_ms = (int64_t)(c->interval_d * (double)MS_PER_DAY);
    /* The first life began before the data: somewhere within the last typical life. */
    int64_t installed_ms =
        snap(a, a->start_ms - (int64_t)(rng_uniform(o->seed, s, 100) * 0.8 *
                                        fmin(c->scale_d, interval_ms > 0 ? c->interval_d : 1e9) *
                                        (double)MS_PER_DAY));
    struct demo_event install = {
        .ts_ms = installed_ms, .component = (int)part, .kind = "replacement"};
    snprintf(install.code, sizeof(install.code), "INSTALL");
    enum ft_status st = add_event(a, &install, err);
    for (uint64_t k = 0; st == FT_OK; k++) {
        struct demo_life life = draw_life(o, index, part, c, k, installed_ms);
        /* A part that would have failed before the data began did not: the machine was running. */
        for (uint64_t again = 1; life.fails_ms <= a->start_ms + MS_PER_DAY && again < 64; again++)
            life = draw_life(o, index, part, c, k + 1000 * again, installed_ms);
        life.fails_ms = snap(a, life.fails_ms);
        const int64_t planned_ms =
            planned_after(a, part, installed_ms, rng_uniform(o->seed, s, 200 + k), decisions);
        const bool fails_first = life.fails_ms < planned_ms;
        life.removed_ms = fails_first ? life.fails_ms : planned_ms;
        st = lives_add(lives, &life, err);
        if (st != FT_OK || life.removed_ms > o->end_ms)
            break;
        const double spread = 0.8 + 0.4 * rng_uniform(o->seed, s, 300 + k);
        struct demo_event e = {
            .ts_ms = life.removed_ms,
            .component = (int)part,
            .kind = fails_first ? "failure" : "replacement",
            .downtime_h = spread * (fails_first ? c->unplanned_h : c->planned_h),
            .cost = round(spread * (fails_first ? c->unplanned_repair : c->planned_repair))};
        snprintf(e.code, sizeof(e.code), "%s", fails_first ? "BREAKDOWN" : "PM");
        st = add_event(a, &e, err);
        installed_ms = life.removed_ms;
    }
    return st;
}

static int compare_events(const void *x, const void *y)
{
    const struct demo_event *a = x;
    const struct demo_event *b = y;
    if (a->ts_ms != b->ts_ms)
        return a->ts_ms < b->ts_ms ? -1 : 1;
    if (a->component != b->component)
        return a->component - b->component;
    return strcmp(a->code, b->code);
}

/* Load of the machine at instant i, 0..1; 0 = stopped. Day and night, weekend, campaigns of a few
 * days at one grade, and short random stops. A machining centre runs four programs instead. */
static double load_at(const struct demo_options *o, size_t index, const struct demo_asset *a,
                      size_t i)
{
    const int64_t ts_ms = a->start_ms + (int64_t)i * a->step_ms;
    const int64_t hour = ts_ms / MS_PER_HOUR;
    const int64_t day = ts_ms / MS_PER_DAY;
    const bool is_weekend = (day + 4) % 7 == 0 || (day + 4) % 7 == 6; /* 1970-01-01: a Thursday */
    const uint64_t s = stream_of(index, S_LOAD, 0);
    if (strcmp(a->cls->name, "cnc_spindle") == 0) {
        static const double programs[] = {0.25, 0.45, 0.70, 0.95};
        const int64_t of_day = hour % 24;
        if (is_weekend || of_day < 6 || of_day >= 22)
            return 0;
        return programs[rng_below(o->seed, s, (uint64_t)(hour / 4), 4)];
    }
    if (rng_uniform(o->seed, stream_of(index, S_STOP, 0), (uint64_t)(hour / 6)) < 0.01)
        return 0;
    const double grade = 0.55 + 0.35 * rng_uniform(o->seed, s, (uint64_t)(day / 3));
    const double daily = 0.06 * sin((double)(hour % 24) * 0.2617993877991494);
    return fmin(1.0, fmax(0.2, grade + daily - (is_weekend ? 0.12 : 0.0)));
}

const struct demo_life *demo_life_at(const struct demo_asset *a, size_t part, int64_t ts_ms)
{
    size_t i = 0;
    while (i + 1 < a->n_lives[part] && a->lives[part][i].removed_ms <= ts_ms)
        i++;
    return &a->lives[part][i];
}

/* Convex. */
double demo_sign(const struct demo_life *l, int64_t ts_ms)
{
    if (l->is_silent)
        return 0;
    const double used = (double)(ts_ms - l->installed_ms) / (double)(l->fails_ms - l->installed_ms);
    const double x = (used - l->onset) / (1.0 - l->onset);
    return x <= 0 ? 0 : pow(fmin(x, 1.0), 1.8);
}

/* Marks the steps in which the machine stands still after a failure or a planned stop. */
static void mark_down(const struct demo_asset *a, unsigned char *down)
{
    for (size_t e = 0; e < a->n_events; e++) {
        const struct demo_event *v = &a->events[e];
        if (v->downtime_h <= 0 || v->ts_ms < a->start_ms)
            continue;
        const size_t first = (size_t)((v->ts_ms - a->start_ms) / a->step_ms);
        const size_t n = (size_t)ceil(v->downtime_h * (double)MS_PER_HOUR / (double)a->step_ms);
        for (size_t i = first; i < first + n && i < a->n_steps; i++)
            down[i] = 1;
    }
}

static double round_to(double v, double scale)
{
    return round(v * scale) / scale;
}

/* Values of every sensor, before gaps. sign[part] at each step comes from the lives in order. */
static void simulate_sensors(const struct demo_options *o, size_t index, struct demo_asset *a,
                             const struct lives *lives, const unsigned char *down)
{
    const struct demo_class *cls = a->cls;
    size_t at[DEMO_MAX_COMPONENTS] = {0};
    double own[DEMO_MAX_SENSORS]; /* every machine sits a little off its class */
    for (size_t j = 0; j < cls->n_sensors; j++)
        own[j] = cls->sensors[j].is_setting
                     ? 0
                     : 1.5 * cls->sensors[j].spread *
                           rng_normal(o->seed, stream_of(index, S_ASSET, 10), j);
    for (size_t i = 0; i < a->n_steps; i++) {
        const int64_t ts_ms = a->start_ms + (int64_t)i * a->step_ms;
        const double load = down[i] ? 0 : load_at(o, index, a, i);
        const double season = sin((double)(ts_ms / MS_PER_DAY % 365 - 110) * 0.01721420632103996);
        double effect[DEMO_MAX_SENSORS] = {0};
        for (size_t p = 0; p < cls->n_components; p++) {
            while (at[p] + 1 < lives[p].n && lives[p].items[at[p]].removed_ms <= ts_ms)
                at[p]++;
            const double sign = demo_sign(&lives[p].items[at[p]], ts_ms);
            for (size_t j = 0; j < cls->n_sensors; j++)
                effect[j] += sign * cls->components[p].effect[j] * cls->sensors[j].spread;
        }
        for (size_t j = 0; j < cls->n_sensors; j++) {
            const struct demo_sensor *s = &cls->sensors[j];
            const double noise = s->spread * rng_normal(o->seed, stream_of(index, S_NOISE, j), i);
            double v;
            if (load <= 0)
                v = s->idle + (s->is_setting ? 0 : 0.2 * noise);
            else
                v = s->base + s->per_load * load + s->seasonal * season + own[j] +
                    effect[j] * (0.7 + 0.3 * load) + noise;
            a->values[j][i] = round_to(fmax(v, 0.0), s->scale);
        }
    }
}

/* Gaps of some days in single sensors, and on one asset in fifteen a sensor that sticks. */
static void break_sensors(const struct demo_options *o, size_t index, struct demo_asset *a)
{
    const uint64_t s = stream_of(index, S_GAP, 0);
    const size_t per_day = (size_t)(MS_PER_DAY / a->step_ms);
    for (uint64_t g = 0; g < 4; g++) {
        if (rng_uniform(o->seed, s, 10 * g) > 0.35 || a->n_steps < 20 * per_day)
            continue;
        const size_t j = 1 + (size_t)rng_below(o->seed, s, 10 * g + 1, a->cls->n_sensors - 1);
        const size_t first = (size_t)rng_below(o->seed, s, 10 * g + 2, a->n_steps - 10 * per_day);
        const size_t n = per_day + (size_t)rng_below(o->seed, s, 10 * g + 3, 8 * per_day);
        for (size_t i = first; i < first + n && i < a->n_steps; i++)
            a->values[j][i] = NAN;
    }
    if (index % 15 == 7) {
        const size_t j = a->cls->n_sensors - 1;
        const size_t first = a->n_steps - a->n_steps / 6;
        for (size_t i = first; i < a->n_steps; i++)
            a->values[j][i] = a->values[j][first - 1];
    }
}

/* An alarm when a sensor stays above its limit, at most one per sensor and day, and some that mean
 * nothing. */
static enum ft_status add_alarms(const struct demo_options *o, size_t index, struct demo_asset *a,
                                 struct ft_err *err)
{
    const size_t per_day = (size_t)(MS_PER_DAY / a->step_ms);
    for (size_t j = 0; j < a->cls->n_sensors; j++) {
        const struct demo_sensor *s = &a->cls->sensors[j];
        size_t quiet_until = 0;
        for (size_t i = 1; i < a->n_steps && s->alarm_high > 0; i++) {
            if (i < quiet_until || !(a->values[j][i] > s->alarm_high) ||
                !(a->values[j][i - 1] > s->alarm_high))
                continue;
            struct demo_event e = {
                .ts_ms = a->start_ms + (int64_t)i * a->step_ms, .component = -1, .kind = "alarm"};
            snprintf(e.code, sizeof(e.code), "%.18s_HIGH", s->name);
            quiet_until = i + per_day;
            const enum ft_status st = add_event(a, &e, err);
            if (st != FT_OK)
                return st;
        }
    }
    for (uint64_t k = 0; k < a->n_steps / per_day; k++) { /* a nuisance alarm in about 50 days */
        if (rng_uniform(o->seed, stream_of(index, S_ALARM, 0), k) > 0.02)
            continue;
        struct demo_event e = {.ts_ms = a->start_ms + (int64_t)k * MS_PER_DAY + 11 * a->step_ms,
                               .component = -1,
                               .kind = "alarm"};
        if (e.ts_ms > o->end_ms)
            continue;
        snprintf(e.code, sizeof(e.code), "COMM_LOST");
        const enum ft_status st = add_event(a, &e, err);
        if (st != FT_OK)
            return st;
    }
    return FT_OK;
}

/* Which class asset number index belongs to, and its number within the class. */
static const struct demo_class *class_of(const struct demo_options *o, size_t index, size_t *number)
{
    size_t n;
    const struct demo_class *classes = demo_classes(&n);
    size_t first = 0;
    double share = 0;
    for (size_t c = 0; c < n; c++) {
        share += classes[c].share;
        /* Every class has at least one asset, the last takes the rest. */
        size_t end = c + 1 == n ? o->n_assets : (size_t)(share * (double)o->n_assets + 0.5);
        if (end < first + 1)
            end = first + 1;
        if (index < end) {
            *number = index - first;
            return &classes[c];
        }
        first = end;
    }
    *number = index - first;
    return &classes[n - 1];
}

static void name_asset(const struct demo_options *o, size_t index, struct demo_asset *a)
{
    static const char *const models[] = {"A", "B", "C"};
    size_t number = 0;
    a->cls = class_of(o, index, &number);
    const uint64_t s = stream_of(index, S_ASSET, 20);
    snprintf(a->key, sizeof(a->key), "%s%zu", a->cls->prefix, 1101 + 3 * number);
    snprintf(a->name, sizeof(a->name), "%s %zu", a->cls->label, number + 1);
    snprintf(a->area, sizeof(a->area), "%s", a->cls->areas[rng_below(o->seed, s, 0, 3)]);
    snprintf(a->model, sizeof(a->model), "%s", models[rng_below(o->seed, s, 1, 3)]);
    a->year_built = 2008 + (int)rng_below(o->seed, s, 2, 14);
    /* Mean years: the exact day does not matter, the same instant everywhere does. */
    a->commissioned_ms = (int64_t)((a->year_built - 1970) * 365.25 + 60) * MS_PER_DAY;
}

static enum ft_status simulate(const struct demo_options *o, size_t index,
                               const struct demo_decisions *decisions, struct demo_asset *a,
                               struct lives *lives, unsigned char **down, struct ft_err *err)
{
    for (size_t j = 0; j < a->cls->n_sensors; j++) {
        a->values[j] = calloc(a->n_steps, sizeof(double));
        if (a->values[j] == NULL)
            return ft_fail(err, FT_NOMEM, "demo: no memory for %zu readings", a->n_steps);
    }
    *down = calloc(a->n_steps, 1);
    if (*down == NULL)
        return ft_fail(err, FT_NOMEM, "demo: no memory for %zu steps", a->n_steps);
    enum ft_status st = FT_OK;
    for (size_t p = 0; p < a->cls->n_components && st == FT_OK; p++) {
        st = simulate_part(o, index, p, decisions, a, &lives[p], err);
        if (st != FT_OK)
            break;
        const struct demo_life *now = &lives[p].items[lives[p].n - 1];
        a->truth[p] = (struct demo_truth){.installed_ms = now->installed_ms,
                                          .fails_ms = now->fails_ms,
                                          .wear = (double)(o->end_ms - now->installed_ms) /
                                                  (double)(now->fails_ms - now->installed_ms),
                                          .sign = demo_sign(now, o->end_ms),
                                          .is_silent = now->is_silent};
    }
    if (st != FT_OK)
        return st;
    mark_down(a, *down);
    simulate_sensors(o, index, a, lives, *down);
    break_sensors(o, index, a);
    st = add_alarms(o, index, a, err);
    if (st == FT_OK)
        qsort(a->events, a->n_events, sizeof(*a->events), compare_events);
    return st;
}

enum ft_status demo_asset_simulate(const struct demo_options *o, size_t index,
                                   const struct demo_decisions *decisions, struct demo_asset *out,
                                   struct ft_err *err)
{
    struct lives lives[DEMO_MAX_COMPONENTS] = {0};
    unsigned char *down = NULL;
    *out = (struct demo_asset){.step_ms = o->step_ms};
    enum ft_status st = demo_options_check(o, err);
    if (st != FT_OK)
        return st;
    out->n_steps = (size_t)((int64_t)o->n_days * MS_PER_DAY / o->step_ms) + 1;
    out->start_ms = o->end_ms - (int64_t)(out->n_steps - 1) * o->step_ms;
    name_asset(o, index, out);
    st = simulate(o, index, decisions, out, lives, &down, err);
    for (size_t p = 0; p < DEMO_MAX_COMPONENTS; p++) {
        out->lives[p] = lives[p].items;
        out->n_lives[p] = lives[p].n;
    }
    free(down);
    if (st != FT_OK)
        demo_asset_clear(out);
    return st;
}

void demo_asset_clear(struct demo_asset *a)
{
    for (size_t j = 0; j < DEMO_MAX_SENSORS; j++)
        free(a->values[j]);
    for (size_t p = 0; p < DEMO_MAX_COMPONENTS; p++)
        free(a->lives[p]);
    free(a->events);
    *a = (struct demo_asset){0};
}
