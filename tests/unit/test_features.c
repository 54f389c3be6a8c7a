#include "tests/test.h"

#include "app/base/json.h"
#include "app/features.h"
#include "tests/history_fixture.h"

enum { N_ASSETS = 6, N_DAYS = 60 };

static struct feature_set *fit_view(const struct history *h, bool is_rul, enum feature_view view)
{
    const struct feature_options o = {.is_rul = is_rul, .horizon_ms = 7 * MS_PER_DAY, .view = view};
    struct feature_set *fs;
    struct ft_err err;
    assert_ok(features_fit(h, NULL, &o, &fs, &err), err);
    return fs;
}

static struct feature_set *fit(const struct history *h, bool is_rul)
{
    return fit_view(h, is_rul, FEATURE_VIEW_SENSORS);
}

static float *compute(const struct feature_set *fs, const struct history *h, size_t asset,
                      const int64_t *as_of, size_t n)
{
    struct ft_err err;
    float *x = calloc(n * fs->n, sizeof(*x));
    assert_ok(features_compute(fs, h, asset, as_of, n, x, &err), err);
    return x;
}

static size_t column(const struct feature_set *fs, const char *name)
{
    for (size_t j = 0; j < fs->n; j++)
        if (strcmp(fs->infos[j].name, name) == 0)
            return j;
    fail_msg("no column \"%s\"", name);
    return 0;
}

/* Throws away everything after an instant and puts other facts there. */
static void change_future(struct history *h, int64_t as_of, uint64_t seed)
{
    for (size_t a = 0; a < h->n_assets; a++) {
        struct history_asset *as = &h->assets[a];
        for (size_t s = 0; s < h->n_sensors; s++)
            for (size_t k = 0; k < as->series[s].n; k++)
                if (as->series[s].ts_ms[k] > as_of) {
                    const double u = rng_uniform(seed, s, k);
                    as->series[s].value[k] = u < 0.1 ? NAN : 1e6 * (u - 0.5);
                }
        for (size_t s = 0; s < h->n_sensors; s++)
            if (rng_below(seed, 77, s, 3) == 0)
                while (as->series[s].n > 0 && as->series[s].ts_ms[as->series[s].n - 1] > as_of)
                    as->series[s].n--; /* the future may also be missing */
        for (size_t i = 0; i < as->n_events; i++)
            if (as->events[i].ts_ms > as_of) {
                as->events[i].kind = (enum event_kind)rng_below(seed, 99, i, EVENT_KIND_COUNT);
                as->events[i].component = rng_below(seed, 98, i, 2);
                as->events[i].code = rng_below(seed, 97, i, 2);
            }
    }
    history_derive(h);
}

/* No number of a row may change by a bit when everything after its instant changes. */
static void test_features_compute_sees_no_future(void **state)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct history *h = fixture_history(N_ASSETS, N_DAYS, seed);
        struct feature_set *fs =
            fit_view(h, seed % 2 == 0, seed % 4 < 2 ? FEATURE_VIEW_SENSORS : FEATURE_VIEW_HEALTH);
        const int64_t as_of =
            (int64_t)(rng_below(seed, 1, 1, (N_DAYS - 2) * 24) + 24) * MS_PER_HOUR;
        /* Beside it a later row of the same call, which must not matter either. */
        const int64_t two[] = {as_of, N_DAYS * MS_PER_DAY};
        const size_t asset = seed % N_ASSETS;
        float *before = compute(fs, h, asset, two, 2);
        float *alone = compute(fs, h, asset, two, 1);
        float *late = compute(fs, h, asset, two + 1, 1);
        assert_memory_equal(before, alone, fs->n * sizeof(float));
        assert_memory_equal(before + fs->n, late, fs->n * sizeof(float));
        change_future(h, as_of, seed + 100);
        float *after = compute(fs, h, asset, two, 2);
        for (size_t j = 0; j < fs->n; j++)
            if (memcmp(&before[j], &after[j], sizeof(float)) != 0)
                fail_msg("seed %d: \"%s\" was %g and became %g", (int)seed, fs->infos[j].name,
                         (double)before[j], (double)after[j]);
        free(before);
        free(alone);
        free(late);
        free(after);
        features_free(fs);
        history_free(h);
    }
}

/* The windows against a plain second computation. */
static void test_features_compute_windows(void **state)
{
    struct history *h = fixture_history(2, 20, 7);
    /* Without regimes the values are raw: hold the load. */
    for (size_t a = 0; a < 2; a++)
        for (size_t k = 0; k < h->assets[a].series[0].n; k++)
            h->assets[a].series[0].value[k] = 50;
    history_derive(h);
    struct feature_set *fs = fit(h, false);
    assert_int_equal(fs->n_regimes, 1);
    const struct readings *r = &h->assets[1].series[2];
    const int64_t as_of = 300 * MS_PER_HOUR + 5;
    float *x = compute(fs, h, 1, &as_of, 1);
    double n = 0, sum = 0, sum2 = 0, low = INFINITY, high = -INFINITY, last = 0;
    double t1 = 0, t2 = 0, tv = 0;
    for (size_t k = 0; k < r->n && r->ts_ms[k] <= as_of; k++) {
        last = r->value[k];
        if (r->ts_ms[k] <= as_of - 72 * MS_PER_HOUR)
            continue;
        const double t = (double)r->ts_ms[k] / (double)MS_PER_DAY;
        n++;
        sum += last;
        sum2 += last * last;
        low = fmin(low, last);
        high = fmax(high, last);
        t1 += t;
        t2 += t * t;
        tv += t * last;
    }
    assert_close(x[column(fs, "vibration: last")], last, 1e-5);
    assert_close(x[column(fs, "vibration: mean 72 h")], sum / n, 1e-5);
    assert_close(x[column(fs, "vibration: spread 72 h")], sqrt(sum2 / n - sum * sum / n / n), 1e-4);
    assert_close(x[column(fs, "vibration: lowest 72 h")], low, 1e-5);
    assert_close(x[column(fs, "vibration: highest 72 h")], high, 1e-5);
    assert_close(x[column(fs, "vibration: slope 72 h")], (n * tv - t1 * sum) / (n * t2 - t1 * t1),
                 1e-4);
    assert_close(x[column(fs, "model is m2")], 1, 0);
    assert_close(x[column(fs, "model is m1")], 0, 0);
    free(x);
    features_free(fs);
    history_free(h);
}

static void test_features_compute_events(void **state)
{
    struct history *h = fixture_history(1, 30, 3);
    struct history_asset *a = &h->assets[0];
    a->n_events = 4;
    a->events[0] = (struct history_event){1, 5 * MS_PER_DAY, EVENT_REPLACEMENT, 0, SIZE_MAX};
    a->events[1] = (struct history_event){2, 9 * MS_PER_DAY, EVENT_ALARM, SIZE_MAX, 1};
    a->events[2] = (struct history_event){3, 10 * MS_PER_DAY, EVENT_ALARM, SIZE_MAX, 1};
    a->events[3] = (struct history_event){4, 12 * MS_PER_DAY, EVENT_FAILURE, 1, SIZE_MAX};
    history_derive(h);
    struct feature_set *fs = fit(h, false);
    const int64_t as_of[] = {11 * MS_PER_DAY, 13 * MS_PER_DAY};
    float *x = compute(fs, h, 0, as_of, 2);
    const float *second = x + fs->n;
    assert_close(x[column(fs, "bearing: days since renewed")], 6, 1e-6);
    assert_true(isnan(x[column(fs, "seal: days since renewed")])); /* no record yet */
    assert_close(second[column(fs, "seal: days since renewed")], 1, 1e-6);
    assert_close(x[column(fs, "E2: number in 72 h")], 2, 0);
    assert_close(x[column(fs, "E2: number in 24 h")], 0, 0); /* (t - 24 h, t] leaves day 10 out */
    assert_close(second[column(fs, "E2: number in 72 h")], 0, 0);
    assert_close(x[column(fs, "E2: days since the last")], 1, 1e-6);
    assert_true(isnan(x[column(fs, "E1: days since the last")]));
    assert_true(isnan(x[column(fs, "days since the last failure")]));
    assert_close(second[column(fs, "days since the last failure")], 1, 1e-6);
    free(x);
    features_free(fs);
    history_free(h);
}

static void test_features_fit_finds_regimes(void **state)
{
    struct history *h = fixture_history(N_ASSETS, N_DAYS, 5);
    struct feature_set *fs = fit(h, false);
    assert_int_equal(fs->n_regimes, 2);
    const double low = 21;
    const double high = 79;
    assert_true(features_regime(fs, &low) != features_regime(fs, &high));
    /* The load explains the mean, so the z-values of both regimes centre on 0. */
    const int64_t as_of = 40 * MS_PER_DAY;
    float *x = compute(fs, h, 2, &as_of, 1);
    assert_close(x[column(fs, "vibration for its regime: mean 168 h")], 0, 0.4);
    free(x);
    features_free(fs);
    history_free(h);
}

static char *as_text(const struct feature_set *fs)
{
    cJSON *json = features_to_json(fs);
    char *text = json_print(json, false);
    cJSON_Delete(json);
    return text;
}

/* Nothing fitted may depend on an asset outside the mask. */
static void test_features_fit_looks_at_training_only(void **state)
{
    struct history *h = fixture_history(N_ASSETS, N_DAYS, 6);
    const struct feature_options o = {.is_rul = true};
    bool mask[N_ASSETS] = {true, true, true, true, false, true};
    struct feature_set *fs;
    struct ft_err err;
    assert_ok(features_fit(h, mask, &o, &fs, &err), err);
    char *before = as_text(fs);
    features_free(fs);
    for (size_t s = 0; s < h->n_sensors; s++)
        for (size_t k = 0; k < h->assets[4].series[s].n; k++)
            h->assets[4].series[s].value[k] *= 100;
    assert_ok(features_fit(h, mask, &o, &fs, &err), err);
    char *after = as_text(fs);
    assert_string_equal(before, after);
    features_free(fs);
    free(before);
    free(after);
    history_free(h);
}

static void check_round_trip(enum feature_view view)
{
    struct history *h = fixture_history(N_ASSETS, N_DAYS, 9);
    struct feature_set *fs = fit_view(h, true, view);
    struct feature_set *again;
    struct ft_err err;
    cJSON *json = features_to_json(fs);
    assert_ok(features_from_json(json, &again, &err), err);
    assert_int_equal(again->n, fs->n);
    const int64_t as_of = 30 * MS_PER_DAY;
    float *a = compute(fs, h, 3, &as_of, 1);
    float *b = compute(again, h, 3, &as_of, 1);
    assert_memory_equal(a, b, fs->n * sizeof(float));
    for (size_t j = 0; j < fs->n; j++)
        assert_string_equal(fs->infos[j].name, again->infos[j].name);
    cJSON_Delete(json);
    free(a);
    free(b);
    features_free(fs);
    features_free(again);
    history_free(h);
}

static void test_features_json_round_trip(void **state)
{
    check_round_trip(FEATURE_VIEW_SENSORS);
    check_round_trip(FEATURE_VIEW_HEALTH);
}

/* The load has two levels; both sensors follow it. Far from both is a regime of its own. */
static void test_features_health_rows_and_shares(void **state)
{
    struct history *h = fixture_history(N_ASSETS, N_DAYS, 5);
    struct feature_set *fs = fit_view(h, false, FEATURE_VIEW_HEALTH);
    struct feature_health_rows rows;
    struct ft_err err;
    double z[2];
    double share[2];
    assert_int_equal(fs->n_regimes, 2);
    assert_int_equal(fs->n_health_sensors, 2);
    assert_int_equal(features_health_n_channels(fs), 1); /* two sensors carry one channel */
    assert_ok(features_health_rows(fs, h, 0, 0, DB_NO_TIME, &rows, &err), err);
    assert_true(rows.n > N_DAYS * 24 * 0.9);
    assert_int_equal(rows.n_new_regime, 0);
    features_health_rows_clear(&rows);
    assert_ok(features_health_shares(fs, h, 0, 30 * MS_PER_DAY, z, share, &err), err);
    assert_close(share[0] + share[1], 1, 1e-9);
    assert_true(fabs(z[0]) < 1 && fabs(z[1]) < 1);
    for (size_t k = 0; k < h->assets[0].series[0].n; k++)
        if (h->assets[0].series[0].ts_ms[k] > 40 * MS_PER_DAY)
            h->assets[0].series[0].value[k] = 200;
    assert_ok(features_health_rows(fs, h, 0, 0, DB_NO_TIME, &rows, &err), err);
    assert_true(rows.n_new_regime > 15 * 24);
    features_health_rows_clear(&rows);
    features_free(fs);
    history_free(h);
}

static void test_features_from_json_refuses(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"version\":2}",
        "{\"version\":1,\"unit_ms\":86400000,\"is_cycles\":false,\"step_ms\":0,\"has_age\":false,"
        "\"baseline_ms\":1,\"window_ms\":[],\"half_life_ms\":[1],\"sensors\":[],\"components\":[],"
        "\"codes\":[],\"attributes\":[]}",
        "{\"version\":1,\"unit_ms\":86400000,\"is_cycles\":false,\"step_ms\":0,\"has_age\":false,"
        "\"baseline_ms\":1,\"window_ms\":[5,4],\"half_life_ms\":[1],\"sensors\":[],"
        "\"components\":[],\"codes\":[],\"attributes\":[]}",
        "{\"version\":1,\"unit_ms\":86400000,\"is_cycles\":false,\"step_ms\":0,\"has_age\":false,"
        "\"baseline_ms\":1,\"window_ms\":[5],\"half_life_ms\":[1],\"sensors\":[{\"name\":\"a\","
        "\"role\":\"king\"}],\"components\":[],\"codes\":[],\"attributes\":[]}",
        "{\"version\":1,\"unit_ms\":86400000,\"is_cycles\":false,\"step_ms\":0,\"has_age\":false,"
        "\"baseline_ms\":1,\"window_ms\":[5],\"half_life_ms\":[1],\"sensors\":[],\"components\":[],"
        "\"codes\":[],\"attributes\":[],\"regimes\":{\"n\":2,\"settings\":[7],\"min\":[0],"
        "\"range\":[1],\"centres\":[0,1]}}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cJSON *json;
        struct feature_set *fs;
        struct ft_err err;
        assert_ok(json_parse(bad[i], strlen(bad[i]), &json, &err), err);
        assert_int_equal(features_from_json(json, &fs, &err), FT_INVALID);
        assert_null(fs);
        cJSON_Delete(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_features_compute_sees_no_future),
        cmocka_unit_test(test_features_compute_windows),
        cmocka_unit_test(test_features_compute_events),
        cmocka_unit_test(test_features_fit_finds_regimes),
        cmocka_unit_test(test_features_fit_looks_at_training_only),
        cmocka_unit_test(test_features_json_round_trip),
        cmocka_unit_test(test_features_health_rows_and_shares),
        cmocka_unit_test(test_features_from_json_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
