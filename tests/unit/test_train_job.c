#include "tests/test.h"

#include "app/base/clock.h"
#include "app/base/hash.h"
#include "app/base/json.h"
#include "app/base/rng.h"
#include "app/evaluate.h"
#include "app/registry.h"
#include "app/scoring.h"
#include "app/train_job.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/event_store.h"
#include "db/model_store.h"
#include "db/prediction_store.h"
#include "db/reading_store.h"
#include "db/run_store.h"

#include <stdlib.h>
#include <unistd.h>

enum { N_ASSETS = 12, N_DAYS = 150, N_UNITS = 14 };

struct fixture {
    char folder[64], path[96];
    struct db *db;
};

static char *text(const char *t)
{
    return (char *)(uintptr_t)t;
}

static void put_event(struct db *db, int64_t asset, int64_t component, enum event_kind kind,
                      int64_t ts_ms)
{
    struct ft_err err;
    int64_t id;
    bool is_new;
    const struct event e = {.asset_id = asset,
                            .component_id = component,
                            .kind = kind,
                            .ts_ms = ts_ms,
                            .code = text(""),
                            .downtime_ms = DB_NO_TIME,
                            .cost_minor = DB_NO_MONEY,
                            .source = text("test")};
    assert_ok(event_put(db, &e, &id, &is_new, &err), err);
}

/* Pumps whose bearing fails every 15 to 45 days; vibration rises over the last six days. The motor
 * fails three times without a sign. */
static void put_pump(struct db *db, size_t a, int64_t bearing, int64_t motor)
{
    enum { N = N_DAYS * 6 }; /* a reading every four hours */
    static int64_t ts[N];
    static double vibration[N], temperature[N];
    struct ft_err err;
    struct reading_counts counts = {0};
    char key[32];
    int64_t asset;
    int64_t sensor;
    (void)snprintf(key, sizeof(key), "P-%02zu", a);
    assert_ok(asset_ensure(db, key, "pump", &asset, &err), err);
    double fails_d = 15 + 30 * rng_uniform(1, a, 0);
    uint64_t life = 1;
    for (size_t k = 0; k < N; k++) {
        const double day = (double)k / 6;
        if (day >= fails_d) {
            put_event(db, asset, bearing, EVENT_FAILURE, (int64_t)(fails_d * (double)MS_PER_DAY));
            fails_d += 15 + 30 * rng_uniform(1, a, life++);
        }
        const double sign = fmax(0, 1 - (fails_d - day) / 6);
        ts[k] = (int64_t)k * 4 * MS_PER_HOUR;
        vibration[k] = 2 + 3 * sign + 0.2 * rng_normal(2, a, k);
        temperature[k] = 40 + rng_normal(3, a, k);
    }
    assert_ok(sensor_ensure(db, asset, "vibration_mm_s", &sensor, &err), err);
    assert_ok(reading_put(db, sensor, ts, vibration, N, &counts, &err), err);
    assert_ok(sensor_ensure(db, asset, "temp_degc", &sensor, &err), err);
    assert_ok(reading_put(db, sensor, ts, temperature, N, &counts, &err), err);
    if (a < 4)
        put_event(db, asset, motor, EVENT_FAILURE, (int64_t)(20 + 25 * a) * MS_PER_DAY);
}

/* Engines that run to failure; one channel drifts with wear. The last two are held out. */
static void put_engine(struct db *db, size_t u)
{
    struct ft_err err;
    struct reading_counts counts = {0};
    struct asset row;
    char key[32];
    int64_t asset;
    int64_t sensor;
    int64_t ts[300];
    double drift[300];
    const size_t life = 80 + rng_below(4, u, 0, 80);
    const bool is_held_out = u + 2 >= N_UNITS;
    const size_t n = is_held_out ? life - 20 : life;
    (void)snprintf(key, sizeof(key), "U-%02zu", u);
    assert_ok(asset_ensure(db, key, "engine", &asset, &err), err);
    for (size_t k = 0; k < n; k++) {
        const double left = (double)(life - k);
        ts[k] = (int64_t)k * MS_PER_DAY;
        drift[k] = 5 * exp(-left / 30) + 0.1 * rng_normal(5, u, k);
    }
    assert_ok(sensor_ensure(db, asset, "drift", &sensor, &err), err);
    assert_ok(reading_put(db, sensor, ts, drift, n, &counts, &err), err);
    if (!is_held_out) {
        put_event(db, asset, 0, EVENT_FAILURE, (int64_t)life * MS_PER_DAY);
        return;
    }
    assert_ok(asset_get(db, asset, &row, &err), err);
    row.is_held_out = true;
    row.true_rul_ms = 21 * MS_PER_DAY;
    assert_ok(asset_update(db, &row, &err), err);
    asset_clear(&row);
}

static int set_up(void **state)
{
    struct fixture *x = calloc(1, sizeof(*x));
    struct ft_err err;
    int64_t id;
    int64_t bearing;
    int64_t motor;
    (void)snprintf(x->folder, sizeof(x->folder), "/tmp/fettle-train-XXXXXX");
    assert_non_null(mkdtemp(x->folder));
    (void)snprintf(x->path, sizeof(x->path), "%s/t.db", x->folder);
    assert_ok(db_open_writer(x->path, true, &x->db, &err), err);
    assert_ok(db_begin(x->db, &err), err);
    assert_ok(class_ensure(x->db, "pump", &id, &err), err);
    assert_ok(component_ensure(x->db, id, "bearing", &bearing, &err), err);
    assert_ok(component_ensure(x->db, id, "motor", &motor, &err), err);
    for (size_t a = 0; a < N_ASSETS; a++)
        put_pump(x->db, a, bearing, motor);
    assert_ok(class_ensure(x->db, "engine", &id, &err), err);
    struct asset_class cls;
    assert_ok(class_find(x->db, "engine", &cls, &err), err);
    cls.cycle_ms = MS_PER_DAY;
    assert_ok(class_update(x->db, &cls, &err), err);
    asset_class_clear(&cls);
    for (size_t u = 0; u < N_UNITS; u++)
        put_engine(x->db, u);
    assert_ok(db_commit(x->db, &err), err);
    *state = x;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *x = *state;
    char command[128];
    db_close(x->db);
    (void)snprintf(command, sizeof(command), "rm -rf %s", x->folder);
    const int code = system(command);
    free(x);
    return code;
}

static struct train_options pump_options(void)
{
    return (struct train_options){.class_name = "pump",
                                  .component = "all",
                                  .horizon_ms = 3 * MS_PER_DAY,
                                  .folds = 3,
                                  .until_ms = DB_NO_TIME,
                                  .seed = 7};
}

static struct train_result *train(struct db *db, const struct train_options *o, size_t n_threads)
{
    struct train_result *r;
    struct pool *pool;
    struct ft_err err;
    assert_ok(pool_new(n_threads, &pool, &err), err);
    assert_ok(train_job_run(db, o, pool, NULL, NULL, NULL, &r, &err), err);
    pool_free(pool);
    return r;
}

/* The same data and seed give the same bytes on 1, 2 and 7 threads. */
static void test_train_job_run_same_bytes_for_any_threads(void **state)
{
    struct fixture *x = *state;
    struct train_options o = pump_options();
    struct train_options rul = {
        .class_name = "engine", .is_rul = true, .folds = 3, .until_ms = DB_NO_TIME, .seed = 7};
    for (size_t pass = 0; pass < 2; pass++) {
        const struct train_options *options = pass == 0 ? &o : &rul;
        struct train_result *one = train(x->db, options, 1);
        assert_true(one->n_models >= 2);
        for (size_t n = 2; n <= 7; n += 5) {
            struct train_result *many = train(x->db, options, n);
            assert_int_equal(many->n_models, one->n_models);
            for (size_t i = 0; i < one->n_models; i++) {
                assert_int_equal(many->models[i].body_len, one->models[i].body_len);
                assert_memory_equal(many->models[i].body, one->models[i].body,
                                    one->models[i].body_len);
                assert_string_equal(many->models[i].metrics, one->models[i].metrics);
                assert_int_equal(many->models[i].is_champion, one->models[i].is_champion);
            }
            train_result_free(many);
        }
        train_result_free(one);
    }
}

static const struct train_model *model_of(const struct train_result *r, int64_t component,
                                          const char *kind)
{
    for (size_t i = 0; i < r->n_models; i++)
        if (r->models[i].component_id == component && strcmp(r->models[i].kind, kind) == 0)
            return &r->models[i];
    return NULL;
}

/* The bearing's sign is seen; the motor fails at any age without one: kept off, with a reason. */
static void test_train_job_run_verdicts(void **state)
{
    struct fixture *x = *state;
    const struct train_options o = pump_options();
    struct train_result *r = train(x->db, &o, 2);
    bool has_bearing = false;
    for (size_t i = 0; i < r->n_models; i++) {
        const struct train_model *m = &r->models[i];
        assert_true(strlen(m->reason) > 20);
        if (m->component_id == 1)
            has_bearing = has_bearing || m->is_champion;
        else
            assert_false(m->is_champion);
    }
    assert_true(has_bearing);
    assert_non_null(model_of(r, 1, "gbdt"));
    assert_non_null(model_of(r, 1, "hazard_logit"));
    const cJSON *folds = json_get(r->report, "folds");
    assert_true(cJSON_IsFalse(json_get(folds, "share_assets")));
    assert_true(json_get(r->report, "cores_used") != NULL);
    train_result_free(r);
}

/* One component trained alone gives the model that training all gives. */
static void test_train_job_run_forward_in_time(void **state)
{
    struct fixture *x = *state;
    struct train_options o = pump_options();
    o.is_by_time = true;
    struct train_result *r = train(x->db, &o, 2);
    const cJSON *folds = json_get(r->report, "folds");
    assert_string_equal(json_get(folds, "by")->valuestring, "time");
    assert_true(json_get(folds, "embargo_s")->valuedouble >= 3 * 86400);
    train_result_free(r);
    struct train_result *none;
    struct pool *pool;
    struct ft_err err;
    o.is_rul = true;
    assert_ok(pool_new(1, &pool, &err), err);
    assert_int_equal(train_job_run(x->db, &o, pool, NULL, NULL, NULL, &none, &err), FT_INVALID);
    pool_free(pool);
}

static void test_train_job_run_component_alone(void **state)
{
    struct fixture *x = *state;
    struct train_options o = pump_options();
    struct train_result *all = train(x->db, &o, 2);
    o.component = "bearing";
    struct train_result *one = train(x->db, &o, 2);
    const struct train_model *a = model_of(all, 1, "gbdt");
    const struct train_model *b = model_of(one, 1, "gbdt");
    assert_string_equal(a->sha256, b->sha256);
    train_result_free(all);
    train_result_free(one);
}

static void test_train_job_run_refuses(void **state)
{
    struct fixture *x = *state;
    struct pool *pool;
    struct train_result *r;
    struct ft_err err;
    struct train_options o = pump_options();
    assert_ok(pool_new(1, &pool, &err), err);
    o.class_name = "ship";
    assert_int_equal(train_job_run(x->db, &o, pool, NULL, NULL, NULL, &r, &err), FT_NOT_FOUND);
    o.class_name = "pump";
    o.component = "wing";
    assert_int_equal(train_job_run(x->db, &o, pool, NULL, NULL, NULL, &r, &err), FT_NOT_FOUND);
    o.component = NULL;
    o.horizon_ms = 0;
    assert_int_equal(train_job_run(x->db, &o, pool, NULL, NULL, NULL, &r, &err), FT_INVALID);
    o.is_rul = true; /* pumps are repaired, none runs to failure */
    assert_int_equal(train_job_run(x->db, &o, pool, NULL, NULL, NULL, &r, &err), FT_TOO_FEW);
    assert_null(r);
    pool_free(pool);
}

static void test_train_result_json_round_trip(void **state)
{
    struct fixture *x = *state;
    const struct train_options o = pump_options();
    struct train_result *r = train(x->db, &o, 2);
    struct train_result *again;
    struct ft_err err;
    cJSON *json = train_result_to_json(r);
    assert_ok(train_result_from_json(json, &again, &err), err);
    assert_int_equal(again->n_models, r->n_models);
    for (size_t i = 0; i < r->n_models; i++) {
        assert_string_equal(again->models[i].body, r->models[i].body);
        assert_string_equal(again->models[i].reason, r->models[i].reason);
    }
    train_result_free(again);
    /* A model file that was changed on the way is refused. */
    cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, "models"), 0);
    cJSON_ReplaceItemInObjectCaseSensitive(first, "body", cJSON_CreateString("x"));
    assert_int_equal(train_result_from_json(json, &again, &err), FT_INVALID);
    cJSON_Delete(json);
    train_result_free(r);
}

static void store(struct db *db, struct train_result *r, enum registry_policy policy,
                  struct registry_counts *counts)
{
    struct ft_err err;
    assert_ok(db_begin(db, &err), err);
    assert_ok(registry_apply(db, r, 0, policy, 1000, counts, &err), err);
    assert_ok(db_commit(db, &err), err);
}

static void double_baseline(struct train_model *m)
{
    cJSON *metrics = cJSON_Parse(m->metrics);
    cJSON *loss = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(metrics, "baseline"), "log_loss");
    assert_non_null(loss);
    cJSON_SetNumberValue(loss, 2.2 * loss->valuedouble);
    free(m->metrics);
    m->metrics = cJSON_PrintUnformatted(metrics);
    cJSON_Delete(metrics);
}

static void test_registry_apply_keeps_the_better(void **state)
{
    struct fixture *x = *state;
    const struct train_options o = pump_options();
    struct registry_counts counts = {0};
    struct model_row champion;
    struct ft_err err;
    struct train_result *r = train(x->db, &o, 2);
    store(x->db, r, REGISTRY_TRAIN, &counts);
    assert_int_equal(counts.n_promoted, 1);
    assert_ok(model_champion(x->db, r->class_id, "failure", 1, o.horizon_ms, &champion, &err), err);
    const int64_t first_id = champion.id;
    model_clear(&champion);
    /* The same night again changes nothing. */
    counts = (struct registry_counts){0};
    store(x->db, r, REGISTRY_NIGHT, &counts);
    assert_int_equal(counts.n_promoted + counts.n_kept, 0 + 0);
    /* A worse challenger with another file is stored, not promoted. */
    for (size_t i = 0; i < r->n_models; i++)
        if (r->models[i].is_champion) {
            r->models[i].score *= 2;
            r->models[i].sha256[0] = r->models[i].sha256[0] == 'a' ? 'b' : 'a';
        }
    counts = (struct registry_counts){0};
    store(x->db, r, REGISTRY_NIGHT, &counts);
    assert_int_equal(counts.n_promoted, 0);
    assert_int_equal(counts.n_kept, 1);
    assert_ok(model_champion(x->db, r->class_id, "failure", 1, o.horizon_ms, &champion, &err), err);
    assert_int_equal(champion.id, first_id);
    model_clear(&champion);
    /* The same loss in a month that is twice as hard for age alone too: no worse, it replaces. */
    for (size_t i = 0; i < r->n_models; i++)
        if (r->models[i].is_champion)
            double_baseline(&r->models[i]);
    counts = (struct registry_counts){0};
    store(x->db, r, REGISTRY_NIGHT, &counts);
    assert_int_equal(counts.n_promoted, 1);
    train_result_free(r);
}

static void check_forecast(const struct forecast *f)
{
    double sum = f->base_points;
    if (f->n_horizons == 0) {
        assert_true(strlen(f->spoke) > 0);
        return;
    }
    for (size_t k = 0; k < f->n_horizons; k++) {
        assert_true(f->p[k] >= 0 && f->p[k] <= 1);
        assert_true(k == 0 || (f->p[k] >= f->p[k - 1] && f->horizon_ms[k] > f->horizon_ms[k - 1]));
        assert_true(isnan(f->p_low[k]) ||
                    (f->p_low[k] <= f->p[k] + 1e-9 && f->p_high[k] >= f->p[k] - 1e-9));
    }
    for (size_t i = 0; i < f->n_reasons; i++)
        sum += f->reasons[i].points;
    assert_true(sum > -1e-6 && sum < 1 + 1e-6);
    assert_true(f->n_reasons > 0);
}

static void test_scoring_class_and_write(void **state)
{
    struct fixture *x = *state;
    const struct train_options o = pump_options();
    struct scoring s;
    struct pool *pool;
    struct ft_err err;
    struct train_result *r = train(x->db, &o, 2);
    store(x->db, r, REGISTRY_TRAIN, NULL);
    train_result_free(r);
    assert_ok(pool_new(2, &pool, &err), err);
    assert_ok(scoring_class(x->db, "pump", DB_NO_TIME, pool, &s, &err), err);
    assert_int_equal(s.n, N_ASSETS * 3); /* the asset and its two parts */
    for (size_t i = 0; i < s.n; i++) {
        const struct forecast *f = &s.items[i].f;
        check_forecast(f);
        if (f->component_id == 1) {
            double sum = f->base_points;
            assert_true(f->model_id > 0);
            for (size_t k = 0; k < f->n_reasons; k++)
                sum += f->reasons[k].points;
            /* The reasons add up to the chance at the model's horizon. */
            assert_close(sum, forecast_probability(f, o.horizon_ms), 1e-6);
        }
        assert_close(f->data_frac, 1, 0.01);
    }
    /* Writing twice on the same day: forecasts replaced, one ledger row each. */
    struct ledger_list ledger;
    size_t n_first = 0;
    for (size_t pass = 0; pass < 2; pass++) {
        assert_ok(db_begin(x->db, &err), err);
        assert_ok(scoring_write(x->db, &s, 2000, &err), err);
        assert_ok(db_commit(x->db, &err), err);
        assert_ok(ledger_list(x->db, 0, 1000, &ledger, &err), err);
        if (pass == 0)
            n_first = ledger.n;
        assert_int_equal(ledger.n, n_first);
        ledger_list_free(&ledger);
    }
    assert_true(n_first >= N_ASSETS);
    struct forecast_row_list rows;
    assert_ok(forecast_list(x->db, 0, 0, &rows, &err), err);
    assert_int_equal(rows.n, s.n);
    forecast_row_list_free(&rows);
    scoring_clear(&s);
    /* As of a past instant nothing later is read. */
    assert_ok(scoring_class(x->db, "pump", 60 * MS_PER_DAY, pool, &s, &err), err);
    for (size_t i = 0; i < s.n; i++)
        assert_true(s.items[i].f.as_of_ms <= 60 * MS_PER_DAY);
    scoring_clear(&s);
    pool_free(pool);
}

static void test_evaluate_class_forward_in_time(void **state)
{
    struct fixture *x = *state;
    struct train_options o = pump_options();
    o.until_ms = 100 * MS_PER_DAY;
    struct train_result *r = train(x->db, &o, 2);
    struct pool *pool;
    struct ft_err err;
    cJSON *json;
    double p = 0;
    double base = 0;
    store(x->db, r, REGISTRY_TRAIN, NULL);
    train_result_free(r);
    assert_ok(pool_new(2, &pool, &err), err);
    struct evaluate_options e = {.class_name = "pump", .from_ms = DB_NO_TIME, .to_ms = DB_NO_TIME};
    assert_ok(evaluate_class(x->db, &e, pool, &json, &err), err);
    assert_ok(json_number(json, "pr_auc", true, &p, &err), err);
    assert_ok(json_number(json_get(json, "baseline"), "pr_auc", true, &base, &err), err);
    assert_true(p > 1.3 * base && p > 0.8);
    cJSON_Delete(json);
    /* Rows that the champion was trained on are refused. */
    e.from_ms = 50 * MS_PER_DAY;
    assert_int_equal(evaluate_class(x->db, &e, pool, &json, &err), FT_CONFLICT);
    pool_free(pool);
}

static void test_evaluate_class_held_out_units(void **state)
{
    struct fixture *x = *state;
    const struct train_options o = {
        .class_name = "engine", .is_rul = true, .folds = 3, .until_ms = DB_NO_TIME, .seed = 7};
    const struct evaluate_options e = {
        .class_name = "engine", .from_ms = DB_NO_TIME, .to_ms = DB_NO_TIME};
    struct pool *pool;
    struct ft_err err;
    cJSON *json;
    double n = 0;
    double rmse = 0;
    double observed = -1;
    struct train_result *r = train(x->db, &o, 2);
    store(x->db, r, REGISTRY_TRAIN, NULL);
    double rows = 0;
    double assets = 0;
    assert_ok(json_number(r->report, "rows", true, &rows, &err), err);
    assert_ok(json_number(r->report, "assets", true, &assets, &err), err);
    assert_true(assets == N_UNITS - 2); /* held-out units are never trained on */
    train_result_free(r);
    assert_ok(pool_new(2, &pool, &err), err);
    assert_ok(evaluate_class(x->db, &e, pool, &json, &err), err);
    assert_ok(json_number(json, "assets", true, &n, &err), err);
    assert_ok(json_number(json, "rmse_capped", true, &rmse, &err), err);
    assert_ok(json_number(json_get(json, "coverage"), "observed", true, &observed, &err), err);
    assert_true(n == 2 && rmse < 20 && observed >= 0);
    cJSON_Delete(json);
    struct scoring s;
    assert_ok(scoring_class(x->db, "engine", DB_NO_TIME, pool, &s, &err), err);
    assert_int_equal(s.n, 2); /* the others have failed for good */
    for (size_t i = 0; i < s.n; i++) {
        check_forecast(&s.items[i].f);
        assert_true(s.items[i].f.rul_low <= s.items[i].f.rul_high);
    }
    scoring_clear(&s);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train_job_run_same_bytes_for_any_threads),
        cmocka_unit_test(test_train_job_run_verdicts),
        cmocka_unit_test(test_train_job_run_forward_in_time),
        cmocka_unit_test(test_train_job_run_component_alone),
        cmocka_unit_test(test_train_job_run_refuses),
        cmocka_unit_test(test_train_result_json_round_trip),
        cmocka_unit_test(test_registry_apply_keeps_the_better),
        cmocka_unit_test(test_scoring_class_and_write),
        cmocka_unit_test(test_evaluate_class_forward_in_time),
        cmocka_unit_test(test_evaluate_class_held_out_units),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
