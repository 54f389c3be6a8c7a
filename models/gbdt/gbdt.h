/* Histogram gradient-boosted trees (Friedman 2001; second-order gains as in Chen and Guestrin 2016,
 * eq. 7). Quantile bins with a bin of its own for missing values, leaf-wise growth, gradients as
 * fixed-point integers: sums are exact, so the model is bit-identical for any number of threads. */
#ifndef MODELS_GBDT_GBDT_H
#define MODELS_GBDT_GBDT_H

#include "app/base/buf.h"
#include "app/base/pool.h"
#include "app/base/status.h"
#include "models/matrix.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gbdt_objective {
    GBDT_LOGISTIC,       /* y in {0, 1}; raw score is the log-odds */
    GBDT_SQUARED,        /* y any finite value; raw score is the mean */
    GBDT_ABSOLUTE,       /* y any finite value; raw score is the median */
    GBDT_QUANTILE,       /* the same for params.quantile (pinball loss) */
    GBDT_POISSON,        /* y >= 0; raw score is the log of the mean */
    GBDT_COX,            /* y > 0 a time; raw score is the log relative hazard */
    GBDT_AFT_WEIBULL,    /* y a time; raw score is the location of log time, see gbdt_labels */
    GBDT_AFT_LOGNORMAL,  /* likewise */
    GBDT_AFT_LOGLOGISTIC /* likewise */
};
#define GBDT_N_OBJECTIVES 9

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
    double quantile;         /* GBDT_QUANTILE: level, inside (0, 1) */
    double aft_scale;        /* AFT: scale of log time, > 0; 0 = by likelihood without columns */
    uint64_t seed;
    double alpha;           /* L1 on leaf values, >= 0 */
    double positive_weight; /* GBDT_LOGISTIC: rows with y = 1 count this often, > 0 */
    /* [n_cols] for each column 1: the score must not fall when the value rises, -1: must not rise,
     * 0: free. Missing values are on neither side. NULL = all free. */
    const int8_t *monotone;
    /* [n_cols] columns whose values are numbers of categories, whole numbers of 0 to 254 (number
     * them by falling frequency: n_bins is how many are told apart). Others, and categories that a
     * node never saw, are missing. Never monotone as well. NULL = none. */
    const bool *is_category;
    double category_lambda; /* L2 on both children of a split by categories, on top of lambda: a set
                               has many ways to follow noise; >= 0 */
    const struct gbdt_held_out *held_out; /* NULL = all trees are grown */
};

/* 200 trees, 31 leaves, no depth limit, 255 bins, rate 0.1, lambda 1, child weight 1, no sampling,
 * the median, scale by likelihood, 10 more of lambda for categories (as LightGBM's cat_l2). */
struct gbdt_params gbdt_params_default(enum gbdt_objective objective);

/* FT_INVALID names the parameter that is out of range. */
enum ft_status gbdt_params_check(const struct gbdt_params *p, struct ft_err *err);

/* What is learned, one value per row; NULL members have the stated default.
 * Cox: a failure (failed[i]) or the end of watching at y; rows are at risk in (entry, y].
 * AFT: the time of failure lies in [y, upper]: equal = known, infinite upper = right-censored, y 0
 * = left-censored. upper NULL: y itself where failed[i] (NULL = all), else right-censored. Rows are
 * watched from entry on. */
struct gbdt_labels {
    const double *y;
    const double *weight; /* >= 0; NULL = all 1 */
    const bool *failed;   /* NULL = all */
    const double *upper;
    const double *entry; /* 0 <= entry < y; NULL = all 0 */
};

/* Rows that no tree learns from. After each tree their loss is looked at; when it has not become
 * lower for patience trees, growing ends and the trees after the lowest loss are taken off. At
 * least one tree stays. */
struct gbdt_held_out {
    struct matrix x; /* as many columns as the training rows */
    struct gbdt_labels labels;
    size_t patience; /* 1..10,000 */
};

struct gbdt; /* opaque; never changes after fit, so any thread may score with it */

/* Fits x (n_rows, n_cols), y[n_rows], weight[n_rows] >= 0 or NULL for all 1. FT_OK: the caller owns
 * *out and ends it with gbdt_free(). FT_INVALID, FT_TOO_FEW (fewer than 2 rows, or one class only),
 * FT_NOMEM. Allocates O(n_rows * n_cols) bytes for the bins. */
enum ft_status gbdt_fit(const struct matrix *x, const double *y, const double *weight,
                        const struct gbdt_params *params, struct pool *pool, struct gbdt **out,
                        struct ft_err *err);

/* The same for any labels. Absolute and quantile: leaves hold the exact quantile of their rows'
 * residuals (no lambda in it). Cox: Efron's ties, a diagonal hessian. FT_TOO_FEW also: no failures,
 * or failures all at one time. */
enum ft_status gbdt_fit_labels(const struct matrix *x, const struct gbdt_labels *labels,
                               const struct gbdt_params *params, struct pool *pool,
                               struct gbdt **out, struct ft_err *err);

/* The same with bins made before (bin.h), of exactly the rows of x and with params->n_bins and
 * params->is_category, or NULL. Only the shape of x is used then. Several fits may share the bins
 * at the same time. */
struct binned;
enum ft_status gbdt_fit_binned(const struct matrix *x, const struct binned *bins,
                               const struct gbdt_labels *labels, const struct gbdt_params *params,
                               struct pool *pool, struct gbdt **out, struct ft_err *err);

/* Raw scores (log-odds or mean) of every row of x into out[x->n_rows]. */
void gbdt_predict(const struct gbdt *g, const struct matrix *x, double *out);

/* Path-dependent SHAP contributions of one row (Lundberg et al. 2018, alg. 2) into
 * out[n_cols + 1]; the last is the expected raw score; the sum is the raw score of the row. */
enum ft_status gbdt_contributions(const struct gbdt *g, const double *row, double *out,
                                  struct ft_err *err);

/* The same for all rows, in parallel, into out[n_rows][n_cols + 1]. */
enum ft_status gbdt_contributions_rows(const struct gbdt *g, const struct matrix *x,
                                       struct pool *pool, double *out, struct ft_err *err);

/* Sum of split gains per column into out[n_cols]. */
void gbdt_gain_importance(const struct gbdt *g, double *out);

size_t gbdt_n_cols(const struct gbdt *g);
size_t gbdt_n_trees(const struct gbdt *g);
enum gbdt_objective gbdt_objective_of(const struct gbdt *g);
/* Quantile level or scale of log time; 0 where the objective has none. */
double gbdt_parameter(const struct gbdt *g);
/* logistic, squared, absolute, quantile, poisson, cox, aft_weibull, aft_lognormal, aft_loglogistic;
 * the number of a name, -1 when there is none. */
const char *gbdt_objective_name(enum gbdt_objective objective);
int gbdt_objective_by_name(const char *name);
/* What a raw score means: probability, value, mean count, relative hazard, median time. */
double gbdt_answer(const struct gbdt *g, double raw);

/* Text form, exact (hexadecimal floats); gbdt_read() takes what gbdt_write() wrote, len bytes, and
 * refuses anything else (counts, ranges, child order checked) with FT_INVALID. */
void gbdt_write(const struct gbdt *g, struct buf *out);
enum ft_status gbdt_read(const char *text, size_t len, struct gbdt **out, struct ft_err *err);

void gbdt_free(struct gbdt *g); /* NULL is fine */

#endif
