/* Who calls: the Authorization header against the stored keys, and what a role may do. A key comes
 * as "Bearer KEY" or "Token KEY". The addresses of InfluxDB clients (/write, /query, /api/v2/write)
 * also take it as the password of "Basic" or as the parameter p, with any user name. */
#ifndef WEB_HTTP_AUTH_H
#define WEB_HTTP_AUTH_H

#include "app/token.h"
#include "web/http/server.h"

#include <stdbool.h>
#include <stdint.h>

struct db;

struct auth {
    enum token_role role;
    int64_t key_id; /* 0 = no key */
    char name[160]; /* of the key; "anonymous" */
    bool is_stale;  /* its last use was noted more than a minute ago */
};

enum auth_verdict {
    AUTH_OK,
    AUTH_NONE, /* no key was sent: out is the anonymous caller, with the role that the policy gives
                */
    AUTH_BAD   /* malformed, unknown, revoked or expired; never says which */
};

/* allow_anonymous: reading without a key is allowed from this machine. A request that came through
 * a proxy or names a foreign host (a page of another site whose name points here) is not local. */
enum auth_verdict auth_check(struct db *db, const struct http_request *rq, bool allow_anonymous,
                             int64_t now_ms, struct auth *out);

/* Does the request carry something that looks like a key? Needs no database. */
bool auth_has_token(const struct http_request *rq);

/* May the role call a route that wants this one? */
bool auth_may(enum token_role role, enum token_role wanted, bool is_ingest_route);

#endif
