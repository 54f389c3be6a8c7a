/* Events out and in (bulk). */
#include "web/api/bulk.h"
#include "web/api/handlers.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/base/money.h"
#include "app/catalog.h"
#include "app/ingest/ingest.h"
#include "app/site.h"
#include "db/event_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum ft_status parse_kinds(const char *text, unsigned *kinds, struct ft_err *err)
{
    *kinds = 0;
    for (const char *p = text != NULL ? text : ""; *p != '\0';) {
        char word[40];
        const size_t len = strcspn(p, ",");
        enum event_kind kind;
        snprintf(word, sizeof(word), "%.*s", (int)(len < 39 ? len : 39), p);
        if (event_kind_parse(word, &kind, err) != FT_OK)
            return ft_err_prefix(err, "parameter kind");
        *kinds |= 1u << kind;
        p += len + (p[len] == ',');
    }
    return FT_OK;
}

static void add_event(cJSON *items, const struct event *e, const struct catalog *cat,
                      const char *currency)
{
    const struct asset *a = catalog_asset(cat, e->asset_id);
    const struct component *p = catalog_component(cat, e->component_id);
    cJSON *o = json_add_object(items, NULL);
    json_add_int(o, "id", e->id);
    json_add_string(o, "asset", a != NULL ? a->key : NULL);
    json_add_string(o, "component", p != NULL ? p->name : NULL);
    json_add_string(o, "kind", event_kind_name(e->kind));
    json_add_instant(o, "at", e->ts_ms);
    json_add_string(o, "code", e->code != NULL && e->code[0] != '\0' ? e->code : NULL);
    json_add_string(o, "note", e->note);
    json_add_number(o, "downtime_h",
                    e->downtime_ms != DB_NO_TIME ? (double)e->downtime_ms / MS_PER_HOUR : NAN);
    api_add_money(o, "cost", e->cost_minor, currency);
    json_add_string(o, "source", e->source);
    json_add_string(o, "external_key", e->external_key);
    json_add_string(o, "part_serial", e->part);
}

/* Ids of the named asset and class; 0 when the request names none. */
static enum ft_status find_filter(struct api_call *c, struct event_filter *f, struct ft_err *err)
{
    const char *asset_key = api_text(c, "asset"), *class_name = api_text(c, "class");
    enum ft_status st = FT_OK;
    if (asset_key != NULL) {
        struct asset a = {0};
        st = asset_find(c->db, asset_key, &a, err);
        f->asset_id = a.id;
        asset_clear(&a);
    }
    if (st == FT_OK && class_name != NULL) {
        struct asset_class k = {0};
        st = class_find(c->db, class_name, &k, err);
        f->class_id = k.id;
        asset_class_clear(&k);
    }
    return st;
}

enum ft_status api_events_list(struct api_call *c, struct ft_err *err)
{
    const size_t limit = (size_t)api_int(c, "limit", 100);
    struct event_filter f = {.from_ms = api_instant(c, "from", 0),
                             .to_ms = api_instant(c, "to", 0),
                             .is_newest_first = true,
                             .limit = limit + 1};
    struct event_list rows = {0};
    struct catalog cat = {0};
    struct site site;
    enum ft_status st = parse_kinds(api_text(c, "kind"), &f.kinds, err);
    if (st == FT_OK)
        st = api_cursor(c, &f.after_id, err);
    if (st == FT_OK)
        st = find_filter(c, &f, err);
    if (st == FT_OK)
        st = site_load(c->db, &site, err);
    if (st == FT_OK)
        st = catalog_load(c->db, &cat, err);
    if (st == FT_OK)
        st = event_list(c->db, &f, &rows, err);
    if (st == FT_OK) {
        char next[40];
        const size_t n = rows.n > limit ? limit : rows.n;
        cJSON *items = cJSON_CreateArray();
        for (size_t i = 0; i < n; i++)
            add_event(items, &rows.items[i], &cat, site.currency);
        if (rows.n > limit)
            api_cursor_make(rows.items[n - 1].id, next);
        st = api_reply_list(c, items, rows.n > limit ? next : NULL, err);
        event_list_free(&rows);
    }
    catalog_free(&cat);
    return st;
}

/* --- in
 * -------------------------------------------------------------------------------------------
 */

static enum ft_status copy_text(const cJSON *item, const char *key, bool required, const char **out,
                                struct ft_err *err)
{
    const char *text = NULL;
    const enum ft_status st = json_string(item, key, required, &text, err);
    *out = NULL;
    if (st != FT_OK || text == NULL)
        return st;
    *out = strdup(text);
    return *out != NULL ? FT_OK : ft_fail(err, FT_NOMEM, "no memory for an event");
}

/* ctx is the site's currency. */
static enum ft_status take_event(const void *ctx, const cJSON *item, void *out, struct ft_err *err)
{
    static const char *const known[] = {"asset",        "kind",        "at",         "component",
                                        "code",         "note",        "downtime_h", "cost",
                                        "external_key", "part_serial", NULL};
    struct ingest_event *e = out;
    double cost = NAN;
    e->downtime_h = NAN;
    e->cost_minor = DB_NO_MONEY;
    enum ft_status st = json_only_keys(item, known, err);
    if (st == FT_OK)
        st = copy_text(item, "asset", true, &e->asset, err);
    if (st == FT_OK)
        st = copy_text(item, "kind", true, &e->kind, err);
    if (st == FT_OK)
        st = copy_text(item, "component", false, &e->component, err);
    if (st == FT_OK)
        st = copy_text(item, "code", false, &e->code, err);
    if (st == FT_OK)
        st = copy_text(item, "note", false, &e->note, err);
    if (st == FT_OK)
        st = copy_text(item, "external_key", false, &e->external_key, err);
    if (st == FT_OK)
        st = copy_text(item, "part_serial", false, &e->part, err);
    if (st == FT_OK)
        st = json_instant(item, "at", true, &e->ts_ms, err);
    if (st == FT_OK)
        st = json_number(item, "downtime_h", false, &e->downtime_h, err);
    if (st == FT_OK)
        st = json_number(item, "cost", false, &cost, err);
    if (st == FT_OK && e->downtime_h < 0)
        st = ft_fail(err, FT_INVALID, "/downtime_h: expected a number of hours, 0 or more");
    if (st == FT_OK && !isnan(cost))
        e->cost_minor = money_from_major(cost, ctx);
    return st;
}

static void clear_event(void *item)
{
    struct ingest_event *e = item;
    free((char *)(uintptr_t)e->asset);
    free((char *)(uintptr_t)e->kind);
    free((char *)(uintptr_t)e->component);
    free((char *)(uintptr_t)e->code);
    free((char *)(uintptr_t)e->note);
    free((char *)(uintptr_t)e->external_key);
    free((char *)(uintptr_t)e->part);
}

static char *event_text(const void *item)
{
    const struct ingest_event *e = item;
    char at[CLOCK_TEXT_SIZE], text[900];
    clock_format_utc(e->ts_ms, at);
    snprintf(text, sizeof(text), "%.200s,%.40s,%s,%.200s,%.200s", e->asset, e->kind, at,
             e->component != NULL ? e->component : "", e->code != NULL ? e->code : "");
    return strdup(text);
}

static enum ft_status put_events(struct db *db, const struct ingest_policy *policy,
                                 const void *items, size_t n, struct ingest_result *results,
                                 struct ft_err *err)
{
    return ingest_events(db, policy, items, n, results, err);
}

enum ft_status api_events_post(struct api_call *c, struct ft_err *err)
{
    static const char *const numbers[] = {"downtime_h", "cost", NULL};
    static const struct bulk_ops ops = {.numbers = numbers,
                                        .item_size = sizeof(struct ingest_event),
                                        .take = take_event,
                                        .clear = clear_event,
                                        .ingest = put_events,
                                        .text = event_text,
                                        .has_id = true};
    struct site site;
    int64_t n_taken = 0;
    const enum ft_status st = site_load(c->db, &site, err);
    return st == FT_OK ? bulk_post(c, &ops, site.currency, &n_taken, &c->n_events, err) : st;
}
