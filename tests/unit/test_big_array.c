#include "tests/test.h"

#include "app/base/big_array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void test_big_array_any_size(void **state)
{
    static const size_t sizes[] = {0, 1, 63, 4096, (4 << 20) - 1, 4 << 20, (9 << 20) + 7};
    for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
        char *p = big_array(sizes[k], 1);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        memset(p, 7, sizes[k]);
        free(p);
    }
    void *none = big_array(0, 8);
    assert_non_null(none);
    free(none);
}

static void test_big_array_refuses_products_that_overflow(void **state)
{
    assert_null(big_array(SIZE_MAX / 8, 16));
    assert_null(big_array(SIZE_MAX, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_big_array_any_size),
        cmocka_unit_test(test_big_array_refuses_products_that_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
