/* Codec of a sealed block of readings of one sensor: encode, decode, check; no SQL. Lossless for
 * every instant and every double, NaN payloads included.
 *
 * Payload, version 2 (integers little-endian, "varint" is LEB128, "zigzag" maps the sign to bit 0):
 *     byte    version, 2
 *     byte    form of the values: 0 decimal, 1 bit patterns, 2 with a codebook (db/codebook.h)
 *     byte    decimal and codebook: digits after the point k, 0..15; else 0
 *     varint  n
 *     varint  form 2: id of the codebook
 *     byte    form of the instants: 0 the same step between any two, which follows from n and the
 *             row's first and last; 1 a series of milliseconds follows
 *     form 2: coded values as in db/codebook.h; else
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
 * length, then a zstd frame. Version 1 has the instants always as a series, and no codebooks. */
#ifndef DB_SEGMENT_H
#define DB_SEGMENT_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SEGMENT_TARGET_N = 8192, /* readings in a full block */
    SEGMENT_MAX_N = 16384,   /* a block never holds more */
    SEGMENT_SHORT_N = 1024   /* shorter ones are kept without a summary */
};

struct reading_segment {
    int64_t start_ms, end_ms; /* first and last instant */
    size_t n;                 /* 1..SEGMENT_MAX_N */
    bool has_summary; /* false: a short block as the database keeps it, the five below are void */
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

/* The codebook for the next calls, which must live as long; NULL = none. Encoding uses it for short
 * blocks where it helps, decoding where the block says so. */
struct codebook;
void segment_codec_use(struct segment_codec *codec, const struct codebook *book);
/* Tests: never use vector instructions. The results are the same. */
void segment_codec_plain(struct segment_codec *codec);

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

/* The same without a look at the checksum, for callers who have compared it. */
enum ft_status segment_decode_payload(struct segment_codec *codec,
                                      const struct reading_segment *seg, int64_t *ts_ms,
                                      double *value, struct ft_err *err);

/* Id of the codebook that the payload needs; 0 = none. */
int64_t segment_codebook_id(const unsigned char *payload, size_t len);

/* CRC-32 of a whole row of the database: the payload, whose CRC-32 is given, then the sensor and
 * the summary. */
uint32_t segment_row_crc(uint32_t payload_crc, int64_t sensor_id,
                         const struct reading_segment *seg);

/* Digits after the point that carry all but a few values; -1: they are no decimals. */
int segment_digits(const double *value, size_t n);
/* value * 10^digits as whole numbers, those that are none left out; their number. */
size_t segment_scale(const double *value, size_t n, int digits, int64_t *m);

/* Fills everything in *out but crc, payload and len from n >= 1 readings. */
void segment_summarise(const int64_t *ts_ms, const double *value, size_t n,
                       struct reading_segment *out);

/* Is the summary in seg that of these readings, bit for bit? */
enum ft_status segment_check_summary(const struct reading_segment *seg, const int64_t *ts_ms,
                                     const double *value, struct ft_err *err);

void segment_clear(struct reading_segment *seg); /* frees the payload */

#endif
