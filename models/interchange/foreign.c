#include "models/interchange/foreign.h"

#include "models/gbdt/forest.h"
#include "models/model_private.h"

#include <math.h>
#include <stdlib.h>

void foreign_names_free(struct foreign_names *names)
{
    for (size_t i = 0; names->names != NULL && i < names->n; i++)
        free(names->names[i]);
    free(names->names);
    *names = (struct foreign_names){0};
}

/* order[] lists the file's nodes breadth-first, the children of a split side by side. */
static enum ft_status order_nodes(const struct gbdt *g, const struct foreign_node *nodes, size_t n,
                                  size_t *order, bool *is_seen, size_t *n_ordered,
                                  struct ft_err *err)
{
    size_t end = 1;
    order[0] = 0;
    is_seen[0] = true;
    for (size_t i = 0; i < end; i++) {
        const struct foreign_node *node = &nodes[order[i]];
        if (!isfinite(node->value))
            return ft_fail(err, FT_INVALID, "tree %zu, node %zu: a number is not finite",
                           g->n_trees, order[i]);
        if (node->is_leaf)
            continue;
        if (node->column >= g->n_cols)
            return ft_fail(err, FT_INVALID, "tree %zu, node %zu: column %u of %zu", g->n_trees,
                           order[i], node->column, g->n_cols);
        const size_t children[2] = {node->left, node->right};
        for (size_t k = 0; k < 2; k++) {
            if (children[k] >= n || is_seen[children[k]])
                return ft_fail(err, FT_INVALID, "tree %zu, node %zu: child %zu is out of place",
                               g->n_trees, order[i], children[k]);
            is_seen[children[k]] = true;
            order[end++] = children[k];
        }
    }
    *n_ordered = end;
    return FT_OK;
}

static enum ft_status append(struct gbdt *g, const struct foreign_node *nodes, const size_t *order,
                             size_t n, struct ft_err *err)
{
    if (n > 2 * FOREST_MAX_LEAVES - 1 || g->n_trees == FOREST_MAX_TREES)
        return ft_fail(err, FT_INVALID, "tree %zu: more than %d leaves or %d trees", g->n_trees,
                       FOREST_MAX_LEAVES, FOREST_MAX_TREES);
    const size_t first = forest_add_tree(g, n);
    if (first == SIZE_MAX)
        return ft_fail(err, FT_NOMEM, "no memory for %zu nodes", n);
    size_t child = first + 1;
    for (size_t i = 0; i < n; i++) {
        const struct foreign_node *from = &nodes[order[i]];
        struct forest_node *to = &g->node[first + i];
        to->value = from->value;
        g->cover[first + i] = from->cover > 1e-12 && isfinite(from->cover) ? from->cover : 1e-12;
        if (from->is_leaf)
            continue;
        to->column = from->column | (from->is_missing_left ? FOREST_MISSING_LEFT : 0);
        if (from->is_set && !forest_set_categories(g, to, &from->set))
            return ft_fail(err, FT_NOMEM, "no memory for sets of categories");
        to->child = (uint32_t)child;
        g->gain[first + i] = from->gain > 0 && isfinite(from->gain) ? from->gain : 0;
        child += 2;
    }
    return FT_OK;
}

enum ft_status foreign_add_tree(struct gbdt *g, const struct foreign_node *nodes, size_t n,
                                struct ft_err *err)
{
    if (n == 0)
        return ft_fail(err, FT_INVALID, "tree %zu has no nodes", g->n_trees);
    size_t *order = calloc(n, sizeof(*order));
    bool *is_seen = calloc(n, sizeof(*is_seen));
    size_t n_ordered = 0;
    enum ft_status st = order != NULL && is_seen != NULL
                            ? order_nodes(g, nodes, n, order, is_seen, &n_ordered, err)
                            : ft_fail(err, FT_NOMEM, "no memory for %zu nodes", n);
    if (st == FT_OK)
        st = append(g, nodes, order, n_ordered, err);
    free(order);
    free(is_seen);
    return st;
}

enum ft_status foreign_model(struct gbdt *g, struct model **out, struct ft_err *err)
{
    struct model *m = calloc(1, sizeof(*m));
    if (m == NULL) {
        gbdt_free(g);
        return ft_fail(err, FT_NOMEM, "no memory for a model");
    }
    forest_finish(g);
    m->kind = MODEL_GBDT;
    m->task = g->objective == GBDT_LOGISTIC ? TASK_CLASSIFY : TASK_REGRESS;
    m->ops = model_ops_of(MODEL_GBDT);
    m->fitted = g;
    *out = m;
    return FT_OK;
}
