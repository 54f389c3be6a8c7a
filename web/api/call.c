/* Helpers of the handlers: answers, lists, cursors, preconditions, audit. */
#include "web/api/api.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "db/asset_store.h"
#include "db/integration_store.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum ft_status api_reply(struct api_call *c, cJSON *value, struct ft_err *err)
{
    const enum ft_status st =
        reply_json(c->reply, c->route->ok_status != 0 ? c->route->ok_status : 200, value, err);
    cJSON_Delete(value);
    return st;
}

/* Adds rel="next": the request's own address with another cursor. */
void api_add_link(struct api_call *c, const char *next)
{
    struct buf b;
    buf_init(&b, sizeof(c->reply->link) - 1);
    buf_putc(&b, '<');
    for (size_t i = 0; i < c->rq->uri.n_segments; i++) {
        buf_putc(&b, '/');
        buf_puts(&b, c->rq->uri.segments[i]);
    }
    buf_puts(&b, "?cursor=");
    buf_puts(&b, next);
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < c->rq->uri.n_query; i++) {
        if (strcmp(c->rq->uri.query[i].name, "cursor") == 0)
            continue;
        buf_printf(&b, "&%s=", c->rq->uri.query[i].name);
        for (const char *p = c->rq->uri.query[i].value; *p != '\0'; p++) {
            const unsigned char ch = (unsigned char)*p;
            const bool is_plain = (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') ||
                                  (ch >= 'a' && ch <= 'z') || strchr("-_.~:,", ch) != NULL;
            if (is_plain)
                buf_putc(&b, (char)ch);
            else
                buf_printf(&b, "%%%c%c", hex[ch >> 4], hex[ch & 15]);
        }
    }
    buf_puts(&b, ">; rel=\"next\"");
    /* An address too long for the header has its cursor in the body all the same. */
    if (buf_status(&b, NULL) == FT_OK)
        snprintf(c->reply->link, sizeof(c->reply->link), "%s", b.data);
    buf_free(&b);
}

enum ft_status api_reply_list(struct api_call *c, cJSON *items, const char *next,
                              struct ft_err *err)
{
    if (items == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for the list");
    if (next != NULL)
        api_add_link(c, next);
    if (reply_accepts(http_header(c->rq, "Accept"), "text/csv")) {
        const enum ft_status st = reply_csv(c->reply, items, err);
        c->reply->status = 200;
        cJSON_Delete(items);
        return st;
    }
    cJSON *body = cJSON_CreateObject();
    if (body == NULL || !cJSON_AddItemToObject(body, "items", items)) {
        cJSON_Delete(items);
        cJSON_Delete(body);
        return ft_fail(err, FT_NOMEM, "no memory for the list");
    }
    json_add_string(body, "next_cursor", next);
    return api_reply(c, body, err);
}

void api_add_instant(cJSON *to, const char *key, int64_t ts_ms)
{
    if (ts_ms == DB_NO_TIME)
        json_add_null(to, key);
    else
        json_add_instant(to, key, ts_ms);
}

void api_add_money(cJSON *to, const char *key, int64_t minor, const char *currency)
{
    if (minor == DB_NO_MONEY)
        json_add_null(to, key);
    else
        json_add_money(to, key, minor, currency);
}

void api_add_id(cJSON *to, const char *key, int64_t id)
{
    if (id == 0)
        json_add_null(to, key);
    else
        json_add_int(to, key, id);
}

void api_add_json(cJSON *to, const char *key, const char *text)
{
    cJSON *tree = NULL;
    if (text == NULL || json_parse(text, strlen(text), &tree, NULL) != FT_OK ||
        !cJSON_AddItemToObject(to, key, tree)) {
        cJSON_Delete(tree);
        json_add_null(to, key);
    }
}

/* The check is no secret; it tells a typing error and a cursor of another kind from ours. */
static unsigned cursor_check(int64_t position)
{
    unsigned char hash[16];
    char text[40];
    snprintf(text, sizeof(text), "fettle cursor %" PRId64, position);
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, strlen(text), NULL, 0);
    return (unsigned)hash[0] << 8 | hash[1];
}

void api_cursor_make(int64_t position, char out[40])
{
    snprintf(out, 40, "%016" PRIx64 "%04x", (uint64_t)position, cursor_check(position));
}

enum ft_status api_cursor(struct api_call *c, int64_t *position, struct ft_err *err)
{
    const char *text = api_text(c, "cursor");
    *position = 0;
    if (text == NULL)
        return FT_OK;
    char hex[17], again[40];
    snprintf(hex, sizeof(hex), "%s", text);
    const int64_t value = (int64_t)strtoull(hex, NULL, 16);
    api_cursor_make(value, again);
    if (strcmp(again, text) != 0)
        return ft_fail(err, FT_INVALID, "parameter cursor: expected the next_cursor of a list");
    *position = value;
    return FT_OK;
}

enum ft_status api_fail(struct api_call *c, int http_status, const char *problem,
                        struct ft_err *err, enum ft_status code, const char *text)
{
    c->http_status = http_status;
    c->problem = problem;
    return ft_fail(err, code, "%s", text);
}

enum ft_status api_if_match(struct api_call *c, const char *etag, struct ft_err *err)
{
    const char *header = http_header(c->rq, "If-Match");
    if (header == NULL)
        return api_fail(c, 428, "if-match-needed", err, FT_CONFLICT,
                        "send If-Match with the ETag of the version that you read");
    if (!reply_etag_matches(header, etag, false))
        return api_fail(c, 412, "changed", err, FT_CONFLICT,
                        "it was changed since you read it; read it again");
    return FT_OK;
}

enum ft_status api_audit(struct api_call *c, const char *action, const char *subject,
                         const cJSON *detail, struct ft_err *err)
{
    char *text = detail != NULL ? json_print(detail, false) : NULL;
    const enum ft_status st = audit_put(c->db, c->now_ms, c->actor, action, subject, text, err);
    free(text);
    return st;
}
