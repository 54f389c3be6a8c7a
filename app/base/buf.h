/* Growable bytes with a ceiling chosen by the caller. A failure is remembered: a caller may append
 * many times and look once at the end with buf_status(). data always ends in a NUL byte that len
 * does not count. */
#ifndef APP_BASE_BUF_H
#define APP_BASE_BUF_H

#include "app/base/status.h"

#include <stddef.h>

struct buf {
    char *data; /* owned; NULL until the first append */
    size_t len;
    size_t cap;
    size_t max;            /* ceiling of len in bytes */
    enum ft_status status; /* FT_OK, FT_NOMEM, or FT_INVALID when the ceiling was hit */
};

/* An empty buffer that never holds more than max bytes. Allocates nothing. */
void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b); /* leaves an empty buffer with the same ceiling */

void buf_put(struct buf *b, const void *data, size_t n);
void buf_puts(struct buf *b, const char *text);
void buf_putc(struct buf *b, char c);
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *fmt, ...);

/* Appends text as one CSV field (RFC 4180): quoted when needed; a field that starts with one of
 * = + - @ and is not a number gets a leading apostrophe, so a spreadsheet does not run it. */
void buf_put_csv(struct buf *b, const char *text);

/* FT_OK, or the first failure with its text in err. */
enum ft_status buf_status(const struct buf *b, struct ft_err *err);

/* Takes the bytes out (NUL-terminated, caller frees with free()); *len may be NULL. */
char *buf_take(struct buf *b, size_t *len);

#endif
