/* Decisions from a life distribution beside age replacement: block replacement, inspection of a
 * failure that announces itself, spares for a service level. */
#ifndef MODELS_RENEWAL_H
#define MODELS_RENEWAL_H

#include "models/life.h"

#include <stddef.h>

/* Long-run cost per unit of time of replacing at age t, or at failure before: (planned S(t) +
 * failure F(t)) / int_0^t S. */
double renewal_age_cost_rate(const struct life_fit *f, double t, double cost_planned,
                             double cost_failure);

/* Expected renewals m[i] by i * step, i = 0 .. n (m has n + 1 places), of a part that is replaced
 * at each failure: m = F + m * dF by the midpoint rule of Xie (1989), of order step^2. F is that of
 * the law given an age above 0. */
void renewal_function(const struct life_fit *f, double step, size_t n, double *m);

/* Block replacement (Barlow and Hunter 1960): everything at fixed dates, whatever its age, and at
 * each failure between: rate (planned + failure m(T)) / T. No optimum: it costs no less than run to
 * failure. The interval is good to about 1e-3 of itself, the rate to 1e-5. */
struct age_replacement renewal_block_replacement(const struct life_fit *f, double cost_planned,
                                                 double cost_failure);

/* A failure shows itself (P, potential) some time before it comes (F, functional); an inspection in
 * between finds it with some probability. */
struct inspection_problem {
    double pf;        /* time from P to F, > 0 */
    double detection; /* of one look in it, (0, 1] */
    double wanted;    /* probability of finding it in time, (0, 1); at most 0.999999 */
    /* Costs, all or none (0): of a look, of the work when found, of the failure when missed; and
     * failures per unit of time of one part. */
    double cost_look, cost_planned, cost_failure, failure_rate;
};

struct inspection_plan {
    size_t n_looks;  /* in the P-F interval, for the wanted probability */
    double interval; /* pf / (n_looks + 1) */
    double found;    /* probability that this finds it, 1 - (1 - detection)^n */
    bool has_best;   /* with costs: the cheapest interval, when looking pays at all */
    double best_interval, best_found;
    double best_cost_rate, run_cost_rate; /* per unit of time: looking, and not looking */
};
/* FT_INVALID names the member. */
enum ft_status renewal_inspection(const struct inspection_problem *p, struct inspection_plan *out,
                                  struct ft_err *err);

/* Probability that looks every interval find it: P comes at any moment between two looks, so the
 * number of looks left is one of two whole numbers. */
double renewal_found(double interval, double pf, double detection);

/* Spares to hold so that the demand of a lead time, Poisson with this mean, is met with at least
 * the probability level: the least s with P(demand <= s) >= level. mean >= 0, at most 1e6. */
size_t renewal_spares(double mean, double level);
/* P(demand <= s). */
double renewal_met(double mean, size_t s);

#endif
