/* Private to models/life*.c: the three-parameter Weibull. Given the threshold it is a Weibull of
 * the ages above it, so the fit is a search over the threshold (Meeker and Escobar 1998,
 * section 11.7). The likelihood has no bound as the threshold goes to the least failure age when
 * the shape falls below 1: the peak inside is the estimate, and data without one are refused. */
#ifndef MODELS_LIFE_THRESHOLD_H
#define MODELS_LIFE_THRESHOLD_H

#include "models/life.h"

/* Fills first, scale, threshold, cov and log_likelihood of out. FT_TOO_FEW: no peak; FT_NOMEM. */
enum ft_status life_threshold_fit(const struct life_data *data, struct life_fit *out,
                                  struct ft_err *err);
double life_threshold_log_likelihood(const struct life_fit *f, const struct life_data *data);

#endif
