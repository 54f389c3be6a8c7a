/* What an MQTT message says: its topic by a template, its payload as a number or as JSON. No
 * network here. */
#ifndef APP_INGEST_MQTT_MESSAGE_H
#define APP_INGEST_MQTT_MESSAGE_H

#include "app/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_batch;

enum { TOPIC_MAX_LEVELS = 16, TOPIC_SIZE = 512, TOPIC_MAX_TEMPLATES = 32 };

/* "plant/{asset}/{sensor}": each level is a literal, {asset}, {sensor}, + (any one) or, as the last
 * one, # (any rest). Without braces the first + is the asset and the second the sensor. */
struct topic_template {
    size_t n_levels;
    int asset_level, sensor_level;        /* -1 = the payload says it */
    bool has_rest;                        /* ends in # */
    const char *levels[TOPIC_MAX_LEVELS]; /* literals; NULL = any */
    char filter[TOPIC_SIZE];              /* to subscribe to */
    char text[TOPIC_SIZE];                /* levels point into it */
};
enum ft_status topic_template_parse(const char *text, struct topic_template *out,
                                    struct ft_err *err);

/* Does the topic fit? asset and sensor (each TOPIC_SIZE) become the levels' texts or "". */
bool topic_match(const struct topic_template *t, const char *topic, char *asset, char *sensor);

/* Names of the members of a JSON payload. */
struct message_mapping {
    const char *value, *time, *asset, *sensor;
};

/* Adds what one message holds to a batch. The payload is a number as text; or true or false; or a
 * JSON object with a value (and perhaps time, asset and sensor) or, where neither topic nor payload
 * names a sensor, with a number for each of several sensors; or an array of such objects. Without a
 * time it is now_ms. What cannot be taken is refused in the batch. FT_NOMEM. */
enum ft_status message_add(struct live_batch *b, const struct topic_template *templates,
                           size_t n_templates, const struct message_mapping *mapping,
                           const char *topic, const void *payload, size_t len, size_t place,
                           int64_t now_ms, struct ft_err *err);

#endif
