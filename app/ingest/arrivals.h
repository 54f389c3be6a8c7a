/* How readings come in by the live doors, sensor by sensor: how many again, changed, out of order.
 * Counted in memory by any thread, added to the database now and then by the writer; a crash or a
 * transaction that is taken back loses at most the counts since then, never a reading. After a
 * start the first reading of a sensor is the newest that is known. */
#ifndef APP_INGEST_ARRIVALS_H
#define APP_INGEST_ARRIVALS_H

#include "app/base/status.h"
#include "db/reading_store.h"

#include <stddef.h>
#include <stdint.h>

struct db;
struct arrivals;

enum ft_status arrivals_new(struct arrivals **out, struct ft_err *err);
void arrivals_free(struct arrivals *a); /* NULL is fine */

/* points[n] in the order in which they came, outcome[n] as reading_append() told. Without memory
 * for a new sensor its readings are not counted. */
void arrivals_note(struct arrivals *a, const struct reading_point *points,
                   const unsigned char *outcome, size_t n);

/* In a transaction on the writer: adds what was counted to the database when a minute has passed
 * since the last time, at most 1,000 sensors in one call. */
enum ft_status arrivals_flush(struct arrivals *a, struct db *db, int64_t now_ms,
                              struct ft_err *err);

#endif
