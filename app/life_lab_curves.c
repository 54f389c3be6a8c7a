#include "app/life_lab_curves.h"

#include "app/base/json.h"
#include "app/life_recurrent.h"
#include "models/renewal.h"

#include <math.h>
#include <stdlib.h>

enum { POINTS = 80, REGION = 48 };
/* Ages whose cost rate is this near the least one are as good in practice. */
#define FLAT_SHARE 1.05

/* The ages drawn: past the oldest life and past the best interval. */
static double last_age(const struct life_report *r, const struct life_data *data)
{
    double last = 0;
    for (size_t i = 0; i < data->n; i++)
        last = fmax(last, data->time[i]);
    last *= 1.1;
    if (r->replacement.has_optimum)
        last = fmin(fmax(last, 1.6 * r->replacement.interval), 3 * last);
    return last;
}

/* Hazard at an age, and its least and greatest within the joint region of both parameters. */
static void add_hazard_at(cJSON *list, const struct life_report *r, const double (*region)[2],
                          size_t n_region, double t)
{
    double low = INFINITY, high = 0;
    cJSON *o = json_add_object(list, NULL);
    json_add_number(o, "time", t);
    json_add_number(o, "hazard", life_hazard(&r->fit, t));
    for (size_t i = 0; i < n_region; i++) {
        struct life_fit f = r->fit;
        f.first = region[i][0];
        f.scale = region[i][1];
        const double h = life_hazard(&f, t);
        low = fmin(low, h);
        high = fmax(high, h);
    }
    json_add_number(o, "low", n_region > 0 ? low : NAN);
    json_add_number(o, "high", n_region > 0 ? high : NAN);
}

/* The rate has one valley: where it leaves the flat zone between the best age and `out`, which is
 * the edge when it does not. */
static double flat_edge(const struct life_report *r, const struct life_request *q, double out)
{
    double in = r->replacement.interval;
    for (int k = 0; k < 60; k++) {
        const double mid = 0.5 * (in + out);
        const double rate = renewal_age_cost_rate(&r->fit, mid, q->cost_planned, q->cost_failure);
        if (rate <= FLAT_SHARE * r->replacement.cost_rate)
            in = mid;
        else
            out = mid;
    }
    return in;
}

static void add_cost(cJSON *body, const struct life_report *r, const struct life_request *q,
                     double last)
{
    const struct age_replacement *best = &r->replacement;
    cJSON *cost = json_add_array(body, "cost");
    for (int i = 1; i <= POINTS && r->has_costs; i++) {
        const double t = last * i / POINTS;
        cJSON *o = json_add_object(cost, NULL);
        json_add_number(o, "interval", t);
        json_add_number(o, "rate",
                        renewal_age_cost_rate(&r->fit, t, q->cost_planned, q->cost_failure));
    }
    json_add_number(body, "run_rate", r->run_to_failure_rate);
    if (!best->has_optimum) {
        json_add_null(body, "flat");
        return;
    }
    cJSON *flat = json_add_array(body, "flat");
    json_add_number(flat, NULL, flat_edge(r, q, best->interval / 1e3));
    json_add_number(flat, NULL, flat_edge(r, q, last));
}

enum ft_status life_lab_curves_json(const struct life_report *r, const struct life_request *q,
                                    const struct life_data *data, cJSON *body, struct ft_err *err)
{
    double region[REGION][2];
    size_t n_region = 0;
    const double last = last_age(r, data);
    if (r->fit.n_parameters == 2 && !r->has_posterior) {
        const enum ft_status st = life_contour(&r->fit, data, r->confidence, REGION, region, err);
        if (st != FT_OK)
            return st;
        n_region = REGION;
    }
    cJSON *hazard = json_add_array(body, "hazard");
    for (int i = 1; i <= POINTS; i++)
        add_hazard_at(hazard, r, region, n_region, last * i / POINTS);
    add_cost(body, r, q, last);
    return FT_OK;
}

/* --- mean cumulative function ------------------------------------------------------------------
 */

struct rows {
    double *time;
    bool *is_event;
    size_t *unit;
    size_t n, n_units;
};

/* Each asset's clock runs on from life to life; a failure is an event, its last day the end. */
static void fill_rows(const struct life_table *t, const struct life_origin *origin, struct rows *r)
{
    double clock = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (i == 0 || origin[i].asset_id != origin[i - 1].asset_id) {
            clock = 0;
            r->n_units++;
        }
        clock += t->time[i] - (t->entry != NULL ? t->entry[i] : 0);
        const bool is_last = i + 1 == t->n || origin[i + 1].asset_id != origin[i].asset_id;
        for (int k = 0; k < 2; k++) {
            if (k == 0 ? !t->failed[i] : !is_last)
                continue;
            r->time[r->n] = clock;
            r->is_event[r->n] = k == 0;
            r->unit[r->n++] = r->n_units - 1;
        }
    }
}

static enum ft_status add_mcf(const struct rows *r, double confidence, cJSON *list,
                              struct ft_err *err)
{
    struct recurrent data;
    struct mcf_point *points = NULL;
    size_t n = 0;
    enum ft_status st =
        recurrent_make(r->time, r->is_event, r->unit, NULL, NULL, r->n, r->n_units, &data, err);
    if (st != FT_OK)
        return st;
    st = recurrent_mcf(&data, confidence, &points, &n, err);
    if (st == FT_OK)
        life_recurrent_mcf_json(points, n, list);
    free(points);
    recurrent_free(&data);
    return st == FT_TOO_FEW ? FT_OK : st; /* no failure: an empty list */
}

enum ft_status life_lab_mcf_json(const struct life_table *t, const struct life_origin *origin,
                                 double confidence, cJSON *body, struct ft_err *err)
{
    cJSON *list = json_add_array(body, "mcf");
    struct rows r = {.time = calloc(2 * t->n + 1, sizeof(*r.time)),
                     .is_event = calloc(2 * t->n + 1, sizeof(*r.is_event)),
                     .unit = calloc(2 * t->n + 1, sizeof(*r.unit))};
    enum ft_status st = FT_OK;
    if (r.time == NULL || r.is_event == NULL || r.unit == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for %zu lives", t->n);
    if (st == FT_OK && t->n > 0) {
        fill_rows(t, origin, &r);
        st = add_mcf(&r, confidence, list, err);
    }
    free(r.time);
    free(r.is_event);
    free(r.unit);
    return st;
}
