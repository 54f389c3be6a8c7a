/* /openapi.json (OpenAPI 3.1) from the route table that the server itself routes by. */
#include "web/api/api.h"

#include "app/base/json.h"
#include "app/version.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_param(cJSON *params, const char *name, const char *in, bool required,
                      const char *doc, cJSON *schema)
{
    cJSON *p = json_add_object(params, NULL);
    json_add_string(p, "name", name);
    json_add_string(p, "in", in);
    json_add_bool(p, "required", required);
    json_add_string(p, "description", doc);
    cJSON_AddItemToObject(p, "schema", schema);
}

static cJSON *string_schema(const char *format)
{
    cJSON *s = cJSON_CreateObject();
    json_add_string(s, "type", "string");
    if (format != NULL)
        json_add_string(s, "format", format);
    return s;
}

static void add_query_param(cJSON *params, const struct api_param *p)
{
    cJSON *schema = string_schema(p->type == PARAM_INSTANT ? "date-time" : NULL);
    if (p->type == PARAM_INT) {
        cJSON_Delete(schema);
        schema = cJSON_CreateObject();
        json_add_string(schema, "type", "integer");
        json_add_int(schema, "minimum", p->min);
        if (p->max < INT64_MAX)
            json_add_int(schema, "maximum", p->max);
    }
    add_param(params, p->name, "query", false, p->doc, schema);
}

static void add_path_params(cJSON *params, const char *pattern)
{
    for (const char *p = strchr(pattern, '{'); p != NULL; p = strchr(p, '{')) {
        char name[40];
        const size_t len = strcspn(++p, "}");
        snprintf(name, sizeof(name), "%.*s", (int)len, p);
        add_param(params, name, "path", true, "percent-encoded", string_schema(NULL));
    }
}

static void add_params(cJSON *operation, const struct route *r)
{
    cJSON *params = json_add_array(operation, "parameters");
    add_path_params(params, r->key.pattern);
    for (const char *p = r->params != NULL ? r->params : ""; *p != '\0';) {
        const size_t len = strcspn(p, " ");
        for (size_t i = 0; i < api_params_count; i++)
            if (strlen(api_params[i].name) == len && strncmp(api_params[i].name, p, len) == 0)
                add_query_param(params, &api_params[i]);
        p += len + (p[len] == ' ');
    }
    if (strcmp(r->key.method, "PATCH") == 0)
        add_param(params, "If-Match", "header", true, "ETag of the version that was read",
                  string_schema(NULL));
    if ((r->flags & ROUTE_IDEMPOTENT) != 0)
        add_param(params, "Idempotency-Key", "header", false,
                  "the same key within 24 hours gives the same answer and does nothing twice",
                  string_schema(NULL));
}

static void add_content(cJSON *content, const char *media, const char *schema_name)
{
    char ref[100];
    snprintf(ref, sizeof(ref), "#/components/schemas/%s", schema_name);
    cJSON *schema = json_add_object(json_add_object(content, media), "schema");
    if (api_has_schema(schema_name))
        json_add_string(schema, "$ref", ref);
    else
        json_add_string(schema, "type", "string");
}

static const char *media_of(const char *schema_name)
{
    if (strcmp(schema_name, "Text") == 0)
        return "text/plain";
    if (strcmp(schema_name, "Calendar") == 0)
        return "text/calendar";
    return strcmp(schema_name, "Csv") == 0 ? "text/csv" : "application/json";
}

static void add_body(cJSON *operation, const struct route *r)
{
    if (r->in == NULL)
        return;
    cJSON *body = json_add_object(operation, "requestBody");
    json_add_bool(body, "required", true);
    cJSON *content = json_add_object(body, "content");
    if (strcmp(r->in, "Text") == 0) {
        add_content(content, "text/plain", "Text");
        return;
    }
    add_content(content,
                strcmp(r->key.method, "PATCH") == 0 ? "application/merge-patch+json"
                                                    : "application/json",
                r->in);
    if ((r->flags & ROUTE_RAW) != 0) {
        add_content(content, "application/x-ndjson", "Text");
        add_content(content, "text/csv", "Csv");
    }
}

static void add_problem(cJSON *responses, const char *status, const char *text)
{
    cJSON *p = json_add_object(responses, status);
    json_add_string(p, "description", text);
    add_content(json_add_object(p, "content"), "application/problem+json", "Problem");
}

static void add_responses(cJSON *operation, const struct route *r)
{
    char status[8];
    cJSON *responses = json_add_object(operation, "responses");
    snprintf(status, sizeof(status), "%d", r->ok_status);
    cJSON *ok = json_add_object(responses, status);
    json_add_string(ok, "description", r->doc);
    if (r->out != NULL) {
        cJSON *content = json_add_object(ok, "content");
        add_content(content, media_of(r->out), r->out);
        if ((r->flags & ROUTE_CSV) != 0)
            add_content(content, "text/csv", "Csv");
        if (strcmp(r->out, "Schedule") == 0)
            add_content(content, "text/calendar", "Calendar");
    }
    if ((r->flags & ROUTE_RAW) != 0 && (r->flags & ROUTE_INFLUX) == 0) {
        cJSON *partial = json_add_object(responses, "207");
        json_add_string(partial, "description", "Done; at least one item was not taken.");
        add_content(json_add_object(partial, "content"), "application/json", r->out);
    }
    add_problem(responses, "400", "The request is malformed.");
    if ((r->flags & ROUTE_PUBLIC) == 0) {
        add_problem(responses, "401", "A valid key is needed.");
        add_problem(responses, "403", "The key's role does not allow it.");
    }
    if (strchr(r->key.pattern, '{') != NULL)
        add_problem(responses, "404", "There is no such thing.");
    if (strcmp(r->key.method, "PATCH") == 0) {
        add_problem(responses, "412", "It was changed since it was read.");
        add_problem(responses, "428", "If-Match is missing.");
    }
    if (r->max_body > 0) {
        add_problem(responses, "413", "The body is too large.");
        add_problem(responses, "422", "The body's meaning is wrong; errors[] points to the place.");
    }
    if ((r->flags & ROUTE_WRITE) != 0)
        add_problem(responses, "409", "The present state does not allow it.");
    add_problem(responses, "503", "Busy or stopping; see Retry-After.");
}

static void add_operation(cJSON *paths, const struct route *r)
{
    char method[12];
    snprintf(method, sizeof(method), "%s", r->key.method);
    for (char *p = method; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    cJSON *path = cJSON_GetObjectItemCaseSensitive(paths, r->key.pattern);
    if (path == NULL)
        path = json_add_object(paths, r->key.pattern);
    cJSON *o = json_add_object(path, method);
    json_add_string(o, "operationId", r->id);
    json_add_string(o, "summary", r->doc);
    json_add_string(o, "x-fettle-role",
                    (r->flags & ROUTE_PUBLIC) != 0 ? "public" : token_role_name(r->role));
    json_add_bool(o, "x-fettle-ingest", (r->flags & ROUTE_INGEST) != 0);
    cJSON *security = json_add_array(o, "security");
    if ((r->flags & ROUTE_PUBLIC) == 0)
        (void)json_add_array(json_add_object(security, NULL), "key");
    add_params(o, r);
    add_body(o, r);
    add_responses(o, r);
}

enum ft_status api_openapi(char **out, size_t *len, struct ft_err *err)
{
    cJSON *root = cJSON_CreateObject();
    json_add_string(root, "openapi", "3.1.0");
    cJSON *info = json_add_object(root, "info");
    json_add_string(info, "title", "Fettle");
    json_add_string(info, "version", FETTLE_VERSION);
    json_add_string(
        info, "description",
        "Predictive maintenance on the plant's own computer. Instants are RFC 3339 UTC, "
        "durations seconds, money major units of the site's currency.");
    cJSON *paths = json_add_object(root, "paths");
    for (size_t i = 0; i < api_routes_count; i++)
        add_operation(paths, &api_routes[i]);
    cJSON *components = json_add_object(root, "components");
    cJSON_AddItemToObject(components, "schemas", api_schemas());
    cJSON *key = json_add_object(json_add_object(components, "securitySchemes"), "key");
    json_add_string(key, "type", "http");
    json_add_string(key, "scheme", "bearer");
    json_add_string(key, "description",
                    "An API key, made by `fettle key create`. Reading from this machine needs none "
                    "unless the configuration says otherwise.");
    *out = json_print(root, false);
    cJSON_Delete(root);
    if (*out == NULL)
        return ft_fail(err, FT_NOMEM, "no memory for the description of the API");
    *len = strlen(*out);
    return FT_OK;
}
