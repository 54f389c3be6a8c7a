/* Can the lives come from the fitted law? A p-value for the Anderson-Darling distance by parametric
 * bootstrap (Stute, Gonzalez Manteiga and Presedo Quindimil 1993): samples of the same size are
 * simulated from the fit, fitted again and measured against their own Kaplan-Meier curve, so that
 * estimated parameters, censoring and left truncation are in the distribution of the distance. No
 * table knows that distribution under censoring.
 *
 * The censoring of a sample (Davison and Hinkley 1997, section 3.5): a unit that was censored
 * keeps its age of censoring, a unit that failed draws one beyond its own from the Kaplan-Meier
 * curve of the censoring ages; where that curve does not reach 0, it may never be censored.
 * Simulated ages are rounded like the data (to the greatest power of ten that divides all ages), as
 * rounding alone adds to the distance. */
#ifndef MODELS_GOODNESS_BOOTSTRAP_H
#define MODELS_GOODNESS_BOOTSTRAP_H

#include "models/life.h"

#include <stddef.h>
#include <stdint.h>

struct pool;

struct goodness_p {
    double p;            /* share of samples at least as far from their curve; NaN = not known */
    size_t n_draws;      /* samples simulated */
    size_t n_fitted;     /* of them: could be fitted and measured */
    const char *why_not; /* no p: a static clause; else NULL */
};

/* f is the fit of data by life_fit() or life_fit_fixed_shape(), distance its
 * goodness_anderson_darling() against the Kaplan-Meier curve. No p (FT_OK, why_not says why):
 * n_draws 0, no failure, intervals, weights that are no whole numbers, too many units for 99
 * samples, or fewer than half of the samples fitted. Large data get fewer samples than asked for.
 * The same answer for any number of threads; pool NULL = this thread alone. FT_NOMEM; FT_INVALID as
 * life_data_totals(). Allocates O(units) for each thread at work. */
enum ft_status goodness_bootstrap(const struct life_fit *f, const struct life_data *data,
                                  double distance, size_t n_draws, uint64_t seed, struct pool *pool,
                                  struct goodness_p *out, struct ft_err *err);

#endif
