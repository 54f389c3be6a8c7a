#include "tests/plan_fixture.h"

#include "app/life_lab.h"
#include "app/lives.h"

#include <string.h>

/* The bearings: four pumps, each two lives to failure (490, 430, 370, 310 and 400, 440, 480, 520
 * days) and one still running (100, 120, 140, 160 days). C_P 6,000, C_F 30,000. */

static enum ft_status ask_for(struct fixture *x, const char *text, cJSON **body, struct ft_err *err)
{
    cJSON *request = NULL;
    assert_ok(json_parse(text, strlen(text), &request, err), *err);
    *body = cJSON_CreateObject();
    const enum ft_status st = life_lab_json(x->db, request, NULL, *body, err);
    cJSON_Delete(request);
    return st;
}

static cJSON *lab(struct fixture *x, const char *text)
{
    cJSON *body;
    struct ft_err err;
    assert_int_equal(setenv("FETTLE_NOW", "2026-11-02T06:00:00Z", 1), 0);
    assert_ok(ask_for(x, text, &body, &err), err);
    return body;
}

static double number(const cJSON *o, const char *key)
{
    const cJSON *v = json_get(o, key);
    return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

static const char *answer(const cJSON *body, const char *key)
{
    const cJSON *v = json_get(json_get(body, "answer"), key);
    return cJSON_IsString(v) ? v->valuestring : "(none)";
}

/* Fit, hazard and cost against the Weibull law written down again, and against the other routine
 * for the cost rate (Simpson's rule). */
static void test_life_lab_json_curves_agree_with_the_law(void **state)
{
    cJSON *b = lab(*state, "{\"class\":\"pump\",\"component\":\"bearing\",\"bootstrap\":50}");
    const double shape = number(b, "shape"), scale = number(b, "scale");
    const cJSON *one;
    int n = 0;
    assert_close(number(b, "failures"), 8, 0);
    assert_close(number(b, "censored"), 4, 0);
    assert_close(number(b, "cost_planned"), 6000, 0);
    assert_close(number(b, "cost_failure"), 30000, 0);
    assert_true(shape > 3 && scale > 400 && scale < 520);
    cJSON_ArrayForEach (one, json_get(b, "hazard")) {
        const double t = number(one, "time"), h = number(one, "hazard");
        assert_close(h, shape / scale * pow(t / scale, shape - 1), 1e-9 * h);
        assert_true(number(one, "low") <= h && h <= number(one, "high"));
        n++;
    }
    assert_int_equal(n, 80);
    const struct weibull w = {.shape = shape, .scale = scale};
    const double best = number(b, "optimal_interval"), rate = number(b, "cost_rate");
    assert_close(life_cost_rate_at(&w, best, 6000, 30000), rate, 1e-6 * rate);
    cJSON_ArrayForEach (one, json_get(b, "cost")) {
        const double r = number(one, "rate");
        assert_true(r >= rate * (1 - 1e-9));
        assert_close(life_cost_rate_at(&w, number(one, "interval"), 6000, 30000), r, 1e-5 * r);
    }
    const cJSON *flat = json_get(b, "flat");
    assert_int_equal(cJSON_GetArraySize(flat), 2);
    cJSON_ArrayForEach (one, flat)
        assert_close(life_cost_rate_at(&w, one->valuedouble, 6000, 30000), 1.05 * rate,
                     1e-4 * rate);
    assert_true(flat->child->valuedouble < best && flat->child->next->valuedouble > best);
    assert_int_equal(strncmp(answer(b, "lead"), "Replace at ", 11), 0);
    assert_non_null(strstr(answer(b, "rest"), "8 failures, 4 still running"));
    assert_int_equal(cJSON_GetArraySize(json_get(b, "laws")), 6);
    assert_int_equal(
        cJSON_GetArraySize(json_get(json_get(b, "plot"), "contour")->child->next->next->next), 60);
    cJSON_Delete(b);
}

/* All four are under the same eyes for 990 days: the mean is failures over assets, two in the end.
 */
static void test_life_lab_json_lives_and_mean(void **state)
{
    cJSON *b = lab(*state, "{\"class\":\"pump\",\"component\":\"bearing\",\"bootstrap\":0,"
                           "\"drop\":[\"P-9@2026-01-01\"]}");
    const cJSON *lives = json_get(b, "lives");
    assert_int_equal(cJSON_GetArraySize(lives), 12);
    assert_string_equal(json_get(lives->child, "id")->valuestring, "P-1@2025-06-20");
    assert_close(number(lives->child, "time"), 490, 1e-9);
    const cJSON *mcf = json_get(b, "mcf"), *last = mcf->child;
    while (last->next != NULL)
        last = last->next;
    assert_close(number(mcf->child, "time"), 310, 1e-9);
    assert_close(number(mcf->child, "mean"), 0.25, 1e-12);
    assert_close(number(last, "mean"), 2, 1e-12);
    assert_int_equal(cJSON_GetArraySize(json_get(b, "by_asset")), 4);
    assert_close(number(json_get(b, "by_asset")->child, "days"), 990, 1e-9);
    cJSON_Delete(b);
}

/* A life left out moves the fit, and still stands in the list. */
static void test_life_lab_json_drops(void **state)
{
    cJSON *all = lab(*state, "{\"class\":\"pump\",\"component\":\"bearing\",\"bootstrap\":0}");
    cJSON *b = lab(*state, "{\"class\":\"pump\",\"component\":\"bearing\",\"bootstrap\":0,"
                           "\"drop\":[\"P-1@2025-06-20\"],\"distribution\":\"best\"}");
    assert_close(number(b, "failures"), 7, 0);
    assert_true(cJSON_IsTrue(json_get(json_get(b, "lives")->child, "dropped")));
    assert_true(fabs(number(b, "scale") - number(all, "scale")) > 1);
    cJSON_Delete(b);
    cJSON_Delete(all);
}

/* No seal has failed: nothing is fitted, and the answer says so. */
static void test_life_lab_json_too_few(void **state)
{
    cJSON *b = lab(*state, "{\"class\":\"pump\",\"component\":\"seal\"}");
    assert_string_equal(answer(b, "lead"), "Too little is known to judge this part.");
    assert_non_null(strstr(answer(b, "rest"), "0 failures in 4 lives: "));
    assert_true(cJSON_IsNull(json_get(b, "plot")));
    assert_int_equal(cJSON_GetArraySize(json_get(b, "lives")), 4);
    assert_int_equal(cJSON_GetArraySize(json_get(b, "mcf")), 0);
    cJSON_Delete(b);
}

static void test_life_lab_json_refuses(void **state)
{
    static const struct {
        const char *text;
        enum ft_status want;
    } cases[] = {{"{\"class\":\"fan\"}", FT_NOT_FOUND},
                 {"{\"class\":\"pump\",\"component\":\"wing\"}", FT_NOT_FOUND},
                 {"{\"component\":\"seal\"}", FT_INVALID},
                 {"{\"class\":\"pump\",\"colour\":1}", FT_INVALID},
                 {"{\"class\":\"pump\",\"distribution\":\"normal\"}", FT_INVALID},
                 {"{\"class\":\"pump\",\"cost_planned\":-1}", FT_INVALID},
                 {"{\"class\":\"pump\",\"confidence\":1}", FT_INVALID},
                 {"{\"class\":\"pump\",\"drop\":\"all\"}", FT_INVALID},
                 {"{\"class\":\"pump\",\"bootstrap\":100000}", FT_INVALID}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cJSON *body;
        struct ft_err err = {0};
        assert_int_equal(ask_for(*state, cases[i].text, &body, &err), cases[i].want);
        assert_true(err.msg[0] != '\0');
        cJSON_Delete(body);
    }
}

/* Planned work as dear as a failure cannot pay, whatever the wear. */
static void test_life_lab_json_run_to_failure(void **state)
{
    cJSON *b = lab(*state, "{\"class\":\"pump\",\"component\":\"bearing\",\"bootstrap\":0,"
                           "\"cost_planned\":30000,\"cost_failure\":30000}");
    assert_string_equal(answer(b, "lead"), "Run it to failure: replacing by age does not pay.");
    assert_int_equal(strncmp(answer(b, "rest"), "Planned work costs no less", 26), 0);
    assert_true(cJSON_IsNull(json_get(b, "flat")));
    cJSON_Delete(b);
}

#define plant_test(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        plant_test(test_life_lab_json_curves_agree_with_the_law),
        plant_test(test_life_lab_json_lives_and_mean),
        plant_test(test_life_lab_json_drops),
        plant_test(test_life_lab_json_too_few),
        plant_test(test_life_lab_json_refuses),
        plant_test(test_life_lab_json_run_to_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
