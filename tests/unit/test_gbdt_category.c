/* Columns of categories: the split search against all ways to part small sets, fits against columns
 * of zeros and ones, every way of scoring against the others, and the text form. */
#include "tests/test.h"

#include "app/base/rng.h"
#include "models/gbdt/bagged.h"
#include "models/gbdt/category.h"
#include "models/gbdt/forest.h"
#include "models/gbdt/histogram.h"
#include "models/gbdt/split.h"

#include <stdbool.h>
#include <stdlib.h>

static struct ft_err err;

static struct gbdt *fit(const struct matrix *x, const double *y, const struct gbdt_params *p,
                        size_t n_threads)
{
    struct pool *pool;
    struct gbdt *g;
    assert_ok(pool_new(n_threads, &pool, &err), err);
    assert_ok(gbdt_fit(x, y, NULL, p, pool, &g, &err), err);
    pool_free(pool);
    return g;
}

static struct buf text_of(const struct gbdt *g)
{
    struct buf text;
    buf_init(&text, (size_t)1 << 26);
    gbdt_write(g, &text);
    assert_ok(buf_status(&text, &err), err);
    return text;
}

/* --- the search ------------------------------------------------------------------------------- */

/* Gain of the best of all ways to part the codes with rows in two. */
static double best_gain_of_all(const uint64_t *hist, size_t n_bins, uint64_t total,
                               const struct split_rule *rule)
{
    double best = 0;
    for (unsigned part = 1; part < 1U << (n_bins + 1); part++) {
        uint64_t left = 0;
        for (size_t c = 0; c <= n_bins; c++)
            left += part >> c & 1 ? hist[c] : 0;
        const uint64_t right = total - left;
        if (gh_hessian(left) == 0 || gh_hessian(right) == 0)
            continue;
        best = fmax(best, 0.5 * rule->gain_unit *
                              (split_score(left, rule) + split_score(right, rule) -
                               split_score(total, rule)));
    }
    return best;
}

static void test_split_search_set_is_exhaustive_best(void **state)
{
    static const struct limits free_limits = {-INFINITY, INFINITY};
    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        const size_t n_bins = 1 + rng_below(1, 0, seed, 8);
        uint64_t hist[MAX_CATEGORIES + 1] = {0}, total = 0;
        for (size_t c = 0; c <= n_bins; c++) {
            if (rng_below(1, 1, seed * 16 + c, 4) == 0)
                continue; /* nothing of this category */
            const int32_t g = (int32_t)rng_below(1, 2, seed * 16 + c, 20001) - 10000;
            hist[c] = gh_pack(g, 1 + (uint32_t)rng_below(1, 3, seed * 16 + c, 9000));
            total += hist[c];
        }
        const struct split_rule rule = {
            .lambda = seed % 3 == 0 ? 0 : 700, .alpha = seed % 4 == 0 ? 3000 : 0, .gain_unit = 1};
        struct split best = {0};
        split_search_set(hist, n_bins, total, 5, &rule, &free_limits, &best);
        const double want = best_gain_of_all(hist, n_bins, total, &rule);
        assert_close(best.gain, want, 1e-9 * want);
        if (best.gain <= 0)
            continue;
        uint64_t left = 0;
        for (unsigned c = 0; c <= n_bins; c++)
            left += split_takes_left(&best, c, (unsigned)n_bins) ? hist[c] : 0;
        assert_true(left == best.left);
        assert_true(best.is_set);
        assert_int_equal(best.column, 5);
        assert_int_equal(code_set_has(&best.set, CATEGORY_MISSING), best.missing_left);
        if (hist[n_bins] != 0)
            assert_int_equal(code_set_has(&best.set, (unsigned)n_bins), best.missing_left);
    }
}

static void test_split_search_set_keeps_rules(void **state)
{
    static const struct limits free_limits = {-INFINITY, INFINITY};
    const uint64_t hist[] = {gh_pack(-50, 10), gh_pack(0, 100), gh_pack(60, 100), 0};
    const uint64_t total = hist[0] + hist[1] + hist[2];
    struct split_rule rule = {.min_weight = 20, .gain_unit = 1};
    struct split best = {0};
    (void)state;
    split_search_set(hist, 3, total, 0, &rule, &free_limits, &best);
    assert_true(best.left == hist[0] + hist[1]); /* the first alone would be too light */
    assert_true(best.missing_left);              /* the heavier child */
    rule.min_gain = best.gain * 2;
    best = (struct split){0};
    split_search_set(hist, 3, total, 0, &rule, &free_limits, &best);
    assert_close(best.gain, 0, 0);
}

static void test_category_code(void **state)
{
    (void)state;
    assert_int_equal(category_code(0), 0);
    assert_int_equal(category_code(-0.0), 0);
    assert_int_equal(category_code(254), 254);
    const double none[] = {255, -1, 1.5, 1e300, -INFINITY, INFINITY, NAN};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_int_equal(category_code(none[i]), CATEGORY_MISSING);
}

/* --- fits ------------------------------------------------------------------------------------- */

static struct gbdt_params one_split(enum gbdt_objective objective)
{
    struct gbdt_params p = gbdt_params_default(objective);
    p.n_trees = 1;
    p.max_leaves = 2;
    p.rate = 1;
    p.lambda = 0;
    p.category_lambda = 0;
    p.min_child_weight = 0;
    return p;
}

/* Categories 0 and 2 are low, 1 and 3 high, missing in between: no threshold parts them. */
static void test_gbdt_fit_category_stump(void **state)
{
    static const double x[] = {0, 1, 2, 3, NAN, 0, 1, 2, 3, 99};
    static const double y[] = {1, 9, 1, 9, 4, 1, 9, 1, 9, 4};
    static const bool is_category[] = {true};
    const struct matrix view = {x, 10, 1, 1, NULL};
    struct gbdt_params p = one_split(GBDT_SQUARED);
    (void)state;
    p.is_category = is_category;
    p.n_bins = 4;
    struct gbdt *g = fit(&view, y, &p, 1);
    /* Mean 4.8; without a penalty missing values (mean 4) go with the low ones: (8 * 1 ... ) / 6.
     */
    assert_int_equal(g->n_trees, 1);
    assert_true(forest_is_set(&g->node[0]));
    assert_false(g->node[0].column & FOREST_MISSING_LEFT);
    assert_int_equal(forest_set_of(g, &g->node[0])->word[0], 1U << 1 | 1U << 3);
    double out[10];
    gbdt_predict(g, &view, out);
    for (size_t i = 0; i < 10; i++)
        assert_close(out[i], y[i] == 9 ? 9 : 2, 1e-6);
    const double unseen = 77;
    const struct matrix row = {&unseen, 1, 1, 1, NULL};
    gbdt_predict(g, &row, out);
    assert_close(out[0], 2, 1e-6);
    gbdt_free(g);
}

enum { N = 3000, M = 4 };

/* Column 0 has 40 categories with effects in no order, 1 two, 2 and 3 are numbers; some missing. */
static void make_data(double *x, double *y, bool is_binary)
{
    for (size_t i = 0; i < N; i++) {
        double *row = x + i * M;
        row[0] = (double)rng_below(7, 0, i, 40);
        row[1] = (double)rng_below(7, 1, i, 2);
        row[2] = rng_uniform(7, 2, i);
        row[3] = rng_normal(7, 3, i);
        const double z = 2 * sin(1e3 * row[0]) + row[1] * row[2] + 0.3 * row[3];
        if (rng_uniform(7, 4, i) < 0.05)
            row[0] = NAN;
        y[i] = is_binary ? (double)(z > rng_normal(7, 5, i)) : z + 0.3 * rng_normal(7, 5, i);
    }
}

static const bool kinds[M] = {true, true, false, false};

static void test_gbdt_fit_two_categories_equal_numbers(void **state)
{
    double *x = calloc(N, M * sizeof(*x)), *y = calloc(N, sizeof(*y));
    const struct matrix view = {x + 1, N, M - 1, M, NULL};
    struct gbdt_params p = gbdt_params_default(GBDT_LOGISTIC);
    double *out[2] = {calloc(N, sizeof(double)), calloc(N, sizeof(double))};
    (void)state;
    make_data(x, y, true);
    p.category_lambda = 0;
    p.n_trees = 12;
    for (size_t k = 0; k < 2; k++) {
        p.is_category = k == 0 ? NULL : kinds + 1;
        struct gbdt *g = fit(&view, y, &p, 2);
        gbdt_predict(g, &view, out[k]);
        assert_true(k == 0 ? g->n_sets == 0 : g->n_sets > 0);
        gbdt_free(g);
    }
    for (size_t i = 0; i < N; i++)
        assert_close(out[1][i], out[0][i], 1e-12);
    free(out[0]);
    free(out[1]);
    free(x);
    free(y);
}

/* The plain walk of one row, the batch, floats, contributions, text and back: all the same. */
static void test_gbdt_predict_category_all_walks(void **state)
{
    double *x = calloc(N, M * sizeof(*x)), *y = calloc(N, sizeof(*y)), *out = calloc(N, 8);
    float *narrow = calloc(N, M * sizeof(*narrow));
    const struct matrix view = {x, N, M, M, NULL}, floats = {NULL, N, M, M, narrow};
    struct gbdt_params p = gbdt_params_default(GBDT_SQUARED);
    (void)state;
    make_data(x, y, false);
    p.n_trees = 20;
    p.is_category = kinds;
    struct gbdt *g = fit(&view, y, &p, 2), *again;
    struct buf text = text_of(g);
    assert_ok(gbdt_read(text.data, text.len, &again, &err), err);
    x[0] = 200; /* not seen in training, no category, not whole */
    x[M] = -3;
    x[2 * M] = 7.5;
    for (size_t i = 0; i < N * M; i++)
        narrow[i] = (float)x[i];
    for (size_t i = 0; i < N * M; i++)
        x[i] = (double)narrow[i];
    gbdt_predict(g, &view, out);
    for (size_t i = 0; i < N; i++) {
        double one, parts[M + 1], sum = 0;
        const struct matrix row = matrix_rows(&view, i, 1), narrow_row = matrix_rows(&floats, i, 1);
        gbdt_predict(g, &row, &one);
        assert_close(out[i], one, 0);
        gbdt_predict(again, &narrow_row, &one);
        assert_close(out[i], one, 0);
        if (i % 50 != 0)
            continue;
        assert_ok(gbdt_contributions(g, x + i * M, parts, &err), err);
        for (size_t j = 0; j <= M; j++)
            sum += parts[j];
        assert_close(sum, one, 1e-9);
    }
    double missing[M] = {NAN, x[1], x[2], x[3]}, as_missing;
    const struct matrix row = {missing, 1, M, M, NULL};
    gbdt_predict(g, &row, &as_missing);
    assert_close(out[0], as_missing, 0);
    double error = 0;
    for (size_t i = 3; i < N; i++)
        error += (out[i] - y[i]) * (out[i] - y[i]) / N;
    assert_true(error < 0.2); /* the categories alone carry a variance of 2 */
    buf_free(&text);
    gbdt_free(again);
    gbdt_free(g);
    free(narrow);
    free(x);
    free(y);
    free(out);
}

static void test_gbdt_fit_category_same_bytes_any_threads(void **state)
{
    double *x = calloc(N, M * sizeof(*x)), *y = calloc(N, sizeof(*y));
    const struct matrix view = {x, N, M, M, NULL};
    struct gbdt_params p = gbdt_params_default(GBDT_LOGISTIC);
    (void)state;
    make_data(x, y, true);
    const struct gbdt_held_out held = {.x = view, .labels = {.y = y}, .patience = 5};
    p.n_trees = 10;
    p.row_sample = 0.7;
    p.col_sample = 0.8;
    p.is_category = kinds;
    p.held_out = &held;
    struct gbdt *g = fit(&view, y, &p, 1);
    struct buf want = text_of(g);
    gbdt_free(g);
    for (size_t n_threads = 2; n_threads < 8; n_threads += 3) {
        g = fit(&view, y, &p, n_threads);
        struct buf got = text_of(g);
        assert_int_equal(got.len, want.len);
        assert_memory_equal(got.data, want.data, got.len);
        buf_free(&got);
        gbdt_free(g);
    }
    buf_free(&want);
    free(x);
    free(y);
}

/* A forest beside the trees keeps the sets of both. */
static void test_bagged_fit_beside_categories(void **state)
{
    enum { N_FOREST = 6 };
    double *x = calloc(N, M * sizeof(*x)), *y = calloc(N, sizeof(*y)), out[2][N];
    const struct matrix view = {x, N, M, M, NULL};
    struct gbdt_params p = gbdt_params_default(GBDT_SQUARED);
    struct gbdt *g, *again;
    struct pool *pool;
    double error = 0;
    (void)state;
    make_data(x, y, false);
    p.n_trees = 20;
    p.is_category = kinds;
    const struct gbdt_labels labels = {.y = y};
    assert_ok(pool_new(2, &pool, &err), err);
    assert_ok(bagged_fit_beside(&view, NULL, &labels, &p, N_FOREST, pool, &g, &err), err);
    assert_int_equal(g->n_trees, 20 + N_FOREST);
    assert_true(forest_is_set(&g->node[g->root[20]]) || forest_is_set(&g->node[g->root[21]]));
    struct buf text = text_of(g);
    assert_ok(gbdt_read(text.data, text.len, &again, &err), err);
    gbdt_predict(g, &view, out[0]);
    gbdt_predict(again, &view, out[1]);
    for (size_t i = 0; i < N; i++) {
        assert_close(out[1][i], out[0][i], 0);
        error += (out[0][i] - y[i]) * (out[0][i] - y[i]) / N;
    }
    assert_true(error < 0.2);
    buf_free(&text);
    gbdt_free(again);
    gbdt_free(g);
    pool_free(pool);
    free(x);
    free(y);
}

/* Categories beyond the bins are missing; the rest keep their own. */
static void test_gbdt_fit_category_beyond_bins(void **state)
{
    static const double x[] = {0, 1, 2, 3, 0, 1, 2, 3}, y[] = {0, 8, 4, 4, 0, 8, 4, 4};
    static const bool is_category[] = {true};
    const struct matrix view = {x, 8, 1, 1, NULL};
    struct gbdt_params p = one_split(GBDT_SQUARED);
    double out[8];
    (void)state;
    p.is_category = is_category;
    p.n_bins = 2;
    p.max_leaves = 8;
    struct gbdt *g = fit(&view, y, &p, 1);
    gbdt_predict(g, &view, out);
    for (size_t i = 0; i < 8; i++)
        assert_close(out[i], y[i], 1e-6);
    gbdt_free(g);
}

static void test_gbdt_fit_refuses_monotone_categories(void **state)
{
    static const double x[] = {0, 1}, y[] = {0, 1};
    static const bool is_category[] = {true};
    static const int8_t monotone[] = {1};
    const struct matrix view = {x, 2, 1, 1, NULL};
    struct gbdt_params p = one_split(GBDT_SQUARED);
    struct pool *pool;
    struct gbdt *g;
    (void)state;
    p.is_category = is_category;
    p.monotone = monotone;
    assert_ok(pool_new(1, &pool, &err), err);
    assert_int_equal(gbdt_fit(&view, y, NULL, &p, pool, &g, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "column 0 holds categories"));
    pool_free(pool);
}

#define HEAD "gbdt 1\nobjective squared\ncolumns 1\nbase 0x0p+0\ntrees 1\ntree 3\n"
#define TAIL " 0x1p+0 0x1p+1\nl 0x1p+0 0x1p+0\nl 0x1p+1 0x1p+0\nend\n"
#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"

static void test_gbdt_read_category(void **state)
{
    static const char *const bad[] = {
        HEAD "c 0 " ZEROS "0" TAIL,    /* 63 digits */
        HEAD "c 0 " ZEROS "0005" TAIL, /* 66 */
        HEAD "c 0 " ZEROS "0G" TAIL,   HEAD "c 0 " ZEROS "0A" TAIL,
        HEAD "c 1 " ZEROS "05" TAIL,   HEAD "c 0 " ZEROS "05 l" TAIL,
    };
    static const char good[] = HEAD "c 0 " ZEROS "05" TAIL;
    static const double x[] = {0, 1, 2, 3, NAN};
    struct gbdt *g;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(gbdt_read(bad[i], strlen(bad[i]), &g, &err), FT_INVALID);
        assert_null(g);
    }
    assert_ok(gbdt_read(good, strlen(good), &g, &err), err);
    for (size_t i = 0; i < 5; i++) {
        double out;
        const struct matrix row = {x + i, 1, 1, 1, NULL};
        gbdt_predict(g, &row, &out);
        assert_close(out, i == 0 || i == 2 ? 1 : 2, 0);
    }
    struct buf text = text_of(g);
    assert_int_equal(text.len, strlen(good));
    assert_memory_equal(text.data, good, text.len);
    buf_free(&text);
    gbdt_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split_search_set_is_exhaustive_best),
        cmocka_unit_test(test_split_search_set_keeps_rules),
        cmocka_unit_test(test_category_code),
        cmocka_unit_test(test_gbdt_fit_category_stump),
        cmocka_unit_test(test_gbdt_fit_two_categories_equal_numbers),
        cmocka_unit_test(test_gbdt_predict_category_all_walks),
        cmocka_unit_test(test_gbdt_fit_category_same_bytes_any_threads),
        cmocka_unit_test(test_bagged_fit_beside_categories),
        cmocka_unit_test(test_gbdt_fit_category_beyond_bins),
        cmocka_unit_test(test_gbdt_fit_refuses_monotone_categories),
        cmocka_unit_test(test_gbdt_read_category),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
