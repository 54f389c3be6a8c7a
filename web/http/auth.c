#include "web/http/auth.h"

#include "app/config.h"
#include "db/asset_store.h"
#include "db/integration_store.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { CREDENTIAL_SIZE = 400 };

/* Addresses whose clients know names and passwords only. No page of ours calls them, and no browser
 * is ever asked for a password, so that it has none to send by itself. */
static bool is_influx(const struct uri *uri)
{
    const char *const *s = uri->segments;
    if (uri->n_segments == 1)
        return strcmp(s[0], "write") == 0 || strcmp(s[0], "query") == 0;
    return uri->n_segments == 3 && strcmp(s[0], "api") == 0 && strcmp(s[1], "v2") == 0 &&
           strcmp(s[2], "write") == 0;
}

/* Password of "Basic base64(user:password)". */
static const char *basic(const char *value, char out[CREDENTIAL_SIZE])
{
    size_t len = 0;
    if (sodium_base642bin((unsigned char *)out, CREDENTIAL_SIZE - 1, value, strlen(value), " ",
                          &len, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return NULL;
    out[len] = '\0';
    const char *colon = strchr(out, ':');
    return colon != NULL ? colon + 1 : NULL;
}

/* The key as it was sent; NULL when there is none in a known form. *is_sent: something was. */
static const char *credential(const struct http_request *rq, char out[CREDENTIAL_SIZE],
                              bool *is_sent)
{
    const char *value = http_header(rq, "Authorization");
    const char *p = is_influx(&rq->uri) ? uri_query(&rq->uri, "p") : NULL;
    *is_sent = value != NULL || p != NULL;
    if (value == NULL)
        return p;
    if (strncasecmp(value, "Bearer ", 7) == 0)
        return value + 7 + strspn(value + 7, " ");
    if (strncasecmp(value, "Token ", 6) == 0)
        return value + 6 + strspn(value + 6, " ");
    if (is_influx(&rq->uri) && strncasecmp(value, "Basic ", 6) == 0)
        return basic(value + 6, out);
    return NULL;
}

bool auth_has_token(const struct http_request *rq)
{
    struct token token;
    char room[CREDENTIAL_SIZE];
    bool is_sent = false;
    const char *text = credential(rq, room, &is_sent);
    const bool has = text != NULL && token_read(text, &token);
    sodium_memzero(room, sizeof(room));
    return has;
}

/* Host header without its port is this machine. */
static bool is_local_host(const char *host)
{
    char name[64];
    const bool is_v6 = host[0] == '[';
    const size_t n = is_v6 ? strcspn(host + 1, "]") : strcspn(host, ":");
    snprintf(name, sizeof(name), "%.*s", (int)(n < sizeof(name) ? n : sizeof(name) - 1),
             host + is_v6);
    return strcasecmp(name, "localhost") == 0 || config_is_loopback(name);
}

static bool is_local(const struct http_request *rq)
{
    const char *host = http_header(rq, "Host");
    return rq->is_loopback && host != NULL && is_local_host(host) &&
           http_header(rq, "Forwarded") == NULL && http_header(rq, "X-Forwarded-For") == NULL &&
           http_header(rq, "X-Real-IP") == NULL;
}

enum auth_verdict auth_check(struct db *db, const struct http_request *rq, bool allow_anonymous,
                             int64_t now_ms, struct auth *out)
{
    *out = (struct auth){.role = ROLE_NONE, .name = "anonymous"};
    char room[CREDENTIAL_SIZE];
    bool is_sent = false;
    const char *text = credential(rq, room, &is_sent);
    if (!is_sent) {
        if (allow_anonymous && is_local(rq))
            out->role = ROLE_VIEWER;
        return AUTH_NONE;
    }
    struct token token;
    struct api_key key;
    const bool is_token = text != NULL && token_read(text, &token);
    sodium_memzero(room, sizeof(room));
    if (!is_token || api_key_find(db, token.public_id, &key, NULL) != FT_OK)
        return AUTH_BAD;
    const bool is_live =
        key.revoked_ms == DB_NO_TIME && (key.expires_ms == DB_NO_TIME || key.expires_ms > now_ms);
    const bool is_good = token_is_same(token.hash, key.hash) && is_live &&
                         token_role_parse(key.role, &out->role, NULL) == FT_OK;
    if (is_good) {
        out->key_id = key.id;
        snprintf(out->name, sizeof(out->name), "%s", key.name);
        out->is_stale = key.used_ms == DB_NO_TIME || now_ms - key.used_ms >= 60000;
    }
    api_key_clear(&key);
    return is_good ? AUTH_OK : AUTH_BAD;
}

bool auth_may(enum token_role role, enum token_role wanted, bool is_ingest_route)
{
    if (role == ROLE_INGEST)
        return is_ingest_route;
    return role >= wanted;
}
