/* A ticket lock with a time limit: a waiter that gives up leaves a hole that is skipped. The
 * condition uses the real-time clock because not every sanitizer knows the monotonic variant; a
 * clock jump makes one wait longer or shorter, nothing else. */
#include "app/writer.h"

#include "app/base/clock.h"
#include "db/db.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct waiter {
    struct waiter *next;
    pthread_cond_t turn;
    bool is_turn;
};

struct writer {
    pthread_mutex_t lock; /* everything below but db, which belongs to the holder */
    struct waiter *first, *last;
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

static void remove_waiter(struct writer *w, const struct waiter *me)
{
    struct waiter *before = NULL;
    for (struct waiter *p = w->first; p != NULL; before = p, p = p->next) {
        if (p != me)
            continue;
        if (before != NULL)
            before->next = p->next;
        else
            w->first = p->next;
        if (w->last == p)
            w->last = before;
        w->stats.n_waiting--;
        return;
    }
}

/* With the lock held; FT_OK: the connection is ours. */
static enum ft_status take(struct writer *w, int64_t wait_ms, struct ft_err *err)
{
    if (w->is_closed)
        return ft_fail(err, FT_INTERRUPTED, "the server is stopping");
    if (!w->is_held) {
        w->is_held = true;
        return FT_OK;
    }
    if (wait_ms <= 0)
        return ft_fail(err, FT_BUSY, "the database is being written to");
    struct waiter me = {NULL, PTHREAD_COND_INITIALIZER, false};
    /* me leaves the list before this function returns. */
    if (w->last != NULL)
        w->last->next = &me;
    else
        w->first = &me; /* cppcheck-suppress autoVariables */
    w->last = &me;      /* cppcheck-suppress autoVariables */
    w->stats.n_waiting++;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    const int64_t ns = until.tv_nsec + wait_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(wait_ms / 1000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    int rc = 0;
    while (!me.is_turn && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&me.turn, &w->lock, &until);
    if (!me.is_turn)
        remove_waiter(w, &me);
    pthread_cond_destroy(&me.turn);
    if (me.is_turn)
        return FT_OK;
    return ft_fail(err, FT_BUSY, "the database was busy for %.1f s", (double)wait_ms / 1000.0);
}

static void give(struct writer *w)
{
    struct waiter *next = w->first;
    if (next == NULL) {
        w->is_held = false;
        return;
    }
    w->first = next->next;
    if (w->first == NULL)
        w->last = NULL;
    w->stats.n_waiting--;
    next->is_turn = true;
    pthread_cond_signal(&next->turn);
}

enum ft_status writer_call(struct writer *w, int64_t wait_ms,
                           enum ft_status (*fn)(struct db *db, void *ctx, struct ft_err *err),
                           void *ctx, struct ft_err *err)
{
    pthread_mutex_lock(&w->lock);
    enum ft_status st = take(w, wait_ms, err);
    pthread_mutex_unlock(&w->lock);
    if (st != FT_OK)
        return st;
    const double start_s = clock_mono_s();
    st = db_begin(w->db, err);
    if (st == FT_OK) {
        st = fn(w->db, ctx, err);
        if (st == FT_OK || st == FT_PARTIAL) {
            const enum ft_status committed = db_commit(w->db, err);
            st = committed != FT_OK ? committed : st;
        }
        if (st != FT_OK && st != FT_PARTIAL)
            db_rollback(w->db);
    }
    pthread_mutex_lock(&w->lock);
    w->stats.n_calls++;
    w->stats.n_failed += st != FT_OK && st != FT_PARTIAL;
    w->stats.busy_s += clock_mono_s() - start_s;
    give(w);
    pthread_mutex_unlock(&w->lock);
    return st;
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
    struct ft_err err;
    pthread_mutex_lock(&w->lock);
    /* Those who wait are served first, for they were promised their turn. */
    const enum ft_status st = take(w, 10 * WRITER_WAIT_MS, &err);
    w->is_closed = true;
    pthread_mutex_unlock(&w->lock);
    if (st == FT_OK)
        db_close(w->db);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
