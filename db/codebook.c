#include "db/codebook.h"

#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, MAX_DIGITS = 15 };

#define STATE_LOW (UINT32_C(1) << 23) /* the state of the coder stays in [STATE_LOW, 2^31) */

/* --- frequencies ---------------------------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static size_t count_symbols(const int64_t *m, size_t n, unsigned shift)
{
    size_t count = 1;
    for (size_t i = 1; i < n; i++)
        count += m[i] >> shift != m[i - 1] >> shift;
    return count;
}

/* Slots of each symbol in proportion to its count, at least one, and one for the escape. */
static void share_slots(struct codebook *b, const size_t *count, size_t total)
{
    size_t left = CODEBOOK_SLOTS - 1;
    size_t largest = 0;
    for (size_t i = 0; i < b->n; i++) {
        size_t f = count[i] * (CODEBOOK_SLOTS - 1 - b->n) / total + 1;
        b->freq[i] = (uint16_t)f;
        left -= f;
        largest = count[i] > count[largest] ? i : largest;
    }
    b->freq[largest] = (uint16_t)(b->freq[largest] + left);
    b->freq[b->n] = 1;
}

/* Tables that follow from symbols and frequencies. */
static void fill_tables(struct codebook *b)
{
    size_t at = 0;
    for (size_t i = 0; i <= b->n; i++) {
        b->start[i] = (uint16_t)at;
        for (size_t k = 0; k < b->freq[i]; k++)
            b->symbol_of[at++] = (uint16_t)i;
    }
    for (size_t i = 0; i < b->n; i++) {
        const uint64_t offset = (uint64_t)b->symbol[i] - (uint64_t)b->symbol[0];
        if (offset < CODEBOOK_DENSE)
            b->dense[offset] = (uint16_t)(i + 1);
    }
}

enum ft_status codebook_build(int64_t *m, size_t n, unsigned digits, struct codebook **out,
                              struct ft_err *err)
{
    size_t count[CODEBOOK_MAX_SYMBOLS] = {0};
    *out = NULL;
    if (n == 0)
        return ft_fail(err, FT_TOO_FEW, "codebook: no values");
    struct codebook *b = calloc(1, sizeof(*b));
    if (b == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a codebook");
    qsort(m, n, sizeof(*m), compare_numbers);
    b->digits = digits;
    while (b->shift < CODEBOOK_MAX_SHIFT && count_symbols(m, n, b->shift) > CODEBOOK_MAX_SYMBOLS)
        b->shift++;
    size_t total = 0;
    for (size_t i = 0; i < n; i++) {
        const int64_t symbol = m[i] >> b->shift;
        if (b->n == 0 || b->symbol[b->n - 1] != symbol) {
            if (b->n == CODEBOOK_MAX_SYMBOLS)
                break; /* wider than any shift: the rest are escapes */
            b->symbol[b->n++] = symbol;
        }
        count[b->n - 1]++;
        total++;
    }
    share_slots(b, count, total);
    fill_tables(b);
    *out = b;
    return FT_OK;
}

/* --- values --------------------------------------------------------------------------------- */

static size_t find_symbol(const struct codebook *b, int64_t symbol)
{
    size_t low = 0;
    size_t high = b->n;
    const uint64_t offset = (uint64_t)symbol - (uint64_t)b->symbol[0];
    if (offset < CODEBOOK_DENSE)
        return b->dense[offset] != 0 ? b->dense[offset] - 1U : b->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (b->symbol[middle] < symbol)
            low = middle + 1;
        else
            high = middle;
    }
    return low < b->n && b->symbol[low] == symbol ? low : b->n;
}

size_t codebook_bound(size_t n)
{
    return VARINT_MAX + 4 + 2 * n + (n * CODEBOOK_MAX_SHIFT + 7) / 8 + 8 * n;
}

/* Writes the low bits, lowest first. */
struct bit_writer {
    unsigned char *p;
    uint64_t bits;
    unsigned n;
};

static void put_bits(struct bit_writer *w, uint64_t v, unsigned n)
{
    w->bits |= v << w->n;
    w->n += n;
    while (w->n >= 8) {
        *w->p++ = (unsigned char)w->bits;
        w->bits >>= 8;
        w->n -= 8;
    }
}

unsigned char *codebook_encode(const struct codebook *b, const int64_t *m,
                               const unsigned char *is_number, const double *value, size_t n,
                               unsigned char *out)
{
    /* rANS codes backwards; each symbol gives at most two bytes. */
    unsigned char *const room_end = out + codebook_bound(n);
    unsigned char *p = room_end;
    uint16_t symbol[CODEBOOK_MAX_N] = {0};
    uint32_t state = STATE_LOW;
    for (size_t i = n; i-- > 0;) {
        const size_t s = is_number[i] ? find_symbol(b, m[i] >> b->shift) : b->n;
        symbol[i] = (uint16_t)s;
        const uint32_t freq = b->freq[s];
        const uint32_t max = ((STATE_LOW >> CODEBOOK_BITS) << 8) * freq;
        while (state >= max) {
            *--p = (unsigned char)state;
            state >>= 8;
        }
        state = ((state / freq) << CODEBOOK_BITS) + state % freq + b->start[s];
    }
    p -= 4;
    put_u32(p, state);
    const size_t len = (size_t)(room_end - p);
    unsigned char *to = put_varint(out, len);
    memmove(to, p, len);
    struct bit_writer w = {.p = to + len};
    const uint64_t mask = (UINT64_C(1) << b->shift) - 1;
    for (size_t i = 0; i < n; i++)
        if (symbol[i] < b->n)
            put_bits(&w, (uint64_t)m[i] & mask, b->shift);
    if (w.n > 0)
        *w.p++ = (unsigned char)w.bits;
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        if (symbol[i] < b->n)
            continue;
        memcpy(&bits, &value[i], sizeof(bits));
        w.p = put_u64(w.p, bits);
    }
    return w.p;
}

struct bit_reader {
    struct cursor *c;
    uint64_t bits;
    unsigned n;
};

static uint64_t take_bits(struct bit_reader *r, unsigned n)
{
    if (r->n < n && r->c->end - r->c->p >= 8) { /* whole bytes at once, 56 bits and more */
        uint64_t w;
        memcpy(&w, r->c->p, sizeof(w));
        const unsigned n_bytes = (63 - r->n) / 8;
        r->bits |= le64toh(w) << r->n;
        r->c->p += n_bytes;
        r->n += 8 * n_bytes;
    }
    while (r->n < n && r->n <= 56) { /* at most 40 are ever asked for */
        r->bits |= (uint64_t)take_byte(r->c) << r->n;
        r->n += 8;
    }
    const uint64_t v = r->bits & ((UINT64_C(1) << n) - 1);
    r->bits >>= n;
    r->n -= n;
    return v;
}

void codebook_decode(const struct codebook *b, struct cursor *c, double power, double *value,
                     size_t n)
{
    const uint64_t len = take_varint(c);
    const unsigned char *p = len <= SIZE_MAX ? take(c, (size_t)len) : NULL;
    if (p == NULL || len < 4) {
        cursor_fail(c, "it is cut short");
        return;
    }
    struct cursor coded = {p, p + len, NULL};
    uint32_t state = take_u32(&coded);
    struct bit_reader r = {.c = c};
    struct cursor escapes = {0};
    /* The low bits come first in the bytes, so escapes are marked now and filled afterwards; a
     * number never has this bit pattern, as it is finite. */
    const uint64_t mark = UINT64_MAX;
    for (size_t i = 0; i < n; i++) {
        const uint32_t slot = state & (CODEBOOK_SLOTS - 1);
        const size_t s = b->symbol_of[slot];
        state = b->freq[s] * (state >> CODEBOOK_BITS) + slot - b->start[s];
        while (state < STATE_LOW && coded.p < coded.end)
            state = state << 8 | *coded.p++;
        if (s == b->n) {
            memcpy(&value[i], &mark, sizeof(mark));
            continue;
        }
        const uint64_t low = b->shift > 0 ? take_bits(&r, b->shift) : 0;
        value[i] = (double)(int64_t)((uint64_t)b->symbol[s] << b->shift | low) / power;
    }
    c->p -= r.n / 8; /* read ahead */
    if (coded.p != coded.end || state != STATE_LOW)
        cursor_fail(c, "its coded values do not end where they should");
    escapes = *c;
    for (size_t i = 0; i < n && c->what == NULL; i++) {
        uint64_t bits;
        memcpy(&bits, &value[i], sizeof(bits));
        if (bits != mark)
            continue;
        bits = take_u64(&escapes);
        memcpy(&value[i], &bits, sizeof(bits));
    }
    if (c->what == NULL)
        *c = escapes;
}

/* --- stored form ---------------------------------------------------------------------------- */

enum ft_status codebook_save(const struct codebook *b, unsigned char **out, size_t *len,
                             struct ft_err *err)
{
    unsigned char *p = malloc(3 + VARINT_MAX + (2 * b->n + 1) * VARINT_MAX);
    int64_t before = 0;
    *out = p;
    if (p == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a codebook");
    *p++ = VERSION;
    *p++ = (unsigned char)b->digits;
    *p++ = (unsigned char)b->shift;
    p = put_varint(p, b->n);
    for (size_t i = 0; i < b->n; i++) {
        p = put_varint(p, zigzag((uint64_t)b->symbol[i] - (uint64_t)before));
        before = b->symbol[i];
    }
    for (size_t i = 0; i <= b->n; i++)
        p = put_varint(p, b->freq[i]);
    *len = (size_t)(p - *out);
    return FT_OK;
}

static void take_frequencies(struct cursor *c, struct codebook *b)
{
    size_t total = 0;
    for (size_t i = 0; i <= b->n && c->what == NULL; i++) {
        const uint64_t f = take_varint(c);
        if (f == 0 || f > CODEBOOK_SLOTS - total) {
            cursor_fail(c, "its frequencies are out of range");
            return;
        }
        b->freq[i] = (uint16_t)f;
        total += f;
    }
    if (total != CODEBOOK_SLOTS || c->p != c->end)
        cursor_fail(c, "its frequencies do not fill the table");
}

enum ft_status codebook_load(const unsigned char *p, size_t len, struct codebook **out,
                             struct ft_err *err)
{
    struct cursor c = {p, p + len, NULL};
    struct codebook *b = calloc(1, sizeof(*b));
    uint64_t before = 0;
    *out = NULL;
    if (b == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a codebook");
    if (take_byte(&c) != VERSION)
        cursor_fail(&c, "it has an unknown version");
    b->digits = take_byte(&c);
    b->shift = take_byte(&c);
    const uint64_t n = take_varint(&c);
    if (b->digits > MAX_DIGITS || b->shift > CODEBOOK_MAX_SHIFT || n == 0 ||
        n > CODEBOOK_MAX_SYMBOLS)
        cursor_fail(&c, "it has an unknown form");
    b->n = c.what == NULL ? (size_t)n : 0;
    for (size_t i = 0; i < b->n; i++) {
        before += unzigzag(take_varint(&c));
        b->symbol[i] = (int64_t)before;
        if (i > 0 && b->symbol[i] <= b->symbol[i - 1])
            cursor_fail(&c, "its symbols do not grow");
    }
    if (c.what == NULL)
        take_frequencies(&c, b);
    if (c.what != NULL) {
        free(b);
        return ft_fail(err, FT_INVALID, "codebook of readings: %s", c.what);
    }
    fill_tables(b);
    *out = b;
    return FT_OK;
}
