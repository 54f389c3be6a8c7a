/* Life distributions fitted by maximum likelihood with right censoring and left truncation (Meeker
 * and Escobar 1998, chapters 4, 8 and 11), and the age replacement that follows from them. */
#ifndef MODELS_LIFE_H
#define MODELS_LIFE_H

#include "app/base/status.h"
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
 * scale)); it gives ages below 0 some probability, see life_mass_below_zero() */
enum life_distribution {
    LIFE_WEIBULL,
    LIFE_LOGNORMAL,
    LIFE_LOGLOGISTIC,
    LIFE_EXPONENTIAL,
    LIFE_GAMMA,
    LIFE_GUMBEL,
    N_LIFE_DISTRIBUTIONS
};

const char *life_name(enum life_distribution distribution); /* lower case, as above */
/* FT_NOT_FOUND lists the known names. */
enum ft_status life_parse(const char *name, enum life_distribution *out, struct ft_err *err);
/* "shape", or "location" for gumbel. */
const char *life_first_name(enum life_distribution distribution);

struct life_data {
    const double *time;
    const bool *failed;
    const double *entry;  /* left truncation, NULL = all 0 */
    const double *weight; /* number of units of a row, NULL = all 1 */
    size_t n;
};

struct life_fit {
    enum life_distribution distribution;
    double first, scale;
    double cov[2][2]; /* of (log shape or location, log scale); 0 for what was not estimated */
    double log_likelihood, aic;
    double n, n_failures; /* sums of weight */
    size_t n_parameters;
};

/* Refuses data that cannot carry the fit. FT_TOO_FEW: no failure, one failure (exponential takes
 * one), or no peak of the likelihood; FT_INVALID names the unit; FT_INTERNAL. */
enum ft_status life_fit(enum life_distribution distribution, const struct life_data *data,
                        struct life_fit *out, struct ft_err *err);
/* A Weibull fit, Weibayes ones too, in this form; n and n_failures come from the data. */
struct life_fit life_from_weibull(const struct weibull *w, const struct life_data *data);
/* Wald limits at the two-sided confidence: on the log scale, for a location as it is. */
void life_limits(const struct life_fit *f, double confidence, double first[2], double scale[2]);

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
