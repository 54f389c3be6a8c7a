/* Memory that is gone at any moment of a fit: the call answers "no memory" (or does without),
 * nothing crashes, nothing is left behind. The allocator of this program refuses one request after
 * another. */
#include "tests/test.h"

#include "app/base/rng.h"
#include "models/aft.h"
#include "models/bootstrap.h"
#include "models/calibrate.h"
#include "models/conformal_cross.h"
#include "models/conformal_survival.h"
#include "models/cox.h"
#include "models/gbdt/survival.h"
#include "models/importance.h"
#include "models/linear.h"
#include "models/metrics.h"
#include "tests/no_memory.h"

#include <errno.h>
#include <stdlib.h>

#ifdef NO_MEMORY

enum { N = 120, P = 3 };

static double x[N * P], y[N], label[N], times[N], entry[N], upper[N];
static bool failed[N];
static size_t fold[N], group[N];
static const struct matrix rows = {.data = x, .n_rows = N, .n_cols = P, .stride = P};
static struct pool *pool;

static void make_rows(void)
{
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < P; j++)
            x[i * P + j] = rng_normal(1, j, i);
        y[i] = x[i * P] + rng_normal(1, 10, i);
        label[i] = y[i] > 0.3;
        times[i] = ceil(10 * exp(0.3 * y[i]));
        failed[i] = i % 3 != 0;
        entry[i] = i % 4 == 0 ? 0.5 * times[i] : 0;
        upper[i] = failed[i] ? times[i] + 2 : INFINITY;
        fold[i] = i % 5;
        group[i] = i / 4;
    }
    x[4] = NAN;
}

static enum ft_status fit_trees(enum gbdt_objective objective, struct ft_err *err)
{
    const bool is_aft = objective > GBDT_COX;
    const struct gbdt_labels lives = {.y = times,
                                      .failed = is_aft ? NULL : failed,
                                      .upper = is_aft ? upper : NULL,
                                      .entry = entry};
    struct survival_trees *m;
    struct gbdt_params p = gbdt_params_default(objective);
    p.n_trees = 3;
    p.max_leaves = 4;
    const enum ft_status st = survival_trees_fit(&rows, &lives, &p, 4, pool, &m, err);
    survival_trees_free(m);
    return st;
}

static enum ft_status fit_cox_trees(struct ft_err *err)
{
    return fit_trees(GBDT_COX, err);
}

static enum ft_status fit_hazard_trees(struct ft_err *err)
{
    return fit_trees(GBDT_LOGISTIC, err);
}

static enum ft_status fit_aft_trees(struct ft_err *err)
{
    return fit_trees(GBDT_AFT_WEIBULL, err);
}

static enum ft_status fit_quantile(struct ft_err *err)
{
    struct gbdt *g;
    double parts[N * (P + 1)];
    struct gbdt_params p = gbdt_params_default(GBDT_QUANTILE);
    p.n_trees = 3;
    p.max_leaves = 4;
    p.row_sample = p.col_sample = 0.7;
    enum ft_status st = gbdt_fit(&rows, y, NULL, &p, pool, &g, err);
    if (st == FT_OK)
        st = gbdt_contributions_rows(g, &rows, pool, parts, err);
    gbdt_free(g);
    return st;
}

static enum ft_status fit_lines(struct ft_err *err)
{
    const double lambda[] = {1, 0.1};
    struct linear *path[2] = {NULL, NULL}, *net = NULL, *logit = NULL;
    enum ft_status st = linear_ridge_path(&rows, y, NULL, lambda, 2, path, err);
    if (st == FT_OK)
        st = linear_fit_net(LINEAR_LOGISTIC, &rows, label, NULL, 2, 0.5, &net, err);
    if (st == FT_OK)
        st = linear_fit(LINEAR_LOGISTIC, &rows, label, NULL, 1, &logit, err);
    linear_free(path[0]);
    linear_free(path[1]);
    linear_free(net);
    linear_free(logit);
    return st;
}

static enum ft_status fit_lives(struct ft_err *err)
{
    struct cox *cox = NULL;
    struct aft *aft = NULL;
    enum ft_status st = cox_fit(&rows, times, failed, entry, NULL, 0, &cox, err);
    if (st == FT_OK)
        st = aft_fit(AFT_LOGNORMAL, &rows, times, failed, entry, NULL, 0, &aft, err);
    cox_free(cox);
    aft_free(aft);
    return st;
}

static enum ft_status fit_maps(struct ft_err *err)
{
    struct calibration *map = NULL;
    struct conformal *band = NULL;
    struct conformal_cross *cross = NULL;
    enum ft_status st = calibration_fit(CALIBRATION_ISOTONIC, y, label, NULL, N, &map, err);
    if (st == FT_OK)
        st = conformal_fit(times, y, group, N, 2, 0.8, &band, err);
    if (st == FT_OK)
        st = conformal_cross_fit(y, times, fold, N, 5, 0.9, &cross, err);
    calibration_free(map);
    conformal_free(band);
    conformal_cross_free(cross);
    return st;
}

static enum ft_status fit_survival_band(struct ft_err *err)
{
    struct censoring *c = NULL;
    struct survival_band band;
    enum ft_status st = censoring_fit(times, failed, N, &c, err);
    if (st == FT_OK)
        st = conformal_survival_fit(y, times, failed, group, N, c, 0.7, &band, err);
    censoring_free(c);
    return st;
}

static void predict(const void *model, const struct matrix *m, double *out)
{
    (void)model;
    for (size_t i = 0; i < m->n_rows; i++)
        out[i] = matrix_row(m, i)[0];
}

static double error_of(const void *ctx, const double *prediction)
{
    (void)ctx;
    return metric_rmse(prediction, y, NULL, N);
}

static enum ft_status judge(struct ft_err *err)
{
    const struct bootstrap_rows pairs = {.metric = metric_mae, .a = times, .b = y};
    const struct bootstrap_problem b = {.n_rows = N,
                                        .group = group,
                                        .metric = bootstrap_row_metric,
                                        .ctx = &pairs,
                                        .n_repeats = 3,
                                        .level = 0.9};
    const struct importance_problem i = {
        .x = &rows, .predict = predict, .metric = error_of, .n_repeats = 1};
    struct bootstrap_result result;
    double is, mean[P];
    enum ft_status st = bootstrap(&b, pool, &result, err);
    if (st == FT_OK)
        st = importance_by_permutation(&i, pool, &is, mean, NULL, err);
    return st;
}

static void check_all_failures(enum ft_status (*run)(struct ft_err *err))
{
    struct ft_err err = {0};
    assert_ok(run(&err), err); /* libraries set themselves up once */
    for (long k = 0;; k++) {
        const long live = no_memory_live;
        no_memory_refused = 0;
        no_memory_in = k;
        const enum ft_status st = run(&err);
        const bool was_refused = no_memory_refused > 0;
        no_memory_in = -1;
        assert_int_equal(no_memory_live, live);
        if (st != FT_OK && st != FT_NOMEM)
            fail_msg("request %ld refused: %s: %s", k, ft_status_name(st), err.msg);
        if (!was_refused) {
            assert_int_equal(st, FT_OK);
            assert_true(k > 3);
            return;
        }
    }
}

static void test_learn_without_memory(void **state)
{
    static enum ft_status (*const runs[])(struct ft_err *) = {
        fit_cox_trees, fit_hazard_trees, fit_aft_trees,     fit_quantile, fit_lines,
        fit_lives,     fit_maps,         fit_survival_band, judge};
    struct ft_err err;
    make_rows();
    assert_ok(pool_new(1, &pool, &err), err);
    for (size_t k = 0; k < sizeof(runs) / sizeof(runs[0]); k++)
        check_all_failures(runs[k]);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learn_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
static void test_learn_without_memory(void **state)
{
    skip(); /* the sanitizer owns the allocator */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learn_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
