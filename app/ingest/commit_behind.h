/* A commit on a thread of its own: putting a part of an import on the disk takes as long as parsing
 * the next one, so both go on at once. One thread uses the connection at any time: whoever started
 * a commit keeps off the database until commit_behind_wait(). */
#ifndef APP_INGEST_COMMIT_BEHIND_H
#define APP_INGEST_COMMIT_BEHIND_H

#include "app/base/status.h"

#include <pthread.h>
#include <stdbool.h>

struct db;

struct commit_behind { /* {0} = nothing under way */
    struct db *db;
    pthread_t thread;
    bool is_running;
    enum ft_status status;
    struct ft_err err;
};

/* Commits the caller's transaction and moves it from the WAL into the file, on another thread; at
 * once where none can be started. Nothing may be under way. */
void commit_behind_start(struct commit_behind *c, struct db *db);

/* Waits for the commit, if any, and answers what became of it, once: after that it is FT_OK. A
 * commit that failed has rolled back. */
enum ft_status commit_behind_wait(struct commit_behind *c, struct ft_err *err);

#endif
