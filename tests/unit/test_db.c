#include "tests/db_fixture.h"

#include "app/base/embedded.h"
#include "db/statement.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char *setting(struct db *db, const char *key)
{
    static char value[64];
    db_setting_get(db, key, "none", value, sizeof(value));
    return value;
}

static void run_raw(const char *path, const char *sql)
{
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
}

static void test_db_statements_all_prepare(void **state)
{
    struct db_fixture *f = *state;
    sqlite3 *handle;
    db_close(f->db);
    f->db = NULL;
    assert_int_equal(sqlite3_open(f->path, &handle), SQLITE_OK);
    for (int i = 0; i < QUERY_COUNT; i++) {
        sqlite3_stmt *stmt = NULL;
        const char *tail = NULL;
        if (sqlite3_prepare_v2(handle, query_texts[i].sql, -1, &stmt, &tail) != SQLITE_OK)
            fail_msg("%s: %s", query_texts[i].name, sqlite3_errmsg(handle));
        sqlite3_finalize(stmt);
        stmt = NULL;
        assert_int_equal(sqlite3_prepare_v2(handle, tail, -1, &stmt, NULL), SQLITE_OK);
        if (stmt != NULL)
            fail_msg("%s: more than one statement", query_texts[i].name);
    }
    sqlite3_close(handle);
}

static void test_db_open_writer_pragmas(void **state)
{
    struct db_fixture *f = *state;
    static const struct {
        const char *sql, *want;
    } rows[] = {{"PRAGMA journal_mode", "wal"},
                {"PRAGMA application_id", "1182037100"},
                {"SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND strict = 0 "
                 "AND type = 'table' AND name NOT LIKE 'sqlite%'",
                 "0"}};
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(f->path, &handle), SQLITE_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sqlite3_stmt *stmt = NULL;
        assert_int_equal(sqlite3_prepare_v2(handle, rows[i].sql, -1, &stmt, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
        assert_string_equal((const char *)sqlite3_column_text(stmt, 0), rows[i].want);
        sqlite3_finalize(stmt);
    }
    sqlite3_close(handle);
}

static void test_db_open_absent(void **state)
{
    struct db_fixture *f = *state;
    struct db *db;
    char path[128];
    snprintf(path, sizeof(path), "%s/none.db", f->folder);
    assert_int_equal(db_open_writer(path, false, &db, &f->err), FT_NOT_FOUND);
    assert_null(db);
    assert_int_equal(db_open_reader(path, &db, &f->err), FT_NOT_FOUND);
    assert_null(db);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(db_open_writer(f->folder, true, &db, &f->err), FT_INVALID);
}

static void test_db_open_foreign(void **state)
{
    struct db_fixture *f = *state;
    struct db *db;
    char path[128];
    struct stat before;
    struct stat after;
    snprintf(path, sizeof(path), "%s/other.db", f->folder);
    run_raw(path, "CREATE TABLE t (x)");
    stat(path, &before);
    assert_int_equal(db_open_writer(path, true, &db, &f->err), FT_INVALID);
    assert_non_null(strstr(f->err.msg, "not a Fettle database"));
    assert_int_equal(db_open_reader(path, &db, &f->err), FT_INVALID);
    stat(path, &after);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);

    FILE *text = fopen(path, "w");
    for (int i = 0; i < 500; i++)
        fputs("time,asset,value\n", text);
    fclose(text);
    assert_int_equal(db_open_writer(path, true, &db, &f->err), FT_INVALID);
    assert_non_null(strstr(f->err.msg, "not a Fettle database"));
    assert_int_equal(db_open_reader(path, &db, &f->err), FT_INVALID);
    char lock[160];
    snprintf(lock, sizeof(lock), "%s.lock", path);
    assert_int_equal(access(lock, F_OK), -1);
}

static void test_db_open_empty_file(void **state)
{
    struct db_fixture *f = *state;
    struct db *db;
    char path[128];
    snprintf(path, sizeof(path), "%s/empty.db", f->folder);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(db_open_reader(path, &db, &f->err), FT_INVALID);
    assert_int_equal(db_open_writer(path, false, &db, &f->err), FT_INVALID);
    assert_ok(db_open_writer(path, true, &db, &f->err), f->err);
    db_close(db);
}

static void test_db_open_newer(void **state)
{
    struct db_fixture *f = *state;
    struct db *db;
    db_close(f->db);
    f->db = NULL;
    run_raw(f->path, "PRAGMA user_version=9999");
    assert_int_equal(db_open_writer(f->path, true, &db, &f->err), FT_INVALID);
    assert_non_null(strstr(f->err.msg, "newer"));
    assert_int_equal(db_open_reader(f->path, &db, &f->err), FT_INVALID);
    assert_non_null(strstr(f->err.msg, "newer"));
}

/* The step before approved_ms: work that was approved takes it from the audit, else its last
 * change. */
static void test_db_migrate_approval(void **state)
{
    struct db_fixture *f = *state;
    struct statement s;
    static const int64_t want[] = {7000, 9000, -1, -1};
    db_close(f->db);
    f->db = NULL;
    run_raw(f->path,
            "ALTER TABLE work_order DROP COLUMN approved_ms;"
            "INSERT INTO asset_class (id, name, created_ms) VALUES (1, 'pump', 1);"
            "INSERT INTO asset (id, key, class_id, created_ms) VALUES (1, 'P-1', 1, 1);"
            "INSERT INTO work_order (key, title, kind, status, asset_id, created_ms, updated_ms) "
            "VALUES ('WO-1', 't', 'predictive', 'approved', 1, 1000, 8000),"
            "('WO-2', 't', 'predictive', 'scheduled', 1, 1000, 9000),"
            "('WO-3', 't', 'predictive', 'draft', 1, 1000, 9000),"
            "('WO-4', 't', 'predictive', 'closed', 1, 1000, 9000);"
            "INSERT INTO audit (ts_ms, actor, action, subject, detail) VALUES "
            "(7000, 'ada', 'work_order.patch', 'WO-1', '{\"status\":\"approved\"}'),"
            "(8000, 'ada', 'work_order.patch', 'WO-1', '{\"note\":\"x\"}'),"
            "(8500, 'ada', 'work_order.patch', 'WO-1', NULL)");
    assert_string_equal(db_migrations[10].name, "0011_approval.sql");
    run_raw(f->path, (const char *)db_migrations[10].data);
    assert_ok(db_open_writer(f->path, false, &f->db, &f->err), f->err);
    s = statement_begin(f->db, QUERY_work_order_list, &f->err);
    bind_int(&s, ":after_id", 0);
    bind_int(&s, ":asset_id", 0);
    bind_int(&s, ":changed_since_ms", 0);
    bind_int(&s, ":limit", 10);
    for (size_t i = 0; i < 4; i++) {
        assert_true(statement_row(&s));
        assert_int_equal(column_int_or(&s, 38, -1), want[i]);
    }
    assert_ok(statement_end(&s), f->err);
}

static void test_db_open_reader_no_version(void **state)
{
    struct db_fixture *f = *state;
    struct db *db;
    db_close(f->db);
    f->db = NULL;
    run_raw(f->path, "PRAGMA user_version=0"); /* no migration leaves this */
    assert_int_equal(db_open_reader(f->path, &db, &f->err), FT_INVALID);
}

static void test_db_two_writers(void **state)
{
    struct db_fixture *f = *state;
    struct db *db;
    char pid[32];
    char lock[128];
    char alias[128];
    snprintf(pid, sizeof(pid), "process %ld ", (long)getpid());
    snprintf(lock, sizeof(lock), "%s.lock", f->path);
    snprintf(alias, sizeof(alias), "%s/alias.db", f->folder);
    assert_int_equal(symlink(f->path, alias), 0);
    assert_int_equal(db_open_writer(f->path, true, &db, &f->err), FT_BUSY);
    assert_null(db);
    assert_non_null(strstr(f->err.msg, pid));
    assert_non_null(strstr(f->err.msg, "test_db"));
    assert_int_equal(db_open_writer(alias, true, &db, &f->err), FT_BUSY);
    assert_int_equal(access(lock, F_OK), 0);
    db_close(f->db);
    f->db = NULL;
    assert_int_equal(access(lock, F_OK), -1);
    assert_ok(db_open_writer(alias, true, &f->db, &f->err), f->err);
}

static void test_db_lock_outlives_kill(void **state)
{
    struct db_fixture *f = *state;
    int ready[2];
    char c;
    db_close(f->db);
    f->db = NULL;
    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        struct db *db;
        if (db_open_writer(f->path, true, &db, NULL) == FT_OK &&
            db_setting_set(db, "left", "by a killed writer", NULL) == FT_OK &&
            write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    struct db *db;
    assert_int_equal(db_open_writer(f->path, true, &db, &f->err), FT_BUSY);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    assert_ok(db_open_reader(f->path, &db, &f->err), f->err); /* a WAL without a writer */
    assert_string_equal(setting(db, "left"), "by a killed writer");
    db_close(db);
    assert_ok(db_open_writer(f->path, true, &f->db, &f->err), f->err);
    assert_string_equal(setting(f->db, "left"), "by a killed writer");
}

static void test_db_reader_beside_writer(void **state)
{
    struct db_fixture *f = *state;
    struct db *reader;
    assert_ok(db_open_reader(f->path, &reader, &f->err), f->err);
    assert_false(db_is_writer(reader));
    const int64_t before = db_data_version(reader);
    assert_ok(db_setting_set(f->db, "a", "1", &f->err), f->err);
    assert_string_equal(setting(reader, "a"), "1");
    assert_true(db_data_version(reader) > before);
    assert_int_equal(db_data_version(reader), db_data_version(f->db));

    assert_ok(db_begin(reader, &f->err), f->err);
    assert_ok(db_setting_set(f->db, "a", "2", &f->err), f->err);
    assert_string_equal(setting(reader, "a"), "1");
    assert_ok(db_commit(reader, &f->err), f->err);
    assert_string_equal(setting(reader, "a"), "2");

    assert_int_equal(db_setting_set(reader, "a", "3", &f->err), FT_REFUSED);
    assert_string_equal(setting(f->db, "a"), "2");
    db_close(reader);
}

static void test_db_reader_without_writer(void **state)
{
    struct db_fixture *f = *state;
    struct db *reader;
    assert_ok(db_setting_set(f->db, "a", "1", &f->err), f->err);
    db_close(f->db);
    f->db = NULL;
    for (int i = 0; i < 2; i++) {
        assert_ok(db_open_reader(f->path, &reader, &f->err), f->err);
        assert_string_equal(setting(reader, "a"), "1");
        db_close(reader);
    }
    db_fixture_reopen(f); /* what a reader leaves behind is no hindrance */
    assert_ok(db_setting_set(f->db, "a", "2", &f->err), f->err);
}

static void test_db_reader_in_read_only_folder(void **state)
{
    struct db_fixture *f = *state;
    assert_ok(db_setting_set(f->db, "a", "1", &f->err), f->err);
    db_close(f->db);
    f->db = NULL;
    chmod(f->path, 0444);
    chmod(f->folder, 0555);
    const pid_t child = fork();
    if (child == 0) { /* root may write anywhere: become nobody */
        struct db *db;
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        if (db_open_reader(f->path, &db, NULL) != FT_OK)
            _exit(3);
        _exit(strcmp(setting(db, "a"), "1") == 0 ? 0 : 4);
    }
    int status = -1;
    waitpid(child, &status, 0);
    chmod(f->folder, 0755);
    chmod(f->path, 0644);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_db_begin_nested(void **state)
{
    struct db_fixture *f = *state;
    assert_ok(db_begin(f->db, &f->err), f->err);
    assert_ok(db_begin(f->db, &f->err), f->err);
    assert_ok(db_setting_set(f->db, "a", "1", &f->err), f->err);
    assert_ok(db_commit(f->db, &f->err), f->err);
    db_rollback(f->db);
    assert_string_equal(setting(f->db, "a"), "none");

    assert_ok(db_begin(f->db, &f->err), f->err);
    assert_ok(db_setting_set(f->db, "a", "2", &f->err), f->err);
    assert_ok(db_begin(f->db, &f->err), f->err);
    db_rollback(f->db);
    assert_int_equal(db_setting_set(f->db, "b", "2", &f->err), FT_CONFLICT);
    assert_int_equal(db_begin(f->db, &f->err), FT_CONFLICT);
    assert_int_equal(db_commit(f->db, &f->err), FT_CONFLICT);
    db_rollback(f->db); /* does nothing */
    assert_string_equal(setting(f->db, "a"), "none");
    assert_string_equal(setting(f->db, "b"), "none");

    assert_int_equal(db_commit(f->db, &f->err), FT_INTERNAL);
    assert_ok(db_begin(f->db, &f->err), f->err);
    assert_ok(db_setting_set(f->db, "a", "3", &f->err), f->err);
    assert_ok(db_commit(f->db, &f->err), f->err);
    assert_string_equal(setting(f->db, "a"), "3");
}

static void test_db_data_version_counts_changes_only(void **state)
{
    struct db_fixture *f = *state;
    const int64_t before = db_data_version(f->db);
    assert_ok(db_begin(f->db, &f->err), f->err);
    setting(f->db, "a");
    assert_ok(db_commit(f->db, &f->err), f->err);
    assert_int_equal(db_data_version(f->db), before);
    assert_ok(db_setting_set(f->db, "a", "1", &f->err), f->err);
    const int64_t after = db_data_version(f->db);
    assert_true(after > before);
    assert_true(after > INT64_C(1700000000000)); /* at least the clock */
    db_fixture_reopen(f);
    assert_int_equal(db_data_version(f->db), after);
    assert_ok(db_setting_set(f->db, "a", "2", &f->err), f->err);
    assert_true(db_data_version(f->db) > after);
}

static void test_db_backup(void **state)
{
    struct db_fixture *f = *state;
    struct db *db;
    char target[128];
    snprintf(target, sizeof(target), "%s/copy of it.db", f->folder);
    assert_ok(db_setting_set(f->db, "a", "1", &f->err), f->err);
    assert_ok(db_check(f->db, &f->err), f->err);
    assert_ok(db_backup(f->db, target, &f->err), f->err);
    assert_int_equal(db_backup(f->db, target, &f->err), FT_CONFLICT);
    assert_ok(db_open_reader(target, &db, &f->err), f->err);
    assert_string_equal(setting(db, "a"), "1");
    assert_ok(db_check(db, &f->err), f->err);
    db_close(db);
    unlink(target);
    assert_ok(db_open_reader(f->path, &db, &f->err), f->err);
    assert_ok(db_backup(db, target, &f->err), f->err); /* a reader can do it too */
    assert_int_equal(db_setting_set(db, "a", "3", &f->err), FT_REFUSED);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(test_db_statements_all_prepare),
        db_test(test_db_open_writer_pragmas),
        db_test(test_db_open_absent),
        db_test(test_db_open_foreign),
        db_test(test_db_open_empty_file),
        db_test(test_db_migrate_approval),
        db_test(test_db_open_newer),
        db_test(test_db_open_reader_no_version),
        db_test(test_db_two_writers),
        db_test(test_db_lock_outlives_kill),
        db_test(test_db_reader_beside_writer),
        db_test(test_db_reader_without_writer),
        db_test(test_db_reader_in_read_only_folder),
        db_test(test_db_begin_nested),
        db_test(test_db_data_version_counts_changes_only),
        db_test(test_db_backup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
