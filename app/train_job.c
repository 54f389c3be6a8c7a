/* Data, folds and the parallel map. Every job writes only to its own cell and to the out-of-fold
 * places of its own rows, so the result does not depend on the number of threads. */
#include "app/train_job.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/rng.h"
#include "app/train_private.h"
#include "db/db.h"
#include "models/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_FAILURES = 3, STREAM_FOLDS = 1, STREAM_MODELS = 2 };

static enum ft_status no_memory(struct ft_err *err)
{
    return ft_fail(err, FT_NOMEM, "train: no memory");
}

/* --- options and data --- */

static enum ft_status choose_kinds(struct train_run *r, struct ft_err *err)
{
    const enum model_kind linear = r->o->is_rul ? MODEL_RIDGE : MODEL_LOGISTIC;
    const unsigned wanted = r->o->kinds != 0 ? r->o->kinds : ~0U;
    r->n_candidates = 0;
    if (wanted >> linear & 1U)
        r->candidates[r->n_candidates++] =
            (struct train_candidate){linear, FEATURE_VIEW_SENSORS, model_kind_name(linear)};
    if (wanted >> MODEL_GBDT & 1U)
        r->candidates[r->n_candidates++] =
            (struct train_candidate){MODEL_GBDT, FEATURE_VIEW_SENSORS, "gbdt"};
    if (wanted >> MODEL_GBDT & 1U && r->o->is_rul)
        r->candidates[r->n_candidates++] =
            (struct train_candidate){MODEL_GBDT, FEATURE_VIEW_HEALTH, "gbdt_health"};
    /* The search costs several fits: only when it is asked for. */
    if (r->o->kinds >> MODEL_GBDT_PRODUCTS & 1U)
        r->candidates[r->n_candidates++] = (struct train_candidate){
            MODEL_GBDT_PRODUCTS, FEATURE_VIEW_SENSORS, model_kind_name(MODEL_GBDT_PRODUCTS)};
    if (r->n_candidates == 0)
        return ft_fail(err, FT_INVALID, "train: no candidate left; %s takes %s and gbdt",
                       r->o->is_rul ? "rul" : "failure", model_kind_name(linear));
    return FT_OK;
}

static size_t count_failures(const struct history *h, size_t component)
{
    size_t n = 0;
    for (size_t a = 0; a < h->n_assets; a++)
        for (size_t i = 0; i < h->assets[a].n_events && !h->assets[a].is_held_out; i++)
            n += history_is_failure(&h->assets[a].events[i], component);
    return n;
}

static enum ft_status choose_components(struct train_run *r, struct ft_err *err)
{
    const struct history *h = r->h;
    const char *name = r->o->component;
    r->components = calloc(h->n_components + 1, sizeof(*r->components));
    if (r->components == NULL)
        return no_memory(err);
    if (r->o->is_rul || name == NULL) {
        r->components[r->n_components++] = HISTORY_NO_INDEX;
    } else if (strcmp(name, "all") == 0) {
        for (size_t c = 0; c < h->n_components; c++)
            if (h->components[c].n_failures >= MIN_FAILURES)
                r->components[r->n_components++] = c;
        if (r->n_components == 0)
            return ft_fail(err, FT_TOO_FEW,
                           "class %s: no component has %d recorded failures; age alone speaks",
                           h->class_name, MIN_FAILURES);
    } else {
        const size_t c = history_component(h, name);
        if (c == HISTORY_NO_INDEX)
            return ft_fail(err, FT_NOT_FOUND, "class %s has no component \"%s\"", h->class_name,
                           name);
        r->components[r->n_components++] = c;
    }
    for (size_t i = 0; i < r->n_components && !r->o->is_rul; i++) {
        const size_t n = count_failures(h, r->components[i]);
        if (n < MIN_FAILURES)
            return ft_fail(err, FT_TOO_FEW, "class %s: %zu failures recorded, at least %d needed",
                           h->class_name, n, MIN_FAILURES);
    }
    return FT_OK;
}

static double longest_life_units(const struct history *h)
{
    double longest = 1;
    for (size_t a = 0; a < h->n_assets; a++)
        if (h->assets[a].is_ended)
            longest = fmax(longest, (double)(h->assets[a].last_ms - h->assets[a].first_ms) /
                                        dataset_unit_ms(h));
    return longest;
}

/* At least one label of each class is needed somewhere. */
static enum ft_status make_rows(struct train_run *r, struct ft_err *err)
{
    const struct train_options *o = r->o;
    struct dataset d = {0};
    double *y = NULL;
    double *weight = NULL;
    enum ft_status st;
    if (o->is_rul) {
        r->cap_units = o->cap_units > 0     ? o->cap_units
                       : r->h->cycle_ms > 0 ? TRAIN_DEFAULT_CAP_CYCLES
                                            : longest_life_units(r->h);
        st = dataset_rul_rows(r->h, r->is_training, r->cap_units, 0, &d, &y, &weight, err);
        r->d = d;
        r->y = y;
        r->weight = weight;
        return st;
    }
    const int64_t step = o->horizon_ms < MS_PER_DAY ? o->horizon_ms : MS_PER_DAY;
    st = dataset_failure_rows(r->h, r->is_training, step, DB_NO_TIME, o->until_ms, &d, err);
    r->d = d;
    if (st != FT_OK)
        return st;
    r->y = calloc(r->n_components * r->d.n + 1, sizeof(*r->y));
    if (r->y == NULL)
        return no_memory(err);
    for (size_t c = 0; c < r->n_components; c++)
        dataset_failure_labels(r->h, &r->d, r->components[c], o->horizon_ms, o->until_ms,
                               r->y + c * r->d.n, NULL);
    return FT_OK;
}

/* Keeps every n-th row when the feature matrices would not fit: all labels alike, so that rates
 * stay true. */
static void thin_rows(struct train_run *r, size_t n_columns)
{
    const int64_t limit = r->o->memory_bytes > 0 ? r->o->memory_bytes : TRAIN_DEFAULT_MEMORY;
    const double bytes = (double)r->d.n * (double)n_columns *
                         (sizeof(float) * (double)(r->k + 1) + 2 * sizeof(double));
    const size_t every = (size_t)(bytes / (double)limit) + 1;
    size_t kept = 0;
    if (every == 1)
        return;
    for (size_t i = 0; i < r->d.n; i++) {
        if (i % every != 0)
            continue;
        r->d.rows[kept] = r->d.rows[i];
        /* y is [component][row] with the old row count as stride: compacted in place below. */
        for (size_t c = 0; c < r->n_components; c++)
            r->y[c * r->d.n + kept] = r->y[c * r->d.n + i];
        if (r->weight != NULL)
            r->weight[kept] = r->weight[i];
        kept++;
    }
    for (size_t c = 1; c < r->n_components; c++)
        memmove(r->y + c * kept, r->y + c * r->d.n, kept * sizeof(*r->y));
    r->d.n = kept;
}

/* --- folds --- */

struct fold_key {
    size_t asset;
    size_t n_events; /* failures of the asset: spread evenly over the folds */
    uint64_t hash;
};

static int compare_keys(const void *pa, const void *pb)
{
    const struct fold_key *a = pa;
    const struct fold_key *b = pb;
    if (a->n_events != b->n_events)
        return a->n_events > b->n_events ? -1 : 1;
    return a->hash < b->hash ? -1 : a->hash > b->hash;
}

/* Assets with rows, dealt to the folds in turn by falling number of failures. */
static enum ft_status deal_assets(struct train_run *r, struct ft_err *err)
{
    struct fold_key *keys = calloc(r->h->n_assets + 1, sizeof(*keys));
    size_t n = 0;
    size_t n_failing = 0;
    r->asset_fold = calloc(r->h->n_assets + 1, sizeof(*r->asset_fold));
    if (keys == NULL || r->asset_fold == NULL) {
        free(keys);
        return no_memory(err);
    }
    for (size_t a = 0; a < r->h->n_assets; a++)
        r->asset_fold[a] = SIZE_MAX;
    for (size_t i = 0; i < r->d.n; i++) {
        const size_t a = r->d.rows[i].asset;
        if (i > 0 && r->d.rows[i - 1].asset == a)
            continue;
        keys[n] = (struct fold_key){
            .asset = a, .hash = rng_u64(r->o->seed, STREAM_FOLDS, (uint64_t)r->h->assets[a].id)};
        for (size_t e = 0; e < r->h->assets[a].n_events && !r->o->is_rul; e++)
            keys[n].n_events += r->h->assets[a].events[e].kind == EVENT_FAILURE;
        n_failing += keys[n].n_events > 0;
        n++;
    }
    const size_t units = r->o->is_rul ? n : n_failing;
    r->k = r->o->folds > 0 ? r->o->folds : TRAIN_DEFAULT_FOLDS;
    r->is_time_folds = r->o->is_by_time || units < 2 || n < 3;
    if (!r->is_time_folds && r->k > units)
        r->k = units;
    if (n > 0)
        qsort(keys, n, sizeof(*keys), compare_keys);
    for (size_t i = 0; i < n; i++)
        r->asset_fold[keys[i].asset] = i % r->k;
    free(keys);
    return FT_OK;
}

/* k + 1 equal spans of time; block 0 only trains, fold f is tested on block f + 1. */
static enum ft_status cut_time(struct train_run *r, struct ft_err *err)
{
    int64_t first = INT64_MAX;
    int64_t last = INT64_MIN;
    for (size_t i = 0; i < r->d.n; i++) {
        first = r->d.rows[i].as_of_ms < first ? r->d.rows[i].as_of_ms : first;
        last = r->d.rows[i].as_of_ms > last ? r->d.rows[i].as_of_ms : last;
    }
    r->block_start = calloc(r->k + 2, sizeof(*r->block_start));
    if (r->block_start == NULL)
        return no_memory(err);
    for (size_t b = 0; b <= r->k + 1; b++)
        r->block_start[b] =
            first + (int64_t)((double)(last + 1 - first) * (double)b / (double)(r->k + 1));
    return FT_OK;
}

size_t train_fold_of(const struct train_run *r, size_t row)
{
    if (!r->is_time_folds)
        return r->asset_fold[r->d.rows[row].asset];
    for (size_t f = 0; f < r->k; f++)
        if (r->d.rows[row].as_of_ms >= r->block_start[f + 1] &&
            r->d.rows[row].as_of_ms < r->block_start[f + 2])
            return f;
    return SIZE_MAX;
}

/* Does the row train fold f (k = the refit)? In time, the label span and the longest look back must
 * end before the test block begins. */
static bool trains_in(const struct train_run *r, size_t row, size_t f)
{
    if (f == r->k)
        return true;
    if (!r->is_time_folds)
        return r->asset_fold[r->d.rows[row].asset] != f;
    return r->d.rows[row].as_of_ms + r->embargo_ms < r->block_start[f + 1];
}

/* Folds must not share an asset: counted from the rows themselves, so that a mistake in the dealing
 * cannot pass. */
static enum ft_status check_folds(const struct train_run *r, struct ft_err *err)
{
    for (size_t f = 0; f < r->k && !r->is_time_folds; f++) {
        bool *tests = calloc(r->h->n_assets + 1, sizeof(*tests));
        bool is_shared = false;
        if (tests == NULL)
            return no_memory(err);
        for (size_t i = 0; i < r->d.n; i++)
            if (train_fold_of(r, i) == f)
                tests[r->d.rows[i].asset] = true;
        for (size_t i = 0; i < r->d.n; i++)
            is_shared = is_shared || (trains_in(r, i, f) && tests[r->d.rows[i].asset]);
        free(tests);
        if (is_shared)
            return ft_fail(err, FT_INTERNAL, "train: fold %zu shares an asset with its training",
                           f);
    }
    return FT_OK;
}

/* --- features --- */

static enum ft_status fit_features(struct train_run *r, enum feature_view view, size_t f,
                                   struct ft_err *err)
{
    const struct feature_options o = {
        .is_rul = r->o->is_rul, .horizon_ms = r->o->horizon_ms, .view = view};
    bool *mask = calloc(r->h->n_assets + 1, sizeof(*mask));
    if (mask == NULL)
        return no_memory(err);
    for (size_t a = 0; a < r->h->n_assets; a++)
        mask[a] = r->is_training[a] && (f == r->k || r->asset_fold[a] != f);
    const enum ft_status st = features_fit(r->h, mask, &o, &r->views[view].fs[f], err);
    free(mask);
    return st;
}

/* The sets of the refit first: they say how many columns there are. A class whose sensors cannot
 * carry a view loses the candidates on it; another must be left. */
static enum ft_status open_views(struct train_run *r, struct ft_err *err)
{
    size_t n_columns = 0;
    size_t kept = 0;
    for (size_t m = 0; m < r->n_candidates; m++) {
        struct train_view *v = &r->views[r->candidates[m].view];
        enum ft_status st = FT_OK;
        if (v->fs[r->k] == NULL) {
            st = fit_features(r, r->candidates[m].view, r->k, err);
            n_columns += st == FT_OK ? v->fs[r->k]->n : 0;
        }
        if (st == FT_OK)
            r->candidates[kept++] = r->candidates[m];
        else if (st != FT_TOO_FEW || r->n_candidates == 1)
            return st;
    }
    r->n_candidates = kept;
    const struct feature_set *first = r->views[r->candidates[0].view].fs[r->k];
    r->embargo_ms = r->o->horizon_ms + features_longest_ms(first);
    thin_rows(r, n_columns);
    return FT_OK;
}

/* The refit's set first; folds share it when nothing in it was learned from values. Folds in time
 * share it too: what is learned without labels (regimes, their means) over all time says nothing of
 * an outcome, and failure levels exist for rul only, which always folds by asset. */
static enum ft_status fill_view(struct train_run *r, enum feature_view view, struct ft_err *err)
{
    struct train_view *v = &r->views[view];
    v->is_shared = r->is_time_folds || !features_are_fitted(v->fs[r->k]);
    enum ft_status st = dataset_features(v->fs[r->k], r->h, &r->d, r->pool, &v->x[r->k], err);
    for (size_t f = 0; f < r->k && st == FT_OK && !v->is_shared; f++) {
        st = fit_features(r, view, f, err);
        if (st == FT_OK)
            st = dataset_features(v->fs[f], r->h, &r->d, r->pool, &v->x[f], err);
        if (st == FT_OK && r->is_interrupted != NULL && r->is_interrupted())
            st = ft_fail(err, FT_INTERRUPTED, "train: stopped");
    }
    return st;
}

static enum ft_status make_features(struct train_run *r, struct ft_err *err)
{
    enum ft_status st = open_views(r, err);
    for (size_t view = 0; view < TRAIN_N_VIEWS && st == FT_OK; view++)
        if (r->views[view].fs[r->k] != NULL)
            st = fill_view(r, (enum feature_view)view, err);
    return st;
}

/* --- fits --- */

struct job_rows {
    double *x, *y, *w;
    size_t n;
};

/* The fold's rows as doubles, training or test. */
static bool gather(const struct train_run *r, size_t c, size_t m, size_t f, bool is_test,
                   struct job_rows *out)
{
    const size_t n_columns = train_features_of(r, m, f)->n;
    const float *x = train_matrix_of(r, m, f);
    const double *y = r->y + c * r->d.n;
    size_t n = 0;
    for (size_t i = 0; i < r->d.n; i++)
        n += !isnan(y[i]) && (is_test ? train_fold_of(r, i) == f : trains_in(r, i, f));
    *out = (struct job_rows){.x = malloc((n * n_columns + 1) * sizeof(double)),
                             .y = malloc((n + 1) * sizeof(double)),
                             .w = malloc((n + 1) * sizeof(double))};
    if (out->x == NULL || out->y == NULL || out->w == NULL)
        return false;
    for (size_t i = 0; i < r->d.n; i++) {
        if (isnan(y[i]) || !(is_test ? train_fold_of(r, i) == f : trains_in(r, i, f)))
            continue;
        const float *from = x + i * n_columns;
        double *to = out->x + out->n * n_columns;
        for (size_t j = 0; j < n_columns; j++)
            to[j] = from[j];
        out->y[out->n] = y[i];
        out->w[out->n] = r->weight != NULL ? r->weight[i] : 1;
        out->n++;
    }
    /* Mean weight 1, so that leaf sizes mean rows. */
    double sum = 0;
    for (size_t i = 0; i < out->n; i++)
        sum += out->w[i];
    for (size_t i = 0; i < out->n && sum > 0; i++)
        out->w[i] *= (double)out->n / sum;
    return true;
}

static void job_rows_clear(struct job_rows *rows)
{
    free(rows->x);
    free(rows->y);
    free(rows->w);
}

/* Settings found by grouped cross-validation on C-MAPSS and Azure training data. */
struct model_spec train_spec_of(const struct train_run *r, size_t c, size_t m, size_t f)
{
    const enum model_kind kind = r->candidates[m].kind;
    const bool is_health = r->candidates[m].view == FEATURE_VIEW_HEALTH;
    struct model_spec s = model_spec_default(kind, r->o->is_rul ? TASK_REGRESS : TASK_CLASSIFY);
    /* Numbers of the component and the kind, not their places, so that training one component
     * alone gives the same model as training all. */
    const uint64_t what =
        (uint64_t)(r->components[c] + 1) * 16 + (uint64_t)kind + (is_health ? 8 : 0);
    s.seed = rng_u64(r->o->seed, STREAM_MODELS, what * 64 + f) >> 11;
    if (kind != MODEL_GBDT && kind != MODEL_GBDT_PRODUCTS) {
        s.lambda = r->o->is_rul ? 100 : 20;
        return s;
    }
    s.n_trees = r->o->is_rul ? 400 : 200;
    s.n_forest = is_health ? 60 : 0;
    s.max_depth = 5;
    s.max_leaves = 32;
    s.n_bins = 64;
    s.rate = is_health ? 0.03 : 0.05;
    s.row_sample = is_health ? 0.4 : 0.6;
    s.col_sample = is_health ? 0.6 : 0.25;
    s.lambda = 5;
    s.min_child_weight = r->o->is_rul ? 20 : 0.5;
    return s;
}

static void predict_fold(struct train_run *r, size_t c, size_t m, size_t f,
                         const struct model *model, struct train_cell *cell)
{
    struct job_rows test;
    double *raw = NULL;
    const struct feature_set *fs = train_features_of(r, m, f);
    const double *y = r->y + c * r->d.n;
    if (!gather(r, c, m, f, true, &test) || (raw = calloc(test.n + 1, sizeof(*raw))) == NULL) {
        cell->status = ft_fail(&cell->err, FT_NOMEM, "train: no memory");
        goto out;
    }
    const struct matrix x = {.data = test.x, .n_rows = test.n, .n_cols = fs->n, .stride = fs->n};
    model_predict_raw(model, &x, raw);
    cell->test_score = r->o->is_rul ? metric_rmse(raw, test.y, test.w, test.n)
                                    : metric_pr_auc(raw, test.y, NULL, test.n);
    double *oof = train_oof_at(r, c, m);
    size_t at = 0;
    for (size_t i = 0; i < r->d.n; i++)
        if (!isnan(y[i]) && train_fold_of(r, i) == f)
            oof[i] = raw[at++];
out:
    job_rows_clear(&test);
    free(raw);
}

static void report_progress(struct train_run *r, const char *stage)
{
    const size_t done = __atomic_add_fetch(&r->n_jobs_done, 1, __ATOMIC_RELAXED);
    if (r->progress != NULL)
        r->progress(r->progress_ctx, stage, done, r->n_jobs);
}

/* Job i: the refits come first, for they are the longest. */
static void cell_job(void *ctx, size_t i)
{
    struct train_run *r = ctx;
    const size_t per_fold = r->n_components * r->n_candidates;
    const size_t f = r->k - i / per_fold;
    const size_t c = i % per_fold / r->n_candidates;
    const size_t m = i % per_fold % r->n_candidates;
    struct train_cell *cell = train_cell_at(r, c, m, f);
    const struct feature_set *fs = train_features_of(r, m, f);
    const double start = clock_mono_s();
    struct job_rows rows = {0};
    struct model *model = NULL;
    cell->test_score = NAN;
    if (r->is_interrupted != NULL && r->is_interrupted()) {
        cell->status = ft_fail(&cell->err, FT_INTERRUPTED, "train: stopped");
        return;
    }
    if (!gather(r, c, m, f, false, &rows)) {
        cell->status = ft_fail(&cell->err, FT_NOMEM, "train: no memory");
        goto out;
    }
    const struct model_spec spec = train_spec_of(r, c, m, f);
    const struct model_rows in = {
        .x = {.data = rows.x, .n_rows = rows.n, .n_cols = fs->n, .stride = fs->n},
        .y = rows.y,
        .weight = r->weight != NULL ? rows.w : NULL};
    cell->status = model_fit(&spec, &in, r->pool, &model, &cell->err);
    job_rows_clear(&rows);
    rows = (struct job_rows){0};
    if (cell->status == FT_OK && f < r->k)
        predict_fold(r, c, m, f, model, cell);
    if (cell->status == FT_OK && f == r->k) {
        cell->model = model;
        model = NULL;
    }
out:
    job_rows_clear(&rows);
    model_free(model);
    cell->seconds = clock_mono_s() - start;
    report_progress(r, r->components[c] == HISTORY_NO_INDEX
                           ? r->h->class_name
                           : r->h->components[r->components[c]].name);
}

/* --- baseline --- */

static double age_answer(const struct train_run *r, const struct age_model *m, size_t c, size_t row)
{
    const struct history_asset *a = &r->h->assets[r->d.rows[row].asset];
    const int64_t t = r->d.rows[row].as_of_ms;
    const int64_t renewed = history_renewal_ms(r->h, a, r->components[c], t);
    const int64_t age = renewed != DB_NO_TIME ? t - renewed : DB_NO_TIME;
    return r->o->is_rul ? age_model_expected(m, age, r->cap_units)
                        : age_model_probability(m, age, r->o->horizon_ms);
}

static void age_job(void *ctx, size_t i)
{
    struct train_run *r = ctx;
    const size_t c = i / (r->k + 1);
    const size_t f = i % (r->k + 1);
    struct age_model *m = &r->ages[i];
    bool *mask = calloc(r->h->n_assets + 1, sizeof(*mask));
    double *base = r->base + c * r->d.n;
    if (mask == NULL)
        return;
    int64_t until = r->o->until_ms;
    for (size_t a = 0; a < r->h->n_assets; a++)
        mask[a] = r->is_training[a] && (f == r->k || r->is_time_folds || r->asset_fold[a] != f);
    if (f < r->k && r->is_time_folds)
        until = r->block_start[f + 1] - 1;
    r->has_age[i] = age_model_fit(r->h, r->components[c], mask, until, m, NULL) == FT_OK;
    free(mask);
    for (size_t row = 0; row < r->d.n && r->has_age[i] && f < r->k; row++)
        if (train_fold_of(r, row) == f)
            base[row] = age_answer(r, m, c, row);
}

/* --- the run --- */

static enum ft_status alloc_cells(struct train_run *r, struct ft_err *err)
{
    const size_t n_fits = r->n_components * (r->k + 1);
    const size_t n_values = r->n_components * r->d.n;
    r->ages = calloc(n_fits, sizeof(*r->ages));
    r->has_age = calloc(n_fits, sizeof(*r->has_age));
    r->base = calloc(n_values + 1, sizeof(*r->base));
    r->cells = calloc(n_fits * r->n_candidates + 1, sizeof(*r->cells));
    r->oof = calloc(n_values * r->n_candidates + 1, sizeof(*r->oof));
    if (r->ages == NULL || r->has_age == NULL || r->base == NULL || r->cells == NULL ||
        r->oof == NULL)
        return no_memory(err);
    for (size_t i = 0; i < n_values; i++)
        r->base[i] = NAN;
    for (size_t i = 0; i < n_values * r->n_candidates; i++)
        r->oof[i] = NAN;
    return FT_OK;
}

static enum ft_status run_map(struct train_run *r, struct ft_err *err)
{
    enum ft_status st = alloc_cells(r, err);
    if (st != FT_OK)
        return st;
    r->n_jobs = r->n_components * r->n_candidates * (r->k + 1);
    pool_run(r->pool, r->n_components * (r->k + 1), age_job, r);
    pool_run(r->pool, r->n_jobs, cell_job, r);
    for (size_t i = 0; i < r->n_jobs; i++)
        if (r->cells[i].status == FT_INTERRUPTED || r->cells[i].status == FT_NOMEM)
            return ft_fail(err, r->cells[i].status, "%s", r->cells[i].err.msg);
    return FT_OK;
}

static void run_clear(struct train_run *r)
{
    const size_t n_cells = r->cells != NULL ? r->n_components * r->n_candidates * (r->k + 1) : 0;
    for (size_t i = 0; i < n_cells; i++)
        model_free(r->cells[i].model);
    for (size_t v = 0; v < TRAIN_N_VIEWS; v++)
        for (size_t f = 0; f <= TRAIN_MAX_FOLDS; f++) {
            features_free(r->views[v].fs[f]);
            free(r->views[v].x[f]);
        }
    dataset_clear(&r->d);
    history_free(r->h);
    free(r->components);
    free(r->is_training);
    free(r->y);
    free(r->weight);
    free(r->asset_fold);
    free(r->block_start);
    free(r->ages);
    free(r->has_age);
    free(r->base);
    free(r->cells);
    free(r->oof);
}

static enum ft_status check_options(const struct train_options *o, struct ft_err *err)
{
    if (!o->is_rul && o->horizon_ms <= 0)
        return ft_fail(err, FT_INVALID, "train: the failure target needs a horizon");
    if (o->is_rul && o->is_by_time)
        return ft_fail(err, FT_INVALID,
                       "train: units that run to failure are compared by asset, not by time");
    if (o->folds == 1 || o->folds > TRAIN_MAX_FOLDS)
        return ft_fail(err, FT_INVALID, "train: %zu folds, expected 2 to %d", o->folds,
                       TRAIN_MAX_FOLDS);
    if (o->is_rul && !(o->cap_units >= 0 && isfinite(o->cap_units)))
        return ft_fail(err, FT_INVALID, "train: the cap must not be negative");
    return FT_OK;
}

static enum ft_status prepare(struct train_run *r, struct db *reader, struct ft_err *err)
{
    enum ft_status st = check_options(r->o, err);
    if (st == FT_OK)
        st = choose_kinds(r, err);
    if (st == FT_OK)
        st = history_load(reader, r->o->class_name, r->o->until_ms, &r->h, err);
    if (st == FT_OK)
        st = choose_components(r, err);
    if (st != FT_OK)
        return st;
    r->is_training = calloc(r->h->n_assets + 1, sizeof(*r->is_training));
    if (r->is_training == NULL)
        return no_memory(err);
    for (size_t a = 0; a < r->h->n_assets; a++)
        r->is_training[a] = !r->h->assets[a].is_held_out;
    st = make_rows(r, err);
    if (st == FT_OK && r->d.n == 0)
        st = ft_fail(err, FT_TOO_FEW, "class %s: no row to train on", r->h->class_name);
    if (st == FT_OK)
        st = deal_assets(r, err);
    if (st == FT_OK && r->is_time_folds)
        st = cut_time(r, err);
    if (st == FT_OK)
        st = check_folds(r, err);
    if (st == FT_OK && r->progress != NULL)
        r->progress(r->progress_ctx, "features", 0, 0);
    return st;
}

static void report_head(const struct train_run *r, cJSON *report)
{
    json_add_string(report, "class", r->h->class_name);
    json_add_string(report, "target", r->o->is_rul ? "rul" : "failure");
    if (r->o->is_rul)
        json_add_number(report, "cap", r->cap_units);
    else
        json_add_number(report, "horizon_s", (double)r->o->horizon_ms / 1000);
    if (r->o->until_ms != DB_NO_TIME)
        json_add_instant(report, "until", r->o->until_ms);
    json_add_int(report, "rows", (int64_t)r->d.n);
    json_add_int(report, "features", (int64_t)train_features_of(r, 0, r->k)->n);
    size_t n_assets = 0;
    for (size_t i = 0; i < r->d.n; i++)
        n_assets += i == 0 || r->d.rows[i].asset != r->d.rows[i - 1].asset;
    json_add_int(report, "assets", (int64_t)n_assets);
    cJSON *folds = json_add_object(report, "folds");
    json_add_int(folds, "n", (int64_t)r->k);
    json_add_string(folds, "by", r->is_time_folds ? "time" : "asset");
    json_add_bool(folds, "share_assets", r->is_time_folds);
    if (r->is_time_folds)
        json_add_number(folds, "embargo_s", (double)r->embargo_ms / 1000);
    json_add_int(report, "seed", (int64_t)r->o->seed);
}

static enum ft_status start_result(const struct train_run *r, struct train_result **out,
                                   struct ft_err *err)
{
    struct train_result *result = calloc(1, sizeof(*result));
    *out = result;
    if (result == NULL)
        return no_memory(err);
    result->class_id = r->h->class_id;
    result->class_name = strdup(r->h->class_name);
    result->target = strdup(r->o->is_rul ? "rul" : "failure");
    result->horizon_ms = r->o->is_rul ? 0 : r->o->horizon_ms;
    result->until_ms = r->o->until_ms != DB_NO_TIME ? r->o->until_ms : r->h->end_ms;
    result->seed = r->o->seed;
    result->report = cJSON_CreateObject();
    if (result->class_name == NULL || result->target == NULL || result->report == NULL)
        return no_memory(err);
    report_head(r, result->report);
    return FT_OK;
}

enum ft_status train_job_run(struct db *reader, const struct train_options *o, struct pool *pool,
                             bool (*is_interrupted)(void), train_progress progress, void *ctx,
                             struct train_result **out, struct ft_err *err)
{
    struct train_run r = {.o = o,
                          .pool = pool,
                          .is_interrupted = is_interrupted,
                          .progress = progress,
                          .progress_ctx = ctx};
    struct train_result *result = NULL;
    const double start = clock_mono_s();
    const double busy_start = pool_busy_s(pool);
    *out = NULL;
    enum ft_status st = prepare(&r, reader, err);
    const double parallel_start = clock_mono_s();
    if (st == FT_OK)
        st = make_features(&r, err);
    if (st == FT_OK)
        st = train_check_leaks(&r, err);
    if (st == FT_OK)
        st = run_map(&r, err);
    const double parallel_s = clock_mono_s() - parallel_start;
    if (st == FT_OK)
        st = start_result(&r, &result, err);
    if (st == FT_OK)
        st = train_judge(&r, result, err);
    const double total_s = clock_mono_s() - start;
    if (st == FT_OK) {
        json_add_number(result->report, "seconds", total_s);
        json_add_number(result->report, "cores_used", (pool_busy_s(pool) - busy_start) / total_s);
        json_add_number(result->report, "serial_share", 1 - parallel_s / total_s);
        *out = result;
        result = NULL;
    }
    train_result_free(result);
    run_clear(&r);
    return st;
}
