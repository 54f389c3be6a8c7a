#include "tests/test.h"

#include "app/base/rng.h"
#include "models/bootstrap.h"
#include "models/metrics.h"

#include <stdlib.h>

static struct ft_err err;

static double mean_of(const double *a, const double *b, const double *weight, size_t n)
{
    double sum = 0;
    (void)b;
    (void)weight;
    for (size_t i = 0; i < n; i++)
        sum += a[i];
    return sum / (double)n;
}

static struct bootstrap_result run(const struct bootstrap_problem *p, size_t n_threads)
{
    struct pool *pool;
    struct bootstrap_result r;
    assert_ok(pool_new(n_threads, &pool, &err), err);
    assert_ok(bootstrap(p, pool, &r, &err), err);
    pool_free(pool);
    return r;
}

/* The error of a mean is known: sd / sqrt(n) for rows alone, sd / sqrt(groups) when the rows of a
 * group are copies of each other. */
static void test_bootstrap_of_mean(void **state)
{
    enum { N = 900 };
    double a[N];
    size_t group[N];
    struct bootstrap_rows rows = {.metric = mean_of, .a = a, .b = a};
    struct bootstrap_problem p = {.n_rows = N,
                                  .metric = bootstrap_row_metric,
                                  .ctx = &rows,
                                  .n_repeats = 2000,
                                  .level = 0.9,
                                  .seed = 4};
    for (size_t i = 0; i < N; i++) {
        group[i] = 7 * (i % 100);
        a[i] = rng_normal(2, 1, i);
    }
    struct bootstrap_result r = run(&p, 1);
    const struct bootstrap_result same = run(&p, 5);
    assert_memory_equal(&r, &same, sizeof(r));
    assert_int_equal(r.n_groups, N);
    assert_int_equal(r.n_defined, 2000);
    assert_close(r.value, mean_of(a, a, NULL, N), 1e-15);
    assert_rel(r.std_error, 1 / sqrt(N), 0.1);
    assert_close((r.upper - r.lower) / 2, 1.645 * r.std_error, 0.1 * r.std_error);
    for (size_t i = 0; i < N; i++)
        a[i] = rng_normal(2, 1, i % 100);
    p.group = group;
    r = run(&p, 3);
    assert_int_equal(r.n_groups, 100);
    assert_rel(r.std_error, 0.1, 0.2);
}

/* The stated share of intervals holds the truth: AUC of two normal laws one apart, 0.7602. */
static void test_bootstrap_interval_covers(void **state)
{
    enum { N = 200, TRIALS = 150 };
    double score[N], y[N];
    size_t n_held = 0;
    const struct bootstrap_rows rows = {.metric = metric_roc_auc, .a = score, .b = y};
    for (size_t t = 0; t < TRIALS; t++) {
        for (size_t i = 0; i < N; i++) {
            y[i] = i % 2;
            score[i] = rng_normal(100 + t, 1, i) + y[i];
        }
        const struct bootstrap_problem p = {.n_rows = N,
                                            .metric = bootstrap_row_metric,
                                            .ctx = &rows,
                                            .n_repeats = 200,
                                            .level = 0.9,
                                            .seed = t};
        const struct bootstrap_result r = run(&p, 2);
        n_held += r.lower <= 0.760250 && 0.760250 <= r.upper;
    }
    assert_in_range(n_held, (size_t)(0.83 * TRIALS), (size_t)(0.96 * TRIALS));
}

/* A weight travels with its row; a metric that is mostly undefined has no interval. */
static void test_bootstrap_weights_and_undefined(void **state)
{
    const double p[] = {0.1, 0.2, 0.3, 0.4}, y[] = {0, 0, 0, 0}, w[] = {1, 2, 3, 4};
    struct bootstrap_rows rows = {.metric = metric_roc_auc, .a = p, .b = y, .weight = w};
    const struct bootstrap_problem problem = {
        .n_rows = 4, .metric = bootstrap_row_metric, .ctx = &rows, .n_repeats = 50, .level = 0.9};
    struct bootstrap_result r = run(&problem, 1);
    assert_true(isnan(r.value) && isnan(r.lower));
    assert_int_equal(r.n_defined, 0);
    rows.metric = metric_brier;
    r = run(&problem, 1);
    assert_rel(r.value, (0.01 + 2 * 0.04 + 3 * 0.09 + 4 * 0.16) / 10, 1e-14);
    assert_true(r.lower < r.value && r.value < r.upper);
    struct bootstrap_problem bad = problem;
    bad.n_rows = 0;
    assert_int_equal(bootstrap(&bad, NULL, &r, &err), FT_INVALID);
    bad = problem;
    bad.level = 1;
    assert_int_equal(bootstrap(&bad, NULL, &r, &err), FT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bootstrap_of_mean),
        cmocka_unit_test(test_bootstrap_interval_covers),
        cmocka_unit_test(test_bootstrap_weights_and_undefined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
