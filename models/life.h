/* Life distributions fitted by maximum likelihood with right, left and interval censoring and left
 * truncation (Meeker and Escobar 1998, chapters 4, 8 and 11), their limits, and the age replacement
 * that follows from them. */
#ifndef MODELS_LIFE_H
#define MODELS_LIFE_H

#include "app/base/status.h"
#include "models/life_data.h"
#include "models/weibull.h"

#include <stdbool.h>
#include <stddef.h>

/* Parameters (first, second):
 * weibull      shape, scale: S = exp(-(t / scale)^shape)
 * lognormal    shape = sigma of log t, scale = median
 * loglogistic  shape, scale: S = 1 / (1 + (t / scale)^shape)
 * exponential  shape = 1, scale = mean
 * gamma        shape, scale: density ~ t^(shape - 1) exp(-t / scale)
 * gumbel       location, scale of the smallest extreme value: S = exp(-exp((t - location) /
 * scale)); it gives ages below 0 some probability, see life_mass_below_zero()
 * weibull3     shape, scale of the age above a threshold before which nothing fails */
enum life_distribution {
    LIFE_WEIBULL,
    LIFE_LOGNORMAL,
    LIFE_LOGLOGISTIC,
    LIFE_EXPONENTIAL,
    LIFE_GAMMA,
    LIFE_GUMBEL,
    N_LIFE_DISTRIBUTIONS,
    /* Beside the others, which compete by AIC: a threshold breaks the conditions of AIC. */
    LIFE_WEIBULL3 = N_LIFE_DISTRIBUTIONS
};

const char *life_name(enum life_distribution distribution); /* lower case, as above */
/* FT_NOT_FOUND lists the known names. */
enum ft_status life_parse(const char *name, enum life_distribution *out, struct ft_err *err);
/* "shape", or "location" for gumbel. */
const char *life_first_name(enum life_distribution distribution);

struct life_fit {
    enum life_distribution distribution;
    double first, scale;
    double threshold; /* of weibull3, else 0 */
    double cov[2][2]; /* of (log shape or location, log scale); 0 for what was not estimated */
    double log_likelihood, aic, bic;
    double n, n_failures; /* sums of weight */
    size_t n_parameters;
    bool is_shape_fixed; /* Weibayes: only the scale was estimated */
};

/* Refuses data that cannot carry the fit. FT_TOO_FEW: no failure, one failure (exponential takes
 * one), or no peak of the likelihood; FT_INVALID names the unit; FT_INTERNAL, FT_NOMEM. */
enum ft_status life_fit(enum life_distribution distribution, const struct life_data *data,
                        struct life_fit *out, struct ft_err *err);
/* Weibull with the shape given (Weibayes). With no failure the scale is that of half a failure, a
 * cautious bound. Shape 0.001 to 100000. */
enum ft_status life_fit_fixed_shape(const struct life_data *data, double shape,
                                    struct life_fit *out, struct ft_err *err);
/* Log-likelihood of any parameters of f's distribution, a threshold included. -INFINITY outside the
 * domain; the data must be valid. */
double life_log_likelihood(const struct life_fit *f, const struct life_data *data);

/* Wald limits at the two-sided confidence: on the log scale, for a location as it is. */
void life_limits(const struct life_fit *f, double confidence, double first[2], double scale[2]);
/* Wald limits of the age by which the share p has failed (delta method on the log age; gumbel and
 * the threshold: on the age as it is, the threshold taken as known). */
void life_quantile_limits(const struct life_fit *f, double p, double confidence, double limits[2]);
/* Profile-likelihood limits: the values whose likelihood, the other parameter at its best, is
 * within half a chi-squared quantile of the greatest (Meeker and Escobar 1998, section 8.3). Better
 * than Wald with few failures. Same data as the fit. A limit that the likelihood does not reach is
 * 0 or infinite; first of the exponential or a fixed shape is that value twice. Weibull3: the
 * threshold is free too (its own limits: life_threshold_limits()); where the likelihood rises
 * without bound towards the least failure age - shapes below 1 - a limit counts as not reached.
 * FT_INVALID: a confidence outside (0, 1); FT_NOMEM. */
enum ft_status life_profile_limits(const struct life_fit *f, const struct life_data *data,
                                   double confidence, double first[2], double scale[2],
                                   struct ft_err *err);
/* The joint region of both parameters at the confidence (chi-squared with two degrees): n points
 * (first, scale) around the fit; the first one is not repeated at the end. A ray that does not
 * leave the region ends far out. FT_INVALID: not two estimated parameters, or n < 3. */
enum ft_status life_contour(const struct life_fit *f, const struct life_data *data,
                            double confidence, size_t n, double (*points)[2], struct ft_err *err);
/* Profile-likelihood limits of the threshold of weibull3, within [0, least failure age]. */
enum ft_status life_threshold_limits(const struct life_fit *f, const struct life_data *data,
                                     double confidence, double limits[2], struct ft_err *err);

double life_log_survival(const struct life_fit *f, double t);
double life_survival(const struct life_fit *f, double t);
double life_hazard(const struct life_fit *f, double t);
/* INFINITY for a loglogistic of shape <= 1. */
double life_mean(const struct life_fit *f);
double life_quantile(const struct life_fit *f, double p);
/* int_0^t S(u) du, to about 1e-12 relative, by adaptive Gauss-Kronrod quadrature. */
double life_lived_to(const struct life_fit *f, double t);
/* Does the hazard rise anywhere? When not, replacing by age prevents nothing. */
bool life_hazard_rises(const struct life_fit *f);
/* F(0): 0 but for gumbel. */
double life_mass_below_zero(const struct life_fit *f);

/* As weibull_age_replacement(), for any of the distributions: bisection on the first-order
 * condition where the hazard rises. A hazard that rises and falls again (lognormal, loglogistic)
 * has an optimum only when the condition is met before its peak and the rate there beats run to
 * failure. Ages below 0 (gumbel) are left out by conditioning on T > 0. */
struct age_replacement life_age_replacement(const struct life_fit *f, double cost_planned,
                                            double cost_failure);

#endif
