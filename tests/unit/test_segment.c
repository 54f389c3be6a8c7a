#include "tests/test.h"

#include "app/base/rng.h"
#include "db/segment.h"

#include <stdlib.h>
#include <zlib.h>

enum { N_KINDS = 12, N_STEPS = 5 };

static const uint64_t odd_bits[] = {UINT64_C(0x8000000000000000), UINT64_C(0x7ff0000000000000),
                                    UINT64_C(0xfff0000000000000), UINT64_C(0x7ff8000000000000),
                                    UINT64_C(0xfff8000000000000), UINT64_C(0x7ff0000000000001),
                                    UINT64_C(0xfff123456789abcd), UINT64_C(1),
                                    UINT64_C(0x800fffffffffffff), UINT64_C(0x7fefffffffffffff)};

static double from_bits(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof(v));
    return v;
}

static double odd(uint64_t draw)
{
    return from_bits(odd_bits[draw % (sizeof(odd_bits) / sizeof(odd_bits[0]))]);
}

static double make_value(int kind, uint64_t seed, size_t i)
{
    const uint64_t draw = rng_u64(seed, 1, i);
    const double noise = rng_normal(seed, 2, i);
    switch (kind) {
    case 0:
        return from_bits(draw); /* any double at all */
    case 1:
        return 21.5; /* stuck */
    case 2:
        return round(noise * 100) / 100;
    case 3: /* decimals with a few that are none */
        return draw % 50 == 0 ? odd(draw >> 8) : round(noise * 1000) / 1000;
    case 4: /* and with too many */
        return draw % 4 == 0 ? odd(draw >> 8) : round(noise * 1000) / 1000;
    case 5:
        return (float)noise;
    case 6:
        return noise * 1e-310; /* denormal */
    case 7:
        return (double)i + (double)(draw % 2);
    case 8:
        return 0x1p51 + (double)(draw % 4096) - 2048; /* around the limit of the scaling */
    case 9:
        return (double)(int64_t)draw; /* huge whole numbers */
    case 10:
        return odd(draw);
    default: /* digits that grow along the block */
        return round(noise * pow(10, (double)(i % 17))) / pow(10, (double)(i % 17));
    }
}

static void make_instants(int step, uint64_t seed, int64_t *ts, size_t n)
{
    int64_t t = step == 4 ? INT64_MIN : INT64_C(1700000000000);
    for (size_t i = 0; i < n; i++) {
        ts[i] = t;
        const uint64_t draw = rng_u64(seed, 3, i);
        switch (step) {
        case 0:
            t += 60000;
            break;
        case 1: /* with gaps */
            t += draw % 100 == 0 ? 86400000 : 1000;
            break;
        case 2: /* jitter */
            t += 1 + (int64_t)(draw % 2000);
            break;
        case 3:
            t += 1;
            break;
        default: /* over the whole range of instants */
            t = (int64_t)((uint64_t)t + UINT64_MAX / n);
            break;
        }
    }
}

static void assert_round_trip(struct segment_codec *codec, const int64_t *ts, const double *v,
                              size_t n)
{
    static int64_t got_ts[SEGMENT_MAX_N];
    static double got_v[SEGMENT_MAX_N];
    struct reading_segment seg;
    struct ft_err err;
    assert_ok(segment_encode(codec, ts, v, n, &seg, &err), err);
    assert_int_equal(seg.n, n);
    assert_ok(segment_decode(codec, &seg, got_ts, got_v, &err), err);
    assert_memory_equal(got_ts, ts, n * sizeof(*ts));
    assert_memory_equal(got_v, v, n * sizeof(*v));
    assert_ok(segment_check_summary(&seg, ts, v, &err), err);
    segment_clear(&seg);
}

static void test_segment_round_trip_any_data(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 4, 33, 500, SEGMENT_TARGET_N, SEGMENT_MAX_N};
    static int64_t ts[SEGMENT_MAX_N];
    static double v[SEGMENT_MAX_N];
    struct segment_codec *codec;
    struct ft_err err;
    assert_ok(segment_codec_new(&codec, &err), err);
    for (int kind = 0; kind < N_KINDS; kind++) {
        for (int step = 0; step < N_STEPS; step++) {
            for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
                const uint64_t seed = (uint64_t)(kind * 100 + step * 10) + s;
                make_instants(step, seed, ts, sizes[s]);
                for (size_t i = 0; i < sizes[s]; i++)
                    v[i] = make_value(kind, seed, i);
                assert_round_trip(codec, ts, v, sizes[s]);
            }
        }
    }
    segment_codec_free(codec);
}

/* With and without vector instructions: the same bytes and the same readings. */
static void test_segment_plain_is_same(void **state)
{
    static int64_t ts[SEGMENT_MAX_N], back_ts[SEGMENT_MAX_N];
    static double v[SEGMENT_MAX_N], back[SEGMENT_MAX_N];
    struct segment_codec *fast;
    struct segment_codec *plain;
    assert_int_equal(segment_codec_new(&fast, NULL), FT_OK);
    assert_int_equal(segment_codec_new(&plain, NULL), FT_OK);
    segment_codec_plain(plain);
    for (uint64_t round = 0; round < 200; round++) {
        const size_t n = 1 + (size_t)rng_below(77, round, 0, round % 5 == 0 ? SEGMENT_MAX_N : 700);
        const double power = pow(10, (double)rng_below(77, round, 1, 7));
        for (size_t i = 0; i < n; i++) {
            const uint64_t draw = rng_u64(77, round, 10 + i);
            ts[i] = (i > 0 ? ts[i - 1] : -5000) + 1 + (int64_t)(round % 3 == 0 ? draw % 9 : 1000);
            v[i] = round % 2 == 0 ? (double)((int64_t)(draw >> 44) - 500000) / power
                                  : rng_normal(78, round, i);
            if (draw % 97 == 0)
                memcpy(&v[i], &draw, sizeof(draw));
        }
        struct reading_segment a;
        struct reading_segment b;
        assert_int_equal(segment_encode(fast, ts, v, n, &a, NULL), FT_OK);
        assert_int_equal(segment_encode(plain, ts, v, n, &b, NULL), FT_OK);
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.payload, b.payload, a.len);
        struct segment_codec *const codecs[] = {fast, plain};
        for (int k = 0; k < 2; k++) {
            assert_int_equal(segment_decode(codecs[k], &a, back_ts, back, NULL), FT_OK);
            assert_memory_equal(back_ts, ts, n * sizeof(*ts));
            assert_memory_equal(back, v, n * sizeof(*v));
        }
        segment_clear(&a);
        segment_clear(&b);
    }
    segment_codec_free(fast);
    segment_codec_free(plain);
}

static void test_segment_encode_is_small(void **state)
{
    static int64_t ts[SEGMENT_TARGET_N];
    static double v[SEGMENT_TARGET_N];
    static const struct {
        int kind;
        double max_bytes; /* for each reading */
    } rows[] = {{1, 0.01}, {2, 1.3}, {5, 4.1}, {7, 0.3}, {0, 8.01}};
    struct segment_codec *codec;
    struct ft_err err;
    assert_ok(segment_codec_new(&codec, &err), err);
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct reading_segment seg;
        make_instants(0, 1, ts, SEGMENT_TARGET_N);
        for (size_t i = 0; i < SEGMENT_TARGET_N; i++)
            v[i] = make_value(rows[r].kind, 1, i);
        assert_ok(segment_encode(codec, ts, v, SEGMENT_TARGET_N, &seg, &err), err);
        assert_true((double)seg.len / SEGMENT_TARGET_N < rows[r].max_bytes);
        segment_clear(&seg);
    }
    segment_codec_free(codec);
}

static void test_segment_encode_same_bytes(void **state)
{
    static int64_t ts[SEGMENT_TARGET_N];
    static double v[SEGMENT_TARGET_N];
    struct reading_segment a;
    struct reading_segment b;
    struct segment_codec *first;
    struct segment_codec *second;
    struct ft_err err;
    assert_ok(segment_codec_new(&first, &err), err);
    assert_ok(segment_codec_new(&second, &err), err);
    for (int kind = 0; kind < N_KINDS; kind++) { /* what was encoded before must not matter */
        make_instants(2, 9, ts, SEGMENT_TARGET_N);
        for (size_t i = 0; i < SEGMENT_TARGET_N; i++)
            v[i] = make_value(kind, 9, i);
        assert_ok(segment_encode(first, ts, v, SEGMENT_TARGET_N, &a, &err), err);
        assert_ok(segment_encode(second, ts, v, 77, &b, &err), err);
        segment_clear(&b);
        assert_ok(segment_encode(second, ts, v, SEGMENT_TARGET_N, &b, &err), err);
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.payload, b.payload, a.len);
        segment_clear(&a);
        segment_clear(&b);
    }
    segment_codec_free(first);
    segment_codec_free(second);
}

static void test_segment_encode_refuses(void **state)
{
    const int64_t ts[] = {1, 2, 2};
    const double v[] = {1, 2, 3};
    struct reading_segment seg;
    struct segment_codec *codec;
    struct ft_err err;
    assert_ok(segment_codec_new(&codec, &err), err);
    assert_int_equal(segment_encode(codec, ts, v, 0, &seg, &err), FT_INVALID);
    assert_int_equal(segment_encode(codec, ts, v, SEGMENT_MAX_N + 1, &seg, &err), FT_INVALID);
    assert_int_equal(segment_encode(codec, ts, v, 3, &seg, &err), FT_INVALID);
    assert_null(seg.payload);
    segment_codec_free(codec);
}

/* Any damage is found by the checksum; with the checksum made right it is refused or decodes to
 * other readings, but never harms. */
static void test_segment_decode_damaged(void **state)
{
    static int64_t ts[SEGMENT_MAX_N];
    static double v[SEGMENT_MAX_N];
    struct segment_codec *codec;
    struct reading_segment seg;
    struct ft_err err;
    assert_ok(segment_codec_new(&codec, &err), err);
    for (int kind = 2; kind < 6; kind++) {
        make_instants(2, 5, ts, 300);
        for (size_t i = 0; i < 300; i++)
            v[i] = make_value(kind, 5, i);
        assert_ok(segment_encode(codec, ts, v, 300, &seg, &err), err);
        const uint32_t crc = seg.crc;
        const size_t len = seg.len;
        for (size_t k = 0; k < len; k++) {
            const unsigned char old = seg.payload[k];
            seg.payload[k] ^= (unsigned char)(1u << rng_below(1, 2, k, 8));
            seg.crc = crc;
            assert_int_equal(segment_decode(codec, &seg, ts, v, &err), FT_INVALID);
            seg.crc = (uint32_t)crc32(0, seg.payload, (unsigned)seg.len);
            const enum ft_status st = segment_decode(codec, &seg, ts, v, &err);
            assert_true(st == FT_OK || st == FT_INVALID);
            seg.payload[k] = old;
        }
        for (seg.len = 0; seg.len < len; seg.len++) {
            seg.crc = (uint32_t)crc32(0, seg.payload, (unsigned)seg.len);
            assert_int_equal(segment_decode(codec, &seg, ts, v, &err), FT_INVALID);
        }
        seg.crc = crc;
        seg.n++;
        assert_int_equal(segment_decode(codec, &seg, ts, v, &err), FT_INVALID);
        seg.n--;
        seg.end_ms++;
        assert_int_equal(segment_decode(codec, &seg, ts, v, &err), FT_INVALID);
        seg.end_ms--;
        assert_ok(segment_decode(codec, &seg, ts, v, &err), err);
        segment_clear(&seg);
    }
    segment_codec_free(codec);
}

static void test_segment_summarise_skips_nan(void **state)
{
    const int64_t ts[] = {5, 6, 7, 8};
    const double v[] = {NAN, 3, -1, NAN};
    const double none[] = {NAN, NAN, NAN, NAN};
    struct reading_segment s;
    struct ft_err err;
    segment_summarise(ts, v, 4, &s);
    assert_int_equal(s.n, 4);
    assert_int_equal(s.n_numbers, 2);
    assert_close(s.min, -1, 0);
    assert_close(s.max, 3, 0);
    assert_close(s.sum, 2, 0);
    assert_close(s.last, -1, 0);
    assert_int_equal(s.start_ms, 5);
    assert_int_equal(s.end_ms, 8);
    s.sum += 1;
    assert_int_equal(segment_check_summary(&s, ts, v, &err), FT_INVALID);
    segment_summarise(ts, none, 4, &s);
    assert_int_equal(s.n_numbers, 0);
    assert_true(isnan(s.min) && isnan(s.max) && isnan(s.sum) && isnan(s.last));
    assert_ok(segment_check_summary(&s, ts, none, &err), err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segment_round_trip_any_data),
        cmocka_unit_test(test_segment_plain_is_same),
        cmocka_unit_test(test_segment_encode_is_small),
        cmocka_unit_test(test_segment_encode_same_bytes),
        cmocka_unit_test(test_segment_encode_refuses),
        cmocka_unit_test(test_segment_decode_damaged),
        cmocka_unit_test(test_segment_summarise_skips_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
