#include "app/ingest/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { RAW_SIZE = 256 * 1024 };
enum form { FORM_PLAIN, FORM_GZIP, FORM_ZSTD };

struct input {
    char *name;
    int fd;
    bool (*is_stopped)(void);
    enum form form;
    int64_t size, position;
    unsigned char *raw; /* [RAW_SIZE] bytes of the file not used yet: raw[at..n) */
    size_t at, n;
    bool raw_ended;
    bool in_frame; /* compressed: a member or frame has begun and not ended */
    bool has_zlib;
    z_stream z;
    ZSTD_DStream *zstd;
};

/* One read() into p; *n 0 at the end of the file. */
static enum ft_status read_file(struct input *in, void *p, size_t size, size_t *n,
                                struct ft_err *err)
{
    for (;;) {
        const ssize_t got = read(in->fd, p, size);
        if (got >= 0) {
            *n = (size_t)got;
            in->position += got;
            return FT_OK;
        }
        if (errno != EINTR)
            return ft_fail(err, FT_IO, "%s: %s", in->name, strerror(errno));
        if (in->is_stopped != NULL && in->is_stopped())
            return ft_fail(err, FT_INTERRUPTED, "interrupted");
    }
}

/* Refills raw when it is used up. */
static enum ft_status refill(struct input *in, struct ft_err *err)
{
    if (in->at < in->n || in->raw_ended)
        return FT_OK;
    in->at = 0;
    const enum ft_status st = read_file(in, in->raw, RAW_SIZE, &in->n, err);
    if (st == FT_OK && in->n == 0)
        in->raw_ended = true;
    return st;
}

/* Reads the first bytes and looks for the magic numbers of RFC 1952 and RFC 8878. */
static enum ft_status detect(struct input *in, struct ft_err *err)
{
    static const unsigned char zstd_magic[] = {0x28, 0xb5, 0x2f, 0xfd};
    while (in->n < 4 && !in->raw_ended) {
        size_t n = 0;
        const enum ft_status st = read_file(in, in->raw + in->n, RAW_SIZE - in->n, &n, err);
        if (st != FT_OK)
            return st;
        in->n += n;
        in->raw_ended = n == 0;
    }
    if (in->n >= 2 && in->raw[0] == 0x1f && in->raw[1] == 0x8b) {
        in->form = FORM_GZIP;
        if (inflateInit2(&in->z, 15 + 16) != Z_OK)
            return ft_fail(err, FT_NOMEM, "%s: no memory to decompress", in->name);
        in->has_zlib = true;
    } else if (in->n >= 4 && memcmp(in->raw, zstd_magic, 4) == 0) {
        in->form = FORM_ZSTD;
        in->zstd = ZSTD_createDStream();
        if (in->zstd == NULL)
            return ft_fail(err, FT_NOMEM, "%s: no memory to decompress", in->name);
    }
    return FT_OK;
}

static enum ft_status open_file(struct input *in, const char *path, struct ft_err *err)
{
    struct stat sb;
    if (strcmp(path, "-") == 0) {
        in->fd = STDIN_FILENO;
        return FT_OK;
    }
    in->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0)
        return ft_fail(err, errno == ENOENT || errno == ENOTDIR ? FT_NOT_FOUND : FT_IO, "%s: %s",
                       path, strerror(errno));
    if (fstat(in->fd, &sb) != 0)
        return ft_fail(err, FT_IO, "%s: %s", path, strerror(errno));
    if (S_ISDIR(sb.st_mode))
        return ft_fail(err, FT_INVALID, "%s is a folder, expected a file", path);
    if (S_ISREG(sb.st_mode))
        in->size = sb.st_size;
    /* A hint only: a system that does not know it reads as well. */
    (void)posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return FT_OK;
}

enum ft_status input_open(const char *path, bool (*is_stopped)(void), struct input **out,
                          struct ft_err *err)
{
    struct input *in = calloc(1, sizeof(*in));
    *out = NULL;
    if (in == NULL)
        return ft_fail(err, FT_NOMEM, "no memory to open %s", path);
    in->fd = -1;
    in->is_stopped = is_stopped;
    in->name = strdup(path);
    in->raw = malloc(RAW_SIZE);
    enum ft_status st = FT_OK;
    if (in->name == NULL || in->raw == NULL)
        st = ft_fail(err, FT_NOMEM, "no memory to open %s", path);
    if (st == FT_OK)
        st = open_file(in, path, err);
    if (st == FT_OK)
        st = detect(in, err);
    if (st != FT_OK) {
        input_close(in);
        return st;
    }
    *out = in;
    return FT_OK;
}

static enum ft_status read_plain(struct input *in, char *out, size_t size, size_t *n,
                                 struct ft_err *err)
{
    if (in->at < in->n) {
        *n = in->n - in->at < size ? in->n - in->at : size;
        memcpy(out, in->raw + in->at, *n);
        in->at += *n;
        return FT_OK;
    }
    if (in->raw_ended) {
        *n = 0;
        return FT_OK;
    }
    const enum ft_status st = read_file(in, out, size, n, err);
    in->raw_ended = st == FT_OK && *n == 0;
    return st;
}

static enum ft_status cut_off(const struct input *in, const char *form, struct ft_err *err)
{
    return ft_fail(err, FT_INVALID, "%s: the %s data is cut off: the file is not complete",
                   in->name, form);
}

/* Some bytes, at least one unless the end is reached. A file may hold several members. */
static enum ft_status read_gzip(struct input *in, char *out, size_t size, size_t *n,
                                struct ft_err *err)
{
    in->z.next_out = (unsigned char *)out;
    in->z.avail_out = size < 0x40000000 ? (uInt)size : 0x40000000;
    const uInt room = in->z.avail_out;
    *n = 0;
    while (*n == 0) {
        const enum ft_status st = refill(in, err);
        if (st != FT_OK)
            return st;
        if (in->at == in->n)
            return in->in_frame ? cut_off(in, "gzip", err) : FT_OK;
        in->in_frame = true;
        in->z.next_in = in->raw + in->at;
        in->z.avail_in = (uInt)(in->n - in->at);
        const int code = inflate(&in->z, Z_NO_FLUSH);
        in->at = in->n - in->z.avail_in;
        if (code == Z_STREAM_END) {
            in->in_frame = false;
            inflateReset(&in->z);
        } else if (code != Z_OK && code != Z_BUF_ERROR) {
            return ft_fail(err, FT_INVALID, "%s: damaged gzip data near byte %lld: %s", in->name,
                           (long long)in->position, in->z.msg != NULL ? in->z.msg : "bad stream");
        }
        *n = room - in->z.avail_out;
    }
    return FT_OK;
}

static enum ft_status read_zstd(struct input *in, char *out, size_t size, size_t *n,
                                struct ft_err *err)
{
    ZSTD_outBuffer to = {out, size, 0};
    while (to.pos == 0) {
        const enum ft_status st = refill(in, err);
        if (st != FT_OK)
            return st;
        /* Output may be left inside the decoder after the last input byte. */
        if (in->at == in->n && !in->in_frame)
            break;
        ZSTD_inBuffer from = {in->raw + in->at, in->n - in->at, 0};
        const size_t left = ZSTD_decompressStream(in->zstd, &to, &from);
        if (ZSTD_isError(left))
            return ft_fail(err, FT_INVALID, "%s: damaged zstd data near byte %lld: %s", in->name,
                           (long long)in->position, ZSTD_getErrorName(left));
        in->at += from.pos;
        in->in_frame = left != 0;
        if (in->at == in->n && in->raw_ended && to.pos == 0 && left != 0)
            return cut_off(in, "zstd", err);
    }
    *n = to.pos;
    return FT_OK;
}

enum ft_status input_read(struct input *in, char *out, size_t size, size_t *n, struct ft_err *err)
{
    *n = 0;
    while (*n < size) {
        size_t got = 0;
        enum ft_status st;
        if (in->form == FORM_GZIP)
            st = read_gzip(in, out + *n, size - *n, &got, err);
        else if (in->form == FORM_ZSTD)
            st = read_zstd(in, out + *n, size - *n, &got, err);
        else
            st = read_plain(in, out + *n, size - *n, &got, err);
        if (st != FT_OK)
            return st;
        if (got == 0)
            break;
        *n += got;
    }
    return FT_OK;
}

int64_t input_position(const struct input *in)
{
    return in->position;
}

int64_t input_size(const struct input *in)
{
    return in->size;
}

const char *input_name(const struct input *in)
{
    return in->name;
}

void input_close(struct input *in)
{
    if (in == NULL)
        return;
    if (in->fd > STDIN_FILENO)
        close(in->fd);
    if (in->has_zlib)
        inflateEnd(&in->z);
    ZSTD_freeDStream(in->zstd);
    free(in->raw);
    free(in->name);
    free(in);
}
