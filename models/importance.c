#include "models/importance.h"

#include "app/base/rng.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_ROWS = 1024 };

struct job {
    const struct importance_problem *p;
    double *value; /* [n_cols * n_repeats], NaN = no memory */
    bool *has_failed;
};

static void shuffle(size_t *order, size_t n, uint64_t seed, uint64_t stream)
{
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n; i > 1; i--) {
        const size_t k = (size_t)rng_below(seed, stream, i, i);
        const size_t t = order[i - 1];
        order[i - 1] = order[k];
        order[k] = t;
    }
}

/* Predicts with one column taken from other rows, in blocks that are copied. */
static void predict_shuffled(const struct importance_problem *p, size_t column, const size_t *order,
                             double *block, double *out)
{
    const struct matrix *x = p->x;
    for (size_t begin = 0; begin < x->n_rows; begin += BLOCK_ROWS) {
        const size_t left = x->n_rows - begin;
        const struct matrix view = {block, left < BLOCK_ROWS ? left : BLOCK_ROWS, x->n_cols,
                                    x->n_cols, NULL};
        for (size_t i = 0; i < view.n_rows; i++) {
            double *row = block + i * x->n_cols;
            const double *from = matrix_row_wide(x, begin + i, row);
            if (from != row)
                memcpy(row, from, x->n_cols * sizeof(*row));
            row[column] = matrix_value(x, order[begin + i], column);
        }
        p->predict(p->model, &view, out + begin);
    }
}

static void run_one(void *ctx, size_t i)
{
    const struct job *job = ctx;
    const struct importance_problem *p = job->p;
    const size_t n = p->x->n_rows;
    size_t *order = calloc(n, sizeof(*order));
    double *out = calloc(n, sizeof(*out));
    double *block = calloc(p->x->n_cols, BLOCK_ROWS * sizeof(*block));
    job->has_failed[i] = order == NULL || out == NULL || block == NULL;
    if (!job->has_failed[i]) {
        shuffle(order, n, p->seed, i);
        predict_shuffled(p, i / p->n_repeats, order, block, out);
        job->value[i] = p->metric(p->metric_ctx, out);
    }
    free(order);
    free(out);
    free(block);
}

static void summarise(const double *value, size_t n, double base, double *mean, double *sd)
{
    double sum = 0, square = 0;
    for (size_t r = 0; r < n; r++)
        sum += value[r] - base;
    *mean = sum / (double)n;
    for (size_t r = 0; r < n; r++)
        square += (value[r] - base - *mean) * (value[r] - base - *mean);
    if (sd != NULL)
        *sd = n > 1 ? sqrt(square / (double)(n - 1)) : NAN;
}

enum ft_status importance_by_permutation(const struct importance_problem *problem,
                                         struct pool *pool, double *metric_is, double *mean,
                                         double *sd, struct ft_err *err)
{
    const size_t n_cols = problem->x->n_cols, n_jobs = n_cols * problem->n_repeats;
    bool any = false;
    if (problem->x->n_rows == 0 || n_jobs == 0)
        return ft_fail(err, FT_INVALID, "importance: %zu rows, %zu columns, %zu repeats",
                       problem->x->n_rows, n_cols, problem->n_repeats);
    struct job job = {problem, calloc(n_jobs, sizeof(double)), calloc(n_jobs, sizeof(bool))};
    double *out = calloc(problem->x->n_rows, sizeof(*out));
    if (job.value == NULL || job.has_failed == NULL || out == NULL) {
        any = true;
        goto out;
    }
    problem->predict(problem->model, problem->x, out);
    *metric_is = problem->metric(problem->metric_ctx, out);
    pool_run(pool, n_jobs, run_one, &job);
    for (size_t i = 0; i < n_jobs; i++)
        any |= job.has_failed[i];
    for (size_t j = 0; j < n_cols && !any; j++)
        summarise(job.value + j * problem->n_repeats, problem->n_repeats, *metric_is, &mean[j],
                  sd != NULL ? &sd[j] : NULL);
out:
    free(out);
    free(job.value);
    free(job.has_failed);
    return any ? ft_fail(err, FT_NOMEM, "importance: no memory for %zu rows", problem->x->n_rows)
               : FT_OK;
}
