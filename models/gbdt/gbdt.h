/* Histogram gradient-boosted trees (Friedman 2001; second-order gains as in Chen and Guestrin 2016,
 * eq. 7). Quantile bins with a bin of its own for missing values, leaf-wise growth, gradients as
 * fixed-point integers: sums are exact, so the model is bit-identical for any number of threads. */
#ifndef MODELS_GBDT_GBDT_H
#define MODELS_GBDT_GBDT_H

#include "app/base/buf.h"
#include "app/base/pool.h"
#include "app/base/status.h"
#include "models/matrix.h"

#include <stddef.h>
#include <stdint.h>

enum gbdt_objective {
    GBDT_LOGISTIC, /* y in {0, 1}; raw score is the log-odds */
    GBDT_SQUARED   /* y any finite value; raw score is the mean */
};

struct gbdt_params {
    enum gbdt_objective objective;
    size_t n_trees;          /* 1..10,000 */
    size_t max_leaves;       /* 2..4,096 */
    size_t max_depth;        /* 1..64; 0 = no limit but the leaves */
    size_t n_bins;           /* 2..255 for present values */
    double rate;             /* shrinkage, (0, 1] */
    double lambda;           /* L2 on leaf values, >= 0 */
    double min_child_weight; /* smallest sum of hessians in a leaf, >= 0 */
    double min_gain;         /* smallest gain of a split, >= 0 */
    double row_sample;       /* share of rows of each tree, (0, 1] */
    double col_sample;       /* share of columns of each tree, (0, 1] */
    uint64_t seed;
};

/* 200 trees, 31 leaves, no depth limit, 255 bins, rate 0.1, lambda 1, child weight 1, no sampling.
 */
struct gbdt_params gbdt_params_default(enum gbdt_objective objective);

/* FT_INVALID names the parameter that is out of range. */
enum ft_status gbdt_params_check(const struct gbdt_params *p, struct ft_err *err);

struct gbdt; /* opaque; never changes after fit, so any thread may score with it */

/* Fits x (n_rows, n_cols), y[n_rows], weight[n_rows] >= 0 or NULL for all 1. FT_OK: the caller owns
 * *out and ends it with gbdt_free(). FT_INVALID, FT_TOO_FEW (fewer than 2 rows, or one class only),
 * FT_NOMEM. Allocates O(n_rows * n_cols) bytes for the bins. */
enum ft_status gbdt_fit(const struct matrix *x, const double *y, const double *weight,
                        const struct gbdt_params *params, struct pool *pool, struct gbdt **out,
                        struct ft_err *err);

/* Raw scores (log-odds or mean) of every row of x into out[x->n_rows]. */
void gbdt_predict(const struct gbdt *g, const struct matrix *x, double *out);

/* Path-dependent SHAP contributions of one row (Lundberg et al. 2018, alg. 2) into
 * out[n_cols + 1]; the last is the expected raw score; the sum is the raw score of the row. */
enum ft_status gbdt_contributions(const struct gbdt *g, const double *row, double *out,
                                  struct ft_err *err);

/* Sum of split gains per column into out[n_cols]. */
void gbdt_gain_importance(const struct gbdt *g, double *out);

size_t gbdt_n_cols(const struct gbdt *g);
enum gbdt_objective gbdt_objective_of(const struct gbdt *g);

/* Text form, exact (hexadecimal floats); gbdt_read() takes what gbdt_write() wrote, len bytes, and
 * refuses anything else (counts, ranges, child order checked) with FT_INVALID. */
void gbdt_write(const struct gbdt *g, struct buf *out);
enum ft_status gbdt_read(const char *text, size_t len, struct gbdt **out, struct ft_err *err);

void gbdt_free(struct gbdt *g); /* NULL is fine */

#endif
