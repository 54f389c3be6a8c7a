/* Any bytes as raw samples in any format: refused, or finite numbers that can be described. */
#include "app/waveform_file.h"
#include "app/waveform_import.h"
#include "models/waveform.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses format and column; the rest is the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const columns[] = {NULL, "1", "2", "x"};
    struct waveform_summary s;
    struct waveform_plan p;
    struct waveform_band bands[WAVEFORM_MAX_BANDS];
    double *x = NULL;
    size_t n = 0;
    char text[64] = "";
    if (size < 2)
        return 0;
    memcpy(text, data + 1, size - 1 < sizeof(text) - 1 ? size - 1 : sizeof(text) - 1);
    (void)waveform_bands_parse(text, bands, &n, NULL);
    const struct waveform_file_options o = {.format = (enum waveform_format)(data[0] % 7),
                                            .column = columns[data[0] / 7 % 4]};
    if (waveform_file_parse("fuzz", data + 1, size - 1, &o, &x, &n, NULL) != FT_OK)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            abort();
    waveform_plan_default(1000, &p);
    (void)waveform_describe(&p, x, n, &s, NULL);
    free(x);
    return 0;
}
