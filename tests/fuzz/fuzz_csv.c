/* The CSV splitter with and without vectors, and whole imports of readings, assets and events as
 * dry runs without a database. */
#define _GNU_SOURCE 1 /* memfd_create() */
#include "app/base/pool.h"
#include "app/ingest/csv.h"
#include "app/ingest/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int is_true)
{
    if (!is_true)
        abort();
}

static void compare_paths(const char *p, const char *end, char delimiter, bool is_last)
{
    struct csv_record fast;
    struct csv_record plain;
    csv_record_init(&fast);
    csv_record_init(&plain);
    plain.is_plain = true;
    for (;;) {
        size_t used = 0;
        size_t used_plain = 0;
        struct ft_err err;
        const enum ft_status st = csv_split(p, end, is_last, delimiter, &fast, &used, &err);
        require(csv_split(p, end, is_last, delimiter, &plain, &used_plain, &err) == st);
        require(used == used_plain && fast.n == plain.n && used <= (size_t)(end - p));
        for (size_t i = 0; i < fast.n; i++)
            require(fast.fields[i].len == plain.fields[i].len &&
                    memcmp(fast.fields[i].p, plain.fields[i].p, fast.fields[i].len) == 0);
        if (used == 0)
            break;
        p += used;
    }
    require(!is_last || p == end);
    csv_record_free(&fast);
    csv_record_free(&plain);
}

static void import(const uint8_t *data, size_t size, unsigned choice)
{
    char path[64];
    struct import_summary s = {0};
    struct ft_err err;
    struct import_options o = {.is_dry_run = true,
                               .kind = choice & 1 ? "failure" : NULL,
                               .asset = choice & 2 ? "A" : NULL,
                               .cycle_ms = choice & 4 ? 1000 : 0};
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (choice % 3 == 0)
        import_assets(NULL, path, &o, &s, &err);
    else if (choice % 3 == 1)
        import_events(NULL, path, &o, &s, &err);
    else
        import_readings(NULL, path, &o, &s, &err);
    cJSON_Delete(import_summary_to_json(&s));
    import_summary_clear(&s);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    static const char delimiters[] = {',', ';', '\t', '|'};
    const char *text = (const char *)data + 1;
    compare_paths(text, text + size - 1, delimiters[data[0] & 3], data[0] & 4);
    import(data + 1, size - 1, data[0] >> 3);
    return 0;
}
