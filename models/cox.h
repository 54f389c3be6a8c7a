/* Cox's proportional hazards: hazard = baseline(t) * exp(x'beta), by partial likelihood with
 * Efron's treatment of ties, right censoring and left truncation (Therneau and Grambsch 2000,
 * chapter 3), and Breslow's baseline with it. Columns are standardised inside and missing values
 * handled as in linear.h. */
#ifndef MODELS_COX_H
#define MODELS_COX_H

#include "app/base/buf.h"
#include "app/base/status.h"
#include "models/matrix.h"

#include <stdbool.h>
#include <stddef.h>

struct cox; /* opaque; never changes after fit */

/* Fits rows x with time[n] > 0, failed[n], entry[n] (a row is at risk in (entry, time], NULL = all
 * 0) and weight (NULL = all 1). Maximises the log partial likelihood - lambda / 2 * |beta|^2 on
 * standardised columns; lambda = 0 gives the answer of R's coxph. FT_INVALID, FT_TOO_FEW (no
 * failures, or the optimum is at infinity), FT_NOMEM. Time O(n_rows * n_cols^2) per step;
 * allocates the standardised rows, 8 bytes per cell. The caller ends *out with cox_free(). */
enum ft_status cox_fit(const struct matrix *x, const double *time, const bool *failed,
                       const double *entry, const double *weight, double lambda, struct cox **out,
                       struct ft_err *err);

/* Log relative hazard of each row against the training mean into out[n_rows]. */
void cox_predict(const struct cox *m, const struct matrix *x, double *out);
/* Contribution of each column into out[n_cols + 1]; the last, the base, is 0. */
void cox_contributions(const struct cox *m, const double *row, double *out);
/* P(fails by age + t | alive at age) of one row, from the Breslow baseline (Efron weights at ties),
 * constant beyond the last failure seen. */
double cox_failure_probability(const struct cox *m, const double *row, double age, double t);

size_t cox_n_cols(const struct cox *m);
/* Coefficients and standard errors per unit of each column: out[n_cols]; a constant column has 0
 * and NaN. */
void cox_coefficients(const struct cox *m, double *out);
void cox_standard_errors(const struct cox *m, double *out);
/* Confidence limits of the coefficients at a two-sided level such as 0.95: [n_cols] each. */
void cox_limits(const struct cox *m, double level, double *lower, double *upper);
double cox_log_likelihood(const struct cox *m);      /* partial, penalty left out */
double cox_null_log_likelihood(const struct cox *m); /* at beta = 0 */

void cox_write(const struct cox *m, struct buf *out);
enum ft_status cox_read(const char *text, size_t len, struct cox **out, struct ft_err *err);
void cox_free(struct cox *m); /* NULL is fine */

#endif
