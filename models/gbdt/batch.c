/* Codes lie column by column, BLOCK rows each, so that a node names the place of its column's codes
 * and the row is a constant offset. Code k means that k thresholds are below the value: it goes
 * left at threshold number t when k <= t. Missing values have the code 255, which always goes
 * right, on the first plane of a column and 0, which always goes left, on the second: nodes that
 * send missing values left look there. A leaf points at itself, and no code is above its bin, so a
 * row that has arrived stays. Trees of up to 256 leaves are not walked but blended (blend.h), which
 * is several times faster. A column of categories has a plane of its own with category numbers;
 * trees with sets are walked on a path that looks them up. */
#include "models/gbdt/batch.h"

#include "models/gbdt/bin.h"
#include "models/gbdt/blend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = BLEND_ROWS,
    GROUP = 8,
    FIRST_LEVELS = 6,
    LEVELS = 3,
    MISSING = 255,
    SET = 256,
    MAX_PLANES = 65534
};

/* A group's places in the tree stay in registers only when its loops are unrolled. */
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

struct step {
    uint32_t codes; /* first code of its plane */
    uint16_t child; /* within the tree; of a leaf: itself */
    uint16_t bin;   /* codes above it go right; 255 = a leaf, SET = codes that no set has */
};

struct batch {
    size_t n_trees, n_planes, n_used;
    uint32_t *column;  /* [n_used] */
    bool *is_category; /* [n_used] */
    uint32_t *plane;   /* [n_used] its first plane; the second follows when has_left */
    bool *has_left;    /* [n_used] some node sends missing values left */
    double *edge;      /* [n_used][EDGE_PLACES] thresholds, rising, then +infinity */
    float *edge32;     /* the same for floats */
    uint32_t *root;    /* [n_trees + 1] */
    struct step *step; /* [nodes] */
    double *value;     /* [nodes] of leaves */
    bool *has_sets;    /* [n_trees] */
    uint32_t *set_of;  /* [nodes] number of the set of a split by categories */
    struct code_set *set;
    /* Of each tree from its first node on: its splits, last to first, and the values of its leaves.
     * n_splits 0 = the tree is walked. */
    struct blend *blend; /* [nodes] */
    double *leaf_value;  /* [nodes] */
    uint16_t *n_splits;  /* [n_trees] */
};

/* --- making ----------------------------------------------------------------------------------- */

struct use {
    uint32_t column;
    bool is_category;
    double threshold;
};

static struct use use_of(const struct forest_node *n)
{
    const bool is_category = forest_is_set(n);
    return (struct use){forest_column(n), is_category, is_category ? INFINITY : n->value};
}

static bool is_same_column(const struct use *a, const struct use *b)
{
    return a->column == b->column && a->is_category == b->is_category;
}

static int compare_uses(const void *a, const void *b)
{
    const struct use *x = a, *y = b;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    if (x->is_category != y->is_category)
        return x->is_category ? 1 : -1;
    return (x->threshold > y->threshold) - (x->threshold < y->threshold);
}

/* All splits by column and threshold, each once; *n receives how many. */
static struct use *list_uses(const struct gbdt *g, size_t *n)
{
    struct use *u = calloc(g->n_nodes + 1, sizeof(*u));
    size_t n_all = 0;
    *n = 0;
    if (u == NULL)
        return NULL;
    for (size_t i = 0; i < g->n_nodes; i++)
        if (g->node[i].child != 0)
            u[n_all++] = use_of(&g->node[i]);
    qsort(u, n_all, sizeof(*u), compare_uses);
    for (size_t i = 0; i < n_all; i++)
        if (i == 0 || compare_uses(&u[i], &u[*n - 1]) != 0)
            u[(*n)++] = u[i];
    return u;
}

static size_t count_columns(const struct use *u, size_t n)
{
    size_t n_columns = 0;
    for (size_t i = 0; i < n; i++)
        n_columns += i == 0 || !is_same_column(&u[i], &u[i - 1]);
    return n_columns;
}

/* Fills the table of thresholds; false when a column has too many. */
static bool fill_edges(struct batch *b, const struct use *u, size_t n)
{
    size_t n_edges = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !is_same_column(&u[i], &u[i - 1])) {
            b->is_category[b->n_used] = u[i].is_category;
            b->column[b->n_used++] = u[i].column;
            n_edges = 0;
        }
        double *edge = b->edge + (b->n_used - 1) * EDGE_PLACES;
        if (n_edges == MAX_BINS || (n_edges == MAX_BINS - 1 && u[i].threshold != INFINITY))
            return false; /* the code 255 is taken */
        edge[n_edges++] = u[i].threshold;
        if (i + 1 == n || !is_same_column(&u[i + 1], &u[i]))
            while (n_edges < EDGE_PLACES)
                edge[n_edges++] = INFINITY;
    }
    return true;
}

static size_t used_of(const struct batch *b, const struct forest_node *n)
{
    const uint32_t column = forest_column(n);
    const bool is_category = forest_is_set(n);
    size_t low = 0, high = b->n_used - 1;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (b->column[middle] < column ||
            (b->column[middle] == column && b->is_category[middle] < is_category))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void lay_planes(struct batch *b, const struct gbdt *g)
{
    for (size_t i = 0; i < g->n_nodes; i++)
        if (g->node[i].child != 0 && g->node[i].column & FOREST_MISSING_LEFT &&
            !forest_is_set(&g->node[i]))
            b->has_left[used_of(b, &g->node[i])] = true;
    for (size_t u = 0; u < b->n_used; u++) {
        b->plane[u] = (uint32_t)b->n_planes;
        b->n_planes += 1 + (size_t)b->has_left[u];
    }
}

static struct step step_of(const struct batch *b, const struct forest_node *n, uint16_t child)
{
    const size_t u = used_of(b, n);
    if (forest_is_set(n))
        return (struct step){b->plane[u] * BLOCK, child, SET};
    const bool is_left = n->column & FOREST_MISSING_LEFT;
    return (struct step){(b->plane[u] + is_left) * BLOCK, child,
                         bins_code(b->edge + u * EDGE_PLACES, n->value)};
}

static void compile_tree(struct batch *b, const struct gbdt *g, size_t t)
{
    const uint32_t first = g->root[t];
    for (uint32_t i = first; i < g->root[t + 1]; i++) {
        const struct forest_node *n = &g->node[i];
        if (n->child == 0) {
            b->step[i] = (struct step){0, (uint16_t)(i - first), MISSING};
            b->value[i] = n->value;
        } else {
            b->step[i] = step_of(b, n, (uint16_t)(n->child - first));
        }
        if (b->step[i].bin == SET) {
            b->has_sets[t] = true;
            b->set_of[i] = (uint32_t)n->value;
        }
    }
}

/* Are the tree's leaves few enough for a byte, and its splits all by thresholds? */
static bool can_blend(const struct batch *b, const struct gbdt *g, size_t t)
{
    const size_t n_nodes = g->root[t + 1] - g->root[t];
    return n_nodes > 1 && n_nodes < 2 * BLEND_MAX_LEAVES && !b->has_sets[t];
}

/* Nodes from the last to the first, so that children come before their parents. */
static void compile_blend(struct batch *b, const struct gbdt *g, size_t t)
{
    struct blend_side side[2 * BLEND_MAX_LEAVES];
    const uint32_t first = g->root[t];
    size_t n_leaves = 0, n_splits = 0;
    for (uint32_t i = g->root[t + 1]; i-- > first;) {
        const struct forest_node *n = &g->node[i];
        if (n->child == 0) {
            b->leaf_value[first + n_leaves] = n->value;
            side[i - first] = (struct blend_side){(uint16_t)n_leaves++, 0};
            continue;
        }
        const struct step *s = &b->step[i];
        b->blend[first + n_splits] =
            (struct blend){s->codes, side[s->child], side[s->child + 1], (uint8_t)(s->bin + 1)};
        side[i - first] = (struct blend_side){blend_place(n_splits++), BLEND_LANES};
    }
    b->n_splits[t] = (uint16_t)n_splits;
}

struct batch *batch_new(const struct gbdt *g)
{
    size_t n = 0;
    struct use *u = list_uses(g, &n);
    struct batch *b = calloc(1, sizeof(*b));
    const size_t n_columns = u != NULL ? count_columns(u, n) : 0;
    bool is_well = u != NULL && b != NULL && n_columns <= MAX_PLANES / 2;
    if (is_well) {
        b->n_trees = g->n_trees;
        b->column = calloc(n_columns + 1, sizeof(*b->column));
        b->is_category = calloc(n_columns + 1, sizeof(*b->is_category));
        b->plane = calloc(n_columns + 1, sizeof(*b->plane));
        b->has_left = calloc(n_columns + 1, sizeof(*b->has_left));
        b->edge = calloc(n_columns + 1, EDGE_PLACES * sizeof(*b->edge));
        b->edge32 = calloc(n_columns + 1, EDGE_PLACES * sizeof(*b->edge32));
        b->blend = calloc(g->n_nodes + 1, sizeof(*b->blend));
        b->leaf_value = calloc(g->n_nodes + 1, sizeof(*b->leaf_value));
        b->n_splits = calloc(g->n_trees + 1, sizeof(*b->n_splits));
        b->root = calloc(g->n_trees + 1, sizeof(*b->root));
        b->step = calloc(g->n_nodes + 1, sizeof(*b->step));
        b->value = calloc(g->n_nodes + 1, sizeof(*b->value));
        b->has_sets = calloc(g->n_trees + 1, sizeof(*b->has_sets));
        b->set_of = calloc(g->n_nodes + 1, sizeof(*b->set_of));
        b->set = calloc(g->n_sets + 1, sizeof(*b->set));
        is_well = b->is_category != NULL && b->has_sets != NULL && b->set_of != NULL &&
                  b->set != NULL && b->column != NULL && b->plane != NULL && b->has_left != NULL &&
                  b->edge32 != NULL && b->blend != NULL && b->leaf_value != NULL &&
                  b->n_splits != NULL && b->edge != NULL && b->root != NULL && b->step != NULL &&
                  b->value != NULL && fill_edges(b, u, n);
    }
    free(u);
    if (!is_well) {
        batch_free(b);
        return NULL;
    }
    if (g->n_sets > 0)
        memcpy(b->set, g->set, g->n_sets * sizeof(*b->set));
    memcpy(b->root, g->root, (g->n_trees + 1) * sizeof(*b->root));
    if (b->n_used > 0)
        lay_planes(b, g);
    for (size_t k = 0; k < b->n_used * EDGE_PLACES; k++)
        b->edge32[k] = bins_float_below(b->edge[k]);
    for (size_t t = 0; t < g->n_trees; t++) {
        compile_tree(b, g, t);
        if (can_blend(b, g, t))
            compile_blend(b, g, t);
    }
    return b;
}

void batch_free(struct batch *b)
{
    if (b == NULL)
        return;
    free(b->column);
    free(b->plane);
    free(b->is_category);
    free(b->has_sets);
    free(b->set_of);
    free(b->set);
    free(b->has_left);
    free(b->edge);
    free(b->edge32);
    free(b->blend);
    free(b->leaf_value);
    free(b->n_splits);
    free(b->root);
    free(b->step);
    free(b->value);
    free(b);
}

/* --- scoring ---------------------------------------------------------------------------------- */

/* Codes of n rows from begin on. */
static void code_block(const struct batch *b, const struct matrix *x, size_t begin, size_t n,
                       uint8_t *codes)
{
    for (size_t u = 0; u < b->n_used; u++) {
        uint8_t *plane = codes + b->plane[u] * (size_t)BLOCK;
        if (b->is_category[u]) {
            for (size_t i = 0; i < n; i++)
                plane[i] = (uint8_t)category_code(matrix_value(x, begin + i, b->column[u]));
            continue;
        }
        const size_t at = begin * x->stride + b->column[u];
        if (x->data != NULL)
            bins_code_column(b->edge + u * EDGE_PLACES, x->data + at, x->stride, n, MISSING, plane);
        else
            bins_code_floats(b->edge32 + u * EDGE_PLACES, x->data32 + at, x->stride, n, MISSING,
                             plane);
        if (b->has_left[u])
            for (size_t i = 0; i < n; i++)
                plane[BLOCK + i] = plane[i] == MISSING ? 0 : plane[i];
    }
}

/* One tree and a block of codes. */
struct walk {
    const struct step *tree;
    const uint8_t *codes;
    const uint32_t *set_of; /* of the tree's nodes */
    const struct code_set *set;
};

/* One step down of row r of the block. */
static inline __attribute__((always_inline)) uint32_t next_step(const struct walk *w, uint32_t at,
                                                                size_t r, const bool has_sets)
{
    const struct step s = w->tree[at];
    const unsigned code = w->codes[s.codes + r];
    if (has_sets && s.bin == SET)
        return s.child + !code_set_has(&w->set[w->set_of[at]], code);
    return s.child + (uint32_t)(code > s.bin);
}

/* Takes FIRST_LEVELS steps with all rows, GROUP of them in flight. */
static inline __attribute__((always_inline)) void
walk_first(const struct walk *w, uint16_t at[BLOCK], const bool has_sets)
{
    for (size_t i = 0; i < BLOCK; i += GROUP) {
        uint32_t a[GROUP] = {0};
        for (size_t level = 0; level < FIRST_LEVELS; level++) {
            UNROLL
            for (size_t k = 0; k < GROUP; k++)
                a[k] = next_step(w, a[k], i + k, has_sets);
        }
        UNROLL
        for (size_t k = 0; k < GROUP; k++)
            at[i + k] = (uint16_t)a[k];
    }
}

/* Numbers of those of row[n] that have not reached a leaf, back into row[]; how many. */
static size_t keep_walking(const struct step *tree, const uint16_t *at, uint8_t *row, size_t n)
{
    size_t n_left = 0;
    for (size_t i = 0; i < n; i++) {
        const uint8_t r = row[i];
        row[n_left] = r;
        n_left += tree[at[r]].bin != MISSING;
    }
    return n_left;
}

/* LEVELS more steps of n rows; row[] is filled up to whole groups by its first. */
static inline __attribute__((always_inline)) void
walk_some(const struct walk *w, uint16_t at[BLOCK], uint8_t *row, size_t n, const bool has_sets)
{
    for (size_t i = n; i % GROUP != 0; i++)
        row[i] = row[0];
    for (size_t i = 0; i < n; i += GROUP) {
        uint32_t a[GROUP] = {0};
        UNROLL
        for (size_t k = 0; k < GROUP; k++)
            a[k] = at[row[i + k]];
        for (size_t level = 0; level < LEVELS; level++) {
            UNROLL
            for (size_t k = 0; k < GROUP; k++)
                a[k] = next_step(w, a[k], row[i + k], has_sets);
        }
        UNROLL
        for (size_t k = 0; k < GROUP; k++)
            at[row[i + k]] = (uint16_t)a[k];
    }
}

/* Leaves of the first n rows of the block. */
static inline __attribute__((always_inline)) void
walk_tree(const struct walk *w, uint16_t at[BLOCK], size_t n, const bool has_sets)
{
    uint8_t row[BLOCK + GROUP] = {0};
    walk_first(w, at, has_sets);
    for (size_t i = 0; i < n; i++)
        row[i] = (uint8_t)i;
    for (size_t left = keep_walking(w->tree, at, row, n); left > 0;
         left = keep_walking(w->tree, at, row, left))
        walk_some(w, at, row, left, has_sets);
}

static void blend_tree(const struct batch *b, size_t t, const uint8_t *codes, size_t n,
                       uint8_t *scratch, double *out)
{
    const uint32_t first = b->root[t];
    const double *value = b->leaf_value + first;
    const uint8_t *leaf = blend_leaves(b->blend + first, b->n_splits[t], codes, n, scratch);
    for (size_t i = 0; i < n; i++)
        out[i] += value[leaf[i]];
}

static void score_block(const struct batch *b, const uint8_t *codes, size_t n, uint8_t *scratch,
                        double *out)
{
    uint16_t at[BLOCK] = {0};
    for (size_t t = 0; t < b->n_trees; t++) {
        const uint32_t first = b->root[t];
        const double *value = b->value + first;
        if (b->n_splits[t] > 0) {
            blend_tree(b, t, codes, n, scratch, out);
            continue;
        }
        const struct walk w = {b->step + first, codes, b->set_of + first, b->set};
        if (b->has_sets[t])
            walk_tree(&w, at, n, true);
        else
            walk_tree(&w, at, n, false);
        for (size_t i = 0; i < n; i++)
            out[i] += value[at[i]];
    }
}

bool batch_add(const struct batch *b, const struct matrix *x, double *out)
{
    const size_t n_codes = (b->n_planes + 1) * BLOCK;
    uint8_t *codes = calloc(n_codes + BLEND_SCRATCH, 1);
    if (codes == NULL)
        return false;
    uint8_t *scratch = codes + n_codes;
    blend_start(scratch);
    for (size_t begin = 0; begin < x->n_rows; begin += BLOCK) {
        const size_t n = x->n_rows - begin < BLOCK ? x->n_rows - begin : BLOCK;
        code_block(b, x, begin, n, codes);
        score_block(b, codes, n, scratch, out + begin);
    }
    free(codes);
    return true;
}
