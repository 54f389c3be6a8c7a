/* Permutation importance (Breiman 2001): how much a metric changes when one column is shuffled
 * among the rows, the model left as it is. */
#ifndef MODELS_IMPORTANCE_H
#define MODELS_IMPORTANCE_H

#include "app/base/pool.h"
#include "app/base/status.h"
#include "models/matrix.h"

#include <stddef.h>
#include <stdint.h>

struct importance_problem {
    const struct matrix *x; /* rows the model was not trained on */
    /* Predictions of all rows of x into out; called from several threads at once. */
    void (*predict)(const void *model, const struct matrix *x, double *out);
    const void *model;
    /* The metric of predictions in the order of the rows; likewise. */
    double (*metric)(const void *ctx, const double *prediction);
    const void *metric_ctx;
    size_t n_repeats; /* shuffles per column, > 0 */
    uint64_t seed;
};

/* mean[n_cols] and sd[n_cols] (over the repeats, NULL = not wanted; NaN with one repeat) receive
 * metric(shuffled) - metric(as it is); *metric_is that of the rows as they are. The same bits for
 * any number of threads. Allocates 16 bytes per row and thread. FT_INVALID: no rows, no columns or
 * no repeats; FT_NOMEM. */
enum ft_status importance_by_permutation(const struct importance_problem *problem,
                                         struct pool *pool, double *metric_is, double *mean,
                                         double *sd, struct ft_err *err);

#endif
