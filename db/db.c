/* Opening, closing, transactions and whole-file work.
 *
 * SQLite before 3.51.3 can lose a WAL reset when two connections write or checkpoint at once.
 * Therefore exactly one connection of one process (the holder of the lock file) writes and
 * checkpoints; readers are opened read-only and never checkpoint, not even on close. */
#include "db/db.h"

#include "db/codebook_store.h"
#include "db/connection.h"
#include "db/reading_head.h"
#include "db/reading_table.h"
#include "db/statement.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 10000 };

static enum ft_status run_sql(struct db *db, const char *sql, struct ft_err *err)
{
    const int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? FT_OK : sqlite_fail(db->handle, rc, db->path, err);
}

static enum ft_status db_alloc(const char *path, struct db **out, struct ft_err *err)
{
    struct db *db = calloc(1, sizeof(*db));
    *out = NULL;
    if (db != NULL)
        db->path = strdup(path);
    if (db == NULL || db->path == NULL) {
        free(db);
        return ft_fail(err, FT_NOMEM, "%s: no memory to open it", path);
    }
    db->lock_fd = -1;
    *out = db;
    return FT_OK;
}

/* Opens the handle and makes it strict: no extension functions in schemas, no double-quoted
 * strings, no writes to SQLite's own tables. */
static enum ft_status open_handle(struct db *db, const char *name, int flags, struct ft_err *err)
{
    const int rc = sqlite3_open_v2(name, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) {
        const enum ft_status st = sqlite_fail(db->handle, rc, db->path, err);
        sqlite3_close(db->handle);
        db->handle = NULL;
        return st;
    }
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return reading_table_add(db, err);
}

/* The real file behind a path, so that two names of one file share one lock. A file that is not
 * there yet keeps the name given. Caller frees. */
static char *real_path(const char *path)
{
    char *real = realpath(path, NULL);
    return real != NULL ? real : strdup(path);
}

static enum ft_status set_up_writer(struct db *db, bool create, struct ft_err *err)
{
    enum ft_status st = open_handle(db, db->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
    bool is_empty = false;
    int version = 0;
    if (st == FT_OK) /* before the first pragma that writes: a foreign file stays as it is */
        st = migrate_check(db, &is_empty, &version, err);
    if (st == FT_OK && is_empty) /* before the first page is written */
        st = run_sql(db, "PRAGMA auto_vacuum=INCREMENTAL", err);
    if (st == FT_OK)
        st = run_sql(db,
                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                     "PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;"
                     "PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY",
                     err);
    return st == FT_OK ? migrate_run(db, create, err) : st;
}

enum ft_status db_open_writer(const char *path, bool create, struct db **out, struct ft_err *err)
{
    struct db *db = NULL;
    struct stat info;
    *out = NULL;
    const bool exists = stat(path, &info) == 0;
    if (!exists && !create)
        return ft_fail(err, FT_NOT_FOUND, "%s does not exist", path);
    if (exists && !S_ISREG(info.st_mode))
        return ft_fail(err, FT_INVALID, "%s is not a file", path);
    enum ft_status st = db_alloc(path, &db, err);
    if (st != FT_OK)
        return st;
    db->is_writer = true;
    char *real = real_path(path);
    st = real != NULL ? lock_take(real, &db->lock_fd, &db->lock_path, err)
                      : ft_fail(err, FT_NOMEM, "%s: no memory to open it", path);
    free(real);
    if (st == FT_OK)
        st = set_up_writer(db, create, err);
    if (st != FT_OK) {
        db_close(db);
        return st;
    }
    *out = db;
    return FT_OK;
}

/* "file:<path>?immutable=1" with the bytes that mean something in a URI escaped. Caller frees. */
static char *immutable_uri(const char *path)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char head[] = "file:";
    static const char tail[] = "?immutable=1";
    char *uri = malloc(strlen(path) * 3 + sizeof(head) + sizeof(tail));
    if (uri == NULL)
        return NULL;
    memcpy(uri, head, sizeof(head));
    char *to = uri + sizeof(head) - 1;
    for (const unsigned char *p = (const unsigned char *)path; *p != '\0'; p++) {
        if (*p == '%' || *p == '?' || *p == '#' || *p < ' ' || *p > '~') {
            *to++ = '%';
            *to++ = hex[*p >> 4];
            *to++ = hex[*p & 15];
        } else {
            *to++ = (char)*p;
        }
    }
    memcpy(to, tail, sizeof(tail));
    return uri;
}

static bool has_wal(const char *path)
{
    const size_t size = strlen(path) + sizeof("-wal");
    char *wal = malloc(size);
    struct stat info;
    if (wal == NULL)
        return true;
    snprintf(wal, size, "%s-wal", path);
    const bool found = stat(wal, &info) == 0 && info.st_size > 0;
    free(wal);
    return found;
}

static enum ft_status set_up_reader(struct db *db, const char *name, int flags, struct ft_err *err)
{
    bool is_empty = false;
    int version = 0;
    enum ft_status st = open_handle(db, name, SQLITE_OPEN_READONLY | flags, err);
    if (st != FT_OK)
        return st;
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    st = run_sql(db, "PRAGMA query_only=ON; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY",
                 err);
    if (st == FT_OK)
        st = migrate_check(db, &is_empty, &version, err);
    return st;
}

/* A WAL database needs its -shm file, which a reader cannot make in a folder that it may not write.
 * When then no writer lives and no WAL is left, the file is all there is and does not change: it is
 * opened as immutable. Where the lock file is there, holding it shared keeps writers out. */
static enum ft_status set_up_immutable(struct db *db, struct ft_err *err)
{
    char *real = real_path(db->path);
    char *uri = real != NULL ? immutable_uri(real) : NULL;
    enum ft_status st;
    if (uri == NULL)
        st = ft_fail(err, FT_NOMEM, "%s: no memory to open it", db->path);
    else if (has_wal(real))
        st = ft_fail(err, FT_IO,
                     "%s cannot be read: its folder is not writable and it has changes in a WAL "
                     "file; open it once as the user who owns it",
                     db->path);
    else
        st = lock_share(real, &db->lock_fd, err);
    if (st == FT_OK)
        st = set_up_reader(db, uri, SQLITE_OPEN_URI, err);
    free(uri);
    free(real);
    return st;
}

static enum ft_status check_reader_schema(struct db *db, struct ft_err *err)
{
    bool is_empty = false;
    int version = 0;
    const enum ft_status st = migrate_check(db, &is_empty, &version, err);
    if (st != FT_OK)
        return st;
    if (is_empty)
        return ft_fail(err, FT_INVALID, "%s is empty, not a Fettle database", db->path);
    if (version < db_schema_version())
        return ft_fail(err, FT_INVALID,
                       "%s has the older schema version %d: open it once for writing (start the "
                       "server or run any command that writes) to bring it to version %d",
                       db->path, version, db_schema_version());
    return FT_OK;
}

enum ft_status db_open_reader(const char *path, struct db **out, struct ft_err *err)
{
    struct db *db = NULL;
    struct stat info;
    *out = NULL;
    if (stat(path, &info) != 0)
        return ft_fail(err, FT_NOT_FOUND, "%s does not exist", path);
    if (!S_ISREG(info.st_mode))
        return ft_fail(err, FT_INVALID, "%s is not a file", path);
    enum ft_status st = db_alloc(path, &db, err);
    if (st != FT_OK)
        return st;
    st = set_up_reader(db, path, 0, err);
    if (st == FT_IO || st == FT_REFUSED) {
        sqlite3_close(db->handle);
        db->handle = NULL;
        st = set_up_immutable(db, err);
    }
    if (st == FT_OK)
        st = check_reader_schema(db, err);
    if (st != FT_OK) {
        db_close(db);
        return st;
    }
    *out = db;
    return FT_OK;
}

/* Frees what hangs on the handle. */
static void release(struct db *db)
{
    reading_cache_free(db->readings);
    reading_head_free(db->head);
    codebook_shelf_free(db->codebooks);
    for (size_t i = 0; i < QUERY_COUNT; i++)
        sqlite3_finalize(db->statements[i]);
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    while (db->depth > 0)
        db_rollback(db);
    release(db);
    sqlite3_close(db->handle); /* the writer is the last to checkpoint, before the lock goes */
    lock_release(db->lock_fd, db->lock_path);
    free(db->path);
    free(db);
}

enum ft_status db_wrap(sqlite3 *handle, struct db **out, struct ft_err *err)
{
    struct db *db = NULL;
    const char *path = sqlite3_db_filename(handle, "main");
    enum ft_status st = db_alloc(path != NULL ? path : "", &db, err);
    *out = NULL;
    if (st != FT_OK)
        return st;
    db->handle = handle;
    st = check_reader_schema(db, err);
    if (st != FT_OK) {
        db_unwrap(db);
        return st;
    }
    /* Only the process with the lock file checkpoints. */
    sqlite3_wal_autocheckpoint(handle, 0);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    *out = db;
    return FT_OK;
}

void db_unwrap(struct db *db)
{
    release(db);
    free(db->path);
    free(db);
}

const char *db_path(const struct db *db)
{
    return db->path;
}

bool db_is_writer(const struct db *db)
{
    return db->is_writer;
}

/* --- transactions --------------------------------------------------------------------------- */

/* Runs a query that has no parameters, below the checks of statement_begin(). */
static int run_plain(struct db *db, enum query_id id)
{
    int rc = SQLITE_OK;
    if (db->statements[id] == NULL)
        rc = sqlite3_prepare_v3(db->handle, query_texts[id].sql, -1, SQLITE_PREPARE_PERSISTENT,
                                &db->statements[id], NULL);
    if (rc != SQLITE_OK)
        return rc;
    do
        rc = sqlite3_step(db->statements[id]);
    while (rc == SQLITE_ROW);
    const int reset = sqlite3_reset(db->statements[id]);
    return rc == SQLITE_DONE ? SQLITE_OK : reset != SQLITE_OK ? reset : rc;
}

enum ft_status db_begin(struct db *db, struct ft_err *err)
{
    if (db->depth > 0) {
        if (db->is_doomed || sqlite3_get_autocommit(db->handle) != 0)
            return ft_fail(err, FT_CONFLICT, "%s: the transaction was rolled back", db->path);
        db->depth++;
        return FT_OK;
    }
    int rc = run_plain(db, db->is_writer ? QUERY_begin_write : QUERY_begin_read);
    if (rc == SQLITE_OK && !db->is_writer) {
        rc = run_plain(db, QUERY_take_snapshot); /* BEGIN alone takes none */
        if (rc != SQLITE_OK)
            run_plain(db, QUERY_rollback);
    }
    if (rc != SQLITE_OK)
        return sqlite_fail(db->handle, rc, db->path, err);
    db->depth = 1;
    db->is_doomed = false;
    db->changes_at_begin = sqlite3_total_changes64(db->handle);
    return FT_OK;
}

static void end_transaction(struct db *db)
{
    if (sqlite3_get_autocommit(db->handle) == 0)
        run_plain(db, QUERY_rollback);
    head_rolled_back(db);
}

enum ft_status db_commit(struct db *db, struct ft_err *err)
{
    if (db->depth == 0)
        return ft_fail(err, FT_INTERNAL, "%s: commit without a transaction", db->path);
    if (--db->depth > 0)
        return FT_OK;
    if (db->is_doomed || sqlite3_get_autocommit(db->handle) != 0) {
        end_transaction(db);
        return ft_fail(err, FT_CONFLICT, "%s: the transaction was rolled back, nothing is stored",
                       db->path);
    }
    int rc = SQLITE_OK;
    if (db->is_writer && sqlite3_total_changes64(db->handle) != db->changes_at_begin)
        rc = run_plain(db, QUERY_change_counter_add);
    if (rc == SQLITE_OK)
        rc = run_plain(db, QUERY_commit);
    if (rc == SQLITE_OK) {
        head_committed(db);
        return FT_OK;
    }
    const enum ft_status st = sqlite_fail(db->handle, rc, db->path, err);
    end_transaction(db);
    return st;
}

void db_checkpoint(struct db *db)
{
    if (db->is_writer)
        sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

void db_rollback(struct db *db)
{
    if (db->depth == 0)
        return;
    db->depth--;
    db->is_doomed = db->depth > 0;
    end_transaction(db);
}

enum ft_status unit_begin(struct db *db, struct ft_err *err)
{
    if (db->depth == 0)
        return db_begin(db, err);
    if (db->is_doomed || sqlite3_get_autocommit(db->handle) != 0)
        return ft_fail(err, FT_CONFLICT, "%s: the transaction was rolled back", db->path);
    if (db->is_writer) {
        const int rc = run_plain(db, QUERY_savepoint);
        if (rc != SQLITE_OK)
            return sqlite_fail(db->handle, rc, db->path, err);
    }
    db->depth++;
    return FT_OK;
}

enum ft_status unit_end(struct db *db, enum ft_status st, struct ft_err *err)
{
    if (db->depth == 1) {
        if (st == FT_OK)
            return db_commit(db, err);
        db_rollback(db);
        return st;
    }
    db->depth--;
    if (!db->is_writer || sqlite3_get_autocommit(db->handle) != 0)
        return st;
    int rc = st == FT_OK ? SQLITE_OK : run_plain(db, QUERY_savepoint_undo);
    if (rc == SQLITE_OK)
        rc = run_plain(db, QUERY_savepoint_release);
    if (st != FT_OK)
        head_rolled_back(db);
    if (rc == SQLITE_OK)
        return st;
    db->is_doomed = true; /* half of the call may stand: nothing of the transaction may stay */
    end_transaction(db);
    return st != FT_OK ? st : sqlite_fail(db->handle, rc, db->path, err);
}

enum ft_status db_part_begin(struct db *db, struct ft_err *err)
{
    return unit_begin(db, err);
}

enum ft_status db_part_end(struct db *db, enum ft_status st, struct ft_err *err)
{
    if (st != FT_PARTIAL)
        return unit_end(db, st, err);
    const enum ft_status kept = unit_end(db, FT_OK, err);
    return kept == FT_OK ? FT_PARTIAL : kept;
}

int64_t db_data_version(struct db *db)
{
    int64_t n = 0;
    struct statement s = statement_begin(db, QUERY_change_counter_get, NULL);
    if (statement_row(&s))
        n = column_int(&s, 0);
    statement_end(&s);
    return n;
}

/* --- settings ------------------------------------------------------------------------------- */

void db_setting_get(struct db *db, const char *key, const char *fallback, char *out, size_t size)
{
    struct statement s = statement_begin(db, QUERY_setting_get, NULL);
    bind_text(&s, ":key", key);
    const char *value = statement_row(&s) ? (const char *)sqlite3_column_text(s.stmt, 0) : NULL;
    snprintf(out, size, "%s", value != NULL ? value : fallback);
    statement_end(&s);
}

enum ft_status db_setting_set(struct db *db, const char *key, const char *value, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_setting_set, err);
    bind_text(&s, ":key", key);
    bind_text(&s, ":value", value);
    return statement_run(&s);
}

enum ft_status db_shrink(struct db *db, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_free_pages, err);
    const bool is_much = statement_row(&s) && column_int(&s, 0) * 20 > column_int(&s, 1);
    const enum ft_status st = statement_end(&s);
    if (st != FT_OK || !is_much || !db->is_writer)
        return st;
    return run_sql(db, "PRAGMA incremental_vacuum", err);
}

/* --- whole file ----------------------------------------------------------------------------- */

static enum ft_status check_pages(struct db *db, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    struct statement s = statement_begin(db, QUERY_integrity_check, err);
    if (statement_row(&s)) {
        const char *text = (const char *)sqlite3_column_text(s.stmt, 0);
        if (text == NULL || strcmp(text, "ok") != 0)
            st = ft_fail(err, FT_INVALID, "%s is damaged: %s", db->path, text != NULL ? text : "?");
    }
    const enum ft_status ended = statement_end(&s);
    return st != FT_OK ? st : ended;
}

static enum ft_status check_foreign_keys(struct db *db, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    struct statement s = statement_begin(db, QUERY_foreign_key_check, err);
    if (statement_row(&s))
        st = ft_fail(err, FT_INVALID, "%s is damaged: row %lld of table %s points to nothing in %s",
                     db->path, (long long)column_int(&s, 1), sqlite3_column_text(s.stmt, 0),
                     sqlite3_column_text(s.stmt, 2));
    const enum ft_status ended = statement_end(&s);
    return st != FT_OK ? st : ended;
}

enum ft_status db_check(struct db *db, struct ft_err *err)
{
    enum ft_status st = check_pages(db, err);
    if (st == FT_OK)
        st = check_foreign_keys(db, err);
    return st == FT_OK ? reading_check(db, err) : st;
}

/* Makes sure that a finished copy is on disk, then gives it its name; never overwrites. */
static enum ft_status publish(const char *part, const char *target, struct ft_err *err)
{
    const int fd = open(part, O_RDONLY | O_CLOEXEC);
    const int synced = fd >= 0 ? fsync(fd) : -1;
    if (fd >= 0)
        close(fd);
    if (synced != 0)
        return ft_fail(err, FT_IO, "%s cannot be written: %s", part, strerror(errno));
    if (link(part, target) == 0)
        return FT_OK;
    if (errno == EEXIST)
        return ft_fail(err, FT_CONFLICT, "%s exists already", target);
    if (access(target, F_OK) == 0 || rename(part, target) != 0) /* no hard links on this disk */
        return ft_fail(err, FT_IO, "%s cannot be made: %s", target, strerror(errno));
    return FT_OK;
}

/* Not by statement_begin(): VACUUM cannot run in the transaction that it would open. */
static enum ft_status vacuum_into(struct db *db, const char *target, struct ft_err *err)
{
    sqlite3_stmt *stmt = NULL;
    const char *sql = query_texts[QUERY_vacuum_into].sql;
    if (!db->is_writer)
        run_sql(db, "PRAGMA query_only=OFF", NULL); /* it refuses VACUUM INTO as well */
    int rc = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(stmt, 1, target, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    const enum ft_status st =
        rc == SQLITE_DONE ? FT_OK : sqlite_fail(db->handle, rc, "backup", err);
    sqlite3_finalize(stmt);
    if (!db->is_writer)
        run_sql(db, "PRAGMA query_only=ON", NULL);
    return st;
}

enum ft_status db_backup(struct db *db, const char *target, struct ft_err *err)
{
    char part[4096];
    if (access(target, F_OK) == 0)
        return ft_fail(err, FT_CONFLICT, "%s exists already", target);
    if (db->depth > 0)
        return ft_fail(err, FT_CONFLICT, "%s: a backup cannot be made inside a transaction",
                       db->path);
    const int n = snprintf(part, sizeof(part), "%s.part%ld", target, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof(part))
        return ft_fail(err, FT_INVALID, "%.200s...: the name is too long", target);
    unlink(part); /* left by a killed process of the same number */
    enum ft_status st = vacuum_into(db, part, err);
    if (st == FT_OK)
        st = publish(part, target, err);
    unlink(part);
    return st;
}
