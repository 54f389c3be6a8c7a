/* Blended trees against the plain step from split to split. */
#include "tests/test.h"

#include "app/base/rng.h"
#include "models/gbdt/bin.h"
#include "models/gbdt/blend.h"
#include "models/gbdt/forest.h"

#include <stdlib.h>

enum { N_PLANES = 5 };

/* A tree that grows where chance says: split k has children left[k] and right[k], at or above
 * N_SPLITS a leaf. */
struct tree {
    size_t n_splits;
    struct blend blend[BLEND_MAX_LEAVES];
    size_t plane[BLEND_MAX_LEAVES], left[BLEND_MAX_LEAVES], right[BLEND_MAX_LEAVES];
};

enum { LEAF = 1000 };

/* Children before parents: each split joins two things that have no parent yet. */
static void make_tree(struct tree *t, size_t n_leaves, uint64_t seed)
{
    size_t open[BLEND_MAX_LEAVES];
    size_t n_open = n_leaves;
    t->n_splits = n_leaves - 1;
    for (size_t i = 0; i < n_leaves; i++)
        open[i] = LEAF + i;
    for (size_t k = 0; k < t->n_splits; k++) {
        struct blend_side side[2];
        size_t child[2];
        for (size_t s = 0; s < 2; s++) {
            const size_t pick = rng_below(seed, 2 * k + s, 0, n_open);
            child[s] = open[pick];
            open[pick] = open[--n_open];
            side[s] = child[s] >= LEAF ? (struct blend_side){(uint16_t)(child[s] - LEAF), 0}
                                       : (struct blend_side){blend_place(child[s]), BLEND_LANES};
        }
        open[n_open++] = k;
        t->left[k] = child[0];
        t->right[k] = child[1];
        t->plane[k] = rng_below(seed, 1000, k, N_PLANES);
        t->blend[k] = (struct blend){(uint32_t)(t->plane[k] * BLEND_ROWS), side[0], side[1],
                                     (uint8_t)(1 + rng_below(seed, 1001, k, 255))};
    }
}

static size_t walk(const struct tree *t, const uint8_t *codes, size_t row)
{
    size_t at = t->n_splits - 1;
    while (at < LEAF)
        at = codes[t->plane[at] * BLEND_ROWS + row] >= t->blend[at].least ? t->right[at]
                                                                          : t->left[at];
    return at - LEAF;
}

static void test_blend_leaves_equals_walk(void **state)
{
    static const size_t sizes[] = {2, 3, 17, 63, 255, 256};
    static const size_t rows[] = {1, 31, 32, 33, 127, 128};
    uint8_t codes[N_PLANES * BLEND_ROWS];
    uint8_t *scratch = calloc(1, BLEND_SCRATCH);
    struct tree t;
    (void)state;
    blend_start(scratch);
    for (size_t i = 0; i < sizeof(codes); i++)
        codes[i] = (uint8_t)rng_below(3, 0, i, 256);
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
        for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
            for (int vectors = 0; vectors < 2; vectors++) {
                make_tree(&t, sizes[s], 11 * s + r);
                bins_allow_vectors(vectors != 0);
                const uint8_t *leaf = blend_leaves(t.blend, t.n_splits, codes, rows[r], scratch);
                for (size_t i = 0; i < rows[r]; i++)
                    assert_int_equal(leaf[i], walk(&t, codes, i));
            }
    bins_allow_vectors(true);
    free(scratch);
}

/* One tree of few leaves, one of as many as a byte tells apart, one of more: blended or walked, one
 * row or many, vectors or not, the answers have the same bits. */
static void test_gbdt_predict_any_size_of_tree(void **state)
{
    enum { N = 150, COLS = 3 };
    static const size_t n_leaves[] = {1, 2, 256, 257, 700};
    struct gbdt *g = forest_new(GBDT_SQUARED, COLS, 0.1);
    double x[N * COLS];
    float narrow[N * COLS];
    (void)state;
    for (size_t i = 0; i < (size_t)N * COLS; i++) {
        narrow[i] = i % 11 == 0 ? NAN : (float)rng_uniform(5, 0, i);
        x[i] = (double)narrow[i];
    }
    for (size_t t = 0; t < sizeof(n_leaves) / sizeof(n_leaves[0]); t++) {
        const size_t n_nodes = 2 * n_leaves[t] - 1, first = forest_add_tree(g, n_nodes);
        for (size_t i = 0; i < n_nodes; i++) {
            const bool is_split = 2 * i + 2 < n_nodes; /* breadth-first, as full as may be */
            const uint32_t column = (uint32_t)(i % COLS) | (i % 2 ? FOREST_MISSING_LEFT : 0);
            g->node[first + i] =
                (struct forest_node){(double)rng_below(5, t, i, 80) / 80, is_split ? column : 0,
                                     is_split ? (uint32_t)(first + 2 * i + 1) : 0};
            g->cover[first + i] = 1;
        }
    }
    forest_finish(g);
    assert_non_null(g->batch);
    const struct matrix wide = {x, N, COLS, COLS, NULL}, floats = {NULL, N, COLS, COLS, narrow};
    for (int vectors = 0; vectors < 2; vectors++) {
        double out[2][N];
        bins_allow_vectors(vectors != 0);
        gbdt_predict(g, &wide, out[0]);
        gbdt_predict(g, &floats, out[1]);
        for (size_t i = 0; i < N; i++) {
            double one;
            const struct matrix row = matrix_rows(&wide, i, 1);
            gbdt_predict(g, &row, &one);
            assert_close(out[0][i], one, 0);
            assert_close(out[1][i], one, 0);
        }
    }
    bins_allow_vectors(true);
    gbdt_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blend_leaves_equals_walk),
        cmocka_unit_test(test_gbdt_predict_any_size_of_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
