/* The best split of a node by its histograms. */
#ifndef MODELS_GBDT_SPLIT_H
#define MODELS_GBDT_SPLIT_H

#include "models/gbdt/category.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows with code <= bin go left, or those of a set of categories; missing ones as missing_left
 * says.
 */
struct split {
    double gain;     /* 0 = there is no split */
    uint32_t column; /* as numbered by the caller */
    uint16_t bin;
    bool missing_left;
    bool is_set;         /* then set tells where a code goes, bin does not */
    uint64_t left;       /* packed sums of the left child (histogram.h) */
    struct code_set set; /* what goes left; CATEGORY_MISSING and codes without rows as missing */
};

/* Which child a code goes to; missing is the column's code of missing values. */
static inline bool split_takes_left(const struct split *s, unsigned code, unsigned missing)
{
    if (s->is_set)
        return code_set_has(&s->set, code);
    return code <= s->bin || (code == missing && s->missing_left);
}

/* Limits in the units of the packed sums. */
struct split_rule {
    double lambda;          /* L2 penalty, in hessian steps */
    double category_lambda; /* L2 of the children of a set on top, in hessian steps */
    double alpha;           /* L1 penalty, in gradient steps */
    double min_weight;      /* smallest hessian of a child, in hessian steps */
    double min_gain;        /* in the objective's unit */
    double gain_unit;       /* objective units per (gradient step)^2 / hessian step */
    bool is_constrained;    /* some column is monotone, so nodes have limits */
};

/* What leaf values below a node must keep to, in gradient steps / hessian step. */
struct limits {
    double low, high;
};

/* max(|G| - alpha, 0)^2 / (H + lambda) of packed sums, in steps. */
double split_score(uint64_t sum, const struct split_rule *rule);

/* The best leaf value within the limits, -soft(G) / (H + lambda), in gradient steps / hessian step.
 */
double split_value(uint64_t sum, const struct split_rule *rule, const struct limits *limits);

/* Looks at one column: hist[n_bins] of present codes and hist[n_bins] of missing ones; total is the
 * sum of the node. direction: 1 = the right child's value must not be below the left one's, -1 =
 * the other way round, 0 = free. limits count only when the rule is constrained. Replaces *best
 * when the gain is strictly greater, so among equal gains the column looked at first and the lowest
 * bin win. */
void split_search(const uint64_t *hist, size_t n_bins, uint64_t total, uint32_t column,
                  const struct split_rule *rule, const struct limits *limits, int direction,
                  struct split *best);

/* The same for a column of categories: the best of all ways to part those that the node has,
 * missing values being one of them, in two. Its children have category_lambda on top of lambda, the
 * node has not. */
void split_search_set(const uint64_t *hist, size_t n_bins, uint64_t total, uint32_t column,
                      const struct split_rule *rule, const struct limits *limits,
                      struct split *best);

#endif
