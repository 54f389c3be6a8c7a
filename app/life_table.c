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

enum wording { WORDS_PLAIN, WORDS_INVERTED, WORDS_RECURRENT };

/* 1 failed, 0 censored, -1 neither. */
static int event_of(const char *word, enum wording wording)
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
    static const char *const renewed[] = {"repair",  "repaired", "replacement", "replaced",
                                          "renewal", "renewed",  NULL};
    static const char *const ended[] = {"end", "ended", "last", "stop", "stopped", NULL};
    if (is_one_of(word, yes))
        return wording == WORDS_INVERTED ? 0 : 1;
    if (is_one_of(word, no))
        return wording == WORDS_INVERTED ? 1 : 0;
    if (wording == WORDS_RECURRENT && is_one_of(word, renewed))
        return 1;
    if (wording == WORDS_RECURRENT && is_one_of(word, ended))
        return 0;
    return is_one_of(word, failed) ? 1 : is_one_of(word, censored) ? 0 : -1;
}

static bool is_event_column(const struct cells *c, size_t column)
{
    for (size_t i = 0; i < c->n_rows; i++)
        if (event_of(cell(c, i, column), WORDS_PLAIN) < 0)
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
    int time, event, entry, count, lower, upper, mode, asset;
};

/* Columns that are used only when named. */
static enum ft_status pick_named(const struct cells *c, const struct life_columns *wanted,
                                 bool *taken, struct roles *r, struct ft_err *err)
{
    static const char *const none[] = {NULL};
    static const char *const lowers[] = {"lower", "lower_bound", "last_good", "left", NULL};
    static const char *const uppers[] = {"upper", "upper_bound", "found_failed", "right", NULL};
    enum ft_status st = pick(c, wanted->mode, none, taken, &r->mode, err);
    if (st == FT_OK)
        st = pick(c, wanted->asset, none, taken, &r->asset, err);
    if (st != FT_OK || (wanted->time != NULL && wanted->upper == NULL))
        return st;
    const bool is_named = wanted->lower != NULL || wanted->upper != NULL;
    if (!is_named &&
        (find_any(c, lowers, taken) == COLUMN_NONE || find_any(c, uppers, taken) == COLUMN_NONE))
        return FT_OK;
    st = pick(c, wanted->lower, lowers, taken, &r->lower, err);
    if (st == FT_OK)
        st = pick(c, wanted->upper, uppers, taken, &r->upper, err);
    if (st != FT_OK)
        return st;
    if (r->lower == COLUMN_NONE || r->upper == COLUMN_NONE)
        return ft_fail(err, FT_INVALID,
                       "%s: an interval needs both ends; name them with "
                       "--lower-col and --upper-col",
                       c->file);
    if (wanted->time != NULL || wanted->asset != NULL)
        return ft_fail(err, FT_INVALID, "%s: --%s-col and an interval exclude each other", c->file,
                       wanted->time != NULL ? "time" : "asset");
    r->time = r->lower;
    return FT_OK;
}

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
    enum ft_status st = pick_named(c, wanted, taken, r, err);
    if (st == FT_OK)
        st = pick(c, wanted->event, events, taken, &r->event, err);
    if (st == FT_OK)
        st = pick(c, wanted->entry, entries, taken, &r->entry, err);
    if (st == FT_OK)
        st = pick(c, wanted->count, counts, taken, &r->count, err);
    if (st == FT_OK && r->lower == COLUMN_NONE)
        st = pick(c, wanted->time, times, taken, &r->time, err);
    if (st != FT_OK)
        return st;
    for (size_t j = 0; r->time == COLUMN_NONE && j < c->columns.n; j++)
        if (!taken[j] && is_number_column(c, j) && !is_event_column(c, j)) {
            r->time = (int)j;
            taken[j] = true;
        }
    const bool needs_event =
        r->event == COLUMN_NONE && r->mode == COLUMN_NONE && r->upper == COLUMN_NONE;
    for (size_t j = 0; needs_event && r->event == COLUMN_NONE && j < c->columns.n; j++)
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

static enum ft_status take_event(const struct cells *c, const struct roles *r, enum wording wording,
                                 size_t i, struct life_table *t, struct ft_err *err)
{
    t->failed[i] = true;
    if (r->event != COLUMN_NONE) {
        const int event = event_of(cell(c, i, (size_t)r->event), wording);
        if (event < 0)
            return bad_cell(c, i, r->event, "1 or failed, 0 or censored", err);
        t->failed[i] = event == 1;
    } else if (r->mode != COLUMN_NONE) {
        const char *mode = cell(c, i, (size_t)r->mode);
        t->failed[i] = mode[0] != '\0' && event_of(mode, WORDS_PLAIN) != 0;
    }
    return FT_OK;
}

static enum ft_status take_interval(const struct cells *c, const struct roles *r, size_t i,
                                    struct life_table *t, struct ft_err *err)
{
    const char *from = cell(c, i, (size_t)r->lower), *upto = cell(c, i, (size_t)r->upper);
    if (from[0] != '\0' && (!is_number(from, &t->time[i]) || !(t->time[i] >= 0)))
        return bad_cell(c, i, r->lower, "an age >= 0 or nothing", err);
    const bool is_running = upto[0] == '\0' || strcasecmp(upto, "inf") == 0;
    if (!is_running &&
        (!is_number(upto, &t->upper[i]) || !(t->upper[i] >= t->time[i]) || !(t->upper[i] > 0)))
        return bad_cell(c, i, r->upper, "an age above 0, not below the lower one, or nothing", err);
    if (is_running && !(t->time[i] > 0))
        return bad_cell(c, i, r->lower, "an age above 0 when there is no upper one", err);
    if (r->event != COLUMN_NONE && t->failed[i] == is_running)
        return bad_cell(c, i, r->event,
                        is_running ? "censored, as there is no upper age"
                                   : "failed, as there is an upper age",
                        err);
    t->failed[i] = !is_running;
    if (t->upper[i] == t->time[i])
        t->upper[i] = 0;
    return FT_OK;
}

static enum ft_status take_row(const struct cells *c, const struct roles *r, enum wording wording,
                               size_t i, struct life_table *t, struct ft_err *err)
{
    enum ft_status st = take_event(c, r, wording, i, t, err);
    const bool may_be_zero = r->asset != COLUMN_NONE; /* seen from the start, never used */
    if (st == FT_OK && r->upper != COLUMN_NONE)
        st = take_interval(c, r, i, t, err);
    else if (st == FT_OK && (!is_number(cell(c, i, (size_t)r->time), &t->time[i]) ||
                             !(may_be_zero ? t->time[i] >= 0 : t->time[i] > 0)))
        st = bad_cell(c, i, r->time, may_be_zero ? "a number >= 0" : "a number above 0", err);
    if (st != FT_OK)
        return st;
    t->count[i] = 1;
    if (r->entry != COLUMN_NONE) {
        const char *text = cell(c, i, (size_t)r->entry);
        const bool is_interval = t->upper != NULL && t->upper[i] > 0;
        if (text[0] != '\0' && (!is_number(text, &t->entry[i]) || !(t->entry[i] >= 0)))
            return bad_cell(c, i, r->entry, "an age >= 0 or nothing", err);
        if (!(is_interval || may_be_zero ? t->entry[i] <= t->time[i] : t->entry[i] < t->time[i]))
            return bad_cell(c, i, r->entry, "an age below the time of the row", err);
    }
    if (r->count != COLUMN_NONE &&
        (!is_number(cell(c, i, (size_t)r->count), &t->count[i]) || !(t->count[i] >= 0) ||
         t->count[i] > 1e12 || t->count[i] != floor(t->count[i])))
        return bad_cell(c, i, r->count, "a whole number of units", err);
    return FT_OK;
}

struct label {
    const char *text;
    size_t row, at;
};

static int compare_labels(const void *x, const void *y)
{
    const struct label *a = x;
    const struct label *b = y;
    const int order = strcmp(a->text, b->text);
    return order != 0 ? order : a->row < b->row ? -1 : 1;
}

static int compare_first_rows(const void *x, const void *y)
{
    const struct label *a = x;
    const struct label *b = y;
    return a->row < b->row ? -1 : a->row > b->row;
}

/* Numbers the distinct texts of a column by first appearance; rows for which is_used is false (NULL
 * = all true) get none. */
static enum ft_status take_labels(const struct cells *c, int column, const bool *is_used,
                                  struct life_labels *out, struct ft_err *err)
{
    size_t n = 0, n_distinct = 0;
    struct label *rows = calloc(c->n_rows, sizeof(*rows));
    struct label *distinct = calloc(c->n_rows, sizeof(*distinct));
    out->of = calloc(c->n_rows, sizeof(*out->of));
    enum ft_status st = FT_OK;
    if (rows == NULL || distinct == NULL || out->of == NULL) {
        st = ft_fail(err, FT_NOMEM, "%s: no memory for %zu rows", c->file, c->n_rows);
        goto out;
    }
    for (size_t i = 0; i < c->n_rows; i++) {
        out->of[i] = LIFE_NO_LABEL;
        if (is_used == NULL || is_used[i])
            rows[n++] = (struct label){cell(c, i, (size_t)column), i, 0};
    }
    qsort(rows, n, sizeof(*rows), compare_labels);
    for (size_t k = 0; k < n; k++) {
        if (k == 0 || strcmp(rows[k].text, rows[k - 1].text) != 0) {
            distinct[n_distinct] = (struct label){rows[k].text, rows[k].row, n_distinct};
            n_distinct++;
        }
        rows[k].at = n_distinct - 1;
    }
    qsort(distinct, n_distinct, sizeof(*distinct), compare_first_rows);
    out->names = calloc(n_distinct + 1, sizeof(*out->names));
    size_t *rank = calloc(n_distinct + 1, sizeof(*rank));
    if (out->names == NULL || rank == NULL) {
        free(rank);
        st = ft_fail(err, FT_NOMEM, "%s: no memory for %zu names", c->file, n_distinct);
        goto out;
    }
    for (size_t k = 0; k < n_distinct; k++) {
        rank[distinct[k].at] = k;
        (void)snprintf(out->names[k], sizeof(out->names[k]), "%s", distinct[k].text);
    }
    for (size_t k = 0; k < n; k++)
        out->of[rows[k].row] = rank[rows[k].at];
    out->n = n_distinct;
    free(rank);
out:
    free(rows);
    free(distinct);
    return st;
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
    copy_name(c, r->upper, t->upper_column);
    copy_name(c, r->mode, t->mode_column);
    copy_name(c, r->asset, t->asset_column);
    const bool is_inverted = strncasecmp(t->event_column, "censor", 6) == 0 ||
                             strncasecmp(t->event_column, "suspen", 6) == 0;
    const enum wording wording = r->asset != COLUMN_NONE ? WORDS_RECURRENT
                                 : is_inverted           ? WORDS_INVERTED
                                                         : WORDS_PLAIN;
    t->n = c->n_rows;
    t->time = calloc(t->n, sizeof(double));
    t->failed = calloc(t->n, sizeof(bool));
    t->count = calloc(t->n, sizeof(double));
    t->entry = r->entry != COLUMN_NONE ? calloc(t->n, sizeof(double)) : NULL;
    t->upper = r->upper != COLUMN_NONE ? calloc(t->n, sizeof(double)) : NULL;
    if (t->time == NULL || t->failed == NULL || t->count == NULL ||
        (r->entry != COLUMN_NONE && t->entry == NULL) ||
        (r->upper != COLUMN_NONE && t->upper == NULL))
        st = ft_fail(err, FT_NOMEM, "%s: no memory for %zu rows", c->file, t->n);
    for (size_t i = 0; st == FT_OK && i < t->n; i++)
        st = take_row(c, r, wording, i, t, err);
    if (st == FT_OK && r->mode != COLUMN_NONE)
        st = take_labels(c, r->mode, t->failed, &t->mode, err);
    if (st == FT_OK && r->asset != COLUMN_NONE)
        st = take_labels(c, r->asset, NULL, &t->asset, err);
    return st;
}

enum ft_status life_table_read(const char *path, const struct life_columns *columns,
                               struct life_table *out, struct ft_err *err)
{
    struct cells c = {.file = strcmp(path, "-") == 0 ? "standard input" : path};
    struct roles roles = {COLUMN_NONE, COLUMN_NONE, COLUMN_NONE, COLUMN_NONE,
                          COLUMN_NONE, COLUMN_NONE, COLUMN_NONE, COLUMN_NONE};
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

struct life_data life_table_data(const struct life_table *t)
{
    return (struct life_data){t->time, t->failed, t->entry, t->count, t->n, t->upper};
}

void life_table_free(struct life_table *t)
{
    free(t->time);
    free(t->failed);
    free(t->entry);
    free(t->count);
    free(t->upper);
    free(t->mode.of);
    free(t->mode.names);
    free(t->asset.of);
    free(t->asset.names);
    *t = (struct life_table){0};
}
