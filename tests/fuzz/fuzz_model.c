/* A model file without its last line; the right checksum is put behind it, so that the parser is
 * reached. */
#include "models/model.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct model *m)
{
    const size_t n_cols = model_n_cols(m);
    double *row = calloc(n_cols, sizeof(*row)), score, lower, upper;
    struct buf b;
    if (row != NULL) {
        const struct matrix x = {row, 1, n_cols, n_cols, NULL};
        model_predict(m, &x, &score);
        (void)model_intervals(m, &x, &score, &lower, &upper, NULL);
    }
    free(row);
    buf_init(&b, (size_t)1 << 24);
    struct model *again = NULL;
    if (model_save(m, &b, NULL) == FT_OK && model_load(b.data, b.len, &again, NULL) != FT_OK)
        abort();
    model_free(again);
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model *m = NULL;
    struct ft_err err;
    struct buf b;
    buf_init(&b, (size_t)1 << 24);
    buf_put(&b, data, size);
    buf_printf(&b, "crc32 %08lx\n", crc32_z(0, data, size));
    if (b.status == FT_OK && model_load(b.data, b.len, &m, &err) == FT_OK)
        use(m);
    model_free(m);
    buf_free(&b);
    return 0;
}
