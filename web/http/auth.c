#include "web/http/auth.h"

#include "app/config.h"
#include "db/asset_store.h"
#include "db/integration_store.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *bearer(const struct http_request *rq)
{
    const char *value = http_header(rq, "Authorization");
    if (value == NULL || strncasecmp(value, "Bearer ", 7) != 0)
        return NULL;
    return value + 7 + strspn(value + 7, " ");
}

bool auth_has_token(const struct http_request *rq)
{
    struct token token;
    const char *text = bearer(rq);
    return text != NULL && token_read(text, &token);
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
    if (http_header(rq, "Authorization") == NULL) {
        if (allow_anonymous && is_local(rq))
            out->role = ROLE_VIEWER;
        return AUTH_NONE;
    }
    struct token token;
    struct api_key key;
    const char *text = bearer(rq);
    if (text == NULL || !token_read(text, &token) ||
        api_key_find(db, token.public_id, &key, NULL) != FT_OK)
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
