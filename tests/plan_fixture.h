/* A small plant for tests of planning and pages: one class "pump" with parts bearing and seal, four
 * pumps P-1 .. P-4, two crews, a production stop, past failures, one preventive rule. Figures are
 * round so that a reader can check them. Now is Monday 2 November 2026, 06:00 UTC. */
#ifndef TESTS_PLAN_FIXTURE_H
#define TESTS_PLAN_FIXTURE_H

#include "tests/test.h"

#include "app/base/clock.h"
#include "app/forecast.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/event_store.h"
#include "db/model_store.h"
#include "db/prediction_store.h"
#include "db/work_order_store.h"

#include <stdlib.h>
#include <unistd.h>

#define FIXTURE_NOW INT64_C(1793599200000) /* 2026-11-02T06:00:00Z */
enum { FIXTURE_PUMPS = 4 };

struct fixture {
    char folder[64], path[96];
    struct db *db;
    int64_t class_id, bearing, seal, pump[FIXTURE_PUMPS], model;
};

static inline char *fx(const char *text)
{
    return (char *)(uintptr_t)text;
}

static inline void fixture_event(struct fixture *x, int64_t asset, int64_t component,
                                 enum event_kind kind, int days_ago)
{
    struct ft_err err;
    int64_t id;
    bool is_new;
    const struct event e = {.asset_id = asset,
                            .component_id = component,
                            .kind = kind,
                            .ts_ms = FIXTURE_NOW - days_ago * MS_PER_DAY,
                            .code = fx(""),
                            .downtime_ms = DB_NO_TIME,
                            .cost_minor = DB_NO_MONEY,
                            .source = fx("test")};
    assert_ok(event_put(x->db, &e, &id, &is_new, &err), err);
}

/* A forecast of one part: p within 30 days at constant hazard, model kind given. */
static inline struct forecast fixture_forecast(const struct fixture *x, int64_t asset,
                                               int64_t component, double p_30d, const char *kind)
{
    struct forecast f = {.asset_id = asset,
                         .component_id = component,
                         .as_of_ms = FIXTURE_NOW,
                         .model_id = x->model,
                         .n_horizons = 3,
                         .rul_median = 40.0 * (double)MS_PER_DAY,
                         .rul_low = 20.0 * (double)MS_PER_DAY,
                         .rul_high = INFINITY,
                         .rul_coverage = 0.8,
                         .n_sensors = 6,
                         .data_frac = 0.97};
    static const int days[] = {7, 30, 90};
    snprintf(f.model_kind, sizeof(f.model_kind), "%s", kind);
    for (int i = 0; i < 3; i++) {
        f.horizon_ms[i] = days[i] * MS_PER_DAY;
        f.p[i] = 1 - pow(1 - p_30d, days[i] / 30.0);
        f.p_low[i] = 0.6 * f.p[i];
        f.p_high[i] = 1 - pow(1 - f.p[i], 1.5);
    }
    f.n_reasons = 1;
    snprintf(f.reasons[0].text, sizeof(f.reasons[0].text),
             "Vibration 2.7 times its own baseline, rising for 25 days");
    f.reasons[0].points = 0.2;
    return f;
}

static inline void fixture_forecasts(struct fixture *x, const struct forecast *f, size_t n,
                                     int64_t now_ms)
{
    struct ft_err err;
    struct forecast_row rows[16] = {0};
    for (size_t i = 0; i < n; i++) {
        cJSON *json = forecast_to_json(&f[i]);
        rows[i] = (struct forecast_row){.asset_id = f[i].asset_id,
                                        .component_id = f[i].component_id,
                                        .as_of_ms = f[i].as_of_ms,
                                        .scored_ms = now_ms,
                                        .model_id = x->model,
                                        .body = cJSON_PrintUnformatted(json)};
        cJSON_Delete(json);
    }
    assert_ok(db_begin(x->db, &err), err);
    assert_ok(forecast_replace(x->db, x->class_id, rows, n, now_ms, &err), err);
    assert_ok(db_commit(x->db, &err), err);
    for (size_t i = 0; i < n; i++)
        free(rows[i].body);
}

static inline void fixture_plant(struct fixture *x)
{
    struct ft_err err;
    int64_t id;
    char key[16];
    assert_ok(class_ensure(x->db, "pump", &x->class_id, &err), err);
    const struct asset_class cl = {.id = x->class_id,
                                   .name = fx("pump"),
                                   .downtime_minor_per_h = 100000,
                                   .false_alarm_minor = 45000};
    assert_ok(class_update(x->db, &cl, &err), err);
    assert_ok(component_ensure(x->db, x->class_id, "bearing", &x->bearing, &err), err);
    assert_ok(component_ensure(x->db, x->class_id, "seal", &x->seal, &err), err);
    /* Bearing: C_F = 20 h x 1,000 + 10,000 = 30,000; C_P = 4 h x 1,000 + 2,000 = 6,000. */
    const struct component bearing = {.id = x->bearing,
                                      .class_id = x->class_id,
                                      .name = fx("bearing"),
                                      .unplanned_h = 20,
                                      .planned_h = 4,
                                      .unplanned_repair_minor = 1000000,
                                      .planned_repair_minor = 200000,
                                      .spare_lead_ms = 2 * MS_PER_DAY,
                                      .skill = fx("mech")};
    assert_ok(component_update(x->db, &bearing, &err), err);
    const struct component seal = {.id = x->seal,
                                   .class_id = x->class_id,
                                   .name = fx("seal"),
                                   .unplanned_h = 8,
                                   .planned_h = 2,
                                   .unplanned_repair_minor = 300000,
                                   .planned_repair_minor = 100000,
                                   .skill = fx("mech")};
    assert_ok(component_update(x->db, &seal, &err), err);
    for (int i = 0; i < FIXTURE_PUMPS; i++) {
        snprintf(key, sizeof(key), "P-%d", i + 1);
        assert_ok(asset_ensure(x->db, key, "pump", &x->pump[i], &err), err);
        const struct asset a = {.id = x->pump[i],
                                .class_id = x->class_id,
                                .key = key,
                                .name = fx("Stock pump"),
                                .area = fx(i < 2 ? "Mill 2/Refining" : "Mill 2/PM 2"),
                                .downtime_minor_per_h = DB_NO_MONEY,
                                .commissioned_ms = FIXTURE_NOW - 1000 * MS_PER_DAY,
                                .retired_ms = DB_NO_TIME,
                                .true_rul_ms = DB_NO_TIME};
        assert_ok(asset_update(x->db, &a, &err), err);
        fixture_event(x, x->pump[i], x->bearing, EVENT_REPLACEMENT, 990);
        fixture_event(x, x->pump[i], x->bearing, EVENT_FAILURE, 500 + 60 * i);
        fixture_event(x, x->pump[i], x->bearing, EVENT_FAILURE, 100 + 20 * i);
        fixture_event(x, x->pump[i], x->seal, EVENT_REPLACEMENT, 150);
    }
    const struct crew mech = {.name = fx("Mech A"),
                              .skills = fx("mech"),
                              .hours_per_day = 8,
                              .weekdays = 62,
                              .rate_minor_per_h = DB_NO_MONEY};
    const struct crew elec = {.name = fx("Electrical"),
                              .skills = fx("elec"),
                              .hours_per_day = 8,
                              .weekdays = 62,
                              .rate_minor_per_h = DB_NO_MONEY};
    assert_ok(crew_put(x->db, &mech, &id, &err), err);
    assert_ok(crew_put(x->db, &elec, &id, &err), err);
    const struct calendar_entry stop = {.kind = CALENDAR_STOP,
                                        .start_ms = FIXTURE_NOW - 6 * MS_PER_HOUR + 4 * MS_PER_DAY,
                                        .end_ms = FIXTURE_NOW - 6 * MS_PER_HOUR + 5 * MS_PER_DAY,
                                        .note = fx("Friday stop")};
    assert_ok(calendar_put(x->db, &stop, &id, &err), err);
    const struct plan seals = {.key = fx("PM-1"),
                               .name = fx("Replace shaft seal"),
                               .class_id = x->class_id,
                               .component_id = x->seal,
                               .action = fx("replacement"),
                               .interval_ms = 170 * MS_PER_DAY,
                               .tolerance_ms = 7 * MS_PER_DAY,
                               .anchor_ms = FIXTURE_NOW - 150 * MS_PER_DAY,
                               .is_floating = true,
                               .duration_h = 2,
                               .cost_minor = 100000,
                               .skill = fx("mech"),
                               .is_active = true};
    assert_ok(plan_put(x->db, &seals, &id, &err), err);
}

static inline void fixture_model(struct fixture *x)
{
    struct ft_err err;
    const struct model_row m = {.class_id = x->class_id,
                                .target = fx("failure"),
                                .component_id = x->bearing,
                                .horizon_ms = 30 * MS_PER_DAY,
                                .kind = fx("gbdt"),
                                .state = fx("champion"),
                                .reason = fx("first"),
                                .created_ms = FIXTURE_NOW,
                                .until_ms = FIXTURE_NOW,
                                .seed = 1,
                                .build = fx("test"),
                                .fingerprint = fx("00"),
                                .params = fx("{}"),
                                .features = fx("[]"),
                                .metrics = fx("{}"),
                                .sha256 = fx("00"),
                                .body = fx("x"),
                                .body_len = 1};
    assert_ok(model_insert(x->db, &m, &x->model, &err), err);
}

static inline int fixture_open(void **state)
{
    struct ft_err err;
    struct fixture *x = calloc(1, sizeof(*x));
    if (x == NULL)
        return -1;
    setenv("FETTLE_NOW", "2026-11-02T06:00:00Z", 1);
    snprintf(x->folder, sizeof(x->folder), "/tmp/fettle-plan-XXXXXX");
    if (mkdtemp(x->folder) == NULL || clock_set_zone("UTC", &err) != FT_OK)
        return -1;
    snprintf(x->path, sizeof(x->path), "%s/plan.db", x->folder);
    assert_ok(db_open_writer(x->path, true, &x->db, &err), err);
    fixture_plant(x);
    fixture_model(x);
    *state = x;
    return 0;
}

static inline int fixture_close(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    struct fixture *x = *state;
    db_close(x->db);
    for (size_t i = 0; i < 4; i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s%s", x->path, ends[i]);
        unlink(path);
    }
    rmdir(x->folder);
    free(x);
    return 0;
}

#endif
