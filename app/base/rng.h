/* Counter-based random numbers: a value depends only on (seed, stream, counter), so any thread may
 * draw any number in any order and the result stays the same. The mixer is the finaliser of
 * SplitMix64 (Steele, Lea and Flood 2014) applied to the three keys in turn. */
#ifndef APP_BASE_RNG_H
#define APP_BASE_RNG_H

#include <stdint.h>

static inline uint64_t rng_mix(uint64_t z)
{
    z += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 64 uniform bits of draw number counter in the given stream. */
static inline uint64_t rng_u64(uint64_t seed, uint64_t stream, uint64_t counter)
{
    return rng_mix(rng_mix(rng_mix(seed) ^ stream) ^ counter);
}

/* Uniform in [0, 1), 53 bits. */
static inline double rng_uniform(uint64_t seed, uint64_t stream, uint64_t counter)
{
    return (double)(rng_u64(seed, stream, counter) >> 11) * 0x1.0p-53;
}

/* Uniform integer in [0, n), n > 0; bias below n / 2^64. */
static inline uint64_t rng_below(uint64_t seed, uint64_t stream, uint64_t counter, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)rng_u64(seed, stream, counter) * n) >> 64);
}

/* Standard normal (Box-Muller on two uniforms of the same counter). */
double rng_normal(uint64_t seed, uint64_t stream, uint64_t counter);

/* Gamma(shape > 0, scale 1) by Marsaglia and Tsang (2000); draws from a stream of its own derived
 * from (stream, counter). */
double rng_gamma(uint64_t seed, uint64_t stream, uint64_t counter, double shape);

/* Beta(a, b), a, b > 0, from two gammas. */
double rng_beta(uint64_t seed, uint64_t stream, uint64_t counter, double a, double b);

#endif
