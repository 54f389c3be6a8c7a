/* Metrics of survival predictions under right censoring. Weighting by the inverse probability of
 * being watched (IPCW) makes up for the units whose censoring hides the answer: G(t) is the
 * Kaplan-Meier estimate of being uncensored at t, units that fail at a time leaving before those
 * that are censored there; a failure at T weighs 1 / G(T-). NaN when a metric is undefined or
 * memory is gone. All O(n log n). Harrell's concordance is in metrics.h. */
#ifndef MODELS_METRICS_SURVIVAL_H
#define MODELS_METRICS_SURVIVAL_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct censoring; /* G; opaque, never changes after fit */

/* From the times at which units failed or were last seen (time > 0): those of the training rows, or
 * of the rows to be judged. FT_INVALID, FT_NOMEM. The caller ends *out with censoring_free(). */
enum ft_status censoring_fit(const double *time, const bool *failed, size_t n,
                             struct censoring **out, struct ft_err *err);
double censoring_uncensored(const struct censoring *c, double t);        /* G(t) */
double censoring_uncensored_before(const struct censoring *c, double t); /* G(t-) */
void censoring_free(struct censoring *c);                                /* NULL is fine */

/* Concordance of Uno et al. 2011 up to horizon (INFINITY = all): pairs whose earlier unit fails
 * before the horizon, each weighing 1 / G(T-)^2; ties in risk count half. */
double metric_concordance_uno(const double *risk, const double *time, const bool *failed, size_t n,
                              const struct censoring *c, double horizon);

/* Cumulative / dynamic ROC AUC at t (Uno et al. 2007; Blanche et al. 2013): units that fail by t
 * (weight 1 / G(T-)) against those still alive after t. */
double metric_auc_at(const double *risk, const double *time, const bool *failed, size_t n,
                     const struct censoring *c, double t);

/* Brier score at t of p[i] = predicted P(failure by t) (Graf et al. 1999): failures by t weigh
 * 1 / G(T-), units alive after t 1 / G(t), the censored before t nothing; mean over all n. */
double metric_brier_at(const double *p, const double *time, const bool *failed, size_t n,
                       const struct censoring *c, double t);

/* Integrated Brier score: the mean of metric_brier_at() over t by the trapezoid rule. p[n][n_t] by
 * the rising instants t[n_t], n_t >= 2. */
double metric_brier_integrated(const double *p, const double *time, const bool *failed, size_t n,
                               const struct censoring *c, const double *t, size_t n_t);

#endif
