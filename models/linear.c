/* Both models are solved with the normal equations of the standardised columns: one Cholesky solve
 * for ridge, one per Newton step for logistic. The rows are made wide in blocks, so the memory
 * taken is O(n_cols^2) whatever the number of rows. */
#include "models/linalg.h"
#include "models/linear_private.h"
#include "models/optim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double row_weight(const struct linear_work *w, size_t i)
{
    return w->weight != NULL ? w->weight[i] : 1;
}

/* Wide rows [begin, end) into the block. */
static void load_block(struct linear_work *w, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        double *wide = w->block + (i - begin) * w->p;
        wide[0] = 1;
        design_row(w->design, matrix_row(w->x, i), wide + 1);
    }
}

static double log1p_exp(double v)
{
    return v > 0 ? v + log1p(exp(-v)) : log1p(exp(v));
}

static double sigmoid(double v)
{
    return v >= 0 ? 1 / (1 + exp(-v)) : exp(v) / (1 + exp(v));
}

/* Loss, residual (minus its slope in eta) and curvature of one row. */
static double row_loss(enum linear_kind kind, double eta, double y, double *residual,
                       double *curvature)
{
    if (kind == LINEAR_RIDGE) {
        *residual = y - eta;
        *curvature = 1;
        return 0.5 * (y - eta) * (y - eta);
    }
    const double p = sigmoid(eta), q = sigmoid(-eta);
    *residual = y > 0.5 ? q : -p;
    *curvature = p * q;
    return log1p_exp(y > 0.5 ? -eta : eta);
}

bool linear_is_constant(const struct linear_work *w, size_t j)
{
    return j > 0 && j <= w->design->n_cols && !(w->design->scale[j - 1] > 0);
}

double linear_loss(struct linear_work *w, const double *beta, double *gradient, double *hessian)
{
    const size_t p = w->p;
    double sum = 0;
    for (size_t begin = 0; begin < w->x->n_rows; begin += LINEAR_BLOCK) {
        const size_t left = w->x->n_rows - begin;
        const size_t n = left < LINEAR_BLOCK ? left : LINEAR_BLOCK;
        load_block(w, begin, begin + n);
        linalg_gemv(false, n, p, 1, w->block, p, beta, 0, w->eta);
        for (size_t i = 0; i < n; i++) {
            double residual = 0, curvature = 0;
            const double weight = row_weight(w, begin + i);
            sum += weight * row_loss(w->kind, w->eta[i], w->y[begin + i], &residual, &curvature);
            if (gradient == NULL)
                continue;
            double *wide = w->block + i * p;
            const double root = sqrt(weight * curvature);
            for (size_t j = 0; j < p; j++) {
                gradient[j] -= weight * residual * wide[j];
                wide[j] *= root;
            }
        }
        if (hessian != NULL)
            linalg_syrk_add(p, n, w->block, p, hessian);
    }
    for (size_t j = 1; j < p; j++) {
        sum += 0.5 * w->lambda * beta[j] * beta[j];
        if (gradient != NULL)
            gradient[j] += w->lambda * beta[j];
        if (hessian != NULL)
            hessian[j * p + j] = linear_is_constant(w, j) ? 1 : hessian[j * p + j] + w->lambda;
    }
    return sum;
}

/* For optim_newton(). */
static double evaluate(void *ctx, const double *beta, double *gradient, double *hessian)
{
    return linear_loss(ctx, beta, gradient, hessian);
}

enum ft_status linear_explain(const struct linear_work *w, size_t bad, struct ft_err *err)
{
    if (bad == 0)
        return ft_fail(err, FT_INVALID, "linear model: the fit broke down; use a larger penalty");
    if (bad <= w->design->n_cols)
        return ft_fail(err, FT_INVALID,
                       "linear model: column %zu is a combination of other columns (or there are "
                       "too few rows); use a penalty above 0",
                       bad);
    return ft_fail(err, FT_INVALID,
                   "linear model: the missing values of the columns coincide; use a penalty above "
                   "0");
}

/* Minimises from beta = (intercept, 0) and leaves the factored hessian. */
static enum ft_status minimise(struct linear_work *w, double *beta, struct ft_err *err)
{
    struct optim_result result;
    const double at_start = evaluate(w, beta, NULL, NULL);
    const struct optim_problem problem = {
        .n = w->p,
        .evaluate = evaluate,
        .ctx = w,
        .scale = at_start > 0 ? at_start : 1,
        .pivot_tolerance = w->lambda > 0 ? 0 : 1e-12,
        .is_convex = true,
    };
    const enum ft_status st = optim_newton(&problem, beta, w->hessian, &result, err);
    if (st == FT_INVALID)
        return linear_explain(w, result.bad_column, err);
    if (st != FT_OK)
        return ft_err_prefix(err, "linear model");
    /* Classes that a plane separates: without a penalty the coefficients would grow for ever. */
    if (w->kind == LINEAR_LOGISTIC && !(w->lambda > 0) && result.runs_away)
        return ft_fail(err, FT_INVALID,
                       "logistic model: the columns separate the classes; use a penalty above 0");
    return FT_OK;
}

static enum ft_status check_rows(const struct linear_work *w, double *start, struct ft_err *err)
{
    double total = 0, sum = 0;
    for (size_t i = 0; i < w->x->n_rows; i++) {
        const double y = w->y[i], weight = row_weight(w, i);
        if (!(weight >= 0) || !isfinite(weight))
            return ft_fail(err, FT_INVALID, "row %zu: weight %g, expected >= 0", i + 1, weight);
        if (!isfinite(y) || (w->kind == LINEAR_LOGISTIC && y != 0 && y != 1))
            return ft_fail(err, FT_INVALID, "row %zu: label %g, expected %s", i + 1, y,
                           w->kind == LINEAR_LOGISTIC ? "0 or 1" : "a finite number");
        total += weight;
        sum += weight * y;
    }
    if (!(total > 0))
        return ft_fail(err, FT_TOO_FEW, "linear model: no row of positive weight");
    *start = sum / total;
    if (w->kind == LINEAR_RIDGE)
        return FT_OK;
    if (!(sum > 0) || !(sum < total))
        return ft_fail(err, FT_TOO_FEW, "logistic model: every label is %d", sum > 0);
    *start = log(sum / (total - sum));
    return FT_OK;
}

/* Residual variance of a ridge fit, for its standard errors; NaN when no row is left over. */
static double residual_variance(struct linear_work *w, const double *beta)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < w->x->n_rows; i++) {
        const double eta = beta[0] + design_dot(w->design, beta + 1, matrix_row(w->x, i));
        sum += row_weight(w, i) * (w->y[i] - eta) * (w->y[i] - eta);
        n += row_weight(w, i) > 0;
    }
    return n > w->p ? sum / (double)(n - w->p) : NAN;
}

enum ft_status linear_learn_errors(struct linear_work *w, struct linear *m, struct ft_err *err)
{
    enum ft_status st = linalg_cholesky_inverse(w->hessian, w->p, err);
    if (st == FT_OK)
        st = design_standard_errors(&m->design, w->hessian, m->standard_error, err);
    const double sd = m->kind == LINEAR_RIDGE ? sqrt(residual_variance(w, m->beta)) : 1;
    for (size_t j = 0; st == FT_OK && j <= m->design.n_cols; j++)
        m->standard_error[j] *= sd;
    return st;
}

static bool allocate_work(struct linear_work *w, struct linear *m)
{
    w->p = 1 + m->design.n_wide;
    w->design = &m->design;
    w->block = calloc(w->p, LINEAR_BLOCK * sizeof(double));
    w->eta = calloc(LINEAR_BLOCK, sizeof(double));
    w->hessian = calloc(w->p, w->p * sizeof(double));
    m->beta = calloc(w->p, sizeof(double));
    m->standard_error = calloc(m->design.n_cols + 1, sizeof(double));
    return w->block != NULL && w->eta != NULL && w->hessian != NULL && m->beta != NULL &&
           m->standard_error != NULL;
}

void linear_work_free(struct linear_work *w)
{
    free(w->block);
    free(w->eta);
    free(w->hessian);
}

enum ft_status linear_work_start(struct linear_work *w, struct linear **out, struct ft_err *err)
{
    double start = 0;
    *out = NULL;
    enum ft_status st = check_rows(w, &start, err);
    if (st != FT_OK)
        return st;
    struct linear *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a linear model");
    m->kind = w->kind;
    st = design_fit(&m->design, w->x, w->weight, err);
    if (st == FT_OK && !allocate_work(w, m))
        st = ft_fail(err, FT_NOMEM, "no memory for a linear model of %zu columns", w->p);
    if (st != FT_OK) {
        linear_free(m);
        return st;
    }
    m->beta[0] = start;
    *out = m;
    return FT_OK;
}

enum ft_status linear_fit(enum linear_kind kind, const struct matrix *x, const double *y,
                          const double *weight, double lambda, struct linear **out,
                          struct ft_err *err)
{
    struct linear_work w = {.kind = kind, .x = x, .y = y, .weight = weight, .lambda = lambda};
    struct linear *m = NULL;
    *out = NULL;
    if (!(lambda >= 0) || !isfinite(lambda))
        return ft_fail(err, FT_INVALID, "linear model: penalty %g, expected >= 0", lambda);
    enum ft_status st = linear_work_start(&w, &m, err);
    if (st == FT_OK)
        st = minimise(&w, m->beta, err);
    if (st == FT_OK)
        st = linear_learn_errors(&w, m, err);
    linear_work_free(&w);
    if (st != FT_OK) {
        linear_free(m);
        return st;
    }
    *out = m;
    return FT_OK;
}

void linear_predict(const struct linear *m, const struct matrix *x, double *out)
{
    for (size_t i = 0; i < x->n_rows; i++)
        out[i] = m->beta[0] + design_dot(&m->design, m->beta + 1, matrix_row(x, i));
}

void linear_contributions(const struct linear *m, const double *row, double *out)
{
    design_contributions(&m->design, m->beta + 1, row, out);
    out[m->design.n_cols] = m->beta[0];
}

size_t linear_n_cols(const struct linear *m)
{
    return m->design.n_cols;
}

void linear_coefficients(const struct linear *m, double *out)
{
    design_original(&m->design, m->beta + 1, out);
    out[0] += m->beta[0];
}

enum ft_status linear_standard_errors(const struct linear *m, double *out, struct ft_err *err)
{
    memcpy(out, m->standard_error, (m->design.n_cols + 1) * sizeof(double));
    if (isnan(out[0]))
        return ft_fail(err, FT_TOO_FEW,
                       "no standard errors: an L1 penalty, or a ridge with no more rows than "
                       "coefficients");
    return FT_OK;
}

enum ft_status linear_limits(const struct linear *m, double level, double *lower, double *upper,
                             struct ft_err *err)
{
    const enum ft_status st = linear_standard_errors(m, upper, err);
    linear_coefficients(m, lower);
    if (st == FT_OK)
        design_limits(lower, m->standard_error, m->design.n_cols + 1, level, lower, upper);
    return st;
}

static const char *const kind_words[] = {[LINEAR_RIDGE] = "ridge", [LINEAR_LOGISTIC] = "logistic"};

static const struct design_text text_form = {
    .key = "linear", .words = kind_words, .n_words = 2, .n_before = 1, .n_errors = 1};

void linear_write(const struct linear *m, struct buf *out)
{
    design_write_model(&text_form, m->kind, &m->design, m->beta, m->standard_error, out);
}

enum ft_status linear_read(const char *text, size_t len, struct linear **out, struct ft_err *err)
{
    struct text_reader r;
    size_t kind = 0;
    *out = NULL;
    struct linear *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a linear model");
    text_reader_init(&r, text, len, "linear model");
    enum ft_status st =
        design_read_model(&text_form, &r, &kind, &m->design, &m->beta, &m->standard_error, err);
    m->kind = (enum linear_kind)kind;
    if (st == FT_OK)
        st = text_get_end(&r, err);
    if (st == FT_OK) {
        *out = m;
        m = NULL;
    }
    linear_free(m);
    return st;
}

void linear_free(struct linear *m)
{
    if (m == NULL)
        return;
    design_free(&m->design);
    free(m->beta);
    free(m->standard_error);
    free(m);
}
