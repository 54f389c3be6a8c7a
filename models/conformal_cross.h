/* Cross-conformal intervals of a regression (Barber, Candes, Ramdas and Tibshirani 2021): CV+ with
 * K folds, jackknife+ with as many folds as rows. Every row is used for training and for
 * calibration, which split-conformal bands (calibrate.h) must share out; the price is that the
 * models of all folds are asked for each prediction. Coverage is at least 2 coverage - 1 (and a
 * little less than that for few rows per fold) when rows are exchangeable, and close to the stated
 * one in practice. */
#ifndef MODELS_CONFORMAL_CROSS_H
#define MODELS_CONFORMAL_CROSS_H

#include "app/base/buf.h"
#include "app/base/status.h"

#include <stddef.h>

struct conformal_cross; /* opaque; never changes after fit */

/* prediction[i] is that of the model trained without fold[i], fold 0..n_folds - 1. FT_INVALID: a
 * value that is not finite, a fold out of range, coverage outside (0, 1). FT_TOO_FEW: fewer rows
 * than coverage / (1 - coverage). FT_NOMEM. The caller ends *out with conformal_cross_free(). */
enum ft_status conformal_cross_fit(const double *prediction, const double *truth,
                                   const size_t *fold, size_t n, size_t n_folds, double coverage,
                                   struct conformal_cross **out, struct ft_err *err);
/* fold_prediction[n_folds]: what each fold's model says of the new row. O(n_folds log n). */
void conformal_cross_interval(const struct conformal_cross *c, const double *fold_prediction,
                              double *lower, double *upper);
size_t conformal_cross_n_folds(const struct conformal_cross *c);
double conformal_cross_coverage(const struct conformal_cross *c); /* as stated at the fit */
/* Text form (text_io.h); the reader takes what the writer wrote and refuses anything else. */
void conformal_cross_write(const struct conformal_cross *c, struct buf *out);
enum ft_status conformal_cross_read(const char *text, size_t len, struct conformal_cross **out,
                                    struct ft_err *err);
void conformal_cross_free(struct conformal_cross *c); /* NULL is fine */

/* How intervals did on rows whose truth is known. weight NULL = all 1 (survival: that of
 * censoring_weights()). */
struct coverage {
    double observed;     /* share of truths inside [lower, upper] */
    double below, above; /* shares outside: truth under lower, truth over upper */
    double lower, upper; /* 95 % limits of observed (Wilson, by the effective number of rows) */
    double mean_width;   /* infinite when an interval is */
    double n;            /* effective number of rows, (sum of weight)^2 / sum of weight^2 */
};
/* All NaN when no row has weight. */
struct coverage coverage_observed(const double *lower, const double *upper, const double *truth,
                                  const double *weight, size_t n);

#endif
