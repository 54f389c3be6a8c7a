#include "tests/test.h"

#include "app/ingest/input.h"

#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { N = 3000000 };

static char *make_text(void)
{
    char *text = malloc(N);
    assert_non_null(text);
    for (size_t i = 0; i < N; i++)
        text[i] = (char)('a' + (i * 7 + i / 1000) % 26);
    return text;
}

static void write_file(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    fclose(f);
}

/* Reads the file in odd sizes and compares it with text twice over when is_double. */
static void expect(const char *path, const char *text, bool is_double)
{
    struct input *in;
    struct ft_err err;
    char *got = malloc(2 * N + 200000);
    size_t len = 0;
    size_t n = 1;
    assert_non_null(got);
    assert_ok(input_open(path, NULL, &in, &err), err);
    while (n > 0 && len <= 2 * (size_t)N) {
        assert_ok(input_read(in, got + len, 100003, &n, &err), err);
        len += n;
    }
    assert_int_equal(len, is_double ? 2 * (size_t)N : (size_t)N);
    assert_memory_equal(got, text, N);
    if (is_double)
        assert_memory_equal(got + N, text, N);
    assert_int_equal(input_position(in), input_size(in));
    input_close(in);
    free(got);
}

static size_t pack_gzip(const char *text, unsigned char *out, size_t size)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)text;
    z.avail_in = N;
    z.next_out = out;
    z.avail_out = (uInt)size;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    const size_t n = z.total_out;
    deflateEnd(&z);
    return n;
}

static enum ft_status drain(const char *path, struct ft_err *err)
{
    struct input *in;
    char buf[65536];
    size_t n = 1;
    enum ft_status st = input_open(path, NULL, &in, err);
    if (st != FT_OK)
        return st;
    while (st == FT_OK && n > 0)
        st = input_read(in, buf, sizeof(buf), &n, err);
    input_close(in);
    return st;
}

static void test_input_read_plain_gzip_zstd(void **state)
{
    char path[] = "/tmp/fettle-input-XXXXXX";
    char *text = make_text();
    unsigned char *packed = malloc(2 * N);
    struct ft_err err;
    close(mkstemp(path));
    write_file(path, text, N);
    expect(path, text, false);

    size_t n = pack_gzip(text, packed, N);
    memcpy(packed + n, packed, n); /* two members, as gzip and cat make them */
    write_file(path, packed, n);
    expect(path, text, false);
    write_file(path, packed, 2 * n);
    expect(path, text, true);
    write_file(path, packed, n - 10);
    assert_int_equal(drain(path, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "cut off"));
    packed[n / 2] ^= 0x55;
    write_file(path, packed, n);
    assert_int_equal(drain(path, &err), FT_INVALID);

    n = ZSTD_compress(packed, N, text, N, 3);
    assert_false(ZSTD_isError(n));
    memcpy(packed + n, packed, n);
    write_file(path, packed, n);
    expect(path, text, false);
    write_file(path, packed, 2 * n);
    expect(path, text, true);
    write_file(path, packed, n - 3);
    assert_int_equal(drain(path, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "cut off"));
    unlink(path);
    free(packed);
    free(text);
}

static void test_input_open_errors(void **state)
{
    struct input *in;
    struct ft_err err;
    assert_int_equal(input_open("/nowhere/at/all", NULL, &in, &err), FT_NOT_FOUND);
    assert_null(in);
    assert_int_equal(input_open("/tmp", NULL, &in, &err), FT_INVALID);
}

static void test_input_read_short_file(void **state)
{
    char path[] = "/tmp/fettle-input-XXXXXX";
    struct input *in;
    struct ft_err err;
    char buf[16];
    size_t n = 9;
    close(mkstemp(path));
    assert_ok(input_open(path, NULL, &in, &err), err);
    assert_ok(input_read(in, buf, sizeof(buf), &n, &err), err);
    assert_int_equal(n, 0);
    input_close(in);
    write_file(path, "a\n", 2);
    assert_ok(input_open(path, NULL, &in, &err), err);
    assert_ok(input_read(in, buf, sizeof(buf), &n, &err), err);
    assert_int_equal(n, 2);
    input_close(in);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input_read_plain_gzip_zstd),
        cmocka_unit_test(test_input_open_errors),
        cmocka_unit_test(test_input_read_short_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
