#include "models/linalg.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

/* What OpenBLAS itself does before a fork; no header declares it. Weak: its serial build has none.
 */
extern int blas_thread_shutdown_(void) __attribute__((weak));

/* Our pool owns the cores. OpenBLAS starts a thread per core when it is loaded, and each spins for
 * some 25 ms before it sleeps, which took a tenth of a second of processor time from the start of
 * every command: they are sent home, and one thread never calls them back. */
__attribute__((constructor)) static void use_one_thread(void)
{
    openblas_set_num_threads(1);
    if (blas_thread_shutdown_ != NULL)
        blas_thread_shutdown_();
}

static CBLAS_TRANSPOSE transposed(bool is)
{
    return is ? CblasTrans : CblasNoTrans;
}

void linalg_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha,
                 const double *a, size_t lda, const double *b, size_t ldb, double beta, double *c,
                 size_t ldc)
{
    cblas_dgemm(CblasRowMajor, transposed(transpose_a), transposed(transpose_b), (blasint)m,
                (blasint)n, (blasint)k, alpha, a, (blasint)lda, b, (blasint)ldb, beta, c,
                (blasint)ldc);
}

void linalg_gemv(bool transpose_a, size_t m, size_t n, double alpha, const double *a, size_t lda,
                 const double *x, double beta, double *y)
{
    cblas_dgemv(CblasRowMajor, transposed(transpose_a), (blasint)m, (blasint)n, alpha, a,
                (blasint)lda, x, 1, beta, y, 1);
}

void linalg_syrk_add(size_t n, size_t k, const double *a, size_t lda, double *c)
{
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (blasint)n, (blasint)k, 1.0, a, (blasint)lda,
                1.0, c, (blasint)n);
}

void linalg_mirror(double *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            c[j * n + i] = c[i * n + j];
}

/* The lower triangle by rows is the upper one by columns: told so, LAPACKE needs no copy. */
enum ft_status linalg_cholesky(double *a, size_t n, double tolerance, size_t *bad,
                               struct ft_err *err)
{
    double *diagonal = calloc(n > 0 ? n : 1, sizeof(*diagonal));
    if (diagonal == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a diagonal of %zu", n);
    for (size_t i = 0; i < n; i++)
        diagonal[i] = a[i * n + i];
    const lapack_int info = LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'U', (lapack_int)n, a, (lapack_int)n);
    /* On failure in column info the ones before it are factored, so they are checked too. */
    const size_t n_done = info > 0 ? (size_t)info - 1 : n;
    size_t first = info == 0 ? n : n_done;
    for (size_t i = n_done; i-- > 0;) {
        const double pivot = a[i * n + i] * a[i * n + i];
        if (!(pivot > tolerance * diagonal[i]))
            first = i;
    }
    free(diagonal);
    if (info < 0)
        return ft_fail(err, FT_INVALID, "Cholesky: a matrix element is not a number");
    if (first == n)
        return FT_OK;
    if (bad != NULL)
        *bad = first;
    return ft_fail(err, FT_INVALID, "the matrix is not positive definite at column %zu", first);
}

void linalg_cholesky_solve(const double *l, size_t n, double *b)
{
    cblas_dtrsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, (blasint)n, l, (blasint)n, b,
                1);
    cblas_dtrsv(CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, (blasint)n, l, (blasint)n, b,
                1);
}

enum ft_status linalg_cholesky_inverse(double *l, size_t n, struct ft_err *err)
{
    const lapack_int info = LAPACKE_dpotri(LAPACK_COL_MAJOR, 'U', (lapack_int)n, l, (lapack_int)n);
    if (info != 0)
        return ft_fail(err, FT_INTERNAL, "dpotri: info %d", (int)info);
    linalg_mirror(l, n);
    return FT_OK;
}

enum ft_status linalg_eigen_symmetric(double *a, size_t n, double *values, struct ft_err *err)
{
    const lapack_int info =
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', (lapack_int)n, a, (lapack_int)n, values);
    if (info != 0)
        return ft_fail(err, info <= LAPACK_WORK_MEMORY_ERROR ? FT_NOMEM : FT_INTERNAL,
                       "eigenvalues of a %zu x %zu matrix: LAPACK info %d", n, n, (int)info);
    /* Columns are the vectors: turn them into rows, each with one sign. */
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            const double t = a[i * n + j];
            a[i * n + j] = a[j * n + i];
            a[j * n + i] = t;
        }
    for (size_t i = 0; i < n; i++) {
        double *row = a + i * n;
        double greatest = 0;
        for (size_t j = 0; j < n; j++)
            greatest = fabs(row[j]) > fabs(greatest) ? row[j] : greatest;
        for (size_t j = 0; j < n && greatest < 0; j++)
            row[j] = -row[j];
    }
    return FT_OK;
}
