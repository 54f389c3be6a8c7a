/* Fast path after W. D. Clinger, "How to read floating point numbers accurately" (PLDI 1990): when
 * the digits fit in 53 bits and the power of ten is at most 22, both are exact doubles and one
 * multiplication or division rounds once. Everything else goes to strtod() in the C locale, which
 * this program never leaves. */
#include "app/ingest/number.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

struct digits {
    uint64_t mantissa; /* the first MAX_DIGITS significant digits */
    int n;             /* significant digits seen; over MAX_DIGITS the mantissa is not exact */
    int n_any;         /* digits of any sort */
    int n_fraction;    /* of them behind the decimal mark */
};

static inline const char *take_digits(const char *p, const char *end, struct digits *d)
{
    const char *begin = p;
    for (; p < end; p++) {
        const unsigned digit = (unsigned)(unsigned char)*p - '0';
        if (digit > 9)
            break;
        if (d->n < MAX_DIGITS)
            d->mantissa = d->mantissa * 10 + digit;
        d->n += d->n > 0 || digit > 0;
    }
    d->n_any += (int)(p - begin);
    return p;
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

bool number_parse(const char *p, size_t len, char decimal, double *out)
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
    if (*p == '-' || *p == '+')
        p++;
    struct digits d = {0};
    int exponent = 0;
    p = take_digits(p, end, &d);
    if (p < end && *p == decimal) {
        const char *fraction = p + 1;
        p = take_digits(fraction, end, &d);
        d.n_fraction = (int)(p - fraction);
    }
    if (d.n_any == 0 || !take_exponent(&p, end, &exponent) || p != end)
        return false;
    const int power = exponent - d.n_fraction;
    if (d.n > MAX_DIGITS || d.mantissa > (UINT64_C(1) << 53) || power < -MAX_EXACT_POWER ||
        power > MAX_EXACT_POWER)
        return slow_parse(text, len, decimal, out);
    double v = (double)d.mantissa;
    v = power < 0 ? v / powers[-power] : v * powers[power];
    *out = negative ? -v : v;
    return true;
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
