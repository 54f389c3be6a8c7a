#include "tests/db_fixture.h"

#include "app/base/clock.h"
#include "db/event_store.h"
#include "db/prediction_store.h"
#include "db/reading_store.h"

static const int64_t DAY = INT64_C(86400000);

static void replace(struct db_fixture *f, int64_t class_id, int64_t asset_id, int64_t now_ms,
                    const char *body)
{
    const struct forecast_row rows[] = {
        {.asset_id = asset_id, .as_of_ms = now_ms, .scored_ms = now_ms, .body = (char *)body}};
    assert_ok(forecast_replace(f->db, class_id, rows, 1, now_ms, &f->err), f->err);
}

static void assert_forecasts(struct db_fixture *f, const char *now, const char *previous)
{
    struct forecast_row_list list;
    assert_ok(forecast_list(f->db, 0, 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.items[0].body, now);
    forecast_row_list_free(&list);
    assert_ok(forecast_previous_list(f->db, &list, &f->err), f->err);
    assert_int_equal(list.n, previous != NULL);
    if (previous != NULL)
        assert_string_equal(list.items[0].body, previous);
    forecast_row_list_free(&list);
}

static void test_forecast_replace_keeps_yesterday(void **state)
{
    struct db_fixture *f = *state;
    int64_t asset_id = 0;
    int64_t class_id = 0;
    const int64_t noon = clock_from_local(2026, 11, 20, 12, 0, 0);
    assert_ok(asset_ensure(f->db, "P-7", "pump", &asset_id, &f->err), f->err);
    assert_ok(class_ensure(f->db, "pump", &class_id, &f->err), f->err);
    replace(f, class_id, asset_id, noon, "a");
    assert_forecasts(f, "a", NULL);
    replace(f, class_id, asset_id, noon + 3600000, "b"); /* the same day again */
    assert_forecasts(f, "b", NULL);
    replace(f, class_id, asset_id, noon + DAY, "c");
    assert_forecasts(f, "c", "b");
    replace(f, class_id, asset_id, noon + DAY + 1, "d");
    assert_forecasts(f, "d", "b");
    replace(f, class_id, asset_id, noon + 2 * DAY, "e");
    assert_forecasts(f, "e", "d");
}

static void test_forecast_replace_one_class(void **state)
{
    struct db_fixture *f = *state;
    struct forecast_row_list list;
    int64_t pump = 0;
    int64_t fan = 0;
    int64_t pumps = 0;
    int64_t fans = 0;
    int64_t seal = 0;
    assert_ok(asset_ensure(f->db, "P-7", "pump", &pump, &f->err), f->err);
    assert_ok(asset_ensure(f->db, "F-1", "fan", &fan, &f->err), f->err);
    assert_ok(class_ensure(f->db, "pump", &pumps, &f->err), f->err);
    assert_ok(class_ensure(f->db, "fan", &fans, &f->err), f->err);
    assert_ok(component_ensure(f->db, pumps, "seal", &seal, &f->err), f->err);
    const struct forecast_row rows[] = {
        {.asset_id = pump, .component_id = seal, .body = (char *)"seal"},
        {.asset_id = pump, .body = (char *)"pump"}};
    assert_ok(forecast_replace(f->db, pumps, rows, 2, DAY, &f->err), f->err);
    replace(f, fans, fan, DAY, "fan");
    assert_ok(forecast_list(f->db, 0, 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 3);
    assert_string_equal(list.items[0].body, "pump");
    assert_string_equal(list.items[1].body, "seal");
    assert_string_equal(list.items[2].body, "fan");
    forecast_row_list_free(&list);
    assert_ok(forecast_list(f->db, fans, 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 1);
    forecast_row_list_free(&list);
    assert_ok(forecast_list(f->db, 0, pump, &list, &f->err), f->err);
    assert_int_equal(list.n, 2);
    forecast_row_list_free(&list);
    /* A bad row leaves the old ones as they were. */
    const struct forecast_row twice[] = {{.asset_id = fan, .body = (char *)"1"},
                                         {.asset_id = fan, .body = (char *)"2"}};
    assert_int_equal(forecast_replace(f->db, fans, twice, 2, DAY, &f->err), FT_CONFLICT);
    assert_ok(forecast_list(f->db, fans, 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.items[0].body, "fan");
    forecast_row_list_free(&list);
}

static void put_event(struct db_fixture *f, int64_t asset_id, int64_t component_id,
                      enum event_kind kind, int64_t ts_ms)
{
    int64_t id;
    bool is_new;
    const struct event e = {.asset_id = asset_id,
                            .component_id = component_id,
                            .kind = kind,
                            .ts_ms = ts_ms,
                            .downtime_ms = DB_NO_TIME,
                            .cost_minor = DB_NO_MONEY};
    assert_ok(event_put(f->db, &e, &id, &is_new, &f->err), f->err);
}

/* Settles one prediction made at 10 d with a horizon of 10 d about an asset of its own. */
struct ledger_case {
    const char *what;
    bool is_of_part;       /* about the seal, not about the asset */
    double failure_d;      /* 0 = none */
    bool failure_is_part;  /* of the seal */
    bool failure_is_other; /* of another part */
    double replacement_d;  /* 0 = none */
    bool replacement_is_part;
    double data_end_d; /* newest reading; 0 = no sensor */
    double retired_d;  /* 0 = in service */
    const char *outcome;
};

static void run_ledger_case(struct db_fixture *f, const struct ledger_case *c, int64_t class_id,
                            int64_t seal, int64_t other)
{
    const double d = (double)DAY;
    struct asset a;
    struct ledger_list list;
    int64_t asset_id = 0;
    int64_t sensor_id = 0;
    size_t n = 0;
    (void)class_id;
    assert_ok(asset_ensure(f->db, c->what, "pump", &asset_id, &f->err), f->err);
    if (c->retired_d > 0) {
        assert_ok(asset_get(f->db, asset_id, &a, &f->err), f->err);
        a.retired_ms = (int64_t)(c->retired_d * d);
        assert_ok(asset_update(f->db, &a, &f->err), f->err);
        asset_clear(&a);
    }
    if (c->data_end_d > 0) {
        const int64_t ts = (int64_t)(c->data_end_d * d);
        const double v = 1;
        struct reading_counts counts = {0};
        assert_ok(sensor_ensure(f->db, asset_id, "vib", &sensor_id, &f->err), f->err);
        assert_ok(reading_put(f->db, sensor_id, &ts, &v, 1, &counts, &f->err), f->err);
    }
    if (c->failure_d > 0)
        put_event(f, asset_id,
                  c->failure_is_part    ? seal
                  : c->failure_is_other ? other
                                        : 0,
                  EVENT_FAILURE, (int64_t)(c->failure_d * d));
    if (c->replacement_d > 0)
        put_event(f, asset_id, c->replacement_is_part ? seal : 0, EVENT_REPLACEMENT,
                  (int64_t)(c->replacement_d * d));
    struct ledger_row row = {.asset_id = asset_id,
                             .component_id = c->is_of_part ? seal : 0,
                             .as_of_ms = 10 * DAY,
                             .horizon_ms = 10 * DAY,
                             .p = 0.25};
    assert_ok(ledger_put(f->db, &row, &f->err), f->err);
    row.p = 0.75;
    assert_ok(ledger_put(f->db, &row, &f->err), f->err); /* the first stays */
    assert_ok(ledger_settle(f->db, 20 * DAY - 1, &n, &f->err), f->err);
    assert_int_equal(n, 0);
    assert_ok(ledger_settle(f->db, 20 * DAY, &n, &f->err), f->err);
    assert_int_equal(n, 1);
    assert_ok(ledger_list(f->db, asset_id, 0, &list, &f->err), f->err);
    assert_int_equal(list.n, 1);
    assert_close(list.items[0].p, 0.25, 0);
    if (strcmp(list.items[0].outcome, c->outcome) != 0)
        fail_msg("%s: %s, want %s", c->what, list.items[0].outcome, c->outcome);
    assert_int_equal(list.items[0].decided_ms, 20 * DAY);
    ledger_list_free(&list);
}

static void test_ledger_settle_outcomes(void **state)
{
    struct db_fixture *f = *state;
    static const struct ledger_case cases[] = {
        {.what = "nothing happened", .data_end_d = 20, .outcome = "survived"},
        {.what = "a little late data", .data_end_d = 19.6, .outcome = "survived"},
        {.what = "data ended", .data_end_d = 19.4, .outcome = "censored"},
        {.what = "retired", .data_end_d = 20, .retired_d = 15, .outcome = "censored"},
        {.what = "failed", .failure_d = 15, .data_end_d = 15, .outcome = "failed"},
        {.what = "failed at as-of", .failure_d = 10, .data_end_d = 20, .outcome = "survived"},
        {.what = "failed at the end", .failure_d = 20, .data_end_d = 20, .outcome = "failed"},
        {.what = "failed after", .failure_d = 20.5, .data_end_d = 21, .outcome = "survived"},
        {.what = "any part fails", .failure_d = 15, .failure_is_other = true, .outcome = "failed"},
        {.what = "replaced first", .failure_d = 15, .replacement_d = 12, .outcome = "censored"},
        {.what = "replaced with it", .failure_d = 15, .replacement_d = 15, .outcome = "failed"},
        {.what = "replaced", .replacement_d = 15, .data_end_d = 20, .outcome = "censored"},
        {.what = "a part replaced",
         .replacement_d = 15,
         .replacement_is_part = true,
         .data_end_d = 20,
         .outcome = "survived"},
        {.what = "part: failed",
         .is_of_part = true,
         .failure_d = 15,
         .failure_is_part = true,
         .data_end_d = 20,
         .outcome = "failed"},
        {.what = "part: another failed",
         .is_of_part = true,
         .failure_d = 15,
         .failure_is_other = true,
         .data_end_d = 20,
         .outcome = "survived"},
        {.what = "part: replaced",
         .is_of_part = true,
         .replacement_d = 15,
         .replacement_is_part = true,
         .data_end_d = 20,
         .outcome = "censored"},
        {.what = "part: whole asset replaced",
         .is_of_part = true,
         .replacement_d = 15,
         .data_end_d = 20,
         .outcome = "censored"},
        {.what = "no sensor, but the store goes on", .outcome = "survived"},
    };
    int64_t class_id = 0;
    int64_t seal = 0;
    int64_t other = 0;
    assert_ok(class_ensure(f->db, "pump", &class_id, &f->err), f->err);
    assert_ok(component_ensure(f->db, class_id, "seal", &seal, &f->err), f->err);
    assert_ok(component_ensure(f->db, class_id, "bearing", &other, &f->err), f->err);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        run_ledger_case(f, &cases[i], class_id, seal, other);
    size_t n = 0;
    assert_ok(ledger_settle(f->db, 99 * DAY, &n, &f->err), f->err); /* decided rows stay */
    assert_int_equal(n, 0);
    struct ledger_list list;
    assert_ok(ledger_list(f->db, 0, 5, &list, &f->err), f->err);
    assert_int_equal(list.n, 5);
    ledger_list_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(test_forecast_replace_keeps_yesterday),
        db_test(test_forecast_replace_one_class),
        db_test(test_ledger_settle_outcomes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
