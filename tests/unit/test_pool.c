#include "tests/test.h"

#include "app/base/pool.h"

#include <stdlib.h>

enum { N = 5000 };

static void square(void *ctx, size_t i)
{
    ((size_t *)ctx)[i] = i * i;
}

static void test_pool_run_each_index_once(void **state)
{
    for (size_t n_threads = 1; n_threads <= 8; n_threads += 3) {
        struct pool *pool;
        struct ft_err err;
        size_t *out = calloc(N, sizeof(*out));
        assert_ok(pool_new(n_threads, &pool, &err), err);
        pool_run(pool, N, square, out);
        for (size_t i = 0; i < N; i++)
            assert_int_equal(out[i], i * i);
        pool_free(pool);
        free(out);
    }
}

struct nested {
    struct pool *pool;
    size_t sums[16];
};

struct inner {
    size_t outer;
    size_t cells[64];
};

static void inner_job(void *ctx, size_t i)
{
    struct inner *in = ctx;
    in->cells[i] = in->outer * 1000 + i;
}

static void outer_job(void *ctx, size_t i)
{
    struct nested *n = ctx;
    struct inner in = {.outer = i};
    pool_run(n->pool, 64, inner_job, &in);
    for (size_t k = 0; k < 64; k++)
        n->sums[i] += in.cells[k];
}

static void test_pool_run_nested(void **state)
{
    struct nested n = {0};
    struct ft_err err;
    assert_ok(pool_new(4, &n.pool, &err), err);
    pool_run(n.pool, 16, outer_job, &n);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(n.sums[i], i * 64000 + 63 * 64 / 2);
    assert_true(pool_busy_s(n.pool) >= 0);
    pool_free(n.pool);
}

static void block_job(void *ctx, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        ((size_t *)ctx)[i]++;
}

static void test_pool_run_blocks_uneven(void **state)
{
    struct pool *pool;
    struct ft_err err;
    size_t hits[103] = {0};
    assert_ok(pool_new(3, &pool, &err), err);
    pool_run_blocks(pool, 103, 10, block_job, hits);
    for (size_t i = 0; i < 103; i++)
        assert_int_equal(hits[i], 1);
    pool_free(pool);
}

static void test_pool_new_refuses_too_many(void **state)
{
    struct pool *pool;
    struct ft_err err;
    assert_int_equal(pool_new(5000, &pool, &err), FT_INVALID);
    assert_null(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool_run_each_index_once),
        cmocka_unit_test(test_pool_run_nested),
        cmocka_unit_test(test_pool_run_blocks_uneven),
        cmocka_unit_test(test_pool_new_refuses_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
