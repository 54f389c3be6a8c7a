/* Binning in two passes over the matrix, both parallel over groups of eight columns so that one
 * visit to a row serves eight columns: first the edges, from sorted values, then the codes, by a
 * branch-free binary search. */
#include "models/gbdt/bin.h"

#include "app/base/rng.h"

#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_ROWS = 262144, RADIX = 256 };
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

size_t bins_edges(uint64_t *keys, uint64_t *scratch, size_t n_values, size_t max_bins, double *edge)
{
    const uint64_t *sorted = sort_keys(keys, scratch, n_values);
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

uint8_t bins_code(const double *edge, size_t n_bins, double value)
{
    const double *base = edge;
    for (size_t len = n_bins; len > 1;) {
        const size_t half = len / 2;
        base += base[half - 1] < value ? half : 0;
        len -= half;
    }
    return (uint8_t)(base - edge);
}

/* Shared by the jobs of one call. */
struct binning {
    const struct matrix *x;
    size_t max_bins;
    size_t n_sample;
    uint32_t *sample; /* [n_sample] rows that the edges come from; NULL = all */
    uint16_t *n_bins; /* [x->n_cols] */
    bool *has_missing;
    double *edge; /* [x->n_cols][MAX_BINS] */
    struct binned *out;
    atomic_bool no_memory;
};

static void edges_job(void *ctx, size_t job)
{
    struct binning *b = ctx;
    const struct matrix *x = b->x;
    const size_t first = job * TILE;
    const size_t n_cols = x->n_cols - first < TILE ? x->n_cols - first : TILE;
    uint64_t *keys = calloc(b->n_sample, (TILE + 1) * sizeof(*keys));
    size_t n[TILE] = {0};
    if (keys == NULL) {
        atomic_store(&b->no_memory, true);
        return;
    }
    for (size_t i = 0; i < b->n_sample; i++) {
        const double *row = matrix_row(x, b->sample != NULL ? b->sample[i] : i) + first;
        for (size_t k = 0; k < n_cols; k++) {
            keys[k * b->n_sample + n[k]] = isnan(row[k]) ? 0 : bins_key(row[k]);
            n[k] += !isnan(row[k]);
        }
    }
    uint64_t *scratch = keys + TILE * b->n_sample;
    for (size_t k = 0; k < n_cols; k++) {
        double *edge = b->edge + (first + k) * MAX_BINS;
        b->n_bins[first + k] =
            (uint16_t)bins_edges(keys + k * b->n_sample, scratch, n[k], b->max_bins, edge);
    }
    free(keys);
    for (size_t i = 0; i < x->n_rows; i++) {
        const double *row = matrix_row(x, i) + first;
        for (size_t k = 0; k < n_cols; k++)
            b->has_missing[first + k] |= isnan(row[k]);
    }
}

static void codes_job(void *ctx, size_t tile)
{
    struct binning *b = ctx;
    const struct binned *out = b->out;
    const size_t first = tile * TILE;
    const size_t n_cols = out->n_cols - first < TILE ? out->n_cols - first : TILE;
    uint8_t *codes = out->codes + tile * out->n_rows * TILE;
    for (size_t i = 0; i < out->n_rows; i++) {
        const double *row = matrix_row(b->x, i);
        for (size_t k = 0; k < n_cols; k++) {
            const double v = row[out->column[first + k]];
            const size_t n = out->n_bins[first + k];
            codes[i * TILE + k] =
                isnan(v) ? (uint8_t)n : bins_code(out->edge + (first + k) * MAX_BINS, n, v);
        }
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

/* Keeps the columns with at least two codes and makes room for their codes. */
static enum ft_status keep_usable(const struct binning *b, struct binned *out, struct ft_err *err)
{
    const size_t n_cols = b->x->n_cols;
    out->column = calloc(n_cols, sizeof(*out->column));
    out->n_bins = calloc(n_cols, sizeof(*out->n_bins));
    out->edge = calloc(n_cols, MAX_BINS * sizeof(*out->edge));
    if (out->column == NULL || out->n_bins == NULL || out->edge == NULL)
        return no_memory(b->x, err);
    for (size_t j = 0; j < n_cols; j++) {
        if (b->n_bins[j] + (size_t)b->has_missing[j] < 2)
            continue;
        out->column[out->n_cols] = (uint32_t)j;
        out->n_bins[out->n_cols] = b->n_bins[j];
        memcpy(out->edge + out->n_cols * MAX_BINS, b->edge + j * MAX_BINS,
               MAX_BINS * sizeof(*out->edge));
        out->n_cols++;
    }
    out->n_rows = b->x->n_rows;
    out->n_tiles = (out->n_cols + TILE - 1) / TILE;
    out->codes = calloc(out->n_tiles > 0 ? out->n_tiles * TILE : 1, out->n_rows);
    return out->codes != NULL ? FT_OK : no_memory(b->x, err);
}

enum ft_status bins_make(const struct matrix *x, size_t n_bins, struct pool *pool,
                         struct binned *out, struct ft_err *err)
{
    enum ft_status st;
    struct binning b = {.x = x, .max_bins = n_bins, .n_sample = x->n_rows, .out = out};

    *out = (struct binned){0};
    if (x->n_rows > SAMPLE_ROWS) {
        b.n_sample = SAMPLE_ROWS;
        b.sample = draw_sample(x->n_rows);
    }
    b.n_bins = calloc(x->n_cols, sizeof(*b.n_bins));
    b.has_missing = calloc(x->n_cols, sizeof(*b.has_missing));
    b.edge = calloc(x->n_cols, MAX_BINS * sizeof(*b.edge));
    if (b.n_bins == NULL || b.has_missing == NULL || b.edge == NULL ||
        (b.n_sample < x->n_rows && b.sample == NULL)) {
        st = no_memory(x, err);
        goto out;
    }
    pool_run(pool, (x->n_cols + TILE - 1) / TILE, edges_job, &b);
    st = atomic_load(&b.no_memory) ? no_memory(x, err) : keep_usable(&b, out, err);
    if (st == FT_OK)
        pool_run(pool, out->n_tiles, codes_job, &b);
out:
    free(b.sample);
    free(b.n_bins);
    free(b.has_missing);
    free(b.edge);
    return st;
}

void bins_free(struct binned *b)
{
    free(b->column);
    free(b->n_bins);
    free(b->edge);
    free(b->codes);
    *b = (struct binned){0};
}
