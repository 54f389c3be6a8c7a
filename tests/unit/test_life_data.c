#include "tests/test.h"

#include "models/life_data.h"

static void test_life_data_totals(void **state)
{
    static const double time[] = {10, 0, 20, 50, 7}, upper[] = {0, 8, 30, 0, 0};
    static const double entry[] = {2, 0, 5, 0, 0}, weight[] = {2, 1, 1, 3, 0};
    static const bool failed[] = {true, true, true, false, true};
    const struct life_data data = {time, failed, entry, weight, 5, upper};
    struct life_totals t;
    struct ft_err err;
    assert_ok(life_data_totals(&data, &t, &err), err);
    assert_int_equal(t.n_rows, 4); /* a weight of 0 is no row */
    assert_int_equal(t.n_rows_failed, 3);
    assert_int_equal(t.n_intervals, 2);
    assert_close(t.n, 7, 0);
    assert_close(t.r, 4, 0);
    assert_close(t.r_exact, 2, 0);
    assert_close(t.exposure, 2 * 8 + 4 + 20 + 150, 1e-12);
    assert_close(t.mean, (2 * 10 + 4 + 25) / 4.0, 1e-12);
    assert_close(t.sum_log, 2 * log(10), 1e-12);
    assert_close(t.first, 4, 0);
    assert_close(t.last, 25, 0);
    assert_close(t.greatest, 50, 0);
    assert_close(t.last_begin, 50, 0);
    assert_close(t.first_end, 8, 0);
}

static void test_life_data_totals_names_the_unit(void **state)
{
    static const bool yes[] = {true, true}, no[] = {true, false};
    static const struct {
        double time, entry, weight, upper;
        bool has_failed;
    } bad[] = {{0, 0, 1, 0, true},   {NAN, 0, 1, 0, true},      {5, 5, 1, 0, true},
               {5, -1, 1, 0, true},  {5, 0, -1, 0, true},       {5, 0, 1, 4, true},
               {5, 0, 1, -3, true},  {5, 0, 1, INFINITY, true}, {5, 0, 1, 9, false},
               {-1, 0, 1, 9, true},  {5, 6, 1, 9, true},        {5, 0, INFINITY, 0, true},
               {5, 0, 1, NAN, true}, {INFINITY, 0, 1, 0, true}};
    struct life_totals t;
    struct ft_err err;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const double time[] = {3, bad[i].time}, entry[] = {0, bad[i].entry};
        const double weight[] = {1, bad[i].weight}, upper[] = {0, bad[i].upper};
        const struct life_data data = {time, bad[i].has_failed ? yes : no, entry, weight, 2, upper};
        assert_int_equal(life_data_totals(&data, &t, &err), FT_INVALID);
        assert_non_null(strstr(err.msg, "unit 2"));
    }
    assert_int_equal(life_data_totals(&(struct life_data){.n = 0}, &t, &err), FT_TOO_FEW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life_data_totals),
        cmocka_unit_test(test_life_data_totals_names_the_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
