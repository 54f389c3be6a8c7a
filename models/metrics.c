#include "models/metrics.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

struct scored {
    double score, y, weight;
    size_t i; /* ties keep the order of the rows, so sums do not depend on the sort */
};

static int by_score_descending(const void *a, const void *b)
{
    const struct scored *p = a;
    const struct scored *q = b;
    if (p->score != q->score)
        return p->score > q->score ? -1 : 1;
    return p->i < q->i ? -1 : 1;
}

/* Rows by falling score; NULL when a value is NaN, n is 0 or memory is gone. Caller frees. */
static struct scored *sort_scores(const double *score, const double *y, const double *weight,
                                  size_t n)
{
    struct scored *rows = n > 0 ? calloc(n, sizeof(*rows)) : NULL;
    if (rows == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        rows[i] = (struct scored){score[i], y[i], weight != NULL ? weight[i] : 1.0, i};
        if (isnan(score[i]) || isnan(y[i]) || isnan(rows[i].weight)) {
            free(rows);
            return NULL;
        }
    }
    qsort(rows, n, sizeof(*rows), by_score_descending);
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

struct lived {
    double time;
    size_t rank; /* of the risk among the distinct risks, from 1 */
    bool failed;
};

/* By falling time; at one time the censored come first, since they outlive the failures there. */
static int by_time_descending(const void *a, const void *b)
{
    const struct lived *p = a;
    const struct lived *q = b;
    if (p->time != q->time)
        return p->time > q->time ? -1 : 1;
    return (int)p->failed - (int)q->failed;
}

/* Fenwick tree of counts: units seen so far by rank. */
static uint64_t count_to(const uint64_t *tree, size_t rank)
{
    uint64_t sum = 0;
    for (; rank > 0; rank &= rank - 1)
        sum += tree[rank];
    return sum;
}

static void count_add(uint64_t *tree, size_t n, size_t rank)
{
    for (; rank <= n; rank += rank & (~rank + 1))
        tree[rank]++;
}

/* Twice the concordant pairs plus the pairs tied in risk, over twice the comparable pairs. Pairs
 * of two failures at the same time are not comparable (as in R's survival::concordance). */
static double concordance_of(const struct lived *units, size_t n, uint64_t *tree)
{
    uint64_t twice = 0, pairs = 0, seen = 0;
    for (size_t i = 0; i < n;) {
        const double at = units[i].time;
        for (; i < n && units[i].time == at && !units[i].failed; i++, seen++)
            count_add(tree, n, units[i].rank);
        size_t end = i;
        for (; end < n && units[end].time == at; end++) {
            const uint64_t below = count_to(tree, units[end].rank - 1);
            twice += below + count_to(tree, units[end].rank);
            pairs += seen;
        }
        for (; i < end; i++, seen++)
            count_add(tree, n, units[i].rank);
    }
    return pairs > 0 ? (double)twice / (2 * (double)pairs) : NAN;
}

double metric_concordance(const double *risk, const double *time, const bool *failed, size_t n)
{
    double result = NAN;
    struct scored *rows = sort_scores(risk, time, NULL, n);
    struct lived *units = calloc(n + 1, sizeof(*units));
    uint64_t *tree = calloc(n + 1, sizeof(*tree));
    if (rows == NULL || units == NULL || tree == NULL)
        goto out;
    for (size_t k = n, rank = 0; k-- > 0;) {
        if (k + 1 == n || rows[k].score != rows[k + 1].score)
            rank++;
        units[rows[k].i] = (struct lived){time[rows[k].i], rank, failed[rows[k].i]};
    }
    qsort(units, n, sizeof(*units), by_time_descending);
    result = concordance_of(units, n, tree);
out:
    free(rows);
    free(units);
    free(tree);
    return result;
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
