/* life_table_read() on any bytes, as plain lives, with failure modes and as recurrent events, then
 * every fit on what it took: no crash, and a fit that says it worked gives finite parameters. */
#include "app/life_report.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void analyse(const struct life_table *t)
{
    static const struct life_request q = {.is_best = true,
                                          .confidence = 0.9,
                                          .has_costs = true,
                                          .cost_planned = 1,
                                          .cost_failure = 7};
    struct life_report r;
    if (t->n > 200 || life_report_make(t, &q, &r, NULL) != FT_OK)
        return;
    if (!isfinite(r.fit.first) || !(r.fit.scale > 0) || !isfinite(r.fit.aic))
        abort();
    if (r.replacement.has_optimum && !(r.replacement.interval > 0))
        abort();
    life_report_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct life_columns ways[] = {{0}, {.mode = "mode"}, {.asset = "asset"}};
    struct life_table t;
    char path[64];
    FILE *file = tmpfile();
    if (file == NULL)
        return 0;
    if (fwrite(data, 1, size, file) == size && fflush(file) == 0) {
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(file));
        for (size_t k = 0; k < sizeof(ways) / sizeof(ways[0]); k++) {
            if (life_table_read(path, &ways[k], &t, NULL) != FT_OK)
                continue;
            if (ways[k].asset == NULL)
                analyse(&t);
            life_table_free(&t);
        }
    }
    fclose(file);
    return 0;
}
