#include "models/renewal.h"

#include "models/special.h"

#include <math.h>

double renewal_age_cost_rate(const struct life_fit *f, double t, double cost_planned,
                             double cost_failure)
{
    const double at_start = life_survival(f, 0), alive = life_survival(f, t) / at_start;
    return (cost_planned * alive + cost_failure * (1 - alive)) / (life_lived_to(f, t) / at_start);
}

/* F given an age above 0. */
static double failed_by(const struct life_fit *f, double t)
{
    if (f->distribution != LIFE_GUMBEL)
        return -expm1(life_log_survival(f, t));
    return -expm1(life_log_survival(f, t) - life_log_survival(f, 0));
}

enum { GRID = 600 };

/* F at the middles (k + 1/2) step is needed again and again: half[n]. */
static void renew(const double *whole, const double *half, size_t n, double *m)
{
    m[0] = 0;
    for (size_t i = 1; i <= n; i++) {
        double sum = whole[i] - m[i - 1] * half[0];
        for (size_t j = 1; j < i; j++)
            sum += (m[j] - m[j - 1]) * half[i - j];
        m[i] = sum / (1 - half[0]);
    }
}

void renewal_function(const struct life_fit *f, double step, size_t n, double *m)
{
    double whole[GRID + 1], half[GRID + 1];
    n = n < GRID ? n : GRID;
    for (size_t i = 0; i <= n; i++) {
        whole[i] = failed_by(f, (double)i * step);
        half[i] = failed_by(f, ((double)i + 0.5) * step);
    }
    renew(whole, half, n, m);
}

/* The least of a parabola through three equally spaced values, as an offset in steps. */
static double vertex(double a, double b, double c)
{
    const double bend = a - 2 * b + c;
    return bend > 0 ? 0.5 * (a - c) / bend : 0;
}

struct age_replacement renewal_block_replacement(const struct life_fit *f, double cost_planned,
                                                 double cost_failure)
{
    double m[GRID + 1], rate[GRID + 1];
    const struct age_replacement age = life_age_replacement(f, cost_planned, cost_failure);
    const double run = age.has_optimum ? age.cost_rate / (1 - age.saving_frac) : age.cost_rate;
    struct age_replacement r = {.cost_rate = run};
    if (!life_hazard_rises(f) || !(cost_planned > 0) || !(cost_planned < cost_failure) ||
        !isfinite(run))
        return r;
    /* Past twice the mean life the rate is that of run to failure, but for a ripple. */
    const double step = 2 * cost_failure / run / GRID;
    renewal_function(f, step, GRID, m);
    size_t best = 1;
    for (size_t i = 1; i <= GRID; i++) {
        rate[i] = (cost_planned + cost_failure * m[i]) / ((double)i * step);
        if (rate[i] < rate[best])
            best = i;
    }
    if (best == GRID || !(rate[best] < run))
        return r;
    const double off = best > 1 ? vertex(rate[best - 1], rate[best], rate[best + 1]) : 0;
    r.has_optimum = true;
    r.interval = ((double)best + off) * step;
    r.cost_rate = rate[best];
    if (best > 1) /* the parabola's value */
        r.cost_rate -= 0.25 * (rate[best - 1] - rate[best + 1]) * off;
    r.saving_frac = 1 - r.cost_rate / run;
    return r;
}

static enum ft_status check_inspection(const struct inspection_problem *p, struct ft_err *err)
{
    const bool has_costs = p->cost_look > 0;
    if (!(p->pf > 0) || !isfinite(p->pf))
        return ft_fail(err, FT_INVALID, "P-F interval %g, expected above 0", p->pf);
    if (!(p->detection > 0 && p->detection <= 1))
        return ft_fail(err, FT_INVALID, "detection %g, expected above 0, at most 1", p->detection);
    if (!(p->wanted > 0 && p->wanted <= 0.999999))
        return ft_fail(err, FT_INVALID, "wanted probability %g, expected above 0, at most 0.999999",
                       p->wanted);
    if (p->cost_look < 0 ||
        (has_costs && !(p->cost_planned > 0 && p->cost_failure > 0 && p->failure_rate > 0)))
        return ft_fail(err, FT_INVALID,
                       "the cost of a look needs the planned cost, the failure cost and a failure "
                       "rate, all above 0");
    if (has_costs && p->cost_planned >= p->cost_failure)
        return ft_fail(err, FT_INVALID,
                       "planned cost %g is not below the failure cost %g: finding it early cannot "
                       "pay; are the two swapped?",
                       p->cost_planned, p->cost_failure);
    return FT_OK;
}

double renewal_found(double interval, double pf, double detection)
{
    const double looks = pf / interval, whole = floor(looks), share = looks - whole;
    const double missed = 1 - detection;
    return (1 - share) * (1 - pow(missed, whole)) + share * (1 - pow(missed, whole + 1));
}

static double inspection_rate(const struct inspection_problem *p, double interval)
{
    const double found = renewal_found(interval, p->pf, p->detection);
    return p->cost_look / interval +
           p->failure_rate * (p->cost_failure - found * (p->cost_failure - p->cost_planned));
}

/* Between kinks at pf / k the rate is a / interval + b: least at a kink. */
static void find_best(const struct inspection_problem *p, struct inspection_plan *out)
{
    out->run_cost_rate = p->failure_rate * p->cost_failure;
    out->best_cost_rate = out->run_cost_rate;
    for (size_t k = 1; k <= 1000; k++) {
        const double interval = p->pf / (double)k, rate = inspection_rate(p, interval);
        if (rate < out->best_cost_rate) {
            out->has_best = true;
            out->best_cost_rate = rate;
            out->best_interval = interval;
            out->best_found = renewal_found(interval, p->pf, p->detection);
        }
    }
}

enum ft_status renewal_inspection(const struct inspection_problem *p, struct inspection_plan *out,
                                  struct ft_err *err)
{
    *out = (struct inspection_plan){.best_cost_rate = NAN, .run_cost_rate = NAN};
    const enum ft_status st = check_inspection(p, err);
    if (st != FT_OK)
        return st;
    double missed = 1;
    while (1 - missed < p->wanted && out->n_looks < 1000000) {
        missed *= 1 - p->detection;
        out->n_looks++;
    }
    out->interval = p->pf / ((double)out->n_looks + 1);
    out->found = 1 - missed;
    if (p->cost_look > 0)
        find_best(p, out);
    return FT_OK;
}

double renewal_met(double mean, size_t s)
{
    return mean > 0 ? special_gamma_q((double)s + 1, mean) : 1;
}

size_t renewal_spares(double mean, double level)
{
    size_t low = 0, high = 1;
    if (renewal_met(mean, 0) >= level)
        return 0;
    while (renewal_met(mean, high) < level && high < 10000000) {
        low = high;
        high *= 2;
    }
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        *(renewal_met(mean, middle) >= level ? &high : &low) = middle;
    }
    return high;
}
