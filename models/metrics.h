/* Metrics of predictions. weight NULL = all 1. Definitions agree with scikit-learn (ties handled
 * the same way) and are checked against it. NaN when a metric is undefined (one class only, n = 0).
 */
#ifndef MODELS_METRICS_H
#define MODELS_METRICS_H

#include <stdbool.h>
#include <stddef.h>

double metric_roc_auc(const double *score, const double *y, const double *weight, size_t n);
/* Average precision: sum over thresholds of (recall step) * precision. */
double metric_pr_auc(const double *score, const double *y, const double *weight, size_t n);
double metric_log_loss(const double *p, const double *y, const double *weight, size_t n);
double metric_brier(const double *p, const double *y, const double *weight, size_t n);
double metric_rmse(const double *prediction, const double *truth, const double *weight, size_t n);
double metric_mae(const double *prediction, const double *truth, const double *weight, size_t n);
/* Mean pinball loss of a predicted quantile of the level. */
double metric_pinball(const double *prediction, const double *truth, const double *weight, size_t n,
                      double level);
/* Harrell's concordance for right-censored times: share of comparable pairs that the risk orders
 * rightly, ties in risk count half. O(n log n). */
double metric_concordance(const double *risk, const double *time, const bool *failed, size_t n);
/* Saxena 2008: sum of exp(-d / 13) - 1 for d < 0 and exp(d / 10) - 1 otherwise, d = prediction -
 * truth. */
double metric_phm08(const double *prediction, const double *truth, size_t n);
/* Expected calibration error over n_bins equal-width bins. */
double metric_calibration_error(const double *p, const double *y, size_t n, size_t n_bins);
/* Its mean when the probabilities are exactly right and only chance decides (400 seeded draws): an
 * error of this size on n rows is no fault. NaN without memory. */
double metric_calibration_chance(const double *p, size_t n, size_t n_bins);

/* 95 % limits of a share seen in n rows (Wilson 1927); n may be an effective number. */
void metric_share_limits(double share, double n, double *lower, double *upper);

/* One row of a calibration table: the rows whose probability lies in a bin. */
struct calibration_bin {
    size_t n_rows;
    double weight;       /* > 0 */
    double mean_p, rate; /* weighted means of the probability and of the outcome */
    double lower, upper; /* 95 % limits of the rate (Wilson, by the effective number of rows) */
};
/* Bins of equal width (a probability on an edge belongs to the bin above it, 1 to the last one) or,
 * by_quantile, of equal numbers of rows with equal probabilities kept together. Fills bins[n_bins]
 * by rising probability, empty ones left out, and returns how many; 0 when a value is no
 * probability or memory is gone. */
size_t metric_calibration_table(const double *p, const double *y, const double *weight, size_t n,
                                size_t n_bins, bool by_quantile, struct calibration_bin *bins);

/* Decomposition of the Brier score over n_bins bins of equal width (Murphy 1973): brier =
 * reliability - resolution + uncertainty + within, where within (Stephenson, Coelho and Jolliffe
 * 2008) is what the spread of probabilities inside the bins adds; 0 when each bin holds one value.
 */
struct brier_parts {
    double brier, reliability, resolution, uncertainty, within;
};
struct brier_parts metric_brier_parts(const double *p, const double *y, const double *weight,
                                      size_t n, size_t n_bins);

struct threshold_metrics {
    double threshold, precision, recall, f1;
    size_t n_alarms, n_hits;
};
/* At p >= threshold. */
struct threshold_metrics metric_at_threshold(const double *p, const double *y, size_t n,
                                             double threshold);
/* The threshold with the greatest F1. */
struct threshold_metrics metric_best_f1(const double *p, const double *y, size_t n);

#endif
