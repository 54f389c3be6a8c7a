#include "models/competing.h"

#include "models/special.h"

#include <math.h>
#include <stdlib.h>

struct row {
    double time, weight;
    bool failed, is_wanted;
    size_t i;
};

static int by_time(const void *x, const void *y)
{
    const struct row *a = x;
    const struct row *b = y;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->i < b->i ? -1 : a->i > b->i;
}

/* Running sums over all failure ages i up to now, F_i the incidence then:
 * a = d / (n (n - d)), c = S_before d_wanted / n^2, b = S_before^2 d_wanted (n - d_wanted) / n^3.
 */
struct sums {
    double survival, incidence;
    double a, a_f, a_ff; /* of a, a F, a F^2 */
    double b;
    double c, c_f;
};

static void add_age(struct sums *s, double n, double d, double wanted)
{
    const double before = s->survival;
    s->incidence += before * wanted / n;
    s->survival *= 1 - d / n;
    const double f = s->incidence, c = before * wanted / (n * n);
    s->b += before * before * wanted * (n - wanted) / (n * n * n);
    s->c += c;
    s->c_f += c * f;
    if (d < n) { /* else nothing comes after, and its own term is 0 */
        const double a = d / (n * (n - d));
        s->a += a;
        s->a_f += a * f;
        s->a_ff += a * f * f;
    }
}

static struct incidence_point point_of(const struct sums *s, double t, double n, double wanted,
                                       double z)
{
    const double f = s->incidence;
    const double variance =
        f * f * s->a - 2 * f * s->a_f + s->a_ff + s->b - 2 * (f * s->c - s->c_f);
    const double error = sqrt(fmax(variance, 0)), l = log(f);
    const double by = exp(z * error / (f * l)); /* below 1 */
    return (struct incidence_point){
        t, n, wanted, f, error, f < 1 ? exp(l / by) : NAN, f < 1 ? exp(l * by) : NAN};
}

static size_t walk(const struct row *left, const struct row *came, size_t n, double z,
                   struct incidence_point *points)
{
    struct sums s = {.survival = 1};
    double n_risk = 0;
    size_t n_points = 0, n_came = 0;
    for (size_t i = 0; i < n;) {
        const double t = left[i].time;
        double gone = 0, failed = 0, wanted = 0;
        for (; n_came < n && came[n_came].time < t; n_came++)
            n_risk += came[n_came].weight;
        for (; i < n && left[i].time == t; i++) {
            gone += left[i].weight;
            failed += left[i].failed ? left[i].weight : 0;
            wanted += left[i].is_wanted ? left[i].weight : 0;
        }
        if (failed > 0)
            add_age(&s, n_risk, failed, wanted);
        if (wanted > 0)
            points[n_points++] = point_of(&s, t, n_risk, wanted, z);
        n_risk -= gone;
    }
    return n_points;
}

enum ft_status competing_incidence(const struct life_data *data, const size_t *mode, size_t wanted,
                                   double confidence, struct incidence_point **points,
                                   size_t *n_points, struct ft_err *err)
{
    struct life_totals totals;
    const size_t n = data->n;
    *points = NULL;
    *n_points = 0;
    enum ft_status st = life_data_totals(data, &totals, err);
    if (st != FT_OK)
        return st;
    if (totals.n_intervals > 0 || !(confidence > 0 && confidence < 1))
        return ft_fail(err, FT_INVALID,
                       "the incidence of a mode needs known ages at failure and a confidence "
                       "inside (0, 1)");
    struct row *left = calloc(n, sizeof(*left)), *came = calloc(n, sizeof(*came));
    struct incidence_point *out = calloc(n, sizeof(*out));
    if (left == NULL || came == NULL || out == NULL) {
        st = ft_fail(err, FT_NOMEM, "no memory for %zu units", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        const double w = life_data_weight(data, i);
        const bool failed = data->failed[i];
        left[i] = (struct row){data->time[i], w, failed, failed && mode[i] == wanted, i};
        came[i] = (struct row){life_data_entry(data, i), w, false, false, i};
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
