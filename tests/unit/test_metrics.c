#include "tests/test.h"

#include "models/metrics.h"

#include "app/base/rng.h"
#include "tests/golden/concordance.h"
#include "tests/golden/metrics.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
enum { N = N_OF(golden_p) };

static void test_metric_scores_as_sklearn(void **state)
{
    const double *p = golden_p, *y = golden_y, *w = golden_w;
    assert_rel(metric_roc_auc(p, y, NULL, N), golden_roc_auc, 1e-13);
    assert_rel(metric_roc_auc(p, y, w, N), golden_roc_auc_weighted, 1e-13);
    assert_rel(metric_pr_auc(p, y, NULL, N), golden_pr_auc, 1e-13);
    assert_rel(metric_pr_auc(p, y, w, N), golden_pr_auc_weighted, 1e-13);
    assert_rel(metric_log_loss(p, y, NULL, N), golden_log_loss, 1e-13);
    assert_rel(metric_log_loss(p, y, w, N), golden_log_loss_weighted, 1e-13);
    assert_rel(metric_brier(p, y, NULL, N), golden_brier, 1e-13);
    assert_rel(metric_brier(p, y, w, N), golden_brier_weighted, 1e-13);
}

static void expect_parts(const double *weight, double brier, const double want[3])
{
    const struct brier_parts parts = metric_brier_parts(golden_p, golden_y, weight, N, 7);
    assert_rel(parts.brier, brier, 1e-13);
    assert_rel(parts.reliability, want[0], 1e-11);
    assert_rel(parts.resolution, want[1], 1e-11);
    assert_rel(parts.uncertainty, want[2], 1e-13);
    assert_close(parts.reliability - parts.resolution + parts.uncertainty + parts.within, brier,
                 1e-15);
}

static void test_metric_pinball_and_parts_as_numpy(void **state)
{
    const double *p = golden_p, *y = golden_y, *w = golden_w;
    assert_rel(metric_pinball(p, y, NULL, N, 0.8), golden_pinball, 1e-13);
    assert_rel(metric_pinball(p, y, w, N, 0.8), golden_pinball_weighted, 1e-13);
    assert_rel(metric_pinball(p, y, NULL, N, 0.5), metric_mae(p, y, NULL, N) / 2, 1e-13);
    expect_parts(NULL, golden_brier, golden_brier_parts);
    expect_parts(w, golden_brier_weighted, golden_brier_parts_weighted);
    /* One value per bin: nothing within. */
    const double q[] = {0.05, 0.05, 0.55, 0.55}, z[] = {0, 1, 1, 1};
    assert_close(metric_brier_parts(q, z, NULL, 4, 10).within, 0, 1e-16);
    assert_true(isnan(metric_brier_parts((const double[]){2, 0}, z, NULL, 2, 10).brier));
}

static void test_metric_calibration_table_as_sklearn(void **state)
{
    struct calibration_bin bins[N];
    const size_t n = metric_calibration_table(golden_p, golden_y, NULL, N, 7, false, bins);
    size_t n_rows = 0;
    assert_int_equal(n, N_OF(golden_calibration_rate));
    for (size_t b = 0; b < n; b++) {
        assert_rel(bins[b].mean_p, golden_calibration_p[b], 1e-12);
        assert_close(bins[b].rate, golden_calibration_rate[b], 1e-13);
        assert_true(bins[b].lower <= bins[b].rate && bins[b].rate <= bins[b].upper);
        n_rows += bins[b].n_rows;
    }
    assert_int_equal(n_rows, N);
    /* Equal numbers, ties together: no bin shares a probability with the next. */
    const size_t m = metric_calibration_table(golden_p, golden_y, golden_w, N, 10, true, bins);
    n_rows = 0;
    for (size_t b = 0; b < m; b++) {
        n_rows += bins[b].n_rows;
        assert_true(b == 0 || bins[b].mean_p > bins[b - 1].mean_p);
    }
    assert_true(m > 5 && m <= 10);
    assert_int_equal(n_rows, N);
    /* Wilson's interval of 3 of 10 (Newcombe 1998: 0.1078 to 0.6032). */
    double ten[10], three[10];
    for (size_t i = 0; i < 10; i++) {
        ten[i] = 0.3;
        three[i] = i < 3;
    }
    assert_int_equal(metric_calibration_table(ten, three, NULL, 10, 4, true, bins), 1);
    assert_close(bins[0].lower, 0.1078, 5e-5);
    assert_close(bins[0].upper, 0.6032, 5e-5);
    assert_int_equal(metric_calibration_table((const double[]){2}, three, NULL, 1, 4, true, bins),
                     0);
}

static void test_metric_best_f1_as_sklearn(void **state)
{
    const struct threshold_metrics best = metric_best_f1(golden_p, golden_y, N);
    assert_rel(best.f1, golden_best_f1, 1e-13);
    assert_close(best.threshold, golden_best_threshold, 0);
    const struct threshold_metrics same =
        metric_at_threshold(golden_p, golden_y, N, best.threshold);
    assert_int_equal(same.n_alarms, best.n_alarms);
    assert_int_equal(same.n_hits, best.n_hits);
    assert_rel(same.precision, best.precision, 0);
    assert_rel(same.recall, best.recall, 0);
}

static void test_metric_at_threshold_without_alarms(void **state)
{
    const double p[] = {0.1, 0.2}, y[] = {0, 1};
    const struct threshold_metrics m = metric_at_threshold(p, y, 2, 0.9);
    assert_int_equal(m.n_alarms, 0);
    assert_true(isnan(m.precision));
    assert_close(m.recall, 0, 0);
    assert_close(m.f1, 0, 0);
}

static void test_metric_undefined_is_nan(void **state)
{
    const double p[] = {0.1, 0.7}, ones[] = {1, 1}, broken[] = {0.1, NAN}, y[] = {0, 1};
    assert_true(isnan(metric_roc_auc(p, ones, NULL, 2)));
    assert_true(isnan(metric_roc_auc(broken, y, NULL, 2)));
    assert_true(isnan(metric_roc_auc(p, y, NULL, 0)));
    assert_true(isnan(metric_pr_auc(p, (const double[]){0, 0}, NULL, 2)));
    assert_true(isnan(metric_log_loss(broken, y, NULL, 2)));
    assert_true(isnan(metric_rmse(p, y, NULL, 0)));
    assert_true(isnan(metric_phm08(p, y, 0)));
    assert_true(isnan(metric_calibration_error(broken, y, 2, 10)));
    assert_true(isnan(metric_best_f1(p, (const double[]){0, 0}, 2).f1));
}

static void test_metric_log_loss_of_certainty_is_finite(void **state)
{
    const double p[] = {0, 1}, y[] = {1, 1};
    assert_rel(metric_log_loss(p, y, NULL, 2), 26 * log(2), 1e-12);
}

static void test_metric_concordance_as_survival(void **state)
{
    const size_t n = N_OF(golden_risk);
    assert_rel(metric_concordance(golden_risk, golden_time, golden_failed, n), golden_concordance,
               1e-14);
}

/* Against the definition, pair by pair. */
static void test_metric_concordance_pairs(void **state)
{
    enum { M = 120 };
    double risk[M], time[M];
    bool failed[M];
    for (size_t i = 0; i < M; i++) {
        risk[i] = (double)rng_below(3, 1, i, 15);
        time[i] = (double)(1 + rng_below(3, 2, i, 20));
        failed[i] = rng_uniform(3, 3, i) < 0.5;
    }
    double good = 0, pairs = 0;
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < M; j++)
            if (failed[i] && (time[i] < time[j] || (time[i] == time[j] && !failed[j]))) {
                pairs++;
                good += risk[i] > risk[j] ? 1 : risk[i] == risk[j] ? 0.5 : 0;
            }
    assert_rel(metric_concordance(risk, time, failed, M), good / pairs, 1e-14);
    for (size_t i = 0; i < M; i++)
        failed[i] = false;
    assert_true(isnan(metric_concordance(risk, time, failed, M)));
}

static void test_metric_phm08_by_hand(void **state)
{
    const double prediction[] = {100, 50, 20}, truth[] = {113, 40, 20};
    assert_rel(metric_phm08(prediction, truth, 3), 2 * (exp(1) - 1), 1e-14);
}

static void test_metric_errors_by_hand(void **state)
{
    const double a[] = {1, 2, 6}, b[] = {2, 2, 3}, w[] = {1, 5, 2};
    assert_rel(metric_rmse(a, b, NULL, 3), sqrt(10.0 / 3), 1e-14);
    assert_rel(metric_mae(a, b, NULL, 3), 4.0 / 3, 1e-14);
    assert_rel(metric_rmse(a, b, w, 3), sqrt(19.0 / 8), 1e-14);
    assert_rel(metric_mae(a, b, w, 3), 7.0 / 8, 1e-14);
}

static void test_metric_calibration_chance(void **state)
{
    /* One row of p: |p - y| is p or 1 - p, 2 p (1 - p) on average. */
    const double one[] = {0.25};
    assert_close(metric_calibration_chance(one, 1, 10), 2 * 0.25 * 0.75, 0.03);
    const double sure[] = {0, 1, 1};
    assert_close(metric_calibration_chance(sure, 3, 10), 0, 0);
    assert_true(isnan(metric_calibration_chance(sure, 0, 10)));
}

static void test_metric_calibration_error_by_hand(void **state)
{
    const double p[] = {0.1, 0.15, 0.95, 1.0}, y[] = {0, 1, 1, 1};
    /* Bin [0.1, 0.2): mean p 0.125, rate 0.5; bin [0.9, 1]: mean p 0.975, rate 1. */
    assert_rel(metric_calibration_error(p, y, 4, 10), (0.75 + 0.05) / 4, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metric_scores_as_sklearn),
        cmocka_unit_test(test_metric_pinball_and_parts_as_numpy),
        cmocka_unit_test(test_metric_calibration_table_as_sklearn),
        cmocka_unit_test(test_metric_best_f1_as_sklearn),
        cmocka_unit_test(test_metric_at_threshold_without_alarms),
        cmocka_unit_test(test_metric_undefined_is_nan),
        cmocka_unit_test(test_metric_log_loss_of_certainty_is_finite),
        cmocka_unit_test(test_metric_concordance_as_survival),
        cmocka_unit_test(test_metric_concordance_pairs),
        cmocka_unit_test(test_metric_phm08_by_hand),
        cmocka_unit_test(test_metric_errors_by_hand),
        cmocka_unit_test(test_metric_calibration_error_by_hand),
        cmocka_unit_test(test_metric_calibration_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
