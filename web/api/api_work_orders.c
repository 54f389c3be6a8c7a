/* Work orders: list, make, read, change with a version check, close with an outcome. What changes
 * about a predictive work order is stored for the subscribers in the same transaction. */
#include "web/api/handlers.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/cmms/notify.h"
#include "app/site.h"
#include "app/work_order_json.h"
#include "db/asset_store.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void etag_of(const struct work_order *w, char out[80])
{
    snprintf(out, 80, "\"wo-%lld-%lld\"", (long long)w->id, (long long)w->version);
}

static enum ft_status reply_work_order(struct api_call *c, const struct work_order *w,
                                       struct ft_err *err)
{
    cJSON *o = NULL;
    const enum ft_status st = work_order_to_json(c->db, w, &o, err);
    if (st != FT_OK)
        return st;
    etag_of(w, c->reply->etag);
    return api_reply(c, o, err);
}

enum ft_status api_work_orders_list(struct api_call *c, struct ft_err *err)
{
    const size_t limit = (size_t)api_int(c, "limit", 100);
    struct work_order_filter f = {.status = api_text(c, "status"),
                                  .kind = api_text(c, "kind"),
                                  .changed_since_ms = api_instant(c, "changed_since", 0),
                                  .limit = limit + 1};
    struct work_order_list rows = {0};
    const char *asset_key = api_text(c, "asset");
    enum ft_status st = api_cursor(c, &f.after_id, err);
    if (st == FT_OK && asset_key != NULL) {
        struct asset a = {0};
        st = asset_find(c->db, asset_key, &a, err);
        f.asset_id = a.id;
        asset_clear(&a);
    }
    if (st == FT_OK)
        st = work_order_list(c->db, &f, &rows, err);
    if (st != FT_OK)
        return st;
    const size_t n = rows.n > limit ? limit : rows.n;
    cJSON *items = cJSON_CreateArray();
    for (size_t i = 0; i < n && st == FT_OK; i++) {
        cJSON *o = NULL;
        st = work_order_to_json(c->db, &rows.items[i], &o, err);
        if (st == FT_OK && !cJSON_AddItemToArray(items, o))
            cJSON_Delete(o);
    }
    if (st == FT_OK) {
        char next[40];
        if (rows.n > limit)
            api_cursor_make(rows.items[n - 1].id, next);
        st = api_reply_list(c, items, rows.n > limit ? next : NULL, err);
    } else {
        cJSON_Delete(items);
    }
    work_order_list_free(&rows);
    return st;
}

enum ft_status api_work_order_get(struct api_call *c, struct ft_err *err)
{
    struct work_order w;
    enum ft_status st = work_order_find(c->db, c->match->params[0], &w, err);
    if (st != FT_OK)
        return st;
    st = reply_work_order(c, &w, err);
    work_order_clear(&w);
    return st;
}

/* The row as it stands now, by its number. */
static enum ft_status read_back(struct api_call *c, int64_t id, struct work_order *out,
                                struct ft_err *err)
{
    const struct work_order_filter f = {.after_id = id - 1, .limit = 1};
    struct work_order_list rows = {0};
    enum ft_status st = work_order_list(c->db, &f, &rows, err);
    if (st != FT_OK)
        return st;
    if (rows.n != 1 || rows.items[0].id != id) {
        work_order_list_free(&rows);
        return ft_fail(err, FT_INTERNAL, "work order %lld is gone", (long long)id);
    }
    st = work_order_find(c->db, rows.items[0].key, out, err);
    work_order_list_free(&rows);
    return st;
}

/* Tells the subscribers about a predictive work order. */
static enum ft_status tell(struct api_call *c, enum notify_kind kind, const struct work_order *w,
                           struct ft_err *err)
{
    if (strcmp(w->kind, "predictive") != 0)
        return FT_OK;
    if (kind == NOTIFY_CHANGED && strcmp(w->status, "cancelled") == 0)
        kind = NOTIFY_CANCELLED;
    return notify_work_order(c->db, kind, w, c->now_ms, NULL, err);
}

enum ft_status api_work_orders_post(struct api_call *c, struct ft_err *err)
{
    struct work_order w, stored;
    int64_t id = 0;
    memset(&w, 0, sizeof(w));
    work_order_init(&w);
    enum ft_status st = work_order_from_json(c->db, c->json, true, &w, err);
    w.created_ms = w.updated_ms = c->now_ms;
    if (st == FT_OK)
        st = work_order_insert(c->db, &w, &id, err);
    work_order_clear(&w);
    if (st == FT_OK)
        st = read_back(c, id, &stored, err);
    if (st != FT_OK)
        return st;
    st = tell(c, NOTIFY_PROPOSED, &stored, err);
    if (st == FT_OK)
        st = api_audit(c, "work_order.create", stored.key, c->json, err);
    snprintf(c->reply->location, sizeof(c->reply->location), "/api/v1/work-orders/%s", stored.key);
    if (st == FT_OK)
        st = reply_work_order(c, &stored, err);
    work_order_clear(&stored);
    return st;
}

enum ft_status api_work_order_patch(struct api_call *c, struct ft_err *err)
{
    struct work_order w, stored;
    char etag[80];
    enum ft_status st = work_order_find(c->db, c->match->params[0], &w, err);
    if (st != FT_OK)
        return st;
    etag_of(&w, etag);
    st = api_if_match(c, etag, err);
    if (st == FT_OK)
        st = work_order_from_json(c->db, c->json, false, &w, err);
    w.updated_ms = c->now_ms;
    if (st == FT_OK)
        st = work_order_update(c->db, &w, err);
    const int64_t id = w.id;
    work_order_clear(&w);
    if (st == FT_OK)
        st = read_back(c, id, &stored, err);
    if (st != FT_OK)
        return st;
    st = tell(c, NOTIFY_CHANGED, &stored, err);
    if (st == FT_OK)
        st = api_audit(c, "work_order.patch", stored.key, c->json, err);
    if (st == FT_OK)
        st = reply_work_order(c, &stored, err);
    work_order_clear(&stored);
    return st;
}

static enum ft_status read_outcome(const cJSON *json, const char *currency,
                                   struct work_order_outcome *o, struct ft_err *err)
{
    static const char *const known[] = {"outcome",     "component",  "code", "note",
                                        "ended",       "downtime_h", "cost", "cause_code",
                                        "remedy_code", "labour_h",   NULL};
    double downtime_h = NAN, cost = NAN;
    *o = (struct work_order_outcome){.ended_ms = DB_NO_TIME,
                                     .downtime_ms = DB_NO_TIME,
                                     .cost_minor = DB_NO_MONEY,
                                     .labour_h = NAN};
    enum ft_status st = json_only_keys(json, known, err);
    if (st == FT_OK)
        st = json_string(json, "outcome", true, &o->outcome, err);
    if (st == FT_OK)
        st = json_string(json, "component", false, &o->component_name, err);
    if (st == FT_OK)
        st = json_string(json, "code", false, &o->code, err);
    if (st == FT_OK)
        st = json_string(json, "note", false, &o->note, err);
    if (st == FT_OK)
        st = json_string(json, "cause_code", false, &o->cause_code, err);
    if (st == FT_OK)
        st = json_string(json, "remedy_code", false, &o->remedy_code, err);
    if (st == FT_OK)
        st = json_number(json, "labour_h", false, &o->labour_h, err);
    if (st == FT_OK && (o->labour_h < 0 || o->labour_h > 1e5))
        st = ft_fail(err, FT_INVALID, "/labour_h: expected hours from 0 to 100000");
    if (st == FT_OK)
        st = json_instant(json, "ended", false, &o->ended_ms, err);
    if (st == FT_OK)
        st = json_number(json, "downtime_h", false, &downtime_h, err);
    if (st == FT_OK)
        st = json_number(json, "cost", false, &cost, err);
    if (st == FT_OK && (downtime_h < 0 || downtime_h > 1e6))
        st = ft_fail(err, FT_INVALID, "/downtime_h: expected hours from 0 to 1000000");
    if (st == FT_OK && !isnan(downtime_h))
        o->downtime_ms = (int64_t)llround(downtime_h * (double)MS_PER_HOUR);
    if (st == FT_OK && !isnan(cost))
        o->cost_minor = money_from_major(cost, currency);
    return st;
}

enum ft_status api_work_order_outcome(struct api_call *c, struct ft_err *err)
{
    struct work_order w, stored;
    struct work_order_outcome o;
    struct site site;
    int64_t event_id = 0;
    char etag[80];
    enum ft_status st = site_load(c->db, &site, err);
    if (st == FT_OK)
        st = read_outcome(c->json, site.currency, &o, err);
    if (st == FT_OK)
        st = work_order_find(c->db, c->match->params[0], &w, err);
    if (st != FT_OK)
        return st;
    etag_of(&w, etag);
    if (http_header(c->rq, "If-Match") != NULL)
        st = api_if_match(c, etag, err);
    if (st == FT_OK)
        st = work_order_close(c->db, &w, &o, c->now_ms, &event_id, err);
    const int64_t id = w.id;
    work_order_clear(&w);
    if (st == FT_OK)
        st = read_back(c, id, &stored, err);
    if (st != FT_OK)
        return st;
    st = tell(c, NOTIFY_CHANGED, &stored, err);
    if (st == FT_OK)
        st = api_audit(c, "work_order.close", stored.key, c->json, err);
    if (st == FT_OK)
        st = reply_work_order(c, &stored, err);
    work_order_clear(&stored);
    return st;
}

enum ft_status api_codes_list(struct api_call *c, struct ft_err *err)
{
    struct code_list rows = {0};
    const enum ft_status st = code_list(c->db, api_text(c, "kind"), &rows, err);
    if (st != FT_OK)
        return st;
    cJSON *items = cJSON_CreateArray();
    for (size_t i = 0; i < rows.n; i++) {
        cJSON *o = json_add_object(items, NULL);
        json_add_string(o, "kind", rows.items[i].kind);
        json_add_string(o, "code", rows.items[i].code);
        json_add_string(o, "name", rows.items[i].name);
    }
    code_list_free(&rows);
    return api_reply_list(c, items, NULL, err);
}
