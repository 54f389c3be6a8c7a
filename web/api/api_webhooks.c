/* Webhooks: who is told about work orders, and how the telling went. */
#include "web/api/handlers.h"

#include "app/base/json.h"
#include "app/cmms/notify.h"
#include "app/cmms/webhook.h"
#include "app/config.h"
#include "db/asset_store.h"
#include "db/integration_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "a,b" as an array. */
static void add_words(cJSON *o, const char *key, const char *list)
{
    cJSON *array = json_add_array(o, key);
    for (const char *p = list != NULL ? list : ""; *p != '\0';) {
        char word[80];
        const size_t len = strcspn(p, ",");
        snprintf(word, sizeof(word), "%.*s", (int)(len < 79 ? len : 79), p);
        json_add_string(array, NULL, word);
        p += len + (p[len] == ',');
    }
}

static cJSON *webhook_json(const struct webhook *w)
{
    cJSON *o = cJSON_CreateObject();
    json_add_int(o, "id", w->id);
    json_add_string(o, "url", w->url);
    add_words(o, "events", w->events);
    json_add_bool(o, "active", w->is_active);
    return o;
}

enum ft_status api_webhooks_list(struct api_call *c, struct ft_err *err)
{
    struct webhook_list rows = {0};
    const enum ft_status st = webhook_list(c->db, &rows, err);
    if (st != FT_OK)
        return st;
    cJSON *items = cJSON_CreateArray();
    for (size_t i = 0; i < rows.n; i++)
        cJSON_AddItemToArray(items, webhook_json(&rows.items[i]));
    webhook_list_free(&rows);
    return api_reply_list(c, items, NULL, err);
}

static bool is_event_type(const char *word)
{
    for (int k = NOTIFY_PROPOSED; k <= NOTIFY_CANCELLED; k++)
        if (strcmp(notify_event_type((enum notify_kind)k), word) == 0)
            return true;
    return false;
}

/* The array "events" as "a,b"; every type when it is absent. */
static enum ft_status read_events(const cJSON *json, char *out, size_t size, struct ft_err *err)
{
    const cJSON *events = NULL, *e = NULL;
    const enum ft_status st = json_array(json, "events", false, &events, err);
    if (st != FT_OK)
        return st;
    size_t n = 0;
    out[0] = '\0';
    if (events == NULL) {
        snprintf(out, size, "%s,%s,%s", notify_event_type(NOTIFY_PROPOSED),
                 notify_event_type(NOTIFY_CHANGED), notify_event_type(NOTIFY_CANCELLED));
        return FT_OK;
    }
    cJSON_ArrayForEach (e, events) {
        if (!cJSON_IsString(e) || !is_event_type(e->valuestring) ||
            config_list_has(out, e->valuestring))
            return ft_fail(err, FT_INVALID,
                           "/events/%zu: expected work_order.proposed, work_order.changed or "
                           "work_order.cancelled, each once",
                           n);
        const size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s", n++ > 0 ? "," : "", e->valuestring);
    }
    return n > 0 ? FT_OK : ft_fail(err, FT_INVALID, "/events: expected at least one");
}

enum ft_status api_webhooks_post(struct api_call *c, struct ft_err *err)
{
    static const char *const known[] = {"url", "events", NULL};
    const char *url = NULL;
    char events[200], secret[WEBHOOK_SECRET_SIZE];
    int64_t id = 0;
    enum ft_status st = json_only_keys(c->json, known, err);
    if (st == FT_OK)
        st = json_string(c->json, "url", true, &url, err);
    if (st == FT_OK)
        st = read_events(c->json, events, sizeof(events), err);
    if (st == FT_OK && webhook_check_url(url, c->api->config->webhook_allow, err) != FT_OK)
        return ft_err_prefix(err, "/url");
    if (st == FT_OK)
        st = webhook_new_secret(secret, err);
    if (st != FT_OK)
        return st;
    struct webhook w = {
        .url = (char *)(uintptr_t)url, .secret = secret, .events = events, .is_active = true};
    st = webhook_insert(c->db, &w, &id, err);
    w.id = id;
    if (st == FT_OK)
        st = api_audit(c, "webhook.create", url, NULL, err);
    if (st != FT_OK)
        return st;
    snprintf(c->reply->location, sizeof(c->reply->location), "/api/v1/webhooks/%lld",
             (long long)id);
    c->reply->cache_control = "no-store";
    cJSON *o = webhook_json(&w);
    json_add_string(o, "secret", secret);
    return api_reply(c, o, err);
}

enum ft_status api_webhook_delete(struct api_call *c, struct ft_err *err)
{
    char *end = NULL;
    const int64_t id = strtoll(c->match->params[0], &end, 10);
    if (*end != '\0' || id <= 0)
        return ft_fail(err, FT_NOT_FOUND, "there is no webhook %.60s", c->match->params[0]);
    enum ft_status st = webhook_delete(c->db, id, err);
    if (st == FT_OK)
        st = api_audit(c, "webhook.delete", c->match->params[0], NULL, err);
    c->reply->status = 204;
    return st;
}

enum ft_status api_deliveries_list(struct api_call *c, struct ft_err *err)
{
    struct delivery_list rows = {0};
    const enum ft_status st = delivery_list(c->db, (size_t)api_int(c, "limit", 100), &rows, err);
    if (st != FT_OK)
        return st;
    cJSON *items = cJSON_CreateArray();
    for (size_t i = 0; i < rows.n; i++) {
        const struct delivery *d = &rows.items[i];
        cJSON *o = json_add_object(items, NULL);
        json_add_int(o, "id", d->id);
        json_add_int(o, "webhook", d->webhook_id);
        json_add_string(o, "url", d->url);
        json_add_string(o, "message_id", d->message_id);
        json_add_string(o, "event", d->event_type);
        json_add_string(o, "state", d->state);
        json_add_int(o, "tries", d->n_tries);
        api_add_instant(o, "next_try",
                        strcmp(d->state, "waiting") == 0 ? d->next_try_ms : DB_NO_TIME);
        api_add_id(o, "last_status", d->last_status);
        json_add_string(o, "last_error", d->last_error);
        json_add_instant(o, "created", d->created_ms);
    }
    delivery_list_free(&rows);
    return api_reply_list(c, items, NULL, err);
}
