#include "app/validate.h"

#include "app/base/clock.h"
#include "app/validate_private.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
    enum ft_status status;
    struct ft_err err;
    double seconds, metric;
};

struct run {
    const struct validate_plan *plan;
    struct pool *pool;
    struct validate_result *results;
    struct job *jobs; /* [n_candidates * folds] */
    size_t *alive;    /* [n_alive] candidates that go on, rising */
    size_t n_alive;
    size_t first_fold; /* of the present rung */
    atomic_size_t n_done;
};

/* Jobs go candidate by candidate within a fold; each writes the places of its own held-out rows. */
static void run_job(void *ctx, size_t i)
{
    struct run *run = ctx;
    const struct validate_plan *plan = run->plan;
    const size_t candidate = run->alive[i % run->n_alive];
    const size_t f = run->first_fold + i / run->n_alive;
    const struct fold *fold = &plan->folds->fold[f];
    struct job *job = &run->jobs[candidate * plan->folds->n + f];
    const double start_s = clock_mono_s();
    job->metric = NAN;
    if (plan->is_stopped != NULL && plan->is_stopped()) {
        job->status = ft_fail(&job->err, FT_INTERRUPTED, "stopped");
        return;
    }
    double *raw = calloc(fold->n_test, sizeof(*raw));
    if (raw == NULL)
        job->status = ft_fail(&job->err, FT_NOMEM, "validation: no memory");
    else
        job->status = plan->fit(plan->ctx, candidate, fold, run->pool, raw, &job->err);
    if (job->status == FT_OK)
        job->status = validate_fold_metric(plan, fold, raw, &job->metric, &job->err);
    for (size_t k = 0; job->status == FT_OK && k < fold->n_test; k++)
        run->results[candidate].raw[fold->test[k]] = raw[k];
    free(raw);
    job->seconds = clock_mono_s() - start_s;
    const size_t n_done = atomic_fetch_add(&run->n_done, 1) + 1;
    if (plan->on_done != NULL)
        plan->on_done(plan->on_done_ctx, n_done);
}

static void reduce(const struct run *run, size_t candidate)
{
    const size_t n_folds = run->plan->folds->n;
    struct validate_result *r = &run->results[candidate];
    double sum = 0, squares = 0;
    size_t n = 0;
    r->seconds = 0;
    for (size_t f = 0; f < r->n_folds; f++) {
        const struct job *job = &run->jobs[candidate * n_folds + f];
        r->seconds += job->seconds;
        r->fold_metric[f] = job->metric;
        if (job->status != FT_OK && r->status == FT_OK) {
            r->status = job->status;
            snprintf(r->reason, sizeof(r->reason), "fold %zu: %.200s", f + 1, job->err.msg);
        }
        if (!isnan(job->metric)) {
            sum += job->metric;
            n++;
        }
    }
    r->mean = n > 0 ? sum / (double)n : NAN;
    for (size_t f = 0; f < r->n_folds; f++)
        if (!isnan(r->fold_metric[f]))
            squares += (r->fold_metric[f] - r->mean) * (r->fold_metric[f] - r->mean);
    r->std = n > 1 ? sqrt(squares / (double)(n - 1)) : NAN;
}

static enum ft_status prepare_results(const struct validate_plan *plan,
                                      struct validate_result *results, struct ft_err *err)
{
    for (size_t c = 0; c < plan->n_candidates; c++)
        results[c] = (struct validate_result){.mean = NAN, .std = NAN};
    for (size_t c = 0; c < plan->n_candidates; c++) {
        results[c].raw = calloc(plan->n_rows, sizeof(double));
        results[c].fold_metric = calloc(plan->folds->n, sizeof(double));
        if (results[c].raw == NULL || results[c].fold_metric == NULL)
            return ft_fail(err, FT_NOMEM, "validation: no memory for %zu rows", plan->n_rows);
        for (size_t i = 0; i < plan->n_rows; i++)
            results[c].raw[i] = NAN;
        for (size_t f = 0; f < plan->folds->n; f++)
            results[c].fold_metric[f] = NAN;
    }
    return FT_OK;
}

/* What the whole run says: stopped or out of memory beats all; else one candidate must be well. */
static enum ft_status verdict(const struct run *run, struct ft_err *err)
{
    const size_t n = run->plan->n_candidates;
    bool is_any_well = false;
    for (size_t c = 0; c < n; c++) {
        const struct validate_result *r = &run->results[c];
        if (r->status == FT_INTERRUPTED || r->status == FT_NOMEM)
            return ft_fail(err, r->status, "%s", r->reason);
        is_any_well |= r->status == FT_OK;
    }
    if (!is_any_well && n > 0)
        return ft_fail(err, run->results[0].status, "%s", run->results[0].reason);
    return FT_OK;
}

/* Better first, failed ones last, the first of equals first. */
static bool is_before(const struct run *run, size_t a, size_t b)
{
    const struct validate_result *x = &run->results[a], *y = &run->results[b];
    const bool x_counts = x->status == FT_OK && !isnan(x->mean);
    const bool y_counts = y->status == FT_OK && !isnan(y->mean);
    if (x_counts != y_counts)
        return x_counts;
    if (!x_counts || x->mean == y->mean)
        return a < b;
    return (x->mean > y->mean) == validate_is_higher_better(run->plan->metric);
}

/* Takes the worst out until the better half is left. */
static void halve(struct run *run)
{
    const size_t n_kept = run->n_alive > 1 ? run->n_alive / 2 : run->n_alive;
    while (run->n_alive > n_kept) {
        size_t worst = 0;
        for (size_t i = 1; i < run->n_alive; i++)
            if (is_before(run, run->alive[worst], run->alive[i]))
                worst = i;
        run->n_alive--;
        memmove(run->alive + worst, run->alive + worst + 1,
                (run->n_alive - worst) * sizeof(*run->alive));
    }
}

/* Folds of the rung that begins with fold first: 1, 1, 2, 4, ... or all. */
static size_t rung_size(const struct validate_plan *plan, size_t first)
{
    const size_t n_left = plan->folds->n - first;
    const size_t wanted = !plan->is_halving ? n_left : first == 0 ? 1 : first;
    return wanted < n_left ? wanted : n_left;
}

size_t validate_n_jobs(const struct validate_plan *plan)
{
    size_t n_jobs = 0, n_alive = plan->n_candidates;
    for (size_t first = 0; first < plan->folds->n;) {
        const size_t n = rung_size(plan, first);
        n_jobs += n * n_alive;
        n_alive = n_alive > 1 ? n_alive / 2 : n_alive;
        first += n;
    }
    return n_jobs;
}

struct part {
    void (*job)(void *ctx, size_t i);
    void *ctx;
    size_t begin;
};

static void run_part_job(void *ctx, size_t i)
{
    const struct part *p = ctx;
    p->job(p->ctx, p->begin + i);
}

void validate_run_part(struct pool *pool, size_t begin, size_t n, void (*job)(void *ctx, size_t i),
                       void *ctx)
{
    struct part part = {job, ctx, begin};
    pool_run(pool, n, run_part_job, &part);
}

static void run_rung(struct run *run, size_t first, size_t n_folds)
{
    const size_t n_jobs = n_folds * run->n_alive;
    const size_t wave = run->plan->n_at_once > 0 ? run->plan->n_at_once : n_jobs;
    run->first_fold = first;
    for (size_t i = 0; i < n_jobs; i += wave)
        validate_run_part(run->pool, i, n_jobs - i < wave ? n_jobs - i : wave, run_job, run);
    for (size_t i = 0; i < run->n_alive; i++) {
        run->results[run->alive[i]].n_folds = first + n_folds;
        reduce(run, run->alive[i]);
    }
}

enum ft_status validate_run(const struct validate_plan *plan, struct pool *pool,
                            struct validate_result *results, struct ft_err *err)
{
    const size_t n_jobs = plan->n_candidates * plan->folds->n;
    struct run run = {.plan = plan, .pool = pool, .results = results};
    enum ft_status st = prepare_results(plan, results, err);
    if (st != FT_OK)
        return st;
    run.jobs = calloc(n_jobs > 0 ? n_jobs : 1, sizeof(*run.jobs));
    run.alive = calloc(plan->n_candidates + 1, sizeof(*run.alive));
    if (run.jobs == NULL || run.alive == NULL) {
        free(run.jobs);
        free(run.alive);
        return ft_fail(err, FT_NOMEM, "validation: no memory for %zu jobs", n_jobs);
    }
    for (size_t c = 0; c < plan->n_candidates; c++)
        run.alive[run.n_alive++] = c;
    for (size_t first = 0, n = 0; first < plan->folds->n; first += n) {
        n = rung_size(plan, first);
        run_rung(&run, first, n);
        if (plan->is_halving)
            halve(&run);
    }
    st = verdict(&run, err);
    free(run.jobs);
    free(run.alive);
    return st;
}

void validate_results_free(struct validate_result *results, size_t n)
{
    for (size_t c = 0; c < n; c++) {
        free(results[c].raw);
        free(results[c].fold_metric);
        results[c] = (struct validate_result){0};
    }
}

size_t validate_best(const struct validate_result *results, size_t n, enum validate_metric metric)
{
    size_t best = 0, most = 0;
    double best_value = NAN;
    for (size_t c = 0; c < n; c++)
        if (results[c].status == FT_OK && !isnan(results[c].mean) && results[c].n_folds > most)
            most = results[c].n_folds;
    for (size_t c = 0; c < n; c++) {
        if (results[c].status != FT_OK || isnan(results[c].mean) || results[c].n_folds < most)
            continue;
        const double value = validate_is_higher_better(metric) ? results[c].mean : -results[c].mean;
        if (isnan(best_value) || value > best_value) {
            best_value = value;
            best = c;
        }
    }
    return best;
}

bool validate_is_within_error(const struct validate_result *results, size_t candidate, size_t best,
                              enum validate_metric metric)
{
    const struct validate_result *r = &results[candidate], *b = &results[best];
    if (candidate == best)
        return true;
    if (r->status != FT_OK || isnan(r->mean) || r->n_folds < b->n_folds || isnan(b->std))
        return false;
    const double worse_by =
        validate_is_higher_better(metric) ? b->mean - r->mean : r->mean - b->mean;
    return worse_by <= b->std / sqrt((double)b->n_folds);
}
