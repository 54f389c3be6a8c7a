/* One table of keys drives reading, checking, the environment and `config show`. */
#include "app/config.h"

#include "app/base/clock.h"
#include "app/cron.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

extern char **environ;

enum kind {
    KIND_TEXT,
    KIND_BOOL,
    KIND_INT,
    KIND_DURATION,
    KIND_SIZE,
    KIND_LEVEL,
    KIND_UNKNOWN,
    KIND_STRINGS,
    KIND_LISTEN
};

struct key {
    const char *section, *name;
    enum kind kind;
    size_t offset;
    int64_t min, max; /* KIND_INT; KIND_DURATION in ms; KIND_SIZE in bytes */
    const char *fallback;
    const char *help;
};

#define AT(field) offsetof(struct config, field)
static const struct key keys[] = {
    {"server", "listen", KIND_LISTEN, AT(listen), 0, 0, "127.0.0.1:8080", "address and port"},
    {"server", "tls_cert", KIND_TEXT, AT(tls_cert), 0, 0, "", "certificate chain, PEM file"},
    {"server", "tls_key", KIND_TEXT, AT(tls_key), 0, 0, "", "private key, PEM file"},
    {"server", "trusted_proxy", KIND_TEXT, AT(trusted_proxy), 0, 0, "",
     "addresses of proxies that carry TLS for us"},
    {"server", "anonymous_read", KIND_BOOL, AT(anonymous_read), 0, 0, "yes",
     "reading from this machine needs no key"},
    {"server", "workers", KIND_INT, AT(workers), 1, 64, "8", "threads that answer requests"},
    {"server", "event_threads", KIND_INT, AT(event_threads), 1, 16, "2",
     "threads that read and send"},
    {"server", "max_connections", KIND_INT, AT(max_connections), 4, 100000, "256",
     "open connections in all"},
    {"server", "max_connections_per_address", KIND_INT, AT(max_connections_per_address), 1, 100000,
     "128", "open connections of one address"},
    {"server", "header_timeout", KIND_DURATION, AT(header_timeout_ms), 100, 600000, "10s",
     "time for a request's header in all"},
    {"server", "idle_timeout", KIND_DURATION, AT(idle_timeout_ms), 1000, 3600000, "30s",
     "time an unused connection stays open"},
    {"ingest", "min_free", KIND_SIZE, AT(min_free_bytes), 1, INT64_C(1) << 60, "1GiB",
     "readings are refused while the disk has less room"},
    {"ingest", "min_free_pct", KIND_INT, AT(min_free_pct), 0, 50, "5",
     "readings are refused while less of the disk is free, in percent"},
    {"ingest", "max_waiting", KIND_INT, AT(ingest_max_waiting), 1, 10000, "64",
     "requests with readings that may wait for a thread; more are answered 503"},
    {"ingest", "body_memory", KIND_SIZE, AT(ingest_body_bytes), 1 << 20, INT64_C(1) << 40, "64MiB",
     "request bodies held at once; more are answered 503"},
    {"ingest", "max_future", KIND_DURATION, AT(ingest_max_future_ms), 1000,
     INT64_C(3650) * 86400000, "24h", "readings further ahead of the clock are refused"},
    {"ingest", "max_sensors", KIND_INT, AT(ingest_max_sensors), 1, 10000000, "100000",
     "no sensor is made beyond so many"},
    {"ingest", "unknown", KIND_UNKNOWN, AT(ingest_unknown), 0, 0, "create",
     "create or refuse: what happens to readings of an unknown asset or sensor"},
    {"ingest", "class", KIND_TEXT, AT(ingest_class), 0, 0, "default",
     "class of the assets that line protocol and MQTT make"},
    {"ingest", "asset_tags", KIND_TEXT, AT(ingest_asset_tags), 0, 0, "asset,machine,device,host",
     "line protocol: the first of these tags names the asset, else the measurement does"},
    {"ingest", "drop_tags", KIND_TEXT, AT(ingest_drop_tags), 0, 0, "",
     "line protocol: tags that are no part of the sensor's name"},
    {"ingest", "strings", KIND_STRINGS, AT(ingest_strings), 0, 0, "skip",
     "skip or refuse: what line protocol does with a field that holds text"},
    {"mqtt", "broker", KIND_TEXT, AT(mqtt_broker), 0, 0, "",
     "mqtt://HOST:PORT or mqtts://HOST:PORT; empty: no MQTT"},
    {"mqtt", "client_id", KIND_TEXT, AT(mqtt_client_id), 0, 0, "fettle",
     "name of the session that the broker keeps for us"},
    {"mqtt", "user", KIND_TEXT, AT(mqtt_user), 0, 0, "", "user name"},
    {"mqtt", "password_file", KIND_TEXT, AT(mqtt_password_file), 0, 0, "",
     "file whose first line is the password"},
    {"mqtt", "ca", KIND_TEXT, AT(mqtt_ca), 0, 0, "",
     "certificates to trust, PEM file; empty: those of the system"},
    {"mqtt", "cert", KIND_TEXT, AT(mqtt_cert), 0, 0, "", "our certificate, PEM file"},
    {"mqtt", "key", KIND_TEXT, AT(mqtt_key), 0, 0, "", "its private key, PEM file"},
    {"mqtt", "topics", KIND_TEXT, AT(mqtt_topics), 0, 0, "",
     "topics with {asset} and {sensor}, separated by commas"},
    {"mqtt", "sparkplug_groups", KIND_TEXT, AT(mqtt_sparkplug_groups), 0, 0, "",
     "Sparkplug B groups, separated by commas; +: all"},
    {"mqtt", "value_member", KIND_TEXT, AT(mqtt_value_member), 0, 0, "value",
     "JSON payloads: member with the value"},
    {"mqtt", "time_member", KIND_TEXT, AT(mqtt_time_member), 0, 0, "time",
     "JSON payloads: member with the time"},
    {"mqtt", "asset_member", KIND_TEXT, AT(mqtt_asset_member), 0, 0, "asset",
     "JSON payloads: member that names the asset"},
    {"mqtt", "sensor_member", KIND_TEXT, AT(mqtt_sensor_member), 0, 0, "sensor",
     "JSON payloads: member that names the sensor"},
    {"site", "time_zone", KIND_TEXT, AT(time_zone), 0, 0, "",
     "IANA zone; empty: as stored in the database"},
    {"night", "retrain_at", KIND_TEXT, AT(retrain_at), 0, 0, "30 2 * * *",
     "when to retrain, cron expression in the site's zone; empty: never"},
    {"night", "threads", KIND_INT, AT(night_threads), 0, 1024, "0",
     "threads of the nightly training; 0: all processors"},
    {"retention", "thin_after_days", KIND_INT, AT(thin_after_days), 0, 36500, "0",
     "of readings older than so many days at most three a minute stay; 0: all"},
    {"retention", "drop_after_days", KIND_INT, AT(drop_after_days), 0, 36500, "0",
     "of readings older than so many days the hours alone stay; 0: all"},
    {"webhook", "allow", KIND_TEXT, AT(webhook_allow), 0, 0, "",
     "hosts that webhooks may reach, host or host:port, separated by commas"},
    {"webhook", "timeout", KIND_DURATION, AT(webhook_timeout_ms), 100, 60000, "10s",
     "time for one delivery"},
    {"log", "level", KIND_LEVEL, AT(log_level), 0, 0, "info", "error, warn, info or debug"},
};
enum { N_KEYS = sizeof(keys) / sizeof(keys[0]) };
_Static_assert(N_KEYS <= CONFIG_MAX_KEYS, "CONFIG_MAX_KEYS is too small");

bool config_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

enum ft_status config_parse_listen(const char *text, char host[64], int *port, struct ft_err *err)
{
    const char *colon = strrchr(text, ':');
    const char *port_text = colon != NULL ? colon + 1 : text;
    const char *from = text;
    size_t len = colon != NULL ? (size_t)(colon - text) : 0;
    if (len >= 2 && from[0] == '[' && from[len - 1] == ']') {
        from++;
        len -= 2;
    } else if (memchr(from, ':', len) != NULL) {
        return ft_fail(err, FT_INVALID,
                       "listen %.60s: an IPv6 address stands in brackets, [::1]:8080", text);
    }
    char *end = NULL;
    const long number = strtol(port_text, &end, 10);
    if (!isdigit((unsigned char)port_text[0]) || *end != '\0' || number > 65535 || len >= 64)
        return ft_fail(err, FT_INVALID,
                       "listen %.60s: expected ADDRESS:PORT such as 127.0.0.1:8080", text);
    char address[64];
    snprintf(address, sizeof(address), "%.*s", (int)len, from);
    if (len == 0)
        snprintf(address, sizeof(address), "127.0.0.1");
    if (strcmp(address, "localhost") == 0)
        snprintf(address, sizeof(address), "127.0.0.1");
    struct in6_addr ignored;
    if (inet_pton(AF_INET, address, &ignored) != 1 && inet_pton(AF_INET6, address, &ignored) != 1)
        return ft_fail(err, FT_INVALID, "listen %.60s: expected an IP address before the port",
                       text);
    memcpy(host, address, sizeof(address));
    *port = (int)number;
    return FT_OK;
}

bool config_parse_size(const char *text, int64_t *bytes)
{
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"", 1},         {"B", 1},      {"K", 0x1p10},   {"KiB", 0x1p10}, {"M", 0x1p20},
                 {"MiB", 0x1p20}, {"G", 0x1p30}, {"GiB", 0x1p30}, {"T", 0x1p40},   {"TiB", 0x1p40}};
    char *unit = NULL;
    const double v = strtod(text, &unit);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        const double size = v * units[i].factor;
        if (unit != text && strcmp(unit, units[i].unit) == 0 && size >= 1 && size < 0x1p60) {
            *bytes = (int64_t)size;
            return true;
        }
    }
    return false;
}

/* The words that a kind allows; NULL: any text. */
static const char *words_of(enum kind kind)
{
    return kind == KIND_LEVEL     ? "error, warn, info, debug"
           : kind == KIND_UNKNOWN ? "create, refuse"
           : kind == KIND_STRINGS ? "skip, refuse"
                                  : NULL;
}

bool config_list_has(const char *list, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = list; *p != '\0';) {
        p += strspn(p, ", \t");
        const size_t len = strcspn(p, ", \t");
        if (len > 0 && len == n && strncasecmp(p, word, n) == 0)
            return true;
        p += len;
    }
    return false;
}

static bool parse_bool(const char *text, bool *out)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *out = i % 2 == 1;
            return true;
        }
    }
    return false;
}

/* Checks and stores one value; err says what was expected, without the place. */
static enum ft_status store(struct config *c, const struct key *k, const char *value,
                            struct ft_err *err)
{
    char *field = (char *)c + k->offset;
    char *end = NULL;
    if (strlen(value) >= CONFIG_TEXT)
        return ft_fail(err, FT_INVALID, "%s: longer than %d bytes", k->name, CONFIG_TEXT - 1);
    switch (k->kind) {
    case KIND_BOOL: {
        bool b = false;
        if (!parse_bool(value, &b))
            return ft_fail(err, FT_INVALID, "%s = %.60s: expected yes or no", k->name, value);
        memcpy(field, &b, sizeof(b));
        return FT_OK;
    }
    case KIND_INT: {
        const long long v = strtoll(value, &end, 10);
        if (end == value || *end != '\0' || v < k->min || v > k->max)
            return ft_fail(err, FT_INVALID, "%s = %.60s: expected a whole number from %lld to %lld",
                           k->name, value, (long long)k->min, (long long)k->max);
        const int64_t n = v;
        memcpy(field, &n, sizeof(n));
        return FT_OK;
    }
    case KIND_DURATION: {
        int64_t ms = 0;
        if (clock_parse_duration(value, &ms, NULL) != FT_OK || ms < k->min || ms > k->max)
            return ft_fail(err, FT_INVALID,
                           "%s = %.60s: expected a duration with its unit such as %s, from %g s to "
                           "%g s",
                           k->name, value, k->fallback, (double)k->min / 1000.0,
                           (double)k->max / 1000.0);
        memcpy(field, &ms, sizeof(ms));
        return FT_OK;
    }
    case KIND_SIZE: {
        int64_t bytes = 0;
        if (!config_parse_size(value, &bytes) || bytes < k->min || bytes > k->max)
            return ft_fail(err, FT_INVALID, "%s = %.60s: expected a size with its unit such as %s",
                           k->name, value, k->fallback);
        memcpy(field, &bytes, sizeof(bytes));
        return FT_OK;
    }
    case KIND_LEVEL:
    case KIND_UNKNOWN:
    case KIND_STRINGS:
        if (!config_list_has(words_of(k->kind), value))
            return ft_fail(err, FT_INVALID, "%s = %.60s: expected one of %s", k->name, value,
                           words_of(k->kind));
        break;
    case KIND_LISTEN: {
        const enum ft_status st = config_parse_listen(value, c->host, &c->port, err);
        if (st != FT_OK)
            return st;
        break;
    }
    default:
        break;
    }
    snprintf(field, CONFIG_TEXT, "%s", value);
    return FT_OK;
}

static const struct key *find_key(const char *section, const char *name)
{
    for (size_t i = 0; i < N_KEYS; i++)
        if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

static void set_origin(struct config *c, const struct key *k, const char *origin)
{
    snprintf(c->origin[k - keys], sizeof(c->origin[0]), "%s", origin);
}

struct reading_state {
    struct config *config;
    const char *file;
    struct ft_err err; /* of the first bad line */
};

/* inih calls it for every "key = value"; 0 marks the line as bad. */
static int on_line(void *user, const char *section, const char *name, const char *value)
{
    struct reading_state *s = user;
    if (s->err.code != FT_OK)
        return 0;
    const struct key *k = find_key(section, name);
    if (k == NULL) {
        ft_fail(&s->err, FT_INVALID, "unknown key %.60s in section [%.60s]", name, section);
        return 0;
    }
    if (store(s->config, k, value, &s->err) != FT_OK)
        return 0;
    set_origin(s->config, k, s->file);
    return 1;
}

static enum ft_status check_parsed(int line, const struct reading_state *s, struct ft_err *err)
{
    if (line == 0)
        return FT_OK;
    if (line < 0)
        return ft_fail(err, line == -1 ? FT_NOT_FOUND : FT_NOMEM, "%.200s: cannot be read",
                       s->file);
    return ft_fail(err, FT_INVALID, "%.200s line %d: %.250s", s->file, line,
                   s->err.code != FT_OK ? s->err.msg : "expected [section] or key = value");
}

static enum ft_status read_file(const char *file, struct config *c, struct ft_err *err)
{
    struct reading_state s = {.config = c, .file = file};
    return check_parsed(ini_parse(file, on_line, &s), &s, err);
}

static int is_conf(const struct dirent *d)
{
    const size_t n = strlen(d->d_name);
    return n > 5 && d->d_name[0] != '.' && strcmp(d->d_name + n - 5, ".conf") == 0;
}

/* <folder of file>/conf.d/?*.conf in the order of their names. */
static enum ft_status read_conf_d(const char *file, struct config *c, struct ft_err *err)
{
    char folder[400];
    const char *slash = strrchr(file, '/');
    snprintf(folder, sizeof(folder), "%.*sconf.d", slash != NULL ? (int)(slash + 1 - file) : 0,
             file);
    struct dirent **names = NULL;
    const int n = scandir(folder, &names, is_conf, alphasort);
    enum ft_status st = FT_OK;
    for (int i = 0; i < n; i++) {
        char path[700];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
        if (st == FT_OK)
            st = read_file(path, c, err);
        free(names[i]);
    }
    free(names);
    return st;
}

static void environment_name(const struct key *k, char *out, size_t size)
{
    snprintf(out, size, "FETTLE_%s_%s", k->section, k->name);
    for (char *p = out; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
}

/* A variable that begins like one of ours but is none is a typing error worth an answer. */
static enum ft_status check_unknown_environment(struct ft_err *err)
{
    for (char **e = environ; e != NULL && *e != NULL; e++) {
        const size_t len = strcspn(*e, "=");
        bool is_section = false, is_known = false;
        for (size_t i = 0; i < N_KEYS; i++) {
            char name[100];
            environment_name(&keys[i], name, sizeof(name));
            const size_t head = strlen("FETTLE_") + strlen(keys[i].section) + 1;
            is_section = is_section || (len > head && strncmp(*e, name, head) == 0);
            is_known = is_known || (strlen(name) == len && strncmp(*e, name, len) == 0);
        }
        if (is_section && !is_known)
            return ft_fail(err, FT_INVALID, "environment: unknown variable %.*s",
                           len < 100 ? (int)len : 100, *e);
    }
    return FT_OK;
}

static enum ft_status read_environment(struct config *c, struct ft_err *err)
{
    for (size_t i = 0; i < N_KEYS; i++) {
        char name[100];
        environment_name(&keys[i], name, sizeof(name));
        const char *value = getenv(name);
        if (value == NULL)
            continue;
        if (store(c, &keys[i], value, err) != FT_OK)
            return ft_err_prefix(err, "environment %s", name);
        set_origin(c, &keys[i], name);
    }
    return check_unknown_environment(err);
}

static enum ft_status set_defaults(struct config *c, struct ft_err *err)
{
    memset(c, 0, sizeof(*c));
    for (size_t i = 0; i < N_KEYS; i++) {
        const enum ft_status st = store(c, &keys[i], keys[i].fallback, err);
        if (st != FT_OK)
            return st;
        set_origin(c, &keys[i], "default");
    }
    return FT_OK;
}

/* What concerns more than one key. */
static enum ft_status check_whole(const struct config *c, struct ft_err *err)
{
    if ((c->tls_cert[0] == '\0') != (c->tls_key[0] == '\0'))
        return ft_fail(err, FT_INVALID, "[server] tls_cert and tls_key belong together");
    if ((c->mqtt_cert[0] == '\0') != (c->mqtt_key[0] == '\0'))
        return ft_fail(err, FT_INVALID, "[mqtt] cert and key belong together");
    struct cron cron;
    if (c->retrain_at[0] != '\0' && cron_parse(c->retrain_at, &cron, err) != FT_OK)
        return ft_err_prefix(err, "[night] retrain_at");
    if (!config_is_loopback(c->host) && c->tls_cert[0] == '\0' && c->trusted_proxy[0] == '\0')
        return ft_fail(
            err, FT_REFUSED,
            "listen %.60s: off this machine only with TLS ([server] tls_cert, tls_key) or "
            "behind a named proxy ([server] trusted_proxy)",
            c->listen);
    return FT_OK;
}

enum ft_status config_load_text(const char *text, const char *name, struct config *out,
                                struct ft_err *err)
{
    enum ft_status st = set_defaults(out, err);
    if (st != FT_OK)
        return st;
    struct reading_state s = {.config = out, .file = name};
    st = check_parsed(ini_parse_string(text, on_line, &s), &s, err);
    return st == FT_OK ? check_whole(out, err) : st;
}

enum ft_status config_load(const char *file, const struct config_override *overrides,
                           size_t n_overrides, struct config *out, struct ft_err *err)
{
    enum ft_status st = set_defaults(out, err);
    if (st == FT_OK && file != NULL)
        st = read_file(file, out, err);
    if (st == FT_OK && file != NULL)
        st = read_conf_d(file, out, err);
    if (st == FT_OK)
        st = read_environment(out, err);
    for (size_t i = 0; i < n_overrides && st == FT_OK; i++) {
        const struct config_override *o = &overrides[i];
        char section[32];
        const size_t len = strcspn(o->key, ".");
        snprintf(section, sizeof(section), "%.*s", (int)len, o->key);
        const struct key *k = o->value != NULL ? find_key(section, o->key + len + 1) : NULL;
        if (k == NULL)
            continue;
        st = store(out, k, o->value, err);
        if (st != FT_OK)
            return ft_err_prefix(err, "%s", o->flag);
        set_origin(out, k, o->flag);
    }
    return st == FT_OK ? check_whole(out, err) : st;
}

const char *config_file(const char *flag)
{
    if (flag != NULL)
        return flag;
    const char *from_environment = getenv("FETTLE_CONFIG");
    if (from_environment != NULL && from_environment[0] != '\0')
        return from_environment;
    return access("fettle.conf", R_OK) == 0 ? "fettle.conf" : NULL;
}

static size_t size_of(enum kind kind)
{
    return kind == KIND_BOOL                                                ? sizeof(bool)
           : kind == KIND_INT || kind == KIND_DURATION || kind == KIND_SIZE ? sizeof(int64_t)
                                                                            : CONFIG_TEXT;
}

void config_copy(struct config *to, const struct config *from, const char *section, const char *key)
{
    for (size_t i = 0; i < N_KEYS; i++) {
        const struct key *k = &keys[i];
        if (strcmp(k->section, section) != 0 || (key != NULL && strcmp(k->name, key) != 0))
            continue;
        memcpy((char *)to + k->offset, (const char *)from + k->offset, size_of(k->kind));
        memcpy(to->origin[i], from->origin[i], sizeof(to->origin[i]));
    }
}

bool config_row(const struct config *c, size_t i, struct config_row *out)
{
    if (i >= N_KEYS)
        return false;
    const struct key *k = &keys[i];
    const char *field = (const char *)c + k->offset;
    *out = (struct config_row){
        .section = k->section, .key = k->name, .origin = c->origin[i], .help = k->help};
    int64_t n = 0;
    bool b = false;
    switch (k->kind) {
    case KIND_BOOL:
        memcpy(&b, field, sizeof(b));
        snprintf(out->value, sizeof(out->value), "%s", b ? "yes" : "no");
        break;
    case KIND_INT:
        memcpy(&n, field, sizeof(n));
        snprintf(out->value, sizeof(out->value), "%lld", (long long)n);
        break;
    case KIND_SIZE:
        memcpy(&n, field, sizeof(n));
        if (n % (1 << 20) == 0)
            snprintf(out->value, sizeof(out->value), "%lldMiB", (long long)(n >> 20));
        else
            snprintf(out->value, sizeof(out->value), "%lld", (long long)n);
        break;
    case KIND_DURATION:
        memcpy(&n, field, sizeof(n));
        if (n % 1000 == 0)
            snprintf(out->value, sizeof(out->value), "%llds", (long long)(n / 1000));
        else
            snprintf(out->value, sizeof(out->value), "%lldms", (long long)n);
        break;
    default:
        snprintf(out->value, sizeof(out->value), "%s", field);
    }
    return true;
}
