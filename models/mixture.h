/* Two populations in one sample: a mixture of two Weibull distributions, such as early failures of
 * a weak lot and wear-out of the rest. EM from several starts, then Newton, so that what is
 * reported as converged is a peak of the likelihood. */
#ifndef MODELS_MIXTURE_H
#define MODELS_MIXTURE_H

#include "models/life_data.h"

struct mixture {
    double share;              /* of the first population, which has the lower median */
    double shape[2], scale[2]; /* first, second */
    double share_limits[2];    /* Wald on the log-odds */
    double shape_limits[2][2], scale_limits[2][2]; /* Wald on the logs */
    double log_likelihood, aic, bic;
    double single_bic; /* of one Weibull over the same data */
    size_t n_steps;    /* of EM, of the best start */
};

/* FT_TOO_FEW: fewer than 4 failures in either population, or no peak (a population that shrinks to
 * one age raises the likelihood without bound; such starts are given up); FT_INVALID: intervals or
 * left truncation, which this fit does not take, or a confidence outside (0, 1); FT_NOMEM. */
enum ft_status mixture_fit(const struct life_data *data, double confidence, struct mixture *out,
                           struct ft_err *err);
double mixture_survival(const struct mixture *m, double t);

#endif
