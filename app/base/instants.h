/* Growing instants. */
#ifndef APP_BASE_INSTANTS_H
#define APP_BASE_INSTANTS_H

#include <stddef.h>
#include <stdint.h>

/* How many of the n instants, which grow, lie before at_ms. */
static inline size_t instants_before(const int64_t *ts_ms, size_t n, int64_t at_ms)
{
    size_t low = 0;
    while (low < n) {
        const size_t middle = low + (n - low) / 2;
        if (ts_ms[middle] < at_ms)
            low = middle + 1;
        else
            n = middle;
    }
    return low;
}

#endif
