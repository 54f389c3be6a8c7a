#include "web/http/router.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Well-formed UTF-8 without control bytes (Unicode 15, table 3-7). */
static bool is_clean_text(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    while (*p != 0) {
        size_t n = 0;
        if (*p < 0x20 && *p != '\t')
            return false;
        if (*p < 0x80)
            n = *p == 0x7f ? 99 : 0;
        else if (*p >= 0xc2 && *p <= 0xdf)
            n = 1;
        else if (*p >= 0xe0 && *p <= 0xef)
            n = 2;
        else if (*p >= 0xf0 && *p <= 0xf4)
            n = 3;
        else
            return false;
        if (n == 99 || (*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
            (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
            return false;
        for (size_t k = 1; k <= n; k++)
            if ((p[k] & 0xc0) != 0x80)
                return false;
        p += n + 1;
    }
    return true;
}

/* Decodes [raw, raw + len) to *at in the storage and moves *at behind the NUL. */
static enum ft_status decode(const char *raw, size_t len, bool plus_is_space, char **at,
                             const char **text, struct ft_err *err)
{
    char *to = *at;
    *text = to;
    for (size_t i = 0; i < len; i++) {
        char c = raw[i];
        if (c == '%') {
            const int hi = i + 2 < len ? hex_value(raw[i + 1]) : -1;
            const int lo = i + 2 < len ? hex_value(raw[i + 2]) : -1;
            if (hi < 0 || lo < 0 || hi + lo == 0)
                return ft_fail(err, FT_INVALID, "address: a %% needs two hexadecimal digits");
            c = (char)(hi * 16 + lo);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        *to++ = c;
    }
    *to++ = '\0';
    *at = to;
    if (strlen(*text) + 1 != (size_t)(to - *text) || !is_clean_text(*text))
        return ft_fail(err, FT_INVALID, "address: expected UTF-8 text without control characters");
    return FT_OK;
}

static enum ft_status parse_query(const char *raw, size_t len, char **at, struct uri *out,
                                  struct ft_err *err)
{
    for (size_t i = 0; i < len;) {
        const char *amp = memchr(raw + i, '&', len - i);
        const size_t n = amp != NULL ? (size_t)(amp - (raw + i)) : len - i;
        if (n > 0) {
            const char *eq = memchr(raw + i, '=', n);
            const size_t name_len = eq != NULL ? (size_t)(eq - (raw + i)) : n;
            if (out->n_query == URI_MAX_QUERY)
                return ft_fail(err, FT_INVALID, "address: more than %d parameters", URI_MAX_QUERY);
            const char *name = NULL, *value = NULL;
            enum ft_status st = decode(raw + i, name_len, true, at, &name, err);
            if (st == FT_OK)
                st = decode(raw + i + name_len + (eq != NULL), n - name_len - (eq != NULL), true,
                            at, &value, err);
            if (st != FT_OK)
                return st;
            if (uri_query(out, name) != NULL)
                return ft_fail(err, FT_INVALID, "address: parameter %.60s occurs twice", name);
            out->query[out->n_query].name = name;
            out->query[out->n_query++].value = value;
        }
        i += n + 1;
    }
    return FT_OK;
}

enum ft_status uri_parse(const char *raw, size_t len, struct uri *out, struct ft_err *err)
{
    out->n_segments = 0;
    out->n_query = 0;
    /* A piece and its NUL never need more room than it had with its separator; the two bytes are
     * for a value without "=" and the end. */
    if (len == 0 || raw[0] != '/' || len > URI_MAX - 2 * URI_MAX_QUERY)
        return ft_fail(err, FT_INVALID, "address: expected a path of at most 8 KiB");
    char *at = out->storage;
    const char *mark = memchr(raw, '?', len);
    const size_t path_len = mark != NULL ? (size_t)(mark - raw) : len;
    for (size_t i = 1; i < path_len || (i == path_len && path_len > 1);) {
        const char *slash = i < path_len ? memchr(raw + i, '/', path_len - i) : NULL;
        const size_t n = slash != NULL ? (size_t)(slash - (raw + i)) : path_len - i;
        if (out->n_segments == URI_MAX_SEGMENTS)
            return ft_fail(err, FT_INVALID, "address: more than %d path segments",
                           URI_MAX_SEGMENTS);
        const enum ft_status st =
            decode(raw + i, n, false, &at, &out->segments[out->n_segments], err);
        if (st != FT_OK)
            return st;
        out->n_segments++;
        i += n + 1;
    }
    return mark != NULL ? parse_query(mark + 1, len - path_len - 1, &at, out, err) : FT_OK;
}

const char *uri_query(const struct uri *uri, const char *name)
{
    for (size_t i = 0; i < uri->n_query; i++)
        if (strcmp(uri->query[i].name, name) == 0)
            return uri->query[i].value;
    return NULL;
}

/* Does the path fit the pattern? score counts literal segments, earlier ones weigh more. */
static bool fits(const char *pattern, const struct uri *uri, struct route_match *m, unsigned *score)
{
    size_t i = 0;
    m->n_params = 0;
    *score = 0;
    const char *p = pattern + 1;
    if (*p == '\0')
        return uri->n_segments == 0;
    for (;; i++) {
        const size_t n = strcspn(p, "/");
        if (i >= uri->n_segments)
            return false;
        const char *segment = uri->segments[i];
        if (p[0] == '{') {
            if (segment[0] == '\0' || m->n_params == ROUTE_MAX_PARAMS)
                return false;
            m->params[m->n_params++] = segment;
        } else if (strlen(segment) == n && memcmp(segment, p, n) == 0) {
            *score |= 1u << (URI_MAX_SEGMENTS - i);
        } else {
            return false;
        }
        p += n;
        if (*p == '\0')
            return i + 1 == uri->n_segments;
        p++;
    }
}

static void add_allow(char *allow, size_t size, const char *method)
{
    const size_t n = strlen(allow);
    if (strstr(allow, method) == NULL)
        snprintf(allow + n, size - n, "%s%s", n > 0 ? ", " : "", method);
}

enum route_verdict route_find(const struct route_key *table, size_t stride, size_t n_rows,
                              const char *method, const struct uri *uri, struct route_match *out,
                              char *allow, size_t allow_size)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    unsigned best = 0;
    bool is_path = false, is_found = false;
    allow[0] = '\0';
    for (size_t i = 0; i < n_rows; i++) {
        const struct route_key *row =
            (const struct route_key *)(const void *)((const char *)table + i * stride);
        struct route_match m = {.row = i};
        unsigned score = 0;
        if (!fits(row->pattern, uri, &m, &score))
            continue;
        /* A more literal path hides the others, whatever their methods. */
        if (!is_path || score > best) {
            best = score;
            is_path = true;
            is_found = false;
            allow[0] = '\0';
        } else if (score < best) {
            continue;
        }
        add_allow(allow, allow_size, row->method);
        if (strcmp(row->method, "GET") == 0)
            add_allow(allow, allow_size, "HEAD");
        if (strcmp(row->method, wanted) == 0) {
            *out = m;
            is_found = true;
        }
    }
    if (is_found)
        return ROUTE_FOUND;
    return is_path ? ROUTE_NO_METHOD : ROUTE_NO_PATH;
}
