/* A cursor walks over the sensors that fit, and over each sensor a few blocks at a time, so that
 * memory stays small however long the table is. A statement that stays open holds the snapshot from
 * the first row to the last. */
#include "db/reading_table.h"

#include "app/base/clock.h"
#include "db/connection.h"
#include "db/db.h"
#include "db/reading_store.h"
#include "db/statement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COL_ASSET, COL_SENSOR, COL_TS, COL_VALUE, COL_TS_MS, COL_SENSOR_ID };

/* What conditions are handed to the cursor; bits of idxNum, in the order of their arguments. */
enum {
    BY_SENSOR_ID = 1,
    BY_ASSET = 2,
    BY_SENSOR = 4,
    FROM_MS = 8, /* least instant wanted */
    TO_MS = 16,  /* greatest one */
    N_BITS = 5
};

struct table {
    sqlite3_vtab base;
    struct db *db;
    bool owns_db;
};

struct series {
    int64_t sensor_id;
    char *asset, *sensor;
};

struct cursor_of_readings {
    sqlite3_vtab_cursor base;
    sqlite3_stmt *snapshot; /* open while there are rows */
    struct series *series;  /* [n_series], owned */
    size_t n_series, i_series;
    int64_t first_ms, last_ms;
    int64_t next_ms; /* what is not read yet of the series begins here */
    bool is_over;    /* the series has no more */
    struct readings part;
    size_t i;
    int64_t rowid;
};

static int fail(sqlite3_vtab *v, const struct ft_err *err)
{
    sqlite3_free(v->zErrMsg);
    v->zErrMsg = sqlite3_mprintf("%s", err->msg);
    return err->code == FT_NOMEM ? SQLITE_NOMEM : err->code == FT_BUSY ? SQLITE_BUSY : SQLITE_ERROR;
}

/* --- table ---------------------------------------------------------------------------------- */

static int connect_table(sqlite3 *handle, void *aux, int argc, const char *const *argv,
                         sqlite3_vtab **out, char **message)
{
    struct ft_err err;
    struct table *t = NULL;
    (void)argc;
    (void)argv;
    int rc = sqlite3_declare_vtab(handle, "CREATE TABLE x(asset TEXT, sensor TEXT, ts TEXT, "
                                          "value REAL, ts_ms INTEGER, sensor_id INTEGER)");
    if (rc == SQLITE_OK)
        rc = sqlite3_vtab_config(handle, SQLITE_VTAB_INNOCUOUS); /* views may use it */
    if (rc != SQLITE_OK)
        return rc;
    t = calloc(1, sizeof(*t));
    if (t == NULL)
        return SQLITE_NOMEM;
    t->db = aux;
    t->owns_db = aux == NULL;
    if (aux == NULL && db_wrap(handle, &t->db, &err) != FT_OK) {
        *message = sqlite3_mprintf("%s", err.msg);
        free(t);
        return SQLITE_ERROR;
    }
    *out = &t->base;
    return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *v)
{
    struct table *t = (struct table *)v;
    if (t->owns_db)
        db_unwrap(t->db);
    free(t);
    return SQLITE_OK;
}

/* Bit of a condition that the cursor can use; 0 = none. */
static int bit_of(sqlite3_index_info *info, int i)
{
    const struct sqlite3_index_constraint *c = &info->aConstraint[i];
    const bool is_equal = c->op == SQLITE_INDEX_CONSTRAINT_EQ;
    if (!c->usable)
        return 0;
    if ((c->iColumn == COL_ASSET || c->iColumn == COL_SENSOR) &&
        strcmp(sqlite3_vtab_collation(info, i), "BINARY") != 0)
        return 0; /* letters of either case, say */
    if (c->iColumn == COL_SENSOR_ID)
        return is_equal ? BY_SENSOR_ID : 0;
    if (c->iColumn == COL_ASSET)
        return is_equal ? BY_ASSET : 0;
    if (c->iColumn == COL_SENSOR)
        return is_equal ? BY_SENSOR : 0;
    if (c->iColumn != COL_TS_MS)
        return 0;
    if (c->op == SQLITE_INDEX_CONSTRAINT_GE || c->op == SQLITE_INDEX_CONSTRAINT_GT)
        return FROM_MS;
    if (c->op == SQLITE_INDEX_CONSTRAINT_LE || c->op == SQLITE_INDEX_CONSTRAINT_LT)
        return TO_MS;
    return is_equal ? FROM_MS : 0;
}

/* The first condition for each bit is used; SQLite checks all of them again on the rows. An equal
 * instant is only a beginning, which costs one block more. */
static int best_index(sqlite3_vtab *v, sqlite3_index_info *info)
{
    int used = 0;
    int at[N_BITS];
    double cost = 1e9;
    (void)v;
    for (int i = 0; i < info->nConstraint; i++) {
        const int bit = bit_of(info, i);
        if (bit == 0 || (used & bit) != 0)
            continue;
        used |= bit;
        at[__builtin_ctz((unsigned)bit)] = i;
    }
    for (int b = 0, n = 0; b < N_BITS; b++)
        if ((used >> b & 1) != 0)
            info->aConstraintUsage[at[b]].argvIndex = ++n;
    cost /= (used & BY_SENSOR_ID) != 0 ? 1e4 : 1;
    cost /= (used & BY_ASSET) != 0 ? 1e3 : 1;
    cost /= (used & BY_SENSOR) != 0 ? 10 : 1;
    cost /= (used & FROM_MS) != 0 ? 5 : 1;
    cost /= (used & TO_MS) != 0 ? 5 : 1;
    const bool is_one =
        (used & BY_SENSOR_ID) != 0 || (used & (BY_ASSET | BY_SENSOR)) == (BY_ASSET | BY_SENSOR);
    info->idxNum = used;
    info->estimatedCost = cost;
    info->estimatedRows = (sqlite3_int64)cost;
    info->orderByConsumed = is_one && info->nOrderBy == 1 &&
                            info->aOrderBy[0].iColumn == COL_TS_MS && !info->aOrderBy[0].desc;
    return SQLITE_OK;
}

/* --- cursor --------------------------------------------------------------------------------- */

static int open_cursor(sqlite3_vtab *v, sqlite3_vtab_cursor **out)
{
    struct cursor_of_readings *c = calloc(1, sizeof(*c));
    (void)v;
    if (c == NULL)
        return SQLITE_NOMEM;
    *out = &c->base;
    return SQLITE_OK;
}

static void clear_series(void *row)
{
    struct series *s = row;
    free(s->asset);
    free(s->sensor);
}

static void clear_cursor(struct cursor_of_readings *c)
{
    const sqlite3_vtab_cursor base = c->base;
    sqlite3_finalize(c->snapshot);
    row_array_free(c->series, c->n_series, sizeof(*c->series), clear_series);
    readings_free(&c->part);
    *c = (struct cursor_of_readings){.base = base};
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
    struct cursor_of_readings *c = (struct cursor_of_readings *)base;
    clear_cursor(c);
    free(c);
    return SQLITE_OK;
}

static void read_series(struct statement *s, void *row)
{
    struct series *r = row;
    r->sensor_id = column_int(s, 0);
    r->asset = column_text(s, 1);
    r->sensor = column_text(s, 2);
}

/* Text of an argument for a comparison; NULL when it is none: then nothing is equal to it. */
static const char *text_of(sqlite3_value *v)
{
    return sqlite3_value_type(v) == SQLITE_NULL ? NULL : (const char *)sqlite3_value_text(v);
}

/* Lists the sensors that fit. asset and sensor NULL: any. */
static enum ft_status list_series(struct db *db, struct cursor_of_readings *c, int64_t sensor_id,
                                  const char *asset, const char *sensor, struct ft_err *err)
{
    struct row_array a;
    const enum query_id id = sensor_id != 0  ? QUERY_series_by_id
                             : asset != NULL ? QUERY_series_by_asset
                                             : QUERY_series_all;
    struct statement s = statement_begin(db, id, err);
    if (sensor_id != 0)
        bind_int(&s, ":sensor_id", sensor_id);
    else if (asset != NULL)
        bind_text(&s, ":asset", asset);
    const enum ft_status st = statement_list(&s, sizeof(*c->series), read_series, clear_series, &a);
    c->series = a.items;
    c->n_series = a.n;
    if (st != FT_OK || sensor == NULL)
        return st;
    size_t n = 0;
    for (size_t i = 0; i < c->n_series; i++) { /* those that fit come first, all stay owned */
        struct series *k = &c->series[i];
        if (k->sensor == NULL || strcmp(k->sensor, sensor) != 0)
            continue;
        const struct series moved = c->series[n];
        c->series[n++] = *k;
        *k = moved;
    }
    for (size_t i = n; i < c->n_series; i++)
        clear_series(&c->series[i]);
    c->n_series = n;
    return FT_OK;
}

/* The bound that a condition sets on whole milliseconds; what cannot be told sets none. */
static void narrow(struct cursor_of_readings *c, int bit, sqlite3_value *v)
{
    const int type = sqlite3_value_type(v);
    const double x = type == SQLITE_FLOAT ? sqlite3_value_double(v) : 0;
    if ((type != SQLITE_INTEGER && type != SQLITE_FLOAT) || fabs(x) > 9e18)
        return;
    const int64_t ms = type == SQLITE_INTEGER ? sqlite3_value_int64(v)
                       : bit == FROM_MS       ? (int64_t)floor(x)
                                              : (int64_t)ceil(x);
    if (bit == FROM_MS)
        c->first_ms = ms;
    else
        c->last_ms = ms;
}

/* Instants below it are read in one go: where the 9th block from next_ms on begins. */
static enum ft_status find_part_end(struct db *db, const struct cursor_of_readings *c,
                                    int64_t *end_ms, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_block_ninth, err);
    bind_int(&s, ":sensor_id", c->series[c->i_series].sensor_id);
    bind_int(&s, ":after_ms", c->next_ms);
    *end_ms = statement_row(&s) ? column_int(&s, 0) : INT64_MAX;
    return statement_end(&s);
}

/* Reads parts until one has readings or the sensors are over. */
static enum ft_status read_part(struct db *db, struct cursor_of_readings *c, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    readings_free(&c->part);
    c->i = 0;
    while (st == FT_OK && c->part.n == 0 && c->i_series < c->n_series) {
        if (c->is_over) {
            c->i_series++;
            c->next_ms = c->first_ms;
            c->is_over = false;
            continue;
        }
        int64_t end_ms = INT64_MAX;
        st = find_part_end(db, c, &end_ms, err);
        c->is_over = end_ms == INT64_MAX || end_ms > c->last_ms;
        end_ms = c->is_over ? c->last_ms + (c->last_ms < INT64_MAX) : end_ms;
        if (st == FT_OK)
            st = reading_scan(db, c->series[c->i_series].sensor_id, c->next_ms, end_ms, &c->part,
                              err);
        c->next_ms = end_ms;
    }
    return st;
}

/* read_part() inside a transaction of the user, or in one of its own that the open statement keeps
 * on the same snapshot. */
static int next_part(struct cursor_of_readings *c)
{
    struct table *t = (struct table *)c->base.pVtab;
    struct ft_err err;
    const bool is_inside = t->db->depth == 0 && sqlite3_get_autocommit(t->db->handle) == 0;
    t->db->depth += is_inside;
    const enum ft_status st = read_part(t->db, c, &err);
    t->db->depth -= is_inside;
    if (c->i_series == c->n_series)
        sqlite3_reset(c->snapshot);
    return st == FT_OK ? SQLITE_OK : fail(&t->base, &err);
}

static int hold_snapshot(struct cursor_of_readings *c, sqlite3 *handle)
{
    int rc =
        sqlite3_prepare_v2(handle, query_texts[QUERY_take_snapshot].sql, -1, &c->snapshot, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(c->snapshot);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int filter(sqlite3_vtab_cursor *base, int used, const char *text, int argc,
                  sqlite3_value **argv)
{
    struct cursor_of_readings *c = (struct cursor_of_readings *)base;
    struct table *t = (struct table *)base->pVtab;
    struct ft_err err;
    int64_t sensor_id = 0;
    const char *asset = NULL;
    const char *sensor = NULL;
    (void)text;
    clear_cursor(c);
    c->first_ms = INT64_MIN;
    c->last_ms = INT64_MAX;
    for (int bit = 1, i = 0; i < argc; bit *= 2) {
        if ((used & bit) == 0)
            continue;
        sqlite3_value *v = argv[i++];
        if (sqlite3_value_type(v) == SQLITE_NULL)
            return SQLITE_OK; /* nothing is equal to it, nor less or greater */
        if (bit == BY_SENSOR_ID)
            sensor_id = sqlite3_value_int64(v);
        else if (bit == BY_ASSET)
            asset = text_of(v);
        else if (bit == BY_SENSOR)
            sensor = text_of(v);
        else
            narrow(c, bit, v);
    }
    if ((used & BY_SENSOR_ID) != 0 && sensor_id <= 0)
        return SQLITE_OK;
    int rc = hold_snapshot(c, t->db->handle);
    if (rc != SQLITE_OK)
        return rc;
    if (list_series(t->db, c, sensor_id, asset, sensor, &err) != FT_OK)
        return fail(&t->base, &err);
    c->next_ms = c->first_ms;
    return next_part(c);
}

static int next(sqlite3_vtab_cursor *base)
{
    struct cursor_of_readings *c = (struct cursor_of_readings *)base;
    c->rowid++;
    return ++c->i < c->part.n ? SQLITE_OK : next_part(c);
}

static int is_end(sqlite3_vtab_cursor *base)
{
    const struct cursor_of_readings *c = (const struct cursor_of_readings *)base;
    return c->i >= c->part.n;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *ctx, int i)
{
    const struct cursor_of_readings *c = (const struct cursor_of_readings *)base;
    const struct series *s = &c->series[c->i_series];
    char text[CLOCK_TEXT_SIZE];
    switch (i) {
    case COL_ASSET:
        sqlite3_result_text(ctx, s->asset, -1, SQLITE_TRANSIENT);
        break;
    case COL_SENSOR:
        sqlite3_result_text(ctx, s->sensor, -1, SQLITE_TRANSIENT);
        break;
    case COL_TS:
        clock_format_utc(c->part.ts_ms[c->i], text);
        sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
        break;
    case COL_VALUE:
        sqlite3_result_double(ctx, c->part.value[c->i]); /* a NaN becomes NULL */
        break;
    case COL_TS_MS:
        sqlite3_result_int64(ctx, c->part.ts_ms[c->i]);
        break;
    default:
        sqlite3_result_int64(ctx, s->sensor_id);
        break;
    }
    return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    *out = ((const struct cursor_of_readings *)base)->rowid;
    return SQLITE_OK;
}

static const sqlite3_module module = {.iVersion = 2, /* xCreate stays NULL: it is just there */
                                      .xConnect = connect_table,
                                      .xBestIndex = best_index,
                                      .xDisconnect = disconnect_table,
                                      .xOpen = open_cursor,
                                      .xClose = close_cursor,
                                      .xFilter = filter,
                                      .xNext = next,
                                      .xEof = is_end,
                                      .xColumn = column,
                                      .xRowid = rowid};

enum ft_status reading_table_add(struct db *db, struct ft_err *err)
{
    const int rc = sqlite3_create_module_v2(db->handle, "reading", &module, db, NULL);
    return rc == SQLITE_OK ? FT_OK : sqlite_fail(db->handle, rc, db->path, err);
}

int reading_table_add_foreign(sqlite3 *handle)
{
    return sqlite3_create_module_v2(handle, "reading", &module, NULL, NULL);
}
