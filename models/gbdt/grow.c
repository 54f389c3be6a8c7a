/* One split is a partition of the node's rows and two passes. First the histograms of the smaller
 * child are summed, block of rows by block of rows; then, tile of columns by tile of columns, they
 * are subtracted from the parent's to get the larger child's, and both are searched for their best
 * split. Blocks and tiles go to idle threads; sums are integers, so the number of threads changes
 * nothing. Small nodes are done on the spot: waking a thread costs more. */
#include "models/gbdt/grow.h"

#include "app/base/rng.h"
#include "models/gbdt/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_ROWS = 1, STREAM_COLS = 2 };
enum { PARTITION_ROWS = 32768, PIECE_ROWS = 16384, INLINE_WORK = 65536 };
enum { MIN_SHARE_ROWS = 2048, MAX_SHARE_ROWS = 32768, SHARES_PER_THREAD = 4 };
enum { INLINE_UPDATES = 1 << 18, INLINE_SEARCH = 1 << 14, AHEAD = 32 };
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

/* Pages that no pass writes to cost nothing. */
static bool make_shares(struct grower *w)
{
    const size_t n = pool_n_threads(w->pool);
    w->shares = calloc(n, sizeof(*w->shares));
    while (w->shares != NULL && w->n_shares < n) {
        struct share *s = &w->shares[w->n_shares];
        atomic_flag_clear(&s->is_taken);
        s->hist = calloc(slot_words(w), sizeof(*s->hist));
        if (s->hist == NULL)
            return false;
        w->n_shares++;
    }
    return w->shares != NULL;
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
    w->row_bytes = bins_row_bytes(w->n_cols);
    w->max_slots = MAX_HIST_BYTES / (slot_words(w) * sizeof(uint64_t));
    if (w->max_slots > params->max_leaves)
        w->max_slots = params->max_leaves;
    w->used = calloc(bins->n_cols, sizeof(*w->used));
    w->draw = calloc(bins->n_cols, sizeof(*w->draw));
    w->goes_left = calloc(n, sizeof(*w->goes_left));
    w->n_left = calloc(n / PARTITION_ROWS + 1, sizeof(*w->n_left));
    w->nodes = calloc(2 * params->max_leaves, sizeof(*w->nodes));
    w->pieces = calloc(2 * params->max_leaves + n / PIECE_ROWS, sizeof(*w->pieces));
    w->tile_best = calloc(2 * w->n_tiles, sizeof(*w->tile_best));
    w->slots = calloc(w->max_slots + 1, sizeof(*w->slots));
    w->free_slots = calloc(w->max_slots + 1, sizeof(*w->free_slots));
    const bool is_sampling = w->n_cols < bins->n_cols;
    w->sampled = is_sampling ? bins_alloc_codes(n, w->row_bytes) : NULL;
    bool is_well = w->used != NULL && w->draw != NULL && w->goes_left != NULL &&
                   w->n_left != NULL && w->nodes != NULL && w->pieces != NULL &&
                   w->tile_best != NULL && w->slots != NULL && w->free_slots != NULL &&
                   (!is_sampling || w->sampled != NULL);
    for (size_t k = 0; k < 2; k++) {
        w->rows[k] = calloc(n, sizeof(**w->rows));
        w->words[k] = calloc(n, sizeof(**w->words));
        w->spare[k] = calloc(slot_words(w), sizeof(uint64_t));
        is_well = is_well && w->rows[k] != NULL && w->words[k] != NULL && w->spare[k] != NULL;
    }
    if (!is_well || !make_shares(w))
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
    for (size_t i = 0; i < w->n_shares; i++)
        free(w->shares[i].hist);
    free(w->shares);
    for (size_t k = 0; k < 2; k++) {
        free(w->spare[k]);
        free(w->rows[k]);
        free(w->words[k]);
    }
    free(w->used);
    free(w->draw);
    free(w->sampled);
    free(w->goes_left);
    free(w->n_left);
    free(w->nodes);
    free(w->pieces);
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

static void sample_codes(void *ctx, size_t begin, size_t end)
{
    const struct grower *w = ctx;
    for (size_t i = begin; i < end; i++) {
        const uint8_t *from = w->bins->codes + i * w->bins->row_bytes;
        uint8_t *to = w->sampled + i * w->row_bytes;
        for (size_t j = 0; j < w->n_cols; j++)
            to[j] = from[w->used[j]];
        memset(to + w->n_cols, 0, w->row_bytes - w->n_cols);
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
    pool_run_blocks(w->pool, w->bins->n_rows, PARTITION_ROWS, sample_codes, w);
}

static void count_up(void *ctx, size_t begin, size_t end)
{
    const struct grower *w = ctx;
    for (size_t i = begin; i < end; i++)
        w->rows[0][i] = (uint32_t)i;
}

static void draw_rows(struct grower *w, uint64_t tree)
{
    w->n_rows = 0;
    if (w->params->row_sample >= 1.0) {
        w->n_rows = w->bins->n_rows;
        pool_run_blocks(w->pool, w->n_rows, PARTITION_ROWS, count_up, w);
        return;
    }
    for (size_t i = 0; i < w->bins->n_rows; i++)
        if (grower_has_row(w->params, tree, i))
            w->rows[0][w->n_rows++] = (uint32_t)i;
}

/* --- histograms and splits -------------------------------------------------------------------- */

/* The first node's histograms are summed from its rows; the second's, when there is one, are the
 * parent's (already in second->hist) less the first's. */
struct pass {
    struct grower *w;
    struct grown *first, *second;
    bool search_first, search_second;
    bool is_shared; /* the sums of first lie in the shares */
};

static void add_block(const struct grower *w, const struct grown *node, size_t begin, size_t end,
                      uint64_t *hist)
{
    histogram_add(hist, w->stride, w->n_cols, w->codes, w->row_bytes,
                  w->rows[node->side] + node->begin + begin,
                  w->words[node->side] + node->begin + begin, end - begin);
}

static void share_block(void *ctx, size_t begin, size_t end)
{
    const struct pass *p = ctx;
    struct grower *w = p->w;
    struct share *s = w->shares;
    /* At most n_shares threads are here, so one is free. */
    for (size_t i = 0; atomic_flag_test_and_set(&s->is_taken); i++)
        s = &w->shares[i % w->n_shares];
    if (!s->is_dirty)
        memset(s->hist, 0, slot_words(w) * sizeof(*s->hist));
    s->is_dirty = true;
    add_block(w, p->first, begin, end, s->hist);
    atomic_flag_clear(&s->is_taken);
}

/* Sums the first node's histograms, alone or with others. */
static void sum_first(struct pass *p)
{
    struct grower *w = p->w;
    const size_t n = p->first->end - p->first->begin;
    p->is_shared = w->n_shares > 1 && n * w->n_cols >= INLINE_UPDATES;
    if (!p->is_shared) {
        memset(p->first->hist, 0, slot_words(w) * sizeof(*p->first->hist));
        add_block(w, p->first, 0, n, p->first->hist);
        return;
    }
    size_t rows = n / (SHARES_PER_THREAD * w->n_shares);
    rows = rows < MIN_SHARE_ROWS ? MIN_SHARE_ROWS : rows > MAX_SHARE_ROWS ? MAX_SHARE_ROWS : rows;
    pool_run_blocks(w->pool, n, rows, share_block, p);
}

static int direction_of(const struct grower *w, size_t col)
{
    const int8_t *monotone = w->params->monotone;
    return monotone != NULL ? monotone[w->bins->column[w->used[col]]] : 0;
}

static void search_tile(struct grower *w, const struct grown *node, size_t tile, struct split *best)
{
    const uint64_t *hist = node->hist + tile * TILE * w->stride;
    *best = (struct split){0};
    for (size_t k = 0; k < TILE && tile * TILE + k < w->n_cols; k++) {
        const size_t col = tile * TILE + k;
        if (w->bins->is_category[w->used[col]]) {
            split_search_set(hist + k * w->stride, w->bins->n_bins[w->used[col]], node->sum,
                             (uint32_t)col, &w->rule, &node->limits, best);
            continue;
        }
        split_search(hist + k * w->stride, w->bins->n_bins[w->used[col]], node->sum, (uint32_t)col,
                     &w->rule, &node->limits, direction_of(w, col), best);
    }
}

static void gather_shares(const struct grower *w, uint64_t *hist, size_t offset, size_t n_words)
{
    bool is_first = true;
    for (size_t i = 0; i < w->n_shares; i++) {
        if (!w->shares[i].is_dirty)
            continue;
        if (is_first)
            memcpy(hist, w->shares[i].hist + offset, n_words * sizeof(*hist));
        else
            histogram_sum(hist, w->shares[i].hist + offset, n_words);
        is_first = false;
    }
}

static void pass_tile(void *ctx, size_t tile)
{
    const struct pass *p = ctx;
    struct grower *w = p->w;
    const size_t n_words = TILE * w->stride, offset = tile * n_words;
    uint64_t *hist = p->first->hist + offset;
    if (p->is_shared)
        gather_shares(w, hist, offset, n_words);
    if (p->search_first)
        search_tile(w, p->first, tile, &w->tile_best[2 * tile]);
    if (p->second == NULL)
        return;
    histogram_subtract(p->second->hist + offset, hist, n_words);
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
    struct pass p = {w, first, second, search_first, search_second, false};
    sum_first(&p);
    if (w->n_shares == 1 || slot_words(w) < INLINE_SEARCH)
        for (size_t t = 0; t < w->n_tiles; t++)
            pass_tile(&p, t);
    else
        pool_run(w->pool, w->n_tiles, pass_tile, &p);
    for (size_t i = 0; p.is_shared && i < w->n_shares; i++)
        w->shares[i].is_dirty = false;
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
    const struct grown *node;
    const uint8_t *codes; /* of the split's column */
    uint8_t is_left[256]; /* of each code */
    size_t *n_left;       /* per block; then where the block's left rows go */
    size_t n_all_left;
};

static void choose_block(void *ctx, size_t begin, size_t end)
{
    const struct partition *p = ctx;
    const struct grower *w = p->w;
    const uint32_t *rows = w->rows[p->node->side] + p->node->begin;
    uint8_t *goes_left = w->goes_left + p->node->begin;
    const size_t n_ahead = end > begin + AHEAD ? end - AHEAD : begin;
    size_t n_left = 0;
    for (size_t i = begin; i < end; i++) {
        if (i < n_ahead)
            __builtin_prefetch(p->codes + rows[i + AHEAD]);
        const uint8_t is_left = p->is_left[p->codes[rows[i]]];
        goes_left[i] = is_left;
        n_left += is_left;
    }
    p->n_left[begin / PARTITION_ROWS] = n_left;
}

static void move_block(void *ctx, size_t begin, size_t end)
{
    const struct partition *p = ctx;
    struct grower *w = p->w;
    const size_t offset = p->node->begin;
    const unsigned side = p->node->side;
    const uint32_t *rows = w->rows[side] + offset;
    const uint64_t *words = w->words[side] + offset;
    const uint8_t *goes_left = w->goes_left + offset;
    uint32_t *to_rows = w->rows[!side] + offset;
    uint64_t *to_words = w->words[!side] + offset;
    size_t left = p->n_left[begin / PARTITION_ROWS];
    size_t right = p->n_all_left + begin - left;
    for (size_t i = begin; i < end; i++) {
        const size_t is_left = goes_left[i];
        const size_t to = is_left ? left : right;
        to_rows[to] = rows[i];
        to_words[to] = words[i];
        left += is_left;
        right += 1 - is_left;
    }
}

/* Writes the node's rows to the other side, left ones first, order kept; returns how many went
 * left. */
static size_t partition_rows(struct grower *w, const struct grown *node)
{
    const struct split *s = &node->split;
    const size_t n = node->end - node->begin;
    struct partition p = {.w = w,
                          .node = node,
                          .codes = w->bins->by_column + w->used[s->column] * w->bins->n_rows,
                          .n_left = w->n_left};
    for (unsigned code = 0; code < 256; code++)
        p.is_left[code] = split_takes_left(s, code, w->bins->n_bins[w->used[s->column]]);
    if (n <= PARTITION_ROWS)
        choose_block(&p, 0, n);
    else
        pool_run_blocks(w->pool, n, PARTITION_ROWS, choose_block, &p);
    for (size_t b = 0; b * PARTITION_ROWS < n; b++) {
        const size_t n_left = w->n_left[b];
        w->n_left[b] = p.n_all_left;
        p.n_all_left += n_left;
    }
    if (n <= PARTITION_ROWS)
        move_block(&p, 0, n);
    else
        pool_run_blocks(w->pool, n, PARTITION_ROWS, move_block, &p);
    return p.n_all_left;
}

/* --- growing ---------------------------------------------------------------------------------- */

/* On either side of a monotone split the values stay on their side of the middle. */
static void limit_children(const struct grower *w, const struct grown *node, struct grown *left,
                           struct grown *right)
{
    left->limits = right->limits = node->limits;
    const int direction = w->rule.is_constrained ? direction_of(w, node->split.column) : 0;
    if (direction == 0)
        return;
    const double middle = (split_value(left->sum, &w->rule, &node->limits) +
                           split_value(right->sum, &w->rule, &node->limits)) /
                          2;
    *(direction > 0 ? &left->limits.high : &left->limits.low) = middle;
    *(direction > 0 ? &right->limits.low : &right->limits.high) = middle;
}

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
                           .depth = node->depth + 1,
                           .side = !node->side};
    *right = (struct grown){.sum = node->sum - node->split.left,
                            .begin = left->end,
                            .end = node->end,
                            .depth = node->depth + 1,
                            .side = !node->side};
    limit_children(w, node, left, right);
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

double grower_leaf_value(const struct grower *w, const struct grown *leaf, double value)
{
    const double low = leaf->limits.low * w->value_unit, high = leaf->limits.high * w->value_unit;
    return fmin(fmax(value, low), high) * w->params->rate;
}

static void cut_leaves(struct grower *w)
{
    w->n_pieces = 0;
    for (size_t i = 0; i < w->n_nodes; i++) {
        const struct grown *node = &w->nodes[i];
        for (size_t at = node->begin; node->left == 0 && at < node->end; at += PIECE_ROWS) {
            const size_t end = node->end - at < PIECE_ROWS ? node->end : at + PIECE_ROWS;
            w->pieces[w->n_pieces++] = (struct piece){(uint32_t)i, at, end, 0, 0};
        }
    }
}

/* Sums with 61 bits, finer than the packed words: the coarse ones choose splits only. */
static void sum_piece(void *ctx, size_t i)
{
    const struct leaves *l = ctx;
    struct piece *p = &l->w->pieces[i];
    const uint32_t *rows = l->w->rows[l->w->nodes[p->leaf].side];
    const double g_per_step = 1 / l->q->g_fine, h_per_step = 1 / l->q->h_fine;
    int64_t sum_g = 0, sum_h = 0;
    for (size_t k = p->begin; k < p->end; k++) {
        sum_g += (int64_t)(l->g[rows[k]] * g_per_step);
        sum_h += (int64_t)(l->h[rows[k]] * h_per_step);
    }
    p->g = sum_g;
    p->h = sum_h;
}

/* The objective's step for -soft(G) / (H + lambda), times the rate, of all leaves. */
static void set_leaf_values(struct grower *w, const struct quantum *q)
{
    const double alpha = w->params->alpha;
    for (size_t i = 0; i < w->n_pieces;) {
        struct grown *leaf = &w->nodes[w->pieces[i].leaf];
        int64_t sum_g = 0, sum_h = 0;
        for (const uint32_t number = w->pieces[i].leaf;
             i < w->n_pieces && w->pieces[i].leaf == number; i++) {
            sum_g += w->pieces[i].g;
            sum_h += w->pieces[i].h;
        }
        const double all = (double)sum_g * q->g_fine;
        const double g = alpha > 0 ? copysign(fmax(fabs(all) - alpha, 0), all) : all;
        const double h = (double)sum_h * q->h_fine + w->params->lambda;
        leaf->value =
            grower_leaf_value(w, leaf, objective_step(w->params->objective, h > 0 ? -g / h : 0));
    }
}

static void plant_root(struct grower *w)
{
    struct grown *root = &w->nodes[0];
    *root = (struct grown){.end = w->n_rows, .limits = {-INFINITY, INFINITY}};
    for (size_t i = 0; i < w->n_rows; i++)
        root->sum += w->words[0][i];
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
                                  .alpha = w->params->alpha / q->g,
                                  .category_lambda = w->params->category_lambda / q->h,
                                  .is_constrained = w->params->monotone != NULL,
                                  .min_weight = w->params->min_child_weight / q->h,
                                  .min_gain = w->params->min_gain,
                                  .gain_unit = q->g * (q->g / q->h)};
    w->value_unit = q->g / q->h;
    draw_columns(w, tree);
    draw_rows(w, tree);
    objective_pack(g, h, q, w->params->seed, tree, w->rows[0], w->n_rows, w->words[0], w->pool);
    plant_root(w);
    for (size_t n_leaves = 1; n_leaves < w->params->max_leaves; n_leaves++) {
        struct grown *node = best_leaf(w);
        if (node == NULL)
            break;
        split_node(w, node, n_leaves + 1 == w->params->max_leaves);
    }
    for (size_t i = 0; i < w->n_nodes; i++)
        drop_hist(w, &w->nodes[i]);
    cut_leaves(w);
    struct leaves l = {w, g, h, q};
    if (w->n_rows < INLINE_WORK)
        for (size_t i = 0; i < w->n_pieces; i++)
            sum_piece(&l, i);
    else
        pool_run(w->pool, w->n_pieces, sum_piece, &l);
    set_leaf_values(w, q);
}
