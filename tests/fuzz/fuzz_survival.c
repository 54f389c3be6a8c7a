/* cox_read(), aft_read() and survival_trees_read() on any text; what they take must predict without
 * harm and write back to the same text. */
#include "models/aft.h"
#include "models/cox.h"
#include "models/gbdt/survival.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_cox(const struct cox *m)
{
    struct buf b, c;
    struct cox *again = NULL;
    double *row = calloc(cox_n_cols(m) + 1, sizeof(*row));
    buf_init(&b, 1 << 24);
    buf_init(&c, 1 << 24);
    cox_write(m, &b);
    if (cox_read(b.data, b.len, &again, NULL) != FT_OK)
        abort();
    cox_write(again, &c);
    if (b.len != c.len || memcmp(b.data, c.data, b.len) != 0)
        abort();
    const double p = row != NULL ? cox_failure_probability(m, row, 1, 2) : 0;
    if (p < 0 || p > 1)
        abort();
    free(row);
    buf_free(&b);
    buf_free(&c);
    cox_free(again);
}

static void check_aft(const struct aft *m)
{
    struct buf b, c;
    struct aft *again = NULL;
    double *row = calloc(aft_n_cols(m) + 1, sizeof(*row));
    buf_init(&b, 1 << 24);
    buf_init(&c, 1 << 24);
    aft_write(m, &b);
    if (aft_read(b.data, b.len, &again, NULL) != FT_OK)
        abort();
    aft_write(again, &c);
    if (b.len != c.len || memcmp(b.data, c.data, b.len) != 0)
        abort();
    const double p = row != NULL ? aft_failure_probability(m, row, 1, 2) : 0;
    if (p < -1e-12 || p > 1)
        abort();
    free(row);
    buf_free(&b);
    buf_free(&c);
    aft_free(again);
}

static void check_trees(const struct survival_trees *m)
{
    struct buf b, c;
    struct survival_trees *again = NULL;
    double *row = calloc(survival_trees_n_cols(m) + 1, sizeof(*row));
    buf_init(&b, 1 << 24);
    buf_init(&c, 1 << 24);
    survival_trees_write(m, &b);
    if (survival_trees_read(b.data, b.len, &again, NULL) != FT_OK)
        abort();
    survival_trees_write(again, &c);
    if (b.len != c.len || memcmp(b.data, c.data, b.len) != 0)
        abort();
    const double p = row != NULL ? survival_trees_probability(m, row, 1, 2) : 0;
    if (p < -1e-12 || p > 1)
        abort();
    free(row);
    buf_free(&b);
    buf_free(&c);
    survival_trees_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cox *cox = NULL;
    struct survival_trees *trees = NULL;
    struct aft *aft = NULL;
    if (cox_read((const char *)data, size, &cox, NULL) == FT_OK)
        check_cox(cox);
    if (aft_read((const char *)data, size, &aft, NULL) == FT_OK)
        check_aft(aft);
    if (survival_trees_read((const char *)data, size, &trees, NULL) == FT_OK)
        check_trees(trees);
    cox_free(cox);
    aft_free(aft);
    survival_trees_free(trees);
    return 0;
}
