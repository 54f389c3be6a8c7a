/* As-of rows, labels and censoring. */
#include "app/dataset.h"

#include "app/base/clock.h"

#include <math.h>
#include <stdlib.h>

/* An asset that was silent this long before the end of the class's data was no longer watched. */
#define SILENCE_MS (30 * MS_PER_DAY)

enum { MIN_RUL_ASSETS = 3, RUL_ROWS_PER_ASSET = 150 };

double dataset_unit_ms(const struct history *h)
{
    return (double)(h->cycle_ms > 0 ? h->cycle_ms : MS_PER_DAY);
}

void dataset_clear(struct dataset *d)
{
    free(d->rows);
    *d = (struct dataset){0};
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

struct dataset_span dataset_watched(const struct history *h, const struct history_asset *a,
                                    int64_t until_ms)
{
    struct dataset_span s = {0, 0};
    if (a->first_ms == DB_NO_TIME || h->observe_start_ms == DB_NO_TIME)
        return s;
    s.start_ms = h->observe_start_ms;
    /* An asset without a commissioning date was there before, unless its readings start later. */
    if (a->commissioned_ms != DB_NO_TIME)
        s.start_ms = later(s.start_ms, a->commissioned_ms);
    else if (a->last_reading_ms != DB_NO_TIME)
        s.start_ms = later(s.start_ms, a->first_ms);
    s.end_ms = h->end_ms;
    bool is_heard = a->last_reading_ms != DB_NO_TIME;
    for (size_t i = 0; i < a->n_events && !is_heard; i++)
        is_heard = a->events[i].kind == EVENT_ALARM;
    if (is_heard)
        s.end_ms = earlier(s.end_ms, a->last_ms + SILENCE_MS);
    if (a->is_ended)
        s.end_ms = a->last_ms;
    if (a->retired_ms != DB_NO_TIME)
        s.end_ms = earlier(s.end_ms, a->retired_ms);
    if (until_ms != DB_NO_TIME)
        s.end_ms = earlier(s.end_ms, until_ms);
    return s;
}

/* Rows of one asset from first, counted; written to rows when it is not NULL. */
static size_t grid_rows(int64_t first, int64_t step_ms, const struct dataset_span *span,
                        int64_t from_ms, size_t asset, struct dataset_row *rows)
{
    size_t n = 0;
    int64_t begin = span->start_ms;
    if (from_ms != DB_NO_TIME)
        begin = later(begin, from_ms);
    int64_t t = first;
    if (begin > t)
        t += (begin - t + step_ms - 1) / step_ms * step_ms;
    for (; t < span->end_ms; t += step_ms, n++)
        if (rows != NULL)
            rows[n] = (struct dataset_row){.asset = asset, .as_of_ms = t};
    return n;
}

enum ft_status dataset_failure_rows(const struct history *h, const bool *include, int64_t step_ms,
                                    int64_t from_ms, int64_t until_ms, struct dataset *out,
                                    struct ft_err *err)
{
    *out = (struct dataset){0};
    if (step_ms <= 0)
        return ft_fail(err, FT_INVALID, "dataset: step of %lld ms", (long long)step_ms);
    if (h->observe_start_ms == DB_NO_TIME)
        return ft_fail(err, FT_TOO_FEW, "class %s has no reading, alarm or failure", h->class_name);
    const int64_t first = clock_local_midnight(h->observe_start_ms);
    for (size_t pass = 0; pass < 2; pass++) {
        size_t n = 0;
        for (size_t i = 0; i < h->n_assets; i++) {
            const struct dataset_span span = dataset_watched(h, &h->assets[i], until_ms);
            if (include[i])
                n += grid_rows(first, step_ms, &span, from_ms, i, pass == 1 ? out->rows + n : NULL);
        }
        if (pass == 0) {
            out->rows = calloc(n + 1, sizeof(*out->rows));
            if (out->rows == NULL)
                return ft_fail(err, FT_NOMEM, "dataset: no memory for %zu rows", n);
        }
        out->n = n;
    }
    return FT_OK;
}

/* First event after t that is a failure (fail) or another renewal (replace) of the component. */
static void look_ahead(const struct history_asset *a, size_t component, int64_t t, int64_t *fail_ms,
                       int64_t *replace_ms)
{
    *fail_ms = *replace_ms = INT64_MAX;
    size_t low = 0;
    size_t high = a->n_events;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (a->events[mid].ts_ms <= t)
            low = mid + 1;
        else
            high = mid;
    }
    for (size_t i = low; i < a->n_events && *fail_ms == INT64_MAX; i++) {
        if (history_is_failure(&a->events[i], component))
            *fail_ms = a->events[i].ts_ms;
        else if (*replace_ms == INT64_MAX && history_is_replacement(&a->events[i], component))
            *replace_ms = a->events[i].ts_ms;
    }
}

void dataset_failure_labels(const struct history *h, const struct dataset *d, size_t component,
                            int64_t horizon_ms, int64_t until_ms, double *y, int64_t *lead_ms)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct history_asset *a = &h->assets[d->rows[i].asset];
        const struct dataset_span span = dataset_watched(h, a, until_ms);
        const int64_t t = d->rows[i].as_of_ms;
        const int64_t due = t + horizon_ms;
        int64_t fail_ms;
        int64_t replace_ms;
        look_ahead(a, component, t, &fail_ms, &replace_ms);
        if (lead_ms != NULL)
            lead_ms[i] = DB_NO_TIME;
        /* A unit that ran to failure is dead at the end of its data: nothing later can decide. */
        const bool is_seen = due <= span.end_ms || (a->is_ended && fail_ms <= span.end_ms);
        if (!is_seen || (replace_ms < fail_ms && replace_ms <= due)) {
            y[i] = NAN;
        } else {
            y[i] = fail_ms <= due ? 1 : 0;
            if (lead_ms != NULL && fail_ms <= due)
                lead_ms[i] = fail_ms - t;
        }
    }
}

const struct readings *dataset_lead_series(const struct history *h, const struct history_asset *a)
{
    const struct readings *best = NULL;
    for (size_t s = 0; s < h->n_sensors; s++)
        if (a->series[s].n > 0 && (best == NULL || a->series[s].n > best->n))
            best = &a->series[s];
    return best;
}

/* Rows of one run-to-failure asset; y and weight follow the rows. */
static size_t unit_rows(const struct history *h, size_t asset, double cap_units, size_t every,
                        struct dataset_row *rows, double *y, double *weight)
{
    const struct history_asset *a = &h->assets[asset];
    const struct readings *lead = dataset_lead_series(h, a);
    const int64_t failed_ms = a->last_ms;
    size_t last = lead->n;
    size_t n = 0;
    /* The instant of the failure itself is no forecast. */
    while (last > 0 && lead->ts_ms[last - 1] >= failed_ms)
        last--;
    n = (last + every - 1) / every;
    for (size_t k = 0; k < n && rows != NULL; k++) {
        const size_t at = last - 1 - (n - 1 - k) * every;
        rows[k] = (struct dataset_row){.asset = asset, .as_of_ms = lead->ts_ms[at]};
        y[k] = fmin(cap_units, (double)(failed_ms - lead->ts_ms[at]) / dataset_unit_ms(h));
        weight[k] = 1.0 / (double)n;
    }
    return n;
}

static bool is_run_to_failure(const struct history *h, size_t asset, const bool *include)
{
    const struct history_asset *a = &h->assets[asset];
    return include[asset] && a->is_ended && dataset_lead_series(h, a) != NULL;
}

enum ft_status dataset_rul_rows(const struct history *h, const bool *include, double cap_units,
                                size_t every, struct dataset *out, double **y, double **weight,
                                struct ft_err *err)
{
    size_t n_units = 0;
    size_t n_readings = 0;
    *out = (struct dataset){0};
    *y = *weight = NULL;
    for (size_t i = 0; i < h->n_assets; i++)
        if (is_run_to_failure(h, i, include)) {
            n_units++;
            n_readings += dataset_lead_series(h, &h->assets[i])->n;
        }
    if (n_units < MIN_RUL_ASSETS)
        return ft_fail(err, FT_TOO_FEW,
                       "class %s: %zu assets ran to failure with readings up to it, rul needs %d",
                       h->class_name, n_units, MIN_RUL_ASSETS);
    if (every == 0) {
        every = n_readings / n_units / RUL_ROWS_PER_ASSET;
        every = every < 3 ? 3 : every;
    }
    const size_t cap = n_readings / every + h->n_assets + 1;
    out->rows = calloc(cap, sizeof(*out->rows));
    *y = calloc(cap, sizeof(**y));
    *weight = calloc(cap, sizeof(**weight));
    if (out->rows == NULL || *y == NULL || *weight == NULL) {
        dataset_clear(out);
        free(*y);
        free(*weight);
        *y = *weight = NULL;
        return ft_fail(err, FT_NOMEM, "dataset: no memory for %zu rows", cap);
    }
    for (size_t i = 0; i < h->n_assets; i++)
        if (is_run_to_failure(h, i, include))
            out->n += unit_rows(h, i, cap_units, every, out->rows + out->n, *y + out->n,
                                *weight + out->n);
    return FT_OK;
}

struct feature_jobs {
    const struct feature_set *fs;
    const struct history *h;
    const struct dataset *d;
    const size_t *begin; /* [n_assets + 1] first row of each asset */
    const int64_t *as_of;
    float *out;
    enum ft_status *status; /* [n_assets] */
    struct ft_err *errors;  /* [n_assets] */
};

static void feature_job(void *ctx, size_t asset)
{
    struct feature_jobs *j = ctx;
    const size_t from = j->begin[asset];
    j->status[asset] =
        features_compute(j->fs, j->h, asset, j->as_of + from, j->begin[asset + 1] - from,
                         j->out + from * j->fs->n, &j->errors[asset]);
}

enum ft_status dataset_features(const struct feature_set *fs, const struct history *h,
                                const struct dataset *d, struct pool *pool, float **out,
                                struct ft_err *err)
{
    enum ft_status st = FT_OK;
    size_t *begin = calloc(h->n_assets + 1, sizeof(*begin));
    int64_t *as_of = calloc(d->n + 1, sizeof(*as_of));
    enum ft_status *status = calloc(h->n_assets + 1, sizeof(*status));
    struct ft_err *errors = calloc(h->n_assets + 1, sizeof(*errors));
    *out = calloc(d->n * fs->n + 1, sizeof(**out));
    if (begin == NULL || as_of == NULL || status == NULL || errors == NULL || *out == NULL) {
        st = ft_fail(err, FT_NOMEM, "dataset: no memory for %zu x %zu features", d->n, fs->n);
        goto out;
    }
    for (size_t i = 0; i < d->n; i++) {
        as_of[i] = d->rows[i].as_of_ms;
        begin[d->rows[i].asset + 1]++;
    }
    for (size_t a = 0; a < h->n_assets; a++)
        begin[a + 1] += begin[a];
    struct feature_jobs jobs = {fs, h, d, begin, as_of, *out, status, errors};
    pool_run(pool, h->n_assets, feature_job, &jobs);
    for (size_t a = 0; a < h->n_assets && st == FT_OK; a++)
        if (status[a] != FT_OK)
            st = ft_fail(err, status[a], "%s", errors[a].msg);
out:
    if (st != FT_OK) {
        free(*out);
        *out = NULL;
    }
    free(begin);
    free(as_of);
    free(status);
    free(errors);
    return st;
}
