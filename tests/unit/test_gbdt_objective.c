/* Objectives: gradients against numerical differentiation, losses against the models that have them
 * in closed form, leaves that are renewed, threads, text form. */
#include "tests/test.h"

#include "app/base/rng.h"
#include "models/cox.h"
#include "models/gbdt/forest.h"
#include "models/gbdt/objective.h"

#include <stdlib.h>

enum { N = 40, SEED = 5 };

static struct ft_err err;

/* Ties, weights (one of them 0), censoring, truncation, intervals. */
struct rows {
    double y[N], upper[N], entry[N], weight[N], score[N];
    bool failed[N];
};

static struct rows make_rows(enum gbdt_objective objective)
{
    struct rows r;
    for (size_t i = 0; i < N; i++) {
        const double u = rng_uniform(SEED, 1, i);
        r.weight[i] = i == 7 ? 0 : 0.5 + rng_uniform(SEED, 2, i);
        r.score[i] = 2 * rng_uniform(SEED, 3, i) - 1;
        r.failed[i] = rng_uniform(SEED, 4, i) < 0.7;
        r.y[i] = objective == GBDT_LOGISTIC  ? u < 0.4
                 : objective == GBDT_POISSON ? floor(5 * u)
                                             : u;
        r.upper[i] = r.entry[i] = 0;
        if (objective < GBDT_COX)
            continue;
        r.y[i] = 1 + floor(12 * u) / 4; /* many ties */
        r.entry[i] = i % 3 == 0 ? r.y[i] * rng_uniform(SEED, 5, i) : 0;
        r.upper[i] = i % 4 == 0 ? r.y[i] : i % 4 == 1 ? INFINITY : r.y[i] * 1.7;
        if (objective > GBDT_COX && i % 8 == 3) /* left-censored */
            r.y[i] = r.entry[i] = 0;
    }
    return r;
}

static struct targets targets_of(enum gbdt_objective objective, const struct rows *r,
                                 double parameter)
{
    const bool is_time = objective >= GBDT_COX;
    return (struct targets){.objective = objective,
                            .labels = {.y = r->y,
                                       .weight = r->weight,
                                       .failed = objective == GBDT_COX ? r->failed : NULL,
                                       .upper = objective > GBDT_COX ? r->upper : NULL,
                                       .entry = is_time ? r->entry : NULL},
                            .n_rows = N,
                            .parameter = parameter};
}

static void check_gradients(enum gbdt_objective objective, double parameter, struct pool *pool)
{
    struct rows r = make_rows(objective);
    struct targets t = targets_of(objective, &r, parameter);
    double base, g[N], h[N], block[2];
    const double step = 1e-5;
    assert_ok(objective_start(&t, &base, &err), err);
    objective_gradients(&t, r.score, g, h, block, pool);
    for (size_t i = 0; i < N; i++) {
        const double at = r.score[i];
        double up[N], down[N], unused[N];
        r.score[i] = at + step;
        const double above = objective_loss(&t, r.score, block, pool);
        objective_gradients(&t, r.score, up, unused, block, pool);
        r.score[i] = at - step;
        const double below = objective_loss(&t, r.score, block, pool);
        objective_gradients(&t, r.score, down, unused, block, pool);
        r.score[i] = at;
        assert_close(g[i], (above - below) / (2 * step), 1e-7);
        if (objective_renews(objective))
            continue; /* the hessian is the weight by choice */
        const double curvature = (up[i] - down[i]) / (2 * step);
        const bool is_seen = objective > GBDT_COX && isfinite(r.upper[i]);
        const double least = is_seen ? 0.2 * r.weight[i] / (parameter * parameter) : 0;
        assert_close(h[i], fmax(curvature, h[i] < 1e-4 ? h[i] : least), 1e-6);
    }
    objective_end(&t);
}

static void test_objective_gradients_are_slopes_of_the_loss(void **state)
{
    struct pool *pool;
    assert_ok(pool_new(1, &pool, &err), err);
    for (int k = 0; k < GBDT_N_OBJECTIVES; k++) {
        const enum gbdt_objective objective = (enum gbdt_objective)k;
        check_gradients(objective, objective == GBDT_QUANTILE ? 0.3 : 0.8, pool);
    }
    pool_free(pool);
}

/* The base score is where the loss is least among constants, and AFT's scale with it. */
static void test_objective_base_is_best_constant(void **state)
{
    struct pool *pool;
    assert_ok(pool_new(1, &pool, &err), err);
    for (int k = 0; k < GBDT_N_OBJECTIVES; k++) {
        const enum gbdt_objective objective = (enum gbdt_objective)k;
        const bool is_aft = objective > GBDT_COX;
        struct rows r = make_rows(objective);
        struct targets t = targets_of(objective, &r, objective == GBDT_QUANTILE ? 0.3 : 0);
        double base, block[2], best = 0;
        assert_ok(objective_start(&t, &base, &err), err);
        const double scale = t.parameter;
        for (int s = 0; s < (is_aft ? 5 : 3); s++) {
            const double shift = s == 1 ? 0.01 : s == 2 ? -0.01 : 0;
            t.parameter = s == 3 ? scale * 1.01 : s == 4 ? scale * 0.99 : scale;
            for (size_t i = 0; i < N; i++)
                r.score[i] = base + shift;
            const double loss = objective_loss(&t, r.score, block, pool);
            if (s == 0)
                best = loss;
            assert_true(loss >= best - 1e-12 * fabs(best));
        }
        objective_end(&t);
    }
    pool_free(pool);
}

/* Scores that are linear in a column give minus the partial likelihood of the Cox model. */
static void test_objective_cox_loss_equals_cox_model(void **state)
{
    struct pool *pool;
    struct cox *m;
    double base, beta, block[2], score[N];
    struct rows r = make_rows(GBDT_COX);
    struct targets t = targets_of(GBDT_COX, &r, 0);
    const struct matrix x = {r.score, N, 1, 1, NULL};
    assert_ok(pool_new(1, &pool, &err), err);
    assert_ok(cox_fit(&x, r.y, r.failed, r.entry, r.weight, 0, &m, &err), err);
    cox_coefficients(m, &beta);
    assert_ok(objective_start(&t, &base, &err), err);
    for (size_t i = 0; i < N; i++)
        score[i] = beta * r.score[i] + 3;
    assert_close(objective_loss(&t, score, block, pool), -cox_log_likelihood(m), 1e-10);
    for (size_t i = 0; i < N; i++)
        score[i] = -3;
    assert_close(objective_loss(&t, score, block, pool), -cox_null_log_likelihood(m), 1e-10);
    objective_end(&t);
    cox_free(m);
    pool_free(pool);
}

static void test_objective_leaf_is_weighted_quantile(void **state)
{
    const double y[] = {5, 1, 3, 2, 4, 9}, zero[6] = {0}, weight[] = {1, 1, 1, 1, 1, 0};
    const uint32_t all[] = {0, 1, 2, 3, 4, 5}, four[] = {4, 1, 2, 3};
    struct weighted scratch[6];
    struct targets t = {.objective = GBDT_QUANTILE,
                        .labels = {.y = y, .weight = weight},
                        .n_rows = 6,
                        .parameter = 0.3};
    assert_close(objective_leaf(&t, zero, all, 6, scratch), 2, 0); /* of 1..5, the 0 left out */
    t.parameter = 0.9;
    assert_close(objective_leaf(&t, zero, all, 6, scratch), 5, 0);
    t.objective = GBDT_ABSOLUTE;
    assert_close(objective_leaf(&t, zero, all, 6, scratch), 3, 0);
    assert_close(objective_leaf(&t, zero, four, 4, scratch), 2.5, 0); /* of 1..4, hit exactly */
    const double heavy[] = {1, 1, 1, 1, 10, 0};
    t.labels.weight = heavy;
    assert_close(objective_leaf(&t, zero, all, 6, scratch), 4, 0);
    assert_close(objective_leaf(&t, y, all, 6, scratch), 0, 0); /* residuals, not values */
}

/* Against sorting, on many sizes and levels with ties. */
static void test_objective_leaf_equals_sorted(void **state)
{
    for (size_t n = 1; n < 200; n += 7) {
        double y[200];
        uint32_t rows[200];
        struct weighted scratch[200];
        const double zero[200] = {0}, q = rng_uniform(SEED, 6, n);
        for (size_t i = 0; i < n; i++) {
            y[i] = floor(20 * rng_uniform(SEED, n, i));
            rows[i] = (uint32_t)i;
        }
        const struct targets t = {
            .objective = GBDT_QUANTILE, .labels = {.y = y}, .n_rows = n, .parameter = q};
        const double got = objective_leaf(&t, zero, rows, n, scratch);
        size_t n_below = 0, n_to = 0;
        for (size_t i = 0; i < n; i++) {
            n_below += y[i] < got;
            n_to += y[i] <= got;
        }
        assert_true((double)n_below <= q * (double)n && (double)n_to >= q * (double)n);
    }
}

/* A far Newton step of a class keeps sign and order, and one of a leaf with few positives comes
 * near the optimum log(1 + step). */
static void test_objective_step_logistic(void **state)
{
    double before = -INFINITY;
    for (double newton = -60; newton <= 60; newton += 0.125) {
        const double step = objective_step(GBDT_LOGISTIC, newton);
        assert_true(step > before && fabs(step) <= fabs(newton));
        assert_close(step, -objective_step(GBDT_LOGISTIC, -newton), 0);
        if (fabs(newton) <= 1)
            assert_close(step, newton, 0);
        before = step;
    }
    /* 2 % at the start, a leaf of positives half of the time: the optimum is log(0.5 / 0.5 * 49).
     */
    const double newton = (0.5 - 0.02) / (0.02 * 0.98), optimum = log(49);
    assert_close(objective_step(GBDT_LOGISTIC, newton), optimum, 0.5);
    assert_true(newton > 6 * optimum);
}

/* Counts: the optimum upwards, never past it downwards; other objectives keep the Newton step. */
static void test_objective_step_poisson(void **state)
{
    for (double y = 0; y < 20; y += 0.25) {
        const double mean = 2.5, step = objective_step(GBDT_POISSON, (y - mean) / mean);
        if (y >= mean)
            assert_close(step, log(y / mean), 1e-15);
        else
            assert_true(step < 0 && step >= log(y / mean));
    }
    assert_close(objective_step(GBDT_SQUARED, 40), 40, 0);
    assert_close(objective_step(GBDT_COX, -40), -40, 0);
}

static void test_objective_start_refuses(void **state)
{
    static const struct {
        enum gbdt_objective objective;
        double y, upper, entry;
        enum ft_status status;
    } cases[] = {
        {GBDT_POISSON, -1, 1, 0, FT_INVALID},
        {GBDT_ABSOLUTE, NAN, 1, 0, FT_INVALID},
        {GBDT_COX, 0, 1, 0, FT_INVALID},
        {GBDT_COX, 2, 1, 2, FT_INVALID},
        {GBDT_AFT_WEIBULL, 2, 1, 0, FT_INVALID},
        {GBDT_AFT_WEIBULL, 0, 0, 0, FT_INVALID},
        {GBDT_AFT_WEIBULL, 0, INFINITY, 0, FT_INVALID},
        {GBDT_AFT_LOGNORMAL, 2, 3, 2, FT_INVALID},
        {GBDT_AFT_WEIBULL, 2, INFINITY, 0, FT_TOO_FEW},
        {GBDT_AFT_WEIBULL, 2, 2, 0, FT_TOO_FEW}, /* all at one time: no scale */
        {GBDT_POISSON, 0, 1, 0, FT_TOO_FEW},
    };
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        double base;
        const double y[] = {cases[k].y, cases[k].y}, upper[] = {cases[k].upper, cases[k].upper};
        const double entry[] = {cases[k].entry, cases[k].entry};
        struct targets t = {.objective = cases[k].objective,
                            .labels = {.y = y, .upper = upper, .entry = entry},
                            .n_rows = 2};
        assert_int_equal(objective_start(&t, &base, &err), cases[k].status);
        objective_end(&t);
    }
}

/* Sums are the raw scores, and all rows at once are the rows one by one. */
static void assert_contributions_add_up(const struct gbdt *g, const struct matrix *x,
                                        const double *score, struct pool *pool)
{
    const size_t width = x->n_cols + 1;
    double *all = calloc(x->n_rows, width * sizeof(*all)), one[8];
    assert_ok(gbdt_contributions_rows(g, x, pool, all, &err), err);
    for (size_t i = 0; i < x->n_rows; i++) {
        double sum = 0;
        for (size_t j = 0; j < width; j++)
            sum += all[i * width + j];
        assert_close(sum, score[i], 1e-9);
        assert_ok(gbdt_contributions(g, matrix_row(x, i), one, &err), err);
        assert_memory_equal(one, all + i * width, width * sizeof(*one));
    }
    free(all);
}

/* A fit of each objective: the loss falls, the bytes are those of one thread, the text comes back.
 */
static void test_gbdt_fit_labels_all_objectives(void **state)
{
    enum { ROWS = 3000, COLS = 3 };
    static double x[ROWS * COLS], y[ROWS], upper[ROWS], entry[ROWS], score[ROWS];
    static bool failed[ROWS];
    const struct matrix view = {x, ROWS, COLS, COLS, NULL};
    for (int k = 0; k < GBDT_N_OBJECTIVES; k++) {
        const enum gbdt_objective objective = (enum gbdt_objective)k;
        for (size_t i = 0; i < ROWS; i++) {
            for (size_t j = 0; j < COLS; j++)
                x[i * COLS + j] = rng_uniform(SEED, 10 + j, i);
            const double u = rng_uniform(SEED, 20, i), signal = 2 * x[i * COLS];
            failed[i] = rng_uniform(SEED, 21, i) < 0.6;
            y[i] = objective == GBDT_LOGISTIC  ? signal + u > 1.5
                   : objective == GBDT_POISSON ? floor(3 * signal * u)
                                               : exp(signal) * (0.1 + u);
            upper[i] = failed[i] ? y[i] * 1.1 : INFINITY;
            entry[i] = i % 2 ? 0.05 * y[i] : 0;
        }
        struct gbdt_params p = gbdt_params_default(objective);
        p.n_trees = 20;
        p.max_leaves = 8;
        p.quantile = 0.8;
        const struct gbdt_labels labels = {.y = y,
                                           .failed = objective == GBDT_COX ? failed : NULL,
                                           .upper = objective > GBDT_COX ? upper : NULL,
                                           .entry = objective >= GBDT_COX ? entry : NULL};
        struct buf text[2];
        for (size_t threads = 1; threads <= 4; threads += 3) {
            struct pool *pool;
            struct gbdt *g;
            assert_ok(pool_new(threads, &pool, &err), err);
            assert_ok(gbdt_fit_labels(&view, &labels, &p, pool, &g, &err), err);
            buf_init(&text[threads > 1], 1 << 20);
            gbdt_write(g, &text[threads > 1]);
            if (threads == 1) {
                double base, before, block[2];
                struct targets t = {.objective = objective,
                                    .labels = labels,
                                    .n_rows = ROWS,
                                    .parameter = gbdt_parameter(g)};
                assert_ok(objective_start(&t, &base, &err), err);
                for (size_t i = 0; i < ROWS; i++)
                    score[i] = base;
                before = objective_loss(&t, score, block, pool);
                gbdt_predict(g, &view, score);
                const double after = objective_loss(&t, score, block, pool);
                assert_true(after < before - 0.01 * fabs(before));
                objective_end(&t);
                assert_contributions_add_up(g, &view, score, pool);
            }
            gbdt_free(g);
            pool_free(pool);
        }
        assert_int_equal(text[0].len, text[1].len);
        assert_memory_equal(text[0].data, text[1].data, text[0].len);
        struct gbdt *again;
        struct buf twice;
        assert_ok(gbdt_read(text[0].data, text[0].len, &again, &err), err);
        buf_init(&twice, 1 << 20);
        gbdt_write(again, &twice);
        assert_int_equal(twice.len, text[0].len);
        assert_memory_equal(twice.data, text[0].data, twice.len);
        assert_int_equal(gbdt_objective_by_name(gbdt_objective_name(objective)), k);
        gbdt_free(again);
        buf_free(&twice);
        buf_free(&text[0]);
        buf_free(&text[1]);
    }
    assert_int_equal(gbdt_objective_by_name("none"), -1);
}

static void test_gbdt_answer(void **state)
{
    struct gbdt *g = forest_new(GBDT_AFT_WEIBULL, 1, 0);
    g->parameter = 0.5;
    assert_rel(gbdt_answer(g, 1), exp(1 + 0.5 * log(log(2))), 1e-14);
    g->objective = GBDT_POISSON;
    assert_rel(gbdt_answer(g, 1), exp(1), 1e-15);
    g->objective = GBDT_LOGISTIC;
    assert_close(gbdt_answer(g, 0), 0.5, 0);
    g->objective = GBDT_QUANTILE;
    assert_close(gbdt_answer(g, 3), 3, 0);
    gbdt_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objective_gradients_are_slopes_of_the_loss),
        cmocka_unit_test(test_objective_base_is_best_constant),
        cmocka_unit_test(test_objective_cox_loss_equals_cox_model),
        cmocka_unit_test(test_objective_leaf_is_weighted_quantile),
        cmocka_unit_test(test_objective_leaf_equals_sorted),
        cmocka_unit_test(test_objective_step_logistic),
        cmocka_unit_test(test_objective_step_poisson),
        cmocka_unit_test(test_objective_start_refuses),
        cmocka_unit_test(test_gbdt_fit_labels_all_objectives),
        cmocka_unit_test(test_gbdt_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
