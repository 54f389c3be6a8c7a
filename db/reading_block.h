/* Private to db/: the sealed blocks of one sensor, and merging readings into them. Blocks of a
 * sensor never overlap. All calls run inside a transaction of the caller. */
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
/* The same into arrays of the caller with room for summary->n. */
enum ft_status block_load_into(struct db *db, int64_t sensor_id,
                               const struct reading_segment *summary, struct reading_cache *cache,
                               int64_t *ts_ms, double *value, struct ft_err *err);

/* Sets a block that block_load() refused with FT_INVALID aside (table reading_damaged). */
enum ft_status block_set_aside(struct db *db, int64_t sensor_id,
                               const struct reading_segment *summary, const char *reason,
                               struct ft_err *err);
enum ft_status block_insert(struct db *db, int64_t sensor_id, const struct reading_segment *seg,
                            struct ft_err *err);

/* Merges n readings with growing instants into the sensor's blocks. Blocks in which nothing changes
 * are left as they are, damaged ones in its way are set aside. */
enum ft_status block_merge(struct db *db, int64_t sensor_id, const int64_t *ts_ms,
                           const double *value, size_t n, struct reading_counts *counts,
                           struct ft_err *err);

/* Takes readings with first_ms <= instant <= last_ms out of the blocks. */
enum ft_status block_delete_range(struct db *db, int64_t sensor_id, int64_t first_ms,
                                  int64_t last_ms, int64_t *n_deleted, struct ft_err *err);

/* The same value to the last bit? */
bool is_same_double(double a, double b);

#endif
