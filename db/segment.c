/* Why this form: plant readings are mostly decimals with few digits at a steady step. As scaled
 * whole numbers their differences are one or two bytes; planes of equal significance compress far
 * better than whole doubles (the idea of ALP, Afroozeh and Boncz 2023, with byte planes in place of
 * bit packing, which zstd's entropy coder then makes up for). What is no decimal goes through the
 * same series coder as bit patterns. */
#include "db/segment.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum {
    VERSION = 1,
    FORM_DECIMAL = 0,
    FORM_BITS = 1,
    MAX_DIGITS = 15,
    PLANE_CONSTANT = 0,
    PLANE_RAW = 1,
    PLANE_ZSTD = 2,
    LEVEL = 1,       /* zstd: speed first, higher levels gain little on planes */
    SAMPLE_STEP = 4, /* the order of differences is chosen from every 4th reading */
    MAX_VARINT = 10,
    MAX_SERIES = 2 + 2 * MAX_VARINT + 8 * (1 + MAX_VARINT + SEGMENT_MAX_N),
    MAX_PAYLOAD = 3 + MAX_VARINT + 2 * MAX_SERIES + MAX_VARINT + SEGMENT_MAX_N / 32 * 18
};

/* Above it the sum with MAGIC below would lose the point's position. */
#define MAX_SCALED 0x1p51
/* Adding it rounds a double to a whole number and leaves that number in the low bits. */
#define MAGIC 0x1.8p52

static const double powers[MAX_DIGITS + 1] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                              1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

struct segment_codec {
    ZSTD_CCtx *compressor;
    ZSTD_DCtx *decompressor;
    uint64_t series[SEGMENT_MAX_N];
    uint64_t residuals[SEGMENT_MAX_N];
    unsigned char plane[SEGMENT_MAX_N];
    uint16_t exceptions[SEGMENT_MAX_N]; /* rows */
    unsigned char payload[MAX_PAYLOAD];
};

_Static_assert(SEGMENT_MAX_N <= UINT16_MAX + 1, "exceptions are 16-bit rows");

enum ft_status segment_codec_new(struct segment_codec **out, struct ft_err *err)
{
    struct segment_codec *c = calloc(1, sizeof(*c));
    *out = NULL;
    if (c != NULL) {
        c->compressor = ZSTD_createCCtx();
        c->decompressor = ZSTD_createDCtx();
    }
    if (c == NULL || c->compressor == NULL || c->decompressor == NULL ||
        ZSTD_isError(ZSTD_CCtx_setParameter(c->compressor, ZSTD_c_compressionLevel, LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(c->compressor, ZSTD_c_contentSizeFlag, 0))) {
        segment_codec_free(c);
        return ft_fail(err, FT_NOMEM, "no memory for the codec of readings");
    }
    *out = c;
    return FT_OK;
}

void segment_codec_free(struct segment_codec *codec)
{
    if (codec == NULL)
        return;
    ZSTD_freeCCtx(codec->compressor);
    ZSTD_freeDCtx(codec->decompressor);
    free(codec);
}

void segment_clear(struct reading_segment *seg)
{
    free(seg->payload);
    *seg = (struct reading_segment){0};
}

/* --- numbers -------------------------------------------------------------------------------- */

static uint64_t bits_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    return bits;
}

static double double_of(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof(v));
    return v;
}

static uint64_t zigzag(uint64_t v)
{
    return (v << 1) ^ (UINT64_C(0) - (v >> 63));
}

static uint64_t unzigzag(uint64_t v)
{
    return (v >> 1) ^ (UINT64_C(0) - (v & 1));
}

static unsigned char *put_varint(unsigned char *p, uint64_t v)
{
    while (v >= 0x80) {
        *p++ = (unsigned char)(v | 0x80);
        v >>= 7;
    }
    *p++ = (unsigned char)v;
    return p;
}

static unsigned char *put_u64(unsigned char *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        *p++ = (unsigned char)(v >> (8 * i));
    return p;
}

void segment_summarise(const int64_t *ts_ms, const double *value, size_t n,
                       struct reading_segment *out)
{
    double min = INFINITY;
    double max = -INFINITY;
    double sum = 0;
    double last = NAN;
    size_t n_numbers = 0;
    for (size_t i = 0; i < n; i++) {
        const double v = value[i];
        if (isnan(v))
            continue;
        min = v < min ? v : min;
        max = v > max ? v : max;
        sum += v;
        last = v;
        n_numbers++;
    }
    out->start_ms = ts_ms[0];
    out->end_ms = ts_ms[n - 1];
    out->n = n;
    out->n_numbers = n_numbers;
    out->min = n_numbers > 0 ? min : (double)NAN;
    out->max = n_numbers > 0 ? max : (double)NAN;
    out->sum = n_numbers > 0 ? sum : (double)NAN;
    out->last = last;
}

/* Equal as the database keeps a REAL: -0 is 0 there, and every NaN is NULL. */
static bool is_same_real(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

enum ft_status segment_check_summary(const struct reading_segment *seg, const int64_t *ts_ms,
                                     const double *value, struct ft_err *err)
{
    struct reading_segment want;
    segment_summarise(ts_ms, value, seg->n, &want);
    if (want.start_ms != seg->start_ms || want.end_ms != seg->end_ms ||
        want.n_numbers != seg->n_numbers || !is_same_real(want.min, seg->min) ||
        !is_same_real(want.max, seg->max) || !is_same_real(want.sum, seg->sum) ||
        !is_same_real(want.last, seg->last))
        return ft_fail(err, FT_INVALID, "the summary does not fit the readings");
    return FT_OK;
}

/* --- encode: series ------------------------------------------------------------------------- */

static unsigned n_bits(uint64_t v)
{
    return v == 0 ? 0 : 64 - (unsigned)__builtin_clzll(v);
}

/* The order whose residuals need the fewest bits, by a sample. */
static unsigned choose_order(const uint64_t *x, size_t n)
{
    const size_t step = n > 256 ? SAMPLE_STEP : 1;
    size_t bits[3] = {0, 0, 0};
    if (n < 3)
        return 0;
    for (size_t i = 2; i < n; i += step) {
        const uint64_t d = x[i] - x[i - 1];
        const uint64_t dd = d - (x[i - 1] - x[i - 2]);
        bits[0] += n_bits(zigzag(x[i] - x[0]));
        bits[1] += n_bits(zigzag(d));
        bits[2] += n_bits(zigzag(dd));
    }
    const unsigned best = bits[1] < bits[0] ? 1 : 0;
    return bits[2] < bits[best] ? 2 : best;
}

/* Residuals of x into r; returns all of them or'ed, *n_out their number. head[0..order] gets what
 * stands before the planes. */
static uint64_t make_residuals(const uint64_t *x, size_t n, unsigned order, uint64_t *r,
                               uint64_t head[2])
{
    uint64_t all = 0;
    if (order == 0) {
        int64_t min = (int64_t)x[0];
        for (size_t i = 1; i < n; i++)
            min = (int64_t)x[i] < min ? (int64_t)x[i] : min;
        head[0] = (uint64_t)min;
        for (size_t i = 0; i < n; i++)
            all |= r[i] = x[i] - (uint64_t)min;
    } else if (order == 1) {
        head[0] = x[0];
        for (size_t i = 1; i < n; i++)
            all |= r[i - 1] = zigzag(x[i] - x[i - 1]);
    } else {
        head[0] = x[0];
        head[1] = x[1] - x[0];
        for (size_t i = 2; i < n; i++)
            all |= r[i - 2] = zigzag(x[i] - 2 * x[i - 1] + x[i - 2]);
    }
    return all;
}

/* Low planes of measured doubles are noise, on which zstd would spend most of the time for nothing.
 * The sum of squared counts of a sample tells: N + N(N-1)/256 = 1534 is expected of even bytes,
 * with a standard deviation of 45; 1670 is reached at an entropy of 7.8 bits, a gain of 2 %. */
static bool looks_random(const unsigned char *plane, size_t n)
{
    enum { N_SAMPLE = 512, LIMIT = 1670 };
    unsigned short counts[256] = {0};
    size_t sum = 0;
    if (n < 2 * N_SAMPLE)
        return false;
    for (size_t i = 0; i < N_SAMPLE; i++)
        counts[plane[i * n / N_SAMPLE]]++;
    for (size_t b = 0; b < 256; b++)
        sum += (size_t)counts[b] * counts[b];
    return sum < LIMIT;
}

/* One plane of n bytes that stands in codec->plane. */
static unsigned char *put_plane(struct segment_codec *codec, unsigned char *p, size_t n)
{
    const unsigned char *plane = codec->plane;
    if (n == 0 || memcmp(plane, plane + 1, n - 1) == 0) {
        *p++ = PLANE_CONSTANT;
        *p++ = n > 0 ? plane[0] : 0;
        return p;
    }
    /* The frame goes behind room for the longest head and moves back; more than n bytes of it are
     * no use. */
    unsigned char *frame = p + 1 + 3;
    const bool is_worth_it = n > 32 && !looks_random(plane, n);
    const size_t len = is_worth_it ? ZSTD_compress2(codec->compressor, frame, n - 8, plane, n) : 0;
    if (!is_worth_it || ZSTD_isError(len)) {
        *p++ = PLANE_RAW;
        memcpy(p, plane, n);
        return p + n;
    }
    *p++ = PLANE_ZSTD;
    p = put_varint(p, len);
    memmove(p, frame, len);
    return p + len;
}

static unsigned char *put_series(struct segment_codec *codec, unsigned char *p, const uint64_t *x,
                                 size_t n)
{
    uint64_t head[2];
    uint64_t *r = codec->residuals;
    const unsigned order = choose_order(x, n);
    const unsigned width = (n_bits(make_residuals(x, n, order, r, head)) + 7) / 8;
    *p++ = (unsigned char)order;
    *p++ = (unsigned char)width;
    p = put_varint(p, zigzag(head[0]));
    if (order == 2)
        p = put_varint(p, zigzag(head[1]));
    for (unsigned w = 0; w < width; w++) {
        for (size_t i = 0; i < n - order; i++)
            codec->plane[i] = (unsigned char)(r[i] >> (8 * w));
        p = put_plane(codec, p, n - order);
    }
    return p;
}

/* --- encode: values ------------------------------------------------------------------------- */

/* Is v = m / 10^k for a whole number m, to the last bit? */
static inline bool scale(double v, double power, uint64_t *m)
{
    const double scaled = v * power;
    const double shifted = scaled + MAGIC;
    *m = bits_of(shifted) - bits_of(MAGIC);
    return fabs(scaled) < MAX_SCALED && bits_of((shifted - MAGIC) / power) == bits_of(v);
}

/* Fewest digits that carry all but a few of the values; -1 when too many are no decimals. A value
 * that k digits carry is carried by k + 1 too as long as it stays below MAX_SCALED. */
static int find_digits(const double *value, size_t n, size_t max_exceptions)
{
    int k = 0;
    size_t n_exceptions = 0;
    uint64_t m;
    for (size_t i = 0; i < n; i++) {
        if (scale(value[i], powers[k], &m))
            continue;
        int more = k + 1;
        while (more <= MAX_DIGITS && !scale(value[i], powers[more], &m))
            more++;
        if (more <= MAX_DIGITS)
            k = more;
        else if (++n_exceptions > max_exceptions)
            return -1;
    }
    return k;
}

/* Fills codec->series with scaled numbers and codec->exceptions; false when too many do not fit. */
static bool scale_all(struct segment_codec *codec, const double *value, size_t n, int digits,
                      size_t max_exceptions, size_t *n_exceptions)
{
    const double power = powers[digits];
    uint64_t *x = codec->series;
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (!scale(value[i], power, &x[i])) {
            if (k == max_exceptions)
                return false;
            codec->exceptions[k++] = (uint16_t)i;
            x[i] = i > 0 ? x[i - 1] : 0; /* costs nothing as a difference */
        }
    }
    *n_exceptions = k;
    return true;
}

static unsigned char *put_exceptions(const struct segment_codec *codec, unsigned char *p,
                                     const double *value, size_t n)
{
    size_t before = 0;
    p = put_varint(p, n);
    for (size_t i = 0; i < n; i++) {
        const size_t row = codec->exceptions[i];
        p = put_varint(p, row - before);
        p = put_u64(p, bits_of(value[row]));
        before = row;
    }
    return p;
}

/* The whole payload into codec->payload; returns its length. */
static size_t encode_payload(struct segment_codec *codec, const int64_t *ts_ms, const double *value,
                             size_t n)
{
    const size_t max_exceptions = n / 32;
    size_t n_exceptions = 0;
    int digits = find_digits(value, n, max_exceptions);
    unsigned char *p = codec->payload;
    unsigned char *head = p;
    *p++ = VERSION;
    p += 2;
    p = put_varint(p, n);
    for (size_t i = 0; i < n; i++)
        codec->series[i] = (uint64_t)ts_ms[i];
    p = put_series(codec, p, codec->series, n);
    if (digits >= 0 && !scale_all(codec, value, n, digits, max_exceptions, &n_exceptions))
        digits = -1;
    head[1] = digits >= 0 ? FORM_DECIMAL : FORM_BITS;
    head[2] = (unsigned char)(digits >= 0 ? digits : 0);
    if (digits < 0)
        memcpy(codec->series, value, n * sizeof(*value));
    p = put_series(codec, p, codec->series, n);
    if (digits >= 0)
        p = put_exceptions(codec, p, value, n_exceptions);
    return (size_t)(p - codec->payload);
}

enum ft_status segment_encode(struct segment_codec *codec, const int64_t *ts_ms,
                              const double *value, size_t n, struct reading_segment *out,
                              struct ft_err *err)
{
    *out = (struct reading_segment){0};
    if (n == 0 || n > SEGMENT_MAX_N)
        return ft_fail(err, FT_INVALID, "a block of %zu readings: expected 1 to %d", n,
                       SEGMENT_MAX_N);
    for (size_t i = 1; i < n; i++)
        if (ts_ms[i] <= ts_ms[i - 1])
            return ft_fail(err, FT_INVALID, "the instants of a block do not grow at row %zu", i);
    const size_t len = encode_payload(codec, ts_ms, value, n);
    unsigned char *payload = malloc(len);
    if (payload == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for a block of %zu bytes", len);
    memcpy(payload, codec->payload, len);
    segment_summarise(ts_ms, value, n, out);
    out->payload = payload;
    out->len = len;
    out->crc = (uint32_t)crc32(0, payload, (unsigned)len);
    return FT_OK;
}

/* --- decode --------------------------------------------------------------------------------- */

/* Reads from hostile bytes; the first problem sticks in what. */
struct cursor {
    const unsigned char *p, *end;
    const char *what; /* NULL = fine so far */
};

static void fail(struct cursor *c, const char *what)
{
    if (c->what == NULL)
        c->what = what;
    c->p = c->end;
}

static unsigned take_byte(struct cursor *c)
{
    if (c->p == c->end) {
        fail(c, "it is cut short");
        return 0;
    }
    return *c->p++;
}

/* n bytes, or NULL. */
static const unsigned char *take(struct cursor *c, size_t n)
{
    if ((size_t)(c->end - c->p) < n) {
        fail(c, "it is cut short");
        return NULL;
    }
    const unsigned char *p = c->p;
    c->p += n;
    return p;
}

static uint64_t take_varint(struct cursor *c)
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
    fail(c, "a number is too long");
    return 0;
}

static uint64_t take_u64(struct cursor *c)
{
    const unsigned char *p = take(c, 8);
    uint64_t v = 0;
    for (int i = 0; p != NULL && i < 8; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

/* Bytes of a plane; NULL when it is a constant (in *constant) or wrong. */
static const unsigned char *take_plane(struct segment_codec *codec, struct cursor *c, size_t n,
                                       unsigned *constant)
{
    const unsigned method = take_byte(c);
    if (method == PLANE_CONSTANT) {
        *constant = take_byte(c);
        return NULL;
    }
    if (method == PLANE_RAW)
        return take(c, n);
    if (method != PLANE_ZSTD) {
        fail(c, "a plane has an unknown form");
        return NULL;
    }
    const uint64_t len = take_varint(c);
    const unsigned char *frame = len <= SEGMENT_MAX_N ? take(c, (size_t)len) : NULL;
    if (frame == NULL) {
        fail(c, "a plane is too long");
        return NULL;
    }
    if (ZSTD_decompressDCtx(codec->decompressor, codec->plane, n, frame, (size_t)len) != n) {
        fail(c, "a plane cannot be decompressed");
        return NULL;
    }
    return codec->plane;
}

static void take_residuals(struct segment_codec *codec, struct cursor *c, uint64_t *r, size_t n,
                           unsigned width)
{
    memset(r, 0, n * sizeof(*r));
    for (unsigned w = 0; w < width && c->what == NULL; w++) {
        unsigned constant = 0;
        const unsigned char *plane = take_plane(codec, c, n, &constant);
        const unsigned shift = 8 * w;
        if (c->what != NULL)
            return;
        if (plane != NULL)
            for (size_t i = 0; i < n; i++)
                r[i] |= (uint64_t)plane[i] << shift;
        else if (constant != 0)
            for (size_t i = 0; i < n; i++)
                r[i] |= (uint64_t)constant << shift;
    }
}

/* n > 0 numbers into x. */
static void take_series(struct segment_codec *codec, struct cursor *c, uint64_t *x, size_t n)
{
    const unsigned order = take_byte(c);
    const unsigned width = take_byte(c);
    if (order > 2 || order > n || width > 8) {
        fail(c, "a series has an unknown form");
        return;
    }
    const uint64_t first = unzigzag(take_varint(c));
    uint64_t d = order == 2 ? unzigzag(take_varint(c)) : 0;
    uint64_t *r = codec->residuals;
    take_residuals(codec, c, r, n - order, width);
    if (c->what != NULL)
        return;
    x[0] = first;
    if (order == 0) {
        for (size_t i = 0; i < n; i++)
            x[i] = first + r[i];
    } else if (order == 1) {
        for (size_t i = 1; i < n; i++)
            x[i] = x[i - 1] + unzigzag(r[i - 1]);
    } else {
        x[1] = first + d;
        for (size_t i = 2; i < n; i++) {
            d += unzigzag(r[i - 2]);
            x[i] = x[i - 1] + d;
        }
    }
}

static void take_exceptions(struct cursor *c, double *value, size_t n)
{
    const uint64_t n_exceptions = take_varint(c);
    size_t row = 0;
    if (n_exceptions > n)
        fail(c, "it has more exceptions than readings");
    for (uint64_t i = 0; i < n_exceptions && c->what == NULL; i++) {
        const uint64_t distance = take_varint(c);
        const uint64_t bits = take_u64(c);
        if (c->what != NULL)
            return;
        if (distance >= n - row || (i > 0 && distance == 0)) {
            fail(c, "an exception is out of place");
            return;
        }
        row += (size_t)distance;
        value[row] = double_of(bits);
    }
}

static void take_values(struct segment_codec *codec, struct cursor *c, unsigned form,
                        unsigned digits, double *value, size_t n)
{
    uint64_t *x = codec->series;
    take_series(codec, c, x, n);
    if (c->what != NULL)
        return;
    if (form == FORM_BITS) {
        memcpy(value, x, n * sizeof(*value));
        return;
    }
    const double power = powers[digits];
    for (size_t i = 0; i < n; i++)
        value[i] = (double)(int64_t)x[i] / power;
    take_exceptions(c, value, n);
}

static void take_instants(struct segment_codec *codec, struct cursor *c,
                          const struct reading_segment *seg, int64_t *ts_ms)
{
    take_series(codec, c, codec->series, seg->n);
    if (c->what != NULL)
        return;
    for (size_t i = 0; i < seg->n; i++)
        ts_ms[i] = (int64_t)codec->series[i];
    for (size_t i = 1; i < seg->n; i++)
        if (ts_ms[i] <= ts_ms[i - 1])
            fail(c, "its instants do not grow");
    if (ts_ms[0] != seg->start_ms || ts_ms[seg->n - 1] != seg->end_ms)
        fail(c, "its instants are not those of its row");
}

enum ft_status segment_decode(struct segment_codec *codec, const struct reading_segment *seg,
                              int64_t *ts_ms, double *value, struct ft_err *err)
{
    struct cursor c = {seg->payload, seg->payload + seg->len, NULL};
    if (seg->n == 0 || seg->n > SEGMENT_MAX_N)
        return ft_fail(err, FT_INVALID, "block of readings: it has %zu, expected 1 to %d", seg->n,
                       SEGMENT_MAX_N);
    if (seg->len > MAX_PAYLOAD || (uint32_t)crc32(0, seg->payload, (unsigned)seg->len) != seg->crc)
        return ft_fail(err, FT_INVALID, "block of readings: the checksum does not fit");
    const unsigned version = take_byte(&c);
    const unsigned form = take_byte(&c);
    const unsigned digits = take_byte(&c);
    if (version != VERSION)
        fail(&c, "it has an unknown version");
    if (form > FORM_BITS || digits > MAX_DIGITS)
        fail(&c, "it has an unknown form");
    if (take_varint(&c) != seg->n)
        fail(&c, "its number of readings is not that of its row");
    if (c.what == NULL)
        take_instants(codec, &c, seg, ts_ms);
    if (c.what == NULL)
        take_values(codec, &c, form, digits, value, seg->n);
    if (c.p != c.end)
        fail(&c, "there are bytes after its end");
    return c.what == NULL ? FT_OK : ft_fail(err, FT_INVALID, "block of readings: %s", c.what);
}
