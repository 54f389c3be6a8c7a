#include "app/ingest/cmapss.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/ingest/input.h"
#include "app/ingest/limits.h"
#include "app/ingest/number.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/event_store.h"
#include "db/import_store.h"
#include "db/reading_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    N_COLUMNS = 2 + CMAPSS_N_VALUES,
    N_SETTINGS = 3,
    LINE_MAX_BYTES = 4096,
    MAX_ROWS = 50000000
};

const char *const cmapss_names[CMAPSS_N_VALUES] = {
    "altitude", "mach", "tra",  "T2",      "T24",    "T30",       "T50", "P2",
    "P15",      "P30",  "Nf",   "Nc",      "epr",    "Ps30",      "phi", "NRf",
    "NRc",      "BPR",  "farB", "htBleed", "Nf_dmd", "PCNfR_dmd", "W31", "W32"};

static const char *const cmapss_units[CMAPSS_N_VALUES] = {
    "k[ft_i]", "1",     "%",     "[degR]", "[degR]", "[degR]", "[degR]",    "[psi]",
    "[psi]",   "[psi]", "{rpm}", "{rpm}",  "1",      "[psi]",  NULL,        "{rpm}",
    "{rpm}",   "1",     "1",     NULL,     "{rpm}",  "{rpm}",  "[lb_av]/s", "[lb_av]/s"};

/* A whole number from 1 up in a field such as "12" or "12.0". */
static bool whole(const char *p, size_t len, int64_t *out)
{
    double v;
    if (!number_parse(p, len, '.', &v) || v != floor(v) || v < 1 || v > 1e9)
        return false;
    *out = (int64_t)v;
    return true;
}

enum ft_status cmapss_parse_line(const char *p, size_t len, struct cmapss_row *out,
                                 struct ft_err *err)
{
    const char *end = p + len;
    size_t n = 0;
    for (;;) {
        while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
            p++;
        if (p == end)
            break;
        const char *begin = p;
        while (p < end && *p != ' ' && *p != '\t' && *p != '\r')
            p++;
        const size_t field_len = (size_t)(p - begin);
        const int shown = (int)(field_len < 40 ? field_len : 40);
        bool is_good = true;
        if (n == 0)
            is_good = whole(begin, field_len, &out->engine);
        else if (n == 1)
            is_good = whole(begin, field_len, &out->cycle);
        else if (n < N_COLUMNS)
            is_good = number_parse(begin, field_len, '.', &out->values[n - 2]);
        if (!is_good)
            return ft_fail(err, FT_INVALID, "field %zu '%.*s': expected %s", n + 1, shown, begin,
                           n < 2 ? "a whole number from 1 up" : "a number");
        n++;
    }
    if (n != N_COLUMNS)
        return ft_fail(err, FT_INVALID, "%zu fields, expected %d separated by blanks", n,
                       N_COLUMNS);
    return FT_OK;
}

/* Lines of a file, read through input.h. */
struct line_reader {
    struct input *in;
    char buf[64 * 1024];
    size_t at, len;
    bool is_end;
    int64_t line; /* of the line given last, 1 = first */
};

/* The next line without its end; *p NULL at the end of the file. */
static enum ft_status next_line(struct line_reader *r, const char **p, size_t *len,
                                struct ft_err *err)
{
    for (;;) {
        const char *begin = r->buf + r->at;
        const char *line_end = memchr(begin, '\n', r->len - r->at);
        const bool is_rest = line_end == NULL && r->is_end;
        if (is_rest && r->at == r->len) {
            *p = NULL;
            return FT_OK;
        }
        if (line_end != NULL || is_rest) {
            *p = begin;
            *len = line_end != NULL ? (size_t)(line_end - begin) : r->len - r->at;
            r->at += *len + (line_end != NULL);
            r->line++;
            return FT_OK;
        }
        if (r->len - r->at > LINE_MAX_BYTES)
            return ft_fail(err, FT_INVALID, "line %lld: longer than %d bytes",
                           (long long)r->line + 1, LINE_MAX_BYTES);
        size_t n = 0;
        memmove(r->buf, begin, r->len - r->at);
        r->len -= r->at;
        r->at = 0;
        const enum ft_status st =
            input_read(r->in, r->buf + r->len, sizeof(r->buf) - r->len, &n, err);
        if (st != FT_OK)
            return st;
        r->len += n;
        r->is_end = n == 0;
    }
}

/* All histories of one file, engine after engine. */
struct histories {
    struct cmapss_row *rows; /* [n], owned */
    size_t n, cap;
};

static bool is_blank(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] != ' ' && p[i] != '\t' && p[i] != '\r')
            return false;
    return true;
}

/* Engines and their cycles count 1, 2, 3 ... without a gap. */
static enum ft_status check_order(const struct histories *h, const struct cmapss_row *row,
                                  struct ft_err *err)
{
    const struct cmapss_row *last = h->n > 0 ? &h->rows[h->n - 1] : NULL;
    const int64_t last_engine = last != NULL ? last->engine : 0;
    const bool is_next_engine = row->engine == last_engine + 1;
    const int64_t want_cycle = is_next_engine ? 1 : last != NULL ? last->cycle + 1 : 1;
    if (row->engine != last_engine && !is_next_engine)
        return ft_fail(err, FT_INVALID, "engine %lld after engine %lld, expected %lld or %lld",
                       (long long)row->engine, (long long)last_engine, (long long)last_engine,
                       (long long)last_engine + 1);
    if (row->cycle != want_cycle)
        return ft_fail(err, FT_INVALID, "engine %lld has cycle %lld, expected %lld",
                       (long long)row->engine, (long long)row->cycle, (long long)want_cycle);
    return FT_OK;
}

static enum ft_status add_row(struct histories *h, const struct cmapss_row *row, struct ft_err *err)
{
    if (h->n == MAX_ROWS)
        return ft_fail(err, FT_INVALID, "more than %d rows", MAX_ROWS);
    if (h->n == h->cap) {
        const size_t cap = h->cap == 0 ? 4096 : h->cap * 2;
        struct cmapss_row *rows = reallocarray(h->rows, cap, sizeof(*rows));
        if (rows == NULL)
            return ft_fail(err, FT_NOMEM, "no memory for %zu rows", cap);
        h->rows = rows;
        h->cap = cap;
    }
    h->rows[h->n++] = *row;
    return FT_OK;
}

/* Calls take for every line that is not blank; errors name file and line. */
static enum ft_status read_lines(const char *file, const struct import_options *o,
                                 enum ft_status (*take)(void *ctx, const char *p, size_t len,
                                                        struct ft_err *err),
                                 void *ctx, struct ft_err *err)
{
    struct line_reader *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return ft_fail(err, FT_NOMEM, "no memory to read %s", file);
    enum ft_status st = input_open(file, o->is_stopped, &r->in, err);
    while (st == FT_OK) {
        const char *p = NULL;
        size_t len = 0;
        st = next_line(r, &p, &len, err);
        if (st != FT_OK || p == NULL)
            break;
        if (!is_blank(p, len) && take(ctx, p, len, err) != FT_OK) {
            st = err->code;
            ft_err_prefix(err, "%s: line %lld", file, (long long)r->line);
        }
        if (st == FT_OK && o->is_stopped != NULL && o->is_stopped())
            st = ft_fail(err, FT_INTERRUPTED, "interrupted");
    }
    input_close(r->in);
    free(r);
    return st;
}

static enum ft_status take_history(void *ctx, const char *p, size_t len, struct ft_err *err)
{
    struct cmapss_row row;
    struct histories *h = ctx;
    enum ft_status st = cmapss_parse_line(p, len, &row, err);
    if (st == FT_OK)
        st = check_order(h, &row, err);
    return st == FT_OK ? add_row(h, &row, err) : st;
}

/* Remaining cycles of the test engines. */
struct rul_list {
    int64_t *cycles; /* [n], owned */
    size_t n, cap;
};

static enum ft_status take_rul(void *ctx, const char *p, size_t len, struct ft_err *err)
{
    struct rul_list *r = ctx;
    double v;
    while (len > 0 && (p[len - 1] == '\r' || p[len - 1] == ' '))
        len--;
    if (!number_parse(p, len, '.', &v) || v != floor(v) || v < 0 || v > 1e9)
        return ft_fail(err, FT_INVALID, "'%.*s': expected one whole number of cycles from 0 up",
                       (int)(len < 40 ? len : 40), p);
    if (r->n == r->cap) {
        const size_t cap = r->cap == 0 ? 256 : r->cap * 2;
        int64_t *cycles = reallocarray(r->cycles, cap, sizeof(*cycles));
        if (cycles == NULL)
            return ft_fail(err, FT_NOMEM, "no memory for %zu lines", cap);
        r->cycles = cycles;
        r->cap = cap;
    }
    r->cycles[r->n++] = (int64_t)v;
    return FT_OK;
}

/* --- into the database --- */

struct writer {
    struct db *db;
    const struct import_options *o;
    struct import_summary *s;
    const char *word;          /* "train", "test" */
    const int64_t *rul_cycles; /* [n engines] or NULL */
    const char *source;
    struct reading_point *points; /* scratch [CMAPSS_N_VALUES * rows of an engine] */
};

static int64_t instant(const struct writer *w, int64_t cycle)
{
    return CMAPSS_EPOCH_MS + cycle * w->o->cycle_ms;
}

/* Makes the engine's asset as it should be. */
static enum ft_status put_engine(struct writer *w, int64_t engine, int64_t *asset_id,
                                 struct ft_err *err)
{
    char key[4 * INGEST_NAME_MAX + 64];
    struct asset a = {0};
    snprintf(key, sizeof(key), "%s-%s-%lld", w->o->class_name, w->word, (long long)engine);
    enum ft_status st = asset_find(w->db, key, &a, err);
    asset_clear(&a);
    w->s->n_assets_new += st == FT_NOT_FOUND;
    if (st == FT_OK || st == FT_NOT_FOUND)
        st = asset_ensure(w->db, key, w->o->class_name, asset_id, err);
    if (st == FT_OK)
        st = asset_get(w->db, *asset_id, &a, err);
    if (st == FT_OK) {
        a.commissioned_ms = CMAPSS_EPOCH_MS;
        a.is_held_out = w->rul_cycles != NULL;
        a.true_rul_ms =
            w->rul_cycles != NULL ? w->rul_cycles[engine - 1] * w->o->cycle_ms : DB_NO_TIME;
        st = asset_update(w->db, &a, err);
        asset_clear(&a);
    }
    w->s->n_assets++;
    return st;
}

static enum ft_status put_failure(struct writer *w, int64_t asset_id, int64_t cycle,
                                  struct ft_err *err)
{
    const struct event e = {.asset_id = asset_id,
                            .kind = EVENT_FAILURE,
                            .ts_ms = instant(w, cycle),
                            .code = (char *)"",
                            .downtime_ms = DB_NO_TIME,
                            .cost_minor = DB_NO_MONEY,
                            .source = (char *)w->source};
    int64_t id;
    bool is_new = false;
    const enum ft_status st = event_put(w->db, &e, &id, &is_new, err);
    w->s->n_new += st == FT_OK && is_new;
    w->s->n_unchanged += st == FT_OK && !is_new;
    return st;
}

/* All readings of an engine in one go: one row of the journal in place of one for each sensor. */
static enum ft_status put_values(struct writer *w, int64_t asset_id, const struct cmapss_row *rows,
                                 size_t n, struct reading_counts *counts, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t k = 0; k < CMAPSS_N_VALUES && st == FT_OK; k++) {
        struct sensor sensor = {.asset_id = asset_id,
                                .name = (char *)cmapss_names[k],
                                .unit = (char *)cmapss_units[k],
                                .role = k < N_SETTINGS ? SENSOR_ROLE_SETTING : SENSOR_ROLE_SENSOR,
                                .low = NAN,
                                .high = NAN,
                                .rollover = NAN};
        st = sensor_ensure(w->db, asset_id, sensor.name, &sensor.id, err);
        if (st == FT_OK)
            st = sensor_update(w->db, &sensor, err);
        for (size_t i = 0; i < n; i++)
            w->points[k * n + i] =
                (struct reading_point){sensor.id, instant(w, rows[i].cycle), rows[i].values[k]};
        w->s->n_sensors++;
    }
    return st == FT_OK ? reading_append(w->db, w->points, n * CMAPSS_N_VALUES, NULL, counts, err)
                       : st;
}

static enum ft_status put_histories(struct writer *w, const struct histories *h, struct ft_err *err)
{
    struct reading_counts counts = {0};
    enum ft_status st = FT_OK;
    w->points = calloc(h->n + 1, CMAPSS_N_VALUES * sizeof(*w->points));
    if (w->points == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for %zu rows", h->n);
    for (size_t begin = 0; begin < h->n && st == FT_OK;) {
        int64_t asset_id = 0;
        size_t end = begin + 1;
        while (end < h->n && h->rows[end].engine == h->rows[begin].engine)
            end++;
        const int64_t last_cycle = h->rows[end - 1].cycle;
        st = put_engine(w, h->rows[begin].engine, &asset_id, err);
        if (st == FT_OK)
            st = put_values(w, asset_id, h->rows + begin, end - begin, &counts, err);
        if (st == FT_OK && w->rul_cycles == NULL)
            st = put_failure(w, asset_id, last_cycle, err);
        if (w->s->first_ms == DB_NO_TIME || instant(w, 1) < w->s->first_ms)
            w->s->first_ms = instant(w, 1);
        if (w->s->last_ms == DB_NO_TIME || instant(w, last_cycle) > w->s->last_ms)
            w->s->last_ms = instant(w, last_cycle);
        if (st == FT_OK && w->o->is_stopped != NULL && w->o->is_stopped())
            st = ft_fail(err, FT_INTERRUPTED, "interrupted");
        begin = end;
    }
    w->s->n_new += counts.n_new;
    w->s->n_changed += counts.n_changed;
    w->s->n_unchanged += counts.n_unchanged;
    w->s->n_rows += (int64_t)h->n;
    free(w->points);
    return st;
}

static enum ft_status set_class(struct db *db, const struct import_options *o, struct ft_err *err)
{
    struct asset_class c = {0};
    int64_t id;
    enum ft_status st = class_ensure(db, o->class_name, &id, err);
    if (st == FT_OK)
        st = class_find(db, o->class_name, &c, err);
    if (st == FT_OK && c.cycle_ms != o->cycle_ms) {
        if (c.cycle_ms != 0)
            st = ft_fail(err, FT_CONFLICT,
                         "class %s counts cycles of %lld ms already, --cycle says %lld ms", c.name,
                         (long long)c.cycle_ms, (long long)o->cycle_ms);
        c.cycle_ms = o->cycle_ms;
        if (st == FT_OK)
            st = class_update(db, &c, err);
    }
    asset_class_clear(&c);
    return st;
}

static enum ft_status check_rul(const struct import_options *o, const struct histories *test,
                                const struct rul_list *rul, struct ft_err *err)
{
    const size_t n_engines = test->n > 0 ? (size_t)test->rows[test->n - 1].engine : 0;
    if (rul->n == n_engines)
        return FT_OK;
    return ft_fail(err, FT_INVALID, "%s: line %zu: %zu lines, but %s has %zu engines", o->rul,
                   rul->n < n_engines ? rul->n + 1 : n_engines + 1, rul->n, o->test, n_engines);
}

static enum ft_status write_all(struct db *db, const char *file, const struct import_options *o,
                                const struct histories *train, const struct histories *test,
                                const struct rul_list *rul, struct import_summary *s,
                                struct ft_err *err)
{
    struct writer w = {.db = db, .o = o, .s = s, .word = "train", .source = file};
    int64_t import_id = 0;
    enum ft_status st = db_begin(db, err);
    if (st != FT_OK)
        return st;
    st = import_start(db, file, "cmapss", &import_id, err);
    if (st == FT_OK)
        st = set_class(db, o, err);
    if (st == FT_OK)
        st = put_histories(&w, train, err);
    if (st == FT_OK && o->test != NULL) {
        w = (struct writer){
            .db = db, .o = o, .s = s, .word = "test", .source = o->test, .rul_cycles = rul->cycles};
        st = put_histories(&w, test, err);
    }
    const struct import_row row = {.id = import_id,
                                   .file = (char *)file,
                                   .kind = (char *)"cmapss",
                                   .ended_ms = clock_now_ms(),
                                   .n_rows = s->n_rows,
                                   .n_new = s->n_new + s->n_changed,
                                   .n_unchanged = s->n_unchanged};
    if (st == FT_OK)
        st = reading_seal(db, err); /* the file is smallest so */
    if (st == FT_OK)
        st = import_finish(db, &row, err);
    if (st == FT_OK)
        st = db_commit(db, err);
    if (st != FT_OK) {
        db_rollback(db);
        s->n_rows = 0;
    }
    return st;
}

enum ft_status import_cmapss(struct db *db, const char *file, const struct import_options *o,
                             struct import_summary *out, struct ft_err *err)
{
    const double start_s = clock_mono_s();
    struct histories train = {0};
    struct histories test = {0};
    struct rul_list rul = {0};
    *out = (struct import_summary){.file = file,
                                   .kind = "cmapss",
                                   .first_ms = DB_NO_TIME,
                                   .last_ms = DB_NO_TIME,
                                   .is_dry_run = o->is_dry_run};
    enum ft_status st = ingest_check_name("--class", o->class_name, strlen(o->class_name), err);
    if (st == FT_OK)
        st = read_lines(file, o, take_history, &train, err);
    if (st == FT_OK && train.n == 0)
        st = ft_fail(err, FT_INVALID, "%s: line 1: the file is empty, expected %d columns", file,
                     N_COLUMNS);
    if (st == FT_OK && o->test != NULL)
        st = read_lines(o->test, o, take_history, &test, err);
    if (st == FT_OK && o->rul != NULL)
        st = read_lines(o->rul, o, take_rul, &rul, err);
    if (st == FT_OK && o->rul != NULL)
        st = check_rul(o, &test, &rul, err);
    if (st == FT_OK && !o->is_dry_run) {
        st = write_all(db, file, o, &train, &test, &rul, out, err);
    } else if (st == FT_OK) {
        out->n_rows = (int64_t)(train.n + test.n);
        out->n_assets = (train.n > 0 ? train.rows[train.n - 1].engine : 0) +
                        (test.n > 0 ? test.rows[test.n - 1].engine : 0);
    }
    free(train.rows);
    free(test.rows);
    free(rul.cycles);
    out->seconds = clock_mono_s() - start_s;
    return st;
}
