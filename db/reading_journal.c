#include "db/reading_journal.h"

#include "db/varint.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum {
    VERSION = 1,
    BODY_PLAIN = 0,
    BODY_ZSTD = 1,
    LEVEL = 1,
    COMPRESS_MIN = 128, /* shorter bodies gain nothing */
    HEAD_MAX = 2 + 2 * VARINT_MAX,
    CRC_SIZE = 4,
    POINT_MIN = 1 + 1 + 8, /* bytes of one point in the body */
    POINT_MAX = 2 * VARINT_MAX + 8
};

static size_t encode_body(const struct reading_point *points, size_t n, unsigned char *body)
{
    unsigned char *p = body;
    uint64_t before = 0;
    for (size_t i = 0; i < n; i++) {
        p = put_varint(p, zigzag((uint64_t)points[i].sensor_id - before));
        before = (uint64_t)points[i].sensor_id;
    }
    before = 0;
    for (size_t i = 0; i < n; i++) {
        p = put_varint(p, zigzag((uint64_t)points[i].ts_ms - before));
        before = (uint64_t)points[i].ts_ms;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &points[i].value, sizeof(bits));
        for (size_t w = 0; w < 8; w++)
            p[w * n + i] = (unsigned char)(bits >> (8 * w));
    }
    return (size_t)(p + 8 * n - body);
}

enum ft_status journal_encode(const struct reading_point *points, size_t n, unsigned char **out,
                              size_t *len, struct ft_err *err)
{
    const size_t max = n * POINT_MAX;
    const size_t bound = ZSTD_compressBound(max);
    unsigned char *body = malloc(max);
    unsigned char *row = malloc(HEAD_MAX + bound + CRC_SIZE);
    *out = NULL;
    if (body == NULL || row == NULL) {
        free(body);
        free(row);
        return ft_fail(err, FT_NOMEM, "no memory for a batch of %zu readings", n);
    }
    const size_t body_len = encode_body(points, n, body);
    unsigned char *p = row;
    *p++ = VERSION;
    p = put_varint(p, n);
    unsigned char *form = p++;
    size_t frame_len = 0;
    if (body_len >= COMPRESS_MIN) {
        unsigned char *frame = put_varint(p, body_len);
        frame_len = ZSTD_compress(frame, bound, body, body_len, LEVEL);
        if (ZSTD_isError(frame_len) || frame_len >= body_len)
            frame_len = 0;
        else
            p = frame + frame_len;
    }
    *form = frame_len > 0 ? BODY_ZSTD : BODY_PLAIN;
    if (frame_len == 0) {
        memcpy(p, body, body_len);
        p += body_len;
    }
    p = put_u32(p, (uint32_t)crc32(0, row, (unsigned)(p - row)));
    free(body);
    *out = row;
    *len = (size_t)(p - row);
    return FT_OK;
}

static void decode_body(struct cursor *c, struct reading_point *points, size_t n)
{
    uint64_t before = 0;
    for (size_t i = 0; i < n; i++)
        points[i].sensor_id = (int64_t)(before += unzigzag(take_varint(c)));
    before = 0;
    for (size_t i = 0; i < n; i++)
        points[i].ts_ms = (int64_t)(before += unzigzag(take_varint(c)));
    const unsigned char *planes = take(c, 8 * n);
    for (size_t i = 0; planes != NULL && i < n; i++) {
        uint64_t bits = 0;
        for (size_t w = 0; w < 8; w++)
            bits |= (uint64_t)planes[w * n + i] << (8 * w);
        memcpy(&points[i].value, &bits, sizeof(bits));
    }
    if (c->p != c->end)
        cursor_fail(c, "there are bytes after its end");
}

/* The body's bytes as a cursor; *owned is freed by the caller. */
static struct cursor open_body(struct cursor *c, size_t n, unsigned char **owned)
{
    const unsigned form = take_byte(c);
    *owned = NULL;
    if (form == BODY_PLAIN)
        return *c;
    const uint64_t len = form == BODY_ZSTD ? take_varint(c) : 0;
    if (len < n * POINT_MIN || len > n * POINT_MAX) {
        cursor_fail(c, "its body has an unknown form");
        return *c;
    }
    *owned = malloc((size_t)len + 1);
    if (*owned == NULL)
        return *c;
    const size_t got = ZSTD_decompress(*owned, (size_t)len, c->p, (size_t)(c->end - c->p));
    if (ZSTD_isError(got) || got != len)
        cursor_fail(c, "its body cannot be decompressed");
    return (struct cursor){*owned, *owned + len, c->what};
}

enum ft_status journal_decode(const unsigned char *row, size_t len, struct reading_point **out,
                              size_t *n, struct ft_err *err)
{
    struct cursor crc = {row, row + len, NULL};
    unsigned char *owned = NULL;
    *out = NULL;
    *n = 0;
    if (len > CRC_SIZE)
        crc.p = row + len - CRC_SIZE;
    if (len <= CRC_SIZE || take_u32(&crc) != (uint32_t)crc32(0, row, (unsigned)(len - CRC_SIZE)))
        return ft_fail(err, FT_INVALID, "journal of readings: the checksum does not fit");
    struct cursor c = {row, row + len - CRC_SIZE, NULL};
    if (take_byte(&c) != VERSION)
        cursor_fail(&c, "it has an unknown version");
    const uint64_t n_points = take_varint(&c);
    if (c.what == NULL && (n_points == 0 || n_points > JOURNAL_MAX_N))
        cursor_fail(&c, "its number of readings is out of range");
    if (c.what != NULL)
        return ft_fail(err, FT_INVALID, "journal of readings: %s", c.what);
    struct cursor body = open_body(&c, (size_t)n_points, &owned);
    struct reading_point *points = calloc((size_t)n_points, sizeof(*points));
    if (points == NULL || (body.what == NULL && body.p == NULL)) {
        free(points);
        free(owned);
        return ft_fail(err, FT_NOMEM, "no memory for a batch of %zu readings", (size_t)n_points);
    }
    if (body.what == NULL)
        decode_body(&body, points, (size_t)n_points);
    free(owned);
    if (body.what != NULL) {
        free(points);
        return ft_fail(err, FT_INVALID, "journal of readings: %s", body.what);
    }
    *out = points;
    *n = (size_t)n_points;
    return FT_OK;
}
