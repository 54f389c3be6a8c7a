/* The table of objectives: one file per family. */
#ifndef MODELS_GBDT_OBJECTIVE_PRIVATE_H
#define MODELS_GBDT_OBJECTIVE_PRIVATE_H

#include "models/gbdt/objective.h"

#define OBJECTIVE_BLOCK_ROWS 8192

struct objective_ops {
    /* Is the label of row i in range? The weight is. */
    enum ft_status (*check_row)(const struct targets *t, size_t i, struct ft_err *err);
    /* After all rows were checked: base score and state. */
    enum ft_status (*start)(struct targets *t, double *base, struct ft_err *err);
    void (*end)(struct targets *t); /* NULL = state is nothing or one block of memory */
    /* Whole-data step before the rows; NULL = none. */
    void (*prepare)(const struct targets *t, const double *score, struct pool *pool);
    void (*rows)(const struct targets *t, const double *score, size_t begin, size_t end, double *g,
                 double *h);
    double (*loss)(const struct targets *t, const double *score, size_t begin, size_t end);
    /* What prepare() found that no single row owns; NULL = 0. */
    double (*loss_rest)(const struct targets *t);
    double (*step)(double newton); /* objective_step(); NULL = the Newton step itself */
};

extern const struct objective_ops objective_logistic, objective_squared, objective_pinball,
    objective_poisson, objective_cox, objective_aft;

static inline double target_weight(const struct targets *t, size_t i)
{
    return t->labels.weight != NULL ? t->labels.weight[i] : 1.0;
}

/* Smallest value that a share q of the weight does not exceed; the middle to the next one when the
 * share is hit exactly. Weights are > 0; p is reordered. n > 0. */
double objective_weighted_quantile(struct weighted *p, size_t n, double q);

/* Median of the standard law of an AFT objective. */
double objective_aft_median(enum gbdt_objective objective);

#define OBJECTIVE_MIN_HESSIAN 1e-16

#endif
