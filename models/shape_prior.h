/* A Weibull from few failures with what is known of like parts: a lognormal prior of the shape, a
 * flat prior of the log scale (Bayesian Weibayes; Meeker and Escobar 1998, chapter 14). Given the
 * shape the scale has a gamma law, so the posterior is a sum over a grid of shapes and needs no
 * random numbers. */
#ifndef MODELS_SHAPE_PRIOR_H
#define MODELS_SHAPE_PRIOR_H

#include "models/life_data.h"

#include <stdint.h>

struct shape_prior {
    double median; /* of the shape, > 0 */
    double log_sd; /* of its logarithm, > 0: 0.3 puts 95 % within a factor of 1.8 */
};

enum { SHAPE_GRID = 201 };

struct shape_posterior {
    double shape, scale;                         /* posterior medians */
    double shape_limits[2], scale_limits[2];     /* equal-tailed, at the confidence */
    double rises;                                /* posterior probability of a shape above 1 */
    double failures;                             /* weight */
    double grid[SHAPE_GRID], weight[SHAPE_GRID]; /* shapes and their probabilities */
    double log_exposure[SHAPE_GRID];             /* of sum (time^shape - entry^shape) */
};

/* FT_TOO_FEW: no failure (the scale would have no law); FT_INVALID: prior, confidence, intervals or
 * bad data. */
enum ft_status shape_posterior_fit(const struct life_data *data, const struct shape_prior *prior,
                                   double confidence, struct shape_posterior *out,
                                   struct ft_err *err);
/* One draw of (shape, scale) from the posterior; the same for the same seed and counter. */
void shape_posterior_draw(const struct shape_posterior *p, uint64_t seed, uint64_t counter,
                          double *shape, double *scale);

#endif
