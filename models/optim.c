#include "models/optim.h"

#include "models/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STEPS = 200, MAX_POLISH = 6 };

struct search {
    const struct optim_problem *p;
    double *gradient, *step, *trial;
    double *factor;
    double value;
};

/* Value, gradient and hessian at the point; the hessian goes to s->factor. */
static void evaluate_all(struct search *s, const double *at)
{
    const size_t n = s->p->n;
    memset(s->gradient, 0, n * sizeof(double));
    memset(s->factor, 0, n * n * sizeof(double));
    s->value = s->p->evaluate(s->p->ctx, at, s->gradient, s->factor);
}

/* Factors the hessian. One that is not definite gets a growing multiple of its diagonal's size
 * added until it is; *is_changed tells. */
static enum ft_status factor_hessian(struct search *s, const double *at, size_t *bad,
                                     bool *is_changed, struct ft_err *err)
{
    const size_t n = s->p->n;
    double size = 0;
    for (size_t i = 0; i < n; i++)
        size = fmax(size, fabs(s->factor[i * n + i]));
    *is_changed = false;
    enum ft_status st = linalg_cholesky(s->factor, n, s->p->pivot_tolerance, bad, err);
    double add = 1e-3 * size; /* up to 1e8 times the largest element */
    for (int k = 0; k < 12 && size > 0 && st == FT_INVALID && !s->p->is_convex; k++) {
        evaluate_all(s, at);
        for (size_t i = 0; i < n; i++)
            s->factor[i * n + i] += add;
        *is_changed = true;
        st = linalg_cholesky(s->factor, n, s->p->pivot_tolerance, bad, err);
        add *= 10;
    }
    return st;
}

/* Moves at along the step, halved until the value falls enough (Armijo); false when it never does.
 */
static bool search_line(struct search *s, double *at, double slope)
{
    const size_t n = s->p->n;
    for (int k = 0; k < 40; k++) { /* down to about 1e-12 */
        const double share = ldexp(1, -k);
        for (size_t i = 0; i < n; i++)
            s->trial[i] = at[i] - share * s->step[i];
        const double value = s->p->evaluate(s->p->ctx, s->trial, NULL, NULL);
        if (value <= s->value - 1e-4 * share * slope) {
            memcpy(at, s->trial, n * sizeof(double));
            return true;
        }
    }
    return false;
}

static double longest(const double *v, size_t n)
{
    double m = 0;
    for (size_t i = 0; i < n; i++)
        m = fmax(m, fabs(v[i]));
    return m;
}

static enum ft_status run(struct search *s, double *at, struct optim_result *r, struct ft_err *err)
{
    const size_t n = s->p->n;
    const double scale = s->p->scale;
    double last_slope = INFINITY;
    int n_polish = 0;
    for (int k = 0; k < MAX_STEPS; k++) {
        bool is_changed = false;
        evaluate_all(s, at);
        if (!isfinite(s->value))
            return ft_fail(err, FT_INTERNAL, "Newton: the value is not finite at step %d", k);
        const enum ft_status st = factor_hessian(s, at, &r->bad_column, &is_changed, err);
        if (st != FT_OK)
            return st;
        memcpy(s->step, s->gradient, n * sizeof(double));
        linalg_cholesky_solve(s->factor, n, s->step);
        double slope = 0;
        for (size_t i = 0; i < n; i++)
            slope += s->gradient[i] * s->step[i];
        r->value = s->value;
        r->runs_away = longest(s->step, n) > 1e-2;
        const bool is_done = slope <= 1e-26 * scale || n_polish == MAX_POLISH ||
                             (n_polish > 0 && slope > 0.25 * last_slope);
        if (is_done && !is_changed)
            return FT_OK;
        if (slope <= 1e-11 * scale && !is_changed && !r->runs_away) {
            /* The value is at its rounding, the gradient not yet. */
            for (size_t i = 0; i < n; i++)
                at[i] -= s->step[i];
            n_polish++;
            last_slope = slope;
        } else if (!search_line(s, at, slope)) {
            if (slope <= 1e-8 * scale && !is_changed)
                return FT_OK;
            return ft_fail(err, FT_INTERNAL, "Newton: no progress at step %d", k);
        }
    }
    return ft_fail(err, FT_INTERNAL, "Newton: no convergence in %d steps", MAX_STEPS);
}

enum ft_status optim_newton(const struct optim_problem *problem, double *at, double *factor,
                            struct optim_result *result, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    const size_t n = problem->n;
    struct search s = {.p = problem, .factor = factor};
    *result = (struct optim_result){0};
    s.gradient = calloc(n, sizeof(double));
    s.step = calloc(n, sizeof(double));
    s.trial = calloc(n, sizeof(double));
    if (s.gradient == NULL || s.step == NULL || s.trial == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for %zu unknowns", n);
    else
        st = run(&s, at, result, err);
    free(s.gradient);
    free(s.step);
    free(s.trial);
    return st;
}

/* The step from best by the parabola through three points, or NAN when it is of no use. */
static double parabola_step(double best, double second, double third, const double value[3])
{
    const double r = (best - second) * (value[0] - value[2]);
    const double q = (best - third) * (value[0] - value[1]);
    const double down = 2 * (q - r);
    if (down == 0 || !isfinite(value[2]) || !isfinite(value[1]))
        return NAN;
    return ((best - second) * r - (best - third) * q) / down;
}

double optim_maximum(double (*f)(void *ctx, double x), void *ctx, double low, double high,
                     double tolerance, double *value)
{
    const double golden = 0.381966011250105152; /* 2 - golden ratio */
    double at[3];                               /* best, second best, the second before */
    double v[3];
    double last = high - low, before = last; /* lengths of the last two steps */
    at[0] = at[1] = at[2] = low + golden * (high - low);
    v[0] = v[1] = v[2] = f(ctx, at[0]);
    for (int i = 0; i < 100; i++) {
        const double middle = low + (high - low) / 2;
        if (fabs(at[0] - middle) <= 2 * tolerance - (high - low) / 2)
            break;
        double step = parabola_step(at[0], at[1], at[2], v);
        const double to = at[0] + step;
        if (!(fabs(step) < before / 2) || to - low < 2 * tolerance || high - to < 2 * tolerance) {
            before = at[0] < middle ? high - at[0] : at[0] - low;
            step = golden * (at[0] < middle ? high - at[0] : low - at[0]);
        } else {
            before = last;
        }
        last = fabs(step);
        const double x = at[0] + (fabs(step) >= tolerance ? step : copysign(tolerance, step));
        const double y = f(ctx, x);
        if (y >= v[0]) {
            *(x < at[0] ? &high : &low) = at[0];
            at[2] = at[1], v[2] = v[1];
            at[1] = at[0], v[1] = v[0];
            at[0] = x, v[0] = y;
            continue;
        }
        *(x < at[0] ? &low : &high) = x;
        if (y >= v[1] || at[1] == at[0]) {
            at[2] = at[1], v[2] = v[1];
            at[1] = x, v[1] = y;
        } else if (y >= v[2] || at[2] == at[0] || at[2] == at[1]) {
            at[2] = x, v[2] = y;
        }
    }
    *value = v[0];
    return at[0];
}
