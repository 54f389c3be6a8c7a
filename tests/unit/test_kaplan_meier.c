#include "tests/test.h"

#include "models/kaplan_meier.h"

#include "tests/golden/life.h"

#include <stdlib.h>

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
enum { N = N_OF(golden_time) };

static void expect_curve(const double *entry, const double *weight, const double golden[][8],
                         size_t n_golden)
{
    struct kaplan_meier_point *points = NULL;
    size_t n_points = 0;
    struct ft_err err;
    assert_ok(
        kaplan_meier(golden_time, golden_failed, entry, weight, N, 0.95, &points, &n_points, &err),
        err);
    assert_int_equal(n_points, n_golden);
    for (size_t i = 0; i < n_points; i++) {
        const struct kaplan_meier_point *p = &points[i];
        assert_close(p->time, golden[i][0], 0);
        assert_rel(p->n_risk, golden[i][1], 1e-14);
        assert_rel(p->n_failures, golden[i][2], 1e-14);
        assert_rel(p->survival, golden[i][3], 1e-12);
        assert_rel(p->std_error, golden[i][4], 1e-12);
        assert_rel(p->lower, golden[i][5], 1e-10);
        assert_rel(p->upper, golden[i][6], 1e-10);
        assert_rel(p->cumulative_hazard, golden[i][7], 1e-12);
    }
    assert_close(kaplan_meier_survival(points, n_points, points[3].time), points[3].survival, 0);
    assert_close(kaplan_meier_survival(points, n_points, points[3].time - 0.5), points[2].survival,
                 0);
    assert_close(kaplan_meier_survival(points, n_points, 1), 1, 0);
    free(points);
}

static void test_kaplan_meier_as_survfit(void **state)
{
    expect_curve(NULL, golden_weight, golden_km, N_OF(golden_km));
    expect_curve(golden_entry, NULL, golden_km_late, N_OF(golden_km_late));
}

static void test_kaplan_meier_ends_at_zero(void **state)
{
    const double time[] = {3, 1, 2};
    const bool failed[] = {true, true, false};
    struct kaplan_meier_point *points = NULL;
    size_t n_points = 0;
    struct ft_err err;
    assert_ok(kaplan_meier(time, failed, NULL, NULL, 3, 0.9, &points, &n_points, &err), err);
    assert_int_equal(n_points, 2);
    assert_rel(points[0].survival, 2.0 / 3, 1e-15);
    assert_close(points[1].survival, 0, 0);
    assert_true(isnan(points[1].lower) && isnan(points[1].upper));
    assert_close(points[1].std_error, 0, 0);
    assert_rel(points[1].cumulative_hazard, 4.0 / 3, 1e-15);
    free(points);
}

static void test_kaplan_meier_without_failures(void **state)
{
    const double time[] = {3, 1, -2};
    const bool failed[3] = {false};
    struct kaplan_meier_point *points = NULL;
    size_t n_points = 9;
    struct ft_err err;
    assert_ok(kaplan_meier(time, failed, NULL, NULL, 2, 0.9, &points, &n_points, &err), err);
    assert_int_equal(n_points, 0);
    assert_null(points);
    assert_int_equal(kaplan_meier(time, failed, NULL, NULL, 3, 0.9, &points, &n_points, &err),
                     FT_INVALID);
    assert_non_null(strstr(err.msg, "unit 3"));
    assert_int_equal(kaplan_meier(time, failed, NULL, NULL, 2, 1, &points, &n_points, &err),
                     FT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kaplan_meier_as_survfit),
        cmocka_unit_test(test_kaplan_meier_ends_at_zero),
        cmocka_unit_test(test_kaplan_meier_without_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
