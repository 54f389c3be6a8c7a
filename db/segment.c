/* Why this form: plant readings are mostly decimals with few digits at a steady step. As scaled
 * whole numbers their differences are one or two bytes; planes of equal significance compress far
 * better than whole doubles (the idea of ALP, Afroozeh and Boncz 2023, with byte planes in place of
 * bit packing, which zstd's entropy coder then makes up for). What is no decimal goes through the
 * same series coder as bit patterns. */
#include "db/segment.h"

#include "db/codebook.h"
#include "db/varint.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
    VERSION = 2,
    OLD_VERSION = 1, /* no form of the instants, no codebooks */
    FORM_DECIMAL = 0,
    FORM_BITS = 1,
    FORM_CODEBOOK = 2,
    INSTANTS_STEADY = 0,
    INSTANTS_SERIES = 1,
    MAX_DIGITS = 15,
    PLANE_CONSTANT = 0,
    PLANE_RAW = 1,
    PLANE_ZSTD = 2,
    LEVEL = 1,       /* zstd: speed first, higher levels gain little on planes */
    N_SAMPLE = 64,   /* values from which the number of digits is guessed */
    SAMPLE_STEP = 4, /* the order of differences is chosen from every 4th reading */
    MAX_SERIES = 2 + 2 * VARINT_MAX + 8 * (1 + VARINT_MAX + SEGMENT_MAX_N),
    MAX_PAYLOAD = 4 + VARINT_MAX + 2 * MAX_SERIES + VARINT_MAX + SEGMENT_MAX_N / 32 * 18
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
    unsigned char is_number[SEGMENT_MAX_N];
    unsigned char payload[MAX_PAYLOAD];
    const struct codebook *book; /* the caller's; NULL = none */
    bool has_avx2;
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
#if defined(__x86_64__)
    c->has_avx2 = __builtin_cpu_supports("avx2");
#endif
    *out = c;
    return FT_OK;
}

void segment_codec_plain(struct segment_codec *codec)
{
    codec->has_avx2 = false;
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
    out->has_summary = true;
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
    if (!seg->has_summary)
        return FT_OK;
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
    enum { N_BYTES = 512, LIMIT = 1670 };
    unsigned short counts[256] = {0};
    size_t sum = 0;
    if (n < 2 * N_BYTES)
        return false;
    for (size_t i = 0; i < N_BYTES; i++)
        counts[plane[i * n / N_BYTES]]++;
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

/* Fewest digits from k on that carry all but a few of the values; -1 when too many are no decimals.
 * A value that k digits carry is carried by k + 1 too as long as it stays below MAX_SCALED. */
static int find_digits(const double *value, size_t n, size_t step, int k, size_t max_exceptions)
{
    size_t n_exceptions = 0;
    uint64_t m;
    for (size_t i = 0; i < n; i += step) {
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

/* Scales n values into x; is_number[i] says whether x[i] carries value[i]. Returns how many do. */
static size_t scale_plain(const double *value, size_t n, double power, uint64_t *x,
                          unsigned char *is_number)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        is_number[i] = scale(value[i], power, &x[i]);
        count += is_number[i];
    }
    return count;
}

#if defined(__x86_64__)
/* The same arithmetic, four values at a time. */
__attribute__((target("avx2"))) static size_t
scale_avx2(const double *value, size_t n, double power, uint64_t *x, unsigned char *is_number)
{
    const __m256d factor = _mm256_set1_pd(power);
    const __m256d magic = _mm256_set1_pd(MAGIC);
    const __m256d limit = _mm256_set1_pd(MAX_SCALED);
    const __m256d no_sign = _mm256_castsi256_pd(_mm256_set1_epi64x(INT64_MAX));
    size_t count = 0;
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const __m256d v = _mm256_loadu_pd(value + i);
        const __m256d scaled = _mm256_mul_pd(v, factor);
        const __m256d shifted = _mm256_add_pd(scaled, magic);
        const __m256d back = _mm256_div_pd(_mm256_sub_pd(shifted, magic), factor);
        const __m256i same = _mm256_cmpeq_epi64(_mm256_castpd_si256(back), _mm256_castpd_si256(v));
        const __m256d small = _mm256_cmp_pd(_mm256_and_pd(scaled, no_sign), limit, _CMP_LT_OQ);
        const int ok = _mm256_movemask_pd(_mm256_and_pd(_mm256_castsi256_pd(same), small));
        _mm256_storeu_si256((__m256i *)(x + i), _mm256_sub_epi64(_mm256_castpd_si256(shifted),
                                                                 _mm256_castpd_si256(magic)));
        for (int k = 0; k < 4; k++)
            is_number[i + (size_t)k] = ok >> k & 1;
        count += (size_t)__builtin_popcount((unsigned)ok);
    }
    return count + scale_plain(value + i, n - i, power, x + i, is_number + i);
}
#endif

static size_t scale_values(const struct segment_codec *codec, const double *value, size_t n,
                           double power, uint64_t *x, unsigned char *is_number)
{
#if defined(__x86_64__)
    if (codec->has_avx2)
        return scale_avx2(value, n, power, x, is_number);
#endif
    return scale_plain(value, n, power, x, is_number);
}

/* Fills codec->series with scaled numbers and codec->exceptions. Returns the number of digits; -1:
 * too many values do not fit. */
static int scale_all(struct segment_codec *codec, const double *value, size_t n,
                     size_t max_exceptions, size_t *n_exceptions)
{
    const size_t step = n / N_SAMPLE + 1;
    uint64_t *x = codec->series;
    int digits = find_digits(value, n, step, 0, max_exceptions);
    if (digits < 0)
        return -1;
    size_t n_good = scale_values(codec, value, n, powers[digits], x, codec->is_number);
    if (n_good < n) {
        digits = find_digits(value, n, 1, digits, max_exceptions);
        if (digits < 0)
            return -1;
        n_good = scale_values(codec, value, n, powers[digits], x, codec->is_number);
    }
    if (n - n_good > max_exceptions)
        return -1;
    size_t k = 0;
    for (size_t i = 0; i < n && k < n - n_good; i++) {
        if (codec->is_number[i])
            continue;
        codec->exceptions[k++] = (uint16_t)i;
        x[i] = i > 0 ? x[i - 1] : 0; /* costs nothing as a difference */
    }
    *n_exceptions = k;
    return digits;
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

/* Is the step between any two instants the same? */
static bool is_steady(const int64_t *ts_ms, size_t n)
{
    const uint64_t step = n > 1 ? (uint64_t)ts_ms[1] - (uint64_t)ts_ms[0] : 0;
    uint64_t other = 0;
    for (size_t i = 1; i < n; i++)
        other |= ((uint64_t)ts_ms[i] - (uint64_t)ts_ms[i - 1]) ^ step;
    return other == 0;
}

static unsigned char *put_instants(struct segment_codec *codec, unsigned char *p,
                                   const int64_t *ts_ms, size_t n)
{
    if (is_steady(ts_ms, n)) { /* the row's first and last instant tell all */
        *p++ = INSTANTS_STEADY;
        return p;
    }
    *p++ = INSTANTS_SERIES;
    for (size_t i = 0; i < n; i++)
        codec->series[i] = (uint64_t)ts_ms[i];
    return put_series(codec, p, codec->series, n);
}

/* What begins at instants and ends at p in the form with the caller's codebook, when that is
 * shorter. */
static unsigned char *try_codebook(struct segment_codec *codec, unsigned char *head,
                                   unsigned char *instants, const unsigned char *values,
                                   unsigned char *p, const double *value, size_t n)
{
    const struct codebook *b = codec->book;
    const size_t instants_len = (size_t)(values - instants);
    unsigned char *out = (unsigned char *)codec->residuals;
    if (b == NULL || n > CODEBOOK_MAX_N)
        return p;
    scale_values(codec, value, n, powers[b->digits], codec->series, codec->is_number);
    unsigned char *end = put_varint(out, (uint64_t)b->id);
    memcpy(end, instants, instants_len);
    end = codebook_encode(b, (const int64_t *)codec->series, codec->is_number, value, n,
                          end + instants_len);
    const size_t len = (size_t)(end - out);
    if (len >= (size_t)(p - instants))
        return p;
    head[1] = FORM_CODEBOOK;
    head[2] = (unsigned char)b->digits;
    memcpy(instants, out, len);
    return instants + len;
}

/* The whole payload into codec->payload; returns its length. */
static size_t encode_payload(struct segment_codec *codec, const int64_t *ts_ms, const double *value,
                             size_t n)
{
    const size_t max_exceptions = n / 32;
    size_t n_exceptions = 0;
    unsigned char *p = codec->payload;
    unsigned char *head = p;
    *p++ = VERSION;
    p += 2;
    p = put_varint(p, n);
    unsigned char *instants = p;
    p = put_instants(codec, p, ts_ms, n);
    unsigned char *values = p;
    const int digits = scale_all(codec, value, n, max_exceptions, &n_exceptions);
    head[1] = digits >= 0 ? FORM_DECIMAL : FORM_BITS;
    head[2] = (unsigned char)(digits >= 0 ? digits : 0);
    if (digits < 0)
        memcpy(codec->series, value, n * sizeof(*value));
    p = put_series(codec, p, codec->series, n);
    if (digits >= 0)
        p = put_exceptions(codec, p, value, n_exceptions);
    p = try_codebook(codec, head, instants, values, p, value, n);
    return (size_t)(p - codec->payload);
}

void segment_codec_use(struct segment_codec *codec, const struct codebook *book)
{
    codec->book = book;
}

int64_t segment_codebook_id(const unsigned char *payload, size_t len)
{
    struct cursor c = {payload, payload + len, NULL};
    const unsigned version = take_byte(&c);
    const unsigned form = take_byte(&c);
    take_byte(&c);
    take_varint(&c);
    const uint64_t id = take_varint(&c);
    return version == VERSION && form == FORM_CODEBOOK && c.what == NULL ? (int64_t)id : 0;
}

size_t segment_scale(const double *value, size_t n, int digits, int64_t *m)
{
    size_t count = 0;
    uint64_t x;
    for (size_t i = 0; i < n; i++)
        if (scale(value[i], powers[digits], &x))
            m[count++] = (int64_t)x;
    return count;
}

static unsigned char *put_real(unsigned char *p, double v)
{
    if (isnan(v))
        v = NAN;
    return put_u64(p, bits_of(v == 0 ? 0.0 : v)); /* as the database keeps it */
}

uint32_t segment_row_crc(uint32_t payload_crc, int64_t sensor_id, const struct reading_segment *seg)
{
    unsigned char bytes[9 * 8];
    unsigned char *p = put_u64(bytes, (uint64_t)sensor_id);
    p = put_u64(p, (uint64_t)seg->start_ms);
    p = put_u64(p, (uint64_t)seg->end_ms);
    p = put_u64(p, seg->n);
    if (!seg->has_summary)
        return (uint32_t)crc32(payload_crc, bytes, (unsigned)(p - bytes));
    p = put_u64(p, seg->n_numbers);
    p = put_real(p, seg->min);
    p = put_real(p, seg->max);
    p = put_real(p, seg->sum);
    p = put_real(p, seg->last);
    return (uint32_t)crc32(payload_crc, bytes, (unsigned)(p - bytes));
}

int segment_digits(const double *value, size_t n)
{
    return find_digits(value, n, 1, 0, n / 32);
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
        cursor_fail(c, "a plane has an unknown form");
        return NULL;
    }
    const uint64_t len = take_varint(c);
    const unsigned char *frame = len <= SEGMENT_MAX_N ? take(c, (size_t)len) : NULL;
    if (frame == NULL) {
        cursor_fail(c, "a plane is too long");
        return NULL;
    }
    if (ZSTD_decompressDCtx(codec->decompressor, codec->plane, n, frame, (size_t)len) != n) {
        cursor_fail(c, "a plane cannot be decompressed");
        return NULL;
    }
    return codec->plane;
}

/* The lowest plane makes the numbers, the others are added to them. */
static void add_plane_plain(uint64_t *r, const unsigned char *plane, size_t n, unsigned shift)
{
    for (size_t i = 0; i < n; i++)
        r[i] = (shift > 0 ? r[i] : 0) | (uint64_t)plane[i] << shift;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void add_plane_avx2(uint64_t *r, const unsigned char *plane,
                                                           size_t n, unsigned shift)
{
    const __m128i count = _mm_cvtsi32_si128((int)shift);
    size_t i = 0;
    for (; shift == 0 && i + 8 <= n; i += 8) {
        const __m128i eight = _mm_loadl_epi64((const __m128i *)(plane + i));
        _mm256_storeu_si256((__m256i *)(r + i), _mm256_cvtepu8_epi64(eight));
        _mm256_storeu_si256((__m256i *)(r + i + 4), _mm256_cvtepu8_epi64(_mm_srli_si128(eight, 4)));
    }
    for (; shift > 0 && i + 4 <= n; i += 4) {
        int four;
        memcpy(&four, plane + i, sizeof(four));
        const __m256i wide = _mm256_cvtepu8_epi64(_mm_cvtsi32_si128(four));
        const __m256i old = _mm256_loadu_si256((const __m256i *)(r + i));
        _mm256_storeu_si256((__m256i *)(r + i),
                            _mm256_or_si256(old, _mm256_sll_epi64(wide, count)));
    }
    add_plane_plain(r + i, plane + i, n - i, shift);
}
#endif

static void add_plane(const struct segment_codec *codec, uint64_t *r, const unsigned char *plane,
                      size_t n, unsigned shift)
{
#if defined(__x86_64__)
    if (codec->has_avx2) {
        add_plane_avx2(r, plane, n, shift);
        return;
    }
#endif
    add_plane_plain(r, plane, n, shift);
}

static void take_residuals(struct segment_codec *codec, struct cursor *c, uint64_t *r, size_t n,
                           unsigned width)
{
    if (width == 0)
        memset(r, 0, n * sizeof(*r));
    for (unsigned w = 0; w < width && c->what == NULL; w++) {
        unsigned constant = 0;
        const unsigned char *plane = take_plane(codec, c, n, &constant);
        const unsigned shift = 8 * w;
        if (c->what != NULL)
            return;
        if (plane != NULL)
            add_plane(codec, r, plane, n, shift);
        else
            for (size_t i = 0; (constant != 0 || w == 0) && i < n; i++)
                r[i] = (w > 0 ? r[i] : 0) | (uint64_t)constant << shift;
    }
}

static void sum_up_plain(uint64_t *x, const uint64_t *r, size_t n, uint64_t sum)
{
    for (size_t i = 0; i < n; i++)
        x[i] = sum += unzigzag(r[i]);
}

#if defined(__x86_64__)
/* Four running sums at a time: within pairs, then over the pairs, then what came before. */
__attribute__((target("avx2"))) static void sum_up_avx2(uint64_t *x, const uint64_t *r, size_t n,
                                                        uint64_t sum)
{
    const __m256i one = _mm256_set1_epi64x(1);
    const __m256i zero = _mm256_setzero_si256();
    __m256i before = _mm256_set1_epi64x((int64_t)sum);
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const __m256i z = _mm256_loadu_si256((const __m256i *)(r + i));
        const __m256i sign = _mm256_sub_epi64(zero, _mm256_and_si256(z, one));
        __m256i v = _mm256_xor_si256(_mm256_srli_epi64(z, 1), sign);
        v = _mm256_add_epi64(v, _mm256_slli_si256(v, 8));
        const __m256i second = _mm256_permute4x64_epi64(v, 0x55);
        v = _mm256_add_epi64(v, _mm256_blend_epi32(zero, second, 0xf0));
        v = _mm256_add_epi64(v, before);
        _mm256_storeu_si256((__m256i *)(x + i), v);
        before = _mm256_permute4x64_epi64(v, 0xff);
    }
    sum_up_plain(x + i, r + i, n - i, i > 0 ? x[i - 1] : sum);
}
#endif

/* x[i] = sum + the differences r[0..i], which are zigzag. */
static void sum_up(const struct segment_codec *codec, uint64_t *x, const uint64_t *r, size_t n,
                   uint64_t sum)
{
#if defined(__x86_64__)
    if (codec->has_avx2) {
        sum_up_avx2(x, r, n, sum);
        return;
    }
#endif
    sum_up_plain(x, r, n, sum);
}

/* n > 0 numbers into x. */
static void take_series(struct segment_codec *codec, struct cursor *c, uint64_t *x, size_t n)
{
    const unsigned order = take_byte(c);
    const unsigned width = take_byte(c);
    if (order > 2 || order > n || width > 8) {
        cursor_fail(c, "a series has an unknown form");
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
        sum_up(codec, x + 1, r, n - 1, first);
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
        cursor_fail(c, "it has more exceptions than readings");
    for (uint64_t i = 0; i < n_exceptions && c->what == NULL; i++) {
        const uint64_t distance = take_varint(c);
        const uint64_t bits = take_u64(c);
        if (c->what != NULL)
            return;
        if (distance >= n - row || (i > 0 && distance == 0)) {
            cursor_fail(c, "an exception is out of place");
            return;
        }
        row += (size_t)distance;
        value[row] = double_of(bits);
    }
}

static void unscale_plain(const uint64_t *x, size_t n, double power, double *value)
{
    for (size_t i = 0; i < n; i++)
        value[i] = (double)(int64_t)x[i] / power;
}

#if defined(__x86_64__)
/* The same four at a time: below 2^51 the sum of a whole number and the bits of MAGIC is MAGIC plus
 * that number as a double. false: a number is larger, as no encoder writes it. */
__attribute__((target("avx2"))) static bool unscale_avx2(const uint64_t *x, size_t n, double power,
                                                         double *value)
{
    const __m256d factor = _mm256_set1_pd(power);
    const __m256d magic = _mm256_set1_pd(MAGIC);
    const __m256i half = _mm256_set1_epi64x(INT64_C(1) << 51);
    __m256i high = _mm256_setzero_si256();
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const __m256i m = _mm256_loadu_si256((const __m256i *)(x + i));
        high = _mm256_or_si256(high, _mm256_srli_epi64(_mm256_add_epi64(m, half), 52));
        const __m256d shifted =
            _mm256_castsi256_pd(_mm256_add_epi64(m, _mm256_castpd_si256(magic)));
        _mm256_storeu_pd(value + i, _mm256_div_pd(_mm256_sub_pd(shifted, magic), factor));
    }
    unscale_plain(x + i, n - i, power, value + i);
    return _mm256_testz_si256(high, high) != 0;
}
#endif

static void unscale(const struct segment_codec *codec, const uint64_t *x, size_t n, double power,
                    double *value)
{
#if defined(__x86_64__)
    if (codec->has_avx2 && unscale_avx2(x, n, power, value))
        return;
#endif
    unscale_plain(x, n, power, value);
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
    unscale(codec, x, n, powers[digits], value);
    take_exceptions(c, value, n);
}

static void fill_steps_plain(int64_t *ts_ms, size_t n, uint64_t start, uint64_t step)
{
    for (size_t i = 0; i < n; i++)
        ts_ms[i] = (int64_t)(start + step * i);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void fill_steps_avx2(int64_t *ts_ms, size_t n,
                                                            uint64_t start, uint64_t step)
{
    const __m256i four = _mm256_set1_epi64x((int64_t)(4 * step));
    __m256i t = _mm256_setr_epi64x((int64_t)start, (int64_t)(start + step),
                                   (int64_t)(start + 2 * step), (int64_t)(start + 3 * step));
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        _mm256_storeu_si256((__m256i *)(ts_ms + i), t);
        t = _mm256_add_epi64(t, four);
    }
    fill_steps_plain(ts_ms + i, n - i, start + step * i, step);
}
#endif

/* The same step from the first to the last instant of the row. */
static void take_steady(const struct segment_codec *codec, struct cursor *c,
                        const struct reading_segment *seg, int64_t *ts_ms)
{
    const uint64_t span = (uint64_t)seg->end_ms - (uint64_t)seg->start_ms;
    const uint64_t step = seg->n > 1 ? span / (seg->n - 1) : 0;
    if (seg->end_ms < seg->start_ms || step * (seg->n - 1) != span || (seg->n > 1 && step == 0)) {
        cursor_fail(c, "its instants are not those of its row");
        return;
    }
#if defined(__x86_64__)
    if (codec->has_avx2) {
        fill_steps_avx2(ts_ms, seg->n, (uint64_t)seg->start_ms, step);
        return;
    }
#endif
    (void)codec;
    fill_steps_plain(ts_ms, seg->n, (uint64_t)seg->start_ms, step);
}

static void take_instants(struct segment_codec *codec, struct cursor *c, unsigned version,
                          const struct reading_segment *seg, int64_t *ts_ms)
{
    const unsigned form = version == OLD_VERSION ? INSTANTS_SERIES : take_byte(c);
    if (form == INSTANTS_STEADY) {
        take_steady(codec, c, seg, ts_ms);
        return;
    }
    if (form != INSTANTS_SERIES)
        cursor_fail(c, "its instants have an unknown form");
    else
        take_series(codec, c, codec->series, seg->n);
    if (c->what != NULL)
        return;
    for (size_t i = 0; i < seg->n; i++)
        ts_ms[i] = (int64_t)codec->series[i];
    for (size_t i = 1; i < seg->n; i++)
        if (ts_ms[i] <= ts_ms[i - 1])
            cursor_fail(c, "its instants do not grow");
    if (ts_ms[0] != seg->start_ms || ts_ms[seg->n - 1] != seg->end_ms)
        cursor_fail(c, "its instants are not those of its row");
}

static void take_codebook_values(const struct segment_codec *codec, struct cursor *c, uint64_t id,
                                 unsigned digits, double *value, size_t n)
{
    const struct codebook *b = codec->book;
    if (b == NULL || (uint64_t)b->id != id || b->digits != digits)
        cursor_fail(c, "its codebook is missing");
    else
        codebook_decode(b, c, powers[digits], value, n);
}

enum ft_status segment_decode_payload(struct segment_codec *codec,
                                      const struct reading_segment *seg, int64_t *ts_ms,
                                      double *value, struct ft_err *err)
{
    struct cursor c = {seg->payload, seg->payload + seg->len, NULL};
    uint64_t book_id = 0;
    if (seg->n == 0 || seg->n > SEGMENT_MAX_N)
        return ft_fail(err, FT_INVALID, "block of readings: it has %zu, expected 1 to %d", seg->n,
                       SEGMENT_MAX_N);
    const unsigned version = take_byte(&c);
    const unsigned form = take_byte(&c);
    const unsigned digits = take_byte(&c);
    if (version != VERSION && version != OLD_VERSION)
        cursor_fail(&c, "it has an unknown version");
    if (form > (version == OLD_VERSION ? FORM_BITS : FORM_CODEBOOK) || digits > MAX_DIGITS)
        cursor_fail(&c, "it has an unknown form");
    if (take_varint(&c) != seg->n)
        cursor_fail(&c, "its number of readings is not that of its row");
    if (form == FORM_CODEBOOK)
        book_id = take_varint(&c);
    if (c.what == NULL)
        take_instants(codec, &c, version, seg, ts_ms);
    if (c.what == NULL && form == FORM_CODEBOOK)
        take_codebook_values(codec, &c, book_id, digits, value, seg->n);
    else if (c.what == NULL)
        take_values(codec, &c, form, digits, value, seg->n);
    if (c.p != c.end)
        cursor_fail(&c, "there are bytes after its end");
    return c.what == NULL ? FT_OK : ft_fail(err, FT_INVALID, "block of readings: %s", c.what);
}

enum ft_status segment_decode(struct segment_codec *codec, const struct reading_segment *seg,
                              int64_t *ts_ms, double *value, struct ft_err *err)
{
    if (seg->len > MAX_PAYLOAD || (uint32_t)crc32(0, seg->payload, (unsigned)seg->len) != seg->crc)
        return ft_fail(err, FT_INVALID, "block of readings: the checksum does not fit");
    return segment_decode_payload(codec, seg, ts_ms, value, err);
}
