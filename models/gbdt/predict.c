/* Scoring. Rows go down each tree in groups of eight, so that eight chains of dependent loads
 * overlap; a group's rows and a tree's nodes stay in the cache. */
#include "models/gbdt/forest.h"

enum { GROUP = 8, BLOCK = 128 };

static void predict_block(const struct gbdt *g, const struct matrix *x, size_t begin, size_t n,
                          double *out)
{
    for (size_t t = 0; t < g->n_trees; t++) {
        size_t i = 0;
        for (; i + GROUP <= n; i += GROUP) {
            const double *row[GROUP];
            uint32_t at[GROUP];
            uint32_t inner = 1;
            for (size_t k = 0; k < GROUP; k++) {
                row[k] = matrix_row(x, begin + i + k);
                at[k] = g->root[t];
            }
            while (inner != 0) {
                inner = 0;
                for (size_t k = 0; k < GROUP; k++) {
                    const struct forest_node *node = &g->node[at[k]];
                    at[k] = node->child != 0 ? forest_next(node, row[k]) : at[k];
                    inner |= node->child;
                }
            }
            for (size_t k = 0; k < GROUP; k++)
                out[i + k] += g->node[at[k]].value;
        }
        for (; i < n; i++) {
            const double *row = matrix_row(x, begin + i);
            uint32_t at = g->root[t];
            while (g->node[at].child != 0)
                at = forest_next(&g->node[at], row);
            out[i] += g->node[at].value;
        }
    }
}

void gbdt_predict(const struct gbdt *g, const struct matrix *x, double *out)
{
    for (size_t i = 0; i < x->n_rows; i++)
        out[i] = g->base;
    for (size_t begin = 0; begin < x->n_rows; begin += BLOCK) {
        const size_t n = x->n_rows - begin < BLOCK ? x->n_rows - begin : BLOCK;
        predict_block(g, x, begin, n, out + begin);
    }
}
