/* Readings live in two places: blocks (db/segment.h), thousands of readings compressed into one
 * row, and recent rows, one reading each. A small put writes recent rows, which is cheap and
 * durable at once; when a sensor has many, they are merged into blocks. A large put goes to blocks
 * at once. A reading that stands in a block is corrected there. */
#include "db/reading_store.h"

#include "app/base/rng.h"
#include "db/connection.h"
#include "db/db.h"
#include "db/reading_block.h"
#include "db/statement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BULK_N = 512,     /* a put of so many goes to blocks */
    RECENT_N = 4096,  /* so many recent rows of a sensor are sealed */
    CHECK_EVERY = 256 /* new rows between two looks at their number, on average */
};

/* --- put ------------------------------------------------------------------------------------ */

/* For qsort: by instant, and by place in the input where instants are the same. */
struct indexed {
    int64_t ts_ms;
    size_t i;
};

static int compare_indexed(const void *a, const void *b)
{
    const struct indexed *x = a;
    const struct indexed *y = b;
    if (x->ts_ms != y->ts_ms)
        return x->ts_ms < y->ts_ms ? -1 : 1;
    return (x->i > y->i) - (x->i < y->i);
}

static bool is_sorted(const int64_t *ts_ms, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (ts_ms[i] <= ts_ms[i - 1])
            return false;
    return true;
}

/* A sorted copy in which the last of equal instants is kept. */
static enum ft_status sort_readings(const int64_t *ts_ms, const double *value, size_t n,
                                    struct run *out, struct ft_err *err)
{
    struct indexed *order = calloc(n, sizeof(*order));
    enum ft_status st = run_reserve(out, n, err);
    if (order == NULL && st == FT_OK)
        st = ft_fail(err, FT_NOMEM, "no memory to sort %zu readings", n);
    if (st == FT_OK) {
        for (size_t i = 0; i < n; i++)
            order[i] = (struct indexed){ts_ms[i], i};
        qsort(order, n, sizeof(*order), compare_indexed);
        for (size_t i = 0; i < n; i++)
            if (i + 1 == n || order[i + 1].ts_ms != order[i].ts_ms)
                run_add(out, order[i].ts_ms, value[order[i].i]);
    }
    free(order);
    return st;
}

/* Input and recent rows as one run, the input winning; says which of it counts as the blocks are
 * compared (an instant that has a recent row was counted here). */
static void overlay(const struct run *recent, const int64_t *ts_ms, const double *value, size_t n,
                    struct run *out, bool *is_counted, struct reading_counts *counts)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        for (; k < recent->n && recent->ts_ms[k] < ts_ms[i]; k++) {
            is_counted[out->n] = false;
            run_add(out, recent->ts_ms[k], recent->value[k]);
        }
        const bool is_there = k < recent->n && recent->ts_ms[k] == ts_ms[i];
        if (is_there) {
            const bool is_same = is_same_double(recent->value[k], value[i]);
            counts->n_unchanged += is_same;
            counts->n_changed += !is_same;
            k++;
        }
        is_counted[out->n] = !is_there;
        run_add(out, ts_ms[i], value[i]);
    }
}

/* A large put over a span with recent rows: they go to the blocks with it. */
static enum ft_status put_over_recent(struct db *db, int64_t sensor_id, const struct run *recent,
                                      const int64_t *ts_ms, const double *value, size_t n,
                                      struct reading_counts *counts, struct ft_err *err)
{
    struct run both = {0};
    struct reading_counts c = {0};
    bool *is_counted = calloc(n + recent->n, sizeof(*is_counted));
    enum ft_status st = run_reserve(&both, n + recent->n, err);
    if (is_counted == NULL && st == FT_OK)
        st = ft_fail(err, FT_NOMEM, "no memory for %zu readings", n);
    if (st == FT_OK) {
        overlay(recent, ts_ms, value, n, &both, is_counted, &c);
        if ((size_t)c.n_unchanged < n) { /* else all stands in recent rows: nothing to write */
            st = recent_delete(db, sensor_id, ts_ms[0], ts_ms[n - 1], err);
            if (st == FT_OK)
                st =
                    block_merge(db, sensor_id, both.ts_ms, both.value, both.n, is_counted, &c, err);
        }
    }
    if (st == FT_OK) {
        counts->n_new += c.n_new;
        counts->n_changed += c.n_changed;
        counts->n_unchanged += c.n_unchanged;
    }
    free(is_counted);
    run_free(&both);
    return st;
}

static enum ft_status put_bulk(struct db *db, int64_t sensor_id, const int64_t *ts_ms,
                               const double *value, size_t n, struct reading_counts *counts,
                               struct ft_err *err)
{
    struct run recent = {0};
    enum ft_status st = recent_scan(db, sensor_id, ts_ms[0], ts_ms[n - 1], &recent, err);
    if (st == FT_OK && recent.n > 0)
        st = put_over_recent(db, sensor_id, &recent, ts_ms, value, n, counts, err);
    else if (st == FT_OK)
        st = block_merge(db, sensor_id, ts_ms, value, n, NULL, counts, err);
    run_free(&recent);
    return st;
}

/* Writes readings with growing instants, none of which stands in a block, as recent rows. */
static enum ft_status put_recent(struct db *db, int64_t sensor_id, const struct run *r,
                                 struct reading_counts *counts, struct ft_err *err)
{
    struct statement get = statement_begin(db, QUERY_recent_get, err);
    struct statement put = statement_begin(db, QUERY_recent_put, err);
    bind_int(&get, ":sensor_id", sensor_id);
    bind_int(&put, ":sensor_id", sensor_id);
    for (size_t i = 0; i < r->n && get.status == FT_OK && put.status == FT_OK; i++) {
        bind_int(&get, ":ts_ms", r->ts_ms[i]);
        const bool is_there = statement_row(&get);
        const bool is_same = is_there && is_same_double(column_reading(&get, 0), r->value[i]);
        statement_again(&get);
        counts->n_unchanged += is_same;
        counts->n_changed += is_there && !is_same;
        counts->n_new += !is_there;
        if (is_same)
            continue;
        bind_int(&put, ":ts_ms", r->ts_ms[i]);
        bind_reading(&put, ":value", &r->value[i]);
        statement_row(&put);
        statement_again(&put);
    }
    const enum ft_status get_st = statement_end(&get);
    const enum ft_status put_st = statement_end(&put);
    if (put_st == FT_INVALID)
        ft_err_prefix(err, "readings of sensor %lld", (long long)sensor_id);
    return get_st != FT_OK ? get_st : put_st;
}

/* Splits readings inside the span of the block in the cache: equal ones are counted, different
 * ones go to changed, those at instants that the block does not have to rest. */
static void split_by_block(const struct reading_cache *cache, const int64_t *ts_ms,
                           const double *value, size_t n, struct run *changed, struct run *rest,
                           struct reading_counts *counts)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        while (cache->ts_ms[k] < ts_ms[i])
            k++; /* ends: no instant is after the block's last */
        if (cache->ts_ms[k] != ts_ms[i]) {
            run_add(rest, ts_ms[i], value[i]);
        } else if (is_same_double(cache->value[k], value[i])) {
            counts->n_unchanged++;
        } else {
            counts->n_changed++;
            run_add(changed, ts_ms[i], value[i]);
        }
    }
}

/* Sorts the readings of a small put into those that change a block and the rest. */
static enum ft_status split_by_blocks(struct db *db, int64_t sensor_id,
                                      const struct block_list *blocks, const int64_t *ts_ms,
                                      const double *value, size_t n, struct run *changed,
                                      struct run *rest, struct reading_counts *counts,
                                      struct ft_err *err)
{
    struct reading_cache *cache = NULL;
    enum ft_status st = reading_cache_get(db, &cache, err);
    size_t i = 0;
    for (size_t b = 0; b < blocks->n && st == FT_OK; b++) {
        const struct reading_segment *block = &blocks->items[b];
        for (; i < n && ts_ms[i] < block->start_ms; i++)
            run_add(rest, ts_ms[i], value[i]);
        size_t end = i;
        while (end < n && ts_ms[end] <= block->end_ms)
            end++;
        if (end == i)
            continue;
        st = block_load(db, sensor_id, block, cache, err);
        if (st == FT_OK)
            split_by_block(cache, ts_ms + i, value + i, end - i, changed, rest, counts);
        i = end;
    }
    for (; i < n; i++)
        run_add(rest, ts_ms[i], value[i]);
    return st;
}

/* Merges all recent rows of the sensor into blocks. */
static enum ft_status seal(struct db *db, int64_t sensor_id, struct ft_err *err)
{
    struct run recent = {0};
    struct reading_counts ignored = {0};
    enum ft_status st = recent_scan(db, sensor_id, INT64_MIN, INT64_MAX, &recent, err);
    if (st == FT_OK)
        st = recent_delete(db, sensor_id, INT64_MIN, INT64_MAX, err);
    if (st == FT_OK)
        st = block_merge(db, sensor_id, recent.ts_ms, recent.value, recent.n, NULL, &ignored, err);
    run_free(&recent);
    return st;
}

/* Counting rows costs time, so a put of n new ones looks with probability n / CHECK_EVERY, drawn
 * from its data. */
static enum ft_status seal_when_long(struct db *db, int64_t sensor_id, int64_t last_ms, size_t n,
                                     struct ft_err *err)
{
    const uint64_t draw = rng_below(0, (uint64_t)sensor_id, (uint64_t)last_ms, CHECK_EVERY);
    if (n <= draw)
        return FT_OK;
    struct statement s = statement_begin(db, QUERY_recent_is_long, err);
    bind_int(&s, ":sensor_id", sensor_id);
    bind_int(&s, ":limit", RECENT_N);
    const bool is_long = statement_row(&s) && column_int(&s, 0) != 0;
    const enum ft_status st = statement_end(&s);
    return st == FT_OK && is_long ? seal(db, sensor_id, err) : st;
}

static enum ft_status put_small(struct db *db, int64_t sensor_id, const int64_t *ts_ms,
                                const double *value, size_t n, struct reading_counts *counts,
                                struct ft_err *err)
{
    struct block_list blocks = {0};
    struct run changed = {0};
    struct run rest = {0};
    struct reading_counts c = {0};
    struct reading_counts ignored = {0};
    enum ft_status st = block_list(db, sensor_id, ts_ms[0], ts_ms[n - 1], &blocks, err);
    if (st == FT_OK)
        st = run_reserve(&changed, n, err);
    if (st == FT_OK)
        st = run_reserve(&rest, n, err);
    if (st == FT_OK)
        st = split_by_blocks(db, sensor_id, &blocks, ts_ms, value, n, &changed, &rest, &c, err);
    if (st == FT_OK)
        st = put_recent(db, sensor_id, &rest, &c, err);
    if (st == FT_OK)
        st = block_merge(db, sensor_id, changed.ts_ms, changed.value, changed.n, NULL, &ignored,
                         err);
    if (st == FT_OK)
        st = seal_when_long(db, sensor_id, ts_ms[n - 1], (size_t)c.n_new, err);
    if (st == FT_OK) {
        counts->n_new += c.n_new;
        counts->n_changed += c.n_changed;
        counts->n_unchanged += c.n_unchanged;
    }
    run_free(&changed);
    run_free(&rest);
    block_list_free(&blocks);
    return st;
}

enum ft_status reading_put(struct db *db, int64_t sensor_id, const int64_t *ts_ms,
                           const double *value, size_t n, struct reading_counts *counts,
                           struct ft_err *err)
{
    struct run sorted = {0};
    struct reading_counts c = {0};
    if (n == 0)
        return FT_OK;
    enum ft_status st = unit_begin(db, err);
    if (st != FT_OK)
        return st;
    if (!is_sorted(ts_ms, n)) {
        st = sort_readings(ts_ms, value, n, &sorted, err);
        ts_ms = sorted.ts_ms;
        value = sorted.value;
        n = sorted.n;
    }
    if (st == FT_OK)
        st = n >= BULK_N ? put_bulk(db, sensor_id, ts_ms, value, n, &c, err)
                         : put_small(db, sensor_id, ts_ms, value, n, &c, err);
    run_free(&sorted);
    st = unit_end(db, st, err);
    if (st == FT_OK) {
        counts->n_new += c.n_new;
        counts->n_changed += c.n_changed;
        counts->n_unchanged += c.n_unchanged;
    }
    return st;
}

enum ft_status reading_put_segments(struct db *db, int64_t sensor_id,
                                    const struct reading_segment *segs, size_t n_segs,
                                    struct reading_counts *counts, struct ft_err *err)
{
    struct reading_span span;
    int64_t n_new = 0;
    enum ft_status st = unit_begin(db, err);
    if (st != FT_OK)
        return st;
    st = reading_span(db, sensor_id, &span, err);
    bool is_first = st == FT_OK && span.n == 0;
    int64_t end_ms = span.last_ms;
    for (size_t i = 0; i < n_segs && st == FT_OK; i++) {
        if (!is_first && segs[i].start_ms <= end_ms)
            st = ft_fail(err, FT_CONFLICT,
                         "sensor %lld: the block from %lld does not lie after the last reading",
                         (long long)sensor_id, (long long)segs[i].start_ms);
        else
            st = block_insert(db, sensor_id, &segs[i], err);
        is_first = false;
        end_ms = segs[i].end_ms;
        n_new += (int64_t)segs[i].n;
    }
    st = unit_end(db, st, err);
    if (st == FT_OK)
        counts->n_new += n_new;
    return st;
}

/* --- scan ----------------------------------------------------------------------------------- */

/* Adds to out what the block in the cache and the recent rows up to its end have within
 * [first_ms, last_ms]. *k counts the recent rows that are taken. */
static void add_block(struct run *out, const struct reading_cache *cache, size_t n,
                      const struct run *recent, size_t *k, int64_t first_ms, int64_t last_ms)
{
    size_t i = 0;
    while (i < n && cache->ts_ms[i] < first_ms)
        i++;
    for (; i < n && cache->ts_ms[i] <= last_ms; i++) {
        for (; *k < recent->n && recent->ts_ms[*k] < cache->ts_ms[i]; ++*k)
            run_add(out, recent->ts_ms[*k], recent->value[*k]);
        run_add(out, cache->ts_ms[i], cache->value[i]);
    }
}

static enum ft_status scan_blocks(struct db *db, int64_t sensor_id, const struct block_list *blocks,
                                  const struct run *recent, int64_t first_ms, int64_t last_ms,
                                  struct run *out, struct ft_err *err)
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
        st = block_load(db, sensor_id, &blocks->items[b], cache, err);
        if (st == FT_OK)
            add_block(out, cache, blocks->items[b].n, recent, &k, first_ms, last_ms);
    }
    for (; st == FT_OK && k < recent->n; k++)
        run_add(out, recent->ts_ms[k], recent->value[k]);
    return st;
}

/* Blocks and recent rows of [from_ms, to_ms), which is not empty. The caller frees both. */
static enum ft_status find_all(struct db *db, int64_t sensor_id, int64_t from_ms, int64_t to_ms,
                               struct block_list *blocks, struct run *recent, struct ft_err *err)
{
    const enum ft_status st = block_list(db, sensor_id, from_ms, to_ms - 1, blocks, err);
    return st == FT_OK ? recent_scan(db, sensor_id, from_ms, to_ms - 1, recent, err) : st;
}

enum ft_status reading_scan(struct db *db, int64_t sensor_id, int64_t from_ms, int64_t to_ms,
                            struct readings *out, struct ft_err *err)
{
    struct block_list blocks = {0};
    struct run recent = {0};
    struct run all = {0};
    *out = (struct readings){0};
    if (to_ms <= from_ms)
        return FT_OK;
    enum ft_status st = db_begin(db, err); /* blocks and rows of one moment */
    if (st != FT_OK)
        return st;
    st = find_all(db, sensor_id, from_ms, to_ms, &blocks, &recent, err);
    if (st == FT_OK)
        st = scan_blocks(db, sensor_id, &blocks, &recent, from_ms, to_ms - 1, &all, err);
    block_list_free(&blocks);
    run_free(&recent);
    const enum ft_status ended = db_commit(db, err); /* nothing was written */
    st = st != FT_OK ? st : ended;
    if (st != FT_OK)
        run_free(&all);
    else if (all.n < all.cap / 2)
        run_shrink(&all);
    *out = (struct readings){all.ts_ms, all.value, all.n};
    return st;
}

void readings_free(struct readings *r)
{
    free(r->ts_ms);
    free(r->value);
    *r = (struct readings){0};
}

/* --- span ----------------------------------------------------------------------------------- */

/* Adds what a query of (number, first, last) says. */
static enum ft_status add_span(struct db *db, enum query_id id, int64_t sensor_id,
                               struct reading_span *out, struct ft_err *err)
{
    struct statement s = statement_begin(db, id, err);
    bind_int(&s, ":sensor_id", sensor_id);
    if (statement_row(&s) && column_int(&s, 0) > 0) {
        const int64_t first_ms = column_int(&s, 1);
        const int64_t last_ms = column_int(&s, 2);
        out->first_ms = out->n == 0 || first_ms < out->first_ms ? first_ms : out->first_ms;
        out->last_ms = out->n == 0 || last_ms > out->last_ms ? last_ms : out->last_ms;
        out->n += column_int(&s, 0);
    }
    return statement_end(&s);
}

static enum ft_status find_span(struct db *db, int64_t sensor_id, struct reading_span *out,
                                struct ft_err *err)
{
    struct readings last;
    enum ft_status st = add_span(db, QUERY_block_span, sensor_id, out, err);
    if (st == FT_OK)
        st = add_span(db, QUERY_recent_span, sensor_id, out, err);
    if (st != FT_OK || out->n == 0 || out->last_ms == INT64_MAX)
        return st;
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

static struct reading_bucket *bucket_at(const struct chart *c, int64_t ts_ms, size_t *b)
{
    const unsigned __int128 span = (uint64_t)c->to_ms - (uint64_t)c->from_ms;
    const unsigned __int128 offset = (uint64_t)ts_ms - (uint64_t)c->from_ms;
    *b = (size_t)(offset * c->n / span);
    if (*b + 1 < c->n && ts_ms >= c->out[*b + 1].start_ms) /* starts are rounded down */
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

static void add_points(const struct chart *c, const int64_t *ts_ms, const double *value, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double v = value[i];
        if (ts_ms[i] < c->from_ms || ts_ms[i] >= c->to_ms || isnan(v))
            continue;
        const struct reading_segment one = {.start_ms = ts_ms[i],
                                            .end_ms = ts_ms[i],
                                            .n_numbers = 1,
                                            .min = v,
                                            .max = v,
                                            .sum = v,
                                            .last = v};
        add_summary(c, &one);
    }
}

/* Does a recent row lie within the block's span? Then "last" needs the readings themselves. */
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
        const bool is_inside = s->start_ms >= c->from_ms && s->end_ms < c->to_ms &&
                               bucket_at(c, s->start_ms, &first) == bucket_at(c, s->end_ms, &last);
        if (is_inside && !has_between(&recent, s->start_ms, s->end_ms)) {
            if (s->n_numbers > 0)
                add_summary(c, s);
            continue;
        }
        st = block_load(db, sensor_id, s, cache, err);
        if (st == FT_OK)
            add_points(c, cache->ts_ms, cache->value, s->n);
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

static enum ft_status run_newest(struct statement *s, int64_t *ts_ms)
{
    int64_t newest_ms = INT64_MIN;
    bool is_found = false;
    if (statement_row(s)) {
        for (int i = 0; i < 2; i++) {
            if (sqlite3_column_type(s->stmt, i) == SQLITE_NULL)
                continue;
            is_found = true;
            newest_ms = column_int(s, i) > newest_ms ? column_int(s, i) : newest_ms;
        }
    }
    const enum ft_status st = statement_end(s);
    if (st == FT_OK && is_found)
        *ts_ms = newest_ms;
    return st == FT_OK && !is_found ? FT_NOT_FOUND : st;
}

enum ft_status reading_newest(struct db *db, int64_t *ts_ms, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_reading_newest, err);
    const enum ft_status st = run_newest(&s, ts_ms);
    return st == FT_NOT_FOUND ? ft_fail(err, st, "there are no readings yet") : st;
}

enum ft_status reading_newest_of_asset(struct db *db, int64_t asset_id, int64_t *ts_ms,
                                       struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_reading_newest_of_asset, err);
    bind_int(&s, ":asset_id", asset_id);
    const enum ft_status st = run_newest(&s, ts_ms);
    return st == FT_NOT_FOUND ? ft_fail(err, st, "asset %lld has no readings", (long long)asset_id)
                              : st;
}

enum ft_status reading_count(struct db *db, int64_t *n, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_reading_count, err);
    *n = statement_row(&s) ? column_int(&s, 0) : 0;
    return statement_end(&s);
}
