#include "app/words.h"

#include "app/base/clock.h"
#include "app/base/money.h"

#include <math.h>
#include <stdio.h>

char *words_date(int64_t ts_ms, int64_t now_ms, char out[WORDS_SIZE])
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const struct clock_local t = clock_to_local(ts_ms);
    const struct clock_local now = clock_to_local(now_ms);
    const int n = snprintf(out, WORDS_SIZE, "%s %d %s", days[t.weekday % 7], t.day,
                           months[(t.month + 11) % 12]);
    if (t.year != now.year)
        snprintf(out + n, WORDS_SIZE - (size_t)n, " %d", t.year);
    return out;
}

char *words_percent(double p, char out[WORDS_SIZE])
{
    if (isnan(p))
        snprintf(out, WORDS_SIZE, "unknown");
    else if (p < 0.01)
        snprintf(out, WORDS_SIZE, "<1 %%");
    else if (p > 0.99)
        snprintf(out, WORDS_SIZE, ">99 %%");
    else
        snprintf(out, WORDS_SIZE, "%.0f %%", 100 * p);
    return out;
}

char *words_money(int64_t minor, const char *currency, char out[WORDS_SIZE])
{
    const double major = money_to_major(minor, currency);
    if (fabs(major) < 1000)
        return money_format(minor, currency, out, WORDS_SIZE);
    const double unit = pow(10, floor(log10(fabs(major))) - 2);
    return money_format(money_from_major(round(major / unit) * unit, currency), currency, out,
                        WORDS_SIZE);
}

char *words_count(size_t n, char out[WORDS_SIZE])
{
    static const char *const words[] = {"No",    "One",   "Two",  "Three", "Four",   "Five",  "Six",
                                        "Seven", "Eight", "Nine", "Ten",   "Eleven", "Twelve"};
    if (n < sizeof(words) / sizeof(words[0]))
        snprintf(out, WORDS_SIZE, "%s", words[n]);
    else
        snprintf(out, WORDS_SIZE, "%zu", n);
    return out;
}

char *words_duration(double ms, char out[WORDS_SIZE])
{
    const double days = ms / (double)MS_PER_DAY;
    if (isnan(ms))
        snprintf(out, WORDS_SIZE, "unknown");
    else if (days < 2)
        snprintf(out, WORDS_SIZE, "%.0f h", days * 24);
    else if (days < 730)
        snprintf(out, WORDS_SIZE, "%.0f d", days);
    else
        snprintf(out, WORDS_SIZE, "%.1f y", days / 365.25);
    return out;
}
