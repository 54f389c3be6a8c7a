/* The text form of fitted models: one "key value..." per line, keys in a fixed order, numbers as
 * hexadecimal floats ("%a", so a reader gets the same bits), words from a known list. The reader is
 * strict: it takes exactly what the writer writes and is safe on hostile text. */
#ifndef MODELS_TEXT_IO_H
#define MODELS_TEXT_IO_H

#include "app/base/buf.h"
#include "app/base/status.h"

#include <stddef.h>

/* Writers append one line; failures stay in the buffer (buf_status()). */
void text_put_word(struct buf *out, const char *key, const char *word);
void text_put_size(struct buf *out, const char *key, size_t value);
void text_put_number(struct buf *out, const char *key, double value);
/* "key n v1 ... vn" */
void text_put_array(struct buf *out, const char *key, const double *values, size_t n);

struct text_reader {
    const char *at, *end;
    size_t line;      /* of the next line, from 1 */
    const char *what; /* "linear model", opens every error text */
};

/* Reads text[len], which need not end in NUL and stays owned by the caller. */
void text_reader_init(struct text_reader *r, const char *text, size_t len, const char *what);

/* Each takes the next line, which must carry this key. FT_INVALID with line and expectation.
 * text_get_word(): *index of the word in words[n]. text_get_size(): 0..max in plain decimals.
 * text_get_number() and text_get_array(): finite numbers, or also "nan" when may_be_nan. */
enum ft_status text_get_word(struct text_reader *r, const char *key, const char *const words[],
                             size_t n, size_t *index, struct ft_err *err);
enum ft_status text_get_size(struct text_reader *r, const char *key, size_t max, size_t *value,
                             struct ft_err *err);
enum ft_status text_get_number(struct text_reader *r, const char *key, int may_be_nan,
                               double *value, struct ft_err *err);
/* Exactly n numbers into a new array (*values, caller frees, NULL on failure). Memory is only
 * taken when the text is long enough to hold n numbers. FT_INVALID, FT_NOMEM. */
enum ft_status text_get_array(struct text_reader *r, const char *key, size_t n, int may_be_nan,
                              double **values, struct ft_err *err);
/* FT_INVALID unless the whole text was read. */
enum ft_status text_get_end(struct text_reader *r, struct ft_err *err);

#endif
