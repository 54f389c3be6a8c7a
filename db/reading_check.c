/* Looks at every block and journal row: what db_check() does beyond SQLite's own checks. */
#include "db/connection.h"
#include "db/db.h"
#include "db/reading_block.h"
#include "db/reading_head.h"
#include "db/statement.h"

#include <stdlib.h>

static void read_id(struct statement *s, void *row)
{
    *(int64_t *)row = column_int(s, 0);
}

static void clear_nothing(void *row)
{
    (void)row;
}

/* Is an instant of the block in the cache in the head as well? *k goes up with the blocks. */
static bool has_twice(const struct reading_cache *cache, size_t n, const struct run *recent,
                      size_t *k)
{
    for (size_t i = 0; i < n; i++) {
        while (*k < recent->n && recent->ts_ms[*k] < cache->ts_ms[i])
            ++*k;
        if (*k < recent->n && recent->ts_ms[*k] == cache->ts_ms[i])
            return true;
    }
    return false;
}

static enum ft_status check_blocks(struct db *db, int64_t sensor_id,
                                   const struct block_list *blocks, const struct run *recent,
                                   struct reading_cache *cache, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    size_t k = 0;
    for (size_t b = 0; b < blocks->n && st == FT_OK; b++) {
        const struct reading_segment *s = &blocks->items[b];
        if (b > 0 && s->start_ms <= blocks->items[b - 1].end_ms)
            return ft_fail(err, FT_INVALID, "two blocks overlap at %lld", (long long)s->start_ms);
        st = block_load(db, sensor_id, s, cache, err);
        if (st == FT_OK)
            st = segment_check_summary(s, cache->ts_ms, cache->value, err);
        if (st == FT_OK && has_twice(cache, s->n, recent, &k))
            st = ft_fail(err, FT_INVALID, "the instant %lld is in a block and in the journal",
                         (long long)recent->ts_ms[k]);
    }
    return st;
}

static enum ft_status check_sensor(struct db *db, int64_t sensor_id, struct ft_err *err)
{
    struct block_list blocks = {0};
    struct run recent = {0};
    struct reading_cache *cache = NULL;
    struct reading_head *head = NULL;
    enum ft_status st = reading_cache_get(db, &cache, err);
    if (st == FT_OK)
        st = head_get(db, &head, err);
    if (st == FT_OK)
        st = block_list(db, sensor_id, INT64_MIN, INT64_MAX, &blocks, err);
    if (st == FT_OK)
        st = head_scan(head, sensor_id, INT64_MIN, INT64_MAX, &recent, err);
    if (st == FT_OK)
        st = check_blocks(db, sensor_id, &blocks, &recent, cache, err);
    block_list_free(&blocks);
    run_free(&recent);
    if (st == FT_INVALID)
        ft_err_prefix(err, "%s is damaged: sensor %lld", db->path, (long long)sensor_id);
    return st;
}

/* Every reading of the head is of a sensor that was looked at. */
static enum ft_status check_head(struct db *db, const int64_t *sensor_ids, size_t n,
                                 struct ft_err *err)
{
    struct reading_head *head = NULL;
    enum ft_status st = head_get(db, &head, err);
    if (st != FT_OK)
        return st;
    if (head_n_damaged(head) > 0)
        return ft_fail(err, FT_INVALID,
                       "%s is damaged: the journal has %zu rows that cannot be read", db->path,
                       head_n_damaged(head));
    int64_t n_left = head_count(head);
    for (size_t i = 0; i < n; i++) {
        const struct head_slot *slot = head_find(head, sensor_ids[i]);
        n_left -= slot != NULL ? (int64_t)slot->n : 0;
    }
    if (n_left == 0)
        return FT_OK;
    return ft_fail(err, FT_INVALID,
                   "%s is damaged: the journal has %lld readings of a sensor that does not exist",
                   db->path, (long long)n_left);
}

/* Ids of the sensors that have readings; the caller frees out->items. */
static enum ft_status list_sensors(struct db *db, struct row_array *out, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_reading_sensors, err);
    return statement_list(&s, sizeof(int64_t), read_id, clear_nothing, out);
}

enum ft_status reading_check(struct db *db, struct ft_err *err)
{
    struct row_array sensors;
    enum ft_status st = db_begin(db, err);
    if (st != FT_OK)
        return st;
    st = list_sensors(db, &sensors, err);
    const int64_t *ids = sensors.items;
    for (size_t i = 0; i < sensors.n && st == FT_OK; i++)
        st = check_sensor(db, ids[i], err);
    if (st == FT_OK)
        st = check_head(db, ids, sensors.n, err);
    free(sensors.items);
    const enum ft_status ended = db_commit(db, err);
    return st != FT_OK ? st : ended;
}

/* Sets the damaged blocks of one sensor aside. */
static enum ft_status clean_sensor(struct db *db, int64_t sensor_id, int64_t *n_blocks,
                                   struct ft_err *err)
{
    struct block_list blocks = {0};
    struct reading_cache *cache = NULL;
    enum ft_status st = reading_cache_get(db, &cache, err);
    if (st == FT_OK)
        st = block_list(db, sensor_id, INT64_MIN, INT64_MAX, &blocks, err);
    for (size_t b = 0; b < blocks.n && st == FT_OK; b++) {
        struct ft_err why;
        const enum ft_status found = block_load(db, sensor_id, &blocks.items[b], cache, &why);
        if (found == FT_OK)
            continue;
        st = found == FT_INVALID ? block_set_aside(db, sensor_id, &blocks.items[b], why.msg, err)
                                 : ft_fail(err, found, "%s", why.msg);
        *n_blocks += st == FT_OK;
    }
    block_list_free(&blocks);
    return st;
}

enum ft_status reading_set_aside_damaged(struct db *db, int64_t *n_blocks, struct ft_err *err)
{
    struct row_array sensors;
    *n_blocks = 0;
    enum ft_status st = unit_begin(db, err);
    if (st != FT_OK)
        return st;
    st = list_sensors(db, &sensors, err);
    const int64_t *ids = sensors.items;
    for (size_t i = 0; i < sensors.n && st == FT_OK; i++)
        st = clean_sensor(db, ids[i], n_blocks, err);
    free(sensors.items);
    return unit_end(db, st, err);
}

enum ft_status reading_count_damaged(struct db *db, int64_t *n, struct ft_err *err)
{
    struct statement s = statement_begin(db, QUERY_damaged_count, err);
    *n = statement_row(&s) ? column_int(&s, 1) : 0;
    return statement_end(&s);
}
