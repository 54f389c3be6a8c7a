/* Grows one tree leaf-wise: the leaf with the greatest gain is split next. */
#ifndef MODELS_GBDT_GROW_H
#define MODELS_GBDT_GROW_H

#include "app/base/pool.h"
#include "models/gbdt/bin.h"
#include "models/gbdt/gbdt.h"
#include "models/gbdt/objective.h"
#include "models/gbdt/split.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A node while its tree grows. */
struct grown {
    struct split split; /* best split found; of a leaf: not made */
    uint64_t sum;       /* packed sums of its rows */
    size_t begin, end;  /* its rows: grower.rows[side][begin..end) */
    size_t depth;
    unsigned side;        /* which of the two arrays of rows and words */
    size_t left;          /* left child, the right one follows; 0 = leaf */
    uint64_t *hist;       /* histograms of all tiles, NULL = none kept */
    struct limits limits; /* of the leaf values below, by monotone columns */
    double value;         /* of a leaf, shrinkage included */
};

/* Rows of one leaf that are worked on together: a leaf may hold most rows. */
struct piece {
    uint32_t leaf;     /* node */
    size_t begin, end; /* as in struct grown */
    int64_t g, h;      /* sums in fine steps */
};

/* Scratch of one fit, reused for every tree. */
struct grower {
    const struct gbdt_params *params;
    const struct binned *bins;
    struct pool *pool;
    size_t stride; /* of the histograms */

    /* Columns of the present tree: work column j is usable column used[j]. */
    size_t n_cols, n_tiles;
    size_t row_bytes; /* of the codes */
    uint32_t *used;
    uint8_t *sampled;     /* codes of the sampled columns; NULL = all columns are used */
    const uint8_t *codes; /* sampled or bins->codes */
    uint64_t *draw;       /* [bins->n_cols] */

    /* Rows of the present tree, so that each node's lie together, in any order of blocks: a split
     * writes its children's to the other side. */
    size_t n_rows;
    uint32_t *rows[2];
    uint64_t *words[2];

    struct grown *nodes; /* [2 * max_leaves - 1] */
    size_t n_nodes;
    struct piece *pieces; /* of all leaves, once the tree is grown */
    size_t n_pieces;
    struct split_rule rule;
    double value_unit;       /* of split_value(), in the score's unit */
    struct split *tile_best; /* [2 * n_tiles] */

    /* Histograms: at most max_slots are kept, each n_tiles * TILE * stride words. */
    uint64_t **slots;
    uint64_t **free_slots;
    size_t n_slots, n_free, max_slots;
    uint64_t *spare; /* used when no slot is to be had */

    /* Sums of blocks of rows, one histogram for each thread that may be at work; a job takes any
     * that is not taken. Sums are exact, so it does not matter which. */
    size_t n_shares;
    struct share {
        uint64_t *hist; /* the first one's: where the sums are wanted */
        bool is_dirty;  /* holds sums of the present pass */
        atomic_flag is_taken;
    } * shares;
};

/* FT_NOMEM. Allocates 24 bytes per row, the codes again when columns are sampled, and, as trees
 * grow, up to a quarter GiB of histograms. grower_free() also after a failure. */
enum ft_status grower_init(struct grower *w, const struct gbdt_params *params,
                           const struct binned *bins, struct pool *pool, struct ft_err *err);
void grower_free(struct grower *w);

/* Draws the rows and columns of a tree and grows it: g, h as objective_gradients() made them.
 * Afterwards nodes[0..n_nodes) holds the tree with its leaf values; one node = no split was found.
 */
void grower_grow(struct grower *w, uint64_t tree, const double *g, const double *h,
                 const struct quantum *q);

/* Brings the rows of a leaf into rising order, whatever the threads did; the tree is done. */
void grower_sort_leaf(struct grower *w, const struct grown *leaf);

/* The value of a leaf within its limits, shrinkage included. */
double grower_leaf_value(const struct grower *w, const struct grown *leaf, double value);

/* Was the row drawn for the tree? */
bool grower_has_row(const struct gbdt_params *params, uint64_t tree, size_t row);

#endif
