/* Quantile bins: every usable column of a matrix as small codes. Codes 0..n_bins-1 are present
 * values in rising order, code n_bins is a missing value. A column with n_bins or fewer distinct
 * values has one bin for each. Columns with a single code carry nothing and are left out. */
#ifndef MODELS_GBDT_BIN_H
#define MODELS_GBDT_BIN_H

#include "app/base/pool.h"
#include "app/base/status.h"
#include "models/matrix.h"

#include <stddef.h>
#include <stdint.h>

/* Columns that lie side by side in memory: a histogram of 8 columns x 256 codes x 8 bytes stays in
 * the first-level cache while the rows stream by. */
enum { TILE = 8, MAX_BINS = 255 };

struct binned {
    size_t n_rows;
    size_t n_cols; /* usable columns */
    size_t n_tiles;
    uint32_t *column; /* [n_cols] its number in the matrix, rising */
    uint16_t *n_bins; /* [n_cols] bins of present values, 1..MAX_BINS; also the missing code */
    double *edge;   /* [n_cols][MAX_BINS] greatest value of each bin; the last bin has +infinity */
    uint8_t *codes; /* [n_tiles][n_rows][TILE]; unused places are 0 */
};

/* Fills *out; bins_free() also after a failure. FT_NOMEM. Allocates n_rows * n_cols bytes and per
 * thread a few MiB. The quantiles come from at most 262,144 rows, drawn by a fixed rule. */
enum ft_status bins_make(const struct matrix *x, size_t n_bins, struct pool *pool,
                         struct binned *out, struct ft_err *err);
void bins_free(struct binned *b);

static inline const uint8_t *bins_codes(const uint8_t *codes, size_t n_rows, size_t col)
{
    return codes + (col / TILE) * n_rows * TILE + col % TILE; /* row r at [r * TILE] */
}

/* Edges of one column from its present values (any order; overwritten): writes edge[0..n), the last
 * is +infinity, and returns n, 1..max_bins. scratch[n_values] is used for sorting. */
size_t bins_edges(uint64_t *keys, uint64_t *scratch, size_t n_values, size_t max_bins,
                  double *edge);
/* Order-preserving integer of a value that is not NaN; -0 equals 0. */
uint64_t bins_key(double value);
/* Code of a present value. */
uint8_t bins_code(const double *edge, size_t n_bins, double value);

#endif
