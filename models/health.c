/* Health channels. All sums run in row order, so the result does not depend on threads. */
#include "models/health.h"

#include "models/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_REGIMES = 64,
    MIN_REGIME_ROWS = 50, /* a regime with fewer uses the statistics of all rows */
    N_ROUNDS = 2,         /* of the factor model */
    N_LEVEL_ROWS = 8,     /* last rows of a failed unit that make the level */
    N_START_ROWS = 16,    /* first rows of a unit that make the start */
    MIN_FAILED = 3
};
/* z-values beyond this are errors of the sensor or of the regime. */
static const double max_z = 6;
static const double half_life = 15; /* ticks, of the smoothing that finds directions */
static const double warm_up = 10;   /* ticks at the start of a unit without a smooth value */
static const double noise_floor = 1e-3, residual_floor = 1e-2;
static const double ridge = 50; /* rows: how strongly a regime's loadings lean on the common ones */
static const double score_prior = 1;

static enum ft_status no_memory(struct ft_err *err)
{
    return ft_fail(err, FT_NOMEM, "health channels: no memory");
}

void health_free(struct health *h)
{
    if (h == NULL)
        return;
    free(h->mean);
    free(h->spread);
    free(h->offset);
    free(h->loading);
    free(h->noise);
    free(h->scale);
    free(h->start);
    free(h->level);
    free(h->score);
    free(h->precision);
    free(h);
}

enum ft_status health_new(size_t n_sensors, size_t n_regimes, size_t n_channels,
                          struct health **out, struct ft_err *err)
{
    *out = NULL;
    if (n_channels < 1 || n_channels > HEALTH_MAX_CHANNELS || n_sensors < n_channels ||
        n_sensors > HEALTH_MAX_SENSORS || n_regimes < 1 || n_regimes > MAX_REGIMES)
        return ft_fail(err, FT_INVALID, "health channels: %zu of %zu sensors in %zu regimes",
                       n_channels, n_sensors, n_regimes);
    struct health *h = calloc(1, sizeof(*h));
    const size_t rp = n_regimes * n_sensors;
    if (h == NULL)
        return no_memory(err);
    h->n_sensors = n_sensors;
    h->n_regimes = n_regimes;
    h->n_channels = n_channels;
    h->mean = calloc(rp, sizeof(double));
    h->spread = calloc(rp, sizeof(double));
    h->offset = calloc(rp, sizeof(double));
    h->loading = calloc(rp * n_channels, sizeof(double));
    h->noise = calloc(rp * n_sensors, sizeof(double));
    h->scale = calloc(n_channels, sizeof(double));
    h->start = calloc(n_channels, sizeof(double));
    h->level = calloc(n_channels, sizeof(double));
    h->score = calloc(rp * n_channels, sizeof(double));
    h->precision = calloc(n_regimes * n_channels, sizeof(double));
    if (h->mean == NULL || h->spread == NULL || h->offset == NULL || h->loading == NULL ||
        h->noise == NULL || h->scale == NULL || h->start == NULL || h->level == NULL ||
        h->score == NULL || h->precision == NULL) {
        health_free(h);
        return no_memory(err);
    }
    for (size_t k = 0; k < n_channels; k++)
        h->scale[k] = 1;
    *out = h;
    return FT_OK;
}

/* --- scores --- */

struct solve_scratch {
    double noise[HEALTH_MAX_SENSORS * HEALTH_MAX_SENSORS];
    double weighted[HEALTH_MAX_CHANNELS * HEALTH_MAX_SENSORS]; /* loading S^-1 */
    double inner[HEALTH_MAX_CHANNELS * HEALTH_MAX_CHANNELS];
};

/* Score matrix (k x p, zero at missing sensors) and precisions of a regime for the sensors of a
 * pattern: (B S^-1 B' + c I)^-1 B S^-1. */
static enum ft_status solve_scores(const struct health *h, size_t regime, uint64_t present,
                                   double *score, double *precision, struct ft_err *err)
{
    const size_t p = h->n_sensors;
    const size_t k = h->n_channels;
    const double *noise = h->noise + regime * p * p;
    const double *loading = h->loading + regime * k * p;
    size_t at[HEALTH_MAX_SENSORS];
    size_t n = 0;
    struct solve_scratch *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return no_memory(err);
    for (size_t j = 0; j < p; j++)
        if (present >> j & 1U)
            at[n++] = j;
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++)
            s->noise[a * n + b] = noise[at[a] * p + at[b]];
    enum ft_status st = linalg_cholesky(s->noise, n, 1e-12, NULL, err);
    for (size_t c = 0; c < k && st == FT_OK; c++) {
        double *w = s->weighted + c * n;
        for (size_t a = 0; a < n; a++)
            w[a] = loading[c * p + at[a]];
        linalg_cholesky_solve(s->noise, n, w);
    }
    for (size_t c = 0; c < k && st == FT_OK; c++)
        for (size_t d = 0; d < k; d++) {
            double sum = c == d ? score_prior : 0;
            for (size_t a = 0; a < n; a++)
                sum += s->weighted[c * n + a] * loading[d * p + at[a]];
            s->inner[c * k + d] = sum;
        }
    for (size_t c = 0; c < k && st == FT_OK; c++)
        precision[c] = s->inner[c * k + c] - score_prior;
    if (st == FT_OK)
        st = linalg_cholesky(s->inner, k, 1e-12, NULL, err);
    memset(score, 0, k * p * sizeof(*score));
    for (size_t a = 0; a < n && st == FT_OK; a++) {
        double column[HEALTH_MAX_CHANNELS];
        for (size_t c = 0; c < k; c++)
            column[c] = s->weighted[c * n + a];
        linalg_cholesky_solve(s->inner, k, column);
        for (size_t c = 0; c < k; c++)
            score[c * p + at[a]] = column[c];
    }
    free(s);
    return st;
}

static uint64_t all_sensors(const struct health *h)
{
    return h->n_sensors == 64 ? UINT64_MAX : (UINT64_C(1) << h->n_sensors) - 1;
}

static bool all_finite(const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(v[i]))
            return false;
    return true;
}

enum ft_status health_prepare(struct health *h, struct ft_err *err)
{
    const size_t p = h->n_sensors;
    const size_t k = h->n_channels;
    const size_t rp = h->n_regimes * p;
    bool is_good = all_finite(h->mean, rp) && all_finite(h->spread, rp) &&
                   all_finite(h->offset, rp) && all_finite(h->loading, rp * k) &&
                   all_finite(h->noise, rp * p) && all_finite(h->scale, k) &&
                   all_finite(h->start, k) && all_finite(h->level, k);
    for (size_t i = 0; i < rp && is_good; i++)
        is_good = h->spread[i] > 0;
    for (size_t c = 0; c < k && is_good; c++)
        is_good = h->scale[c] > 0 && (!h->has_levels || h->level[c] > h->start[c]);
    if (!is_good)
        return ft_fail(err, FT_INVALID, "health channels: a number is out of range");
    enum ft_status st = FT_OK;
    for (size_t r = 0; r < h->n_regimes && st == FT_OK; r++)
        st = solve_scores(h, r, all_sensors(h), h->score + r * k * p, h->precision + r * k, err);
    return st;
}

double health_z(const struct health *h, size_t regime, size_t j, double x)
{
    const size_t at = regime * h->n_sensors + j;
    const double z = (x - h->mean[at]) / h->spread[at];
    return isfinite(z) ? fmax(-max_z, fmin(max_z, z)) : NAN;
}

/* What the channels leave over, in noise standard deviations, per present sensor; the diagonal of
 * the noise is enough here and costs one pass. */
static double left_over(const struct health *h, size_t regime, const double *z,
                        const double *channel, uint64_t present, size_t n_present)
{
    const size_t p = h->n_sensors;
    double sum = 0;
    for (size_t j = 0; j < p; j++) {
        if (!(present >> j & 1U))
            continue;
        double e = z[j];
        for (size_t c = 0; c < h->n_channels; c++)
            e -= channel[c] * h->loading[(regime * h->n_channels + c) * p + j];
        sum += e * e / h->noise[(regime * p + j) * p + j];
    }
    return sum / (double)n_present;
}

bool health_score(const struct health *h, const double *x, size_t regime, struct health_work *w,
                  struct health_point *out)
{
    const size_t p = h->n_sensors;
    const size_t k = h->n_channels;
    double z[HEALTH_MAX_SENSORS];
    uint64_t present = 0;
    size_t n = 0;
    if (regime >= h->n_regimes)
        return false;
    for (size_t j = 0; j < p; j++) {
        const double v = health_z(h, regime, j, x[j]);
        z[j] = isfinite(v) ? v - h->offset[regime * p + j] : 0;
        if (isfinite(v)) {
            present |= UINT64_C(1) << j;
            n++;
        }
    }
    if (n < k)
        return false;
    const double *score = h->score + regime * k * p;
    const double *precision = h->precision + regime * k;
    if (present != all_sensors(h)) {
        if (!w->is_filled || w->regime != regime || w->present != present) {
            w->is_filled = solve_scores(h, regime, present, w->score, w->precision, NULL) == FT_OK;
            w->regime = regime;
            w->present = present;
            if (!w->is_filled)
                return false;
        }
        score = w->score;
        precision = w->precision;
    }
    double unscaled[HEALTH_MAX_CHANNELS];
    for (size_t c = 0; c < k; c++) {
        double sum = 0;
        for (size_t j = 0; j < p; j++)
            sum += score[c * p + j] * z[j];
        unscaled[c] = sum;
        out->channel[c] = sum * h->scale[c];
        out->precision[c] = fmax(1e-9, precision[c]);
    }
    out->n_present = n;
    out->q = left_over(h, regime, z, unscaled, present, n);
    return true;
}

/* --- fit --- */

struct fit {
    const struct health_rows *rows;
    struct health *h;
    size_t n, p, k;
    double *z;      /* [n][p] missing = 0 */
    double *smooth; /* [n][p] scratch */
    double *scores; /* [n][k] channels of each row, smoothed */
    bool *is_used;  /* [n] has a regime */
};

static void fit_clear(struct fit *f)
{
    free(f->z);
    free(f->smooth);
    free(f->scores);
    free(f->is_used);
}

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

/* Mean and spread of sensor j in regime r (n_regimes = in all). Returns the number of values. */
static size_t moments(const struct fit *f, size_t r, size_t j, double *mean, double *spread)
{
    const struct health_rows *in = f->rows;
    double shift = NAN; /* keeps squares small */
    double sum = 0;
    double squares = 0;
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) {
        const double v = in->x[i * f->p + j];
        if (!f->is_used[i] || !isfinite(v) || (r < in->n_regimes && in->regime[i] != r))
            continue;
        if (n++ == 0)
            shift = v;
        sum += v - shift;
        squares += (v - shift) * (v - shift);
    }
    const double m = n > 0 ? sum / (double)n : 0;
    *mean = n > 0 ? shift + m : 0;
    *spread = n > 0 ? sqrt(fmax(0, squares / (double)n - m * m)) : 0;
    /* A sensor that stands still says nothing: z = 0 for its value. */
    if (!(*spread > 1e-9 * (1 + fabs(*mean))))
        *spread = 1;
    return n;
}

static void standardise(struct fit *f)
{
    struct health *h = f->h;
    for (size_t j = 0; j < f->p; j++) {
        double all_mean;
        double all_spread;
        (void)moments(f, f->rows->n_regimes, j, &all_mean, &all_spread);
        for (size_t r = 0; r < h->n_regimes; r++) {
            double *mean = &h->mean[r * f->p + j];
            double *spread = &h->spread[r * f->p + j];
            if (moments(f, r, j, mean, spread) < MIN_REGIME_ROWS) {
                *mean = all_mean;
                *spread = all_spread;
            }
        }
    }
    for (size_t i = 0; i < f->n; i++)
        for (size_t j = 0; j < f->p && f->is_used[i]; j++) {
            const double z = health_z(h, f->rows->regime[i], j, f->rows->x[i * f->p + j]);
            f->z[i * f->p + j] = isfinite(z) ? z : 0;
        }
}

/* Fading means of n_cols columns, weight[r][n_cols] of each row's regime (NULL = 1), restarted at
 * every unit; rows without a regime keep the last value. */
static void smooth_rows(const struct fit *f, const double *in, size_t n_cols, const double *weight,
                        double *out)
{
    const struct health_rows *rows = f->rows;
    double sum[HEALTH_MAX_SENSORS];
    double mass[HEALTH_MAX_SENSORS];
    for (size_t u = 0; u < rows->n_units; u++) {
        memset(sum, 0, sizeof(sum));
        memset(mass, 0, sizeof(mass));
        for (size_t i = rows->begin[u]; i < rows->begin[u + 1]; i++) {
            const double dt = i > rows->begin[u] ? rows->t[i] - rows->t[i - 1] : 0;
            const double keep = exp2(-dt / half_life);
            for (size_t j = 0; j < n_cols; j++) {
                const double w = !f->is_used[i]   ? 0
                                 : weight != NULL ? weight[rows->regime[i] * n_cols + j]
                                                  : 1;
                sum[j] = sum[j] * keep + w * in[i * n_cols + j];
                mass[j] = mass[j] * keep + w;
                out[i * n_cols + j] = mass[j] > 0 ? sum[j] / mass[j] : 0;
            }
        }
    }
}

/* Whitener S^(-1/2) of the reading-to-reading noise: covariance of first differences / 2. */
static enum ft_status whitener(const struct fit *f, double *w, struct ft_err *err)
{
    const struct health_rows *rows = f->rows;
    const size_t p = f->p;
    double *s = calloc(p * p, sizeof(*s));
    double *values = calloc(p, sizeof(*values));
    double *d = calloc(p, sizeof(*d));
    size_t n = 0;
    enum ft_status st = s == NULL || values == NULL || d == NULL ? no_memory(err) : FT_OK;
    for (size_t u = 0; u < rows->n_units && st == FT_OK; u++)
        for (size_t i = rows->begin[u] + 1; i < rows->begin[u + 1]; i++) {
            if (!f->is_used[i] || !f->is_used[i - 1])
                continue;
            for (size_t j = 0; j < p; j++)
                d[j] = f->z[i * p + j] - f->z[(i - 1) * p + j];
            for (size_t a = 0; a < p; a++)
                for (size_t b = 0; b <= a; b++)
                    s[a * p + b] += d[a] * d[b];
            n++;
        }
    for (size_t a = 0; a < p && st == FT_OK; a++)
        for (size_t b = 0; b <= a; b++)
            s[a * p + b] = s[a * p + b] / 2 / (double)(n > 0 ? n : 1) + (a == b ? noise_floor : 0);
    if (st == FT_OK)
        st = linalg_eigen_symmetric(s, p, values, err);
    for (size_t a = 0; a < p && st == FT_OK; a++)
        for (size_t b = 0; b < p; b++) {
            double sum = 0;
            for (size_t e = 0; e < p; e++)
                sum += s[e * p + a] * s[e * p + b] / sqrt(fmax(values[e], 1e-6));
            w[a * p + b] = sum;
        }
    free(s);
    free(values);
    free(d);
    return st;
}

/* Principal directions of the smoothed, whitened rows; f->scores = their first k scores. */
static enum ft_status find_directions(struct fit *f, struct ft_err *err)
{
    const size_t p = f->p;
    double *w = calloc(p * p, sizeof(*w));
    double *c = calloc(p * p, sizeof(*c));
    double *values = calloc(2 * p, sizeof(*values));
    double *white = calloc(f->n * p + 1, sizeof(*white));
    size_t n = 0;
    enum ft_status st =
        w == NULL || c == NULL || values == NULL || white == NULL ? no_memory(err) : FT_OK;
    if (st == FT_OK)
        st = whitener(f, w, err);
    if (st != FT_OK)
        goto out;
    linalg_gemm(false, false, f->n, p, p, 1, f->z, p, w, p, 0, white, p);
    smooth_rows(f, white, p, NULL, f->smooth);
    double *mean = values + p;
    for (size_t pass = 0; pass < 2; pass++) {
        n = 0;
        for (size_t u = 0; u < f->rows->n_units; u++)
            for (size_t i = f->rows->begin[u]; i < f->rows->begin[u + 1]; i++) {
                const double *row = f->smooth + i * p;
                if (f->rows->t[i] - f->rows->t[f->rows->begin[u]] < warm_up || !f->is_used[i])
                    continue;
                n++;
                for (size_t a = 0; a < p; a++) {
                    if (pass == 0)
                        mean[a] += row[a];
                    for (size_t b = 0; b <= a && pass == 1; b++)
                        c[a * p + b] += (row[a] - mean[a]) * (row[b] - mean[b]);
                }
            }
        for (size_t a = 0; a < p && pass == 0 && n > 0; a++)
            mean[a] /= (double)n;
    }
    if (n < 4 * p) {
        st = ft_fail(err, FT_TOO_FEW, "health channels: %zu rows of %zu sensors", n, p);
        goto out;
    }
    for (size_t a = 0; a < p * p; a++)
        c[a] /= (double)n;
    st = linalg_eigen_symmetric(c, p, values, err);
    for (size_t i = 0; i < f->n && st == FT_OK; i++)
        for (size_t k = 0; k < f->k; k++) {
            const double *direction = c + (p - 1 - k) * p; /* eigenvalues rise */
            double sum = 0;
            for (size_t j = 0; j < p; j++)
                sum += direction[j] * f->smooth[i * p + j];
            f->scores[i * f->k + k] = sum;
        }
out:
    free(w);
    free(c);
    free(values);
    free(white);
    return st;
}

/* Medians over failed units of channel k where they begin and where they fail; v[n][stride].
 * Returns the number of units. */
static size_t unit_levels(const struct fit *f, const double *v, size_t stride, size_t k,
                          double *scratch, double *start, double *level)
{
    const struct health_rows *rows = f->rows;
    size_t n = 0;
    for (size_t u = 0; u < rows->n_units; u++) {
        const size_t from = rows->begin[u];
        const size_t to = rows->begin[u + 1];
        double first = 0;
        double last = 0;
        if (!rows->failed[u] || to - from < 2 * N_START_ROWS)
            continue;
        for (size_t i = 0; i < N_START_ROWS; i++)
            first += v[(from + i) * stride + k] / N_START_ROWS;
        for (size_t i = 0; i < N_LEVEL_ROWS; i++)
            last += v[(to - 1 - i) * stride + k] / N_LEVEL_ROWS;
        scratch[n] = first;
        scratch[rows->n_units + n] = last;
        n++;
    }
    *start = median(scratch, n);
    *level = median(scratch + rows->n_units, n);
    return n;
}

/* Turns each channel so that it rises towards failure. */
static enum ft_status orient(struct fit *f, struct ft_err *err)
{
    double *scratch = calloc(2 * f->rows->n_units + 1, sizeof(*scratch));
    if (scratch == NULL)
        return no_memory(err);
    for (size_t k = 0; k < f->k; k++) {
        double start;
        double level;
        const size_t n = unit_levels(f, f->scores, f->k, k, scratch, &start, &level);
        if (n < MIN_FAILED || level >= start)
            continue;
        for (size_t i = 0; i < f->n; i++)
            f->scores[i * f->k + k] = -f->scores[i * f->k + k];
    }
    free(scratch);
    return FT_OK;
}

/* Least squares of z on [1, scores] over rows of a regime (n_regimes = all), shrunk towards prior
 * (NULL = none) with weight lambda: b[(k + 1)][p]. */
static enum ft_status regress(const struct fit *f, size_t regime, const double *prior,
                              double lambda, double *b, struct ft_err *err)
{
    const size_t m = f->k + 1;
    double gram[(HEALTH_MAX_CHANNELS + 1) * (HEALTH_MAX_CHANNELS + 1)] = {0};
    double g[HEALTH_MAX_CHANNELS + 1];
    memset(b, 0, m * f->p * sizeof(*b));
    for (size_t i = 0; i < f->n; i++) {
        if (!f->is_used[i] || (regime < f->rows->n_regimes && f->rows->regime[i] != regime))
            continue;
        g[0] = 1;
        memcpy(g + 1, f->scores + i * f->k, f->k * sizeof(*g));
        for (size_t a = 0; a < m; a++) {
            for (size_t c = 0; c <= a; c++)
                gram[a * m + c] += g[a] * g[c];
            for (size_t j = 0; j < f->p; j++)
                b[a * f->p + j] += g[a] * f->z[i * f->p + j];
        }
    }
    for (size_t a = 0; a < m; a++)
        gram[a * m + a] += lambda;
    for (size_t i = 0; i < m * f->p && prior != NULL; i++)
        b[i] += lambda * prior[i];
    const enum ft_status st = linalg_cholesky(gram, m, 1e-12, NULL, err);
    for (size_t j = 0; j < f->p && st == FT_OK; j++) {
        double column[HEALTH_MAX_CHANNELS + 1];
        for (size_t a = 0; a < m; a++)
            column[a] = b[a * f->p + j];
        linalg_cholesky_solve(gram, m, column);
        for (size_t a = 0; a < m; a++)
            b[a * f->p + j] = column[a];
    }
    return st;
}

/* Residual covariance of a regime around b. */
static void residual_noise(const struct fit *f, size_t regime, const double *b, double *noise)
{
    const size_t p = f->p;
    double e[HEALTH_MAX_SENSORS];
    size_t n = 0;
    memset(noise, 0, p * p * sizeof(*noise));
    for (size_t i = 0; i < f->n; i++) {
        if (!f->is_used[i] || f->rows->regime[i] != regime)
            continue;
        for (size_t j = 0; j < p; j++) {
            e[j] = f->z[i * p + j] - b[j];
            for (size_t k = 0; k < f->k; k++)
                e[j] -= f->scores[i * f->k + k] * b[(k + 1) * p + j];
        }
        for (size_t a = 0; a < p; a++)
            for (size_t c = 0; c <= a; c++)
                noise[a * p + c] += e[a] * e[c];
        n++;
    }
    for (size_t a = 0; a < p; a++)
        for (size_t c = 0; c <= a; c++)
            noise[a * p + c] /= (double)(n > 0 ? n : 1);
    for (size_t a = 0; a < p; a++)
        noise[a * p + a] = n > 0 ? noise[a * p + a] + residual_floor : 1;
    linalg_mirror(noise, p);
}

/* Channel values of every row, unsmoothed and unscaled. */
static void raw_scores(const struct fit *f, double *out)
{
    const struct health *h = f->h;
    for (size_t i = 0; i < f->n; i++)
        for (size_t k = 0; k < f->k; k++) {
            double sum = 0;
            if (f->is_used[i]) {
                const size_t r = f->rows->regime[i];
                const double *score = h->score + (r * f->k + k) * f->p;
                for (size_t j = 0; j < f->p; j++)
                    sum += score[j] * (f->z[i * f->p + j] - h->offset[r * f->p + j]);
            }
            out[i * f->k + k] = sum;
        }
}

static enum ft_status fit_factors(struct fit *f, struct ft_err *err)
{
    struct health *h = f->h;
    const size_t p = f->p;
    double *common = calloc((f->k + 1) * p, sizeof(*common));
    double *b = calloc((f->k + 1) * p, sizeof(*b));
    enum ft_status st = common == NULL || b == NULL ? no_memory(err) : FT_OK;
    for (size_t round = 0; round < N_ROUNDS && st == FT_OK; round++) {
        st = regress(f, h->n_regimes, NULL, 1e-6, common, err);
        for (size_t r = 0; r < h->n_regimes && st == FT_OK; r++) {
            st = regress(f, r, common, ridge, b, err);
            memcpy(h->offset + r * p, b, p * sizeof(*b));
            memcpy(h->loading + r * f->k * p, b + p, f->k * p * sizeof(*b));
            residual_noise(f, r, b, h->noise + r * p * p);
        }
        if (st == FT_OK)
            st = health_prepare(h, err);
        if (st != FT_OK)
            break;
        raw_scores(f, f->smooth);
        smooth_rows(f, f->smooth, f->k, h->precision, f->scores);
    }
    free(common);
    free(b);
    return st;
}

/* Unit noise of each channel; levels of failed units; a channel that falls is turned. */
static enum ft_status scale_channels(struct fit *f, struct ft_err *err)
{
    struct health *h = f->h;
    const struct health_rows *rows = f->rows;
    double *scratch = calloc(2 * rows->n_units + 1, sizeof(*scratch));
    if (scratch == NULL)
        return no_memory(err);
    raw_scores(f, f->smooth);
    size_t n_failed = 0;
    for (size_t k = 0; k < f->k; k++) {
        double squares = 0;
        size_t n = 0;
        for (size_t u = 0; u < rows->n_units; u++)
            for (size_t i = rows->begin[u] + 1; i < rows->begin[u + 1]; i++) {
                const double d = f->smooth[i * f->k + k] - f->smooth[(i - 1) * f->k + k];
                if (!f->is_used[i] || !f->is_used[i - 1])
                    continue;
                squares += d * d;
                n++;
            }
        h->scale[k] = squares > 0 ? 1 / sqrt(squares / 2 / (double)n) : 1;
        n_failed = unit_levels(f, f->smooth, f->k, k, scratch, &h->start[k], &h->level[k]);
        if (n_failed < MIN_FAILED)
            h->start[k] = h->level[k] = 0;
        h->start[k] *= h->scale[k];
        h->level[k] *= h->scale[k];
    }
    free(scratch);
    h->has_levels = n_failed >= MIN_FAILED;
    for (size_t k = 0; k < f->k && h->has_levels; k++) {
        const double sign = h->level[k] < h->start[k] ? -1 : 1;
        h->start[k] *= sign;
        h->level[k] *= sign;
        if (!(h->level[k] > h->start[k]))
            h->level[k] = h->start[k] + 1e-6;
        for (size_t r = 0; r < h->n_regimes; r++)
            for (size_t j = 0; j < f->p; j++)
                h->loading[(r * f->k + k) * f->p + j] *= sign;
    }
    return health_prepare(h, err);
}

enum ft_status health_fit(const struct health_rows *rows, size_t n_channels, struct health **out,
                          struct ft_err *err)
{
    struct health *h = NULL;
    *out = NULL;
    if (rows->n_sensors < n_channels || rows->n_units == 0)
        return ft_fail(err, FT_TOO_FEW, "health channels: %zu of %zu sensors", n_channels,
                       rows->n_sensors);
    enum ft_status st = health_new(rows->n_sensors, rows->n_regimes, n_channels, &h, err);
    if (st != FT_OK)
        return st;
    struct fit f = {.rows = rows,
                    .h = h,
                    .n = rows->begin[rows->n_units],
                    .p = rows->n_sensors,
                    .k = n_channels};
    f.z = calloc(f.n * f.p + 1, sizeof(double));
    f.smooth = calloc(f.n * f.p + 1, sizeof(double));
    f.scores = calloc(f.n * f.k + 1, sizeof(double));
    f.is_used = calloc(f.n + 1, sizeof(bool));
    if (f.z == NULL || f.smooth == NULL || f.scores == NULL || f.is_used == NULL)
        st = no_memory(err);
    for (size_t i = 0; i < f.n && st == FT_OK; i++)
        f.is_used[i] = rows->regime[i] < rows->n_regimes;
    if (st == FT_OK) {
        standardise(&f);
        st = find_directions(&f, err);
    }
    if (st == FT_OK)
        st = orient(&f, err);
    if (st == FT_OK)
        st = fit_factors(&f, err);
    if (st == FT_OK)
        st = scale_channels(&f, err);
    fit_clear(&f);
    if (st != FT_OK) {
        health_free(h);
        return st;
    }
    *out = h;
    return FT_OK;
}
