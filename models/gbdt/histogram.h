/* Sums of gradients and hessians per code. Both are fixed-point integers that share one 64-bit
 * word: gradient in the upper half (signed), hessian in the lower (unsigned). The scales are chosen
 * per tree so that no sum over all rows overflows its half (objective.h); then adding words adds
 * both at once, subtracting a child from its parent is exact, and no order of summing matters. */
#ifndef MODELS_GBDT_HISTOGRAM_H
#define MODELS_GBDT_HISTOGRAM_H

#include "models/gbdt/bin.h"

#include <stddef.h>
#include <stdint.h>

static inline uint64_t gh_pack(int32_t gradient, uint32_t hessian)
{
    return ((uint64_t)(uint32_t)gradient << 32) + hessian;
}

static inline int32_t gh_gradient(uint64_t word)
{
    return (int32_t)(uint32_t)(word >> 32);
}

static inline uint32_t gh_hessian(uint64_t word)
{
    return (uint32_t)word;
}

/* Words between the histograms of two columns of a tile: the smallest stride that holds n_codes
 * codes and for which a kernel was compiled. */
size_t histogram_stride(size_t n_codes);

/* Adds the words of n rows to the histograms hist[tiles of n_cols][TILE][stride]; codes is
 * [..][row_bytes] as in bin.h, words[i] belongs to rows[i]. Needs no allocation. */
void histogram_add(uint64_t *hist, size_t stride, size_t n_cols, const uint8_t *codes,
                   size_t row_bytes, const uint32_t *rows, const uint64_t *words, size_t n);

/* a -= b, n words. */
void histogram_subtract(uint64_t *a, const uint64_t *b, size_t n);

/* a += b, n words. */
void histogram_sum(uint64_t *a, const uint64_t *b, size_t n);

#endif
