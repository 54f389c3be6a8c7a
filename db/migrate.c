/* Brings a file to the newest schema: db/migrations in order, each in its own transaction that also
 * sets user_version, so a crash leaves the file at one version or the next. A new file gets all of
 * them in one: it is there or empty. */
#include "app/base/embedded.h"
#include "db/connection.h"
#include "db/db.h"
#include "db/reading_journal.h"
#include "db/statement.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int db_schema_version(void)
{
    return (int)db_migrations_count;
}

/* First column of the first row of a fixed text. */
static enum ft_status ask_int(struct db *db, const char *sql, int64_t *out, struct ft_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return rc == SQLITE_ROW ? FT_OK : sqlite_fail(db->handle, rc, db->path, err);
}

enum ft_status migrate_check(struct db *db, bool *is_empty, int *version, struct ft_err *err)
{
    int64_t application_id = 0;
    int64_t user_version = 0;
    int64_t n_objects = 0;
    enum ft_status st = ask_int(db, "PRAGMA application_id", &application_id, err);
    if (st == FT_OK)
        st = ask_int(db, "PRAGMA user_version", &user_version, err);
    if (st == FT_OK)
        st = ask_int(db, "SELECT count(*) FROM sqlite_schema", &n_objects, err);
    if (st != FT_OK)
        return st;
    *is_empty = application_id == 0 && user_version == 0 && n_objects == 0;
    *version = (int)user_version;
    if (*is_empty)
        return FT_OK;
    if (application_id != DB_APPLICATION_ID)
        return ft_fail(err, FT_INVALID, "%s is an SQLite file, but not a Fettle database",
                       db->path);
    if (user_version < 1)
        return ft_fail(err, FT_INVALID, "%s is damaged: it has schema version %lld", db->path,
                       (long long)user_version);
    if (user_version > (int64_t)db_migrations_count)
        return ft_fail(err, FT_INVALID,
                       "%s has schema version %lld, this program knows up to %zu: it was made by a "
                       "newer Fettle, please update this one",
                       db->path, (long long)user_version, db_migrations_count);
    return FT_OK;
}

/* Applies the migrations from number first (from 0) up to last, which is not applied, in one
 * transaction. */
static enum ft_status apply(struct db *db, size_t first, size_t last, struct ft_err *err)
{
    char pragmas[96];
    size_t i = first;
    /* A PRAGMA takes no bound parameters; both numbers are our own. */
    snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id=%d; PRAGMA user_version=%zu",
             DB_APPLICATION_ID, last);
    int rc = sqlite3_exec(db->handle, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (; i < last && rc == SQLITE_OK; i++)
        rc = sqlite3_exec(db->handle, (const char *)db_migrations[i].data, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db->handle, pragmas, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db->handle, "COMMIT", NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        return FT_OK;
    const enum ft_status st =
        sqlite_fail(db->handle, rc, db_migrations[i > first ? i - 1 : first].name, err);
    sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    ft_err_prefix(err, "%s: migration", db->path);
    return st;
}

/* fettle_journal_row(sensor_id, ts_ms, value): the journal row of one reading, for 0003. */
static void sql_journal_row(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    struct reading_point p = {sqlite3_value_int64(argv[0]), sqlite3_value_int64(argv[1]),
                              sqlite3_value_double(argv[2])};
    unsigned char *row = NULL;
    size_t len = 0;
    if (argc != 3)
        return;
    if (sqlite3_value_type(argv[2]) == SQLITE_BLOB && sqlite3_value_bytes(argv[2]) == 8)
        memcpy(&p.value, sqlite3_value_blob(argv[2]), sizeof(p.value)); /* a NaN with its bits */
    if (journal_encode(&p, 1, &row, &len, NULL) == FT_OK)
        sqlite3_result_blob(ctx, row, (int)len, free);
    else
        sqlite3_result_error_nomem(ctx);
}

/* fettle_block_crc(crc of the payload, the row's columns ...): the checksum of the row, for 0004.
 */
static void sql_block_crc(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    double real[4];
    if (argc != 10)
        return;
    for (int i = 0; i < 4; i++)
        real[i] = sqlite3_value_type(argv[6 + i]) == SQLITE_NULL
                      ? (double)NAN
                      : sqlite3_value_double(argv[6 + i]);
    const struct reading_segment seg = {.start_ms = sqlite3_value_int64(argv[2]),
                                        .end_ms = sqlite3_value_int64(argv[3]),
                                        .n = (size_t)sqlite3_value_int64(argv[4]),
                                        .has_summary = true,
                                        .n_numbers = (size_t)sqlite3_value_int64(argv[5]),
                                        .min = real[0],
                                        .max = real[1],
                                        .sum = real[2],
                                        .last = real[3]};
    sqlite3_result_int64(ctx, segment_row_crc((uint32_t)sqlite3_value_int64(argv[0]),
                                              sqlite3_value_int64(argv[1]), &seg));
}

static bool add_functions(sqlite3 *handle)
{
    const int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
    return sqlite3_create_function(handle, "fettle_journal_row", 3, flags, NULL, sql_journal_row,
                                   NULL, NULL) == SQLITE_OK &&
           sqlite3_create_function(handle, "fettle_block_crc", 10, flags, NULL, sql_block_crc, NULL,
                                   NULL) == SQLITE_OK;
}

enum ft_status migrate_run(struct db *db, bool may_create, struct ft_err *err)
{
    bool is_empty = false;
    int version = 0;
    enum ft_status st = migrate_check(db, &is_empty, &version, err);
    if (st == FT_OK && is_empty && !may_create)
        st = ft_fail(err, FT_INVALID, "%s is empty, not a Fettle database", db->path);
    if (st == FT_OK && (size_t)version < db_migrations_count && !add_functions(db->handle))
        st = sqlite_fail(db->handle, SQLITE_NOMEM, db->path, err);
    if (st == FT_OK && is_empty) /* one wait for the disk in place of many */
        return apply(db, 0, db_migrations_count, err);
    for (size_t i = (size_t)version; st == FT_OK && i < db_migrations_count; i++)
        st = apply(db, i, i + 1, err);
    return st;
}
