/* Bounds of lives under censoring: without censoring the split-conformal ones, and their coverage
 * by simulation. */
#include "tests/test.h"

#include "app/base/rng.h"
#include "models/calibrate.h"
#include "models/conformal_cross.h"
#include "models/conformal_survival.h"

#include <stdlib.h>

static struct ft_err err;

/* Nobody censored: the band of calibrate.h, one bin. */
static void test_conformal_survival_without_censoring(void **state)
{
    enum { N = 300 };
    double score[N], zero[N] = {0}, time[N], lower, upper;
    bool all[N];
    size_t group[N];
    for (size_t i = 0; i < N; i++) {
        score[i] = rng_normal(1, 1, i);
        time[i] = exp(score[i]);
        all[i] = true;
        group[i] = i / 3;
    }
    for (int with_group = 0; with_group < 2; with_group++) {
        struct censoring *c;
        struct conformal *band;
        struct survival_band b;
        const size_t *units = with_group ? group : NULL;
        assert_ok(censoring_fit(time, all, N, &c, &err), err);
        assert_ok(conformal_survival_fit(score, time, all, units, N, c, 0.9, &b, &err), err);
        assert_ok(conformal_fit(zero, score, units, N, 1, 0.9, &band, &err), err);
        conformal_interval(band, 0, &lower, &upper);
        assert_close(b.lower, lower, 0);
        assert_close(b.upper, upper, 0);
        assert_true(b.floor > b.lower);
        assert_int_equal(b.n_units, with_group ? 100 : N);
        conformal_free(band);
        censoring_free(c);
    }
}

/* Lives with a wrong model (the prediction sees half of the effect), about half of them censored.
 */
struct plant {
    double prediction, life, end;
};

static struct plant draw(uint64_t stream, uint64_t i)
{
    const double x = rng_normal(5, 3 * stream, i);
    return (struct plant){.prediction = 0.5 * x,
                          .life = exp(x) * pow(-log(1 - rng_uniform(5, 3 * stream + 1, i)), 0.7),
                          .end = -3 * log(1 - rng_uniform(5, 3 * stream + 2, i))};
}

static void test_conformal_survival_covers(void **state)
{
    enum { N = 3000, TEST = 20000 };
    double *v = calloc(TEST, 4 * sizeof(*v)), *score = calloc(N, 2 * sizeof(*score));
    double *lower = v, *upper = v + TEST, *floor_at = v + 2 * TEST, *truth = v + 3 * TEST;
    double *time = score + N;
    bool failed[N];
    struct censoring *c;
    struct survival_band b, naive;
    size_t n_failed = 0;
    for (size_t i = 0; i < N; i++) {
        const struct plant p = draw(1, i);
        failed[i] = p.life <= p.end;
        time[i] = fmin(p.life, p.end);
        score[i] = log(time[i]) - p.prediction;
        n_failed += failed[i];
    }
    assert_in_range(n_failed, N / 3, 3 * N / 4);
    assert_ok(censoring_fit(time, failed, N, &c, &err), err);
    assert_ok(conformal_survival_fit(score, time, failed, NULL, N, c, 0.8, &b, &err), err);
    for (size_t i = 0; i < TEST; i++) {
        const struct plant p = draw(2, i);
        truth[i] = log(p.life);
        lower[i] = p.prediction + b.lower;
        upper[i] = p.prediction + b.upper;
        floor_at[i] = p.prediction + b.floor;
    }
    for (size_t i = 0; i < TEST; i++)
        upper[i] = isfinite(b.upper) ? upper[i] : INFINITY;
    struct coverage seen = coverage_observed(lower, upper, truth, NULL, TEST);
    assert_close(seen.below, 0.1, 0.02);
    for (size_t i = 0; i < TEST; i++)
        upper[i] = INFINITY;
    seen = coverage_observed(floor_at, upper, truth, NULL, TEST);
    assert_close(seen.observed, 0.8, 0.025);
    /* Taking the ends of watching for failures would promise too little. */
    bool all[N];
    for (size_t i = 0; i < N; i++)
        all[i] = true;
    struct censoring *none;
    assert_ok(censoring_fit(time, all, N, &none, &err), err);
    assert_ok(conformal_survival_fit(score, time, all, NULL, N, none, 0.8, &naive, &err), err);
    assert_true(naive.floor < b.floor - 0.1);
    censoring_free(none);
    censoring_free(c);
    free(v);
    free(score);
}

/* Observed coverage from censored rows, by their weights, is that of the hidden lives. */
static void test_censoring_weights_observe_coverage(void **state)
{
    enum { N = 20000 };
    double *v = calloc(N, 5 * sizeof(*v));
    double *time = v, *weight = v + N, *lower = v + 2 * N, *upper = v + 3 * N, *life = v + 4 * N;
    bool *failed = calloc(N, sizeof(*failed));
    struct censoring *c;
    for (size_t i = 0; i < N; i++) {
        life[i] = -log(1 - rng_uniform(6, 1, i));
        const double end = 0.5 + 3 * rng_uniform(6, 2, i);
        failed[i] = life[i] <= end;
        time[i] = fmin(life[i], end);
        lower[i] = 0.1;
        upper[i] = 2;
    }
    assert_ok(censoring_fit(time, failed, N, &c, &err), err);
    censoring_weights(c, time, failed, N, weight);
    const struct coverage seen = coverage_observed(lower, upper, time, weight, N);
    const struct coverage true_one = coverage_observed(lower, upper, life, NULL, N);
    /* Lives beyond the longest watching, 3.5, are never seen: exp(-3.5) = 3 %. */
    assert_close(seen.observed, true_one.observed / (1 - exp(-3.5)), 0.01);
    assert_close(seen.below, true_one.below / (1 - exp(-3.5)), 0.01);
    censoring_free(c);
    free(v);
    free(failed);
}

static void test_conformal_survival_fit_refuses(void **state)
{
    const double score[] = {1, 2, 3, 4}, time[] = {1, 2, 3, 4};
    const bool none[4] = {false}, all[] = {true, true, true, true};
    struct censoring *c;
    struct survival_band b;
    assert_ok(censoring_fit(time, all, 4, &c, &err), err);
    assert_int_equal(conformal_survival_fit(score, time, all, NULL, 4, c, 0.9, &b, &err),
                     FT_TOO_FEW);
    assert_int_equal(conformal_survival_fit(score, time, none, NULL, 4, c, 0.5, &b, &err),
                     FT_TOO_FEW);
    assert_int_equal(conformal_survival_fit(score, time, all, NULL, 4, c, 0, &b, &err), FT_INVALID);
    const double broken[] = {1, NAN, 3, 4};
    assert_int_equal(conformal_survival_fit(broken, time, all, NULL, 4, c, 0.5, &b, &err),
                     FT_INVALID);
    assert_ok(conformal_survival_fit(score, time, all, NULL, 4, c, 0.6, &b, &err), err);
    assert_close(b.lower, 1, 0);
    assert_close(b.upper, 4, 0);
    assert_close(b.floor, 2, 0);
    censoring_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conformal_survival_without_censoring),
        cmocka_unit_test(test_conformal_survival_covers),
        cmocka_unit_test(test_censoring_weights_observe_coverage),
        cmocka_unit_test(test_conformal_survival_fit_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
