/* Grows one tree leaf-wise: the leaf with the greatest gain is split next. */
#ifndef MODELS_GBDT_GROW_H
#define MODELS_GBDT_GROW_H

#include "app/base/pool.h"
#include "models/gbdt/bin.h"
#include "models/gbdt/gbdt.h"
#include "models/gbdt/objective.h"
#include "models/gbdt/split.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A node while its tree grows. */
struct grown {
    struct split split; /* best split found; of a leaf: not made */
    uint64_t sum;       /* packed sums of its rows */
    size_t begin, end;  /* its rows: grower.rows[begin..end) */
    size_t depth;
    size_t left;    /* left child, the right one follows; 0 = leaf */
    uint64_t *hist; /* histograms of all tiles, NULL = none kept */
    double value;   /* of a leaf, shrinkage included */
};

/* Scratch of one fit, reused for every tree. */
struct grower {
    const struct gbdt_params *params;
    const struct binned *bins;
    struct pool *pool;
    size_t stride; /* of the histograms */

    /* Columns of the present tree: work column j is usable column used[j]. */
    size_t n_cols, n_tiles;
    uint32_t *used;
    uint8_t *sampled;     /* codes of the sampled columns, tiled; NULL = all columns are used */
    const uint8_t *codes; /* sampled or bins->codes */
    uint64_t *draw;       /* [bins->n_cols] */

    /* Rows of the present tree, permuted so that each node's lie together, in rising order. */
    size_t n_rows;
    uint32_t *rows, *other_rows;
    uint64_t *words, *other_words;
    size_t *n_left; /* per block of a partition */

    struct grown *nodes; /* [2 * max_leaves - 1] */
    size_t n_nodes;
    struct split_rule rule;
    struct split *tile_best; /* [2 * n_tiles] */

    /* Histograms: at most max_slots are kept, each n_tiles * TILE * stride words. */
    uint64_t **slots;
    uint64_t **free_slots;
    size_t n_slots, n_free, max_slots;
    uint64_t *spare[2]; /* used when no slot is to be had */
};

/* FT_NOMEM. Allocates about 25 bytes per row and, as trees grow, up to a quarter GiB of histograms.
 * grower_free() also after a failure. */
enum ft_status grower_init(struct grower *w, const struct gbdt_params *params,
                           const struct binned *bins, struct pool *pool, struct ft_err *err);
void grower_free(struct grower *w);

/* Draws the rows and columns of a tree and grows it: g, h as objective_gradients() made them.
 * Afterwards nodes[0..n_nodes) holds the tree with its leaf values; one node = no split was found.
 */
void grower_grow(struct grower *w, uint64_t tree, const double *g, const double *h,
                 const struct quantum *q);

/* Was the row drawn for the tree? */
bool grower_has_row(const struct gbdt_params *params, uint64_t tree, size_t row);

#endif
