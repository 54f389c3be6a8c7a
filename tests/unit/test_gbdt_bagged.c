/* A forest beside boosted trees: means by hand, joined models, identity over threads. */
#include "tests/test.h"

#include "app/base/rng.h"
#include "models/gbdt/bagged.h"
#include "models/gbdt/bin.h"
#include "models/gbdt/forest.h"
#include "models/metrics.h"

#include <stdlib.h>
#include <string.h>

enum { N = 600, M = 4 };

static struct ft_err err;

struct data {
    double x[N * M], y[N], truth[N];
};

/* A step, a slope and noise; column 3 means nothing, column 1 has holes. */
static struct data *make_data(void)
{
    struct data *d = calloc(1, sizeof(*d));
    assert_non_null(d);
    for (size_t i = 0; i < N; i++) {
        double *row = d->x + i * M;
        for (size_t j = 0; j < M; j++)
            row[j] = rng_uniform(5, j, i);
        d->truth[i] = (row[0] > 0.4 ? 10 : 0) + 5 * row[2];
        d->y[i] = d->truth[i] + 2 * rng_normal(5, 9, i);
        if (i % 17 == 0)
            row[1] = NAN;
    }
    return d;
}

static struct gbdt_params settings(void)
{
    struct gbdt_params p = gbdt_params_default(GBDT_SQUARED);
    p.n_trees = 60;
    p.max_leaves = 8;
    p.n_bins = 32;
    p.min_child_weight = 20;
    p.row_sample = 0.5;
    p.seed = 3;
    return p;
}

static struct gbdt *fit_forest(const struct matrix *x, const double *y, const struct gbdt_params *p,
                               size_t n_trees, size_t n_threads)
{
    struct pool *pool;
    struct binned bins;
    struct gbdt *g;
    const struct gbdt_labels labels = {.y = y};
    assert_ok(pool_new(n_threads, &pool, &err), err);
    assert_ok(bins_make(x, p->n_bins, NULL, pool, &bins, &err), err);
    assert_ok(bagged_fit(x, &bins, &labels, p, n_trees, pool, &g, &err), err);
    bins_free(&bins);
    pool_free(pool);
    return g;
}

static struct gbdt *fit_beside(const struct matrix *x, const double *y, const struct gbdt_params *p,
                               size_t n_trees, size_t n_threads)
{
    struct pool *pool;
    struct gbdt *g;
    const struct gbdt_labels labels = {.y = y};
    assert_ok(pool_new(n_threads, &pool, &err), err);
    assert_ok(bagged_fit_beside(x, NULL, &labels, p, n_trees, pool, &g, &err), err);
    pool_free(pool);
    return g;
}

/* Two values of a column and leaves of one row: a tree on all rows would answer the means of the
 * two sides, so the mean of trees on samples lies near them. */
static void test_bagged_fit_means(void **state)
{
    double x[200], y[200];
    double out[200];
    for (size_t i = 0; i < 200; i++) {
        x[i] = i < 100 ? 1 : 2;
        y[i] = x[i] < 2 ? 4 : 8;
    }
    const struct matrix view = {x, 200, 1, 1, NULL};
    struct gbdt_params p = settings();
    struct gbdt *g = fit_forest(&view, y, &p, 5, 1);
    gbdt_predict(g, &view, out);
    assert_close(out[0], 4, 1e-6);
    assert_close(out[199], 8, 1e-6);
    gbdt_free(g);
}

static void test_bagged_fit_any_threads(void **state)
{
    struct data *d = make_data();
    const struct matrix x = {d->x, N, M, M, NULL};
    const struct gbdt_params p = settings();
    struct gbdt *a = fit_beside(&x, d->y, &p, 20, 1);
    struct gbdt *b = fit_beside(&x, d->y, &p, 20, 3);
    struct buf text_a, text_b;
    buf_init(&text_a, 1 << 24);
    buf_init(&text_b, 1 << 24);
    gbdt_write(a, &text_a);
    gbdt_write(b, &text_b);
    assert_int_equal(text_a.len, text_b.len);
    assert_memory_equal(text_a.data, text_b.data, text_a.len);
    buf_free(&text_a);
    buf_free(&text_b);
    gbdt_free(a);
    gbdt_free(b);
    free(d);
}

/* The mean of the two is nearer the truth than the worse, and each learned the truth. */
static void test_bagged_fit_beside_learns(void **state)
{
    struct data *d = make_data();
    const struct matrix x = {d->x, N / 2, M, M, NULL};
    const struct matrix rest = {d->x + N / 2 * M, N / 2, M, M, NULL};
    const double *truth = d->truth + N / 2;
    const struct gbdt_params p = settings();
    double out[N / 2], half[N / 2], shares[M + 1];
    struct gbdt *forest = fit_forest(&x, d->y, &p, 40, 2);
    struct gbdt *both = fit_beside(&x, d->y, &p, 40, 2);
    gbdt_predict(forest, &rest, half);
    gbdt_predict(both, &rest, out);
    assert_true(metric_rmse(half, truth, NULL, N / 2) < 1.5);
    assert_true(metric_rmse(out, truth, NULL, N / 2) < 1.2);
    assert_ok(gbdt_contributions(both, rest.data, shares, &err), err);
    double sum = 0;
    for (size_t j = 0; j <= M; j++)
        sum += shares[j];
    assert_close(sum, out[0], 1e-9);
    gbdt_free(forest);
    gbdt_free(both);
    free(d);
}

static void test_bagged_join_is_the_weighted_sum(void **state)
{
    struct data *d = make_data();
    const struct matrix x = {d->x, N, M, M, NULL};
    struct gbdt_params p = settings();
    double a[N], b[N], joined[N];
    static const double weight[2] = {0.3, 0.7};
    struct gbdt *part[2];
    struct gbdt *g;
    part[0] = fit_forest(&x, d->y, &p, 3, 1);
    p.seed = 4;
    part[1] = fit_forest(&x, d->y, &p, 2, 1);
    assert_ok(bagged_join(part, weight, 2, &g, &err), err);
    assert_int_equal(gbdt_n_trees(g), gbdt_n_trees(part[0]) + gbdt_n_trees(part[1]));
    gbdt_predict(part[0], &x, a);
    gbdt_predict(part[1], &x, b);
    gbdt_predict(g, &x, joined);
    for (size_t i = 0; i < N; i++)
        assert_close(joined[i], 0.3 * a[i] + 0.7 * b[i], 1e-9);
    gbdt_free(g);
    gbdt_free(part[0]);
    gbdt_free(part[1]);
    free(d);
}

static void test_bagged_constant_columns(void **state)
{
    double x[60], y[60], out[60];
    for (size_t i = 0; i < 60; i++) {
        x[i] = 7;
        y[i] = i < 30 ? 1 : 3;
    }
    const struct matrix view = {x, 60, 1, 1, NULL};
    const struct gbdt_params p = settings();
    struct gbdt *g = fit_beside(&view, y, &p, 5, 1);
    gbdt_predict(g, &view, out);
    assert_close(out[0], 2, 1e-9);
    gbdt_free(g);
}

static void test_bagged_refuses(void **state)
{
    struct data *d = make_data();
    const struct matrix x = {d->x, N, M, M, NULL};
    const struct matrix narrow = {d->x, N, 2, M, NULL};
    const struct gbdt_labels labels = {.y = d->y};
    struct gbdt_params p = settings();
    struct gbdt *part[2];
    struct gbdt *g;
    static const double weight[2] = {0.5, 0.5};
    struct pool *pool;
    assert_ok(pool_new(1, &pool, &err), err);
    assert_int_equal(bagged_fit_beside(&x, NULL, &labels, &p, 0, pool, &g, &err), FT_INVALID);
    assert_int_equal(bagged_fit_beside(&x, NULL, &labels, &p, BAGGED_MAX_TREES + 1, pool, &g, &err),
                     FT_INVALID);
    p.objective = GBDT_ABSOLUTE;
    assert_int_equal(bagged_fit_beside(&x, NULL, &labels, &p, 5, pool, &g, &err), FT_INVALID);
    assert_null(g);
    p = settings();
    part[0] = fit_forest(&x, d->y, &p, 2, 1);
    part[1] = fit_forest(&narrow, d->y, &p, 2, 1);
    assert_int_equal(bagged_join(part, weight, 2, &g, &err), FT_INVALID);
    assert_int_equal(bagged_join(part, weight, 0, &g, &err), FT_INVALID);
    gbdt_free(part[0]);
    gbdt_free(part[1]);
    pool_free(pool);
    free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bagged_fit_means),
        cmocka_unit_test(test_bagged_fit_any_threads),
        cmocka_unit_test(test_bagged_fit_beside_learns),
        cmocka_unit_test(test_bagged_join_is_the_weighted_sum),
        cmocka_unit_test(test_bagged_constant_columns),
        cmocka_unit_test(test_bagged_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
