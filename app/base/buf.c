#include "app/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max, .status = FT_OK};
}

void buf_free(struct buf *b)
{
    free(b->data);
    buf_init(b, b->max);
}

/* Makes room for n more bytes and the NUL; 0 on failure, which it records. */
static int reserve(struct buf *b, size_t n)
{
    if (b->status != FT_OK)
        return 0;
    if (n > b->max || b->len > b->max - n) {
        b->status = FT_INVALID;
        return 0;
    }
    const size_t need = b->len + n + 1;
    if (b->data != NULL && need <= b->cap)
        return 1;
    size_t cap = b->cap < 256 ? 256 : b->cap;
    while (cap < need)
        cap = cap > (size_t)-1 / 2 ? need : cap * 2;
    char *grown = realloc(b->data, cap);
    if (grown == NULL) {
        b->status = FT_NOMEM;
        return 0;
    }
    b->data = grown;
    b->cap = cap;
    return 1;
}

void buf_put(struct buf *b, const void *data, size_t n)
{
    if (!reserve(b, n))
        return;
    if (n > 0)
        memcpy(b->data + b->len, data, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *text)
{
    buf_put(b, text, strlen(text));
}

void buf_putc(struct buf *b, char c)
{
    buf_put(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || !reserve(b, (size_t)n))
        return;
    va_start(ap, fmt);
    vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

/* Is the whole text a plain number, which a spreadsheet may read as one? */
static int is_number(const char *text)
{
    char *end = NULL;
    if (text[0] == '\0')
        return 0;
    strtod(text, &end);
    return *end == '\0';
}

void buf_put_csv(struct buf *b, const char *text)
{
    const int risky = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL && !is_number(text);
    const int quote = risky || strpbrk(text, "\",;\r\n") != NULL;
    if (quote)
        buf_putc(b, '"');
    if (risky)
        buf_putc(b, '\'');
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"')
            buf_putc(b, '"');
        buf_putc(b, *p);
    }
    if (quote)
        buf_putc(b, '"');
}

enum ft_status buf_status(const struct buf *b, struct ft_err *err)
{
    switch (b->status) {
    case FT_OK:
        return FT_OK;
    case FT_INVALID:
        return ft_fail(err, FT_INVALID, "more than %zu bytes", b->max);
    default:
        return ft_fail(err, FT_NOMEM, "no memory for %zu bytes", b->len);
    }
}

char *buf_take(struct buf *b, size_t *len)
{
    if (b->data == NULL && b->status == FT_OK)
        buf_put(b, "", 0);
    char *data = b->data;
    if (len != NULL)
        *len = b->len;
    b->data = NULL;
    buf_free(b);
    return data;
}
