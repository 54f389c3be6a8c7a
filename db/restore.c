/* Putting a backup in the place of a database. Its own file because it works on files, not on an
 * open connection. */
#include "db/connection.h"
#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

/* Writes what the old database still has in its write-ahead log into it, when it can be opened. A
 * damaged one is no reason to stop: it is what a restore is for. FT_BUSY: somebody writes. */
static enum ft_status settle_old(const char *path, struct ft_err *err)
{
    struct db *old = NULL;
    struct ft_err why;
    const enum ft_status st = db_open_writer(path, false, &old, &why);
    db_close(old);
    return st == FT_BUSY ? ft_fail(err, st, "%s", why.msg) : FT_OK;
}

/* Gives the old files the name kept; the database keeps its own as well until it is replaced. A
 * log left beside a damaged database must not meet the new one, which SQLite would damage with it.
 */
static enum ft_status keep_old(const char *path, const char *kept, struct ft_err *err)
{
    char from[PATH_SIZE + 8];
    char to[PATH_SIZE + 8];
    if (access(path, F_OK) != 0)
        return FT_OK;
    unlink(kept);
    if (link(path, kept) != 0)
        return ft_fail(err, FT_IO, "%s cannot be kept as %s: %s", path, kept, strerror(errno));
    snprintf(from, sizeof(from), "%s-wal", path);
    snprintf(to, sizeof(to), "%s-wal", kept);
    unlink(to);
    if (rename(from, to) != 0 && errno != ENOENT)
        return ft_fail(err, FT_IO, "%s cannot be moved: %s", from, strerror(errno));
    snprintf(from, sizeof(from), "%s-shm", path);
    unlink(from);
    return FT_OK;
}

/* Makes a rename survive a power cut. */
static void sync_folder(const char *path)
{
    char copy[PATH_SIZE];
    snprintf(copy, sizeof(copy), "%s", path);
    const int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

static enum ft_status replace(struct db *backup, const char *path, const char *kept,
                              struct ft_err *err)
{
    char part[PATH_SIZE];
    const int n = snprintf(part, sizeof(part), "%s.restore", path);
    if (n < 0 || n + 8 > PATH_SIZE)
        return ft_fail(err, FT_INVALID, "%.200s...: the name is too long", path);
    unlink(part); /* of a restore that was killed */
    enum ft_status st = db_backup(backup, part, err);
    if (st == FT_OK)
        st = keep_old(path, kept, err);
    if (st == FT_OK && rename(part, path) != 0)
        st = ft_fail(err, FT_IO, "%s cannot be put in place: %s", path, strerror(errno));
    if (st == FT_OK)
        sync_folder(path);
    unlink(part);
    return st;
}

enum ft_status db_restore(const char *path, const char *backup, struct ft_err *err)
{
    struct db *from = NULL;
    char kept[PATH_SIZE];
    char *lock_path = NULL;
    int lock_fd = -1;
    struct stat a;
    struct stat b;
    char *real = realpath(path, NULL);
    const char *target = real != NULL ? real : path;
    enum ft_status st = FT_OK;
    const int n = snprintf(kept, sizeof(kept), "%s.before-restore", target);
    if (n < 0 || n + 8 > PATH_SIZE)
        st = ft_fail(err, FT_INVALID, "%.200s...: the name is too long", path);
    if (st == FT_OK && stat(target, &a) == 0 && stat(backup, &b) == 0 && a.st_dev == b.st_dev &&
        a.st_ino == b.st_ino)
        st = ft_fail(err, FT_INVALID, "%s is the database itself, expected a backup of it", backup);
    if (st == FT_OK)
        st = db_open_reader(backup, &from, err);
    if (st == FT_OK && db_check(from, err) != FT_OK)
        st = ft_err_prefix(err, "%s is not a sound backup, nothing was changed", backup);
    if (st == FT_OK)
        st = settle_old(target, err);
    if (st == FT_OK)
        st = lock_take(target, &lock_fd, &lock_path, err);
    if (st == FT_OK) {
        st = replace(from, target, kept, err);
        lock_release(lock_fd, lock_path);
    }
    db_close(from);
    free(real);
    return st;
}
