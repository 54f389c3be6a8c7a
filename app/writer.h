/* The one writer connection of a server, shared by all of its threads. Each call is one
 * transaction; callers wait in the order in which they came, at most wait_ms. */
#ifndef APP_WRITER_H
#define APP_WRITER_H

#include "app/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct db;
struct writer;

#define WRITER_WAIT_MS INT64_C(5000)

/* Takes the connection over: writer_free() closes it. On failure it stays the caller's. */
enum ft_status writer_new(struct db *db, struct writer **out, struct ft_err *err);

/* Runs fn(db, ctx, err) inside one transaction and commits when it answers FT_OK or FT_PARTIAL,
 * else rolls back and answers what it answered. FT_BUSY when the turn does not come within wait_ms;
 * FT_INTERRUPTED after writer_close(). What was answered FT_OK is on disk. */
enum ft_status writer_call(struct writer *w, int64_t wait_ms,
                           enum ft_status (*fn)(struct db *db, void *ctx, struct ft_err *err),
                           void *ctx, struct ft_err *err);

struct writer_stats {
    size_t n_waiting;
    int64_t n_calls, n_failed;
    double busy_s; /* time inside transactions */
};
void writer_stats(struct writer *w, struct writer_stats *out);

/* Waits for the running call, refuses later ones, checkpoints and closes. NULL is fine. No thread
 * may use w afterwards. */
void writer_free(struct writer *w);

#endif
