/* Any bytes as a codebook and, behind it, as values coded with it: first two bytes are the length
 * of the codebook. */
#include "db/codebook.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static double value[CODEBOOK_MAX_N];
    struct codebook *b = NULL;
    if (size < 4)
        return 0;
    size_t len = (size_t)data[0] | (size_t)data[1] << 8;
    const size_t n = 1 + (((size_t)data[2] | (size_t)data[3] << 8) & (CODEBOOK_MAX_N - 1));
    data += 4;
    size -= 4;
    len = len < size ? len : size;
    if (codebook_load(data, len, &b, NULL) != FT_OK)
        return 0;
    unsigned char *coded = malloc(size - len + 1); /* so that a read beyond is seen */
    if (coded != NULL) {
        memcpy(coded, data + len, size - len);
        struct cursor c = {coded, coded + (size - len), NULL};
        codebook_decode(b, &c, 100, value, n);
    }
    free(coded);
    free(b);
    return 0;
}
