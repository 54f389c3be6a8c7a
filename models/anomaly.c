/* Sums run in the order of units, ticks and sensors, on one thread: the result is always the same.
 */
#include "models/anomaly.h"

#include "models/linalg.h"
#include "models/special.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    N_BASELINE = 28, /* ticks of an own baseline */
    N_LEVEL = 3,     /* ticks before a unit speaks for its sisters */
    MIN_ROWS = 30,   /* with a value of a sensor, for its scale */
    PERSISTENCE = 2, /* ticks over the line before an alarm */
    N_CALM = 7,      /* ticks well under the line that end one */
    N_BISECTIONS = 60
};
static const double max_spreads = 3;                        /* of a baseline from the class */
static const double half_life_own = 2, half_life_class = 3; /* ticks of the smoothing */
static const double explained = 0.6; /* of the variance, by the directions of T2 */
static const double shrink = 0.1;    /* of the correlations towards none */
/* Lines stand this much higher than the budget asks for by the body of the distribution: real
 * scores have heavier tails (chosen on the demo plant, seeds 1 to 3; docs/accuracy.md). */
static const double margin = 4;
static const double calm_share = 0.5; /* of the line: below it a unit is calm */
static const double min_scale = 1e-9;

struct space {        /* of smoothed deviations */
    double *e;        /* [units][ticks][p] */
    double *scale;    /* [p]; 0 = the sensor says nothing */
    double *vectors;  /* [k][p] unit directions */
    double *variance; /* [k] */
    size_t k;
    double *t2, *q; /* [units][ticks] */
    double line_t2, line_q;
};

struct work {
    const struct anomaly_input *in;
    size_t n, p; /* units * ticks; sensors */
    bool has_sisters;
    double *e;       /* [n][p] without what the sisters share */
    double *centre;  /* [p] of the class */
    double *between; /* [p] spread of units around it */
    double *noise;   /* [p] from tick to tick */
    double *scratch; /* [n + units] */
    struct space own, class;
};

void anomaly_free(struct anomaly *a)
{
    if (a == NULL)
        return;
    free(a->points);
    free(a->deviation);
    free(a);
}

static void space_clear(struct space *s)
{
    free(s->e);
    free(s->scale);
    free(s->vectors);
    free(s->variance);
    free(s->t2);
    free(s->q);
}

static void work_clear(struct work *w)
{
    free(w->e);
    free(w->centre);
    free(w->between);
    free(w->noise);
    free(w->scratch);
    space_clear(&w->own);
    space_clear(&w->class);
}

static bool space_open(struct space *s, size_t n, size_t p)
{
    s->e = calloc(n * p, sizeof(double));
    s->scale = calloc(p, sizeof(double));
    s->vectors = calloc(p * p, sizeof(double));
    s->variance = calloc(p, sizeof(double));
    s->t2 = calloc(n, sizeof(double));
    s->q = calloc(n, sizeof(double));
    return s->e != NULL && s->scale != NULL && s->vectors != NULL && s->variance != NULL &&
           s->t2 != NULL && s->q != NULL;
}

static bool work_open(struct work *w)
{
    w->e = calloc(w->n * w->p, sizeof(double));
    w->centre = calloc(w->p, sizeof(double));
    w->between = calloc(w->p, sizeof(double));
    w->noise = calloc(w->p, sizeof(double));
    w->scratch = calloc(w->n + w->in->n_units, sizeof(double));
    return w->e != NULL && w->centre != NULL && w->between != NULL && w->noise != NULL &&
           w->scratch != NULL && space_open(&w->own, w->n, w->p) &&
           space_open(&w->class, w->n, w->p);
}

static int compare_doubles(const void *pa, const void *pb)
{
    const double a = *(const double *)pa;
    const double b = *(const double *)pb;
    return (a > b) - (a < b);
}

/* Sorts v. */
static double quantile(double *v, size_t n, double level)
{
    if (n == 0)
        return NAN;
    qsort(v, n, sizeof(*v), compare_doubles);
    const double at = level * (double)(n - 1);
    const size_t i = (size_t)at;
    return i + 1 < n ? v[i] + (at - (double)i) * (v[i + 1] - v[i]) : v[i];
}

/* 1.4826 times the median of |v|, which equals the standard deviation of normal data; v changes. */
static double spread(double *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        v[i] = fabs(v[i]);
    return 1.4826 * quantile(v, n, 0.5);
}

static size_t at(const struct work *w, size_t unit, size_t tick)
{
    return unit * w->in->n_ticks + tick;
}

/* --- 1: sisters --- */

/* Takes the shared part of one sensor away. level[units] and n_level[units]: mean of a unit's first
 * ticks, which is where its sisters see it start from. */
static void remove_shared(struct work *w, size_t j, double *level, size_t *n_level)
{
    const struct anomaly_input *in = w->in;
    double shared = 0;
    memset(level, 0, in->n_units * sizeof(*level));
    memset(n_level, 0, in->n_units * sizeof(*n_level));
    for (size_t t = 0; t < in->n_ticks; t++) {
        size_t n = 0;
        for (size_t u = 0; u < in->n_units; u++) {
            const double v = in->x[at(w, u, t) * w->p + j];
            if (isfinite(v) && n_level[u] >= N_LEVEL)
                w->scratch[n++] = v - level[u];
        }
        if (w->has_sisters && in->share_ticks && n >= ANOMALY_MIN_SISTERS)
            shared = quantile(w->scratch, n, 0.5);
        for (size_t u = 0; u < in->n_units; u++) {
            const size_t i = at(w, u, t) * w->p + j;
            w->e[i] = in->x[i] - shared;
            if (isfinite(w->e[i]) && n_level[u] < N_BASELINE)
                level[u] += (w->e[i] - level[u]) / (double)++n_level[u];
        }
    }
}

static enum ft_status remove_all_shared(struct work *w, struct ft_err *err)
{
    double *level = calloc(w->in->n_units, sizeof(*level));
    size_t *n_level = calloc(w->in->n_units, sizeof(*n_level));
    if (level != NULL && n_level != NULL)
        for (size_t j = 0; j < w->p; j++)
            remove_shared(w, j, level, n_level);
    const bool is_good = level != NULL && n_level != NULL;
    free(level);
    free(n_level);
    return is_good ? FT_OK : ft_fail(err, FT_NOMEM, "anomaly: no memory");
}

/* --- 2: baselines --- */

/* Centre, spread between units and noise of one sensor; a sensor that says too little has noise 0
 * and is left out from here on. */
static void learn_sensor(struct work *w, size_t j)
{
    const struct anomaly_input *in = w->in;
    double *own = w->scratch + w->n; /* [units] */
    size_t n_own = 0;
    size_t n = 0;
    for (size_t u = 0; u < in->n_units; u++) {
        size_t m = 0;
        for (size_t t = 0; t < in->n_fit; t++) {
            const double v = w->e[at(w, u, t) * w->p + j];
            if (isfinite(v))
                w->scratch[m++] = v;
        }
        if (m > 0)
            own[n_own++] = quantile(w->scratch, m, 0.5);
    }
    if (n_own == 0)
        return;
    w->centre[j] = quantile(own, n_own, 0.5);
    for (size_t u = 0; u < n_own; u++)
        own[u] -= w->centre[j];
    w->between[j] = spread(own, n_own);
    for (size_t u = 0; u < in->n_units; u++)
        for (size_t t = 1; t < in->n_fit; t++) {
            const size_t i = at(w, u, t) * w->p + j;
            const double d = w->e[i] - w->e[i - w->p];
            if (isfinite(d))
                w->scratch[n++] = d;
        }
    w->noise[j] = n >= MIN_ROWS ? spread(w->scratch, n) / sqrt(2) : 0;
    if (!(w->noise[j] > min_scale))
        w->noise[j] = 0;
    w->between[j] = fmax(w->between[j], w->noise[j]);
}

/* Deviation of one sensor of one unit from its own baseline, in standard deviations of what is
 * known about both. The tick of a renewal holds old and new: it is left out. */
static void deviate_own(struct work *w, size_t u, size_t j)
{
    const struct anomaly_input *in = w->in;
    const double noise = w->noise[j] * w->noise[j];
    const double prior = w->has_sisters ? w->between[j] * w->between[j] : INFINITY;
    double sum = 0;
    double n = 0;
    for (size_t t = 0; t < in->n_ticks; t++) {
        const size_t i = at(w, u, t);
        const double v = w->e[i * w->p + j];
        double *out = &w->own.e[i * w->p + j];
        *out = NAN;
        if (in->renewed[i])
            sum = n = 0;
        if (in->renewed[i] || !isfinite(v) || !(noise > 0))
            continue;
        const double precision = 1 / prior + n / noise;
        if (precision > 0) {
            double base = (w->centre[j] / prior + sum / noise) / precision;
            if (w->has_sisters)
                base = fmax(w->centre[j] - max_spreads * w->between[j],
                            fmin(w->centre[j] + max_spreads * w->between[j], base));
            *out = (v - base) / sqrt(noise + 1 / precision);
        }
        if (n < N_BASELINE) {
            sum += v;
            n++;
        }
    }
}

static void deviate_class(struct work *w, size_t u, size_t j)
{
    const double s = sqrt(w->between[j] * w->between[j] + w->noise[j] * w->noise[j]);
    for (size_t t = 0; t < w->in->n_ticks; t++) {
        const size_t i = at(w, u, t);
        const double v = w->e[i * w->p + j];
        const bool is_used = w->has_sisters && s > 0 && w->noise[j] > 0 && !w->in->renewed[i];
        w->class.e[i * w->p + j] = is_used ? (v - w->centre[j]) / s : NAN;
    }
}

/* Fading mean in place, begun again at a renewal. */
static void smooth(const struct work *w, double *e, size_t u, size_t j, double half_life)
{
    const double keep = exp2(-1 / half_life);
    double sum = 0;
    double mass = 0;
    for (size_t t = 0; t < w->in->n_ticks; t++) {
        double *v = &e[at(w, u, t) * w->p + j];
        if (w->in->renewed[at(w, u, t)])
            sum = mass = 0;
        if (!isfinite(*v))
            continue;
        sum = sum * keep + *v;
        mass = mass * keep + 1;
        *v = sum / mass;
    }
}

/* --- 3: T2 and Q --- */

static double norm2(const struct work *w, const struct space *s, size_t i)
{
    double sum = 0;
    for (size_t j = 0; j < w->p; j++) {
        const double v = s->e[i * w->p + j];
        if (s->scale[j] > 0 && isfinite(v))
            sum += v * v / (s->scale[j] * s->scale[j]);
    }
    return sum;
}

/* Whether a sensor that counts is present; rows without any say nothing. */
static bool speaks(const struct work *w, const struct space *s, size_t i)
{
    for (size_t j = 0; j < w->p; j++)
        if (s->scale[j] > 0 && isfinite(s->e[i * w->p + j]))
            return true;
    return false;
}

static bool is_fit_row(const struct work *w, size_t i)
{
    return i % w->in->n_ticks < w->in->n_fit;
}

/* Correlations of the calm half of the rows into c[p][p]; a missing value counts as none. */
static void correlate(struct work *w, const struct space *s, double *c)
{
    const size_t p = w->p;
    size_t n = 0;
    memset(c, 0, p * p * sizeof(*c));
    for (size_t i = 0; i < w->n; i++)
        if (is_fit_row(w, i) && speaks(w, s, i))
            w->scratch[n++] = norm2(w, s, i);
    const double most = quantile(w->scratch, n, 0.5);
    for (size_t i = 0; i < w->n; i++) {
        if (!is_fit_row(w, i) || !speaks(w, s, i) || norm2(w, s, i) > most)
            continue;
        const double *e = s->e + i * p;
        for (size_t a = 0; a < p; a++)
            for (size_t b = 0; b <= a; b++)
                if (s->scale[a] > 0 && s->scale[b] > 0 && isfinite(e[a]) && isfinite(e[b]))
                    c[a * p + b] += e[a] * e[b] / (s->scale[a] * s->scale[b]);
    }
    for (size_t a = 0; a < p; a++)
        for (size_t b = 0; b < a; b++) {
            const double norm = sqrt(c[a * p + a] * c[b * p + b]);
            c[a * p + b] = norm > 0 ? (1 - shrink) * c[a * p + b] / norm : 0;
        }
    for (size_t a = 0; a < p; a++)
        c[a * p + a] = s->scale[a] > 0 ? 1 : 0;
}

/* Scale of each sensor and the directions that hold most of the variance. */
static enum ft_status learn_space(struct work *w, struct space *s, struct ft_err *err)
{
    const size_t p = w->p;
    size_t n_used = 0;
    for (size_t j = 0; j < p; j++) {
        size_t n = 0;
        for (size_t i = 0; i < w->n; i++)
            if (is_fit_row(w, i) && isfinite(s->e[i * p + j]))
                w->scratch[n++] = s->e[i * p + j];
        s->scale[j] = n >= MIN_ROWS ? spread(w->scratch, n) : 0;
        s->scale[j] = s->scale[j] > min_scale ? s->scale[j] : 0;
        n_used += s->scale[j] > 0;
    }
    if (n_used == 0)
        return FT_OK;
    double *c = calloc(p * p, sizeof(*c));
    double *values = calloc(p, sizeof(*values));
    enum ft_status st = FT_OK;
    if (c == NULL || values == NULL) {
        st = ft_fail(err, FT_NOMEM, "anomaly: no memory");
    } else {
        correlate(w, s, c);
        st = linalg_eigen_symmetric(c, p, values, err);
    }
    double sum = 0;
    for (size_t k = 0; st == FT_OK && k + 1 < n_used && sum < explained * (double)n_used; k++) {
        const size_t from = p - 1 - k;
        sum += values[from];
        s->variance[s->k] = values[from];
        memcpy(s->vectors + s->k++ * p, c + from * p, p * sizeof(*c));
    }
    free(c);
    free(values);
    return st;
}

/* T2 and Q of row i, before their lines. */
static void measure(const struct work *w, const struct space *s, size_t i, double *t2, double *q)
{
    const size_t p = w->p;
    double inside = 0;
    *t2 = 0;
    if (!speaks(w, s, i)) {
        *t2 = *q = NAN;
        return;
    }
    for (size_t k = 0; k < s->k; k++) {
        double sum = 0;
        for (size_t j = 0; j < p; j++) {
            const double v = s->e[i * p + j];
            if (s->scale[j] > 0 && isfinite(v))
                sum += s->vectors[k * p + j] * v / s->scale[j];
        }
        *t2 += sum * sum / s->variance[k];
        inside += sum * sum;
    }
    *q = fmax(0, norm2(w, s, i) - inside);
}

/* --- 4: lines and alarms --- */

static double chi_square_quantile(double df, double p)
{
    double low = 0;
    double high = df + 20 * sqrt(2 * df) + 200;
    for (int i = 0; i < N_BISECTIONS; i++) {
        const double x = 0.5 * (low + high);
        if (special_gamma_p(0.5 * df, 0.5 * x) < p)
            low = x;
        else
            high = x;
    }
    return 0.5 * (low + high);
}

double anomaly_line(double quartile, double median, double tail)
{
    if (!(quartile > 0 && median > quartile && tail > 0 && tail < 1))
        return NAN;
    double low = 0.1; /* degrees of freedom: more of them bring quartile and median together */
    double high = 1000;
    for (int i = 0; i < N_BISECTIONS; i++) {
        const double df = sqrt(low * high);
        const double ratio = chi_square_quantile(df, 0.5) / chi_square_quantile(df, 0.25);
        if (ratio > median / quartile)
            low = df;
        else
            high = df;
    }
    const double df = sqrt(low * high);
    return median / chi_square_quantile(df, 0.5) * chi_square_quantile(df, 1 - tail);
}

static double line_of(const struct work *w, const double *v)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++)
        if (is_fit_row(w, i) && isfinite(v[i]))
            w->scratch[n++] = v[i];
    const double median = quantile(w->scratch, n, 0.5);
    const double quartile = quantile(w->scratch, n, 0.25);
    const double line = margin * anomaly_line(quartile, median, w->in->false_per_tick);
    return line > 0 ? line : INFINITY; /* all the same: nothing can be unusual */
}

static enum ft_status fill_space(struct work *w, struct space *s, double half_life,
                                 struct ft_err *err)
{
    for (size_t u = 0; u < w->in->n_units; u++)
        for (size_t j = 0; j < w->p; j++)
            smooth(w, s->e, u, j, half_life);
    const enum ft_status st = learn_space(w, s, err);
    if (st != FT_OK)
        return st;
    for (size_t i = 0; i < w->n; i++)
        measure(w, s, i, &s->t2[i], &s->q[i]);
    s->line_t2 = line_of(w, s->t2);
    s->line_q = line_of(w, s->q);
    return FT_OK;
}

double anomaly_health(double score)
{
    return fmax(0, 100 * (1 - log1p(score) / log(101)));
}

/* The sensor with the greatest deviation in the space that is furthest over its line. */
static void find_lead(const struct work *w, size_t i, struct anomaly_point *out)
{
    const double own = fmax(w->own.t2[i] / w->own.line_t2, w->own.q[i] / w->own.line_q);
    const double class = fmax(w->class.t2[i] / w->class.line_t2, w->class.q[i] / w->class.line_q);
    out->is_class = isfinite(class) && !(own >= class);
    const struct space *s = out->is_class ? &w->class : &w->own;
    double most = -1;
    for (size_t j = 0; j < w->p; j++) {
        const double v = s->scale[j] > 0 ? fabs(s->e[i * w->p + j]) / s->scale[j] : NAN;
        if (v > most) {
            most = v;
            out->lead = j;
        }
    }
}

struct alarm_state {
    bool is_on, is_renewed;
    size_t n_over, n_calm;
};

/* One more tick with a score (NaN = none). A renewal ends an alarm only when the unit is calm
 * afterwards: another part may still be the cause. */
static void step_alarm(struct alarm_state *a, double score, bool renewed, struct anomaly_point *p)
{
    if (renewed) {
        a->is_renewed = true;
        a->n_over = a->n_calm = 0;
    }
    if (isfinite(score)) {
        if (a->is_on && a->is_renewed && score <= 1)
            a->is_on = false;
        a->is_renewed = false;
        a->n_over = score > 1 ? a->n_over + 1 : 0;
        a->n_calm = score < calm_share ? a->n_calm + 1 : 0;
        if (a->is_on && a->n_calm >= N_CALM)
            a->is_on = false;
        p->is_start = !a->is_on && a->n_over >= PERSISTENCE;
        a->is_on = a->is_on || p->is_start;
    }
    p->is_alarm = a->is_on;
}

static void fill_unit(const struct work *w, size_t u, struct anomaly *out)
{
    struct alarm_state alarm = {0};
    for (size_t t = 0; t < w->in->n_ticks; t++) {
        const size_t i = at(w, u, t);
        struct anomaly_point *p = &out->points[i];
        p->t2 = fmax(w->own.t2[i] / w->own.line_t2, w->class.t2[i] / w->class.line_t2);
        p->q = fmax(w->own.q[i] / w->own.line_q, w->class.q[i] / w->class.line_q);
        const double score = fmax(p->t2, p->q);
        p->health = isfinite(score) ? anomaly_health(score) : NAN;
        p->lead = ANOMALY_NO_SENSOR;
        if (isfinite(score))
            find_lead(w, i, p);
        step_alarm(&alarm, score, w->in->renewed[i], p);
        for (size_t j = 0; j < w->p; j++)
            out->deviation[i * w->p + j] = w->own.e[i * w->p + j] * w->noise[j];
    }
}

static enum ft_status find(struct work *w, struct anomaly *out, struct ft_err *err)
{
    size_t n_used = 0;
    enum ft_status st = remove_all_shared(w, err);
    if (st != FT_OK)
        return st;
    for (size_t j = 0; j < w->p; j++) {
        learn_sensor(w, j);
        n_used += w->noise[j] > 0;
    }
    if (n_used == 0)
        return ft_fail(err, FT_TOO_FEW, "anomaly: no sensor has %d ticks side by side", MIN_ROWS);
    for (size_t u = 0; u < w->in->n_units; u++)
        for (size_t j = 0; j < w->p; j++) {
            deviate_own(w, u, j);
            deviate_class(w, u, j);
        }
    st = fill_space(w, &w->own, half_life_own, err);
    if (st == FT_OK)
        st = fill_space(w, &w->class, half_life_class, err);
    for (size_t u = 0; st == FT_OK && u < w->in->n_units; u++)
        fill_unit(w, u, out);
    return st;
}

static enum ft_status check(const struct anomaly_input *in, struct ft_err *err)
{
    if (in->n_units < 1 || in->n_sensors < 1 || in->n_sensors > ANOMALY_MAX_SENSORS ||
        in->n_fit > in->n_ticks || !(in->false_per_tick > 0 && in->false_per_tick < 1))
        return ft_fail(err, FT_INVALID, "anomaly: %zu units, %zu ticks (%zu to learn), %zu sensors",
                       in->n_units, in->n_ticks, in->n_fit, in->n_sensors);
    if (in->n_fit < ANOMALY_MIN_TICKS)
        return ft_fail(err, FT_TOO_FEW, "anomaly: %zu ticks to learn from, needs %d", in->n_fit,
                       ANOMALY_MIN_TICKS);
    if (in->n_ticks > SIZE_MAX / 64 / in->n_units / in->n_sensors)
        return ft_fail(err, FT_INVALID, "anomaly: too many rows");
    return FT_OK;
}

enum ft_status anomaly_find(const struct anomaly_input *in, struct anomaly **out,
                            struct ft_err *err)
{
    *out = NULL;
    enum ft_status st = check(in, err);
    if (st != FT_OK)
        return st;
    struct work w = {.in = in,
                     .n = in->n_units * in->n_ticks,
                     .p = in->n_sensors,
                     .has_sisters = in->n_units >= ANOMALY_MIN_SISTERS};
    struct anomaly *a = calloc(1, sizeof(*a));
    if (a != NULL) {
        a->n_units = in->n_units;
        a->n_ticks = in->n_ticks;
        a->n_sensors = in->n_sensors;
        a->points = calloc(w.n, sizeof(*a->points));
        a->deviation = calloc(w.n * w.p, sizeof(*a->deviation));
    }
    if (a == NULL || a->points == NULL || a->deviation == NULL || !work_open(&w))
        st = ft_fail(err, FT_NOMEM, "anomaly: no memory for %zu rows", w.n);
    else
        st = find(&w, a, err);
    work_clear(&w);
    if (st == FT_OK)
        *out = a;
    else
        anomaly_free(a);
    return st;
}
