/* Accelerated failure time regression: log T = intercept + x'beta + scale * error, the error from a
 * standard law (Weibull, lognormal or loglogistic T), with right censoring and left truncation
 * (Kalbfleisch and Prentice 2002, chapter 3; Meeker and Escobar 1998, chapter 17). Columns are
 * standardised inside and missing values handled as in linear.h. */
#ifndef MODELS_AFT_H
#define MODELS_AFT_H

#include "app/base/buf.h"
#include "app/base/status.h"
#include "models/matrix.h"

#include <stdbool.h>
#include <stddef.h>

enum aft_kind { AFT_WEIBULL, AFT_LOGNORMAL, AFT_LOGLOGISTIC };

struct aft; /* opaque; never changes after fit */

/* Fits rows x with time[n] > 0, failed[n], entry[n] (0 <= entry < time, NULL = all 0) and weight
 * (NULL = all 1). The likelihood is searched in (location / scale, 1 / scale), in which it is
 * concave without truncation (Burridge 1981); lambda / 2 times the squared length of beta / scale
 * on standardised columns is taken off, so at lambda = 0 the answer is that of R's survreg.
 * FT_INVALID, FT_TOO_FEW (no failures; fewer failures than unknowns and no penalty), FT_NOMEM.
 * The caller ends *out with aft_free(). */
enum ft_status aft_fit(enum aft_kind kind, const struct matrix *x, const double *time,
                       const bool *failed, const double *entry, const double *weight, double lambda,
                       struct aft **out, struct ft_err *err);

/* Log of the median time of each row into out[n_rows]. */
void aft_predict(const struct aft *m, const struct matrix *x, double *out);
/* Contribution of each column to the log median beyond the training mean into out[n_cols + 1]; the
 * last is the log median at the training mean. */
void aft_contributions(const struct aft *m, const double *row, double *out);
/* P(fails by age + t | alive at age) of one row; age 0 gives P(T <= t). */
double aft_failure_probability(const struct aft *m, const double *row, double age, double t);
/* Time that is reached or passed with probability 1 - p. */
double aft_quantile(const struct aft *m, const double *row, double p);

size_t aft_n_cols(const struct aft *m);
/* Intercept and coefficients of log time on the original scale: out[0], out[1..n_cols]. */
void aft_coefficients(const struct aft *m, double *out);
/* Their standard errors, then that of log scale: out[n_cols + 2]; NaN for a constant column. */
void aft_standard_errors(const struct aft *m, double *out);
/* Confidence limits of the coefficients and of log scale at a two-sided level such as 0.95:
 * [n_cols + 2] each. */
void aft_limits(const struct aft *m, double level, double *lower, double *upper);
double aft_scale(const struct aft *m);          /* of log time; 1 / scale is the Weibull shape */
double aft_log_likelihood(const struct aft *m); /* of the times, penalty left out */

void aft_write(const struct aft *m, struct buf *out);
enum ft_status aft_read(const char *text, size_t len, struct aft **out, struct ft_err *err);
void aft_free(struct aft *m); /* NULL is fine */

#endif
