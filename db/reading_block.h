/* Private to db/: sealed blocks and recent rows of one sensor, and merging readings into blocks.
 * Holds at every commit: blocks of a sensor never overlap, and an instant is in a block or in a
 * recent row, never in both. All calls run inside a transaction of the caller. */
#ifndef DB_READING_BLOCK_H
#define DB_READING_BLOCK_H

#include "app/base/status.h"
#include "db/reading_store.h"
#include "db/segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

/* What a connection keeps between calls: memory only, no data. */
struct reading_cache {
    struct segment_codec *codec;
    int64_t ts_ms[SEGMENT_MAX_N]; /* the block decoded last by block_load() */
    double value[SEGMENT_MAX_N];
};
enum ft_status reading_cache_get(struct db *db, struct reading_cache **out, struct ft_err *err);

/* A growing run of readings. */
struct run {
    int64_t *ts_ms;
    double *value;
    size_t n, cap;
};
enum ft_status run_reserve(struct run *r, size_t n_more, struct ft_err *err);
void run_add(struct run *r, int64_t ts_ms, double value); /* after run_reserve() */
void run_shrink(struct run *r); /* gives memory back that was reserved in vain */
void run_free(struct run *r);

/* Summaries of the blocks that touch [first_ms, last_ms], in order; before them may come one that
 * ends before first_ms: the nearest older one. */
struct block_list {
    struct reading_segment *items; /* without payload */
    size_t n;
};
enum ft_status block_list(struct db *db, int64_t sensor_id, int64_t first_ms, int64_t last_ms,
                          struct block_list *out, struct ft_err *err);
void block_list_free(struct block_list *l);

/* Reads and decodes the block whose summary is given into the cache's arrays. */
enum ft_status block_load(struct db *db, int64_t sensor_id, const struct reading_segment *summary,
                          struct reading_cache *cache, struct ft_err *err);
enum ft_status block_insert(struct db *db, int64_t sensor_id, const struct reading_segment *seg,
                            struct ft_err *err);

/* Recent rows with first_ms <= instant <= last_ms, in order. */
enum ft_status recent_scan(struct db *db, int64_t sensor_id, int64_t first_ms, int64_t last_ms,
                           struct run *out, struct ft_err *err);
enum ft_status recent_delete(struct db *db, int64_t sensor_id, int64_t first_ms, int64_t last_ms,
                             struct ft_err *err);

/* Merges n readings with growing instants into the sensor's blocks. Blocks in which nothing changes
 * are left as they are. is_counted, when not NULL, says which readings count in *counts. */
enum ft_status block_merge(struct db *db, int64_t sensor_id, const int64_t *ts_ms,
                           const double *value, size_t n, const bool *is_counted,
                           struct reading_counts *counts, struct ft_err *err);

/* The same value to the last bit? */
bool is_same_double(double a, double b);

#endif
