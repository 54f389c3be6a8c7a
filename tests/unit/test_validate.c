#include "tests/test.h"

#include "app/base/rng.h"
#include "app/validate.h"
#include "models/metrics.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { N = 600, M = 4, K = 5 };

static struct ft_err err;
static atomic_size_t n_known_fits;

struct sample {
    double x[N * M], y[N];
    size_t group[N];
};

static struct sample *make_sample(bool is_binary)
{
    struct sample *s = calloc(1, sizeof(*s));
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < M; j++)
            s->x[i * M + j] = rng_normal(3, j, i);
        const double z = 2 * s->x[i * M] - s->x[i * M + 1];
        s->y[i] = is_binary ? (double)(rng_uniform(4, 0, i) < 1 / (1 + exp(-z)))
                            : z + 0.1 * rng_normal(4, 1, i);
        s->group[i] = i / 10;
    }
    return s;
}

static struct validate_models models_of(const struct sample *s, const struct model_spec *specs,
                                        const struct folds *folds)
{
    return (struct validate_models){
        .rows = {.x = {s->x, N, M, M}, .y = s->y}, .specs = specs, .folds = folds};
}

static struct validate_plan plan_of(const struct folds *folds, struct validate_models *models,
                                    const double *y, size_t n_candidates,
                                    enum validate_metric metric)
{
    return (struct validate_plan){.folds = folds,
                                  .n_rows = N,
                                  .n_candidates = n_candidates,
                                  .fit = validate_fit_model,
                                  .ctx = models,
                                  .y = y,
                                  .metric = metric};
}

static void test_validate_run_same_for_any_threads(void **state)
{
    struct sample *s = make_sample(true);
    struct model_spec specs[2] = {model_spec_default(MODEL_GBDT, TASK_CLASSIFY),
                                  model_spec_default(MODEL_LOGISTIC, TASK_CLASSIFY)};
    struct folds folds;
    struct validate_models models = models_of(s, specs, &folds);
    double *first = calloc(2 * N, sizeof(*first)), mean[2] = {0};
    specs[0].n_trees = 20;
    assert_ok(folds_by_group(s->group, s->y, N, K, 1, &folds, &err), err);
    const struct validate_plan plan = plan_of(&folds, &models, s->y, 2, VALIDATE_ROC_AUC);
    const size_t n_threads[] = {1, 2, 7};
    for (size_t t = 0; t < 3; t++) {
        struct pool *pool;
        struct validate_result r[2];
        assert_ok(pool_new(n_threads[t], &pool, &err), err);
        assert_ok(validate_run(&plan, pool, r, &err), err);
        for (size_t c = 0; c < 2; c++) {
            if (r[c].status != FT_OK)
                fail_msg("%s", r[c].reason);
            assert_true(r[c].mean > 0.8 && r[c].std > 0 && r[c].seconds >= 0);
            if (t == 0) {
                memcpy(first + c * N, r[c].raw, N * sizeof(double));
                mean[c] = r[c].mean;
            }
            assert_memory_equal(first + c * N, r[c].raw, N * sizeof(double));
            assert_close(r[c].mean, mean[c], 0);
        }
        assert_int_equal(validate_best(r, 2, plan.metric), 1); /* the truth is linear */
        validate_results_free(r, 2);
        pool_free(pool);
    }
    free(first);
    folds_free(&folds);
    free(s);
}

/* An out-of-fold prediction is that of a model that never saw the row's group. */
static void test_validate_run_is_out_of_fold(void **state)
{
    struct sample *s = make_sample(false);
    const struct model_spec spec = model_spec_default(MODEL_RIDGE, TASK_REGRESS);
    struct folds folds;
    struct validate_models models = models_of(s, &spec, &folds);
    struct pool *pool;
    struct validate_result r;
    struct model *m;
    assert_ok(pool_new(2, &pool, &err), err);
    assert_ok(folds_by_group(s->group, NULL, N, K, 1, &folds, &err), err);
    const struct validate_plan plan = plan_of(&folds, &models, s->y, 1, VALIDATE_RMSE);
    assert_ok(validate_run(&plan, pool, &r, &err), err);
    assert_true(r.mean > 0.09 && r.mean < 0.11);
    const struct fold *f = &folds.fold[2];
    assert_ok(validate_fit_rows(&spec, &models.rows, f->train, f->n_train, pool, &m, &err), err);
    double sum = 0;
    for (size_t i = 0; i < f->n_test; i++) {
        const size_t row = f->test[i];
        const struct matrix one = {s->x + row * M, 1, M, M, NULL};
        double want;
        model_predict_raw(m, &one, &want);
        assert_close(r.raw[row], want, 1e-12);
        sum += (want - s->y[row]) * (want - s->y[row]);
    }
    assert_close(r.fold_metric[2], sqrt(sum / (double)f->n_test), 1e-12);
    model_free(m);
    validate_results_free(&r, 1);
    folds_free(&folds);
    pool_free(pool);
    free(s);
}

/* The first candidate fails, the second is kept; ctx counts the calls. */
static enum ft_status fit_half(void *ctx, size_t candidate, const struct fold *fold,
                               struct pool *pool, double *raw, struct ft_err *e)
{
    (void)pool;
    atomic_fetch_add((atomic_size_t *)ctx, 1);
    if (candidate == 0)
        return ft_fail(e, FT_TOO_FEW, "too little");
    for (size_t i = 0; i < fold->n_test; i++)
        raw[i] = 1;
    return FT_OK;
}

static bool always(void)
{
    return true;
}

static void test_validate_run_failures(void **state)
{
    struct sample *s = make_sample(true);
    struct folds folds;
    struct pool *pool;
    struct validate_result r[2];
    atomic_size_t n_calls = 0;
    assert_ok(pool_new(2, &pool, &err), err);
    assert_ok(folds_of_rows(s->y, N, 3, 1, &folds, &err), err);
    struct validate_plan plan = {.folds = &folds,
                                 .n_rows = N,
                                 .n_candidates = 2,
                                 .fit = fit_half,
                                 .ctx = &n_calls,
                                 .y = s->y,
                                 .metric = VALIDATE_LOG_LOSS};
    assert_ok(validate_run(&plan, pool, r, &err), err);
    assert_int_equal(atomic_load(&n_calls), 6);
    assert_int_equal(r[0].status, FT_TOO_FEW);
    assert_non_null(strstr(r[0].reason, "fold 1: too little"));
    assert_int_equal(validate_best(r, 2, plan.metric), 1);
    assert_close(r[1].raw[17], 1, 0);
    validate_results_free(r, 2);
    plan.n_candidates = 1;
    assert_int_equal(validate_run(&plan, pool, r, &err), FT_TOO_FEW);
    validate_results_free(r, 1);
    plan.is_stopped = always;
    assert_int_equal(validate_run(&plan, pool, r, &err), FT_INTERRUPTED);
    validate_results_free(r, 1);
    folds_free(&folds);
    pool_free(pool);
    free(s);
}

static void test_validate_attach_by_task(void **state)
{
    struct sample *s = make_sample(true);
    struct pool *pool;
    struct model *m;
    double raw[N], p[N];
    assert_ok(pool_new(1, &pool, &err), err);
    const struct model_spec spec = model_spec_default(MODEL_LOGISTIC, TASK_CLASSIFY);
    const struct validate_models models = models_of(s, &spec, NULL);
    assert_ok(model_fit(&spec, &models.rows, pool, &m, &err), err);
    model_predict_raw(m, &models.rows.x, raw);
    for (size_t i = 0; i < N; i++)
        raw[i] *= 3; /* far too sure: the map has to pull it back */
    raw[0] = NAN;    /* never held out */
    assert_ok(validate_attach(m, raw, &models.rows, s->group, CALIBRATION_PLATT, 0.9, &err), err);
    model_predict(m, &models.rows.x, p);
    double sum_p = 0, sum_raw = 0;
    for (size_t i = 1; i < N; i++) {
        sum_p += fabs(log(p[i] / (1 - p[i])));
        sum_raw += fabs(raw[i] / 3);
    }
    assert_close(sum_p / sum_raw, 1.0 / 3, 0.05);
    model_free(m);
    pool_free(pool);
    free(s);
}

/* Bins shared by the candidates of a fold are those that each fit would make. */
static void test_validate_bins_change_nothing(void **state)
{
    struct sample *s = make_sample(true);
    struct model_spec specs[3] = {model_spec_default(MODEL_GBDT, TASK_CLASSIFY),
                                  model_spec_default(MODEL_LOGISTIC, TASK_CLASSIFY),
                                  model_spec_default(MODEL_GBDT, TASK_CLASSIFY)};
    struct folds folds;
    struct validate_models models = models_of(s, specs, &folds);
    struct pool *pool;
    struct validate_result own[3], shared[3];
    specs[0].n_trees = specs[2].n_trees = 10;
    specs[2].n_bins = 16;
    assert_ok(folds_by_group(s->group, s->y, N, K, 1, &folds, &err), err);
    assert_ok(pool_new(3, &pool, &err), err);
    struct validate_plan plan = plan_of(&folds, &models, s->y, 3, VALIDATE_ROC_AUC);
    struct validate_bins *bins = NULL;
    assert_ok(validate_run(&plan, pool, own, &err), err);
    assert_ok(validate_bins_make(&models, 3, 1, pool, &bins, &err), err);
    models.bins = bins;
    plan.n_at_once = 2;
    assert_ok(validate_run(&plan, pool, shared, &err), err);
    for (size_t c = 0; c < 3; c++)
        assert_memory_equal(own[c].raw, shared[c].raw, N * sizeof(double));
    validate_bins_free(bins);
    validate_results_free(own, 3);
    validate_results_free(shared, 3);
    folds_free(&folds);
    pool_free(pool);
    free(s);
}

/* Rows to stop on are a tenth of the training rows, whole groups, and never held out. */
static void test_validate_stop_parts(void **state)
{
    struct sample *s = make_sample(true);
    struct folds folds, stop;
    assert_ok(folds_by_group(s->group, s->y, N, K, 1, &folds, &err), err);
    for (size_t way = 0; way < 3; way++) { /* by group, of single rows, by time */
        double time[N];
        for (size_t i = 0; i < N; i++)
            time[i] = (double)(i * 7 % N);
        assert_ok(validate_stop_make(&folds, way == 0 ? s->group : NULL, way == 2 ? time : NULL,
                                     s->y, 5, &stop, &err),
                  err);
        assert_int_equal(stop.n, K);
        for (size_t f = 0; f < K; f++) {
            const struct fold *part = &stop.fold[f], *from = &folds.fold[f];
            uint8_t seen[N] = {0};
            double last_grown = 0, first_stop = N;
            assert_int_equal(part->n_train + part->n_test, from->n_train);
            assert_in_range(part->n_test, from->n_train / 20, from->n_train / 5);
            for (size_t i = 0; i < part->n_train; i++) {
                seen[part->train[i]] = 1;
                last_grown = fmax(last_grown, time[part->train[i]]);
            }
            for (size_t i = 0; i < part->n_test; i++) {
                assert_int_equal(seen[part->test[i]], 0);
                seen[part->test[i]] = 2;
                first_stop = fmin(first_stop, time[part->test[i]]);
            }
            for (size_t i = 0; i < from->n_train; i++)
                assert_int_not_equal(seen[from->train[i]], 0);
            for (size_t i = 0; i + 1 < N && way == 0; i++)
                if (s->group[i] == s->group[i + 1])
                    assert_int_equal(seen[i], seen[i + 1]);
            if (way == 2)
                assert_true(last_grown < first_stop);
        }
        folds_free(&stop);
    }
    folds_free(&folds);
    free(s);
}

/* A fit that stops early has fewer trees; one that does not is as without the parts. */
static void test_validate_stop_fits(void **state)
{
    struct sample *s = make_sample(true);
    struct model_spec specs[2] = {model_spec_default(MODEL_GBDT, TASK_CLASSIFY),
                                  model_spec_default(MODEL_GBDT, TASK_CLASSIFY)};
    struct folds folds, stop;
    struct pool *pool;
    struct validate_result with[2], without[2];
    size_t n_trees[2 * K];
    specs[0].n_trees = specs[1].n_trees = 60;
    specs[1].patience = 5;
    assert_ok(folds_by_group(s->group, s->y, N, K, 1, &folds, &err), err);
    assert_ok(validate_stop_make(&folds, s->group, NULL, s->y, 5, &stop, &err), err);
    assert_ok(pool_new(3, &pool, &err), err);
    struct validate_models models = models_of(s, specs, &folds);
    struct validate_plan plan = plan_of(&folds, &models, s->y, 1, VALIDATE_ROC_AUC);
    struct validate_bins *bins = NULL;
    assert_ok(validate_run(&plan, pool, without, &err), err);
    plan.n_candidates = 2;
    models.stop = &stop;
    models.n_trees = n_trees;
    assert_ok(validate_bins_make(&models, 2, 1, pool, &bins, &err), err);
    models.bins = bins;
    assert_ok(validate_run(&plan, pool, with, &err), err);
    validate_note_trees(&models, 2, with);
    assert_memory_equal(with[0].raw, without[0].raw, N * sizeof(double));
    assert_int_equal(with[0].n_trees, 60);
    assert_in_range(with[1].n_trees, 1, 50);
    assert_true(with[1].mean > with[0].mean - 0.02);
    validate_bins_free(bins);
    validate_results_free(with, 2);
    validate_results_free(without, 1);
    folds_free(&folds);
    folds_free(&stop);
    pool_free(pool);
    free(s);
}

/* A table of floats gives the models of the same table of doubles. */
static void test_validate_floats_same(void **state)
{
    struct sample *s = make_sample(true);
    float *x32 = calloc(N * M, sizeof(*x32));
    struct model_spec specs[2] = {model_spec_default(MODEL_GBDT, TASK_CLASSIFY),
                                  model_spec_default(MODEL_LOGISTIC, TASK_CLASSIFY)};
    struct folds folds;
    struct pool *pool;
    struct validate_result wide[2], narrow[2];
    specs[0].n_trees = 10;
    for (size_t i = 0; i < N * M; i++) {
        x32[i] = (float)s->x[i];
        s->x[i] = (double)x32[i];
    }
    assert_ok(folds_by_group(s->group, s->y, N, K, 1, &folds, &err), err);
    assert_ok(pool_new(2, &pool, &err), err);
    struct validate_models models = models_of(s, specs, &folds);
    const struct validate_plan plan = plan_of(&folds, &models, s->y, 2, VALIDATE_ROC_AUC);
    assert_ok(validate_run(&plan, pool, wide, &err), err);
    models.rows.x = (struct matrix){NULL, N, M, M, x32};
    assert_ok(validate_run(&plan, pool, narrow, &err), err);
    for (size_t c = 0; c < 2; c++)
        assert_memory_equal(wide[c].raw, narrow[c].raw, N * sizeof(double));
    validate_results_free(wide, 2);
    validate_results_free(narrow, 2);
    folds_free(&folds);
    pool_free(pool);
    free(x32);
    free(s);
}

/* Candidates that score what ctx says, worse by their number. */
static enum ft_status fit_known(void *ctx, size_t candidate, const struct fold *fold,
                                struct pool *pool, double *raw, struct ft_err *error)
{
    const double *y = ctx;
    atomic_fetch_add(&n_known_fits, 1);
    for (size_t i = 0; i < fold->n_test; i++)
        raw[i] = y[fold->test[i]] + (double)((candidate * 5) % 7);
    return FT_OK;
}

static void test_validate_run_halving(void **state)
{
    struct sample *s = make_sample(false);
    struct folds folds;
    struct pool *pool;
    struct validate_result r[7];
    assert_ok(folds_of_rows(NULL, N, K, 1, &folds, &err), err);
    assert_ok(pool_new(2, &pool, &err), err);
    const struct validate_plan plan = {.folds = &folds,
                                       .n_rows = N,
                                       .n_candidates = 7,
                                       .fit = fit_known,
                                       .ctx = s->y,
                                       .y = s->y,
                                       .is_halving = true,
                                       .metric = VALIDATE_RMSE};
    n_known_fits = 0;
    assert_ok(validate_run(&plan, pool, r, &err), err);
    /* Errors by candidate: 0 5 3 1 6 4 2. Rungs: fold 1 all; fold 2 the best three (0, 3, 6); folds
     * 3 and 4 one, fold 5 one. */
    static const size_t seen[] = {5, 1, 1, 2, 1, 1, 2};
    for (size_t c = 0; c < 7; c++)
        assert_int_equal(r[c].n_folds, seen[c]);
    assert_int_equal(n_known_fits, 7 + 3 + 2 + 1);
    assert_int_equal(validate_n_jobs(&plan), n_known_fits);
    assert_int_equal(validate_best(r, 7, VALIDATE_RMSE), 0);
    assert_close(r[1].mean, 5, 1e-12);
    assert_true(isnan(r[1].fold_metric[1]) && isnan(r[1].std));
    assert_false(validate_is_within_error(r, 3, 0, VALIDATE_RMSE));
    validate_results_free(r, 7);
    folds_free(&folds);
    pool_free(pool);
    free(s);
}

static void test_validate_is_within_error(void **state)
{
    const struct validate_result r[3] = {{.mean = 0.80, .std = 0.1, .n_folds = 4},
                                         {.mean = 0.76, .std = 0.3, .n_folds = 4},
                                         {.mean = 0.74, .std = 0.3, .n_folds = 4}};
    assert_true(validate_is_within_error(r, 0, 0, VALIDATE_ROC_AUC));
    assert_true(validate_is_within_error(r, 1, 0, VALIDATE_ROC_AUC)); /* 0.1 / sqrt(4) = 0.05 */
    assert_false(validate_is_within_error(r, 2, 0, VALIDATE_ROC_AUC));
    assert_true(validate_is_within_error(r, 0, 2, VALIDATE_RMSE));
}

static void test_validate_metric_names(void **state)
{
    for (int i = VALIDATE_PR_AUC; i <= VALIDATE_CONCORDANCE; i++)
        assert_int_equal(validate_metric_by_name(validate_metric_name((enum validate_metric)i)), i);
    assert_int_equal(validate_metric_by_name("accuracy"), -1);
    assert_true(validate_is_higher_better(VALIDATE_PR_AUC));
    assert_false(validate_is_higher_better(VALIDATE_LOG_LOSS));
    assert_true(validate_metric_suits(VALIDATE_MAE, TASK_REGRESS));
    assert_false(validate_metric_suits(VALIDATE_MAE, TASK_CLASSIFY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_validate_run_same_for_any_threads),
        cmocka_unit_test(test_validate_run_is_out_of_fold),
        cmocka_unit_test(test_validate_run_failures),
        cmocka_unit_test(test_validate_attach_by_task),
        cmocka_unit_test(test_validate_bins_change_nothing),
        cmocka_unit_test(test_validate_stop_parts),
        cmocka_unit_test(test_validate_stop_fits),
        cmocka_unit_test(test_validate_floats_same),
        cmocka_unit_test(test_validate_run_halving),
        cmocka_unit_test(test_validate_is_within_error),
        cmocka_unit_test(test_validate_metric_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
