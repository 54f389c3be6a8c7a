#include "models/metrics_survival.h"

#include "models/kaplan_meier.h"
#include "models/metrics.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* --- G ---------------------------------------------------------------------------------------- */

struct censoring {
    struct kaplan_meier_point *points;
    size_t n_points;
};

enum ft_status censoring_fit(const double *time, const bool *failed, size_t n,
                             struct censoring **out, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    double *end = calloc(n > 0 ? n : 1, sizeof(*end));
    bool *is_censored = calloc(n > 0 ? n : 1, sizeof(*is_censored));
    struct censoring *c = calloc(1, sizeof(*c));
    *out = NULL;
    if (end == NULL || is_censored == NULL || c == NULL) {
        st = ft_fail(err, FT_NOMEM, "censoring: no memory for %zu units", n);
    } else {
        /* A failure leaves an instant before the censored of its time. */
        for (size_t i = 0; i < n; i++) {
            end[i] = failed[i] && time[i] > 0 ? nextafter(time[i], 0) : time[i];
            is_censored[i] = !failed[i];
        }
        st = kaplan_meier(end, is_censored, NULL, NULL, n, 0.95, &c->points, &c->n_points, err);
    }
    free(end);
    free(is_censored);
    if (st != FT_OK) {
        free(c);
        return st;
    }
    *out = c;
    return FT_OK;
}

double censoring_uncensored(const struct censoring *c, double t)
{
    return kaplan_meier_survival(c->points, c->n_points, t);
}

double censoring_uncensored_before(const struct censoring *c, double t)
{
    return kaplan_meier_survival(c->points, c->n_points, nextafter(t, -INFINITY));
}

void censoring_free(struct censoring *c)
{
    if (c == NULL)
        return;
    free(c->points);
    free(c);
}

/* --- concordance ------------------------------------------------------------------------------ */

struct lived {
    double time, risk;
    double weight; /* of the pairs in which it is the one that fails; 0 = never */
    size_t rank;   /* of the risk among the distinct risks, from 1 */
    size_t i;
    bool failed;
};

static int by_risk(const void *a, const void *b)
{
    const struct lived *p = a;
    const struct lived *q = b;
    if (p->risk != q->risk)
        return p->risk < q->risk ? -1 : 1;
    return p->i < q->i ? -1 : 1;
}

/* By falling time; at one time the censored come first, since they outlive the failures there. */
static int by_time_descending(const void *a, const void *b)
{
    const struct lived *p = a;
    const struct lived *q = b;
    if (p->time != q->time)
        return p->time > q->time ? -1 : 1;
    if (p->failed != q->failed)
        return (int)p->failed - (int)q->failed;
    return p->i < q->i ? -1 : 1;
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
 * of two failures at the same time are not comparable (as in R's survival::concordance). With
 * weights of 1 the sums are whole numbers, exact below 2^53. */
static double concordance_of(const struct lived *units, size_t n, uint64_t *tree)
{
    double twice = 0, pairs = 0;
    size_t seen = 0;
    for (size_t i = 0; i < n;) {
        const double at = units[i].time;
        for (; i < n && units[i].time == at && !units[i].failed; i++, seen++)
            count_add(tree, n, units[i].rank);
        size_t end = i;
        for (; end < n && units[end].time == at; end++) {
            const uint64_t below = count_to(tree, units[end].rank - 1);
            const uint64_t both = below + count_to(tree, units[end].rank);
            twice += units[end].weight * (double)both;
            pairs += units[end].weight * (double)seen;
        }
        for (; i < end; i++, seen++)
            count_add(tree, n, units[i].rank);
    }
    return pairs > 0 ? twice / (2 * pairs) : NAN;
}

/* c NULL = every failure weighs 1. */
static double weighted_concordance(const double *risk, const double *time, const bool *failed,
                                   size_t n, const struct censoring *c, double horizon)
{
    double result = NAN;
    struct lived *units = calloc(n + 1, sizeof(*units));
    uint64_t *tree = calloc(n + 1, sizeof(*tree));
    bool is_valid = n > 0 && units != NULL && tree != NULL;
    for (size_t i = 0; is_valid && i < n; i++) {
        units[i] = (struct lived){time[i], risk[i], 0, 0, i, failed[i]};
        is_valid = !isnan(risk[i]) && !isnan(time[i]);
        if (!failed[i] || !(time[i] < horizon))
            continue;
        const double g = c != NULL ? censoring_uncensored_before(c, time[i]) : 1;
        units[i].weight = g > 0 ? 1 / (g * g) : 0;
    }
    if (is_valid) {
        qsort(units, n, sizeof(*units), by_risk);
        for (size_t i = 0, rank = 0; i < n; i++)
            units[i].rank = rank += i == 0 || units[i].risk != units[i - 1].risk;
        qsort(units, n, sizeof(*units), by_time_descending);
        result = concordance_of(units, n, tree);
    }
    free(units);
    free(tree);
    return result;
}

double metric_concordance(const double *risk, const double *time, const bool *failed, size_t n)
{
    return weighted_concordance(risk, time, failed, n, NULL, INFINITY);
}

double metric_concordance_uno(const double *risk, const double *time, const bool *failed, size_t n,
                              const struct censoring *c, double horizon)
{
    return weighted_concordance(risk, time, failed, n, c, horizon);
}

/* --- at an instant ---------------------------------------------------------------------------- */

double metric_auc_at(const double *risk, const double *time, const bool *failed, size_t n,
                     const struct censoring *c, double t)
{
    double *score = calloc(n > 0 ? n : 1, 3 * sizeof(*score));
    if (score == NULL)
        return NAN;
    double *is_case = score + n, *weight = score + 2 * n;
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        const bool has_failed = failed[i] && time[i] <= t;
        const double g = has_failed ? censoring_uncensored_before(c, time[i]) : 1;
        if ((!has_failed && !(time[i] > t)) || !(g > 0))
            continue;
        score[m] = risk[i];
        is_case[m] = has_failed;
        weight[m++] = 1 / g;
    }
    const double auc = metric_roc_auc(score, is_case, weight, m);
    free(score);
    return auc;
}

/* p of unit i at p[i * stride]. */
static double brier_at(const double *p, size_t stride, const double *time, const bool *failed,
                       size_t n, const struct censoring *c, double t)
{
    const double alive = censoring_uncensored(c, t);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double q = p[i * stride];
        if (time[i] > t)
            sum += q * q / alive;
        else if (failed[i])
            sum += (1 - q) * (1 - q) / censoring_uncensored_before(c, time[i]);
    }
    return n > 0 && isfinite(sum) ? sum / (double)n : NAN;
}

double metric_brier_at(const double *p, const double *time, const bool *failed, size_t n,
                       const struct censoring *c, double t)
{
    return brier_at(p, 1, time, failed, n, c, t);
}

double metric_brier_integrated(const double *p, const double *time, const bool *failed, size_t n,
                               const struct censoring *c, const double *t, size_t n_t)
{
    double sum = 0, last = NAN;
    for (size_t k = 0; k < n_t; k++) {
        const double now = brier_at(p + k, n_t, time, failed, n, c, t[k]);
        sum += k > 0 ? (t[k] - t[k - 1]) * (last + now) / 2 : 0;
        last = now;
    }
    return n_t >= 2 && t[n_t - 1] > t[0] ? sum / (t[n_t - 1] - t[0]) : NAN;
}
