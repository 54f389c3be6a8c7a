/* Private to db/: what a connection holds. */
#ifndef DB_CONNECTION_H
#define DB_CONNECTION_H

#include "app/base/status.h"
#include "gen/queries.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct reading_cache;
struct reading_head;
struct codebook_shelf;

struct db {
    sqlite3 *handle;
    char *path;  /* as given by the caller */
    int lock_fd; /* the writer's lock (or a reader's shared one); -1 = none */
    char *lock_path;
    bool is_writer;
    int depth;      /* nested db_begin() calls; 0 = no transaction */
    bool is_doomed; /* rolled back inside: nothing runs until the outermost caller gives up */
    int64_t changes_at_begin;
    sqlite3_stmt *statements[QUERY_COUNT]; /* prepared on first use */
    bool is_in_use[QUERY_COUNT];
    struct reading_cache *readings;   /* db/reading_block.h; NULL until needed */
    struct codebook_shelf *codebooks; /* db/codebook_store.h; NULL until needed */
    struct reading_head *head;        /* db/reading_head.h; NULL until needed */
};

/* A store call of several statements: all or nothing. Outside a transaction it is one of its own;
 * inside, a failure undoes this call only and the caller's transaction goes on. unit_end() takes
 * the status so far and answers what the call answers. */
enum ft_status unit_begin(struct db *db, struct ft_err *err);
enum ft_status unit_end(struct db *db, enum ft_status st, struct ft_err *err);

/* db/db.c: a reader on a handle that somebody else opened and closes, when its file is a Fettle
 * database of this schema. db_unwrap() before the handle is closed. */
enum ft_status db_wrap(sqlite3 *handle, struct db **out, struct ft_err *err);
void db_unwrap(struct db *db);

/* db/lock.c: takes path + ".lock" for this process; FT_BUSY names the holder. */
enum ft_status lock_take(const char *path, int *fd, char **lock_path, struct ft_err *err);
/* Removes the lock file and gives the lock back; the fd may be -1, the path NULL. */
void lock_release(int fd, char *lock_path);
/* A shared lock for a reader that must keep writers out; FT_BUSY when a writer lives. FT_OK with
 * *fd -1 when there is no lock file. */
enum ft_status lock_share(const char *path, int *fd, struct ft_err *err);

/* db/migrate.c: refuses foreign and newer files; brings an older or new one to the newest schema.
 * may_create: an empty file becomes a database. */
enum ft_status migrate_check(struct db *db, bool *is_empty, int *version, struct ft_err *err);
enum ft_status migrate_run(struct db *db, bool may_create, struct ft_err *err);

/* db/db.c: gives free pages back to the file system when there are many; files made before this was
 * kept have none to give. */
enum ft_status db_shrink(struct db *db, struct ft_err *err);

/* db/reading_check.c: decodes and checks every block; FT_INVALID names the first bad one. */
enum ft_status reading_check(struct db *db, struct ft_err *err);
void reading_cache_free(struct reading_cache *c); /* NULL is fine */

#endif
