/* What a fit may be told besides its data: L1, monotone columns, the weight of positives, rows to
 * stop early on; and memory that is gone at any moment. */
#include "tests/test.h"

#include "app/base/rng.h"
#include "models/gbdt/bin.h"
#include "models/gbdt/forest.h"
#include "models/gbdt/gbdt.h"
#include "models/metrics.h"
#include "tests/golden/gbdt_limits.h"
#include "tests/no_memory.h"

#include <stdbool.h>
#include <stdlib.h>

enum { N = 4000, M = 4 };

static struct ft_err err;

struct data {
    double x[N * M], y[N], held_x[N * M], held_y[N];
};

/* Column 0 drives the target up with a dip in the middle, column 1 down, column 2 both ways. */
static void make_half(double *x, double *y, uint64_t seed, bool is_binary)
{
    for (size_t i = 0; i < N; i++) {
        double *row = x + i * M;
        for (size_t j = 0; j < M; j++)
            row[j] = rng_uniform(seed, j, i);
        const double dip = row[0] > 0.4 && row[0] < 0.6 ? 1 : 0;
        const double z = 3 * row[0] - dip - 2 * row[1] + sin(6 * row[2]);
        if (rng_uniform(seed, 10, i) < 0.1)
            row[3] = row[0] = NAN;
        y[i] = is_binary ? (double)(rng_uniform(seed, 11, i) < 1 / (1 + exp(2 - z)))
                         : z + rng_normal(seed, 11, i);
    }
}

static struct data *make_data(bool is_binary)
{
    struct data *d = calloc(1, sizeof(*d));
    make_half(d->x, d->y, 21, is_binary);
    make_half(d->held_x, d->held_y, 22, is_binary);
    return d;
}

static struct gbdt *fit(const struct data *d, size_t n, const double *weight,
                        const struct gbdt_params *p)
{
    struct pool *pool;
    struct gbdt *g;
    const struct matrix x = {d->x, n, M, M, NULL};
    assert_ok(pool_new(2, &pool, &err), err);
    assert_ok(gbdt_fit(&x, d->y, weight, p, pool, &g, &err), err);
    pool_free(pool);
    return g;
}

static void assert_same_forest(const struct gbdt *a, const struct gbdt *b)
{
    struct buf text[2];
    for (size_t k = 0; k < 2; k++) {
        buf_init(&text[k], (size_t)1 << 26);
        gbdt_write(k == 0 ? a : b, &text[k]);
        assert_ok(buf_status(&text[k], &err), err);
    }
    assert_int_equal(text[0].len, text[1].len);
    assert_memory_equal(text[0].data, text[1].data, text[0].len);
    buf_free(&text[0]);
    buf_free(&text[1]);
}

static void test_gbdt_fit_l1_stump(void **state)
{
    const double x[] = {1, 2, 3, 4}, y[] = {0, 0, 8, 8};
    const struct matrix view = {x, 4, 1, 1, NULL};
    struct gbdt_params p = gbdt_params_default(GBDT_SQUARED);
    struct pool *pool;
    struct gbdt *g;
    p.n_trees = 1;
    p.max_leaves = 2;
    p.rate = 1;
    p.alpha = 2;
    assert_ok(pool_new(1, &pool, &err), err);
    assert_ok(gbdt_fit(&view, y, NULL, &p, pool, &g, &err), err);
    /* G = 8 becomes 6, H = 2, lambda 1: leaves -+ 6 / 3; gain (36 / 3 + 36 / 3) / 2. */
    assert_close(g->gain[0], 12, 1e-13);
    assert_close(g->node[1].value, -2, 1e-15);
    assert_close(g->node[2].value, 2, 1e-15);
    gbdt_free(g);
    p.alpha = 8; /* nothing is left to gain */
    assert_ok(gbdt_fit(&view, y, NULL, &p, pool, &g, &err), err);
    assert_int_equal(gbdt_n_trees(g), 0);
    gbdt_free(g);
    pool_free(pool);
}

static double rmse_of(const struct gbdt *g, const struct data *d)
{
    double *out = calloc(N, sizeof(*out));
    const struct matrix x = {d->held_x, N, M, M, NULL};
    gbdt_predict(g, &x, out);
    const double rmse = metric_rmse(out, d->held_y, NULL, N);
    free(out);
    return rmse;
}

/* Sweeps one column of many rows: how far does the score go against the direction at most? */
static double worst_step(const struct gbdt *g, const struct data *d, size_t col, int direction)
{
    enum { STEPS = 101 };
    double sweep[STEPS * M], out[STEPS], worst = 0;
    for (size_t i = 0; i < 200; i++) {
        for (size_t k = 0; k < STEPS; k++) {
            memcpy(sweep + k * M, d->held_x + i * M, M * sizeof(double));
            sweep[k * M + col] = (double)k / (STEPS - 1);
        }
        const struct matrix x = {sweep, STEPS, M, M, NULL};
        gbdt_predict(g, &x, out);
        for (size_t k = 1; k < STEPS; k++)
            worst = fmax(worst, direction * (out[k - 1] - out[k]));
    }
    return worst;
}

static void test_gbdt_fit_monotone(void **state)
{
    struct data *d = make_data(false);
    const int8_t monotone[M] = {1, -1, 0, 0};
    for (size_t objective = 0; objective < 2; objective++) {
        struct gbdt_params p = gbdt_params_default(objective == 0 ? GBDT_SQUARED : GBDT_ABSOLUTE);
        p.n_trees = 60;
        struct gbdt *free_fit = fit(d, N, NULL, &p);
        p.monotone = monotone;
        struct gbdt *held = fit(d, N, NULL, &p);
        assert_true(worst_step(free_fit, d, 0, 1) > 0.2);
        assert_true(worst_step(held, d, 0, 1) <= 1e-12);
        assert_true(worst_step(held, d, 1, -1) <= 1e-12);
        assert_true(worst_step(held, d, 2, 1) > 0.2); /* the free column stays free */
        assert_true(rmse_of(held, d) < rmse_of(free_fit, d) + 0.1);
        gbdt_free(free_fit);
        gbdt_free(held);
    }
    free(d);
}

/* A monotone map that nothing speaks against changes nothing that is learned well. */
static void test_gbdt_fit_monotone_all_free_is_plain(void **state)
{
    struct data *d = make_data(false);
    const int8_t none[M] = {0};
    struct gbdt_params p = gbdt_params_default(GBDT_SQUARED);
    p.n_trees = 10;
    struct gbdt *plain = fit(d, N, NULL, &p);
    p.monotone = none;
    struct gbdt *same = fit(d, N, NULL, &p);
    assert_close(rmse_of(plain, d), rmse_of(same, d), 1e-9);
    gbdt_free(plain);
    gbdt_free(same);
    free(d);
}

static void test_gbdt_fit_positive_weight_is_a_weight(void **state)
{
    struct data *d = make_data(true);
    double *weight = calloc(N, sizeof(*weight));
    struct gbdt_params p = gbdt_params_default(GBDT_LOGISTIC);
    p.n_trees = 5;
    for (size_t i = 0; i < N; i++)
        weight[i] = d->y[i] == 1 ? 7.5 : 1;
    struct gbdt *by_weight = fit(d, N, weight, &p);
    p.positive_weight = 7.5;
    struct gbdt *by_class = fit(d, N, NULL, &p);
    assert_same_forest(by_weight, by_class);
    gbdt_free(by_weight);
    gbdt_free(by_class);
    free(weight);
    free(d);
}

static double held_loss(const struct data *d, size_t n_trees, struct gbdt_params p)
{
    double *out = calloc(N, sizeof(*out));
    const struct matrix x = {d->held_x, N, M, M, NULL};
    p.n_trees = n_trees;
    p.held_out = NULL;
    struct gbdt *g = fit(d, 500, NULL, &p);
    gbdt_predict(g, &x, out);
    for (size_t i = 0; i < N; i++)
        out[i] = gbdt_answer(g, out[i]);
    const double loss = metric_log_loss(out, d->held_y, NULL, N);
    gbdt_free(g);
    free(out);
    return loss;
}

static void test_gbdt_fit_stops_at_lowest_held_out_loss(void **state)
{
    struct data *d = make_data(true);
    const struct gbdt_held_out held = {
        .x = {d->held_x, N, M, M, NULL}, .labels = {.y = d->held_y}, .patience = 5};
    struct gbdt_params p = gbdt_params_default(GBDT_LOGISTIC);
    p.held_out = &held;
    struct gbdt *g = fit(d, 500, NULL, &p);
    const size_t n_trees = gbdt_n_trees(g);
    assert_true(n_trees >= 1 && n_trees < 100);
    p.n_trees = n_trees;
    p.held_out = NULL;
    struct gbdt *same = fit(d, 500, NULL, &p);
    assert_same_forest(g, same);
    const double best = held_loss(d, n_trees, p);
    for (size_t k = 1; k <= n_trees + held.patience; k++)
        assert_true(held_loss(d, k, p) >= best);
    gbdt_free(g);
    gbdt_free(same);
    free(d);
}

static void test_gbdt_fit_refuses_limits(void **state)
{
    struct data *d = make_data(true);
    const struct matrix x = {d->x, N, M, M, NULL};
    const int8_t odd[M] = {0, 2, 0, 0};
    struct gbdt_held_out held = {
        .x = {d->held_x, N, M - 1, M, NULL}, .labels = {.y = d->held_y}, .patience = 5};
    struct gbdt_params p = gbdt_params_default(GBDT_LOGISTIC);
    struct pool *pool;
    struct gbdt *g;
    assert_ok(pool_new(1, &pool, &err), err);
    p.monotone = odd;
    assert_int_equal(gbdt_fit(&x, d->y, NULL, &p, pool, &g, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "monotone[1]"));
    p.monotone = NULL;
    p.held_out = &held;
    assert_int_equal(gbdt_fit(&x, d->y, NULL, &p, pool, &g, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "held-out"));
    held.x.n_cols = M;
    held.patience = 0;
    assert_int_equal(gbdt_fit(&x, d->y, NULL, &p, pool, &g, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "patience"));
    held.patience = 5;
    memset(d->held_y, 0, sizeof(d->held_y));
    assert_int_equal(gbdt_fit(&x, d->y, NULL, &p, pool, &g, &err), FT_TOO_FEW);
    assert_non_null(strstr(err.msg, "held-out"));
    p.held_out = NULL;
    p.alpha = -1;
    assert_int_equal(gbdt_fit(&x, d->y, NULL, &p, pool, &g, &err), FT_INVALID);
    p.alpha = 0;
    p.positive_weight = 0;
    assert_int_equal(gbdt_fit(&x, d->y, NULL, &p, pool, &g, &err), FT_INVALID);
    pool_free(pool);
    free(d);
}

/* One tree on values with a bin each: XGBoost finds the same splits and leaves (gbdt_limits.py). */
static void test_gbdt_fit_limits_as_xgboost(void **state)
{
    enum { ROWS = 400, COLS = 3 };
    double x[ROWS * COLS], y[ROWS], out[ROWS];
    const int8_t monotone[COLS] = {1, -1, 0};
    const struct matrix view = {x, ROWS, COLS, COLS, NULL};
    struct pool *pool;
    assert_ok(pool_new(1, &pool, &err), err);
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < COLS; j++)
            x[i * COLS + j] = floor(rng_uniform(91, j, i) * 12);
        const double *row = x + i * COLS;
        y[i] = row[0] * (row[0] > 6 ? 1 : -0.5) - row[1] + floor(rng_uniform(91, 9, i) * 16) / 4 +
               (row[2] > 5 ? row[0] : 0);
    }
    for (size_t k = 0; k < 3; k++) {
        struct gbdt_params p = gbdt_params_default(GBDT_SQUARED);
        struct gbdt *g;
        p.n_trees = 1;
        p.max_leaves = 8;
        p.rate = 1;
        p.alpha = k == 1 ? 30 : 0;
        p.monotone = k == 2 ? monotone : NULL;
        assert_ok(gbdt_fit(&view, y, NULL, &p, pool, &g, &err), err);
        gbdt_predict(g, &view, out);
        for (size_t i = 0; i < ROWS; i += 20)
            assert_close(out[i], golden_limits[k][i / 20], 1e-4);
        gbdt_free(g);
    }
    pool_free(pool);
}

/* The bytes of a model are a number in this file: gcc and clang, with and without vectors,
 * sanitizers and optimisation must all come to it. The squared loss needs nothing of the C
 * library's functions, whose last bit may depend on the processor. */
static void test_gbdt_fit_bytes_are_known(void **state)
{
    enum { ROWS = 5000, COLS = 6 };
    static const bool is_category[COLS] = {false, true, false, false, false, false};
    static const int8_t monotone[COLS] = {0, 0, 1, 0, 0, -1};
    double *x = calloc(ROWS, COLS * sizeof(*x)), *y = calloc(ROWS, sizeof(*y));
    struct gbdt_params p = gbdt_params_default(GBDT_SQUARED);
    const struct matrix view = {x, ROWS, COLS, COLS, NULL};
    struct pool *pool;
    for (size_t i = 0; i < ROWS; i++) {
        double *row = x + i * COLS;
        for (size_t j = 0; j < COLS; j++)
            row[j] = rng_uniform(41, j, i);
        row[1] = (double)rng_below(41, 9, i, 30);
        row[3] = rng_below(41, 10, i, 20) == 0 ? NAN : row[3];
        y[i] = row[0] * row[2] - row[5] + (double)rng_below(42, 0, (uint64_t)row[1], 5) +
               (isnan(row[3]) ? 1 : row[3] * row[3]);
    }
    p.n_trees = 20;
    p.is_category = is_category;
    p.monotone = monotone;
    p.row_sample = 0.75;
    p.col_sample = 0.7;
    p.alpha = 0.5;
    assert_ok(pool_new(3, &pool, &err), err);
    for (int vectors = 0; vectors < 2; vectors++) {
        struct gbdt *g;
        struct buf text;
        uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
        bins_allow_vectors(vectors != 0);
        assert_ok(gbdt_fit(&view, y, NULL, &p, pool, &g, &err), err);
        buf_init(&text, (size_t)1 << 26);
        gbdt_write(g, &text);
        assert_ok(buf_status(&text, &err), err);
        for (size_t i = 0; i < text.len; i++)
            hash = (hash ^ (uint8_t)text.data[i]) * UINT64_C(0x100000001b3);
        assert_int_equal(hash, UINT64_C(0x8b171712627b23e9));
        buf_free(&text);
        gbdt_free(g);
    }
    bins_allow_vectors(true);
    pool_free(pool);
    free(x);
    free(y);
}

#ifdef NO_MEMORY
/* Lets the first k requests of a fit, a prediction and a text form succeed and the next one fail,
 * for every k until none fails; returns how many fits were refused. */
static int fail_everywhere(const struct matrix *x, const struct gbdt_labels *labels,
                           const struct gbdt_params *p, struct pool *pool)
{
    double out[300];
    int n_refused = 0;
    for (long k = 0;; k++) {
        struct gbdt *g = NULL;
        struct buf text;
        const long before = atomic_load(&no_memory_live);
        buf_init(&text, 1 << 20);
        atomic_store(&no_memory_refused, 0);
        atomic_store(&no_memory_in, k);
        const enum ft_status st = gbdt_fit_labels(x, labels, p, pool, &g, &err);
        if (st == FT_OK) {
            gbdt_predict(g, x, out);
            gbdt_write(g, &text);
        }
        atomic_store(&no_memory_in, -1);
        assert_true(st == FT_OK || st == FT_NOMEM);
        assert_true((g != NULL) == (st == FT_OK));
        n_refused += st == FT_NOMEM;
        buf_free(&text);
        gbdt_free(g);
        assert_int_equal(atomic_load(&no_memory_live), before);
        if (atomic_load(&no_memory_refused) == 0)
            return n_refused;
    }
}
#endif

static void test_gbdt_fit_no_memory_anywhere(void **state)
{
#ifdef NO_MEMORY
    enum { ROWS = 300 };
    static const bool is_category[M] = {false, false, true, false};
    static const int8_t monotone[M] = {1, -1, 0, 0};
    struct data *d = make_data(true);
    bool failed[ROWS];
    struct pool *pool;
    assert_ok(pool_new(2, &pool, &err), err);
    for (size_t i = 0; i < ROWS; i++) {
        d->x[i * M + 2] = floor(d->x[i * M + 2] * 9);
        d->held_x[i * M + 2] = floor(d->held_x[i * M + 2] * 9);
        failed[i] = d->y[i] == 1;
    }
    const struct matrix x = {d->x, ROWS, M, M, NULL};
    for (int objective = 0; objective < GBDT_N_OBJECTIVES; objective++) {
        const bool is_life = objective >= GBDT_COX;
        struct gbdt_params p = gbdt_params_default((enum gbdt_objective)objective);
        for (size_t i = 0; is_life && i < ROWS; i++) {
            d->y[i] = 1 + 5 * rng_uniform(31, 0, i);
            d->held_y[i] = 1 + 5 * rng_uniform(31, 1, i);
        }
        const struct gbdt_labels labels = {.y = d->y, .failed = is_life ? failed : NULL};
        const struct gbdt_held_out held = {
            .x = {d->held_x, ROWS, M, M, NULL},
            .labels = {.y = d->held_y, .failed = is_life ? failed : NULL},
            .patience = 5};
        p.n_trees = 3;
        p.max_leaves = 6;
        p.row_sample = 0.8;
        p.col_sample = 0.75;
        p.positive_weight = objective == GBDT_LOGISTIC ? 2 : 1;
        p.alpha = 0.1;
        p.monotone = monotone;
        p.is_category = is_category;
        p.held_out = &held;
        assert_true(fail_everywhere(&x, &labels, &p, pool) > 30);
    }
    pool_free(pool);
    free(d);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gbdt_fit_l1_stump),
        cmocka_unit_test(test_gbdt_fit_monotone),
        cmocka_unit_test(test_gbdt_fit_monotone_all_free_is_plain),
        cmocka_unit_test(test_gbdt_fit_positive_weight_is_a_weight),
        cmocka_unit_test(test_gbdt_fit_stops_at_lowest_held_out_loss),
        cmocka_unit_test(test_gbdt_fit_refuses_limits),
        cmocka_unit_test(test_gbdt_fit_limits_as_xgboost),
        cmocka_unit_test(test_gbdt_fit_bytes_are_known),
        cmocka_unit_test(test_gbdt_fit_no_memory_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
