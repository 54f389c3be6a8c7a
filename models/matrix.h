/* A view of numbers, doubles or floats: row i, column j at data[i * stride + j], or at
 * data32[i * stride + j] when data is NULL. NaN means missing. Owns nothing. A float stands for the
 * double of the same value, so a model of a matrix of floats is that of the widened one. */
#ifndef MODELS_MATRIX_H
#define MODELS_MATRIX_H

#include <stddef.h>

struct matrix {
    const double *data;
    size_t n_rows, n_cols;
    size_t stride;       /* in numbers, >= n_cols */
    const float *data32; /* used when data is NULL */
};

/* Row i of a matrix of doubles. */
static inline const double *matrix_row(const struct matrix *m, size_t i)
{
    return m->data + i * m->stride;
}

/* Row i, column j of either kind. */
static inline double matrix_value(const struct matrix *m, size_t i, size_t j)
{
    return m->data != NULL ? m->data[i * m->stride + j] : (double)m->data32[i * m->stride + j];
}

/* Row i of either kind as doubles: in place, or widened into scratch[n_cols]. */
static inline const double *matrix_row_wide(const struct matrix *m, size_t i, double *scratch)
{
    if (m->data != NULL)
        return matrix_row(m, i);
    const float *row = m->data32 + i * m->stride;
    for (size_t j = 0; j < m->n_cols; j++)
        scratch[j] = (double)row[j];
    return scratch;
}

/* The n_rows rows from begin on, of either kind. */
static inline struct matrix matrix_rows(const struct matrix *m, size_t begin, size_t n_rows)
{
    struct matrix part = *m;
    part.n_rows = n_rows;
    if (m->data != NULL)
        part.data += begin * m->stride;
    else
        part.data32 += begin * m->stride;
    return part;
}

#endif
