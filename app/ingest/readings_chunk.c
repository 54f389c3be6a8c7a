#include "app/ingest/readings_chunk.h"

#include "app/base/pool.h"
#include "app/ingest/limits.h"
#include "app/ingest/quarantine.h"
#include "db/db.h"
#include "db/reading_store.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A chunk of EARLY_SIZE bytes is written when its series have EARLY_ROWS rows in each piece. */
enum { EARLY_SIZE = 24 << 20, EARLY_ROWS = SEGMENT_TARGET_N / 2 };

void readings_chunk_init(struct readings_chunk *c, const struct readings_layout *layout,
                         const struct import_options *o, struct import_summary *summary)
{
    *c = (struct readings_chunk){.layout = layout, .options = o, .summary = summary};
    names_init(&c->series);
    names_init(&c->assets);
    names_init(&c->sensors);
}

/* Keeps the memory of the rows for the next batches. */
static void keep_memory(struct readings_chunk *c, struct readings_batch *b)
{
    if (c->n_spare == c->spare_cap) {
        const size_t cap = c->spare_cap + 32;
        struct rows_memory *spare = realloc(c->spare, cap * sizeof(*spare));
        if (spare == NULL)
            return; /* freed with the batch */
        c->spare = spare;
        c->spare_cap = cap;
    }
    c->spare[c->n_spare++] = b->memory;
    b->memory = (struct rows_memory){0};
}

struct rows_memory readings_chunk_take_memory(struct readings_chunk *c)
{
    return c->n_spare > 0 ? c->spare[--c->n_spare] : (struct rows_memory){0};
}

bool readings_chunk_is_full(const struct readings_chunk *c, size_t memory)
{
    size_t n_rows = 0;
    size_t n_series = 0;
    if (c->size >= memory || c->size < EARLY_SIZE)
        return c->size >= memory;
    for (size_t i = 0; i < c->n_batches; i++) {
        n_rows += c->batches[i].n;
        n_series += c->batches[i].series.n;
    }
    return n_rows / (n_series + 1) >= EARLY_ROWS;
}

static void drop_batches(struct readings_chunk *c)
{
    for (size_t i = 0; i < c->n_batches; i++) {
        keep_memory(c, &c->batches[i]);
        readings_batch_free(&c->batches[i]);
    }
    c->n_batches = 0;
    c->size = 0;
}

void readings_chunk_free(struct readings_chunk *c)
{
    (void)readings_chunk_settle(c, NULL);
    drop_batches(c);
    for (size_t i = 0; i < c->known_cap; i++) {
        free(c->known[i].sensor_id);
        free(c->known[i].is_known);
    }
    for (size_t i = 0; i < c->n_spare; i++)
        free(c->spare[i].p);
    free(c->spare);
    free(c->known);
    free(c->batches);
    free(c->first_line);
    names_free(&c->series);
    names_free(&c->assets);
    names_free(&c->sensors);
}

enum ft_status readings_chunk_add(struct readings_chunk *c, struct readings_batch *b,
                                  int64_t first_line, struct ft_err *err)
{
    if (c->n_batches == c->cap) {
        const size_t cap = c->cap == 0 ? 32 : c->cap * 2;
        struct readings_batch *batches = realloc(c->batches, cap * sizeof(*batches));
        if (batches != NULL)
            c->batches = batches;
        int64_t *first_line_of = realloc(c->first_line, cap * sizeof(*first_line_of));
        if (first_line_of != NULL)
            c->first_line = first_line_of;
        if (batches == NULL || first_line_of == NULL)
            return ft_fail(err, FT_NOMEM, "no memory for %zu pieces of the file", cap);
        c->cap = cap;
    }
    c->first_line[c->n_batches] = first_line;
    c->batches[c->n_batches++] = *b;
    c->size += readings_batch_size(b);
    *b = (struct readings_batch){0};
    return FT_OK;
}

/* --- names to rows of the database --- */

static enum ft_status reserve_known(struct readings_chunk *c, struct ft_err *err)
{
    const size_t k = c->layout->n_values;
    if (c->series.n > c->known_cap) {
        size_t cap = c->known_cap == 0 ? 64 : c->known_cap;
        while (cap < c->series.n)
            cap *= 2;
        struct chunk_series *known = realloc(c->known, cap * sizeof(*known));
        if (known == NULL)
            return ft_fail(err, FT_NOMEM, "no memory for %zu series", cap);
        memset(known + c->known_cap, 0, (cap - c->known_cap) * sizeof(*known));
        c->known = known;
        c->known_cap = cap;
    }
    for (size_t i = 0; i < c->series.n; i++) {
        struct chunk_series *s = &c->known[i];
        if (s->sensor_id == NULL)
            s->sensor_id = calloc(k, sizeof(*s->sensor_id));
        if (s->is_known == NULL)
            s->is_known = calloc(k, sizeof(*s->is_known));
        if (s->sensor_id == NULL || s->is_known == NULL)
            return ft_fail(err, FT_NOMEM, "no memory for %zu series", c->series.n);
    }
    return FT_OK;
}

/* The class of an asset counts cycles of the length that the user gave. */
static enum ft_status set_cycle(struct readings_chunk *c, struct db *db, int64_t class_id,
                                struct ft_err *err)
{
    const int64_t cycle_ms = c->options->cycle_ms;
    struct asset_class_list classes;
    if (cycle_ms == 0 || class_id == c->cycle_class_id)
        return FT_OK;
    enum ft_status st = class_list(db, &classes, err);
    if (st != FT_OK)
        return st;
    for (size_t i = 0; i < classes.n && st == FT_OK; i++) {
        struct asset_class *k = &classes.items[i];
        if (k->id != class_id || k->cycle_ms == cycle_ms)
            continue;
        if (k->cycle_ms != 0)
            st = ft_fail(err, FT_CONFLICT,
                         "class %s counts cycles of %lld ms already, --cycle says %lld ms", k->name,
                         (long long)k->cycle_ms, (long long)cycle_ms);
        k->cycle_ms = cycle_ms;
        if (st == FT_OK)
            st = class_update(db, k, err);
    }
    asset_class_list_free(&classes);
    c->cycle_class_id = class_id;
    return st;
}

/* Finds the asset; makes it when this is no dry run. *id 0: not there. */
static enum ft_status resolve_asset(struct readings_chunk *c, struct db *db, const char *key,
                                    int64_t *id, struct ft_err *err)
{
    const struct import_options *o = c->options;
    struct asset found = {0};
    *id = 0;
    enum ft_status st = db != NULL ? asset_find(db, key, &found, err) : FT_NOT_FOUND;
    if (st == FT_NOT_FOUND) {
        c->summary->n_assets_new += o->is_dry_run ? 0 : 1;
        if (o->is_dry_run)
            return FT_OK;
        st = asset_ensure(db, key, o->class_name != NULL ? o->class_name : IMPORT_DEFAULT_CLASS, id,
                          err);
        if (st == FT_OK)
            st = asset_get(db, *id, &found, err);
    } else if (st == FT_OK && o->class_name != NULL && !o->is_dry_run) {
        st = asset_ensure(db, key, o->class_name, id, err); /* FT_CONFLICT in another class */
    }
    if (st == FT_OK) {
        *id = found.id;
        if (!o->is_dry_run)
            st = set_cycle(c, db, found.class_id, err);
    }
    asset_clear(&found);
    return st;
}

/* Finds the sensor; makes it and sets its role when this is no dry run. *id 0: not there. */
static enum ft_status resolve_sensor(struct readings_chunk *c, struct db *db, int64_t asset_id,
                                     const char *name, int64_t *id, struct ft_err *err)
{
    const enum sensor_role role = readings_sensor_role(c->options, name);
    struct sensor_list sensors;
    const struct sensor *found = NULL;
    *id = 0;
    if (asset_id == 0)
        return FT_OK;
    enum ft_status st = FT_OK;
    if (!c->options->is_dry_run)
        st = sensor_ensure(db, asset_id, name, id, err);
    if (st != FT_OK || (!c->options->is_dry_run && role == SENSOR_ROLE_SENSOR))
        return st;
    st = sensor_list(db, asset_id, &sensors, err);
    if (st != FT_OK)
        return st;
    for (size_t i = 0; i < sensors.n; i++)
        if (strcmp(sensors.items[i].name, name) == 0)
            found = &sensors.items[i];
    if (found != NULL) {
        struct sensor changed = *found;
        *id = found->id;
        changed.role = role;
        if (!c->options->is_dry_run && found->role != role)
            st = sensor_update(db, &changed, err);
    }
    sensor_list_free(&sensors);
    return st;
}

/* Splits the name of a series into asset key and, when long, sensor name. */
static void series_names(const struct readings_chunk *c, size_t series, char *asset, size_t size,
                         const char **sensor)
{
    const char *name = names_get(&c->series, series, NULL);
    const char *mark = c->layout->is_long ? strchr(name, READINGS_SERIES_MARK) : NULL;
    const size_t len = mark != NULL ? (size_t)(mark - name) : strlen(name);
    snprintf(asset, size, "%.*s", (int)len, name);
    *sensor = mark != NULL ? mark + 1 : NULL;
}

/* Counts assets and sensors that were seen, over all chunks. */
static enum ft_status count_names(struct readings_chunk *c, const char *asset, const char *sensor,
                                  struct ft_err *err)
{
    uint32_t number;
    char both[2 * 4 * INGEST_NAME_MAX + 2];
    const int n = snprintf(both, sizeof(both), "%s%c%s", asset, READINGS_SERIES_MARK, sensor);
    if (!names_intern(&c->assets, asset, strlen(asset), &number) ||
        !names_intern(&c->sensors, both, (size_t)n, &number))
        return ft_fail(err, FT_NOMEM, "no memory for names");
    return FT_OK;
}

/* Looks up value column k of a series, once in the life of the chunk. */
static enum ft_status resolve(struct readings_chunk *c, struct db *db, size_t series, size_t k,
                              int64_t *sensor_id, struct ft_err *err)
{
    struct chunk_series *s = &c->known[series];
    char asset[4 * INGEST_NAME_MAX + 1];
    const char *sensor = NULL;
    if (s->is_known[k]) {
        *sensor_id = s->sensor_id[k];
        return FT_OK;
    }
    series_names(c, series, asset, sizeof(asset), &sensor);
    if (sensor == NULL)
        sensor = c->layout->columns.names[c->layout->value_cols[k]];
    enum ft_status st = FT_OK;
    if (s->asset_id == 0)
        st = resolve_asset(c, db, asset, &s->asset_id, err);
    if (st == FT_OK)
        st = resolve_sensor(c, db, s->asset_id, sensor, &s->sensor_id[k], err);
    if (st == FT_OK)
        st = count_names(c, asset, sensor, err);
    s->is_known[k] = st == FT_OK;
    *sensor_id = s->sensor_id[k];
    return st;
}

/* --- rows of one series --- */

/* Where a row lies. */
struct row_ref {
    uint32_t batch;
    uint32_t row;
};

struct gathered {
    struct row_ref *rows; /* [n_rows], by series, in the order of the file within one */
    size_t *begin;        /* [n_series + 1] */
    int64_t *ts_ms;       /* scratch for the longest series */
    double *value;
    size_t longest; /* rows of the longest series */
};

static void gathered_free(struct gathered *g)
{
    free(g->rows);
    free(g->begin);
    free(g->ts_ms);
    free(g->value);
}

/* Numbers the series of all batches for the whole file; remap is [n_batches], each owned. */
static enum ft_status remap_series(struct readings_chunk *c, uint32_t **remap, struct ft_err *err)
{
    for (size_t b = 0; b < c->n_batches; b++) {
        const struct names *series = &c->batches[b].series;
        remap[b] = calloc(series->n + 1, sizeof(**remap));
        if (remap[b] == NULL)
            return ft_fail(err, FT_NOMEM, "no memory for %zu series", series->n);
        for (size_t i = 0; i < series->n; i++) {
            size_t len = 0;
            const char *name = names_get(series, i, &len);
            if (!names_intern(&c->series, name, len, &remap[b][i]))
                return ft_fail(err, FT_NOMEM, "no memory for names");
        }
    }
    return FT_OK;
}

/* Stable counting sort of all rows by series. */
static enum ft_status gather(struct readings_chunk *c, uint32_t **remap, struct gathered *g,
                             struct ft_err *err)
{
    const size_t n_series = c->series.n;
    size_t n_rows = 0;
    size_t longest = 0;
    for (size_t b = 0; b < c->n_batches; b++)
        n_rows += c->batches[b].n;
    g->rows = calloc(n_rows + 1, sizeof(*g->rows));
    g->begin = calloc(n_series + 2, sizeof(*g->begin));
    if (g->rows == NULL || g->begin == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu rows", n_rows);
    /* begin[s + 2] counts, then begin[s + 1] is the place of the next row of s. */
    for (size_t b = 0; b < c->n_batches; b++)
        for (size_t i = 0; i < c->batches[b].n; i++)
            g->begin[remap[b][c->batches[b].series_of[i]] + 2]++;
    for (size_t s = 0; s < n_series; s++) {
        longest = g->begin[s + 2] > longest ? g->begin[s + 2] : longest;
        g->begin[s + 2] += g->begin[s + 1];
    }
    for (size_t b = 0; b < c->n_batches; b++)
        for (size_t i = 0; i < c->batches[b].n; i++)
            g->rows[g->begin[remap[b][c->batches[b].series_of[i]] + 1]++] =
                (struct row_ref){(uint32_t)b, (uint32_t)i};
    g->longest = longest;
    g->ts_ms = calloc(longest + 1, sizeof(*g->ts_ms));
    g->value = calloc(longest + 1, sizeof(*g->value));
    if (g->ts_ms == NULL || g->value == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu rows", longest);
    return FT_OK;
}

/* Readings of value column k of a series, in the order of the file; their number. */
static size_t collect(const struct readings_chunk *c, const struct gathered *g, size_t series,
                      size_t k, int64_t *ts_ms, double *value)
{
    size_t n = 0;
    for (size_t i = g->begin[series]; i < g->begin[series + 1]; i++) {
        const struct readings_batch *b = &c->batches[g->rows[i].batch];
        const size_t row = g->rows[i].row;
        const double v = b->values[k * b->cap + row];
        if (isnan(v))
            continue;
        ts_ms[n] = b->ts_ms[row];
        value[n] = v;
        n++;
    }
    return n;
}

static void widen_span(struct import_summary *s, const int64_t *ts_ms, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s->first_ms == DB_NO_TIME || ts_ms[i] < s->first_ms)
            s->first_ms = ts_ms[i];
        if (s->last_ms == DB_NO_TIME || ts_ms[i] > s->last_ms)
            s->last_ms = ts_ms[i];
    }
}

struct dry_point {
    int64_t ts_ms;
    double value;
    size_t i;
};

static int compare_dry_points(const void *pa, const void *pb)
{
    const struct dry_point *a = pa;
    const struct dry_point *b = pb;
    if (a->ts_ms != b->ts_ms)
        return a->ts_ms < b->ts_ms ? -1 : 1;
    return a->i < b->i ? -1 : 1;
}

static uint64_t bits_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    return bits;
}

/* What reading_put() would count, without writing. */
static enum ft_status compare_only(struct db *db, int64_t sensor_id, const struct gathered *g,
                                   size_t n, struct reading_counts *counts, struct ft_err *err)
{
    struct readings old = {0};
    struct dry_point *p = calloc(n + 1, sizeof(*p));
    if (p == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu readings", n);
    for (size_t i = 0; i < n; i++)
        p[i] = (struct dry_point){g->ts_ms[i], g->value[i], i};
    qsort(p, n, sizeof(*p), compare_dry_points);
    enum ft_status st = FT_OK;
    if (sensor_id != 0)
        st = reading_scan(db, sensor_id, p[0].ts_ms, p[n - 1].ts_ms + 1, &old, err);
    size_t k = 0;
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        if (i + 1 < n && p[i + 1].ts_ms == p[i].ts_ms)
            continue; /* the later row of the file wins */
        while (k < old.n && old.ts_ms[k] < p[i].ts_ms)
            k++;
        if (k == old.n || old.ts_ms[k] != p[i].ts_ms)
            counts->n_new++;
        else if (bits_of(old.value[k]) == bits_of(p[i].value))
            counts->n_unchanged++;
        else
            counts->n_changed++;
    }
    readings_free(&old);
    free(p);
    return st;
}

/* --- sealing: sorted readings behind what the store has are encoded by all threads --- */

enum {
    SEAL_WINDOW = 64, /* columns encoded while those before them are written */
    SEAL_MIN_N = 1024 /* fewer readings go the usual way */
};

/* What one thread needs to encode. */
struct encoder {
    struct segment_codec *codec;
    int64_t *ts_ms; /* [longest] */
    double *value;
    struct encoder *next; /* free list */
};

/* One value column of one series. */
struct column_job {
    size_t series, k;
    int64_t sensor_id;
    int64_t after_ms; /* newest reading of the store; INT64_MIN = none */
    bool may_seal;
    int64_t first_ms, last_ms;
    struct reading_segment *segs; /* [n_segs], owned; none: reading_put() has to do it */
    size_t n_segs;
    struct ft_err err;
    enum ft_status status;
};

struct sealer {
    struct readings_chunk *c;
    struct db *db;
    const struct gathered *g;
    struct encoder *encoders; /* [n_encoders], owned */
    size_t n_encoders;
    struct encoder *free_encoders;
    pthread_mutex_t lock; /* of free_encoders */
    struct column_job windows[2][SEAL_WINDOW];
    struct column_job *jobs; /* [n_jobs] the window that is filled, then encoded */
    size_t n_jobs;
    struct column_job *done; /* [n_done] the window before, encoded, to be written */
    size_t n_done;
    struct reading_counts *counts;
    enum ft_status status; /* of the writing */
    struct ft_err err;
};

static void clear_job(struct column_job *job)
{
    for (size_t i = 0; i < job->n_segs; i++)
        segment_clear(&job->segs[i]);
    free(job->segs);
    *job = (struct column_job){.status = FT_OK};
}

static void sealer_free(struct sealer *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n_jobs; i++)
        clear_job(&s->jobs[i]);
    for (size_t i = 0; i < s->n_done; i++)
        clear_job(&s->done[i]);
    for (size_t i = 0; s->encoders != NULL && i < s->n_encoders; i++) {
        segment_codec_free(s->encoders[i].codec);
        free(s->encoders[i].ts_ms);
        free(s->encoders[i].value);
    }
    pthread_mutex_destroy(&s->lock);
    free(s->encoders);
    free(s);
}

static enum ft_status sealer_new(struct readings_chunk *c, struct db *db, const struct gathered *g,
                                 struct reading_counts *counts, struct sealer **out,
                                 struct ft_err *err)
{
    const size_t n = c->options->pool != NULL ? pool_n_threads(c->options->pool) : 1;
    struct sealer *s = calloc(1, sizeof(*s));
    *out = NULL;
    if (s == NULL)
        return ft_fail(err, FT_NOMEM, "no memory to encode readings");
    pthread_mutex_init(&s->lock, NULL);
    s->c = c;
    s->db = db;
    s->g = g;
    s->counts = counts;
    s->jobs = s->windows[0];
    s->done = s->windows[1];
    s->status = FT_OK;
    s->encoders = calloc(n, sizeof(*s->encoders));
    enum ft_status st = s->encoders != NULL ? FT_OK : FT_NOMEM;
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        struct encoder *e = &s->encoders[i];
        s->n_encoders++;
        e->ts_ms = calloc(g->longest + 1, sizeof(*e->ts_ms));
        e->value = calloc(g->longest + 1, sizeof(*e->value));
        if (e->ts_ms == NULL || e->value == NULL)
            st = FT_NOMEM;
        else
            st = segment_codec_new(&e->codec, err);
        e->next = s->free_encoders;
        s->free_encoders = e;
    }
    if (st != FT_OK) {
        sealer_free(s);
        return ft_fail(err, st, "no memory to encode readings");
    }
    *out = s;
    return FT_OK;
}

static bool is_growing(const int64_t *ts_ms, size_t n, int64_t after_ms)
{
    for (size_t i = 0; i < n; i++) {
        if (ts_ms[i] <= after_ms)
            return false;
        after_ms = ts_ms[i];
    }
    return true;
}

/* Encodes n readings into blocks of about equal length. */
static void encode_column(struct column_job *job, struct encoder *e, size_t n)
{
    const size_t n_segs = (n + SEGMENT_TARGET_N - 1) / SEGMENT_TARGET_N;
    job->segs = calloc(n_segs, sizeof(*job->segs));
    if (job->segs == NULL) {
        job->status = ft_fail(&job->err, FT_NOMEM, "no memory for %zu blocks", n_segs);
        return;
    }
    for (size_t i = 0; i < n_segs && job->status == FT_OK; i++) {
        const size_t begin = n * i / n_segs;
        const size_t end = n * (i + 1) / n_segs;
        job->status = segment_encode(e->codec, e->ts_ms + begin, e->value + begin, end - begin,
                                     &job->segs[i], &job->err);
        job->n_segs += job->status == FT_OK;
    }
    job->first_ms = e->ts_ms[0];
    job->last_ms = e->ts_ms[n - 1];
}

static void seal_column(void *ctx, size_t i)
{
    struct sealer *s = ctx;
    struct column_job *job = &s->jobs[i];
    if (!job->may_seal)
        return;
    pthread_mutex_lock(&s->lock);
    struct encoder *e = s->free_encoders; /* there is one for each thread of the pool */
    if (e != NULL)
        s->free_encoders = e->next;
    pthread_mutex_unlock(&s->lock);
    if (e == NULL)
        return;
    const size_t n = collect(s->c, s->g, job->series, job->k, e->ts_ms, e->value);
    if (n >= SEAL_MIN_N && is_growing(e->ts_ms, n, job->after_ms))
        encode_column(job, e, n);
    pthread_mutex_lock(&s->lock);
    e->next = s->free_encoders;
    s->free_encoders = e;
    pthread_mutex_unlock(&s->lock);
}

/* Has value column k of the series any reading? */
static bool has_value(const struct readings_chunk *c, const struct gathered *g, size_t series,
                      size_t k)
{
    for (size_t i = g->begin[series]; i < g->begin[series + 1]; i++) {
        const struct readings_batch *b = &c->batches[g->rows[i].batch];
        if (!isnan(b->values[k * b->cap + g->rows[i].row]))
            return true;
    }
    return false;
}

/* Looks up the sensor and where its readings end. */
static enum ft_status add_job(struct readings_chunk *c, struct db *db, struct sealer *s,
                              size_t series, size_t k, struct ft_err *err)
{
    struct column_job *job = &s->jobs[s->n_jobs++];
    const size_t n_rows = s->g->begin[series + 1] - s->g->begin[series];
    struct reading_span span = {0};
    *job = (struct column_job){.series = series, .k = k, .after_ms = INT64_MIN, .status = FT_OK};
    enum ft_status st = resolve(c, db, series, k, &job->sensor_id, err);
    job->may_seal = st == FT_OK && !c->options->is_dry_run && n_rows >= SEAL_MIN_N;
    if (job->may_seal)
        st = reading_span(db, job->sensor_id, &span, err);
    if (job->may_seal && span.n > 0)
        job->after_ms = span.last_ms;
    return st;
}

static enum ft_status write_job(struct readings_chunk *c, struct db *db, const struct gathered *g,
                                struct column_job *job, struct reading_counts *counts,
                                struct ft_err *err)
{
    if (job->status != FT_OK)
        return ft_fail(err, job->status, "%s", job->err.msg);
    if (job->n_segs > 0) {
        const int64_t ends[] = {job->first_ms, job->last_ms};
        widen_span(c->summary, ends, 2);
        return reading_put_segments(db, job->sensor_id, job->segs, job->n_segs, counts, err);
    }
    const size_t n = collect(c, g, job->series, job->k, g->ts_ms, g->value);
    widen_span(c->summary, g->ts_ms, n);
    if (c->options->is_dry_run)
        return compare_only(db, job->sensor_id, g, n, counts, err);
    return reading_put(db, job->sensor_id, g->ts_ms, g->value, n, counts, err);
}

/* Writes the window that is encoded. */
static void write_done(struct sealer *s)
{
    for (size_t i = 0; i < s->n_done; i++) {
        if (s->status == FT_OK)
            s->status = write_job(s->c, s->db, s->g, &s->done[i], s->counts, &s->err);
        clear_job(&s->done[i]);
    }
    s->n_done = 0;
}

/* Job 0 writes the window before, whichever thread takes it: the connection is used by one thread
 * at a time, and pool_run() orders what comes before and after. The others encode. */
static void write_or_seal(void *ctx, size_t i)
{
    if (i == 0)
        write_done(ctx);
    else
        seal_column(ctx, i - 1);
}

/* Encodes the window that is filled, writes the one before, and changes places. */
static enum ft_status turn_window(struct sealer *s, struct ft_err *err)
{
    if (s->c->options->pool != NULL)
        pool_run(s->c->options->pool, s->n_jobs + 1, write_or_seal, s);
    for (size_t i = 0; s->c->options->pool == NULL && i <= s->n_jobs; i++)
        write_or_seal(s, i);
    struct column_job *empty = s->done;
    s->done = s->jobs;
    s->n_done = s->n_jobs;
    s->jobs = empty;
    s->n_jobs = 0;
    return s->status == FT_OK ? FT_OK : ft_fail(err, s->status, "%s", s->err.msg);
}

static enum ft_status write_readings(struct readings_chunk *c, struct db *db,
                                     const struct gathered *g, struct reading_counts *counts,
                                     struct ft_err *err)
{
    struct sealer *s = NULL;
    enum ft_status st = sealer_new(c, db, g, counts, &s, err);
    for (size_t series = 0; series < c->series.n && st == FT_OK; series++)
        for (size_t k = 0; k < c->layout->n_values && st == FT_OK; k++) {
            if (!has_value(c, g, series, k))
                continue;
            st = add_job(c, db, s, series, k, err);
            if (st == FT_OK && s->n_jobs == SEAL_WINDOW)
                st = turn_window(s, err);
        }
    for (int last = 0; last < 2 && st == FT_OK; last++)
        st = turn_window(s, err);
    sealer_free(s);
    return st;
}

static enum ft_status write_bad_rows(struct readings_chunk *c, struct db *db, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t b = 0; b < c->n_batches && st == FT_OK; b++) {
        const struct readings_batch *batch = &c->batches[b];
        for (size_t i = 0; i < batch->n_bad && st == FT_OK; i++) {
            const struct bad_row *bad = &batch->bad[i];
            const char *column =
                bad->column != COLUMN_NONE ? c->layout->columns.names[bad->column] : NULL;
            st = quarantine_add(
                db, c->options, c->import_id, c->summary, c->first_line[b] + bad->line - 1, column,
                batch->text.data + bad->reason_at, batch->text.data + bad->raw_at, err);
        }
    }
    return st;
}

static enum ft_status write_all(struct readings_chunk *c, struct db *db, struct ft_err *err)
{
    struct gathered g = {0};
    struct reading_counts counts = {0};
    uint32_t **remap = calloc(c->n_batches + 1, sizeof(*remap));
    enum ft_status st = FT_OK;
    if (remap == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory for %zu pieces", c->n_batches);
    if (st == FT_OK)
        st = remap_series(c, remap, err);
    if (st == FT_OK)
        st = reserve_known(c, err);
    if (st == FT_OK)
        st = gather(c, remap, &g, err);
    if (st == FT_OK)
        st = write_readings(c, db, &g, &counts, err);
    if (st == FT_OK)
        st = write_bad_rows(c, db, err);
    c->summary->n_new += counts.n_new;
    c->summary->n_changed += counts.n_changed;
    c->summary->n_unchanged += counts.n_unchanged;
    for (size_t b = 0; remap != NULL && b < c->n_batches; b++)
        free(remap[b]);
    free(remap);
    gathered_free(&g);
    return st;
}

enum ft_status readings_chunk_write(struct readings_chunk *c, struct db *db, struct ft_err *err)
{
    const bool is_dry_run = c->options->is_dry_run;
    enum ft_status st = readings_chunk_settle(c, err);
    if (st != FT_OK || c->n_batches == 0)
        return st;
    if (!is_dry_run)
        st = db_begin(db, err);
    if (st != FT_OK)
        return st;
    st = write_all(c, db, err);
    if (st == FT_OK && !is_dry_run)
        commit_behind_start(&c->behind, db);
    else if (!is_dry_run)
        db_rollback(db);
    if (st == FT_OK)
        for (size_t b = 0; b < c->n_batches; b++) {
            c->summary->n_rows += c->batches[b].n_rows;
            c->summary->n_missing += c->batches[b].n_missing;
        }
    c->summary->n_assets = (int64_t)c->assets.n;
    c->summary->n_sensors = (int64_t)c->sensors.n;
    drop_batches(c);
    return st;
}

enum ft_status readings_chunk_settle(struct readings_chunk *c, struct ft_err *err)
{
    return commit_behind_wait(&c->behind, err);
}
