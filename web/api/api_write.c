/* What clients of InfluxDB call, so that Telegraf, influx and their libraries work unchanged: lines
 * in, a sign of life, and answers to the statements with which a client begins. Answers follow
 * InfluxDB 1.x (its "partial write: REASON dropped=N") and 2.x ("code", "message"). */
#include "web/api/handlers.h"

#include "app/base/json.h"
#include "app/base/utf8.h"
#include "app/ingest/live.h"
#include "app/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What clients take us for: they ask for a version that they know. */
#define INFLUX_VERSION "1.6.7-fettle"

static const char *code_of(int status)
{
    switch (status) {
    case 400:
    case 422:
        return "invalid";
    case 401:
        return "unauthorized";
    case 403:
        return "forbidden";
    case 404:
        return "not found";
    case 413:
        return "request too large";
    case 503:
    case 507:
        return "unavailable";
    default:
        return "internal error";
    }
}

void api_influx_error(struct http_reply *r, int status, const char *reason)
{
    char text[sizeof(((struct ft_err *)NULL)->msg)];
    snprintf(text, sizeof(text), "%s", reason);
    utf8_clean(text);
    cJSON *body = cJSON_CreateObject();
    json_add_string(body, "error", text);
    json_add_string(body, "code", code_of(status));
    json_add_string(body, "message", text);
    json_add_string(body, "detail", text);
    buf_free(&r->body);
    if (reply_json(r, status, body, NULL) != FT_OK)
        reply_text(r, status, "application/json", "{\"error\":\"no memory\"}\n");
    cJSON_Delete(body);
}

struct lines {
    struct live_batch *batch;
};

static enum ft_status write_lines(struct api_call *c, void *state, struct ft_err *err)
{
    const struct lines *l = state;
    return live_write(l->batch, c->db, c->route->key.pattern, c->now_ms, err);
}

/* 400 with the first reason, how many were dropped, and every refused line that was kept. */
static enum ft_status reply_refused(struct api_call *c, const struct live_batch *b,
                                    struct ft_err *err)
{
    size_t n = 0, n_all = 0;
    char text[400];
    const struct live_refusal *r = live_refusals(b, &n, &n_all);
    const char *reason = n > 0 ? r[0].reason : "no memory";
    if (live_batch_count(b) == 0 && n > 0)
        snprintf(text, sizeof(text), "unable to parse '%.160s': %.150s", r[0].raw, reason);
    else
        snprintf(text, sizeof(text), "partial write: %.200s dropped=%zu", reason, n_all);
    utf8_clean(text); /* it may be cut inside a character */
    cJSON *body = cJSON_CreateObject();
    json_add_string(body, "error", text);
    json_add_string(body, "code", "invalid");
    json_add_string(body, "message", text);
    json_add_int(body, "written", (int64_t)live_batch_count(b));
    json_add_int(body, "dropped", (int64_t)n_all);
    cJSON *lines = json_add_array(body, "lines");
    for (size_t i = 0; i < n; i++) {
        cJSON *o = json_add_object(lines, NULL);
        json_add_int(o, "line", (int64_t)r[i].place);
        json_add_string(o, "reason", r[i].reason);
    }
    const enum ft_status st = reply_json(c->reply, 400, body, err);
    cJSON_Delete(body);
    return st;
}

static enum ft_status write_any(struct api_call *c, struct ft_err *err)
{
    struct lines l = {0};
    enum lp_precision precision = LP_NS;
    size_t n = 0, n_refused = 0;
    enum ft_status st = lp_precision_parse(api_text(c, "precision"), &precision, err);
    if (st == FT_OK)
        st = live_batch_new(c->api->live, &l.batch, err);
    if (st == FT_OK)
        st = live_add_lines(l.batch, c->body, c->body_len, precision, c->now_ms, err);
    if (st == FT_OK) {
        live_refusals(l.batch, &n, &n_refused);
        if (live_batch_count(l.batch) + n_refused > 0)
            st = api_group(c, live_batch_count(l.batch) + n, write_lines, &l, err);
    }
    if (st == FT_OK) {
        live_publish(l.batch);
        c->n_readings += (int64_t)live_batch_count(l.batch);
        live_refusals(l.batch, &n, &n_refused);
        c->reply->status = 204;
        if (n_refused > 0)
            st = reply_refused(c, l.batch, err);
    }
    live_batch_free(l.batch);
    return st;
}

enum ft_status api_write_v1(struct api_call *c, struct ft_err *err)
{
    c->reply->extra[0] = "X-Influxdb-Version";
    c->reply->extra[1] = INFLUX_VERSION;
    return write_any(c, err);
}

enum ft_status api_write_v2(struct api_call *c, struct ft_err *err)
{
    return write_any(c, err);
}

enum ft_status api_ping(struct api_call *c, struct ft_err *err)
{
    (void)err;
    c->reply->status = 204;
    c->reply->cache_control = "no-store";
    c->reply->extra[0] = "X-Influxdb-Version";
    c->reply->extra[1] = INFLUX_VERSION;
    return FT_OK;
}

/* --- statements ------------------------------------------------------------------------------ */

static int hex_value(char c)
{
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

/* The field q of a form, decoded; "" when there is none. */
static void form_q(const char *body, char *out, size_t size)
{
    size_t n = 0;
    const char *p = body;
    while (p != NULL && strncmp(p, "q=", 2) != 0) {
        p = strchr(p, '&');
        p = p != NULL ? p + 1 : NULL;
    }
    for (p = p != NULL ? p + 2 : ""; *p != '\0' && *p != '&' && n + 1 < size; p++) {
        const int hi = *p == '%' && p[1] != '\0' ? hex_value(p[1]) : -1;
        const int lo = hi >= 0 ? hex_value(p[2]) : -1;
        out[n++] = *p == '+' ? ' ' : lo >= 0 ? (char)(hi * 16 + lo) : *p;
        p += lo >= 0 ? 2 : 0;
    }
    out[n] = '\0';
}

static bool begins_with(const char *text, const char *words)
{
    return strncasecmp(text, words, strlen(words)) == 0;
}

/* One series "databases" with the one name that there is. */
static void add_databases(cJSON *result)
{
    cJSON *series = json_add_object(json_add_array(result, "series"), NULL);
    json_add_string(series, "name", "databases");
    cJSON *columns = json_add_array(series, "columns");
    cJSON_AddItemToArray(columns, cJSON_CreateString("name"));
    cJSON *row = cJSON_CreateArray();
    cJSON_AddItemToArray(row, cJSON_CreateString("fettle"));
    cJSON_AddItemToArray(json_add_array(series, "values"), row);
}

enum ft_status api_query(struct api_call *c, struct ft_err *err)
{
    char form[400] = "";
    const char *q = api_text(c, "q");
    if (q == NULL && c->body != NULL) {
        form_q(c->body, form, sizeof(form));
        q = form;
    }
    c->reply->extra[0] = "X-Influxdb-Version";
    c->reply->extra[1] = INFLUX_VERSION;
    if (q == NULL || q[0] == '\0')
        return ft_fail(err, FT_INVALID, "missing required parameter \"q\"");
    const char *text = q + strspn(q, " \t\r\n");
    cJSON *body = cJSON_CreateObject();
    cJSON *result = json_add_object(json_add_array(body, "results"), NULL);
    json_add_int(result, "statement_id", 0);
    if (begins_with(text, "SHOW DATABASES"))
        add_databases(result);
    else if (!begins_with(text, "CREATE DATABASE"))
        json_add_string(result, "error",
                        "fettle takes data in line protocol and answers queries at /api/v1 only");
    const enum ft_status st = reply_json(c->reply, 200, body, err);
    cJSON_Delete(body);
    return st;
}
