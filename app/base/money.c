#include "app/base/money.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int money_digits(const char *currency)
{
    /* ISO 4217 currencies whose minor unit is not a hundredth. */
    static const char none[] =
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
    static const char three[] = "BHD IQD JOD KWD LYD OMR TND";
    if (strlen(currency) != 3)
        return 2;
    if (strstr(none, currency) != NULL)
        return 0;
    return strstr(three, currency) != NULL ? 3 : 2;
}

static double scale(const char *currency)
{
    static const double powers[] = {1, 10, 100, 1000};
    return powers[money_digits(currency)];
}

double money_to_major(int64_t minor, const char *currency)
{
    return (double)minor / scale(currency);
}

int64_t money_from_major(double major, const char *currency)
{
    const double minor = round(major * scale(currency));
    if (isnan(minor))
        return 0;
    if (minor >= 0x1p63)
        return INT64_MAX;
    return minor <= -0x1p63 ? INT64_MIN : (int64_t)minor;
}

char *money_format(int64_t minor, const char *currency, char *out, size_t size)
{
    char digits[32];
    const double major = round(money_to_major(minor, currency));
    snprintf(digits, sizeof(digits), "%.0f", fabs(major));
    const size_t n = strlen(digits);
    char grouped[48];
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            grouped[at++] = ',';
        grouped[at++] = digits[i];
    }
    grouped[at] = '\0';
    snprintf(out, size, "%s %s%s", currency, major < 0 ? "-" : "", grouped);
    return out;
}
