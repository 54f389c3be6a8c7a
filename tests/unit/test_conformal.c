#include "tests/test.h"

#include "models/calibrate.h"

#include "app/base/rng.h"

#include <stdlib.h>

static void test_conformal_fit_takes_the_right_rank(void **state)
{
    /* Residuals 1..19 at coverage 0.9: ranks 1 and 19 ((19 + 1) * 0.95 = 19). */
    double prediction[19], truth[19], lower = 0, upper = 0;
    struct conformal *c = NULL;
    struct ft_err err;
    for (size_t i = 0; i < 19; i++) {
        prediction[i] = 100;
        truth[i] = 101 + (double)((i * 7) % 19);
    }
    assert_ok(conformal_fit(prediction, truth, NULL, 19, 4, 0.9, &c, &err), err);
    conformal_interval(c, 50, &lower, &upper);
    assert_close(lower, 51, 0);
    assert_close(upper, 69, 0);
    assert_close(conformal_coverage(c), 0.9, 0);
    conformal_free(c);
    assert_int_equal(conformal_fit(prediction, truth, NULL, 18, 4, 0.9, &c, &err), FT_TOO_FEW);
    assert_non_null(strstr(err.msg, "needs 19"));
    assert_null(c);
    /* At 0.5 the ranks are 5 and 15. */
    assert_ok(conformal_fit(prediction, truth, NULL, 19, 4, 0.5, &c, &err), err);
    conformal_interval(c, 0, &lower, &upper);
    assert_close(lower, 5, 0);
    assert_close(upper, 15, 0);
    conformal_free(c);
}

/* Fresh rows of the same law fall inside about as often as stated, in each bin. */
static void test_conformal_coverage_holds(void **state)
{
    enum { ROWS = 3000 };
    double *prediction = calloc(ROWS, sizeof(double)), *truth = calloc(ROWS, sizeof(double));
    struct conformal *c = NULL;
    struct ft_err err;
    size_t held[2] = {0, 0}, seen[2] = {0, 0};
    for (uint64_t part = 0; part < 2; part++) {
        for (size_t i = 0; i < ROWS; i++) {
            prediction[i] = 100 * rng_uniform(part, 1, i);
            truth[i] = prediction[i] + (1 + 0.2 * prediction[i]) * rng_normal(part, 2, i);
        }
        if (part == 0)
            assert_ok(conformal_fit(prediction, truth, NULL, ROWS, 10, 0.9, &c, &err), err);
    }
    for (size_t i = 0; i < ROWS; i++) {
        double lower = 0, upper = 0;
        conformal_interval(c, prediction[i], &lower, &upper);
        seen[prediction[i] > 50]++;
        held[prediction[i] > 50] += lower <= truth[i] && truth[i] <= upper;
    }
    for (size_t k = 0; k < 2; k++)
        assert_close((double)held[k] / (double)seen[k], 0.9, 0.025);
    conformal_free(c);
    free(prediction);
    free(truth);
}

/* One unit with a thousand wild rows must not widen the band of thirty quiet units of one row. */
static void test_conformal_units_count_once(void **state)
{
    enum { QUIET = 60, WILD = 1000, ROWS = QUIET + WILD };
    static double prediction[ROWS], truth[ROWS];
    static size_t group[ROWS];
    struct conformal *c = NULL;
    struct ft_err err;
    double lower = 0, upper = 0;
    for (size_t i = 0; i < ROWS; i++) {
        group[i] = i < QUIET ? i : QUIET;
        truth[i] = i < QUIET ? rng_uniform(1, 1, i) : 50;
    }
    assert_ok(conformal_fit(prediction, truth, group, ROWS, 1, 0.9, &c, &err), err);
    conformal_interval(c, 0, &lower, &upper);
    assert_true(upper <= 1 && lower >= 0);
    conformal_free(c);
    assert_ok(conformal_fit(prediction, truth, NULL, ROWS, 1, 0.9, &c, &err), err);
    conformal_interval(c, 0, &lower, &upper);
    assert_close(upper, 50, 0);
    conformal_free(c);
    /* Many rows of few units carry no 90 % band. */
    for (size_t i = 0; i < ROWS; i++)
        group[i] = i % 15;
    assert_int_equal(conformal_fit(prediction, truth, group, ROWS, 8, 0.9, &c, &err), FT_TOO_FEW);
}

static void test_conformal_fit_refuses(void **state)
{
    const double a[] = {1, 2}, b[] = {1, INFINITY};
    struct conformal *c = NULL;
    struct ft_err err;
    assert_int_equal(conformal_fit(a, b, NULL, 2, 1, 0.1, &c, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "row 2"));
    assert_int_equal(conformal_fit(a, a, NULL, 2, 1, 1, &c, &err), FT_INVALID);
    assert_int_equal(conformal_fit(a, a, NULL, 2, 0, 0.5, &c, &err), FT_INVALID);
    assert_int_equal(conformal_fit(a, a, NULL, 0, 1, 0.5, &c, &err), FT_TOO_FEW);
}

static void test_conformal_write_and_read(void **state)
{
    enum { ROWS = 400 };
    static double prediction[ROWS], truth[ROWS];
    struct conformal *c = NULL, *again = NULL;
    struct ft_err err;
    struct buf b;
    for (size_t i = 0; i < ROWS; i++) {
        prediction[i] = (double)rng_below(5, 1, i, 40); /* many ties */
        truth[i] = prediction[i] * rng_uniform(5, 2, i);
    }
    buf_init(&b, 1 << 16);
    assert_ok(conformal_fit(prediction, truth, NULL, ROWS, 6, 0.8, &c, &err), err);
    conformal_write(c, &b);
    assert_ok(conformal_read(b.data, b.len, &again, &err), err);
    for (double p = -5; p < 50; p += 0.5) {
        double want[2], got[2];
        conformal_interval(c, p, &want[0], &want[1]);
        conformal_interval(again, p, &got[0], &got[1]);
        assert_close(got[0], want[0], 0);
        assert_close(got[1], want[1], 0);
    }
    conformal_free(again);
    for (size_t len = 0; len < b.len; len++)
        assert_int_equal(conformal_read(b.data, len, &again, &err), FT_INVALID);
    conformal_free(c);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conformal_fit_takes_the_right_rank),
        cmocka_unit_test(test_conformal_coverage_holds),
        cmocka_unit_test(test_conformal_units_count_once),
        cmocka_unit_test(test_conformal_fit_refuses),
        cmocka_unit_test(test_conformal_write_and_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
