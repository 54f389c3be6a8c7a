/* Quantile bins: every usable column of a matrix as small codes. Codes 0..n_bins-1 are present
 * values in rising order, code n_bins is a missing value. A column with n_bins or fewer distinct
 * values has one bin for each. Columns with a single code carry nothing and are left out. */
#ifndef MODELS_GBDT_BIN_H
#define MODELS_GBDT_BIN_H

#include "app/base/pool.h"
#include "app/base/status.h"
#include "models/matrix.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Columns whose histograms are summed together: 8 columns x 256 codes x 8 bytes stay in the
 * first-level cache while the rows stream by. */
enum { TILE = 8, MAX_BINS = 255, EDGE_PLACES = 256 };

struct binned {
    size_t n_rows;
    size_t n_cols;     /* usable columns */
    size_t row_bytes;  /* bins_row_bytes(n_cols) */
    uint32_t *column;  /* [n_cols] its number in the matrix, rising */
    uint16_t *n_bins;  /* [n_cols] bins of present values, 1..MAX_BINS; also the missing code */
    bool *is_category; /* [n_cols] codes are those of category.h up to n_bins */
    double *edge;      /* [n_cols][EDGE_PLACES] greatest value of each bin; +infinity from the last
                          bin on */
    uint8_t *codes;    /* [n_rows][row_bytes], aligned to 64; unused places are 0: for histograms */
    uint8_t *by_column; /* [n_cols][n_rows], the same codes: for splitting the rows of a node */
};

/* Fills *out; bins_free() also after a failure. is_category[x->n_cols] as in gbdt_params, NULL =
 * none. FT_NOMEM. Allocates n_rows * (row_bytes + n_cols)
 * bytes and, while the edges are found, up to 10 MiB per thread. The quantiles come from at most
 * 262,144 rows, drawn by a fixed rule. Floats give the bins of the same values as doubles. */
enum ft_status bins_make(const struct matrix *x, size_t n_bins, const bool *is_category,
                         struct pool *pool, struct binned *out, struct ft_err *err);
void bins_free(struct binned *b);

/* Bytes of a row of codes: whole tiles, and a power of two or whole cache lines, so that no row of
 * up to 64 columns lies in two lines. */
size_t bins_row_bytes(size_t n_cols);
/* Memory for n_rows of that size, aligned to 64; end it with free(). NULL when there is none. */
uint8_t *bins_alloc_codes(size_t n_rows, size_t row_bytes);

/* Edges of one column from its present values (any order; overwritten): writes edge[0..n), the last
 * is +infinity, and returns n, 1..max_bins. scratch[n_values] is used for sorting. */
size_t bins_edges(uint64_t *keys, uint64_t *scratch, size_t n_values, size_t max_bins,
                  double *edge);
/* Order-preserving integer of a value that is not NaN; -0 equals 0. */
uint64_t bins_key(double value);
/* Code of a present value: how many of edge[EDGE_PLACES] are below it. */
uint8_t bins_code(const double *edge, double value);

/* Codes of n values, x[0], x[stride], ..., into codes[n], missing for NaN. For floats the edges are
 * those of bins_float_below(). */
void bins_code_column(const double *edge, const double *x, size_t stride, size_t n, uint8_t missing,
                      uint8_t *codes);
void bins_code_floats(const float *edge, const float *x, size_t stride, size_t n, uint8_t missing,
                      uint8_t *codes);
/* The greatest float that is not above edge: for floats v, v <= edge and v <= the result are the
 * same. */
float bins_float_below(double edge);
/* May AVX2 be used? */
bool bins_has_vectors(void);

/* For tests: with false, the plain C path runs on every processor. Not for use while a fit runs. */
void bins_allow_vectors(bool allow);

#endif
