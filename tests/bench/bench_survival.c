/* Cox and accelerated failure time regression on 100,000 rows x 20 columns, for bench_survival.sh.
 *   bench_survival write FILE   the seeded data, doubles: x column by column, times, failure flags
 *   bench_survival cox|weibull|lognormal|loglogistic
 *                               prints the seconds of one fit, its log-likelihood and a coefficient
 */
#include "app/base/rng.h"
#include "models/aft.h"
#include "models/cox.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N = 100000, P = 20, SEED = 2022 };

struct data {
    double *x, *time; /* x[N][P] */
    bool *failed;
};

/* Weibull lives, shape 1.5; half the columns matter; about half of the rows are censored; times are
 * rounded to hundredths, so that a few are tied. */
static bool make_data(struct data *d)
{
    d->x = calloc(N, P * sizeof(*d->x));
    d->time = calloc(N, sizeof(*d->time));
    d->failed = calloc(N, sizeof(*d->failed));
    if (d->x == NULL || d->time == NULL || d->failed == NULL)
        return false;
    for (size_t i = 0; i < N; i++) {
        double eta = 0;
        for (size_t j = 0; j < P; j++) {
            const double z = rng_normal(SEED, j, i);
            d->x[i * P + j] = z;
            eta += j < P / 2 ? (j % 2 ? -0.2 : 0.2) * z : 0;
        }
        const double noise = -log(1 - rng_uniform(SEED, 100, i));
        const double life = 100 * exp(-eta / 1.5) * pow(noise, 1 / 1.5);
        const double end = 200 * rng_uniform(SEED, 101, i);
        d->failed[i] = life <= end;
        d->time[i] = ceil(fmin(life, end) * 100 + 1e-9) / 100;
    }
    return true;
}

static int write_data(const struct data *d, const char *path)
{
    FILE *f = fopen(path, "wb");
    if (f == NULL)
        return 1;
    for (size_t j = 0; j < P; j++)
        for (size_t i = 0; i < N; i++)
            fwrite(&d->x[i * P + j], sizeof(double), 1, f);
    fwrite(d->time, sizeof(double), N, f);
    for (size_t i = 0; i < N; i++) {
        const double flag = d->failed[i];
        fwrite(&flag, sizeof(double), 1, f);
    }
    return fclose(f) != 0;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int run(const struct data *d, const char *what)
{
    const struct matrix x = {.data = d->x, .n_rows = N, .n_cols = P, .stride = P};
    double beta[P + 1], log_likelihood = NAN;
    struct ft_err err;
    struct cox *cox = NULL;
    struct aft *aft = NULL;
    enum ft_status st;
    const double start = now_s();
    if (strcmp(what, "cox") == 0) {
        st = cox_fit(&x, d->time, d->failed, NULL, NULL, 0, &cox, &err);
    } else {
        const enum aft_kind kind = strcmp(what, "weibull") == 0     ? AFT_WEIBULL
                                   : strcmp(what, "lognormal") == 0 ? AFT_LOGNORMAL
                                                                    : AFT_LOGLOGISTIC;
        st = aft_fit(kind, &x, d->time, d->failed, NULL, NULL, 0, &aft, &err);
    }
    const double seconds = now_s() - start;
    if (st != FT_OK) {
        fprintf(stderr, "%s: %s\n", what, err.msg);
        return 1;
    }
    if (cox != NULL) {
        log_likelihood = cox_log_likelihood(cox);
        cox_coefficients(cox, beta);
    } else {
        log_likelihood = aft_log_likelihood(aft);
        aft_coefficients(aft, beta);
        memmove(beta, beta + 1, P * sizeof(*beta));
    }
    printf("%.4f %.10f %.12f\n", seconds, log_likelihood, beta[0]);
    cox_free(cox);
    aft_free(aft);
    return 0;
}

int main(int argc, char **argv)
{
    struct data d;
    if (argc < 2 || !make_data(&d))
        return 2;
    const int rc =
        strcmp(argv[1], "write") == 0 ? argc < 3 || write_data(&d, argv[2]) != 0 : run(&d, argv[1]);
    free(d.x);
    free(d.time);
    free(d.failed);
    return rc;
}
