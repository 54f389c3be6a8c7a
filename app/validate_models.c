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
                                    struct validate_subset *s, struct ft_err *err)
{
    const enum ft_status st = subset_labels(all, row, n, s, err);
    if (st != FT_OK)
        return st;
    s->x = calloc(n, all->x.n_cols * sizeof(double));
    if (s->x == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu rows x %zu columns", n, all->x.n_cols);
    copy_rows(&all->x, row, n, s->x);
    s->rows.x.data = s->x;
    return FT_OK;
}

/* --- shared bins ------------------------------------------------------------------------------ */

struct validate_bins {
    const struct validate_models *models;
    const struct folds *folds;
    struct pool *pool;
    size_t n_sizes;
    size_t *size;        /* [n_sizes] distinct numbers of bins */
    struct binned *bins; /* [folds->n * n_sizes] */
    enum ft_status *status;
    struct ft_err *err; /* both [folds->n] */
};

static bool shares_bins(const struct model_spec *spec)
{
    return spec->kind == MODEL_GBDT;
}

static size_t index_of_size(const struct validate_bins *b, size_t n_bins)
{
    size_t i = 0;
    while (i < b->n_sizes && b->size[i] != n_bins)
        i++;
    return i;
}

static void bin_fold(void *ctx, size_t f)
{
    struct validate_bins *b = ctx;
    const struct fold *fold = &b->folds->fold[f];
    const struct matrix *all = &b->models->rows.x;
    double *x = calloc(fold->n_train, all->n_cols * sizeof(*x));
    if (x == NULL) {
        b->status[f] = ft_fail(&b->err[f], FT_NOMEM, "no memory for %zu rows x %zu columns",
                               fold->n_train, all->n_cols);
        return;
    }
    copy_rows(all, fold->train, fold->n_train, x);
    const struct matrix part = {x, fold->n_train, all->n_cols, all->n_cols, NULL};
    for (size_t k = 0; k < b->n_sizes && b->status[f] == FT_OK; k++)
        b->status[f] =
            bins_make(&part, b->size[k], b->pool, &b->bins[f * b->n_sizes + k], &b->err[f]);
    free(x);
}

enum ft_status validate_bins_make(const struct validate_models *models, size_t n_specs,
                                  const struct folds *folds, size_t n_at_once, struct pool *pool,
                                  struct validate_bins **out, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    *out = NULL;
    struct validate_bins *b = calloc(1, sizeof(*b));
    if (b == NULL)
        return ft_fail(err, FT_NOMEM, "validation: no memory");
    *b = (struct validate_bins){.models = models, .folds = folds, .pool = pool};
    b->size = calloc(n_specs + 1, sizeof(*b->size));
    for (size_t c = 0; b->size != NULL && c < n_specs; c++) {
        const struct model_spec *spec = &models->specs[c];
        if (shares_bins(spec) && index_of_size(b, spec->n_bins) == b->n_sizes &&
            spec->n_bins >= 2 && spec->n_bins <= MAX_BINS)
            b->size[b->n_sizes++] = spec->n_bins;
    }
    b->bins = calloc(folds->n * b->n_sizes + 1, sizeof(*b->bins));
    b->status = calloc(folds->n + 1, sizeof(*b->status));
    b->err = calloc(folds->n + 1, sizeof(*b->err));
    if (b->size == NULL || b->bins == NULL || b->status == NULL || b->err == NULL)
        st = ft_fail(err, FT_NOMEM, "validation: no memory");
    const size_t wave = n_at_once > 0 ? n_at_once : folds->n;
    for (size_t f = 0; st == FT_OK && b->n_sizes > 0 && f < folds->n; f += wave)
        validate_run_part(pool, f, folds->n - f < wave ? folds->n - f : wave, bin_fold, b);
    for (size_t f = 0; st == FT_OK && f < folds->n; f++)
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
    for (size_t i = 0; b->bins != NULL && i < b->folds->n * b->n_sizes; i++)
        bins_free(&b->bins[i]);
    free(b->size);
    free(b->bins);
    free(b->status);
    free(b->err);
    free(b);
}

static const struct binned *find_bins(const struct validate_bins *b, const struct fold *fold,
                                      const struct model_spec *spec)
{
    if (b == NULL || !shares_bins(spec))
        return NULL;
    const size_t k = index_of_size(b, spec->n_bins);
    return k < b->n_sizes ? &b->bins[(size_t)(fold - b->folds->fold) * b->n_sizes + k] : NULL;
}

/* --- fitting and predicting ------------------------------------------------------------------- */

enum ft_status validate_fit_rows(const struct model_spec *spec, const struct model_rows *rows,
                                 const uint32_t *row, size_t n, struct pool *pool,
                                 struct model **out, struct ft_err *err)
{
    struct validate_subset s = {0};
    *out = NULL;
    enum ft_status st = validate_subset_make(rows, row, n, &s, err);
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

enum ft_status validate_fit_model(void *ctx, size_t candidate, const struct fold *fold,
                                  struct pool *pool, double *raw, struct ft_err *err)
{
    const struct validate_models *v = ctx;
    const struct model_spec *spec = &v->specs[candidate];
    const struct binned *bins = find_bins(v->bins, fold, spec);
    struct model *m = NULL;
    enum ft_status st;
    if (bins != NULL) {
        struct validate_subset s;
        st = subset_labels(&v->rows, fold->train, fold->n_train, &s, err);
        s.rows.bins = bins;
        if (st == FT_OK)
            st = model_fit(spec, &s.rows, pool, &m, err);
        validate_subset_free(&s);
    } else {
        st = validate_fit_rows(spec, &v->rows, fold->train, fold->n_train, pool, &m, err);
    }
    if (st == FT_OK)
        st = validate_predict_rows(m, &v->rows.x, fold->test, fold->n_test, raw, err);
    model_free(m);
    return st;
}

/* --- what follows from out-of-fold predictions -------------------------------------------------
 */

enum { CONFORMAL_BINS = 5 };

static enum ft_status attach_known(struct model *m, const double *raw, const double *y,
                                   const double *weight, const size_t *group, size_t n,
                                   double coverage, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    if (model_task_of(m) == TASK_CLASSIFY) {
        struct calibration *c = NULL;
        st = calibration_fit(CALIBRATION_PLATT, raw, y, weight, n, &c, err);
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
                               const size_t *group, double coverage, struct ft_err *err)
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
                          group != NULL ? units : NULL, n, coverage, err);
    }
    free(known);
    free(units);
    return st;
}
