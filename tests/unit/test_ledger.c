#include "tests/db_fixture.h"

#include "app/base/clock.h"
#include "app/ledger.h"
#include "db/prediction_store.h"

static struct scoring_item said(int64_t asset_id, int64_t as_of_ms, double p)
{
    return (struct scoring_item){.f = {.asset_id = asset_id, .as_of_ms = as_of_ms, .n_horizons = 1},
                                 .ledger_horizon_ms = 7 * MS_PER_DAY,
                                 .ledger_p = p};
}

static size_t n_written(struct db_fixture *f, int64_t asset_id)
{
    struct ledger_list rows = {0};
    assert_ok(ledger_list(f->db, asset_id, 100, &rows, &f->err), f->err);
    const size_t n = rows.n;
    ledger_list_free(&rows);
    return n;
}

static void record(struct db_fixture *f, struct scoring_item *items, size_t n)
{
    const struct scoring s = {.items = items, .n = n};
    assert_ok(db_begin(f->db, &f->err), f->err);
    assert_ok(ledger_record(f->db, &s, &f->err), f->err);
    assert_ok(db_commit(f->db, &f->err), f->err);
}

static void test_ledger_record_once_a_day(void **state)
{
    struct db_fixture *f = *state;
    int64_t pump = 0;
    int64_t fan = 0;
    const int64_t noon = clock_from_local(2026, 11, 20, 12, 0, 0);
    assert_ok(asset_ensure(f->db, "P-1", "pump", &pump, &f->err), f->err);
    assert_ok(asset_ensure(f->db, "F-1", "fan", &fan, &f->err), f->err);
    struct scoring_item items[] = {said(pump, noon, 0.2), said(fan, noon, 0.1)};
    record(f, items, 2);
    assert_int_equal(n_written(f, pump), 1);
    assert_int_equal(n_written(f, fan), 1);
    /* The same day again, with another word: what was said first stands. */
    items[0] = said(pump, noon + 6 * MS_PER_HOUR, 0.9);
    record(f, items, 1);
    struct ledger_list rows = {0};
    assert_ok(ledger_list(f->db, pump, 100, &rows, &f->err), f->err);
    assert_int_equal(rows.n, 1);
    assert_close(rows.items[0].p, 0.2, 0);
    assert_int_equal(rows.items[0].horizon_ms, 7 * MS_PER_DAY);
    assert_null(rows.items[0].outcome);
    ledger_list_free(&rows);
    /* The next day, and another horizon of the same day, are new. */
    items[0] = said(pump, noon + 13 * MS_PER_HOUR, 0.3);
    items[1] = said(pump, noon + 13 * MS_PER_HOUR, 0.4);
    items[1].ledger_horizon_ms = 30 * MS_PER_DAY;
    record(f, items, 2);
    assert_int_equal(n_written(f, pump), 3);
}

static void test_ledger_record_leaves_out(void **state)
{
    struct db_fixture *f = *state;
    struct asset asset = {0};
    int64_t pump = 0;
    int64_t engine = 0;
    const int64_t noon = clock_from_local(2026, 11, 20, 12, 0, 0);
    assert_ok(asset_ensure(f->db, "P-1", "pump", &pump, &f->err), f->err);
    assert_ok(asset_ensure(f->db, "E-1", "engine", &engine, &f->err), f->err);
    assert_ok(asset_get(f->db, engine, &asset, &f->err), f->err);
    asset.is_held_out = true; /* a study's */
    assert_ok(asset_update(f->db, &asset, &f->err), f->err);
    asset_clear(&asset);
    struct scoring_item items[] = {said(pump, noon, 0.2), said(pump, noon, 0.2),
                                   said(pump, noon, NAN), said(engine, noon, 0.2)};
    items[0].f.n_horizons = 0;      /* no forecast */
    items[1].ledger_horizon_ms = 0; /* nothing to settle */
    record(f, items, 4);
    assert_int_equal(n_written(f, pump), 0);
    assert_int_equal(n_written(f, engine), 0);
    /* A chance beyond 0..1 by rounding is written as what it means. */
    items[0] = said(pump, noon, 1 + 1e-12);
    record(f, items, 1);
    struct ledger_list rows = {0};
    assert_ok(ledger_list(f->db, pump, 1, &rows, &f->err), f->err);
    assert_close(rows.items[0].p, 1, 0);
    ledger_list_free(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ledger_record_once_a_day, db_fixture_open,
                                        db_fixture_close),
        cmocka_unit_test_setup_teardown(test_ledger_record_leaves_out, db_fixture_open,
                                        db_fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
