/* Gains by Chen and Guestrin 2016, eq. 7 without gamma: half the gain in score; with L1 the
 * gradient sum is moved towards 0 by alpha first. With monotone columns the children's values are
 * held to their node's limits and the gain is that of the held values, as XGBoost does it. */
#include "models/gbdt/split.h"

#include "models/gbdt/histogram.h"

#include <math.h>
#include <stdlib.h>

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
            *l->best = (struct split){.gain = gain,
                                      .column = l->column,
                                      .bin = (uint16_t)b,
                                      .missing_left = missing_left,
                                      .left = left};
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

static double parent_score(uint64_t total, const struct split_rule *rule,
                           const struct limits *limits)
{
    return rule->is_constrained ? score_at(total, split_value(total, rule, limits), rule)
                                : split_score(total, rule);
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
                           .parent = parent_score(total, rule, limits),
                           .best = best};
    scan_kind(&l, 0, false);
    if (missing != 0)
        scan_kind(&l, missing, true);
    else if (best->gain > before) /* never seen here: follow the heavier child */
        best->missing_left = gh_hessian(best->left) >= gh_hessian(total - best->left);
}

/* --- categories -------------------------------------------------------------------------------
 * G^2 / (H + lambda), with or without L1, is convex in (G, H), so the sum of both children's is
 * greatest at a corner of all reachable left sums; each corner takes the categories whose G / H is
 * below some number (Fisher 1958; Breiman et al. 1984, theorem 4.5). So with the categories in the
 * order of G / H one scan sees the best of all 2^(n - 1) - 1 ways, as long as the limits of weight
 * and value do not bind. */

struct category {
    uint64_t word;
    unsigned code;
};

/* Exact: |G| < 2^31, H < 2^32. A hessian that was rounded to 0 counts as one step. */
static int compare_categories(const void *a, const void *b)
{
    const struct category *x = a, *y = b;
    const int64_t h_x = gh_hessian(x->word) > 0 ? gh_hessian(x->word) : 1;
    const int64_t h_y = gh_hessian(y->word) > 0 ? gh_hessian(y->word) : 1;
    const int64_t left = gh_gradient(x->word) * h_y, right = gh_gradient(y->word) * h_x;
    if (left != right)
        return left < right ? -1 : 1;
    return (x->code > y->code) - (x->code < y->code);
}

/* The first n_left of n categories go left; what the node does not have goes with missing values.
 */
static struct code_set set_of(const struct category *c, size_t n, size_t n_left, bool missing_left)
{
    struct code_set set = {{0}};
    for (size_t w = 0; missing_left && w < 4; w++)
        set.word[w] = UINT64_MAX;
    for (size_t i = 0; i < n; i++) {
        set.word[c[i].code >> 6] &= ~(UINT64_C(1) << (c[i].code & 63));
        if (i < n_left)
            code_set_add(&set, c[i].code);
    }
    return set;
}

void split_search_set(const uint64_t *hist, size_t n_bins, uint64_t total, uint32_t column,
                      const struct split_rule *rule, const struct limits *limits,
                      struct split *best)
{
    struct category c[MAX_CATEGORIES + 1];
    struct split_rule strict = *rule;
    strict.lambda += rule->category_lambda;
    const struct look l = {.total = total,
                           .rule = &strict,
                           .limits = limits,
                           .parent = parent_score(total, rule, limits)};
    uint64_t left = 0;
    size_t n = 0, n_left = 0;
    for (unsigned code = 0; code <= n_bins; code++)
        if (hist[code] != 0)
            c[n++] = (struct category){hist[code], code};
    qsort(c, n, sizeof(*c), compare_categories);
    for (size_t i = 0; i + 1 < n; i++) {
        left += c[i].word;
        const double gain =
            rule->is_constrained ? constrained_gain_of(&l, left) : gain_of(&l, left, rule->alpha);
        if (gain > best->gain && gain >= rule->min_gain) {
            n_left = i + 1;
            *best = (struct split){.gain = gain, .column = column, .is_set = true, .left = left};
        }
    }
    if (n_left == 0)
        return;
    best->missing_left = gh_hessian(best->left) >= gh_hessian(total - best->left);
    for (size_t i = 0; i < n; i++)
        if (c[i].code == n_bins)
            best->missing_left = i < n_left;
    best->set = set_of(c, n, n_left, best->missing_left);
}
