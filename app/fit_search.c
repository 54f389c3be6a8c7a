/* Which candidate: folds, validation, the choice, and the nested estimate. */
#include "app/base/clock.h"
#include "app/fit_private.h"
#include "app/fit_study.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct model_rows fit_rows_of(const struct table *t)
{
    return (struct model_rows){.x = t->x, .y = t->y, .failed = t->failed};
}

/* "30d" where the time column holds instants, else a number in its unit. */
static enum ft_status read_embargo(const struct fit_request *q, const struct table *t, double *out,
                                   struct ft_err *err)
{
    *out = 0;
    if (q->embargo == NULL)
        return FT_OK;
    if (t->is_time_instant) {
        int64_t ms = 0;
        const enum ft_status st = clock_parse_duration(q->embargo, &ms, err);
        *out = (double)ms;
        return st == FT_OK ? FT_OK : ft_err_prefix(err, "--embargo");
    }
    char *end = NULL;
    *out = strtod(q->embargo, &end);
    if (end == q->embargo || *end != '\0' || !(*out >= 0) || !isfinite(*out))
        return ft_fail(err, FT_INVALID,
                       "--embargo %.40s: the time column holds numbers, so a number in their unit "
                       "was expected",
                       q->embargo);
    return FT_OK;
}

/* What folds are made from: the table, or rows of it. */
struct basis {
    size_t n_rows;
    const size_t *group;
    const double *time, *y01;
};

static enum ft_status make_folds(const struct fit_request *q, const struct basis *b, double embargo,
                                 struct folds *out, struct ft_err *err)
{
    if (b->time != NULL)
        return folds_by_time(b->time, b->group, b->y01, b->n_rows, q->n_folds, embargo, q->seed,
                             out, err);
    if (b->group != NULL)
        return folds_by_group(b->group, b->y01, b->n_rows, q->n_folds, q->seed, out, err);
    return folds_of_rows(b->y01, b->n_rows, q->n_folds, q->seed, out, err);
}

/* The best mean, or with --one-se the least flexible of those that are as good within the error. */
static size_t choose(const struct fit_request *q, const struct fit_outcome *o,
                     const struct validate_result *results)
{
    const size_t best = validate_best(results, o->specs.n, o->metric);
    size_t chosen = best;
    for (size_t i = 0; q->is_one_se && i < o->specs.n; i++)
        if (validate_is_within_error(results, i, best, o->metric) &&
            fit_spec_complexity(&o->specs.items[i]) < fit_spec_complexity(&o->specs.items[chosen]))
            chosen = i;
    return chosen;
}

static bool any_stops(const struct fit_specs *specs)
{
    bool any = false;
    for (size_t i = 0; i < specs->n; i++)
        any |= specs->items[i].patience > 0;
    return any;
}

/* Validates all candidates on some folds of some rows. */
static enum ft_status validate(const struct fit_request *q, const struct fit_outcome *o,
                               const struct validate_models *given, const struct basis *basis,
                               size_t n_at_once, struct pool *pool, const char *stage,
                               struct validate_result *results, struct ft_err *err)
{
    struct validate_models models = *given;
    struct validate_bins *bins = NULL;
    struct folds stop = {0};
    const struct model_rows *rows = &given->rows;
    const struct validate_plan plan = {.folds = models.folds,
                                       .n_rows = rows->x.n_rows,
                                       .n_candidates = o->specs.n,
                                       .fit = validate_fit_model,
                                       .ctx = &models,
                                       .y = rows->y,
                                       .failed = rows->failed,
                                       .metric = o->metric,
                                       .is_halving = q->is_halving,
                                       .n_at_once = n_at_once,
                                       .is_stopped = q->is_stopped,
                                       .on_done = q->on_done,
                                       .on_done_ctx = q->progress_ctx};
    if (q->on_start != NULL)
        q->on_start(q->progress_ctx, stage, validate_n_jobs(&plan));
    enum ft_status st = FT_OK;
    models.n_trees = calloc(o->specs.n * models.folds->n + 1, sizeof(*models.n_trees));
    if (models.n_trees == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for %zu candidates", o->specs.n);
    if (st == FT_OK && any_stops(&o->specs)) {
        st = validate_stop_make(models.folds, basis->group, basis->time, basis->y01, q->seed, &stop,
                                err);
        models.stop = &stop;
    }
    if (st == FT_OK)
        st = validate_bins_make(&models, o->specs.n, n_at_once, pool, &bins, err);
    models.bins = bins;
    if (st == FT_OK)
        st = validate_run(&plan, pool, results, err);
    if (st == FT_OK)
        validate_note_trees(&models, o->specs.n, results);
    validate_bins_free(bins);
    folds_free(&stop);
    free(models.n_trees);
    return st;
}

struct model_spec fit_spec_for_all(const struct model_spec *spec, size_t n_trees)
{
    struct model_spec all = *spec;
    if (all.patience > 0 && n_trees > 0)
        all.n_trees = n_trees;
    all.patience = 0;
    return all;
}

/* --- nested estimate -------------------------------------------------------------------------- */

struct inner {
    struct validate_subset rows;
    size_t *group;
    double *time;
    struct folds folds;
    struct basis basis;
    struct validate_result *results;
};

static enum ft_status inner_make(const struct fit_request *q, const struct fit_outcome *o,
                                 const struct fold *outer, double embargo, struct inner *in,
                                 struct ft_err *err)
{
    const struct table *t = &o->table;
    const struct model_rows all = fit_rows_of(t);
    const size_t n = outer->n_train;
    enum ft_status st = validate_subset_make(&all, outer->train, n, false, &in->rows, err);
    if (st != FT_OK)
        return st;
    in->group = calloc(n, sizeof(*in->group));
    in->time = calloc(n, sizeof(*in->time));
    in->results = calloc(o->specs.n, sizeof(*in->results));
    if (in->results == NULL || in->group == NULL || in->time == NULL)
        return ft_fail(err, FT_NOMEM, "nested estimate: no memory for %zu rows", n);
    for (size_t i = 0; i < n; i++) {
        if (t->group != NULL)
            in->group[i] = t->group[outer->train[i]];
        if (t->time != NULL)
            in->time[i] = t->time[outer->train[i]];
    }
    in->basis =
        (struct basis){n, t->group != NULL ? in->group : NULL, t->time != NULL ? in->time : NULL,
                       o->task == TASK_CLASSIFY ? in->rows.y : NULL};
    struct folds folds;
    st = make_folds(q, &in->basis, embargo, &folds, err);
    in->folds = folds;
    return st;
}

static void inner_free(struct inner *in, size_t n_specs)
{
    if (in->results != NULL)
        validate_results_free(in->results, n_specs);
    free(in->results);
    folds_free(&in->folds);
    free(in->group);
    free(in->time);
    validate_subset_free(&in->rows);
}

/* Chooses on the outer fold's training rows alone, fits the choice on all of them and looks at the
 * held-out ones: no choice has seen what it is judged by. */
static enum ft_status nest_fold(const struct fit_request *q, struct fit_outcome *o,
                                const struct folds *folds, size_t f, double embargo,
                                size_t n_at_once, struct pool *pool, struct ft_err *err)
{
    const struct fold *outer = &folds->fold[f];
    struct inner in = {0};
    struct model *m = NULL;
    double *raw = calloc(outer->n_test, sizeof(*raw));
    char stage[48];
    snprintf(stage, sizeof(stage), "nested estimate, fold %zu", f + 1);
    enum ft_status st = raw != NULL ? inner_make(q, o, outer, embargo, &in, err)
                                    : ft_fail(err, FT_NOMEM, "nested estimate: no memory");
    if (st == FT_OK) {
        const struct validate_models models = {
            .rows = in.rows.rows, .specs = o->specs.items, .folds = &in.folds};
        st = validate(q, o, &models, &in.basis, n_at_once, pool, stage, in.results, err);
    }
    if (st == FT_OK) {
        const size_t chosen = choose(q, o, in.results);
        const struct model_spec spec =
            fit_spec_for_all(&o->specs.items[chosen], in.results[chosen].n_trees);
        o->nested_choice[f] = chosen;
        st = model_fit(&spec, &in.rows.rows, pool, &m, err);
    }
    if (st == FT_OK)
        st = validate_predict_rows(m, &o->table.x, outer->test, outer->n_test, raw, err);
    if (st == FT_OK) {
        const struct validate_plan plan = {
            .y = o->table.y, .failed = o->table.failed, .metric = o->metric};
        st = validate_fold_metric(&plan, outer, raw, &o->nested_metric[f], err);
    }
    free(raw);
    model_free(m);
    inner_free(&in, o->specs.n);
    return st;
}

static enum ft_status nest(const struct fit_request *q, struct fit_outcome *o,
                           const struct folds *folds, double embargo, size_t n_at_once,
                           struct pool *pool, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    o->nested_metric = calloc(folds->n, sizeof(*o->nested_metric));
    o->nested_choice = calloc(folds->n, sizeof(*o->nested_choice));
    if (o->nested_metric == NULL || o->nested_choice == NULL)
        return ft_fail(err, FT_NOMEM, "nested estimate: no memory");
    for (size_t f = 0; f < folds->n && st == FT_OK; f++)
        st = nest_fold(q, o, folds, f, embargo, n_at_once, pool, err);
    return st;
}

/* --- all of it -------------------------------------------------------------------------------- */

static enum ft_status note_folds(struct fit_outcome *o, const struct folds *folds,
                                 struct ft_err *err)
{
    o->fold_of = calloc(o->table.x.n_rows, sizeof(*o->fold_of));
    if (o->fold_of == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu rows", o->table.x.n_rows);
    for (size_t f = 0; f < folds->n; f++)
        for (size_t i = 0; i < folds->fold[f].n_test; i++)
            o->fold_of[folds->fold[f].test[i]] = (uint8_t)(f + 1);
    return FT_OK;
}

enum ft_status fit_search(const struct fit_request *q, struct fit_outcome *o, struct pool *pool,
                          struct ft_err *err)
{
    const struct table *t = &o->table;
    const struct model_rows rows = fit_rows_of(t);
    const struct basis basis = {t->x.n_rows, t->group, t->time,
                                o->task == TASK_CLASSIFY ? t->y : NULL};
    struct folds folds = {0};
    size_t n_at_once = 0;
    double embargo = 0;
    enum ft_status st =
        fit_plan_memory(q, o, t->x.n_rows, t->x.n_cols, pool_n_threads(pool), &n_at_once, err);
    if (st != FT_OK || q->n_folds < 2)
        return st;
    st = read_embargo(q, t, &embargo, err);
    if (st == FT_OK)
        st = make_folds(q, &basis, embargo, &folds, err);
    if (st == FT_OK)
        st = note_folds(o, &folds, err);
    if (st == FT_OK) {
        o->n_folds = q->n_folds;
        o->results = calloc(o->specs.n, sizeof(*o->results));
        if (o->results == NULL)
            st = ft_fail(err, FT_NOMEM, "no memory for %zu candidates", o->specs.n);
    }
    struct model **kept = NULL;
    if (st == FT_OK && fit_study_keeps(q, o->task)) {
        kept = calloc(o->specs.n * folds.n, sizeof(struct model *));
        if (kept == NULL)
            st = ft_fail(err, FT_NOMEM, "no memory for %zu candidates", o->specs.n);
    }
    const struct validate_models models = {
        .rows = rows, .specs = o->specs.items, .folds = &folds, .kept = kept};
    if (st == FT_OK)
        st = validate(q, o, &models, &basis, n_at_once, pool, "cross-validation", o->results, err);
    if (st == FT_OK)
        o->best = choose(q, o, o->results);
    if (st == FT_OK)
        st = fit_study(q, o, &folds, kept != NULL ? kept + o->best * folds.n : NULL, pool, err);
    for (size_t i = 0; kept != NULL && i < o->specs.n * folds.n; i++)
        model_free(kept[i]);
    free(kept);
    if (st == FT_OK && q->is_nested)
        st = nest(q, o, &folds, embargo, n_at_once, pool, err);
    folds_free(&folds);
    return st;
}
