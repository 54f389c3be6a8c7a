#include "tests/db_fixture.h"

#include "db/connection.h"
#include "db/reading_store.h"
#include "db/reading_table.h"

#include <math.h>

enum { N_BULK = 100000 };

/* Two sensors: one with many blocks and some of the journal, one with three readings. */
static void fill(struct db_fixture *f, int64_t sensor[2])
{
    struct reading_counts c = {0};
    int64_t *ts = calloc(N_BULK, sizeof(*ts));
    double *v = calloc(N_BULK, sizeof(*v));
    assert_non_null(ts);
    assert_non_null(v);
    sensor[0] = db_fixture_sensor(f, "vib");
    sensor[1] = db_fixture_sensor(f, "temp");
    for (int i = 0; i < N_BULK; i++) {
        ts[i] = INT64_C(1700000000000) + i * INT64_C(1000);
        v[i] = i % 100;
    }
    assert_ok(reading_put(f->db, sensor[0], ts, v, N_BULK, &c, &f->err), f->err);
    const int64_t late = ts[N_BULK - 1] + 1000;
    assert_ok(reading_put(f->db, sensor[0], &late, v + 7, 1, &c, &f->err), f->err);
    const double few[] = {1.5, NAN, -INFINITY};
    assert_ok(reading_put(f->db, sensor[1], ts, few, 3, &c, &f->err), f->err);
    free(ts);
    free(v);
}

/* First column of the first row. */
static int64_t ask(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    const int rc = sqlite3_step(stmt);
    if (rc != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    const int64_t n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return n;
}

static void check_answers(sqlite3 *handle)
{
    const struct {
        const char *sql;
        int64_t want;
    } cases[] = {
        {"SELECT count(*) FROM reading", N_BULK + 4},
        {"SELECT count(*) FROM reading WHERE sensor = 'vib'", N_BULK + 1},
        {"SELECT count(*) FROM reading WHERE sensor = 'VIB' COLLATE NOCASE", N_BULK + 1},
        {"SELECT count(*) FROM reading WHERE sensor = 'VIB'", 0},
        {"SELECT count(*) FROM reading WHERE asset = 'none'", 0},
        {"SELECT count(*) FROM reading WHERE asset IS NULL OR sensor_id = NULL", 0},
        {"SELECT count(*) FROM reading r JOIN sensor s ON r.sensor_id = s.id WHERE s.name = 'temp'",
         3},
        {"SELECT count(*) FROM reading WHERE sensor_id = 1 AND ts_ms > 1700000000000 AND ts_ms <= "
         "1700000010000",
         10},
        {"SELECT count(*) FROM reading WHERE sensor_id = 1 AND ts_ms >= 1700000000000.5 AND ts_ms "
         "< "
         "1700000010000.5",
         10},
        {"SELECT count(*) FROM reading WHERE sensor_id = 1 AND ts_ms = 1700000005000", 1},
        {"SELECT count(*) FROM reading WHERE sensor_id = 1 AND ts_ms = '1700000005000'", 1},
        {"SELECT count(*) FROM reading WHERE sensor_id = 1 AND ts_ms < NULL", 0},
        {"SELECT count(*) FROM reading WHERE sensor_id = -1 OR sensor_id = 99", 0},
        {"SELECT sum(value) FROM reading WHERE sensor_id = 1", N_BULK / 100 * 4950 + 7},
        {"SELECT count(*) FROM reading WHERE value IS NULL", 1},
        {"SELECT ts = '2023-11-14T22:13:20Z' FROM reading WHERE sensor = 'temp'", 1},
        {"SELECT count(*) FROM reading a JOIN reading b USING (ts_ms) WHERE a.sensor = 'temp' AND "
         "b.sensor = 'vib' AND a.sensor_id <> b.sensor_id",
         3},
        {"SELECT count(*) FROM (SELECT ts_ms - lag(ts_ms) OVER (ORDER BY ts_ms) AS d FROM reading "
         "WHERE sensor_id = 1) WHERE d <> 1000",
         0},
        {"SELECT ts_ms FROM reading WHERE sensor_id = 1 ORDER BY ts_ms DESC",
         1700000000000 + N_BULK * INT64_C(1000)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (ask(handle, cases[i].sql) != cases[i].want)
            fail_msg("%s: %lld, expected %lld", cases[i].sql, (long long)ask(handle, cases[i].sql),
                     (long long)cases[i].want);
}

static void test_reading_table_of_own_connections(void **state)
{
    struct db_fixture *f = *state;
    struct db *reader = NULL;
    int64_t sensor[2];
    fill(f, sensor);
    check_answers(f->db->handle);
    assert_ok(db_open_reader(f->path, &reader, &f->err), f->err);
    check_answers(reader->handle);
    assert_int_equal(sqlite3_exec(f->db->handle, "DELETE FROM reading", NULL, NULL, NULL),
                     SQLITE_ERROR);
    db_close(reader);
}

/* As the loadable extension does it: on a handle that is not ours, inside a transaction too. */
static void test_reading_table_of_a_foreign_handle(void **state)
{
    struct db_fixture *f = *state;
    sqlite3 *handle = NULL;
    int64_t sensor[2];
    fill(f, sensor);
    assert_int_equal(sqlite3_open_v2(f->path, &handle, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(reading_table_add_foreign(handle), SQLITE_OK);
    check_answers(handle);
    assert_int_equal(sqlite3_exec(handle, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
    check_answers(handle);
    struct reading_counts c = {0};
    const int64_t ts = 5;
    const double v = 5;
    assert_ok(reading_put(f->db, sensor[1], &ts, &v, 1, &c, &f->err), f->err);
    check_answers(handle); /* the snapshot stays */
    assert_int_equal(sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(ask(handle, "SELECT count(*) FROM reading"), N_BULK + 5);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK); /* nothing is left open */
}

/* Rows come from one snapshot, also while somebody writes between two of them. */
static void test_reading_table_keeps_its_snapshot(void **state)
{
    struct db_fixture *f = *state;
    struct db *reader = NULL;
    sqlite3_stmt *stmt = NULL;
    struct reading_counts c = {0};
    int64_t sensor[2];
    int64_t n = 0;
    fill(f, sensor);
    assert_ok(db_open_reader(f->path, &reader, &f->err), f->err);
    assert_int_equal(
        sqlite3_prepare_v2(reader->handle, "SELECT value FROM reading", -1, &stmt, NULL),
        SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const int64_t ts = INT64_C(1800000000000) + n;
        const double v = 1;
        if (n % 10000 == 0)
            assert_ok(reading_put(f->db, sensor[1], &ts, &v, 1, &c, &f->err), f->err);
        n++;
    }
    sqlite3_finalize(stmt);
    assert_int_equal(n, N_BULK + 4);
    assert_int_equal(ask(reader->handle, "SELECT count(*) FROM reading"), N_BULK + 15);
    db_close(reader);
}

static void test_reading_table_refuses_other_files(void **state)
{
    sqlite3 *handle = NULL;
    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &handle), SQLITE_OK);
    assert_int_equal(reading_table_add_foreign(handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, "SELECT * FROM reading", NULL, NULL, NULL), SQLITE_ERROR);
    assert_non_null(strstr(sqlite3_errmsg(handle), "not a Fettle database"));
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

/* Every view of reports can be read on an empty file, as any SQLite tool opens it. */
static void test_views_can_be_read(void **state)
{
    struct db_fixture *f = *state;
    const char *const views[] = {"bi_asset",    "bi_sensor",   "bi_event",
                                 "bi_forecast", "bi_schedule", "bi_ledger"};
    sqlite3 *handle = NULL;
    assert_int_equal(sqlite3_open_v2(f->path, &handle, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
        char sql[80];
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", views[i]);
        assert_int_equal(ask(handle, sql), 0);
    }
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reading_table_of_own_connections, db_fixture_open,
                                        db_fixture_close),
        cmocka_unit_test_setup_teardown(test_reading_table_of_a_foreign_handle, db_fixture_open,
                                        db_fixture_close),
        cmocka_unit_test_setup_teardown(test_reading_table_keeps_its_snapshot, db_fixture_open,
                                        db_fixture_close),
        cmocka_unit_test(test_reading_table_refuses_other_files),
        cmocka_unit_test_setup_teardown(test_views_can_be_read, db_fixture_open, db_fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
