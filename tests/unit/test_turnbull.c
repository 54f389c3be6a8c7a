#include "tests/test.h"

#include "models/kaplan_meier.h"
#include "models/turnbull.h"

#include "tests/golden/life_interval.h"

#include <stdlib.h>

enum {
    N = sizeof(iv_lower) / sizeof(iv_lower[0]),
    WANT = sizeof(iv_turnbull) / sizeof(iv_turnbull[0])
};

static void test_turnbull_as_r(void **state)
{
    const struct life_data data = {iv_lower, iv_failed, NULL, iv_weight, N, iv_upper};
    struct turnbull_point *p = NULL;
    struct turnbull_result r;
    size_t n = 0;
    struct ft_err err;
    assert_ok(turnbull(&data, &p, &n, &r, &err), err);
    assert_true(r.is_converged);
    assert_int_equal(n, WANT);
    for (size_t i = 0; i < n; i++) {
        assert_close(p[i].lower, iv_turnbull[i][0], 0);
        assert_true(p[i].upper == iv_turnbull[i][1]);
        assert_close(p[i].probability, iv_turnbull[i][2], 1e-5);
    }
    assert_close(p[n - 1].survival, 0, 0);
    free(p);
}

/* Without intervals it is Kaplan-Meier. */
static void test_turnbull_is_kaplan_meier_without_intervals(void **state)
{
    const double time[] = {3, 5, 5, 8, 9, 12, 12};
    const bool failed[] = {true, true, false, true, false, true, false};
    const struct life_data data = {time, failed, NULL, NULL, 7, NULL};
    struct turnbull_point *p = NULL;
    struct kaplan_meier_point *k = NULL;
    struct turnbull_result r;
    size_t n = 0, n_curve = 0;
    struct ft_err err;
    assert_ok(turnbull(&data, &p, &n, &r, &err), err);
    assert_ok(kaplan_meier(time, failed, NULL, NULL, 7, 0.9, &k, &n_curve, &err), err);
    assert_int_equal(n, n_curve + 1); /* and what outlives all */
    for (size_t i = 0; i < n_curve; i++) {
        assert_close(p[i].upper, k[i].time, 0);
        assert_close(p[i].survival, k[i].survival, 1e-6);
    }
    free(p);
    free(k);
}

static void test_turnbull_refuses(void **state)
{
    const double time[] = {3, 5}, entry[] = {0, 1};
    const bool failed[] = {true, true};
    struct turnbull_point *p = NULL;
    struct turnbull_result r;
    size_t n = 0;
    struct ft_err err;
    assert_int_equal(
        turnbull(&(struct life_data){time, failed, entry, NULL, 2, NULL}, &p, &n, &r, &err),
        FT_INVALID);
    assert_null(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turnbull_as_r),
        cmocka_unit_test(test_turnbull_is_kaplan_meier_without_intervals),
        cmocka_unit_test(test_turnbull_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
