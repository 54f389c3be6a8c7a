/* Any bytes as a .npy file: refused, or an array whose every number can be read. */
#include "app/npy.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct npy a;
    double sum = 0;
    if (npy_parse(data, size, &a, NULL) == FT_OK)
        for (size_t i = 0; i < a.n_rows * a.n_cols; i++)
            sum += npy_value(&a, i);
    return sum > 1e308 ? -1 : 0;
}
