#include "tests/test.h"

#include "models/optim.h"

/* Rosenbrock's valley: not convex, minimum 0 at (1, 1). */
static double rosenbrock(void *ctx, const double *at, double *gradient, double *hessian)
{
    const double x = at[0], y = at[1], d = y - x * x;
    if (gradient != NULL) {
        gradient[0] = -400 * x * d - 2 * (1 - x);
        gradient[1] = 200 * d;
        hessian[0] = 1200 * x * x - 400 * y + 2;
        hessian[2] = -400 * x;
        hessian[3] = 200;
    }
    (*(int *)ctx)++;
    return 100 * d * d + (1 - x) * (1 - x);
}

static void test_optim_newton_climbs_out_of_a_valley(void **state)
{
    int n_calls = 0;
    double at[2] = {-1.2, 1}, factor[4];
    struct optim_result r;
    struct ft_err err;
    const struct optim_problem p = {
        .n = 2, .evaluate = rosenbrock, .ctx = &n_calls, .scale = 1, .is_convex = false};
    assert_ok(optim_newton(&p, at, factor, &r, &err), err);
    assert_close(at[0], 1, 1e-10);
    assert_close(at[1], 1, 1e-10);
    assert_false(r.runs_away);
    assert_true(n_calls < 300);
    /* The start lies where the hessian is not definite; a convex problem says so. */
    double bent[2] = {0, 5};
    struct optim_problem convex = p;
    convex.is_convex = true;
    assert_int_equal(optim_newton(&convex, bent, factor, &r, &err), FT_INVALID);
    assert_ok(optim_newton(&p, bent, factor, &r, &err), err);
    assert_close(bent[0], 1, 1e-10);
}

/* exp(-x): the infimum is at infinity. */
static double falling(void *ctx, const double *at, double *gradient, double *hessian)
{
    if (gradient != NULL) {
        gradient[0] = -exp(-at[0]);
        hessian[0] = exp(-at[0]);
    }
    return exp(-at[0]);
}

static void test_optim_newton_sees_an_optimum_at_infinity(void **state)
{
    double at = 0, factor = 0;
    struct optim_result r;
    struct ft_err err;
    const struct optim_problem p = {.n = 1, .evaluate = falling, .scale = 1, .is_convex = true};
    assert_ok(optim_newton(&p, &at, &factor, &r, &err), err);
    assert_true(r.runs_away);
}

/* x - log x with its wall at 0; a bad start needs the step halved. */
static double walled(void *ctx, const double *at, double *gradient, double *hessian)
{
    if (!(at[0] > 0))
        return INFINITY;
    if (gradient != NULL) {
        gradient[0] = 1 - 1 / at[0];
        hessian[0] = 1 / (at[0] * at[0]);
    }
    return at[0] - log(at[0]);
}

static void test_optim_newton_stays_inside(void **state)
{
    double at = 50, factor = 0;
    struct optim_result r;
    struct ft_err err;
    const struct optim_problem p = {.n = 1, .evaluate = walled, .scale = 1, .is_convex = true};
    assert_ok(optim_newton(&p, &at, &factor, &r, &err), err);
    assert_rel(at, 1.0, 1e-14);
    assert_rel(factor, 1.0, 1e-12);
    at = -1;
    assert_int_equal(optim_newton(&p, &at, &factor, &r, &err), FT_INTERNAL);
}

struct hill {
    double peak;
    int n_calls;
};

static double hill(void *ctx, double x)
{
    struct hill *h = ctx;
    h->n_calls++;
    return -cosh(x - h->peak);
}

static double step_hill(void *ctx, double x)
{
    return x < *(const double *)ctx ? -INFINITY : -x;
}

/* Inside and at either end; few calls for a smooth hill; a wall of -inf beside the peak. */
static void test_optim_maximum(void **state)
{
    double value = 0;
    for (double peak = -1; peak <= 11; peak += 0.75) {
        struct hill h = {peak, 0};
        const double at = optim_maximum(hill, &h, 0, 10, 1e-7, &value);
        assert_close(at, fmin(fmax(peak, 0), 10), 1e-6);
        assert_close(value, -cosh(at - peak), 0);
        assert_true(h.n_calls <= 60);
    }
    double wall = 2;
    assert_close(optim_maximum(step_hill, &wall, 0, 10, 1e-6, &value), 2, 1e-4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_optim_newton_climbs_out_of_a_valley),
        cmocka_unit_test(test_optim_newton_sees_an_optimum_at_infinity),
        cmocka_unit_test(test_optim_newton_stays_inside),
        cmocka_unit_test(test_optim_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
