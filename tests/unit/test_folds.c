#include "tests/test.h"

#include "app/base/rng.h"
#include "app/folds.h"

#include <stdbool.h>
#include <stdlib.h>

enum { N = 3000 };

static struct ft_err err;

/* Every row is held out exactly once, and trains in all other folds. */
static void check_partition(const struct folds *f, size_t n_rows)
{
    uint8_t *held = calloc(n_rows, 1);
    for (size_t k = 0; k < f->n; k++) {
        uint8_t *seen = calloc(n_rows, 1);
        assert_int_equal(f->fold[k].n_train + f->fold[k].n_test, n_rows);
        for (size_t i = 0; i < f->fold[k].n_test; i++) {
            held[f->fold[k].test[i]]++;
            seen[f->fold[k].test[i]]++;
        }
        for (size_t i = 0; i < f->fold[k].n_train; i++)
            seen[f->fold[k].train[i]]++;
        for (size_t i = 0; i < n_rows; i++)
            assert_int_equal(seen[i], 1);
        free(seen);
    }
    for (size_t i = 0; i < n_rows; i++)
        assert_int_equal(held[i], 1);
    free(held);
}

static void test_folds_by_group_whole_and_balanced(void **state)
{
    size_t *group = calloc(N, sizeof(*group));
    double *y = calloc(N, sizeof(*y));
    uint8_t fold_of[100];
    size_t ones[5] = {0}, all_ones = 0;
    struct folds f;
    memset(fold_of, 255, sizeof(fold_of));
    for (size_t i = 0; i < N; i++) {
        group[i] = 7 * (rng_below(1, 0, i, 10000) % 97); /* 97 groups, numbers with gaps */
        y[i] = group[i] % 5 == 0 && rng_uniform(1, 1, i) < 0.4;
        all_ones += y[i] > 0;
    }
    assert_ok(folds_by_group(group, y, N, 5, 3, &f, &err), err);
    check_partition(&f, N);
    for (size_t k = 0; k < 5; k++) {
        assert_true(f.fold[k].n_test > N / 5 * 0.8 && f.fold[k].n_test < N / 5 * 1.2);
        for (size_t i = 0; i < f.fold[k].n_test; i++) {
            const size_t r = f.fold[k].test[i];
            ones[k] += y[r] > 0;
            assert_true(fold_of[group[r] / 7] == 255 || fold_of[group[r] / 7] == k);
            fold_of[group[r] / 7] = (uint8_t)k;
        }
        assert_true(ones[k] * 5 > all_ones * 0.7 && ones[k] * 5 < all_ones * 1.3);
    }
    folds_free(&f);
    free(group);
    free(y);
}

static void test_folds_by_group_seed(void **state)
{
    size_t group[40];
    struct folds a, b, c;
    for (size_t i = 0; i < 40; i++)
        group[i] = i / 2;
    assert_ok(folds_by_group(group, NULL, 40, 4, 1, &a, &err), err);
    assert_ok(folds_by_group(group, NULL, 40, 4, 1, &b, &err), err);
    assert_ok(folds_by_group(group, NULL, 40, 4, 2, &c, &err), err);
    bool differs = false;
    for (size_t k = 0; k < 4; k++) {
        assert_int_equal(a.fold[k].n_test, 10);
        assert_memory_equal(a.fold[k].test, b.fold[k].test, 10 * sizeof(uint32_t));
        differs |= memcmp(a.fold[k].test, c.fold[k].test, 10 * sizeof(uint32_t)) != 0;
    }
    assert_true(differs);
    folds_free(&a);
    folds_free(&b);
    folds_free(&c);
}

static void test_folds_of_rows_stratified(void **state)
{
    double *y = calloc(N, sizeof(*y));
    struct folds f;
    size_t n_ones = 0;
    for (size_t i = 0; i < N; i++) {
        y[i] = rng_uniform(5, 0, i) < 0.02;
        n_ones += y[i] > 0;
    }
    assert_ok(folds_of_rows(y, N, 7, 1, &f, &err), err);
    check_partition(&f, N);
    for (size_t k = 0; k < 7; k++) {
        size_t ones = 0;
        for (size_t i = 0; i < f.fold[k].n_test; i++)
            ones += y[f.fold[k].test[i]] > 0;
        assert_true(ones == n_ones / 7 || ones == n_ones / 7 + 1);
        assert_true(f.fold[k].n_test == N / 7 || f.fold[k].n_test == N / 7 + 1);
    }
    folds_free(&f);
    free(y);
}

/* Nothing that trains is later than the embargo before the fold. */
static void test_folds_forward_embargo(void **state)
{
    int64_t *ts_ms = calloc(N, sizeof(*ts_ms));
    struct folds f;
    size_t n_held = 0;
    for (size_t i = 0; i < N; i++)
        ts_ms[i] = (int64_t)rng_below(9, 0, i, 1000) * 60000;
    assert_ok(folds_forward(ts_ms, N, 4, 3600000, &f, &err), err);
    for (size_t k = 0; k < 4; k++) {
        int64_t first = INT64_MAX, last = 0;
        for (size_t i = 0; i < f.fold[k].n_test; i++)
            first = ts_ms[f.fold[k].test[i]] < first ? ts_ms[f.fold[k].test[i]] : first;
        for (size_t i = 0; i < f.fold[k].n_train; i++)
            last = ts_ms[f.fold[k].train[i]] > last ? ts_ms[f.fold[k].train[i]] : last;
        assert_true(last < first - 3600000);
        assert_true(last >= first - 3600000 - 600000); /* and not needlessly earlier */
        n_held += f.fold[k].n_test;
        assert_true(f.fold[k].n_test > N / 5 - 60 && f.fold[k].n_test < N / 5 + 60);
    }
    assert_true(n_held > N * 4 / 5 - 60 && n_held < N * 4 / 5 + 60);
    folds_free(&f);
    assert_int_equal(folds_forward(ts_ms, N, 4, INT64_C(86400000), &f, &err), FT_TOO_FEW);
    folds_free(&f);
    free(ts_ms);
}

static void test_folds_by_time(void **state)
{
    enum { ROWS = 300, FOLDS = 4 };
    double time[ROWS];
    size_t group[ROWS];
    struct folds f;
    for (size_t i = 0; i < ROWS; i++) {
        time[i] = (double)((i * 7) % ROWS) / 2; /* 0 to 149.5, mixed */
        group[i] = i % 10;
    }
    assert_ok(folds_by_time(time, NULL, NULL, ROWS, FOLDS, 5, 1, &f, &err), err);
    for (size_t k = 0; k < FOLDS; k++) {
        double first = INFINITY, last = 0;
        assert_int_equal(f.fold[k].n_test, ROWS / (FOLDS + 1));
        for (size_t i = 0; i < f.fold[k].n_test; i++)
            first = fmin(first, time[f.fold[k].test[i]]);
        for (size_t i = 0; i < f.fold[k].n_train; i++)
            last = fmax(last, time[f.fold[k].train[i]]);
        assert_close(first, 30.0 * (double)(k + 1), 0);
        assert_close(last, first - 5.5, 0); /* earlier than the cut by more than the embargo */
    }
    folds_free(&f);
    assert_ok(folds_by_time(time, group, NULL, ROWS, FOLDS, 5, 1, &f, &err), err);
    size_t n_test = 0;
    for (size_t k = 0; k < FOLDS; k++) {
        bool is_out[10] = {false};
        n_test += f.fold[k].n_test;
        for (size_t i = 0; i < f.fold[k].n_test; i++) {
            assert_true(time[f.fold[k].test[i]] >= 75);
            is_out[group[f.fold[k].test[i]]] = true;
        }
        for (size_t i = 0; i < f.fold[k].n_train; i++) {
            assert_true(time[f.fold[k].train[i]] < 70);
            assert_false(is_out[group[f.fold[k].train[i]]]);
        }
    }
    assert_int_equal(n_test, ROWS / 2);
    folds_free(&f);
    assert_int_equal(folds_by_time(time, NULL, NULL, ROWS, FOLDS, 1000, 1, &f, &err), FT_TOO_FEW);
    folds_free(&f);
    time[3] = NAN;
    assert_int_equal(folds_by_time(time, NULL, NULL, ROWS, FOLDS, 0, 1, &f, &err), FT_INVALID);
    folds_free(&f);
}

static void test_folds_refusals(void **state)
{
    const size_t group[] = {1, 1, 2, 2, 3, 3};
    struct folds f;
    assert_int_equal(folds_by_group(group, NULL, 6, 4, 0, &f, &err), FT_TOO_FEW);
    folds_free(&f);
    assert_int_equal(folds_by_group(group, NULL, 6, 1, 0, &f, &err), FT_INVALID);
    folds_free(&f);
    assert_int_equal(folds_of_rows(NULL, 3, 5, 0, &f, &err), FT_TOO_FEW);
    folds_free(&f);
    assert_int_equal(folds_of_rows(NULL, 300, 101, 0, &f, &err), FT_INVALID);
    folds_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folds_by_group_whole_and_balanced),
        cmocka_unit_test(test_folds_by_group_seed),
        cmocka_unit_test(test_folds_of_rows_stratified),
        cmocka_unit_test(test_folds_forward_embargo),
        cmocka_unit_test(test_folds_by_time),
        cmocka_unit_test(test_folds_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
