/* Power cuts: batches of readings are written through a VFS that records; then the files are made
 * as a cut at any moment may leave them, and opened. Each must be sound and hold every acknowledged
 * batch, whole, and at most one more. FETTLE_POWER_CUTS says how many; make bench does 2,000. */
#include "tests/db_fixture.h"
#include "tests/power_cut.h"

#include "db/connection.h"
#include "db/reading_store.h"

#include <sys/stat.h>

enum { N_BATCHES = 240, N_SENSORS = 6, MAX_BATCH = 2000, DEFAULT_CUTS = 60 };

/* Readings of each sensor in batch b: trickles, middling ones and bulk. */
static size_t batch_size(size_t b)
{
    return b % 40 == 39 ? MAX_BATCH : b % 10 == 9 ? 600 : 1 + b % 7;
}

static double value_at(int64_t sensor, size_t b, size_t i)
{
    return (double)rng_below(31, (uint64_t)sensor, b * MAX_BATCH + i, 100000) / 100;
}

static void write_batch(struct db_fixture *f, const int64_t *sensors, size_t b)
{
    static struct reading_point points[N_SENSORS * MAX_BATCH];
    static int64_t ts[MAX_BATCH];
    static double v[MAX_BATCH];
    struct reading_counts c = {0};
    const size_t n = batch_size(b);
    size_t n_points = 0;
    assert_ok(db_begin(f->db, &f->err), f->err);
    for (int s = 0; s < N_SENSORS; s++) {
        for (size_t i = 0; i < n; i++) {
            ts[i] = (int64_t)(b * MAX_BATCH + i);
            v[i] = value_at(s, b, i);
            if (n <= 600)
                points[n_points++] = (struct reading_point){sensors[s], ts[i], v[i]};
        }
        if (n > 600)
            assert_ok(reading_put(f->db, sensors[s], ts, v, n, &c, &f->err), f->err);
    }
    assert_ok(reading_append(f->db, points, n_points, NULL, &c, &f->err), f->err);
    if (b % 25 == 24)
        assert_ok(reading_seal(f->db, &f->err), f->err);
    assert_ok(db_commit(f->db, &f->err), f->err);
    assert_int_equal(c.n_new, n * N_SENSORS);
}

struct left {
    char folder[96], path[128];
    int64_t sensors[N_SENSORS];
    size_t n_checked;
};

/* Readings of batches 0 .. n - 1 and nothing else? */
static bool holds(struct db *db, const struct left *l, size_t n)
{
    struct ft_err err;
    bool is_good = true;
    for (int s = 0; s < N_SENSORS && is_good; s++) {
        struct readings r;
        size_t k = 0;
        assert_ok(reading_scan(db, l->sensors[s], INT64_MIN, INT64_MAX, &r, &err), err);
        for (size_t b = 0; b < n && is_good; b++)
            for (size_t i = 0; i < batch_size(b) && is_good; i++, k++)
                is_good = k < r.n && r.ts_ms[k] == (int64_t)(b * MAX_BATCH + i) &&
                          r.value[k] == value_at(s, b, i);
        is_good = is_good && k == r.n;
        readings_free(&r);
    }
    return is_good;
}

static void check_left(void *ctx, size_t n_acked)
{
    struct left *l = ctx;
    struct ft_err err = {0};
    struct db *db = NULL;
    char shm[160];
    snprintf(shm, sizeof(shm), "%s-shm", l->path);
    unlink(shm);
    if (db_open_writer(l->path, false, &db, &err) != FT_OK || db_check(db, &err) != FT_OK)
        fail_msg("cut %zu, %zu batches acknowledged: %s", l->n_checked, n_acked, err.msg);
    if (!holds(db, l, n_acked) && !holds(db, l, n_acked + 1))
        fail_msg("cut %zu: not the %zu acknowledged batches", l->n_checked, n_acked);
    db_close(db);
    l->n_checked++;
}

static void test_db_survives_power_cuts(void **state)
{
    struct db_fixture *f = *state;
    const char *wish = getenv("FETTLE_POWER_CUTS");
    const size_t n_cuts = wish != NULL ? strtoul(wish, NULL, 10) : DEFAULT_CUTS;
    struct left l = {0};
    for (int s = 0; s < N_SENSORS; s++) {
        char name[20];
        snprintf(name, sizeof(name), "s%d", s);
        l.sensors[s] = db_fixture_sensor(f, name);
    }
    /* The state before the first batch is on disk: record from an empty file on, with it inside. */
    db_close(f->db);
    f->db = NULL;
    unlink(f->path);
    power_cut_start();
    assert_ok(db_open_writer(f->path, true, &f->db, &f->err), f->err);
    for (int s = 0; s < N_SENSORS; s++) {
        char name[20];
        snprintf(name, sizeof(name), "s%d", s);
        assert_int_equal(db_fixture_sensor(f, name), l.sensors[s]);
    }
    cut.n_first = cut.n_ops;
    for (size_t b = 0; b < N_BATCHES; b++) {
        sqlite3_wal_autocheckpoint(f->db->handle, b % 3 == 0 ? 20 : 200);
        write_batch(f, l.sensors, b);
        power_cut_mark();
        if (b % 60 == 59)
            db_fixture_reopen(f);
    }
    db_close(f->db);
    f->db = NULL;
    power_cut_stop();
    snprintf(l.folder, sizeof(l.folder), "%s/left", f->folder);
    assert_int_equal(mkdir(l.folder, 0700), 0);
    snprintf(l.path, sizeof(l.path), "%s/fettle.db", l.folder);
    power_cut_each(5, n_cuts, l.folder, check_left, &l);
    assert_int_equal(l.n_checked, n_cuts);
    print_message("%zu power cuts, each file sound, no acknowledged batch lost\n", l.n_checked);
    unlink(l.path);
    rmdir(l.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {db_test(test_db_survives_power_cuts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
