#include "web/http/assets.h"

#include "app/base/embedded.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FILE = 16 << 20 };

struct asset {
    const struct embedded_file *file;
    char etag[80];
    struct buf packed; /* gzip; empty when it is not smaller */
};

struct assets {
    size_t n;
    struct asset *items;
    int root_fd; /* folder of --web-root; -1 = embedded */
};

/* The dashboard's pages; each may carry one more segment, as in /asset/P-101. */
static const char *const pages[] = {"fleet", "asset",        "assets", "inbox",       "plan",
                                    "roi",   "models",       "runs",   "work-orders", "work-order",
                                    "life",  "track-record", "data",   "admin",       "docs"};

static const char *type_of(const char *name)
{
    static const struct {
        const char *suffix, *type;
    } types[] = {{".html", "text/html; charset=utf-8"},
                 {".js", "text/javascript; charset=utf-8"},
                 {".mjs", "text/javascript; charset=utf-8"},
                 {".css", "text/css; charset=utf-8"},
                 {".svg", "image/svg+xml"},
                 {".png", "image/png"},
                 {".ico", "image/x-icon"},
                 {".json", "application/json"},
                 {".webmanifest", "application/manifest+json"},
                 {".woff2", "font/woff2"},
                 {".txt", "text/plain; charset=utf-8"}};
    const size_t len = strlen(name);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        const size_t n = strlen(types[i].suffix);
        if (len > n && strcmp(name + len - n, types[i].suffix) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

enum ft_status assets_new(const char *web_root, struct assets **out, struct ft_err *err)
{
    struct assets *a = calloc(1, sizeof(*a));
    *out = NULL;
    if (a == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for the dashboard");
    a->root_fd = -1;
    if (web_root != NULL) {
        a->root_fd = open(web_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (a->root_fd < 0) {
            free(a);
            return ft_fail(err, FT_NOT_FOUND, "--web-root %.200s: no such folder", web_root);
        }
    }
    a->items = calloc(web_assets_count + 1, sizeof(*a->items));
    if (a->items == NULL) {
        assets_free(a);
        return ft_fail(err, FT_NOMEM, "no memory for the dashboard");
    }
    for (; a->n < web_assets_count; a->n++) {
        struct asset *item = &a->items[a->n];
        item->file = &web_assets[a->n];
        reply_hash_etag(item->file->data, item->file->len, item->etag);
        buf_init(&item->packed, MAX_FILE);
        const enum ft_status st = reply_gzip(item->file->data, item->file->len, &item->packed, err);
        if (st != FT_OK) {
            assets_free(a);
            return st;
        }
        if (item->packed.len >= item->file->len)
            buf_free(&item->packed);
    }
    *out = a;
    return FT_OK;
}

void assets_free(struct assets *a)
{
    if (a == NULL)
        return;
    for (size_t i = 0; i < a->n; i++)
        buf_free(&a->items[i].packed);
    free(a->items);
    if (a->root_fd >= 0)
        close(a->root_fd);
    free(a);
}

static const struct asset *find(const struct assets *a, const char *name)
{
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->items[i].file->name, name) == 0)
            return &a->items[i];
    return NULL;
}

/* Name of the file for an address, or NULL. */
static const char *file_name(const struct uri *uri)
{
    if (uri->n_segments == 0)
        return "index.html";
    const char *first = uri->segments[0];
    if (uri->n_segments == 1 && strcmp(first, "favicon.ico") == 0)
        return "icon.svg";
    if (uri->n_segments == 2 && strcmp(first, "static") == 0)
        return uri->segments[1];
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]) && uri->n_segments <= 2; i++)
        if (strcmp(first, pages[i]) == 0)
            return "index.html";
    return NULL;
}

/* Reads one plain file of the folder: a name with a slash or a leading dot never gets here. */
static bool serve_from_disk(const struct assets *a, const char *name, struct http_reply *reply)
{
    if (strchr(name, '/') != NULL || name[0] == '.')
        return false;
    const int fd = openat(a->root_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    struct stat st;
    bool is_ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= MAX_FILE;
    char block[65536];
    buf_free(&reply->body);
    for (ssize_t n = 1; is_ok && n > 0;) {
        n = read(fd, block, sizeof(block));
        if (n > 0)
            buf_put(&reply->body, block, (size_t)n);
        is_ok = n >= 0;
    }
    close(fd);
    return is_ok && buf_status(&reply->body, NULL) == FT_OK;
}

bool assets_has(const struct assets *a, const struct uri *uri)
{
    const char *name = file_name(uri);
    return name != NULL && (find(a, name) != NULL || a->root_fd >= 0);
}

/* "?v=<first digits of the tag>" names this very version: it may be kept for ever. */
static bool is_versioned(const struct uri *uri, const char *etag)
{
    const char *v = uri_query(uri, "v");
    return v != NULL && strlen(v) >= 8 && strncmp(etag + 1, v, strlen(v)) == 0;
}

bool assets_serve(struct assets *a, const struct http_request *rq, struct http_reply *reply)
{
    const char *name = file_name(&rq->uri);
    if (name == NULL)
        return false;
    if (a->root_fd >= 0 && serve_from_disk(a, name, reply)) {
        reply_hash_etag(reply->body.data != NULL ? reply->body.data : "", reply->body.len,
                        reply->etag);
        reply->status = 200;
        reply->content_type = type_of(name);
        reply->cache_control = "no-cache";
        return true;
    }
    const struct asset *item = find(a, name);
    if (item == NULL)
        return false;
    const bool is_packed =
        item->packed.len > 0 && reply_accepts_gzip(http_header(rq, "Accept-Encoding"));
    reply->status = 200;
    reply->content_type = type_of(name);
    reply->fixed = is_packed ? (const unsigned char *)item->packed.data : item->file->data;
    reply->fixed_len = is_packed ? item->packed.len : item->file->len;
    reply->is_gzip = is_packed;
    snprintf(reply->etag, sizeof(reply->etag), "%s", item->etag);
    reply->cache_control =
        is_versioned(&rq->uri, item->etag) ? "public, max-age=31536000, immutable" : "no-cache";
    return true;
}
