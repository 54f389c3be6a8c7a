/* Money as integer minor units (cents) with an ISO 4217 currency. */
#ifndef APP_BASE_MONEY_H
#define APP_BASE_MONEY_H

#include <stddef.h>
#include <stdint.h>

/* Digits after the point of a currency: EUR 2, JPY 0, KWD 3; 2 when unknown. */
int money_digits(const char *currency);

double money_to_major(int64_t minor, const char *currency);

/* Rounds half away from zero; saturates at the range of int64_t. NaN becomes 0. */
int64_t money_from_major(double major, const char *currency);

/* "EUR 48,200" (whole major units, grouped by thousands, true minus sign for a loss is the caller's
 * matter) into out; returns out. */
char *money_format(int64_t minor, const char *currency, char *out, size_t size);

#endif
