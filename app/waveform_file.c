#include "app/waveform_file.h"

#include "app/ingest/csv.h"
#include "app/ingest/number.h"
#include "app/npy.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const format_names[] = {
    [WAVEFORM_CSV] = "csv",   [WAVEFORM_NPY] = "npy",   [WAVEFORM_F32] = "f32le",
    [WAVEFORM_F64] = "f64le", [WAVEFORM_I16] = "i16le", [WAVEFORM_I32] = "i32le"};

enum ft_status waveform_format_parse(const char *word, enum waveform_format *out,
                                     struct ft_err *err)
{
    for (int i = WAVEFORM_CSV; i <= WAVEFORM_I32; i++) {
        if (strcmp(word, format_names[i]) == 0) {
            *out = (enum waveform_format)i;
            return FT_OK;
        }
    }
    return ft_fail(err, FT_INVALID,
                   "'%.40s' is no format: expected csv, npy, f32le, f64le, i16le or i32le", word);
}

/* Samples on their way out. */
struct samples {
    double *items;
    size_t n, cap;
    double scale;
};

static enum ft_status add(struct samples *s, double v, struct ft_err *err)
{
    if (s->n == s->cap) {
        const size_t cap = s->cap == 0 ? 4096 : s->cap * 2;
        double *more = reallocarray(s->items, cap, sizeof(*more));
        if (more == NULL)
            return ft_fail(err, FT_NOMEM, "no memory for %zu samples", cap);
        s->items = more;
        s->cap = cap;
    }
    s->items[s->n++] = v * s->scale;
    return FT_OK;
}

/* A column's number as the user says it, from 0; SIZE_MAX = it is no number. */
static size_t column_number(const char *text)
{
    char *end = NULL;
    const long k = strtol(text, &end, 10);
    return *end == '\0' && end != text && k >= 1 && k <= CSV_FIELDS_MAX ? (size_t)k - 1 : SIZE_MAX;
}

/* --- CSV -------------------------------------------------------------------------------------- */

static bool is_named(struct csv_field f, const char *name)
{
    f = csv_trim(f);
    return f.len == strlen(name) && memcmp(f.p, name, f.len) == 0;
}

/* Which column the first line means; *is_header when it holds no sample itself. */
static enum ft_status pick_column(const char *name, const struct csv_record *rec,
                                  const char *wanted, char decimal, size_t *column, bool *is_header,
                                  struct ft_err *err)
{
    double v;
    *column = wanted != NULL ? column_number(wanted) : 0;
    for (size_t i = 0; i < rec->n && wanted != NULL; i++)
        if (is_named(rec->fields[i], wanted))
            *column = i;
    if (wanted == NULL && rec->n > 1)
        return ft_fail(err, FT_INVALID, "%s: %zu columns; --column says which holds the samples",
                       name, rec->n);
    if (*column >= rec->n)
        return ft_fail(err, FT_INVALID, "%s: line 1: no column '%.60s'", name,
                       wanted != NULL ? wanted : "1");
    *is_header = !number_parse(rec->fields[*column].p, rec->fields[*column].len, decimal, &v);
    return FT_OK;
}

static enum ft_status take_cell(const char *name, const struct csv_record *rec, size_t column,
                                char decimal, size_t line, struct samples *s, struct ft_err *err)
{
    double v;
    if (column < rec->n &&
        number_parse(rec->fields[column].p, rec->fields[column].len, decimal, &v))
        return add(s, v, err);
    return ft_fail(err, FT_INVALID, "%s: line %zu: expected a number in column %zu", name, line,
                   column + 1);
}

static enum ft_status parse_csv(const char *name, const char *p, size_t len, const char *wanted,
                                struct samples *s, struct ft_err *err)
{
    const char *end = p + len;
    const char *eol = memchr(p, '\n', len);
    const char delimiter = csv_guess_delimiter(p, (size_t)((eol != NULL ? eol : end) - p));
    const char decimal = delimiter == ';' && memchr(p, '.', len) == NULL ? ',' : '.';
    struct csv_record rec;
    enum ft_status st = FT_OK;
    size_t column = SIZE_MAX;
    size_t line = 1;
    csv_record_init(&rec);
    while (p < end && st == FT_OK) {
        size_t used = 0;
        bool is_header = false;
        st = csv_split(p, end, true, delimiter, &rec, &used, err);
        if (st != FT_OK || used == 0)
            break;
        if (!rec.is_blank && column == SIZE_MAX)
            st = pick_column(name, &rec, wanted, decimal, &column, &is_header, err);
        if (!rec.is_blank && !is_header && st == FT_OK)
            st = take_cell(name, &rec, column, decimal, line, s, err);
        line += rec.n_lines;
        p += used;
    }
    csv_record_free(&rec);
    return st;
}

/* --- numbers as they lie in memory ------------------------------------------------------------ */

static enum ft_status parse_npy(const char *name, const void *bytes, size_t len, const char *wanted,
                                struct samples *s, struct ft_err *err)
{
    struct npy a;
    struct ft_err why;
    if (npy_parse(bytes, len, &a, &why) != FT_OK)
        return ft_fail(err, FT_INVALID, "%s: %s", name, why.msg);
    const size_t column = wanted != NULL ? column_number(wanted) : 0;
    if (wanted == NULL && a.n_cols > 1)
        return ft_fail(err, FT_INVALID, "%s: %zu columns; --column says which holds the samples",
                       name, a.n_cols);
    if (column >= a.n_cols)
        return ft_fail(err, FT_INVALID, "%s: no column '%.60s' of %zu", name,
                       wanted != NULL ? wanted : "1", a.n_cols);
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < a.n_rows && st == FT_OK; i++)
        st = add(s, npy_value(&a, i * a.n_cols + column), err);
    return st;
}

static double number_at(const unsigned char *p, enum waveform_format format)
{
    uint64_t bits = 0;
    const size_t size = format == WAVEFORM_F64 ? 8 : format == WAVEFORM_I16 ? 2 : 4;
    for (size_t k = size; k-- > 0;)
        bits = bits << 8 | p[k];
    if (format == WAVEFORM_I16)
        return (int16_t)bits;
    if (format == WAVEFORM_I32)
        return (int32_t)bits;
    if (format == WAVEFORM_F64) {
        double v;
        memcpy(&v, &bits, sizeof(v));
        return v;
    }
    const uint32_t half = (uint32_t)bits;
    float v;
    memcpy(&v, &half, sizeof(v));
    return v;
}

static enum ft_status parse_bare(const char *name, const unsigned char *p, size_t len,
                                 enum waveform_format format, struct samples *s, struct ft_err *err)
{
    const size_t size = format == WAVEFORM_F64 ? 8 : format == WAVEFORM_I16 ? 2 : 4;
    if (len % size != 0)
        return ft_fail(err, FT_INVALID, "%s: %zu bytes are no whole number of %s samples", name,
                       len, format_names[format]);
    enum ft_status st = FT_OK;
    for (size_t at = 0; at < len && st == FT_OK; at += size)
        st = add(s, number_at(p + at, format), err);
    return st;
}

static enum waveform_format guess(const unsigned char *p, size_t len)
{
    if (len >= 6 && memcmp(p, "\x93NUMPY", 6) == 0)
        return WAVEFORM_NPY;
    const size_t n = len < 4096 ? len : 4096;
    for (size_t i = 0; i < n; i++)
        if (p[i] == 0 || (p[i] < 0x20 && strchr("\t\r\n", p[i]) == NULL) || p[i] >= 0x7f)
            return WAVEFORM_GUESS;
    return WAVEFORM_CSV;
}

enum ft_status waveform_file_parse(const char *name, const void *bytes, size_t len,
                                   const struct waveform_file_options *options, double **out,
                                   size_t *n, struct ft_err *err)
{
    struct samples s = {.scale = options->scale != 0 ? options->scale : 1};
    const enum waveform_format format =
        options->format != WAVEFORM_GUESS ? options->format : guess(bytes, len);
    enum ft_status st = FT_OK;
    *out = NULL;
    *n = 0;
    if (len == 0)
        return ft_fail(err, FT_INVALID, "%s: the file is empty", name);
    if (format == WAVEFORM_GUESS)
        return ft_fail(err, FT_INVALID, "%s: neither text nor .npy; --format says what it is",
                       name);
    if (format == WAVEFORM_CSV)
        st = parse_csv(name, bytes, len, options->column, &s, err);
    else if (format == WAVEFORM_NPY)
        st = parse_npy(name, bytes, len, options->column, &s, err);
    else
        st = parse_bare(name, bytes, len, format, &s, err);
    for (size_t i = 0; i < s.n && st == FT_OK; i++)
        if (!isfinite(s.items[i]))
            st = ft_fail(err, FT_INVALID, "%s: sample %zu is not a finite number", name, i + 1);
    if (st != FT_OK) {
        free(s.items);
        return st;
    }
    *out = s.items;
    *n = s.n;
    return FT_OK;
}
