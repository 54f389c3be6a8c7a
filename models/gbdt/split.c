/* Gains by Chen and Guestrin 2016, eq. 7 without gamma: half the gain in score; with L1 the
 * gradient sum is moved towards 0 by alpha first. With monotone columns the children's values are
 * held to their node's limits and the gain is that of the held values, as XGBoost does it. */
#include "models/gbdt/split.h"

#include "models/gbdt/bin.h"
#include "models/gbdt/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* The sum of gradients less the L1 penalty. */
static inline double soft(double g, double alpha)
{
    return alpha > 0 ? copysign(fmax(fabs(g) - alpha, 0), g) : g;
}

static inline double score_of(uint64_t sum, double lambda, double alpha)
{
    const double g = soft(gh_gradient(sum), alpha);
    return g * g / ((double)gh_hessian(sum) + lambda);
}

double split_score(uint64_t sum, const struct split_rule *rule)
{
    return score_of(sum, rule->lambda, rule->alpha);
}

double split_value(uint64_t sum, const struct split_rule *rule, const struct limits *limits)
{
    const double h = (double)gh_hessian(sum) + rule->lambda;
    const double value = h > 0 ? -soft(gh_gradient(sum), rule->alpha) / h : 0;
    return fmin(fmax(value, limits->low), limits->high);
}

/* Score of a value that need not be the best one; of the best one it is split_score(). */
static double score_at(uint64_t sum, double value, const struct split_rule *rule)
{
    const double h = (double)gh_hessian(sum) + rule->lambda;
    return -(2 * gh_gradient(sum) * value + h * value * value + 2 * rule->alpha * fabs(value));
}

/* One column of one node. */
struct look {
    const uint64_t *hist;
    size_t n_bins;
    uint64_t total;
    uint32_t column;
    const struct split_rule *rule;
    const struct limits *limits;
    int direction;
    double parent; /* score of the node */
    struct split *best;
};

/* 0 when a side is too light; both sides always carry some hessian, so shares of it are never
 * 0 / 0. */
static inline double gain_of(const struct look *l, uint64_t left, double alpha)
{
    const struct split_rule *rule = l->rule;
    const uint64_t right = l->total - left;
    const uint32_t h_left = gh_hessian(left), h_right = gh_hessian(right);
    if (h_left == 0 || h_right == 0 || h_left < rule->min_weight || h_right < rule->min_weight)
        return 0;
    return 0.5 * rule->gain_unit *
           (score_of(left, rule->lambda, alpha) + score_of(right, rule->lambda, alpha) - l->parent);
}

static double constrained_gain_of(const struct look *l, uint64_t left)
{
    const struct split_rule *rule = l->rule;
    const uint64_t right = l->total - left;
    const uint32_t h_left = gh_hessian(left), h_right = gh_hessian(right);
    if (h_left == 0 || h_right == 0 || h_left < rule->min_weight || h_right < rule->min_weight)
        return 0;
    const double v_left = split_value(left, rule, l->limits);
    const double v_right = split_value(right, rule, l->limits);
    if (l->direction * (v_right - v_left) < 0)
        return 0;
    return 0.5 * rule->gain_unit *
           (score_at(left, v_left, rule) + score_at(right, v_right, rule) - l->parent);
}

enum look_kind { LOOK_PLAIN, LOOK_L1, LOOK_CONSTRAINED };

/* Is the split behind bin b, with the sum left on its left, better than the best? */
static inline __attribute__((always_inline)) void
look_at(const struct look *l, size_t b, uint64_t left, bool missing_left, const enum look_kind kind)
{
    const double gain = kind == LOOK_CONSTRAINED
                            ? constrained_gain_of(l, left)
                            : gain_of(l, left, kind == LOOK_L1 ? l->rule->alpha : 0);
    if (gain > l->best->gain && gain >= l->rule->min_gain)
        *l->best = (struct split){.gain = gain,
                                  .column = l->column,
                                  .bin = (uint16_t)b,
                                  .missing_left = missing_left,
                                  .left = left};
}

/* Present bins from the lowest; left starts with the missing ones when they go left. */
static inline __attribute__((always_inline)) void scan(const struct look *l, uint64_t left,
                                                       bool missing_left, const enum look_kind kind)
{
    for (size_t b = 0; b < l->n_bins; b++) {
        if (l->hist[b] == 0)
            continue; /* same sums as the bin before, which wins a tie */
        left += l->hist[b];
        look_at(l, b, left, missing_left, kind);
    }
}

/* --- the same, eight bins at a time -----------------------------------------------------------
 * Most bins lose to one that was seen before. Whether the sum of two scores is above a number can
 * be told without a division: a / b + c / d > t as a d + c b > t b d. Bins that could be better by
 * this rounded test, a hair generous, are then looked at exactly, in their order: what is found is
 * bit for bit what scan() finds. Measured on 50 columns of 255 bins: 5 times as fast. */

#if defined(__x86_64__)
enum { SIEVE = 8 };

/* Of steps without a unit; beyond these numbers the test might over- or underflow. */
static const double MAX_LAMBDA = 1e50, MAX_GAIN_UNIT = 1e200;

struct sieve {
    double g, h;  /* of the node */
    double alpha; /* L1 */
    double lambda;
    double bar; /* the sum of both scores must be above it */
};

static bool has_sieve(const struct look *l)
{
    const double unit = l->rule->gain_unit;
    return !l->rule->is_constrained && bins_has_vectors() && l->rule->lambda <= MAX_LAMBDA &&
           unit <= MAX_GAIN_UNIT && unit >= 1 / MAX_GAIN_UNIT;
}

/* A sum of scores at or below which gain_of() is not above the best one's. */
static double bar_of(const struct look *l)
{
    return (l->parent + l->best->gain / (0.5 * l->rule->gain_unit)) * (1 - 1e-10);
}

/* Numbers of four packed words: 2^52 and an integer below it share a double's bits. */
__attribute__((target("avx2"))) static inline __m256d hessians_of(__m256i word)
{
    const __m256i two52 = _mm256_set1_epi64x(INT64_C(0x4330000000000000));
    const __m256i low = _mm256_and_si256(word, _mm256_set1_epi64x(UINT32_MAX));
    return _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(low, two52)), _mm256_set1_pd(0x1p52));
}

__attribute__((target("avx2"))) static inline __m256d gradients_of(__m256i word)
{
    /* The sign bit flipped is 2^31 added. */
    const __m256i shift = _mm256_set1_epi64x(INT64_C(0x4330000080000000));
    return _mm256_sub_pd(_mm256_castsi256_pd(_mm256_xor_si256(_mm256_srli_epi64(word, 32), shift)),
                         _mm256_set1_pd(0x1p52 + 0x1p31));
}

__attribute__((target("avx2"))) static inline __m256i load_words(const uint64_t *words)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)words);
}

/* Running sums of four words, from before on, which becomes the last of them in all lanes. */
__attribute__((target("avx2"))) static inline __m256i sums_of(__m256i words, __m256i *before)
{
    const __m256i zero = _mm256_setzero_si256();
    __m256i up = _mm256_blend_epi32(_mm256_permute4x64_epi64(words, 0x90), zero, 0x03);
    words = _mm256_add_epi64(words, up);
    up = _mm256_permute2x128_si256(words, words, 0x08);
    words = _mm256_add_epi64(_mm256_add_epi64(words, up), *before);
    *before = _mm256_permute4x64_epi64(words, 0xff);
    return words;
}

/* Which of four splits could be better. */
__attribute__((target("avx2"))) static inline unsigned pass_four(const struct sieve *s,
                                                                 __m256i left)
{
    const __m256d lambda = _mm256_set1_pd(s->lambda), alpha = _mm256_set1_pd(s->alpha);
    const __m256d sign = _mm256_set1_pd(-0.0), zero = _mm256_setzero_pd();
    const __m256d g = gradients_of(left), h = hessians_of(left);
    __m256d g_left = _mm256_andnot_pd(sign, g);
    __m256d g_right = _mm256_andnot_pd(sign, _mm256_sub_pd(_mm256_set1_pd(s->g), g));
    const __m256d h_left = _mm256_add_pd(h, lambda);
    const __m256d h_right = _mm256_add_pd(_mm256_sub_pd(_mm256_set1_pd(s->h), h), lambda);
    g_left = _mm256_max_pd(_mm256_sub_pd(g_left, alpha), zero);
    g_right = _mm256_max_pd(_mm256_sub_pd(g_right, alpha), zero);
    const __m256d scores = _mm256_add_pd(_mm256_mul_pd(_mm256_mul_pd(g_left, g_left), h_right),
                                         _mm256_mul_pd(_mm256_mul_pd(g_right, g_right), h_left));
    const __m256d least = _mm256_mul_pd(_mm256_mul_pd(h_left, h_right), _mm256_set1_pd(s->bar));
    return (unsigned)_mm256_movemask_pd(_mm256_cmp_pd(scores, least, _CMP_GT_OQ));
}

/* Goes on from bin *b until one of the eight bins there could be better: returns which, with their
 * sums in left[SIEVE]; 0 when fewer than eight bins are left. *sum is that of the bins before. */
__attribute__((target("avx2"))) static unsigned sift(const struct sieve *s, const uint64_t *hist,
                                                     size_t n_bins, size_t *b, uint64_t *sum,
                                                     uint64_t *left)
{
    __m256i before = _mm256_set1_epi64x((long long)*sum);
    unsigned passed = 0;
    size_t at = *b;
    for (; passed == 0 && at + SIEVE <= n_bins; at += SIEVE) {
        __m256i low = load_words(hist + at), high = load_words(hist + at + 4);
        const __m256i any = _mm256_or_si256(low, high);
        if (_mm256_testz_si256(any, any))
            continue; /* no rows: the same splits as before */
        low = sums_of(low, &before);
        high = sums_of(high, &before);
        passed = pass_four(s, low) | pass_four(s, high) << 4;
        _mm256_storeu_si256((__m256i *)(void *)left, low);
        _mm256_storeu_si256((__m256i *)(void *)(left + 4), high);
    }
    *sum = (uint64_t)_mm256_extract_epi64(before, 0);
    *b = at;
    return passed;
}

/* Looks at those of the eight bins from first on that passed. */
static void look_closer(const struct look *l, const uint64_t *hist, size_t first,
                        const uint64_t *left, unsigned passed, bool missing_left)
{
    for (; passed != 0; passed &= passed - 1) {
        const size_t k = (size_t)__builtin_ctz(passed);
        if (hist[k] != 0)
            look_at(l, first + k, left[k], missing_left, l->rule->alpha > 0 ? LOOK_L1 : LOOK_PLAIN);
    }
}

static void scan_sieved(const struct look *l, uint64_t sum, bool missing_left)
{
    struct sieve s = {.g = gh_gradient(l->total),
                      .h = gh_hessian(l->total),
                      .alpha = l->rule->alpha,
                      .lambda = l->rule->lambda,
                      .bar = bar_of(l)};
    uint64_t left[SIEVE], rest[SIEVE] = {0};
    size_t b = 0;
    for (;;) {
        const unsigned passed = sift(&s, l->hist, l->n_bins, &b, &sum, left);
        if (passed == 0)
            break;
        look_closer(l, l->hist + b - SIEVE, b - SIEVE, left, passed, missing_left);
        s.bar = bar_of(l);
    }
    memcpy(rest, l->hist + b, (l->n_bins - b) * sizeof(*rest));
    size_t at = 0;
    const unsigned passed = sift(&s, rest, SIEVE, &at, &sum, left);
    look_closer(l, rest, b, left, passed, missing_left);
}
#else
static bool has_sieve(const struct look *l)
{
    (void)l;
    return false;
}

static void scan_sieved(const struct look *l, uint64_t sum, bool missing_left)
{
    (void)l, (void)sum, (void)missing_left;
}
#endif

static void scan_kind(const struct look *l, uint64_t left, bool missing_left)
{
    if (has_sieve(l))
        scan_sieved(l, left, missing_left);
    else if (l->rule->is_constrained)
        scan(l, left, missing_left, LOOK_CONSTRAINED);
    else if (l->rule->alpha > 0)
        scan(l, left, missing_left, LOOK_L1);
    else
        scan(l, left, missing_left, LOOK_PLAIN);
}

static double parent_score(uint64_t total, const struct split_rule *rule,
                           const struct limits *limits)
{
    return rule->is_constrained ? score_at(total, split_value(total, rule, limits), rule)
                                : split_score(total, rule);
}

void split_search(const uint64_t *hist, size_t n_bins, uint64_t total, uint32_t column,
                  const struct split_rule *rule, const struct limits *limits, int direction,
                  struct split *best)
{
    const uint64_t missing = hist[n_bins];
    const double before = best->gain;
    const struct look l = {.hist = hist,
                           .n_bins = n_bins,
                           .total = total,
                           .column = column,
                           .rule = rule,
                           .limits = limits,
                           .direction = direction,
                           .parent = parent_score(total, rule, limits),
                           .best = best};
    scan_kind(&l, 0, false);
    if (missing != 0)
        scan_kind(&l, missing, true);
    else if (best->gain > before) /* never seen here: follow the heavier child */
        best->missing_left = gh_hessian(best->left) >= gh_hessian(total - best->left);
}

/* --- categories -------------------------------------------------------------------------------
 * G^2 / (H + lambda), with or without L1, is convex in (G, H), so the sum of both children's is
 * greatest at a corner of all reachable left sums; each corner takes the categories whose G / H is
 * below some number (Fisher 1958; Breiman et al. 1984, theorem 4.5). So with the categories in the
 * order of G / H one scan sees the best of all 2^(n - 1) - 1 ways, as long as the limits of weight
 * and value do not bind. */

struct category {
    uint64_t word;
    unsigned code;
};

/* Exact: |G| < 2^31, H < 2^32. A hessian that was rounded to 0 counts as one step. */
static int compare_categories(const void *a, const void *b)
{
    const struct category *x = a, *y = b;
    const int64_t h_x = gh_hessian(x->word) > 0 ? gh_hessian(x->word) : 1;
    const int64_t h_y = gh_hessian(y->word) > 0 ? gh_hessian(y->word) : 1;
    const int64_t left = gh_gradient(x->word) * h_y, right = gh_gradient(y->word) * h_x;
    if (left != right)
        return left < right ? -1 : 1;
    return (x->code > y->code) - (x->code < y->code);
}

/* The first n_left of n categories go left; what the node does not have goes with missing values.
 */
static struct code_set set_of(const struct category *c, size_t n, size_t n_left, bool missing_left)
{
    struct code_set set = {{0}};
    for (size_t w = 0; missing_left && w < 4; w++)
        set.word[w] = UINT64_MAX;
    for (size_t i = 0; i < n; i++) {
        set.word[c[i].code >> 6] &= ~(UINT64_C(1) << (c[i].code & 63));
        if (i < n_left)
            code_set_add(&set, c[i].code);
    }
    return set;
}

void split_search_set(const uint64_t *hist, size_t n_bins, uint64_t total, uint32_t column,
                      const struct split_rule *rule, const struct limits *limits,
                      struct split *best)
{
    struct category c[MAX_CATEGORIES + 1];
    struct split_rule strict = *rule;
    strict.lambda += rule->category_lambda;
    const struct look l = {.total = total,
                           .rule = &strict,
                           .limits = limits,
                           .parent = parent_score(total, rule, limits)};
    uint64_t left = 0;
    size_t n = 0, n_left = 0;
    for (unsigned code = 0; code <= n_bins; code++)
        if (hist[code] != 0)
            c[n++] = (struct category){hist[code], code};
    qsort(c, n, sizeof(*c), compare_categories);
    for (size_t i = 0; i + 1 < n; i++) {
        left += c[i].word;
        const double gain =
            rule->is_constrained ? constrained_gain_of(&l, left) : gain_of(&l, left, rule->alpha);
        if (gain > best->gain && gain >= rule->min_gain) {
            n_left = i + 1;
            *best = (struct split){.gain = gain, .column = column, .is_set = true, .left = left};
        }
    }
    if (n_left == 0)
        return;
    best->missing_left = gh_hessian(best->left) >= gh_hessian(total - best->left);
    for (size_t i = 0; i < n; i++)
        if (c[i].code == n_bins)
            best->missing_left = i < n_left;
    best->set = set_of(c, n, n_left, best->missing_left);
}
