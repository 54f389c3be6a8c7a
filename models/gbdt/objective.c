/* The sum over all rows decides the step: |sum of g| in steps must stay below 2^31 and the sum of h
 * below 2^32, rounding up every row included. Taking the sum, not the largest value, leaves more
 * bits per row when most gradients are small, as with rare failures. */
#include "models/gbdt/objective.h"

#include "app/base/rng.h"
#include "models/gbdt/forest.h"
#include "models/gbdt/histogram.h"
#include "models/gbdt/objective_private.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_ROWS = OBJECTIVE_BLOCK_ROWS };
static const double MAX_WEIGHT = 1e30;
enum { STREAM_ROUNDING = 3 };

static const struct {
    const char *name;
    const struct objective_ops *ops;
} table[GBDT_N_OBJECTIVES] = {
    [GBDT_LOGISTIC] = {"logistic", &objective_logistic},
    [GBDT_SQUARED] = {"squared", &objective_squared},
    [GBDT_ABSOLUTE] = {"absolute", &objective_pinball},
    [GBDT_QUANTILE] = {"quantile", &objective_pinball},
    [GBDT_POISSON] = {"poisson", &objective_poisson},
    [GBDT_COX] = {"cox", &objective_cox},
    [GBDT_AFT_WEIBULL] = {"aft_weibull", &objective_aft},
    [GBDT_AFT_LOGNORMAL] = {"aft_lognormal", &objective_aft},
    [GBDT_AFT_LOGLOGISTIC] = {"aft_loglogistic", &objective_aft},
};

const char *gbdt_objective_name(enum gbdt_objective objective)
{
    return table[objective].name;
}

int gbdt_objective_by_name(const char *name)
{
    for (int i = 0; i < GBDT_N_OBJECTIVES; i++)
        if (strcmp(table[i].name, name) == 0)
            return i;
    return -1;
}

double objective_sigmoid(double score)
{
    return 1.0 / (1.0 + exp(-score));
}

bool objective_has_parameter(enum gbdt_objective objective)
{
    return objective == GBDT_QUANTILE || table[objective].ops == &objective_aft;
}

bool objective_parameter_is_valid(enum gbdt_objective objective, double parameter)
{
    if (objective == GBDT_QUANTILE)
        return parameter > 0 && parameter < 1;
    return !objective_has_parameter(objective) || (parameter > 0 && isfinite(parameter));
}

double objective_parameter_of(const struct gbdt_params *params)
{
    if (!objective_has_parameter(params->objective))
        return 0;
    return params->objective == GBDT_QUANTILE ? params->quantile : params->aft_scale;
}

bool objective_renews(enum gbdt_objective objective)
{
    return table[objective].ops == &objective_pinball;
}

enum ft_status objective_start(struct targets *t, double *base, struct ft_err *err)
{
    const struct objective_ops *ops = table[t->objective].ops;
    size_t n = 0;
    for (size_t i = 0; i < t->n_rows; i++) {
        const double w = target_weight(t, i);
        if (!(w >= 0 && w <= MAX_WEIGHT))
            return ft_fail(err, FT_INVALID, "row %zu: weight %g, expected 0 to %g", i, w,
                           MAX_WEIGHT);
        const enum ft_status st = ops->check_row(t, i, err);
        if (st != FT_OK)
            return st;
        n += w > 0;
    }
    if (n < 2)
        return ft_fail(err, FT_TOO_FEW, "%zu rows of positive weight, at least 2 are needed", n);
    return ops->start(t, base, err);
}

void objective_end(struct targets *t)
{
    const struct objective_ops *ops = table[t->objective].ops;
    if (ops->end != NULL && t->state != NULL)
        ops->end(t);
    free(t->state);
    t->state = NULL;
}

double objective_step(enum gbdt_objective objective, double newton)
{
    const struct objective_ops *ops = table[objective].ops;
    return ops->step != NULL ? ops->step(newton) : newton;
}

size_t objective_n_blocks(size_t n_rows)
{
    return (n_rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
}

struct gradient_job {
    const struct objective_ops *ops;
    const struct targets *t;
    const double *score;
    double *g, *h, *block_sum;
};

static void gradients_block(void *ctx, size_t begin, size_t end)
{
    const struct gradient_job *job = ctx;
    double sum_g = 0, sum_h = 0;
    job->ops->rows(job->t, job->score, begin, end, job->g, job->h);
    for (size_t i = begin; i < end; i++) {
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
    struct gradient_job job = {table[t->objective].ops, t, score, g, h, block_sum};
    if (job.ops->prepare != NULL)
        job.ops->prepare(t, score, pool);
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

static void loss_block(void *ctx, size_t begin, size_t end)
{
    const struct gradient_job *job = ctx;
    job->block_sum[begin / BLOCK_ROWS] = job->ops->loss(job->t, job->score, begin, end);
}

double objective_loss(const struct targets *t, const double *score, double *block_sum,
                      struct pool *pool)
{
    struct gradient_job job = {table[t->objective].ops, t, score, NULL, NULL, block_sum};
    if (job.ops->prepare != NULL)
        job.ops->prepare(t, score, pool);
    pool_run_blocks(pool, t->n_rows, BLOCK_ROWS, loss_block, &job);
    double sum = job.ops->loss_rest != NULL ? job.ops->loss_rest(t) : 0;
    for (size_t b = 0; b < objective_n_blocks(t->n_rows); b++)
        sum += block_sum[b];
    return sum;
}

struct pack_job {
    const double *g, *h;
    double g_per_step, h_per_step;
    uint64_t stream;
    const uint32_t *rows;
    uint64_t *words;
    _Atomic uint64_t sum;
};

/* floor() of a number that fits, without a call. */
static inline int64_t floor_of(double v)
{
    const int64_t cut = (int64_t)v;
    return cut - (v < (double)cut);
}

static void pack_block(void *ctx, size_t begin, size_t end)
{
    struct pack_job *job = ctx;
    uint64_t sum = 0;
    for (size_t i = begin; i < end; i++) {
        const uint32_t r = job->rows[i];
        const uint64_t random = rng_mix(job->stream ^ r);
        const double up_g = (double)(random >> 32) * 0x1p-32;
        const double up_h = (double)(random & UINT32_MAX) * 0x1p-32;
        const int64_t g = floor_of(job->g[r] * job->g_per_step + up_g);
        const int64_t h = floor_of(job->h[r] * job->h_per_step + up_h);
        job->words[i] = gh_pack((int32_t)g, (uint32_t)h);
        sum += job->words[i];
    }
    atomic_fetch_add(&job->sum, sum);
}

uint64_t objective_pack(const double *g, const double *h, const struct quantum *q, uint64_t seed,
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
    return job.sum;
}

double gbdt_answer(const struct gbdt *g, double raw)
{
    switch (g->objective) {
    case GBDT_LOGISTIC:
        return objective_sigmoid(raw);
    case GBDT_POISSON:
    case GBDT_COX:
        return exp(raw);
    case GBDT_AFT_WEIBULL:
    case GBDT_AFT_LOGNORMAL:
    case GBDT_AFT_LOGLOGISTIC:
        return exp(raw + g->parameter * objective_aft_median(g->objective));
    default:
        return raw;
    }
}
