/* Gradients and hessians of the loss at the present scores, and their fixed-point form. Nothing
 * here depends on the number of threads: rows are done in fixed blocks and reduced in their order.
 */
#ifndef MODELS_GBDT_OBJECTIVE_H
#define MODELS_GBDT_OBJECTIVE_H

#include "app/base/pool.h"
#include "models/gbdt/gbdt.h"

#include <stddef.h>
#include <stdint.h>

/* Step sizes of one tree: a fixed-point number times the step is the real one. All are powers of
 * two, so the change of scale is exact. */
struct quantum {
    double g, h;           /* of the packed words */
    double g_fine, h_fine; /* of the sums that leaf values come from */
};

/* Targets of one fit, or of a fold to stop early on. */
struct targets {
    enum gbdt_objective objective;
    struct gbdt_labels labels;
    size_t n_rows;
    double parameter; /* quantile level; AFT scale, 0 = objective_start() finds it */
    void *state;      /* of the objective; owned, see objective_end() */
};

/* Checks the rows and prepares. FT_INVALID: a target or weight out of range, names the row.
 * FT_TOO_FEW: fewer than 2 rows of positive weight, one class only, no failures. FT_NOMEM. *base
 * receives the best constant score. objective_end() also after a failure. */
enum ft_status objective_start(struct targets *t, double *base, struct ft_err *err);
void objective_end(struct targets *t);

/* Gradient g[i] and hessian h[i] of each row at score[i], and the steps that follow from their
 * sums. block_sum is scratch of 2 * objective_n_blocks(n_rows). One call at a time per targets. */
struct quantum objective_gradients(const struct targets *t, const double *score, double *g,
                                   double *h, double *block_sum, struct pool *pool);
size_t objective_n_blocks(size_t n_rows);

/* Sum of the weighted losses at the scores: minus the log-likelihood of the probability models (up
 * to what scores do not change), half the squared error, absolute error, pinball loss. block_sum as
 * above. */
double objective_loss(const struct targets *t, const double *score, double *block_sum,
                      struct pool *pool);

/* GBDT_COX: the failure times, rising, into time[] and the baseline's cumulative hazard at them
 * (Breslow with Efron weights) into cumulative[], both of objective_cox_n_times(). */
size_t objective_cox_n_times(const struct targets *t);
void objective_cox_baseline(const struct targets *t, const double *score, double *time,
                            double *cumulative, struct pool *pool);

/* GBDT_AFT_*: the most likely shift of all scores and scale of log time for trees that are done.
 * The scale that the trees were grown with holds what the columns explain as well. FT_TOO_FEW: it
 * is 0; FT_NOMEM. */
enum ft_status objective_aft_refit(const struct targets *t, const double *score, double *shift,
                                   double *scale, struct ft_err *err);

/* Must leaves be set by objective_leaf() instead of -G / (H + lambda)? */
bool objective_renews(enum gbdt_objective objective);
struct weighted {
    double value, weight;
};
/* The best constant to add to the scores of rows[0..n), shrinkage not included; scratch[n]. */
double objective_leaf(const struct targets *t, const double *score, const uint32_t *rows, size_t n,
                      struct weighted *scratch);

/* The shift of a leaf's scores that its Newton step -G / (H + lambda) stands for. Far steps are
 * shortened where the curvature grows on the way; the sign and the order of steps are kept. */
double objective_step(enum gbdt_objective objective, double newton);

/* Rounds to packed words (histogram.h): words[i] is that of rows[i]. Rounding is up or down at
 * random with a mean of exactly the value, drawn by (seed, tree, row): rows that share a small
 * gradient keep their sum. Returns the sum of all words. */
uint64_t objective_pack(const double *g, const double *h, const struct quantum *q, uint64_t seed,
                        uint64_t tree, const uint32_t *rows, size_t n, uint64_t *words,
                        struct pool *pool);

/* Probability of a log-odds. */
double objective_sigmoid(double score);
/* Does the objective have a parameter, and is it in range? */
bool objective_has_parameter(enum gbdt_objective objective);
bool objective_parameter_is_valid(enum gbdt_objective objective, double parameter);
/* That of the parameters; 0 where the objective has none. */
double objective_parameter_of(const struct gbdt_params *params);

#endif
