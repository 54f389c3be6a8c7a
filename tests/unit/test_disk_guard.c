#include "tests/test.h"

#include "app/disk_guard.h"

#include <string.h>

struct disk {
    int64_t free_bytes, total_bytes;
    bool is_known;
    int n_asked;
    char path[64];
};

static bool ask(void *ctx, const char *path, int64_t *free_bytes, int64_t *total_bytes)
{
    struct disk *d = ctx;
    d->n_asked++;
    snprintf(d->path, sizeof(d->path), "%s", path);
    *free_bytes = d->free_bytes;
    *total_bytes = d->total_bytes;
    return d->is_known;
}

static bool look(struct disk_guard *g)
{
    atomic_store(&g->next_look_ms, INT64_MIN); /* as if a second had gone by */
    return disk_guard_is_full(g);
}

static void test_disk_guard_limits(void **state)
{
    (void)state;
    struct disk d = {2000, 10000, true, 0, ""};
    struct disk_guard g;
    disk_guard_init(&g, "/var/lib/plant.db", 1000, 0.05, ask, &d);
    assert_false(look(&g));
    assert_string_equal(d.path, "/var/lib/");
    d.free_bytes = 1000;
    assert_false(look(&g));
    d.free_bytes = 999;
    assert_true(look(&g));
    d.total_bytes = 100000; /* 5 % of it are 5000 */
    d.free_bytes = 4999;
    assert_true(look(&g));
    d.free_bytes = 5000; /* and it recovers by itself */
    assert_false(look(&g));
    assert_int_equal(atomic_load(&g.free_bytes), 5000);
}

static void test_disk_guard_asks_seldom(void **state)
{
    (void)state;
    struct disk d = {0, 100, true, 0, ""};
    struct disk_guard g;
    disk_guard_init(&g, "plant.db", 1, 0, ask, &d);
    for (int i = 0; i < 1000; i++)
        assert_true(disk_guard_is_full(&g));
    assert_in_range(d.n_asked, 1, 10);
    assert_string_equal(d.path, ".");
}

static void test_disk_guard_unknown_is_room(void **state)
{
    (void)state;
    struct disk d = {0, 0, false, 0, ""};
    struct disk_guard g;
    disk_guard_init(&g, "plant.db", 1 << 30, 0.05, ask, &d);
    assert_false(look(&g));
    disk_guard_init(&g, "/nowhere/at/all/x.db", INT64_MAX, 0.05, NULL, NULL);
    assert_false(look(&g));
    disk_guard_init(&g, "/tmp/x.db", INT64_MAX, 0.05, NULL, NULL);
    assert_true(look(&g));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disk_guard_limits),
        cmocka_unit_test(test_disk_guard_asks_seldom),
        cmocka_unit_test(test_disk_guard_unknown_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
