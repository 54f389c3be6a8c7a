/* Bootstrap interval of any metric (Efron and Tibshirani 1993, chapter 13): groups of rows (the
 * rows of one machine) are drawn with replacement, since rows of a group are not independent. */
#ifndef MODELS_BOOTSTRAP_H
#define MODELS_BOOTSTRAP_H

#include "app/base/pool.h"
#include "app/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct bootstrap_problem {
    size_t n_rows;
    const size_t *group; /* [n_rows] any numbers; NULL = every row is its own */
    /* The metric over row[0..n), rows may repeat, n > 0; NaN = undefined there. Called from several
     * threads at once. */
    double (*metric)(const void *ctx, const size_t *row, size_t n);
    const void *ctx;
    size_t n_repeats; /* 2..100,000; 1,000 gives limits to about two digits */
    double level;     /* of the interval, inside (0, 1) */
    uint64_t seed;
};

struct bootstrap_result {
    double value;               /* over the rows as they are */
    double std_error;           /* sd over the repeats */
    double lower, upper;        /* percentiles (1 -+ level) / 2 of the repeats */
    size_t n_groups, n_defined; /* repeats in which the metric was defined */
};

/* The same bits for any number of threads. With less than half of the repeats defined, error and
 * limits are NaN. FT_INVALID: no rows, a level or number of repeats out of range; FT_NOMEM.
 * Allocates 8 bytes per row and running thread (more when groups differ in size). */
enum ft_status bootstrap(const struct bootstrap_problem *problem, struct pool *pool,
                         struct bootstrap_result *out, struct ft_err *err);

/* A metric of metrics.h as ctx of bootstrap_row_metric(): weight may be NULL. */
struct bootstrap_rows {
    double (*metric)(const double *a, const double *b, const double *weight, size_t n);
    const double *a, *b, *weight; /* [n_rows] */
};
double bootstrap_row_metric(const void *ctx, const size_t *row, size_t n);

#endif
