/* Health channels: many noisy, correlated sensors become a few numbers that move with wear.
 *
 * Sensors are standardised per operating regime, their reading-to-reading noise is whitened, the
 * directions along which units move slowly are found (PCA of smoothed values), and a factor model
 * per regime, sensors = offset + loading' h + noise, gives each channel by generalised least
 * squares, so that a row in any regime, or with sensors missing, answers on the same scale. Nothing
 * needs a label; units that failed only give each channel its sign and its level at failure. What
 * the factors do not explain is Q, the anomaly that needs no history of failures.
 *
 * Factor scores: Bartlett 1937 with a small prior; T2 and Q: Jackson and Mudholkar 1979. */
#ifndef MODELS_HEALTH_H
#define MODELS_HEALTH_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEALTH_MAX_CHANNELS = 4, HEALTH_MAX_SENSORS = 64 };
#define HEALTH_NO_REGIME SIZE_MAX

/* What is learned; every array is owned. p sensors, r regimes, k channels. */
struct health {
    size_t n_sensors, n_regimes, n_channels;
    double *mean, *spread; /* [r][p] of each sensor in its regime; spread > 0 */
    double *offset;        /* [r][p] standardised value of a unit with all channels 0 */
    double *loading;       /* [r][k][p] */
    double *noise;         /* [r][p][p] covariance of what the channels leave over */
    double *scale;         /* [k] > 0: channels have unit reading-to-reading noise */
    bool has_levels;       /* at least three units failed */
    double *start, *level; /* [k] where units begin and where they fail; level > start */
    /* Made from the above by health_prepare(). */
    double *score;     /* [r][k][p] channel = score (z - offset), all sensors present */
    double *precision; /* [r][k] */
};

/* Training rows of all units, one after the other. A unit is one life: from new or renewed to its
 * failure or the end of its data. */
struct health_rows {
    const double *x;      /* [n][n_sensors], NaN = missing */
    const size_t *regime; /* [n] < n_regimes, or HEALTH_NO_REGIME: the row is left out */
    const double *t;      /* [n] in ticks, rising inside a unit */
    const size_t *begin;  /* [n_units + 1] first row of each unit */
    const bool *failed;   /* [n_units] the unit's last row is just before its failure */
    size_t n_units, n_sensors, n_regimes;
};

/* FT_TOO_FEW: fewer sensors than channels or too few rows. FT_INVALID: a size out of range.
 * Allocates O(rows * sensors). The caller ends *out with health_free(). */
enum ft_status health_fit(const struct health_rows *rows, size_t n_channels, struct health **out,
                          struct ft_err *err);

/* An empty one of this shape for a reader to fill; FT_NOMEM, FT_INVALID. */
enum ft_status health_new(size_t n_sensors, size_t n_regimes, size_t n_channels,
                          struct health **out, struct ft_err *err);
/* Derives score and precision; FT_INVALID when a noise covariance is not positive definite or a
 * number is not finite. */
enum ft_status health_prepare(struct health *h, struct ft_err *err);
void health_free(struct health *h); /* NULL is fine */

struct health_point {
    double channel[HEALTH_MAX_CHANNELS];
    double precision[HEALTH_MAX_CHANNELS]; /* weight of the point in means and slopes */
    double q; /* squared distance from the factor model per present sensor: 1 = as in training */
    size_t n_present;
};

/* Scratch of one thread: the solution for the last pattern of missing sensors. */
struct health_work {
    size_t regime;
    uint64_t present;
    bool is_filled;
    double score[HEALTH_MAX_CHANNELS * HEALTH_MAX_SENSORS];
    double precision[HEALTH_MAX_CHANNELS];
};

/* One row x[n_sensors] (NaN = missing) in a regime. False when there is nothing to say: no regime,
 * or fewer sensors present than channels. */
bool health_score(const struct health *h, const double *x, size_t regime, struct health_work *w,
                  struct health_point *out);

/* Standardised value of sensor j, clipped; NaN stays. */
double health_z(const struct health *h, size_t regime, size_t j, double x);

#endif
