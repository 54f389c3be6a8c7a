/* fettle serve: the server's life. Starts database, outbox, night and HTTP in this order, waits for
 * a signal, and ends them in the reverse order: producers first, the writer last. */
#include "app/base/clock.h"
#include "app/base/log.h"
#include "app/cli/cli.h"
#include "app/cli/commands.h"
#include "app/cmms/cmms_outbox.h"
#include "app/config.h"
#include "app/disk_guard.h"
#include "app/ingest/arrivals.h"
#include "app/ingest/live.h"
#include "app/ingest/mqtt.h"
#include "app/nightly.h"
#include "app/writer.h"
#include "db/asset_store.h"
#include "db/db.h"
#include "db/integration_store.h"
#include "db/run_store.h"
#include "web/api/api.h"
#include "web/http/assets.h"
#include "web/http/metrics.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define STOP_GRACE_S 7.0
#define PEM_MAX ((size_t)1 << 20)
#define MAX_QUEUE 512

struct serve {
    struct config config;
    const char *listen, *config_file; /* as given by flags; NULL = not */
    struct api api;
    struct db *db; /* until the writer takes it */
    struct disk_guard disk;
    struct outbox *outbox;
    struct nightly *nightly;
    struct server *server;
    struct mqtt *mqtt;
    char *tls_cert, *tls_key;
};

static enum ft_status read_pem(const char *path, char **out, struct ft_err *err)
{
    struct buf b;
    buf_init(&b, PEM_MAX);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return ft_fail(err, FT_NOT_FOUND, "%.300s cannot be read", path);
    char block[4096];
    for (size_t n; (n = fread(block, 1, sizeof(block), f)) > 0;)
        buf_put(&b, block, n);
    fclose(f);
    const enum ft_status st = buf_status(&b, err);
    *out = buf_take(&b, NULL);
    return st;
}

/* The site's zone must stand before any thread runs. */
static enum ft_status set_zone(struct serve *s, struct ft_err *err)
{
    char zone[CONFIG_TEXT];
    snprintf(zone, sizeof(zone), "%s", s->config.time_zone);
    if (zone[0] == '\0')
        db_setting_get(s->db, "time_zone", "UTC", zone, sizeof(zone));
    return clock_set_zone(zone, err);
}

/* Says once how to make the first key, for without one nothing can be written. */
static void hint_first_key(struct db *db)
{
    struct api_key_list keys = {0};
    bool has_admin = false;
    if (api_key_list(db, &keys, NULL) != FT_OK)
        return;
    for (size_t i = 0; i < keys.n; i++)
        has_admin = has_admin || (strcmp(keys.items[i].role, "admin") == 0 &&
                                  keys.items[i].revoked_ms == DB_NO_TIME);
    api_key_list_free(&keys);
    if (!has_admin)
        fprintf(stderr,
                "fettle: there is no admin key yet, so nothing can be written over HTTP.\n"
                "        Stop the server and run: fettle key create --name admin --role admin --db "
                "%s\n",
                db_path(db));
}

static void set_log_level(const char *word)
{
    static const char *const words[] = {"error", "warn", "info", "debug"};
    for (int i = 0; i < 4; i++)
        if (strcmp(words[i], word) == 0)
            log_set_level((enum log_level)i);
}

/* A killed server's child may hold the lock for the moment between its fork and its exec, so a
 * quick restart asks again for a second. */
static enum ft_status open_writer(struct serve *s, struct ft_err *err)
{
    const struct timespec pause = {0, 100L * 1000 * 1000};
    enum ft_status st = db_open_writer(cli_db_path(), true, &s->db, err);
    for (int i = 0; i < 10 && st == FT_BUSY; i++) {
        nanosleep(&pause, NULL);
        st = db_open_writer(cli_db_path(), true, &s->db, err);
    }
    return st;
}

static enum ft_status start_live(struct serve *s, struct ft_err *err)
{
    const struct config *c = &s->config;
    s->api.limits = (struct ingest_limits){.may_create = strcmp(c->ingest_unknown, "create") == 0,
                                           .max_future_ms = c->ingest_max_future_ms,
                                           .max_sensors = c->ingest_max_sensors};
    const struct live_options options = {
        .mapping = {.asset_tags = c->ingest_asset_tags, .drop_tags = c->ingest_drop_tags},
        .limits = s->api.limits,
        .arrivals = s->api.arrivals,
        .class_name = c->ingest_class,
        .may_skip_text = strcmp(c->ingest_strings, "skip") == 0};
    return live_new(&options, &s->api.live, err);
}

static enum ft_status start_parts(struct serve *s, const char *web_root, struct ft_err *err)
{
    struct api *api = &s->api;
    enum ft_status st = open_writer(s, err);
    if (st == FT_OK)
        st = run_mark_interrupted(s->db, err);
    if (st == FT_OK)
        st = set_zone(s, err);
    if (st != FT_OK)
        return st;
    hint_first_key(s->db);
    st = writer_new(s->db, &api->writer, err);
    if (st != FT_OK)
        return st;
    s->db = NULL;
    api->config = &s->config;
    disk_guard_init(&s->disk, cli_db_path(), s->config.min_free_bytes,
                    (double)s->config.min_free_pct / 100.0, NULL, NULL);
    api->disk = &s->disk;
    st = quality_cache_init(&api->quality, err);
    if (st == FT_OK)
        st = arrivals_new(&api->arrivals, err);
    if (st == FT_OK)
        st = start_live(s, err);
    if (st != FT_OK)
        return st;
    api->db_path = cli_db_path();
    api->start_s = clock_mono_s();
    st = assets_new(web_root, &api->assets, err);
    if (st == FT_OK)
        st = metrics_new(api_routes_count, &api->metrics, err);
    if (st == FT_OK)
        st = api_openapi(&api->openapi, &api->openapi_len, err);
    if (st == FT_OK && s->config.tls_cert[0] != '\0')
        st = read_pem(s->config.tls_cert, &s->tls_cert, err);
    if (st == FT_OK && s->config.tls_cert[0] != '\0')
        st = read_pem(s->config.tls_key, &s->tls_key, err);
    if (st == FT_OK)
        st = outbox_start(&s->config, api->writer, api->db_path, &s->outbox, err);
    api->outbox = s->outbox;
    api->wake_outbox = outbox_wake;
    if (st == FT_OK)
        st = nightly_start(&s->config, api->writer, api->db_path, outbox_wake, s->outbox,
                           &s->nightly, err);
    api->night = s->nightly;
    api->start_retrain = nightly_begin;
    return st;
}

static enum ft_status start_http(struct serve *s, bool use_next_port, struct ft_err *err)
{
    const struct config *c = &s->config;
    const struct server_options options = {.host = c->host,
                                           .port = c->port,
                                           .use_next_port = use_next_port,
                                           .tls_cert = s->tls_cert,
                                           .tls_key = s->tls_key,
                                           .n_event_threads = (unsigned)c->event_threads,
                                           .n_workers = (unsigned)c->workers,
                                           .max_connections = (unsigned)c->max_connections,
                                           .max_connections_per_address =
                                               (unsigned)c->max_connections_per_address,
                                           .max_queue = MAX_QUEUE,
                                           .max_ingest_queue = (unsigned)c->ingest_max_waiting,
                                           .max_body_bytes = (size_t)c->ingest_body_bytes,
                                           .header_s = (double)c->header_timeout_ms / 1000.0,
                                           .idle_s = (double)c->idle_timeout_ms / 1000.0};
    enum ft_status st = server_start(&options, &api_server_ops, &s->api, &s->server, err);
    atomic_store(&s->api.server, s->server);
    if (st != FT_OK)
        return st;
    st = mqtt_start(c, s->api.writer, s->api.live, &s->disk, &s->mqtt, err);
    atomic_store(&s->api.mqtt, s->mqtt);
    return st;
}

/* Everything may be half started. */
static void stop_parts(struct serve *s)
{
    server_stop(s->server, STOP_GRACE_S); /* its handlers look at the others */
    mqtt_stop(s->mqtt);
    nightly_stop(s->nightly);
    outbox_stop(s->outbox);
    writer_free(s->api.writer);
    live_free(s->api.live);
    arrivals_free(s->api.arrivals);
    quality_cache_free(&s->api.quality);
    db_close(s->db);
    assets_free(s->api.assets);
    metrics_free(s->api.metrics);
    free(s->api.openapi);
    free(s->tls_cert);
    if (s->tls_key != NULL)
        sodium_memzero(s->tls_key, strlen(s->tls_key));
    free(s->tls_key);
}

/* --- SIGHUP ---------------------------------------------------------------------------------- */

static volatile sig_atomic_t n_hangups;

static void on_hangup(int number)
{
    (void)number;
    n_hangups++;
}

static enum ft_status read_config(struct serve *s, struct config *out, struct ft_err *err)
{
    const struct config_override overrides[] = {{"server.listen", s->listen, "--listen"}};
    return config_load(s->config_file, overrides, 1, out, err);
}

/* What takes a new value while the server runs. */
static bool is_live(const struct config_row *r)
{
    return strcmp(r->section, "mqtt") == 0 || strcmp(r->section, "log") == 0 ||
           (strcmp(r->section, "ingest") == 0 && strncmp(r->key, "min_free", 8) == 0);
}

struct change {
    struct config *to;
    const struct config *from;
};

static void copy_mqtt(void *ctx)
{
    const struct change *c = ctx;
    config_copy(c->to, c->from, "mqtt", NULL);
}

static void apply(struct serve *s, const struct config *fresh, bool is_mqtt_changed)
{
    struct ft_err err;
    struct change change = {&s->config, fresh};
    config_copy(&s->config, fresh, "log", "level");
    set_log_level(s->config.log_level);
    config_copy(&s->config, fresh, "ingest", "min_free");
    config_copy(&s->config, fresh, "ingest", "min_free_pct");
    disk_guard_set(&s->disk, s->config.min_free_bytes, (double)s->config.min_free_pct / 100.0);
    if (is_mqtt_changed && mqtt_reload(s->mqtt, copy_mqtt, &change, &err) != FT_OK)
        log_error("reload: MQTT is off: %s", err.msg);
}

/* Reads the configuration again, applies what can be applied, and names what needs a restart. */
static void reload(struct serve *s)
{
    struct ft_err err;
    struct config_row old, now;
    bool is_mqtt_changed = false;
    size_t n = 0;
    struct config *fresh = calloc(1, sizeof(*fresh));
    if (fresh == NULL || read_config(s, fresh, &err) != FT_OK) {
        log_error("reload: %s; everything stays as it is", fresh != NULL ? err.msg : "no memory");
        free(fresh);
        return;
    }
    for (size_t i = 0; config_row(&s->config, i, &old) && config_row(fresh, i, &now); i++) {
        if (strcmp(old.value, now.value) == 0)
            continue;
        n++;
        is_mqtt_changed = is_mqtt_changed || strcmp(now.section, "mqtt") == 0;
        log_info("reload: [%s] %s = %s: %s", now.section, now.key, now.value,
                 is_live(&now) ? "taken" : "needs a restart");
    }
    apply(s, fresh, is_mqtt_changed);
    log_info("reload: %zu key%s changed", n, n == 1 ? " has" : "s have");
    free(fresh);
}

static void wait_for_signal(struct serve *s, const sigset_t *normal)
{
    int n_seen = 0;
    while (!cli_is_interrupted()) {
        sigsuspend(normal);
        if (n_seen != n_hangups) {
            n_seen = n_hangups;
            reload(s);
        }
    }
}

static int serve(struct serve *s, const char *web_root, bool use_next_port)
{
    struct ft_err err = {FT_OK, ""};
    const struct sigaction hangup = {.sa_handler = on_hangup};
    const struct rlimit no_core = {0, 0}; /* a core would hold keys */
    sigset_t ours, normal;
    setrlimit(RLIMIT_CORE, &no_core);
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGHUP);
    sigaction(SIGHUP, &hangup, NULL);
    /* Blocked in every thread that starts from here on; main lets them in while it waits. */
    pthread_sigmask(SIG_BLOCK, &ours, &normal);
    enum ft_status st = start_parts(s, web_root, &err);
    if (st == FT_OK)
        st = start_http(s, use_next_port, &err);
    if (st == FT_OK) {
        const bool is_v6 = strchr(s->config.host, ':') != NULL;
        printf("listening on %s://%s%s%s:%d\n", s->tls_cert != NULL ? "https" : "http",
               is_v6 ? "[" : "", s->config.host, is_v6 ? "]" : "", server_port(s->server));
        fflush(stdout);
        wait_for_signal(s, &normal);
        log_info("stopping");
    }
    stop_parts(s);
    pthread_sigmask(SIG_SETMASK, &normal, NULL);
    return st == FT_OK ? 0 : cli_fail(&err);
}

int cmd_serve(int argc, char **argv)
{
    const char *listen = NULL, *config_flag = NULL, *web_root = NULL;
    bool use_next_port = false;
    const struct cli_flag flags[] = {
        {"--listen", CLI_STRING, &listen, "ADDR:PORT", "where to listen; default 127.0.0.1:8080"},
        {"--config", CLI_STRING, &config_flag, "FILE",
         "configuration; else $FETTLE_CONFIG, else ./fettle.conf"},
        {"--web-root", CLI_STRING, &web_root, "DIR", "serve the dashboard from this folder"},
        {"--next-port", CLI_BOOL, &use_next_port, NULL, "take the next free port when it is taken"},
    };
    const struct cli_usage usage = {
        .examples = "fettle serve\nfettle serve --listen 127.0.0.1:9000 --db plant.db",
        .synopsis = "fettle serve [--listen ADDR:PORT] [--config F] [--web-root DIR] [--next-port]",
        .text =
            "Serves the dashboard and the API, retrains at night and sends webhooks. Listens on\n"
            "this machine only, unless TLS or a trusted proxy is configured.",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const int code = cli_parse(&usage, argc, argv, NULL, 0, NULL);
    if (code >= 0)
        return code;
    struct ft_err err;
    struct serve *s = calloc(1, sizeof(*s));
    if (s == NULL || sodium_init() < 0) {
        free(s);
        fputs("fettle: no memory\n", stderr);
        return 1;
    }
    int rc;
    s->listen = listen;
    s->config_file = config_file(config_flag);
    if (read_config(s, &s->config, &err) != FT_OK) {
        rc = cli_fail(&err);
    } else {
        set_log_level(s->config.log_level);
        rc = serve(s, web_root, use_next_port);
    }
    free(s);
    return rc;
}
