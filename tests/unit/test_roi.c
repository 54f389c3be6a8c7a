#include "tests/test.h"

#include "app/roi.h"

/* The worked case that every figure below was computed from by hand. */
static struct roi_case golden(void)
{
    struct roi_case c = {.n_years = 5, .ramp = {0.3, 0.8, 1, 1, 1}};
    c.v[ROI_ASSETS] = 40;
    c.v[ROI_FAILURE_RATE] = 0.6;
    c.v[ROI_HOURS_UNPLANNED] = 6;
    c.v[ROI_HOURS_PLANNED] = 1.5;
    c.v[ROI_COST_PER_HOUR] = 4000;
    c.v[ROI_REPAIR_UNPLANNED] = 9000;
    c.v[ROI_REPAIR_PLANNED] = 3500;
    c.v[ROI_PREDICTABLE] = 0.6;
    c.v[ROI_RECALL] = 0.525;
    c.v[ROI_ACTED] = 0.9;
    c.v[ROI_FALSE_ALARMS] = 48;
    c.v[ROI_INSPECTION_COST] = 450;
    c.v[ROI_PM_EVENTS] = 36;
    c.v[ROI_PM_COST] = 500;
    c.v[ROI_PM_DROP_SHARE] = 1;
    c.v[ROI_SETUP_SENSORS] = 120000;
    c.v[ROI_RUN_SUPPORT] = 60000;
    c.v[ROI_DISCOUNT_RATE] = 0.1;
    return c;
}

static void test_roi_compute_golden(void **state)
{
    const struct roi_case c = golden();
    struct roi_result r;
    roi_compute(&c, &r);
    const double flows[] = {-120000, -13111.80, 65035.20, 96294, 96294, 96294};
    for (size_t t = 0; t <= 5; t++)
        assert_close(r.flows[t], flows[t], 0.005);
    assert_close(r.failures, 24, 1e-9);
    assert_close(r.caught, 6.804, 1e-9);
    assert_close(r.cost_failure - r.cost_planned, 23500, 1e-9);
    assert_close(r.npv, 119736.48, 0.005);
    assert_close(r.irr, 0.33553, 0.000005);
    assert_int_equal(r.n_irr, 1);
    assert_int_equal(r.n_sign_changes, 1);
    assert_close(r.payback_years, 2.707, 0.0005);
    assert_close(r.bcr, 1.34462, 0.000005);
    assert_close(r.roi_frac, 0.52573, 0.000005);
    assert_close(r.p_star, 0.018789, 0.0000005);
    assert_close(roi_npv(&c), r.npv, 1e-9);
    assert_true(r.discounted_payback_years > r.payback_years);
    assert_true(isnan(r.availability_gain));
    assert_true(r.mirr > 0.1 && r.mirr < r.irr);
}

static void test_roi_compute_no_return(void **state)
{
    struct roi_case c = golden();
    struct roi_result r;
    c.v[ROI_FAILURE_RATE] = 0;
    roi_compute(&c, &r);
    assert_true(isnan(r.irr));
    assert_int_equal(r.n_sign_changes, 0);
    assert_true(isnan(r.payback_years));
    assert_true(r.npv < 0);
}

static void test_roi_compute_irr_several(void **state)
{
    /* The ramp may be anything, so flows -1000, +2500, -1540 can be made: two rates, 10 % and
     * 40 %. Benefit 1 per unit of ramp, running 0. */
    struct roi_case c = {.n_years = 2, .ramp = {2500, -1540}};
    struct roi_result r;
    c.v[ROI_SETUP_SENSORS] = 1000;
    c.v[ROI_LABOUR_SAVING] = 1;
    roi_compute(&c, &r);
    assert_int_equal(r.n_sign_changes, 2);
    assert_int_equal(r.n_irr, 2);
    assert_true(isnan(r.irr));
    assert_close(r.payback_years, 0.4, 1e-12);
}

static void test_roi_compute_tax_and_inflation(void **state)
{
    struct roi_case c = golden();
    struct roi_result r;
    c.v[ROI_INFLATION] = 0.02;
    roi_compute(&c, &r);
    assert_close(r.flows[3], 96294 * 1.02 * 1.02, 1e-6);
    c.v[ROI_INFLATION] = 0;
    c.v[ROI_TAX_RATE] = 0.25;
    roi_compute(&c, &r);
    /* Depreciation 24,000 a year: tax only on what is above it. */
    assert_close(r.flows[1], -13111.80, 0.005);
    assert_close(r.flows[3], 96294 - 0.25 * (96294 - 24000), 1e-6);
}

static void test_roi_break_even_zero_npv(void **state)
{
    struct roi_case c = golden();
    const double recall = roi_break_even(&c, ROI_RECALL, 0, 1);
    assert_true(recall > 0.3 && recall < 0.525);
    c.v[ROI_RECALL] = recall;
    assert_close(roi_npv(&c), 0, 1e-4);
    assert_true(isnan(roi_break_even(&c, ROI_RECALL, 0, 0.1)));
}

static void test_roi_alarm_set_value_counts_both(void **state)
{
    assert_close(roi_alarm_set_value(7, 48, 33000, 9500, 450, 60000),
                 7 * 23500.0 - 48 * 450 - 60000, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roi_compute_golden),
        cmocka_unit_test(test_roi_compute_no_return),
        cmocka_unit_test(test_roi_compute_irr_several),
        cmocka_unit_test(test_roi_compute_tax_and_inflation),
        cmocka_unit_test(test_roi_break_even_zero_npv),
        cmocka_unit_test(test_roi_alarm_set_value_counts_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
