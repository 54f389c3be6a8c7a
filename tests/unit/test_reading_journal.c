#include "tests/test.h"

#include "app/base/rng.h"
#include "db/reading_journal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void assert_round_trip(const struct reading_point *points, size_t n)
{
    struct ft_err err;
    unsigned char *row = NULL;
    struct reading_point *back = NULL;
    size_t len = 0;
    size_t n_back = 0;
    assert_ok(journal_encode(points, n, &row, &len, &err), err);
    assert_ok(journal_decode(row, len, &back, &n_back, &err), err);
    assert_int_equal(n_back, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(back[i].sensor_id, points[i].sensor_id);
        assert_int_equal(back[i].ts_ms, points[i].ts_ms);
        assert_memory_equal(&back[i].value, &points[i].value, sizeof(double));
    }
    free(back);
    free(row);
}

/* Any bits as ids, instants and values come back. */
static void test_journal_round_trip(void **state)
{
    struct reading_point *points = calloc(JOURNAL_MAX_N, sizeof(*points));
    assert_non_null(points);
    static const size_t sizes[] = {1, 2, 7, 100, 5000, JOURNAL_MAX_N};
    for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++)
        for (uint64_t seed = 0; seed < 4; seed++) {
            for (size_t i = 0; i < sizes[k]; i++) {
                const uint64_t bits = rng_u64(seed, k, i);
                const bool is_wild = seed % 2 == 0;
                points[i].sensor_id = is_wild ? (int64_t)rng_u64(seed, 9, i) : (int64_t)(i % 40);
                points[i].ts_ms = is_wild ? (int64_t)rng_u64(seed, 8, i) : (int64_t)i / 40 * 60000;
                points[i].value = (double)(bits % 1000) / 10;
                if (is_wild)
                    memcpy(&points[i].value, &bits, sizeof(bits));
            }
            assert_round_trip(points, sizes[k]);
        }
    free(points);
}

/* Every flipped bit and every cut is found. */
static void test_journal_decode_finds_damage(void **state)
{
    struct reading_point points[50];
    struct reading_point *back = NULL;
    unsigned char *row = NULL;
    size_t len = 0;
    size_t n = 0;
    for (size_t i = 0; i < 50; i++)
        points[i] = (struct reading_point){(int64_t)i, 1000, (double)i / 8};
    assert_int_equal(journal_encode(points, 50, &row, &len, NULL), FT_OK);
    for (size_t bit = 0; bit < len * 8; bit++) {
        row[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_int_equal(journal_decode(row, len, &back, &n, NULL), FT_INVALID);
        assert_null(back);
        row[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(journal_decode(row, cut, &back, &n, NULL), FT_INVALID);
    free(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_journal_round_trip),
        cmocka_unit_test(test_journal_decode_finds_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
