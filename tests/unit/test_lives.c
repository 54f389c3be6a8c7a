#include "tests/plan_fixture.h"

#include "app/economics.h"
#include "app/lives.h"

static void test_lives_load_counts_and_fits(void **state)
{
    struct fixture *x = *state;
    struct catalog c;
    struct lives l;
    struct ft_err err;
    assert_ok(catalog_load(x->db, &c, &err), err);
    assert_ok(lives_load(x->db, &c, FIXTURE_NOW, &l, &err), err);
    const struct life *bearing = lives_find(&l, x->class_id, x->bearing);
    assert_non_null(bearing);
    /* Each pump: 990 -> 500 + 60 i (a failure), -> 100 + 20 i (a failure), still running. */
    assert_int_equal(bearing->n_failures, 8);
    assert_int_equal(bearing->n_censored, 4);
    assert_true(bearing->has_fit);
    assert_true(bearing->fit.shape > 1);
    assert_close(bearing->exposure_d, 4 * 990, 1);
    assert_int_equal(lives_renewed_ms(&l, x->pump[2], x->bearing), FIXTURE_NOW - 140 * MS_PER_DAY);
    /* The commissioning lies before the first record: the seal's first life is unknown. */
    const struct life *seal = lives_find(&l, x->class_id, x->seal);
    assert_int_equal(seal->n_failures, 0);
    assert_int_equal(seal->n_censored, 4);
    assert_false(seal->has_fit);
    assert_int_equal(lives_renewed_ms(&l, x->pump[0], 0), FIXTURE_NOW - 100 * MS_PER_DAY);
    assert_null(lives_find(&l, 99, 0));
    lives_free(&l);
    catalog_free(&c);
}

static void test_lives_load_repair_is_no_life(void **state)
{
    struct fixture *x = *state;
    struct catalog c;
    struct lives l;
    struct ft_err err;
    /* Replaced some hours after its failure: one life, not two. */
    const struct event e = {.asset_id = x->pump[0],
                            .component_id = x->bearing,
                            .kind = EVENT_REPLACEMENT,
                            .ts_ms = FIXTURE_NOW - 100 * MS_PER_DAY + 14 * MS_PER_HOUR,
                            .code = fx(""),
                            .downtime_ms = DB_NO_TIME,
                            .cost_minor = DB_NO_MONEY,
                            .source = fx("test")};
    int64_t id;
    bool is_new;
    assert_ok(event_put(x->db, &e, &id, &is_new, &err), err);
    assert_ok(catalog_load(x->db, &c, &err), err);
    assert_ok(lives_load(x->db, &c, FIXTURE_NOW, &l, &err), err);
    const struct life *bearing = lives_find(&l, x->class_id, x->bearing);
    assert_int_equal(bearing->n_failures, 8);
    assert_int_equal(bearing->n_censored, 4);
    assert_int_equal(lives_renewed_ms(&l, x->pump[0], x->bearing), e.ts_ms);
    lives_free(&l);
    catalog_free(&c);
}

static void test_life_cost_rate_matches_closed_forms(void **state)
{
    struct life life = {.n_failures = 10,
                        .has_fit = true,
                        .fit = {.shape = 2.5, .scale = 1000, .n = 10, .n_failures = 10}};
    assert_rel(life_cost_rate(&life, 1, 5), 0.0034620427, 1e-7);
    assert_rel(life_cost_rate_at(&life.fit, 493.04696, 1, 5), 0.0034620427, 1e-7);
    life.fit.shape = 1; /* no optimum: run to failure */
    assert_rel(life_cost_rate(&life, 1, 5), 5.0 / 1000, 1e-9);
    life.has_fit = false;
    life.exposure_d = 2000;
    assert_rel(life_cost_rate(&life, 1, 5), 5.0 * 10 / 2000, 1e-12);
    assert_close(life_cost_rate(NULL, 1, 5), 0, 0);
}

static void test_economics_costs_levels(void **state)
{
    struct fixture *x = *state;
    struct catalog c;
    struct economics e;
    struct ft_err err;
    assert_ok(catalog_load(x->db, &c, &err), err);
    economics_load(x->db, "EUR", &e);
    const struct asset *a = catalog_asset(&c, x->pump[0]);
    const struct job_costs k = economics_costs(&e, &c, a, x->bearing);
    assert_int_equal(k.failure_minor, 3000000);
    assert_int_equal(k.planned_minor, 600000);
    assert_int_equal(k.planned_stop_minor, 400000);
    assert_int_equal(k.false_alarm_minor, 45000);
    assert_false(k.has_default);
    assert_int_equal(economics_at_risk(&k, 0.5), 1200000);
    assert_int_equal(economics_at_risk(&k, NAN), 0);
    /* The asset as a whole: the mean of bearing (30,000) and seal (11,000). */
    assert_int_equal(economics_costs(&e, &c, a, 0).failure_minor, 2050000);
    struct asset other = *a;
    other.downtime_minor_per_h = 200000; /* its own cost of a stop goes before the class's */
    assert_int_equal(economics_costs(&e, &c, &other, x->bearing).failure_minor, 5000000);
    other.class_id = 0; /* nothing known: all defaults, and marked */
    other.downtime_minor_per_h = DB_NO_MONEY;
    const struct job_costs d = economics_costs(&e, &c, &other, 0);
    assert_true(d.has_default);
    assert_int_equal(d.failure_minor, 600000 + 600000);
    catalog_free(&c);
    economics_load(x->db, "JPY", &e);
    assert_int_equal(e.false_alarm_minor, 450); /* no hundredths */
    assert_ok(db_setting_set(x->db, "default_downtime_per_h", "2500", &err), err);
    economics_load(x->db, "EUR", &e);
    assert_int_equal(e.downtime_minor_per_h, 250000);
    assert_true(e.is_set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lives_load_counts_and_fits, fixture_open,
                                        fixture_close),
        cmocka_unit_test_setup_teardown(test_lives_load_repair_is_no_life, fixture_open,
                                        fixture_close),
        cmocka_unit_test(test_life_cost_rate_matches_closed_forms),
        cmocka_unit_test_setup_teardown(test_economics_costs_levels, fixture_open, fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
