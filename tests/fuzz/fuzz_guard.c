/* Input: "METHOD URI\n" and "name:value\n" lines; every byte may be anything. What the guard lets
 * through must parse as an address or be refused there, and holds no dot segment. */
#include "web/http/guard.h"
#include "web/http/router.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t split_headers(const char *p, const char *end, struct http_header *h)
{
    size_t n = 0;
    while (p < end && n < GUARD_MAX_HEADERS) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        const char *stop = eol != NULL ? eol : end;
        const char *colon = memchr(p, ':', (size_t)(stop - p));
        if (colon != NULL)
            h[n++] =
                (struct http_header){p, colon + 1, (size_t)(colon - p), (size_t)(stop - colon - 1)};
        p = stop + 1;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct uri uri;
    struct http_header headers[GUARD_MAX_HEADERS];
    char method[16];
    const char *text = (const char *)data;
    const char *eol = memchr(text, '\n', size);
    const char *stop = eol != NULL ? eol : text + size;
    const char *blank = memchr(text, ' ', (size_t)(stop - text));
    if (size == 0 || blank == NULL || (size_t)(blank - text) >= sizeof(method))
        return 0;
    memcpy(method, text, (size_t)(blank - text));
    method[blank - text] = '\0';
    struct guard_input in = {.method = method,
                             .uri = blank + 1,
                             .uri_len = (size_t)(stop - blank - 1),
                             .is_http_1_1 = size % 2 == 0,
                             .headers = headers};
    in.n_headers = stop < text + size ? split_headers(stop + 1, text + size, headers) : 0;
    if (guard_check(&in) != NULL)
        return 0;
    if (uri_parse(in.uri, in.uri_len, &uri, NULL) != FT_OK)
        return 0;
    for (size_t i = 0; i < uri.n_segments; i++)
        if (strcmp(uri.segments[i], "..") == 0 || strcmp(uri.segments[i], ".") == 0 ||
            strstr(uri.segments[i], "/../") != NULL)
            abort();
    return 0;
}
