#include "tests/test.h"

#include "app/base/rng.h"
#include "app/leak_guard.h"

enum { N = 2000, P = 5 };

/* Columns: honest (moderate), noise, and three that a test fills. */
static void make_rows(double *x, double *y)
{
    for (size_t i = 0; i < N; i++) {
        y[i] = rng_uniform(1, 1, i) < 0.1;
        x[i * P] = 1.5 * y[i] + rng_normal(1, 2, i);
        for (size_t j = 1; j < P; j++)
            x[i * P + j] = rng_normal(1, 2 + j, i);
    }
}

static struct matrix matrix_of(const double *x)
{
    return (struct matrix){.data = x, .n_rows = N, .n_cols = P, .stride = P};
}

static const char *const names[P] = {"vibration", "load", "c", "d", "e"};

static void test_leak_guard_clean(void **state)
{
    static double x[N * P], y[N];
    struct ft_err err;
    const struct matrix m = matrix_of(x);
    make_rows(x, y);
    assert_ok(leak_guard(names, &m, y, true, NULL, &err), err);
    for (size_t i = 0; i < N; i++)
        y[i] = x[i * P] + rng_normal(2, 1, i); /* a number that one column follows well */
    assert_ok(leak_guard(names, &m, y, false, NULL, &err), err);
}

static void expect(const struct matrix *m, const double *y, const char *const *n, bool is_01,
                   size_t column, enum leak_kind kind)
{
    struct leak leak;
    struct ft_err err;
    assert_ok(leak_check(n[column], m, column, y, is_01, &leak, &err), err);
    assert_int_equal(leak.kind, kind);
    assert_int_equal(leak_guard(n, m, y, is_01, NULL, &err), FT_REFUSED);
    assert_non_null(strstr(err.msg, n[column]));
    assert_ok(leak_guard(n, m, y, is_01, n[column], &err), err);
}

static void test_leak_guard_copy_of_the_label(void **state)
{
    static double x[N * P], y[N];
    const struct matrix m = matrix_of(x);
    make_rows(x, y);
    for (size_t i = 0; i < N; i++)
        x[i * P + 3] = 5 - y[i] + 0.2 * rng_normal(3, 1, i);
    expect(&m, y, names, true, 3, LEAK_ALONE);
}

static void test_leak_guard_copy_of_a_number(void **state)
{
    static double x[N * P], y[N];
    const struct matrix m = matrix_of(x);
    make_rows(x, y);
    for (size_t i = 0; i < N; i++) {
        y[i] = 125 * rng_uniform(4, 1, i);
        x[i * P + 2] = y[i] + rng_normal(4, 2, i);
    }
    expect(&m, y, names, false, 2, LEAK_ALONE);
}

static void test_leak_guard_row_order(void **state)
{
    static double x[N * P], y[N];
    const struct matrix m = matrix_of(x);
    make_rows(x, y);
    for (size_t i = 0; i < N; i++) {
        y[i] = i > N * 9 / 10 - (rng_uniform(5, 1, i) < 0.05 ? N / 3 : 0); /* sorted, nearly */
        x[i * P] = rng_normal(5, 2, i);
        x[i * P + 4] = (double)i;
    }
    expect(&m, y, names, true, 4, LEAK_ROW_ORDER);
}

/* The next date of planned work and alarms that are still to come say a little only; their names
 * give them away. The same values under an honest name pass. */
static void test_leak_guard_names(void **state)
{
    static double x[N * P], y[N];
    static const char *const date[P] = {"vibration", "load", "next_pm_date", "d", "e"};
    static const char *const count[P] = {"vibration", "load", "futureAlarmCount", "d", "e"};
    static const char *const honest[P] = {"vibration", "load", "context_plant", "d", "e"};
    struct ft_err err;
    const struct matrix m = matrix_of(x);
    make_rows(x, y);
    for (size_t i = 0; i < N; i++)
        x[i * P + 2] = y[i] + rng_normal(6, 1, i);
    expect(&m, y, date, true, 2, LEAK_NAME);
    expect(&m, y, count, true, 2, LEAK_NAME);
    assert_ok(leak_guard(honest, &m, y, true, NULL, &err), err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leak_guard_clean),
        cmocka_unit_test(test_leak_guard_copy_of_the_label),
        cmocka_unit_test(test_leak_guard_copy_of_a_number),
        cmocka_unit_test(test_leak_guard_row_order),
        cmocka_unit_test(test_leak_guard_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
