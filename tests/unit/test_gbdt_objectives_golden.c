/* The other objectives learn as well as scikit-learn and XGBoost on the same data, and
 * contributions are XGBoost's (tests/golden/gbdt_objectives.py). */
#include "tests/test.h"

#include "app/base/rng.h"
#include "models/gbdt/gbdt.h"
#include "models/gbdt/objective.h"
#include "tests/golden/gbdt_objectives.h"

#include <stdlib.h>

enum { N = 20000, M = 8, SEED = 77 };

static struct ft_err err;

struct data {
    double x[2 * N * M], y[2 * N], count[2 * N], time[2 * N], low[2 * N], high[2 * N], score[N];
    bool failed[2 * N];
};

/* As make() and more() of the script. */
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
        for (size_t k = 0; k < 8; k++)
            d->count[i] += rng_uniform(SEED, 200 + k, i) < signal / 4;
        const double life = exp(1 - signal) * sqrt(-log(1 - rng_uniform(SEED, 103, i)));
        const double end = 4 * rng_uniform(SEED, 104, i) + 0.01;
        d->failed[i] = life <= end;
        d->time[i] = fmin(life, end);
        d->low[i] = d->failed[i] ? floor(d->time[i] / 0.25) * 0.25 : d->time[i];
        d->high[i] = d->failed[i] ? d->low[i] + 0.25 : INFINITY;
    }
    return d;
}

/* Trains on the first half; the sum of losses on the second. */
static double test_loss(struct data *d, enum gbdt_objective objective,
                        const struct gbdt_labels *labels)
{
    struct pool *pool;
    struct gbdt *g;
    double base, block[2 * (N / 8192 + 1)];
    const struct matrix train = {d->x, N, M, M, NULL};
    const struct matrix test = {d->x + (size_t)N * M, N, M, M, NULL};
    struct gbdt_params p = gbdt_params_default(objective);
    p.n_trees = 100;
    p.min_child_weight = objective_renews(objective) ? 1 : 1e-3;
    p.quantile = 0.9;
    p.aft_scale = 0.5;
    assert_ok(pool_new(2, &pool, &err), err);
    assert_ok(gbdt_fit_labels(&train, labels, &p, pool, &g, &err), err);
    gbdt_predict(g, &test, d->score);
    struct targets t = {.objective = objective,
                        .labels = {.y = labels->y + N,
                                   .failed = labels->failed != NULL ? labels->failed + N : NULL,
                                   .upper = labels->upper != NULL ? labels->upper + N : NULL},
                        .n_rows = N,
                        .parameter = gbdt_parameter(g)};
    assert_ok(objective_start(&t, &base, &err), err);
    const double loss = objective_loss(&t, d->score, block, pool);
    objective_end(&t);
    gbdt_free(g);
    pool_free(pool);
    return loss;
}

#define assert_at_most(got, most)                                                                  \
    do {                                                                                           \
        if (!((got) <= (most)))                                                                    \
            fail_msg("%s = %.10g, at most %.10g", #got, got, most);                                \
    } while (0)

/* Losses may be half a percent above the peer's best. */
static void test_gbdt_values_as_good_as_peers(void **state)
{
    struct data *d = make_data();
    double counts = 0;
    for (size_t i = 0; i < N; i++)
        counts += d->count[i];
    assert_close(counts, GOLDEN_COUNTS, 0); /* the same data */
    const struct gbdt_labels value = {.y = d->y}, count = {.y = d->count};
    const double absolute = test_loss(d, GBDT_ABSOLUTE, &value) / N;
    const double pinball = test_loss(d, GBDT_QUANTILE, &value) / N;
    const double poisson = test_loss(d, GBDT_POISSON, &count) / N;
    assert_at_most(absolute, 1.005 * GOLDEN_ABSOLUTE);
    assert_at_most(pinball, 1.005 * GOLDEN_PINBALL);
    assert_at_most(poisson, 1.005 * fmin(GOLDEN_POISSON_SKLEARN, GOLDEN_POISSON_XGBOOST));
    free(d);
}

static void test_gbdt_lives_as_good_as_xgboost(void **state)
{
    struct data *d = make_data();
    size_t n_train = 0, n_test = 0;
    for (size_t i = 0; i < N; i++) {
        n_train += d->failed[i];
        n_test += d->failed[i + N];
    }
    assert_int_equal(n_train, GOLDEN_FAILED);
    const struct gbdt_labels hazard = {.y = d->time, .failed = d->failed};
    const struct gbdt_labels interval = {.y = d->low, .upper = d->high};
    const double cox = test_loss(d, GBDT_COX, &hazard) / (double)n_test;
    const double aft = test_loss(d, GBDT_AFT_WEIBULL, &interval) / N;
    assert_at_most(cox, 1.005 * GOLDEN_COX);
    assert_at_most(aft, 1.005 * GOLDEN_AFT);
    free(d);
}

/* XGBoost's contributions are floats. */
static void test_gbdt_contributions_equal_xgboost(void **state)
{
    enum { ROWS = 20, COLS = 5 };
    struct gbdt *g;
    struct pool *pool;
    double x[ROWS * COLS], parts[ROWS * (COLS + 1)];
    const struct matrix view = {x, ROWS, COLS, COLS, NULL};
    for (size_t i = 0; i < (size_t)ROWS * COLS; i++)
        x[i] = golden_shap_x[i];
    assert_ok(gbdt_read(golden_shap_model, sizeof(golden_shap_model) - 1, &g, &err), err);
    assert_ok(pool_new(2, &pool, &err), err);
    assert_ok(gbdt_contributions_rows(g, &view, pool, parts, &err), err);
    for (size_t i = 0; i < (size_t)ROWS * (COLS + 1); i++)
        assert_close(parts[i], golden_shap_parts[i], 2e-6);
    pool_free(pool);
    gbdt_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gbdt_values_as_good_as_peers),
        cmocka_unit_test(test_gbdt_lives_as_good_as_xgboost),
        cmocka_unit_test(test_gbdt_contributions_equal_xgboost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
