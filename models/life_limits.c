/* Limits of parameters and ages: by Wald, by the profile likelihood, and the joint region. */
#include "models/life.h"
#include "models/life_search.h"
#include "models/life_threshold.h"
#include "models/special.h"

#include <math.h>

static double normal_of(double confidence)
{
    return special_normal_quantile(0.5 + confidence / 2);
}

void life_limits(const struct life_fit *f, double confidence, double first[2], double scale[2])
{
    const double z = normal_of(confidence);
    const double by_scale = exp(z * sqrt(f->cov[1][1])), half = z * sqrt(f->cov[0][0]);
    const bool is_location = f->distribution == LIFE_GUMBEL;
    first[0] = is_location ? f->first - half : f->first * exp(-half);
    first[1] = is_location ? f->first + half : f->first * exp(half);
    scale[0] = f->scale / by_scale;
    scale[1] = f->scale * by_scale;
}

/* f with its parameters moved on the scales of its covariance. */
static struct life_fit moved(const struct life_fit *f, double by_first, double by_scale)
{
    struct life_fit m = *f;
    if (f->distribution == LIFE_GUMBEL)
        m.first += by_first;
    else
        m.first *= exp(by_first);
    m.scale *= exp(by_scale);
    return m;
}

/* The age, or its log above the threshold, by which p has failed. */
static double age_of(const struct life_fit *f, double p)
{
    const double t = life_quantile(f, p) - f->threshold;
    return f->distribution == LIFE_GUMBEL ? t : log(t);
}

void life_quantile_limits(const struct life_fit *f, double p, double confidence, double limits[2])
{
    const double z = normal_of(confidence), at = age_of(f, p);
    double slope[2];
    for (int j = 0; j < 2; j++) {
        const double h = f->distribution == LIFE_GUMBEL && j == 0 ? 1e-4 * f->scale : 1e-4;
        const struct life_fit up = moved(f, j == 0 ? h : 0, j == 1 ? h : 0);
        const struct life_fit down = moved(f, j == 0 ? -h : 0, j == 1 ? -h : 0);
        slope[j] = (age_of(&up, p) - age_of(&down, p)) / (2 * h);
    }
    const double variance = slope[0] * slope[0] * f->cov[0][0] +
                            2 * slope[0] * slope[1] * f->cov[0][1] +
                            slope[1] * slope[1] * f->cov[1][1];
    const double half = z * sqrt(fmax(variance, 0));
    for (int side = 0; side < 2; side++) {
        const double y = at + (side == 0 ? -half : half);
        limits[side] = f->distribution == LIFE_GUMBEL ? y : f->threshold + exp(y);
    }
}

struct profile {
    const struct life_search *s;
    struct life_threshold_profile *threshold; /* weibull3: in the place of s */
    bool is_unbounded;                        /* the profile rises without bound there */
    const struct life_fit *f;
    int held;      /* 0 = first, 1 = scale */
    bool is_fixed; /* the other one is given: nothing to maximise over */
    double t;      /* where the line search ended last */
    double z;      /* the root of twice the fall of the log-likelihood at the limit */
};

/* The root of twice the fall of the profile when the held parameter is moved this far, less z: near
 * linear in the move, so that the search takes few steps; > 0: outside. */
static double excess(struct profile *p, double by)
{
    double origin[2], direction[2], u[2];
    const struct life_fit m = moved(p->f, p->held == 0 ? by : 0, p->held == 1 ? by : 0);
    if (p->threshold != NULL) {
        const double best = life_threshold_profile_value(p->threshold, p->f, p->held,
                                                         p->held == 0 ? m.first : m.scale);
        p->is_unbounded = p->is_unbounded || best == INFINITY;
        return sqrt(2 * fmax(p->f->log_likelihood - best, 0)) - p->z;
    }
    const double t = life_search_line(p->s, p->held, m.first, m.scale, origin, direction);
    double value = 0;
    if (p->is_fixed) {
        struct life_search at = *p->s;
        life_search_at(p->s, m.first, m.scale, u);
        value = life_search_value(&at, u, NULL, NULL);
    } else {
        if (isnan(p->t))
            p->t = t;
        value = life_search_minimise_line(p->s, origin, direction, &p->t);
    }
    const double fall = value + p->s->constant + p->f->log_likelihood;
    return isnan(fall) ? INFINITY : sqrt(2 * fmax(fall, 0)) - p->z;
}

/* How far the held parameter moves on one side until the profile has fallen to the limit;
 * +-INFINITY when it never does within 30 steps of growing length. Illinois method. */
static double find_limit(struct profile *p, double step)
{
    double inside = 0, outside = step, at_inside = -p->z, at_outside = 0;
    p->t = NAN;
    p->is_unbounded = false;
    int n = 0;
    for (; n < 30 && !p->is_unbounded && !((at_outside = excess(p, outside)) > 0); n++) {
        inside = outside;
        at_inside = at_outside;
        step *= 1.5;
        outside += step;
    }
    if (n == 30 || p->is_unbounded)
        return copysign(INFINITY, step);
    int last_side = 0;
    for (int i = 0; i < 100 && fabs(outside - inside) > 1e-9 * (1e-3 + fabs(outside)); i++) {
        const double at = isfinite(at_outside)
                              ? inside - at_inside * (outside - inside) / (at_outside - at_inside)
                              : inside + (outside - inside) / 2;
        const double value = excess(p, at);
        if (fabs(value) < 1e-9)
            return at;
        if (value > 0) {
            outside = at;
            at_outside = value;
            at_inside *= last_side == 1 ? 0.5 : 1;
            last_side = 1;
        } else {
            inside = at;
            at_inside = value;
            at_outside *= last_side == -1 ? 0.5 : 1;
            last_side = -1;
        }
    }
    return inside + (outside - inside) / 2;
}

/* Puts both limits of one parameter of f; an infinite move leaves 0 or INFINITY. */
static void put_limits(struct profile *p, double limits[2])
{
    const double error = sqrt(p->f->cov[p->held][p->held]);
    for (int side = 0; side < 2; side++) {
        const double by = find_limit(p, (side == 0 ? -p->z : p->z) * error);
        const struct life_fit m = moved(p->f, p->held == 0 ? by : 0, p->held == 1 ? by : 0);
        limits[side] = p->held == 0 ? m.first : m.scale;
    }
}

enum ft_status life_profile_limits(const struct life_fit *f, const struct life_data *data,
                                   double confidence, double first[2], double scale[2],
                                   struct ft_err *err)
{
    struct life_search s;
    const bool has_threshold = f->distribution == LIFE_WEIBULL3;
    if (!(confidence > 0 && confidence < 1))
        return ft_fail(err, FT_INVALID, "profile limits need a confidence inside (0, 1)");
    const enum ft_status st =
        life_search_init(&s, has_threshold ? LIFE_WEIBULL : f->distribution, data, err);
    if (st != FT_OK)
        return st;
    struct profile p = {.s = &s,
                        .threshold = has_threshold ? life_threshold_profile_new(data) : NULL,
                        .f = f,
                        .is_fixed = f->is_shape_fixed || f->distribution == LIFE_EXPONENTIAL,
                        .z = normal_of(confidence)}; /* chi-squared with one degree = z^2 */
    if (has_threshold && p.threshold == NULL)
        return ft_fail(err, FT_NOMEM, "profile limits: no memory for %zu units", data->n);
    first[0] = first[1] = f->first;
    if (!p.is_fixed)
        put_limits(&p, first);
    p.held = 1;
    put_limits(&p, scale);
    life_threshold_profile_free(p.threshold);
    return FT_OK;
}

struct region {
    const struct life_search *s;
    const struct life_fit *f;
    double ceiling; /* of minus the log-likelihood */
};

static bool is_inside(const struct region *g, const double ray[2], double r)
{
    double u[2];
    struct life_search at = *g->s;
    const struct life_fit m = moved(g->f, r * ray[0], r * ray[1]);
    life_search_at(g->s, m.first, m.scale, u);
    return life_search_value(&at, u, NULL, NULL) <= g->ceiling;
}

/* How far along a ray from the fit the region ends. */
static double leave_region(const struct region *g, const double ray[2])
{
    double inside = 0, outside = 1;
    while (outside < 1000 && is_inside(g, ray, outside)) {
        inside = outside;
        outside *= 2;
    }
    for (int i = 0; i < 40; i++) {
        const double middle = inside + (outside - inside) / 2;
        *(is_inside(g, ray, middle) ? &inside : &outside) = middle;
    }
    return inside;
}

enum ft_status life_contour(const struct life_fit *f, const struct life_data *data,
                            double confidence, size_t n, double (*points)[2], struct ft_err *err)
{
    static const double two_pi = 6.28318530717958647692528676656;
    struct life_search s;
    if (f->n_parameters != 2 || n < 3 || !(confidence > 0 && confidence < 1))
        return ft_fail(err, FT_INVALID,
                       "a joint region needs two estimated parameters, 3 points and a confidence "
                       "inside (0, 1)");
    const enum ft_status st = life_search_init(&s, f->distribution, data, err);
    if (st != FT_OK)
        return st;
    /* Half the chi-squared quantile with two degrees is -log(1 - confidence). */
    const struct region g = {&s, f, -f->log_likelihood - s.constant - log1p(-confidence)};
    const double a = sqrt(f->cov[0][0]), b = f->cov[0][1] / a;
    const double c = sqrt(fmax(f->cov[1][1] - b * b, 0));
    for (size_t i = 0; i < n; i++) {
        const double angle = two_pi * (double)i / (double)n;
        const double ray[2] = {a * cos(angle), b * cos(angle) + c * sin(angle)};
        const double r = leave_region(&g, ray);
        const struct life_fit m = moved(f, r * ray[0], r * ray[1]);
        points[i][0] = m.first;
        points[i][1] = m.scale;
    }
    return FT_OK;
}
