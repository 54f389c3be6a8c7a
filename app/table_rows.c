/* The file comes in slabs of 16 MiB; while one is parsed, the next is read (and decompressed) as
 * one more job. A slab is cut into chunks behind line ends. A line end may lie inside quotes, so
 * that cut is a guess: when the chunk before did not end where a chunk began, the chunk is parsed
 * again from there. A chunk that failed is parsed again with its line known, for the message.
 *
 * Each chunk writes its rows to their final place or close by: counting line ends says how many
 * rows it can have at most. Texts that are new get numbers of the chunk's own, which the join,
 * going through the chunks in order, turns into those of the table. */
#include "app/table_rows.h"

#include "app/ingest/number.h"
#include "app/ingest/when.h"
#include "app/table.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    SLAB_SIZE = 16 << 20,
    CHUNK_SIZE = 256 << 10,
    MAX_CHUNKS = (SLAB_SIZE + (int)CSV_RECORD_MAX) / CHUNK_SIZE + 1
};

struct slab {
    char *
        memory; /* [CSV_RECORD_MAX + SLAB_SIZE]; the first part takes the tail of the slab before */
    char *bytes; /* first one not parsed */
    size_t len;
    bool is_last;
};

struct chunk {
    size_t start, stop; /* records that begin in here, by the slab's bytes */
    size_t end;         /* behind the last of them */
    size_t row, max_rows, n_rows, n_unlabelled;
    int64_t line, n_lines;
    struct dictionary **fresh; /* [n_fields] texts not in the layout's dictionary; NULL = none */
    struct when when;          /* days seen so far */
    enum ft_status status;
    struct ft_err err;
};

struct job {
    const struct table_layout *layout;
    struct csv_reader *reader;
    struct pool *pool;
    struct table_rows *rows;
    char delimiter;
    struct slab slab, next;
    enum ft_status read_status;
    struct ft_err read_err;
    struct chunk chunks[MAX_CHUNKS];
    size_t n_chunks;
    int64_t line; /* of the first byte of the slab */
};

static enum ft_status no_memory(const struct table_layout *l, struct ft_err *err)
{
    return ft_fail(err, FT_NOMEM, "%s: no memory for its rows", l->path);
}

/* Line on which the present record begins. */
static long long line_of(const struct chunk *c)
{
    return c->line + c->n_lines;
}

static bool has_role(const struct table_layout *l, enum table_role role)
{
    for (size_t i = 0; i < l->n_fields; i++)
        if (l->fields[i].role == role)
            return true;
    return false;
}

/* --- one value -------------------------------------------------------------------------------- */

static enum ft_status bad_value(const struct table_layout *l, const struct chunk *c, size_t i,
                                struct csv_field v, const char *expected, struct ft_err *err)
{
    return ft_fail(err, FT_INVALID, "%s, line %lld, column '%.80s' (%zu): '%.*s' is not %s",
                   l->path, line_of(c), l->fields[i].name, i + 1, (int)(v.len < 60 ? v.len : 60),
                   v.p, expected);
}

/* Number of a text: that of the field's dictionary, behind them those of the chunk's own. NaN when
 * it is missing or unknown to the model. */
static enum ft_status text_code(const struct table_layout *l, struct chunk *c, size_t i,
                                struct csv_field v, double *out, struct ft_err *err)
{
    const struct table_field *f = &l->fields[i];
    *out = NAN;
    if (v.len == 0 || (f->role != ROLE_GROUP && number_is_missing(v.p, v.len)))
        return FT_OK;
    size_t code = dictionary_find(f->texts, v.p, v.len);
    if (code != DICTIONARY_NONE && code < f->n_known) {
        *out = (double)code;
        return FT_OK;
    }
    if (f->is_frozen || f->is_overfull)
        return FT_OK;
    if (c->fresh == NULL)
        c->fresh = calloc(l->n_fields, sizeof(struct dictionary *));
    if (c->fresh != NULL && c->fresh[i] == NULL)
        c->fresh[i] = dictionary_new();
    if (c->fresh == NULL || c->fresh[i] == NULL)
        return no_memory(l, err);
    code = dictionary_add(c->fresh[i], v.p, v.len);
    if (code == DICTIONARY_NONE)
        return no_memory(l, err);
    *out = (double)(f->n_known + code);
    return FT_OK;
}

static enum ft_status event_flag(const struct table_layout *l, const struct chunk *c, size_t i,
                                 struct csv_field v, bool *out, struct ft_err *err)
{
    static const char *const words[] = {"0", "1", "false", "true", "no", "yes"};
    double number;
    for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++)
        if (v.len == strlen(words[w]) && strncasecmp(v.p, words[w], v.len) == 0) {
            *out = w % 2 == 1;
            return FT_OK;
        }
    if (number_parse(v.p, v.len, l->decimal, &number) && (number == 0 || number == 1)) {
        *out = number == 1;
        return FT_OK;
    }
    return bad_value(l, c, i, v, "an event flag (0 or 1)", err);
}

static enum ft_status time_value(const struct table_layout *l, struct chunk *c, size_t i,
                                 struct csv_field v, double *out, struct ft_err *err)
{
    int64_t ts_ms = 0;
    if (!l->fields[i].is_text)
        return number_parse(v.p, v.len, l->decimal, out)
                   ? FT_OK
                   : bad_value(l, c, i, v, "a time (a number, as in the rows before)", err);
    if (when_parse(&c->when, v.p, v.len, &ts_ms, NULL) != FT_OK)
        return bad_value(l, c, i, v, "a time (2026-11-21 or 2026-11-21T06:42:00Z)", err);
    *out = (double)ts_ms;
    return FT_OK;
}

/* All but numbers that are well. */
static enum ft_status take_field(const struct job *job, struct chunk *c, size_t i, size_t row,
                                 struct csv_field v, struct ft_err *err)
{
    const struct table_layout *l = job->layout;
    const struct table_field *f = &l->fields[i];
    double value = NAN;
    v = csv_trim(v);
    if (f->role == ROLE_EVENT)
        return event_flag(l, c, i, v, &job->rows->failed[row], err);
    if (f->role == ROLE_TIME)
        return time_value(l, c, i, v, &job->rows->time[row], err);
    if (f->is_text) {
        const enum ft_status st = text_code(l, c, i, v, &value, err);
        if (st != FT_OK)
            return st;
    } else if (!number_parse(v.p, v.len, l->decimal, &value)) {
        value = NAN;
        if (!number_is_missing(v.p, v.len))
            return bad_value(l, c, i, v, "a number (--category takes the column as texts)", err);
    }
    if (f->role == ROLE_FEATURE)
        job->rows->x[row * l->n_places + f->place] = value;
    else if (f->role == ROLE_LABEL)
        job->rows->y[row] = value;
    else if (isnan(value))
        return bad_value(l, c, i, v, "a group", err);
    else
        job->rows->group[row] = (size_t)value;
    return FT_OK;
}

/* Numbers that are well, which most are. Fields that lie in the slab have its first part before
 * them, those that were quoted lie elsewhere. */
static inline bool take_number(const struct job *job, struct csv_field v, double *out)
{
    const size_t at = (size_t)((uintptr_t)v.p - (uintptr_t)job->slab.memory);
    const char decimal = job->layout->decimal;
    return at >= 16 && at < CSV_RECORD_MAX + SLAB_SIZE
               ? number_parse_roomy(v.p, v.len, decimal, out)
               : number_parse(v.p, v.len, decimal, out);
}

/* --- one chunk -------------------------------------------------------------------------------- */

static enum ft_status take_record(const struct job *job, struct chunk *c,
                                  const struct csv_record *r, struct ft_err *err)
{
    const struct table_layout *l = job->layout;
    const size_t row = c->row + c->n_rows;
    double *x = job->rows->x + row * l->n_places;
    if (r->n != l->n_fields)
        return ft_fail(err, FT_INVALID, "%s, line %lld: %zu fields, the header has %zu", l->path,
                       line_of(c), r->n, l->n_fields);
    for (size_t i = 0; i < r->n; i++) {
        const struct table_field *f = &l->fields[i];
        const struct csv_field v = r->fields[i];
        if (f->role == ROLE_SKIP)
            continue;
        if (f->role == ROLE_FEATURE && !f->is_text && take_number(job, v, &x[f->place]))
            continue;
        const enum ft_status st = take_field(job, c, i, row, v, err);
        if (st != FT_OK)
            return st;
    }
    if (l->is_label_needed && isnan(job->rows->y[row]))
        c->n_unlabelled++; /* the next row takes its place */
    else
        c->n_rows++;
    return FT_OK;
}

static void chunk_forget(struct chunk *c, size_t n_fields)
{
    for (size_t i = 0; c->fresh != NULL && i < n_fields; i++)
        dictionary_free(c->fresh[i]);
    free(c->fresh);
    c->fresh = NULL;
    c->n_rows = c->n_unlabelled = 0;
    c->n_lines = 0;
}

/* Parses the records that begin in [start, stop). */
static void parse_chunk(const struct job *job, struct chunk *c)
{
    const char *bytes = job->slab.bytes, *end = bytes + job->slab.len;
    struct csv_record r;
    csv_record_init(&r);
    c->when = (struct when){0};
    c->status = FT_OK;
    c->end = c->start;
    while (c->status == FT_OK && c->end < c->stop) {
        size_t used = 0;
        c->status =
            csv_split(bytes + c->end, end, job->slab.is_last, job->delimiter, &r, &used, &c->err);
        if (c->status != FT_OK)
            ft_err_prefix(&c->err, "%s, line %lld", job->layout->path, line_of(c));
        else if (used == 0)
            break; /* it goes on in the next slab */
        else if (!r.is_blank)
            c->status = take_record(job, c, &r, &c->err);
        if (c->status != FT_OK)
            break;
        c->end += used;
        c->n_lines += (int64_t)r.n_lines;
    }
    csv_record_free(&r);
}

/* --- one slab --------------------------------------------------------------------------------- */

/* Fills the second part of a slab. */
static enum ft_status read_slab(struct csv_reader *reader, struct slab *s, struct ft_err *err)
{
    s->bytes = s->memory + CSV_RECORD_MAX;
    s->len = 0;
    s->is_last = false;
    while (s->len < SLAB_SIZE && !s->is_last) {
        struct csv_field at;
        bool is_last = false;
        const enum ft_status st = csv_reader_peek(reader, &at, &is_last, err);
        if (st != FT_OK)
            return st;
        const size_t room = SLAB_SIZE - s->len;
        const size_t n = at.len < room ? at.len : room;
        if (n > 0)
            memcpy(s->bytes + s->len, at.p, n);
        s->len += n;
        csv_reader_skip(reader, n, 0);
        s->is_last = is_last && n == at.len;
    }
    return FT_OK;
}

/* Begin of the first line behind at. */
static size_t line_behind(const struct slab *s, size_t at)
{
    const char *p = at < s->len ? memchr(s->bytes + at, '\n', s->len - at) : NULL;
    return p != NULL ? (size_t)(p - s->bytes) + 1 : s->len;
}

/* Where a chunk begins, and how many rows it can have: as many as lines begin in its stretch. */
static void cut_chunk(void *ctx, size_t k)
{
    struct job *job = ctx;
    struct chunk *c = &job->chunks[k];
    const char *p = job->slab.bytes + k * CHUNK_SIZE;
    const size_t left = job->slab.len - k * CHUNK_SIZE;
    const char *end = p + (left < CHUNK_SIZE ? left : CHUNK_SIZE);
    c->start = k == 0 ? 0 : line_behind(&job->slab, k * CHUNK_SIZE);
    c->max_rows = k == 0;
    while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        c->max_rows++;
        p++;
    }
}

static bool resize(void *array, size_t n, size_t size)
{
    void **at = array;
    void *grown = reallocarray(*at, n, size);
    if (grown == NULL)
        return false;
    *at = grown;
    return true;
}

static bool grow_rows(const struct table_layout *l, struct table_rows *r, size_t need)
{
    if (need <= r->cap_rows)
        return true;
    const size_t cap = need < 2 * r->cap_rows ? 2 * r->cap_rows : need;
    if (!resize(&r->x, cap, l->n_places * sizeof(*r->x)) ||
        (has_role(l, ROLE_LABEL) && !resize(&r->y, cap, sizeof(*r->y))) ||
        (has_role(l, ROLE_EVENT) && !resize(&r->failed, cap, sizeof(*r->failed))) ||
        (has_role(l, ROLE_GROUP) && !resize(&r->group, cap, sizeof(*r->group))) ||
        (has_role(l, ROLE_TIME) && !resize(&r->time, cap, sizeof(*r->time))))
        return false;
    r->cap_rows = cap;
    return true;
}

static enum ft_status cut_slab(struct job *job, struct ft_err *err)
{
    const struct table_layout *l = job->layout;
    job->n_chunks = (job->slab.len + CHUNK_SIZE - 1) / CHUNK_SIZE;
    memset(job->chunks, 0, sizeof(job->chunks));
    pool_run(job->pool, job->n_chunks, cut_chunk, job);
    size_t row = job->rows->n_rows;
    for (size_t k = 0; k < job->n_chunks; k++) {
        struct chunk *c = &job->chunks[k];
        c->stop = k + 1 < job->n_chunks ? job->chunks[k + 1].start : job->slab.len;
        c->row = row;
        row += c->max_rows;
    }
    for (size_t i = 0; i < l->n_fields; i++)
        l->fields[i].n_known = dictionary_count(l->fields[i].texts);
    const size_t row_bytes = l->n_places * sizeof(double) + 3 * sizeof(double);
    if (l->max_bytes > 0 && row > l->max_bytes / row_bytes) {
        const struct input *in = csv_reader_input(job->reader);
        const double part =
            input_size(in) > 0 ? (double)input_position(in) / (double)input_size(in) : 1;
        job->rows->n_expected = (size_t)(1.05 * (double)row / (part > 0 ? part : 1));
        return ft_fail(err, FT_CONFLICT, "%s: about %zu rows do not fit in %zu bytes", l->path,
                       job->rows->n_expected, l->max_bytes);
    }
    return grow_rows(l, job->rows, row) ? FT_OK : no_memory(l, err);
}

/* Job 0 reads the next slab, the others parse the chunks of this one. */
static void run_job(void *ctx, size_t i)
{
    struct job *job = ctx;
    if (i > 0)
        parse_chunk(job, &job->chunks[i - 1]);
    else if (!job->slab.is_last)
        job->read_status = read_slab(job->reader, &job->next, &job->read_err);
}

/* --- joining ---------------------------------------------------------------------------------- */

static double *place_of(const struct job *job, const struct table_field *f, size_t row,
                        size_t *stride)
{
    *stride = f->role == ROLE_FEATURE ? job->layout->n_places : 1;
    return f->role == ROLE_FEATURE ? job->rows->x + row * job->layout->n_places + f->place
                                   : job->rows->y + row;
}

/* Takes over the texts that a chunk saw first and renumbers its rows. */
static enum ft_status join_texts(struct job *job, struct chunk *c, size_t i, struct ft_err *err)
{
    struct table_field *f = &job->layout->fields[i];
    const size_t n = dictionary_count(c->fresh[i]);
    double *number = calloc(n + 1, sizeof(*number));
    if (number == NULL)
        return no_memory(job->layout, err);
    for (size_t k = 0; k < n; k++) {
        const char *text = dictionary_text(c->fresh[i], k);
        const size_t len = strlen(text);
        size_t code = dictionary_find(f->texts, text, len);
        if (code == DICTIONARY_NONE && f->role != ROLE_GROUP &&
            dictionary_count(f->texts) >= TABLE_MAX_LEVELS) {
            f->is_overfull = true;
        } else if (code == DICTIONARY_NONE) {
            code = dictionary_add(f->texts, text, len);
            if (code == DICTIONARY_NONE) {
                free(number);
                return no_memory(job->layout, err);
            }
        }
        number[k] = code == DICTIONARY_NONE ? NAN : (double)code;
    }
    for (size_t r = c->row; r < c->row + c->n_rows; r++) {
        if (f->role == ROLE_GROUP) {
            size_t *group = &job->rows->group[r];
            if (*group >= f->n_known)
                *group = (size_t)number[*group - f->n_known];
            continue;
        }
        size_t stride = 0;
        double *v = place_of(job, f, r, &stride);
        if (*v >= (double)f->n_known)
            *v = number[(size_t)*v - f->n_known];
    }
    free(number);
    return FT_OK;
}

/* Moves a chunk's rows up to those before. */
static void join_rows(struct job *job, const struct chunk *c)
{
    struct table_rows *r = job->rows;
    const size_t at = r->n_rows, n = c->n_rows, width = job->layout->n_places;
    r->n_rows += n;
    r->n_unlabelled += c->n_unlabelled;
    if (at == c->row || n == 0)
        return;
    memmove(r->x + at * width, r->x + c->row * width, n * width * sizeof(*r->x));
    if (r->y != NULL)
        memmove(r->y + at, r->y + c->row, n * sizeof(*r->y));
    if (r->failed != NULL)
        memmove(r->failed + at, r->failed + c->row, n * sizeof(*r->failed));
    if (r->group != NULL)
        memmove(r->group + at, r->group + c->row, n * sizeof(*r->group));
    if (r->time != NULL)
        memmove(r->time + at, r->time + c->row, n * sizeof(*r->time));
}

static enum ft_status join_chunk(struct job *job, struct chunk *c, size_t begin, struct ft_err *err)
{
    const struct table_layout *l = job->layout;
    if (c->start != begin || c->status != FT_OK) {
        chunk_forget(c, l->n_fields);
        c->start = begin;
        c->line = job->line;
        parse_chunk(job, c);
    }
    if (c->status != FT_OK)
        return ft_fail(err, c->status, "%s", c->err.msg);
    for (size_t i = 0; c->fresh != NULL && i < l->n_fields; i++) {
        const enum ft_status st = c->fresh[i] != NULL ? join_texts(job, c, i, err) : FT_OK;
        if (st != FT_OK)
            return st;
    }
    join_rows(job, c);
    job->line += c->n_lines;
    return FT_OK;
}

/* Parses the slab, then puts what is left of it before the next. */
static enum ft_status take_slab(struct job *job, struct ft_err *err)
{
    enum ft_status st = cut_slab(job, err);
    if (st != FT_OK)
        return st;
    pool_run(job->pool, job->n_chunks + 1, run_job, job);
    size_t at = 0;
    for (size_t k = 0; k < job->n_chunks && st == FT_OK; k++) {
        st = join_chunk(job, &job->chunks[k], at, err);
        at = job->chunks[k].end;
    }
    for (size_t k = 0; k < job->n_chunks; k++)
        chunk_forget(&job->chunks[k], job->layout->n_fields);
    if (st != FT_OK || job->slab.is_last)
        return st;
    if (job->read_status != FT_OK)
        return ft_fail(err, job->read_status, "%s: %s", job->layout->path, job->read_err.msg);
    const size_t n_left = job->slab.len - at; /* part of one record, so it fits */
    const struct slab next = job->next;
    if (n_left > CSV_RECORD_MAX)
        return ft_fail(err, FT_INTERNAL, "%s: a record of %zu bytes was let through",
                       job->layout->path, n_left);
    memcpy(next.bytes - n_left, job->slab.bytes + at, n_left);
    job->next = job->slab;
    job->slab = (struct slab){next.memory, next.bytes - n_left, next.len + n_left, next.is_last};
    return FT_OK;
}

enum ft_status table_rows_read(struct csv_reader *reader, const struct table_layout *layout,
                               struct pool *pool, struct table_rows *out, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    *out = (struct table_rows){0};
    struct job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        return no_memory(layout, err);
    *job = (struct job){.layout = layout,
                        .reader = reader,
                        .pool = pool,
                        .rows = out,
                        .delimiter = csv_reader_delimiter(reader),
                        .line = csv_reader_next_line(reader)};
    job->slab.memory = malloc(CSV_RECORD_MAX + SLAB_SIZE);
    job->next.memory = malloc(CSV_RECORD_MAX + SLAB_SIZE);
    if (job->slab.memory == NULL || job->next.memory == NULL)
        st = no_memory(layout, err);
    if (st == FT_OK)
        st = read_slab(reader, &job->slab, err);
    for (bool is_done = false; st == FT_OK && !is_done;) {
        is_done = job->slab.is_last;
        st = take_slab(job, err);
        if (st == FT_OK && layout->is_stopped != NULL && layout->is_stopped())
            st = ft_fail(err, FT_INTERRUPTED, "stopped while reading %s", layout->path);
    }
    if (st == FT_OK && out->n_rows == 0)
        st = ft_fail(err, FT_TOO_FEW, "%s: no rows%s", layout->path,
                     out->n_unlabelled > 0 ? " with a label" : "");
    free(job->slab.memory);
    free(job->next.memory);
    free(job);
    return st;
}

void table_rows_free(struct table_rows *rows)
{
    free(rows->x);
    free(rows->y);
    free(rows->failed);
    free(rows->group);
    free(rows->time);
    *rows = (struct table_rows){0};
}
