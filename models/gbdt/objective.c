/* The sum over all rows decides the step: |sum of g| in steps must stay below 2^31 and the sum of h
 * below 2^32, rounding up every row included. Taking the sum, not the largest value, leaves more
 * bits per row when most gradients are small, as with rare failures. */
#include "models/gbdt/objective.h"

#include "app/base/rng.h"
#include "models/gbdt/histogram.h"

#include <math.h>

enum { BLOCK_ROWS = 8192 };
static const double MAX_TARGET = 1e60; /* squares and sums stay finite */
static const double MAX_WEIGHT = 1e30;
static const double MIN_HESSIAN = 1e-16;
enum { STREAM_ROUNDING = 3 };

double objective_sigmoid(double score)
{
    return 1.0 / (1.0 + exp(-score));
}

static enum ft_status check_row(const struct targets *t, size_t i, double weight,
                                struct ft_err *err)
{
    const double y = t->y[i];
    if (!(weight >= 0 && weight <= MAX_WEIGHT))
        return ft_fail(err, FT_INVALID, "row %zu: weight %g, expected 0 to %g", i, weight,
                       MAX_WEIGHT);
    if (t->objective == GBDT_LOGISTIC && y != 0 && y != 1)
        return ft_fail(err, FT_INVALID, "row %zu: target %g, expected 0 or 1", i, y);
    if (!(fabs(y) <= MAX_TARGET))
        return ft_fail(err, FT_INVALID, "row %zu: target %g, expected a number within +-%g", i, y,
                       MAX_TARGET);
    return FT_OK;
}

enum ft_status objective_check(const struct targets *t, double *base, struct ft_err *err)
{
    double sum_w = 0, sum_wy = 0;
    size_t n = 0;
    for (size_t i = 0; i < t->n_rows; i++) {
        const double w = t->weight != NULL ? t->weight[i] : 1.0;
        const enum ft_status st = check_row(t, i, w, err);
        if (st != FT_OK)
            return st;
        sum_w += w;
        sum_wy += w * t->y[i];
        n += w > 0;
    }
    if (n < 2)
        return ft_fail(err, FT_TOO_FEW, "%zu rows of positive weight, at least 2 are needed", n);
    const double mean = sum_wy / sum_w;
    if (t->objective == GBDT_LOGISTIC && !(mean > 0 && mean < 1))
        return ft_fail(err, FT_TOO_FEW, "all %zu rows have the same class", n);
    *base = t->objective == GBDT_LOGISTIC ? log(mean / (1 - mean)) : mean;
    return FT_OK;
}

size_t objective_n_blocks(size_t n_rows)
{
    return (n_rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
}

struct gradient_job {
    const struct targets *t;
    const double *score;
    double *g, *h, *block_sum;
};

static void gradients_block(void *ctx, size_t begin, size_t end)
{
    const struct gradient_job *job = ctx;
    const struct targets *t = job->t;
    double sum_g = 0, sum_h = 0;
    for (size_t i = begin; i < end; i++) {
        const double w = t->weight != NULL ? t->weight[i] : 1.0;
        if (t->objective == GBDT_LOGISTIC) {
            const double p = objective_sigmoid(job->score[i]);
            job->g[i] = w * (p - t->y[i]);
            job->h[i] = w * fmax(p * (1 - p), MIN_HESSIAN);
        } else {
            job->g[i] = w * (job->score[i] - t->y[i]);
            job->h[i] = w;
        }
        sum_g += fabs(job->g[i]);
        sum_h += job->h[i];
    }
    job->block_sum[2 * (begin / BLOCK_ROWS)] = sum_g;
    job->block_sum[2 * (begin / BLOCK_ROWS) + 1] = sum_h;
}

/* Smallest power of two p with sum <= p * steps; 1 when the sum is 0. */
static double step_for(double sum, double steps)
{
    int exponent;
    if (!(sum > 0))
        return 1.0;
    frexp(sum / steps, &exponent); /* below 2^exponent */
    exponent = exponent < -960 ? -960 : exponent > 960 ? 960 : exponent;
    return ldexp(1.0, exponent);
}

struct quantum objective_gradients(const struct targets *t, const double *score, double *g,
                                   double *h, double *block_sum, struct pool *pool)
{
    struct gradient_job job = {t, score, g, h, block_sum};
    pool_run_blocks(pool, t->n_rows, BLOCK_ROWS, gradients_block, &job);
    double sum_g = 0, sum_h = 0;
    for (size_t b = 0; b < objective_n_blocks(t->n_rows); b++) {
        sum_g += block_sum[2 * b];
        sum_h += block_sum[2 * b + 1];
    }
    /* One step per row is kept for rounding up, and a little for the rounding of the sums. */
    const double n = (double)t->n_rows;
    return (struct quantum){.g = step_for(sum_g, 0x1.fffffp30 - n),
                            .h = step_for(sum_h, 0x1.fffffp31 - n),
                            .g_fine = step_for(sum_g, 0x1p61),
                            .h_fine = step_for(sum_h, 0x1p61)};
}

struct pack_job {
    const double *g, *h;
    double g_per_step, h_per_step;
    uint64_t stream;
    const uint32_t *rows;
    uint64_t *words;
};

static void pack_block(void *ctx, size_t begin, size_t end)
{
    const struct pack_job *job = ctx;
    for (size_t i = begin; i < end; i++) {
        const uint32_t r = job->rows[i];
        const uint64_t random = rng_mix(job->stream ^ r);
        const double up_g = (double)(random >> 32) * 0x1p-32;
        const double up_h = (double)(random & UINT32_MAX) * 0x1p-32;
        const int64_t g = (int64_t)floor(job->g[r] * job->g_per_step + up_g);
        const int64_t h = (int64_t)floor(job->h[r] * job->h_per_step + up_h);
        job->words[i] = gh_pack((int32_t)g, (uint32_t)h);
    }
}

void objective_pack(const double *g, const double *h, const struct quantum *q, uint64_t seed,
                    uint64_t tree, const uint32_t *rows, size_t n, uint64_t *words,
                    struct pool *pool)
{
    struct pack_job job = {.g = g,
                           .h = h,
                           .g_per_step = 1 / q->g,
                           .h_per_step = 1 / q->h,
                           .stream = rng_mix(rng_mix(rng_mix(seed) ^ STREAM_ROUNDING) ^ tree),
                           .rows = rows,
                           .words = words};
    pool_run_blocks(pool, n, BLOCK_ROWS, pack_block, &job);
}
