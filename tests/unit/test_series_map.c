#include "tests/test.h"

#include "app/ingest/series_map.h"

#include <stdio.h>
#include <string.h>

static struct ft_err err;

static int64_t look(const struct series_map *m, const char *series, const char *field)
{
    const size_t len = strlen(series);
    return series_map_find(m, series_map_hash(m, series, len), series, len, field, strlen(field));
}

static void add(struct series_map *m, const char *series, const char *field, int64_t id)
{
    const size_t len = strlen(series);
    assert_ok(series_map_add(m, series_map_hash(m, series, len), series, len, field, strlen(field),
                             id, &err),
              err);
}

static void test_series_map_many(void **state)
{
    (void)state;
    struct series_map *m = NULL;
    char series[40];
    char field[40];
    assert_ok(series_map_new(100000, 42, &m, &err), err);
    for (int i = 0; i < 20000; i++) {
        snprintf(series, sizeof(series), "pump,asset=P-%d", i / 10);
        snprintf(field, sizeof(field), "f%d", i % 10);
        assert_int_equal(look(m, series, field), 0);
        add(m, series, field, i + 1);
    }
    for (int i = 0; i < 20000; i++) {
        snprintf(series, sizeof(series), "pump,asset=P-%d", i / 10);
        snprintf(field, sizeof(field), "f%d", i % 10);
        assert_int_equal(look(m, series, field), i + 1);
    }
    assert_int_equal(series_map_count(m), 20000);
    series_map_clear(m);
    assert_int_equal(look(m, "pump,asset=P-1", "f1"), 0);
    series_map_free(m);
    series_map_free(NULL);
}

static void test_series_map_key_parts(void **state)
{
    (void)state;
    struct series_map *m = NULL;
    assert_ok(series_map_new(3, 7, &m, &err), err);
    add(m, "ab", "c", 1);
    add(m, "a", "bc", 2);
    add(m, "", "abc", 3);
    assert_int_equal(look(m, "ab", "c"), 1);
    assert_int_equal(look(m, "a", "bc"), 2);
    assert_int_equal(look(m, "", "abc"), 3);
    assert_int_equal(look(m, "abc", ""), 0);
    add(m, "x", "y", 4); /* one too many: the others go */
    assert_int_equal(look(m, "x", "y"), 4);
    assert_int_equal(look(m, "ab", "c"), 0);
    assert_int_equal(series_map_count(m), 1);
    series_map_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_series_map_many),
        cmocka_unit_test(test_series_map_key_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
