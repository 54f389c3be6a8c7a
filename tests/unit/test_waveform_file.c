#include "tests/db_fixture.h"

#include "app/base/file.h"
#include "app/base/json.h"
#include "app/waveform_import.h"
#include "db/asset_store.h"
#include "db/reading_store.h"

#include <math.h>
#include <stdlib.h>

static enum ft_status parse(const char *bytes, size_t len, struct waveform_file_options o,
                            double **out, size_t *n, struct ft_err *err)
{
    return waveform_file_parse("f", bytes, len, &o, out, n, err);
}

static void expect(const char *bytes, size_t len, struct waveform_file_options o,
                   const double *want, size_t n_want)
{
    double *x = NULL;
    size_t n = 0;
    struct ft_err err;
    assert_ok(parse(bytes, len, o, &x, &n, &err), err);
    assert_int_equal(n, n_want);
    for (size_t i = 0; i < n; i++)
        assert_close(x[i], want[i], 1e-12);
    free(x);
}

#define TEXT(s) (s), sizeof(s) - 1

static void test_waveform_file_parse_csv(void **state)
{
    const double three[] = {1, -2.5, 3e2};
    expect(TEXT("1\n-2.5\n3e2\n"), (struct waveform_file_options){0}, three, 3);
    expect(TEXT("acc\r\n1\r\n-2.5\r\n\r\n3e2"), (struct waveform_file_options){0}, three, 3);
    expect(TEXT("t,x\n0,1\n1,-2.5\n2,3e2\n"), (struct waveform_file_options){.column = "x"}, three,
           3);
    expect(TEXT("0\t1\n1\t-2.5\n2\t3e2\n"), (struct waveform_file_options){.column = "2"}, three,
           3);
    expect(TEXT("t;x\n0;1\n1;-2,5\n2;300\n"), (struct waveform_file_options){.column = "x"}, three,
           3);
    expect(TEXT("2\n-5\n600\n"), (struct waveform_file_options){.scale = 0.5}, three, 3);
}

static void test_waveform_file_parse_bare(void **state)
{
    const char i16[] = {1, 0, (char)0xfe, (char)0xff};
    const float f32[] = {1.5F, -2.25F};
    const double f64[] = {1.5, -2.25};
    expect(i16, 4, (struct waveform_file_options){.format = WAVEFORM_I16}, (double[]){1, -2}, 2);
    expect(i16, 4, (struct waveform_file_options){.format = WAVEFORM_I32}, (double[]){-131071}, 1);
    expect((const char *)f32, 8, (struct waveform_file_options){.format = WAVEFORM_F32}, f64, 2);
    expect((const char *)f64, 16, (struct waveform_file_options){.format = WAVEFORM_F64}, f64, 2);
}

static void expect_refused(const char *bytes, size_t len, struct waveform_file_options o,
                           const char *word)
{
    double *x = NULL;
    size_t n = 0;
    struct ft_err err;
    assert_int_equal(parse(bytes, len, o, &x, &n, &err), FT_INVALID);
    if (strstr(err.msg, word) == NULL)
        fail_msg("'%s' does not say '%s'", err.msg, word);
    assert_null(x);
}

static void test_waveform_file_parse_refuses(void **state)
{
    const struct waveform_file_options none = {0};
    const double nan = NAN;
    expect_refused("", 0, none, "empty");
    expect_refused(TEXT("1\nx\n"), none, "line 2");
    expect_refused(TEXT("1,2\n3,4\n"), none, "--column");
    expect_refused(TEXT("a,b\n3,4\n"), (struct waveform_file_options){.column = "c"}, "'c'");
    expect_refused(TEXT("\x01\x02"), none, "--format");
    expect_refused(TEXT("abc"), (struct waveform_file_options){.format = WAVEFORM_I16}, "3 bytes");
    expect_refused((const char *)&nan, 8, (struct waveform_file_options){.format = WAVEFORM_F64},
                   "finite");
    expect_refused(TEXT("\x93NUMPYxx"), none, "f: ");
    enum waveform_format f;
    struct ft_err err;
    assert_ok(waveform_format_parse("i32le", &f, &err), err);
    assert_int_equal(f, WAVEFORM_I32);
    assert_int_equal(waveform_format_parse("wav", &f, &err), FT_INVALID);
}

static void test_waveform_bands_parse(void **state)
{
    struct waveform_band b[WAVEFORM_MAX_BANDS];
    size_t n = 0;
    struct ft_err err;
    assert_ok(waveform_bands_parse("10-1000,1000-5000.5", b, &n, &err), err);
    assert_int_equal(n, 2);
    assert_close(b[1].high_hz, 5000.5, 0);
    assert_int_equal(waveform_bands_parse("", b, &n, &err), FT_INVALID);
    assert_int_equal(waveform_bands_parse("10", b, &n, &err), FT_INVALID);
    assert_int_equal(waveform_bands_parse("10-5", b, &n, &err), FT_INVALID);
    assert_int_equal(waveform_bands_parse("1-2;3-4", b, &n, &err), FT_INVALID);
}

/* Two files of two blocks and a rest: four instants of each reading, and twice changes nothing. */
static void test_waveform_import_blocks(void **state)
{
    enum { N = 2100, BLOCK = 1000 };
    struct db_fixture *f = *state;
    static double x[N];
    char path[120];
    cJSON *s = NULL;
    struct waveform_import_options o = {.asset = "P1",
                                        .sensor = "vib",
                                        .class_name = "pump",
                                        .file = {.format = WAVEFORM_F64},
                                        .at_ms = 1000000,
                                        .every_ms = 60000,
                                        .block_n = BLOCK};
    waveform_plan_default(2000, &o.plan);
    for (int i = 0; i < N; i++)
        x[i] = (i < BLOCK ? 1 : 2) * sin(i * 0.7);
    snprintf(path, sizeof(path), "%s/x.bin", f->folder);
    assert_ok(file_write(path, x, sizeof(x), &f->err), f->err);
    const char *const files[] = {path, path};
    assert_ok(waveform_import(f->db, files, 2, &o, &s, &f->err), f->err);
    assert_int_equal(json_get(s, "blocks")->valuedouble, 4);
    assert_int_equal(json_get(s, "left_over")->valuedouble, 200);
    assert_int_equal(json_get(s, "new")->valuedouble, 4 * 12);
    cJSON_Delete(s);
    assert_ok(waveform_import(f->db, files, 2, &o, &s, &f->err), f->err);
    assert_int_equal(json_get(s, "new")->valuedouble, 0);
    cJSON_Delete(s);
    struct asset a = {0};
    int64_t id = 0;
    struct readings r;
    assert_ok(asset_find(f->db, "P1", &a, &f->err), f->err);
    assert_ok(sensor_find(f->db, a.id, "vib_rms", &id, &f->err), f->err);
    assert_ok(reading_scan(f->db, id, 0, INT64_MAX, &r, &f->err), f->err);
    assert_int_equal(r.n, 4);
    assert_int_equal(r.ts_ms[1], 1000500);
    assert_int_equal(r.ts_ms[2], 1060000);
    assert_close(r.value[0], 1 / sqrt(2), 0.01);
    assert_close(r.value[1], 2 / sqrt(2), 0.01);
    readings_free(&r);
    asset_clear(&a);
    assert_ok(sensor_find(f->db, 1, "vib_env_1_4hz", &id, &f->err), f->err);
    o.block_n = 5000;
    assert_int_equal(waveform_import(f->db, files, 1, &o, &s, &f->err), FT_TOO_FEW);
    assert_null(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waveform_file_parse_csv),
        cmocka_unit_test(test_waveform_file_parse_bare),
        cmocka_unit_test(test_waveform_file_parse_refuses),
        cmocka_unit_test(test_waveform_bands_parse),
        cmocka_unit_test_setup_teardown(test_waveform_import_blocks, db_fixture_open,
                                        db_fixture_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
