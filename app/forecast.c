#include "app/forecast.h"

#include "app/base/json.h"
#include "app/base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cumulative hazard -log(1 - p); a certain failure is kept finite. */
static double cumulative(double p)
{
    return -log1p(-fmin(p, 1 - 1e-12));
}

double forecast_probability(const struct forecast *f, int64_t dur_ms)
{
    if (f->n_horizons == 0)
        return NAN;
    if (dur_ms <= 0)
        return 0;
    double t0 = 0;
    double h0 = 0;
    double slope = 0;
    for (size_t i = 0; i < f->n_horizons; i++) {
        const double t1 = (double)f->horizon_ms[i];
        const double h1 = cumulative(f->p[i]);
        slope = t1 > t0 ? fmax(0, (h1 - h0) / (t1 - t0)) : slope;
        if ((double)dur_ms <= t1)
            return 1 - exp(-(h0 + slope * ((double)dur_ms - t0)));
        t0 = t1;
        h0 = h1;
    }
    return 1 - exp(-(h0 + slope * ((double)dur_ms - t0)));
}

static void add_reasons(const struct forecast *f, cJSON *o)
{
    cJSON *list = json_add_array(o, "reasons");
    for (size_t i = 0; i < f->n_reasons; i++) {
        cJSON *r = json_add_object(list, NULL);
        json_add_string(r, "text", f->reasons[i].text);
        json_add_string(r, "feature", f->reasons[i].feature);
        json_add_string(r, "sensor", f->reasons[i].sensor[0] != '\0' ? f->reasons[i].sensor : NULL);
        json_add_number(r, "points", f->reasons[i].points);
    }
}

void forecast_add_method(const struct forecast *f, cJSON *to)
{
    json_add_string(to, "method", f->method[0] != '\0' ? f->method : NULL);
    if (f->next_method[0] == '\0') {
        json_add_null(to, "next");
        return;
    }
    cJSON *next = json_add_object(to, "next");
    json_add_string(next, "method", f->next_method);
    json_add_int(next, "failures_missing", (int64_t)f->next_missing);
    if (f->next_ms != FORECAST_NO_TIME)
        json_add_instant(next, "about", f->next_ms);
    else
        json_add_null(next, "about");
}

cJSON *forecast_to_json(const struct forecast *f)
{
    cJSON *o = cJSON_CreateObject();
    json_add_instant(o, "as_of", f->as_of_ms);
    json_add_string(o, "model_kind", f->model_kind[0] != '\0' ? f->model_kind : NULL);
    json_add_string(o, "spoke", f->spoke);
    forecast_add_method(f, o);
    cJSON *horizons = json_add_array(o, "horizons");
    for (size_t i = 0; i < f->n_horizons; i++) {
        cJSON *h = json_add_object(horizons, NULL);
        json_add_number(h, "t_s", (double)f->horizon_ms[i] / 1000);
        json_add_number(h, "p", f->p[i]);
        json_add_number(h, "low", f->p_low[i]);
        json_add_number(h, "high", f->p_high[i]);
    }
    cJSON *rul = json_add_object(o, "rul");
    json_add_number(rul, "median_s", f->rul_median / 1000);
    json_add_number(rul, "low_s", f->rul_low / 1000);
    json_add_number(rul, "high_s", f->rul_high / 1000);
    json_add_bool(rul, "is_open", isinf(f->rul_high) != 0);
    json_add_number(rul, "coverage", f->rul_coverage);
    json_add_number(o, "base_points", f->base_points);
    add_reasons(f, o);
    json_add_number(o, "data_frac", f->data_frac);
    json_add_int(o, "sensors", (int64_t)f->n_sensors);
    json_add_int(o, "sensors_stale", (int64_t)f->n_sensors_stale);
    return o;
}

static enum ft_status take_text(const cJSON *o, const char *key, char *out, size_t size,
                                struct ft_err *err)
{
    const char *text = "";
    const enum ft_status st = json_string(o, key, false, &text, err);
    snprintf(out, size, "%s", text);
    utf8_clean(out); /* it may be cut inside a character */
    return st;
}

static enum ft_status take_horizons(const cJSON *json, struct forecast *f, struct ft_err *err)
{
    const cJSON *list = NULL;
    const cJSON *h;
    int64_t before_ms = 0;
    double before = 0;
    enum ft_status st = json_array(json, "horizons", true, &list, err);
    if (st != FT_OK)
        return st;
    cJSON_ArrayForEach (h, list) {
        double t_s = NAN;
        const size_t i = f->n_horizons;
        if (i == FORECAST_MAX_HORIZONS)
            return ft_fail(err, FT_INVALID, "/horizons: more than %d", FORECAST_MAX_HORIZONS);
        f->p_low[i] = f->p_high[i] = NAN;
        if ((st = json_number(h, "t_s", true, &t_s, err)) != FT_OK ||
            (st = json_number(h, "p", true, &f->p[i], err)) != FT_OK ||
            (st = json_number(h, "low", false, &f->p_low[i], err)) != FT_OK ||
            (st = json_number(h, "high", false, &f->p_high[i], err)) != FT_OK)
            return st;
        if (!(t_s > 0 && t_s < 1e11) || !(f->p[i] >= 0 && f->p[i] <= 1))
            return ft_fail(err, FT_INVALID, "/horizons/%zu: out of range", i);
        f->horizon_ms[i] = llround(t_s * 1000);
        if (f->horizon_ms[i] <= before_ms || f->p[i] < before)
            return ft_fail(err, FT_INVALID,
                           "/horizons/%zu: expected a later instant and no smaller chance than the "
                           "one before",
                           i);
        before_ms = f->horizon_ms[i];
        before = f->p[i];
        f->n_horizons++;
    }
    return FT_OK;
}

static enum ft_status take_reasons(const cJSON *json, struct forecast *f, struct ft_err *err)
{
    const cJSON *list = NULL;
    const cJSON *r;
    enum ft_status st = json_array(json, "reasons", false, &list, err);
    if (st != FT_OK || list == NULL)
        return st;
    cJSON_ArrayForEach (r, list) {
        if (f->n_reasons == FORECAST_MAX_REASONS)
            break;
        struct forecast_reason *x = &f->reasons[f->n_reasons++];
        if ((st = take_text(r, "text", x->text, sizeof(x->text), err)) != FT_OK ||
            (st = take_text(r, "feature", x->feature, sizeof(x->feature), err)) != FT_OK ||
            (st = take_text(r, "sensor", x->sensor, sizeof(x->sensor), err)) != FT_OK ||
            (st = json_number(r, "points", false, &x->points, err)) != FT_OK)
            return st;
    }
    return FT_OK;
}

static enum ft_status take_rul(const cJSON *json, struct forecast *f, struct ft_err *err)
{
    const cJSON *rul = NULL;
    bool is_open = false;
    f->rul_median = f->rul_low = f->rul_high = NAN;
    enum ft_status st = json_object(json, "rul", false, &rul, err);
    if (st != FT_OK || rul == NULL)
        return st;
    if ((st = json_number(rul, "median_s", false, &f->rul_median, err)) != FT_OK ||
        (st = json_number(rul, "low_s", false, &f->rul_low, err)) != FT_OK ||
        (st = json_number(rul, "high_s", false, &f->rul_high, err)) != FT_OK ||
        (st = json_bool(rul, "is_open", false, &is_open, err)) != FT_OK ||
        (st = json_number(rul, "coverage", false, &f->rul_coverage, err)) != FT_OK)
        return st;
    f->rul_median *= 1000;
    f->rul_low *= 1000;
    f->rul_high = is_open ? INFINITY : f->rul_high * 1000;
    return FT_OK;
}

/* The name of a method: lower-case letters and _, so that cutting can never split a letter. */
static enum ft_status take_method_name(const cJSON *o, char *out, size_t size, struct ft_err *err)
{
    const char *text = "";
    const enum ft_status st = json_string(o, "method", false, &text, err);
    if (st != FT_OK)
        return st;
    const size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
    if (text[n] != '\0' || n >= size)
        return ft_fail(err, FT_INVALID, "method: expected a word of at most %zu letters", size - 1);
    memcpy(out, text, n + 1);
    return FT_OK;
}

static enum ft_status take_method(const cJSON *json, struct forecast *f, struct ft_err *err)
{
    const cJSON *next = NULL;
    int64_t missing = 0;
    f->next_ms = FORECAST_NO_TIME;
    enum ft_status st = take_method_name(json, f->method, sizeof(f->method), err);
    if (st == FT_OK)
        st = json_object(json, "next", false, &next, err);
    if (st != FT_OK || next == NULL)
        return st;
    st = take_method_name(next, f->next_method, sizeof(f->next_method), err);
    if (st == FT_OK)
        st = json_int(next, "failures_missing", false, 0, 1000000, &missing, err);
    if (st == FT_OK)
        st = json_instant(next, "about", false, &f->next_ms, err);
    f->next_missing = (size_t)missing;
    return st;
}

enum ft_status forecast_from_json(const cJSON *json, struct forecast *out, struct ft_err *err)
{
    int64_t sensors = 0;
    int64_t stale = 0;
    memset(out, 0, sizeof(*out));
    if (!cJSON_IsObject(json))
        return ft_fail(err, FT_INVALID, "/: expected an object");
    enum ft_status st = json_instant(json, "as_of", false, &out->as_of_ms, err);
    if (st == FT_OK)
        st = take_text(json, "model_kind", out->model_kind, sizeof(out->model_kind), err);
    if (st == FT_OK)
        st = take_text(json, "spoke", out->spoke, sizeof(out->spoke), err);
    if (st == FT_OK)
        st = take_method(json, out, err);
    if (st == FT_OK)
        st = take_horizons(json, out, err);
    if (st == FT_OK)
        st = take_rul(json, out, err);
    if (st == FT_OK)
        st = json_number(json, "base_points", false, &out->base_points, err);
    if (st == FT_OK)
        st = take_reasons(json, out, err);
    if (st == FT_OK)
        st = json_number(json, "data_frac", false, &out->data_frac, err);
    if (st == FT_OK)
        st = json_int(json, "sensors", false, 0, 100000, &sensors, err);
    if (st == FT_OK)
        st = json_int(json, "sensors_stale", false, 0, 100000, &stale, err);
    out->n_sensors = (size_t)sensors;
    out->n_sensors_stale = (size_t)stale;
    return st;
}
