#include "app/snapshot.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/work_order_json.h"
#include "db/prediction_store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_forecasts(const void *x, const void *y)
{
    const struct forecast *a = &((const struct snapshot_forecast *)x)->f;
    const struct forecast *b = &((const struct snapshot_forecast *)y)->f;
    if (a->asset_id != b->asset_id)
        return a->asset_id < b->asset_id ? -1 : 1;
    return (a->component_id > b->component_id) - (a->component_id < b->component_id);
}

static enum ft_status read_forecasts(struct db *db, struct snapshot *s, struct ft_err *err)
{
    struct forecast_row_list rows = {0};
    enum ft_status st = forecast_list(db, 0, 0, &rows, err);
    if (st == FT_OK && rows.n > 0) {
        s->forecasts = calloc(rows.n, sizeof(*s->forecasts));
        if (s->forecasts == NULL)
            st = ft_fail(err, FT_NOMEM, "forecasts: no memory for %zu", rows.n);
    }
    for (size_t i = 0; i < rows.n && st == FT_OK; i++) {
        struct snapshot_forecast *f = &s->forecasts[s->n_forecasts];
        cJSON *json = NULL;
        st = json_parse(rows.items[i].body, strlen(rows.items[i].body), &json, err);
        if (st == FT_OK)
            st = forecast_from_json(json, &f->f, err);
        cJSON_Delete(json);
        if (st != FT_OK) {
            ft_err_prefix(err, "forecast of asset %lld", (long long)rows.items[i].asset_id);
            break;
        }
        f->f.asset_id = rows.items[i].asset_id;
        f->f.component_id = rows.items[i].component_id;
        f->f.as_of_ms = rows.items[i].as_of_ms;
        f->f.model_id = rows.items[i].model_id;
        f->scored_ms = rows.items[i].scored_ms;
        s->n_forecasts++;
    }
    forecast_row_list_free(&rows);
    if (s->forecasts != NULL)
        qsort(s->forecasts, s->n_forecasts, sizeof(*s->forecasts), compare_forecasts);
    return st;
}

/* A site that has entered no crew still wants a plan: one crew that can do everything, five days of
 * eight hours. */
static enum ft_status read_crews(struct db *db, struct snapshot *s, struct ft_err *err)
{
    const enum ft_status st = crew_list(db, &s->crews, err);
    if (st != FT_OK || s->crews.n > 0)
        return st;
    struct crew *one = calloc(1, sizeof(*one));
    if (one == NULL)
        return ft_fail(err, FT_NOMEM, "crews: no memory");
    one->name = strdup("any crew");
    one->skills = strdup("");
    one->hours_per_day = 8;
    one->weekdays = 62; /* Monday to Friday */
    one->rate_minor_per_h = DB_NO_MONEY;
    free(s->crews.items);
    s->crews.items = one;
    s->crews.n = 1;
    if (one->name == NULL || one->skills == NULL)
        return ft_fail(err, FT_NOMEM, "crews: no memory");
    return FT_OK;
}

enum ft_status snapshot_read_cases(struct db *db, struct snapshot *s, struct ft_err *err)
{
    const struct case_filter f = {.since_ms = s->site.now_ms - 7 * MS_PER_DAY};
    return case_list(db, &f, &s->cases, err);
}

enum ft_status snapshot_load(struct db *db, int64_t now_ms, struct snapshot *out,
                             struct ft_err *err)
{
    static const struct work_order_filter open = {
        .status = "draft,approved,sent,scheduled,in_progress,on_hold"};
    memset(out, 0, sizeof(*out));
    enum ft_status st = site_load(db, &out->site, err);
    if (st != FT_OK)
        return st;
    if (now_ms != 0)
        out->site.now_ms = now_ms;
    economics_load(db, out->site.currency, &out->economics);
    st = catalog_load(db, &out->catalog, err);
    if (st == FT_OK)
        st = lives_load(db, &out->catalog, out->site.now_ms, &out->lives, err);
    if (st == FT_OK)
        st = read_forecasts(db, out, err);
    if (st == FT_OK)
        st = plan_list(db, &out->plans, err);
    if (st == FT_OK)
        st = read_crews(db, out, err);
    if (st == FT_OK)
        st = calendar_list(db, out->site.now_ms - 2 * MS_PER_DAY,
                           out->site.now_ms + (DAYS_MAX + 2) * MS_PER_DAY, &out->calendar, err);
    if (st == FT_OK)
        st = days_repeat(&out->calendar, out->site.now_ms - 2 * MS_PER_DAY,
                         out->site.now_ms + (DAYS_MAX + 2) * MS_PER_DAY, err);
    if (st == FT_OK)
        st = work_order_list(db, &open, &out->open, err);
    if (st == FT_OK)
        st = snapshot_read_cases(db, out, err);
    if (st == FT_OK)
        st = days_init(&out->days, out->site.now_ms, SNAPSHOT_DAYS, &out->crews, &out->calendar,
                       err);
    return st;
}

void snapshot_free(struct snapshot *s)
{
    catalog_free(&s->catalog);
    lives_free(&s->lives);
    free(s->forecasts);
    plan_list_free(&s->plans);
    crew_list_free(&s->crews);
    calendar_list_free(&s->calendar);
    work_order_list_free(&s->open);
    case_list_free(&s->cases);
    days_free(&s->days);
    memset(s, 0, sizeof(*s));
}

const struct snapshot_forecast *snapshot_of_asset(const struct snapshot *s, int64_t asset_id,
                                                  size_t *n)
{
    size_t lo = 0;
    size_t hi = s->n_forecasts;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (s->forecasts[mid].f.asset_id < asset_id)
            lo = mid + 1;
        else
            hi = mid;
    }
    *n = 0;
    while (lo + *n < s->n_forecasts && s->forecasts[lo + *n].f.asset_id == asset_id)
        (*n)++;
    return *n > 0 ? &s->forecasts[lo] : NULL;
}

bool snapshot_decides(const struct snapshot_forecast *all, size_t n, size_t i)
{
    bool has_component = false;
    for (size_t k = 0; k < n; k++)
        has_component |= all[k].f.component_id != 0 && all[k].f.n_horizons > 0;
    return all[i].f.n_horizons > 0 && (all[i].f.component_id != 0) == has_component;
}

/* Log-survival of a limit curve at dur_ms, linear between horizons; NaN when not known. */
static double limit_at(const struct forecast *f, const double *limit, int64_t dur_ms)
{
    double t0 = 0;
    double h0 = 0;
    if (f->n_horizons == 0 || isnan(limit[0]))
        return NAN;
    for (size_t i = 0; i < f->n_horizons; i++) {
        const double t1 = (double)f->horizon_ms[i];
        const double h1 = isnan(limit[i]) ? NAN : -log1p(-fmin(limit[i], 1 - 1e-12));
        if ((double)dur_ms <= t1 || i + 1 == f->n_horizons)
            return 1 - exp(-(h0 + (h1 - h0) * ((double)dur_ms - t0) / fmax(1, t1 - t0)));
        t0 = t1;
        h0 = h1;
    }
    return NAN;
}

double snapshot_forecast_p(const struct snapshot *s, const struct forecast *f, int64_t dur_ms,
                           double *low, double *high)
{
    double unused;
    const int64_t since_ms = s->site.now_ms > f->as_of_ms ? s->site.now_ms - f->as_of_ms : 0;
    if (low == NULL)
        low = &unused;
    if (high == NULL)
        high = &unused;
    *low = *high = NAN;
    if (f->n_horizons == 0)
        return NAN;
    const double s0 = 1 - forecast_probability(f, since_ms);
    const double s1 = 1 - forecast_probability(f, since_ms + dur_ms);
    if (!(s0 > 1e-12))
        return *low = *high = 1;
    const double p = fmin(1, fmax(0, 1 - s1 / s0));
    *low = fmin(p, fmax(0, limit_at(f, f->p_low, dur_ms)));
    *high = fmax(p, fmin(1, limit_at(f, f->p_high, dur_ms)));
    if (isnan(f->p_low[0]) || isnan(f->p_high[0]))
        *low = *high = NAN;
    return p;
}

double snapshot_probability(const struct snapshot *s, int64_t asset_id, int64_t dur_ms, double *low,
                            double *high)
{
    size_t n;
    double unused[2];
    double alive[3] = {1, 1, 1}; /* by the value, its low and its high */
    bool any = false;
    const struct snapshot_forecast *all = snapshot_of_asset(s, asset_id, &n);
    if (low == NULL)
        low = &unused[0];
    if (high == NULL)
        high = &unused[1];
    *low = *high = NAN;
    for (size_t i = 0; i < n; i++)
        if (all[i].f.component_id == 0 && all[i].f.n_horizons > 0)
            return snapshot_forecast_p(s, &all[i].f, dur_ms, low, high);
    for (size_t i = 0; i < n; i++) {
        double lo;
        double hi;
        const double p = snapshot_forecast_p(s, &all[i].f, dur_ms, &lo, &hi);
        if (isnan(p))
            continue;
        any = true;
        alive[0] *= 1 - p;
        alive[1] *= 1 - (isnan(lo) ? p : lo);
        alive[2] *= 1 - (isnan(hi) ? p : hi);
    }
    if (!any)
        return NAN;
    *low = 1 - alive[1];
    *high = 1 - alive[2];
    return 1 - alive[0];
}

const struct work_order *snapshot_open_order(const struct snapshot *s, int64_t asset_id,
                                             int64_t component_id)
{
    const struct work_order *found = NULL;
    for (size_t i = 0; i < s->open.n; i++) {
        const struct work_order *w = &s->open.items[i];
        const bool is_case = strcmp(w->kind, "predictive") == 0 ||
                             strcmp(w->kind, "corrective") == 0 ||
                             strcmp(w->kind, "emergency") == 0;
        if (w->asset_id != asset_id || w->component_id != component_id || !is_case)
            continue;
        /* One that a person has taken up goes before a draft. */
        if (found == NULL || strcmp(found->status, "draft") == 0)
            found = w;
    }
    return found;
}

static bool has_open_case(const struct snapshot *s, int64_t asset_id, int64_t component_id)
{
    for (size_t i = 0; i < s->cases.n; i++)
        if (s->cases.items[i].asset_id == asset_id &&
            s->cases.items[i].component_id == component_id && case_is_open(&s->cases.items[i]))
            return true;
    return false;
}

int snapshot_spare_day(const struct snapshot *s, int64_t component_id, const struct work_order *w)
{
    const struct component *c = catalog_component(&s->catalog, component_id);
    if (c == NULL || c->spare_lead_ms <= 0)
        return 0;
    int64_t days = (c->spare_lead_ms + MS_PER_DAY - 1) / MS_PER_DAY;
    if (w != NULL && w->approved_ms != DB_NO_TIME && w->approved_ms < s->site.now_ms)
        days -= clock_local_day(s->site.now_ms) - clock_local_day(w->approved_ms);
    return days < 0 ? 0 : days > SNAPSHOT_DAYS ? SNAPSHOT_DAYS : (int)days;
}

void snapshot_case(const struct snapshot *s, const struct forecast *f, struct snapshot_case *out)
{
    double planned_on[SNAPSHOT_DAYS];
    bool is_workday[SNAPSHOT_DAYS];
    memset(out, 0, sizeof(*out));
    out->component_id = f->component_id;
    out->p_age_only = NAN;
    out->asset = catalog_asset(&s->catalog, f->asset_id);
    if (out->asset == NULL)
        return;
    out->costs = economics_costs(&s->economics, &s->catalog, out->asset, f->component_id);
    const struct life *life = lives_find(&s->lives, out->asset->class_id, f->component_id);
    out->life_rate =
        life_cost_rate(life, (double)out->costs.planned_minor, (double)out->costs.failure_minor);
    const int64_t renewed_ms = lives_renewed_ms(&s->lives, f->asset_id, f->component_id);
    if (life != NULL && life->has_fit && renewed_ms != DB_NO_TIME)
        out->p_age_only = weibull_failure_probability(
            &life->fit, (double)(s->site.now_ms - renewed_ms) / (double)MS_PER_DAY,
            PREDICTIVE_WINDOW_DAYS);
    out->order = snapshot_open_order(s, f->asset_id, f->component_id);
    for (int d = 0; d < SNAPSHOT_DAYS; d++) {
        const bool is_stop = days_has(&s->days, d, CALENDAR_STOP, out->asset->area);
        planned_on[d] =
            (double)(out->costs.planned_minor - (is_stop ? out->costs.planned_stop_minor : 0));
        is_workday[d] =
            days_works(&s->days, d) && !days_has(&s->days, d, CALENDAR_BLACKOUT, out->asset->area);
    }
    out->spare_day = snapshot_spare_day(s, f->component_id, out->order);
    const struct predictive_input in = {
        .forecast = f,
        .now_ms = s->site.now_ms,
        .cost_failure = (double)out->costs.failure_minor,
        .cost_planned = (double)out->costs.planned_minor,
        .planned_on = planned_on,
        .is_workday = is_workday,
        .inspection_cost = (double)out->costs.false_alarm_minor,
        .life_rate = out->life_rate,
        /* A forecast by age alone is not measured against itself. */
        .p_age_only = strcmp(f->model_kind, "weibull_age") == 0 ? NAN : out->p_age_only,
        .risk_limit = s->site.risk_limit,
        .n_days = SNAPSHOT_DAYS,
        .lead_days = out->spare_day,
        .is_open = (out->order != NULL && strcmp(out->order->kind, "predictive") == 0) ||
                   has_open_case(s, f->asset_id, f->component_id)};
    predictive_window(&in, &out->window);
}
