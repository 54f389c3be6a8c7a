/* Boosted trees learn as well as scikit-learn's on the same data (tests/golden/gbdt.py). */
#include "tests/test.h"

#include "app/base/rng.h"
#include "models/gbdt/gbdt.h"
#include "models/metrics.h"
#include "tests/golden/gbdt.h"

#include <stdlib.h>

enum { N = 20000, M = 8, SEED = 77 };

static struct ft_err err;

struct data {
    double x[2 * N * M], y[2 * N], rare[2 * N], p[N];
};

static struct data *make_data(void)
{
    struct data *d = calloc(1, sizeof(*d));
    for (size_t i = 0; i < 2 * N; i++) {
        double *x = d->x + i * M;
        for (size_t j = 0; j < M; j++)
            x[j] = rng_uniform(SEED, j, i);
        x[1] = floor(x[1] * 10);
        const double third = rng_uniform(SEED, 100, i) < 0.2 ? 0.75 : x[2];
        if (rng_uniform(SEED, 100, i) < 0.2)
            x[2] = NAN;
        const double signal = x[0] * third + 0.05 * x[1] + (x[3] > 0.7 ? x[4] : 0);
        d->y[i] = signal + rng_uniform(SEED, 101, i) - 0.5;
        d->rare[i] = rng_uniform(SEED, 102, i) < 0.05 * signal * signal;
    }
    return d;
}

static void fit_and_predict(struct data *d, const double *y, const struct gbdt_params *p)
{
    struct pool *pool;
    struct gbdt *g;
    const struct matrix train = {d->x, N, M, M, NULL};
    const struct matrix test = matrix_rows(&(struct matrix){d->x, 2 * N, M, M, NULL}, N, N);
    assert_ok(pool_new(2, &pool, &err), err);
    assert_ok(gbdt_fit(&train, y, NULL, p, pool, &g, &err), err);
    gbdt_predict(g, &test, d->p);
    gbdt_free(g);
    pool_free(pool);
}

static struct gbdt_params settings(enum gbdt_objective objective, size_t n_leaves)
{
    struct gbdt_params p = gbdt_params_default(objective);
    p.n_trees = 100;
    p.max_leaves = n_leaves;
    p.min_child_weight = 1e-3;
    return p;
}

static void test_gbdt_squared_as_good_as_sklearn(void **state)
{
    struct data *d = make_data();
    const struct gbdt_params p = settings(GBDT_SQUARED, 31);
    double sum = 0;
    for (size_t i = 0; i < N; i++)
        sum += d->y[i];
    assert_rel(sum, GOLDEN_GBDT_SUM_Y, 1e-10); /* the same data */
    fit_and_predict(d, d->y, &p);
    assert_close(metric_rmse(d->p, d->y + N, NULL, N), GOLDEN_GBDT_RMSE, 0.001);
    free(d);
}

static void test_gbdt_logistic_as_good_as_sklearn(void **state)
{
    struct data *d = make_data();
    const struct gbdt_params p = settings(GBDT_LOGISTIC, 8);
    double n_ones = 0;
    for (size_t i = 0; i < N; i++)
        n_ones += d->rare[i];
    assert_close(n_ones, GOLDEN_GBDT_POSITIVES, 0);
    fit_and_predict(d, d->rare, &p);
    for (size_t i = 0; i < N; i++)
        d->p[i] = 1 / (1 + exp(-d->p[i]));
    assert_true(metric_roc_auc(d->p, d->rare + N, NULL, N) > GOLDEN_GBDT_AUC - 0.01);
    assert_true(metric_pr_auc(d->p, d->rare + N, NULL, N) > GOLDEN_GBDT_PR_AUC - 0.01);
    assert_true(metric_log_loss(d->p, d->rare + N, NULL, N) < GOLDEN_GBDT_LOGLOSS * 1.01);
    free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gbdt_squared_as_good_as_sklearn),
        cmocka_unit_test(test_gbdt_logistic_as_good_as_sklearn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
