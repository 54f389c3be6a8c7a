/* The best split of a node by its histograms. */
#ifndef MODELS_GBDT_SPLIT_H
#define MODELS_GBDT_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows with code <= bin go left; missing ones as missing_left says. */
struct split {
    double gain;     /* 0 = there is no split */
    uint32_t column; /* as numbered by the caller */
    uint16_t bin;
    bool missing_left;
    uint64_t left; /* packed sums of the left child (histogram.h) */
};

/* Limits in the units of the packed sums. */
struct split_rule {
    double lambda;     /* L2 penalty, in hessian steps */
    double min_weight; /* smallest hessian of a child, in hessian steps */
    double min_gain;   /* in the objective's unit */
    double gain_unit;  /* objective units per (gradient step)^2 / hessian step */
};

/* G^2 / (H + lambda) of packed sums, in steps. */
double split_score(uint64_t sum, double lambda);

/* Looks at one column: hist[n_bins] of present codes and hist[n_bins] of missing ones; total is the
 * sum of the node. Replaces *best when the gain is strictly greater, so among equal gains the
 * column looked at first and the lowest bin win. */
void split_search(const uint64_t *hist, size_t n_bins, uint64_t total, uint32_t column,
                  const struct split_rule *rule, struct split *best);

#endif
