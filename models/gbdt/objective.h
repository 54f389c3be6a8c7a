/* Gradients and hessians of the loss at the present scores, and their fixed-point form. */
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

/* Targets of one fit. */
struct targets {
    enum gbdt_objective objective;
    const double *y, *weight; /* [n_rows]; weight NULL = all 1 */
    size_t n_rows;
};

/* FT_INVALID: a target or weight out of range, names the row. FT_TOO_FEW: fewer than 2 rows of
 * positive weight, or one class only. *base receives the best constant score. */
enum ft_status objective_check(const struct targets *t, double *base, struct ft_err *err);

/* Gradient g[i] and hessian h[i] of each row at score[i], and the steps that follow from their
 * sums. block_sum is scratch of 2 * objective_n_blocks(n_rows). */
struct quantum objective_gradients(const struct targets *t, const double *score, double *g,
                                   double *h, double *block_sum, struct pool *pool);
size_t objective_n_blocks(size_t n_rows);

/* Rounds to packed words (histogram.h): words[i] is that of rows[i]. Rounding is up or down at
 * random with a mean of exactly the value, drawn by (seed, tree, row): rows that share a small
 * gradient keep their sum. */
void objective_pack(const double *g, const double *h, const struct quantum *q, uint64_t seed,
                    uint64_t tree, const uint32_t *rows, size_t n, uint64_t *words,
                    struct pool *pool);

/* Probability of a log-odds. */
double objective_sigmoid(double score);

#endif
