/* Most lines hold no quoted field: one pass over their bytes finds delimiters and the line end, 32
 * bytes at a time where the processor has AVX2. A field that begins with a quote sends the record
 * to the careful path, which looks for the end of the record first and undoes quotes then. */
#include "app/ingest/csv.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { READER_SIZE = 8 << 20 }; /* bytes of the reader's buffer; well over CSV_RECORD_MAX */

void csv_record_init(struct csv_record *r)
{
    *r = (struct csv_record){0};
}

void csv_record_free(struct csv_record *r)
{
    free(r->fields);
    free(r->scratch);
    csv_record_init(r);
}

struct csv_field csv_trim(struct csv_field f)
{
    while (f.len > 0 && (*f.p == ' ' || *f.p == '\t')) {
        f.p++;
        f.len--;
    }
    while (f.len > 0 && (f.p[f.len - 1] == ' ' || f.p[f.len - 1] == '\t'))
        f.len--;
    return f;
}

struct csv_field csv_text(struct csv_field f)
{
    f = csv_trim(f);
    if (f.len > 1 && f.p[0] == '\'' && strchr("=+-@", f.p[1]) != NULL && f.p[1] != '\0') {
        f.p++;
        f.len--;
    }
    return f;
}

static enum ft_status grow_fields(struct csv_record *r, struct ft_err *err)
{
    const size_t cap = r->cap < 64 ? 64 : r->cap * 2;
    if (cap > CSV_FIELDS_MAX)
        return ft_fail(err, FT_INVALID, "more than %d fields in one record", CSV_FIELDS_MAX);
    struct csv_field *grown = realloc(r->fields, cap * sizeof(*grown));
    if (grown == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu fields", cap);
    r->fields = grown;
    r->cap = cap;
    return FT_OK;
}

/* How a scan of one line ended. */
enum scan { SCAN_LINE, SCAN_END, SCAN_QUOTE, SCAN_FULL };

/* Adds [*field, at) as a field; the next one begins behind at. */
static inline enum scan add_field(struct csv_record *r, const char **field, const char *at)
{
    if (r->n == r->cap)
        return SCAN_FULL;
    if (at > *field && **field == '"')
        return SCAN_QUOTE;
    r->fields[r->n++] = (struct csv_field){*field, (size_t)(at - *field)};
    *field = at + 1;
    return SCAN_END;
}

/* Goes on with a line at q whose current field began at field. On SCAN_LINE *stop is the '\n'. */
static enum scan scan_plain(const char *q, const char *end, const char *field, char delimiter,
                            struct csv_record *r, const char **stop)
{
    for (; q < end; q++) {
        if (*q != delimiter && *q != '\n')
            continue;
        const enum scan s = add_field(r, &field, q);
        if (s != SCAN_END)
            return s;
        if (*q == '\n') {
            *stop = q;
            return SCAN_LINE;
        }
    }
    *stop = field;
    return SCAN_END;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static enum scan
scan_avx2(const char *p, const char *end, char delimiter, struct csv_record *r, const char **stop)
{
    const __m256i delimiters = _mm256_set1_epi8(delimiter);
    const __m256i line_ends = _mm256_set1_epi8('\n');
    const char *field = p;
    const char *q = p;
    for (; end - q >= 32; q += 32) {
        const __m256i bytes = _mm256_loadu_si256((const __m256i *)q);
        const __m256i hits = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, delimiters),
                                             _mm256_cmpeq_epi8(bytes, line_ends));
        for (unsigned mask = (unsigned)_mm256_movemask_epi8(hits); mask != 0; mask &= mask - 1) {
            const char *at = q + __builtin_ctz(mask);
            const enum scan s = add_field(r, &field, at);
            if (s != SCAN_END)
                return s;
            if (*at == '\n') {
                *stop = at;
                return SCAN_LINE;
            }
        }
    }
    return scan_plain(q, end, field, delimiter, r, stop);
}
#endif

static enum scan scan_line(const char *p, const char *end, char delimiter, struct csv_record *r,
                           const char **stop)
{
    r->n = 0;
#if defined(__x86_64__)
    if (!r->is_plain && __builtin_cpu_supports("avx2"))
        return scan_avx2(p, end, delimiter, r, stop);
#endif
    return scan_plain(p, end, p, delimiter, r, stop);
}

/* Cuts the carriage return of a CRLF and marks an empty line. */
static void finish_record(struct csv_record *r, size_t n_lines)
{
    struct csv_field *last = &r->fields[r->n - 1];
    if (last->len > 0 && last->p[last->len - 1] == '\r')
        last->len--;
    r->n_lines = n_lines;
    r->is_blank = r->n == 1 && last->len == 0;
    if (r->is_blank)
        r->n = 0;
}

/* Refuses a record; *used covers its first line. */
static enum ft_status refuse(const char *p, const char *end, struct csv_record *r, size_t *used,
                             struct ft_err *err, const char *what)
{
    const char *line_end = memchr(p, '\n', (size_t)(end - p));
    *used = line_end != NULL ? (size_t)(line_end - p) + 1 : (size_t)(end - p);
    r->n = 0;
    r->n_lines = line_end != NULL;
    r->is_blank = false;
    return ft_fail(err, FT_INVALID, "%s", what);
}

/* Where the record at p ends: its '\n' or, when is_last, end. NULL: not before end. */
static const char *find_record_end(const char *p, const char *end, bool is_last, char delimiter)
{
    enum { START, BARE, QUOTED, CLOSED } state = START;
    for (const char *q = p; q < end; q++) {
        if (state == QUOTED) {
            if (*q == '"')
                state = CLOSED;
        } else if (*q == '"' && state != BARE) {
            state = QUOTED; /* a field begins, or the second of two quotes */
        } else if (*q == '\n') {
            return q;
        } else {
            state = *q == delimiter ? START : BARE;
        }
    }
    return is_last && state != QUOTED ? end : NULL;
}

/* Undoes the quotes of the field at *at, which begins with one, into scratch. */
static enum ft_status take_quoted(const char **at, const char *end, char delimiter, char **scratch,
                                  struct csv_field *out, struct ft_err *err)
{
    const char *q = *at + 1;
    char *to = *scratch;
    for (; q < end; q++) {
        if (*q == '"') {
            if (q + 1 < end && q[1] == '"')
                q++;
            else
                break;
        }
        *to++ = *q;
    }
    q++;
    if (q < end && *q == '\r' && q + 1 == end)
        q++;
    if (q < end && *q != delimiter)
        return ft_fail(err, FT_INVALID, "text behind a closing quote");
    *out = (struct csv_field){*scratch, (size_t)(to - *scratch)};
    *scratch = to;
    *at = q;
    return FT_OK;
}

/* Splits [p, end), one whole record without its line end. */
static enum ft_status split_careful(const char *p, const char *end, char delimiter,
                                    struct csv_record *r, struct ft_err *err)
{
    const size_t need = (size_t)(end - p) + 1;
    r->n = 0;
    if (r->scratch_cap < need) {
        char *grown = realloc(r->scratch, need);
        if (grown == NULL)
            return ft_fail(err, FT_NOMEM, "no memory for a record of %zu bytes", need);
        r->scratch = grown;
        r->scratch_cap = need;
    }
    char *scratch = r->scratch;
    for (;;) {
        enum ft_status st = r->n == r->cap ? grow_fields(r, err) : FT_OK;
        if (st != FT_OK)
            return st;
        struct csv_field *f = &r->fields[r->n];
        if (p < end && *p == '"') {
            st = take_quoted(&p, end, delimiter, &scratch, f, err);
            if (st != FT_OK)
                return st;
        } else {
            const char *stop = memchr(p, delimiter, (size_t)(end - p));
            stop = stop != NULL ? stop : end;
            *f = (struct csv_field){p, (size_t)(stop - p)};
            p = stop;
        }
        r->n++;
        if (p >= end)
            return FT_OK;
        p++;
    }
}

static enum ft_status split_quoted(const char *p, const char *end, bool is_last, char delimiter,
                                   struct csv_record *r, size_t *used, struct ft_err *err)
{
    const char *stop = find_record_end(p, end, is_last, delimiter);
    const size_t seen = (size_t)((stop != NULL ? stop : end) - p);
    if (seen > CSV_RECORD_MAX)
        return refuse(p, end, r, used, err,
                      "a record of more than 1 MiB: is a closing quote missing?");
    if (stop == NULL && !is_last)
        return FT_OK; /* *used is 0 */
    if (stop == NULL)
        return refuse(p, end, r, used, err, "a quote that is never closed");
    struct ft_err why;
    const enum ft_status st = split_careful(p, stop, delimiter, r, &why);
    if (st == FT_INVALID)
        return refuse(p, end, r, used, err, why.msg);
    if (st != FT_OK)
        return ft_fail(err, st, "%s", why.msg);
    size_t n_lines = 1;
    for (const char *q = p; (q = memchr(q, '\n', (size_t)(stop - q))) != NULL; q++)
        n_lines++;
    finish_record(r, n_lines);
    *used = (size_t)(stop - p) + (stop < end);
    return FT_OK;
}

enum ft_status csv_split(const char *p, const char *end, bool is_last, char delimiter,
                         struct csv_record *r, size_t *used, struct ft_err *err)
{
    const char *stop = NULL;
    *used = 0;
    r->n = 0;
    if (p == end)
        return FT_OK;
    enum scan s = scan_line(p, end, delimiter, r, &stop);
    while (s == SCAN_FULL) {
        struct ft_err why;
        const enum ft_status st = grow_fields(r, &why);
        if (st == FT_INVALID)
            return refuse(p, end, r, used, err, why.msg);
        if (st != FT_OK)
            return ft_fail(err, st, "%s", why.msg);
        s = scan_line(p, end, delimiter, r, &stop);
    }
    if ((s == SCAN_END && (size_t)(end - p) > CSV_RECORD_MAX) ||
        (s == SCAN_LINE && (size_t)(stop - p) > CSV_RECORD_MAX))
        return refuse(p, end, r, used, err, "a line of more than 1 MiB");
    if (s == SCAN_END && stop < end && *stop == '"')
        s = SCAN_QUOTE; /* the last field, not ended yet, is quoted */
    if (s == SCAN_QUOTE)
        return split_quoted(p, end, is_last, delimiter, r, used, err);
    if (s == SCAN_END && !is_last)
        return FT_OK;
    if (s == SCAN_END) {
        if (r->n == r->cap && grow_fields(r, err) != FT_OK)
            return ft_fail(err, FT_NOMEM, "no memory for the fields of a record");
        r->fields[r->n++] = (struct csv_field){stop, (size_t)(end - stop)};
        stop = end - 1;
    }
    finish_record(r, 1);
    *used = (size_t)(stop - p) + 1;
    return FT_OK;
}

char csv_guess_delimiter(const char *p, size_t len)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    size_t counts[sizeof(candidates)] = {0};
    bool in_quotes = false;
    size_t best = 0;
    for (size_t i = 0; i < len; i++) {
        if (p[i] == '"')
            in_quotes = !in_quotes;
        if (in_quotes)
            continue;
        if (p[i] == '\n')
            break;
        for (size_t k = 0; k < sizeof(candidates); k++)
            counts[k] += p[i] == candidates[k];
    }
    for (size_t k = 1; k < sizeof(candidates); k++)
        if (counts[k] > counts[best])
            best = k;
    return candidates[best];
}

/* --- reader --- */

struct csv_reader {
    struct input *in;
    char *buf; /* [READER_SIZE], bytes not used yet are buf[at..len) */
    size_t at, len;
    bool is_last; /* the input has no more */
    char delimiter;
    int64_t line;     /* line at which buf[at] begins */
    int64_t rec_line; /* line of the last record */
    size_t raw_at, raw_len;
    struct csv_record rec;
};

/* Moves what is left to the front and fills the buffer. */
static enum ft_status fill(struct csv_reader *r, struct ft_err *err)
{
    size_t n = 0;
    if (r->is_last)
        return FT_OK;
    memmove(r->buf, r->buf + r->at, r->len - r->at);
    r->len -= r->at;
    r->at = 0;
    const enum ft_status st = input_read(r->in, r->buf + r->len, READER_SIZE - r->len, &n, err);
    r->len += n;
    r->is_last = r->len < READER_SIZE;
    return st;
}

/* Refuses what is no text: UTF-16, NUL bytes, line ends of old Macintosh files. */
static enum ft_status check_text(const struct csv_reader *r, struct ft_err *err)
{
    const unsigned char *p = (const unsigned char *)r->buf;
    const size_t n = r->len < 65536 ? r->len : 65536;
    const char *name = input_name(r->in);
    if (n == 0)
        return ft_fail(err, FT_INVALID, "%s: the file is empty, expected a header line", name);
    if (n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
        return ft_fail(err, FT_INVALID, "%s: line 1: the file is UTF-16, save it as UTF-8 CSV",
                       name);
    const unsigned char *line_end = memchr(p, '\n', n);
    const size_t line_len = line_end != NULL ? (size_t)(line_end - p) : n;
    if (memchr(p, 0, line_len) != NULL)
        return ft_fail(err, FT_INVALID,
                       "%s: line 1: the file holds binary data, expected CSV text with a header",
                       name);
    if (line_end == NULL && memchr(p, '\r', line_len > 0 ? line_len - 1 : 0) != NULL)
        return ft_fail(err, FT_INVALID,
                       "%s: line 1: lines end in a carriage return alone, expected LF or CRLF",
                       name);
    return FT_OK;
}

enum ft_status csv_reader_open(const char *path, char delimiter, bool (*is_stopped)(void),
                               struct csv_reader **out, struct ft_err *err)
{
    struct csv_reader *r = calloc(1, sizeof(*r));
    enum ft_status st = FT_OK;
    *out = NULL;
    if (r == NULL || (r->buf = malloc(READER_SIZE)) == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory to read %s", path);
    if (st == FT_OK)
        st = input_open(path, is_stopped, &r->in, err);
    if (st == FT_OK)
        st = fill(r, err);
    if (st == FT_OK)
        st = check_text(r, err);
    if (st != FT_OK) {
        csv_reader_close(r);
        return st;
    }
    r->line = 1;
    if (r->len >= 3 && memcmp(r->buf, "\xef\xbb\xbf", 3) == 0)
        r->at = 3;
    r->delimiter = delimiter != 0 ? delimiter : csv_guess_delimiter(r->buf + r->at, r->len - r->at);
    *out = r;
    return FT_OK;
}

void csv_reader_close(struct csv_reader *r)
{
    if (r == NULL)
        return;
    input_close(r->in);
    csv_record_free(&r->rec);
    free(r->buf);
    free(r);
}

enum ft_status csv_reader_next(struct csv_reader *r, struct csv_record **record, struct ft_err *err)
{
    *record = NULL;
    for (;;) {
        size_t used = 0;
        enum ft_status st = csv_split(r->buf + r->at, r->buf + r->len, r->is_last, r->delimiter,
                                      &r->rec, &used, err);
        if (used == 0 && st == FT_OK) {
            if (r->is_last)
                return FT_OK;
            st = fill(r, err);
            if (st != FT_OK)
                return st;
            continue;
        }
        if (used == 0)
            return st;
        r->rec_line = r->line;
        r->raw_at = r->at;
        r->raw_len = used;
        csv_reader_skip(r, used, r->rec.n_lines);
        if (st == FT_INVALID)
            return ft_err_prefix(err, "%s: line %lld", input_name(r->in), (long long)r->rec_line);
        if (st != FT_OK || !r->rec.is_blank) {
            *record = st == FT_OK ? &r->rec : NULL;
            return st;
        }
    }
}

int64_t csv_reader_line(const struct csv_reader *r)
{
    return r->rec_line;
}

int64_t csv_reader_next_line(const struct csv_reader *r)
{
    return r->line;
}

struct csv_field csv_reader_raw(const struct csv_reader *r)
{
    struct csv_field raw = {r->buf + r->raw_at, r->raw_len};
    while (raw.len > 0 && (raw.p[raw.len - 1] == '\n' || raw.p[raw.len - 1] == '\r'))
        raw.len--;
    return raw;
}

enum ft_status csv_reader_peek(struct csv_reader *r, struct csv_field *bytes, bool *is_last,
                               struct ft_err *err)
{
    enum ft_status st = FT_OK;
    if (r->len - r->at < CSV_RECORD_MAX + 1)
        st = fill(r, err);
    *bytes = (struct csv_field){r->buf + r->at, r->len - r->at};
    *is_last = r->is_last;
    return st;
}

void csv_reader_skip(struct csv_reader *r, size_t n_bytes, size_t n_lines)
{
    r->at += n_bytes;
    r->line += (int64_t)n_lines;
}

char csv_reader_delimiter(const struct csv_reader *r)
{
    return r->delimiter;
}

const struct input *csv_reader_input(const struct csv_reader *r)
{
    return r->in;
}
