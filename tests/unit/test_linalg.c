#include "tests/test.h"

#include "models/linalg.h"

#include "app/base/rng.h"

#include <dirent.h>
#include <stdlib.h>

enum { N = 17, K = 40 };

static double draw(uint64_t stream, size_t i)
{
    return rng_normal(1, stream, i);
}

/* c += a' a of random rows, plus a small diagonal: positive definite. */
static void make_spd(double c[N * N])
{
    double a[K * N];
    for (size_t i = 0; i < K * N; i++)
        a[i] = draw(1, i);
    memset(c, 0, N * N * sizeof(double));
    linalg_syrk_add(N, K, a, N, c);
    linalg_mirror(c, N);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            double want = 0;
            for (size_t k = 0; k < K; k++)
                want += a[k * N + i] * a[k * N + j];
            assert_close(c[i * N + j], want, 1e-12);
        }
}

static void test_linalg_gemm_with_strides(void **state)
{
    double a[3 * 5], b[4 * 6], c[3 * 7];
    for (size_t i = 0; i < 15; i++)
        a[i] = draw(2, i);
    for (size_t i = 0; i < 24; i++)
        b[i] = draw(3, i);
    for (size_t i = 0; i < 21; i++)
        c[i] = 1;
    /* a is 3 x 4 of stride 5, b 4 x 2 of stride 6, c 3 x 2 of stride 7. */
    linalg_gemm(false, false, 3, 2, 4, 2, a, 5, b, 6, 0.5, c, 7);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 7; j++) {
            double want = j < 2 ? 0.5 : 1;
            for (size_t k = 0; k < 4 && j < 2; k++)
                want += 2 * a[i * 5 + k] * b[k * 6 + j];
            assert_close(c[i * 7 + j], want, 1e-13);
        }
    double y[4] = {0};
    linalg_gemv(true, 3, 4, 1, a, 5, (double[]){1, 2, 3}, 0, y);
    assert_close(y[1], a[1] + 2 * a[6] + 3 * a[11], 1e-13);
}

static void test_linalg_cholesky_solve_and_inverse(void **state)
{
    double a[N * N], l[N * N], b[N], x[N];
    struct ft_err err;
    make_spd(a);
    memcpy(l, a, sizeof(a));
    for (size_t i = 0; i < N; i++)
        b[i] = x[i] = draw(4, i);
    assert_ok(linalg_cholesky(l, N, 0, NULL, &err), err);
    linalg_cholesky_solve(l, N, x);
    for (size_t i = 0; i < N; i++) {
        double got = 0;
        for (size_t j = 0; j < N; j++)
            got += a[i * N + j] * x[j];
        assert_close(got, b[i], 1e-11);
    }
    assert_ok(linalg_cholesky_inverse(l, N, &err), err);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            double got = 0;
            for (size_t k = 0; k < N; k++)
                got += a[i * N + k] * l[k * N + j];
            assert_close(got, i == j ? 1 : 0, 1e-11);
        }
}

static void test_linalg_cholesky_names_the_column(void **state)
{
    /* Column 2 is the sum of columns 0 and 1. */
    double a[] = {2, 0, 2, 0, 0, 3, 3, 0, 2, 3, 5, 0, 0, 0, 0, 1};
    struct ft_err err;
    size_t bad = 99;
    assert_int_equal(linalg_cholesky(a, 4, 1e-12, &bad, &err), FT_INVALID);
    assert_int_equal(bad, 2);
    double broken[] = {1, 0, NAN, 1};
    assert_int_equal(linalg_cholesky(broken, 2, 0, &bad, &err), FT_INVALID);
}

static void test_linalg_eigen_symmetric_rebuilds(void **state)
{
    double a[N * N], v[N * N], values[N];
    struct ft_err err;
    make_spd(a);
    memcpy(v, a, sizeof(a));
    assert_ok(linalg_eigen_symmetric(v, N, values, &err), err);
    for (size_t k = 0; k < N; k++) {
        assert_true(k == 0 || values[k] >= values[k - 1]);
        for (size_t i = 0; i < N; i++) {
            double got = 0;
            for (size_t j = 0; j < N; j++)
                got += a[i * N + j] * v[k * N + j];
            assert_close(got, values[k] * v[k * N + i], 1e-10);
        }
    }
}

/* The library's own threads are gone before main(). ThreadSanitizer has one of its own. */
static void test_linalg_leaves_no_thread_behind(void **state)
{
    size_t n = 0;
    const char *sanitized = getenv("FETTLE_SANITIZED");
    (void)state;
    if (sanitized != NULL && *sanitized != '\0')
        skip();
    DIR *tasks = opendir("/proc/self/task");
    if (tasks == NULL)
        skip();
    for (const struct dirent *e; (e = readdir(tasks)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(tasks);
    assert_int_equal(n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linalg_leaves_no_thread_behind),
        cmocka_unit_test(test_linalg_gemm_with_strides),
        cmocka_unit_test(test_linalg_cholesky_solve_and_inverse),
        cmocka_unit_test(test_linalg_cholesky_names_the_column),
        cmocka_unit_test(test_linalg_eigen_symmetric_rebuilds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
