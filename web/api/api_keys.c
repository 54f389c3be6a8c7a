/* API keys: made and shown once, listed without their secrets, revoked at once. */
#include "web/api/handlers.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/ingest/ingest.h"
#include "db/asset_store.h"
#include "db/integration_store.h"

#include <stdio.h>
#include <string.h>

enum ft_status api_keys_list(struct api_call *c, struct ft_err *err)
{
    struct api_key_list rows = {0};
    const enum ft_status st = api_key_list(c->db, &rows, err);
    if (st != FT_OK)
        return st;
    cJSON *items = cJSON_CreateArray();
    for (size_t i = 0; i < rows.n; i++) {
        const struct api_key *k = &rows.items[i];
        cJSON *o = json_add_object(items, NULL);
        json_add_string(o, "id", k->public_id);
        json_add_string(o, "name", k->name);
        json_add_string(o, "role", k->role);
        json_add_instant(o, "created", k->created_ms);
        api_add_instant(o, "expires", k->expires_ms);
        api_add_instant(o, "revoked", k->revoked_ms);
        api_add_instant(o, "used", k->used_ms);
    }
    api_key_list_free(&rows);
    return api_reply_list(c, items, NULL, err);
}

enum ft_status api_keys_post(struct api_call *c, struct ft_err *err)
{
    static const char *const known[] = {"name", "role", "expires_in", NULL};
    const char *name = NULL, *role_word = NULL, *expires_in = NULL;
    enum token_role role = ROLE_NONE;
    struct token token;
    int64_t life_ms = 0, id = 0;
    enum ft_status st = json_only_keys(c->json, known, err);
    if (st == FT_OK)
        st = json_string(c->json, "name", true, &name, err);
    if (st == FT_OK)
        st = json_string(c->json, "role", true, &role_word, err);
    if (st == FT_OK)
        st = json_string(c->json, "expires_in", false, &expires_in, err);
    if (st == FT_OK && ingest_check_name("name", name, strlen(name), err) != FT_OK)
        return ft_err_prefix(err, "/name");
    if (st == FT_OK && token_role_parse(role_word, &role, err) != FT_OK)
        return ft_err_prefix(err, "/role");
    if (st == FT_OK && expires_in != NULL &&
        clock_parse_duration(expires_in, &life_ms, err) != FT_OK)
        return ft_err_prefix(err, "/expires_in");
    if (st == FT_OK)
        st = token_new(&token, err);
    if (st != FT_OK)
        return st;
    const struct api_key k = {.public_id = token.public_id,
                              .name = (char *)(uintptr_t)name,
                              .role = (char *)(uintptr_t)role_word,
                              .hash = token.hash,
                              .created_ms = c->now_ms,
                              .expires_ms = life_ms > 0 ? c->now_ms + life_ms : DB_NO_TIME,
                              .revoked_ms = DB_NO_TIME,
                              .used_ms = DB_NO_TIME};
    st = api_key_insert(c->db, &k, &id, err);
    if (st == FT_OK)
        st = api_audit(c, "key.create", token.public_id, c->json, err);
    if (st != FT_OK)
        return st;
    snprintf(c->reply->location, sizeof(c->reply->location), "/api/v1/keys/%s", token.public_id);
    c->reply->cache_control = "no-store";
    cJSON *o = cJSON_CreateObject();
    json_add_string(o, "id", token.public_id);
    json_add_string(o, "name", name);
    json_add_string(o, "role", role_word);
    api_add_instant(o, "expires", k.expires_ms);
    json_add_string(o, "key", token.text);
    return api_reply(c, o, err);
}

enum ft_status api_key_delete(struct api_call *c, struct ft_err *err)
{
    const char *public_id = c->match->params[0];
    enum ft_status st = api_key_revoke(c->db, public_id, c->now_ms, err);
    if (st == FT_OK)
        st = api_audit(c, "key.revoke", public_id, NULL, err);
    c->reply->status = 204;
    return st;
}
