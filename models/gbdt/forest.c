#include "models/gbdt/forest.h"

#include "models/gbdt/batch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct gbdt *forest_new(enum gbdt_objective objective, size_t n_cols, double base)
{
    struct gbdt *g = calloc(1, sizeof(*g));
    uint32_t *root = calloc(1, sizeof(*root));
    if (g == NULL || root == NULL) {
        free(g);
        free(root);
        return NULL;
    }
    *g = (struct gbdt){.objective = objective, .n_cols = n_cols, .base = base, .root = root};
    return g;
}

static bool reserve_nodes(struct gbdt *g, size_t cap)
{
    struct forest_node *node = reallocarray(g->node, cap, sizeof(*node));
    if (node == NULL)
        return false;
    g->node = node;
    double *gain = reallocarray(g->gain, cap, sizeof(*gain));
    if (gain == NULL)
        return false;
    g->gain = gain;
    double *cover = reallocarray(g->cover, cap, sizeof(*cover));
    if (cover == NULL)
        return false;
    g->cover = cover;
    g->nodes_cap = cap;
    return true;
}

static bool reserve_trees(struct gbdt *g, size_t cap)
{
    uint32_t *root = reallocarray(g->root, cap + 1, sizeof(*root));
    if (root == NULL)
        return false;
    g->root = root;
    g->trees_cap = cap;
    return true;
}

size_t forest_add_tree(struct gbdt *g, size_t n_nodes)
{
    const size_t first = g->n_nodes;
    const size_t need = first + n_nodes;
    if (need > UINT32_MAX / 4 || (need > g->nodes_cap && !reserve_nodes(g, 2 * need)) ||
        (g->n_trees == g->trees_cap && !reserve_trees(g, 2 * g->trees_cap + 16)))
        return SIZE_MAX;
    memset(g->node + first, 0, n_nodes * sizeof(*g->node));
    memset(g->gain + first, 0, n_nodes * sizeof(*g->gain));
    memset(g->cover + first, 0, n_nodes * sizeof(*g->cover));
    g->n_nodes += n_nodes;
    g->root[++g->n_trees] = (uint32_t)g->n_nodes;
    return first;
}

bool forest_set_categories(struct gbdt *g, struct forest_node *n, const struct code_set *set)
{
    if (g->n_sets == g->sets_cap) {
        const size_t cap = 2 * g->sets_cap + 16;
        struct code_set *grown = reallocarray(g->set, cap, sizeof(*grown));
        if (grown == NULL)
            return false;
        g->set = grown;
        g->sets_cap = cap;
    }
    n->column |= FOREST_CATEGORIES;
    n->value = (double)g->n_sets;
    g->set[g->n_sets++] = *set;
    return true;
}

void forest_truncate(struct gbdt *g, size_t n_trees)
{
    if (n_trees >= g->n_trees)
        return;
    g->n_trees = n_trees;
    g->n_nodes = g->root[n_trees];
}

/* Depths by one pass in index order: parents come before children. */
static void walk_tree(struct gbdt *g, size_t t, uint16_t *depth)
{
    const size_t root = g->root[t], end = g->root[t + 1];
    double sum = 0;
    depth[0] = 0;
    for (size_t i = root; i < end; i++) {
        const struct forest_node *n = &g->node[i];
        const uint16_t d = depth[i - root];
        if (n->child == 0) {
            sum += n->value * (g->cover[i] / g->cover[root]);
            continue;
        }
        depth[n->child - root] = depth[n->child + 1 - root] = (uint16_t)(d + 1);
        if (d + (size_t)1 > g->max_depth)
            g->max_depth = d + (size_t)1;
    }
    g->expected += sum;
}

void forest_finish(struct gbdt *g)
{
    uint16_t depth[2 * FOREST_MAX_LEAVES]; /* a tree has at most 2 * leaves - 1 nodes */
    g->expected = g->base;
    g->max_depth = 0;
    for (size_t t = 0; t < g->n_trees; t++)
        walk_tree(g, t, depth);
    batch_free(g->batch);
    g->batch = batch_new(g);
}

void gbdt_gain_importance(const struct gbdt *g, double *out)
{
    memset(out, 0, g->n_cols * sizeof(*out));
    for (size_t i = 0; i < g->n_nodes; i++)
        if (g->node[i].child != 0)
            out[forest_column(&g->node[i])] += g->gain[i];
}

size_t gbdt_n_trees(const struct gbdt *g)
{
    return g->n_trees;
}

size_t gbdt_n_cols(const struct gbdt *g)
{
    return g->n_cols;
}

enum gbdt_objective gbdt_objective_of(const struct gbdt *g)
{
    return g->objective;
}

double gbdt_parameter(const struct gbdt *g)
{
    return g->parameter;
}

void gbdt_free(struct gbdt *g)
{
    if (g == NULL)
        return;
    batch_free(g->batch);
    free(g->root);
    free(g->node);
    free(g->set);
    free(g->gain);
    free(g->cover);
    free(g);
}
