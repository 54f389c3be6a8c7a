/* A writer is killed in the middle of its work, 50 times on one file. What it reported as committed
 * must be there, nothing may be there by halves, and the file must be sound. */
#include "tests/db_fixture.h"

#include "app/base/rng.h"
#include "db/event_store.h"
#include "db/reading_store.h"

#include <sys/wait.h>

enum { N_KILLS = 50, N_SENSORS = 3, MAX_BATCH = 6000 };

/* Batch number b writes so many readings to each sensor: trickles, seals and bulk in turn. */
static size_t batch_size(uint64_t b)
{
    static const size_t sizes[] = {1, 300, 5, 700, 1, 450, MAX_BATCH, 20};
    return sizes[b % (sizeof(sizes) / sizeof(sizes[0]))];
}

/* Readings of one sensor in the batches before number b. */
static size_t n_before(uint64_t b)
{
    size_t n = 0;
    for (uint64_t i = 0; i < b; i++)
        n += batch_size(i);
    return n;
}

static double value_at(int64_t sensor, size_t i)
{
    return rng_normal(11, (uint64_t)sensor, i);
}

static enum ft_status write_batch(struct db *db, const int64_t *sensors, int64_t asset_id,
                                  uint64_t b, size_t first)
{
    static int64_t ts[MAX_BATCH];
    static double v[MAX_BATCH];
    const size_t n = batch_size(b);
    int64_t id;
    bool is_new;
    enum ft_status st = db_begin(db, NULL);
    for (int s = 0; s < N_SENSORS && st == FT_OK; s++) {
        struct reading_counts c = {0};
        for (size_t i = 0; i < n; i++) {
            ts[i] = (int64_t)(first + i) * 1000;
            v[i] = value_at(sensors[s], first + i);
        }
        st = reading_put(db, sensors[s], ts, v, n, &c, NULL);
    }
    const struct event e = {.asset_id = asset_id, .kind = EVENT_ALARM, .ts_ms = (int64_t)b};
    if (st == FT_OK)
        st = event_put(db, &e, &id, &is_new, NULL);
    return st == FT_OK ? db_commit(db, NULL) : st;
}

/* The child: writes batches from number b on and reports each commit. Never returns. */
static void write_until_killed(const char *path, const int64_t *sensors, int64_t asset_id,
                               uint64_t b, int report)
{
    struct db *db;
    if (db_open_writer(path, false, &db, NULL) != FT_OK)
        _exit(1);
    for (size_t first = n_before(b);; first += batch_size(b), b++) {
        if (write_batch(db, sensors, asset_id, b, first) != FT_OK)
            _exit(2);
        const uint64_t done = b + 1;
        if (write(report, &done, sizeof(done)) != sizeof(done))
            _exit(3);
    }
}

/* Runs a child, kills it after some work; *acked grows to the batches it reported. */
static void kill_one(struct db_fixture *f, const int64_t *sensors, int64_t asset_id, int round,
                     uint64_t *acked)
{
    int report[2];
    int status;
    uint64_t done;
    assert_int_equal(pipe(report), 0);
    const pid_t child = fork();
    if (child == 0) {
        close(report[0]);
        write_until_killed(f->path, sensors, asset_id, *acked, report[1]);
    }
    close(report[1]);
    const uint64_t n_wanted = rng_below(4, 1, (uint64_t)round, 5);
    for (uint64_t i = 0; i < n_wanted && read(report[0], &done, sizeof(done)) == sizeof(done); i++)
        *acked = done;
    usleep((useconds_t)rng_below(4, 2, (uint64_t)round, 15000));
    kill(child, SIGKILL);
    while (read(report[0], &done, sizeof(done)) == sizeof(done)) /* what it said before its end */
        *acked = done;
    close(report[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

/* Every acknowledged batch is there as a whole, at most one more, and then as a whole too. */
static void assert_batches(struct db_fixture *f, const int64_t *sensors, int64_t asset_id,
                           uint64_t *acked)
{
    struct event_list events;
    const struct event_filter of_asset = {.asset_id = asset_id};
    assert_ok(event_list(f->db, &of_asset, &events, &f->err), f->err);
    assert_true(events.n == *acked || events.n == *acked + 1);
    *acked = events.n;
    event_list_free(&events);
    for (int s = 0; s < N_SENSORS; s++) {
        struct readings r;
        assert_ok(reading_scan(f->db, sensors[s], INT64_MIN, INT64_MAX, &r, &f->err), f->err);
        assert_int_equal(r.n, n_before(*acked));
        for (size_t i = 0; i < r.n; i++) {
            const double want = value_at(sensors[s], i);
            assert_int_equal(r.ts_ms[i], (int64_t)i * 1000);
            assert_memory_equal(&r.value[i], &want, sizeof(want));
        }
        readings_free(&r);
    }
}

static void test_db_survives_kills(void **state)
{
    struct db_fixture *f = *state;
    static const char *const names[N_SENSORS] = {"vib", "temp", "load"};
    int64_t sensors[N_SENSORS];
    int64_t asset_id = 0;
    uint64_t acked = 0;
    for (int s = 0; s < N_SENSORS; s++)
        sensors[s] = db_fixture_sensor(f, names[s]);
    assert_ok(asset_ensure(f->db, "A-1", NULL, &asset_id, &f->err), f->err);
    for (int round = 0; round < N_KILLS; round++) {
        db_close(f->db);
        f->db = NULL;
        kill_one(f, sensors, asset_id, round, &acked);
        assert_ok(db_open_writer(f->path, false, &f->db, &f->err), f->err);
        assert_ok(db_check(f->db, &f->err), f->err);
        if (round % 5 == 4)
            assert_batches(f, sensors, asset_id, &acked);
        else { /* one batch more may have been committed than reported */
            struct event_list events;
            assert_ok(event_list(f->db, &(struct event_filter){0}, &events, &f->err), f->err);
            assert_true(events.n == acked || events.n == acked + 1);
            acked = events.n;
            event_list_free(&events);
        }
    }
    assert_batches(f, sensors, asset_id, &acked);
    assert_true(acked > N_KILLS / 2); /* the children did get something done */
}

int main(void)
{
    const struct CMUnitTest tests[] = {db_test(test_db_survives_kills)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
