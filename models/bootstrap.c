#include "models/bootstrap.h"

#include "app/base/rng.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct row {
    size_t group, i;
};

/* Rows of group g are member[first[g]..first[g + 1]). */
struct groups {
    size_t *first, *member;
    size_t n;
};

static int by_group(const void *a, const void *b)
{
    const struct row *p = a;
    const struct row *q = b;
    if (p->group != q->group)
        return p->group < q->group ? -1 : 1;
    return p->i < q->i ? -1 : 1;
}

static bool make_groups(const struct bootstrap_problem *p, struct groups *g)
{
    struct row *rows = calloc(p->n_rows, sizeof(*rows));
    g->first = calloc(p->n_rows + 1, sizeof(*g->first));
    g->member = calloc(p->n_rows, sizeof(*g->member));
    if (rows == NULL || g->first == NULL || g->member == NULL) {
        free(rows);
        return false;
    }
    for (size_t i = 0; i < p->n_rows; i++)
        rows[i] = (struct row){p->group != NULL ? p->group[i] : i, i};
    if (p->group != NULL)
        qsort(rows, p->n_rows, sizeof(*rows), by_group);
    for (size_t i = 0; i < p->n_rows; i++) {
        g->member[i] = rows[i].i;
        if (i == 0 || rows[i].group != rows[i - 1].group)
            g->first[g->n++] = i;
    }
    g->first[g->n] = p->n_rows;
    free(rows);
    return true;
}

struct job {
    const struct bootstrap_problem *p;
    const struct groups *groups;
    double *value; /* [n_repeats] */
    bool *has_failed;
};

static size_t size_of(const struct groups *g, size_t k)
{
    return g->first[k + 1] - g->first[k];
}

static void draw_one(void *ctx, size_t r)
{
    const struct job *job = ctx;
    const struct groups *g = job->groups;
    size_t n = 0;
    for (size_t k = 0; k < g->n; k++)
        n += size_of(g, (size_t)rng_below(job->p->seed, r, k, g->n));
    size_t *rows = calloc(n + 1, sizeof(*rows));
    job->has_failed[r] = rows == NULL;
    if (rows == NULL)
        return;
    n = 0;
    for (size_t k = 0; k < g->n; k++) {
        const size_t drawn = (size_t)rng_below(job->p->seed, r, k, g->n);
        memcpy(rows + n, g->member + g->first[drawn], size_of(g, drawn) * sizeof(*rows));
        n += size_of(g, drawn);
    }
    job->value[r] = job->p->metric(job->p->ctx, rows, n);
    free(rows);
}

static int by_value(const void *a, const void *b)
{
    const double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* As R's quantile() type 7. */
static double quantile_of(const double *sorted, size_t n, double q)
{
    const double at = q * (double)(n - 1);
    const size_t low = (size_t)at;
    const size_t high = low + 1 < n ? low + 1 : low;
    return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

static void summarise(double *value, size_t n_repeats, double level, struct bootstrap_result *out)
{
    size_t n = 0;
    double sum = 0, square = 0;
    for (size_t r = 0; r < n_repeats; r++)
        if (!isnan(value[r]))
            value[n++] = value[r];
    out->n_defined = n;
    out->std_error = out->lower = out->upper = NAN;
    if (n < 2 || 2 * n < n_repeats)
        return;
    for (size_t r = 0; r < n; r++)
        sum += value[r];
    const double mean = sum / (double)n;
    for (size_t r = 0; r < n; r++)
        square += (value[r] - mean) * (value[r] - mean);
    out->std_error = sqrt(square / (double)(n - 1));
    qsort(value, n, sizeof(*value), by_value);
    out->lower = quantile_of(value, n, (1 - level) / 2);
    out->upper = quantile_of(value, n, (1 + level) / 2);
}

enum ft_status bootstrap(const struct bootstrap_problem *problem, struct pool *pool,
                         struct bootstrap_result *out, struct ft_err *err)
{
    const size_t n_repeats = problem->n_repeats;
    struct groups groups = {0};
    bool has_failed = true;
    *out = (struct bootstrap_result){0};
    if (problem->n_rows == 0 || n_repeats < 2 || n_repeats > 100000 || !(problem->level > 0) ||
        !(problem->level < 1))
        return ft_fail(err, FT_INVALID, "bootstrap: %zu rows, %zu repeats, level %g",
                       problem->n_rows, n_repeats, problem->level);
    struct job job = {problem, &groups, calloc(n_repeats, sizeof(double)),
                      calloc(n_repeats, sizeof(bool))};
    if (job.value != NULL && job.has_failed != NULL && make_groups(problem, &groups)) {
        out->n_groups = groups.n;
        out->value = problem->metric(problem->ctx, groups.member, problem->n_rows);
        pool_run(pool, n_repeats, draw_one, &job);
        has_failed = false;
        for (size_t r = 0; r < n_repeats; r++)
            has_failed |= job.has_failed[r];
    }
    if (!has_failed)
        summarise(job.value, n_repeats, problem->level, out);
    free(job.value);
    free(job.has_failed);
    free(groups.first);
    free(groups.member);
    return has_failed ? ft_fail(err, FT_NOMEM, "bootstrap: no memory for %zu rows", problem->n_rows)
                      : FT_OK;
}

double bootstrap_row_metric(const void *ctx, const size_t *row, size_t n)
{
    const struct bootstrap_rows *r = ctx;
    const size_t n_columns = r->weight != NULL ? 3 : 2;
    double *a = calloc(n, n_columns * sizeof(*a));
    if (a == NULL)
        return NAN;
    double *b = a + n, *weight = r->weight != NULL ? a + 2 * n : NULL;
    for (size_t i = 0; i < n; i++) {
        a[i] = r->a[row[i]];
        b[i] = r->b[row[i]];
        if (weight != NULL)
            weight[i] = r->weight[row[i]];
    }
    const double value = r->metric(a, b, weight, n);
    free(a);
    return value;
}
