#include "tests/test.h"

#include "app/base/rng.h"
#include "app/ingest/csv.h"

#include <stdlib.h>
#include <unistd.h>

/* Splits one record of text and expects these fields, written "a|b|c". */
static void expect(const char *text, char delimiter, const char *want, size_t want_used)
{
    struct csv_record r;
    struct ft_err err;
    size_t used = 0;
    char got[512] = "";
    csv_record_init(&r);
    assert_ok(csv_split(text, text + strlen(text), true, delimiter, &r, &used, &err), err);
    for (size_t i = 0; i < r.n; i++) {
        const size_t at = strlen(got);
        snprintf(got + at, sizeof(got) - at, "%s%.*s", i > 0 ? "|" : "", (int)r.fields[i].len,
                 r.fields[i].p);
    }
    assert_string_equal(got, want);
    assert_int_equal(used, want_used);
    csv_record_free(&r);
}

static void test_csv_split_plain_and_quoted(void **state)
{
    expect("a,b,c\nnext", ',', "a|b|c", 6);
    expect("a;b;c\r\nnext", ';', "a|b|c", 7);
    expect("a,b,c", ',', "a|b|c", 5);
    expect("a,,\n", ',', "a||", 4);
    expect("\"a\",b\n", ',', "a|b", 6);
    expect("\"a,1\",\"b\"\"q\"\"\",c\r\n", ',', "a,1|b\"q\"|c", 18);
    expect("x,\"line 1\nline 2\",y\nz", ',', "x|line 1\nline 2|y", 20);
    expect("x,\"\"\n", ',', "x|", 5);
    expect("5\" pipe,ab\"\"c\n", ',', "5\" pipe|ab\"\"c", 14);
    expect("a,b\"\"x,\"q\"\n", ',', "a|b\"\"x|q", 11);
    expect("x,\"last\"\r", ',', "x|last", 9);
}

static void test_csv_split_blank_line(void **state)
{
    struct csv_record r;
    struct ft_err err;
    size_t used = 0;
    const char *blank = "\r\nx";
    csv_record_init(&r);
    assert_ok(csv_split(blank, blank + 3, true, ',', &r, &used, &err), err);
    assert_true(r.is_blank);
    assert_int_equal(r.n, 0);
    assert_int_equal(used, 2);
    csv_record_free(&r);
}

static void test_csv_split_asks_for_more(void **state)
{
    const char *const parts[] = {"a,b", "a,\"b\nc", "\"a", "a,\"b\""};
    struct csv_record r;
    struct ft_err err;
    csv_record_init(&r);
    for (size_t i = 0; i < 4; i++) {
        size_t used = 1;
        assert_ok(csv_split(parts[i], parts[i] + strlen(parts[i]), false, ',', &r, &used, &err),
                  err);
        assert_int_equal(used, 0);
    }
    csv_record_free(&r);
}

static void test_csv_split_refuses_and_goes_on(void **state)
{
    const char *text = "a,\"b\"x,c\ngood,1\n";
    const char *open = "a,\"never\nx,1\n";
    struct csv_record r;
    struct ft_err err;
    size_t used = 0;
    csv_record_init(&r);
    assert_int_equal(csv_split(text, text + strlen(text), true, ',', &r, &used, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "closing quote"));
    assert_int_equal(used, 9);
    assert_int_equal(csv_split(open, open + strlen(open), true, ',', &r, &used, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "never closed"));
    assert_int_equal(used, 9);
    csv_record_free(&r);
}

static void test_csv_split_refuses_over_limits(void **state)
{
    const size_t n = CSV_RECORD_MAX + 100;
    char *text = malloc(n + 1);
    struct csv_record r;
    struct ft_err err;
    size_t used = 0;
    csv_record_init(&r);
    assert_non_null(text);
    memset(text, 'x', n);
    text[n - 1] = '\n';
    assert_int_equal(csv_split(text, text + n, false, ',', &r, &used, &err), FT_INVALID);
    assert_int_equal(used, n);
    memset(text, ',', n);
    text[n / 2] = '\n';
    assert_int_equal(csv_split(text, text + n, false, ',', &r, &used, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "fields"));
    assert_int_equal(used, n / 2 + 1);
    text[0] = '"';
    memset(text + 1, 'y', n - 1);
    assert_int_equal(csv_split(text, text + n, false, ',', &r, &used, &err), FT_INVALID);
    free(text);
    csv_record_free(&r);
}

/* The vector path and the plain path see the same records in random bytes. */
static void test_csv_split_same_with_and_without_vectors(void **state)
{
    static const char alphabet[] = ",,;\"\"\n\r01abc.";
    struct csv_record fast;
    struct csv_record plain;
    csv_record_init(&fast);
    csv_record_init(&plain);
    plain.is_plain = true;
    for (uint64_t round = 0; round < 20000; round++) {
        char text[200];
        const size_t len = rng_below(1, 0, round, sizeof(text));
        const bool is_last = round % 2 == 0;
        for (size_t i = 0; i < len; i++) /* long plain stretches fill whole vectors */
            text[i] = round % 3 == 0 && i % 40 > 3
                          ? 'x'
                          : alphabet[rng_below(2, round, i, sizeof(alphabet) - 1)];
        size_t used_fast = 0;
        size_t used_plain = 0;
        struct ft_err err;
        const enum ft_status st =
            csv_split(text, text + len, is_last, ',', &fast, &used_fast, &err);
        assert_int_equal(csv_split(text, text + len, is_last, ',', &plain, &used_plain, &err), st);
        assert_int_equal(used_fast, used_plain);
        assert_int_equal(fast.n, plain.n);
        for (size_t i = 0; i < fast.n; i++) {
            assert_int_equal(fast.fields[i].len, plain.fields[i].len);
            assert_memory_equal(fast.fields[i].p, plain.fields[i].p, fast.fields[i].len);
        }
    }
    csv_record_free(&fast);
    csv_record_free(&plain);
}

static void test_csv_guess_delimiter_each(void **state)
{
    assert_int_equal(csv_guess_delimiter("a,b;c,d\n;;;;", 12), ',');
    assert_int_equal(csv_guess_delimiter("a;b;c,d\n", 8), ';');
    assert_int_equal(csv_guess_delimiter("a\tb\n", 4), '\t');
    assert_int_equal(csv_guess_delimiter("a|b\n", 4), '|');
    assert_int_equal(csv_guess_delimiter("\"a;;;\",b\n", 9), ',');
    assert_int_equal(csv_guess_delimiter("alone\n", 6), ',');
}

static void write_file(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    fclose(f);
}

static void test_csv_reader_lines_and_recovery(void **state)
{
    static const char text[] = "\xef\xbb\xbfh1,h2\n\n\"a\nb\",2\nx,\"y\"z\nlast,4";
    char path[] = "/tmp/fettle-csv-XXXXXX";
    struct csv_reader *r;
    struct csv_record *rec;
    struct ft_err err;
    close(mkstemp(path));
    write_file(path, text, sizeof(text) - 1);
    assert_ok(csv_reader_open(path, 0, NULL, &r, &err), err);
    assert_ok(csv_reader_next(r, &rec, &err), err);
    assert_int_equal(rec->n, 2);
    assert_memory_equal(rec->fields[0].p, "h1", 2);
    assert_ok(csv_reader_next(r, &rec, &err), err);
    assert_int_equal(csv_reader_line(r), 3);
    assert_memory_equal(rec->fields[0].p, "a\nb", 3);
    assert_int_equal(csv_reader_next(r, &rec, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "line 5"));
    assert_int_equal(csv_reader_raw(r).len, 6);
    assert_ok(csv_reader_next(r, &rec, &err), err);
    assert_int_equal(csv_reader_line(r), 6);
    assert_int_equal(rec->n, 2);
    assert_ok(csv_reader_next(r, &rec, &err), err);
    assert_null(rec);
    csv_reader_close(r);
    unlink(path);
}

static void test_csv_reader_open_refuses_what_is_no_text(void **state)
{
    char path[] = "/tmp/fettle-csv-XXXXXX";
    struct csv_reader *r;
    struct ft_err err;
    close(mkstemp(path));
    assert_int_equal(csv_reader_open(path, 0, NULL, &r, &err), FT_INVALID);
    write_file(path,
               "\xff\xfe"
               "a\0,\0",
               6);
    assert_int_equal(csv_reader_open(path, 0, NULL, &r, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, "UTF-16"));
    write_file(path, "PK\0\1\2", 5);
    assert_int_equal(csv_reader_open(path, 0, NULL, &r, &err), FT_INVALID);
    write_file(path, "a,b\r1,2\r", 8);
    assert_int_equal(csv_reader_open(path, 0, NULL, &r, &err), FT_INVALID);
    unlink(path);
    assert_int_equal(csv_reader_open(path, 0, NULL, &r, &err), FT_NOT_FOUND);
    assert_int_equal(csv_reader_open("/tmp", 0, NULL, &r, &err), FT_INVALID);
}

/* A file larger than the reader's buffer, with a quoted record over the edge of it. */
static void test_csv_reader_larger_than_buffer(void **state)
{
    char path[] = "/tmp/fettle-csv-XXXXXX";
    enum { N = 700000 };
    struct csv_reader *r;
    struct csv_record *rec;
    struct ft_err err;
    FILE *f = fdopen(mkstemp(path), "wb");
    assert_non_null(f);
    for (int i = 0; i < N; i++)
        fprintf(f, i % 1000 == 999 ? "%d,\"two\nlines\",x\n" : "%d,plain text,x\n", i);
    fclose(f);
    assert_ok(csv_reader_open(path, ',', NULL, &r, &err), err);
    for (int i = 0; i < N; i++) {
        char want[16];
        assert_ok(csv_reader_next(r, &rec, &err), err);
        assert_non_null(rec);
        assert_int_equal(rec->n, 3);
        snprintf(want, sizeof(want), "%d", i);
        assert_memory_equal(rec->fields[0].p, want, strlen(want));
        assert_int_equal(csv_reader_line(r), 1 + i + i / 1000);
    }
    assert_ok(csv_reader_next(r, &rec, &err), err);
    assert_null(rec);
    csv_reader_close(r);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv_split_plain_and_quoted),
        cmocka_unit_test(test_csv_split_blank_line),
        cmocka_unit_test(test_csv_split_asks_for_more),
        cmocka_unit_test(test_csv_split_refuses_and_goes_on),
        cmocka_unit_test(test_csv_split_refuses_over_limits),
        cmocka_unit_test(test_csv_split_same_with_and_without_vectors),
        cmocka_unit_test(test_csv_guess_delimiter_each),
        cmocka_unit_test(test_csv_reader_lines_and_recovery),
        cmocka_unit_test(test_csv_reader_open_refuses_what_is_no_text),
        cmocka_unit_test(test_csv_reader_larger_than_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
