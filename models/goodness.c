#include "models/goodness.h"

#include <math.h>

/* The antiderivative of (c - u)^2 / (u (1 - u)) at u = 1 - exp(log_s), c = F_n on the piece. */
static double integral_at(double c, double log_s)
{
    const double u = -expm1(log_s);
    return (c > 0 ? c * c * log(u) : 0) - (c < 1 ? (1 - c) * (1 - c) * log_s : 0) - u;
}

double goodness_anderson_darling(const struct life_fit *f, double n, const double *time,
                                 const double *survival, size_t n_steps)
{
    double sum = 0, c = 0, log_s = 0;
    if (n_steps == 0)
        return NAN;
    for (size_t k = 0; k < n_steps; k++) {
        const double next = life_log_survival(f, time[k]);
        if (next < log_s) /* nothing before a threshold */
            sum += integral_at(c, next) - (c > 0 ? integral_at(c, log_s) : 0);
        log_s = next;
        c = 1 - survival[k];
    }
    if (!(survival[n_steps - 1] > 1e-12))
        sum += -1 - integral_at(1, log_s); /* to F = 1 */
    return n * sum;
}
