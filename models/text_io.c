#include "models/text_io.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void text_put_word(struct buf *out, const char *key, const char *word)
{
    buf_printf(out, "%s %s\n", key, word);
}

void text_put_size(struct buf *out, const char *key, size_t value)
{
    buf_printf(out, "%s %zu\n", key, value);
}

/* "nan" has a sign and a payload that printf may show; the file keeps neither. */
static void put_value(struct buf *out, double value)
{
    if (isnan(value))
        buf_puts(out, " nan");
    else
        buf_printf(out, " %a", value);
}

void text_put_number(struct buf *out, const char *key, double value)
{
    buf_puts(out, key);
    put_value(out, value);
    buf_putc(out, '\n');
}

void text_put_array(struct buf *out, const char *key, const double *values, size_t n)
{
    buf_printf(out, "%s %zu", key, n);
    for (size_t i = 0; i < n; i++)
        put_value(out, values[i]);
    buf_putc(out, '\n');
}

void text_reader_init(struct text_reader *r, const char *text, size_t len, const char *what)
{
    *r = (struct text_reader){.at = text, .end = text + len, .line = 1, .what = what};
}

struct line {
    const char *at, *end; /* what follows "key " */
};

static enum ft_status bad_line(const struct text_reader *r, const char *key, const char *expected,
                               struct ft_err *err)
{
    return ft_fail(err, FT_INVALID, "%s, line %zu: expected '%s' with %s", r->what, r->line, key,
                   expected);
}

/* Finds the next line and its values; the reader moves on in line_done(). */
static enum ft_status next_line(struct text_reader *r, const char *key, struct line *line,
                                struct ft_err *err)
{
    const size_t n = strlen(key);
    const char *end = r->at < r->end ? memchr(r->at, '\n', (size_t)(r->end - r->at)) : NULL;
    if (end == NULL || (size_t)(end - r->at) <= n || memcmp(r->at, key, n) != 0 || r->at[n] != ' ')
        return bad_line(r, key, "a value", err);
    line->at = r->at + n + 1;
    line->end = end;
    return FT_OK;
}

static void line_done(struct text_reader *r, const struct line *line)
{
    r->at = line->end + 1;
    r->line++;
}

/* The next word of the line, up to a single space; length 0 when there is none. */
static size_t take_word(struct line *line, const char **word)
{
    const char *space = memchr(line->at, ' ', (size_t)(line->end - line->at));
    const char *stop = space != NULL && space + 1 < line->end ? space : line->end;
    const size_t len = (size_t)(stop - line->at);
    *word = line->at;
    line->at = stop < line->end ? stop + 1 : stop;
    return len;
}

static int parse_size(const char *word, size_t len, size_t max, size_t *value)
{
    size_t v = 0;
    if (len == 0 || len > 19 || (len > 1 && word[0] == '0'))
        return 0;
    for (size_t i = 0; i < len; i++) {
        if (word[i] < '0' || word[i] > '9')
            return 0;
        v = v * 10 + (size_t)(word[i] - '0');
    }
    *value = v;
    return v <= max;
}

/* [-]0x1.abcp+1, or nan. strtod does the arithmetic; the letters are checked first because it also
 * takes much that the writer never writes. */
static int parse_number(const char *word, size_t len, int may_be_nan, double *value)
{
    char text[40];
    if (len == 3 && memcmp(word, "nan", 3) == 0) {
        *value = NAN;
        return may_be_nan;
    }
    if (len < 5 || len >= sizeof(text))
        return 0;
    memcpy(text, word, len);
    text[len] = '\0';
    const char *digits = text + (text[0] == '-');
    if (strncmp(digits, "0x", 2) != 0 || strchr(digits, 'p') == NULL ||
        digits[2 + strspn(digits + 2, "0123456789abcdef.p+-")] != '\0')
        return 0;
    char *stop = NULL;
    *value = strtod(text, &stop);
    return *stop == '\0' && isfinite(*value);
}

enum ft_status text_get_word(struct text_reader *r, const char *key, const char *const words[],
                             size_t n, size_t *index, struct ft_err *err)
{
    struct line line;
    const enum ft_status st = next_line(r, key, &line, err);
    if (st != FT_OK)
        return st;
    const size_t len = (size_t)(line.end - line.at);
    for (size_t i = 0; i < n; i++)
        if (strlen(words[i]) == len && memcmp(words[i], line.at, len) == 0) {
            *index = i;
            line_done(r, &line);
            return FT_OK;
        }
    return bad_line(r, key, "a known word", err);
}

enum ft_status text_get_size(struct text_reader *r, const char *key, size_t max, size_t *value,
                             struct ft_err *err)
{
    struct line line;
    const enum ft_status st = next_line(r, key, &line, err);
    if (st != FT_OK)
        return st;
    if (!parse_size(line.at, (size_t)(line.end - line.at), max, value))
        return ft_fail(err, FT_INVALID, "%s, line %zu: expected '%s' with a count up to %zu",
                       r->what, r->line, key, max);
    line_done(r, &line);
    return FT_OK;
}

enum ft_status text_get_number(struct text_reader *r, const char *key, int may_be_nan,
                               double *value, struct ft_err *err)
{
    struct line line;
    const enum ft_status st = next_line(r, key, &line, err);
    if (st != FT_OK)
        return st;
    if (!parse_number(line.at, (size_t)(line.end - line.at), may_be_nan, value))
        return bad_line(r, key, "a hexadecimal number", err);
    line_done(r, &line);
    return FT_OK;
}

enum ft_status text_get_array(struct text_reader *r, const char *key, size_t n, int may_be_nan,
                              double **values, struct ft_err *err)
{
    struct line line;
    const char *word = NULL;
    size_t stated = 0;
    *values = NULL;
    const enum ft_status st = next_line(r, key, &line, err);
    if (st != FT_OK)
        return st;
    const size_t len = take_word(&line, &word);
    /* A number takes at least four bytes: " nan". */
    if (!parse_size(word, len, n, &stated) || stated != n ||
        n > (size_t)(line.end - word - (ptrdiff_t)len) / 4)
        return ft_fail(err, FT_INVALID, "%s, line %zu: expected '%s' with %zu numbers", r->what,
                       r->line, key, n);
    double *array = calloc(n > 0 ? n : 1, sizeof(*array));
    if (array == NULL)
        return ft_fail(err, FT_NOMEM, "%s: no memory for %zu numbers", r->what, n);
    for (size_t i = 0; i < n; i++) {
        const size_t size = take_word(&line, &word);
        if (!parse_number(word, size, may_be_nan, &array[i])) {
            free(array);
            return ft_fail(err, FT_INVALID, "%s, line %zu: '%s': number %zu of %zu is not one",
                           r->what, r->line, key, i + 1, n);
        }
    }
    if (line.at != line.end) {
        free(array);
        return ft_fail(err, FT_INVALID, "%s, line %zu: '%s': more than %zu numbers", r->what,
                       r->line, key, n);
    }
    line_done(r, &line);
    *values = array;
    return FT_OK;
}

enum ft_status text_get_end(struct text_reader *r, struct ft_err *err)
{
    return r->at == r->end
               ? FT_OK
               : ft_fail(err, FT_INVALID, "%s, line %zu: expected the end", r->what, r->line);
}
