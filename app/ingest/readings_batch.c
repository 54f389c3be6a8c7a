#include "app/ingest/readings_batch.h"

#include "app/ingest/limits.h"
#include "app/ingest/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1 << 30 };

/* What the parser of one piece carries from row to row. */
struct parser {
    const struct readings_layout *layout;
    struct when *when;
    struct readings_batch *b;
    const char *begin, *end; /* the piece */
    struct csv_field last;   /* asset (sensor) of the row before, which mostly is this row's too */
    struct csv_field last_sensor;
    uint32_t last_series;
    bool has_last;
    int64_t line;         /* of the row */
    struct csv_field raw; /* the row as it stands in the file */
    struct ft_err reason;
};

void readings_batch_free(struct readings_batch *b)
{
    names_free(&b->series);
    free(b->memory.p);
    free(b->bad);
    buf_free(&b->text);
    *b = (struct readings_batch){0};
}

/* Bytes of one row in memory. */
static size_t row_size(const struct readings_batch *b)
{
    return sizeof(*b->ts_ms) + b->n_values * sizeof(*b->values) + sizeof(*b->series_of);
}

size_t readings_batch_size(const struct readings_batch *b)
{
    return b->memory.size + b->bad_cap * sizeof(*b->bad) + b->text.cap;
}

/* Lays the columns into memory that is larger than what they have, and moves the rows there. */
static void move_rows(struct readings_batch *b, struct rows_memory memory)
{
    const size_t cap = memory.size / row_size(b);
    int64_t *ts_ms = memory.p;
    double *values = (void *)(ts_ms + cap);
    uint32_t *series_of = (void *)(values + b->n_values * cap);
    if (b->n > 0) {
        memcpy(ts_ms, b->ts_ms, b->n * sizeof(*ts_ms));
        memcpy(series_of, b->series_of, b->n * sizeof(*series_of));
    }
    for (size_t k = 0; k < b->n_values && b->n > 0; k++)
        memcpy(values + k * cap, b->values + k * b->cap, b->n * sizeof(*values));
    free(b->memory.p);
    b->memory = memory;
    b->ts_ms = ts_ms;
    b->values = values;
    b->series_of = series_of;
    b->cap = cap;
}

/* Makes room for more rows; at first for as many as the piece should have. */
static bool grow(struct readings_batch *b, size_t n_expected)
{
    const size_t n = b->cap == 0 ? n_expected : b->cap * 2;
    struct rows_memory memory = {malloc(n * row_size(b)), n * row_size(b)};
    if (memory.p == NULL) {
        b->status = ft_fail(&b->err, FT_NOMEM, "no memory for %zu rows", n);
        return false;
    }
    move_rows(b, memory);
    return true;
}

/* Keeps the row for quarantine. */
static void add_bad(struct parser *s, int column, const char *reason)
{
    struct readings_batch *b = s->b;
    if (b->n_bad == b->bad_cap) {
        const size_t cap = b->bad_cap == 0 ? 16 : b->bad_cap * 2;
        struct bad_row *bad = realloc(b->bad, cap * sizeof(*bad));
        if (bad == NULL) {
            b->status = ft_fail(&b->err, FT_NOMEM, "no memory for %zu bad rows", cap);
            return;
        }
        b->bad = bad;
        b->bad_cap = cap;
    }
    const size_t reason_at = b->text.len;
    buf_put(&b->text, reason, strlen(reason) + 1);
    const size_t raw_at = b->text.len;
    buf_put(&b->text, s->raw.p, s->raw.len < BATCH_RAW_MAX ? s->raw.len : BATCH_RAW_MAX);
    buf_putc(&b->text, '\0');
    if (buf_status(&b->text, NULL) != FT_OK) {
        b->status = ft_fail(&b->err, FT_NOMEM, "no memory for bad rows");
        return;
    }
    b->bad[b->n_bad++] = (struct bad_row){s->line, column, reason_at, raw_at};
}

static bool is_same(struct csv_field a, struct csv_field b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static bool is_inside(struct csv_field f, struct csv_field piece)
{
    return f.p >= piece.p && f.p + f.len <= piece.p + piece.len;
}

/* Number of the row's series. false: the names are no names; *column and s->reason say why. */
static bool find_series(struct parser *s, const struct csv_record *rec, uint32_t *series,
                        int *column)
{
    const struct readings_layout *l = s->layout;
    struct csv_field asset = {"", 0};
    struct csv_field sensor = {"", 0};
    char pair[2 * 4 * INGEST_NAME_MAX + 2];
    if (l->asset_col == COLUMN_NONE)
        asset = (struct csv_field){l->asset, strlen(l->asset)};
    else
        asset = csv_text(rec->fields[l->asset_col]);
    if (l->is_long)
        sensor = csv_text(rec->fields[l->sensor_col]);
    if (s->has_last && is_same(asset, s->last) && is_same(sensor, s->last_sensor)) {
        *series = s->last_series;
        return true;
    }
    *column = l->asset_col;
    if (ingest_check_name("asset", asset.p, asset.len, &s->reason) != FT_OK)
        return false;
    struct csv_field key = asset;
    if (l->is_long) {
        *column = l->sensor_col;
        if (ingest_check_name("sensor", sensor.p, sensor.len, &s->reason) != FT_OK)
            return false;
        memcpy(pair, asset.p, asset.len);
        pair[asset.len] = READINGS_SERIES_MARK;
        memcpy(pair + asset.len + 1, sensor.p, sensor.len);
        key = (struct csv_field){pair, asset.len + 1 + sensor.len};
    }
    if (!names_intern(&s->b->series, key.p, key.len, series)) {
        s->b->status = ft_fail(&s->b->err, FT_NOMEM, "no memory for names");
        return false;
    }
    /* The slices must outlive this record: fields lie in the piece, undone quotes do not. */
    s->has_last = (l->asset_col == COLUMN_NONE || is_inside(asset, s->raw)) &&
                  (!l->is_long || is_inside(sensor, s->raw));
    s->last = asset;
    s->last_sensor = sensor;
    s->last_series = *series;
    return true;
}

/* Reads the values of a row into its place in the columns; bad cells become NaN and one entry for
 * quarantine. */
static void read_values(struct parser *s, const struct csv_record *rec, double *out, size_t stride)
{
    const struct readings_layout *l = s->layout;
    struct ft_err why;
    size_t at = 0;
    int first_bad = COLUMN_NONE;
    why.msg[0] = '\0';
    for (size_t k = 0; k < l->n_values; k++) {
        const int column = l->value_cols[k];
        const struct csv_field f = rec->fields[column];
        /* A field with quotes undone lies in the record's own memory, of unknown beginning. */
        const bool is_roomy = f.p >= s->begin + 16 && f.p < s->end;
        out[k * stride] = NAN;
        if (f.len > 0 && (is_roomy ? number_parse_roomy : number_parse)(f.p, f.len, l->decimal,
                                                                        &out[k * stride]))
            continue;
        if (number_is_missing(f.p, f.len)) {
            s->b->n_missing++;
            continue;
        }
        if (first_bad == COLUMN_NONE)
            first_bad = column;
        const int n = snprintf(why.msg + at, sizeof(why.msg) - at,
                               "%scolumn %.60s: '%.*s' is not a number", at > 0 ? "; " : "",
                               l->columns.names[column], (int)(f.len < 40 ? f.len : 40), f.p);
        at = at + (size_t)n < sizeof(why.msg) - 1 ? at + (size_t)n : sizeof(why.msg) - 1;
    }
    if (first_bad != COLUMN_NONE)
        add_bad(s, first_bad, why.msg);
}

/* Has the record the header's fields? One empty field more, from a delimiter at the end, is fine.
 */
static bool has_all_fields(struct parser *s, const struct csv_record *rec)
{
    const size_t want = s->layout->columns.n;
    if (rec->n == want || (rec->n == want + 1 && rec->fields[want].len == 0))
        return true;
    char reason[120];
    snprintf(reason, sizeof(reason), "the row has %zu field%s, the header has %zu", rec->n,
             rec->n == 1 ? "" : "s", want);
    add_bad(s, COLUMN_NONE, reason);
    return false;
}

/* By the length of the row at hand, and a sixteenth more. */
static size_t expected_rows(const struct parser *s)
{
    const size_t n = (size_t)(s->end - s->begin) / (s->raw.len + 1);
    return n + n / 16 + 64;
}

static void read_row(struct parser *s, const struct csv_record *rec)
{
    struct readings_batch *b = s->b;
    const struct readings_layout *l = s->layout;
    uint32_t series = 0;
    int column = COLUMN_NONE;
    b->n_rows++;
    if (!has_all_fields(s, rec) || (b->n == b->cap && !grow(b, expected_rows(s))))
        return;
    const struct csv_field time = rec->fields[l->time_col];
    if (when_parse(s->when, time.p, time.len, &b->ts_ms[b->n], &s->reason) != FT_OK) {
        add_bad(s, l->time_col, s->reason.msg);
        return;
    }
    if (!find_series(s, rec, &series, &column)) {
        if (b->status == FT_OK)
            add_bad(s, column, s->reason.msg);
        return;
    }
    b->series_of[b->n] = series;
    read_values(s, rec, b->values + b->n, b->cap);
    b->n++;
}

void readings_batch_parse(const struct readings_layout *layout, struct when *when, const char *p,
                          const char *end, bool is_last, struct rows_memory memory,
                          struct readings_batch *b)
{
    struct parser s = {.layout = layout, .when = when, .b = b, .begin = p, .end = end};
    struct csv_record rec;
    const char *begin = p;
    *b = (struct readings_batch){.n_values = layout->n_values, .status = FT_OK};
    if (memory.p != NULL)
        move_rows(b, memory);
    names_init(&b->series);
    buf_init(&b->text, TEXT_MAX);
    csv_record_init(&rec);
    while (b->status == FT_OK) {
        size_t used = 0;
        const enum ft_status st =
            csv_split(p, end, is_last, layout->delimiter, &rec, &used, &s.reason);
        if (st == FT_NOMEM)
            b->status = ft_fail(&b->err, FT_NOMEM, "%s", s.reason.msg);
        if (used == 0)
            break;
        s.line = (int64_t)b->n_lines + 1;
        s.raw = (struct csv_field){p, used};
        while (s.raw.len > 0 && (s.raw.p[s.raw.len - 1] == '\n' || s.raw.p[s.raw.len - 1] == '\r'))
            s.raw.len--;
        p += used;
        b->n_lines += rec.n_lines;
        if (st == FT_INVALID) {
            b->n_rows++;
            add_bad(&s, COLUMN_NONE, s.reason.msg);
        } else if (!rec.is_blank) {
            read_row(&s, &rec);
        }
    }
    b->n_used = (size_t)(p - begin);
    csv_record_free(&rec);
}
