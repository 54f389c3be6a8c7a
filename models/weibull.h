/* Two-parameter Weibull life distribution: S(t) = exp(-(t / scale)^shape). Maximum likelihood with
 * right censoring and left truncation (Meeker and Escobar 1998, ch. 8 and 11). */
#ifndef MODELS_WEIBULL_H
#define MODELS_WEIBULL_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct weibull {
    double shape, scale; /* scale in the unit of the times */
    double cov[2][2];    /* covariance of (log shape, log scale) */
    double log_likelihood;
    size_t n, n_failures; /* units of positive weight, failures among them */
    bool is_shape_fixed;  /* Weibayes: only the scale was estimated */
};

/* Fits n units. time > 0; failed[i]: failed at time[i], else still running (right-censored) then;
 * entry[i] < time[i]: first seen at this age (left-truncated), entry NULL = all 0; weight NULL =
 * all 1. Newton with step halving on the profile likelihood in log shape. FT_TOO_FEW: no failure,
 * one failure (see weibull_fit_fixed_shape) or data that cannot fix the shape (every failure at the
 * greatest time); FT_INVALID; FT_INTERNAL when it did not converge. Allocates nothing. */
enum ft_status weibull_fit(const double *time, const bool *failed, const double *entry,
                           const double *weight, size_t n, struct weibull *out, struct ft_err *err);

/* Weibayes: the shape is given. With no failure the scale is that of half a failure, a lower
 * confidence-like bound; the header of the answer must say so. */
enum ft_status weibull_fit_fixed_shape(const double *time, const bool *failed, const double *entry,
                                       const double *weight, size_t n, double shape,
                                       struct weibull *out, struct ft_err *err);

double weibull_survival(const struct weibull *w, double t);
double weibull_hazard(const struct weibull *w, double t);
double weibull_mean(const struct weibull *w);
/* Smallest t with F(t) >= p. */
double weibull_quantile(const struct weibull *w, double p);
/* P(fails by age + t | alive at age). */
double weibull_failure_probability(const struct weibull *w, double age, double t);
/* Remaining life that is not exceeded with probability p, given alive at age. */
double weibull_remaining_quantile(const struct weibull *w, double age, double p);
/* Wald limits on the log scale at the two-sided confidence level. */
void weibull_limits(const struct weibull *w, double confidence, double shape[2], double scale[2]);

/* Age replacement (Barlow and Proschan 1965): the interval T* of least cost rate
 * g(T) = (cost_planned * S(T) + cost_failure * F(T)) / int_0^T S by bisection on its first-order
 * condition. has_optimum is false when the hazard does not rise (shape <= 1) or planned work is not
 * cheaper, or when the optimum lies beyond any age that a unit reaches; then the verdict is run to
 * failure. */
struct age_replacement {
    bool has_optimum;
    double interval;    /* T*, unit of the times */
    double cost_rate;   /* cost per unit of time at T* (or of run to failure) */
    double saving_frac; /* against run to failure, 0 when there is no optimum */
};
struct age_replacement weibull_age_replacement(const struct weibull *w, double cost_planned,
                                               double cost_failure);

/* Minimal repair between renewals (Barlow and Hunter 1960): each failure is repaired to the state
 * just before it, and a renewal comes at T*. g(T) = (cost_renewal + cost_repair (T / scale)^shape)
 * / T. has_optimum is false when shape <= 1 or a cost is not above 0. saving_frac is NaN: without
 * renewal the rate grows for ever, so there is nothing to compare with. */
struct age_replacement weibull_minimal_repair(const struct weibull *w, double cost_renewal,
                                              double cost_repair);

#endif
