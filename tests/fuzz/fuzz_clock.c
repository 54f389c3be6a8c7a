/* Times, durations, numbers: the cached time parser agrees with the clock, printed instants read
 * back, and the fast number path agrees with strtod(). */
#include "app/base/clock.h"
#include "app/ingest/limits.h"
#include "app/ingest/number.h"
#include "app/ingest/when.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int is_true)
{
    if (!is_true)
        abort();
}

static void check_time(const char *text, size_t len)
{
    static struct when cache;
    struct ft_err err;
    int64_t a = 0;
    int64_t b = 0;
    const enum ft_status st = clock_parse(text, len, &a, &err);
    if (st == FT_OK && ingest_is_instant(a)) {
        char out[CLOCK_TEXT_SIZE];
        require(when_parse(&cache, text, len, &b, &err) == FT_OK && a == b);
        clock_format_utc(a, out);
        require(clock_parse(out, strlen(out), &b, &err) == FT_OK && a == b);
        clock_to_local(a);
        clock_local_add_days(clock_local_midnight(a), 1);
    } else {
        when_parse(&cache, text, len, &b, &err);
    }
    struct when cycles = {.cycle_ms = 86400000};
    when_parse(&cycles, text, len, &b, &err);
}

static void check_number(const char *text, size_t len)
{
    double v = 0;
    if (number_parse(text, len, '.', &v) && len < 1000) {
        char copy[1001];
        char out[NUMBER_TEXT_SIZE];
        double back = 0;
        memcpy(copy, text, len);
        copy[len] = '\0';
        const double want = strtod(copy, NULL);
        require(isfinite(v) && memcmp(&v, &want, sizeof(v)) == 0);
        const size_t n = number_format(v, out);
        require(number_parse(out, n, '.', &back) && memcmp(&v, &back, sizeof(v)) == 0);
    }
    number_parse(text, len, ',', &v);
    number_is_missing(text, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ft_err err;
    int64_t ms = 0;
    if (size < 1)
        return 0;
    const char *zones[] = {"UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo"};
    static int zone = -1;
    if (zone < 0) { /* one zone a run: the cache of days belongs to it */
        zone = data[0] & 3;
        clock_set_zone(zones[zone], &err);
    }
    check_time((const char *)data + 1, size - 1);
    check_number((const char *)data + 1, size - 1);
    char *text = strndup((const char *)data + 1, size - 1);
    if (text != NULL && clock_parse_duration(text, &ms, &err) == FT_OK)
        require(ms >= 1);
    free(text);
    return 0;
}
