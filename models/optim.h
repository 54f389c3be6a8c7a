/* Newton's method for smooth likelihoods of modest size. */
#ifndef MODELS_OPTIM_H
#define MODELS_OPTIM_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct optim_problem {
    size_t n;
    /* The value to minimise at at[n]. When gradient is not NULL also the gradient[n] and the lower
     * triangle of hessian[n][n], both all zero on entry. Outside the domain: INFINITY. */
    double (*evaluate)(void *ctx, const double *at, double *gradient, double *hessian);
    void *ctx;
    double scale;           /* typical size of the value (sum of weights), > 0 */
    double pivot_tolerance; /* see linalg_cholesky() */
    bool is_convex;         /* else an indefinite hessian away from the optimum is made definite */
};

struct optim_result {
    double value;
    size_t bad_column; /* of the hessian, when FT_INVALID */
    /* The last step was still long although the value stood still: the optimum is at infinity. */
    bool runs_away;
};

/* Minimises from at[n] with step halving, then polishes by full steps until they stop shrinking, so
 * that the answer is good to rounding. factor[n][n] becomes the Cholesky factor of the hessian at
 * the optimum (lower triangle). FT_INVALID: the hessian is not positive definite; FT_INTERNAL: no
 * progress or no convergence in 200 steps; FT_NOMEM. Allocates O(n). */
enum ft_status optim_newton(const struct optim_problem *problem, double *at, double *factor,
                            struct optim_result *result, struct ft_err *err);

/* Where a function of one variable is greatest in [low, high], by Brent's method (golden section
 * and parabolas; Brent 1973, chapter 5), to about tolerance. -INFINITY is a value like another;
 * with several peaks it finds one of them. *value receives the greatest. At most 100 evaluations.
 */
double optim_maximum(double (*f)(void *ctx, double x), void *ctx, double low, double high,
                     double tolerance, double *value);

#endif
