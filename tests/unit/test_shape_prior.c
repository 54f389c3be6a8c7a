#include "tests/test.h"

#include "models/shape_prior.h"

#include "tests/golden/life_modes.h"

#include <stdlib.h>

enum { N = sizeof(sp_time) / sizeof(sp_time[0]), DRAWS = 4000 };
static const struct life_data data = {sp_time, sp_failed, sp_entry, NULL, N, NULL};
static const struct shape_prior prior = {2, 0.35};

static void test_shape_posterior_as_r(void **state)
{
    struct shape_posterior p;
    struct ft_err err;
    assert_ok(shape_posterior_fit(&data, &prior, 0.9, &p, &err), err);
    assert_rel(p.shape, sp_want[0], 1e-4);
    assert_rel(p.shape_limits[0], sp_want[1], 1e-4);
    assert_rel(p.shape_limits[1], sp_want[2], 2e-4);
    assert_rel(p.scale, sp_want[3], 1e-4);
    assert_rel(p.scale_limits[0], sp_want[4], 1e-4);
    assert_rel(p.scale_limits[1], sp_want[5], 1e-4);
    assert_close(p.rises, sp_want[6], 0.005);
}

static int compare(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* Draws have the posterior's quantiles. */
static void test_shape_posterior_draw(void **state)
{
    static double shape[DRAWS], scale[DRAWS];
    struct shape_posterior p;
    struct ft_err err;
    assert_ok(shape_posterior_fit(&data, &prior, 0.9, &p, &err), err);
    for (uint64_t i = 0; i < DRAWS; i++)
        shape_posterior_draw(&p, 3, i, &shape[i], &scale[i]);
    qsort(shape, DRAWS, sizeof(double), compare);
    qsort(scale, DRAWS, sizeof(double), compare);
    assert_rel(shape[DRAWS / 2], p.shape, 0.03);
    assert_rel(scale[DRAWS / 2], p.scale, 0.03);
    assert_rel(shape[DRAWS / 20], p.shape_limits[0], 0.05);
    assert_rel(scale[DRAWS * 19 / 20], p.scale_limits[1], 0.08);
}

/* A narrow prior gives the shape back; many failures make it forget a vague one. */
static void test_shape_posterior_extremes(void **state)
{
    struct shape_posterior p;
    struct ft_err err;
    assert_ok(shape_posterior_fit(&data, &(struct shape_prior){1.5, 0.002}, 0.9, &p, &err), err);
    assert_rel(p.shape, 1.5, 0.002);
    static const bool none[N] = {false};
    const struct life_data quiet = {sp_time, none, NULL, NULL, N, NULL};
    assert_int_equal(shape_posterior_fit(&quiet, &prior, 0.9, &p, &err), FT_TOO_FEW);
    assert_int_equal(shape_posterior_fit(&data, &(struct shape_prior){0, 1}, 0.9, &p, &err),
                     FT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape_posterior_as_r),
        cmocka_unit_test(test_shape_posterior_draw),
        cmocka_unit_test(test_shape_posterior_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
