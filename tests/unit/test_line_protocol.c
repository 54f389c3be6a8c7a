#include "tests/test.h"

#include "app/ingest/line_protocol.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct ft_err err;
static struct lp_line line;

static enum ft_status read_one(const char *text)
{
    const char *at = text;
    size_t n = 0;
    return lp_next(&at, text + strlen(text), &n, &line, &err);
}

static void test_lp_next_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {{"1", 1},           {"-1.5", -1.5},
                {"1e3", 1000},      {"1.", 1},
                {"+2", 2},          {"12i", 12},
                {"-7i", -7},        {"7u", 7},
                {"t", 1},           {"TRUE", 1},
                {"False", 0},       {"f", 0},
                {"0.1", 0.1},       {"1.7976931348623157e308", 1.7976931348623157e308},
                {"5e-324", 5e-324}, {"9223372036854775807i", 9223372036854775807.0}};
    static const char *const bad[] = {"",   "i",  "1x",  "NaN",  "inf", "-7u",   "1.5i", "--1",
                                      "1e", "tr", "'a'", "0x10", "1_0", "1e999", "."};
    char text[100];
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(text, sizeof(text), "m f=%s", good[i].text);
        if (read_one(text) != FT_OK || line.n_fields != 1 || line.fields[0].value != good[i].value)
            fail_msg("%s: %s", text, err.msg);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "m f=%s", bad[i]);
        if (read_one(text) != FT_INVALID)
            fail_msg("%s was let through", text);
    }
}

static void test_lp_next_shapes(void **state)
{
    (void)state;
    assert_ok(read_one("pump,asset=P-101 temp=1,speed=2i,on=t,note=\"a, b=c \\\" \" -5\r\n"), err);
    assert_int_equal(line.series_len, strlen("pump,asset=P-101"));
    assert_int_equal(line.n_fields, 4);
    assert_true(line.fields[3].is_text);
    assert_true(isnan(line.fields[3].value));
    assert_true(line.has_ts);
    assert_int_equal(line.ts, -5);
    assert_ok(read_one("m\\ x,a\\,b=c\\=d   f\\ g=1   12  \n"), err);
    assert_int_equal(line.series_len, strlen("m\\ x,a\\,b=c\\=d"));
    assert_int_equal(line.fields[0].len, 4);
    assert_int_equal(line.ts, 12);
    assert_ok(read_one("m f=1\r"), err);
    assert_false(line.has_ts);
    static const char *const bad[] = {
        "m",      "m ",         ",a=b f=1",  "m f",       "m =1",  "m f=1 x",
        "m f=1,", "m f=\"open", "m f=1 1.5", "m f=1 1 2", "m,a=b", "m f=1  12345678901234567890"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (read_one(bad[i]) != FT_INVALID)
            fail_msg("%s was let through", bad[i]);
}

static void test_lp_next_goes_on(void **state)
{
    (void)state;
    static const char text[] =
        "# comment\n\n  \nm f=1 1\nwrong\nm s=\"two\nlines\",f=2 2\n\nm f=3 3";
    const char *at = text;
    size_t n = 0;
    const char *end = text + strlen(text);
    assert_ok(lp_next(&at, end, &n, &line, &err), err);
    assert_int_equal(n, 4);
    assert_int_equal(lp_next(&at, end, &n, &line, &err), FT_INVALID);
    assert_int_equal(n, 5);
    assert_int_equal(line.raw_len, 5);
    assert_ok(lp_next(&at, end, &n, &line, &err), err);
    assert_int_equal(line.ts, 2);
    assert_int_equal(n, 7);
    assert_ok(lp_next(&at, end, &n, &line, &err), err);
    assert_int_equal(n, 9);
    assert_int_equal(lp_next(&at, end, &n, &line, &err), FT_NOT_FOUND);
}

static void test_lp_to_ms(void **state)
{
    (void)state;
    enum lp_precision p;
    int64_t ms = 0;
    assert_true(lp_to_ms(1767225600123999999, LP_NS, &ms));
    assert_int_equal(ms, 1767225600123);
    assert_true(lp_to_ms(-1, LP_NS, &ms));
    assert_int_equal(ms, -1);
    assert_true(lp_to_ms(491000, LP_H, &ms));
    assert_int_equal(ms, INT64_C(491000) * 3600000);
    assert_false(lp_to_ms(INT64_MAX, LP_S, &ms));
    assert_false(lp_to_ms(INT64_MAX, LP_MS, &ms));
    assert_ok(lp_precision_parse("us", &p, &err), err);
    assert_int_equal(p, LP_US);
    assert_ok(lp_precision_parse(NULL, &p, &err), err);
    assert_int_equal(p, LP_NS);
    assert_int_equal(lp_precision_parse("sec", &p, &err), FT_INVALID);
}

static void expect_names(const char *series, const char *field, const char *asset,
                         const char *sensor)
{
    const struct lp_mapping mapping = {"asset,machine,host", "noise, junk"};
    char a[LP_NAME_SIZE];
    char s[LP_NAME_SIZE];
    assert_ok(lp_map(&mapping, series, strlen(series), field, strlen(field), a, s, &err), err);
    assert_string_equal(a, asset);
    assert_string_equal(s, sensor);
}

static void test_lp_map(void **state)
{
    (void)state;
    expect_names("P-101", "temp", "P-101", "temp");
    expect_names("P-101", "value", "P-101", "value");
    expect_names("temp,asset=P-101", "value", "P-101", "temp");
    expect_names("pump,asset=P-101", "temp", "P-101", "pump.temp");
    expect_names("cpu,cpu=cpu0,host=edge", "usage_idle", "edge", "cpu.usage_idle,cpu=cpu0");
    expect_names("m,z=1,host=h,a=2,noise=9,junk=8,machine=M", "f", "M", "m.f,a=2,host=h,z=1");
    expect_names("m\\ n,asset=A\\,1\\=2", "f\\=g", "A,1=2", "m n.f=g");
    expect_names("c:\\dir,asset=a", "value", "a", "c:\\dir");
    static const char *const bad[] = {"m,asset", "m,asset=", "m,=x", "m,a=1,a=2", "m,"};
    const struct lp_mapping mapping = {"asset", ""};
    char a[LP_NAME_SIZE];
    char s[LP_NAME_SIZE];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (lp_map(&mapping, bad[i], strlen(bad[i]), "f", 1, a, s, &err) != FT_INVALID)
            fail_msg("%s was let through", bad[i]);
    char *longest = calloc(1, 3000);
    memset(longest, 'x', 2999);
    assert_int_equal(lp_map(&mapping, longest, 2999, "f", 1, a, s, &err), FT_INVALID);
    free(longest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lp_next_values),  cmocka_unit_test(test_lp_next_shapes),
        cmocka_unit_test(test_lp_next_goes_on), cmocka_unit_test(test_lp_to_ms),
        cmocka_unit_test(test_lp_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
