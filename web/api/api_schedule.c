/* The plan in its three forms, and what it is made of. */
#include "web/api/handlers.h"

#include "app/base/json.h"
#include "app/catalog.h"
#include "app/schedule_report.h"
#include "app/site.h"
#include "db/work_order_store.h"

#include <stdio.h>
#include <string.h>

#define TYPE_CSV "text/csv; charset=utf-8"
#define TYPE_ICS "text/calendar; charset=utf-8"

static struct schedule_query query_of(const struct api_call *c)
{
    return (struct schedule_query){.from_ms = api_instant(c, "from", 0),
                                   .to_ms = api_instant(c, "to", 0),
                                   .kind = api_text(c, "kind")};
}

enum ft_status api_schedule_ics(struct api_call *c, struct ft_err *err)
{
    const struct schedule_query q = query_of(c);
    const enum ft_status st = schedule_ics(c->db, &q, &c->reply->body, err);
    c->reply->status = 200;
    c->reply->content_type = TYPE_ICS;
    snprintf(c->reply->disposition, sizeof(c->reply->disposition), "fettle-schedule.ics");
    return st;
}

enum ft_status api_schedule_csv(struct api_call *c, struct ft_err *err)
{
    const struct schedule_query q = query_of(c);
    const enum ft_status st = schedule_csv(c->db, &q, &c->reply->body, err);
    c->reply->status = 200;
    c->reply->content_type = TYPE_CSV;
    snprintf(c->reply->disposition, sizeof(c->reply->disposition), "fettle-schedule.csv");
    return st;
}

enum ft_status api_schedule_get(struct api_call *c, struct ft_err *err)
{
    const char *accept = http_header(c->rq, "Accept");
    if (reply_accepts(accept, "text/calendar"))
        return api_schedule_ics(c, err);
    if (reply_accepts(accept, "text/csv"))
        return api_schedule_csv(c, err);
    const struct schedule_query q = query_of(c);
    cJSON *tree = NULL;
    const enum ft_status st = schedule_json(c->db, &q, &tree, err);
    return st == FT_OK ? api_reply(c, tree, err) : st;
}

enum ft_status api_crews_list(struct api_call *c, struct ft_err *err)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    struct crew_list rows = {0};
    struct site site;
    enum ft_status st = site_load(c->db, &site, err);
    if (st == FT_OK)
        st = crew_list(c->db, &rows, err);
    if (st != FT_OK)
        return st;
    cJSON *items = cJSON_CreateArray();
    for (size_t i = 0; i < rows.n; i++) {
        const struct crew *k = &rows.items[i];
        cJSON *o = json_add_object(items, NULL);
        json_add_string(o, "name", k->name);
        json_add_string(o, "skills", k->skills);
        json_add_number(o, "hours_per_day", k->hours_per_day);
        cJSON *weekdays = json_add_array(o, "weekdays");
        for (int d = 0; d < 7; d++)
            if ((k->weekdays & 1 << d) != 0)
                json_add_string(weekdays, NULL, days[d]);
        api_add_money(o, "rate_per_h", k->rate_minor_per_h, site.currency);
    }
    crew_list_free(&rows);
    return api_reply_list(c, items, NULL, err);
}

static void add_plan(cJSON *items, const struct plan *p, const struct catalog *cat,
                     const char *currency)
{
    const struct asset_class *k = catalog_class(cat, p->class_id);
    const struct asset *a = catalog_asset(cat, p->asset_id);
    const struct component *part = catalog_component(cat, p->component_id);
    cJSON *o = json_add_object(items, NULL);
    json_add_string(o, "key", p->key);
    json_add_string(o, "name", p->name);
    json_add_string(o, "class", k != NULL ? k->name : NULL);
    json_add_string(o, "asset", a != NULL ? a->key : NULL);
    json_add_string(o, "component", part != NULL ? part->name : NULL);
    json_add_string(o, "action", p->action);
    json_add_number(o, "interval_s", (double)p->interval_ms / 1000.0);
    json_add_number(o, "tolerance_s", (double)p->tolerance_ms / 1000.0);
    json_add_instant(o, "anchor", p->anchor_ms);
    json_add_bool(o, "floating", p->is_floating);
    json_add_number(o, "duration_h", p->duration_h);
    api_add_money(o, "cost", p->cost_minor, currency);
    json_add_string(o, "skill", p->skill);
    json_add_bool(o, "active", p->is_active);
}

enum ft_status api_plans_list(struct api_call *c, struct ft_err *err)
{
    struct plan_list rows = {0};
    struct catalog cat = {0};
    struct site site;
    enum ft_status st = site_load(c->db, &site, err);
    if (st == FT_OK)
        st = catalog_load(c->db, &cat, err);
    if (st == FT_OK)
        st = plan_list(c->db, &rows, err);
    if (st == FT_OK) {
        cJSON *items = cJSON_CreateArray();
        for (size_t i = 0; i < rows.n; i++)
            add_plan(items, &rows.items[i], &cat, site.currency);
        st = api_reply_list(c, items, NULL, err);
        plan_list_free(&rows);
    }
    catalog_free(&cat);
    return st;
}
