/* Dense linear algebra by OpenBLAS and LAPACK; the only door to them. Matrices are row-major. One
 * BLAS thread: our own pool owns the cores, and results then do not depend on the number of
 * threads. Every function may be called from any thread. */
#ifndef MODELS_LINALG_H
#define MODELS_LINALG_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* c[m][n] = alpha op(a) op(b) + beta c, op = transpose when asked; op(a) is m x k, op(b) k x n.
 * lda, ldb, ldc are strides in doubles. */
void linalg_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha,
                 const double *a, size_t lda, const double *b, size_t ldb, double beta, double *c,
                 size_t ldc);
/* y = alpha op(a) x + beta y, a is m x n. */
void linalg_gemv(bool transpose_a, size_t m, size_t n, double alpha, const double *a, size_t lda,
                 const double *x, double beta, double *y);
/* Lower triangle of c[n][n] += a' a, a is k x n; linalg_mirror() fills the upper one. */
void linalg_syrk_add(size_t n, size_t k, const double *a, size_t lda, double *c);
void linalg_mirror(double *c, size_t n);

/* Lower triangle of a[n][n] becomes its Cholesky factor L, a = L L'. FT_INVALID when a is not
 * positive definite; *bad (may be NULL) is then the first column that the ones before it explain.
 * A pivot below tolerance times its diagonal element counts as zero. FT_NOMEM. */
enum ft_status linalg_cholesky(double *a, size_t n, double tolerance, size_t *bad,
                               struct ft_err *err);
/* Solves a x = b in place for one right-hand side, l from linalg_cholesky(). */
void linalg_cholesky_solve(const double *l, size_t n, double *b);
/* l becomes the full inverse of a. FT_INTERNAL when LAPACK refuses. */
enum ft_status linalg_cholesky_inverse(double *l, size_t n, struct ft_err *err);

/* Eigenvalues of symmetric a[n][n] (lower triangle read) into values[n], rising; the rows of a
 * become the unit eigenvectors in the same order, the element of greatest size of each positive.
 * FT_INTERNAL when it does not converge, FT_NOMEM. */
enum ft_status linalg_eigen_symmetric(double *a, size_t n, double *values, struct ft_err *err);

#endif
