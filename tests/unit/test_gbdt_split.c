/* The search of histograms: eight bins at a time finds bit for bit what one bin at a time finds. */
#include "tests/test.h"

#include "app/base/rng.h"
#include "models/gbdt/bin.h"
#include "models/gbdt/histogram.h"
#include "models/gbdt/split.h"

#include <math.h>
#include <string.h>

enum { MAX_CODES = 256 };
static const struct limits free_limits = {-INFINITY, INFINITY};

/* A histogram of n_bins and the missing ones; kind 0: full, 1: few codes, 2: one row each, 3: large
 * sums near the ends of their range. Returns the sum. */
static uint64_t make_hist(size_t seed, size_t n_bins, int kind, uint64_t *hist)
{
    uint64_t total = 0;
    for (size_t b = 0; b <= n_bins; b++) {
        const double u = rng_uniform(seed, 0, b), v = rng_uniform(seed, 1, b);
        const bool is_empty = (kind == 1 && u < 0.9) || (b == n_bins && seed % 3 == 0);
        const double size = kind == 3 ? 0x1p22 : kind == 2 ? 2 : 1000;
        const int32_t g = (int32_t)((2 * v - 1 + 0.3 * (b > n_bins / 3)) * size);
        hist[b] = is_empty ? 0 : gh_pack(g, (uint32_t)(u * size * (kind == 3 ? 3 : 1)));
        total += hist[b];
    }
    return total;
}

static void check_both(const uint64_t *hist, size_t n_bins, uint64_t total,
                       const struct split_rule *rule, struct split start)
{
    struct split found[2] = {start, start};
    for (size_t k = 0; k < 2; k++) {
        bins_allow_vectors(k == 1);
        split_search(hist, n_bins, total, 7, rule, &free_limits, 0, &found[k]);
    }
    bins_allow_vectors(true);
    assert_memory_equal(&found[0], &found[1], sizeof(found[0]));
}

static void test_split_search_vectors_find_the_same(void **state)
{
    static const struct split_rule rules[] = {
        {.lambda = 1, .gain_unit = 1},
        {.lambda = 0, .gain_unit = 0x1p-60},
        {.lambda = 300, .alpha = 50, .gain_unit = 3, .min_weight = 40},
        {.lambda = 1, .gain_unit = 1, .min_gain = 2000},
        {.lambda = 1e60, .gain_unit = 1},
        {.lambda = 1e300, .gain_unit = 1e-250},
    };
    uint64_t hist[MAX_CODES];
    size_t n_found = 0;
    for (size_t seed = 0; seed < 400; seed++) {
        const size_t n_bins = seed < 300 ? 1 + seed % 255 : 255;
        memset(hist, 0, sizeof(hist));
        const uint64_t total = make_hist(seed, n_bins, (int)(seed % 4), hist);
        for (size_t r = 0; r < sizeof(rules) / sizeof(*rules); r++) {
            struct split best;
            memset(&best, 0, sizeof(best));
            check_both(hist, n_bins, total, &rules[r], best);
            split_search(hist, n_bins, total, 7, &rules[r], &free_limits, 0, &best);
            n_found += best.gain > 0;
            best.gain *= 0.999; /* another column was a little worse, */
            check_both(hist, n_bins, total, &rules[r], best);
            best.gain *= 1.002; /* or a little better */
            check_both(hist, n_bins, total, &rules[r], best);
        }
    }
    assert_true(n_found > 1000);
}

/* All bins alike: the lowest wins, whatever its place among eight. */
static void test_split_search_tie_lowest_bin(void **state)
{
    const struct split_rule rule = {.lambda = 0, .gain_unit = 1};
    for (size_t first = 0; first < 40; first++) {
        uint64_t hist[64] = {0};
        struct split best = {0};
        hist[first] = gh_pack(5, 5);
        hist[first + 3] = gh_pack(0, 7);
        hist[first + 12] = gh_pack(-5, 5);
        const uint64_t total = gh_pack(0, 17);
        split_search(hist, 60, total, 0, &rule, &free_limits, 0, &best);
        assert_int_equal(best.bin, first);
        assert_close(best.gain, 0.5 * (5 + 25.0 / 12), 1e-12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split_search_vectors_find_the_same),
        cmocka_unit_test(test_split_search_tie_lowest_bin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
