/* The shared table is read under a read lock held for a whole batch and written only when a batch
 * with new names is on disk, so a number in it always stands for a row that is there. */
#include "app/ingest/live.h"

#include "app/base/clock.h"
#include "app/base/utf8.h"
#include "app/ingest/arrivals.h"
#include "app/ingest/ingest.h"
#include "app/ingest/series_map.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/import_store.h"

#include <math.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct live {
    struct live_options options;
    pthread_rwlock_t lock; /* the table */
    struct series_map *map;
    atomic_llong n_readings, n_unchanged, n_refused, n_text;
};

/* A spelling that the shared table does not have yet. */
struct fresh {
    char *asset, *sensor;
    char *key; /* series, then field */
    size_t len, field_len;
    int64_t sensor_id; /* 0 until live_write() */
    enum ft_status status;
    char reason[160];
};

struct live_batch {
    struct live *live;
    struct reading_point *points; /* [n]; sensor_id below 0: fresh[-sensor_id - 1] */
    size_t *place;                /* [n] */
    size_t n, cap;
    struct fresh *fresh; /* [n_fresh] */
    size_t n_fresh, fresh_cap;
    struct series_map *local; /* key -> index in fresh + 1 */
    struct live_refusal *refusals;
    size_t n_refusals, n_all;
    size_t n_text;
    /* of the last live_write(), which may be repeated when its transaction was lost */
    bool is_written;
    size_t n_refusals_before, n_all_before;
    struct reading_point *good; /* [n_good] */
    unsigned char *outcome;     /* [n_good] */
    size_t n_good;
    int64_t n_unchanged;
};

/* --- life ------------------------------------------------------------------------------------ */

enum ft_status live_new(const struct live_options *options, struct live **out, struct ft_err *err)
{
    uint64_t seed = 0;
    struct live *l = calloc(1, sizeof(*l));
    *out = NULL;
    if (l == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for live readings");
    l->options = *options;
    randombytes_buf(&seed, sizeof(seed));
    /* A sensor may be spelled in several ways (its tags in another order). */
    const enum ft_status st =
        series_map_new((size_t)options->limits.max_sensors * 4 + 1000, seed, &l->map, err);
    if (st != FT_OK) {
        free(l);
        return st;
    }
    pthread_rwlock_init(&l->lock, NULL);
    *out = l;
    return FT_OK;
}

void live_free(struct live *l)
{
    if (l == NULL)
        return;
    series_map_free(l->map);
    pthread_rwlock_destroy(&l->lock);
    free(l);
}

void live_stats(struct live *l, struct live_stats *out)
{
    pthread_rwlock_rdlock(&l->lock);
    out->n_series = (int64_t)series_map_count(l->map);
    pthread_rwlock_unlock(&l->lock);
    out->n_readings = atomic_load(&l->n_readings);
    out->n_unchanged = atomic_load(&l->n_unchanged);
    out->n_refused = atomic_load(&l->n_refused);
    out->n_text = atomic_load(&l->n_text);
}

enum ft_status live_batch_new(struct live *l, struct live_batch **out, struct ft_err *err)
{
    struct live_batch *b = calloc(1, sizeof(*b));
    *out = b;
    if (b == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a batch of readings");
    b->live = l;
    return FT_OK;
}

void live_batch_clear(struct live_batch *b)
{
    for (size_t i = 0; i < b->n_fresh; i++) {
        free(b->fresh[i].asset);
        free(b->fresh[i].sensor);
        free(b->fresh[i].key);
    }
    if (b->local != NULL)
        series_map_clear(b->local);
    b->n = b->n_fresh = b->n_refusals = b->n_all = b->n_text = b->n_good = 0;
    b->n_unchanged = 0;
    b->is_written = false;
}

void live_batch_free(struct live_batch *b)
{
    if (b == NULL)
        return;
    live_batch_clear(b);
    series_map_free(b->local);
    free(b->points);
    free(b->good);
    free(b->outcome);
    free(b->place);
    free(b->fresh);
    free(b->refusals);
    free(b);
}

size_t live_batch_count(const struct live_batch *b)
{
    return b->is_written ? b->n_good : b->n;
}

/* --- refusals -------------------------------------------------------------------------------- */

/* Without bytes that are no text, for it is shown and stored. */
static void copy_text(char *out, size_t size, const char *text, size_t len)
{
    const size_t n = len < size - 1 ? len : size - 1;
    memcpy(out, text, n);
    out[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)out[i] < 0x20)
            out[i] = ' ';
    utf8_clean(out);
}

void live_refuse(struct live_batch *b, size_t place, const char *raw, size_t raw_len,
                 const char *reason)
{
    b->n_all++;
    if (b->refusals == NULL)
        b->refusals = calloc(LIVE_MAX_REFUSALS, sizeof(*b->refusals));
    if (b->refusals == NULL || b->n_refusals == LIVE_MAX_REFUSALS)
        return;
    struct live_refusal *r = &b->refusals[b->n_refusals++];
    r->place = place;
    copy_text(r->reason, sizeof(r->reason), reason, strlen(reason));
    copy_text(r->raw, sizeof(r->raw), raw, raw_len);
}

const struct live_refusal *live_refusals(const struct live_batch *b, size_t *n, size_t *n_all)
{
    *n = b->n_refusals;
    *n_all = b->n_all;
    return b->refusals;
}

/* --- adding ---------------------------------------------------------------------------------- */

static enum ft_status reserve(struct live_batch *b, size_t n, struct ft_err *err)
{
    if (n <= b->cap)
        return FT_OK;
    size_t cap = b->cap == 0 ? 1024 : b->cap * 2;
    if (cap < n)
        cap = n;
    struct reading_point *points = realloc(b->points, cap * sizeof(*points));
    if (points != NULL)
        b->points = points;
    size_t *place = realloc(b->place, cap * sizeof(*place));
    if (place != NULL)
        b->place = place;
    if (points == NULL || place == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu readings", cap);
    b->cap = cap;
    return FT_OK;
}

/* The room is there. */
static inline void push(struct live_batch *b, int64_t sensor_id, int64_t ts_ms, double value,
                        size_t place)
{
    b->points[b->n] = (struct reading_point){sensor_id, ts_ms, value};
    b->place[b->n++] = place;
}

/* A spelling: its series, hashed, and its field. */
struct key {
    const char *series, *field;
    size_t len, field_len;
    uint64_t hash;
};

static struct key key_of(const struct live_batch *b, const char *series, size_t len)
{
    return (struct key){.series = series,
                        .field = "",
                        .len = len,
                        .hash = series_map_hash(b->live->map, series, len)};
}

/* Sensor, or a number below 0 for a fresh one; 0 = not known. With the lock held. */
static inline int64_t find(const struct live_batch *b, const struct key *k)
{
    const int64_t id =
        series_map_find(b->live->map, k->hash, k->series, k->len, k->field, k->field_len);
    if (id != 0 || b->n_fresh == 0)
        return id;
    return -series_map_find(b->local, k->hash, k->series, k->len, k->field, k->field_len);
}

static enum ft_status reserve_fresh(struct live_batch *b, struct ft_err *err)
{
    if (b->local == NULL) {
        uint64_t seed = 0;
        randombytes_buf(&seed, sizeof(seed));
        const enum ft_status st = series_map_new(SIZE_MAX, seed, &b->local, err);
        if (st != FT_OK)
            return st;
    }
    if (b->n_fresh < b->fresh_cap)
        return FT_OK;
    const size_t cap = b->fresh_cap == 0 ? 16 : b->fresh_cap * 2;
    struct fresh *fresh = realloc(b->fresh, cap * sizeof(*fresh));
    if (fresh == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu new series", cap);
    b->fresh = fresh;
    b->fresh_cap = cap;
    return FT_OK;
}

/* Notes a spelling that nobody knows yet. FT_INVALID: a name that cannot stand. */
static enum ft_status add_fresh(struct live_batch *b, const struct key *k, const char *asset,
                                const char *sensor, struct ft_err *err)
{
    enum ft_status st = ingest_check_name("asset", asset, strlen(asset), err);
    if (st == FT_OK)
        st = ingest_check_name("sensor", sensor, strlen(sensor), err);
    if (st == FT_OK)
        st = reserve_fresh(b, err);
    if (st != FT_OK)
        return st;
    struct fresh f = {.len = k->len, .field_len = k->field_len};
    f.asset = strdup(asset);
    f.sensor = strdup(sensor);
    f.key = malloc(k->len + k->field_len + 1);
    if (f.asset == NULL || f.sensor == NULL || f.key == NULL) {
        st = ft_fail(err, FT_NOMEM, "no memory for a new series");
    } else {
        memcpy(f.key, k->series, k->len);
        memcpy(f.key + k->len, k->field, k->field_len);
        st = series_map_add(b->local, k->hash, k->series, k->len, k->field, k->field_len,
                            (int64_t)b->n_fresh + 1, err);
    }
    if (st != FT_OK) {
        free(f.asset);
        free(f.sensor);
        free(f.key);
        return st;
    }
    b->fresh[b->n_fresh++] = f;
    return FT_OK;
}

bool live_add_key(struct live_batch *b, const char *key, size_t key_len, int64_t ts_ms,
                  double value, size_t place, int64_t now_ms)
{
    const struct key k = key_of(b, key, key_len);
    pthread_rwlock_rdlock(&b->live->lock);
    const int64_t id = find(b, &k);
    pthread_rwlock_unlock(&b->live->lock);
    if (id == 0 || reserve(b, b->n + 1, NULL) != FT_OK)
        return false;
    const char *wrong = ingest_check_instant(&b->live->options.limits, ts_ms, now_ms);
    if (wrong == NULL && !isfinite(value))
        wrong = "the value is not a finite number";
    if (wrong != NULL)
        live_refuse(b, place, key, key_len, wrong);
    else
        push(b, id, ts_ms, value, place);
    return true;
}

enum ft_status live_add_named(struct live_batch *b, const char *key, size_t key_len,
                              const char *asset, const char *sensor, int64_t ts_ms, double value,
                              size_t place, int64_t now_ms, struct ft_err *err)
{
    struct ft_err why;
    if (live_add_key(b, key, key_len, ts_ms, value, place, now_ms))
        return FT_OK;
    const struct key k = key_of(b, key, key_len);
    const enum ft_status st = add_fresh(b, &k, asset, sensor, &why);
    if (st == FT_INVALID) {
        live_refuse(b, place, key, key_len, why.msg);
        return FT_OK;
    }
    if (st == FT_OK && live_add_key(b, key, key_len, ts_ms, value, place, now_ms))
        return FT_OK;
    return ft_fail(err, FT_NOMEM, "no memory for a reading");
}

enum ft_status live_add(struct live_batch *b, const char *asset, const char *sensor, int64_t ts_ms,
                        double value, size_t place, int64_t now_ms, struct ft_err *err)
{
    char key[2 * LP_NAME_SIZE];
    const int n = snprintf(key, sizeof(key), "%s\n%s", asset, sensor);
    const size_t len = n < (int)sizeof(key) ? (size_t)n : sizeof(key) - 1;
    return live_add_named(b, key, len, asset, sensor, ts_ms, value, place, now_ms, err);
}

/* --- line protocol --------------------------------------------------------------------------- */

/* A field of a series that is seen for the first time. FT_INVALID is the line's fault. */
static enum ft_status name_field(struct live_batch *b, const struct key *k, struct ft_err *err)
{
    char asset[LP_NAME_SIZE];
    char sensor[LP_NAME_SIZE];
    const enum ft_status st = lp_map(&b->live->options.mapping, k->series, k->len, k->field,
                                     k->field_len, asset, sensor, err);
    return st == FT_OK ? add_fresh(b, k, asset, sensor, err) : st;
}

/* All fields of a line, or none. FT_INVALID: refused; FT_NOMEM. */
static enum ft_status add_fields(struct live_batch *b, const struct lp_line *line, int64_t ts_ms,
                                 size_t place, struct ft_err *err)
{
    const size_t n_before = b->n;
    struct key k = {.series = line->series,
                    .len = line->series_len,
                    .hash = series_map_hash(b->live->map, line->series, line->series_len)};
    enum ft_status st = reserve(b, b->n + line->n_fields, err);
    for (size_t i = 0; i < line->n_fields && st == FT_OK; i++) {
        const struct lp_field *f = &line->fields[i];
        if (f->is_text) {
            b->n_text++;
            if (!b->live->options.may_skip_text)
                st = ft_fail(err, FT_INVALID, "field %.*s holds text, expected a number",
                             (int)(f->len < 60 ? f->len : 60), f->name);
            continue;
        }
        k.field = f->name;
        k.field_len = f->len;
        int64_t id = find(b, &k);
        if (id == 0)
            st = name_field(b, &k, err);
        if (id == 0 && st == FT_OK)
            id = -(int64_t)b->n_fresh;
        if (st == FT_OK)
            push(b, id, ts_ms, f->value, place);
    }
    if (st != FT_OK)
        b->n = n_before;
    return st;
}

static enum ft_status add_line(struct live_batch *b, const struct lp_line *line,
                               enum lp_precision precision, size_t place, int64_t now_ms,
                               struct ft_err *err)
{
    int64_t ts_ms = now_ms;
    if (line->has_ts && !lp_to_ms(line->ts, precision, &ts_ms))
        return ft_fail(err, FT_INVALID, "the time is not between the years 1 and 9999");
    const char *wrong = ingest_check_instant(&b->live->options.limits, ts_ms, now_ms);
    if (wrong != NULL)
        return ft_fail(err, FT_INVALID, "%s", wrong);
    return add_fields(b, line, ts_ms, place, err);
}

enum ft_status live_add_lines(struct live_batch *b, const char *text, size_t len,
                              enum lp_precision precision, int64_t now_ms, struct ft_err *err)
{
    struct lp_line line;
    struct ft_err why = {FT_OK, ""};
    const char *at = text;
    const char *end = text + len;
    size_t place = 0;
    enum ft_status st = FT_OK;
    pthread_rwlock_rdlock(&b->live->lock);
    while (st != FT_NOMEM && (st = lp_next(&at, end, &place, &line, &why)) != FT_NOT_FOUND) {
        if (st == FT_OK)
            st = add_line(b, &line, precision, place, now_ms, &why);
        if (st == FT_INVALID)
            live_refuse(b, place, line.raw, line.raw_len, why.msg);
    }
    pthread_rwlock_unlock(&b->live->lock);
    return st == FT_NOMEM ? ft_fail(err, st, "%s", why.msg) : FT_OK;
}

/* --- writing --------------------------------------------------------------------------------- */

static enum ft_status resolve_asset(const struct live *l, struct db *db, const char *key,
                                    int64_t *id, struct ft_err *err)
{
    struct asset found = {0};
    enum ft_status st = asset_find(db, key, &found, err);
    *id = found.id;
    if (st == FT_NOT_FOUND && l->options.limits.may_create)
        st = asset_ensure(db, key, l->options.class_name, id, err);
    asset_clear(&found);
    return st;
}

/* Finds or makes the sensor of a new spelling; *n_sensors counts all there are. */
static enum ft_status resolve(const struct live *l, struct db *db, struct fresh *f,
                              int64_t *n_sensors, struct ft_err *err)
{
    int64_t asset_id = 0;
    struct ft_err why = {FT_OK, ""};
    enum ft_status st = resolve_asset(l, db, f->asset, &asset_id, &why);
    if (st == FT_OK)
        st = ingest_sensor(db, &l->options.limits, asset_id, f->sensor, n_sensors, &f->sensor_id,
                           &why);
    f->status = st;
    if (st == FT_OK)
        return FT_OK;
    f->sensor_id = 0;
    snprintf(f->reason, sizeof(f->reason), "%.159s", why.msg);
    const bool is_fault_of_name =
        st == FT_INVALID || st == FT_NOT_FOUND || st == FT_CONFLICT || st == FT_REFUSED;
    return is_fault_of_name ? FT_OK : ft_fail(err, st, "%s", why.msg);
}

static enum ft_status resolve_all(struct live_batch *b, struct db *db, struct ft_err *err)
{
    int64_t n_sensors = -1;
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < b->n_fresh && st == FT_OK; i++)
        st = resolve(b->live, db, &b->fresh[i], &n_sensors, err);
    return st;
}

/* Copies the readings with sensors in the place of new spellings; those without one are refused. */
static enum ft_status settle(struct live_batch *b, struct ft_err *err)
{
    free(b->good);
    free(b->outcome);
    b->good = malloc((b->n + 1) * sizeof(*b->good));
    b->outcome = malloc(b->n + 1);
    b->n_good = 0;
    if (b->good == NULL || b->outcome == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu readings", b->n);
    for (size_t i = 0; i < b->n; i++) {
        struct reading_point p = b->points[i];
        if (p.sensor_id < 0) {
            const struct fresh *f = &b->fresh[-p.sensor_id - 1];
            if (f->status != FT_OK) {
                live_refuse(b, b->place[i], f->key, f->len + f->field_len, f->reason);
                continue;
            }
            p.sensor_id = f->sensor_id;
        }
        b->good[b->n_good++] = p;
    }
    return FT_OK;
}

/* What an earlier try refused is forgotten. */
static void begin_try(struct live_batch *b)
{
    if (b->is_written) {
        b->n_refusals = b->n_refusals_before;
        b->n_all = b->n_all_before;
    }
    b->n_refusals_before = b->n_refusals;
    b->n_all_before = b->n_all;
    b->is_written = true;
}

static enum ft_status quarantine(const struct live_batch *b, struct db *db, const char *source,
                                 int64_t now_ms, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    for (size_t i = 0; i < b->n_refusals && st == FT_OK; i++) {
        struct live_refusal *r = &b->refusals[i];
        const struct quarantine_row row = {.file = (char *)(uintptr_t)source,
                                           .line = (int64_t)r->place,
                                           .reason = r->reason,
                                           .raw = r->raw,
                                           .created_ms = now_ms};
        st = quarantine_put(db, &row, err);
    }
    return st;
}

/* A number in the shared table whose row is gone: all are looked up again. */
static enum ft_status forget(struct live *l, struct ft_err *err)
{
    pthread_rwlock_wrlock(&l->lock);
    series_map_clear(l->map);
    pthread_rwlock_unlock(&l->lock);
    return ft_fail(err, FT_BUSY, "a sensor was deleted at this moment; send the readings again");
}

enum ft_status live_write(struct live_batch *b, struct db *db, const char *source, int64_t now_ms,
                          struct ft_err *err)
{
    struct reading_counts counts = {0};
    begin_try(b);
    enum ft_status st = resolve_all(b, db, err);
    if (st == FT_OK)
        st = settle(b, err);
    if (st != FT_OK)
        return st;
    st = reading_append(db, b->good, b->n_good, b->outcome, &counts, err);
    if (st == FT_INVALID)
        return forget(b->live, err);
    if (st == FT_OK)
        st = quarantine(b, db, source, now_ms, err);
    if (st == FT_OK && b->live->options.arrivals != NULL)
        st = arrivals_flush(b->live->options.arrivals, db, now_ms, err);
    b->n_unchanged = counts.n_unchanged;
    return st;
}

void live_publish(struct live_batch *b)
{
    struct live *l = b->live;
    atomic_fetch_add(&l->n_readings, (long long)b->n_good);
    atomic_fetch_add(&l->n_unchanged, b->n_unchanged);
    atomic_fetch_add(&l->n_refused, (long long)b->n_all);
    atomic_fetch_add(&l->n_text, (long long)b->n_text);
    if (l->options.arrivals != NULL)
        arrivals_note(l->options.arrivals, b->good, b->outcome, b->n_good);
    if (b->n_fresh == 0)
        return;
    pthread_rwlock_wrlock(&l->lock);
    for (size_t i = 0; i < b->n_fresh; i++) {
        const struct fresh *f = &b->fresh[i];
        const uint64_t hash = series_map_hash(l->map, f->key, f->len);
        if (f->sensor_id == 0 ||
            series_map_find(l->map, hash, f->key, f->len, f->key + f->len, f->field_len) != 0)
            continue;
        /* Without memory the next batch looks the names up again. */
        (void)series_map_add(l->map, hash, f->key, f->len, f->key + f->len, f->field_len,
                             f->sensor_id, NULL);
    }
    pthread_rwlock_unlock(&l->lock);
}
