/* Gradients of the logistic loss against the C library, and the same bits on both paths. */
#include "tests/test.h"

#include "app/base/rng.h"
#include "models/gbdt/bin.h"
#include "models/gbdt/logistic.h"

#include <math.h>

enum { N = 4003 };
static double score[N], y[N], weight[N], g[2][N], h[2][N];

static void make(void)
{
    for (size_t i = 0; i < N; i++) {
        score[i] = i % 3 == 0 ? 1400 * rng_uniform(1, 0, i) - 700 : 8 * rng_normal(1, 1, i);
        y[i] = rng_uniform(1, 2, i) < 0.3;
        weight[i] = rng_uniform(1, 3, i) * 4;
    }
    score[0] = 0;
    score[1] = 1e300;
    score[2] = -INFINITY;
    score[3] = 700;
}

static void test_logistic_gradients_as_the_library(void **state)
{
    make();
    logistic_gradients(score, y, NULL, N, 1e-16, g[0], h[0]);
    assert_close(g[0][0], 0.5 - y[0], 0);
    assert_close(h[0][0], 0.25, 0);
    for (size_t i = 0; i < N; i++) {
        const double s = fmin(fmax(score[i], -700), 700), p = 1 / (1 + exp(-s));
        const double got = y[i] == 0 ? g[0][i] : g[0][i] + 1;
        assert_true(fabs(got - p) <= (y[i] == 0 ? 5e-16 * p : 5e-16));
        assert_true(h[0][i] >= 1e-16);
        assert_close(h[0][i], fmax(p * (1 - p), 1e-16), 5e-16);
    }
}

static void test_logistic_gradients_same_bits_both_paths(void **state)
{
    make();
    for (size_t n = 0; n < 12; n++) {
        for (size_t k = 0; k < 2; k++) {
            bins_allow_vectors(k == 1);
            logistic_gradients(score + n, y + n, n % 2 ? weight + n : NULL, N - n, 1e-16, g[k],
                               h[k]);
        }
        assert_memory_equal(g[0], g[1], (N - n) * sizeof(g[0][0]));
        assert_memory_equal(h[0], h[1], (N - n) * sizeof(h[0][0]));
    }
    bins_allow_vectors(true);
}

static void test_logistic_gradients_ends_and_weights(void **state)
{
    make();
    logistic_gradients(score, y, NULL, N, 1e-16, g[0], h[0]);
    for (size_t n = 0; n < 9; n++) {
        g[1][n] = h[1][n] = 77;
        logistic_gradients(score, y, weight, n, 1e-16, g[1], h[1]);
        assert_true(g[1][n] == 77 && h[1][n] == 77); /* no row is written but the n */
        for (size_t i = 0; i < n; i++) {
            assert_true(g[1][i] == weight[i] * g[0][i]);
            assert_true(h[1][i] == weight[i] * h[0][i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logistic_gradients_as_the_library),
        cmocka_unit_test(test_logistic_gradients_same_bits_both_paths),
        cmocka_unit_test(test_logistic_gradients_ends_and_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
