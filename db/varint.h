/* LEB128 numbers and the reading of bytes that may be wrong: shared by the codecs of db/. */
#ifndef DB_VARINT_H
#define DB_VARINT_H

#include <stddef.h>
#include <stdint.h>

enum { VARINT_MAX = 10 }; /* bytes of the longest */

static inline uint64_t zigzag(uint64_t v)
{
    return (v << 1) ^ (UINT64_C(0) - (v >> 63));
}

static inline uint64_t unzigzag(uint64_t v)
{
    return (v >> 1) ^ (UINT64_C(0) - (v & 1));
}

/* Writes at most VARINT_MAX bytes; returns the place behind them. */
static inline unsigned char *put_varint(unsigned char *p, uint64_t v)
{
    while (v >= 0x80) {
        *p++ = (unsigned char)(v | 0x80);
        v >>= 7;
    }
    *p++ = (unsigned char)v;
    return p;
}

static inline unsigned char *put_u32(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        *p++ = (unsigned char)(v >> (8 * i));
    return p;
}

static inline unsigned char *put_u64(unsigned char *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        *p++ = (unsigned char)(v >> (8 * i));
    return p;
}

/* Reads from hostile bytes; the first problem sticks in what, and nothing is read after it. */
struct cursor {
    const unsigned char *p, *end;
    const char *what; /* NULL = fine so far */
};

static inline void cursor_fail(struct cursor *c, const char *what)
{
    if (c->what == NULL)
        c->what = what;
    c->p = c->end;
}

static inline unsigned take_byte(struct cursor *c)
{
    if (c->p == c->end) {
        cursor_fail(c, "it is cut short");
        return 0;
    }
    return *c->p++;
}

/* n bytes, or NULL. */
static inline const unsigned char *take(struct cursor *c, size_t n)
{
    if ((size_t)(c->end - c->p) < n) {
        cursor_fail(c, "it is cut short");
        return NULL;
    }
    const unsigned char *p = c->p;
    c->p += n;
    return p;
}

static inline uint64_t take_varint(struct cursor *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const unsigned b = take_byte(c);
        if (shift == 63 && b > 1)
            break;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return v;
    }
    cursor_fail(c, "a number is too long");
    return 0;
}

static inline uint32_t take_u32(struct cursor *c)
{
    const unsigned char *p = take(c, 4);
    uint32_t v = 0;
    for (int i = 0; p != NULL && i < 4; i++)
        v |= (uint32_t)p[i] << (8 * i);
    return v;
}

static inline uint64_t take_u64(struct cursor *c)
{
    const unsigned char *p = take(c, 8);
    uint64_t v = 0;
    for (int i = 0; p != NULL && i < 8; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

#endif
