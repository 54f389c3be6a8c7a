#include "tests/db_fixture.h"

#include "app/base/clock.h"
#include "app/ingest/live.h"
#include "db/import_store.h"

#include <math.h>
#include <string.h>

enum { NOW_S = 1767225600 };
#define NOW_MS (INT64_C(1000) * NOW_S)

static struct live_options options(void)
{
    return (struct live_options){
        .mapping = {"asset", ""},
        .limits = {.may_create = true, .max_future_ms = 3600000, .max_sensors = 1000},
        .class_name = "pump",
        .may_skip_text = true};
}

static struct live *start(struct db_fixture *f, const struct live_options *o, struct live_batch **b)
{
    struct live *l = NULL;
    assert_ok(live_new(o, &l, &f->err), f->err);
    assert_ok(live_batch_new(l, b, &f->err), f->err);
    return l;
}

static void lines(struct db_fixture *f, struct live_batch *b, const char *text)
{
    assert_ok(live_add_lines(b, text, strlen(text), LP_S, NOW_MS, &f->err), f->err);
}

static void write_batch(struct db_fixture *f, struct live_batch *b)
{
    assert_ok(db_begin(f->db, &f->err), f->err);
    assert_ok(live_write(b, f->db, "/write", NOW_MS, &f->err), f->err);
    assert_ok(db_commit(f->db, &f->err), f->err);
    live_publish(b);
}

static double value_at(struct db_fixture *f, const char *asset, const char *sensor, int64_t ts_ms)
{
    struct asset a = {0};
    struct readings r = {0};
    int64_t id = 0;
    double v = NAN;
    assert_ok(asset_find(f->db, asset, &a, &f->err), f->err);
    assert_ok(sensor_find(f->db, a.id, sensor, &id, &f->err), f->err);
    assert_ok(reading_scan(f->db, id, ts_ms, ts_ms + 1, &r, &f->err), f->err);
    if (r.n == 1)
        v = r.value[0];
    readings_free(&r);
    asset_clear(&a);
    return v;
}

static void test_live_lines(void **state)
{
    struct db_fixture *f = *state;
    const struct live_options o = options();
    struct live_batch *b = NULL;
    struct live *l = start(f, &o, &b);
    struct live_stats s;
    size_t n = 0, n_all = 0;
    lines(f, b,
          "temp,asset=A value=1.5,note=\"x\" 1000\ntemp,asset=A value=2 2000\nB t=3 1000\nbad\n"
          "B t=4\n");
    assert_int_equal(live_batch_count(b), 4);
    write_batch(f, b);
    live_refusals(b, &n, &n_all);
    assert_int_equal(n_all, 1);
    assert_true(value_at(f, "A", "temp", 1000000) == 1.5);
    assert_true(value_at(f, "A", "temp", 2000000) == 2);
    assert_true(value_at(f, "B", "t", 1000000) == 3);
    assert_true(value_at(f, "B", "t", NOW_MS) == 4);
    live_stats(l, &s);
    assert_int_equal(s.n_readings, 4);
    assert_int_equal(s.n_refused, 1);
    assert_int_equal(s.n_text, 1);
    assert_int_equal(s.n_series, 2);
    /* The same again by the shared table: nothing is new. */
    live_batch_clear(b);
    lines(f, b, "temp,asset=A value=1.5 1000\nB t=5 1000\n");
    write_batch(f, b);
    live_stats(l, &s);
    assert_int_equal(s.n_unchanged, 1);
    assert_true(value_at(f, "B", "t", 1000000) == 5);
    live_batch_free(b);
    live_free(l);
}

static void test_live_lost_transaction_shares_nothing(void **state)
{
    struct db_fixture *f = *state;
    const struct live_options o = options();
    struct live_batch *b = NULL;
    struct live *l = start(f, &o, &b);
    struct live_stats s;
    size_t n = 0, n_all = 0;
    lines(f, b, "A t=1 1000\nwrong\n");
    assert_ok(db_begin(f->db, &f->err), f->err);
    assert_ok(live_write(b, f->db, "/write", NOW_MS, &f->err), f->err);
    db_rollback(f->db);
    live_stats(l, &s);
    assert_int_equal(s.n_series, 0);
    /* Somebody else takes the numbers that the lost transaction had given. */
    int64_t id = 0;
    assert_ok(asset_ensure(f->db, "other", "pump", &id, &f->err), f->err);
    assert_ok(sensor_ensure(f->db, id, "x", &id, &f->err), f->err);
    /* The same batch once more. */
    write_batch(f, b);
    assert_true(value_at(f, "A", "t", 1000000) == 1);
    live_refusals(b, &n, &n_all);
    assert_int_equal(n_all, 1);
    assert_int_equal(live_batch_count(b), 1);
    live_batch_free(b);
    live_free(l);
}

static void expect_refused(struct db_fixture *f, struct live_batch *b, const char *text,
                           const char *reason)
{
    size_t n = 0, n_all = 0;
    live_batch_clear(b);
    lines(f, b, text);
    write_batch(f, b);
    const struct live_refusal *r = live_refusals(b, &n, &n_all);
    assert_int_equal(n_all, 1);
    assert_int_equal(r[0].place, 1);
    if (strstr(r[0].reason, reason) == NULL)
        fail_msg("%s: %s", text, r[0].reason);
}

static void test_live_policy(void **state)
{
    struct db_fixture *f = *state;
    struct live_options o = options();
    struct live_batch *b = NULL;
    o.limits.max_sensors = 2;
    o.may_skip_text = false;
    struct live *l = start(f, &o, &b);
    lines(f, b, "A a=1,b=2 1000\n");
    write_batch(f, b);
    expect_refused(f, b, "A c=1 1000\n", "max_sensors");
    expect_refused(f, b, "A a=\"x\" 1000\n", "holds text");
    expect_refused(f, b, "A a=1 1767232900\n", "max_future");
    expect_refused(f, b, "A a=1 -99999999999999\n", "years");
    expect_refused(f, b, "A\x01 a=1 1000\n", "asset");
    expect_refused(f, b, "A,x a=1 1000\n", "tag=value");
    struct quarantine_list q = {0};
    assert_ok(quarantine_list(f->db, 0, 100, &q, &f->err), f->err);
    assert_int_equal(q.n, 6);
    assert_string_equal(q.items[0].file, "/write");
    quarantine_list_free(&q);
    live_batch_free(b);
    live_free(l);
    o.limits.may_create = false;
    l = start(f, &o, &b);
    expect_refused(f, b, "new a=1 1000\n", "new");
    expect_refused(f, b, "A new=1 1000\n", "no sensor");
    live_batch_free(b);
    live_free(l);
}

static void test_live_add_named(void **state)
{
    struct db_fixture *f = *state;
    const struct live_options o = options();
    struct live_batch *b = NULL;
    struct live *l = start(f, &o, &b);
    size_t n = 0, n_all = 0;
    assert_false(live_add_key(b, "k", 1, 1000, 1, 1, NOW_MS));
    assert_ok(live_add_named(b, "k", 1, "A", "s", 1000, 1, 1, NOW_MS, &f->err), f->err);
    assert_true(live_add_key(b, "k", 1, 2000, 2, 2, NOW_MS));
    assert_true(live_add_key(b, "k", 1, 3000, NAN, 3, NOW_MS));
    assert_ok(live_add(b, "A", "", 1000, 1, 4, NOW_MS, &f->err), f->err);
    assert_ok(live_add(b, "A", "s", 4000, 4, 5, NOW_MS, &f->err), f->err);
    live_refuse(b, 6, "\xff\n", 2, "no text");
    write_batch(f, b);
    const struct live_refusal *r = live_refusals(b, &n, &n_all);
    assert_int_equal(n_all, 3);
    assert_string_equal(r[2].raw, "? ");
    assert_true(value_at(f, "A", "s", 2000) == 2);
    assert_true(value_at(f, "A", "s", 4000) == 4);
    live_batch_free(b);
    live_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_live_lines, db_fixture_open, db_fixture_close),
        cmocka_unit_test_setup_teardown(test_live_lost_transaction_shares_nothing, db_fixture_open,
                                        db_fixture_close),
        cmocka_unit_test_setup_teardown(test_live_policy, db_fixture_open, db_fixture_close),
        cmocka_unit_test_setup_teardown(test_live_add_named, db_fixture_open, db_fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
