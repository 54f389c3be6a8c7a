#include "app/disk_guard.h"

#include "app/base/clock.h"
#include "app/base/log.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

static bool ask_system(void *ctx, const char *path, int64_t *free_bytes, int64_t *total_bytes)
{
    (void)ctx;
    struct statvfs v;
    if (statvfs(path, &v) != 0)
        return false;
    *free_bytes = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
    *total_bytes = (int64_t)v.f_blocks * (int64_t)v.f_frsize;
    return true;
}

void disk_guard_init(struct disk_guard *g, const char *path, int64_t min_free_bytes,
                     double min_free_frac, disk_probe probe, void *ctx)
{
    memset(g, 0, sizeof(*g));
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        snprintf(g->folder, sizeof(g->folder), ".");
    else
        snprintf(g->folder, sizeof(g->folder), "%.*s", (int)(slash - path + 1), path);
    atomic_init(&g->min_free_bytes, min_free_bytes);
    atomic_init(&g->min_free_frac, min_free_frac);
    g->probe = probe != NULL ? probe : ask_system;
    g->ctx = ctx;
    atomic_init(&g->next_look_ms, INT64_MIN);
    atomic_init(&g->free_bytes, -1);
    atomic_init(&g->is_full, false);
}

void disk_guard_set(struct disk_guard *g, int64_t min_free_bytes, double min_free_frac)
{
    atomic_store(&g->min_free_bytes, min_free_bytes);
    atomic_store(&g->min_free_frac, min_free_frac);
    atomic_store(&g->next_look_ms, INT64_MIN);
}

static void look(struct disk_guard *g)
{
    int64_t free_bytes = -1;
    int64_t total_bytes = 0;
    const bool is_known = g->probe(g->ctx, g->folder, &free_bytes, &total_bytes);
    const bool is_full =
        is_known && (free_bytes < atomic_load(&g->min_free_bytes) ||
                     (double)free_bytes < atomic_load(&g->min_free_frac) * (double)total_bytes);
    atomic_store(&g->free_bytes, is_known ? free_bytes : -1);
    if (atomic_exchange(&g->is_full, is_full) == is_full)
        return;
    if (is_full)
        log_warn("the disk of %s has %lld MiB left: readings are refused until there is room",
                 g->folder, (long long)(free_bytes >> 20));
    else
        log_info("the disk of %s has %lld MiB: readings are taken again", g->folder,
                 (long long)(free_bytes >> 20));
}

bool disk_guard_is_full(struct disk_guard *g)
{
    const int64_t now_ms = (int64_t)(clock_mono_s() * 1e3);
    int64_t next_ms = atomic_load(&g->next_look_ms);
    if (now_ms >= next_ms &&
        atomic_compare_exchange_strong(&g->next_look_ms, &next_ms, now_ms + DISK_GUARD_LOOK_MS))
        look(g);
    return atomic_load(&g->is_full);
}
