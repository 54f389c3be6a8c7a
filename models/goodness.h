/* How far a fitted life distribution is from the curve that needs none. */
#ifndef MODELS_GOODNESS_H
#define MODELS_GOODNESS_H

#include "models/life.h"

#include <stddef.h>

/* Anderson-Darling distance n int (F_n - F)^2 / (F (1 - F)) dF between a fit and a step curve that
 * falls to survival[k] at time[k] (rising; Kaplan-Meier or Turnbull). For complete lives it is the
 * usual A^2; with censoring it ends at the last step, so it compares fits of the same data and has
 * no table of critical values. n is the number of units. NaN without steps. */
double goodness_anderson_darling(const struct life_fit *f, double n, const double *time,
                                 const double *survival, size_t n_steps);

#endif
