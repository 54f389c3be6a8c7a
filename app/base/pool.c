/* A list of live groups (one for each pool_run() call) under one mutex. A worker takes the next
 * index of the newest group that has any left; inner groups come first because outer jobs wait for
 * them. The caller takes indices of its own group only, so a wait never nests into foreign work. */
#include "app/base/pool.h"

#include "app/base/clock.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

struct group {
    void (*job)(void *ctx, size_t i);
    void *ctx;
    size_t n_jobs;
    size_t next;
    size_t n_done;
    pthread_cond_t finished;
    struct group *older; /* list of live groups, newest first */
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work; /* a group was added, or stop was set */
    struct group *newest;
    bool stop;
    double busy_s;
    size_t n_threads;
    size_t n_started;
    pthread_t *threads; /* [n_started], owned */
};

/* Depth of pool jobs on this thread: only the outermost one is counted as busy time. */
static _Thread_local int job_depth;

static struct group *group_with_work(struct pool *pool)
{
    struct group *g = pool->newest;
    while (g != NULL && g->next == g->n_jobs)
        g = g->older;
    return g;
}

/* Takes one index of g and runs it. Called and returns with the lock held. */
static void run_one(struct pool *pool, struct group *g)
{
    const size_t i = g->next++;
    pthread_mutex_unlock(&pool->lock);
    const double start_s = job_depth++ == 0 ? clock_mono_s() : 0;
    g->job(g->ctx, i);
    const double busy_s = --job_depth == 0 ? clock_mono_s() - start_s : 0;
    pthread_mutex_lock(&pool->lock);
    pool->busy_s += busy_s;
    if (++g->n_done == g->n_jobs)
        pthread_cond_signal(&g->finished);
}

static void *worker_main(void *arg)
{
    struct pool *pool = arg;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        struct group *g = group_with_work(pool);
        if (g != NULL)
            run_one(pool, g);
        else if (pool->stop)
            break;
        else
            pthread_cond_wait(&pool->work, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

enum ft_status pool_new(size_t n_threads, struct pool **out, struct ft_err *err)
{
    *out = NULL;
    if (n_threads > 1024)
        return ft_fail(err, FT_INVALID, "pool: %zu threads, at most 1024", n_threads);
    if (n_threads == 0) {
        const long n = sysconf(_SC_NPROCESSORS_ONLN);
        n_threads = n > 0 ? (size_t)n : 1;
    }
    struct pool *pool = calloc(1, sizeof(*pool));
    pthread_t *threads = calloc(n_threads, sizeof(*threads));
    if (pool == NULL || threads == NULL) {
        free(pool);
        free(threads);
        return ft_fail(err, FT_NOMEM, "pool: no memory for %zu threads", n_threads);
    }
    pool->threads = threads;
    pool->n_threads = n_threads;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    while (pool->n_started + 1 < n_threads) {
        if (pthread_create(&threads[pool->n_started], NULL, worker_main, pool) != 0) {
            const size_t n = pool->n_started;
            pool_free(pool);
            return ft_fail(err, FT_IO, "pool: thread %zu of %zu cannot be started", n + 1,
                           n_threads);
        }
        pool->n_started++;
    }
    *out = pool;
    return FT_OK;
}

static void remove_group(struct pool *pool, const struct group *g)
{
    struct group **at = &pool->newest;
    while (*at != g)
        at = &(*at)->older;
    *at = g->older;
}

void pool_run(struct pool *pool, size_t n_jobs, void (*job)(void *ctx, size_t i), void *ctx)
{
    if (n_jobs == 0)
        return;
    struct group g = {.job = job, .ctx = ctx, .n_jobs = n_jobs};
    pthread_cond_init(&g.finished, NULL);
    pthread_mutex_lock(&pool->lock);
    g.older = pool->newest;
    /* cppcheck-suppress autoVariables ; the group leaves the list before this function returns */
    pool->newest = &g;
    if (n_jobs > 1)
        pthread_cond_broadcast(&pool->work);
    while (g.next < g.n_jobs)
        run_one(pool, &g);
    while (g.n_done < g.n_jobs)
        pthread_cond_wait(&g.finished, &pool->lock);
    remove_group(pool, &g);
    pthread_mutex_unlock(&pool->lock);
    pthread_cond_destroy(&g.finished);
}

struct blocks {
    void (*job)(void *ctx, size_t begin, size_t end);
    void *ctx;
    size_t n;
    size_t block;
};

static void run_block(void *ctx, size_t i)
{
    const struct blocks *b = ctx;
    const size_t begin = i * b->block;
    const size_t end = b->n - begin < b->block ? b->n : begin + b->block;
    b->job(b->ctx, begin, end);
}

void pool_run_blocks(struct pool *pool, size_t n, size_t block,
                     void (*job)(void *ctx, size_t begin, size_t end), void *ctx)
{
    struct blocks b = {job, ctx, n, block};
    pool_run(pool, n / block + (n % block != 0), run_block, &b);
}

size_t pool_n_threads(const struct pool *pool)
{
    return pool->n_threads;
}

double pool_busy_s(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    const double busy_s = pool->busy_s;
    pthread_mutex_unlock(&pool->lock);
    return busy_s;
}

void pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->n_started; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool->threads);
    free(pool);
}
