#include "models/design.h"

#include "models/special.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COLS = 1000000 };

static enum ft_status allocate(struct design *d, size_t n_cols, struct ft_err *err)
{
    *d = (struct design){.n_cols = n_cols, .n_wide = n_cols};
    d->mean = calloc(n_cols, sizeof(double));
    d->scale = calloc(n_cols, sizeof(double));
    d->miss_mean = calloc(n_cols, sizeof(double));
    d->miss_scale = calloc(n_cols, sizeof(double));
    if (d->mean == NULL || d->scale == NULL || d->miss_mean == NULL || d->miss_scale == NULL) {
        design_free(d);
        return ft_fail(err, FT_NOMEM, "no memory for %zu columns", n_cols);
    }
    return FT_OK;
}

/* Sums of one pass over the rows: weights, values, or squares about the mean. */
static enum ft_status learn_means(struct design *d, const struct matrix *x, const double *weight,
                                  double *present, struct ft_err *err)
{
    double total = 0;
    for (size_t i = 0; i < x->n_rows; i++) {
        const double w = weight != NULL ? weight[i] : 1;
        const double *row = matrix_row(x, i);
        total += w;
        for (size_t j = 0; j < d->n_cols; j++) {
            if (isinf(row[j]))
                return ft_fail(err, FT_INVALID, "row %zu, column %zu: infinite value", i + 1,
                               j + 1);
            if (isnan(row[j])) {
                d->miss_mean[j] += w;
            } else {
                d->mean[j] += w * row[j];
                present[j] += w;
            }
        }
    }
    if (!(total > 0))
        return ft_fail(err, FT_TOO_FEW, "no row of positive weight");
    for (size_t j = 0; j < d->n_cols; j++) {
        d->mean[j] = present[j] > 0 ? d->mean[j] / present[j] : 0;
        d->miss_mean[j] /= total;
        if (d->miss_mean[j] > 0 && present[j] > 0) {
            d->miss_scale[j] = sqrt(d->miss_mean[j] * (1 - d->miss_mean[j]));
            d->n_wide += d->miss_scale[j] > 0;
        }
    }
    return FT_OK;
}

static void learn_scales(struct design *d, const struct matrix *x, const double *weight,
                         const double *present)
{
    for (size_t i = 0; i < x->n_rows; i++) {
        const double w = weight != NULL ? weight[i] : 1;
        const double *row = matrix_row(x, i);
        for (size_t j = 0; j < d->n_cols; j++) {
            const double u = isnan(row[j]) ? 0 : row[j] - d->mean[j];
            d->scale[j] += w * u * u;
        }
    }
    for (size_t j = 0; j < d->n_cols; j++) {
        const double sd = present[j] > 0 ? sqrt(d->scale[j] / present[j]) : 0;
        /* Spread at the level of rounding of the mean is none. */
        d->scale[j] = sd > 1e-13 * fabs(d->mean[j]) ? sd : 0;
    }
}

enum ft_status design_fit(struct design *d, const struct matrix *x, const double *weight,
                          struct ft_err *err)
{
    *d = (struct design){0};
    if (x->n_cols == 0 || x->n_cols > MAX_COLS)
        return ft_fail(err, FT_INVALID, "%zu columns, expected 1 to %d", x->n_cols, MAX_COLS);
    enum ft_status st = allocate(d, x->n_cols, err);
    if (st != FT_OK)
        return st;
    double *present = calloc(x->n_cols, sizeof(*present));
    if (present == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for %zu columns", x->n_cols);
    else
        st = learn_means(d, x, weight, present, err);
    if (st == FT_OK)
        learn_scales(d, x, weight, present);
    else
        design_free(d);
    free(present);
    return st;
}

static double wide_value(const struct design *d, size_t j, double value)
{
    return d->scale[j] > 0 && isfinite(value) ? (value - d->mean[j]) / d->scale[j] : 0;
}

static double wide_missing(const struct design *d, size_t j, double value)
{
    return ((isfinite(value) ? 0.0 : 1.0) - d->miss_mean[j]) / d->miss_scale[j];
}

void design_row(const struct design *d, const double *row, double *wide)
{
    size_t k = d->n_cols;
    for (size_t j = 0; j < d->n_cols; j++) {
        wide[j] = wide_value(d, j, row[j]);
        if (d->miss_scale[j] > 0)
            wide[k++] = wide_missing(d, j, row[j]);
    }
}

double design_dot(const struct design *d, const double *coefficient, const double *row)
{
    double sum = 0;
    size_t k = d->n_cols;
    for (size_t j = 0; j < d->n_cols; j++) {
        sum += coefficient[j] * wide_value(d, j, row[j]);
        if (d->miss_scale[j] > 0)
            sum += coefficient[k++] * wide_missing(d, j, row[j]);
    }
    return sum;
}

void design_contributions(const struct design *d, const double *coefficient, const double *row,
                          double *out)
{
    size_t k = d->n_cols;
    for (size_t j = 0; j < d->n_cols; j++) {
        out[j] = coefficient[j] * wide_value(d, j, row[j]);
        if (d->miss_scale[j] > 0)
            out[j] += coefficient[k++] * wide_missing(d, j, row[j]);
    }
}

void design_original(const struct design *d, const double *coefficient, double *out)
{
    size_t k = d->n_cols;
    out[0] = 0;
    for (size_t j = 0; j < d->n_cols; j++) {
        out[j + 1] = d->scale[j] > 0 ? coefficient[j] / d->scale[j] : 0;
        out[0] -= out[j + 1] * d->mean[j];
        if (d->miss_scale[j] > 0)
            out[0] -= coefficient[k++] * d->miss_mean[j] / d->miss_scale[j];
    }
}

enum ft_status design_standard_errors(const struct design *d, const double *covariance, double *out,
                                      struct ft_err *err)
{
    const size_t n = d->n_wide + 1;
    double *g = calloc(n, sizeof(*g)); /* gradient of the original intercept */
    if (g == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu columns", n);
    g[0] = 1;
    size_t k = d->n_cols + 1;
    for (size_t j = 0; j < d->n_cols; j++) {
        g[j + 1] = d->scale[j] > 0 ? -d->mean[j] / d->scale[j] : 0;
        out[j + 1] = d->scale[j] > 0 ? sqrt(covariance[(j + 1) * n + j + 1]) / d->scale[j] : NAN;
        if (d->miss_scale[j] > 0)
            g[k++] = -d->miss_mean[j] / d->miss_scale[j];
    }
    double variance = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            variance += g[i] * covariance[i * n + j] * g[j];
    out[0] = sqrt(variance);
    free(g);
    return FT_OK;
}

void design_write(const struct design *d, struct buf *out)
{
    text_put_size(out, "n_cols", d->n_cols);
    text_put_array(out, "mean", d->mean, d->n_cols);
    text_put_array(out, "scale", d->scale, d->n_cols);
    text_put_array(out, "missing_mean", d->miss_mean, d->n_cols);
    text_put_array(out, "missing_scale", d->miss_scale, d->n_cols);
}

enum ft_status design_read(struct design *d, struct text_reader *r, struct ft_err *err)
{
    *d = (struct design){0};
    const size_t line = r->line;
    enum ft_status st = text_get_size(r, "n_cols", MAX_COLS, &d->n_cols, err);
    if (st == FT_OK)
        st = text_get_array(r, "mean", d->n_cols, 0, &d->mean, err);
    if (st == FT_OK)
        st = text_get_array(r, "scale", d->n_cols, 0, &d->scale, err);
    if (st == FT_OK)
        st = text_get_array(r, "missing_mean", d->n_cols, 0, &d->miss_mean, err);
    if (st == FT_OK)
        st = text_get_array(r, "missing_scale", d->n_cols, 0, &d->miss_scale, err);
    d->n_wide = d->n_cols;
    for (size_t j = 0; st == FT_OK && j < d->n_cols; j++) {
        d->n_wide += d->miss_scale[j] > 0;
        if (d->scale[j] < 0 || d->miss_scale[j] < 0)
            st = ft_fail(err, FT_INVALID, "%s, column %zu: a scale is negative", r->what, j + 1);
    }
    if (st == FT_OK && d->n_cols == 0)
        st = ft_fail(err, FT_INVALID, "%s, line %zu: no columns", r->what, line);
    if (st != FT_OK)
        design_free(d);
    return st;
}

void design_free(struct design *d)
{
    free(d->mean);
    free(d->scale);
    free(d->miss_mean);
    free(d->miss_scale);
    *d = (struct design){0};
}

void design_write_model(const struct design_text *t, size_t word, const struct design *d,
                        const double *beta, const double *standard_error, struct buf *out)
{
    text_put_word(out, t->key, t->words[word]);
    design_write(d, out);
    text_put_array(out, "beta", beta, t->n_before + d->n_wide);
    text_put_array(out, "standard_error", standard_error, t->n_errors + d->n_cols);
}

enum ft_status design_read_model(const struct design_text *t, struct text_reader *r, size_t *word,
                                 struct design *d, double **beta, double **standard_error,
                                 struct ft_err *err)
{
    enum ft_status st = text_get_word(r, t->key, t->words, t->n_words, word, err);
    if (st == FT_OK)
        st = design_read(d, r, err);
    if (st == FT_OK)
        st = text_get_array(r, "beta", t->n_before + d->n_wide, 0, beta, err);
    if (st == FT_OK)
        st = text_get_array(r, "standard_error", t->n_errors + d->n_cols, 1, standard_error, err);
    return st;
}

void design_limits(const double *estimate, const double *standard_error, size_t n, double level,
                   double *lower, double *upper)
{
    const double z = special_normal_quantile(0.5 + level / 2);
    for (size_t j = 0; j < n; j++) {
        const double at = estimate[j]; /* lower may be the same array */
        lower[j] = at - z * standard_error[j];
        upper[j] = at + z * standard_error[j];
    }
}
