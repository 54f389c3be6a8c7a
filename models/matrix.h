/* A view of numbers: row i, column j at data[i * stride + j]. NaN means missing. Owns nothing. */
#ifndef MODELS_MATRIX_H
#define MODELS_MATRIX_H

#include <stddef.h>

struct matrix {
    const double *data;
    size_t n_rows, n_cols;
    size_t stride; /* in doubles, >= n_cols */
};

static inline const double *matrix_row(const struct matrix *m, size_t i)
{
    return m->data + i * m->stride;
}

#endif
