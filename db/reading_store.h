/* Readings. The header hides how they are kept. The key is (sensor, instant): the last write wins
 * and a re-send changes nothing. Every double comes back bit for bit. */
#ifndef DB_READING_STORE_H
#define DB_READING_STORE_H

#include "app/base/status.h"
#include "db/segment.h"

#include <stddef.h>
#include <stdint.h>

struct db;

struct reading_counts {
    int64_t n_new, n_changed, n_unchanged;
};

/* One reading of a batch. */
struct reading_point {
    int64_t sensor_id;
    int64_t ts_ms;
    double value;
};

enum reading_outcome { READING_NEW, READING_CHANGED, READING_UNCHANGED };

/* Readings of one sensor, sorted by instant, no instant twice. */
struct readings {
    int64_t *ts_ms; /* [n], owned */
    double *value;  /* [n], owned */
    size_t n;
    size_t n_damaged; /* readings of damaged blocks in the range, which are left out */
};

/* Writes an ingest batch: n readings of any sensors in any order (a later one in the array wins at
 * the same sensor and instant) as one compressed row of the journal (one for each 65,536 points)
 * inside the caller's transaction, or one of its own. outcome[n] gets an enum reading_outcome for
 * each reading, NULL = not wanted. Adds to *counts. What changes nothing is not written, so a batch
 * that is sent again writes nothing. Each call also moves a part of what the journal holds into
 * blocks, so that its length stays bounded. FT_INVALID: a sensor does not exist; nothing is
 * written. */
enum ft_status reading_append(struct db *db, const struct reading_point *points, size_t n,
                              unsigned char *outcome, struct reading_counts *counts,
                              struct ft_err *err);

/* Moves all of the journal into blocks: the file is smallest then. Good after a bulk import and
 * once a night. */
enum ft_status reading_seal(struct db *db, struct ft_err *err);

/* Deletes the readings of a sensor with from_ms <= instant < to_ms, and the hours (table
 * reading_hour) that the range touches, which are computed again as far as readings are left. Seals
 * first. */
enum ft_status reading_delete(struct db *db, int64_t sensor_id, int64_t from_ms, int64_t to_ms,
                              int64_t *n_deleted, struct ft_err *err);

/* Writes n readings of one sensor in any order (a later one in the arrays wins at the same instant)
 * inside the caller's transaction. Adds to *counts. Good for one reading and for a million. */
enum ft_status reading_put(struct db *db, int64_t sensor_id, const int64_t *ts_ms,
                           const double *value, size_t n, struct reading_counts *counts,
                           struct ft_err *err);

/* Writes blocks made by segment_encode() (any thread may encode, see db/segment.h) that lie one
 * after the other and strictly after the sensor's last reading; else FT_CONFLICT and nothing is
 * written: use reading_put() then. Blocks of SEGMENT_TARGET_N readings are best. */
enum ft_status reading_put_segments(struct db *db, int64_t sensor_id,
                                    const struct reading_segment *segs, size_t n_segs,
                                    struct reading_counts *counts, struct ft_err *err);

/* All readings with from_ms <= instant < to_ms. The caller ends *out with readings_free(). */
enum ft_status reading_scan(struct db *db, int64_t sensor_id, int64_t from_ms, int64_t to_ms,
                            struct readings *out, struct ft_err *err);
void readings_free(struct readings *r);

struct reading_span {
    int64_t n;                 /* readings in all */
    int64_t first_ms, last_ms; /* meaningless when n is 0 */
    double last_value;
};
enum ft_status reading_span(struct db *db, int64_t sensor_id, struct reading_span *out,
                            struct ft_err *err);

/* One column of a down-sampled chart. NaN readings do not count; missing columns have n = 0 and NaN
 * in the others. */
struct reading_bucket {
    int64_t start_ms;
    int64_t n;
    double min, max, mean, last;
};
/* n_buckets equal parts of [from_ms, to_ms) into out[n_buckets]; keeps extremes. */
enum ft_status reading_buckets(struct db *db, int64_t sensor_id, int64_t from_ms, int64_t to_ms,
                               size_t n_buckets, struct reading_bucket *out, struct ft_err *err);

/* Newest instant over all sensors; FT_NOT_FOUND when there is no reading. */
enum ft_status reading_newest(struct db *db, int64_t *ts_ms, struct ft_err *err);

/* Newest instant over the sensors of one asset; FT_NOT_FOUND when they have no reading. */
enum ft_status reading_newest_of_asset(struct db *db, int64_t asset_id, int64_t *ts_ms,
                                       struct ft_err *err);

/* Readings that were found damaged and set aside, see table reading_damaged. */
enum ft_status reading_count_damaged(struct db *db, int64_t *n, struct ft_err *err);

/* Looks at every block and sets damaged ones aside; *n_blocks says how many. */
enum ft_status reading_set_aside_damaged(struct db *db, int64_t *n_blocks, struct ft_err *err);

/* Number of readings in the whole store. */
enum ft_status reading_count(struct db *db, int64_t *n, struct ft_err *err);

#endif
