#include "tests/db_fixture.h"

#include "app/base/clock.h"
#include "app/base/rng.h"
#include "app/catalog.h"
#include "app/history.h"
#include "app/ingest/ingest.h"
#include "app/lives.h"
#include "app/part_clock.h"

#define DAY MS_PER_DAY

static struct event put(int64_t id, int64_t asset, int64_t day, const char *part)
{
    return (struct event){.id = id,
                          .asset_id = asset,
                          .component_id = 1,
                          .kind = EVENT_REPLACEMENT,
                          .ts_ms = day * DAY,
                          .part = (char *)(uintptr_t)part};
}

static void expect(const struct event *events, size_t n, const int64_t *want_d)
{
    int64_t carried[16];
    struct ft_err err;
    assert_ok(part_clock_carried(events, n, carried, &err), err);
    for (size_t i = 0; i < n; i++)
        if (carried[i] != want_d[i] * DAY)
            fail_msg("event %zu: %g days, want %lld", i, (double)carried[i] / (double)DAY,
                     (long long)want_d[i]);
}

/* In, out to the shelf, in elsewhere; two that change places; a failure makes new. */
static void test_part_clock_carried(void **state)
{
    const struct event moves[] = {put(1, 1, 0, "S1"),   put(2, 1, 100, "S2"), put(3, 2, 150, "S1"),
                                  put(4, 2, 170, "S1"), put(5, 3, 200, "S1"), put(6, 2, 210, NULL)};
    expect(moves, 6, (const int64_t[]){0, 0, 100, 120, 150, 0});
    const struct event swap[] = {put(1, 1, 0, "A"), put(2, 2, 30, "B"), put(3, 1, 100, "B"),
                                 put(4, 2, 100, "A")};
    expect(swap, 4, (const int64_t[]){0, 0, 70, 100});
    struct event fails[] = {put(1, 1, 0, "A"),  put(2, 1, 50, NULL), put(3, 1, 50, "B"),
                            put(4, 2, 80, "A"), put(5, 2, 90, NULL), put(6, 3, 100, "A")};
    fails[1].kind = fails[4].kind = EVENT_FAILURE;
    expect(fails, 6, (const int64_t[]){0, 0, 0, 0, 0, 10});
    expect(NULL, 0, NULL);
}

/* Order of the array does not matter, and parts that never move bring nothing along. */
static void test_part_clock_carried_properties(void **state)
{
    enum { N = 16 };
    static const char *const names[] = {"a", "b", "c", "d"};
    struct ft_err err;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct event e[N];
        struct event turned[N];
        int64_t got[N];
        int64_t back[N];
        for (uint64_t i = 0; i < N; i++) {
            e[i] = put((int64_t)i + 1, 1 + (int64_t)rng_below(seed, 1, i, 3),
                       (int64_t)rng_below(seed, 2, i, 40), names[rng_below(seed, 3, i, 4)]);
            if (rng_uniform(seed, 4, i) < 0.2) {
                e[i].kind = EVENT_FAILURE;
                e[i].part = NULL;
            }
        }
        for (int i = 0; i < N; i++)
            turned[i] = e[N - 1 - i];
        assert_ok(part_clock_carried(e, N, got, &err), err);
        assert_ok(part_clock_carried(turned, N, back, &err), err);
        for (int i = 0; i < N; i++) {
            assert_int_equal(got[i], back[N - 1 - i]);
            assert_true(got[i] >= 0 && got[i] <= e[i].ts_ms); /* no older than the record */
        }
    }
}

/* From the import's record to the ages that plans and features see. */
static void test_part_clock_in_lives_and_history(void **state)
{
    struct db_fixture *f = *state;
    const struct ingest_policy policy = {.class_name = "pump", .source = "t"};
    const struct ingest_event items[] = {
        {"P1", "replacement", "seal", NULL, NULL, NULL, "S1", 0, NAN, DB_NO_MONEY},
        {"P1", "replacement", "seal", NULL, NULL, NULL, "S2", 100 * DAY, NAN, DB_NO_MONEY},
        {"P2", "replacement", "seal", NULL, NULL, NULL, "S1", 150 * DAY, NAN, DB_NO_MONEY},
        {"P2", "failure", "seal", NULL, NULL, NULL, "S9", 190 * DAY, NAN, DB_NO_MONEY}};
    struct ingest_result r[4];
    struct catalog c = {0};
    struct lives lives;
    struct history *h;
    assert_int_equal(ingest_events(f->db, &policy, items, 4, r, &f->err), FT_PARTIAL);
    assert_non_null(strstr(r[3].reason, "part_serial"));
    assert_ok(catalog_load(f->db, &c, &f->err), f->err);
    assert_ok(lives_load(f->db, &c, 200 * DAY, &lives, &f->err), f->err);
    const int64_t seal = c.components.items[0].id;
    struct asset p2 = {0};
    assert_ok(asset_find(f->db, "P2", &p2, &f->err), f->err);
    assert_int_equal(lives_renewed_ms(&lives, p2.id, seal), 50 * DAY);
    const struct life *life = lives_find(&lives, c.classes.items[0].id, seal);
    assert_int_equal(life->n, 3);
    assert_close(life->time[2], 150, 1e-9); /* S1 now: 100 days on P1, 50 on P2 */
    assert_close(life->entry[2], 100, 1e-9);
    assert_ok(history_load(f->db, "pump", DB_NO_TIME, &h, &f->err), f->err);
    const size_t k = history_component(h, "seal");
    assert_int_equal(history_renewal_ms(h, &h->assets[1], k, 200 * DAY), 50 * DAY);
    assert_int_equal(history_renewal_ms(h, &h->assets[0], k, 200 * DAY), 100 * DAY);
    history_free(h);
    lives_free(&lives);
    catalog_free(&c);
    asset_clear(&p2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_part_clock_carried),
        cmocka_unit_test(test_part_clock_carried_properties),
        cmocka_unit_test_setup_teardown(test_part_clock_in_lives_and_history, db_fixture_open,
                                        db_fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
