#include "app/life_words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *life_number(double v, char out[40])
{
    if (!isfinite(v)) {
        (void)snprintf(out, 40, "%s", isnan(v) ? "unknown" : "infinite");
    } else if (fabs(v) >= 1000 && fabs(v) < 1e15) {
        char digits[24];
        (void)snprintf(digits, sizeof(digits), "%.0f", fabs(v));
        const size_t n = strlen(digits);
        size_t k = 0;
        if (v < 0)
            out[k++] = '-';
        for (size_t i = 0; i < n; i++) {
            if (i > 0 && (n - i) % 3 == 0)
                out[k++] = ',';
            out[k++] = digits[i];
        }
        out[k] = '\0';
    } else {
        (void)snprintf(out, 40, "%.5g", v);
    }
    return out;
}
