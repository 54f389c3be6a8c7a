/* Configuration: default < file < file's folder conf.d/ (*.conf by name) < FETTLE_SECTION_KEY in
 * the environment < flag, checked and then constant. An unknown key is an error with file and line.
 */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_TEXT 512
#define CONFIG_MAX_KEYS 96

struct config {
    /* [server] */
    char host[64]; /* from listen */
    int port;      /* 0 = any free one */
    char listen[CONFIG_TEXT];
    char tls_cert[CONFIG_TEXT], tls_key[CONFIG_TEXT]; /* paths of PEM files; "" = no TLS */
    char trusted_proxy[CONFIG_TEXT];                  /* comma-separated addresses; "" = none */
    bool anonymous_read;                              /* reading from this machine needs no key */
    int64_t workers, event_threads;
    int64_t max_connections, max_connections_per_address;
    int64_t header_timeout_ms, idle_timeout_ms;
    /* [ingest] */
    int64_t min_free_bytes, min_free_pct; /* less room on the disk than either: readings wait */
    int64_t ingest_max_waiting;           /* requests with readings that wait for a thread */
    int64_t ingest_body_bytes;            /* bodies held in memory at once */
    int64_t ingest_max_future_ms;         /* readings further ahead of the clock are refused */
    int64_t ingest_max_sensors;           /* no sensor is made beyond so many */
    char ingest_unknown[CONFIG_TEXT];     /* create or refuse */
    char ingest_class[CONFIG_TEXT];       /* of assets that are made */
    char ingest_asset_tags[CONFIG_TEXT];  /* the first of these tags names the asset */
    char ingest_drop_tags[CONFIG_TEXT];   /* tags that do not tell series apart */
    char ingest_strings[CONFIG_TEXT];     /* skip or refuse */
    /* [mqtt] */
    char mqtt_broker[CONFIG_TEXT]; /* "" = none */
    char mqtt_client_id[CONFIG_TEXT], mqtt_user[CONFIG_TEXT], mqtt_password_file[CONFIG_TEXT];
    char mqtt_ca[CONFIG_TEXT], mqtt_cert[CONFIG_TEXT], mqtt_key[CONFIG_TEXT]; /* PEM files */
    char mqtt_topics[CONFIG_TEXT], mqtt_sparkplug_groups[CONFIG_TEXT];        /* lists */
    char mqtt_value_member[CONFIG_TEXT], mqtt_time_member[CONFIG_TEXT];
    char mqtt_asset_member[CONFIG_TEXT], mqtt_sensor_member[CONFIG_TEXT];
    /* [site] */
    char time_zone[CONFIG_TEXT]; /* "" = the database's setting */
    /* [night] */
    char retrain_at[CONFIG_TEXT]; /* cron expression; "" = never */
    int64_t night_threads;        /* 0 = all processors */
    /* [retention] */
    int64_t thin_after_days, drop_after_days; /* age of readings; 0 = never */
    /* [webhook] */
    char webhook_allow[CONFIG_TEXT]; /* comma-separated host or host:port; "" = nobody */
    int64_t webhook_timeout_ms;
    /* [log] */
    char log_level[CONFIG_TEXT];

    char origin[CONFIG_MAX_KEYS][256]; /* where each value came from, in table order */
};

struct config_override {
    const char *key;   /* "server.listen" */
    const char *value; /* NULL = absent */
    const char *flag;  /* "--listen", for texts */
};

/* Loads file (NULL = none), the environment and the overrides. FT_NOT_FOUND: no such file.
 * FT_INVALID names file, line and what was expected, or the environment variable, or the flag. */
enum ft_status config_load(const char *file, const struct config_override *overrides,
                           size_t n_overrides, struct config *out, struct ft_err *err);

/* The same from a text, without conf.d and environment (tests, fuzzing). */
enum ft_status config_load_text(const char *text, const char *name, struct config *out,
                                struct ft_err *err);

/* --config, else $FETTLE_CONFIG, else ./fettle.conf when it exists, else NULL. */
const char *config_file(const char *flag);

/* Splits "127.0.0.1:8080", "[::1]:8080" or "8080" (this machine only). */
enum ft_status config_parse_listen(const char *text, char host[64], int *port, struct ft_err *err);

/* "512MiB", "2G", "65536" -> bytes, at least 1; false when it is none of these. */
bool config_parse_size(const char *text, int64_t *bytes);

bool config_is_loopback(const char *host);

/* Is the address one of those in a comma-separated list? */
bool config_list_has(const char *list, const char *word);

/* Copies the values of one section ("mqtt"), or of one key of it (key NULL = all). */
void config_copy(struct config *to, const struct config *from, const char *section,
                 const char *key);

/* For `config show`: section, key, value as text, origin of row i; false at the end. */
struct config_row {
    const char *section, *key, *origin, *help;
    char value[CONFIG_TEXT];
};
bool config_row(const struct config *c, size_t i, struct config_row *out);

#endif
