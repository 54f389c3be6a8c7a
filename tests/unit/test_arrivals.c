#include "tests/db_fixture.h"

#include "app/base/clock.h"
#include "app/ingest/arrivals.h"
#include "db/asset_store.h"

static int64_t make_sensor(struct db_fixture *f, const char *name)
{
    int64_t asset_id = 0;
    int64_t id = 0;
    assert_ok(asset_ensure(f->db, "A", "c", &asset_id, &f->err), f->err);
    assert_ok(sensor_ensure(f->db, asset_id, name, &id, &f->err), f->err);
    return id;
}

static void expect(struct db_fixture *f, int64_t sensor_id, int64_t n, int64_t n_repeated,
                   int64_t n_changed, int64_t n_late)
{
    struct sensor_arrival got;
    assert_ok(sensor_arrival_get(f->db, sensor_id, &got, &f->err), f->err);
    assert_int_equal(got.n, n);
    assert_int_equal(got.n_repeated, n_repeated);
    assert_int_equal(got.n_changed, n_changed);
    assert_int_equal(got.n_late, n_late);
}

static void test_arrivals_note_and_flush(void **state)
{
    struct db_fixture *f = *state;
    struct arrivals *a;
    const int64_t x = make_sensor(f, "x");
    const int64_t y = make_sensor(f, "y");
    const struct reading_point p[] = {{x, 10, 1}, {y, 50, 1}, {x, 30, 1}, {x, 20, 1},
                                      {x, 30, 2}, {y, 50, 1}, {y, 60, 1}, {x, 40, 1}};
    const unsigned char outcome[] = {READING_NEW,     READING_NEW,       READING_NEW, READING_NEW,
                                     READING_CHANGED, READING_UNCHANGED, READING_NEW, READING_NEW};
    assert_ok(arrivals_new(&a, &f->err), f->err);
    assert_ok(arrivals_flush(a, f->db, 1000, &f->err), f->err);
    arrivals_note(a, p, outcome, 8);
    assert_ok(arrivals_flush(a, f->db, 2000, &f->err), f->err);
    expect(f, x, 0, 0, 0, 0); /* not yet a minute */
    assert_ok(arrivals_flush(a, f->db, 1000 + MS_PER_MINUTE, &f->err), f->err);
    expect(f, x, 5, 0, 1, 1);
    expect(f, y, 3, 1, 0, 0);
    arrivals_note(a, p, outcome, 1); /* 10 is older than 40 */
    assert_ok(arrivals_flush(a, f->db, 1000 + 3 * MS_PER_MINUTE, &f->err), f->err);
    expect(f, x, 6, 0, 1, 2);
    expect(f, y, 3, 1, 0, 0);
    arrivals_free(a);
}

/* Far more sensors than the table begins with: each is counted once, over several calls. */
static void test_arrivals_flush_of_many_sensors(void **state)
{
    enum { MANY = 2500 };
    struct db_fixture *f = *state;
    struct arrivals *a;
    static int64_t id[MANY];
    const unsigned char outcome = READING_NEW;
    assert_ok(arrivals_new(&a, &f->err), f->err);
    assert_ok(arrivals_flush(a, f->db, 1, &f->err), f->err);
    for (int i = 0; i < MANY; i++) {
        char name[20];
        snprintf(name, sizeof(name), "s%d", i);
        id[i] = make_sensor(f, name);
        const struct reading_point p = {id[i], 5, 1};
        arrivals_note(a, &p, &outcome, 1);
    }
    for (int call = 0; call < 3; call++)
        assert_ok(arrivals_flush(a, f->db, 2 * MS_PER_MINUTE, &f->err), f->err);
    for (int i = 0; i < MANY; i++)
        expect(f, id[i], 1, 0, 0, 0);
    arrivals_free(a);
    arrivals_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_arrivals_note_and_flush, db_fixture_open,
                                        db_fixture_close),
        cmocka_unit_test_setup_teardown(test_arrivals_flush_of_many_sensors, db_fixture_open,
                                        db_fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
