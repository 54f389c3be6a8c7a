/* The writer's lock: flock() on "<database>.lock". The file says who holds it, so that a refused
 * process can name it. It is removed on release; the inode check after taking the lock makes that
 * safe against a process that opened the file just before. */
#include "db/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* "fettle serve": program and first word of this process's command line. */
static void command_line(char *out, size_t size)
{
    char raw[512];
    const int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, raw, sizeof(raw) - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (n <= 0) {
        snprintf(out, size, "fettle");
        return;
    }
    raw[n] = '\0';
    const char *slash = strrchr(raw, '/');
    const char *program = slash != NULL ? slash + 1 : raw;
    const char *word = raw + strlen(raw) + 1;
    const int has_word = word < raw + n && word[0] != '\0' && word[0] != '-';
    snprintf(out, size, "%.60s%s%.40s", program, has_word ? " " : "", has_word ? word : "");
}

static void write_holder(int fd)
{
    char host[128] = "";
    char command[128];
    char text[384];
    gethostname(host, sizeof(host) - 1);
    command_line(command, sizeof(command));
    const int n =
        snprintf(text, sizeof(text), "process %ld on host %s (%s)", (long)getpid(), host, command);
    /* Without its text the lock holds all the same. */
    if (ftruncate(fd, 0) == 0 && n > 0 && pwrite(fd, text, (size_t)n, 0) != n)
        text[0] = '\0';
}

static void read_holder(int fd, char *out, size_t size)
{
    const ssize_t n = pread(fd, out, size - 1, 0);
    out[n > 0 ? n : 0] = '\0';
    for (char *p = out; *p != '\0'; p++)
        if ((unsigned char)*p < ' ')
            *p = '?';
    if (out[0] == '\0')
        snprintf(out, size, "another process");
}

/* Is fd still the file that stands at path? */
static bool is_at(int fd, const char *path)
{
    struct stat a;
    struct stat b;
    return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_ino == b.st_ino &&
           a.st_dev == b.st_dev;
}

static enum ft_status take(const char *path, const char *lock_path, int *fd, struct ft_err *err)
{
    for (;;) {
        *fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (*fd < 0)
            return ft_fail(err, FT_IO, "%s cannot be made: %s", lock_path, strerror(errno));
        if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
            const int reason = errno;
            char holder[384];
            read_holder(*fd, holder, sizeof(holder));
            close(*fd);
            *fd = -1;
            if (reason == EINTR)
                continue;
            if (reason != EWOULDBLOCK)
                return ft_fail(err, FT_IO, "%s cannot be locked: %s", lock_path, strerror(reason));
            return ft_fail(err, FT_BUSY, "%s is being written by %s", path, holder);
        }
        if (is_at(*fd, lock_path))
            break;
        close(*fd); /* its last holder removed it between our open and flock */
    }
    write_holder(*fd);
    return FT_OK;
}

static char *lock_path_of(const char *path)
{
    const size_t size = strlen(path) + sizeof(".lock");
    char *lock_path = malloc(size);
    if (lock_path != NULL)
        snprintf(lock_path, size, "%s.lock", path);
    return lock_path;
}

enum ft_status lock_take(const char *path, int *fd, char **lock_path, struct ft_err *err)
{
    *fd = -1;
    *lock_path = lock_path_of(path);
    if (*lock_path == NULL)
        return ft_fail(err, FT_NOMEM, "%s: no memory for the lock", path);
    const enum ft_status st = take(path, *lock_path, fd, err);
    if (st != FT_OK) {
        free(*lock_path);
        *lock_path = NULL;
    }
    return st;
}

void lock_release(int fd, char *lock_path)
{
    if (fd >= 0) {
        if (lock_path != NULL)
            unlink(lock_path);
        close(fd);
    }
    free(lock_path);
}

enum ft_status lock_share(const char *path, int *fd, struct ft_err *err)
{
    char *lock_path = lock_path_of(path);
    if (lock_path == NULL)
        return ft_fail(err, FT_NOMEM, "%s: no memory for the lock", path);
    *fd = open(lock_path, O_RDONLY | O_CLOEXEC);
    free(lock_path);
    if (*fd < 0)
        return errno == ENOENT
                   ? FT_OK
                   : ft_fail(err, FT_IO, "%s.lock cannot be read: %s", path, strerror(errno));
    if (flock(*fd, LOCK_SH | LOCK_NB) == 0)
        return FT_OK;
    close(*fd);
    *fd = -1;
    return ft_fail(err, FT_BUSY, "%s is being written", path);
}
