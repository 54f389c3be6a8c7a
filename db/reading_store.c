/* Readings live in two places: blocks (db/segment.h), thousands of readings compressed into one
 * row, and the journal, one row for each small batch, whose readings the head holds in memory
 * (db/reading_head.h). A small put goes to the journal, a large one to blocks at once. A reading
 * that stands in a block is corrected there. */
#include "db/reading_store.h"

#include "db/connection.h"
#include "db/db.h"
#include "db/reading_block.h"
#include "db/reading_head.h"
#include "db/reading_journal.h"
#include "db/reading_tier.h"

#include <stdlib.h>
#include <string.h>

enum { BULK_N = 512 }; /* a put of so many goes to blocks */

/* --- order ---------------------------------------------------------------------------------- */

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

static void add_counts(struct reading_counts *to, const struct reading_counts *c)
{
    to->n_new += c->n_new;
    to->n_changed += c->n_changed;
    to->n_unchanged += c->n_unchanged;
}

static void count(struct reading_counts *c, enum reading_outcome outcome)
{
    c->n_new += outcome == READING_NEW;
    c->n_changed += outcome == READING_CHANGED;
    c->n_unchanged += outcome == READING_UNCHANGED;
}

/* --- append --------------------------------------------------------------------------------- */

/* A reading that is not newer than the last block of its sensor. */
struct late {
    int64_t sensor_id, ts_ms;
    size_t i; /* place in the batch */
};

/* One batch on its way into the journal. */
struct batch {
    struct db *db;
    struct reading_head *head;
    struct head_slot *slot; /* of the reading before */
    const struct reading_point *points;
    unsigned char *outcome; /* NULL = not wanted */
    size_t n;
    struct reading_point *kept; /* [n_kept] what the journal has to hold; owned */
    size_t n_kept, n_in_row;
    struct late *late; /* [n_late] readings that may stand in a block; owned */
    size_t n_late;
    struct reading_counts counts;
};

static void note(struct batch *b, size_t i, enum reading_outcome outcome)
{
    count(&b->counts, outcome);
    if (b->outcome != NULL)
        b->outcome[i] = (unsigned char)outcome;
}

static enum ft_status find_slot(struct batch *b, int64_t sensor_id, struct ft_err *err)
{
    if (b->slot != NULL && b->slot->sensor_id == sensor_id)
        return FT_OK;
    return head_open(b->db, b->head, sensor_id, &b->slot, err);
}

/* Writes what is kept of the row under way. */
static enum ft_status flush_row(struct batch *b, struct ft_err *err)
{
    const size_t n = b->n_in_row;
    b->n_in_row = 0;
    return n > 0 ? head_write(b->db, b->head, b->kept + b->n_kept - n, n, err) : FT_OK;
}

static enum ft_status put_in_head(struct batch *b, size_t i, struct ft_err *err)
{
    const struct reading_point *p = &b->points[i];
    enum reading_outcome outcome;
    enum ft_status st = head_put(b->head, b->slot, p->ts_ms, p->value, &outcome, err);
    if (st != FT_OK)
        return st;
    note(b, i, outcome);
    if (outcome == READING_UNCHANGED)
        return FT_OK;
    b->kept[b->n_kept++] = *p;
    b->n_in_row++;
    return b->n_in_row == JOURNAL_MAX_N ? flush_row(b, err) : FT_OK;
}

/* Readings that no block can hold go to the head, the others to the list of the late. */
static enum ft_status put_new(struct batch *b, struct ft_err *err)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct reading_point *p = &b->points[i];
        enum ft_status st = find_slot(b, p->sensor_id, err);
        if (st == FT_OK && p->ts_ms <= b->slot->block_end_ms)
            b->late[b->n_late++] = (struct late){p->sensor_id, p->ts_ms, i};
        else if (st == FT_OK)
            st = put_in_head(b, i, err);
        if (st != FT_OK)
            return st;
    }
    return FT_OK;
}

/* Late readings of one sensor with growing instants: equal ones are counted, different ones go to
 * changed, those at instants that no block has go to the head. */
static enum ft_status split_late(struct batch *b, const struct late *late, size_t n,
                                 struct run *changed, struct ft_err *err)
{
    const int64_t sensor_id = late[0].sensor_id;
    struct block_list blocks = {0};
    struct reading_cache *cache = NULL;
    enum ft_status st = reading_cache_get(b->db, &cache, err);
    size_t i = 0;
    if (st == FT_OK)
        st = block_list(b->db, sensor_id, late[0].ts_ms, late[n - 1].ts_ms, &blocks, err);
    for (size_t k = 0; k < blocks.n && st == FT_OK; k++) {
        const struct reading_segment *block = &blocks.items[k];
        size_t at = 0;
        for (; i < n && late[i].ts_ms < block->start_ms && st == FT_OK; i++)
            st = put_in_head(b, late[i].i, err);
        if (st != FT_OK || i == n || late[i].ts_ms > block->end_ms)
            continue;
        struct ft_err why;
        st = block_load(b->db, sensor_id, block, cache, &why);
        if (st == FT_INVALID) { /* what would lie in it goes to the head with what comes next */
            st = block_set_aside(b->db, sensor_id, block, why.msg, err);
            continue;
        }
        if (st != FT_OK)
            ft_fail(err, st, "%s", why.msg);
        for (; i < n && late[i].ts_ms <= block->end_ms && st == FT_OK; i++) {
            const struct reading_point *p = &b->points[late[i].i];
            while (cache->ts_ms[at] < p->ts_ms)
                at++; /* ends: no instant is after the block's last */
            const bool is_there = cache->ts_ms[at] == p->ts_ms;
            const bool is_same = is_there && is_same_double(cache->value[at], p->value);
            if (!is_there)
                st = put_in_head(b, late[i].i, err);
            else
                note(b, late[i].i, is_same ? READING_UNCHANGED : READING_CHANGED);
            if (is_there && !is_same)
                run_add(changed, p->ts_ms, p->value);
        }
    }
    for (; i < n && st == FT_OK; i++)
        st = put_in_head(b, late[i].i, err);
    block_list_free(&blocks);
    return st;
}

/* The late readings of one sensor; of equal instants in late[] only the last may stand there. */
static enum ft_status put_late_of(struct batch *b, const struct late *late, size_t n,
                                  struct ft_err *err)
{
    const int64_t sensor_id = late[0].sensor_id;
    struct run changed = {0};
    struct reading_counts ignored = {0};
    enum ft_status st = find_slot(b, sensor_id, err);
    if (st == FT_OK)
        st = run_reserve(&changed, n, err);
    if (st == FT_OK)
        st = split_late(b, late, n, &changed, err);
    if (st == FT_OK)
        st = block_merge(b->db, sensor_id, changed.ts_ms, changed.value, changed.n, &ignored, err);
    run_free(&changed);
    return st;
}

/* For qsort: by sensor, instant, place. */
static int compare_late(const void *a, const void *b)
{
    const struct late *x = a;
    const struct late *y = b;
    if (x->sensor_id != y->sensor_id)
        return x->sensor_id < y->sensor_id ? -1 : 1;
    if (x->ts_ms != y->ts_ms)
        return x->ts_ms < y->ts_ms ? -1 : 1;
    return (x->i > y->i) - (x->i < y->i);
}

static bool is_same_place(const struct late *a, const struct late *b)
{
    return a->sensor_id == b->sensor_id && a->ts_ms == b->ts_ms;
}

static enum ft_status put_late(struct batch *b, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    size_t n = 0;
    qsort(b->late, b->n_late, sizeof(*b->late), compare_late);
    for (size_t i = 0; i < b->n_late; i++) { /* what a later one overwrites is never written */
        if (i + 1 == b->n_late || !is_same_place(&b->late[i], &b->late[i + 1]))
            b->late[n++] = b->late[i];
        else if (b->outcome != NULL)
            b->outcome[b->late[i].i] = READING_UNCHANGED;
    }
    for (size_t begin = 0; begin < n && st == FT_OK;) {
        const int64_t sensor_id = b->late[begin].sensor_id;
        size_t end = begin + 1;
        while (end < n && b->late[end].sensor_id == sensor_id)
            end++;
        st = put_late_of(b, b->late + begin, end - begin, err);
        begin = end;
    }
    return st;
}

static enum ft_status put_batch(struct batch *b, struct ft_err *err)
{
    enum ft_status st = head_get(b->db, &b->head, err);
    b->kept = calloc(b->n, sizeof(*b->kept));
    b->late = calloc(b->n, sizeof(*b->late));
    if (st == FT_OK && (b->kept == NULL || b->late == NULL))
        st = ft_fail(err, FT_NOMEM, "no memory for a batch of %zu readings", b->n);
    if (st == FT_OK)
        st = put_new(b, err);
    if (st == FT_OK)
        st = put_late(b, err);
    if (st == FT_OK)
        st = flush_row(b, err);
    if (st == FT_OK && b->n_kept > 0)
        st = head_step(b->db, b->head, b->slot, b->n_kept, err);
    free(b->kept);
    free(b->late);
    return st;
}

enum ft_status reading_append(struct db *db, const struct reading_point *points, size_t n,
                              unsigned char *outcome, struct reading_counts *counts,
                              struct ft_err *err)
{
    struct batch b = {.db = db, .points = points, .outcome = outcome, .n = n};
    if (n == 0)
        return FT_OK;
    enum ft_status st = unit_begin(db, err);
    if (st != FT_OK)
        return st;
    st = unit_end(db, put_batch(&b, err), err);
    if (st == FT_OK)
        add_counts(counts, &b.counts);
    return st;
}

enum ft_status reading_seal(struct db *db, struct ft_err *err)
{
    struct reading_head *head = NULL;
    enum ft_status st = unit_begin(db, err);
    if (st != FT_OK)
        return st;
    st = head_get(db, &head, err);
    if (st == FT_OK)
        st = head_seal_all(db, head, err);
    if (st == FT_OK)
        st = db_shrink(db, err);
    return unit_end(db, st, err);
}

/* --- put ------------------------------------------------------------------------------------ */

/* A few readings of one sensor with growing instants. */
static enum ft_status put_small(struct db *db, int64_t sensor_id, const int64_t *ts_ms,
                                const double *value, size_t n, struct reading_counts *counts,
                                struct ft_err *err)
{
    struct reading_point *points = calloc(n, sizeof(*points));
    if (points == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu readings", n);
    for (size_t i = 0; i < n; i++)
        points[i] = (struct reading_point){sensor_id, ts_ms[i], value[i]};
    const enum ft_status st = reading_append(db, points, n, NULL, counts, err);
    free(points);
    return st;
}

/* Many readings of one sensor with growing instants: those whose instants stand in the head are
 * corrected there, the others go to blocks at once. */
static enum ft_status put_bulk(struct db *db, int64_t sensor_id, const int64_t *ts_ms,
                               const double *value, size_t n, struct reading_counts *counts,
                               struct ft_err *err)
{
    struct reading_head *head = NULL;
    struct run recent = {0};
    struct run in_head = {0};
    struct run rest = {0};
    enum ft_status st = head_get(db, &head, err);
    if (st == FT_OK)
        st = head_scan(head, sensor_id, ts_ms[0], ts_ms[n - 1], &recent, err);
    if (st == FT_OK && recent.n == 0) {
        run_free(&recent);
        return block_merge(db, sensor_id, ts_ms, value, n, counts, err);
    }
    if (st == FT_OK)
        st = run_reserve(&in_head, recent.n, err);
    if (st == FT_OK)
        st = run_reserve(&rest, n, err);
    size_t k = 0;
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        while (k < recent.n && recent.ts_ms[k] < ts_ms[i])
            k++;
        if (k < recent.n && recent.ts_ms[k] == ts_ms[i])
            run_add(&in_head, ts_ms[i], value[i]);
        else
            run_add(&rest, ts_ms[i], value[i]);
    }
    if (st == FT_OK && rest.n > 0)
        st = block_merge(db, sensor_id, rest.ts_ms, rest.value, rest.n, counts, err);
    if (st == FT_OK && in_head.n > 0)
        st = put_small(db, sensor_id, in_head.ts_ms, in_head.value, in_head.n, counts, err);
    run_free(&recent);
    run_free(&in_head);
    run_free(&rest);
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
    if (st == FT_OK)
        add_counts(counts, &c);
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

enum ft_status reading_delete(struct db *db, int64_t sensor_id, int64_t from_ms, int64_t to_ms,
                              int64_t *n_deleted, struct ft_err *err)
{
    *n_deleted = 0;
    if (to_ms <= from_ms)
        return FT_OK;
    enum ft_status st = unit_begin(db, err);
    if (st != FT_OK)
        return st;
    st = reading_seal(db, err);
    if (st == FT_OK)
        st = block_delete_range(db, sensor_id, from_ms, to_ms - 1, n_deleted, err);
    if (st == FT_OK)
        st = reading_tier_deleted(db, sensor_id, from_ms, to_ms, err);
    return unit_end(db, st, err);
}
