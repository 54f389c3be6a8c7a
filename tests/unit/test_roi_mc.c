#include "tests/test.h"

#include "app/roi_mc.h"

#include <stdlib.h>

static double quantile_of_draws(const struct roi_input *in, double q)
{
    enum { N = 20000 };
    size_t below = 0;
    for (size_t i = 0; i < N; i++)
        below += roi_draw(in, -1e12, 1e12, 7, 3, i) <= q;
    return (double)below / N;
}

static void test_roi_draw_triangular_keeps_range(void **state)
{
    const struct roi_input in = {.value = 8400, .low = 3000, .high = 14000, .dist = ROI_TRIANGULAR};
    assert_close(quantile_of_draws(&in, 3000), 0.1, 0.01);
    assert_close(quantile_of_draws(&in, 14000), 0.9, 0.01);
    const struct roi_input one_sided = {.value = 10, .low = 10, .high = 20, .dist = ROI_TRIANGULAR};
    assert_close(quantile_of_draws(&one_sided, 20), 0.9, 0.01);
    assert_close(quantile_of_draws(&one_sided, 9.999), 0, 1e-9);
}

static void test_roi_draw_others_keep_range(void **state)
{
    const struct roi_input log = {.value = 100, .low = 50, .high = 200, .dist = ROI_LOGNORMAL};
    assert_close(quantile_of_draws(&log, 50), 0.1, 0.01);
    assert_close(quantile_of_draws(&log, 200), 0.9, 0.01);
    /* 12 failures in 20 asset-years: Gamma(12.5, 20); 0.1 and 0.9 points from R qgamma. */
    const struct roi_input gamma = {.value = 0.6, .dist = ROI_GAMMA, .a = 12.5, .b = 20};
    assert_close(quantile_of_draws(&gamma, 0.4118352), 0.1, 0.01);
    assert_close(quantile_of_draws(&gamma, 0.8595397), 0.9, 0.01);
    /* 14 of 26 seen: Beta(14.5, 12.5). */
    const struct roi_input beta = {.value = 0.54, .dist = ROI_BETA, .a = 14.5, .b = 12.5};
    assert_close(quantile_of_draws(&beta, 0.537), 0.5, 0.02);
    assert_close(roi_draw(&beta, 0, 0.2, 1, 1, 1), 0.2, 1e-12);
}

static void test_roi_mc_run_same_bits_and_signs(void **state)
{
    struct roi_case c = {.n_years = 3, .ramp = {1, 1, 1}};
    struct roi_input in[ROI_N_FIELDS] = {0};
    double min[ROI_N_FIELDS] = {0};
    double max[ROI_N_FIELDS];
    for (size_t f = 0; f < ROI_N_FIELDS; f++)
        max[f] = 1e12;
    c.v[ROI_LABOUR_SAVING] = 100;
    c.v[ROI_RUN_ADMIN] = 50;
    c.v[ROI_SETUP_SENSORS] = 140;
    in[ROI_LABOUR_SAVING] =
        (struct roi_input){.value = 100, .low = 50, .high = 160, .dist = ROI_TRIANGULAR};
    in[ROI_RUN_ADMIN] =
        (struct roi_input){.value = 50, .low = 40, .high = 60, .dist = ROI_TRIANGULAR};
    struct roi_mc a;
    struct roi_mc b;
    struct ft_err err;
    assert_ok(roi_mc_run(&c, in, min, max, ROI_DRAWS, 1, &a, &err), err);
    assert_ok(roi_mc_run(&c, in, min, max, ROI_DRAWS, 1, &b, &err), err);
    assert_memory_equal(a.npv, b.npv, sizeof(a.npv));
    assert_memory_equal(a.cash, b.cash, sizeof(a.cash));
    assert_true(a.p_npv_positive > 0.4 && a.p_npv_positive < 0.7);
    assert_true(a.spearman[ROI_LABOUR_SAVING] > 0.9);
    assert_true(a.spearman[ROI_RUN_ADMIN] < -0.05);
    assert_true(isnan(a.spearman[ROI_ASSETS]));
    for (size_t i = 1; i < 7; i++)
        assert_true(a.npv[i] >= a.npv[i - 1] && a.payback[i] >= a.payback[i - 1]);
    assert_close(a.cash[0][0], -140, 1e-12);
    assert_int_equal(roi_mc_run(&c, in, min, max, 0, 1, &a, &err), FT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roi_draw_triangular_keeps_range),
        cmocka_unit_test(test_roi_draw_others_keep_range),
        cmocka_unit_test(test_roi_mc_run_same_bits_and_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
