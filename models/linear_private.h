/* What the fits of linear models share. */
#ifndef MODELS_LINEAR_PRIVATE_H
#define MODELS_LINEAR_PRIVATE_H

#include "models/design.h"
#include "models/linear.h"

#define LINEAR_BLOCK 256

struct linear {
    enum linear_kind kind;
    struct design design;
    double *beta;           /* [1 + n_wide]: intercept at the training mean, then coefficients */
    double *standard_error; /* [1 + n_cols], original scale, NaN when unknown */
};

/* What a fit works with: p = 1 + n_wide unknowns. */
struct linear_work {
    enum linear_kind kind;
    const struct matrix *x;
    const double *y, *weight;
    const struct design *design;
    double lambda; /* of half the squared length */
    size_t p;
    double *block;   /* [LINEAR_BLOCK][p] wide rows, a one in front */
    double *eta;     /* [LINEAR_BLOCK] */
    double *hessian; /* [p][p] */
};

/* Checks the rows (x, y, weight, kind and lambda are set), learns the design into a new model and
 * sets its intercept to the best constant. On failure *out is NULL; linear_work_free() in any case.
 */
enum ft_status linear_work_start(struct linear_work *w, struct linear **out, struct ft_err *err);
void linear_work_free(struct linear_work *w);

/* Loss with the penalty; adds its gradient[p] and, when hessian is not NULL, the hessian's lower
 * triangle. Constant columns are all zero: a one in the hessian keeps their coefficient at 0. */
double linear_loss(struct linear_work *w, const double *beta, double *gradient, double *hessian);
bool linear_is_constant(const struct linear_work *w, size_t j); /* unknown j */

/* Standard errors from the factored hessian in w. */
enum ft_status linear_learn_errors(struct linear_work *w, struct linear *m, struct ft_err *err);
/* The error of a hessian that is not definite at unknown bad. */
enum ft_status linear_explain(const struct linear_work *w, size_t bad, struct ft_err *err);

#endif
