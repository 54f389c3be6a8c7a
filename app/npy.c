#include "app/npy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *descr;
    size_t size;
} types[] = {
    [NPY_F4] = {"<f4", 4}, [NPY_F8] = {"<f8", 8}, [NPY_I1] = {"|i1", 1}, [NPY_U1] = {"|u1", 1},
    [NPY_I2] = {"<i2", 2}, [NPY_I4] = {"<i4", 4}, [NPY_I8] = {"<i8", 8}, [NPY_BOOL] = {"|b1", 1},
};
enum { N_TYPES = sizeof(types) / sizeof(types[0]), HEADER_MAX = 65536 };

double npy_value(const struct npy *a, size_t i)
{
    const unsigned char *p = (const unsigned char *)a->data + i * types[a->type].size;
    union {
        float f4;
        double f8;
        int8_t i1;
        int16_t i2;
        int32_t i4;
        int64_t i8;
    } v = {0};
    memcpy(&v, p, types[a->type].size);
    switch (a->type) {
    case NPY_F4:
        return (double)v.f4;
    case NPY_F8:
        return v.f8;
    case NPY_I1:
        return v.i1;
    case NPY_I2:
        return v.i2;
    case NPY_I4:
        return v.i4;
    case NPY_I8:
        return (double)v.i8;
    case NPY_U1:
    case NPY_BOOL:
        return *p;
    }
    return 0;
}

/* What follows 'key': in the header's Python dictionary; NULL when the key is absent. */
static const char *after_key(const char *header, const char *key)
{
    const char *p = strstr(header, key);
    if (p == NULL)
        return NULL;
    p += strlen(key);
    while (*p == ' ')
        p++;
    if (*p++ != ':')
        return NULL;
    while (*p == ' ')
        p++;
    return p;
}

static enum ft_status parse_type(const char *header, struct npy *out, struct ft_err *err)
{
    const char *p = after_key(header, "'descr'");
    for (size_t t = 0; p != NULL && *p == '\'' && t < N_TYPES; t++)
        if (strncmp(p + 1, types[t].descr, 3) == 0 && p[4] == '\'') {
            out->type = (enum npy_type)t;
            return FT_OK;
        }
    return ft_fail(err, FT_INVALID, "npy: dtype %.20s, expected float32 or float64 (or integers)",
                   p != NULL ? p : "absent");
}

/* "(rows,)" or "(rows, cols)". */
static enum ft_status parse_shape(const char *header, struct npy *out, struct ft_err *err)
{
    const char *p = after_key(header, "'shape'");
    size_t n[2] = {0, 1};
    size_t n_dims = 0;
    bool is_well = p != NULL && *p == '(';
    for (p = is_well ? p + 1 : ""; is_well && *p != ')';) {
        char *end = NULL;
        errno = 0;
        const unsigned long long v = *p >= '0' && *p <= '9' ? strtoull(p, &end, 10) : 0;
        if (end == NULL || errno != 0 || n_dims == 2 || v > (1ULL << 40)) {
            is_well = false;
            break;
        }
        n[n_dims++] = (size_t)v;
        p = end + strspn(end, ", ");
    }
    if (!is_well || n_dims == 0)
        return ft_fail(err, FT_INVALID, "npy: expected a shape of one or two dimensions");
    out->n_rows = n[0];
    out->n_cols = n[1];
    return FT_OK;
}

static enum ft_status parse_header(const char *header, struct npy *out, struct ft_err *err)
{
    const char *order = after_key(header, "'fortran_order'");
    if (order == NULL || strncmp(order, "False", 5) != 0)
        return ft_fail(err, FT_INVALID, "npy: expected C order (fortran_order False)");
    const enum ft_status st = parse_type(header, out, err);
    return st == FT_OK ? parse_shape(header, out, err) : st;
}

enum ft_status npy_parse(const void *bytes, size_t len, struct npy *out, struct ft_err *err)
{
    const unsigned char *b = bytes;
    char header[HEADER_MAX + 1];
    *out = (struct npy){0};
    if (len < 10 || memcmp(b, "\x93NUMPY", 6) != 0)
        return ft_fail(err, FT_INVALID, "not a .npy file");
    if (b[6] < 1 || b[6] > 3)
        return ft_fail(err, FT_INVALID, "npy: version %d, expected 1 to 3", b[6]);
    const size_t prefix = b[6] == 1 ? 10 : 12;
    if (len < prefix)
        return ft_fail(err, FT_INVALID, "npy: the file is cut off");
    size_t header_len = b[8] | (size_t)b[9] << 8;
    if (b[6] > 1)
        header_len |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (header_len > HEADER_MAX || header_len > len - prefix)
        return ft_fail(err, FT_INVALID, "npy: header of %zu bytes does not fit", header_len);
    memcpy(header, b + prefix, header_len);
    header[header_len] = '\0';
    const enum ft_status st = parse_header(header, out, err);
    if (st != FT_OK)
        return st;
    const size_t size = types[out->type].size;
    const size_t room = (len - prefix - header_len) / size;
    if (out->n_cols == 0 || out->n_rows == 0 || out->n_rows > room / out->n_cols)
        return ft_fail(err, FT_INVALID, "npy: shape (%zu, %zu), but the file holds %zu numbers",
                       out->n_rows, out->n_cols, room);
    out->data = b + prefix + header_len;
    return FT_OK;
}

enum ft_status npy_open(const char *path, struct npy *out, struct ft_err *err)
{
    struct stat st;
    *out = (struct npy){0};
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ft_fail(err, errno == ENOENT ? FT_NOT_FOUND : FT_IO, "%s: %s", path,
                       strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
        close(fd);
        return ft_fail(err, FT_INVALID, "%s: not a .npy file", path);
    }
    const size_t len = (size_t)st.st_size;
    void *map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        return ft_fail(err, FT_IO, "%s: cannot be mapped: %s", path, strerror(errno));
    const enum ft_status parsed = npy_parse(map, len, out, err);
    if (parsed != FT_OK) {
        munmap(map, len);
        ft_err_prefix(err, "%s", path);
        return parsed;
    }
    out->map = map;
    out->map_len = len;
    return FT_OK;
}

void npy_close(struct npy *a)
{
    if (a->map != NULL)
        munmap(a->map, a->map_len);
    *a = (struct npy){0};
}
