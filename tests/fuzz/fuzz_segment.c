/* Any bytes as the payload of a block: first byte and second byte choose the number of readings,
 * the rest is the payload with a right checksum. What decodes must encode and decode to itself. */
#include "db/segment.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static int64_t ts[SEGMENT_MAX_N], again_ts[SEGMENT_MAX_N];
static double value[SEGMENT_MAX_N], again_value[SEGMENT_MAX_N];

static void round_trip(struct segment_codec *codec, size_t n)
{
    struct reading_segment seg;
    if (segment_encode(codec, ts, value, n, &seg, NULL) != FT_OK ||
        segment_decode(codec, &seg, again_ts, again_value, NULL) != FT_OK ||
        memcmp(ts, again_ts, n * sizeof(*ts)) != 0 ||
        memcmp(value, again_value, n * sizeof(*value)) != 0 ||
        segment_check_summary(&seg, ts, value, NULL) != FT_OK)
        abort();
    segment_clear(&seg);
}

/* The bytes as readings. */
static size_t as_readings(const unsigned char *data, size_t size)
{
    size_t n = 0;
    int64_t t = 0;
    for (; size >= 9 && n < SEGMENT_MAX_N; data += 9, size -= 9, n++) {
        t += 1 + (data[0] < 128 ? 59999 : data[0]);
        ts[n] = t;
        memcpy(&value[n], data + 1, sizeof(value[n]));
    }
    return n;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static struct segment_codec *codec;
    if (size < 18 || (codec == NULL && segment_codec_new(&codec, NULL) != FT_OK))
        return 0;
    struct reading_segment seg = {.n = (size_t)data[0] | (size_t)data[1] << 8};
    memcpy(&seg.start_ms, data + 2, 8);
    memcpy(&seg.end_ms, data + 10, 8);
    seg.payload = malloc(size - 18 > 0 ? size - 18
                                       : 1); /* of its exact size, so that a read beyond is seen */
    if (seg.payload == NULL)
        return 0;
    seg.len = size - 18;
    memcpy(seg.payload, data + 18, seg.len);
    seg.crc = (uint32_t)crc32(0, seg.payload, (unsigned)seg.len);
    if (segment_decode(codec, &seg, ts, value, NULL) == FT_OK)
        round_trip(codec, seg.n);
    segment_clear(&seg);
    const size_t n = as_readings(data, size);
    if (n > 0)
        round_trip(codec, n);
    return 0;
}
