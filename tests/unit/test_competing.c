#include "tests/test.h"

#include "models/competing.h"
#include "models/kaplan_meier.h"

#include "tests/golden/life_modes.h"

#include <stdlib.h>

enum { N = sizeof(cm_time) / sizeof(cm_time[0]) };

static void expect_curve(const double *entry, size_t mode, const double (*want)[4], size_t n_want)
{
    const struct life_data data = {cm_time, cm_failed, entry, NULL, N, NULL};
    struct incidence_point *p = NULL;
    size_t n = 0;
    struct ft_err err;
    assert_ok(competing_incidence(&data, cm_mode, mode, 0.95, &p, &n, &err), err);
    assert_int_equal(n, n_want);
    for (size_t i = 0; i < n; i++) {
        assert_close(p[i].time, want[i][0], 0);
        assert_close(p[i].n_failures, want[i][1], 0);
        assert_rel(p[i].incidence, want[i][2], 1e-12);
        assert_rel(p[i].std_error, want[i][3], 1e-9);
        assert_true(p[i].lower < p[i].incidence && p[i].incidence < p[i].upper);
    }
    free(p);
}

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void test_competing_incidence_as_r(void **state)
{
    expect_curve(NULL, 1, cm_1, COUNT_OF(cm_1));
    expect_curve(NULL, 2, cm_2, COUNT_OF(cm_2));
    expect_curve(cm_entry, 1, cm_1_late, COUNT_OF(cm_1_late));
    expect_curve(cm_entry, 2, cm_2_late, COUNT_OF(cm_2_late));
}

/* The shares of all modes and of the survivors are one. */
static void test_competing_incidence_sums_to_one(void **state)
{
    const struct life_data data = {cm_time, cm_failed, NULL, NULL, N, NULL};
    struct kaplan_meier_point *k = NULL;
    double share = 0;
    size_t n = 0, n_curve = 0;
    struct ft_err err;
    for (size_t mode = 1; mode <= 2; mode++) {
        struct incidence_point *p = NULL;
        assert_ok(competing_incidence(&data, cm_mode, mode, 0.95, &p, &n, &err), err);
        share += p[n - 1].incidence;
        free(p);
    }
    assert_ok(kaplan_meier(cm_time, cm_failed, NULL, NULL, N, 0.9, &k, &n_curve, &err), err);
    assert_close(share + k[n_curve - 1].survival, 1, 1e-12);
    free(k);
}

static void test_competing_incidence_refuses(void **state)
{
    static const double lower[] = {1, 2}, upper[] = {3, 0};
    static const bool failed[] = {true, true};
    static const size_t mode[] = {0, 0};
    const struct life_data data = {lower, failed, NULL, NULL, 2, upper};
    struct incidence_point *p = NULL;
    size_t n = 0;
    struct ft_err err;
    assert_int_equal(competing_incidence(&data, mode, 0, 0.9, &p, &n, &err), FT_INVALID);
    assert_null(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_competing_incidence_as_r),
        cmocka_unit_test(test_competing_incidence_sums_to_one),
        cmocka_unit_test(test_competing_incidence_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
