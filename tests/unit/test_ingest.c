#include "tests/db_fixture.h"

#include "app/base/clock.h"
#include "app/ingest/ingest.h"
#include "db/event_store.h"
#include "db/reading_store.h"

static const struct ingest_policy make = {.class_name = "pump", .source = "test"};
static const struct ingest_policy known_only = {.source = "test"};

static void test_ingest_readings_new_resent_and_changed(void **state)
{
    struct db_fixture *f = *state;
    const struct ingest_reading items[] = {{"P1", "temp", 1000, 20.5},
                                           {"P1", "vib", 1000, 1.5},
                                           {"P1", "temp", 3000, 22},
                                           {"P2", "temp", 1000, 30},
                                           {"P1", "temp", 2000, 21}};
    struct ingest_result r[5];
    assert_ok(ingest_readings(f->db, &make, items, 5, r, &f->err), f->err);
    for (size_t i = 0; i < 5; i++)
        assert_true(r[i].status == FT_OK && r[i].is_new && r[i].id > 0);
    assert_int_equal(r[0].id, r[4].id);
    assert_true(r[0].id != r[3].id);
    assert_ok(ingest_readings(f->db, &make, items, 5, r, &f->err), f->err);
    for (size_t i = 0; i < 5; i++)
        assert_false(r[i].is_new);
    const struct ingest_reading mixed[] = {{"P1", "temp", 2000, 99}, {"P1", "temp", 2500, 5}};
    assert_ok(ingest_readings(f->db, &known_only, mixed, 2, r, &f->err), f->err);
    assert_false(r[0].is_new);
    assert_true(r[1].is_new);
    struct readings back;
    assert_ok(reading_scan(f->db, r[0].id, 0, 10000, &back, &f->err), f->err);
    assert_int_equal(back.n, 4);
    assert_close(back.value[1], 99, 0);
    readings_free(&back);
}

static void test_ingest_readings_later_item_wins(void **state)
{
    struct db_fixture *f = *state;
    const struct ingest_reading items[] = {{"P1", "t", 1000, 1}, {"P1", "t", 1000, 2}};
    struct ingest_result r[2];
    struct readings back;
    assert_ok(ingest_readings(f->db, &make, items, 2, r, &f->err), f->err);
    assert_true(r[0].is_new);
    assert_false(r[1].is_new);
    assert_ok(reading_scan(f->db, r[0].id, 0, 2000, &back, &f->err), f->err);
    assert_int_equal(back.n, 1);
    assert_close(back.value[0], 2, 0);
    readings_free(&back);
}

static void test_ingest_readings_bad_items_do_not_stop_the_others(void **state)
{
    struct db_fixture *f = *state;
    char long_name[INGEST_NAME_MAX + 2];
    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    const struct ingest_reading items[] = {{"P1", "t", 1000, NAN},    {NULL, "t", 1000, 1},
                                           {"P1", "", 1000, 1},       {"P1", "t", INT64_MAX, 1},
                                           {"P\n1", "t", 1000, 1},    {"\xff", "t", 1000, 1},
                                           {long_name, "t", 1000, 1}, {"P1", "t", 1000, 7}};
    struct ingest_result r[8];
    assert_int_equal(ingest_readings(f->db, &make, items, 8, r, &f->err), FT_PARTIAL);
    assert_non_null(strstr(f->err.msg, "7 of 8"));
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(r[i].status, FT_INVALID);
        assert_true(r[i].reason[0] != '\0');
    }
    assert_true(r[7].status == FT_OK && r[7].is_new);
}

/* The limits of live doors: the clock, the number of sensors, what may be made. */
static void test_ingest_readings_limits(void **state)
{
    struct db_fixture *f = *state;
    const struct ingest_limits two = {.may_create = true, .max_future_ms = 1000, .max_sensors = 2};
    const struct ingest_limits none = {
        .may_create = false, .max_future_ms = 1000, .max_sensors = 9};
    struct ingest_policy p = {.class_name = "pump", .source = "t", .limits = &two, .now_ms = 5000};
    const struct ingest_reading items[] = {{"P1", "a", 5000, 1}, {"P1", "a", 6000, 1},
                                           {"P1", "a", 6001, 1}, {"P1", "b", 5000, 1},
                                           {"P1", "c", 5000, 1}, {"P1", "c", 5001, 1}};
    struct ingest_result r[6];
    assert_int_equal(ingest_readings(f->db, &p, items, 6, r, &f->err), FT_PARTIAL);
    assert_true(r[0].status == FT_OK && r[1].status == FT_OK && r[3].status == FT_OK);
    assert_int_equal(r[2].status, FT_INVALID);
    assert_non_null(strstr(r[2].reason, "max_future"));
    assert_int_equal(r[4].status, FT_REFUSED);
    assert_int_equal(r[5].status, FT_REFUSED);
    assert_non_null(strstr(r[4].reason, "max_sensors"));
    p.limits = &none;
    const struct ingest_reading other[] = {
        {"P1", "a", 5001, 1}, {"P1", "d", 5000, 1}, {"P2", "a", 5000, 1}};
    assert_int_equal(ingest_readings(f->db, &p, other, 3, r, &f->err), FT_PARTIAL);
    assert_int_equal(r[0].status, FT_OK);
    assert_int_equal(r[1].status, FT_NOT_FOUND);
    assert_int_equal(r[2].status, FT_NOT_FOUND);
}

static void test_ingest_readings_unknown_asset_without_class(void **state)
{
    struct db_fixture *f = *state;
    const struct ingest_reading items[] = {{"ghost", "t", 1000, 1}};
    struct ingest_result r[1];
    struct asset a = {0};
    assert_int_equal(ingest_readings(f->db, &known_only, items, 1, r, &f->err), FT_PARTIAL);
    assert_int_equal(r[0].status, FT_NOT_FOUND);
    assert_int_equal(asset_find(f->db, "ghost", &a, &f->err), FT_NOT_FOUND);
    const struct ingest_policy bad = {.class_name = "", .source = "test"};
    assert_int_equal(ingest_readings(f->db, &bad, items, 1, r, &f->err), FT_INVALID);
    assert_ok(ingest_readings(f->db, &make, NULL, 0, NULL, &f->err), f->err);
}

static void test_ingest_events_each_with_its_answer(void **state)
{
    struct db_fixture *f = *state;
    const struct ingest_event items[] = {{.asset = "P1",
                                          .kind = "failure",
                                          .component = "seal",
                                          .code = "F1",
                                          .ts_ms = 5000,
                                          .downtime_h = 1.5,
                                          .cost_minor = 12000,
                                          .external_key = "WO-1"},
                                         {.asset = "P1",
                                          .kind = "party",
                                          .ts_ms = 5000,
                                          .downtime_h = NAN,
                                          .cost_minor = DB_NO_MONEY},
                                         {.asset = "P1",
                                          .kind = "alarm",
                                          .ts_ms = 6000,
                                          .downtime_h = -1,
                                          .cost_minor = DB_NO_MONEY},
                                         {.asset = "P1",
                                          .kind = "alarm",
                                          .code = "E7",
                                          .ts_ms = 6000,
                                          .downtime_h = NAN,
                                          .cost_minor = DB_NO_MONEY},
                                         {.asset = "P1",
                                          .kind = "failure",
                                          .component = "seal",
                                          .ts_ms = 9000,
                                          .downtime_h = NAN,
                                          .cost_minor = DB_NO_MONEY,
                                          .external_key = "WO-1"}};
    struct ingest_result r[5];
    struct event e;
    assert_int_equal(ingest_events(f->db, &make, items, 5, r, &f->err), FT_PARTIAL);
    assert_true(r[0].status == FT_OK && r[0].is_new);
    assert_int_equal(r[1].status, FT_INVALID);
    assert_int_equal(r[2].status, FT_INVALID);
    assert_true(r[3].status == FT_OK && r[3].is_new);
    assert_int_equal(r[4].status, FT_CONFLICT);
    assert_ok(event_get(f->db, r[0].id, &e, &f->err), f->err);
    assert_int_equal(e.downtime_ms, 90 * MS_PER_MINUTE);
    assert_int_equal(e.cost_minor, 12000);
    assert_string_equal(e.source, "test");
    assert_true(e.component_id > 0);
    event_clear(&e);
    assert_int_equal(ingest_events(f->db, &known_only, items, 5, r, &f->err), FT_PARTIAL);
    assert_false(r[0].is_new);
    assert_false(r[3].is_new);
}

static void test_ingest_check_name_limits(void **state)
{
    struct ft_err err;
    assert_ok(ingest_check_name("asset", "P\xc3\xbcmp 1", 7, &err), err);
    assert_int_equal(ingest_check_name("asset", " P", 2, &err), FT_INVALID);
    assert_int_equal(ingest_check_name("asset", "P ", 2, &err), FT_INVALID);
    assert_int_equal(ingest_check_name("asset", "a\0b", 3, &err), FT_INVALID);
    assert_int_equal(ingest_check_name("asset", "\xc3", 1, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "asset"));
    assert_true(ingest_is_instant(0));
    assert_false(ingest_is_instant(INT64_MIN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ingest_readings_new_resent_and_changed,
                                        db_fixture_open, db_fixture_close),
        cmocka_unit_test_setup_teardown(test_ingest_readings_later_item_wins, db_fixture_open,
                                        db_fixture_close),
        cmocka_unit_test_setup_teardown(test_ingest_readings_bad_items_do_not_stop_the_others,
                                        db_fixture_open, db_fixture_close),
        cmocka_unit_test_setup_teardown(test_ingest_readings_limits, db_fixture_open,
                                        db_fixture_close),
        cmocka_unit_test_setup_teardown(test_ingest_readings_unknown_asset_without_class,
                                        db_fixture_open, db_fixture_close),
        cmocka_unit_test_setup_teardown(test_ingest_events_each_with_its_answer, db_fixture_open,
                                        db_fixture_close),
        cmocka_unit_test(test_ingest_check_name_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
