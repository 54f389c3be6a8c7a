#include "web/http/reply.h"

#include "app/base/json.h"
#include "app/base/utf8.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#define TYPE_JSON "application/json"
#define TYPE_PROBLEM "application/problem+json"

void reply_init(struct http_reply *r)
{
    memset(r, 0, sizeof(*r));
    buf_init(&r->body, REPLY_MAX_BODY);
}

void reply_free(struct http_reply *r)
{
    buf_free(&r->body);
}

static void clear_body(struct http_reply *r)
{
    buf_free(&r->body);
    r->fixed = NULL;
    r->fixed_len = 0;
}

enum ft_status reply_json(struct http_reply *r, int status, const cJSON *value, struct ft_err *err)
{
    clear_body(r);
    char *text = value != NULL ? json_print(value, false) : NULL;
    if (text == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for the answer");
    buf_puts(&r->body, text);
    buf_putc(&r->body, '\n');
    free(text);
    r->status = status;
    r->content_type = TYPE_JSON;
    return buf_status(&r->body, err);
}

void reply_text(struct http_reply *r, int status, const char *content_type, const char *text)
{
    clear_body(r);
    buf_puts(&r->body, text);
    r->status = status;
    r->content_type = content_type;
}

int reply_status_of(enum ft_status st)
{
    switch (st) {
    case FT_OK:
        return 200;
    case FT_INVALID:
        return 400;
    case FT_NOT_FOUND:
        return 404;
    case FT_CONFLICT:
        return 409;
    case FT_REFUSED:
        return 403;
    case FT_TOO_FEW:
        return 422;
    case FT_PARTIAL:
        return 207;
    case FT_BUSY:
    case FT_INTERRUPTED:
    case FT_NOMEM:
        return 503;
    default:
        return 500;
    }
}

static const char *title_of(int status)
{
    static const struct {
        int status;
        const char *title;
    } titles[] = {
        {400, "Bad request"},         {401, "A key is needed"},    {403, "Not allowed"},
        {404, "Not found"},           {405, "Method not allowed"}, {409, "Conflict"},
        {412, "Changed meanwhile"},   {413, "Body too large"},     {415, "Media type not known"},
        {422, "Cannot be processed"}, {428, "If-Match is needed"}, {429, "Too many requests"},
        {503, "Unavailable for now"}, {507, "Disk full"}};
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Internal error";
}

/* "/items/3/value: expected a number" -> length of the pointer, 0 when there is none. */
static size_t pointer_length(const char *detail)
{
    if (detail[0] != '/')
        return 0;
    const size_t n = strcspn(detail, ": ");
    return detail[n] == ':' && detail[n + 1] == ' ' ? n : 0;
}

void reply_problem(struct http_reply *r, int status, const char *type, const char *text,
                   const char *request_id)
{
    clear_body(r);
    char uri[100];
    char detail[sizeof(((struct ft_err *)NULL)->msg)];
    snprintf(detail, sizeof(detail), "%s", text);
    utf8_clean(detail); /* it may quote what was sent */
    snprintf(uri, sizeof(uri), "/problems/%s", type);
    cJSON *body = cJSON_CreateObject();
    json_add_string(body, "type", uri);
    json_add_string(body, "title", title_of(status));
    json_add_int(body, "status", status);
    json_add_string(body, "detail", detail);
    if (request_id != NULL)
        json_add_string(body, "request_id", request_id);
    const size_t n = pointer_length(detail);
    if (n > 0) {
        char pointer[200];
        snprintf(pointer, sizeof(pointer), "%.*s", (int)n, detail);
        cJSON *error = json_add_object(json_add_array(body, "errors"), NULL);
        json_add_string(error, "pointer", pointer);
        json_add_string(error, "detail", detail + n + 2);
    }
    if (reply_json(r, status, body, NULL) != FT_OK)
        reply_text(r, status, TYPE_PROBLEM, "{\"type\":\"/problems/no-memory\",\"status\":503}\n");
    cJSON_Delete(body);
    r->content_type = TYPE_PROBLEM;
    r->etag[0] = '\0';
    r->link[0] = '\0';
    r->disposition[0] = '\0';
    r->cache_control = NULL;
    if (status == 503 && r->retry_after_s == 0)
        r->retry_after_s = 2;
}

void reply_error(struct http_reply *r, int http_status, const struct ft_err *err,
                 const char *request_id)
{
    static const char *const types[] = {[FT_INVALID] = "invalid",
                                        [FT_NOT_FOUND] = "not-found",
                                        [FT_CONFLICT] = "conflict",
                                        [FT_REFUSED] = "refused",
                                        [FT_TOO_FEW] = "too-few",
                                        [FT_PARTIAL] = "partial",
                                        [FT_BUSY] = "busy",
                                        [FT_NOMEM] = "no-memory",
                                        [FT_INTERRUPTED] = "stopping",
                                        [FT_INTERNAL] = "internal",
                                        [FT_IO] = "io"};
    const char *type = (size_t)err->code < sizeof(types) / sizeof(types[0]) ? types[err->code] : "";
    const int status = http_status != 0 ? http_status : reply_status_of(err->code);
    reply_problem(r, status, type != NULL && type[0] != '\0' ? type : "internal", err->msg,
                  request_id);
}

/* --- CSV
 * ------------------------------------------------------------------------------------------
 */

static void put_scalar(struct buf *out, const cJSON *v)
{
    if (cJSON_IsString(v)) {
        buf_put_csv(out, v->valuestring);
    } else if (cJSON_IsNumber(v) || cJSON_IsBool(v)) {
        char *text = json_print(v, false);
        if (text != NULL)
            buf_puts(out, text);
        free(text);
    }
}

enum { CSV_MAX_COLUMNS = 64, CSV_NAME = 100 };
struct csv_columns {
    size_t n;
    char names[CSV_MAX_COLUMNS][CSV_NAME]; /* heading; "a_b" for member b of object a */
    const char *outer[CSV_MAX_COLUMNS];
    const char *inner[CSV_MAX_COLUMNS]; /* NULL = a plain member */
};

static void add_column(struct csv_columns *c, const char *outer, const char *inner)
{
    char name[CSV_NAME];
    snprintf(name, sizeof(name), "%s%s%s", outer, inner != NULL ? "_" : "",
             inner != NULL ? inner : "");
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->names[i], name) == 0)
            return;
    if (c->n == CSV_MAX_COLUMNS)
        return;
    memcpy(c->names[c->n], name, sizeof(name));
    c->outer[c->n] = outer;
    c->inner[c->n++] = inner;
}

/* The union over all items, so that a member that is null in the first row is not lost. */
static void find_columns(const cJSON *items, struct csv_columns *c)
{
    const cJSON *item, *m, *in;
    cJSON_ArrayForEach (item, items) {
        cJSON_ArrayForEach (m, item) {
            if (!cJSON_IsObject(m)) {
                if (!cJSON_IsArray(m) && !cJSON_IsNull(m))
                    add_column(c, m->string, NULL);
                continue;
            }
            cJSON_ArrayForEach (in, m) {
                if (!cJSON_IsObject(in) && !cJSON_IsArray(in))
                    add_column(c, m->string, in->string);
            }
        }
    }
}

enum ft_status reply_csv(struct http_reply *r, const cJSON *items, struct ft_err *err)
{
    struct csv_columns *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for the answer");
    clear_body(r);
    find_columns(items, c);
    for (size_t i = 0; i < c->n; i++) {
        if (i > 0)
            buf_putc(&r->body, ',');
        buf_put_csv(&r->body, c->names[i]);
    }
    buf_puts(&r->body, "\r\n");
    const cJSON *item;
    cJSON_ArrayForEach (item, items) {
        for (size_t i = 0; i < c->n; i++) {
            const cJSON *m = json_get(item, c->outer[i]);
            if (i > 0)
                buf_putc(&r->body, ',');
            put_scalar(&r->body, c->inner[i] != NULL ? json_get(m, c->inner[i]) : m);
        }
        buf_puts(&r->body, "\r\n");
    }
    free(c);
    r->content_type = "text/csv; charset=utf-8";
    return buf_status(&r->body, err);
}

/* --- headers
 * --------------------------------------------------------------------------------------
 */

void reply_hash_etag(const void *data, size_t len, char out[80])
{
    unsigned char hash[16];
    char hex[33];
    crypto_generichash(hash, sizeof(hash), data, len, NULL, 0);
    sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
    snprintf(out, 80, "\"%s\"", hex);
}

bool reply_etag_matches(const char *header, const char *etag, bool is_weak)
{
    const size_t n = strlen(etag);
    for (const char *p = header; *p != '\0';) {
        p += strspn(p, " \t,");
        if (*p == '*')
            return true;
        const bool tag_is_weak = strncmp(p, "W/", 2) == 0;
        if (tag_is_weak)
            p += 2;
        if (*p != '"') {
            p += strcspn(p, ",");
            continue;
        }
        const size_t len = strcspn(p + 1, "\"") + 2;
        if (len == n && (is_weak || !tag_is_weak) && strncmp(p, etag, n) == 0)
            return true;
        p += strlen(p) < len ? strlen(p) : len;
    }
    return false;
}

/* Weight of a media type or coding in a comma-separated list, -1 when it is not named. */
static double list_weight(const char *list, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = list; *p != '\0';) {
        p += strspn(p, " \t,");
        const size_t len = strcspn(p, ",");
        const size_t name_len = strcspn(p, ",; \t");
        if (name_len == n && strncasecmp(p, word, n) == 0) {
            const char *q = strstr(p, "q=");
            return q != NULL && q < p + len ? strtod(q + 2, NULL) : 1.0;
        }
        p += len;
    }
    return -1;
}

bool reply_accepts(const char *accept, const char *type)
{
    if (accept == NULL)
        return false;
    const double wanted = list_weight(accept, type);
    return wanted > 0 && wanted > list_weight(accept, TYPE_JSON);
}

bool reply_accepts_gzip(const char *accept_encoding)
{
    return accept_encoding != NULL && list_weight(accept_encoding, "gzip") > 0;
}

enum ft_status reply_gzip(const void *data, size_t len, struct buf *out, struct ft_err *err)
{
    enum { WINDOW_GZIP = 15 + 16, LEVEL = 5 };
    z_stream z = {0};
    if (len > UINT32_MAX ||
        deflateInit2(&z, LEVEL, Z_DEFLATED, WINDOW_GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return ft_fail(err, FT_NOMEM, "no memory to compress the answer");
    const uLong bound = deflateBound(&z, (uLong)len);
    unsigned char *packed = malloc(bound);
    enum ft_status st = FT_OK;
    if (packed == NULL) {
        st = ft_fail(err, FT_NOMEM, "no memory to compress the answer");
        goto out;
    }
    z.next_in = (z_const Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)len;
    z.next_out = packed;
    z.avail_out = (uInt)bound;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
        st = ft_fail(err, FT_INTERNAL, "the answer cannot be compressed");
        goto out;
    }
    buf_put(out, packed, bound - z.avail_out);
    st = buf_status(out, err);
out:
    free(packed);
    deflateEnd(&z);
    return st;
}
