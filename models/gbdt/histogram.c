/* The inner loop of training. Rows of codes are read where they lie, ahead of time, and collected
 * in a block that stays in the first-level cache; the block is then added tile by tile, so that
 * only one tile's histograms are in use at a time. With the stride known to the compiler each
 * update is one extract and one add to memory at a constant distance. Measured on one core of an
 * EPYC 9004, 56 columns: 1.7 to 2.4 G updates/s, against 1.0 to 1.8 row by row without the block
 * and 0.3 to 2.6 with tiles apart in memory, the low ends where one row in 16 is taken. */
#include "models/gbdt/histogram.h"

#include <endian.h>
#include <string.h>

enum { GROUP_TILES = 8, GROUP_BYTES = GROUP_TILES * TILE, BLOCK_ROWS = 512, AHEAD = 24 };
enum { FETCH_ROWS = 16 };

/* 72 serves 64 bins and the missing code. */
static const size_t strides[] = {16, 32, 72, 128, 256};
enum { N_STRIDES = sizeof(strides) / sizeof(strides[0]) };

size_t histogram_stride(size_t n_codes)
{
    size_t i = 0;
    while (i + 1 < N_STRIDES && strides[i] < n_codes)
        i++;
    return strides[i];
}

static inline __attribute__((always_inline)) void
add_rows(uint64_t *restrict hist, const size_t stride, const size_t n_cols,
         const uint8_t *restrict codes, size_t step, const uint64_t *restrict words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t c;
        memcpy(&c, codes + i * step, sizeof(c));
        c = le64toh(c);
        const uint64_t w = words[i];
        hist[c & 255] += w;
        hist[stride + (c >> 8 & 255)] += w;
        if (n_cols > 2) {
            hist[2 * stride + (c >> 16 & 255)] += w;
            hist[3 * stride + (c >> 24 & 255)] += w;
        }
        if (n_cols > 4) {
            hist[4 * stride + (c >> 32 & 255)] += w;
            hist[5 * stride + (c >> 40 & 255)] += w;
            hist[6 * stride + (c >> 48 & 255)] += w;
            hist[7 * stride + (c >> 56)] += w;
        }
    }
}

#define KERNEL(stride)                                                                             \
    if (n_cols > 4)                                                                                \
        add_rows(hist, stride, 8, codes, step, words, n);                                          \
    else if (n_cols > 2)                                                                           \
        add_rows(hist, stride, 4, codes, step, words, n);                                          \
    else                                                                                           \
        add_rows(hist, stride, 2, codes, step, words, n)

static void add_tile(uint64_t *hist, size_t stride, size_t n_cols, const uint8_t *codes,
                     size_t step, const uint64_t *words, size_t n)
{
    switch (stride) {
    case 16:
        KERNEL(16);
        break;
    case 32:
        KERNEL(32);
        break;
    case 72:
        KERNEL(72);
        break;
    case 128:
        KERNEL(128);
        break;
    default:
        KERNEL(256);
        break;
    }
}

/* Copies step bytes of each of n rows; total >= n rows follow, for reading ahead. */
static inline __attribute__((always_inline)) void
collect_rows(uint8_t *restrict block, const uint8_t *restrict codes, size_t row_bytes,
             const uint32_t *restrict rows, size_t n, size_t total, const size_t step)
{
    const size_t n_ahead = total > AHEAD ? total - AHEAD : 0;
    for (size_t i = 0; i < n; i++) {
        if (i < n_ahead)
            __builtin_prefetch(codes + (size_t)rows[i + AHEAD] * row_bytes);
        memcpy(block + i * step, codes + (size_t)rows[i] * row_bytes, step);
    }
}

static void collect(uint8_t *block, const uint8_t *codes, size_t row_bytes, const uint32_t *rows,
                    size_t n, size_t total, size_t step)
{
    switch (step) {
    case 8:
        collect_rows(block, codes, row_bytes, rows, n, total, 8);
        break;
    case 16:
        collect_rows(block, codes, row_bytes, rows, n, total, 16);
        break;
    case 32:
        collect_rows(block, codes, row_bytes, rows, n, total, 32);
        break;
    default:
        collect_rows(block, codes, row_bytes, rows, n, total, GROUP_BYTES);
        break;
    }
}

/* The same, while the next block's rows, of which there are n_next, come nearer. */
static void add_and_fetch(uint64_t *hist, size_t stride, size_t n_cols, const uint8_t *block,
                          size_t step, const uint64_t *words, size_t n, const uint8_t *codes,
                          size_t row_bytes, const uint32_t *next, size_t n_next)
{
    for (size_t at = 0; at < n; at += FETCH_ROWS) {
        const size_t end = at + FETCH_ROWS < n ? at + FETCH_ROWS : n;
        for (size_t i = at; i < end && i < n_next; i++)
            __builtin_prefetch(codes + (size_t)next[i] * row_bytes, 0, 2);
        add_tile(hist, stride, n_cols, block + at * step, step, words + at, end - at);
    }
}

void histogram_add(uint64_t *hist, size_t stride, size_t n_cols, const uint8_t *codes,
                   size_t row_bytes, const uint32_t *rows, const uint64_t *words, size_t n)
{
    _Alignas(64) uint8_t block[BLOCK_ROWS * GROUP_BYTES];
    const size_t step = row_bytes < GROUP_BYTES ? row_bytes : GROUP_BYTES;
    for (size_t group = 0; group < n_cols; group += GROUP_BYTES) {
        const size_t end = n_cols - group < GROUP_BYTES ? n_cols : group + GROUP_BYTES;
        for (size_t at = 0; at < n; at += BLOCK_ROWS) {
            const size_t n_block = n - at < BLOCK_ROWS ? n - at : BLOCK_ROWS;
            collect(block, codes + group, row_bytes, rows + at, n_block, n - at, step);
            const size_t n_next = n - at - n_block < BLOCK_ROWS ? n - at - n_block : BLOCK_ROWS;
            add_and_fetch(hist + group * stride, stride, end - group, block, step, words + at,
                          n_block, codes + group, row_bytes, rows + at + n_block, n_next);
            for (size_t col = group + TILE; col < end; col += TILE)
                add_tile(hist + col * stride, stride, end - col, block + (col - group), step,
                         words + at, n_block);
        }
    }
}

void histogram_subtract(uint64_t *a, const uint64_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        a[i] -= b[i];
}

void histogram_sum(uint64_t *a, const uint64_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        a[i] += b[i];
}
