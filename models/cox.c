/* One sweep from the last time to the first keeps S0 and S1, the sums of r and r x over the rows at
 * risk with r = weight * exp(eta): rows enter at their time and, under left truncation, leave at
 * their entry. The second sum, of r x x', never needs to be kept: a row meets every failure time it
 * is at risk at with the same x x', so the hessian is
 *
 *   sum over rows of r c x x'  -  sum over failure terms of weight * mean mean'
 *
 * with c the row's sum over those terms of weight / S0. Both are products of tall matrices, which
 * BLAS does in blocks. */
#include "models/cox.h"

#include "models/design.h"
#include "models/linalg.h"
#include "models/optim.h"
#include "models/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TIMES = 100000000 };

struct cox {
    struct design design;
    double *beta;           /* [n_wide] */
    double *standard_error; /* [n_cols] */
    double log_likelihood, null_log_likelihood;
    size_t n_times;     /* distinct failure times */
    double *time;       /* [n_times], rising */
    double *cumulative; /* [n_times], baseline hazard up to and at the time */
};

enum { BLOCK = 256 };

/* Positions are rows by falling time. */
struct work {
    const struct matrix *x;
    const double *time, *entry, *weight;
    const bool *failed;
    const struct design *design;
    double lambda;
    size_t p, n;
    size_t *by_time;   /* [n] row of each position */
    size_t *by_entry;  /* [n] positions by falling entry */
    double *wide;      /* [n][p] standardised rows by position */
    double *eta;       /* [n] by position, as the next two */
    double *risk;      /* r, scaled by exp(-top) */
    double *share;     /* c */
    double *s1, *ties; /* [p] sums over those at risk and over the failures of one time */
    double *block;     /* [BLOCK][p] */
    size_t n_block;
    double *product; /* [p][p] of the means */
    double top;
    /* When set, receives (time, hazard increment) of each failure time, by falling time. */
    double *baseline_time, *baseline_step;
    size_t n_baseline;
};

static double weight_at(const struct work *w, size_t i)
{
    return w->weight != NULL ? w->weight[i] : 1;
}

static bool is_failure(const struct work *w, size_t i)
{
    return w->failed[i] && weight_at(w, i) > 0;
}

/* to[p] += factor * from[p] */
static void add_scaled(double *to, double factor, const double *from, size_t p)
{
    for (size_t j = 0; j < p; j++)
        to[j] += factor * from[j];
}

static void flush_block(struct work *w, double *to)
{
    if (w->n_block > 0)
        linalg_syrk_add(w->p, w->n_block, w->block, w->p, to);
    w->n_block = 0;
}

/* Those at risk at one time. */
struct sums {
    double s0, tied;
    double passed; /* sum of weight / S0 over the failure terms so far */
};

/* The Efron terms of n failures of total weight: the risk set with a growing share of them gone.
 * Returns -weight * log of the sums; *full and *own receive what the terms add to the share of a
 * row at risk and of one of the failures. */
static double efron_terms(struct work *w, const struct sums *at, size_t n, double weight,
                          bool with_derivatives, double *full, double *own)
{
    const double mean_weight = weight / (double)n, root = sqrt(mean_weight);
    double value = 0;
    *full = *own = 0;
    for (size_t l = 0; l < n; l++) {
        const double gone = (double)l / (double)n;
        const double sum = at->s0 - gone * at->tied;
        if (!(sum > 0))
            return -INFINITY;
        value -= mean_weight * (log(sum) + w->top);
        *full += mean_weight / sum;
        *own += mean_weight * (1 - gone) / sum;
        if (!with_derivatives)
            continue;
        double *mean = w->block + w->n_block * w->p;
        const double scale = root / sum;
        for (size_t j = 0; j < w->p; j++)
            mean[j] = (w->s1[j] - gone * w->ties[j]) * scale;
        if (++w->n_block == BLOCK)
            flush_block(w, w->product);
    }
    return value;
}

/* The failures at positions [begin, end) of one time: their own terms and the Efron terms. */
static double failures_at(struct work *w, size_t begin, size_t end, struct sums *at,
                          bool with_derivatives)
{
    double value = 0, weight = 0, full, own;
    size_t n = 0;
    at->tied = 0;
    for (size_t k = begin; k < end; k++) {
        const size_t i = w->by_time[k];
        if (!is_failure(w, i))
            continue;
        if (with_derivatives && n == 0)
            memset(w->ties, 0, w->p * sizeof(double));
        if (with_derivatives)
            add_scaled(w->ties, w->risk[k], w->wide + k * w->p, w->p);
        at->tied += w->risk[k];
        value += weight_at(w, i) * w->eta[k];
        weight += weight_at(w, i);
        n++;
    }
    if (n == 0)
        return 0;
    value += efron_terms(w, at, n, weight, with_derivatives, &full, &own);
    for (size_t k = begin; k < end; k++)
        w->share[k] += is_failure(w, w->by_time[k]) ? own - full : 0;
    at->passed += full;
    if (w->baseline_step != NULL) {
        w->baseline_time[w->n_baseline] = w->time[w->by_time[begin]];
        w->baseline_step[w->n_baseline++] = full * exp(-w->top);
    }
    return value;
}

/* Rows whose entry is at or after t leave. */
static void leave_risk(struct work *w, double t, size_t *gone, struct sums *at,
                       bool with_derivatives)
{
    for (; *gone < w->n && w->entry[w->by_time[w->by_entry[*gone]]] >= t; ++*gone) {
        const size_t k = w->by_entry[*gone];
        at->s0 -= w->risk[k];
        w->share[k] += at->passed;
        if (with_derivatives)
            add_scaled(w->s1, -w->risk[k], w->wide + k * w->p, w->p);
    }
}

/* Linear predictors and risks of all positions. */
static void load_risks(struct work *w, const double *beta)
{
    linalg_gemv(false, w->n, w->p, 1, w->wide, w->p, beta, 0, w->eta);
    w->top = -INFINITY;
    for (size_t k = 0; k < w->n; k++)
        w->top = fmax(w->top, w->eta[k]);
    for (size_t k = 0; k < w->n; k++)
        w->risk[k] = weight_at(w, w->by_time[k]) * exp(w->eta[k] - w->top);
}

/* Takes the derivatives of the log partial likelihood off, once the shares are known. */
static void add_derivatives(struct work *w, double *gradient, double *hessian)
{
    const size_t p = w->p;
    for (size_t k = 0; k < w->n; k++) {
        const size_t i = w->by_time[k];
        const double curvature = fmax(w->risk[k] * w->share[k], 0), root = sqrt(curvature);
        const double *from = w->wide + k * p;
        double *to = w->block + w->n_block * p;
        add_scaled(gradient, curvature - (is_failure(w, i) ? weight_at(w, i) : 0), from, p);
        for (size_t j = 0; j < p; j++)
            to[j] = root * from[j];
        if (++w->n_block == BLOCK)
            flush_block(w, hessian);
    }
    flush_block(w, hessian);
    for (size_t j = 0; j < p * p; j++)
        hessian[j] -= w->product[j];
}

/* Log partial likelihood; subtracts its derivatives from gradient and hessian when given. */
static double likelihood(struct work *w, const double *beta, double *gradient, double *hessian)
{
    const bool with_derivatives = gradient != NULL;
    struct sums at = {0};
    double value = 0;
    size_t gone = 0; /* of by_entry: have left */
    load_risks(w, beta);
    if (with_derivatives) {
        memset(w->s1, 0, w->p * sizeof(double));
        memset(w->product, 0, w->p * w->p * sizeof(double));
    }
    for (size_t begin = 0, end = 0; begin < w->n; begin = end) {
        const double t = w->time[w->by_time[begin]];
        if (w->entry != NULL)
            leave_risk(w, t, &gone, &at, with_derivatives);
        if (gone == begin) { /* nobody at risk: drop the rounding of what left */
            at.s0 = 0;
            if (with_derivatives)
                memset(w->s1, 0, w->p * sizeof(double));
        }
        for (; end < w->n && w->time[w->by_time[end]] == t; end++) {
            at.s0 += w->risk[end];
            w->share[end] = -at.passed;
            if (with_derivatives)
                add_scaled(w->s1, w->risk[end], w->wide + end * w->p, w->p);
        }
        value += failures_at(w, begin, end, &at, with_derivatives);
    }
    if (!with_derivatives)
        return value;
    flush_block(w, w->product);
    for (; w->entry != NULL && gone < w->n; gone++)
        w->share[w->by_entry[gone]] += at.passed;
    for (size_t k = 0; w->entry == NULL && k < w->n; k++)
        w->share[k] += at.passed;
    add_derivatives(w, gradient, hessian);
    return value;
}

/* For optim_newton(). */
static double evaluate(void *ctx, const double *beta, double *gradient, double *hessian)
{
    struct work *w = ctx;
    double value = -likelihood(w, beta, gradient, hessian);
    for (size_t j = 0; j < w->p; j++) {
        value += 0.5 * w->lambda * beta[j] * beta[j];
        if (gradient != NULL) {
            const bool is_constant = j < w->design->n_cols && !(w->design->scale[j] > 0);
            gradient[j] += w->lambda * beta[j];
            hessian[j * w->p + j] = is_constant ? 1 : hessian[j * w->p + j] + w->lambda;
        }
    }
    return isnan(value) ? INFINITY : value;
}

static enum ft_status check_rows(const struct work *w, double *total, struct ft_err *err)
{
    size_t n_failures = 0;
    *total = 0;
    for (size_t i = 0; i < w->n; i++) {
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
        n_failures += w->failed[i] && weight > 0;
        *total += weight;
    }
    if (n_failures == 0)
        return ft_fail(err, FT_TOO_FEW, "Cox model: no failures among %zu rows", w->n);
    return FT_OK;
}

/* Positions by falling entry. */
static bool sort_entries(struct work *w)
{
    double *entry = calloc(w->n, sizeof(*entry));
    for (size_t k = 0; entry != NULL && k < w->n; k++)
        entry[k] = w->entry[w->by_time[k]];
    const bool is_sorted = entry != NULL && order_falling(entry, w->n, w->by_entry);
    free(entry);
    return is_sorted;
}

static bool allocate_work(struct work *w)
{
    const size_t p = w->p, n = w->n;
    w->by_time = calloc(n, sizeof(size_t));
    w->by_entry = calloc(w->entry != NULL ? n : 1, sizeof(size_t));
    w->wide = calloc(n, p * sizeof(double));
    w->eta = calloc(n, sizeof(double));
    w->risk = calloc(n, sizeof(double));
    w->share = calloc(n, sizeof(double));
    w->s1 = calloc(p, sizeof(double));
    w->ties = calloc(p, sizeof(double));
    w->block = calloc(p, BLOCK * sizeof(double));
    w->product = calloc(p, p * sizeof(double));
    return w->by_time != NULL && w->by_entry != NULL && w->wide != NULL && w->eta != NULL &&
           w->risk != NULL && w->share != NULL && w->s1 != NULL && w->ties != NULL &&
           w->block != NULL && w->product != NULL && order_falling(w->time, n, w->by_time) &&
           (w->entry == NULL || sort_entries(w));
}

static enum ft_status start_work(struct work *w, struct cox *m, struct ft_err *err)
{
    w->design = &m->design;
    w->p = m->design.n_wide;
    m->beta = calloc(w->p, sizeof(double));
    m->standard_error = calloc(w->design->n_cols, sizeof(double));
    m->time = calloc(w->n, sizeof(double));
    m->cumulative = calloc(w->n, sizeof(double));
    if (!allocate_work(w) || m->beta == NULL || m->standard_error == NULL || m->time == NULL ||
        m->cumulative == NULL)
        return ft_fail(err, FT_NOMEM, "Cox model: no memory for %zu rows and %zu columns", w->n,
                       w->p);
    for (size_t k = 0; k < w->n; k++)
        design_row(w->design, matrix_row(w->x, w->by_time[k]), w->wide + k * w->p);
    return FT_OK;
}

static void free_work(struct work *w)
{
    free(w->by_time);
    free(w->by_entry);
    free(w->wide);
    free(w->eta);
    free(w->risk);
    free(w->share);
    free(w->s1);
    free(w->ties);
    free(w->block);
    free(w->product);
}

/* Is the hessian at the start definite? Then a column did not fail, the optimum is at infinity. */
static bool starts_well(struct work *w, size_t *bad)
{
    const size_t p = w->p;
    double *at = calloc(2 + p, p * sizeof(*at)); /* beta 0, gradient, hessian */
    bool is_good = false;
    if (at != NULL) {
        evaluate(w, at, at + p, at + 2 * p);
        is_good = linalg_cholesky(at + 2 * p, p, 1e-12, bad, NULL) == FT_OK;
    }
    free(at);
    return is_good;
}

static enum ft_status explain(enum ft_status st, struct work *w, size_t bad, struct ft_err *err)
{
    if (st == FT_NOMEM)
        return st;
    if (st == FT_INVALID && bad < w->design->n_cols && !starts_well(w, &bad))
        return ft_fail(err, FT_INVALID,
                       "Cox model: column %zu is a combination of other columns, or there are too "
                       "few failures; use a penalty above 0",
                       bad + 1);
    return ft_fail(err, FT_TOO_FEW,
                   "Cox model: a coefficient goes to infinity (a column orders the failures "
                   "perfectly); use a penalty above 0");
}

static enum ft_status learn_errors(struct cox *m, double *inverse, size_t p, struct ft_err *err)
{
    const enum ft_status st = linalg_cholesky_inverse(inverse, p, err);
    for (size_t j = 0; st == FT_OK && j < m->design.n_cols; j++)
        m->standard_error[j] =
            m->design.scale[j] > 0 ? sqrt(inverse[j * p + j]) / m->design.scale[j] : NAN;
    return st;
}

/* The hazard steps come by falling time: turn them round and sum them up. */
static void learn_baseline(struct cox *m, struct work *w)
{
    w->baseline_time = m->time;
    w->baseline_step = m->cumulative;
    m->log_likelihood = likelihood(w, m->beta, NULL, NULL);
    m->n_times = w->n_baseline;
    for (size_t i = 0, j = m->n_times - 1; i < j; i++, j--) {
        const double t = m->time[i], h = m->cumulative[i];
        m->time[i] = m->time[j];
        m->cumulative[i] = m->cumulative[j];
        m->time[j] = t;
        m->cumulative[j] = h;
    }
    for (size_t i = 1; i < m->n_times; i++)
        m->cumulative[i] += m->cumulative[i - 1];
}

static enum ft_status search(struct cox *m, struct work *w, double total, struct ft_err *err)
{
    struct optim_result result;
    double *hessian = calloc(w->p, w->p * sizeof(double));
    if (hessian == NULL)
        return ft_fail(err, FT_NOMEM, "Cox model: no memory for %zu columns", w->p);
    const struct optim_problem problem = {.n = w->p,
                                          .evaluate = evaluate,
                                          .ctx = w,
                                          .scale = total,
                                          .pivot_tolerance = w->lambda > 0 ? 0 : 1e-12,
                                          .is_convex = true};
    m->null_log_likelihood = likelihood(w, m->beta, NULL, NULL);
    enum ft_status st = optim_newton(&problem, m->beta, hessian, &result, err);
    if (st == FT_OK && result.runs_away)
        st = FT_INTERNAL;
    if (st != FT_OK)
        st = explain(st, w, result.bad_column, err);
    else
        st = learn_errors(m, hessian, w->p, err);
    if (st == FT_OK)
        learn_baseline(m, w);
    free(hessian);
    return st;
}

enum ft_status cox_fit(const struct matrix *x, const double *time, const bool *failed,
                       const double *entry, const double *weight, double lambda, struct cox **out,
                       struct ft_err *err)
{
    struct work w = {.x = x,
                     .n = x->n_rows,
                     .time = time,
                     .entry = entry,
                     .weight = weight,
                     .failed = failed,
                     .lambda = lambda};
    double total = 0;
    *out = NULL;
    if (!(lambda >= 0) || !isfinite(lambda))
        return ft_fail(err, FT_INVALID, "Cox model: penalty %g, expected >= 0", lambda);
    enum ft_status st = check_rows(&w, &total, err);
    if (st != FT_OK)
        return st;
    struct cox *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a Cox model");
    st = design_fit(&m->design, x, weight, err);
    if (st == FT_OK)
        st = start_work(&w, m, err);
    if (st == FT_OK)
        st = search(m, &w, total, err);
    free_work(&w);
    if (st != FT_OK) {
        cox_free(m);
        return st;
    }
    *out = m;
    return FT_OK;
}

void cox_predict(const struct cox *m, const struct matrix *x, double *out)
{
    for (size_t i = 0; i < x->n_rows; i++)
        out[i] = design_dot(&m->design, m->beta, matrix_row(x, i));
}

void cox_contributions(const struct cox *m, const double *row, double *out)
{
    design_contributions(&m->design, m->beta, row, out);
    out[m->design.n_cols] = 0;
}

/* Baseline cumulative hazard at t. */
static double baseline_at(const struct cox *m, double t)
{
    size_t low = 0, high = m->n_times;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (m->time[middle] <= t)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? m->cumulative[low - 1] : 0;
}

double cox_failure_probability(const struct cox *m, const double *row, double age, double t)
{
    if (!(t > 0))
        return 0;
    const double from = fmax(age, 0);
    const double step = baseline_at(m, from + t) - baseline_at(m, from);
    return step > 0 ? -expm1(-step * exp(design_dot(&m->design, m->beta, row))) : 0;
}

size_t cox_n_cols(const struct cox *m)
{
    return m->design.n_cols;
}

void cox_coefficients(const struct cox *m, double *out)
{
    for (size_t j = 0; j < m->design.n_cols; j++)
        out[j] = m->design.scale[j] > 0 ? m->beta[j] / m->design.scale[j] : 0;
}

void cox_standard_errors(const struct cox *m, double *out)
{
    memcpy(out, m->standard_error, m->design.n_cols * sizeof(double));
}

void cox_limits(const struct cox *m, double level, double *lower, double *upper)
{
    cox_coefficients(m, lower);
    design_limits(lower, m->standard_error, m->design.n_cols, level, lower, upper);
}

double cox_log_likelihood(const struct cox *m)
{
    return m->log_likelihood;
}

double cox_null_log_likelihood(const struct cox *m)
{
    return m->null_log_likelihood;
}

static const char *const tie_words[] = {"efron"};
static const struct design_text text_form = {.key = "cox", .words = tie_words, .n_words = 1};

void cox_write(const struct cox *m, struct buf *out)
{
    design_write_model(&text_form, 0, &m->design, m->beta, m->standard_error, out);
    text_put_number(out, "log_likelihood", m->log_likelihood);
    text_put_number(out, "null_log_likelihood", m->null_log_likelihood);
    text_put_size(out, "n_times", m->n_times);
    text_put_array(out, "time", m->time, m->n_times);
    text_put_array(out, "cumulative", m->cumulative, m->n_times);
}

static enum ft_status read_baseline(struct cox *m, struct text_reader *r, struct ft_err *err)
{
    enum ft_status st = text_get_size(r, "n_times", MAX_TIMES, &m->n_times, err);
    if (st == FT_OK)
        st = text_get_array(r, "time", m->n_times, 0, &m->time, err);
    if (st == FT_OK)
        st = text_get_array(r, "cumulative", m->n_times, 0, &m->cumulative, err);
    for (size_t i = 0; st == FT_OK && i < m->n_times; i++) {
        const double before = i > 0 ? m->cumulative[i - 1] : 0;
        if (!(m->cumulative[i] >= before) || (i > 0 && !(m->time[i] > m->time[i - 1])))
            st = ft_fail(err, FT_INVALID, "%s: the baseline hazard falls at time %zu", r->what,
                         i + 1);
    }
    return st;
}

enum ft_status cox_read(const char *text, size_t len, struct cox **out, struct ft_err *err)
{
    struct text_reader r;
    size_t kind = 0;
    *out = NULL;
    struct cox *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a Cox model");
    text_reader_init(&r, text, len, "Cox model");
    enum ft_status st =
        design_read_model(&text_form, &r, &kind, &m->design, &m->beta, &m->standard_error, err);
    if (st == FT_OK)
        st = text_get_number(&r, "log_likelihood", 0, &m->log_likelihood, err);
    if (st == FT_OK)
        st = text_get_number(&r, "null_log_likelihood", 0, &m->null_log_likelihood, err);
    if (st == FT_OK)
        st = read_baseline(m, &r, err);
    if (st == FT_OK)
        st = text_get_end(&r, err);
    if (st != FT_OK) {
        cox_free(m);
        return st;
    }
    *out = m;
    return FT_OK;
}

void cox_free(struct cox *m)
{
    if (m == NULL)
        return;
    design_free(&m->design);
    free(m->beta);
    free(m->standard_error);
    free(m->time);
    free(m->cumulative);
    free(m);
}
