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
/* The profile likelihood of the shape or the scale, the threshold and the other one free. NULL
 * without memory. The data must outlive it. */
struct life_threshold_profile;
struct life_threshold_profile *life_threshold_profile_new(const struct life_data *data);
/* The log-likelihood at its peak inside when the held parameter (0 = shape, 1 = scale) has a value;
 * f is the fit. INFINITY: it rises without bound towards the least failure age; -INFINITY: none. */
double life_threshold_profile_value(struct life_threshold_profile *p, const struct life_fit *f,
                                    int held, double value);
void life_threshold_profile_free(struct life_threshold_profile *p);

double life_threshold_log_likelihood(const struct life_fit *f, const struct life_data *data);

#endif
