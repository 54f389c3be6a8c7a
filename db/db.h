/* The one door to SQLite: open, pragmas, lock, transactions, cached statements. A struct db is one
 * connection and belongs to one thread at a time. Exactly one process holds the writer (a lock file
 * beside the database, "<file>.lock", says who); readers are read-only connections, one a thread.
 * synchronous=FULL, WAL, foreign keys: what db_commit() has answered is on disk. */
#ifndef DB_DB_H
#define DB_DB_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DB_APPLICATION_ID 0x4674746c /* "Fttl" */

struct db;

/* Opens for writing: makes the file when it is absent (create) or answers FT_NOT_FOUND, migrates it
 * to the newest schema, takes the lock. FT_BUSY: another process writes (the text names it).
 * FT_INVALID: not a Fettle file, or made by a newer version. */
enum ft_status db_open_writer(const char *path, bool create, struct db **out, struct ft_err *err);

/* Opens read-only. FT_NOT_FOUND, FT_INVALID as above; an older schema is FT_INVALID with the advice
 * to open it once for writing. */
enum ft_status db_open_reader(const char *path, struct db **out, struct ft_err *err);

/* Checkpoints (writer), closes, gives the lock back. NULL is fine. */
void db_close(struct db *db);

const char *db_path(const struct db *db);
bool db_is_writer(const struct db *db);

/* Schema version of this program: the number of its migrations. */
int db_schema_version(void);

/* Transactions. Writers begin IMMEDIATE, readers take a snapshot that all reads until db_commit()
 * share. Nested begins count: only the outermost commits; a rollback inside undoes all, after which
 * every call fails with FT_CONFLICT until the outermost db_commit() (FT_CONFLICT too) or
 * db_rollback(). A failed outermost db_commit() has rolled back; db_rollback() then does nothing.
 * A store call that writes outside a transaction is one of its own. */
enum ft_status db_begin(struct db *db, struct ft_err *err);
enum ft_status db_commit(struct db *db, struct ft_err *err);
void db_rollback(struct db *db);

/* A part of the caller's transaction that can be undone alone; outside a transaction it is one of
 * its own. db_part_end() takes the status so far: FT_OK and FT_PARTIAL keep the part, anything else
 * undoes it and the rest of the transaction goes on. Answers the status, or why keeping failed. */
enum ft_status db_part_begin(struct db *db, struct ft_err *err);
enum ft_status db_part_end(struct db *db, enum ft_status st, struct ft_err *err);

/* Site-wide settings (table setting). db_setting_get writes the value or fallback into out. */
void db_setting_get(struct db *db, const char *key, const char *fallback, char *out, size_t size);
enum ft_status db_setting_set(struct db *db, const char *key, const char *value,
                              struct ft_err *err);

/* Moves what is committed from the WAL into the file as far as no reader still needs the old pages,
 * so that the next commits and the close have less to do. A failure costs nothing but time: the WAL
 * keeps all. Writer only, outside transactions. */
void db_checkpoint(struct db *db);

/* Full integrity check of the file and of every block's CRC; FT_INVALID names the first damage. */
enum ft_status db_check(struct db *db, struct ft_err *err);

/* Online copy into a new file (VACUUM INTO); FT_CONFLICT when the target exists. */
enum ft_status db_backup(struct db *db, const char *target, struct ft_err *err);

/* Puts a copy of a backup in the place of the database at path (which need not exist): the backup
 * is checked first, the old file stays as "<path>.before-restore" and is replaced in one step.
 * FT_BUSY while another process writes; FT_INVALID when the backup is damaged: nothing is changed
 * then. */
enum ft_status db_restore(const char *path, const char *backup, struct ft_err *err);

/* Grows with every commit that changed something, is the same for every connection, survives a
 * restart and a restore (it is at least the clock's ms at the last commit): for caches and ETags.
 */
int64_t db_data_version(struct db *db);

#endif
