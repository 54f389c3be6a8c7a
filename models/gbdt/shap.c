/* Path-dependent TreeSHAP, Lundberg, Erion and Lee 2018, algorithm 2: one walk over each tree keeps
 * for every distinct column on the path the share of training weight that flows on when the column
 * is unknown (zero) and whether the row itself flows on (one), with the permutation weights of all
 * subset sizes, extended and unwound in place. At a leaf, the columns that the row does not follow
 * (one = 0) all get the same: their share cancels from the unwound sum, so it is worked out once.
 */
#include "models/gbdt/forest.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_ROWS = 16 };

struct step {
    int64_t column; /* -1 = root */
    double zero, one, weight;
};

struct walk {
    const struct gbdt *g;
    const double *inverse; /* [max_depth + 3] 1 / k */
    const double *row;
    double *out;
};

static void extend(const double *inverse, struct step *path, size_t depth, double zero, double one,
                   int64_t column)
{
    const double share = inverse[depth + 1];
    path[depth] = (struct step){column, zero, one, depth == 0 ? 1.0 : 0.0};
    for (size_t i = depth; i-- > 0;) {
        path[i + 1].weight += one * path[i].weight * (double)(i + 1) * share;
        path[i].weight = zero * path[i].weight * (double)(depth - i) * share;
    }
}

/* Takes step i out again. */
static void unwind(const double *inverse, struct step *path, size_t depth, size_t i)
{
    const double one = path[i].one, zero = path[i].zero, share = inverse[depth + 1];
    double next = path[depth].weight;
    for (size_t j = depth; j-- > 0;) {
        if (one != 0) {
            const double keep = path[j].weight;
            path[j].weight = next * (double)(depth + 1) * inverse[j + 1];
            next = keep - path[j].weight * zero * (double)(depth - j) * share;
        } else {
            path[j].weight = path[j].weight * (double)(depth + 1) * inverse[depth - j] / zero;
        }
    }
    for (size_t j = i; j < depth; j++) {
        path[j].column = path[j + 1].column;
        path[j].zero = path[j + 1].zero;
        path[j].one = path[j + 1].one;
    }
}

/* Sum of the weights that unwind() of a step with one = 1 would leave. */
static double hot_sum(const double *inverse, const struct step *path, size_t depth, double zero)
{
    const double share = zero * inverse[depth + 1];
    double next = path[depth].weight, total = 0;
    for (size_t j = depth; j-- > 0;) {
        const double w = next * (double)(depth + 1) * inverse[j + 1];
        total += w;
        next = path[j].weight - w * (double)(depth - j) * share;
    }
    return total;
}

/* The same of a step with one = 0, times its zero. */
static double cold_sum(const double *inverse, const struct step *path, size_t depth)
{
    double total = 0;
    for (size_t j = depth; j-- > 0;)
        total += path[j].weight * inverse[depth - j];
    return total * (double)(depth + 1);
}

static void add_leaf(const struct walk *w, const struct step *path, size_t depth, double value)
{
    const double cold = -cold_sum(w->inverse, path, depth) * value;
    for (size_t i = 1; i <= depth; i++) {
        const struct step *s = &path[i];
        w->out[s->column] +=
            s->one == 0 ? cold : hot_sum(w->inverse, path, depth, s->zero) * (1 - s->zero) * value;
    }
}

/* path has depth steps so far; every level works on its own copy behind its parent's. */
static void descend(const struct walk *w, size_t at, const struct step *parent, struct step *path,
                    size_t depth, double zero, double one, int64_t column)
{
    const struct gbdt *g = w->g;
    const struct forest_node *node = &g->node[at];
    memcpy(path, parent, depth * sizeof(*path));
    extend(w->inverse, path, depth, zero, one, column);
    if (node->child == 0) {
        add_leaf(w, path, depth, node->value);
        return;
    }
    const int64_t split_column = forest_column(node);
    const size_t hot = forest_next(g, node, w->row);
    const size_t cold = 2 * (size_t)node->child + 1 - hot;
    double zero_before = 1, one_before = 1;
    size_t seen = 1;
    while (seen <= depth && path[seen].column != split_column)
        seen++;
    if (seen <= depth) {
        zero_before = path[seen].zero;
        one_before = path[seen].one;
        unwind(w->inverse, path, depth, seen);
        depth--;
    }
    struct step *next = path + depth + 1;
    const double hot_share = g->cover[hot] / g->cover[at];
    const double cold_share = g->cover[cold] / g->cover[at];
    descend(w, hot, path, next, depth + 1, zero_before * hot_share, one_before, split_column);
    descend(w, cold, path, next, depth + 1, zero_before * cold_share, 0, split_column);
}

/* Scratch of one walk: the inverses, then the paths. */
static size_t scratch_size(const struct gbdt *g)
{
    const size_t n_steps = (g->max_depth + 2) * (g->max_depth + 3) / 2;
    return (g->max_depth + 3) * sizeof(double) + n_steps * sizeof(struct step);
}

static void explain(const struct gbdt *g, const double *row, void *scratch, double *out)
{
    double *inverse = scratch;
    struct step *path = (struct step *)(void *)(inverse + g->max_depth + 3);
    memset(out, 0, (g->n_cols + 1) * sizeof(*out));
    inverse[0] = 0;
    for (size_t k = 1; k < g->max_depth + 3; k++)
        inverse[k] = 1 / (double)k;
    const struct walk w = {g, inverse, row, out};
    for (size_t t = 0; t < g->n_trees; t++)
        descend(&w, g->root[t], path, path, 0, 1, 1, -1);
    out[g->n_cols] = g->expected;
}

enum ft_status gbdt_contributions(const struct gbdt *g, const double *row, double *out,
                                  struct ft_err *err)
{
    void *scratch = calloc(1, scratch_size(g));
    if (scratch == NULL)
        return ft_fail(err, FT_NOMEM, "contributions: no memory for depth %zu", g->max_depth);
    explain(g, row, scratch, out);
    free(scratch);
    return FT_OK;
}

struct rows_job {
    const struct gbdt *g;
    const struct matrix *x;
    double *out;
    bool *has_failed; /* per block */
};

static void explain_block(void *ctx, size_t begin, size_t end)
{
    const struct rows_job *job = ctx;
    void *scratch = calloc(1, scratch_size(job->g));
    double *wide = calloc(job->x->n_cols, sizeof(*wide)); /* a row of floats */
    job->has_failed[begin / BLOCK_ROWS] = scratch == NULL || wide == NULL;
    for (size_t i = begin; !job->has_failed[begin / BLOCK_ROWS] && i < end; i++)
        explain(job->g, matrix_row_wide(job->x, i, wide), scratch,
                job->out + i * (job->g->n_cols + 1));
    free(scratch);
    free(wide);
}

enum ft_status gbdt_contributions_rows(const struct gbdt *g, const struct matrix *x,
                                       struct pool *pool, double *out, struct ft_err *err)
{
    const size_t n_blocks = (x->n_rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
    bool any = false;
    if (n_blocks == 0)
        return FT_OK;
    struct rows_job job = {g, x, out, calloc(n_blocks, sizeof(bool))};
    if (job.has_failed != NULL)
        pool_run_blocks(pool, x->n_rows, BLOCK_ROWS, explain_block, &job);
    for (size_t b = 0; job.has_failed != NULL && b < n_blocks; b++)
        any |= job.has_failed[b];
    any |= job.has_failed == NULL;
    free(job.has_failed);
    return any ? ft_fail(err, FT_NOMEM, "contributions: no memory for depth %zu", g->max_depth)
               : FT_OK;
}
