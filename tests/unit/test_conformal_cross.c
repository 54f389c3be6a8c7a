/* Cross-conformal intervals: against their definition, and their coverage by simulation. */
#include "tests/test.h"

#include "app/base/rng.h"
#include "models/conformal_cross.h"

#include <stdlib.h>
#include <string.h>

static struct ft_err err;

static int by_value(const void *a, const void *b)
{
    const double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* Barber et al. 2021, eq. 8: the ends are order statistics of prediction -+ residual. */
static void test_conformal_cross_equals_definition(void **state)
{
    enum { N = 57, K = 4 };
    double prediction[N], truth[N], low[N], high[N];
    size_t fold[N];
    struct conformal_cross *c;
    for (size_t i = 0; i < N; i++) {
        fold[i] = i * i % K;
        prediction[i] = rng_normal(1, 1, i);
        truth[i] = prediction[i] + floor(4 * rng_normal(1, 2, i)) / 4; /* ties */
    }
    for (double coverage = 0.5; coverage < 0.97; coverage += 0.15) {
        assert_ok(conformal_cross_fit(prediction, truth, fold, N, K, coverage, &c, &err), err);
        assert_int_equal(conformal_cross_n_folds(c), K);
        const double at[K] = {-1, 0.25, 0, 3};
        for (size_t i = 0; i < N; i++) {
            const double r = fabs(truth[i] - prediction[i]);
            low[i] = at[fold[i]] - r;
            high[i] = at[fold[i]] + r;
        }
        qsort(low, N, sizeof(double), by_value);
        qsort(high, N, sizeof(double), by_value);
        const size_t rank = (size_t)ceil(coverage * (N + 1) - 1e-9);
        double lower, upper;
        conformal_cross_interval(c, at, &lower, &upper);
        assert_close(upper, high[rank - 1], 0);
        assert_close(lower, low[N - rank], 0);
        conformal_cross_free(c);
    }
}

/* The text form gives the same intervals back and refuses what does not fit together. */
static void test_conformal_cross_text(void **state)
{
    enum { N = 40, K = 3 };
    double prediction[N], truth[N];
    size_t fold[N];
    struct conformal_cross *c, *again;
    struct buf b;
    for (size_t i = 0; i < N; i++) {
        fold[i] = i % K;
        prediction[i] = rng_normal(1, 1, i);
        truth[i] = prediction[i] + rng_normal(1, 2, i);
    }
    assert_ok(conformal_cross_fit(prediction, truth, fold, N, K, 0.85, &c, &err), err);
    buf_init(&b, 1 << 16);
    conformal_cross_write(c, &b);
    assert_ok(buf_status(&b, &err), err);
    assert_ok(conformal_cross_read(b.data, b.len, &again, &err), err);
    const double at[K] = {-1, 0.25, 3};
    double lower[2], upper[2];
    conformal_cross_interval(c, at, &lower[0], &upper[0]);
    conformal_cross_interval(again, at, &lower[1], &upper[1]);
    assert_memory_equal(lower, lower + 1, sizeof(double));
    assert_memory_equal(upper, upper + 1, sizeof(double));
    assert_close(conformal_cross_coverage(again), 0.85, 0);
    conformal_cross_free(again);
    assert_int_equal(conformal_cross_read(b.data, b.len - 1, &again, &err), FT_INVALID);
    assert_null(again);
    buf_free(&b);
    conformal_cross_free(c);
    static const char *const bad[] = {
        "conformal_cross 1\ncoverage 0x1p-1\nfolds 1\nrank 3\nrows 2\nresiduals 2 0x0p+0 0x1p+0\n",
        "conformal_cross 1\ncoverage 0x1p-1\nfolds 1\nrank 1\nrows 2\nresiduals 2 0x1p+0 0x0p+0\n",
        "conformal_cross 1\ncoverage 0x1p+1\nfolds 1\nrank 1\nrows 2\nresiduals 2 0x0p+0 0x1p+0\n",
        "conformal_cross 1\ncoverage 0x1p-1\nfolds 2\nrank 1\nrows 2\nresiduals 2 0x0p+0 0x1p+0\n"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(conformal_cross_read(bad[i], strlen(bad[i]), &again, &err), FT_INVALID);
}

/* The model is the mean of its training rows; noise is skewed. n_folds = n is jackknife+. */
static struct coverage simulate(size_t n_folds, double coverage)
{
    enum { N = 60, TRIALS = 4000 };
    double *bounds = calloc(TRIALS, 3 * sizeof(double));
    double *lower = bounds, *upper = bounds + TRIALS, *truth = bounds + 2 * TRIALS;
    for (size_t t = 0; t < TRIALS; t++) {
        double y[N], out[N], mean[N] = {0}, sum = 0, in_fold[N] = {0};
        size_t fold[N], size[N] = {0};
        struct conformal_cross *c;
        for (size_t i = 0; i < N; i++) {
            fold[i] = i % n_folds;
            y[i] = -log(1 - rng_uniform(9, t, i));
            sum += y[i];
            in_fold[fold[i]] += y[i];
            size[fold[i]]++;
        }
        for (size_t k = 0; k < n_folds; k++)
            mean[k] = (sum - in_fold[k]) / (double)(N - size[k]);
        for (size_t i = 0; i < N; i++)
            out[i] = mean[fold[i]];
        assert_ok(conformal_cross_fit(out, y, fold, N, n_folds, coverage, &c, &err), err);
        conformal_cross_interval(c, mean, &lower[t], &upper[t]);
        truth[t] = -log(1 - rng_uniform(9, t, N));
        conformal_cross_free(c);
    }
    const struct coverage observed = coverage_observed(lower, upper, truth, NULL, TRIALS);
    free(bounds);
    return observed;
}

static void test_conformal_cross_covers(void **state)
{
    const size_t folds[] = {5, 60};
    for (size_t k = 0; k < 2; k++)
        for (double coverage = 0.8; coverage < 0.96; coverage += 0.1) {
            const struct coverage c = simulate(folds[k], coverage);
            assert_close(c.observed, coverage, 0.025);
            assert_true(c.observed >= 2 * coverage - 1);
            assert_true(c.lower < c.observed && c.observed < c.upper);
        }
}

static void test_conformal_cross_fit_refuses(void **state)
{
    const double p[] = {1, 2, 3}, bad[] = {1, NAN, 3};
    const size_t fold[] = {0, 1, 1};
    struct conformal_cross *c;
    assert_int_equal(conformal_cross_fit(p, bad, fold, 3, 2, 0.5, &c, &err), FT_INVALID);
    assert_int_equal(conformal_cross_fit(p, p, fold, 3, 1, 0.5, &c, &err), FT_INVALID);
    assert_int_equal(conformal_cross_fit(p, p, fold, 3, 2, 1, &c, &err), FT_INVALID);
    assert_int_equal(conformal_cross_fit(p, p, fold, 3, 2, 0.9, &c, &err), FT_TOO_FEW);
    assert_null(c);
    assert_ok(conformal_cross_fit(p, p, fold, 3, 2, 0.75, &c, &err), err);
    conformal_cross_free(c);
}

static void test_coverage_observed(void **state)
{
    const double lower[] = {0, 0, 0, 0}, upper[] = {1, 1, 2, INFINITY}, truth[] = {-1, 1, 3, 9};
    struct coverage c = coverage_observed(lower, upper, truth, NULL, 4);
    assert_close(c.observed, 0.5, 0);
    assert_close(c.below, 0.25, 0);
    assert_close(c.above, 0.25, 0);
    assert_close(c.n, 4, 1e-15);
    assert_true(isinf(c.mean_width));
    c = coverage_observed(lower, upper, truth, (const double[]){1, 2, 1, 0}, 4);
    assert_close(c.observed, 0.5, 0);
    assert_close(c.mean_width, 1.25, 0);
    assert_close(c.n, 16.0 / 6, 1e-15);
    assert_true(isnan(coverage_observed(lower, upper, truth, NULL, 0).observed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conformal_cross_equals_definition),
        cmocka_unit_test(test_conformal_cross_text),
        cmocka_unit_test(test_conformal_cross_covers),
        cmocka_unit_test(test_conformal_cross_fit_refuses),
        cmocka_unit_test(test_coverage_observed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
