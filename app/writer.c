/* A ticket lock with a time limit: a waiter that gives up leaves a hole that is skipped. The holder
 * of a group call goes on with the group calls that wait first in line, each in a part of the
 * transaction that can be undone alone, commits once and tells them all: while one sync runs, the
 * next group gathers, so the group grows with the load and nobody waits without need. The condition
 * uses the real-time clock because not every sanitizer knows the monotonic variant; a clock jump
 * makes one wait longer or shorter, nothing else. */
#include "app/writer.h"

#include "app/base/clock.h"
#include "db/db.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

const double writer_latency_le[WRITER_N_LATENCIES - 1] = {0.001, 0.0025, 0.005, 0.01, 0.025,
                                                          0.05,  0.1,    0.25,  1.0};

/* One call; lives on its caller's stack until it is done. */
struct job {
    struct job *next;
    pthread_cond_t woken;
    writer_fn fn;
    void *ctx;
    struct ft_err *err;
    size_t n_points;
    bool is_group;
    bool is_turn;  /* the connection is its thread's */
    bool is_taken; /* another thread runs it, which is no moment to give up */
    bool is_done;
    enum ft_status status;
    double start_s;
};

struct writer {
    pthread_mutex_t lock; /* everything below but db, which belongs to the holder */
    struct job *first, *last;
    bool is_held, is_closed;
    struct writer_stats stats;
    struct db *db;
};

enum ft_status writer_new(struct db *db, struct writer **out, struct ft_err *err)
{
    struct writer *w = calloc(1, sizeof(*w));
    *out = w;
    if (w == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for the writer");
    pthread_mutex_init(&w->lock, NULL);
    w->db = db;
    return FT_OK;
}

/* --- the queue; with the lock held ---------------------------------------------------------- */

static void append(struct writer *w, struct job *j)
{
    if (w->last != NULL)
        w->last->next = j;
    else
        w->first = j;
    w->last = j;
    w->stats.n_waiting++;
    w->stats.n_points_waiting += j->n_points;
}

static void unlink_job(struct writer *w, const struct job *j)
{
    struct job *before = NULL;
    for (struct job *p = w->first; p != NULL; before = p, p = p->next) {
        if (p != j)
            continue;
        if (before != NULL)
            before->next = p->next;
        else
            w->first = p->next;
        if (w->last == p)
            w->last = before;
        w->stats.n_waiting--;
        w->stats.n_points_waiting -= p->n_points;
        return;
    }
}

static void wait_for_turn(struct writer *w, struct job *j, int64_t wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    const int64_t ns = until.tv_nsec + wait_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(wait_ms / 1000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    int rc = 0;
    while (!j->is_turn && !j->is_done && (j->is_taken || rc != ETIMEDOUT))
        rc = j->is_taken ? pthread_cond_wait(&j->woken, &w->lock)
                         : pthread_cond_timedwait(&j->woken, &w->lock, &until);
    if (!j->is_turn && !j->is_done)
        unlink_job(w, j);
}

/* FT_OK: the connection is ours (is_turn), or another thread has done the job (is_done). */
static enum ft_status take(struct writer *w, struct job *j, int64_t wait_ms, struct ft_err *err)
{
    if (w->is_closed)
        return ft_fail(err, FT_INTERRUPTED, "the server is stopping");
    if (!w->is_held) {
        w->is_held = true;
        j->is_turn = true;
        return FT_OK;
    }
    if (wait_ms <= 0)
        return ft_fail(err, FT_BUSY, "the database is being written to");
    if (j->is_group && w->stats.n_points_waiting + j->n_points > WRITER_MAX_WAITING)
        return ft_fail(err, FT_BUSY, "too many readings wait to be written (%zu)",
                       w->stats.n_points_waiting);
    pthread_cond_init(&j->woken, NULL);
    append(w, j); /* and out again before this function returns */
    wait_for_turn(w, j, wait_ms);
    pthread_cond_destroy(&j->woken);
    if (j->is_turn || j->is_done)
        return FT_OK;
    return ft_fail(err, FT_BUSY, "the database was busy for %.1f s", (double)wait_ms / 1000.0);
}

static void give(struct writer *w)
{
    struct job *next = w->first;
    if (next == NULL) {
        w->is_held = false;
        return;
    }
    unlink_job(w, next);
    next->is_turn = true;
    pthread_cond_signal(&next->woken);
}

/* The next member of an open group, or NULL when it ends here. Only the first in line may join, so
 * that nobody is overtaken. */
static struct job *next_member(struct writer *w, size_t n_points, double start_s)
{
    struct job *j = w->first;
    if (j == NULL || !j->is_group || n_points + j->n_points > WRITER_GROUP_POINTS ||
        clock_mono_s() - start_s > WRITER_GROUP_MS / 1000.0)
        return NULL;
    unlink_job(w, j);
    j->is_taken = true;
    j->next = NULL;
    return j;
}

static void count(struct writer *w, const struct job *j, double now_s)
{
    const double s = now_s - j->start_s;
    size_t k = 0;
    while (k < WRITER_N_LATENCIES - 1 && s > writer_latency_le[k])
        k++;
    w->stats.n_latency[k]++;
    w->stats.latency_s += s;
    w->stats.n_calls++;
    w->stats.n_failed += j->status != FT_OK && j->status != FT_PARTIAL;
}

/* --- one transaction; without the lock ------------------------------------------------------ */

static bool is_good(enum ft_status st)
{
    return st == FT_OK || st == FT_PARTIAL;
}

static enum ft_status run_alone(struct db *db, const struct job *j)
{
    enum ft_status st = db_begin(db, j->err);
    if (st != FT_OK)
        return st;
    st = j->fn(db, j->ctx, j->err);
    if (is_good(st)) {
        const enum ft_status committed = db_commit(db, j->err);
        st = committed != FT_OK ? committed : st;
    }
    if (!is_good(st))
        db_rollback(db);
    return st;
}

static void run_part(struct db *db, struct job *j)
{
    j->status = db_part_begin(db, j->err);
    if (j->status == FT_OK) {
        const enum ft_status st = j->fn(db, j->ctx, j->err);
        j->status = db_part_end(db, st, j->err);
    }
}

/* Commits; the members learn when that fails. */
static bool end_group(struct db *db, struct job *members)
{
    struct ft_err why;
    const enum ft_status st = db_commit(db, &why);
    if (st == FT_OK)
        return true;
    db_rollback(db);
    for (struct job *j = members; j != NULL; j = j->next)
        if (is_good(j->status))
            j->status = st == FT_CONFLICT
                            ? ft_fail(j->err, FT_BUSY,
                                      "a write of the same moment failed; send this one again")
                            : ft_fail(j->err, st, "%s", why.msg);
    return false;
}

/* Runs the group of which j is the first; the others are returned in a list behind it. */
static bool run_group(struct writer *w, struct job *j)
{
    const double start_s = clock_mono_s();
    size_t n_points = j->n_points;
    struct job *last = j;
    j->next = NULL;
    j->status = db_begin(w->db, j->err);
    if (j->status != FT_OK)
        return false;
    run_part(w->db, j);
    for (;;) {
        pthread_mutex_lock(&w->lock);
        struct job *more = next_member(w, n_points, start_s);
        pthread_mutex_unlock(&w->lock);
        if (more == NULL)
            return end_group(w->db, j);
        run_part(w->db, more);
        n_points += more->n_points;
        last->next = more;
        last = more;
    }
}

static enum ft_status call(struct writer *w, int64_t wait_ms, struct job *j)
{
    j->start_s = clock_mono_s();
    pthread_mutex_lock(&w->lock);
    const enum ft_status st = take(w, j, wait_ms, j->err);
    w->stats.n_refused += st == FT_BUSY;
    pthread_mutex_unlock(&w->lock);
    if (st != FT_OK || j->is_done)
        return st != FT_OK ? st : j->status;
    const double start_s = clock_mono_s();
    bool is_committed;
    if (j->is_group) {
        is_committed = run_group(w, j);
    } else {
        j->next = NULL;
        j->status = run_alone(w->db, j);
        is_committed = is_good(j->status);
    }
    const double end_s = clock_mono_s();
    pthread_mutex_lock(&w->lock);
    w->stats.n_commits += is_committed;
    w->stats.busy_s += end_s - start_s;
    count(w, j, end_s);
    for (struct job *p = j->next, *after; p != NULL; p = after) {
        after = p->next; /* p is gone once its thread has seen is_done */
        count(w, p, end_s);
        p->is_done = true;
        pthread_cond_signal(&p->woken);
    }
    give(w);
    pthread_mutex_unlock(&w->lock);
    return j->status;
}

enum ft_status writer_call(struct writer *w, int64_t wait_ms, writer_fn fn, void *ctx,
                           struct ft_err *err)
{
    struct job j = {.fn = fn, .ctx = ctx, .err = err};
    return call(w, wait_ms, &j);
}

enum ft_status writer_group(struct writer *w, int64_t wait_ms, size_t n_points, writer_fn fn,
                            void *ctx, struct ft_err *err)
{
    struct job j = {.fn = fn, .ctx = ctx, .err = err, .n_points = n_points, .is_group = true};
    return call(w, wait_ms, &j);
}

void writer_stats(struct writer *w, struct writer_stats *out)
{
    pthread_mutex_lock(&w->lock);
    *out = w->stats;
    pthread_mutex_unlock(&w->lock);
}

void writer_free(struct writer *w)
{
    if (w == NULL)
        return;
    struct job j = {0};
    pthread_mutex_lock(&w->lock);
    /* Those who wait are served first, for they were promised their turn. */
    const enum ft_status st = take(w, &j, 10 * WRITER_WAIT_MS, NULL);
    w->is_closed = true;
    pthread_mutex_unlock(&w->lock);
    if (st == FT_OK)
        db_close(w->db);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
