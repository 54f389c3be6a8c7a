#include "tests/test.h"

#include "app/base/rng.h"
#include "models/order.h"

#include <stdlib.h>

static void test_order_falling_by_hand(void **state)
{
    static const double value[] = {2, -1, 2, INFINITY, 0, -INFINITY, -0.0, 0};
    static const size_t want[] = {3, 0, 2, 4, 6, 7, 1, 5}; /* equal ones by rising number */
    size_t order[8] = {0};
    assert_true(order_falling(value, 8, order));
    assert_memory_equal(order, want, sizeof(want));
    assert_true(order_falling(value, 1, order));
    assert_int_equal(order[0], 0);
    assert_true(order_falling(value, 0, order));
}

static void test_order_falling_any_values(void **state)
{
    enum { N = 3000 };
    static double value[N];
    static size_t order[N];
    for (size_t seed = 0; seed < 6; seed++) {
        for (size_t i = 0; i < N; i++) {
            const double v = rng_normal(seed, 0, i);
            value[i] = seed < 2 ? v : seed < 4 ? (double)(int)(9 * v) : v * exp(200 * v);
        }
        assert_true(order_falling(value, N, order));
        for (size_t k = 1; k < N; k++) {
            const double a = value[order[k - 1]], b = value[order[k]];
            assert_true(a > b || (a == b && order[k - 1] < order[k]));
        }
    }
}

static int compare(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void test_order_integers_as_qsort(void **state)
{
    enum { N = 2000 };
    static uint32_t values[N], scratch[N], want[N];
    static const size_t sizes[] = {0, 1, 2, 48, 49, 300, N};
    for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++)
        for (unsigned bits = 1; bits <= 32; bits += 5) {
            const size_t n = sizes[k];
            for (size_t i = 0; i < n; i++)
                values[i] = want[i] = (uint32_t)(rng_u64(k, bits, i) >> (64 - bits));
            order_integers(values, scratch, n);
            qsort(want, n, sizeof(*want), compare);
            assert_memory_equal(values, want, n * sizeof(*want));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order_falling_by_hand),
                                       cmocka_unit_test(test_order_falling_any_values),
                                       cmocka_unit_test(test_order_integers_as_qsort)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
