/* Rows to stop early on. They come out of each fold's training rows, so that the held-out rows that
 * judge a candidate have not chosen its number of trees. */
#include "app/validate.h"

#include <stdlib.h>
#include <string.h>

enum { SHARE = 10 /* one row in so many, or one group */ };

struct timed {
    double time;
    uint32_t row;
};

static int by_time(const void *a, const void *b)
{
    const struct timed *p = a, *q = b;
    if (p->time != q->time)
        return p->time < q->time ? -1 : 1;
    return p->row < q->row ? -1 : 1;
}

static int by_row(const void *a, const void *b)
{
    const uint32_t p = *(const uint32_t *)a, q = *(const uint32_t *)b;
    return p < q ? -1 : p > q;
}

/* The latest tenth, rows in rising order. */
static enum ft_status part_by_time(const double *time, const struct fold *from, struct fold *out,
                                   struct ft_err *err)
{
    const size_t n = from->n_train, n_stop = n / SHARE;
    struct timed *order = calloc(n, sizeof(*order));
    out->train = calloc(n - n_stop + 1, sizeof(*out->train));
    out->test = calloc(n_stop + 1, sizeof(*out->test));
    if (order == NULL || out->train == NULL || out->test == NULL) {
        free(order);
        return ft_fail(err, FT_NOMEM, "early stopping: no memory for %zu rows", n);
    }
    for (size_t i = 0; i < n; i++)
        order[i] = (struct timed){time[from->train[i]], from->train[i]};
    qsort(order, n, sizeof(*order), by_time);
    out->n_train = n - n_stop;
    out->n_test = n_stop;
    for (size_t i = 0; i < n; i++)
        *(i < out->n_train ? &out->train[i] : &out->test[i - out->n_train]) = order[i].row;
    qsort(out->train, out->n_train, sizeof(*out->train), by_row);
    qsort(out->test, out->n_test, sizeof(*out->test), by_row);
    free(order);
    return FT_OK;
}

static int by_group(const void *a, const void *b)
{
    const size_t p = *(const size_t *)a, q = *(const size_t *)b;
    return p < q ? -1 : p > q;
}

/* Distinct values; scratch[n] is overwritten. */
static size_t count_groups(const size_t *group, size_t n, size_t *scratch)
{
    size_t count = n > 0;
    memcpy(scratch, group, n * sizeof(*scratch));
    qsort(scratch, n, sizeof(*scratch), by_group);
    for (size_t i = 1; i < n; i++)
        count += scratch[i] != scratch[i - 1];
    return count;
}

/* One of ten folds of the training rows. group and y01 are theirs. */
static enum ft_status part_by_group(const size_t *group, const double *y01, const struct fold *from,
                                    uint64_t seed, size_t *scratch, struct fold *out,
                                    struct ft_err *err)
{
    const size_t n = from->n_train;
    struct folds inner = {0};
    size_t k = SHARE;
    if (group != NULL) {
        const size_t n_groups = count_groups(group, n, scratch);
        k = n_groups < k ? n_groups : k;
    }
    if (k < 2)
        return ft_fail(err, FT_TOO_FEW, "early stopping: a fold trains on one group only");
    const enum ft_status st = group != NULL ? folds_by_group(group, y01, n, k, seed, &inner, err)
                                            : folds_of_rows(y01, n, k, seed, &inner, err);
    if (st == FT_OK) {
        *out = inner.fold[0];
        inner.fold[0] = (struct fold){0};
        for (size_t i = 0; i < out->n_train; i++)
            out->train[i] = from->train[out->train[i]];
        for (size_t i = 0; i < out->n_test; i++)
            out->test[i] = from->train[out->test[i]];
    }
    folds_free(&inner);
    return st;
}

static enum ft_status part_fold(const struct fold *from, const size_t *group, const double *time,
                                const double *y01, uint64_t seed, struct fold *out,
                                struct ft_err *err)
{
    const size_t n = from->n_train;
    if (n < SHARE)
        return ft_fail(err, FT_TOO_FEW, "early stopping: a fold trains on %zu rows only", n);
    if (group == NULL && time != NULL)
        return part_by_time(time, from, out, err);
    size_t *own_group = calloc(n, 2 * sizeof(*own_group));
    double *own_y = calloc(n, sizeof(*own_y));
    enum ft_status st = own_group == NULL || own_y == NULL
                            ? ft_fail(err, FT_NOMEM, "early stopping: no memory for %zu rows", n)
                            : FT_OK;
    for (size_t i = 0; st == FT_OK && i < n; i++) {
        own_group[i] = group != NULL ? group[from->train[i]] : 0;
        own_y[i] = y01 != NULL ? y01[from->train[i]] : 0;
    }
    if (st == FT_OK)
        st = part_by_group(group != NULL ? own_group : NULL, y01 != NULL ? own_y : NULL, from, seed,
                           own_group + n, out, err);
    free(own_group);
    free(own_y);
    return st;
}

enum ft_status validate_stop_make(const struct folds *folds, const size_t *group,
                                  const double *time, const double *y01, uint64_t seed,
                                  struct folds *out, struct ft_err *err)
{
    enum ft_status st = FT_OK;
    *out = (struct folds){0};
    out->fold = calloc(folds->n + 1, sizeof(*out->fold));
    if (out->fold == NULL)
        return ft_fail(err, FT_NOMEM, "early stopping: no memory");
    out->n = folds->n;
    for (size_t f = 0; f < folds->n && st == FT_OK; f++)
        st = part_fold(&folds->fold[f], group, time, y01, seed, &out->fold[f], err);
    return st;
}
