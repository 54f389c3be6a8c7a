/* Times one fit and one batch prediction on seeded data:
 * bench_gbdt ROWS COLS TREES LEAVES BINS THREADS [squared] [COL_SAMPLE] */
#include "app/base/clock.h"
#include "app/base/rng.h"
#include "models/gbdt/gbdt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double argument(int argc, char **argv, int i, double otherwise)
{
    return i < argc ? strtod(argv[i], NULL) : otherwise;
}

/* Smooth, coarse, integer and partly missing columns; a rare target from a few of them. */
static void make_data(double *x, double *y, size_t n, size_t m, int is_squared)
{
    for (size_t i = 0; i < n; i++) {
        double *row = x + i * m;
        for (size_t j = 0; j < m; j++) {
            const double u = rng_uniform(7, j, i);
            row[j] = j % 4 == 0   ? rng_normal(7, j, i)
                     : j % 4 == 1 ? floor(u * 10) / 10
                     : j % 4 == 2 ? floor(u * 50)
                                  : u;
            if (j % 7 == 3 && rng_uniform(8, j, i) < 0.2)
                row[j] = NAN;
        }
        const double z = row[0] * row[4 % m] + 2 * row[1 % m] + sin(row[8 % m]) -
                         (isnan(row[3 % m]) ? 0.5 : row[3 % m]) - 0.02 * row[2 % m];
        y[i] = is_squared ? z + rng_normal(9, 0, i)
                          : rng_uniform(9, 1, i) < 1 / (1 + exp(3.5 - 1.5 * z));
    }
}

int main(int argc, char **argv)
{
    const size_t n = (size_t)argument(argc, argv, 1, 100000);
    const size_t m = (size_t)argument(argc, argv, 2, 60);
    const int is_squared = argument(argc, argv, 7, 0) != 0;
    struct gbdt_params p = gbdt_params_default(is_squared ? GBDT_SQUARED : GBDT_LOGISTIC);
    p.n_trees = (size_t)argument(argc, argv, 3, 200);
    p.max_leaves = (size_t)argument(argc, argv, 4, 31);
    p.n_bins = (size_t)argument(argc, argv, 5, 255);
    p.col_sample = argument(argc, argv, 8, 1);
    double *x = calloc(n, m * sizeof(*x));
    double *y = calloc(2 * n, sizeof(*y));
    struct pool *pool = NULL;
    struct gbdt *g = NULL;
    struct ft_err err = {FT_OK, ""};
    if (x == NULL || y == NULL ||
        pool_new((size_t)argument(argc, argv, 6, 1), &pool, &err) != FT_OK)
        return 1;
    make_data(x, y, n, m, is_squared);
    const struct matrix view = {x, n, m, m, NULL};
    const double start_s = clock_mono_s();
    if (gbdt_fit(&view, y, NULL, &p, pool, &g, &err) != FT_OK) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    const double fitted_s = clock_mono_s();
    gbdt_predict(g, &view, y + n);
    const double end_s = clock_mono_s();
    printf("%zu x %zu, %zu trees x %zu leaves, %zu bins, %zu threads: fit %.3f s, predict %.3f s "
           "(%.2f M rows/s)\n",
           n, m, p.n_trees, p.max_leaves, p.n_bins, pool_n_threads(pool), fitted_s - start_s,
           end_s - fitted_s, 1e-6 * (double)n / (end_s - fitted_s));
    gbdt_free(g);
    pool_free(pool);
    free(x);
    free(y);
    return 0;
}
