/* The fitted trees. All nodes of all trees lie in one array, each tree in breadth-first order: the
 * two children of a split are neighbours and follow it. */
#ifndef MODELS_GBDT_FOREST_H
#define MODELS_GBDT_FOREST_H

#include "models/gbdt/category.h"
#include "models/gbdt/gbdt.h"

#include <stdint.h>

#define FOREST_MISSING_LEFT (UINT32_C(1) << 31)
#define FOREST_CATEGORIES (UINT32_C(1) << 30)
#define FOREST_MAX_COLS (UINT32_C(1) << 24)
#define FOREST_MAX_LEAVES 4096
#define FOREST_MAX_TREES 10000

/* value <= threshold goes left, a missing one where the flag says; or a category of a set, whose
 * CATEGORY_MISSING agrees with the flag. */
struct forest_node {
    double value;    /* threshold of a split or number of its set, score of a leaf */
    uint32_t column; /* with FOREST_MISSING_LEFT and FOREST_CATEGORIES */
    uint32_t child;  /* left child, the right one follows it; 0 = leaf */
};

struct gbdt {
    enum gbdt_objective objective;
    double parameter; /* gbdt_parameter() */
    size_t n_cols;
    double base;     /* score before the first tree */
    double expected; /* mean score by the trees' own weights (forest_finish) */
    size_t n_trees, trees_cap;
    uint32_t *root; /* [n_trees + 1] first node of each tree; the last is n_nodes */
    size_t n_nodes, nodes_cap;
    struct forest_node *node;
    size_t n_sets, sets_cap;
    struct code_set *set; /* [n_sets] categories that go left */
    double *gain;         /* [n_nodes] of the split; 0 for a leaf */
    double *cover;        /* [n_nodes] sum of hessians, > 0 */
    size_t max_depth;     /* longest path of any tree, in splits (forest_finish) */
    struct batch *batch;  /* for many rows (forest_finish); NULL = the plain walk serves */
};

/* An empty forest; NULL when memory is gone. */
struct gbdt *forest_new(enum gbdt_objective objective, size_t n_cols, double base);
/* Makes room for one more tree of n_nodes and returns its first node's index, SIZE_MAX without
 * memory. The caller fills node, gain and cover. */
size_t forest_add_tree(struct gbdt *g, size_t n_nodes);
/* Makes the split n, whose column and missing side are set, one by categories; false without
 * memory.
 */
bool forest_set_categories(struct gbdt *g, struct forest_node *n, const struct code_set *set);
/* Takes off all trees but the first n_trees. */
void forest_truncate(struct gbdt *g, size_t n_trees);
/* Works out expected, max_depth and batch once all trees are in. */
void forest_finish(struct gbdt *g);

static inline uint32_t forest_column(const struct forest_node *n)
{
    return n->column & ~(FOREST_MISSING_LEFT | FOREST_CATEGORIES);
}

static inline bool forest_is_set(const struct forest_node *n)
{
    return (n->column & FOREST_CATEGORIES) != 0;
}

/* What goes left at a split by categories. */
static inline const struct code_set *forest_set_of(const struct gbdt *g,
                                                   const struct forest_node *n)
{
    return &g->set[(size_t)n->value];
}

/* The child that a value of the node's column goes to. */
static inline uint32_t forest_next_of(const struct gbdt *g, const struct forest_node *n, double v)
{
    if (forest_is_set(n))
        return n->child + !code_set_has(forest_set_of(g, n), category_code(v));
    const int right = v != v ? !(n->column & FOREST_MISSING_LEFT) : !(v <= n->value);
    return n->child + (uint32_t)right;
}

static inline uint32_t forest_next(const struct gbdt *g, const struct forest_node *n,
                                   const double *row)
{
    return forest_next_of(g, n, row[forest_column(n)]);
}

#endif
