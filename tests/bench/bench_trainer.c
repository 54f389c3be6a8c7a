/* Our side of bench_trainer.py: fits trees on a float32 .npy array in memory, binning counted, and
 * prints one line of JSON.
 * bench_trainer X.npy Y.npy TEST.npy PREDICTIONS.f64 OBJECTIVE TREES LEAVES THREADS */
#include "app/base/clock.h"
#include "app/npy.h"
#include "models/gbdt/gbdt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { ONE_ROW_CALLS = 20000 };

static struct ft_err err;

static void stop(const char *what)
{
    fprintf(stderr, "bench_trainer: %s %s\n", what, err.msg);
    exit(1);
}

/* A float32 file read into memory, as an array in a program is. */
static struct matrix read_matrix(const char *path)
{
    struct npy a;
    if (npy_open(path, &a, &err) != FT_OK || a.type != NPY_F4)
        stop(path);
    const size_t n = a.n_rows * a.n_cols;
    float *copy = malloc(n * sizeof(*copy));
    if (copy == NULL)
        stop("no memory for");
    memcpy(copy, a.data, n * sizeof(*copy));
    const struct matrix x = {NULL, a.n_rows, a.n_cols, a.n_cols, copy};
    npy_close(&a);
    return x;
}

static double *read_target(const char *path, size_t n_rows)
{
    struct npy a;
    double *y = calloc(n_rows, sizeof(*y));
    if (npy_open(path, &a, &err) != FT_OK || a.n_rows != n_rows || y == NULL)
        stop(path);
    for (size_t i = 0; i < n_rows; i++)
        y[i] = npy_value(&a, i);
    npy_close(&a);
    return y;
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static long peak_kib(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return use.ru_maxrss;
}

static double one_row_us(const struct gbdt *g, const struct matrix *x)
{
    double sum = 0, p;
    const double start_s = cpu_s();
    for (size_t i = 0; i < ONE_ROW_CALLS; i++) {
        const struct matrix row = matrix_rows(x, i * 7919 % x->n_rows, 1);
        gbdt_predict(g, &row, &p);
        sum += p;
    }
    const double us = (cpu_s() - start_s) / ONE_ROW_CALLS * 1e6;
    return isnan(sum) ? 0 : us;
}

static void write_predictions(const char *path, const double *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(p, sizeof(*p), n, f) != n || fclose(f) != 0)
        stop(path);
}

int main(int argc, char **argv)
{
    if (argc != 9)
        stop("see the head of the source for the arguments");
    const struct matrix x = read_matrix(argv[1]), test = read_matrix(argv[3]);
    double *y = read_target(argv[2], x.n_rows), *p = calloc(test.n_rows, sizeof(*p));
    const int objective = gbdt_objective_by_name(argv[5]);
    if (objective < 0)
        stop("no such objective:");
    struct gbdt_params params = gbdt_params_default((enum gbdt_objective)objective);
    params.n_trees = strtoul(argv[6], NULL, 10);
    params.max_leaves = strtoul(argv[7], NULL, 10);
    struct pool *pool = NULL;
    struct gbdt *g = NULL;
    if (p == NULL || pool_new(strtoul(argv[8], NULL, 10), &pool, &err) != FT_OK)
        stop("no pool:");
    const double start_s = clock_mono_s(), start_cpu_s = cpu_s();
    if (gbdt_fit(&x, y, NULL, &params, pool, &g, &err) != FT_OK)
        stop("fit:");
    const double fit_s = clock_mono_s() - start_s, fit_cpu_s = cpu_s() - start_cpu_s;
    const long peak = peak_kib();
    const double score_start_s = cpu_s();
    gbdt_predict(g, &test, p);
    const double score_s = cpu_s() - score_start_s;
    write_predictions(argv[4], p, test.n_rows);
    printf("{\"fit_s\": %.4f, \"cpu_s\": %.4f, \"peak_kib\": %ld, \"rows_per_s\": %.0f, "
           "\"one_row_us\": %.3f}\n",
           fit_s, fit_cpu_s, peak, (double)test.n_rows / score_s, one_row_us(g, &test));
    gbdt_free(g);
    pool_free(pool);
    free(y);
    free(p);
    free((float *)x.data32);
    free((float *)test.data32);
    return 0;
}
