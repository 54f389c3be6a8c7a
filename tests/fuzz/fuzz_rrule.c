/* Recurrence rules: what is taken gives ascending days inside the window that it was asked for. */
#include "app/planner/rrule.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rrule r;
    struct ft_err err;
    char text[300];
    char words[200];
    int64_t days[64];
    if (size >= sizeof(text))
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (rrule_parse(text, &r, &err) != FT_OK)
        return 0;
    const int64_t start = 20000 + (int64_t)size;
    const int64_t from = start + (int64_t)(size % 7) * 100;
    const size_t n = rrule_days(&r, start, from, from + 8000, days, 64);
    for (size_t i = 0; i < n; i++)
        if (days[i] < from || days[i] >= from + 8000 || (i > 0 && days[i] <= days[i - 1]))
            abort();
    if (rrule_next_floating(&r, start) <= start || !(rrule_nominal_days(&r) > 0))
        abort();
    if (rrule_describe(&r, words, sizeof(words))[0] == '\0')
        abort();
    return 0;
}
