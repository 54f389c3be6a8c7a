#include "tests/db_fixture.h"

#include "db/reading_store.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(test_reading_put_every_double),
        db_test(test_reading_put_last_wins),
        db_test(test_reading_buckets_keep_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
