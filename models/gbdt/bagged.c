/* Every tree is a fit of one tree at rate 1 on bins of which neighbours were joined at random; the
 * trees are then one array of nodes with their leaves divided by their number. */
#include "models/gbdt/bagged.h"

#include "app/base/rng.h"
#include "models/gbdt/bin.h"
#include "models/gbdt/forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TREE_LEAVES = 1024, STREAM_TREES = 11, STREAM_CUTS = 12 };
static const double row_share = 0.632; /* as many as a bootstrap sample has different ones */

static enum ft_status no_memory(struct ft_err *err)
{
    return ft_fail(err, FT_NOMEM, "trees: no memory for a forest");
}

/* --- bins with fewer cuts --------------------------------------------------------------------- */

/* Room for a coarser copy of the bins; the columns and their order are the same. */
static enum ft_status cuts_alloc(const struct binned *from, struct binned *out, struct ft_err *err)
{
    *out = (struct binned){.n_rows = from->n_rows,
                           .n_cols = from->n_cols,
                           .row_bytes = from->row_bytes,
                           .column = calloc(from->n_cols, sizeof(*out->column)),
                           .n_bins = calloc(from->n_cols, sizeof(*out->n_bins)),
                           .is_category = calloc(from->n_cols, sizeof(*out->is_category)),
                           .edge = calloc(from->n_cols * EDGE_PLACES, sizeof(*out->edge)),
                           .codes = bins_alloc_codes(from->n_rows, from->row_bytes),
                           .by_column = calloc(from->n_cols, from->n_rows)};
    if (out->column == NULL || out->n_bins == NULL || out->is_category == NULL ||
        out->edge == NULL || out->codes == NULL || out->by_column == NULL)
        return no_memory(err);
    memcpy(out->column, from->column, from->n_cols * sizeof(*out->column));
    memcpy(out->is_category, from->is_category, from->n_cols * sizeof(*out->is_category));
    memset(out->codes, 0, from->n_rows * from->row_bytes);
    return FT_OK;
}

struct cut_job {
    const struct binned *from;
    struct binned *to;
    uint64_t seed;
};

/* Keeps each edge of a column with the chance that leaves BAGGED_CUTS of them on average;
 * categories have no order to join neighbours in and stay. */
static void cut_column(void *ctx, size_t j)
{
    const struct cut_job *job = ctx;
    const struct binned *from = job->from;
    struct binned *to = job->to;
    const size_t n = from->n_bins[j];
    const double *old = from->edge + j * EDGE_PLACES;
    double *edge = to->edge + j * EDGE_PLACES;
    uint8_t map[MAX_BINS + 1];
    uint8_t k = 0;
    for (size_t i = 0; i < n; i++) {
        map[i] = k;
        if (i + 1 < n &&
            (from->is_category[j] ||
             rng_below(job->seed, STREAM_CUTS, j * EDGE_PLACES + i, n - 1) < BAGGED_CUTS))
            edge[k++] = old[i];
    }
    map[n] = ++k; /* missing */
    to->n_bins[j] = k;
    for (size_t i = k - 1U; i < EDGE_PLACES; i++)
        edge[i] = INFINITY;
    const uint8_t *codes = from->by_column + j * from->n_rows;
    uint8_t *by_column = to->by_column + j * from->n_rows;
    for (size_t i = 0; i < from->n_rows; i++) {
        by_column[i] = map[codes[i]];
        to->codes[i * to->row_bytes + j] = by_column[i];
    }
}

/* --- one model of several --------------------------------------------------------------------- */

static bool join_tree(struct gbdt *g, const struct gbdt *from, size_t t, double weight)
{
    const size_t root = from->root[t];
    const size_t n = from->root[t + 1] - root;
    const size_t first = forest_add_tree(g, n);
    if (first == SIZE_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct forest_node node = from->node[root + i];
        if (node.child != 0)
            node.child = (uint32_t)(node.child - root + first);
        else
            node.value *= weight;
        g->node[first + i] = node;
        if (node.child != 0 && forest_is_set(&node) &&
            !forest_set_categories(g, &g->node[first + i], forest_set_of(from, &node)))
            return false;
        g->gain[first + i] = weight * from->gain[root + i];
        g->cover[first + i] = from->cover[root + i];
    }
    return true;
}

enum ft_status bagged_join(struct gbdt *const *part, const double *weight, size_t n_parts,
                           struct gbdt **out, struct ft_err *err)
{
    double base = 0;
    size_t n_trees = 0;
    *out = NULL;
    for (size_t p = 0; p < n_parts; p++) {
        if (part[p]->n_cols != part[0]->n_cols || part[p]->objective != part[0]->objective)
            return ft_fail(err, FT_INVALID, "trees: models of other columns cannot be joined");
        base += weight[p] * part[p]->base;
        n_trees += part[p]->n_trees;
    }
    if (n_parts == 0 || n_trees > FOREST_MAX_TREES)
        return ft_fail(err, FT_INVALID, "trees: %zu trees in %zu models cannot be joined", n_trees,
                       n_parts);
    struct gbdt *g = forest_new(part[0]->objective, part[0]->n_cols, base);
    if (g == NULL)
        return no_memory(err);
    g->parameter = part[0]->parameter;
    for (size_t p = 0; p < n_parts; p++)
        for (size_t t = 0; t < part[p]->n_trees; t++)
            if (!join_tree(g, part[p], t, weight[p])) {
                gbdt_free(g);
                return no_memory(err);
            }
    forest_finish(g);
    *out = g;
    return FT_OK;
}

/* --- fits ------------------------------------------------------------------------------------- */

static enum ft_status fit_trees(const struct matrix *x, const struct binned *bins,
                                const struct gbdt_labels *labels, const struct gbdt_params *params,
                                size_t n_trees, struct pool *pool, struct gbdt **tree,
                                struct ft_err *err)
{
    struct binned cuts = {0};
    struct gbdt_params one = gbdt_params_default(params->objective);
    one.n_trees = 1;
    one.rate = 1;
    one.lambda = 0;
    one.max_leaves = MAX_TREE_LEAVES;
    one.n_bins = params->n_bins;
    one.row_sample = row_share;
    one.min_child_weight = BAGGED_CHILD_SHARE * params->min_child_weight;
    /* Without a column to cut every tree is the mean alone. */
    const bool has_cuts = bins->n_cols > 0;
    enum ft_status st = has_cuts ? cuts_alloc(bins, &cuts, err) : FT_OK;
    for (size_t t = 0; t < n_trees && st == FT_OK; t++) {
        one.seed = rng_u64(params->seed, STREAM_TREES, t) >> 11;
        struct cut_job job = {.from = bins, .to = &cuts, .seed = one.seed};
        pool_run(pool, bins->n_cols, cut_column, &job);
        st = gbdt_fit_binned(x, has_cuts ? &cuts : bins, labels, &one, pool, &tree[t], err);
    }
    bins_free(&cuts);
    return st;
}

enum ft_status bagged_fit(const struct matrix *x, const struct binned *bins,
                          const struct gbdt_labels *labels, const struct gbdt_params *params,
                          size_t n_trees, struct pool *pool, struct gbdt **out, struct ft_err *err)
{
    *out = NULL;
    if (params->objective != GBDT_SQUARED)
        return ft_fail(err, FT_INVALID, "trees: a forest learns means, not %s",
                       gbdt_objective_name(params->objective));
    if (n_trees == 0 || n_trees > BAGGED_MAX_TREES)
        return ft_fail(err, FT_INVALID, "trees: a forest of %zu trees, expected 1 to %d", n_trees,
                       BAGGED_MAX_TREES);
    struct gbdt **tree = calloc(n_trees, sizeof(struct gbdt *));
    double *weight = calloc(n_trees, sizeof(*weight));
    enum ft_status st = FT_OK;
    if (tree == NULL || weight == NULL) {
        st = no_memory(err);
        goto out;
    }
    for (size_t t = 0; t < n_trees; t++)
        weight[t] = 1.0 / (double)n_trees;
    st = fit_trees(x, bins, labels, params, n_trees, pool, tree, err);
    if (st == FT_OK)
        st = bagged_join(tree, weight, n_trees, out, err);
out:
    for (size_t t = 0; t < n_trees && tree != NULL; t++)
        gbdt_free(tree[t]);
    free(tree);
    free(weight);
    return st;
}

enum ft_status bagged_fit_beside(const struct matrix *x, const struct binned *bins,
                                 const struct gbdt_labels *labels, const struct gbdt_params *params,
                                 size_t n_trees, struct pool *pool, struct gbdt **out,
                                 struct ft_err *err)
{
    static const double halves[2] = {0.5, 0.5};
    struct binned own = {0};
    struct gbdt *part[2] = {NULL, NULL};
    enum ft_status st = gbdt_params_check(params, err);
    *out = NULL;
    if (st != FT_OK)
        return st;
    if (bins == NULL)
        st = bins_make(x, params->n_bins, params->is_category, pool, &own, err);
    const struct binned *b = bins != NULL ? bins : &own;
    if (st == FT_OK)
        st = gbdt_fit_binned(x, b, labels, params, pool, &part[0], err);
    if (st == FT_OK)
        st = bagged_fit(x, b, labels, params, n_trees, pool, &part[1], err);
    if (st == FT_OK)
        st = bagged_join(part, halves, 2, out, err);
    gbdt_free(part[0]);
    gbdt_free(part[1]);
    bins_free(&own);
    return st;
}
