/* Bins and histograms against their plain definitions. */
#include "tests/test.h"

#include "app/base/rng.h"
#include "models/gbdt/bin.h"
#include "models/gbdt/histogram.h"

#include <stdlib.h>

enum { MAX_N = 5000 };

static size_t edges_of(const double *v, size_t n, size_t max_bins, double *edge)
{
    uint64_t *keys = calloc(2 * MAX_N, sizeof(*keys));
    for (size_t i = 0; i < n; i++)
        keys[i] = bins_key(v[i]);
    const size_t n_bins = bins_edges(keys, keys + MAX_N, n, max_bins, edge);
    for (size_t k = n_bins; k < EDGE_PLACES; k++)
        edge[k] = INFINITY;
    free(keys);
    return n_bins;
}

static void test_bins_edges_few_values_exact(void **state)
{
    const double v[] = {3, -1, 3, 0.0, -0.0, 10, -1};
    double edge[EDGE_PLACES];
    assert_int_equal(edges_of(v, 7, 255, edge), 4);
    assert_close(edge[0], -0.5, 0);
    assert_close(edge[1], 1.5, 0);
    assert_close(edge[2], 6.5, 0);
    assert_true(isinf(edge[3]));
    assert_int_equal(bins_code(edge, -1), 0);
    assert_int_equal(bins_code(edge, -0.0), 1);
    assert_int_equal(bins_code(edge, 1.5), 1);
    assert_int_equal(bins_code(edge, 1e9), 3);
}

static void test_bins_edges_neighbouring_floats(void **state)
{
    const double v[] = {1.0, 1.0 + 0x1p-52, -INFINITY, INFINITY};
    double edge[EDGE_PLACES];
    assert_int_equal(edges_of(v, 4, 255, edge), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(bins_code(edge, v[i]), i == 2 ? 0 : i == 3 ? 3 : i + 1);
}

static void test_bins_edges_equal_shares(void **state)
{
    double *v = calloc(MAX_N, sizeof(*v)), edge[EDGE_PLACES];
    size_t counts[MAX_BINS] = {0};
    for (size_t i = 0; i < MAX_N; i++)
        v[i] = rng_normal(1, 2, i);
    const size_t n_bins = edges_of(v, MAX_N, 50, edge);
    assert_int_equal(n_bins, 50);
    for (size_t i = 0; i < MAX_N; i++)
        counts[bins_code(edge, v[i])]++;
    for (size_t b = 0; b < n_bins; b++)
        assert_true(counts[b] >= 99 && counts[b] <= 101);
    free(v);
}

/* Half the values are 0: they have one bin, the others share the rest evenly. */
static void test_bins_edges_heavy_value(void **state)
{
    double *v = calloc(MAX_N, sizeof(*v)), edge[EDGE_PLACES];
    size_t counts[MAX_BINS] = {0};
    for (size_t i = 0; i < MAX_N; i++)
        v[i] = i % 2 == 0 ? 0 : rng_uniform(1, 2, i) - 0.5;
    const size_t n_bins = edges_of(v, MAX_N, 20, edge);
    assert_true(n_bins >= 18 && n_bins <= 20);
    for (size_t i = 0; i < MAX_N; i++)
        counts[bins_code(edge, v[i])]++;
    assert_int_equal(counts[bins_code(edge, 0)], MAX_N / 2);
    for (size_t b = 0; b < n_bins; b++)
        assert_true(counts[b] >= 50);
    free(v);
}

static void test_bins_make_missing_and_constant(void **state)
{
    const double x[] = {1, 5, NAN, 2, 5, NAN, NAN, 5, NAN, 2, 5, 4};
    const struct matrix view = {x, 4, 3, 3, NULL};
    struct pool *pool;
    struct binned b;
    struct ft_err err;
    assert_ok(pool_new(2, &pool, &err), err);
    assert_ok(bins_make(&view, 255, NULL, pool, &b, &err), err);
    assert_int_equal(b.n_cols, 2); /* the middle column is constant */
    assert_int_equal(b.column[1], 2);
    assert_int_equal(b.n_bins[0], 2);
    assert_int_equal(b.n_bins[1], 1);
    const uint8_t want[2][4] = {{0, 1, 2, 1}, {1, 1, 1, 0}};
    for (size_t j = 0; j < 2; j++)
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(b.codes[i * b.row_bytes + j], want[j][i]);
    bins_free(&b);
    pool_free(pool);
}

/* Every stride and every shape of row: part of a tile, several tiles, several cache lines. */
static void check_histogram_add(size_t stride, size_t n_cols)
{
    enum { N = 1300 };
    const size_t row_bytes = bins_row_bytes(n_cols), n_words = (n_cols + TILE) * stride;
    uint8_t *codes = calloc(N, row_bytes);
    uint32_t rows[N];
    uint64_t words[N];
    uint64_t *got = calloc(n_words, sizeof(*got)), *want = calloc(n_words, sizeof(*want));
    for (size_t i = 0; i < N; i++) {
        rows[i] = (uint32_t)rng_below(3, 0, i, N);
        words[i] =
            gh_pack((int32_t)rng_below(3, 1, i, 2001) - 1000, (uint32_t)rng_below(3, 2, i, 1000));
        for (size_t k = 0; k < n_cols; k++)
            codes[i * row_bytes + k] = (uint8_t)rng_below(3, 3 + k, i, stride);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < n_cols; k++)
            want[k * stride + codes[rows[i] * row_bytes + k]] += words[i];
    histogram_add(got, stride, n_cols, codes, row_bytes, rows, words, N);
    assert_memory_equal(got, want, n_cols * stride * sizeof(*got));
    free(codes);
    free(got);
    free(want);
}

static void test_histogram_add_all_strides(void **state)
{
    const size_t strides[] = {16, 32, 72, 128, 256}, wide[] = {11, 23, 50, 64, 65, 131};
    for (size_t s = 0; s < 5; s++) {
        assert_int_equal(histogram_stride(strides[s]), strides[s]);
        for (size_t n_cols = 1; n_cols <= TILE; n_cols++)
            check_histogram_add(strides[s], n_cols);
        for (size_t k = 0; k < sizeof(wide) / sizeof(wide[0]); k++)
            check_histogram_add(strides[s], wide[k]);
    }
    assert_int_equal(histogram_stride(65), 72);
    assert_int_equal(histogram_stride(2), 16);
    assert_int_equal(histogram_stride(256), 256);
}

/* Floats and doubles, vectors and the plain path: the same codes and edges. */
static void test_bins_make_same_bits_all_paths(void **state)
{
    enum { N = 3000, M = 13 };
    float *floats = calloc((size_t)N * M, sizeof(*floats));
    double *doubles = calloc((size_t)N * M, sizeof(*doubles));
    struct pool *pool;
    struct ft_err err;
    for (size_t i = 0; i < (size_t)N * M; i++) {
        const double u = rng_normal(5, i % M, i / M);
        floats[i] = (float)(i % M % 3 == 1 ? floor(u * 4) : u * exp(10 * u));
        if (rng_below(5, 100, i, 9) == 0)
            floats[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : -0.0F;
        doubles[i] = (double)floats[i];
    }
    const struct matrix x[2] = {{doubles, N, M, M, NULL}, {NULL, N, M, M, floats}};
    struct binned b[4];
    assert_ok(pool_new(2, &pool, &err), err);
    for (size_t k = 0; k < 4; k++) {
        bins_allow_vectors(k < 2);
        assert_ok(bins_make(&x[k % 2], 255, NULL, pool, &b[k], &err), err);
        assert_int_equal(b[k].n_cols, M);
        assert_memory_equal(b[k].codes, b[0].codes, N * b[0].row_bytes);
        assert_memory_equal(b[k].edge, b[0].edge, M * EDGE_PLACES * sizeof(double));
        for (size_t i = 0; i < (size_t)N * M; i++) {
            const double *edge = b[k].edge + i % M * EDGE_PLACES;
            const unsigned want =
                isnan(doubles[i]) ? b[k].n_bins[i % M] : bins_code(edge, doubles[i]);
            assert_int_equal(b[k].codes[i / M * b[k].row_bytes + i % M], want);
        }
    }
    bins_allow_vectors(true);
    for (size_t k = 0; k < 4; k++)
        bins_free(&b[k]);
    pool_free(pool);
    free(floats);
    free(doubles);
}

static void test_gh_pack_signs(void **state)
{
    const uint64_t a = gh_pack(-5, 7), b = gh_pack(3, UINT32_MAX - 7);
    assert_int_equal(gh_gradient(a), -5);
    assert_int_equal(gh_hessian(a), 7);
    assert_int_equal(gh_gradient(a + b), -2);
    assert_true(gh_hessian(a + b) == UINT32_MAX);
    assert_int_equal(gh_gradient(a + b - a), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bins_edges_few_values_exact),
        cmocka_unit_test(test_bins_edges_neighbouring_floats),
        cmocka_unit_test(test_bins_edges_equal_shares),
        cmocka_unit_test(test_bins_edges_heavy_value),
        cmocka_unit_test(test_bins_make_missing_and_constant),
        cmocka_unit_test(test_histogram_add_all_strides),
        cmocka_unit_test(test_bins_make_same_bits_all_paths),
        cmocka_unit_test(test_gh_pack_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
