/* What follows from a fitted life distribution: survival, hazard, mean, age replacement. */
#include "models/life.h"

#include "models/special.h"
#include "models/standard_law.h"

#include <math.h>

static const double EULER = 0.577215664901532860606512090082;
static const double PI = 3.14159265358979323846264338328;

/* The location-scale form of every distribution but gamma. */
static enum standard_law law_of(const struct life_fit *f, double *location, double *sigma)
{
    *location = log(f->scale);
    switch (f->distribution) {
    case LIFE_LOGNORMAL:
        *sigma = f->first;
        return LAW_NORMAL;
    case LIFE_LOGLOGISTIC:
        *sigma = 1 / f->first;
        return LAW_LOGISTIC;
    case LIFE_GUMBEL:
        *location = f->first;
        *sigma = f->scale;
        return LAW_EXTREME;
    default:
        *sigma = 1 / f->first;
        return LAW_EXTREME;
    }
}

/* z of a time; gumbel takes the time itself, the others its logarithm. */
static double standardise(const struct life_fit *f, double t, enum standard_law *law, double *sigma)
{
    double location = 0;
    *law = law_of(f, &location, sigma);
    if (f->distribution == LIFE_GUMBEL)
        return (t - location) / *sigma;
    return t > 0 ? (log(t) - location) / *sigma : -INFINITY;
}

double life_log_survival(const struct life_fit *f, double t)
{
    enum standard_law law = LAW_EXTREME;
    double sigma = 1;
    t -= f->threshold;
    if (f->distribution == LIFE_GAMMA)
        return t > 0 ? special_log_gamma_q(f->first, t / f->scale) : 0;
    const double z = standardise(f, t, &law, &sigma);
    return law_log_survival(law, z, NULL);
}

double life_survival(const struct life_fit *f, double t)
{
    return exp(life_log_survival(f, t));
}

double life_hazard(const struct life_fit *f, double t)
{
    enum standard_law law = LAW_EXTREME;
    double sigma = 1;
    if (f->threshold > 0 && t < f->threshold)
        return 0;
    t -= f->threshold;
    if (f->distribution != LIFE_GUMBEL && !(t > 0))
        t = 1e-300; /* the limit at 0: 0, a constant or without bound */
    if (f->distribution == LIFE_GAMMA) {
        const double x = t / f->scale;
        return exp((f->first - 1) * log(x) - x - special_log_gamma(f->first) -
                   special_log_gamma_q(f->first, x)) /
               f->scale;
    }
    const double z = standardise(f, t, &law, &sigma);
    const double standard = exp(law_log_density(law, z, NULL) - law_log_survival(law, z, NULL));
    return standard / (f->distribution == LIFE_GUMBEL ? sigma : sigma * t);
}

double life_mean(const struct life_fit *f)
{
    switch (f->distribution) {
    case LIFE_WEIBULL:
    case LIFE_WEIBULL3:
        return f->threshold + f->scale * tgamma(1 + 1 / f->first);
    case LIFE_LOGNORMAL:
        return f->scale * exp(0.5 * f->first * f->first);
    case LIFE_LOGLOGISTIC:
        return f->first > 1 ? f->scale * (PI / f->first) / sin(PI / f->first) : INFINITY;
    case LIFE_GAMMA:
        return f->first * f->scale;
    case LIFE_GUMBEL:
        return f->first - EULER * f->scale;
    default:
        return f->scale;
    }
}

/* Gamma: bisection on log t, from a bracket around the mean. */
static double gamma_quantile(const struct life_fit *f, double p)
{
    double low = log(f->scale * f->first) - 1, high = low + 2;
    const bool upper = p > 0.5; /* compare the smaller tail */
    const double target = upper ? log1p(-p) : log(p);
    if (!(p > 0) || !(p < 1))
        return p == 0 ? 0 : p == 1 ? INFINITY : NAN;
    for (int i = 0; i < 2000; i++) {
        const bool is_bracketed = i >= 1000;
        const double at = is_bracketed ? low + (high - low) / 2 : i % 2 == 0 ? low : high;
        const double x = exp(at) / f->scale;
        const bool is_above = upper ? special_log_gamma_q(f->first, x) < target
                                    : special_log_gamma_p(f->first, x) > target;
        if (is_bracketed)
            *(is_above ? &high : &low) = at;
        else if (at == low && is_above && low > -700)
            low -= 1;
        else if (at == high && !is_above && high < 700)
            high += 1;
        if (is_bracketed && high - low < 1e-15 * (1 + fabs(low)))
            break;
    }
    return exp(low + (high - low) / 2);
}

double life_quantile(const struct life_fit *f, double p)
{
    double location = 0, sigma = 1;
    if (f->distribution == LIFE_GAMMA)
        return gamma_quantile(f, p);
    const enum standard_law law = law_of(f, &location, &sigma);
    const double y = location + sigma * law_quantile(law, p);
    return f->distribution == LIFE_GUMBEL ? y : f->threshold + exp(y);
}

double life_mass_below_zero(const struct life_fit *f)
{
    return f->distribution == LIFE_GUMBEL ? -expm1(life_log_survival(f, 0)) : 0;
}

/* Gauss-Kronrod nodes and weights of 7 and 15 points (QUADPACK, qk15). */
static double kronrod(const struct life_fit *f, double a, double b, double *difference)
{
    static const double node[8] = {
        0.991455371120812639206854697526329, 0.949107912342758524526189684047851,
        0.864864423359769072789712788640926, 0.741531185599394439863864773280788,
        0.586087235467691130294144691693013, 0.405845151377397166906606412076961,
        0.207784955007898467600689403773245, 0.000000000000000000000000000000000};
    static const double weight[8] = {
        0.022935322010529224963732008058970, 0.063092092629978553290700663189204,
        0.104790010322250183839876322541518, 0.140653259715525918745189590510238,
        0.169004726639267902826583426598550, 0.190350578064785409913256402421014,
        0.204432940075298892414161999234649, 0.209482141084727828012999174891714};
    static const double gauss[4] = {
        0.129484966168869693270611432679082, 0.279705391489276667901467771423780,
        0.381830050505118944950369775488975, 0.417959183673469387755102040816327};
    const double middle = a + (b - a) / 2, half = (b - a) / 2;
    const double at_middle = life_survival(f, middle);
    double k = weight[7] * at_middle, g = gauss[3] * at_middle;
    for (int i = 0; i < 7; i++) {
        const double pair =
            life_survival(f, middle - half * node[i]) + life_survival(f, middle + half * node[i]);
        k += weight[i] * pair;
        if (i % 2 == 1)
            g += gauss[i / 2] * pair;
    }
    *difference = fabs(k - g) * half;
    return k * half;
}

/* Halves an interval until both rules agree; the depth bounds the work. */
static double integrate(const struct life_fit *f, double a, double b, double tolerance, int depth)
{
    double difference = 0;
    const double whole = kronrod(f, a, b, &difference);
    if (difference <= tolerance || depth == 0)
        return whole;
    const double middle = a + (b - a) / 2;
    return integrate(f, a, middle, tolerance / 2, depth - 1) +
           integrate(f, middle, b, tolerance / 2, depth - 1);
}

/* int_0^t u f(u) du of the laws that have it in closed form, NAN of the others. */
static double partial_mean(const struct life_fit *f, double t)
{
    const double log_x = log(t / f->scale);
    switch (f->distribution) {
    case LIFE_WEIBULL:
    case LIFE_EXPONENTIAL:
        return f->scale * tgamma(1 + 1 / f->first) *
               special_gamma_p(1 + 1 / f->first, exp(f->first * log_x));
    case LIFE_GAMMA:
        return f->first * f->scale * special_gamma_p(f->first + 1, t / f->scale);
    case LIFE_LOGNORMAL:
        return f->scale * exp(0.5 * f->first * f->first) *
               special_normal_cdf(log_x / f->first - f->first);
    default:
        return NAN;
    }
}

double life_lived_to(const struct life_fit *f, double t)
{
    const double part = t > 0 && isfinite(t) ? partial_mean(f, t) : NAN;
    if (isfinite(part))
        return t * life_survival(f, t) + part;
    /* Panels between quantiles: S falls by a fair share in each. */
    static const double shares[] = {0.001,  0.05,      0.3,       0.6,       0.9, 0.99,
                                    0.9999, 0.9999999, 1 - 1e-10, 1 - 1e-13, 1};
    double sum = fmin(f->threshold, fmax(t, 0)), from = f->threshold;
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]) && from < t; i++) {
        const double to = fmin(t, life_quantile(f, shares[i]));
        if (!(to > from) || !isfinite(to))
            continue;
        sum += integrate(f, from, to, 1e-12 * (to - from) * life_survival(f, from), 12);
        from = to;
    }
    return sum;
}

/* Age at which the hazard stops rising: 0 when it never rises, INFINITY when it always does. */
static double hazard_peak(const struct life_fit *f)
{
    const double shape = f->first;
    switch (f->distribution) {
    case LIFE_WEIBULL:
    case LIFE_GAMMA:
        return shape > 1 ? INFINITY : 0;
    case LIFE_WEIBULL3:
        return shape > 1 ? INFINITY : f->threshold; /* a jump there, then it falls */
    case LIFE_LOGLOGISTIC:
        return shape > 1 ? f->scale * pow(shape - 1, 1 / shape) : 0;
    case LIFE_GUMBEL:
        return INFINITY;
    case LIFE_LOGNORMAL: {
        /* d log h / d log t = 0 where the normal hazard exceeds z by sigma; the excess falls. */
        double low = -shape, high = 1 / shape + 1;
        for (int i = 0; i < 200 && high - low > 1e-14; i++) {
            const double z = low + (high - low) / 2;
            *(special_normal_hazard(z) - z > shape ? &low : &high) = z;
        }
        return f->scale * exp(shape * low);
    }
    default:
        return 0;
    }
}

bool life_hazard_rises(const struct life_fit *f)
{
    return hazard_peak(f) > 0;
}

/* h(T) int_0^T S - F(T), given T > 0. */
static double condition(const struct life_fit *f, double t)
{
    const double alive = life_survival(f, 0);
    return life_hazard(f, t) * life_lived_to(f, t) / alive - 1 + life_survival(f, t) / alive;
}

/* Mean of T given T > 0. */
static double mean_life(const struct life_fit *f)
{
    if (f->distribution != LIFE_GUMBEL)
        return life_mean(f);
    return life_lived_to(f, life_quantile(f, 1 - 1e-16)) / life_survival(f, 0);
}

struct age_replacement life_age_replacement(const struct life_fit *f, double cost_planned,
                                            double cost_failure)
{
    const double mean = mean_life(f), peak = hazard_peak(f);
    struct age_replacement r = {.cost_rate = cost_failure / mean};
    if (!(peak > 0) || !(cost_planned > 0) || !(cost_planned < cost_failure))
        return r;
    const double target = cost_planned / (cost_failure - cost_planned);
    double low = 0, high = fmin(fmax(life_quantile(f, 0.5), 1e-3 * f->scale), peak);
    while (condition(f, high) < target) {
        low = high;
        high *= 2;
        if (low >= peak || life_log_survival(f, low) < -700)
            return r;
        high = fmin(high, peak);
    }
    for (int i = 0; i < 100 && high - low > 1e-13 * high; i++) {
        const double middle = low + (high - low) / 2;
        *(condition(f, middle) < target ? &low : &high) = middle;
    }
    const double t = low + (high - low) / 2, at_start = life_survival(f, 0);
    const double alive = life_survival(f, t) / at_start;
    const double rate =
        (cost_planned * alive + cost_failure * (1 - alive)) / (life_lived_to(f, t) / at_start);
    if (!(rate < r.cost_rate))
        return r;
    r.has_optimum = true;
    r.interval = t;
    r.saving_frac = 1 - rate / r.cost_rate;
    r.cost_rate = rate;
    return r;
}
