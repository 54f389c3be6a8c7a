/* One line of a C-MAPSS file, and whole files as a dry run. */
#define _GNU_SOURCE 1 /* memfd_create() */
#include "app/ingest/cmapss.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cmapss_row row;
    struct ft_err err;
    char path[64];
    struct import_summary s = {0};
    if (cmapss_parse_line((const char *)data, size, &row, &err) == FT_OK) {
        if (row.engine < 1 || row.cycle < 1)
            abort();
        for (size_t k = 0; k < CMAPSS_N_VALUES; k++)
            if (!isfinite(row.values[k]))
                abort();
    }
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    /* The same bytes as histories and as remaining lives. */
    const struct import_options o = {
        .is_dry_run = true, .class_name = "k", .cycle_ms = 1000, .test = path, .rul = path};
    import_cmapss(NULL, path, &o, &s, &err);
    import_summary_clear(&s);
    close(fd);
    return 0;
}
