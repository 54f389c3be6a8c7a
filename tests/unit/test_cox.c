#include "tests/test.h"

#include "models/cox.h"

#include "app/base/rng.h"
#include "tests/golden/survival.h"

#include <stdlib.h>

enum { N = sizeof(golden_time) / sizeof(golden_time[0]), P = 3 };

static const struct matrix golden = {golden_x, N, P, P, NULL};

static void expect_fit(const double *entry, const double *weight, const double *beta,
                       const double *se, const double *loglik)
{
    struct cox *m = NULL;
    struct ft_err err;
    double got[P];
    assert_ok(cox_fit(&golden, golden_time, golden_failed, entry, weight, 0, &m, &err), err);
    cox_coefficients(m, got);
    for (size_t j = 0; j < P; j++)
        assert_rel(got[j], beta[j], 1e-6);
    cox_standard_errors(m, got);
    for (size_t j = 0; j < P; j++)
        assert_rel(got[j], se[j], 1e-6);
    double lower[P], upper[P];
    cox_limits(m, 0.95, lower, upper);
    for (size_t j = 0; j < P; j++) {
        assert_rel(lower[j], beta[j] - 1.959963984540054 * se[j], 1e-6);
        assert_rel(upper[j], beta[j] + 1.959963984540054 * se[j], 1e-6);
    }
    assert_rel(cox_null_log_likelihood(m), loglik[0], 1e-8);
    assert_rel(cox_log_likelihood(m), loglik[1], 1e-8);
    cox_free(m);
}

static void test_cox_fit_as_coxph(void **state)
{
    expect_fit(NULL, NULL, golden_cox_beta, golden_cox_se, golden_cox_loglik);
    expect_fit(NULL, golden_weight, golden_cox_weighted_beta, golden_cox_weighted_se,
               golden_cox_weighted_loglik);
}

static void test_cox_fit_truncated_as_coxph(void **state)
{
    expect_fit(golden_entry, golden_weight, golden_cox_late_beta, golden_cox_late_se,
               golden_cox_late_loglik);
}

static void test_cox_failure_probability_as_survfit(void **state)
{
    struct cox *m = NULL;
    struct ft_err err;
    assert_ok(cox_fit(&golden, golden_time, golden_failed, NULL, NULL, 0, &m, &err), err);
    const double *p = golden_cox_probability;
    assert_rel(cox_failure_probability(m, golden_x, 0, 25), p[0], 1e-7);
    assert_rel(cox_failure_probability(m, golden_x, 0, 60), p[1], 1e-7);
    assert_rel(1 - cox_failure_probability(m, golden_x, 25, 35), (1 - p[1]) / (1 - p[0]), 1e-7);
    assert_close(cox_failure_probability(m, golden_x, 1e6, 10), 0, 0);
    assert_close(cox_failure_probability(m, golden_x, 10, 0), 0, 0);
    cox_free(m);
}

static void test_cox_penalty_shrinks(void **state)
{
    struct ft_err err;
    double last = 1e9;
    for (double lambda = 0.1; lambda < 1e5; lambda *= 10) {
        struct cox *m = NULL;
        double beta[P];
        assert_ok(cox_fit(&golden, golden_time, golden_failed, NULL, NULL, lambda, &m, &err), err);
        cox_coefficients(m, beta);
        assert_true(fabs(beta[0]) < last);
        last = fabs(beta[0]);
        cox_free(m);
    }
    assert_true(last < 1e-3);
}

/* Missing values, a constant column and heavy ties, with truth known. */
static void test_cox_fit_recovers_truth(void **state)
{
    enum { ROWS = 4000 };
    double *x = calloc(3 * ROWS, sizeof(double)), *time = calloc(ROWS, sizeof(double));
    bool *failed = calloc(ROWS, sizeof(bool));
    struct cox *m = NULL;
    struct ft_err err;
    double beta[3], se[3];
    for (size_t i = 0; i < ROWS; i++) {
        x[3 * i] = rng_normal(8, 1, i);
        x[3 * i + 1] = rng_uniform(8, 2, i) < 0.2 ? NAN : rng_normal(8, 3, i);
        x[3 * i + 2] = 7;
        const double eta = 0.8 * x[3 * i] - (isnan(x[3 * i + 1]) ? 0 : 0.5 * x[3 * i + 1]);
        const double life = pow(-log1p(-rng_uniform(8, 4, i)) * exp(-eta), 0.5);
        time[i] = ceil(20 * fmin(life, 2)); /* at most 40 distinct times */
        failed[i] = life < 2;
    }
    assert_ok(cox_fit(&(struct matrix){x, ROWS, 3, 3, NULL}, time, failed, NULL, NULL, 0, &m, &err),
              err);
    cox_coefficients(m, beta);
    cox_standard_errors(m, se);
    assert_close(beta[0], 0.8, 4 * se[0]);
    assert_close(beta[1], -0.5, 4 * se[1]);
    assert_close(beta[2], 0, 0);
    assert_true(isnan(se[2]) && se[0] < 0.05);
    cox_free(m);
    free(x);
    free(time);
    free(failed);
}

static void test_cox_predict_and_contributions(void **state)
{
    struct cox *m = NULL;
    struct ft_err err;
    double got[N], parts[P + 1], beta[P];
    assert_ok(cox_fit(&golden, golden_time, golden_failed, NULL, NULL, 1, &m, &err), err);
    cox_predict(m, &golden, got);
    cox_coefficients(m, beta);
    for (size_t i = 1; i < N; i++) {
        double want = got[0], sum = 0;
        for (size_t j = 0; j < P; j++)
            want += beta[j] * (golden_x[i * P + j] - golden_x[j]);
        assert_close(got[i], want, 1e-12);
        cox_contributions(m, golden_x + i * P, parts);
        for (size_t j = 0; j <= P; j++)
            sum += parts[j];
        assert_close(sum, got[i], 1e-12);
    }
    assert_int_equal(cox_n_cols(m), P);
    cox_free(m);
}

static void test_cox_fit_refuses(void **state)
{
    const double x[] = {1, 2, 3, 4}, time[] = {4, 3, 2, 1};
    const bool all[] = {true, true, true, true}, none[4] = {false};
    const struct matrix one = {x, 4, 1, 1, NULL};
    struct cox *m = NULL;
    struct ft_err err;
    assert_int_equal(cox_fit(&one, time, none, NULL, NULL, 0, &m, &err), FT_TOO_FEW);
    assert_int_equal(cox_fit(&one, time, all, NULL, NULL, 0, &m, &err), FT_TOO_FEW);
    assert_non_null(strstr(err.msg, "infinity"));
    assert_null(m);
    assert_ok(cox_fit(&one, time, all, NULL, NULL, 0.01, &m, &err), err);
    cox_free(m);
    assert_int_equal(cox_fit(&one, (double[]){4, 3, 0, 1}, all, NULL, NULL, 0, &m, &err),
                     FT_INVALID);
    assert_non_null(strstr(err.msg, "row 3"));
    assert_int_equal(cox_fit(&one, time, all, (double[]){0, 3, 0, 0}, NULL, 0, &m, &err),
                     FT_INVALID);
    assert_int_equal(cox_fit(&one, time, all, NULL, (double[]){1, -1, 1, 1}, 0, &m, &err),
                     FT_INVALID);
    const double twice[] = {1, 2, 5, 10, 2, 4, 3, 6};
    assert_int_equal(
        cox_fit(&(struct matrix){twice, 4, 2, 2, NULL}, time, all, NULL, NULL, 0, &m, &err),
        FT_INVALID);
    assert_non_null(strstr(err.msg, "column 2"));
    assert_int_equal(
        cox_fit(&(struct matrix){x, 0, 1, 1, NULL}, time, all, NULL, NULL, 0, &m, &err),
        FT_TOO_FEW);
}

static void test_cox_write_and_read(void **state)
{
    struct cox *m = NULL, *again = NULL;
    struct ft_err err;
    struct buf a, b;
    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    assert_ok(cox_fit(&golden, golden_time, golden_failed, NULL, NULL, 1, &m, &err), err);
    cox_write(m, &a);
    assert_ok(cox_read(a.data, a.len, &again, &err), err);
    cox_write(again, &b);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    assert_close(cox_failure_probability(again, golden_x, 5, 30),
                 cox_failure_probability(m, golden_x, 5, 30), 0);
    cox_free(again);
    for (size_t len = 0; len < a.len; len++)
        assert_int_equal(cox_read(a.data, len, &again, &err), FT_INVALID);
    cox_free(m);
    buf_free(&a);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cox_fit_as_coxph),
        cmocka_unit_test(test_cox_fit_truncated_as_coxph),
        cmocka_unit_test(test_cox_failure_probability_as_survfit),
        cmocka_unit_test(test_cox_penalty_shrinks),
        cmocka_unit_test(test_cox_fit_recovers_truth),
        cmocka_unit_test(test_cox_predict_and_contributions),
        cmocka_unit_test(test_cox_fit_refuses),
        cmocka_unit_test(test_cox_write_and_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
