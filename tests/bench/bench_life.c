/* Times life data analysis of many components: every distribution (three-parameter Weibull too),
 * profile limits of each, the best one's age replacement; then again with resampled limits of the
 * decision: bench_life COMPONENTS UNITS THREADS DRAWS */
#include "app/base/clock.h"
#include "app/base/pool.h"
#include "app/base/rng.h"
#include "app/life_decide.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct bench {
    size_t n_units, n_draws;
    double *time;
    bool *failed;
    double *count;
    double *sum; /* [components] checksum */
    size_t *n_fits;
};

/* Lives of component k: a law and an amount of censoring of its own. */
static void make_lives(struct bench *b, size_t k)
{
    const double shape = 0.8 + 3 * rng_uniform(5, 1, k), scale = 100 + 2000 * rng_uniform(5, 2, k);
    const double window = scale * (0.5 + 1.5 * rng_uniform(5, 3, k));
    for (size_t i = 0; i < b->n_units; i++) {
        const size_t at = k * b->n_units + i;
        const double life =
            scale * pow(-log1p(-rng_uniform(6, k, 2 * i)), 1 / shape) + scale * 1e-3;
        const double end = window * (0.3 + 0.7 * rng_uniform(6, k, 2 * i + 1));
        b->time[at] = fmin(life, end);
        b->failed[at] = life <= end;
        b->count[at] = 1;
    }
}

static void analyse(void *ctx, size_t k)
{
    struct bench *b = ctx;
    const struct life_table t = {.n = b->n_units,
                                 .time = b->time + k * b->n_units,
                                 .failed = b->failed + k * b->n_units,
                                 .count = b->count + k * b->n_units};
    const struct life_request q = {.is_best = true,
                                   .confidence = 0.9,
                                   .has_costs = true,
                                   .cost_planned = 1,
                                   .cost_failure = 6,
                                   .n_draws = b->n_draws,
                                   .seed = 1};
    const struct life_data data = life_table_data(&t);
    struct life_report r;
    struct life_decisions d;
    struct life_fit three;
    double first[2], scale[2];
    if (life_report_make(&t, &q, &r, NULL) != FT_OK)
        return;
    for (size_t i = 0; i < r.n_candidates; i++)
        if (r.candidates[i].error.code == FT_OK &&
            life_profile_limits(&r.candidates[i].fit, &data, 0.9, first, scale, NULL) == FT_OK) {
            b->n_fits[k]++;
            b->sum[k] += log(scale[1] / scale[0]);
        }
    if (life_fit(LIFE_WEIBULL3, &data, &three, NULL) == FT_OK) {
        b->n_fits[k]++;
        b->sum[k] += three.threshold;
    }
    b->sum[k] += r.replacement.has_optimum ? r.replacement.interval : 0;
    if (b->n_draws > 0 && life_decide(&r, &data, &q, NULL, &d, NULL) == FT_OK)
        b->sum[k] += isfinite(d.age.interval[1]) ? d.age.interval[1] : 0;
    life_report_free(&r);
}

static void run(struct bench *b, struct pool *pool, size_t n)
{
    double sum = 0;
    size_t fits = 0;
    for (size_t k = 0; k < n; k++) {
        b->sum[k] = 0;
        b->n_fits[k] = 0;
    }
    const double start_s = clock_mono_s();
    pool_run(pool, n, analyse, b);
    const double took_s = clock_mono_s() - start_s;
    for (size_t k = 0; k < n; k++) {
        sum += b->sum[k];
        fits += b->n_fits[k];
    }
    printf("%zu components x %zu units, %zu draws, %zu threads: %.3f s (%zu fits, checksum %.9g)\n",
           n, b->n_units, b->n_draws, pool_n_threads(pool), took_s, fits, sum);
}

static size_t argument(int argc, char **argv, int i, size_t otherwise)
{
    return i < argc ? strtoul(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    const size_t n = argument(argc, argv, 1, 1000);
    struct bench b = {.n_units = argument(argc, argv, 2, 50)};
    const size_t n_draws = argument(argc, argv, 4, 100);
    struct pool *pool = NULL;
    struct ft_err err;
    b.time = calloc(n * b.n_units, sizeof(*b.time));
    b.failed = calloc(n * b.n_units, sizeof(*b.failed));
    b.count = calloc(n * b.n_units, sizeof(*b.count));
    b.sum = calloc(n, sizeof(*b.sum));
    b.n_fits = calloc(n, sizeof(*b.n_fits));
    if (b.time == NULL || b.failed == NULL || b.count == NULL || b.sum == NULL ||
        b.n_fits == NULL || pool_new(argument(argc, argv, 3, 2), &pool, &err) != FT_OK)
        return 1;
    for (size_t k = 0; k < n; k++)
        make_lives(&b, k);
    run(&b, pool, n);
    b.n_draws = n_draws;
    if (n_draws > 0)
        run(&b, pool, n);
    pool_free(pool);
    free(b.time);
    free(b.failed);
    free(b.count);
    free(b.sum);
    free(b.n_fits);
    return 0;
}
