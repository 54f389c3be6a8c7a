#include "models/standard_law.h"

#include "models/special.h"

#include <math.h>
#include <stddef.h>

static void set(double slope[2], double first, double second)
{
    if (slope != NULL) {
        slope[0] = first;
        slope[1] = second;
    }
}

static double log1p_exp(double v)
{
    return v > 0 ? v + log1p(exp(-v)) : log1p(exp(v));
}

/* p and 1 - p of the logistic law, each without cancellation. */
static double logistic(double z)
{
    return z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z));
}

double law_log_density(enum standard_law law, double z, double slope[2])
{
    switch (law) {
    case LAW_EXTREME: {
        const double e = exp(z);
        set(slope, 1 - e, -e);
        return z - e;
    }
    case LAW_NORMAL:
        set(slope, -z, -1);
        return -0.5 * z * z - 0.918938533204672741780;
    default: {
        const double p = logistic(z), q = logistic(-z);
        set(slope, q - p, -2 * p * q);
        return z - 2 * log1p_exp(z);
    }
    }
}

double law_log_survival(enum standard_law law, double z, double slope[2])
{
    if (z == -INFINITY) {
        set(slope, 0, 0);
        return 0;
    }
    switch (law) {
    case LAW_EXTREME: {
        const double e = exp(z);
        set(slope, -e, -e);
        return -e;
    }
    case LAW_NORMAL: {
        const double h = special_normal_hazard(z);
        set(slope, -h, -h * (h - z));
        return special_normal_log_survival(z);
    }
    default: {
        const double p = logistic(z);
        set(slope, -p, -p * logistic(-z));
        return -log1p_exp(z);
    }
    }
}

/* With S = exp(a): S' = S a' and S'' = S (a'' + a'^2). */
double law_log_interval(enum standard_law law, double low, double high, double slope[5])
{
    double low_slope[2], high_slope[2] = {0, 0};
    const double a = law_log_survival(law, low, low_slope);
    const double b = high == INFINITY ? -INFINITY : law_log_survival(law, high, high_slope);
    const double share = -expm1(b - a); /* (S(low) - S(high)) / S(low) */
    if (slope != NULL) {
        const double u = 1 / share, v = b > -INFINITY ? exp(b - a) / share : 0;
        slope[0] = u * low_slope[0];
        slope[1] = v > 0 ? -v * high_slope[0] : 0;
        slope[2] = u * (low_slope[1] + low_slope[0] * low_slope[0]) - slope[0] * slope[0];
        slope[3] = -slope[0] * slope[1];
        slope[4] = v > 0 ? -v * (high_slope[1] + high_slope[0] * high_slope[0]) : 0;
        slope[4] -= slope[1] * slope[1];
    }
    return a + log(share);
}

double law_quantile(enum standard_law law, double p)
{
    switch (law) {
    case LAW_EXTREME:
        return log(-log1p(-p));
    case LAW_NORMAL:
        return special_normal_quantile(p);
    default:
        return log(p) - log1p(-p);
    }
}
