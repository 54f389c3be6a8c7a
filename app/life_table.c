#include "app/life_table.h"

#include "app/base/buf.h"
#include "app/ingest/columns.h"
#include "app/ingest/csv.h"
#include "app/ingest/number.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_TEXT = 256 << 20 };

/* All cells of the file as texts: the roles of the columns show only when all rows are known. */
struct cells {
    const char *file;
    struct columns columns;
    struct buf text; /* NUL-terminated cells, row by row */
    size_t *offset;  /* [n_rows * columns.n] */
    int64_t *line;   /* [n_rows] */
    size_t n_rows, cap_rows;
};

static const char *cell(const struct cells *c, size_t row, size_t column)
{
    return c->text.data + c->offset[row * c->columns.n + column];
}

static bool grow(struct cells *c)
{
    if (c->n_rows < c->cap_rows)
        return true;
    const size_t cap = c->cap_rows > 0 ? 2 * c->cap_rows : 256;
    size_t *offset = reallocarray(c->offset, cap, c->columns.n * sizeof(*offset));
    if (offset != NULL)
        c->offset = offset;
    int64_t *line = reallocarray(c->line, cap, sizeof(*line));
    if (line != NULL)
        c->line = line;
    if (offset == NULL || line == NULL)
        return false;
    c->cap_rows = cap;
    return true;
}

static enum ft_status take_record(struct cells *c, const struct csv_record *r, int64_t line,
                                  struct ft_err *err)
{
    if (r->n != c->columns.n)
        return ft_fail(err, FT_INVALID, "%s line %lld: %zu fields, expected %zu as in the header",
                       c->file, (long long)line, r->n, c->columns.n);
    if (!grow(c))
        return ft_fail(err, FT_NOMEM, "%s: no memory for %zu rows", c->file, c->n_rows);
    for (size_t j = 0; j < r->n; j++) {
        const struct csv_field f = csv_trim(r->fields[j]);
        if (memchr(f.p, '\0', f.len) != NULL)
            return ft_fail(err, FT_INVALID, "%s line %lld, column %s: a NUL byte", c->file,
                           (long long)line, c->columns.names[j]);
        c->offset[c->n_rows * r->n + j] = c->text.len;
        buf_put(&c->text, f.p, f.len);
        buf_putc(&c->text, '\0');
    }
    c->line[c->n_rows++] = line;
    const enum ft_status st = buf_status(&c->text, err);
    return st == FT_OK ? FT_OK : ft_err_prefix(err, "%s", c->file);
}

static bool is_number(const char *text, double *value)
{
    const size_t n = strlen(text);
    /* A decimal comma can only be one when the field was not split at it. */
    return number_parse(text, n, '.', value) || number_parse(text, n, ',', value);
}

static enum ft_status read_cells(const char *path, struct cells *c, struct ft_err *err)
{
    struct csv_reader *reader = NULL;
    struct csv_record *record = NULL;
    double number = 0;
    bool has_word = false;
    enum ft_status st = csv_reader_open(path, 0, NULL, &reader, err);
    if (st != FT_OK)
        return st;
    st = csv_reader_next(reader, &record, err);
    if (st == FT_OK && record == NULL)
        st = ft_fail(err, FT_INVALID, "%s: empty, expected a header and rows", path);
    if (st == FT_OK)
        st = columns_from_header(record, path, &c->columns, err);
    for (size_t j = 0; st == FT_OK && j < c->columns.n; j++)
        has_word = has_word || !is_number(c->columns.names[j], &number);
    if (st == FT_OK && !has_word)
        st = ft_fail(err, FT_INVALID, "%s line 1: only numbers, expected the names of the columns",
                     path);
    while (st == FT_OK) {
        st = csv_reader_next(reader, &record, err);
        if (st != FT_OK || record == NULL)
            break;
        st = take_record(c, record, csv_reader_line(reader), err);
    }
    csv_reader_close(reader);
    return st;
}

static bool is_one_of(const char *word, const char *const words[])
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (strcasecmp(word, words[i]) == 0)
            return true;
    return false;
}

/* 1 failed, 0 censored, -1 neither. */
static int event_of(const char *word, bool is_inverted)
{
    static const char *const yes[] = {"1", "1.0", "true", "yes", "y", "t", NULL};
    static const char *const no[] = {"0", "0.0", "false", "no", "n", NULL};
    static const char *const failed[] = {"f",        "fail", "failed", "failure",
                                         "failures", "dead", "event",  NULL};
    static const char *const censored[] = {"c",
                                           "cens",
                                           "censor",
                                           "censored",
                                           "right-censored",
                                           "right_censored",
                                           "s",
                                           "susp",
                                           "suspend",
                                           "suspended",
                                           "suspension",
                                           "survived",
                                           "alive",
                                           "running",
                                           "removed",
                                           "survivor",
                                           NULL};
    if (is_one_of(word, yes))
        return is_inverted ? 0 : 1;
    if (is_one_of(word, no))
        return is_inverted ? 1 : 0;
    return is_one_of(word, failed) ? 1 : is_one_of(word, censored) ? 0 : -1;
}

static bool is_event_column(const struct cells *c, size_t column)
{
    for (size_t i = 0; i < c->n_rows; i++)
        if (event_of(cell(c, i, column), false) < 0)
            return false;
    return c->n_rows > 0;
}

static bool is_number_column(const struct cells *c, size_t column)
{
    double number = 0;
    for (size_t i = 0; i < c->n_rows; i++)
        if (!is_number(cell(c, i, column), &number))
            return false;
    return c->n_rows > 0;
}

static int find_any(const struct cells *c, const char *const names[], const bool *taken)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        const int at = columns_find(&c->columns, names[i]);
        if (at != COLUMN_NONE && !taken[at])
            return at;
    }
    return COLUMN_NONE;
}

/* The column named by the user, or a guess by usual names. */
static enum ft_status pick(const struct cells *c, const char *wanted, const char *const names[],
                           bool *taken, int *column, struct ft_err *err)
{
    char list[256];
    *column = wanted != NULL ? columns_find(&c->columns, wanted) : find_any(c, names, taken);
    if (wanted != NULL && *column == COLUMN_NONE)
        return ft_fail(err, FT_INVALID, "%s: no column \"%.60s\"; there are: %s", c->file, wanted,
                       columns_list(&c->columns, list, sizeof(list)));
    if (wanted != NULL && taken[*column])
        return ft_fail(err, FT_INVALID, "%s: column \"%.60s\" is used twice", c->file, wanted);
    if (*column != COLUMN_NONE)
        taken[*column] = true;
    return FT_OK;
}

struct roles {
    int time, event, entry, count;
};

static enum ft_status pick_roles(const struct cells *c, const struct life_columns *wanted,
                                 bool *taken, struct roles *r, struct ft_err *err)
{
    static const char *const times[] = {"time",
                                        "hours",
                                        "miles",
                                        "kilomiles",
                                        "cycles",
                                        "megacycles",
                                        "kilocycles",
                                        "days",
                                        "weeks",
                                        "months",
                                        "years",
                                        "minutes",
                                        "seconds",
                                        "km",
                                        "age",
                                        "life",
                                        "ttf",
                                        "hrs",
                                        "duration",
                                        "time_h",
                                        "age_h",
                                        "hours_run",
                                        "run_hours",
                                        "operating_hours",
                                        "time_to_failure",
                                        "lifetime",
                                        "distance",
                                        "mileage",
                                        "starts",
                                        "kilometers",
                                        "kilometres",
                                        "t",
                                        NULL};
    static const char *const events[] = {"event",       "status",    "failed",    "failure",
                                         "state",       "censored",  "suspended", "censor",
                                         "outcome",     "censoring", "observed",  "event_type",
                                         "status_code", "f_or_s",    NULL};
    static const char *const entries[] = {
        "entry", "entry_time", "entry_age", "truncation", "left_truncation", "entered", NULL};
    static const char *const counts[] = {"count",  "freq", "frequency", "quantity", "number",
                                         "weight", "qty",  "units",     "n",        NULL};
    enum ft_status st = pick(c, wanted->event, events, taken, &r->event, err);
    if (st == FT_OK)
        st = pick(c, wanted->entry, entries, taken, &r->entry, err);
    if (st == FT_OK)
        st = pick(c, wanted->count, counts, taken, &r->count, err);
    if (st == FT_OK)
        st = pick(c, wanted->time, times, taken, &r->time, err);
    if (st != FT_OK)
        return st;
    for (size_t j = 0; r->time == COLUMN_NONE && j < c->columns.n; j++)
        if (!taken[j] && is_number_column(c, j) && !is_event_column(c, j)) {
            r->time = (int)j;
            taken[j] = true;
        }
    for (size_t j = 0; r->event == COLUMN_NONE && j < c->columns.n; j++)
        if (!taken[j] && is_event_column(c, j)) {
            r->event = (int)j;
            taken[j] = true;
        }
    if (r->time == COLUMN_NONE)
        return ft_fail(err, FT_INVALID, "%s: no column of times; name it with --time-col", c->file);
    return FT_OK;
}

static enum ft_status bad_cell(const struct cells *c, size_t row, int column, const char *expected,
                               struct ft_err *err)
{
    return ft_fail(err, FT_INVALID, "%s line %lld, column %s: \"%.40s\", expected %s", c->file,
                   (long long)c->line[row], c->columns.names[column], cell(c, row, (size_t)column),
                   expected);
}

static enum ft_status take_row(const struct cells *c, const struct roles *r, bool is_inverted,
                               size_t i, struct life_table *t, struct ft_err *err)
{
    if (!is_number(cell(c, i, (size_t)r->time), &t->time[i]) || !(t->time[i] > 0))
        return bad_cell(c, i, r->time, "a number above 0", err);
    t->failed[i] = true;
    t->count[i] = 1;
    if (r->event != COLUMN_NONE) {
        const int event = event_of(cell(c, i, (size_t)r->event), is_inverted);
        if (event < 0)
            return bad_cell(c, i, r->event, "1 or failed, 0 or censored", err);
        t->failed[i] = event == 1;
    }
    if (r->entry != COLUMN_NONE) {
        const char *text = cell(c, i, (size_t)r->entry);
        if (text[0] != '\0' && (!is_number(text, &t->entry[i]) || !(t->entry[i] >= 0)))
            return bad_cell(c, i, r->entry, "an age >= 0 or nothing", err);
        if (!(t->entry[i] < t->time[i]))
            return bad_cell(c, i, r->entry, "an age below the time of the row", err);
    }
    if (r->count != COLUMN_NONE &&
        (!is_number(cell(c, i, (size_t)r->count), &t->count[i]) || !(t->count[i] >= 0) ||
         t->count[i] > 1e12 || t->count[i] != floor(t->count[i])))
        return bad_cell(c, i, r->count, "a whole number of units", err);
    return FT_OK;
}

static void copy_name(const struct cells *c, int column, char out[64])
{
    (void)snprintf(out, 64, "%s", column == COLUMN_NONE ? "" : c->columns.names[column]);
}

static enum ft_status take_rows(const struct cells *c, const struct roles *r, struct life_table *t,
                                struct ft_err *err)
{
    enum ft_status st = FT_OK;
    copy_name(c, r->time, t->time_column);
    copy_name(c, r->event, t->event_column);
    copy_name(c, r->entry, t->entry_column);
    copy_name(c, r->count, t->count_column);
    const bool is_inverted = strncasecmp(t->event_column, "censor", 6) == 0 ||
                             strncasecmp(t->event_column, "suspen", 6) == 0;
    t->n = c->n_rows;
    t->time = calloc(t->n, sizeof(double));
    t->failed = calloc(t->n, sizeof(bool));
    t->count = calloc(t->n, sizeof(double));
    t->entry = r->entry != COLUMN_NONE ? calloc(t->n, sizeof(double)) : NULL;
    if (t->time == NULL || t->failed == NULL || t->count == NULL ||
        (r->entry != COLUMN_NONE && t->entry == NULL))
        st = ft_fail(err, FT_NOMEM, "%s: no memory for %zu rows", c->file, t->n);
    for (size_t i = 0; st == FT_OK && i < t->n; i++)
        st = take_row(c, r, is_inverted, i, t, err);
    return st;
}

enum ft_status life_table_read(const char *path, const struct life_columns *columns,
                               struct life_table *out, struct ft_err *err)
{
    struct cells c = {.file = strcmp(path, "-") == 0 ? "standard input" : path};
    struct roles roles = {COLUMN_NONE, COLUMN_NONE, COLUMN_NONE, COLUMN_NONE};
    bool *taken = NULL;
    *out = (struct life_table){0};
    buf_init(&c.text, MAX_TEXT);
    enum ft_status st = read_cells(path, &c, err);
    if (st == FT_OK && c.n_rows == 0)
        st = ft_fail(err, FT_INVALID, "%s: a header and no rows", c.file);
    if (st == FT_OK) {
        taken = calloc(c.columns.n, sizeof(*taken));
        st = taken == NULL ? ft_fail(err, FT_NOMEM, "%s: no memory", c.file)
                           : pick_roles(&c, columns, taken, &roles, err);
    }
    if (st == FT_OK)
        st = take_rows(&c, &roles, out, err);
    if (st != FT_OK)
        life_table_free(out);
    free(taken);
    columns_free(&c.columns);
    buf_free(&c.text);
    free(c.offset);
    free(c.line);
    return st;
}

void life_table_free(struct life_table *t)
{
    free(t->time);
    free(t->failed);
    free(t->entry);
    free(t->count);
    *t = (struct life_table){0};
}
