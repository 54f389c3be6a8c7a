/* Path-dependent TreeSHAP, Lundberg, Erion and Lee 2018, algorithm 2: one walk over each tree keeps
 * for every distinct column on the path the share of training weight that flows on when the column
 * is unknown (zero) and whether the row itself flows on (one), with the permutation weights of all
 * subset sizes, extended and unwound in place. */
#include "models/gbdt/forest.h"

#include <stdlib.h>
#include <string.h>

struct step {
    int64_t column; /* -1 = root */
    double zero, one, weight;
};

struct walk {
    const struct gbdt *g;
    const double *row;
    double *out;
};

static void extend(struct step *path, size_t depth, double zero, double one, int64_t column)
{
    path[depth] = (struct step){column, zero, one, depth == 0 ? 1.0 : 0.0};
    for (size_t i = depth; i-- > 0;) {
        path[i + 1].weight += one * path[i].weight * (double)(i + 1) / (double)(depth + 1);
        path[i].weight = zero * path[i].weight * (double)(depth - i) / (double)(depth + 1);
    }
}

/* Takes step i out again. */
static void unwind(struct step *path, size_t depth, size_t i)
{
    const double one = path[i].one, zero = path[i].zero;
    double next = path[depth].weight;
    for (size_t j = depth; j-- > 0;) {
        if (one != 0) {
            const double keep = path[j].weight;
            path[j].weight = next * (double)(depth + 1) / ((double)(j + 1) * one);
            next = keep - path[j].weight * zero * (double)(depth - j) / (double)(depth + 1);
        } else {
            path[j].weight = path[j].weight * (double)(depth + 1) / (zero * (double)(depth - j));
        }
    }
    for (size_t j = i; j < depth; j++) {
        path[j].column = path[j + 1].column;
        path[j].zero = path[j + 1].zero;
        path[j].one = path[j + 1].one;
    }
}

/* Sum of the weights that unwind() of step i would leave. */
static double unwound_sum(const struct step *path, size_t depth, size_t i)
{
    const double one = path[i].one, zero = path[i].zero;
    double next = path[depth].weight, total = 0;
    for (size_t j = depth; j-- > 0;) {
        if (one != 0) {
            const double w = next * (double)(depth + 1) / ((double)(j + 1) * one);
            total += w;
            next = path[j].weight - w * zero * (double)(depth - j) / (double)(depth + 1);
        } else {
            total += path[j].weight / (zero * (double)(depth - j) / (double)(depth + 1));
        }
    }
    return total;
}

/* path has depth steps so far; every level works on its own copy behind its parent's. */
static void descend(const struct walk *w, size_t at, const struct step *parent, struct step *path,
                    size_t depth, double zero, double one, int64_t column)
{
    const struct gbdt *g = w->g;
    const struct forest_node *node = &g->node[at];
    memcpy(path, parent, depth * sizeof(*path));
    extend(path, depth, zero, one, column);
    if (node->child == 0) {
        for (size_t i = 1; i <= depth; i++)
            w->out[path[i].column] +=
                unwound_sum(path, depth, i) * (path[i].one - path[i].zero) * node->value;
        return;
    }
    const int64_t split_column = node->column & ~FOREST_MISSING_LEFT;
    const size_t hot = forest_next(node, w->row);
    const size_t cold = 2 * (size_t)node->child + 1 - hot;
    double zero_before = 1, one_before = 1;
    size_t seen = 1;
    while (seen <= depth && path[seen].column != split_column)
        seen++;
    if (seen <= depth) {
        zero_before = path[seen].zero;
        one_before = path[seen].one;
        unwind(path, depth, seen);
        depth--;
    }
    struct step *next = path + depth + 1;
    const double hot_share = g->cover[hot] / g->cover[at];
    const double cold_share = g->cover[cold] / g->cover[at];
    descend(w, hot, path, next, depth + 1, zero_before * hot_share, one_before, split_column);
    descend(w, cold, path, next, depth + 1, zero_before * cold_share, 0, split_column);
}

enum ft_status gbdt_contributions(const struct gbdt *g, const double *row, double *out,
                                  struct ft_err *err)
{
    const size_t n_steps = (g->max_depth + 2) * (g->max_depth + 3) / 2;
    struct step *path = calloc(n_steps, sizeof(*path));
    if (path == NULL)
        return ft_fail(err, FT_NOMEM, "contributions: no memory for depth %zu", g->max_depth);
    memset(out, 0, (g->n_cols + 1) * sizeof(*out));
    const struct walk w = {g, row, out};
    for (size_t t = 0; t < g->n_trees; t++)
        descend(&w, g->root[t], path, path, 0, 1, 1, -1);
    out[g->n_cols] = g->expected;
    free(path);
    return FT_OK;
}
