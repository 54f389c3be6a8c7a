#include "tests/test.h"

#include "models/calibrate.h"

#include "app/base/rng.h"
#include "tests/golden/calibrate.h"

#include <stdlib.h>

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
enum { N = N_OF(golden_score) };

static double sigmoid(double v)
{
    return 1 / (1 + exp(-v));
}

static void test_calibration_fit_platt_as_sklearn(void **state)
{
    struct calibration *c = NULL;
    struct ft_err err;
    assert_ok(
        calibration_fit(CALIBRATION_PLATT, golden_score, golden_y, golden_weight, N, &c, &err),
        err);
    for (double s = -6; s < 6; s += 0.5)
        assert_rel(calibration_apply(c, s), sigmoid(golden_platt_a * s + golden_platt_b), 1e-7);
    calibration_free(c);
}

static void expect_beta(const double *score, const double want[3])
{
    struct calibration *c = NULL;
    struct ft_err err;
    assert_ok(calibration_fit(CALIBRATION_BETA, score, golden_y, golden_weight, N, &c, &err), err);
    for (double s = -6; s < 6; s += 0.5) {
        const double f = -want[0] * log1p(exp(-s)) + want[1] * log1p(exp(s)) + want[2];
        assert_rel(calibration_apply(c, s), sigmoid(f), 1e-6);
    }
    calibration_free(c);
}

static void test_calibration_fit_beta_as_sklearn(void **state)
{
    assert_true(golden_beta[0] > 0 && golden_beta[1] > 0);
    expect_beta(golden_beta_score, golden_beta);
    assert_true(golden_beta_turned[0] == 0 || golden_beta_turned[1] == 0);
    expect_beta(golden_beta_turned_score, golden_beta_turned);
    /* The wrong order, and scores that are all one: flat. */
    const double score[] = {-3, -2, -1, 1, 2}, wrong[] = {1, 1, 0, 0, 0}, one[] = {1, 1, 1, 1, 1};
    struct calibration *c = NULL;
    struct ft_err err;
    assert_ok(calibration_fit(CALIBRATION_BETA, score, wrong, NULL, 5, &c, &err), err);
    assert_close(calibration_apply(c, -INFINITY), calibration_apply(c, INFINITY), 0);
    calibration_free(c);
    assert_ok(calibration_fit(CALIBRATION_BETA, one, wrong, NULL, 5, &c, &err), err);
    assert_close(calibration_apply(c, 1), 0.43, 0.05);
    calibration_free(c);
    /* Perfect order: finite, rising. */
    const double right[] = {0, 0, 0, 1, 1};
    assert_ok(calibration_fit(CALIBRATION_BETA, score, right, NULL, 5, &c, &err), err);
    assert_true(calibration_apply(c, -3) > 0 && calibration_apply(c, -3) < 0.4);
    assert_true(calibration_apply(c, 2) < 1 && calibration_apply(c, 2) > 0.6);
    calibration_free(c);
}

static void test_calibration_fit_isotonic_as_sklearn(void **state)
{
    struct calibration *c = NULL;
    struct ft_err err;
    assert_ok(
        calibration_fit(CALIBRATION_ISOTONIC, golden_score, golden_y, golden_weight, N, &c, &err),
        err);
    const size_t n = N_OF(golden_rate);
    assert_true(n >= 5);
    for (size_t k = 1; k + 1 < n; k++)
        assert_rel(calibration_apply(c, golden_centre[k]), golden_rate[k], 1e-12);
    double before = 0;
    for (double s = -20; s < 20; s += 0.01) {
        const double p = calibration_apply(c, s);
        assert_true(p >= before && p > 0 && p < 1);
        before = p;
    }
    calibration_free(c);
}

static void test_calibration_isotonic_ends_stay_inside(void **state)
{
    /* Perfect order: rates 0 and 1 become (0 + .5) / 3.5 and 2 / 2.5. */
    const double score[] = {-3, -2, -1, 1, 2}, y[] = {0, 0, 0, 1, 1};
    struct calibration *c = NULL;
    struct ft_err err;
    assert_ok(calibration_fit(CALIBRATION_ISOTONIC, score, y, NULL, 5, &c, &err), err);
    assert_rel(calibration_apply(c, -100), 0.5 / 3.5, 1e-14);
    assert_rel(calibration_apply(c, 100), 0.8, 1e-14);
    assert_rel(calibration_apply(c, -0.25), (0.5 / 3.5 + 0.8) / 2, 1e-14);
    calibration_free(c);
    /* The wrong order: one block, 2.5 of 6. */
    const double wrong[] = {1, 1, 0, 0, 0};
    assert_ok(calibration_fit(CALIBRATION_ISOTONIC, score, wrong, NULL, 5, &c, &err), err);
    assert_rel(calibration_apply(c, 0), 2.5 / 6, 1e-14);
    calibration_free(c);
    assert_ok(calibration_fit(CALIBRATION_PLATT, score, wrong, NULL, 5, &c, &err), err);
    assert_rel(calibration_apply(c, -9), calibration_apply(c, 9), 0);
    calibration_free(c);
}

/* Calibrated scores stay as they are, up to noise. */
static void test_calibration_recovers_identity(void **state)
{
    enum { ROWS = 20000 };
    double *score = calloc(ROWS, sizeof(*score)), *y = calloc(ROWS, sizeof(*y));
    struct ft_err err;
    for (size_t i = 0; i < ROWS; i++) {
        score[i] = 2 * rng_normal(4, 1, i) - 1;
        y[i] = rng_uniform(4, 2, i) < sigmoid(score[i]);
    }
    for (int kind = CALIBRATION_NONE; kind <= CALIBRATION_BETA; kind++) {
        struct calibration *c = NULL;
        assert_ok(calibration_fit((enum calibration_kind)kind, score, y, NULL, ROWS, &c, &err),
                  err);
        for (double s = -3; s <= 2; s += 0.25)
            assert_close(calibration_apply(c, s), sigmoid(s), 0.05);
        calibration_free(c);
    }
    free(score);
    free(y);
}

static void test_calibration_fit_refuses(void **state)
{
    const double score[] = {1, 2, NAN}, y[] = {0, 0, 1}, half[] = {0, 0.5, 1};
    struct calibration *c = NULL;
    struct ft_err err;
    assert_int_equal(calibration_fit(CALIBRATION_PLATT, score, y, NULL, 3, &c, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "row 3"));
    assert_int_equal(calibration_fit(CALIBRATION_PLATT, score, y, NULL, 2, &c, &err), FT_TOO_FEW);
    assert_int_equal(calibration_fit(CALIBRATION_PLATT, score, half, NULL, 2, &c, &err),
                     FT_INVALID);
    assert_int_equal(calibration_fit(CALIBRATION_ISOTONIC, score, y, NULL, 0, &c, &err),
                     FT_TOO_FEW);
    assert_null(c);
}

static void test_calibration_write_and_read(void **state)
{
    struct ft_err err;
    for (int kind = CALIBRATION_NONE; kind <= CALIBRATION_BETA; kind++) {
        struct calibration *c = NULL, *again = NULL;
        struct buf b;
        buf_init(&b, 1 << 20);
        assert_ok(
            calibration_fit((enum calibration_kind)kind, golden_score, golden_y, NULL, N, &c, &err),
            err);
        calibration_write(c, &b);
        assert_ok(calibration_read(b.data, b.len, &again, &err), err);
        for (double s = -9; s < 9; s += 0.1)
            assert_close(calibration_apply(again, s), calibration_apply(c, s), 0);
        calibration_free(again);
        for (size_t len = 0; len < b.len; len++)
            assert_int_equal(calibration_read(b.data, len, &again, &err), FT_INVALID);
        calibration_free(c);
        buf_free(&b);
    }
    static const char falling[] = "calibration isotonic\nn 2\nscore 2 0x1p+0 0x1p+1\n"
                                  "probability 2 0x1p-1 0x1p-2\n";
    struct calibration *c = NULL;
    assert_int_equal(calibration_read(falling, strlen(falling), &c, &err), FT_INVALID);
    static const char turned[] = "calibration platt\na -0x1p+0\nb 0x0p+0\n";
    assert_int_equal(calibration_read(turned, strlen(turned), &c, &err), FT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calibration_fit_platt_as_sklearn),
        cmocka_unit_test(test_calibration_fit_beta_as_sklearn),
        cmocka_unit_test(test_calibration_fit_isotonic_as_sklearn),
        cmocka_unit_test(test_calibration_isotonic_ends_stay_inside),
        cmocka_unit_test(test_calibration_recovers_identity),
        cmocka_unit_test(test_calibration_fit_refuses),
        cmocka_unit_test(test_calibration_write_and_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
