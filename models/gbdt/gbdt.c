/* The boosting loop: gradients, a tree, its leaf values added to the scores, again. */
#include "models/gbdt/gbdt.h"

#include "app/base/big_array.h"
#include "models/gbdt/bin.h"
#include "models/gbdt/forest.h"
#include "models/gbdt/grow.h"
#include "models/gbdt/histogram.h"
#include "models/gbdt/objective.h"

#include <math.h>
#include <stdlib.h>

enum { UPDATE_ROWS = 16384 };

struct gbdt_params gbdt_params_default(enum gbdt_objective objective)
{
    return (struct gbdt_params){.objective = objective,
                                .n_trees = 200,
                                .max_leaves = 31,
                                .n_bins = 255,
                                .rate = 0.1,
                                .lambda = 1,
                                .min_child_weight = 1,
                                .row_sample = 1,
                                .col_sample = 1,
                                .quantile = 0.5,
                                .positive_weight = 1,
                                .category_lambda = 10};
}

static enum ft_status check_count(const char *name, size_t value, size_t min, size_t max,
                                  struct ft_err *err)
{
    if (value >= min && value <= max)
        return FT_OK;
    return ft_fail(err, FT_INVALID, "trees: %s is %zu, expected %zu to %zu", name, value, min, max);
}

/* min < value <= max, or min <= value when with_min. */
static enum ft_status check_number(const char *name, double value, bool with_min, double max,
                                   struct ft_err *err)
{
    if (value <= max && (value > 0 || (with_min && value == 0)))
        return FT_OK;
    return ft_fail(err, FT_INVALID, "trees: %s is %g, expected %s 0 to %g", name, value,
                   with_min ? "" : "above", max);
}

enum ft_status gbdt_params_check(const struct gbdt_params *p, struct ft_err *err)
{
    enum ft_status st = check_count("trees", p->n_trees, 1, FOREST_MAX_TREES, err);
    if (st == FT_OK)
        st = check_count("leaves", p->max_leaves, 2, FOREST_MAX_LEAVES, err);
    if (st == FT_OK)
        st = check_count("depth", p->max_depth, 0, 64, err);
    if (st == FT_OK)
        st = check_count("bins", p->n_bins, 2, MAX_BINS, err);
    if (st == FT_OK)
        st = check_number("rate", p->rate, false, 1, err);
    if (st == FT_OK)
        st = check_number("lambda", p->lambda, true, 1e30, err);
    if (st == FT_OK)
        st = check_number("category_lambda", p->category_lambda, true, 1e30, err);
    if (st == FT_OK)
        st = check_number("min_child_weight", p->min_child_weight, true, 1e30, err);
    if (st == FT_OK)
        st = check_number("min_gain", p->min_gain, true, 1e60, err);
    if (st == FT_OK)
        st = check_number("row_sample", p->row_sample, false, 1, err);
    if (st == FT_OK)
        st = check_number("col_sample", p->col_sample, false, 1, err);
    if (st == FT_OK)
        st = check_number("alpha", p->alpha, true, 1e30, err);
    if (st == FT_OK)
        st = check_number("positive_weight", p->positive_weight, false, 1e15, err);
    if (st == FT_OK && p->held_out != NULL)
        st = check_count("patience", p->held_out->patience, 1, FOREST_MAX_TREES, err);
    if (st == FT_OK && (int)p->objective >= GBDT_N_OBJECTIVES)
        st = ft_fail(err, FT_INVALID, "trees: unknown objective %d", (int)p->objective);
    if (st == FT_OK && p->objective == GBDT_QUANTILE && !(p->quantile > 0 && p->quantile < 1))
        st = ft_fail(err, FT_INVALID, "trees: quantile is %g, expected inside (0, 1)", p->quantile);
    if (st == FT_OK)
        st = check_number("aft_scale", p->aft_scale, true, 1e30, err);
    return st;
}

/* The held-out rows of a fit that may stop early. */
struct watch {
    const struct gbdt_held_out *rows; /* NULL = there are none */
    struct targets targets;
    double *score, *block_sum;
    double best_loss;
    size_t best_trees; /* trees of the forest at the lowest loss */
};

/* One fit. */
struct boost {
    struct targets targets;
    struct watch watch;
    double *weight; /* [n_rows] with the weight of positives in it; NULL = as the caller has it */
    struct binned bins;
    struct grower grower;
    struct gbdt *forest;
    uint64_t tree; /* number of the present one */
    double *score, *g, *h, *block_sum;
    uint32_t *order;           /* [2 * max_leaves] grown nodes in breadth-first order */
    struct weighted *residual; /* [n_rows] for leaves that are renewed, else NULL */
};

/* Threshold or set of a split. */
static bool set_split(struct boost *b, struct forest_node *to, const struct split *s)
{
    const uint32_t used = b->grower.used[s->column];
    to->column = b->bins.column[used] | (s->missing_left ? FOREST_MISSING_LEFT : 0);
    if (s->is_set)
        return forest_set_categories(b->forest, to, &s->set);
    to->value = b->bins.edge[used * (size_t)EDGE_PLACES + s->bin];
    return true;
}

/* Appends the grown tree in breadth-first order. */
static bool add_tree(struct boost *b, double h_step)
{
    const struct grower *w = &b->grower;
    const size_t first = forest_add_tree(b->forest, w->n_nodes);
    if (first == SIZE_MAX)
        return false;
    size_t n = 1;
    b->order[0] = 0;
    for (size_t i = 0; i < n; i++) {
        const struct grown *from = &w->nodes[b->order[i]];
        struct forest_node *to = &b->forest->node[first + i];
        b->forest->cover[first + i] = gh_hessian(from->sum) * h_step;
        if (from->left == 0) {
            to->value = from->value;
            continue;
        }
        if (!set_split(b, to, &from->split))
            return false;
        to->child = (uint32_t)(first + n);
        b->forest->gain[first + i] = from->split.gain;
        b->order[n++] = (uint32_t)from->left;
        b->order[n++] = (uint32_t)from->left + 1;
    }
    return true;
}

static void renew_leaf(void *ctx, size_t i)
{
    struct boost *b = ctx;
    struct grown *node = &b->grower.nodes[i];
    if (node->left != 0)
        return;
    grower_sort_leaf(&b->grower, node); /* sums of weights depend on the order */
    node->value = grower_leaf_value(
        &b->grower, node,
        objective_leaf(&b->targets, b->score, b->grower.rows[node->side] + node->begin,
                       node->end - node->begin, b->residual + node->begin));
}

/* Rows that were drawn for the tree lie sorted by leaf. */
static void score_piece(void *ctx, size_t i)
{
    struct boost *b = ctx;
    const struct piece *p = &b->grower.pieces[i];
    const struct grown *leaf = &b->grower.nodes[p->leaf];
    const uint32_t *rows = b->grower.rows[leaf->side];
    for (size_t k = p->begin; k < p->end; k++)
        b->score[rows[k]] += leaf->value;
}

/* The others walk down by their codes. */
static void score_rest(void *ctx, size_t begin, size_t end)
{
    struct boost *b = ctx;
    const struct grower *w = &b->grower;
    for (size_t i = begin; i < end; i++) {
        if (grower_has_row(w->params, b->tree, i))
            continue;
        const struct grown *node = &w->nodes[0];
        while (node->left != 0) {
            const struct split *s = &node->split;
            const unsigned code = b->bins.by_column[w->used[s->column] * b->bins.n_rows + i];
            node = &w->nodes[node->left +
                             !split_takes_left(s, code, b->bins.n_bins[w->used[s->column]])];
        }
        b->score[i] += node->value;
    }
}

/* --- stopping early --------------------------------------------------------------------------- */

static enum ft_status watch_start(struct boost *b, const struct gbdt_params *params, double base,
                                  size_t n_cols, struct ft_err *err)
{
    struct watch *w = &b->watch;
    if (params->held_out == NULL)
        return FT_OK;
    const struct matrix *x = &params->held_out->x;
    double own_base;
    w->rows = params->held_out;
    w->best_loss = INFINITY;
    w->targets = (struct targets){.objective = params->objective,
                                  .labels = w->rows->labels,
                                  .n_rows = x->n_rows,
                                  .parameter = b->targets.parameter};
    if (x->n_cols != n_cols)
        return ft_fail(err, FT_INVALID, "trees: held-out rows have %zu columns, expected %zu",
                       x->n_cols, n_cols);
    const enum ft_status st = objective_start(&w->targets, &own_base, err);
    if (st != FT_OK) {
        ft_err_prefix(err, "held-out rows");
        return st;
    }
    w->score = calloc(x->n_rows, sizeof(*w->score));
    w->block_sum = calloc(2 * objective_n_blocks(x->n_rows), sizeof(*w->block_sum));
    if (w->score == NULL || w->block_sum == NULL)
        return ft_fail(err, FT_NOMEM, "trees: no memory for %zu held-out rows", x->n_rows);
    for (size_t i = 0; i < x->n_rows; i++)
        w->score[i] = base;
    return FT_OK;
}

/* Adds the newest tree to the scores of held-out rows. */
static void watch_block(void *ctx, size_t begin, size_t end)
{
    struct boost *b = ctx;
    const struct gbdt *g = b->forest;
    for (size_t i = begin; i < end; i++) {
        const struct forest_node *node = &g->node[g->root[g->n_trees - 1]];
        while (node->child != 0) {
            const size_t col = forest_column(node);
            node = &g->node[forest_next_of(g, node, matrix_value(&b->watch.rows->x, i, col))];
        }
        b->watch.score[i] += node->value;
    }
}

/* Is the loss of held-out rows past its lowest? */
static bool watch_tree(struct boost *b)
{
    struct watch *w = &b->watch;
    struct pool *pool = b->grower.pool;
    if (w->rows == NULL || b->forest->n_trees == 0)
        return false;
    pool_run_blocks(pool, w->targets.n_rows, UPDATE_ROWS, watch_block, b);
    const double loss = objective_loss(&w->targets, w->score, w->block_sum, pool);
    if (loss < w->best_loss) {
        w->best_loss = loss;
        w->best_trees = b->forest->n_trees;
    }
    return b->forest->n_trees - w->best_trees >= w->rows->patience;
}

static void watch_end(struct watch *w)
{
    objective_end(&w->targets);
    free(w->score);
    free(w->block_sum);
}

/* --- the loop --------------------------------------------------------------------------------- */

/* Weights with that of the positives in them. */
static enum ft_status weigh_positives(struct boost *b, const struct gbdt_params *params,
                                      struct ft_err *err)
{
    const struct gbdt_labels *l = &b->targets.labels;
    const size_t n = b->targets.n_rows;
    if (params->objective != GBDT_LOGISTIC || params->positive_weight == 1)
        return FT_OK;
    b->weight = calloc(n, sizeof(*b->weight));
    if (b->weight == NULL)
        return ft_fail(err, FT_NOMEM, "trees: no memory for %zu rows", n);
    for (size_t i = 0; i < n; i++)
        b->weight[i] =
            (l->weight != NULL ? l->weight[i] : 1) * (l->y[i] == 1 ? params->positive_weight : 1);
    b->targets.labels.weight = b->weight;
    return FT_OK;
}

static enum ft_status boost_tree(struct boost *b, bool *is_done, struct ft_err *err)
{
    struct grower *w = &b->grower;
    const struct quantum q =
        objective_gradients(&b->targets, b->score, b->g, b->h, b->block_sum, w->pool);
    grower_grow(w, b->tree, b->g, b->h, &q);
    if (w->n_nodes == 1) {
        /* Without sampling the next tree would be the same. */
        *is_done = w->params->row_sample >= 1 && w->params->col_sample >= 1;
        return FT_OK;
    }
    if (b->residual != NULL)
        pool_run(w->pool, w->n_nodes, renew_leaf, b);
    if (!add_tree(b, q.h))
        return ft_fail(err, FT_NOMEM, "trees: no memory for tree %llu",
                       (unsigned long long)b->tree);
    pool_run(w->pool, w->n_pieces, score_piece, b);
    if (w->params->row_sample < 1)
        pool_run_blocks(w->pool, b->bins.n_rows, UPDATE_ROWS, score_rest, b);
    *is_done = watch_tree(b);
    return FT_OK;
}

static enum ft_status boost_init(struct boost *b, const struct gbdt_params *params,
                                 struct pool *pool, double base, size_t n_cols, struct ft_err *err)
{
    const size_t n = b->targets.n_rows;
    b->score = big_array(n, sizeof(*b->score));
    b->g = big_array(n, sizeof(*b->g));
    b->h = big_array(n, sizeof(*b->h));
    b->block_sum = calloc(2 * objective_n_blocks(n), sizeof(*b->block_sum));
    b->order = calloc(2 * params->max_leaves, sizeof(*b->order));
    b->forest = forest_new(params->objective, n_cols, base);
    const bool is_renewing = objective_renews(params->objective);
    b->residual = is_renewing ? calloc(n, sizeof(*b->residual)) : NULL;
    if ((is_renewing && b->residual == NULL) || b->score == NULL || b->g == NULL || b->h == NULL ||
        b->block_sum == NULL || b->order == NULL || b->forest == NULL)
        return ft_fail(err, FT_NOMEM, "trees: no memory for %zu rows", n);
    b->forest->parameter = b->targets.parameter;
    for (size_t i = 0; i < n; i++)
        b->score[i] = base;
    if (b->bins.n_cols == 0)
        return FT_OK; /* nothing can be split: the answer is the base score */
    return grower_init(&b->grower, params, &b->bins, pool, err);
}

static enum ft_status check_shape(const struct matrix *x, const struct gbdt_params *params,
                                  struct ft_err *err)
{
    const int8_t *monotone = params->monotone;
    if (x->n_rows < 2)
        return ft_fail(err, FT_TOO_FEW, "trees: %zu rows, at least 2 are needed", x->n_rows);
    if (x->n_rows > (size_t)1 << 29)
        return ft_fail(err, FT_INVALID, "trees: %zu rows, at most 2^29", x->n_rows);
    if (x->n_cols == 0 || x->n_cols > FOREST_MAX_COLS)
        return ft_fail(err, FT_INVALID, "trees: %zu columns, expected 1 to %u", x->n_cols,
                       FOREST_MAX_COLS);
    for (size_t j = 0; monotone != NULL && j < x->n_cols; j++)
        if (monotone[j] < -1 || monotone[j] > 1)
            return ft_fail(err, FT_INVALID, "trees: monotone[%zu] is %d, expected -1, 0 or 1", j,
                           monotone[j]);
    for (size_t j = 0; monotone != NULL && params->is_category != NULL && j < x->n_cols; j++)
        if (monotone[j] != 0 && params->is_category[j])
            return ft_fail(err, FT_INVALID,
                           "trees: column %zu holds categories, so it cannot be "
                           "monotone",
                           j);
    return FT_OK;
}

enum ft_status gbdt_fit(const struct matrix *x, const double *y, const double *weight,
                        const struct gbdt_params *params, struct pool *pool, struct gbdt **out,
                        struct ft_err *err)
{
    const struct gbdt_labels labels = {.y = y, .weight = weight};
    return gbdt_fit_labels(x, &labels, params, pool, out, err);
}

enum ft_status gbdt_fit_labels(const struct matrix *x, const struct gbdt_labels *labels,
                               const struct gbdt_params *params, struct pool *pool,
                               struct gbdt **out, struct ft_err *err)
{
    return gbdt_fit_binned(x, NULL, labels, params, pool, out, err);
}

enum ft_status gbdt_fit_binned(const struct matrix *x, const struct binned *bins,
                               const struct gbdt_labels *labels, const struct gbdt_params *params,
                               struct pool *pool, struct gbdt **out, struct ft_err *err)
{
    struct boost b = {.targets = {.objective = params->objective,
                                  .labels = *labels,
                                  .n_rows = x->n_rows,
                                  .parameter = objective_parameter_of(params)}};
    double base = 0;
    bool is_done = false;

    *out = NULL;
    enum ft_status st = gbdt_params_check(params, err);
    if (st == FT_OK)
        st = check_shape(x, params, err);
    if (st != FT_OK)
        return st;
    st = weigh_positives(&b, params, err);
    if (st == FT_OK)
        st = objective_start(&b.targets, &base, err);
    if (st == FT_OK)
        st = watch_start(&b, params, base, x->n_cols, err);
    if (st == FT_OK && bins != NULL)
        b.bins = *bins; /* borrowed */
    else if (st == FT_OK)
        st = bins_make(x, params->n_bins, params->is_category, pool, &b.bins, err);
    if (st == FT_OK)
        st = boost_init(&b, params, pool, base, x->n_cols, err);
    if (st != FT_OK)
        goto out;
    is_done = b.bins.n_cols == 0;
    for (b.tree = 0; b.tree < params->n_trees && !is_done; b.tree++) {
        st = boost_tree(&b, &is_done, err);
        if (st != FT_OK)
            goto out;
    }
    if (b.watch.rows != NULL)
        forest_truncate(b.forest, b.watch.best_trees);
    forest_finish(b.forest);
    *out = b.forest;
    b.forest = NULL;
out:
    objective_end(&b.targets);
    watch_end(&b.watch);
    free(b.weight);
    gbdt_free(b.forest);
    grower_free(&b.grower);
    if (bins == NULL)
        bins_free(&b.bins);
    free(b.score);
    free(b.g);
    free(b.h);
    free(b.block_sum);
    free(b.order);
    free(b.residual);
    return st;
}
