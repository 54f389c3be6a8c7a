#include "models/life_search.h"

#include "models/special.h"

#include <math.h>

enum ft_status life_search_init(struct life_search *s, enum life_distribution distribution,
                                const struct life_data *data, struct ft_err *err)
{
    *s = (struct life_search){.d = data, .distribution = distribution};
    const enum ft_status st = life_data_totals(data, &s->totals, err);
    if (st != FT_OK)
        return st;
    const bool is_gamma = distribution == LIFE_GAMMA;
    s->is_log = distribution != LIFE_GUMBEL && !is_gamma;
    s->law = distribution == LIFE_LOGNORMAL     ? LAW_NORMAL
             : distribution == LIFE_LOGLOGISTIC ? LAW_LOGISTIC
                                                : LAW_EXTREME;
    if (s->is_log) {
        s->centre = s->totals.mean_log;
        s->constant = s->totals.sum_log;
    } else {
        s->centre = s->totals.r > 0 ? s->totals.mean : s->totals.greatest;
        s->constant = s->totals.r_exact * log(s->centre);
    }
    return FT_OK;
}

static double position(const struct life_search *s, double t)
{
    return s->is_log ? log(t) - s->centre : t / s->centre;
}

/* Sums of the value and its derivatives: gradient[2], hessian lower triangle of [2][2]. */
struct sums {
    double value;
    double *gradient, *hessian;
};

/* weight * a log function with these slopes at z = u[1] y - u[0] joins the log-likelihood. */
static void add_term(struct sums *to, double weight, const double slope[2], double y)
{
    if (to->gradient == NULL)
        return;
    to->gradient[0] += weight * slope[0];
    to->gradient[1] -= weight * slope[0] * y;
    to->hessian[0] -= weight * slope[1];
    to->hessian[2] += weight * slope[1] * y;
    to->hessian[3] -= weight * slope[1] * y * y;
}

static void add_failure(const struct life_search *s, const double *u, double w, double y,
                        struct sums *to)
{
    double slope[2];
    to->value -= w * (log(u[1]) + law_log_density(s->law, u[1] * y - u[0], slope));
    add_term(to, w, slope, y);
    if (to->gradient == NULL)
        return;
    to->gradient[1] -= w / u[1];
    to->hessian[3] += w / (u[1] * u[1]);
}

static void add_survivor(const struct life_search *s, const double *u, double w, double y,
                         struct sums *to)
{
    double slope[2];
    to->value -= w * law_log_survival(s->law, u[1] * y - u[0], slope);
    add_term(to, w, slope, y);
}

static void add_interval(const struct life_search *s, const double *u, double w, size_t i,
                         struct sums *to)
{
    const bool is_left = !(s->d->time[i] > 0);
    const double a = is_left ? 0 : position(s, s->d->time[i]);
    const double b = position(s, s->d->upper[i]);
    double k[5]; /* slopes: begin, end, begin begin, begin end, end end */
    to->value -= w * law_log_interval(s->law, is_left ? -INFINITY : u[1] * a - u[0],
                                      u[1] * b - u[0], to->gradient != NULL ? k : NULL);
    if (to->gradient == NULL)
        return;
    to->gradient[0] += w * (k[0] + k[1]);
    to->gradient[1] -= w * (k[0] * a + k[1] * b);
    to->hessian[0] -= w * (k[2] + 2 * k[3] + k[4]);
    to->hessian[2] += w * (k[2] * a + k[3] * (a + b) + k[4] * b);
    to->hessian[3] -= w * (k[2] * a * a + 2 * k[3] * a * b + k[4] * b * b);
}

static double location_scale_value(const struct life_search *s, const double *u, double *gradient,
                                   double *hessian)
{
    const struct life_data *d = s->d;
    struct sums sum = {0, gradient, hessian};
    if (!(u[1] > 0))
        return INFINITY;
    for (size_t i = 0; i < d->n; i++) {
        const double w = life_data_weight(d, i);
        if (w <= 0)
            continue;
        if (life_data_is_interval(d, i))
            add_interval(s, u, w, i, &sum);
        else if (d->failed[i])
            add_failure(s, u, w, position(s, d->time[i]), &sum);
        else
            add_survivor(s, u, w, position(s, d->time[i]), &sum);
        if (life_data_entry(d, i) > 0)
            add_survivor(s, u, -w, position(s, d->entry[i]), &sum);
    }
    return isnan(sum.value) ? INFINITY : sum.value;
}

/* Log-likelihood of the gamma law at one shape, with two derivatives in the log scale. */
struct gamma_sums {
    double value, d1, d2;
};

/* log Q(a, x), Q' = -density; h = x density / Q is its derivative in log scale. */
static void add_gamma_survivor(struct gamma_sums *to, double w, double a, double x, double log_norm)
{
    const double log_q = special_log_gamma_q(a, x);
    const double h = exp(a * log(x) - x - log_norm - log_q);
    to->value += w * log_q;
    to->d1 += w * h;
    to->d2 -= w * h * (a - x + h);
}

static void add_gamma_interval(struct gamma_sums *to, double w, double a, double from, double upto,
                               double log_norm)
{
    const double log_from = from > 0 ? special_log_gamma_q(a, from) : 0;
    const double value = log_from + log(-expm1(special_log_gamma_q(a, upto) - log_from));
    const double h1 = from > 0 ? exp(a * log(from) - from - log_norm - value) : 0;
    const double h2 = exp(a * log(upto) - upto - log_norm - value);
    to->value += w * value;
    to->d1 += w * (h1 - h2);
    to->d2 += w * (-h1 * (a - from) + h2 * (a - upto) - (h1 - h2) * (h1 - h2));
}

static struct gamma_sums gamma_at(const struct life_search *s, double log_shape, double log_scale)
{
    const struct life_data *d = s->d;
    const double a = exp(log_shape), norm = special_log_gamma(a), per = exp(-log_scale) / s->centre;
    /* All failures at known ages in one term. */
    const double x = s->totals.sum * per, r = s->totals.r_exact;
    const double mean_log = s->totals.sum_log - r * log(s->centre);
    struct gamma_sums to = {(a - 1) * mean_log - x - r * (norm + a * log_scale), x - r * a, -x};
    for (size_t i = 0; i < d->n; i++) {
        const double w = life_data_weight(d, i);
        if (w <= 0)
            continue;
        if (life_data_is_interval(d, i))
            add_gamma_interval(&to, w, a, d->time[i] * per, d->upper[i] * per, norm);
        else if (!d->failed[i])
            add_gamma_survivor(&to, w, a, d->time[i] * per, norm);
        if (life_data_entry(d, i) > 0)
            add_gamma_survivor(&to, -w, a, d->entry[i] * per, norm);
    }
    return to;
}

/* In the log shape by differences of fourth order, in the log scale exact. */
static double gamma_value(const struct life_search *s, const double *u, double *gradient,
                          double *hessian)
{
    const double h = 2e-3;
    if (fabs(u[0]) > 20 || fabs(u[1]) > 40)
        return INFINITY;
    const struct gamma_sums v = gamma_at(s, u[0], u[1]);
    if (gradient != NULL) {
        const struct gamma_sums a = gamma_at(s, u[0] - 2 * h, u[1]),
                                b = gamma_at(s, u[0] - h, u[1]), c = gamma_at(s, u[0] + h, u[1]),
                                e = gamma_at(s, u[0] + 2 * h, u[1]);
        gradient[0] = -(a.value - 8 * b.value + 8 * c.value - e.value) / (12 * h);
        gradient[1] = -v.d1;
        hessian[0] =
            -(-a.value + 16 * b.value - 30 * v.value + 16 * c.value - e.value) / (12 * h * h);
        hessian[2] = -(a.d1 - 8 * b.d1 + 8 * c.d1 - e.d1) / (12 * h);
        hessian[3] = -v.d2;
    }
    return isnan(v.value) ? INFINITY : -v.value;
}

static double value_at(const struct life_search *s, const double *u, double *gradient,
                       double *hessian)
{
    return s->distribution == LIFE_GAMMA ? gamma_value(s, u, gradient, hessian)
                                         : location_scale_value(s, u, gradient, hessian);
}

double life_search_value(void *ctx, const double *u, double *gradient, double *hessian)
{
    return value_at(ctx, u, gradient, hessian);
}

void life_search_start(const struct life_search *s, double u[2])
{
    const struct life_totals *t = &s->totals;
    if (s->distribution == LIFE_GAMMA) {
        const double cv = fmax(t->sd / t->mean, 1e-3);
        u[0] = fmin(fmax(-2 * log(cv), -3), 8);
        u[1] = log(fmax(t->exposure / t->r, t->mean) / t->mean) - u[0];
        return;
    }
    const double spread = fmax(s->is_log ? t->sd_log : t->sd / t->mean, 1e-6);
    u[0] = s->is_log ? 0 : 1 / spread;
    u[1] = 1 / spread;
}

/* First parameter of a log law: the shape 1 / sigma, or sigma itself. */
static bool has_shape(const struct life_search *s)
{
    return s->law != LAW_NORMAL;
}

void life_search_set(const struct life_search *s, const double u[2], double v[2][2],
                     struct life_fit *f)
{
    if (s->distribution == LIFE_GAMMA) {
        f->first = exp(u[0]);
        f->scale = exp(u[1]) * s->centre;
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 2; j++)
                f->cov[i][j] = v[i][j];
        return;
    }
    const double m = u[0] / u[1], sigma = 1 / u[1], aa = sigma * sigma;
    const double var_m = aa * (v[0][0] - 2 * m * v[0][1] + m * m * v[1][1]);
    const double cov = -aa * (v[0][1] - m * v[1][1]); /* of location and log sigma */
    const double var_l = aa * v[1][1];
    const double unit = s->is_log ? 1 : s->centre;
    if (!s->is_log) {
        f->first = m * unit;
        f->scale = sigma * unit;
        f->cov[0][0] = var_m * unit * unit;
        f->cov[0][1] = f->cov[1][0] = cov * unit;
        f->cov[1][1] = var_l;
        return;
    }
    f->first = has_shape(s) ? u[1] : sigma;
    f->scale = exp(m + s->centre);
    f->cov[0][0] = var_l;
    f->cov[0][1] = f->cov[1][0] = has_shape(s) ? -cov : cov;
    f->cov[1][1] = var_m;
}

void life_search_at(const struct life_search *s, double first, double scale, double u[2])
{
    if (s->distribution == LIFE_GAMMA) {
        u[0] = log(first);
        u[1] = log(scale / s->centre);
    } else if (!s->is_log) {
        u[1] = s->centre / scale;
        u[0] = first / scale;
    } else {
        u[1] = has_shape(s) ? first : 1 / first;
        u[0] = u[1] * (log(scale) - s->centre);
    }
}

double life_search_line(const struct life_search *s, int held, double first, double scale,
                        double origin[2], double direction[2])
{
    double u[2];
    life_search_at(s, first, scale, u);
    const bool is_location = s->distribution != LIFE_GAMMA && (held == 1) == s->is_log;
    if (is_location) { /* location / scale over 1 / scale stays: a line through 0 */
        origin[0] = origin[1] = 0;
        direction[0] = u[0] / u[1];
        direction[1] = 1;
        return u[1];
    }
    /* 1 / scale, or one of the two of gamma, stays. */
    const int moves = s->distribution == LIFE_GAMMA && held == 0 ? 1 : 0;
    origin[0] = u[0];
    origin[1] = u[1];
    direction[moves] = 1;
    direction[1 - moves] = 0;
    origin[moves] = 0;
    return u[moves];
}

struct line {
    double value, d1, d2;
};

static struct line line_at(const struct life_search *s, const double origin[2],
                           const double direction[2], double t)
{
    if (s->distribution == LIFE_GAMMA && direction[0] == 0) { /* exact, without differences */
        const struct gamma_sums v = gamma_at(s, origin[0], origin[1] + t);
        return (struct line){-v.value, -v.d1, -v.d2};
    }
    if (s->distribution == LIFE_GAMMA) { /* the shape moves: three values are enough for a line */
        const double h = 1e-3;
        const double low = gamma_at(s, t - h, origin[1]).value,
                     middle = gamma_at(s, t, origin[1]).value,
                     high = gamma_at(s, t + h, origin[1]).value;
        return (struct line){-middle, -(high - low) / (2 * h),
                             -(high - 2 * middle + low) / (h * h)};
    }
    double gradient[2] = {0, 0}, hessian[4] = {0, 0, 0, 0};
    const double u[2] = {origin[0] + t * direction[0], origin[1] + t * direction[1]};
    struct line p = {.value = value_at(s, u, gradient, hessian)};
    p.d1 = gradient[0] * direction[0] + gradient[1] * direction[1];
    p.d2 = hessian[0] * direction[0] * direction[0] + 2 * hessian[2] * direction[0] * direction[1] +
           hessian[3] * direction[1] * direction[1];
    return p;
}

double life_search_minimise_line(const struct life_search *s, const double origin[2],
                                 const double direction[2], double *t)
{
    struct line p = line_at(s, origin, direction, *t);
    for (int step = 0; step < 100 && isfinite(p.value); step++) {
        double move = p.d2 > 0 ? -p.d1 / p.d2 : copysign(0.5 * (1 + fabs(*t)), -p.d1);
        struct line next = line_at(s, origin, direction, *t + move);
        for (int half = 0; half < 50 && !(next.value <= p.value); half++) {
            move /= 2;
            next = line_at(s, origin, direction, *t + move);
        }
        if (!(next.value <= p.value))
            break;
        *t += move;
        p = next;
        if (fabs(move) <= 1e-5 * (1e-3 + fabs(*t)))
            break; /* Newton: the next move would be of the order of its square */
    }
    return p.value;
}
