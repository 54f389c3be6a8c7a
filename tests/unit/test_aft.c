#include "tests/test.h"

#include "models/aft.h"

#include "app/base/rng.h"
#include "tests/golden/survival.h"

#include <stdlib.h>

enum { N = sizeof(golden_time) / sizeof(golden_time[0]), P = 3 };

static const struct matrix golden = {golden_x, N, P, P, NULL};

/* want: intercept, coefficients, scale; se: of the same with log scale last. */
static void expect_fit(const struct aft *m, const double *want, const double *se, double loglik)
{
    double got[P + 2];
    aft_coefficients(m, got);
    for (size_t j = 0; j <= P; j++)
        assert_rel(got[j], want[j], 1e-6);
    assert_rel(aft_scale(m), want[P + 1], 1e-6);
    aft_standard_errors(m, got);
    for (size_t j = 0; j < P + 2; j++)
        assert_rel(got[j], se[j], 1e-6);
    double lower[P + 2], upper[P + 2];
    aft_limits(m, 0.9, lower, upper);
    for (size_t j = 0; j < P + 2; j++) {
        const double at = j <= P ? want[j] : log(want[j]);
        assert_close(lower[j], at - 1.6448536269514722 * se[j], 1e-6 * (fabs(at) + se[j]));
        assert_close(upper[j], at + 1.6448536269514722 * se[j], 1e-6 * (fabs(at) + se[j]));
    }
    assert_rel(aft_log_likelihood(m), loglik, 1e-8);
}

static void expect_kind(enum aft_kind kind, const double *want, const double *se, double loglik,
                        const double *probability)
{
    struct aft *m = NULL;
    struct ft_err err;
    assert_ok(aft_fit(kind, &golden, golden_time, golden_failed, NULL, golden_weight, 0, &m, &err),
              err);
    expect_fit(m, want, se, loglik);
    assert_rel(aft_failure_probability(m, golden_x, 0, 25), probability[0], 1e-6);
    assert_rel(aft_failure_probability(m, golden_x, 0, 60), probability[1], 1e-6);
    assert_rel(1 - aft_failure_probability(m, golden_x, 25, 35),
               (1 - probability[1]) / (1 - probability[0]), 1e-6);
    double median = 0;
    aft_predict(m, &(struct matrix){golden_x, 1, P, P, NULL}, &median);
    assert_rel(aft_failure_probability(m, golden_x, 0, exp(median)), 0.5, 1e-12);
    assert_rel(aft_quantile(m, golden_x, probability[0]), 25.0, 1e-6);
    aft_free(m);
}

static void test_aft_fit_as_survreg(void **state)
{
    expect_kind(AFT_WEIBULL, golden_weibull, golden_weibull_se, golden_weibull_loglik,
                golden_weibull_probability);
    expect_kind(AFT_LOGNORMAL, golden_lognormal, golden_lognormal_se, golden_lognormal_loglik,
                golden_lognormal_probability);
    expect_kind(AFT_LOGLOGISTIC, golden_loglogistic, golden_loglogistic_se,
                golden_loglogistic_loglik, golden_loglogistic_probability);
}

static void test_aft_fit_truncated_as_newton(void **state)
{
    struct aft *m = NULL;
    struct ft_err err;
    assert_ok(aft_fit(AFT_WEIBULL, &golden, golden_time, golden_failed, golden_entry, golden_weight,
                      0, &m, &err),
              err);
    expect_fit(m, golden_late, golden_late_se, golden_late_loglik);
    aft_free(m);
}

static double draw_error(enum aft_kind kind, uint64_t i)
{
    const double u = rng_uniform(6, 9, i);
    if (kind == AFT_LOGNORMAL)
        return rng_normal(6, 8, i);
    return kind == AFT_WEIBULL ? log(-log1p(-u)) : log(u) - log1p(-u);
}

static void test_aft_fit_recovers_truth(void **state)
{
    enum { ROWS = 3000 };
    double *x = calloc(2 * ROWS, sizeof(double)), *time = calloc(ROWS, sizeof(double));
    double *entry = calloc(ROWS, sizeof(double));
    bool *failed = calloc(ROWS, sizeof(bool));
    struct ft_err err;
    for (int kind = AFT_WEIBULL; kind <= AFT_LOGLOGISTIC; kind++) {
        struct aft *m = NULL;
        double beta[3], se[4];
        size_t n = 0;
        for (uint64_t i = 0; n < ROWS; i++) {
            x[2 * n] = rng_normal(6, 1, i);
            x[2 * n + 1] = 1e6 * rng_uniform(6, 2, i);
            const double life = 1e9 * exp(0.4 * x[2 * n] - 1e-6 * x[2 * n + 1] +
                                          0.5 * draw_error((enum aft_kind)kind, i));
            entry[n] = rng_uniform(6, 3, i) < 0.5 ? 3e8 * rng_uniform(6, 4, i) : 0;
            if (life <= entry[n])
                continue;
            time[n] = fmin(life, 1e9);
            failed[n++] = life <= 1e9;
        }
        assert_ok(aft_fit((enum aft_kind)kind, &(struct matrix){x, ROWS, 2, 2, NULL}, time, failed,
                          entry, NULL, 0, &m, &err),
                  err);
        aft_coefficients(m, beta);
        aft_standard_errors(m, se);
        assert_close(beta[0], log(1e9), 4 * se[0]);
        assert_close(beta[1], 0.4, 4 * se[1]);
        assert_close(beta[2], -1e-6, 4 * se[2]);
        assert_close(log(aft_scale(m)), log(0.5), 4 * se[3]);
        assert_true(se[1] < 0.03);
        aft_free(m);
    }
    free(x);
    free(time);
    free(entry);
    free(failed);
}

static void test_aft_fit_refuses(void **state)
{
    const double x[] = {1, 2, 3, 4, 5}, time[] = {4, 3, 2, 1, 6};
    const bool one[5] = {true}, some[] = {true, true, true, true, false};
    const struct matrix rows = {x, 5, 1, 1, NULL};
    struct aft *m = NULL;
    struct ft_err err;
    assert_int_equal(aft_fit(AFT_WEIBULL, &rows, time, one, NULL, NULL, 0, &m, &err), FT_TOO_FEW);
    /* log time is an exact line of the column: the scale goes to 0. */
    const double line[] = {exp(1), exp(2), exp(3), exp(4), exp(5)};
    const bool all[] = {true, true, true, true, true};
    assert_int_equal(aft_fit(AFT_LOGNORMAL, &rows, line, all, NULL, NULL, 0, &m, &err), FT_TOO_FEW);
    assert_null(m);
    assert_int_equal(aft_fit(AFT_WEIBULL, &rows, (double[]){1, 2, INFINITY, 1, 1}, some, NULL, NULL,
                             1, &m, &err),
                     FT_INVALID);
    assert_non_null(strstr(err.msg, "row 3"));
    assert_int_equal(aft_fit(AFT_WEIBULL, &rows, time, some, NULL, NULL, NAN, &m, &err),
                     FT_INVALID);
    assert_ok(aft_fit(AFT_WEIBULL, &rows, time, some, NULL, NULL, 1, &m, &err), err);
    aft_free(m);
}

static void test_aft_contributions_sum(void **state)
{
    struct aft *m = NULL;
    struct ft_err err;
    double got[N], parts[P + 1];
    assert_ok(aft_fit(AFT_LOGNORMAL, &golden, golden_time, golden_failed, NULL, NULL, 1, &m, &err),
              err);
    aft_predict(m, &golden, got);
    for (size_t i = 0; i < N; i++) {
        double sum = 0;
        aft_contributions(m, golden_x + i * P, parts);
        for (size_t j = 0; j <= P; j++)
            sum += parts[j];
        assert_close(sum, got[i], 1e-12);
    }
    aft_free(m);
}

static void test_aft_write_and_read(void **state)
{
    struct aft *m = NULL, *again = NULL;
    struct ft_err err;
    struct buf a, b;
    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    assert_ok(
        aft_fit(AFT_LOGLOGISTIC, &golden, golden_time, golden_failed, NULL, NULL, 1, &m, &err),
        err);
    aft_write(m, &a);
    assert_ok(aft_read(a.data, a.len, &again, &err), err);
    aft_write(again, &b);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    assert_close(aft_quantile(again, golden_x, 0.3), aft_quantile(m, golden_x, 0.3), 0);
    aft_free(again);
    for (size_t len = 0; len < a.len; len++)
        assert_int_equal(aft_read(a.data, len, &again, &err), FT_INVALID);
    aft_free(m);
    buf_free(&a);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aft_fit_as_survreg),
        cmocka_unit_test(test_aft_fit_truncated_as_newton),
        cmocka_unit_test(test_aft_fit_recovers_truth),
        cmocka_unit_test(test_aft_fit_refuses),
        cmocka_unit_test(test_aft_contributions_sum),
        cmocka_unit_test(test_aft_write_and_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
