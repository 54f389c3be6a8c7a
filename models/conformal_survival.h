/* Conformal bounds of a life under right censoring. The lives that were seen to end stand for the
 * hidden ones by their inverse probability of being watched (metrics_survival.h; weighted conformal
 * prediction of Tibshirani et al. 2019, censoring as in Candes, Lei and Ren 2023 with IPCW in place
 * of a fixed end of watching). Coverage is as stated when censoring does not depend on the life,
 * but for the error of the estimated weights. */
#ifndef MODELS_CONFORMAL_SURVIVAL_H
#define MODELS_CONFORMAL_SURVIVAL_H

#include "app/base/status.h"
#include "models/metrics_survival.h"

#include <stdbool.h>
#include <stddef.h>

/* IPCW weight of each row into out[n]: 1 / G(T-) of a failure, 0 of the censored. */
void censoring_weights(const struct censoring *c, const double *time, const bool *failed, size_t n,
                       double *out);

/* Bounds in units of the score. */
struct survival_band {
    double coverage;     /* two-sided, as asked */
    double lower, upper; /* two-sided; upper infinite when censoring hides it */
    double floor;        /* one-sided: the life is above it with the coverage */
    size_t n_units, n_failures;
};

/* score[i] rises with the life of row i and is taken at its observed end: log time less a predicted
 * log life (the bound of a new row is exp(prediction + lower)), or the predicted P(failure by time)
 * (the bound is then that quantile of the row's own curve). group[i] (unit of each row) or NULL:
 * rows of one unit count together as one. FT_INVALID; FT_TOO_FEW: fewer than (1 + coverage) / (1 -
 * coverage) units, or censoring hides the lower bound; FT_NOMEM. O(n log n). */
enum ft_status conformal_survival_fit(const double *score, const double *time, const bool *failed,
                                      const size_t *group, size_t n, const struct censoring *c,
                                      double coverage, struct survival_band *out,
                                      struct ft_err *err);

#endif
