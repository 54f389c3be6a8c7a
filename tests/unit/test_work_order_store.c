#include "tests/db_fixture.h"

#include "db/work_order_store.h"

static struct work_order make(int64_t asset_id)
{
    return (struct work_order){.title = (char *)"Replace seal",
                               .kind = (char *)"predictive",
                               .status = (char *)"draft",
                               .asset_id = asset_id,
                               .due_ms = 5000,
                               .earliest_ms = DB_NO_TIME,
                               .latest_ms = DB_NO_TIME,
                               .scheduled_ms = DB_NO_TIME,
                               .started_ms = DB_NO_TIME,
                               .ended_ms = DB_NO_TIME,
                               .approved_ms = DB_NO_TIME,
                               .duration_h = 2.5,
                               .risk_by_due = NAN,
                               .expected_cost_minor = DB_NO_MONEY,
                               .waiting_minor_per_day = 1200};
}

static void test_work_order_insert_gives_keys(void **state)
{
    struct db_fixture *f = *state;
    struct work_order got;
    int64_t asset_id = 0;
    int64_t id = 0;
    assert_ok(asset_ensure(f->db, "P-7", "pump", &asset_id, &f->err), f->err);
    struct work_order w = make(asset_id);
    assert_ok(work_order_insert(f->db, &w, &id, &f->err), f->err);
    w.key = (char *)"WO-00003"; /* somebody gives the next but one by hand */
    assert_ok(work_order_insert(f->db, &w, &id, &f->err), f->err);
    assert_int_equal(work_order_insert(f->db, &w, &id, &f->err), FT_CONFLICT);
    assert_non_null(strstr(f->err.msg, "WO-00003"));
    w.key = NULL;
    w.external_key = (char *)"CMMS-9";
    assert_ok(work_order_insert(f->db, &w, &id, &f->err), f->err);
    assert_int_equal(work_order_insert(f->db, &w, &id, &f->err), FT_CONFLICT);
    assert_non_null(strstr(f->err.msg, "CMMS-9"));
    assert_ok(work_order_find(f->db, "WO-00001", &got, &f->err), f->err);
    assert_int_equal(got.version, 1);
    assert_int_equal(got.priority, 3);
    assert_int_equal(got.due_ms, 5000);
    assert_true(got.latest_ms == DB_NO_TIME && isnan(got.risk_by_due));
    assert_true(got.expected_cost_minor == DB_NO_MONEY);
    assert_int_equal(got.waiting_minor_per_day, 1200);
    assert_true(got.created_ms > 0 && got.created_ms == got.updated_ms);
    work_order_clear(&got);
    assert_ok(work_order_find(f->db, "ext:CMMS-9", &got, &f->err), f->err);
    assert_string_equal(got.key, "WO-00004");
    work_order_clear(&got);
    assert_int_equal(work_order_find(f->db, "ext:WO-00001", &got, &f->err), FT_NOT_FOUND);
    w.external_key = NULL;
    w.kind = (char *)"fancy";
    assert_int_equal(work_order_insert(f->db, &w, &id, &f->err), FT_INVALID);
    w = make(99);
    assert_int_equal(work_order_insert(f->db, &w, &id, &f->err), FT_INVALID);
}

static void test_work_order_update_version(void **state)
{
    struct db_fixture *f = *state;
    struct work_order w;
    struct work_order got;
    int64_t asset_id = 0;
    int64_t id = 0;
    assert_ok(asset_ensure(f->db, "P-7", "pump", &asset_id, &f->err), f->err);
    w = make(asset_id);
    assert_ok(work_order_insert(f->db, &w, &id, &f->err), f->err);
    assert_ok(work_order_find(f->db, "WO-00001", &w, &f->err), f->err);
    free(w.status);
    w.status = strdup("approved");
    w.risk_by_due = 0.25;
    assert_ok(work_order_update(f->db, &w, &f->err), f->err);
    assert_int_equal(work_order_update(f->db, &w, &f->err), FT_CONFLICT);
    assert_non_null(strstr(f->err.msg, "version 2"));
    assert_ok(work_order_find(f->db, "WO-00001", &got, &f->err), f->err);
    assert_string_equal(got.status, "approved");
    assert_int_equal(got.version, 2);
    assert_close(got.risk_by_due, 0.25, 0);
    work_order_clear(&got);
    w.id = 99;
    assert_int_equal(work_order_update(f->db, &w, &f->err), FT_NOT_FOUND);
    work_order_clear(&w);
}

/* draft -> approved -> scheduled keeps the first instant; a draft again has none. */
static void test_work_order_update_approved(void **state)
{
    struct db_fixture *f = *state;
    static const struct {
        const char *status;
        int64_t given, want;
    } rows[] = {{"sent", DB_NO_TIME, DB_NO_TIME}, {"approved", 4000, 4000},
                {"scheduled", DB_NO_TIME, 4000},  {"draft", DB_NO_TIME, DB_NO_TIME},
                {"scheduled", 9000, 9000},        {"done", DB_NO_TIME, 9000}};
    struct work_order w;
    int64_t asset_id = 0;
    int64_t id = 0;
    assert_ok(asset_ensure(f->db, "P-7", "pump", &asset_id, &f->err), f->err);
    w = make(asset_id);
    assert_ok(work_order_insert(f->db, &w, &id, &f->err), f->err);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_ok(work_order_find(f->db, "WO-00001", &w, &f->err), f->err);
        free(w.status);
        w.status = strdup(rows[i].status);
        w.approved_ms = rows[i].given;
        assert_ok(work_order_update(f->db, &w, &f->err), f->err);
        work_order_clear(&w);
        assert_ok(work_order_find(f->db, "WO-00001", &w, &f->err), f->err);
        assert_int_equal(w.approved_ms, rows[i].want);
        work_order_clear(&w);
    }
    w = make(asset_id);
    w.status = (char *)"approved";
    assert_ok(work_order_insert(f->db, &w, &id, &f->err), f->err);
    assert_ok(work_order_find(f->db, "WO-00002", &w, &f->err), f->err);
    assert_int_equal(w.approved_ms, w.updated_ms); /* now */
    work_order_clear(&w);
}

static void test_work_order_list_filters(void **state)
{
    struct db_fixture *f = *state;
    static const char *const statuses[] = {"draft", "done", "closed"};
    struct work_order_list list;
    int64_t asset_id = 0;
    int64_t id = 0;
    assert_ok(asset_ensure(f->db, "P-7", "pump", &asset_id, &f->err), f->err);
    for (int i = 0; i < 9; i++) {
        struct work_order w = make(asset_id);
        w.status = (char *)statuses[i % 3];
        w.kind = (char *)(i < 4 ? "predictive" : "preventive");
        w.updated_ms = 1000 + i;
        assert_ok(work_order_insert(f->db, &w, &id, &f->err), f->err);
    }
    const struct {
        struct work_order_filter filter;
        size_t n;
    } rows[] = {{{0}, 9},
                {{.status = "draft,closed"}, 6},
                {{.status = "clos"}, 0},
                {{.kind = "predictive", .status = "draft"}, 2},
                {{.changed_since_ms = 1005}, 4},
                {{.asset_id = asset_id, .limit = 4}, 4},
                {{.after_id = id - 2}, 2},
                {{.asset_id = 99}, 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_ok(work_order_list(f->db, &rows[i].filter, &list, &f->err), f->err);
        assert_int_equal(list.n, rows[i].n);
        work_order_list_free(&list);
    }
}

static void test_crew_plan_calendar(void **state)
{
    struct db_fixture *f = *state;
    struct crew_list crews;
    struct plan_list plans;
    struct calendar_list entries;
    int64_t id = 0;
    int64_t again = 0;
    int64_t class_id = 0;
    assert_ok(class_ensure(f->db, "pump", &class_id, &f->err), f->err);
    struct crew c = {
        .name = (char *)"Mech A", .hours_per_day = 8, .weekdays = 62, .rate_minor_per_h = 6500};
    assert_ok(crew_put(f->db, &c, &id, &f->err), f->err);
    c.skills = (char *)"welding";
    c.rate_minor_per_h = DB_NO_MONEY;
    assert_ok(crew_put(f->db, &c, &again, &f->err), f->err);
    assert_int_equal(id, again);
    c.weekdays = 200;
    assert_int_equal(crew_put(f->db, &c, &again, &f->err), FT_INVALID);
    assert_ok(crew_list(f->db, &crews, &f->err), f->err);
    assert_int_equal(crews.n, 1);
    assert_string_equal(crews.items[0].skills, "welding");
    assert_true(crews.items[0].rate_minor_per_h == DB_NO_MONEY);
    crew_list_free(&crews);

    struct calendar_entry e = {
        .kind = CALENDAR_CREW_AWAY, .start_ms = 100, .end_ms = 200, .crew_id = id};
    assert_ok(calendar_put(f->db, &e, &again, &f->err), f->err);
    assert_ok(calendar_list(f->db, 199, 300, &entries, &f->err), f->err);
    assert_int_equal(entries.n, 1);
    assert_int_equal(entries.items[0].kind, CALENDAR_CREW_AWAY);
    calendar_list_free(&entries);
    assert_ok(calendar_list(f->db, 200, 300, &entries, &f->err), f->err);
    assert_int_equal(entries.n, 0);
    e.id = again;
    e.end_ms = 250;
    assert_ok(calendar_put(f->db, &e, &again, &f->err), f->err);
    assert_ok(calendar_list(f->db, 200, 300, &entries, &f->err), f->err);
    assert_int_equal(entries.n, 1);
    calendar_list_free(&entries);
    e.end_ms = e.start_ms;
    assert_int_equal(calendar_put(f->db, &e, &again, &f->err), FT_INVALID);
    assert_ok(calendar_delete(f->db, e.id, &f->err), f->err);
    assert_int_equal(calendar_delete(f->db, e.id, &f->err), FT_NOT_FOUND);

    struct plan p = {.key = (char *)"PM-1",
                     .name = (char *)"Grease",
                     .class_id = class_id,
                     .action = (char *)"service",
                     .interval_ms = 1000,
                     .duration_h = 1,
                     .is_active = true};
    assert_ok(plan_put(f->db, &p, &id, &f->err), f->err);
    p.interval_ms = 2000;
    p.is_active = false;
    assert_ok(plan_put(f->db, &p, &again, &f->err), f->err);
    assert_int_equal(id, again);
    p.asset_id = 1; /* for a class or for an asset, not for both */
    assert_int_equal(plan_put(f->db, &p, &again, &f->err), FT_INVALID);
    assert_ok(plan_list(f->db, &plans, &f->err), f->err);
    assert_int_equal(plans.n, 1);
    assert_int_equal(plans.items[0].interval_ms, 2000);
    assert_false(plans.items[0].is_active);
    assert_null(plans.items[0].skill);
    plan_list_free(&plans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        db_test(test_work_order_insert_gives_keys), db_test(test_work_order_update_version),
        db_test(test_work_order_update_approved),   db_test(test_work_order_list_filters),
        db_test(test_crew_plan_calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
