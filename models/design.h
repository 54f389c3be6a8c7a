/* Columns made ready for a linear predictor: standardised with the training mean and standard
 * deviation, missing values set to the mean, and one indicator column for each column that had
 * missing values in training. Shared by the ridge, logistic, Cox and accelerated-failure models.
 * A wide row is the n_cols standardised values followed by the indicators. */
#ifndef MODELS_DESIGN_H
#define MODELS_DESIGN_H

#include "app/base/buf.h"
#include "app/base/status.h"
#include "models/matrix.h"
#include "models/text_io.h"

#include <stddef.h>

struct design {
    size_t n_cols, n_wide;
    double *mean, *scale;           /* [n_cols]; scale is 0 for a constant column, whose wide
                                       value is always 0 */
    double *miss_mean, *miss_scale; /* [n_cols]; scale 0 = the column has no indicator */
};

/* Learns means and standard deviations (weighted, of the present values, divisor = sum of weights).
 * FT_INVALID: no columns, or an infinite value (row and column named). FT_TOO_FEW: no row of
 * positive weight. FT_NOMEM. On FT_OK the caller ends d with design_free(). */
enum ft_status design_fit(struct design *d, const struct matrix *x, const double *weight,
                          struct ft_err *err);
/* row[n_cols] -> wide[n_wide]. Non-finite values count as missing. */
void design_row(const struct design *d, const double *row, double *wide);
/* Sum of coefficient * wide value in column order, allocating nothing. */
double design_dot(const struct design *d, const double *coefficient, const double *row);
/* The same per column (its indicator counted with it), out[n_cols]. */
void design_contributions(const struct design *d, const double *coefficient, const double *row,
                          double *out);

/* From wide coefficients to the original scale: out[0] is what to add to the intercept (rows
 * without missing values), out[1..n_cols] the coefficients. */
void design_original(const struct design *d, const double *coefficient, double *out);
/* Standard errors of the same from the covariance of (intercept, wide coefficients), shape
 * (n_wide + 1)^2; NaN for a constant column. */
enum ft_status design_standard_errors(const struct design *d, const double *covariance, double *out,
                                      struct ft_err *err);

void design_write(const struct design *d, struct buf *out);
/* On failure d is empty. */
enum ft_status design_read(struct design *d, struct text_reader *r, struct ft_err *err);
void design_free(struct design *d);

/* The part of the text that linear, Cox and AFT models share: the line "KEY WORD", the design, the
 * wide coefficients and the standard errors. */
struct design_text {
    const char *key;
    const char *const *words; /* [n_words] */
    size_t n_words;
    size_t n_before; /* coefficients before the wide ones: 1 with an intercept */
    size_t n_errors; /* standard errors beside those of the columns */
};
void design_write_model(const struct design_text *t, size_t word, const struct design *d,
                        const double *beta, const double *standard_error, struct buf *out);
/* *beta and *standard_error are new arrays, the caller frees them and d, also after a failure. */
enum ft_status design_read_model(const struct design_text *t, struct text_reader *r, size_t *word,
                                 struct design *d, double **beta, double **standard_error,
                                 struct ft_err *err);

/* Wald limits estimate -+ z * standard error of n estimates, z of the two-sided level inside (0,
 * 1); NaN where the standard error is. */
void design_limits(const double *estimate, const double *standard_error, size_t n, double level,
                   double *lower, double *upper);

#endif
