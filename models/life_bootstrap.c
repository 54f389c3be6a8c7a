#include "models/life_bootstrap.h"

#include "app/base/rng.h"

#include <math.h>

enum { STREAM = 0x4c49 };

void life_bootstrap_weights(const struct life_data *data, uint64_t seed, uint64_t draw,
                            double *weight)
{
    for (size_t i = 0; i < data->n; i++) {
        const double w = life_data_weight(data, i);
        weight[i] = w > 0 ? rng_gamma(seed, STREAM + (draw << 16), i, w) : 0;
    }
}

enum ft_status life_bootstrap_fit(const struct life_fit *f, const struct life_data *data,
                                  uint64_t seed, uint64_t draw, double *weight,
                                  struct life_fit *out, struct ft_err *err)
{
    struct life_data again = *data;
    life_bootstrap_weights(data, seed, draw, weight);
    again.weight = weight;
    return f->is_shape_fixed ? life_fit_fixed_shape(&again, f->first, out, err)
                             : life_fit(f->distribution, &again, out, err);
}

static double at_share(const double *sorted, size_t n, double p)
{
    const double x = p * (double)(n - 1);
    const size_t i = (size_t)x;
    if (i + 1 >= n)
        return sorted[n - 1];
    const double share = x - (double)i;
    return share > 0 ? sorted[i] + share * (sorted[i + 1] - sorted[i]) : sorted[i];
}

void life_bootstrap_limits(const double *sorted, size_t n, double confidence, double limits[2])
{
    limits[0] = n > 0 ? at_share(sorted, n, (1 - confidence) / 2) : NAN;
    limits[1] = n > 0 ? at_share(sorted, n, (1 + confidence) / 2) : NAN;
}
