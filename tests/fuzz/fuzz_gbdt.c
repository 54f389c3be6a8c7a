/* Any text: refused, or a forest that scores, explains and writes itself back unchanged. */
#include "models/gbdt/gbdt.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Many rows, which take another way, answer as one does. */
static void use_many(const struct gbdt *g, const double *row, double want)
{
    enum { MANY = 9 };
    double out[MANY];
    const struct matrix x = {row, MANY, gbdt_n_cols(g), 0, NULL}; /* the same row again */
    gbdt_predict(g, &x, out);
    for (size_t i = 0; i < MANY; i++)
        if (memcmp(&out[i], &want, sizeof(want)) != 0)
            abort();
}

static void use(const struct gbdt *g, size_t len)
{
    const size_t n_cols = gbdt_n_cols(g);
    double *row = calloc(n_cols, sizeof(*row)), score;
    double *parts = calloc(n_cols + 1, sizeof(*parts));
    struct buf b;
    if (row != NULL && parts != NULL) {
        const struct matrix x = {row, 1, n_cols, n_cols, NULL};
        for (size_t j = 0; j < n_cols; j++)
            row[j] = j % 4 == 3 ? NAN : (double)(j + len % 251);
        gbdt_predict(g, &x, &score);
        use_many(g, row, score);
        gbdt_gain_importance(g, parts);
        if (len < 4096) /* the time grows with the square of the depth */
            gbdt_contributions(g, row, parts, NULL);
    }
    buf_init(&b, 4 * len + 1024);
    gbdt_write(g, &b);
    struct gbdt *again = NULL;
    if (b.status == FT_OK && gbdt_read(b.data, b.len, &again, NULL) != FT_OK)
        abort();
    gbdt_free(again);
    buf_free(&b);
    free(row);
    free(parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gbdt *g = NULL;
    struct ft_err err;
    if (gbdt_read((const char *)data, size, &g, &err) == FT_OK)
        use(g, size);
    gbdt_free(g);
    return 0;
}
