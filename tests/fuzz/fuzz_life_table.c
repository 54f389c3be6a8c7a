/* life_table_read() on any bytes, then every fit on what it took: no crash, and a fit that says it
 * worked gives finite parameters. */
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
    const struct life_columns none = {0};
    struct life_table t;
    char path[64];
    FILE *file = tmpfile();
    if (file == NULL)
        return 0;
    if (fwrite(data, 1, size, file) == size && fflush(file) == 0) {
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(file));
        if (life_table_read(path, &none, &t, NULL) == FT_OK) {
            analyse(&t);
            life_table_free(&t);
        }
    }
    fclose(file);
    return 0;
}
