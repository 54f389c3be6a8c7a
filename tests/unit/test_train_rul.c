#include "tests/test.h"

#include "app/base/json.h"
#include "app/base/rng.h"
#include "app/train_private.h"
#include "models/metrics.h"

enum { ASSETS = 50, ROWS = 40, N = ASSETS * ROWS };

/* Lives of 1..125 with answers that miss by a normal error of standard deviation sd. */
struct answers {
    double p[N], y[N], w[N];
    size_t asset[N];
    struct train_judged j;
};

static void make(struct answers *a, double cap, double sd)
{
    for (size_t i = 0; i < (size_t)N; i++) {
        a->asset[i] = i / ROWS;
        a->y[i] = fmin(cap, 1 + 124 * rng_uniform(1, 1, i));
        a->p[i] = fmax(0, fmin(cap, a->y[i] + sd * rng_normal(1, 2, i)));
        a->w[i] = i % 2 == 0 ? 1 : 0.5;
    }
    a->j = (struct train_judged){.n = N, .p = a->p, .y = a->y, .w = a->w, .asset = a->asset};
}

static double number(const cJSON *o, const char *key)
{
    double v = NAN;
    (void)json_number(o, key, false, &v, NULL);
    return v;
}

static void test_train_rul_metrics_honest(void **state)
{
    static struct answers a;
    struct ft_err err = {0};
    cJSON *cv = cJSON_CreateObject();
    double score = 0;
    double weight = 0;
    (void)state;
    make(&a, 125, 8);
    assert_ok(train_rul_metrics(&a.j, 125, 0.9, cv, &err), err);
    for (size_t i = 0; i < (size_t)N; i++) {
        const double d = a.p[i] - a.y[i];
        score += a.w[i] * (d < 0 ? exp(-d / 13) - 1 : exp(d / 10) - 1);
        weight += a.w[i];
    }
    assert_rel(number(cv, "phm08_mean"), score / weight, 1e-9);
    const cJSON *coverage = json_get(cv, "coverage");
    assert_close(number(coverage, "nominal"), 0.9, 0);
    assert_close(number(coverage, "observed"), 0.9, 0.05);
    /* 90 % of a normal error lie within 1.645 standard deviations to each side. */
    assert_close(number(cv, "interval_mean_width"), 2 * 1.645 * 8, 6);
    const cJSON *soon = json_get(cv, "failure_soon");
    assert_close(number(soon, "within"), 30, 0);
    assert_true(number(soon, "pr_auc") > 0.9);
    assert_true(number(soon, "calibration_error") < 0.05);
    assert_true(number(soon, "brier") < 0.06);
    cJSON_Delete(cv);
}

/* Better answers score better on every count. */
static void test_train_rul_metrics_orders(void **state)
{
    static struct answers a;
    struct ft_err err = {0};
    double width[2];
    double pr_auc[2];
    double score[2];
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        cJSON *cv = cJSON_CreateObject();
        make(&a, 125, k == 0 ? 5 : 20);
        assert_ok(train_rul_metrics(&a.j, 125, 0.9, cv, &err), err);
        width[k] = number(cv, "interval_mean_width");
        pr_auc[k] = number(json_get(cv, "failure_soon"), "pr_auc");
        score[k] = number(cv, "phm08_mean");
        cJSON_Delete(cv);
    }
    assert_true(width[0] < width[1]);
    assert_true(pr_auc[0] > pr_auc[1]);
    assert_true(score[0] < score[1]);
}

/* No life is longer than the cap: "within 30" says nothing when the cap is 30. */
static void test_train_rul_metrics_short_cap(void **state)
{
    static struct answers a;
    struct ft_err err = {0};
    cJSON *cv = cJSON_CreateObject();
    (void)state;
    make(&a, 30, 3);
    assert_ok(train_rul_metrics(&a.j, 30, 0.9, cv, &err), err);
    assert_null(json_get(cv, "failure_soon"));
    assert_non_null(json_get(cv, "coverage"));
    cJSON_Delete(cv);
}

/* Two assets cannot carry an interval: it is left out, the score is not. */
static void test_train_rul_metrics_few(void **state)
{
    static struct answers a;
    struct ft_err err = {0};
    cJSON *cv = cJSON_CreateObject();
    (void)state;
    make(&a, 125, 8);
    a.j.n = 2;
    a.asset[1] = 1;
    assert_ok(train_rul_metrics(&a.j, 125, 0.9, cv, &err), err);
    assert_true(isfinite(number(cv, "phm08_mean")));
    assert_null(json_get(cv, "coverage"));
    cJSON_Delete(cv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train_rul_metrics_honest),
        cmocka_unit_test(test_train_rul_metrics_orders),
        cmocka_unit_test(test_train_rul_metrics_short_cap),
        cmocka_unit_test(test_train_rul_metrics_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
