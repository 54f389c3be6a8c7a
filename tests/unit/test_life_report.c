#include "tests/test.h"

#include "app/life_report.h"

#include "app/base/rng.h"

#include <stdlib.h>

enum { N = 60 };

static double time_of[N], count[N];
static bool failed[N];

/* Weibull lives of this shape and scale 100, watched until 120. */
static struct life_table make_table(double shape)
{
    const struct weibull w = {.shape = shape, .scale = 100};
    for (size_t i = 0; i < N; i++) {
        const double life = weibull_quantile(&w, rng_uniform(12, 1, i));
        time_of[i] = fmin(life, 120);
        failed[i] = life <= 120;
        count[i] = 1;
    }
    struct life_table t = {.n = N, .time = time_of, .failed = failed, .count = count};
    (void)snprintf(t.time_column, sizeof(t.time_column), "hours");
    (void)snprintf(t.event_column, sizeof(t.event_column), "event");
    return t;
}

static const struct life_request weibull_costs = {.distribution = LIFE_WEIBULL,
                                                  .confidence = 0.95,
                                                  .has_costs = true,
                                                  .cost_planned = 1,
                                                  .cost_failure = 5};

static bool has_warning(const struct life_report *r, const char *text)
{
    for (size_t i = 0; i < r->n_warnings; i++)
        if (strstr(r->warnings[i], text) != NULL)
            return true;
    return false;
}

static void test_life_report_replaces_what_wears(void **state)
{
    const struct life_table t = make_table(3);
    struct life_report r;
    struct ft_err err;
    assert_ok(life_report_make(&t, &weibull_costs, &r, &err), err);
    assert_int_equal(r.verdict, LIFE_REPLACE_AT);
    const struct weibull w = {.shape = r.fit.first, .scale = r.fit.scale};
    const struct age_replacement want = weibull_age_replacement(&w, 1, 5);
    assert_rel(r.replacement.interval, want.interval, 1e-7);
    assert_rel(r.run_to_failure_rate, 5 / weibull_mean(&w), 1e-9);
    assert_true(r.has_profile && r.profile_first[0] < r.fit.first);
    assert_true(r.n_curve > 10);
    assert_int_equal(r.n_warnings, 0);
    life_report_free(&r);
}

static void test_life_report_runs_to_failure(void **state)
{
    struct life_table t = make_table(0.7);
    struct life_report r;
    struct ft_err err;
    assert_ok(life_report_make(&t, &weibull_costs, &r, &err), err);
    assert_int_equal(r.verdict, LIFE_RUN_TO_FAILURE);
    assert_non_null(strstr(r.reason, "does not rise"));
    assert_close(r.replacement.saving_frac, 0, 0);
    life_report_free(&r);
    /* The two costs the wrong way round are never swapped. */
    t = make_table(3);
    struct life_request swapped = weibull_costs;
    swapped.cost_planned = 5;
    swapped.cost_failure = 1;
    assert_ok(life_report_make(&t, &swapped, &r, &err), err);
    assert_int_equal(r.verdict, LIFE_RUN_TO_FAILURE);
    assert_true(has_warning(&r, "swapped"));
    life_report_free(&r);
    struct life_request free_of_cost = weibull_costs;
    free_of_cost.has_costs = false;
    assert_ok(life_report_make(&t, &free_of_cost, &r, &err), err);
    assert_int_equal(r.verdict, LIFE_UNDECIDED);
    assert_true(isnan(r.replacement.saving_frac));
    life_report_free(&r);
}

static void test_life_report_best_has_the_least_aic(void **state)
{
    const struct life_table t = make_table(3);
    struct life_request q = weibull_costs;
    struct life_report r;
    struct ft_err err;
    q.is_best = true;
    assert_ok(life_report_make(&t, &q, &r, &err), err);
    assert_int_equal(r.n_candidates, N_LIFE_DISTRIBUTIONS);
    for (size_t i = 0; i < r.n_candidates; i++)
        assert_true(r.candidates[i].fit.aic >= r.fit.aic ||
                    life_mass_below_zero(&r.candidates[i].fit) > 0.01);
    assert_true(r.fit.distribution != LIFE_EXPONENTIAL);
    life_report_free(&r);
}

static void test_life_report_weibayes(void **state)
{
    struct life_table t = make_table(3);
    struct life_request q = weibull_costs;
    struct life_report r;
    struct ft_err err;
    for (size_t i = 0; i < N; i++)
        failed[i] = i == 0;
    assert_int_equal(life_report_make(&t, &q, &r, &err), FT_TOO_FEW);
    assert_non_null(strstr(err.msg, "Weibayes"));
    assert_null(r.curve);
    q.shape = 2;
    assert_ok(life_report_make(&t, &q, &r, &err), err);
    assert_close(r.fit.first, 2, 0);
    assert_true(r.fit.is_shape_fixed && has_warning(&r, "given"));
    const double one = r.fit.scale;
    life_report_free(&r);
    failed[0] = false;
    assert_ok(life_report_make(&t, &q, &r, &err), err);
    assert_rel(r.fit.scale, one * sqrt(2), 1e-12); /* half a failure */
    assert_true(has_warning(&r, "lower bound"));
    assert_int_equal(r.n_curve, 0);
    life_report_free(&r);
}

static void test_life_report_warns(void **state)
{
    struct life_table t = make_table(1.15);
    struct life_report r;
    struct ft_err err;
    size_t n_failed = 0;
    for (size_t i = 0; i < N; i++) {
        failed[i] = failed[i] && n_failed < 4;
        n_failed += failed[i];
        time_of[i] = failed[i] ? time_of[i] : 120;
    }
    t.event_column[0] = '\0';
    assert_ok(life_report_make(&t, &weibull_costs, &r, &err), err);
    assert_true(has_warning(&r, "only 4 failures"));
    assert_true(has_warning(&r, "no column tells"));
    life_report_free(&r);
}

static void test_life_report_json_has_the_contract(void **state)
{
    const struct life_table t = make_table(3);
    static const char *const keys[] = {
        "n",       "failures", "censored",       "distribution",     "shape",     "scale",
        "ci",      "aic",      "log_likelihood", "optimal_interval", "cost_rate", "saving_frac",
        "verdict", "warnings", "kaplan_meier",   "candidates"};
    struct life_report r;
    struct ft_err err;
    assert_ok(life_report_make(&t, &weibull_costs, &r, &err), err);
    cJSON *out = cJSON_CreateObject();
    life_report_json(&r, &t, out);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (json_get(out, keys[i]) == NULL)
            fail_msg("no %s", keys[i]);
    const char *verdict = NULL;
    double n = 0;
    assert_ok(json_string(out, "verdict", true, &verdict, &err), err);
    assert_string_equal(verdict, "replace_at");
    assert_ok(json_number(out, "n", true, &n, &err), err);
    assert_close(n, N, 0);
    cJSON_Delete(out);
    life_report_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life_report_replaces_what_wears),
        cmocka_unit_test(test_life_report_runs_to_failure),
        cmocka_unit_test(test_life_report_best_has_the_least_aic),
        cmocka_unit_test(test_life_report_weibayes),
        cmocka_unit_test(test_life_report_warns),
        cmocka_unit_test(test_life_report_json_has_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
