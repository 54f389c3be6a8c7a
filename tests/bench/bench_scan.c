/* Range scan of one sensor into arrays and its chart, from a database in the page cache:
 * bench_scan. One line per kind of data; processor seconds, so other work on the machine counts
 * little; the chart's times are wall clock. */
#include "app/base/rng.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/reading_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { N = 1000000, N_SCANS = 20, N_CHARTS = 400, N_COLUMNS = 2000 };

static double seconds(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double make(int kind, size_t i)
{
    const double noise = rng_normal(7, (uint64_t)kind, i);
    if (kind == 0) /* slow drift, two decimals */
        return round((60 + 5 * sin((double)i * 1e-3) + 0.2 * noise) * 100) / 100;
    return round((3 + noise) * 1000) / 1000; /* noise, three decimals */
}

static enum ft_status bench_kind(struct db *db, int kind, const char *name, struct ft_err *err)
{
    static int64_t ts[N];
    static double v[N];
    static double chart_s[N_CHARTS];
    static struct reading_bucket columns[N_COLUMNS];
    int64_t asset_id = 0;
    int64_t sensor_id = 0;
    struct reading_counts c = {0};
    for (size_t i = 0; i < N; i++) {
        ts[i] = (int64_t)i * 60000;
        v[i] = make(kind, i);
    }
    enum ft_status st = asset_ensure(db, "A", "bench", &asset_id, err);
    if (st == FT_OK)
        st = sensor_ensure(db, asset_id, name, &sensor_id, err);
    if (st == FT_OK)
        st = reading_put(db, sensor_id, ts, v, N, &c, err);
    double best_s = INFINITY;
    for (int i = 0; i < N_SCANS && st == FT_OK; i++) {
        struct readings r;
        const double start_s = seconds(CLOCK_THREAD_CPUTIME_ID);
        st = reading_scan(db, sensor_id, INT64_MIN, INT64_MAX, &r, err);
        const double s = seconds(CLOCK_THREAD_CPUTIME_ID) - start_s;
        best_s = s < best_s ? s : best_s;
        readings_free(&r);
    }
    for (int i = 0; i < N_CHARTS && st == FT_OK; i++) {
        const double start_s = seconds(CLOCK_MONOTONIC);
        st = reading_buckets(db, sensor_id, 0, (int64_t)N * 60000, N_COLUMNS, columns, err);
        chart_s[i] = seconds(CLOCK_MONOTONIC) - start_s;
    }
    if (st != FT_OK)
        return st;
    qsort(chart_s, N_CHARTS, sizeof(*chart_s), compare_doubles);
    printf(
        "  %-18s scan of 1,000,000 readings: %.0f M readings/s a core; chart of %d columns: median "
        "%.1f ms, p99 %.1f ms\n",
        name, N / best_s * 1e-6, N_COLUMNS, chart_s[N_CHARTS / 2] * 1e3,
        chart_s[N_CHARTS * 99 / 100] * 1e3);
    return FT_OK;
}

int main(void)
{
    char path[64];
    char lock[80];
    struct ft_err err;
    struct db *db = NULL;
    snprintf(path, sizeof(path), "/tmp/fettle-bench-scan.%ld.db", (long)getpid());
    enum ft_status st = db_open_writer(path, true, &db, &err);
    if (st == FT_OK)
        st = bench_kind(db, 0, "drift, 2 decimals", &err);
    if (st == FT_OK)
        st = bench_kind(db, 1, "noise, 3 decimals", &err);
    db_close(db);
    unlink(path);
    snprintf(lock, sizeof(lock), "%s.lock", path);
    unlink(lock);
    if (st != FT_OK)
        fprintf(stderr, "%s\n", err.msg);
    return st != FT_OK;
}
