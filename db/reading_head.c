#include "db/reading_head.h"

#include "app/base/clock.h"
#include "db/codebook_store.h"
#include "db/connection.h"
#include "db/db.h"
#include "db/reading_journal.h"
#include "db/statement.h"

#include <stdlib.h>
#include <string.h>

enum {
    WALK_POINTS = 1 << 18, /* so many readings in the head start a walk */
    WALK_ROWS = 8192,      /* or so many journal rows */
    WALK_LONG = 16384,     /* or so many readings of one sensor */
    STEP_POINTS = 1 << 17, /* a walk ends before the journal grew by so many readings more */
    STEP_ROWS = 4096,      /* or by so many rows more */
    FIRST_SLOTS = 256      /* power of two */
};

struct reading_head {
    struct head_slot *slots; /* [n_slots], owned */
    size_t n_slots, cap;
    uint32_t *table; /* [table_size] number of a slot + 1, by hash of its sensor; 0 = free; owned */
    size_t table_size;
    int64_t n_points;                /* in all slots, dead ones included until they are dropped */
    int64_t first_id, last_id;       /* of the journal rows that were read */
    int64_t upto_id, next_sensor_id; /* table reading_seal */
    int64_t n_rows;                  /* journal rows */
    size_t n_damaged;                /* rows that could not be decoded */
    bool is_loaded;                  /* else everything has to be read again */
    bool is_dirty;                   /* changed by the transaction under way */
    int64_t *walk;                   /* [n_walk] ids of the sensors of the walk under way, sorted */
    size_t n_walk, i_walk, walk_step; /* walk_step: at least so many sensors a step */
};

/* --- slots ---------------------------------------------------------------------------------- */

static void clear(struct reading_head *h)
{
    for (size_t i = 0; i < h->n_slots; i++)
        free(h->slots[i].points);
    free(h->slots);
    free(h->table);
    free(h->walk);
    *h = (struct reading_head){0};
}

void reading_head_free(struct reading_head *h)
{
    if (h != NULL)
        clear(h);
    free(h);
}

static size_t hash(int64_t sensor_id, size_t size)
{
    return (size_t)(((uint64_t)sensor_id * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (size - 1);
}

static void enter(struct reading_head *h, size_t slot)
{
    size_t at = hash(h->slots[slot].sensor_id, h->table_size);
    while (h->table[at] != 0)
        at = (at + 1) & (h->table_size - 1);
    h->table[at] = (uint32_t)slot + 1;
}

static struct head_slot *lookup(const struct reading_head *h, int64_t sensor_id)
{
    if (h->table_size == 0)
        return NULL;
    size_t at = hash(sensor_id, h->table_size);
    for (; h->table[at] != 0; at = (at + 1) & (h->table_size - 1))
        if (h->slots[h->table[at] - 1].sensor_id == sensor_id)
            return &h->slots[h->table[at] - 1];
    return NULL;
}

static enum ft_status grow(struct reading_head *h, struct ft_err *err)
{
    const size_t cap = h->cap == 0 ? FIRST_SLOTS : h->cap * 2;
    uint32_t *table = calloc(cap * 2, sizeof(*table));
    struct head_slot *slots = reallocarray(h->slots, cap, sizeof(*slots));
    if (slots != NULL)
        h->slots = slots;
    if (table == NULL || slots == NULL) {
        free(table);
        return ft_fail(err, FT_NOMEM, "no memory for the newest readings of %zu sensors", cap);
    }
    free(h->table);
    h->table = table;
    h->table_size = cap * 2;
    h->cap = cap;
    for (size_t i = 0; i < h->n_slots; i++)
        enter(h, i);
    return FT_OK;
}

static enum ft_status make_slot(struct reading_head *h, int64_t sensor_id, struct head_slot **out,
                                struct ft_err *err)
{
    *out = lookup(h, sensor_id);
    if (*out != NULL)
        return FT_OK;
    if (h->n_slots == h->cap) {
        const enum ft_status st = grow(h, err);
        if (st != FT_OK)
            return st;
    }
    h->slots[h->n_slots] = (struct head_slot){.sensor_id = sensor_id};
    enter(h, h->n_slots);
    *out = &h->slots[h->n_slots++];
    return FT_OK;
}

/* Journal rows up to here do not count for the sensor any more. */
static int64_t floor_id(const struct reading_head *h, int64_t sensor_id)
{
    return sensor_id < h->next_sensor_id ? h->upto_id : h->first_id - 1;
}

/* Drops what has been sealed since the slot was filled. */
static void trim(struct reading_head *h, struct head_slot *slot)
{
    const int64_t floor = floor_id(h, slot->sensor_id);
    size_t n = 0;
    for (size_t i = 0; i < slot->n; i++)
        if (slot->points[i].journal_id > floor)
            slot->points[n++] = slot->points[i];
    h->n_points -= (int64_t)(slot->n - n);
    slot->n = n;
    if (n == 0 && slot->cap > 64) {
        free(slot->points);
        slot->points = NULL;
        slot->cap = 0;
    }
}

static bool is_same_bits(double a, double b)
{
    uint64_t x, y;
    memcpy(&x, &a, sizeof(x));
    memcpy(&y, &b, sizeof(y));
    return x == y;
}

/* First point that is not before the instant. What is late is mostly a little late: the search
 * begins at the end and takes steps that double. */
static size_t find(const struct head_slot *slot, int64_t ts_ms)
{
    size_t low = slot->n;
    size_t high = slot->n;
    for (size_t step = 1; low > 0 && slot->points[low - 1].ts_ms >= ts_ms; step *= 2) {
        high = low - 1;
        low = low > step ? low - step : 0;
    }
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (slot->points[middle].ts_ms < ts_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum ft_status put(struct reading_head *h, struct head_slot *slot, struct head_point p,
                          enum reading_outcome *outcome, struct ft_err *err)
{
    const size_t at = find(slot, p.ts_ms);
    if (at < slot->n && slot->points[at].ts_ms == p.ts_ms) {
        *outcome =
            is_same_bits(slot->points[at].value, p.value) ? READING_UNCHANGED : READING_CHANGED;
        if (*outcome == READING_CHANGED)
            slot->points[at] = p;
        return FT_OK;
    }
    *outcome = READING_NEW;
    if (slot->n == slot->cap) {
        const size_t cap = slot->cap < 8 ? 8 : slot->cap + slot->cap / 2;
        struct head_point *points = reallocarray(slot->points, cap, sizeof(*points));
        if (points == NULL)
            return ft_fail(err, FT_NOMEM, "no memory for %zu readings", cap);
        slot->points = points;
        slot->cap = cap;
    }
    memmove(slot->points + at + 1, slot->points + at, (slot->n - at) * sizeof(p));
    slot->points[at] = p;
    slot->n++;
    h->n_points++;
    return FT_OK;
}

/* --- from the journal ----------------------------------------------------------------------- */

static enum ft_status take_row(struct reading_head *h, int64_t id, const unsigned char *payload,
                               size_t len, struct ft_err *err)
{
    struct reading_point *points = NULL;
    size_t n = 0;
    struct head_slot *slot = NULL;
    enum ft_status st = journal_decode(payload, len, &points, &n, err);
    if (st != FT_OK)
        ft_err_prefix(err, "row %lld", (long long)id);
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        const struct head_point p = {points[i].ts_ms, points[i].value, id};
        enum reading_outcome ignored;
        if (slot == NULL || slot->sensor_id != points[i].sensor_id)
            st = make_slot(h, points[i].sensor_id, &slot, err);
        if (st == FT_OK && id > floor_id(h, points[i].sensor_id))
            st = put(h, slot, p, &ignored, err);
    }
    free(points);
    return st;
}

static enum ft_status read_state(struct db *db, struct reading_head *h, bool *is_changed,
                                 struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_journal_state, err);
    if (statement_row(&s)) {
        const int64_t upto_id = column_int(&s, 0);
        const int64_t next_id = column_int(&s, 1);
        *is_changed = upto_id != h->upto_id || next_id != h->next_sensor_id;
        h->upto_id = upto_id;
        h->next_sensor_id = next_id;
        h->first_id = column_int_or(&s, 2, upto_id + 1); /* no rows: all up to upto_id are sealed */
    }
    return statement_end(&s);
}

/* Damaged journal rows of a writer go to reading_damaged, so that the next seal does not delete
 * them. */
static enum ft_status set_row_aside(struct db *db, int64_t id, const char *reason,
                                    struct ft_err *err)
{
    struct statement add = statement_begin(db, QUERY_damaged_add_row, err);
    bind_int(&add, ":id", id);
    bind_int(&add, ":found_ms", clock_now_ms());
    bind_text(&add, ":reason", reason);
    const enum ft_status st = statement_run(&add);
    if (st != FT_OK)
        return st;
    struct statement remove = statement_begin(db, QUERY_damaged_remove_row, err);
    bind_int(&remove, ":id", id);
    return statement_run(&remove);
}

/* Reads rows until there are no more or one is damaged: *bad_id then names it, else it is 0. */
static enum ft_status read_rows(struct db *db, struct reading_head *h, int64_t *bad_id,
                                struct ft_err *why, struct ft_err *err)
{
    *bad_id = 0;
    struct statement s = statement_begin(db, QUERY_journal_list, err);
    bind_int(&s, ":after_id", h->last_id);
    while (*bad_id == 0 && statement_row(&s)) {
        const int64_t id = column_int(&s, 0);
        const unsigned char *payload = sqlite3_column_blob(s.stmt, 1); /* read only, not kept */
        const size_t len = (size_t)sqlite3_column_bytes(s.stmt, 1);
        const enum ft_status st = take_row(h, id, payload, payload != NULL ? len : 0, why);
        if (st == FT_INVALID)
            *bad_id = id;
        else if (st != FT_OK)
            statement_fail(&s, ft_fail(err, st, "%s", why->msg));
        h->last_id = id;
        h->n_rows++;
    }
    return statement_end(&s);
}

/* The rest is served when a row is damaged. */
static enum ft_status read_all_rows(struct db *db, struct reading_head *h, struct ft_err *err)
{
    int64_t bad_id = 0;
    struct ft_err why;
    do {
        enum ft_status st = read_rows(db, h, &bad_id, &why, err);
        if (st == FT_OK && bad_id != 0)
            h->n_damaged++;
        if (st == FT_OK && bad_id != 0 && db->is_writer)
            st = set_row_aside(db, bad_id, why.msg, err);
        if (st != FT_OK)
            return st;
    } while (bad_id != 0);
    return FT_OK;
}

/* Brings the head up to the snapshot of the transaction. */
static enum ft_status refresh(struct db *db, struct reading_head *h, struct ft_err *err)
{
    bool is_changed = false;
    if (!h->is_loaded)
        clear(h);
    enum ft_status st = read_state(db, h, &is_changed, err);
    if (st == FT_OK && is_changed) {
        h->n_rows = 0;
        for (size_t i = 0; i < h->n_slots; i++)
            trim(h, &h->slots[i]);
    }
    if (st == FT_OK)
        st = read_all_rows(db, h, err);
    h->last_id = h->last_id > h->upto_id ? h->last_id : h->upto_id;
    h->is_loaded = st == FT_OK;
    return st;
}

enum ft_status head_get(struct db *db, struct reading_head **out, struct ft_err *err)
{
    if (db->head == NULL)
        db->head = calloc(1, sizeof(*db->head));
    *out = db->head;
    if (db->head == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for the newest readings");
    if (db->is_writer && db->head->is_loaded)
        return FT_OK;
    const enum ft_status st = refresh(db, db->head, err);
    if (st == FT_INVALID)
        ft_err_prefix(err, "%s is damaged", db->path);
    return st;
}

struct head_slot *head_find(struct reading_head *h, int64_t sensor_id)
{
    struct head_slot *slot = lookup(h, sensor_id);
    return slot != NULL && slot->n > 0 ? slot : NULL;
}

enum ft_status head_scan(struct reading_head *h, int64_t sensor_id, int64_t first_ms,
                         int64_t last_ms, struct run *out, struct ft_err *err)
{
    const struct head_slot *slot = head_find(h, sensor_id);
    if (slot == NULL)
        return FT_OK;
    const size_t begin = find(slot, first_ms);
    size_t end = begin;
    while (end < slot->n && slot->points[end].ts_ms <= last_ms)
        end++;
    const enum ft_status st = run_reserve(out, end - begin, err);
    for (size_t i = begin; i < end && st == FT_OK; i++)
        run_add(out, slot->points[i].ts_ms, slot->points[i].value);
    return st;
}

int64_t head_count(struct reading_head *h)
{
    return h->n_points;
}

size_t head_n_damaged(const struct reading_head *h)
{
    return h->n_damaged;
}

bool head_newest(struct reading_head *h, int64_t *ts_ms)
{
    bool is_found = false;
    for (size_t i = 0; i < h->n_slots; i++) {
        const struct head_slot *slot = &h->slots[i];
        if (slot->n == 0 || (is_found && slot->points[slot->n - 1].ts_ms <= *ts_ms))
            continue;
        *ts_ms = slot->points[slot->n - 1].ts_ms;
        is_found = true;
    }
    return is_found;
}

/* --- writing -------------------------------------------------------------------------------- */

static enum ft_status look_up_sensor(struct db *db, struct head_slot *slot, struct ft_err *err)
{
    bool is_known = false;
    struct statement s = statement_begin(db, QUERY_sensor_block_end, err);
    bind_int(&s, ":sensor_id", slot->sensor_id);
    if (statement_row(&s)) {
        is_known = true;
        slot->block_end_ms = column_int_or(&s, 0, INT64_MIN);
    }
    const enum ft_status st = statement_end(&s);
    slot->has_block_end = st == FT_OK && is_known;
    if (st == FT_OK && !is_known)
        return ft_fail(err, FT_INVALID, "sensor %lld does not exist", (long long)slot->sensor_id);
    return st;
}

enum ft_status head_open(struct db *db, struct reading_head *h, int64_t sensor_id,
                         struct head_slot **out, struct ft_err *err)
{
    const enum ft_status st = make_slot(h, sensor_id, out, err);
    h->is_dirty = true; /* a new sensor may be taken back with the transaction */
    return st == FT_OK && !(*out)->has_block_end ? look_up_sensor(db, *out, err) : st;
}

int64_t head_next_id(const struct reading_head *h)
{
    return h->last_id + 1;
}

enum ft_status head_put(struct reading_head *h, struct head_slot *slot, int64_t ts_ms, double value,
                        enum reading_outcome *outcome, struct ft_err *err)
{
    const struct head_point p = {ts_ms, value, head_next_id(h)};
    h->is_dirty = true;
    return put(h, slot, p, outcome, err);
}

enum ft_status head_write(struct db *db, struct reading_head *h, const struct reading_point *points,
                          size_t n, struct ft_err *err)
{
    unsigned char *payload = NULL;
    size_t len = 0;
    enum ft_status st = journal_encode(points, n, &payload, &len, err);
    if (st != FT_OK)
        return st;
    struct statement s = statement_begin(db, QUERY_journal_insert, err);
    bind_int(&s, ":id", head_next_id(h));
    bind_int(&s, ":n", (int64_t)n);
    bind_blob(&s, ":payload", payload, len);
    st = statement_run(&s);
    free(payload);
    if (st == FT_OK) {
        h->last_id++;
        h->n_rows++;
    }
    return st;
}

void head_note_block(struct db *db, int64_t sensor_id, int64_t end_ms)
{
    struct head_slot *slot = db->head != NULL ? lookup(db->head, sensor_id) : NULL;
    if (slot != NULL && slot->has_block_end && slot->block_end_ms < end_ms) {
        slot->block_end_ms = end_ms;
        db->head->is_dirty = true;
    }
}

void head_rolled_back(struct db *db)
{
    if (db->head == NULL || !db->head->is_dirty)
        return;
    codebook_forget(db); /* some may have been learnt in it */
    db->head->is_loaded = false;
    db->head->is_dirty = db->depth > 0; /* what is read again may be taken back as well */
}

void head_committed(struct db *db)
{
    if (db->head != NULL)
        db->head->is_dirty = false;
}

/* --- sealing -------------------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static enum ft_status write_state(struct db *db, struct reading_head *h, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_journal_set_state, err);
    bind_int(&s, ":upto_id", h->upto_id);
    bind_int(&s, ":next_sensor_id", h->next_sensor_id);
    return statement_run(&s);
}

/* The sensors that the walk has still to visit. */
static enum ft_status list_walk(struct reading_head *h, struct ft_err *err)
{
    free(h->walk);
    h->n_walk = 0;
    h->i_walk = 0;
    h->walk = calloc(h->n_slots + 1, sizeof(*h->walk));
    if (h->walk == NULL)
        return ft_fail(err, FT_NOMEM, "no memory to seal %zu sensors", h->n_slots);
    for (size_t i = 0; i < h->n_slots; i++)
        if (h->slots[i].n > 0 && h->slots[i].sensor_id >= h->next_sensor_id)
            h->walk[h->n_walk++] = h->slots[i].sensor_id;
    qsort(h->walk, h->n_walk, sizeof(*h->walk), compare_ids);
    return FT_OK;
}

static bool is_walking(const struct reading_head *h)
{
    return h->next_sensor_id != INT64_MAX;
}

/* Short runs that are about to be sealed teach codebooks. */
static enum ft_status learn(struct db *db, struct reading_head *h, struct ft_err *err)
{
    struct codebook_sample *samples = calloc(h->n_walk + 1, sizeof(*samples));
    double *values = calloc((size_t)h->n_points + 1, sizeof(*values));
    size_t n_values = 0;
    size_t n = 0;
    enum ft_status st = FT_OK;
    if (samples == NULL || values == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory to seal %zu sensors", h->n_walk);
    for (size_t i = 0; i < h->n_walk && st == FT_OK; i++) {
        const struct head_slot *slot = lookup(h, h->walk[i]);
        if (slot->n > CODEBOOK_MAX_N)
            continue;
        samples[n++] = (struct codebook_sample){slot->sensor_id, values + n_values, slot->n};
        for (size_t k = 0; k < slot->n; k++)
            values[n_values++] = slot->points[k].value;
    }
    if (st == FT_OK)
        st = codebook_learn(db, samples, n, err);
    free(samples);
    free(values);
    return st;
}

static enum ft_status begin_walk(struct db *db, struct reading_head *h, struct ft_err *err)
{
    h->is_dirty = true;
    h->upto_id = h->last_id;
    h->next_sensor_id = INT64_MIN;
    enum ft_status st = write_state(db, h, err);
    if (st == FT_OK)
        st = list_walk(h, err);
    return st == FT_OK ? learn(db, h, err) : st;
}

/* Rows up to upto_id hold nothing any more. */
static enum ft_status end_walk(struct db *db, struct reading_head *h, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_journal_delete, err);
    bind_int(&s, ":upto_id", h->upto_id);
    enum ft_status st = statement_run(&s);
    h->n_rows = h->last_id - h->upto_id;
    h->first_id = h->upto_id + 1;
    h->next_sensor_id = INT64_MAX;
    return st == FT_OK ? write_state(db, h, err) : st;
}

/* Moves what the walk takes of one sensor into blocks. */
static enum ft_status seal_sensor(struct db *db, struct reading_head *h, int64_t sensor_id,
                                  struct ft_err *err)
{
    struct head_slot *slot = lookup(h, sensor_id);
    struct run run = {0};
    struct reading_counts ignored = {0};
    enum ft_status st = run_reserve(&run, slot->n, err);
    for (size_t i = 0; i < slot->n && st == FT_OK; i++)
        if (slot->points[i].journal_id <= h->upto_id)
            run_add(&run, slot->points[i].ts_ms, slot->points[i].value);
    if (st == FT_OK)
        st = block_merge(db, sensor_id, run.ts_ms, run.value, run.n, &ignored, err);
    run_free(&run);
    return st;
}

static enum ft_status walk(struct db *db, struct reading_head *h, size_t n_sensors,
                           struct ft_err *err)
{
    enum ft_status st = h->walk == NULL ? list_walk(h, err) : FT_OK;
    const size_t first = h->i_walk;
    h->is_dirty = true;
    for (; h->i_walk < h->n_walk && h->i_walk - first < n_sensors && st == FT_OK; h->i_walk++)
        st = seal_sensor(db, h, h->walk[h->i_walk], err);
    if (st != FT_OK)
        return st;
    const bool is_over = h->i_walk == h->n_walk;
    h->next_sensor_id = is_over ? INT64_MAX : h->walk[h->i_walk];
    for (size_t i = first; i < h->i_walk; i++)
        trim(h, lookup(h, h->walk[i]));
    return is_over ? end_walk(db, h, err) : write_state(db, h, err);
}

static bool is_long(const struct reading_head *h, const struct head_slot *last)
{
    return h->n_points >= WALK_POINTS || h->n_rows >= WALK_ROWS ||
           (last != NULL && last->n >= WALK_LONG);
}

enum ft_status head_step(struct db *db, struct reading_head *h, const struct head_slot *last,
                         size_t n_new, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    if (!is_walking(h)) {
        if (!is_long(h, last))
            return FT_OK;
        st = begin_walk(db, h, err);
    }
    const size_t left = h->n_walk - h->i_walk;
    const size_t by_points = h->n_walk * n_new / STEP_POINTS;
    const size_t by_rows = h->n_walk / STEP_ROWS;
    size_t n = 2 + (by_points > by_rows ? by_points : by_rows);
    n = n > left ? left : n;
    return st == FT_OK ? walk(db, h, n, err) : st;
}

enum ft_status head_seal_all(struct db *db, struct reading_head *h, struct ft_err *err)
{
    enum ft_status st = is_walking(h) ? walk(db, h, SIZE_MAX, err) : FT_OK;
    if (st != FT_OK || h->n_rows == 0)
        return st;
    st = begin_walk(db, h, err);
    return st == FT_OK ? walk(db, h, SIZE_MAX, err) : st;
}
