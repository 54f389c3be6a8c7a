/* Contributions -> groups -> words. */
#include "app/reasons.h"

#include "app/base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_ELSE "all else"

struct group {
    enum feature_source source;
    size_t index;
    double raw;         /* sum of the contributions */
    size_t lead;        /* column of the greatest contribution */
    double lead_amount; /* its size */
};

/* Whose row is told, and how its sensors stand. */
struct told {
    const struct feature_set *fs;
    const struct history *h;
    size_t asset;
    const float *row;
    const double *z; /* [n_health_sensors] of a set of health channels, else NULL */
    int64_t as_of_ms;
};

static int compare_groups(const void *pa, const void *pb)
{
    const struct group *a = pa;
    const struct group *b = pb;
    if (fabs(a->raw) != fabs(b->raw))
        return fabs(a->raw) > fabs(b->raw) ? -1 : 1;
    return a->lead < b->lead ? -1 : a->lead > b->lead;
}

struct group_list {
    struct group *items; /* room for every column and every sensor */
    size_t n;
};

static void add_to_group(struct group_list *l, enum feature_source source, size_t index,
                         size_t column, double amount)
{
    size_t g = 0;
    while (g < l->n && (l->items[g].source != source || l->items[g].index != index))
        g++;
    if (g == l->n)
        l->items[l->n++] = (struct group){.source = source, .index = index, .lead = column};
    l->items[g].raw += amount;
    if (fabs(amount) > l->items[g].lead_amount) {
        l->items[g].lead_amount = fabs(amount);
        l->items[g].lead = column;
    }
}

/* A health channel is no reason that a person can check: what it adds goes to the sensors that it
 * rests on. share as of features_health_shares(). */
static void gather_groups(const struct feature_set *fs, const double *contributions,
                          const double *share, struct group_list *l)
{
    const size_t p = fs->n_health_sensors;
    for (size_t j = 0; j < fs->n; j++) {
        const struct feature_info *info = &fs->infos[j];
        size_t channel = info->index;
        if (info->source != FEATURE_HEALTH) {
            add_to_group(l, info->source, info->index, j, contributions[j]);
            continue;
        }
        if (channel == features_health_n_channels(fs))
            channel--; /* what no channel explains is told with the last */
        for (size_t s = 0; s < p; s++)
            if (share[channel * p + s] > 0)
                add_to_group(l, FEATURE_SENSOR, fs->health_sensor[s], j,
                             contributions[j] * share[channel * p + s]);
    }
    qsort(l->items, l->n, sizeof(*l->items), compare_groups);
}

/* --- words --- */

/* First column of a group. */
static size_t first_column(const struct feature_set *fs, const struct group *g)
{
    size_t j = 0;
    while (fs->infos[j].source != g->source || fs->infos[j].index != g->index)
        j++;
    return j;
}

static size_t sensor_in_history(const struct history *h, const char *name)
{
    for (size_t s = 0; s < h->n_sensors; s++)
        if (strcmp(h->sensors[s].name, name) == 0)
            return s;
    return HISTORY_NO_INDEX;
}

/* Mean of the middle window in standard deviations of the sensor's operating regime. NaN when the
 * class has one regime only, or there are no readings. */
static double regime_z(const struct told *t, const struct group *g)
{
    const struct feature_set *fs = t->fs;
    if (fs->sensors[g->index].mean == NULL)
        return NAN;
    if (fs->view != FEATURE_VIEW_HEALTH)
        return t->row[first_column(fs, g) + 1 + 5 * (fs->n_windows / 2)];
    for (size_t i = 0; i < fs->n_health_sensors; i++)
        if (fs->health_sensor[i] == g->index)
            return t->z[i];
    return NAN;
}

static void say_sensor(const struct told *t, const struct group *g, char *out, size_t size)
{
    const struct feature_set *fs = t->fs;
    const struct history *h = t->h;
    const struct feature_sensor *s = &fs->sensors[g->index];
    const size_t in_history = sensor_in_history(h, s->name);
    struct feature_standing st = {NAN, NAN, NAN, NAN};
    const char *unit = "";
    if (in_history != HISTORY_NO_INDEX) {
        st = features_standing(fs, h, t->asset, in_history, t->as_of_ms);
        unit = h->sensors[in_history].unit != NULL ? h->sensors[in_history].unit : "";
        if (strcmp(unit, "1") == 0) /* UCUM's name for "no unit" */
            unit = "";
    }
    const double rise =
        st.slope_per_unit * (double)fs->window_ms[fs->n_windows - 1] / (double)fs->unit_ms;
    const char *trend = "";
    if (isfinite(rise) && isfinite(st.spread) && fabs(rise) > st.spread)
        trend = rise > 0 ? ", rising" : ", falling";
    /* A small one says less than the comparison with the asset's own baseline. */
    const double z = regime_z(t, g);
    if (!isfinite(st.now)) {
        (void)snprintf(out, size, "%.60s: no fresh readings", s->name);
    } else if (s->mean != NULL && !(fabs(z) < 1.0)) {
        if (isfinite(z))
            (void)snprintf(out, size, "%.60s %.1f standard deviations %s normal for its regime%s",
                           s->name, fabs(z), z < 0 ? "below" : "above", trend);
        else
            (void)snprintf(out, size, "%.60s: operating regime unknown", s->name);
    } else if (!isfinite(st.baseline)) {
        (void)snprintf(out, size, "%.60s %.4g %.20s%s", s->name, st.now, unit, trend);
    } else if (st.baseline > 0 && (st.now >= 1.15 * st.baseline || st.now <= 0.87 * st.baseline)) {
        (void)snprintf(out, size, "%.60s %.1f times its own baseline%s", s->name,
                       st.now / st.baseline, trend);
    } else {
        (void)snprintf(out, size, "%.60s %.4g %.20s, own baseline %.4g%s", s->name, st.now, unit,
                       st.baseline, trend);
    }
}

static void say_alarm(const struct feature_set *fs, const float *row, const struct group *g,
                      char *out, size_t size)
{
    const size_t j = first_column(fs, g);
    const char *code = g->index < fs->n_codes ? fs->codes[g->index] : "alarms of any kind";
    const double count = row[j + fs->n_windows - 1];
    const double since = row[j + fs->n_windows];
    char w[32];
    features_duration_text(fs, fs->window_ms[fs->n_windows - 1], w, sizeof(w));
    if (!isfinite(since))
        (void)snprintf(out, size, "no %.80s so far", code);
    else if (fs->is_cycles)
        (void)snprintf(out, size, "%.80s: %.0f in %s, last %.0f cycles ago", code, count, w, since);
    else if (since < 2)
        (void)snprintf(out, size, "%.80s: %.0f in %s, last %.0f h ago", code, count, w, since * 24);
    else
        (void)snprintf(out, size, "%.80s: %.0f in %s, last %.0f days ago", code, count, w, since);
}

static void say_group(const struct told *t, const struct group *g, char *out, size_t size)
{
    const struct feature_set *fs = t->fs;
    const struct history *h = t->h;
    const float *row = t->row;
    static const char *const events[] = {"failure", "repair", "inspection"};
    const char *unit = fs->is_cycles ? "cycles" : "days";
    const bool has_column = g->source != FEATURE_SENSOR && g->source != FEATURE_HEALTH;
    const double value = has_column ? row[first_column(fs, g)] : NAN;
    switch (g->source) {
    case FEATURE_SENSOR:
        say_sensor(t, g, out, size);
        break;
    case FEATURE_HEALTH: /* told by its sensors, see gather_groups() */
        (void)snprintf(out, size, "health channels");
        break;
    case FEATURE_SETTING:
    case FEATURE_METER:
        (void)snprintf(out, size, "%.80s %.4g", fs->sensors[g->index].name, value);
        break;
    case FEATURE_ALARM:
        say_alarm(fs, row, g, out, size);
        break;
    case FEATURE_COMPONENT:
        if (isfinite(value))
            (void)snprintf(out, size, "%.80s renewed %.0f %s ago", fs->components[g->index].name,
                           value, unit);
        else
            (void)snprintf(out, size, "age of %.80s unknown", fs->components[g->index].name);
        break;
    case FEATURE_EVENT:
        if (isfinite(value))
            (void)snprintf(out, size, "last %s %.0f %s ago", events[g->index % 3], value, unit);
        else
            (void)snprintf(out, size, "no %s on record", events[g->index % 3]);
        break;
    case FEATURE_AGE:
        (void)snprintf(out, size, "%.0f %s old", value, unit);
        break;
    case FEATURE_ATTRIBUTE: {
        const char *text = "unknown";
        for (size_t i = 0; i < h->n_attributes; i++)
            if (strcmp(h->attribute_names[i], fs->attributes[g->index].name) == 0 &&
                h->assets[t->asset].attributes[i] != NULL)
                text = h->assets[t->asset].attributes[i];
        (void)snprintf(out, size, "%.80s is %.60s", fs->attributes[g->index].name, text);
        break;
    }
    }
}

/* --- points --- */

static void put_all_else(struct forecast *f, double points)
{
    struct forecast_reason *r = &f->reasons[f->n_reasons++];
    *r = (struct forecast_reason){.points = points};
    (void)snprintf(r->text, sizeof(r->text), "%s", ALL_ELSE);
}

static int compare_reasons(const void *pa, const void *pb)
{
    const struct forecast_reason *a = pa;
    const struct forecast_reason *b = pb;
    if (fabs(a->points) != fabs(b->points))
        return fabs(a->points) > fabs(b->points) ? -1 : 1;
    return strcmp(a->text, b->text);
}

/* Groups one by one from the base, greatest first, each with the change of probability it makes. */
static void add_reasons(const struct told *t, const double *contributions,
                        const struct group_list *l, reason_probability p, const void *ctx,
                        struct forecast *f)
{
    double raw = contributions[t->fs->n];
    double total = raw;
    double before = p(ctx, raw);
    for (size_t g = 0; g < l->n; g++)
        total += l->items[g].raw;
    f->n_reasons = 0;
    f->base_points = before;
    for (size_t g = 0; g < l->n && f->n_reasons + 1 < FORECAST_MAX_REASONS; g++) {
        raw += l->items[g].raw;
        const double after = p(ctx, raw);
        struct forecast_reason *r = &f->reasons[f->n_reasons++];
        *r = (struct forecast_reason){.points = after - before};
        say_group(t, &l->items[g], r->text, sizeof(r->text));
        (void)snprintf(r->feature, sizeof(r->feature), "%s", t->fs->infos[l->items[g].lead].name);
        if (l->items[g].source <= FEATURE_METER)
            (void)snprintf(r->sensor, sizeof(r->sensor), "%s",
                           t->fs->sensors[l->items[g].index].name);
        before = after;
    }
    qsort(f->reasons, f->n_reasons, sizeof(f->reasons[0]), compare_reasons);
    if (l->n > f->n_reasons)
        put_all_else(f, p(ctx, total) - before);
}

enum ft_status reasons_fill(const struct feature_set *fs, const struct history *h, size_t asset,
                            const float *row, const double *contributions, reason_probability p,
                            const void *ctx, struct forecast *f, struct ft_err *err)
{
    const size_t p_health = fs->n_health_sensors;
    struct group_list l = {.items = calloc(fs->n + fs->n_sensors + 1, sizeof(*l.items))};
    double *z = calloc(p_health + 1, sizeof(*z));
    double *share = calloc(features_health_n_channels(fs) * p_health + 1, sizeof(*share));
    enum ft_status st = l.items == NULL || z == NULL || share == NULL
                            ? ft_fail(err, FT_NOMEM, "reasons: no memory")
                            : FT_OK;
    if (st == FT_OK && fs->n_health > 0)
        st = features_health_shares(fs, h, asset, f->as_of_ms, z, share, err);
    if (st == FT_OK) {
        const struct told t = {fs, h, asset, row, z, f->as_of_ms};
        gather_groups(fs, contributions, share, &l);
        add_reasons(&t, contributions, &l, p, ctx, f);
    }
    free(l.items);
    free(z);
    free(share);
    return st;
}

void reasons_join(const struct forecast *const *parts, const char *const *names, size_t n, double p,
                  struct forecast *out)
{
    double healthy = 1;
    double rest = p;
    out->n_reasons = 0;
    for (size_t i = 0; i < n; i++)
        healthy *= 1 - parts[i]->base_points;
    out->base_points = 1 - healthy;
    rest -= out->base_points;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < parts[i]->n_reasons; k++) {
            const struct forecast_reason *from = &parts[i]->reasons[k];
            const size_t room = FORECAST_MAX_REASONS - 1;
            if (strcmp(from->text, ALL_ELSE) == 0)
                continue;
            size_t at = out->n_reasons;
            if (at == room) { /* replaces the smallest when it is greater */
                at = room - 1;
                if (fabs(from->points) <= fabs(out->reasons[at].points))
                    continue;
            } else {
                out->n_reasons++;
            }
            out->reasons[at] = *from;
            (void)snprintf(out->reasons[at].text, sizeof(out->reasons[at].text), "%.40s: %.110s",
                           names[i], from->text);
            qsort(out->reasons, out->n_reasons, sizeof(out->reasons[0]), compare_reasons);
        }
    }
    for (size_t k = 0; k < out->n_reasons; k++)
        rest -= out->reasons[k].points;
    if (out->n_reasons > 0 || fabs(rest) > 1e-12)
        put_all_else(out, rest);
}
