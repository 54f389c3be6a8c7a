#include "tests/test.h"

#include "app/base/rng.h"
#include "models/importance.h"
#include "models/metrics.h"

#include <stdlib.h>

enum { N = 4000, M = 3, SEED = 9 };

static struct ft_err err;

struct truth {
    double y[N];
};

/* 2 x0 + x1; x2 is not used. */
static void predict(const void *model, const struct matrix *x, double *out)
{
    (void)model;
    for (size_t i = 0; i < x->n_rows; i++)
        out[i] = 2 * matrix_row(x, i)[0] + matrix_row(x, i)[1];
}

static double squared_error(const void *ctx, const double *prediction)
{
    return metric_brier(prediction, ((const struct truth *)ctx)->y, NULL, N);
}

/* A shuffled column of a linear model adds 2 (coefficient)^2 variance to the squared error. */
static void test_importance_of_linear_model(void **state)
{
    double *x = calloc(N, M * sizeof(*x)), metric, mean[2][M], sd[2][M];
    struct truth *t = calloc(1, sizeof(*t));
    const struct matrix view = {x, N, M, M, NULL};
    for (size_t i = 0; i < (size_t)N * M; i++)
        x[i] = rng_uniform(SEED, 1, i);
    predict(NULL, &view, t->y);
    const struct importance_problem p = {.x = &view,
                                         .predict = predict,
                                         .metric = squared_error,
                                         .metric_ctx = t,
                                         .n_repeats = 5,
                                         .seed = SEED};
    for (size_t k = 0; k < 2; k++) {
        struct pool *pool;
        assert_ok(pool_new(k == 0 ? 1 : 4, &pool, &err), err);
        assert_ok(importance_by_permutation(&p, pool, &metric, mean[k], sd[k], &err), err);
        pool_free(pool);
    }
    assert_close(metric, 0, 0);
    assert_close(mean[0][0], 2 * 4 / 12.0, 0.02);
    assert_close(mean[0][1], 2 * 1 / 12.0, 0.005);
    assert_close(mean[0][2], 0, 0);
    assert_close(sd[0][2], 0, 0);
    assert_true(sd[0][0] > 0 && sd[0][0] < 0.03);
    assert_memory_equal(mean[0], mean[1], sizeof(mean[0]));
    assert_memory_equal(sd[0], sd[1], sizeof(sd[0]));
    free(x);
    free(t);
}

static void test_importance_refuses(void **state)
{
    double metric, mean;
    const struct matrix none = {&metric, 0, 1, 1, NULL};
    const struct importance_problem p = {.x = &none, .predict = predict, .n_repeats = 1};
    assert_int_equal(importance_by_permutation(&p, NULL, &metric, &mean, NULL, &err), FT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_importance_of_linear_model),
        cmocka_unit_test(test_importance_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
