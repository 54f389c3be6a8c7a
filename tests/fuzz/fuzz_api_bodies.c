/* JSON bodies of the calls that write, by their handlers on a small plant: what is taken must fit
 * the database, and no body may make the server say that the fault is its own. The first byte
 * chooses the call; every call is rolled back. Solving, pricing and ROI are left out: they take
 * seconds, and their bodies have targets of their own or no fields. */
#include "app/base/json.h"
#include "app/config.h"
#include "app/plan_json.h"
#include "db/asset_store.h"
#include "db/case_store.h"
#include "db/db.h"
#include "web/api/api.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const struct call {
    const char *route, *param; /* path parameter; NULL = none */
} calls[] = {
    {"createWorkOrder", NULL}, {"patchWorkOrder", "WO-00001"}, {"closeWorkOrder", "WO-00001"},
    {"createPlan", NULL},      {"patchPlan", "PM-0001"},       {"optimisePlan", NULL},
    {"putCrew", NULL},         {"createCalendarEntry", NULL},  {"decideCase", "1"},
    {"judgeCase", "1"},        {"createWebhook", NULL},        {"createKey", NULL},
};
enum { N_CALLS = sizeof(calls) / sizeof(calls[0]) };
static const int64_t NOW_MS = 1767225600000;

static struct config config;
static struct api api = {.config = &config};
static struct db *db;

static void require(bool is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static const struct route *find_route(const char *id)
{
    for (size_t i = 0; i < api_routes_count; i++)
        if (strcmp(api_routes[i].id, id) == 0)
            return &api_routes[i];
    abort();
}

static enum ft_status call(const struct call *which, cJSON *json, struct ft_err *err)
{
    static struct http_request rq;
    const struct route_match match = {.n_params = which->param != NULL, .params = {which->param}};
    struct http_reply reply;
    rq.headers[0] = (struct http_header){"If-Match", "*", 8, 1};
    rq.n_headers = 1;
    reply_init(&reply);
    struct api_call c = {.api = &api,
                         .rq = &rq,
                         .reply = &reply,
                         .match = &match,
                         .route = find_route(which->route),
                         .db = db,
                         .json = json,
                         .role = ROLE_ADMIN,
                         .actor = "fuzz",
                         .now_ms = NOW_MS};
    const enum ft_status st = c.route->handler(&c, err);
    require(st == FT_OK || (c.http_status != 0 ? c.http_status : reply_status_of(st)) < 500,
            err->msg);
    if (st == FT_OK && reply.body.len > 0) {
        cJSON *answer = NULL;
        require(json_parse(reply.body.data, reply.body.len, &answer, err) == FT_OK, err->msg);
        cJSON_Delete(answer);
    }
    reply_free(&reply);
    return st;
}

static void prepare(const char *route, const char *text)
{
    const struct call c = {route, NULL};
    struct ft_err err;
    cJSON *json = NULL;
    require(json_parse(text, strlen(text), &json, &err) == FT_OK, err.msg);
    require(call(&c, json, &err) == FT_OK, err.msg);
    cJSON_Delete(json);
}

static void make_plant(void)
{
    char path[64], open[] = "open", reason[] = "vibration rises";
    struct ft_err err;
    int64_t class_id = 0, component_id = 0, asset_id = 0, case_id = 0;
    snprintf(path, sizeof(path), "/dev/shm/fettle-bodies-%d.db", (int)getpid());
    require(sodium_init() >= 0 && db_open_writer(path, true, &db, &err) == FT_OK &&
                config_load_text("", "fuzz", &config, &err) == FT_OK &&
                db_begin(db, &err) == FT_OK && class_ensure(db, "pump", &class_id, &err) == FT_OK &&
                component_ensure(db, class_id, "bearing", &component_id, &err) == FT_OK &&
                asset_ensure(db, "P-1", "pump", &asset_id, &err) == FT_OK,
            err.msg);
    unlink(path); /* the file lives as long as we do */
    const struct risk_case k = {.asset_id = asset_id,
                                .component_id = component_id,
                                .state = open,
                                .opened_ms = NOW_MS,
                                .closed_ms = DB_NO_TIME,
                                .until_ms = DB_NO_TIME,
                                .p_window = 0.3,
                                .saving_minor = DB_NO_MONEY,
                                .reason = reason,
                                .updated_ms = NOW_MS};
    require(case_insert(db, &k, &case_id, &err) == FT_OK && case_id == 1, err.msg);
    prepare("putCrew", "{\"name\":\"A\",\"hours_per_day\":8}");
    prepare("createPlan", "{\"name\":\"grease\",\"asset\":\"P-1\",\"interval_s\":2592000}");
    prepare("createWorkOrder", "{\"title\":\"look\",\"asset\":\"P-1\",\"component\":\"bearing\"}");
    require(db_commit(db, &err) == FT_OK, err.msg);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct ft_err err;
    cJSON *json = NULL;
    if (size == 0)
        return 0;
    if (db == NULL)
        make_plant();
    if (json_parse((const char *)data + 1, size - 1, &json, &err) != FT_OK)
        return 0;
    require(db_begin(db, &err) == FT_OK, err.msg);
    (void)call(&calls[data[0] % N_CALLS], json, &err);
    db_rollback(db);
    cJSON_Delete(json);
    return 0;
}
