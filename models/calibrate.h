/* Calibration of probabilities from out-of-fold predictions, and conformal intervals. */
#ifndef MODELS_CALIBRATE_H
#define MODELS_CALIBRATE_H

#include "app/base/buf.h"
#include "app/base/status.h"

#include <stddef.h>

enum calibration_kind {
    CALIBRATION_NONE,
    CALIBRATION_PLATT,
    CALIBRATION_ISOTONIC,
    CALIBRATION_BETA
};

struct calibration; /* opaque; a monotone map from raw score to probability */

/* Fits score[n] (log-odds) against y[n] in {0, 1}, weight NULL = all 1. Platt (1999) with the
 * target smoothing of Lin, Lin and Weng 2007; isotonic by pool-adjacent-violators, then made
 * strictly inside (0, 1) by adding half a case to each end block, and linear between block centres.
 * Beta (Kull, Silva Filho and Flach 2017): log-odds = a log s - b log(1 - s) + c with s the
 * probability of the score and a, b >= 0, smoothed as Platt; with a = b it is Platt, else the ends
 * may bend differently. Scores that point the wrong way give a flat Platt or beta map. FT_INVALID:
 * a score or weight that is not finite, a label other than 0 and 1. FT_TOO_FEW: one outcome only.
 * FT_NOMEM. */
enum ft_status calibration_fit(enum calibration_kind kind, const double *score, const double *y,
                               const double *weight, size_t n, struct calibration **out,
                               struct ft_err *err);
double calibration_apply(const struct calibration *c, double score);
void calibration_write(const struct calibration *c, struct buf *out);
enum ft_status calibration_read(const char *text, size_t len, struct calibration **out,
                                struct ft_err *err);
void calibration_free(struct calibration *c);

/* Split-conformal band of a regression (Lei et al. 2018) in bins of the prediction: for a
 * prediction p the interval [p + lower(p), p + upper(p)] holds the truth with probability >=
 * coverage when the calibration rows are exchangeable with new ones. */
struct conformal; /* opaque */
/* prediction[n], truth[n]; group[n] (unit of each row) or NULL: rows of one unit count together as
 * one (each row weighs 1 / rows of its unit in the bin). n_bins quantile bins of the prediction,
 * fewer when a bin would hold less than 30 rows or too few units for the coverage. Signed residual
 * quantiles at (1 - coverage) / 2 and (1 + coverage) / 2 with the finite-sample correction
 * ceil((n + 1) q) / n, n = units. FT_TOO_FEW: even one bin has fewer than
 * (1 + coverage) / (1 - coverage) units (19 at 0.9); FT_INVALID; FT_NOMEM. */
enum ft_status conformal_fit(const double *prediction, const double *truth, const size_t *group,
                             size_t n, size_t n_bins, double coverage, struct conformal **out,
                             struct ft_err *err);
void conformal_interval(const struct conformal *c, double prediction, double *lower, double *upper);
double conformal_coverage(const struct conformal *c); /* as stated at the fit */
void conformal_write(const struct conformal *c, struct buf *out);
enum ft_status conformal_read(const char *text, size_t len, struct conformal **out,
                              struct ft_err *err);
void conformal_free(struct conformal *c);

#endif
