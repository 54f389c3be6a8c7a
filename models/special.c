#include "models/special.h"

#include <math.h>
#include <stdbool.h>

double special_log_gamma(double a)
{
    int sign;
    return lgamma_r(a, &sign);
}

static const double LOG_SQRT_2PI = 0.918938533204672741780329736406;
static const double INV_SQRT_2 = 0.707106781186547524400844362105;

double special_normal_density(double x)
{
    return exp(-0.5 * x * x - LOG_SQRT_2PI);
}

double special_normal_cdf(double x)
{
    return 0.5 * erfc(-x * INV_SQRT_2);
}

double special_normal_log_survival(double x)
{
    if (x < 0)
        return log1p(-0.5 * erfc(-x * INV_SQRT_2));
    if (x < 25)
        return log(0.5 * erfc(x * INV_SQRT_2));
    /* Asymptotic series of Mills' ratio (Abramowitz and Stegun 26.2.12): relative error below
     * 105 / x^8, 7e-10 absolute in the logarithm at 25 before the last term, 1e-11 after it. */
    const double r = 1 / (x * x);
    const double series = -r * (1 - r * (3 - r * (15 - r * (105 - r * 945))));
    return -0.5 * x * x - LOG_SQRT_2PI - log(x) + log1p(series);
}

double special_normal_log_cdf(double x)
{
    return special_normal_log_survival(-x);
}

double special_normal_hazard(double x)
{
    return exp(-0.5 * x * x - LOG_SQRT_2PI - special_normal_log_survival(x));
}

/* One rational function of degree 7. */
static double rational(const double *num, const double *den, double r)
{
    double n = num[7], d = den[7];
    for (int i = 6; i >= 0; i--) {
        n = n * r + num[i];
        d = d * r + den[i];
    }
    return n / d;
}

/* Wichura (1988), algorithm AS 241, PPND16: relative error about 1e-16. */
double special_normal_quantile(double p)
{
    static const double a[8] = {3.3871328727963666080e0, 1.3314166789178437745e2,
                                1.9715909503065514427e3, 1.3731693765509461125e4,
                                4.5921953931549871457e4, 6.7265770927008700853e4,
                                3.3430575583588128105e4, 2.5090809287301226727e3};
    static const double b[8] = {1.0,
                                4.2313330701600911252e1,
                                6.8718700749205790830e2,
                                5.3941960214247511077e3,
                                2.1213794301586595867e4,
                                3.9307895800092710610e4,
                                2.8729085735721942674e4,
                                5.2264952788528545610e3};
    static const double c[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                5.76949722146069140550e0,  3.64784832476320460504e0,
                                1.27045825245236838258e0,  2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double d[8] = {1.0,
                                2.05319162663775882187e0,
                                1.67638483018380384940e0,
                                6.89767334985100004550e-1,
                                1.48103976427480074590e-1,
                                1.51986665636164571966e-2,
                                5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
    static const double e[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                1.78482653991729133580e0,  2.96560571828504891230e-1,
                                2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double f[8] = {1.0,
                                5.99832206555887937690e-1,
                                1.36929880922735805310e-1,
                                1.48753612908506148525e-2,
                                7.86869131145613259100e-4,
                                1.84631831751005468180e-5,
                                1.42151175831644588870e-7,
                                2.04426310338993978564e-15};
    if (!(p >= 0 && p <= 1))
        return NAN;
    if (p == 0 || p == 1)
        return p == 0 ? -INFINITY : INFINITY;
    const double q = p - 0.5;
    if (fabs(q) <= 0.425)
        return q * rational(a, b, 0.180625 - q * q);
    const double r = sqrt(-log(q < 0 ? p : 1 - p));
    const double x = r <= 5 ? rational(c, d, r - 1.6) : rational(e, f, r - 5);
    return q < 0 ? -x : x;
}

/* log of x^a e^-x / Gamma(a + 1). */
static double log_front(double a, double x)
{
    return a * log(x) - x - special_log_gamma(a + 1);
}

/* The factor of the power series: P = front * sum_k x^k / ((a + 1) ... (a + k)). */
static double series_p(double a, double x)
{
    double term = 1, sum = 1;
    for (int k = 1; k < 100000 && term > sum * 1e-17; k++) {
        term *= x / (a + k);
        sum += term;
    }
    return sum;
}

/* Q = front * a * value; modified Lentz on DLMF 8.9.2. */
static double fraction_q(double a, double x)
{
    const double tiny = 1e-300;
    double b = x + 1 - a;
    double c = 1 / tiny;
    double d = 1 / b;
    double h = d;
    for (int i = 1; i < 100000; i++) {
        const double an = -i * (i - a);
        b += 2;
        d = an * d + b;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = b + an / c;
        if (fabs(c) < tiny)
            c = tiny;
        const double step = d * c;
        h *= step;
        if (fabs(step - 1) < 1e-16)
            break;
    }
    return h;
}

/* The logarithm of the one of P and Q that is computed directly. */
static double log_direct(double a, double x, bool *is_p)
{
    *is_p = x < a + 1;
    return log_front(a, x) + (*is_p ? log(series_p(a, x)) : log(a * fraction_q(a, x)));
}

static double log_gamma_pq(double a, double x, bool want_p)
{
    if (!(a > 0) || !(x >= 0))
        return NAN;
    if (x == 0 || isinf(x))
        return (x == 0) == want_p ? -INFINITY : 0;
    bool is_p = false;
    const double direct = fmin(log_direct(a, x, &is_p), 0);
    if (is_p == want_p)
        return direct;
    return direct > -0.693147 ? log(-expm1(direct)) : log1p(-exp(direct));
}

double special_log_gamma_p(double a, double x)
{
    return log_gamma_pq(a, x, true);
}

double special_log_gamma_q(double a, double x)
{
    return log_gamma_pq(a, x, false);
}

double special_gamma_p(double a, double x)
{
    return exp(special_log_gamma_p(a, x));
}

double special_gamma_q(double a, double x)
{
    return exp(special_log_gamma_q(a, x));
}
