#include "tests/test.h"

#include "models/kijima.h"
#include "models/recurrent.h"

#include "tests/golden/recurrent.h"

#include <stdlib.h>

enum { N = sizeof(rc_time) / sizeof(rc_time[0]), N_KJ = sizeof(kj_time) / sizeof(kj_time[0]) };

static struct recurrent make_golden(void)
{
    struct recurrent r;
    struct ft_err err;
    assert_ok(recurrent_make(rc_time, rc_event, rc_unit, rc_entry, NULL, N, 12, &r, &err), err);
    return r;
}

static void test_recurrent_mcf_as_r(void **state)
{
    enum { WANT = sizeof(rc_mcf) / sizeof(rc_mcf[0]) };
    struct recurrent r = make_golden();
    struct mcf_point *p = NULL;
    size_t n = 0;
    struct ft_err err;
    assert_ok(recurrent_mcf(&r, 0.95, &p, &n, &err), err);
    assert_int_equal(n, WANT);
    for (size_t i = 0; i < n; i++) {
        assert_close(p[i].time, rc_mcf[i][0], 0);
        assert_close(p[i].n_risk, rc_mcf[i][1], 0);
        assert_close(p[i].n_events, rc_mcf[i][2], 0);
        assert_rel(p[i].mean, rc_mcf[i][3], 1e-12);
        assert_close(p[i].std_error, rc_mcf[i][4], 1e-12);
        assert_true(p[i].lower <= p[i].mean && p[i].mean <= p[i].upper);
    }
    free(p);
    recurrent_free(&r);
}

static void test_recurrent_trend_as_r(void **state)
{
    struct recurrent r = make_golden();
    struct trend_test t;
    struct ft_err err;
    assert_ok(recurrent_trend(&r, &t, &err), err);
    assert_rel(t.laplace, rc_laplace[0], 1e-12);
    assert_rel(t.laplace_p, rc_laplace[1], 1e-10);
    assert_true(isnan(t.chi_squared)); /* units seen late */
    recurrent_free(&r);
}

static void test_power_law_fit_as_r(void **state)
{
    struct recurrent r = make_golden();
    struct power_law p;
    struct ft_err err;
    double shape[2], scale[2];
    assert_ok(power_law_fit(&r, &p, &err), err);
    assert_rel(p.shape, rc_power[0], 1e-7);
    assert_rel(p.scale, rc_power[1], 1e-7);
    assert_rel(p.log_likelihood, rc_power[2], 1e-10);
    assert_rel(p.cov[0][0], rc_power[3], 1e-5);
    assert_rel(p.cov[0][1], rc_power[4], 1e-5);
    assert_rel(p.cov[1][1], rc_power[5], 1e-5);
    assert_false(p.has_exact);
    power_law_limits(&p, 0.9, shape, scale);
    assert_true(shape[0] < p.shape && p.shape < shape[1] && scale[0] < p.scale);
    /* Expected events over the observations are those seen. */
    double sum = 0;
    for (size_t u = 0; u < r.n_units; u++)
        sum += power_law_expected(&p, r.units[u].begin, r.units[u].end);
    assert_rel(sum, (double)r.n_events, 1e-9);
    assert_rel(power_law_rate(&p, 300), (power_law_expected(&p, 300, 300.01)) / 0.01, 1e-4);
    recurrent_free(&r);
}

/* NIST/SEMATECH 8.4.5.1: improvement seen in ten failures of one system. */
static void test_power_law_of_one_system(void **state)
{
    static const double time[] = {5, 40, 43, 175, 389, 712, 747, 795, 1299, 1478, 1500};
    static const bool events[] = {true, true, true, true, true, true,
                                  true, true, true, true, false};
    static const size_t unit[11] = {0};
    struct ft_err err;
    for (size_t n = 10; n <= 11; n++) {
        const double *want = n == 10 ? nist_failure : nist_time;
        struct recurrent r;
        struct power_law p;
        struct trend_test t;
        double shape[2], scale[2];
        assert_ok(recurrent_make(time, events, unit, NULL, NULL, n, 1, &r, &err), err);
        assert_int_equal(r.units[0].ends_with_event, n == 10);
        assert_ok(power_law_fit(&r, &p, &err), err);
        assert_rel(p.shape, want[0], 1e-10);
        assert_rel(p.scale, want[1], 1e-9);
        assert_rel(p.unbiased_shape, want[2], 1e-10);
        assert_true(p.has_exact);
        power_law_limits(&p, 0.9, shape, scale);
        assert_rel(shape[0], want[3], 1e-9);
        assert_rel(shape[1], want[4], 1e-9);
        assert_ok(recurrent_trend(&r, &t, &err), err);
        if (n == 10) {
            assert_rel(t.chi_squared, nist_chi[0], 1e-12);
            assert_rel(t.chi_squared_p, nist_chi[1], 1e-8);
        }
        assert_true(t.laplace < 0);
        recurrent_free(&r);
    }
}

static void test_kijima_fit_as_r(void **state)
{
    static const double *const want[] = {kj_1, kj_2};
    struct recurrent r;
    struct ft_err err;
    assert_ok(recurrent_make(kj_time, kj_event, kj_unit, NULL, NULL, N_KJ, 10, &r, &err), err);
    for (int type = 1; type <= 2; type++) {
        const double *w = want[type - 1];
        struct kijima k;
        assert_ok(kijima_fit(&r, type, 0.9, &k, &err), err);
        assert_rel(k.shape, w[0], 1e-5);
        assert_rel(k.scale, w[1], 1e-5);
        assert_close(k.q, w[2], 1e-5);
        assert_rel(k.log_likelihood, w[3], 1e-10);
        assert_rel(k.log_likelihood_new, w[4], 1e-8);
        assert_rel(k.log_likelihood_old, w[5], 1e-8);
        assert_close(k.q_limits[0], w[6], 1e-4);
        assert_close(k.q_limits[1], w[7], 1e-4);
    }
    recurrent_free(&r);
}

/* Dead on arrival: an event at age 0 counts there and hides none of the unit's later events. By
 * hand: of 2 units one fails at 0 (mean 1/2), both at 3 (3/2), one at 7 (2); no power law. */
static void test_recurrent_event_at_age_zero(void **state)
{
    static const double time[] = {0, 3, 7, 10, 3, 10},
                        want[][3] = {{0, 1, 0.5}, {3, 2, 1.5}, {7, 1, 2}};
    static const bool events[] = {true, true, true, false, true, false};
    static const size_t unit[] = {0, 0, 0, 0, 1, 1};
    static const double entry[] = {1, 1, 1, 1, 0, 0};
    struct recurrent r;
    struct mcf_point *p = NULL;
    struct trend_test t;
    struct power_law law;
    size_t n = 0;
    struct ft_err err;
    assert_ok(recurrent_make(time, events, unit, NULL, NULL, 6, 2, &r, &err), err);
    assert_ok(recurrent_mcf(&r, 0.9, &p, &n, &err), err);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++) {
        assert_close(p[i].time, want[i][0], 0);
        assert_close(p[i].n_risk, 2, 0);
        assert_close(p[i].n_events, want[i][1], 0);
        assert_rel(p[i].mean, want[i][2], 1e-15);
    }
    assert_ok(recurrent_trend(&r, &t, &err), err);
    assert_true(isfinite(t.laplace));
    assert_true(isnan(t.chi_squared)); /* log of age 0 */
    assert_int_equal(power_law_fit(&r, &law, &err), FT_INVALID);
    free(p);
    recurrent_free(&r);
    assert_int_equal(recurrent_make(time, events, unit, entry, NULL, 6, 2, &r, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "before the begin"));
}

static void test_recurrent_refuses(void **state)
{
    static const double time[] = {5, 9, 7};
    static const bool events[] = {true, true, false}, none[] = {false, false, false};
    static const size_t unit[] = {0, 0, 0};
    struct recurrent r;
    struct mcf_point *p = NULL;
    struct trend_test t;
    struct power_law law;
    struct kijima k;
    size_t n = 0;
    struct ft_err err;
    assert_int_equal(recurrent_make(time, events, unit, NULL, NULL, 3, 1, &r, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "after the end"));
    assert_ok(recurrent_make(time, none, unit, NULL, NULL, 3, 1, &r, &err), err);
    assert_int_equal(recurrent_mcf(&r, 0.9, &p, &n, &err), FT_TOO_FEW);
    assert_int_equal(recurrent_trend(&r, &t, &err), FT_TOO_FEW);
    assert_int_equal(power_law_fit(&r, &law, &err), FT_TOO_FEW);
    assert_int_equal(kijima_fit(&r, 1, 0.9, &k, &err), FT_TOO_FEW);
    assert_int_equal(kijima_fit(&r, 3, 0.9, &k, &err), FT_INVALID);
    recurrent_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recurrent_mcf_as_r),
        cmocka_unit_test(test_recurrent_trend_as_r),
        cmocka_unit_test(test_power_law_fit_as_r),
        cmocka_unit_test(test_power_law_of_one_system),
        cmocka_unit_test(test_kijima_fit_as_r),
        cmocka_unit_test(test_recurrent_event_at_age_zero),
        cmocka_unit_test(test_recurrent_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
