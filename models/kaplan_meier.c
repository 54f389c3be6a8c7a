#include "models/kaplan_meier.h"

#include "models/special.h"

#include <math.h>
#include <stdlib.h>

struct unit {
    double time, weight;
    bool failed;
    size_t i;
};

static int by_time(const void *a, const void *b)
{
    const struct unit *p = a;
    const struct unit *q = b;
    if (p->time != q->time)
        return p->time < q->time ? -1 : 1;
    return p->i < q->i ? -1 : 1;
}

static enum ft_status check(const double *time, const double *entry, const double *weight, size_t n,
                            double confidence, struct ft_err *err)
{
    if (!(confidence > 0 && confidence < 1))
        return ft_fail(err, FT_INVALID, "confidence %g, expected inside (0, 1)", confidence);
    for (size_t i = 0; i < n; i++) {
        const double e = entry != NULL ? entry[i] : 0, w = weight != NULL ? weight[i] : 1;
        if (!(time[i] > 0) || !isfinite(time[i]))
            return ft_fail(err, FT_INVALID, "unit %zu: time %g, expected a number above 0", i + 1,
                           time[i]);
        if (!(e >= 0) || !(e < time[i]))
            return ft_fail(err, FT_INVALID, "unit %zu: entry %g, expected 0 <= entry < time %g",
                           i + 1, e, time[i]);
        if (!(w >= 0) || !isfinite(w))
            return ft_fail(err, FT_INVALID, "unit %zu: weight %g, expected >= 0", i + 1, w);
    }
    return FT_OK;
}

/* Running sums over the failure times. */
struct sums {
    double survival, greenwood, hazard, z;
};

static struct kaplan_meier_point next_point(struct sums *s, double time, double n_risk,
                                            double n_failures)
{
    s->survival *= n_failures < n_risk ? 1 - n_failures / n_risk : 0;
    s->hazard += n_failures / n_risk;
    s->greenwood += n_failures / (n_risk * (n_risk - n_failures)); /* infinite at survival 0 */
    const double v = log(s->survival); /* limits: log(-log S) -+ z sd / |log S| */
    const double by = exp(s->z * sqrt(s->greenwood) / -v);
    const bool is_gone = !(s->survival > 0);
    return (struct kaplan_meier_point){
        .time = time,
        .n_risk = n_risk,
        .n_failures = n_failures,
        .survival = s->survival,
        .std_error = is_gone ? 0 : s->survival * sqrt(s->greenwood),
        .lower = is_gone ? NAN : exp(v * by),
        .upper = is_gone ? NAN : exp(v / by),
        .cumulative_hazard = s->hazard,
    };
}

/* left[n]: units by time; came[n]: units by entry (their time member). */
static size_t walk(const struct unit *left, const struct unit *came, size_t n, double z,
                   struct kaplan_meier_point *points)
{
    struct sums s = {.survival = 1, .z = z};
    double n_risk = 0;
    size_t n_points = 0, n_came = 0;
    for (size_t i = 0; i < n;) {
        const double t = left[i].time;
        double gone = 0, n_failures = 0;
        for (; n_came < n && came[n_came].time < t; n_came++)
            n_risk += came[n_came].weight;
        for (; i < n && left[i].time == t; i++) {
            gone += left[i].weight;
            n_failures += left[i].failed ? left[i].weight : 0;
        }
        if (n_failures > 0)
            points[n_points++] = next_point(&s, t, n_risk, n_failures);
        n_risk -= gone;
    }
    return n_points;
}

enum ft_status kaplan_meier(const double *time, const bool *failed, const double *entry,
                            const double *weight, size_t n, double confidence,
                            struct kaplan_meier_point **points, size_t *n_points,
                            struct ft_err *err)
{
    *points = NULL;
    *n_points = 0;
    enum ft_status st = check(time, entry, weight, n, confidence, err);
    if (st != FT_OK || n == 0)
        return st;
    struct unit *left = calloc(n, sizeof(*left)), *came = calloc(n, sizeof(*came));
    struct kaplan_meier_point *out = calloc(n, sizeof(*out));
    if (left == NULL || came == NULL || out == NULL) {
        st = ft_fail(err, FT_NOMEM, "no memory for %zu units", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        const double w = weight != NULL ? weight[i] : 1;
        left[i] = (struct unit){time[i], w, failed[i], i};
        came[i] = (struct unit){entry != NULL ? entry[i] : 0, w, false, i};
    }
    qsort(left, n, sizeof(*left), by_time);
    qsort(came, n, sizeof(*came), by_time);
    *n_points = walk(left, came, n, special_normal_quantile(0.5 + confidence / 2), out);
    if (*n_points > 0) {
        *points = out;
        out = NULL;
    }
out:
    free(left);
    free(came);
    free(out);
    return st;
}

double kaplan_meier_survival(const struct kaplan_meier_point *points, size_t n_points, double t)
{
    size_t low = 0, high = n_points;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (points[middle].time <= t)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? points[low - 1].survival : 1;
}
