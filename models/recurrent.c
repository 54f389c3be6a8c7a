#include "models/recurrent.h"

#include "models/special.h"

#include <math.h>
#include <stdlib.h>

static int compare_times(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static size_t events_of(const double *count, bool is_event, size_t i)
{
    return !is_event ? 0 : count != NULL ? (size_t)count[i] : 1;
}

/* Ends, begins and number of events of each unit. */
static enum ft_status measure(const double *time, const bool *is_event, const size_t *unit,
                              const double *entry, const double *count, size_t n,
                              struct recurrent *r, struct ft_err *err)
{
    for (size_t u = 0; u < r->n_units; u++)
        r->units[u] = (struct recurrent_unit){.begin = INFINITY, .end = -1};
    for (size_t i = 0; i < n; i++) {
        struct recurrent_unit *u = &r->units[unit[i]];
        if (!(time[i] >= 0) || !isfinite(time[i]))
            return ft_fail(err, FT_INVALID, "row %zu: age %g, expected >= 0", i + 1, time[i]);
        u->begin = fmin(u->begin, entry != NULL ? entry[i] : 0);
        u->n += events_of(count, is_event[i], i);
        if (!is_event[i])
            u->end = fmax(u->end, time[i]);
    }
    for (size_t i = 0; i < n; i++) {
        struct recurrent_unit *u = &r->units[unit[i]];
        if (is_event[i] && u->end >= 0 && !u->ends_with_event && time[i] > u->end)
            return ft_fail(err, FT_INVALID,
                           "row %zu: an event at age %g, after the end of observation %g", i + 1,
                           time[i], u->end);
        if (is_event[i] && (u->end < 0 || u->ends_with_event)) {
            u->ends_with_event = true;
            u->end = fmax(u->end, time[i]);
        }
        if (is_event[i] && time[i] <= u->begin && u->begin > 0)
            return ft_fail(err, FT_INVALID,
                           "row %zu: an event at age %g, before the begin of observation %g", i + 1,
                           time[i], u->begin);
    }
    for (size_t u = 0; u < r->n_units; u++) {
        r->units[u].first = r->n_events;
        r->n_events += r->units[u].n;
    }
    return FT_OK;
}

enum ft_status recurrent_make(const double *time, const bool *is_event, const size_t *unit,
                              const double *entry, const double *count, size_t n, size_t n_units,
                              struct recurrent *out, struct ft_err *err)
{
    *out = (struct recurrent){.n_units = n_units};
    out->units = calloc(n_units + 1, sizeof(*out->units));
    if (out->units == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu units", n_units);
    enum ft_status st = measure(time, is_event, unit, entry, count, n, out, err);
    if (st == FT_OK) {
        out->times = calloc(out->n_events + 1, sizeof(*out->times));
        if (out->times == NULL)
            st = ft_fail(err, FT_NOMEM, "no memory for %zu events", out->n_events);
    }
    if (st != FT_OK) {
        recurrent_free(out);
        return st;
    }
    for (size_t u = 0; u < n_units; u++)
        out->units[u].n = 0;
    for (size_t i = 0; i < n; i++) {
        struct recurrent_unit *u = &out->units[unit[i]];
        for (size_t k = events_of(count, is_event[i], i); k > 0; k--)
            out->times[u->first + u->n++] = time[i];
    }
    for (size_t u = 0; u < n_units; u++)
        qsort(out->times + out->units[u].first, out->units[u].n, sizeof(double), compare_times);
    return FT_OK;
}

void recurrent_free(struct recurrent *r)
{
    free(r->units);
    free(r->times);
    *r = (struct recurrent){0};
}

/* A unit that begins at age 0 is watched at age 0 too: it may be dead on arrival. */
static bool is_watched(const struct recurrent_unit *u, double t)
{
    return (u->begin < t || (t == 0 && u->begin == 0)) && t <= u->end;
}

/* influence[u] is the inner sum of Meeker and Escobar's equation 16.2. */
static void add_age(const struct recurrent *r, double t, double z, double *influence, size_t *next,
                    double *mean, struct mcf_point *out)
{
    double n_risk = 0, n_events = 0, variance = 0;
    for (size_t u = 0; u < r->n_units; u++)
        n_risk += is_watched(&r->units[u], t);
    for (size_t u = 0; u < r->n_units; u++) {
        double own = 0;
        for (; next[u] < r->units[u].n && r->times[r->units[u].first + next[u]] == t; next[u]++)
            own++;
        n_events += own;
        influence[u] += own / n_risk;
    }
    for (size_t u = 0; u < r->n_units; u++) {
        if (is_watched(&r->units[u], t))
            influence[u] -= n_events / (n_risk * n_risk);
        variance += influence[u] * influence[u];
    }
    *mean += n_events / n_risk;
    const double error = sqrt(variance), by = exp(z * error / *mean);
    *out = (struct mcf_point){t, n_risk, n_events, *mean, error, *mean / by, *mean * by};
}

enum ft_status recurrent_mcf(const struct recurrent *r, double confidence,
                             struct mcf_point **points, size_t *n_points, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    *points = NULL;
    *n_points = 0;
    if (!(confidence > 0 && confidence < 1))
        return ft_fail(err, FT_INVALID, "confidence %g, expected inside (0, 1)", confidence);
    if (r->n_events == 0)
        return ft_fail(err, FT_TOO_FEW, "no event among %zu units", r->n_units);
    double *ages = calloc(r->n_events, sizeof(*ages));
    double *influence = calloc(r->n_units, sizeof(*influence));
    size_t *next = calloc(r->n_units, sizeof(*next));
    struct mcf_point *out = calloc(r->n_events, sizeof(*out));
    if (ages == NULL || influence == NULL || next == NULL || out == NULL) {
        st = ft_fail(err, FT_NOMEM, "no memory for %zu events", r->n_events);
        goto out;
    }
    const double z = special_normal_quantile(0.5 + confidence / 2);
    double mean = 0;
    for (size_t i = 0; i < r->n_events; i++)
        ages[i] = r->times[i];
    qsort(ages, r->n_events, sizeof(*ages), compare_times);
    for (size_t i = 0; i < r->n_events; i++)
        if (i == 0 || ages[i] > ages[i - 1])
            add_age(r, ages[i], z, influence, next, &mean, &out[(*n_points)++]);
    *points = out;
    out = NULL;
out:
    free(ages);
    free(influence);
    free(next);
    free(out);
    return st;
}

/* Events of a unit that say something of a trend: not the one that ended the observation. */
static size_t n_usable(const struct recurrent_unit *u)
{
    return u->n > 0 && u->ends_with_event ? u->n - 1 : u->n;
}

/* Both tails of a chi-squared law. */
static double chi_squared_p(double x, double degrees)
{
    const double upper = special_gamma_q(degrees / 2, x / 2);
    return 2 * fmin(upper, 1 - upper);
}

enum ft_status recurrent_trend(const struct recurrent *r, struct trend_test *out,
                               struct ft_err *err)
{
    double sum = 0, middle = 0, variance = 0, logs = 0;
    bool has_chi_squared = true;
    *out = (struct trend_test){.chi_squared = NAN, .chi_squared_p = NAN};
    for (size_t i = 0; i < r->n_units; i++) {
        const struct recurrent_unit *u = &r->units[i];
        const size_t n = n_usable(u);
        has_chi_squared = has_chi_squared && !(u->begin > 0);
        for (size_t k = 0; k < n; k++) {
            const double t = r->times[u->first + k];
            sum += t;
            has_chi_squared = has_chi_squared && t > 0;
            logs += t > 0 ? log(u->end / t) : 0;
        }
        middle += (double)n * (u->begin + u->end) / 2;
        variance += (double)n * (u->end - u->begin) * (u->end - u->begin) / 12;
        out->n_events += n;
    }
    if (out->n_events < 2 || !(variance > 0))
        return ft_fail(err, FT_TOO_FEW, "a trend needs 2 events before the end, there are %zu",
                       out->n_events);
    out->laplace = (sum - middle) / sqrt(variance);
    out->laplace_p = 2 * special_normal_cdf(-fabs(out->laplace));
    if (has_chi_squared) {
        out->degrees = 2 * (double)out->n_events;
        out->chi_squared = 2 * logs;
        out->chi_squared_p = chi_squared_p(out->chi_squared, out->degrees);
    }
    return FT_OK;
}

/* Sums over units of end^b - begin^b and its derivatives in b, ages over the greatest end. */
struct mass {
    double a0, a1, a2;
};

static void add_mass(struct mass *m, double sign, double x, double shape)
{
    if (!(x > 0))
        return;
    const double l = log(x), p = sign * exp(shape * l);
    m->a0 += p;
    m->a1 += p * l;
    m->a2 += p * l * l;
}

static struct mass mass_at(const struct recurrent *r, double unit, double shape)
{
    struct mass m = {0, 0, 0};
    for (size_t i = 0; i < r->n_units; i++) {
        add_mass(&m, 1, r->units[i].end / unit, shape);
        add_mass(&m, -1, r->units[i].begin / unit, shape);
    }
    return m;
}

/* Score of the profile likelihood in the shape: falls through 0 at the estimate. */
static double shape_score(const struct recurrent *r, double unit, double n, double sum_log,
                          double shape)
{
    const struct mass m = mass_at(r, unit, shape);
    return n / shape + sum_log - n * m.a1 / m.a0;
}

/* Is there an exact law of the shape? Then 2 n shape / estimate is chi-squared. */
static void set_exact(const struct recurrent *r, struct power_law *p)
{
    bool is_common = true;
    for (size_t i = 0; i < r->n_units; i++)
        is_common = is_common && r->units[i].begin == 0 && r->units[i].end == r->units[0].end &&
                    (!r->units[i].ends_with_event || r->n_units == 1);
    const double lost = r->units[0].ends_with_event ? 1 : 0;
    p->has_exact = is_common && p->n_events - lost >= 1;
    p->degrees = 2 * (p->n_events - lost);
    p->unbiased_shape = is_common ? p->shape * (p->n_events - 1 - lost) / p->n_events : NAN;
}

enum ft_status power_law_fit(const struct recurrent *r, struct power_law *out, struct ft_err *err)
{
    double unit = 0, sum_log = 0;
    const double n = (double)r->n_events;
    *out = (struct power_law){.n_events = n};
    for (size_t i = 0; i < r->n_units; i++)
        unit = fmax(unit, r->units[i].end);
    for (size_t i = 0; i < r->n_events; i++) {
        if (!(r->times[i] > 0))
            return ft_fail(err, FT_INVALID, "a power law cannot hold an event at age 0");
        sum_log += log(r->times[i] / unit);
    }
    double low = log(1e-3), high = log(1e3);
    if (r->n_events < 2 || !(shape_score(r, unit, n, sum_log, exp(high)) < 0) ||
        !(shape_score(r, unit, n, sum_log, exp(low)) > 0))
        return ft_fail(err, FT_TOO_FEW,
                       "power law: %zu events of %zu units cannot fix a shape between 0.001 and "
                       "1000",
                       r->n_events, r->n_units);
    for (int i = 0; i < 100 && high - low > 1e-15; i++) {
        const double middle = low + (high - low) / 2;
        *(shape_score(r, unit, n, sum_log, exp(middle)) > 0 ? &low : &high) = middle;
    }
    const double b = exp(low + (high - low) / 2);
    const struct mass m = mass_at(r, unit, b);
    const double rate = n / m.a0; /* expected events (t / unit)^b * rate */
    out->shape = b;
    out->scale = unit * pow(rate, -1 / b);
    out->log_likelihood = n * (log(rate * b) - log(unit)) + (b - 1) * sum_log - n;
    /* Information in (log b, log rate), then log scale = log unit - log rate / b. */
    const double bb = n + b * b * rate * m.a2, br = b * rate * m.a1, det = bb * n - br * br;
    const double v_bb = n / det, v_br = -br / det, v_rr = bb / det, l = log(rate);
    out->cov[0][0] = v_bb;
    out->cov[0][1] = out->cov[1][0] = (l * v_bb - v_br) / b;
    out->cov[1][1] = (l * l * v_bb - 2 * l * v_br + v_rr) / (b * b);
    set_exact(r, out);
    return FT_OK;
}

/* Quantile of the chi-squared law by bisection on the log. */
static double chi_squared_quantile(double p, double degrees)
{
    double low = log(1e-12), high = log(degrees + 40 * sqrt(degrees) + 400);
    for (int i = 0; i < 200 && high - low > 1e-14; i++) {
        const double middle = low + (high - low) / 2;
        *(special_gamma_p(degrees / 2, exp(middle) / 2) < p ? &low : &high) = middle;
    }
    return exp(low + (high - low) / 2);
}

void power_law_limits(const struct power_law *p, double confidence, double shape[2],
                      double scale[2])
{
    const double z = special_normal_quantile(0.5 + confidence / 2);
    for (int side = 0; side < 2; side++) {
        const double sign = side == 0 ? -z : z;
        shape[side] = p->shape * exp(sign * sqrt(p->cov[0][0]));
        scale[side] = p->scale * exp(sign * sqrt(p->cov[1][1]));
        if (p->has_exact) {
            const double at = side == 0 ? (1 - confidence) / 2 : (1 + confidence) / 2;
            shape[side] = p->shape * chi_squared_quantile(at, p->degrees) / (2 * p->n_events);
        }
    }
}

double power_law_rate(const struct power_law *p, double t)
{
    return p->shape / p->scale * pow(t / p->scale, p->shape - 1);
}

double power_law_expected(const struct power_law *p, double from, double upto)
{
    return pow(upto / p->scale, p->shape) - pow(from / p->scale, p->shape);
}
