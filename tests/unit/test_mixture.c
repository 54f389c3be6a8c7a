#include "tests/test.h"

#include "models/mixture.h"

#include "tests/golden/life_modes.h"

enum { N = sizeof(mx_time) / sizeof(mx_time[0]) };

static void test_mixture_fit_as_r(void **state)
{
    const struct life_data data = {mx_time, mx_failed, NULL, NULL, N, NULL};
    struct mixture m;
    struct ft_err err;
    assert_ok(mixture_fit(&data, 0.9, &m, &err), err);
    assert_rel(m.share, mx_fit[0], 1e-4);
    assert_rel(m.shape[0], mx_fit[1], 1e-4);
    assert_rel(m.shape[1], mx_fit[2], 1e-4);
    assert_rel(m.scale[0], mx_fit[3], 1e-4);
    assert_rel(m.scale[1], mx_fit[4], 1e-4);
    assert_rel(m.log_likelihood, mx_fit[5], 1e-8);
    assert_rel(m.single_bic, mx_fit[6], 1e-8);
    for (int side = 0; side < 2; side++) {
        assert_rel(m.share_limits[side], mx_share_limits[side], 1e-3);
        assert_rel(m.shape_limits[1][side], mx_shape2_limits[side], 1e-3);
    }
    assert_true(m.bic < m.single_bic);
    assert_close(mixture_survival(&m, 0), 1, 0);
    assert_close(mixture_survival(&m, 1e5), 0, 1e-12);
}

static void test_mixture_fit_refuses(void **state)
{
    static const double time[] = {1, 2, 3, 4, 5, 6, 7};
    static const bool failed[] = {true, true, true, true, true, true, true};
    static const double entry[] = {0.5, 0, 0, 0, 0, 0, 0};
    struct mixture m;
    struct ft_err err;
    assert_int_equal(
        mixture_fit(&(struct life_data){time, failed, NULL, NULL, 7, NULL}, 0.9, &m, &err),
        FT_TOO_FEW);
    assert_int_equal(
        mixture_fit(&(struct life_data){time, failed, entry, NULL, 7, NULL}, 0.9, &m, &err),
        FT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mixture_fit_as_r),
        cmocka_unit_test(test_mixture_fit_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
