/* fettle key: API keys without a server. It takes the writer, so it refuses while a server runs. */
#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/ingest/ingest.h"
#include "app/token.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/integration_store.h"

#include <stdio.h>
#include <string.h>

struct key_options {
    const char *name, *role;
    int64_t life_ms; /* 0 = for ever */
    bool as_json;
};

static enum ft_status store_key(struct db *db, const struct key_options *o,
                                const struct token *token, int64_t now_ms, struct ft_err *err)
{
    int64_t id = 0;
    char detail[64];
    struct token copy = *token;
    const struct api_key k = {.public_id = copy.public_id,
                              .name = (char *)(uintptr_t)o->name,
                              .role = (char *)(uintptr_t)o->role,
                              .hash = copy.hash,
                              .created_ms = now_ms,
                              .expires_ms = o->life_ms > 0 ? now_ms + o->life_ms : DB_NO_TIME,
                              .revoked_ms = DB_NO_TIME,
                              .used_ms = DB_NO_TIME};
    snprintf(detail, sizeof(detail), "{\"role\":\"%s\"}", o->role);
    enum ft_status st = db_begin(db, err);
    if (st == FT_OK)
        st = api_key_insert(db, &k, &id, err);
    if (st == FT_OK)
        st = audit_put(db, now_ms, "cli", "key.create", copy.public_id, detail, err);
    if (st == FT_OK)
        return db_commit(db, err);
    db_rollback(db);
    return st;
}

static int print_key(const struct key_options *o, const struct token *token, int64_t now_ms)
{
    if (!o->as_json) {
        fprintf(stderr, "This is the only time the key is shown. It is a key of role %s.\n",
                o->role);
        return puts(token->text) < 0;
    }
    cJSON *out = cJSON_CreateObject();
    json_add_string(out, "id", token->public_id);
    json_add_string(out, "name", o->name);
    json_add_string(out, "role", o->role);
    if (o->life_ms > 0)
        json_add_instant(out, "expires", now_ms + o->life_ms);
    else
        json_add_null(out, "expires");
    json_add_string(out, "key", token->text);
    const int rc = cli_print_json(out);
    cJSON_Delete(out);
    return rc;
}

static int create(struct db *db, const struct key_options *o, struct ft_err *err)
{
    struct token token;
    const int64_t now_ms = clock_now_ms();
    if (token_new(&token, err) != FT_OK || store_key(db, o, &token, now_ms, err) != FT_OK)
        return cli_fail(err);
    return print_key(o, &token, now_ms);
}

static void print_instant(int64_t ts_ms)
{
    char text[CLOCK_TEXT_SIZE] = "-";
    if (ts_ms != DB_NO_TIME)
        clock_format_utc(ts_ms, text);
    printf("  %-20s", text);
}

static void add_instant(cJSON *o, const char *key, int64_t ts_ms)
{
    if (ts_ms == DB_NO_TIME)
        json_add_null(o, key);
    else
        json_add_instant(o, key, ts_ms);
}

static int list(struct db *db, bool as_json, struct ft_err *err)
{
    struct api_key_list rows = {0};
    if (api_key_list(db, &rows, err) != FT_OK)
        return cli_fail(err);
    cJSON *all = cJSON_CreateObject();
    cJSON *items = json_add_array(all, "items");
    if (!as_json)
        printf("%-14s %-24s %-10s  %-20s  %-20s  %-20s\n", "ID", "NAME", "ROLE", "EXPIRES",
               "LAST USED", "REVOKED");
    for (size_t i = 0; i < rows.n; i++) {
        const struct api_key *k = &rows.items[i];
        if (!as_json) {
            printf("%-14s %-24s %-10s", k->public_id, k->name, k->role);
            print_instant(k->expires_ms);
            print_instant(k->used_ms);
            print_instant(k->revoked_ms);
            printf("\n");
            continue;
        }
        cJSON *o = json_add_object(items, NULL);
        json_add_string(o, "id", k->public_id);
        json_add_string(o, "name", k->name);
        json_add_string(o, "role", k->role);
        add_instant(o, "created", k->created_ms);
        add_instant(o, "expires", k->expires_ms);
        add_instant(o, "used", k->used_ms);
        add_instant(o, "revoked", k->revoked_ms);
    }
    const int rc = as_json ? cli_print_json(all) : 0;
    cJSON_Delete(all);
    api_key_list_free(&rows);
    return rc;
}

static int revoke(struct db *db, const char *id, struct ft_err *err)
{
    const int64_t now_ms = clock_now_ms();
    enum ft_status st = db_begin(db, err);
    if (st == FT_OK)
        st = api_key_revoke(db, id, now_ms, err);
    if (st == FT_OK)
        st = audit_put(db, now_ms, "cli", "key.revoke", id, NULL, err);
    if (st == FT_OK)
        st = db_commit(db, err);
    else
        db_rollback(db);
    if (st != FT_OK)
        return cli_fail(err);
    fprintf(stderr, "Key %s is revoked.\n", id);
    return 0;
}

static int run(const struct key_options *o, const char *const words[], size_t n)
{
    struct db *db = NULL;
    struct ft_err err;
    enum token_role role;
    const bool is_create = strcmp(words[0], "create") == 0 && n == 1;
    const bool is_list = strcmp(words[0], "list") == 0 && n == 1;
    if (!is_create && !is_list && !(strcmp(words[0], "revoke") == 0 && n == 2))
        return cli_usage_error("key: expected create, list or revoke ID");
    if (is_create && (o->name == NULL || o->role == NULL))
        return cli_usage_error("key create needs --name and --role");
    if (is_create && (token_role_parse(o->role, &role, &err) != FT_OK ||
                      ingest_check_name("--name", o->name, strlen(o->name), &err) != FT_OK))
        return cli_usage_error("%s", err.msg);
    const enum ft_status st = is_list ? db_open_reader(cli_db_path(), &db, &err)
                                      : db_open_writer(cli_db_path(), is_create, &db, &err);
    if (st == FT_BUSY) {
        fprintf(stderr,
                "fettle: %s\nfettle: while a server runs, use its API: POST /api/v1/keys with an "
                "admin key; or stop it first\n",
                err.msg);
        return ft_status_exit_code(FT_REFUSED);
    }
    if (st != FT_OK)
        return cli_fail(&err);
    const int rc = is_create ? create(db, o, &err)
                   : is_list ? list(db, o->as_json, &err)
                             : revoke(db, words[1], &err);
    db_close(db);
    return rc;
}

int cmd_key(int argc, char **argv)
{
    struct key_options o = {NULL, NULL, 0, false};
    const char *words[2] = {NULL, NULL};
    size_t n_words = 0;
    const struct cli_flag flags[] = {
        {"--name", CLI_STRING, &o.name, "NAME", "who or what will use it"},
        {"--role", CLI_STRING, &o.role, "ROLE", "viewer, planner, engineer, admin or ingest"},
        {"--expires", CLI_DURATION, &o.life_ms, "DUR", "not valid after this time; default never"},
        {"--json", CLI_BOOL, &o.as_json, NULL, "print JSON"},
    };
    const struct cli_usage usage = {
        .examples = "fettle key create --name cmms --role planner --expires 365d\n"
                    "fettle key list\nfettle key revoke 1a2b3c4d5e6f",
        .synopsis = "fettle key create --name N --role R [--expires DUR] | list | revoke ID",
        .text = "Keys for the API. A key is shown once; the database keeps only its SHA-256. Each "
                "role\n"
                "may do what those before it may: viewer reads; planner works on work orders and\n"
                "sends readings and events; engineer starts training; admin manages keys and\n"
                "webhooks. ingest stands alone: it sends readings and events and reads nothing.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const int code = cli_parse(&usage, argc, argv, words, 2, &n_words);
    if (code >= 0)
        return code;
    if (n_words == 0)
        return cli_usage_error("key: expected create, list or revoke ID");
    return run(&o, words, n_words);
}
