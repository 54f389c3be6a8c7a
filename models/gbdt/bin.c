/* Binning in two passes over the matrix: first the edges, from sorted values, parallel over groups
 * of columns, then the codes, parallel over blocks of rows. A code is the number of edges below the
 * value: sixteen pivots tell the group of sixteen edges, one look at the group the rest. With AVX2
 * that is four comparisons of eight floats and no branch; the plain path halves the range eight
 * times. Both count the same edges, so the bits are the same. */
#include "models/gbdt/bin.h"

#include "app/base/big_array.h"
#include "app/base/rng.h"
#include "models/gbdt/category.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { SAMPLE_ROWS = 262144, RADIX = 256, EDGE_COLS = 4, CODE_ROWS = 128, JOB_ROWS = 4096 };
static const uint64_t SAMPLE_SEED = UINT64_C(0x62696e73); /* fixed: edges depend on the data only */

uint64_t bins_key(double value)
{
    uint64_t bits;
    value += 0.0; /* -0 becomes +0 */
    memcpy(&bits, &value, sizeof(bits));
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static double value_of_key(uint64_t key)
{
    const uint64_t bits = key >> 63 ? key & ~(UINT64_C(1) << 63) : ~key;
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* Least-significant-byte radix sort; bytes that are the same everywhere cost nothing. Returns the
 * array (keys or scratch) that holds the result. */
static uint64_t *sort_keys(uint64_t *keys, uint64_t *scratch, size_t n)
{
    size_t counts[8][RADIX] = {{0}};
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < 8; d++)
            counts[d][keys[i] >> (8 * d) & 255]++;
    for (size_t d = 0; d < 8; d++) {
        if (n > 0 && counts[d][keys[0] >> (8 * d) & 255] == n)
            continue;
        size_t at = 0;
        for (size_t v = 0; v < RADIX; v++) {
            const size_t count = counts[d][v];
            counts[d][v] = at;
            at += count;
        }
        for (size_t i = 0; i < n; i++)
            scratch[counts[d][keys[i] >> (8 * d) & 255]++] = keys[i];
        uint64_t *const sorted = scratch;
        scratch = keys;
        keys = sorted;
    }
    return keys;
}

/* The same for floats: their keys have four bytes. The result has the keys of doubles. */
static void sort_floats(uint32_t *keys, uint32_t *scratch, size_t n, uint64_t *sorted)
{
    enum { DIGITS = 2048, N_DIGITS = 3 };
    size_t counts[N_DIGITS][DIGITS] = {{0}};
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < N_DIGITS; d++)
            counts[d][keys[i] >> (11 * d) & (DIGITS - 1)]++;
    for (size_t d = 0; d < N_DIGITS; d++) {
        size_t at = 0;
        for (size_t v = 0; v < DIGITS; v++) {
            const size_t count = counts[d][v];
            counts[d][v] = at;
            at += count;
        }
        for (size_t i = 0; i < n; i++)
            scratch[counts[d][keys[i] >> (11 * d) & (DIGITS - 1)]++] = keys[i];
        uint32_t *const done = scratch;
        scratch = keys;
        keys = done;
    }
    for (size_t i = 0; i < n; i++) {
        const uint32_t bits = keys[i] >> 31 ? keys[i] & ~(UINT32_C(1) << 31) : ~keys[i];
        float value;
        memcpy(&value, &bits, sizeof(value));
        sorted[i] = bins_key((double)value);
    }
}

static uint32_t key_of_float(float value)
{
    uint32_t bits;
    value += 0.0F; /* -0 becomes +0 */
    memcpy(&bits, &value, sizeof(bits));
    return bits >> 31 ? ~bits : bits | UINT32_C(1) << 31;
}

/* Between two neighbouring distinct values: a <= edge < b, the middle where it is finite. */
static double edge_between(double a, double b)
{
    const double middle = a + (b - a) / 2;
    return middle >= a && middle < b ? middle : a;
}

/* End of the run of equal keys that starts at i. */
static size_t run_end(const uint64_t *keys, size_t n, size_t i)
{
    size_t end = i + 1;
    while (end < n && keys[end] == keys[i])
        end++;
    return end;
}

static bool has_more_distinct(const uint64_t *keys, size_t n, size_t limit)
{
    size_t distinct = 0;
    for (size_t i = 0; i < n; i = run_end(keys, n, i))
        if (++distinct > limit)
            return true;
    return false;
}

static size_t edges_of_sorted(const uint64_t *sorted, size_t n_values, size_t max_bins,
                              double *edge)
{
    const bool is_coarse = has_more_distinct(sorted, n_values, max_bins);
    size_t n = 0;
    size_t bin_begin = 0; /* first value of the open bin */
    for (size_t i = 0; i < n_values;) {
        const size_t end = run_end(sorted, n_values, i);
        if (end == n_values)
            break;
        /* Close the bin at a fair share of what is left, or where the next value's weight would
         * take it further from that share; so a heavy value gets a bin of its own. */
        const double share = (double)(n_values - bin_begin) / (double)(max_bins - n);
        const double next = (double)(run_end(sorted, n_values, end) - end);
        if (!is_coarse || (n + 1 < max_bins && (double)(end - bin_begin) + next / 2 > share)) {
            edge[n++] = edge_between(value_of_key(sorted[end - 1]), value_of_key(sorted[end]));
            bin_begin = end;
        }
        i = end;
    }
    edge[n++] = INFINITY;
    return n;
}

size_t bins_edges(uint64_t *keys, uint64_t *scratch, size_t n_values, size_t max_bins, double *edge)
{
    return edges_of_sorted(sort_keys(keys, scratch, n_values), n_values, max_bins, edge);
}

/* --- codes ------------------------------------------------------------------------------------ */

float bins_float_below(double edge)
{
    const float f = (float)edge;
    return (double)f > edge ? nextafterf(f, -INFINITY) : f;
}

uint8_t bins_code(const double *edge, double value)
{
    size_t at = 0;
    for (size_t half = EDGE_PLACES / 2; half > 0; half /= 2)
        at += edge[at + half - 1] < value ? half : 0;
    return (uint8_t)at;
}

/* One column of a block of rows: value i at x[i * stride], its code to codes[i * row_bytes]. */
struct strip {
    size_t n, stride, row_bytes;
    uint8_t *codes;
    uint8_t missing;
};

static void code_doubles(const struct strip *s, const double *edge, const double *x)
{
    for (size_t i = 0; i < s->n; i++) {
        const double v = x[i * s->stride];
        const uint8_t code = bins_code(edge, v);
        s->codes[i * s->row_bytes] = v != v ? s->missing : code;
    }
}

static void code_floats(const struct strip *s, const float *edge, const float *x)
{
    for (size_t i = 0; i < s->n; i++) {
        const float v = x[i * s->stride];
        size_t at = 0;
        for (size_t half = EDGE_PLACES / 2; half > 0; half /= 2)
            at += edge[at + half - 1] < v ? half : 0;
        s->codes[i * s->row_bytes] = v != v ? s->missing : (uint8_t)at;
    }
}

static atomic_bool vectors_are_off;

void bins_allow_vectors(bool allow)
{
    atomic_store(&vectors_are_off, !allow);
}

bool bins_has_vectors(void)
{
#if defined(__x86_64__)
    return !atomic_load(&vectors_are_off) && __builtin_cpu_supports("avx2") &&
           __builtin_cpu_supports("popcnt");
#else
    return false;
#endif
}

#if defined(__x86_64__)
/* How many of 16 rising numbers are below v. */
__attribute__((target("avx2,popcnt"))) static inline unsigned below_16f(const float *edge, __m256 v)
{
    const __m256 a = _mm256_cmp_ps(_mm256_loadu_ps(edge), v, _CMP_LT_OQ);
    const __m256 b = _mm256_cmp_ps(_mm256_loadu_ps(edge + 8), v, _CMP_LT_OQ);
    const __m256i both = _mm256_packs_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b));
    return (unsigned)__builtin_popcount((unsigned)_mm256_movemask_epi8(both)) / 2;
}

__attribute__((target("avx2,popcnt"))) static inline unsigned below_16d(const double *edge,
                                                                        __m256d v)
{
    const __m256i a = _mm256_castpd_si256(_mm256_cmp_pd(_mm256_loadu_pd(edge), v, _CMP_LT_OQ));
    const __m256i b = _mm256_castpd_si256(_mm256_cmp_pd(_mm256_loadu_pd(edge + 4), v, _CMP_LT_OQ));
    const __m256i c = _mm256_castpd_si256(_mm256_cmp_pd(_mm256_loadu_pd(edge + 8), v, _CMP_LT_OQ));
    const __m256i d = _mm256_castpd_si256(_mm256_cmp_pd(_mm256_loadu_pd(edge + 12), v, _CMP_LT_OQ));
    const __m256i all =
        _mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d)); /* 2 bytes each */
    return (unsigned)__builtin_popcount((unsigned)_mm256_movemask_epi8(all)) / 2;
}

__attribute__((target("avx2,popcnt"))) static void
code_floats_avx2(const struct strip *s, const float *edge, const float *x)
{
    float pivot[16];
    for (size_t k = 0; k < 16; k++)
        pivot[k] = k < 15 ? edge[16 * k + 15] : INFINITY;
    for (size_t i = 0; i < s->n; i++) {
        const float v = x[i * s->stride];
        const __m256 wide = _mm256_set1_ps(v);
        const unsigned group = 16 * below_16f(pivot, wide);
        const unsigned code = group + below_16f(edge + group, wide);
        s->codes[i * s->row_bytes] = v != v ? s->missing : (uint8_t)code;
    }
}

__attribute__((target("avx2,popcnt"))) static void
code_doubles_avx2(const struct strip *s, const double *edge, const double *x)
{
    double pivot[16];
    for (size_t k = 0; k < 16; k++)
        pivot[k] = k < 15 ? edge[16 * k + 15] : INFINITY;
    for (size_t i = 0; i < s->n; i++) {
        const double v = x[i * s->stride];
        const __m256d wide = _mm256_set1_pd(v);
        const unsigned group = 16 * below_16d(pivot, wide);
        const unsigned code = group + below_16d(edge + group, wide);
        s->codes[i * s->row_bytes] = v != v ? s->missing : (uint8_t)code;
    }
}
#endif

static void code_strip_doubles(const struct strip *s, const double *edge, const double *x)
{
#if defined(__x86_64__)
    if (bins_has_vectors()) {
        code_doubles_avx2(s, edge, x);
        return;
    }
#endif
    code_doubles(s, edge, x);
}

static void code_strip_floats(const struct strip *s, const float *edge, const float *x)
{
#if defined(__x86_64__)
    if (bins_has_vectors()) {
        code_floats_avx2(s, edge, x);
        return;
    }
#endif
    code_floats(s, edge, x);
}

void bins_code_column(const double *edge, const double *x, size_t stride, size_t n, uint8_t missing,
                      uint8_t *codes)
{
    const struct strip s = {n, stride, 1, codes, missing};
    code_strip_doubles(&s, edge, x);
}

void bins_code_floats(const float *edge, const float *x, size_t stride, size_t n, uint8_t missing,
                      uint8_t *codes)
{
    const struct strip s = {n, stride, 1, codes, missing};
    code_strip_floats(&s, edge, x);
}

/* Shared by the jobs of one call. */
struct binning {
    const struct matrix *x;
    size_t max_bins;
    const bool *is_category; /* [x->n_cols]; NULL = none */
    size_t n_sample;
    uint32_t *sample; /* [n_sample] rows that the edges come from; NULL = all */
    uint16_t *n_bins; /* [x->n_cols] */
    bool *has_missing;
    double *edge;  /* [x->n_cols][EDGE_PLACES] */
    float *edge32; /* [out->n_cols][EDGE_PLACES] for a matrix of floats: greatest float of a bin */
    struct binned *out;
    /* Room to sort in for each thread that may be at work; a job takes any that is not taken. One
     * block, made and freed by the caller: memory that workers free stays with them. */
    size_t n_rooms;
    uint64_t *room; /* [n_rooms][(EDGE_COLS + 1) * n_sample] */
    atomic_flag *is_taken;
};

/* Does a column hold a missing value anywhere? */
static bool scan_missing(const struct matrix *x, size_t col)
{
    for (size_t i = 0; i < x->n_rows; i++) {
        const double v =
            x->data != NULL ? x->data[i * x->stride + col] : (double)x->data32[i * x->stride + col];
        if (v != v)
            return true;
    }
    return false;
}

static bool holds_categories(const struct binning *b, size_t col)
{
    return b->is_category != NULL && b->is_category[col];
}

/* A column of categories has a code for each up to the highest, as many as bins are allowed. */
static void scan_categories(struct binning *b, size_t col)
{
    unsigned n = 0;
    bool has_missing = false;
    for (size_t i = 0; i < b->x->n_rows; i++) {
        const unsigned code = category_code(matrix_value(b->x, i, col));
        has_missing |= code >= b->max_bins || code == CATEGORY_MISSING;
        if (code < b->max_bins && code != CATEGORY_MISSING && code >= n)
            n = code + 1;
    }
    b->n_bins[col] = (uint16_t)n;
    b->has_missing[col] = has_missing;
}

/* Sorted keys of the present values of n_cols columns from first on go to keys[k * n_sample]. */
static void keys_of_doubles(const struct binning *b, size_t first, size_t n_cols, uint64_t *keys,
                            size_t *n)
{
    for (size_t i = 0; i < b->n_sample; i++) {
        const double *row = matrix_row(b->x, b->sample != NULL ? b->sample[i] : i) + first;
        for (size_t k = 0; k < n_cols; k++) {
            keys[k * b->n_sample + n[k]] = row[k] != row[k] ? 0 : bins_key(row[k]);
            n[k] += row[k] == row[k];
        }
    }
}

static void keys_of_floats(const struct binning *b, size_t first, size_t n_cols, uint32_t *keys,
                           size_t *n)
{
    for (size_t i = 0; i < b->n_sample; i++) {
        const size_t r = b->sample != NULL ? b->sample[i] : i;
        const float *row = b->x->data32 + r * b->x->stride + first;
        for (size_t k = 0; k < n_cols; k++) {
            keys[k * b->n_sample + n[k]] = row[k] != row[k] ? 0 : key_of_float(row[k]);
            n[k] += row[k] == row[k];
        }
    }
}

static void edges_of_columns(struct binning *b, size_t job, uint64_t *keys)
{
    const struct matrix *x = b->x;
    const size_t first = job * EDGE_COLS, n_sample = b->n_sample;
    const size_t n_cols = x->n_cols - first < EDGE_COLS ? x->n_cols - first : EDGE_COLS;
    size_t n[EDGE_COLS] = {0};
    /* Floats: four-byte keys in the front half, room for sorting and the result behind them. */
    uint32_t *keys32 = (uint32_t *)(void *)keys;
    if (x->data != NULL)
        keys_of_doubles(b, first, n_cols, keys, n);
    else
        keys_of_floats(b, first, n_cols, keys32, n);
    for (size_t k = 0; k < n_cols; k++) {
        const size_t col = first + k;
        if (holds_categories(b, col)) {
            scan_categories(b, col);
            continue;
        }
        uint64_t *scratch = keys + EDGE_COLS * n_sample;
        uint64_t *sorted = keys + (EDGE_COLS - 1) * n_sample;
        if (x->data != NULL)
            sorted = sort_keys(keys + k * n_sample, scratch, n[k]);
        else
            sort_floats(keys32 + k * n_sample, (uint32_t *)(void *)scratch, n[k], sorted);
        b->n_bins[col] =
            (uint16_t)edges_of_sorted(sorted, n[k], b->max_bins, b->edge + col * EDGE_PLACES);
        b->has_missing[col] = n[k] < n_sample || (b->n_bins[col] < 2 && scan_missing(x, col));
    }
}

static void edges_job(void *ctx, size_t job)
{
    struct binning *b = ctx;
    size_t at = 0;
    while (atomic_flag_test_and_set(&b->is_taken[at])) /* one is free */
        at = (at + 1) % b->n_rooms;
    edges_of_columns(b, job, b->room + at * (EDGE_COLS + 1) * b->n_sample);
    atomic_flag_clear(&b->is_taken[at]);
}

static bool make_rooms(struct binning *b, size_t n_jobs, struct pool *pool)
{
    const size_t n_threads = pool_n_threads(pool);
    b->n_rooms = n_threads < n_jobs ? n_threads : n_jobs;
    b->room = calloc(b->n_rooms * (EDGE_COLS + 1), b->n_sample * sizeof(*b->room));
    b->is_taken = calloc(b->n_rooms, sizeof(*b->is_taken));
    for (size_t i = 0; b->is_taken != NULL && i < b->n_rooms; i++)
        atomic_flag_clear(&b->is_taken[i]);
    return b->room != NULL && b->is_taken != NULL;
}

static void code_categories(const struct binning *b, const struct strip *s, size_t begin,
                            size_t column)
{
    for (size_t i = 0; i < s->n; i++) {
        const unsigned code = category_code(matrix_value(b->x, begin + i, column));
        s->codes[i * s->row_bytes] = code < s->missing ? (uint8_t)code : s->missing;
    }
}

static void code_strip(const struct binning *b, size_t col, size_t begin, size_t n)
{
    const struct binned *out = b->out;
    const struct matrix *x = b->x;
    const size_t at = begin * x->stride + out->column[col];
    const struct strip s = {n, x->stride, out->row_bytes, out->codes + begin * out->row_bytes + col,
                            (uint8_t)out->n_bins[col]};
    if (out->is_category[col])
        code_categories(b, &s, begin, out->column[col]);
    else if (x->data != NULL)
        code_strip_doubles(&s, out->edge + col * EDGE_PLACES, x->data + at);
    else
        code_strip_floats(&s, b->edge32 + col * EDGE_PLACES, x->data32 + at);
}

static void copy_columns(const struct binned *out, size_t begin, size_t n)
{
    const uint8_t *rows = out->codes + begin * out->row_bytes;
    for (size_t col = 0; col < out->n_cols; col++) {
        uint8_t *to = out->by_column + col * out->n_rows + begin;
        for (size_t i = 0; i < n; i++)
            to[i] = rows[i * out->row_bytes + col];
    }
}

static void codes_job(void *ctx, size_t begin, size_t end)
{
    const struct binning *b = ctx;
    const struct binned *out = b->out;
    for (size_t at = begin; at < end; at += CODE_ROWS) {
        const size_t n = end - at < CODE_ROWS ? end - at : CODE_ROWS;
        memset(out->codes + at * out->row_bytes, 0, n * out->row_bytes);
        for (size_t col = 0; col < out->n_cols; col++)
            code_strip(b, col, at, n);
        copy_columns(out, at, n);
    }
}

static enum ft_status no_memory(const struct matrix *x, struct ft_err *err)
{
    return ft_fail(err, FT_NOMEM, "bins: no memory for %zu rows x %zu columns", x->n_rows,
                   x->n_cols);
}

/* Draws one row from each of SAMPLE_ROWS equal stretches. */
static uint32_t *draw_sample(size_t n_rows)
{
    uint32_t *sample = calloc(SAMPLE_ROWS, sizeof(*sample));
    for (size_t i = 0; sample != NULL && i < SAMPLE_ROWS; i++) {
        const size_t begin = i * n_rows / SAMPLE_ROWS;
        const size_t end = (i + 1) * n_rows / SAMPLE_ROWS;
        sample[i] = (uint32_t)(begin + rng_below(SAMPLE_SEED, 0, i, end - begin));
    }
    return sample;
}

size_t bins_row_bytes(size_t n_cols)
{
    const size_t bytes = (n_cols + TILE - 1) / TILE * TILE;
    return bytes <= 8 ? 8 : bytes <= 16 ? 16 : bytes <= 32 ? 32 : (bytes + 63) / 64 * 64;
}

uint8_t *bins_alloc_codes(size_t n_rows, size_t row_bytes)
{
    /* What lies behind the last row is read together with it. */
    return n_rows < SIZE_MAX / row_bytes ? big_array(n_rows + 1, row_bytes) : NULL;
}

/* Keeps the columns with at least two codes and makes room for their codes. */
static enum ft_status keep_usable(struct binning *b, struct binned *out, struct ft_err *err)
{
    const size_t n_cols = b->x->n_cols;
    out->column = calloc(n_cols, sizeof(*out->column));
    out->n_bins = calloc(n_cols, sizeof(*out->n_bins));
    out->is_category = calloc(n_cols, sizeof(*out->is_category));
    out->edge = calloc(n_cols, EDGE_PLACES * sizeof(*out->edge));
    b->edge32 = calloc(n_cols, EDGE_PLACES * sizeof(*b->edge32));
    if (out->column == NULL || out->n_bins == NULL || out->is_category == NULL ||
        out->edge == NULL || b->edge32 == NULL)
        return no_memory(b->x, err);
    for (size_t j = 0; j < n_cols; j++) {
        if (b->n_bins[j] + (size_t)b->has_missing[j] < 2)
            continue;
        const size_t n_edges = holds_categories(b, j) ? 0 : b->n_bins[j];
        const double *from = b->edge + j * EDGE_PLACES;
        double *to = out->edge + out->n_cols * EDGE_PLACES;
        float *to32 = b->edge32 + out->n_cols * EDGE_PLACES;
        for (size_t k = 0; k < EDGE_PLACES; k++) {
            to[k] = k < n_edges ? from[k] : INFINITY;
            to32[k] = bins_float_below(to[k]);
        }
        out->column[out->n_cols] = (uint32_t)j;
        out->is_category[out->n_cols] = holds_categories(b, j);
        out->n_bins[out->n_cols++] = b->n_bins[j];
    }
    out->n_rows = b->x->n_rows;
    out->row_bytes = bins_row_bytes(out->n_cols);
    out->codes = bins_alloc_codes(out->n_rows, out->row_bytes);
    out->by_column = big_array(out->n_cols + 1, out->n_rows);
    return out->codes != NULL && out->by_column != NULL ? FT_OK : no_memory(b->x, err);
}

enum ft_status bins_make(const struct matrix *x, size_t n_bins, const bool *is_category,
                         struct pool *pool, struct binned *out, struct ft_err *err)
{
    enum ft_status st;
    struct binning b = {
        .x = x, .max_bins = n_bins, .is_category = is_category, .n_sample = x->n_rows, .out = out};

    *out = (struct binned){0};
    if (x->n_rows > SAMPLE_ROWS) {
        b.n_sample = SAMPLE_ROWS;
        b.sample = draw_sample(x->n_rows);
    }
    b.n_bins = calloc(x->n_cols, sizeof(*b.n_bins));
    b.has_missing = calloc(x->n_cols, sizeof(*b.has_missing));
    b.edge = calloc(x->n_cols, EDGE_PLACES * sizeof(*b.edge));
    const size_t n_jobs = (x->n_cols + EDGE_COLS - 1) / EDGE_COLS;
    if (!make_rooms(&b, n_jobs, pool) || b.n_bins == NULL || b.has_missing == NULL ||
        b.edge == NULL || (b.n_sample < x->n_rows && b.sample == NULL)) {
        st = no_memory(x, err);
        goto out;
    }
    pool_run(pool, n_jobs, edges_job, &b);
    free(b.room);
    b.room = NULL;
    st = keep_usable(&b, out, err);
    if (st == FT_OK)
        pool_run_blocks(pool, x->n_rows, JOB_ROWS, codes_job, &b);
out:
    free(b.room);
    free(b.is_taken);
    free(b.sample);
    free(b.n_bins);
    free(b.has_missing);
    free(b.edge);
    free(b.edge32);
    return st;
}

void bins_free(struct binned *b)
{
    free(b->column);
    free(b->n_bins);
    free(b->is_category);
    free(b->edge);
    free(b->codes);
    free(b->by_column);
    *b = (struct binned){0};
}
