#include "db/statement.h"

#include "db/connection.h"
#include "db/db.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum ft_status sqlite_fail(sqlite3 *handle, int rc, const char *what, struct ft_err *err)
{
    const char *text = handle != NULL ? sqlite3_errmsg(handle) : sqlite3_errstr(rc);
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ft_fail(err, FT_BUSY, "%s: the database is busy (%s)", what, text);
    case SQLITE_NOMEM:
        return ft_fail(err, FT_NOMEM, "%s: no memory", what);
    case SQLITE_FULL:
        return ft_fail(err, FT_IO, "%s: the disk is full", what);
    case SQLITE_CORRUPT:
        return ft_fail(err, FT_INVALID,
                       "%s: the database file is damaged (%s): run fettle check, restore a backup",
                       what, text);
    case SQLITE_NOTADB:
        return ft_fail(err, FT_INVALID, "%s: not a Fettle database (%s)", what, text);
    case SQLITE_READONLY:
        return ft_fail(err, FT_REFUSED, "%s: the database is open for reading only (%s)", what,
                       text);
    case SQLITE_TOOBIG:
        return ft_fail(err, FT_INVALID, "%s: a value is too long (%s)", what, text);
    case SQLITE_INTERRUPT:
        return ft_fail(err, FT_INTERRUPTED, "%s: interrupted", what);
    case SQLITE_CONSTRAINT:
        if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
            rc == SQLITE_CONSTRAINT_ROWID || rc == SQLITE_CONSTRAINT_TRIGGER)
            return ft_fail(err, FT_CONFLICT, "%s: %s", what, text);
        return ft_fail(err, FT_INVALID, "%s: %s", what, text);
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        return ft_fail(err, FT_INTERNAL, "%s: %s", what, text);
    default:
        return ft_fail(err, FT_IO, "%s: %s", what, text);
    }
}

static const char *name_of(const struct statement *s)
{
    return query_texts[s->id].name;
}

static bool check(struct statement *s, int rc)
{
    if (rc == SQLITE_OK)
        return true;
    if (s->status == FT_OK)
        s->status = sqlite_fail(s->db->handle, rc, name_of(s), s->err);
    return false;
}

void statement_fail(struct statement *s, enum ft_status status)
{
    if (s->status == FT_OK)
        s->status = status;
}

/* Has the transaction, which the callers believe open, ended behind their back? SQLite rolls back
 * by itself when the disk is full or memory is gone. */
static bool is_broken(const struct db *db)
{
    return db->depth > 0 && (db->is_doomed || sqlite3_get_autocommit(db->handle) != 0);
}

struct statement statement_begin(struct db *db, enum query_id id, struct ft_err *err)
{
    struct statement s = {.db = db, .id = id, .err = err, .status = FT_OK};
    if (is_broken(db)) {
        s.status = ft_fail(err, FT_CONFLICT, "%s: the transaction was rolled back", name_of(&s));
        return s;
    }
    if (db->is_in_use[id]) {
        s.status = ft_fail(err, FT_INTERNAL, "%s: the query is in use already", name_of(&s));
        return s;
    }
    if (db->statements[id] == NULL &&
        !check(&s, sqlite3_prepare_v3(db->handle, query_texts[id].sql, -1,
                                      SQLITE_PREPARE_PERSISTENT, &db->statements[id], NULL)))
        return s;
    if (db->depth == 0 && sqlite3_stmt_readonly(db->statements[id]) == 0) {
        s.status = db_begin(db, err);
        if (s.status != FT_OK)
            return s;
        s.owns_transaction = true;
    }
    db->is_in_use[id] = true;
    s.stmt = db->statements[id];
    return s;
}

/* Position of a named parameter; 0 after a failure. */
static int parameter(struct statement *s, const char *name)
{
    if (s->status != FT_OK)
        return 0;
    const int i = sqlite3_bind_parameter_index(s->stmt, name);
    if (i == 0)
        s->status = ft_fail(s->err, FT_INTERNAL, "%s has no parameter %s", name_of(s), name);
    return i;
}

void bind_int(struct statement *s, const char *name, int64_t v)
{
    const int i = parameter(s, name);
    if (i > 0)
        check(s, sqlite3_bind_int64(s->stmt, i, v));
}

static void bind_null(struct statement *s, const char *name)
{
    const int i = parameter(s, name);
    if (i > 0)
        check(s, sqlite3_bind_null(s->stmt, i));
}

void bind_int_or_null(struct statement *s, const char *name, int64_t v, int64_t null_value)
{
    if (v == null_value)
        bind_null(s, name);
    else
        bind_int(s, name, v);
}

void bind_real(struct statement *s, const char *name, double v)
{
    const int i = parameter(s, name);
    if (i > 0)
        check(s, sqlite3_bind_double(s->stmt, i, v));
}

void bind_text(struct statement *s, const char *name, const char *v)
{
    const int i = parameter(s, name);
    if (i > 0)
        check(s, sqlite3_bind_text(s->stmt, i, v, -1, SQLITE_STATIC));
}

void bind_blob(struct statement *s, const char *name, const void *v, size_t len)
{
    const int i = parameter(s, name);
    if (i > 0) /* a NULL pointer would bind NULL, not an empty blob */
        check(s, sqlite3_bind_blob64(s->stmt, i, v != NULL ? v : "", len, SQLITE_STATIC));
}

void bind_reading(struct statement *s, const char *name, const double *v)
{
    if (isnan(*v))
        bind_blob(s, name, v, sizeof(*v)); /* every platform of ours is little-endian */
    else
        bind_real(s, name, *v);
}

void bind_limit(struct statement *s, const char *name, size_t limit)
{
    bind_int(s, name, limit == 0 || limit > INT64_MAX ? -1 : (int64_t)limit);
}

bool statement_row(struct statement *s)
{
    if (s->status != FT_OK)
        return false;
    const int rc = sqlite3_step(s->stmt);
    if (rc == SQLITE_ROW)
        return true;
    if (rc == SQLITE_DONE) {
        s->n_changes = sqlite3_changes64(s->db->handle);
        s->last_id = sqlite3_last_insert_rowid(s->db->handle);
        return false;
    }
    check(s, rc);
    return false;
}

void statement_again(struct statement *s)
{
    if (s->stmt != NULL)
        sqlite3_reset(s->stmt); /* its answer repeats the failure of the last step, seen already */
}

enum ft_status statement_end(struct statement *s)
{
    if (s->stmt != NULL) {
        sqlite3_reset(s->stmt);
        sqlite3_clear_bindings(s->stmt);
        s->stmt = NULL;
        s->db->is_in_use[s->id] = false;
    }
    if (s->owns_transaction) {
        s->owns_transaction = false;
        if (s->status == FT_OK)
            s->status = db_commit(s->db, s->err);
        else
            db_rollback(s->db);
    }
    return s->status;
}

enum ft_status statement_run(struct statement *s)
{
    while (statement_row(s))
        ;
    return statement_end(s);
}

int64_t column_int(struct statement *s, int i)
{
    return sqlite3_column_int64(s->stmt, i);
}

int64_t column_int_or(struct statement *s, int i, int64_t fallback)
{
    return sqlite3_column_type(s->stmt, i) == SQLITE_NULL ? fallback : column_int(s, i);
}

double column_real(struct statement *s, int i)
{
    return sqlite3_column_type(s->stmt, i) == SQLITE_NULL ? (double)NAN
                                                          : sqlite3_column_double(s->stmt, i);
}

double column_reading(struct statement *s, int i)
{
    double v;
    if (sqlite3_column_type(s->stmt, i) != SQLITE_BLOB ||
        sqlite3_column_bytes(s->stmt, i) != sizeof(v))
        return column_real(s, i);
    memcpy(&v, sqlite3_column_blob(s->stmt, i), sizeof(v));
    return v;
}

char *column_bytes(struct statement *s, int i, size_t *len)
{
    const void *data = sqlite3_column_blob(s->stmt, i); /* NULL for a blob of no bytes */
    const size_t n = (size_t)sqlite3_column_bytes(s->stmt, i);
    char *copy = data != NULL || n == 0 ? malloc(n + 1) : NULL;
    if (copy == NULL) {
        if (s->status == FT_OK)
            s->status = ft_fail(s->err, FT_NOMEM, "%s: no memory for %zu bytes", name_of(s), n);
        return NULL;
    }
    if (n > 0)
        memcpy(copy, data, n);
    copy[n] = '\0';
    if (len != NULL)
        *len = n;
    return copy;
}

char *column_text(struct statement *s, int i)
{
    if (sqlite3_column_type(s->stmt, i) == SQLITE_NULL)
        return NULL;
    return column_bytes(s, i, NULL);
}

void row_array_free(void *items, size_t n, size_t row_size, void (*clear)(void *row))
{
    for (size_t i = 0; i < n; i++)
        clear((char *)items + i * row_size);
    free(items);
}

/* Makes room for one more row; false when memory is gone. */
static bool grow(struct row_array *a, size_t *cap, size_t row_size)
{
    if (a->n < *cap)
        return true;
    const size_t wanted = *cap == 0 ? 16 : *cap * 2;
    void *items = reallocarray(a->items, wanted, row_size);
    if (items == NULL)
        return false;
    a->items = items;
    *cap = wanted;
    return true;
}

enum ft_status statement_list(struct statement *s, size_t row_size,
                              void (*read)(struct statement *s, void *row),
                              void (*clear)(void *row), struct row_array *out)
{
    size_t cap = 0;
    *out = (struct row_array){0};
    while (statement_row(s)) {
        if (!grow(out, &cap, row_size)) {
            s->status = ft_fail(s->err, FT_NOMEM, "%s: no memory for a list", name_of(s));
            break;
        }
        void *row = (char *)out->items + out->n * row_size;
        memset(row, 0, row_size);
        read(s, row);
        out->n++;
    }
    const enum ft_status st = statement_end(s);
    if (st != FT_OK) {
        row_array_free(out->items, out->n, row_size, clear);
        *out = (struct row_array){0};
    }
    return st;
}

enum ft_status statement_one(struct statement *s, size_t row_size,
                             void (*read)(struct statement *s, void *row), void (*clear)(void *row),
                             void *row)
{
    bool is_found = false;
    memset(row, 0, row_size);
    if (statement_row(s)) {
        is_found = true;
        read(s, row);
    }
    const enum ft_status st = statement_end(s);
    if (st != FT_OK) {
        clear(row);
        memset(row, 0, row_size);
        return st;
    }
    return is_found ? FT_OK : FT_NOT_FOUND;
}
