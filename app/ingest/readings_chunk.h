/* Parsed pieces of a readings file that wait to be written, and the writing itself: one transaction
 * for one chunk. The rows of one asset lie scattered over the pieces; they are gathered by a
 * counting sort and handed to the store a sensor at a time. */
#ifndef APP_INGEST_READINGS_CHUNK_H
#define APP_INGEST_READINGS_CHUNK_H

#include "app/ingest/commit_behind.h"
#include "app/ingest/readings_batch.h"

struct db;

/* One asset (wide) or one sensor of it (long), as far as the database is concerned. */
struct chunk_series {
    int64_t asset_id;   /* 0 = not looked up yet, or not there (dry run) */
    int64_t *sensor_id; /* [n_values], owned; 0 = not looked up yet */
    bool *is_known;     /* [n_values], owned: the sensor has been looked up */
};

struct readings_chunk {
    const struct readings_layout *layout;
    const struct import_options *options;
    struct import_summary *summary;
    int64_t import_id;
    struct names series;        /* of the whole file */
    struct chunk_series *known; /* [known_cap] */
    size_t known_cap;
    struct names assets, sensors;   /* seen with a reading, for the summary */
    int64_t cycle_class_id;         /* class whose cycle length has been set last */
    struct readings_batch *batches; /* [n_batches] */
    int64_t *first_line;            /* [n_batches] line of the file on which the piece begins */
    size_t n_batches, cap;
    size_t size;               /* bytes held by the batches */
    struct rows_memory *spare; /* [n_spare] of batches that are written; owned */
    size_t n_spare, spare_cap;
    struct commit_behind behind; /* of the part written last */
};

void readings_chunk_init(struct readings_chunk *c, const struct readings_layout *layout,
                         const struct import_options *o, struct import_summary *summary);
void readings_chunk_free(struct readings_chunk *c);

/* Takes the batch over (it is emptied). first_line is the line of the file where it begins. */
enum ft_status readings_chunk_add(struct readings_chunk *c, struct readings_batch *b,
                                  int64_t first_line, struct ft_err *err);

/* Memory for a batch, used before or none. */
struct rows_memory readings_chunk_take_memory(struct readings_chunk *c);

/* Is it time to write? Yes when memory bytes are held, and long before when the series are so long
 * (a file sorted by asset) that waiting for more rows would not make better blocks: what is in the
 * processor's cache is written faster. */
bool readings_chunk_is_full(const struct readings_chunk *c, size_t memory);

/* Writes what is held in one transaction and empties the chunk; adds to the summary. The commit
 * goes on behind the next part's parsing: nobody else touches db before readings_chunk_settle(). In
 * a dry run it only compares with what is there (db may be NULL). */
enum ft_status readings_chunk_write(struct readings_chunk *c, struct db *db, struct ft_err *err);

/* Waits until the last part is on disk; its error is answered here or by the next write. */
enum ft_status readings_chunk_settle(struct readings_chunk *c, struct ft_err *err);

#endif
