/* AVX2 where the processor has it, else vectors of 16 bytes; comparing and choosing bytes is exact,
 * so the answers are the same. */
#include "models/gbdt/blend.h"

#include "models/gbdt/bin.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { FULL = BLEND_ROWS / BLEND_LANES };

void blend_start(uint8_t *scratch)
{
    for (size_t k = 0; k < BLEND_MAX_LEAVES; k++)
        memset(scratch + k * BLEND_LANES, (int)k, BLEND_LANES);
}

/* The parts of one split. */
struct parts {
    const uint8_t *codes, *left, *right;
    uint8_t *to;
};

static inline struct parts parts_of(const struct blend *s, size_t k, const uint8_t *codes,
                                    uint8_t *scratch)
{
    return (struct parts){codes + s->codes, scratch + (size_t)s->left.place * BLEND_LANES,
                          scratch + (size_t)s->right.place * BLEND_LANES,
                          scratch + (size_t)blend_place(k) * BLEND_LANES};
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));

static inline bytes16 load16(const uint8_t *p)
{
    bytes16 v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static void blend_plain(const struct blend *splits, size_t n_splits, const uint8_t *codes,
                        size_t n_vectors, uint8_t *scratch)
{
    for (size_t k = 0; k < n_splits; k++) {
        const struct blend *s = &splits[k];
        const struct parts p = parts_of(s, k, codes, scratch);
        const bytes16 least = (bytes16){0} + s->least;
        for (size_t j = 0; j < 2 * n_vectors; j++) {
            const size_t half = j % 2 * 16;
            const bytes16 left = load16(p.left + j / 2 * s->left.step + half);
            const bytes16 right = load16(p.right + j / 2 * s->right.step + half);
            const bytes16 goes_right = (bytes16)(load16(p.codes + 16 * j) >= least);
            const bytes16 leaf = left ^ ((left ^ right) & goes_right);
            memcpy(p.to + 16 * j, &leaf, sizeof(leaf));
        }
    }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static inline __m256i load32(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

__attribute__((target("avx2"), always_inline)) static inline void
blend_vector(const struct blend *s, const struct parts *p, size_t j, __m256i least)
{
    const __m256i code = load32(p->codes + BLEND_LANES * j);
    const __m256i goes_right = _mm256_cmpeq_epi8(_mm256_max_epu8(code, least), code);
    const __m256i left = load32(p->left + j * s->left.step);
    const __m256i right = load32(p->right + j * s->right.step);
    _mm256_storeu_si256((__m256i *)(void *)(p->to + BLEND_LANES * j),
                        _mm256_blendv_epi8(left, right, goes_right));
}

__attribute__((target("avx2"))) static void blend_avx2(const struct blend *splits, size_t n_splits,
                                                       const uint8_t *codes, size_t n_vectors,
                                                       uint8_t *scratch)
{
    for (size_t k = 0; k < n_splits; k++) {
        const struct blend *s = &splits[k];
        const struct parts p = parts_of(s, k, codes, scratch);
        const __m256i least = _mm256_set1_epi8((char)s->least);
        if (n_vectors == FULL) {
            blend_vector(s, &p, 0, least);
            blend_vector(s, &p, 1, least);
            blend_vector(s, &p, 2, least);
            blend_vector(s, &p, 3, least);
            continue;
        }
        for (size_t j = 0; j < n_vectors; j++)
            blend_vector(s, &p, j, least);
    }
}
#endif

const uint8_t *blend_leaves(const struct blend *splits, size_t n_splits, const uint8_t *codes,
                            size_t n_rows, uint8_t *scratch)
{
    const size_t n_vectors = (n_rows + BLEND_LANES - 1) / BLEND_LANES;
    const uint8_t *answer = scratch + (size_t)blend_place(n_splits - 1) * BLEND_LANES;
#if defined(__x86_64__)
    if (bins_has_vectors()) {
        blend_avx2(splits, n_splits, codes, n_vectors, scratch);
        return answer;
    }
#endif
    blend_plain(splits, n_splits, codes, n_vectors, scratch);
    return answer;
}
