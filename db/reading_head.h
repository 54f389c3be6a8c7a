/* Private to db/: the newest readings of each sensor in memory, rebuilt from the journal. Each
 * connection has a head of its own and brings it up to its snapshot before it reads (head_get());
 * the writer's is kept current by what it writes and dropped when a transaction is rolled back.
 *
 * A reading is in a block or in the head, never in both. Sealing walks over the sensors in the
 * order of their ids and moves their readings of journal rows up to a fixed id into blocks; table
 * reading_seal says how far it has come, so a walk is done in small steps, each inside the
 * transaction of an append, and goes on after a restart. Journal rows go when their walk ends. */
#ifndef DB_READING_HEAD_H
#define DB_READING_HEAD_H

#include "app/base/status.h"
#include "db/reading_block.h"
#include "db/reading_store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

/* A reading and the journal row that holds it. */
struct head_point {
    int64_t ts_ms;
    double value;
    int64_t journal_id;
};

struct head_slot {
    int64_t sensor_id;
    struct head_point *points; /* [n], by instant, no instant twice */
    size_t n, cap;
    int64_t block_end_ms; /* writer: no block ends later; valid when has_block_end */
    bool has_block_end;
};

struct reading_head;

/* The connection's head as of its transaction. */
enum ft_status head_get(struct db *db, struct reading_head **out, struct ft_err *err);

/* The sensor's readings that are not in blocks; NULL: none. Valid until the next call. */
struct head_slot *head_find(struct reading_head *h, int64_t sensor_id);
/* Copies those with first_ms <= instant <= last_ms. */
enum ft_status head_scan(struct reading_head *h, int64_t sensor_id, int64_t first_ms,
                         int64_t last_ms, struct run *out, struct ft_err *err);
/* Number of readings and newest instant over all sensors. */
int64_t head_count(struct reading_head *h);
/* Journal rows that could not be decoded; a writer sets them aside, a reader leaves them out. */
size_t head_n_damaged(const struct reading_head *h);
bool head_newest(struct reading_head *h, int64_t *ts_ms);

/* For the writer: the slot is made when it is not there, after the sensor was looked up.
 * FT_INVALID: no such sensor. */
enum ft_status head_open(struct db *db, struct reading_head *h, int64_t sensor_id,
                         struct head_slot **out, struct ft_err *err);
/* Sets one reading; says what it was before. */
enum ft_status head_put(struct reading_head *h, struct head_slot *slot, int64_t ts_ms, double value,
                        enum reading_outcome *outcome, struct ft_err *err);
/* Id of the journal row that the readings put now will go to. */
int64_t head_next_id(const struct reading_head *h);
/* Writes the row of n points; head_put() was called for each of them. */
enum ft_status head_write(struct db *db, struct reading_head *h, const struct reading_point *points,
                          size_t n, struct ft_err *err);
/* One step of the walk, after the journal grew by n_new readings, of which last is a slot. Starts a
 * walk when the head is long enough. */
enum ft_status head_step(struct db *db, struct reading_head *h, const struct head_slot *last,
                         size_t n_new, struct ft_err *err);
/* The walk to its end, then one over everything. */
enum ft_status head_seal_all(struct db *db, struct reading_head *h, struct ft_err *err);

/* A block of the sensor now ends there (writer). */
void head_note_block(struct db *db, int64_t sensor_id, int64_t end_ms);

/* The transaction (or a part of it) was taken back, or it was written: what the writer's head holds
 * is void, or stands. */
void head_rolled_back(struct db *db);
void head_committed(struct db *db);
void reading_head_free(struct reading_head *h); /* NULL is fine */

#endif
