#include "app/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 65536, MAX_PATH = 4096 };

enum ft_status file_read(const char *path, struct buf *out, struct ft_err *err)
{
    char block[READ_SIZE];
    size_t n;
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return ft_fail(err, errno == ENOENT ? FT_NOT_FOUND : FT_IO, "%s: %s", path,
                       strerror(errno));
    while ((n = fread(block, 1, sizeof(block), f)) > 0)
        buf_put(out, block, n);
    const int failed = ferror(f);
    fclose(f);
    if (failed)
        return ft_fail(err, FT_IO, "%s: cannot be read", path);
    const enum ft_status st = buf_status(out, err);
    if (st != FT_OK)
        ft_err_prefix(err, "%s", path);
    return st;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        const ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return fsync(fd);
}

enum ft_status file_write(const char *path, const void *data, size_t len, struct ft_err *err)
{
    char beside[MAX_PATH];
    const int n = snprintf(beside, sizeof(beside), "%s.%ld.tmp", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof(beside))
        return ft_fail(err, FT_IO, "%.200s...: path too long", path);
    const int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return ft_fail(err, FT_IO, "%s: %s", path, strerror(errno));
    const int failed = write_all(fd, data, len);
    int reason = errno;
    if (close(fd) == 0 && failed == 0) {
        if (rename(beside, path) == 0)
            return FT_OK;
        reason = errno;
    }
    unlink(beside);
    return ft_fail(err, FT_IO, "%s: cannot be written: %s", path, strerror(reason));
}
