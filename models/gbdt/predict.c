/* Few rows walk down several trees at once: the steps of one row in one tree wait for memory one
 * after another, those in different trees do not. Many rows go through batch.c. Either way leaf
 * values are added tree by tree, so the bits are the same. */
#include "models/gbdt/batch.h"

#include <stdlib.h>

enum { GROUP = 8, FEW_ROWS = 8 };

/* A row of either kind: wide, or narrow when wide is NULL. A float goes the way of the double of
 * the same value. */
struct row {
    const double *wide;
    const float *narrow;
};

static inline double value_of(const struct row *r, uint32_t column)
{
    return r->wide != NULL ? r->wide[column] : (double)r->narrow[column];
}

/* Leaf of the row in each of n <= GROUP trees from t on, added in the order of the trees. */
static inline __attribute__((always_inline)) double
add_leaves(const struct gbdt *g, const struct row row, size_t t, size_t n, double sum)
{
    uint32_t at[GROUP];
    uint32_t inner = 1;
    for (size_t k = 0; k < n; k++)
        at[k] = g->root[t + k];
    while (inner != 0) {
        inner = 0;
        for (size_t k = 0; k < n; k++) {
            const struct forest_node *node = &g->node[at[k]];
            if (node->child != 0)
                at[k] = forest_next_of(g, node, value_of(&row, forest_column(node)));
            inner |= node->child;
        }
    }
    for (size_t k = 0; k < n; k++)
        sum += g->node[at[k]].value;
    return sum;
}

static inline __attribute__((always_inline)) double predict_row(const struct gbdt *g,
                                                                const struct row row)
{
    double sum = g->base;
    size_t t = 0;
    for (; t + GROUP <= g->n_trees; t += GROUP)
        sum = add_leaves(g, row, t, GROUP, sum);
    return t < g->n_trees ? add_leaves(g, row, t, g->n_trees - t, sum) : sum;
}

static void predict_plain(const struct gbdt *g, const struct matrix *x, double *out)
{
    for (size_t i = 0; i < x->n_rows; i++)
        if (x->data != NULL)
            out[i] = predict_row(g, (struct row){matrix_row(x, i), NULL});
        else
            out[i] = predict_row(g, (struct row){NULL, x->data32 + i * x->stride});
}

void gbdt_predict(const struct gbdt *g, const struct matrix *x, double *out)
{
    if (x->n_rows >= FEW_ROWS && g->batch != NULL) {
        for (size_t i = 0; i < x->n_rows; i++)
            out[i] = g->base;
        if (batch_add(g->batch, x, out))
            return;
    }
    predict_plain(g, x, out);
}
