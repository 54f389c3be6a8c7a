/* One split is one pass over the node's rows: block by block they are parted into the children's,
 * and those of the smaller child added to its histograms while they are in the cache. Then, tile of
 * columns by tile of columns, these are subtracted from the parent's to get the larger child's, and
 * both are searched for their best split. Blocks and tiles go to idle threads, one wait for each
 * pass; sums are integers, so neither the number of threads nor the order in which blocks take
 * their places changes anything. Small nodes are done on the spot: waking a thread costs more. */
#include "models/gbdt/grow.h"

#include "app/base/big_array.h"
#include "app/base/rng.h"
#include "models/gbdt/histogram.h"
#include "models/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_ROWS = 1, STREAM_COLS = 2 };
enum { SCAN_ROWS = 32768, PIECE_ROWS = 16384, INLINE_WORK = 65536 };
enum { MIN_SHARE_ROWS = 1024, MAX_SHARE_ROWS = 16384, SHARES_PER_THREAD = 8 };
enum { INLINE_UPDATES = 1 << 18, INLINE_SEARCH = 1 << 14, AHEAD = 32 };
enum { CUT_ROWS = 4096, GUESS_ROWS = 256 };
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

/* The first share is where the sums are wanted, see begin_sum(). Pages that no pass writes to cost
 * nothing. */
static bool make_shares(struct grower *w)
{
    const size_t n = pool_n_threads(w->pool);
    w->shares = calloc(n, sizeof(*w->shares));
    while (w->shares != NULL && w->n_shares < n) {
        struct share *s = &w->shares[w->n_shares];
        atomic_flag_clear(&s->is_taken);
        if (w->n_shares > 0)
            s->hist = calloc(slot_words(w), sizeof(*s->hist));
        if (w->n_shares > 0 && s->hist == NULL)
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
    w->nodes = calloc(2 * params->max_leaves, sizeof(*w->nodes));
    w->pieces = calloc(2 * params->max_leaves + n / PIECE_ROWS, sizeof(*w->pieces));
    w->tile_best = calloc(2 * w->n_tiles, sizeof(*w->tile_best));
    w->spare = calloc(slot_words(w), sizeof(*w->spare));
    w->slots = calloc(w->max_slots + 1, sizeof(*w->slots));
    w->free_slots = calloc(w->max_slots + 1, sizeof(*w->free_slots));
    const bool is_sampling = w->n_cols < bins->n_cols;
    w->sampled = is_sampling ? bins_alloc_codes(n, w->row_bytes) : NULL;
    bool is_well = w->used != NULL && w->draw != NULL && w->nodes != NULL && w->pieces != NULL &&
                   w->tile_best != NULL && w->spare != NULL && w->slots != NULL &&
                   w->free_slots != NULL && (!is_sampling || w->sampled != NULL);
    for (size_t k = 0; k < 2; k++) {
        w->rows[k] = big_array(n, sizeof(**w->rows));
        w->words[k] = big_array(n, sizeof(**w->words));
        is_well = is_well && w->rows[k] != NULL && w->words[k] != NULL;
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
    for (size_t i = 1; i < w->n_shares; i++)
        free(w->shares[i].hist);
    free(w->shares);
    for (size_t k = 0; k < 2; k++) {
        free(w->rows[k]);
        free(w->words[k]);
    }
    free(w->used);
    free(w->draw);
    free(w->sampled);
    free(w->nodes);
    free(w->pieces);
    free(w->tile_best);
    free(w->spare);
    *w = (struct grower){0};
}

/* A place for the histograms of a node: a kept one while there is room and memory, else spare. */
static uint64_t *take_slot(struct grower *w)
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
    return w->spare;
}

static void drop_hist(struct grower *w, struct grown *node)
{
    if (node->hist != NULL && node->hist != w->spare)
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
    pool_run_blocks(w->pool, w->bins->n_rows, SCAN_ROWS, sample_codes, w);
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
        pool_run_blocks(w->pool, w->n_rows, SCAN_ROWS, count_up, w);
        return;
    }
    for (size_t i = 0; i < w->bins->n_rows; i++)
        if (grower_has_row(w->params, tree, i))
            w->rows[0][w->n_rows++] = (uint32_t)i;
}

/* --- histograms and splits -------------------------------------------------------------------- */

/* Sums of first's rows into its histograms, alone or with others; then the histograms of second,
 * when there is one, are the parent's (already in second->hist) less the first's. */
struct pass {
    struct grower *w;
    struct grown *first, *second;
    bool search_first, search_second;
};

static void add_rows(const struct grower *w, unsigned side, size_t begin, size_t end,
                     uint64_t *hist)
{
    histogram_add(hist, w->stride, w->n_cols, w->codes, w->row_bytes, w->rows[side] + begin,
                  w->words[side] + begin, end - begin);
}

static bool is_worth_sharing(const struct grower *w, size_t n_rows)
{
    return w->n_shares > 1 && n_rows * w->n_cols >= INLINE_UPDATES;
}

static size_t share_rows(const struct grower *w, size_t n_rows)
{
    const size_t rows = n_rows / (SHARES_PER_THREAD * w->n_shares);
    return rows < MIN_SHARE_ROWS ? MIN_SHARE_ROWS : rows > MAX_SHARE_ROWS ? MAX_SHARE_ROWS : rows;
}

/* One share is the place where the sums are wanted, so that there is less to gather. */
static void begin_sum(struct grower *w, uint64_t *hist)
{
    w->shares[0].hist = hist;
    for (size_t i = 0; i < w->n_shares; i++)
        w->shares[i].is_dirty = false;
}

/* At most n_shares threads are here, so one is free. */
static struct share *take_share(struct grower *w)
{
    struct share *s = w->shares;
    for (size_t i = 0; atomic_flag_test_and_set(&s->is_taken); i++)
        s = &w->shares[i % w->n_shares];
    if (!s->is_dirty)
        memset(s->hist, 0, slot_words(w) * sizeof(*s->hist));
    s->is_dirty = true;
    return s;
}

static void drop_share(struct share *s)
{
    atomic_flag_clear(&s->is_taken);
}

static void share_block(void *ctx, size_t begin, size_t end)
{
    const struct pass *p = ctx;
    struct share *s = take_share(p->w);
    add_rows(p->w, p->first->side, p->first->begin + begin, p->first->begin + end, s->hist);
    drop_share(s);
}

/* Sums the first node's rows. */
static void sum_first(struct pass *p)
{
    struct grower *w = p->w;
    const size_t n = p->first->end - p->first->begin;
    begin_sum(w, p->first->hist);
    if (is_worth_sharing(w, n))
        pool_run_blocks(w->pool, n, share_rows(w, n), share_block, p);
    else
        share_block(p, 0, n);
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

/* Adds the other shares to the first. */
static void gather_shares(const struct grower *w, uint64_t *hist, size_t offset, size_t n_words)
{
    if (!w->shares[0].is_dirty)
        memset(hist, 0, n_words * sizeof(*hist));
    for (size_t i = 1; i < w->n_shares; i++)
        if (w->shares[i].is_dirty)
            histogram_sum(hist, w->shares[i].hist + offset, n_words);
}

static void pass_tile(void *ctx, size_t tile)
{
    const struct pass *p = ctx;
    struct grower *w = p->w;
    const size_t n_words = TILE * w->stride, offset = tile * n_words;
    uint64_t *hist = p->first->hist + offset;
    gather_shares(w, hist, offset, n_words);
    if (p->search_first)
        search_tile(w, p->first, tile, &w->tile_best[2 * tile]);
    if (!p->search_second)
        return;
    histogram_subtract(p->second->hist + offset, hist, n_words);
    search_tile(w, p->second, tile, &w->tile_best[2 * tile + 1]);
}

/* Best over tiles; the lowest tile wins a tie. */
static void reduce_best(const struct grower *w, size_t which, struct grown *node)
{
    for (size_t t = 0; t < w->n_tiles; t++)
        if (w->tile_best[2 * t + which].gain > node->split.gain)
            node->split = w->tile_best[2 * t + which];
}

/* Gathers the sums of first, subtracts and searches. */
static void end_pass(struct pass *p)
{
    struct grower *w = p->w;
    if (w->n_shares == 1 || slot_words(w) < INLINE_SEARCH)
        for (size_t t = 0; t < w->n_tiles; t++)
            pass_tile(p, t);
    else
        pool_run(w->pool, w->n_tiles, pass_tile, p);
    if (p->search_first)
        reduce_best(w, 0, p->first);
    if (p->search_second)
        reduce_best(w, 1, p->second);
}

/* Could a node with the sum be split at all? */
static bool may_split(const struct grower *w, size_t depth, uint64_t sum)
{
    const size_t max_depth = w->params->max_depth;
    return (max_depth == 0 || depth < max_depth) && gh_hessian(sum) >= 2 &&
           gh_hessian(sum) >= 2 * w->rule.min_weight;
}

static bool is_splittable(const struct grower *w, const struct grown *node)
{
    return node->end - node->begin >= 2 && may_split(w, node->depth, node->sum);
}

/* Keeps the histograms only where a split will want to subtract from them. */
static void settle(struct grower *w, struct grown *node)
{
    if (node->split.gain <= 0)
        drop_hist(w, node);
    else if (node->hist == w->spare)
        node->hist = NULL;
}

/* Sums the rows of one node and finds its best split. */
static void search_alone(struct grower *w, struct grown *node)
{
    if (!is_splittable(w, node))
        return;
    struct pass p = {.w = w, .first = node, .search_first = true};
    node->hist = take_slot(w);
    sum_first(&p);
    end_pass(&p);
    settle(w, node);
}

/* --- parting rows ----------------------------------------------------------------------------- */

/* One node's rows on their way to its children, which begin at either end of the node's place on
 * the other side. */
struct cut {
    struct grower *w;
    const struct grown *node;
    const uint8_t *codes;          /* of the split's column */
    uint8_t is_left[256];          /* of each code */
    bool is_summed;                /* one child's rows are summed on the way, */
    bool sums_left;                /* this one's */
    atomic_size_t n_left, n_right; /* rows that have a place */
};

static struct cut cut_of(struct grower *w, const struct grown *node)
{
    const uint32_t used = w->used[node->split.column];
    struct cut c = {.w = w, .node = node, .codes = w->bins->by_column + used * w->bins->n_rows};
    for (unsigned code = 0; code < 256; code++)
        c.is_left[code] = split_takes_left(&node->split, code, w->bins->n_bins[used]);
    return c;
}

/* Would the left child have fewer rows? By some of them. */
static bool left_looks_small(const struct cut *c)
{
    const uint32_t *rows = c->w->rows[c->node->side] + c->node->begin;
    const size_t step = (c->node->end - c->node->begin) / GUESS_ROWS;
    size_t n_left = 0;
    for (size_t i = 0; i < GUESS_ROWS; i++)
        n_left += c->is_left[c->codes[rows[i * step]]];
    return 2 * n_left <= GUESS_ROWS;
}

/* Which of n <= CUT_ROWS rows go left; returns how many. */
static size_t choose_rows(const struct cut *c, const uint32_t *rows, size_t n, uint8_t *goes_left)
{
    const size_t n_ahead = n > AHEAD ? n - AHEAD : 0;
    size_t n_left = 0;
    for (size_t i = 0; i < n; i++) {
        if (i < n_ahead)
            __builtin_prefetch(c->codes + rows[i + AHEAD]);
        goes_left[i] = c->is_left[c->codes[rows[i]]];
        n_left += goes_left[i];
    }
    return n_left;
}

/* Moves n <= CUT_ROWS rows of the node from place begin on; hist: of the summed child, or NULL. */
static void cut_rows(struct cut *c, size_t begin, size_t n, uint64_t *hist)
{
    struct grower *w = c->w;
    const unsigned side = c->node->side;
    const uint32_t *rows = w->rows[side] + begin;
    const uint64_t *words = w->words[side] + begin;
    uint32_t *to_rows = w->rows[!side];
    uint64_t *to_words = w->words[!side];
    uint8_t goes_left[CUT_ROWS];
    const size_t n_left = choose_rows(c, rows, n, goes_left), n_right = n - n_left;
    const size_t left_at = c->node->begin + atomic_fetch_add(&c->n_left, n_left);
    const size_t right_end = c->node->end - atomic_fetch_add(&c->n_right, n_right);
    size_t left = left_at, right = right_end - n_right;
    for (size_t i = 0; i < n; i++) {
        const size_t is_left = goes_left[i];
        const size_t to = is_left ? left : right;
        to_rows[to] = rows[i];
        to_words[to] = words[i];
        left += is_left;
        right += 1 - is_left;
    }
    if (hist != NULL && c->sums_left)
        add_rows(w, !side, left_at, left_at + n_left, hist);
    else if (hist != NULL)
        add_rows(w, !side, right_end - n_right, right_end, hist);
}

static void cut_block(void *ctx, size_t begin, size_t end)
{
    struct cut *c = ctx;
    struct share *s = c->is_summed ? take_share(c->w) : NULL;
    for (size_t at = begin; at < end; at += CUT_ROWS)
        cut_rows(c, c->node->begin + at, end - at < CUT_ROWS ? end - at : CUT_ROWS,
                 s != NULL ? s->hist : NULL);
    if (s != NULL)
        drop_share(s);
}

/* Parts the node's rows and tells where the left child's end. With hist, the sums of one child are
 * in the shares afterwards. */
static size_t cut_node(struct cut *c, uint64_t *hist)
{
    struct grower *w = c->w;
    const size_t begin = c->node->begin, n = c->node->end - begin;
    if (hist != NULL)
        begin_sum(w, hist);
    if (is_worth_sharing(w, n)) {
        c->is_summed = hist != NULL;
        c->sums_left = left_looks_small(c);
        pool_run_blocks(w->pool, n, share_rows(w, n), cut_block, c);
        return begin + c->n_left;
    }
    cut_block(c, 0, n);
    const size_t middle = begin + c->n_left;
    if (hist == NULL)
        return middle;
    c->sums_left = 2 * c->n_left <= n;
    struct share *s = take_share(w);
    add_rows(w, !c->node->side, c->sums_left ? begin : middle, c->sums_left ? middle : begin + n,
             s->hist);
    drop_share(s);
    return middle;
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
    struct grown *left = &w->nodes[w->n_nodes], *right = left + 1;
    const struct grown child = {
        .begin = node->begin, .end = node->end, .depth = node->depth + 1, .side = !node->side};
    uint64_t *hist = node->hist, *sums = NULL;
    node->left = w->n_nodes;
    w->n_nodes += 2;
    *left = *right = child;
    left->sum = node->split.left;
    right->sum = node->sum - node->split.left;
    limit_children(w, node, left, right);
    if (hist != NULL && !is_last &&
        (may_split(w, left->depth, left->sum) || may_split(w, right->depth, right->sum)))
        sums = take_slot(w);
    struct cut c = cut_of(w, node);
    left->end = right->begin = cut_node(&c, sums);
    if (sums == NULL) {
        drop_hist(w, node);
        for (size_t k = 0; k < 2 && hist == NULL && !is_last; k++)
            search_alone(w, &left[k]);
        return;
    }
    struct pass p = {
        .w = w, .first = c.sums_left ? left : right, .second = c.sums_left ? right : left};
    p.first->hist = sums;
    p.second->hist = hist;
    node->hist = NULL;
    p.search_first = is_splittable(w, p.first);
    p.search_second = is_splittable(w, p.second);
    end_pass(&p);
    settle(w, p.first);
    settle(w, p.second);
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

static void plant_root(struct grower *w, uint64_t sum)
{
    struct grown *root = &w->nodes[0];
    *root = (struct grown){.sum = sum, .end = w->n_rows, .limits = {-INFINITY, INFINITY}};
    w->n_nodes = 1;
    search_alone(w, root);
}

void grower_sort_leaf(struct grower *w, const struct grown *leaf)
{
    order_integers(w->rows[leaf->side] + leaf->begin, w->rows[!leaf->side] + leaf->begin,
                   leaf->end - leaf->begin);
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
    plant_root(w, objective_pack(g, h, q, w->params->seed, tree, w->rows[0], w->n_rows, w->words[0],
                                 w->pool));
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
