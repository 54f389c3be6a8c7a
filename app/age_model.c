/* Life table of one component over a class, and its Weibull fit. */
#include "app/age_model.h"

#include "app/base/clock.h"
#include "app/dataset.h"

#include <math.h>
#include <stdlib.h>

struct lives {
    double *time, *entry;
    bool *failed;
    size_t n;
    double exposure; /* unit-times watched, unknown ages included */
    size_t n_failures;
};

/* One piece of life from start (DB_NO_TIME = unknown) to end, watched from watched_from. */
static void add_life(struct lives *l, double unit_ms, int64_t start, int64_t watched_from,
                     int64_t end, bool has_failed)
{
    const int64_t from = start != DB_NO_TIME && start > watched_from ? start : watched_from;
    if (end <= from)
        return;
    l->exposure += (double)(end - from) / unit_ms;
    l->n_failures += has_failed;
    if (start == DB_NO_TIME)
        return;
    l->time[l->n] = (double)(end - start) / unit_ms;
    l->entry[l->n] = (double)(from - start) / unit_ms;
    l->failed[l->n] = has_failed;
    l->n++;
}

static void add_asset(struct lives *l, const struct history *h, const struct history_asset *a,
                      size_t component, int64_t until_ms)
{
    const double unit_ms = (double)(h->cycle_ms > 0 ? h->cycle_ms : MS_PER_DAY);
    const struct dataset_span span = dataset_watched(h, a, until_ms);
    if (span.end_ms <= span.start_ms)
        return;
    int64_t start = history_renewal_ms(h, a, component, span.start_ms);
    int64_t seen = span.start_ms; /* the present life is watched from here */
    bool is_alive = true;
    for (size_t i = 0; i < a->n_events && a->events[i].ts_ms <= span.end_ms && is_alive; i++) {
        const struct history_event *e = &a->events[i];
        const bool has_failed = history_is_failure(e, component);
        if (e->ts_ms <= span.start_ms || (!has_failed && !history_is_replacement(e, component)))
            continue;
        add_life(l, unit_ms, start, seen, e->ts_ms, has_failed);
        start = e->ts_ms - e->carried_ms;
        seen = e->ts_ms;
        is_alive = !(a->is_ended && i + 1 == a->n_events);
    }
    if (is_alive)
        add_life(l, unit_ms, start, seen, span.end_ms, false);
}

static enum ft_status fit_lives(const struct lives *l, struct age_model *out, struct ft_err *err)
{
    struct ft_err reason;
    enum ft_status st = weibull_fit(l->time, l->failed, l->entry, NULL, l->n, &out->life, &reason);
    out->is_shape_fixed = st != FT_OK || out->life.n_failures < 3;
    if (!out->is_shape_fixed)
        return FT_OK;
    /* Too few failures to see a shape: constant hazard, which claims no wear-out. */
    st = weibull_fit_fixed_shape(l->time, l->failed, l->entry, NULL, l->n, 1.0, &out->life, err);
    return st;
}

enum ft_status age_model_fit(const struct history *h, size_t component, const bool *is_training,
                             int64_t until_ms, struct age_model *out, struct ft_err *err)
{
    struct lives l = {0};
    size_t cap = 0;
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < h->n_assets; i++)
        cap += h->assets[i].n_events + 1;
    *out = (struct age_model){.unit_ms = (double)(h->cycle_ms > 0 ? h->cycle_ms : MS_PER_DAY)};
    l.time = calloc(cap + 1, sizeof(*l.time));
    l.entry = calloc(cap + 1, sizeof(*l.entry));
    l.failed = calloc(cap + 1, sizeof(*l.failed));
    if (l.time == NULL || l.entry == NULL || l.failed == NULL) {
        st = ft_fail(err, FT_NOMEM, "age model: no memory");
        goto out;
    }
    for (size_t i = 0; i < h->n_assets; i++)
        if (is_training != NULL ? is_training[i] : !h->assets[i].is_held_out)
            add_asset(&l, h, &h->assets[i], component, until_ms);
    if (l.n == 0 || !(l.exposure > 0)) {
        st = ft_fail(err, FT_TOO_FEW, "class %s: no life of %s is recorded", h->class_name,
                     component != HISTORY_NO_INDEX ? h->components[component].name : "any asset");
        goto out;
    }
    out->n_failures = l.n_failures;
    out->rate = (l.n_failures > 0 ? (double)l.n_failures : 0.5) / l.exposure;
    st = fit_lives(&l, out, err);
out:
    free(l.time);
    free(l.entry);
    free(l.failed);
    return st;
}

double age_model_hazard(const struct age_model *m, int64_t age_ms, int64_t dur_ms)
{
    const double dur = (double)dur_ms / m->unit_ms;
    if (age_ms == DB_NO_TIME)
        return m->rate * dur;
    const double age = age_ms > 0 ? (double)age_ms / m->unit_ms : 0;
    return pow((age + dur) / m->life.scale, m->life.shape) -
           pow(age / m->life.scale, m->life.shape);
}

double age_model_probability(const struct age_model *m, int64_t age_ms, int64_t dur_ms)
{
    return -expm1(-age_model_hazard(m, age_ms, dur_ms));
}

double age_model_remaining_ms(const struct age_model *m, int64_t age_ms, double p)
{
    if (age_ms == DB_NO_TIME)
        return -log1p(-p) / m->rate * m->unit_ms;
    const double age = age_ms > 0 ? (double)age_ms / m->unit_ms : 0;
    return weibull_remaining_quantile(&m->life, age, p) * m->unit_ms;
}

double age_model_expected(const struct age_model *m, int64_t age_ms, double cap_units)
{
    enum { STEPS = 100 }; /* midpoint rule over the survival curve */
    double sum = 0;
    /* Nothing is left to add where one in ten thousand survives. */
    cap_units = fmin(cap_units, age_model_remaining_ms(m, age_ms, 0.9999) / m->unit_ms);
    for (size_t i = 0; i < STEPS; i++) {
        const double t = ((double)i + 0.5) * cap_units / STEPS;
        sum += exp(-age_model_hazard(m, age_ms, (int64_t)(t * m->unit_ms)));
    }
    return sum * cap_units / STEPS;
}
