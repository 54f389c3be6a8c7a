/* Private to db/: one connection's cached statements. A store function takes a statement by its
 * query id, binds by name, steps, copies columns and ends it. The first failure sticks: later calls
 * do nothing, and statement_end() answers it, so a function looks once.
 *
 *     struct statement s = statement_begin(db, QUERY_asset_find, err);
 *     bind_text(&s, ":key", key);
 *     if (statement_row(&s))
 *         read_asset(&s, out);
 *     return statement_end(&s);
 *
 * A statement that writes outside a transaction gets one of its own, which statement_end() commits
 * or rolls back. */
#ifndef DB_STATEMENT_H
#define DB_STATEMENT_H

#include "app/base/status.h"
#include "gen/queries.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

struct statement {
    struct db *db;
    sqlite3_stmt *stmt; /* NULL after a failed begin */
    enum query_id id;
    enum ft_status status; /* first failure */
    struct ft_err *err;
    bool owns_transaction;
    /* Known after the last step: */
    int64_t n_changes; /* rows that were inserted, updated or deleted */
    int64_t last_id;   /* rowid of the newest insert of the connection */
};

/* Prepares on first use. FT_INTERNAL when the same query is in use on this connection. */
struct statement statement_begin(struct db *db, enum query_id id, struct ft_err *err);

/* Texts and blobs must live until statement_end(): they are not copied. */
void bind_int(struct statement *s, const char *name, int64_t v);
void bind_int_or_null(struct statement *s, const char *name, int64_t v, int64_t null_value);
void bind_real(struct statement *s, const char *name, double v);      /* NaN binds NULL */
void bind_text(struct statement *s, const char *name, const char *v); /* NULL binds NULL */
void bind_blob(struct statement *s, const char *name, const void *v, size_t len);
/* One reading for a column of type ANY: SQLite turns NaN into NULL, so a NaN goes in as a blob of
 * its eight bytes, little-endian. *v must live until statement_end(). */
void bind_reading(struct statement *s, const char *name, const double *v);
void bind_limit(struct statement *s, const char *name, size_t limit); /* 0 = all */

/* One step: true when there is a row to read. */
bool statement_row(struct statement *s);
/* Runs again with the same or new bindings, inside the same transaction. */
void statement_again(struct statement *s);
/* Resets and gives the statement back; the first failure or FT_OK. */
enum ft_status statement_end(struct statement *s);
/* Steps to the end, then statement_end(). */
enum ft_status statement_run(struct statement *s);
/* Records a failure of the caller's own (err is filled already); statement_end() answers it. */
void statement_fail(struct statement *s, enum ft_status status);

int64_t column_int(struct statement *s, int i);
int64_t column_int_or(struct statement *s, int i, int64_t fallback); /* for NULL */
double column_real(struct statement *s, int i);                      /* NaN for NULL */
double column_reading(struct statement *s, int i);                   /* what bind_reading() put */
char *column_text(struct statement *s, int i);                       /* a copy; NULL for NULL */
/* A copy followed by a NUL byte, never NULL unless memory is gone. */
char *column_bytes(struct statement *s, int i, size_t *len);

/* Reads every row into an array of items of row_size bytes; read fills one zeroed item, clear frees
 * what an item owns. Ends the statement. On failure *items is NULL and *n is 0. */
struct row_array {
    void *items; /* owned */
    size_t n;
};
enum ft_status statement_list(struct statement *s, size_t row_size,
                              void (*read)(struct statement *s, void *row),
                              void (*clear)(void *row), struct row_array *out);
/* The same for at most one row; ends the statement. FT_NOT_FOUND without a text when there is none:
 * the caller names what was looked for. */
enum ft_status statement_one(struct statement *s, size_t row_size,
                             void (*read)(struct statement *s, void *row), void (*clear)(void *row),
                             void *row);
/* Frees an array made by statement_list(). */
void row_array_free(void *items, size_t n, size_t row_size, void (*clear)(void *row));

/* Writes what SQLite says about rc into err and answers the matching status. */
enum ft_status sqlite_fail(sqlite3 *handle, int rc, const char *what, struct ft_err *err);

#endif
