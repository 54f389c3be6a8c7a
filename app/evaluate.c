/* Evaluation of champions. */
#include "app/evaluate.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/dataset.h"
#include "app/hazard_curve.h"
#include "app/prognosis.h"
#include "app/scorer.h"
#include "db/db.h"
#include "models/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of false alarms: one an asset and year. */
#define FIXED_RATE (1.0 / 12)
#define MONTH_MS (30.4375 * (double)MS_PER_DAY)

static enum ft_status no_memory(struct ft_err *err)
{
    return ft_fail(err, FT_NOMEM, "evaluate: no memory");
}

/* --- remaining life --- */

struct lives_table {
    double *truth, *truth_capped, *prediction, *baseline, *low, *high;
    double *p_soon; /* P(failure within SOON_UNITS) */
    size_t *asset;
    size_t n;
};

enum {
    SOON_UNITS = 30,
    N_WORST = 5,
    N_CALIBRATION_BINS = 10,
    WALK_EVERY = 5 /* readings between two forecasts along a life */
};

static enum ft_status life_row(const struct history *h, const struct scorer_model *m,
                               const struct age_model *age, size_t asset, struct lives_table *t,
                               struct ft_err *err)
{
    const struct history_asset *a = &h->assets[asset];
    const int64_t as_of = a->last_reading_ms;
    float *row = calloc(m->fs->n + 1, sizeof(*row));
    double *wide = calloc(m->fs->n + 1, sizeof(*wide));
    enum ft_status st = row == NULL || wide == NULL ? no_memory(err) : FT_OK;
    if (st == FT_OK)
        st = features_compute(m->fs, h, asset, &as_of, 1, row, err);
    if (st == FT_OK) {
        double lower = 0;
        double upper = 0;
        const size_t i = t->n++;
        const double p = scorer_final(m, scorer_raw(m, row, wide));
        conformal_interval(model_conformal(m->model), p, &lower, &upper);
        t->truth[i] = (double)a->true_rul_ms / m->unit_ms;
        t->truth_capped[i] = fmin(m->cap, t->truth[i]);
        t->prediction[i] = p;
        t->asset[i] = asset;
        t->low[i] = fmax(0, lower);
        t->high[i] = upper;
        const int64_t origin = history_renewal_ms(h, a, HISTORY_NO_INDEX, as_of);
        t->baseline[i] = age != NULL
                             ? age_model_expected(
                                   age, origin != DB_NO_TIME ? as_of - origin : DB_NO_TIME, m->cap)
                             : NAN;
        const struct hazard_curve c =
            hazard_curve_rul(age, origin != DB_NO_TIME ? as_of - origin : DB_NO_TIME, m->residuals,
                             p, m->cap, m->unit_ms);
        t->p_soon[i] = hazard_curve_probability(&c, (int64_t)(SOON_UNITS * m->unit_ms));
    }
    free(row);
    free(wide);
    return st;
}

static void put_life_metrics(const struct lives_table *t, const double *p, cJSON *to)
{
    json_add_number(to, "rmse", metric_rmse(p, t->truth, NULL, t->n));
    json_add_number(to, "rmse_capped", metric_rmse(p, t->truth_capped, NULL, t->n));
    json_add_number(to, "mae", metric_mae(p, t->truth, NULL, t->n));
    json_add_number(to, "phm08_score", metric_phm08(p, t->truth, t->n));
    json_add_number(to, "phm08_score_capped", metric_phm08(p, t->truth_capped, t->n));
}

/* P(failure within SOON_UNITS) against what came. */
static void put_soon(const struct lives_table *t, cJSON *out)
{
    double *y = calloc(t->n + 1, sizeof(*y));
    if (y == NULL)
        return;
    for (size_t i = 0; i < t->n; i++)
        y[i] = t->truth[i] <= SOON_UNITS;
    cJSON *soon = json_add_object(out, "failure_soon");
    json_add_int(soon, "within", SOON_UNITS);
    json_add_number(soon, "pr_auc", metric_pr_auc(t->p_soon, y, NULL, t->n));
    json_add_number(soon, "brier", metric_brier(t->p_soon, y, NULL, t->n));
    json_add_number(soon, "calibration_error",
                    metric_calibration_error(t->p_soon, y, t->n, N_CALIBRATION_BINS));
    json_add_number(soon, "calibration_error_by_chance",
                    metric_calibration_chance(t->p_soon, t->n, N_CALIBRATION_BINS));
    free(y);
}

/* The units whose forecast was furthest from the (capped) truth. */
static void put_worst(const struct history *h, const struct lives_table *t, cJSON *out)
{
    bool *is_told = calloc(t->n + 1, sizeof(*is_told));
    cJSON *list = json_add_array(out, "worst");
    for (size_t k = 0; k < N_WORST && k < t->n && is_told != NULL; k++) {
        size_t worst = SIZE_MAX;
        for (size_t i = 0; i < t->n; i++)
            if (!is_told[i] &&
                (worst == SIZE_MAX || fabs(t->prediction[i] - t->truth_capped[i]) >
                                          fabs(t->prediction[worst] - t->truth_capped[worst])))
                worst = i;
        is_told[worst] = true;
        cJSON *item = json_add_object(list, NULL);
        json_add_string(item, "asset", h->assets[t->asset[worst]].key);
        json_add_number(item, "prediction", t->prediction[worst]);
        json_add_number(item, "truth", t->truth[worst]);
    }
    free(is_told);
}

static void put_lives(const struct history *h, const struct scorer_model *m,
                      const struct lives_table *t, cJSON *out)
{
    double covered = 0;
    double width = 0;
    json_add_int(out, "model_id", m->id);
    json_add_string(out, "model_kind", m->kind);
    json_add_int(out, "assets", (int64_t)t->n);
    json_add_number(out, "cap", m->cap);
    put_life_metrics(t, t->prediction, out);
    for (size_t i = 0; i < t->n; i++) {
        /* An upper end at the cap is open: the target says "or more" there. */
        covered += t->truth[i] >= t->low[i] && (t->truth[i] <= t->high[i] || t->high[i] >= m->cap);
        width += fmin(m->cap, t->high[i]) - t->low[i];
    }
    cJSON *coverage = json_add_object(out, "coverage");
    json_add_number(coverage, "nominal", m->coverage);
    json_add_number(coverage, "observed", covered / (double)t->n);
    json_add_number(out, "interval_mean_width", width / (double)t->n);
    cJSON *baseline = json_add_object(out, "baseline");
    json_add_string(baseline, "kind", "weibull_age");
    put_life_metrics(t, t->baseline, baseline);
    put_soon(t, out);
    put_worst(h, t, out);
}

/* Forecasts at every few readings of the held-out units of t. */
struct walk {
    struct prognosis_rows rows;
    size_t *unit;
    double *age, *truth, *prediction;
};

static enum ft_status walk_unit(const struct history *h, const struct scorer_model *m, size_t asset,
                                struct walk *w, struct ft_err *err)
{
    const struct history_asset *a = &h->assets[asset];
    const struct readings *lead = dataset_lead_series(h, a);
    const size_t n = lead != NULL ? (lead->n + WALK_EVERY - 1) / WALK_EVERY : 0;
    int64_t *as_of = calloc(n + 1, sizeof(*as_of));
    float *x = calloc(n * m->fs->n + 1, sizeof(*x));
    double *wide = calloc(m->fs->n + 1, sizeof(*wide));
    enum ft_status st = as_of == NULL || x == NULL || wide == NULL ? no_memory(err) : FT_OK;
    for (size_t i = 0; i < n && st == FT_OK; i++)
        as_of[i] = lead->ts_ms[lead->n - 1 - (n - 1 - i) * WALK_EVERY];
    if (st == FT_OK && n > 0)
        st = features_compute(m->fs, h, asset, as_of, n, x, err);
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        const size_t k = w->rows.n++;
        w->unit[k] = asset;
        w->age[k] = (double)(as_of[i] - history_origin_ms(a)) / m->unit_ms;
        w->truth[k] = (double)(a->last_reading_ms + a->true_rul_ms - as_of[i]) / m->unit_ms;
        w->prediction[k] = scorer_final(m, scorer_raw(m, x + i * m->fs->n, wide));
    }
    free(as_of);
    free(x);
    free(wide);
    return st;
}

static void put_prognosis(const struct prognosis *p, cJSON *out)
{
    cJSON *o = json_add_object(out, "prognosis");
    json_add_number(o, "alpha", PROGNOSIS_ALPHA);
    cJSON *list = json_add_array(o, "alpha_lambda");
    for (size_t l = 0; l < PROGNOSIS_N_LAMBDAS; l++) {
        cJSON *item = json_add_object(list, NULL);
        json_add_number(item, "lambda", prognosis_lambdas[l]);
        json_add_number(item, "share", p->alpha_lambda[l]);
        json_add_int(item, "units", (int64_t)p->n_lambda[l]);
    }
    json_add_number(o, "horizon_median", p->horizon);
    json_add_number(o, "relative_accuracy", p->relative_accuracy);
}

static enum ft_status evaluate_walk(const struct history *h, const struct scorer_model *m,
                                    const struct lives_table *t, cJSON *out, struct ft_err *err)
{
    struct walk w = {{0}, NULL, NULL, NULL, NULL};
    size_t n = 1;
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < t->n; i++) {
        const struct readings *lead = dataset_lead_series(h, &h->assets[t->asset[i]]);
        n += lead != NULL ? lead->n / WALK_EVERY + 1 : 0;
    }
    w.unit = calloc(n, sizeof(*w.unit));
    w.age = calloc(n, sizeof(double));
    w.truth = calloc(n, sizeof(double));
    w.prediction = calloc(n, sizeof(double));
    if (w.unit == NULL || w.age == NULL || w.truth == NULL || w.prediction == NULL)
        st = no_memory(err);
    for (size_t i = 0; i < t->n && st == FT_OK; i++)
        st = walk_unit(h, m, t->asset[i], &w, err);
    if (st == FT_OK) {
        const struct prognosis_rows rows = {.unit = w.unit,
                                            .age = w.age,
                                            .truth = w.truth,
                                            .prediction = w.prediction,
                                            .n = w.rows.n,
                                            .cap = m->cap};
        const struct prognosis p = prognosis_lives(&rows);
        put_prognosis(&p, out);
    }
    free(w.unit);
    free(w.age);
    free(w.truth);
    free(w.prediction);
    return st;
}

static enum ft_status evaluate_lives(const struct history *h, const struct scorer_model *m,
                                     cJSON *out, struct ft_err *err)
{
    struct age_model age;
    const bool has_age = age_model_fit(h, HISTORY_NO_INDEX, NULL, DB_NO_TIME, &age, NULL) == FT_OK;
    const size_t n = h->n_assets + 1;
    double *v = calloc(7 * n, sizeof(*v));
    size_t *assets = calloc(n, sizeof(*assets));
    enum ft_status st = v == NULL || assets == NULL ? no_memory(err) : FT_OK;
    struct lives_table t = {0};
    if (v != NULL)
        t = (struct lives_table){v,         v + n,     v + 2 * n, v + 3 * n, v + 4 * n,
                                 v + 5 * n, v + 6 * n, assets,    0};
    for (size_t a = 0; a < h->n_assets && st == FT_OK; a++)
        if (h->assets[a].is_held_out && h->assets[a].true_rul_ms != DB_NO_TIME &&
            h->assets[a].last_reading_ms != DB_NO_TIME)
            st = life_row(h, m, has_age ? &age : NULL, a, &t, err);
    if (st == FT_OK && t.n == 0)
        st = ft_fail(err, FT_TOO_FEW,
                     "class %s has no held-out unit with a known remaining life to evaluate on",
                     h->class_name);
    if (st == FT_OK)
        put_lives(h, m, &t, out);
    if (st == FT_OK)
        st = evaluate_walk(h, m, &t, out, err);
    free(v);
    free(assets);
    return st;
}

/* --- failures --- */

struct outcome_table {
    double *y, *p, *base, *threshold;
    int64_t *failure_ms; /* instant of the failure that made y 1, else DB_NO_TIME */
    size_t *unit;        /* (asset, component) as one number */
    int64_t *as_of_ms;
    size_t n, cap;
};

static bool table_reserve(struct outcome_table *t, size_t cap)
{
    t->cap = cap + 1;
    t->y = calloc(t->cap, sizeof(double));
    t->p = calloc(t->cap, sizeof(double));
    t->base = calloc(t->cap, sizeof(double));
    t->threshold = calloc(t->cap, sizeof(double));
    t->failure_ms = calloc(t->cap, sizeof(int64_t));
    t->unit = calloc(t->cap, sizeof(size_t));
    t->as_of_ms = calloc(t->cap, sizeof(int64_t));
    return t->y != NULL && t->p != NULL && t->base != NULL && t->threshold != NULL &&
           t->failure_ms != NULL && t->unit != NULL && t->as_of_ms != NULL;
}

static void table_clear(struct outcome_table *t)
{
    free(t->y);
    free(t->p);
    free(t->base);
    free(t->threshold);
    free(t->failure_ms);
    free(t->unit);
    free(t->as_of_ms);
}

static int compare_times(const void *pa, const void *pb)
{
    const double a = *(const double *)pa;
    const double b = *(const double *)pb;
    return a < b ? -1 : a > b;
}

/* Median over the failures that were announced at all of the time from the first alarm within the
 * horizon to the failure. Rows are by unit and instant. */
static double median_lead_s(const struct outcome_table *t, size_t *n_announced, size_t *n_failures)
{
    double *lead = calloc(t->n + 1, sizeof(*lead));
    size_t n = 0;
    int64_t counted_ms = DB_NO_TIME;
    int64_t seen_ms = DB_NO_TIME;
    size_t counted_unit = SIZE_MAX;
    size_t seen_unit = SIZE_MAX;
    *n_announced = *n_failures = 0;
    if (lead == NULL)
        return NAN;
    for (size_t i = 0; i < t->n; i++) {
        const int64_t failure = t->failure_ms[i];
        if (failure == DB_NO_TIME)
            continue;
        *n_failures += failure != seen_ms || t->unit[i] != seen_unit;
        seen_ms = failure;
        seen_unit = t->unit[i];
        if (t->p[i] < t->threshold[i] || (failure == counted_ms && t->unit[i] == counted_unit))
            continue;
        lead[n++] = (double)(failure - t->as_of_ms[i]) / 1000;
        counted_ms = failure;
        counted_unit = t->unit[i];
    }
    *n_announced = n;
    double out = NAN;
    if (n > 0) {
        qsort(lead, n, sizeof(*lead), compare_times);
        out = n % 2 == 1 ? lead[n / 2] : 0.5 * (lead[n / 2 - 1] + lead[n / 2]);
    }
    free(lead);
    return out;
}

static void put_scores(const struct outcome_table *t, const double *p, cJSON *to)
{
    json_add_number(to, "pr_auc", metric_pr_auc(p, t->y, NULL, t->n));
    json_add_number(to, "roc_auc", metric_roc_auc(p, t->y, NULL, t->n));
    json_add_number(to, "brier", metric_brier(p, t->y, NULL, t->n));
    json_add_number(to, "log_loss", metric_log_loss(p, t->y, NULL, t->n));
    json_add_number(to, "calibration_error",
                    metric_calibration_error(p, t->y, t->n, N_CALIBRATION_BINS));
}

static void put_alarms(const struct alarm_answer *a, cJSON *to)
{
    json_add_number(to, "threshold", a->threshold);
    json_add_number(to, "false_alarms_per_asset_month", a->false_alarm_rate);
    json_add_number(to, "alarms_per_asset_month", a->alarm_rate);
    json_add_number(to, "recall", a->recall);
    json_add_number(to, "lead_time_median_s", a->lead_time_s);
}

/* Alarms at the model's threshold, and what is left when false ones are held to a fixed rate. */
static void put_alarm_rates(const struct outcome_table *t, double threshold, cJSON *to)
{
    struct alarm_rows rows = {t->unit, t->as_of_ms, t->p, t->failure_ms, t->n, 0};
    for (size_t i = 1; i < t->n; i++)
        if (t->unit[i] == t->unit[i - 1])
            rows.unit_months += (double)(t->as_of_ms[i] - t->as_of_ms[i - 1]) / MONTH_MS;
    if (!(rows.unit_months > 0))
        return;
    const struct alarm_answer fixed = prognosis_alarms(&rows, FIXED_RATE);
    put_alarms(&fixed, json_add_object(to, "at_fixed_rate"));
    if (isfinite(threshold)) {
        const struct alarm_answer own = prognosis_alarms_at(&rows, threshold);
        put_alarms(&own, json_add_object(to, "alarms"));
    }
}

static void put_table(const struct outcome_table *t, double threshold, cJSON *to)
{
    double positives = 0;
    double alarms = 0;
    double hits = 0;
    size_t n_announced;
    size_t n_failures;
    for (size_t i = 0; i < t->n; i++) {
        const bool is_alarm = t->p[i] >= t->threshold[i];
        positives += t->y[i];
        alarms += is_alarm;
        hits += is_alarm ? t->y[i] : 0;
    }
    json_add_int(to, "rows", (int64_t)t->n);
    json_add_int(to, "positives", (int64_t)positives);
    put_scores(t, t->p, to);
    cJSON *baseline = json_add_object(to, "baseline");
    json_add_string(baseline, "kind", "weibull_age");
    put_scores(t, t->base, baseline);
    cJSON *at = json_add_object(to, "at_threshold");
    json_add_number(at, "threshold", threshold);
    json_add_number(at, "precision", alarms > 0 ? hits / alarms : NAN);
    json_add_number(at, "recall", positives > 0 ? hits / positives : NAN);
    json_add_number(at, "lead_time_median_s", median_lead_s(t, &n_announced, &n_failures));
    json_add_int(at, "failures", (int64_t)n_failures);
    json_add_int(at, "announced", (int64_t)n_announced);
    put_alarm_rates(t, threshold, to);
}

/* Rows of one champion into its own table. */
static enum ft_status fill_table(const struct history *h, const struct scorer_model *m,
                                 const struct dataset *d, const float *x, int64_t to_ms,
                                 struct outcome_table *t, struct ft_err *err)
{
    struct age_model age;
    const bool has_age = age_model_fit(h, m->component, NULL, m->until_ms, &age, NULL) == FT_OK;
    double *y = calloc(d->n + 1, sizeof(*y));
    int64_t *lead = calloc(d->n + 1, sizeof(*lead));
    double *wide = calloc(m->fs->n + 1, sizeof(*wide));
    enum ft_status st = FT_OK;
    if (y == NULL || lead == NULL || wide == NULL || !table_reserve(t, d->n)) {
        st = no_memory(err);
        goto out;
    }
    dataset_failure_labels(h, d, m->component, m->horizon_ms, to_ms, y, lead);
    for (size_t i = 0; i < d->n; i++) {
        const struct history_asset *a = &h->assets[d->rows[i].asset];
        const int64_t at = d->rows[i].as_of_ms;
        if (isnan(y[i]))
            continue;
        const size_t k = t->n++;
        const int64_t renewed = history_renewal_ms(h, a, m->component, at);
        t->y[k] = y[i];
        t->p[k] = scorer_final(m, scorer_raw(m, x + i * m->fs->n, wide));
        t->base[k] =
            has_age ? age_model_probability(&age, renewed != DB_NO_TIME ? at - renewed : DB_NO_TIME,
                                            m->horizon_ms)
                    : 0;
        t->threshold[k] = isfinite(m->threshold) ? m->threshold : 0.5;
        t->failure_ms[k] = lead[i] != DB_NO_TIME ? at + lead[i] : DB_NO_TIME;
        t->unit[k] = d->rows[i].asset * (h->n_components + 1) +
                     (m->component != HISTORY_NO_INDEX ? m->component : h->n_components);
        t->as_of_ms[k] = at;
    }
out:
    free(y);
    free(lead);
    free(wide);
    return st;
}

static enum ft_status append_table(struct outcome_table *to, const struct outcome_table *from,
                                   struct ft_err *err)
{
    struct outcome_table grown = {0};
    if (!table_reserve(&grown, to->n + from->n)) {
        table_clear(&grown);
        return no_memory(err);
    }
    for (size_t pass = 0; pass < 2; pass++) {
        const struct outcome_table *t = pass == 0 ? to : from;
        for (size_t i = 0; i < t->n; i++) {
            const size_t k = grown.n++;
            grown.y[k] = t->y[i];
            grown.p[k] = t->p[i];
            grown.base[k] = t->base[i];
            grown.threshold[k] = t->threshold[i];
            grown.failure_ms[k] = t->failure_ms[i];
            grown.unit[k] = t->unit[i];
            grown.as_of_ms[k] = t->as_of_ms[i];
        }
    }
    table_clear(to);
    *to = grown;
    return FT_OK;
}

/* The instant from which every failure champion is new to the data. */
static enum ft_status choose_start(const struct scorer *s, int64_t *from_ms, struct ft_err *err)
{
    int64_t newest = DB_NO_TIME;
    for (size_t i = 0; i < s->n_models; i++)
        if (!s->models[i].is_rul && (newest == DB_NO_TIME || s->models[i].until_ms > newest))
            newest = s->models[i].until_ms;
    if (newest == DB_NO_TIME)
        return ft_fail(err, FT_NOT_FOUND, "no failure champion: train one first");
    if (*from_ms == DB_NO_TIME)
        *from_ms = newest;
    if (*from_ms < newest) {
        char text[CLOCK_TEXT_SIZE];
        clock_format_utc(newest, text);
        return ft_fail(err, FT_CONFLICT,
                       "a champion has seen data up to %s: --from must not be earlier", text);
    }
    return FT_OK;
}

struct failure_run {
    const struct history *h;
    const struct scorer *s;
    struct pool *pool;
    int64_t from_ms, to_ms;
    struct outcome_table all;
};

static enum ft_status evaluate_model(struct failure_run *r, const struct scorer_model *m,
                                     cJSON *components, struct ft_err *err)
{
    const int64_t step = m->horizon_ms < MS_PER_DAY ? m->horizon_ms : MS_PER_DAY;
    bool *include = calloc(r->h->n_assets + 1, sizeof(*include));
    struct dataset d = {0};
    struct outcome_table t = {0};
    float *x = NULL;
    enum ft_status st = include == NULL ? no_memory(err) : FT_OK;
    for (size_t a = 0; a < r->h->n_assets && include != NULL; a++)
        include[a] = true;
    if (st == FT_OK)
        st = dataset_failure_rows(r->h, include, step, r->from_ms, r->to_ms, &d, err);
    if (st == FT_OK)
        st = dataset_features(m->fs, r->h, &d, r->pool, &x, err);
    if (st == FT_OK)
        st = fill_table(r->h, m, &d, x, r->to_ms, &t, err);
    if (st == FT_OK) {
        cJSON *item = json_add_object(components, NULL);
        json_add_string(item, "component",
                        m->component != HISTORY_NO_INDEX ? r->h->components[m->component].name
                                                         : NULL);
        json_add_int(item, "model_id", m->id);
        json_add_string(item, "model_kind", m->kind);
        json_add_number(item, "horizon_s", (double)m->horizon_ms / 1000);
        put_table(&t, isfinite(m->threshold) ? m->threshold : 0.5, item);
        st = append_table(&r->all, &t, err);
    }
    table_clear(&t);
    free(x);
    dataset_clear(&d);
    free(include);
    return st;
}

static enum ft_status evaluate_failures(struct failure_run *r, cJSON *out, struct ft_err *err)
{
    double horizon_s = NAN;
    double threshold = NAN;
    size_t n_models = 0;
    cJSON *components = cJSON_CreateArray();
    enum ft_status st = choose_start(r->s, &r->from_ms, err);
    for (size_t i = 0; i < r->s->n_models && st == FT_OK; i++) {
        const struct scorer_model *m = &r->s->models[i];
        if (m->is_rul)
            continue;
        st = evaluate_model(r, m, components, err);
        horizon_s = (double)m->horizon_ms / 1000;
        threshold = n_models++ == 0 ? m->threshold : NAN;
    }
    if (st == FT_OK && r->all.n == 0) {
        char text[CLOCK_TEXT_SIZE];
        clock_format_utc(r->from_ms, text);
        st = ft_fail(err, FT_TOO_FEW,
                     "no decided outcome after %s: train with --until, or wait for newer data",
                     text);
    }
    if (st == FT_OK) {
        json_add_number(out, "horizon_s", horizon_s);
        json_add_instant(out, "from", r->from_ms);
        json_add_instant(out, "to", r->to_ms != DB_NO_TIME ? r->to_ms : r->h->end_ms);
        /* All components pooled; each alarm by its own component's threshold. */
        put_table(&r->all, threshold, out);
        cJSON_AddItemToObject(out, "components", components);
        components = NULL;
    }
    cJSON_Delete(components);
    table_clear(&r->all);
    return st;
}

static int compare_models(const void *pa, const void *pb)
{
    const struct scorer_model *a = pa;
    const struct scorer_model *b = pb;
    return a->component < b->component ? -1 : a->component > b->component;
}

enum ft_status evaluate_class(struct db *db, const struct evaluate_options *o, struct pool *pool,
                              cJSON **out, struct ft_err *err)
{
    struct history *h = NULL;
    struct scorer *s = NULL;
    cJSON *json = cJSON_CreateObject();
    *out = NULL;
    enum ft_status st = json == NULL ? no_memory(err) : FT_OK;
    if (st == FT_OK)
        st = history_load(db, o->class_name, o->to_ms, &h, err);
    if (st == FT_OK)
        st = scorer_load(db, h, &s, err);
    if (st != FT_OK)
        goto out;
    const struct scorer_model *rul = scorer_model_for(s, true, HISTORY_NO_INDEX);
    const bool is_rul = o->target != NULL ? strcmp(o->target, "rul") == 0 : rul != NULL;
    json_add_string(json, "class", h->class_name);
    json_add_string(json, "target", is_rul ? "rul" : "failure");
    if (is_rul && rul == NULL)
        st = ft_fail(err, FT_NOT_FOUND, "class %s has no rul champion", h->class_name);
    else if (is_rul)
        st = evaluate_lives(h, rul, json, err);
    else {
        struct failure_run r = {
            .h = h, .s = s, .pool = pool, .from_ms = o->from_ms, .to_ms = o->to_ms};
        if (s->n_models > 0)
            qsort(s->models, s->n_models, sizeof(*s->models), compare_models);
        st = evaluate_failures(&r, json, err);
    }
    if (st == FT_OK) {
        *out = json;
        json = NULL;
    }
out:
    cJSON_Delete(json);
    scorer_free(s);
    history_free(h);
    return st;
}
