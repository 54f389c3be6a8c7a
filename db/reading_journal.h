/* Codec of a journal row: one ingest batch as it came, any sensors in any order; no SQL. Lossless
 * for every instant and every double.
 *
 * Row, version 1 (integers little-endian; "varint" and "zigzag" as in db/segment.h):
 *     byte    version, 1
 *     varint  n, 1..JOURNAL_MAX_N
 *     byte    0: the body as it is, 1: varint length of the body, then a zstd frame of it
 *     body    n zigzag varints: sensor id, each as the difference from the one before (first: 0)
 *             n zigzag varints: instant in ms, likewise
 *             8 planes of n bytes: the doubles' bits, lowest byte of all first
 *     4 bytes CRC-32 of everything before */
#ifndef DB_READING_JOURNAL_H
#define DB_READING_JOURNAL_H

#include "app/base/status.h"
#include "db/reading_store.h"

#include <stddef.h>

enum { JOURNAL_MAX_N = 65536 };

/* Encodes n points, 1..JOURNAL_MAX_N. The caller frees *out. FT_NOMEM. */
enum ft_status journal_encode(const struct reading_point *points, size_t n, unsigned char **out,
                              size_t *len, struct ft_err *err);

/* Decodes into an array of *n points that the caller frees. FT_INVALID says what is wrong with the
 * row: any bytes are safe. */
enum ft_status journal_decode(const unsigned char *row, size_t len, struct reading_point **out,
                              size_t *n, struct ft_err *err);

#endif
