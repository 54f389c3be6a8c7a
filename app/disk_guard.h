/* Is there room on the disk for more readings? Ingest stops before the disk is full, so that what
 * is small and matters (work orders, keys, audit) can still be written and reads go on. */
#ifndef APP_DISK_GUARD_H
#define APP_DISK_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Free and total bytes of the file system that holds path; false when it cannot say. */
typedef bool (*disk_probe)(void *ctx, const char *path, int64_t *free_bytes, int64_t *total_bytes);

struct disk_guard {
    char folder[1024];
    _Atomic int64_t min_free_bytes;
    _Atomic double min_free_frac; /* 0..1 of the file system */
    disk_probe probe;
    void *ctx;
    _Atomic int64_t next_look_ms; /* monotonic */
    _Atomic int64_t free_bytes;   /* as last seen; -1 = unknown */
    atomic_bool is_full;
};

#define DISK_GUARD_LOOK_MS 1000 /* how old the answer may be */

/* Guards the file system of the file at path. probe NULL: asks the operating system. */
void disk_guard_init(struct disk_guard *g, const char *path, int64_t min_free_bytes,
                     double min_free_frac, disk_probe probe, void *ctx);

/* Other limits from the next look on. Any thread. */
void disk_guard_set(struct disk_guard *g, int64_t min_free_bytes, double min_free_frac);

/* Less than min_free_bytes or less than min_free_frac is free. Any thread; asks at most once in
 * DISK_GUARD_LOOK_MS. A file system that cannot say is taken to have room. */
bool disk_guard_is_full(struct disk_guard *g);

#endif
