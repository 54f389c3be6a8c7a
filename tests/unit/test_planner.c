#include "tests/plan_fixture.h"

#include "app/base/json.h"
#include "app/base/rng.h"
#include "app/planner/planner.h"
#include "app/work_order_json.h"
#include "db/integration_store.h"

static struct planner_summary plan(struct fixture *x)
{
    struct planner_summary out;
    struct ft_err err;
    assert_ok(planner_run(x->db, NULL, &out, &err), err);
    return out;
}

/* The work order of one kind at a pump; key NULL in *w when there is none. */
static void find_order(struct fixture *x, int64_t asset, const char *kind, const char *status,
                       struct work_order_list *l)
{
    const struct work_order_filter f = {.asset_id = asset, .kind = kind, .status = status};
    struct ft_err err;
    assert_ok(work_order_list(x->db, &f, l, &err), err);
}

static void sick_bearing(struct fixture *x, double p, const char *kind)
{
    struct forecast f[FIXTURE_PUMPS];
    for (size_t i = 0; i < FIXTURE_PUMPS; i++)
        f[i] = fixture_forecast(x, x->pump[i], x->bearing, i == 0 ? p : 0.01, kind);
    fixture_forecasts(x, f, FIXTURE_PUMPS, FIXTURE_NOW);
}

static size_t n_deliveries(struct fixture *x)
{
    struct delivery_list l = {0};
    struct ft_err err;
    assert_ok(delivery_list(x->db, 100, &l, &err), err);
    const size_t n = l.n;
    delivery_list_free(&l);
    return n;
}

static void test_planner_run_proposes_and_is_stable(void **state)
{
    struct fixture *x = *state;
    struct work_order_list l = {0};
    struct ft_err err;
    int64_t id;
    const struct webhook hook = {.url = fx("https://example.org/hook"),
                                 .secret = fx("whsec_AAAA"),
                                 .events = fx("work_order.proposed,work_order.changed,"
                                              "work_order.cancelled"),
                                 .is_active = true};
    assert_ok(webhook_insert(x->db, &hook, &id, &err), err);
    sick_bearing(x, 0.5, "gbdt");
    struct planner_summary s = plan(x);
    assert_int_equal(s.n_predictive, 1);
    assert_int_equal(s.n_notices, 1);
    find_order(x, x->pump[0], "predictive", NULL, &l);
    assert_int_equal(l.n, 1);
    const struct work_order *w = &l.items[0];
    assert_string_equal(w->status, "draft");
    assert_int_equal(w->component_id, x->bearing);
    assert_non_null(strstr(w->reason, "50 % chance of failure in 30 days"));
    assert_non_null(strstr(w->reason, "Vibration 2.7 times"));
    /* The spare is here on Wednesday; Friday is a stop, which saves 4,000 of downtime and costs
     * two more days at 2.3 % a day of 24,000. */
    assert_int_equal(w->due_ms, clock_from_local(2026, 11, 6, 0, 0, 0));
    assert_int_equal(w->scheduled_ms, w->due_ms);
    assert_true(w->risk_by_due > 0.05 && w->risk_by_due < 0.1);
    assert_true(w->earliest_ms <= w->due_ms && w->due_ms <= w->latest_ms);
    assert_int_not_equal(w->crew_id, 0);
    const int64_t version = w->version;
    work_order_list_free(&l);
    assert_int_equal(n_deliveries(x), 1);
    /* The seals are due in 20 days at every pump. */
    find_order(x, x->pump[1], "preventive", NULL, &l);
    assert_int_equal(l.n, 1);
    assert_int_equal(l.items[0].due_ms, clock_from_local(2026, 11, 22, 0, 0, 0));
    const int weekday = clock_to_local(l.items[0].scheduled_ms).weekday;
    assert_true(weekday >= 1 && weekday <= 5);
    work_order_list_free(&l);

    s = plan(x);
    assert_int_equal(s.n_new + s.n_changed + s.n_cancelled, 0);
    assert_int_equal(s.n_notices, 0);
    find_order(x, x->pump[0], "predictive", NULL, &l);
    assert_int_equal(l.n, 1);
    assert_int_equal(l.items[0].version, version);
    work_order_list_free(&l);
}

static void test_planner_run_hysteresis_then_cancels(void **state)
{
    struct fixture *x = *state;
    struct work_order_list l = {0};
    double opens = 0; /* lowest chance at which a case opens */
    for (double p = 0.02; p < 0.9 && opens == 0; p += 0.01) {
        sick_bearing(x, p, "gbdt");
        if (plan(x).n_predictive == 1)
            opens = p;
    }
    assert_true(opens > 0.03 && opens < 0.5);
    sick_bearing(x, 0.85 * opens, "gbdt");
    assert_int_equal(plan(x).n_predictive, 1); /* still open a little below */
    sick_bearing(x, 0.5 * opens, "gbdt");
    assert_int_equal(plan(x).n_cancelled, 1);
    find_order(x, x->pump[0], "predictive", "cancelled", &l);
    assert_int_equal(l.n, 1);
    assert_non_null(strstr(l.items[0].reason, "fell below"));
    work_order_list_free(&l);
    sick_bearing(x, 0.85 * opens, "gbdt");
    assert_int_equal(plan(x).n_predictive, 0); /* and does not open again there */
}

static void test_planner_run_leaves_approved_work(void **state)
{
    struct fixture *x = *state;
    struct work_order_list l = {0};
    struct ft_err err;
    sick_bearing(x, 0.5, "gbdt");
    plan(x);
    find_order(x, x->pump[0], "predictive", NULL, &l);
    struct work_order *w = &l.items[0];
    free(w->status);
    w->status = strdup("approved");
    w->scheduled_ms += 3 * MS_PER_DAY; /* the planner moved it to Monday */
    const int64_t day_ms = w->scheduled_ms;
    assert_ok(work_order_update(x->db, w, &err), err);
    work_order_list_free(&l);
    sick_bearing(x, 0.001, "gbdt");
    const struct planner_summary s = plan(x);
    assert_int_equal(s.n_cancelled, 0);
    find_order(x, x->pump[0], "predictive", NULL, &l);
    assert_int_equal(l.n, 1);
    assert_string_equal(l.items[0].status, "approved");
    assert_int_equal(l.items[0].scheduled_ms, day_ms);
    work_order_list_free(&l);
}

static void test_planner_run_age_only_is_no_case(void **state)
{
    struct fixture *x = *state;
    sick_bearing(x, 0.5, "weibull_age");
    assert_int_equal(plan(x).n_predictive, 0);
}

static void test_planner_run_predictive_covers_preventive(void **state)
{
    struct fixture *x = *state;
    struct work_order_list l = {0};
    sick_bearing(x, 0.01, "gbdt");
    plan(x);
    find_order(x, x->pump[0], "preventive", "draft", &l);
    assert_int_equal(l.n, 1);
    work_order_list_free(&l);
    /* Now the seal itself shows wear: its own job covers the one by calendar. */
    struct forecast f = fixture_forecast(x, x->pump[0], x->seal, 0.6, "gbdt");
    fixture_forecasts(x, &f, 1, FIXTURE_NOW);
    const struct planner_summary s = plan(x);
    assert_int_equal(s.n_predictive, 1);
    find_order(x, x->pump[0], "preventive", "cancelled", &l);
    assert_int_equal(l.n, 1);
    assert_non_null(strstr(l.items[0].reason, "Covered by the seal job of"));
    work_order_list_free(&l);
}

static void test_work_order_close_makes_the_event(void **state)
{
    struct fixture *x = *state;
    struct work_order_list l = {0};
    struct ft_err err;
    int64_t event_id;
    sick_bearing(x, 0.5, "gbdt");
    plan(x);
    find_order(x, x->pump[0], "predictive", NULL, &l);
    struct work_order_outcome o = {.outcome = "confirmed",
                                   .ended_ms = FIXTURE_NOW + MS_PER_DAY,
                                   .downtime_ms = 4 * MS_PER_HOUR,
                                   .cost_minor = DB_NO_MONEY};
    assert_ok(work_order_close(x->db, &l.items[0], &o, FIXTURE_NOW, &event_id, &err), err);
    assert_string_equal(l.items[0].status, "closed");
    struct event e = {0};
    assert_ok(event_get(x->db, event_id, &e, &err), err);
    assert_int_equal(e.kind, EVENT_REPLACEMENT);
    assert_int_equal(e.component_id, x->bearing);
    assert_int_equal(e.ts_ms, FIXTURE_NOW + MS_PER_DAY);
    event_clear(&e);
    assert_int_equal(work_order_close(x->db, &l.items[0], &o, FIXTURE_NOW, &event_id, &err),
                     FT_CONFLICT);
    work_order_list_free(&l);
    find_order(x, x->pump[0], "predictive", NULL, &l);
    assert_string_equal(l.items[0].outcome, "confirmed");
    work_order_list_free(&l);
}

static void set_lead(struct fixture *x, int64_t lead_ms)
{
    struct component_list l = {0};
    struct ft_err err;
    assert_ok(component_list(x->db, x->class_id, &l, &err), err);
    for (size_t i = 0; i < l.n; i++)
        if (l.items[i].id == x->bearing) {
            l.items[i].spare_lead_ms = lead_ms;
            assert_ok(component_update(x->db, &l.items[i], &err), err);
        }
    component_list_free(&l);
}

/* A predictive work order of the bearing, made and approved so long ago, on a day from now or none.
 * The caller ends it. */
static void approved_order(struct fixture *x, int64_t made_ms, int64_t approved_ms,
                           int64_t scheduled_ms, struct work_order *out)
{
    struct ft_err err;
    struct work_order w = {0};
    int64_t id;
    work_order_init(&w);
    w.title = fx("Replace bearing on P-1");
    w.kind = fx("predictive");
    w.status = fx("draft");
    w.asset_id = x->pump[0];
    w.component_id = x->bearing;
    w.model_id = x->model;
    w.created_ms = made_ms;
    w.scheduled_ms = scheduled_ms;
    assert_ok(work_order_insert(x->db, &w, &id, &err), err);
    const struct work_order_filter f = {.after_id = id - 1, .limit = 1};
    struct work_order_list l = {0};
    assert_ok(work_order_list(x->db, &f, &l, &err), err);
    assert_ok(work_order_copy(&l.items[0], out, &err), err);
    work_order_list_free(&l);
    assert_int_equal(out->approved_ms, DB_NO_TIME);
    free(out->status);
    out->status = strdup("approved");
    out->approved_ms = approved_ms;
    assert_ok(work_order_update(x->db, out, &err), err);
}

/* Whatever was made, approved and placed when: approved work stands on no day before its spare,
 * ordered with the approval, is here; the age of the draft does not count. */
static void test_planner_run_no_spare_before_its_lead_time(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    size_t n_moved = 0, n_kept = 0;
    sick_bearing(x, 0.5, "gbdt");
    for (uint64_t i = 0; i < 60; i++) {
        const int64_t lead_d = (int64_t)rng_below(7, 1, i, 25);
        const int64_t approved_ms = FIXTURE_NOW - (int64_t)(rng_uniform(7, 2, i) * 20 * 86400e3);
        const int64_t made_ms = approved_ms - (int64_t)(rng_uniform(7, 3, i) * 30 * 86400e3);
        const int64_t placed = (int64_t)rng_below(7, 4, i, 30);
        struct work_order w;
        struct work_order now;
        set_lead(x, lead_d * MS_PER_DAY - (int64_t)rng_below(7, 5, i, 2) * MS_PER_HOUR);
        approved_order(x, made_ms, approved_ms,
                       placed < 20 ? FIXTURE_NOW + placed * MS_PER_DAY : DB_NO_TIME, &w);
        plan(x);
        assert_ok(work_order_find(x->db, w.key, &now, &err), err);
        assert_int_equal(now.approved_ms, approved_ms);
        assert_true(now.scheduled_ms != DB_NO_TIME);
        assert_true(clock_local_day(now.scheduled_ms) >= clock_local_day(approved_ms) + lead_d);
        n_moved += w.scheduled_ms != DB_NO_TIME && now.scheduled_ms != w.scheduled_ms;
        n_kept += now.scheduled_ms == w.scheduled_ms;
        free(now.status);
        now.status = strdup("cancelled");
        assert_ok(work_order_update(x->db, &now, &err), err);
        work_order_clear(&now);
        work_order_clear(&w);
    }
    assert_true(n_moved > 5 && n_kept > 5);
}

/* Pinned work stays; a spare from behind the plan leaves work without a day, and says why. */
static void test_planner_run_spare_pinned_and_never(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    struct work_order w;
    set_lead(x, 10 * MS_PER_DAY);
    approved_order(x, FIXTURE_NOW - 30 * MS_PER_DAY, FIXTURE_NOW, FIXTURE_NOW + MS_PER_DAY, &w);
    work_order_clear(&w);
    assert_ok(work_order_find(x->db, "WO-00001", &w, &err), err);
    w.is_pinned = true;
    assert_ok(work_order_update(x->db, &w, &err), err);
    plan(x);
    assert_int_equal(w.scheduled_ms, FIXTURE_NOW + MS_PER_DAY);
    work_order_clear(&w);
    assert_ok(work_order_find(x->db, "WO-00001", &w, &err), err);
    assert_int_equal(w.scheduled_ms, FIXTURE_NOW + MS_PER_DAY);
    w.is_pinned = false;
    assert_ok(work_order_update(x->db, &w, &err), err);
    work_order_clear(&w);
    set_lead(x, 200 * MS_PER_DAY);
    assert_int_equal(plan(x).n_not_placed, 1);
}

static void test_planner_run_empty_database(void **state)
{
    struct fixture *x = *state;
    struct db *db;
    struct ft_err err;
    struct planner_summary s;
    char path[128];
    snprintf(path, sizeof(path), "%s/empty.db", x->folder);
    assert_ok(db_open_writer(path, true, &db, &err), err);
    assert_ok(planner_run(db, NULL, &s, &err), err);
    assert_int_equal(s.n_new, 0);
    db_close(db);
    unlink(path);
    snprintf(path, sizeof(path), "%s/empty.db.lock", x->folder);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_planner_run_proposes_and_is_stable, fixture_open,
                                        fixture_close),
        cmocka_unit_test_setup_teardown(test_planner_run_hysteresis_then_cancels, fixture_open,
                                        fixture_close),
        cmocka_unit_test_setup_teardown(test_planner_run_leaves_approved_work, fixture_open,
                                        fixture_close),
        cmocka_unit_test_setup_teardown(test_planner_run_age_only_is_no_case, fixture_open,
                                        fixture_close),
        cmocka_unit_test_setup_teardown(test_planner_run_predictive_covers_preventive, fixture_open,
                                        fixture_close),
        cmocka_unit_test_setup_teardown(test_work_order_close_makes_the_event, fixture_open,
                                        fixture_close),
        cmocka_unit_test_setup_teardown(test_planner_run_no_spare_before_its_lead_time,
                                        fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_planner_run_spare_pinned_and_never, fixture_open,
                                        fixture_close),
        cmocka_unit_test_setup_teardown(test_planner_run_empty_database, fixture_open,
                                        fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
