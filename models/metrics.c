#include "models/metrics.h"

#include "app/base/rng.h"
#include "models/order.h"

#include <math.h>
#include <stdlib.h>

struct scored {
    double score, y, weight;
};

/* Rows by falling score, ties in the order of the rows, so that sums do not depend on the sort;
 * NULL when a value is NaN, n is 0 or memory is gone. Caller frees. */
static struct scored *sort_scores(const double *score, const double *y, const double *weight,
                                  size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(score[i]) || isnan(y[i]) || (weight != NULL && isnan(weight[i])))
            return NULL;
    size_t *order = n > 0 ? calloc(n, sizeof(*order)) : NULL;
    struct scored *rows = n > 0 ? calloc(n, sizeof(*rows)) : NULL;
    if (order == NULL || rows == NULL || !order_falling(score, n, order)) {
        free(order);
        free(rows);
        return NULL;
    }
    for (size_t k = 0; k < n; k++) {
        const size_t i = order[k];
        rows[k] = (struct scored){score[i], y[i], weight != NULL ? weight[i] : 1.0};
    }
    free(order);
    return rows;
}

double metric_roc_auc(const double *score, const double *y, const double *weight, size_t n)
{
    struct scored *rows = sort_scores(score, y, weight, n);
    if (rows == NULL)
        return NAN;
    double hits = 0, misses = 0, area = 0;
    for (size_t i = 0; i < n;) {
        double up = 0, right = 0;
        const double at = rows[i].score;
        for (; i < n && rows[i].score == at; i++)
            *(rows[i].y > 0.5 ? &up : &right) += rows[i].weight;
        area += right * (hits + 0.5 * up);
        hits += up;
        misses += right;
    }
    free(rows);
    return hits > 0 && misses > 0 ? area / (hits * misses) : NAN;
}

double metric_pr_auc(const double *score, const double *y, const double *weight, size_t n)
{
    struct scored *rows = sort_scores(score, y, weight, n);
    if (rows == NULL)
        return NAN;
    double hits = 0, alarms = 0, sum = 0;
    for (size_t i = 0; i < n;) {
        double up = 0;
        const double at = rows[i].score;
        for (; i < n && rows[i].score == at; i++) {
            alarms += rows[i].weight;
            up += rows[i].y > 0.5 ? rows[i].weight : 0;
        }
        hits += up;
        if (up > 0)
            sum += up * (hits / alarms);
    }
    free(rows);
    return hits > 0 ? sum / hits : NAN;
}

static double row_weight(const double *weight, size_t i)
{
    return weight != NULL ? weight[i] : 1.0;
}

double metric_log_loss(const double *p, const double *y, const double *weight, size_t n)
{
    const double eps = 0x1p-52; /* the clip of scikit-learn for doubles */
    double sum = 0, total = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(p[i]) || isnan(y[i]))
            return NAN;
        const double q = fmin(fmax(p[i], eps), 1 - eps);
        const double w = row_weight(weight, i);
        sum -= w * (y[i] > 0.5 ? log(q) : log1p(-q));
        total += w;
    }
    return total > 0 ? sum / total : NAN;
}

/* Weighted mean of the squared or absolute difference. */
static double mean_difference(const double *a, const double *b, const double *weight, size_t n,
                              bool is_squared)
{
    double sum = 0, total = 0;
    for (size_t i = 0; i < n; i++) {
        const double w = row_weight(weight, i);
        const double d = a[i] - b[i];
        sum += w * (is_squared ? d * d : fabs(d));
        total += w;
    }
    return total > 0 ? sum / total : NAN;
}

double metric_brier(const double *p, const double *y, const double *weight, size_t n)
{
    return mean_difference(p, y, weight, n, true);
}

double metric_rmse(const double *prediction, const double *truth, const double *weight, size_t n)
{
    return sqrt(mean_difference(prediction, truth, weight, n, true));
}

double metric_mae(const double *prediction, const double *truth, const double *weight, size_t n)
{
    return mean_difference(prediction, truth, weight, n, false);
}

double metric_pinball(const double *prediction, const double *truth, const double *weight, size_t n,
                      double level)
{
    double sum = 0, total = 0;
    for (size_t i = 0; i < n; i++) {
        const double w = row_weight(weight, i);
        const double d = truth[i] - prediction[i];
        sum += w * (d > 0 ? level * d : (level - 1) * d);
        total += w;
    }
    return total > 0 ? sum / total : NAN;
}

void metric_share_limits(double share, double n, double *lower, double *upper)
{
    const double z = 1.959963984540054;
    const double middle = (share + z * z / (2 * n)) / (1 + z * z / n);
    const double half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    *lower = fmax(middle - half, 0);
    *upper = fmin(middle + half, 1);
}

/* End of the bin that begins at row i of rows by rising score: the rows of equal width, or the
 * quantile moved up past ties. */
static size_t bin_end(const struct scored *rows, size_t n, size_t i, size_t n_bins,
                      bool by_quantile, size_t *bin)
{
    size_t end = i;
    if (by_quantile) {
        while (end <= i)
            end = ++*bin * n / n_bins;
        while (end < n && rows[n - 1 - end].score == rows[n - end].score)
            end++;
        return end;
    }
    const double scaled = rows[n - 1 - i].score * (double)n_bins;
    const size_t here = scaled < (double)n_bins ? (size_t)scaled : n_bins - 1;
    const double to = (double)(here + 1) / (double)n_bins;
    while (end < n && (here + 1 == n_bins || rows[n - 1 - end].score < to || end == i))
        end++;
    return end;
}

/* rows by falling score, read from the end. */
static struct calibration_bin sum_bin(const struct scored *rows, size_t n, size_t begin, size_t end)
{
    struct calibration_bin b = {.n_rows = end - begin};
    double square = 0, sum_p = 0, sum_y = 0;
    for (size_t k = begin; k < end; k++) {
        const struct scored *r = &rows[n - 1 - k];
        b.weight += r->weight;
        square += r->weight * r->weight;
        sum_p += r->weight * r->score;
        sum_y += r->weight * r->y;
    }
    b.mean_p = sum_p / b.weight;
    b.rate = sum_y / b.weight;
    metric_share_limits(b.rate, b.weight * b.weight / square, &b.lower, &b.upper);
    return b;
}

size_t metric_calibration_table(const double *p, const double *y, const double *weight, size_t n,
                                size_t n_bins, bool by_quantile, struct calibration_bin *bins)
{
    size_t n_used = 0, bin = 0;
    struct scored *rows = n_bins > 0 ? sort_scores(p, y, weight, n) : NULL;
    if (rows == NULL)
        return 0;
    const bool is_valid = rows[0].score <= 1 && rows[n - 1].score >= 0;
    for (size_t i = 0; is_valid && i < n;) {
        const size_t end = bin_end(rows, n, i, n_bins, by_quantile, &bin);
        bins[n_used] = sum_bin(rows, n, i, end);
        n_used += bins[n_used].weight > 0;
        i = end;
    }
    free(rows);
    return n_used;
}

struct brier_parts metric_brier_parts(const double *p, const double *y, const double *weight,
                                      size_t n, size_t n_bins)
{
    struct brier_parts parts = {NAN, NAN, NAN, NAN, NAN};
    struct calibration_bin *bins = calloc(n_bins > 0 ? n_bins : 1, sizeof(*bins));
    const size_t n_used =
        bins != NULL ? metric_calibration_table(p, y, weight, n, n_bins, false, bins) : 0;
    double total = 0, sum_y = 0;
    for (size_t b = 0; b < n_used; b++) {
        total += bins[b].weight;
        sum_y += bins[b].weight * bins[b].rate;
    }
    if (n_used > 0) {
        const double mean = sum_y / total;
        parts = (struct brier_parts){.brier = metric_brier(p, y, weight, n),
                                     .uncertainty = mean * (1 - mean)};
        for (size_t b = 0; b < n_used; b++) {
            const double gap = bins[b].mean_p - bins[b].rate, lift = bins[b].rate - mean;
            parts.reliability += bins[b].weight / total * gap * gap;
            parts.resolution += bins[b].weight / total * lift * lift;
        }
        parts.within = parts.brier - (parts.reliability - parts.resolution + parts.uncertainty);
    }
    free(bins);
    return parts;
}

double metric_phm08(const double *prediction, const double *truth, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = prediction[i] - truth[i];
        sum += expm1(d < 0 ? -d / 13 : d / 10);
    }
    return n > 0 ? sum : NAN;
}

double metric_calibration_error(const double *p, const double *y, size_t n, size_t n_bins)
{
    double *gap = n > 0 && n_bins > 0 ? calloc(n_bins, sizeof(*gap)) : NULL;
    if (gap == NULL)
        return NAN;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(p[i] >= 0 && p[i] <= 1)) {
            free(gap);
            return NAN;
        }
        const size_t bin = (size_t)(p[i] * (double)n_bins);
        gap[bin < n_bins ? bin : n_bins - 1] += p[i] - y[i];
    }
    /* |mean p - mean y| of a bin times its share of the rows = |sum of p - y| / n. */
    for (size_t b = 0; b < n_bins; b++)
        sum += fabs(gap[b]);
    free(gap);
    return sum / (double)n;
}

double metric_calibration_chance(const double *p, size_t n, size_t n_bins)
{
    enum { DRAWS = 400 };
    double *y = calloc(n + 1, sizeof(*y));
    double sum = 0;
    if (y == NULL)
        return NAN;
    for (uint64_t k = 0; k < DRAWS; k++) {
        for (size_t i = 0; i < n; i++)
            y[i] = rng_uniform(1, k, i) < p[i] ? 1 : 0;
        sum += metric_calibration_error(p, y, n, n_bins);
    }
    free(y);
    return sum / DRAWS;
}

static struct threshold_metrics threshold_of(double threshold, size_t n_hits, size_t n_alarms,
                                             size_t n_positives)
{
    const double hits = (double)n_hits;
    return (struct threshold_metrics){
        .threshold = threshold,
        .precision = n_alarms > 0 ? hits / (double)n_alarms : NAN,
        .recall = n_positives > 0 ? hits / (double)n_positives : NAN,
        .f1 = n_alarms + n_positives > 0 ? 2 * hits / (double)(n_alarms + n_positives) : NAN,
        .n_alarms = n_alarms,
        .n_hits = n_hits,
    };
}

struct threshold_metrics metric_at_threshold(const double *p, const double *y, size_t n,
                                             double threshold)
{
    size_t n_hits = 0, n_alarms = 0, n_positives = 0;
    for (size_t i = 0; i < n; i++) {
        const bool is_alarm = p[i] >= threshold;
        const bool is_positive = y[i] > 0.5;
        n_alarms += is_alarm;
        n_positives += is_positive;
        n_hits += is_alarm && is_positive;
    }
    return threshold_of(threshold, n_hits, n_alarms, n_positives);
}

struct threshold_metrics metric_best_f1(const double *p, const double *y, size_t n)
{
    struct threshold_metrics best = {NAN, NAN, NAN, NAN, 0, 0};
    struct scored *rows = sort_scores(p, y, NULL, n);
    if (rows == NULL)
        return best;
    size_t n_positives = 0, n_hits = 0;
    for (size_t i = 0; i < n; i++)
        n_positives += rows[i].y > 0.5;
    for (size_t i = 0; i < n && n_positives > 0;) {
        const double at = rows[i].score;
        for (; i < n && rows[i].score == at; i++)
            n_hits += rows[i].y > 0.5;
        const struct threshold_metrics here = threshold_of(at, n_hits, i, n_positives);
        if (isnan(best.f1) || here.f1 > best.f1)
            best = here; /* equal F1: the higher threshold stays, which alarms less */
    }
    free(rows);
    return best;
}
