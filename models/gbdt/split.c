/* Gains by Chen and Guestrin 2016, eq. 7 without gamma: half the gain in score; with L1 the
 * gradient sum is moved towards 0 by alpha first. With monotone columns the children's values are
 * held to their node's limits and the gain is that of the held values, as XGBoost does it. */
#include "models/gbdt/split.h"

#include "models/gbdt/histogram.h"

#include <math.h>

/* The sum of gradients less the L1 penalty. */
static inline double soft(double g, double alpha)
{
    return alpha > 0 ? copysign(fmax(fabs(g) - alpha, 0), g) : g;
}

static inline double score_of(uint64_t sum, double lambda, double alpha)
{
    const double g = soft(gh_gradient(sum), alpha);
    return g * g / ((double)gh_hessian(sum) + lambda);
}

double split_score(uint64_t sum, const struct split_rule *rule)
{
    return score_of(sum, rule->lambda, rule->alpha);
}

double split_value(uint64_t sum, const struct split_rule *rule, const struct limits *limits)
{
    const double h = (double)gh_hessian(sum) + rule->lambda;
    const double value = h > 0 ? -soft(gh_gradient(sum), rule->alpha) / h : 0;
    return fmin(fmax(value, limits->low), limits->high);
}

/* Score of a value that need not be the best one; of the best one it is split_score(). */
static double score_at(uint64_t sum, double value, const struct split_rule *rule)
{
    const double h = (double)gh_hessian(sum) + rule->lambda;
    return -(2 * gh_gradient(sum) * value + h * value * value + 2 * rule->alpha * fabs(value));
}

/* One column of one node. */
struct look {
    const uint64_t *hist;
    size_t n_bins;
    uint64_t total;
    uint32_t column;
    const struct split_rule *rule;
    const struct limits *limits;
    int direction;
    double parent; /* score of the node */
    struct split *best;
};

/* 0 when a side is too light; both sides always carry some hessian, so shares of it are never
 * 0 / 0. */
static inline double gain_of(const struct look *l, uint64_t left, double alpha)
{
    const struct split_rule *rule = l->rule;
    const uint64_t right = l->total - left;
    const uint32_t h_left = gh_hessian(left), h_right = gh_hessian(right);
    if (h_left == 0 || h_right == 0 || h_left < rule->min_weight || h_right < rule->min_weight)
        return 0;
    return 0.5 * rule->gain_unit *
           (score_of(left, rule->lambda, alpha) + score_of(right, rule->lambda, alpha) - l->parent);
}

static double constrained_gain_of(const struct look *l, uint64_t left)
{
    const struct split_rule *rule = l->rule;
    const uint64_t right = l->total - left;
    const uint32_t h_left = gh_hessian(left), h_right = gh_hessian(right);
    if (h_left == 0 || h_right == 0 || h_left < rule->min_weight || h_right < rule->min_weight)
        return 0;
    const double v_left = split_value(left, rule, l->limits);
    const double v_right = split_value(right, rule, l->limits);
    if (l->direction * (v_right - v_left) < 0)
        return 0;
    return 0.5 * rule->gain_unit *
           (score_at(left, v_left, rule) + score_at(right, v_right, rule) - l->parent);
}

enum look_kind { LOOK_PLAIN, LOOK_L1, LOOK_CONSTRAINED };

/* Present bins from the lowest; left starts with the missing ones when they go left. */
static inline __attribute__((always_inline)) void scan(const struct look *l, uint64_t left,
                                                       bool missing_left, const enum look_kind kind)
{
    for (size_t b = 0; b < l->n_bins; b++) {
        if (l->hist[b] == 0)
            continue; /* same sums as the bin before, which wins a tie */
        left += l->hist[b];
        const double gain = kind == LOOK_CONSTRAINED
                                ? constrained_gain_of(l, left)
                                : gain_of(l, left, kind == LOOK_L1 ? l->rule->alpha : 0);
        if (gain > l->best->gain && gain >= l->rule->min_gain)
            *l->best = (struct split){gain, l->column, (uint16_t)b, missing_left, left};
    }
}

static void scan_kind(const struct look *l, uint64_t left, bool missing_left)
{
    if (l->rule->is_constrained)
        scan(l, left, missing_left, LOOK_CONSTRAINED);
    else if (l->rule->alpha > 0)
        scan(l, left, missing_left, LOOK_L1);
    else
        scan(l, left, missing_left, LOOK_PLAIN);
}

void split_search(const uint64_t *hist, size_t n_bins, uint64_t total, uint32_t column,
                  const struct split_rule *rule, const struct limits *limits, int direction,
                  struct split *best)
{
    const uint64_t missing = hist[n_bins];
    const double before = best->gain;
    const struct look l = {.hist = hist,
                           .n_bins = n_bins,
                           .total = total,
                           .column = column,
                           .rule = rule,
                           .limits = limits,
                           .direction = direction,
                           .parent = rule->is_constrained
                                         ? score_at(total, split_value(total, rule, limits), rule)
                                         : split_score(total, rule),
                           .best = best};
    scan_kind(&l, 0, false);
    if (missing != 0)
        scan_kind(&l, missing, true);
    else if (best->gain > before) /* never seen here: follow the heavier child */
        best->missing_left = gh_hessian(best->left) >= gh_hessian(total - best->left);
}
