#include "tests/db_fixture.h"

#include "app/retention.h"
#include "db/reading_store.h"

#define DAY INT64_C(86400000)

/* Every sensor has its turn, what lies in the journal included. */
static void test_retention_step_takes_all_sensors(void **state)
{
    struct db_fixture *f = *state;
    struct retention r = {.drop_after_ms = DAY, .now_ms = 10 * DAY};
    struct reading_counts counts = {0};
    int n_steps = 0;
    for (int i = 0; i < 3; i++) {
        const char *const names[] = {"a", "b", "c"};
        const int64_t sensor = db_fixture_sensor(f, names[i]);
        const int64_t ts[] = {1000, 2000, 10 * DAY - 1000};
        const double v[] = {1, 2, 3};
        assert_ok(reading_put(f->db, sensor, ts, v, 3, &counts, &f->err), f->err);
    }
    for (; !r.is_done; n_steps++)
        assert_ok(retention_step(f->db, &r, &f->err), f->err);
    assert_int_equal(n_steps, 4);
    assert_int_equal(r.n_sensors, 3);
    assert_int_equal(r.counts.n_hours, 3);
    assert_int_equal(r.counts.n_dropped, 6);
    int64_t n = 0;
    assert_ok(reading_count(f->db, &n, &f->err), f->err);
    assert_int_equal(n, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {db_test(test_retention_step_takes_all_sensors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
