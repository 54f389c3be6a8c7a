#include "tests/plan_fixture.h"

#include "app/base/json.h"
#include "app/kpi_report.h"
#include "app/work_order_json.h"

static const cJSON *figure(const cJSON *report, const char *key)
{
    const cJSON *one;
    cJSON_ArrayForEach (one, json_get(report, "items")) {
        if (strcmp(json_get(one, "key")->valuestring, key) == 0)
            return one;
    }
    fail_msg("no figure %s", key);
    return NULL;
}

static double value(const cJSON *report, const char *key)
{
    return json_get(figure(report, key), "value")->valuedouble;
}

static void failure(struct fixture *x, int64_t asset, int days_ago, double down_h, int64_t cost)
{
    struct ft_err err;
    int64_t id;
    bool is_new;
    const struct event e = {.asset_id = asset,
                            .component_id = x->seal,
                            .kind = EVENT_FAILURE,
                            .ts_ms = FIXTURE_NOW - days_ago * MS_PER_DAY,
                            .code = fx(""),
                            .downtime_ms = (int64_t)(down_h * (double)MS_PER_HOUR),
                            .cost_minor = cost,
                            .source = fx("test")};
    assert_ok(event_put(x->db, &e, &id, &is_new, &err), err);
}

static void order(struct fixture *x, const char *kind, const char *status, int latest_ago,
                  int ended_ago, double hours)
{
    struct work_order w;
    struct ft_err err;
    int64_t id;
    work_order_init(&w);
    w.title = fx("t");
    w.kind = fx(kind);
    w.status = fx(status);
    w.asset_id = x->pump[0];
    w.duration_h = hours;
    if (latest_ago != 0)
        w.due_ms = w.latest_ms = FIXTURE_NOW - latest_ago * MS_PER_DAY;
    if (ended_ago != 0) {
        w.ended_ms = FIXTURE_NOW - ended_ago * MS_PER_DAY;
        w.labour_h = hours;
        w.downtime_h = 1;
    }
    assert_ok(work_order_insert(x->db, &w, &id, &err), err);
}

/* Four pumps, 40 days: 3,840 h in service. */
static void test_kpi_report_figures(void **state)
{
    struct fixture *x = *state;
    struct ft_err err;
    cJSON *r = NULL;
    failure(x, x->pump[0], 10, 6, 500000);
    failure(x, x->pump[0], 20, 10, 700000);
    failure(x, x->pump[2], 30, 8, 900000);
    order(x, "preventive", "closed", 10, 12, 3);  /* in time */
    order(x, "preventive", "closed", 15, 11, 3);  /* late */
    order(x, "inspection", "scheduled", 5, 0, 2); /* not done; open */
    order(x, "corrective", "closed", 0, 20, 6);
    order(x, "corrective", "approved", 0, 0, 38);
    assert_ok(kpi_report_json(x->db, "40d", &r, &err), err);
    assert_close(value(r, "failures"), 3, 0);
    assert_close(value(r, "mtbf"), (3840.0 - 24) / 3, 1e-9);
    assert_close(value(r, "mttr"), 8, 1e-9);
    assert_close(value(r, "availability"), 1 - (24.0 + 2) / 3840, 1e-9);
    assert_close(value(r, "pm_compliance"), 1.0 / 3, 1e-9);
    assert_close(value(r, "backlog"), 40.0 / 80, 1e-9); /* two crews of 40 h */
    assert_close(value(r, "planned_share"), 6.0 / 12, 1e-9);
    assert_close(value(r, "cost_per_asset"), 21000.0 / 4, 1e-9);
    assert_non_null(strstr(json_get(figure(r, "mttr"), "formula")->valuestring, "/"));
    cJSON_Delete(r);
    assert_ok(kpi_report_json(x->db, "2040", &r, &err), err); /* nothing there: no figure */
    assert_true(cJSON_IsNull(json_get(figure(r, "mtbf"), "value")));
    assert_true(cJSON_IsNull(json_get(figure(r, "availability"), "value")));
    cJSON_Delete(r);
}

static void test_kpi_bad_actors(void **state)
{
    struct fixture *x = *state;
    struct ft_err err = {0};
    cJSON *r = NULL;
    failure(x, x->pump[0], 10, 6, 500000);
    failure(x, x->pump[0], 20, 10, 100000);
    failure(x, x->pump[2], 30, 8, 900000);
    failure(x, x->pump[3], 31, 1, DB_NO_MONEY); /* at C_F of a seal: 8 h x 1,000 + 3,000 */
    assert_ok(kpi_bad_actors_json(x->db, "40d", "cost", 2, &r, &err), err);
    const cJSON *first = json_get(r, "items")->child;
    assert_string_equal(json_get(first, "asset")->valuestring, "P-4");
    assert_close(json_get(first, "cost")->valuedouble, 11000, 0);
    assert_true(cJSON_IsTrue(json_get(first, "cost_estimated")));
    assert_close(json_get(first->next, "cumulated")->valuedouble, 20.0 / 26, 1e-9);
    assert_int_equal(cJSON_GetArraySize(json_get(r, "items")), 2);
    assert_int_equal(json_get(r, "total")->valuedouble, 3);
    cJSON_Delete(r);
    assert_ok(kpi_bad_actors_json(x->db, "40d", "failures", 9, &r, &err), err);
    assert_string_equal(json_get(json_get(r, "items")->child, "asset")->valuestring, "P-1");
    cJSON_Delete(r);
    assert_int_equal(kpi_bad_actors_json(x->db, "40d", "colour", 9, &r, &err), FT_INVALID);
}

static void test_kpi_period_parse(void **state)
{
    struct ft_err err;
    int64_t from;
    int64_t to;
    assert_ok(kpi_period_parse("2026-Q4", FIXTURE_NOW, &from, &to, &err), err);
    assert_int_equal(from, clock_from_local(2026, 10, 1, 0, 0, 0));
    assert_int_equal(to, clock_from_local(2027, 1, 1, 0, 0, 0));
    assert_ok(kpi_period_parse("2028-02", FIXTURE_NOW, &from, &to, &err), err);
    assert_int_equal(to - from, 29 * MS_PER_DAY);
    assert_ok(kpi_period_parse("2026", FIXTURE_NOW, &from, &to, &err), err);
    assert_int_equal(to - from, 365 * MS_PER_DAY);
    static const char *const bad[] = {"", "26", "2026-Q5", "2026-13", "yesterday", "3h", "2026-1x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(kpi_period_parse(bad[i], FIXTURE_NOW, &from, &to, &err), FT_INVALID);
}

#define plant_test(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        plant_test(test_kpi_report_figures),
        plant_test(test_kpi_bad_actors),
        plant_test(test_kpi_period_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
