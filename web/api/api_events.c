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

struct taking {
    struct ingest_event *items; /* strings owned */
    size_t *index;
    size_t n, cap;
    const char *currency;
};

static void event_free(struct ingest_event *e)
{
    free((char *)(uintptr_t)e->asset);
    free((char *)(uintptr_t)e->kind);
    free((char *)(uintptr_t)e->component);
    free((char *)(uintptr_t)e->code);
    free((char *)(uintptr_t)e->note);
    free((char *)(uintptr_t)e->external_key);
}

static enum ft_status grow(struct taking *t, struct ft_err *err)
{
    if (t->n < t->cap)
        return FT_OK;
    const size_t cap = t->cap == 0 ? 256 : t->cap * 2;
    struct ingest_event *items = realloc(t->items, cap * sizeof(*items));
    if (items != NULL)
        t->items = items;
    size_t *index = realloc(t->index, cap * sizeof(*index));
    if (index != NULL)
        t->index = index;
    if (items == NULL || index == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for %zu events", cap);
    t->cap = cap;
    return FT_OK;
}

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

static enum ft_status take_event(void *ctx, size_t index, const cJSON *item, struct ft_err *err)
{
    static const char *const known[] = {"asset", "kind",       "at",   "component",    "code",
                                        "note",  "downtime_h", "cost", "external_key", NULL};
    struct taking *t = ctx;
    struct ingest_event e = {.downtime_h = NAN, .cost_minor = DB_NO_MONEY};
    double cost = NAN;
    enum ft_status st = json_only_keys(item, known, err);
    if (st == FT_OK)
        st = copy_text(item, "asset", true, &e.asset, err);
    if (st == FT_OK)
        st = copy_text(item, "kind", true, &e.kind, err);
    if (st == FT_OK)
        st = copy_text(item, "component", false, &e.component, err);
    if (st == FT_OK)
        st = copy_text(item, "code", false, &e.code, err);
    if (st == FT_OK)
        st = copy_text(item, "note", false, &e.note, err);
    if (st == FT_OK)
        st = copy_text(item, "external_key", false, &e.external_key, err);
    if (st == FT_OK)
        st = json_instant(item, "at", true, &e.ts_ms, err);
    if (st == FT_OK)
        st = json_number(item, "downtime_h", false, &e.downtime_h, err);
    if (st == FT_OK)
        st = json_number(item, "cost", false, &cost, err);
    if (st == FT_OK && e.downtime_h < 0)
        st = ft_fail(err, FT_INVALID, "/downtime_h: expected a number of hours, 0 or more");
    if (st == FT_OK && !isnan(cost))
        e.cost_minor = money_from_major(cost, t->currency);
    if (st == FT_OK)
        st = grow(t, err);
    if (st != FT_OK) {
        event_free(&e);
        return st;
    }
    t->items[t->n] = e;
    t->index[t->n++] = index;
    return FT_OK;
}

static char *event_text(const struct ingest_event *e)
{
    char at[CLOCK_TEXT_SIZE], text[900];
    clock_format_utc(e->ts_ms, at);
    snprintf(text, sizeof(text), "%.200s,%.40s,%s,%.200s,%.200s", e->asset, e->kind, at,
             e->component != NULL ? e->component : "", e->code != NULL ? e->code : "");
    return strdup(text);
}

enum ft_status api_events_post(struct api_call *c, struct ft_err *err)
{
    static const char *const numbers[] = {"downtime_h", "cost", NULL};
    struct site site;
    struct bulk b = {0};
    struct taking t = {0};
    struct ingest_result *results = NULL;
    const struct ingest_policy policy = {.class_name = api_text(c, "class"), .source = c->actor};
    enum ft_status st = site_load(c->db, &site, err);
    t.currency = site.currency;
    if (st == FT_OK)
        st = bulk_read(c, numbers, take_event, &t, &b, err);
    if (st != FT_OK)
        goto out;
    results = calloc(t.n + 1, sizeof(*results));
    if (results == NULL) {
        st = ft_fail(err, FT_NOMEM, "no memory for %zu events", t.n);
        goto out;
    }
    if (t.n > 0)
        st = ingest_events(c->db, &policy, t.items, t.n, results, err);
    if (st != FT_OK && st != FT_PARTIAL)
        goto out;
    for (size_t i = 0; i < t.n; i++) {
        struct bulk_answer *a = &b.answers[t.index[i]];
        a->status = results[i].status;
        a->is_new = results[i].is_new;
        a->id = results[i].status == FT_OK ? results[i].id : 0;
        snprintf(a->reason, sizeof(a->reason), "%s", results[i].reason);
        if (a->status != FT_OK)
            a->raw = event_text(&t.items[i]);
        c->n_events += a->status == FT_OK && a->is_new;
    }
    st = bulk_reply(c, &b, err);
out:
    free(results);
    for (size_t i = 0; i < t.n; i++)
        event_free(&t.items[i]);
    free(t.items);
    free(t.index);
    bulk_free(&b);
    return st;
}
