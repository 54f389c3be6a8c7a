/* CSV after RFC 4180: quoted fields with doubled quotes and line ends inside, LF or CRLF, a byte
 * order mark, and , ; tab or | between fields. Fields are slices of the input (or of the record's
 * own scratch memory when quotes had to be undone); nothing is allocated per field or per record.
 *
 * csv_split() is the parser and works on any piece of memory, so pieces may be parsed by several
 * threads; csv_reader feeds it from an input. */
#ifndef APP_INGEST_CSV_H
#define APP_INGEST_CSV_H

#include "app/base/status.h"
#include "app/ingest/input.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSV_RECORD_MAX ((size_t)1 << 20) /* bytes of one record */
#define CSV_FIELDS_MAX 65536

struct csv_field {
    const char *p; /* not NUL-terminated */
    size_t len;
};

struct csv_record {
    struct csv_field *fields; /* [n] */
    size_t n;
    size_t n_lines; /* line ends that were used */
    bool is_blank;  /* an empty line: n is 0 */
    bool is_plain;  /* tests only: never use vector instructions */
    /* private */
    size_t cap;
    char *scratch;
    size_t scratch_cap;
};

void csv_record_init(struct csv_record *r); /* allocates nothing */
void csv_record_free(struct csv_record *r);

/* Splits the record that begins at p. FT_OK: *used bytes were taken, or 0 when the record does not
 * end before end and more input follows (is_last false). FT_INVALID: not CSV (a quote that never
 * closes, text behind a closing quote, a record over the limits); *used then covers its first line,
 * so that the caller can go on behind it. FT_NOMEM. */
enum ft_status csv_split(const char *p, const char *end, bool is_last, char delimiter,
                         struct csv_record *r, size_t *used, struct ft_err *err);

/* The delimiter of a header line: the one of , ; tab | that occurs most outside quotes; ',' when
 * none does. */
char csv_guess_delimiter(const char *p, size_t len);

struct csv_reader;

/* Opens a file (input.h) and reads its beginning. delimiter 0 = guess from the first line.
 * FT_INVALID when the bytes are no text (UTF-16, binary), or the file is empty. */
enum ft_status csv_reader_open(const char *path, char delimiter, bool (*is_stopped)(void),
                               struct csv_reader **out, struct ft_err *err);
void csv_reader_close(struct csv_reader *r); /* NULL is fine */

/* The next record that is not blank; *record NULL at the end. It stays valid until the next call.
 * FT_INVALID: this record is no CSV (csv_reader_raw() shows it), the next call goes on behind it.
 */
enum ft_status csv_reader_next(struct csv_reader *r, struct csv_record **record,
                               struct ft_err *err);

/* Line on which the last record began (1 = first line of the file), and its bytes as they stand in
 * the file without the line end. */
int64_t csv_reader_line(const struct csv_reader *r);
int64_t csv_reader_next_line(const struct csv_reader *r); /* the line behind it */
struct csv_field csv_reader_raw(const struct csv_reader *r);

/* For block parsers: bytes not used yet, at least CSV_RECORD_MAX of them unless *is_last. Take them
 * with csv_reader_skip(). */
enum ft_status csv_reader_peek(struct csv_reader *r, struct csv_field *bytes, bool *is_last,
                               struct ft_err *err);
void csv_reader_skip(struct csv_reader *r, size_t n_bytes, size_t n_lines);

char csv_reader_delimiter(const struct csv_reader *r);
const struct input *csv_reader_input(const struct csv_reader *r);

/* Blanks and tabs at both ends cut off. */
struct csv_field csv_trim(struct csv_field f);

/* csv_trim(), and the apostrophe taken away that buf_put_csv() puts before = + - @ against
 * spreadsheets: what was exported comes back the same. */
struct csv_field csv_text(struct csv_field f);

#endif
