/* Times reading a seeded CSV table, once with 6 significant digits and once with all that a double
 * has: bench_table [ROWS [COLS [THREADS [RUNS]]]]. MB/s per core
 * are bytes over processor seconds, which other work on the machine does not change. */
#include "app/base/clock.h"
#include "app/base/rng.h"
#include "app/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static double cpu_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double value_at(size_t i, size_t j)
{
    return j % 4 == 1 ? (double)rng_below(7, j, i, 100) : rng_normal(7, j, i);
}

static long write_csv(const char *path, size_t n_rows, size_t n_cols, int digits)
{
    FILE *f = fopen(path, "w");
    if (f == NULL)
        return -1;
    for (size_t j = 0; j < n_cols; j++)
        fprintf(f, "c%zu,", j);
    fputs("y\n", f);
    for (size_t i = 0; i < n_rows; i++) {
        for (size_t j = 0; j < n_cols; j++)
            fprintf(f, "%.*g,", digits, value_at(i, j));
        fprintf(f, "%d\n", value_at(i, 0) > 1);
    }
    const long size = ftell(f);
    return fclose(f) == 0 ? size : -1;
}

static int time_reading(const char *path, const char *what, double bytes, struct pool *pool,
                        size_t n_runs)
{
    const struct table_request q = {.label = "y", .pool = pool};
    double *wall = calloc(2 * n_runs, sizeof(*wall)), *cpu = wall + n_runs;
    for (size_t k = 0; k < n_runs; k++) {
        struct table t;
        struct ft_err err;
        const double wall_s = clock_mono_s(), used_s = cpu_s();
        if (table_read(path, &q, &t, &err) != FT_OK) {
            fprintf(stderr, "%s\n", err.msg);
            return 1;
        }
        wall[k] = clock_mono_s() - wall_s;
        cpu[k] = cpu_s() - used_s;
        table_free(&t);
    }
    qsort(wall, n_runs, sizeof(*wall), by_value);
    qsort(cpu, n_runs, sizeof(*cpu), by_value);
    printf("  %-10s %6.0f MB: %.3f s elapsed (%.3f to %.3f), %.3f s of processor; %.0f MB/s per "
           "core, %.0f MB/s elapsed\n",
           what, 1e-6 * bytes, wall[n_runs / 2], wall[0], wall[n_runs - 1], cpu[n_runs / 2],
           1e-6 * bytes / cpu[n_runs / 2], 1e-6 * bytes / wall[n_runs / 2]);
    free(wall);
    return 0;
}

int main(int argc, char **argv)
{
    const size_t n_rows = argc > 1 ? strtoul(argv[1], NULL, 10) : 200000;
    const size_t n_cols = argc > 2 ? strtoul(argv[2], NULL, 10) : 50;
    const size_t n_threads = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    const size_t n_runs = argc > 4 ? strtoul(argv[4], NULL, 10) : 5;
    static const int digits[] = {6, 17};
    static const char *const names[] = {"6 digits", "17 digits"};
    struct pool *pool = NULL;
    struct ft_err err;
    int code = 0;
    if (pool_new(n_threads, &pool, &err) != FT_OK || n_runs == 0)
        return 1;
    printf("reading %zu rows x %zu columns of CSV, %zu threads, %zu runs, medians\n", n_rows,
           n_cols, pool_n_threads(pool), n_runs);
    for (size_t k = 0; k < 2 && code == 0; k++) {
        char path[64];
        snprintf(path, sizeof(path), "/tmp/fettle-bench-%ld.csv", (long)getpid());
        const long size = write_csv(path, n_rows, n_cols, digits[k]);
        code = size < 0 || time_reading(path, names[k], (double)size, pool, n_runs);
        unlink(path);
    }
    pool_free(pool);
    return code;
}
