#include "app/folds.h"

#include "app/base/rng.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FOLDS = 100 };

static enum ft_status check(size_t n_rows, size_t k, struct ft_err *err)
{
    if (k < 2 || k > MAX_FOLDS)
        return ft_fail(err, FT_INVALID, "%zu folds, expected 2 to %d", k, MAX_FOLDS);
    if (n_rows < k)
        return ft_fail(err, FT_TOO_FEW, "%zu rows are too few for %zu folds", n_rows, k);
    if (n_rows > UINT32_MAX)
        return ft_fail(err, FT_INVALID, "%zu rows, at most 2^32", n_rows);
    return FT_OK;
}

static enum ft_status no_memory(size_t n_rows, struct ft_err *err)
{
    return ft_fail(err, FT_NOMEM, "folds: no memory for %zu rows", n_rows);
}

void folds_free(struct folds *f)
{
    for (size_t i = 0; f->fold != NULL && i < f->n; i++) {
        free(f->fold[i].train);
        free(f->fold[i].test);
    }
    free(f->fold);
    *f = (struct folds){0};
}

static enum ft_status make_room(size_t k, size_t n_rows, struct folds *out, struct ft_err *err)
{
    out->fold = calloc(k, sizeof(*out->fold));
    if (out->fold == NULL)
        return no_memory(n_rows, err);
    out->n = k;
    for (size_t i = 0; i < k; i++) {
        out->fold[i].train = calloc(n_rows + 1, sizeof(uint32_t));
        out->fold[i].test = calloc(n_rows + 1, sizeof(uint32_t));
        if (out->fold[i].train == NULL || out->fold[i].test == NULL)
            return no_memory(n_rows, err);
    }
    return FT_OK;
}

/* From the fold that each row is held out in. */
static enum ft_status from_numbers(const uint8_t *held_out, size_t n_rows, size_t k,
                                   struct folds *out, struct ft_err *err)
{
    const enum ft_status st = make_room(k, n_rows, out, err);
    if (st != FT_OK)
        return st;
    for (size_t i = 0; i < n_rows; i++)
        for (size_t f = 0; f < k; f++) {
            struct fold *fold = &out->fold[f];
            if (held_out[i] == f)
                fold->test[fold->n_test++] = (uint32_t)i;
            else
                fold->train[fold->n_train++] = (uint32_t)i;
        }
    return FT_OK;
}

/* --- whole groups ----------------------------------------------------------------------------- */

struct unit {
    size_t group;
    size_t n_rows, n_ones;
    uint64_t draw;
};

static int by_group(const void *a, const void *b)
{
    const struct unit *x = a, *y = b;
    return (x->group > y->group) - (x->group < y->group);
}

/* The heaviest first: the greedy placing then ends well balanced. */
static int by_weight(const void *a, const void *b)
{
    const struct unit *x = a, *y = b;
    if (x->n_ones != y->n_ones)
        return x->n_ones < y->n_ones ? 1 : -1;
    if (x->n_rows != y->n_rows)
        return x->n_rows < y->n_rows ? 1 : -1;
    if (x->draw != y->draw)
        return x->draw < y->draw ? -1 : 1;
    return by_group(a, b);
}

/* One unit per distinct group, in rising order; returns their number. */
static size_t collect_units(const size_t *group, const double *y01, size_t n_rows, uint64_t seed,
                            struct unit *units)
{
    size_t n = 0;
    for (size_t i = 0; i < n_rows; i++)
        units[i] = (struct unit){.group = group[i],
                                 .n_rows = 1,
                                 .n_ones = y01 != NULL && y01[i] > 0,
                                 .draw = rng_u64(seed, 0, group[i])};
    qsort(units, n_rows, sizeof(*units), by_group);
    for (size_t i = 0; i < n_rows; i++) {
        if (n > 0 && units[n - 1].group == units[i].group) {
            units[n - 1].n_rows++;
            units[n - 1].n_ones += units[i].n_ones;
        } else {
            units[n++] = units[i];
        }
    }
    return n;
}

/* Each unit goes to the fold that has the smallest share of rows and ones so far. */
static void place_units(const struct unit *units, size_t n_units, size_t n_rows, size_t k,
                        uint8_t *fold_of_unit)
{
    double rows[MAX_FOLDS] = {0}, ones[MAX_FOLDS] = {0}, all_ones = 0;
    for (size_t u = 0; u < n_units; u++)
        all_ones += (double)units[u].n_ones;
    for (size_t u = 0; u < n_units; u++) {
        size_t best = 0;
        double best_load = 0;
        for (size_t f = 0; f < k; f++) {
            const double load = rows[f] / (double)n_rows + (all_ones > 0 ? ones[f] / all_ones : 0);
            if (f == 0 || load < best_load) {
                best = f;
                best_load = load;
            }
        }
        fold_of_unit[u] = (uint8_t)best;
        rows[best] += (double)units[u].n_rows;
        ones[best] += (double)units[u].n_ones;
    }
}

struct placed {
    size_t group;
    uint8_t fold;
};

static int by_placed_group(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    return (x->group > y->group) - (x->group < y->group);
}

enum ft_status folds_by_group(const size_t *group, const double *y01, size_t n_rows, size_t k,
                              uint64_t seed, struct folds *out, struct ft_err *err)
{
    *out = (struct folds){0};
    enum ft_status st = check(n_rows, k, err);
    if (st != FT_OK)
        return st;
    struct unit *units = calloc(n_rows + 1, sizeof(*units));
    uint8_t *held_out = calloc(2 * n_rows, 1); /* per row, then per unit */
    struct placed *placed = calloc(n_rows + 1, sizeof(*placed));
    if (units == NULL || held_out == NULL || placed == NULL) {
        st = no_memory(n_rows, err);
        goto out;
    }
    const size_t n_units = collect_units(group, y01, n_rows, seed, units);
    if (n_units < k) {
        st = ft_fail(err, FT_TOO_FEW, "%zu groups are too few for %zu folds", n_units, k);
        goto out;
    }
    qsort(units, n_units, sizeof(*units), by_weight);
    place_units(units, n_units, n_rows, k, held_out + n_rows);
    for (size_t u = 0; u < n_units; u++)
        placed[u] = (struct placed){units[u].group, held_out[n_rows + u]};
    qsort(placed, n_units, sizeof(*placed), by_placed_group);
    for (size_t i = 0; i < n_rows; i++) {
        const struct placed key = {group[i], 0};
        const struct placed *p = bsearch(&key, placed, n_units, sizeof(*placed), by_placed_group);
        held_out[i] = p != NULL ? p->fold : 0;
    }
    st = from_numbers(held_out, n_rows, k, out, err);
out:
    free(units);
    free(held_out);
    free(placed);
    return st;
}

/* --- single rows ------------------------------------------------------------------------------ */

struct drawn {
    uint64_t draw;
    uint32_t row;
    bool is_one;
};

static int by_class_and_draw(const void *a, const void *b)
{
    const struct drawn *x = a, *y = b;
    if (x->is_one != y->is_one)
        return x->is_one ? -1 : 1;
    if (x->draw != y->draw)
        return x->draw < y->draw ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

enum ft_status folds_of_rows(const double *y01, size_t n_rows, size_t k, uint64_t seed,
                             struct folds *out, struct ft_err *err)
{
    *out = (struct folds){0};
    enum ft_status st = check(n_rows, k, err);
    if (st != FT_OK)
        return st;
    struct drawn *drawn = calloc(n_rows, sizeof(*drawn));
    uint8_t *held_out = calloc(n_rows, 1);
    if (drawn == NULL || held_out == NULL) {
        st = no_memory(n_rows, err);
    } else {
        for (size_t i = 0; i < n_rows; i++)
            drawn[i] = (struct drawn){rng_u64(seed, 1, i), (uint32_t)i, y01 != NULL && y01[i] > 0};
        qsort(drawn, n_rows, sizeof(*drawn), by_class_and_draw);
        for (size_t i = 0; i < n_rows; i++) /* dealt like cards: ones first, then the others */
            held_out[drawn[i].row] = (uint8_t)(i % k);
        st = from_numbers(held_out, n_rows, k, out, err);
    }
    free(drawn);
    free(held_out);
    return st;
}

/* --- forward in time -------------------------------------------------------------------------- */

static int by_instant(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

enum ft_status folds_forward(const int64_t *as_of_ms, size_t n_rows, size_t k, int64_t embargo_ms,
                             struct folds *out, struct ft_err *err)
{
    *out = (struct folds){0};
    enum ft_status st = check(n_rows, k, err);
    if (st != FT_OK)
        return st;
    int64_t *sorted = calloc(n_rows, sizeof(*sorted));
    if (sorted == NULL)
        return no_memory(n_rows, err);
    memcpy(sorted, as_of_ms, n_rows * sizeof(*sorted));
    qsort(sorted, n_rows, sizeof(*sorted), by_instant);
    st = make_room(k, n_rows, out, err);
    for (size_t f = 0; f < k && st == FT_OK; f++) {
        struct fold *fold = &out->fold[f];
        const int64_t begin_ms = sorted[(f + 1) * n_rows / (k + 1)];
        const bool is_last = f + 1 == k;
        const int64_t end_ms = is_last ? INT64_MAX : sorted[(f + 2) * n_rows / (k + 1)];
        for (size_t i = 0; i < n_rows; i++) {
            if (as_of_ms[i] >= begin_ms && (is_last || as_of_ms[i] < end_ms))
                fold->test[fold->n_test++] = (uint32_t)i;
            else if (as_of_ms[i] < begin_ms - embargo_ms)
                fold->train[fold->n_train++] = (uint32_t)i;
        }
        if (fold->n_test == 0 || fold->n_train == 0)
            st = ft_fail(err, FT_TOO_FEW,
                         "fold %zu forward in time has %zu rows to train on and %zu to test on",
                         f + 1, fold->n_train, fold->n_test);
    }
    free(sorted);
    return st;
}

/* --- forward in time, any unit ------------------------------------------------------------------
 */

static int by_time(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static enum ft_status check_sides(const struct folds *f, struct ft_err *err)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->fold[i].n_test == 0 || f->fold[i].n_train == 0)
            return ft_fail(err, FT_TOO_FEW,
                           "fold %zu forward in time has %zu rows to train on and %zu to test on",
                           i + 1, f->fold[i].n_train, f->fold[i].n_test);
    return FT_OK;
}

/* Stretch f + 1 of k + 1 is held out. */
static void cut_stretch(const double *time, const double *sorted, size_t n_rows, size_t k, size_t f,
                        double embargo, struct fold *fold)
{
    const double begin = sorted[(f + 1) * n_rows / (k + 1)];
    const double end = f + 1 == k ? INFINITY : sorted[(f + 2) * n_rows / (k + 1)];
    for (size_t i = 0; i < n_rows; i++) {
        if (time[i] >= begin && time[i] < end)
            fold->test[fold->n_test++] = (uint32_t)i;
        else if (time[i] < begin - embargo)
            fold->train[fold->n_train++] = (uint32_t)i;
    }
}

/* Cuts folds of groups down to the later half to test on and the earlier half to train on. */
static void cut_halves(const double *time, double middle, double embargo, struct folds *f)
{
    for (size_t k = 0; k < f->n; k++) {
        struct fold *fold = &f->fold[k];
        size_t n = 0;
        for (size_t i = 0; i < fold->n_test; i++)
            if (time[fold->test[i]] >= middle)
                fold->test[n++] = fold->test[i];
        fold->n_test = n;
        n = 0;
        for (size_t i = 0; i < fold->n_train; i++)
            if (time[fold->train[i]] < middle - embargo)
                fold->train[n++] = fold->train[i];
        fold->n_train = n;
    }
}

enum ft_status folds_by_time(const double *time, const size_t *group, const double *y01,
                             size_t n_rows, size_t k, double embargo, uint64_t seed,
                             struct folds *out, struct ft_err *err)
{
    *out = (struct folds){0};
    enum ft_status st = check(n_rows, k, err);
    for (size_t i = 0; i < n_rows && st == FT_OK; i++)
        if (!isfinite(time[i]))
            st = ft_fail(err, FT_INVALID, "row %zu has no time", i + 1);
    if (st != FT_OK)
        return st;
    double *sorted = calloc(n_rows + 1, sizeof(*sorted));
    if (sorted == NULL)
        return no_memory(n_rows, err);
    memcpy(sorted, time, n_rows * sizeof(*sorted));
    qsort(sorted, n_rows, sizeof(*sorted), by_time);
    if (group != NULL) {
        st = folds_by_group(group, y01, n_rows, k, seed, out, err);
        if (st == FT_OK)
            cut_halves(time, sorted[n_rows / 2], embargo, out);
    } else {
        st = make_room(k, n_rows, out, err);
        for (size_t f = 0; f < k && st == FT_OK; f++)
            cut_stretch(time, sorted, n_rows, k, f, embargo, &out->fold[f]);
    }
    free(sorted);
    return st == FT_OK ? check_sides(out, err) : st;
}
