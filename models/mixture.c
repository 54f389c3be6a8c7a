#include "models/mixture.h"

#include "models/optim.h"
#include "models/special.h"
#include "models/weibull.h"

#include <math.h>
#include <stdlib.h>

enum { N_STARTS = 6, N_PARAMETERS = 5, MAX_STEPS = 3000, MAX_WORK = 6000000 };

/* Log-odds of the first share, log shapes and log scales: first shape, second, first scale, second.
 */
struct state {
    double at[N_PARAMETERS];
};

struct em {
    const struct life_data *d;
    double *part[2]; /* [n] weight of a row in each population */
    double n;
};

/* log density, or log survival of a unit still running. */
static double log_term(double log_shape, double log_scale, double log_t, bool failed)
{
    const double y = exp(log_shape) * (log_t - log_scale);
    return failed ? log_shape + y - log_t - exp(y) : -exp(y);
}

/* Both terms of one row with the shares in them. */
static void log_terms(const struct life_data *d, const double *at, size_t i, double out[2])
{
    const double log_t = log(d->time[i]);
    const double log_share[2] = {-log1p(exp(-at[0])), -log1p(exp(at[0]))};
    for (int k = 0; k < 2; k++)
        out[k] = log_share[k] + log_term(at[1 + k], at[3 + k], log_t, d->failed[i]);
}

static double log_sum(const double x[2])
{
    const double m = fmax(x[0], x[1]);
    return m + log1p(exp(-fabs(x[0] - x[1])));
}

static double value_at(const struct life_data *d, const double *at)
{
    double sum = 0, x[2];
    for (size_t i = 0; i < d->n; i++) {
        const double w = life_data_weight(d, i);
        if (w <= 0)
            continue;
        log_terms(d, at, i, x);
        sum += w * log_sum(x);
    }
    return sum;
}

/* Weights of the rows in each population at a state. */
static void expect(struct em *e, const struct state *s)
{
    double x[2];
    for (size_t i = 0; i < e->d->n; i++) {
        const double w = life_data_weight(e->d, i);
        log_terms(e->d, s->at, i, x);
        const double first = 1 / (1 + exp(x[1] - x[0]));
        e->part[0][i] = w * first;
        e->part[1][i] = w * (1 - first);
    }
}

/* A population must keep this much weight of failures. */
static const double MIN_FAILURES = 1.5;

/* False when a population has no Weibull of its own. */
static bool maximise(const struct em *e, struct state *s)
{
    double total[2] = {0, 0};
    for (int k = 0; k < 2; k++) {
        struct weibull w;
        double failures = 0;
        for (size_t i = 0; i < e->d->n; i++) {
            total[k] += e->part[k][i];
            failures += e->d->failed[i] ? e->part[k][i] : 0;
        }
        if (failures < MIN_FAILURES ||
            weibull_fit(e->d->time, e->d->failed, NULL, e->part[k], e->d->n, &w, NULL) != FT_OK)
            return false;
        s->at[1 + k] = log(w.shape);
        s->at[3 + k] = log(w.scale);
    }
    s->at[0] = log(total[0] / total[1]);
    return isfinite(s->at[0]);
}

/* Rows up to an age go to the first population; those still running are shared. */
static void split(struct em *e, double age)
{
    for (size_t i = 0; i < e->d->n; i++) {
        const double w = life_data_weight(e->d, i);
        const bool is_early = e->d->time[i] <= age;
        const double first = is_early ? 0.9 : 0.1;
        e->part[0][i] = w * first;
        e->part[1][i] = w * (1 - first);
    }
}

/* EM from one split; the steps done, 0 when it was given up. */
static size_t climb(struct em *e, double age, struct state *s, double *value)
{
    split(e, age);
    if (!maximise(e, s))
        return 0;
    *value = value_at(e->d, s->at);
    for (size_t step = 1; step <= MAX_STEPS && step * e->d->n <= MAX_WORK; step++) {
        expect(e, s);
        if (!maximise(e, s))
            return 0;
        const double next = value_at(e->d, s->at);
        const bool is_slow = next - *value < 1e-7 * e->n;
        *value = next;
        if (is_slow)
            return step;
    }
    return MAX_STEPS;
}

/* For optim_newton(): derivatives by central differences. */
static double evaluate(void *ctx, const double *at, double *gradient, double *hessian)
{
    enum { N = N_PARAMETERS };
    const struct life_data *d = ctx;
    const double h = 1e-4, value = value_at(d, at);
    double x[N];
    for (int j = 0; j < N; j++) {
        x[j] = at[j];
        if (fabs(at[j]) > 100)
            return INFINITY;
    }
    for (int j = 0; gradient != NULL && j < N; j++) {
        x[j] = at[j] + h;
        const double up = value_at(d, x);
        x[j] = at[j] - h;
        const double down = value_at(d, x);
        x[j] = at[j];
        gradient[j] = -(up - down) / (2 * h);
        hessian[j * N + j] = -(up - 2 * value + down) / (h * h);
    }
    for (int j = 0; gradient != NULL && j < N; j++)
        for (int k = 0; k < j; k++) {
            double sum = 0;
            for (int c = 0; c < 4; c++) {
                x[j] = at[j] + (c < 2 ? h : -h);
                x[k] = at[k] + (c % 2 == 0 ? h : -h);
                sum += (c == 0 || c == 3 ? 1 : -1) * value_at(d, x);
            }
            x[j] = at[j];
            x[k] = at[k];
            hessian[j * N + k] = -sum / (4 * h * h);
        }
    return isnan(value) ? INFINITY : -value;
}

/* Variance of each parameter from the Cholesky factor of the information. */
static void variances(const double *factor, double *out)
{
    enum { N = N_PARAMETERS };
    for (int j = 0; j < N; j++) {
        double x[N] = {0}; /* factor^-1 e_j; its squared length is the variance */
        out[j] = 0;
        for (int i = 0; i < N; i++) {
            double sum = i == j ? 1 : 0;
            for (int k = 0; k < i; k++)
                sum -= factor[i * N + k] * x[k];
            x[i] = sum / factor[i * N + i];
            out[j] += x[i] * x[i];
        }
    }
}

static void set_result(const struct state *s, const double *factor, double z, struct mixture *m)
{
    double v[N_PARAMETERS];
    variances(factor, v);
    const bool is_swapped = s->at[3] + log(log(2)) / exp(s->at[1]) >
                            s->at[4] + log(log(2)) / exp(s->at[2]); /* log medians */
    const double odds = is_swapped ? -s->at[0] : s->at[0];
    m->share = 1 / (1 + exp(-odds));
    for (int side = 0; side < 2; side++) {
        const double sign = side == 0 ? -z : z;
        m->share_limits[side] = 1 / (1 + exp(-odds - sign * sqrt(v[0])));
        for (int k = 0; k < 2; k++) {
            const int from = is_swapped ? 1 - k : k;
            m->shape_limits[k][side] = exp(s->at[1 + from] + sign * sqrt(v[1 + from]));
            m->scale_limits[k][side] = exp(s->at[3 + from] + sign * sqrt(v[3 + from]));
            m->shape[k] = exp(s->at[1 + from]);
            m->scale[k] = exp(s->at[3 + from]);
        }
    }
}

static int compare(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* Best of EM from splits at shares of the failure ages. */
static bool best_start(struct em *e, struct state *best, double *best_value, size_t *n_steps,
                       double *ages)
{
    size_t n_failed = 0;
    for (size_t i = 0; i < e->d->n; i++)
        if (e->d->failed[i] && life_data_weight(e->d, i) > 0)
            ages[n_failed++] = e->d->time[i];
    qsort(ages, n_failed, sizeof(*ages), compare);
    *n_steps = 0;
    for (int k = 1; k <= N_STARTS; k++) {
        struct state s;
        double value = 0;
        const size_t steps = climb(e, ages[n_failed * (size_t)k / (N_STARTS + 1)], &s, &value);
        if (steps > 0 && (*n_steps == 0 || value > *best_value)) {
            *best = s;
            *best_value = value;
            *n_steps = steps;
        }
    }
    return *n_steps > 0;
}

static enum ft_status check(const struct life_data *d, double confidence, struct life_totals *t,
                            struct ft_err *err)
{
    enum ft_status st = life_data_totals(d, t, err);
    if (st != FT_OK)
        return st;
    bool is_late = false;
    for (size_t i = 0; i < d->n; i++)
        is_late = is_late || life_data_entry(d, i) > 0;
    if (t->n_intervals > 0 || is_late || !(confidence > 0 && confidence < 1))
        return ft_fail(err, FT_INVALID,
                       "a mixture takes known ages at failure and right censoring only, and a "
                       "confidence inside (0, 1)");
    if (t->r < 8)
        return ft_fail(err, FT_TOO_FEW,
                       "%.15g failures cannot carry the five parameters of a mixture; 8 are the "
                       "least",
                       t->r);
    return FT_OK;
}

static enum ft_status search(struct em *e, double confidence, double *ages, struct mixture *out,
                             struct ft_err *err)
{
    struct state s;
    struct optim_result result;
    double value = 0, factor[N_PARAMETERS * N_PARAMETERS];
    const struct optim_problem problem = {.n = N_PARAMETERS,
                                          .evaluate = evaluate,
                                          .ctx = (void *)e->d,
                                          .scale = e->n,
                                          .is_convex = false};
    if (!best_start(e, &s, &value, &out->n_steps, ages))
        return ft_fail(err, FT_TOO_FEW,
                       "mixture: every start ended with a population of one age or none");
    const enum ft_status st = optim_newton(&problem, s.at, factor, &result, err);
    if (st == FT_NOMEM)
        return st;
    if (st != FT_OK || result.runs_away)
        return ft_fail(err, FT_TOO_FEW,
                       "mixture: no peak of the likelihood near where EM stopped; the data do not "
                       "hold two populations apart");
    set_result(&s, factor, special_normal_quantile(0.5 + confidence / 2), out);
    out->log_likelihood = -result.value;
    out->aic = 2 * N_PARAMETERS - 2 * out->log_likelihood;
    out->bic = N_PARAMETERS * log(e->n) - 2 * out->log_likelihood;
    return FT_OK;
}

enum ft_status mixture_fit(const struct life_data *data, double confidence, struct mixture *out,
                           struct ft_err *err)
{
    struct life_totals totals;
    struct weibull single;
    struct em e = {.d = data};
    *out = (struct mixture){0};
    enum ft_status st = check(data, confidence, &totals, err);
    if (st == FT_OK)
        st = weibull_fit(data->time, data->failed, NULL, data->weight, data->n, &single, err);
    if (st != FT_OK)
        return st;
    double *block = calloc(data->n, 3 * sizeof(*block));
    if (block == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu units", data->n);
    e.part[0] = block;
    e.part[1] = block + data->n;
    e.n = totals.n;
    st = search(&e, confidence, block + 2 * data->n, out, err);
    out->single_bic = 2 * log(totals.n) - 2 * single.log_likelihood;
    free(block);
    return st;
}

double mixture_survival(const struct mixture *m, double t)
{
    if (!(t > 0))
        return 1;
    return m->share * exp(-pow(t / m->scale[0], m->shape[0])) +
           (1 - m->share) * exp(-pow(t / m->scale[1], m->shape[1]));
}
