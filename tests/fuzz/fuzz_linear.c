/* linear_read() on any text; what it takes must write back to the same text. */
#include "models/linear.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct linear *m = NULL, *again = NULL;
    struct buf b, c;
    if (linear_read((const char *)data, size, &m, NULL) != FT_OK)
        return 0;
    double *row = calloc(linear_n_cols(m) + 1, sizeof(*row));
    buf_init(&b, 1 << 24);
    buf_init(&c, 1 << 24);
    linear_write(m, &b);
    if (linear_read(b.data, b.len, &again, NULL) != FT_OK)
        abort();
    linear_write(again, &c);
    if (b.len != c.len || memcmp(b.data, c.data, b.len) != 0)
        abort();
    if (row != NULL)
        linear_contributions(m, row, row);
    free(row);
    buf_free(&b);
    buf_free(&c);
    linear_free(m);
    linear_free(again);
    return 0;
}
