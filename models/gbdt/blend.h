/* A whole tree for a block of rows without a walk: every split compares its column's codes of all
 * rows, 32 at a time, and blends the leaf numbers that its children gave; the root's are the
 * answer. The work does not depend on the rows, and no step waits for another row's memory. */
#ifndef MODELS_GBDT_BLEND_H
#define MODELS_GBDT_BLEND_H

#include <stddef.h>
#include <stdint.h>

enum {
    BLEND_ROWS = 128,
    BLEND_MAX_LEAVES = 256,
    BLEND_LANES = 32,
    BLEND_SCRATCH = BLEND_LANES * BLEND_MAX_LEAVES + BLEND_ROWS * (BLEND_MAX_LEAVES - 1) /* bytes */
};

/* Where leaf numbers lie in the scratch, in units of BLEND_LANES: those of leaf k, all the same, at
 * k, read again and again (step 0); those of split k at blend_place(k) (step BLEND_LANES). */
struct blend_side {
    uint16_t place;
    uint16_t step;
};

static inline uint16_t blend_place(size_t split)
{
    return (uint16_t)(BLEND_MAX_LEAVES + BLEND_ROWS / BLEND_LANES * split);
}

struct blend {
    uint32_t codes; /* first of BLEND_ROWS codes of the column */
    struct blend_side left, right;
    uint8_t least; /* lowest code that goes right, >= 1 */
};

/* Once for each scratch of BLEND_SCRATCH bytes. */
void blend_start(uint8_t *scratch);

/* Leaf numbers of the first n_rows <= BLEND_ROWS rows; n_splits > 0 with children before their
 * parents, so the root is the last. The answer lies in the scratch. */
const uint8_t *blend_leaves(const struct blend *splits, size_t n_splits, const uint8_t *codes,
                            size_t n_rows, uint8_t *scratch);

#endif
