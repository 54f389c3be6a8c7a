/* Uncertainty of an ROI case: 10,000 draws of every input that has a range, with counter-based
 * random numbers, so that the same case gives the same bits each time. */
#ifndef APP_ROI_MC_H
#define APP_ROI_MC_H

#include "app/base/status.h"
#include "app/roi.h"

#include <stddef.h>
#include <stdint.h>

enum roi_dist {
    ROI_FIXED,      /* always value */
    ROI_TRIANGULAR, /* mode value; low and high are the 10 % and 90 % points */
    ROI_LOGNORMAL,  /* low and high are the 10 % and 90 % points, both > 0 */
    ROI_GAMMA,      /* shape a, rate b: a count of a - 0.5 events in b asset-years */
    ROI_BETA        /* Beta(a, b): a share counted in cases */
};

enum roi_origin { ROI_TYPED, ROI_HISTORY, ROI_MODEL, ROI_DEFAULT };

struct roi_input {
    double value, low, high; /* low = high = value: certain */
    enum roi_dist dist;
    double a, b; /* gamma and beta */
    enum roi_origin origin;
    char source[200]; /* in words; for defaults starts with "benchmark, replace me" */
};

#define ROI_DRAWS 10000

/* Draw number i of one input, cut to [min, max]. stream keeps inputs apart. */
double roi_draw(const struct roi_input *in, double min, double max, uint64_t seed, uint64_t stream,
                uint64_t i);

struct roi_mc {
    size_t n_draws;
    double p_npv_positive;
    double npv[7];                     /* percentiles 5, 10, 25, 50, 75, 90, 95 */
    double payback[7];                 /* infinity: not within the horizon */
    double cash[ROI_MAX_YEARS + 1][5]; /* cumulative discounted: 10, 25, 50, 75, 90 */
    double spearman[ROI_N_FIELDS];     /* rank correlation with the NPV; NaN for fixed inputs */
};

extern const double roi_percents[7];
extern const double roi_cash_percents[5];

/* FT_NOMEM. min and max are the allowed range of each field. Allocates O(n_draws * fields). */
enum ft_status roi_mc_run(const struct roi_case *c, const struct roi_input in[ROI_N_FIELDS],
                          const double min[ROI_N_FIELDS], const double max[ROI_N_FIELDS],
                          size_t n_draws, uint64_t seed, struct roi_mc *out, struct ft_err *err);

#endif
