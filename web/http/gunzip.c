#include "web/http/gunzip.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { FIRST_SIZE = 1 << 16 };

static enum ft_status fail_of(int rc, struct ft_err *err)
{
    if (rc == Z_MEM_ERROR)
        return ft_fail(err, FT_NOMEM, "no memory to decompress the body");
    return ft_fail(err, FT_INVALID, "Content-Encoding: the body is not a complete gzip file");
}

/* Doubles the room, up to limit bytes and the NUL. */
static enum ft_status grow(char **text, size_t *cap, size_t limit, struct ft_err *err)
{
    if (*cap >= limit)
        return ft_fail(err, FT_INVALID,
                       "Content-Encoding: the body is larger than %zu bytes once decompressed",
                       limit);
    size_t more = *cap == 0 ? FIRST_SIZE : *cap * 2;
    if (more > limit)
        more = limit;
    char *p = realloc(*text, more + 1);
    if (p == NULL)
        return ft_fail(err, FT_NOMEM, "no memory to decompress the body");
    *text = p;
    *cap = more;
    return FT_OK;
}

/* All members one after the other. */
static enum ft_status inflate_all(z_stream *z, size_t limit, char **text, size_t *len,
                                  struct ft_err *err)
{
    size_t cap = 0;
    bool is_in_member = true; /* an empty body is not a gzip file */
    while (z->avail_in > 0 || is_in_member) {
        if (*len == cap) {
            const enum ft_status st = grow(text, &cap, limit, err);
            if (st != FT_OK)
                return st;
        }
        const uInt room = (uInt)(cap - *len);
        z->next_out = (Bytef *)*text + *len;
        z->avail_out = room;
        const int rc = inflate(z, Z_NO_FLUSH);
        *len += room - z->avail_out;
        if (rc == Z_STREAM_END) {
            if (z->avail_in > 0 && inflateReset(z) != Z_OK)
                return fail_of(Z_STREAM_ERROR, err);
            is_in_member = z->avail_in > 0;
        } else if (rc != Z_OK && !(rc == Z_BUF_ERROR && z->avail_out == 0)) {
            return fail_of(rc, err);
        }
    }
    return FT_OK;
}

enum ft_status gunzip(const void *data, size_t len, size_t max, char **out, size_t *out_len,
                      struct ft_err *err)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len};
    size_t limit = len * GUNZIP_MAX_RATIO;
    if (limit < GUNZIP_MIN_LIMIT)
        limit = GUNZIP_MIN_LIMIT;
    if (limit > max)
        limit = max;
    *out = NULL;
    *out_len = 0;
    if (len == 0 || len > UINT32_MAX / 2)
        return fail_of(Z_DATA_ERROR, err);
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return fail_of(Z_MEM_ERROR, err);
    const enum ft_status st = inflate_all(&z, limit, out, out_len, err);
    inflateEnd(&z);
    if (st == FT_OK) {
        (*out)[*out_len] = '\0';
        return FT_OK;
    }
    free(*out);
    *out = NULL;
    *out_len = 0;
    return st;
}
