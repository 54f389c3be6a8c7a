#include "models/aft.h"

#include "models/design.h"
#include "models/linalg.h"
#include "models/optim.h"
#include "models/standard_law.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct aft {
    enum aft_kind kind;
    struct design design;
    double *beta;           /* [1 + n_wide]: location at the training mean, wide coefficients */
    double *standard_error; /* [n_cols + 2] */
    double scale, log_likelihood;
};

static const enum standard_law laws[] = {
    [AFT_WEIBULL] = LAW_EXTREME, [AFT_LOGNORMAL] = LAW_NORMAL, [AFT_LOGLOGISTIC] = LAW_LOGISTIC};

/* Unknowns: u[0] intercept / scale, u[1..] coefficients / scale, u[p - 1] = 1 / scale. Log times
 * are taken about their mean. */
struct work {
    enum standard_law law;
    const struct matrix *x;
    const double *time, *entry, *weight;
    const bool *failed;
    const struct design *design;
    double lambda, mean_log;
    double *wide; /* [p] of one row: dz / du */
    size_t p;
};

static double weight_at(const struct work *w, size_t i)
{
    return w->weight != NULL ? w->weight[i] : 1;
}

/* Adds weight * (slopes of a log term) to the derivatives of minus the likelihood. */
static void add_slopes(const struct work *w, const double slope[2], double weight, double *gradient,
                       double *hessian)
{
    for (size_t j = 0; j < w->p; j++) {
        const double g = weight * w->wide[j];
        gradient[j] -= g * slope[0];
        for (size_t k = 0; k <= j; k++)
            hessian[j * w->p + k] -= g * slope[1] * w->wide[k];
    }
}

/* Log-likelihood of row i whose wide values are loaded; derivatives when gradient is not NULL. */
static double row_likelihood(const struct work *w, size_t i, const double *u, double *gradient,
                             double *hessian)
{
    const size_t last = w->p - 1;
    const double weight = weight_at(w, i), alpha = u[last];
    double slope[2], eta = 0, sum;
    for (size_t j = 0; j < last; j++)
        eta -= w->wide[j] * u[j]; /* wide holds -1 times the columns */
    const double log_t = log(w->time[i]) - w->mean_log;
    w->wide[last] = log_t;
    const double z = alpha * log_t - eta;
    if (w->failed[i]) {
        sum = log(alpha) - log(w->time[i]) + law_log_density(w->law, z, slope);
        if (gradient != NULL) {
            gradient[last] -= weight / alpha;
            hessian[last * w->p + last] += weight / (alpha * alpha);
        }
    } else {
        sum = law_log_survival(w->law, z, slope);
    }
    if (gradient != NULL)
        add_slopes(w, slope, weight, gradient, hessian);
    if (w->entry != NULL && w->entry[i] > 0) {
        const double log_e = log(w->entry[i]) - w->mean_log;
        w->wide[last] = log_e;
        sum -= law_log_survival(w->law, alpha * log_e - eta, slope);
        if (gradient != NULL)
            add_slopes(w, slope, -weight, gradient, hessian);
    }
    return weight * sum;
}

static double likelihood(struct work *w, const double *u, double *gradient, double *hessian)
{
    double sum = 0;
    for (size_t i = 0; i < w->x->n_rows; i++) {
        if (!(weight_at(w, i) > 0))
            continue;
        w->wide[0] = -1;
        design_row(w->design, matrix_row(w->x, i), w->wide + 1);
        for (size_t j = 1; j + 1 < w->p; j++)
            w->wide[j] = -w->wide[j];
        sum += row_likelihood(w, i, u, gradient, hessian);
    }
    return sum;
}

/* For optim_newton(): minus the penalised log-likelihood. */
static double evaluate(void *ctx, const double *u, double *gradient, double *hessian)
{
    struct work *w = ctx;
    if (!(u[w->p - 1] > 0))
        return INFINITY;
    double value = -likelihood(w, u, gradient, hessian);
    for (size_t j = 1; j + 1 < w->p; j++) {
        value += 0.5 * w->lambda * u[j] * u[j];
        if (gradient != NULL) {
            const bool is_constant = j <= w->design->n_cols && !(w->design->scale[j - 1] > 0);
            gradient[j] += w->lambda * u[j];
            hessian[j * w->p + j] = is_constant ? 1 : hessian[j * w->p + j] + w->lambda;
        }
    }
    return isnan(value) ? INFINITY : value;
}

struct totals {
    double weight, failures; /* sums of weight */
    size_t n_failures;
    double mean_log, sd_log; /* of the failures' times */
};

static enum ft_status check_rows(const struct work *w, struct totals *t, struct ft_err *err)
{
    *t = (struct totals){0};
    for (size_t i = 0; i < w->x->n_rows; i++) {
        const double time = w->time[i], weight = weight_at(w, i);
        const double entry = w->entry != NULL ? w->entry[i] : 0;
        if (!(time > 0) || !isfinite(time))
            return ft_fail(err, FT_INVALID, "row %zu: time %g, expected a number above 0", i + 1,
                           time);
        if (!(entry >= 0) || !(entry < time))
            return ft_fail(err, FT_INVALID, "row %zu: entry %g, expected 0 <= entry < time %g",
                           i + 1, entry, time);
        if (!(weight >= 0) || !isfinite(weight))
            return ft_fail(err, FT_INVALID, "row %zu: weight %g, expected >= 0", i + 1, weight);
        t->weight += weight;
        if (w->failed[i] && weight > 0) {
            t->failures += weight;
            t->n_failures++;
            t->mean_log += weight * log(time);
        }
    }
    if (t->n_failures < 2)
        return ft_fail(err, FT_TOO_FEW, "%zu failures among %zu rows, expected two at least",
                       t->n_failures, w->x->n_rows);
    t->mean_log /= t->failures;
    for (size_t i = 0; i < w->x->n_rows; i++) {
        const double d = log(w->time[i]) - t->mean_log;
        if (w->failed[i])
            t->sd_log += weight_at(w, i) * d * d;
    }
    t->sd_log = sqrt(t->sd_log / t->failures);
    return FT_OK;
}

static enum ft_status explain(enum ft_status st, const struct work *w,
                              const struct optim_result *result, struct ft_err *err)
{
    if (st == FT_NOMEM)
        return st;
    const size_t bad = result->bad_column;
    if (st == FT_INVALID && bad > 0 && bad <= w->design->n_cols)
        return ft_fail(err, FT_INVALID,
                       "accelerated failure model: column %zu is a combination of other columns; "
                       "use a penalty above 0",
                       bad);
    return ft_fail(err, FT_TOO_FEW,
                   "accelerated failure model: the likelihood has no peak (a combination of "
                   "columns tells failed from running, or failures share one time); use a larger "
                   "penalty");
}

/* Standard errors from the covariance of u by the delta method: beta = u / alpha, and log scale =
 * -log alpha. */
static enum ft_status learn_errors(struct aft *m, struct work *w, const double *u, double *inverse,
                                   struct ft_err *err)
{
    const size_t p = w->p, n = p - 1;
    enum ft_status st = linalg_cholesky_inverse(inverse, p, err);
    double *cov = calloc(n * n + 1, sizeof(double));
    if (st == FT_OK && cov == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for %zu columns", n);
    if (st == FT_OK) {
        const double alpha = u[n];
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                /* The rows of the Jacobian: 1 / alpha at i, -u_i / alpha^2 at alpha. */
                const double a = u[i] / alpha, b = u[j] / alpha;
                cov[i * n + j] = (inverse[i * p + j] - a * inverse[n * p + j] -
                                  b * inverse[i * p + n] + a * b * inverse[n * p + n]) /
                                 (alpha * alpha);
            }
        m->standard_error[m->design.n_cols + 1] = sqrt(inverse[n * p + n]) / alpha;
        st = design_standard_errors(&m->design, cov, m->standard_error, err);
    }
    free(cov);
    return st;
}

static enum ft_status search(struct aft *m, struct work *w, const struct totals *t,
                             struct ft_err *err)
{
    enum ft_status st = FT_OK;
    struct optim_result result;
    double *u = calloc(w->p, sizeof(double));
    double *hessian = calloc(w->p, w->p * sizeof(double));
    w->wide = calloc(w->p, sizeof(double));
    m->beta = calloc(w->p, sizeof(double));
    m->standard_error = calloc(m->design.n_cols + 2, sizeof(double));
    if (u == NULL || hessian == NULL || w->wide == NULL || m->beta == NULL ||
        m->standard_error == NULL) {
        st = ft_fail(err, FT_NOMEM, "no memory for %zu columns", w->p);
        goto out;
    }
    const struct optim_problem problem = {.n = w->p,
                                          .evaluate = evaluate,
                                          .ctx = w,
                                          .scale = t->weight,
                                          .pivot_tolerance = w->lambda > 0 ? 0 : 1e-12,
                                          .is_convex = w->entry == NULL};
    w->mean_log = t->mean_log;
    u[w->p - 1] = 1 / fmax(t->sd_log, 1e-3);
    st = optim_newton(&problem, u, hessian, &result, err);
    if (st == FT_OK && result.runs_away)
        st = FT_INTERNAL;
    if (st != FT_OK) {
        st = explain(st, w, &result, err);
        goto out;
    }
    const double alpha = u[w->p - 1];
    m->scale = 1 / alpha;
    m->log_likelihood = likelihood(w, u, NULL, NULL);
    for (size_t j = 0; j + 1 < w->p; j++)
        m->beta[j] = u[j] / alpha;
    m->beta[0] += w->mean_log;
    st = learn_errors(m, w, u, hessian, err);
out:
    free(u);
    free(hessian);
    free(w->wide);
    return st;
}

enum ft_status aft_fit(enum aft_kind kind, const struct matrix *x, const double *time,
                       const bool *failed, const double *entry, const double *weight, double lambda,
                       struct aft **out, struct ft_err *err)
{
    struct work w = {.law = laws[kind],
                     .x = x,
                     .time = time,
                     .entry = entry,
                     .weight = weight,
                     .failed = failed,
                     .lambda = lambda};
    struct totals totals;
    *out = NULL;
    if (!(lambda >= 0) || !isfinite(lambda))
        return ft_fail(err, FT_INVALID, "accelerated failure model: penalty %g, expected >= 0",
                       lambda);
    enum ft_status st = check_rows(&w, &totals, err);
    if (st != FT_OK)
        return st;
    struct aft *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for an accelerated failure model");
    m->kind = kind;
    st = design_fit(&m->design, x, weight, err);
    if (st == FT_OK) {
        w.design = &m->design;
        w.p = m->design.n_wide + 2;
        st = search(m, &w, &totals, err);
    }
    if (st != FT_OK) {
        aft_free(m);
        return st;
    }
    *out = m;
    return FT_OK;
}

static double location(const struct aft *m, const double *row)
{
    return m->beta[0] + design_dot(&m->design, m->beta + 1, row);
}

void aft_predict(const struct aft *m, const struct matrix *x, double *out)
{
    const double median = law_quantile(laws[m->kind], 0.5);
    for (size_t i = 0; i < x->n_rows; i++)
        out[i] = location(m, matrix_row(x, i)) + m->scale * median;
}

void aft_contributions(const struct aft *m, const double *row, double *out)
{
    design_contributions(&m->design, m->beta + 1, row, out);
    out[m->design.n_cols] = m->beta[0] + m->scale * law_quantile(laws[m->kind], 0.5);
}

double aft_failure_probability(const struct aft *m, const double *row, double age, double t)
{
    if (!(t > 0))
        return 0;
    const double at = location(m, row);
    const double from = age > 0 ? (log(age) - at) / m->scale : -INFINITY;
    const double to = (log(fmax(age, 0) + t) - at) / m->scale;
    return -expm1(law_log_survival(laws[m->kind], to, NULL) -
                  law_log_survival(laws[m->kind], from, NULL));
}

double aft_quantile(const struct aft *m, const double *row, double p)
{
    return exp(location(m, row) + m->scale * law_quantile(laws[m->kind], p));
}

size_t aft_n_cols(const struct aft *m)
{
    return m->design.n_cols;
}

void aft_coefficients(const struct aft *m, double *out)
{
    design_original(&m->design, m->beta + 1, out);
    out[0] += m->beta[0];
}

void aft_standard_errors(const struct aft *m, double *out)
{
    memcpy(out, m->standard_error, (m->design.n_cols + 2) * sizeof(double));
}

void aft_limits(const struct aft *m, double level, double *lower, double *upper)
{
    const size_t n = m->design.n_cols + 1;
    aft_coefficients(m, lower);
    lower[n] = log(m->scale);
    design_limits(lower, m->standard_error, n + 1, level, lower, upper);
}

double aft_scale(const struct aft *m)
{
    return m->scale;
}

double aft_log_likelihood(const struct aft *m)
{
    return m->log_likelihood;
}

static const char *const kind_words[] = {
    [AFT_WEIBULL] = "weibull", [AFT_LOGNORMAL] = "lognormal", [AFT_LOGLOGISTIC] = "loglogistic"};

static const struct design_text text_form = {
    .key = "aft", .words = kind_words, .n_words = 3, .n_before = 1, .n_errors = 2};

void aft_write(const struct aft *m, struct buf *out)
{
    design_write_model(&text_form, m->kind, &m->design, m->beta, m->standard_error, out);
    text_put_number(out, "scale", m->scale);
    text_put_number(out, "log_likelihood", m->log_likelihood);
}

enum ft_status aft_read(const char *text, size_t len, struct aft **out, struct ft_err *err)
{
    struct text_reader r;
    size_t kind = 0;
    *out = NULL;
    struct aft *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for an accelerated failure model");
    text_reader_init(&r, text, len, "accelerated failure model");
    enum ft_status st =
        design_read_model(&text_form, &r, &kind, &m->design, &m->beta, &m->standard_error, err);
    m->kind = (enum aft_kind)kind;
    if (st == FT_OK)
        st = text_get_number(&r, "scale", 0, &m->scale, err);
    if (st == FT_OK)
        st = text_get_number(&r, "log_likelihood", 0, &m->log_likelihood, err);
    if (st == FT_OK)
        st = text_get_end(&r, err);
    if (st == FT_OK && !(m->scale > 0))
        st = ft_fail(err, FT_INVALID, "accelerated failure model: scale %g, expected above 0",
                     m->scale);
    if (st != FT_OK) {
        aft_free(m);
        return st;
    }
    *out = m;
    return FT_OK;
}

void aft_free(struct aft *m)
{
    if (m == NULL)
        return;
    design_free(&m->design);
    free(m->beta);
    free(m->standard_error);
    free(m);
}
