/* Special functions that libm lacks, for the life distributions. Pure; no allocation. */
#ifndef MODELS_SPECIAL_H
#define MODELS_SPECIAL_H

/* ln |gamma(a)|. It writes no global, as libm's own does, so any thread may call it. */
double special_log_gamma(double a);

/* Standard normal: density, F(x), log F(x) and log(1 - F(x)) (both stable in their far tails),
 * and the quantile (-inf at 0, inf at 1, NaN outside [0, 1]). */
double special_normal_density(double x);
double special_normal_cdf(double x);
double special_normal_log_cdf(double x);
double special_normal_log_survival(double x);
double special_normal_quantile(double p);
/* Hazard of the standard normal, density / (1 - F): about x for large x. */
double special_normal_hazard(double x);

/* Regularised incomplete gamma functions P(a, x) and Q(a, x) = 1 - P, a > 0, x >= 0: power series
 * below x = a + 1, continued fraction above (DLMF 8.11.4 and 8.9.2). */
double special_gamma_p(double a, double x);
double special_gamma_q(double a, double x);
/* log P and log Q, finite where P and Q themselves underflow. */
double special_log_gamma_p(double a, double x);
double special_log_gamma_q(double a, double x);

#endif
