/* Trees of lives against laws known in closed form. */
#include "tests/test.h"

#include "app/base/rng.h"
#include "models/gbdt/survival.h"

#include <stdlib.h>

enum { N = 6000, M = 2, SEED = 31 };

static struct ft_err err;

struct sample {
    double x[N * M], time[N], entry[N], weight[N];
    bool failed[N];
};

/* Weibull lives, shape 2, scale 100 or (column 0 above 1 / 2) 50; ends of watching at 10..200, late
 * entries among those who live to see it. */
static struct sample *make_sample(void)
{
    struct sample *s = calloc(1, sizeof(*s));
    for (size_t i = 0, draw = 0; i < N; draw++) {
        const double x = rng_uniform(SEED, 1, draw), scale = x > 0.5 ? 50 : 100;
        const double life = scale * sqrt(-log(1 - rng_uniform(SEED, 2, draw)));
        const double end = 10 + 190 * rng_uniform(SEED, 3, draw);
        const double entry = draw % 3 == 0 ? 60 * rng_uniform(SEED, 4, draw) : 0;
        if (fmin(life, end) <= entry)
            continue;
        s->x[i * M] = x;
        s->x[i * M + 1] = rng_uniform(SEED, 5, draw);
        s->time[i] = fmin(life, end);
        s->failed[i] = life <= end;
        s->weight[i] = 1;
        s->entry[i++] = entry;
    }
    return s;
}

static struct survival_trees *fit(const struct sample *s, enum gbdt_objective objective,
                                  size_t n_threads)
{
    struct survival_trees *m;
    struct pool *pool;
    struct gbdt_params p = gbdt_params_default(objective);
    const struct matrix x = {.data = s->x, .n_rows = N, .n_cols = M, .stride = M};
    const struct gbdt_labels labels = {
        .y = s->time, .failed = s->failed, .entry = s->entry, .weight = s->weight};
    p.n_trees = 60;
    p.max_leaves = 6;
    p.min_child_weight = 10;
    assert_ok(pool_new(n_threads, &pool, &err), err);
    assert_ok(survival_trees_fit(&x, &labels, &p, 15, pool, &m, &err), err);
    pool_free(pool);
    return m;
}

static const enum gbdt_objective objectives[] = {GBDT_COX, GBDT_LOGISTIC, GBDT_AFT_WEIBULL,
                                                 GBDT_AFT_LOGNORMAL, GBDT_AFT_LOGLOGISTIC};
enum { N_OBJECTIVES = sizeof(objectives) / sizeof(objectives[0]) };

/* P(fails within t | alive at age) of both scales; the two wrong laws only roughly. */
static void test_survival_trees_probability(void **state)
{
    struct sample *s = make_sample();
    for (size_t k = 0; k < N_OBJECTIVES; k++) {
        struct survival_trees *m = fit(s, objectives[k], 2);
        const double tol = k < 3 ? 0.06 : 0.25;
        for (double age = 0; age < 60; age += 25)
            for (double t = 10; t < 60; t += 15)
                for (int is_short = 0; is_short < 2; is_short++) {
                    const double scale = is_short ? 50 : 100;
                    const double row[] = {is_short ? 0.75 : 0.25, 0.5};
                    const double want = 1 - exp(pow(age / scale, 2) - pow((age + t) / scale, 2));
                    assert_close(survival_trees_probability(m, row, age, t), want, tol);
                }
        survival_trees_free(m);
    }
    free(s);
}

/* Higher risk = sooner; contributions add up to the risk; probability rises with time. */
static void test_survival_trees_risk_and_contributions(void **state)
{
    struct sample *s = make_sample();
    const struct matrix two = {
        .data = (const double[]){0.25, 0.5, 0.75, 0.5}, .n_rows = 2, .n_cols = M, .stride = M};
    for (size_t k = 0; k < N_OBJECTIVES; k++) {
        struct survival_trees *m = fit(s, objectives[k], 2);
        double risk[2], part[M + 1];
        survival_trees_predict(m, &two, risk);
        assert_true(risk[1] > risk[0] + 0.5);
        for (size_t i = 0; i < 2; i++) {
            assert_ok(survival_trees_contributions(m, matrix_row(&two, i), part, &err), err);
            assert_close(part[0] + part[1] + part[2], risk[i], 1e-9);
        }
        double last = 0;
        for (double t = 0; t < 400; t += 3) {
            const double p = survival_trees_probability(m, two.data, 5, t);
            assert_true(p >= last && p <= 1);
            last = p;
        }
        survival_trees_free(m);
    }
    free(s);
}

static void test_survival_trees_threads_and_text(void **state)
{
    struct sample *s = make_sample();
    for (size_t k = 0; k < 3; k++) {
        struct survival_trees *one = fit(s, objectives[k], 1), *many = fit(s, objectives[k], 5);
        struct survival_trees *again;
        struct buf a, b;
        buf_init(&a, 1 << 22);
        buf_init(&b, 1 << 22);
        survival_trees_write(one, &a);
        survival_trees_write(many, &b);
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.data, b.data, a.len);
        assert_ok(survival_trees_read(a.data, a.len, &again, &err), err);
        buf_free(&b);
        buf_init(&b, 1 << 22);
        survival_trees_write(again, &b);
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.data, b.data, a.len);
        survival_trees_free(again);
        assert_int_equal(survival_trees_read(a.data, a.len - 4, &again, &err), FT_INVALID);
        assert_null(again);
        buf_free(&a);
        buf_free(&b);
        survival_trees_free(one);
        survival_trees_free(many);
    }
    free(s);
}

static void test_survival_trees_read_refuses(void **state)
{
#define TREES(objective, columns)                                                                  \
    "gbdt 1\nobjective " objective "\ncolumns " columns "\nbase 0x0p+0\ntrees 0\nend\n"
#define HEAD "survival_trees 1\ncolumns 1\nshift 0x0p+0\nscale 0x0p+0\n"
    static const char *const bad[] = {
        "",
        "survival_trees 0\ncolumns 1\nshift 0x0p+0\nscale 0x0p+0\nn_times 0\ntime 0\ncumulative "
        "0\n" TREES("cox", "1"),
        HEAD "n_times 1\ntime 1 0x1p+0\ncumulative 0\n" TREES("cox", "1"),
        HEAD "n_times 1\ntime 1 0x1p+0\ncumulative 0\n" TREES("logistic", "1"),
        HEAD "n_times 0\ntime 0\ncumulative 0\n" TREES("logistic", "2"),
        HEAD "n_times 0\ntime 0\ncumulative 0\n" TREES("squared", "1"),
        HEAD "n_times 0\ntime 0\ncumulative 0\n" TREES("aft_weibull\nparameter 0x1p+0", "1"),
        HEAD "n_times 1\ntime 1 -0x1p+0\ncumulative 0\n" TREES("logistic", "2"),
        HEAD "n_times 1\ntime 1 0x1p+0\ncumulative 1 -0x1p+0\n" TREES("cox", "1"),
    };
    struct survival_trees *m;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(survival_trees_read(bad[i], strlen(bad[i]), &m, &err), FT_INVALID);
        assert_null(m);
    }
    const char good[] = HEAD "n_times 1\ntime 1 0x1p+0\ncumulative 1 0x1p+0\n" TREES("cox", "1");
    const double row = 0;
    assert_ok(survival_trees_read(good, sizeof(good) - 1, &m, &err), err);
    assert_close(survival_trees_probability(m, &row, 0, 2), 1 - exp(-1), 1e-15);
    survival_trees_free(m);
#undef HEAD
#undef TREES
}

static void test_survival_trees_fit_refuses(void **state)
{
    struct sample *s = make_sample();
    struct survival_trees *m;
    const struct matrix x = {.data = s->x, .n_rows = N, .n_cols = M, .stride = M};
    const struct gbdt_labels labels = {.y = s->time, .failed = s->failed};
    struct gbdt_params p = gbdt_params_default(GBDT_SQUARED);
    assert_int_equal(survival_trees_fit(&x, &labels, &p, 1, NULL, &m, &err), FT_INVALID);
    p.objective = GBDT_LOGISTIC;
    assert_int_equal(survival_trees_fit(&x, &labels, &p, 0, NULL, &m, &err), FT_INVALID);
    memset(s->failed, 0, sizeof(s->failed));
    assert_int_equal(survival_trees_fit(&x, &labels, &p, 5, NULL, &m, &err), FT_TOO_FEW);
    assert_null(m);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_survival_trees_probability),
        cmocka_unit_test(test_survival_trees_risk_and_contributions),
        cmocka_unit_test(test_survival_trees_threads_and_text),
        cmocka_unit_test(test_survival_trees_read_refuses),
        cmocka_unit_test(test_survival_trees_fit_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
