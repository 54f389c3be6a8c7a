/* Figures and dates as words, the same on every page and in the terminal. All write into out and
 * return it. */
#ifndef APP_WORDS_H
#define APP_WORDS_H

#include <stddef.h>
#include <stdint.h>

#define WORDS_SIZE 64

/* "Fri 4 Dec", with the year when it is not that of now_ms; the site's zone. */
char *words_date(int64_t ts_ms, int64_t now_ms, char out[WORDS_SIZE]);
/* "31 %", "<1 %", ">99 %"; "unknown" for NaN. */
char *words_percent(double p, char out[WORDS_SIZE]);
/* Three significant digits with the currency: "EUR 9,420". */
char *words_money(int64_t minor, const char *currency, char out[WORDS_SIZE]);
/* "No", "One", ... "Twelve", then digits. */
char *words_count(size_t n, char out[WORDS_SIZE]);
/* "25 d", "3.4 y", "6 h". */
char *words_duration(double ms, char out[WORDS_SIZE]);

#endif
