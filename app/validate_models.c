/* Folds of plain models.
 *
 * What is shared. Bin edges come from values of columns only, never from labels, so edges of the
 * whole table would leak no label; they would still tell where held-out values lie, which a model
 * in use does not know of new rows. So edges are made of each fold's training rows alone, once per
 * fold and number of bins, and all candidates of the fold share its codes read-only: nothing leaks,
 * and with c candidates and k folds the table is binned k times instead of c * k times. */
#include "app/validate_private.h"

#include "models/gbdt/bin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PREDICT_ROWS = 1024 };

/* --- some rows of a table --------------------------------------------------------------------- */

void validate_subset_free(struct validate_subset *s)
{
    free(s->x);
    free(s->x32);
    free(s->y);
    free(s->entry);
    free(s->weight);
    free(s->failed);
    *s = (struct validate_subset){0};
}

static void copy_rows(const struct matrix *x, const uint32_t *row, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) {
        double *to = out + i * x->n_cols;
        const double *from = matrix_row_wide(x, row[i], to);
        if (from != to)
            memcpy(to, from, x->n_cols * sizeof(*to));
    }
}

/* The same for floats. */
static void copy_floats(const struct matrix *x, const uint32_t *row, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++)
        memcpy(out + i * x->n_cols, x->data32 + row[i] * x->stride, x->n_cols * sizeof(*out));
}

/* All but the columns. */
static enum ft_status subset_labels(const struct model_rows *all, const uint32_t *row, size_t n,
                                    struct validate_subset *s, struct ft_err *err)
{
    *s = (struct validate_subset){0};
    s->y = all->y != NULL ? calloc(n, sizeof(double)) : NULL;
    s->entry = all->entry != NULL ? calloc(n, sizeof(double)) : NULL;
    s->weight = all->weight != NULL ? calloc(n, sizeof(double)) : NULL;
    s->failed = all->failed != NULL ? calloc(n, sizeof(bool)) : NULL;
    if ((all->y != NULL && s->y == NULL) || (all->entry != NULL && s->entry == NULL) ||
        (all->weight != NULL && s->weight == NULL) || (all->failed != NULL && s->failed == NULL))
        return ft_fail(err, FT_NOMEM, "no memory for %zu rows", n);
    for (size_t i = 0; i < n; i++) {
        if (s->y != NULL)
            s->y[i] = all->y[row[i]];
        if (s->entry != NULL)
            s->entry[i] = all->entry[row[i]];
        if (s->weight != NULL)
            s->weight[i] = all->weight[row[i]];
        if (s->failed != NULL)
            s->failed[i] = all->failed[row[i]];
    }
    s->rows = (struct model_rows){.x = {NULL, n, all->x.n_cols, all->x.n_cols, NULL},
                                  .y = s->y,
                                  .failed = s->failed,
                                  .entry = s->entry,
                                  .weight = s->weight};
    return FT_OK;
}

enum ft_status validate_subset_make(const struct model_rows *all, const uint32_t *row, size_t n,
                                    bool is_wide, struct validate_subset *s, struct ft_err *err)
{
    const size_t n_cols = all->x.n_cols;
    const enum ft_status st = subset_labels(all, row, n, s, err);
    if (st != FT_OK)
        return st;
    if (is_wide || all->x.data != NULL)
        s->x = calloc(n, n_cols * sizeof(*s->x));
    else
        s->x32 = calloc(n, n_cols * sizeof(*s->x32));
    if (s->x != NULL)
        copy_rows(&all->x, row, n, s->x);
    else if (s->x32 != NULL)
        copy_floats(&all->x, row, n, s->x32);
    else
        return ft_fail(err, FT_NOMEM, "no memory for %zu rows x %zu columns", n, n_cols);
    s->rows.x.data = s->x;
    s->rows.x.data32 = s->x32;
    return FT_OK;
}

/* --- shared bins ------------------------------------------------------------------------------ */

/* What codes depend on beside the fold. */
struct bin_key {
    size_t n_bins;
    bool is_stopping; /* of the rows that grow trees, not of those they stop early on */
    const bool *is_category;
};

struct validate_bins {
    const struct validate_models *models;
    struct pool *pool;
    size_t n_keys;
    struct bin_key *key; /* [n_keys], all different */
    struct binned *bins; /* [folds->n * n_keys] */
    enum ft_status *status;
    struct ft_err *err; /* both [folds->n] */
};

static bool shares_bins(const struct model_spec *spec)
{
    return spec->kind == MODEL_GBDT;
}

static struct bin_key key_of(const struct model_spec *spec)
{
    return (struct bin_key){spec->n_bins, spec->patience > 0, spec->is_category};
}

static size_t index_of_key(const struct validate_bins *b, struct bin_key key)
{
    size_t i = 0;
    while (i < b->n_keys &&
           (b->key[i].n_bins != key.n_bins || b->key[i].is_stopping != key.is_stopping ||
            b->key[i].is_category != key.is_category))
        i++;
    return i;
}

/* The rows of fold f that a fit learns from, and those it stops early on. */
static const struct fold *parts_of(const struct validate_models *v, size_t f, bool is_stopping)
{
    return is_stopping && v->stop != NULL ? &v->stop->fold[f] : &v->folds->fold[f];
}

static enum ft_status bin_part(const struct validate_bins *b, const struct fold *part,
                               struct bin_key key, struct binned *out, struct ft_err *err)
{
    struct validate_subset s = {0};
    const struct model_rows all = {.x = b->models->rows.x};
    enum ft_status st = validate_subset_make(&all, part->train, part->n_train, false, &s, err);
    if (st == FT_OK)
        st = bins_make(&s.rows.x, key.n_bins, key.is_category, b->pool, out, err);
    validate_subset_free(&s);
    return st;
}

static void bin_fold(void *ctx, size_t f)
{
    struct validate_bins *b = ctx;
    for (size_t k = 0; k < b->n_keys && b->status[f] == FT_OK; k++)
        b->status[f] = bin_part(b, parts_of(b->models, f, b->key[k].is_stopping), b->key[k],
                                &b->bins[f * b->n_keys + k], &b->err[f]);
}

static void collect_keys(struct validate_bins *b, size_t n_specs)
{
    for (size_t c = 0; c < n_specs; c++) {
        const struct model_spec *spec = &b->models->specs[c];
        if (shares_bins(spec) && index_of_key(b, key_of(spec)) == b->n_keys && spec->n_bins >= 2 &&
            spec->n_bins <= MAX_BINS)
            b->key[b->n_keys++] = key_of(spec);
    }
}

enum ft_status validate_bins_make(const struct validate_models *models, size_t n_specs,
                                  size_t n_at_once, struct pool *pool, struct validate_bins **out,
                                  struct ft_err *err)
{
    enum ft_status st = FT_OK;
    const size_t n_folds = models->folds->n;
    *out = NULL;
    struct validate_bins *b = calloc(1, sizeof(*b));
    if (b == NULL)
        return ft_fail(err, FT_NOMEM, "validation: no memory");
    *b = (struct validate_bins){.models = models, .pool = pool};
    b->key = calloc(n_specs + 1, sizeof(*b->key));
    if (b->key != NULL)
        collect_keys(b, n_specs);
    b->bins = calloc(n_folds * b->n_keys + 1, sizeof(*b->bins));
    b->status = calloc(n_folds + 1, sizeof(*b->status));
    b->err = calloc(n_folds + 1, sizeof(*b->err));
    if (b->key == NULL || b->bins == NULL || b->status == NULL || b->err == NULL)
        st = ft_fail(err, FT_NOMEM, "validation: no memory");
    const size_t wave = n_at_once > 0 ? n_at_once : n_folds;
    for (size_t f = 0; st == FT_OK && b->n_keys > 0 && f < n_folds; f += wave)
        validate_run_part(pool, f, n_folds - f < wave ? n_folds - f : wave, bin_fold, b);
    for (size_t f = 0; st == FT_OK && f < n_folds; f++)
        if (b->status[f] != FT_OK)
            st = ft_fail(err, b->status[f], "%s", b->err[f].msg);
    if (st != FT_OK) {
        validate_bins_free(b);
        return st;
    }
    *out = b;
    return FT_OK;
}

void validate_bins_free(struct validate_bins *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; b->bins != NULL && i < b->models->folds->n * b->n_keys; i++)
        bins_free(&b->bins[i]);
    free(b->key);
    free(b->bins);
    free(b->status);
    free(b->err);
    free(b);
}

static const struct binned *find_bins(const struct validate_bins *b, size_t f,
                                      const struct model_spec *spec)
{
    if (b == NULL || !shares_bins(spec))
        return NULL;
    const size_t k = index_of_key(b, key_of(spec));
    return k < b->n_keys ? &b->bins[f * b->n_keys + k] : NULL;
}

/* --- fitting and predicting ------------------------------------------------------------------- */

enum ft_status validate_fit_rows(const struct model_spec *spec, const struct model_rows *rows,
                                 const uint32_t *row, size_t n, struct pool *pool,
                                 struct model **out, struct ft_err *err)
{
    struct validate_subset s = {0};
    *out = NULL;
    enum ft_status st = validate_subset_make(rows, row, n, spec->kind != MODEL_GBDT, &s, err);
    if (st == FT_OK)
        st = model_fit(spec, &s.rows, pool, out, err);
    validate_subset_free(&s);
    return st;
}

enum ft_status validate_predict_rows(const struct model *m, const struct matrix *x,
                                     const uint32_t *row, size_t n, double *out, struct ft_err *err)
{
    const size_t n_cols = x->n_cols;
    double *part = calloc(n < PREDICT_ROWS ? n + 1 : PREDICT_ROWS, n_cols * sizeof(*part));
    if (part == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for rows of %zu columns", n_cols);
    for (size_t at = 0; at < n; at += PREDICT_ROWS) {
        const size_t k = n - at < PREDICT_ROWS ? n - at : PREDICT_ROWS;
        const struct matrix view = {part, k, n_cols, n_cols, NULL};
        copy_rows(x, row + at, k, part);
        if (model_task_of(m) == TASK_REGRESS)
            model_predict(m, &view, out + at); /* counts are learned as their logarithm */
        else
            model_predict_raw(m, &view, out + at);
    }
    free(part);
    return FT_OK;
}

/* Fits on the training rows of fold f, or the part of them that grows trees. */
static enum ft_status fit_fold(const struct validate_models *v, const struct model_spec *spec,
                               size_t f, struct pool *pool, struct model **out, struct ft_err *err)
{
    const struct fold *part = parts_of(v, f, spec->patience > 0);
    const struct binned *bins = find_bins(v->bins, f, spec);
    const bool is_wide = spec->kind != MODEL_GBDT;
    struct validate_subset s = {0}, stop = {0};
    enum ft_status st =
        bins != NULL ? subset_labels(&v->rows, part->train, part->n_train, &s, err)
                     : validate_subset_make(&v->rows, part->train, part->n_train, is_wide, &s, err);
    s.rows.bins = bins;
    if (st == FT_OK && spec->patience > 0 && v->stop != NULL) {
        st = validate_subset_make(&v->rows, part->test, part->n_test, is_wide, &stop, err);
        s.rows.held_out = &stop.rows;
    }
    if (st == FT_OK)
        st = model_fit(spec, &s.rows, pool, out, err);
    validate_subset_free(&s);
    validate_subset_free(&stop);
    return st;
}

enum ft_status validate_fit_model(void *ctx, size_t candidate, const struct fold *fold,
                                  struct pool *pool, double *raw, struct ft_err *err)
{
    const struct validate_models *v = ctx;
    const size_t f = (size_t)(fold - v->folds->fold), cell = candidate * v->folds->n + f;
    struct model *m = NULL;
    enum ft_status st = fit_fold(v, &v->specs[candidate], f, pool, &m, err);
    if (st == FT_OK)
        st = validate_predict_rows(m, &v->rows.x, fold->test, fold->n_test, raw, err);
    if (st == FT_OK && v->n_trees != NULL)
        v->n_trees[cell] = model_n_trees(m);
    if (st == FT_OK && v->kept != NULL) {
        v->kept[cell] = m;
        m = NULL;
    }
    model_free(m);
    return st;
}

void validate_note_trees(const struct validate_models *v, size_t n_candidates,
                         struct validate_result *results)
{
    for (size_t c = 0; v->n_trees != NULL && c < n_candidates; c++) {
        const size_t n = results[c].n_folds;
        size_t sum = 0;
        for (size_t f = 0; f < n; f++)
            sum += v->n_trees[c * v->folds->n + f];
        results[c].n_trees = n > 0 ? (sum + n / 2) / n : 0;
    }
}

/* --- what follows from out-of-fold predictions -------------------------------------------------
 */

enum { CONFORMAL_BINS = 5 };

static enum ft_status attach_known(struct model *m, const double *raw, const double *y,
                                   const double *weight, const size_t *group, size_t n,
                                   enum calibration_kind kind, double coverage, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    if (model_task_of(m) == TASK_CLASSIFY && kind != CALIBRATION_NONE) {
        struct calibration *c = NULL;
        st = calibration_fit(kind, raw, y, weight, n, &c, err);
        if (st == FT_OK)
            model_set_calibration(m, c);
    } else if (model_task_of(m) == TASK_REGRESS) {
        struct conformal *c = NULL;
        st = conformal_fit(raw, y, group, n, CONFORMAL_BINS, coverage, &c, err);
        if (st == FT_OK)
            model_set_conformal(m, c);
    }
    return st == FT_TOO_FEW ? FT_OK : st;
}

enum ft_status validate_attach(struct model *m, const double *raw, const struct model_rows *rows,
                               const size_t *group, enum calibration_kind kind, double coverage,
                               struct ft_err *err)
{
    const size_t n_rows = rows->x.n_rows;
    double *known = calloc(n_rows, 3 * sizeof(*known));
    size_t *units = calloc(n_rows, sizeof(*units));
    size_t n = 0;
    enum ft_status st = FT_OK;
    if (known == NULL || units == NULL) {
        st = ft_fail(err, FT_NOMEM, "calibration: no memory for %zu rows", n_rows);
    } else {
        double *y = known + n_rows, *weight = known + 2 * n_rows;
        for (size_t i = 0; i < n_rows; i++) {
            if (isnan(raw[i]))
                continue;
            known[n] = raw[i];
            y[n] = rows->y[i];
            weight[n] = rows->weight != NULL ? rows->weight[i] : 1;
            units[n++] = group != NULL ? group[i] : i;
        }
        st = attach_known(m, known, y, rows->weight != NULL ? weight : NULL,
                          group != NULL ? units : NULL, n, kind, coverage, err);
    }
    free(known);
    free(units);
    return st;
}
