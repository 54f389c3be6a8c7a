/* A forest beside the boosted trees: deep trees that do not build on one another, each on a sample
 * of rows and with cuts drawn at random from the quantiles of every column (between the random
 * forest of Breiman 2001 and the extremely randomised trees of Geurts, Ernst and Wehenkel 2006).
 * Its errors are others than those of boosting, so the mean of the two is better than either. */
#ifndef MODELS_GBDT_BAGGED_H
#define MODELS_GBDT_BAGGED_H

#include "models/gbdt/gbdt.h"

enum { BAGGED_MAX_TREES = 1000, BAGGED_CUTS = 8 /* of a column in one tree, on average */ };

/* A forest of n_trees (1..BAGGED_MAX_TREES) on the bins of x (bin.h; they are copied). Of params
 * the number of bins, the seed and the weight in a leaf, BAGGED_CHILD_SHARE of it, are used.
 * FT_INVALID for objectives other than squared: leaves of a forest are means. Else as
 * gbdt_fit_binned(); labels->weight should have the mean 1. */
#define BAGGED_CHILD_SHARE 0.25
enum ft_status bagged_fit(const struct matrix *x, const struct binned *bins,
                          const struct gbdt_labels *labels, const struct gbdt_params *params,
                          size_t n_trees, struct pool *pool, struct gbdt **out, struct ft_err *err);

/* One model whose raw score is the sum of weight[i] times the raw score of part[i]: a model like
 * any other, with contributions, file and export. Parts have equal columns and objectives, else
 * FT_INVALID; together at most as many trees as a model may have. FT_NOMEM. */
enum ft_status bagged_join(struct gbdt *const *part, const double *weight, size_t n_parts,
                           struct gbdt **out, struct ft_err *err);

/* Half boosted trees by params, half a forest of n_trees. */
enum ft_status bagged_fit_beside(const struct matrix *x, const struct binned *bins,
                                 const struct gbdt_labels *labels, const struct gbdt_params *params,
                                 size_t n_trees, struct pool *pool, struct gbdt **out,
                                 struct ft_err *err);

#endif
