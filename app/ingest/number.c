/* Three ways to the nearest double. When the digits fit in 53 bits and the power of ten is at most
 * 22, both are exact doubles and one multiplication or division rounds once (W. D. Clinger, "How to
 * read floating point numbers accurately", PLDI 1990). Up to 19 digits and powers to 64 are rounded
 * from a product of 64 x 128 bits (D. Lemire, "Number parsing at a gigabyte per second", 2021).
 * Everything else goes to strtod() in the C locale, which this program never leaves. */
#include "app/ingest/number.h"

#include "app/ingest/number_powers.h"

#include <endian.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { MAX_TEXT = 1000, MAX_EXACT_POWER = 22, MAX_DIGITS = 19 };

static const double powers[MAX_EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static bool slow_parse(const char *p, size_t len, char decimal, double *out)
{
    char text[MAX_TEXT + 1];
    char *end = NULL;
    memcpy(text, p, len);
    text[len] = '\0';
    if (decimal != '.') {
        char *mark = memchr(text, decimal, len);
        if (mark != NULL)
            *mark = '.';
    }
    const double v = strtod(text, &end);
    if (end != text + len || !isfinite(v))
        return false;
    *out = v;
    return true;
}

/* Are the eight bytes (first one lowest) all digits? */
static inline bool are_digits(uint64_t bytes)
{
    return ((bytes & UINT64_C(0xf0f0f0f0f0f0f0f0)) |
            (((bytes + UINT64_C(0x0606060606060606)) & UINT64_C(0xf0f0f0f0f0f0f0f0)) >> 4)) ==
           UINT64_C(0x3333333333333333);
}

/* Value of eight digits: pairs, then fours, then all, side by side in one word. */
static inline uint64_t value_of_eight(uint64_t bytes)
{
    const uint64_t mask = UINT64_C(0x000000ff000000ff);
    bytes -= UINT64_C(0x3030303030303030);
    bytes = bytes * 10 + (bytes >> 8);
    return (((bytes & mask) * (100 + (UINT64_C(1000000) << 32))) +
            (((bytes >> 16) & mask) * (1 + (UINT64_C(10000) << 32)))) >>
           32;
}

/* The len (1 to 15) bytes before end as the last ones of a word of sixteen, '0' before them. Short
 * texts differ in length from value to value, so there is no branch on it where there is room to
 * read sixteen bytes. */
__attribute__((always_inline)) static inline unsigned __int128 load_word(const char *end,
                                                                         size_t len, bool has_room)
{
    const uint64_t zeros = UINT64_C(0x3030303030303030);
    const unsigned __int128 fill = ((unsigned __int128)zeros << 64 | zeros) >> (8 * len);
    const unsigned __int128 kept = ~(unsigned __int128)0 << (8 * (16 - len));
    char bytes[16];
    uint64_t low, high;
    if (!has_room) {
        memset(bytes, 0, sizeof(bytes));
        memcpy(bytes + 16 - len, end - len, len);
        end = bytes + 16;
    }
    memcpy(&low, end - 16, 8);
    memcpy(&high, end - 8, 8);
    return fill | (((unsigned __int128)le64toh(high) << 64 | le64toh(low)) & kept);
}

/* Lowest byte of the word that equals c, 8 when there is none. */
static inline unsigned find_byte(uint64_t word, char c)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t x = word ^ ones * (unsigned char)c;
    const uint64_t hits = (x - ones) & ~x & ones << 7;
    return hits != 0 ? (unsigned)__builtin_ctzll(hits) / 8 : 8;
}

/* Digits with at most one decimal mark, 1 to 15 bytes in all. false: anything else. */
__attribute__((always_inline)) static inline bool
parse_short(const char *end, size_t len, char decimal, bool has_room, double *out)
{
    unsigned __int128 w = load_word(end, len, has_room);
    unsigned mark = find_byte((uint64_t)w, decimal);
    if (mark == 8)
        mark += find_byte((uint64_t)(w >> 64), decimal);
    unsigned n_fraction = 0;
    if (mark < 16) { /* take it out: what stands before moves up */
        const unsigned __int128 before = ((unsigned __int128)1 << (8 * mark)) - 1;
        w = (w & ~(before << 8 | 0xff)) | (w & before) << 8 | '0';
        n_fraction = 15 - mark;
    }
    const uint64_t low = (uint64_t)w, high = (uint64_t)(w >> 64);
    if (!are_digits(low) || !are_digits(high) || (mark < 16 && len == 1))
        return false;
    const uint64_t mantissa = value_of_eight(low) * 100000000 + value_of_eight(high);
    *out = (double)mantissa / powers[n_fraction];
    return true;
}

/* Appends the digits at p to the mantissa, which wraps around when there are more than 19. */
static inline const char *take_digits(const char *p, const char *end, uint64_t *mantissa)
{
    uint64_t v = *mantissa;
    while (end - p >= 8) {
        uint64_t bytes;
        memcpy(&bytes, p, sizeof(bytes));
        bytes = le64toh(bytes);
        if (!are_digits(bytes))
            break;
        v = v * 100000000 + value_of_eight(bytes);
        p += 8;
    }
    for (; p < end; p++) {
        const unsigned digit = (unsigned)(unsigned char)*p - '0';
        if (digit > 9)
            break;
        v = v * 10 + digit;
    }
    *mantissa = v;
    return p;
}

/* Does the mantissa hold the number's digits exactly? [p, end) are its digits and decimal mark. */
static bool is_exact(const char *p, const char *end, char decimal)
{
    while (p < end && (*p == '0' || *p == decimal))
        p++;
    const ptrdiff_t mark = memchr(p, decimal, (size_t)(end - p)) != NULL;
    return end - p - mark <= MAX_DIGITS;
}

/* mantissa * 10^power, mantissa > 0, power within NUMBER_MAX_POWER; such results are never
 * subnormal or infinite. Names as in the paper's algorithm 1. */
static double from_product(uint64_t mantissa, int power)
{
    const int zeros = __builtin_clzll(mantissa);
    const uint64_t w = mantissa << zeros;
    const uint64_t *five = number_powers[power + NUMBER_MAX_POWER];
    const unsigned __int128 first = (unsigned __int128)w * five[0];
    uint64_t high = (uint64_t)(first >> 64), low = (uint64_t)first;
    if ((high & 0x1ff) == 0x1ff) { /* the lower half of the power may carry into the bits kept */
        const uint64_t more = (uint64_t)((unsigned __int128)w * five[1] >> 64);
        low += more;
        high += low < more;
    }
    const int upper = (int)(high >> 63);
    const int shift = upper + 64 - 52 - 3;
    uint64_t m = high >> shift;
    int exponent = ((217706 * power + (512 << 16)) >> 16) - 512 + 63 + upper - zeros + 1023;
    if (low <= 1 && power >= -4 && power <= 23 && (m & 3) == 1 && m << shift == high)
        m &= ~UINT64_C(1); /* exactly half way: to even */
    m += m & 1;
    m >>= 1;
    if (m >= UINT64_C(2) << 52) {
        m = UINT64_C(1) << 52;
        exponent++;
    }
    const uint64_t bits = (uint64_t)exponent << 52 | (m & ~(UINT64_C(1) << 52));
    double v;
    memcpy(&v, &bits, sizeof(v));
    return v;
}

/* "e-12" -> -12; false when what follows is no exponent. Sizes beyond any double are cut. */
static bool take_exponent(const char **at, const char *end, int *exponent)
{
    const char *p = *at;
    if (p == end || (*p != 'e' && *p != 'E'))
        return true;
    p++;
    const bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    const char *begin = p;
    int v = 0;
    for (; p < end && *p >= '0' && *p <= '9'; p++)
        v = v < 100000 ? v * 10 + (*p - '0') : v;
    *exponent = negative ? -v : v;
    *at = p;
    return p > begin;
}

/* v or -v, without a branch. */
static inline double with_sign(double v, bool negative)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    bits ^= (uint64_t)negative << 63;
    memcpy(&v, &bits, sizeof(v));
    return v;
}

__attribute__((always_inline)) static inline bool parse(const char *p, size_t len, char decimal,
                                                        bool has_room, double *out)
{
    while (len > 0 && (*p == ' ' || *p == '\t')) {
        p++;
        len--;
    }
    while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
        len--;
    if (len == 0 || len > MAX_TEXT)
        return false;
    const char *text = p;
    const char *end = p + len;
    const bool negative = *p == '-';
    p += (*p == '-') | (*p == '+');
    double v;
    if (p < end && end - p <= 15 && parse_short(end, (size_t)(end - p), decimal, has_room, &v)) {
        *out = with_sign(v, negative);
        return true;
    }
    uint64_t mantissa = 0;
    int exponent = 0, n_fraction = 0;
    const char *digits = p;
    p = take_digits(p, end, &mantissa);
    ptrdiff_t n_digits = p - digits;
    if (p < end && *p == decimal) {
        const char *fraction = p + 1;
        p = take_digits(fraction, end, &mantissa);
        n_fraction = (int)(p - fraction);
        n_digits += n_fraction;
    }
    const char *digits_end = p;
    if (n_digits == 0 || (p != end && (!take_exponent(&p, end, &exponent) || p != end)))
        return false;
    const int power = exponent - n_fraction;
    if ((n_digits > MAX_DIGITS && !is_exact(digits, digits_end, decimal)) ||
        power < -NUMBER_MAX_POWER || power > NUMBER_MAX_POWER)
        return slow_parse(text, len, decimal, out);
    if (mantissa <= UINT64_C(1) << 53 && power >= -MAX_EXACT_POWER && power <= MAX_EXACT_POWER)
        v = power < 0 ? (double)mantissa / powers[-power] : (double)mantissa * powers[power];
    else
        v = mantissa == 0 ? 0 : from_product(mantissa, power);
    *out = with_sign(v, negative);
    return true;
}

bool number_parse(const char *p, size_t len, char decimal, double *out)
{
    return parse(p, len, decimal, false, out);
}

#if defined(__x86_64__)
/* Digits with at most one decimal mark, 1 to 15 bytes in all, the bytes before them readable.
 * Lengths, marks and signs differ from value to value, so nothing branches on them. */
__attribute__((target("ssse3,sse4.1"))) static bool parse_at_once(const char *end, size_t len,
                                                                  char decimal, double *out)
{
    const __m128i places = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m128i text = _mm_loadu_si128((const __m128i *)(end - 16));
    const __m128i kept = _mm_cmpgt_epi8(places, _mm_set1_epi8((char)(15 - (int)len)));
    const __m128i mark = _mm_and_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8(decimal)), kept);
    const __m128i digits = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    const __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits);
    const unsigned marks = (unsigned)_mm_movemask_epi8(mark);
    const __m128i is_well =
        _mm_or_si128(_mm_or_si128(is_digit, mark), _mm_xor_si128(kept, _mm_set1_epi8(-1)));
    if (_mm_movemask_epi8(is_well) != 0xffff || (marks & (marks - 1)) != 0 ||
        (marks != 0 && len == 1))
        return false;
    /* Take the mark out: what stands up to it moves up by one, a zero comes in. */
    const int behind = __builtin_ffs((int)marks);
    __m128i v = _mm_andnot_si128(mark, _mm_and_si128(digits, kept));
    const __m128i moves = _mm_cmpgt_epi8(_mm_set1_epi8((char)behind), places);
    v = _mm_shuffle_epi8(v, _mm_add_epi8(places, moves));
    /* Pairs, fours, eights. */
    v = _mm_maddubs_epi16(v, _mm_set1_epi16(0x010a));
    v = _mm_madd_epi16(v, _mm_set1_epi32(0x00010064));
    v = _mm_packus_epi32(v, v);
    v = _mm_madd_epi16(v, _mm_set1_epi32(0x00012710));
    const uint64_t both = (uint64_t)_mm_cvtsi128_si64(v);
    const uint64_t mantissa = (both & UINT32_MAX) * 100000000 + (both >> 32);
    *out = (double)mantissa / powers[(16 - behind) & 15];
    return true;
}
#endif

bool number_parse_roomy(const char *p, size_t len, char decimal, double *out)
{
#if defined(__x86_64__)
    if (len > 0) {
        const size_t sign = *p == '-', n = len - sign;
        double v;
        if (n - 1 < 15 && __builtin_cpu_supports("sse4.1") &&
            parse_at_once(p + len, n, decimal, &v)) {
            *out = with_sign(v, sign != 0);
            return true;
        }
    }
#endif
    return parse(p, len, decimal, true, out);
}

bool number_is_missing(const char *p, size_t len)
{
    static const char *const words[] = {"na", "n/a", "nan", "null", "none", "nil"};
    while (len > 0 && (*p == ' ' || *p == '\t')) {
        p++;
        len--;
    }
    while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
        len--;
    if (len == 0)
        return true;
    if (len > 4 || (*p | 0x20) != 'n')
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i]) == len && strncasecmp(p, words[i], len) == 0)
            return true;
    return false;
}

size_t number_format(double v, char out[NUMBER_TEXT_SIZE])
{
    out[0] = '\0';
    if (isnan(v))
        return 0;
    int n = 0;
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(out, NUMBER_TEXT_SIZE, "%.*g", digits, v);
        if (strtod(out, NULL) == v)
            break;
    }
    return (size_t)n;
}
