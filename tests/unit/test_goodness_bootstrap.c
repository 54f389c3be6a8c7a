#include "tests/test.h"

#include "app/base/pool.h"
#include "app/base/rng.h"
#include "models/goodness.h"
#include "models/goodness_bootstrap.h"
#include "models/kaplan_meier.h"

#include "tests/golden/goodness.h"

#include <stdlib.h>

enum { N = 60, DRAWS = 2000 };

/* The distance of a fit to the curve of its data. */
static double distance_of(const struct life_fit *f, const struct life_data *d)
{
    struct kaplan_meier_point *k = NULL;
    double time[200], survival[200];
    size_t n = 0;
    struct ft_err err;
    assert_ok(kaplan_meier(d->time, d->failed, d->entry, d->weight, d->n, 0.9, &k, &n, &err), err);
    for (size_t i = 0; i < n; i++) {
        time[i] = k[i].time;
        survival[i] = k[i].survival;
    }
    free(k);
    return goodness_anderson_darling(f, f->n, time, survival, n);
}

static struct goodness_p test_of(enum life_distribution law, const struct life_data *d,
                                 size_t n_draws, struct pool *pool)
{
    struct life_fit f;
    struct goodness_p p;
    struct ft_err err;
    assert_ok(life_fit(law, d, &f, &err), err);
    assert_ok(goodness_bootstrap(&f, d, distance_of(&f, d), n_draws, 3, pool, &p, &err), err);
    return p;
}

static void test_goodness_bootstrap_as_r(void **state)
{
    static const struct {
        const double *time;
        const bool *failed;
        const double *want[2]; /* distance, p; by weibull, by lognormal */
    } rows[] = {
        {gf_weibull_time, gf_weibull_failed, {gf_weibull_by_weibull, gf_weibull_by_lognormal}},
        {gf_weibull_watched_time,
         gf_weibull_watched_failed,
         {gf_weibull_watched_by_weibull, gf_weibull_watched_by_lognormal}},
        {gf_early_time, gf_early_failed, {gf_early_by_weibull, gf_early_by_lognormal}},
        {gf_early_watched_time,
         gf_early_watched_failed,
         {gf_early_watched_by_weibull, gf_early_watched_by_lognormal}},
    };
    static const enum life_distribution laws[] = {LIFE_WEIBULL, LIFE_LOGNORMAL};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (int k = 0; k < 2; k++) {
            const struct life_data d = {rows[i].time, rows[i].failed, NULL, NULL, N, NULL};
            struct life_fit f;
            struct ft_err err;
            assert_ok(life_fit(laws[k], &d, &f, &err), err);
            assert_rel(distance_of(&f, &d), rows[i].want[k][0], 1e-6);
            const struct goodness_p p = test_of(laws[k], &d, DRAWS, NULL);
            const double want = rows[i].want[k][1];
            /* Four standard deviations of what both simulations leave open. */
            assert_close(p.p, want,
                         4 * sqrt(fmax(want * (1 - want), 1e-4) * (1.0 / DRAWS + 1.0 / 4000)));
            assert_null(p.why_not);
        }
}

/* Complete lives: upper points of A^2 (1 + 0.2 / sqrt n) with both parameters estimated
 * (D'Agostino and Stephens 1986, table 4.17). */
static void test_goodness_bootstrap_as_stephens(void **state)
{
    static const double points[][2] = {{0.474, 0.25}, {0.637, 0.1}, {0.757, 0.05}, {1.038, 0.01}};
    double time[100];
    bool failed[100];
    struct life_fit f;
    struct goodness_p p;
    struct ft_err err;
    for (uint64_t i = 0; i < 100; i++) {
        time[i] = 500 * pow(-log1p(-rng_uniform(8, 1, i)), 1 / 1.5);
        failed[i] = true;
    }
    const struct life_data d = {time, failed, NULL, NULL, 100, NULL};
    assert_ok(life_fit(LIFE_WEIBULL, &d, &f, &err), err);
    for (size_t i = 0; i < 4; i++) {
        const double at = points[i][0] / (1 + 0.2 / sqrt(100)), want = points[i][1];
        assert_ok(goodness_bootstrap(&f, &d, at, DRAWS, 1, NULL, &p, &err), err);
        assert_close(p.p, want, 4 * sqrt(want * (1 - want) / DRAWS));
    }
}

/* The p-values of samples from the law itself are spread evenly, censored and truncated or not. */
static void test_goodness_bootstrap_is_even_under_the_law(void **state)
{
    enum { SAMPLES = 60, UNITS = 40 };
    double sum = 0;
    size_t n_low = 0;
    for (uint64_t k = 0; k < SAMPLES; k++) {
        double time[UNITS], entry[UNITS];
        bool failed[UNITS];
        for (uint64_t i = 0, at = 0; i < UNITS; at++) {
            const double life = 300 * pow(-log1p(-rng_uniform(9, k, 3 * at)), 1 / 2.0) + 1e-3;
            const double end = 150 + 400 * rng_uniform(9, k, 3 * at + 1);
            entry[i] = 100 * rng_uniform(9, k, 3 * at + 2);
            time[i] = fmin(life, end);
            failed[i] = life <= end;
            i += time[i] > entry[i]; /* the others were never seen */
        }
        const struct life_data d = {time, failed, entry, NULL, UNITS, NULL};
        const struct goodness_p p = test_of(LIFE_WEIBULL, &d, 200, NULL);
        assert_int_equal(p.n_draws, 200);
        sum += p.p;
        n_low += p.p <= 0.1;
    }
    assert_close(sum / SAMPLES, 0.5, 4 * sqrt(1.0 / 12 / SAMPLES));
    assert_true(n_low <= 14); /* 6 expected */
}

/* Rows of several alike units are the units one by one; threads change nothing. */
static void test_goodness_bootstrap_rows_and_threads(void **state)
{
    double time[2 * N], weight[N];
    bool failed[2 * N];
    struct pool *pool = NULL;
    struct ft_err err;
    for (size_t i = 0; i < N; i++) {
        weight[i] = 2;
        time[2 * i] = time[2 * i + 1] = gf_weibull_watched_time[i];
        failed[2 * i] = failed[2 * i + 1] = gf_weibull_watched_failed[i];
    }
    const struct life_data one = {time, failed, NULL, NULL, 2 * N, NULL};
    const struct life_data rows = {
        gf_weibull_watched_time, gf_weibull_watched_failed, NULL, weight, N, NULL};
    assert_ok(pool_new(3, &pool, &err), err);
    const double p = test_of(LIFE_WEIBULL, &one, 150, NULL).p;
    assert_close(test_of(LIFE_WEIBULL, &rows, 150, NULL).p, p, 0);
    assert_close(test_of(LIFE_WEIBULL, &one, 150, pool).p, p, 0);
    pool_free(pool);
}

static void test_goodness_bootstrap_says_why_not(void **state)
{
    double weight[N], upper[N] = {0};
    struct life_fit f;
    struct goodness_p p;
    struct ft_err err;
    for (size_t i = 0; i < N; i++)
        weight[i] = 1;
    struct life_data d = {gf_weibull_time, gf_weibull_failed, NULL, weight, N, upper};
    assert_ok(life_fit(LIFE_WEIBULL, &d, &f, &err), err);
    const struct {
        double weight, upper;
        size_t n_draws;
        const char *want;
    } rows[] = {{1, 0, 0, "asked for"},
                {0.5, 0, 99, "parts of a unit"},
                {1, 1e6, 99, "interval"},
                {1e6, 0, 3, "too many"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        weight[0] = rows[i].weight;
        upper[0] = rows[i].upper;
        assert_ok(goodness_bootstrap(&f, &d, 0.4, rows[i].n_draws, 1, NULL, &p, &err), err);
        assert_true(isnan(p.p));
        assert_non_null(strstr(p.why_not, rows[i].want));
    }
    upper[0] = 0;
    weight[0] = -1;
    assert_int_equal(goodness_bootstrap(&f, &d, 0.4, 99, 1, NULL, &p, &err), FT_INVALID);
}

/* A given shape stays given in every sample; a threshold is searched for in each. */
static void test_goodness_bootstrap_other_fits(void **state)
{
    const struct life_data d = {gf_weibull_time, gf_weibull_failed, NULL, NULL, N, NULL};
    struct life_fit f;
    struct goodness_p right, wrong;
    struct ft_err err;
    assert_ok(life_fit_fixed_shape(&d, 2.2, &f, &err), err);
    assert_ok(goodness_bootstrap(&f, &d, distance_of(&f, &d), 200, 1, NULL, &right, &err), err);
    assert_ok(life_fit_fixed_shape(&d, 1, &f, &err), err);
    assert_ok(goodness_bootstrap(&f, &d, distance_of(&f, &d), 200, 1, NULL, &wrong, &err), err);
    assert_true(right.p > 0.05 && wrong.p < 0.01);
    assert_true(test_of(LIFE_WEIBULL3, &d, 99, NULL).n_fitted > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goodness_bootstrap_as_r),
        cmocka_unit_test(test_goodness_bootstrap_as_stephens),
        cmocka_unit_test(test_goodness_bootstrap_is_even_under_the_law),
        cmocka_unit_test(test_goodness_bootstrap_rows_and_threads),
        cmocka_unit_test(test_goodness_bootstrap_says_why_not),
        cmocka_unit_test(test_goodness_bootstrap_other_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
