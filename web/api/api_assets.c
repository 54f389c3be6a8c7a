/* The fleet, its key figures, one asset's page and its timeline. */
#include "web/api/handlers.h"

#include "app/asset_page.h"
#include "app/base/json.h"
#include "app/fleet.h"
#include "app/health_index.h"
#include "app/kpi_report.h"
#include "db/asset_store.h"

#include <stdio.h>
#include <string.h>

/* A tree with "items" and "next_cursor" that a builder made: as it is, or its items as CSV. */
static enum ft_status reply_built_list(struct api_call *c, cJSON *tree, struct ft_err *err)
{
    const cJSON *next = json_get(tree, "next_cursor");
    char cursor[200] = "";
    if (cJSON_IsString(next))
        snprintf(cursor, sizeof(cursor), "%s", next->valuestring);
    if (cursor[0] == '\0' && !reply_accepts(http_header(c->rq, "Accept"), "text/csv"))
        return api_reply(c, tree, err);
    if (cursor[0] != '\0')
        api_add_link(c, cursor);
    if (!reply_accepts(http_header(c->rq, "Accept"), "text/csv"))
        return api_reply(c, tree, err);
    const enum ft_status st = reply_csv(c->reply, json_get(tree, "items"), err);
    c->reply->status = 200;
    cJSON_Delete(tree);
    return st;
}

enum ft_status api_assets_list(struct api_call *c, struct ft_err *err)
{
    const struct fleet_query q = {.window_ms = api_duration(c, "window", 0),
                                  .class_name = api_text(c, "class"),
                                  .area = api_text(c, "area"),
                                  .state = api_text(c, "state"),
                                  .q = api_text(c, "q"),
                                  .sort = api_text(c, "sort"),
                                  .cursor = api_text(c, "cursor"),
                                  .limit = (size_t)api_int(c, "limit", 0),
                                  .is_plain = api_text(c, "expand") == NULL};
    cJSON *tree = NULL;
    const enum ft_status st = fleet_json(c->db, &q, &tree, err);
    return st == FT_OK ? reply_built_list(c, tree, err) : st;
}

enum ft_status api_asset_get(struct api_call *c, struct ft_err *err)
{
    cJSON *tree = NULL;
    const enum ft_status st = asset_page_json(c->db, c->match->params[0], &tree, err);
    return st == FT_OK ? api_reply(c, tree, err) : st;
}

enum ft_status api_asset_timeline(struct api_call *c, struct ft_err *err)
{
    cJSON *tree = NULL;
    const enum ft_status st = asset_timeline_json(
        c->db, c->match->params[0], api_instant(c, "from", 0), api_instant(c, "to", 0), &tree, err);
    return st == FT_OK ? reply_built_list(c, tree, err) : st;
}

/* Reads the class, about 0.1 s of processor time for a million readings. */
enum ft_status api_asset_health(struct api_call *c, struct ft_err *err)
{
    struct asset a = {0};
    cJSON *tree = NULL;
    enum ft_status st = asset_find(c->db, c->match->params[0], &a, err);
    if (st == FT_OK)
        st = health_index_asset_json(c->db, &a, (size_t)api_int(c, "limit", 365), &tree, err);
    asset_clear(&a);
    return st == FT_OK ? api_reply(c, tree, err) : st;
}

enum ft_status api_kpi_get(struct api_call *c, struct ft_err *err)
{
    cJSON *tree = NULL;
    const char *period = api_text(c, "period");
    const enum ft_status st = period == NULL || strcmp(period, "now") == 0
                                  ? fleet_kpi_json(c->db, api_duration(c, "window", 0), &tree, err)
                                  : kpi_report_json(c->db, period, &tree, err);
    return st == FT_OK ? api_reply(c, tree, err) : st;
}

enum ft_status api_bad_actors_get(struct api_call *c, struct ft_err *err)
{
    cJSON *tree = NULL;
    const char *period = api_text(c, "period");
    const char *sort = api_text(c, "sort");
    if (sort != NULL && sort[0] == '-')
        sort++;
    const enum ft_status st = kpi_bad_actors_json(c->db, period != NULL ? period : "365d",
                                                  sort != NULL && sort[0] != '\0' ? sort : "cost",
                                                  (size_t)api_int(c, "limit", 100), &tree, err);
    if (st != FT_OK)
        return st;
    if (!reply_accepts(http_header(c->rq, "Accept"), "text/csv"))
        return api_reply(c, tree, err);
    cJSON *items = cJSON_DetachItemFromObjectCaseSensitive(tree, "items");
    cJSON_Delete(tree);
    return api_reply_list(c, items, NULL, err);
}
