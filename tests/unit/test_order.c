#include "tests/test.h"

#include "models/order.h"

static void test_order_falling_by_hand(void **state)
{
    static const double value[] = {2, -1, 2, INFINITY, 0, -INFINITY};
    static const size_t want[] = {3, 0, 2, 4, 1, 5}; /* equal ones by rising number */
    size_t order[6] = {0};
    assert_true(order_falling(value, 6, order));
    assert_memory_equal(order, want, sizeof(want));
    assert_true(order_falling(value, 1, order));
    assert_int_equal(order[0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order_falling_by_hand)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
