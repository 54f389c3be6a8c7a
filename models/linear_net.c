/* The fits beside Newton's: the path of ridge models, which share one matrix of products, and the
 * elastic net. */
#include "models/linalg.h"
#include "models/linear_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- ridge, all penalties --------------------------------------------------------------------- */

struct path {
    struct linear_work *w;
    const struct linear *start; /* the best constant */
    const double *gram;         /* [p][p] hessian without penalty */
    double *gradient;           /* [p] */
};

/* One Newton step from beta with the factor in w; twice of it leaves rounding only. */
static void improve(const struct path *f, double *beta)
{
    memset(f->gradient, 0, f->w->p * sizeof(double));
    linear_loss(f->w, beta, f->gradient, NULL);
    linalg_cholesky_solve(f->w->hessian, f->w->p, f->gradient);
    for (size_t j = 0; j < f->w->p; j++)
        beta[j] -= f->gradient[j];
}

static enum ft_status copy_design(const struct design *from, struct design *to, struct ft_err *err)
{
    const size_t size = from->n_cols * sizeof(double);
    *to = (struct design){.n_cols = from->n_cols, .n_wide = from->n_wide};
    to->mean = malloc(size);
    to->scale = malloc(size);
    to->miss_mean = malloc(size);
    to->miss_scale = malloc(size);
    if (to->mean == NULL || to->scale == NULL || to->miss_mean == NULL || to->miss_scale == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu columns", from->n_cols);
    memcpy(to->mean, from->mean, size);
    memcpy(to->scale, from->scale, size);
    memcpy(to->miss_mean, from->miss_mean, size);
    memcpy(to->miss_scale, from->miss_scale, size);
    return FT_OK;
}

static enum ft_status fit_point(const struct path *f, double lambda, struct linear **out,
                                struct ft_err *err)
{
    struct linear_work *w = f->w;
    const size_t p = w->p;
    size_t bad = 0;
    struct linear *m = calloc(1, sizeof(*m));
    *out = m;
    if (m == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a linear model");
    enum ft_status st = copy_design(&f->start->design, &m->design, err);
    m->kind = LINEAR_RIDGE;
    m->beta = calloc(p, sizeof(double));
    m->standard_error = calloc(m->design.n_cols + 1, sizeof(double));
    if (st == FT_OK && (m->beta == NULL || m->standard_error == NULL))
        st = ft_fail(err, FT_NOMEM, "no memory for a linear model");
    if (st != FT_OK)
        return st;
    w->lambda = lambda;
    memcpy(m->beta, f->start->beta, p * sizeof(double));
    memcpy(w->hessian, f->gram, p * p * sizeof(double));
    for (size_t j = 1; j < p; j++)
        w->hessian[j * p + j] += linear_is_constant(w, j) ? 0 : lambda;
    st = linalg_cholesky(w->hessian, p, lambda > 0 ? 0 : 1e-12, &bad, err);
    if (st != FT_OK)
        return st == FT_INVALID ? linear_explain(w, bad, err) : st;
    improve(f, m->beta);
    improve(f, m->beta);
    return linear_learn_errors(w, m, err);
}

enum ft_status linear_ridge_path(const struct matrix *x, const double *y, const double *weight,
                                 const double *lambda, size_t n, struct linear **out,
                                 struct ft_err *err)
{
    struct linear_work w = {.kind = LINEAR_RIDGE, .x = x, .y = y, .weight = weight};
    struct linear *start = NULL;
    double *gram = NULL, *gradient = NULL;
    memset(out, 0, n * sizeof(struct linear *));
    for (size_t k = 0; k < n; k++)
        if (!(lambda[k] >= 0) || !isfinite(lambda[k]))
            return ft_fail(err, FT_INVALID, "linear model: penalty %g, expected >= 0", lambda[k]);
    enum ft_status st = linear_work_start(&w, &start, err);
    if (st == FT_OK) {
        gram = calloc(w.p, w.p * sizeof(double));
        gradient = calloc(w.p, sizeof(double));
        if (gram == NULL || gradient == NULL)
            st = ft_fail(err, FT_NOMEM, "no memory for %zu columns", w.p);
    }
    if (st == FT_OK)
        linear_loss(&w, start->beta, gradient, gram);
    const struct path f = {.w = &w, .start = start, .gram = gram, .gradient = gradient};
    for (size_t k = 0; k < n && st == FT_OK; k++)
        st = fit_point(&f, lambda[k], &out[k], err);
    for (size_t k = 0; k < n && st != FT_OK; k++) {
        linear_free(out[k]);
        out[k] = NULL;
    }
    linear_free(start);
    linear_work_free(&w);
    free(gram);
    free(gradient);
    return st;
}

/* --- elastic net ------------------------------------------------------------------------------
 * Proximal Newton (Friedman, Hastie and Tibshirani 2010; Lee, Sun and Saunders 2014): the quadratic
 * model of the smooth part, whose matrix BLAS makes in one pass over the rows, is minimised with
 * the L1 term by coordinate descent; a line search keeps the whole falling. */

enum { MAX_STEPS = 200, MAX_SWEEPS = 10000 };

struct net {
    struct linear_work *w;
    double l1;
    double *gradient, *step, *product, *trial; /* [p]; product = hessian * step */
};

static double l1_of(const struct net *f, const double *beta)
{
    double sum = 0;
    for (size_t j = 1; j < f->w->p; j++)
        sum += fabs(beta[j]);
    return f->l1 * sum;
}

static double soften(double v, double by)
{
    return v > by ? v - by : v < -by ? v + by : 0;
}

/* One coordinate of the quadratic model; returns the size of the move. */
static double move_one(const struct net *f, const double *beta, size_t j)
{
    const size_t p = f->w->p;
    const double *row = f->w->hessian + j * p;
    const double at = beta[j] + f->step[j];
    const double pull = at * row[j] - f->gradient[j] - f->product[j];
    const double to = (j == 0 ? pull : soften(pull, f->l1)) / row[j];
    const double by = to - at;
    if (by == 0)
        return 0;
    f->step[j] += by;
    for (size_t k = 0; k < p; k++)
        f->product[k] += by * row[k];
    return fabs(by) * sqrt(row[j]);
}

static bool descend(const struct net *f, const double *beta, double scale)
{
    const size_t p = f->w->p;
    memset(f->step, 0, p * sizeof(double));
    memset(f->product, 0, p * sizeof(double));
    for (int sweep = 0; sweep < MAX_SWEEPS; sweep++) {
        double longest = 0;
        for (size_t j = 0; j < p; j++)
            if (!linear_is_constant(f->w, j))
                longest = fmax(longest, move_one(f, beta, j));
        if (longest <= 1e-13 * sqrt(scale))
            return true;
    }
    return false;
}

/* Adds the step to beta, halved until the value falls; false when it never does. */
static bool search_line(const struct net *f, double *beta, double value, double fall)
{
    const size_t p = f->w->p;
    for (int k = 0; k < 40; k++) {
        const double share = ldexp(1, -k);
        for (size_t j = 0; j < p; j++)
            f->trial[j] = beta[j] + share * f->step[j];
        if (linear_loss(f->w, f->trial, NULL, NULL) + l1_of(f, f->trial) <=
            value + 1e-4 * share * fall) {
            memcpy(beta, f->trial, p * sizeof(double));
            return true;
        }
    }
    return false;
}

static enum ft_status minimise(const struct net *f, double *beta, struct ft_err *err)
{
    struct linear_work *w = f->w;
    const size_t p = w->p;
    const double scale = fmax(linear_loss(w, beta, NULL, NULL), 1e-300);
    for (int k = 0; k < MAX_STEPS; k++) {
        memset(f->gradient, 0, p * sizeof(double));
        memset(w->hessian, 0, p * p * sizeof(double));
        const double value = linear_loss(w, beta, f->gradient, w->hessian) + l1_of(f, beta);
        linalg_mirror(w->hessian, p);
        if (!isfinite(value) || !descend(f, beta, scale))
            return ft_fail(err, FT_INTERNAL, "elastic net: no convergence");
        double fall = -l1_of(f, beta);
        for (size_t j = 0; j < p; j++) {
            fall += f->gradient[j] * f->step[j];
            f->trial[j] = beta[j] + f->step[j];
        }
        fall += l1_of(f, f->trial);
        if (fall >= -1e-13 * scale) { /* the value is at its rounding: the last, full step */
            memcpy(beta, f->trial, p * sizeof(double));
            return FT_OK;
        }
        if (!search_line(f, beta, value, fall))
            return ft_fail(err, FT_INTERNAL, "elastic net: no progress at step %d", k);
    }
    return ft_fail(err, FT_INTERNAL, "elastic net: no convergence in %d steps", MAX_STEPS);
}

enum ft_status linear_fit_net(enum linear_kind kind, const struct matrix *x, const double *y,
                              const double *weight, double lambda, double l1_share,
                              struct linear **out, struct ft_err *err)
{
    *out = NULL;
    if (!(l1_share >= 0 && l1_share <= 1))
        return ft_fail(err, FT_INVALID, "elastic net: share of L1 %g, expected 0 to 1", l1_share);
    if (!(l1_share * lambda > 0))
        return linear_fit(kind, x, y, weight, lambda, out, err);
    struct linear_work w = {
        .kind = kind, .x = x, .y = y, .weight = weight, .lambda = lambda * (1 - l1_share)};
    struct linear *m = NULL;
    enum ft_status st = isfinite(lambda)
                            ? linear_work_start(&w, &m, err)
                            : ft_fail(err, FT_INVALID, "linear model: penalty %g", lambda);
    double *scratch = st == FT_OK ? calloc(w.p, 4 * sizeof(double)) : NULL;
    if (st == FT_OK && scratch == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for %zu columns", w.p);
    if (st == FT_OK) {
        const struct net f = {
            &w, lambda * l1_share, scratch, scratch + w.p, scratch + 2 * w.p, scratch + 3 * w.p};
        st = minimise(&f, m->beta, err);
        for (size_t j = 0; j <= m->design.n_cols; j++)
            m->standard_error[j] = NAN;
    }
    free(scratch);
    linear_work_free(&w);
    if (st != FT_OK) {
        linear_free(m);
        return st;
    }
    *out = m;
    return FT_OK;
}
