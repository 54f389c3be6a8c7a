/* One piece of a readings file, parsed: rows as they stand in the file and the rows that could not
 * be taken. No database, no shared state: several threads parse their own pieces. */
#ifndef APP_INGEST_READINGS_BATCH_H
#define APP_INGEST_READINGS_BATCH_H

#include "app/base/buf.h"
#include "app/ingest/names.h"
#include "app/ingest/readings_layout.h"
#include "app/ingest/when.h"

/* Between asset and sensor in the name of a long file's series; no name may hold it. */
#define READINGS_SERIES_MARK '\x1f'

struct bad_row {
    int64_t line;     /* counted from the beginning of the piece, 1 = its first line */
    int column;       /* first bad column; COLUMN_NONE = the row as a whole */
    size_t reason_at; /* in text, NUL-terminated */
    size_t raw_at;    /* in text, NUL-terminated, at most BATCH_RAW_MAX bytes */
};

#define BATCH_RAW_MAX 4000

/* Memory of the rows of a batch. */
struct rows_memory {
    void *p; /* owned */
    size_t size;
};

struct readings_batch {
    struct names series;       /* asset, or asset MARK sensor when long */
    struct rows_memory memory; /* of the three below */
    uint32_t *series_of;       /* [n] number of the row's series */
    int64_t *ts_ms;            /* [n] */
    double *values;            /* [n_values][cap], n of each column used; NaN = missing or bad */
    size_t n, cap, n_values;
    struct bad_row *bad; /* [n_bad], by line */
    size_t n_bad, bad_cap;
    struct buf text;
    int64_t n_rows, n_missing; /* data rows, bad ones included; empty cells */
    size_t n_lines;
    size_t n_used; /* bytes taken */
    enum ft_status status;
    struct ft_err err;
};

/* Parses the records that begin in [p, end); memory is what an older batch left (or nothing) and
 * becomes the batch's. Good cells of a row with a bad cell are kept; a row
 * with a bad time or asset, or with another number of fields than the header, is not. A bad row
 * never ends the work; b->status is FT_OK or FT_NOMEM. The caller ends b with
 * readings_batch_free(). */
void readings_batch_parse(const struct readings_layout *layout, struct when *when, const char *p,
                          const char *end, bool is_last, struct rows_memory memory,
                          struct readings_batch *b);
void readings_batch_free(struct readings_batch *b);

/* Bytes that the rows hold in memory. */
size_t readings_batch_size(const struct readings_batch *b);

#endif
