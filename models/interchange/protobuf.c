#include "models/interchange/protobuf.h"

#include <endian.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_BYTES = 2, WIRE_32_BIT = 5 };

static void put_varint(struct buf *b, uint64_t v)
{
    while (v >= 128) {
        buf_putc(b, (char)(unsigned char)(v | 128));
        v >>= 7;
    }
    buf_putc(b, (char)v);
}

static size_t varint_size(uint64_t v)
{
    size_t n = 1;
    while (v >= 128) {
        v >>= 7;
        n++;
    }
    return n;
}

static void put_tag(struct buf *b, unsigned field, unsigned wire)
{
    put_varint(b, (uint64_t)field << 3 | wire);
}

static void put_word(struct buf *b, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    bits = htole32(bits);
    buf_put(b, &bits, sizeof(bits));
}

void protobuf_put_int(struct buf *b, unsigned field, int64_t value)
{
    put_tag(b, field, WIRE_VARINT);
    put_varint(b, (uint64_t)value);
}

void protobuf_put_float(struct buf *b, unsigned field, float value)
{
    put_tag(b, field, WIRE_32_BIT);
    put_word(b, value);
}

void protobuf_put_bytes(struct buf *b, unsigned field, const void *data, size_t len)
{
    put_tag(b, field, WIRE_BYTES);
    put_varint(b, len);
    if (len > 0)
        buf_put(b, data, len);
}

void protobuf_put_text(struct buf *b, unsigned field, const char *text)
{
    protobuf_put_bytes(b, field, text, strlen(text));
}

void protobuf_put_message(struct buf *b, unsigned field, struct buf *inner)
{
    if (inner->status != FT_OK)
        b->status = inner->status;
    protobuf_put_bytes(b, field, inner->data, inner->len);
    buf_free(inner);
}

void protobuf_put_ints(struct buf *b, unsigned field, const int64_t *values, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += varint_size((uint64_t)values[i]);
    put_tag(b, field, WIRE_BYTES);
    put_varint(b, len);
    for (size_t i = 0; i < n; i++)
        put_varint(b, (uint64_t)values[i]);
}

void protobuf_put_floats(struct buf *b, unsigned field, const float *values, size_t n)
{
    put_tag(b, field, WIRE_BYTES);
    put_varint(b, 4 * n);
    for (size_t i = 0; i < n; i++)
        put_word(b, values[i]);
}
