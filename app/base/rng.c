#include "app/base/rng.h"

#include <math.h>

double rng_normal(uint64_t seed, uint64_t stream, uint64_t counter)
{
    const uint64_t inner = rng_mix(stream ^ UINT64_C(0x6e6f726d616c));
    const double u = 1.0 - rng_uniform(seed, inner, 2 * counter); /* (0, 1]: the log is finite */
    const double v = rng_uniform(seed, inner, 2 * counter + 1);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586476925 * v);
}

double rng_gamma(uint64_t seed, uint64_t stream, uint64_t counter, double shape)
{
    const uint64_t inner = rng_mix(stream ^ UINT64_C(0x67616d6d61)) ^ counter;
    if (shape < 1.0) {
        /* Gamma(a) = Gamma(a + 1) * U^(1/a). */
        const double u = 1.0 - rng_uniform(seed, rng_mix(inner ^ 1), 0);
        return rng_gamma(seed, stream, counter, shape + 1.0) * pow(u, 1.0 / shape);
    }
    const double d = shape - 1.0 / 3.0;
    const double c = 1.0 / sqrt(9.0 * d);
    for (uint64_t i = 0;; i++) {
        const double x = rng_normal(seed, inner, i);
        const double t = 1.0 + c * x;
        if (t <= 0.0)
            continue;
        const double v = t * t * t;
        const double u = 1.0 - rng_uniform(seed, rng_mix(inner ^ 2), i);
        if (log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

double rng_beta(uint64_t seed, uint64_t stream, uint64_t counter, double a, double b)
{
    const double x = rng_gamma(seed, stream ^ UINT64_C(0x61), counter, a);
    const double y = rng_gamma(seed, stream ^ UINT64_C(0x62), counter, b);
    return x / (x + y);
}
