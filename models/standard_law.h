/* Standard laws behind location-scale models of (log) time, z = (y - location) / scale, with the
 * derivatives that maximum likelihood needs (Meeker and Escobar 1998, chapter 4). */
#ifndef MODELS_STANDARD_LAW_H
#define MODELS_STANDARD_LAW_H

enum standard_law {
    LAW_EXTREME, /* smallest extreme value: log time of a Weibull */
    LAW_NORMAL,  /* log time of a lognormal */
    LAW_LOGISTIC /* log time of a loglogistic */
};

/* log f(z) and log S(z); slope[0] and slope[1] receive the first and second derivative in z
 * (slope may be NULL). S = 1 - F; z = -inf gives log S = 0. */
double law_log_density(enum standard_law law, double z, double slope[2]);
double law_log_survival(enum standard_law law, double z, double slope[2]);
/* log(S(low) - S(high)), low < high, either may be infinite: an interval-censored life. slope[0..1]
 * receive the first derivatives in low and high, slope[2..4] the second (low low, low high, high
 * high); slope may be NULL. */
double law_log_interval(enum standard_law law, double low, double high, double slope[5]);
/* z with F(z) = p. */
double law_quantile(enum standard_law law, double p);

#endif
