/* Models of XGBoost (JSON) and LightGBM (text): whatever is taken can be scored, saved and loaded
 * again with the same answer. */
#include "models/interchange/foreign.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct model *m)
{
    const size_t n = model_n_cols(m);
    struct ft_err err;
    struct buf b;
    struct model *again = NULL;
    double *row = calloc(n, sizeof(*row));
    double got[2] = {0, 0};
    if (row == NULL || n > 100000) {
        free(row);
        return;
    }
    for (size_t j = 0; j < n; j++)
        row[j] = j % 3 == 0 ? NAN : (double)j - 1;
    const struct matrix x = {row, 1, n, n};
    model_predict_raw(m, &x, &got[0]);
    buf_init(&b, (size_t)1 << 28);
    if (model_save(m, &b, &err) != FT_OK || model_load(b.data, b.len, &again, &err) != FT_OK)
        abort();
    model_predict_raw(again, &x, &got[1]);
    if (memcmp(&got[0], &got[1], sizeof(got[0])) != 0)
        abort();
    model_free(again);
    buf_free(&b);
    free(row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum ft_status (*const imports[])(const char *, size_t, struct model **, struct foreign_names *,
                                      struct ft_err *) = {xgboost_import, lightgbm_import};
    for (size_t k = 0; k < 2; k++) {
        struct ft_err err = {0};
        struct model *m = NULL;
        struct foreign_names names;
        const enum ft_status st = imports[k]((const char *)data, size, &m, &names, &err);
        if (st == FT_OK)
            check(m);
        else if (err.msg[0] == '\0' || m != NULL)
            abort();
        foreign_names_free(&names);
        model_free(m);
    }
    return 0;
}
