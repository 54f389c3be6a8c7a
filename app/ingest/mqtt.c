/* The only user of libmosquitto. The library runs in its "threaded" mode with our own loop: it then
 * never writes to the socket by itself, acknowledgements included, but keeps packets until
 * mosquitto_loop_write(). We call that only while no message is uncommitted. Read so in 2.0.11,
 * lib/packet_mosq.c packet__queue() and lib/handle_publish.c. The thread owns everything but the
 * counters, which are atomic, and the eventfd that wakes it. */
#include "app/ingest/mqtt.h"

#include "app/base/clock.h"
#include "app/base/log.h"
#include "app/config.h"
#include "app/disk_guard.h"
#include "app/ingest/live.h"
#include "app/ingest/mqtt_message.h"
#include "app/ingest/sparkplug.h"
#include "app/writer.h"
#include "db/db.h"

#include <errno.h>
#include <mosquitto.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

const bool mqtt_is_built = true;

enum {
    BATCH_MESSAGES = 10000,
    BATCH_MS = 20,
    KEEPALIVE_S = 60,
    CONNECT_S = 15,
    RETRY_FIRST_MS = 500,
    RETRY_LAST_MS = 30000,
    WAIT_MS = 200,
    MAX_TRIES = 3, /* of a batch, when it is not the disk that is full */
    MAX_BIRTH_TEXT = 16 << 20
};

struct mqtt {
    const struct config *config;
    struct writer *writer;
    struct live *live;
    struct disk_guard *disk;
    pthread_t thread;
    atomic_bool is_on; /* the thread runs */
    int wake_fd;
    atomic_bool is_stopping;

    /* the thread's own */
    char host[256];
    int port;
    bool is_tls;
    struct topic_template templates[TOPIC_MAX_TEMPLATES];
    size_t n_templates;
    struct message_mapping mapping;
    struct sparkplug *sparkplug; /* NULL = none */
    struct live_batch *batch;
    size_t n_in_batch;  /* messages */
    double batch_start; /* monotonic, when n_in_batch > 0 */
    struct mosquitto *client;
    bool is_accepted;    /* the broker has taken us */
    size_t n_unanswered; /* subscriptions of this connection */
    enum ft_status message_status;
    struct ft_err message_err;

    atomic_bool is_connected;
    atomic_llong n_messages, n_batches, n_connects, n_waits;
    atomic_llong n_births, n_deaths, n_gaps, n_unknown;
};

/* --- configuration --------------------------------------------------------------------------- */

/* mqtt://host[:port] or mqtts://host[:port]. */
static enum ft_status parse_broker(struct mqtt *m, const char *text, struct ft_err *err)
{
    m->is_tls = strncasecmp(text, "mqtts://", 8) == 0;
    if (!m->is_tls && strncasecmp(text, "mqtt://", 7) != 0)
        return ft_fail(err, FT_INVALID,
                       "[mqtt] broker = %.200s: expected mqtt://HOST:PORT or mqtts://HOST:PORT",
                       text);
    const char *host = text + (m->is_tls ? 8 : 7);
    const bool is_v6 = host[0] == '[';
    const size_t len = is_v6 ? strcspn(host + 1, "]") : strcspn(host, ":/");
    const char *rest = host + len + (is_v6 ? 2 : 0);
    char *end = NULL;
    m->port = m->is_tls ? 8883 : 1883;
    if (is_v6 && host[len + 1] != ']')
        rest = "?";
    if (rest[0] == ':') {
        const long port = strtol(rest + 1, &end, 10);
        rest = port > 0 && port < 65536 && end != rest + 1 ? end : "?";
        m->port = (int)port;
    }
    if (len == 0 || len >= sizeof(m->host) || (rest[0] != '\0' && strcmp(rest, "/") != 0))
        return ft_fail(err, FT_INVALID, "[mqtt] broker = %.200s: expected a host and a port", text);
    snprintf(m->host, sizeof(m->host), "%.*s", (int)len, host + is_v6);
    return FT_OK;
}

/* Next word of a list separated by commas and blanks; false at its end. */
static bool next_word(const char **at, char *out, size_t size)
{
    *at += strspn(*at, ", \t");
    const size_t len = strcspn(*at, ", \t");
    snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), *at);
    *at += len;
    return len > 0;
}

static enum ft_status parse_templates(struct mqtt *m, struct ft_err *err)
{
    char word[TOPIC_SIZE];
    for (const char *at = m->config->mqtt_topics; next_word(&at, word, sizeof(word));) {
        if (m->n_templates == TOPIC_MAX_TEMPLATES)
            return ft_fail(err, FT_INVALID, "[mqtt] topics: more than %d", TOPIC_MAX_TEMPLATES);
        const enum ft_status st = topic_template_parse(word, &m->templates[m->n_templates++], err);
        if (st != FT_OK)
            return ft_err_prefix(err, "[mqtt] topics");
    }
    if (m->n_templates == 0 && m->config->mqtt_sparkplug_groups[0] == '\0')
        return ft_fail(err, FT_INVALID,
                       "[mqtt] topics: a broker needs topics or sparkplug_groups, such as "
                       "plant/{asset}/{sensor}");
    return FT_OK;
}

/* --- writing --------------------------------------------------------------------------------- */

static enum ft_status put_birth(void *ctx, const char *key, const char *text, struct ft_err *err)
{
    return db_setting_set(ctx, key, text, err);
}

static enum ft_status write_batch(struct db *db, void *ctx, struct ft_err *err)
{
    struct mqtt *m = ctx;
    const enum ft_status st = live_write(m->batch, db, "mqtt", clock_now_ms(), err);
    if (st != FT_OK || m->sparkplug == NULL)
        return st;
    return sparkplug_save(m->sparkplug, put_birth, db, err);
}

struct recall {
    const char *key;
    char *text;
};

static enum ft_status read_birth(struct db *db, void *ctx, struct ft_err *err)
{
    struct recall *r = ctx;
    (void)err;
    db_setting_get(db, r->key, "", r->text, MAX_BIRTH_TEXT);
    return FT_OK;
}

static char *load_birth(void *ctx, const char *key)
{
    const struct mqtt *m = ctx;
    struct recall r = {key, malloc(MAX_BIRTH_TEXT)};
    if (r.text == NULL ||
        writer_group(m->writer, WRITER_WAIT_MS, 1, read_birth, &r, NULL) != FT_OK ||
        r.text[0] == '\0') {
        free(r.text);
        return NULL;
    }
    return r.text;
}

/* Sleeps, or until a stop is asked for. */
static void pause_ms(struct mqtt *m, int ms)
{
    struct pollfd p = {.fd = m->wake_fd, .events = POLLIN};
    if (!atomic_load(&m->is_stopping))
        poll(&p, 1, ms);
}

/* Writes the batch. While the disk is full nothing else happens: the broker waits. A stop gives up,
 * and so do some failures one after the other: then nothing is acknowledged, the session ends, and
 * the broker sends all of it again. */
static enum ft_status commit(struct mqtt *m)
{
    struct ft_err err = {FT_OK, ""};
    enum ft_status st = FT_BUSY;
    bool is_told = false;
    for (int n_tries = 0; st != FT_OK;) {
        const bool is_full = disk_guard_is_full(m->disk);
        if (!is_full)
            st = writer_group(m->writer, WRITER_WAIT_MS, live_batch_count(m->batch) + 1,
                              write_batch, m, &err);
        if (st == FT_OK)
            break;
        atomic_fetch_add(&m->n_waits, 1);
        if (!is_told)
            log_warn("mqtt: a batch waits: %s", is_full ? "the disk is nearly full" : err.msg);
        is_told = true;
        n_tries += !is_full;
        if (n_tries == MAX_TRIES)
            return ft_fail(&m->message_err, st, "%s", err.msg);
        if (atomic_load(&m->is_stopping))
            return ft_fail(&m->message_err, FT_INTERRUPTED, "a stop was asked for");
        pause_ms(m, WAIT_MS);
    }
    live_publish(m->batch);
    if (m->sparkplug != NULL)
        sparkplug_saved(m->sparkplug);
    live_batch_clear(m->batch);
    m->n_in_batch = 0;
    atomic_fetch_add(&m->n_batches, 1);
    return FT_OK;
}

/* --- callbacks of the library; on our thread -------------------------------------------------- */

static void on_message(struct mosquitto *client, void *ctx, const struct mosquitto_message *msg)
{
    struct mqtt *m = ctx;
    (void)client;
    if (m->message_status != FT_OK)
        return;
    const int64_t now_ms = clock_now_ms();
    const size_t len = msg->payloadlen > 0 ? (size_t)msg->payloadlen : 0;
    if (m->n_in_batch == 0)
        m->batch_start = clock_mono_s();
    m->n_in_batch++;
    atomic_fetch_add_explicit(&m->n_messages, 1, memory_order_relaxed);
    if (m->sparkplug != NULL && sparkplug_is_topic(msg->topic))
        m->message_status = sparkplug_add(m->sparkplug, m->batch, msg->topic, msg->payload, len,
                                          m->n_in_batch, now_ms, &m->message_err);
    else
        m->message_status =
            message_add(m->batch, m->templates, m->n_templates, &m->mapping, msg->topic,
                        msg->payload, len, m->n_in_batch, now_ms, &m->message_err);
}

static void subscribe(struct mqtt *m, const char *filter)
{
    const int rc = mosquitto_subscribe(m->client, NULL, filter, 1);
    if (rc != MOSQ_ERR_SUCCESS)
        log_warn("mqtt: subscribe to %s: %s", filter, mosquitto_strerror(rc));
    m->n_unanswered += rc == MOSQ_ERR_SUCCESS;
}

static void on_connect(struct mosquitto *client, void *ctx, int rc)
{
    struct mqtt *m = ctx;
    (void)client;
    if (rc != 0) {
        log_warn("mqtt: %s:%d refuses us: %s", m->host, m->port, mosquitto_connack_string(rc));
        return;
    }
    m->is_accepted = true;
    m->n_unanswered = 0;
    atomic_fetch_add(&m->n_connects, 1);
    log_info("mqtt: connected to %s:%d", m->host, m->port);
    for (size_t i = 0; i < m->n_templates; i++)
        subscribe(m, m->templates[i].filter);
    char group[TOPIC_SIZE / 2];
    const char *at = m->config->mqtt_sparkplug_groups;
    while (m->sparkplug != NULL && next_word(&at, group, sizeof(group))) {
        char filter[TOPIC_SIZE];
        snprintf(filter, sizeof(filter), "spBv1.0/%s/#", group);
        subscribe(m, filter);
    }
    if (m->n_unanswered == 0)
        atomic_store(&m->is_connected, true);
}

/* Connected is said when the broker has answered every subscription: only from then on does it keep
 * for us what comes while we are away. */
static void on_subscribe(struct mosquitto *client, void *ctx, int mid, int n, const int *granted)
{
    struct mqtt *m = ctx;
    (void)client;
    (void)mid;
    if (m->n_unanswered > 0 && --m->n_unanswered == 0)
        atomic_store(&m->is_connected, true);
    for (int i = 0; i < n; i++)
        if (granted[i] != 1)
            log_warn("mqtt: the broker grants quality %d instead of 1 for a subscription",
                     granted[i]);
}

/* --- one session ------------------------------------------------------------------------------ */

/* The first line of a file, without its end. */
static bool read_secret(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return false;
    const bool is_read = fgets(out, (int)size, f) != NULL;
    fclose(f);
    if (is_read)
        out[strcspn(out, "\r\n")] = '\0';
    return is_read;
}

static const char *set_or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static int set_up(struct mqtt *m)
{
    const struct config *c = m->config;
    char secret[512] = "";
    int rc = mosquitto_threaded_set(m->client, true);
    if (rc == MOSQ_ERR_SUCCESS && c->mqtt_password_file[0] != '\0' &&
        !read_secret(c->mqtt_password_file, secret, sizeof(secret))) {
        log_warn("mqtt: %s cannot be read", c->mqtt_password_file);
        return MOSQ_ERR_INVAL;
    }
    if (rc == MOSQ_ERR_SUCCESS && c->mqtt_user[0] != '\0')
        rc = mosquitto_username_pw_set(m->client, c->mqtt_user, secret[0] != '\0' ? secret : NULL);
    sodium_memzero(secret, sizeof(secret));
    if (rc == MOSQ_ERR_SUCCESS && m->is_tls)
        rc = mosquitto_tls_set(m->client, set_or_null(c->mqtt_ca),
                               c->mqtt_ca[0] != '\0' ? NULL : "/etc/ssl/certs",
                               set_or_null(c->mqtt_cert), set_or_null(c->mqtt_key), NULL);
    if (rc == MOSQ_ERR_SUCCESS && m->is_tls)
        rc = mosquitto_tls_opts_set(m->client, 1, "tlsv1.2", NULL);
    mosquitto_connect_callback_set(m->client, on_connect);
    mosquitto_message_callback_set(m->client, on_message);
    mosquitto_subscribe_callback_set(m->client, on_subscribe);
    return rc;
}

/* Reads what has come, at most a batch. */
static int read_messages(struct mqtt *m)
{
    for (;;) {
        const size_t before = m->n_in_batch;
        const int rc = mosquitto_loop_read(m->client, 1);
        if (rc != MOSQ_ERR_SUCCESS || m->message_status != FT_OK || m->n_in_batch == before ||
            m->n_in_batch >= BATCH_MESSAGES || clock_mono_s() - m->batch_start > BATCH_MS / 1000.0)
            return rc;
    }
}

/* Waits for the socket and serves it once. */
static int step(struct mqtt *m)
{
    struct pollfd p[2] = {{.fd = mosquitto_socket(m->client), .events = POLLIN},
                          {.fd = m->wake_fd, .events = POLLIN}};
    if (mosquitto_want_write(m->client))
        p[0].events |= POLLOUT;
    if (p[0].fd < 0)
        return MOSQ_ERR_NO_CONN;
    if (poll(p, 2, 1000) < 0 && errno != EINTR)
        return MOSQ_ERR_ERRNO;
    int rc = MOSQ_ERR_SUCCESS;
    if ((p[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        rc = read_messages(m);
    if (m->n_in_batch > 0 && m->message_status == FT_OK)
        m->message_status = commit(m);
    if (m->message_status != FT_OK)
        return MOSQ_ERR_NOMEM;
    if (rc == MOSQ_ERR_SUCCESS && mosquitto_want_write(m->client))
        rc = mosquitto_loop_write(m->client, 1);
    return rc == MOSQ_ERR_SUCCESS ? mosquitto_loop_misc(m->client) : rc;
}

static void note_sparkplug(struct mqtt *m)
{
    struct sparkplug_stats s;
    if (m->sparkplug == NULL)
        return;
    sparkplug_stats(m->sparkplug, &s);
    atomic_store(&m->n_births, s.n_births);
    atomic_store(&m->n_deaths, s.n_deaths);
    atomic_store(&m->n_gaps, s.n_gaps);
    atomic_store(&m->n_unknown, s.n_unknown);
}

/* Until the connection ends or a stop is asked for; true when it had begun. */
static bool run_session(struct mqtt *m)
{
    m->is_accepted = false;
    m->message_status = FT_OK;
    m->client = mosquitto_new(m->config->mqtt_client_id, false, m);
    if (m->client == NULL)
        return false;
    const double start_s = clock_mono_s();
    int rc = set_up(m);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_connect_async(m->client, m->host, m->port, KEEPALIVE_S);
    while (rc == MOSQ_ERR_SUCCESS && !atomic_load(&m->is_stopping)) {
        rc = step(m);
        note_sparkplug(m);
        if (!m->is_accepted && clock_mono_s() - start_s > CONNECT_S)
            rc = MOSQ_ERR_CONN_LOST;
    }
    if (rc == MOSQ_ERR_SUCCESS && m->is_accepted) {
        mosquitto_disconnect(m->client);
        mosquitto_loop_write(m->client, 1);
    } else if (rc != MOSQ_ERR_SUCCESS) {
        log_warn("mqtt: %s:%d: %s", m->host, m->port,
                 m->message_status != FT_OK ? m->message_err.msg
                 : rc == MOSQ_ERR_ERRNO     ? strerror(errno)
                                            : mosquitto_strerror(rc));
    }
    atomic_store(&m->is_connected, false);
    mosquitto_destroy(m->client);
    m->client = NULL;
    /* What was not committed was not acknowledged either: it comes again. */
    live_batch_clear(m->batch);
    m->n_in_batch = 0;
    return m->is_accepted;
}

static void *thread_main(void *arg)
{
    struct mqtt *m = arg;
    int wait_ms = RETRY_FIRST_MS;
    while (!atomic_load(&m->is_stopping)) {
        if (run_session(m))
            wait_ms = RETRY_FIRST_MS;
        pause_ms(m, wait_ms);
        wait_ms = wait_ms * 2 < RETRY_LAST_MS ? wait_ms * 2 : RETRY_LAST_MS;
    }
    return NULL;
}

/* --- life ------------------------------------------------------------------------------------- */

/* What a run of the thread has and the next one makes anew. */
static void free_parts(struct mqtt *m)
{
    live_batch_free(m->batch);
    sparkplug_free(m->sparkplug);
    if (m->wake_fd >= 0)
        close(m->wake_fd);
    m->batch = NULL;
    m->sparkplug = NULL;
    m->wake_fd = -1;
    m->n_templates = 0;
    m->n_in_batch = 0;
}

static enum ft_status prepare(struct mqtt *m, struct ft_err *err)
{
    const struct config *c = m->config;
    m->mapping = (struct message_mapping){c->mqtt_value_member, c->mqtt_time_member,
                                          c->mqtt_asset_member, c->mqtt_sensor_member};
    enum ft_status st = parse_broker(m, c->mqtt_broker, err);
    if (st == FT_OK)
        st = parse_templates(m, err);
    if (st == FT_OK && c->mqtt_sparkplug_groups[0] != '\0')
        st = sparkplug_new(load_birth, m, &m->sparkplug, err);
    if (st == FT_OK)
        st = live_batch_new(m->live, &m->batch, err);
    if (st != FT_OK)
        return st;
    m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m->wake_fd < 0)
        return ft_fail(err, FT_IO, "mqtt: no eventfd");
    atomic_store(&m->is_stopping, false);
    if (pthread_create(&m->thread, NULL, thread_main, m) != 0)
        return ft_fail(err, FT_IO, "mqtt: no thread");
    atomic_store(&m->is_on, true);
    return FT_OK;
}

static enum ft_status turn_on(struct mqtt *m, struct ft_err *err)
{
    if (m->config->mqtt_broker[0] == '\0')
        return FT_OK;
    const enum ft_status st = prepare(m, err);
    if (st != FT_OK)
        free_parts(m);
    return st;
}

static void turn_off(struct mqtt *m)
{
    const uint64_t one = 1;
    if (!atomic_load(&m->is_on))
        return;
    atomic_store(&m->is_stopping, true);
    if (write(m->wake_fd, &one, sizeof(one)) < 0)
        log_warn("mqtt: the thread was not woken");
    pthread_join(m->thread, NULL);
    atomic_store(&m->is_on, false);
    free_parts(m);
}

enum ft_status mqtt_start(const struct config *config, struct writer *writer, struct live *live,
                          struct disk_guard *disk, struct mqtt **out, struct ft_err *err)
{
    struct mqtt *m = calloc(1, sizeof(*m));
    *out = NULL;
    if (m == NULL)
        return ft_fail(err, FT_NOMEM, "mqtt: no memory");
    mosquitto_lib_init();
    m->config = config;
    m->writer = writer;
    m->live = live;
    m->disk = disk;
    m->wake_fd = -1;
    const enum ft_status st = turn_on(m, err);
    if (st != FT_OK) {
        mqtt_stop(m);
        return st;
    }
    *out = m;
    return FT_OK;
}

enum ft_status mqtt_reload(struct mqtt *m, void (*change)(void *ctx), void *ctx, struct ft_err *err)
{
    turn_off(m);
    change(ctx);
    return turn_on(m, err);
}

void mqtt_stats(struct mqtt *m, struct mqtt_stats *out)
{
    *out = (struct mqtt_stats){0};
    if (m == NULL)
        return;
    out->is_on = atomic_load(&m->is_on);
    out->is_connected = atomic_load(&m->is_connected);
    out->n_messages = atomic_load(&m->n_messages);
    out->n_batches = atomic_load(&m->n_batches);
    out->n_connects = atomic_load(&m->n_connects);
    out->n_waits = atomic_load(&m->n_waits);
    out->n_births = atomic_load(&m->n_births);
    out->n_deaths = atomic_load(&m->n_deaths);
    out->n_gaps = atomic_load(&m->n_gaps);
    out->n_unknown = atomic_load(&m->n_unknown);
}

void mqtt_stop(struct mqtt *m)
{
    if (m == NULL)
        return;
    turn_off(m);
    mosquitto_lib_cleanup();
    free(m);
}
