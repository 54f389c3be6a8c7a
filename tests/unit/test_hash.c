#include "tests/test.h"

#include "app/base/hash.h"

#include <stdlib.h>
#include <unistd.h>

/* FIPS 180-4 examples. */
static const char ABC[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char EMPTY[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static void test_hash_sha256_examples(void **state)
{
    char hex[HASH_HEX_SIZE];
    hash_sha256("abc", 3, hex);
    assert_string_equal(hex, ABC);
    hash_sha256("", 0, hex);
    assert_string_equal(hex, EMPTY);
}

static void test_hash_sha256_file_matches(void **state)
{
    enum { N = 200001 };
    char path[] = "/tmp/fettle-hash-XXXXXX";
    char hex[HASH_HEX_SIZE], want[HASH_HEX_SIZE];
    struct ft_err err;
    char *bytes = calloc(N, 1);
    for (size_t i = 0; i < N; i++)
        bytes[i] = (char)(i * 7);
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, N), N);
    close(fd);
    assert_ok(hash_sha256_file(path, hex, &err), err);
    hash_sha256(bytes, N, want);
    assert_string_equal(hex, want);
    unlink(path);
    free(bytes);
    assert_int_equal(hash_sha256_file(path, hex, &err), FT_NOT_FOUND);
    assert_string_equal(hex, "");
    assert_non_null(strstr(err.msg, path));
    assert_int_equal(hash_sha256_file("/tmp", hex, &err), FT_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash_sha256_examples),
        cmocka_unit_test(test_hash_sha256_file_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
