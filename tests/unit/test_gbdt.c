/* Boosted trees: hand-computed stumps, invariants, identity over threads, text form, SHAP. */
#include "tests/test.h"

#include "app/base/rng.h"
#include "models/gbdt/bin.h"
#include "models/gbdt/forest.h"
#include "models/gbdt/gbdt.h"

#include <stdbool.h>
#include <stdlib.h>

static struct ft_err err;

static struct gbdt *fit(const double *x, size_t n, size_t m, const double *y, const double *weight,
                        const struct gbdt_params *p, size_t n_threads)
{
    struct pool *pool;
    struct gbdt *g;
    const struct matrix view = {x, n, m, m, NULL};
    assert_ok(pool_new(n_threads, &pool, &err), err);
    assert_ok(gbdt_fit(&view, y, weight, p, pool, &g, &err), err);
    pool_free(pool);
    return g;
}

static double predict_one(const struct gbdt *g, const double *row)
{
    double out;
    const struct matrix view = {row, 1, gbdt_n_cols(g), gbdt_n_cols(g), NULL};
    gbdt_predict(g, &view, &out);
    return out;
}

static struct gbdt_params stump(enum gbdt_objective objective, double lambda)
{
    struct gbdt_params p = gbdt_params_default(objective);
    p.n_trees = 1;
    p.max_leaves = 2;
    p.rate = 1;
    p.lambda = lambda;
    p.min_child_weight = 0;
    return p;
}

/* --- by hand ---------------------------------------------------------------------------------- */

static void test_gbdt_fit_squared_stump(void **state)
{
    const double x[] = {1, 2, 3, 4}, y[] = {0, 0, 8, 8};
    const struct gbdt_params p = stump(GBDT_SQUARED, 1);
    struct gbdt *g = fit(x, 4, 1, y, NULL, &p, 1);
    /* Base 4; left G = 8, H = 2; gain = (64 / 3 + 64 / 3 - 0) / 2; leaves -+ 8 / 3. */
    assert_int_equal(g->n_nodes, 3);
    assert_close(g->base, 4, 0);
    assert_close(g->node[0].value, 2.5, 0);
    assert_close(g->gain[0], 64.0 / 3, 1e-13);
    assert_close(g->node[1].value, -8.0 / 3, 1e-15);
    assert_close(g->node[2].value, 8.0 / 3, 1e-15);
    assert_close(g->cover[0], 4, 0);
    assert_close(g->cover[1], 2, 0);
    double gain;
    gbdt_gain_importance(g, &gain);
    assert_close(gain, 64.0 / 3, 1e-13);
    gbdt_free(g);
}

static void test_gbdt_fit_logistic_stump(void **state)
{
    const double x[] = {1, 2, 3, 4}, y[] = {0, 0, 1, 1};
    struct gbdt_params p = stump(GBDT_LOGISTIC, 0);
    struct gbdt *g = fit(x, 4, 1, y, NULL, &p, 1);
    /* p = 1/2: g = +-1/2, h = 1/4; left G = 1, H = 1/2: Newton step -2, gain (2 + 2) / 2. */
    assert_close(g->base, 0, 0);
    assert_close(g->gain[0], 2, 0);
    assert_close(g->node[1].value, -1 - log(2), 0);
    assert_close(g->node[2].value, 1 + log(2), 0);
    gbdt_free(g);
    p.min_child_weight = 0.75; /* more than a side has */
    g = fit(x, 4, 1, y, NULL, &p, 1);
    assert_int_equal(g->n_trees, 0);
    gbdt_free(g);
    p.min_child_weight = 0;
    p.min_gain = 2.5;
    g = fit(x, 4, 1, y, NULL, &p, 1);
    assert_int_equal(g->n_trees, 0);
    gbdt_free(g);
}

static void test_gbdt_fit_weighted_stump(void **state)
{
    const double x[] = {1, 2, 3, 4}, y[] = {0, 4, 8, 8}, w[] = {2, 1, 1, 0};
    const struct gbdt_params p = stump(GBDT_SQUARED, 0);
    struct gbdt *g = fit(x, 4, 1, y, w, &p, 1);
    /* Weighted mean 3. After row 1: G = 6, H = 2 -> gain (18 + 18) / 2; after row 2: G = 5, H = 3
     * -> (25 / 3 + 25) / 2. So {0} and {4, 8}: leaves -3 and +3. */
    assert_close(g->base, 3, 0);
    assert_close(g->node[0].value, 1.5, 0);
    assert_close(g->gain[0], 18, 0);
    assert_close(g->node[1].value, -3, 1e-15);
    assert_close(g->node[2].value, 3, 1e-15);
    gbdt_free(g);
}

static void test_gbdt_fit_missing_alone(void **state)
{
    const double x[] = {NAN, NAN, 1, 2}, y[] = {8, 8, 0, 0};
    const struct gbdt_params p = stump(GBDT_SQUARED, 0);
    struct gbdt *g = fit(x, 4, 1, y, NULL, &p, 1);
    assert_close(predict_one(g, &x[0]), 8, 1e-12);
    assert_close(predict_one(g, &x[3]), 0, 1e-12);
    const double far_away = 1e300;
    assert_close(predict_one(g, &far_away), 0, 1e-12);
    gbdt_free(g);
}

static void test_gbdt_fit_missing_left(void **state)
{
    const double x[] = {1, NAN, 5, 6}, y[] = {8, 8, 0, 0};
    const struct gbdt_params p = stump(GBDT_SQUARED, 0);
    struct gbdt *g = fit(x, 4, 1, y, NULL, &p, 1);
    assert_close(g->node[0].value, 3, 0);
    assert_true(g->node[0].column & FOREST_MISSING_LEFT);
    for (size_t i = 0; i < 4; i++)
        assert_close(predict_one(g, &x[i]), y[i], 1e-12);
    gbdt_free(g);
}

/* Missing values that training never saw follow the heavier child. */
static void test_gbdt_fit_missing_unseen(void **state)
{
    const double x[] = {1, 2, 3, 4, 5, 6}, y[] = {0, 0, 0, 0, 9, 9}, missing = NAN;
    const struct gbdt_params p = stump(GBDT_SQUARED, 0);
    struct gbdt *g = fit(x, 6, 1, y, NULL, &p, 1);
    assert_close(predict_one(g, &missing), 0, 1e-12);
    gbdt_free(g);
}

static void test_gbdt_fit_tie_lowest_column(void **state)
{
    const double x[] = {7, 1, 1, 7, 2, 2, 7, 3, 3, 7, 4, 4}, y[] = {0, 0, 8, 8};
    const struct gbdt_params p = stump(GBDT_SQUARED, 1);
    struct gbdt *g = fit(x, 4, 3, y, NULL, &p, 1);
    assert_int_equal(g->node[0].column & ~FOREST_MISSING_LEFT, 1);
    gbdt_free(g);
}

static void test_gbdt_fit_infinite_values(void **state)
{
    const double x[] = {-INFINITY, 1, 2, INFINITY}, y[] = {0, 3, 3, 9};
    struct gbdt_params p = stump(GBDT_SQUARED, 0);
    p.max_leaves = 4;
    struct gbdt *g = fit(x, 4, 1, y, NULL, &p, 1);
    for (size_t i = 0; i < 4; i++)
        assert_close(predict_one(g, &x[i]), y[i], 1e-12);
    gbdt_free(g);
}

/* --- refusals --------------------------------------------------------------------------------- */

static enum ft_status try_fit(const double *y, const double *w, size_t n, struct gbdt_params p)
{
    const double x[] = {1, 2, 3, 4};
    const struct matrix view = {x, n, 1, 1, NULL};
    struct pool *pool;
    struct gbdt *g;
    assert_ok(pool_new(1, &pool, &err), err);
    const enum ft_status st = gbdt_fit(&view, y, w, &p, pool, &g, &err);
    assert_true((st == FT_OK) == (g != NULL));
    gbdt_free(g);
    pool_free(pool);
    return st;
}

static void test_gbdt_fit_refusals(void **state)
{
    const double ones[] = {1, 1, 1, 1}, mixed[] = {0, 1, 0, 1}, odd[] = {0, 1, 2, 1};
    const double nan_y[] = {0, 1, NAN, 1}, w_neg[] = {1, 1, -1, 1}, w_few[] = {1, 0, 0, 0};
    const double w_one_class[] = {1, 0, 1, 0};
    const struct gbdt_params logistic = gbdt_params_default(GBDT_LOGISTIC);
    const struct gbdt_params squared = gbdt_params_default(GBDT_SQUARED);
    assert_int_equal(try_fit(ones, NULL, 4, logistic), FT_TOO_FEW);
    assert_int_equal(try_fit(mixed, w_one_class, 4, logistic), FT_TOO_FEW);
    assert_int_equal(try_fit(mixed, w_few, 4, squared), FT_TOO_FEW);
    assert_int_equal(try_fit(mixed, NULL, 1, squared), FT_TOO_FEW);
    assert_int_equal(try_fit(odd, NULL, 4, logistic), FT_INVALID);
    assert_non_null(strstr(err.msg, "row 2"));
    assert_int_equal(try_fit(nan_y, NULL, 4, squared), FT_INVALID);
    assert_int_equal(try_fit(mixed, w_neg, 4, squared), FT_INVALID);
    assert_int_equal(try_fit(ones, NULL, 4, squared), FT_OK); /* a constant is learnt */
}

static void test_gbdt_params_check_names_field(void **state)
{
    struct gbdt_params p = gbdt_params_default(GBDT_LOGISTIC);
    assert_ok(gbdt_params_check(&p, &err), err);
    p.n_bins = 256;
    assert_int_equal(gbdt_params_check(&p, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "bins"));
    p = gbdt_params_default(GBDT_LOGISTIC);
    p.rate = NAN;
    assert_int_equal(gbdt_params_check(&p, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "rate"));
    p = gbdt_params_default(GBDT_LOGISTIC);
    p.row_sample = 0;
    assert_int_equal(gbdt_params_check(&p, &err), FT_INVALID);
    p = gbdt_params_default(GBDT_LOGISTIC);
    p.max_leaves = 5000;
    assert_int_equal(gbdt_params_check(&p, &err), FT_INVALID);
}

/* --- larger data ------------------------------------------------------------------------------ */

struct data {
    size_t n, m;
    double *x, *y, *w;
};

/* Smooth, coarse, constant and partly missing columns, a noisy target. */
static struct data make_data(size_t n, size_t m, bool is_binary)
{
    struct data d = {n, m, calloc(n * m, sizeof(double)), calloc(n, sizeof(double)),
                     calloc(n, sizeof(double))};
    for (size_t i = 0; i < n; i++) {
        double *row = d.x + i * m;
        for (size_t j = 0; j < m; j++) {
            const double u = rng_uniform(11, j, i);
            row[j] = j % 4 == 1 ? floor(u * 6) : j % 4 == 3 ? 2.5 : u;
            if (j % 3 == 2 && rng_uniform(12, j, i) < 0.15)
                row[j] = NAN;
        }
        const double z = 3 * row[0] - row[1] + (isnan(row[2]) ? 2 : row[2] * row[0]);
        const double noise = rng_uniform(13, 0, i);
        d.y[i] = is_binary ? (double)(noise < 1 / (1 + exp(-z))) : z + noise;
        d.w[i] = floor(rng_uniform(14, 0, i) * 4);
    }
    return d;
}

static void free_data(struct data *d)
{
    free(d->x);
    free(d->y);
    free(d->w);
}

static char *text_of(const struct gbdt *g, size_t *len)
{
    struct buf b;
    buf_init(&b, (size_t)1 << 26);
    gbdt_write(g, &b);
    assert_ok(buf_status(&b, &err), err);
    return buf_take(&b, len);
}

/* Fits with any number of threads, with vectors and without, from doubles and from floats. */
static void check_identity(size_t n, size_t m, struct gbdt_params p, bool weighted)
{
    struct data d = make_data(n, m, p.objective == GBDT_LOGISTIC);
    float *floats = calloc(n * m, sizeof(*floats));
    char *first = NULL;
    size_t first_len = 0;
    for (size_t i = 0; i < n * m; i++)
        d.x[i] = (double)(floats[i] = (float)d.x[i]);
    const struct matrix x[2] = {{d.x, n, m, m, NULL}, {NULL, n, m, m, floats}};
    const size_t n_threads[] = {1, 2, 3, 7, 16};
    for (size_t k = 0; k < 10; k++) {
        struct pool *pool;
        struct gbdt *g;
        size_t len;
        bins_allow_vectors(k % 3 != 0);
        assert_ok(pool_new(n_threads[k / 2], &pool, &err), err);
        assert_ok(gbdt_fit(&x[k % 2], d.y, weighted ? d.w : NULL, &p, pool, &g, &err), err);
        pool_free(pool);
        char *text = text_of(g, &len);
        assert_true(g->n_trees == p.n_trees);
        gbdt_free(g);
        if (first == NULL) {
            first = text;
            first_len = len;
            continue;
        }
        assert_int_equal(len, first_len);
        assert_memory_equal(text, first, len);
        free(text);
    }
    bins_allow_vectors(true);
    free(first);
    free(floats);
    free_data(&d);
}

static void test_gbdt_fit_same_bytes_any_threads(void **state)
{
    struct gbdt_params p = gbdt_params_default(GBDT_LOGISTIC);
    p.n_trees = 4;
    check_identity(70000, 19, p, false); /* several blocks in a partition */
    p.row_sample = 0.7;
    p.col_sample = 0.5;
    p.seed = 5;
    check_identity(40000, 19, p, true);
    p.objective = GBDT_SQUARED;
    p.n_bins = 64;
    p.max_depth = 3;
    check_identity(3000, 7, p, true);
    p = gbdt_params_default(GBDT_QUANTILE); /* leaves by sums of weights, which are not whole */
    p.n_trees = 3;
    p.quantile = 0.7;
    check_identity(45000, 9, p, true);
}

static void test_gbdt_fit_seed_matters(void **state)
{
    struct data d = make_data(2000, 8, true);
    struct gbdt_params p = gbdt_params_default(GBDT_LOGISTIC);
    p.n_trees = 3;
    p.row_sample = 0.5;
    size_t len_a, len_b;
    struct gbdt *a = fit(d.x, d.n, d.m, d.y, NULL, &p, 2);
    p.seed = 1;
    struct gbdt *b = fit(d.x, d.n, d.m, d.y, NULL, &p, 2);
    char *text_a = text_of(a, &len_a), *text_b = text_of(b, &len_b);
    assert_true(len_a != len_b || memcmp(text_a, text_b, len_a) != 0);
    free(text_a);
    free(text_b);
    gbdt_free(a);
    gbdt_free(b);
    free_data(&d);
}

/* A row of weight 3 is three rows. Values are coarse, so that both fits have the same bins. */
static void test_gbdt_fit_weights_are_copies(void **state)
{
    struct data d = make_data(1500, 5, true);
    double *x = calloc(d.n * 3 * d.m, sizeof(double)), *y = calloc(d.n * 3, sizeof(double));
    size_t n = 0;
    for (size_t i = 0; i < d.n * d.m; i++)
        d.x[i] = floor(d.x[i] * 20);
    for (size_t i = 0; i < d.n; i++)
        for (size_t c = 0; c < (size_t)d.w[i]; c++, n++) {
            memcpy(x + n * d.m, d.x + i * d.m, d.m * sizeof(double));
            y[n] = d.y[i];
        }
    struct gbdt_params p = gbdt_params_default(GBDT_LOGISTIC);
    p.n_trees = 5;
    struct gbdt *weighted = fit(d.x, d.n, d.m, d.y, d.w, &p, 2);
    struct gbdt *copied = fit(x, n, d.m, y, NULL, &p, 2);
    for (size_t i = 0; i < d.n; i++)
        assert_close(predict_one(weighted, d.x + i * d.m), predict_one(copied, d.x + i * d.m),
                     1e-9);
    gbdt_free(weighted);
    gbdt_free(copied);
    free(x);
    free(y);
    free_data(&d);
}

static void test_gbdt_fit_keeps_limits(void **state)
{
    struct data d = make_data(5000, 6, false);
    struct gbdt_params p = gbdt_params_default(GBDT_SQUARED);
    p.n_trees = 10;
    p.max_leaves = 12;
    p.max_depth = 4;
    p.min_child_weight = 100;
    struct gbdt *g = fit(d.x, d.n, d.m, d.y, NULL, &p, 2);
    assert_true(g->max_depth <= 4 && g->max_depth >= 3);
    for (size_t t = 0; t < g->n_trees; t++)
        assert_true(g->root[t + 1] - g->root[t] <= 2 * 12 - 1);
    for (size_t i = 0; i < g->n_nodes; i++) {
        assert_true(g->cover[i] >= 100);
        if (g->node[i].child != 0) {
            assert_close(g->cover[g->node[i].child] + g->cover[g->node[i].child + 1], g->cover[i],
                         0);
            assert_true((g->node[i].column & ~FOREST_MISSING_LEFT) != 3); /* constant column */
        }
    }
    gbdt_free(g);
    free_data(&d);
}

/* With squared loss and no shrinkage every leaf value is the mean of its rows: the scores of the
 * drawn rows and those of a fresh prediction must agree to the last step of 61-bit sums. */
static void test_gbdt_fit_leaf_values_exact(void **state)
{
    struct data d = make_data(20000, 6, false);
    struct gbdt_params p = stump(GBDT_SQUARED, 0);
    struct gbdt *g = fit(d.x, d.n, d.m, d.y, NULL, &p, 2);
    double sum[2] = {0}, n[2] = {0};
    for (size_t i = 0; i < d.n; i++) {
        const size_t side = forest_next(g, &g->node[0], d.x + i * d.m) - 1;
        sum[side] += d.y[i];
        n[side]++;
    }
    for (size_t k = 0; k < 2; k++)
        assert_close(g->base + g->node[1 + k].value, sum[k] / n[k], 1e-12);
    gbdt_free(g);
    free_data(&d);
}

static void test_gbdt_fit_learns(void **state)
{
    struct data d = make_data(20000, 6, false);
    struct gbdt_params p = gbdt_params_default(GBDT_SQUARED);
    p.row_sample = 0.6;
    struct gbdt *g = fit(d.x, d.n, d.m, d.y, NULL, &p, 2);
    double sum = 0;
    for (size_t i = 0; i < d.n; i++) {
        const double e = predict_one(g, d.x + i * d.m) - d.y[i];
        sum += e * e;
    }
    /* The noise is uniform on [0, 1): its standard deviation is 0.289. */
    assert_true(sqrt(sum / (double)d.n) < 0.30);
    gbdt_free(g);
    free_data(&d);
}

/* The plain walk, written out. */
static double walk(const struct gbdt *g, const double *row)
{
    double sum = g->base;
    for (size_t t = 0; t < g->n_trees; t++) {
        size_t at = g->root[t];
        while (g->node[at].child != 0)
            at = forest_next(g, &g->node[at], row);
        sum += g->node[at].value;
    }
    return sum;
}

static void check_all_walks(const struct gbdt *g, const struct data *d)
{
    double *out = calloc(d->n, sizeof(*out));
    float *floats = calloc(d->n * d->m, sizeof(*floats));
    const struct matrix wide = {d->x, d->n, d->m, d->m, NULL};
    const struct matrix narrow = {NULL, d->n, d->m, d->m, floats};
    for (size_t k = 0; k < 2; k++) {
        bins_allow_vectors(k == 0);
        gbdt_predict(g, &wide, out);
        for (size_t i = 0; i < d->n; i++) {
            const double want = walk(g, d->x + i * d->m);
            assert_true(out[i] == want);
            assert_true(predict_one(g, d->x + i * d->m) == want);
        }
    }
    bins_allow_vectors(true);
    for (size_t i = 0; i < d->n * d->m; i++)
        d->x[i] = (double)(floats[i] = (float)d->x[i]);
    gbdt_predict(g, &narrow, out);
    for (size_t i = 0; i < d->n; i++) {
        const struct matrix one = matrix_rows(&narrow, i, 1);
        double single;
        gbdt_predict(g, &one, &single);
        assert_true(out[i] == walk(g, d->x + i * d->m));
        assert_true(single == out[i]);
    }
    free(out);
    free(floats);
}

static void test_gbdt_predict_same_bits_all_walks(void **state)
{
    struct data d = make_data(1003, 9, true);
    struct gbdt_params p = gbdt_params_default(GBDT_LOGISTIC);
    p.n_trees = 30;
    struct gbdt *g = fit(d.x, d.n, d.m, d.y, NULL, &p, 2);
    assert_non_null(g->batch);
    for (size_t i = 0; i < d.n; i += 50)
        d.x[i * d.m] = i % 100 ? INFINITY : -INFINITY;
    check_all_walks(g, &d);
    gbdt_free(g);
    free_data(&d);
}

/* A forest from elsewhere with more thresholds on a column than a byte can tell apart. */
static void test_gbdt_predict_many_thresholds(void **state)
{
    struct gbdt *g = forest_new(GBDT_SQUARED, 9, 0.5);
    struct data d = make_data(200, 9, false);
    assert_non_null(g);
    for (size_t t = 0; t < 300; t++) {
        const size_t i = forest_add_tree(g, 3);
        g->node[i] = (struct forest_node){(double)t / 300, 0, (uint32_t)i + 1};
        g->node[i + 1].value = 1.0 / 3;
        g->node[i + 2].value = -0.1;
        g->cover[i] = 2;
        g->cover[i + 1] = g->cover[i + 2] = 1;
    }
    forest_finish(g);
    assert_null(g->batch);
    check_all_walks(g, &d);
    gbdt_free(g);
    free_data(&d);
}

/* --- text form -------------------------------------------------------------------------------- */

static void test_gbdt_read_round_trip(void **state)
{
    struct data d = make_data(3000, 9, true);
    struct gbdt_params p = gbdt_params_default(GBDT_LOGISTIC);
    p.n_trees = 10;
    struct gbdt *g = fit(d.x, d.n, d.m, d.y, NULL, &p, 2), *copy;
    size_t len, copy_len;
    char *text = text_of(g, &len);
    assert_ok(gbdt_read(text, len, &copy, &err), err);
    char *again = text_of(copy, &copy_len);
    assert_int_equal(len, copy_len);
    assert_memory_equal(text, again, len);
    assert_close(copy->expected, g->expected, 0);
    for (size_t i = 0; i < 100; i++)
        assert_close(predict_one(copy, d.x + i * d.m), predict_one(g, d.x + i * d.m), 0);
    gbdt_free(copy);
    for (size_t cut = 0; cut < len; cut += 97) { /* every shorter text is refused */
        assert_int_equal(gbdt_read(text, cut, &copy, &err), FT_INVALID);
        assert_null(copy);
    }
    free(text);
    free(again);
    gbdt_free(g);
    free_data(&d);
}

static void test_gbdt_read_refuses(void **state)
{
#define HEAD "gbdt 1\nobjective squared\ncolumns 2\nbase 0x1p+0\n"
    static const char *const bad[] = {
        "",
        "gbdt 2\nobjective squared\ncolumns 2\nbase 0x1p+0\ntrees 0\nend\n",
        "gbdt 1\nobjective poison\ncolumns 2\nbase 0x1p+0\ntrees 0\nend\n",
        "gbdt 1\nobjective quantile\ncolumns 2\nbase 0x1p+0\ntrees 0\nend\n",
        "gbdt 1\nobjective quantile\nparameter 0x1p+0\ncolumns 2\nbase 0x1p+0\ntrees 0\nend\n",
        "gbdt 1\nobjective squared\ncolumns 0\nbase 0x1p+0\ntrees 0\nend\n",
        "gbdt 1\nobjective squared\ncolumns 2\nbase nan\ntrees 0\nend\n",
        HEAD "trees 0\nend\nx",
        HEAD "trees 1\nend\n",
        HEAD "trees 1\ntree 2\nl 0x1p+0 0x1p+0\nl 0x1p+0 0x1p+0\nend\n",
        HEAD "trees 1\ntree 3\nl 0x1p+0 0x1p+0\nl 0x1p+0 0x1p+0\nl 0x1p+0 0x1p+0\nend\n",
        HEAD "trees 1\ntree 1\ns 0 0x1p+0 l 0x1p+0 0x1p+0\nend\n",
        HEAD "trees 1\ntree 3\ns 2 0x1p+0 l 0x1p+0 0x1p+0\nl 0x1p+0 0x1p+0\nl 0x1p+0 0x1p+0\nend\n",
        HEAD "trees 1\ntree 3\ns 1 0x1p+0 x 0x1p+0 0x1p+0\nl 0x1p+0 0x1p+0\nl 0x1p+0 0x1p+0\nend\n",
        HEAD "trees 1\ntree 1\nl 0x1p+0 0x0p+0\nend\n",
        HEAD "trees 1\ntree 1\nl inf 0x1p+0\nend\n",
        HEAD "trees 1\ntree 1\nl 1.5 0x1p+0\nend\n",
        HEAD "trees 1\ntree 99999999999999999999\nend\n",
    };
    struct gbdt *g;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(gbdt_read(bad[i], strlen(bad[i]), &g, &err), FT_INVALID);
        assert_null(g);
    }
    const char *good = HEAD "trees 1\ntree 3\ns 1 inf r 0x1p+0 0x1p+1\nl 0x1p+0 0x1p+0\n"
                            "l 0x1p+1 0x1p+0\nend\n";
    assert_ok(gbdt_read(good, strlen(good), &g, &err), err);
    const double row[] = {NAN, NAN};
    assert_close(predict_one(g, row), 3, 0);
    gbdt_free(g);
#undef HEAD
}

/* --- contributions ---------------------------------------------------------------------------- */

/* Expected score of a tree when only the columns of the mask are known. */
static double expected(const struct gbdt *g, size_t at, const double *row, unsigned mask)
{
    const struct forest_node *n = &g->node[at];
    if (n->child == 0)
        return n->value;
    const uint32_t column = n->column & ~FOREST_MISSING_LEFT;
    if (mask >> column & 1)
        return expected(g, forest_next(g, n, row), row, mask);
    return (g->cover[n->child] * expected(g, n->child, row, mask) +
            g->cover[n->child + 1] * expected(g, n->child + 1, row, mask)) /
           g->cover[at];
}

static double value_of_mask(const struct gbdt *g, const double *row, unsigned mask)
{
    double sum = g->base;
    for (size_t t = 0; t < g->n_trees; t++)
        sum += expected(g, g->root[t], row, mask);
    return sum;
}

static void test_gbdt_contributions_equal_shapley(void **state)
{
    enum { M = 5 };
    static const double factorial[] = {1, 1, 2, 6, 24, 120};
    struct data d = make_data(3000, M, true);
    struct gbdt_params p = gbdt_params_default(GBDT_LOGISTIC);
    p.n_trees = 5;
    struct gbdt *g = fit(d.x, d.n, d.m, d.y, d.w, &p, 2);
    for (size_t i = 0; i < 40; i++) {
        const double *row = d.x + i * M;
        double got[M + 1];
        assert_ok(gbdt_contributions(g, row, got, &err), err);
        assert_close(got[M], value_of_mask(g, row, 0), 1e-12);
        for (unsigned j = 0; j < M; j++) {
            double want = 0; /* Shapley 1953: over all subsets without j */
            for (unsigned s = 0; s < 1U << M; s++)
                if (!(s >> j & 1)) {
                    const int k = __builtin_popcount(s);
                    want += factorial[k] * factorial[M - 1 - k] / factorial[M] *
                            (value_of_mask(g, row, s | 1U << j) - value_of_mask(g, row, s));
                }
            assert_close(got[j], want, 1e-10);
        }
    }
    gbdt_free(g);
    free_data(&d);
}

static void test_gbdt_contributions_add_up(void **state)
{
    struct data d = make_data(8000, 20, false);
    struct gbdt_params p = gbdt_params_default(GBDT_SQUARED);
    p.n_trees = 60;
    p.col_sample = 0.4;
    struct gbdt *g = fit(d.x, d.n, d.m, d.y, NULL, &p, 2);
    for (size_t i = 0; i < 50; i++) {
        double c[21], sum = 0;
        assert_ok(gbdt_contributions(g, d.x + i * d.m, c, &err), err);
        for (size_t j = 0; j < 21; j++)
            sum += c[j];
        assert_close(sum, predict_one(g, d.x + i * d.m), 1e-9);
        assert_close(c[3], 0, 0); /* constant column */
    }
    gbdt_free(g);
    free_data(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gbdt_fit_squared_stump),
        cmocka_unit_test(test_gbdt_fit_logistic_stump),
        cmocka_unit_test(test_gbdt_fit_weighted_stump),
        cmocka_unit_test(test_gbdt_fit_missing_alone),
        cmocka_unit_test(test_gbdt_fit_missing_left),
        cmocka_unit_test(test_gbdt_fit_missing_unseen),
        cmocka_unit_test(test_gbdt_fit_tie_lowest_column),
        cmocka_unit_test(test_gbdt_fit_infinite_values),
        cmocka_unit_test(test_gbdt_fit_refusals),
        cmocka_unit_test(test_gbdt_params_check_names_field),
        cmocka_unit_test(test_gbdt_fit_same_bytes_any_threads),
        cmocka_unit_test(test_gbdt_fit_seed_matters),
        cmocka_unit_test(test_gbdt_fit_weights_are_copies),
        cmocka_unit_test(test_gbdt_fit_keeps_limits),
        cmocka_unit_test(test_gbdt_fit_leaf_values_exact),
        cmocka_unit_test(test_gbdt_fit_learns),
        cmocka_unit_test(test_gbdt_predict_same_bits_all_walks),
        cmocka_unit_test(test_gbdt_predict_many_thresholds),
        cmocka_unit_test(test_gbdt_read_round_trip),
        cmocka_unit_test(test_gbdt_read_refuses),
        cmocka_unit_test(test_gbdt_contributions_equal_shapley),
        cmocka_unit_test(test_gbdt_contributions_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
