#include "tests/db_fixture.h"

#include "app/base/rng.h"
#include "db/connection.h"
#include "db/reading_store.h"
#include "db/reading_tier.h"
#include "db/statement.h"

#include <math.h>

#define HOUR INT64_C(3600000)

static const struct reading_tiers keep_all = {INT64_MIN, INT64_MIN};

static void apply(struct db_fixture *f, int64_t sensor, const struct reading_tiers *t,
                  struct reading_tier_counts *c)
{
    *c = (struct reading_tier_counts){0};
    assert_ok(reading_tier_apply(f->db, sensor, t, c, &f->err), f->err);
}

static int64_t ask(struct db_fixture *f, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(f->db->handle, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    const int64_t n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return n;
}

/* The rows of reading_hour are what reading_buckets() says of the readings, hour by hour. */
static void check_hours(struct db_fixture *f, int64_t sensor)
{
    sqlite3_stmt *stmt = NULL;
    int64_t n = 0;
    struct readings all;
    assert_int_equal(sqlite3_prepare_v2(f->db->handle,
                                        "SELECT start_ms, n, min, max, mean FROM reading_hour", -1,
                                        &stmt, NULL),
                     SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const int64_t start_ms = sqlite3_column_int64(stmt, 0);
        double min = INFINITY;
        double max = -INFINITY;
        double sum = 0;
        int64_t n_numbers = 0;
        assert_int_equal(start_ms % HOUR, 0);
        assert_ok(reading_scan(f->db, sensor, start_ms, start_ms + HOUR, &all, &f->err), f->err);
        for (size_t i = 0; i < all.n; i++) {
            if (isnan(all.value[i]))
                continue;
            min = fmin(min, all.value[i]);
            max = fmax(max, all.value[i]);
            sum += all.value[i];
            n_numbers++;
        }
        readings_free(&all);
        assert_int_equal(sqlite3_column_int64(stmt, 1), n_numbers);
        assert_close(sqlite3_column_double(stmt, 2), min, 0);
        assert_close(sqlite3_column_double(stmt, 3), max, 0);
        assert_close(sqlite3_column_double(stmt, 4), sum / (double)n_numbers, 1e-9);
        n += n_numbers;
    }
    sqlite3_finalize(stmt);
    /* Every number of a complete hour is in one. */
    const int64_t end_ms = ask(f, "SELECT max(end_ms) FROM reading_block") / HOUR * HOUR;
    assert_ok(reading_scan(f->db, sensor, 0, end_ms, &all, &f->err), f->err);
    for (size_t i = 0; i < all.n; i++)
        n -= !isnan(all.value[i]);
    readings_free(&all);
    assert_int_equal(n, 0);
}

/* Batches in any order, corrections, deletions: the hours follow. */
static void test_reading_tier_follows_every_change(void **state)
{
    struct db_fixture *f = *state;
    const int64_t sensor = db_fixture_sensor(f, "vib");
    struct reading_tier_counts c;
    struct reading_counts counts = {0};
    uint64_t k = 0;
    enum { N = 3000 };
    static int64_t ts[N];
    static double v[N];
    for (int round = 0; round < 12; round++) {
        const int64_t from = (int64_t)rng_below(1, 2, k++, 200) * HOUR + 77;
        for (int i = 0; i < N; i++) {
            ts[i] = from + i * INT64_C(60000);
            v[i] = rng_below(1, 2, k++, 50) == 0 ? (double)NAN
                                                 : (double)rng_below(1, 2, k++, 1000) / 10;
        }
        const size_t n = 1 + (size_t)rng_below(1, 2, k++, N);
        assert_ok(reading_put(f->db, sensor, ts, v, n, &counts, &f->err), f->err);
        if (round % 4 == 3) {
            int64_t n_deleted = 0;
            assert_ok(reading_delete(f->db, sensor, from + 5 * HOUR / 2, from + 11 * HOUR / 2,
                                     &n_deleted, &f->err),
                      f->err);
        }
        assert_ok(reading_seal(f->db, &f->err), f->err);
        apply(f, sensor, &keep_all, &c);
        check_hours(f, sensor);
        apply(f, sensor, &keep_all, &c);
        assert_int_equal(c.n_hours, 0);
    }
    assert_ok(reading_tier_forget(f->db, &f->err), f->err);
    assert_int_equal(ask(f, "SELECT count(*) FROM reading_hour"), 0);
    apply(f, sensor, &keep_all, &c);
    assert_true(c.n_hours > 0);
    check_hours(f, sensor);
}

/* One reading a second for four hours, values up and down. */
static int64_t fill_seconds(struct db_fixture *f)
{
    const int64_t sensor = db_fixture_sensor(f, "vib");
    struct reading_counts counts = {0};
    enum { N = 4 * 3600 + 1 };
    static int64_t ts[N];
    static double v[N];
    for (int i = 0; i < N; i++) {
        ts[i] = i * INT64_C(1000);
        v[i] = i % 60 == 20 ? 9 : i % 60 == 40 ? -9 : 1;
    }
    assert_ok(reading_put(f->db, sensor, ts, v, N, &counts, &f->err), f->err);
    assert_ok(reading_seal(f->db, &f->err), f->err);
    return sensor;
}

static void test_reading_tier_thins(void **state)
{
    struct db_fixture *f = *state;
    const int64_t sensor = fill_seconds(f);
    const struct reading_tiers tiers = {2 * HOUR + 1, INT64_MIN};
    struct reading_tier_counts c;
    struct readings r;
    apply(f, sensor, &tiers, &c);
    assert_int_equal(c.n_hours, 4);
    assert_int_equal(c.n_thinned, 2 * 3600 - 2 * 60 * 3);
    assert_ok(reading_scan(f->db, sensor, 0, 60000, &r, &f->err), f->err);
    assert_int_equal(r.n, 3);
    assert_int_equal(r.ts_ms[0], 20000);
    assert_int_equal(r.ts_ms[1], 40000);
    assert_int_equal(r.ts_ms[2], 59000);
    readings_free(&r);
    assert_int_equal(ask(f, "SELECT min(n) FROM reading_hour"), 3600); /* of all readings, still */
    apply(f, sensor, &tiers, &c);
    assert_int_equal(c.n_hours + c.n_thinned, 0);
    assert_ok(reading_tier_forget(f->db, &f->err), f->err);
    assert_int_equal(ask(f, "SELECT count(*) FROM reading_hour"),
                     2); /* those that cannot come again */
    apply(f, sensor, &keep_all, &c);
    assert_int_equal(c.n_hours, 2);
}

static void test_reading_tier_drops(void **state)
{
    struct db_fixture *f = *state;
    const int64_t sensor = fill_seconds(f);
    const struct reading_tiers tiers = {INT64_MIN, 3 * HOUR};
    const struct reading_tiers all = {INT64_MIN, 100 * HOUR};
    struct reading_tier_counts c;
    struct reading_span span;
    int64_t n_deleted = 0;
    apply(f, sensor, &tiers, &c);
    assert_int_equal(c.n_dropped, 3 * 3600);
    assert_ok(reading_span(f->db, sensor, &span, &f->err), f->err);
    assert_int_equal(span.first_ms, 3 * HOUR);
    assert_int_equal(ask(f, "SELECT count(*) FROM reading_hour WHERE n = 3600"), 4);
    apply(f, sensor, &all, &c); /* the last hour, which is not complete, stays as a row too */
    assert_int_equal(ask(f, "SELECT count(*) FROM reading_hour"), 5);
    assert_ok(reading_delete(f->db, sensor, HOUR, 2 * HOUR, &n_deleted, &f->err), f->err);
    assert_int_equal(ask(f, "SELECT count(*) FROM reading_hour"),
                     4); /* what a person deletes goes */
    assert_ok(db_check(f->db, &f->err), f->err);
}

static void test_reading_tier_next(void **state)
{
    struct db_fixture *f = *state;
    struct reading_tier_counts c;
    int64_t id = 0;
    assert_int_equal(reading_tier_next(f->db, 0, &id, &f->err), FT_NOT_FOUND);
    const int64_t a = db_fixture_sensor(f, "a");
    const int64_t b = db_fixture_sensor(f, "b");
    assert_ok(reading_tier_next(f->db, 0, &id, &f->err), f->err);
    assert_int_equal(id, a);
    assert_ok(reading_tier_next(f->db, a, &id, &f->err), f->err);
    assert_int_equal(id, b);
    assert_int_equal(reading_tier_next(f->db, b, &id, &f->err), FT_NOT_FOUND);
    apply(f, a, &keep_all, &c); /* no readings at all */
    assert_int_equal(c.n_hours, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(test_reading_tier_follows_every_change),
        db_test(test_reading_tier_thins),
        db_test(test_reading_tier_drops),
        db_test(test_reading_tier_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
