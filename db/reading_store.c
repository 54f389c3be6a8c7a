#include "db/reading_store.h"

#include "db/connection.h"
#include "db/db.h"
#include "db/statement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void reading_cache_free(struct reading_cache *c)
{
    (void)c;
}

enum ft_status reading_check(struct db *db, struct ft_err *err)
{
    (void)db;
    (void)err;
    return FT_OK;
}

static uint64_t bits_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    return bits;
}

/* SQLite turns NaN into NULL, so a NaN goes in as a blob of its eight bytes. */
static void bind_value(struct statement *s, const double *v)
{
    if (isnan(*v))
        bind_blob(s, ":value", v, sizeof(*v));
    else
        bind_real(s, ":value", *v);
}

static double column_value(struct statement *s, int i)
{
    double v;
    if (sqlite3_column_type(s->stmt, i) == SQLITE_BLOB &&
        sqlite3_column_bytes(s->stmt, i) == sizeof(v)) {
        memcpy(&v, sqlite3_column_blob(s->stmt, i), sizeof(v));
        return v;
    }
    return column_real(s, i);
}

enum ft_status reading_put(struct db *db, int64_t sensor_id, const int64_t *ts_ms,
                           const double *value, size_t n, struct reading_counts *counts,
                           struct ft_err *err)
{
    struct reading_counts c = {0};
    enum ft_status st = db_begin(db, err);
    if (st != FT_OK)
        return st;
    struct statement get = statement_begin(db, QUERY_recent_get, err);
    struct statement put = statement_begin(db, QUERY_recent_put, err);
    for (size_t i = 0; i < n && get.status == FT_OK && put.status == FT_OK; i++) {
        bind_int(&get, ":sensor_id", sensor_id);
        bind_int(&get, ":ts_ms", ts_ms[i]);
        const bool is_there = statement_row(&get);
        const bool is_same = is_there && bits_of(column_value(&get, 0)) == bits_of(value[i]);
        statement_again(&get);
        c.n_unchanged += is_same;
        c.n_changed += is_there && !is_same;
        c.n_new += !is_there;
        if (is_same)
            continue;
        bind_int(&put, ":sensor_id", sensor_id);
        bind_int(&put, ":ts_ms", ts_ms[i]);
        bind_value(&put, &value[i]);
        statement_row(&put);
        statement_again(&put);
    }
    st = statement_end(&get);
    const enum ft_status put_st = statement_end(&put);
    st = st != FT_OK ? st : put_st;
    if (st != FT_OK) {
        db_rollback(db);
        return st;
    }
    counts->n_new += c.n_new;
    counts->n_changed += c.n_changed;
    counts->n_unchanged += c.n_unchanged;
    return db_commit(db, err);
}

struct point {
    int64_t ts_ms;
    double value;
};

static void read_point(struct statement *s, void *row)
{
    struct point *p = row;
    p->ts_ms = column_int(s, 0);
    p->value = column_value(s, 1);
}

static void clear_point(void *row)
{
    (void)row;
}

enum ft_status reading_scan(struct db *db, int64_t sensor_id, int64_t from_ms, int64_t to_ms,
                            struct readings *out, struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_recent_scan, err);
    *out = (struct readings){0};
    bind_int(&s, ":sensor_id", sensor_id);
    bind_int(&s, ":from_ms", from_ms);
    bind_int(&s, ":to_ms", to_ms);
    enum ft_status st = statement_list(&s, sizeof(struct point), read_point, clear_point, &a);
    if (st != FT_OK || a.n == 0)
        return st;
    out->ts_ms = calloc(a.n, sizeof(*out->ts_ms));
    out->value = calloc(a.n, sizeof(*out->value));
    out->n = a.n;
    if (out->ts_ms == NULL || out->value == NULL) {
        readings_free(out);
        st = ft_fail(err, FT_NOMEM, "no memory for %zu readings", a.n);
    }
    const struct point *p = a.items;
    for (size_t i = 0; i < out->n; i++) {
        out->ts_ms[i] = p[i].ts_ms;
        out->value[i] = p[i].value;
    }
    free(a.items);
    return st;
}

void readings_free(struct readings *r)
{
    free(r->ts_ms);
    free(r->value);
    *r = (struct readings){0};
}

enum ft_status reading_span(struct db *db, int64_t sensor_id, struct reading_span *out,
                            struct ft_err *err)
{
    *out = (struct reading_span){.last_value = NAN};
    struct statement s = statement_begin(db, QUERY_recent_span, err);
    bind_int(&s, ":sensor_id", sensor_id);
    if (statement_row(&s)) {
        out->n = column_int(&s, 0);
        out->first_ms = column_int(&s, 1);
        out->last_ms = column_int(&s, 2);
    }
    enum ft_status st = statement_end(&s);
    if (st != FT_OK || out->n == 0)
        return st;
    struct statement last = statement_begin(db, QUERY_recent_get, err);
    bind_int(&last, ":sensor_id", sensor_id);
    bind_int(&last, ":ts_ms", out->last_ms);
    if (statement_row(&last))
        out->last_value = column_value(&last, 0);
    return statement_end(&last);
}

enum ft_status reading_buckets(struct db *db, int64_t sensor_id, int64_t from_ms, int64_t to_ms,
                               size_t n_buckets, struct reading_bucket *out, struct ft_err *err)
{
    struct readings r;
    if (to_ms <= from_ms || n_buckets == 0)
        return ft_fail(err, FT_INVALID, "a chart needs a span and at least one column");
    const __int128 span = (__int128)to_ms - from_ms;
    for (size_t b = 0; b < n_buckets; b++)
        out[b] = (struct reading_bucket){
            .start_ms = (int64_t)(from_ms + span * (__int128)b / (__int128)n_buckets),
            .min = NAN,
            .max = NAN,
            .mean = NAN,
            .last = NAN};
    const enum ft_status st = reading_scan(db, sensor_id, from_ms, to_ms, &r, err);
    size_t b = 0;
    for (size_t i = 0; st == FT_OK && i < r.n; i++) {
        while (b + 1 < n_buckets && r.ts_ms[i] >= out[b + 1].start_ms)
            b++;
        const double v = r.value[i];
        if (isnan(v))
            continue;
        struct reading_bucket *k = &out[b];
        k->min = k->n == 0 || v < k->min ? v : k->min;
        k->max = k->n == 0 || v > k->max ? v : k->max;
        k->mean = (k->n == 0 ? 0 : k->mean) + v; /* the sum until the end */
        k->last = v;
        k->n++;
    }
    for (b = 0; b < n_buckets; b++)
        if (out[b].n > 0)
            out[b].mean /= (double)out[b].n;
    readings_free(&r);
    return st;
}

static enum ft_status run_newest(struct statement *s, int64_t *ts_ms)
{
    bool is_found = false;
    if (statement_row(s) && sqlite3_column_type(s->stmt, 0) != SQLITE_NULL) {
        *ts_ms = column_int(s, 0);
        is_found = true;
    }
    const enum ft_status st = statement_end(s);
    return st == FT_OK && !is_found ? FT_NOT_FOUND : st;
}

enum ft_status reading_newest(struct db *db, int64_t *ts_ms, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_recent_newest, err);
    const enum ft_status st = run_newest(&s, ts_ms);
    return st == FT_NOT_FOUND ? ft_fail(err, st, "there are no readings yet") : st;
}

enum ft_status reading_newest_of_asset(struct db *db, int64_t asset_id, int64_t *ts_ms,
                                       struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_recent_newest_of_asset, err);
    bind_int(&s, ":asset_id", asset_id);
    const enum ft_status st = run_newest(&s, ts_ms);
    return st == FT_NOT_FOUND ? ft_fail(err, st, "asset %lld has no readings", (long long)asset_id)
                              : st;
}

enum ft_status reading_count(struct db *db, int64_t *n, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_recent_count, err);
    *n = statement_row(&s) ? column_int(&s, 0) : 0;
    return statement_end(&s);
}
