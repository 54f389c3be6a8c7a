/* Reading what db/reading_store.c wrote: blocks and the head merged into arrays, spans, charts. */
#include "db/reading_store.h"

#include "app/base/instants.h"
#include "db/connection.h"
#include "db/db.h"
#include "db/reading_block.h"
#include "db/reading_head.h"
#include "db/statement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* --- scan ----------------------------------------------------------------------------------- */

static void add_many(struct run *out, const int64_t *ts_ms, const double *value, size_t n)
{
    memcpy(out->ts_ms + out->n, ts_ms, n * sizeof(*ts_ms));
    memcpy(out->value + out->n, value, n * sizeof(*value));
    out->n += n;
}

/* Adds to out what the block in the cache and the head up to its end have within
 * [first_ms, last_ms]. *k counts the readings of the head that are taken. */
static void add_block(struct run *out, const struct reading_cache *cache, size_t n,
                      const struct run *recent, size_t *k, int64_t first_ms, int64_t last_ms)
{
    size_t i = 0;
    while (i < n && cache->ts_ms[i] < first_ms)
        i++;
    while (n > i && cache->ts_ms[n - 1] > last_ms)
        n--;
    while (i < n) {
        for (; *k < recent->n && recent->ts_ms[*k] < cache->ts_ms[i]; ++*k)
            run_add(out, recent->ts_ms[*k], recent->value[*k]);
        size_t end = n;
        if (*k < recent->n && recent->ts_ms[*k] < cache->ts_ms[n - 1])
            for (end = i; cache->ts_ms[end] < recent->ts_ms[*k];)
                end++;
        add_many(out, cache->ts_ms + i, cache->value + i, end - i);
        i = end;
    }
}

/* May the block be decoded straight into the result? */
static bool is_whole(const struct reading_segment *b, const struct run *recent, size_t k,
                     int64_t first_ms, int64_t last_ms)
{
    return b->start_ms >= first_ms && b->end_ms <= last_ms &&
           (k == recent->n || recent->ts_ms[k] > b->end_ms);
}

static enum ft_status scan_blocks(struct db *db, int64_t sensor_id, const struct block_list *blocks,
                                  const struct run *recent, int64_t first_ms, int64_t last_ms,
                                  struct run *out, size_t *n_damaged, struct ft_err *err)
{
    struct reading_cache *cache = NULL;
    size_t n = recent->n;
    size_t k = 0;
    for (size_t b = 0; b < blocks->n; b++)
        if (blocks->items[b].end_ms >= first_ms)
            n += blocks->items[b].n;
    if (n == 0)
        return FT_OK;
    enum ft_status st = reading_cache_get(db, &cache, err);
    if (st == FT_OK)
        st = run_reserve(out, n, err);
    for (size_t b = 0; b < blocks->n && st == FT_OK; b++) {
        if (blocks->items[b].end_ms < first_ms)
            continue;
        if (is_whole(&blocks->items[b], recent, k, first_ms, last_ms)) {
            st = block_load_into(db, sensor_id, &blocks->items[b], cache, out->ts_ms + out->n,
                                 out->value + out->n, err);
            out->n += st == FT_OK ? blocks->items[b].n : 0;
        } else {
            st = block_load(db, sensor_id, &blocks->items[b], cache, err);
            if (st == FT_OK)
                add_block(out, cache, blocks->items[b].n, recent, &k, first_ms, last_ms);
        }
        if (st == FT_INVALID) { /* the rest is served */
            *n_damaged += blocks->items[b].n;
            st = FT_OK;
        }
    }
    for (; st == FT_OK && k < recent->n; k++)
        run_add(out, recent->ts_ms[k], recent->value[k]);
    return st;
}

/* Blocks and head of [from_ms, to_ms), which is not empty. The caller frees both. */
static enum ft_status find_all(struct db *db, int64_t sensor_id, int64_t from_ms, int64_t to_ms,
                               struct block_list *blocks, struct run *recent, struct ft_err *err)
{
    struct reading_head *head = NULL;
    enum ft_status st = head_get(db, &head, err);
    if (st == FT_OK)
        st = block_list(db, sensor_id, from_ms, to_ms - 1, blocks, err);
    return st == FT_OK ? head_scan(head, sensor_id, from_ms, to_ms - 1, recent, err) : st;
}

enum ft_status reading_scan(struct db *db, int64_t sensor_id, int64_t from_ms, int64_t to_ms,
                            struct readings *out, struct ft_err *err)
{
    struct block_list blocks = {0};
    struct run recent = {0};
    struct run all = {0};
    size_t n_damaged = 0;
    *out = (struct readings){0};
    if (to_ms <= from_ms)
        return FT_OK;
    enum ft_status st = db_begin(db, err); /* blocks and head of one moment */
    if (st != FT_OK)
        return st;
    st = find_all(db, sensor_id, from_ms, to_ms, &blocks, &recent, err);
    if (st == FT_OK)
        st =
            scan_blocks(db, sensor_id, &blocks, &recent, from_ms, to_ms - 1, &all, &n_damaged, err);
    block_list_free(&blocks);
    run_free(&recent);
    const enum ft_status ended = db_commit(db, err); /* nothing was written */
    st = st != FT_OK ? st : ended;
    if (st != FT_OK)
        run_free(&all);
    else if (all.n < all.cap / 2)
        run_shrink(&all);
    *out = (struct readings){all.ts_ms, all.value, all.n, n_damaged};
    return st;
}

void readings_free(struct readings *r)
{
    free(r->ts_ms);
    free(r->value);
    *r = (struct readings){0};
}

/* --- span ----------------------------------------------------------------------------------- */

static void widen_span(struct reading_span *s, int64_t n, int64_t first_ms, int64_t last_ms)
{
    s->first_ms = s->n == 0 || first_ms < s->first_ms ? first_ms : s->first_ms;
    s->last_ms = s->n == 0 || last_ms > s->last_ms ? last_ms : s->last_ms;
    s->n += n;
}

static enum ft_status find_span(struct db *db, int64_t sensor_id, struct reading_span *out,
                                struct ft_err *err)
{
    struct reading_head *head = NULL;
    struct readings last;
    enum ft_status st = head_get(db, &head, err);
    if (st != FT_OK)
        return st;
    struct statement s = statement_begin(db, QUERY_block_span, err);
    bind_int(&s, ":sensor_id", sensor_id);
    if (statement_row(&s) && column_int(&s, 0) > 0)
        widen_span(out, column_int(&s, 0), column_int(&s, 1), column_int(&s, 2));
    st = statement_end(&s);
    const struct head_slot *slot = head_find(head, sensor_id);
    if (slot != NULL)
        widen_span(out, (int64_t)slot->n, slot->points[0].ts_ms, slot->points[slot->n - 1].ts_ms);
    if (st != FT_OK || out->n == 0 || out->last_ms == INT64_MAX)
        return st;
    if (slot != NULL && slot->points[slot->n - 1].ts_ms == out->last_ms) {
        out->last_value = slot->points[slot->n - 1].value;
        return FT_OK;
    }
    st = reading_scan(db, sensor_id, out->last_ms, out->last_ms + 1, &last, err);
    if (st == FT_OK && last.n == 1)
        out->last_value = last.value[0];
    readings_free(&last);
    return st;
}

enum ft_status reading_span(struct db *db, int64_t sensor_id, struct reading_span *out,
                            struct ft_err *err)
{
    *out = (struct reading_span){.last_value = NAN};
    enum ft_status st = db_begin(db, err);
    if (st != FT_OK)
        return st;
    st = find_span(db, sensor_id, out, err);
    const enum ft_status ended = db_commit(db, err);
    return st != FT_OK ? st : ended;
}

/* --- buckets -------------------------------------------------------------------------------- */

struct chart {
    int64_t from_ms, to_ms;
    size_t n;
    struct reading_bucket *out; /* mean holds the sum until the end */
    int64_t *last_ms;           /* [n], instant of last */
};

/* The last column that starts at or before ts_ms: starts are rounded down, and columns narrower
 * than a millisecond share one. */
static struct reading_bucket *bucket_at(const struct chart *c, int64_t ts_ms, size_t *b)
{
    const unsigned __int128 span = (uint64_t)c->to_ms - (uint64_t)c->from_ms;
    const unsigned __int128 offset = (uint64_t)ts_ms - (uint64_t)c->from_ms;
    *b = (size_t)(offset * c->n / span);
    while (*b + 1 < c->n && ts_ms >= c->out[*b + 1].start_ms)
        ++*b;
    return &c->out[*b];
}

/* Adds n_numbers > 0 readings of one bucket by their summary. */
static void add_summary(const struct chart *c, const struct reading_segment *s)
{
    size_t b;
    struct reading_bucket *k = bucket_at(c, s->start_ms, &b);
    k->min = k->n == 0 || s->min < k->min ? s->min : k->min;
    k->max = k->n == 0 || s->max > k->max ? s->max : k->max;
    k->mean = (k->n == 0 ? 0 : k->mean) + s->sum;
    if (k->n == 0 || s->end_ms > c->last_ms[b]) {
        k->last = s->last;
        c->last_ms[b] = s->end_ms;
    }
    k->n += (int64_t)s->n_numbers;
}

/* First instant behind column b. */
static int64_t column_end(const struct chart *c, size_t b)
{
    return b + 1 < c->n ? c->out[b + 1].start_ms : c->to_ms;
}

/* First reading from i on that is not before end_ms. */
static size_t find_end(const int64_t *ts_ms, size_t i, size_t n, int64_t end_ms)
{
    size_t low = i;
    size_t high = n;
    for (size_t step = 64; low + step < n; step *= 2) {
        if (ts_ms[low + step] >= end_ms) {
            high = low + step;
            break;
        }
        low += step;
    }
    return low + instants_before(ts_ms + low, high - low, end_ms);
}

/* Adds n values, those that are NaN left out. */
static void sum_plain(const double *value, size_t n, struct reading_segment *run)
{
    for (size_t i = 0; i < n; i++) {
        const double v = value[i];
        if (isnan(v))
            continue;
        run->min = v < run->min ? v : run->min;
        run->max = v > run->max ? v : run->max;
        run->sum += v;
        run->n_numbers++;
    }
}

#if defined(__SSE2__)
/* The same in four lanes that do not wait for each other. The minimum of a NaN and a number is the
 * second operand, so a NaN changes nothing. */
static size_t sum_lanes(const double *value, size_t n, struct reading_segment *run)
{
    __m128d min[2] = {_mm_set1_pd(INFINITY), _mm_set1_pd(INFINITY)};
    __m128d max[2] = {_mm_set1_pd(-INFINITY), _mm_set1_pd(-INFINITY)};
    __m128d sum[2] = {_mm_setzero_pd(), _mm_setzero_pd()};
    __m128i count = _mm_setzero_si128(); /* minus the number of numbers, in two halves */
    double lane[2];
    int64_t half[2];
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const __m128d v = _mm_loadu_pd(value + i);
        const __m128d w = _mm_loadu_pd(value + i + 2);
        const __m128d v_ok = _mm_cmpord_pd(v, v);
        const __m128d w_ok = _mm_cmpord_pd(w, w);
        min[0] = _mm_min_pd(v, min[0]);
        min[1] = _mm_min_pd(w, min[1]);
        max[0] = _mm_max_pd(v, max[0]);
        max[1] = _mm_max_pd(w, max[1]);
        sum[0] = _mm_add_pd(sum[0], _mm_and_pd(v, v_ok));
        sum[1] = _mm_add_pd(sum[1], _mm_and_pd(w, w_ok));
        count = _mm_add_epi64(count, _mm_add_epi64(_mm_castpd_si128(v_ok), _mm_castpd_si128(w_ok)));
    }
    _mm_storeu_si128((__m128i *)half, count);
    run->n_numbers += (size_t) - (half[0] + half[1]);
    _mm_storeu_pd(lane, _mm_min_pd(min[0], min[1]));
    run->min = fmin(run->min, fmin(lane[0], lane[1]));
    _mm_storeu_pd(lane, _mm_max_pd(max[0], max[1]));
    run->max = fmax(run->max, fmax(lane[0], lane[1]));
    _mm_storeu_pd(lane, _mm_add_pd(sum[0], sum[1]));
    run->sum += lane[0] + lane[1];
    return i;
}
#endif

/* Least, greatest, sum and number of the numbers among n values. */
static void sum_run(const double *value, size_t n, struct reading_segment *run)
{
    size_t i = 0;
    run->min = INFINITY;
    run->max = -INFINITY;
#if defined(__SSE2__)
    i = sum_lanes(value, n, run);
#endif
    sum_plain(value + i, n - i, run);
}

/* Adds readings with growing instants, a run of one column at a time. */
static void add_points(const struct chart *c, const int64_t *ts_ms, const double *value, size_t n)
{
    size_t i = 0;
    while (i < n && ts_ms[i] < c->from_ms)
        i++;
    while (i < n && ts_ms[i] < c->to_ms) {
        size_t b;
        bucket_at(c, ts_ms[i], &b);
        const int64_t end_ms = column_end(c, b);
        const size_t end = find_end(ts_ms, i, n, end_ms);
        struct reading_segment run = {.start_ms = ts_ms[i]};
        sum_run(value + i, end - i, &run);
        size_t last = end;
        while (run.n_numbers > 0 && isnan(value[last - 1]))
            last--;
        run.end_ms = ts_ms[last - 1];
        run.last = value[last - 1];
        i = end;
        if (run.n_numbers > 0)
            add_summary(c, &run);
    }
}

/* Does a reading of the head lie within the block's span? Then "last" needs the readings
 * themselves. */
static bool has_between(const struct run *recent, int64_t first_ms, int64_t last_ms)
{
    for (size_t i = 0; i < recent->n && recent->ts_ms[i] <= last_ms; i++)
        if (recent->ts_ms[i] >= first_ms)
            return true;
    return false;
}

static enum ft_status fill_chart(struct db *db, int64_t sensor_id, const struct chart *c,
                                 struct ft_err *err)
{
    struct block_list blocks = {0};
    struct run recent = {0};
    struct reading_cache *cache = NULL;
    enum ft_status st = find_all(db, sensor_id, c->from_ms, c->to_ms, &blocks, &recent, err);
    if (st == FT_OK)
        st = reading_cache_get(db, &cache, err);
    for (size_t i = 0; i < blocks.n && st == FT_OK; i++) {
        const struct reading_segment *s = &blocks.items[i];
        size_t first = 0;
        size_t last = 0;
        if (s->end_ms < c->from_ms)
            continue;
        const bool is_inside = s->has_summary && s->start_ms >= c->from_ms &&
                               s->end_ms < c->to_ms &&
                               bucket_at(c, s->start_ms, &first) == bucket_at(c, s->end_ms, &last);
        if (is_inside && !has_between(&recent, s->start_ms, s->end_ms)) {
            if (s->n_numbers > 0)
                add_summary(c, s);
            continue;
        }
        st = block_load(db, sensor_id, s, cache, err);
        if (st == FT_OK)
            add_points(c, cache->ts_ms, cache->value, s->n);
        st = st == FT_INVALID ? FT_OK : st; /* a damaged block is a hole in the chart */
    }
    if (st == FT_OK)
        add_points(c, recent.ts_ms, recent.value, recent.n);
    block_list_free(&blocks);
    run_free(&recent);
    return st;
}

enum ft_status reading_buckets(struct db *db, int64_t sensor_id, int64_t from_ms, int64_t to_ms,
                               size_t n_buckets, struct reading_bucket *out, struct ft_err *err)
{
    struct chart c = {.from_ms = from_ms, .to_ms = to_ms, .n = n_buckets, .out = out};
    if (to_ms <= from_ms || n_buckets == 0)
        return ft_fail(err, FT_INVALID, "a chart needs a span and at least one column");
    c.last_ms = calloc(n_buckets, sizeof(*c.last_ms));
    if (c.last_ms == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu columns", n_buckets);
    const unsigned __int128 span = (uint64_t)to_ms - (uint64_t)from_ms;
    for (size_t b = 0; b < n_buckets; b++)
        out[b] = (struct reading_bucket){
            .start_ms = (int64_t)((uint64_t)from_ms + (uint64_t)(span * b / n_buckets)),
            .min = NAN,
            .max = NAN,
            .mean = NAN,
            .last = NAN};
    enum ft_status st = db_begin(db, err);
    if (st == FT_OK) {
        st = fill_chart(db, sensor_id, &c, err);
        const enum ft_status ended = db_commit(db, err);
        st = st != FT_OK ? st : ended;
    }
    for (size_t b = 0; b < n_buckets; b++)
        if (out[b].n > 0)
            out[b].mean /= (double)out[b].n;
    free(c.last_ms);
    return st;
}

/* --- the store as a whole ------------------------------------------------------------------- */

/* Newest instant of all blocks; INT64_MIN when there is none. */
static enum ft_status newest_of_blocks(struct db *db, int64_t *ts_ms, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_reading_newest, err);
    *ts_ms = statement_row(&s) ? column_int_or(&s, 0, INT64_MIN) : INT64_MIN;
    return statement_end(&s);
}

enum ft_status reading_newest(struct db *db, int64_t *ts_ms, struct ft_err *err)
{
    struct reading_head *head = NULL;
    int64_t in_head = INT64_MIN;
    int64_t in_blocks = INT64_MIN;
    enum ft_status st = db_begin(db, err);
    if (st != FT_OK)
        return st;
    st = head_get(db, &head, err);
    const bool is_in_head = st == FT_OK && head_newest(head, &in_head);
    if (st == FT_OK)
        st = newest_of_blocks(db, &in_blocks, err);
    const enum ft_status ended = db_commit(db, err);
    st = st != FT_OK ? st : ended;
    if (st == FT_OK && !is_in_head && in_blocks == INT64_MIN)
        return ft_fail(err, FT_NOT_FOUND, "there are no readings yet");
    if (st == FT_OK)
        *ts_ms = in_head > in_blocks ? in_head : in_blocks;
    return st;
}

static enum ft_status newest_of_asset(struct db *db, int64_t asset_id, int64_t *ts_ms,
                                      struct ft_err *err)
{
    struct reading_head *head = NULL;
    enum ft_status st = head_get(db, &head, err);
    if (st != FT_OK)
        return st;
    struct statement s = statement_begin(db, QUERY_reading_newest_of_asset, err);
    bind_int(&s, ":asset_id", asset_id);
    while (statement_row(&s)) {
        const struct head_slot *slot = head_find(head, column_int(&s, 0));
        const int64_t in_blocks = column_int_or(&s, 1, INT64_MIN);
        const int64_t in_head = slot != NULL ? slot->points[slot->n - 1].ts_ms : INT64_MIN;
        *ts_ms = in_blocks > *ts_ms ? in_blocks : *ts_ms;
        *ts_ms = in_head > *ts_ms ? in_head : *ts_ms;
    }
    return statement_end(&s);
}

enum ft_status reading_newest_of_asset(struct db *db, int64_t asset_id, int64_t *ts_ms,
                                       struct ft_err *err)
{
    int64_t newest_ms = INT64_MIN;
    enum ft_status st = db_begin(db, err);
    if (st != FT_OK)
        return st;
    st = newest_of_asset(db, asset_id, &newest_ms, err);
    const enum ft_status ended = db_commit(db, err);
    st = st != FT_OK ? st : ended;
    if (st == FT_OK && newest_ms == INT64_MIN)
        return ft_fail(err, FT_NOT_FOUND, "asset %lld has no readings", (long long)asset_id);
    if (st == FT_OK)
        *ts_ms = newest_ms;
    return st;
}

enum ft_status reading_count(struct db *db, int64_t *n, struct ft_err *err)
{
    struct reading_head *head = NULL;
    enum ft_status st = db_begin(db, err);
    if (st != FT_OK)
        return st;
    st = head_get(db, &head, err);
    if (st == FT_OK) {
        struct statement s = statement_begin(db, QUERY_reading_count, err);
        *n = (statement_row(&s) ? column_int(&s, 0) : 0) + head_count(head);
        st = statement_end(&s);
    }
    const enum ft_status ended = db_commit(db, err);
    return st != FT_OK ? st : ended;
}
