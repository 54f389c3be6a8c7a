/* Penalised linear models on OpenBLAS: ridge and logistic regression, elastic net of both (the
 * discrete-time hazard when a row is one asset and period). Columns are standardised inside (mean
 * and standard deviation of the training rows, missing values set to the mean, one indicator column
 * added for each column that has missing values in training); coefficients are reported on the
 * original scale. */
#ifndef MODELS_LINEAR_H
#define MODELS_LINEAR_H

#include "app/base/buf.h"
#include "app/base/pool.h"
#include "app/base/status.h"
#include "models/matrix.h"

#include <stddef.h>

enum linear_kind { LINEAR_RIDGE, LINEAR_LOGISTIC };

struct linear; /* opaque; never changes after fit */

/* Fits by minimising sum_i w_i * loss_i + lambda / 2 * |beta|^2 on standardised columns, the
 * intercept not penalised; loss is half the squared error or the negative log-likelihood. Logistic:
 * y in {0, 1}, Newton with line search to a relative gradient of 1e-10. weight NULL = all 1.
 * FT_INVALID, FT_TOO_FEW, FT_NOMEM. The caller ends *out with linear_free(). */
enum ft_status linear_fit(enum linear_kind kind, const struct matrix *x, const double *y,
                          const double *weight, double lambda, struct linear **out,
                          struct ft_err *err);

/* The same with an elastic net: lambda * (l1_share * sum |beta| + (1 - l1_share) / 2 * |beta|^2),
 * as scikit-learn has it (ElasticNet: lambda = alpha * rows; LogisticRegression: lambda = 1 / C).
 * l1_share 0..1; 0 is linear_fit(). No standard errors: selection is not in them. */
enum ft_status linear_fit_net(enum linear_kind kind, const struct matrix *x, const double *y,
                              const double *weight, double lambda, double l1_share,
                              struct linear **out, struct ft_err *err);

/* Ridge at every lambda[n] >= 0: the matrix of products is made once, each penalty costs a Cholesky
 * factor and three passes over the rows. out[n] owned by the caller; all NULL on failure. */
enum ft_status linear_ridge_path(const struct matrix *x, const double *y, const double *weight,
                                 const double *lambda, size_t n, struct linear **out,
                                 struct ft_err *err);

/* Linear predictor (mean or log-odds) of each row into out[n_rows]. */
void linear_predict(const struct linear *m, const struct matrix *x, double *out);

/* Contribution of each column beyond the training mean into out[n_cols + 1]; the last is the
 * predictor at the training mean; the sum is the predictor of the row. */
void linear_contributions(const struct linear *m, const double *row, double *out);

size_t linear_n_cols(const struct linear *m);
/* Intercept and coefficients on the original scale: out[0], out[1..n_cols]. */
void linear_coefficients(const struct linear *m, double *out);
/* Standard errors from the inverse penalised information, original scale: same layout. */
enum ft_status linear_standard_errors(const struct linear *m, double *out, struct ft_err *err);
/* Confidence limits (normal) at a two-sided level such as 0.95, same layout. FT_TOO_FEW: no
 * standard errors. */
enum ft_status linear_limits(const struct linear *m, double level, double *lower, double *upper,
                             struct ft_err *err);

void linear_write(const struct linear *m, struct buf *out);
enum ft_status linear_read(const char *text, size_t len, struct linear **out, struct ft_err *err);
void linear_free(struct linear *m);

#endif
