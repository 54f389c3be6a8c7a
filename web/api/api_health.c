/* Is it alive, is it ready, what does it count; and the description of the API. */
#include "web/api/handlers.h"

#include "app/base/clock.h"
#include "app/base/json.h"
#include "app/disk_guard.h"
#include "app/ingest/live.h"
#include "app/ingest/mqtt.h"
#include "app/version.h"
#include "app/writer.h"
#include "db/db.h"
#include "db/model_store.h"
#include "db/reading_store.h"
#include "db/run_store.h"
#include "web/http/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum ft_status api_healthz(struct api_call *c, struct ft_err *err)
{
    (void)err;
    reply_text(c->reply, 200, "text/plain; charset=utf-8", "ok\n");
    c->reply->cache_control = "no-store";
    return FT_OK;
}

static enum ft_status do_nothing(struct db *db, void *ctx, struct ft_err *err)
{
    (void)db;
    (void)ctx;
    (void)err;
    return FT_OK;
}

/* Ready: the writer gives a transaction, and a reader can read (which also means that the schema is
 * the newest one: an older one is not opened). */
enum ft_status api_readyz(struct api_call *c, struct ft_err *err)
{
    int64_t newest_ms = 0;
    struct ft_err why = {FT_OK, ""};
    const enum ft_status written =
        writer_call(c->api->writer, WRITER_WAIT_MS, do_nothing, NULL, &why);
    enum ft_status read = FT_OK;
    if (written == FT_OK) {
        read = reading_newest(c->db, &newest_ms, &why);
        if (read == FT_NOT_FOUND)
            read = FT_OK;
    }
    const bool is_ready = written == FT_OK && read == FT_OK;
    cJSON *body = cJSON_CreateObject();
    json_add_bool(body, "ready", is_ready);
    json_add_bool(body, "database_writable", written == FT_OK);
    json_add_bool(body, "database_readable", is_ready);
    json_add_string(body, "reason", is_ready ? NULL : why.msg);
    json_add_string(body, "version", FETTLE_VERSION);
    const enum ft_status st = reply_json(c->reply, is_ready ? 200 : 503, body, err);
    cJSON_Delete(body);
    c->reply->cache_control = "no-store";
    return st;
}

static int64_t file_size(const char *path, const char *suffix)
{
    char name[4096];
    struct stat st;
    snprintf(name, sizeof(name), "%s%s", path, suffix);
    return stat(name, &st) == 0 ? (int64_t)st.st_size : 0;
}

static int64_t resident_bytes(void)
{
    char line[200];
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL)
        return 0;
    const char *got = fgets(line, sizeof(line), f); /* "total resident shared ..." in pages */
    fclose(f);
    const char *second = got != NULL ? strchr(line, ' ') : NULL;
    return second != NULL ? strtoll(second, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

static const char *row_method(size_t row)
{
    return api_routes[row].key.method;
}
static const char *row_pattern(size_t row)
{
    return api_routes[row].key.pattern;
}

static void put_metric(struct buf *b, const char *name, const char *type, const char *help,
                       double value)
{
    buf_printf(b, "# HELP fettle_%s %s\n# TYPE fettle_%s %s\nfettle_%s %.17g\n", name, help, name,
               type, name, value);
}

static void put_latency(struct buf *b, const struct writer_stats *s)
{
    static const char name[] = "fettle_writer_seconds";
    int64_t n = 0;
    buf_printf(b, "# HELP %s Time of a write from its coming to its being on disk.\n", name);
    buf_printf(b, "# TYPE %s histogram\n", name);
    for (size_t i = 0; i < WRITER_N_LATENCIES; i++) {
        n += s->n_latency[i];
        if (i + 1 < WRITER_N_LATENCIES)
            buf_printf(b, "%s_bucket{le=\"%g\"} %lld\n", name, writer_latency_le[i], (long long)n);
        else
            buf_printf(b, "%s_bucket{le=\"+Inf\"} %lld\n", name, (long long)n);
    }
    buf_printf(b, "%s_sum %.17g\n%s_count %lld\n", name, s->latency_s, name, (long long)n);
}

static void put_live(struct buf *b, struct live *live)
{
    struct live_stats s;
    live_stats(live, &s);
    put_metric(b, "live_readings_total", "counter",
               "Readings taken by line protocol and MQTT, repeats included.", (double)s.n_readings);
    put_metric(b, "live_unchanged_total", "counter", "Of them, readings that stood there already.",
               (double)s.n_unchanged);
    put_metric(b, "live_refused_total", "counter",
               "Readings, lines and messages that could not be taken.", (double)s.n_refused);
    put_metric(b, "live_text_skipped_total", "counter", "Fields with text that were left out.",
               (double)s.n_text);
    put_metric(b, "live_series", "gauge", "Spellings of sensors known to line protocol and MQTT.",
               (double)s.n_series);
}

static void put_mqtt(struct buf *b, struct mqtt *mqtt)
{
    struct mqtt_stats s;
    mqtt_stats(mqtt, &s);
    if (!s.is_on)
        return;
    put_metric(b, "mqtt_connected", "gauge",
               "1 while the broker serves us and our subscriptions stand.", s.is_connected);
    put_metric(b, "mqtt_messages_total", "counter", "Messages received.", (double)s.n_messages);
    put_metric(b, "mqtt_batches_total", "counter", "Batches of messages committed.",
               (double)s.n_batches);
    put_metric(b, "mqtt_connects_total", "counter", "Sessions begun.", (double)s.n_connects);
    put_metric(b, "mqtt_waits_total", "counter",
               "Times that a batch waited for the writer or for room on the disk.",
               (double)s.n_waits);
    put_metric(b, "sparkplug_births_total", "counter", "Sparkplug births.", (double)s.n_births);
    put_metric(b, "sparkplug_deaths_total", "counter", "Sparkplug deaths.", (double)s.n_deaths);
    put_metric(b, "sparkplug_gaps_total", "counter", "Gaps in Sparkplug sequence numbers.",
               (double)s.n_gaps);
    put_metric(b, "sparkplug_unknown_total", "counter",
               "Sparkplug metrics that no birth has named.", (double)s.n_unknown);
}

/* Instant of the last finished retraining in Unix seconds, 0 = never. */
static double last_retrain_s(struct db *db)
{
    struct run_list runs = {0};
    double at = 0;
    if (run_list(db, "retrain", 20, &runs, NULL) != FT_OK)
        return 0;
    for (size_t i = 0; i < runs.n && at == 0; i++)
        if (strcmp(runs.items[i].state, "done") == 0)
            at = (double)runs.items[i].ended_ms / 1000.0;
    run_list_free(&runs);
    return at;
}

enum ft_status api_metrics(struct api_call *c, struct ft_err *err)
{
    struct api *api = c->api;
    struct buf *b = &c->reply->body;
    struct server_stats server = {0};
    struct writer_stats writer;
    struct server *running = atomic_load(&api->server);
    if (running != NULL)
        server_stats(running, &server);
    writer_stats(api->writer, &writer);
    buf_printf(b,
               "# HELP fettle_build_info Version of the program.\n# TYPE fettle_build_info gauge\n"
               "fettle_build_info{version=\"%s\"} 1\n",
               FETTLE_VERSION);
    metrics_print(api->metrics, row_method, row_pattern, b);
    put_metric(b, "http_connections", "gauge", "Open connections.", (double)server.n_open);
    put_metric(b, "http_queue_length", "gauge", "Requests waiting for a worker.",
               (double)server.n_queued);
    put_metric(b, "http_slow_clients_ended_total", "counter", "Connections ended for slowness.",
               (double)server.n_slow_ended);
    put_metric(b, "http_malformed_total", "counter", "Requests refused as malformed.",
               (double)server.n_guard_refused);
    put_metric(b, "http_busy_total", "counter",
               "Requests answered 503 because a line or the memory for bodies was full.",
               (double)server.n_full_refused);
    put_metric(b, "http_body_bytes", "gauge", "Request bodies held in memory.",
               (double)server.body_bytes);
    put_metric(b, "ingest_queue_length", "gauge", "Requests with readings waiting for a worker.",
               (double)server.n_ingest_queued);
    put_metric(b, "readings_ingested_total", "counter", "Readings taken in over HTTP.",
               (double)atomic_load(&api->n_readings));
    put_metric(b, "events_ingested_total", "counter", "Events taken in over HTTP.",
               (double)atomic_load(&api->n_events));
    put_metric(b, "writer_queue_length", "gauge", "Writes waiting for their turn.",
               (double)writer.n_waiting);
    put_metric(b, "writer_transactions_total", "counter", "Writes; see writer_commits_total.",
               (double)writer.n_calls);
    put_metric(b, "writer_commits_total", "counter",
               "Transactions committed; calls that wait together share one.",
               (double)writer.n_commits);
    put_metric(b, "writer_points_waiting", "gauge", "Readings waiting to be written.",
               (double)writer.n_points_waiting);
    put_metric(b, "writer_refused_total", "counter",
               "Writes that found the queue full or waited too long.", (double)writer.n_refused);
    put_latency(b, &writer);
    put_live(b, api->live);
    put_mqtt(b, atomic_load(&api->mqtt));
    put_metric(b, "disk_free_bytes", "gauge", "Room on the disk of the database; -1: unknown.",
               (double)atomic_load(&api->disk->free_bytes));
    put_metric(b, "disk_full", "gauge", "1 while readings are refused for lack of room.",
               disk_guard_is_full(api->disk));
    put_metric(b, "writer_failed_total", "counter", "Write transactions rolled back.",
               (double)writer.n_failed);
    put_metric(b, "writer_busy_seconds_total", "counter", "Time inside write transactions.",
               writer.busy_s);
    put_metric(b, "database_bytes", "gauge", "Size of the database file.",
               (double)file_size(api->db_path, ""));
    put_metric(b, "database_wal_bytes", "gauge", "Size of the write-ahead log.",
               (double)file_size(api->db_path, "-wal"));
    put_metric(b, "resident_memory_bytes", "gauge", "Resident memory of the server.",
               (double)resident_bytes());
    put_metric(b, "last_retrain_timestamp_seconds", "gauge",
               "End of the last retraining; 0: never.", last_retrain_s(c->db));
    put_metric(b, "uptime_seconds", "gauge", "Time since the start.",
               clock_mono_s() - api->start_s);
    c->reply->status = 200;
    c->reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    c->reply->cache_control = "no-store";
    return buf_status(b, err);
}

enum ft_status api_openapi_get(struct api_call *c, struct ft_err *err)
{
    (void)err;
    c->reply->status = 200;
    c->reply->content_type = "application/json";
    c->reply->fixed = (const unsigned char *)c->api->openapi;
    c->reply->fixed_len = c->api->openapi_len;
    reply_hash_etag(c->api->openapi, c->api->openapi_len, c->reply->etag);
    return FT_OK;
}
