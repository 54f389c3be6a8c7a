/* What was learned and foretold: forecasts, ledger, models, runs. */
#include "web/api/handlers.h"

#include "app/base/json.h"
#include "app/catalog.h"
#include "db/model_store.h"
#include "db/prediction_store.h"
#include "db/run_store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pages of a list that is sorted by falling id: an item is shown when its id is below the cursor's.
 */
struct pager {
    int64_t below; /* 0 = from the beginning */
    size_t limit, n;
    int64_t last_id;
    bool has_more;
};

static enum ft_status pager_start(struct api_call *c, struct pager *p, struct ft_err *err)
{
    *p = (struct pager){.limit = (size_t)api_int(c, "limit", 100)};
    return api_cursor(c, &p->below, err);
}

static bool pager_takes(struct pager *p, int64_t id)
{
    if ((p->below != 0 && id >= p->below) || p->has_more)
        return false;
    if (p->n == p->limit) {
        p->has_more = true;
        return false;
    }
    p->n++;
    p->last_id = id;
    return true;
}

static enum ft_status pager_reply(struct api_call *c, const struct pager *p, cJSON *items,
                                  struct ft_err *err)
{
    char next[40];
    api_cursor_make(p->last_id, next);
    return api_reply_list(c, items, p->has_more ? next : NULL, err);
}

/* Id of the asset or class that the request names; 0 when it names none. */
static enum ft_status named_asset(struct api_call *c, int64_t *id, struct ft_err *err)
{
    struct asset a = {0};
    const char *key = api_text(c, "asset");
    const enum ft_status st = key != NULL ? asset_find(c->db, key, &a, err) : FT_OK;
    *id = a.id;
    asset_clear(&a);
    return st;
}

static enum ft_status named_class(struct api_call *c, int64_t *id, struct ft_err *err)
{
    struct asset_class k = {0};
    const char *name = api_text(c, "class");
    const enum ft_status st = name != NULL ? class_find(c->db, name, &k, err) : FT_OK;
    *id = k.id;
    asset_class_clear(&k);
    return st;
}

static void add_names(cJSON *o, const struct catalog *cat, int64_t asset_id, int64_t component_id)
{
    const struct asset *a = catalog_asset(cat, asset_id);
    const struct component *p = catalog_component(cat, component_id);
    json_add_string(o, "asset", a != NULL ? a->key : NULL);
    json_add_string(o, "component", p != NULL ? p->name : NULL);
}

/* Forecasts have no id of their own at the edges: their place in the sorted list is the cursor. */
enum ft_status api_forecasts_list(struct api_call *c, struct ft_err *err)
{
    struct catalog cat = {0};
    struct forecast_row_list rows = {0};
    int64_t asset_id = 0, class_id = 0, at = 0;
    const int64_t since_ms = api_instant(c, "since", INT64_MIN);
    const size_t limit = (size_t)api_int(c, "limit", 100);
    enum ft_status st = named_asset(c, &asset_id, err);
    if (st == FT_OK)
        st = named_class(c, &class_id, err);
    if (st == FT_OK)
        st = api_cursor(c, &at, err);
    if (st == FT_OK)
        st = catalog_load(c->db, &cat, err);
    if (st == FT_OK)
        st = forecast_list(c->db, class_id, asset_id, &rows, err);
    if (st == FT_OK) {
        size_t n = 0, i = at > 0 ? (size_t)at : 0;
        char next[40];
        cJSON *items = cJSON_CreateArray();
        for (; i < rows.n && n < limit; i++) {
            const struct forecast_row *r = &rows.items[i];
            if (r->scored_ms < since_ms)
                continue;
            cJSON *o = json_add_object(items, NULL);
            add_names(o, &cat, r->asset_id, r->component_id);
            json_add_instant(o, "as_of", r->as_of_ms);
            json_add_instant(o, "scored_at", r->scored_ms);
            api_add_id(o, "model", r->model_id);
            api_add_json(o, "forecast", r->body);
            n++;
        }
        api_cursor_make((int64_t)i, next);
        st = api_reply_list(c, items, i < rows.n ? next : NULL, err);
        forecast_row_list_free(&rows);
    }
    catalog_free(&cat);
    return st;
}

enum ft_status api_ledger_list(struct api_call *c, struct ft_err *err)
{
    struct catalog cat = {0};
    struct ledger_list rows = {0};
    struct pager p;
    int64_t asset_id = 0;
    enum ft_status st = named_asset(c, &asset_id, err);
    if (st == FT_OK)
        st = pager_start(c, &p, err);
    if (st == FT_OK)
        st = catalog_load(c->db, &cat, err);
    if (st == FT_OK)
        st = ledger_list(c->db, asset_id, 0, &rows, err);
    if (st == FT_OK) {
        cJSON *items = cJSON_CreateArray();
        for (size_t i = 0; i < rows.n; i++) {
            const struct ledger_row *r = &rows.items[i];
            if (!pager_takes(&p, r->id))
                continue;
            cJSON *o = json_add_object(items, NULL);
            json_add_int(o, "id", r->id);
            add_names(o, &cat, r->asset_id, r->component_id);
            api_add_id(o, "model", r->model_id);
            json_add_instant(o, "as_of", r->as_of_ms);
            json_add_number(o, "horizon_s", (double)r->horizon_ms / 1000.0);
            json_add_number(o, "p", r->p);
            json_add_string(o, "outcome", r->outcome);
            api_add_id(o, "event", r->event_id);
            api_add_instant(o, "decided_at", r->outcome != NULL ? r->decided_ms : DB_NO_TIME);
        }
        st = pager_reply(c, &p, items, err);
        ledger_list_free(&rows);
    }
    catalog_free(&cat);
    return st;
}

static cJSON *model_json(const struct model_row *m, const struct catalog *cat, bool is_whole)
{
    const struct asset_class *k = catalog_class(cat, m->class_id);
    const struct component *p = catalog_component(cat, m->component_id);
    cJSON *o = cJSON_CreateObject();
    json_add_int(o, "id", m->id);
    json_add_string(o, "class", k != NULL ? k->name : NULL);
    json_add_string(o, "target", m->target);
    json_add_string(o, "component", p != NULL ? p->name : NULL);
    json_add_number(o, "horizon_s", m->horizon_ms > 0 ? (double)m->horizon_ms / 1000.0 : NAN);
    json_add_string(o, "kind", m->kind);
    json_add_string(o, "state", m->state);
    json_add_string(o, "reason", m->reason);
    json_add_instant(o, "created_at", m->created_ms);
    json_add_instant(o, "until", m->until_ms);
    api_add_id(o, "run", m->run_id);
    json_add_int(o, "seed", m->seed);
    json_add_string(o, "build", m->build);
    json_add_string(o, "fingerprint", m->fingerprint);
    json_add_string(o, "sha256", m->sha256);
    api_add_json(o, "metrics", m->metrics);
    if (is_whole) {
        api_add_json(o, "params", m->params);
        api_add_json(o, "features", m->features);
    }
    return o;
}

enum ft_status api_models_list(struct api_call *c, struct ft_err *err)
{
    struct catalog cat = {0};
    struct model_list rows = {0};
    struct pager p;
    int64_t class_id = 0;
    enum ft_status st = named_class(c, &class_id, err);
    if (st == FT_OK)
        st = pager_start(c, &p, err);
    if (st == FT_OK)
        st = catalog_load(c->db, &cat, err);
    if (st == FT_OK)
        st = model_list(c->db, class_id, api_text(c, "target"), api_text(c, "state"), &rows, err);
    if (st == FT_OK) {
        cJSON *items = cJSON_CreateArray();
        for (size_t i = 0; i < rows.n; i++)
            if (pager_takes(&p, rows.items[i].id))
                cJSON_AddItemToArray(items, model_json(&rows.items[i], &cat, false));
        st = pager_reply(c, &p, items, err);
        model_list_free(&rows);
    }
    catalog_free(&cat);
    return st;
}

/* A number in the path; FT_NOT_FOUND when it is none, for then nothing has it. */
static enum ft_status path_id(struct api_call *c, const char *what, int64_t *id, struct ft_err *err)
{
    const char *text = c->match->params[0];
    char *end = NULL;
    *id = strtoll(text, &end, 10);
    if (*end != '\0' || *id <= 0)
        return ft_fail(err, FT_NOT_FOUND, "there is no %s %.60s", what, text);
    return FT_OK;
}

enum ft_status api_model_get(struct api_call *c, struct ft_err *err)
{
    struct catalog cat = {0};
    struct model_row m = {0};
    int64_t id = 0;
    enum ft_status st = path_id(c, "model", &id, err);
    if (st == FT_OK)
        st = model_get(c->db, id, &m, err);
    if (st != FT_OK)
        return st;
    st = catalog_load(c->db, &cat, err);
    if (st == FT_OK)
        st = api_reply(c, model_json(&m, &cat, true), err);
    model_clear(&m);
    catalog_free(&cat);
    return st;
}

static cJSON *run_json(const struct run_row *r)
{
    cJSON *o = cJSON_CreateObject();
    json_add_int(o, "id", r->id);
    json_add_string(o, "kind", r->kind);
    json_add_string(o, "state", r->state);
    json_add_instant(o, "started", r->started_ms);
    api_add_instant(o, "ended", r->ended_ms);
    json_add_string(o, "stage", r->stage);
    json_add_int(o, "done", r->done);
    json_add_int(o, "total", r->total);
    api_add_json(o, "report", r->report);
    return o;
}

enum ft_status api_runs_list(struct api_call *c, struct ft_err *err)
{
    struct run_list rows = {0};
    struct pager p;
    enum ft_status st = pager_start(c, &p, err);
    if (st == FT_OK)
        st = run_list(c->db, api_text(c, "kind"), 0, &rows, err);
    if (st != FT_OK)
        return st;
    cJSON *items = cJSON_CreateArray();
    for (size_t i = 0; i < rows.n; i++)
        if (pager_takes(&p, rows.items[i].id))
            cJSON_AddItemToArray(items, run_json(&rows.items[i]));
    run_list_free(&rows);
    return pager_reply(c, &p, items, err);
}

enum ft_status api_run_get(struct api_call *c, struct ft_err *err)
{
    struct run_row r = {0};
    int64_t id = 0;
    enum ft_status st = path_id(c, "run", &id, err);
    if (st == FT_OK)
        st = run_get(c->db, id, &r, err);
    if (st != FT_OK)
        return st;
    cJSON *o = run_json(&r);
    run_clear(&r);
    return api_reply(c, o, err);
}

enum ft_status api_runs_post(struct api_call *c, struct ft_err *err)
{
    static const char *const known[] = {"kind", NULL};
    const char *kind = NULL;
    int64_t id = 0;
    enum ft_status st = json_only_keys(c->json, known, err);
    if (st == FT_OK)
        st = json_string(c->json, "kind", true, &kind, err);
    if (st != FT_OK)
        return st;
    if (strcmp(kind, "retrain") != 0)
        return ft_fail(err, FT_INVALID, "/kind: expected retrain");
    if (c->api->start_retrain == NULL)
        return ft_fail(err, FT_BUSY, "retraining is not available in this server");
    st = c->api->start_retrain(c->api->night, &id, err);
    if (st == FT_CONFLICT || st == FT_BUSY)
        return api_fail(c, 409, "already-running", err, FT_CONFLICT,
                        "a retraining is running already");
    if (st != FT_OK)
        return st;
    snprintf(c->reply->location, sizeof(c->reply->location), "/api/v1/runs/%lld", (long long)id);
    cJSON *o = cJSON_CreateObject();
    json_add_int(o, "id", id);
    json_add_string(o, "kind", "retrain");
    json_add_string(o, "state", "running");
    return api_reply(c, o, err);
}
