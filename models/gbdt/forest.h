/* The fitted trees. All nodes of all trees lie in one array, each tree in breadth-first order: the
 * two children of a split are neighbours and follow it. */
#ifndef MODELS_GBDT_FOREST_H
#define MODELS_GBDT_FOREST_H

#include "models/gbdt/gbdt.h"

#include <stdint.h>

#define FOREST_MISSING_LEFT (UINT32_C(1) << 31)
#define FOREST_MAX_COLS (UINT32_C(1) << 24)
#define FOREST_MAX_LEAVES 4096
#define FOREST_MAX_TREES 10000

/* value <= threshold goes left, a missing one where the flag says. */
struct forest_node {
    double value;    /* threshold of a split, score of a leaf */
    uint32_t column; /* with FOREST_MISSING_LEFT */
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
    double *gain;        /* [n_nodes] of the split; 0 for a leaf */
    double *cover;       /* [n_nodes] sum of hessians, > 0 */
    size_t max_depth;    /* longest path of any tree, in splits (forest_finish) */
    struct batch *batch; /* for many rows (forest_finish); NULL = the plain walk serves */
};

/* An empty forest; NULL when memory is gone. */
struct gbdt *forest_new(enum gbdt_objective objective, size_t n_cols, double base);
/* Makes room for one more tree of n_nodes and returns its first node's index, SIZE_MAX without
 * memory. The caller fills node, gain and cover. */
size_t forest_add_tree(struct gbdt *g, size_t n_nodes);
/* Takes off all trees but the first n_trees. */
void forest_truncate(struct gbdt *g, size_t n_trees);
/* Works out expected, max_depth and batch once all trees are in. */
void forest_finish(struct gbdt *g);

/* The child that a value of the node's column goes to. */
static inline uint32_t forest_next_of(const struct forest_node *n, double v)
{
    const int right = v != v ? !(n->column & FOREST_MISSING_LEFT) : !(v <= n->value);
    return n->child + (uint32_t)right;
}

static inline uint32_t forest_next(const struct forest_node *n, const double *row)
{
    return forest_next_of(n, row[n->column & ~FOREST_MISSING_LEFT]);
}

#endif
