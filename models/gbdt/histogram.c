/* The inner loop of training. With the stride known to the compiler each update is one extract and
 * one add to memory at a constant distance. */
#include "models/gbdt/histogram.h"

#include <endian.h>
#include <string.h>

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

static inline __attribute__((always_inline)) void add_rows(uint64_t *restrict hist,
                                                           const size_t stride, const size_t n_cols,
                                                           const uint8_t *restrict codes,
                                                           const uint32_t *restrict rows,
                                                           const uint64_t *restrict words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t c;
        memcpy(&c, codes + (size_t)rows[i] * TILE, sizeof(c));
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
        add_rows(hist, stride, 8, codes, rows, words, n);                                          \
    else if (n_cols > 2)                                                                           \
        add_rows(hist, stride, 4, codes, rows, words, n);                                          \
    else                                                                                           \
        add_rows(hist, stride, 2, codes, rows, words, n)

void histogram_add(uint64_t *hist, size_t stride, size_t n_cols, const uint8_t *codes,
                   const uint32_t *rows, const uint64_t *words, size_t n)
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

void histogram_subtract(uint64_t *a, const uint64_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        a[i] -= b[i];
}
