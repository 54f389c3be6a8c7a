#include "tests/test.h"

#include "app/base/rng.h"
#include "models/metrics.h"
#include "models/metrics_survival.h"
#include "tests/golden/concordance.h"
#include "tests/golden/metrics_survival.h"

#include <stdlib.h>

enum {
    N = sizeof(golden_time) / sizeof(golden_time[0]),
    N_AT = sizeof(golden_at) / sizeof(golden_at[0])
};

static struct ft_err err;

static void test_metrics_survival_as_r(void **state)
{
    struct censoring *c;
    double p[N];
    assert_ok(censoring_fit(golden_time, golden_failed, N, &c, &err), err);
    const double at[] = {2, 5, 11};
    for (size_t k = 0; k < 3; k++) {
        assert_rel(censoring_uncensored(c, at[k]), golden_uncensored[k], 1e-12);
        assert_rel(censoring_uncensored_before(c, at[k] + 1), golden_uncensored[k], 1e-12);
    }
    assert_close(censoring_uncensored_before(c, 1), 1, 0);
    assert_rel(metric_concordance_uno(golden_risk, golden_time, golden_failed, N, c, INFINITY),
               golden_uno[0], 1e-12);
    assert_rel(metric_concordance_uno(golden_risk, golden_time, golden_failed, N, c, 15),
               golden_uno[1], 1e-12);
    for (size_t k = 0; k < N_AT; k++) {
        for (size_t i = 0; i < N; i++)
            p[i] = golden_p_at[i * N_AT + k];
        assert_rel(metric_auc_at(golden_risk, golden_time, golden_failed, N, c, golden_at[k]),
                   golden_auc_at[k], 1e-12);
        assert_rel(metric_brier_at(p, golden_time, golden_failed, N, c, golden_at[k]),
                   golden_brier_at[k], 1e-12);
    }
    assert_rel(
        metric_brier_integrated(golden_p_at, golden_time, golden_failed, N, c, golden_at, N_AT),
        golden_brier_integrated[0], 1e-12);
    censoring_free(c);
}

/* Nobody censored: the metrics are the plain ones. */
static void test_metrics_survival_without_censoring(void **state)
{
    bool all[N];
    double failed_by[N], p[N];
    struct censoring *c;
    for (size_t i = 0; i < N; i++) {
        all[i] = true;
        failed_by[i] = golden_time[i] <= 5;
        p[i] = rng_uniform(1, 1, i);
    }
    assert_ok(censoring_fit(golden_time, all, N, &c, &err), err);
    assert_rel(metric_concordance_uno(p, golden_time, all, N, c, INFINITY),
               metric_concordance(p, golden_time, all, N), 1e-14);
    assert_rel(metric_auc_at(p, golden_time, all, N, c, 5), metric_roc_auc(p, failed_by, NULL, N),
               1e-14);
    assert_rel(metric_brier_at(p, golden_time, all, N, c, 5), metric_brier(p, failed_by, NULL, N),
               1e-13);
    assert_true(isnan(metric_auc_at(p, golden_time, all, N, c, 1e9)));
    assert_true(isnan(metric_brier_integrated(p, golden_time, all, N, c, golden_at, 1)));
    censoring_free(c);
}

/* IPCW takes the bias of censoring away: risk-dependent lives, heavy censoring, against the same
 * lives uncensored. */
static void test_metrics_survival_unbiased(void **state)
{
    enum { MANY = 20000 };
    double *v = calloc(MANY, 4 * sizeof(*v));
    bool *failed = calloc(MANY, 2 * sizeof(*failed)), *all = failed + MANY;
    double *risk = v, *life = v + MANY, *time = v + 2 * MANY, *p = v + 3 * MANY;
    struct censoring *none, *c;
    for (size_t i = 0; i < MANY; i++) {
        risk[i] = rng_normal(3, 1, i);
        life[i] = -log(1 - rng_uniform(3, 2, i)) * exp(-risk[i]);
        const double end = -log(1 - rng_uniform(3, 3, i)) * 0.8;
        failed[i] = life[i] <= end;
        all[i] = true;
        time[i] = fmin(life[i], end);
        p[i] = 1 - exp(-0.5 * exp(risk[i]));
    }
    assert_ok(censoring_fit(life, all, MANY, &none, &err), err);
    assert_ok(censoring_fit(time, failed, MANY, &c, &err), err);
    assert_close(metric_auc_at(risk, time, failed, MANY, c, 0.5),
                 metric_auc_at(risk, life, all, MANY, none, 0.5), 0.01);
    assert_close(metric_brier_at(p, time, failed, MANY, c, 0.5),
                 metric_brier_at(p, life, all, MANY, none, 0.5), 0.005);
    assert_close(metric_concordance_uno(risk, time, failed, MANY, c, 1),
                 metric_concordance_uno(risk, life, all, MANY, none, 1), 0.01);
    censoring_free(none);
    censoring_free(c);
    free(v);
    free(failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics_survival_as_r),
        cmocka_unit_test(test_metrics_survival_without_censoring),
        cmocka_unit_test(test_metrics_survival_unbiased),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
