/* One pool of worker threads for everything that trains. pool_run() may be called from inside a
 * job: idle workers then help with the inner jobs (two levels: candidates x folds outside, rows or
 * features inside). Nobody spins; a waiting thread sleeps on a condition.
 *
 * Determinism: a job must write only to places that belong to its own index, and results are
 * reduced by the caller in index order. Then nothing depends on the number of threads. */
#ifndef APP_BASE_POOL_H
#define APP_BASE_POOL_H

#include "app/base/status.h"

#include <stddef.h>

struct pool;

/* A pool in which n_threads threads work, the caller of pool_run() counted: n_threads - 1 are
 * started. 0 means the number of processors. FT_INVALID above 1024; FT_NOMEM; FT_IO when a thread
 * cannot be started. The caller ends it with pool_free(). */
enum ft_status pool_new(size_t n_threads, struct pool **out, struct ft_err *err);

/* Runs job(ctx, i) for every i in [0, n_jobs), each exactly once, and returns when all are done.
 * The calling thread works too. Jobs start in index order. */
void pool_run(struct pool *pool, size_t n_jobs, void (*job)(void *ctx, size_t i), void *ctx);

/* Same over [0, n) in blocks of block items: job(ctx, begin, end). block > 0. */
void pool_run_blocks(struct pool *pool, size_t n, size_t block,
                     void (*job)(void *ctx, size_t begin, size_t end), void *ctx);

size_t pool_n_threads(const struct pool *pool);

/* Seconds of work done by all threads so far, callers included: divided by elapsed time it is the
 * number of cores used. Nested jobs count once. */
double pool_busy_s(struct pool *pool);

void pool_free(
    struct pool *pool); /* NULL is fine; waits for the workers; no pool_run() may be live */

#endif
