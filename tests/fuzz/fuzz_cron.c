/* Cron expressions: what is taken fires in the future, and its firing is found again backwards. */
#include "app/cron.h"

#include "app/base/clock.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cron c;
    struct ft_err err;
    char text[200];
    if (size >= sizeof(text))
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (cron_parse(text, &c, &err) != FT_OK)
        return 0;
    const int64_t now = INT64_C(1795257600000) + (int64_t)size * MS_PER_DAY;
    const int64_t next = cron_next(&c, now);
    if (next <= now || (next != INT64_MAX && cron_previous(&c, next) != next))
        abort();
    return 0;
}
