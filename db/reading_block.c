#include "db/reading_block.h"

#include "app/base/clock.h"
#include "db/codebook_store.h"
#include "db/connection.h"
#include "db/db.h"
#include "db/reading_head.h"
#include "db/reading_tier.h"
#include "db/statement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* A block with fewer readings takes in what comes right after it; a full one is left alone. So a
 * reading that arrives in small batches is rewritten at most about SEGMENT_TARGET_N / SMALL_N times
 * and blocks stay large. */
enum { SMALL_N = 2048, FLUSH_N = 4 * SEGMENT_TARGET_N };

bool is_same_double(double a, double b)
{
    uint64_t x;
    uint64_t y;
    memcpy(&x, &a, sizeof(x));
    memcpy(&y, &b, sizeof(y));
    return x == y;
}

enum ft_status reading_cache_get(struct db *db, struct reading_cache **out, struct ft_err *err)
{
    if (db->readings == NULL) {
        struct reading_cache *c = calloc(1, sizeof(*c));
        if (c == NULL)
            return ft_fail(err, FT_NOMEM, "no memory to read readings");
        const enum ft_status st = segment_codec_new(&c->codec, err);
        if (st != FT_OK) {
            free(c);
            return st;
        }
        db->readings = c;
    }
    *out = db->readings;
    return FT_OK;
}

void reading_cache_free(struct reading_cache *c)
{
    if (c != NULL)
        segment_codec_free(c->codec);
    free(c);
}

/* --- runs ----------------------------------------------------------------------------------- */

enum ft_status run_reserve(struct run *r, size_t n_more, struct ft_err *err)
{
    if (r->ts_ms != NULL && r->cap - r->n >= n_more)
        return FT_OK;
    size_t cap = r->cap < SIZE_MAX / 2 ? r->cap * 2 : SIZE_MAX;
    if (n_more > SIZE_MAX - r->n)
        return ft_fail(err, FT_NOMEM, "no memory for so many readings");
    if (cap < r->n + n_more)
        cap = r->n + n_more; /* exactly: most runs are reserved in one piece */
    cap = cap > 0 ? cap : 1;
    int64_t *ts_ms = reallocarray(r->ts_ms, cap, sizeof(*ts_ms));
    if (ts_ms != NULL)
        r->ts_ms = ts_ms;
    double *value = ts_ms != NULL ? reallocarray(r->value, cap, sizeof(*value)) : NULL;
    if (value == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu readings", cap);
    r->value = value;
    r->cap = cap;
    return FT_OK;
}

void run_add(struct run *r, int64_t ts_ms, double value)
{
    r->ts_ms[r->n] = ts_ms;
    r->value[r->n] = value;
    r->n++;
}

void run_shrink(struct run *r)
{
    const size_t cap = r->n > 0 ? r->n : 1;
    /* A failed shrink leaves an array as it is, which does no harm. */
    int64_t *ts_ms = reallocarray(r->ts_ms, cap, sizeof(*ts_ms));
    if (ts_ms != NULL)
        r->ts_ms = ts_ms;
    double *value = reallocarray(r->value, cap, sizeof(*value));
    if (value != NULL)
        r->value = value;
    r->cap = cap;
}

void run_free(struct run *r)
{
    free(r->ts_ms);
    free(r->value);
    *r = (struct run){0};
}

/* --- blocks --------------------------------------------------------------------------------- */

static void read_summary(struct statement *s, void *row)
{
    struct reading_segment *b = row;
    b->start_ms = column_int(s, 0);
    b->end_ms = column_int(s, 1);
    b->n = (size_t)column_int(s, 2);
    b->has_summary = sqlite3_column_type(s->stmt, 3) != SQLITE_NULL;
    b->n_numbers = (size_t)column_int_or(s, 3, 0);
    b->min = column_real(s, 4);
    b->max = column_real(s, 5);
    b->sum = column_real(s, 6);
    b->last = column_real(s, 7);
}

static void clear_nothing(void *row)
{
    (void)row;
}

enum ft_status block_list(struct db *db, int64_t sensor_id, int64_t first_ms, int64_t last_ms,
                          struct block_list *out, struct ft_err *err)
{
    struct row_array a;
    struct statement s = statement_begin(db, QUERY_block_list, err);
    bind_int(&s, ":sensor_id", sensor_id);
    bind_int(&s, ":first_ms", first_ms);
    bind_int(&s, ":last_ms", last_ms);
    const enum ft_status st =
        statement_list(&s, sizeof(*out->items), read_summary, clear_nothing, &a);
    *out = (struct block_list){a.items, a.n};
    return st;
}

void block_list_free(struct block_list *l)
{
    free(l->items);
    *l = (struct block_list){0};
}

/* Compares the checksum of the row and decodes it. */
static enum ft_status decode_row(struct db *db, int64_t sensor_id, struct reading_segment *seg,
                                 struct segment_codec *codec, int64_t *ts_ms, double *value,
                                 struct ft_err *err)
{
    const struct codebook *book = NULL;
    const uint32_t crc = (uint32_t)crc32(0, seg->payload, (unsigned)seg->len);
    if (segment_row_crc(crc, sensor_id, seg) != seg->crc)
        return ft_fail(err, FT_INVALID, "block of readings: the checksum does not fit");
    const int64_t book_id = segment_codebook_id(seg->payload, seg->len);
    const enum ft_status st = book_id != 0 ? codebook_get(db, book_id, &book, err) : FT_OK;
    if (st != FT_OK)
        return st;
    segment_codec_use(codec, book);
    return segment_decode_payload(codec, seg, ts_ms, value, err);
}

enum ft_status block_load(struct db *db, int64_t sensor_id, const struct reading_segment *summary,
                          struct reading_cache *cache, struct ft_err *err)
{
    return block_load_into(db, sensor_id, summary, cache, cache->ts_ms, cache->value, err);
}

enum ft_status block_load_into(struct db *db, int64_t sensor_id,
                               const struct reading_segment *summary, struct reading_cache *cache,
                               int64_t *ts_ms, double *value, struct ft_err *err)
{
    struct reading_segment seg = *summary;
    bool is_found = false;
    enum ft_status st = FT_OK;
    struct statement s = statement_begin(db, QUERY_block_get, err);
    bind_int(&s, ":sensor_id", sensor_id);
    bind_int(&s, ":start_ms", summary->start_ms);
    if (statement_row(&s)) {
        is_found = true;
        seg.crc = (uint32_t)column_int(&s, 0);
        seg.payload = (unsigned char *)sqlite3_column_blob(s.stmt, 1); /* read only, not kept */
        seg.len = (size_t)sqlite3_column_bytes(s.stmt, 1);
        if (seg.payload == NULL)
            seg.len = 0;
        st = decode_row(db, sensor_id, &seg, cache->codec, ts_ms, value, err);
        if (st != FT_OK)
            ft_err_prefix(err, "sensor %lld, block from %lld", (long long)sensor_id,
                          (long long)summary->start_ms);
    }
    const enum ft_status ended = statement_end(&s);
    if (st != FT_OK || ended != FT_OK)
        return st != FT_OK ? st : ended;
    if (!is_found)
        return ft_fail(err, FT_INVALID, "sensor %lld: the block from %lld is missing",
                       (long long)sensor_id, (long long)summary->start_ms);
    return FT_OK;
}

enum ft_status block_insert(struct db *db, int64_t sensor_id, const struct reading_segment *given,
                            struct ft_err *err)
{
    struct reading_segment seg = *given;
    struct statement s = statement_begin(db, QUERY_block_insert, err);
    bind_int(&s, ":sensor_id", sensor_id);
    bind_int(&s, ":start_ms", seg.start_ms);
    bind_int(&s, ":end_ms", seg.end_ms);
    bind_int(&s, ":n", (int64_t)seg.n);
    seg.has_summary = seg.n >= SEGMENT_SHORT_N;
    if (seg.has_summary) { /* what is not bound is NULL */
        bind_int(&s, ":n_numbers", (int64_t)seg.n_numbers);
        bind_real(&s, ":min", seg.min);
        bind_real(&s, ":max", seg.max);
        bind_real(&s, ":sum", seg.sum);
        bind_real(&s, ":last", seg.last);
    }
    bind_int(&s, ":crc", segment_row_crc(seg.crc, sensor_id, &seg));
    bind_blob(&s, ":payload", seg.payload, seg.len);
    enum ft_status st = statement_run(&s);
    if (st == FT_OK)
        head_note_block(db, sensor_id, seg.end_ms);
    if (st == FT_OK)
        st = reading_tier_touch(db, sensor_id, seg.start_ms, err);
    if (st == FT_INVALID || st == FT_CONFLICT)
        ft_err_prefix(err, "readings of sensor %lld", (long long)sensor_id);
    return st;
}

static enum ft_status block_delete(struct db *db, int64_t sensor_id, int64_t start_ms,
                                   struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_block_delete, err);
    bind_int(&s, ":sensor_id", sensor_id);
    bind_int(&s, ":start_ms", start_ms);
    return statement_run(&s);
}

enum ft_status block_set_aside(struct db *db, int64_t sensor_id,
                               const struct reading_segment *summary, const char *reason,
                               struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_damaged_add_block, err);
    bind_int(&s, ":sensor_id", sensor_id);
    bind_int(&s, ":start_ms", summary->start_ms);
    bind_int(&s, ":found_ms", clock_now_ms());
    bind_text(&s, ":reason", reason);
    const enum ft_status st = statement_run(&s);
    return st == FT_OK ? block_delete(db, sensor_id, summary->start_ms, err) : st;
}

/* block_load() for a writer: a damaged block is set aside and *is_there false. */
static enum ft_status load_or_set_aside(struct db *db, int64_t sensor_id,
                                        const struct reading_segment *summary,
                                        struct reading_cache *cache, bool *is_there,
                                        struct ft_err *err)
{
    struct ft_err why;
    const enum ft_status st = block_load(db, sensor_id, summary, cache, &why);
    *is_there = st == FT_OK;
    if (st == FT_OK)
        return FT_OK;
    if (st != FT_INVALID)
        return ft_fail(err, st, "%s", why.msg);
    return block_set_aside(db, sensor_id, summary, why.msg, err);
}

/* --- merge ---------------------------------------------------------------------------------- */

/* One merge under way: the input, and the readings that wait to become blocks. */
struct merge {
    struct db *db;
    int64_t sensor_id;
    const int64_t *ts_ms;
    const double *value;
    size_t n, i; /* input, and what is taken of it */
    struct reading_cache *cache;
    struct run pending;
    struct reading_counts counts;
    struct ft_err *err;
};

/* Writes n readings as blocks of about equal size. */
static enum ft_status write_run(struct merge *m, const int64_t *ts_ms, const double *value,
                                size_t n)
{
    const size_t n_blocks = (n + SEGMENT_TARGET_N - 1) / SEGMENT_TARGET_N;
    const struct codebook *book = NULL;
    enum ft_status st = FT_OK;
    if (n > 0 && n <= CODEBOOK_MAX_N)
        st = codebook_of_sensor(m->db, m->sensor_id, &book, m->err);
    segment_codec_use(m->cache->codec, book);
    for (size_t b = 0; b < n_blocks && st == FT_OK; b++) {
        const size_t begin = n * b / n_blocks;
        const size_t end = n * (b + 1) / n_blocks;
        struct reading_segment seg;
        st = segment_encode(m->cache->codec, ts_ms + begin, value + begin, end - begin, &seg,
                            m->err);
        if (st == FT_OK)
            st = block_insert(m->db, m->sensor_id, &seg, m->err);
        segment_clear(&seg);
    }
    return st;
}

/* Writes the first n pending readings. */
static enum ft_status write_pending(struct merge *m, size_t n)
{
    const enum ft_status st = write_run(m, m->pending.ts_ms, m->pending.value, n);
    const size_t left = m->pending.n - n;
    if (n > 0 && left > 0) {
        memmove(m->pending.ts_ms, m->pending.ts_ms + n, left * sizeof(*m->pending.ts_ms));
        memmove(m->pending.value, m->pending.value + n, left * sizeof(*m->pending.value));
    }
    m->pending.n = left;
    return st;
}

/* Writes whole blocks when much is pending; some stay, to join what comes next. */
static enum ft_status write_surplus(struct merge *m)
{
    if (m->pending.n < FLUSH_N)
        return FT_OK;
    const size_t n_full = m->pending.n / SEGMENT_TARGET_N - 1;
    return write_pending(m, n_full * SEGMENT_TARGET_N);
}

/* Takes the next n readings of the input, among whose instants there is no block. */
static enum ft_status take_new(struct merge *m, size_t n)
{
    const int64_t *ts_ms = m->ts_ms + m->i;
    const double *value = m->value + m->i;
    enum ft_status st = FT_OK;
    m->counts.n_new += (int64_t)n;
    m->i += n;
    if (m->pending.n == 0 && n >= FLUSH_N) { /* bulk: straight from the input */
        const size_t n_direct = (n / SEGMENT_TARGET_N - 1) * SEGMENT_TARGET_N;
        st = write_run(m, ts_ms, value, n_direct);
        ts_ms += n_direct;
        value += n_direct;
        n -= n_direct;
    }
    if (st == FT_OK)
        st = run_reserve(&m->pending, n, m->err);
    if (st != FT_OK || n == 0)
        return st;
    memcpy(m->pending.ts_ms + m->pending.n, ts_ms, n * sizeof(*ts_ms));
    memcpy(m->pending.value + m->pending.n, value, n * sizeof(*value));
    m->pending.n += n;
    return write_surplus(m);
}

/* Does the input up to end_ms change the block in the cache? Counts it on the way. */
static bool compare_with_block(struct merge *m, const struct reading_segment *b, size_t *n_inside)
{
    bool is_changed = false;
    size_t k = 0;
    size_t i = m->i;
    for (; i < m->n && m->ts_ms[i] <= b->end_ms; i++) {
        while (m->cache->ts_ms[k] < m->ts_ms[i])
            k++; /* ends: the block's last instant is end_ms */
        const bool is_there = m->cache->ts_ms[k] == m->ts_ms[i];
        const bool is_same = is_there && is_same_double(m->cache->value[k], m->value[i]);
        m->counts.n_new += !is_there;
        m->counts.n_changed += is_there && !is_same;
        m->counts.n_unchanged += is_same;
        is_changed = is_changed || !is_same;
    }
    *n_inside = i - m->i;
    return is_changed;
}

/* The block in the cache and n_inside readings of the input go to pending, the input winning; the
 * block's row goes. */
static enum ft_status absorb(struct merge *m, const struct reading_segment *b, size_t n_inside)
{
    enum ft_status st = run_reserve(&m->pending, b->n + n_inside, m->err);
    if (st != FT_OK)
        return st;
    const size_t end = m->i + n_inside;
    size_t i = m->i;
    for (size_t k = 0; k < b->n; k++) {
        const int64_t ts_ms = m->cache->ts_ms[k];
        for (; i < end && m->ts_ms[i] < ts_ms; i++)
            run_add(&m->pending, m->ts_ms[i], m->value[i]);
        const bool is_replaced = i < end && m->ts_ms[i] == ts_ms;
        run_add(&m->pending, ts_ms, is_replaced ? m->value[i] : m->cache->value[k]);
        i += is_replaced;
    }
    st = block_delete(m->db, m->sensor_id, b->start_ms, m->err);
    return st == FT_OK ? write_surplus(m) : st;
}

/* next is the block after b, or NULL. */
static enum ft_status merge_block(struct merge *m, const struct reading_segment *b,
                                  const struct reading_segment *next)
{
    size_t n_before = 0;
    while (m->i + n_before < m->n && m->ts_ms[m->i + n_before] < b->start_ms)
        n_before++;
    enum ft_status st = take_new(m, n_before);
    if (st != FT_OK)
        return st;
    size_t after = m->i;
    while (after < m->n && m->ts_ms[after] <= b->end_ms)
        after++;
    const bool has_inside = after > m->i;
    const bool has_more = after < m->n && (next == NULL || m->ts_ms[after] < next->start_ms);
    const bool is_wanted =
        (m->pending.n > 0 && m->pending.n < SMALL_N) || (has_more && b->n < SMALL_N);
    bool is_changed = false;
    size_t n_inside = 0;
    if (has_inside || is_wanted) {
        bool is_there = false;
        st = load_or_set_aside(m->db, m->sensor_id, b, m->cache, &is_there, m->err);
        if (st != FT_OK || !is_there)
            return st; /* what would lie in it is taken with what comes next */
        is_changed = compare_with_block(m, b, &n_inside);
    }
    if (is_changed || is_wanted)
        st = absorb(m, b, n_inside);
    else
        st = write_pending(m, m->pending.n);
    m->i = after;
    return st;
}

enum ft_status block_merge(struct db *db, int64_t sensor_id, const int64_t *ts_ms,
                           const double *value, size_t n, struct reading_counts *counts,
                           struct ft_err *err)
{
    struct merge m = {
        .db = db, .sensor_id = sensor_id, .ts_ms = ts_ms, .value = value, .n = n, .err = err};
    struct block_list blocks = {0};
    if (n == 0)
        return FT_OK;
    enum ft_status st = reading_cache_get(db, &m.cache, err);
    if (st == FT_OK)
        st = block_list(db, sensor_id, ts_ms[0], ts_ms[n - 1], &blocks, err);
    for (size_t b = 0; b < blocks.n && st == FT_OK; b++)
        st = merge_block(&m, &blocks.items[b], b + 1 < blocks.n ? &blocks.items[b + 1] : NULL);
    if (st == FT_OK)
        st = take_new(&m, n - m.i);
    if (st == FT_OK)
        st = write_pending(&m, m.pending.n);
    block_list_free(&blocks);
    run_free(&m.pending);
    if (st == FT_OK) {
        counts->n_new += m.counts.n_new;
        counts->n_changed += m.counts.n_changed;
        counts->n_unchanged += m.counts.n_unchanged;
    }
    return st;
}

/* --- delete --------------------------------------------------------------------------------- */

/* Writes the block in the cache again without first_ms .. last_ms. */
static enum ft_status cut_block(struct db *db, int64_t sensor_id, const struct reading_segment *b,
                                struct reading_cache *cache, int64_t first_ms, int64_t last_ms,
                                int64_t *n_deleted, struct ft_err *err)
{
    struct reading_segment seg;
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++) {
        if (cache->ts_ms[i] >= first_ms && cache->ts_ms[i] <= last_ms)
            continue;
        cache->ts_ms[n] = cache->ts_ms[i];
        cache->value[n++] = cache->value[i];
    }
    if (n == b->n)
        return FT_OK;
    *n_deleted += (int64_t)(b->n - n);
    enum ft_status st = block_delete(db, sensor_id, b->start_ms, err);
    if (st != FT_OK || n == 0)
        return st;
    segment_codec_use(cache->codec, NULL);
    st = segment_encode(cache->codec, cache->ts_ms, cache->value, n, &seg, err);
    if (st == FT_OK)
        st = block_insert(db, sensor_id, &seg, err);
    segment_clear(&seg);
    return st;
}

enum ft_status block_delete_range(struct db *db, int64_t sensor_id, int64_t first_ms,
                                  int64_t last_ms, int64_t *n_deleted, struct ft_err *err)
{
    struct block_list blocks = {0};
    struct reading_cache *cache = NULL;
    enum ft_status st = reading_cache_get(db, &cache, err);
    if (st == FT_OK)
        st = block_list(db, sensor_id, first_ms, last_ms, &blocks, err);
    for (size_t i = 0; i < blocks.n && st == FT_OK; i++) {
        if (blocks.items[i].end_ms < first_ms)
            continue;
        bool is_there = false;
        st = load_or_set_aside(db, sensor_id, &blocks.items[i], cache, &is_there, err);
        if (st == FT_OK && is_there)
            st = cut_block(db, sensor_id, &blocks.items[i], cache, first_ms, last_ms, n_deleted,
                           err);
    }
    block_list_free(&blocks);
    return st;
}
