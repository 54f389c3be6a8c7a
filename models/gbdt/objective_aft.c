/* Accelerated failure time: log T = f + scale * error, the error from a standard law, as a loss of
 * the scores f (Barnwal, Cho and Hocking 2022, eq. 6 to 12). With z = (log t - f) / scale a row's
 * loss is
 *
 *   known        log(scale t) - log density(z)
 *   interval     -log(S(z of y) - S(z of upper)), upper infinite = right-, y 0 = left-censored
 *
 * less, under truncation, -log S(z of entry). The extreme-value law is that of the smallest one, so
 * T is Weibull with shape 1 / scale. An interval narrower than 1e-6 of scale counts as known. A
 * scale that is not given is the most likely one without columns. */
#include "models/gbdt/objective_private.h"
#include "models/optim.h"
#include "models/standard_law.h"

#include <math.h>
#include <stdlib.h>

/* Least hessian, times weight / scale^2: of a seen failure about a fifth of the usual one, since
 * rows far out on the flat side of the likelihood would ask for steps that are too long; of a
 * right-censored row, whose slope vanishes as fast as its curvature, next to nothing. */
static const double MIN_SEEN = 0.2, MIN_CENSORED = 1e-6;
static const double MAX_Z = 300; /* exp() and its square stay finite */
static const double NARROW = 1e-6;

static const enum standard_law laws[] = {[GBDT_AFT_WEIBULL] = LAW_EXTREME,
                                         [GBDT_AFT_LOGNORMAL] = LAW_NORMAL,
                                         [GBDT_AFT_LOGLOGISTIC] = LAW_LOGISTIC};

double objective_aft_median(enum gbdt_objective objective)
{
    return law_quantile(laws[objective], 0.5);
}

/* A row's log times; -inf and inf where there is no bound. */
struct span {
    double low, high, entry;
    bool is_known;
};

static struct span span_of(const struct targets *t, size_t i)
{
    const struct gbdt_labels *l = &t->labels;
    const double y = l->y[i];
    const double open = l->failed == NULL || l->failed[i] ? y : INFINITY;
    const double upper = l->upper != NULL ? l->upper[i] : open;
    const double entry = l->entry != NULL ? l->entry[i] : 0;
    struct span s = {.low = y > 0 ? log(y) : -INFINITY,
                     .high = isfinite(upper) ? log(upper) : INFINITY,
                     .entry = entry > 0 ? log(entry) : -INFINITY};
    s.is_known = s.low == s.high;
    return s;
}

static enum ft_status check_span(const struct targets *t, size_t i, struct ft_err *err)
{
    const struct gbdt_labels *l = &t->labels;
    const double y = l->y[i], upper = l->upper != NULL ? l->upper[i] : INFINITY;
    const double entry = l->entry != NULL ? l->entry[i] : 0;
    const bool may_be_zero = l->upper != NULL && isfinite(upper);
    if (!isfinite(y) || !(may_be_zero ? y >= 0 : y > 0))
        return ft_fail(err, FT_INVALID, "row %zu: time %g, expected a number above 0", i, y);
    if (!(upper >= y && upper > 0))
        return ft_fail(err, FT_INVALID, "row %zu: upper time %g, expected at least %g", i, upper,
                       y);
    if (!(entry >= 0) || !(entry < y || (entry == 0 && y == 0)))
        return ft_fail(err, FT_INVALID, "row %zu: entry %g, expected 0 <= entry < time %g", i,
                       entry, y);
    return FT_OK;
}

static double held(double z)
{
    return isfinite(z) ? fmax(-MAX_Z, fmin(z, MAX_Z)) : z;
}

/* Log-likelihood of a row in z, its first and second derivative when all times move together. */
static double likelihood(enum standard_law law, const struct span *s, double f, double scale,
                         double slope[2])
{
    double value, entered[2] = {0, 0};
    const double low = held((s->low - f) / scale), high = held((s->high - f) / scale);
    if (s->is_known || high - low < NARROW) {
        value = law_log_density(law, low, slope);
    } else {
        double d[5];
        value = law_log_interval(law, low, high, d);
        slope[0] = d[0] + d[1];
        slope[1] = d[2] + 2 * d[3] + d[4];
    }
    value -= law_log_survival(law, held((s->entry - f) / scale), entered);
    slope[0] -= entered[0];
    slope[1] -= entered[1];
    return value;
}

static void aft_rows(const struct targets *t, const double *score, size_t begin, size_t end,
                     double *g, double *h)
{
    const double scale = t->parameter;
    for (size_t i = begin; i < end; i++) {
        double slope[2];
        const struct span s = span_of(t, i);
        const double w = target_weight(t, i);
        likelihood(laws[t->objective], &s, score[i], scale, slope);
        g[i] = w * slope[0] / scale;
        h[i] = w * fmax(-slope[1], isfinite(s.high) ? MIN_SEEN : MIN_CENSORED) / (scale * scale);
    }
}

static double aft_loss(const struct targets *t, const double *score, size_t begin, size_t end)
{
    double sum = 0;
    for (size_t i = begin; i < end; i++) {
        double slope[2];
        const struct span s = span_of(t, i);
        const double value = likelihood(laws[t->objective], &s, score[i], t->parameter, slope);
        const double density = s.is_known ? log(t->parameter) + s.low : 0;
        sum += target_weight(t, i) * (density - value);
    }
    return sum;
}

/* --- the best constant -------------------------------------------------------------------------
 * Unknowns location / scale and, unless the scale is given, 1 / scale: in these the likelihood is
 * concave without truncation (Burridge 1981). Log times are taken about their middle. */

struct constant {
    const struct targets *t;
    const double *score;  /* taken off the log times instead of the middle; NULL = none */
    double middle, alpha; /* alpha = 1 / scale when given */
    size_t n;             /* unknowns */
};

/* Adds the derivatives of one z = alpha * time - u. */
static void add_point(double first, double second, double time, double weight, double *gradient,
                      double *hessian, size_t n)
{
    gradient[0] += weight * first;
    hessian[0] -= weight * second;
    if (n < 2)
        return;
    gradient[1] -= weight * first * time;
    hessian[2] += weight * second * time;
    hessian[3] -= weight * second * time * time;
}

static void add_pair(const double d[5], double low, double high, double weight, double *gradient,
                     double *hessian, size_t n)
{
    if (isfinite(low))
        add_point(d[0], d[2], low, weight, gradient, hessian, n);
    if (isfinite(high))
        add_point(d[1], d[4], high, weight, gradient, hessian, n);
    if (!isfinite(low) || !isfinite(high))
        return;
    hessian[0] -= 2 * weight * d[3];
    if (n < 2)
        return;
    hessian[2] += weight * d[3] * (low + high);
    hessian[3] -= 2 * weight * d[3] * low * high;
}

static double constant_row(const struct constant *c, size_t i, double u, double alpha,
                           double *gradient, double *hessian)
{
    const enum standard_law law = laws[c->t->objective];
    const struct span s = span_of(c->t, i);
    const double w = target_weight(c->t, i);
    const double middle = c->score != NULL ? c->score[i] : c->middle;
    const double low = s.low - middle, high = s.high - middle, entry = s.entry - middle;
    double value, d[5] = {0};
    if (s.is_known || alpha * (high - low) < NARROW) {
        value = log(alpha) + law_log_density(law, alpha * low - u, d);
        if (gradient != NULL)
            add_point(d[0], d[1], low, w, gradient, hessian, c->n);
        if (gradient != NULL && c->n > 1) {
            gradient[1] -= w / alpha;
            hessian[3] += w / (alpha * alpha);
        }
    } else {
        value = law_log_interval(law, alpha * low - u, alpha * high - u, d);
        if (gradient != NULL)
            add_pair(d, low, high, w, gradient, hessian, c->n);
    }
    if (isfinite(entry)) {
        value -= law_log_survival(law, alpha * entry - u, d);
        if (gradient != NULL)
            add_point(d[0], d[1], entry, -w, gradient, hessian, c->n);
    }
    return w * value;
}

/* For optim_newton(). */
static double constant_value(void *ctx, const double *at, double *gradient, double *hessian)
{
    const struct constant *c = ctx;
    const double alpha = c->n > 1 ? at[1] : c->alpha;
    double sum = 0;
    if (!(alpha > 0))
        return INFINITY;
    for (size_t i = 0; i < c->t->n_rows; i++)
        if (target_weight(c->t, i) > 0)
            sum -= constant_row(c, i, at[0], alpha, gradient, hessian);
    return isnan(sum) ? INFINITY : sum;
}

/* Middle and spread of the bounded log times, for the first guess; false when none is bounded
 * above. */
static bool guess(const struct targets *t, double *middle, double *spread, double *weight)
{
    double sum = 0, square = 0, total = 0;
    size_t n_ends = 0;
    *weight = 0;
    for (size_t i = 0; i < t->n_rows; i++) {
        const struct span s = span_of(t, i);
        const double w = target_weight(t, i);
        const double at = isfinite(s.low) ? s.low : s.high;
        n_ends += isfinite(s.high) && w > 0;
        total += w;
        sum += w * at;
        square += w * at * at;
    }
    *weight = total;
    *middle = sum / total;
    *spread = sqrt(fmax(square / total - *middle * *middle, 0));
    return n_ends > 0;
}

static enum ft_status search(struct constant *c, double weight, double at[2], struct ft_err *err)
{
    double factor[4];
    struct optim_result result;
    const struct optim_problem problem = {.n = c->n,
                                          .evaluate = constant_value,
                                          .ctx = c,
                                          .scale = weight,
                                          .pivot_tolerance = 1e-12,
                                          .is_convex = c->t->labels.entry == NULL};
    const enum ft_status st = optim_newton(&problem, at, factor, &result, err);
    if (st == FT_NOMEM || (st == FT_OK && !result.runs_away))
        return st;
    return ft_fail(err, FT_TOO_FEW,
                   "trees: the failure times tell no law (all at one time, or censoring says it "
                   "all)");
}

static enum ft_status aft_start(struct targets *t, double *base, struct ft_err *err)
{
    double spread, weight, at[2] = {0, 0};
    struct constant c = {.t = t, .n = t->parameter > 0 ? 1 : 2};
    if (!guess(t, &c.middle, &spread, &weight))
        return ft_fail(err, FT_TOO_FEW, "trees: no failures among %zu rows", t->n_rows);
    c.alpha = t->parameter > 0 ? 1 / t->parameter : 0;
    at[1] = 1 / fmax(spread, 1e-3);
    const enum ft_status st = search(&c, weight, at, err);
    if (st != FT_OK)
        return st;
    const double alpha = c.n > 1 ? at[1] : c.alpha;
    t->parameter = 1 / alpha;
    *base = c.middle + at[0] / alpha;
    return FT_OK;
}

enum ft_status objective_aft_refit(const struct targets *t, const double *score, double *shift,
                                   double *scale, struct ft_err *err)
{
    double at[2] = {0, 1 / t->parameter}, weight = 0;
    struct constant c = {.t = t, .score = score, .n = 2};
    for (size_t i = 0; i < t->n_rows; i++)
        weight += target_weight(t, i);
    const enum ft_status st = search(&c, weight, at, err);
    if (st != FT_OK)
        return st;
    *scale = 1 / at[1];
    *shift = at[0] / at[1];
    return FT_OK;
}

const struct objective_ops objective_aft = {
    .check_row = check_span, .start = aft_start, .rows = aft_rows, .loss = aft_loss};
