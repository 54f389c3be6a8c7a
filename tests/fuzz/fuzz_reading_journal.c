/* Any bytes as a journal row, with a right checksum. What decodes must encode and decode to itself.
 */
#include "db/reading_journal.h"
#include "db/varint.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void round_trip(const struct reading_point *points, size_t n)
{
    unsigned char *row = NULL;
    struct reading_point *back = NULL;
    size_t len = 0;
    size_t n_back = 0;
    if (journal_encode(points, n, &row, &len, NULL) != FT_OK ||
        journal_decode(row, len, &back, &n_back, NULL) != FT_OK || n_back != n)
        abort();
    for (size_t i = 0; i < n; i++)
        if (back[i].sensor_id != points[i].sensor_id || back[i].ts_ms != points[i].ts_ms ||
            memcmp(&back[i].value, &points[i].value, sizeof(double)) != 0)
            abort();
    free(back);
    free(row);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    unsigned char *row = malloc(size + 4); /* of its exact size, so that a read beyond is seen */
    struct reading_point *points = NULL;
    size_t n = 0;
    if (row == NULL)
        return 0;
    memcpy(row, data, size);
    put_u32(row + size, (uint32_t)crc32(0, row, (unsigned)size));
    if (journal_decode(row, size + 4, &points, &n, NULL) == FT_OK)
        round_trip(points, n);
    free(points);
    free(row);
    return 0;
}
