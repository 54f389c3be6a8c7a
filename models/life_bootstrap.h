/* What other data from the same source would have said: fits to fractionally reweighted units
 * (Xu, Gotwalt, Hong, King and Meeker 2020). Unlike drawing units with replacement it never leaves
 * a sample without failures, so it holds with few of them. Weights come from counter-based random
 * numbers: the same draws for any number of threads. */
#ifndef MODELS_LIFE_BOOTSTRAP_H
#define MODELS_LIFE_BOOTSTRAP_H

#include "models/life.h"

#include <stdint.h>

/* Writes a random weight for each row: gamma with the mean of its number of units. */
void life_bootstrap_weights(const struct life_data *data, uint64_t seed, uint64_t draw,
                            double *weight);

/* One draw: the law of f fitted to weights of draw number draw; weight[data->n] is scratch. A law
 * with a given shape keeps it. FT_TOO_FEW when that draw has no peak: the caller counts it. */
enum ft_status life_bootstrap_fit(const struct life_fit *f, const struct life_data *data,
                                  uint64_t seed, uint64_t draw, double *weight,
                                  struct life_fit *out, struct ft_err *err);

/* The values at the lower and upper end of a central share of sorted[n], by linear interpolation
 * (type 7); NaN when n is 0. */
void life_bootstrap_limits(const double *sorted, size_t n, double confidence, double limits[2]);

#endif
