/* Private to models/life*.c: the log-likelihood of a law over life data in the coordinates u that
 * suit a search. Location-scale laws of y = log t or t use u = (location / scale, 1 / scale), where
 * minus the log-likelihood is convex without truncation (Burridge 1981; with interval censoring
 * too, as the densities are log-concave) and where holding one parameter leaves a straight line;
 * gamma uses (log shape, log scale). */
#ifndef MODELS_LIFE_SEARCH_H
#define MODELS_LIFE_SEARCH_H

#include "models/life.h"
#include "models/standard_law.h"

struct life_search {
    const struct life_data *d;
    enum life_distribution distribution;
    enum standard_law law;
    bool is_log;
    double centre;   /* y = log t - centre, or t / centre; gamma: t / centre */
    double constant; /* what the value below lacks of minus the log-likelihood */
    struct life_totals totals;
};

/* FT_INVALID and FT_TOO_FEW as life_data_totals(). Weibull and exponential are location-scale laws
 * here; the threshold of weibull3 is not known here. The data must outlive the search. */
enum ft_status life_search_init(struct life_search *s, enum life_distribution distribution,
                                const struct life_data *data, struct ft_err *err);

/* Minus the log-likelihood at u[2] less the constant, for optim_newton() (ctx: struct life_search).
 */
double life_search_value(void *ctx, const double *u, double *gradient, double *hessian);

/* A start for the search: moments of the failure ages. */
void life_search_start(const struct life_search *s, double u[2]);

/* Parameters, and the covariance of (log shape or location, log scale) from that of u. */
void life_search_set(const struct life_search *s, const double u[2], double covariance[2][2],
                     struct life_fit *f);
/* u of given parameters. */
void life_search_at(const struct life_search *s, double first, double scale, double u[2]);

/* The line origin + t direction along which one parameter (index 0 = first, 1 = scale) keeps its
 * value; returns t of the given parameters. */
double life_search_line(const struct life_search *s, int held, double first, double scale,
                        double origin[2], double direction[2]);
/* Least value along the line, from *t, which moves there. Newton with halving; at most 100 steps.
 */
double life_search_minimise_line(const struct life_search *s, const double origin[2],
                                 const double direction[2], double *t);

#endif
