/* The one writer connection of a server, shared by all of its threads. Callers get their turn in
 * the order in which they came, at most wait_ms later. A writer_call() is a transaction of its own;
 * writer_group() calls that wait together share one, so that many small writes cost one sync. What
 * was answered FT_OK is on disk. */
#ifndef APP_WRITER_H
#define APP_WRITER_H

#include "app/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct db;
struct writer;

#define WRITER_WAIT_MS INT64_C(5000)

/* A group ends when it holds so many points (readings, say) or has been open for so long, and at
 * the latest when nobody waits: nothing is held back for company. */
#define WRITER_GROUP_POINTS ((size_t)50000)
#define WRITER_GROUP_MS 20
/* More points than this do not wait: the call that brings them is refused at once. */
#define WRITER_MAX_WAITING ((size_t)2000000)

/* Work on the connection, inside a transaction. */
typedef enum ft_status (*writer_fn)(struct db *db, void *ctx, struct ft_err *err);

/* Takes the connection over: writer_free() closes it. On failure it stays the caller's. */
enum ft_status writer_new(struct db *db, struct writer **out, struct ft_err *err);

/* Runs fn(db, ctx, err) inside one transaction and commits when it answers FT_OK or FT_PARTIAL,
 * else rolls back and answers what it answered. FT_BUSY when the turn does not come within wait_ms;
 * FT_INTERRUPTED after writer_close(). */
enum ft_status writer_call(struct writer *w, int64_t wait_ms, writer_fn fn, void *ctx,
                           struct ft_err *err);

/* The same in a transaction that may be shared: fn may run on the thread of another caller while
 * this one waits, and is undone alone when it fails. n_points is the size of the work. FT_BUSY also
 * at once when WRITER_MAX_WAITING is reached, and when the shared transaction was lost: nothing of
 * fn stands then and the call may be made again. */
enum ft_status writer_group(struct writer *w, int64_t wait_ms, size_t n_points, writer_fn fn,
                            void *ctx, struct ft_err *err);

enum { WRITER_N_LATENCIES = 10 };
/* Upper ends of the classes of writer_stats.n_latency, in seconds; the last class has none. */
extern const double writer_latency_le[WRITER_N_LATENCIES - 1];

struct writer_stats {
    size_t n_waiting, n_points_waiting;
    int64_t n_calls, n_failed;             /* calls of both sorts */
    int64_t n_commits;                     /* transactions that ended well */
    int64_t n_refused;                     /* calls that found the queue full or waited too long */
    double busy_s;                         /* time inside transactions */
    int64_t n_latency[WRITER_N_LATENCIES]; /* calls by time from coming to being on disk */
    double latency_s;                      /* their sum */
};
void writer_stats(struct writer *w, struct writer_stats *out);

/* Waits for the running call, refuses later ones, checkpoints and closes. NULL is fine. No thread
 * may use w afterwards. */
void writer_free(struct writer *w);

#endif
