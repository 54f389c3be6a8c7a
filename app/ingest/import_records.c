#include "app/ingest/import_records.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/ingest/columns.h"
#include "app/ingest/csv.h"
#include "app/ingest/number.h"
#include "app/ingest/quarantine.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/import_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CELL_MAX = 8000, MAX_COLUMNS = 32 };

struct record_import {
    struct db *db;
    const struct import_options *o;
    const struct record_kind *kind;
    struct import_summary *s;
    struct csv_reader *reader;
    struct columns columns;
    int column_of[MAX_COLUMNS]; /* of each record_column; COLUMN_NONE */
    int64_t import_id;
};

/* --- cells ------------------------------------------------------------------------------------ */

static void trim(char *text)
{
    size_t n = strlen(text);
    while (n > 0 && text[n - 1] == ' ')
        text[--n] = '\0';
    const size_t skip = strspn(text, " ");
    memmove(text, text + skip, n - skip + 1);
}

/* "6205 x2" -> part "6205", quantity 2. */
static void add_part(cJSON *list, char *text)
{
    double quantity = 1;
    char *x = strrchr(text, 'x');
    if (x != NULL && x > text && x[-1] == ' ' && number_parse(x + 1, strlen(x + 1), '.', &quantity))
        x[-1] = '\0';
    else
        quantity = 1;
    trim(text);
    cJSON *o = json_add_object(list, NULL);
    json_add_string(o, "part", text);
    json_add_number(o, "quantity", quantity);
}

static void add_list(cJSON *row, const struct record_column *c, char *text)
{
    cJSON *list = json_add_array(row, c->key);
    char *rest = NULL;
    for (char *one = strtok_r(text, "|", &rest); one != NULL; one = strtok_r(NULL, "|", &rest)) {
        trim(one);
        if (one[0] == '\0')
            continue;
        if (c->type == RECORD_PARTS)
            add_part(list, one);
        else
            json_add_string(list, NULL, one);
    }
}

static enum ft_status add_number(const struct record_import *t, cJSON *row,
                                 const struct record_column *c, const char *text,
                                 struct ft_err *why)
{
    double v;
    const char decimal =
        csv_reader_delimiter(t->reader) == ';' && strchr(text, '.') == NULL ? ',' : '.';
    int64_t dur_ms;
    if (number_parse(text, strlen(text), decimal, &v)) {
        json_add_number(row, c->key, v);
        return FT_OK;
    }
    if (c->type != RECORD_SECONDS)
        return ft_fail(why, FT_INVALID, "'%.60s' is not a number", text);
    if (strstr(text, "FREQ=") != NULL) {
        json_add_string(row, "rrule", text);
        return FT_OK;
    }
    const enum ft_status st = clock_parse_duration(text, &dur_ms, why);
    if (st == FT_OK)
        json_add_number(row, c->key, (double)dur_ms / 1000.0);
    return st;
}

static enum ft_status add_bool(cJSON *row, const struct record_column *c, const char *text,
                               struct ft_err *why)
{
    static const char *const yes[] = {"yes", "true", "1", "y", "x"};
    static const char *const no[] = {"no", "false", "0", "n"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        if (strcasecmp(text, yes[i]) == 0) {
            json_add_bool(row, c->key, true);
            return FT_OK;
        }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        if (strcasecmp(text, no[i]) == 0) {
            json_add_bool(row, c->key, false);
            return FT_OK;
        }
    return ft_fail(why, FT_INVALID, "'%.60s': expected yes or no", text);
}

static enum ft_status add_cell(const struct record_import *t, cJSON *row,
                               const struct record_column *c, struct csv_field f,
                               struct ft_err *why)
{
    char text[CELL_MAX];
    f = csv_text(f);
    if (f.len == 0)
        return FT_OK;
    if (f.len >= sizeof(text) || memchr(f.p, '\0', f.len) != NULL)
        return ft_fail(why, FT_INVALID, "the cell is longer than %zu bytes or no text",
                       sizeof(text) - 1);
    memcpy(text, f.p, f.len);
    text[f.len] = '\0';
    if (c->type == RECORD_NUMBER || c->type == RECORD_SECONDS)
        return add_number(t, row, c, text, why);
    if (c->type == RECORD_BOOL)
        return add_bool(row, c, text, why);
    if (c->type == RECORD_TEXT)
        json_add_string(row, c->key, text);
    else
        add_list(row, c, text);
    return FT_OK;
}

/* --- rows ------------------------------------------------------------------------------------- */

static enum ft_status take_row(struct record_import *t, const struct csv_record *rec,
                               const char **column, struct ft_err *why)
{
    enum record_outcome outcome = RECORD_UNCHANGED;
    enum ft_status st = FT_OK;
    *column = NULL;
    if (rec->n != t->columns.n)
        return ft_fail(why, FT_INVALID, "the row has %zu fields, the header has %zu", rec->n,
                       t->columns.n);
    cJSON *row = cJSON_CreateObject();
    if (row == NULL)
        return ft_fail(why, FT_NOMEM, "no memory for a row");
    for (size_t i = 0; i < t->kind->n_columns && st == FT_OK; i++) {
        if (t->column_of[i] == COLUMN_NONE)
            continue;
        st = add_cell(t, row, &t->kind->columns[i], rec->fields[t->column_of[i]], why);
        if (st != FT_OK)
            *column = t->columns.names[t->column_of[i]];
    }
    if (st == FT_OK)
        st = t->kind->take(t->db, t->kind->ctx, row, t->o->is_dry_run, &outcome, why);
    cJSON_Delete(row);
    if (st == FT_OK) {
        t->s->n_new += outcome == RECORD_NEW;
        t->s->n_changed += outcome == RECORD_CHANGED;
        t->s->n_unchanged += outcome == RECORD_UNCHANGED;
    }
    return st;
}

static enum ft_status read_all(struct record_import *t, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    while (st == FT_OK) {
        struct csv_record *rec = NULL;
        struct ft_err why = {0};
        const char *column = NULL;
        st = csv_reader_next(t->reader, &rec, &why);
        if (st == FT_OK && rec == NULL)
            return FT_OK;
        if (st == FT_OK)
            st = take_row(t, rec, &column, &why);
        t->s->n_rows++;
        if (st == FT_INVALID || st == FT_CONFLICT || st == FT_NOT_FOUND) {
            char raw[4001];
            const struct csv_field f = csv_reader_raw(t->reader);
            snprintf(raw, sizeof(raw), "%.*s", (int)(f.len < 4000 ? f.len : 4000), f.p);
            st = quarantine_add(t->db, t->o, t->import_id, t->s, csv_reader_line(t->reader), column,
                                why.msg, raw, err);
        } else if (st != FT_OK) {
            ft_fail(err, st, "%s", why.msg);
        }
    }
    return st;
}

/* Which column of the file is what; those that nothing knows are named. */
static enum ft_status find_columns(struct record_import *t, struct ft_err *err)
{
    char unknown[300] = "";
    char line[600] = "";
    size_t n_found = 0;
    bool *taken = calloc(t->columns.n + 1, sizeof(*taken));
    t->s->mapping = cJSON_CreateObject();
    if (taken == NULL || t->s->mapping == NULL) {
        free(taken);
        return ft_fail(err, FT_NOMEM, "no memory for the header");
    }
    for (size_t i = 0; i < t->kind->n_columns; i++) {
        const struct record_column *c = &t->kind->columns[i];
        t->column_of[i] = COLUMN_NONE;
        const cJSON *said = t->kind->mapping != NULL ? json_get(t->kind->mapping, c->key) : NULL;
        if (said != NULL && cJSON_IsString(said)) {
            t->column_of[i] = columns_find(&t->columns, said->valuestring);
            if (t->column_of[i] == COLUMN_NONE) {
                free(taken);
                return ft_fail(err, FT_INVALID, "%s: line 1: there is no column '%.60s'",
                               t->s->file, said->valuestring);
            }
        }
        for (const char *p = c->names; *p != '\0' && t->column_of[i] == COLUMN_NONE;) {
            char name[60];
            const size_t n = strcspn(p, "|");
            snprintf(name, sizeof(name), "%.*s", (int)n, p);
            const int found = columns_find(&t->columns, name);
            if (found != COLUMN_NONE && !taken[found])
                t->column_of[i] = found;
            p += n + (p[n] == '|');
        }
        if (t->column_of[i] == COLUMN_NONE)
            continue;
        taken[t->column_of[i]] = true;
        const size_t at = strlen(line);
        snprintf(line + at, sizeof(line) - at, "%s%s from %.60s", n_found++ > 0 ? ", " : "", c->key,
                 t->columns.names[t->column_of[i]]);
        json_add_string(t->s->mapping, c->key, t->columns.names[t->column_of[i]]);
    }
    for (size_t i = 0; i < t->columns.n; i++) {
        const size_t at = strlen(unknown);
        if (!taken[i])
            snprintf(unknown + at, sizeof(unknown) - at, "%s%.60s", at > 0 ? ", " : "",
                     t->columns.names[i]);
    }
    free(taken);
    import_say(t->o, "%s: reading %s", t->s->file, line);
    if (unknown[0] != '\0')
        import_say(t->o, "%s: columns that are not used: %s", t->s->file, unknown);
    return n_found > 0 ? FT_OK
                       : ft_fail(err, FT_INVALID, "%s: line 1: no column of %s is known among: %s",
                                 t->s->file, t->kind->kind, unknown);
}

static enum ft_status open_table(struct record_import *t, struct ft_err *err)
{
    struct csv_record *header = NULL;
    enum ft_status st =
        csv_reader_open(t->s->file, t->o->delimiter, t->o->is_stopped, &t->reader, err);
    if (st == FT_OK)
        st = csv_reader_next(t->reader, &header, err);
    if (st == FT_OK && header == NULL)
        st = ft_fail(err, FT_INVALID, "%s: line 1: expected a header, the file has none",
                     t->s->file);
    if (st == FT_OK)
        st = columns_from_header(header, t->s->file, &t->columns, err);
    return st == FT_OK ? find_columns(t, err) : st;
}

static enum ft_status write_all(struct record_import *t, struct ft_err *err)
{
    enum ft_status st = import_start(t->db, t->s->file, t->s->kind, &t->import_id, err);
    if (st == FT_OK)
        st = db_begin(t->db, err);
    if (st != FT_OK)
        return st;
    st = read_all(t, err);
    const struct import_row row = {.id = t->import_id,
                                   .file = (char *)(uintptr_t)t->s->file,
                                   .kind = (char *)(uintptr_t)t->s->kind,
                                   .ended_ms = clock_now_ms(),
                                   .n_rows = t->s->n_rows,
                                   .n_new = t->s->n_new + t->s->n_changed,
                                   .n_unchanged = t->s->n_unchanged,
                                   .n_bad = t->s->n_bad};
    if (st == FT_OK)
        st = import_finish(t->db, &row, err);
    if (st == FT_OK)
        return db_commit(t->db, err);
    db_rollback(t->db);
    return st;
}

enum ft_status import_records(struct db *db, const char *file, const struct import_options *o,
                              const struct record_kind *kind, struct import_summary *out,
                              struct ft_err *err)
{
    const double start_s = clock_mono_s();
    struct record_import t = {.db = db, .o = o, .kind = kind, .s = out};
    *out = (struct import_summary){.file = file,
                                   .kind = kind->kind,
                                   .first_ms = DB_NO_TIME,
                                   .last_ms = DB_NO_TIME,
                                   .is_dry_run = o->is_dry_run};
    if (db == NULL)
        return ft_fail(err, FT_INVALID, "%s: there is no database yet to check %s against", file,
                       kind->kind);
    enum ft_status st = kind->n_columns <= MAX_COLUMNS
                            ? open_table(&t, err)
                            : ft_fail(err, FT_INTERNAL, "%s: too many columns", kind->kind);
    if (st == FT_OK)
        st = o->is_dry_run ? read_all(&t, err) : write_all(&t, err);
    columns_free(&t.columns);
    csv_reader_close(t.reader);
    out->seconds = clock_mono_s() - start_s;
    return st == FT_OK ? import_outcome(out, err) : st;
}
