/* Nightly retraining. The command `fettle retrain` does it in one process; the server starts the
 * same program as a child at low priority (`fettle retrain --child --out FILE`), which reads the
 * database, trains and writes its result to a file; the server, the only writer, then applies the
 * file. Killing the child or the server at any time leaves the old champions: nothing is written
 * before the result is complete, and it is applied in one transaction. A lease ("retrain") keeps
 * two nights from running at once. */
#ifndef APP_NIGHT_H
#define APP_NIGHT_H

#include "app/base/pool.h"
#include "app/base/status.h"
#include "app/train_job.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct night; /* a running child; opaque; belongs to one thread */

struct night_options {
    int64_t seed;
    size_t n_threads; /* 0 = all processors; the child runs at the lowest priority */
    int64_t now_ms;   /* 0 = the site's now (app/site.h) */
    int64_t run_id;   /* row of table run (kind "retrain") that the caller opened and that
                         night_apply() ends, well or failed; 0 = night_apply() makes its own */
};

/* How far the child is. */
struct night_progress {
    char stage[96]; /* "pump: bearing" */
    int64_t done, total;
};

/* Everything that a night trains: one result per recipe (a champion's class, target and horizon; a
 * class without champion gets remaining life when its units run to failure, else every component's
 * failure within 30 days), and why a class was passed over. Reads only. */
struct night_result {
    struct train_result **results;
    size_t n;
    cJSON *skipped; /* [{"class","target","reason"}] */
    double seconds, cores_used;
};
enum ft_status night_train(struct db *reader, const struct night_options *options,
                           bool (*is_interrupted)(void), train_progress progress, void *ctx,
                           struct night_result **out, struct ft_err *err);
void night_result_free(struct night_result *r); /* NULL is fine */

/* Stores, promotes, rescores, settles the ledger, replans, finishes the run row. */
enum ft_status night_write(struct db *db, struct night_result *r,
                           const struct night_options *options, char **report, struct ft_err *err);

/* Starts the child: program_path is this program's own file ("/proc/self/exe"), db_path the
 * database; its result goes to a fresh file beside the database. FT_IO when it cannot be started.
 * The caller ends *out with night_apply() or night_cancel(). */
enum ft_status night_start(const char *program_path, const char *db_path,
                           const struct night_options *options, struct night **out,
                           struct ft_err *err);

/* Looks without waiting. *is_done becomes true when the child ended; the status is then FT_OK, or
 * says why it failed (killed, error text of the child). progress may be NULL. */
enum ft_status night_poll(struct night *n, struct night_progress *progress, bool *is_done,
                          struct ft_err *err);

/* Applies the result of a child that ended well: stores models, promotes, rescores, settles the
 * ledger, replans, writes the row in table run (kind "retrain") with the night report; *report (may
 * be NULL) is the report as JSON text, free(). db is the writer. Frees n in every case. A failed
 * child is written as a failed run and its error returned. */
enum ft_status night_apply(struct db *db, struct night *n, char **report, struct ft_err *err);

/* Ends the child (SIGTERM, then SIGKILL after two seconds), removes its files, and with db (the
 * writer, may be NULL) ends the run row as interrupted. The lease is given back by
 * night_lease_release(). n NULL is fine. */
void night_cancel(struct db *db, struct night *n);

/* The lease that keeps two nights apart: the server takes it before night_start(), `fettle retrain`
 * takes it itself. FT_BUSY names the holder. holder: any text that names the process. */
enum ft_status night_lease_take(struct db *db, const char *holder, struct ft_err *err);
void night_lease_release(struct db *db, const char *holder);

/* When the last night ended well (kind "retrain", state "done"): for the missed-night rule of
 * app/cron.h. DB_NO_TIME when there was none. */
int64_t night_last_ms(struct db *db);

/* All of it in this process, with the writer: what `fettle retrain` does. *report as above. */
enum ft_status night_run(struct db *db, const struct night_options *options,
                         bool (*is_interrupted)(void), train_progress progress, void *ctx,
                         char **report, struct ft_err *err);

/* The child's side: trains with a read-only database and writes the result to path (complete or
 * not at all: written beside and renamed) and its progress to "<path>.progress". */
enum ft_status night_child(const char *db_path, const char *path,
                           const struct night_options *options, bool (*is_interrupted)(void),
                           struct ft_err *err);

#endif
