#include "tests/test.h"

#include "app/base/json.h"
#include "app/base/rng.h"
#include "app/rul_odds.h"

#include <stdlib.h>

enum { N = 20000 };

static struct ft_err err;

struct lives {
    double p[N], y[N], w[N];
};

/* life = prediction + logistic noise of scale 4: P(life <= t) = expit((t - prediction) / 4). */
static struct lives *make_lives(void)
{
    struct lives *l = calloc(1, sizeof(*l));
    assert_non_null(l);
    for (size_t i = 0; i < N; i++) {
        const double u = rng_uniform(3, 1, i);
        l->p[i] = 125 * rng_uniform(3, 0, i);
        l->y[i] = fmin(125, fmax(0, l->p[i] + 4 * log(u / (1 - u))));
        l->w[i] = 0.01;
    }
    return l;
}

static double level_at(const double *t, const double *level, size_t n, double at)
{
    for (size_t k = 0; k < n; k++)
        if (fabs(t[k] - at) < 1e-9)
            return level[k];
    return NAN;
}

static void test_rul_odds_fit_known_noise(void **state)
{
    struct lives *l = make_lives();
    cJSON *odds;
    double t[RUL_ODDS_MAX], level[RUL_ODDS_MAX];
    assert_ok(rul_odds_fit(l->p, l->y, l->w, N, 125, &odds, &err), err);
    const double at[] = {20, 26, 30, 34, 60};
    for (size_t i = 0; i < 5; i++) {
        const size_t n = rul_odds_levels(odds, at[i], t, level);
        assert_int_equal(n, RUL_ODDS_MAX);
        assert_close(level_at(t, level, n, 30), 1 / (1 + exp((at[i] - 30) / 4)), 0.03);
        for (size_t k = 1; k < n; k++)
            assert_true(level[k] >= level[k - 1] && t[k] > t[k - 1] && level[k] <= 1);
    }
    cJSON_Delete(odds);
    free(l);
}

static void test_rul_odds_fit_few_rows(void **state)
{
    struct lives *l = make_lives();
    cJSON *odds;
    double t[RUL_ODDS_MAX], level[RUL_ODDS_MAX];
    assert_ok(rul_odds_fit(l->p, l->y, l->w, 15, 125, &odds, &err), err);
    assert_int_equal(rul_odds_levels(odds, 50, t, level), 0);
    cJSON_Delete(odds);
    free(l);
}

static void test_rul_odds_levels_refuses(void **state)
{
    static const char *const bad[] = {
        "[{\"t\":1,\"a\":0,\"b\":0}]",
        "[{\"t\":2,\"a\":0,\"b\":0,\"c\":0},{\"t\":1,\"a\":0,\"b\":0,\"c\":0}]",
        "[{\"t\":0,\"a\":0,\"b\":0,\"c\":0}]",
        "[1]",
        "{}",
    };
    double t[RUL_ODDS_MAX], level[RUL_ODDS_MAX];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cJSON *json = NULL;
        assert_ok(json_parse(bad[i], strlen(bad[i]), &json, &err), err);
        assert_int_equal(rul_odds_levels(json, 10, t, level), 0);
        cJSON_Delete(json);
    }
    assert_int_equal(rul_odds_levels(NULL, 10, t, level), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rul_odds_fit_known_noise),
        cmocka_unit_test(test_rul_odds_fit_few_rows),
        cmocka_unit_test(test_rul_odds_levels_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
