/* Bulk bodies of readings from the parser to the database: the first byte chooses JSON, NDJSON or
 * CSV, the rest is the body. The answer must have a result for every item. */
#include "app/base/json.h"
#include "app/config.h"
#include "app/writer.h"
#include "db/db.h"
#include "web/api/handlers.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static struct writer *open_writer(void)
{
    char path[64];
    struct db *db = NULL;
    struct writer *w = NULL;
    struct ft_err err;
    snprintf(path, sizeof(path), "/dev/shm/fettle-fuzz-%d.db", (int)getpid());
    if (sodium_init() < 0 || db_open_writer(path, true, &db, &err) != FT_OK ||
        writer_new(db, &w, &err) != FT_OK)
        abort();
    unlink(path); /* the file lives as long as we do */
    return w;
}

static const struct route *find_route(const char *id)
{
    for (size_t i = 0; i < api_routes_count; i++)
        if (strcmp(api_routes[i].id, id) == 0)
            return &api_routes[i];
    abort();
}

static void check_answer(const struct http_reply *r)
{
    cJSON *tree = NULL;
    struct ft_err err;
    if (json_parse(r->body.data, r->body.len, &tree, &err) != FT_OK)
        abort();
    const cJSON *items = json_get(tree, "items");
    const cJSON *n = json_get(tree, "received");
    if (n == NULL || cJSON_GetArraySize(items) != n->valueint)
        abort();
    cJSON_Delete(tree);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const char *const types[] = {"application/json", "application/x-ndjson", "text/csv"};
    static struct config config;
    static struct api api;
    static struct http_request rq;
    static const struct route_match match;
    struct http_reply reply;
    struct ft_err err;
    if (size == 0)
        return 0;
    if (api.writer == NULL) {
        api.writer = open_writer();
        api.config = &config;
    }
    const char *type = types[data[0] % 3];
    rq.headers[0] = (struct http_header){"Content-Type", type, 12, strlen(type)};
    rq.n_headers = 1;
    rq.uri.n_query = 1;
    rq.uri.query[0].name = "class";
    rq.uri.query[0].value = "k";
    char *body = malloc(size);
    if (body == NULL)
        return 0;
    memcpy(body, data + 1, size - 1);
    body[size - 1] = '\0';
    reply_init(&reply);
    struct api_call c = {.api = &api,
                         .rq = &rq,
                         .reply = &reply,
                         .match = &match,
                         .route = find_route("postReadings"),
                         .body = body,
                         .body_len = size - 1,
                         .now_ms = 1767225600000};
    if (api_readings_post(&c, &err) == FT_OK)
        check_answer(&reply);
    cJSON_Delete(c.json);
    reply_free(&reply);
    free(body);
    return 0;
}
