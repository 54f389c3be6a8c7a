#include "app/prognosis.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

const double prognosis_lambdas[PROGNOSIS_N_LAMBDAS] = {0.25, 0.5, 0.75};

enum { N_STEPS = 40 /* halvings of the threshold search */ };
/* A row this far past a share of the life, as a share of the life, no longer speaks for it. */
static const double lambda_reach = 0.05;

static int compare_doubles(const void *pa, const void *pb)
{
    const double a = *(const double *)pa;
    const double b = *(const double *)pb;
    return a < b ? -1 : a > b;
}

static double median(double *v, size_t n)
{
    if (n == 0)
        return NAN;
    qsort(v, n, sizeof(*v), compare_doubles);
    return n % 2 == 1 ? v[n / 2] : 0.5 * (v[n / 2 - 1] + v[n / 2]);
}

/* --- remaining lives --- */

static double capped(const struct prognosis_rows *r, size_t i)
{
    return fmin(r->cap, r->truth[i]);
}

/* The first row of the unit's rows [from, to) at or just after a share of its life; to = none. */
static size_t row_at(const struct prognosis_rows *r, size_t from, size_t to, double lambda)
{
    const double life = r->age[from] + r->truth[from];
    for (size_t i = from; i < to; i++)
        if (r->age[i] >= lambda * life)
            return r->age[i] <= (lambda + lambda_reach) * life ? i : to;
    return to;
}

/* Remaining life from which on every forecast of the unit stays inside the band. */
static double unit_horizon(const struct prognosis_rows *r, size_t from, size_t to)
{
    double horizon = 0;
    for (size_t i = to; i > from; i--) {
        if (!(fabs(r->prediction[i - 1] - capped(r, i - 1)) <= PROGNOSIS_ALPHA * r->cap))
            break;
        horizon = capped(r, i - 1);
    }
    return horizon;
}

static double unit_accuracy(const struct prognosis_rows *r, size_t from, size_t to)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        if (!(r->truth[i] > 0 && r->truth[i] <= r->cap))
            continue;
        sum += 1 - fabs(r->prediction[i] - r->truth[i]) / r->truth[i];
        n++;
    }
    return n > 0 ? sum / (double)n : NAN;
}

struct prognosis prognosis_lives(const struct prognosis_rows *r)
{
    struct prognosis out = {{NAN, NAN, NAN}, {0}, NAN, NAN, 0};
    double hits[PROGNOSIS_N_LAMBDAS] = {0};
    double accuracy = 0;
    size_t n_accuracy = 0;
    double *horizon = calloc(r->n + 1, sizeof(*horizon));
    if (horizon == NULL)
        return out;
    for (size_t from = 0; from < r->n;) {
        size_t to = from;
        while (to < r->n && r->unit[to] == r->unit[from])
            to++;
        for (size_t l = 0; l < PROGNOSIS_N_LAMBDAS; l++) {
            const size_t i = row_at(r, from, to, prognosis_lambdas[l]);
            if (i == to)
                continue;
            out.n_lambda[l]++;
            hits[l] += fabs(r->prediction[i] - capped(r, i)) <= PROGNOSIS_ALPHA * capped(r, i);
        }
        const double a = unit_accuracy(r, from, to);
        if (isfinite(a)) {
            accuracy += a;
            n_accuracy++;
        }
        horizon[out.n_units++] = unit_horizon(r, from, to);
        from = to;
    }
    for (size_t l = 0; l < PROGNOSIS_N_LAMBDAS; l++)
        if (out.n_lambda[l] > 0)
            out.alpha_lambda[l] = hits[l] / (double)out.n_lambda[l];
    if (n_accuracy > 0)
        out.relative_accuracy = accuracy / (double)n_accuracy;
    out.horizon = median(horizon, out.n_units);
    free(horizon);
    return out;
}

/* --- alarms --- */

struct count {
    size_t alarms, false_alarms;
};

static struct count count_alarms(const struct alarm_rows *r, double threshold)
{
    struct count c = {0, 0};
    bool is_on = false;
    bool is_true = false;
    for (size_t i = 0; i < r->n; i++) {
        const bool is_new = i == 0 || r->unit[i] != r->unit[i - 1];
        if (is_on && (is_new || r->p[i] < threshold)) {
            c.false_alarms += !is_true;
            is_on = false;
        }
        if (r->p[i] < threshold)
            continue;
        if (!is_on) {
            c.alarms++;
            is_true = false;
        }
        is_on = true;
        is_true = is_true || r->failure_ms[i] != INT64_MIN;
    }
    c.false_alarms += is_on && !is_true;
    return c;
}

struct alarm_answer prognosis_alarms_at(const struct alarm_rows *r, double threshold)
{
    struct alarm_answer out = {.threshold = threshold, .lead_time_s = NAN, .recall = NAN};
    const struct count c = count_alarms(r, threshold);
    double *lead = calloc(r->n + 1, sizeof(*lead));
    out.false_alarm_rate = (double)c.false_alarms / r->unit_months;
    out.alarm_rate = (double)c.alarms / r->unit_months;
    if (lead == NULL)
        return out;
    bool is_announced = false;
    for (size_t i = 0; i < r->n; i++) {
        const bool is_same =
            i > 0 && r->unit[i] == r->unit[i - 1] && r->failure_ms[i] == r->failure_ms[i - 1];
        if (r->failure_ms[i] == INT64_MIN)
            continue;
        if (!is_same) {
            out.n_failures++;
            is_announced = false;
        }
        if (is_announced || r->p[i] < threshold)
            continue;
        lead[out.n_announced++] = (double)(r->failure_ms[i] - r->as_of_ms[i]) / 1000;
        is_announced = true;
    }
    if (out.n_failures > 0)
        out.recall = (double)out.n_announced / (double)out.n_failures;
    out.lead_time_s = median(lead, out.n_announced);
    free(lead);
    return out;
}

struct alarm_answer prognosis_alarms(const struct alarm_rows *r, double max_rate)
{
    struct alarm_answer out = {.threshold = NAN, .recall = NAN, .lead_time_s = NAN};
    double *sorted = calloc(r->n + 1, sizeof(*sorted));
    if (sorted == NULL || r->n == 0 || !(r->unit_months > 0)) {
        free(sorted);
        return out;
    }
    for (size_t i = 0; i < r->n; i++)
        sorted[i] = r->p[i];
    qsort(sorted, r->n, sizeof(*sorted), compare_doubles);
    /* Runs merge at low thresholds, so their number is not monotone: from the top down to the
     * first value that breaks the rate, by halving over the sorted values. */
    size_t good = r->n; /* above all: no alarm */
    size_t bad = 0;
    for (size_t step = 0; step < N_STEPS && good > bad; step++) {
        const size_t mid = bad + (good - bad) / 2;
        const struct count c = count_alarms(r, sorted[mid]);
        if ((double)c.false_alarms / r->unit_months <= max_rate)
            good = mid;
        else
            bad = mid + 1;
    }
    const double threshold = good < r->n ? sorted[good] : nextafter(sorted[r->n - 1], INFINITY);
    free(sorted);
    return prognosis_alarms_at(r, threshold);
}
