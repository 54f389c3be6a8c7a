/* What-ifs of the plan: computed only, or computed and kept under a name to be listed, compared and
 * taken away. The published plan never changes with them. */
#include "web/api/handlers.h"

#include "app/base/json.h"
#include "app/planner/planner.h"
#include "app/writer.h"
#include "db/db.h"
#include "db/scenario_store.h"

#include <stdlib.h>
#include <string.h>

/* The plan with other crews, costs, limits or stops beside the present one; nothing is kept. */
enum ft_status api_scenarios_post(struct api_call *c, struct ft_err *err)
{
    cJSON *tree = NULL;
    const enum ft_status st = planner_what_if(c->db, c->json, 0, &tree, err);
    return st == FT_OK ? api_reply(c, tree, err) : st;
}

/* Moves the members of a stored object to the end of another one. */
static enum ft_status add_members(cJSON *to, const char *text, struct ft_err *err)
{
    cJSON *from = NULL;
    const enum ft_status st = json_parse(text, strlen(text), &from, err);
    while (st == FT_OK && from->child != NULL) {
        cJSON *item = cJSON_DetachItemViaPointer(from, from->child);
        if (!cJSON_AddItemToObject(to, item->string, item)) {
            cJSON_Delete(item);
            cJSON_Delete(from);
            return ft_fail(err, FT_NOMEM, "what-if: no memory");
        }
    }
    cJSON_Delete(from);
    return st;
}

static enum ft_status reply_scenario(struct api_call *c, const struct scenario *x,
                                     struct ft_err *err)
{
    cJSON *o = cJSON_CreateObject();
    cJSON *changes = json_add_object(o, "changes");
    json_add_string(o, "key", x->key);
    json_add_instant(o, "computed", x->computed_ms);
    json_add_string(o, "by", x->actor);
    enum ft_status st = add_members(changes, x->changes, err);
    if (st == FT_OK)
        st = add_members(o, x->result, err);
    if (st == FT_OK)
        return api_reply(c, o, err);
    cJSON_Delete(o);
    return st;
}

enum ft_status api_scenario_get(struct api_call *c, struct ft_err *err)
{
    struct scenario x = {0};
    enum ft_status st = scenario_find(c->db, c->match->params[0], &x, err);
    if (st == FT_OK)
        st = reply_scenario(c, &x, err);
    scenario_clear(&x);
    return st;
}

struct keeping {
    struct api_call *call;
    struct scenario row;
};

static enum ft_status keep_row(struct db *db, void *ctx, struct ft_err *err)
{
    struct keeping *k = ctx;
    struct db *reader = k->call->db;
    k->call->db = db;
    enum ft_status st = scenario_put(db, &k->row, err);
    if (st == FT_OK)
        st = api_audit(k->call, "scenario.put", k->row.key, k->call->json, err);
    k->call->db = reader;
    return st;
}

/* Computes on the reader, so that nobody waits for the two plans; then one short write. */
enum ft_status api_scenario_put(struct api_call *c, struct ft_err *err)
{
    cJSON *tree = NULL;
    const char *key = c->match->params[0];
    if (strlen(key) > 100)
        return ft_fail(err, FT_INVALID, "name of a what-if: expected 1 to 100 bytes");
    enum ft_status st = db_begin(c->db, err);
    if (st != FT_OK)
        return st;
    st = planner_what_if(c->db, c->json, 0, &tree, err);
    db_rollback(c->db);
    if (st != FT_OK)
        return st;
    struct keeping k = {.call = c,
                        .row = {.key = strdup(key),
                                .changes = json_print(c->json, false),
                                .result = json_print(tree, false),
                                .actor = strdup(c->actor),
                                .computed_ms = c->now_ms}};
    cJSON_Delete(tree);
    if (k.row.key == NULL || k.row.changes == NULL || k.row.result == NULL || k.row.actor == NULL)
        st = ft_fail(err, FT_NOMEM, "what-if: no memory");
    if (st == FT_OK)
        st = writer_call(c->api->writer, WRITER_WAIT_MS, keep_row, &k, err);
    if (st == FT_OK)
        st = reply_scenario(c, &k.row, err);
    scenario_clear(&k.row);
    return st;
}

enum ft_status api_scenario_delete(struct api_call *c, struct ft_err *err)
{
    const char *key = c->match->params[0];
    enum ft_status st = scenario_delete(c->db, key, err);
    if (st == FT_OK)
        st = api_audit(c, "scenario.delete", key, NULL, err);
    c->reply->status = 204;
    return st;
}

static void add_figure(cJSON *o, const char *key, const cJSON *from, const char *member)
{
    const cJSON *v = json_get(from, member);
    if (cJSON_IsNumber(v))
        json_add_number(o, key, v->valuedouble);
    else
        json_add_null(o, key);
}

/* One row of the comparison: the plan under the changes, and against the plan of that moment. */
static enum ft_status add_row(cJSON *items, const struct scenario *x, struct ft_err *err)
{
    static const char *const figures[] = {"expected_cost",   "risk_left", "hours",
                                          "hours_available", "placed",    "not_placed",
                                          "predictive"};
    cJSON *result = NULL;
    const enum ft_status st = json_parse(x->result, strlen(x->result), &result, err);
    if (st != FT_OK)
        return st;
    cJSON *o = json_add_object(items, NULL);
    json_add_string(o, "key", x->key);
    json_add_instant(o, "computed", x->computed_ms);
    json_add_string(o, "by", x->actor);
    json_add_string(o, "currency", cJSON_GetStringValue(json_get(result, "currency")));
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
        add_figure(o, figures[i], json_get(result, "changed"), figures[i]);
    add_figure(o, "cost_difference", json_get(result, "difference"), "expected_cost");
    add_figure(o, "risk_difference", json_get(result, "difference"), "risk_left");
    add_figure(o, "hours_difference", json_get(result, "difference"), "hours");
    add_figure(o, "not_placed_difference", json_get(result, "difference"), "not_placed");
    json_add_int(o, "moves", cJSON_GetArraySize(json_get(result, "moves")));
    cJSON_Delete(result);
    return FT_OK;
}

enum ft_status api_scenarios_list(struct api_call *c, struct ft_err *err)
{
    struct scenario_list rows = {0};
    cJSON *items = cJSON_CreateArray();
    enum ft_status st = scenario_list(c->db, &rows, err);
    for (size_t i = 0; i < rows.n && st == FT_OK; i++)
        st = add_row(items, &rows.items[i], err);
    scenario_list_free(&rows);
    if (st == FT_OK)
        return api_reply_list(c, items, NULL, err);
    cJSON_Delete(items);
    return st;
}
