/* Codec of a sealed block of readings of one sensor: encode, decode, check; no SQL. Lossless for
 * every instant and every double, NaN payloads included.
 *
 * Payload, version 1 (integers little-endian, "varint" is LEB128, "zigzag" maps the sign to bit 0):
 *     byte    version, 1
 *     byte    form of the values: 0 decimal, 1 bit patterns
 *     byte    decimal: digits after the point k, 0..15; else 0
 *     varint  n
 *     series  instants in ms
 *     series  decimal: whole numbers m, where value = m / 10^k; else the doubles' 64 bits
 *     decimal only: varint n_exceptions, then for each: varint distance in rows from the one before
 *             (the first: from row 0), 8 bytes of the double. These are values that m cannot carry,
 *             such as NaN, -0 and infinities.
 * Series of n whole numbers, all arithmetic modulo 2^64:
 *     byte    order d: 0 offsets from the smallest, 1 differences, 2 differences of differences
 *     byte    width w, 0..8 bytes of one residual
 *     varint  d = 0: zigzag of the smallest; d > 0: zigzag of each of the first d numbers' own
 *             difference of order 0 ... d-1
 *     w planes, lowest byte first; a plane holds that byte of the n - d residuals (zigzag for d >
 * 0): byte 0, then the one byte that all have; byte 1, then the bytes as they are; byte 2, varint
 * length, then a zstd frame */
#ifndef DB_SEGMENT_H
#define DB_SEGMENT_H

#include "app/base/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
    SEGMENT_TARGET_N = 8192, /* readings in a full block */
    SEGMENT_MAX_N = 16384    /* a block never holds more */
};

struct reading_segment {
    int64_t start_ms, end_ms; /* first and last instant */
    size_t n;                 /* 1..SEGMENT_MAX_N */
    size_t n_numbers; /* readings that are not NaN; the four below are of these, NaN when 0 */
    double min, max, sum, last;
    uint32_t crc; /* CRC-32 of the payload */
    unsigned char *payload;
    size_t len;
};

/* Scratch memory of one thread, about 600 KiB: any number of blocks, one at a time. */
struct segment_codec;
enum ft_status segment_codec_new(struct segment_codec **out, struct ft_err *err);
void segment_codec_free(struct segment_codec *codec); /* NULL is fine */

/* Encodes n readings with strictly growing instants. Depends on nothing but its arguments, so
 * threads may encode side by side, each with a codec of its own. The caller ends *out with
 * segment_clear(). FT_INVALID: n is 0 or above SEGMENT_MAX_N, or the instants do not grow. */
enum ft_status segment_encode(struct segment_codec *codec, const int64_t *ts_ms,
                              const double *value, size_t n, struct reading_segment *out,
                              struct ft_err *err);

/* Decodes seg->payload into ts_ms[seg->n] and value[seg->n]; seg needs start_ms, end_ms, n, crc,
 * payload and len. FT_INVALID says what is wrong with the payload: any bytes are safe. */
enum ft_status segment_decode(struct segment_codec *codec, const struct reading_segment *seg,
                              int64_t *ts_ms, double *value, struct ft_err *err);

/* Fills everything in *out but crc, payload and len from n >= 1 readings. */
void segment_summarise(const int64_t *ts_ms, const double *value, size_t n,
                       struct reading_segment *out);

/* Is the summary in seg that of these readings, bit for bit? */
enum ft_status segment_check_summary(const struct reading_segment *seg, const int64_t *ts_ms,
                                     const double *value, struct ft_err *err);

void segment_clear(struct reading_segment *seg); /* frees the payload */

#endif
