/* The strip of key figures: money at risk, cases, crew load, net saved, data, areas, changes. */
#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/fleet.h"
#include "app/fleet_rows.h"
#include "app/words.h"
#include "db/model_store.h"
#include "db/prediction_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WEEKS = 4, MAX_CHANGES = 8, MAX_DEPTH = 4 };
/* A change smaller than this share of all money at risk is not news. */
#define NEWS_SHARE 0.005
#define QUARTER_MS (91 * MS_PER_DAY)

struct kpi {
    struct db *db;
    struct snapshot s;
    struct fleet_row *rows;
    size_t n;
    double *before; /* [n] money at risk in the forecasts of the day before; NaN = none */
    double *p_before;
    int64_t window_ms;
    bool has_before;
};

static double major(const struct kpi *k, double minor)
{
    return isnan(minor) ? NAN : money_to_major(llround(minor), k->s.site.currency);
}

/* --- the day before --------------------------------------------------------------------------- */

/* Puts the previous forecasts in the place of the present ones and sums again. */
static enum ft_status read_before(struct kpi *k, struct ft_err *err)
{
    struct forecast_row_list rows = {0};
    k->before = calloc(k->n + 1, sizeof(*k->before));
    k->p_before = calloc(k->n + 1, sizeof(*k->p_before));
    if (k->before == NULL || k->p_before == NULL)
        return ft_fail(err, FT_NOMEM, "kpi: no memory");
    enum ft_status st = forecast_previous_list(k->db, &rows, err);
    if (st != FT_OK)
        return st;
    struct snapshot old = k->s; /* borrows all but the forecasts */
    old.n_forecasts = 0;
    old.forecasts = calloc(rows.n + 1, sizeof(*old.forecasts));
    if (old.forecasts == NULL)
        st = ft_fail(err, FT_NOMEM, "kpi: no memory");
    for (size_t i = 0; i < rows.n && st == FT_OK; i++) {
        struct forecast *f = &old.forecasts[old.n_forecasts].f;
        cJSON *json = NULL;
        if (json_parse(rows.items[i].body, strlen(rows.items[i].body), &json, NULL) == FT_OK &&
            forecast_from_json(json, f, NULL) == FT_OK) {
            f->asset_id = rows.items[i].asset_id;
            f->component_id = rows.items[i].component_id;
            f->as_of_ms = rows.items[i].as_of_ms;
            old.n_forecasts++;
        }
        cJSON_Delete(json);
    }
    for (size_t i = 0; i < k->n && st == FT_OK; i++) {
        size_t m;
        const struct asset *a = k->rows[i].asset;
        const struct snapshot_forecast *all = snapshot_of_asset(&old, a->id, &m);
        k->before[i] = k->p_before[i] = NAN;
        if (all == NULL)
            continue;
        /* As it was said then: counted from its own as-of. */
        old.site.now_ms = all[0].f.as_of_ms;
        k->p_before[i] = snapshot_probability(&old, a->id, k->window_ms, NULL, NULL);
        for (size_t f = 0; f < m; f++) {
            if (!snapshot_decides(all, m, f))
                continue;
            const struct job_costs c =
                economics_costs(&old.economics, &old.catalog, a, all[f].f.component_id);
            const double p = snapshot_forecast_p(&old, &all[f].f, k->window_ms, NULL, NULL);
            k->before[i] =
                (isnan(k->before[i]) ? 0 : k->before[i]) + (double)economics_at_risk(&c, p);
            k->has_before = true;
        }
    }
    free(old.forecasts);
    forecast_row_list_free(&rows);
    return st;
}

/* --- figures ---------------------------------------------------------------------------------- */

static void add_money_at_risk(const struct kpi *k, cJSON *o)
{
    double value = 0;
    double low = 0;
    double high = 0;
    double before = 0;
    bool any = false;
    for (size_t i = 0; i < k->n; i++) {
        if (isnan(k->rows[i].risk))
            continue;
        any = true;
        value += k->rows[i].risk;
        low += k->rows[i].risk_low;
        high += k->rows[i].risk_high;
        before += isnan(k->before[i]) ? k->rows[i].risk : k->before[i];
    }
    cJSON *m = json_add_object(o, "money_at_risk");
    json_add_number(m, "value", any ? major(k, value) : NAN);
    json_add_number(m, "low", any ? major(k, low) : NAN);
    json_add_number(m, "high", any ? major(k, high) : NAN);
    json_add_number(m, "change", k->has_before ? major(k, value - before) : NAN);
    cJSON *history = json_add_array(m, "history");
    if (k->has_before)
        json_add_number(history, NULL, major(k, before));
    if (any)
        json_add_number(history, NULL, major(k, value));
}

static void add_cases(const struct kpi *k, cJSON *o)
{
    size_t states[FLEET_STATES] = {0};
    size_t open = 0;
    size_t undecided = 0;
    for (size_t i = 0; i < k->n; i++) {
        states[k->rows[i].state]++;
        open += k->rows[i].has_case;
    }
    for (size_t i = 0; i < k->s.open.n; i++)
        undecided += strcmp(k->s.open.items[i].kind, "predictive") == 0 &&
                     strcmp(k->s.open.items[i].status, "draft") == 0;
    cJSON *c = json_add_object(o, "cases");
    json_add_int(c, "open", (int64_t)open);
    json_add_int(c, "act", (int64_t)states[FLEET_ACT]);
    json_add_int(c, "soon", (int64_t)states[FLEET_SOON]);
    json_add_int(c, "watch", (int64_t)states[FLEET_WATCH]);
    json_add_int(c, "undecided", (int64_t)undecided);
}

/* Hours of open work by the day on which it starts, against the hours of the crews. */
static void add_crew_load(const struct kpi *k, cJSON *o)
{
    double planned[WEEKS] = {0};
    double available[WEEKS] = {0};
    const struct days *d = &k->s.days;
    double all_planned = 0;
    double all_available = 0;
    for (int i = 0; i < WEEKS * 7 && i < d->n; i++)
        for (size_t c = 0; c < d->n_crews; c++)
            available[i / 7] += d->hours[c * (size_t)d->n + (size_t)i];
    for (size_t i = 0; i < k->s.open.n; i++) {
        const struct work_order *w = &k->s.open.items[i];
        const int day = w->scheduled_ms != DB_NO_TIME ? days_index(d, w->scheduled_ms) : -1;
        if (day >= 0 && day < WEEKS * 7)
            planned[day / 7] += w->duration_h;
    }
    cJSON *load = json_add_object(o, "crew_load");
    cJSON *weeks = cJSON_CreateArray();
    for (int i = 0; i < WEEKS; i++) {
        cJSON *week = json_add_object(weeks, NULL);
        json_add_int(week, "week", clock_to_local(d->start_ms[i * 7]).iso_week);
        json_add_number(week, "frac", available[i] > 0 ? planned[i] / available[i] : NAN);
        all_planned += planned[i];
        all_available += available[i];
    }
    json_add_number(load, "frac", all_available > 0 ? all_planned / all_available : NAN);
    json_add_number(load, "hours_available", all_available);
    json_add_number(load, "hours_planned", all_planned);
    if (!cJSON_AddItemToObject(load, "weeks", weeks))
        cJSON_Delete(weeks);
}

/* Only from closed predictive work of the last quarter: a hit saves C_F - C_P, a false alarm costs
 * C_i, a failure that came first saves nothing. */
static enum ft_status add_net_saved(const struct kpi *k, cJSON *o, struct ft_err *err)
{
    static const struct work_order_filter closed = {.status = "closed", .kind = "predictive"};
    struct work_order_list l = {0};
    size_t right = 0;
    size_t missed = 0;
    size_t wrong = 0;
    double saved = 0;
    char note[120];
    const enum ft_status st = work_order_list(k->db, &closed, &l, err);
    for (size_t i = 0; i < l.n; i++) {
        const struct work_order *w = &l.items[i];
        const struct asset *a = catalog_asset(&k->s.catalog, w->asset_id);
        if (w->outcome == NULL || a == NULL || w->ended_ms == DB_NO_TIME ||
            k->s.site.now_ms - w->ended_ms > QUARTER_MS)
            continue;
        const struct job_costs c =
            economics_costs(&k->s.economics, &k->s.catalog, a, w->component_id);
        if (strcmp(w->outcome, "confirmed") == 0) {
            right++;
            saved += (double)(c.failure_minor - c.planned_minor);
        } else if (strcmp(w->outcome, "nothing_found") == 0) {
            wrong++;
            saved -= (double)c.false_alarm_minor;
        } else if (strcmp(w->outcome, "had_failed") == 0) {
            missed++;
        }
    }
    work_order_list_free(&l);
    const size_t due = right + wrong + missed;
    if (due == 0)
        snprintf(note, sizeof(note), "No warning has been closed out this quarter.");
    else
        snprintf(note, sizeof(note), "%zu of %zu warnings right, %zu missed.", right, due, missed);
    cJSON *n = json_add_object(o, "net_saved");
    json_add_number(n, "value", due > 0 ? major(k, saved) : NAN);
    json_add_int(n, "right", (int64_t)right);
    json_add_int(n, "missed", (int64_t)missed);
    json_add_int(n, "false_alarms", (int64_t)wrong);
    json_add_int(n, "due", (int64_t)due);
    json_add_string(n, "note", note);
    return st;
}

static void add_data(const struct kpi *k, cJSON *o)
{
    size_t complete = 0;
    size_t stale = 0;
    size_t by_age = 0;
    char note[160];
    for (size_t i = 0; i < k->n; i++) {
        const struct fleet_row *r = &k->rows[i];
        complete += r->data_frac >= k->s.site.min_data_frac;
        stale += r->n_stale;
        by_age += r->lead != NULL && strcmp(r->lead->model_kind, "weibull_age") == 0;
    }
    snprintf(note, sizeof(note), "%zu sensor%s stale, %zu asset%s on age alone", stale,
             stale == 1 ? "" : "s", by_age, by_age == 1 ? "" : "s");
    cJSON *d = json_add_object(o, "data");
    json_add_int(d, "complete", (int64_t)complete);
    json_add_int(d, "total", (int64_t)k->n);
    json_add_int(d, "stale_sensors", (int64_t)stale);
    json_add_string(d, "note", note);
}

/* --- areas ------------------------------------------------------------------------------------ */

struct area {
    char *path;
    int depth;
    double risk, before;
};

static int compare_areas(const void *x, const void *y)
{
    return strcmp(((const struct area *)x)->path, ((const struct area *)y)->path);
}

static struct area *find_area(struct area *areas, size_t n, const char *path, size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(areas[i].path) == len && strncmp(areas[i].path, path, len) == 0)
            return &areas[i];
    return NULL;
}

/* Every level of every area, in the order of a tree; the sum of what stands in and below it. */
static enum ft_status add_areas(const struct kpi *k, cJSON *o, struct ft_err *err)
{
    struct area *areas = calloc(k->n * MAX_DEPTH + 1, sizeof(*areas));
    enum ft_status st = FT_OK;
    size_t n = 0;
    if (areas == NULL)
        return ft_fail(err, FT_NOMEM, "kpi: no memory");
    for (size_t i = 0; i < k->n && st == FT_OK; i++) {
        const char *path = k->rows[i].asset->area;
        const double risk = isnan(k->rows[i].risk) ? 0 : k->rows[i].risk;
        int depth = 0;
        for (size_t len = 0; path != NULL && path[0] != '\0' && depth < MAX_DEPTH; depth++) {
            len += strcspn(path + len, "/");
            struct area *a = find_area(areas, n, path, len);
            if (a == NULL) {
                a = &areas[n];
                a->depth = depth;
                a->path = strndup(path, len);
                if (a->path == NULL) {
                    st = ft_fail(err, FT_NOMEM, "kpi: no memory");
                    break;
                }
                n++;
            }
            a->risk += risk;
            a->before += isnan(k->before[i]) ? risk : k->before[i];
            if (path[len] == '\0')
                break;
            len++;
        }
    }
    qsort(areas, n, sizeof(*areas), compare_areas);
    cJSON *list = json_add_array(o, "areas");
    for (size_t i = 0; i < n; i++) {
        cJSON *a = json_add_object(list, NULL);
        json_add_string(a, "area", areas[i].path);
        json_add_number(a, "money_at_risk", major(k, areas[i].risk));
        json_add_number(a, "change",
                        k->has_before ? major(k, areas[i].risk - areas[i].before) : NAN);
        json_add_int(a, "depth", areas[i].depth);
        free(areas[i].path);
    }
    free(areas);
    return st;
}

/* --- changes ---------------------------------------------------------------------------------- */

struct change {
    size_t row;
    double money;
};

static int compare_changes(const void *x, const void *y)
{
    const struct change *a = x;
    const struct change *b = y;
    if (fabs(a->money) != fabs(b->money))
        return fabs(a->money) < fabs(b->money) ? 1 : -1;
    return (a->row > b->row) - (a->row < b->row);
}

static void add_asset_changes(const struct kpi *k, cJSON *list, struct change *changes)
{
    double total = 0;
    size_t n = 0;
    for (size_t i = 0; i < k->n; i++)
        total += isnan(k->rows[i].risk) ? 0 : k->rows[i].risk;
    for (size_t i = 0; i < k->n; i++) {
        const double money = k->rows[i].risk - k->before[i];
        if (!isnan(money) && fabs(money) >= 1 && fabs(money) >= NEWS_SHARE * total)
            changes[n++] = (struct change){i, money};
    }
    qsort(changes, n, sizeof(*changes), compare_changes);
    for (size_t i = 0; i < n && i < MAX_CHANGES; i++) {
        const struct fleet_row *r = &k->rows[changes[i].row];
        char text[320];
        char was[WORDS_SIZE];
        char is[WORDS_SIZE];
        snprintf(text, sizeof(text), "Chance of failure %s, was %s. %s", words_percent(r->p, is),
                 words_percent(k->p_before[changes[i].row], was), r->why);
        cJSON *c = json_add_object(list, NULL);
        json_add_string(c, "asset", r->asset->key);
        json_add_string(c, "glyph", fleet_state_name(r->state));
        json_add_string(c, "text", text);
        json_add_number(c, "money", major(k, changes[i].money));
    }
}

static enum ft_status add_model_changes(const struct kpi *k, cJSON *list, struct ft_err *err)
{
    struct model_list models = {0};
    const enum ft_status st = model_list(k->db, 0, NULL, "champion", &models, err);
    size_t shown = 0;
    const int64_t now_ms = clock_now_ms();
    for (size_t i = 0; i < models.n && shown < MAX_CHANGES / 2; i++) {
        const struct model_row *m = &models.items[i];
        const struct asset_class *c = catalog_class(&k->s.catalog, m->class_id);
        char text[320];
        if (now_ms - m->created_ms > MS_PER_DAY)
            continue;
        shown++;
        snprintf(text, sizeof(text), "Model %lld (%s) of %s, %s, decides now.", (long long)m->id,
                 m->kind, c != NULL ? c->name : "",
                 catalog_component_name(&k->s.catalog, m->component_id));
        cJSON *o = json_add_object(list, NULL);
        json_add_null(o, "asset");
        json_add_string(o, "glyph", "model");
        json_add_string(o, "text", text);
        json_add_null(o, "money");
    }
    model_list_free(&models);
    return st;
}

static enum ft_status add_changes(const struct kpi *k, cJSON *o, struct ft_err *err)
{
    cJSON *list = json_add_array(o, "changes");
    struct change *changes = calloc(k->n + 1, sizeof(*changes));
    if (changes == NULL)
        return ft_fail(err, FT_NOMEM, "kpi: no memory");
    if (k->has_before)
        add_asset_changes(k, list, changes);
    free(changes);
    return add_model_changes(k, list, err);
}

enum ft_status fleet_kpi_json(struct db *db, int64_t window_ms, cJSON **out, struct ft_err *err)
{
    struct kpi k = {.db = db, .window_ms = window_ms > 0 ? window_ms : 30 * MS_PER_DAY};
    cJSON *o = cJSON_CreateObject();
    *out = NULL;
    enum ft_status st = o != NULL ? FT_OK : ft_fail(err, FT_NOMEM, "kpi: no memory");
    if (st == FT_OK)
        st = snapshot_load(db, 0, &k.s, err);
    if (st == FT_OK)
        st = fleet_rows_build(&k.s, k.window_ms, &k.rows, &k.n, err);
    if (st == FT_OK)
        st = read_before(&k, err);
    if (st == FT_OK) {
        json_add_string(o, "currency", k.s.site.currency);
        json_add_number(o, "window_s", (double)k.window_ms / 1000);
        add_money_at_risk(&k, o);
        add_cases(&k, o);
        add_crew_load(&k, o);
        add_data(&k, o);
        st = add_net_saved(&k, o, err);
    }
    if (st == FT_OK)
        st = add_areas(&k, o, err);
    if (st == FT_OK)
        st = add_changes(&k, o, err);
    free(k.rows);
    free(k.before);
    free(k.p_before);
    snapshot_free(&k.s);
    if (st != FT_OK) {
        cJSON_Delete(o);
        return st;
    }
    *out = o;
    return FT_OK;
}
