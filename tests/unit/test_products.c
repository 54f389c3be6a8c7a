#include "tests/test.h"

#include "app/base/buf.h"
#include "app/base/rng.h"
#include "models/products.h"

enum { N = 1500, P = 4 };

/* The label asks whether column 1 times column 2 lies outside a band: no single column tells. */
static void make_rows(double *x, double *y)
{
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < P; j++)
            x[i * P + j] = 1 + 4 * rng_uniform(1, j, i);
        const double power = x[i * P + 1] * x[i * P + 2];
        y[i] = power < 4 || power > 16;
    }
}

static struct products *fit(const double *x, const double *y)
{
    struct gbdt_params params = gbdt_params_default(GBDT_LOGISTIC);
    struct pool *pool;
    struct products *p;
    struct ft_err err;
    const struct matrix m = {.data = x, .n_rows = N, .n_cols = P, .stride = P};
    params.n_trees = 40;
    assert_ok(pool_new(2, &pool, &err), err);
    assert_ok(products_fit(&m, y, NULL, &params, pool, &p, &err), err);
    pool_free(pool);
    return p;
}

static void test_products_fit_finds_the_product(void **unused)
{
    static double x[N * P], y[N], raw[N];
    make_rows(x, y);
    struct products *p = fit(x, y);
    size_t n;
    const struct product *forms = products_forms(p, &n);
    assert_true(n > 0 && n <= PRODUCTS_MAX_KEPT);
    assert_int_equal(forms[0].form, PRODUCT_TIMES);
    assert_int_equal(forms[0].a, 1);
    assert_int_equal(forms[0].b, 2);
    assert_int_equal(products_n_cols(p), P);
    const struct matrix m = {.data = x, .n_rows = N, .n_cols = P, .stride = P};
    size_t n_wrong = 0;
    products_predict(p, &m, raw);
    for (size_t i = 0; i < N; i++)
        n_wrong += (raw[i] > 0) != (y[i] > 0);
    assert_true(n_wrong < N / 100);
    products_free(p);
    products_free(NULL);
}

/* What the forms add is folded back to the columns, and the parts sum to the answer. */
static void test_products_contributions_sum(void **unused)
{
    static double x[N * P], y[N], raw[N];
    make_rows(x, y);
    struct products *p = fit(x, y);
    const struct matrix m = {.data = x, .n_rows = N, .n_cols = P, .stride = P};
    struct ft_err err;
    products_predict(p, &m, raw);
    for (size_t i = 0; i < 20; i++) {
        double parts[P + 1];
        double sum = 0;
        assert_ok(products_contributions(p, x + i * P, parts, &err), err);
        for (size_t j = 0; j <= P; j++)
            sum += parts[j];
        assert_close(sum, raw[i], 1e-9);
    }
    products_free(p);
}

static void test_product_value_edges(void **unused)
{
    const double row[] = {6, 0, NAN, 1e300};
    const struct product times = {PRODUCT_TIMES, 3, 3}, over = {PRODUCT_OVER, 0, 1},
                         minus = {PRODUCT_MINUS, 0, 2}, good = {PRODUCT_MINUS, 0, 1};
    assert_true(isnan(product_value(&times, row)));
    assert_true(isnan(product_value(&over, row)));
    assert_true(isnan(product_value(&minus, row)));
    assert_close(product_value(&good, row), 6, 0);
}

static void test_products_read_refuses(void **unused)
{
    static double x[N * P], y[N];
    struct products *again;
    struct buf text;
    struct ft_err err;
    make_rows(x, y);
    struct products *p = fit(x, y);
    buf_init(&text, (size_t)1 << 24);
    products_write(p, &text);
    assert_ok(buf_status(&text, &err), err);
    assert_ok(products_read(text.data, text.len, &again, &err), err);
    products_free(again);
    for (size_t len = 0; len < text.len; len += 1 + text.len / 97) {
        assert_int_equal(products_read(text.data, len, &again, &err), FT_INVALID);
        assert_null(again);
    }
    static const char wrong[] = "columns 0\nforms 0\n";
    assert_int_equal(products_read(wrong, sizeof(wrong) - 1, &again, &err), FT_INVALID);
    buf_free(&text);
    products_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products_fit_finds_the_product),
        cmocka_unit_test(test_products_contributions_sum),
        cmocka_unit_test(test_product_value_edges),
        cmocka_unit_test(test_products_read_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
