#include "models/gbdt/split.h"

#include "models/gbdt/histogram.h"

double split_score(uint64_t sum, double lambda)
{
    const double g = gh_gradient(sum);
    return g * g / ((double)gh_hessian(sum) + lambda);
}

/* Gain of a split by Chen and Guestrin 2016, eq. 7 without gamma: half the gain in score. 0 when a
 * side is too light; both sides always carry some hessian, so shares of it are never 0 / 0. */
static inline double gain_of(uint64_t left, uint64_t total, double parent,
                             const struct split_rule *rule)
{
    const uint64_t right = total - left;
    const uint32_t h_left = gh_hessian(left), h_right = gh_hessian(right);
    if (h_left == 0 || h_right == 0 || h_left < rule->min_weight || h_right < rule->min_weight)
        return 0;
    return 0.5 * rule->gain_unit *
           (split_score(left, rule->lambda) + split_score(right, rule->lambda) - parent);
}

/* Present bins from the lowest; left starts with the missing ones when they go left. */
static void scan(const uint64_t *hist, size_t n_bins, uint64_t left, uint64_t total, double parent,
                 bool missing_left, uint32_t column, const struct split_rule *rule,
                 struct split *best)
{
    for (size_t b = 0; b < n_bins; b++) {
        if (hist[b] == 0)
            continue; /* same sums as the bin before, which wins a tie */
        left += hist[b];
        const double gain = gain_of(left, total, parent, rule);
        if (gain > best->gain && gain >= rule->min_gain)
            *best = (struct split){gain, column, (uint16_t)b, missing_left, left};
    }
}

void split_search(const uint64_t *hist, size_t n_bins, uint64_t total, uint32_t column,
                  const struct split_rule *rule, struct split *best)
{
    const uint64_t missing = hist[n_bins];
    const double parent = split_score(total, rule->lambda);
    const double before = best->gain;
    scan(hist, n_bins, 0, total, parent, false, column, rule, best);
    if (missing != 0)
        scan(hist, n_bins, missing, total, parent, true, column, rule, best);
    else if (best->gain > before) /* never seen here: follow the heavier child */
        best->missing_left = gh_hessian(best->left) >= gh_hessian(total - best->left);
}
