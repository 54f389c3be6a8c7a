/* How good predictions are, as JSON: metrics with bootstrap intervals by group, the calibration
 * table and the parts of the Brier score, and for lives what goes with a curve of P(failure by t).
 * Shared by `fettle fit` (out-of-fold predictions) and `fettle score`. Definitions: metrics.h,
 * metrics_survival.h, bootstrap.h. */
#ifndef APP_MEASURE_H
#define APP_MEASURE_H

#include "app/base/json.h"
#include "app/base/pool.h"
#include "app/base/status.h"
#include "models/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEASURE_N_TIMES = 11, MEASURE_MANY_ROWS = 20000, MEASURE_REPEATS = 200 };

struct measure_rows {
    enum model_task task;
    size_t n;
    const double *p;     /* [n] probability, value, or log relative hazard (higher = sooner) */
    const double *y;     /* [n] 0/1, value, or time > 0 */
    const bool *failed;  /* survival */
    const size_t *group; /* rows of one number belong together; NULL = each is its own */
    double quantile;     /* level that a regression predicts; NaN = the mean or median */
    /* Survival: instants of measure_times() and curve[n][n_times] = P(failure by them); n_times 0 =
     * not known. */
    const double *times, *curve;
    size_t n_times;
};

struct measure_options {
    size_t n_repeats; /* of the bootstrap, 0 or 2..100,000; MEASURE_AUTO: 200, for more than
                         MEASURE_MANY_ROWS rows none */
    double level;     /* of the intervals, inside (0, 1) */
    uint64_t seed;
};
#define MEASURE_AUTO SIZE_MAX

/* Adds to an object: "metrics" {name: value}; with repeats "intervals" {"level", "repeats",
 * "groups", name: [lower, upper]}; to classify "brier_parts" and "calibration_table" (ten bins of
 * equal numbers of rows); for lives with a curve "over_time" {"times", "auc", "brier"}. Metrics:
 * auc, pr_auc, logloss, brier; rmse, mae, for a quantile pinball; concordance, concordance_uno and
 * with a curve brier_integrated. Undefined ones are null. FT_INVALID: a time that is not above 0;
 * FT_NOMEM. */
enum ft_status measure(const struct measure_rows *rows, const struct measure_options *options,
                       struct pool *pool, cJSON *to, struct ft_err *err);

/* Instants at which lives are judged: evenly from the first to the ninth decile of the failures'
 * times, into times[MEASURE_N_TIMES]; returns how many, 0 with fewer than ten failures. */
size_t measure_times(const double *y, const bool *failed, size_t n, double *times);

#endif
