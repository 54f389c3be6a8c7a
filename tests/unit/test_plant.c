#include "tests/test.h"

#include "app/base/clock.h"
#include "app/demo/plant.h"

#include <stdlib.h>

static struct demo_options small(void)
{
    struct demo_options o = demo_options_default(INT64_C(1790000000000));
    o.n_assets = 12;
    o.n_days = 120;
    return o;
}

static void test_demo_asset_simulate_same_seed_same_plant(void **state)
{
    const struct demo_options o = small();
    struct ft_err err;
    struct demo_asset a;
    struct demo_asset b;
    assert_ok(demo_asset_simulate(&o, 5, NULL, &a, &err), err);
    assert_ok(demo_asset_simulate(&o, 5, NULL, &b, &err), err);
    assert_string_equal(a.key, b.key);
    assert_int_equal(a.n_events, b.n_events);
    for (size_t j = 0; j < a.cls->n_sensors; j++)
        assert_memory_equal(a.values[j], b.values[j], a.n_steps * sizeof(double));
    demo_asset_clear(&a);
    demo_asset_clear(&b);
}

static void test_demo_asset_simulate_other_seed_other_plant(void **state)
{
    struct demo_options o = small();
    struct ft_err err;
    struct demo_asset a;
    struct demo_asset b;
    assert_ok(demo_asset_simulate(&o, 0, NULL, &a, &err), err);
    o.seed = 2;
    assert_ok(demo_asset_simulate(&o, 0, NULL, &b, &err), err);
    assert_memory_not_equal(a.values[1], b.values[1], a.n_steps * sizeof(double));
    demo_asset_clear(&a);
    demo_asset_clear(&b);
}

/* Events are in order, on the reading grid, and each part's failures and truth do not contradict.
 */
static void test_demo_asset_simulate_events_in_order(void **state)
{
    const struct demo_options o = small();
    struct ft_err err;
    for (size_t i = 0; i < o.n_assets; i++) {
        struct demo_asset a;
        assert_ok(demo_asset_simulate(&o, i, NULL, &a, &err), err);
        for (size_t e = 0; e < a.n_events; e++) {
            assert_true(a.events[e].ts_ms <= o.end_ms);
            assert_int_equal((a.events[e].ts_ms - a.start_ms) % a.step_ms, 0);
            if (e > 0)
                assert_true(a.events[e - 1].ts_ms <= a.events[e].ts_ms);
        }
        for (size_t p = 0; p < a.cls->n_components; p++) {
            assert_true(a.truth[p].installed_ms <= o.end_ms);
            assert_true(a.truth[p].fails_ms > a.truth[p].installed_ms);
        }
        demo_asset_clear(&a);
    }
}

/* A wearing part that gives a sign raises its sensor before it fails: the mean of the last day is
 * far above that of the days after installation. */
static void test_demo_asset_simulate_wear_shows(void **state)
{
    struct demo_options o = small();
    o.n_assets = 60;
    o.n_days = 365;
    struct ft_err err;
    size_t n_shown = 0;
    size_t n_failures = 0;
    for (size_t i = 0; i < 20; i++) { /* the pumps: bearing wear raises vibration, sensor 1 */
        struct demo_asset a;
        assert_ok(demo_asset_simulate(&o, i, NULL, &a, &err), err);
        assert_string_equal(a.cls->name, "pump");
        for (size_t e = 0; e < a.n_events; e++) {
            const struct demo_event *v = &a.events[e];
            if (strcmp(v->kind, "failure") != 0 || v->component != 0)
                continue;
            const size_t at = (size_t)((v->ts_ms - a.start_ms) / a.step_ms);
            double top = 0;
            for (size_t k = at > 24 ? at - 24 : 0; k < at; k++)
                top = fmax(top, a.values[1][k]);
            n_failures++;
            n_shown += top > 3.5;
        }
        demo_asset_clear(&a);
    }
    assert_true(n_failures >= 10);
    assert_true((double)n_shown > 0.6 * (double)n_failures);
}

/* Decided work replaces parts at its instants alone; the past and the lives' order stay. */
static void test_demo_asset_simulate_decisions(void **state)
{
    struct demo_options o = small();
    o.n_days = 900;
    const int64_t from_ms = o.end_ms - 400 * MS_PER_DAY;
    const struct demo_work work[] = {{0, from_ms + 10 * MS_PER_DAY},
                                     {0, from_ms + 35 * MS_PER_DAY}};
    const struct demo_decisions d = {.from_ms = from_ms, .work = work, .n = 2};
    struct ft_err err;
    struct demo_asset own, decided;
    size_t n_same = 0, n_planned = 0;
    assert_ok(demo_asset_simulate(&o, 0, NULL, &own, &err), err);
    assert_ok(demo_asset_simulate(&o, 0, &d, &decided, &err), err);
    for (size_t e = 0; e < decided.n_events; e++) {
        const struct demo_event *v = &decided.events[e];
        if (v->ts_ms < from_ms && ++n_same > 0)
            assert_memory_equal(&own.events[e], v, sizeof(*v));
        else if (strcmp(v->kind, "replacement") == 0)
            assert_int_equal(v->ts_ms, work[n_planned++].ts_ms / o.step_ms * o.step_ms +
                                           decided.start_ms % o.step_ms);
    }
    assert_true(n_same > 3);
    assert_int_equal(n_planned, 2);
    const size_t n_before = (size_t)((from_ms - own.start_ms) / own.step_ms);
    for (size_t j = 0; j < own.cls->n_sensors; j++)
        assert_memory_equal(own.values[j], decided.values[j], n_before * sizeof(double));
    const struct demo_life *l = demo_life_at(&decided, 0, work[1].ts_ms - 1);
    assert_in_range(l->installed_ms, work[0].ts_ms - o.step_ms, work[0].ts_ms);
    assert_true(demo_life_at(&decided, 0, work[1].ts_ms) == l + 1);
    for (size_t k = 0; k < own.n_lives[0] && k < decided.n_lives[0]; k++) /* the same luck */
        if (own.lives[0][k].installed_ms > own.start_ms)
            assert_in_range(
                llabs((own.lives[0][k].fails_ms - own.lives[0][k].installed_ms) -
                      (decided.lives[0][k].fails_ms - decided.lives[0][k].installed_ms)),
                0, o.step_ms);
    demo_asset_clear(&own);
    demo_asset_clear(&decided);
}

static void test_demo_options_check_ranges(void **state)
{
    struct demo_options o = small();
    struct ft_err err;
    o.n_assets = 2;
    assert_int_equal(demo_options_check(&o, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "assets"));
    o = small();
    o.n_days = 5;
    assert_int_equal(demo_options_check(&o, &err), FT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_demo_asset_simulate_same_seed_same_plant),
        cmocka_unit_test(test_demo_asset_simulate_other_seed_other_plant),
        cmocka_unit_test(test_demo_asset_simulate_events_in_order),
        cmocka_unit_test(test_demo_asset_simulate_wear_shows),
        cmocka_unit_test(test_demo_asset_simulate_decisions),
        cmocka_unit_test(test_demo_options_check_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
