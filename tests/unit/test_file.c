#include "tests/test.h"

#include "app/base/file.h"

#include <stdlib.h>
#include <unistd.h>

static void test_file_write_read_round_trip(void **state)
{
    char path[] = "/tmp/fettle-file-XXXXXX";
    struct ft_err err;
    struct buf b;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_ok(file_write(path, "first version", 13, &err), err);
    assert_ok(file_write(path, "a\0b", 3, &err), err);
    buf_init(&b, 100);
    assert_ok(file_read(path, &b, &err), err);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "a\0b", 3);
    buf_free(&b);
    buf_init(&b, 2); /* a ceiling that the file passes */
    assert_int_equal(file_read(path, &b, &err), FT_INVALID);
    assert_non_null(strstr(err.msg, path));
    buf_free(&b);
    unlink(path);
    assert_int_equal(file_read(path, &b, &err), FT_NOT_FOUND);
    assert_int_equal(file_write("/nowhere/at/all", "x", 1, &err), FT_IO);
    assert_non_null(strstr(err.msg, "/nowhere/at/all"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_file_write_read_round_trip)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
