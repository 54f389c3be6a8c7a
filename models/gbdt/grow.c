/* One split is one parallel pass over tiles of eight columns: a job sums the histograms of the
 * smaller child, subtracts them from the parent's to get the larger child's, and looks for the best
 * split of both while they are in the cache. Jobs own their tile and sums are integers, so the
 * number of threads changes nothing. Small nodes are done on the spot: waking a thread costs more.
 */
#include "models/gbdt/grow.h"

#include "app/base/rng.h"
#include "models/gbdt/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_ROWS = 1, STREAM_COLS = 2 };
enum { PARTITION_ROWS = 32768, INLINE_WORK = 65536 };
static const size_t MAX_HIST_BYTES = (size_t)256 << 20;

bool grower_has_row(const struct gbdt_params *params, uint64_t tree, size_t row)
{
    return params->row_sample >= 1.0 ||
           rng_uniform(params->seed, tree << 2 | STREAM_ROWS, row) < params->row_sample;
}

static size_t slot_words(const struct grower *w)
{
    return w->n_tiles * TILE * w->stride;
}

static size_t n_sampled_cols(const struct grower *w)
{
    const size_t n = (size_t)(w->params->col_sample * (double)w->bins->n_cols + 0.5);
    return n < 1 ? 1 : n > w->bins->n_cols ? w->bins->n_cols : n;
}

enum ft_status grower_init(struct grower *w, const struct gbdt_params *params,
                           const struct binned *bins, struct pool *pool, struct ft_err *err)
{
    const size_t n = bins->n_rows;
    size_t n_codes = 1;
    *w = (struct grower){.params = params, .bins = bins, .pool = pool};
    if (n == 0 || bins->n_cols == 0)
        return ft_fail(err, FT_INVALID, "trees: %zu rows x %zu columns", n, bins->n_cols);
    for (size_t j = 0; j < bins->n_cols; j++)
        if (bins->n_bins[j] + (size_t)1 > n_codes)
            n_codes = bins->n_bins[j] + (size_t)1;
    w->stride = histogram_stride(n_codes);
    w->n_cols = n_sampled_cols(w);
    w->n_tiles = (w->n_cols + TILE - 1) / TILE;
    w->max_slots = MAX_HIST_BYTES / (slot_words(w) * sizeof(uint64_t));
    if (w->max_slots > params->max_leaves)
        w->max_slots = params->max_leaves;
    w->used = calloc(bins->n_cols, sizeof(*w->used));
    w->draw = calloc(bins->n_cols, sizeof(*w->draw));
    w->rows = calloc(n, sizeof(*w->rows));
    w->other_rows = calloc(n, sizeof(*w->other_rows));
    w->words = calloc(n, sizeof(*w->words));
    w->other_words = calloc(n, sizeof(*w->other_words));
    w->n_left = calloc(n / PARTITION_ROWS + 1, sizeof(*w->n_left));
    w->nodes = calloc(2 * params->max_leaves, sizeof(*w->nodes));
    w->tile_best = calloc(2 * w->n_tiles, sizeof(*w->tile_best));
    w->slots = calloc(w->max_slots + 1, sizeof(*w->slots));
    w->free_slots = calloc(w->max_slots + 1, sizeof(*w->free_slots));
    w->spare[0] = calloc(slot_words(w), sizeof(uint64_t));
    w->spare[1] = calloc(slot_words(w), sizeof(uint64_t));
    const bool is_sampling = w->n_cols < bins->n_cols;
    w->sampled = is_sampling ? calloc(w->n_tiles * TILE, n) : NULL;
    if (w->used == NULL || w->draw == NULL || w->rows == NULL || w->other_rows == NULL ||
        w->words == NULL || w->other_words == NULL || w->n_left == NULL || w->nodes == NULL ||
        w->tile_best == NULL || w->slots == NULL || w->free_slots == NULL || w->spare[0] == NULL ||
        w->spare[1] == NULL || (is_sampling && w->sampled == NULL))
        return ft_fail(err, FT_NOMEM, "trees: no memory for %zu rows x %zu columns", n,
                       bins->n_cols);
    w->codes = is_sampling ? w->sampled : bins->codes;
    return FT_OK;
}

void grower_free(struct grower *w)
{
    for (size_t i = 0; i < w->n_slots; i++)
        free(w->slots[i]);
    free(w->slots);
    free(w->free_slots);
    free(w->spare[0]);
    free(w->spare[1]);
    free(w->used);
    free(w->draw);
    free(w->sampled);
    free(w->rows);
    free(w->other_rows);
    free(w->words);
    free(w->other_words);
    free(w->n_left);
    free(w->nodes);
    free(w->tile_best);
    *w = (struct grower){0};
}

/* A place for the histograms of a node: a kept one while there is room and memory, else spare. */
static uint64_t *take_slot(struct grower *w, size_t which_spare)
{
    if (w->n_free > 0)
        return w->free_slots[--w->n_free];
    if (w->n_slots < w->max_slots) {
        uint64_t *slot = malloc(slot_words(w) * sizeof(*slot));
        if (slot != NULL) {
            w->slots[w->n_slots++] = slot;
            return w->slots[w->n_slots - 1];
        }
    }
    return w->spare[which_spare];
}

static void drop_hist(struct grower *w, struct grown *node)
{
    if (node->hist != NULL && node->hist != w->spare[0] && node->hist != w->spare[1])
        w->free_slots[w->n_free++] = node->hist;
    node->hist = NULL;
}

/* --- drawing ---------------------------------------------------------------------------------- */

static int compare_u64(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void gather_tile(void *ctx, size_t tile)
{
    struct grower *w = ctx;
    const size_t n = w->bins->n_rows;
    uint8_t *to = w->sampled + tile * n * TILE;
    for (size_t k = 0; k < TILE && tile * TILE + k < w->n_cols; k++) {
        const uint8_t *from = bins_codes(w->bins->codes, n, w->used[tile * TILE + k]);
        for (size_t i = 0; i < n; i++)
            to[i * TILE + k] = from[i * TILE];
    }
}

/* The n_cols columns with the smallest draws, in rising order of their number. */
static void draw_columns(struct grower *w, uint64_t tree)
{
    const size_t n_all = w->bins->n_cols;
    if (w->sampled == NULL) {
        for (size_t j = 0; j < n_all; j++)
            w->used[j] = (uint32_t)j;
        return;
    }
    const uint64_t stream = tree << 2 | STREAM_COLS;
    for (size_t j = 0; j < n_all; j++)
        w->draw[j] = rng_u64(w->params->seed, stream, j);
    qsort(w->draw, n_all, sizeof(*w->draw), compare_u64);
    const uint64_t last = w->draw[w->n_cols - 1];
    size_t n = 0;
    for (size_t j = 0; j < n_all && n < w->n_cols; j++)
        if (rng_u64(w->params->seed, stream, j) <= last)
            w->used[n++] = (uint32_t)j;
    pool_run(w->pool, w->n_tiles, gather_tile, w);
}

static void draw_rows(struct grower *w, uint64_t tree)
{
    w->n_rows = 0;
    for (size_t i = 0; i < w->bins->n_rows; i++)
        if (grower_has_row(w->params, tree, i))
            w->rows[w->n_rows++] = (uint32_t)i;
}

/* --- histograms and splits -------------------------------------------------------------------- */

/* One parallel pass. The first node's histograms are summed from its rows; the second's, when
 * there is one, are the parent's (already in second->hist) less the first's. */
struct pass {
    struct grower *w;
    struct grown *first, *second;
    bool search_first, search_second;
};

static void search_tile(struct grower *w, const struct grown *node, size_t tile, struct split *best)
{
    const uint64_t *hist = node->hist + tile * TILE * w->stride;
    *best = (struct split){0};
    for (size_t k = 0; k < TILE && tile * TILE + k < w->n_cols; k++) {
        const size_t col = tile * TILE + k;
        split_search(hist + k * w->stride, w->bins->n_bins[w->used[col]], node->sum, (uint32_t)col,
                     &w->rule, best);
    }
}

static void pass_tile(void *ctx, size_t tile)
{
    const struct pass *p = ctx;
    struct grower *w = p->w;
    const size_t n_words = TILE * w->stride;
    const size_t n_cols = w->n_cols - tile * TILE;
    uint64_t *hist = p->first->hist + tile * n_words;
    memset(hist, 0, n_words * sizeof(*hist));
    histogram_add(hist, w->stride, n_cols < TILE ? n_cols : TILE,
                  w->codes + tile * w->bins->n_rows * TILE, w->rows + p->first->begin,
                  w->words + p->first->begin, p->first->end - p->first->begin);
    if (p->search_first)
        search_tile(w, p->first, tile, &w->tile_best[2 * tile]);
    if (p->second == NULL)
        return;
    histogram_subtract(p->second->hist + tile * n_words, hist, n_words);
    if (p->search_second)
        search_tile(w, p->second, tile, &w->tile_best[2 * tile + 1]);
}

/* Best over tiles; the lowest tile wins a tie. */
static void reduce_best(const struct grower *w, size_t which, struct grown *node)
{
    for (size_t t = 0; t < w->n_tiles; t++)
        if (w->tile_best[2 * t + which].gain > node->split.gain)
            node->split = w->tile_best[2 * t + which];
}

static void run_pass(struct grower *w, struct grown *first, struct grown *second, bool search_first,
                     bool search_second)
{
    struct pass p = {w, first, second, search_first, search_second};
    const size_t work = (first->end - first->begin) * w->n_cols + 4 * slot_words(w);
    if (work < INLINE_WORK)
        for (size_t t = 0; t < w->n_tiles; t++)
            pass_tile(&p, t);
    else
        pool_run(w->pool, w->n_tiles, pass_tile, &p);
    if (search_first)
        reduce_best(w, 0, first);
    if (search_second)
        reduce_best(w, 1, second);
}

/* Could the node be split at all? */
static bool is_splittable(const struct grower *w, const struct grown *node)
{
    const size_t max_depth = w->params->max_depth;
    return (max_depth == 0 || node->depth < max_depth) && node->end - node->begin >= 2 &&
           gh_hessian(node->sum) >= 2 && gh_hessian(node->sum) >= 2 * w->rule.min_weight;
}

/* Keeps the histograms only where a split will want to subtract from them. */
static void settle(struct grower *w, struct grown *node)
{
    if (node->split.gain <= 0)
        drop_hist(w, node);
    else if (node->hist == w->spare[0] || node->hist == w->spare[1])
        node->hist = NULL;
}

/* Finds the best splits of two fresh siblings; parent_hist is NULL when it was not kept. */
static void search_children(struct grower *w, uint64_t *parent_hist, struct grown *left,
                            struct grown *right)
{
    const bool left_is_small = left->end - left->begin <= right->end - right->begin;
    struct grown *small = left_is_small ? left : right;
    struct grown *large = left_is_small ? right : left;
    const bool search_small = is_splittable(w, small);
    const bool search_large = is_splittable(w, large);
    large->hist = parent_hist;
    if (search_large && parent_hist != NULL) {
        small->hist = take_slot(w, 0);
        run_pass(w, small, large, search_small, true);
        settle(w, small);
    } else {
        if (search_small) {
            small->hist = take_slot(w, 0);
            run_pass(w, small, NULL, true, false);
            settle(w, small);
        }
        if (search_large) {
            large->hist = take_slot(w, 1);
            run_pass(w, large, NULL, true, false);
        }
    }
    settle(w, large);
}

/* --- partition -------------------------------------------------------------------------------- */

struct partition {
    struct grower *w;
    size_t begin, end;
    const uint8_t *codes; /* of the split's column */
    unsigned bin;
    unsigned also; /* code that goes left as well: missing, or one that never occurs */
};

/* Left rows move to the block's front, right rows to the same place of the other arrays. */
static void partition_block(void *ctx, size_t begin, size_t end)
{
    const struct partition *p = ctx;
    struct grower *w = p->w;
    uint32_t *rows = w->rows + p->begin + begin, *other_rows = w->other_rows + p->begin + begin;
    uint64_t *words = w->words + p->begin + begin, *other_words = w->other_words + p->begin + begin;
    size_t n_left = 0, n_right = 0;
    for (size_t i = 0; i < end - begin; i++) {
        const uint32_t row = rows[i];
        const uint64_t word = words[i];
        const unsigned code = p->codes[(size_t)row * TILE];
        const size_t is_left = (code <= p->bin) | (code == p->also);
        rows[n_left] = other_rows[n_right] = row;
        words[n_left] = other_words[n_right] = word;
        n_left += is_left;
        n_right += 1 - is_left;
    }
    w->n_left[begin / PARTITION_ROWS] = n_left;
}

/* Splits the node's rows, order kept; returns how many went left. */
static size_t partition_rows(struct grower *w, const struct grown *node)
{
    const struct split *s = &node->split;
    const size_t n = node->end - node->begin;
    struct partition p = {.w = w,
                          .begin = node->begin,
                          .end = node->end,
                          .codes = bins_codes(w->codes, w->bins->n_rows, s->column),
                          .bin = s->bin,
                          .also = s->missing_left ? w->bins->n_bins[w->used[s->column]] : 256};
    if (n <= PARTITION_ROWS)
        partition_block(&p, 0, n);
    else
        pool_run_blocks(w->pool, n, PARTITION_ROWS, partition_block, &p);
    uint32_t *rows = w->rows + node->begin;
    uint64_t *words = w->words + node->begin;
    size_t at = 0;
    for (size_t b = 0; b * PARTITION_ROWS < n; b++) {
        memmove(rows + at, rows + b * PARTITION_ROWS, w->n_left[b] * sizeof(*rows));
        memmove(words + at, words + b * PARTITION_ROWS, w->n_left[b] * sizeof(*words));
        at += w->n_left[b];
    }
    const size_t n_left = at;
    for (size_t b = 0; b * PARTITION_ROWS < n; b++) {
        const size_t left = n - b * PARTITION_ROWS;
        const size_t n_right = (left < PARTITION_ROWS ? left : PARTITION_ROWS) - w->n_left[b];
        const size_t from = node->begin + b * PARTITION_ROWS;
        memcpy(rows + at, w->other_rows + from, n_right * sizeof(*rows));
        memcpy(words + at, w->other_words + from, n_right * sizeof(*words));
        at += n_right;
    }
    return n_left;
}

/* --- growing ---------------------------------------------------------------------------------- */

/* Makes the node's split; is_last: no further split will follow, so none is looked for. */
static void split_node(struct grower *w, struct grown *node, bool is_last)
{
    const size_t n_left = partition_rows(w, node);
    struct grown *left = &w->nodes[w->n_nodes], *right = left + 1;
    node->left = w->n_nodes;
    w->n_nodes += 2;
    *left = (struct grown){.sum = node->split.left,
                           .begin = node->begin,
                           .end = node->begin + n_left,
                           .depth = node->depth + 1};
    *right = (struct grown){.sum = node->sum - node->split.left,
                            .begin = left->end,
                            .end = node->end,
                            .depth = node->depth + 1};
    uint64_t *hist = node->hist;
    if (is_last) {
        drop_hist(w, node);
        return;
    }
    node->hist = NULL;
    search_children(w, hist, left, right);
}

/* The leaf with the greatest gain, the eldest of equals; NULL when none can be split. */
static struct grown *best_leaf(struct grower *w)
{
    struct grown *best = NULL;
    for (size_t i = 0; i < w->n_nodes; i++) {
        struct grown *node = &w->nodes[i];
        if (node->left == 0 && node->split.gain > 0 &&
            (best == NULL || node->split.gain > best->split.gain))
            best = node;
    }
    return best;
}

struct leaves {
    struct grower *w;
    const double *g, *h;
    const struct quantum *q;
};

/* -G / (H + lambda) * rate from sums with 61 bits, finer than the packed words: the coarse ones
 * choose splits only. */
static void leaf_value(void *ctx, size_t i)
{
    const struct leaves *l = ctx;
    struct grown *node = &l->w->nodes[i];
    if (node->left != 0)
        return;
    int64_t sum_g = 0, sum_h = 0;
    for (size_t k = node->begin; k < node->end; k++) {
        const uint32_t row = l->w->rows[k];
        sum_g += llrint(l->g[row] * (1 / l->q->g_fine));
        sum_h += llrint(l->h[row] * (1 / l->q->h_fine));
    }
    const double g = (double)sum_g * l->q->g_fine;
    const double h = (double)sum_h * l->q->h_fine + l->w->params->lambda;
    node->value = h > 0 ? -g / h * l->w->params->rate : 0;
}

static void plant_root(struct grower *w)
{
    struct grown *root = &w->nodes[0];
    *root = (struct grown){.end = w->n_rows};
    for (size_t i = 0; i < w->n_rows; i++)
        root->sum += w->words[i];
    w->n_nodes = 1;
    if (!is_splittable(w, root))
        return;
    root->hist = take_slot(w, 0);
    run_pass(w, root, NULL, true, false);
    settle(w, root);
}

void grower_grow(struct grower *w, uint64_t tree, const double *g, const double *h,
                 const struct quantum *q)
{
    w->rule = (struct split_rule){.lambda = w->params->lambda / q->h,
                                  .min_weight = w->params->min_child_weight / q->h,
                                  .min_gain = w->params->min_gain,
                                  .gain_unit = q->g * (q->g / q->h)};
    draw_columns(w, tree);
    draw_rows(w, tree);
    objective_pack(g, h, q, w->params->seed, tree, w->rows, w->n_rows, w->words, w->pool);
    plant_root(w);
    for (size_t n_leaves = 1; n_leaves < w->params->max_leaves; n_leaves++) {
        struct grown *node = best_leaf(w);
        if (node == NULL)
            break;
        split_node(w, node, n_leaves + 1 == w->params->max_leaves);
    }
    for (size_t i = 0; i < w->n_nodes; i++)
        drop_hist(w, &w->nodes[i]);
    struct leaves l = {w, g, h, q};
    if (w->n_rows < INLINE_WORK)
        for (size_t i = 0; i < w->n_nodes; i++)
            leaf_value(&l, i);
    else
        pool_run(w->pool, w->n_nodes, leaf_value, &l);
}
