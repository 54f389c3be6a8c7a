/* exp(v) = 2^k exp(r) with k the integer nearest to v / log 2; log 2 in two parts, so that r, at
 * most log(2) / 2, is exact to the last bit but one (Cody and Waite 1980, chapter 6); exp(r) by its
 * series up to r^13 / 13!, whose rest is below 4e-18. The vector types of gcc and clang are AVX2
 * registers in one function and pairs of SSE2 registers in the other: the same operations in the
 * same order, none of them fused, hence the same bits. */
#include "models/gbdt/logistic.h"

#include "models/gbdt/bin.h"

#include <stdint.h>
#include <string.h>

/* How wide vectors are handed over does not matter: all that take them are inlined. */
#pragma GCC diagnostic ignored "-Wpsabi"

enum { LANES = 4 };
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef int64_t masks __attribute__((vector_size(LANES * sizeof(int64_t))));

static const double MAX_SCORE = 700; /* exp() stays finite */

/* Lane by lane yes where the mask is set, else no. */
#define CHOOSE(mask, yes, no) ((lanes)(((masks)(yes) & (mask)) | ((masks)(no) & ~(mask))))

static inline __attribute__((always_inline)) lanes all(double v)
{
    return (lanes){v, v, v, v};
}

static inline __attribute__((always_inline)) void exp_of(const lanes *at, lanes *out)
{
    static const double series[] = {1.0 / 479001600,
                                    1.0 / 39916800,
                                    1.0 / 3628800,
                                    1.0 / 362880,
                                    1.0 / 40320,
                                    1.0 / 5040,
                                    1.0 / 720,
                                    1.0 / 120,
                                    1.0 / 24,
                                    1.0 / 6,
                                    0.5,
                                    1,
                                    1};
    const lanes v = *at;
    const lanes shift = all(0x1.8p52); /* adding it rounds to an integer, in the lowest bits */
    const lanes shifted = v * all(0x1.71547652b82fep0) + shift;
    const lanes k = shifted - shift;
    const lanes r = (v - k * all(0x1.62e42fee00000p-1)) - k * all(0x1.a39ef35793c76p-33);
    lanes sum = all(1.0 / 6227020800);
    for (size_t i = 0; i < sizeof(series) / sizeof(*series); i++)
        sum = sum * r + all(series[i]);
    const masks power = ((masks)shifted + 1023) << 52; /* of two; the shift drops what is above */
    *out = sum * (lanes)power;
}

/* weight NULL = 1. */
static inline __attribute__((always_inline)) void four_rows(const double *score, const double *y,
                                                            const double *weight, double least,
                                                            double *g, double *h)
{
    lanes s, target, w = all(1);
    memcpy(&s, score, sizeof(s));
    memcpy(&target, y, sizeof(target));
    if (weight != NULL)
        memcpy(&w, weight, sizeof(w));
    s = CHOOSE(s > all(MAX_SCORE), all(MAX_SCORE), s);
    s = CHOOSE(s < all(-MAX_SCORE), all(-MAX_SCORE), s);
    lanes odds;
    s = -s;
    exp_of(&s, &odds);
    const lanes p = all(1) / (all(1) + odds);
    const lanes curvature = p * (all(1) - p);
    const lanes gradient = w * (p - target);
    const lanes hessian = w * CHOOSE(curvature > all(least), curvature, all(least));
    memcpy(g, &gradient, sizeof(gradient));
    memcpy(h, &hessian, sizeof(hessian));
}

static inline __attribute__((always_inline)) void rows_of(const double *score, const double *y,
                                                          const double *weight, size_t n,
                                                          double least, double *g, double *h)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        four_rows(score + i, y + i, weight != NULL ? weight + i : NULL, least, g + i, h + i);
    if (i == n)
        return;
    double in[3][LANES] = {{0}}, out[2][LANES];
    const size_t rest = (n - i) * sizeof(double);
    memcpy(in[0], score + i, rest);
    memcpy(in[1], y + i, rest);
    if (weight != NULL)
        memcpy(in[2], weight + i, rest);
    four_rows(in[0], in[1], weight != NULL ? in[2] : NULL, least, out[0], out[1]);
    memcpy(g + i, out[0], rest);
    memcpy(h + i, out[1], rest);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void rows_avx2(const double *score, const double *y,
                                                      const double *weight, size_t n, double least,
                                                      double *g, double *h)
{
    rows_of(score, y, weight, n, least, g, h);
}
#endif

void logistic_gradients(const double *score, const double *y, const double *weight, size_t n,
                        double least, double *g, double *h)
{
#if defined(__x86_64__)
    if (bins_has_vectors()) {
        rows_avx2(score, y, weight, n, least, g, h);
        return;
    }
#endif
    rows_of(score, y, weight, n, least, g, h);
}
