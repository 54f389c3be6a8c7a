#include "tests/db_fixture.h"

#include "app/base/rng.h"
#include "db/connection.h"
#include "db/reading_journal.h"
#include "db/reading_store.h"
#include "db/statement.h"

#include <pthread.h>

static void test_reading_put_every_double(void **state)
{
    struct db_fixture *f = *state;
    const int64_t sensor = db_fixture_sensor(f, "vib");
    const uint64_t odd[] = {0,
                            UINT64_C(0x8000000000000000),
                            UINT64_C(0x7ff0000000000000),
                            UINT64_C(0xfff0000000000000),
                            UINT64_C(0x7ff8000000000000),
                            UINT64_C(0xfff8000000000000),
                            UINT64_C(0x7ff0000000000001),
                            UINT64_C(0xfff123456789abcd),
                            1,
                            UINT64_C(0x3ff0000000000000),
                            UINT64_C(0x433fffffffffffff)};
    enum { N = sizeof(odd) / sizeof(odd[0]) };
    int64_t ts[N];
    double v[N];
    struct reading_counts c = {0};
    struct readings r;
    memcpy(v, odd, sizeof(v));
    for (int i = 0; i < N; i++)
        ts[i] = (i - 3) * INT64_C(1000);
    assert_ok(reading_put(f->db, sensor, ts, v, N, &c, &f->err), f->err);
    assert_int_equal(c.n_new, N);
    assert_ok(reading_put(f->db, sensor, ts, v, N, &c, &f->err), f->err);
    assert_int_equal(c.n_unchanged, N);
    assert_int_equal(c.n_changed, 0);
    assert_ok(reading_scan(f->db, sensor, INT64_MIN, INT64_MAX, &r, &f->err), f->err);
    assert_int_equal(r.n, N);
    assert_memory_equal(r.ts_ms, ts, sizeof(ts));
    assert_memory_equal(r.value, v, sizeof(v));
    readings_free(&r);
}

static void test_reading_put_last_wins(void **state)
{
    struct db_fixture *f = *state;
    const int64_t sensor = db_fixture_sensor(f, "vib");
    const int64_t ts[] = {50, 10, 50, 30};
    const double v[] = {1, 2, 3, 4};
    struct reading_counts c = {0};
    struct reading_span span;
    struct readings r;
    int64_t n = 0;
    assert_int_equal(reading_newest(f->db, &n, &f->err), FT_NOT_FOUND);
    assert_ok(reading_put(f->db, sensor, ts, v, 4, &c, &f->err), f->err);
    assert_ok(reading_scan(f->db, sensor, 10, 50, &r, &f->err), f->err);
    assert_int_equal(r.n, 2);
    assert_close(r.value[1], 4, 0);
    readings_free(&r);
    assert_ok(reading_span(f->db, sensor, &span, &f->err), f->err);
    assert_int_equal(span.n, 3);
    assert_int_equal(span.first_ms, 10);
    assert_int_equal(span.last_ms, 50);
    assert_close(span.last_value, 3, 0);
    assert_ok(reading_newest(f->db, &n, &f->err), f->err);
    assert_int_equal(n, 50);
    assert_ok(reading_count(f->db, &n, &f->err), f->err);
    assert_int_equal(n, 3);
    assert_int_equal(reading_put(f->db, 99, ts, v, 4, &c, &f->err), FT_INVALID);
}

static void test_reading_buckets_keep_extremes(void **state)
{
    struct db_fixture *f = *state;
    const int64_t sensor = db_fixture_sensor(f, "vib");
    const int64_t ts[] = {0, 10, 20, 30, 99};
    const double v[] = {5, -7, NAN, 3, 8};
    struct reading_counts c = {0};
    struct reading_bucket b[4];
    assert_ok(reading_put(f->db, sensor, ts, v, 5, &c, &f->err), f->err);
    assert_ok(reading_buckets(f->db, sensor, 0, 100, 4, b, &f->err), f->err);
    assert_int_equal(b[0].n, 2);
    assert_close(b[0].min, -7, 0);
    assert_close(b[0].max, 5, 0);
    assert_close(b[0].mean, -1, 0);
    assert_close(b[0].last, -7, 0);
    assert_int_equal(b[1].start_ms, 25);
    assert_int_equal(b[1].n, 1);
    assert_int_equal(b[2].n, 0);
    assert_close(b[3].last, 8, 0);
    assert_int_equal(reading_buckets(f->db, sensor, 100, 100, 4, b, &f->err), FT_INVALID);
}

/* Columns narrower than a millisecond: several start at the same instant, the last of them holds
 * it. */
static void test_reading_buckets_narrower_than_a_millisecond(void **state)
{
    struct db_fixture *f = *state;
    const int64_t sensor = db_fixture_sensor(f, "vib");
    const int64_t ts[] = {1000, 1001, 1002};
    const double v[] = {1, 2, 3};
    struct reading_counts c = {0};
    struct reading_bucket b[800];
    assert_ok(reading_put(f->db, sensor, ts, v, 3, &c, &f->err), f->err);
    assert_ok(reading_buckets(f->db, sensor, 1000, 1001, 800, b, &f->err), f->err);
    assert_int_equal(b[799].n, 1);
    assert_close(b[799].mean, 1, 0);
    assert_ok(reading_buckets(f->db, sensor, 1000, 1003, 800, b, &f->err), f->err);
    int64_t n = 0;
    for (size_t i = 0; i < 800; i++)
        n += b[i].n;
    assert_int_equal(n, 3);
}

/* --- against a plain map -------------------------------------------------------------------- */

enum { N_SLOTS = 60000 };

/* What the store should hold: one slot for each possible instant. */
struct model {
    double value[N_SLOTS];
    bool is_there[N_SLOTS];
};

static int64_t slot_ms(size_t slot)
{
    return (int64_t)slot * 1000 + (int64_t)(slot % 3) - 7000000;
}

static void model_put(struct model *m, const size_t *slots, const double *v, size_t n,
                      struct reading_counts *c)
{
    static size_t last[N_SLOTS]; /* place in the batch of the one that wins */
    for (size_t i = 0; i < n; i++)
        last[slots[i]] = i;
    for (size_t i = 0; i < n; i++) {
        const size_t s = slots[i];
        if (last[s] != i)
            continue;
        const bool is_same = m->is_there[s] && memcmp(&m->value[s], &v[i], sizeof(v[i])) == 0;
        c->n_new += !m->is_there[s];
        c->n_unchanged += is_same;
        c->n_changed += m->is_there[s] && !is_same;
        m->is_there[s] = true;
        m->value[s] = v[i];
    }
}

static void assert_scan_is_model(struct db_fixture *f, int64_t sensor, const struct model *m,
                                 size_t from, size_t to)
{
    struct readings r;
    size_t k = 0;
    assert_ok(reading_scan(f->db, sensor, slot_ms(from), slot_ms(to), &r, &f->err), f->err);
    for (size_t s = from; s < to; s++) {
        if (!m->is_there[s])
            continue;
        assert_true(k < r.n);
        assert_int_equal(r.ts_ms[k], slot_ms(s));
        assert_memory_equal(&r.value[k], &m->value[s], sizeof(double));
        k++;
    }
    assert_int_equal(k, r.n);
    readings_free(&r);
}

static void assert_span_is_model(struct db_fixture *f, int64_t sensor, const struct model *m)
{
    struct reading_span span;
    size_t n = 0;
    size_t last = 0;
    size_t first = N_SLOTS;
    int64_t newest = 0;
    for (size_t s = 0; s < N_SLOTS; s++) {
        if (m->is_there[s]) {
            first = first == N_SLOTS ? s : first;
            last = s;
            n++;
        }
    }
    assert_ok(reading_span(f->db, sensor, &span, &f->err), f->err);
    assert_int_equal(span.n, n);
    assert_int_equal(span.first_ms, slot_ms(first));
    assert_int_equal(span.last_ms, slot_ms(last));
    assert_memory_equal(&span.last_value, &m->value[last], sizeof(double));
    assert_ok(reading_newest(f->db, &newest, &f->err), f->err);
    assert_int_equal(newest, slot_ms(last));
    assert_ok(reading_count(f->db, &newest, &f->err), f->err);
    assert_int_equal(newest, n);
}

static void assert_buckets_are_model(struct db_fixture *f, int64_t sensor, const struct model *m,
                                     size_t from, size_t to, size_t n_buckets)
{
    struct reading_bucket *b = calloc(n_buckets, sizeof(*b));
    assert_ok(reading_buckets(f->db, sensor, slot_ms(from), slot_ms(to), n_buckets, b, &f->err),
              f->err);
    size_t s = from;
    for (size_t i = 0; i < n_buckets; i++) {
        const int64_t end = i + 1 < n_buckets ? b[i + 1].start_ms : slot_ms(to);
        int64_t n = 0;
        double min = INFINITY;
        double max = -INFINITY;
        double sum = 0;
        double last = NAN;
        for (; s < to && slot_ms(s) < end; s++) {
            if (!m->is_there[s] || isnan(m->value[s]))
                continue;
            min = fmin(min, m->value[s]);
            max = fmax(max, m->value[s]);
            sum += m->value[s];
            last = m->value[s];
            n++;
        }
        assert_int_equal(b[i].n, n);
        if (n == 0)
            continue;
        assert_close(b[i].min, min, 0);
        assert_close(b[i].max, max, 0);
        assert_close(b[i].last, last, 0);
        assert_close(b[i].mean, sum / (double)n, 1e-9);
    }
    free(b);
}

/* A batch of one of several manners: a few points, a run, a re-send, a scatter. */
static size_t make_batch(uint64_t seed, uint64_t round, const struct model *m, size_t *slots,
                         double *v)
{
    const uint64_t manner = rng_below(seed, round, 0, 8);
    const size_t base = (size_t)rng_below(seed, round, 1, N_SLOTS);
    static const size_t limits[] = {3, 40, 400, 600, 3000, 9000, 20000, 5000};
    const size_t n = 1 + (size_t)rng_below(seed, round, 2, limits[manner]);
    for (size_t i = 0; i < n; i++) {
        const uint64_t draw = rng_u64(seed, round, 10 + i);
        slots[i] = manner == 7 || manner == 1 ? (size_t)(draw % N_SLOTS) : (base + i) % N_SLOTS;
        v[i] = (double)(draw >> 40) / 100;
        if (draw % 61 == 0)
            v[i] = NAN;
        if (rng_below(seed, round, 3, 4) == 0 && m->is_there[slots[i]])
            v[i] = m->value[slots[i]]; /* sent before */
    }
    return n;
}

static void run_against_model(struct db_fixture *f, uint64_t seed, uint64_t n_rounds)
{
    struct model *m = calloc(1, sizeof(*m));
    size_t *slots = calloc(20001, sizeof(*slots));
    int64_t *ts = calloc(20001, sizeof(*ts));
    double *v = calloc(20001, sizeof(*v));
    const int64_t sensor = db_fixture_sensor(f, "vib");
    assert_true(m != NULL && slots != NULL && ts != NULL && v != NULL);
    for (uint64_t round = 0; round < n_rounds; round++) {
        struct reading_counts got = {0};
        struct reading_counts want = {0};
        const size_t n = make_batch(seed, round, m, slots, v);
        for (size_t i = 0; i < n; i++)
            ts[i] = slot_ms(slots[i]);
        if (rng_below(seed, round, 4, 10) == 0) { /* a batch that is taken back */
            assert_ok(db_begin(f->db, &f->err), f->err);
            assert_ok(reading_put(f->db, sensor, ts, v, n, &got, &f->err), f->err);
            db_rollback(f->db);
            continue;
        }
        assert_ok(reading_put(f->db, sensor, ts, v, n, &got, &f->err), f->err);
        model_put(m, slots, v, n, &want);
        assert_int_equal(got.n_new, want.n_new);
        assert_int_equal(got.n_changed, want.n_changed);
        assert_int_equal(got.n_unchanged, want.n_unchanged);
        const size_t from = (size_t)rng_below(seed, round, 5, N_SLOTS - 1);
        const size_t to = from + 1 + (size_t)rng_below(seed, round, 6, N_SLOTS - 1 - from);
        assert_scan_is_model(f, sensor, m, from, to);
        if (round % 20 == 19) {
            assert_scan_is_model(f, sensor, m, 0, N_SLOTS - 1);
            assert_span_is_model(f, sensor, m);
            assert_buckets_are_model(f, sensor, m, 0, N_SLOTS - 1, 3);
            assert_buckets_are_model(f, sensor, m, from, to, 100);
            assert_ok(db_check(f->db, &f->err), f->err);
            db_fixture_reopen(f);
        }
    }
    free(m);
    free(slots);
    free(ts);
    free(v);
}

static void test_reading_put_against_map_1(void **state)
{
    run_against_model(*state, 1, 200);
}

static void test_reading_put_against_map_2(void **state)
{
    run_against_model(*state, 2, 200);
}

/* --- batches of many sensors ------------------------------------------------------------------ */

enum { N_MANY = 40, MANY_SLOTS = 3000 };

struct many {
    int64_t sensor[N_MANY];
    double value[N_MANY][MANY_SLOTS];
    bool is_there[N_MANY][MANY_SLOTS];
};

/* Puts a random batch into the map and into points[]. */
static size_t make_many(struct many *m, uint64_t round, struct reading_point *points,
                        unsigned char *want)
{
    const size_t n = 1 + (size_t)rng_below(21, round, 1, round % 7 == 0 ? 4000 : 300);
    const size_t base = (size_t)rng_below(21, round, 2, MANY_SLOTS);
    const bool is_scatter = rng_below(21, round, 3, 3) == 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t draw = rng_u64(21, round, 10 + i);
        const size_t s = (size_t)(draw % N_MANY);
        const size_t k = (is_scatter ? (size_t)(draw >> 20) : base + i / N_MANY) % MANY_SLOTS;
        const double v = (double)((draw >> 40) % 50);
        points[i] = (struct reading_point){m->sensor[s], (int64_t)k * 1000, v};
        want[i] = !m->is_there[s][k]    ? READING_NEW
                  : m->value[s][k] == v ? READING_UNCHANGED
                                        : READING_CHANGED;
        m->is_there[s][k] = true;
        m->value[s][k] = v;
    }
    return n;
}

static void assert_many(struct db *db, const struct many *m)
{
    struct ft_err err;
    int64_t total = 0;
    int64_t n_all = 0;
    for (int s = 0; s < N_MANY; s++) {
        struct readings r;
        size_t k = 0;
        assert_ok(reading_scan(db, m->sensor[s], INT64_MIN, INT64_MAX, &r, &err), err);
        for (size_t i = 0; i < MANY_SLOTS; i++) {
            if (!m->is_there[s][i])
                continue;
            assert_true(k < r.n);
            assert_int_equal(r.ts_ms[k], (int64_t)i * 1000);
            assert_close(r.value[k], m->value[s][i], 0);
            k++;
        }
        assert_int_equal(k, r.n);
        total += (int64_t)r.n;
        readings_free(&r);
    }
    assert_ok(reading_count(db, &n_all, &err), err);
    assert_int_equal(n_all, total);
}

/* Batches against a map: a second connection reads beside the writer, batches are taken back, the
 * journal is sealed, readings are deleted, the file is opened again. */
static void test_reading_append_against_map(void **state)
{
    struct db_fixture *f = *state;
    static struct many m, before;
    static struct reading_point points[4000];
    static unsigned char want[4000], got[4000];
    struct db *reader = NULL;
    memset(&m, 0, sizeof(m));
    for (int s = 0; s < N_MANY; s++) {
        char name[20];
        snprintf(name, sizeof(name), "s%d", s);
        m.sensor[s] = db_fixture_sensor(f, name);
    }
    assert_ok(db_open_reader(f->path, &reader, &f->err), f->err);
    for (uint64_t round = 0; round < 300; round++) {
        struct reading_counts c = {0};
        before = m;
        const size_t n = make_many(&m, round, points, want);
        assert_ok(db_begin(f->db, &f->err), f->err);
        assert_ok(reading_append(f->db, points, n, got, &c, &f->err), f->err);
        assert_true((size_t)(c.n_new + c.n_changed + c.n_unchanged) <= n);
        if (round % 11 == 10) {
            db_rollback(f->db);
            m = before;
            continue;
        }
        assert_ok(db_commit(f->db, &f->err), f->err);
        for (size_t i = 0; i < n; i++)
            if (want[i] == READING_NEW) /* of repeats, a later one says what it overwrote */
                assert_true(got[i] == READING_NEW || got[i] == READING_UNCHANGED);
        if (round % 9 == 8)
            assert_ok(reading_seal(f->db, &f->err), f->err);
        if (round % 25 == 24) {
            int64_t n_deleted = 0;
            const size_t s = (size_t)(round % N_MANY);
            assert_ok(reading_delete(f->db, m.sensor[s], 100000, 200000, &n_deleted, &f->err),
                      f->err);
            for (size_t i = 100; i < 200; i++) {
                n_deleted -= m.is_there[s][i];
                m.is_there[s][i] = false;
            }
            assert_int_equal(n_deleted, 0);
        }
        if (round % 10 == 0)
            assert_many(reader, &m);
        if (round % 50 == 49) {
            assert_many(f->db, &m);
            assert_ok(db_check(f->db, &f->err), f->err);
            db_close(reader);
            db_fixture_reopen(f);
            assert_ok(db_open_reader(f->path, &reader, &f->err), f->err);
        }
    }
    db_close(reader);
}

/* The walk that seals goes on in steps, over a restart too, and the journal stays short. */
static void test_reading_append_walks(void **state)
{
    struct db_fixture *f = *state;
    enum { N_SENSORS = 300, N_ROUNDS = 2500 };
    static int64_t sensor[N_SENSORS];
    static struct reading_point points[N_SENSORS];
    struct reading_counts c = {0};
    int64_t n = 0;
    for (int s = 0; s < N_SENSORS; s++) {
        char name[20];
        snprintf(name, sizeof(name), "s%d", s);
        sensor[s] = db_fixture_sensor(f, name);
    }
    for (int r = 0; r < N_ROUNDS; r++) {
        if (r % 250 == 0) /* one transaction for many rows: this test is not about commits */
            assert_ok(db_begin(f->db, &f->err), f->err);
        for (int s = 0; s < N_SENSORS; s++)
            points[s] = (struct reading_point){sensor[s], (int64_t)r * 60000, (double)(r % 100)};
        assert_ok(reading_append(f->db, points, N_SENSORS, NULL, &c, &f->err), f->err);
        if (r % 250 == 249)
            assert_ok(db_commit(f->db, &f->err), f->err);
        if (r % 1000 == 999)
            db_fixture_reopen(f);
    }
    assert_int_equal(c.n_new, (int64_t)N_SENSORS * N_ROUNDS);
    assert_ok(reading_count(f->db, &n, &f->err), f->err);
    assert_int_equal(n, c.n_new);
    for (int s = 0; s < N_SENSORS; s += 37) {
        struct readings r;
        assert_ok(reading_scan(f->db, sensor[s], INT64_MIN, INT64_MAX, &r, &f->err), f->err);
        assert_int_equal(r.n, N_ROUNDS);
        for (size_t i = 0; i < r.n; i++)
            assert_close(r.value[i], (double)(i % 100), 0);
        readings_free(&r);
    }
    assert_ok(db_check(f->db, &f->err), f->err);
    db_close(f->db);
    f->db = NULL;
    sqlite3 *handle;
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_open(f->path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, "SELECT ifnull(sum(n), 0) FROM reading_journal", -1,
                                        &stmt, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_true(sqlite3_column_int(stmt, 0) < 600000);
    sqlite3_finalize(stmt);
    sqlite3_close(handle);
}

static void test_reading_put_trickle_is_sealed(void **state)
{
    struct db_fixture *f = *state;
    const int64_t sensor = db_fixture_sensor(f, "vib");
    struct reading_counts c = {0};
    struct readings r;
    enum { N = 12000 };
    assert_ok(db_begin(f->db, &f->err), f->err);
    for (int64_t i = 0; i < N; i++) { /* one by one, as a gateway sends */
        const double v = (double)i;
        assert_ok(reading_put(f->db, sensor, &i, &v, 1, &c, &f->err), f->err);
    }
    assert_ok(db_commit(f->db, &f->err), f->err);
    assert_int_equal(c.n_new, N);
    assert_ok(reading_scan(f->db, sensor, 0, N, &r, &f->err), f->err);
    assert_int_equal(r.n, N);
    for (size_t i = 0; i < r.n; i++)
        assert_close(r.value[i], (double)r.ts_ms[i], 0);
    readings_free(&r);
    /* Two thirds at least are in blocks by now, where SQL can see it. */
    db_close(f->db);
    f->db = NULL;
    sqlite3 *handle;
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_open(f->path, &handle), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(handle, "SELECT sum(n), count(*) FROM reading_block", -1, &stmt, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_true(sqlite3_column_int(stmt, 0) >= N * 2 / 3 - 1000);
    assert_true(sqlite3_column_int(stmt, 1) <= 4);
    sqlite3_finalize(stmt);
    sqlite3_close(handle);
}

static void test_reading_put_identical_writes_nothing(void **state)
{
    struct db_fixture *f = *state;
    const int64_t sensor = db_fixture_sensor(f, "vib");
    struct reading_counts c = {0};
    static int64_t ts[30000];
    static double v[30000];
    for (size_t i = 0; i < 30000; i++) {
        ts[i] = (int64_t)i * 1000;
        v[i] = rng_normal(3, 3, i);
    }
    assert_ok(reading_put(f->db, sensor, ts, v, 30000, &c, &f->err), f->err);
    assert_ok(reading_put(f->db, sensor, ts + 5, v + 5, 100, &c, &f->err), f->err);
    const int64_t version = db_data_version(f->db);
    c = (struct reading_counts){0};
    assert_ok(reading_put(f->db, sensor, ts, v, 30000, &c, &f->err), f->err);
    assert_ok(reading_put(f->db, sensor, ts + 77, v + 77, 50, &c, &f->err), f->err);
    assert_int_equal(c.n_unchanged, 30050);
    assert_int_equal(db_data_version(f->db), version);
    v[20000] += 1;
    c = (struct reading_counts){0};
    assert_ok(reading_put(f->db, sensor, ts, v, 30000, &c, &f->err), f->err);
    assert_int_equal(c.n_changed, 1);
    assert_int_equal(c.n_unchanged, 29999);
}

static void test_reading_put_segments_after_only(void **state)
{
    struct db_fixture *f = *state;
    const int64_t sensor = db_fixture_sensor(f, "vib");
    struct reading_counts c = {0};
    struct reading_segment segs[2];
    struct segment_codec *codec;
    struct readings r;
    int64_t ts[200];
    double v[200];
    for (int i = 0; i < 200; i++) {
        ts[i] = i;
        v[i] = i;
    }
    assert_ok(segment_codec_new(&codec, &f->err), f->err);
    assert_ok(segment_encode(codec, ts, v, 100, &segs[0], &f->err), f->err);
    assert_ok(segment_encode(codec, ts + 100, v + 100, 100, &segs[1], &f->err), f->err);
    assert_ok(reading_put_segments(f->db, sensor, segs, 2, &c, &f->err), f->err);
    assert_int_equal(c.n_new, 200);
    assert_int_equal(reading_put_segments(f->db, sensor, &segs[1], 1, &c, &f->err), FT_CONFLICT);
    const int64_t other = db_fixture_sensor(f, "temp");
    assert_int_equal(reading_put_segments(f->db, other,
                                          (struct reading_segment[]){segs[1], segs[0]}, 2, &c,
                                          &f->err),
                     FT_CONFLICT);
    assert_int_equal(c.n_new, 200);
    assert_ok(reading_scan(f->db, other, 0, 1000, &r, &f->err), f->err);
    assert_int_equal(r.n, 0);
    ts[0] = 50;
    assert_ok(reading_put(f->db, other, ts, v, 1, &c, &f->err), f->err);
    assert_int_equal(reading_put_segments(f->db, other, &segs[0], 1, &c, &f->err), FT_CONFLICT);
    assert_ok(reading_put_segments(f->db, other, &segs[1], 1, &c, &f->err), f->err);
    assert_ok(db_check(f->db, &f->err), f->err);
    segment_clear(&segs[0]);
    segment_clear(&segs[1]);
    segment_codec_free(codec);
}

static void test_reading_put_failure_keeps_the_rest(void **state)
{
    struct db_fixture *f = *state;
    const int64_t sensor = db_fixture_sensor(f, "vib");
    static int64_t ts[1000];
    static double v[1000];
    struct reading_counts c = {0};
    struct reading_span span;
    for (int i = 0; i < 1000; i++)
        ts[i] = i;
    assert_ok(db_begin(f->db, &f->err), f->err);
    assert_ok(reading_put(f->db, sensor, ts, v, 100, &c, &f->err), f->err);
    assert_int_equal(reading_put(f->db, 99, ts, v, 1000, &c, &f->err), FT_INVALID);
    assert_int_equal(reading_put(f->db, 99, ts, v, 10, &c, &f->err), FT_INVALID);
    assert_int_equal(c.n_new, 100);
    assert_ok(db_commit(f->db, &f->err), f->err);
    assert_ok(reading_span(f->db, sensor, &span, &f->err), f->err);
    assert_int_equal(span.n, 100);
    assert_ok(db_check(f->db, &f->err), f->err);
}

/* --- readers beside a writer ---------------------------------------------------------------- */

enum { N_BATCHES = 60, BATCH_N = 700, N_READERS = 2 };

struct reader_job {
    const char *path;
    int64_t sensor;
    size_t n_scans, n_bad;
};

/* Whatever moment a scan sees, it sees whole batches without a hole. */
static void *read_on(void *ctx)
{
    struct reader_job *job = ctx;
    struct db *db = NULL;
    size_t seen = 0;
    if (db_open_reader(job->path, &db, NULL) != FT_OK) {
        job->n_bad++;
        return NULL;
    }
    while (seen < (size_t)N_BATCHES * BATCH_N && job->n_bad == 0) {
        struct readings r;
        if (reading_scan(db, job->sensor, 0, INT64_MAX, &r, NULL) != FT_OK) {
            job->n_bad++;
            break;
        }
        job->n_bad += r.n < seen || r.n % BATCH_N != 0;
        for (size_t i = 0; i < r.n; i++)
            job->n_bad += r.ts_ms[i] != (int64_t)i || r.value[i] != (double)i;
        seen = r.n;
        job->n_scans++;
        readings_free(&r);
    }
    db_close(db);
    return NULL;
}

static void test_reading_scan_beside_writer(void **state)
{
    struct db_fixture *f = *state;
    const int64_t sensor = db_fixture_sensor(f, "vib");
    struct reader_job jobs[N_READERS];
    pthread_t threads[N_READERS];
    int64_t ts[BATCH_N];
    double v[BATCH_N];
    for (int t = 0; t < N_READERS; t++) {
        jobs[t] = (struct reader_job){.path = f->path, .sensor = sensor};
        assert_int_equal(pthread_create(&threads[t], NULL, read_on, &jobs[t]), 0);
    }
    for (int64_t b = 0; b < N_BATCHES; b++) {
        struct reading_counts c = {0};
        for (int64_t i = 0; i < BATCH_N; i++) {
            ts[i] = b * BATCH_N + i;
            v[i] = (double)ts[i];
        }
        const size_t n_small = b % 2 == 0 ? 400 : 0; /* recent rows and blocks in turn */
        assert_ok(db_begin(f->db, &f->err), f->err);
        assert_ok(reading_put(f->db, sensor, ts, v, n_small, &c, &f->err), f->err);
        assert_ok(
            reading_put(f->db, sensor, ts + n_small, v + n_small, BATCH_N - n_small, &c, &f->err),
            f->err);
        assert_ok(db_commit(f->db, &f->err), f->err);
    }
    for (int t = 0; t < N_READERS; t++) {
        pthread_join(threads[t], NULL);
        assert_int_equal(jobs[t].n_bad, 0);
        assert_true(jobs[t].n_scans > 0);
    }
}

/* test_row(sensor_id, ts_ms, value): a journal row. */
static void sql_row(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    const struct reading_point p = {sqlite3_value_int64(argv[0]), sqlite3_value_int64(argv[1]),
                                    sqlite3_value_double(argv[2])};
    unsigned char *row = NULL;
    size_t len = 0;
    assert_int_equal(argc, 3);
    assert_int_equal(journal_encode(&p, 1, &row, &len, NULL), FT_OK);
    sqlite3_result_blob(ctx, row, (int)len, free);
}

/* Every kind of damage is found and named. */
static void test_db_check_finds_damage(void **state)
{
    struct db_fixture *f = *state;
    static const struct {
        const char *sql, *word;
    } rows[] = {
        {"UPDATE reading_block SET crc = crc + 1", "checksum"},
        {"UPDATE reading_block SET payload = substr(payload, 1, 20)", "checksum"},
        {"UPDATE reading_block SET max = max + 1", "checksum"},
        {"UPDATE reading_block SET n = n - 1, n_numbers = n_numbers - 1", "checksum"},
        {"UPDATE reading_block SET end_ms = end_ms + 1", "checksum"},
        {"INSERT INTO reading_block SELECT sensor_id, start_ms + 1, end_ms + 1, n, n_numbers, min, "
         "max, sum, last, crc, payload FROM reading_block LIMIT 1",
         "overlap"},
        {"INSERT INTO reading_journal VALUES (1, 1, test_row(1, 10, 1.0))", "in the journal"},
        {"INSERT INTO reading_journal VALUES (1, 1, test_row(77, 5, 1.0))", "does not exist"},
        {"INSERT INTO reading_journal VALUES (1, 1, substr(test_row(1, 5, 1.0), 2))", "journal"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const int64_t sensor = db_fixture_sensor(f, "vib");
        static int64_t ts[9000];
        static double v[9000];
        struct reading_counts c = {0};
        sqlite3 *handle;
        for (int k = 0; k < 9000; k++) {
            ts[k] = (int64_t)k * 10;
            v[k] = k % 100;
        }
        assert_ok(reading_put(f->db, sensor, ts, v, 9000, &c, &f->err), f->err);
        assert_ok(db_check(f->db, &f->err), f->err);
        db_close(f->db);
        f->db = NULL;
        assert_int_equal(sqlite3_open(f->path, &handle), SQLITE_OK);
        sqlite3_create_function(handle, "test_row", 3, SQLITE_UTF8, NULL, sql_row, NULL, NULL);
        if (sqlite3_exec(handle, rows[i].sql, NULL, NULL, NULL) != SQLITE_OK)
            fail_msg("%s: %s", rows[i].sql, sqlite3_errmsg(handle));
        sqlite3_close(handle);
        assert_ok(db_open_writer(f->path, false, &f->db, &f->err), f->err);
        f->err.msg[0] = '\0';
        if (db_check(f->db, &f->err) != FT_INVALID || strstr(f->err.msg, rows[i].word) == NULL)
            fail_msg("%s: '%s'", rows[i].sql, f->err.msg);
        db_close(f->db);
        unlink(f->path);
        assert_ok(db_open_writer(f->path, true, &f->db, &f->err), f->err);
    }
}

/* One flipped bit anywhere in a block or in its row is found; the other blocks are served, and what
 * is damaged can be set aside. */
static void test_reading_scan_around_damage(void **state)
{
    struct db_fixture *f = *state;
    const int64_t sensor = db_fixture_sensor(f, "vib");
    enum { N = 30000, N_FLIPS = 400 };
    static int64_t ts[N];
    static double v[N];
    struct reading_counts c = {0};
    struct readings r;
    int64_t n = 0;
    for (int i = 0; i < N; i++) {
        ts[i] = (int64_t)i * 10;
        v[i] = rng_normal(3, 1, (uint64_t)i);
    }
    assert_ok(reading_put(f->db, sensor, ts, v, N, &c, &f->err), f->err);
    sqlite3 *handle = f->db->handle;
    sqlite3_stmt *get;
    sqlite3_stmt *set;
    sqlite3_prepare_v2(handle, "SELECT payload FROM reading_block ORDER BY start_ms LIMIT 1", -1,
                       &get, NULL);
    sqlite3_prepare_v2(handle, "UPDATE reading_block SET payload = ? WHERE start_ms = 0", -1, &set,
                       NULL);
    assert_int_equal(sqlite3_step(get), SQLITE_ROW);
    const size_t len = (size_t)sqlite3_column_bytes(get, 0);
    unsigned char *payload = malloc(len);
    assert_non_null(payload);
    memcpy(payload, sqlite3_column_blob(get, 0), len);
    sqlite3_finalize(get);
    for (uint64_t i = 0; i < N_FLIPS; i++) {
        const size_t bit = (size_t)rng_below(8, i, 0, len * 8);
        payload[bit / 8] ^= (unsigned char)(1 << bit % 8);
        sqlite3_bind_blob(set, 1, payload, (int)len, SQLITE_STATIC);
        assert_int_equal(sqlite3_step(set), SQLITE_DONE);
        sqlite3_reset(set);
        assert_ok(reading_scan(f->db, sensor, INT64_MIN, INT64_MAX, &r, &f->err), f->err);
        assert_true(r.n_damaged > 0);
        assert_int_equal(r.n + r.n_damaged, N);
        assert_memory_equal(r.value, v + r.n_damaged, r.n * sizeof(*v));
        readings_free(&r);
        payload[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    sqlite3_finalize(set);
    free(payload);
    assert_int_equal(db_check(f->db, &f->err), FT_INVALID);
    assert_ok(reading_set_aside_damaged(f->db, &n, &f->err), f->err);
    assert_int_equal(n, 1);
    assert_ok(db_check(f->db, &f->err), f->err);
    assert_ok(reading_count_damaged(f->db, &n, &f->err), f->err);
    assert_true(n > 0 && n < N);
    /* What was lost can be sent again. */
    c = (struct reading_counts){0};
    assert_ok(reading_put(f->db, sensor, ts, v, N, &c, &f->err), f->err);
    assert_int_equal(c.n_new, n);
    assert_int_equal(c.n_unchanged, N - n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(test_reading_put_every_double),
        db_test(test_reading_put_last_wins),
        db_test(test_reading_buckets_keep_extremes),
        db_test(test_reading_buckets_narrower_than_a_millisecond),
        db_test(test_reading_put_against_map_1),
        db_test(test_reading_put_against_map_2),
        db_test(test_reading_append_against_map),
        db_test(test_reading_append_walks),
        db_test(test_reading_put_trickle_is_sealed),
        db_test(test_reading_put_identical_writes_nothing),
        db_test(test_reading_put_segments_after_only),
        db_test(test_reading_put_failure_keeps_the_rest),
        db_test(test_reading_scan_beside_writer),
        db_test(test_db_check_finds_damage),
        db_test(test_reading_scan_around_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
