#include "tests/test.h"

#include "app/base/rng.h"
#include "db/codebook.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 4000 };

/* Whole numbers of one of several manners. */
static void make(uint64_t seed, int64_t *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int64_t regime = (int64_t)rng_below(seed, 1, i, 6) * 100000;
        const double noise = rng_normal(seed, 2, i);
        if (seed % 4 == 0)
            m[i] = 5;
        else if (seed % 4 == 1)
            m[i] = regime + (int64_t)(noise * 50) - 200000;
        else if (seed % 4 == 2)
            m[i] = (int64_t)(noise * 1e9);
        else
            m[i] = (int64_t)rng_u64(seed, 3, i) >> 13;
    }
}

/* What is coded comes back, numbers the codebook never saw and odd doubles included. */
static void test_codebook_round_trip(void **state)
{
    static int64_t learnt[N], m[CODEBOOK_MAX_N];
    static double value[CODEBOOK_MAX_N], back[CODEBOOK_MAX_N];
    static unsigned char is_number[CODEBOOK_MAX_N];
    struct ft_err err;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct codebook *b = NULL;
        struct codebook *again = NULL;
        unsigned char *saved = NULL;
        size_t len = 0;
        const size_t n = 1 + (size_t)rng_below(seed, 9, 0, CODEBOOK_MAX_N);
        make(seed, learnt, N);
        assert_ok(codebook_build(learnt, N, 2, &b, &err), err);
        assert_ok(codebook_save(b, &saved, &len, &err), err);
        assert_ok(codebook_load(saved, len, &again, &err), err);
        assert_memory_equal(b, again, sizeof(*b));
        make(seed < 30 ? seed : seed + 1, m, n);
        for (size_t i = 0; i < n; i++) {
            const uint64_t bits = rng_u64(seed, 4, i);
            is_number[i] = bits % 50 != 0;
            value[i] = (double)m[i] / 100;
            if (!is_number[i])
                memcpy(&value[i], bits % 3 == 0 ? &(uint64_t){UINT64_MAX} : &bits, sizeof(bits));
        }
        unsigned char *out = malloc(codebook_bound(n));
        assert_non_null(out);
        const unsigned char *end = codebook_encode(b, m, is_number, value, n, out);
        assert_true((size_t)(end - out) <= codebook_bound(n));
        struct cursor c = {out, end, NULL};
        codebook_decode(again, &c, 100, back, n);
        assert_null(c.what);
        assert_ptr_equal(c.p, end);
        assert_memory_equal(back, value, n * sizeof(*value));
        free(out);
        free(saved);
        free(b);
        free(again);
    }
}

/* The coded form is within a few percent of the entropy. */
static void test_codebook_encode_near_entropy(void **state)
{
    static int64_t learnt[N], m[2000];
    static double value[2000];
    static unsigned char is_number[2000];
    static unsigned char out[200000];
    struct codebook *b = NULL;
    double bits = 0;
    for (size_t i = 0; i < N; i++)
        learnt[i] = (int64_t)rng_below(3, 1, i, 16) * (int64_t)rng_below(3, 2, i, 2);
    for (size_t i = 0; i < 2000; i++) {
        m[i] = (int64_t)rng_below(4, 1, i, 16) * (int64_t)rng_below(4, 2, i, 2);
        value[i] = (double)m[i];
        is_number[i] = 1;
        bits += m[i] == 0 ? -log2(17.0 / 32) : 5;
    }
    assert_int_equal(codebook_build(learnt, N, 0, &b, NULL), FT_OK);
    const size_t len = (size_t)(codebook_encode(b, m, is_number, value, 2000, out) - out);
    assert_true((double)len < bits / 8 * 1.03 + 8);
    free(b);
}

/* Any damage to what is stored is refused or decodes to something; nothing is read outside. */
static void test_codebook_load_damaged(void **state)
{
    int64_t learnt[64];
    unsigned char *saved = NULL;
    size_t len = 0;
    struct codebook *b = NULL;
    for (int64_t i = 0; i < 64; i++)
        learnt[i] = i * i % 37;
    assert_int_equal(codebook_build(learnt, 64, 1, &b, NULL), FT_OK);
    assert_int_equal(codebook_save(b, &saved, &len, NULL), FT_OK);
    free(b);
    for (size_t bit = 0; bit < len * 8; bit++) {
        saved[bit / 8] ^= (unsigned char)(1 << bit % 8);
        if (codebook_load(saved, len, &b, NULL) == FT_OK)
            free(b);
        saved[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(codebook_load(saved, cut, &b, NULL), FT_INVALID);
    free(saved);
    assert_int_equal(codebook_build(learnt, 0, 1, &b, NULL), FT_TOO_FEW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codebook_round_trip),
        cmocka_unit_test(test_codebook_encode_near_entropy),
        cmocka_unit_test(test_codebook_load_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
