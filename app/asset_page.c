#include "app/asset_page.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/fleet_rows.h"
#include "app/inbox.h"
#include "app/words.h"
#include "app/work_order_json.h"
#include "db/event_store.h"
#include "db/model_store.h"
#include "db/prediction_store.h"
#include "db/reading_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORK = 50, MAX_SIMILAR = 6, BASELINE_BUCKETS = 120 };
/* The baseline is the first part of an asset's readings, at most this long. */
#define BASELINE_MS (90 * MS_PER_DAY)

struct asset_view {
    struct db *db;
    struct snapshot s;
    const struct asset *a;
    struct fleet_row row;
    struct snapshot_case lead; /* case of the component that carries most risk */
    bool has_lead;
};

static double major(const struct asset_view *v, double minor)
{
    return isnan(minor) ? NAN : money_to_major(llround(minor), v->s.site.currency);
}

static void add_day(cJSON *o, const char *key, int64_t ts_ms)
{
    char date[CLOCK_TEXT_SIZE];
    clock_format_local_date(ts_ms, date);
    json_add_string(o, key, date);
}

static void view_free(struct asset_view *v)
{
    snapshot_free(&v->s);
}

static enum ft_status view_load(struct db *db, const char *key, struct asset_view *v,
                                struct ft_err *err)
{
    v->db = db;
    enum ft_status st = snapshot_load(db, 0, &v->s, err);
    for (size_t i = 0; i < v->s.catalog.assets.n && st == FT_OK; i++)
        if (strcmp(v->s.catalog.assets.items[i].key, key) == 0)
            v->a = &v->s.catalog.assets.items[i];
    if (st == FT_OK && v->a == NULL)
        st = ft_fail(err, FT_NOT_FOUND, "there is no asset \"%.100s\"", key);
    if (st != FT_OK)
        return st;
    fleet_row_build(&v->s, v->a, PREDICTIVE_WINDOW_DAYS * MS_PER_DAY, &v->row);
    if (v->row.lead != NULL && v->row.lead->n_horizons > 0) {
        snapshot_case(&v->s, v->row.lead, &v->lead);
        v->has_lead = true;
    }
    return FT_OK;
}

/* --- head ------------------------------------------------------------------------------------- */

static enum ft_status add_attributes(const struct asset_view *v, cJSON *o, struct ft_err *err)
{
    struct attribute_list l = {0};
    cJSON *attributes = json_add_object(o, "attributes");
    const enum ft_status st = asset_attribute_list(v->db, v->a->id, &l, err);
    for (size_t i = 0; i < l.n; i++)
        json_add_string(attributes, l.items[i].name, l.items[i].value);
    attribute_list_free(&l);
    return st;
}

/* Does the case ask for work (or is it open)? Then its window counts. */
static bool has_work(const struct asset_view *v)
{
    return v->has_lead && v->row.has_case;
}

static void add_decision(const struct asset_view *v, cJSON *o)
{
    struct inbox_decision d = {0};
    char p[WORDS_SIZE];
    char level[WORDS_SIZE];
    const struct fleet_row *r = &v->row;
    if (!v->has_lead) {
        snprintf(d.lead, sizeof(d.lead), "No forecast.");
        snprintf(d.rest, sizeof(d.rest), "%s.", r->why);
    } else if (has_work(v)) {
        inbox_decision(&v->s, &v->lead, &d);
    } else {
        snprintf(d.lead, sizeof(d.lead),
                 r->state == FLEET_WATCH ? "Watch it; no work pays yet." : "Nothing to do.");
        snprintf(d.rest, sizeof(d.rest), "%s chance of failure in 30 days; work pays from %s on.",
                 words_percent(v->lead.window.p_window, p),
                 words_percent(v->lead.window.p_open, level));
    }
    cJSON *x = json_add_object(o, "decision");
    json_add_string(x, "lead", d.lead);
    json_add_string(x, "rest", d.rest);
}

/* The curve that is drawn: the asset's own forecast, or that of the leading component. */
static void add_forecast(const struct asset_view *v, cJSON *o)
{
    const struct fleet_row *r = &v->row;
    const struct forecast *f = r->lead;
    if (f == NULL) {
        json_add_null(o, "forecast");
        return;
    }
    cJSON *x = json_add_object(o, "forecast");
    json_add_instant(x, "as_of", f->as_of_ms);
    cJSON *model = json_add_object(x, "model");
    if (f->model_id != 0)
        json_add_int(model, "id", f->model_id);
    else
        json_add_null(model, "id");
    json_add_string(model, "kind", f->model_kind[0] != '\0' ? f->model_kind : NULL);
    json_add_string(model, "spoke", f->spoke);
    forecast_add_method(f, x);
    json_add_string(x, "component",
                    f->component_id != 0 ? catalog_component_name(&v->s.catalog, f->component_id)
                                         : NULL);
    cJSON *horizons = json_add_array(x, "horizons");
    for (size_t i = 0; i < f->n_horizons; i++) {
        cJSON *h = json_add_object(horizons, NULL);
        json_add_number(h, "t_s", (double)f->horizon_ms[i] / 1000);
        json_add_number(h, "p", f->p[i]);
        json_add_number(h, "low", f->p_low[i]);
        json_add_number(h, "high", f->p_high[i]);
    }
    const struct asset_class *c = catalog_class(&v->s.catalog, v->a->class_id);
    cJSON *rul = json_add_object(x, "rul");
    json_add_number(rul, "median_s", f->rul_median / 1000);
    json_add_number(rul, "low_s", f->rul_low / 1000);
    json_add_number(rul, "high_s", f->rul_high / 1000);
    json_add_number(rul, "coverage", f->rul_coverage);
    json_add_number(rul, "cycle_s",
                    c != NULL && c->cycle_ms > 0 ? (double)c->cycle_ms / 1000 : NAN);
    json_add_number(x, "base_points", f->base_points);
    cJSON *reasons = json_add_array(x, "reasons");
    for (size_t i = 0; i < f->n_reasons; i++) {
        cJSON *one = json_add_object(reasons, NULL);
        json_add_string(one, "text", f->reasons[i].text);
        json_add_string(one, "feature", f->reasons[i].feature);
        json_add_string(one, "sensor",
                        f->reasons[i].sensor[0] != '\0' ? f->reasons[i].sensor : NULL);
        json_add_number(one, "points", f->reasons[i].points);
    }
    json_add_null(x, "coverage_note");
    json_add_number(x, "data_frac", f->data_frac);
    json_add_int(x, "sensors", (int64_t)f->n_sensors);
    json_add_int(x, "sensors_stale", (int64_t)f->n_sensors_stale);
}

/* --- parts ------------------------------------------------------------------------------------ */

static void add_last_event(const struct asset_view *v, cJSON *o, const struct event_list *events,
                           int64_t component_id)
{
    const struct event *last = NULL;
    for (size_t i = 0; i < events->n; i++)
        if (events->items[i].component_id == component_id && events->items[i].kind != EVENT_ALARM &&
            events->items[i].ts_ms <= v->s.site.now_ms)
            last = &events->items[i];
    if (last == NULL) {
        json_add_null(o, "last_event");
        return;
    }
    cJSON *e = json_add_object(o, "last_event");
    json_add_string(e, "kind", event_kind_name(last->kind));
    json_add_instant(e, "at", last->ts_ms);
}

static const struct forecast *forecast_of(const struct asset_view *v, int64_t component_id)
{
    size_t n;
    const struct snapshot_forecast *all = snapshot_of_asset(&v->s, v->a->id, &n);
    for (size_t i = 0; i < n; i++)
        if (all[i].f.component_id == component_id)
            return &all[i].f;
    return NULL;
}

static void add_components(const struct asset_view *v, cJSON *o, const struct event_list *events)
{
    cJSON *list = json_add_array(o, "components");
    for (size_t i = 0; i < v->s.catalog.components.n; i++) {
        const struct component *c = &v->s.catalog.components.items[i];
        if (c->class_id != v->a->class_id)
            continue;
        const struct forecast *f = forecast_of(v, c->id);
        const struct life *life = lives_find(&v->s.lives, c->class_id, c->id);
        const int64_t renewed_ms = lives_renewed_ms(&v->s.lives, v->a->id, c->id);
        const double age_ms =
            renewed_ms != DB_NO_TIME ? (double)(v->s.site.now_ms - renewed_ms) : NAN;
        double p = NAN;
        double used = NAN;
        enum fleet_state state = FLEET_NO_DATA;
        char rule[240] = "No data: there is no forecast.";
        if (f != NULL && f->n_horizons > 0) {
            struct snapshot_case k;
            snapshot_case(&v->s, f, &k);
            p = k.window.p_window;
            state = fleet_state_of(&v->s, &k, f, rule);
        }
        /* Share of the lives of the class that end before this age. */
        if (life != NULL && life->has_fit && !isnan(age_ms))
            used = 1 - weibull_survival(&life->fit, age_ms / (double)MS_PER_DAY);
        cJSON *x = json_add_object(list, NULL);
        json_add_string(x, "name", c->name);
        json_add_number(x, "age_s", age_ms / 1000);
        json_add_number(x, "life_used_frac", used);
        json_add_number(x, "p", p);
        json_add_string(x, "state", fleet_state_name(state));
        json_add_string(x, "state_rule", rule);
        add_last_event(v, x, events, c->id);
    }
}

/* --- cost by date ----------------------------------------------------------------------------- */

static void add_costs(const struct asset_view *v, cJSON *o)
{
    if (!v->has_lead) {
        json_add_null(o, "cost_by_date");
        json_add_null(o, "window");
        return;
    }
    const struct predictive_window *w = &v->lead.window;
    const struct days *d = &v->s.days;
    cJSON *c = json_add_object(o, "cost_by_date");
    json_add_string(c, "currency", v->s.site.currency);
    cJSON *points = json_add_array(c, "points");
    for (int i = 0; i < w->n_days && i < d->n; i++) {
        cJSON *x = json_add_object(points, NULL);
        add_day(x, "date", d->start_ms[i]);
        json_add_number(x, "cost", major(v, w->cost[i]));
        json_add_number(x, "risk", w->risk[i]);
        json_add_bool(x, "stop", days_has(d, i, CALENDAR_STOP, v->a->area));
    }
    cJSON *best = json_add_object(c, "best");
    add_day(best, "date", d->start_ms[w->best]);
    json_add_number(best, "cost", major(v, w->cost_best));
    const int stop = inbox_next_stop(&v->s, &v->lead);
    if (stop >= 0) {
        cJSON *next = json_add_object(c, "next");
        add_day(next, "date", d->start_ms[stop]);
        json_add_number(next, "cost", major(v, w->cost[stop]));
    } else {
        json_add_null(c, "next");
    }
    if (!has_work(v)) {
        json_add_null(o, "window");
        return;
    }
    cJSON *win = json_add_object(o, "window");
    add_day(win, "earliest", d->start_ms[w->earliest]);
    add_day(win, "best", d->start_ms[w->best]);
    add_day(win, "latest", d->start_ms[w->latest]);
    json_add_number(win, "risk_by_best", w->risk_by_best);
    json_add_number(win, "risk_limit", v->s.site.risk_limit);
    json_add_number(win, "waiting_per_day", major(v, w->waiting_per_day));
    json_add_number(win, "saving", major(v, w->saving));
}

/* --- sensors ---------------------------------------------------------------------------------- */

/* 5 % and 95 % points of the hourly-like means over the baseline span; false when too few. */
static bool baseline_of(const struct asset_view *v, int64_t sensor_id,
                        const struct reading_span *span, double *low, double *high)
{
    struct reading_bucket buckets[BASELINE_BUCKETS];
    double values[BASELINE_BUCKETS];
    size_t n = 0;
    int64_t end_ms = span->first_ms + BASELINE_MS;
    if (end_ms > span->first_ms + (span->last_ms - span->first_ms) / 2)
        end_ms = span->first_ms + (span->last_ms - span->first_ms) / 2;
    if (end_ms <= span->first_ms || reading_buckets(v->db, sensor_id, span->first_ms, end_ms,
                                                    BASELINE_BUCKETS, buckets, NULL) != FT_OK)
        return false;
    for (size_t i = 0; i < BASELINE_BUCKETS; i++) {
        if (buckets[i].n == 0 || isnan(buckets[i].mean))
            continue;
        size_t at = n++;
        for (; at > 0 && values[at - 1] > buckets[i].mean; at--)
            values[at] = values[at - 1];
        values[at] = buckets[i].mean;
    }
    if (n < 20)
        return false;
    *low = values[n / 20];
    *high = values[n - 1 - n / 20];
    return true;
}

/* Rank of a sensor among the reasons, 1 = most telling; after those the rest by name. */
static size_t telling_rank(const struct asset_view *v, const char *name)
{
    const struct forecast *f = v->row.lead;
    size_t rank = 0;
    for (size_t i = 0; f != NULL && i < f->n_reasons; i++) {
        bool seen = f->reasons[i].sensor[0] == '\0';
        for (size_t k = 0; k < i && !seen; k++)
            seen = strcmp(f->reasons[k].sensor, f->reasons[i].sensor) == 0;
        rank += !seen;
        if (strcmp(f->reasons[i].sensor, name) == 0)
            return rank;
    }
    return 0;
}

static enum ft_status add_sensors(const struct asset_view *v, cJSON *o, struct ft_err *err)
{
    static const char *const roles[] = {"sensor", "setting", "meter"};
    struct sensor_list l = {0};
    cJSON *list = json_add_array(o, "sensors");
    enum ft_status st = sensor_list(v->db, v->a->id, &l, err);
    size_t n_ranked = 0;
    for (size_t i = 0; i < l.n; i++)
        n_ranked += telling_rank(v, l.items[i].name) > 0;
    for (size_t i = 0; i < l.n && st == FT_OK; i++) {
        const struct sensor *x = &l.items[i];
        struct reading_span span = {0};
        double low;
        double high;
        st = reading_span(v->db, x->id, &span, err);
        if (st != FT_OK)
            break;
        const size_t rank = telling_rank(v, x->name);
        cJSON *s = json_add_object(list, NULL);
        json_add_string(s, "name", x->name);
        json_add_string(s, "unit", x->unit);
        json_add_string(s, "role", roles[x->role]);
        if (span.n > 0) {
            cJSON *last = json_add_object(s, "last");
            json_add_instant(last, "at", span.last_ms);
            json_add_number(last, "value", span.last_value);
        } else {
            json_add_null(s, "last");
        }
        if (span.n > 0 && x->role == SENSOR_ROLE_SENSOR &&
            baseline_of(v, x->id, &span, &low, &high)) {
            cJSON *b = json_add_object(s, "baseline");
            json_add_number(b, "low", low);
            json_add_number(b, "high", high);
        } else {
            json_add_null(s, "baseline");
        }
        json_add_int(s, "telling", (int64_t)(rank > 0 ? rank : ++n_ranked));
    }
    sensor_list_free(&l);
    return st;
}

/* --- work and past cases ---------------------------------------------------------------------- */

static enum ft_status add_work(const struct asset_view *v, cJSON *o, struct ft_err *err)
{
    const struct work_order_filter f = {.asset_id = v->a->id};
    struct work_order_list l = {0};
    cJSON *list = json_add_array(o, "work");
    enum ft_status st = work_order_list(v->db, &f, &l, err);
    size_t n = 0;
    for (size_t i = l.n; i-- > 0 && st == FT_OK && n < MAX_WORK; n++) {
        cJSON *w = NULL;
        st = work_order_to_json(v->db, &l.items[i], &w, err);
        if (st == FT_OK && !cJSON_AddItemToArray(list, w))
            cJSON_Delete(w);
    }
    work_order_list_free(&l);
    return st;
}

/* What the ledger said in the 30 days before a failure: the greatest chance, NaN = nothing. */
static double said_before(const struct ledger_list *ledger, const struct event *e)
{
    double p = NAN;
    for (size_t i = 0; i < ledger->n; i++) {
        const struct ledger_row *r = &ledger->items[i];
        const bool is_same = r->component_id == e->component_id || r->component_id == 0;
        if (is_same && r->as_of_ms < e->ts_ms && e->ts_ms <= r->as_of_ms + r->horizon_ms &&
            !(r->p <= p))
            p = r->p;
    }
    return p;
}

/* Failures of the same part in the same class, newest first, with what was said before them. */
static enum ft_status add_similar(const struct asset_view *v, cJSON *o, struct ft_err *err)
{
    const struct event_filter f = {.class_id = v->a->class_id,
                                   .kinds = 1U << EVENT_FAILURE,
                                   .is_newest_first = true,
                                   .limit = 200};
    struct event_list events = {0};
    cJSON *list = json_add_array(o, "similar");
    enum ft_status st = event_list(v->db, &f, &events, err);
    int n = 0;
    for (size_t i = 0; i < events.n && n < MAX_SIMILAR && st == FT_OK; i++) {
        const struct event *e = &events.items[i];
        struct ledger_list ledger = {0};
        if (e->component_id != v->row.component_id)
            continue;
        st = ledger_list(v->db, e->asset_id, 2000, &ledger, err);
        const double p = st == FT_OK ? said_before(&ledger, e) : NAN;
        ledger_list_free(&ledger);
        const struct asset *a = catalog_asset(&v->s.catalog, e->asset_id);
        if (st != FT_OK || isnan(p) || a == NULL)
            continue; /* nothing was said: it tells nothing about how right forecasts are */
        char text[200];
        char word[WORDS_SIZE];
        const bool was_right = p >= v->lead.window.p_open && v->has_lead;
        snprintf(text, sizeof(text), "%s failed; %s was said before",
                 catalog_component_name(&v->s.catalog, e->component_id), words_percent(p, word));
        cJSON *x = json_add_object(list, NULL);
        json_add_string(x, "asset", a->key);
        json_add_instant(x, "at", e->ts_ms);
        json_add_string(x, "text", text);
        json_add_string(x, "verdict", was_right ? "right" : "missed");
        n++;
    }
    event_list_free(&events);
    return st;
}

/* False alarms: closed predictive work on the same part where nothing was found. */
static enum ft_status add_false_alarms(const struct asset_view *v, cJSON *o, struct ft_err *err)
{
    static const struct work_order_filter closed = {.status = "closed", .kind = "predictive"};
    struct work_order_list l = {0};
    cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "similar");
    const enum ft_status st = work_order_list(v->db, &closed, &l, err);
    int n = 0;
    for (size_t i = l.n; i-- > 0 && n < MAX_SIMILAR;) {
        const struct work_order *w = &l.items[i];
        const struct asset *a = catalog_asset(&v->s.catalog, w->asset_id);
        if (w->component_id != v->row.component_id || a == NULL || a->class_id != v->a->class_id ||
            w->outcome == NULL || w->ended_ms == DB_NO_TIME ||
            strcmp(w->outcome, "nothing_found") != 0)
            continue;
        cJSON *x = json_add_object(list, NULL);
        json_add_string(x, "asset", a->key);
        json_add_instant(x, "at", w->ended_ms);
        json_add_string(x, "text", "Inspected, nothing found");
        json_add_string(x, "verdict", "false_alarm");
        n++;
    }
    work_order_list_free(&l);
    return st;
}

/* --- page ------------------------------------------------------------------------------------- */

static enum ft_status build_page(const struct asset_view *v, cJSON *o, struct ft_err *err)
{
    const struct event_filter of_asset = {.asset_id = v->a->id};
    struct event_list events = {0};
    json_add_string(o, "key", v->a->key);
    json_add_string(o, "name", v->a->name);
    json_add_string(o, "class", v->row.class_name);
    json_add_string(o, "area", v->a->area);
    json_add_string(o, "currency", v->s.site.currency);
    json_add_instant(o, "now", v->s.site.now_ms);
    enum ft_status st = add_attributes(v, o, err);
    if (st != FT_OK)
        return st;
    json_add_string(o, "state", fleet_state_name(v->row.state));
    json_add_string(o, "state_rule", v->row.state_rule);
    cJSON *risk = json_add_object(o, "money_at_risk");
    json_add_number(risk, "value", major(v, v->row.risk));
    json_add_number(risk, "low", major(v, v->row.risk_low));
    json_add_number(risk, "high", major(v, v->row.risk_high));
    cJSON *p = json_add_object(o, "p");
    json_add_number(p, "value", v->row.p);
    json_add_number(p, "low", v->row.p_low);
    json_add_number(p, "high", v->row.p_high);
    add_decision(v, o);
    add_forecast(v, o);
    st = event_list(v->db, &of_asset, &events, err);
    if (st == FT_OK)
        add_components(v, o, &events);
    event_list_free(&events);
    add_costs(v, o);
    if (st == FT_OK)
        st = add_sensors(v, o, err);
    if (st == FT_OK)
        st = add_work(v, o, err);
    if (st == FT_OK)
        st = add_similar(v, o, err);
    if (st == FT_OK)
        st = add_false_alarms(v, o, err);
    return st;
}

enum ft_status asset_page_json(struct db *db, const char *key, cJSON **out, struct ft_err *err)
{
    struct asset_view *v = calloc(1, sizeof(*v));
    cJSON *o = cJSON_CreateObject();
    *out = NULL;
    enum ft_status st =
        v != NULL && o != NULL ? FT_OK : ft_fail(err, FT_NOMEM, "asset page: no memory");
    if (st == FT_OK)
        st = view_load(db, key, v, err);
    if (st == FT_OK)
        st = build_page(v, o, err);
    if (v != NULL)
        view_free(v);
    free(v);
    if (st != FT_OK) {
        cJSON_Delete(o);
        return st;
    }
    *out = o;
    return FT_OK;
}

/* --- timeline --------------------------------------------------------------------------------- */

enum { MAX_TIMELINE = 2000 };

struct moment {
    int64_t ts_ms;
    cJSON *item;
};

struct timeline {
    struct moment items[MAX_TIMELINE];
    size_t n;
};

static int compare_moments(const void *x, const void *y)
{
    const struct moment *a = x;
    const struct moment *b = y;
    return (a->ts_ms > b->ts_ms) - (a->ts_ms < b->ts_ms);
}

static void put_moment(struct timeline *t, int64_t ts_ms, const char *kind, const char *component,
                       const char *code, const char *text)
{
    cJSON *o = t->n < MAX_TIMELINE ? cJSON_CreateObject() : NULL;
    if (o == NULL)
        return;
    json_add_instant(o, "at", ts_ms);
    json_add_string(o, "kind", kind);
    json_add_string(o, "component", component);
    json_add_string(o, "code", code != NULL && code[0] != '\0' ? code : NULL);
    json_add_string(o, "text", text);
    t->items[t->n++] = (struct moment){ts_ms, o};
}

static bool in_span(int64_t ts_ms, int64_t from_ms, int64_t to_ms)
{
    return ts_ms != DB_NO_TIME && ts_ms >= from_ms && (to_ms == 0 || ts_ms < to_ms);
}

static enum ft_status put_events(struct db *db, const struct catalog *c, const struct asset *a,
                                 int64_t from_ms, int64_t to_ms, struct timeline *t,
                                 struct ft_err *err)
{
    const struct event_filter f = {.asset_id = a->id,
                                   .from_ms = from_ms,
                                   .to_ms = to_ms,
                                   .is_newest_first = true,
                                   .limit = MAX_TIMELINE};
    struct event_list l = {0};
    const enum ft_status st = event_list(db, &f, &l, err);
    for (size_t i = 0; i < l.n; i++) {
        const struct event *e = &l.items[i];
        const struct component *part = catalog_component(c, e->component_id);
        char text[200];
        const bool has_code = e->code[0] != '\0' && part == NULL;
        snprintf(text, sizeof(text), "%s%s%s%s%s", part != NULL ? part->name : "",
                 part != NULL ? " " : "", event_kind_name(e->kind), has_code ? " " : "",
                 has_code ? e->code : "");
        put_moment(t, e->ts_ms, event_kind_name(e->kind), part != NULL ? part->name : NULL, e->code,
                   e->note != NULL && e->note[0] != '\0' ? e->note : text);
    }
    event_list_free(&l);
    return st;
}

static enum ft_status put_work(struct db *db, const struct catalog *c, const struct asset *a,
                               int64_t from_ms, int64_t to_ms, struct timeline *t,
                               struct ft_err *err)
{
    const struct work_order_filter f = {.asset_id = a->id};
    struct work_order_list l = {0};
    const enum ft_status st = work_order_list(db, &f, &l, err);
    for (size_t i = 0; i < l.n; i++) {
        const struct work_order *w = &l.items[i];
        const int64_t at_ms = w->ended_ms != DB_NO_TIME       ? w->ended_ms
                              : w->scheduled_ms != DB_NO_TIME ? w->scheduled_ms
                                                              : w->due_ms;
        const struct component *part = catalog_component(c, w->component_id);
        char text[320];
        if (!in_span(at_ms, from_ms, to_ms) || strcmp(w->status, "cancelled") == 0)
            continue;
        snprintf(text, sizeof(text), "%s, %s", w->title, w->status);
        put_moment(t, at_ms, "work", part != NULL ? part->name : NULL, w->key, text);
    }
    work_order_list_free(&l);
    return st;
}

static enum ft_status put_models(struct db *db, const struct catalog *c, const struct asset *a,
                                 int64_t from_ms, int64_t to_ms, struct timeline *t,
                                 struct ft_err *err)
{
    struct model_list l = {0};
    const enum ft_status st = model_list(db, a->class_id, NULL, NULL, &l, err);
    for (size_t i = 0; i < l.n; i++) {
        const struct model_row *m = &l.items[i];
        const struct component *part = catalog_component(c, m->component_id);
        char text[320];
        const bool decided = strcmp(m->state, "champion") == 0 || strcmp(m->state, "retired") == 0;
        if (!decided || !in_span(m->created_ms, from_ms, to_ms))
            continue;
        snprintf(text, sizeof(text), "Model %s: %s", m->kind, m->reason);
        put_moment(t, m->created_ms, "model", part != NULL ? part->name : NULL, NULL, text);
    }
    model_list_free(&l);
    return st;
}

enum ft_status asset_timeline_json(struct db *db, const char *key, int64_t from_ms, int64_t to_ms,
                                   cJSON **out, struct ft_err *err)
{
    struct catalog c = {0};
    struct asset a = {0};
    struct timeline *t = calloc(1, sizeof(*t));
    *out = NULL;
    enum ft_status st = t != NULL ? FT_OK : ft_fail(err, FT_NOMEM, "timeline: no memory");
    if (st == FT_OK)
        st = asset_find(db, key, &a, err);
    if (st == FT_OK)
        st = catalog_load(db, &c, err);
    if (st == FT_OK)
        st = put_events(db, &c, &a, from_ms, to_ms, t, err);
    if (st == FT_OK)
        st = put_work(db, &c, &a, from_ms, to_ms, t, err);
    if (st == FT_OK)
        st = put_models(db, &c, &a, from_ms, to_ms, t, err);
    cJSON *o = cJSON_CreateObject();
    cJSON *items = json_add_array(o, "items");
    if (t != NULL)
        qsort(t->items, t->n, sizeof(t->items[0]), compare_moments);
    for (size_t i = 0; t != NULL && i < t->n; i++)
        if (!cJSON_AddItemToArray(items, t->items[i].item))
            cJSON_Delete(t->items[i].item);
    free(t);
    catalog_free(&c);
    asset_clear(&a);
    if (st == FT_OK && o == NULL)
        st = ft_fail(err, FT_NOMEM, "timeline: no memory");
    if (st != FT_OK) {
        cJSON_Delete(o);
        return st;
    }
    *out = o;
    return FT_OK;
}
