#include "tests/test.h"

#include "models/linear.h"

#include "app/base/rng.h"
#include "tests/golden/linear.h"
#include "tests/golden/linear_errors.h"

#include <stdlib.h>

enum { N = sizeof(golden_value) / sizeof(golden_value[0]), P = 4 };

static const struct matrix golden = {golden_x, N, P, P, NULL};

static void expect_fit(enum linear_kind kind, double lambda, const double *predictor,
                       const double *beta)
{
    struct linear *m = NULL;
    struct ft_err err;
    double got[N], coefficient[P + 1];
    const double *y = kind == LINEAR_RIDGE ? golden_value : golden_label;
    assert_ok(linear_fit(kind, &golden, y, golden_weight, lambda, &m, &err), err);
    linear_predict(m, &golden, got);
    linear_coefficients(m, coefficient);
    for (size_t i = 0; i < N; i++)
        assert_close(got[i], predictor[i], 1e-7);
    for (size_t j = 0; j < P; j++)
        assert_rel(coefficient[j + 1], beta[j], 1e-6);
    linear_free(m);
}

static void test_linear_fit_ridge_as_sklearn(void **state)
{
    expect_fit(LINEAR_RIDGE, 0.5, golden_ridge_0_5, golden_ridge_beta_0_5);
    expect_fit(LINEAR_RIDGE, 10, golden_ridge_10_0, golden_ridge_beta_10_0);
}

static void test_linear_fit_logistic_as_sklearn(void **state)
{
    expect_fit(LINEAR_LOGISTIC, 0.5, golden_logistic_0_5, golden_logistic_beta_0_5);
    expect_fit(LINEAR_LOGISTIC, 10, golden_logistic_10_0, golden_logistic_beta_10_0);
}

/* Coefficients that are 0 there are 0 here. */
static void expect_net(enum linear_kind kind, double lambda, double l1_share,
                       const double *predictor, const double *beta)
{
    struct linear *m = NULL;
    struct ft_err err;
    double got[N], coefficient[P + 1], se[P + 1];
    const double *y = kind == LINEAR_RIDGE ? golden_value : golden_label;
    assert_ok(linear_fit_net(kind, &golden, y, golden_weight, lambda, l1_share, &m, &err), err);
    linear_predict(m, &golden, got);
    linear_coefficients(m, coefficient);
    for (size_t i = 0; i < N; i++)
        assert_close(got[i], predictor[i], 1e-7);
    for (size_t j = 0; j < P; j++)
        assert_rel(coefficient[j + 1], beta[j], 1e-6);
    assert_int_equal(linear_standard_errors(m, se, &err), FT_TOO_FEW);
    linear_free(m);
}

static void test_linear_fit_net_as_sklearn(void **state)
{
    expect_net(LINEAR_RIDGE, 6, 0.5, golden_net_6_value, golden_net_6_value_beta);
    expect_net(LINEAR_RIDGE, 12, 1, golden_net_12_value, golden_net_12_value_beta);
    expect_net(LINEAR_LOGISTIC, 6, 0.5, golden_net_6_label, golden_net_6_label_beta);
    expect_net(LINEAR_LOGISTIC, 12, 1, golden_net_12_label, golden_net_12_label_beta);
    struct linear *m = NULL;
    struct ft_err err;
    assert_int_equal(linear_fit_net(LINEAR_RIDGE, &golden, golden_value, NULL, 1, 1.5, &m, &err),
                     FT_INVALID);
    double coefficient[P + 1];
    assert_ok(linear_fit_net(LINEAR_LOGISTIC, &golden, golden_label, NULL, 1e6, 1, &m, &err), err);
    linear_coefficients(m, coefficient);
    for (size_t j = 1; j <= P; j++)
        assert_close(coefficient[j], 0, 0);
    linear_free(m);
}

/* Every point of the path is the fit of that penalty. */
static void test_linear_ridge_path_equals_fits(void **state)
{
    const double lambda[] = {1000, 10, 0.5, 0.01};
    struct linear *path[4], *one;
    struct ft_err err;
    assert_ok(linear_ridge_path(&golden, golden_value, golden_weight, lambda, 4, path, &err), err);
    for (size_t k = 0; k < 4; k++) {
        double a[P + 1], b[P + 1];
        assert_ok(
            linear_fit(LINEAR_RIDGE, &golden, golden_value, golden_weight, lambda[k], &one, &err),
            err);
        linear_coefficients(path[k], a);
        linear_coefficients(one, b);
        for (size_t j = 0; j <= P; j++)
            assert_rel(a[j], b[j], 1e-11);
        assert_ok(linear_standard_errors(path[k], a, &err), err);
        assert_ok(linear_standard_errors(one, b, &err), err);
        for (size_t j = 0; j <= P; j++)
            assert_rel(a[j], b[j], 1e-11);
        linear_free(path[k]);
        linear_free(one);
    }
    const double wrong[] = {1, -1};
    assert_int_equal(linear_ridge_path(&golden, golden_value, NULL, wrong, 2, path, &err),
                     FT_INVALID);
    assert_null(path[0]);
    const double twice[] = {1, 2, 2, 4, 3, 6, 5, 10}; /* no penalty, two equal columns */
    const struct matrix equal = {.data = twice, .n_rows = 4, .n_cols = 2, .stride = 2};
    const double penalties[] = {1, 0};
    assert_int_equal(linear_ridge_path(&equal, golden_value, NULL, penalties, 2, path, &err),
                     FT_INVALID);
    assert_non_null(strstr(err.msg, "column 2"));
    assert_null(path[0]);
}

/* Columns 1 and 3, which have no missing values. */
static struct matrix two_columns(double *x)
{
    for (size_t i = 0; i < N; i++) {
        x[2 * i] = golden_x[P * i];
        x[2 * i + 1] = golden_x[P * i + 2];
    }
    return (struct matrix){x, N, 2, 2, NULL};
}

static void test_linear_standard_errors_as_r(void **state)
{
    static double x[2 * N];
    const struct matrix two = two_columns(x);
    struct linear *m = NULL;
    struct ft_err err;
    double beta[3], se[3];
    for (int kind = 0; kind < 2; kind++) {
        const double *y = kind == 0 ? golden_value : golden_label;
        assert_ok(
            linear_fit(kind == 0 ? LINEAR_RIDGE : LINEAR_LOGISTIC, &two, y, NULL, 0, &m, &err),
            err);
        linear_coefficients(m, beta);
        assert_ok(linear_standard_errors(m, se, &err), err);
        for (size_t j = 0; j < 3; j++) {
            assert_rel(beta[j], (kind == 0 ? golden_lm : golden_glm)[j], 1e-6);
            assert_rel(se[j], (kind == 0 ? golden_lm_se : golden_glm_se)[j], 1e-6);
        }
        double lower[3], upper[3];
        assert_ok(linear_limits(m, 0.95, lower, upper, &err), err);
        for (size_t j = 0; j < 3; j++) { /* as confint.default() */
            assert_rel(lower[j], beta[j] - 1.959963984540054 * se[j], 1e-12);
            assert_rel(upper[j], beta[j] + 1.959963984540054 * se[j], 1e-12);
        }
        linear_free(m);
    }
}

static void test_linear_weights_are_copies(void **state)
{
    const double x[] = {1, 2, 4, 7, 1, 1, 4}, y[] = {0, 1, 0, 1, 0, 0, 0};
    const double w[] = {3, 1, 2, 1};
    const struct matrix few = {x, 4, 1, 1, NULL}, many = {x, 7, 1, 1, NULL};
    struct linear *a = NULL, *b = NULL;
    struct ft_err err;
    double got[2], want[2];
    assert_ok(linear_fit(LINEAR_LOGISTIC, &few, y, w, 0.1, &a, &err), err);
    assert_ok(linear_fit(LINEAR_LOGISTIC, &many, y, NULL, 0.1, &b, &err), err);
    linear_coefficients(a, got);
    linear_coefficients(b, want);
    assert_close(got[0], want[0], 1e-10);
    assert_close(got[1], want[1], 1e-10);
    linear_free(a);
    linear_free(b);
}

static void test_linear_contributions_sum_to_predictor(void **state)
{
    struct linear *m = NULL;
    struct ft_err err;
    double got[N], parts[P + 1];
    assert_ok(linear_fit(LINEAR_LOGISTIC, &golden, golden_label, NULL, 1, &m, &err), err);
    linear_predict(m, &golden, got);
    for (size_t i = 0; i < N; i++) {
        double sum = 0;
        linear_contributions(m, matrix_row(&golden, i), parts);
        for (size_t j = 0; j <= P; j++)
            sum += parts[j];
        assert_close(sum, got[i], 1e-12);
    }
    linear_free(m);
}

static void test_linear_constant_and_missing_columns(void **state)
{
    enum { ROWS = 50 };
    double x[ROWS * 3], y[ROWS], coefficient[4], out[2];
    struct linear *m = NULL;
    struct ft_err err;
    for (size_t i = 0; i < ROWS; i++) {
        x[3 * i] = (double)i;
        x[3 * i + 1] = 1e9; /* constant */
        x[3 * i + 2] = NAN; /* never present */
        y[i] = 2 + 3 * (double)i;
    }
    assert_ok(linear_fit(LINEAR_RIDGE, &(struct matrix){x, ROWS, 3, 3, NULL}, y, NULL, 0, &m, &err),
              err);
    linear_coefficients(m, coefficient);
    assert_rel(coefficient[0], 2.0, 1e-9);
    assert_rel(coefficient[1], 3.0, 1e-11);
    assert_close(coefficient[2], 0, 0);
    assert_close(coefficient[3], 0, 0);
    /* Values never seen in training change nothing; a missing value counts as the mean. */
    const double rows[] = {10, 5, 77, NAN, 1e9, NAN};
    linear_predict(m, &(struct matrix){rows, 2, 3, 3, NULL}, out);
    assert_rel(out[0], 32.0, 1e-10);
    assert_rel(out[1], 2 + 3 * 24.5, 1e-10);
    linear_free(m);
}

static void test_linear_fit_refuses(void **state)
{
    const double x[] = {1, 2, 2, 4, 3, 6, 4, 8, 5, 10}, y[] = {0, 0, 1, 1, 1},
                 ones[5] = {1, 1, 1, 1, 1};
    const struct matrix twice = {x, 5, 2, 2, NULL}, one = {x, 5, 1, 2, NULL};
    struct linear *m = NULL;
    struct ft_err err;
    assert_int_equal(linear_fit(LINEAR_RIDGE, &twice, y, NULL, 0, &m, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "column 2"));
    assert_null(m);
    assert_int_equal(linear_fit(LINEAR_LOGISTIC, &one, y, NULL, 0, &m, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "separate"));
    assert_int_equal(linear_fit(LINEAR_LOGISTIC, &one, ones, NULL, 1, &m, &err), FT_TOO_FEW);
    assert_int_equal(linear_fit(LINEAR_LOGISTIC, &one, x, NULL, 1, &m, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "row 2"));
    assert_int_equal(linear_fit(LINEAR_RIDGE, &one, y, NULL, -1, &m, &err), FT_INVALID);
    assert_int_equal(linear_fit(LINEAR_RIDGE, &one, y, (double[5]){0}, 1, &m, &err), FT_TOO_FEW);
    const double infinite[] = {1, INFINITY, 3, 4, 5};
    assert_int_equal(
        linear_fit(LINEAR_RIDGE, &(struct matrix){infinite, 5, 1, 1, NULL}, y, NULL, 1, &m, &err),
        FT_INVALID);
    assert_non_null(strstr(err.msg, "row 2, column 1"));
    /* The same columns with a penalty are fine. */
    assert_ok(linear_fit(LINEAR_RIDGE, &twice, y, NULL, 1, &m, &err), err);
    linear_free(m);
    assert_ok(linear_fit(LINEAR_LOGISTIC, &one, y, NULL, 1e-6, &m, &err), err);
    linear_free(m);
}

/* A rare class and heavy tails still converge, and the known coefficients come back. */
static void test_linear_fit_recovers_truth(void **state)
{
    enum { ROWS = 20000 };
    double *x = calloc(2 * ROWS, sizeof(*x)), *y = calloc(ROWS, sizeof(*y));
    struct linear *m = NULL;
    struct ft_err err;
    double beta[3], se[3];
    for (size_t i = 0; i < ROWS; i++) {
        x[2 * i] = exp(2 * rng_normal(1, 1, i));
        x[2 * i + 1] = rng_normal(1, 2, i);
        const double eta = -4 + 0.02 * x[2 * i] - 0.7 * x[2 * i + 1];
        y[i] = rng_uniform(1, 3, i) < 1 / (1 + exp(-eta));
    }
    assert_ok(
        linear_fit(LINEAR_LOGISTIC, &(struct matrix){x, ROWS, 2, 2, NULL}, y, NULL, 0, &m, &err),
        err);
    linear_coefficients(m, beta);
    assert_ok(linear_standard_errors(m, se, &err), err);
    assert_close(beta[0], -4, 4 * se[0]);
    assert_close(beta[1], 0.02, 4 * se[1]);
    assert_close(beta[2], -0.7, 4 * se[2]);
    assert_true(se[2] > 0 && se[2] < 0.1);
    linear_free(m);
    free(x);
    free(y);
}

static void test_linear_write_and_read(void **state)
{
    struct linear *m = NULL, *again = NULL;
    struct ft_err err;
    struct buf a, b;
    double got[N], want[N];
    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    assert_ok(linear_fit(LINEAR_LOGISTIC, &golden, golden_label, NULL, 1, &m, &err), err);
    linear_write(m, &a);
    assert_ok(linear_read(a.data, a.len, &again, &err), err);
    linear_write(again, &b);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    linear_predict(m, &golden, want);
    linear_predict(again, &golden, got);
    assert_memory_equal(got, want, sizeof(got));
    linear_free(again);
    for (size_t len = 0; len < a.len; len++) {
        assert_int_equal(linear_read(a.data, len, &again, &err), FT_INVALID);
        assert_null(again);
    }
    linear_free(m);
    buf_free(&a);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear_fit_ridge_as_sklearn),
        cmocka_unit_test(test_linear_fit_logistic_as_sklearn),
        cmocka_unit_test(test_linear_fit_net_as_sklearn),
        cmocka_unit_test(test_linear_ridge_path_equals_fits),
        cmocka_unit_test(test_linear_standard_errors_as_r),
        cmocka_unit_test(test_linear_weights_are_copies),
        cmocka_unit_test(test_linear_contributions_sum_to_predictor),
        cmocka_unit_test(test_linear_constant_and_missing_columns),
        cmocka_unit_test(test_linear_fit_refuses),
        cmocka_unit_test(test_linear_fit_recovers_truth),
        cmocka_unit_test(test_linear_write_and_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
