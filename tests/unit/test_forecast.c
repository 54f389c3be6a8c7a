#include "tests/test.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/utf8.h"
#include "app/forecast.h"

static struct forecast sample(void)
{
    struct forecast f = {.as_of_ms = INT64_C(1790000000000),
                         .model_kind = "gbdt",
                         .spoke = "bearing model",
                         .method = "weibull",
                         .next_method = "sensors",
                         .next_missing = 4,
                         .next_ms = INT64_C(1800000000000),
                         .n_horizons = 2,
                         .horizon_ms = {10 * MS_PER_DAY, 30 * MS_PER_DAY},
                         .p = {0.1, 0.4},
                         .p_low = {0.05, NAN},
                         .p_high = {0.2, NAN},
                         .rul_median = 4e9,
                         .rul_low = 2e9,
                         .rul_high = INFINITY,
                         .rul_coverage = 0.8,
                         .base_points = 0.05,
                         .n_reasons = 1,
                         .n_sensors = 6,
                         .n_sensors_stale = 1,
                         .data_frac = 0.97};
    snprintf(f.reasons[0].text, sizeof(f.reasons[0].text), "Vibration 2.7 times its own baseline");
    f.reasons[0].points = 0.3;
    return f;
}

static void test_forecast_probability_interpolates_log_survival(void **state)
{
    const struct forecast f = sample();
    assert_close(forecast_probability(&f, 0), 0, 1e-12);
    assert_close(forecast_probability(&f, 10 * MS_PER_DAY), 0.1, 1e-9);
    assert_close(forecast_probability(&f, 5 * MS_PER_DAY), 1 - sqrt(0.9), 1e-9);
    assert_close(forecast_probability(&f, 20 * MS_PER_DAY), 1 - sqrt(0.9 * 0.6), 1e-9);
    /* Beyond the last horizon its hazard goes on. */
    assert_close(forecast_probability(&f, 50 * MS_PER_DAY), 1 - 0.6 * 0.6 / 0.9, 1e-9);
    double last = 0;
    for (int d = 1; d < 200; d++) {
        const double p = forecast_probability(&f, d * MS_PER_DAY);
        assert_true(p >= last && p <= 1);
        last = p;
    }
    const struct forecast none = {0};
    assert_true(isnan(forecast_probability(&none, MS_PER_DAY)));
}

static void test_forecast_json_round_trip(void **state)
{
    const struct forecast f = sample();
    struct forecast g;
    struct ft_err err;
    cJSON *json = forecast_to_json(&f);
    assert_ok(forecast_from_json(json, &g, &err), err);
    assert_int_equal(g.n_horizons, 2);
    assert_int_equal(g.horizon_ms[1], f.horizon_ms[1]);
    assert_close(g.p[1], 0.4, 0);
    assert_close(g.p_high[0], 0.2, 0);
    assert_true(isnan(g.p_low[1]));
    assert_true(isinf(g.rul_high));
    assert_close(g.rul_median, 4e9, 0);
    assert_string_equal(g.reasons[0].text, f.reasons[0].text);
    assert_string_equal(g.model_kind, "gbdt");
    assert_string_equal(g.method, "weibull");
    assert_string_equal(g.next_method, "sensors");
    assert_int_equal(g.next_missing, 4);
    assert_int_equal(g.next_ms, f.next_ms);
    assert_int_equal(g.as_of_ms, f.as_of_ms);
    cJSON_Delete(json);
}

/* A text that is too long is cut; what is left is text still. */
static void test_forecast_json_cuts_between_letters(void **state)
{
    struct forecast f;
    struct ft_err err;
    char spoke[241] = "";
    (void)state;
    for (size_t i = 0; i < 240; i += 2)
        memcpy(spoke + i, "\xc3\xa4", 2); /* there is room for 159 bytes */
    const struct forecast short_f = sample();
    cJSON *json = forecast_to_json(&short_f);
    assert_true(cJSON_ReplaceItemInObjectCaseSensitive(json, "spoke", cJSON_CreateString(spoke)));
    assert_ok(forecast_from_json(json, &f, &err), err);
    assert_int_equal(strlen(f.spoke), sizeof(f.spoke) - 1);
    assert_true(utf8_is_valid(f.spoke, strlen(f.spoke), NULL));
    cJSON_Delete(json);
}

static void test_forecast_from_json_refuses(void **state)
{
    static const char *const bad[] = {"[]",
                                      "{}",
                                      "{\"horizons\":[{\"t_s\":5,\"p\":1.5}]}",
                                      "{\"horizons\":[{\"t_s\":-5,\"p\":0.5}]}",
                                      "{\"horizons\":[3]}",
                                      "{\"horizons\":[],\"method\":\"Weibull 2\"}",
                                      "{\"horizons\":[],\"method\":\"abcdefghijklmnop\"}",
                                      "{\"horizons\":[],\"next\":3}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct forecast f;
        struct ft_err err;
        cJSON *json;
        assert_ok(json_parse(bad[i], strlen(bad[i]), &json, &err), err);
        assert_int_equal(forecast_from_json(json, &f, &err), FT_INVALID);
        cJSON_Delete(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forecast_probability_interpolates_log_survival),
        cmocka_unit_test(test_forecast_json_round_trip),
        cmocka_unit_test(test_forecast_json_cuts_between_letters),
        cmocka_unit_test(test_forecast_from_json_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
