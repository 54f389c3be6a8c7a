#include "tests/test.h"

#include "models/design.h"

/* Two columns of four rows; column 2 lacks one value, column 3 is constant. */
static const double rows[] = {1, 10, 5, 2, NAN, 5, 3, 30, 5, 6, 20, 5};
static const double weight[] = {1, 2, 1, 1};
static const struct matrix x = {rows, 4, 3, 3, NULL};

static void test_design_fit_by_hand(void **state)
{
    struct design d;
    struct ft_err err;
    double wide[4];
    assert_ok(design_fit(&d, &x, weight, &err), err);
    assert_int_equal(d.n_wide, 4);
    assert_rel(d.mean[0], 14.0 / 5, 1e-15);
    assert_rel(d.mean[1], 20.0, 1e-15);
    assert_rel(d.scale[1], sqrt(200.0 / 3), 1e-15);
    assert_close(d.scale[2], 0, 0);
    assert_rel(d.miss_mean[1], 0.4, 1e-15);
    design_row(&d, rows + 3, wide);
    assert_rel(wide[0], (2 - 2.8) / d.scale[0], 1e-14);
    assert_close(wide[1], 0, 0);
    assert_close(wide[2], 0, 0);
    assert_rel(wide[3], 0.6 / sqrt(0.24), 1e-14);
    const double beta[] = {2, -1, 9, 0.5};
    double parts[3], original[4];
    design_contributions(&d, beta, rows + 3, parts);
    assert_rel(design_dot(&d, beta, rows + 3), parts[0] + parts[1] + parts[2], 1e-14);
    assert_close(parts[2], 0, 0);
    design_original(&d, beta, original);
    assert_rel(original[0] + original[1] * 6 + original[2] * 20 + original[3] * 5,
               design_dot(&d, beta, rows + 9), 1e-12);
    design_free(&d);
}

static void test_design_fit_refuses(void **state)
{
    struct design d;
    struct ft_err err;
    const double broken[] = {1, 2, -INFINITY, 3};
    assert_int_equal(design_fit(&d, &(struct matrix){broken, 2, 2, 2, NULL}, NULL, &err),
                     FT_INVALID);
    assert_non_null(strstr(err.msg, "row 2, column 1"));
    assert_int_equal(design_fit(&d, &(struct matrix){broken, 2, 0, 2, NULL}, NULL, &err),
                     FT_INVALID);
    assert_int_equal(design_fit(&d, &(struct matrix){rows, 0, 3, 3, NULL}, NULL, &err), FT_TOO_FEW);
    assert_null(d.mean);
}

static void test_design_read_back(void **state)
{
    struct design d, again;
    struct text_reader r;
    struct ft_err err;
    struct buf b;
    buf_init(&b, 4096);
    assert_ok(design_fit(&d, &x, NULL, &err), err);
    design_write(&d, &b);
    text_reader_init(&r, b.data, b.len, "design");
    assert_ok(design_read(&again, &r, &err), err);
    assert_int_equal(again.n_wide, d.n_wide);
    assert_memory_equal(again.mean, d.mean, 3 * sizeof(double));
    assert_memory_equal(again.miss_scale, d.miss_scale, 3 * sizeof(double));
    design_free(&again);
    design_free(&d);
    buf_free(&b);
    static const char negative[] = "n_cols 1\nmean 1 0x1p+0\nscale 1 -0x1p+0\n"
                                   "missing_mean 1 0x0p+0\nmissing_scale 1 0x0p+0\n";
    text_reader_init(&r, negative, strlen(negative), "design");
    assert_int_equal(design_read(&again, &r, &err), FT_INVALID);
    assert_null(again.mean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_design_fit_by_hand),
        cmocka_unit_test(test_design_fit_refuses),
        cmocka_unit_test(test_design_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
