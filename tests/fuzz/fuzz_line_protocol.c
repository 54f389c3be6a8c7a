/* Line protocol: every line and the names of every field. */
#include "app/ingest/line_protocol.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static struct lp_line line;
    const struct lp_mapping mapping = {"asset,host", "noise"};
    char asset[LP_NAME_SIZE];
    char sensor[LP_NAME_SIZE];
    struct ft_err err;
    char *text = malloc(size + 1); /* exact size: a read behind the end is seen */
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    const char *at = text;
    const char *end = text + size;
    size_t n = 0;
    for (;;) {
        const char *before = at;
        const enum ft_status st = lp_next(&at, end, &n, &line, &err);
        if (st == FT_NOT_FOUND)
            break;
        if (at <= before || at > end || n > size + 1)
            abort();
        if (line.raw < text || line.raw + line.raw_len > end)
            abort();
        for (size_t i = 0; st == FT_OK && i < line.n_fields; i++) {
            const struct lp_field *f = &line.fields[i];
            if (f->is_text != (isnan(f->value) != 0) || isinf(f->value))
                abort();
            if (lp_map(&mapping, line.series, line.series_len, f->name, f->len, asset, sensor,
                       &err) == FT_OK &&
                (strlen(asset) >= LP_NAME_SIZE || strlen(sensor) >= LP_NAME_SIZE))
                abort();
        }
    }
    free(text);
    return 0;
}
